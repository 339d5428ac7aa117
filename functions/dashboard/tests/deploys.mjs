// A version of the dashboard that is deployed while pages of another one are open.

import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { front } from "./front.mjs";

const BUILT = fileURLToPath(new URL("../dist", import.meta.url));

/** What is built, as another version: its scripts have other names, and its page and the worker's list say so. */
function otherVersion(folder) {
  cpSync(BUILT, folder, { recursive: true });
  const assets = join(folder, "app/assets");
  const names = new Map(readdirSync(assets).filter((name) => name.endsWith(".js") && !name.startsWith("docs")).map((name) => [name, name.replace(/\.js$/u, "x.js")]));
  const rename = (file, change = (text) => text) => {
    const text = readFileSync(file, "utf8").replace(/[\w-]+\.js/gu, (name) => names.get(name) ?? name);
    writeFileSync(file, change(text));
  };
  for (const [old, next] of names) {
    renameSync(join(assets, old), join(assets, next));
    rename(join(assets, next));
  }
  rename(join(folder, "index.html"), (text) => text.replace("<head>", '<head><meta name="version" content="next">'));
  // The hashes are not those of what was changed: without one a file is taken as it is.
  rename(join(folder, "app/service-worker.js"), (text) => text.replace(/sha256-[^"]*/gu, "").replace(/const VERSION = "/u, "$&next-"));
}

/** `tools`: what tests/journeys.mjs has for all. */
export function deploys({ journey, browser, system }) {
  const open = async (serviceWorkers, run) => {
    const folder = mkdtempSync(join(tmpdir(), "voicecore-next-"));
    const at = { folder: BUILT };
    const server = await front(at, system.base_url);
    const context = await browser.newContext({ locale: "en-US", viewport: { width: 1280, height: 900 }, serviceWorkers });
    try {
      otherVersion(folder);
      const page = await context.newPage();
      page.setDefaultTimeout(20_000);
      await page.goto(`${server.url}/app/sign-in`);
      await page.getByLabel("E-mail address").fill(system.email);
      await page.getByLabel("Password").fill(system.password);
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
      await run(page, () => (at.folder = folder));
    } finally {
      await context.close();
      await server.close();
      rmSync(folder, { recursive: true });
    }
  };
  const version = (page) => page.evaluate(() => document.querySelector("meta[name=version]")?.content ?? "built");

  journey("a version that is deployed while a page is open is offered, and shown whole when it is wanted", async () => {
    await open("allow", async (page, deploy) => {
      await page.evaluate(async () => void (await navigator.serviceWorker.ready));
      await page.reload();
      await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
      deploy();
      await page.evaluate(async () => void (await (await navigator.serviceWorker.ready).update()));
      await page.getByText("A new version is ready.").waitFor();
      // Until then the old one is whole, parts among it that the server has no more.
      await page.getByRole("link", { name: "Messages" }).click();
      await page.getByRole("heading", { level: 1, name: "Messages" }).waitFor();
      assert.equal(await version(page), "built");
      await page.getByRole("button", { name: "Load it" }).click();
      await page.waitForFunction(() => document.querySelector("meta[name=version]")?.content === "next");
      await page.getByRole("heading", { level: 1, name: "Messages" }).waitFor();
      assert.equal(await page.getByText("A new version is ready.").count(), 0);
    });
  });

  journey("without a worker, a part that the server has no more loads the page again, as the version that there is", async () => {
    await open("block", async (page, deploy) => {
      deploy();
      await page.getByRole("link", { name: "Messages" }).click();
      await page.waitForFunction(() => document.querySelector("meta[name=version]")?.content === "next");
      await page.getByRole("heading", { level: 1, name: /^(?:Overview|Messages)$/u }).waitFor();
      await page.getByRole("link", { name: "Messages" }).click();
      await page.getByRole("heading", { level: 1, name: "Messages" }).waitFor();
    });
  });
}
