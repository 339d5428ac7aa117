//! The HTTP API: routes, webhooks, authentication, OpenAPI.
