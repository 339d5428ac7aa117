//! Steps that run beside others. Calls last as long as people speak and leave the machine idle meanwhile; what only compiles
//! takes that time. It does so in a process of its own at the lowest priority, so that no frame comes late for it, with its
//! output in a file, so that two outputs do not mix.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::group::{Group, this_program};
use crate::proc;
use crate::progress::{self, spell};
use crate::suite::{Step, Suite};

const POLL: Duration = Duration::from_millis(100);
/// A line now and then shows that something is still waited for.
const HEARTBEAT: Duration = Duration::from_secs(30);
/// The lowest.
const NICENESS: &str = "19";

/// Steps that are being taken.
pub(crate) struct Beside {
    name: &'static str,
    group: Group,
    log: PathBuf,
    report: PathBuf,
}

impl Beside {
    /// Starts `cargo xtask <arguments> --report <file>`, which hands its steps over by [`hand_over`]. They end when this is dropped.
    pub(crate) fn start(name: &'static str, arguments: &[&str]) -> Result<Self> {
        let directory = proc::work_dir("xtask")?;
        let (log, report) = (directory.join(format!("{name}.log")), directory.join(format!("{name}.ndjson")));
        File::create(&report).with_context(|| format!("writing {}", report.display()))?;
        let mut group = Group::new()?;
        let mut command = proc::command("nice");
        command.args(["-n", NICENESS]).arg(this_program()?).args(arguments).arg("--report").arg(&report);
        group.start(name, &mut command, &log, None)?;
        println!("\n── beside what follows: {name} ({})", log.display());
        Ok(Self { name, group, log, report })
    }

    pub(crate) const fn name(&self) -> &'static str {
        self.name
    }

    /// Waits for the last step, shows what they have said, and adds them to the suite.
    pub(crate) fn finish(self, suite: &mut Suite) -> Result<()> {
        let Self { name, mut group, log, report } = self;
        let began = proc::now();
        let mut shown = Duration::ZERO;
        let status = loop {
            if let Some(dead) = group.dead()? {
                break dead.status;
            }
            if began.elapsed() >= shown + HEARTBEAT {
                shown = began.elapsed();
                let last = progress::tail(&log);
                println!("  … {name} · {} · {}", spell(shown), last.lines().last().unwrap_or_default());
            }
            thread::sleep(POLL);
        };
        println!(
            "\n── {name}, which ran beside\n{}",
            fs::read_to_string(&log).unwrap_or_default().trim_end()
        );
        let steps = fs::read_to_string(&report).unwrap_or_default();
        let steps: Vec<Step> = steps.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
        let well = steps.iter().all(Step::passed);
        suite.add_beside(steps);
        if status.success() != well {
            bail!("{name} ended early: {status}");
        }
        Ok(())
    }
}

/// Hands the steps of a suite over to the program that has started this one.
pub(crate) fn hand_over(suite: &Suite, report: &Path) -> Result<()> {
    let mut file = File::create(report).with_context(|| format!("writing {}", report.display()))?;
    for step in suite.steps() {
        writeln!(file, "{}", serde_json::to_string(step)?)?;
    }
    Ok(())
}
