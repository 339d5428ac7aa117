//! Commands whose output is shown as it comes, and its end kept.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, IsTerminal, Read};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;

use anyhow::{Context, Result};

use crate::proc::describe;

/// Lines that are kept: the end of what a compiler, a formatter or a judge says.
const MAX_LAST: usize = 20;

/// A line of a child's output.
enum Line {
    Out(String),
    Error(String),
}

/// Runs it with what it says shown, `each` line of its standard output looked at, and its last lines returned: of both streams
/// in the order in which they came. A terminal gets standard error directly, for the sake of progress and colours.
pub(crate) fn run(command: &mut Command, mut each: impl FnMut(&str)) -> Result<(ExitStatus, Vec<String>)> {
    let direct = std::io::stderr().is_terminal();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(if direct { Stdio::inherit() } else { Stdio::piped() })
        .spawn()
        .with_context(|| format!("starting `{}`", describe(command)))?;
    // Nothing piles up: whoever reads waits until the line before was shown.
    let (said, lines) = mpsc::sync_channel(0);
    if let Some(errors) = child.stderr.take() {
        listen(errors, said.clone(), Line::Error);
    }
    listen(child.stdout.take().context("no output")?, said, Line::Out);
    let mut last = VecDeque::new();
    for line in lines {
        let line = match line {
            Line::Out(line) => {
                println!("{line}");
                each(&line);
                line
            }
            Line::Error(line) => {
                eprintln!("{line}");
                line
            }
        };
        if last.len() == MAX_LAST {
            last.pop_front();
        }
        last.push_back(line);
    }
    Ok((child.wait()?, last.into()))
}

/// Reads a stream to its end.
fn listen(stream: impl Read + Send + 'static, said: mpsc::SyncSender<Line>, line_of: fn(String) -> Line) {
    thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            if said.send(line_of(String::from_utf8_lossy(&line).into_owned())).is_err() {
                return;
            }
        }
    });
}
