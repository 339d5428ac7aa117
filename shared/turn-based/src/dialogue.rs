//! The state of a call that is held turn by turn, and what comes next.

use serde::{Deserialize, Serialize};
use voicecore_call::{
    CallConfig, CallSummary, EndReason, Interaction, InteractionKind, Intervention, OperatorCommand, Speaker,
    ToolCall, ToolEffect, ToolResult, Usage,
};
use voicecore_domain::{Announcement, Language};
use voicecore_types::{CallId, Millis};
use voicecore_wire::openai::chat::{ChatAnswer, ChatRequest};

use crate::heard::{Heard, Verdict};
use crate::log::{Log, MAX_REPLY_CHARS};

/// How long the model is waited for before the caller hears a filler: at the first try, at the second, and so on. After the
/// last one the model counts as unavailable. All are far below the fifteen seconds that Twilio gives a webhook.
pub const PATIENCE: [Millis; 3] = [Millis(2_500), Millis(5_000), Millis(8_000)];
/// So often in a row the caller is asked again who could not be understood; then a human being is, or goodbye is said.
const MAX_UNCLEAR: u32 = 2;
/// Answers with tool calls in one turn, before the model counts as unavailable: it is in a loop.
const MAX_ROUNDS: u32 = 4;
/// Tool calls of one call. A model that wants more is in a loop.
const MAX_RUNS: u32 = 200;
/// The longest arguments of a tool call, in bytes; longer ones are left out, and the tool says so.
const MAX_ARGUMENT_BYTES: usize = 32 * 1_024;
/// The longest name of a tool, in characters.
const MAX_NAME_CHARS: usize = 64;
/// The key that leads to a human being.
const HUMAN_KEY: char = '0';

/// A call that is held turn by turn. A value: whoever answers a webhook loads it, moves it on, and stores it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dialogue {
    /// What times in the transcript count from.
    started_at: Millis,
    log: Log,
    phase: Phase,
    usage: Usage,
    /// Questions in a row that were met with silence, and with what nobody could understand.
    silent: u32,
    unclear: u32,
    /// Tool calls so far: the next one's name.
    runs: u32,
    /// When the caller had finished speaking, for the latency of the answer.
    heard_at: Option<Millis>,
    /// Changes since the last that moved the dialogue on: the carrier does not know of these steps.
    #[serde(default, skip_serializing_if = "is_zero")]
    asides: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Phase {
    /// The caller hears this and may speak.
    Listening { say: String },
    /// The model owes an answer.
    Thinking {
        /// Tries that failed or took too long.
        tries: u32,
        /// Answers with tool calls in this turn.
        rounds: u32,
        /// What the model said before it called tools: the caller hears it together with the rest.
        said: String,
        /// Tool calls that have no result yet. They are stored before they are run, so that whoever goes on after an
        /// accident runs the same ones, under the same names, instead of asking the model for new ones.
        pending: Vec<ToolCall>,
        /// A tool has ended the call: what comes are last words.
        leaving: Option<EndReason>,
    },
    /// The caller hears this, and then the call goes where its reason says.
    LastWords { say: String, reason: EndReason },
    /// Our part of the call is over.
    Over { reason: EndReason },
}

/// Who has to do something next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owed<'a> {
    /// The caller: let them hear this, and listen.
    Caller {
        /// What is said.
        say: &'a str,
    },
    /// The model: ask it, and wait so long.
    Model {
        /// How long.
        patience: Millis,
        /// Tries before this one.
        tries: u32,
    },
    /// Tools: run these, in order.
    Tools(&'a [ToolCall]),
    /// Nobody: let the caller hear this, then ask what comes next ([`Dialogue::last_words_said`]).
    LastWords {
        /// What is said.
        say: &'a str,
    },
    /// Nobody: the call goes where the reason says (`EndReason::after_stream`).
    Over(EndReason),
}

impl Dialogue {
    /// A call that begins: the caller hears the greeting.
    pub fn begin(config: &CallConfig, now: Millis) -> Self {
        let mut dialogue = Self::new(now, Log::default());
        dialogue.ask(now, config.session.greeting.clone());
        dialogue
    }

    /// A call that was held over a media stream until that could not be had any more. `started_at` is the moment that the
    /// times of `interactions` count from. A caller who was never greeted is greeted.
    pub fn take_over(
        config: &CallConfig,
        started_at: Millis,
        now: Millis,
        interactions: Vec<Interaction>,
    ) -> Self {
        let log = Log::from_interactions(interactions);
        let say = if log.greeted() {
            Announcement::GoOn.text(language(config)).to_owned()
        } else {
            config.session.greeting.clone()
        };
        let mut dialogue = Self::new(started_at, log);
        dialogue.ask(now, say);
        dialogue
    }

    fn new(started_at: Millis, log: Log) -> Self {
        Self {
            started_at,
            log,
            phase: Phase::Listening { say: String::new() },
            usage: Usage::default(),
            silent: 0,
            unclear: 0,
            runs: 0,
            heard_at: None,
            asides: 0,
        }
    }

    /// Who has to do something next.
    pub fn owed(&self) -> Owed<'_> {
        match &self.phase {
            Phase::Listening { say } => Owed::Caller { say },
            Phase::Thinking { pending, .. } if !pending.is_empty() => Owed::Tools(pending),
            Phase::Thinking { tries, .. } => {
                let nth = PATIENCE.get(*tries as usize).or(PATIENCE.last());
                Owed::Model { patience: nth.copied().unwrap_or_default(), tries: *tries }
            }
            Phase::LastWords { say, .. } => Owed::LastWords { say },
            Phase::Over { reason } => Owed::Over(*reason),
        }
    }

    /// What a `<Gather>` has heard. Counts only while the caller is listened to.
    pub fn heard(&mut self, config: &CallConfig, now: Millis, heard: &Heard<'_>) {
        if !matches!(self.phase, Phase::Listening { .. }) {
            return;
        }
        let language = language(config);
        let verdict = heard.judge();
        match verdict {
            Verdict::Silence => self.silent += 1,
            Verdict::Unclear => self.unclear += 1,
            Verdict::Keys(_) | Verdict::Words(_) => (self.silent, self.unclear) = (0, 0),
        }
        let too_long = now.since(self.started_at) >= config.limits.call_length || self.log.is_full();
        match verdict {
            Verdict::Keys(keys) => {
                let human = keys.starts_with(HUMAN_KEY) && config.transfer_available;
                self.log.add(self.at(now), Speaker::Caller, InteractionKind::Dtmf, keys);
                if human {
                    return self.leave(
                        now,
                        EndReason::Transferred,
                        Announcement::PuttingThrough.text(language),
                    );
                }
                self.think(now);
            }
            Verdict::Words(words) => {
                self.log.add(self.at(now), Speaker::Caller, InteractionKind::Speech, words);
                self.think(now);
            }
            Verdict::Unclear if self.unclear <= MAX_UNCLEAR => {
                self.ask(now, Announcement::SayAgain.text(language).to_owned());
            }
            Verdict::Unclear if config.transfer_available => {
                self.leave(now, EndReason::Transferred, Announcement::PuttingThrough.text(language));
            }
            Verdict::Silence if self.silent <= config.limits.idle_prompts => {
                self.ask(now, Announcement::StillThere.text(language).to_owned());
            }
            Verdict::Unclear | Verdict::Silence => {
                self.leave(now, EndReason::Silence, Announcement::NobodyHeard.text(language));
            }
        }
        if too_long && matches!(self.phase, Phase::Thinking { .. } | Phase::Listening { .. }) {
            self.leave(now, EndReason::LengthLimit, Announcement::TooLong.text(language));
        }
    }

    /// What the model is asked. `model` is its name.
    pub fn request<'a>(&'a self, config: &'a CallConfig, model: &'a str) -> ChatRequest<'a> {
        self.log.request(config, model)
    }

    /// The model has answered. Counts only while it owes an answer.
    pub fn answered(&mut self, config: &CallConfig, now: Millis, answer: ChatAnswer) {
        let usage = answer.usage;
        self.usage.text_in = self.usage.text_in.saturating_add(usage.text_in);
        self.usage.text_cached = self.usage.text_cached.saturating_add(usage.text_cached);
        self.usage.text_out = self.usage.text_out.saturating_add(usage.text_out);
        let latency = self.heard_at.map(|heard| now.since(heard));
        let at = self.at(now);
        let text = answer.text.map(|text| text.chars().take(MAX_REPLY_CHARS).collect::<String>());
        let Phase::Thinking { rounds, said, pending, leaving, tries } = &mut self.phase else { return };
        if !pending.is_empty() {
            return;
        }
        let calls = if leaving.is_none() { answer.calls } else { vec![] };
        let new_runs = u32::try_from(calls.len()).unwrap_or(u32::MAX);
        let looping = *rounds >= MAX_ROUNDS || self.runs.saturating_add(new_runs) > MAX_RUNS;
        if let Some(text) = &text {
            if !said.is_empty() {
                said.push(' ');
            }
            said.push_str(text);
        }
        if !calls.is_empty() && !looping {
            (*rounds, *tries) = (*rounds + 1, 0);
            pending.extend(calls.into_iter().map(|call| {
                self.runs += 1;
                let fits = call.arguments.len() <= MAX_ARGUMENT_BYTES;
                ToolCall {
                    tool_call_id: format!("turn_{}", self.runs),
                    name: call.name.chars().take(MAX_NAME_CHARS).collect(),
                    arguments: if fits { call.arguments } else { String::new() },
                }
            }));
        } else if said.is_empty() {
            return self.failed(config, now, false);
        } else {
            let (say, leaving) = (std::mem::take(said), *leaving);
            self.phase = match leaving {
                Some(reason) => Phase::LastWords { say, reason },
                None => Phase::Listening { say },
            };
        }
        if let Some(text) = text {
            self.log.reply(at, text, latency);
            self.heard_at = None;
        }
    }

    /// The model has not answered in time, or not as it should. `fatal`: it never will.
    pub fn failed(&mut self, config: &CallConfig, now: Millis, fatal: bool) {
        let Phase::Thinking { tries, leaving, said, .. } = &mut self.phase else { return };
        *tries += 1;
        if !fatal && (*tries as usize) < PATIENCE.len() {
            return;
        }
        match *leaving {
            // Whatever it wanted to say, it has said that the call is over.
            Some(reason) if said.is_empty() => {
                let phrase = match reason {
                    EndReason::Transferred => Announcement::PuttingThrough,
                    _ => Announcement::Farewell,
                };
                self.leave(now, reason, phrase.text(language(config)));
            }
            Some(reason) => self.phase = Phase::LastWords { say: std::mem::take(said), reason },
            None if said.is_empty() => self.phase = Phase::Over { reason: EndReason::ModelUnavailable },
            // What it said before its tools is in the transcript: the caller hears it, too.
            None => {
                let say = std::mem::take(said);
                self.phase = Phase::LastWords { say, reason: EndReason::ModelUnavailable };
            }
        }
    }

    /// A tool has run. Counts only if it was the first of those that [`Dialogue::owed`] names.
    pub fn ran(&mut self, now: Millis, result: &ToolResult) {
        let at = self.at(now);
        let Phase::Thinking { pending, leaving, said, .. } = &mut self.phase else { return };
        if pending.first().is_none_or(|first| first.tool_call_id != result.tool_call_id) {
            return;
        }
        let call = pending.remove(0);
        match result.effect {
            ToolEffect::None => {}
            ToolEffect::EndCall => *leaving = leaving.or(Some(EndReason::AssistantEnded)),
            ToolEffect::Transfer => *leaving = Some(EndReason::Transferred),
        }
        let last_words = leaving.filter(|_| pending.is_empty() && !said.is_empty());
        let say = if last_words.is_some() { std::mem::take(said) } else { String::new() };
        self.log.tool(at, call, &result.output);
        if let Some(reason) = last_words {
            self.phase = Phase::LastWords { say, reason };
        }
    }

    /// Somebody steps in. What they tell the assistant, and its new instructions, count from the next answer on; a call is
    /// ended at once. The dialogue does not move on by it. `false`: it comes too late, and changes nothing.
    pub fn intervene(&mut self, now: Millis, wanted: &Intervention) -> bool {
        let ends = matches!(wanted.command, OperatorCommand::End { .. });
        match self.phase {
            Phase::Over { .. } => return false,
            Phase::LastWords { .. } if !ends => return false,
            _ => {}
        }
        if !self.has_taken(&wanted.id) {
            self.asides += 1;
            self.log.add(self.at(now), Speaker::Operator, wanted.entry(), wanted.command.text().to_owned());
            if ends {
                self.cut_off(EndReason::OperatorEnded);
            }
        }
        true
    }

    /// Whether this intervention has been taken before.
    pub fn has_taken(&self, id: &str) -> bool {
        self.log.has_taken(id)
    }

    /// Steps that the last question of the carrier may lie behind without being late: what came since was aside.
    pub fn asides(&self) -> u64 {
        self.asides
    }

    /// It goes on: what the carrier is answered from here on names the new step.
    pub fn moved_on(&mut self) {
        self.asides = 0;
    }

    /// The caller has heard the last words.
    pub fn last_words_said(&mut self) {
        if let Phase::LastWords { reason, .. } = self.phase {
            self.phase = Phase::Over { reason };
        }
    }

    /// The call has ended from outside: the caller has hung up, an operator has ended it, nothing was heard of it any more.
    pub fn end(&mut self, reason: EndReason) {
        let reason = match self.phase {
            Phase::Over { .. } => return,
            // A transfer that was announced has not taken place when the caller hangs up on the announcement.
            Phase::LastWords { reason: was, .. } if was != EndReason::Transferred => was,
            _ => reason,
        };
        self.cut_off(reason);
    }

    /// The call is over at once. What the model said before its tools was to be heard with what comes after them: nobody has heard it.
    fn cut_off(&mut self, reason: EndReason) {
        if matches!(self.phase, Phase::Thinking { .. }) {
            self.log.unsay();
        }
        self.phase = Phase::Over { reason };
    }

    /// What was said so far.
    pub fn interactions(&self) -> Vec<Interaction> {
        self.log.interactions()
    }

    /// What the model's provider bills for it so far.
    pub const fn usage(&self) -> Usage {
        self.usage
    }

    /// What there is to be kept of a call that is over. `None` as long as it is not.
    pub fn summary(&self, call_id: CallId, now: Millis) -> Option<CallSummary> {
        let Phase::Over { reason } = self.phase else { return None };
        Some(CallSummary {
            call_id,
            started_at: self.started_at,
            ended_at: now,
            reason,
            interactions: self.interactions(),
            usage: self.usage,
            model_sessions: 0,
            attempts: 0,
            farewell_owed: false,
        })
    }

    fn at(&self, now: Millis) -> Millis {
        now.since(self.started_at)
    }

    fn think(&mut self, now: Millis) {
        self.heard_at = Some(now);
        self.phase =
            Phase::Thinking { tries: 0, rounds: 0, said: String::new(), pending: vec![], leaving: None };
    }

    /// Says something of our own and listens.
    fn ask(&mut self, now: Millis, say: String) {
        self.log.reply(self.at(now), say.clone(), None);
        self.phase = Phase::Listening { say };
    }

    /// Says something of our own, and then the call is over.
    fn leave(&mut self, now: Millis, reason: EndReason, say: &str) {
        self.log.reply(self.at(now), say.to_owned(), None);
        self.phase = Phase::LastWords { say: say.to_owned(), reason };
    }
}

fn language(config: &CallConfig) -> Language {
    Language::for_code(config.session.language.as_deref())
}
