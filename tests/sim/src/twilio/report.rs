//! What is told of a call: events while it runs, a report when it is over.

use serde::{Deserialize, Serialize};

use super::playback::SAMPLES_PER_MS;
use crate::scenario::{EndedBy, Outcome};
use crate::speech::{ENERGY_FLOOR_DB, FRAME_BYTES, FRAME_MS, level_db};

/// Something that happened in a call. Times are milliseconds since the answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The system under test is being asked what to do with the call.
    Ringing {
        /// Twilio's name of the call.
        call_sid: String,
    },
    /// The call was answered.
    Answered,
    /// A document is executed.
    Twiml {
        /// When.
        at_ms: u64,
        /// Its verbs, in order.
        verbs: Vec<String>,
    },
    /// A media stream was opened.
    StreamOpened {
        /// When.
        at_ms: u64,
        /// Which one, from 1.
        number: u32,
    },
    /// A media stream is over.
    StreamClosed {
        /// When.
        at_ms: u64,
        /// How.
        how: StreamEnd,
    },
    /// The caller begins to speak.
    CallerSpeaks {
        /// When.
        at_ms: u64,
        /// What is said.
        text: String,
        /// The other side was speaking.
        interrupts: bool,
    },
    /// The caller has spoken.
    CallerSpoke {
        /// When the last word ended.
        at_ms: u64,
        /// Everything was said.
        complete: bool,
    },
    /// The caller pressed a key.
    Key {
        /// When.
        at_ms: u64,
        /// Which.
        key: char,
    },
    /// The other side begins to be heard.
    Speaks {
        /// When.
        at_ms: u64,
        /// Who.
        speaker: Speaker,
        /// Since the caller's last word, if this answers it.
        latency_ms: Option<u64>,
    },
    /// The other side was heard to the end, or cut.
    Spoke {
        /// When the last sample was heard.
        at_ms: u64,
        /// Who.
        speaker: Speaker,
        /// The words that were heard.
        text: String,
        /// The words that were cut off.
        cut: Option<String>,
    },
    /// The product asked Twilio to throw away what is buffered.
    Cleared {
        /// When.
        at_ms: u64,
    },
    /// The scenario wants the product's host killed now.
    KillApp {
        /// When.
        at_ms: u64,
    },
    /// A dialled party was rung.
    Dialled {
        /// When the outcome was known.
        at_ms: u64,
        /// What came of it.
        outcome: Outcome,
    },
    /// The product did something Twilio would refuse or complain of.
    Violation {
        /// When.
        at_ms: u64,
        /// What.
        what: String,
    },
    /// The call is over; nothing comes after this.
    Ended {
        /// Everything about it.
        report: Box<CallReport>,
    },
    /// The call could not be placed; nothing comes after this.
    Failed {
        /// Why.
        error: String,
    },
}

/// Who spoke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Speaker {
    /// The scenario's caller.
    Caller,
    /// The AI.
    Assistant,
    /// Twilio's own voice (`<Say>`).
    Twilio,
    /// A dialled party.
    Callee,
}

/// How a media stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamEnd {
    /// The product closed the socket.
    ClosedByApp,
    /// The connection broke, or was never made.
    Broken,
    /// The scenario cut it.
    Cut,
    /// The call ended.
    CallEnded,
    /// The REST API replaced the TwiML.
    Replaced,
}

/// Something said, and what was heard of it. Times are milliseconds since the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// Who.
    pub speaker: Speaker,
    /// The words that were said (caller) or heard (everybody else).
    pub text: String,
    /// All the words, heard or not.
    pub whole_text: String,
    /// When the first sample was heard.
    pub start_ms: u64,
    /// When the last sample was heard; for the caller, when the last word ended.
    pub end_ms: u64,
    /// Milliseconds heard.
    pub heard_ms: u64,
    /// Milliseconds in all.
    pub total_ms: u64,
    /// It was not heard (or said) to its end.
    pub cut: bool,
    /// The model's name of it.
    pub item: Option<String>,
    /// Assistant: milliseconds since the caller's last word that this answers.
    pub latency_ms: Option<u64>,
    /// Caller: every frame was put on a media stream.
    pub delivered: bool,
    /// Caller: frames that did not reach the model, or came there out of order.
    pub damaged_frames: u32,
    /// Caller: frames that reached the model more than once, as they do when a new session takes over.
    pub repeated_frames: u32,
}

/// What the product told the model about an interruption, and the truth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Truncation {
    /// The model's name of the message.
    pub item: String,
    /// What the caller heard, in milliseconds.
    pub heard_ms: u64,
    /// What the product claimed.
    pub claimed_ms: u64,
}

impl Truncation {
    /// Claimed minus heard.
    pub fn error_ms(&self) -> i64 {
        self.claimed_ms.cast_signed() - self.heard_ms.cast_signed()
    }
}

/// A document that was executed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// When, in milliseconds since the answer.
    pub at_ms: u64,
    /// Where it came from; `rest` for one given through the REST API.
    pub url: String,
    /// Its text.
    pub text: String,
}

/// A media stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stream {
    /// Twilio's name of it.
    pub stream_sid: String,
    /// When it was opened, in milliseconds since the answer.
    pub opened_ms: u64,
    /// When it was over.
    pub closed_ms: u64,
    /// How.
    pub end: StreamEnd,
    /// Media frames sent to the product.
    pub frames_sent: u64,
    /// Media messages received from the product.
    pub media_received: u64,
    /// The most that was buffered, in milliseconds.
    pub max_buffered_ms: u64,
}

/// Everything about a call that is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallReport {
    /// Twilio's name of the call.
    pub call_sid: String,
    /// The scenario that was played.
    pub scenario: String,
    /// Twilio's final status.
    pub status: String,
    /// Who ended it.
    pub ended_by: EndedBy,
    /// From the answer to the end.
    pub duration_ms: u64,
    /// What was said by both sides, in the order in which it was heard.
    pub turns: Vec<Turn>,
    /// The longest time in which neither side made a sound.
    pub max_silence_ms: u64,
    /// The longest time in which the caller waited for a sound that was owed: after the answer, after speaking, after
    /// the line went dead.
    pub max_wait_ms: u64,
    /// Documents executed.
    pub twiml: Vec<Document>,
    /// Media streams opened.
    pub streams: Vec<Stream>,
    /// What the product told the model about interruptions.
    pub truncations: Vec<Truncation>,
    /// Tools the model called, in order.
    pub tools: Vec<String>,
    /// What came of dialling.
    pub dialled: Option<Outcome>,
    /// Recordings made.
    pub recordings: Vec<String>,
    /// `kill_app` was emitted.
    pub killed: bool,
    /// The network's jitter.
    pub jitter_ms: u64,
    /// By how much the simulator itself came late to the line's ticks shortly before it took a `clear`, at worst: on a machine that
    /// is busy with other things, a `clear` that has arrived waits for as long.
    pub late_ms: u64,
    /// What either simulator complained of during this call.
    pub violations: Vec<String>,
    /// Expectations of the scenario that were not met.
    pub failures: Vec<String>,
    /// µ-law that the caller heard since the answer, sample by sample, silences included.
    #[serde(skip)]
    pub heard: Vec<u8>,
}

/// A claim of what was heard may be off by so much.
const CLAIM_TOLERANCE_MS: u64 = 30;

impl CallReport {
    /// How far a claim of what was heard may be off: nobody can know the jitter of a `clear` that is still on its way, nor how late
    /// it is taken.
    pub fn claim_tolerance_ms(&self) -> u64 {
        CLAIM_TOLERANCE_MS + self.jitter_ms + self.late_ms
    }

    /// Latency of each answer, in order.
    pub fn latencies(&self) -> Vec<u64> {
        self.turns.iter().filter_map(|turn| turn.latency_ms).collect()
    }

    /// Nothing was violated and every expectation was met.
    pub fn passed(&self) -> bool {
        self.violations.is_empty() && self.failures.is_empty()
    }
}

/// `(max_silence_ms, max_wait_ms)` of a call: see [`CallReport`].
///
/// `heard` is what the caller heard; `caller` when the caller spoke or pressed keys, `recorded` when that was recorded,
/// so that nothing was owed for it, and `breaks` when the line went dead, all in milliseconds since the answer.
pub(super) fn silences(
    heard: &[u8],
    caller: &[(u64, u64)],
    recorded: &[(u64, u64)],
    breaks: &[u64],
) -> (u64, u64) {
    let frame = u64::from(FRAME_MS);
    let (mut silence, mut wait) = (0, 0);
    let (mut began, mut owed) = (0, true);
    for (n, window) in heard.chunks(FRAME_BYTES).enumerate() {
        let (from, to) = (n as u64 * frame, n as u64 * frame + (window.len() as u64 / SAMPLES_PER_MS));
        if breaks.iter().any(|at| (from..to).contains(at)) {
            owed = true;
        }
        let within = |spans: &[(u64, u64)]| spans.iter().any(|(start, end)| *start < to && *end > from);
        let spoken = within(caller);
        let sounds = level_db(window) > ENERGY_FLOOR_DB;
        if sounds || spoken {
            began = to;
            owed = spoken && !sounds && !within(recorded);
            continue;
        }
        silence = silence.max(to - began);
        if owed {
            wait = wait.max(to - began);
        }
    }
    (silence, wait)
}

#[cfg(test)]
mod tests {
    use super::silences;
    use crate::speech::{SILENCE, encode};

    fn audio(spans: &[(usize, bool)]) -> Vec<u8> {
        let tone = |n: usize| encode((6_000.0 * (n as f64 * 0.4).sin()) as i16);
        spans
            .iter()
            .flat_map(|(ms, loud)| (0..ms * 8).map(move |n| if *loud { tone(n) } else { SILENCE }))
            .collect()
    }

    #[test]
    fn a_wait_is_a_silence_in_which_the_caller_is_owed_a_sound() {
        // The greeting comes after 600 ms; the caller is silent for 5 s, speaks for 1 s, is answered after 1.4 s.
        let heard = audio(&[
            (600, false),
            (2_000, true),
            (5_000, false),
            (1_000, false),
            (1_400, false),
            (500, true),
        ]);
        assert_eq!(silences(&heard, &[(7_600, 8_600)], &[], &[]), (5_000, 1_400));
        // A message that is being recorded is not answered.
        assert_eq!(silences(&heard, &[(7_600, 8_600)], &[(7_000, 10_000)], &[]), (5_000, 600));
    }

    #[test]
    fn a_line_gone_dead_owes_a_sound() {
        let heard = audio(&[(1_000, true), (3_000, false), (1_000, true)]);
        assert_eq!(silences(&heard, &[], &[], &[]), (3_000, 0));
        assert_eq!(silences(&heard, &[], &[], &[1_500]), (3_000, 3_000));
    }

    #[test]
    fn the_answer_owes_a_sound() {
        assert_eq!(silences(&audio(&[(2_500, false), (100, true)]), &[], &[], &[]), (2_500, 2_500));
    }
}
