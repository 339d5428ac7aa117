//! What was said, from `conversations.json`, as the product keeps it.

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::{Value, json};

/// How fast both sides speak.
const MS_PER_CHAR: u64 = 62;
/// Between what the assistant said and what the caller says.
const CALLER_PAUSE_MS: u64 = 420;
/// How quickly the assistant answers, at best and at worst.
const FASTEST_ANSWER_MS: u64 = 430;
const ANSWER_SPREAD_MS: u64 = 620;
/// Every so many answers one takes longer by so much.
const SLOW_EVERY: u64 = 19;
const SLOW_MS: u64 = 1_100;

#[derive(Deserialize)]
pub(super) struct Conversation {
    /// Why it ended, as the product names it.
    pub(super) reason: String,
    /// The turn, from 0, in which the caller interrupts the assistant.
    cut: Option<usize>,
    /// Who said what.
    turns: Vec<(String, String)>,
    pub(super) note: Option<Note>,
    pub(super) message: Option<Message>,
}

#[derive(Deserialize)]
pub(super) struct Note {
    pub(super) body: String,
    pub(super) category: String,
    /// With blanks between them.
    pub(super) tags: String,
}

#[derive(Deserialize)]
pub(super) struct Message {
    pub(super) caller: String,
    pub(super) body: String,
}

pub(super) fn all() -> Result<Vec<Conversation>> {
    serde_json::from_str(include_str!("conversations.json")).context("conversations.json")
}

impl Conversation {
    /// The entries of the transcript, and how long the call was. `number` makes calls differ.
    pub(super) fn interactions(&self, number: u64) -> (Vec<Value>, u64) {
        let mut entries = Vec::new();
        let mut at = 300;
        for (index, (speaker, text)) in self.turns.iter().enumerate() {
            let turn = index as u64;
            let answers = speaker == "assistant" && index > 0;
            let random = number.wrapping_mul(7_919).wrapping_add(turn * 104_729);
            let slow = if random.is_multiple_of(SLOW_EVERY) { SLOW_MS } else { 0 };
            let latency = answers.then_some(FASTEST_ANSWER_MS + random % ANSWER_SPREAD_MS + slow);
            at += latency.unwrap_or(if speaker == "caller" { CALLER_PAUSE_MS } else { 0 });
            let length = text.chars().count() as u64 * MS_PER_CHAR;
            let cut = (self.cut == Some(index)).then_some(length);
            entries.push(json!({
                "seq": turn + 1, "speaker": speaker, "kind": "speech", "text": text, "start_ms": at, "end_ms": at + length,
                "cut_at_ms": cut, "estimated": false, "latency_ms": latency,
            }));
            at += length;
        }
        (entries, at + 900)
    }

    /// All that both sides said.
    pub(super) fn text(&self) -> String {
        self.turns.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join(" ")
    }
}
