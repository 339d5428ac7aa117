//! What people write down about calls. A call has few notes, so its list is read whole and filtered by whoever asks; those of all
//! calls are found by an index for each filter.

use voicecore_domain::words::words;
use voicecore_ports::{Stmt, Value};
use voicecore_types::{CallId, Millis, NoteId, Page, PageRequest};

use crate::audit_log::{self, AuditEntry};
use crate::paging::{self, Cursor};
use crate::row::{self, Reader, count_arg};
use crate::scope::visible_departments;
use crate::text_words::{self, TextNoun};
use crate::{Scope, StoreError};

/// The most notes of a call.
pub const MAX_NOTES: u32 = 100;

/// A note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Its id.
    pub id: NoteId,
    /// About which call.
    pub call_id: CallId,
    /// What kind of actor wrote it.
    pub author_kind: String,
    /// Which one.
    pub author_id: String,
    /// Markdown.
    pub body: String,
    /// One word or a few.
    pub category: Option<String>,
    /// Words without blanks in them.
    pub tags: Vec<String>,
    /// Grows by one with every change.
    pub version: u64,
    /// When it was written.
    pub created_at: Millis,
    /// When it was changed last.
    pub updated_at: Millis,
}

/// Which notes of all calls; every part that is given must fit.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoteFilter<'a> {
    /// About this call.
    pub call_id: Option<CallId>,
    /// By this author.
    pub author_id: Option<&'a str>,
    /// Of this category.
    pub category: Option<&'a str>,
    /// With this tag.
    pub tag: Option<&'a str>,
    /// With all of these words in them (as `voicecore_domain::words` makes them).
    pub words: &'a [String],
    /// The oldest first, and not the newest.
    pub oldest_first: bool,
}

/// The columns of a [`Note`], for `concat!`.
macro_rules! columns {
    () => {
        "select id, call_id, author_kind, author_id, body, category, tags, version, created_at, updated_at"
    };
}

/// A note belongs to the department of its call; its arguments are `Scope::viewer_args`.
const OF_VISIBLE: &str = concat!(
    "and exists (select 1 from calls c where c.id = call_notes.call_id and c.tenant_id = call_notes.tenant_id and c.department_id in ",
    visible_departments!("?", "?", "?"),
    ")"
);

statements! {
    FIND = concat!(columns!(), " from call_notes where tenant_id = ?");

    FIND_COUNT = "select count(*) as total from (select 1 from call_notes where tenant_id = ?";

    SEARCH = concat!(columns!(), " from text_words w join call_notes on call_notes.id = w.subject_id
        and call_notes.tenant_id = w.tenant_id where w.tenant_id = ? and w.noun = ? and w.word = ?");

    SEARCH_COUNT = "select count(*) as total from (select 1 from text_words w join call_notes on call_notes.id = w.subject_id
        and call_notes.tenant_id = w.tenant_id where w.tenant_id = ? and w.noun = ? and w.word = ?";

    LIST = concat!(columns!(), " from call_notes where call_id = ? and tenant_id = ?");

    GET = concat!(columns!(), " from call_notes where id = ? and call_id = ? and tenant_id = ?");

    INSERT = "insert into call_notes (id, tenant_id, call_id, author_kind, author_id, body, category, tags, version,
        created_at, updated_at)
        select ?, c.tenant_id, c.id, ?, ?, ?, ?, ?, 1, cast(? as bigint), cast(? as bigint) from calls c
        where c.id = ? and c.tenant_id = ?
        and (select count(*) from call_notes n where n.call_id = c.id and n.tenant_id = c.tenant_id) < ?";

    UPDATE = "update call_notes set body = ?, category = ?, tags = ?, updated_at = ?, version = version + 1
        where id = ? and call_id = ? and tenant_id = ? and version = ?";

    DELETE = "delete from call_notes where id = ? and call_id = ? and tenant_id = ?";
}

fn map(r: &Reader<'_>) -> Result<Note, StoreError> {
    Ok(Note {
        id: r.parsed("id")?,
        call_id: r.parsed("call_id")?,
        author_kind: r.text("author_kind")?,
        author_id: r.text("author_id")?,
        body: r.text("body")?,
        category: r.opt_text("category")?,
        tags: r.text("tags")?.split_ascii_whitespace().map(str::to_owned).collect(),
        version: r.count("version")?,
        created_at: r.moment("created_at")?,
        updated_at: r.moment("updated_at")?,
    })
}

/// All notes of a call, newest first; none of a call that is out of sight.
pub async fn list(scope: &Scope, call: CallId) -> Result<Vec<Note>, StoreError> {
    let mut stmt = in_sight(scope, Stmt::new(LIST, vec![call.to_string().into(), scope.tenant_arg()]));
    stmt.sql.push("order by created_at desc, id desc limit ?");
    stmt.args.push(MAX_NOTES.into());
    row::all(&scope.query(stmt).await?, |r| map(&r))
}

/// The page and the count.
pub(crate) fn find_stmts(
    scope: &Scope,
    filter: &NoteFilter<'_>,
    after: Option<&Cursor>,
    request: PageRequest,
) -> [Stmt; 2] {
    let mut sought: Vec<_> = filter.words.iter().map(|word| (TextNoun::Note, word.as_str())).collect();
    sought.extend(filter.tag.map(|tag| (TextNoun::NoteTag, tag)));
    let mut conditions = text_words::search(&sought);
    let mut add = |condition, arg: Option<Value>| paging::add(&mut conditions, condition, arg);
    add("and call_id = ?", filter.call_id.map(|id| id.to_string().into()));
    add("and author_id = ?", filter.author_id.map(Into::into));
    add("and category = ?", filter.category.map(Into::into));
    conditions.extend(scope.viewer_args().map(|args| (OF_VISIBLE, args.into())));
    let texts = if sought.is_empty() { [FIND, FIND_COUNT] } else { [SEARCH, SEARCH_COUNT] };
    let order = text_words::order(!sought.is_empty(), filter.oldest_first);
    paging::stmts(texts, &[scope.tenant_arg()], &conditions, &order, after, request)
}

/// Notes of all calls of the departments that the scope sees: a page by its number, or what follows `after`.
pub async fn find(
    scope: &Scope,
    filter: &NoteFilter<'_>,
    after: Option<&Cursor>,
    request: PageRequest,
) -> Result<Page<Note>, StoreError> {
    let found = paging::run(scope, find_stmts(scope, filter, after, request)).await?;
    found.page(request, |r| map(&r))
}

/// The statements that store what a note is found by.
fn words_of(scope: &Scope, note: &Note) -> [Stmt; 2] {
    let insert =
        |noun, words: &[String]| text_words::insert(scope, noun, note.id.to_string(), note.created_at, words);
    [insert(TextNoun::Note, &words(&note.body)), insert(TextNoun::NoteTag, &note.tags)]
}

/// One of them.
pub async fn get(scope: &Scope, call: CallId, id: NoteId) -> Result<Option<Note>, StoreError> {
    let stmt = in_sight(scope, Stmt::new(GET, names(scope, call, id)));
    row::one(&scope.query(stmt).await?, |r| map(&r))
}

/// Writes a note, on the tenant's record. `false`: the call has as many as it may have (or is out of sight).
pub async fn create(scope: &Scope, note: &Note, entry: &AuditEntry<'_>) -> Result<bool, StoreError> {
    let args = vec![
        note.id.to_string().into(),
        note.author_kind.as_str().into(),
        note.author_id.as_str().into(),
        note.body.as_str().into(),
        note.category.as_deref().into(),
        note.tags.join(" ").into(),
        note.created_at.into(),
        note.created_at.into(),
        note.call_id.to_string().into(),
        scope.tenant_arg(),
        MAX_NOTES.into(),
    ];
    let mut insert = Stmt::new(INSERT, args).exactly(1);
    scope.in_sight(&mut insert);
    let mut stmts = vec![insert, audit_log::entry(scope, entry)];
    stmts.extend(words_of(scope, note));
    scope.batch_once(stmts).await
}

/// Changes a note whose version is the one before `note.version`, on the tenant's record. `false`: it is another one by now, or out of
/// sight.
pub async fn update(scope: &Scope, note: &Note, entry: &AuditEntry<'_>) -> Result<bool, StoreError> {
    let mut args = vec![
        note.body.as_str().into(),
        note.category.as_deref().into(),
        note.tags.join(" ").into(),
        note.updated_at.into(),
    ];
    args.extend(names(scope, note.call_id, note.id));
    args.push(count_arg(note.version.saturating_sub(1)));
    let mut stmts = vec![
        in_sight(scope, Stmt::new(UPDATE, args).exactly(1)),
        text_words::forget(scope, note.id.to_string()),
        audit_log::entry(scope, entry),
    ];
    stmts.extend(words_of(scope, note));
    scope.batch_once(stmts).await
}

/// Deletes a note, on the tenant's record; with `version`, only if it still is that one. `false`: there is none (of that version).
pub async fn delete(
    scope: &Scope,
    note: &Note,
    version: Option<u64>,
    entry: &AuditEntry<'_>,
) -> Result<bool, StoreError> {
    let mut stmt = in_sight(scope, Stmt::new(DELETE, names(scope, note.call_id, note.id)).exactly(1));
    if let Some(version) = version {
        stmt.sql.push("and version = ?");
        stmt.args.push(count_arg(version));
    }
    let forget = text_words::forget(scope, note.id.to_string());
    scope.batch_once(vec![stmt, forget, audit_log::entry(scope, entry)]).await
}

/// The statement about notes of calls that the scope sees.
fn in_sight(scope: &Scope, mut stmt: Stmt) -> Stmt {
    if let Some(args) = scope.viewer_args() {
        stmt.sql.push(OF_VISIBLE);
        stmt.args.extend(args);
    }
    stmt
}

fn names(scope: &Scope, call: CallId, id: NoteId) -> Vec<Value> {
    vec![id.to_string().into(), call.to_string().into(), scope.tenant_arg()]
}
