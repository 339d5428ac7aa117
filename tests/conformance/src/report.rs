//! What ran where: each suite that has passed says so, `cargo xtask test` shows the table.

use std::fs::OpenOptions;
use std::io::Write as _;

/// Names the file that the lines go to; not set: nobody asks.
pub const FILE: &str = "VOICECORE_CONFORMANCE_REPORT";

/// Notes that a suite has passed on a backend: `<suite>\t<backend>`.
///
/// # Panics
/// When the report cannot be written.
pub fn passed(suite: &str, backend: &str) {
    let Some(path) = std::env::var_os(FILE) else { return };
    let file = OpenOptions::new().create(true).append(true).open(path);
    // One write for a line: test processes run side by side.
    let written = file.and_then(|mut file| file.write_all(format!("{suite}\t{backend}\n").as_bytes()));
    assert!(written.is_ok(), "the report cannot be written: {written:?}");
}
