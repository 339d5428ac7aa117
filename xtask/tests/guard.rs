//! No process is left behind, whatever becomes of the one that started it.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

#[test]
fn when_the_pipe_closes_the_guard_ends_a_group_with_its_grandchildren() {
    // A child that ignores being asked, and a child of it.
    let mut child = Command::new("sh")
        .args(["-c", "trap '' TERM; sleep 300 & echo $!; wait; sleep 300"])
        .process_group(0)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let grandchild = Pid::from_raw(line.trim().parse().unwrap());

    let mut guard =
        Command::new(env!("CARGO_BIN_EXE_xtask")).arg("guard").stdin(Stdio::piped()).spawn().unwrap();
    let mut pipe = guard.stdin.take().unwrap();
    writeln!(pipe, "{}", child.id()).unwrap();
    assert!(
        child.try_wait().unwrap().is_none() && guard.try_wait().unwrap().is_none(),
        "nothing ends before its time"
    );

    drop(pipe);
    assert!(guard.wait().unwrap().success());
    assert!(!child.wait().unwrap().success());
    // Its parent is dead, so init reaps it; until then it is a zombie that can still be signalled.
    for _ in 0..200 {
        if kill(grandchild, None::<Signal>).is_err() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let state = std::fs::read_to_string(format!("/proc/{grandchild}/stat")).unwrap_or_default();
    assert!(state.is_empty() || state.contains(") Z "), "the grandchild runs on: {state}");
}
