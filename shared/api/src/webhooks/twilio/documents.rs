//! The TwiML that we answer with.

use voicecore_types::{CallId, E164, Millis};
use voicecore_wire::twilio::origin::Origin;
use voicecore_wire::twilio::sid::CallSid;
use voicecore_wire::twilio::twiml::{CallbackUrl, Connect, Dial, Record, Response, Say, Stream, TwimlError};

use super::{DIAL_ENDED_PATH, STREAM_ENDED_PATH, STREAM_STATUS_PATH, VOICE_PATH, VOICEMAIL_PATH};
use crate::media::{MEDIA_PATH, TOKEN_PARAMETER, issue_token};
use crate::{ApiError, Config};

/// How long a human being's telephone rings.
const DIAL_TIMEOUT_S: u32 = 25;
/// The longest conversation with a human being: Twilio's own default, said aloud.
const DIAL_LIMIT_S: u32 = 4 * 3_600;
/// The longest voicemail.
const VOICEMAIL_LIMIT_S: u32 = 180;
/// Silence that ends a voicemail.
const VOICEMAIL_SILENCE_S: u32 = 5;
/// While somebody waits on the line: how often, and how long each time, Twilio tries to reach us. Three quick attempts
/// instead of Twilio's one of fifteen seconds, so that a caller hears something within seconds even when the first one
/// meets a process that just died.
const RETRIES: u8 = 3;
const CONNECT_TIMEOUT_MS: u32 = 1_000;
const READ_TIMEOUT_MS: u32 = 3_000;

/// One stream of one call: what the caller is connected to.
pub(super) struct Attempt<'a> {
    pub(super) call_id: CallId,
    pub(super) sid: &'a CallSid,
    /// From 1.
    pub(super) number: u32,
}

/// Connects the caller with the assistant.
pub(super) fn connect(config: &Config, attempt: &Attempt<'_>, now: Millis) -> Result<Response, ApiError> {
    let Attempt { call_id, sid, number } = attempt;
    let origin = config.public_url.get()?;
    let token = issue_token(config, *call_id, sid.as_str(), *number, now)?;
    let query = format!("call={call_id}&attempt={number}");
    let stream = Stream::new(&format!("{}{MEDIA_PATH}{call_id}", origin.websocket()))
        .and_then(|stream| stream.parameter(TOKEN_PARAMETER, &token))
        .map_err(|error: TwimlError| ApiError::Internal(error.to_string()))?
        .status_callback(&format!("{origin}{STREAM_STATUS_PATH}?{query}"));
    let action = waiting(origin, STREAM_ENDED_PATH, &query);
    Ok(Response::new().connect(Connect::new(stream).action(&action)))
}

/// Connects the caller with a human being, of whom they have been told.
pub(super) fn dial(origin: &Origin, call_id: CallId, human: &E164) -> Response {
    Response::new().dial(dial_verb(origin, call_id, human))
}

/// Says sorry, then connects the caller with a human being, or takes a message.
pub(super) fn apologise(origin: &Origin, call_id: CallId, human: Option<&E164>) -> Response {
    match human {
        Some(human) => Response::new()
            .say(Say::new(
                "I am sorry, something went wrong on our side. Please stay on the line: I am connecting you.",
            ))
            .dial(dial_verb(origin, call_id, human)),
        None => voicemail(origin, call_id, "I am sorry, something went wrong on our side."),
    }
}

/// Says `why`, and takes a message.
pub(super) fn voicemail(origin: &Origin, call_id: CallId, why: &str) -> Response {
    let action = waiting(origin, VOICEMAIL_PATH, &format!("call={call_id}"));
    let record =
        Record::new(&action).max_length(VOICEMAIL_LIMIT_S).timeout(VOICEMAIL_SILENCE_S).finish_on_key("#");
    Response::new()
        .say(Say::new(&format!("{why} Please leave a message after the tone, and we will call you back.")))
        .record(record)
        // Without a sound there is no recording, and the document goes on here.
        .say(Say::new("We did not hear anything. Goodbye."))
        .hangup()
}

/// Says something, and ends the call.
pub(super) fn say_and_hang_up(text: &str) -> Response {
    Response::new().say(Say::new(text)).hangup()
}

/// Ends the call.
pub(super) fn hang_up() -> Response {
    Response::new().hangup()
}

/// Asks the caller to wait, and asks us again.
pub(super) fn try_again(origin: &Origin, retry: u32) -> Response {
    let again = waiting(origin, VOICE_PATH, &format!("retry={retry}"));
    Response::new().say(Say::new("One moment, please.")).pause(1).redirect(&again)
}

fn dial_verb(origin: &Origin, call_id: CallId, human: &E164) -> Dial {
    Dial::number(human)
        .action(&waiting(origin, DIAL_ENDED_PATH, &format!("call={call_id}")))
        .timeout(DIAL_TIMEOUT_S)
        .time_limit(DIAL_LIMIT_S)
        .answer_on_bridge()
}

/// An address that Twilio asks while somebody waits on the line.
fn waiting(origin: &Origin, path: &str, query: &str) -> String {
    CallbackUrl::new(&format!("{origin}{path}?{query}"))
        .retries(RETRIES)
        .connect_timeout_ms(CONNECT_TIMEOUT_MS)
        .read_timeout_ms(READ_TIMEOUT_MS)
        .to_string()
}
