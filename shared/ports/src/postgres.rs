//! What every adapter of PostgreSQL does alike, whichever client it speaks through: one dialect of SQL, row counts,
//! whose rows a transaction reaches, and what errors mean.
//!
//! PostgreSQL wants to know the type of each parameter. It is that of the argument: [`Value::Int`] is `bigint`,
//! [`Value::Text`] is `text`, [`Value::Real`] is `double precision`. Null has none, so PostgreSQL infers it from the
//! statement: where it cannot (in the list of an `insert … select`), the statement says `cast(?1 as bigint)`.
//!
//! Run on a real server by `tests/conformance`.

use std::fmt::Write as _;

use crate::guard::{changes_rows, check_limits};
use crate::{DbError, Expect, MAX_INT, Reach, Row, Rows, Stmt, Value};

/// What an adapter has to do, in this order.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Whether it needs `begin` and `commit` around it. One statement that demands nothing and reaches no tenant does not.
    pub transaction: bool,
    /// The statements.
    pub steps: Vec<Step>,
}

/// One statement for PostgreSQL.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// To be run before it: sets whose rows are reached, where that changes.
    pub reach: Option<String>,
    /// The text, with parameters as PostgreSQL writes them.
    pub sql: String,
    /// The arguments.
    pub args: Vec<Value>,
    expect: Expect,
    changes_rows: bool,
    index: usize,
}

impl Plan {
    /// Checks the port's limits and translates. Fails with [`DbError::Invalid`] as every engine does.
    pub fn new(stmts: Vec<Stmt>) -> Result<Self, DbError> {
        check_limits(&stmts)?;
        let mut reached = Reach::NoTenant;
        let mut steps = Vec::with_capacity(stmts.len());
        for (index, stmt) in stmts.into_iter().enumerate() {
            let reach = (stmt.reach != reached).then(|| set_reach(stmt.reach));
            reached = stmt.reach;
            steps.push(Step {
                reach,
                sql: with_dollars(stmt.sql.text()),
                changes_rows: changes_rows(&stmt.sql),
                args: stmt.args.into_iter().map(without_nul).collect(),
                expect: stmt.expect,
                index,
            });
        }
        let alone = |step: &Step| step.reach.is_none() && step.expect == Expect::Any;
        let transaction = steps.len() > 1 || !steps.iter().all(alone);
        Ok(Self { transaction, steps })
    }

    /// Whether a count of rows decides between `commit` and `rollback`.
    pub fn demands(&self) -> bool {
        self.steps.iter().any(|step| step.expect != Expect::Any)
    }
}

impl Step {
    /// What the statement gave, from its rows and the count that the server told. [`DbError::Unexpected`] when the count is
    /// not what was demanded: then everything is to be rolled back.
    pub fn outcome(&self, rows: Vec<Row>, counted: u64) -> Result<Rows, DbError> {
        // The server counts what a `select` gave, too.
        let changed = if self.changes_rows { counted } else { 0 };
        match self.expect {
            Expect::Exactly(wanted) if changed != u64::from(wanted) => {
                Err(DbError::Unexpected { index: self.index })
            }
            Expect::Exactly(_) | Expect::Any => Ok(Rows { rows, changed }),
        }
    }

    /// Whether rows come back: of a statement that changes some, only with `returning`.
    pub fn gives_rows(&self) -> bool {
        !self.changes_rows || self.sql.split_whitespace().any(|word| word.eq_ignore_ascii_case("returning"))
    }

    /// The text with the type of each argument written into it, for a client that cannot tell the server otherwise.
    pub fn sql_with_types(&self) -> String {
        with_types(&self.sql, &self.args)
    }
}

/// PostgreSQL's text cannot hold U+0000, which any caller can say in JSON: it becomes U+FFFD, the sign for what cannot be shown, so
/// that nobody's input makes a write fail.
fn without_nul(arg: Value) -> Value {
    match arg {
        Value::Text(text) if text.contains('\0') => Value::Text(text.replace('\0', "\u{fffd}")),
        other => other,
    }
}

/// The statement that sets, for the rest of the transaction, what the policies of `migrations/postgres/policies.sql` look
/// at: which tenant's rows there are, and whether there are everybody's.
pub fn set_reach(reach: Reach) -> String {
    let (tenant, every) = match reach {
        Reach::NoTenant => (String::new(), "off"),
        // Nothing but hexadecimal digits and hyphens.
        Reach::Tenant(tenant) => (tenant.to_string(), "off"),
        Reach::EveryTenant => (String::new(), "on"),
    };
    format!(
        "select set_config('voicecore.tenant', '{tenant}', true), set_config('voicecore.every_tenant', '{every}', true)"
    )
}

/// The tenant whose rows a statement about the object of this key, or about those below this prefix, is to reach: keys are
/// `t/<tenant>/…`. `None`: the key names no tenant, so nobody's objects can be meant by it.
pub fn reach_of_key(key: &str) -> Option<Reach> {
    let (tenant, _) = key.strip_prefix("t/")?.split_once('/')?;
    tenant.parse().ok().map(Reach::Tenant)
}

/// `?1` and `?` as `$1`, outside of literals and comments.
fn with_dollars(sql: &str) -> String {
    let mut text = String::with_capacity(sql.len() + 8);
    let mut next = 0_usize;
    let mut signs = sql.chars().peekable();
    let (mut quoted, mut comment) = (false, false);
    while let Some(sign) = signs.next() {
        match sign {
            '\'' if !comment => quoted = !quoted,
            '-' if !quoted && signs.peek() == Some(&'-') => comment = true,
            '\n' => comment = false,
            '?' if !quoted && !comment => {
                text.push('$');
                if !signs.peek().is_some_and(char::is_ascii_digit) {
                    next += 1;
                    text.push_str(&next.to_string());
                }
                continue;
            }
            _ => {}
        }
        text.push(sign);
    }
    text
}

/// `$1` as `cast($1 as bigint)`, as its argument is. Null stays without a type. A literal may hold a `$` only if no digit follows.
fn with_types(sql: &str, args: &[Value]) -> String {
    let mut parts = sql.split('$');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.len() - part.trim_start_matches(|sign: char| sign.is_ascii_digit()).len();
        let (number, rest) = part.split_at(digits);
        let arg = number.parse::<usize>().ok().and_then(|n| args.get(n.checked_sub(1)?));
        // Writing to a string does not fail.
        let _ = match arg.and_then(type_name) {
            Some(name) => write!(text, "cast(${number} as {name}){rest}"),
            None => write!(text, "${number}{rest}"),
        };
    }
    text
}

/// The type that an argument has.
pub const fn type_name(arg: &Value) -> Option<&'static str> {
    match arg {
        Value::Null => None,
        Value::Int(_) => Some("bigint"),
        Value::Real(_) => Some("double precision"),
        Value::Text(_) => Some("text"),
    }
}

/// What an error of the server means, by its SQLSTATE (PostgreSQL, appendix A).
///
/// Without one the connection failed; what is not known is [`DbError::Unavailable`], as are deadlocks, lost races and full
/// disks: all worth another try. No message is kept: it may quote what was stored.
pub fn error(sqlstate: Option<&str>) -> DbError {
    let Some(state) = sqlstate else { return DbError::Unavailable };
    match state.get(..2) {
        Some("23") => DbError::Constraint,
        // Data that do not fit their type; syntax, names, types and rights (row-level security among them); limits of a statement.
        Some("22" | "42" | "0A" | "54") => DbError::Invalid(format!("SQLSTATE {state}")),
        _ => DbError::Unavailable,
    }
}

/// A `numeric` as text, which is what `sum` makes of whole numbers. `None` when it is not a number that the port knows.
pub fn numeric_text(text: &str) -> Option<Value> {
    if let Ok(whole) = text.parse::<i64>() {
        return (-MAX_INT..=MAX_INT).contains(&whole).then_some(Value::Int(whole));
    }
    text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Value::Real)
}

/// A `numeric` as the wire has it: digits to the base of 10,000 with a weight, a sign and a scale, 16 bits each.
pub fn numeric_bytes(bytes: &[u8]) -> Option<Value> {
    const NEGATIVE: u16 = 0x4000;
    // A whole number of the port has four digits to that base at most; one of 36 decimal digits is none.
    const MOST_WEIGHT: i32 = 8;
    let (words, []) = bytes.as_chunks::<2>() else { return None };
    let mut words = words.iter().map(|word| u16::from_be_bytes(*word));
    let (count, weight, sign, _scale) = (words.next()?, words.next()?, words.next()?, words.next()?);
    if (sign != 0 && sign != NEGATIVE) || words.len() != usize::from(count) {
        return None;
    }
    let weight = i32::from(weight.cast_signed());
    let mut text = String::from(if sign == NEGATIVE { "-0" } else { "0" });
    let digits: Vec<u16> = words.collect();
    if weight > MOST_WEIGHT {
        return None;
    }
    for place in 0..=weight {
        let digit = usize::try_from(place).ok().and_then(|place| digits.get(place)).copied().unwrap_or(0);
        let _ = write!(text, "{digit:04}");
    }
    let after_point = usize::try_from(weight + 1).unwrap_or(0);
    let mut fraction = String::new();
    for digit in digits.iter().skip(after_point) {
        let _ = write!(fraction, "{digit:04}");
    }
    if fraction.bytes().any(|digit| digit != b'0') {
        let zeros = usize::try_from(-1 - weight).unwrap_or(0);
        text.push('.');
        text.extend(std::iter::repeat_n("0000", zeros));
        text += &fraction;
    }
    numeric_text(&text)
}

#[cfg(test)]
mod tests {
    use voicecore_types::{Millis, TenantId};

    use super::*;

    #[test]
    fn a_key_reaches_the_tenant_that_it_names() {
        let tenant = TenantId::new(Millis(7), &[7; 10]);
        for rest in ["", "calls/c/transcript.json", "t/x/"] {
            assert_eq!(reach_of_key(&format!("t/{tenant}/{rest}")), Some(Reach::Tenant(tenant)));
        }
        for other in [
            "",
            "t",
            "t/",
            "t//",
            "t/%/x",
            &format!("t/{tenant}"),
            &format!("x/{tenant}/x"),
            &format!("{tenant}/x"),
        ] {
            assert_eq!(reach_of_key(other), None, "{other}");
        }
    }

    #[test]
    fn parameters_are_translated_outside_of_literals_and_comments() {
        for (ours, theirs) in [
            ("select ?1, ?12, ?1", "select $1, $12, $1"),
            ("a = ? and b = ? limit ?", "a = $1 and b = $2 limit $3"),
            (
                "select '?', 'it''s ?', ? -- what? isn't\n, ?",
                "select '?', 'it''s ?', $1 -- what? isn't\n, $2",
            ),
            ("a - ?", "a - $1"),
        ] {
            assert_eq!(with_dollars(ours), theirs);
        }
    }

    #[test]
    fn types_are_those_of_the_arguments() {
        let args = [Value::Int(1), Value::Null, Value::Text(String::new()), Value::Real(0.5)];
        assert_eq!(
            with_types("select $1, $2, f($3), $4, $1", &args),
            "select cast($1 as bigint), $2, f(cast($3 as text)), cast($4 as double precision), cast($1 as bigint)"
        );
        assert_eq!(with_types("select '$', $9", &args), "select '$', $9");
    }

    #[test]
    fn a_lonely_statement_needs_no_transaction_and_everything_else_does() {
        let read = || Stmt::new("select 1", vec![]);
        let write = || Stmt::new("update t set a = 1", vec![]);
        let transaction = |stmts: Vec<Stmt>| Plan::new(stmts).unwrap().transaction;
        assert!(!transaction(vec![read()]) && !transaction(vec![write()]) && !transaction(vec![]));
        assert!(transaction(vec![read(), read()]) && transaction(vec![write().exactly(1)]));
        assert!(transaction(vec![read().reaching(Reach::EveryTenant)]));
        assert!(Plan::new(vec![read().exactly(1)]).is_err());
    }

    #[test]
    fn text_without_what_postgres_cannot_hold_stays_as_it_is() {
        let args = vec!["a\0b".into(), "ab".into(), Value::Null];
        let plan = Plan::new(vec![Stmt::new("select ?1, ?2, ?3", args)]).unwrap();
        assert_eq!(plan.steps[0].args, ["a\u{fffd}b".into(), "ab".into(), Value::Null]);
    }

    #[test]
    fn reach_is_set_where_it_changes() {
        let tenant = TenantId::new(Millis(1), &[7; 10]);
        let stmts = [
            Reach::NoTenant,
            Reach::Tenant(tenant),
            Reach::Tenant(tenant),
            Reach::EveryTenant,
            Reach::NoTenant,
        ]
        .map(|reach| Stmt::new("select 1", vec![]).reaching(reach));
        let plan = Plan::new(stmts.into()).unwrap();
        let set: Vec<_> = plan.steps.iter().map(|step| step.reach.clone().unwrap_or_default()).collect();
        assert_eq!((set[0].as_str(), set[2].as_str()), ("", ""));
        assert!(set[1].contains(&format!("'{tenant}'")) && set[1].contains("'off'"));
        assert!(
            set[3].contains("'on'") && set[4].contains("'off'") && set[4].contains("voicecore.tenant', ''")
        );
    }

    #[test]
    fn counts_are_compared() {
        let step = |stmt: Stmt| Plan::new(vec![stmt]).unwrap().steps.remove(0);
        let update = step(Stmt::new("update t set a = 1", vec![]).exactly(2));
        assert_eq!(update.outcome(vec![], 2).unwrap().changed, 2);
        assert!(matches!(update.outcome(vec![], 1), Err(DbError::Unexpected { index: 0 })));
        assert_eq!(step(Stmt::new("select 1", vec![])).outcome(vec![], 1).unwrap().changed, 0);
        assert!(!update.gives_rows() && step(Stmt::new("select 1", vec![])).gives_rows());
        assert!(step(Stmt::new("delete from t returning id", vec![])).gives_rows());
    }

    #[test]
    fn states_are_understood() {
        assert!(matches!(error(Some("23505")), DbError::Constraint));
        assert!(matches!(error(Some("42501")), DbError::Invalid(_)));
        assert!(matches!(error(Some("22021")), DbError::Invalid(_)));
        for again in
            [None, Some("40P01"), Some("40001"), Some("53300"), Some("57014"), Some("08006"), Some("é")]
        {
            assert!(matches!(error(again), DbError::Unavailable), "{again:?}");
        }
    }

    #[test]
    fn sums_are_read() {
        let wire = |words: &[i16]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<u8>>();
        for (words, value) in [
            (&[0_i16, 0, 0, 0][..], Some(Value::Int(0))),
            (&[1, 0, 0, 0, 5050], Some(Value::Int(5050))),
            (&[1, 1, 0, 0, 3], Some(Value::Int(30_000))),
            (&[2, 1, 0x4000, 0, 1, 23], Some(Value::Int(-10_023))),
            (&[2, 0, 0, 2, 7, 2500], Some(Value::Real(7.25))),
            (&[1, -2, 0, 8, 5], Some(Value::Real(0.000_000_05))),
            (&[4, 3, 0, 0, 9007, 1992, 5474, 992], Some(Value::Int(MAX_INT))),
            (&[4, 3, 0, 0, 9007, 1992, 5474, 993], None),
            (&[1, 9, 0, 0, 1], None),
            (&[0, 0, i16::MIN + 0x4000, 0], None),
            (&[2, 0, 0, 0, 1], None),
        ] {
            assert_eq!(numeric_bytes(&wire(words)), value, "{words:?}");
        }
        assert_eq!(numeric_bytes(&[0; 3]), None);
        assert_eq!(
            (numeric_text("12"), numeric_text("0.5"), numeric_text("NaN")),
            (Some(Value::Int(12)), Some(Value::Real(0.5)), None)
        );
    }
}
