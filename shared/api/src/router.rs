//! Every route, once.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, on};
use utoipa::{OpenApi as _, Path};
use utoipa_axum::PathItemExt as _;
use utoipa_axum::router::OpenApiRouter;

use crate::routes::{audit, calls, health, live, messages, openapi, providers, setup, setup_page};
use crate::{ApiError, AppState, MAX_BODY_BYTES, cors, layers, webhooks};

/// The documented routes, once: `$make` makes a router or a document of them.
macro_rules! documented_routes {
    ($make:ident) => {
        $make! {
            health::health,
            health::ready,
            openapi::openapi,
            setup_page::show_setup,
            setup_page::submit_setup,
            setup::claim_setup,
            calls::list_calls,
            calls::get_call,
            calls::list_interactions,
            calls::end_call,
            messages::list_messages,
            audit::list_audit,
            audit::verify_audit,
            audit::export_audit,
            providers::list_providers,
            providers::put_provider,
            providers::delete_provider,
            live::create_ticket,
            live::live,
        }
    };
}

/// Uses paths and methods of the descriptions and nothing else, so that the rest of them (a fifth of the worker, once)
/// is not linked into who only serves.
macro_rules! serve {
    ($($module:ident::$handler:ident,)+) => {
        pastey::paste! {
            Router::new()
                $(.route(
                    &$module::[<__path_ $handler>]::path(),
                    on(methods::<$module::[<__path_ $handler>]>(), $module::$handler),
                ))+
        }
    };
}

macro_rules! describe {
    ($($module:ident::$handler:ident,)+) => {
        OpenApiRouter::<AppState>::with_openapi(openapi::ApiDoc::openapi())
            $(.routes(utoipa_axum::routes!($module::$handler)))+
            .into_openapi()
    };
}

fn methods<P: Path>() -> MethodFilter {
    let methods = P::methods().into_iter().map(|method| method.to_method_filter());
    // `utoipa::path` does not compile without a method.
    methods.reduce(MethodFilter::or).unwrap_or(MethodFilter::GET)
}

/// The OpenAPI document as the code has it. What is served is the copy in `openapi.json`, which a test holds equal.
pub fn openapi_document() -> utoipa::openapi::OpenApi {
    documented_routes!(describe)
}

/// The whole HTTP surface but the two WebSocket upgrades, which adapters take before (`media::authorize_upgrade`,
/// `live::open_ticket`).
pub fn router(app: AppState) -> Router {
    documented_routes!(serve)
        .merge(webhooks::twilio::routes())
        .route("/media/{call_id}", axum::routing::get(|| async { ApiError::UpgradeRequired }))
        .fallback(|| async { ApiError::NotFound })
        .method_not_allowed_fallback(|| async { ApiError::MethodNotAllowed })
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(from_fn_with_state(app.clone(), cors::cors))
        .layer(from_fn_with_state(app.clone(), layers::finish))
        .layer(from_fn_with_state(app.clone(), layers::read_out))
        .with_state(app)
}
