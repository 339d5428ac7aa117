//! `cargo xtask deploy spin`: to SpinKube by way of a registry, or to a cloud with a plugin of `spin`.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::REQUIRED;
use crate::build;
use crate::proc::{self, command, output, root, which};
use crate::spin_manifest;

/// Required on Spin besides.
const JOBS_SECRET: &str = "JOBS_SECRET";
/// Required with PostgreSQL besides: its address, and the server's name and port, which the manifest allows.
const DATABASE: [&str; 2] = ["DATABASE_URL", "DATABASE_PLACE"];
/// The manifest for SpinKube, and what in it is an example.
const MANIFEST: &str = "functions/spin/spinapp.yaml";
const EXAMPLE_IMAGE: &str = "registry.example.com/voicecore:0.1.0";
const EXAMPLE_URL: &str = "https://voicecore.example.com";
/// The cluster's secret.
const SECRET: &str = "voicecore";

/// Where to.
#[derive(clap::Args)]
pub(crate) struct Place {
    /// Spin: pushes to this registry, and applies the manifest to the cluster of kubectl (SpinKube)
    #[arg(long, value_name = "REFERENCE", value_parser = reference)]
    push: Option<String>,
    /// Spin: deploys with this plugin of `spin`, e.g. `cloud` or `aka`
    #[arg(long, value_name = "NAME", conflicts_with = "push")]
    plugin: Option<String>,
}

/// `<registry>/<name>:<version>`; a version, because every node keeps what it has pulled under a name.
fn reference(text: &str) -> Result<String, String> {
    let known = |c: char| c.is_ascii_alphanumeric() || "./:_-@".contains(c);
    let version = text.rsplit_once(':').map(|(_, version)| version);
    match version {
        Some(version) if !version.is_empty() && !version.contains('/') && version != "latest" => {}
        _ => return Err("expected registry/name:version, and not `latest`".into()),
    }
    if text.contains('/') && text.chars().all(known) {
        Ok(text.to_owned())
    } else {
        Err("no reference".into())
    }
}

/// Refuses while a value is missing; builds; deploys.
pub(super) fn run(place: &Place, postgres: bool) -> Result<()> {
    let set = |name: &str| std::env::var(variable(name)).ok().filter(|value| !value.trim().is_empty());
    match (&place.push, &place.plugin) {
        (Some(_), _) if postgres => {
            bail!("{MANIFEST} has libSQL: for PostgreSQL it would have to be another")
        }
        (Some(image), _) => cluster(image, set("PUBLIC_URL")),
        (None, Some(plugin)) => cloud(plugin, &given(&set, postgres)?, postgres),
        (None, None) => bail!(
            "say where: --push registry/name:version (SpinKube) or --plugin NAME (a cloud). On a machine of your own nothing \
             is deployed: `spin up`, as README.md, \"Deploying to Spin\", says"
        ),
    }
}

/// Where `spin` itself looks for a value.
fn variable(name: &str) -> String {
    format!("SPIN_VARIABLE_{name}")
}

fn tool(name: &str, whence: &str) -> Result<Command> {
    which(name).map(command).with_context(|| format!("`{name}` is not on the PATH: {whence}"))
}

fn spin() -> Result<Command> {
    tool("spin", "https://spinframework.dev/install (version 4)")
}

/// Every value of the configuration that is set, or an error that names the required ones that are not.
fn given(set: &dyn Fn(&str) -> Option<String>, postgres: bool) -> Result<BTreeMap<String, String>> {
    let database = if postgres { DATABASE.as_slice() } else { &[] };
    let required = REQUIRED.iter().chain([&JOBS_SECRET]).chain(database).copied();
    let missing: Vec<&str> = required.filter(|name| set(name).is_none()).collect();
    if !missing.is_empty() {
        let mut message =
            "not deployed, because calls could not be answered: these values are missing in the environment"
                .to_owned();
        for name in missing {
            message += "\n  ";
            message += &variable(name);
        }
        bail!(message);
    }
    let text = fs::read_to_string(root().join("spin.toml")).context("reading spin.toml")?;
    let declared =
        declared(&text).map(str::to_uppercase).chain(database.iter().map(|name| (*name).to_owned()));
    let values = declared.filter_map(|name| Some((name.to_lowercase(), set(&name)?)));
    Ok(values.collect())
}

/// The application's variables: the names in `[variables]`.
fn declared(manifest: &str) -> impl Iterator<Item = &str> {
    let lines = manifest.lines().skip_while(|line| *line != "[variables]").skip(1);
    lines.take_while(|line| !line.starts_with('[')).filter_map(|line| Some(line.split_once(" = {")?.0))
}

/// The plugins know values only as arguments: other users of this machine see them while it runs.
fn cloud(plugin: &str, values: &BTreeMap<String, String>, postgres: bool) -> Result<()> {
    let mut deploy = spin()?;
    deploy.args([plugin, "deploy"]);
    if postgres {
        deploy.arg("--from").arg(spin_manifest::write_on_postgres(build::WITH_POSTGRES)?);
    }
    for (name, value) in values {
        deploy.args(["--variable", &format!("{name}={value}")]);
    }
    if postgres { build::component_with_postgres() } else { build::component() }?.check()?;
    eprintln!("spin {plugin} deploy, with {} values as arguments", values.len());
    // Not `proc::run`: its errors show the arguments.
    let done = deploy.status().context("starting spin")?;
    ensure!(done.success(), "`spin {plugin} deploy` failed: {done}");
    println!("\ndeployed. `curl $PUBLIC_URL/ready` tells whether it can answer calls.");
    Ok(())
}

/// Pushes the application and applies the manifest, filled in.
fn cluster(image: &str, public_url: Option<String>) -> Result<()> {
    let public_url =
        public_url.with_context(|| format!("not deployed: {} is missing", variable("PUBLIC_URL")))?;
    let kubectl =
        || tool("kubectl", "the manifest is applied with it (https://kubernetes.io/docs/tasks/tools)");
    let mut push = spin()?;
    let manifest =
        fs::read_to_string(root().join(MANIFEST)).with_context(|| format!("reading {MANIFEST}"))?;
    let filled = filled(&manifest, image, &public_url)?;
    let secret =
        output(kubectl()?.args(["get", "secret", SECRET, "--output", "json", "--ignore-not-found"]))?;
    let missing = absent(&manifest, &secret)?;
    if !missing.is_empty() {
        bail!(
            "not deployed, because calls could not be answered: the cluster's secret `{SECRET}` lacks {}. README.md, \
             \"Deploying to Spin\", has the command that makes it",
            missing.join(", ")
        );
    }
    build::component()?.check()?;
    proc::run(push.args(["registry", "push", image]))?;
    let place = proc::work_dir("spin")?.join("spinapp.yaml");
    fs::write(&place, filled).with_context(|| format!("writing {}", place.display()))?;
    proc::run(kubectl()?.args(["apply", "--filename"]).arg(&place))?;
    println!(
        "\ndeployed. `kubectl get spinapps` shows it; `curl $PUBLIC_URL/ready` tells whether it can answer calls."
    );
    Ok(())
}

/// The manifest with the image and the address in it.
fn filled(manifest: &str, image: &str, public_url: &str) -> Result<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "./:-_".contains(c);
    ensure!(
        public_url.starts_with("https://") && public_url.chars().all(plain),
        "{} is no https origin",
        variable("PUBLIC_URL")
    );
    for example in [EXAMPLE_IMAGE, EXAMPLE_URL] {
        ensure!(manifest.matches(example).count() == 1, "{MANIFEST} does not have `{example}` once");
    }
    Ok(manifest.replace(EXAMPLE_IMAGE, image).replace(EXAMPLE_URL, public_url))
}

/// The keys that the manifest takes from the secret and that `kubectl get secret` does not show.
fn absent<'a>(manifest: &'a str, secret: &str) -> Result<Vec<&'a str>> {
    let secret: Value = if secret.trim().is_empty() {
        Value::Null
    } else {
        serde_json::from_str(secret).context("reading what kubectl says of the secret")?
    };
    let mut wanted: Vec<&str> = keys(manifest).collect();
    wanted.sort_unstable();
    wanted.dedup();
    Ok(wanted.into_iter().filter(|key| secret["data"].get(key).is_none()).collect())
}

/// `secretKeyRef: { name: voicecore, key: KEY }`; not those that may be missing, which say `, optional: true` there.
fn keys(manifest: &str) -> impl Iterator<Item = &str> {
    manifest.lines().filter_map(|line| {
        let (_, after) = line.split_once("secretKeyRef: { name: voicecore, key: ")?;
        after.split_once(' ').map(|(key, _)| key).filter(|key| !key.ends_with(','))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> String {
        fs::read_to_string(root().join(MANIFEST)).unwrap()
    }

    #[test]
    fn a_value_that_is_missing_is_named_and_a_value_that_is_set_goes_along() {
        let none = given(&|_| None, false).unwrap_err().to_string();
        for name in REQUIRED.iter().chain([&JOBS_SECRET]) {
            assert!(none.contains(&format!("SPIN_VARIABLE_{name}")), "{name}: {none}");
        }
        let all = given(&|name| (name != "CHAT_MODEL").then(|| name.to_owned()), false).unwrap();
        assert_eq!(all["jobs_secret"], "JOBS_SECRET");
        assert_eq!(all["twilio_base_url"], "TWILIO_BASE_URL");
        assert_eq!(all["chat_origin"], "CHAT_ORIGIN");
        assert!(!all.contains_key("chat_model") && !all.contains_key("database_url"));
        let none =
            given(&|name| (name != "DATABASE_URL").then(|| name.to_owned()), true).unwrap_err().to_string();
        assert!(none.contains("SPIN_VARIABLE_DATABASE_URL") && !none.contains("DATABASE_PLACE"), "{none}");
        let all = given(&|name| Some(name.to_owned()), true).unwrap();
        assert_eq!(
            (all["database_url"].as_str(), all["database_place"].as_str()),
            ("DATABASE_URL", "DATABASE_PLACE")
        );
    }

    #[test]
    fn the_manifest_takes_every_required_value_and_its_examples_are_replaced() {
        let manifest = manifest();
        let keys: Vec<&str> = keys(&manifest).collect();
        for name in REQUIRED.iter().chain([&JOBS_SECRET]).filter(|name| **name != "PUBLIC_URL") {
            assert!(keys.contains(&name.to_lowercase().replace('_', "-").as_str()), "{name}");
        }
        // Where it stores: no variables of the application.
        for store in ["libsql-url", "libsql-token", "redis-url"] {
            assert!(keys.contains(&store), "{store}");
        }
        let filled = filled(&manifest, "ghcr.io/x/voicecore:1.2.3", "https://calls.example.org").unwrap();
        assert!(filled.contains("image: ghcr.io/x/voicecore:1.2.3\n"));
        assert!(filled.contains("value: https://calls.example.org\n") && !filled.contains("example.com"));
        assert!(super::filled(&manifest, "x/y:1", "https://x.example\n  evil: yes").is_err());
    }

    #[test]
    fn what_may_be_missing_is_taken_where_it_is_there() {
        let manifest = manifest();
        for name in [
            "twilio_auth_token_secondary",
            "master_key_previous",
            "chat_base_url",
            "chat_api_key",
            "chat_model",
            "chat_origin",
            "email_base_url",
            "email_api_key",
            "email_from",
            "email_origin",
        ] {
            let key = name.replace('_', "-");
            let entry = format!(
                "- name: {name}\n      valueFrom: {{ secretKeyRef: {{ name: voicecore, key: {key}, optional: true }} }}\n"
            );
            assert!(manifest.contains(&entry), "{name}");
            assert!(!absent(&manifest, "").unwrap().contains(&key.as_str()), "{name}");
        }
    }

    #[test]
    fn what_the_secret_lacks_is_named() {
        let manifest = manifest();
        assert!(absent(&manifest, "").unwrap().contains(&"master-key"));
        let data: serde_json::Map<String, Value> = keys(&manifest)
            .filter(|key| *key != "jwt-secret")
            .map(|key| (key.to_owned(), "eA==".into()))
            .collect();
        let secret = serde_json::json!({ "data": data }).to_string();
        assert_eq!(absent(&manifest, &secret).unwrap(), ["jwt-secret"]);
    }

    #[test]
    fn a_reference_has_a_version() {
        assert!(reference("registry.example.com/voicecore:0.1.0").is_ok());
        for bad in ["voicecore:1", "x/y", "x/y:latest", "x:5000/y", "x/y:", "x/y:1 --insecure"] {
            assert!(reference(bad).is_err(), "{bad}");
        }
    }
}
