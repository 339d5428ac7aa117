//! `cargo xtask admin master-key`: how far a rotation of `MASTER_KEY` has come.

use std::fmt::Write as _;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::proc::output;
use crate::wrangler::Place;

/// The second part of a wrapped key names the `MASTER_KEY` that wraps it (`shared/store/src/seal.rs`).
const COUNT: &str = "select id, count(*) as n from (
  select substr(wrapped_key, 4, 8) as id from tenant_keys
  union all select substr(wrapped_key, 4, 8) as id from platform_keys
) as k group by id order by n desc";

/// One line for each `MASTER_KEY` that wraps anything.
pub(super) fn report(place: &Place) -> Result<String> {
    let printed = output(&mut place.query(&[COUNT.to_owned()])?)
        .context("counting the keys (are the migrations applied?)")?;
    let results: Vec<Value> = serde_json::from_str(printed.trim()).context("reading wrangler's answer")?;
    let rows = results.first().and_then(|result| result["results"].as_array());
    Ok(describe(rows.map_or(&[][..], Vec::as_slice)))
}

fn describe(rows: &[Value]) -> String {
    let mut lines = String::new();
    for row in rows {
        let (id, keys) = (row["id"].as_str().unwrap_or("?"), row["n"].as_u64().unwrap_or(0));
        // Writing into a string does not fail.
        let _ = writeln!(lines, "MASTER_KEY {id} wraps {keys} keys");
    }
    lines.push_str(match rows.len() {
        0 => "There are no keys yet.",
        1 => "One MASTER_KEY wraps everything: no other is needed.",
        _ => "Still rotating: MASTER_KEY_PREVIOUS must stay.",
    });
    lines
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_are_counted_by_the_one_that_wraps_them() {
        let database = Connection::open_in_memory().unwrap();
        database
            .execute_batch(
                "create table tenant_keys (wrapped_key text); create table platform_keys (wrapped_key text);
                insert into tenant_keys values ('v1.OLDOLDOL.x'), ('v1.NEWNEWNE.y'), ('v1.NEWNEWNE.z');
                insert into platform_keys values ('v1.NEWNEWNE.w')",
            )
            .unwrap();
        let mut statement = database.prepare(COUNT).unwrap();
        let rows = statement
            .query_map([], |row| Ok(json!({"id": row.get::<_, String>(0)?, "n": row.get::<_, u32>(1)?})));
        let rows: Vec<Value> = rows.unwrap().map(Result::unwrap).collect();
        assert_eq!(
            describe(&rows),
            "MASTER_KEY NEWNEWNE wraps 3 keys\nMASTER_KEY OLDOLDOL wraps 1 keys\nStill rotating: MASTER_KEY_PREVIOUS must stay."
        );
        assert!(describe(&rows[..1]).ends_with("no other is needed."));
    }
}
