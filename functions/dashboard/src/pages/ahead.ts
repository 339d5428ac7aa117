// What each page shows first, asked for by its address: before there is anything that could draw it (src/main.ts), and whenever one goes to it
// (src/app.tsx). Nothing of this needs a library.

import type { Ask } from "../api/ahead";
import { queries } from "../api/queries";
import type { Permission } from "../session";
import { askedAgents, chosenOf, CONNECTED, daysOf, messagesOf, notificationsOf, pageOf, period, RINGING, volumeOf } from "./asked";
import { asked } from "./call-query";
import type { Address } from "./parts";

type Ahead = (ask: Ask, url: URLSearchParams, id: string) => unknown;

/** What only those may ask who have the permission: as soon as it is known who asks. */
async function forThose(permission: Permission, ask: Ask, query: Parameters<Ask>[0]): Promise<void> {
  if ((await ask(queries.me())).permissions.includes(permission)) await ask(query);
}

const AHEAD: Partial<Record<Address, Ahead>> = {
  "/": (ask, url) => {
    const [days, since] = [daysOf(url), period(daysOf(url))];
    return Promise.all([ask(queries.overview(since)), ask(volumeOf(since, days))]);
  },
  "/calls": (ask, url) => Promise.all([ask(queries.calls(asked(url))), ask(queries.views()), forThose("config:read", ask, queries.businesses())]),
  "/calls/:id": (ask, _, id) =>
    Promise.all([
      // What a call came to is known when it is over.
      ask(queries.call(id)).then(({ ended_at: ended }) => (ended == null ? undefined : forThose("qa:read", ask, queries.qa(id)))),
      ask(queries.interactions(id)),
      ask(queries.notes(id)),
      forThose("config:read", ask, queries.businesses()),
      forThose("users:read", ask, queries.users(1)),
    ]),
  "/live": (ask) => Promise.all([ask(queries.calls(RINGING)), ask(queries.calls(CONNECTED))]),
  "/messages": (ask, url) => ask(queries.messages(messagesOf(url))),
  "/notifications": (ask, url) => ask(queries.notifications(notificationsOf(url))),
  "/profile": (ask) => ask(queries.sessions()),
  "/setup": (ask) => ask(queries.setup()),
  "/settings/organisation": (ask) => ask(queries.organisation()),
  "/settings/business": (ask, url) =>
    Promise.all([
      ask(queries.businesses()).then(({ items }) => {
        const chosen = chosenOf(items, url);
        return chosen && ask(queries.hours(chosen));
      }),
      ask(queries.assistants()),
      forThose("departments:read", ask, queries.departments()),
    ]),
  "/settings/assistants": async (ask, url) => {
    const chosen = chosenOf((await ask(queries.assistants())).items, url);
    if (chosen !== undefined) await ask(queries.assistantVersions(chosen.id));
  },
  "/settings/phone-numbers": (ask) => Promise.all([ask(queries.phoneNumbers(1)), ask(queries.businesses())]),
  "/settings/providers": (ask) => ask(queries.providers()),
  "/settings/agents": (ask, url) => Promise.all([ask(queries.agents(askedAgents(url))), forThose("departments:read", ask, queries.departments())]),
  "/settings/departments": (ask) => ask(queries.departments()),
  "/settings/users": (ask) => Promise.all([ask(queries.users(1)), ask(queries.invitations())]),
  "/settings/quality": (ask) => ask(queries.qaRules()),
  "/settings/roles": (ask) => ask(queries.roles()),
  "/settings/api-keys": (ask) => ask(queries.apiKeys(1)),
  "/settings/audit": (ask, url) => ask(queries.audit({ page: pageOf(url) })),
};

/** Asks for what the page shows first; `id`: of the call, on its page. What fails is told by whoever shows it. */
export function askAhead(page: Address, ask: Ask, url: URLSearchParams, id = ""): void {
  Promise.resolve(AHEAD[page]?.(ask, url, id)).catch(() => undefined);
}
