//! A session driven by hand, in its own time.

use serde_json::{Value, json};

use super::super::*;
use crate::{
    openai::faults::FaultPlan,
    registry::{Speaker, Utterance},
    speech::{FRAME_MS, Frame, SILENT_FRAME, Synthesiser, Voice},
};

/// A client with a session, at a time.
pub(super) struct Rig {
    pub(super) session: Session,
    pub(super) shared: Shared,
    pub(super) now: u64,
    /// What came, with its time.
    pub(super) came: Vec<(u64, Value)>,
    pub(super) faults: Vec<String>,
    pub(super) end: Option<Output>,
}

/// A session in µ-law with one tool.
pub(super) const PCMU: &str = r#"{"type":"session.update","session":{"type":"realtime","instructions":"Be kind.",
    "audio":{"input":{"format":{"type":"audio/pcmu"},"transcription":{"model":"gpt-4o-mini-transcribe"}},
    "output":{"format":{"type":"audio/pcmu"}}},
    "tools":[{"type":"function","name":"end_call","parameters":{"type":"object","properties":{}}}]}}"#;

impl Rig {
    pub(super) fn new() -> Self {
        Self::with(Timing::default(), FaultPlan::default())
    }

    pub(super) fn with(timing: Timing, plan: FaultPlan) -> Self {
        let board = FaultBoard::default();
        board.set(plan);
        let shared =
            Shared { timing, registry: Registry::default(), violations: Violations::default(), board };
        let (_, armed) = shared.board.connect();
        let session = Session::new("gpt-realtime-2.1", 7, shared.clone(), armed, 0);
        let mut rig = Self { session, shared, now: 0, came: Vec::new(), faults: Vec::new(), end: None };
        rig.collect();
        rig
    }

    pub(super) fn configured() -> Self {
        let mut rig = Self::new();
        rig.send(PCMU);
        rig
    }

    pub(super) fn send(&mut self, event: &(impl ToString + ?Sized)) {
        self.session.text(self.now, &event.to_string());
        self.collect();
    }

    pub(super) fn collect(&mut self) {
        while let Some(output) = self.session.next_output() {
            match output {
                Output::Event(event) => self.came.push((self.now, event)),
                Output::Fault(text) => self.faults.push(text),
                Output::Synthesise { response_id, text } => {
                    let speech = Synthesiser::with_user_cache().say(&Voice::assistant(), &text).unwrap();
                    self.session.spoken(self.now, &response_id, &speech);
                }
                end => self.end = Some(end),
            }
        }
    }

    /// Lets time pass; events come in their own time.
    pub(super) fn wait(&mut self, ms: u64) {
        let until = self.now + ms;
        while let Some(at) = self.session.deadline().filter(|at| *at <= until) {
            self.now = at.max(self.now);
            self.session.tick(self.now);
            self.collect();
        }
        self.now = until;
        self.session.tick(until);
        self.collect();
    }

    pub(super) fn hear(&mut self, frames: &[Frame]) {
        for frame in frames {
            let audio = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, frame);
            self.send(&json!({ "type": "input_audio_buffer.append", "audio": audio }));
            self.wait(u64::from(FRAME_MS));
        }
    }

    pub(super) fn silence(&mut self, ms: u32) {
        self.hear(&vec![SILENT_FRAME; (ms / FRAME_MS) as usize]);
    }

    pub(super) fn caller(&self, text: &str) -> Arc<Utterance> {
        let speech = Synthesiser::with_user_cache().say(&Voice::caller(), text).unwrap();
        self.shared.registry.register(Speaker::Caller { call: "CA1".into() }, &speech)
    }

    pub(super) fn say(&mut self, text: &str) {
        let utterance = self.caller(text);
        self.hear(&utterance.frames);
    }

    /// Types of what came since the last look, deltas told once, and forgets them.
    pub(super) fn types(&mut self) -> Vec<String> {
        let mut types: Vec<String> = Vec::new();
        for (_, event) in self.came.drain(..) {
            let kind = event["type"].as_str().unwrap().to_owned();
            if !(kind.ends_with("delta") && types.contains(&kind)) {
                types.push(kind);
            }
        }
        types
    }

    pub(super) fn find(&self, kind: &str) -> Vec<&Value> {
        self.came.iter().map(|(_, event)| event).filter(|event| event["type"] == kind).collect()
    }

    pub(super) fn last(&self, kind: &str) -> &Value {
        self.find(kind).last().unwrap_or_else(|| panic!("no {kind}"))
    }

    pub(super) fn codes(&self) -> Vec<&str> {
        self.find("error").iter().map(|event| event["error"]["code"].as_str().unwrap()).collect()
    }

    pub(super) fn rules(&self) -> Vec<String> {
        self.shared.violations.all().into_iter().map(|violation| violation.rule).collect()
    }
}
