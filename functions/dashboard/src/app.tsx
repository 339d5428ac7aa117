import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import type { ComponentType } from "react";
import { I18nProvider, RouterProvider as AriaRouter } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { createBrowserRouter, type LoaderFunction, type NavigateOptions, Outlet, type RouteObject, useHref, useNavigate } from "react-router";
import { RouterProvider } from "react-router/dom";
import type { Ahead } from "./api/ahead";
import { ApiFailure, hasSession } from "./api/client";
import { queries } from "./api/queries";
import { ForgotPassword } from "./pages/forgot-password";
import { parts } from "./pages/parts";
import { SignIn } from "./pages/sign-in";
import type { Permission } from "./session";
import { Home } from "./shell/home";
import { NotFound, Broken } from "./shell/not-found";
import { Need } from "./shell/need";
import { SignedIn, Waiting, whoAndHow } from "./shell/signed-in";
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

declare module "react-aria-components" {
  interface RouterConfig {
    routerOptions: NavigateOptions;
  }
}

function Root() {
  const navigate = useNavigate();
  const { i18n } = useTranslation();
  return (
    <I18nProvider locale={i18n.language}>
      <AriaRouter navigate={navigate} useHref={useHref}>
        <Outlet />
        <Toasts />
      </AriaRouter>
    </I18nProvider>
  );
}

const simulated = simulator();

/** Pages within the frame, which stays when one of them breaks. */
const framed = (pages: RouteObject[]): RouteObject[] => [{ ErrorBoundary: Broken, children: pages }];

/** A page whose part is fetched when it is opened. What it shows first is asked for at once, also while the frame around it is still waited for. */
function page<Part extends object>(path: string, part: () => Promise<Part>, of: (part: Part) => ComponentType, then: Partial<IndexlessRoute> = {}): RouteObject {
  return {
    path,
    ...then,
    lazy: async () => {
      const module = await part();
      const { ahead } = module as { ahead?: Ahead };
      return { Component: of(module), ...(ahead === undefined ? {} : { loader: asking(ahead) }) };
    },
  };
}

type IndexlessRoute = Extract<RouteObject, { index?: false | undefined }>;

/** Asks for it as soon as there is a session, and waits for nothing. */
function asking(ahead: Ahead): LoaderFunction {
  return ({ request, params }) => {
    void hasSession().then((signedIn) => {
      if (signedIn) ahead(client, new URL(request.url).searchParams, params);
    });
    return null;
  };
}

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
          loader: asking(whoAndHow),
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

/** Done when it is known who is signed in, or that nobody is, or that it cannot be found out. */
export async function known(): Promise<void> {
  if (await hasSession()) await client.prefetchQuery(queries.me());
}

export function App() {
  return (
    <QueryClientProvider client={client}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  );
}
