//! `cargo xtask deploy`: to Cloudflare or to what runs Spin, and not before everything it needs is there.

mod spin;

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use serde_json::Value;
use voicecore_domain::rate_limits::OF_A_TENANT;

use crate::proc::{self, output, root};
use crate::wrangler::{Place, scripts};
use crate::{build, setup};

/// What the system cannot answer a call without. Kept as secrets, though not all of them are: a secret survives every
/// deployment, and nothing about an installation has to be written into the repository.
const REQUIRED: &[&str] =
    &["PUBLIC_URL", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "OPENAI_API_KEY", "JWT_SECRET", "MASTER_KEY"];
/// In wrangler.toml until the database and the namespace exist.
const NO_ID: &str = "00000000000000000000000000000000";

#[derive(Clone, Copy, ValueEnum)]
enum Platform {
    /// With wrangler
    Cloudflare,
    /// With `spin`: to a registry and a cluster, or to a cloud that takes Spin applications
    Spin,
}

#[derive(clap::Args)]
pub(crate) struct Options {
    platform: Platform,
    /// Environment of wrangler.toml
    #[arg(long)]
    env: Option<String>,
    /// With PostgreSQL: on Cloudflare through the binding HYPERDRIVE, on a cloud with Spin by DATABASE_URL and DATABASE_PLACE
    #[arg(long)]
    postgres: bool,
    #[command(flatten)]
    spin: spin::Place,
}

/// `cargo xtask deploy`.
pub(crate) fn run(options: &Options) -> Result<()> {
    match options.platform {
        Platform::Cloudflare => cloudflare(options),
        Platform::Spin => spin::run(&options.spin, options.postgres),
    }
}

fn cloudflare(options: &Options) -> Result<()> {
    setup::node()?;
    let configuration = fs::read_to_string(root().join("wrangler.toml")).context("reading wrangler.toml")?;
    resources_exist(&configuration)?;
    one_rate_limit(&configuration)?;
    let missing = missing_secrets(options)?;
    if !missing.is_empty() {
        let mut message =
            "not deployed, because calls could not be answered: these secrets are missing".to_owned();
        for name in missing {
            message += "\n  cargo xtask secret put ";
            message += name;
        }
        bail!(message);
    }
    let built = if options.postgres { build::worker_with_postgres() } else { build::worker() };
    built?.check()?;
    // Migrations only ever add, so the version that still runs goes on working with the new schema.
    let place = Place::Remote { environment: options.env.clone() };
    proc::run(&mut place.migrate()?)?;
    for (mut script, main) in scripts()?.into_iter().zip(build::main_modules(options.postgres)) {
        proc::run(with_env(script.arg("deploy").arg(main), options))?;
    }
    println!("\ndeployed. `curl $PUBLIC_URL/ready` tells whether it can answer calls.");
    Ok(())
}

/// wrangler.toml with the ids of this account in it.
fn resources_exist(configuration: &str) -> Result<()> {
    if configuration.replace('-', "").contains(NO_ID) {
        bail!(
            "wrangler.toml does not name your database and namespace yet. Create them and write their ids into it:\n  \
             npx wrangler d1 create voicecore\n  npx wrangler kv namespace create voicecore-cache\n\
             README.md, \"Deploying to Cloudflare\", has every step"
        );
    }
    Ok(())
}

/// The platform counts by the numbers that stand beside the bindings, and clients are told the one in the variable: they belong together.
fn one_rate_limit(configuration: &str) -> Result<()> {
    let told = numbers(configuration, "RATE_LIMIT_PER_MIN = \"");
    let counted = numbers(configuration, "simple = { limit = ");
    let belong: Vec<_> = told.iter().flat_map(|one| [*one, one.saturating_mul(OF_A_TENANT), *one]).collect();
    if told.is_empty() || belong != counted {
        bail!(
            "wrangler.toml says {told:?} as RATE_LIMIT_PER_MIN and {counted:?} as the limits of API_LIMIT, TENANT_LIMIT and CLIENT_LIMIT: write \
             {belong:?} there, for each environment in this order (the period stays 60 seconds)"
        );
    }
    Ok(())
}

/// What stands behind `before` on each line that begins with it.
fn numbers(configuration: &str, before: &str) -> Vec<u32> {
    let lines = configuration.lines().filter_map(|line| line.strip_prefix(before));
    let digits = lines.map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default());
    digits.filter_map(|digits| digits.parse().ok()).collect()
}

/// What one of the scripts lacks.
fn missing_secrets(options: &Options) -> Result<BTreeSet<&'static str>> {
    let mut missing = BTreeSet::new();
    for mut script in scripts()? {
        match output(with_env(script.args(["secret", "list", "--format", "json"]), options)) {
            Ok(list) => missing.extend(absent(&list)?),
            // What has never been deployed has no secrets; `wrangler secret put` makes the first version.
            Err(error) if error.to_string().contains("10007") => missing.extend(REQUIRED),
            Err(error) => return Err(error),
        }
    }
    Ok(missing)
}

/// The required names that wrangler's list lacks.
fn absent(list: &str) -> Result<Vec<&'static str>> {
    let start = list.find('[').context("wrangler listed no secrets")?;
    let list: Vec<Value> = serde_json::from_str(list.get(start..).unwrap_or_default())
        .context("reading wrangler's list of secrets")?;
    let names: Vec<&str> = list.iter().filter_map(|secret| secret["name"].as_str()).collect();
    Ok(REQUIRED.iter().copied().filter(|name| !names.contains(name)).collect())
}

fn with_env<'a>(command: &'a mut std::process::Command, options: &Options) -> &'a mut std::process::Command {
    match &options.env {
        Some(environment) => command.args(["--env", environment]),
        None => command,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_misses_without_any_configuration_is_what_is_required() {
        let missing = voicecore_api::Config::from_lookup(&|_| None).missing();
        assert_eq!(missing.iter().map(|missing| missing.name).collect::<Vec<_>>(), REQUIRED);
    }

    #[test]
    fn spin_toml_has_every_value_that_the_system_asks_for() {
        let text = fs::read_to_string(root().join("spin.toml")).unwrap();
        let asked = std::cell::RefCell::new(vec!["JOBS_SECRET".to_owned()]);
        let _ = voicecore_api::Config::from_lookup(&|name| {
            asked.borrow_mut().push(name.to_owned());
            None
        });
        for name in asked.into_inner() {
            let name = name.to_lowercase();
            assert!(text.contains(&format!("\n{name} = {{ ")), "no variable {name}");
            assert!(
                text.contains(&format!("\n{name} = \"{{{{ {name} }}}}\"")),
                "the component does not see {name}"
            );
        }
    }

    #[test]
    fn the_rate_limit_is_one_number() {
        let text = fs::read_to_string(root().join("wrangler.toml")).unwrap();
        one_rate_limit(&text).unwrap();
        assert!(text.contains("period = 60 }"));
        let default = voicecore_domain::rate_limits::DEFAULT_REQUESTS_PER_MINUTE;
        assert_eq!(numbers(&text, "RATE_LIMIT_PER_MIN = \""), [default]);
        let twice = text.replace("limit = 100", "limit = 200");
        assert!(one_rate_limit(&twice).is_err());
        one_rate_limit(&twice.replace("\"100\"", "\"200\"")).unwrap();
        assert!(one_rate_limit(&text.replace("limit = 1000", "limit = 2000")).is_err());
        let without = text.replace("simple = { limit = 1000, period = 60 }", "");
        assert!(one_rate_limit(&without).is_err());
        assert!(one_rate_limit("").is_err());
    }

    #[test]
    fn every_required_secret_that_is_not_listed_is_named() {
        let list =
            r#"[{"name":"JWT_SECRET","type":"secret_text"},{"name":"MASTER_KEY","type":"secret_text"}]"#;
        assert_eq!(
            absent(list).unwrap(),
            ["PUBLIC_URL", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "OPENAI_API_KEY"]
        );
        assert_eq!(absent("a warning\n[]").unwrap(), REQUIRED);
        assert!(absent("not logged in").is_err());
    }
}
