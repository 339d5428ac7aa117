//! Packages of Debian and its kin, for what neither cargo nor npm has.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::proc::{command, output, which};
use crate::progress;

const LIMIT: Duration = Duration::from_mins(15);

/// Whether `apt-get` is how this machine gets its packages.
pub(crate) fn is_debian() -> bool {
    Path::new("/etc/debian_version").exists() && which("apt-get").is_some()
}

/// The program as root: directly, or through sudo when someone can be asked for the password or none is needed.
pub(crate) fn as_root(program: &str) -> Result<Command> {
    if output(command("id").arg("-u"))?.trim() == "0" {
        return Ok(command(program));
    }
    let mut sudo = command("sudo");
    if which("sudo").is_some() && output(command("sudo").args(["-n", "true"])).is_ok() {
        sudo.args(["-n", program]);
        return Ok(sudo);
    }
    bail!(
        "`{program}` must run as root, and sudo is missing or asks for a password: run `sudo -v` first, or do it as root"
    )
}

/// Installs the packages, with the lists brought up to date once per run.
pub(crate) fn install(what: &str, packages: &[&str]) -> Result<()> {
    static UPDATED: OnceLock<()> = OnceLock::new();
    let apt = || -> Result<Command> {
        let mut apt = as_root("env")
            .map_err(|error| error.context(format!("{what}: apt-get install {}", packages.join(" "))))?;
        apt.args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y"]);
        Ok(apt)
    };
    if UPDATED.get().is_none() {
        progress::step("apt-get update", apt()?.arg("update"), LIMIT)?;
        UPDATED.set(()).ok();
    }
    let title = format!("{what} (apt-get install {})", packages.join(" "));
    progress::step(&title, apt()?.args(["install", "--no-install-recommends"]).args(packages), LIMIT)
}
