//! Tokens, by the documented rules: caller audio 1 per 100 ms, assistant audio 1 per 50 ms, the whole context again with
//! every response. Text is reckoned at four bytes a token; what was in the context before counts as cached, in blocks
//! of 64.

use serde_json::{Value, json};

use super::conversation::{Body, Conversation};

const CALLER_MS_PER_TOKEN: u32 = 100;
const ASSISTANT_MS_PER_TOKEN: u32 = 50;
const BYTES_PER_TOKEN: usize = 4;
const CACHE_BLOCK: u32 = 64;

/// Tokens of one kind of thing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tokens {
    pub(super) text: u32,
    pub(super) audio: u32,
}

impl Tokens {
    fn total(self) -> u32 {
        self.text + self.audio
    }

    /// Tokens of written text.
    pub(super) fn of_text(text: &str) -> u32 {
        text.len().div_ceil(BYTES_PER_TOKEN) as u32
    }

    /// Tokens of caller audio.
    pub(super) fn of_caller(ms: u32) -> u32 {
        ms.div_ceil(CALLER_MS_PER_TOKEN)
    }
}

/// What a response starts from.
pub(super) fn context(conversation: &Conversation, instructions: &str, tools: &Value) -> Tokens {
    let tools =
        if tools.as_array().is_none_or(Vec::is_empty) { 0 } else { Tokens::of_text(&tools.to_string()) };
    let mut tokens = Tokens { text: Tokens::of_text(instructions) + tools, audio: 0 };
    for item in conversation.items() {
        let one = of_item(&item.body);
        tokens.text += one.text;
        tokens.audio += one.audio;
    }
    tokens
}

/// What an item costs: in the context, and when it is the output of a response.
pub(super) fn of_item(body: &Body) -> Tokens {
    match body {
        Body::Heard { ms, .. } => Tokens { text: 0, audio: Tokens::of_caller(*ms) },
        Body::Spoken(spoken) => Tokens {
            text: Tokens::of_text(&spoken.transcript),
            audio: spoken.kept_ms().div_ceil(ASSISTANT_MS_PER_TOKEN),
        },
        Body::Written { text, .. } => Tokens { text: Tokens::of_text(text), audio: 0 },
        Body::Call { name, arguments, .. } => {
            Tokens { text: Tokens::of_text(name) + Tokens::of_text(arguments), audio: 0 }
        }
        Body::Output { output, .. } => Tokens { text: Tokens::of_text(output), audio: 0 },
    }
}

/// `usage` of `response.done`.
pub(super) fn document(input: Tokens, before: Tokens, output: Tokens) -> Value {
    let blocks = |now: u32, before: u32| now.min(before) / CACHE_BLOCK * CACHE_BLOCK;
    let cached = Tokens { text: blocks(input.text, before.text), audio: blocks(input.audio, before.audio) };
    json!({
        "total_tokens": input.total() + output.total(),
        "input_tokens": input.total(),
        "output_tokens": output.total(),
        "input_token_details": {
            "text_tokens": input.text, "audio_tokens": input.audio, "image_tokens": 0,
            "cached_tokens": cached.total(),
            "cached_tokens_details": { "text_tokens": cached.text, "audio_tokens": cached.audio, "image_tokens": 0 } },
        "output_token_details": { "text_tokens": output.text, "audio_tokens": output.audio } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cached_tokens_are_a_subset_in_whole_blocks() {
        let usage = document(
            Tokens { text: 300, audio: 70 },
            Tokens { text: 290, audio: 63 },
            Tokens { text: 10, audio: 40 },
        );
        assert_eq!(usage["total_tokens"], 420);
        assert_eq!(usage["input_token_details"]["cached_tokens"], 256);
        assert_eq!(usage["input_token_details"]["cached_tokens_details"]["audio_tokens"], 0);
        assert_eq!(usage["output_tokens"], 50);
    }
}
