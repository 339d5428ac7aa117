//! Stepping into a running call: a word to the assistant, silence, other instructions, the end.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use voicecore_api_types as wire;
use voicecore_api_types::{EndCall, Problem};
use voicecore_call::{Intervention, OperatorCommand};
use voicecore_store::Scope;
use voicecore_store::audit_log;
use voicecore_store::calls::Call;
use voicecore_store::directory::Principal;
use voicecore_store::idempotency::settle;
use voicecore_types::CallId;

use super::calls::find;
use crate::actors::{CallCommand, CallReply, ask_call};
use crate::auth::{Access, CallsWrite};
use crate::extract::Id;
use crate::fields::Fields;
use crate::idempotency::answer;
use crate::live::prompt::MAX_BUSINESS_CHARS;
use crate::record::Record;
use crate::turn_based::{self, Intervened};
use crate::{ApiError, AppState, carrier, convert, hex};

/// The longest message to an assistant.
const MAX_MESSAGE_CHARS: usize = 2_000;

/// Where a call took it.
enum Taken {
    /// Its actor did it.
    ByActor,
    /// It counts from the assistant's next answer on.
    TurnByTurn,
    /// No assistant takes part in the call (now).
    ByNobody,
}

/// Steps into a running call. It is an entry of the transcript, which listeners see at once. With an `Idempotency-Key` it is done
/// once, however often it is sent. 409: `call_over` when the call is over or saying goodbye; `conflict` when no assistant takes part
/// in it (it rings, or a human being has it); `call_turn_based` when it is held turn by turn and so cannot be paused.
#[utoipa::path(post, path = "/api/v1/calls/{id}/intervene", tag = "calls", security(("api_key" = ["calls:write"])),
    params(("id" = String, Path, format = "uuid")), request_body = wire::Intervene,
    responses(
        (status = 202, description = "It is done, or counts from the next turn on.", body = wire::Intervened),
        (status = 409, description = "The call is over, no assistant takes part in it, or it is held turn by turn, where this cannot be done. Or a request with this `Idempotency-Key` is being carried out.",
            body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn intervene(
    access: Access<CallsWrite>,
    State(app): State<AppState>,
    Id(id): Id<CallId>,
    fields: Fields,
) -> Result<Response, ApiError> {
    let principal = &access.principal;
    let command = wanted(fields)?;
    let call = find(principal, id).await?;
    let action = convert::shown_action(command.action());
    let ends = matches!(command, OperatorCommand::End { .. });
    if call.status.is_end() {
        return Err(ApiError::CallOver);
    }
    let taken = carry_out(&app, principal, &call, command).await?;
    let takes_effect = match taken {
        Taken::TurnByTurn if !ends => wire::InterventionEffect::NextTurn,
        Taken::ByNobody if !ends => {
            return Err(ApiError::Conflict("No assistant takes part in this call now."));
        }
        _ => wire::InterventionEffect::Now,
    };
    let done = wire::Intervened { call_id: id, action, takes_effect };
    let response = answer(principal, StatusCode::ACCEPTED, &done, None)?;
    settle(&principal.scope).await?;
    Ok(response)
}

/// Ends a call: politely where the assistant speaks, at the carrier where it does not. To end a call that is over changes
/// nothing; `status` says so.
#[utoipa::path(post, path = "/api/v1/calls/{id}/end", tag = "calls", security(("api_key" = ["calls:write"])),
    params(("id" = String, Path, format = "uuid")),
    responses(
        (status = 202, description = "The call is being ended, or is over.", body = EndCall),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn end_call(
    access: Access<CallsWrite>,
    State(app): State<AppState>,
    Id(id): Id<CallId>,
) -> Result<Response, ApiError> {
    let principal = &access.principal;
    let call = find(principal, id).await?;
    let ended = EndCall { call_id: id, status: convert::shown_status(call.status) };
    let response = answer(principal, StatusCode::ACCEPTED, &ended, None)?;
    if !call.status.is_end() {
        match carry_out(&app, principal, &call, OperatorCommand::End { at_once: false }).await {
            Ok(_) | Err(ApiError::CallOver) => {}
            Err(error) => return Err(error),
        }
    }
    // Not before: a call that could not be ended has to be ended by the next request with the same key.
    settle(&principal.scope).await?;
    Ok(response)
}

/// Every field is looked at, whatever the action is: what is wrong with one does not depend on another.
fn wanted(mut fields: Fields) -> Result<OperatorCommand, ApiError> {
    let action = fields.line("action", 20);
    let text = fields.optional_text("text", MAX_MESSAGE_CHARS);
    let instructions = fields.optional_text("instructions", MAX_BUSINESS_CHARS);
    let at_once = fields.optional_bool("at_once");
    for (field, given, of) in [
        ("text", text.is_some(), "message"),
        ("instructions", instructions.is_some(), "override"),
        ("at_once", at_once.is_some(), "end"),
    ] {
        fields.demand(field, &format!("goes with `{of}` only"), !given || action == of);
        fields.demand(field, "is a missing field", given || action != of || of == "end");
    }
    let command = match action.as_str() {
        "message" => OperatorCommand::Message { text: text.unwrap_or_default() },
        "override" => OperatorCommand::Override { instructions: instructions.unwrap_or_default() },
        "resume" => OperatorCommand::Resume,
        "end" => OperatorCommand::End { at_once: at_once.unwrap_or_default() },
        other => {
            let good = matches!(other, "" | "pause");
            fields.demand("action", "must be `message`, `pause`, `resume`, `override` or `end`", good);
            OperatorCommand::Pause
        }
    };
    fields.done()?;
    Ok(command)
}

/// The wish is written down before it is carried out: the line is not cut in the batch of a database.
async fn carry_out(
    app: &AppState,
    principal: &Principal,
    call: &Call,
    command: OperatorCommand,
) -> Result<Taken, ApiError> {
    let (scope, actor) = (&principal.scope, principal.actor);
    // A request that is repeated, by its key, is the same intervention.
    let named = scope.request().map(voicecore_store::idempotency::Once::name);
    let id = named.unwrap_or_else(|| hex(&app.random::<16>()));
    let intervention =
        Intervention { id, actor_kind: actor.kind().to_owned(), actor_id: actor.id(), command };
    let action = audited(&intervention.command);
    let record = Record::of(app, actor, action, Some(call.id.to_string()));
    audit_log::record(scope, &record.entry()).await?;
    take(app, scope, call, intervention).await
}

async fn take(
    app: &AppState,
    scope: &Scope,
    call: &Call,
    intervention: Intervention,
) -> Result<Taken, ApiError> {
    let ends = matches!(intervention.command, OperatorCommand::End { .. });
    let taken = match turn_based::intervene(app, scope, call.id, &intervention).await? {
        Intervened::Taken => Taken::TurnByTurn,
        // Once its summary is stored, a call goes on only between the caller and somebody else.
        Intervened::TooLate if ends || call.finished_at.is_some() => Taken::ByNobody,
        Intervened::TooLate => return Err(ApiError::CallOver),
        Intervened::Elsewhere if call.finished_at.is_some() => Taken::ByNobody,
        Intervened::Elsewhere => {
            let command = CallCommand::Intervene { intervention };
            match ask_call(&*app.ports.actors, call.id, &command).await? {
                CallReply::Accepted => Taken::ByActor,
                CallReply::TooLate => return Err(ApiError::CallOver),
                CallReply::NotRunning => Taken::ByNobody,
                CallReply::AfterStream { .. } | CallReply::Transcript { .. } => {
                    return Err(ApiError::Internal("the call's actor answered another question".to_owned()));
                }
            }
        }
    };
    if ends && !matches!(taken, Taken::ByActor) {
        carrier::hang_up(app, scope, &call.carrier_call_id).await?;
    }
    Ok(taken)
}

const fn audited(command: &OperatorCommand) -> &'static str {
    match command {
        OperatorCommand::Message { .. } => "call.message",
        OperatorCommand::Pause => "call.pause",
        OperatorCommand::Resume => "call.resume",
        OperatorCommand::Override { .. } => "call.override",
        OperatorCommand::End { .. } => "call.end",
    }
}
