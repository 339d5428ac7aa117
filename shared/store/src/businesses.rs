//! Lines of business, as a call needs them: with what was published of the assistant that answers.

use voicecore_domain::CallStatus;
use voicecore_domain::opening_hours::OpeningHours;
use voicecore_ports::Stmt;
use voicecore_types::{BusinessId, CallId, Millis};

use crate::assistants::Settings;
use crate::seal::{Sealed, WrappedKey};
use crate::{Scope, StoreError, opening_hours, row};

/// Everything a call's actor must know before the caller hears anything. `None` means the installation's default.
#[derive(Debug, Clone)]
pub struct CallSetupRow {
    /// Which call.
    pub call_id: CallId,
    /// The carrier's name of it.
    pub carrier_call_id: String,
    /// Where it is in its life.
    pub status: CallStatus,
    /// When it came in.
    pub started_at: Millis,
    /// Who rings; sealed for `Column::CallerNumber`. `None` for an anonymous caller.
    pub caller_number: Option<Sealed>,
    /// The number that was rung; sealed for `Column::PhoneNumber`. `None` when the tenant has given it up since.
    pub dialled_number: Option<Sealed>,
    /// Who answers.
    pub business_id: BusinessId,
    /// Its name.
    pub business_name: String,
    /// The assistant, as it was last published. Without an assistant everything is as the installation has it, and its name is empty.
    pub assistant: Settings,
    /// Whom the call can be transferred to; sealed for `Column::FallbackNumber`.
    pub fallback_number: Option<Sealed>,
    /// When the business is open, if somebody has said.
    pub opening_hours: Option<OpeningHours>,
    /// The longest call.
    pub call_length: Millis,
    /// The tenant's data key.
    pub wrapped_key: WrappedKey,
    /// The tenant's own account at the model that hears and speaks; sealed for `Column::OpenAiCredential`.
    pub openai_credential: Option<Sealed>,
    /// The tenant's own account at the model that reads and writes; sealed for `Column::ChatCredential`.
    pub chat_credential: Option<Sealed>,
}

statements! {
    CALL_SETUP = "select c.id, c.carrier_call_id, c.status, c.started_at, c.caller_number, p.number as dialled_number,
        b.id as business_id, b.name as business_name, v.name as assistant_name, v.greeting, v.instructions, v.language, v.voice,
        v.model, v.tools, v.turn_detection, v.noise_reduction, b.fallback_number, b.call_length_ms, b.time_zone, b.opening_hours, k.wrapped_key,
        o.credential as openai_credential, t.credential as chat_credential
        from calls c
        join businesses b on b.id = c.business_id and b.tenant_id = c.tenant_id
        join tenant_keys k on k.tenant_id = c.tenant_id
        left join assistants a on a.id = b.assistant_id and a.tenant_id = b.tenant_id
        left join assistant_versions v on v.assistant_id = a.id and v.number = a.published_version and v.tenant_id = a.tenant_id
        left join phone_numbers p on p.id = c.phone_number_id and p.tenant_id = c.tenant_id
        left join provider_credentials o on o.tenant_id = c.tenant_id and o.provider = 'openai'
        left join provider_credentials t on t.tenant_id = c.tenant_id and t.provider = 'chat'
        where c.id = ?1 and c.tenant_id = ?2";

    LANGUAGE = "select v.language from businesses b
        left join assistants a on a.id = b.assistant_id and a.tenant_id = b.tenant_id
        left join assistant_versions v on v.assistant_id = a.id and v.number = a.published_version and v.tenant_id = a.tenant_id
        where b.tenant_id = ?1 order by b.created_at, b.id limit 1";

    FALLBACK_NUMBER = "select fallback_number from businesses where id = ?1 and tenant_id = ?2";
}

/// Loads a call with the business that answers it. Read once for each call, so a change of the configuration is seen by
/// the next call and never by a running one half-way (property B3).
pub async fn call_setup(scope: &Scope, call: CallId) -> Result<Option<CallSetupRow>, StoreError> {
    let rows = scope.query(Stmt::new(CALL_SETUP, vec![call.to_string().into(), scope.tenant_arg()])).await?;
    row::one(&rows, |r| {
        Ok(CallSetupRow {
            call_id: r.parsed("id")?,
            carrier_call_id: r.text("carrier_call_id")?,
            status: r.parsed("status")?,
            started_at: r.moment("started_at")?,
            caller_number: r.sealed("caller_number")?,
            dialled_number: r.sealed("dialled_number")?,
            business_id: r.parsed("business_id")?,
            business_name: r.text("business_name")?,
            assistant: Settings::map(&r, r.opt_text("assistant_name")?.unwrap_or_default())?,
            fallback_number: r.sealed("fallback_number")?,
            opening_hours: opening_hours::map(&r)?,
            call_length: r.moment("call_length_ms")?,
            wrapped_key: r.wrapped_key("wrapped_key")?,
            openai_credential: r.sealed("openai_credential")?,
            chat_credential: r.sealed("chat_credential")?,
        })
    })
}

/// Whom the calls of a business can be transferred to, sealed for `Column::FallbackNumber`: for a call that is not stored.
pub async fn fallback_number(scope: &Scope, business: BusinessId) -> Result<Option<Sealed>, StoreError> {
    let args = vec![business.to_string().into(), scope.tenant_arg()];
    let rows = scope.query(Stmt::new(FALLBACK_NUMBER, args)).await?;
    Ok(row::one(&rows, |r| r.sealed("fallback_number"))?.flatten())
}

/// The language (ISO 639-1) of the assistant of the tenant's first business, if it has chosen one.
pub async fn language(scope: &Scope) -> Result<Option<String>, StoreError> {
    let rows = scope.query(Stmt::new(LANGUAGE, vec![scope.tenant_arg()])).await?;
    Ok(row::one(&rows, |r| r.opt_text("language"))?.flatten())
}
