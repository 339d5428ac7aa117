// The simulated telephone. `cargo xtask dev` writes its address into the page it serves, and into that page's policy; nothing else does, and
// where it is not written, nothing here is fetched or shown.

export type Scenario = { name: string; about: string };

/** Whom the simulated caller calls from: a number reserved for fiction. */
const CALLER = "+12025550117";

/** Where it is rung; `null` wherever telephones are real. */
export function simulator(): string | null {
  return document.querySelector<HTMLMetaElement>('meta[name="voicecore-simulator"]')?.content ?? null;
}

/** What its callers can do. */
export async function scenarios(url: string): Promise<Scenario[]> {
  const response = await fetch(`${url}/sim/scenarios`);
  if (!response.ok) throw new Error(`the simulator answered ${response.status}`);
  return ((await response.json()) as { items: Scenario[] }).items;
}

/** Rings a number; done when it rings, not when the call is over. */
export async function ring(url: string, scenario: string, to: string): Promise<void> {
  const response = await fetch(`${url}/sim/scenarios/${encodeURIComponent(scenario)}/calls`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ to, from: CALLER }),
  });
  if (!response.ok) throw new Error(`the simulator answered ${response.status}`);
}
