use roxmltree::{Document, Node, ParsingOptions};

use super::element::{
    action, boolean, check_attributes, check_empty, check_no_text, invalid, misplaced, number, one_of,
    schema, text,
};
use super::{
    Action, Callee, Connect, Dial, Fault, Gather, Method, PARSE_FAILURE, Prompt, Record, STREAM_SCHEME,
    STREAM_URL, TOO_LARGE, Verb,
};

/// Longest document that Twilio reads (error 11750).
pub(crate) const MAX_DOCUMENT_BYTES: usize = 64 * 1024;
/// `<Say>` takes no longer text (error 13520).
const MAX_SAY_CHARS: usize = 4096;
/// Name and value of a `<Parameter>` together (docs of `<Stream>`).
const MAX_PARAMETER_CHARS: usize = 500;
/// `loop="0"` means for ever; nobody listens that long.
const MAX_LOOPS: u32 = 1000;
/// Seconds in a day: no timeout of a call is longer.
const MAX_SECONDS: u32 = 86_400;

/// Verbs and nouns that exist but are not played here.
const UNPLAYED: &[&str] = &[
    "Enqueue",
    "Leave",
    "Start",
    "Stop",
    "Refer",
    "Pay",
    "Prompt",
    "Sms",
    "Siprec",
    "Transcription",
    "Recording",
    "Client",
    "Sip",
    "Sim",
    "Conference",
    "Queue",
    "Application",
    "WhatsApp",
    "ConversationRelay",
    "VirtualAgent",
    "Assistant",
    "AiSession",
    "Room",
    "Echo",
    "Conversation",
];

/// Reads a TwiML document.
///
/// Everything that Twilio would refuse or merely warn of is a [`Fault`]: unknown verbs and attributes, values out of
/// range, text in the wrong place, a `<Stream>` whose URL is not `wss` or has a query string.
pub(crate) fn parse(document: &str) -> Result<Vec<Verb>, Fault> {
    if document.len() > MAX_DOCUMENT_BYTES {
        return Err(Fault::Refused {
            code: TOO_LARGE,
            message: format!("{} bytes of TwiML", document.len()),
        });
    }
    let options = ParsingOptions { allow_dtd: false, ..ParsingOptions::default() };
    let tree = Document::parse_with_options(document, options)
        .map_err(|error| Fault::Refused { code: PARSE_FAILURE, message: error.to_string() })?;
    let root = tree.root_element();
    if root.tag_name().name() != "Response" || root.tag_name().namespace().is_some() {
        return Err(schema(format!("the root is <{}>, not <Response>", root.tag_name().name())));
    }
    check_attributes(root, &[], &[])?;
    check_no_text(root)?;
    root.children().filter(Node::is_element).map(verb).collect()
}

fn verb(node: Node<'_, '_>) -> Result<Verb, Fault> {
    match node.tag_name().name() {
        "Say" | "Play" | "Pause" => prompt(node).map(Verb::Prompt),
        "Connect" => connect(node).map(Verb::Connect),
        "Gather" => gather(node).map(Verb::Gather),
        "Record" => record(node).map(Verb::Record),
        "Dial" => dial(node).map(Verb::Dial),
        "Redirect" => redirect(node).map(Verb::Redirect),
        "Reject" => {
            check_attributes(node, &["reason"], &[])?;
            check_empty(node)?;
            Ok(Verb::Reject { busy: one_of(node, "reason", &["rejected", "busy"])? == Some("busy") })
        }
        "Hangup" => {
            check_attributes(node, &[], &[])?;
            check_empty(node)?;
            Ok(Verb::Hangup)
        }
        name if UNPLAYED.contains(&name) => Err(Fault::NotSimulated(format!("<{name}>"))),
        name => Err(schema(format!("<{name}> is no verb"))),
    }
}

fn prompt(node: Node<'_, '_>) -> Result<Prompt, Fault> {
    match node.tag_name().name() {
        "Say" => {
            check_attributes(node, &["voice", "language", "loop"], &[])?;
            let text = text(node)?;
            if text.is_empty() || text.chars().count() > MAX_SAY_CHARS {
                return Err(Fault::Refused {
                    code: 13520,
                    message: "<Say> without text, or too much".into(),
                });
            }
            Ok(Prompt::Say { text, times: times(node)? })
        }
        "Play" => {
            check_attributes(node, &["digits", "loop"], &[])?;
            let url = text(node)?;
            match (node.attribute("digits"), url.is_empty()) {
                (Some(digits), true) if !digits.is_empty() && digits.chars().all(is_playable_digit) => {
                    Ok(Prompt::PlayDigits(digits.to_owned()))
                }
                (Some(digits), true) => Err(invalid(node, "digits", digits)),
                (None, false) => Ok(Prompt::Play { url, times: times(node)? }),
                _ => Err(schema("<Play> wants either a URL or digits")),
            }
        }
        "Pause" => {
            check_attributes(node, &["length"], &[])?;
            check_empty(node)?;
            Ok(Prompt::Pause(number(node, "length", 1..=MAX_SECONDS)?.unwrap_or(1)))
        }
        name if UNPLAYED.contains(&name) => Err(Fault::NotSimulated(format!("<{name}>"))),
        _ => Err(node.parent().map_or_else(|| schema("stray element"), |parent| misplaced(node, parent))),
    }
}

fn is_playable_digit(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, '*' | '#' | 'w' | 'W')
}

fn times(node: Node<'_, '_>) -> Result<u32, Fault> {
    Ok(match number(node, "loop", 0..=MAX_LOOPS)? {
        Some(0) => MAX_LOOPS,
        other => other.unwrap_or(1),
    })
}

fn redirect(node: Node<'_, '_>) -> Result<Action, Fault> {
    check_attributes(node, &["method"], &[])?;
    let method = match one_of(node, "method", &["GET", "POST"])? {
        Some("GET") => Method::Get,
        _ => Method::Post,
    };
    Ok(Action { url: text(node)?, method })
}

fn connect(node: Node<'_, '_>) -> Result<Connect, Fault> {
    check_attributes(node, &["action", "method"], &[])?;
    check_no_text(node)?;
    let mut children = node.children().filter(Node::is_element);
    let (Some(stream), None) = (children.next(), children.next()) else {
        return Err(schema("<Connect> wants exactly one noun"));
    };
    match stream.tag_name().name() {
        "Stream" => {}
        name if UNPLAYED.contains(&name) => return Err(Fault::NotSimulated(format!("<{name}>"))),
        _ => return Err(misplaced(stream, node)),
    }
    let known = ["url", "name", "track", "statusCallback", "statusCallbackMethod"];
    check_attributes(stream, &known, &["connectorName", "audioFormat", "sampleRate"])?;
    check_no_text(stream)?;
    one_of(stream, "track", &["inbound_track"])?;
    let url = stream.attribute("url").ok_or_else(|| schema("<Stream> without url"))?;
    if !url.starts_with("wss://") {
        return Err(Fault::Refused { code: STREAM_SCHEME, message: "<Stream url> is not wss".into() });
    }
    if url.contains(['?', '#']) {
        return Err(Fault::Refused { code: STREAM_URL, message: "<Stream url> has a query string".into() });
    }
    Ok(Connect {
        action: action(node, "action", "method")?,
        url: url.to_owned(),
        name: stream.attribute("name").map(str::to_owned),
        status: action(stream, "statusCallback", "statusCallbackMethod")?,
        parameters: stream
            .children()
            .filter(Node::is_element)
            .map(|child| parameter(child, stream))
            .collect::<Result<_, _>>()?,
    })
}

fn parameter(node: Node<'_, '_>, parent: Node<'_, '_>) -> Result<(String, String), Fault> {
    if node.tag_name().name() != "Parameter" {
        return Err(misplaced(node, parent));
    }
    check_attributes(node, &["name", "value"], &[])?;
    check_empty(node)?;
    let name = node.attribute("name").filter(|name| !name.is_empty());
    let (Some(name), Some(value)) = (name, node.attribute("value")) else {
        return Err(schema("<Parameter> wants name and value"));
    };
    if name.chars().count() + value.chars().count() > MAX_PARAMETER_CHARS {
        return Err(schema(format!(
            "<Parameter name='{name}'> is longer than {MAX_PARAMETER_CHARS} characters"
        )));
    }
    Ok((name.to_owned(), value.to_owned()))
}

fn gather(node: Node<'_, '_>) -> Result<Gather, Fault> {
    let known = [
        "action",
        "method",
        "input",
        "numDigits",
        "timeout",
        "finishOnKey",
        "actionOnEmptyResult",
        "bargeIn",
        "speechTimeout",
        "speechModel",
        "hints",
        "language",
        "profanityFilter",
        "enhanced",
        "maxSpeechTime",
    ];
    check_attributes(node, &known, &["partialResultCallback", "partialResultCallbackMethod", "debug"])?;
    check_no_text(node)?;
    let input = one_of(node, "input", &["dtmf", "speech", "dtmf speech", "speech dtmf"])?.unwrap_or("dtmf");
    let speech_timeout = node.attribute("speechTimeout");
    if speech_timeout.is_some_and(|text| text != "auto" && text.parse::<u32>().map_or(true, |s| s == 0)) {
        return Err(invalid(node, "speechTimeout", speech_timeout.unwrap_or_default()));
    }
    let finish_on_key = match node.attribute("finishOnKey") {
        None => Some('#'),
        Some("") => None,
        Some(key) if key.len() == 1 && key.chars().all(is_key) => key.chars().next(),
        Some(other) => return Err(invalid(node, "finishOnKey", other)),
    };
    Ok(Gather {
        action: action(node, "action", "method")?,
        dtmf: input.contains("dtmf"),
        speech: input.contains("speech"),
        num_digits: number(node, "numDigits", 1..=255)?,
        timeout: number(node, "timeout", 0..=MAX_SECONDS)?.unwrap_or(5),
        finish_on_key,
        action_on_empty: boolean(node, "actionOnEmptyResult")?.unwrap_or(false),
        barge_in: boolean(node, "bargeIn")?.unwrap_or(true),
        prompts: node.children().filter(Node::is_element).map(prompt).collect::<Result<_, _>>()?,
    })
}

fn is_key(c: char) -> bool {
    c.is_ascii_digit() || c == '*' || c == '#'
}

fn record(node: Node<'_, '_>) -> Result<Record, Fault> {
    let known = [
        "action",
        "method",
        "maxLength",
        "timeout",
        "playBeep",
        "finishOnKey",
        "trim",
        "recordingStatusCallback",
        "recordingStatusCallbackMethod",
        "recordingStatusCallbackEvent",
    ];
    check_attributes(node, &known, &["transcribe", "transcribeCallback", "recordingConfigurationId"])?;
    check_empty(node)?;
    one_of(node, "trim", &["trim-silence", "do-not-trim"])?;
    one_of(node, "recordingStatusCallbackEvent", &["completed"])?;
    let keys = node.attribute("finishOnKey").unwrap_or("1234567890*#");
    if !keys.chars().all(is_key) {
        return Err(invalid(node, "finishOnKey", keys));
    }
    Ok(Record {
        action: action(node, "action", "method")?,
        max_length: number(node, "maxLength", 1..=14_400)?.unwrap_or(3_600),
        timeout: number(node, "timeout", 0..=MAX_SECONDS)?.unwrap_or(5),
        beep: boolean(node, "playBeep")?.unwrap_or(true),
        finish_on_key: keys.to_owned(),
        status: action(node, "recordingStatusCallback", "recordingStatusCallbackMethod")?,
    })
}

fn dial(node: Node<'_, '_>) -> Result<Dial, Fault> {
    let known = [
        "action",
        "method",
        "callerId",
        "timeout",
        "timeLimit",
        "hangupOnStar",
        "answerOnBridge",
        "ringTone",
        "sequential",
    ];
    let unplayed = [
        "record",
        "recordingStatusCallback",
        "recordingStatusCallbackMethod",
        "recordingStatusCallbackEvent",
        "recordingTrack",
        "trim",
        "referUrl",
        "referMethod",
        "recordingConfigurationId",
        "events",
        "passports",
    ];
    check_attributes(node, &known, &unplayed)?;
    boolean(node, "answerOnBridge")?;
    boolean(node, "sequential")?;
    let children: Vec<_> = node.children().filter(Node::is_element).collect();
    let numbers = if children.is_empty() {
        vec![Callee { number: dialled(node, &text(node)?)?, status: None, events: Vec::new() }]
    } else {
        check_no_text(node)?;
        children.into_iter().map(|child| callee(child, node)).collect::<Result<_, _>>()?
    };
    Ok(Dial {
        action: action(node, "action", "method")?,
        caller_id: node.attribute("callerId").map(|id| dialled(node, id)).transpose()?,
        timeout: number(node, "timeout", 1..=600)?.unwrap_or(30),
        time_limit: number(node, "timeLimit", 1..=MAX_SECONDS)?,
        hangup_on_star: boolean(node, "hangupOnStar")?.unwrap_or(false),
        numbers,
    })
}

fn callee(node: Node<'_, '_>, parent: Node<'_, '_>) -> Result<Callee, Fault> {
    match node.tag_name().name() {
        "Number" => {}
        name if UNPLAYED.contains(&name) => return Err(Fault::NotSimulated(format!("<Dial><{name}>"))),
        _ => return Err(misplaced(node, parent)),
    }
    let unplayed = [
        "url",
        "method",
        "sendDigits",
        "byoc",
        "machineDetection",
        "machineDetectionTimeout",
        "machineDetectionSpeechThreshold",
        "machineDetectionSpeechEndThreshold",
        "machineDetectionSilenceTimeout",
        "amdStatusCallback",
        "amdStatusCallbackMethod",
    ];
    check_attributes(node, &["statusCallback", "statusCallbackMethod", "statusCallbackEvent"], &unplayed)?;
    let events: Vec<String> =
        node.attribute("statusCallbackEvent").unwrap_or("completed").split(' ').map(str::to_owned).collect();
    let known = ["initiated", "ringing", "answered", "completed"];
    if let Some(event) = events.iter().find(|event| !known.contains(&event.as_str())) {
        return Err(invalid(node, "statusCallbackEvent", event));
    }
    Ok(Callee {
        number: dialled(node, &text(node)?)?,
        status: action(node, "statusCallback", "statusCallbackMethod")?,
        events,
    })
}

/// An E.164 number (error 13223 otherwise).
fn dialled(node: Node<'_, '_>, number: &str) -> Result<String, Fault> {
    if number.parse::<voicecore_types::E164>().is_ok() {
        Ok(number.to_owned())
    } else {
        let tag = node.tag_name().name();
        Err(Fault::Refused { code: 13223, message: format!("<{tag}> has no number in E.164 form") })
    }
}

#[cfg(test)]
mod tests;
