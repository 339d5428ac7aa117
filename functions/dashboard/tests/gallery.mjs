// The gallery as it looked when somebody looked at it last: every component in every state, light and dark, on a telephone and on a large screen.
// The pictures are in the tree; after a change that is wanted: UPDATE_PICTURES=1 node tests/journeys.mjs gallery, and look at what has changed.

import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import pixelmatch from "pixelmatch";
import { PNG } from "pngjs";

const FOLDER = fileURLToPath(new URL("gallery", import.meta.url));
const SIZES = [{ width: 360, height: 780 }, { width: 1920, height: 1080 }];
/** How different a pixel's colour may be (pixelmatch's measure, from 0 to 1), and which share of the pixels of any square of so many may be more than that: letters
 * are drawn by the system, a little differently by each version of it. */
const COLOUR = 0.1;
const SHARE = 0.01;
const SQUARE = 120;
/** Whose pictures they are: another browser, or another system's, draws differently, and nothing is wrong with the page. */
const DRAWN_BY = `${FOLDER}/drawn-by.txt`;
/** Opened one after the other, over the page. */
const OVERLAYS = ["Dialog", "Confirm", "Drawer", "Command palette", "Menu"];

/** The largest share of different pixels in any square, and a picture of them. */
function worst(was, is) {
  const { width, height } = is;
  const shown = new PNG({ width, height });
  pixelmatch(was.data, is.data, shown.data, width, height, { threshold: COLOUR, diffMask: true });
  const counts = new Map();
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      if (shown.data[4 * (y * width + x) + 3] === 0) continue;
      const square = `${Math.floor(x / SQUARE)} ${Math.floor(y / SQUARE)}`;
      counts.set(square, (counts.get(square) ?? 0) + 1);
    }
  }
  return { share: Math.max(0, ...counts.values()) / SQUARE ** 2, shown };
}

export function gallery({ journey, app, shots }) {
  journey("the gallery looks as it did", async (page) => {
    const different = [];
    const browser = `Chromium ${page.context().browser().version().split(".")[0]} on ${process.platform}\n`;
    const comparable = existsSync(DRAWN_BY) && readFileSync(DRAWN_BY, "utf8") === browser;
    if (process.env.UPDATE_PICTURES !== undefined) {
      mkdirSync(FOLDER, { recursive: true });
      writeFileSync(DRAWN_BY, browser);
    } else if (!comparable) {
      console.log(`SKIPPED: the gallery's pictures are not compared: this is ${browser.trim()}; see ${DRAWN_BY}. That everything opens is still seen.`);
    }
    const compare = (name, taken) => {
      const file = `${FOLDER}/${name}.png`;
      if (process.env.UPDATE_PICTURES !== undefined) return writeFileSync(file, taken);
      if (!comparable) return undefined;
      if (!existsSync(file)) return different.push(`${name}: there is no picture`);
      const [was, is] = [PNG.sync.read(readFileSync(file)), PNG.sync.read(taken)];
      const size = ({ width, height }) => `${width} × ${height}`;
      const keep = (png) => {
        mkdirSync(shots, { recursive: true });
        writeFileSync(`${shots}/gallery-${name}.png`, PNG.sync.write(png));
      };
      if (size(was) !== size(is)) {
        keep(is);
        return different.push(`${name}: ${size(is)} instead of ${size(was)}`);
      }
      const { share, shown } = worst(was, is);
      if (share <= SHARE) return undefined;
      keep(shown);
      return different.push(`${name}: ${Math.round(share * 100)} % of a square`);
    };
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      for (const size of SIZES) {
        await page.setViewportSize(size);
        await page.goto(`${app}/gallery`);
        await page.getByRole("heading", { level: 1, name: "Components" }).waitFor();
        await page.evaluate(() => document.fonts.ready);
        const name = `${colorScheme}-${size.width}`;
        compare(name, await page.locator("main.gallery").screenshot({ animations: "disabled" }));
        for (const overlay of size.width === 360 ? OVERLAYS : []) {
          await page.getByRole("button", { name: overlay, exact: true }).click();
          const dialog = page.locator(".veil > *, .popover").first();
          await dialog.waitFor();
          // What is typed into blinks.
          compare(`${overlay.toLowerCase().replace(" ", "-")}-${name}`, await dialog.screenshot({ animations: "disabled", caret: "hide" }));
          await page.keyboard.press("Escape");
          await dialog.waitFor({ state: "detached" });
        }
      }
    }
    assert.deepEqual(different, [], `see ${shots}; if it is wanted: UPDATE_PICTURES=1`);
  });
}
