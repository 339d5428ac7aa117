//! What PostgreSQL refuses the product, whatever a statement says: row-level security (`migrations/postgres/policies.sql`).

use voicecore_conformance::block_on;
use voicecore_conformance::doubles::PostgresDb;
use voicecore_ports::{Db as _, DbError, Reach, Rows, Stmt, Value};
use voicecore_types::{Millis, TenantId};

fn run(db: &PostgresDb, reach: Reach, sql: &'static str, args: Vec<Value>) -> Result<Rows, DbError> {
    block_on(db.query(Stmt::new(sql, args).reaching(reach)))
}

/// Two tenants with a business and three messages each.
fn two_tenants(db: &PostgresDb) -> [TenantId; 2] {
    [1, 2].map(|n| {
        let tenant = TenantId::new(Millis(n), &[7; 10]);
        db.admin(&format!(
            "insert into tenants (id, name, created_at) values ('{tenant}', 'Tenant {n}', 0);
            insert into businesses (id, tenant_id, name, created_at, updated_at) values ('b{n}', '{tenant}', 'B', 0, 0);
            insert into messages (id, tenant_id, business_id, call_id, kind, body, created_at)
              select 'm{n}' || k, '{tenant}', 'b{n}', 'c', 'message', 'of {n}', 0 from generate_series(1, 3) k"
        ));
        tenant
    })
}

/// Each of these forgot its `where tenant_id`.
#[test]
fn a01_wrong_statement_returns_nothing_of_another_tenant() {
    let db = PostgresDb::migrated();
    let [mine, theirs] = two_tenants(&db);
    let me = Reach::Tenant(mine);
    let count = |reach, sql| match run(&db, reach, sql, vec![]).unwrap().rows[0].get("n") {
        Some(Value::Int(n)) => *n,
        other => panic!("{other:?}"),
    };
    let before = db.admin("select * from messages where body = 'of 2' order by id");
    for (reach, messages, tenants) in [(me, 3, 1), (Reach::NoTenant, 0, 0), (Reach::EveryTenant, 6, 2)] {
        assert_eq!(count(reach, "select count(*) as n from messages"), messages);
        assert_eq!(count(reach, "select count(*) as n from tenants"), tenants);
    }
    assert_eq!(count(me, "select count(*) as n from messages m join businesses b on 1 = 1"), 3);
    assert_eq!(run(&db, me, "update messages set body = 'mine now'", vec![]).unwrap().changed, 3);
    assert_eq!(run(&db, me, "delete from messages", vec![]).unwrap().changed, 3);
    assert_eq!(run(&db, Reach::NoTenant, "delete from businesses", vec![]).unwrap().changed, 0);
    assert_eq!(db.admin("select * from messages where body = 'of 2' order by id"), before);
    assert_eq!(before.len(), 3);

    // Nor is anything slipped to the other, or taken over from them.
    let insert =
        "insert into businesses (id, tenant_id, name, created_at, updated_at) values ('x', ?1, 'X', 0, 0)";
    let slipped = run(&db, me, insert, vec![theirs.to_string().into()]);
    assert!(matches!(slipped, Err(DbError::Invalid(_))), "{slipped:?}");
    let moved = run(&db, me, "update businesses set tenant_id = ?1", vec![theirs.to_string().into()]);
    assert!(matches!(moved, Err(DbError::Invalid(_))), "{moved:?}");
}

/// Transcripts lie there, where the platform has no object store: by their keys they are a tenant's, too.
#[test]
fn a01_wrong_statement_returns_no_object_of_another_tenant() {
    let db = PostgresDb::migrated();
    let [mine, theirs] = two_tenants(&db);
    for tenant in [mine, theirs] {
        db.admin(&format!("insert into blobs (key, bytes) select 't/' || '{tenant}' || '/calls/' || k, 'said' from generate_series(1, 3) k"));
    }
    db.admin("insert into blobs (key, bytes) values ('nobody', 'said')");
    let me = Reach::Tenant(mine);
    let keys = |reach| {
        let rows = run(&db, reach, "select key from blobs order by key", vec![]).unwrap().rows;
        rows.into_iter().map(|row| format!("{:?}", row["key"])).collect::<Vec<_>>()
    };
    let of_mine = keys(me);
    assert!(of_mine.len() == 3 && of_mine.iter().all(|key| key.contains(&mine.to_string())), "{of_mine:?}");
    assert_eq!((keys(Reach::NoTenant).len(), keys(Reach::EveryTenant).len()), (0, 7));
    for sql in ["update blobs set bytes = 'changed'", "delete from blobs"] {
        assert_eq!(run(&db, me, sql, vec![]).unwrap().changed, 3, "{sql}");
        assert_eq!(run(&db, Reach::NoTenant, sql, vec![]).unwrap().changed, 0, "{sql}");
    }
    assert_eq!(db.admin("select * from blobs where bytes = 'said'").len(), 4);

    // Nor is anything slipped to the other, or taken over from them.
    let insert = "insert into blobs (key, bytes) values (?1, 'slipped')";
    for key in [format!("t/{theirs}/calls/4"), "nobody's".to_owned()] {
        let slipped = run(&db, me, insert, vec![key.into()]);
        assert!(matches!(slipped, Err(DbError::Invalid(_))), "{slipped:?}");
    }
    run(&db, me, insert, vec![format!("t/{mine}/calls/4").into()]).unwrap();
    let moved = run(&db, me, "update blobs set key = ?1", vec![format!("t/{theirs}/calls/4").into()]);
    assert!(matches!(moved, Err(DbError::Invalid(_))), "{moved:?}");
}

/// What a transaction reached ends with it, also on a connection that is used again, and within a batch each statement has its own.
#[test]
fn a01_reach_ends_with_its_transaction() {
    let db = PostgresDb::migrated();
    let [mine, theirs] = two_tenants(&db);
    let count = |reach| Stmt::new("select count(*) as n from messages", vec![]).reaching(reach);
    for _ in 0..10 {
        assert_eq!(block_on(db.query(count(Reach::EveryTenant))).unwrap().rows[0]["n"], Value::Int(6));
        assert_eq!(block_on(db.query(count(Reach::NoTenant))).unwrap().rows[0]["n"], Value::Int(0));
    }
    let batch = [Reach::Tenant(mine), Reach::EveryTenant, Reach::NoTenant, Reach::Tenant(theirs)].map(count);
    let counts: Vec<_> =
        block_on(db.batch(batch.into())).unwrap().into_iter().map(|r| r.rows[0]["n"].clone()).collect();
    assert_eq!(counts, [3, 6, 0, 3].map(Value::Int));
}

/// Tables that every statement finds: people and how they sign in (they may work for several tenants), what belongs to the
/// installation, and jobs, which are handed over in the order in which they came. A job names a call at the carrier, an invitation or an
/// address that a new password was asked for; never what was said, nor who rang.
const WITHOUT_POLICY: [&str; 9] = [
    "installation_log",
    "jobs",
    "login_throttles",
    "password_resets",
    "platform_keys",
    "rate_limits",
    "schema_migrations",
    "setup_tokens",
    "users",
];

/// A new table with a `tenant_id` gets its policy by the runner; one that did not would be found here.
#[test]
fn a01_every_table_of_a_tenant_has_a_forced_policy() {
    /// Those that belong to no tenant, as in tests/migrations.rs, and those of the platform.
    const OPEN: &str = "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
        and not (relrowsecurity and relforcerowsecurity and exists (
          select from pg_policy where polrelid = pg_class.oid and polcmd = '*' and polpermissive
          and polqual is not null and polwithcheck is not null))
        and (relname in ('tenants', 'blobs') or exists (
          select from pg_attribute where attrelid = pg_class.oid and attname = 'tenant_id' and not attisdropped))";
    const WITHOUT: &str =
        "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
        and not relrowsecurity order by relname";
    let db = PostgresDb::migrated();
    assert_eq!(db.admin(OPEN), Vec::<Vec<String>>::new());
    let policies = db.admin("select count(*) from pg_policy");
    let tables = db.admin("select count(*) from information_schema.columns where column_name = 'tenant_id' and table_schema = 'public'");
    let number = |rows: &[Vec<String>]| rows[0][0].parse::<u32>().unwrap();
    assert_eq!(number(&policies), number(&tables) + 2, "and those of tenants and of objects");
    assert!(number(&policies) >= 12);
    // Whoever adds a table to these says why no tenant's rows can be in it.
    let without = db.admin(WITHOUT).into_iter().flatten().collect::<Vec<_>>();
    assert_eq!(without, WITHOUT_POLICY);
}

#[test]
fn a01_the_product_owns_nothing_and_cannot_help_itself() {
    const SUBJECT: &str = "select count(*) as n from pg_class where pg_get_userbyid(relowner) = current_user
        and relnamespace <> 'pg_toast'::regnamespace";
    const RIGHTS: &str = "select rolsuper or rolbypassrls or rolcreaterole or rolcreatedb as n from pg_roles where rolname = current_user";
    let db = PostgresDb::migrated();
    for sql in [SUBJECT, RIGHTS] {
        assert_eq!(run(&db, Reach::EveryTenant, sql, vec![]).unwrap().rows[0]["n"], Value::Int(0), "{sql}");
    }
    for sql in [
        "create table mine (id text)",
        "alter table messages no force row level security",
        "alter table messages disable row level security",
        "drop policy tenant on messages",
        "set role voicecore_owner",
        // Not for the session: its connection is used again.
        "set local row_security = off",
        "truncate messages",
        "select * from schema_migrations",
    ] {
        let refused = run(&db, Reach::EveryTenant, sql, vec![]);
        let harmless = sql == "set local row_security = off" && refused.is_ok();
        assert!(harmless || matches!(refused, Err(DbError::Invalid(_))), "{sql}: {refused:?}");
    }
}
