// Another server in front of a running system: it serves whatever dashboard it is told to, as Workers' static assets do, and hands the API on. So a
// journey can deploy a version while a page of another one is open, and a change is seen without starting the system anew:
//
//   VOICECORE_RUNNING="$(cat running.json)" node tests/front.mjs [folder] [port]

import { createReadStream, existsSync, readFileSync, statSync } from "node:fs";
import { createServer, request } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { createGzip } from "node:zlib";

const TYPES = {
  ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".png": "image/png", ".woff2": "font/woff2",
  ".webmanifest": "application/manifest+json",
};
const PACKED = [".html", ".js", ".css", ".svg", ".webmanifest"];

/** The headers of `_headers` for a path: the parts whose first line fits. */
function headersOf(folder, path) {
  const headers = {};
  let fits = false;
  for (const line of readFileSync(join(folder, "_headers"), "utf8").split("\n")) {
    if (line.startsWith("/")) fits = line.endsWith("*") ? path.startsWith(line.slice(0, -1)) : path === line;
    else if (fits && line.startsWith("  ")) headers[line.slice(2, line.indexOf(":", 2))] = line.slice(line.indexOf(":", 2) + 1).trim();
  }
  return headers;
}

/** Serves `at.folder`, which may be another one by the next request. Returns its address and what closes it. */
export async function front(at, behind, port = 0) {
  const server = createServer((asked, answer) => {
    const { pathname } = new URL(asked.url, behind);
    if (!/^\/(?:app(?:\/|$)|docs$)/u.test(pathname)) return handOn(asked, answer);
    const file = join(at.folder, normalize(pathname));
    const there = existsSync(file) && statSync(file).isFile();
    // What is no file is a page, but for what looks like one.
    if (!there && (pathname.startsWith("/app/assets/") || extname(pathname) !== "")) {
      answer.writeHead(404, { "cache-control": "no-store" }).end();
      return;
    }
    const found = there ? file : join(at.folder, "index.html");
    const packed = PACKED.includes(extname(found));
    answer.writeHead(200, { "content-type": TYPES[extname(found)] ?? "application/octet-stream", ...(packed ? { "content-encoding": "gzip" } : {}), ...headersOf(at.folder, pathname) });
    const stream = createReadStream(found);
    (packed ? stream.pipe(createGzip()) : stream).pipe(answer);
  });
  const handOn = (asked, answer) => {
    const { host, origin, ...headers } = asked.headers;
    const to = new URL(asked.url, behind);
    const further = request(to, { method: asked.method, headers: { ...headers, host: to.host, ...(origin === undefined ? {} : { origin: to.origin }) } }, (got) => {
      answer.writeHead(got.statusCode, got.headers);
      got.pipe(answer);
    });
    further.on("error", () => answer.destroy());
    asked.pipe(further);
  };
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => new Promise((resolve) => (server.closeAllConnections(), server.close(resolve))) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2] ?? fileURLToPath(new URL("../dist", import.meta.url));
  const { url } = await front({ folder }, JSON.parse(process.env.VOICECORE_RUNNING).base_url, Number(process.argv[3] ?? 0));
  console.log(url);
}
