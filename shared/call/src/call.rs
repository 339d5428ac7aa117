//! The machine itself: its state and its doors. What it does stands in the modules below, one concern in each.

mod carrier;
mod dialogue;
mod leave;
mod link;
mod operator;
mod toolwork;
mod watch;

use std::collections::VecDeque;

use voicecore_types::Millis;
use voicecore_wire::twilio::media::StreamWriter;

use crate::intake::Intake;
use crate::ledger::Ledger;
use crate::timers::{Timer, Timers};
use crate::tools::Tools;
use crate::turns::Turns;
use crate::upstream::{Ask, UpstreamVoice, VoiceEvent};
use crate::{
    AfterStream, CallConfig, CallSummary, EndReason, Input, Interaction, InteractionKind, JournalEntry,
    LiveEvent, Output, Speaker, Usage,
};
use leave::Leaving;
use link::Link;
use watch::Silence;

/// Timers that are handled within one input. Each fires at most once for one moment; more would be a loop.
const MAX_TIMERS_PER_INPUT: usize = 32;

/// A stream is not let into the call; close its socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AttachRefused {
    /// This attempt, or a higher one, was there already: a token is good for one stream.
    #[error("this attempt was used already")]
    AttemptReused,
    /// More attempts than the call may have.
    #[error("the call has used all its attempts")]
    TooManyAttempts,
    /// The call is leaving, or over.
    #[error("the call is over")]
    CallOver,
    /// The stream's name is not in the documented form.
    #[error("the stream's name is malformed")]
    BadStreamSid,
}

/// A stream was let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attached {
    /// Another stream was still attached: the adapter closes its socket and feeds nothing more of it.
    pub superseded: bool,
}

/// What was odd in a call. None of it is an error of ours; all of it is worth a number in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Frames of either side that are not in their format, or for another stream.
    pub malformed: u64,
    /// Binary frames of either side.
    pub binary: u64,
    /// Missing milliseconds of the caller's audio that were filled with silence.
    pub padded_ms: u64,
    /// Milliseconds of the caller's audio that no model heard, because it took too long to connect.
    pub lost_ms: u64,
}

/// The carrier's stream.
#[derive(Debug)]
struct Line {
    writer: StreamWriter,
    /// Where the next frame of the caller's should begin, on the carrier's clock.
    expected: Option<u64>,
    /// Silence that was put in ahead of the carrier's clock while it sent nothing.
    padded_ahead: u64,
    last_media: Millis,
}

/// One telephone call.
///
/// Four kinds of methods: [`Call::new`] and [`Call::resume`] make it; [`Call::attach`], [`Call::handle`],
/// [`Call::after_stream`] and [`Call::abandon`] tell it what happened; [`Call::poll_output`] and
/// [`Call::poll_timeout`] say what is to be done; the rest are getters. After each that tells, drain
/// [`Call::poll_output`] until `None`, then look at [`Call::poll_timeout`].
#[derive(Debug)]
pub struct Call {
    config: CallConfig,
    outputs: VecDeque<Output>,
    timers: Timers,
    now: Millis,
    started_at: Option<Millis>,
    /// Since when the caller hears nothing, if that is longer than the next stream is attached.
    unheard_since: Option<Millis>,

    line: Option<Line>,
    ledger: Ledger,
    /// The highest attempt that was attached.
    attempts: u32,
    /// The highest attempt that `<Connect action>` was answered with.
    offered: u32,

    voice: Box<dyn UpstreamVoice>,
    link: Link,
    intake: Intake,
    /// The caller's last words may still be needed by another session.
    intake_needed: bool,

    turns: Turns,
    tools: Tools,
    usage: Usage,
    /// Keys pressed that the model was not told of.
    keys: String,

    /// Since when the caller speaks, as the model says.
    speaking_since: Option<Millis>,
    /// When the caller was last heard to speak, while the model says so.
    loud_at: Millis,
    /// The caller's turn ended then, and nothing was answered yet.
    caller_ended: Option<Millis>,
    /// Something is owed to the caller that no request stands for: the session was lost.
    resume_owed: Option<Ask>,
    greeted: bool,
    /// The greeting's turn, until it was heard.
    greeting: Option<usize>,
    /// What is being answered was asked for.
    answering: Option<Ask>,
    silence: Silence,
    /// An operator has silenced the assistant, until then at the latest.
    paused: Option<Millis>,

    leaving: Option<Leaving>,
    /// The stream is over for this reason.
    ended: Option<EndReason>,
    finished: bool,
    counters: Counters,
}

impl Call {
    /// A call that nothing is known of yet. Nothing is opened before a stream is attached; if none comes, the call is
    /// abandoned.
    #[must_use]
    pub fn new(config: CallConfig, now: Millis) -> Self {
        let voice = crate::upstream::connect(&config.session);
        let mut timers = Timers::default();
        timers.set(Timer::Detached, now.plus(carrier::STREAM_PATIENCE));
        Self {
            config,
            outputs: VecDeque::new(),
            timers,
            now,
            started_at: None,
            unheard_since: None,
            line: None,
            ledger: Ledger::default(),
            attempts: 0,
            offered: 0,
            voice,
            link: Link::default(),
            intake: Intake::default(),
            intake_needed: true,
            turns: Turns::default(),
            tools: Tools::default(),
            usage: Usage::default(),
            keys: String::new(),
            speaking_since: None,
            loud_at: now,
            caller_ended: None,
            resume_owed: None,
            greeted: false,
            greeting: None,
            answering: None,
            silence: Silence::new(now),
            paused: None,
            leaving: None,
            ended: None,
            finished: false,
            counters: Counters::default(),
        }
    }

    /// A call whose process died: everything the journal tells is known again. For the rest it is as [`Call::new`].
    #[must_use]
    pub fn resume(config: CallConfig, journal: &[JournalEntry], now: Millis) -> Self {
        let mut call = Self::new(config, now);
        for entry in journal {
            call.replay(entry);
        }
        call.write_down_runs(now);
        call.leaving = Leaving::from_journal(journal);
        call.restore_interventions();
        call.greeted = call
            .turns
            .entries()
            .iter()
            .any(|entry| entry.speaker == Speaker::Assistant && !entry.text.is_empty());
        call
    }

    fn replay(&mut self, entry: &JournalEntry) {
        match entry {
            JournalEntry::Attempt { attempt, at } => {
                self.attempts = self.attempts.max(*attempt);
                self.started_at.get_or_insert(*at);
            }
            JournalEntry::Offered { attempt, .. } => self.offered = self.offered.max(*attempt),
            JournalEntry::ModelSession { number } => self.link.restore_sessions(*number),
            JournalEntry::Tool(call) => {
                self.tools.restore(call);
            }
            JournalEntry::Interaction(interaction) => {
                self.turns.restore(interaction);
                if let InteractionKind::Tool { tool_call_id, .. } = &interaction.kind {
                    let entry = interaction.seq.saturating_sub(1) as usize;
                    self.tools.restore_entry(tool_call_id, entry, !interaction.text.is_empty());
                }
            }
            JournalEntry::Usage(usage) => self.usage = *usage,
            // Whether the last words were heard as well is known of the journal as a whole.
            JournalEntry::Leaving { .. } => {}
        }
    }

    /// Takes what happened.
    pub fn handle(&mut self, now: Millis, input: Input<'_>) {
        // A clock that steps back does not take time back.
        let now = now.max(self.now);
        self.now = now;
        if self.finished {
            return;
        }
        match input {
            Input::CarrierText(text) => {
                if self.on_carrier_text(now, text) {
                    // Nothing but the caller's audio went by: 50 times a second nothing else is looked at.
                    return;
                }
            }
            Input::CarrierBinary(_) | Input::ModelBinary(_) => self.counters.binary += 1,
            Input::CarrierClosed => self.detach(now),
            Input::CarrierEnded => self.caller_gone(now),
            Input::ModelOpened => self.on_model_opened(now),
            Input::ModelRefused { status, body } => self.on_model_refused(now, status, body),
            Input::ModelText(text) => self.on_model_text(now, text),
            Input::ModelClosed { .. } => self.on_model_closed(now),
            Input::ToolDone(result) => self.on_tool_done(now, &result),
            Input::Operator(wanted) => self.on_operator(now, &wanted),
            Input::Timer => {}
        }
        self.run(now);
    }

    /// The stream that is attached next was opened at this moment, and its caller has heard nothing since: what the caller is
    /// owed within 4 seconds counts from there, not from the moment when the call was loaded and the token verified.
    pub fn stream_opened(&mut self, opened: Millis) {
        self.unheard_since = Some(opened);
    }

    /// Lets a carrier's stream in, after its token was verified for `attempt`. A higher attempt supersedes the
    /// running one.
    pub fn attach(&mut self, now: Millis, attempt: u32, stream_sid: &str) -> Result<Attached, AttachRefused> {
        let now = now.max(self.now);
        self.now = now;
        if self.finished || self.ended.is_some() || self.leaving.is_some() {
            return Err(AttachRefused::CallOver);
        }
        if attempt == 0 || attempt <= self.attempts {
            return Err(AttachRefused::AttemptReused);
        }
        if attempt > self.config.limits.attempts {
            return Err(AttachRefused::TooManyAttempts);
        }
        let writer = StreamWriter::new(stream_sid).ok_or(AttachRefused::BadStreamSid)?;
        let superseded = self.line.is_some();
        self.let_in(now, attempt, writer);
        self.run(now);
        Ok(Attached { superseded })
    }

    /// The answer to `<Connect action>` after the stream of `attempt`: where the caller goes now that it is over. If it is
    /// still attached, it counts as gone. The carrier may ask late and more than once: what was answered with another
    /// stream is answered so again, and a newer stream that was let in since is not touched.
    pub fn after_stream(&mut self, now: Millis, attempt: u32) -> AfterStream {
        let now = now.max(self.now);
        self.now = now;
        let next = self.next_after(now, attempt);
        self.run(now);
        next
    }

    fn next_after(&mut self, now: Millis, attempt: u32) -> AfterStream {
        let latest = self.attempts.max(self.offered);
        let gone = self.line.is_none() && (self.leaving.is_some() || self.ended.is_some());
        if attempt < latest && !gone {
            return AfterStream::Reconnect { attempt: attempt.max(1).saturating_add(1) };
        }
        self.detach(now);
        let leaving = self.leaving.as_ref().map(Leaving::reason);
        if let Some(reason) = self.ended.or(leaving) {
            self.end(now, reason);
            return reason.after_stream(self.farewell_owed());
        }
        let next = AfterStream::broken(&self.config.limits, attempt.max(latest));
        if let AfterStream::Reconnect { attempt } = next {
            self.offered = attempt;
            self.journal(JournalEntry::Offered { attempt, at: now });
            self.timers.set(Timer::Detached, now.plus(carrier::STREAM_PATIENCE));
        } else {
            self.end(now, EndReason::StreamLost);
        }
        next
    }

    /// Ends the call at once, without a word (orphan alarm): [`Output::Finished`] is among the outputs.
    pub fn abandon(&mut self, now: Millis) {
        let now = now.max(self.now);
        self.now = now;
        if !self.finished {
            let reason = self.leaving.as_ref().map_or(EndReason::Abandoned, Leaving::reason);
            self.ended.get_or_insert(reason);
            self.finish(now);
        }
    }

    /// The next thing to do, until `None`.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Input::Timer`] is wanted: always later than the last input. It does not move with every frame, so arm
    /// again only when it has changed.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Millis> {
        if self.finished {
            return None;
        }
        self.timers.next().map(|at| at.max(self.now.plus(Millis(1))))
    }

    /// The call is over and [`Output::Finished`] was emitted.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.finished
    }

    /// The transcript so far, with the `seq` of the live events: what `GET …/interactions` shows of a running call.
    #[must_use]
    pub fn transcript(&self) -> Vec<Interaction> {
        self.turns.spoken().cloned().collect()
    }

    /// What was odd so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        Counters { lost_ms: self.intake.lost_ms(), ..self.counters }
    }

    /// Timers, then consequences, until nothing is due.
    fn run(&mut self, now: Millis) {
        for _ in 0..MAX_TIMERS_PER_INPUT {
            self.settle(now);
            if self.finished {
                return;
            }
            let Some(timer) = self.timers.pop(now) else { break };
            self.on_timer(now, timer);
        }
        self.settle(now);
    }

    fn on_timer(&mut self, now: Millis, timer: Timer) {
        match timer {
            // `settle` sees that time has passed; nothing else is to be done.
            Timer::Playout | Timer::CallerQuiet => {}
            Timer::Comfort => self.comfort(now),
            Timer::Patience => self.model_silent(now),
            Timer::Idle => self.idle(now),
            Timer::CallerStall => self.caller_stalled(now),
            Timer::Keys => self.tell_keys(),
            Timer::Tools => self.tools_overdue(now),
            Timer::Backoff => self.open_model(now),
            Timer::AskAgain => self.voice.nudge(),
            Timer::Pause => self.pause_over(now),
            Timer::Rotate => self.link.set_rotation_due(),
            Timer::CallLength => self.leave(now, EndReason::LengthLimit, true),
            Timer::Leave => self.close_carrier(now),
            Timer::Detached => {
                let reason = self.leaving.as_ref().map_or(EndReason::Abandoned, Leaving::reason);
                self.end(now, reason);
            }
            Timer::Drain => self.finish(now),
        }
    }

    /// Milliseconds since the start of the call.
    fn at(&self, now: Millis) -> u64 {
        now.since(self.started_at.unwrap_or(now)).0
    }

    fn journal(&mut self, entry: JournalEntry) {
        self.outputs.push_back(Output::Journal(Box::new(entry)));
    }

    fn hub(&mut self, event: LiveEvent) {
        self.outputs.push_back(Output::Hub(Box::new(event)));
    }

    /// What the voice wants to be sent, and what the transcript wants to be known.
    fn publish(&mut self) {
        while let Some(frame) = self.voice.poll_send() {
            if self.link.is_open() {
                self.outputs.push_back(Output::ToModel(frame));
            }
        }
        while let Some(interaction) = self.turns.pop_changed() {
            let interaction = interaction.clone();
            self.journal(JournalEntry::Interaction(interaction.clone()));
            self.hub(LiveEvent::Interaction(interaction));
        }
    }

    fn on_model_text(&mut self, now: Millis, text: &str) {
        if !self.link.is_open() {
            return;
        }
        let event = self.voice.receive(text);
        if self.ended.is_some() {
            self.on_last_words(now, event);
        } else if let VoiceEvent::Malformed = event {
            self.counters.malformed += 1;
        } else {
            self.on_voice(now, event);
        }
    }

    fn summary(&self, now: Millis, reason: EndReason) -> CallSummary {
        CallSummary {
            call_id: self.config.call_id,
            started_at: self.started_at.unwrap_or(now),
            ended_at: now,
            reason,
            farewell_owed: self.farewell_owed(),
            interactions: self.turns.spoken().zip(1..).map(renumbered).collect(),
            usage: self.usage,
            model_sessions: self.link.sessions(),
            attempts: self.attempts,
        }
    }
}

/// Noise that was taken for speech leaves gaps in a running call's numbers; a finished call has none.
fn renumbered((entry, seq): (&Interaction, u32)) -> Interaction {
    Interaction { seq, ..entry.clone() }
}
