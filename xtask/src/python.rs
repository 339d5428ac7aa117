//! Programs from Python's registry, each list of them in an environment of its own, kept between clones.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::debian;
use crate::proc::{self, command, output, root};
use crate::progress;

const OLDEST_MINOR: u32 = 11;
const PIP_LIMIT: Duration = Duration::from_mins(10);
/// Last in an environment that is whole: the list it was made of.
const STAMP: &str = "made-of.txt";

/// The environment called `name` with what `requirements` (from the top of the tree, versions and hashes) lists; made when it is not
/// there or was made of another list.
pub(crate) fn environment(name: &str, requirements: &str) -> Result<PathBuf> {
    let directory = proc::cache().join(name);
    let list = root().join(requirements);
    let wanted = fs::read(&list).with_context(|| format!("reading {}", list.display()))?;
    if fs::read(directory.join(STAMP)).is_ok_and(|made_of| made_of == wanted) {
        return Ok(directory);
    }
    let python = python()?;
    if directory.exists() {
        fs::remove_dir_all(&directory).with_context(|| format!("removing {}", directory.display()))?;
    }
    let mut make = command(python);
    progress::step(
        &format!("Python environment {name}"),
        make.args(["-m", "venv"]).arg(&directory),
        PIP_LIMIT,
    )?;
    let mut install = command(directory.join("bin/pip"));
    install
        .args(["install", "--no-input", "--disable-pip-version-check", "--require-hashes", "-r"])
        .arg(&list);
    progress::step(&format!("pip install -r {requirements}"), &mut install, PIP_LIMIT)?;
    fs::write(directory.join(STAMP), wanted)?;
    Ok(directory)
}

/// One that is new enough and can make environments.
fn python() -> Result<PathBuf> {
    if let Some(found) = find() {
        return Ok(found);
    }
    if debian::is_debian() {
        debian::install("Python", &["python3", "python3-venv"])?;
        if let Some(found) = find() {
            return Ok(found);
        }
    }
    bail!("no Python 3.{OLDEST_MINOR} or newer with venv and pip: install one (https://www.python.org)")
}

fn find() -> Option<PathBuf> {
    let names = std::iter::once("python3".to_owned())
        .chain((OLDEST_MINOR..=OLDEST_MINOR + 9).map(|minor| format!("python3.{minor}")));
    names.filter_map(|name| proc::which(&name)).find(|python| is_fit(python))
}

fn is_fit(python: &Path) -> bool {
    let code = "import sys, venv, ensurepip; print(sys.version_info[1])";
    let minor = output(command(python).args(["-c", code]));
    minor.is_ok_and(|minor| minor.trim().parse().is_ok_and(|minor: u32| minor >= OLDEST_MINOR))
}
