//! Messages that callers left for human beings.

use voicecore_domain::MessageKind;
use voicecore_domain::words::words;
use voicecore_ports::{Stmt, Value};
use voicecore_types::{BusinessId, CallId, DepartmentId, MessageId, Millis, Page, PageRequest, UserId};

use crate::audit_log::{self, AuditEntry};
use crate::paging::{self, Cursor};
use crate::row::{self, Reader, count_arg};
use crate::seal::Sealed;
use crate::text_words::{self, TextNoun};
use crate::{Scope, StoreError, notifications};

/// A message as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// For whom.
    pub business_id: BusinessId,
    /// From which call.
    pub call_id: CallId,
    /// How it was left.
    pub kind: MessageKind,
    /// Who left it, as far as they said.
    pub caller_name: Option<String>,
    /// Where to ring back; sealed for `Column::CallbackNumber`.
    pub callback_number: Option<Sealed>,
    /// What it says; empty for a voicemail.
    pub body: String,
    /// The carrier's name of a voicemail's recording.
    pub recording_id: Option<String>,
    /// How long that is.
    pub recording_length: Option<Millis>,
    /// When.
    pub created_at: Millis,
    /// The department of the business at the time.
    pub department_id: Option<DepartmentId>,
    /// Since when nobody needs to deal with it any more.
    pub handled_at: Option<Millis>,
    /// Whose task it is.
    pub assignee_id: Option<UserId>,
    /// Grows by one with every change.
    pub version: u64,
}

/// Which messages; every part that is given must fit.
#[derive(Debug, Clone, Default)]
pub struct MessageFilter {
    /// Of this department itself.
    pub department_id: Option<DepartmentId>,
    /// Dealt with, or not yet.
    pub handled: Option<bool>,
    /// The task of this user.
    pub assignee_id: Option<UserId>,
    /// Left at this moment or later.
    pub since: Option<Millis>,
    /// Left before this moment.
    pub until: Option<Millis>,
    /// With all of these words in them (as `voicecore_domain::words` makes them).
    pub words: Vec<String>,
    /// The oldest first, and not the newest.
    pub oldest_first: bool,
}

/// A message that the assistant wrote down. The business is the call's.
#[derive(Debug, Clone)]
pub struct NewMessage<'a> {
    /// Its id.
    pub id: MessageId,
    /// From which call.
    pub call_id: CallId,
    /// Who left it, as far as they said.
    pub caller_name: Option<&'a str>,
    /// Where to ring back; sealed for `Column::CallbackNumber`.
    pub callback_number: Option<&'a Sealed>,
    /// What it says.
    pub body: &'a str,
    /// When.
    pub created_at: Millis,
}

/// A message that the caller spoke onto a recording. The business is the call's.
#[derive(Debug, Clone)]
pub struct NewVoicemail<'a> {
    /// Its id.
    pub id: MessageId,
    /// From which call.
    pub call_id: CallId,
    /// Where to ring back; sealed for `Column::CallbackNumber`.
    pub callback_number: Option<&'a Sealed>,
    /// The carrier's name of the recording.
    pub recording_id: &'a str,
    /// How long that is.
    pub recording_length: Option<Millis>,
    /// When.
    pub created_at: Millis,
}

/// The columns of a [`Message`], for `concat!`.
macro_rules! columns {
    () => {
        "select id, business_id, call_id, kind, caller_name, callback_number, body, recording_id, recording_ms, created_at,
        department_id, handled_at, assignee_id, version"
    };
}

statements! {
    INSERT = "insert into messages (id, tenant_id, business_id, call_id, kind, caller_name, callback_number, body, created_at,
        department_id)
        select ?1, c.tenant_id, c.business_id, c.id, 'message', ?4, ?5, ?6, ?7, c.department_id from calls c
        where c.id = ?3 and c.tenant_id = ?2";

    INSERT_VOICEMAIL = "insert into messages (id, tenant_id, business_id, call_id, kind, callback_number, body, recording_id,
        recording_ms, created_at, department_id)
        select ?1, c.tenant_id, c.business_id, c.id, 'voicemail', ?4, '', ?5, ?6, ?7, c.department_id from calls c
        where c.id = ?3 and c.tenant_id = ?2
        on conflict (call_id, recording_id) do nothing";

    GET = concat!(columns!(), " from messages where id = ? and tenant_id = ?");

    LIST = concat!(columns!(), " from messages where tenant_id = ?");

    COUNT = "select count(*) as total from (select 1 from messages where tenant_id = ?";

    SEARCH = concat!(columns!(), " from text_words w join messages on messages.id = w.subject_id
        and messages.tenant_id = w.tenant_id where w.tenant_id = ? and w.noun = ? and w.word = ?");

    SEARCH_COUNT = "select count(*) as total from (select 1 from text_words w join messages on messages.id = w.subject_id
        and messages.tenant_id = w.tenant_id where w.tenant_id = ? and w.noun = ? and w.word = ?";

    UPDATE = "update messages set handled_at = ?, assignee_id = ?, version = version + 1
        where id = ? and tenant_id = ? and version = ?";

    DELETE = "delete from messages where id = ? and tenant_id = ? and version = ?";

    /// Whoever does not work for the tenant any more has no tasks there.
    LEAVE = "update messages set assignee_id = null, version = version + 1 where tenant_id = ?1 and assignee_id = ?2";
}

fn map(r: &Reader<'_>) -> Result<Message, StoreError> {
    Ok(Message {
        id: r.parsed("id")?,
        business_id: r.parsed("business_id")?,
        call_id: r.parsed("call_id")?,
        kind: r.parsed("kind")?,
        caller_name: r.opt_text("caller_name")?,
        callback_number: r.sealed("callback_number")?,
        body: r.text("body")?,
        recording_id: r.opt_text("recording_id")?,
        recording_length: r.opt_moment("recording_ms")?,
        created_at: r.moment("created_at")?,
        department_id: r.opt_parsed("department_id")?,
        handled_at: r.opt_moment("handled_at")?,
        assignee_id: r.opt_parsed("assignee_id")?,
        version: r.count("version")?,
    })
}

/// The statements that store a message; they demand that the call is the tenant's. They belong into the batch of
/// [`tool_runs::finish`](crate::tool_runs::finish), which makes it happen once.
pub fn insert(scope: &Scope, message: &NewMessage<'_>) -> [Stmt; 2] {
    let args = vec![
        message.id.to_string().into(),
        scope.tenant_arg(),
        message.call_id.to_string().into(),
        message.caller_name.into(),
        message.callback_number.into(),
        message.body.into(),
        message.created_at.into(),
    ];
    let (id, words) = (message.id.to_string(), words(message.body));
    [
        Stmt::new(INSERT, args).exactly(1),
        text_words::insert(scope, TextNoun::Message, id, message.created_at, &words),
    ]
}

/// Stores a voicemail, once for each recording of a call. `false`: it is there already (or the call is not the tenant's),
/// nothing was stored.
pub async fn insert_voicemail(scope: &Scope, voicemail: &NewVoicemail<'_>) -> Result<bool, StoreError> {
    let args = vec![
        voicemail.id.to_string().into(),
        scope.tenant_arg(),
        voicemail.call_id.to_string().into(),
        voicemail.callback_number.into(),
        voicemail.recording_id.into(),
        voicemail.recording_length.into(),
        voicemail.created_at.into(),
    ];
    let stmts = vec![Stmt::new(INSERT_VOICEMAIL, args), notifications::of_message(scope, voicemail.id)];
    Ok(scope.batch(stmts).await?.first().is_some_and(|stored| stored.changed == 1))
}

/// The page and the count.
pub(crate) fn list_stmts(
    scope: &Scope,
    filter: &MessageFilter,
    after: Option<&Cursor>,
    request: PageRequest,
) -> [Stmt; 2] {
    let sought: Vec<_> = filter.words.iter().map(|word| (TextNoun::Message, word.as_str())).collect();
    let mut conditions = text_words::search(&sought);
    let mut add = |condition, arg: Option<Value>| paging::add(&mut conditions, condition, arg);
    add("and department_id = ?", filter.department_id.map(|id| id.to_string().into()));
    add("and assignee_id = ?", filter.assignee_id.map(|id| id.to_string().into()));
    add("and created_at >= ?", filter.since.map(Into::into));
    add("and created_at < ?", filter.until.map(Into::into));
    conditions.extend(filter.handled.map(|handled| {
        (if handled { "and handled_at is not null" } else { "and handled_at is null" }, vec![])
    }));
    conditions.extend(scope.sight());
    let searched = !sought.is_empty();
    let texts = if searched { [SEARCH, SEARCH_COUNT] } else { [LIST, COUNT] };
    let order = text_words::order(searched, filter.oldest_first);
    paging::stmts(texts, &[scope.tenant_arg()], &conditions, &order, after, request)
}

/// The tenant's messages, of the departments that the scope sees: a page by its number, or what follows `after`.
pub async fn list(
    scope: &Scope,
    filter: &MessageFilter,
    after: Option<&Cursor>,
    request: PageRequest,
) -> Result<Page<Message>, StoreError> {
    let found = paging::run(scope, list_stmts(scope, filter, after, request)).await?;
    found.page(request, |r| map(&r))
}

/// One of them.
pub async fn get(scope: &Scope, id: MessageId) -> Result<Option<Message>, StoreError> {
    row::one(&scope.query(named(scope, GET, vec![], id, None)).await?, |r| map(&r))
}

/// Stores who deals with a message, and whether that is done, of one whose version is the one before `message.version`; on the
/// tenant's record. `false`: it is another one by now, or out of sight.
pub async fn update(scope: &Scope, message: &Message, entry: &AuditEntry<'_>) -> Result<bool, StoreError> {
    let assignee = message.assignee_id.map(|id| id.to_string());
    let args = vec![message.handled_at.into(), assignee.into()];
    let stmt = named(scope, UPDATE, args, message.id, Some(message.version.saturating_sub(1)));
    scope.batch_once(vec![stmt.exactly(1), audit_log::entry(scope, entry)]).await
}

/// Deletes a message of this version, on the tenant's record. `false`: it is another one by now, or out of sight.
pub async fn delete(scope: &Scope, message: &Message, entry: &AuditEntry<'_>) -> Result<bool, StoreError> {
    let stmts = vec![
        named(scope, DELETE, vec![], message.id, Some(message.version)).exactly(1),
        text_words::forget(scope, message.id.to_string()),
        audit_log::entry(scope, entry),
    ];
    scope.batch_once(stmts).await
}

/// The statement that takes the tasks of a user away, for the batch by which they leave the tenant.
pub(crate) fn leave(scope: &Scope, user: UserId) -> Stmt {
    Stmt::new(LEAVE, vec![scope.tenant_arg(), user.to_string().into()])
}

/// A statement about one message that the scope sees.
fn named(
    scope: &Scope,
    text: &'static str,
    mut args: Vec<Value>,
    id: MessageId,
    version: Option<u64>,
) -> Stmt {
    args.extend([id.to_string().into(), scope.tenant_arg()]);
    args.extend(version.map(count_arg));
    let mut stmt = Stmt::new(text, args);
    scope.in_sight(&mut stmt);
    stmt
}
