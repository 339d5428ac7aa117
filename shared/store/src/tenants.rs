//! Tenants: how one comes to be.

use std::sync::Arc;

use voicecore_domain::{ApiKey, Permissions, SetupToken, VoiceMode};
use voicecore_ports::{Db, DbError, Stmt, Value};
use voicecore_types::{ApiKeyId, AuditEntryId, BusinessId, Millis, PhoneNumberId, TenantId, UserId};

use crate::audit_log::{self, AuditEntry};
use crate::seal::{LookupHash, Sealed, WrappedKey};
use crate::{Scope, StoreError};

/// Everything a tenant needs to take its first call, with the token that pays for it.
#[derive(Debug, Clone)]
pub struct Provision<'a> {
    /// Is used up.
    pub token: &'a SetupToken,
    /// When.
    pub now: Millis,
    /// The new tenant.
    pub tenant_id: TenantId,
    /// Its name.
    pub tenant_name: &'a str,
    /// Its data key, from [`MasterKey::new_tenant_key`](crate::seal::MasterKey::new_tenant_key).
    pub wrapped_key: &'a WrappedKey,
    /// The id of the token's user, unless that e-mail address is known already.
    pub user_id: UserId,
    /// Its first line of business.
    pub business: NewBusiness<'a>,
    /// Its first number.
    pub phone_number: NewPhoneNumber<'a>,
    /// The id of its first API key.
    pub api_key_id: ApiKeyId,
    /// Its first API key, which only its hash is kept of. It is the owner's: it allows everything and does not expire.
    pub api_key: &'a ApiKey,
    /// The id of the entry in the audit log.
    pub audit_entry_id: AuditEntryId,
}

/// A line of business. What is `None` follows the installation's defaults.
#[derive(Debug, Clone)]
pub struct NewBusiness<'a> {
    /// Its id.
    pub id: BusinessId,
    /// Its name.
    pub name: &'a str,
    /// What the assistant says first.
    pub greeting: Option<&'a str>,
    /// What the model is told.
    pub instructions: Option<&'a str>,
    /// ISO 639-1.
    pub language: Option<&'a str>,
    /// As the provider names it.
    pub voice: Option<&'a str>,
    /// How its calls are held.
    pub voice_mode: Option<VoiceMode>,
    /// Whom calls are transferred to; sealed for `Column::FallbackNumber`.
    pub fallback_number: Option<&'a Sealed>,
}

/// A number that the business is rung at.
#[derive(Debug, Clone)]
pub struct NewPhoneNumber<'a> {
    /// Its id.
    pub id: PhoneNumberId,
    /// Sealed for `Column::PhoneNumber`.
    pub number: &'a Sealed,
    /// From [`LookupKey::dialled`](crate::seal::LookupKey::dialled).
    pub number_hash: &'a LookupHash,
}

/// Why nothing was provisioned. In every case nothing was stored.
#[derive(Debug, thiserror::Error)]
pub enum ProvisionError {
    /// The token is unknown, expired or used.
    #[error("the setup token is not valid")]
    TokenInvalid,
    /// The number belongs to a tenant already.
    #[error("the telephone number is taken")]
    NumberTaken,
    /// The database could not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

statements! {
    USE_TOKEN = "update setup_tokens set used_at = ?2
        where token_hash = ?1 and used_at is null and expires_at > ?2";

    INSERT_TENANT = "insert into tenants (id, name, created_at) values (?1, ?2, ?3)";

    INSERT_KEY = "insert into tenant_keys (tenant_id, wrapped_key, created_at) values (?1, ?2, ?3)";

    INSERT_USER = "insert into users (id, email, created_at)
        select ?1, email, ?2 from setup_tokens where token_hash = ?3
        on conflict (email) do nothing";

    INSERT_OWNER = "insert into memberships (user_id, tenant_id, role, created_at)
        select u.id, ?1, 'owner', ?2 from setup_tokens s join users u on u.email = s.email where s.token_hash = ?3";

    INSERT_BUSINESS = "insert into businesses (id, tenant_id, name, greeting, instructions, language, voice,
        fallback_number, created_at, updated_at, voice_mode) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10)";

    INSERT_NUMBER = "insert into phone_numbers (id, tenant_id, business_id, number, number_hash, created_at)
        values (?1, ?2, ?3, ?4, ?5, ?6)";

    INSERT_API_KEY = "insert into api_keys (id, tenant_id, name, prefix, key_hash, permissions, created_at)
        values (?1, ?2, 'setup', ?3, ?4, ?5, ?6)";
}

/// Makes a tenant that can take a call at once, and uses the token up, or does nothing at all (property A2).
pub async fn provision(db: &Arc<dyn Db>, p: &Provision<'_>) -> Result<Scope, ProvisionError> {
    let scope = Scope::new(Arc::clone(db), p.tenant_id);
    let stored = scope.batch(provision_batch(&scope, p)).await;
    match stored {
        Ok(_) => Ok(scope),
        // The first statement is the token's; the others insert one row each and miss their count only after it did.
        Err(DbError::Unexpected { .. }) => Err(ProvisionError::TokenInvalid),
        // All other keys of the batch are fresh random ids.
        Err(DbError::Constraint) => Err(ProvisionError::NumberTaken),
        Err(other) => Err(ProvisionError::Store(other.into())),
    }
}

fn provision_batch(scope: &Scope, p: &Provision<'_>) -> Vec<Stmt> {
    let tenant = || scope.tenant_arg();
    let now = || Value::from(p.now);
    let token = || Value::from(p.token.hash());
    let business = || Value::from(p.business.id.to_string());
    let audit = AuditEntry {
        id: p.audit_entry_id,
        at: p.now,
        actor_kind: "setup",
        actor_id: None,
        action: "tenant.provision",
        subject_id: None,
    };
    vec![
        Stmt::new(USE_TOKEN, vec![token(), now()]).exactly(1),
        Stmt::new(INSERT_TENANT, vec![tenant(), p.tenant_name.into(), now()]).exactly(1),
        Stmt::new(INSERT_KEY, vec![tenant(), p.wrapped_key.into(), now()]).exactly(1),
        Stmt::new(INSERT_USER, vec![p.user_id.to_string().into(), now(), token()]),
        Stmt::new(INSERT_OWNER, vec![tenant(), now(), token()]).exactly(1),
        Stmt::new(
            INSERT_BUSINESS,
            vec![
                business(),
                tenant(),
                p.business.name.into(),
                p.business.greeting.into(),
                p.business.instructions.into(),
                p.business.language.into(),
                p.business.voice.into(),
                p.business.fallback_number.into(),
                now(),
                p.business.voice_mode.map(VoiceMode::as_str).into(),
            ],
        )
        .exactly(1),
        Stmt::new(
            INSERT_NUMBER,
            vec![
                p.phone_number.id.to_string().into(),
                tenant(),
                business(),
                p.phone_number.number.into(),
                p.phone_number.number_hash.into(),
                now(),
            ],
        )
        .exactly(1),
        Stmt::new(
            INSERT_API_KEY,
            vec![
                p.api_key_id.to_string().into(),
                tenant(),
                p.api_key.prefix().into(),
                p.api_key.hash().into(),
                Permissions::all().to_string().into(),
                now(),
            ],
        )
        .exactly(1),
        audit_log::entry(scope, &audit),
    ]
}
