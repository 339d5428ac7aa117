// What is done before anything is drawn: the session is taken up again, and the files that the page needs are fetched side by side.
// Everything else is in src/start.tsx, and comes with those.

import "@fontsource-variable/inter/wght.css";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/ui.css";
import "./styles/surfaces.css";
import "./styles/layout.css";
import "./styles/pages.css";
import "./styles/overview.css";
import "./styles/calls.css";
import "./styles/settings.css";

import { askEarly, askWho } from "./api/ahead";
import { begin, hasSession } from "./api/client";
import { askAhead } from "./pages/ahead";
import { type Address, isOutside, pageOf, parts, partsOf } from "./pages/parts";
import { keepShell } from "./shell/update";
import { simulator } from "./simulator";

/** To read the libraries takes a slow machine longer than the API takes to answer, and nothing else is done meanwhile: so long it is waited until all is asked. */
const ASKED_WITHIN_MS = 500;

/** Has what index.html has fetched read by now, while an answer is waited for. */
function readLibraries(): void {
  for (const { href } of document.querySelectorAll<HTMLLinkElement>("link[rel=preload][as=script]")) {
    const link = document.createElement("link");
    link.rel = "modulepreload";
    link.crossOrigin = "";
    link.href = href;
    document.head.append(link);
  }
}

/** Asks who is signed in and what the page shows first, as soon as there is a token; done when that is asked, or takes too long. */
async function ask(page: string, wanted: Address[]): Promise<void> {
  await begin();
  readLibraries();
  const asking = hasSession().then((signedIn) => {
    if (!signedIn) return;
    askWho(askEarly).catch(() => undefined);
    for (const part of wanted) askAhead(part, askEarly, new URLSearchParams(location.search), page.split("/").at(-1));
  });
  await Promise.race([asking, new Promise((resolve) => setTimeout(resolve, ASKED_WITHIN_MS))]);
}

/** In the place of what could not be fetched. There are no words of other languages yet. */
function failed(root: HTMLElement): void {
  const [box, text, again] = [document.createElement("main"), document.createElement("p"), document.createElement("button")];
  box.className = "state boot";
  text.textContent = "VoiceCore could not be loaded. Check the connection.";
  again.className = "button";
  again.textContent = "Try again";
  again.onclick = () => location.reload();
  box.append(text, again);
  root.replaceChildren(box);
}

async function open(root: HTMLElement): Promise<void> {
  const page = pageOf(location.pathname);
  const inside = !isOutside(page);
  keepShell();
  const wanted = partsOf(page);
  if (inside) await ask(page, wanted);
  // Should one fail, the page says so when it is drawn. Where telephones are real, nothing of the simulated one is fetched.
  for (const part of wanted) {
    if (part !== "/simulated-call" || simulator() !== null) parts[part]().catch(() => undefined);
  }
  try {
    const { start } = await import("./start");
    await start(root, inside);
  } catch {
    failed(root);
  }
}

const root = document.getElementById("root");
// Not awaited here: the parts import what this file is in, and would wait for its end.
if (root !== null) void open(root);
