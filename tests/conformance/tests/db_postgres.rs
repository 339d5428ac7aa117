//! The suite of `Db` against a PostgreSQL server, through the adapter that the tools and Workers use.

use std::sync::Arc;

use voicecore_conformance::doubles::PostgresDb;
use voicecore_conformance::{block_on, db, report};

#[test]
fn postgres_keeps_the_promises_of_db() {
    block_on(db::suite(Arc::new(PostgresDb::empty())));
    report::passed("Db", "native PostgreSQL");
}
