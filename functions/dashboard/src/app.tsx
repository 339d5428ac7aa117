import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { I18nProvider, RouterProvider as AriaRouter } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { createBrowserRouter, type NavigateOptions, Outlet, type RouteObject, useHref, useNavigate } from "react-router";
import { RouterProvider } from "react-router/dom";
import { ApiFailure } from "./api/client";
import { ForgotPassword } from "./pages/forgot-password";
import { SignIn } from "./pages/sign-in";
import { Home } from "./shell/home";
import { NotFound, Broken } from "./shell/not-found";
import { Need } from "./shell/need";
import { SignedIn } from "./shell/signed-in";
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

const router = createBrowserRouter(
  [
    {
      Component: Root,
      ErrorBoundary: Broken,
      HydrateFallback: () => null,
      children: [
        { path: "/sign-in", Component: SignIn },
        { path: "/forgot-password", Component: ForgotPassword },
        { path: "/invitation", lazy: async () => ({ Component: (await import("./pages/token-forms")).AcceptInvitation }) },
        { path: "/reset-password", lazy: async () => ({ Component: (await import("./pages/token-forms")).ResetPassword }) },
        { path: "/gallery", lazy: async () => ({ Component: (await import("./pages/gallery")).Gallery }) },
        {
          Component: SignedIn,
          ErrorBoundary: Broken,
          children: framed([
            { path: "/", Component: Home },
            {
              element: <Need permission="calls:read" />,
              children: [
                { path: "/calls", lazy: async () => ({ Component: (await import("./pages/calls")).Calls }) },
                { path: "/calls/:id", lazy: async () => ({ Component: (await import("./pages/call")).CallPage }) },
                {
                  element: <Need permission="live:read" />,
                  children: [{ path: "/live", lazy: async () => ({ Component: (await import("./pages/live")).Live }) }],
                },
              ],
            },
            {
              element: <Need permission="messages:read" />,
              children: [{ path: "/messages", lazy: async () => ({ Component: (await import("./pages/messages")).Messages }) }],
            },
            ...(simulated === null
              ? []
              : [
                  {
                    element: <Need permission="config:read" />,
                    children: [
                      {
                        path: "/simulated-call",
                        lazy: async () => {
                          const { SimulatedCall } = await import("./pages/simulated-call");
                          return { element: <SimulatedCall url={simulated} /> };
                        },
                      },
                    ],
                  },
                ]),
            {
              element: <Need permission="config:write" and="departments:all" />,
              children: [{ path: "/setup", lazy: async () => ({ Component: (await import("./pages/setup/setup")).Setup }) }],
            },
            { path: "/notifications", lazy: async () => ({ Component: (await import("./pages/notifications")).NotificationsPage }) },
            { path: "/profile", lazy: async () => ({ Component: (await import("./pages/profile")).Profile }) },
            {
              path: "/settings",
              lazy: async () => ({ Component: (await import("./pages/settings/layout")).Settings }),
              children: [
                {
                  element: <Need permission="config:read" />,
                  children: [
                    { path: "business", lazy: async () => ({ Component: (await import("./pages/settings/business")).Businesses }) },
                    { path: "phone-numbers", lazy: async () => ({ Component: (await import("./pages/settings/numbers")).PhoneNumbers }) },
                    { path: "providers", lazy: async () => ({ Component: (await import("./pages/settings/providers")).ProviderAccounts }) },
                    { path: "assistants", lazy: async () => ({ Component: (await import("./pages/settings/assistants")).Assistants }) },
                  ],
                },
                {
                  element: <Need permission="agents:read" />,
                  children: [{ path: "agents", lazy: async () => ({ Component: (await import("./pages/settings/agents")).Agents }) }],
                },
                {
                  element: <Need permission="departments:read" />,
                  children: [{ path: "departments", lazy: async () => ({ Component: (await import("./pages/settings/departments")).Departments }) }],
                },
                {
                  element: <Need permission="roles:read" />,
                  children: [{ path: "roles", lazy: async () => ({ Component: (await import("./pages/settings/roles")).Roles }) }],
                },
                {
                  element: <Need permission="users:read" />,
                  children: [{ path: "users", lazy: async () => ({ Component: (await import("./pages/settings/users")).Users }) }],
                },
                {
                  element: <Need permission="api_keys:read" />,
                  children: [{ path: "api-keys", lazy: async () => ({ Component: (await import("./pages/settings/api-keys")).ApiKeys }) }],
                },
                {
                  element: <Need permission="audit:read" />,
                  children: [{ path: "audit", lazy: async () => ({ Component: (await import("./pages/settings/audit")).Audit }) }],
                },
              ],
            },
            { path: "*", Component: NotFound },
          ]),
        },
      ],
    },
  ],
  { basename: "/app" },
);

export function App() {
  return (
    <QueryClientProvider client={client}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  );
}
