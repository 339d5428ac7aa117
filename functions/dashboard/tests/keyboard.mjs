// The tasks of a day, with the keyboard alone: nothing here points at anything.

import assert from "node:assert/strict";

/** More stops than any page has before what is looked for. */
const MOST_STOPS = 80;

/** Of each kind of page one: figures, a list with filters, a form, rows, steps. */
const PAGES_TO_TAB = ["/", "/messages", "/settings/business", "/settings/departments", "/profile", "/setup"];

/** Stops beyond those that were counted: the browser's own, and what came meanwhile. */
const SPARE_STOPS = 8;

/** How what has the focus is called: by its own name, or by the field that it is part of. */
const nameOfFocus = (page) =>
  page.evaluate(() => {
    const element = document.activeElement;
    const field = element?.closest(".field")?.querySelector(".label")?.textContent;
    return (field ?? element?.getAttribute("aria-label") ?? element?.textContent ?? "").trim();
  });

/** Goes on with Tab until this has the focus. */
async function tabTo(page, name) {
  for (let stop = 0; stop < MOST_STOPS; stop += 1) {
    await page.keyboard.press("Tab");
    const found = await nameOfFocus(page);
    if (typeof name === "string" ? found === name : name.test(found)) return;
  }
  throw new Error(`${name} is not reached`);
}

export function keyboard({ journey, api, app, system, heading, focusWithin, signedIn }) {
  journey("everything is reached with the keyboard alone", async (page) => {
    await signedIn(page);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    assert.match(page.url(), /#main$/u, "the first stop skips to the content");
    await page.keyboard.press("Control+k");
    await focusWithin(page.getByRole("dialog"));
    await page.keyboard.type("audit");
    await page.getByRole("menuitem", { name: /Audit log/u }).waitFor();
    await page.keyboard.press("Enter");
    await heading(page, "Audit log");
    await page.getByRole("button", { name: "Verify" }).focus();
    await page.keyboard.press("Enter");
    await page.getByText(/The chain is whole/u).waitFor();
    await page.keyboard.press("Control+k");
    await focusWithin(page.getByRole("dialog"));
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
  }, { brief: true });

  journey("a key is made with the keyboard alone, and what was opened gives the focus back", async (page) => {
    await signedIn(page);
    await page.goto(`${app}/settings/api-keys`);
    await heading(page, "API keys");
    await page.getByRole("row", { name: "setup" }).waitFor();
    await tabTo(page, "Create key");
    await page.keyboard.press("Enter");
    await focusWithin(page.getByRole("dialog"));
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await focusWithin(page.getByRole("button", { name: "Create key" }));
    await page.keyboard.press("Enter");
    await focusWithin(page.getByRole("dialog").getByLabel("Name"));
    const name = `by keyboard ${Date.now()}`;
    await page.keyboard.type(name);
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").locator(".secret code").waitFor();
    await tabTo(page, "Done");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await focusWithin(page.getByRole("button", { name: "Create key" }));
    const revoke = page.getByRole("row", { name }).getByRole("button", { name: "Revoke" });
    await revoke.focus();
    await page.keyboard.press("Enter");
    await focusWithin(page.getByRole("alertdialog"));
    await page.keyboard.press("Escape");
    await page.getByRole("alertdialog").waitFor({ state: "detached" });
    await focusWithin(revoke);
    await page.keyboard.press("Enter");
    await focusWithin(page.getByRole("alertdialog"));
    await tabTo(page, "Revoke");
    await page.keyboard.press("Enter");
    await page.getByRole("row", { name }).getByText("Revoked").waitFor();
    // A menu, and on a telephone the drawer.
    const account = page.locator("aside").getByRole("button", { name: system.email });
    await account.focus();
    await page.keyboard.press("Enter");
    await focusWithin(page.getByRole("menu"));
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Escape");
    await page.getByRole("menu").waitFor({ state: "detached" });
    await focusWithin(account);
    await page.setViewportSize({ width: 360, height: 780 });
    const menu = page.getByRole("banner").getByRole("button", { name: "Menu" });
    await menu.focus();
    await page.keyboard.press("Enter");
    await focusWithin(page.getByRole("dialog", { name: "Menu" }));
    await page.keyboard.press("Escape");
    await page.getByRole("dialog", { name: "Menu" }).waitFor({ state: "detached" });
    await focusWithin(menu);
  });

  journey("calls are filtered, one is opened, and a note about it is written and deleted, with the keyboard alone", async (page) => {
    const press = (key) => page.keyboard.press(key);
    const opened = () => page.locator("[role=option]:focus").waitFor();
    await signedIn(page);
    await page.goto(`${app}/calls`);
    await heading(page, "Calls");
    await page.getByRole("row").nth(1).waitFor();
    // A list opens with Enter and with an arrow, is left with Escape, and gives the focus back each time.
    await tabTo(page, "Status");
    await press("Enter");
    await opened();
    await press("Escape");
    await page.getByRole("listbox").waitFor({ state: "detached" });
    await focusWithin(page.getByRole("button", { name: "Status" }));
    await press("ArrowDown");
    await opened();
    await page.keyboard.type("Compl");
    await press("Enter");
    await page.waitForURL(/status=completed/u);
    await focusWithin(page.getByRole("button", { name: "Status" }));
    await tabTo(page, "Order");
    await press("ArrowDown");
    await opened();
    await press("End");
    await press("Enter");
    await page.waitForURL(/sort=shortest/u);
    await focusWithin(page.getByRole("button", { name: "Order" }));
    await page.getByRole("row").nth(1).waitFor();
    await tabTo(page, /^(\+\d{8,}|Withheld)$/u);
    await press("Enter");
    await heading(page, /Call from/u);
    const id = new URL(page.url()).pathname.split("/").at(-1);
    await tabTo(page, "Add a note");
    await press("Enter");
    await page.getByLabel("Note", { exact: true }).waitFor();
    const text = `By keyboard ${Date.now()}`;
    if ((await nameOfFocus(page)) !== "Note") await tabTo(page, "Note");
    await page.keyboard.type(text);
    await tabTo(page, "Save");
    await press("Enter");
    await page.getByText(text).first().waitFor();
    const { body } = await api("GET", `/calls/${id}/notes`);
    const note = body.items.find((one) => one.body === text);
    assert.ok(note);
    assert.equal((await api("DELETE", `/calls/${id}/notes/${note.id}`)).status, 204);
  });

  journey("on its pages every control is reached with Tab and shows that it is, and a dialog keeps the focus until it is closed", async (page) => {
    await signedIn(page);
    const wrong = [];
    for (const path of PAGES_TO_TAB) {
      await page.goto(app + path);
      await page.getByRole("heading", { level: 1 }).waitFor();
      await page.waitForFunction(() => document.querySelector(".skeletons") === null);
      const count = await page.evaluate(() => {
        const all = [...document.querySelectorAll("a[href], button, input, textarea, [tabindex='0']")].filter((one) => !one.disabled && one.tabIndex === 0 && one.checkVisibility());
        window.__left = new Set(all);
        document.activeElement?.blur();
        return all.length;
      });
      for (let stop = 0; stop < count + SPARE_STOPS; stop += 1) {
        await page.keyboard.press("Tab");
        const unmarked = await page.evaluate(() => {
          const at = document.activeElement;
          window.__left.delete(at);
          // What a check box has is shown by the box that stands for it.
          const shown = at.type === "checkbox" ? at.nextElementSibling : at;
          return at === document.body || getComputedStyle(shown).outlineStyle !== "none" ? null : at.outerHTML.slice(0, 120);
        });
        if (unmarked !== null) wrong.push(`${path}: nothing shows that the focus is at ${unmarked}`);
      }
      // A field that has become the real one when it was reached is in the place of what was counted.
      const left = await page.evaluate(() => [...window.__left].filter((one) => one.isConnected).map((one) => one.outerHTML.slice(0, 120)));
      for (const one of left) wrong.push(`${path}: not reached: ${one}`);
    }
    assert.deepEqual(wrong, []);
    await page.goto(`${app}/settings/business`);
    await page.getByRole("button", { name: "Add business" }).focus();
    await page.keyboard.press("Enter");
    await focusWithin(page.getByRole("dialog"));
    for (let stop = 0; stop < SPARE_STOPS; stop += 1) {
      await page.keyboard.press("Tab");
      assert.ok(await page.evaluate(() => document.activeElement.closest("[role=dialog]") !== null), "the focus has left the dialog");
    }
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await focusWithin(page.getByRole("button", { name: "Add business" }));
  });
}
