//! The lint for the portable subset of SQL (`migrations/README.md`): what both SQLite and PostgreSQL understand, and
//! understand alike.

/// Words that only one engine knows, or that mean different things to the two.
const REFUSED: &[(&str, &str)] = &[
    ("autoincrement", "ids are text, made by us"),
    ("serial", "ids are text, made by us"),
    ("bigserial", "ids are text, made by us"),
    ("rowid", "SQLite only"),
    ("uuid", "ids are text"),
    ("int", "bigint"),
    ("integer", "bigint: PostgreSQL's integer ends at 2^31"),
    ("smallint", "bigint"),
    ("boolean", "bigint 0/1"),
    ("bool", "bigint 0/1"),
    ("true", "bigint 0/1"),
    ("false", "bigint 0/1"),
    ("varchar", "text"),
    ("char", "text"),
    ("json", "text, parsed in Rust"),
    ("jsonb", "text, parsed in Rust"),
    ("json_extract", "text, parsed in Rust"),
    ("blob", "text, or the blob store"),
    ("bytea", "text, or the blob store"),
    ("date", "bigint milliseconds"),
    ("time", "bigint milliseconds"),
    ("datetime", "bigint milliseconds"),
    ("timestamp", "bigint milliseconds"),
    ("timestamptz", "bigint milliseconds"),
    ("now", "the time is an argument"),
    ("current_timestamp", "the time is an argument"),
    ("strftime", "the time is an argument"),
    ("unixepoch", "the time is an argument"),
    ("random", "randomness is an argument"),
    ("gen_random_uuid", "randomness is an argument"),
    ("changes", "use Stmt::exactly"),
    ("last_insert_rowid", "ids are text, made by us"),
    ("like", "SQLite ignores case, PostgreSQL does not"),
    ("ilike", "PostgreSQL only"),
    ("glob", "SQLite only"),
    ("ifnull", "coalesce"),
    ("iif", "case"),
    ("group_concat", "SQLite only"),
    ("string_agg", "PostgreSQL only"),
    ("replace", "on conflict … do update"),
    ("ignore", "on conflict … do nothing"),
    ("pragma", "SQLite only"),
    ("strict", "SQLite only"),
    ("begin", "Db::batch"),
    ("commit", "Db::batch"),
    ("rollback", "Db::batch"),
    ("drop", "contract in a release of its own, see migrations/README.md"),
];

/// Characters that begin something only one engine knows.
const REFUSED_SIGNS: &[(char, &str)] = &[
    ('`', "quotation of MySQL"),
    ('"', "names need no quotation; SQLite takes an unknown one for text"),
    ('$', "parameters are ?1 or ?"),
    ('@', "parameters are ?1 or ?"),
    (':', "casts and parameters: cast(x as text), ?1"),
    ('[', "SQLite only"),
];

/// Everything that is wrong with a statement or a migration; empty when it is portable.
pub fn lint(sql: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let code = code_of(sql, &mut faults);
    if code.chars().any(char::is_uppercase) {
        faults.push("SQL is lower case".to_owned());
    }
    for word in code.split(|c: char| !(c.is_alphanumeric() || c == '_')) {
        if let Some((word, instead)) = REFUSED.iter().find(|(refused, _)| *refused == word) {
            faults.push(format!("`{word}`: {instead}"));
        }
    }
    for (sign, why) in REFUSED_SIGNS {
        if code.contains(*sign) {
            faults.push(format!("`{sign}`: {why}"));
        }
    }
    let parameters = code.split('?').skip(1);
    let numbered = parameters.clone().filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit())).count();
    if numbered != 0 && numbered != parameters.count() {
        faults.push("`?` and `?1` in one statement".to_owned());
    }
    faults
}

/// The text without comments and literals. Complains of comments that would confuse a tool which splits statements.
fn code_of(sql: &str, faults: &mut Vec<String>) -> String {
    let mut code = String::with_capacity(sql.len());
    for line in sql.lines() {
        let (before, comment) = line.split_once("--").unwrap_or((line, ""));
        if comment.contains(['\'', '"', ';']) {
            faults.push(format!("quotation mark or semicolon in a comment: {comment}"));
        }
        // Text between quotation marks is every second part. A literal never contains one, nor a line break.
        for (index, part) in before.split('\'').enumerate() {
            code.push_str(if index % 2 == 0 { part } else { "''" });
        }
        code.push('\n');
    }
    code
}

#[cfg(test)]
mod tests {
    use super::lint;

    #[test]
    fn the_subset_passes() {
        for good in [
            "create table t (id text primary key, n bigint not null default 0) -- why it is there",
            "insert into t (id, n) values (?1, ?2) on conflict (id) do update set n = t.n + excluded.n returning id",
            "select 'Now, DROP; \"x\"' from t where n = ? limit ?",
        ] {
            assert_eq!(lint(good), [""; 0], "{good}");
        }
    }

    #[test]
    fn what_one_engine_alone_knows_is_refused() {
        for bad in [
            "create table t (id integer primary key)",
            "create table t (id text primary key, at timestamp)",
            "select json_extract(a, '$.b') from t",
            "select now()",
            "insert or ignore into t values (1)",
            "select \"a\" from t",
            "select a::text from t",
            "select * from t where a = $1",
            "select * from t where a = ?1 and b = ?",
            "SELECT 1",
            "select 1 -- it's confusing",
            "drop table t",
        ] {
            assert_ne!(lint(bad), [""; 0], "{bad}");
        }
    }
}
