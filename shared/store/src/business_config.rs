//! Businesses as people configure them. A change holds for the next call: a running one has read its business once
//! (`businesses::call_setup`).

use voicecore_domain::{BusinessKind, VoiceMode};
use voicecore_ports::{Stmt, Value};
use voicecore_types::{AssistantId, BusinessId, DepartmentId, Millis};

use crate::audit_log::{self, AuditEntry};
use crate::paging::COUNT_LIMIT;
use crate::row::{self, Reader, count_arg};
use crate::scope::visible_departments;
use crate::seal::{LookupHash, Sealed};
use crate::{Scope, StoreError};

/// The most businesses of a tenant.
pub const MAX_BUSINESSES: u32 = 100;

/// A business. `None` means the installation's default.
#[derive(Debug, Clone)]
pub struct Business {
    /// Its id.
    pub id: BusinessId,
    /// Its name.
    pub name: String,
    /// What kind of business it is.
    pub kind: BusinessKind,
    /// Who answers.
    pub assistant_id: Option<AssistantId>,
    /// How calls are held.
    pub voice_mode: Option<VoiceMode>,
    /// Whom calls can be transferred to; sealed for `Column::FallbackNumber`.
    pub fallback_number: Option<Sealed>,
    /// The longest call.
    pub call_length: Millis,
    /// Whether it was said when it is open (`opening_hours`).
    pub has_opening_hours: bool,
    /// The department whose calls these are.
    pub department_id: Option<DepartmentId>,
    /// Grows by one with every change.
    pub version: u64,
    /// When it was made.
    pub created_at: Millis,
    /// When it was changed last.
    pub updated_at: Millis,
}

/// What depends on a business.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Telephone numbers that ring there.
    pub phone_numbers: u64,
    /// Calls on the line now.
    pub active_calls: u64,
    /// Its calls, at most `Page::TOTAL_CAP` and one more.
    pub calls: u64,
    /// When the last of them came in.
    pub last_call_at: Option<Millis>,
}

/// The columns of a [`Business`], for `concat!`.
macro_rules! columns {
    () => {
        "id, name, kind, assistant_id, voice_mode, fallback_number, call_length_ms,
        time_zone, department_id, version, created_at, updated_at"
    };
}

/// What depends on a business; of its calls, those of which `$seen` is true, too.
macro_rules! usage {
    ($($seen:tt)*) => {
        concat!(
            "select (select count(*) from phone_numbers p where p.business_id = ?1 and p.tenant_id = ?2) as phone_numbers,
            (select count(*) from calls c where c.tenant_id = ?2 and c.ended_at is null and c.business_id = ?1", $($seen)*,
            ") as active_calls,
            (select count(*) from (select 1 from calls c where c.tenant_id = ?2 and c.business_id = ?1", $($seen)*,
            " limit ?3) as counted) as calls,
            (select max(c.started_at) from calls c where c.tenant_id = ?2 and c.business_id = ?1", $($seen)*, ") as last_call_at"
        )
    };
}

statements! {
    LIST = concat!("select ", columns!(), " from businesses where tenant_id = ?");

    GET = concat!("select ", columns!(), " from businesses where tenant_id = ? and id = ?");

    /// An assistant that was never published answers nobody.
    INSERT = "insert into businesses (id, tenant_id, name, kind, assistant_id, voice_mode, fallback_number, call_length_ms, version,
        created_at, updated_at)
        select ?1, t.id, ?3, ?4, ?5, ?6, ?7, cast(?8 as bigint), 1, cast(?9 as bigint), cast(?9 as bigint)
        from tenants t where t.id = ?2 and (select count(*) from businesses b where b.tenant_id = ?2) < ?10
        and (cast(?5 as text) is null
            or exists (select 1 from assistants a where a.id = ?5 and a.tenant_id = ?2 and a.published_version is not null))";

    UPDATE = "update businesses set name = ?3, kind = ?4, assistant_id = ?5, voice_mode = ?6, fallback_number = ?7,
        call_length_ms = ?8, updated_at = ?9, version = version + 1
        where id = ?1 and tenant_id = ?2 and version = ?10
        and (cast(?5 as text) is null
            or exists (select 1 from assistants a where a.id = ?5 and a.tenant_id = ?2 and a.published_version is not null))";

    /// A call that goes on still asks for its business; a number refers to it.
    DELETE = "delete from businesses where id = ?1 and tenant_id = ?2 and version = ?3
        and not exists (select 1 from phone_numbers p where p.business_id = ?1 and p.tenant_id = ?2)
        and not exists (select 1 from calls c where c.tenant_id = ?2 and c.ended_at is null and c.business_id = ?1)";

    OWN_NUMBER = "select count(*) as numbers from phone_numbers where number_hash = ?1 and tenant_id = ?2";

    USAGE = usage!("");

    USAGE_VISIBLE = usage!(concat!(" and c.department_id in ", visible_departments!("?2", "?4", "?2")));
}

fn map(r: &Reader<'_>) -> Result<Business, StoreError> {
    Ok(Business {
        id: r.parsed("id")?,
        name: r.text("name")?,
        // Neither is one here: nothing depends on it.
        kind: r.text("kind")?.parse().unwrap_or_default(),
        assistant_id: r.opt_parsed("assistant_id")?,
        // A word of a newer version is no choice that this one could follow.
        voice_mode: r.opt_text("voice_mode")?.and_then(|word| word.parse().ok()),
        fallback_number: r.sealed("fallback_number")?,
        call_length: r.moment("call_length_ms")?,
        has_opening_hours: r.opt_text("time_zone")?.is_some(),
        department_id: r.opt_parsed("department_id")?,
        version: r.count("version")?,
        created_at: r.moment("created_at")?,
        updated_at: r.moment("updated_at")?,
    })
}

/// The businesses of the departments that the scope sees, by name.
pub async fn list(scope: &Scope) -> Result<Vec<Business>, StoreError> {
    let mut stmt = seen(scope, Stmt::new(LIST, vec![scope.tenant_arg()]));
    stmt.sql.push("order by name, id limit ?");
    stmt.args.push(MAX_BUSINESSES.into());
    row::all(&scope.query(stmt).await?, |r| map(&r))
}

/// One of them.
pub async fn get(scope: &Scope, id: BusinessId) -> Result<Option<Business>, StoreError> {
    let stmt = seen(scope, Stmt::new(GET, vec![scope.tenant_arg(), id.to_string().into()]));
    row::one(&scope.query(stmt).await?, |r| map(&r))
}

fn seen(scope: &Scope, mut stmt: Stmt) -> Stmt {
    scope.in_sight(&mut stmt);
    stmt
}

/// Makes a business, on the tenant's record. `false`: there are as many as there may be.
pub async fn create(scope: &Scope, business: &Business, entry: &AuditEntry<'_>) -> Result<bool, StoreError> {
    let mut args = values(scope, business);
    args.extend([business.created_at.into(), MAX_BUSINESSES.into()]);
    scope.batch_once(vec![Stmt::new(INSERT, args).exactly(1), audit_log::entry(scope, entry)]).await
}

/// Changes a business whose version is the one before `business.version`, on the tenant's record, which names `fields`.
/// `false`: it is another one by now.
pub async fn update(
    scope: &Scope,
    business: &Business,
    entry: &AuditEntry<'_>,
    fields: &[&'static str],
) -> Result<bool, StoreError> {
    let mut args = values(scope, business);
    args.extend([business.updated_at.into(), count_arg(business.version.saturating_sub(1))]);
    let entry = audit_log::entry_of_fields(scope, entry, fields);
    scope.batch_once(vec![Stmt::new(UPDATE, args).exactly(1), entry]).await
}

/// Deletes this version of a business that no number and no running call needs, on the tenant's record. `false`: one does, or it
/// is another version by now.
pub async fn delete(scope: &Scope, business: &Business, entry: &AuditEntry<'_>) -> Result<bool, StoreError> {
    let args = vec![business.id.to_string().into(), scope.tenant_arg(), count_arg(business.version)];
    scope.batch_once(vec![Stmt::new(DELETE, args).exactly(1), audit_log::entry(scope, entry)]).await
}

/// Whether a number (hashed by `LookupKey::dialled`) is one of the tenant's own: a call that went on there would come back.
pub async fn is_own_number(scope: &Scope, number: &LookupHash) -> Result<bool, StoreError> {
    let rows = scope.query(Stmt::new(OWN_NUMBER, vec![number.into(), scope.tenant_arg()])).await?;
    Ok(row::one(&rows, |r| r.count("numbers"))?.unwrap_or(0) > 0)
}

/// What depends on a business of the tenant; of its calls, those that the scope sees: a call stays with the department that the business
/// belonged to when it came in.
pub async fn usage(scope: &Scope, id: BusinessId) -> Result<Usage, StoreError> {
    let args = vec![id.to_string().into(), scope.tenant_arg(), count_arg(COUNT_LIMIT)];
    let mut stmt = Stmt::new(USAGE, args);
    if let Some([_, viewer, _]) = scope.viewer_args() {
        stmt = Stmt::new(USAGE_VISIBLE, [stmt.args, vec![viewer]].concat());
    }
    let rows = scope.query(stmt).await?;
    let usage = row::one(&rows, |r| {
        Ok(Usage {
            phone_numbers: r.count("phone_numbers")?,
            active_calls: r.count("active_calls")?,
            calls: r.count("calls")?,
            last_call_at: r.opt_moment("last_call_at")?,
        })
    });
    usage?.ok_or(StoreError::OddRow { column: "calls" })
}

/// The eight values that are stored as they are given.
fn values(scope: &Scope, business: &Business) -> Vec<Value> {
    vec![
        business.id.to_string().into(),
        scope.tenant_arg(),
        business.name.as_str().into(),
        business.kind.as_str().into(),
        business.assistant_id.map(|id| id.to_string()).into(),
        business.voice_mode.map(VoiceMode::as_str).into(),
        business.fallback_number.as_ref().into(),
        business.call_length.into(),
    ]
}
