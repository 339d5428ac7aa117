// Whole journeys in a real browser against the whole system: `cargo xtask ci` starts it and hands over how to reach it
// (VOICECORE_RUNNING: the line of `cargo xtask dev --json`; VOICECORE_SIM: the program that rings). On Spin, which has no actors, those that need the live
// stream are left out, and those that show how one does without it are taken in their place.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { appendFileSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { flaws, launch, watch } from "./browser.mjs";
import { calls } from "./calls.mjs";
import { deploys } from "./deploys.mjs";
import { files } from "./files.mjs";
import { gallery } from "./gallery.mjs";
import { keyboard } from "./keyboard.mjs";
import { shell } from "./shell.mjs";
import { OUTSIDE, PAGES } from "./pages.mjs";
import { people } from "./people.mjs";
import { numbers } from "./numbers.mjs";
import { settings } from "./settings.mjs";
import { setup } from "./setup.mjs";
import { simulated } from "./simulated.mjs";

const system = JSON.parse(process.env.VOICECORE_RUNNING);
const sim = process.env.VOICECORE_SIM;
const root = fileURLToPath(new URL("../../..", import.meta.url));
const app = `${system.base_url}/app`;
const PATIENCE_MS = 20_000;
/** A call, from the first ring to its last entry. */
const CALL_MS = 90_000;
const shots = `${root}target/dashboard/failed`;
/** Of those that are looked at one after the other. */
const PAGES_OF_A_SESSION = 8;
const only = process.argv[2];

const browser = await launch();
const journeys = [];
/** Whether there is a live stream here. */
const STREAM = system.runtime !== "spin";
/** VOICECORE_BRIEF: only those whose outcome the runtime has a part in; the others ask of it what these have asked already. */
const BRIEF = process.env.VOICECORE_BRIEF !== undefined;
/** `stream`: taken only where there is one, or only where there is none; `brief`: also where the others are left out. */
const journey = (name, run, { stream, brief = false } = {}) => {
  const why = stream !== undefined && stream !== STREAM ? `there is ${STREAM ? "a" : "no"} live stream` : BRIEF && !brief ? "they are taken on Workers" : null;
  journeys.push({ name, run, why });
};

async function api(method, path, body, token = system.api_key) {
  const response = await fetch(`${system.base_url}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { "content-type": "application/json" }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: response.status === 204 ? null : await response.json() };
}

/** As if nothing had been chosen: a journey that failed may have left something. */
async function forgetPreferences() {
  const { body } = await api("POST", "/auth/login", { email: system.email, password: system.password }, "none");
  assert.equal((await api("PUT", "/preferences", { theme: null, language: null, layout: null }, body.access_token)).status, 200);
}

/** Rings; done when the call is over. */
function ring(scenario = "greeting-and-booking", from = "+12025550177") {
  const file = `${root}tests/sim/scenarios/${scenario}.toml`;
  const args = ["call", "--control", system.control_url, "--to", system.phone_number, "--from", from, "--scenario", file, ...(STREAM ? [] : ["--turn-based"])];
  const child = spawn(sim, args, { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (part) => (said += part));
  return new Promise((resolve, reject) => child.on("exit", (code) => (code === 0 ? resolve() : reject(new Error(`the call failed: ${said.slice(-800)}`)))));
}

/** A word that a caller has said. */
async function wordOfCaller() {
  for (const { id } of (await api("GET", "/calls?status=completed&page_size=50")).body.items) {
    const { items } = (await api("GET", `/calls/${id}/interactions`)).body;
    const said = items.find(({ kind, speaker, text }) => kind === "speech" && speaker === "caller" && /\p{L}{4,}/u.test(text));
    if (said !== undefined) return said.text.match(/\p{L}{4,}/u)[0];
  }
  throw new Error("no caller has said anything");
}

async function signIn(page, email = system.email, password = system.password) {
  await page.goto(`${app}/sign-in`);
  await page.getByLabel("E-mail address").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

async function signedIn(page) {
  await signIn(page);
  await page.getByRole("heading", { name: "Overview" }).waitFor();
}

const heading = (page, name) => page.getByRole("heading", { level: 1, name }).waitFor();

/** Until this is there and has the focus, or something in it: a key that is pressed before goes nowhere. */
const focusWithin = (locator) => locator.and(locator.page().locator(":focus-within")).waitFor();

journey("a wrong password is refused, the right one leads back to where one wanted to go, and out again", async (page) => {
  await page.goto(`${app}/calls?status=completed`);
  await heading(page, "Sign in");
  await page.getByLabel("E-mail address").fill(system.email);
  await page.getByLabel("Password").fill("certainly not this one");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").getByText("The address or the password is not right.").waitFor();
  await page.getByLabel("Password").fill(system.password);
  await page.keyboard.press("Enter");
  await heading(page, "Calls");
  assert.equal(new URL(page.url()).search, "?status=completed");
  await page.reload();
  await heading(page, "Calls");
  await page.locator("aside").getByRole("button", { name: system.email }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await heading(page, "Sign in");
  await page.goto(`${app}/calls`);
  await heading(page, "Sign in");
}, { brief: true });

journey("a call is watched from its first ring to its end, over a connection that is cut, and read afterwards", async (page, { context }) => {
  const sockets = [];
  await context.routeWebSocket("**/api/v1/live*", (socket) => {
    sockets.push(socket);
    socket.connectToServer();
  });
  await signedIn(page);
  await page.getByRole("link", { name: "Live calls" }).click();
  await heading(page, "Live calls");
  await page.getByText("Live", { exact: true }).waitFor();
  const call = ring();
  // Failing journeys tell what failed first; this one is awaited below.
  call.catch(() => undefined);
  const card = page.getByRole("list", { name: "Live calls" }).getByRole("listitem").filter({ hasText: "+12025550177" }).first();
  await card.getByText("In progress").waitFor({ timeout: CALL_MS });
  await card.getByText("Assistant").first().waitFor({ timeout: CALL_MS });
  await card.getByRole("link").click();
  await page.getByText("Call from +12025550177").first().waitFor();
  const lines = page.getByRole("log").locator("li");
  await lines.nth(1).waitFor({ timeout: CALL_MS });
  const opened = sockets.length;
  await sockets.at(-1).close({ code: 1001, reason: "cut by the test" });
  await page.getByText("Completed", { exact: true }).first().waitFor({ timeout: CALL_MS });
  await call;
  assert.ok(sockets.length > opened, "the stream was not opened again");
  const id = new URL(page.url()).pathname.split("/").at(-1);
  const { body } = await api("GET", `/calls/${id}/interactions`);
  assert.equal(body.complete, true);
  await page.waitForFunction((count) => document.querySelectorAll("[role=log] > ol > li").length === count, body.items.length);
  const shown = await lines.evaluateAll((all) => all.map(({ id: at }) => at));
  assert.deepEqual(shown, body.items.map(({ seq }) => `u${seq}`), "every entry once, in order");
  const spoken = body.items.find(({ kind, text }) => kind === "speech" && text.length > 20);
  await page.getByText(spoken.text).first().waitFor();
}, { stream: true });

journey("without a live stream the pages say so, ask for it once, look again by themselves, and show a call to its end", async (page) => {
  const [tickets, sockets] = [[], []];
  page.on("request", (request) => request.url().endsWith("/live/tickets") && tickets.push(request.url()));
  page.on("websocket", (socket) => sockets.push(socket.url()));
  await signedIn(page);
  await page.getByRole("link", { name: "Live calls" }).click();
  await heading(page, "Live calls");
  await page.getByRole("status").getByText("This installation has no live stream.").waitFor();
  const call = ring();
  call.catch(() => undefined);
  const card = page.getByRole("list", { name: "Live calls" }).getByRole("listitem").filter({ hasText: "+12025550177" }).first();
  await card.getByText("In progress").waitFor({ timeout: CALL_MS });
  await card.getByRole("link").click();
  await page.getByText("Call from +12025550177").first().waitFor();
  await page.getByText("This installation has no live stream.").waitFor();
  await page.getByRole("log").locator("li").nth(1).waitFor({ timeout: CALL_MS });
  await page.getByText("Completed", { exact: true }).first().waitFor({ timeout: CALL_MS });
  await call;
  const id = new URL(page.url()).pathname.split("/").at(-1);
  const { body } = await api("GET", `/calls/${id}/interactions`);
  assert.equal(body.complete, true);
  await page.waitForFunction((count) => document.querySelectorAll("[role=log] > ol > li").length === count, body.items.length);
  assert.equal(await page.getByText("This installation has no live stream.").count(), 0, "a call that is over does not change");
  assert.deepEqual([tickets.length, sockets.length], [1, 0]);
}, { stream: false, brief: true });

journey("calls are filtered and searched by the address, and found words are marked", async (page) => {
  const word = await wordOfCaller();
  await signedIn(page);
  await page.getByRole("link", { name: "Calls", exact: true }).click();
  await page.getByRole("button", { name: /Status/u }).click();
  await page.getByRole("option", { name: "Busy" }).click();
  await page.getByText("No call matches").waitFor();
  assert.equal(new URL(page.url()).searchParams.get("status"), "busy");
  await page.goBack();
  await page.getByRole("table").waitFor();
  await page.getByRole("button", { name: "Status" }).focus();
  await page.keyboard.press("ArrowDown");
  await page.getByRole("option", { name: "Completed" }).click();
  await page.waitForURL(({ searchParams }) => searchParams.get("status") === "completed");
  await page.getByRole("textbox", { name: "Words that were said" }).fill(word);
  await page.keyboard.press("Enter");
  await page.waitForURL(({ searchParams }) => searchParams.get("q") === word && searchParams.get("status") === "completed");
  await page.reload();
  await page.getByRole("table").getByRole("link").first().click();
  await page.locator("mark").first().waitFor();
  assert.equal((await page.locator("mark").first().textContent()).toLowerCase(), word.toLowerCase());
}, { brief: true });

journey("a note is written, is text and nothing else, and is deleted", async (page, { wrong }) => {
  const { body } = await api("GET", "/calls?page_size=1");
  const hostile = `<img src=x onerror="alert(1)"><script>alert(2)</script> ${Date.now()}`;
  await signedIn(page);
  await page.goto(`${app}/calls/${body.items[0].id}`);
  await page.getByRole("button", { name: "Add a note" }).click();
  await page.getByLabel("Note", { exact: true }).fill(hostile);
  await page.getByLabel("Tags").fill("vip, follow-up");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  const note = page.getByRole("main").getByRole("listitem").filter({ hasText: hostile });
  await note.waitFor();
  assert.deepEqual(wrong, []);
  // The call may have others.
  await note.getByRole("button", { name: "Delete note" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Delete note" }).click();
  await page.getByText(hostile).waitFor({ state: "detached" });
});

journey("theme and language follow the user, without a reload", async (page) => {
  await signedIn(page);
  await page.goto(`${app}/profile`);
  await page.getByRole("button", { name: /Theme/u }).click();
  await page.getByRole("option", { name: "Dark" }).click();
  await page.waitForFunction(() => getComputedStyle(document.documentElement).colorScheme === "dark");
  await page.getByText("Saved").first().waitFor();
  await page.getByRole("button", { name: /Language/u }).click();
  await page.getByRole("option", { name: "Deutsch" }).click();
  await heading(page, "Profil");
  await page.getByText("Gespeichert").first().waitFor();
  // Another device: nothing is kept there.
  const other = await browser.newContext({ locale: "en-US", viewport: { width: 1280, height: 900 } });
  const elsewhere = await other.newPage();
  await signIn(elsewhere);
  await elsewhere.getByRole("heading", { name: "Übersicht" }).waitFor();
  assert.equal(await elsewhere.evaluate(() => document.documentElement.dataset.theme), "dark");
  await other.close();
  await page.getByRole("button", { name: /Sprache/u }).click();
  await page.getByRole("option", { name: "English" }).click();
  await heading(page, "Profile");
  await page.getByRole("button", { name: /Theme/u }).click();
  await page.getByRole("option", { name: "As the device has it" }).click();
  await page.waitForFunction(() => document.documentElement.dataset.theme === undefined);
});

journey("whoever is invited as a viewer sees what viewers may, and is told what they may not", async (page) => {
  const email = `viewer-${Date.now()}@riverside.example`;
  await signedIn(page);
  await page.goto(`${app}/settings/users`);
  await page.getByRole("button", { name: "Invite" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("E-mail address").fill(email);
  await dialog.getByRole("button", { name: /Role/u }).click();
  await page.getByRole("option", { name: "Viewer" }).click();
  await dialog.getByRole("button", { name: "Send invitation" }).click();
  await page.getByText(email).last().waitFor();
  const token = await mailed(email);
  const password = "a long enough password";
  const accepted = await api("POST", "/auth/accept-invitation", { token, name: "Vera Viewer", password }, "none");
  assert.equal(accepted.status, 200);
  const context = await browser.newContext({ locale: "en-US", viewport: { width: 1280, height: 900 } });
  const theirs = await context.newPage();
  theirs.setDefaultTimeout(PATIENCE_MS);
  await signIn(theirs, email, password);
  await theirs.getByRole("heading", { name: "Overview" }).waitFor();
  await theirs.goto(`${app}/settings/api-keys`);
  await theirs.getByRole("heading", { level: 2, name: "Not allowed" }).waitFor();
  await theirs.goto(`${app}/calls`);
  await heading(theirs, "Calls");
  await theirs.getByRole("table").getByRole("link").first().click();
  await theirs.getByRole("heading", { name: "Notes" }).waitFor();
  assert.equal(await theirs.getByRole("button", { name: "Add a note" }).count(), 0);
  await context.close();
}, { brief: true });

/** The token of the last mail to somebody, whose link leads to this page of the dashboard. */
async function mailed(email, page = "invitation") {
  const until = Date.now() + PATIENCE_MS;
  while (Date.now() < until) {
    // Where no timer has the jobs done, whoever waits for one does.
    const secret = process.env.VOICECORE_JOBS_SECRET;
    if (secret !== undefined) await fetch(`${system.base_url}/jobs/run`, { method: "POST", headers: { authorization: `Bearer ${secret}` } });
    const { items } = await (await fetch(`${system.email_url}/sim/emails`)).json();
    const link = new RegExp(`/app/${page}\\?token=([\\w.-]+)`, "u");
    const tokens = items.filter(({ to }) => to.includes(email)).map(({ text }) => link.exec(text)?.[1]).filter(Boolean);
    if (tokens.length > 0) return tokens.at(-1);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  throw new Error("no mail came");
}

journey("the reference lists every operation, and tries one with a key that is typed in", async (page) => {
  const described = await (await fetch(`${system.base_url}/api/v1/openapi.json`)).json();
  const operations = Object.values(described.paths).flatMap((item) => Object.values(item).map(({ operationId, tags }) => `operations-${tags[0].replaceAll(" ", "_")}-${operationId}`));
  await page.goto(`${system.base_url}/docs`);
  await page.locator(".opblock").first().waitFor();
  // What is out of sight is not there: one scrolls through.
  const seen = new Set();
  for (let steps = 0; seen.size < operations.length && steps < 80; steps += 1) {
    for (const id of await page.locator(".opblock").evaluateAll((all) => all.map((one) => one.id))) seen.add(id);
    await page.mouse.wheel(0, 400);
    await page.waitForTimeout(60);
  }
  assert.deepEqual([...seen].sort(), operations.sort());
  await page.evaluate(() => scrollTo(0, 0));
  await page.getByRole("button", { name: "Authorize", exact: true }).click();
  const key = page.locator(".auth-container").filter({ hasText: "api_key" });
  await key.getByRole("textbox").fill(system.api_key);
  await key.getByRole("button", { name: /apply|authorize/iu }).click();
  await page.getByRole("button", { name: "Close" }).first().click();
  await page.getByPlaceholder("Filter by tag or path").fill("/api/v1/agents");
  await page.waitForFunction(() => document.querySelectorAll(".opblock-tag").length === 1);
  const list = page.locator("#operations-agents-list_agents");
  await list.locator(".opblock-summary-control").click();
  await list.getByText("Permission: agents:read").waitFor();
  await list.getByRole("button", { name: "Execute" }).click();
  await list.locator(".live-responses-table").getByText("200", { exact: true }).first().waitFor();
  const create = page.locator("#operations-agents-create_agent");
  await create.locator(".opblock-summary-control").click();
  assert.equal(JSON.parse(await create.locator("textarea").inputValue()).name, "Ana Ruiz");
  await page.setViewportSize({ width: 360, height: 780 });
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "wider than a telephone");
});

journey("what fails says so, keeps the page, and works again: a fault of the server, no network, a session that has ended", async (page, { context }) => {
  await signedIn(page);
  const problem = { type: "about:blank", title: "Internal Server Error", status: 500, code: "internal", detail: null, errors: [], missing: [], failing: [] };
  await page.route("**/api/v1/calls?*", (route) => route.fulfill({ status: 500, contentType: "application/problem+json", body: JSON.stringify(problem) }));
  await page.route("**/api/v1/calls", (route) => route.fulfill({ status: 500, contentType: "application/problem+json", body: JSON.stringify(problem) }));
  await page.getByRole("link", { name: "Calls", exact: true }).click();
  await page.getByText("Something went wrong").waitFor();
  await page.unroute("**/api/v1/calls?*");
  await page.unroute("**/api/v1/calls");
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByRole("table").waitFor();
  // Too much at once: it is said, and goes on by itself.
  let hasty = 1;
  await page.route("**/api/v1/messages?*", async (route) => {
    if (hasty === 0) return route.continue();
    hasty -= 1;
    return route.fulfill({ status: 429, headers: { "retry-after": "2" }, contentType: "application/problem+json", body: JSON.stringify({ ...problem, status: 429, code: "rate_limited" }) });
  });
  await page.getByRole("link", { name: "Messages" }).click();
  await page.getByText("Many requests at once. It goes on by itself.").waitFor();
  await page.getByText("Many requests at once. It goes on by itself.").waitFor({ state: "detached" });
  await page.waitForFunction(() => document.querySelector(".skeletons") === null);
  assert.equal(await page.getByText("Too many requests").count(), 0);
  await page.unroute("**/api/v1/messages?*");
  await page.getByRole("link", { name: "Calls", exact: true }).click();
  await page.getByRole("table").waitFor();
  await context.setOffline(true);
  await page.getByText("You are offline.").waitFor();
  await context.setOffline(false);
  await page.getByText("You are offline.").waitFor({ state: "detached" });
  // The session is ended from elsewhere: a new one ends all others.
  const login = await api("POST", "/auth/login", { email: system.email, password: system.password }, "none");
  await fetch(`${system.base_url}/api/v1/sessions`, { method: "DELETE", headers: { authorization: `Bearer ${login.body.access_token}` } });
  // The live stream may have said so by now: then the page has left by itself, and there is nothing to click any more.
  await page.getByRole("link", { name: "Settings" }).click({ timeout: 5_000 }).catch(() => undefined);
  await heading(page, "Sign in");
  await page.getByText("Your session has ended.").waitFor();
});

const tools = { journey, browser, system, app, api, ring, mailed, signIn, signedIn, heading, focusWithin, wordOfCaller, CALL_MS };
settings(tools);
files(tools);
calls(tools);
shell(tools);
deploys(tools);
numbers(tools);
people(tools);
keyboard(tools);
gallery({ journey, app, shots });
setup(tools);
simulated(tools);

journey("axe finds nothing serious on any page, light and dark, and none is wider than a telephone", async (page, { context }) => {
  const { body } = await api("GET", "/calls?page_size=1");
  const found = [];
  const look = async (path) => {
    for (const size of [{ width: 1280, height: 900 }, { width: 360, height: 780 }]) {
      await page.setViewportSize(size);
      for (const colorScheme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        for (const flaw of await flaws(page)) found.push(`${path} ${colorScheme} at ${size.width} px: ${flaw}`);
      }
    }
    await page.setViewportSize({ width: 1280, height: 900 });
  };
  for (const path of OUTSIDE) {
    await page.goto(app + path);
    await page.getByRole("heading", { level: 1 }).waitFor();
    await look(path);
  }
  for (const [at, path] of PAGES.entries()) {
    // A session may ask a hundred things in a minute; these are more.
    if (at % PAGES_OF_A_SESSION === 0) {
      await context.clearCookies();
      await signedIn(page);
    }
    await page.goto(app + (path === "CALL" ? `/calls/${body.items[0].id}` : path));
    await page.getByRole("heading", { level: 1 }).first().waitFor();
    await page.waitForFunction(() => document.querySelector(".skeletons") === null || location.pathname.endsWith("gallery"));
    await look(path);
  }
  assert.deepEqual(found, []);
});

/** Takes a journey in a browser of its own: what went wrong, line by line; nothing if it went well. */
async function take({ name, run }) {
  const context = await browser.newContext({ locale: "en-US", viewport: { width: 1280, height: 900 }, serviceWorkers: "block" });
  const wrong = watch(context, [system.base_url, system.control_url]);
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const began = performance.now();
  try {
    await forgetPreferences();
    await run(page, { context, wrong });
    assert.deepEqual(wrong, []);
    console.log(`test ${name} ... ok (${Math.round((performance.now() - began) / 100) / 10} s)`);
    return [];
  } catch (error) {
    pictures += 1;
    const picture = `${shots}/${pictures}.png`;
    mkdirSync(shots, { recursive: true });
    await page.screenshot({ path: picture }).catch(() => undefined);
    return [...error.stack.split("\n"), `at ${page.url()} (${picture})`, ...wrong];
  } finally {
    await context.close();
  }
}

let [passed, pictures] = [0, 0];
const failures = [];
const skipped = journeys.filter(({ why }) => why !== null);
for (const one of journeys) {
  const { name } = one;
  if (one.why !== null || (only !== undefined && !name.includes(only))) continue;
  const why = await take(one);
  if (why.length === 0) passed += 1;
  else {
    failures.push({ name, why });
    console.log(`test ${name} ... FAILED\n${why.join("\n")}`);
  }
}
await browser.close();
for (const { name, why } of skipped) console.log(`skipped, because ${why}: ${name}`);
// For the table of what ran where.
const { VOICECORE_CONFORMANCE_REPORT: report, VOICECORE_CONFORMANCE_BACKEND: backend } = process.env;
if (report !== undefined && backend !== undefined && failures.length === 0 && only === undefined) {
  const reasons = [...new Set(skipped.map(({ why }) => why))].map((reason) => `${skipped.filter(({ why }) => why === reason).length} left out because ${reason}`);
  appendFileSync(report, `dashboard\t${backend}\nnote\tdashboard on ${backend}: ${[`${passed} journeys`, ...reasons].join("; ")}\n`);
}
// As tests with a harness of their own say it, so that the end of a long output names what failed (xtask/src/suite.rs).
if (failures.length > 0) console.log(`\nfailures:\n${failures.map(({ name, why }) => [`  ${name}`, ...why.map((line) => `    ${line}`)].join("\n")).join("\n")}`);
console.log(`\n${passed} passed, ${failures.length} failed`);
process.exit(failures.length === 0 && passed > 0 ? 0 : 1);
