//! Scenario files: what a caller does, what goes wrong, what must come of it.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::openai::FaultPlan;

/// A scenario, as `scenarios/README.md` describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Its name: that of its file, without `.toml`.
    pub name: String,
    /// What it shows, in one sentence.
    pub about: String,
    /// What the caller does, in order.
    #[serde(rename = "step", default)]
    pub steps: Vec<Step>,
    /// Faults of the model's side, in the words of the OpenAI simulator's fault plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<FaultPlan>,
    /// Faults of the telephone network and of the product's host.
    #[serde(default)]
    pub platform: Platform,
    /// How a dialled party behaves.
    #[serde(default)]
    pub callee: Callee,
    /// What must be true afterwards.
    #[serde(default)]
    pub expect: Expect,
}

/// One thing the caller does, and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawStep", into = "RawStep")]
pub struct Step {
    /// What starts it.
    pub when: When,
    /// Not before the other side's turn with this number, from 1.
    pub turn: u32,
    /// What is done.
    pub act: Act,
}

/// What starts a step, once the step before it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// The other side has spoken and is silent again (the default for speech).
    Finished,
    /// The other side has been speaking for so many milliseconds: an interruption.
    Speaking(u64),
    /// So many milliseconds after the answer.
    At(u64),
    /// At once (the default for everything but speech).
    Now,
}

/// What the caller does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Says something.
    Say {
        /// The words.
        text: String,
        /// Hangs up so many milliseconds into it.
        hang_up_after_ms: Option<u64>,
    },
    /// Presses keys.
    Press(String),
    /// Stays silent for so many milliseconds.
    Silence(u64),
    /// Hangs up.
    HangUp,
    /// Stays on the line until the other side ends the call.
    WaitEnd,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStep {
    #[serde(skip_serializing_if = "Option::is_none")]
    say: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    press: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    silence_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hang_up: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wait_end: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hang_up_after_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    when: Option<Named>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after_speech_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    turn: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Named {
    Finished,
    Now,
}

impl TryFrom<RawStep> for Step {
    type Error = String;

    fn try_from(raw: RawStep) -> Result<Self, String> {
        let act = match (raw.say, raw.press, raw.silence_ms, raw.hang_up, raw.wait_end) {
            (Some(text), None, None, None, None) if !text.trim().is_empty() => {
                Act::Say { text, hang_up_after_ms: raw.hang_up_after_ms }
            }
            (None, Some(keys), None, None, None) if is_keys(&keys) => Act::Press(keys),
            (None, None, Some(ms), None, None) => Act::Silence(ms),
            (None, None, None, Some(true), None) => Act::HangUp,
            (None, None, None, None, Some(true)) => Act::WaitEnd,
            _ => return Err("a step wants exactly one of say, press, silence_ms, hang_up, wait_end".into()),
        };
        if raw.hang_up_after_ms.is_some() && !matches!(act, Act::Say { .. }) {
            return Err("hang_up_after_ms goes with say".into());
        }
        let when = match (raw.when, raw.after_speech_ms, raw.at_ms) {
            (None, None, None) if matches!(act, Act::Say { .. }) => When::Finished,
            (None | Some(Named::Now), None, None) => When::Now,
            (Some(Named::Finished), None, None) => When::Finished,
            (None, Some(ms), None) => When::Speaking(ms),
            (None, None, Some(ms)) => When::At(ms),
            _ => return Err("a step wants at most one of when, after_speech_ms, at_ms".into()),
        };
        if raw.turn.is_some() && !matches!(when, When::Finished | When::Speaking(_)) {
            return Err("turn goes with when = \"finished\" and after_speech_ms".into());
        }
        Ok(Self { when, turn: raw.turn.unwrap_or(0), act })
    }
}

impl From<Step> for RawStep {
    fn from(step: Step) -> Self {
        let mut raw = Self { turn: (step.turn > 0).then_some(step.turn), ..Self::default() };
        match step.when {
            When::Finished => raw.when = Some(Named::Finished),
            When::Now => raw.when = Some(Named::Now),
            When::Speaking(ms) => raw.after_speech_ms = Some(ms),
            When::At(ms) => raw.at_ms = Some(ms),
        }
        match step.act {
            Act::Say { text, hang_up_after_ms } => {
                raw.say = Some(text);
                raw.hang_up_after_ms = hang_up_after_ms;
            }
            Act::Press(keys) => raw.press = Some(keys),
            Act::Silence(ms) => raw.silence_ms = Some(ms),
            Act::HangUp => raw.hang_up = Some(true),
            Act::WaitEnd => raw.wait_end = Some(true),
        }
        raw
    }
}

fn is_keys(keys: &str) -> bool {
    !keys.is_empty() && keys.chars().all(|c| c.is_ascii_digit() || c == '*' || c == '#')
}

/// Faults of the telephone network and of the product's host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Platform {
    /// The carrier's media socket is cut without a close frame when the assistant has been speaking for so many
    /// milliseconds, once.
    pub cut_stream_after_speech_ms: Option<u64>,
    /// A `kill_app` event is emitted at that point, once: whoever listens kills the product's host.
    pub kill_app_after_speech_ms: Option<u64>,
    /// In which of the assistant's turns (from 1) the two above happen; the greeting is the first.
    pub in_turn: Option<u32>,
    /// Status callbacks come late, twice and out of order.
    pub disorderly_callbacks: bool,
    /// The voice webhook is sent twice, as Twilio does when the first answer is lost on its way.
    pub repeat_voice_webhook: bool,
    /// Messages of the media socket arrive so much later, in either direction.
    pub delay_ms: u64,
    /// Each arrives later by up to so much more, at random, but never before the one ahead of it.
    pub jitter_ms: u64,
    /// Of a thousand frames of the caller's silence so many never reach Twilio: time goes on, but no message comes.
    pub lose_frames: u32,
}

/// How a dialled party behaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Callee {
    /// What comes of ringing there.
    pub outcome: Outcome,
    /// Ringing before that, in milliseconds.
    pub after_ms: u64,
    /// What the callee says on answering.
    pub says: String,
    /// The callee hangs up so long after that.
    pub talk_ms: u64,
}

impl Default for Callee {
    fn default() -> Self {
        Self {
            outcome: Outcome::Answered,
            after_ms: 1_500,
            says: "Hello, this is a human being. How can I help you?".into(),
            talk_ms: 2_000,
        }
    }
}

/// What comes of ringing a dialled party.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// They answer.
    Answered,
    /// They are busy.
    Busy,
    /// They let it ring.
    NoAnswer,
    /// The number cannot be reached.
    Failed,
}

/// What must be true after the call; what is left out is not looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expect {
    /// Who ended the call.
    pub ended_by: Option<EndedBy>,
    /// Words that the caller heard, from the assistant or from Twilio's own voice, in any order.
    pub hears: Vec<String>,
    /// Tools that the model called, at least once each.
    pub tools: Vec<String>,
    /// At least so many of the assistant's turns were interrupted.
    pub interrupted_turns: Option<u32>,
    /// The longest that the caller may wait for a sound that is owed.
    pub max_wait_ms: Option<u64>,
    /// The dialled party's outcome.
    pub dialled: Option<Outcome>,
    /// At least so many media streams were opened.
    pub streams: Option<u32>,
    /// A recording was made.
    pub recorded: Option<bool>,
    /// At least so many answers were heard after something the caller said.
    pub answers: Option<u32>,
}

/// Who ended a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndedBy {
    /// The caller hung up, as the scenario says.
    Caller,
    /// The product: `<Hangup>`, `<Reject>`, the end of its TwiML, or the REST API.
    App,
    /// Twilio: an application error.
    Platform,
    /// The caller lost patience at the scenario's end.
    GaveUp,
}

/// A scenario file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Io {
        /// Which file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is not what `scenarios/README.md` describes.
    #[error("{0}")]
    Invalid(#[from] toml::de::Error),
}

impl Scenario {
    /// Reads a scenario's text.
    pub fn from_toml(text: &str) -> Result<Self, ScenarioError> {
        Ok(toml::from_str(text)?)
    }

    /// Reads a scenario file.
    pub fn load(path: &Path) -> Result<Self, ScenarioError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ScenarioError::Io { path: path.display().to_string(), source })?;
        Self::from_toml(&text)
    }

    /// The same scenario for a call that is held turn by turn: no stream is opened, and where a recogniser cut a prompt short is
    /// not known to anybody.
    #[must_use]
    pub fn turn_based(mut self) -> Self {
        self.expect.streams = None;
        self.expect.interrupted_turns = None;
        self
    }

    /// Someone who only listens, until the other side ends the call.
    pub fn listener() -> Self {
        Self {
            name: "listener".into(),
            about: "Listens.".into(),
            steps: vec![Step { when: When::Now, turn: 0, act: Act::WaitEnd }],
            model: None,
            platform: Platform::default(),
            callee: Callee::default(),
            expect: Expect::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Act, EndedBy, Outcome, Scenario, Step, When};

    const HEAD: &str = "name = \"n\"\nabout = \"a\"\n";

    #[test]
    fn reads_every_kind_of_step() {
        let text = format!(
            "{HEAD}
            [[step]]\nsay = \"hello\"
            [[step]]\nsay = \"wait\"\nafter_speech_ms = 900
            [[step]]\npress = \"0#\"\nat_ms = 5000
            [[step]]\nsilence_ms = 9000
            [[step]]\nsay = \"bye\"\nhang_up_after_ms = 300\nwhen = \"now\"
            [[step]]\nhang_up = true\nwhen = \"finished\"
            [[step]]\nwait_end = true
            [callee]\noutcome = \"no-answer\"
            [expect]\nended_by = \"app\"\ntools = [\"end_call\"]"
        );
        let scenario = Scenario::from_toml(&text).unwrap();
        let say = |text: &str, hang_up_after_ms| Act::Say { text: text.into(), hang_up_after_ms };
        let expected = [
            (When::Finished, say("hello", None)),
            (When::Speaking(900), say("wait", None)),
            (When::At(5_000), Act::Press("0#".into())),
            (When::Now, Act::Silence(9_000)),
            (When::Now, say("bye", Some(300))),
            (When::Finished, Act::HangUp),
            (When::Now, Act::WaitEnd),
        ];
        assert_eq!(scenario.steps, expected.map(|(when, act)| Step { when, turn: 0, act }));
        assert_eq!(scenario.callee.outcome, Outcome::NoAnswer);
        assert_eq!(scenario.expect.ended_by, Some(EndedBy::App));
    }

    #[test]
    fn survives_the_way_to_the_control_api() {
        let text =
            format!("{HEAD}[[step]]\nsay = \"a\"\nafter_speech_ms = 1\nturn = 2\n[[step]]\nhang_up = true");
        let scenario = Scenario::from_toml(&text).unwrap();
        let json = serde_json::to_string(&scenario).unwrap();
        assert_eq!(serde_json::from_str::<Scenario>(&json).unwrap(), scenario);
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for bad in [
            "colour = 1",
            "[[step]]\nshout = \"a\"",
            "[[step]]\nsay = \"a\"\npress = \"1\"",
            "[[step]]\nsay = \"\"",
            "[[step]]\npress = \"abc\"",
            "[[step]]\nsay = \"a\"\nat_ms = 1\nwhen = \"now\"",
            "[[step]]\npress = \"1\"\nhang_up_after_ms = 3",
            "[[step]]\npress = \"1\"\nturn = 3",
            "[[step]]",
            "[expect]\nended_by = \"nobody\"",
            "[platform]\nkill = true",
        ] {
            assert!(Scenario::from_toml(&format!("{HEAD}{bad}")).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_shipped_scenario_can_be_read_and_bears_its_files_name() {
        let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
        let mut names = Vec::new();
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                let scenario =
                    Scenario::load(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                assert_eq!(path.file_stem().unwrap().to_str(), Some(scenario.name.as_str()));
                names.push(scenario.name);
            }
        }
        assert!(names.len() >= 16, "{names:?}");
    }
}
