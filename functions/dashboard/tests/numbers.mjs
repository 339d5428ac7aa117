// Numbers at which calls come in.

import assert from "node:assert/strict";

export const NUMBERS_PAGES = ["/settings/phone-numbers"];

export function numbers({ journey, api, app, system, heading, signedIn }) {
  /** A number of the simulated account that nobody has, from those reserved for fiction. */
  const freeNumber = async () => {
    const { body } = await api("GET", "/phone-numbers?page_size=100");
    const taken = new Set(body.items.map(({ phone_number: number }) => number));
    for (let last = 100; last < 200; last += 1) {
      const number = `+13125550${last}`;
      if (!taken.has(number)) return number;
    }
    throw new Error("no number is left");
  };

  journey("a number is added, checked, its addresses copied, given to another business, and removed", async (page, { context }) => {
    await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: system.base_url });
    const number = await freeNumber();
    // Another journey may have made a second tenant: then only numbers of one's own account can be added.
    const own = await api("PUT", "/config/providers/twilio", { account_sid: system.account_sid, auth_token: system.auth_token });
    assert.equal(own.status, 200);
    const business = await api("POST", "/config/business", { name: `Second ${Date.now()}` });
    assert.equal(business.status, 201);
    await signedIn(page);
    await page.goto(`${app}/settings/phone-numbers`);
    await page.getByRole("button", { name: "Add number" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Phone number").fill("555 0100");
    await dialog.getByRole("button", { name: "Add number" }).click();
    await dialog.getByText("Something that was entered is not acceptable.").waitFor();
    // The one number that the simulated account does not have.
    await dialog.getByLabel("Phone number").fill("+15005550000");
    await dialog.getByRole("button", { name: "Add number" }).click();
    await dialog.getByRole("alert").waitFor();
    await dialog.getByLabel("Phone number").fill(number);
    await dialog.getByRole("button", { name: "Add number" }).click();
    await dialog.waitFor({ state: "detached" });
    const card = page.getByRole("region", { name: number, exact: true });
    await card.getByRole("button", { name: "Check" }).click();
    await card.getByText("Calls to this number arrive here.").waitFor();
    await card.getByText("The account has the number").waitFor();
    await card.getByRole("button", { name: "Copy" }).first().click();
    await page.getByText("Copied").waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), `${system.base_url}/webhooks/twilio/voice`);
    await card.getByRole("button", { name: "Edit" }).click();
    await dialog.getByRole("button", { name: /Who answers/u }).click();
    await page.getByRole("option", { name: business.body.name }).click();
    await dialog.getByRole("button", { name: "Save" }).click();
    await card.getByText(business.body.name).waitFor();
    await card.getByRole("button", { name: "Remove" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Remove" }).click();
    await card.waitFor({ state: "detached" });
    assert.equal((await api("DELETE", `/config/business/${business.body.id}`)).status, 204);
    assert.equal((await api("DELETE", "/config/providers/twilio")).status, 204);
  });

  journey("a second business is made, told who answers, how, how long and for which department, and deleted", async (page) => {
    const department = await api("POST", "/departments", { name: `Front ${Date.now()}` });
    assert.equal(department.status, 201);
    await signedIn(page);
    await page.goto(`${app}/settings/business`);
    await page.getByRole("button", { name: "Add business" }).click();
    const name = `Bakery ${Date.now()}`;
    await page.getByRole("dialog").getByLabel("Name").fill(name);
    await page.keyboard.press("Enter");
    await page.getByText("The business is made.").waitFor();
    const length = page.getByLabel("Longest call, in seconds");
    await length.fill("5");
    const choose = async (label, option) => {
      await page.getByRole("button", { name: label }).click();
      await page.getByRole("option", { name: option }).click();
    };
    await choose(/How calls are held/u, "Turn by turn");
    await choose(/^Assistant|Assistant$/u, /Ada/u);
    await choose(/Department/u, department.body.name);
    await page.getByRole("button", { name: "Save" }).first().click();
    await page.locator(".wrong").getByText("A whole number from 30 to 3600.").waitFor();
    await length.fill("600");
    await page.getByRole("button", { name: "Save" }).first().click();
    await page.getByText("Saved. It holds for the next call.").waitFor();
    const { body } = await api("GET", "/config/business?page_size=100");
    const made = body.items.find((one) => one.name === name);
    assert.deepEqual([made.voice_mode, made.call_length_seconds, made.department_id], ["turn_based", 600, department.body.id]);
    assert.notEqual(made.assistant_id ?? null, null);
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Delete" }).click();
    await page.getByRole("alertdialog").waitFor({ state: "detached" });
    assert.equal((await api("GET", `/config/business/${made.id}`)).status, 404);
    assert.equal((await api("DELETE", `/departments/${department.body.id}`)).status, 204);
  });

  journey("what is wrong with a number is said, and how to mend it", async (page) => {
    await signedIn(page);
    const checks = [
      { code: "account", ok: true, found: null, advice: null },
      { code: "owned", ok: true, found: null, advice: null },
      { code: "voice_url", ok: false, found: "https://elsewhere.example/voice", advice: "…" },
      { code: "voice_method", ok: false, found: "GET", advice: "…" },
    ];
    await page.route("**/doctor", (route) => route.fulfill({ json: { healthy: false, source: "installation", checks } }));
    await page.goto(`${app}/settings/phone-numbers`);
    await page.getByRole("button", { name: "Check" }).first().click();
    await page.getByText("Calls to this number do not arrive, or not as they should.").waitFor();
    await page.getByText("Copy the address “A call comes in” from here to Twilio.").waitFor();
    await page.getByText("https://elsewhere.example/voice").waitFor();
    await page.getByText("Choose HTTP POST beside “A call comes in”.").waitFor();
    await heading(page, "Phone numbers");
  });
}
