// Keys, the business, the assistant: what an organisation sets for itself.

import assert from "node:assert/strict";

/** `tools`: what tests/journeys.mjs has for all. */
export function settings({ journey, system, app, api, ring, signedIn, heading, CALL_MS }) {
  journey("a key is made, shown once, works, and is taken back", async (page) => {
    await signedIn(page);
    await page.goto(`${app}/settings/api-keys`);
    const name = `journey ${Date.now()}`;
    await page.getByRole("button", { name: "Create key" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill(name);
    await dialog.getByRole("button", { name: "Create key" }).click();
    const key = await dialog.locator(".secret code").textContent();
    assert.equal((await api("GET", "/calls", undefined, key)).status, 200);
    await dialog.getByRole("button", { name: "Done" }).click();
    assert.equal(await page.getByText(key).count(), 0);
    await page.getByRole("row", { name }).getByRole("button", { name: "Revoke" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Revoke" }).click();
    await page.getByRole("row", { name }).getByText("Revoked").waitFor();
    assert.equal((await api("GET", "/calls", undefined, key)).status, 401);
  }, { brief: true });

  journey("the business is edited, a version that is old is not written over, and opening hours are said", async (page) => {
    await signedIn(page);
    await page.goto(`${app}/settings/business`);
    const name = `Journey ${Date.now()}`;
    await page.getByLabel("Name", { exact: true }).fill(name);
    await page.getByRole("button", { name: "Save" }).first().click();
    await page.getByText("Saved. It holds for the next call.").waitFor();
    const { body } = await api("GET", "/config/business");
    const business = body.items.find((one) => one.name === name);
    assert.ok(business, "the name was not stored");
    const { id, version, department_id: _, created_at: __, updated_at: ___, has_opening_hours: ____, ...rest } = business;
    const changed = await fetch(`${system.base_url}/api/v1/config/business/${id}`, {
      method: "PUT",
      headers: { authorization: `Bearer ${system.api_key}`, "content-type": "application/json", "if-match": `"${version}"` },
      body: JSON.stringify({ ...rest, name: "From elsewhere" }),
    });
    assert.equal(changed.status, 200);
    await page.getByLabel("Name", { exact: true }).fill("Too late");
    await page.getByRole("button", { name: "Save" }).first().click();
    await page.getByText("Somebody has changed it meanwhile.").waitFor();
    await page.reload();
    await page.getByLabel("Monday").fill("09:00-12:00, 13:00-17:30");
    await page.getByRole("button", { name: "Save" }).last().click();
    await page.getByText("Saved", { exact: true }).waitFor();
    assert.deepEqual((await api("GET", `/businesses/${id}/opening-hours`)).body.opening_hours, ["monday 09:00-12:00", "monday 13:00-17:30"]);
  }, { brief: true });

  /** The next call begins with these words. */
  async function isHeard(page, words) {
    const since = Date.now();
    const over = ring("greeting-and-booking", "+12025550155").catch(() => undefined);
    const begun = async () => (await api("GET", `/calls?from=%2B12025550155&since=${since}`)).body.items[0];
    let call = await begun();
    for (const until = Date.now() + CALL_MS; call === undefined && Date.now() < until; call = await begun()) await page.waitForTimeout(500);
    await page.goto(`${app}/calls/${call.id}`);
    await page.getByRole("log").getByText(words).first().waitFor({ timeout: CALL_MS });
    await api("POST", `/calls/${call.id}/end`);
    await over;
  }

  journey("an assistant is edited, published and heard in the next call, and an older version made the draft again", async (page) => {
    await signedIn(page);
    await page.goto(`${app}/settings/assistants`);
    const greeting = page.getByLabel("Greeting", { exact: true });
    await greeting.waitFor();
    const read = async () => (await api("GET", "/assistants")).body.items[0];
    const { id, published_version: published } = await read();
    const version = async (number) => (await api("GET", `/assistants/${id}/versions/${number}`)).body.settings.greeting ?? "";
    // The draft may say something else already.
    const before = await version(published);
    const said = `Good day, this is journey ${Date.now()}.`;
    await greeting.fill(said);
    await page.getByRole("button", { name: "Save draft" }).click();
    await page.getByText("The draft is saved.").waitFor();
    assert.equal((await read()).draft.greeting, said);
    assert.equal(await version(published), before);
    await page.getByRole("button", { name: "Save and publish" }).click();
    await page.getByText("Published. It holds for the next call.").waitFor();
    assert.equal((await read()).published_version, published + 1);
    assert.equal(await version(published + 1), said);
    await page.getByRole("listitem").filter({ hasText: `Version ${published + 1}` }).getByRole("button", { name: "What changed" }).first().click();
    await page.getByRole("dialog").locator("ins").filter({ hasText: said.match(/\d+/u)[0] }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await isHeard(page, said);
    await page.goto(`${app}/settings/assistants`);
    await page.getByRole("listitem").filter({ hasText: `Version ${published}` }).getByRole("button", { name: "Make it the draft" }).first().click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Make it the draft" }).click();
    await page.getByText("The draft is that version again.").waitFor();
    assert.equal((await read()).draft.greeting ?? "", before);
    assert.equal((await read()).published_version, published + 1);
  }, { brief: true });

  journey("the organisation gets another name, which the frame shows at once, and its own again; what it may use is shown", async (page) => {
    const read = async () => (await api("GET", "/tenant")).body;
    const before = await read();
    const other = `Journey & Daughters ${Date.now()}`;
    await signedIn(page);
    await page.goto(`${app}/settings/organisation`);
    await heading(page, "Organisation");
    const [name, calls] = [page.getByLabel("Name", { exact: true }), page.getByLabel("Calls of one number in an hour")];
    assert.equal(await name.inputValue(), before.name);
    assert.equal(await calls.inputValue(), String(before.max_hourly_calls_per_caller));
    await page.getByRole("region", { name: "What it may use" }).getByText(before.max_daily_calls.toLocaleString("en-US"), { exact: true }).waitFor();
    const save = () => page.getByRole("button", { name: "Save" }).click();
    await calls.fill("many");
    await save();
    await page.locator(".wrong").getByText("1000000").waitFor();
    assert.deepEqual(await read(), before);
    await calls.fill("77");
    await name.fill(other);
    await save();
    await page.getByText("Saved", { exact: true }).waitFor();
    assert.deepEqual(await read(), { ...before, name: other, max_hourly_calls_per_caller: 77 });
    await page.locator("aside").getByText(other).waitFor();
    await name.fill(before.name);
    await calls.fill(String(before.max_hourly_calls_per_caller));
    await save();
    await page.locator("aside").getByText(other).waitFor({ state: "detached" });
    assert.deepEqual(await read(), before);
  }, { brief: true });
}
