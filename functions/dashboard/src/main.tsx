import "@fontsource-variable/inter/wght.css";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/ui.css";
import "./styles/surfaces.css";
import "./styles/layout.css";
import "./styles/pages.css";
import "./styles/calls.css";
import "./styles/settings.css";

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app";
import { startLanguages } from "./i18n";
import { keepShell } from "./shell/update";

const root = document.getElementById("root");
keepShell();
if (root !== null) {
  await startLanguages();
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
