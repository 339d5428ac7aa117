//! What we ask the carrier for, and what follows from what it tells us.

use serde::{Deserialize, Serialize};
use voicecore_api_types::CredentialSource;
use voicecore_call::EndReason;
use voicecore_domain::CallStatus;
use voicecore_ports::{HttpRequest, HttpResponse};
use voicecore_store::directory::CallLocation;
use voicecore_store::{Scope, calls, directory};
use voicecore_types::{E164, Millis};
use voicecore_wire::twilio::rest::{self, Api, ApiRequest, IncomingNumber};
use voicecore_wire::twilio::sid::CallSid;

use crate::actors::{CallCommand, CallReply, ask_call};
use crate::live::finish_without_actor;
use crate::providers::{self, TwilioAccount};
use crate::{ApiError, AppState, turn_based};

/// How long a request to the carrier may take.
const REQUEST_TIMEOUT_MS: u32 = 5_000;
/// The carrier does not know the call, at this account.
const NOT_FOUND: u16 = 404;

/// A status that the carrier reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReportedStatus {
    pub(crate) carrier_call_id: String,
    pub(crate) status: CallStatus,
    /// When we learnt of it.
    pub(crate) at: Millis,
}

/// Takes note of a status. Repeated, late and out-of-order reports change nothing they should not; a call that we don't know
/// was never admitted. After an error, report it again.
pub(crate) async fn take_status(app: &AppState, reported: &ReportedStatus) -> Result<(), ApiError> {
    let Some(call) = directory::call_by_carrier_id(&app.ports.db, &reported.carrier_call_id).await? else {
        return Ok(());
    };
    calls::advance(&call.scope, call.call_id, reported.status, reported.at).await?;
    if reported.status.is_end() && !call.finished {
        end(app, &call, CallCommand::CarrierEnded, EndReason::CallerHungUp).await?;
    }
    Ok(())
}

/// Lets the call's actor finish it, or finishes it here as `reason` if no actor holds it.
pub(crate) async fn end(
    app: &AppState,
    call: &CallLocation,
    command: CallCommand,
    reason: EndReason,
) -> Result<(), ApiError> {
    if call.turn_based {
        turn_based::end(app, &call.scope, call.call_id, reason).await?;
        return Ok(());
    }
    match ask_call(&*app.ports.actors, call.call_id, &command).await? {
        CallReply::NotRunning => {
            finish_without_actor(app, &call.scope, call.call_id, reason).await?;
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Hangs up, with the account that the call came over: the tenant's own where it has one, else the installation's. A tenant that
/// has set its own while the call ran has it on either. A call that is gone already is a success.
pub(crate) async fn hang_up(app: &AppState, scope: &Scope, carrier_call_id: &str) -> Result<(), ApiError> {
    let sid: CallSid = carrier_call_id
        .parse()
        .map_err(|_| ApiError::Internal("a stored call has no valid CallSid".to_owned()))?;
    if let Some(own) = providers::twilio(app, scope).await? {
        let response = end_call(app, &own, &sid).await?;
        if response.status != NOT_FOUND {
            return ended(&response);
        }
    }
    ended(&end_call(app, &providers::installations_twilio(app)?, &sid).await?)
}

async fn end_call(app: &AppState, account: &TwilioAccount, sid: &CallSid) -> Result<HttpResponse, ApiError> {
    let api = Api::new(app.config.twilio.base_url.get()?, &account.sid, &account.token);
    Ok(app.ports.http.send(request(api.end_call(sid), REQUEST_TIMEOUT_MS)).await?)
}

/// What the `Http` port is to send.
pub(crate) fn request(asked: ApiRequest, timeout_ms: u32) -> HttpRequest {
    let ApiRequest { method, url, headers, body } = asked;
    HttpRequest { method, url, headers, body, timeout_ms }
}

/// What the carrier says of a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NumberAtCarrier {
    /// The account has it.
    Ours(IncomingNumber),
    /// The account does not have it.
    Unknown,
    /// The credentials are refused.
    Refused,
    /// The carrier was reached, but its answer makes no sense.
    Unexpected,
    /// Nobody answers.
    Unreachable,
}

/// Asks the carrier whether the account that calls would use has a number, and what happens when it is rung.
pub(crate) async fn find_number(
    app: &AppState,
    scope: &Scope,
    number: &E164,
) -> Result<(NumberAtCarrier, CredentialSource), ApiError> {
    let (account, source) = providers::twilio_in_use(app, scope).await?;
    let api = Api::new(app.config.twilio.base_url.get()?, &account.sid, &account.token);
    let Ok(answer) = app.ports.http.send(request(api.find_number(number), REQUEST_TIMEOUT_MS)).await else {
        return Ok((NumberAtCarrier::Unreachable, source));
    };
    let found = match rest::incoming_number(answer.status, &answer.body, number) {
        Ok(Some(found)) => NumberAtCarrier::Ours(found),
        Ok(None) => NumberAtCarrier::Unknown,
        Err(rest::ApiError::Refused { status: 401 | 403, .. }) => NumberAtCarrier::Refused,
        Err(_) => NumberAtCarrier::Unexpected,
    };
    Ok((found, source))
}

fn ended(response: &HttpResponse) -> Result<(), ApiError> {
    rest::ended(response.status, &response.body)
        .map_err(|error| ApiError::Unavailable { part: "carrier", cause: error.to_string() })
}
