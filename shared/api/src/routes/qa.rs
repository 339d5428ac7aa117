//! Quality of calls: the rules of a tenant, and what a call came to by them.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use voicecore_api_types as wire;
use voicecore_api_types::Problem;
use voicecore_domain::qa::{
    MAX_HINT_CHARS, MAX_ID_CHARS, MAX_NAME_CHARS, MAX_PHRASE_CHARS, MAX_PHRASES, MAX_RULES, MAX_WEIGHT,
    Outcome, Rule, RuleKind, RuleSpeaker, has_words,
};
use voicecore_store::qa_results::{self, QaResult};
use voicecore_store::{StoreError, qa_rules};
use voicecore_types::CallId;

use super::businesses::UNKNOWN_WORD;
use super::calls::find;
use crate::auth::{Access, QaRead, QaWrite, sees_all};
use crate::extract::Id;
use crate::fields::Fields;
use crate::idempotency::{answer, answer_unkept};
use crate::live::transcript;
use crate::qa::{RuleSet, as_stored};
use crate::record::Record;
use crate::{ApiError, AppState, etag};

/// The rules that calls are held against when they are over. `ETag` is their version.
#[utoipa::path(get, path = "/api/v1/config/qa", tag = "config", security(("api_key" = ["qa:read"])),
    responses(
        (status = 200, description = "The rules.", body = wire::QaRules),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn get_rules(access: Access<QaRead>) -> Result<Response, ApiError> {
    sees_all(&access.principal)?;
    let rules = RuleSet::of(&access.principal.scope).await?;
    answer_unkept(StatusCode::OK, &shown(&rules), Some(rules.version))
}

/// Puts rules in the place of those that are there, for calls that end from now on. `If-Match` has to name the version that it is
/// meant for.
#[utoipa::path(put, path = "/api/v1/config/qa", tag = "config", security(("api_key" = ["qa:write"])),
    params(("If-Match" = Option<String>, Header, description = "The `ETag` of what was read. Needed.")),
    request_body = wire::SaveQaRules,
    responses(
        (status = 200, description = "The rules as they are now.", body = wire::QaRules),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn put_rules(
    access: Access<QaWrite>,
    State(app): State<AppState>,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, ApiError> {
    let principal = &access.principal;
    sees_all(principal)?;
    let rules = wanted(fields)?;
    let before = RuleSet::of(&principal.scope).await;
    // Rules that cannot be read can be replaced.
    let version = match before {
        Ok(before) => before.version,
        Err(StoreError::OddRow { .. }) => {
            qa_rules::get(&principal.scope).await?.map_or(0, |stored| stored.version)
        }
        Err(error) => return Err(error.into()),
    };
    etag::demand(&headers, version)?;
    let rules = RuleSet { rules, version: version + 1, updated_at: Some(app.now()) };
    let record = Record::of(&app, principal.actor, "qa.rules", None);
    let response = answer(principal, StatusCode::OK, &shown(&rules), Some(rules.version))?;
    if qa_rules::save(&principal.scope, &as_stored(&rules.rules), version, &record.entry()).await? {
        return Ok(response);
    }
    Err(ApiError::PreconditionFailed)
}

/// What a call came to by the rules: as a rule when it ended. Empty as long as it has not been held against any, and for calls in
/// which nobody said anything.
#[utoipa::path(get, path = "/api/v1/calls/{id}/qa", tag = "calls", security(("api_key" = ["qa:read"])),
    params(("id" = String, Path, format = "uuid")),
    responses(
        (status = 200, description = "The result.", body = wire::CallQa),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn get_call_qa(
    access: Access<QaRead>,
    Id(id): Id<CallId>,
) -> Result<Json<wire::CallQa>, ApiError> {
    let scope = &access.principal.scope;
    find(&access.principal, id).await?;
    let result = qa_results::get(scope, id).await?;
    Ok(Json(shown_result(id, result.as_ref())?))
}

/// Holds a call that is over against the rules of today. The result takes the place of the one that is there.
#[utoipa::path(post, path = "/api/v1/calls/{id}/qa", tag = "calls", security(("api_key" = ["qa:write"])),
    params(("id" = String, Path, format = "uuid")),
    responses(
        (status = 200, description = "The result.", body = wire::CallQa),
        (status = 409, description = "The call goes on, or nothing was said in it.", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn evaluate_call(
    access: Access<QaWrite>,
    State(app): State<AppState>,
    Id(id): Id<CallId>,
) -> Result<Response, ApiError> {
    let principal = &access.principal;
    let scope = &principal.scope;
    let call = find(principal, id).await?;
    let is_over = call.finished_at.is_some();
    let interactions = if is_over { transcript::stored(&app, scope, id).await?.interactions } else { vec![] };
    let result = RuleSet::of(scope).await?.result(&interactions, app.now());
    let result = result.ok_or(ApiError::Conflict("The call goes on, or nothing was said in it."))?;
    let record = Record::of(&app, principal.actor, "qa.evaluate", Some(id.to_string()));
    let response = answer(principal, StatusCode::OK, &shown_result(id, Some(&result))?, None)?;
    qa_results::replace(scope, id, &result, &record.entry()).await?;
    Ok(response)
}

/// Rules whose values are acceptable. What is wrong is named with its place, as `rules.0.name`.
fn wanted(mut fields: Fields) -> Result<Vec<Rule>, ApiError> {
    let mut rules: Vec<Rule> = Vec::new();
    for (at, mut item) in fields.objects("rules", MAX_RULES).into_iter().enumerate() {
        let rule = wanted_rule(&mut item);
        let is_new = !rules.iter().any(|other| other.id == rule.id);
        item.demand("id", "is given more than once", is_new);
        fields.take_errors(&format!("rules.{at}"), item);
        rules.push(rule);
    }
    fields.done()?;
    Ok(rules)
}

fn wanted_rule(item: &mut Fields) -> Rule {
    let id = item.line("id", MAX_ID_CHARS);
    let is_id = id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    item.demand("id", "may hold letters, digits, - and _ only", is_id);
    let name = item.line("name", MAX_NAME_CHARS);
    let kind = item.parsed("kind", UNKNOWN_WORD).unwrap_or(RuleKind::RequiredPhrase);
    let speaker = item.optional("speaker", UNKNOWN_WORD).unwrap_or(RuleSpeaker::Assistant);
    let phrases = item.lines("phrases", MAX_PHRASES, MAX_PHRASE_CHARS);
    item.demand("phrases", "must each have a letter or a digit", phrases.iter().all(|text| has_words(text)));
    let weight = item.optional_count("weight", 1, MAX_WEIGHT.into()).and_then(|n| u32::try_from(n).ok());
    let hint = item.optional_text("hint", MAX_HINT_CHARS);
    let enabled = item.optional_bool("enabled").unwrap_or(true);
    Rule { id, name, kind, speaker, phrases, weight: weight.unwrap_or(1), hint, enabled }
}

fn shown(rules: &RuleSet) -> wire::QaRules {
    let shown = |rule: &Rule| wire::QaRule {
        id: rule.id.clone(),
        name: rule.name.clone(),
        kind: shown_kind(rule.kind),
        speaker: match rule.speaker {
            RuleSpeaker::Assistant => wire::QaRuleSpeaker::Assistant,
            RuleSpeaker::Caller => wire::QaRuleSpeaker::Caller,
            RuleSpeaker::Any => wire::QaRuleSpeaker::Any,
        },
        phrases: rule.phrases.clone(),
        weight: rule.weight,
        hint: rule.hint.clone(),
        enabled: rule.enabled,
    };
    wire::QaRules {
        rules: rules.rules.iter().map(shown).collect(),
        version: rules.version,
        updated_at: rules.updated_at,
    }
}

fn shown_result(call_id: CallId, result: Option<&QaResult>) -> Result<wire::CallQa, ApiError> {
    let outcomes = result.map(|result| serde_json::from_str::<Vec<Outcome>>(&result.outcomes)).transpose();
    let outcomes = outcomes.map_err(|_| StoreError::OddRow { column: "outcomes" })?.unwrap_or_default();
    let outcome = |one: Outcome| wire::QaOutcome {
        rule_id: one.rule_id,
        name: one.name,
        kind: shown_kind(one.kind),
        weight: one.weight,
        hint: one.hint,
        passed: one.passed,
        seq: one.seq,
        phrase: one.phrase,
    };
    Ok(wire::CallQa {
        call_id,
        score: result.and_then(|result| result.score_permille).map(|score| f64::from(score) / 1_000.0),
        rules_version: result.map(|result| result.rules_version),
        evaluated_at: result.map(|result| result.evaluated_at),
        rules: outcomes.into_iter().map(outcome).collect(),
    })
}

const fn shown_kind(kind: RuleKind) -> wire::QaRuleKind {
    match kind {
        RuleKind::RequiredPhrase => wire::QaRuleKind::RequiredPhrase,
        RuleKind::ForbiddenPhrase => wire::QaRuleKind::ForbiddenPhrase,
    }
}
