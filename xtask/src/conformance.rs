//! Which conformance suite has passed on which backend: a table at the end of `cargo xtask test`.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use voicecore_conformance::spin;

use crate::dev::Runtime;
use crate::proc::{self, root};

/// Tells the suites where they report (`voicecore_conformance::report`).
pub(crate) const VARIABLE: &str = "VOICECORE_CONFORMANCE_REPORT";
/// Tells the journeys of the dashboard what they run on, by its name in the table.
pub(crate) const BACKEND: &str = "VOICECORE_CONFORMANCE_BACKEND";
/// What a backend can be asked, in the order of the table; `calls`: a whole call went through it, from webhook to transcript; `dashboard`: the
/// journeys in a browser.
const SUITES: [&str; 12] = [
    "Db",
    "Kv",
    "Blob",
    "Queue",
    "Http",
    "Clock",
    "Rng",
    "RateLimits",
    "Actors",
    "HTTP API",
    "calls",
    "dashboard",
];
/// How a line of the report begins that is shown below the table.
const NOTE: &str = "note\t";
/// Where, in its order, and whether it has to be there.
const BACKENDS: [(&str, Needed); 8] = [
    ("native SQLite", Needed::Always),
    ("native PostgreSQL", Needed::Always),
    ("Workers D1", Needed::Always),
    ("Workers PostgreSQL", Needed::Always),
    ("Spin SQLite", Needed::WithSpin),
    ("Spin PostgreSQL", Needed::WithSpin),
    ("our host SQLite", Needed::WithoutSpin),
    ("our host PostgreSQL", Needed::WithoutSpin),
];
/// What cannot be run there, or would show nothing (tests/conformance/README.md says why). Everything else must have passed on each
/// backend that has to be there.
const NOT_RUN: [(&str, &[&str]); 5] = [
    ("native SQLite", &["Http", "dashboard"]),
    (
        "native PostgreSQL",
        &["Kv", "Blob", "Queue", "Http", "Clock", "Rng", "RateLimits", "Actors", "calls", "dashboard"],
    ),
    (
        "Workers PostgreSQL",
        &["Kv", "Blob", "Queue", "Http", "Clock", "Rng", "RateLimits", "Actors", "dashboard"],
    ),
    ("Spin PostgreSQL", &["Kv", "Http", "Clock", "Rng", "Actors", "calls", "dashboard"]),
    ("our host PostgreSQL", &["Kv", "Http", "Clock", "Rng", "Actors", "calls", "dashboard"]),
];

/// When its suites have to have passed there.
#[derive(Clone, Copy, PartialEq)]
enum Needed {
    Always,
    /// Where a `spin` is on the PATH: then it runs the components.
    WithSpin,
    /// Where none is: then our own host does.
    WithoutSpin,
}

impl Needed {
    fn here(self, spin: bool) -> bool {
        match self {
            Self::Always => true,
            Self::WithSpin => spin,
            Self::WithoutSpin => !spin,
        }
    }
}

/// Where they report.
pub(crate) fn file() -> PathBuf {
    root().join("target/conformance.tsv")
}

/// What runs the dashboard there, by its name in the table.
pub(crate) fn backend(runtime: Runtime) -> &'static str {
    match runtime {
        Runtime::Workers => "Workers D1",
        Runtime::Spin if spin::on_path().is_some() => "Spin SQLite",
        Runtime::Spin => "our host SQLite",
    }
}

/// Forgets an earlier run.
pub(crate) fn begin() -> Result<()> {
    proc::work_dir("xtask")?;
    fs::write(file(), "").with_context(|| format!("writing {}", file().display()))
}

/// Prints the table. An error when one has not passed that can run there.
pub(crate) fn show() -> Result<()> {
    let report = fs::read_to_string(file()).context("no suite has reported")?;
    let spin = spin::on_path().is_some();
    let (table, missing) = table(&report, spin);
    print!("{table}");
    println!(
        "\n  -: did not run there, or did not pass (its step says so); tests/conformance/README.md has the reasons"
    );
    for note in report.lines().filter_map(|line| line.strip_prefix(NOTE)) {
        println!("  {note}");
    }
    if !spin {
        println!(
            "\n  SKIPPED: Spin SQLite, Spin PostgreSQL. No `spin` is on the PATH; what ran is our own host, which is not Spin."
        );
    }
    if !missing.is_empty() {
        bail!("not passed: {}", missing.join(", "));
    }
    Ok(())
}

/// A row for each backend: what has passed, and `-` for what has not run (or not passed, which its own step says). And what is
/// missing of what must be there.
fn table(report: &str, spin: bool) -> (String, Vec<String>) {
    let passed: BTreeSet<(&str, &str)> = report.lines().filter_map(|line| line.split_once('\t')).collect();
    let row = |name: &str, cells: [&str; SUITES.len()]| {
        let cells = cells.map(|cell| format!("{cell:<11}")).join("");
        format!("  {name:<20} {}\n", cells.trim_end())
    };
    let mut missing = Vec::new();
    let mut table = row("", SUITES);
    for (backend, needed) in BACKENDS {
        let here = needed.here(spin);
        table += &row(
            backend,
            SUITES.map(|suite| match passed.contains(&(suite, backend)) {
                true => "passed",
                false if here => "-",
                false => "skipped",
            }),
        );
        let not_run = NOT_RUN.iter().find(|(name, _)| *name == backend).map_or(&[][..], |(_, suites)| suites);
        let demanded = SUITES.into_iter().filter(|suite| here && !not_run.contains(suite));
        let lacks = demanded.filter(|suite| !passed.contains(&(*suite, backend)));
        missing.extend(lacks.map(|suite| format!("{suite} on {backend}")));
    }
    (table, missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(table: &str, name: &str) -> Vec<String> {
        let line = table.lines().find(|line| line.trim_start().starts_with(name)).unwrap();
        line.trim_start().trim_start_matches(name).split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn what_did_not_report_has_not_passed() {
        let (table, missing) = table("Db\tWorkers D1\nHTTP API\tSpin SQLite\nDb\tWorkers D1\n", true);
        assert_eq!(
            row(&table, "Workers D1"),
            ["passed", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-"]
        );
        assert_eq!(
            row(&table, "Spin SQLite"),
            ["-", "-", "-", "-", "-", "-", "-", "-", "-", "passed", "-", "-"]
        );
        for suite in SUITES.into_iter().filter(|suite| *suite != "Db") {
            assert!(missing.contains(&format!("{suite} on Workers D1")), "{suite}");
        }
        assert!(!missing.contains(&"Db on Workers D1".to_owned()));
    }

    #[test]
    fn what_is_not_run_is_not_missed_and_is_in_the_table() {
        let missing = table("", false).1;
        for (backend, suites) in NOT_RUN {
            assert!(BACKENDS.iter().any(|(name, _)| *name == backend), "{backend}");
            for suite in suites {
                assert!(SUITES.contains(suite), "{suite}");
                assert!(!missing.contains(&format!("{suite} on {backend}")), "{suite} on {backend}");
            }
        }
        for wanted in
            ["Queue on our host PostgreSQL", "calls on Workers PostgreSQL", "HTTP API on native PostgreSQL"]
        {
            assert!(missing.contains(&wanted.to_owned()), "{wanted}");
        }
    }

    #[test]
    fn the_dashboard_is_run_on_what_the_table_has() {
        for runtime in [Runtime::Workers, Runtime::Spin] {
            assert!(BACKENDS.iter().any(|(name, _)| *name == backend(runtime)), "{runtime:?}");
        }
    }

    #[test]
    fn what_cannot_be_there_is_skipped_and_says_so() {
        let (with, without) = (table("", true), table("", false));
        assert_eq!(row(&without.0, "Spin PostgreSQL"), ["skipped"; SUITES.len()]);
        assert_eq!(row(&with.0, "our host PostgreSQL"), ["skipped"; SUITES.len()]);
        assert!(with.1.contains(&"Db on Spin PostgreSQL".to_owned()));
        assert!(!without.1.contains(&"Db on Spin PostgreSQL".to_owned()));
        assert!(without.1.contains(&"Db on our host SQLite".to_owned()));
    }
}
