//! What the caller says: voice activity, turns, transcription.

use serde_json::{Value, json};

use super::{
    Session, Task,
    conversation::{Body, Item},
    respond::Request,
    usage::Tokens,
};
use crate::{
    openai::{error::ApiError, report::TurnReport},
    registry::{Heard, Recogniser, Registry, Understood, understand},
    speech::{BYTES_PER_MS, FRAME_BYTES, Vad, VadConfig, VadEvent},
};

/// A commit needs so much audio.
const MIN_COMMIT_MS: u64 = 100;
/// Between two deltas of a transcription.
const DELTA_GAP_MS: u64 = 15;

/// The input audio buffer.
#[derive(Debug)]
pub(super) struct Input {
    registry: Registry,
    recogniser: Recogniser,
    vad: Option<Vad>,
    /// Less than a frame, waiting for its rest.
    partial: Vec<u8>,
    /// What was heard since the last commit.
    heard: Vec<Heard>,
    bytes: u64,
    committed_bytes: u64,
    /// The turn that has begun: its item and where it begins.
    turn: Option<(String, u32)>,
}

impl Input {
    pub(super) fn new(registry: Registry) -> Self {
        Self {
            recogniser: Recogniser::new(registry.clone()),
            registry,
            vad: None,
            partial: Vec::new(),
            heard: Vec::new(),
            bytes: 0,
            committed_bytes: 0,
            turn: None,
        }
    }

    pub(super) fn configure(&mut self, vad: Option<VadConfig>) {
        match (&mut self.vad, vad) {
            (Some(vad), Some(config)) => vad.configure(config),
            (slot, config) => *slot = config.map(Vad::new),
        }
    }

    pub(super) fn clear(&mut self) {
        self.heard.clear();
        self.turn = None;
        self.committed_bytes = self.bytes;
        self.vad.iter_mut().for_each(Vad::reset_turn);
    }

    fn ms(&self) -> u64 {
        self.bytes / BYTES_PER_MS as u64
    }

    /// Takes audio; gives what the detector says, with the words understood when a turn has ended.
    fn push(&mut self, audio: &[u8]) -> Vec<(VadEvent, Understood)> {
        self.bytes += audio.len() as u64;
        self.heard.extend(self.recogniser.push(audio));
        self.partial.extend_from_slice(audio);
        let whole = self.partial.len() / FRAME_BYTES * FRAME_BYTES;
        let frames: Vec<u8> = self.partial.drain(..whole).collect();
        let Some(vad) = &mut self.vad else { return Vec::new() };
        let mut found = Vec::new();
        for event in frames.chunks(FRAME_BYTES).filter_map(|frame| vad.push(frame)) {
            let understood = match event {
                VadEvent::Started { .. } => Understood::default(),
                VadEvent::Stopped { .. } => understand(&self.registry, &std::mem::take(&mut self.heard)),
            };
            found.push((event, understood));
        }
        found
    }
}

impl Session {
    pub(super) fn append(&mut self, audio: &[u8]) {
        let found = self.input.push(audio);
        {
            let mut report = self.seen();
            report.appends += 1;
            report.audio_ms = self.input.ms();
        }
        for (event, understood) in found {
            match event {
                VadEvent::Started { audio_start_ms } => self.speech_started(audio_start_ms),
                VadEvent::Stopped { audio_end_ms } => self.speech_stopped(audio_end_ms, &understood),
            }
        }
    }

    fn speech_started(&mut self, audio_start_ms: u32) {
        self.activity += 1;
        let item_id = self.new_id("item_");
        self.emit(json!({ "type": "input_audio_buffer.speech_started",
            "audio_start_ms": audio_start_ms, "item_id": item_id }));
        self.input.turn = Some((item_id, audio_start_ms));
        let active = self.active().map(|response| response.id.clone());
        if let Some(id) = active.filter(|_| self.settings.interrupts()) {
            let late = self.shared.timing.late_deltas;
            self.cancel(&id, "turn_detected", late);
        }
    }

    fn speech_stopped(&mut self, audio_end_ms: u32, understood: &Understood) {
        let Some((item_id, audio_start_ms)) = self.input.turn.take() else { return };
        self.emit(json!({ "type": "input_audio_buffer.speech_stopped",
            "audio_end_ms": audio_end_ms, "item_id": item_id }));
        self.commit_turn(item_id, audio_start_ms, audio_end_ms, understood);
        if self.settings.creates_response() {
            if self.active().is_some() {
                self.owes_response = true;
            } else {
                self.start_response(Request::default());
            }
        }
    }

    /// Makes a stretch of audio an item of the conversation.
    fn commit(&mut self, item_id: &str, start_ms: u32, end_ms: u32, understood: &Understood) {
        self.input.committed_bytes = self.input.bytes;
        let ms = end_ms.saturating_sub(start_ms);
        let body = Body::Heard { ms, text: understood.text.clone() };
        let item = Item { id: item_id.to_owned(), body, status: "completed" };
        let document = item.json();
        let previous = self.conversation.push(item);
        self.emit(json!({ "type": "input_audio_buffer.committed",
            "previous_item_id": previous, "item_id": item_id }));
        for kind in ["conversation.item.added", "conversation.item.done"] {
            self.emit(json!({ "type": kind, "previous_item_id": previous, "item": document }));
        }
    }

    /// Makes the turn an item of the conversation and has it transcribed.
    fn commit_turn(&mut self, item_id: String, start_ms: u32, end_ms: u32, understood: &Understood) {
        self.commit(&item_id, start_ms, end_ms, understood);
        self.transcribe(&item_id, end_ms.saturating_sub(start_ms), &understood.text);
        self.seen().turns.push(TurnReport {
            item_id,
            transcript: understood.text.clone(),
            utterances: understood.utterances.clone(),
            audio_end_ms: end_ms,
        });
    }

    fn transcribe(&mut self, item_id: &str, ms: u32, text: &str) {
        let Some(model) = self.settings.transcription_model().map(str::to_owned) else { return };
        let timing = &self.shared.timing;
        let (lag, jitter) = (timing.transcription_lag_ms, timing.transcription_jitter_ms);
        let mut after = lag + self.jitter(jitter);
        let kind = "conversation.item.input_audio_transcription";
        let words = text.split_inclusive(' ');
        for word in words {
            self.later(after, json!({ "type": format!("{kind}.delta"), "item_id": item_id, "content_index": 0, "delta": word }));
            after += DELTA_GAP_MS;
        }
        let usage = transcription_usage(&model, ms, text);
        self.later(
            after,
            json!({ "type": format!("{kind}.completed"), "item_id": item_id, "content_index": 0, "transcript": text, "usage": usage }),
        );
    }

    /// `input_audio_buffer.commit`.
    pub(super) fn commit_by_hand(&mut self, event_id: Option<&str>) -> Result<(), ApiError> {
        let buffered = (self.input.bytes - self.input.committed_bytes) / BYTES_PER_MS as u64;
        if buffered < MIN_COMMIT_MS {
            let message = format!(
                "Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, but buffer \
                 only has {buffered}.00ms of audio."
            );
            let error = ApiError::request("input_audio_buffer_commit_empty", message);
            if self.input.vad.is_none() {
                return Err(error);
            }
            // With voice activity detection the server may have been first: harmless.
            self.say_error(&error, event_id);
            return Ok(());
        }
        let end_ms = self.input.ms() as u32;
        let understood = understand(&self.input.registry, &std::mem::take(&mut self.input.heard));
        let start_ms = end_ms.saturating_sub(buffered as u32);
        let item_id = match self.input.turn.take() {
            Some((item_id, _)) => item_id,
            None => self.new_id("item_"),
        };
        self.input.vad.iter_mut().for_each(Vad::reset_turn);
        self.commit_turn(item_id, start_ms, end_ms, &understood);
        Ok(())
    }

    /// The assistant has been heard to the end at `from`: the caller's silence counts from there.
    pub(super) fn watch_silence(&mut self, from: u64) {
        if let Some(timeout) = self.settings.idle_timeout_ms() {
            self.agenda.add(from.max(self.now) + timeout, Task::Idle(self.activity));
        }
    }

    /// Nobody has said anything for the configured time.
    pub(super) fn idle(&mut self, activity: u64) {
        if activity != self.activity || self.active().is_some() || self.input.turn.is_some() {
            return;
        }
        let Some(timeout) = self.settings.idle_timeout_ms() else { return };
        let end_ms = self.input.ms() as u32;
        let start_ms = end_ms.saturating_sub(timeout as u32);
        let item_id = self.new_id("item_");
        self.emit(json!({ "type": "input_audio_buffer.timeout_triggered",
            "audio_start_ms": start_ms, "audio_end_ms": end_ms, "item_id": item_id }));
        self.commit(&item_id, start_ms, end_ms, &Understood::default());
        self.start_response(Request { idle: true, ..Request::default() });
    }
}

/// By duration for `whisper-1`, by tokens for all others.
fn transcription_usage(model: &str, ms: u32, text: &str) -> Value {
    if model == "whisper-1" {
        return json!({ "type": "duration", "seconds": f64::from(ms) / 1_000.0 });
    }
    let (audio, text) = (Tokens::of_caller(ms), Tokens::of_text(text));
    json!({ "type": "tokens", "total_tokens": audio + text, "input_tokens": audio, "output_tokens": text,
        "input_token_details": { "audio_tokens": audio, "text_tokens": 0 } })
}
