//! Which crate may depend on which: `cargo xtask deps`, and a test.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::proc::{cargo, output, root};
use crate::toolchain::Target;

/// Crate → the crates of this workspace it may name in `[dependencies]`. A crate under shared/ or functions/ that is not
/// listed here is a violation too: whoever adds one says where it belongs.
const ALLOWED: &[(&str, &[&str])] = &[
    ("types", &[]),
    ("wire", &["types"]),
    ("call", &["types", "wire"]),
    ("turn-based", &["types", "wire", "call", "domain"]),
    ("domain", &["types"]),
    ("knowledge", &["types"]),
    ("ports", &["types"]),
    ("migrations", &[]),
    ("api-types", &["types"]),
    ("store", &["types", "ports", "domain"]),
    ("api", &["types", "wire", "call", "turn-based", "domain", "knowledge", "ports", "store", "api-types"]),
    ("postgres", &["ports"]),
    ("cloudflare", &["api", "cloudflare-platform"]),
    ("cloudflare-actors", &["types", "call", "domain", "ports", "api-types", "api", "cloudflare-platform"]),
    ("cloudflare-platform", &["types", "ports", "api", "postgres"]),
    ("spin", &["types", "domain", "ports", "api-types", "api"]),
    ("dashboard", &["api-types"]),
];

/// What nothing in shared/ may reach, however far away: platforms, and a runtime of its own.
const BANNED: &[&str] = &["worker", "spin-sdk", "wasm-bindgen", "js-sys", "web-sys", "tokio"];

/// Names `js-sys` for a clock that is never asked (shared/api/src/token.rs).
const JAVASCRIPTS_CLOCK: &str = "jsonwebtoken";

/// A crate of the workspace and what it depends on (development dependencies left out: they are deployed nowhere).
struct Member {
    /// Without `voicecore-`.
    name: String,
    /// Relative to the top.
    dir: String,
    /// Crates of this workspace that it names.
    names: Vec<String>,
    /// Every package that it brings in when built for the Workers runtime.
    reaches: BTreeSet<String>,
}

/// Every broken rule, in words.
fn violations(members: &[Member]) -> Vec<String> {
    let allowed: BTreeMap<_, _> = ALLOWED.iter().copied().collect();
    let mut found = Vec::new();
    for Member { name, dir, names, reaches } in members {
        let shared = dir.starts_with("shared/");
        if !shared && !dir.starts_with("functions/") {
            continue;
        }
        let Some(may) = allowed.get(name.as_str()) else {
            found.push(format!("{dir}: xtask/src/deps.rs does not say what it may depend on"));
            continue;
        };
        found.extend(
            names
                .iter()
                .filter(|other| !may.contains(&other.as_str()))
                .map(|other| format!("{dir} must not depend on {other}")),
        );
        if shared {
            found.extend(
                BANNED
                    .iter()
                    .filter(|package| reaches.contains(**package))
                    .map(|package| format!("{dir} must not reach {package}")),
            );
        }
    }
    found
}

/// Reads the workspace as it is.
fn members() -> Result<Vec<Member>> {
    let json = output(cargo().args(["metadata", "--no-deps", "--format-version=1"]))?;
    let metadata: Value = serde_json::from_str(&json)?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let ours: BTreeSet<&str> = packages.iter().filter_map(|package| package["name"].as_str()).collect();
    packages
        .iter()
        .map(|package| {
            let name = package["name"].as_str().context("a package without a name")?;
            let manifest = package["manifest_path"].as_str().context("a package without a path")?;
            let dir = std::path::Path::new(manifest).parent().and_then(|dir| dir.strip_prefix(root()).ok());
            let dir = dir.map(|dir| dir.to_string_lossy().into_owned()).unwrap_or_default();
            let names = package["dependencies"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|dependency| dependency["kind"] != "dev")
                .filter_map(|dependency| dependency["name"].as_str())
                .filter(|dependency| ours.contains(dependency))
                .map(short)
                .collect();
            let reaches = if dir.starts_with("shared/") { reached(name)? } else { BTreeSet::new() };
            Ok(Member { name: short(name), dir, names, reaches })
        })
        .collect()
}

fn short(package: &str) -> String {
    package.trim_start_matches("voicecore-").to_owned()
}

/// What a package reaches without [`JAVASCRIPTS_CLOCK`].
fn reached(package: &str) -> Result<BTreeSet<String>> {
    let reached = tree(package, &[])?;
    // Cargo refuses to leave out what is not there.
    if reached.contains(JAVASCRIPTS_CLOCK) {
        tree(package, &["--prune", JAVASCRIPTS_CLOCK])
    } else {
        Ok(reached)
    }
}

/// `cargo tree` of one package alone: `cargo metadata` would count features that only other members switch on.
fn tree(package: &str, more: &[&str]) -> Result<BTreeSet<String>> {
    let tree = output(
        cargo()
            .args(["tree", "--package", package, "--target", Target::Workers.triple()])
            .args(["--edges=normal", "--prefix=none", "--format={p}"])
            .args(more),
    )?;
    Ok(tree.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect())
}

/// An error that lists every violation.
pub(crate) fn check() -> Result<()> {
    let found = violations(&members()?);
    if !found.is_empty() {
        bail!("dependencies point the wrong way:\n  {}", found.join("\n  "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, dir: &str, names: &[&str], reaches: &[&str]) -> Member {
        let owned = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect::<Vec<_>>();
        Member {
            name: name.into(),
            dir: dir.into(),
            names: owned(names),
            reaches: owned(reaches).into_iter().collect(),
        }
    }

    #[test]
    fn dependencies_of_this_workspace_point_the_right_way() {
        check().unwrap();
        let members = members().unwrap();
        let api = members.iter().find(|member| member.name == "api").unwrap();
        assert!(api.reaches.contains("axum"), "what is read from cargo tree must not be empty");
        assert!(api.names.iter().any(|name| name == "types"), "nor what is read from cargo metadata");
    }

    #[test]
    fn wrong_directions_are_found() {
        let found = violations(&[
            member("types", "shared/types", &["wire"], &[]),
            member("call", "shared/call", &["types", "wire"], &["serde", "tokio"]),
            member("store", "shared/store", &["api"], &["worker"]),
            member("surprise", "shared/surprise", &[], &[]),
            member("cloudflare", "functions/cloudflare", &["api", "store"], &["worker"]),
            member("sim", "tests/sim", &["wire"], &["tokio"]),
        ]);
        assert_eq!(
            found,
            [
                "shared/types must not depend on wire",
                "shared/call must not reach tokio",
                "shared/store must not depend on api",
                "shared/store must not reach worker",
                "shared/surprise: xtask/src/deps.rs does not say what it may depend on",
                "functions/cloudflare must not depend on store",
            ]
        );
    }
}
