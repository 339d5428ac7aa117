//! The real Spin, where there is one.

use std::env::{split_paths, var_os};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Those that are known here (`../shared/spec/protocols.md` §4.10).
const MAJORS: std::ops::RangeInclusive<u32> = 2..=4;

/// The `spin` on the PATH. It has to say of itself that it is the one: there are other programs of that name, a model checker among them.
pub fn on_path() -> Option<PathBuf> {
    let path = var_os("PATH")?;
    let first = split_paths(&path).map(|directory| directory.join("spin")).find(|path| path.is_file())?;
    says_so(&first).then_some(first)
}

fn says_so(program: &Path) -> bool {
    let said = Command::new(program).arg("--version").output();
    said.is_ok_and(|said| said.status.success() && is_version(&String::from_utf8_lossy(&said.stdout)))
}

/// `spin 3.1.2 (a1b2c3d 2025-02-24)`.
fn is_version(said: &str) -> bool {
    let version = said.trim().strip_prefix("spin ").and_then(|rest| rest.split_once(" ("));
    let Some((version, build)) = version else { return false };
    let major = version.split_once('.').and_then(|(major, _)| major.parse().ok());
    major.is_some_and(|major| MAJORS.contains(&major)) && build.ends_with(')')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spin_is_told_from_what_else_has_its_name() {
        for said in
            ["spin 4.1.0-pre0 (a1b2c3d 2026-06-01)\n", "spin 3.1.2 (a1b2c3d 2025-02-24)", "spin 2.7.0 (x y)"]
        {
            assert!(is_version(said), "{said}");
        }
        for said in [
            "",
            "spin",
            "Spin Version 6.5.2 -- 6 December 2019",
            "spin 6.5.2",
            "spin 1.5.1 (x y)",
            "pins 4.1.0 (x)",
        ] {
            assert!(!is_version(said), "{said}");
        }
    }
}
