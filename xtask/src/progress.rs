//! Telling what is being done while it is done.

use std::fs::{self, File};
use std::io::{IsTerminal, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::proc;

const POLL: Duration = Duration::from_millis(50);
const REDRAW: Duration = Duration::from_millis(250);
/// Without a terminal nothing can be redrawn: a line now and then shows that it still goes on.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How much of a failed step's log is shown.
const TAIL_LINES: usize = 40;
const TAIL_BYTES: u64 = 16 * 1024;

/// A span of time as people say it: `0.4 s`, `12 s`, `3 min 05 s`.
pub(crate) fn spell(span: Duration) -> String {
    match span.as_secs() {
        0..10 => format!("{:.1} s", span.as_secs_f64()),
        whole @ 10..60 => format!("{whole} s"),
        whole => format!("{} min {:02} s", whole / 60, whole % 60),
    }
}

/// Runs one slow command with its output in a log file, showing its title, last line and elapsed time.
/// Past `limit` it is killed. A failure shows the end of the log.
pub(crate) fn step(title: &str, command: &mut Command, limit: Duration) -> Result<()> {
    let slug: String =
        title.chars().take(60).map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let path = proc::work_dir("xtask")?.join(format!("{slug}.log"));
    let log = File::create(&path).with_context(|| format!("writing {}", path.display()))?;
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);

    let began = proc::now();
    let mut child = command.spawn().with_context(|| format!("starting `{}`", proc::describe(command)))?;
    let status = watch(title, &mut child, &path, limit)?;
    let took = spell(began.elapsed());
    match status {
        Some(status) if status.success() => {
            eprintln!("{}  ✓ {title} · {took}", clear());
            Ok(())
        }
        Some(status) => {
            eprintln!("{}  ✗ {title} · {took}", clear());
            bail!(
                "{title}: `{}` failed ({status}); {}:\n{}",
                proc::describe(command),
                path.display(),
                tail(&path)
            )
        }
        None => {
            eprintln!("{}  ✗ {title} · no end within {}", clear(), spell(limit));
            bail!("{title}: `{}` took longer than {}", proc::describe(command), spell(limit))
        }
    }
}

/// What wipes the line that is being redrawn.
fn clear() -> &'static str {
    if std::io::stderr().is_terminal() { "\r\x1b[K" } else { "" }
}

/// Waits for the child; `None` when it had to be killed at the limit.
fn watch(title: &str, child: &mut Child, log: &Path, limit: Duration) -> Result<Option<ExitStatus>> {
    let terminal = std::io::stderr().is_terminal();
    let began = proc::now();
    let mut shown = Duration::ZERO;
    if !terminal {
        eprintln!("  … {title}");
    }
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        let elapsed = began.elapsed();
        if elapsed > limit {
            child.kill().ok();
            child.wait()?;
            return Ok(None);
        }
        if elapsed >= shown + if terminal { REDRAW } else { HEARTBEAT } {
            shown = elapsed;
            let last = tail(log);
            let last: String = last.lines().last().unwrap_or_default().trim().chars().take(60).collect();
            if terminal {
                eprint!("{}  … {title} · {} · {last}", clear(), spell(elapsed));
                std::io::stderr().flush().ok();
            } else {
                eprintln!("  … {title} · {} · {last}", spell(elapsed));
            }
        }
        thread::sleep(POLL);
    }
}

/// The last lines of a log, without escape sequences that would disturb the terminal.
pub(crate) fn tail(path: &Path) -> String {
    let mut bytes = Vec::new();
    if let Ok(mut file) = File::open(path) {
        let length = fs::metadata(path).map_or(0, |meta| meta.len());
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES))).ok();
        file.read_to_end(&mut bytes).ok();
    }
    let text = String::from_utf8_lossy(&bytes).replace('\r', "\n").replace('\x1b', "");
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_spelt_for_people() {
        let spelt = [400, 9_990, 12_300, 59_900, 185_000].map(|ms| spell(Duration::from_millis(ms)));
        assert_eq!(spelt, ["0.4 s", "10.0 s", "12 s", "59 s", "3 min 05 s"]);
    }

    #[test]
    fn a_step_that_hangs_is_ended_and_one_that_fails_shows_its_last_words() {
        let hung = step("test hang", proc::command("sleep").arg("600"), Duration::from_millis(100));
        assert!(hung.unwrap_err().to_string().contains("took longer"));
        let failed = step("test fail", proc::command("sh").args(["-c", "echo last words; exit 3"]), NEVER);
        assert!(failed.unwrap_err().to_string().contains("last words"));
        step("test success", &mut proc::command("true"), NEVER).unwrap();
    }

    const NEVER: Duration = Duration::from_mins(10);
}
