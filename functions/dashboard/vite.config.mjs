import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
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

/** Writes the OpenAPI document where `/docs` and everybody else asks for it, without its white space. */
function document() {
  return {
    name: "openapi-document",
    apply: "build",
    closeBundle() {
      const described = JSON.parse(readFileSync("../../shared/api/openapi.json", "utf8"));
      mkdirSync(join(OUT, "api/v1"), { recursive: true });
      writeFileSync(join(OUT, "api/v1/openapi.json"), JSON.stringify(described));
    },
  };
}

/** React Aria brings its words in thirty-four languages. Those of the dashboard (src/i18n) are built in; it speaks English where one is missing. */
function ownLanguages() {
  const own = new Set(readdirSync("src/i18n").flatMap((name) => (name.endsWith(".json") ? [name.slice(0, 2)] : [])));
  return {
    name: "own-languages",
    enforce: "pre",
    load(id) {
      const language = /[\\/]intl[\\/].*[\\/]([a-z]{2})-[A-Z]{2}\.m?js$/u.exec(id)?.[1];
      return language === undefined || own.has(language) ? null : "export default undefined;";
    },
  };
}

/** Modules of libraries for which pages wait until something is drawn: the calendar, and what only that needs. */
const LATER = /calendar|date(?:field|picker|range)|timefield|spinbutton|numberfield|@internationalized[\\/](?:date|number)/iu;

/** What is laid over pages: fetched at the first sign that somebody is there (src/ui/later.ts). React Aria is one file of it; what pages use, too, is not in that. */
const ARIA = /node_modules[\\/](?:react-aria|react-stately|@internationalized|aria-hidden)/u;
const OVER = ["ui/over.tsx", "shell/palette-box.tsx", "shell/tenant-list.tsx"];

/**
 * What every page needs is two files, however many others use a part of it: src/start.tsx with all that it imports, and the libraries among
 * those, which change more seldom. `group` says in which of them a module is; the page asks for both, and for the font, with the first one.
 */
function firstFiles() {
  const first = new Set();
  const reach = (get, id, into = first) => {
    if (into.has(id)) return;
    into.add(id);
    for (const next of get(id)?.importedIds ?? []) reach(get, next, into);
  };
  const begin = new Set();
  const over = new Set();
  return {
    groups: [
      { name: "begin", test: (id) => begin.has(id) || id.includes("rolldown/runtime"), priority: 3 },
      { name: "libraries", test: (id) => first.has(id) && id.includes("node_modules") && !LATER.test(id), priority: 2 },
      { name: "start", test: (id) => first.has(id) && !id.includes("node_modules"), priority: 1 },
      { name: "over", test: (id) => over.has(id) && ARIA.test(id) && !LATER.test(id), priority: 0 },
    ],
    plugin: {
      name: "first-files",
      apply: "build",
      buildEnd() {
        const get = (id) => this.getModuleInfo(id);
        const own = (name) => [...this.getModuleIds()].find((id) => id.endsWith(`/src/${name}`));
        // What src/main.ts imports is there before.
        reach(get, own("main.ts"));
        for (const id of first) begin.add(id);
        first.clear();
        reach(get, own("start.tsx"));
        const known = new Set([...begin, ...first]);
        for (const name of OVER) reach(get, own(name), over);
        for (const id of known) over.delete(id);
      },
      transformIndexHtml: {
        order: "post",
        handler(_, { bundle, path }) {
          if (!path.endsWith("index.html")) return [];
          const scripts = Object.values(bundle).filter(({ type, name }) => type === "chunk" && (name === "libraries" || name === "start"));
          const font = Object.keys(bundle).find((name) => name.includes("inter-latin-wght"));
          const link = (href, attrs) => ({ tag: "link", attrs: { ...attrs, crossorigin: true, href: `/${href}` }, injectTo: "head" });
          // Fetched, not read: to read them takes a slow machine longer than all that comes before (src/main.ts).
          return [...scripts.map(({ fileName }) => link(fileName, { rel: "preload", as: "script" })), link(font, { rel: "preload", as: "font", type: "font/woff2" })];
        },
      },
    },
  };
}

const files = firstFiles();

// Everything but the reference at /docs lies below /app/: the addresses of the API, of webhooks and of mails keep their own. The page itself stands at the top, where
// Workers' static assets look for what answers every address of a single-page application.
export default defineConfig({
  plugins: [ownLanguages(), react(), files.plugin, document(), serviceWorker()],
  build: {
    outDir: OUT,
    assetsDir: "app/assets",
    emptyOutDir: true,
    target: "es2022",
    // Fonts and icons stay files of their own: the policy allows no `data:` but for images.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The dashboard, and the reference of the API at /docs: one does not fetch what the other needs.
    rolldownOptions: {
      input: { index: "index.html", docs: "docs.html" },
      preserveEntrySignatures: "allow-extension",
      output: { codeSplitting: { groups: files.groups } },
    },
    // Swagger UI is one file; `cargo xtask build` watches its size.
    chunkSizeWarningLimit: 2_000,
  },
  server: { proxy: { "/api": { target: "http://127.0.0.1:8787", ws: true } } },
});
