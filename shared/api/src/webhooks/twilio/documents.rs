//! The TwiML that we answer with.

use voicecore_domain::{Announcement, Language};
use voicecore_types::{CallId, E164, Millis};
use voicecore_wire::twilio::origin::Origin;
use voicecore_wire::twilio::sid::CallSid;
use voicecore_wire::twilio::twiml::{
    CallbackUrl, Connect, Dial, Gather, GatherInput, Record, Response, Say, Stream, TwimlError,
};

use super::languages::Tongue;
use super::signed::LANGUAGE;
use super::{DIAL_ENDED_PATH, STREAM_ENDED_PATH, STREAM_STATUS_PATH, TURN_PATH, VOICE_PATH, VOICEMAIL_PATH};
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
/// The same for an answer that waits for a model: whoever asks again sooner is only told to wait.
const TURN_TIMEOUT_MS: u32 = 15_000;

/// Whose line a document is for: what its addresses carry on.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) origin: &'a Origin,
    /// `None`: a call that was never admitted, so that nothing can be stored of it.
    pub(super) call_id: Option<CallId>,
    /// Of our own words.
    pub(super) language: Language,
}

/// A human being who can take a call.
pub(super) struct Human {
    pub(super) number: E164,
    /// What their telephone shows, where it cannot show the caller's number: one of our own.
    pub(super) caller_id: Option<E164>,
}

/// One stream of one call: what the caller is connected to.
pub(super) struct Attempt<'a> {
    pub(super) call_id: CallId,
    pub(super) sid: &'a CallSid,
    /// From 1.
    pub(super) number: u32,
    pub(super) language: Language,
    /// The last attempt came to nothing: the caller has waited, and heard nothing.
    pub(super) waited: bool,
}

/// Connects the caller with the assistant.
pub(super) fn connect(config: &Config, attempt: &Attempt<'_>, now: Millis) -> Result<Response, ApiError> {
    let Attempt { call_id, sid, number, language, waited } = *attempt;
    let line = Line { origin: config.public_url.get()?, call_id: Some(call_id), language };
    let token = issue_token(config, call_id, sid.as_str(), number, now)?;
    let query = format!("call={call_id}&attempt={number}");
    let stream = Stream::new(&format!("{}{MEDIA_PATH}{call_id}", line.origin.websocket()))
        .and_then(|stream| stream.parameter(TOKEN_PARAMETER, &token))
        .map_err(|error: TwimlError| ApiError::Internal(error.to_string()))?
        .status_callback(&format!("{}{STREAM_STATUS_PATH}?{query}", line.origin));
    let action = line.address(STREAM_ENDED_PATH, &[("attempt", &number.to_string())]);
    // Twilio may not ask the action when the stream never began (tests/sim/UNVERIFIED.md, T3) and goes on here instead:
    // the same question, so that the caller is not left in silence.
    let response = if waited {
        // What kept the last attempt may keep this one: silence between them must not add up.
        Response::new().say(say(Announcement::OneMoment, language))
    } else {
        Response::new()
    };
    Ok(response.connect(Connect::new(stream).action(&action)).redirect(&action))
}

/// Connects the caller with a human being, of whom they have been told.
pub(super) fn dial(line: Line<'_>, human: &Human) -> Response {
    Response::new().dial(line.dial(human))
}

/// Says sorry, then connects the caller with a human being, or takes a message. Of a call that was never admitted no message
/// can be kept.
pub(super) fn apologise(line: Line<'_>, human: Option<&Human>) -> Response {
    match human {
        Some(human) => {
            Response::new().say(say(Announcement::Connecting, line.language)).dial(line.dial(human))
        }
        None => voicemail(line, Announcement::Sorry),
    }
}

/// Says `why`, and takes a message.
pub(super) fn voicemail(line: Line<'_>, why: Announcement) -> Response {
    if line.call_id.is_none() {
        return say_and_hang_up(Announcement::OutOfOrder, line.language);
    }
    let record = Record::new(&line.address(VOICEMAIL_PATH, &[]))
        .max_length(VOICEMAIL_LIMIT_S)
        .timeout(VOICEMAIL_SILENCE_S)
        .finish_on_key("#");
    Response::new()
        .say(say(why, line.language))
        .say(say(Announcement::LeaveMessage, line.language))
        .record(record)
        // Without a sound there is no recording, and the document goes on here.
        .say(say(Announcement::NothingHeard, line.language))
        .hangup()
}

/// Says something, and ends the call.
pub(super) fn say_and_hang_up(what: Announcement, language: Language) -> Response {
    Response::new().say(say(what, language)).hangup()
}

/// Asks the caller to wait, and asks us again. Nothing is known of the call yet, not even its language.
pub(super) fn try_again(origin: &Origin, retry: u32) -> Response {
    let line = Line { origin, call_id: None, language: Language::default() };
    let again = line.address(VOICE_PATH, &[("retry", &retry.to_string())]);
    Response::new().say(say(Announcement::OneMoment, line.language)).pause(1).redirect(&again)
}

/// Says something and listens, both in `tongue`; what was heard, if anything, follows `step`.
pub(super) fn listen(
    line: Line<'_>,
    tongue: &'static Tongue,
    step: u64,
    say: &str,
    silence: Millis,
) -> Response {
    let action = line.turn(step, &[]);
    let seconds = u32::try_from(silence.0.div_ceil(1_000)).unwrap_or(u32::MAX);
    // One key is enough: 0 must lead to a human being at once, not after a pause for more keys.
    let gather = Gather::new(GatherInput::Both, &action)
        .timeout(seconds)
        .num_digits(1)
        .finish_on_key("")
        .speech_timeout_auto()
        .language(tongue.recogniser)
        .action_on_empty_result()
        .say(spoken(say, tongue.reading(say)));
    // Should Twilio go on here nevertheless: nothing was heard.
    Response::new().gather(gather).redirect(&action)
}

/// Says that it takes a moment, and goes on from `step`.
pub(super) fn filler(line: Line<'_>, step: u64, what: Announcement) -> Response {
    Response::new().say(say(what, line.language)).redirect(&line.turn(step, &[]))
}

/// Waits because somebody else is at work, and asks for what follows `step`. Every third time the caller hears that.
pub(super) fn wait(line: Line<'_>, step: u64, waits: u32) -> Response {
    let again = line.turn(step, &[("wait", &waits.saturating_add(1).to_string())]);
    let response = if waits.is_multiple_of(3) {
        Response::new().say(say(Announcement::filler(waits / 3), line.language))
    } else {
        Response::new()
    };
    response.pause(1).redirect(&again)
}

/// Says something in `tongue`, and then asks what comes next.
pub(super) fn last_words(line: Line<'_>, tongue: &'static Tongue, step: u64, say: &str) -> Response {
    Response::new().say(spoken(say, tongue.reading(say))).redirect(&line.turn(step, &[]))
}

/// Asks the caller to wait, and then asks again for what follows `step`.
pub(super) fn turn_again(line: Line<'_>, step: u64, retry: u32) -> Response {
    let again = line.turn(step, &[("retry", &retry.to_string())]);
    Response::new().say(say(Announcement::OneMoment, line.language)).pause(1).redirect(&again)
}

/// Ends the call.
pub(super) fn hang_up() -> Response {
    Response::new().hangup()
}

fn say(what: Announcement, language: Language) -> Say {
    spoken(what.text(language), Tongue::of(language))
}

fn spoken(text: &str, tongue: &Tongue) -> Say {
    let mut say = Say::new(text);
    if let Some(voice) = tongue.voice {
        say = say.voice(voice);
    }
    match tongue.say {
        Some(language) => say.language(language),
        None => say,
    }
}

impl Line<'_> {
    fn dial(self, human: &Human) -> Dial {
        let dial = Dial::number(&human.number)
            .action(&self.address(DIAL_ENDED_PATH, &[]))
            .timeout(DIAL_TIMEOUT_S)
            .time_limit(DIAL_LIMIT_S)
            .answer_on_bridge();
        match &human.caller_id {
            Some(number) => dial.caller_id(number),
            None => dial,
        }
    }

    /// Where Twilio asks for what follows `step` of a call that is held turn by turn.
    fn turn(self, step: u64, more: &[(&str, &str)]) -> String {
        let step = step.to_string();
        let mut query = vec![("step", step.as_str())];
        query.extend_from_slice(more);
        self.callback(TURN_PATH, &query).read_timeout_ms(TURN_TIMEOUT_MS).to_string()
    }

    /// An address that Twilio asks while somebody waits on the line.
    fn address(self, path: &str, more: &[(&str, &str)]) -> String {
        self.callback(path, more).to_string()
    }

    fn callback(self, path: &str, more: &[(&str, &str)]) -> CallbackUrl {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if let Some(call_id) = self.call_id {
            query.append_pair("call", &call_id.to_string());
        }
        query.extend_pairs(more);
        if self.language != Language::default() {
            query.append_pair(LANGUAGE, self.language.code());
        }
        let query = query.finish();
        let mark = if query.is_empty() { "" } else { "?" };
        CallbackUrl::new(&format!("{}{path}{mark}{query}", self.origin))
            .retries(RETRIES)
            .connect_timeout_ms(CONNECT_TIMEOUT_MS)
            .read_timeout_ms(READ_TIMEOUT_MS)
    }
}
