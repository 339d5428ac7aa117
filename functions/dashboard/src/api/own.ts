// What somebody prefers. The API keeps it for each organisation; for whoever works in none, as those may who only run the installation, this device does.

import { answer, api, ApiFailure, type Schema } from "./client";

type Preferences = Schema["Preferences"];

const KEPT = "voicecore.preferences";
const NONE: Preferences = { theme: null, language: null, layout: {}, version: 0 };

/** The API's answer to whoever works in no organisation. */
const isNowhere = (error: unknown) => error instanceof ApiFailure && error.code === "conflict";

export async function readPreferences(): Promise<Preferences> {
  try {
    return await answer(api.GET("/api/v1/preferences"));
  } catch (error) {
    if (!isNowhere(error)) throw error;
  }
  try {
    return { ...NONE, ...(JSON.parse(localStorage.getItem(KEPT) ?? "{}") as object) };
  } catch {
    // Storage may be forbidden, or hold something else.
    return NONE;
  }
}

export async function savePreferences(body: Schema["SavePreferences"]): Promise<Preferences> {
  try {
    return await answer(api.PUT("/api/v1/preferences", { body }));
  } catch (error) {
    if (!isNowhere(error)) throw error;
  }
  try {
    localStorage.setItem(KEPT, JSON.stringify(body));
  } catch {
    // Then it holds as long as the page is open.
  }
  return { ...NONE, ...body } as Preferences;
}
