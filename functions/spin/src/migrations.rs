//! The schema, applied by whichever instance comes first.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::time::SystemTime;

use spin_sdk::sqlite::Value;
use voicecore_ports::DbError;

use crate::ports::connection::Connection;

/// Name and statements of every migration, in order (`build.rs`).
const MIGRATIONS: &[(&str, &[&str])] = include!(concat!(env!("OUT_DIR"), "/migrations.rs"));

/// What has been applied.
const RECORD: &str = "create table if not exists schema_migrations (
  name text primary key,
  applied_at bigint not null
)";

thread_local! {
    static UP_TO_DATE: Cell<bool> = const { Cell::new(false) };
}

/// Applies what is missing. All of it happens in one transaction that no other writer can be in: two instances that start at
/// once wait for each other, and the second finds nothing to do. Afterwards this costs an instance one look.
pub(crate) async fn apply(connection: &Connection) -> Result<(), DbError> {
    if UP_TO_DATE.get() {
        return Ok(());
    }
    // No table yet is nothing applied; another trouble comes again below.
    let applied = applied(connection).await.unwrap_or_default();
    if MIGRATIONS.iter().any(|(name, _)| !applied.contains(*name)) {
        connection.transaction(async || apply_missing(connection).await).await?;
    }
    UP_TO_DATE.set(true);
    Ok(())
}

async fn applied(connection: &Connection) -> Result<BTreeSet<String>, DbError> {
    let found = connection.run("select name from schema_migrations", vec![]).await?;
    let names = found.rows.into_iter().flatten();
    Ok(names.filter_map(|value| if let Value::Text(name) = value { Some(name) } else { None }).collect())
}

async fn apply_missing(connection: &Connection) -> Result<(), DbError> {
    connection.run(RECORD, vec![]).await?;
    // Another instance may have been quicker: what counts is what is seen in here.
    let applied = applied(connection).await?;
    for (name, statements) in MIGRATIONS.iter().filter(|(name, _)| !applied.contains(*name)) {
        for statement in *statements {
            connection.run(statement, vec![]).await?;
        }
        let at = now_ms();
        let row = vec![Value::Text((*name).to_owned()), Value::Integer(at)];
        connection.run("insert into schema_migrations (name, applied_at) values (?1, ?2)", row).await?;
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the platform's clock; nothing but people reads this value")]
fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
