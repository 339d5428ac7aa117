//! Child processes of a measurement: pinned, accounted, and gone at the end on every path.

use std::process::{Child, Command};

/// CPU seconds used since the start, and memory now.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Usage {
    pub(crate) cpu_seconds: f64,
    pub(crate) resident_mb: f64,
}

/// Sums the usage of processes; one that is gone counts nothing.
pub(crate) fn usage(pids: &[u32]) -> Usage {
    // USER_HZ is 100 on every Linux that this runs on (proc(5)).
    const TICKS_PER_SECOND: f64 = 100.0;
    const PAGE_MB: f64 = 4_096.0 / 1_048_576.0;
    let mut usage = Usage::default();
    for pid in pids {
        let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
        // The name in parentheses may hold blanks: count fields from behind it.
        let Some((_, rest)) = stat.rsplit_once(") ") else { continue };
        let fields: Vec<f64> = rest.split(' ').map(|field| field.parse().unwrap_or(0.0)).collect();
        let field = |number: usize| fields.get(number - 3).copied().unwrap_or(0.0);
        usage.cpu_seconds += (field(14) + field(15)) / TICKS_PER_SECOND;
        usage.resident_mb += field(24) * PAGE_MB;
    }
    usage
}

/// Binds this process to one core, if `taskset` is there and allows it.
pub(crate) fn pin_self(core: u16) {
    let pid = std::process::id().to_string();
    let _ = Command::new("taskset")
        .args(["-cp", &core.to_string(), &pid])
        .stdout(std::process::Stdio::null())
        .status();
}

/// A command bound to one core.
pub(crate) fn pinned(core: u16, program: &str) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", &core.to_string(), program]);
    command
}

/// Moves a process with all of its threads to the cores that this process is bound to.
pub(crate) fn bring_here(pid: u32) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let Some(cores) = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")) else { return };
    let _ = Command::new("taskset")
        .args(["-acp", cores.trim(), &pid.to_string()])
        .stdout(std::process::Stdio::null())
        .status();
}

/// Children that are killed when this is dropped.
pub(crate) struct Children(pub(crate) Vec<Child>);

impl Drop for Children {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // The harness ends with its input and takes workerd with it; killed, it would leave workerd behind.
            if child.stdin.take().is_some() {
                for _ in 0..30 {
                    if matches!(child.try_wait(), Ok(Some(_))) {
                        break;
                    }
                    std::thread::sleep(std::time::Duration::from_millis(100));
                }
            }
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
