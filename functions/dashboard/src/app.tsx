import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import type { ComponentType } from "react";
import { createBrowserRouter, Outlet, type RouteObject } from "react-router";
import { RouterProvider } from "react-router/dom";
import { type Ask, askWho, handOver } from "./api/ahead";
import { ApiFailure, hasSession } from "./api/client";
import { queries } from "./api/queries";
import { Languages } from "./i18n";
import { askAhead } from "./pages/ahead";
import { ForgotPassword } from "./pages/forgot-password";
import { type Address, parts } from "./pages/parts";
import { SignIn } from "./pages/sign-in";
import type { Permission } from "./session";
import { Home } from "./shell/home";
import { NotFound, Broken } from "./shell/not-found";
import { Need } from "./shell/need";
import { SignedIn, Waiting } from "./shell/signed-in";
import { simulator } from "./simulator";
import { Toasts } from "./ui/toast";

/** How often something that may pass by itself is asked again. */
const RETRIES = 2;

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      retry: (count, error) => count < RETRIES && error instanceof ApiFailure && (error.status === 0 || error.status >= 500),
      networkMode: "always",
    },
    mutations: { networkMode: "always" },
  },
});

function Root() {
  return (
    <>
      <Outlet />
      <Toasts />
    </>
  );
}

const simulated = simulator();

/** Pages within the frame, which stays when one of them breaks. */
const framed = (pages: RouteObject[]): RouteObject[] => [{ ErrorBoundary: Broken, children: pages }];

/** A page whose part is fetched when it is opened. What it shows first is asked for at once, also while the frame around it is still waited for. */
function page<Part extends object>(path: Address, part: () => Promise<Part>, of: (part: Part) => ComponentType, then: Partial<IndexlessRoute> = {}): RouteObject {
  return {
    path,
    ...then,
    loader: ({ request, params }) => {
      void hasSession().then((signedIn) => signedIn && askAhead(path, ask, new URL(request.url).searchParams, params.id));
      return null;
    },
    lazy: { Component: async () => of(await part()) },
  };
}

type IndexlessRoute = Extract<RouteObject, { index?: false | undefined }>;

/** Asks for it unless it is known; should that fail, whoever shows it asks again. */
const ask: Ask = (query) => client.ensureQueryData({ ...query, retry: false }) as never;

// What was asked before there was a cache is in it before anything is asked for a page.
for (const { query, answered } of handOver(ask)) void client.prefetchQuery({ ...query, queryFn: () => answered, retry: false });

const needed = (permission: Permission, ...children: RouteObject[]): RouteObject => ({ element: <Need permission={permission} />, children });

const router = createBrowserRouter(
  [
    {
      Component: Root,
      ErrorBoundary: Broken,
      HydrateFallback: Waiting,
      children: [
        { path: "/sign-in", Component: SignIn },
        { path: "/forgot-password", Component: ForgotPassword },
        page("/invitation", parts["/invitation"], (part) => part.AcceptInvitation),
        page("/reset-password", parts["/reset-password"], (part) => part.ResetPassword),
        page("/gallery", parts["/gallery"], (part) => part.Gallery),
        {
          Component: SignedIn,
          ErrorBoundary: Broken,
          loader: () => {
            void hasSession().then((signedIn) => (signedIn ? askWho(ask) : undefined)).catch(() => undefined);
            return null;
          },
          // Who one is does not change with the address.
          shouldRevalidate: () => false,
          children: framed([
            { Component: Home, children: [page("/", parts["/"], (part) => part.Overview)] },
            needed(
              "calls:read",
              page("/calls", parts["/calls"], (part) => part.Calls),
              page("/calls/:id", parts["/calls/:id"], (part) => part.CallPage),
              needed("live:read", page("/live", parts["/live"], (part) => part.Live)),
            ),
            needed("messages:read", page("/messages", parts["/messages"], (part) => part.Messages)),
            ...(simulated === null
              ? []
              : [needed("config:read", page("/simulated-call", parts["/simulated-call"], ({ SimulatedCall }) => () => <SimulatedCall url={simulated} />))]),
            {
              element: <Need permission="config:write" and="departments:all" />,
              children: [page("/setup", parts["/setup"], (part) => part.Setup)],
            },
            page("/notifications", parts["/notifications"], (part) => part.NotificationsPage),
            page("/profile", parts["/profile"], (part) => part.Profile),
            page("/settings", parts["/settings"], (part) => part.Settings, {
              children: [
                needed(
                  "config:read",
                  page("/settings/organisation", parts["/settings/organisation"], (part) => part.Organisation),
                  page("/settings/business", parts["/settings/business"], (part) => part.Businesses),
                  page("/settings/assistants", parts["/settings/assistants"], (part) => part.Assistants),
                  page("/settings/phone-numbers", parts["/settings/phone-numbers"], (part) => part.PhoneNumbers),
                  page("/settings/providers", parts["/settings/providers"], (part) => part.ProviderAccounts),
                ),
                needed("agents:read", page("/settings/agents", parts["/settings/agents"], (part) => part.Agents)),
                needed("qa:read", page("/settings/quality", parts["/settings/quality"], (part) => part.QualityRules)),
                needed("departments:read", page("/settings/departments", parts["/settings/departments"], (part) => part.Departments)),
                needed("users:read", page("/settings/users", parts["/settings/users"], (part) => part.Users)),
                needed("roles:read", page("/settings/roles", parts["/settings/roles"], (part) => part.Roles)),
                needed("api_keys:read", page("/settings/api-keys", parts["/settings/api-keys"], (part) => part.ApiKeys)),
                needed("audit:read", page("/settings/audit", parts["/settings/audit"], (part) => part.Audit)),
              ],
            }),
            { path: "*", Component: NotFound },
          ]),
        },
      ],
    },
  ],
  { basename: "/app" },
);

/** Done when it is known who is signed in, or that nobody is, or that it cannot be found out, and the page's part is there. */
export async function known(): Promise<void> {
  const opened = new Promise<void>((resolve) => {
    const look = () => (router.state.initialized ? resolve() : undefined);
    router.subscribe(look);
    look();
  });
  if (await hasSession()) await client.prefetchQuery(queries.me());
  await opened;
}

export function App() {
  return (
    <QueryClientProvider client={client}>
      <Languages>
        <RouterProvider router={router} />
      </Languages>
    </QueryClientProvider>
  );
}
