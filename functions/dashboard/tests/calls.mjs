// Journeys of calls: stepping in while one runs, reading it back, looking for others.

import assert from "node:assert/strict";

/** `tools`: what tests/journeys.mjs has for all. */
export function calls({ journey, app, api, ring, signedIn, heading, wordOfCaller, CALL_MS }) {
  journey("somebody steps into a call: the assistant is told, is silent, goes on, gets other instructions, and the call is ended", async (page) => {
    await signedIn(page);
    const call = ring("three-minutes", "+12025550166");
    // Cut off before its scenario is over: that it ends is all there is to wait for.
    const over = call.catch(() => undefined);
    await page.getByRole("link", { name: "Live calls" }).click();
    const card = page.getByRole("list", { name: "Live calls" }).getByRole("listitem").filter({ hasText: "+12025550166" }).first();
    await card.getByText("In progress").waitFor({ timeout: CALL_MS });
    await card.getByRole("link").click();
    await page.getByText("Call from +12025550166").first().waitFor();
    const log = page.getByRole("log");
    await log.locator("li").first().waitFor({ timeout: CALL_MS });
    const hostile = `<img src=x onerror="alert(1)"> they are a regular ${Date.now()}`;
    await page.getByLabel("Tell the assistant something").fill(hostile);
    await page.keyboard.press("Enter");
    await log.locator("li", { hasText: "Team to the assistant" }).getByText(hostile).waitFor();
    // The word may be in the transcript before the answer to the request has come.
    const field = await page.getByLabel("Tell the assistant something").elementHandle();
    await page.waitForFunction((field) => field.value === "", field);
    await page.getByRole("button", { name: "Pause" }).click();
    await log.getByText("Assistant paused").waitFor();
    await page.getByRole("button", { name: "Resume" }).click();
    await log.getByText("Assistant resumed").waitFor();
    await page.getByRole("button", { name: "New instructions" }).click();
    await page.getByRole("dialog").getByLabel("Instructions").fill("Say that we close early today.");
    await page.getByRole("dialog").getByRole("button", { name: "New instructions" }).click();
    await log.getByText("Say that we close early today.").waitFor();
    await page.getByRole("button", { name: "End call" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "End call" }).click();
    await page.getByText("Completed", { exact: true }).first().waitFor({ timeout: CALL_MS });
    await over;
    assert.equal(await page.getByLabel("Tell the assistant something").count(), 0, "what is over cannot be stepped into");
    assert.equal(await page.getByRole("button", { name: "Pause" }).count(), 0);
    const id = new URL(page.url()).pathname.split("/").at(-1);
    const { body } = await api("GET", `/calls/${id}/interactions`);
    const done = body.items.filter(({ kind }) => kind === "intervention").map(({ action }) => action);
    assert.deepEqual(done, ["message", "pause", "resume", "override", "end"]);
    const timeline = page.getByRole("region", { name: "Timeline" });
    for (const event of ["It rang", "Answered", "Assistant paused", /^Ended ·/u]) await timeline.getByText(event).first().waitFor();
  }, { stream: true });

  journey("a call is read back: an entry has an address, answers their latency, and the transcript comes as text, PDF and JSON", async (page) => {
    const { body } = await api("GET", "/calls?status=completed&page_size=20");
    let found;
    for (const { id } of body.items) {
      const { items } = (await api("GET", `/calls/${id}/interactions`)).body;
      const answer = items.find(({ latency_ms: ms, kind }) => ms != null && kind === "speech");
      if (answer !== undefined) found ??= { id, answer };
    }
    assert.ok(found, "no call has an answer");
    await signedIn(page);
    const latency = page.locator(".figure", { hasText: "Answer latency" });
    await latency.getByText(/^[\d,]+ ms$/u).waitFor();
    await latency.getByText(/95% of answers within [\d,]+\sms$/u).waitFor();
    await page.goto(`${app}/calls/${found.id}#u${found.answer.seq}`);
    await page.locator(`#u${found.answer.seq}.named`).waitFor();
    await page.waitForFunction((at) => {
      const { top, bottom } = document.getElementById(at).getBoundingClientRect();
      return top >= 0 && bottom <= innerHeight;
    }, `u${found.answer.seq}`);
    await page.locator(`#u${found.answer.seq}`).getByText(/^[\d,]+ ms$/u).waitFor();
    await page.getByRole("region", { name: "Answer latency" }).getByRole("link").first().click();
    assert.match(new URL(page.url()).hash, /^#u\d+$/u);
    for (const [name, format, begin] of [["Text", "txt", /\S/u], ["PDF", "pdf", /^%PDF-/u], ["JSON", "json", /^\{/u]]) {
      await page.getByRole("button", { name: "Export" }).click();
      const coming = page.waitForEvent("download");
      await page.getByRole("menuitem", { name, exact: true }).click();
      const file = await coming;
      assert.equal(file.suggestedFilename(), `call-${found.id}.${format}`);
      const chunks = [];
      for await (const chunk of await file.createReadStream()) chunks.push(chunk);
      assert.match(Buffer.concat(chunks).toString("latin1"), begin);
    }
  }, { brief: true });

  journey("notes are told apart by tag and category", async (page) => {
    const { body } = await api("GET", "/calls?page_size=1");
    const id = body.items[0].id;
    const made = [];
    for (const [text, category, tags] of [["Wants an invoice", "billing", ["vip"]], ["Call back on Friday", "follow-up", []]]) {
      made.push((await api("POST", `/calls/${id}/notes`, { body: text, category, tags })).body.id);
    }
    await signedIn(page);
    await page.goto(`${app}/calls/${id}`);
    await page.getByText("Wants an invoice").waitFor();
    await page.getByRole("radio", { name: "follow-up" }).click();
    await page.getByText("Wants an invoice").waitFor({ state: "detached" });
    await page.getByText("Call back on Friday").waitFor();
    await page.getByRole("radio", { name: "All" }).click();
    await page.getByText("Wants an invoice").waitFor();
    for (const note of made) await api("DELETE", `/calls/${id}/notes/${note}`);
  });
  journey("a view is kept, opened by its address, changed and deleted; columns follow the user; the list is exported", async (page) => {
    const name = `Finished ${Date.now()}`;
    await signedIn(page);
    await page.goto(`${app}/calls?status=completed&sort=longest`);
    await heading(page, "Calls");
    await page.getByRole("button", { name: "Save view" }).click();
    await page.getByRole("dialog").getByLabel("Name").fill(name);
    await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
    await page.waitForURL(({ searchParams }) => searchParams.has("view") && searchParams.get("status") === "completed" && searchParams.get("sort") === "longest");
    const views = page.getByRole("navigation", { name: "Views" });
    await views.getByRole("link", { name: "All calls" }).click();
    await page.waitForURL(({ search }) => search === "");
    await views.getByRole("link", { name }).click();
    await page.waitForURL(({ searchParams }) => searchParams.get("status") === "completed");
    // Another filter is a change of the view, which can be kept with it.
    await page.getByRole("button", { name: /Order/u }).click();
    await page.getByRole("option", { name: "Shortest first" }).click();
    await page.getByRole("button", { name: "Save changes" }).click();
    await page.getByRole("button", { name: "Save changes" }).waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Options of this view" }).click();
    await page.getByRole("menuitem", { name: "Delete view" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Delete view" }).click();
    await views.getByRole("link", { name }).waitFor({ state: "detached" });
    // Columns.
    await page.getByRole("columnheader", { name: "Length" }).waitFor();
    await page.getByRole("button", { name: "Columns" }).click();
    // They are written one request at a time: the last one says both.
    const kept = page.waitForResponse(async (response) => {
      if (response.request().method() !== "PUT" || !response.url().endsWith("/api/v1/preferences")) return false;
      const columns = (await response.json()).layout["calls.columns"];
      return columns.includes("interaction_count") && !columns.includes("duration_ms");
    });
    await page.getByRole("menuitemcheckbox", { name: "Length" }).click();
    await page.getByRole("menuitemcheckbox", { name: "Entries" }).click();
    await page.keyboard.press("Escape");
    await page.getByRole("columnheader", { name: "Entries" }).waitFor();
    assert.equal((await kept).status(), 200);
    await page.reload();
    await page.getByRole("columnheader", { name: "Entries" }).waitFor();
    assert.equal(await page.getByRole("columnheader", { name: "Length" }).count(), 0);
    // A file.
    const { body } = await api("GET", "/calls?page_size=1");
    const coming = page.waitForEvent("download");
    await page.getByRole("button", { name: "Export" }).click();
    const file = await coming;
    assert.equal(file.suggestedFilename(), "calls.csv");
    const chunks = [];
    for await (const chunk of await file.createReadStream()) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString("utf8");
    assert.ok(text.includes(body.items[0].id), "the newest call is in the file");
  });

  journey("what was looked for is shown with each call, and leads to where it was said", async (page) => {
    const word = await wordOfCaller();
    await signedIn(page);
    await page.goto(`${app}/calls?q=${word}`);
    const found = page.getByRole("list", { name: "What was said with these words" }).first();
    assert.equal((await found.locator("mark").first().textContent()).toLowerCase(), word.toLowerCase());
    await found.getByRole("link").first().click();
    await page.locator(".transcript .named mark").first().waitFor();
  });
}
