//! A call comes in: whose number is it, may it be answered, and who answers?

use axum::extract::State;
use voicecore_domain::{Announcement, CallDirection, CallStatus, Language};
use voicecore_store::calls::{self, Admission, NewCall, Refusal};
use voicecore_store::directory;
use voicecore_store::seal::Column;
use voicecore_types::CallId;
use voicecore_wire::twilio::twiml::Response;
use voicecore_wire::twilio::webhook::VoiceWebhook;

use super::documents::{self, Attempt};
use super::{Signed, Twiml, call_status};
use crate::{ApiError, AppState};

/// How often a caller is asked to wait while the database doesn't answer.
const MAX_RETRIES: u32 = 2;

/// Answers an incoming call. Twilio repeats this request when it saw no answer: the same `CallSid` gets the same call, and
/// is counted once. Needs the whole configuration, because a call without any of it would end in silence.
pub(super) async fn voice(State(app): State<AppState>, signed: Signed) -> Result<Twiml, ApiError> {
    let missing = app.config.missing();
    if !missing.is_empty() {
        return Err(ApiError::ConfigMissing(missing));
    }
    let webhook = VoiceWebhook::read(&signed.form)?;
    let origin = app.config.public_url.get()?;
    Ok(match answer(&app, &webhook).await {
        Ok(document) => document.into(),
        Err(cause) if signed.retry() < MAX_RETRIES => {
            Twiml::because(documents::try_again(origin, signed.retry() + 1), cause)
        }
        Err(cause) => {
            let sorry = documents::say_and_hang_up(Announcement::OutOfOrder, Language::default());
            Twiml::because(sorry, cause)
        }
    })
}

async fn answer(app: &AppState, webhook: &VoiceWebhook) -> Result<Response, ApiError> {
    if webhook.call.status.is_final() {
        return Ok(documents::hang_up());
    }
    let Some((admission, language)) = admit(app, webhook).await? else {
        return Ok(documents::say_and_hang_up(Announcement::UnknownNumber, Language::default()));
    };
    Ok(match admission {
        Admission::Refused(Refusal::Concurrency) => {
            documents::say_and_hang_up(Announcement::LinesBusy, language)
        }
        Admission::Refused(Refusal::DailyCalls | Refusal::DailyCost) => {
            documents::say_and_hang_up(Announcement::DaySpent, language)
        }
        Admission::Repeated(call) if call.status.is_end() => documents::hang_up(),
        Admission::Admitted(call) | Admission::Repeated(call) => {
            let attempt = Attempt { call_id: call.id, sid: &webhook.call.sid, number: 1, language };
            documents::connect(&app.config, &attempt, app.now())?
        }
    })
}

/// Finds out whose number was dialled, then counts and stores the call in one batch, so that no interleaving admits one call
/// too many. With it, the language of the business's callers. `None`: the number is nobody's.
async fn admit(app: &AppState, webhook: &VoiceWebhook) -> Result<Option<(Admission, Language)>, ApiError> {
    let (Some(to), Some(lookup)) = (&webhook.to, app.lookup_key().await?) else { return Ok(None) };
    let Some(dialled) = directory::dialled_number(&app.ports.db, &lookup.dialled(to)).await? else {
        return Ok(None);
    };
    let tenant = dialled.scope.tenant();
    let now = app.now();
    let caller = match &webhook.from {
        Some(from) => {
            let sealer = app.sealer(tenant, &dialled.wrapped_key)?;
            let number = sealer.seal(Column::CallerNumber, from.expose(), app.nonce())?;
            Some((number, lookup.caller(tenant, from)))
        }
        None => None,
    };
    let call = NewCall {
        call_id: CallId::new(now, &app.random()),
        carrier_call_id: webhook.call.sid.as_str(),
        business_id: dialled.business_id,
        phone_number_id: dialled.phone_number_id,
        direction: CallDirection::Inbound,
        status: call_status(webhook.call.status).unwrap_or(CallStatus::Ringing),
        caller: caller.as_ref().map(|(number, hash)| (number, hash)),
        started_at: now,
    };
    let admission = calls::admit(&dialled.scope, &call).await?;
    Ok(Some((admission, Language::for_code(dialled.language.as_deref()))))
}
