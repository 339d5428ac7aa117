//! Test calls: the same dialogue, stored elsewhere, with nobody on a line. The tester's messages take the place of the carrier's questions.

use voicecore_call::{EndReason, Interaction};
use voicecore_store::audit_log::AuditEntry;
use voicecore_store::businesses::CallSetupRow;
use voicecore_store::{Scope, test_calls};
use voicecore_turn_based::{Dialogue, Heard};
use voicecore_types::{AssistantId, Millis};

use super::{Answer, END_TRIES, Held, Turn, turn};
use crate::live::{TestCallSetup, call_setup};
use crate::{ApiError, AppState};

/// How often one message goes on by itself: each try of the model, the last words, and the end.
const MAX_STEPS: usize = 6;
/// A model that has failed is asked again after this: in a call a filler is heard meanwhile.
const PAUSE: Millis = Millis::from_secs(2);

impl Held {
    /// A test call that begins, and is not stored yet.
    pub(crate) fn new_test(
        app: &AppState,
        scope: &Scope,
        row: CallSetupRow,
        (assistant_id, version): (AssistantId, Option<u64>),
    ) -> Result<Self, ApiError> {
        let wrapped_key = row.wrapped_key.clone();
        let mut setup = call_setup(&app.config, scope.tenant(), row);
        setup.call.session.model.clone_from(&app.config.chat.model);
        let length = setup.call.limits.call_length.min(test_calls::LIFETIME);
        setup.call.limits.call_length = length;
        let expires_at = app.now().plus(length);
        setup.test_call = Some(TestCallSetup { assistant_id, version, expires_at });
        let dialogue = Dialogue::begin(&setup.call, app.now());
        Self::new(app, scope, setup, dialogue, &wrapped_key)
    }

    /// Stores it, on the tenant's record. `false`: a limit of the tenant stands against it.
    pub(crate) async fn begin_test(&self, app: &AppState, entry: &AuditEntry<'_>) -> Result<bool, ApiError> {
        let (setup, state) = self.sealed(app)?;
        let id = self.setup.call.call_id;
        let now = app.now();
        let expires_at = self.tried().map_or(now, |tried| tried.expires_at);
        Ok(test_calls::begin(&self.scope, id, (&setup, &state), (now, expires_at), entry).await?)
    }

    /// What is tried. `None`: it is a call.
    pub(crate) fn tried(&self) -> Option<&TestCallSetup> {
        self.setup.test_call.as_ref()
    }

    /// It is over, and that is stored.
    pub(crate) const fn is_finished(&self) -> bool {
        self.finished
    }

    /// What was said so far.
    pub(crate) fn interactions(&self) -> Vec<Interaction> {
        self.dialogue.interactions()
    }

    /// What the tester says in answer to `step`, and what the carrier does in a call: it asks again when a filler has been heard, and when
    /// the last words have. What the model failed with, if it did.
    pub(crate) async fn say(
        &mut self,
        app: &AppState,
        step: u64,
        said: &Heard<'_>,
    ) -> Result<Option<ApiError>, ApiError> {
        let silence = Heard { speech: None, confidence: None, digits: None };
        let mut now = turn(app, self, step, said).await?;
        let mut failed = None;
        for _ in 0..MAX_STEPS {
            if !matches!(now.answer, Answer::Filler { .. } | Answer::LastWords(_)) {
                break;
            }
            if let (Answer::Filler { .. }, Some(_)) = (&now.answer, &now.cause) {
                app.ports.clock.sleep(PAUSE).await;
            }
            failed = now.cause.or(failed);
            now = turn(app, self, self.step, &silence).await?;
        }
        match now {
            // Its end was not stored, and nobody but the tester brings it.
            Turn { answer: Answer::Over(_), cause: Some(cause) } if !self.finished => Err(cause),
            Turn { cause, .. } => Ok(cause.or(failed)),
        }
    }

    /// What is said in answer to `step` is still taken.
    pub(crate) fn takes(&self, step: u64) -> bool {
        !self.finished && self.is_about(step)
    }

    /// The tester has had enough. To end what is over changes nothing.
    pub(crate) async fn end_test(&mut self, app: &AppState) -> Result<(), ApiError> {
        for _ in 0..END_TRIES {
            if self.finished {
                return Ok(());
            }
            self.dialogue.end(EndReason::OperatorEnded);
            if self.finish(app).await? {
                return Ok(());
            }
        }
        Err(ApiError::Unavailable {
            part: "database",
            cause: "a test call is changed all the time".to_owned(),
        })
    }
}
