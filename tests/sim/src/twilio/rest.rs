//! The REST API: calls and recordings. Every parameter that Twilio does not list is refused, which Twilio itself does
//! not do: a misspelt parameter would silently do nothing there.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use base64::Engine as _;
use serde_json::{Value, json};

use super::account::{API_VERSION, Account, timestamp};
use super::engine::{Command, Next};
use super::place::{Entry, Twilio};
use super::state::{Recording, Status};
use super::twiml::{Method, parse};
use super::wav::wav;
use super::webhook::Request;

/// Longest TwiML that a REST request takes.
const MAX_TWIML_CHARS: usize = 4_000;
/// The one number that the account does not have. Twilio's test credentials call it unavailable, too.
const NOT_OURS: &str = "+15005550000";

/// An error as Twilio's REST API words it.
#[derive(Debug)]
pub(super) struct RestError {
    status: StatusCode,
    code: u32,
    message: String,
}

impl RestError {
    fn new(status: StatusCode, code: u32, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    fn bad(code: u32, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    fn not_found(path: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, 20404, format!("The requested resource {path} was not found"))
    }
}

impl IntoResponse for RestError {
    fn into_response(self) -> Response {
        let body = json!({
            "code": self.code, "message": self.message, "status": self.status.as_u16(),
            "more_info": format!("https://www.twilio.com/docs/errors/{}", self.code),
        });
        (self.status, Json(body)).into_response()
    }
}

type Answer = Result<Response, RestError>;
/// Form parameters in the order in which they came.
type Params = Vec<(String, String)>;

/// The routes of the REST API.
pub(super) fn router(twilio: Twilio) -> Router {
    let base = format!("/{API_VERSION}/Accounts/{{account}}");
    Router::new()
        .route(&base, get(show_account))
        .route(&format!("{base}/Calls.json"), get(list_calls).post(create_call))
        .route(&format!("{base}/Calls/{{call}}"), get(show_call).post(update_call))
        .route(&format!("{base}/Calls/{{call}}/Recordings.json"), get(list_call_recordings))
        .route(&format!("{base}/IncomingPhoneNumbers.json"), get(list_numbers))
        .route(&format!("{base}/Recordings.json"), get(list_recordings))
        .route(&format!("{base}/Recordings/{{recording}}"), get(show_recording).delete(delete_recording))
        .fallback(async |uri: axum::http::Uri| RestError::not_found(uri.path()))
        .with_state(twilio)
}

/// The request comes from the account's owner.
fn authorise(twilio: &Twilio, headers: &HeaderMap, account: &str) -> Result<(), RestError> {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let own = twilio.account();
    let wanted = base64::engine::general_purpose::STANDARD.encode(format!("{}:{}", own.sid, own.auth_token));
    if given.strip_prefix("Basic ") != Some(&wanted) {
        twilio.violations().record("twilio", "rest", "authentication", "wrong or missing Basic credentials");
        return Err(RestError::new(StatusCode::UNAUTHORIZED, 20003, "Authenticate"));
    }
    if account != own.sid {
        return Err(RestError::not_found(&format!("/{API_VERSION}/Accounts/{account}")));
    }
    Ok(())
}

/// `AC….json`: whoever asks for it wants to know whether the credentials are right.
async fn show_account(
    State(twilio): State<Twilio>,
    Path(account): Path<String>,
    headers: HeaderMap,
) -> Answer {
    let account = account.strip_suffix(".json").unwrap_or(&account);
    authorise(&twilio, &headers, account)?;
    let now = timestamp();
    Ok(Json(json!({
        "sid": account, "owner_account_sid": account, "friendly_name": "Simulated", "status": "active", "type": "Full",
        "auth_token": twilio.account().auth_token, "date_created": now, "date_updated": now,
        "uri": format!("/{API_VERSION}/Accounts/{account}.json"),
    }))
    .into_response())
}

/// Reads a form and refuses parameters that are not in `known`.
fn form(twilio: &Twilio, headers: &HeaderMap, body: &[u8], known: &[&str]) -> Result<Params, RestError> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let refuse = |rule: &str, message: String| {
        twilio.violations().record("twilio", "rest", rule, message.clone());
        Err(RestError::bad(20001, message))
    };
    if !kind.starts_with("application/x-www-form-urlencoded") {
        return refuse("content_type", format!("content type '{kind}' is not a form"));
    }
    let params: Params = form_urlencoded::parse(body).into_owned().collect();
    match params.iter().find(|(name, _)| !known.contains(&name.as_str())) {
        Some((name, _)) => refuse("unknown_parameter", format!("unknown parameter '{name}'")),
        None => Ok(params),
    }
}

fn one<'a>(params: &'a Params, name: &str) -> Option<&'a str> {
    params.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

async fn create_call(
    State(twilio): State<Twilio>,
    Path(account): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    authorise(&twilio, &headers, &account)?;
    let known = [
        "To",
        "From",
        "Url",
        "Method",
        "Twiml",
        "StatusCallback",
        "StatusCallbackMethod",
        "StatusCallbackEvent",
        "FallbackUrl",
        "FallbackMethod",
        "Timeout",
        "TimeLimit",
        "CallReason",
        "CallerId",
    ];
    let params = form(&twilio, &headers, &body, &known)?;
    let number = |name: &str, code: u32| {
        let value = one(&params, name)
            .ok_or_else(|| RestError::bad(code, format!("No '{name}' number is specified")))?;
        value
            .parse::<voicecore_types::E164>()
            .map(|_| value.to_owned())
            .map_err(|_| RestError::bad(code + 10, format!("The '{name}' number is not valid")))
    };
    let (to, from) = (number("To", 21201)?, number("From", 21213)?);
    let next = next_document(&twilio, &params, true)?
        .ok_or_else(|| RestError::bad(21205, "Url parameter is required"))?;
    let status_url = one(&params, "StatusCallback").map(str::to_owned);
    let state = twilio.call_out(&from, &to, next, status_url);
    Ok((StatusCode::CREATED, Json(state.resource())).into_response())
}

async fn update_call(
    State(twilio): State<Twilio>,
    Path((account, call)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    authorise(&twilio, &headers, &account)?;
    let entry = entry(&twilio, &account, &call)?;
    let known = [
        "Status",
        "Url",
        "Method",
        "Twiml",
        "FallbackUrl",
        "FallbackMethod",
        "StatusCallback",
        "StatusCallbackMethod",
        "TimeLimit",
    ];
    let params = form(&twilio, &headers, &body, &known)?;
    let next = next_document(&twilio, &params, false)?;
    let command = match (one(&params, "Status"), next, one(&params, "TimeLimit")) {
        (Some("completed"), None, _) => Command::Complete,
        (Some("canceled"), None, _)
            if !entry.state.status().is_final() && entry.state.status() != Status::InProgress =>
        {
            entry.state.set_status(Status::Canceled);
            Command::Complete
        }
        (Some("canceled"), None, _) => {
            return Err(RestError::bad(21220, "Call is not in a state to be canceled"));
        }
        (Some(_), None, _) => return Err(RestError::bad(21218, "Invalid Status")),
        (Some(_), Some(_), _) => {
            return Err(RestError::bad(20001, "Status and Url or Twiml exclude each other"));
        }
        (None, Some(next), _) => Command::Replace(next),
        (None, None, Some(seconds)) => Command::TimeLimit(
            seconds.parse().map_err(|_| RestError::bad(20001, "TimeLimit is not a number"))?,
        ),
        (None, None, None) => return Err(RestError::bad(20001, "nothing to be changed")),
    };
    if entry.state.status().is_final() && command != Command::Complete {
        return Err(RestError::bad(21220, "Call is not in-progress. Cannot redirect."));
    }
    // A full queue of orders, or a call that has just ended: to the product the call is gone.
    if entry.commands.try_send(command).is_err() {
        return Err(RestError::not_found(&path_of(&account, &call)));
    }
    Ok(Json(entry.state.resource()).into_response())
}

/// The document that a request gives: `Url` wins over `Twiml`, which is checked at once.
fn next_document(twilio: &Twilio, params: &Params, url_wins: bool) -> Result<Option<Next>, RestError> {
    match (one(params, "Url"), one(params, "Twiml")) {
        (Some(_), Some(_)) if !url_wins => Err(RestError::bad(20001, "Url and Twiml exclude each other")),
        (Some(url), _) => {
            if twilio.account().route(url).is_none() {
                return Err(RestError::bad(21205, "Url is not a valid URL of the product"));
            }
            let method = if one(params, "Method") == Some("GET") { Method::Get } else { Method::Post };
            Ok(Some(Next::Fetch(Request { url: url.to_owned(), method, params: Vec::new() })))
        }
        (None, Some(twiml)) if twiml.chars().count() > MAX_TWIML_CHARS => {
            Err(RestError::bad(21602, format!("Twiml is longer than {MAX_TWIML_CHARS} characters")))
        }
        (None, Some(twiml)) => {
            if let Err(fault) = parse(twiml) {
                twilio.violations().record("twilio", "rest", "bad_twiml", fault.to_string());
            }
            Ok(Some(Next::Inline(twiml.to_owned())))
        }
        (None, None) => Ok(None),
    }
}

/// A call by the last part of its path, `CA….json`.
fn entry(twilio: &Twilio, account: &str, call: &str) -> Result<Entry, RestError> {
    let found = call.strip_suffix(".json").and_then(|sid| twilio.find(sid));
    found.ok_or_else(|| RestError::not_found(&path_of(account, call)))
}

fn path_of(account: &str, call: &str) -> String {
    format!("/{API_VERSION}/Accounts/{account}/Calls/{call}")
}

async fn show_call(
    State(twilio): State<Twilio>,
    Path((account, call)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    authorise(&twilio, &headers, &account)?;
    Ok(Json(entry(&twilio, &account, &call)?.state.resource()).into_response())
}

async fn list_calls(
    State(twilio): State<Twilio>,
    Path(account): Path<String>,
    Query(filter): Query<Params>,
    headers: HeaderMap,
) -> Answer {
    authorise(&twilio, &headers, &account)?;
    let wanted = |entry: &Entry| {
        let status = one(&filter, "Status").is_none_or(|status| status == entry.state.status().as_str());
        let to = one(&filter, "To").is_none_or(|to| to == entry.state.to);
        status && to && one(&filter, "From").is_none_or(|from| from == entry.state.from)
    };
    let calls: Vec<Value> = twilio.calls().iter().filter(|e| wanted(e)).map(|e| e.state.resource()).collect();
    Ok(page("calls", calls))
}

/// Numbers of the account. It has every number but [`NOT_OURS`]: every number can be rung, and each is set to the product's webhooks.
async fn list_numbers(
    State(twilio): State<Twilio>,
    Path(account): Path<String>,
    Query(filter): Query<Params>,
    headers: HeaderMap,
) -> Answer {
    authorise(&twilio, &headers, &account)?;
    let refuse = |rule: &str, message: String| {
        twilio.violations().record("twilio", "rest", rule, message.clone());
        Err(RestError::bad(20001, message))
    };
    let known = ["PhoneNumber", "FriendlyName", "Beta", "Origin", "PageSize", "Page", "PageToken"];
    if let Some((name, _)) = filter.iter().find(|(name, _)| !known.contains(&name.as_str())) {
        return refuse("unknown_parameter", format!("unknown parameter '{name}'"));
    }
    // Without a whole number all of them are meant, whom nobody could list.
    let Some(number) = one(&filter, "PhoneNumber").filter(|n| n.parse::<voicecore_types::E164>().is_ok())
    else {
        return refuse(
            "phone_number",
            "a plus sign that is not encoded is a blank: no number is asked for".to_owned(),
        );
    };
    let rows = (number != NOT_OURS).then(|| number_resource(twilio.account(), number));
    Ok(page("incoming_phone_numbers", rows.into_iter().collect()))
}

/// A number as Twilio describes it: what is not set is an empty text or null, as there.
fn number_resource(account: &Account, number: &str) -> Value {
    let digits: u128 = number.trim_start_matches('+').parse().unwrap_or_default();
    let sid = format!("PN{digits:032x}");
    let now = timestamp();
    json!({
        "sid": sid, "account_sid": account.sid, "friendly_name": number, "phone_number": number,
        "voice_url": account.voice_url, "voice_method": "POST",
        "voice_fallback_url": account.fallback_url.as_deref().unwrap_or_default(), "voice_fallback_method": "POST",
        "status_callback": account.status_url.as_deref().unwrap_or_default(), "status_callback_method": "POST",
        "voice_caller_id_lookup": false, "voice_application_sid": null, "voice_receive_mode": "voice",
        "sms_url": "", "sms_method": "POST", "sms_fallback_url": "", "sms_fallback_method": "POST", "sms_application_sid": "",
        "trunk_sid": null, "address_sid": null, "address_requirements": "none", "identity_sid": null, "bundle_sid": null,
        "emergency_status": "Inactive", "emergency_address_sid": null, "emergency_address_status": "unregistered",
        "capabilities": {"voice": true, "sms": true, "mms": true, "fax": false},
        "api_version": API_VERSION, "beta": false, "origin": "twilio", "status": "in-use",
        "date_created": now, "date_updated": now,
        "uri": format!("/{API_VERSION}/Accounts/{}/IncomingPhoneNumbers/{sid}.json", account.sid),
    })
}

async fn list_call_recordings(
    State(twilio): State<Twilio>,
    Path((account, call)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    authorise(&twilio, &headers, &account)?;
    let of_call = twilio.recordings().into_iter().filter(|r| r.call_sid == call);
    Ok(page("recordings", of_call.map(|r| r.resource(&account)).collect()))
}

async fn list_recordings(
    State(twilio): State<Twilio>,
    Path(account): Path<String>,
    headers: HeaderMap,
) -> Answer {
    authorise(&twilio, &headers, &account)?;
    Ok(page("recordings", twilio.recordings().iter().map(|r| r.resource(&account)).collect()))
}

/// `RE….json` is the resource, `RE…` and `RE….wav` the sound.
async fn show_recording(
    State(twilio): State<Twilio>,
    Path((account, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    authorise(&twilio, &headers, &account)?;
    let (sid, extension) = name.split_once('.').unwrap_or((&name, ""));
    let recording = recording(&twilio, &account, sid)?;
    match extension {
        "json" => Ok(Json(recording.resource(&account)).into_response()),
        "" | "wav" => Ok(([(header::CONTENT_TYPE, "audio/x-wav")], wav(&recording.audio)).into_response()),
        _ => Err(RestError::not_found(&name)),
    }
}

async fn delete_recording(
    State(twilio): State<Twilio>,
    Path((account, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    authorise(&twilio, &headers, &account)?;
    let sid = name.strip_suffix(".json").unwrap_or(&name);
    if twilio.delete_recording(sid) {
        Ok(StatusCode::NO_CONTENT.into_response())
    } else {
        Err(RestError::not_found(&name))
    }
}

fn recording(twilio: &Twilio, account: &str, sid: &str) -> Result<Recording, RestError> {
    let found = twilio.recordings().into_iter().find(|recording| recording.sid == sid);
    found.ok_or_else(|| RestError::not_found(&format!("/{API_VERSION}/Accounts/{account}/Recordings/{sid}")))
}

/// A list: all on one page, which is how few there are.
fn page(name: &str, rows: Vec<Value>) -> Response {
    let mut body = json!({"page": 0, "page_size": 50, "start": 0, "end": rows.len(), "next_page_uri": null});
    body[name] = rows.into();
    Json(body).into_response()
}
