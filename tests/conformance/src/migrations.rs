//! The migrations, as the native tests apply them.

use std::path::{Path, PathBuf};
use std::{fs, io};

pub use voicecore_migrations::Engine;
use voicecore_migrations::{RECORD, Schema, plan};

/// One portable file of `migrations/`.
#[derive(Debug, Clone)]
pub struct Migration {
    /// Its file name.
    pub name: String,
    /// Its text.
    pub sql: String,
}

/// Every portable migration, in the order of its number.
///
/// # Panics
/// When the directory cannot be read: the source tree is not complete.
pub fn all() -> Vec<Migration> {
    let mut migrations: Vec<_> = files()
        .into_iter()
        .filter(|(path, _)| !path.contains('/') && path.rsplit('.').next() == Some("sql"))
        .map(|(name, sql)| Migration { name, sql })
        .collect();
    migrations.sort_by(|a, b| a.name.cmp(&b.name));
    migrations
}

/// Everything that an engine is given.
///
/// # Panics
/// When the files are not numbered and named as they must be.
pub fn schema(engine: Engine) -> Schema {
    let schema = Schema::new(engine, &files());
    match schema {
        Ok(schema) => schema,
        Err(refusal) => unreachable!("{refusal}"),
    }
}

/// The scripts that make a database out of an empty one, each to be run in a transaction of its own.
///
/// # Panics
/// As [`schema`].
pub fn scripts(engine: Engine) -> Vec<String> {
    let schema = schema(engine);
    let steps = plan(&schema.migrations, &[], None).unwrap_or_default();
    assert!(!steps.is_empty());
    let steps = steps.iter().map(|step| step.script(0));
    std::iter::once(RECORD.to_owned()).chain(steps).chain(schema.afterwards.clone()).collect()
}

/// Every file below `migrations/`: its path there and its text.
///
/// # Panics
/// When the directory cannot be read.
pub fn files() -> Vec<(String, String)> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../migrations");
    let mut found = Vec::new();
    let read = visit(&directory, "", &mut found);
    assert!(read.is_ok(), "{}: {read:?}", directory.display());
    found
}

fn visit(directory: &Path, prefix: &str, found: &mut Vec<(String, String)>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let name = format!("{prefix}{}", path.file_name().unwrap_or_default().to_string_lossy());
        if path.is_dir() {
            visit(&path, &format!("{name}/"), found)?;
        } else {
            found.push((name, fs::read_to_string(&path)?));
        }
    }
    Ok(())
}
