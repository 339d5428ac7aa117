//! Long-running children that die with us, whatever becomes of us.
//!
//! Each child leads a process group of its own, so its children (wrangler starts two workerds, node and esbuild) can
//! be killed with it. A guard process (`xtask guard`) knows the groups and holds the other end of a pipe: when the pipe
//! closes, because we are done, have panicked or were killed with SIGKILL, it ends them all.

use std::fs::File;
use std::io::{BufRead, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::proc::{self, describe};

/// How long a group has between being asked and being made to end.
const GRACE: Duration = Duration::from_secs(3);
const POLL: Duration = Duration::from_millis(20);

/// Children that end when this is dropped.
pub(crate) struct Group {
    guard: Child,
    /// Closing it tells the guard to act.
    pipe: Option<ChildStdin>,
    members: Vec<Member>,
}

struct Member {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

/// A member that ended although nobody had asked it to.
pub(crate) struct Dead {
    pub(crate) name: &'static str,
    pub(crate) status: ExitStatus,
    pub(crate) log: PathBuf,
}

impl Group {
    pub(crate) fn new() -> Result<Self> {
        let mut guard = Command::new(this_program()?)
            .arg("guard")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("starting the guard")?;
        let pipe = guard.stdin.take();
        Ok(Self { guard, pipe, members: Vec::new() })
    }

    /// Starts a member. Its standard error goes to `log`; so does its standard output unless `stdout` is given.
    pub(crate) fn start(
        &mut self,
        name: &'static str,
        command: &mut Command,
        log: &Path,
        stdout: Option<File>,
    ) -> Result<()> {
        let errors = File::create(log).with_context(|| format!("writing {}", log.display()))?;
        let stdout = stdout.map_or_else(|| errors.try_clone(), Ok)?;
        let child = command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(errors)
            .spawn()
            .with_context(|| format!("starting `{}`", describe(command)))?;
        if let Some(pipe) = &mut self.pipe {
            writeln!(pipe, "{}", child.id()).context("telling the guard")?;
        }
        self.members.push(Member { name, child, log: log.to_path_buf() });
        Ok(())
    }

    /// The first member found to have ended.
    pub(crate) fn dead(&mut self) -> Result<Option<Dead>> {
        for Member { name, child, log } in &mut self.members {
            if let Some(status) = child.try_wait()? {
                return Ok(Some(Dead { name, status, log: log.clone() }));
            }
        }
        Ok(None)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        drop(self.pipe.take());
        // Members stay visible to the guard until we have asked for their status.
        while matches!(self.guard.try_wait(), Ok(None)) {
            for member in &mut self.members {
                member.child.try_wait().ok();
            }
            thread::sleep(POLL);
        }
    }
}

/// What is running, even when a build has replaced its file meanwhile.
pub(crate) fn this_program() -> Result<PathBuf> {
    // By its number: `self` would be whichever program is asked to start it (beside.rs).
    let own = PathBuf::from(format!("/proc/{}/exe", std::process::id()));
    if own.exists() { Ok(own) } else { std::env::current_exe().context("finding this program") }
}

/// The guard itself: reads process groups, one a line, and ends them when there is nothing more to read.
pub(crate) fn guard() {
    let groups: Vec<Pid> = std::io::stdin()
        .lock()
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| line.trim().parse().ok().map(Pid::from_raw))
        .collect();
    let signal_all =
        |signal: Option<Signal>| groups.iter().filter(|group| killpg(**group, signal).is_ok()).count();
    signal_all(Some(Signal::SIGTERM));
    let began = proc::now();
    while signal_all(None) > 0 {
        if began.elapsed() > GRACE {
            signal_all(Some(Signal::SIGKILL));
            break;
        }
        thread::sleep(POLL);
    }
}
