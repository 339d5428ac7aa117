import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App, known } from "./app";
import { startLanguages } from "./i18n";
import { fetchWithFirstSign } from "./ui/later";

/** Nothing is drawn for so long while it is found out who is signed in: to draw what is there already would only take the time from that. */
const KNOWN_WITHIN_MS = 1_000;

/** Draws the dashboard in the place of what index.html has there; `inside`: its page is for whoever is signed in. */
export async function start(root: HTMLElement, inside: boolean): Promise<void> {
  const late = new Promise((resolve) => setTimeout(resolve, KNOWN_WITHIN_MS));
  await Promise.all([startLanguages(), inside ? Promise.race([known(), late]) : null]);
  fetchWithFirstSign();
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
