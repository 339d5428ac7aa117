//! The migrations, as the native tests apply them.

use std::fs;
use std::path::PathBuf;

/// One file of `migrations/`.
#[derive(Debug, Clone)]
pub struct Migration {
    /// Its file name.
    pub name: String,
    /// Its text.
    pub sql: String,
}

/// Every migration, in the order of its number.
///
/// # Panics
/// When the directory cannot be read: the source tree is not complete.
pub fn all() -> Vec<Migration> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../migrations");
    let read = || -> std::io::Result<Vec<Migration>> {
        let mut migrations = Vec::new();
        for entry in fs::read_dir(&directory)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "sql") {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                migrations.push(Migration { name, sql: fs::read_to_string(&path)? });
            }
        }
        Ok(migrations)
    };
    let migrations = read();
    assert!(migrations.is_ok(), "{}: {migrations:?}", directory.display());
    let mut migrations = migrations.unwrap_or_default();
    migrations.sort_by(|a, b| a.name.cmp(&b.name));
    migrations
}
