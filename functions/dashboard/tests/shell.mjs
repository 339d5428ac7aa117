// Journeys of the frame around every page: notifications, search, keys, organisations, what stays without a network.

import assert from "node:assert/strict";

const PASSWORD = "a long enough password";

/** `tools`: what tests/journeys.mjs has for all. */
export function shell({ journey, browser, system, app, api, ring, mailed, signIn, signedIn, heading, focusWithin, wordOfCaller }) {
  const login = async () => (await api("POST", "/auth/login", { email: system.email, password: system.password }, "none")).body.access_token;

  journey("whoever runs the installation and belongs to no organisation has a profile, too, and their device keeps what they prefer", async (page) => {
    const problem = { type: "about:blank", title: "Conflict", status: 409, code: "conflict", detail: "What is your own is kept for each tenant, and you work in none now." };
    await page.route("**/api/v1/me", async (route) => {
      const me = await (await route.fetch()).json();
      await route.fulfill({ json: { ...me, tenant_id: null, role: null, memberships: [], permissions: ["tenants:read", "tenants:write", "tenants:impersonate"] } });
    });
    await page.route(/\/api\/v1\/(preferences|notifications|saved-views)/u, (route) =>
      route.fulfill({ status: 409, contentType: "application/problem+json", body: JSON.stringify(problem) }));
    await signIn(page);
    await heading(page, "Profile");
    await page.getByText(system.email).first().waitFor();
    await page.getByRole("button", { name: /Theme/u }).click();
    await page.getByRole("option", { name: "Dark" }).click();
    await page.getByText("Saved").first().waitFor();
    await page.getByText("Shortcuts with a single key").click();
    await page.reload();
    await heading(page, "Profile");
    await page.getByRole("button", { name: /Theme/u }).getByText("Dark").waitFor();
    assert.equal(await page.getByRole("checkbox").isChecked(), false);
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
    assert.equal(await page.getByRole("alert").count(), 0);
  });

  journey("the bell hears of a message as soon as the stream tells of it, before it asks by itself", async (page) => {
    assert.equal((await api("PATCH", "/notifications/read-all", undefined, await login())).status, 204);
    // What asks once a minute never does here.
    await page.addInitScript(() => {
      const was = window.setInterval;
      window.setInterval = (run, after, ...rest) => (after >= 60_000 ? 0 : was(run, after, ...rest));
    });
    await signedIn(page);
    await page.getByRole("link", { name: "Live calls" }).click();
    await page.getByText("Live", { exact: true }).waitFor();
    await page.locator("aside").getByRole("button", { name: "Notifications, 0 unread" }).waitFor();
    await ring("take-message");
    await page.locator("aside").getByRole("button", { name: /^Notifications, [1-9]\d* unread$/u }).waitFor();
  }, { stream: true });

  journey("the bell counts what one has not read, and what is read, put away or all read stays so", async (page) => {
    // Whatever was there before is read; then a caller leaves a message.
    const token = await login();
    assert.equal((await api("PATCH", "/notifications/read-all", undefined, token)).status, 204);
    await ring("take-message");
    await signedIn(page);
    const bell = page.locator("aside").getByRole("button", { name: /^Notifications, [1-9]\d* unread$/u });
    await bell.click();
    const box = page.getByRole("dialog", { name: "Notifications" });
    await box.getByText("A caller left a message").first().click();
    await heading(page, "Messages");
    await page.locator("aside").getByRole("button", { name: "Notifications, 0 unread" }).waitFor();
    // Somebody deals with it, and it is gone from what is open.
    const newest = async () => (await api("GET", "/messages?page_size=1")).body.items[0];
    const left = await newest();
    const message = page.getByRole("main").getByRole("listitem").first();
    await message.getByRole("button", { name: "Mark as done" }).click();
    await message.getByText("Done", { exact: true }).waitFor();
    assert.ok((await newest()).handled_at > 0);
    await page.getByRole("button", { name: /State/u }).click();
    await page.getByRole("option", { name: "Done" }).click();
    await page.waitForURL(/state=done/u);
    await message.getByRole("button", { name: "Reopen" }).click();
    for (const until = Date.now() + 5_000; (await newest()).handled_at != null; ) assert.ok(Date.now() < until, "it is still done");
    await page.goto(`${app}/messages?state=open`);
    await message.getByRole("button", { name: "Delete message" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Delete message" }).click();
    await page.getByRole("alertdialog").waitFor({ state: "detached" });
    assert.equal((await api("GET", `/messages/${left.id}`)).status, 404);
    await page.goto(`${app}/notifications`);
    await heading(page, "Notifications");
    const list = page.getByRole("main").getByRole("listitem");
    await list.first().waitFor();
    const before = (await api("GET", "/notifications", undefined, token)).body;
    const gone = page.waitForResponse((response) => response.request().method() === "DELETE" && response.url().includes("/api/v1/notifications/"));
    await list.first().getByRole("button", { name: "Put away" }).click();
    assert.equal((await gone).status(), 204);
    const after = (await api("GET", "/notifications", undefined, token)).body;
    assert.equal(after.total, before.total - 1);
    // What follows on the next page moves up.
    await page.waitForFunction((count) => document.querySelectorAll("main .notifications li").length === count, after.items.length);
    await page.getByText("Only unread").click();
    await page.getByText("Nothing new").waitFor();
  });

  journey("the palette finds calls by number and by what was said, and keys lead to pages", async (page) => {
    const word = await wordOfCaller();
    const { from } = (await api("GET", "/calls?page_size=1")).body.items[0];
    await signedIn(page);
    await page.locator("aside").getByRole("button", { name: /^Search/u }).click();
    const palette = page.getByRole("dialog", { name: "Go to" });
    await palette.getByRole("searchbox").fill(word);
    await palette.getByRole("menuitem", { name: /^\+\d+/u }).first().waitFor();
    await palette.getByRole("searchbox").fill(`${from.slice(0, 2)} (${from.slice(2, 5)}) ${from.slice(5)}`);
    await palette.getByRole("menuitem", { name: `All calls from ${from}` }).click();
    await page.waitForURL(({ searchParams }) => searchParams.get("from") === from);
    await page.getByRole("heading", { level: 1, name: "Calls" }).click();
    await page.keyboard.press("g");
    await page.keyboard.press("m");
    await heading(page, "Messages");
    await page.keyboard.press("g");
    await page.keyboard.press("c");
    await heading(page, "Calls");
    await page.keyboard.press("/");
    await page.keyboard.type("g");
    assert.equal(await page.getByRole("textbox", { name: "Words that were said" }).inputValue(), "g", "what is typed is text");
    await page.getByRole("heading", { level: 1, name: "Calls" }).click();
    await page.keyboard.press("?");
    const help = page.getByRole("dialog", { name: "Keyboard shortcuts" });
    await help.getByText("Go to Live calls").waitFor();
    await focusWithin(help);
    await page.keyboard.press("Escape");
    await help.waitFor({ state: "detached" });
    // Whoever does not want single keys turns them off, on every device.
    await page.goto(`${app}/profile`);
    const kept = () => page.waitForResponse((response) => response.request().method() === "PUT" && response.url().endsWith("/api/v1/preferences"));
    const keys = page.getByRole("checkbox", { name: /^Shortcuts with a single key/u });
    const off = kept();
    await keys.uncheck({ force: true });
    assert.equal((await off).status(), 200);
    await page.reload();
    await heading(page, "Profile");
    await page.waitForFunction(() => document.querySelector("main input[type=checkbox]")?.checked === false);
    await page.getByRole("heading", { level: 1, name: "Profile" }).click();
    for (const key of ["?", "g", "m"]) await page.keyboard.press(key);
    await page.locator("aside").getByRole("button", { name: system.email }).click();
    await page.getByRole("menuitem", { name: "Keyboard shortcuts" }).click();
    await help.getByText("turned off in your profile").waitFor();
    await focusWithin(help);
    await page.keyboard.press("Escape");
    await help.waitFor({ state: "detached" });
    assert.equal(new URL(page.url()).pathname, "/app/profile");
    const on = kept();
    await keys.check({ force: true });
    await on;
    await page.getByRole("heading", { level: 1, name: "Profile" }).click();
    await page.keyboard.press("?");
    await help.getByText("Go to Live calls").waitFor();
    await focusWithin(help);
  });

  journey("a super admin looks into another organisation, is told so all the time, and comes back", async (page) => {
    const name = `Harbour ${Date.now()}`;
    const token = await login();
    const owner = `owner-${Date.now()}@harbour.example`;
    const made = await api("POST", "/tenants", { name, owner_email: owner, phone_number: `+1202${String(Date.now()).slice(-7)}` }, token);
    assert.equal(made.status, 201, JSON.stringify(made.body));
    await signedIn(page);
    await page.locator("aside").getByRole("button", { name: /demo/iu }).click();
    await page.getByRole("menuitem", { name: "Look into an organisation" }).click();
    const dialog = page.getByRole("dialog", { name: "Look into an organisation" });
    await dialog.getByRole("searchbox").fill(name);
    await dialog.getByRole("menuitem", { name }).click();
    await page.getByText(`You are looking into ${name}`).waitFor();
    await page.getByRole("link", { name: "Calls", exact: true }).click();
    await page.getByText("No calls yet").waitFor();
    await page.getByText(`You are looking into ${name}`).waitFor();
    await page.getByRole("button", { name: "Back to my own account" }).click();
    await page.getByText(`You are looking into ${name}`).waitFor({ state: "detached" });
    await page.getByRole("link", { name: "Calls", exact: true }).click();
    await heading(page, "Calls");
    await page.getByRole("table").waitFor();
    const { body } = await api("GET", "/sessions", undefined, await login());
    assert.ok(body.items.every(({ impersonating }) => !impersonating), "the other session has ended");
  });

  journey("a session whose token has ended goes on by its cookie, and one that is over leads back to where one was", async (page) => {
    await signedIn(page);
    await page.goto(`${app}/calls?status=completed`);
    await page.getByRole("table").waitFor();
    // The API refuses the token once, as it does when its time is over.
    let refused = 0;
    await page.route("**/api/v1/messages*", async (route) => {
      if (refused > 0) return route.continue();
      refused += 1;
      return route.fulfill({ status: 401, contentType: "application/problem+json", body: JSON.stringify({ title: "Unauthorized", status: 401, code: "unauthenticated" }) });
    });
    await page.getByRole("link", { name: "Messages" }).click();
    await heading(page, "Messages");
    await page.waitForFunction(() => document.querySelector(".skeletons") === null);
    assert.equal(refused, 1);
    await page.getByRole("link", { name: "Calls", exact: true }).click();
    await heading(page, "Calls");
    await page.getByRole("table").waitFor();
    await fetch(`${system.base_url}/api/v1/sessions`, { method: "DELETE", headers: { authorization: `Bearer ${await login()}` } });
    await page.goto(`${app}/calls?status=completed`);
    await heading(page, "Sign in");
    await page.getByLabel("E-mail address").fill(system.email);
    await page.getByLabel("Password").fill(system.password);
    await page.keyboard.press("Enter");
    await heading(page, "Calls");
    assert.equal(new URL(page.url()).search, "?status=completed");
  }, { brief: true });

  journey("over a slow network there is something to see at once, and never a blank page", async (page, { context }) => {
    const session = await context.newCDPSession(page);
    await session.send("Network.enable");
    await session.send("Network.emulateNetworkConditions", { offline: false, latency: 400, downloadThroughput: 50_000, uploadThroughput: 50_000 });
    page.setDefaultTimeout(60_000);
    await signedIn(page);
    for (const name of ["Calls", "Messages", "Live calls"]) {
      await page.getByRole("link", { name, exact: true }).click();
      // What was there stays until the page is: the frame is never gone.
      for (let look = 0; look < 5; look += 1) {
        assert.ok((await page.locator("main").innerText()).trim() !== "" || (await page.locator(".skeletons").count()) > 0, "a blank page");
        await page.waitForTimeout(80);
      }
      await heading(page, name);
    }
  });

  journey("without a network the shell opens and says so, back on the network it goes on; nothing of the API is kept", async () => {
    const context = await browser.newContext({ locale: "en-US", viewport: { width: 1280, height: 900 } });
    try {
      const page = await context.newPage();
      page.setDefaultTimeout(20_000);
      await signedIn(page);
      await page.evaluate(async () => {
        await navigator.serviceWorker.ready;
      });
      await page.reload();
      await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
      assert.ok(await page.evaluate(() => navigator.serviceWorker.controller !== null), "the page is in the worker's care");
      const files = await page.evaluate(async () => {
        const all = [];
        for (const name of await caches.keys()) for (const { url } of await (await caches.open(name)).keys()) all.push(new URL(url).pathname);
        return all;
      });
      assert.ok(files.includes("/app/") && files.some((path) => /^\/app\/assets\/call-.*\.js$/u.test(path)), "pages that were not opened are kept, too");
      assert.deepEqual(files.filter((path) => !path.startsWith("/app/")), []);
      await context.setOffline(true);
      await page.goto(`${app}/calls`);
      await page.getByText("No connection").waitFor();
      await context.setOffline(false);
      await page.getByRole("button", { name: "Try again" }).click();
      await heading(page, "Calls");
      await page.getByRole("table").waitFor();
      const { icons, start_url: start } = await (await fetch(`${app}/manifest.webmanifest`)).json();
      assert.equal(start, "/app/");
      for (const { src, type } of icons) assert.equal((await fetch(`${app}/${src}`)).headers.get("content-type"), type);
    } finally {
      await context.close();
    }
  }, { brief: true });

  journey("what a caller says is text, in the list, in the transcript and in the window's title", async (page, { wrong }) => {
    const hostile = `<img src=x onerror="window.owned=1"><svg onload=alert(1)>"'><script>window.owned=2</script>{{7*7}}javascript:alert(1)\u202E`;
    const { body } = await api("GET", "/calls?status=completed&page_size=1");
    const call = { ...body.items[0], from: hostile, end_reason: hostile, model: hostile };
    const said = (seq, more) => ({ seq, speaker: "caller", kind: "speech", text: hostile, start_ms: seq * 1000, end_ms: seq * 1000 + 500, estimated: false, ...more });
    const items = [said(1), said(2, { speaker: "assistant", cut_at_ms: 200, latency_ms: 900 }), said(3, { kind: "tool", name: hostile, tool_call_id: "t", text: JSON.stringify({ [hostile]: hostile }) }), said(4, { kind: "notice", speaker: "system" })];
    const json = (value) => ({ status: 200, contentType: "application/json", body: JSON.stringify(value) });
    await page.route(/\/api\/v1\/calls(\?|$)/u, (route) => route.fulfill(json({ ...body, items: [call], total: 1 })));
    await page.route(`**/api/v1/calls/${call.id}`, (route) => route.fulfill(json(call)));
    await page.route(/\/api\/v1\/calls\/[^/]+\/interactions/u, (route) => route.fulfill(json({ call_id: call.id, complete: true, items })));
    await signedIn(page);
    await page.goto(`${app}/calls?q=img`);
    await page.getByRole("table").getByText(hostile).first().waitFor();
    await page.getByRole("table").getByRole("link").first().click();
    await page.locator("#u4").getByText("<script>window.owned=2</script>").waitFor();
    assert.equal(await page.locator("main img, main script, main svg[onload]").count(), 0);
    assert.equal(await page.evaluate(() => window.owned), undefined);
    assert.deepEqual(wrong, []);
  });

  journey("who is invited chooses a password in the dashboard, in their language, and a new one later; a link works once", async (page) => {
    const email = `invited-${Date.now()}@riverside.example`;
    assert.equal((await api("POST", "/users/invitations", { email, role: "agent" }, await login())).status, 201);
    const token = await mailed(email);
    const own = await browser.newContext({ locale: "de-DE", viewport: { width: 1280, height: 900 } });
    try {
      const theirs = await own.newPage();
      await theirs.goto(`${app}/invitation?token=${token}`);
      await heading(theirs, "Einladung annehmen");
      assert.equal(new URL(theirs.url()).search, "", "the token is not left in the address");
      await theirs.getByLabel("Ihr Name").fill("Ina Invited");
      await theirs.getByLabel("Neues Passwort").fill("short");
      await theirs.getByRole("button", { name: "Annehmen" }).click();
      await theirs.locator(".wrong").getByText("Mindestens 12 Zeichen").waitFor();
      await theirs.getByLabel("Neues Passwort").fill(PASSWORD);
      await theirs.getByRole("button", { name: "Annehmen" }).click();
      await heading(theirs, "Anmelden");
      await theirs.getByText(/Sie gehören jetzt zu/u).waitFor();
      assert.equal(await theirs.getByLabel("E-Mail-Adresse").inputValue(), email);
      await theirs.getByLabel("Passwort").fill(PASSWORD);
      await theirs.keyboard.press("Enter");
      await theirs.getByRole("heading", { level: 1, name: "Übersicht" }).waitFor();
    } finally {
      await own.close();
    }
    await page.goto(`${app}/invitation?token=${token}`);
    await page.getByLabel("New password").fill(PASSWORD);
    await page.getByRole("button", { name: "Accept" }).click();
    await page.getByText("This link was used already or is too old.").waitFor();
    await page.goto(`${app}/invitation`);
    await page.getByText("The link is not complete.").waitFor();
    // A new password.
    await page.goto(`${app}/forgot-password`);
    await page.getByLabel("E-mail address").fill(email);
    await page.getByRole("button", { name: "Send the link" }).click();
    await page.getByText("a mail with a link is on its way").waitFor();
    const reset = await mailed(email, "reset-password");
    await page.goto(`${app}/reset-password?token=${reset}`);
    await page.getByLabel("New password").fill(`${PASSWORD} too`);
    await page.getByRole("button", { name: "Set the password" }).click();
    await page.getByText("The new password holds.").waitFor();
    await signIn(page, email, `${PASSWORD} too`);
    await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
  });
}
