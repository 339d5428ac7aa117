// What is done before anything is drawn: the session is taken up again, and the files that the page needs are fetched side by side.
// Everything else is in src/start.tsx, and comes with those.

import "@fontsource-variable/inter/wght.css";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/ui.css";
import "./styles/surfaces.css";
import "./styles/layout.css";
import "./styles/pages.css";
import "./styles/calls.css";
import "./styles/settings.css";

import { begin } from "./api/client";
import { isOutside, pageOf, parts, partsOf } from "./pages/parts";
import { keepShell } from "./shell/update";
import { simulator } from "./simulator";

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
  if (inside) begin();
  // Should one fail, the page says so when it is drawn. Where telephones are real, nothing of the simulated one is fetched.
  for (const part of partsOf(page)) {
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
