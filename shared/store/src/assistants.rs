//! Assistants: a draft that people change, and the versions of it that were published. Calls use the last of those
//! (`businesses::call_setup`); a version is never changed.

use voicecore_ports::{Stmt, Value};
use voicecore_types::{AssistantId, Millis};

use crate::audit_log::{self, AuditEntry};
use crate::row::{self, Reader, count_arg};
use crate::{Scope, StoreError};

/// The most assistants of a tenant.
pub const MAX_ASSISTANTS: u32 = 100;
/// The most versions of an assistant.
pub const MAX_VERSIONS: u32 = 1_000;

/// What an assistant is. `None` means the installation's default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Its name.
    pub name: String,
    /// What it says first.
    pub greeting: Option<String>,
    /// What the model is told.
    pub instructions: Option<String>,
    /// ISO 639-1.
    pub language: Option<String>,
    /// As the provider names it.
    pub voice: Option<String>,
    /// As the provider names it.
    pub model: Option<String>,
    /// Names of the tools that it has.
    pub tools: Option<Vec<String>>,
    /// When the model thinks that the caller has finished; JSON.
    pub turn_detection: Option<String>,
    /// A word.
    pub noise_reduction: Option<String>,
}

/// An assistant and its draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assistant {
    /// Its id.
    pub id: AssistantId,
    /// What people are writing.
    pub draft: Settings,
    /// Grows by one with every change.
    pub version: u64,
    /// The number of the version that calls use.
    pub published_version: Option<u64>,
    /// When it was made.
    pub created_at: Millis,
    /// When it was changed last.
    pub updated_at: Millis,
}

/// That something was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// From 1.
    pub number: u64,
    /// When.
    pub at: Millis,
    /// What kind of actor did it.
    pub by_kind: String,
    /// Which one.
    pub by_id: Option<String>,
}

/// The columns of [`Settings`] but the name, for `concat!`.
macro_rules! columns {
    () => {
        "greeting, instructions, language, voice, model, tools, turn_detection, noise_reduction"
    };
}

statements! {
    LIST = concat!("select id, name, ", columns!(), ", version, published_version, created_at, updated_at from assistants
        where tenant_id = ?1 order by name, id limit ?2");

    GET = concat!("select id, name, ", columns!(), ", version, published_version, created_at, updated_at from assistants
        where id = ?1 and tenant_id = ?2");

    INSERT = concat!("insert into assistants (id, tenant_id, name, ", columns!(), ", version, created_at, updated_at)
        select ?1, t.id, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 1, cast(?12 as bigint), cast(?12 as bigint) from tenants t
        where t.id = ?2 and (select count(*) from assistants a where a.tenant_id = ?2) < ?13");

    UPDATE = "update assistants set name = ?3, greeting = ?4, instructions = ?5, language = ?6, voice = ?7, model = ?8, tools = ?9,
        turn_detection = ?10, noise_reduction = ?11, updated_at = ?12, version = version + 1
        where id = ?1 and tenant_id = ?2 and version = ?13";

    PUBLISH = "update assistants set published_version = coalesce(published_version, 0) + 1, version = version + 1, updated_at = ?3
        where id = ?1 and tenant_id = ?2 and version = ?4 and coalesce(published_version, 0) < ?5";

    NEW_VERSION = concat!("insert into assistant_versions (tenant_id, assistant_id, number, name, ", columns!(), ",
        published_at, published_by_kind, published_by_id)
        select tenant_id, id, published_version, name, ", columns!(), ", cast(?3 as bigint), cast(?4 as text), cast(?5 as text)
        from assistants where id = ?1 and tenant_id = ?2");

    VERSIONS = "select number, published_at, published_by_kind, published_by_id from assistant_versions
        where assistant_id = ?1 and tenant_id = ?2 order by number desc limit ?3";

    VERSION = concat!("select number, name, ", columns!(), ", published_at, published_by_kind, published_by_id from assistant_versions
        where assistant_id = ?1 and tenant_id = ?2 and number = ?3");

    DELETE_VERSIONS = "delete from assistant_versions where assistant_id = ?1 and tenant_id = ?2
        and not exists (select 1 from businesses b where b.assistant_id = ?1 and b.tenant_id = ?2)";

    /// A business that names it needs it.
    DELETE = "delete from assistants where id = ?1 and tenant_id = ?2 and version = ?3
        and not exists (select 1 from businesses b where b.assistant_id = ?1 and b.tenant_id = ?2)";
}

impl Settings {
    /// As the columns of `columns!` have it, `name` first.
    pub(crate) fn map(r: &Reader<'_>, name: String) -> Result<Self, StoreError> {
        Ok(Self {
            name,
            greeting: r.opt_text("greeting")?,
            instructions: r.opt_text("instructions")?,
            language: r.opt_text("language")?,
            voice: r.opt_text("voice")?,
            model: r.opt_text("model")?,
            tools: r
                .opt_text("tools")?
                .map(|names| names.split_ascii_whitespace().map(str::to_owned).collect()),
            turn_detection: r.opt_text("turn_detection")?,
            noise_reduction: r.opt_text("noise_reduction")?,
        })
    }

    /// The nine values, `name` first.
    fn values(&self) -> [Value; 9] {
        [
            self.name.as_str().into(),
            self.greeting.as_deref().into(),
            self.instructions.as_deref().into(),
            self.language.as_deref().into(),
            self.voice.as_deref().into(),
            self.model.as_deref().into(),
            self.tools.as_ref().map(|names| names.join(" ")).into(),
            self.turn_detection.as_deref().into(),
            self.noise_reduction.as_deref().into(),
        ]
    }
}

fn map(r: &Reader<'_>) -> Result<Assistant, StoreError> {
    Ok(Assistant {
        id: r.parsed("id")?,
        draft: Settings::map(r, r.text("name")?)?,
        version: r.count("version")?,
        published_version: r.opt_count("published_version")?,
        created_at: r.moment("created_at")?,
        updated_at: r.moment("updated_at")?,
    })
}

fn map_publication(r: &Reader<'_>) -> Result<Publication, StoreError> {
    Ok(Publication {
        number: r.count("number")?,
        at: r.moment("published_at")?,
        by_kind: r.text("published_by_kind")?,
        by_id: r.opt_text("published_by_id")?,
    })
}

fn key(scope: &Scope, id: AssistantId) -> Vec<Value> {
    vec![id.to_string().into(), scope.tenant_arg()]
}

/// The tenant's assistants, by name.
pub async fn list(scope: &Scope) -> Result<Vec<Assistant>, StoreError> {
    let args = vec![scope.tenant_arg(), MAX_ASSISTANTS.into()];
    row::all(&scope.query(Stmt::new(LIST, args)).await?, |r| map(&r))
}

/// One of them.
pub async fn get(scope: &Scope, id: AssistantId) -> Result<Option<Assistant>, StoreError> {
    row::one(&scope.query(Stmt::new(GET, key(scope, id))).await?, |r| map(&r))
}

pub(crate) fn insert(scope: &Scope, id: AssistantId, draft: &Settings, now: Millis) -> Stmt {
    let mut args = key(scope, id);
    args.extend(draft.values());
    args.extend([now.into(), MAX_ASSISTANTS.into()]);
    Stmt::new(INSERT, args).exactly(1)
}

/// Makes an assistant that is not published, on the tenant's record. `false`: there are as many as there may be.
pub async fn create(
    scope: &Scope,
    assistant: &Assistant,
    entry: &AuditEntry<'_>,
) -> Result<bool, StoreError> {
    let insert = insert(scope, assistant.id, &assistant.draft, assistant.created_at);
    scope.batch_once(vec![insert, audit_log::entry(scope, entry)]).await
}

/// Changes the draft of an assistant whose version is the one before `assistant.version`, on the tenant's record, which names
/// `fields`. `false`: it is another one by now.
pub async fn update(
    scope: &Scope,
    assistant: &Assistant,
    entry: &AuditEntry<'_>,
    fields: &[&'static str],
) -> Result<bool, StoreError> {
    let mut args = key(scope, assistant.id);
    args.extend(assistant.draft.values());
    args.extend([assistant.updated_at.into(), count_arg(assistant.version.saturating_sub(1))]);
    let entry = audit_log::entry_of_fields(scope, entry, fields);
    scope.batch_once(vec![Stmt::new(UPDATE, args).exactly(1), entry]).await
}

pub(crate) fn publish_stmts(
    scope: &Scope,
    (id, version): (AssistantId, u64),
    (now, by_kind, by_id): (Millis, &str, Option<&str>),
) -> [Stmt; 2] {
    let mut publish = key(scope, id);
    publish.extend([now.into(), count_arg(version), MAX_VERSIONS.into()]);
    let mut new = key(scope, id);
    new.extend([now.into(), by_kind.into(), by_id.into()]);
    [Stmt::new(PUBLISH, publish).exactly(1), Stmt::new(NEW_VERSION, new).exactly(1)]
}

/// Publishes the draft of this version, on the tenant's record: from now on that is what calls use. `false`: it is another version
/// by now, or there are [`MAX_VERSIONS`].
pub async fn publish(
    scope: &Scope,
    id: AssistantId,
    version: u64,
    entry: &AuditEntry<'_>,
) -> Result<bool, StoreError> {
    let by = (entry.at, entry.actor_kind, entry.actor_id);
    let [publish, new] = publish_stmts(scope, (id, version), by);
    scope.batch_once(vec![publish, new, audit_log::entry(scope, entry)]).await
}

/// What was published of an assistant, newest first.
pub async fn versions(scope: &Scope, id: AssistantId) -> Result<Vec<Publication>, StoreError> {
    let mut args = key(scope, id);
    args.push(MAX_VERSIONS.into());
    row::all(&scope.query(Stmt::new(VERSIONS, args)).await?, |r| map_publication(&r))
}

/// One version, by its number.
pub async fn version(
    scope: &Scope,
    id: AssistantId,
    number: u64,
) -> Result<Option<(Publication, Settings)>, StoreError> {
    let mut args = key(scope, id);
    args.push(count_arg(number));
    row::one(&scope.query(Stmt::new(VERSION, args)).await?, |r| {
        Ok((map_publication(&r)?, Settings::map(&r, r.text("name")?)?))
    })
}

/// Deletes this version of an assistant that no business names, with all that was published of it, on the tenant's record.
/// `false`: one does, or it is another version by now.
pub async fn delete(
    scope: &Scope,
    assistant: &Assistant,
    entry: &AuditEntry<'_>,
) -> Result<bool, StoreError> {
    let mut args = key(scope, assistant.id);
    args.push(count_arg(assistant.version));
    let versions = Stmt::new(DELETE_VERSIONS, key(scope, assistant.id));
    let delete = Stmt::new(DELETE, args).exactly(1);
    scope.batch_once(vec![versions, delete, audit_log::entry(scope, entry)]).await
}
