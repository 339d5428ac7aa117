//! Media Streams messages: written as Twilio writes them, read as strictly as its documentation allows.
//!
//! Written without `voicecore-wire`. Source: <https://www.twilio.com/docs/voice/media-streams/websocket-messages>.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;

use crate::speech::{FRAME_BYTES, FRAME_MS};

/// Longest message that is read from the product: ten seconds of audio and more.
pub(super) const MAX_MESSAGE_BYTES: usize = 256 * 1024;

/// A message of the product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FromApp {
    /// µ-law to be played.
    Media(Vec<u8>),
    /// A mark to be sent back.
    Mark(String),
    /// Throw away what is buffered.
    Clear,
}

/// A message which Twilio would not understand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadMessage {
    /// Not JSON of a known shape.
    #[error("31951 invalid message: {0}")]
    Shape(String),
    /// It names another stream.
    #[error("31951 wrong streamSid")]
    StreamSid,
    /// The payload is not Base64, is empty or has a file header.
    #[error("31951 invalid payload: {0}")]
    Payload(&'static str),
}

#[derive(Deserialize)]
#[serde(tag = "event", rename_all = "lowercase", deny_unknown_fields)]
enum Wire {
    Media {
        #[serde(rename = "streamSid")]
        stream_sid: String,
        media: Payload,
    },
    Mark {
        #[serde(rename = "streamSid")]
        stream_sid: String,
        mark: Name,
    },
    Clear {
        #[serde(rename = "streamSid")]
        stream_sid: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload {
    payload: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Name {
    name: String,
}

/// Reads a text message for the stream `stream_sid`.
pub(super) fn read(text: &str, stream_sid: &str) -> Result<FromApp, BadMessage> {
    let wire: Wire = serde_json::from_str(text).map_err(|error| BadMessage::Shape(error.to_string()))?;
    let (sid, message) = match wire {
        Wire::Media { stream_sid, media } => (stream_sid, FromApp::Media(audio(&media.payload)?)),
        Wire::Mark { stream_sid, mark } if !mark.name.is_empty() => (stream_sid, FromApp::Mark(mark.name)),
        Wire::Mark { .. } => return Err(BadMessage::Shape("a mark without a name".into())),
        Wire::Clear { stream_sid } => (stream_sid, FromApp::Clear),
    };
    if sid == stream_sid { Ok(message) } else { Err(BadMessage::StreamSid) }
}

fn audio(payload: &str) -> Result<Vec<u8>, BadMessage> {
    let audio = STANDARD.decode(payload).map_err(|_| BadMessage::Payload("not Base64"))?;
    if audio.is_empty() {
        return Err(BadMessage::Payload("empty"));
    }
    if [b"RIFF", b"OggS", b"fLaC"].iter().any(|magic| audio.starts_with(*magic)) || audio.starts_with(b"ID3")
    {
        return Err(BadMessage::Payload("a file header: raw audio is wanted"));
    }
    Ok(audio)
}

/// Writes the messages of one stream, counting as Twilio counts: numbers are strings, and `connected` has none.
#[derive(Debug)]
pub(super) struct Writer {
    account_sid: String,
    call_sid: String,
    stream_sid: String,
    sequence: u64,
    chunk: u64,
    time_ms: u64,
}

impl Writer {
    /// A writer for a stream that begins.
    pub(super) fn new(account_sid: &str, call_sid: &str, stream_sid: &str) -> Self {
        Self {
            account_sid: account_sid.into(),
            call_sid: call_sid.into(),
            stream_sid: stream_sid.into(),
            sequence: 0,
            chunk: 0,
            time_ms: 0,
        }
    }

    /// The first message.
    pub(super) fn connected() -> String {
        json!({"event": "connected", "protocol": "Call", "version": "1.0.0"}).to_string()
    }

    /// The second message.
    pub(super) fn start(&mut self, parameters: &[(String, String)]) -> String {
        let custom: serde_json::Map<_, _> =
            parameters.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
        let start = json!({
            "accountSid": self.account_sid, "callSid": self.call_sid, "streamSid": self.stream_sid,
            "tracks": ["inbound"], "customParameters": custom,
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        });
        self.message("start", &start)
    }

    /// 20 ms of what the caller says.
    pub(super) fn media(&mut self, frame: &[u8; FRAME_BYTES]) -> String {
        self.chunk += 1;
        let timestamp = self.time_ms;
        self.time_ms += u64::from(FRAME_MS);
        let media = json!({
            "track": "inbound", "chunk": self.chunk.to_string(), "timestamp": timestamp.to_string(),
            "payload": STANDARD.encode(frame),
        });
        self.message("media", &media)
    }

    /// 20 ms of what the caller says did not get here: the timestamp of the next message shows it.
    pub(super) fn lost(&mut self) {
        self.time_ms += u64::from(FRAME_MS);
    }

    /// A key of the caller's telephone.
    pub(super) fn dtmf(&mut self, key: char) -> String {
        self.message("dtmf", &json!({"track": "inbound_track", "digit": key.to_string()}))
    }

    /// A mark sent back.
    pub(super) fn mark(&mut self, name: &str) -> String {
        self.message("mark", &json!({"name": name}))
    }

    /// The last message.
    pub(super) fn stop(&mut self) -> String {
        let stop = json!({"accountSid": self.account_sid, "callSid": self.call_sid});
        self.message("stop", &stop)
    }

    /// Media frames written so far.
    pub(super) fn frames(&self) -> u64 {
        self.chunk
    }

    fn message(&mut self, event: &str, body: &serde_json::Value) -> String {
        self.sequence += 1;
        let sequence = self.sequence.to_string();
        json!({"event": event, "sequenceNumber": sequence, "streamSid": self.stream_sid, event: body})
            .to_string()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{BadMessage, FromApp, Writer, read};

    fn parsed(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn writes_the_messages_of_the_documentation() {
        let mut writer = Writer::new("AC1", "CA1", "MZ1");
        assert_eq!(
            parsed(&Writer::connected()),
            json!({"event": "connected", "protocol": "Call", "version": "1.0.0"})
        );
        let start = json!({"event": "start", "sequenceNumber": "1", "streamSid": "MZ1", "start": {
            "streamSid": "MZ1", "accountSid": "AC1", "callSid": "CA1", "tracks": ["inbound"],
            "customParameters": {"token": "v"},
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}}});
        assert_eq!(parsed(&writer.start(&[("token".into(), "v".into())])), start);
        writer.media(&[0xff; 160]);
        let media = parsed(&writer.media(&[0xff; 160]));
        assert_eq!((&media["sequenceNumber"], &media["media"]["chunk"]), (&json!("3"), &json!("2")));
        assert_eq!(media["media"]["timestamp"], "20");
        assert_eq!(media["media"]["payload"].as_str().map(str::len), Some(216));
        let dtmf = parsed(&writer.dtmf('0'));
        assert_eq!(dtmf["dtmf"], json!({"track": "inbound_track", "digit": "0"}));
        assert_eq!(parsed(&writer.mark("m"))["mark"], json!({"name": "m"}));
        let stop = json!({"event": "stop", "sequenceNumber": "6", "streamSid": "MZ1",
            "stop": {"accountSid": "AC1", "callSid": "CA1"}});
        assert_eq!(parsed(&writer.stop()), stop);
    }

    #[test]
    fn reads_the_three_messages() {
        let media =
            json!({"event": "media", "streamSid": "MZ1", "media": {"payload": "/////w=="}}).to_string();
        assert_eq!(read(&media, "MZ1"), Ok(FromApp::Media(vec![0xff; 4])));
        let mark = json!({"event": "mark", "streamSid": "MZ1", "mark": {"name": "a"}}).to_string();
        assert_eq!(read(&mark, "MZ1"), Ok(FromApp::Mark("a".into())));
        assert_eq!(read(r#"{"event":"clear","streamSid":"MZ1"}"#, "MZ1"), Ok(FromApp::Clear));
        assert_eq!(read(r#"{"event":"clear","streamSid":"MZ2"}"#, "MZ1"), Err(BadMessage::StreamSid));
    }

    #[test]
    fn refuses_everything_else() {
        for bad in [
            json!({"event": "media", "streamSid": "MZ1", "media": {"payload": "AAAA", "track": "outbound"}}),
            json!({"event": "media", "streamSid": "MZ1", "media": {"payload": "not base64!"}}),
            json!({"event": "media", "streamSid": "MZ1", "media": {"payload": ""}}),
            json!({"event": "media", "streamSid": "MZ1", "media": {"payload": "UklGRiQAAAA="}}),
            json!({"event": "media", "media": {"payload": "AAAA"}}),
            json!({"event": "mark", "streamSid": "MZ1", "mark": {"name": ""}}),
            json!({"event": "mark", "streamSid": "MZ1", "mark": {"name": 7}}),
            json!({"event": "clear", "streamSid": "MZ1", "extra": 1}),
            json!({"event": "dtmf", "streamSid": "MZ1", "dtmf": {"digit": "1"}}),
            json!([1]),
        ] {
            assert!(read(&bad.to_string(), "MZ1").is_err(), "{bad}");
        }
        assert!(read("not json", "MZ1").is_err());
    }
}
