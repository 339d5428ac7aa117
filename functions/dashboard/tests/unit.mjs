// The rules of the dashboard without a browser: bundled by esbuild, run by Node's own test runner.

import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const outdir = here("../../../target/dashboard/unit");
await build({
  entryPoints: readdirSync(here("unit")).map((name) => here(`unit/${name}`)),
  outdir,
  bundle: true,
  platform: "node",
  format: "esm",
  jsx: "automatic",
  outExtension: { ".js": ".mjs" },
  // What the modules ask of a browser when they are loaded; packages that are not modules ask for `require`.
  banner: {
    js: 'import { createRequire as __make } from "node:module"; const require = __make(import.meta.url); globalThis.location ??= { origin: "http://dashboard.example" };',
  },
  logLevel: "warning",
});
const files = readdirSync(outdir).filter((name) => name.endsWith(".test.mjs"));
const { status, stdout } = spawnSync(process.execPath, ["--test", "--test-reporter=tap", ...files], {
  cwd: outdir,
  stdio: ["ignore", "pipe", "inherit"],
  encoding: "utf8",
});
const count = (what) => Number(new RegExp(`^# ${what} (\\d+)$`, "mu").exec(stdout)?.[1] ?? 0);
if (status !== 0) console.log(stdout);
console.log(`${count("pass")} passed, ${count("fail")} failed`);
process.exit(status ?? 1);
