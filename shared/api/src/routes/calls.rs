//! Calls: which there were, and what was said.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use voicecore_api_types as wire;
use voicecore_api_types::{FieldError, Interactions, Page, Problem};
use voicecore_domain::words::words;
use voicecore_store::Cursor;
use voicecore_store::calls::{self, Call, CallFilter, CallSort};
use voicecore_store::directory::Principal;
use voicecore_store::seal::{Column, Sealer};
use voicecore_types::{BusinessId, CallId, E164, Millis, PageRequest};

use crate::auth::{Access, CallsRead};
use crate::extract::{Id, Params, gather, paged, window};
use crate::live::transcript;
use crate::{ApiError, AppState, convert};

/// Each word of a search is one more look-up for every call that has the first.
const MAX_SEARCH_WORDS: usize = 8;
/// The most entries of one answer.
const MAX_INTERACTIONS: u32 = 10_000;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListCalls {
    /// Only calls in this status.
    status: Option<wire::CallStatus>,
    /// Only calls this way. There are no `outbound` ones yet.
    direction: Option<wire::CallDirection>,
    /// `true`: only calls that went on to a human being; `false`: only those that did not.
    escalated: Option<bool>,
    /// Only calls to this business.
    #[param(value_type = Option<String>, format = "uuid")]
    business_id: Option<BusinessId>,
    /// Only calls from this number, in E.164 form (`%2B` for the plus sign). Exact.
    from: Option<String>,
    /// Only calls to this number of the tenant, likewise.
    to: Option<String>,
    /// Only calls that came in at this moment or later.
    since: Option<u64>,
    /// Only calls that came in before this moment.
    until: Option<u64>,
    /// Only calls that are over and in which all of these words were said, by either side: up to 8, whole, in any order and case.
    q: Option<String>,
    /// `newest` (the default), `oldest`, `longest` or `shortest` first.
    #[param(inline)]
    sort: Option<Sort>,
    /// From 1.
    #[param(minimum = 1, maximum = 10_000)]
    page: Option<u32>,
    /// From 1 to 100; 50 when absent.
    #[param(minimum = 1, maximum = 100)]
    page_size: Option<u32>,
    /// In the place of `page`: what `next_cursor` of the page before said, with the same filters and order.
    cursor: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListInteractions {
    /// Only what this side said or did.
    speaker: Option<wire::Speaker>,
    /// Only entries in which all of these words are, up to 8.
    q: Option<String>,
    /// Only entries after this `seq`.
    after: Option<u32>,
    /// From 1 to 10,000, which is also what an absent one means.
    #[param(minimum = 1, maximum = 10_000)]
    limit: Option<u32>,
}

#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Sort {
    #[default]
    Newest,
    Oldest,
    Longest,
    Shortest,
}

/// Calls.
#[utoipa::path(get, path = "/api/v1/calls", tag = "calls", security(("api_key" = ["calls:read"])), params(ListCalls),
    responses(
        (status = 200, description = "One page.", body = Page<wire::Call>),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn list_calls(
    access: Access<CallsRead>,
    State(app): State<AppState>,
    Params(query): Params<ListCalls>,
) -> Result<Json<Page<wire::Call>>, ApiError> {
    let scope = &access.principal.scope;
    let Wanted { page, from, to, words, after } = query.wanted().map_err(ApiError::Invalid)?;
    let sealer = app.sealer(scope.tenant(), &access.principal.wrapped_key)?;
    let (mut caller, mut dialled) = (None, None);
    if from.is_some() || to.is_some() {
        let lookup = app.lookup_key().await?;
        let lookup = lookup.ok_or_else(|| ApiError::Internal("no look-up key".to_owned()))?;
        caller = from.map(|from| lookup.caller(scope.tenant(), &from));
        dialled = to.map(|to| lookup.dialled(&to));
    }
    let filter = CallFilter {
        status: query.status.map(convert::stored_status),
        direction: query.direction.map(convert::stored_direction),
        escalated: query.escalated,
        business_id: query.business_id,
        caller,
        dialled,
        from: query.since.map(Millis),
        to: query.until.map(Millis),
        words,
    };
    let sort = match query.sort.unwrap_or_default() {
        Sort::Newest => CallSort::Newest,
        Sort::Oldest => CallSort::Oldest,
        Sort::Longest => CallSort::Longest,
        Sort::Shortest => CallSort::Shortest,
    };
    let rows = calls::list(scope, &filter, sort, after.as_ref(), page).await?;
    Ok(Json(paged(rows, |call| sort.place(call), |row| show(&sealer, row))))
}

/// What the parameters of a list mean.
pub(super) struct Wanted {
    page: PageRequest,
    from: Option<E164>,
    to: Option<E164>,
    words: Vec<String>,
    after: Option<Cursor>,
}

impl ListCalls {
    /// Reads what is text in the parameters; every one that is not acceptable is named.
    pub(super) fn wanted(&self) -> Result<Wanted, Vec<FieldError>> {
        let mut wrong = Vec::new();
        let window = window(self.page, self.page_size, self.cursor.as_deref());
        let (page, after) = gather(window, &mut wrong);
        let from = gather(number("from", self.from.as_deref()), &mut wrong);
        let to = gather(number("to", self.to.as_deref()), &mut wrong);
        let words = gather(wanted_words(self.q.as_deref()), &mut wrong);
        if wrong.is_empty() { Ok(Wanted { page, from, to, words, after }) } else { Err(wrong) }
    }
}

fn number(field: &str, text: Option<&str>) -> Result<Option<E164>, ApiError> {
    let parsed = text.map(str::parse).transpose();
    parsed.map_err(|_| ApiError::invalid(field, "must be a number in E.164 form"))
}

/// Where in a list that can be searched, and for what; every parameter that is not acceptable is named.
pub(super) fn search_window(
    page: Option<u32>,
    page_size: Option<u32>,
    after: Option<&str>,
    text: Option<&str>,
) -> Result<(PageRequest, Option<Cursor>, Vec<String>), ApiError> {
    let mut wrong = Vec::new();
    let (page, after) = gather(window(page, page_size, after), &mut wrong);
    let words = gather(wanted_words(text), &mut wrong);
    if wrong.is_empty() { Ok((page, after, words)) } else { Err(ApiError::Invalid(wrong)) }
}

/// Words to look for; text without any finds nothing wrong and everything.
pub(super) fn wanted_words(text: Option<&str>) -> Result<Vec<String>, ApiError> {
    let words = words(text.unwrap_or_default());
    let good = words.len() <= MAX_SEARCH_WORDS && (text.is_none() || !words.is_empty());
    if good { Ok(words) } else { Err(ApiError::invalid("q", "must hold 1 to 8 different words")) }
}

/// One call.
#[utoipa::path(get, path = "/api/v1/calls/{id}", tag = "calls", security(("api_key" = ["calls:read"])),
    params(("id" = String, Path, format = "uuid")),
    responses(
        (status = 200, description = "The call.", body = wire::Call),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn get_call(
    access: Access<CallsRead>,
    State(app): State<AppState>,
    Id(id): Id<CallId>,
) -> Result<Json<wire::Call>, ApiError> {
    let principal = &access.principal;
    let call = find(principal, id).await?;
    let sealer = app.sealer(principal.scope.tenant(), &principal.wrapped_key)?;
    Ok(Json(show(&sealer, call)))
}

/// What was said in a call: all of it when it is over, what there is so far while it runs.
#[utoipa::path(get, path = "/api/v1/calls/{id}/interactions", tag = "calls", security(("api_key" = ["calls:read"])),
    params(("id" = String, Path, format = "uuid"), ListInteractions),
    responses(
        (status = 200, description = "The transcript, or the part of it that was asked for.", body = Interactions),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn list_interactions(
    access: Access<CallsRead>,
    State(app): State<AppState>,
    Id(id): Id<CallId>,
    Params(query): Params<ListInteractions>,
) -> Result<Json<Interactions>, ApiError> {
    let wanted = wanted_words(query.q.as_deref())?;
    let limit = query.limit.unwrap_or(MAX_INTERACTIONS);
    if !(1..=MAX_INTERACTIONS).contains(&limit) {
        return Err(ApiError::invalid("limit", format!("must be from 1 to {MAX_INTERACTIONS}")));
    }
    let call = find(&access.principal, id).await?;
    let transcript = transcript::read(&app, &access.principal.scope, &call).await?;
    let shown = transcript.interactions.into_iter().map(convert::interaction);
    let fitting = shown.filter(|entry| {
        let said = || words(&entry.text);
        query.after.is_none_or(|after| entry.seq > after)
            && query.speaker.is_none_or(|speaker| entry.speaker == speaker)
            && (wanted.is_empty() || wanted.iter().all(|word| said().binary_search(word).is_ok()))
    });
    let items = fitting.take(limit as usize).collect();
    Ok(Json(Interactions { call_id: id, complete: transcript.complete, items }))
}

/// The call, if the asker sees it.
pub(super) async fn find(principal: &Principal, id: CallId) -> Result<Call, ApiError> {
    calls::get(&principal.scope, id).await?.ok_or(ApiError::NotFound)
}

/// A number that does not open is left out: the rest of the call is still worth seeing.
fn show(sealer: &Sealer, call: Call) -> wire::Call {
    let duration_ms = call.duration().map(|duration| duration.0);
    let finished = call.finished_at.is_some();
    wire::Call {
        id: call.id,
        carrier_call_id: call.carrier_call_id,
        business_id: call.business_id,
        from: call.caller_number.and_then(|sealed| sealer.open(Column::CallerNumber, &sealed).ok()),
        status: convert::shown_status(call.status),
        started_at: call.started_at,
        answered_at: call.answered_at,
        ended_at: call.ended_at,
        duration_ms,
        end_reason: call.end_reason,
        interaction_count: call.interaction_count,
        attempts: call.attempts,
        model_sessions: call.model_sessions,
        model: call.model,
        usage: finished.then(|| convert::usage(call.usage)),
        cost_micros: finished.then_some(call.cost_micros),
    }
}

#[cfg(test)]
mod tests {
    use voicecore_domain::CallStatus;

    use super::*;

    #[test]
    fn statuses_are_the_same_on_both_sides() {
        for status in CallStatus::ALL {
            assert_eq!(convert::stored_status(convert::shown_status(status)), status);
            assert_eq!(serde_json::to_value(convert::shown_status(status)).unwrap(), status.as_str());
        }
    }
}
