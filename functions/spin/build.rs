//! Lists the migrations for `src/migrations.rs`: the portable ones, then those of this platform, each split into statements,
//! because Spin runs one statement at a time.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    // tests/spin/probe has this script, too.
    let root = here.ancestors().find(|directory| directory.join("functions/spin/migrations").is_dir());
    let root = root.ok_or_else(|| io::Error::other("the source tree is not complete"))?;
    let mut list = String::from("&[\n");
    for (prefix, directory) in [("", "migrations"), ("spin_", "functions/spin/migrations")] {
        let directory = root.join(directory);
        println!("cargo::rerun-if-changed={}", directory.display());
        for file in sql_files(&directory)? {
            let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let statements = statements(&fs::read_to_string(&file)?);
            let _ = writeln!(list, "    ({:?}, &{statements:?}),", format!("{prefix}{name}"));
        }
    }
    list.push(']');
    fs::write(PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("migrations.rs"), list)
}

/// By the number in their names.
fn sql_files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "sql") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The statements of a file, without comments. `migrations/README.md` (and its lint) keeps semicolons out of comments; those in
/// literals do not end a statement.
fn statements(text: &str) -> Vec<String> {
    let mut code = String::new();
    for line in text.lines() {
        let _ = writeln!(code, "{}", line.split_once("--").map_or(line, |(code, _)| code).trim_end());
    }
    let (mut statements, mut current, mut quoted) = (Vec::new(), String::new(), false);
    for sign in code.chars() {
        quoted ^= sign == '\'';
        if sign == ';' && !quoted {
            statements.push(std::mem::take(&mut current).trim().to_owned());
        } else {
            current.push(sign);
        }
    }
    statements.push(current.trim().to_owned());
    statements.retain(|statement| !statement.is_empty());
    statements
}
