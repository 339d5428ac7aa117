import type { Schema } from "../../api/client";

/** Kinds of business, in the order in which they are offered. */
export const KINDS = ["customer_support", "sales", "appointments", "custom"] as const satisfies readonly Schema["BusinessKind"][];
