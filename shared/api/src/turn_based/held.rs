//! A dialogue between two questions of the carrier: read, changed, finished.

use voicecore_call::{AfterStream, CallSummary, Usage};
use voicecore_domain::{TokenUsage, pricing};
use voicecore_store::dialogues::{self, Change, FinishedDialogue, StoredDialogue};
use voicecore_store::seal::{Column, Sealed, Sealer, WrappedKey};
use voicecore_store::test_calls;
use voicecore_store::{Scope, StoreError, businesses};
use voicecore_turn_based::Dialogue;
use voicecore_types::{CallId, Millis};

use crate::live::{CallSetup, call_setup, reason_word, transcript};
use crate::{ApiError, AppState};

/// A dialogue in the hands of whoever answers a question.
pub(crate) struct Held {
    pub(super) scope: Scope,
    pub(super) sealer: Sealer,
    /// As it was when the call came in.
    pub(super) setup: CallSetup,
    pub(super) dialogue: Dialogue,
    /// The step that is stored.
    pub(crate) step: u64,
    pub(super) busy_until: Option<Millis>,
    /// Its summary has been stored.
    pub(super) finished: bool,
    /// What the state that is stored has used. What has been used since is paid for also where that state is not ours.
    counted: Usage,
}

/// What is configured for a call, when it came in, and its tenant's key. The model is the one that reads and writes.
pub(super) async fn load_setup(
    app: &AppState,
    scope: &Scope,
    call_id: CallId,
) -> Result<(CallSetup, Millis, WrappedKey), ApiError> {
    let row = businesses::call_setup(scope, call_id).await?.ok_or(StoreError::NotFound("call"))?;
    let (started_at, wrapped_key) = (row.started_at, row.wrapped_key.clone());
    let mut setup = call_setup(&app.config, scope.tenant(), row);
    setup.call.session.model.clone_from(&app.config.chat.model);
    Ok((setup, started_at, wrapped_key))
}

impl Held {
    /// Stores a dialogue that begins; if there is one already, that is the one.
    pub(super) async fn begin(
        app: &AppState,
        scope: &Scope,
        setup: CallSetup,
        dialogue: Dialogue,
        wrapped_key: &WrappedKey,
    ) -> Result<Self, ApiError> {
        let held = Self::new(app, scope, setup, dialogue, wrapped_key)?;
        let call_id = held.setup.call.call_id;
        let (setup, state) = held.sealed(app)?;
        if !dialogues::begin(scope, call_id, &setup, &state, app.now()).await? {
            return Ok(Self::load(app, scope, call_id).await?.ok_or(StoreError::NotFound("dialogue"))?);
        }
        Ok(held)
    }

    /// One that is not stored yet.
    pub(super) fn new(
        app: &AppState,
        scope: &Scope,
        setup: CallSetup,
        dialogue: Dialogue,
        wrapped_key: &WrappedKey,
    ) -> Result<Self, ApiError> {
        let sealer = app.sealer(scope.tenant(), wrapped_key)?;
        let scope = scope.clone();
        Ok(Self {
            scope,
            sealer,
            setup,
            dialogue,
            step: 1,
            busy_until: None,
            finished: false,
            counted: Usage::default(),
        })
    }

    /// What is stored of one that begins: what was configured, and where it stands.
    pub(super) fn sealed(&self, app: &AppState) -> Result<(Sealed, Sealed), ApiError> {
        Ok((seal(app, &self.sealer, Column::DialogueSetup, &self.setup)?, self.state(app)?))
    }

    fn state(&self, app: &AppState) -> Result<Sealed, ApiError> {
        seal(app, &self.sealer, Column::DialogueState, &self.dialogue)
    }

    /// The dialogue of a call, if it has one.
    pub(crate) async fn load(
        app: &AppState,
        scope: &Scope,
        call_id: CallId,
    ) -> Result<Option<Self>, ApiError> {
        let stored = dialogues::get(scope, call_id).await?;
        stored.map(|stored| Self::open(app, scope, stored)).transpose()
    }

    /// The test call of that name, if there is one.
    pub(crate) async fn load_test(
        app: &AppState,
        scope: &Scope,
        id: CallId,
    ) -> Result<Option<Self>, ApiError> {
        let stored = test_calls::get(scope, id).await?;
        stored.map(|stored| Self::open(app, scope, stored)).transpose()
    }

    fn open(app: &AppState, scope: &Scope, stored: StoredDialogue) -> Result<Self, ApiError> {
        let StoredDialogue { setup, state, step, busy_until, finished, wrapped_key } = stored;
        let sealer = app.sealer(scope.tenant(), &wrapped_key)?;
        let setup = open(&sealer, Column::DialogueSetup, &setup)?;
        let dialogue = open(&sealer, Column::DialogueState, &state)?;
        let mut held = Self {
            scope: scope.clone(),
            sealer,
            setup,
            dialogue,
            step,
            busy_until,
            finished,
            counted: Usage::default(),
        };
        held.counted = held.dialogue.usage();
        Ok(held)
    }

    /// Stores what has become of it, now that it has moved on. `false`: somebody else has moved it on, and what they stored is now here.
    pub(super) async fn store(
        &mut self,
        app: &AppState,
        busy_until: Option<Millis>,
    ) -> Result<bool, ApiError> {
        self.dialogue.moved_on();
        self.store_aside(app, busy_until).await
    }

    /// Stores what was done to it besides: the carrier's next question is about the step before, and still counts.
    pub(super) async fn store_aside(
        &mut self,
        app: &AppState,
        busy_until: Option<Millis>,
    ) -> Result<bool, ApiError> {
        let state = self.state(app)?;
        let change = self.change(&state, busy_until, app.now());
        let stored = match self.setup.test_call {
            Some(_) => self.store_test(&change, false).await?,
            None => dialogues::change(&self.scope, &change).await?,
        };
        if stored {
            (self.step, self.busy_until) = (self.step + 1, busy_until);
            self.counted = self.dialogue.usage();
            return Ok(true);
        }
        if self.setup.test_call.is_none() {
            self.pay(app).await?;
        }
        self.reload(app).await?;
        Ok(false)
    }

    /// Somebody else was quicker: the answers that are lost by it are paid for all the same, once, beside what the call comes to.
    async fn pay(&mut self, app: &AppState) -> Result<(), ApiError> {
        let used = self.dialogue.usage();
        let lost = Usage {
            text_in: used.text_in.saturating_sub(self.counted.text_in),
            text_cached: used.text_cached.saturating_sub(self.counted.text_cached),
            text_out: used.text_out.saturating_sub(self.counted.text_out),
            ..Usage::default()
        };
        if lost != Usage::default() {
            let (call_id, model) = (self.setup.call.call_id, &self.setup.call.session.model);
            dialogues::pay(&self.scope, call_id, model, tokens(&lost), app.now()).await?;
            self.counted = used;
        }
        Ok(())
    }

    /// What is stored is now here.
    async fn reload(&mut self, app: &AppState) -> Result<(), ApiError> {
        let call_id = self.setup.call.call_id;
        let there = match self.setup.test_call {
            Some(_) => Self::load_test(app, &self.scope, call_id).await?,
            None => Self::load(app, &self.scope, call_id).await?,
        };
        *self = there.ok_or(StoreError::NotFound("dialogue"))?;
        Ok(())
    }

    /// Stores what a call that is over came to: the transcript first, then the row that says it is there. `false`: somebody
    /// else has moved it on, and what they stored is now here. Where they have finished it, their document and words are there again,
    /// for ours may have come after theirs; where they have not, whoever finishes it replaces ours.
    pub(super) async fn finish(&mut self, app: &AppState) -> Result<bool, ApiError> {
        let now = app.now();
        if self.setup.test_call.is_some() {
            // Nothing of it is kept but where it ended.
            let state = self.state(app)?;
            if self.store_test(&self.change(&state, None, now), true).await? {
                (self.step, self.finished) = (self.step + 1, true);
                return Ok(true);
            }
            self.reload(app).await?;
            return Ok(false);
        }
        // Before the row: should we die in between, the call is not finished, and all of it is done again.
        let summary = self.store_words(app, now).await?;
        let state = self.state(app)?;
        let reason = reason_word(summary.reason);
        let finished = self.finished_dialogue(&summary, &reason, self.change(&state, None, now));
        if dialogues::finish(&self.scope, &finished).await? {
            self.finished = true;
            return Ok(true);
        }
        self.pay(app).await?;
        self.reload(app).await?;
        if self.finished {
            self.store_words(app, now).await?;
        }
        Ok(false)
    }

    /// The document and the words to be found by, of a call that was over at `ended_at`.
    async fn store_words(&self, app: &AppState, ended_at: Millis) -> Result<CallSummary, ApiError> {
        let summary = self.dialogue.summary(self.setup.call.call_id, ended_at);
        let summary =
            summary.ok_or_else(|| ApiError::Internal("a dialogue that goes on is finished".to_owned()))?;
        transcript::store(app, self.setup.tenant_id, &summary).await?;
        // In the same database as the row: where the one fails, so does the other, and both are tried again.
        transcript::index(app, &self.scope, &summary).await?;
        Ok(summary)
    }

    /// Stores where a test call stands, and what that has cost: also where somebody else was quicker, for the money is spent.
    async fn store_test(&self, change: &Change<'_>, finished: bool) -> Result<bool, ApiError> {
        let cost = self.cost(self.dialogue.usage()).saturating_sub(self.cost(self.counted));
        let stored = test_calls::change(&self.scope, change, cost, finished).await?;
        if !stored && cost > 0 {
            test_calls::charge(&self.scope, change.now, cost).await?;
        }
        Ok(stored)
    }

    /// What the model takes for it, in micro-dollars.
    fn cost(&self, usage: Usage) -> u64 {
        pricing::cost_micros(&self.setup.call.session.model, &tokens(&usage))
    }

    fn finished_dialogue<'a>(
        &'a self,
        summary: &CallSummary,
        end_reason: &'a str,
        change: Change<'a>,
    ) -> FinishedDialogue<'a> {
        let usage = summary.usage;
        FinishedDialogue {
            change,
            connected_at: summary.started_at,
            ended_at: summary.ended_at,
            // Somebody else speaks with the caller then, or records them.
            carrier_continues: summary.reason.after_stream(false) != AfterStream::Hangup,
            end_reason,
            interaction_count: u32::try_from(summary.interactions.len()).unwrap_or(u32::MAX),
            model: &self.setup.call.session.model,
            usage: tokens(&usage),
        }
    }

    fn change<'a>(&self, state: &'a Sealed, busy_until: Option<Millis>, now: Millis) -> Change<'a> {
        Change { call_id: self.setup.call.call_id, step: self.step, state, busy_until, now }
    }
}

fn tokens(usage: &Usage) -> TokenUsage {
    TokenUsage {
        text_in: usage.text_in,
        text_cached: usage.text_cached,
        text_out: usage.text_out,
        ..TokenUsage::default()
    }
}

fn seal(
    app: &AppState,
    sealer: &Sealer,
    column: Column,
    value: &impl serde::Serialize,
) -> Result<Sealed, ApiError> {
    let text = serde_json::to_string(value)
        .map_err(|_| ApiError::Internal("a dialogue cannot be encoded".to_owned()))?;
    Ok(sealer.seal(column, &text, app.nonce())?)
}

fn open<T: serde::de::DeserializeOwned>(
    sealer: &Sealer,
    column: Column,
    stored: &Sealed,
) -> Result<T, ApiError> {
    serde_json::from_str(&sealer.open(column, stored)?)
        .map_err(|_| ApiError::Internal("a stored dialogue cannot be read".to_owned()))
}
