//! What users have chosen for themselves, wherever they sign in.

use voicecore_ports::Stmt;
use voicecore_types::{Millis, UserId};

use crate::audit_log::{self, AuditEntry};
use crate::row::{self, count_arg};
use crate::{Scope, StoreError};

/// One user's choices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preferences {
    /// JSON, an object.
    pub document: String,
    /// The number of the write that made it, from 1.
    pub version: u64,
    /// When.
    pub updated_at: Millis,
}

statements! {
    GET = "select document, version, updated_at from preferences where tenant_id = ?1 and user_id = ?2";

    /// Takes the next number, whichever device wrote the one before; or the number that follows one that was read.
    PUT = "insert into preferences (tenant_id, user_id, document, version, updated_at) values (?1, ?2, ?3, 1, ?4)
        on conflict (tenant_id, user_id) do update
        set document = excluded.document, version = preferences.version + 1, updated_at = excluded.updated_at
        where preferences.version = coalesce(cast(?5 as bigint), preferences.version)";

    FORGET = "delete from preferences where tenant_id = ?1 and user_id = ?2";
}

/// What a user has chosen, if they have.
pub async fn get(scope: &Scope, user: UserId) -> Result<Option<Preferences>, StoreError> {
    let rows = scope.query(Stmt::new(GET, vec![scope.tenant_arg(), user.to_string().into()])).await?;
    row::one(&rows, |r| {
        Ok(Preferences {
            document: r.text("document")?,
            version: r.count("version")?,
            updated_at: r.moment("updated_at")?,
        })
    })
}

/// Stores what a user has chosen, in the place of all they chose before, on the tenant's record; with `read`, only if that still is
/// the version. `false`: it is not.
pub async fn put(
    scope: &Scope,
    user: UserId,
    document: &str,
    read: Option<u64>,
    entry: &AuditEntry<'_>,
) -> Result<bool, StoreError> {
    let args = vec![
        scope.tenant_arg(),
        user.to_string().into(),
        document.into(),
        entry.at.into(),
        read.map(count_arg).into(),
    ];
    scope.batch_once(vec![Stmt::new(PUT, args).exactly(1), audit_log::entry(scope, entry)]).await
}

/// The statement that forgets them, for the batch by which somebody leaves the tenant.
pub(crate) fn forget(scope: &Scope, user: UserId) -> Stmt {
    Stmt::new(FORGET, vec![scope.tenant_arg(), user.to_string().into()])
}
