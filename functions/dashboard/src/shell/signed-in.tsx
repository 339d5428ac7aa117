import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Suspense, useEffect, useState } from "react";
import { Navigate, Outlet, useLocation } from "react-router";
import { onSessionEnd, refresh } from "../api/client";
import { queries } from "../api/queries";
import { SessionProvider } from "../session";
import { Failed, Skeleton } from "../ui";
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
    refresh().then(
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

function Waiting() {
  return (
    <main className="page alone">
      <Skeleton lines={4} />
    </main>
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
        <Suspense fallback={<Waiting />}>
          <Outlet />
        </Suspense>
      </Frame>
    </SessionProvider>
  );
}
