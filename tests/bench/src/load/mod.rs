//! The load: N simulated calls through the front door, and the model they talk to, in one single-threaded process.
//!
//! Both ends live in one process so that one clock measures both directions and a claim of heard audio can be held
//! against what the carrier really played.

pub(crate) mod carrier;
pub(crate) mod http;
pub(crate) mod model;
mod playback;
mod tag;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use tokio::task::LocalSet;

use crate::clock::{at, micros};
use crate::stats::Samples;
use playback::Playback;

/// From the last call's connection until anything is measured: every call has then had an answer of each kind, heard to its end and interrupted.
/// A process that has just begun still compiles its code, and a subject that greets would be measured at that while another one's callers speak.
const WARM_UP: Duration = Duration::from_secs(9);

/// What a run needs to know.
#[derive(Debug, Clone)]
pub(crate) struct LoadConfig {
    /// Simultaneous calls.
    pub(crate) calls: u16,
    /// Length of the measurement, after all calls are up.
    pub(crate) seconds: u64,
    /// Port of the fake model.
    pub(crate) model_port: u16,
    /// Time the fake model takes to accept a connection.
    pub(crate) connect_delay: Duration,
    /// Where the subject listens: `127.0.0.1:port`.
    pub(crate) app: String,
    /// Origin that webhooks are signed for.
    pub(crate) public_url: String,
    /// Path of the voice webhook.
    pub(crate) webhook: String,
    /// Twilio account and key of the signature.
    pub(crate) account_sid: String,
    /// Its auth token.
    pub(crate) auth_token: String,
    /// Number that is dialled.
    pub(crate) to: String,
}

/// Both ends of one call.
#[derive(Default)]
pub(crate) struct Ends {
    /// When each caller frame was sent, in microseconds.
    caller_sent: RefCell<Vec<u64>>,
    /// Which of them reached the model.
    caller_seen: RefCell<Vec<bool>>,
    /// Frames up to here were sent before the model was connected.
    early: Cell<usize>,
    /// When each block of an utterance was sent by the model.
    model_sent: RefCell<HashMap<u16, Vec<u64>>>,
    /// How many of them reached the carrier.
    model_seen: RefCell<HashMap<u16, u32>>,
    /// Utterances that were interrupted: what was heard when `clear` came, what the subject claims.
    cut: RefCell<HashMap<u16, Cut>>,
    playback: RefCell<Playback>,
}

#[derive(Default)]
struct Cut {
    spoke_at: u64,
    heard_ms: Option<u64>,
    claimed_ms: Option<u64>,
    reported: bool,
}

/// Everything the tasks of one run share.
pub(crate) struct Run {
    pub(crate) config: LoadConfig,
    pub(crate) ends: Vec<Ends>,
    pub(crate) samples: RefCell<Samples>,
    /// Latencies count only while this is set.
    pub(crate) measuring: Cell<bool>,
    /// Callers stop sending.
    pub(crate) stopping: Cell<bool>,
    pub(crate) connected: Cell<u16>,
}

impl Run {
    /// Reports the truncation error of an utterance once both the truth and the claim are known.
    fn settle(&self, call: u16, item: u16) {
        let Some(ends) = self.ends.get(usize::from(call)) else { return };
        let mut cuts = ends.cut.borrow_mut();
        let Some(cut) = cuts.get_mut(&item) else { return };
        if let (Some(heard), Some(claimed), false) = (cut.heard_ms, cut.claimed_ms, cut.reported) {
            cut.reported = true;
            if self.measuring.get() {
                self.samples.borrow_mut().truncation.push(claimed as f64 - heard as f64);
            }
        }
    }
}

/// What a run found.
pub(crate) struct Outcome {
    pub(crate) samples: Samples,
    pub(crate) caller_frames: u64,
    pub(crate) caller_lost: u64,
    pub(crate) early_frames: u64,
    pub(crate) early_lost: u64,
    pub(crate) model_blocks: u64,
    pub(crate) model_lost: u64,
    pub(crate) connected: u16,
    pub(crate) cuts: u64,
    pub(crate) cuts_without_claim: u64,
}

impl Outcome {
    /// Adds what another round with as many calls found.
    pub(crate) fn extend(&mut self, other: Self) {
        self.samples.extend(other.samples);
        self.caller_frames += other.caller_frames;
        self.caller_lost += other.caller_lost;
        self.early_frames += other.early_frames;
        self.early_lost += other.early_lost;
        self.model_blocks += other.model_blocks;
        self.model_lost += other.model_lost;
        self.connected = self.connected.min(other.connected);
        self.cuts += other.cuts;
        self.cuts_without_claim += other.cuts_without_claim;
    }
}

/// Runs `config.calls` calls. `measured` is called when the measurement begins (true) and ends (false).
pub(crate) async fn run(config: LoadConfig, mut measured: impl FnMut(bool)) -> anyhow::Result<Outcome> {
    let calls = config.calls;
    let run = Rc::new(Run {
        ends: (0..calls).map(|_| Ends::default()).collect(),
        samples: RefCell::default(),
        measuring: Cell::new(false),
        stopping: Cell::new(false),
        connected: Cell::new(0),
        config,
    });
    let local = LocalSet::new();
    let driver = Rc::clone(&run);
    local
        .run_until(async move {
            let model = tokio::task::spawn_local(model::serve(Rc::clone(&driver)));
            let begin = micros();
            let mut callers = vec![];
            for call in 0..calls {
                callers.push(tokio::task::spawn_local(carrier::call(Rc::clone(&driver), call)));
                // Calls come up one after another, not in one tick of the 20 ms grid: 7.3 ms is prime to it.
                tokio::time::sleep_until(at(begin + u64::from(call + 1) * 7_300)).await;
            }
            let up_by = micros() + 10_000_000;
            while driver.connected.get() < calls && micros() < up_by {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            tokio::time::sleep(WARM_UP).await;
            driver.measuring.set(true);
            measured(true);
            tokio::time::sleep(Duration::from_secs(driver.config.seconds)).await;
            measured(false);
            driver.measuring.set(false);
            driver.stopping.set(true);
            for caller in callers {
                let _ = tokio::time::timeout(Duration::from_secs(5), caller).await;
            }
            model.abort();
        })
        .await;
    Ok(conclude(&run))
}

fn conclude(run: &Run) -> Outcome {
    let mut outcome = Outcome {
        samples: run.samples.take(),
        caller_frames: 0,
        caller_lost: 0,
        early_frames: 0,
        early_lost: 0,
        model_blocks: 0,
        model_lost: 0,
        connected: run.connected.get(),
        cuts: 0,
        cuts_without_claim: 0,
    };
    for ends in &run.ends {
        let seen = ends.caller_seen.borrow();
        let sent = ends.caller_sent.borrow().len();
        let lost_below = |end: usize| {
            (0..end.min(sent)).filter(|seq| !seen.get(*seq).copied().unwrap_or(false)).count() as u64
        };
        outcome.caller_frames += sent as u64;
        outcome.caller_lost += lost_below(sent);
        outcome.early_frames += ends.early.get().min(sent) as u64;
        outcome.early_lost += lost_below(ends.early.get());
        let cuts = ends.cut.borrow();
        for (item, sent) in ends.model_sent.borrow().iter() {
            // What was cut off is not lost: it was not to be played.
            if !cuts.contains_key(item) {
                outcome.model_blocks += sent.len() as u64;
                let seen = ends.model_seen.borrow().get(item).copied().unwrap_or(0);
                outcome.model_lost += sent.len() as u64 - u64::from(seen).min(sent.len() as u64);
            }
        }
        outcome.cuts += cuts.len() as u64;
        outcome.cuts_without_claim += cuts.values().filter(|cut| !cut.reported).count() as u64;
    }
    outcome
}
