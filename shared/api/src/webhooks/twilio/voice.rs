//! A call comes in: whose number is it, may it be answered, and who answers?

use axum::extract::State;
use voicecore_domain::{Announcement, CallDirection, CallStatus, Language, VoiceMode};
use voicecore_store::calls::{self, Admission, NewCall, Refusal};
use voicecore_store::seal::Column;
use voicecore_store::{Scope, directory};
use voicecore_types::CallId;
use voicecore_wire::twilio::twiml::Response;
use voicecore_wire::twilio::webhook::VoiceWebhook;

use super::documents::{self, Attempt};
use super::{Signed, Twiml, call_status, turn};
use crate::deadline::{ANSWER, Deadline};
use crate::{ApiError, AppState, turn_based};

/// Answers an incoming call. Twilio repeats this request when it saw no answer: the same `CallSid` gets the same call, and
/// is counted once. Needs the whole configuration, because a call without any of it would end in silence.
pub(super) async fn voice(State(app): State<AppState>, signed: Signed) -> Result<Twiml, ApiError> {
    let missing = app.config.missing();
    if !missing.is_empty() {
        return Err(ApiError::ConfigMissing(missing));
    }
    let webhook = VoiceWebhook::read(&signed.form)?;
    let origin = app.config.public_url.get()?;
    Ok(match Deadline::since(&app, signed.received_at, ANSWER).keep(answer(&app, &webhook)).await {
        Ok(document) => document.into(),
        Err(cause) if signed.may_wait() => {
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
    let (admission, line) = match admit(app, webhook).await? {
        Rung::Nobody => {
            return Ok(documents::say_and_hang_up(Announcement::UnknownNumber, Language::default()));
        }
        Rung::Suspended(language) => {
            return Ok(documents::say_and_hang_up(Announcement::OutOfOrder, language));
        }
        Rung::Somebody(admitted) => *admitted,
    };
    let language = line.language;
    Ok(match admission {
        // Since its number was looked up.
        Admission::Refused(Refusal::Suspended) => {
            documents::say_and_hang_up(Announcement::OutOfOrder, language)
        }
        Admission::Refused(Refusal::Concurrency) => {
            documents::say_and_hang_up(Announcement::LinesBusy, language)
        }
        Admission::Refused(Refusal::DailyCalls | Refusal::DailyCost) => {
            documents::say_and_hang_up(Announcement::DaySpent, language)
        }
        Admission::Refused(Refusal::HourlyCaller) => {
            documents::say_and_hang_up(Announcement::CallerSpent, language)
        }
        Admission::Repeated(call) if call.status.is_end() => documents::hang_up(),
        Admission::Admitted(call) | Admission::Repeated(call) if line.turn_based => {
            let held = turn_based::open(app, &line.scope, call.id).await?;
            turn::first(app, call.id, &held)?
        }
        Admission::Admitted(call) | Admission::Repeated(call) => {
            let attempt =
                Attempt { call_id: call.id, sid: &webhook.call.sid, number: 1, language, waited: false };
            documents::connect(&app.config, &attempt, app.now())?
        }
    })
}

/// What is known of a number that was dialled.
struct Line {
    scope: Scope,
    /// That of the business's callers.
    language: Language,
    /// The call is held turn by turn: the business wants it so, or there are no actors that could hold a media stream.
    turn_based: bool,
}

/// Whose number was dialled.
enum Rung {
    /// Nobody's.
    Nobody,
    /// That of a tenant that does not work now; the language of its callers. Nothing is stored.
    Suspended(Language),
    /// A tenant's.
    Somebody(Box<(Admission, Line)>),
}

/// Finds out whose number was dialled, then counts and stores the call in one batch, so that no interleaving admits one call
/// too many.
async fn admit(app: &AppState, webhook: &VoiceWebhook) -> Result<Rung, ApiError> {
    let (Some(to), Some(lookup)) = (&webhook.to, app.lookup_key().await?) else { return Ok(Rung::Nobody) };
    let Some(dialled) = directory::dialled_number(&app.ports.db, &lookup.dialled(to)).await? else {
        return Ok(Rung::Nobody);
    };
    if dialled.suspended {
        return Ok(Rung::Suspended(Language::for_code(dialled.language.as_deref())));
    }
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
    let turn_based = dialled.voice_mode == Some(VoiceMode::TurnBased) || !app.ports.actors.available();
    let language = Language::for_code(dialled.language.as_deref());
    Ok(Rung::Somebody(Box::new((admission, Line { scope: dialled.scope, language, turn_based }))))
}
