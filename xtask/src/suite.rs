//! Steps that pass or fail, and what they come to.

use std::borrow::BorrowMut;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

use crate::proc::{self, describe};
use crate::progress::spell;
use crate::watch;

/// Lines that the summary tells of a step that failed; all of them stand above it.
const MAX_WHY: usize = 40;
/// Lines that it tells of one test.
const MAX_SAID: usize = 12;
/// Characters of a line.
const MAX_WIDTH: usize = 400;

/// How many tests a step had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Count {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

/// A run of steps. A failing step does not keep the next from running: one run tells everything that is wrong.
pub(crate) struct Suite {
    began: Instant,
    done: Vec<Step>,
    /// Names of tests, without their crate, and whether they passed.
    pub(crate) tests: Vec<(String, bool)>,
}

/// A step that was run.
#[derive(Serialize, Deserialize)]
pub(crate) struct Step {
    name: String,
    count: Count,
    took: Duration,
    /// What failed in it, and why.
    why: Vec<String>,
    /// Others ran at the same time.
    beside: bool,
}

impl Step {
    pub(crate) const fn passed(&self) -> bool {
        self.count.failed == 0
    }
}

/// What a step learns while it runs.
struct Notes<'a> {
    tests: &'a mut Vec<(String, bool)>,
    why: Vec<String>,
}

impl Suite {
    /// Nothing has been run.
    pub(crate) fn new() -> Self {
        Self { began: proc::now(), done: Vec::new(), tests: Vec::new() }
    }

    /// What has been run.
    pub(crate) fn steps(&self) -> &[Step] {
        &self.done
    }

    /// Adds what another suite has run meanwhile.
    pub(crate) fn add_beside(&mut self, steps: Vec<Step>) {
        self.done.extend(steps.into_iter().map(|step| Step { beside: true, ..step }));
    }

    /// Runs a step that counts as one test.
    pub(crate) fn step(&mut self, name: &str, run: impl FnOnce() -> Result<()>) {
        self.counted(name, |_| run().map(|()| Count { passed: 1, failed: 0 }));
    }

    /// Runs a command that counts as one test.
    pub(crate) fn command(&mut self, name: &str, command: &mut Command) {
        self.prepared(name, || Ok(command));
    }

    /// The same, of a command that has to be prepared.
    pub(crate) fn prepared<C: BorrowMut<Command>>(
        &mut self,
        name: &str,
        prepare: impl FnOnce() -> Result<C>,
    ) {
        self.counted(name, |notes| {
            let mut command = prepare()?;
            let command = command.borrow_mut();
            let (status, last) = watch::run(command, |_| {})?;
            if !status.success() {
                notes.why = last;
                bail!("`{}` failed: {status}", describe(command));
            }
            Ok(Count { passed: 1, failed: 0 })
        });
    }

    /// Runs `cargo test` commands, or test programs, and counts their tests.
    pub(crate) fn tests(&mut self, name: &str, commands: Vec<Command>) {
        self.counted(name, |notes| {
            let mut all = Count::default();
            for mut command in commands {
                println!("     Running {}", describe(&command));
                let count = tests(&mut command, notes)?;
                all.passed += count.passed;
                all.failed += count.failed;
            }
            Ok(all)
        });
    }

    fn counted(&mut self, name: &str, run: impl FnOnce(&mut Notes<'_>) -> Result<Count>) {
        println!("\n── {name}");
        let began = proc::now();
        let mut notes = Notes { tests: &mut self.tests, why: Vec::new() };
        let mut count = run(&mut notes).unwrap_or_else(|error| {
            let error = format!("error: {error:#}");
            eprintln!("{error}");
            notes.why.extend(error.lines().map(str::to_owned));
            Count { passed: 0, failed: 1 }
        });
        let mut why = notes.why;
        if count == Count::default() {
            let error = "error: there was nothing to run";
            eprintln!("{error}");
            why.push(error.to_owned());
            count.failed = 1;
        }
        self.done.push(Step { name: name.to_owned(), count, took: began.elapsed(), why, beside: false });
    }

    /// Prints what every step came to, what failed and why, and, as the last line, the whole. Fails when anything has failed.
    pub(crate) fn finish(self) -> ExitCode {
        let (summary, all) = self.summary();
        println!("\n── summary\n{summary}");
        if all.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    fn summary(&self) -> (String, Count) {
        let mut all = Count::default();
        let mut lines = Vec::new();
        for Step { name, count, took, beside, .. } in &self.done {
            let sign = if count.failed == 0 { '✓' } else { '✗' };
            let Count { passed, failed } = *count;
            let (took, beside) = (spell(*took), if *beside { "  beside" } else { "" });
            lines.push(format!(
                "  {sign} {name:<44} {passed:>5} passed {failed:>4} failed  {took:>12}{beside}"
            ));
            all.passed += passed;
            all.failed += failed;
        }
        lines.push(format!("  {:<66} {:>12}\n", "", spell(self.began.elapsed())));
        for step in self.done.iter().filter(|step| !step.passed()) {
            lines.push(format!("✗ {}", step.name));
            lines.extend(step.why.iter().take(MAX_WHY).map(|line| format!("    {}", shortened(line))));
            if let Some(more @ 1..) = step.why.len().checked_sub(MAX_WHY) {
                lines.push(format!("    … {more} more lines above"));
            }
            lines.push(String::new());
        }
        lines.push(format!("{} passed, {} failed", all.passed, all.failed));
        (lines.join("\n"), all)
    }
}

/// The beginning of a long line: assertions show whole documents.
fn shortened(line: &str) -> &str {
    line.char_indices().nth(MAX_WIDTH).and_then(|(end, _)| line.get(..end)).unwrap_or(line)
}

/// Shows the output of tests as it comes, adds up their results, and notes why any failed.
fn tests(command: &mut Command, notes: &mut Notes<'_>) -> Result<Count> {
    // The message and the place of a panic say what failed; sixty frames of a runtime bury both.
    command.env("RUST_BACKTRACE", "0");
    let mut count = Count::default();
    let mut failures = Failures::default();
    let (status, last) = watch::run(command, |line| {
        failures.read(line);
        if let Some((passed, failed)) = totals(line) {
            count.passed += passed;
            count.failed += failed;
        } else if let Some(test) = result(line) {
            notes.tests.push(test);
        }
    })?;
    notes.why.extend(failures.lines);
    // It did not compile, or a test process died before it could say how it went.
    if !status.success() && count.failed == 0 {
        count.failed = 1;
        notes.why.extend(last);
    }
    Ok(count)
}

/// What stands under `failures:` in the output of libtest and of tests with a harness of their own: for each test that failed
/// its name and the beginning of what it said, from its panic on where there is one.
#[derive(Default)]
struct Failures {
    lines: Vec<String>,
    inside: bool,
    /// Entries have a headline of libtest's; what is indented is something that a test said.
    libtest: bool,
    /// Where the entry of this test begins.
    entry: usize,
}

impl Failures {
    fn read(&mut self, line: &str) {
        if line == "failures:" {
            self.inside = true;
        } else if totals(line).is_some() {
            (self.inside, self.libtest) = (false, false);
        } else if self.inside && !line.trim().is_empty() && !self.is_known(line) {
            let of_libtest = line.strip_prefix("---- ").and_then(|rest| rest.strip_suffix(" stdout ----"));
            self.libtest |= of_libtest.is_some();
            let named = || line.strip_prefix("  ").is_some_and(|name| !name.starts_with(' '));
            if of_libtest.is_some() || (!self.libtest && named()) {
                self.entry = self.lines.len();
                self.lines.push(of_libtest.unwrap_or(line.trim()).to_owned());
            } else {
                if line.starts_with("thread '") {
                    self.lines.truncate(self.entry + 1);
                }
                if self.lines.len() <= self.entry + MAX_SAID {
                    self.lines.push(format!("  {}", line.trim_end()));
                }
            }
        }
    }

    /// At its end libtest repeats the names.
    fn is_known(&self, line: &str) -> bool {
        self.lines.iter().any(|known| known == line.trim())
    }
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
        let mut suite = Suite::new();
        suite.counted("nothing", |_| Ok(Count::default()));
        assert_eq!(suite.finish(), ExitCode::FAILURE);
        let mut suite = Suite::new();
        suite.step("broken", || anyhow::bail!("on purpose"));
        suite.step("fine", || Ok(()));
        assert_eq!(
            suite.done.iter().map(|step| (step.count.passed, step.count.failed)).collect::<Vec<_>>(),
            [(0, 1), (1, 0)]
        );
        let mut suite = Suite::new();
        suite.step("fine", || Ok(()));
        assert_eq!(suite.finish(), ExitCode::SUCCESS);
    }

    fn sh(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    fn counted(command: &mut Command) -> (Count, Vec<(String, bool)>, Vec<String>) {
        let mut tests = Vec::new();
        let mut notes = Notes { tests: &mut tests, why: Vec::new() };
        let count = super::tests(command, &mut notes).unwrap();
        let why = notes.why;
        (count, tests, why)
    }

    #[test]
    fn a_test_command_that_does_not_compile_is_one_failure_and_the_end_of_its_output_says_why() {
        let (count, tests, why) = counted(&mut sh("echo 'error[E0425]: cannot find it' >&2; exit 101"));
        assert_eq!((count, tests.as_slice()), (Count { passed: 0, failed: 1 }, [].as_slice()));
        assert_eq!(why, ["error[E0425]: cannot find it"]);
        let (count, tests, why) = counted(&mut sh(
            "echo 'test x::y ... ok'; echo 'test result: ok. 1 passed; 0 failed; 0 ignored'",
        ));
        assert_eq!((count, tests), (Count { passed: 1, failed: 0 }, vec![("y".to_owned(), true)]));
        assert!(why.is_empty());
    }

    #[test]
    fn the_summary_ends_with_what_failed_and_why() {
        let output = "failures:

---- room::the_door_is_shut stdout ----
a line of the test's own

thread 'room::the_door_is_shut' (17) panicked at room/src/door.rs:9:5:
assertion `left == right` failed
  left: 1
 right: 2
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace


failures:
    room::the_door_is_shut

test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out

failures:

  http-suite  
    bodies_are_limited: broken pipe (http.rs:1:1)

4 passed, 1 failed, in 9 s
";
        let mut suite = Suite::new();
        let mut command = sh("printf '%s' \"$OUTPUT\"; exit 1");
        command.env("OUTPUT", output);
        suite.tests("tests", vec![command]);
        suite.command("judges", &mut sh("echo refused; exit 3"));
        let (summary, all) = suite.summary();
        assert_eq!(all, Count { passed: 7, failed: 3 });
        let (_, end) = summary.split_once("\n\n").unwrap();
        assert_eq!(
            end,
            "✗ tests
    room::the_door_is_shut
      thread 'room::the_door_is_shut' (17) panicked at room/src/door.rs:9:5:
      assertion `left == right` failed
        left: 1
       right: 2
      note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
    http-suite
          bodies_are_limited: broken pipe (http.rs:1:1)

✗ judges
    refused
    error: `sh -c echo refused; exit 3` failed: exit status: 3

7 passed, 3 failed"
        );
    }
}
