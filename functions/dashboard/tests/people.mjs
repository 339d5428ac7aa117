// Agents, departments, roles, accounts at providers and quality rules.

import assert from "node:assert/strict";

export const PEOPLE_PAGES = ["/settings/agents", "/settings/departments", "/settings/roles", "/settings/providers", "/settings/quality"];

export function people({ journey, api, app, heading, signedIn }) {
  journey("an agent is added, made available, changed, found by availability, and removed", async (page) => {
    const name = `Ada ${Date.now()}`;
    await signedIn(page);
    await page.goto(`${app}/settings/agents`);
    await page.getByRole("button", { name: "Add agent" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill(name);
    await dialog.getByLabel("Languages").fill("english");
    await dialog.getByRole("button", { name: "Add agent" }).click();
    await dialog.getByText("Something that was entered is not acceptable.").waitFor();
    await dialog.getByLabel("Languages").fill("en, es");
    await dialog.getByLabel("Skills").fill("billing, vip");
    await dialog.getByRole("button", { name: "Add agent" }).click();
    await dialog.waitFor({ state: "detached" });
    const row = page.getByRole("row", { name });
    await row.getByText("en · es · billing · vip").waitFor();
    await row.getByRole("button", { name: new RegExp(`Availability of ${name}`, "u") }).click();
    await page.getByRole("option", { name: "Available" }).click();
    await page.getByText(`${name}: Available`).waitFor();
    const found = async () => (await api("GET", "/agents?page_size=100")).body.items.find((agent) => agent.name === name);
    assert.equal((await found()).availability, "available");
    await row.getByRole("button", { name: "Edit" }).click();
    await dialog.getByLabel("Calls at once").fill("3");
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.waitFor({ state: "detached" });
    assert.equal((await found()).max_concurrent_calls, 3);
    await page.getByRole("button", { name: /Availability$/u }).click();
    await page.getByRole("option", { name: "Busy" }).click();
    await page.waitForURL(({ searchParams }) => searchParams.get("availability") === "busy");
    await row.waitFor({ state: "detached" });
    await page.goBack();
    await row.getByRole("button", { name: "Edit" }).click();
    await dialog.getByRole("button", { name: "Remove" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Remove" }).click();
    await row.waitFor({ state: "detached" });
    assert.equal(await found(), undefined);
  });

  journey("departments are made below each other, moved where no ring comes of it, and removed", async (page) => {
    const [upper, lower] = [`Upper ${Date.now()}`, `Lower ${Date.now()}`];
    await signedIn(page);
    await page.goto(`${app}/settings/departments`);
    const dialog = page.getByRole("dialog");
    const save = async () => {
      await dialog.getByRole("button", { name: "Save" }).click();
      await dialog.waitFor({ state: "detached" });
    };
    await page.getByRole("button", { name: "Add department", exact: true }).click();
    await dialog.getByLabel("Name").fill(upper);
    await save();
    await page.getByRole("button", { name: `Add below: ${upper}` }).click();
    await dialog.getByLabel("Name").fill(lower);
    await save();
    const inUpper = page.getByRole("listitem").filter({ hasText: upper }).getByRole("listitem").filter({ hasText: lower });
    await inUpper.waitFor();
    // What is above is not offered what is below it.
    await page.getByRole("button", { name: `Edit: ${upper}` }).click();
    await dialog.getByRole("button", { name: /Part of/u }).click();
    await page.getByRole("option").first().waitFor();
    assert.equal(await page.getByRole("option", { name: new RegExp(`${upper}|${lower}`, "u") }).count(), 0);
    await page.keyboard.press("Escape");
    await dialog.getByRole("button", { name: "Remove" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Remove" }).click();
    await page.getByRole("alertdialog").getByRole("alert").waitFor();
    await page.getByRole("alertdialog").getByRole("button", { name: "Cancel" }).click();
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("button", { name: `Edit: ${lower}` }).click();
    await dialog.getByRole("button", { name: /Part of/u }).click();
    await page.getByRole("option", { name: "Nothing: it stands at the top" }).click();
    await dialog.getByLabel("Name").fill(`${lower} moved`);
    await save();
    await inUpper.waitFor({ state: "detached" });
    const { items } = (await api("GET", "/departments")).body;
    assert.equal(items.find(({ name }) => name === `${lower} moved`).parent_id ?? null, null);
    for (const name of [`${lower} moved`, upper]) {
      await page.getByRole("button", { name: `Edit: ${name}` }).click();
      await dialog.getByRole("button", { name: "Remove" }).click();
      await page.getByRole("alertdialog").getByRole("button", { name: "Remove" }).click();
      await page.getByRole("button", { name: `Edit: ${name}` }).waitFor({ state: "detached" });
    }
  });

  journey("a quality rule is added, a call held against it, and the rule removed", async (page) => {
    const name = `Says hello ${Date.now()}`;
    const calls = (await api("GET", "/calls?status=completed&page_size=20")).body.items;
    const { id } = calls.find(({ interaction_count: count }) => count > 0);
    const first = (await api("GET", `/calls/${id}/interactions`)).body.items.find(({ kind, speaker }) => kind === "speech" && speaker === "assistant");
    await signedIn(page);
    await page.goto(`${app}/settings/quality`);
    await page.getByRole("button", { name: "Add rule" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name", { exact: true }).fill(name);
    await dialog.getByLabel("Phrases", { exact: true }).fill("?!");
    await dialog.getByRole("button", { name: "Add rule" }).click();
    await dialog.getByText("Each needs a letter or a digit.", { exact: true }).waitFor();
    await dialog.getByLabel("Phrases", { exact: true }).fill(first.text.split(/\s+/u).slice(0, 3).join(" "));
    await dialog.getByRole("button", { name: "Add rule" }).click();
    await dialog.waitFor({ state: "detached" });
    await page.goto(`${app}/calls/${id}`);
    const quality = page.getByRole("region", { name: "Quality" });
    await quality.getByRole("button", { name: "Evaluate again" }).click();
    const kept = quality.getByRole("listitem").filter({ hasText: name });
    await kept.getByText("Kept:").waitFor();
    await kept.getByRole("link").click();
    assert.equal(new URL(page.url()).hash, `#u${first.seq}`);
    await page.goto(`${app}/settings/quality`);
    await page.getByRole("button", { name: `Edit: ${name}` }).click();
    await dialog.getByRole("button", { name: "Remove" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Remove" }).click();
    await page.getByRole("button", { name: `Edit: ${name}` }).waitFor({ state: "detached" });
  });

  journey("a role of one's own is made, changed and removed, and a built-in one only shown", async (page) => {
    const name = `Night shift ${Date.now()}`;
    await signedIn(page);
    await page.goto(`${app}/settings/roles`);
    await page.getByRole("button", { name: "Show: Viewer" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("Every organisation has this role.").waitFor();
    assert.equal(await dialog.getByRole("checkbox", { name: "See: Calls and what was said" }).isDisabled(), true);
    await dialog.getByRole("button", { name: "Close" }).click();
    await page.getByRole("button", { name: "Add role" }).click();
    await dialog.getByLabel("Name").fill(name);
    await dialog.getByRole("checkbox", { name: "See: Messages" }).check({ force: true });
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.waitFor({ state: "detached" });
    const stored = async () => (await api("GET", "/roles")).body.items.find((role) => role.name === name)?.permissions;
    assert.deepEqual(await stored(), ["calls:read", "messages:read"]);
    await page.getByRole("row", { name }).getByText("2 permissions").waitFor();
    await page.getByRole("button", { name: `Edit: ${name}` }).click();
    await dialog.getByRole("checkbox", { name: "See: Messages" }).uncheck({ force: true });
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.waitFor({ state: "detached" });
    assert.deepEqual(await stored(), ["calls:read"]);
    await page.getByRole("button", { name: `Edit: ${name}` }).click();
    await dialog.getByRole("button", { name: "Remove" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Remove" }).click();
    await page.getByRole("row", { name }).waitFor({ state: "detached" });
    assert.equal(await stored(), undefined);
  });

  journey("a connection is tried, a wrong account is explained, and the installation's used again", async (page) => {
    await signedIn(page);
    await page.goto(`${app}/settings/providers`);
    const card = page.getByRole("region", { name: "OpenAI (voice)" });
    await card.getByRole("button", { name: "Test connection" }).click();
    await card.getByText(/It works: the account was accepted/u).waitFor();
    await page.getByRole("region", { name: "Twilio" }).getByRole("button", { name: "Test connection" }).click();
    await page.getByRole("region", { name: "Twilio" }).getByText(/It works: the account was accepted/u).waitFor();
    await card.getByRole("button", { name: "Use your own account" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("API key").fill("short");
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.getByText("Something that was entered is not acceptable.").waitFor();
    await dialog.getByLabel("API key").fill("sk-this-one-is-not-known-7d3f");
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.waitFor({ state: "detached" });
    await card.getByText("…7d3f").waitFor();
    await card.getByRole("button", { name: "Test connection" }).click();
    await card.getByText("The account was refused").waitFor();
    await card.getByText("Replace them with those that are valid now.").waitFor();
    await card.getByRole("button", { name: "Remove" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Remove" }).click();
    await card.getByText("Of this installation").waitFor();
    await heading(page, "Provider accounts");
  });
}
