//! The set-up page: one HTML form, no script, so that a deployed system can be set up with nothing but a browser.

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use voicecore_api_types::{Problem, SetupClaim, SetupResult};
use voicecore_domain::greeting::MAX_GREETING_CHARS;

use super::setup;
use crate::extract::{body_error, has_media_type};
use crate::html::escape;
use crate::{ApiError, AppState};

/// Nothing is loaded from anywhere, nothing runs, and the form goes nowhere but here.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; \
                           frame-ancestors 'none'";
const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem}\
                     label{display:block;margin:1rem 0 .25rem}input,textarea{width:100%;font:inherit;padding:.4rem;\
                     box-sizing:border-box}button{font:inherit;margin-top:1.5rem;padding:.5rem 1.5rem}\
                     code{overflow-wrap:anywhere}.error{color:#a00}small{color:#555}";

/// One field of the form.
struct Field {
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    required: bool,
    max: usize,
    long: bool,
    secret: bool,
}

const FIELDS: [Field; 10] = [
    field("tenant_name", "Your company", "", true, setup::MAX_NAME_CHARS),
    field("business_name", "Name of the business", "As callers hear it.", true, setup::MAX_NAME_CHARS),
    field(
        "phone_number",
        "Telephone number",
        "The Twilio number that callers dial, e.g. +15005550006.",
        true,
        16,
    ),
    field(
        "fallback_number",
        "Number of a person",
        "Where calls are transferred to. Callers reach it by pressing 0.",
        false,
        16,
    ),
    field("language", "Language", "Two letters, e.g. en.", false, 2),
    field(
        "time_zone",
        "Time zone",
        "e.g. Europe/Berlin. The assistant then says that you are open from nine to five, Monday to Friday, until you say otherwise.",
        false,
        setup::MAX_ZONE_CHARS,
    ),
    field("voice", "Voice", "e.g. marin or cedar.", false, setup::MAX_VOICE_CHARS),
    Field {
        secret: true,
        ..field("password", "Your password", "At least 12 characters. You sign in with it.", false, 256)
    },
    Field {
        long: true,
        ..field(
            "greeting",
            "Greeting",
            "What the assistant says first. If it does not say that an AI \
        speaks, we put a sentence before it that does.",
            false,
            MAX_GREETING_CHARS,
        )
    },
    Field {
        long: true,
        ..field(
            "instructions",
            "Instructions",
            "What the assistant should know and do: opening hours, \
        services, prices, rules.",
            false,
            crate::live::prompt::MAX_BUSINESS_CHARS,
        )
    },
];

const fn field(
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    required: bool,
    max: usize,
) -> Field {
    Field { name, label, hint, required, max, long: false, secret: false }
}

/// The form. The token of the link is carried on in a hidden field; whether it is good is found out when it is used.
#[utoipa::path(get, path = "/setup", tag = "setup", security(()),
    params(("token" = Option<String>, Query, description = "The token of a one-use link.")),
    responses(
        (status = 200, description = "The form.", body = String, content_type = "text/html"),
        (status = 429, description = "There were too many requests: `Retry-After` says how long to wait.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn show_setup(uri: axum::http::Uri) -> Response {
    let query = uri.query().unwrap_or_default();
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let token = pairs.find(|(name, _)| name == "token").map(|(_, value)| value.into_owned());
    let entered = Entered(vec![("token".to_owned(), token.unwrap_or_default())]);
    page(StatusCode::OK, &form(&entered, None))
}

/// Sets up what the form says and shows the API key, this once. Errors show the form again with what was entered.
#[utoipa::path(post, path = "/setup", tag = "setup", security(()),
    request_body(content = SetupClaim, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "What was set up.", body = String, content_type = "text/html"),
        (status = 403, description = "The form again: the token is unknown, used or expired.", body = String, content_type = "text/html"),
        (status = 409, description = "The form again: the telephone number is set up already.", body = String, content_type = "text/html"),
        (status = 422, description = "The form again, with what is wrong.", body = String, content_type = "text/html"),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn submit_setup(
    State(app): State<AppState>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    if !has_media_type(&headers, "application/x-www-form-urlencoded") {
        return Err(ApiError::UnsupportedMediaType);
    }
    let body = body.map_err(|e| body_error(&e))?;
    let entered = Entered(form_urlencoded::parse(&body).into_owned().take(32).collect());
    match setup::claim(&app, entered.claim()).await {
        Ok(result) => Ok(page(StatusCode::OK, &done(&result))),
        Err(error @ (ApiError::Invalid(_) | ApiError::SetupTokenInvalid | ApiError::Conflict(_))) => {
            let problem = error.problem();
            let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::BAD_REQUEST);
            Ok(page(status, &form(&entered, Some(&problem))))
        }
        Err(error) => Err(error),
    }
}

/// What somebody typed.
struct Entered(Vec<(String, String)>);

impl Entered {
    fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value.trim())
    }

    fn optional(&self, name: &str) -> Option<String> {
        Some(self.get(name)).filter(|value| !value.is_empty()).map(str::to_owned)
    }

    fn claim(&self) -> SetupClaim {
        SetupClaim {
            token: self.get("token").to_owned(),
            tenant_name: self.get("tenant_name").to_owned(),
            business_name: self.get("business_name").to_owned(),
            phone_number: self.get("phone_number").to_owned(),
            fallback_number: self.optional("fallback_number"),
            language: self.optional("language"),
            voice: self.optional("voice"),
            // An expert's choice, made through the API.
            voice_mode: None,
            // As it was typed: blanks may belong to it.
            password: self
                .0
                .iter()
                .find(|(n, value)| n == "password" && !value.is_empty())
                .map(|(_, v)| v.clone()),
            time_zone: self.optional("time_zone"),
            instructions: self.optional("instructions"),
            greeting: self.optional("greeting"),
        }
    }
}

fn form(entered: &Entered, problem: Option<&Problem>) -> String {
    let error = problem.map(|problem| escape(problem.detail.as_deref().unwrap_or(&problem.title)));
    let error = error.map_or_else(String::new, |text| format!("<p class=\"error\">{text}</p>"));
    let token = escape(entered.get("token"));
    let fields: String = FIELDS.iter().map(|field| field.html(entered, problem)).collect();
    format!(
        "<h1>Set up VoiceCore</h1>{error}<form method=\"post\" action=\"/setup\" autocomplete=\"off\">\
         <input type=\"hidden\" name=\"token\" value=\"{token}\">{fields}<button>Set up</button></form>"
    )
}

impl Field {
    fn html(&self, entered: &Entered, problem: Option<&Problem>) -> String {
        let Self { name, label, hint, required, max, long, secret } = self;
        let value = escape(entered.get(name));
        let required = if *required { " required" } else { "" };
        let input = if *long {
            format!(
                "<textarea id=\"{name}\" name=\"{name}\" rows=\"5\" maxlength=\"{max}\">{value}</textarea>"
            )
        } else if *secret {
            // What was typed is not sent back.
            format!(
                "<input type=\"password\" id=\"{name}\" name=\"{name}\" maxlength=\"{max}\" autocomplete=\"new-password\">"
            )
        } else {
            format!("<input id=\"{name}\" name=\"{name}\" value=\"{value}\" maxlength=\"{max}\"{required}>")
        };
        let errors =
            problem.into_iter().flat_map(|problem| &problem.errors).filter(|error| error.field == *name);
        let errors: Vec<_> = errors
            .map(|error| format!("<p class=\"error\">{label} {}</p>", escape(&error.message)))
            .collect();
        format!("<label for=\"{name}\">{label}</label>{input}<small>{hint}</small>{}", errors.concat())
    }
}

fn done(result: &SetupResult) -> String {
    let row = |what: &str, value: &str| format!("<p>{what}<br><code>{}</code></p>", escape(value));
    let mut html = String::from("<h1>Ready to answer</h1>");
    html.push_str(&row(
        "Your API key, with every permission. It is shown only now: keep it safe.",
        &result.api_key,
    ));
    html.push_str(
        "<p>At Twilio, open your number and enter these addresses, each with the method HTTP POST:</p>",
    );
    html.push_str(&row("A call comes in (webhook)", &result.voice_webhook_url));
    html.push_str(&row("Primary handler fails", &result.fallback_url));
    html.push_str(&row("Call status changes", &result.status_callback_url));
    html
}

pub(crate) fn page(status: StatusCode, body: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><meta name=\"robots\" content=\"noindex\"><title>VoiceCore set-up</title>\
         <style>{STYLE}</style><body>{body}</body></html>"
    );
    let mut response = (status, html).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY));
    response
}
