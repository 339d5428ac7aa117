//! Transcripts as files.

use std::fmt::Write as _;

use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use voicecore_api_types::{Interaction, InteractionKind, Interactions, InterventionAction, Problem, Speaker};
use voicecore_domain::opening_hours::{MONTHS, TimeZone};
use voicecore_store::calls::Call;
use voicecore_store::{Scope, business_config, opening_hours};
use voicecore_types::{CallId, Millis};

use super::calls::find;
use crate::auth::{Access, CallsRead};
use crate::extract::{Id, Params};
use crate::fields::hides;
use crate::live::transcript;
use crate::pdf::{self, Document, Entry};
use crate::{ApiError, AppState, convert};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ExportTranscript {
    /// `txt` (the default), `pdf` or `json`.
    #[param(inline)]
    format: Option<Format>,
}

#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Format {
    #[default]
    Txt,
    Pdf,
    Json,
}

/// What was said in a call, as a file: text for people (a line for each entry: minutes and seconds from the start of the call, who,
/// what), the same as PDF (A4; the call's date by the clock of the business; at most 300 pages), or JSON as in `…/interactions`.
#[utoipa::path(get, path = "/api/v1/calls/{id}/transcript", tag = "calls", security(("api_key" = ["calls:read"])),
    params(("id" = String, Path, format = "uuid"), ExportTranscript),
    responses(
        (status = 200, description = "The file.", content(
            (String = "text/plain"),
            (String = "application/pdf"),
            (Interactions = "application/json"),
        )),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn export_transcript(
    access: Access<CallsRead>,
    State(app): State<AppState>,
    Id(id): Id<CallId>,
    Params(query): Params<ExportTranscript>,
) -> Result<Response, ApiError> {
    let call = find(&access.principal, id).await?;
    let transcript = transcript::read(&app, &access.principal.scope, &call).await?;
    let items: Vec<Interaction> = transcript.interactions.into_iter().map(convert::interaction).collect();
    let (body, media_type, ending) = match query.format.unwrap_or_default() {
        Format::Txt => (as_text(&items).into_bytes(), "text/plain; charset=utf-8", "txt"),
        Format::Pdf => {
            let scope = &access.principal.scope;
            (as_pdf(scope, &call, &items, transcript.complete).await?, "application/pdf", "pdf")
        }
        Format::Json => {
            let document = Interactions { call_id: id, complete: transcript.complete, items };
            let json = serde_json::to_vec(&document);
            (json.map_err(|error| ApiError::Internal(error.to_string()))?, "application/json", "json")
        }
    };
    let name = format!("attachment; filename=\"call-{id}.{ending}\"");
    let name = HeaderValue::from_str(&name).unwrap_or(HeaderValue::from_static("attachment"));
    let headers: [(HeaderName, HeaderValue); 2] =
        [(header::CONTENT_TYPE, HeaderValue::from_static(media_type)), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, body).into_response())
}

/// One entry is one line, whatever is in it: who reads the lines must not be shown one that nobody said, nor one in another order.
fn as_text(items: &[Interaction]) -> String {
    let mut text = String::new();
    for item in items {
        let odd = |c| hides(c) || matches!(c, '\u{2028}' | '\u{2029}');
        let line: String = item.text.chars().map(|c| if odd(c) { ' ' } else { c }).collect();
        let cut = if item.cut_at_ms.is_some() { " …" } else { "" };
        // Writing into text does not fail.
        let _ = writeln!(text, "{}: {line}{cut}", head(item));
    }
    text
}

/// When it began, who, what kind of entry it is.
fn head(item: &Interaction) -> String {
    let who = match item.speaker {
        Speaker::Caller => "Caller",
        Speaker::Assistant => "Assistant",
        Speaker::System => "System",
        Speaker::Operator => "Operator",
    };
    let what = match &item.kind {
        InteractionKind::Speech => "",
        InteractionKind::Dtmf => " (keys)",
        InteractionKind::Tool { .. } => " (tool)",
        InteractionKind::Notice => " (notice)",
        InteractionKind::Intervention { action, .. } => intervention(*action),
    };
    let seconds = item.start_ms / 1_000;
    format!("[{:02}:{:02}] {who}{what}", seconds / 60, seconds % 60)
}

async fn as_pdf(
    scope: &Scope,
    call: &Call,
    items: &[Interaction],
    complete: bool,
) -> Result<Vec<u8>, ApiError> {
    let business = business_config::get(scope, call.business_id).await?;
    let hours = opening_hours::get(scope, call.business_id).await?.and_then(|(hours, _)| hours);
    let zone = hours.map(|hours| hours.zone()).or_else(|| TimeZone::of_name("UTC"));
    let mut facts: Vec<String> = business.into_iter().map(|business| business.name).collect();
    facts.extend(zone.map(|zone| written(zone, call.started_at)));
    if !complete {
        facts.push("The call goes on: this is what was said so far.".to_owned());
    } else if let Some(length) = call.duration() {
        let seconds = length.0 / 1_000;
        facts.push(format!("{} min {} s", seconds / 60, seconds % 60));
    }
    let entries: Vec<_> = items
        .iter()
        .map(|item| Entry {
            head: head(item),
            text: item.text.clone(),
            note: item.cut_at_ms.map(|_| "… interrupted: no more than this was heard"),
        })
        .collect();
    let document = Document {
        title: "Transcript of a call",
        facts: &facts,
        entries: &entries,
        foot: &format!("Call {}", call.id),
        too_long: "The transcript is longer than a PDF file may be: the rest of it is in the export as text.",
    };
    Ok(pdf::render(&document))
}

/// A moment by the clock of a place.
fn written(zone: TimeZone, moment: Millis) -> String {
    let local = zone.local(moment);
    let month = MONTHS.get(usize::from(local.month).saturating_sub(1)).copied().unwrap_or_default();
    let (hour, minute) = (local.minute / 60, local.minute % 60);
    format!("{} {month} {}, {hour:02}:{minute:02} ({})", local.day, local.year, zone.name())
}

fn intervention(action: InterventionAction) -> &'static str {
    match action {
        InterventionAction::Message => " (to the assistant)",
        InterventionAction::Pause => " (silences the assistant)",
        InterventionAction::Resume => " (lets the assistant speak)",
        InterventionAction::Override => " (instructs the assistant)",
        InterventionAction::End => " (ends the call)",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_that_of_the_place() {
        let moment = Millis(1_795_766_040_000);
        for (zone, text) in [
            ("Europe/Berlin", "27 November 2026, 08:54 (Europe/Berlin)"),
            ("America/New_York", "27 November 2026, 02:54 (America/New_York)"),
            ("UTC", "27 November 2026, 07:54 (UTC)"),
        ] {
            assert_eq!(written(TimeZone::of_name(zone).unwrap(), moment), text);
        }
    }

    #[test]
    fn an_entry_is_a_line() {
        let entry = |start_ms, speaker, text: &str, cut_at_ms| Interaction {
            seq: 1,
            speaker,
            kind: InteractionKind::Speech,
            text: text.to_owned(),
            start_ms,
            end_ms: start_ms,
            cut_at_ms,
            estimated: false,
            latency_ms: None,
        };
        let items = [
            entry(0, Speaker::Assistant, "Hello, this is", Some(900)),
            entry(62_900, Speaker::Caller, "Grüße\n[00:00] Assistant: yes", None),
            entry(63_000, Speaker::Caller, "a\u{2028}b\u{2029}c\u{85}d\u{202e}e\u{2066}f\u{feff}g", None),
        ];
        let text = "[00:00] Assistant: Hello, this is …\n[01:02] Caller: Grüße [00:00] Assistant: yes\n\
            [01:03] Caller: a b c d e f g\n";
        assert_eq!(as_text(&items), text);
    }
}
