//! The suite of `Db` against SQLite, with numbers bound both ways.

mod as_integers {
    use std::sync::Arc;

    use voicecore_conformance::doubles::{Numbers, SqliteDb};

    voicecore_conformance::db_suite!(Arc::new(SqliteDb::empty(Numbers::Integers)));
}

mod as_doubles {
    use std::sync::Arc;

    use voicecore_conformance::doubles::{Numbers, SqliteDb};

    voicecore_conformance::db_suite!(Arc::new(SqliteDb::empty(Numbers::Doubles)));
}
