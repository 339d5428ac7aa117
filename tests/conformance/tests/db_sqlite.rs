//! The suite of `Db` against SQLite, with numbers bound both ways.

use std::sync::Arc;

use voicecore_conformance::doubles::{Numbers, SqliteDb};
use voicecore_conformance::{block_on, db, report};

#[test]
fn sqlite_keeps_the_promises_of_db() {
    block_on(db::suite(Arc::new(SqliteDb::empty(Numbers::Integers))));
    report::passed("Db", "native SQLite");
}

#[test]
fn sqlite_with_the_numbers_of_javascript_keeps_them_too() {
    block_on(db::suite(Arc::new(SqliteDb::empty(Numbers::Doubles))));
}
