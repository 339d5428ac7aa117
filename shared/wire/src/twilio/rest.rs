//! Requests to Twilio's REST API, and what its answers mean. Nothing is sent here: the `Http` port does that.
//!
//! Source: twilio/twilio-oai, `spec/json/twilio_api_v2010.json`; twilio.com/docs/api/errors.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use voicecore_types::{E164, Secret};

use super::sid::{AccountSid, CallSid, RecordingSid};
use super::twiml::Response;
use super::webhook::CallStatus;

/// Where the API is, unless configured otherwise.
pub const DEFAULT_BASE_URL: &str = "https://api.twilio.com";
/// The most characters of a document in a request. Longer ones have to be fetched by Twilio: [`Api::redirect_call`].
pub const MAX_TWIML_CHARS: usize = 4_000;

/// "The requested resource was not found": a call or recording that is gone.
const NOT_FOUND: u32 = 20404;
/// "Invalid call state": the call is not in progress, so it ended before the request came.
const NOT_IN_PROGRESS: u32 = 21220;

/// A request, ready to be sent. `Debug` shows method and address without its query only: headers hold the credentials, bodies and
/// queries phone numbers.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiRequest {
    /// `GET`, `POST` or `DELETE`.
    pub method: &'static str,
    /// Absolute address.
    pub url: String,
    /// Headers, `authorization` among them.
    pub headers: Vec<(String, String)>,
    /// The form, encoded; empty for none.
    pub body: Vec<u8>,
}

impl fmt::Debug for ApiRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiRequest({} {})", self.method, self.url.split('?').next().unwrap_or_default())
    }
}

/// Why a request to the API did not do what it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// The call or recording does not exist any more, or the call is over. Whoever wanted an end to it has it.
    #[error("the resource is gone")]
    Gone,
    /// The API refused. Its message is not kept: it may quote phone numbers.
    #[error("the API refused with status {status}, code {code:?}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// Twilio's error code.
        code: Option<u32>,
    },
    /// The answer is not what the API's description says.
    #[error("the API's answer cannot be read")]
    Malformed,
    /// The document is longer than [`MAX_TWIML_CHARS`].
    #[error("the document is longer than {MAX_TWIML_CHARS} characters")]
    TwimlTooLong,
}

impl ApiError {
    /// The same request may succeed a little later.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Refused { status: 429 | 500..=599, .. })
    }
}

/// The API of one account. Authenticates with the account's auth token.
#[derive(Debug, Clone)]
pub struct Api {
    base: String,
    authorization: Secret<String>,
}

impl Api {
    /// The API below `base_url`, e.g. [`DEFAULT_BASE_URL`], of account `account`.
    pub fn new(base_url: &str, account: &AccountSid, token: &Secret<String>) -> Self {
        let credentials = STANDARD.encode(format!("{account}:{}", token.expose()));
        Self {
            base: format!("{}/2010-04-01/Accounts/{account}", base_url.trim_end_matches('/')),
            authorization: Secret::new(format!("Basic {credentials}")),
        }
    }

    /// Reads the account itself: whether the credentials are right.
    pub fn fetch_account(&self) -> ApiRequest {
        self.request("GET", ".json", &[])
    }

    /// Reads a call. Answer: [`call`].
    pub fn fetch_call(&self, call: &CallSid) -> ApiRequest {
        self.request("GET", &format!("/Calls/{call}.json"), &[])
    }

    /// Hangs up. Answer: [`ended`].
    pub fn end_call(&self, call: &CallSid) -> ApiRequest {
        self.update_call(call, "Status", "completed")
    }

    /// Lets the call go on with the document at `url`. Ends a running stream. Answer: [`call`].
    pub fn redirect_call(&self, call: &CallSid, url: &str) -> ApiRequest {
        self.update_call(call, "Url", url)
    }

    /// Lets the call go on with `document`. Ends a running stream. Answer: [`call`].
    pub fn replace_twiml(&self, call: &CallSid, document: &Response) -> Result<ApiRequest, ApiError> {
        let xml = document.to_xml();
        if xml.chars().count() > MAX_TWIML_CHARS {
            return Err(ApiError::TwimlTooLong);
        }
        Ok(self.update_call(call, "Twiml", &xml))
    }

    /// Starts to record both sides of a call, each on a channel of its own, silence and all. Answer: [`recording`].
    pub fn start_recording(&self, call: &CallSid, status_callback: &str) -> ApiRequest {
        let form = [
            ("RecordingChannels", "dual"),
            ("Trim", "do-not-trim"),
            ("RecordingStatusCallback", status_callback),
        ];
        self.request("POST", &format!("/Calls/{call}/Recordings.json"), &form)
    }

    /// Stops a recording of a running call. Answer: [`ended`].
    pub fn stop_recording(&self, call: &CallSid, recording: &RecordingSid) -> ApiRequest {
        self.request("POST", &format!("/Calls/{call}/Recordings/{recording}.json"), &[("Status", "stopped")])
    }

    /// Deletes a recording. Answer: [`ended`].
    pub fn delete_recording(&self, recording: &RecordingSid) -> ApiRequest {
        self.request("DELETE", &format!("/Recordings/{recording}.json"), &[])
    }

    /// Looks a number of the account up. Answer: [`incoming_number`].
    pub fn find_number(&self, number: &E164) -> ApiRequest {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("PhoneNumber", number.expose())
            .finish();
        self.request("GET", &format!("/IncomingPhoneNumbers.json?{query}"), &[])
    }

    fn update_call(&self, call: &CallSid, field: &'static str, value: &str) -> ApiRequest {
        self.request("POST", &format!("/Calls/{call}.json"), &[(field, value)])
    }

    fn request(&self, method: &'static str, path: &str, form: &[(&str, &str)]) -> ApiRequest {
        let mut headers = vec![
            ("authorization".to_owned(), self.authorization.expose().clone()),
            ("accept".to_owned(), "application/json".to_owned()),
        ];
        if !form.is_empty() {
            headers.push(("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()));
        }
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        ApiRequest { method, url: format!("{}{path}", self.base), headers, body: body.into_bytes() }
    }
}

/// A call, as the API describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Which one.
    pub sid: CallSid,
    /// Where it is.
    pub status: CallStatus,
    /// How long it was, in whole seconds; once it is over.
    pub duration_s: Option<u32>,
}

/// Reads the answer to a request that is answered with a call.
pub fn call(status: u16, body: &[u8]) -> Result<Call, ApiError> {
    /// Numbers are strings in this API.
    #[derive(Deserialize)]
    struct Document<'a> {
        #[serde(borrow)]
        sid: &'a str,
        #[serde(borrow)]
        status: &'a str,
        #[serde(borrow, default)]
        duration: Option<&'a str>,
    }
    let document: Document<'_> = success(status, body)?;
    Ok(Call {
        sid: document.sid.parse().map_err(|_| ApiError::Malformed)?,
        status: document.status.parse().unwrap_or(CallStatus::Unknown),
        duration_s: document.duration.and_then(|seconds| seconds.parse().ok()),
    })
}

/// An address that is told or asked something, and how. Empty where nothing is set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Webhook {
    /// Where.
    pub url: String,
    /// `GET` or `POST`.
    pub method: String,
}

/// A number of an account, and what happens when it is rung.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IncomingNumber {
    /// It takes calls, not only messages.
    pub takes_calls: bool,
    /// Asked what to do with a call.
    pub voice: Webhook,
    /// Asked when that failed.
    pub fallback: Webhook,
    /// Told when a call is over.
    pub status: Webhook,
    /// A TwiML application, whose addresses count instead of these.
    pub has_application: bool,
    /// A SIP trunk, which gets the calls instead.
    pub has_trunk: bool,
}

/// Reads the answer to [`Api::find_number`]. `None`: the account does not have `number`.
pub fn incoming_number(status: u16, body: &[u8], number: &E164) -> Result<Option<IncomingNumber>, ApiError> {
    #[derive(Deserialize)]
    struct Document {
        incoming_phone_numbers: Vec<Incoming>,
    }
    #[derive(Deserialize)]
    struct Incoming {
        phone_number: String,
        #[serde(default)]
        capabilities: Capabilities,
        voice_url: Option<String>,
        voice_method: Option<String>,
        voice_fallback_url: Option<String>,
        voice_fallback_method: Option<String>,
        status_callback: Option<String>,
        status_callback_method: Option<String>,
        voice_application_sid: Option<String>,
        trunk_sid: Option<String>,
    }
    #[derive(Deserialize, Default)]
    struct Capabilities {
        #[serde(default)]
        voice: bool,
    }
    let document: Document = success(status, body)?;
    let hook = |url: Option<String>, method: Option<String>| Webhook {
        url: url.unwrap_or_default(),
        method: method.unwrap_or_default(),
    };
    let is_set = |sid: Option<String>| sid.is_some_and(|sid| !sid.is_empty());
    // The filter takes parts of numbers, too.
    let found = document.incoming_phone_numbers.into_iter().find(|n| n.phone_number == number.expose());
    Ok(found.map(|n| IncomingNumber {
        takes_calls: n.capabilities.voice,
        voice: hook(n.voice_url, n.voice_method),
        fallback: hook(n.voice_fallback_url, n.voice_fallback_method),
        status: hook(n.status_callback, n.status_callback_method),
        has_application: is_set(n.voice_application_sid),
        has_trunk: is_set(n.trunk_sid),
    }))
}

/// Reads the answer to [`Api::start_recording`]: which recording it is.
pub fn recording(status: u16, body: &[u8]) -> Result<RecordingSid, ApiError> {
    #[derive(Deserialize)]
    struct Document<'a> {
        #[serde(borrow)]
        sid: &'a str,
    }
    let document: Document<'_> = success(status, body)?;
    document.sid.parse().map_err(|_| ApiError::Malformed)
}

/// Reads the answer to a request that ends or deletes something: what is gone already is a success.
pub fn ended(status: u16, body: &[u8]) -> Result<(), ApiError> {
    match refusal(status, body) {
        None | Some(ApiError::Gone) => Ok(()),
        Some(error) => Err(error),
    }
}

fn success<'a, T: Deserialize<'a>>(status: u16, body: &'a [u8]) -> Result<T, ApiError> {
    match refusal(status, body) {
        Some(error) => Err(error),
        None => serde_json::from_slice(body).map_err(|_| ApiError::Malformed),
    }
}

fn refusal(status: u16, body: &[u8]) -> Option<ApiError> {
    #[derive(Deserialize)]
    struct Document {
        code: Option<u32>,
    }
    if (200..300).contains(&status) {
        return None;
    }
    let code = serde_json::from_slice::<Document>(body).ok().and_then(|document| document.code);
    Some(match code {
        Some(NOT_FOUND | NOT_IN_PROGRESS) => ApiError::Gone,
        code => ApiError::Refused { status, code },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::twilio::twiml::Say;

    const CALL: &str = "CA0123456789abcdef0123456789abcdef";

    fn api() -> Api {
        let account = "AC0123456789abcdef0123456789abcdef".parse().unwrap();
        Api::new("http://127.0.0.1:19200/", &account, &Secret::new("token".to_owned()))
    }

    fn sid() -> CallSid {
        CALL.parse().unwrap()
    }

    #[test]
    fn requests_are_as_the_description_says() {
        let account = "http://127.0.0.1:19200/2010-04-01/Accounts/AC0123456789abcdef0123456789abcdef";
        let recording = "RE0123456789abcdef0123456789abcdef".parse().unwrap();
        let say = Response::new().say(Say::new("A & B"));
        let cases = [
            (api().fetch_call(&sid()), "GET", format!("/Calls/{CALL}.json"), ""),
            (api().end_call(&sid()), "POST", format!("/Calls/{CALL}.json"), "Status=completed"),
            (
                api().redirect_call(&sid(), "https://h/a?b=c"),
                "POST",
                format!("/Calls/{CALL}.json"),
                "Url=https%3A%2F%2Fh%2Fa%3Fb%3Dc",
            ),
            (
                api().replace_twiml(&sid(), &say).unwrap(),
                "POST",
                format!("/Calls/{CALL}.json"),
                "Twiml=%3C%3Fxml+version%3D%221.0%22+encoding%3D%22UTF-8%22%3F%3E%3CResponse%3E%3CSay%3EA+%26amp%3B+B\
                 %3C%2FSay%3E%3C%2FResponse%3E",
            ),
            (
                api().start_recording(&sid(), "https://h/r"),
                "POST",
                format!("/Calls/{CALL}/Recordings.json"),
                "RecordingChannels=dual&Trim=do-not-trim&RecordingStatusCallback=https%3A%2F%2Fh%2Fr",
            ),
            (
                api().stop_recording(&sid(), &recording),
                "POST",
                format!("/Calls/{CALL}/Recordings/{recording}.json"),
                "Status=stopped",
            ),
            (api().fetch_account(), "GET", ".json".to_owned(), ""),
            (
                api().find_number(&"+15005550006".parse().unwrap()),
                "GET",
                "/IncomingPhoneNumbers.json?PhoneNumber=%2B15005550006".to_owned(),
                "",
            ),
            (api().delete_recording(&recording), "DELETE", format!("/Recordings/{recording}.json"), ""),
        ];
        for (request, method, path, body) in cases {
            assert_eq!((request.method, request.url.as_str()), (method, format!("{account}{path}").as_str()));
            assert_eq!(String::from_utf8(request.body).unwrap(), body);
            let header = |name| request.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
            assert_eq!(
                header("authorization"),
                Some("Basic QUMwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjp0b2tlbg==")
            );
            let form = (!body.is_empty()).then_some("application/x-www-form-urlencoded");
            assert_eq!(header("content-type"), form);
        }
    }

    #[test]
    fn requests_hide_their_credentials() {
        assert_eq!(
            format!("{:?}", api().end_call(&sid())),
            format!("ApiRequest(POST {}/Calls/{CALL}.json)", api().base)
        );
        assert!(!format!("{:?}", api()).contains("Basic"));
        let asked = api().find_number(&"+15005550006".parse().unwrap());
        assert!(!format!("{asked:?}").contains("5005550006"));
    }

    #[test]
    fn long_documents_are_refused() {
        let long = Response::new().say(Say::new(&"a".repeat(MAX_TWIML_CHARS)));
        assert_eq!(api().replace_twiml(&sid(), &long), Err(ApiError::TwimlTooLong));
    }

    #[test]
    fn a_call_is_read() {
        let body =
            format!(r#"{{"sid":"{CALL}","status":"completed","duration":"17","price":null,"to":"+1"}}"#);
        let expected = Call { sid: sid(), status: CallStatus::Completed, duration_s: Some(17) };
        assert_eq!(call(200, body.as_bytes()), Ok(expected));
        let running = format!(r#"{{"sid":"{CALL}","status":"in-progress","duration":null}}"#);
        assert_eq!(call(200, running.as_bytes()).unwrap().duration_s, None);
        assert_eq!(call(200, b"{}"), Err(ApiError::Malformed));
        assert_eq!(call(200, br#"{"sid":"CA1","status":"busy"}"#), Err(ApiError::Malformed));
    }

    /// Also where only a part of the number is the same, which the API's filter lets through.
    #[test]
    fn a_number_is_read() {
        let number = "+15005550006".parse().unwrap();
        let other = r#"{"phone_number":"+150055500061"}"#;
        let own = r#"{"phone_number":"+15005550006","capabilities":{"voice":true,"sms":false},"voice_url":"https://h/v",
            "voice_method":"POST","voice_fallback_url":null,"status_callback":"","trunk_sid":null,"voice_application_sid":"AP1"}"#;
        let list = |rows: &str| format!(r#"{{"incoming_phone_numbers":[{rows}],"page":0}}"#).into_bytes();
        let read = |rows: &str| incoming_number(200, &list(rows), &number);
        assert_eq!(read(""), Ok(None));
        assert_eq!(read(other), Ok(None));
        let expected = IncomingNumber {
            takes_calls: true,
            voice: Webhook { url: "https://h/v".to_owned(), method: "POST".to_owned() },
            has_application: true,
            ..IncomingNumber::default()
        };
        assert_eq!(read(&format!("{other},{own}")), Ok(Some(expected)));
        assert_eq!(incoming_number(200, b"{}", &number), Err(ApiError::Malformed));
        let refused = incoming_number(401, br#"{"code":20003}"#, &number);
        assert_eq!(refused, Err(ApiError::Refused { status: 401, code: Some(20003) }));
    }

    #[test]
    fn what_is_gone_counts_as_ended() {
        let gone = br#"{"code":20404,"message":"The requested resource was not found","status":404}"#;
        assert_eq!(ended(404, gone), Ok(()));
        assert_eq!(call(404, gone), Err(ApiError::Gone));
        assert_eq!(ended(400, br#"{"code":21220,"message":"Call is not in-progress","status":400}"#), Ok(()));
        assert_eq!(ended(204, b""), Ok(()));
        // A 404 from something that is not the API, say a wrong base address, is not an end.
        assert_eq!(ended(404, b"<html>"), Err(ApiError::Refused { status: 404, code: None }));
    }

    #[test]
    fn refusals_keep_the_code_and_not_the_words() {
        let body = br#"{"code":20003,"message":"Authenticate +15005550006","status":401}"#;
        let error = ended(401, body).unwrap_err();
        assert_eq!(error, ApiError::Refused { status: 401, code: Some(20003) });
        assert!(!error.is_transient() && !error.to_string().contains("+1"));
        assert!(ApiError::Refused { status: 429, code: Some(20429) }.is_transient());
        assert!(ApiError::Refused { status: 503, code: None }.is_transient());
    }

    #[test]
    fn a_recording_is_read() {
        let body = br#"{"sid":"RE0123456789abcdef0123456789abcdef","status":"in-progress"}"#;
        assert_eq!(recording(201, body).unwrap().as_str(), "RE0123456789abcdef0123456789abcdef");
        assert_eq!(recording(200, b"[]"), Err(ApiError::Malformed));
    }
}
