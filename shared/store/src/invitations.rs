//! Invitations to work for a tenant. Nothing here looks at whether there is a user with the address.

use voicecore_domain::InvitationToken;
use voicecore_ports::{Stmt, Value};
use voicecore_types::{DepartmentId, InvitationId, Millis, Page, PageRequest};

use crate::audit_log::{self, AuditEntry};
use crate::paging::{self, Cursor};
use crate::row::{self, Reader};
use crate::users::RoleRef;
use crate::{Scope, StoreError};

/// An invitation that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// Who is invited.
    pub email: String,
    /// Their name, as far as it is known.
    pub name: String,
    /// What they will be: the word of a built-in role, or the id of a custom one.
    pub role: String,
    /// When.
    pub created_at: Millis,
    /// Until when it can be accepted.
    pub expires_at: Millis,
}

/// An invitation that is made.
#[derive(Debug, Clone)]
pub struct NewInvitation<'a> {
    /// Its id.
    pub id: InvitationId,
    /// Who is invited; lower case.
    pub email: &'a str,
    /// Their name, as far as it is known.
    pub name: &'a str,
    /// What they will be.
    pub role: RoleRef,
    /// What they will belong to.
    pub departments: &'a [DepartmentId],
    /// When.
    pub created_at: Millis,
    /// Until when it can be accepted.
    pub expires_at: Millis,
}

/// What the mail has to say.
#[derive(Debug, Clone)]
pub struct Unsent {
    /// To whom.
    pub email: String,
    /// Who invites.
    pub tenant_name: String,
}

statements! {
    LIST = "select id, email, name, role, role_id, created_at, expires_at from invitations
        where tenant_id = ?1 and accepted_at is null and revoked_at is null and expires_at > ?2
        order by created_at desc, id desc limit ?3 offset ?4";

    LIST_AFTER = "select id, email, name, role, role_id, created_at, expires_at from invitations
        where tenant_id = ?1 and accepted_at is null and revoked_at is null and expires_at > ?2 and (created_at, id) < (?3, ?4)
        order by created_at desc, id desc limit ?5 offset ?6";

    COUNT = "select count(*) as total from (select 1 from invitations
        where tenant_id = ?1 and accepted_at is null and revoked_at is null and expires_at > ?2 limit ?3) as counted";

    GET = "select id, email, name, role, role_id, created_at, expires_at from invitations
        where tenant_id = ?1 and id = ?2 and accepted_at is null and revoked_at is null";

    OF_ADDRESS = "select id, email, name, role, role_id, created_at, expires_at from invitations
        where tenant_id = ?1 and email = ?2 and accepted_at is null and revoked_at is null limit 1";

    INSERT = "insert into invitations (id, tenant_id, email, name, role, role_id, departments, created_at, expires_at)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";

    /// One address has one open invitation of a tenant.
    SUPERSEDE = "update invitations set revoked_at = ?3
        where tenant_id = ?1 and email = ?2 and accepted_at is null and revoked_at is null";

    REVOKE = "update invitations set revoked_at = ?3
        where id = ?1 and tenant_id = ?2 and accepted_at is null and revoked_at is null";

    UNSENT = "select i.email, t.name as tenant_name from invitations i join tenants t on t.id = i.tenant_id
        where i.id = ?1 and i.tenant_id = ?2 and i.accepted_at is null and i.revoked_at is null and i.expires_at > ?3";

    SET_TOKEN = "update invitations set token_hash = ?3
        where id = ?1 and tenant_id = ?2 and accepted_at is null and revoked_at is null";
}

fn map(r: &Reader<'_>) -> Result<Invitation, StoreError> {
    let role = match r.opt_text("role_id")? {
        Some(id) => id,
        None => r.text("role")?,
    };
    Ok(Invitation {
        id: r.parsed("id")?,
        email: r.text("email")?,
        name: r.text("name")?,
        role,
        created_at: r.moment("created_at")?,
        expires_at: r.moment("expires_at")?,
    })
}

/// The open ones, the newest first: a page by its number, or what follows `after`.
pub async fn list(
    scope: &Scope,
    after: Option<&Cursor>,
    request: PageRequest,
    now: Millis,
) -> Result<Page<Invitation>, StoreError> {
    let found = paging::find(scope, [LIST, LIST_AFTER], COUNT, &[now.into()], after, request).await?;
    found.page(request, |r| map(&r))
}

/// One that was neither accepted nor taken back.
pub async fn get(scope: &Scope, id: InvitationId) -> Result<Option<Invitation>, StoreError> {
    let rows = scope.query(Stmt::new(GET, vec![scope.tenant_arg(), id.to_string().into()])).await?;
    row::one(&rows, |r| map(&r))
}

/// The one of this address that was neither accepted nor taken back: there is one at most.
pub async fn of_address(scope: &Scope, email: &str) -> Result<Option<Invitation>, StoreError> {
    let rows = scope.query(Stmt::new(OF_ADDRESS, vec![scope.tenant_arg(), email.into()])).await?;
    row::one(&rows, |r| map(&r))
}

/// The statements that invite somebody, in the place of an earlier invitation.
pub(crate) fn invite(scope: &Scope, new: &NewInvitation<'_>) -> Vec<Stmt> {
    let departments: Vec<String> = new.departments.iter().map(ToString::to_string).collect();
    let mut args: Vec<Value> =
        vec![new.id.to_string().into(), scope.tenant_arg(), new.email.into(), new.name.into()];
    args.extend(new.role.columns());
    args.extend([departments.join(" ").into(), new.created_at.into(), new.expires_at.into()]);
    vec![
        Stmt::new(SUPERSEDE, vec![scope.tenant_arg(), new.email.into(), new.created_at.into()]),
        Stmt::new(INSERT, args).exactly(1),
    ]
}

/// Invites somebody, on the tenant's record.
pub async fn create(
    scope: &Scope,
    new: &NewInvitation<'_>,
    entry: &AuditEntry<'_>,
) -> Result<(), StoreError> {
    let mut stmts = invite(scope, new);
    stmts.push(audit_log::entry(scope, entry));
    scope.batch(stmts).await?;
    Ok(())
}

/// Takes an invitation back, on the tenant's record. `false`: it is not the tenant's, or not open any more.
pub async fn revoke(scope: &Scope, id: InvitationId, entry: &AuditEntry<'_>) -> Result<bool, StoreError> {
    let args = vec![id.to_string().into(), scope.tenant_arg(), entry.at.into()];
    scope.batch_once(vec![Stmt::new(REVOKE, args).exactly(1), audit_log::entry(scope, entry)]).await
}

/// Gives an open invitation a token, in the place of one that may have been mailed before, and says what the mail needs.
/// `None`: it is not open any more.
pub async fn set_token(
    scope: &Scope,
    id: InvitationId,
    token: &InvitationToken,
    now: Millis,
) -> Result<Option<Unsent>, StoreError> {
    let args = || vec![id.to_string().into(), scope.tenant_arg()];
    let results = scope
        .batch(vec![
            Stmt::new(SET_TOKEN, [args(), vec![token.hash().into()]].concat()),
            Stmt::new(UNSENT, [args(), vec![now.into()]].concat()),
        ])
        .await?;
    let Some(rows) = results.get(1) else { return Ok(None) };
    row::one(rows, |r| Ok(Unsent { email: r.text("email")?, tenant_name: r.text("tenant_name")? }))
}
