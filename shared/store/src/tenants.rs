//! Tenants: how one comes to be.

use std::sync::Arc;

use voicecore_domain::opening_hours::OpeningHours;
use voicecore_domain::{ApiKey, Permissions, SetupToken, VoiceMode};
use voicecore_ports::{Db, DbError, Stmt, Value};
use voicecore_types::{
    ApiKeyId, AssistantId, AuditEntryId, BusinessId, DepartmentId, Millis, TenantId, UserId,
};

use crate::assistants::{self, Settings};
use crate::audit_log::{self, AuditEntry};
use crate::idempotency::{self, Once};
use crate::invitations::{self, NewInvitation};
use crate::phone_numbers::{self, NewPhoneNumber};
use crate::qa_rules;
use crate::seal::{Sealed, WrappedKey};
use crate::{Scope, StoreError};

/// Everything a tenant needs to take its first call.
#[derive(Debug, Clone)]
pub struct Provision<'a> {
    /// Who will own it.
    pub owner: Owner<'a>,
    /// When.
    pub now: Millis,
    /// The new tenant.
    pub tenant_id: TenantId,
    /// Its name.
    pub tenant_name: &'a str,
    /// Its data key, from [`MasterKey::new_tenant_key`](crate::seal::MasterKey::new_tenant_key).
    pub wrapped_key: &'a WrappedKey,
    /// Its first department, which the business belongs to.
    pub department: NewDepartment<'a>,
    /// Its first assistant, which is published at once.
    pub assistant: NewAssistant<'a>,
    /// Its first line of business, which that assistant answers for.
    pub business: NewBusiness<'a>,
    /// Its first number.
    pub phone_number: NewPhoneNumber<'a>,
    /// The rules that its calls are held against: JSON, as in [`crate::qa_rules`].
    pub qa_rules: &'a str,
    /// The id of the entry in the audit log.
    pub audit_entry_id: AuditEntryId,
}

/// Who will own a tenant.
#[derive(Debug, Clone)]
pub enum Owner<'a> {
    /// Whoever has the one-use link of the operator: they run the installation, too.
    Token {
        /// Is used up.
        token: &'a SetupToken,
        /// The id of the token's user, unless that e-mail address is known already.
        user_id: UserId,
        /// A PHC string: the password of a user who has none.
        password_hash: Option<&'a str>,
        /// The id of the tenant's first API key.
        api_key_id: ApiKeyId,
        /// That key, which only its hash is kept of. It allows everything within the tenant and does not expire.
        api_key: &'a ApiKey,
    },
    /// Somebody whom a super admin invites.
    Invited {
        /// The super admin.
        by: UserId,
        /// The invitation.
        invitation: NewInvitation<'a>,
        /// The super admin's request, if it is to be carried out once.
        once: Option<&'a Once>,
    },
}

/// A department.
#[derive(Debug, Clone)]
pub struct NewDepartment<'a> {
    /// Its id.
    pub id: DepartmentId,
    /// Its name.
    pub name: &'a str,
}

/// An assistant.
#[derive(Debug, Clone)]
pub struct NewAssistant<'a> {
    /// Its id.
    pub id: AssistantId,
    /// What it is.
    pub settings: &'a Settings,
}

/// A line of business. What is `None` follows the installation's defaults.
#[derive(Debug, Clone)]
pub struct NewBusiness<'a> {
    /// Its id.
    pub id: BusinessId,
    /// Its name.
    pub name: &'a str,
    /// How its calls are held.
    pub voice_mode: Option<VoiceMode>,
    /// Whom calls are transferred to; sealed for `Column::FallbackNumber`.
    pub fallback_number: Option<&'a Sealed>,
    /// When it is open, if that is known.
    pub opening_hours: Option<&'a OpeningHours>,
}

/// Why nothing was provisioned. In every case nothing was stored.
#[derive(Debug, thiserror::Error)]
pub enum ProvisionError {
    /// The token is unknown, expired or used. Or the request was carried out meanwhile, which [`Once::is_lost`] says.
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

    /// Whoever was given a link by the operator of the database runs the installation.
    INSERT_USER = "insert into users (id, email, created_at, super_admin, password_hash, password_changed_at)
        select ?1, email, ?2, 1, ?4, ?2 from setup_tokens where token_hash = ?3
        on conflict (email) do update set super_admin = 1,
        password_hash = coalesce(users.password_hash, excluded.password_hash)";

    INSERT_DEPARTMENT = "insert into departments (id, tenant_id, name, created_at, updated_at) values (?1, ?2, ?3, ?4, ?4)";

    INSERT_OWNER = "insert into memberships (user_id, tenant_id, role, created_at)
        select u.id, ?1, 'owner', ?2 from setup_tokens s join users u on u.email = s.email where s.token_hash = ?3";

    INSERT_BUSINESS = "insert into businesses (id, tenant_id, name, fallback_number, created_at, updated_at, voice_mode, department_id,
        time_zone, opening_hours, assistant_id)
        values (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7, ?8, ?9, ?10)";

    INSERT_API_KEY = "insert into api_keys (id, tenant_id, name, prefix, key_hash, permissions, created_at)
        values (?1, ?2, 'setup', ?3, ?4, ?5, ?6)";
}

/// Makes a tenant that can take a call at once, and uses the token up, or does nothing at all (property A2).
pub async fn provision(db: &Arc<dyn Db>, p: &Provision<'_>) -> Result<Scope, ProvisionError> {
    let scope = Scope::new(Arc::clone(db), p.tenant_id);
    let stored = scope.batch(provision_batch(&scope, p)).await;
    match stored {
        Ok(_) => Ok(scope),
        // The first statement is the token's, or the second takes the request's key; the others insert one row each and miss their count
        // only after it did.
        Err(DbError::Unexpected { .. }) => {
            if let Owner::Invited { once: Some(once), .. } = &p.owner {
                once.lost();
            }
            Err(ProvisionError::TokenInvalid)
        }
        // All other keys of the batch are fresh random ids.
        Err(DbError::Constraint) => Err(ProvisionError::NumberTaken),
        Err(other) => Err(ProvisionError::Store(other.into())),
    }
}

fn provision_batch(scope: &Scope, p: &Provision<'_>) -> Vec<Stmt> {
    let by = if let Owner::Invited { by, .. } = &p.owner { Some(by.to_string()) } else { None };
    let audit = AuditEntry {
        id: p.audit_entry_id,
        at: p.now,
        actor_kind: if by.is_some() { "super_admin" } else { "setup" },
        actor_id: by.as_deref(),
        action: "tenant.provision",
        subject_id: None,
    };
    let mut stmts = Vec::new();
    if let Owner::Token { token, .. } = &p.owner {
        stmts.push(Stmt::new(USE_TOKEN, vec![token.hash().into(), p.now.into()]).exactly(1));
    }
    stmts.push(
        Stmt::new(INSERT_TENANT, vec![scope.tenant_arg(), p.tenant_name.into(), p.now.into()]).exactly(1),
    );
    // Before what may be taken: of two requests with one key, the one that is late hears that, and not that the number is taken.
    if let Owner::Invited { once: Some(once), .. } = &p.owner {
        stmts.push(idempotency::claim_founded(scope, once));
    }
    stmts
        .push(Stmt::new(INSERT_KEY, vec![scope.tenant_arg(), p.wrapped_key.into(), p.now.into()]).exactly(1));
    stmts.extend(assistant_stmts(scope, p, &audit));
    stmts.extend(business_stmts(scope, p));
    stmts.push(qa_rules::insert(scope, p.qa_rules, p.now));
    stmts.extend(owner_stmts(scope, p));
    stmts.push(audit_log::entry(scope, &audit));
    stmts
}

fn assistant_stmts(scope: &Scope, p: &Provision<'_>, audit: &AuditEntry<'_>) -> [Stmt; 3] {
    let NewAssistant { id, settings } = p.assistant;
    let by = (p.now, audit.actor_kind, audit.actor_id);
    let [publish, version] = assistants::publish_stmts(scope, (id, 1), by);
    [assistants::insert(scope, id, settings, p.now), publish, version]
}

fn business_stmts(scope: &Scope, p: &Provision<'_>) -> [Stmt; 3] {
    let business = || Value::from(p.business.id.to_string());
    let department = || Value::from(p.department.id.to_string());
    let new_department = vec![department(), scope.tenant_arg(), p.department.name.into(), p.now.into()];
    let hours = p.business.opening_hours;
    let new_business = vec![
        business(),
        scope.tenant_arg(),
        p.business.name.into(),
        p.business.fallback_number.into(),
        p.now.into(),
        p.business.voice_mode.map(VoiceMode::as_str).into(),
        department(),
        hours.map(|hours| hours.zone().name()).into(),
        hours.map(OpeningHours::to_stored).into(),
        p.assistant.id.to_string().into(),
    ];
    [
        Stmt::new(INSERT_DEPARTMENT, new_department).exactly(1),
        Stmt::new(INSERT_BUSINESS, new_business).exactly(1),
        phone_numbers::insert(scope, p.business.id, &p.phone_number, p.now),
    ]
}

fn owner_stmts(scope: &Scope, p: &Provision<'_>) -> Vec<Stmt> {
    match &p.owner {
        Owner::Token { token, user_id, password_hash, api_key_id, api_key } => {
            let new_user =
                vec![user_id.to_string().into(), p.now.into(), token.hash().into(), (*password_hash).into()];
            let new_key = vec![
                api_key_id.to_string().into(),
                scope.tenant_arg(),
                api_key.prefix().into(),
                api_key.hash().into(),
                Permissions::of_tenant().to_string().into(),
                p.now.into(),
            ];
            let owner = vec![scope.tenant_arg(), p.now.into(), token.hash().into()];
            vec![
                Stmt::new(INSERT_USER, new_user).exactly(1),
                Stmt::new(INSERT_OWNER, owner).exactly(1),
                Stmt::new(INSERT_API_KEY, new_key).exactly(1),
            ]
        }
        Owner::Invited { invitation, .. } => invitations::invite(scope, invitation),
    }
}
