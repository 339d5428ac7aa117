use std::collections::BTreeMap;

use voicecore_types::TenantId;

use crate::BoxFuture;

/// The most parameters of one statement (D1 and Durable Object SQL take no more).
pub const MAX_PARAMETERS: usize = 100;
/// The most statements of one batch.
pub const MAX_STATEMENTS: usize = 50;
/// The largest integer that a JavaScript number carries exactly, and with it the last moment that can be stored.
pub const MAX_INT: i64 = 1 << 53;

/// A value that goes into or comes out of a row. Booleans are 0/1, JSON and ids are text, moments are milliseconds.
///
/// Integers must lie within ±2^53: D1 hands them over as JavaScript numbers.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// A whole number within ±2^53.
    Int(i64),
    /// A floating-point number.
    Real(f64),
    /// Text.
    Text(String),
}

impl From<i64> for Value {
    fn from(v: i64) -> Self {
        Self::Int(v)
    }
}
impl From<u32> for Value {
    fn from(v: u32) -> Self {
        Self::Int(i64::from(v))
    }
}
impl From<bool> for Value {
    fn from(v: bool) -> Self {
        Self::Int(i64::from(v))
    }
}
impl From<&str> for Value {
    fn from(v: &str) -> Self {
        Self::Text(v.to_owned())
    }
}
impl From<String> for Value {
    fn from(v: String) -> Self {
        Self::Text(v)
    }
}
impl From<voicecore_types::Millis> for Value {
    fn from(v: voicecore_types::Millis) -> Self {
        Self::Int(i64::try_from(v.0).unwrap_or(MAX_INT).min(MAX_INT))
    }
}
impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(v: Option<T>) -> Self {
        v.map_or(Self::Null, Into::into)
    }
}

/// SQL text. It can be built from `&'static str` fragments only, so no input can ever become SQL, and a list with
/// optional filters stays injection-free. Parameters are `?1`, `?2`, … or `?` in order, one way in one statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sql(String);

impl Sql {
    /// A statement, or its beginning.
    #[must_use]
    pub fn new(text: &'static str) -> Self {
        Self(text.to_owned())
    }

    /// Appends a fragment; a blank is put between.
    pub fn push(&mut self, fragment: &'static str) {
        self.0.push(' ');
        self.0.push_str(fragment);
    }

    /// The text for the engine.
    pub fn text(&self) -> &str {
        &self.0
    }
}

/// How many rows a statement must change. Only an `insert`, `update` or `delete` can be asked: [`DbError::Invalid`]
/// otherwise. SQLite engines keep it through [`guard`](crate::guard), PostgreSQL by comparing counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Any number.
    Any,
    /// Exactly this many, or the whole batch is rolled back with [`DbError::Unexpected`].
    Exactly(u32),
}

/// Whose rows a statement can see and change. PostgreSQL enforces it with row-level security, so that a statement which
/// forgets its `where tenant_id` finds nothing of anybody else. The other engines cannot, and take no notice.
///
/// It comes from where the right to it comes from: the store's `Scope` sets the tenant, `store/directory` says
/// that it looks through all of them, and whoever forgets to say anything gets no tenant's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reach {
    /// No tenant's: only tables that belong to none.
    #[default]
    NoTenant,
    /// Those of one tenant.
    Tenant(TenantId),
    /// Those of every tenant: to find out whose a key, a number or an identifier is.
    EveryTenant,
}

/// One statement with its arguments.
#[derive(Debug, Clone, PartialEq)]
pub struct Stmt {
    /// The text.
    pub sql: Sql,
    /// The arguments, at most [`MAX_PARAMETERS`].
    pub args: Vec<Value>,
    /// What a batch demands of it.
    pub expect: Expect,
    /// Whose rows it works with.
    pub reach: Reach,
}

impl Stmt {
    /// A statement without a demand on its row count, which reaches no tenant's rows.
    #[must_use]
    pub fn new(sql: &'static str, args: Vec<Value>) -> Self {
        Self::of(Sql::new(sql), args)
    }

    /// The same, of a text that is put together from parts.
    #[must_use]
    pub fn of(sql: Sql, args: Vec<Value>) -> Self {
        Self { sql, args, expect: Expect::Any, reach: Reach::NoTenant }
    }

    /// The same statement for these rows.
    #[must_use]
    pub fn reaching(mut self, reach: Reach) -> Self {
        self.reach = reach;
        self
    }

    /// The same statement, demanding `rows` changed rows.
    #[must_use]
    pub fn exactly(mut self, rows: u32) -> Self {
        self.expect = Expect::Exactly(rows);
        self
    }
}

/// One row by column name. Columns are few, and a tree map keeps the order stable for tests.
pub type Row = BTreeMap<String, Value>;

/// What a statement gave: its rows (of a `select` or `returning`) and how many rows it changed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows {
    /// The rows.
    pub rows: Vec<Row>,
    /// Rows inserted, changed or deleted.
    pub changed: u64,
}

/// What went wrong. `Display` never shows arguments: they may be personal data.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// A unique key or another constraint refused the statement.
    #[error("the database refused the statement: constraint")]
    Constraint,
    /// A statement of a batch did not change as many rows as expected; nothing of the batch was stored.
    #[error("statement {index} of the batch changed another number of rows than expected")]
    Unexpected {
        /// Its position, from 0.
        index: usize,
    },
    /// The database cannot be reached or is overloaded. Trying again may help.
    #[error("the database is unavailable")]
    Unavailable,
    /// The statement is wrong, or a limit of the port was exceeded: a fault of ours.
    #[error("the statement was not accepted: {0}")]
    Invalid(String),
}

/// A SQL database (SQLite or PostgreSQL dialect; the portable subset is in `migrations/README.md`).
pub trait Db: Send + Sync {
    /// Runs one statement. Atomic by itself. `expect` is checked as in a batch of one.
    fn query(&self, stmt: Stmt) -> BoxFuture<'_, Result<Rows, DbError>>;

    /// Runs statements in order, all or nothing, on every engine without exception. Statement n sees what 1..n-1 did.
    /// A row count that misses `expect` rolls the whole batch back. An empty batch does nothing.
    fn batch(&self, stmts: Vec<Stmt>) -> BoxFuture<'_, Result<Vec<Rows>, DbError>>;
}
