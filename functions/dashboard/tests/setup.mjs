// The setup wizard, from the first step to a test session.

import assert from "node:assert/strict";

export const SETUP_PAGES = ["/setup?step=api_credentials", "/setup?step=business_profile", "/setup?step=agents", "/setup?step=review"];

export function setup({ journey, api, app, heading, signedIn, CALL_MS }) {
  const step = (page, name) => page.getByRole("heading", { level: 2, name: new RegExp(`^Step \\d of 4: ${name}$`, "u") }).waitFor();

  journey("the wizard leads through every step, goes on where it was left, and ends with a test and a simulated call", async (page) => {
    const name = `Wizard ${Date.now()}`;
    const greeting = `Welcome to ${name}.`;
    await signedIn(page);
    await page.goto(`${app}/setup?step=api_credentials`);
    await heading(page, "Set-up");
    await step(page, "Accounts");
    assert.equal(await page.getByText(/Knowledge|Escalation|QA/u).count(), 0, "what there is not is not shown");
    await page.getByRole("region", { name: "Twilio" }).getByRole("button", { name: "Test connection" }).click();
    await page.getByText(/It works: the account was accepted/u).waitFor();
    await page.getByRole("button", { name: "Continue" }).click();
    await step(page, "Business");
    await page.getByLabel("Name", { exact: true }).fill(name);
    await page.getByLabel("Greeting", { exact: true }).fill(greeting);
    await page.getByText("Kept: you can go on later").waitFor();
    // Another visit: what was entered and not saved is there again.
    await page.reload();
    await step(page, "Business");
    assert.equal(await page.getByLabel("Name", { exact: true }).inputValue(), name);
    assert.equal(await page.getByLabel("Greeting", { exact: true }).inputValue(), greeting);
    await page.getByLabel("Number of a human being").fill("12");
    await page.getByRole("button", { name: "Save and continue" }).click();
    await page.getByText("Something that was entered is not acceptable.").waitFor();
    await page.getByLabel("Number of a human being").fill("+12025550199");
    await page.getByRole("button", { name: "Save and continue" }).click();
    await step(page, "Agents");
    const business = (await api("GET", "/config/business?page_size=100")).body.items.find((one) => one.name === name);
    const assistant = (await api("GET", `/assistants/${business.assistant_id}`)).body;
    assert.equal(assistant.draft.greeting, greeting);
    const version = await api("GET", `/assistants/${assistant.id}/versions/${assistant.published_version}`);
    assert.equal(version.body.settings.greeting, greeting, "it holds for the next call");
    await page.getByRole("button", { name: "Add agent" }).click();
    await page.getByLabel("Name", { exact: true }).fill(`${name}'s agent`);
    await page.getByText("Kept: you can go on later").waitFor();
    await page.goto(`${app}/setup?step=agents`);
    assert.equal(await page.getByLabel("Name", { exact: true }).inputValue(), `${name}'s agent`);
    await page.getByRole("button", { name: "Add agent" }).click();
    await page.getByRole("listitem").filter({ hasText: `${name}'s agent` }).waitFor();
    await page.getByRole("button", { name: "Continue" }).click();
    await step(page, "Review");
    await page.getByRole("button", { name: "Test all" }).click();
    await page.getByRole("listitem").filter({ hasText: "OpenAI (voice)" }).getByText("In order").waitFor();
    await page.getByRole("listitem").filter({ hasText: "Twilio" }).getByText("In order").waitFor();
    if ((await page.getByRole("button", { name: "Finish set-up" }).count()) > 0) {
      await page.getByRole("button", { name: "Finish set-up" }).click();
      await page.getByRole("alertdialog").getByRole("button", { name: "Finish set-up" }).click();
    }
    await page.getByText("Set-up is complete.").waitFor();
    assert.ok((await api("GET", "/setup/progress")).body.completed_at > 0);
    await page.getByRole("button", { name: "Start a test" }).click();
    const log = page.getByRole("log", { name: "Try the assistant" });
    await log.getByText(greeting).waitFor();
    await page.getByLabel("What the caller says").fill("When are you open?");
    await page.getByRole("button", { name: "Say", exact: true }).click();
    await log.getByText("When are you open?").waitFor();
    await log.getByRole("listitem").nth(2).waitFor();
    await page.getByRole("button", { name: "End test" }).click();
    await page.getByText("This test is over.").waitFor();
    await page.getByRole("button", { name: "Ring" }).click();
    await heading(page, "Live calls");
    const card = page.getByRole("list", { name: "Live calls" }).getByRole("listitem").filter({ hasText: "+12025550117" }).first();
    await card.getByText("In progress").waitFor({ timeout: CALL_MS });
    const agent = (await api("GET", "/agents?page_size=100")).body.items.find((one) => one.name === `${name}'s agent`);
    assert.equal((await api("DELETE", `/agents/${agent.id}`)).status, 204);
  });

  journey("a connection that fails is explained where everything is tried, and the end waits for what is open", async (page) => {
    await signedIn(page);
    await page.route("**/test-connection", (route) =>
      route.fulfill({ json: { provider: "openai", source: "installation", state: "refused", status: 401, took_ms: 12 } }),
    );
    const steps = ["api_credentials", "business_profile", "knowledge", "agents", "qa", "escalation_rules", "review"];
    const progress = { completable: false, completed_at: null, steps: steps.map((one) => ({ step: one, state: "open", needed: one === "agents" })) };
    await page.route("**/setup/progress", (route) => route.fulfill({ json: progress }));
    await page.goto(`${app}/setup`);
    await step(page, "Accounts");
    await page.getByRole("region", { name: "OpenAI (voice)" }).getByRole("button", { name: "Test connection" }).click();
    await page.getByText("The credentials of this installation are wrong or have been withdrawn.").waitFor();
    await page.getByRole("link", { name: /Review/u }).click();
    await page.getByText("Still open: Accounts, Business, Agents.").waitFor();
    assert.equal(await page.getByRole("button", { name: "Finish set-up" }).isDisabled(), true);
    await page.getByRole("button", { name: "Test all" }).click();
    await page.getByText("The account was refused").first().waitFor();
  });
}
