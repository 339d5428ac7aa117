//! Which conformance suite has passed on which backend: a table at the end of `cargo xtask test`.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::proc::{self, root};

/// Tells the suites where they report (`voicecore_conformance::report`).
pub(crate) const VARIABLE: &str = "VOICECORE_CONFORMANCE_REPORT";
/// What a backend can be asked, in the order of the table.
const SUITES: &[&str] = &["Db", "Kv", "Blob", "Queue", "Http", "HTTP API"];
/// Where, in its order. Of the last two, one runs.
const BACKENDS: &[&str] = &["native", "native PostgreSQL", "Workers", "Spin", "Spin (our host)"];

/// Where they report.
pub(crate) fn file() -> PathBuf {
    root().join("target/conformance.tsv")
}

/// Forgets an earlier run.
pub(crate) fn begin() -> Result<()> {
    proc::work_dir("xtask")?;
    fs::write(file(), "").with_context(|| format!("writing {}", file().display()))
}

/// Prints the table.
pub(crate) fn show() -> Result<()> {
    let report = fs::read_to_string(file()).context("no suite has reported")?;
    print!("{}", table(&report));
    println!(
        "\n  -: did not run there, or did not pass (its step says so); tests/conformance/README.md has the reasons"
    );
    Ok(())
}

/// A row for each suite: what has passed, and `-` for what has not run (or not passed, which its own step says).
fn table(report: &str) -> String {
    let passed: BTreeSet<(&str, &str)> = report.lines().filter_map(|line| line.split_once('\t')).collect();
    let row = |name: &str, cells: Vec<String>| {
        let cells: Vec<_> = cells.iter().map(|cell| format!("{cell:<17}")).collect();
        let cells = cells.join(" ");
        format!("  {name:<10} {}\n", cells.trim_end())
    };
    let mut table = row("", BACKENDS.iter().map(|backend| (*backend).to_owned()).collect());
    for suite in SUITES {
        let cell = |backend: &&str| if passed.contains(&(*suite, *backend)) { "passed" } else { "-" };
        table += &row(suite, BACKENDS.iter().map(|backend| cell(backend).to_owned()).collect());
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_did_not_report_has_not_passed() {
        let table = table("Db\tnative\nHTTP API\tSpin\nDb\tnative\n");
        let row = |name: &str| {
            let line = table.lines().find(|line| line.trim_start().starts_with(name)).unwrap();
            line.trim_start().trim_start_matches(name).split_whitespace().collect::<Vec<_>>()
        };
        assert_eq!(row("Db"), ["passed", "-", "-", "-", "-"]);
        assert_eq!(row("HTTP API"), ["-", "-", "-", "passed", "-"]);
        assert_eq!(row("Kv"), ["-"; 5]);
    }
}
