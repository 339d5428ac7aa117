import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const OUT = "dist";

/** Writes `app/service-worker.js`: the list of all that was built, each with its hash, before the worker's own code. */
function serviceWorker() {
  return {
    name: "service-worker",
    apply: "build",
    closeBundle() {
      const hash = (text) => createHash("sha256").update(text).digest("base64");
      const files = { "/app/": `sha256-${hash(readFileSync(join(OUT, "index.html")))}` };
      const names = readdirSync(join(OUT, "app"), { recursive: true, withFileTypes: true });
      for (const entry of names.filter((one) => one.isFile() && one.name !== "service-worker.js")) {
        const path = join(entry.parentPath, entry.name);
        // The reference is a page of its own, and needs the network.
        if (entry.name.startsWith("docs")) continue;
        // Of the fonts browsers take the parts that a page needs; only that of the dashboard's own languages is kept. Icons are the system's.
        if ((entry.name.endsWith(".woff2") && !entry.name.startsWith("inter-latin-wght")) || entry.name.endsWith(".png")) continue;
        files[`/${path.slice(OUT.length + 1).replaceAll("\\", "/")}`] = `sha256-${hash(readFileSync(path))}`;
      }
      const list = JSON.stringify(Object.fromEntries(Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1))));
      const own = readFileSync("service-worker.js", "utf8");
      const version = hash(list + own).slice(0, 12);
      writeFileSync(join(OUT, "app", "service-worker.js"), `const FILES = ${list};\nconst VERSION = ${JSON.stringify(version)};\n${own}`);
    },
  };
}

// Everything but the reference at /docs lies below /app/: the addresses of the API, of webhooks and of mails keep their own. The page itself stands at the top, where
// Workers' static assets look for what answers every address of a single-page application.
export default defineConfig({
  plugins: [react(), serviceWorker()],
  build: {
    outDir: OUT,
    assetsDir: "app/assets",
    emptyOutDir: true,
    target: "es2022",
    // Fonts and icons stay files of their own: the policy allows no `data:` but for images.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The dashboard, and the reference of the API at /docs: one does not fetch what the other needs.
    rolldownOptions: { input: { index: "index.html", docs: "docs.html" } },
    // Swagger UI is one file; `cargo xtask build` watches its size.
    chunkSizeWarningLimit: 2_000,
  },
  server: { proxy: { "/api": { target: "http://127.0.0.1:8787", ws: true } } },
});
