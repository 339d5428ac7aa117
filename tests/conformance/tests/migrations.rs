//! The rules of `migrations/README.md`.

use voicecore_conformance::doubles::{Numbers, PostgresDb, SqliteDb};
use voicecore_conformance::{block_on, migrations, portable};
use voicecore_migrations::{Applied, Engine, READ_RECORD, RECORD, plan};
use voicecore_ports::{Db as _, DbError, Reach, Row, Stmt, Value};

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

/// These move few rows that people have configured to where they belong from now on, or forget what a job gives anew: places in a log.
const MOVING: [&str; 2] = ["0020_assistants.sql", "0032_audit_ends.sql"];

#[test]
fn migrations_hold_no_data() {
    for migration in
        migrations::all().into_iter().filter(|migration| !MOVING.contains(&migration.name.as_str()))
    {
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
    const GLOBAL: [&str; 8] = [
        "installation_log",
        "login_throttles",
        "password_resets",
        "platform_keys",
        "rate_limits",
        "setup_tokens",
        "tenants",
        "users",
    ];
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

/// Where scripts are run: on either engine.
struct Runner<'a> {
    run: &'a dyn Fn(&str) -> Result<(), String>,
    /// The record, and everything that there is besides it.
    look: &'a dyn Fn() -> (Vec<Applied>, Vec<String>),
}

impl Runner<'_> {
    fn go(&self, migrations: &[voicecore_migrations::Migration], to: u32) -> usize {
        let steps = plan(migrations, &(self.look)().0, Some(to));
        assert!(steps.is_ok(), "{steps:?}");
        let steps = steps.unwrap_or_default();
        for step in &steps {
            let done = (self.run)(&format!("begin;\n{}commit;", step.script(7)));
            assert_eq!(done, Ok(()), "{:?} {}", step.direction, step.migration.name);
        }
        steps.len()
    }
}

/// As far back as there is a way back, one by one, and forward again.
fn there_and_back(engine: Engine, runner: &Runner<'_>) {
    let migrations = migrations::schema(engine).migrations;
    let back = migrations.iter().take_while(|migration| migration.down.is_some());
    let last = back.last().map_or(0, |migration| migration.number);
    assert!(last >= 6, "{last}");
    assert_eq!((runner.run)(RECORD), Ok(()));
    let (_, empty) = (runner.look)();
    let mut stations = vec![empty];
    for number in 1..=last {
        assert!(runner.go(&migrations, number) >= 1);
        assert_eq!(runner.go(&migrations, number), 0, "a second run finds nothing to do");
        stations.push((runner.look)().1);
    }
    for number in (0..last).rev() {
        assert!(runner.go(&migrations, number) >= 1);
        assert_eq!((runner.look)().1, stations[number as usize], "back at {number}");
    }
    runner.go(&migrations, last);
    assert_eq!((runner.look)().1, stations[last as usize], "and forward again");
    // Two runners at once: the second one's script changes nothing.
    let again = plan(&migrations, &[], Some(1)).unwrap_or_default();
    assert!(
        again
            .first()
            .is_some_and(|step| (runner.run)(&format!("begin;\n{}commit;", step.script(8))).is_err())
    );
}

/// Before and after `0020_assistants`, and the way back.
fn moving(engine: Engine) -> (Vec<String>, Vec<String>, Vec<String>) {
    let migrations = migrations::schema(engine).migrations;
    let of = |name: &str| name.rsplit('/').next().is_some_and(|name| name.starts_with("0020"));
    let before = migrations.iter().take_while(|migration| !of(&migration.name)).map(|m| m.up.clone());
    let moving = migrations.iter().filter(|migration| of(&migration.name));
    let back = moving.clone().rev().filter_map(|migration| migration.down.clone());
    (before.collect(), moving.clone().map(|m| m.up.clone()).collect(), back.collect())
}

const BUSINESS: &str = "insert into tenants (id, name, created_at) values ('t', 'T', 1);
    insert into businesses (id, tenant_id, name, greeting, language, created_at, updated_at)
    values ('b', 't', 'Bella', 'Hello', 'de', 1, 2);";
const SAID: &str =
    "select b.name || ' ' || v.greeting || ' ' || v.language || ' ' || v.published_by_kind as name
    from businesses b join assistants a on a.id = b.assistant_id
    join assistant_versions v on v.assistant_id = a.id and v.number = a.published_version";
const CHANGED: &str = "update assistant_versions set greeting = 'Good day'";
const SAYS: &str = "select greeting as name from businesses";

/// What a business said itself is what its assistant says, and the other way round.
#[test]
fn assistants_are_carried_over_and_back_on_sqlite() {
    let db = SqliteDb::empty(Numbers::Integers);
    let (before, moving, back) = moving(Engine::Sqlite);
    let run = |scripts: &[String]| scripts.iter().for_each(|script| db.script(script).unwrap());
    run(&before);
    db.script(BUSINESS).unwrap();
    run(&moving);
    assert_eq!(names(&db, SAID, vec![]), ["Bella Hello de carried_over"]);
    db.script(CHANGED).unwrap();
    run(&back);
    assert_eq!(names(&db, SAYS, vec![]), ["Good day"]);
}

/// The same where policies bind whoever owns the tables.
#[test]
fn assistants_are_carried_over_and_back_on_postgres() {
    let db = PostgresDb::empty();
    let policies = migrations::schema(Engine::Postgres).afterwards.unwrap();
    let (before, moving, back) = moving(Engine::Postgres);
    let run = |scripts: &[String]| {
        for script in scripts {
            db.script(&format!("begin;\n{script}\ncommit;")).unwrap();
        }
    };
    run(&before);
    db.admin(BUSINESS);
    db.script(&policies).unwrap();
    run(&moving);
    db.script(&policies).unwrap();
    assert_eq!(db.admin(SAID), [["Bella Hello de carried_over"]]);
    db.admin(CHANGED);
    run(&back);
    assert_eq!(db.admin(SAYS), [["Good day"]]);
}

fn applied(rows: impl IntoIterator<Item = Vec<String>>) -> Vec<Applied> {
    rows.into_iter().map(|row| Applied { name: row[0].clone(), checksum: row[1].clone() }).collect()
}

#[test]
fn migrations_go_forward_and_back_on_sqlite() {
    // Columns rather than the text of the statement that made a table: dropping a column writes that anew.
    const TABLES: &str = "select m.name || ' ' || coalesce(c.name, '') || ' ' || coalesce(c.type, '') as name
        from sqlite_schema m left join pragma_table_info(m.name) c on 1 = 1 where m.name not like 'sqlite_%' order by 1";
    let db = SqliteDb::empty(Numbers::Integers);
    let look = || {
        let rows = block_on(db.query(Stmt::new(READ_RECORD, vec![]))).unwrap().rows;
        let text = |row: &Row, column: &str| match row.get(column) {
            Some(Value::Text(text)) => text.clone(),
            other => panic!("{other:?}"),
        };
        (
            applied(rows.iter().map(|row| vec![text(row, "name"), text(row, "checksum")])),
            names(&db, TABLES, vec![]),
        )
    };
    there_and_back(
        Engine::Sqlite,
        &Runner { run: &|sql| db.script(sql).inspect_err(|_| drop(db.script("rollback"))), look: &look },
    );
}

#[test]
fn migrations_go_forward_and_back_on_postgres() {
    const TABLES: &str =
        "select concat_ws(' ', table_name, column_name, data_type, is_nullable, column_default)
        from information_schema.columns where table_schema = 'public'
        union all select indexdef from pg_indexes where schemaname = 'public' order by 1";
    let db = PostgresDb::empty();
    let look = || (applied(db.admin(READ_RECORD)), db.admin(TABLES).into_iter().flatten().collect());
    there_and_back(Engine::Postgres, &Runner { run: &|sql| db.script(sql), look: &look });
}

/// Run twice, policies are what they were; and a table that came in between is closed until they are run again.
#[test]
fn policies_can_be_made_again() {
    const POLICIES: &str =
        "select polrelid::regclass, polname, pg_get_expr(polqual, polrelid) from pg_policy order by 1";
    let db = PostgresDb::migrated();
    let policies = migrations::schema(Engine::Postgres).afterwards.unwrap();
    let before = db.admin(POLICIES);
    assert!(!before.is_empty());
    db.script(&policies).unwrap();
    assert_eq!(db.admin(POLICIES), before);
    db.script("create table late (id text primary key, tenant_id text not null)").unwrap();
    let look = || block_on(db.query(Stmt::new("select id from late", vec![]).reaching(Reach::EveryTenant)));
    assert!(matches!(look(), Err(DbError::Invalid(_))));
    db.script(&policies).unwrap();
    assert!(look().is_ok());
    assert_eq!(db.admin(POLICIES).len(), before.len() + 1);
    db.script("drop table late").unwrap();
}
