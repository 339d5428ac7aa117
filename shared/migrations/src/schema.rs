use std::collections::BTreeMap;
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::Refusal;

/// Whose files are taken besides the portable ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// SQLite in a file, D1.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

impl Engine {
    /// The folder of what only this engine gets.
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// One migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    /// Its place.
    pub number: u32,
    /// As it is recorded: `0003_calls`, `postgres/0006_jobs`.
    pub name: String,
    /// Its statements.
    pub up: String,
    /// The statements that undo them, where there is a way back.
    pub down: Option<String>,
}

impl Migration {
    /// SHA-256 of its statements, in hexadecimal, whichever way lines end.
    pub fn checksum(&self) -> String {
        let digest = Sha256::digest(self.up.replace("\r\n", "\n").as_bytes());
        digest.iter().fold(String::with_capacity(64), |mut text, byte| {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

/// All of a source tree's migrations for one engine, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// The portable migration of each number, followed by the engine's own of that number.
    pub migrations: Vec<Migration>,
    /// What is run after every change of the schema, and does no harm when it is run again: PostgreSQL's policies, which
    /// are made from the tables that there are.
    pub afterwards: Option<String>,
}

/// What the engine's folder calls it.
const AFTERWARDS: &str = "policies.sql";

impl Schema {
    /// From the files of `migrations/`: path below that folder, with `/`, and text. Whatever is no `.sql`, and what is for another
    /// engine, is left out.
    pub fn new(engine: Engine, files: &[(String, String)]) -> Result<Self, Refusal> {
        let own = format!("{}/", engine.folder());
        let mut ups: BTreeMap<(u32, bool), Migration> = BTreeMap::new();
        let mut downs: Vec<(String, String)> = Vec::new();
        let mut afterwards = None;
        for (path, text) in files.iter().filter(|(path, _)| path.rsplit('.').next() == Some("sql")) {
            let (prefix, file) = match path.strip_prefix(&own) {
                Some(file) => (own.as_str(), file),
                None => ("", path.as_str()),
            };
            if let Some(file) = file.strip_prefix("down/") {
                downs.push((format!("{prefix}{}", file.trim_end_matches(".sql")), text.clone()));
            } else if !prefix.is_empty() && file == AFTERWARDS {
                afterwards = Some(text.clone());
            } else if !file.contains('/') {
                let number = number(file).ok_or_else(|| Refusal::Name(path.clone()))?;
                let name = path.trim_end_matches(".sql").to_owned();
                let migration = Migration { number, name, up: text.clone(), down: None };
                if let Some(twin) = ups.insert((number, !prefix.is_empty()), migration) {
                    return Err(Refusal::Number { found: twin.name, expected: number + 1 });
                }
            }
        }
        numbered_without_gaps(&ups)?;
        let mut migrations: Vec<_> = ups.into_values().collect();
        for (name, text) in downs {
            let up = migrations.iter_mut().find(|migration| migration.name == name);
            up.ok_or_else(|| Refusal::Stray(format!("down/{name}")))?.down = Some(text);
        }
        Ok(Self { migrations, afterwards })
    }
}

fn numbered_without_gaps(ups: &BTreeMap<(u32, bool), Migration>) -> Result<(), Refusal> {
    let portable = ups.iter().filter(|((_, own), _)| !own);
    for (expected, ((number, _), migration)) in (1..).zip(portable) {
        if *number != expected {
            return Err(Refusal::Number { found: migration.name.clone(), expected });
        }
    }
    match ups.iter().find(|((number, own), _)| *own && !ups.contains_key(&(*number, false))) {
        Some((_, migration)) => Err(Refusal::Stray(migration.name.clone())),
        None => Ok(()),
    }
}

/// Of `NNNN_<noun>.sql`.
fn number(file: &str) -> Option<u32> {
    let (digits, noun) = file.strip_suffix(".sql")?.split_once('_')?;
    let noun_fits = !noun.is_empty() && noun.bytes().all(|sign| sign.is_ascii_lowercase() || sign == b'_');
    (digits.len() == 4 && digits.bytes().all(|digit| digit.is_ascii_digit()) && noun_fits)
        .then(|| digits.parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(engine: Engine, paths: &[&str]) -> Result<Vec<String>, Refusal> {
        let files: Vec<_> = paths.iter().map(|path| ((*path).to_owned(), format!("-- {path}"))).collect();
        Ok(Schema::new(engine, &files)?.migrations.into_iter().map(|migration| migration.name).collect())
    }

    #[test]
    fn what_is_an_engines_own_follows_the_portable_one_of_its_number() {
        let files = [
            "0002_b.sql",
            "README.md",
            "postgres/0001_own.sql",
            "0001_a.sql",
            "sqlite/0002_text.sql",
            "postgres/policies.sql",
        ];
        assert_eq!(schema(Engine::Postgres, &files).unwrap(), ["0001_a", "postgres/0001_own", "0002_b"]);
        assert_eq!(schema(Engine::Sqlite, &files).unwrap(), ["0001_a", "0002_b", "sqlite/0002_text"]);
    }

    #[test]
    fn names_and_numbers_are_checked() {
        let refused = |paths: &[&str]| schema(Engine::Sqlite, paths).unwrap_err();
        assert_eq!(refused(&["1_a.sql"]), Refusal::Name("1_a.sql".to_owned()));
        assert_eq!(refused(&["0001_A.sql"]), Refusal::Name("0001_A.sql".to_owned()));
        assert_eq!(
            refused(&["0001_a.sql", "0003_c.sql"]),
            Refusal::Number { found: "0003_c".to_owned(), expected: 2 }
        );
        assert!(matches!(refused(&["0001_a.sql", "0001_b.sql"]), Refusal::Number { .. }));
        assert_eq!(refused(&["0001_a.sql", "sqlite/0002_b.sql"]), Refusal::Stray("sqlite/0002_b".to_owned()));
        assert!(matches!(refused(&["0001_a.sql", "down/0002_b.sql"]), Refusal::Stray(_)));
    }

    #[test]
    fn the_way_back_is_found_and_line_ends_do_not_change_a_checksum() {
        let text = |path: &str, text: &str| (path.to_owned(), text.to_owned());
        let schema = |up: &str| {
            Schema::new(Engine::Sqlite, &[text("0001_a.sql", up), text("down/0001_a.sql", "drop table a;")])
                .unwrap()
        };
        let (unix, windows) = (schema("a\nb\n"), schema("a\r\nb\r\n"));
        assert_eq!(unix.migrations[0].down.as_deref(), Some("drop table a;"));
        assert_eq!(unix.migrations[0].checksum(), windows.migrations[0].checksum());
        // `printf 'a\nb\n' | sha256sum`
        assert_eq!(
            unix.migrations[0].checksum(),
            "911169ddaaf146aff539f58c26c489af3b892dff0fe283c1c264c65ae5aa59a2"
        );
    }
}
