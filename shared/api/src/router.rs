//! Every route, once.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodFilter, on};
use utoipa::{OpenApi as _, Path};
use utoipa_axum::PathItemExt as _;
use utoipa_axum::router::OpenApiRouter;

use crate::routes::{
    account_pages, accounts, agents, analytics, api_keys, assistant_versions, assistants, audit, auth,
    businesses, calls, departments, health, interventions, live, messages, notes, notifications, openapi,
    opening_hours, phone_numbers, preferences, providers, qa, roles, saved_views, sessions, setup,
    setup_page, setup_progress, tenant_deletion, tenants, test_calls, test_connection, transcripts, users,
};
use crate::{
    ApiError, AppState, MAX_BODY_BYTES, cors, error_responses, examples, idempotency, layers, rate_limits,
    webhooks,
};

/// The documented routes, once: `$make` makes a router or a document of them.
macro_rules! documented_routes {
    ($make:ident) => {
        $make! {
            health::health,
            health::ready,
            setup_page::show_setup,
            setup_page::submit_setup,
            setup::claim_setup,
            setup_progress::get_progress,
            setup_progress::put_progress,
            setup_progress::complete_setup,
            calls::list_calls,
            calls::get_call,
            calls::list_interactions,
            interventions::end_call,
            interventions::intervene,
            transcripts::export_transcript,
            qa::get_call_qa,
            qa::evaluate_call,
            notes::find_notes,
            notes::list_notes,
            notes::get_note,
            notes::create_note,
            notes::update_note,
            notes::delete_note,
            agents::list_agents,
            agents::get_agent,
            agents::create_agent,
            agents::update_agent,
            agents::delete_agent,
            agents::set_availability,
            agents::agent_usage,
            analytics::overview,
            analytics::call_volume,
            messages::list_messages,
            messages::get_message,
            messages::update_message,
            messages::delete_message,
            businesses::list_businesses,
            businesses::get_business,
            businesses::business_usage,
            businesses::create_business,
            businesses::update_business,
            businesses::delete_business,
            assistants::list_assistants,
            assistants::get_assistant,
            assistants::create_assistant,
            assistants::update_assistant,
            assistants::delete_assistant,
            assistant_versions::publish_assistant,
            assistant_versions::list_versions,
            assistant_versions::get_version,
            assistant_versions::restore_version,
            test_calls::start_test_call,
            test_calls::get_test_call,
            test_calls::say_in_test_call,
            test_calls::end_test_call,
            audit::list_audit,
            audit::verify_audit,
            audit::export_audit,
            providers::list_providers,
            providers::put_provider,
            providers::delete_provider,
            test_connection::test_connection,
            qa::get_rules,
            qa::put_rules,
            phone_numbers::list_phone_numbers,
            phone_numbers::get_phone_number,
            phone_numbers::create_phone_number,
            phone_numbers::update_phone_number,
            phone_numbers::delete_phone_number,
            phone_numbers::diagnose_phone_number,
            preferences::get_preferences,
            preferences::put_preferences,
            notifications::list_notifications,
            notifications::unread_count,
            notifications::read_all_notifications,
            notifications::read_notification,
            notifications::delete_notification,
            saved_views::list_views,
            saved_views::get_view,
            saved_views::create_view,
            saved_views::update_view,
            saved_views::delete_view,
            live::create_ticket,
            live::live,
            auth::login,
            auth::refresh,
            auth::logout,
            auth::switch_tenant,
            auth::forgot_password,
            auth::reset_password,
            auth::accept_invitation,
            account_pages::show_invitation,
            account_pages::submit_invitation,
            account_pages::show_reset,
            account_pages::submit_reset,
            sessions::me,
            sessions::list_sessions,
            sessions::revoke_session,
            sessions::revoke_other_sessions,
            users::list_users,
            users::get_user,
            users::update_user,
            users::remove_user,
            users::invite_user,
            users::list_invitations,
            users::revoke_invitation,
            roles::list_roles,
            roles::get_role,
            roles::create_role,
            roles::update_role,
            roles::delete_role,
            departments::list_departments,
            departments::get_department,
            departments::create_department,
            departments::update_department,
            departments::delete_department,
            departments::assign_business,
            opening_hours::get_opening_hours,
            opening_hours::put_opening_hours,
            opening_hours::delete_opening_hours,
            api_keys::list_api_keys,
            api_keys::get_api_key,
            api_keys::create_api_key,
            api_keys::rotate_api_key,
            api_keys::revoke_api_key,
            tenants::list_tenants,
            tenants::get_tenant,
            tenants::create_tenant,
            tenants::update_tenant,
            tenants::get_own_tenant,
            tenants::update_own_tenant,
            tenants::suspend_tenant,
            tenants::resume_tenant,
            tenants::impersonate,
            tenant_deletion::delete_tenant,
            tenant_deletion::get_deletion,
            accounts::find_account,
            accounts::deactivate_account,
            accounts::reactivate_account,
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

/// The OpenAPI document as the code has it. What is served, as a file beside the dashboard's, is the copy in `openapi.json`, which a test
/// holds equal.
pub fn openapi_document() -> utoipa::openapi::OpenApi {
    examples::shown(error_responses::spelled_out(documented_routes!(describe)))
}

/// The whole HTTP surface but the two WebSocket upgrades, which adapters take before (`media::authorize_upgrade`,
/// `admit_stranger` and `live::open_ticket`).
pub fn router(app: AppState) -> Router {
    documented_routes!(serve)
        .merge(webhooks::twilio::routes())
        .route("/media/{call_id}", axum::routing::get(|| async { ApiError::UpgradeRequired }))
        .fallback(|| async { ApiError::NotFound })
        .method_not_allowed_fallback(|| async { ApiError::MethodNotAllowed })
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(from_fn(idempotency::carry_out_once))
        .layer(from_fn_with_state(app.clone(), rate_limits::strangers))
        .layer(from_fn_with_state(app.clone(), cors::cors))
        .layer(from_fn_with_state(app.clone(), layers::finish))
        .layer(from_fn_with_state(app.clone(), layers::read_out))
        .with_state(app)
}
