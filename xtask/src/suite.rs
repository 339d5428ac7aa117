//! Steps that pass or fail, one after the other, and what they come to.

use std::io::{BufRead, BufReader};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::proc::{self, describe};
use crate::progress::spell;

/// How many tests a step had.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Count {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

/// A run of steps. A failing step does not keep the next from running: one run tells everything that is wrong.
#[derive(Default)]
pub(crate) struct Suite {
    done: Vec<(String, Count, Duration)>,
    /// Names of tests, without their crate, and whether they passed.
    pub(crate) tests: Vec<(String, bool)>,
}

impl Suite {
    /// Runs a step that counts as one test.
    pub(crate) fn step(&mut self, name: &str, run: impl FnOnce() -> Result<()>) {
        self.counted(name, |_| run().map(|()| Count { passed: 1, failed: 0 }));
    }

    /// Runs a command that counts as one test.
    pub(crate) fn command(&mut self, name: &str, command: &mut Command) {
        self.step(name, || proc::run(command));
    }

    /// Runs a `cargo test` command and counts its tests.
    pub(crate) fn cargo_test(&mut self, name: &str, command: &mut Command) {
        self.counted(name, |tests| cargo_test(command, tests));
    }

    fn counted(&mut self, name: &str, run: impl FnOnce(&mut Vec<(String, bool)>) -> Result<Count>) {
        println!("\n── {name}");
        let began = proc::now();
        let mut count = run(&mut self.tests).unwrap_or_else(|error| {
            eprintln!("error: {error:#}");
            Count { passed: 0, failed: 1 }
        });
        if count == Count::default() {
            eprintln!("error: there was nothing to run");
            count.failed = 1;
        }
        self.done.push((name.to_owned(), count, began.elapsed()));
    }

    /// Prints what every step came to and, as the last line, the whole. Fails when anything has failed.
    pub(crate) fn finish(self) -> ExitCode {
        let mut all = Count::default();
        let mut took = Duration::ZERO;
        println!("\n── summary");
        for (name, count, span) in &self.done {
            let sign = if count.failed == 0 { '✓' } else { '✗' };
            println!(
                "  {sign} {name:<44} {:>5} passed {:>4} failed  {:>12}",
                count.passed,
                count.failed,
                spell(*span)
            );
            all.passed += count.passed;
            all.failed += count.failed;
            took += *span;
        }
        println!("  {:<66} {:>12}\n", "", spell(took));
        println!("{} passed, {} failed", all.passed, all.failed);
        if all.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// Shows libtest's output as it comes, and adds up its results.
fn cargo_test(command: &mut Command, tests: &mut Vec<(String, bool)>) -> Result<Count> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("starting `{}`", describe(command)))?;
    let mut count = Count::default();
    for line in BufReader::new(child.stdout.take().context("no output")?).lines() {
        let line = line?;
        println!("{line}");
        if let Some((passed, failed)) = totals(&line) {
            count.passed += passed;
            count.failed += failed;
        } else if let Some(test) = result(&line) {
            tests.push(test);
        }
    }
    let status = child.wait()?;
    // It did not compile, or a test process died before it could say how it went.
    if !status.success() && count.failed == 0 {
        count.failed = 1;
    }
    Ok(count)
}

/// `test result: ok. 9 passed; 0 failed; …` of libtest, `9 passed, 0 failed, …` of tests with a harness of their own.
fn totals(line: &str) -> Option<(u64, u64)> {
    let counts =
        line.strip_prefix("test result: ").and_then(|rest| Some(rest.split_once(". ")?.1)).unwrap_or(line);
    let mut parts = counts.split([';', ',']).map(str::trim);
    let passed = parts.next()?.strip_suffix(" passed")?.parse().ok()?;
    let failed = parts.next()?.strip_suffix(" failed")?.parse().ok()?;
    Some((passed, failed))
}

/// `test module::name ... ok`
fn result(line: &str) -> Option<(String, bool)> {
    let (name, outcome) = line.strip_prefix("test ")?.split_once(" ... ")?;
    let passed = match outcome.split_whitespace().next()? {
        "ok" => true,
        "FAILED" => false,
        _ => return None,
    };
    let name = name.trim_end_matches(" - should panic");
    Some((name.rsplit("::").next()?.to_owned(), passed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_read() {
        assert_eq!(
            totals("test result: ok. 9 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out"),
            Some((9, 0))
        );
        assert_eq!(totals("test result: FAILED. 3 passed; 12 failed; 0 ignored"), Some((3, 12)));
        assert_eq!(totals("41 passed, 2 failed, in 380 s"), Some((41, 2)));
        assert_eq!(totals("test results are in"), None);
        assert_eq!(result("test call::a21_transcript ... ok"), Some(("a21_transcript".into(), true)));
        assert_eq!(result("test b10_sentiment ... FAILED"), Some(("b10_sentiment".into(), false)));
        assert_eq!(result("test slow ... ignored, because"), None);
    }

    #[test]
    fn a_step_that_runs_nothing_or_fails_is_a_failure() {
        let mut suite = Suite::default();
        suite.counted("nothing", |_| Ok(Count::default()));
        assert_eq!(suite.finish(), ExitCode::FAILURE);
        let mut suite = Suite::default();
        suite.step("broken", || anyhow::bail!("on purpose"));
        suite.step("fine", || Ok(()));
        assert_eq!(
            suite.done.iter().map(|(_, count, _)| (count.passed, count.failed)).collect::<Vec<_>>(),
            [(0, 1), (1, 0)]
        );
        let mut suite = Suite::default();
        suite.step("fine", || Ok(()));
        assert_eq!(suite.finish(), ExitCode::SUCCESS);
    }

    #[test]
    fn a_test_command_that_does_not_compile_is_one_failure() {
        let mut tests = Vec::new();
        let count = cargo_test(Command::new("false").arg("x"), &mut tests).unwrap();
        assert_eq!(count, Count { passed: 0, failed: 1 });
        let mut fine = Command::new("printf");
        fine.arg("test x::y ... ok\ntest result: ok. 1 passed; 0 failed; 0 ignored\n");
        assert_eq!(cargo_test(&mut fine, &mut tests).unwrap(), Count { passed: 1, failed: 0 });
        assert_eq!(tests, [("y".to_owned(), true)]);
    }
}
