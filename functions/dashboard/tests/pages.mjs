// Every page there is. `CALL` stands for the page of a call.

import { NUMBERS_PAGES } from "./numbers.mjs";
import { PEOPLE_PAGES } from "./people.mjs";
import { SETUP_PAGES } from "./setup.mjs";
import { SIMULATED_PAGES } from "./simulated.mjs";

/** For whoever is not signed in. */
export const OUTSIDE = ["/sign-in", "/forgot-password", "/invitation?token=x", "/reset-password?token=x", "/reset-password"];

export const PAGES = [
  ...NUMBERS_PAGES, ...PEOPLE_PAGES, ...SETUP_PAGES, ...SIMULATED_PAGES, "/", "/live", "/calls", "CALL", "/messages", "/notifications", "/profile",
  "/settings/organisation", "/settings/business", "/settings/assistants", "/settings/users", "/settings/api-keys", "/settings/audit", "/gallery", "/nowhere",
];
