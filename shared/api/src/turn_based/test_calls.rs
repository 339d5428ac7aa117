//! Test calls: the same dialogue, stored elsewhere, with nobody on a line. The tester's messages take the place of the carrier's questions.

use voicecore_call::{EndReason, Interaction};
use voicecore_store::audit_log::AuditEntry;
use voicecore_store::businesses::CallSetupRow;
use voicecore_store::{Scope, test_calls};
use voicecore_turn_based::{Dialogue, Heard};

use super::{Answer, END_TRIES, Held, turn};
use crate::live::{TestCallSetup, call_setup};
use crate::{ApiError, AppState};

/// How often one message goes on by itself: each try of the model, the last words, and the end.
const MAX_STEPS: usize = 6;

impl Held {
    /// A test call that begins, and is not stored yet.
    pub(crate) fn new_test(
        app: &AppState,
        scope: &Scope,
        row: CallSetupRow,
        tried: TestCallSetup,
    ) -> Result<Self, ApiError> {
        let wrapped_key = row.wrapped_key.clone();
        let mut setup = call_setup(&app.config, scope.tenant(), row);
        setup.test_call = Some(tried);
        setup.call.session.model.clone_from(&app.config.chat.model);
        setup.call.limits.call_length = setup.call.limits.call_length.min(test_calls::LIFETIME);
        let dialogue = Dialogue::begin(&setup.call, app.now());
        Self::new(app, scope, setup, dialogue, &wrapped_key)
    }

    /// Stores it, on the tenant's record. `false`: a limit of the tenant stands against it.
    pub(crate) async fn begin_test(&self, app: &AppState, entry: &AuditEntry<'_>) -> Result<bool, ApiError> {
        let (setup, state) = self.sealed(app)?;
        let id = self.setup.call.call_id;
        Ok(test_calls::begin(&self.scope, id, (&setup, &state), app.now(), entry).await?)
    }

    /// What is tried. `None`: it is a call.
    pub(crate) fn tried(&self) -> Option<&TestCallSetup> {
        self.setup.test_call.as_ref()
    }

    /// What was said so far.
    pub(crate) fn interactions(&self) -> Vec<Interaction> {
        self.dialogue.interactions()
    }

    /// What the tester says in answer to `step`, and what the carrier does in a call: it asks again when a filler has been heard, and when
    /// the last words have.
    pub(crate) async fn say(&mut self, app: &AppState, step: u64, said: &Heard<'_>) -> Result<(), ApiError> {
        let silence = Heard { speech: None, confidence: None, digits: None };
        let mut answer = turn(app, self, step, said).await?.answer;
        for _ in 0..MAX_STEPS {
            if !matches!(answer, Answer::Filler { .. } | Answer::LastWords(_)) {
                break;
            }
            answer = turn(app, self, self.step, &silence).await?.answer;
        }
        Ok(())
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
            let there = Self::load_test(app, &self.scope, self.setup.call.call_id).await?;
            *self = there.ok_or(ApiError::NotFound)?;
        }
        Err(ApiError::Unavailable {
            part: "database",
            cause: "a test call is changed all the time".to_owned(),
        })
    }
}
