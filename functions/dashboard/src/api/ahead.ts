import type { QueryClient } from "@tanstack/react-query";
import type { Params } from "react-router";

/** Begins to ask for what a page shows first, by its address. What fails is asked again, and told, by whoever shows it. */
export type Ahead = (client: QueryClient, url: URLSearchParams, params: Params) => void;
