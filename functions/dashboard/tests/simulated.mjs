// A call that is started from the screen, which only what `cargo xtask dev` serves can do.

import assert from "node:assert/strict";

export const SIMULATED_PAGES = ["/simulated-call"];

export function simulated({ journey, app, heading, signedIn, CALL_MS }) {
  journey("a simulated call is started from the screen and watched live", async (page) => {
    await signedIn(page);
    await page.getByRole("link", { name: "Simulated call" }).click();
    await heading(page, "Simulated call");
    await page.getByRole("button", { name: /Caller/u }).click();
    await page.getByRole("option", { name: "greeting-and-booking" }).click();
    await page.getByText("A caller asks for a table, is answered, and says goodbye.").waitFor();
    await page.getByRole("button", { name: "Ring" }).click();
    await heading(page, "Live calls");
    const card = page.getByRole("list", { name: "Live calls" }).getByRole("listitem").filter({ hasText: "+12025550117" }).first();
    await card.getByText("In progress").waitFor({ timeout: CALL_MS });
    await card.getByText("Caller", { exact: true }).first().waitFor({ timeout: CALL_MS });
    await card.getByRole("link").click();
    await page.getByText("Completed", { exact: true }).first().waitFor({ timeout: CALL_MS });
  });

  journey("without a simulator there is nothing of it: no link, no page, no request", async (page) => {
    const asked = [];
    page.on("request", (request) => asked.push(request.url()));
    // The page as it is deployed: what `cargo xtask dev` adds to it is this one element.
    await page.route(`${app}/**`, async (route) => {
      if (route.request().resourceType() !== "document") return route.fallback();
      const response = await route.fetch();
      const body = await response.text();
      assert.match(body, /voicecore-simulator/u);
      return route.fulfill({ response, body: body.replace(/<meta name="voicecore-simulator"[^>]*>/u, "") });
    });
    await signedIn(page);
    assert.equal(await page.getByRole("link", { name: "Simulated call" }).count(), 0);
    await page.goto(`${app}/simulated-call`);
    await heading(page, "Not found");
    assert.deepEqual(asked.filter((url) => url.includes("/sim/") || url.includes("simulated-call-")), []);
  });
}
