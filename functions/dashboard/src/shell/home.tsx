import { lazy } from "react";
import { Navigate } from "react-router";
import { useMay } from "../session";

const Overview = lazy(async () => ({ default: (await import("../pages/overview")).Overview }));

/** The first page: the overview for whoever sees calls, their own profile for everybody else. */
export function Home() {
  return useMay("calls:read") ? <Overview /> : <Navigate to="/profile" replace />;
}
