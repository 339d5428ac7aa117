//! The component under `cargo xtask dev --runtime spin`: in Spin where it is on the PATH, in our own host elsewhere.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use super::plan::{Plan, Ports};
use super::state::State;
use super::{assets, system};
use crate::group::Group;
use crate::proc::{self, root};
use crate::{build, dashboard};

/// What of the manifest is another where the dashboard knows a simulator: Spin takes files from beside the manifest only.
const ELSEWHERE: [(&str, &str); 2] = [
    ("\"target/spin/voicecore.wasm\"", "\"../spin/voicecore.wasm\""),
    ("source = \"target/spin/dashboard\"", "source = \"dashboard\""),
];

/// Starts the component. Variables go through the environment: arguments would be visible to every user of the machine.
pub(super) fn start(
    group: &mut Group,
    state: &State,
    plan: &Plan,
    ports: Ports,
    jobs_secret: &str,
) -> Result<()> {
    let (program, host) = match voicecore_conformance::spin::on_path() {
        Some(spin) => (spin, "spin, which is on the PATH"),
        None => (build::host()?, "our own host, because no `spin` is on the PATH; it reaches nobody by TLS"),
    };
    eprintln!("the component runs in {host}");
    let mut up = proc::command(program);
    up.args(["up", "-f"]).arg(manifest(state, plan, ports)?);
    up.args(["--listen", &format!("127.0.0.1:{}", ports.http), "--state-dir"]).arg(state.storage());
    let variable = |name: &str| format!("SPIN_VARIABLE_{name}");
    up.envs(plan.vars.iter().map(|(name, value)| (variable(name), value)));
    up.env(variable("JOBS_SECRET"), jobs_secret);
    for (name, base_url) in [
        ("TWILIO_ORIGIN", "TWILIO_BASE_URL"),
        ("OPENAI_ORIGIN", "OPENAI_BASE_URL"),
        ("CHAT_ORIGIN", "CHAT_BASE_URL"),
        ("EMAIL_ORIGIN", "EMAIL_BASE_URL"),
    ] {
        if let Some(url) = plan.vars.get(base_url) {
            up.env(variable(name), origin(url).with_context(|| format!("{base_url} is no address"))?);
        }
    }
    group.start("the component", &mut up, &state.path("spin.log"), None)
}

/// The manifest that is run.
fn manifest(state: &State, plan: &Plan, ports: Ports) -> Result<PathBuf> {
    let deployed = root().join("spin.toml");
    if !plan.simulate_twilio {
        return Ok(deployed);
    }
    assets::with_simulator(&dashboard::packed(), &state.path("dashboard"), &system::simulator_url(ports))?;
    let text = fs::read_to_string(&deployed).context("reading spin.toml")?;
    let own = state.path("spin.toml");
    fs::write(&own, moved(&text)?).with_context(|| format!("writing {}", own.display()))?;
    Ok(own)
}

fn moved(manifest: &str) -> Result<String> {
    ELSEWHERE.iter().try_fold(manifest.to_owned(), |text, (here, there)| {
        ensure!(text.matches(here).count() == 1, "spin.toml does not have {here} once");
        Ok(text.replace(here, there))
    })
}

/// `scheme://host[:port]` of an address.
fn origin(url: &str) -> Option<&str> {
    let start = url.find("://")? + 3;
    let end = url.get(start..)?.find('/').map_or(url.len(), |slash| start + slash);
    url.get(..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_is_run_from_the_folder_of_dev() {
        let text = fs::read_to_string(root().join("spin.toml")).unwrap();
        let moved = moved(&text).unwrap();
        assert!(moved.contains("{ source = \"dashboard\", destination = "));
        assert!(!moved.contains("target/spin"));
        assert!(super::moved("").is_err());
    }

    #[test]
    fn an_origin_has_no_path() {
        assert_eq!(origin("http://127.0.0.1:4/v1"), Some("http://127.0.0.1:4"));
        assert_eq!(origin("https://api.twilio.com"), Some("https://api.twilio.com"));
        assert_eq!(origin("api.twilio.com"), None);
    }
}
