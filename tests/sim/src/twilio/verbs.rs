//! `<Gather>`, `<Record>` and `<Dial>`.

use super::account::{new_sid, timestamp};
use super::engine::{BargeIn, Engine, Flow, Interrupt};
use super::playback::{SAMPLES_PER_MS, Samples, Source};
use super::report::Event;
use super::state::Recording;
use super::tones;
use super::twiml::{Action, Callee, Dial, Gather, Method, Record};
use super::webhook::Request;
use crate::scenario::Outcome;
use crate::speech::{ENERGY_FLOOR_DB, FRAME_BYTES, level_db};

/// Silence after speech that ends a `<Gather input="speech">`.
const SPEECH_TIMEOUT: Samples = 800 * SAMPLES_PER_MS;
const SECOND: Samples = 1_000 * SAMPLES_PER_MS;

/// What a `<Gather>` has got so far.
#[derive(Default)]
struct Input {
    digits: String,
    finished_on: Option<char>,
    speech: Option<String>,
    done: bool,
}

impl Engine {
    pub(super) async fn gather(&mut self, gather: &Gather) -> Result<Flow, Interrupt> {
        let mut input = Input::default();
        let said_before = self.line.said_so_far();
        self.gather_prompts(gather, said_before, &mut input).await?;
        let mut last_input = self.line.now();
        while !input.done && self.line.now() < last_input + u64::from(gather.timeout) * SECOND {
            let tick = self.tick().await?;
            if take_key(gather, tick.key, &mut input) || tick.saying.is_some() {
                last_input = self.line.now();
            }
            self.take_speech(gather, said_before, &mut input);
        }
        let empty = input.digits.is_empty() && input.speech.is_none();
        if empty && !gather.action_on_empty {
            return Ok(Flow::On);
        }
        let mut extra = Vec::new();
        if let Some(speech) = input.speech {
            self.line.recognised(said_before);
            extra.push(("SpeechResult", speech));
            extra.push(("Confidence", "0.9".to_owned()));
        } else {
            extra.push(("Digits", input.digits));
        }
        extra.extend(input.finished_on.map(|key| ("FinishedOnKey", key.to_string())));
        Ok(self.goto(&self.action_or_here(gather.action.as_ref()), &extra))
    }

    /// Plays the prompts; input ends them.
    async fn gather_prompts(
        &mut self,
        gather: &Gather,
        said_before: usize,
        input: &mut Input,
    ) -> Result<(), Interrupt> {
        for prompt in &gather.prompts {
            let before = self.keys.len();
            self.barge_in = BargeIn { keys: gather.dtmf, speech: gather.speech && gather.barge_in };
            let played = self.prompt(prompt).await;
            self.barge_in = BargeIn::default();
            played?;
            if gather.speech && gather.barge_in && self.line.is_saying(said_before) {
                return Ok(());
            }
            for key in self.keys.split_off(before) {
                take_key(gather, Some(key), input);
            }
            if input.done || !input.digits.is_empty() {
                self.line.stop_sound();
                return Ok(());
            }
        }
        Ok(())
    }

    fn take_speech(&self, gather: &Gather, said_before: usize, input: &mut Input) {
        if !gather.speech {
            return;
        }
        if let Some((text, ended)) = self.line.said_since(said_before)
            && self.line.now() >= ended + SPEECH_TIMEOUT
        {
            input.speech = Some(text);
            input.done = true;
        }
    }

    /// The verb's action, or the running document again.
    fn action_or_here(&self, action: Option<&Action>) -> Action {
        action.cloned().unwrap_or_else(|| Action { url: self.base.clone(), method: Method::Post })
    }

    pub(super) async fn record(&mut self, record: &Record) -> Result<Flow, Interrupt> {
        if record.beep {
            self.play_out(Source::Tone, tones::beep()).await?;
        }
        let began_ms = self.line.now_ms();
        let mut audio = Vec::new();
        let (mut quiet, mut spoke) = (0, false);
        let ended_by = loop {
            let tick = match self.tick().await {
                Ok(tick) => tick,
                Err(interrupt) => {
                    if matches!(interrupt, Interrupt::HungUp(_)) && spoke {
                        let request = self.recorded(record, audio, "hangup");
                        self.callback(request);
                    }
                    return Err(interrupt);
                }
            };
            audio.extend_from_slice(&tick.frame);
            let silent = level_db(&tick.frame) <= ENERGY_FLOOR_DB;
            quiet = if silent { quiet + FRAME_BYTES as Samples } else { 0 };
            spoke |= !silent;
            if let Some(key) = tick.key.filter(|key| record.finish_on_key.contains(*key)) {
                break key.to_string();
            }
            let long = audio.len() as Samples >= u64::from(record.max_length) * SECOND;
            if long || (record.timeout > 0 && quiet >= u64::from(record.timeout) * SECOND) {
                break String::new();
            }
        };
        self.line.note_recording(began_ms);
        if !spoke {
            // Twilio asks nobody about an empty recording and goes on with the next verb.
            return Ok(Flow::On);
        }
        let request = self.recorded(record, audio, &ended_by);
        Ok(Flow::Goto(super::engine::Next::Fetch(request)))
    }

    /// Keeps the recording, tells its status callback, and makes the request for the action.
    fn recorded(&mut self, record: &Record, audio: Vec<u8>, digits: &str) -> Request {
        let recording = Recording {
            sid: new_sid("RE"),
            call_sid: self.call_sid.clone(),
            duration: (audio.len() as Samples).div_ceil(SECOND),
            status: "completed",
            audio,
            created: timestamp(),
        };
        let url = recording.url("https://api.twilio.com", &self.account.sid);
        let common = [
            ("RecordingSid", recording.sid.clone()),
            ("RecordingDuration", recording.duration.to_string()),
            ("RecordingUrl", url),
        ];
        if let Some(status) = &record.status {
            let mut extra = common.to_vec();
            extra.extend([
                ("RecordingStatus", "completed".to_owned()),
                ("RecordingChannels", "1".to_owned()),
                ("RecordingSource", "RecordVerb".to_owned()),
                ("RecordingStartTime", recording.created.clone()),
            ]);
            self.callback(self.request(status, &extra));
        }
        self.recordings.push(recording);
        let mut extra = common.to_vec();
        extra.extend((!digits.is_empty()).then(|| ("Digits", digits.to_owned())));
        self.request(&self.action_or_here(record.action.as_ref()), &extra)
    }

    pub(super) async fn dial(&mut self, dial: &Dial) -> Result<Flow, Interrupt> {
        let child = new_sid("CA");
        let mut talked = 0;
        match self.dialled_conversation(dial, &child, &mut talked).await {
            Ok(outcome) => {
                let extra = dial_result(&child, outcome, talked);
                Ok(dial.action.as_ref().map_or(Flow::On, |action| self.goto(action, &extra)))
            }
            Err(interrupt) => {
                // The action is requested even so; its answer goes nowhere
                // (seen with a redirect during <Dial>: github.com/qisoft/i-hate-making-calls/issues/25).
                if let Some(action) = &dial.action {
                    let extra = dial_result(&child, Outcome::Answered, talked);
                    self.callback(self.request(action, &extra));
                }
                Err(interrupt)
            }
        }
    }

    /// Rings the callee and, if they answer, lets them talk.
    async fn dialled_conversation(
        &mut self,
        dial: &Dial,
        child: &str,
        talked: &mut u64,
    ) -> Result<Outcome, Interrupt> {
        self.leg_status(dial, child, "initiated", "initiated");
        self.leg_status(dial, child, "ringing", "ringing");
        let timeout = u64::from(dial.timeout) * SECOND;
        let callee = self.callee.clone();
        let (rings, outcome) = match callee.outcome {
            Outcome::NoAnswer => (timeout, Outcome::NoAnswer),
            other if callee.after_ms * SAMPLES_PER_MS >= timeout => (timeout, no_answer_unless_failed(other)),
            other => (callee.after_ms * SAMPLES_PER_MS, other),
        };
        let answer_at = self.line.now() + rings;
        while self.line.now() < answer_at {
            if self.line.is_quiet() {
                self.line.play(Source::Tone, tones::ring());
            }
            self.tick().await?;
        }
        self.line.stop_sound();
        self.dialled = Some(outcome);
        self.line.emit(Event::Dialled { at_ms: self.line.now_ms(), outcome });
        if outcome == Outcome::Answered {
            self.leg_status(dial, child, "answered", "in-progress");
            let answered_at = self.line.now();
            let result = self.talk(dial, &callee.says, callee.talk_ms).await;
            self.line.stop_sound();
            *talked = (self.line.now() - answered_at).div_ceil(SECOND);
            result?;
        } else if outcome == Outcome::Busy {
            self.play_out(Source::Tone, tones::busy()).await?;
        }
        self.leg_status(dial, child, "completed", leg_result(outcome));
        Ok(outcome)
    }

    /// The callee speaks and then listens for a while, until somebody has had enough.
    async fn talk(&mut self, dial: &Dial, says: &str, talk_ms: u64) -> Result<(), Interrupt> {
        let limit = dial.time_limit.map(|seconds| self.line.now() + u64::from(seconds) * SECOND);
        self.callee_says(says).await?;
        let until = self.line.now() + talk_ms * SAMPLES_PER_MS;
        let until = limit.map_or(until, |limit| until.min(limit));
        while self.line.now() < until {
            let tick = self.tick().await?;
            if dial.hangup_on_star && tick.key == Some('*') {
                break;
            }
        }
        Ok(())
    }

    fn leg_status(&self, dial: &Dial, child: &str, event: &str, status: &str) {
        for callee in dial.numbers.iter().filter(|callee| callee.events.iter().any(|wanted| wanted == event))
        {
            if let Some(action) = &callee.status {
                self.callback(self.leg_request(dial, callee, child, action, status));
            }
        }
    }

    fn leg_request(
        &self,
        dial: &Dial,
        callee: &Callee,
        child: &str,
        action: &Action,
        status: &str,
    ) -> Request {
        let mut request = self.request(action, &[]);
        for (name, value) in &mut request.params {
            match name.as_str() {
                "CallSid" => child.clone_into(value),
                "CallStatus" => status.clone_into(value),
                "To" | "Called" => value.clone_from(&callee.number),
                "From" | "Caller" => dial.caller_id.as_ref().unwrap_or(&self.state.from).clone_into(value),
                "Direction" => "outbound-dial".clone_into(value),
                _ => {}
            }
        }
        request.params.push(("ParentCallSid".into(), self.call_sid.clone()));
        request.params.push(("Timestamp".into(), timestamp()));
        request
    }
}

/// The parameters that a `<Dial>`'s action gets.
fn dial_result(child: &str, outcome: Outcome, talked: u64) -> Vec<(&'static str, String)> {
    let mut extra = vec![
        ("DialCallSid", child.to_owned()),
        ("DialCallStatus", leg_result(outcome).to_owned()),
        ("DialBridged", (outcome == Outcome::Answered).to_string()),
    ];
    if outcome == Outcome::Answered {
        extra.push(("DialCallDuration", talked.to_string()));
    }
    extra
}

/// Adds a key to what was gathered; `true` when it counts.
fn take_key(gather: &Gather, key: Option<char>, input: &mut Input) -> bool {
    let Some(key) = key.filter(|_| gather.dtmf && !input.done) else { return false };
    if Some(key) == gather.finish_on_key {
        input.finished_on = Some(key);
        input.done = true;
    } else {
        input.digits.push(key);
        input.done = gather.num_digits.is_some_and(|wanted| input.digits.len() >= wanted as usize);
    }
    true
}

fn no_answer_unless_failed(outcome: Outcome) -> Outcome {
    if outcome == Outcome::Failed { Outcome::Failed } else { Outcome::NoAnswer }
}

/// `DialCallStatus` and the leg's final status.
fn leg_result(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Answered => "completed",
        Outcome::Busy => "busy",
        Outcome::NoAnswer => "no-answer",
        Outcome::Failed => "failed",
    }
}
