//! How SQLite engines keep the promise of [`Db::batch`](crate::Db::batch) about row counts.
//!
//! D1 runs a batch as one transaction but gives no say between its statements: only a statement that *fails* rolls
//! it back. So each statement with a demand is followed by a guard: a `select` that does nothing when `changes()` is the
//! number wanted and fails when it is not. It needs no table, writes nothing, and leaves `changes()` as it was.
//! PostgreSQL does not need it: there the adapter holds the transaction and compares counts itself.
//!
//! The failing expression is a JSON path that is not one. Its text comes back in the engine's error message, which is
//! how the position of the statement is known. It contains `changes()`, because SQLite hoists function calls with
//! constant arguments out of the row loop and would evaluate it even where `where` lets nothing through.
//!
//! Run on SQLite and on D1 under workerd by `tests/conformance`.

use crate::{DbError, Expect, MAX_INT, MAX_PARAMETERS, MAX_STATEMENTS, Rows, Sql, Stmt, Value};

/// What makes our own failure recognisable among the engine's.
const MARKER: &str = "expect-missed:";

/// The guard: `?1` is the statement's position as text, `?2` the number of rows wanted.
const GUARD: &str =
    "select json_extract('{}', 'expect-missed:' || ?1 || ':' || changes()) where changes() <> ?2";

/// A batch made ready for a SQLite engine: the statements to run, in order, within one transaction.
#[derive(Debug, Clone, PartialEq)]
pub struct Guarded {
    /// The statements, guards among them. Their `expect` has been dealt with.
    pub stmts: Vec<Stmt>,
    keep: Vec<bool>,
}

impl Guarded {
    /// Checks the port's limits and puts a guard behind each statement with a demand.
    ///
    /// Fails with [`DbError::Invalid`] for too many statements or parameters, an integer beyond ±2^53, a float that is
    /// not finite, and a demand on a statement that changes no rows (`changes()` would answer for an earlier one).
    pub fn new(stmts: Vec<Stmt>) -> Result<Self, DbError> {
        check_limits(&stmts)?;
        let mut guarded = Self { stmts: Vec::with_capacity(stmts.len() * 2), keep: Vec::new() };
        for (index, stmt) in stmts.into_iter().enumerate() {
            let expect = stmt.expect;
            guarded.push(stmt, true);
            if let Expect::Exactly(rows) = expect {
                guarded.push(Stmt::new(GUARD, vec![index.to_string().into(), rows.into()]), false);
            }
        }
        Ok(guarded)
    }

    fn push(&mut self, stmt: Stmt, keep: bool) {
        self.stmts.push(stmt);
        self.keep.push(keep);
    }

    /// The engine's results without those of the guards: one for each statement that was asked for.
    pub fn results(&self, all: Vec<Rows>) -> Vec<Rows> {
        all.into_iter().zip(&self.keep).filter_map(|(rows, keep)| keep.then_some(rows)).collect()
    }
}

/// Checks what every engine must refuse alike, so that nothing works on one of them only.
pub fn check_limits(stmts: &[Stmt]) -> Result<(), DbError> {
    if stmts.len() > MAX_STATEMENTS {
        return Err(DbError::Invalid(format!("{} statements in a batch", stmts.len())));
    }
    for stmt in stmts {
        if stmt.args.len() > MAX_PARAMETERS {
            return Err(DbError::Invalid(format!("{} parameters", stmt.args.len())));
        }
        if !stmt.args.iter().all(fits) {
            return Err(DbError::Invalid("a number that not every engine can carry".to_owned()));
        }
        if stmt.expect != Expect::Any && !changes_rows(&stmt.sql) {
            return Err(DbError::Invalid(
                "a row count is demanded of a statement that changes nothing".to_owned(),
            ));
        }
    }
    Ok(())
}

fn fits(value: &Value) -> bool {
    match value {
        Value::Int(n) => (-MAX_INT..=MAX_INT).contains(n),
        Value::Real(x) => x.is_finite(),
        Value::Null | Value::Text(_) => true,
    }
}

/// Whether it is an `insert`, `update` or `delete`: only those have a row count.
pub fn changes_rows(sql: &Sql) -> bool {
    let text = sql.text().trim_start();
    ["insert ", "update ", "delete "]
        .iter()
        .any(|verb| text.get(..verb.len()).is_some_and(|start| start.eq_ignore_ascii_case(verb)))
}

/// What an error message of a SQLite engine means: rusqlite's, Spin's or D1's, which differ in their frame only.
///
/// An unknown message is [`DbError::Unavailable`]: D1 reports overload, resets and lost connections in many wordings,
/// all of which are worth another try, while the faults of a statement are few and known.
pub fn sqlite_error(message: &str) -> DbError {
    const FAULTS: [&str; 8] = [
        "syntax error",
        "no such ",
        "has no column",
        "too many SQL variables",
        "incomplete input",
        "unrecognized token",
        "not authorized",
        "Wrong number of parameter",
    ];
    if let Some((_, after)) = message.split_once(MARKER) {
        let index = after.split(':').next().and_then(|text| text.parse().ok()).unwrap_or(0);
        return DbError::Unexpected { index };
    }
    if message.contains("constraint failed") {
        return DbError::Constraint;
    }
    match FAULTS.iter().find(|fault| message.contains(**fault)) {
        // Only the kind is kept: the rest of the message may quote what was stored.
        Some(fault) => DbError::Invalid((*fault).trim().to_owned()),
        None => DbError::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update() -> Stmt {
        Stmt::new("update t set a = ?1", vec![1_i64.into()])
    }

    #[test]
    fn a_guard_follows_each_statement_with_a_demand() {
        let guarded =
            Guarded::new(vec![update(), update().exactly(2), Stmt::new("select 1", vec![])]).unwrap();
        let texts: Vec<_> = guarded.stmts.iter().map(|s| s.sql.text()).collect();
        assert_eq!(texts, ["update t set a = ?1", "update t set a = ?1", GUARD, "select 1"]);
        assert_eq!(guarded.stmts[2].args, [Value::Text("1".to_owned()), Value::Int(2)]);

        let all = (0..4).map(|changed| Rows { rows: vec![], changed }).collect();
        let kept: Vec<_> = guarded.results(all).iter().map(|r| r.changed).collect();
        assert_eq!(kept, [0, 1, 3]);
    }

    #[test]
    fn what_not_every_engine_can_do_is_refused() {
        let refused = |stmt: Stmt| matches!(Guarded::new(vec![stmt]), Err(DbError::Invalid(_)));
        assert!(refused(Stmt::new("select 1", vec![]).exactly(1)));
        assert!(refused(Stmt::new("update t set a = ?", vec![(MAX_INT + 1).into()])));
        assert!(refused(Stmt::new("update t set a = ?", vec![Value::Real(f64::NAN)])));
        assert!(refused(Stmt::new("select 1", vec![Value::Null; MAX_PARAMETERS + 1])));
        assert!(!refused(Stmt::new("select 1", vec![Value::Null; MAX_PARAMETERS])));
        assert!(Guarded::new(vec![update(); MAX_STATEMENTS + 1]).is_err());
    }

    #[test]
    fn messages_are_understood() {
        // The first three as D1 under workerd words them, the rest as SQLite does.
        assert!(matches!(
            sqlite_error("D1_ERROR: bad JSON path: 'expect-missed:12:0': SQLITE_ERROR"),
            DbError::Unexpected { index: 12 }
        ));
        assert!(matches!(
            sqlite_error(
                "D1_ERROR: UNIQUE constraint failed: x.id: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_PRIMARYKEY)"
            ),
            DbError::Constraint
        ));
        assert!(matches!(sqlite_error("D1_ERROR: no such table: nope: SQLITE_ERROR"), DbError::Invalid(_)));
        assert!(matches!(sqlite_error("near \"selec\": syntax error"), DbError::Invalid(_)));
        assert!(matches!(sqlite_error("database is locked"), DbError::Unavailable));
        assert!(matches!(sqlite_error("expect-missed:"), DbError::Unexpected { index: 0 }));
    }
}
