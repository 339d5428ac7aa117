//! What has happened that somebody should know. An event is one row, written in its batch; who is told of it is asked when they look:
//! whoever may see what it is about. What each has read and put away is theirs, and on nobody's record.

use voicecore_domain::{NotificationKind, Permissions};
use voicecore_ports::{Db, Stmt, Value};
use voicecore_types::{CallId, MessageId, Millis, NotificationId, Page, PageRequest, UserId};

use crate::directory::across_tenants;
use crate::paging::{self, Condition, Cursor, Order};
use crate::row::Reader;
use crate::{Scope, StoreError, row};

/// The most that are forgotten, and keys that are spoken of, in one run.
const AT_ONCE: u32 = 500;

/// A notification as one user sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Its id.
    pub id: NotificationId,
    /// What happened.
    pub kind: NotificationKind,
    /// The id of what it is about.
    pub subject_id: String,
    /// When it happened.
    pub created_at: Millis,
    /// When the user read it, if they did.
    pub read_at: Option<Millis>,
}

/// Who looks.
#[derive(Debug, Clone, Copy)]
pub struct Recipient<'a> {
    /// Which user.
    pub user: UserId,
    /// What they may do.
    pub permissions: &'a Permissions,
}

/// Which notifications; every part that is given must fit.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter {
    /// Only those that the user has not read.
    pub unread: bool,
    /// Of this kind.
    pub kind: Option<NotificationKind>,
    /// That happened at this moment or later.
    pub since: Option<Millis>,
    /// That happened before this moment.
    pub until: Option<Millis>,
}

/// A user's own states and mark beside each notification, for `concat!`. Who has just come has read what was before.
macro_rules! joined {
    () => {
        " from notifications n
        left join notification_states s on s.tenant_id = n.tenant_id and s.notification_id = n.id and s.user_id = ?
        left join notification_marks k on k.tenant_id = n.tenant_id and k.user_id = ?
        left join memberships m on m.tenant_id = n.tenant_id and m.user_id = ?
        where n.tenant_id = ? and s.hidden_at is null and n.kind in (?, ?, ?, ?, ?, ?)"
    };
}

const UNREAD: &str = "and s.read_at is null and n.created_at > coalesce(k.read_until, m.created_at, 0)";

statements! {
    LIST = concat!("select n.id, n.kind, n.subject_id, n.created_at, case when s.read_at is not null then s.read_at
        when n.created_at <= coalesce(k.read_until, m.created_at, 0) then coalesce(k.read_until, m.created_at) end as read_at",
        joined!());

    LIST_COUNT = concat!("select count(*) as total from (select 1", joined!());

    READ = "insert into notification_states (tenant_id, user_id, notification_id, read_at)
        select n.tenant_id, ?2, n.id, cast(?4 as bigint) from notifications n where n.id = ?3 and n.tenant_id = ?1
        on conflict (tenant_id, user_id, notification_id) do update
        set read_at = coalesce(notification_states.read_at, excluded.read_at)";

    HIDE = "insert into notification_states (tenant_id, user_id, notification_id, read_at, hidden_at)
        select n.tenant_id, ?2, n.id, cast(?4 as bigint), cast(?4 as bigint) from notifications n
        where n.id = ?3 and n.tenant_id = ?1
        on conflict (tenant_id, user_id, notification_id) do update set hidden_at = excluded.hidden_at";

    READ_ALL = "insert into notification_marks (tenant_id, user_id, read_until) values (?1, ?2, ?3)
        on conflict (tenant_id, user_id) do update set read_until = excluded.read_until
        where notification_marks.read_until < excluded.read_until";

    OF_MESSAGE = "insert into notifications (id, tenant_id, kind, subject_id, department_id, created_at)
        select m.id, m.tenant_id, case when m.kind = 'voicemail' then 'voicemail_received' else 'message_received' end, m.id,
        m.department_id, m.created_at from messages m where m.id = ?1 and m.tenant_id = ?2
        on conflict (id) do nothing";

    OF_CALL = "insert into notifications (id, tenant_id, kind, subject_id, department_id, created_at)
        select c.id, c.tenant_id, case when c.end_reason = 'transferred' then 'call_escalated' else 'call_failed' end, c.id,
        c.department_id, cast(?3 as bigint) from calls c where c.id = ?1 and c.tenant_id = ?2
        and c.end_reason in ('transferred', 'model_unavailable', 'stream_lost', 'abandoned')
        on conflict (id) do nothing";

    OF_KEYS = "insert into notifications (id, tenant_id, kind, subject_id, created_at)
        select a.id, a.tenant_id, 'api_key_expiring', a.id, cast(?1 as bigint) from api_keys a
        where a.revoked_at is null and a.expires_at is not null and a.expires_at > ?1 and a.expires_at <= ?2
        and not exists (select 1 from notifications o where o.id = a.id) order by a.expires_at limit ?3
        on conflict (id) do nothing";

    FORGET_STATES = "delete from notification_states where notification_id in (
        select id from notifications where created_at < ?1 order by created_at limit ?2)";

    FORGET = "delete from notifications where id in (
        select id from notifications where created_at < ?1 order by created_at limit ?2)";

    LEAVE_STATES = "delete from notification_states where tenant_id = ?1 and user_id = ?2";

    LEAVE_MARK = "delete from notification_marks where tenant_id = ?1 and user_id = ?2";
}

fn map(r: &Reader<'_>) -> Result<Notification, StoreError> {
    Ok(Notification {
        id: r.parsed("id")?,
        kind: r.parsed("kind")?,
        subject_id: r.text("subject_id")?,
        created_at: r.moment("created_at")?,
        read_at: r.opt_moment("read_at")?,
    })
}

/// What concerns a user, newest first: a page by its number, or what follows `after`.
pub async fn list(
    scope: &Scope,
    who: Recipient<'_>,
    filter: Filter,
    after: Option<&Cursor>,
    request: PageRequest,
) -> Result<Page<Notification>, StoreError> {
    let found = paging::run(scope, list_stmts(scope, who, filter, after, request)).await?;
    found.page(request, |r| map(&r))
}

/// One of them.
pub async fn get(
    scope: &Scope,
    who: Recipient<'_>,
    id: NotificationId,
) -> Result<Option<Notification>, StoreError> {
    let mut stmt = Stmt::new(LIST, joined(scope, who));
    stmt.sql.push("and n.id = ?");
    stmt.args.push(id.to_string().into());
    scope.in_sight(&mut stmt);
    row::one(&scope.query(stmt).await?, |r| map(&r))
}

/// The page and the count.
pub(crate) fn list_stmts(
    scope: &Scope,
    who: Recipient<'_>,
    filter: Filter,
    after: Option<&Cursor>,
    request: PageRequest,
) -> [Stmt; 2] {
    let order = Order {
        by: "order by n.created_at desc, n.id desc",
        after: "and (n.created_at, n.id) < (cast(? as bigint), ?)",
    };
    paging::stmts([LIST, LIST_COUNT], &joined(scope, who), &conditions(scope, filter), &order, after, request)
}

/// The arguments of `joined!`.
fn joined(scope: &Scope, who: Recipient<'_>) -> Vec<Value> {
    let user = || Value::from(who.user.to_string());
    let mut args = vec![user(), user(), user(), scope.tenant_arg()];
    // A kind that is no word stands for one that the user is not told of.
    args.extend(NotificationKind::ALL.map(|kind| {
        let told = who.permissions.contains(kind.needs());
        Value::from(if told { kind.as_str() } else { "" })
    }));
    args
}

fn conditions(scope: &Scope, filter: Filter) -> Vec<Condition> {
    let mut conditions = vec![];
    if filter.unread {
        conditions.push((UNREAD, vec![]));
    }
    let mut add = |condition, arg: Option<Value>| paging::add(&mut conditions, condition, arg);
    add("and n.kind = ?", filter.kind.map(|kind| kind.as_str().into()));
    add("and n.created_at >= ?", filter.since.map(Value::from));
    add("and n.created_at < ?", filter.until.map(Value::from));
    conditions.extend(scope.sight());
    conditions
}

/// The user has read it. That it concerns them has been found out before.
pub async fn read(scope: &Scope, user: UserId, id: NotificationId, now: Millis) -> Result<(), StoreError> {
    scope.query(Stmt::new(READ, state(scope, user, id, now))).await?;
    Ok(())
}

/// The user does not want to see it any more, likewise.
pub async fn hide(scope: &Scope, user: UserId, id: NotificationId, now: Millis) -> Result<(), StoreError> {
    scope.query(Stmt::new(HIDE, state(scope, user, id, now))).await?;
    Ok(())
}

/// The user has read everything that has happened until now.
pub async fn read_all(scope: &Scope, user: UserId, now: Millis) -> Result<(), StoreError> {
    let args = vec![scope.tenant_arg(), user.to_string().into(), now.into()];
    scope.query(Stmt::new(READ_ALL, args)).await?;
    Ok(())
}

/// The statement that tells of a message, for the batch that stores it, after it.
pub fn of_message(scope: &Scope, message: MessageId) -> Stmt {
    Stmt::new(OF_MESSAGE, vec![message.to_string().into(), scope.tenant_arg()])
}

/// The statement that tells of a call that ended in a way that somebody should know of, for the batch that finishes it, after it.
pub(crate) fn of_call(scope: &Scope, call: CallId, now: Millis) -> Stmt {
    Stmt::new(OF_CALL, vec![call.to_string().into(), scope.tenant_arg(), now.into()])
}

/// Tells of keys of all tenants that open nothing soon, each once, a limited number. For the job.
pub async fn of_keys(db: &dyn Db, now: Millis) -> Result<(), StoreError> {
    let args = vec![now.into(), now.plus(NotificationKind::KEY_NOTICE).into(), AT_ONCE.into()];
    db.query(across_tenants(OF_KEYS, args)).await?;
    Ok(())
}

/// Deletes what has been kept long enough, a limited number.
pub async fn forget(db: &dyn Db, now: Millis) -> Result<(), StoreError> {
    let before = Millis(now.0.saturating_sub(NotificationKind::KEPT.0));
    let args = || vec![before.into(), AT_ONCE.into()];
    db.batch(vec![across_tenants(FORGET_STATES, args()), across_tenants(FORGET, args())]).await?;
    Ok(())
}

/// The statements that forget what a user has read, for the batch by which they leave the tenant.
pub(crate) fn leave(scope: &Scope, user: UserId) -> [Stmt; 2] {
    [LEAVE_STATES, LEAVE_MARK].map(|text| Stmt::new(text, vec![scope.tenant_arg(), user.to_string().into()]))
}

fn state(scope: &Scope, user: UserId, id: NotificationId, now: Millis) -> Vec<Value> {
    vec![scope.tenant_arg(), user.to_string().into(), id.to_string().into(), now.into()]
}
