//! Assistants: AI personas that answer for businesses. What is changed here is a draft; what calls use is published
//! (`assistant_versions`).

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use voicecore_api_types as wire;
use voicecore_api_types::{Page, Problem, TurnDetectionKind};
use voicecore_domain::greeting::MAX_GREETING_CHARS;
use voicecore_domain::variables::unknown;
use voicecore_store::assistants::{self as store, Assistant, Settings};
use voicecore_types::{AssistantId, Page as StoredPage};

use super::setup::{MAX_NAME_CHARS, MAX_VOICE_CHARS, is_language};
use crate::auth::{Access, ConfigRead, ConfigWrite, sees_all};
use crate::extract::{Id, PageParams, Params};
use crate::fields::Fields;
use crate::idempotency::{answer, answer_unkept, nothing_to_say};
use crate::live::prompt::{MAX_BUSINESS_CHARS, VARIABLES};
use crate::live::tools;
use crate::record::Record;
use crate::{ApiError, AppState, etag};

/// The longest JSON of how the end of a turn is found, in bytes.
const MAX_DETECTION_BYTES: usize = 500;
const DETECTION_RULE: &str = "must be an object with `type`: `server_vad` with `threshold` (0 to 1), `prefix_padding_ms` (0 to 2000) \
                              and `silence_duration_ms` (100 to 5000), or `semantic_vad` with `eagerness` (low, medium, high, auto)";
const NOISE_RULE: &str = "must be near_field, far_field or off";
const TOOLS_RULE: &str = "must be different names of tools that there are";

/// By the name of the draft.
#[utoipa::path(get, path = "/api/v1/assistants", tag = "assistants", security(("api_key" = ["config:read"])),
    params(PageParams),
    responses(
        (status = 200, description = "One page.", body = Page<wire::Assistant>),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn list_assistants(
    access: Access<ConfigRead>,
    Params(query): Params<PageParams>,
) -> Result<Json<Page<wire::Assistant>>, ApiError> {
    let page = query.request()?;
    let all = store::list(&access.principal.scope).await?;
    Ok(Json(Page::from_rows(StoredPage::of_all(all, page), |assistant| show(&assistant))))
}

/// One assistant. `ETag` is its version.
#[utoipa::path(get, path = "/api/v1/assistants/{id}", tag = "assistants", security(("api_key" = ["config:read"])),
    params(("id" = String, Path, format = "uuid")),
    responses(
        (status = 200, description = "The assistant.", body = wire::Assistant),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn get_assistant(
    access: Access<ConfigRead>,
    Id(id): Id<AssistantId>,
) -> Result<Response, ApiError> {
    let assistant = store::get(&access.principal.scope, id).await?.ok_or(ApiError::NotFound)?;
    answer_unkept(StatusCode::OK, &show(&assistant), Some(assistant.version))
}

/// Makes an assistant. It answers nobody until it is published and a business names it.
#[utoipa::path(post, path = "/api/v1/assistants", tag = "assistants", security(("api_key" = ["config:write"])),
    request_body = wire::AssistantSettings,
    responses(
        (status = 201, description = "The assistant.", body = wire::Assistant),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn create_assistant(
    access: Access<ConfigWrite>,
    State(app): State<AppState>,
    fields: Fields,
) -> Result<Response, ApiError> {
    let principal = &access.principal;
    sees_all(principal)?;
    let draft = wanted(fields)?;
    let now = app.now();
    let id = AssistantId::new(now, &app.random());
    let assistant =
        Assistant { id, draft, version: 1, published_version: None, created_at: now, updated_at: now };
    let record = Record::of(&app, principal.actor, "assistant.create", Some(id.to_string()));
    let response = answer(principal, StatusCode::CREATED, &show(&assistant), Some(1))?;
    if store::create(&principal.scope, &assistant, &record.entry()).await? {
        return Ok(response);
    }
    Err(ApiError::Conflict("There are as many as a tenant may have."))
}

/// Changes the draft of an assistant, which changes no call before it is published. `If-Match` has to name the version that it is
/// meant for.
#[utoipa::path(put, path = "/api/v1/assistants/{id}", tag = "assistants", security(("api_key" = ["config:write"])),
    params(("id" = String, Path, format = "uuid"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of what was read. Needed.")),
    request_body = wire::AssistantSettings,
    responses(
        (status = 200, description = "The assistant as it is now.", body = wire::Assistant),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn update_assistant(
    access: Access<ConfigWrite>,
    State(app): State<AppState>,
    Id(id): Id<AssistantId>,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, ApiError> {
    let principal = &access.principal;
    sees_all(principal)?;
    let draft = wanted(fields)?;
    let before = store::get(&principal.scope, id).await?.ok_or(ApiError::NotFound)?;
    etag::demand(&headers, before.version)?;
    let fields = changed(&before.draft, &draft);
    let assistant = Assistant { draft, version: before.version + 1, updated_at: app.now(), ..before };
    let record = Record::of(&app, principal.actor, "assistant.update", Some(id.to_string()));
    let response = answer(principal, StatusCode::OK, &show(&assistant), Some(assistant.version))?;
    if store::update(&principal.scope, &assistant, &record.entry(), &fields).await? {
        return Ok(response);
    }
    Err(ApiError::PreconditionFailed)
}

/// Deletes an assistant that no business names, with everything that was published of it. With `If-Match`, only if it still is that
/// version.
#[utoipa::path(delete, path = "/api/v1/assistants/{id}", tag = "assistants", security(("api_key" = ["config:write"])),
    params(("id" = String, Path, format = "uuid"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of what was read.")),
    responses(
        (status = 204, description = "It is gone."),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn delete_assistant(
    access: Access<ConfigWrite>,
    State(app): State<AppState>,
    Id(id): Id<AssistantId>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let principal = &access.principal;
    sees_all(principal)?;
    let assistant = store::get(&principal.scope, id).await?.ok_or(ApiError::NotFound)?;
    etag::check(&headers, assistant.version)?;
    let record = Record::of(&app, principal.actor, "assistant.delete", Some(id.to_string()));
    let response = nothing_to_say(principal);
    if store::delete(&principal.scope, &assistant, &record.entry()).await? {
        return Ok(response);
    }
    Err(ApiError::Conflict("A business names it, or it has just been changed."))
}

/// A draft whose values are acceptable.
fn wanted(mut fields: Fields) -> Result<Settings, ApiError> {
    let name = fields.line("name", MAX_NAME_CHARS);
    let mut template = |field: &str, max_chars| {
        let text = fields.optional_text(field, max_chars);
        let rule = text.as_deref().and_then(wrong_variables);
        fields.demand(field, rule.as_deref().unwrap_or_default(), rule.is_none());
        text
    };
    let greeting = template("greeting", MAX_GREETING_CHARS);
    let instructions = template("instructions", MAX_BUSINESS_CHARS);
    let language = fields.optional_line("language", 2);
    let known = language.as_deref().is_none_or(is_language);
    fields.demand("language", "must be two small letters (ISO 639-1)", known);
    let voice = fields.optional_line("voice", MAX_VOICE_CHARS);
    let good = voice.as_deref().is_none_or(|voice| is_name(voice, "-_"));
    fields.demand("voice", "may hold letters, digits, - and _ only", good);
    let model = fields.optional_line("model", MAX_VOICE_CHARS);
    let good = model.as_deref().is_none_or(|model| is_name(model, "-_.:"));
    fields.demand("model", "may hold letters, digits, -, _, . and : only", good);
    let tools = wanted_tools(&mut fields);
    let turn_detection = wanted_detection(&mut fields);
    let noise_reduction = fields.optional_line("noise_reduction", MAX_VOICE_CHARS);
    let good = noise_reduction.as_deref().is_none_or(|word| read_noise(word).is_some());
    fields.demand("noise_reduction", NOISE_RULE, good);
    fields.done()?;
    Ok(Settings {
        name,
        greeting,
        instructions,
        language,
        voice,
        model,
        tools,
        turn_detection,
        noise_reduction,
    })
}

/// In the order of the alphabet.
fn wanted_tools(fields: &mut Fields) -> Option<Vec<String>> {
    let wanted = fields.optional_list::<String>("tools", tools::names().count())?;
    let known = wanted.iter().all(|name| tools::names().any(|known| known == name));
    fields.demand("tools", TOOLS_RULE, known);
    Some(wanted.into_iter().collect())
}

/// As it is stored.
fn wanted_detection(fields: &mut Fields) -> Option<String> {
    let members = fields.optional_object("turn_detection", MAX_DETECTION_BYTES)?;
    let known = ["type", "threshold", "prefix_padding_ms", "silence_duration_ms", "eagerness"];
    let known = members.keys().all(|name| known.contains(&name.as_str()));
    let wanted: Option<wire::TurnDetection> = serde_json::from_value(members.into()).ok();
    let wanted = wanted.filter(|wanted| known && is_detection(wanted));
    fields.demand("turn_detection", DETECTION_RULE, wanted.is_some());
    serde_json::to_string(&wanted?).ok()
}

fn is_detection(wanted: &wire::TurnDetection) -> bool {
    let wire::TurnDetection { kind, threshold, prefix_padding_ms, silence_duration_ms, eagerness } = wanted;
    match kind {
        TurnDetectionKind::SemanticVad => {
            threshold.is_none() && prefix_padding_ms.is_none() && silence_duration_ms.is_none()
        }
        TurnDetectionKind::ServerVad => {
            eagerness.is_none()
                && threshold.is_none_or(|threshold| (0.0..=1.0).contains(&threshold))
                && prefix_padding_ms.is_none_or(|span| span <= 2_000)
                && silence_duration_ms.is_none_or(|span| (100..=5_000).contains(&span))
        }
    }
}

/// What is wrong with the variables of a text. Names are repeated that are nothing but small letters and `_`.
pub(super) fn wrong_variables(text: &str) -> Option<String> {
    let (names, others) = unknown(text, &VARIABLES);
    if names.is_empty() && !others {
        return None;
    }
    let names: Vec<_> = names.into_iter().map(|name| format!("{{{{{name}}}}}")).collect();
    let more = if others { " What else stands between {{ and }} is no name." } else { "" };
    let unknown = if names.is_empty() { String::new() } else { format!(" Unknown: {}.", names.join(", ")) };
    let known = VARIABLES.map(|name| format!("{{{{{name}}}}}")).join(" and ");
    Some(format!("may hold the variables {known} only.{unknown}{more}"))
}

fn read_noise(word: &str) -> Option<wire::NoiseReduction> {
    match word {
        "near_field" => Some(wire::NoiseReduction::NearField),
        "far_field" => Some(wire::NoiseReduction::FarField),
        "off" => Some(wire::NoiseReduction::Off),
        _ => None,
    }
}

fn is_name(text: &str, others: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || others.contains(c))
}

/// Names of what is another value than it was.
pub(super) fn changed(before: &Settings, after: &Settings) -> Vec<&'static str> {
    let fields = [
        ("name", before.name == after.name),
        ("greeting", before.greeting == after.greeting),
        ("instructions", before.instructions == after.instructions),
        ("language", before.language == after.language),
        ("voice", before.voice == after.voice),
        ("model", before.model == after.model),
        ("tools", before.tools == after.tools),
        ("turn_detection", before.turn_detection == after.turn_detection),
        ("noise_reduction", before.noise_reduction == after.noise_reduction),
    ];
    fields.into_iter().filter(|(_, same)| !same).map(|(name, _)| name).collect()
}

pub(super) fn show_settings(settings: &Settings) -> wire::AssistantSettings {
    wire::AssistantSettings {
        name: settings.name.clone(),
        greeting: settings.greeting.clone(),
        instructions: settings.instructions.clone(),
        language: settings.language.clone(),
        voice: settings.voice.clone(),
        model: settings.model.clone(),
        tools: settings.tools.clone(),
        turn_detection: settings.turn_detection.as_deref().and_then(|text| serde_json::from_str(text).ok()),
        noise_reduction: settings.noise_reduction.as_deref().and_then(read_noise),
    }
}

pub(super) fn show(assistant: &Assistant) -> wire::Assistant {
    wire::Assistant {
        id: assistant.id,
        draft: show_settings(&assistant.draft),
        published_version: assistant.published_version,
        version: assistant.version,
        created_at: assistant.created_at,
        updated_at: assistant.updated_at,
    }
}
