// How soon a page is there, and can be used, in a browser that is four times slower than the machine. It prints, and asserts nothing: times are
// the machine's. With a running system (`cargo xtask dev --json > running.json`):
//
//   VOICECORE_RUNNING="$(cat running.json)" node tests/speed.mjs [--runs 5] [--slow 4] [--warm] [address …]
//
// Addresses are those below /app (`/`, `/calls`, `CALL` for one of the calls). Each run is a browser profile that has nothing but the session's
// cookie: no file is cached, no service worker there. `--warm`: the profile has opened the page before. What is printed are medians:
//
//   paint      first contentful paint
//   content    the page's main heading and its data are in the document, and no skeleton is left
//   usable     from then on no task took longer than 50 ms, for a second
//   blocked    what tasks took beyond 50 ms each, from the first paint to `usable`
//   script     what the page's thread worked at scripts until then, in its own time: however busy the machine is, slowed down like all
//   layout     the same, at styles and layout
//   requests   of the API
//   kB         that came over the wire, headers among them

import { loadavg } from "node:os";
import { launch } from "./browser.mjs";

const system = JSON.parse(process.env.VOICECORE_RUNNING);
const app = `${system.base_url}/app`;
/** No page is waited for longer. */
const PATIENCE_MS = 60_000;
/** A page is quiet when no long task was seen for so long. */
const QUIET_MS = 1_000;
/** A session may ask so many things in a minute; then another one signs in. */
const RUNS_OF_A_SESSION = 6;

const PAGES = [
  "/sign-in", "/", "/live", "/calls", "CALL", "/messages", "/notifications", "/profile", "/setup", "/settings/organisation", "/settings/business", "/settings/assistants",
  "/settings/phone-numbers", "/settings/providers", "/settings/quality", "/settings/agents", "/settings/departments", "/settings/users", "/settings/roles", "/settings/api-keys",
  "/settings/audit",
];

const given = process.argv.slice(2);
const option = (name, otherwise) => (given.includes(name) ? Number(given.splice(given.indexOf(name), 2)[1]) : otherwise);
const [runs, slow] = [option("--runs", 5), option("--slow", 4)];
const warm = given.includes("--warm") && given.splice(given.indexOf("--warm"), 1).length === 1;
const pages = given.length > 0 ? given : PAGES;

const browser = await launch();

/** What the page itself notes from its first moment on. Runs there. */
function note({ quiet }) {
  const seen = { paint: null, content: null, tasks: [] };
  window.__seen = seen;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntriesByName("first-contentful-paint")) seen.paint = entry.startTime;
  }).observe({ type: "paint", buffered: true });
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) seen.tasks.push([startTime, duration]);
  }).observe({ type: "longtask", buffered: true });
  const look = () => {
    const there = document.querySelector("main h1") !== null && document.querySelector(".skeletons") === null && document.querySelector("main.alone") === null;
    if (!there) seen.content = null;
    else seen.content ??= performance.now();
  };
  new MutationObserver(look).observe(document, { childList: true, subtree: true });
  window.__quiet = () => {
    if (seen.content === null || seen.paint === null) return false;
    const last = Math.max(seen.content, ...seen.tasks.map(([at, took]) => at + took));
    return performance.now() - last > quiet ? { ...seen, usable: last } : false;
  };
}

async function signIn() {
  const context = await browser.newContext({ locale: "en-US" });
  const answer = await context.request.post(`${system.base_url}/api/v1/auth/login`, { data: { email: system.email, password: system.password } });
  if (!answer.ok()) throw new Error(`signing in: ${answer.status()}`);
  const state = await context.storageState();
  await context.close();
  return state;
}

/** Asks by the debugger's protocol: Playwright's own way puts a script of its own into the page first, which costs more than the page does. */
async function quiet(cdp, address) {
  for (const until = Date.now() + PATIENCE_MS; Date.now() < until; ) {
    await new Promise((resolve) => setTimeout(resolve, 250));
    const { result } = await cdp.send("Runtime.evaluate", { expression: "window.__quiet?.() ?? false", returnByValue: true });
    if (result.value) return result.value;
  }
  throw new Error(`${address} is not there, or never quiet`);
}

/** One run. Returns what was measured, and the cookies as they are now: each refresh replaces them. */
async function measure(address, storageState) {
  const context = await browser.newContext({ locale: "en-US", viewport: { width: 1280, height: 900 }, storageState, serviceWorkers: warm ? "allow" : "block" });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  if (warm) {
    await page.goto(address);
    await page.evaluate(async () => (await navigator.serviceWorker.ready) && undefined);
    await page.waitForTimeout(1_000);
  }
  const cdp = await context.newCDPSession(page);
  await cdp.send("Network.enable");
  await cdp.send("Page.enable");
  await cdp.send("Performance.enable", { timeDomain: "threadTicks" });
  await cdp.send("Emulation.setCPUThrottlingRate", { rate: slow });
  let [bytes, requests] = [0, 0];
  cdp.on("Network.loadingFinished", ({ encodedDataLength }) => (bytes += encodedDataLength));
  cdp.on("Network.requestWillBeSent", ({ request }) => (requests += request.url.includes("/api/v1/") ? 1 : 0));
  await cdp.send("Page.addScriptToEvaluateOnNewDocument", { source: `(${note})({ quiet: ${QUIET_MS} })` });
  await page.goto(address, { waitUntil: "commit" });
  const seen = await quiet(cdp, address);
  const { metrics } = await cdp.send("Performance.getMetrics");
  const worked = (...of) => metrics.filter(({ name }) => of.includes(name)).reduce((sum, { value }) => sum + 1000 * value, 0);
  const [script, layout] = [worked("ScriptDuration"), worked("LayoutDuration", "RecalcStyleDuration")];
  const blocked = seen.tasks.filter(([at]) => at >= seen.paint && at <= seen.usable).reduce((sum, [, took]) => sum + took - 50, 0);
  const cookies = await context.storageState();
  await context.close();
  return { found: { paint: seen.paint, content: seen.content, usable: seen.usable, blocked, script, layout, requests, kB: bytes / 1000 }, cookies: { cookies: cookies.cookies, origins: [] } };
}

const median = (all) => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)];
const load = () => loadavg().map((one) => one.toFixed(2)).join(" ");

const names = ["paint", "content", "usable", "blocked", "script", "layout", "requests", "kB"];
console.log(`${runs} runs each, ${slow} times slower${warm ? ", opened before" : ""}; load ${load()}`);
console.log(["page".padEnd(26), ...names.map((name) => name.padStart(8))].join(" "));
let [session, taken] = [await signIn(), 0];
for (const one of pages) {
  let address = `${app}${one}`;
  if (one === "CALL") {
    const answer = await fetch(`${system.base_url}/api/v1/calls?status=completed&page_size=1`, { headers: { authorization: `Bearer ${system.api_key}` } });
    address = `${app}/calls/${(await answer.json()).items[0].id}`;
  }
  const all = [];
  for (let run = 0; run < runs; run += 1) {
    if (taken >= RUNS_OF_A_SESSION) [session, taken] = [await signIn(), 0];
    const { found, cookies } = await measure(address, one === "/sign-in" ? { cookies: [], origins: [] } : session);
    if (one !== "/sign-in") [session, taken] = [cookies, taken + 1];
    all.push(found);
  }
  console.log([one.padEnd(26), ...names.map((name) => String(Math.round(median(all.map((found) => found[name])))).padStart(8))].join(" "));
}
console.log(`load ${load()}`);
await browser.close();
