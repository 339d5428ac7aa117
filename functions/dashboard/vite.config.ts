import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// Everything but the reference at /docs lies below /app/: the addresses of the API, of webhooks and of mails keep their own. The page itself stands at the top, where
// Workers' static assets look for what answers every address of a single-page application.
export default defineConfig({
  plugins: [react()],
  build: {
    outDir: "dist",
    assetsDir: "app/assets",
    emptyOutDir: true,
    target: "es2022",
    // Fonts and icons stay files of their own: the policy allows no `data:` but for images.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The dashboard, and the reference of the API at /docs: one does not fetch what the other needs.
    rolldownOptions: { input: { index: "index.html", docs: "docs.html" } },
    // Swagger UI is one file; `cargo xtask build` watches its size.
    chunkSizeWarningLimit: 2_000,
  },
  server: { proxy: { "/api": { target: "http://127.0.0.1:8787", ws: true } } },
});
