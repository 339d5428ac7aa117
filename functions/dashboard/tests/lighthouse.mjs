// What Lighthouse says of accessibility and best practices, page by page, light as it is by default; ends with 1 when any of them is below 95. Lighthouse is 114
// packages and 176 MB, so that it is no dependency: npx fetches it, or LIGHTHOUSE says where its program (cli/index.js) is. With a running system:
//
//   VOICECORE_RUNNING="$(cat running.json)" node tests/lighthouse.mjs [address …]

import { execFile, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { chromium } from "playwright-core";
import { ARGUMENTS, program as browserProgram } from "./browser.mjs";
import { OUTSIDE, PAGES } from "./pages.mjs";

const LEAST = 95;
const CATEGORIES = ["accessibility", "best-practices"];
const PACKAGE = "lighthouse@13.5.0";

const system = JSON.parse(process.env.VOICECORE_RUNNING);
const given = process.argv.slice(2);
const [program, ...before] = process.env.LIGHTHOUSE === undefined ? ["npx", "--yes", PACKAGE] : [process.execPath, process.env.LIGHTHOUSE];

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const folder = mkdtempSync(join(tmpdir(), "lighthouse-"));
const port = await freePort();
const running = spawn(browserProgram(), [...ARGUMENTS, `--remote-debugging-port=${port}`, `--user-data-dir=${join(folder, "profile")}`, "about:blank"], { stdio: "ignore" });

/** Gives the browser a session, and lets go of it: nobody else may hold its pages while Lighthouse looks at them. */
async function give(cookies) {
  for (let tries = 50; ; tries -= 1) {
    try {
      const browser = await chromium.connectOverCDP(`http://127.0.0.1:${port}`);
      const session = await browser.newBrowserCDPSession();
      await session.send("Storage.setCookies", { cookies });
      return await browser.close();
    } catch (error) {
      if (tries === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

let [worst, failed] = [100, false];
const answer = await fetch(`${system.base_url}/api/v1/calls?status=completed&page_size=1`, { headers: { authorization: `Bearer ${system.api_key}` } });
const [call] = (await answer.json()).items;
for (const path of [...OUTSIDE, ...PAGES].filter((one) => given.length === 0 || given.includes(one))) {
  if (!OUTSIDE.includes(path)) {
    // Each refresh replaces the cookie: every page has a session of its own.
    const signedIn = await fetch(`${system.base_url}/api/v1/auth/login`, {
      method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ email: system.email, password: system.password }),
    });
    const cookies = signedIn.headers.getSetCookie().map((text) => {
      const [pair, ...rest] = text.split(/;\s*/u);
      const [name, value] = [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)];
      const cookiePath = rest.find((one) => /^path=/iu.test(one))?.slice(5) ?? "/";
      return { name, value, path: cookiePath, domain: new URL(system.base_url).hostname, httpOnly: true, secure: rest.some((one) => /^secure$/iu.test(one)), sameSite: "Strict" };
    });
    await give(cookies);
  }
  const address = `${system.base_url}/app${path === "CALL" ? `/calls/${call?.id}` : path}`;
  const file = join(folder, "report.json");
  const options = [`--port=${port}`, "--disable-storage-reset", "--quiet", "--preset=desktop", `--only-categories=${CATEGORIES.join(",")}`, "--output=json", `--output-path=${file}`];
  try {
    await promisify(execFile)(program, [...before, address, ...options]);
  } catch (error) {
    console.log(`${path.padEnd(26)} could not be looked at: ${String(error.stderr ?? error).trim().split("\n").at(-1)}`);
    failed = true;
    continue;
  }
  const { categories, audits, finalDisplayedUrl } = JSON.parse(readFileSync(file, "utf8"));
  const scores = CATEGORIES.map((name) => Math.round(100 * categories[name].score));
  worst = Math.min(worst, ...scores);
  const missed = CATEGORIES.flatMap((name) => categories[name].auditRefs).filter(({ id, weight }) => weight > 0 && audits[id].score !== null && audits[id].score < 1).map(({ id }) => id);
  const elsewhere = finalDisplayedUrl === address ? "" : ` (led to ${finalDisplayedUrl})`;
  console.log([path.padEnd(26), ...scores.map((score) => String(score).padStart(4)), ` ${missed.join(" ")}${elsewhere}`].join(""));
}
running.kill();
await new Promise((resolve) => running.on("exit", resolve));
// What the browser began may go on writing for a moment.
rmSync(folder, { recursive: true, maxRetries: 20, retryDelay: 250 });
console.log(`worst ${worst}; at least ${LEAST} is wanted`);
process.exit(failed || worst < LEAST ? 1 : 0);
