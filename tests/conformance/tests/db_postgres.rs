//! The suite of `Db` against a PostgreSQL server, through the adapter that the tools and Workers use.

use std::sync::Arc;

use voicecore_conformance::doubles::PostgresDb;
use voicecore_conformance::{block_on, db, report};
use voicecore_ports::{Db as _, Stmt};

#[test]
fn postgres_keeps_the_promises_of_db() {
    block_on(db::suite(Arc::new(PostgresDb::empty())));
    report::passed("Db", "native PostgreSQL");
}

#[test]
fn text_that_postgres_cannot_hold_is_no_failure() {
    let db = PostgresDb::empty();
    let rows = block_on(db.query(Stmt::new("select ?1 as v", vec!["a\0b".into()]))).unwrap().rows;
    assert_eq!(rows[0]["v"], "a\u{fffd}b".into());
}
