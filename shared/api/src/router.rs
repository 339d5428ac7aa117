//! Every route, once.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::routes::{calls, health, live, messages, openapi, setup, setup_page};
use crate::{ApiError, AppState, MAX_BODY_BYTES, layers, webhooks};

/// The routes of the OpenAPI document.
fn api() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(openapi::ApiDoc::openapi())
        .routes(routes!(health::health))
        .routes(routes!(health::ready))
        .routes(routes!(openapi::openapi))
        .routes(routes!(setup_page::show_setup, setup_page::submit_setup))
        .routes(routes!(setup::claim_setup))
        .routes(routes!(calls::list_calls))
        .routes(routes!(calls::get_call))
        .routes(routes!(calls::list_interactions))
        .routes(routes!(calls::end_call))
        .routes(routes!(messages::list_messages))
        .routes(routes!(live::create_ticket))
        .routes(routes!(live::live))
}

/// The OpenAPI document: what `GET /api/v1/openapi.json` answers.
pub fn openapi_document() -> utoipa::openapi::OpenApi {
    api().into_openapi()
}

/// The whole HTTP surface but the two WebSocket upgrades, which adapters take before (`media::authorize_upgrade`,
/// `live::open_ticket`).
pub fn router(app: AppState) -> Router {
    let (api, _) = api().split_for_parts();
    api.merge(webhooks::twilio::routes())
        .route("/media/{call_id}", axum::routing::get(|| async { ApiError::UpgradeRequired }))
        .fallback(|| async { ApiError::NotFound })
        .method_not_allowed_fallback(|| async { ApiError::MethodNotAllowed })
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(from_fn_with_state(app.clone(), layers::finish))
        .with_state(app)
}
