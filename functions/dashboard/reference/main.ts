// The reference of the API at /docs: Swagger UI over the document that the API serves. Requests are tried against the API of this origin,
// with a key that is typed in and kept nowhere: it is gone when the page is.

import SwaggerUI from "swagger-ui-dist/swagger-ui-es-bundle.js";
import "swagger-ui-dist/swagger-ui.css";
import "./reference.css";

const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

const DOCUMENT = "/api/v1/openapi.json";

/** Swagger UI shows no permission of a route that is asked with a bearer: each says it in words. */
function withPermissions(text: string) {
  const document = JSON.parse(text) as { paths: Record<string, Record<string, { description?: string; security?: Record<string, string[]>[] }>> };
  for (const operation of Object.values(document.paths).flatMap((item) => Object.values(item))) {
    const needed = (operation.security ?? []).flatMap((requirement) => Object.values(requirement).flat());
    const words = needed.map((permission) => `\`${permission}\``).join(", ");
    if (needed.length > 0) operation.description = `${operation.description ?? ""}\n\nPermission: ${words}`;
  }
  return JSON.stringify(document);
}

let loaded = false;

SwaggerUI({
  url: DOCUMENT,
  responseInterceptor(response) {
    // The first answer is the document for the page; later ones are of requests that somebody tries.
    if (!loaded && response.ok) response.text = withPermissions(response.text);
    loaded ||= response.ok;
    return response;
  },
  dom_id: "#reference",
  deepLinking: true,
  docExpansion: "list",
  filter: true,
  tagsSorter: "alpha",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  persistAuthorization: false,
  // Nothing is asked of another server.
  validatorUrl: null,
});
