import { Navigate, Outlet } from "react-router";
import { useMay } from "../session";

/** The first page: the overview for whoever sees calls, their own profile for everybody else. */
export function Home() {
  return useMay("calls:read") ? <Outlet /> : <Navigate to="/profile" replace />;
}
