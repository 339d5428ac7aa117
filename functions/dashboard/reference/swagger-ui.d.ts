// The package has no types. What is used of it: https://swagger.io/docs/open-source-tools/swagger-ui/usage/configuration/
declare module "swagger-ui-dist/swagger-ui-es-bundle.js" {
  interface Response {
    ok: boolean;
    text: string;
  }
  interface Options {
    url: string;
    responseInterceptor: (response: Response) => Response;
    dom_id: string;
    deepLinking: boolean;
    docExpansion: "list" | "full" | "none";
    filter: boolean;
    tagsSorter: "alpha";
    defaultModelsExpandDepth: number;
    displayRequestDuration: boolean;
    tryItOutEnabled: boolean;
    persistAuthorization: boolean;
    validatorUrl: string | null;
  }
  export default function SwaggerUI(options: Options): unknown;
}
