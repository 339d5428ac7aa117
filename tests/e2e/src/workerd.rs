//! The built worker in workerd, through `tests/harness/workerd.mjs`.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::{Mutex, mpsc, watch};

use crate::root;

/// The longest that a start, with its migrations, may take.
const START_LIMIT: Duration = Duration::from_mins(1);
/// The longest that a command to the harness may take.
const COMMAND_LIMIT: Duration = Duration::from_secs(20);
/// Answers of the harness that may wait to be read.
const MAX_WAITING_LINES: usize = 64;

/// A line of the harness.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Line {
    Ready {
        url: String,
        pid: u32,
    },
    Done {
        #[serde(rename = "done")]
        _command: String,
        #[serde(flatten)]
        answer: Value,
    },
    Error {
        error: String,
    },
    Other {},
}

/// workerd as it runs now.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Running {
    url: String,
    pid: u32,
    starts: u32,
}

/// Options of `tests/harness/workerd.mjs`; what is not said is as in production.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Options {
    pub(crate) faults: bool,
    /// Where another worker than that of `cargo xtask build` is, from the top of the tree.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) build: Option<&'static str>,
    /// The database behind Hyperdrive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) postgres: Option<String>,
    /// Where the actors' script is, when it is not beside the worker's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) actors: Option<&'static str>,
}

/// A workerd that starts again, on the same port and storage, when it dies. Its harness and whatever that has started are killed
/// when this is dropped, also by a case that panics or takes too long.
pub(crate) struct Workerd {
    harness: Child,
    group: Group,
    stdin: Mutex<ChildStdin>,
    answers: Mutex<mpsc::Receiver<Result<Value, String>>>,
    running: watch::Receiver<Option<Running>>,
}

impl Workerd {
    /// Starts the worker with `vars` as its configuration, its storage in `persist`, and `more` options of the harness: with
    /// `faults`, [`Workerd::fault`] works.
    pub(crate) async fn start(
        port: u16,
        persist: &std::path::Path,
        vars: &Value,
        more: Options,
    ) -> anyhow::Result<Self> {
        std::fs::create_dir_all(persist)?;
        let mut options = json!({"port": port, "persist": persist, "vars": vars, "restart": true});
        if let (Some(options), Some(more)) =
            (options.as_object_mut(), serde_json::to_value(more)?.as_object())
        {
            options.extend(more.clone());
        }
        let file = persist.join("harness.json");
        std::fs::write(&file, options.to_string())?;
        let log = std::fs::File::create(persist.join("workerd.log"))?;
        let mut harness = Command::new("node")
            .arg(root().join("tests/harness/workerd.mjs"))
            .arg(&file)
            .current_dir(root())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .context("starting node")?;
        let group = Group(i32::try_from(harness.id().context("the harness ended at once")?)?);
        let stdin = harness.stdin.take().context("no stdin")?;
        let stdout = harness.stdout.take().context("no stdout")?;
        let (said, answers) = mpsc::channel(MAX_WAITING_LINES);
        let (state, running) = watch::channel(None);
        tokio::spawn(listen(stdout, said, state));
        let mut workerd =
            Self { harness, group, stdin: Mutex::new(stdin), answers: Mutex::new(answers), running };
        let ready = tokio::time::timeout(START_LIMIT, workerd.running.wait_for(Option::is_some)).await;
        if !ready.is_ok_and(|started| started.is_ok()) {
            let said = workerd.answers.get_mut().try_recv().ok().and_then(Result::err).unwrap_or_default();
            let log = std::fs::read_to_string(persist.join("workerd.log")).unwrap_or_default();
            let log = log.lines().rev().take(5).collect::<Vec<_>>().join(" | ");
            bail!("workerd did not start: {said} | {log}");
        }
        Ok(workerd)
    }

    /// Where the worker listens.
    pub(crate) fn url(&self) -> String {
        self.running.borrow().as_ref().map_or_else(String::new, |running| running.url.clone())
    }

    /// Kills workerd without warning; the harness starts it again. Returns when the process has been told.
    pub(crate) async fn kill(&self) -> anyhow::Result<()> {
        let pid =
            self.running.borrow().as_ref().map(|running| running.pid).context("workerd is not running")?;
        let status = Command::new("kill").args(["-9", &pid.to_string()]).status().await?;
        anyhow::ensure!(status.success(), "workerd ({pid}) could not be killed");
        Ok(())
    }

    /// How often it has been started.
    pub(crate) fn starts(&self) -> u32 {
        self.running.borrow().as_ref().map_or(0, |running| running.starts)
    }

    /// Runs a statement on D1.
    pub(crate) async fn sql(&self, sql: &str, args: &[Value]) -> anyhow::Result<Value> {
        let answer = self.command(&json!({"sql": sql, "args": args}).to_string()).await?;
        answer.get("rows").cloned().context("no rows")
    }

    /// Runs the job of every minute.
    pub(crate) async fn scheduled(&self) -> anyhow::Result<()> {
        let answer = self.command("scheduled").await?;
        anyhow::ensure!(answer["outcome"] == "ok", "the scheduled job: {answer}");
        Ok(())
    }

    /// Makes a fault (`tests/harness/faults.mjs`). Only if started with `faults`.
    pub(crate) async fn fault(&self, fault: &str, argument: &str) -> anyhow::Result<()> {
        self.command(&json!({"fault": fault, "argument": argument}).to_string()).await.map(drop)
    }

    /// Puts a text into the queue.
    pub(crate) async fn enqueue(&self, job: &str) -> anyhow::Result<()> {
        self.command(&json!({"job": job}).to_string()).await.map(drop)
    }

    /// Sends a command to the hub of a tenant, as a call's actor does.
    pub(crate) async fn hub(&self, tenant_id: &str, command: &Value) -> anyhow::Result<Value> {
        let line = json!({"object": "HUB_ACTOR", "name": tenant_id, "command": command});
        let answer = self.command(&line.to_string()).await?;
        answer.get("reply").cloned().context("no reply")
    }

    /// Waits until it has been started so often.
    pub(crate) async fn started(&self, starts: u32) -> anyhow::Result<()> {
        let mut running = self.running.clone();
        let enough = running.wait_for(|state| state.as_ref().is_some_and(|state| state.starts >= starts));
        tokio::time::timeout(START_LIMIT, enough).await.context("workerd did not start again")??;
        Ok(())
    }

    /// Sends a line to the harness and waits for its answer.
    async fn command(&self, line: &str) -> anyhow::Result<Value> {
        let mut answers = self.answers.lock().await;
        self.stdin.lock().await.write_all(format!("{line}\n").as_bytes()).await?;
        let answer = tokio::time::timeout(COMMAND_LIMIT, answers.recv())
            .await
            .context("no answer from the harness")?;
        answer.context("the harness is gone")?.map_err(anyhow::Error::msg)
    }

    /// Its processes, to ask whether they are gone when this is.
    pub(crate) fn processes(&self) -> Processes {
        Processes(self.group.0)
    }

    /// Stops workerd and waits until it is gone.
    pub(crate) async fn stop(self) {
        let Self { mut harness, group, stdin, .. } = self;
        drop(stdin);
        drop(tokio::time::timeout(COMMAND_LIMIT, harness.wait()).await);
        drop(group);
    }
}

/// The process group that the harness leads. SIGKILL would reach the harness alone, and leave its workerd running.
struct Group(i32);

impl Drop for Group {
    fn drop(&mut self) {
        // An error: nobody of it is left.
        let _ = killpg(Pid::from_raw(self.0), Signal::SIGKILL);
    }
}

/// The processes of a harness.
#[derive(Clone, Copy)]
pub(crate) struct Processes(i32);

impl Processes {
    /// Kills the harness alone, as the system does when memory is short.
    pub(crate) fn kill_harness(self) -> anyhow::Result<()> {
        Ok(nix::sys::signal::kill(Pid::from_raw(self.0), Signal::SIGKILL)?)
    }

    /// How many of them run.
    pub(crate) fn running(self) -> usize {
        match std::fs::read_dir("/proc") {
            Ok(processes) => processes
                .flatten()
                .filter_map(|process| std::fs::read_to_string(process.path().join("stat")).ok())
                .filter(|stat| runs_in(stat, self.0))
                .count(),
            Err(_) => usize::from(killpg(Pid::from_raw(self.0), None).is_ok()),
        }
    }
}

/// `pid (name) state parent group …` of proc(5); one that only waits for its parent to ask how it ended does not run.
fn runs_in(stat: &str, group: i32) -> bool {
    let mut fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
    let (state, group_of) = (fields.next(), fields.nth(1));
    state != Some("Z") && group_of.and_then(|field| field.parse().ok()) == Some(group)
}

async fn listen(
    stdout: tokio::process::ChildStdout,
    said: mpsc::Sender<Result<Value, String>>,
    state: watch::Sender<Option<Running>>,
) {
    let mut starts = 0;
    let mut lines = BufReader::new(stdout).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        match serde_json::from_str(&line).unwrap_or(Line::Other {}) {
            Line::Ready { url, pid } => {
                starts += 1;
                drop(state.send(Some(Running { url, pid, starts })));
            }
            Line::Done { answer, .. } => drop(said.send(Ok(answer)).await),
            Line::Error { error } => drop(said.send(Err(error)).await),
            // workerd died: that it is back is seen by the next `ready`.
            Line::Other {} => {}
        }
    }
}
