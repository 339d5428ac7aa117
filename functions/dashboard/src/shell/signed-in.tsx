import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { Navigate, Outlet, useLocation } from "react-router";
import { onSessionEnd, resume } from "../api/client";
import { queries } from "../api/queries";
import { useTranslation } from "../i18n";
import { SessionProvider } from "../session";
import { Failed } from "../ui";
import { Frame } from "./frame";

type State = { kind: "asking" } | { kind: "in" } | { kind: "out"; ended: boolean } | { kind: "failed"; error: unknown };

/** Everything that needs somebody signed in; the others are sent to sign in, and back. */
export function SignedIn() {
  const client = useQueryClient();
  const known = client.getQueryData(queries.me().queryKey) !== undefined;
  const [state, setState] = useState<State>(known ? { kind: "in" } : { kind: "asking" });
  const [tries, setTries] = useState(0);
  const { pathname, search } = useLocation();

  useEffect(() => {
    if (state.kind !== "asking") return;
    resume().then(
      (signedIn) => setState(signedIn ? { kind: "in" } : { kind: "out", ended: false }),
      (error: unknown) => setState({ kind: "failed", error }),
    );
  }, [state.kind, tries]);

  useEffect(
    () =>
      onSessionEnd(() => {
        client.clear();
        setState({ kind: "out", ended: true });
      }),
    [client],
  );

  if (state.kind === "out") {
    return <Navigate to="/sign-in" replace state={{ to: `${pathname}${search}`, ended: state.ended }} />;
  }
  if (state.kind === "failed") {
    const again = () => {
      setState({ kind: "asking" });
      setTries(tries + 1);
    };
    return (
      <main className="page alone">
        <Failed error={state.error} retry={again} />
      </main>
    );
  }
  return state.kind === "in" ? <Inside /> : <Waiting />;
}

/** The same as in index.html: nothing moves from there on until there is a page. */
export function Waiting() {
  const { t } = useTranslation();
  return (
    <div className="boot" role="status">
      <img src="/app/icon.svg" alt={t("common.loading")} width="40" height="40" />
    </div>
  );
}

function Inside() {
  const me = useQuery(queries.me());
  if (me.isError && me.data === undefined) {
    return (
      <main className="page alone">
        <Failed error={me.error} retry={() => void me.refetch()} />
      </main>
    );
  }
  if (me.data === undefined) return <Waiting />;
  return (
    <SessionProvider me={me.data}>
      <Frame>
        <Outlet />
      </Frame>
    </SessionProvider>
  );
}
