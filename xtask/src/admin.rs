//! `cargo xtask admin`: the one-use link by which a system's first administrator comes in, and keys for administrators who have
//! none any more.

mod delete;
mod key;
mod master_key;

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Subcommand;
use voicecore_domain::credentials::{SETUP_TOKEN_LIFETIME, SetupToken};
use voicecore_types::TenantId;

use crate::proc::{self, output};
use crate::setup;
use crate::wrangler::Place;
use crate::{build, dev};

/// Longest address that SMTP can carry (RFC 5321, 4.5.3.1.3, without the brackets).
const EMAIL_MAX: usize = 254;
/// How long a link is good.
const LIFETIME_DAYS: u64 = SETUP_TOKEN_LIFETIME.0 / 86_400_000;

#[derive(Subcommand)]
pub(crate) enum Task {
    /// Prints a one-use link with which the owner of this address sets up the first tenant
    Create {
        #[arg(long)]
        email: String,
        /// The system that `cargo xtask dev` runs on this machine, not the deployed one
        #[arg(long, conflicts_with_all = ["env", "public_url"])]
        local: bool,
        /// Environment of wrangler.toml
        #[arg(long)]
        env: Option<String>,
        /// PUBLIC_URL of the deployed system
        #[arg(long, required_unless_present = "local")]
        public_url: Option<String>,
        /// A `spin up` on this machine, by its state directory (.spin)
        #[arg(long, value_name = "DIR", requires = "public_url", conflicts_with_all = ["local", "env"])]
        spin_state: Option<PathBuf>,
        /// Runs nothing, but prints the statement for a database that only you can reach, as Spin's elsewhere
        #[arg(long, requires = "public_url", conflicts_with_all = ["local", "env", "spin_state"])]
        print_sql: bool,
    },
    /// Deletes a tenant with everything that belongs to it, for good: the job of every minute does it, step by step. Said again, it
    /// shows how far that has come, and in the end the report
    DeleteTenant {
        #[arg(long)]
        tenant: TenantId,
        /// Its name, so that no other is deleted by mistake. Without it, only the report is shown
        #[arg(long)]
        name: Option<String>,
        /// The system that `cargo xtask dev` runs on this machine, not the deployed one
        #[arg(long, conflicts_with = "env")]
        local: bool,
        /// Environment of wrangler.toml
        #[arg(long)]
        env: Option<String>,
    },
    /// Says by which MASTER_KEY the stored keys are wrapped: when it has rotated, by one
    MasterKey {
        /// The system that `cargo xtask dev` runs on this machine, not the deployed one
        #[arg(long, conflicts_with = "env")]
        local: bool,
        /// Environment of wrangler.toml
        #[arg(long)]
        env: Option<String>,
    },
    /// Prints a new API key for a tenant of the owner with this address; it is shown only this once
    Key {
        #[arg(long)]
        email: String,
        /// Which tenant, if the owner has several
        #[arg(long)]
        tenant: Option<TenantId>,
        /// Revokes the key `vc_PREFIX_…`; the new one takes its place
        #[arg(long, value_name = "PREFIX", conflicts_with = "tenant")]
        revoke: Option<key::Prefix>,
        /// The system that `cargo xtask dev` runs on this machine, not the deployed one
        #[arg(long, conflicts_with = "env")]
        local: bool,
        /// Environment of wrangler.toml
        #[arg(long)]
        env: Option<String>,
    },
}

/// `cargo xtask admin`.
pub(crate) fn run(task: &Task) -> Result<()> {
    match task {
        Task::Create { email, public_url: Some(public_url), print_sql: true, .. } => {
            let (token, sql) = statement(email)?;
            println!("{}", link(public_url, &token));
            eprintln!("Good for one use within {LIFETIME_DAYS} days, once the database has been given this:");
            println!("{sql};");
        }
        Task::Create { email, local, env, public_url, spin_state, .. } => {
            let (place, public_url) = match (public_url, spin_state) {
                (Some(public_url), Some(state)) => {
                    let place = Place::Spin { host: build::host()?, state: state.clone() };
                    (place, public_url.clone())
                }
                (Some(public_url), None) if !local => {
                    setup::node()?;
                    (Place::Remote { environment: env.clone() }, public_url.clone())
                }
                _ => {
                    setup::node()?;
                    let running = running()?;
                    (dev::place(&running)?, running.base_url)
                }
            };
            let token = create(email, &place)?;
            println!("{}", link(&public_url, &token));
            eprintln!("Good for one use within {LIFETIME_DAYS} days.");
        }
        Task::DeleteTenant { tenant, name, local, env } => {
            let place =
                if *local { dev::place(&running()?)? } else { Place::Remote { environment: env.clone() } };
            println!("{}", delete::run(*tenant, name.as_deref(), &place)?);
        }
        Task::MasterKey { local, env } => {
            let place =
                if *local { dev::place(&running()?)? } else { Place::Remote { environment: env.clone() } };
            println!("{}", master_key::report(&place)?);
        }
        Task::Key { email, tenant, revoke, local, env } => {
            setup::node()?;
            let place =
                if *local { dev::place(&running()?)? } else { Place::Remote { environment: env.clone() } };
            let whose = match (revoke, tenant) {
                (Some(prefix), _) => key::For::KeyOf(prefix.clone()),
                (None, Some(tenant)) => key::For::Tenant(*tenant),
                (None, None) => key::For::OnlyTenant,
            };
            println!("{}", key::create(email, &whose, &place)?.expose());
            eprintln!(
                "It allows everything and does not expire. Only its hash is stored: it cannot be shown again."
            );
        }
    }
    Ok(())
}

fn running() -> Result<dev::Running> {
    dev::running()?.context("nothing is running: start it with `cargo xtask dev`")
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut random = [0; N];
    getrandom::fill(&mut random).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    Ok(random)
}

/// Makes a token, stores its hash in the place's database, and returns the token.
pub(crate) fn create(email: &str, place: &Place) -> Result<SetupToken> {
    let (token, sql) = statement(email)?;
    output(&mut place.execute(&sql)?).context("storing the set-up token (are the migrations applied?)")?;
    Ok(token)
}

/// A token, and the statement that lets a database know it: by its hash only.
fn statement(email: &str) -> Result<(SetupToken, String)> {
    let email = checked_email(email)?;
    let token = SetupToken::new(&random()?);
    let now = proc::unix_time() * 1000;
    let expires = now + SETUP_TOKEN_LIFETIME.0;
    // wrangler binds no parameters: every part is one that cannot hold a quotation mark.
    let sql = format!(
        "insert into setup_tokens (token_hash, email, created_at, expires_at) values ('{}', '{email}', {now}, {expires})",
        token.hash()
    );
    Ok((token, sql))
}

/// The link that uses it.
pub(crate) fn link(public_url: &str, token: &SetupToken) -> String {
    format!("{}/setup?token={}", public_url.trim_end_matches('/'), token.expose())
}

/// Lower case, as users are stored. Only the characters that addresses in use have; the quotation mark, though RFC
/// 5322 allows it, goes nowhere near SQL.
fn checked_email(email: &str) -> Result<String> {
    let email = email.trim().to_lowercase();
    let allowed = |c: char| c.is_ascii_alphanumeric() || ".!#$%&*+-/=?^_{|}~@".contains(c);
    let (name, domain) = email.split_once('@').unwrap_or_default();
    if name.is_empty()
        || !domain.contains('.')
        || domain.contains('@')
        || email.len() > EMAIL_MAX
        || !email.chars().all(allowed)
    {
        bail!("`{email}` is not an e-mail address");
    }
    Ok(email)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_lowered_and_nothing_reaches_the_sql_that_could_end_a_string() {
        assert_eq!(checked_email(" Ada+x@Example.ORG ").unwrap(), "ada+x@example.org");
        for bad in [
            "",
            "ada",
            "@example.org",
            "ada@example",
            "a'b@example.org",
            "a@b@c.org",
            "a b@example.org",
            "ä@example.org",
        ] {
            assert!(checked_email(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_statement_knows_the_hash_and_never_the_token() {
        let (token, sql) = statement("ada@example.org").unwrap();
        assert!(sql.contains(&token.hash()) && sql.contains("'ada@example.org'"));
        assert!(!sql.contains(token.expose().trim_start_matches("vcs_")) && !sql.contains(';'));
    }

    #[test]
    fn the_link_names_the_page_once() {
        let token = SetupToken::new(&[7; 32]);
        assert!(link("https://x.example/", &token).starts_with("https://x.example/setup?token=vcs_0707"));
    }
}
