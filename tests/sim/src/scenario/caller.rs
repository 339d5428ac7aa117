//! The caller: plays a scenario's steps, frame by frame.

use std::sync::Arc;

use super::listener::{Ear, Listener};
use super::spec::{Act, EndedBy, Scenario, Step, When};
use crate::registry::{Utterance, UtteranceId};
use crate::speech::{FRAME_BYTES, FRAME_MS, Frame, SILENT_FRAME};
use crate::twilio::{SAMPLES_PER_MS, Samples};

/// Silence after which the caller takes the other side's turn for finished.
const FINISHED_AFTER: Samples = 900 * SAMPLES_PER_MS;
/// Silence on a live line after which the caller goes on although nobody has answered.
const PATIENCE: Samples = 12_000 * SAMPLES_PER_MS;
/// An interruption whose moment never came (the other side broke off before it) is said after so much quiet: sooner than
/// an assistant asks whether anybody is there, or each question would be taken for the turn to interrupt.
const MISSED_AFTER: Samples = 5_000 * SAMPLES_PER_MS;
/// No step waits longer than this for what should start it.
const STEP_LIMIT: Samples = 60_000 * SAMPLES_PER_MS;
/// So long the caller stays on the line when the scenario is over.
const WAIT_END_LIMIT: Samples = 60_000 * SAMPLES_PER_MS;
/// Between two keys.
const KEY_GAP: Samples = 300 * SAMPLES_PER_MS;

/// What the caller did in one frame.
#[derive(Debug, Clone)]
pub struct CallerTick {
    /// The sound in the mouthpiece.
    pub frame: Frame,
    /// Which utterance it belongs to, and which of its frames it is.
    pub saying: Option<(UtteranceId, u32)>,
    /// A key pressed.
    pub key: Option<char>,
    /// The caller hung up.
    pub hung_up: Option<EndedBy>,
    /// Things worth telling.
    pub event: Option<CallerEvent>,
}

/// Something worth telling about the caller.
#[derive(Debug, Clone)]
pub enum CallerEvent {
    /// Begins to speak, with this frame.
    Began {
        /// What is said.
        utterance: Arc<Utterance>,
        /// It was meant as an interruption.
        interrupts: bool,
    },
    /// Has spoken.
    Ended {
        /// What was said.
        utterance: UtteranceId,
        /// From the first frame's beginning to the end of the last word that was said.
        spoken: Samples,
        /// Everything was said.
        complete: bool,
    },
}

#[derive(Debug)]
enum Phase {
    /// The next step has not begun; since when it could.
    Waiting(Samples),
    Saying {
        utterance: Arc<Utterance>,
        frame: usize,
        hang_up_at: Option<usize>,
    },
    Pressing {
        keys: Vec<char>,
        next_at: Samples,
    },
    Silent {
        until: Samples,
    },
}

/// The caller of one call.
#[derive(Debug)]
pub struct Caller {
    steps: Vec<(Step, Option<Arc<Utterance>>)>,
    next: usize,
    phase: Phase,
    listener: Listener,
    /// The other side's turns when the caller last said or pressed something: a later one is the answer.
    answered: u32,
}

impl Caller {
    /// A caller who follows `scenario`; `utterances` holds what its `say` steps sound like, in their order.
    pub fn new(scenario: &Scenario, utterances: Vec<Arc<Utterance>>) -> Self {
        let mut utterances = utterances.into_iter();
        let steps = scenario
            .steps
            .iter()
            .map(|step| {
                (step.clone(), matches!(step.act, Act::Say { .. }).then(|| utterances.next()).flatten())
            })
            .collect();
        Self { steps, next: 0, phase: Phase::Waiting(0), listener: Listener::default(), answered: 0 }
    }

    /// What the caller has understood of the other side's turns.
    pub fn listener(&self) -> &Listener {
        &self.listener
    }

    /// Hears one frame and answers with what the caller does during the next.
    pub fn tick(&mut self, ear: Ear) -> CallerTick {
        self.listener.hear(ear);
        let mut tick =
            CallerTick { frame: SILENT_FRAME, saying: None, key: None, hung_up: None, event: None };
        if let Phase::Waiting(since) = self.phase {
            self.begin_step(ear.now, since, &mut tick);
        }
        match &mut self.phase {
            Phase::Waiting(_) => {}
            Phase::Saying { utterance, frame, hang_up_at } => {
                if hang_up_at.is_some_and(|at| *frame >= at) {
                    let spoken = (*frame * FRAME_BYTES) as Samples;
                    tick.event =
                        Some(CallerEvent::Ended { utterance: utterance.id, spoken, complete: false });
                    tick.hung_up = Some(EndedBy::Caller);
                } else if let Some(sound) = utterance.frames.get(*frame) {
                    tick.frame = *sound;
                    tick.saying = Some((utterance.id, *frame as u32));
                    *frame += 1;
                } else {
                    let spoken = spoken(utterance);
                    tick.event = Some(CallerEvent::Ended { utterance: utterance.id, spoken, complete: true });
                    self.done(ear.now, true);
                }
            }
            Phase::Pressing { keys, next_at } => {
                if ear.now >= *next_at {
                    *next_at = ear.now + KEY_GAP;
                    match keys.pop() {
                        Some(key) => tick.key = Some(key),
                        None => self.done(ear.now, true),
                    }
                }
            }
            Phase::Silent { until } => {
                if ear.now >= *until {
                    self.done(ear.now, false);
                }
            }
        }
        tick
    }

    /// Begins the next step when its time has come.
    fn begin_step(&mut self, now: Samples, since: Samples, tick: &mut CallerTick) {
        let Some((step, utterance)) = self.steps.get(self.next) else {
            if now.saturating_sub(since) >= WAIT_END_LIMIT {
                tick.hung_up = Some(EndedBy::GaveUp);
            }
            return;
        };
        if !self.is_time(step, now, since) {
            return;
        }
        let interrupts = self.listener.speaking_for(now).is_some();
        match (&step.act, utterance) {
            (Act::Say { hang_up_after_ms, .. }, Some(utterance)) => {
                let hang_up_at = hang_up_after_ms.map(|ms| ms as usize / FRAME_MS as usize);
                tick.event = Some(CallerEvent::Began { utterance: Arc::clone(utterance), interrupts });
                self.phase = Phase::Saying { utterance: Arc::clone(utterance), frame: 0, hang_up_at };
            }
            (Act::Press(keys), _) => {
                self.phase = Phase::Pressing { keys: keys.chars().rev().collect(), next_at: now };
            }
            (Act::Silence(ms), _) => self.phase = Phase::Silent { until: now + ms * SAMPLES_PER_MS },
            (Act::HangUp, _) => tick.hung_up = Some(EndedBy::Caller),
            // Staying on the line is what a caller does whose steps are used up.
            (Act::WaitEnd, _) | (Act::Say { .. }, None) => self.next = self.steps.len(),
        }
    }

    fn is_time(&self, step: &Step, now: Samples, since: Samples) -> bool {
        let waited = now.saturating_sub(since);
        let answered = self.listener.turns() > self.answered && self.listener.turns() >= step.turn;
        match step.when {
            When::Now => true,
            When::At(ms) => now >= ms * SAMPLES_PER_MS,
            When::Speaking(ms) => {
                let speaking = self.listener.speaking_for(now).filter(|_| answered);
                let missed = answered && self.listener.quiet_for(now).min(waited) >= MISSED_AFTER;
                speaking.is_some_and(|span| span >= ms * SAMPLES_PER_MS) || missed || waited >= STEP_LIMIT
            }
            When::Finished => {
                let quiet = self.listener.quiet_for(now);
                let finished = answered && !self.listener.broke_off() && quiet >= FINISHED_AFTER;
                finished || quiet.min(waited) >= PATIENCE || waited >= STEP_LIMIT
            }
        }
    }

    fn done(&mut self, now: Samples, expects_answer: bool) {
        self.next += 1;
        self.phase = Phase::Waiting(now);
        if expects_answer {
            self.answered = self.listener.turns();
        }
    }
}

/// Until the end of the last word: silence at the end of the recording is not speech.
fn spoken(utterance: &Utterance) -> Samples {
    let whole = (utterance.frames.len() * FRAME_BYTES) as Samples;
    utterance.words.last().map_or(whole, |word| whole.min(Samples::from(word.end_ms) * SAMPLES_PER_MS))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Caller, CallerEvent, Ear};
    use crate::registry::{Registry, Speaker, Utterance};
    use crate::scenario::{EndedBy, Scenario};
    use crate::speech::{Speech, Word};

    /// Something of `ms` milliseconds whose last word ends 100 ms before its end.
    fn speech(text: &str, ms: u32) -> Arc<Utterance> {
        let words = vec![Word { text: text.into(), start_ms: 0, end_ms: ms - 100 }];
        let speech = Speech { text: text.into(), audio: vec![0x10; ms as usize * 8], words };
        Registry::default().register(Speaker::Caller { call: "CA1".into() }, &speech)
    }

    /// Plays the other side from `(milliseconds, voice)` spans and tells what the caller did, and when in ms.
    fn play(steps: &str, utterances: Vec<Arc<Utterance>>, other_side: &[(u64, bool)]) -> Vec<(u64, String)> {
        let scenario = Scenario::from_toml(&format!("name='n'\nabout='a'\n{steps}")).unwrap();
        let mut caller = Caller::new(&scenario, utterances);
        let mut did = Vec::new();
        let mut now = 0;
        for (ms, voice) in other_side {
            for _ in 0..ms / 20 {
                now += 160;
                let tick = caller.tick(Ear { now, voice: *voice, live: true });
                let at = now / 8;
                match tick.event {
                    Some(CallerEvent::Began { utterance, interrupts }) => {
                        did.push((at, format!("{}{}", if interrupts { "!" } else { "" }, utterance.text)));
                    }
                    Some(CallerEvent::Ended { spoken, complete, .. }) => {
                        did.push((at, format!("{}{}", spoken / 8, if complete { "" } else { " cut" })));
                    }
                    None => {}
                }
                did.extend(tick.key.map(|key| (at, key.to_string())));
                match tick.hung_up {
                    Some(EndedBy::GaveUp) => did.push((at, "gave up".into())),
                    Some(_) => did.push((at, "hung up".into())),
                    None => {}
                }
                if tick.hung_up.is_some() {
                    return did;
                }
            }
        }
        did
    }

    fn told(expected: &[(u64, &str)]) -> Vec<(u64, String)> {
        expected.iter().map(|(at, what)| (*at, (*what).to_owned())).collect()
    }

    #[test]
    fn waits_for_the_greeting_before_speaking_and_for_the_answer_before_going_on() {
        let steps = "[[step]]\nsay = 'one'\n[[step]]\nsay = 'two'";
        let did = play(
            steps,
            vec![speech("one", 400), speech("two", 400)],
            &[(1_000, true), (2_000, false), (1_000, true), (2_000, false)],
        );
        assert_eq!(did, told(&[(1_900, "one"), (2_300, "300"), (4_900, "two"), (5_300, "300")]));
    }

    #[test]
    fn interrupts_after_so_much_speech() {
        let did = play(
            "[[step]]\nsay = 'wait'\nafter_speech_ms = 600",
            vec![speech("wait", 400)],
            &[(500, false), (3_000, true)],
        );
        assert_eq!(did, told(&[(1_120, "!wait"), (1_520, "300")]));
    }

    #[test]
    fn hangs_up_in_mid_word() {
        let did = play(
            "[[step]]\nsay = 'goodbye'\nwhen = 'now'\nhang_up_after_ms = 200",
            vec![speech("goodbye", 900)],
            &[(2_000, false)],
        );
        assert_eq!(did, told(&[(20, "goodbye"), (220, "200 cut"), (220, "hung up")]));
    }

    #[test]
    fn presses_keys_one_after_the_other_and_stays_silent() {
        let steps =
            "[[step]]\npress = '0#'\nat_ms = 1000\n[[step]]\nsilence_ms = 500\n[[step]]\nhang_up = true";
        let did = play(steps, vec![], &[(4_000, false)]);
        assert_eq!(did, told(&[(1_000, "0"), (1_300, "#"), (2_140, "hung up")]));
    }

    #[test]
    fn goes_on_when_nobody_answers_and_gives_up_at_the_end() {
        let did = play("[[step]]\nsay = 'hello?'", vec![speech("hello?", 400)], &[(90_000, false)]);
        assert_eq!(did.first(), Some(&(12_000, "hello?".to_owned())));
        assert_eq!(did.last(), Some(&(72_400, "gave up".to_owned())));
    }
}
