//! The quality of a call that is over: what was heard in it is held against the rules of its tenant.

use voicecore_call::{Interaction, InteractionKind, Speaker as Voice};
use voicecore_domain::Language;
use voicecore_domain::qa::{self, Rule, Speaker, Utterance};
use voicecore_store::qa_results::QaResult;
use voicecore_store::{Scope, StoreError, qa_rules};
use voicecore_types::Millis;

/// The rules of a tenant.
pub(crate) struct RuleSet {
    pub(crate) rules: Vec<Rule>,
    /// 0: those of the product.
    pub(crate) version: u64,
    pub(crate) updated_at: Option<Millis>,
}

impl RuleSet {
    /// Those of its own, or else what the product brings.
    pub(crate) async fn of(scope: &Scope) -> Result<Self, StoreError> {
        let Some(stored) = qa_rules::get(scope).await? else {
            return Ok(Self { rules: qa::defaults(Language::default()), version: 0, updated_at: None });
        };
        let rules =
            serde_json::from_str(&stored.rules).map_err(|_| StoreError::OddRow { column: "rules" })?;
        Ok(Self { rules, version: stored.version, updated_at: Some(stored.updated_at) })
    }

    /// What a call comes to in which this was said. `None`: nobody said anything.
    pub(crate) fn result(&self, interactions: &[Interaction], now: Millis) -> Option<QaResult> {
        let said: Vec<_> = interactions.iter().filter_map(heard).collect();
        if said.is_empty() {
            return None;
        }
        let evaluation = qa::evaluate(&self.rules, &said);
        Some(QaResult {
            score_permille: evaluation.score_permille,
            rules_version: self.version,
            evaluated_at: now,
            outcomes: serde_json::to_string(&evaluation.outcomes).ok()?,
        })
    }
}

/// The rules that a tenant begins with whose first assistant speaks this language: as they are stored.
pub(crate) fn first_rules(language: Option<&str>) -> String {
    as_stored(&qa::defaults(Language::for_code(language)))
}

/// Words, numbers, and lists of them: nothing of them cannot be written.
pub(crate) fn as_stored(rules: &[Rule]) -> String {
    serde_json::to_string(rules).unwrap_or_default()
}

/// What a call comes to that ends now. Rules that cannot be read (those of a newer version) keep no call from being stored.
pub(crate) async fn at_the_end(
    scope: &Scope,
    interactions: &[Interaction],
    now: Millis,
) -> Result<Option<QaResult>, StoreError> {
    match RuleSet::of(scope).await {
        Ok(rules) => Ok(rules.result(interactions, now)),
        Err(StoreError::OddRow { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What the caller and the assistant said; an assistant that was interrupted, as far as it was heard.
fn heard(entry: &Interaction) -> Option<Utterance<'_>> {
    let speaker = match entry.speaker {
        Voice::Assistant => Speaker::Assistant,
        Voice::Caller => Speaker::Caller,
        Voice::System | Voice::Operator => return None,
    };
    (entry.kind == InteractionKind::Speech).then_some(Utterance {
        seq: entry.seq,
        speaker,
        text: &entry.text,
    })
}
