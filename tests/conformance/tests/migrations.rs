//! The rules of `migrations/README.md`.

use voicecore_conformance::doubles::{Numbers, SqliteDb};
use voicecore_conformance::{block_on, migrations, portable};
use voicecore_ports::{Db as _, Stmt, Value};

#[test]
fn migrations_are_portable() {
    for migration in migrations::all() {
        assert_eq!(portable::lint(&migration.sql), [""; 0], "{}", migration.name);
    }
}

#[test]
fn migrations_are_numbered_without_gaps() {
    let migrations = migrations::all();
    assert!(!migrations.is_empty());
    for (index, migration) in migrations.iter().enumerate() {
        let number = format!("{:04}_", index + 1);
        assert!(migration.name.starts_with(&number), "{} should begin with {number}", migration.name);
    }
}

#[test]
fn migrations_hold_no_data() {
    for migration in migrations::all() {
        for verb in ["insert ", "update ", "delete "] {
            let used = migration.sql.lines().any(|line| line.trim_start().starts_with(verb));
            assert!(!used, "{}: {verb}", migration.name);
        }
    }
}

fn names(db: &SqliteDb, sql: &'static str, args: Vec<Value>) -> Vec<String> {
    let rows = block_on(db.query(Stmt::new(sql, args)));
    assert!(rows.is_ok(), "{sql}: {rows:?}");
    rows.unwrap_or_default()
        .rows
        .into_iter()
        .filter_map(|row| match row.get("name") {
            Some(Value::Text(name)) => Some(name.clone()),
            _ => None,
        })
        .collect()
}

/// What belongs to a tenant can be found by the tenant: to be read, and to be deleted.
#[test]
fn tables_belong_to_a_tenant() {
    const GLOBAL: [&str; 6] =
        ["login_throttles", "password_resets", "platform_keys", "setup_tokens", "tenants", "users"];
    let db = SqliteDb::migrated(Numbers::Doubles);
    let mut global = Vec::new();
    for table in names(&db, "select name from sqlite_schema where type = 'table' order by name", vec![]) {
        let columns = names(&db, "select name from pragma_table_info(?1)", vec![table.as_str().into()]);
        if !columns.iter().any(|column| column == "tenant_id") {
            global.push(table);
        }
    }
    assert_eq!(global, GLOBAL);
}

#[test]
fn columns_are_text_or_bigint() {
    let db = SqliteDb::migrated(Numbers::Doubles);
    for table in names(&db, "select name from sqlite_schema where type = 'table'", vec![]) {
        let types = names(
            &db,
            "select distinct lower(type) as name from pragma_table_info(?1)",
            vec![table.as_str().into()],
        );
        assert!(types.iter().all(|kind| kind == "text" || kind == "bigint"), "{table}: {types:?}");
    }
}

/// An engine that deletes a parent looks for its children: without an index, through the whole table.
#[test]
fn references_have_an_index_that_begins_with_them() {
    const UNINDEXED: &str = "select f.\"from\" as name from pragma_foreign_key_list(?1) f where not exists (
        select 1 from pragma_index_list(?1) l join pragma_index_info(l.name) i where i.seqno = 0 and i.name = f.\"from\")";
    let db = SqliteDb::migrated(Numbers::Doubles);
    for table in names(&db, "select name from sqlite_schema where type = 'table'", vec![]) {
        assert_eq!(names(&db, UNINDEXED, vec![table.as_str().into()]), [""; 0], "{table}");
    }
}
