//! Examples in the OpenAPI document that nobody has to write: a page shows the example of its rows, and an error is what the code answers.
//! All others stand beside their types. Like the document, they are linked into nothing that serves.

use serde_json::{Value, json};
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::schema::{ArrayItems, Object, Schema};
use utoipa::openapi::{Content, OpenApi, PathItem, RefOr, Response};
use voicecore_api_types::{FieldError, Problem};
use voicecore_domain::Permission;
use voicecore_types::Millis;

use crate::error_responses::{ERRORS, PROBLEM};
use crate::{ApiError, ConfigMissing};

/// How the names of the schemas of pages begin.
const PAGE: &str = "Page_";
/// Whose conflicts are those of a call.
const INTERVENE: &str = "/api/v1/calls/{id}/intervene";

/// The document with an example of each page and of each error.
pub(crate) fn shown(mut document: OpenApi) -> OpenApi {
    let components = document.components.get_or_insert_default();
    for (name, schema) in &mut components.schemas {
        if let (true, RefOr::T(Schema::Object(page))) = (name.starts_with(PAGE), schema) {
            show_page(page);
        }
    }
    for (status, name, _) in ERRORS {
        if let Some(RefOr::T(response)) = components.responses.get_mut(name) {
            show_errors(status, "", response);
        }
    }
    for (path, item) in &mut document.paths.paths {
        let PathItem { get, put, post, delete, patch, .. } = item;
        for operation in [get, put, post, delete, patch].into_iter().flatten() {
            for (status, response) in &mut operation.responses.responses {
                if let RefOr::T(response) = response {
                    show_errors(status, path, response);
                }
            }
        }
    }
    document
}

/// The only page of a list. What is shown there is not shown of the rows again.
fn show_page(page: &mut Object) {
    let Some(RefOr::T(Schema::Array(items))) = page.properties.get_mut("items") else { return };
    let ArrayItems::RefOrSchema(row) = &mut items.items else { return };
    let RefOr::T(Schema::Object(row)) = row.as_mut() else { return };
    let rows = std::mem::take(&mut row.examples);
    page.examples = vec![json!({
        "total": rows.len(), "items": rows, "total_capped": false, "page": 1, "page_size": 50,
    })];
}

fn show_errors(status: &str, path: &str, response: &mut Response) {
    let described = response.description.clone();
    let Some(RefOr::T(content)) = response.content.get_mut(PROBLEM) else { return };
    for error in errors(status, path) {
        let mut problem = error.problem();
        // What stands against it there is what the description says.
        if matches!(error, ApiError::Conflict(_)) && !path.is_empty() {
            problem.detail = Some(described.clone());
        }
        show(content, name(&error, &problem), &problem);
    }
}

fn show(content: &mut Content, name: String, problem: &Problem) {
    let value = serde_json::to_value(problem).ok();
    content.examples.insert(name, RefOr::T(ExampleBuilder::new().value(value).build()));
}

/// Its code. Two things are malformed.
fn name(error: &ApiError, problem: &Problem) -> String {
    let code = serde_json::to_value(problem.code);
    match (error, code) {
        (ApiError::Parameters(_), _) => "malformed_parameters".to_owned(),
        (_, Ok(Value::String(code))) => code,
        _ => problem.title.clone(),
    }
}

/// What is answered with this status, wherever it can be; at a path, what is answered there.
fn errors(status: &str, path: &str) -> Vec<ApiError> {
    match (status, path) {
        ("401", "/api/v1/auth/login") => vec![ApiError::LoginRefused],
        ("429", "/api/v1/auth/login") => vec![ApiError::TooManyAttempts(Millis::from_secs(60)), limited()],
        ("403", "/api/v1/auth/accept-invitation" | "/api/v1/auth/reset-password") => {
            vec![ApiError::TokenInvalid]
        }
        ("403", "/api/v1/setup/claim") => vec![ApiError::SetupTokenInvalid],
        ("409", INTERVENE) => {
            vec![ApiError::CallOver, ApiError::CallTurnBased, ApiError::RequestInProgress]
        }
        ("400", _) => vec![
            ApiError::Malformed("The body is not JSON (line 1, column 0).".to_owned()),
            ApiError::Parameters(vec![field("page", "is of the wrong type, or none of its words")]),
        ],
        ("401", _) => vec![ApiError::Unauthenticated(None)],
        ("403", _) => vec![ApiError::Forbidden(Permission::ConfigWrite), ApiError::TenantSuspended],
        ("404", _) => vec![ApiError::NotFound],
        ("409", "") => {
            vec![ApiError::Conflict("There is one with this name already."), ApiError::RequestInProgress]
        }
        ("409", _) => vec![ApiError::Conflict("There is one with this name already.")],
        ("412", _) => vec![ApiError::PreconditionFailed],
        ("413", _) => vec![ApiError::PayloadTooLarge],
        ("415", _) => vec![ApiError::UnsupportedMediaType],
        ("422", _) => vec![
            ApiError::Invalid(vec![field(
                "phone_number",
                "must be a number in E.164 form, such as +15005550006",
            )]),
            ApiError::IdempotencyKeyReused,
        ],
        ("426", _) => vec![ApiError::UpgradeRequired],
        ("428", _) => vec![ApiError::PreconditionRequired],
        ("429", _) => vec![limited()],
        ("500", _) => vec![ApiError::Internal(String::new())],
        ("501", _) => {
            vec![ApiError::Unsupported("This deployment has no live stream: its platform has no sockets.")]
        }
        ("503", _) => vec![
            ApiError::Unavailable { part: "database", cause: String::new() },
            ApiError::ConfigMissing(vec![ConfigMissing { name: "PUBLIC_URL", invalid: false }]),
        ],
        _ => vec![],
    }
}

fn limited() -> ApiError {
    ApiError::RateLimited(Millis::from_secs(60))
}

fn field(field: &str, message: &str) -> FieldError {
    FieldError { field: field.to_owned(), message: message.to_owned() }
}
