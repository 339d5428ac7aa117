// What the dashboard is served as: the same on Workers, which have it as static assets, and on Spin, whose component reads it from files.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

/** The headers that are configured for an address, by name. */
function configured(path) {
  const found = {};
  let concerned = false;
  for (const line of readFileSync(new URL("../public/_headers", import.meta.url), "utf8").split("\n")) {
    const [, name, value] = /^ +([^:]+): (.+)$/u.exec(line) ?? [];
    if (name === undefined) concerned = line.endsWith("*") ? path.startsWith(line.slice(0, -1)) : path === line;
    else if (concerned) found[name.toLowerCase()] = value;
  }
  return found;
}

export function files({ journey, system, app }) {
  journey("pages and files are served with the headers that are configured, and kept as long as they hold", async () => {
    const page = await (await fetch(`${app}/`)).text();
    const [, script] = /src="(\/app\/assets\/[^"]+\.js)"/u.exec(page);
    const html = "text/html; charset=utf-8";
    for (const [path, type] of [
      ["/app", html], ["/app/", html], ["/app/calls/any?q=a.b", html], ["/docs", html], [script, "text/javascript; charset=utf-8"],
      ["/app/service-worker.js", "text/javascript; charset=utf-8"], ["/app/icon.svg", "image/svg+xml"], ["/app/manifest.webmanifest", "application/manifest+json"],
    ]) {
      const response = await fetch(system.base_url + path, { redirect: "manual" });
      assert.equal(response.status, 200, path);
      const wanted = { "cache-control": "public, max-age=0, must-revalidate", "content-type": type, ...configured(path.split("?")[0]) };
      // `cargo xtask dev` lets the page ask the simulator, too.
      wanted["content-security-policy"] = wanted["content-security-policy"].replace("connect-src 'self'", `connect-src 'self' ${system.control_url}`);
      for (const [name, value] of Object.entries(wanted)) assert.equal(response.headers.get(name), value, `${path}: ${name}`);
      const tag = response.headers.get("etag");
      assert.match(tag, /^(?:W\/)?"[^"]+"$/u, path);
      const body = Buffer.from(await response.arrayBuffer());
      if (type === html && path !== "/docs") assert.equal(body.toString(), page, path);
      assert.equal((await fetch(system.base_url + path, { headers: { "if-none-match": tag } })).status, 304, path);
      const head = await fetch(system.base_url + path, { method: "HEAD" });
      assert.deepEqual([head.status, head.headers.get("content-type"), await head.text()], [200, type, ""], path);
    }
    const moved = await fetch(`${system.base_url}/docs/`, { redirect: "manual" });
    assert.deepEqual([moved.status, moved.headers.get("location")], [307, "/docs"]);
    for (const path of ["/", "/index.html", "/docs.html", "/_headers", "/apple"]) assert.equal((await fetch(system.base_url + path)).status, 404, path);
    // Whoever asks for a file of another version must not be told for a year that it is a page.
    for (const path of ["/app/assets/none-00000000.js", "/app/assets/none", "/app/assets/", "/app/none.png"]) {
      for (const method of ["GET", "HEAD"]) {
        const response = await fetch(system.base_url + path, { method });
        assert.equal(response.status, 404, path);
        assert.match(response.headers.get("cache-control"), /^no-store/u, path);
        assert.doesNotMatch(response.headers.get("content-type"), /html/u, path);
      }
    }
    for (const path of ["/app/", "/docs"]) assert.equal((await fetch(system.base_url + path, { method: "POST" })).status, 405, path);
  }, { brief: true });
}
