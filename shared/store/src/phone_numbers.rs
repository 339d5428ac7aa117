//! Telephone numbers: at which a business is rung. A number rings in one place only, whoever's it is.

use voicecore_ports::{Stmt, Value};
use voicecore_types::{BusinessId, Millis, PhoneNumberId};

use crate::audit_log::AuditEntry;
use crate::roles::{Saved, bump, save};
use crate::row::{self, Reader};
use crate::seal::{LookupHash, Sealed};
use crate::{Scope, StoreError};

/// The most numbers of a tenant.
pub const MAX_PHONE_NUMBERS: u32 = 500;

/// A number that a business is rung at.
#[derive(Debug, Clone)]
pub struct PhoneNumber {
    /// Its id.
    pub id: PhoneNumberId,
    /// Who answers it.
    pub business_id: BusinessId,
    /// Sealed for `Column::PhoneNumber`.
    pub number: Sealed,
    /// When it was added.
    pub created_at: Millis,
    /// Grows by one with every change.
    pub version: u64,
}

/// A number to be added.
#[derive(Debug, Clone)]
pub struct NewPhoneNumber<'a> {
    /// Its id.
    pub id: PhoneNumberId,
    /// Sealed for `Column::PhoneNumber`.
    pub number: &'a Sealed,
    /// From [`LookupKey::dialled`](crate::seal::LookupKey::dialled).
    pub number_hash: &'a LookupHash,
}

statements! {
    LIST = "select p.id, p.business_id, p.number, p.created_at, p.version from phone_numbers p
        join businesses b on b.id = p.business_id and b.tenant_id = p.tenant_id where p.tenant_id = ?";

    GET = "select p.id, p.business_id, p.number, p.created_at, p.version from phone_numbers p
        join businesses b on b.id = p.business_id and b.tenant_id = p.tenant_id where p.tenant_id = ? and p.id = ?";

    /// The business has to be the tenant's.
    INSERT = "insert into phone_numbers (id, tenant_id, business_id, number, number_hash, created_at)
        select ?1, b.tenant_id, b.id, ?4, ?5, cast(?6 as bigint) from businesses b where b.id = ?3 and b.tenant_id = ?2
        and (select count(*) from phone_numbers n where n.tenant_id = ?2) < ?7";

    BUMP = "update phone_numbers set version = version + 1 where id = ?1 and tenant_id = ?2 and version = ?3";

    MOVE = "update phone_numbers set business_id = ?3 where id = ?1 and tenant_id = ?2
        and exists (select 1 from businesses b where b.id = ?3 and b.tenant_id = ?2)";

    DELETE = "delete from phone_numbers where id = ?1 and tenant_id = ?2";
}

fn map(r: &Reader<'_>) -> Result<PhoneNumber, StoreError> {
    Ok(PhoneNumber {
        id: r.parsed("id")?,
        business_id: r.parsed("business_id")?,
        number: r.sealed("number")?.ok_or(StoreError::OddRow { column: "number" })?,
        created_at: r.moment("created_at")?,
        version: r.count("version")?,
    })
}

/// The numbers of the businesses that the scope sees, in the order in which they were added.
pub async fn list(scope: &Scope) -> Result<Vec<PhoneNumber>, StoreError> {
    let mut stmt = seen(scope, Stmt::new(LIST, vec![scope.tenant_arg()]));
    stmt.sql.push("order by p.created_at, p.id limit ?");
    stmt.args.push(MAX_PHONE_NUMBERS.into());
    row::all(&scope.query(stmt).await?, |r| map(&r))
}

/// One of them.
pub async fn get(scope: &Scope, id: PhoneNumberId) -> Result<Option<PhoneNumber>, StoreError> {
    let stmt = seen(scope, Stmt::new(GET, vec![scope.tenant_arg(), id.to_string().into()]));
    row::one(&scope.query(stmt).await?, |r| map(&r))
}

/// A number belongs to the department of its business.
fn seen(scope: &Scope, mut stmt: Stmt) -> Stmt {
    scope.in_sight(&mut stmt);
    stmt
}

/// The statement that adds a number, for whatever batch; it demands that the business is the tenant's, and that there is room.
pub(crate) fn insert(scope: &Scope, business: BusinessId, new: &NewPhoneNumber<'_>, now: Millis) -> Stmt {
    let args = vec![
        new.id.to_string().into(),
        scope.tenant_arg(),
        business.to_string().into(),
        new.number.into(),
        new.number_hash.into(),
        now.into(),
        MAX_PHONE_NUMBERS.into(),
    ];
    Stmt::new(INSERT, args).exactly(1)
}

/// Adds a number, on the tenant's record. [`Saved::NameTaken`]: it rings somewhere already. [`Saved::TooMany`] also when the
/// business is not the tenant's.
pub async fn create(
    scope: &Scope,
    business: BusinessId,
    new: &NewPhoneNumber<'_>,
    entry: &AuditEntry<'_>,
) -> Result<Saved, StoreError> {
    save(scope, vec![insert(scope, business, new, entry.at)], entry, Saved::TooMany, Saved::NameTaken).await
}

/// From now on another business of the tenant answers a number of this version, on its record. [`Saved::Unknown`]: there is no such number or business.
pub async fn set_business(
    scope: &Scope,
    (id, version): (PhoneNumberId, u64),
    business: BusinessId,
    entry: &AuditEntry<'_>,
) -> Result<Saved, StoreError> {
    let args = [names(scope, id), vec![business.to_string().into()]].concat();
    let stmts = vec![bump(scope, BUMP, &id, version), Stmt::new(MOVE, args).exactly(1)];
    save(scope, stmts, entry, Saved::Unknown, Saved::Unknown).await
}

/// Nobody answers a number of this version any more, on the tenant's record. Calls that run go on.
pub async fn delete(
    scope: &Scope,
    (id, version): (PhoneNumberId, u64),
    entry: &AuditEntry<'_>,
) -> Result<Saved, StoreError> {
    let stmts = vec![bump(scope, BUMP, &id, version), Stmt::new(DELETE, names(scope, id)).exactly(1)];
    save(scope, stmts, entry, Saved::Unknown, Saved::Unknown).await
}

fn names(scope: &Scope, id: PhoneNumberId) -> Vec<Value> {
    vec![id.to_string().into(), scope.tenant_arg()]
}
