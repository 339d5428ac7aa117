//! The audit log: looked through, verified, exported.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use voicecore_api_types::{AuditActor, AuditBreak, AuditEntry, AuditFlaw, AuditVerification, Page, Problem};
use voicecore_store::Cursor;
use voicecore_store::audit_log::{self, AuditFilter, AuditRow, Broken, Flaw, MAX_EXPORTED, MAX_VERIFIED};
use voicecore_types::Millis;

use crate::auth::{Access, AuditRead, sees_all};
use crate::extract::{Params, paged, window};
use crate::{ApiError, AppState};

/// Where an export goes on.
const EXPORT_PATH: &str = "/api/v1/audit/export";
/// The columns of an export as CSV.
const COLUMNS: [&str; 9] =
    ["seq", "id", "at", "actor_kind", "actor_id", "action", "subject_id", "fields", "hash"];

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListAudit {
    /// Only what this actor did, by its id.
    actor: Option<String>,
    /// Only this action, e.g. `call.end`.
    action: Option<String>,
    /// Only what was done to this, by its id.
    subject: Option<String>,
    /// Only what happened at this moment or later.
    since: Option<u64>,
    /// Only what happened before this moment.
    until: Option<u64>,
    /// From 1.
    #[param(minimum = 1, maximum = 10_000)]
    page: Option<u32>,
    /// From 1 to 100; 50 when absent.
    #[param(minimum = 1, maximum = 100)]
    page_size: Option<u32>,
    /// In the place of `page`: what `next_cursor` of the page before said, with the same filters.
    cursor: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct VerifyAudit {
    /// `next` of the step before; absent: from the beginning.
    after: Option<u64>,
    /// The most entries of this step, from 1 to 1,000, which it is when absent.
    #[param(minimum = 1, maximum = 1_000)]
    limit: Option<u32>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ExportAudit {
    /// `jsonl` (the default): one entry as JSON on each line; `csv`: with a line of names.
    #[param(inline)]
    format: Option<Format>,
    /// Only entries behind this place of the chain; absent: from the beginning.
    after: Option<u64>,
    /// The most entries, from 1 to 1,000, which it is when absent.
    #[param(minimum = 1, maximum = 1_000)]
    limit: Option<u32>,
}

#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Format {
    #[default]
    Jsonl,
    Csv,
}

/// The audit log, newest first. It tells of every department, so it is for those who see all of them (`departments:all`), as are its
/// verification and its export.
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit", security(("api_key" = ["audit:read"])), params(ListAudit),
    responses(
        (status = 200, description = "One page.", body = Page<AuditEntry>),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn list_audit(
    access: Access<AuditRead>,
    Params(query): Params<ListAudit>,
) -> Result<Json<Page<AuditEntry>>, ApiError> {
    sees_all(&access.principal)?;
    let (page, after) = window(query.page, query.page_size, query.cursor.as_deref())?;
    let filter = AuditFilter {
        actor_id: query.actor.as_deref(),
        action: query.action.as_deref(),
        subject_id: query.subject.as_deref(),
        since: query.since.map(Millis),
        until: query.until.map(Millis),
    };
    let rows = audit_log::list(&access.principal.scope, &filter, after.as_ref(), page).await?;
    Ok(Json(paged(rows, |row| Cursor { key: row.at, id: row.id.to_string() }, show)))
}

/// Walks the chain of sealed entries in bounded steps and says where it is broken: an entry that was changed, removed, inserted
/// or moved after it was sealed.
#[utoipa::path(get, path = "/api/v1/audit/verify", tag = "audit", security(("api_key" = ["audit:read"])),
    params(VerifyAudit),
    responses(
        (status = 200, description = "What this step found.", body = AuditVerification),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn verify_audit(
    access: Access<AuditRead>,
    State(app): State<AppState>,
    Params(query): Params<VerifyAudit>,
) -> Result<Json<AuditVerification>, ApiError> {
    sees_all(&access.principal)?;
    let limit = limit(query.limit, MAX_VERIFIED)?;
    let scope = &access.principal.scope;
    let sealer = app.sealer(scope.tenant(), &access.principal.wrapped_key)?;
    let verified = audit_log::verify(scope, &sealer, query.after.unwrap_or(0), limit).await?;
    Ok(Json(AuditVerification {
        checked: verified.checked,
        broken: verified.broken.map(|Broken { seq, flaw }| AuditBreak {
            seq,
            flaw: match flaw {
                Flaw::Missing => AuditFlaw::Missing,
                Flaw::Changed => AuditFlaw::Changed,
                Flaw::Inserted => AuditFlaw::Inserted,
            },
        }),
        next: verified.next,
        head_seq: verified.head.as_ref().map_or(0, |head| head.seq),
        head_hash: verified.head.map(|head| head.hash),
        unsealed: verified.unsealed,
    }))
}

/// Sealed entries in the order of the chain, to be kept elsewhere. Where there may be more, the header `Link` names the next
/// part (`rel="next"`). What is not a minute old may not be sealed yet, and comes with a later part.
#[utoipa::path(get, path = "/api/v1/audit/export", tag = "audit", security(("api_key" = ["audit:read"])),
    params(ExportAudit),
    responses(
        (status = 200, description = "Entries.", content(
            (String = "application/x-ndjson"),
            (String = "text/csv"),
        )),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn export_audit(
    access: Access<AuditRead>,
    Params(query): Params<ExportAudit>,
) -> Result<Response, ApiError> {
    sees_all(&access.principal)?;
    let limit = limit(query.limit, MAX_EXPORTED)?;
    let rows = audit_log::export(&access.principal.scope, query.after.unwrap_or(0), limit).await?;
    let last = rows.last().and_then(|row| row.sealed.as_ref()).map(|(seq, _)| *seq);
    let full = u32::try_from(rows.len()).is_ok_and(|rows| rows == limit);
    let format = query.format.unwrap_or_default();
    let (body, content_type, name) = match format {
        Format::Jsonl => (jsonl(rows)?, "application/x-ndjson", "jsonl"),
        Format::Csv => (csv(rows)?, "text/csv; charset=utf-8; header=present", "csv"),
    };
    let mut response =
        ([(header::CONTENT_TYPE, HeaderValue::from_static(content_type))], body).into_response();
    let mut set = |header: HeaderName, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(header, value);
        }
    };
    set(header::CONTENT_DISPOSITION, format!("attachment; filename=\"audit.{name}\""));
    if let (true, Some(last)) = (full, last) {
        let next = format!("{EXPORT_PATH}?format={name}&after={last}&limit={limit}");
        set(header::LINK, format!("<{next}>; rel=\"next\""));
    }
    Ok(response)
}

fn limit(limit: Option<u32>, most: u32) -> Result<u32, ApiError> {
    let limit = limit.unwrap_or(most);
    if (1..=most).contains(&limit) {
        Ok(limit)
    } else {
        Err(ApiError::invalid("limit", format!("must be from 1 to {most}")))
    }
}

fn jsonl(rows: Vec<AuditRow>) -> Result<Vec<u8>, ApiError> {
    let mut body = Vec::new();
    for row in rows {
        serde_json::to_writer(&mut body, &show(row)).map_err(|_| unwritable())?;
        body.push(b'\n');
    }
    Ok(body)
}

fn csv(rows: Vec<AuditRow>) -> Result<Vec<u8>, ApiError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS).map_err(|_| unwritable())?;
    for row in rows {
        let (seq, hash) = row.sealed.unwrap_or_default();
        let fields = [
            seq.to_string(),
            row.id.to_string(),
            row.at.0.to_string(),
            row.actor_kind,
            row.actor_id.unwrap_or_default(),
            row.action,
            row.subject_id.unwrap_or_default(),
            row.fields.unwrap_or_default(),
            hash,
        ];
        writer.write_record(fields).map_err(|_| unwritable())?;
    }
    writer.into_inner().map_err(|_| unwritable())
}

fn unwritable() -> ApiError {
    ApiError::Internal("an entry of the audit log cannot be written".to_owned())
}

fn show(row: AuditRow) -> AuditEntry {
    let (seq, hash) = row.sealed.unzip();
    AuditEntry {
        id: row.id,
        at: row.at,
        actor: AuditActor { kind: row.actor_kind, id: row.actor_id },
        action: row.action,
        subject_id: row.subject_id,
        fields: row.fields.iter().flat_map(|fields| fields.split(' ')).map(str::to_owned).collect(),
        seq,
        hash,
    }
}
