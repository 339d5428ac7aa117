//! The dashboard: React, built by Vite, with types made of the API's own description.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::build::gzip;
use crate::conformance;
use crate::dev::{self, Providers, Runtime, System};
use crate::proc::{self, npm_bin, root};
use crate::progress::spell;
use crate::scripts;
use crate::setup;

pub(crate) const DIRECTORY: &str = "functions/dashboard";
const DESCRIPTION: &str = "shared/api/openapi.json";
/// The page that every address below /app/ is.
pub(crate) const PAGE: &str = "index.html";
/// Those of the journeys, not of what they show.
const REQUESTS_PER_MINUTE: &str = "2000";
/// What a browser may have to fetch in all, gzipped: every page's scripts and styles, and the one font that most languages need.
const BUDGET: u64 = 700_000;
/// The same of the reference at /docs: Swagger UI, and the document.
const REFERENCE_BUDGET: u64 = 520_000;
/// Names of the reference's files begin with one of these; it shows the document.
const REFERENCE: [&str; 2] = ["docs", "openapi.json"];
/// Of the fonts only this one is fetched by a page in the dashboard's languages; browsers take what the text needs.
const FONT: &str = "inter-latin-wght";

/// Builds it unless it is up to date, and checks its size.
pub(crate) fn build() -> Result<()> {
    built().map(drop)
}

/// The same, and packs it for Spin: where spin.toml expects it, with what is compressed beside each text.
pub(crate) fn pack() -> Result<()> {
    let state = built()?;
    let stamp = proc::work_dir("dashboard")?.join("packed-from");
    if fs::read_to_string(&stamp).is_ok_and(|packed| packed == state) && packed().join(PAGE).exists() {
        return Ok(());
    }
    let began = proc::now();
    let _ = fs::remove_file(&stamp);
    proc::run(node("pack.mjs").arg(dist()).arg(packed()).stdout(std::io::stderr()))?;
    fs::write(&stamp, state)?;
    eprintln!("dashboard packed · {}", spell(began.elapsed()));
    Ok(())
}

/// What `dist` was made of.
fn built() -> Result<String> {
    setup::node()?;
    let began = proc::now();
    let state = fingerprint()?;
    let stamp = proc::work_dir("dashboard")?.join("built-from");
    let current = fs::read_to_string(&stamp).is_ok_and(|built| built == state);
    if !current || !dist().join(PAGE).exists() {
        // A build that fails half-way is not taken for one that has ended.
        let _ = fs::remove_file(&stamp);
        for (program, arguments) in [
            (
                "openapi-typescript",
                ["../../shared/api/openapi.json", "--output", "src/api/schema.d.ts"].as_slice(),
            ),
            ("tsc", &["--project", "."]),
            ("vite", &["build", "--logLevel", "warn"]),
        ] {
            let mut part = proc::command(npm_bin(program));
            // Standard output is that of `dev --json`, one line.
            proc::run(part.args(arguments).current_dir(directory()).stdout(std::io::stderr()))?;
        }
        fs::write(&stamp, &state)?;
    }
    size()?;
    eprintln!("dashboard built · {}", spell(began.elapsed()));
    Ok(state)
}

/// The rules of the dashboard, without a browser.
pub(crate) fn unit_tests() -> Command {
    node("tests/unit.mjs")
}

/// Whole journeys in a browser, against a system that is started for them and ends with the value.
pub(crate) struct Journeys {
    system: System,
    simulator: PathBuf,
}

impl Journeys {
    pub(crate) fn begin(runtime: Runtime) -> Result<Self> {
        setup::browser()?;
        // Not afresh: what somebody tries things out with in `dev` stays.
        let system = System::start(&dev::Options {
            runtime,
            port: dev::free_port()?,
            // One user takes them all, faster than a person does.
            set: vec![(scripts::PER_MINUTE.to_owned(), REQUESTS_PER_MINUTE.to_owned())],
            no_sim: false,
            json: true,
            fresh: false,
            past_calls: None,
            providers: Providers::Simulated,
            build: dev::Build::Done,
        })?;
        Ok(Self { system, simulator: dev::simulator()? })
    }

    /// Takes all of them; on Spin those in which the runtime has a part. They are told how to reach the system, and which program rings.
    pub(crate) fn command(&self) -> Command {
        let mut journeys = node("tests/journeys.mjs");
        let running = serde_json::to_string(&self.system.running).unwrap_or_default();
        journeys.env("VOICECORE_RUNNING", running).env("VOICECORE_SIM", &self.simulator);
        let runtime = self.system.running.runtime;
        if runtime == Runtime::Spin {
            // The pages are the same; two minutes are enough to see that they work here, too.
            journeys.env("VOICECORE_BRIEF", "1");
            journeys.env("VOICECORE_JOBS_SECRET", &self.system.jobs_secret);
        }
        let backend = conformance::backend(runtime);
        journeys.env(conformance::VARIABLE, conformance::file()).env(conformance::BACKEND, backend);
        journeys
    }
}

fn node(script: &str) -> Command {
    let mut node = proc::command("node");
    node.arg(script).current_dir(directory());
    node
}

fn directory() -> PathBuf {
    root().join(DIRECTORY)
}

/// Where it is built.
pub(crate) fn dist() -> PathBuf {
    directory().join("dist")
}

/// Where it is packed for Spin.
pub(crate) fn packed() -> PathBuf {
    root().join("target/spin/dashboard")
}

/// What the contents of `dist` depend on.
fn fingerprint() -> Result<String> {
    let mut sources = files(&directory())?;
    sources.retain(|file| !file.starts_with(dist()) && !file.ends_with("schema.d.ts"));
    sources.extend([root().join(DESCRIPTION), root().join("package-lock.json")]);
    sources.sort();
    let mut hash = Sha256::new();
    for file in sources {
        hash.update(file.as_os_str().as_encoded_bytes());
        hash.update(fs::read(&file).with_context(|| format!("reading {}", file.display()))?);
    }
    Ok(format!("{:x}", hash.finalize()))
}

/// All files of a folder and of those in it, but for installed packages.
pub(crate) fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let entry = entry?;
        if !entry.file_type()?.is_dir() {
            found.push(entry.path());
        } else if entry.file_name() != "node_modules" {
            found.extend(files(&entry.path())?);
        }
    }
    Ok(found)
}

/// Prints the size of all that a browser may have to fetch; too much is an error.
fn size() -> Result<()> {
    let (mut all, mut reference) = (0, 0);
    for file in files(&dist())? {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let extension = file.extension().unwrap_or_default();
        if REFERENCE.iter().any(|begin| name.starts_with(begin)) {
            reference += gzip(&fs::read(&file)?)?;
        } else if extension != "woff2" || name.starts_with(FONT) {
            all += gzip(&fs::read(&file)?)?;
        }
    }
    eprintln!("dashboard: {} kB gzipped with every page (budget {} kB)", all / 1000, BUDGET / 1000);
    eprintln!("reference: {} kB gzipped (budget {} kB)", reference / 1000, REFERENCE_BUDGET / 1000);
    for (what, size, budget) in [("dashboard", all, BUDGET), ("reference", reference, REFERENCE_BUDGET)] {
        if size > budget {
            bail!("the {what} is {size} bytes gzipped, over its budget of {budget}");
        }
    }
    Ok(())
}
