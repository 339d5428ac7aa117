//! Where the links of our mails lead: two HTML forms without script, so that a mail is of use with nothing but a browser.

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use voicecore_api_types::Problem;

use super::auth::{MAX_NAME_CHARS, accept, choose_password};
use super::setup_page::page;
use crate::extract::{body_error, has_media_type};
use crate::fields::{PASSWORD_RULE, is_password};
use crate::html::escape;
use crate::mails::{INVITATION_PATH, RESET_PATH};
use crate::{ApiError, AppState};

const MEDIA_TYPE: &str = "application/x-www-form-urlencoded";
/// The most fields of a form that are looked at.
const MAX_FIELDS: usize = 8;

/// The form by which an invitation is accepted.
#[utoipa::path(get, path = "/invitation", tag = "auth", security(()),
    params(("token" = Option<String>, Query, description = "The token of a mail.")),
    responses(
        (status = 200, description = "The form.", body = String, content_type = "text/html"),
        (status = 429, description = "There were too many requests: `Retry-After` says how long to wait.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn show_invitation(uri: Uri) -> Response {
    page(StatusCode::OK, &invitation_form(&token_of(&uri), ""))
}

/// Accepts an invitation.
#[utoipa::path(post, path = "/invitation", tag = "auth", security(()),
    request_body(content = voicecore_api_types::AcceptInvitation, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "What to do now.", body = String, content_type = "text/html"),
        (status = 403, description = "The form again: the token is unknown, used or expired.", body = String, content_type = "text/html"),
        (status = 422, description = "The form again, with what is wrong.", body = String, content_type = "text/html"),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn submit_invitation(
    State(app): State<AppState>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let entered = Entered::read(&headers, body)?;
    let name = Some(entered.get("name").trim()).filter(|name| !name.is_empty());
    let fits =
        name.is_none_or(|name| name.chars().count() <= MAX_NAME_CHARS && !name.contains(char::is_control));
    let password = Some(entered.get("password")).filter(|password| !password.is_empty());
    let result = match entered.get("token").parse() {
        Err(_) => Err(ApiError::TokenInvalid),
        Ok(_) if !fits => Err(ApiError::invalid("name", "is too long")),
        Ok(_) if !password.is_none_or(is_password) => Err(ApiError::invalid("password", PASSWORD_RULE)),
        Ok(token) => accept(&app, &token, name, password).await,
    };
    match result {
        Ok(accepted) => {
            let text = format!(
                "<h1>Welcome</h1><p>You work for {} now. Sign in as {}.</p>",
                escape(&accepted.tenant_name),
                escape(&accepted.email)
            );
            Ok(page(StatusCode::OK, &text))
        }
        Err(error) => again(error, |wrong| invitation_form(entered.get("token"), wrong)),
    }
}

/// The form by which a new password is chosen.
#[utoipa::path(get, path = "/reset-password", tag = "auth", security(()),
    params(("token" = Option<String>, Query, description = "The token of a mail.")),
    responses(
        (status = 200, description = "The form.", body = String, content_type = "text/html"),
        (status = 429, description = "There were too many requests: `Retry-After` says how long to wait.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn show_reset(uri: Uri) -> Response {
    page(StatusCode::OK, &reset_form(&token_of(&uri), ""))
}

/// Chooses a new password.
#[utoipa::path(post, path = "/reset-password", tag = "auth", security(()),
    request_body(content = voicecore_api_types::ResetPassword, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "What to do now.", body = String, content_type = "text/html"),
        (status = 403, description = "The form again: the token is unknown, used or expired.", body = String, content_type = "text/html"),
        (status = 422, description = "The form again, with what is wrong.", body = String, content_type = "text/html"),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn submit_reset(
    State(app): State<AppState>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let entered = Entered::read(&headers, body)?;
    let password = entered.get("password");
    let result = match entered.get("token").parse() {
        Err(_) => Err(ApiError::TokenInvalid),
        Ok(_) if !is_password(password) => Err(ApiError::invalid("password", PASSWORD_RULE)),
        Ok(token) => choose_password(&app, &token, password).await,
    };
    match result {
        Ok(_) => {
            let text = "<h1>Done</h1><p>Your password is another one now. Sign in with it.</p>";
            Ok(page(StatusCode::OK, text))
        }
        Err(error) => again(error, |wrong| reset_form(entered.get("token"), wrong)),
    }
}

/// The form once more for what its user can mend.
fn again(error: ApiError, form: impl Fn(&str) -> String) -> Result<Response, ApiError> {
    if !matches!(error, ApiError::Invalid(_) | ApiError::TokenInvalid) {
        return Err(error);
    }
    let problem = error.problem();
    let wrong = match problem.errors.first() {
        Some(wrong) => format!("The {} {}.", wrong.field, wrong.message),
        None => problem.detail.unwrap_or_default(),
    };
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::BAD_REQUEST);
    Ok(page(status, &form(&wrong)))
}

fn invitation_form(token: &str, wrong: &str) -> String {
    let name = format!(
        "<label for=\"name\">Your name</label><input id=\"name\" name=\"name\" maxlength=\"{MAX_NAME_CHARS}\">"
    );
    form("Accept the invitation", INVITATION_PATH, token, wrong, &name, "Not needed if you have one already.")
}

fn reset_form(token: &str, wrong: &str) -> String {
    form("Choose a new password", RESET_PATH, token, wrong, "", "You are signed out everywhere.")
}

fn form(title: &str, action: &str, token: &str, wrong: &str, fields: &str, hint: &str) -> String {
    let wrong =
        if wrong.is_empty() { String::new() } else { format!("<p class=\"error\">{}</p>", escape(wrong)) };
    format!(
        "<h1>{title}</h1>{wrong}<form method=\"post\" action=\"{action}\" autocomplete=\"off\">\
         <input type=\"hidden\" name=\"token\" value=\"{}\">{fields}<label for=\"password\">Password</label>\
         <input type=\"password\" id=\"password\" name=\"password\" maxlength=\"256\" autocomplete=\"new-password\">\
         <small>At least 12 characters. {hint}</small><button>{title}</button></form>",
        escape(token)
    )
}

fn token_of(uri: &Uri) -> String {
    let query = uri.query().unwrap_or_default();
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(name, _)| name == "token").map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// What somebody typed.
struct Entered(Vec<(String, String)>);

impl Entered {
    fn read(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Self, ApiError> {
        if !has_media_type(headers, MEDIA_TYPE) {
            return Err(ApiError::UnsupportedMediaType);
        }
        let body = body.map_err(|e| body_error(&e))?;
        Ok(Self(form_urlencoded::parse(&body).into_owned().take(MAX_FIELDS).collect()))
    }

    fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}
