// Every page as a picture, light and dark, on a telephone and on a large screen, for somebody to look at. With a running system:
//
//   VOICECORE_RUNNING="$(cat running.json)" node tests/pictures.mjs [folder] [address …]

import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { launch } from "./browser.mjs";
import { OUTSIDE, PAGES } from "./pages.mjs";

const system = JSON.parse(process.env.VOICECORE_RUNNING);
const [folder = fileURLToPath(new URL("../../../target/dashboard/pictures", import.meta.url)), ...only] = process.argv.slice(2);
const SIZES = [{ width: 360, height: 780 }, { width: 1920, height: 1080 }];
/** A session may ask a hundred things in a minute. */
const PAGES_OF_A_SESSION = 8;

mkdirSync(folder, { recursive: true });
const browser = await launch();
const context = await browser.newContext({ locale: "en-US", reducedMotion: "reduce", serviceWorkers: "block" });
const page = await context.newPage();
const answer = await fetch(`${system.base_url}/api/v1/calls?status=completed&page_size=1`, { headers: { authorization: `Bearer ${system.api_key}` } });
const [call] = (await answer.json()).items;
const all = [...OUTSIDE, ...PAGES].filter((path) => only.length === 0 || only.includes(path));
for (const [at, path] of all.entries()) {
  if (!OUTSIDE.includes(path) && (at % PAGES_OF_A_SESSION === 0 || OUTSIDE.includes(all[at - 1] ?? OUTSIDE[0]))) {
    await context.clearCookies();
    const signedIn = await context.request.post(`${system.base_url}/api/v1/auth/login`, { data: { email: system.email, password: system.password } });
    if (!signedIn.ok()) throw new Error(`signing in: ${signedIn.status()}`);
  }
  await page.goto(`${system.base_url}/app${path === "CALL" ? `/calls/${call?.id}` : path}`);
  await page.getByRole("heading", { level: 1 }).first().waitFor({ state: "attached" });
  await page.waitForFunction(() => document.querySelector(".skeletons") === null || location.pathname.endsWith("gallery"));
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    for (const size of SIZES) {
      await page.setViewportSize(size);
      const name = `${path.replace(/\W+/gu, "-").replace(/^-|-$/gu, "") || "overview"}-${colorScheme}-${size.width}`;
      await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
    }
  }
}
await browser.close();
console.log(`${all.length} pages in ${folder}`);
