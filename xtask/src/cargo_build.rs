//! Building programs of the workspace for this machine.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::proc::{cargo, describe};

/// Builds a package's binary of the same name and returns where cargo has put it. `selected`: what cargo is told of packages,
/// profiles and other targets.
pub(crate) fn binary<'a>(package: &str, selected: impl IntoIterator<Item = &'a str>) -> Result<PathBuf> {
    let mut build = cargo();
    build.args(["build", "--bin", package, "--message-format=json-render-diagnostics"]).args(selected);
    let done = build.stdin(Stdio::null()).stderr(Stdio::inherit()).output().context("starting cargo")?;
    if !done.status.success() {
        bail!("`{}` failed: {}", describe(&build), done.status);
    }
    String::from_utf8_lossy(&done.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["reason"] == "compiler-artifact" && message["target"]["name"] == package)
        .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
        .next_back()
        .with_context(|| format!("cargo built no program {package}"))
}
