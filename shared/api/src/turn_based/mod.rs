//! Calls that are held turn by turn: `voicecore_turn_based::Dialogue` between the database, the model and the tools.
//!
//! No process keeps anything between two questions of the carrier. Each question names the step that it follows. Whoever
//! answers it first claims the dialogue (a write that names the step, with a time until which it is busy), asks the model,
//! and stores what came of it. Whoever comes with the same question later is shown where the dialogue stands, and asked to
//! come again while somebody is at work; if that one has died, the time runs out and the next question goes on from what was
//! stored. So a turn is taken once and a tool run once, whatever is repeated, late, or cut off in between.

mod held;
mod model;
mod test_calls;

use voicecore_call::{CallConfig, EndReason, Interaction, Intervention, OperatorCommand};
use voicecore_store::Scope;
use voicecore_store::directory::CallLocation;
use voicecore_turn_based::{Dialogue, Heard, Owed};
use voicecore_types::{CallId, Millis};

use crate::actors::{CallCommand, CallReply, ask_call};
use crate::live::{record_tool, run_tool, transcript};
use crate::{ApiError, AppState};

pub(crate) use held::Held;
use held::load_setup;
use model::Trouble;

/// After the time that the model was given, whoever asked it has stored its answer, or died.
const BUSY_MARGIN: Millis = Millis::from_secs(2);
/// The longest that running the tools of one answer may take before somebody else may go on with them.
const TOOLS_TIME: Millis = Millis::from_secs(10);
/// The model is not asked when less time than this is left of its patience.
const MIN_PATIENCE: Millis = Millis(500);
/// Each lost race means that somebody else has moved the dialogue on, by one of a few steps of one turn.
const END_TRIES: usize = 8;

/// What the caller hears next.
pub(crate) enum Answer {
    /// This, and then they are listened to.
    Listen(String),
    /// A filler: the model is asked (again) when it has been heard.
    Filler {
        /// From 0.
        nth: u32,
    },
    /// Somebody is at work on it.
    Busy,
    /// This, and then it is asked what comes next.
    LastWords(String),
    /// The call goes where its reason says.
    Over(EndReason),
}

/// An answer, with what went wrong on the way to it, for the log.
pub(crate) struct Turn {
    pub(crate) answer: Answer,
    pub(crate) cause: Option<ApiError>,
}

/// A call comes in that is to be held turn by turn. Repeated, it gives what there is.
pub(crate) async fn open(app: &AppState, scope: &Scope, call_id: CallId) -> Result<Held, ApiError> {
    let (setup, _, wrapped_key) = load_setup(app, scope, call_id).await?;
    let dialogue = Dialogue::begin(&setup.call, app.now());
    Held::begin(app, scope, setup, dialogue, &wrapped_key).await
}

/// Why a call that was held over media streams is not any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lost {
    /// No stream holds.
    Streams,
    /// The speech-to-speech model.
    Model,
}

/// A call goes on turn by turn that can be held over media streams no more, with everything that was said in it so far. `None`: what
/// is lost is the model, and the one that reads and writes is not configured or of the same account, which would refuse it, too.
pub(crate) async fn take_over(
    app: &AppState,
    call: &CallLocation,
    lost: Lost,
) -> Result<Option<Held>, ApiError> {
    let (setup, started_at, wrapped_key) = load_setup(app, &call.scope, call.call_id).await?;
    if lost == Lost::Model && !model::is_elsewhere(app, &setup) {
        return Ok(None);
    }
    let said = said_so_far(app, call).await?;
    let dialogue = Dialogue::take_over(&setup.call, started_at, app.now(), said);
    Held::begin(app, &call.scope, setup, dialogue, &wrapped_key).await.map(Some)
}

/// From the call's actor while it lives, from the stored transcript after that.
async fn said_so_far(app: &AppState, call: &CallLocation) -> Result<Vec<Interaction>, ApiError> {
    // An actor that cannot be asked is why the streams failed: what it knows is left out.
    match ask_call(&*app.ports.actors, call.call_id, &CallCommand::Transcript).await {
        Ok(CallReply::Transcript { interactions, .. }) => Ok(interactions),
        _ => Ok(transcript::stored(app, &call.scope, call.call_id).await?.interactions),
    }
}

/// A question of the carrier that follows `step`: what does the caller hear next?
pub(crate) async fn turn(
    app: &AppState,
    held: &mut Held,
    step: u64,
    heard: &Heard<'_>,
) -> Result<Turn, ApiError> {
    let now = app.now();
    if held.finished || !held.is_about(step) || held.is_busy(now) {
        return Ok(held.answer(now).into());
    }
    let call = &held.setup.call;
    match held.dialogue.owed() {
        Owed::Caller { .. } => held.dialogue.heard(call, now, heard),
        Owed::LastWords { .. } => held.dialogue.last_words_said(),
        Owed::Model { .. } | Owed::Tools(_) | Owed::Over(_) => {}
    }
    work(app, held, now).await
}

/// Does what has to be done until the caller can hear something.
async fn work(app: &AppState, held: &mut Held, began: Millis) -> Result<Turn, ApiError> {
    let mut deadline = None;
    // Why the model was given up.
    let mut cause = None;
    loop {
        let owed = held.dialogue.owed();
        match owed {
            Owed::Caller { .. } | Owed::LastWords { .. } => {
                held.store(app, None).await?;
                return Ok(Turn { answer: held.answer(app.now()), cause });
            }
            Owed::Over(reason) => {
                // Should it not be stored now, the carrier's report of the end brings it, or the job of every minute.
                let cause = held.finish(app).await.err().or(cause);
                return Ok(Turn { answer: Answer::Over(reason), cause });
            }
            Owed::Tools(calls) => {
                let calls = calls.to_vec();
                if !held.store(app, Some(app.now().plus(TOOLS_TIME))).await? {
                    return Ok(held.answer(app.now()).into());
                }
                for call in calls {
                    let result = run_tool(app, &held.setup, &call).await;
                    held.dialogue.ran(app.now(), &result);
                    // Without this record the call is none the worse.
                    let _ = record_tool(app, &held.setup, &call, &result).await;
                }
            }
            Owed::Model { patience, .. } => {
                let deadline: Millis = *deadline.get_or_insert(began.plus(patience));
                if let Some(turn) = ask_model(app, held, deadline, &mut cause).await? {
                    return Ok(turn);
                }
            }
        }
    }
}

/// Asks the model once. An answer for the caller where that led to none of the model's; `cause`, where it is given up.
async fn ask_model(
    app: &AppState,
    held: &mut Held,
    deadline: Millis,
    cause: &mut Option<ApiError>,
) -> Result<Option<Turn>, ApiError> {
    let asked = if deadline.since(app.now()) < MIN_PATIENCE {
        Err(Trouble::late())
    } else {
        if !held.store(app, Some(deadline.plus(BUSY_MARGIN))).await? {
            return Ok(Some(held.answer(app.now()).into()));
        }
        // That has taken its time.
        match deadline.since(app.now()) {
            left if left < MIN_PATIENCE => Err(Trouble::late()),
            left => model::ask(app, held, left).await,
        }
    };
    let (now, config) = (app.now(), &held.setup.call);
    let trouble = match asked {
        Ok(answer) => {
            held.dialogue.answered(config, now, answer);
            return Ok(None);
        }
        Err(trouble) => trouble,
    };
    held.dialogue.failed(config, now, trouble.fatal);
    let Owed::Model { tries, .. } = held.dialogue.owed() else {
        // It is given up: what comes then is the next thing to do.
        *cause = Some(trouble.cause);
        return Ok(None);
    };
    let answer = if held.store(app, None).await? {
        Answer::Filler { nth: tries.saturating_sub(1) }
    } else {
        held.answer(now)
    };
    Ok(Some(Turn { answer, cause: Some(trouble.cause) }))
}

/// The call has ended from outside. `false`: it is not held turn by turn, or was finished before.
pub(crate) async fn end(
    app: &AppState,
    scope: &Scope,
    call_id: CallId,
    reason: EndReason,
) -> Result<bool, ApiError> {
    for _ in 0..END_TRIES {
        let Some(mut held) = Held::load(app, scope, call_id).await? else { return Ok(false) };
        if held.finished {
            return Ok(false);
        }
        held.dialogue.end(reason);
        if held.finish(app).await? {
            return Ok(true);
        }
    }
    Err(ApiError::Unavailable { part: "database", cause: "a dialogue is changed all the time".to_owned() })
}

/// What came of stepping into a call.
pub(crate) enum Intervened {
    /// It is held otherwise, if at all.
    Elsewhere,
    /// It counts from the next answer on.
    Taken,
    /// The call is over, or saying goodbye.
    TooLate,
}

/// Somebody steps into a call.
pub(crate) async fn intervene(
    app: &AppState,
    scope: &Scope,
    call_id: CallId,
    wanted: &Intervention,
) -> Result<Intervened, ApiError> {
    for _ in 0..END_TRIES {
        let Some(mut held) = Held::load(app, scope, call_id).await? else { return Ok(Intervened::Elsewhere) };
        let silences = matches!(wanted.command, OperatorCommand::Pause | OperatorCommand::Resume);
        if silences && !held.finished {
            return Err(ApiError::CallTurnBased);
        }
        if held.dialogue.has_taken(&wanted.id) {
            return Ok(Intervened::Taken);
        }
        if held.finished || !held.dialogue.intervene(app.now(), wanted) {
            return Ok(Intervened::TooLate);
        }
        let stored = match held.dialogue.owed() {
            Owed::Over(_) => held.finish(app).await?,
            // Whoever runs tools now is not to be joined by a second.
            Owed::Tools(_) => held.store_aside(app, held.busy_until).await?,
            // An answer under way does not know of it: the model is asked again.
            _ => held.store_aside(app, None).await?,
        };
        if stored {
            return Ok(Intervened::Taken);
        }
    }
    Err(ApiError::Unavailable { part: "database", cause: "a dialogue is changed all the time".to_owned() })
}

/// What was said so far in a call that is held turn by turn and goes on. `None`: there is no such call.
pub(crate) async fn running_transcript(
    app: &AppState,
    scope: &Scope,
    call_id: CallId,
) -> Result<Option<Vec<Interaction>>, ApiError> {
    let held = Held::load(app, scope, call_id).await?;
    Ok(held.filter(|held| !held.finished).map(|held| held.dialogue.interactions()))
}

impl Held {
    /// Where the dialogue stands, for whoever asks.
    pub(crate) fn answer(&self, now: Millis) -> Answer {
        match self.dialogue.owed() {
            Owed::Caller { say } => Answer::Listen(say.to_owned()),
            Owed::LastWords { say } => Answer::LastWords(say.to_owned()),
            Owed::Over(reason) => Answer::Over(reason),
            Owed::Tools(_) => Answer::Busy,
            Owed::Model { .. } if self.is_busy(now) => Answer::Busy,
            Owed::Model { tries, .. } => Answer::Filler { nth: tries.saturating_sub(1) },
        }
    }

    /// A question about `step` is about where the dialogue stands.
    fn is_about(&self, step: u64) -> bool {
        (self.step.saturating_sub(self.dialogue.asides())..=self.step).contains(&step)
    }

    fn is_busy(&self, now: Millis) -> bool {
        self.busy_until.is_some_and(|until| until > now)
    }

    /// What was configured when the call came in.
    pub(crate) fn config(&self) -> &CallConfig {
        &self.setup.call
    }
}

impl From<Answer> for Turn {
    fn from(answer: Answer) -> Self {
        Self { answer, cause: None }
    }
}
