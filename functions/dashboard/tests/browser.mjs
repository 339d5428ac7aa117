// Chromium, and what every journey expects of every page.

import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PROGRAMS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"];

export const ARGUMENTS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
];

export function program() {
  const found = process.env.CHROMIUM ?? PROGRAMS.find((path) => existsSync(path));
  assert.ok(found, "Chromium is missing: `cargo xtask setup` installs it");
  return found;
}

export function launch() {
  return chromium.launch({ executablePath: program(), args: ARGUMENTS });
}

/** What no page may do: throw, break its policy, show a dialog, ask another server than these. */
export function watch(context, servers) {
  const wrong = [];
  context.on("weberror", (error) => wrong.push(`threw ${error.error().message}`));
  context.on("dialog", (dialog) => {
    wrong.push(`dialog ${dialog.message()}`);
    void dialog.dismiss();
  });
  context.on("console", (message) => {
    if (/Content Security Policy|Refused to|Warning:|unique "key"/u.test(message.text())) wrong.push(message.text());
  });
  context.on("request", (request) => {
    if (!servers.some((server) => request.url().startsWith(server)) && !/^(blob|data):/u.test(request.url())) wrong.push(`asked ${request.url()}`);
  });
  return wrong;
}

/** Violations of WCAG 2.2 AA that axe finds, and a page that is wider than its window. */
export async function flaws(page) {
  // Colours are judged when they have stopped changing.
  await page.evaluate(() => Promise.all(document.getAnimations().filter(({ effect }) => effect?.getTiming().iterations !== Infinity).map(({ finished }) => finished.catch(() => undefined))));
  // Through the debugger's protocol: the page's own policy lets no script in.
  const { violations } = await page.evaluate(`(() => { const module = undefined, exports = undefined, define = undefined; ${AXE}; return axe.run(document, { resultTypes: ["violations"] }); })()`);
  const found = violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`);
  const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (over > 0) found.push(`${over} px wider than the window`);
  return found;
}
