//! What the system is told when it runs on a developer's machine.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

/// What `cargo xtask dev` takes from the environment when it is set there.
const NAMES: &[&str] = &[
    "PUBLIC_URL",
    "TWILIO_ACCOUNT_SID",
    "TWILIO_AUTH_TOKEN",
    "TWILIO_AUTH_TOKEN_SECONDARY",
    "TWILIO_BASE_URL",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "OPENAI_REALTIME_MODEL",
    "CHAT_API_KEY",
    "CHAT_BASE_URL",
    "CHAT_MODEL",
    "EMAIL_API_KEY",
    "EMAIL_BASE_URL",
    "EMAIL_FROM",
    "JWT_SECRET",
    "MASTER_KEY",
    "MASTER_KEY_PREVIOUS",
    "RATE_LIMIT_PER_MIN",
    "CORS_ORIGINS",
    "DASHBOARD",
    "JOURNAL",
];

/// Which providers may be real ones. What is not about a provider comes from the environment in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Providers {
    /// Each that the environment configures.
    #[default]
    Configured,
    /// Models; Twilio is simulated whatever the environment says.
    Models,
    /// None: nothing costs money.
    Simulated,
}

impl Providers {
    /// Whether a value of the environment is looked at.
    pub(crate) fn allow(self, name: &str) -> bool {
        let telephone = name.starts_with("TWILIO_") || name == "PUBLIC_URL";
        let model = name.starts_with("OPENAI_") || name.starts_with("CHAT_");
        let mail = name.starts_with("EMAIL_");
        match self {
            Self::Configured => true,
            Self::Models => !telephone && !mail,
            Self::Simulated => !telephone && !model && !mail,
        }
    }
}

/// Random values that must be the same the next time, or nothing that is stored could be read again.
#[derive(Serialize, Deserialize)]
pub(crate) struct Secrets {
    pub(crate) jwt_secret: String,
    pub(crate) master_key: String,
    pub(crate) account_sid: String,
    pub(crate) auth_token: String,
    pub(crate) openai_api_key: String,
    /// Not there in folders of earlier versions.
    #[serde(default)]
    pub(crate) email_api_key: String,
}

/// Loopback ports.
#[derive(Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) http: u16,
    pub(crate) inspector: u16,
    pub(crate) twilio: u16,
    pub(crate) openai: u16,
    pub(crate) email: u16,
}

/// The outcome: every configuration value, and who is simulated.
pub(crate) struct Plan {
    pub(crate) vars: BTreeMap<String, String>,
    pub(crate) simulate_twilio: bool,
    pub(crate) simulate_openai: bool,
    pub(crate) simulate_email: bool,
}

impl Plan {
    /// `--set` wins over the environment, the environment over what is made up here. A provider is simulated when
    /// neither its key nor its base URL is given and `simulators` are wanted.
    pub(crate) fn new(
        set: &[(String, String)],
        environment: &dyn Fn(&str) -> Option<String>,
        secrets: &Secrets,
        ports: Ports,
        simulators: bool,
    ) -> Self {
        let mut vars: BTreeMap<String, String> = NAMES
            .iter()
            .filter_map(|name| {
                Some(((*name).to_owned(), environment(name).filter(|value| !value.is_empty())?))
            })
            .collect();
        vars.extend(set.iter().cloned());
        let absent = |name: &str| !vars.contains_key(name);
        let simulate_twilio = simulators && absent("TWILIO_AUTH_TOKEN") && absent("TWILIO_BASE_URL");
        let simulate_openai = simulators && absent("OPENAI_API_KEY") && absent("OPENAI_BASE_URL");
        let simulate_email = simulators && absent("EMAIL_API_KEY") && absent("EMAIL_BASE_URL");

        let mut default = |name: &str, value: String| {
            vars.entry(name.to_owned()).or_insert(value);
        };
        default("PUBLIC_URL", format!("http://127.0.0.1:{}", ports.http));
        default("JWT_SECRET", secrets.jwt_secret.clone());
        default("MASTER_KEY", secrets.master_key.clone());
        // Whoever plays Twilio, a simulator or a test, needs an account; without one every webhook would be refused.
        default("TWILIO_ACCOUNT_SID", secrets.account_sid.clone());
        default("TWILIO_AUTH_TOKEN", secrets.auth_token.clone());
        if simulate_twilio {
            default("TWILIO_BASE_URL", format!("http://127.0.0.1:{}", ports.twilio));
        }
        if simulate_openai {
            default("OPENAI_API_KEY", secrets.openai_api_key.clone());
            default("OPENAI_BASE_URL", format!("http://127.0.0.1:{}/v1", ports.openai));
        }
        if simulate_email {
            default("EMAIL_API_KEY", secrets.email_api_key.clone());
            default("EMAIL_BASE_URL", format!("http://127.0.0.1:{}", ports.email));
            default("EMAIL_FROM", "VoiceCore <hello@voicecore.example>".to_owned());
        }
        Self { vars, simulate_twilio, simulate_openai, simulate_email }
    }

    pub(crate) fn get(&self, name: &str) -> &str {
        self.vars.get(name).map_or("", String::as_str)
    }

    /// The values as a file for wrangler's `--env-file`: arguments would be visible to every user of the machine.
    pub(crate) fn env_file(&self) -> Result<String> {
        let mut text = String::new();
        for (name, value) in &self.vars {
            // In dotenv's single quotes nothing has a meaning but the quote itself; the others are for values with one.
            let Some(quote) = ['\'', '`'].into_iter().find(|quote| !value.contains(*quote)) else {
                bail!("{name}: a value cannot hold both ' and `");
            };
            writeln!(text, "{name}={quote}{value}{quote}")?;
        }
        Ok(text)
    }
}

/// `NAME=VALUE` of `--set`.
pub(crate) fn parse_set(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    let well_formed = name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    if !well_formed {
        return Err(format!("`{name}` is not a name of a configuration value, such as OPENAI_BASE_URL"));
    }
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(set: &[&str], environment: &[(&str, &str)], simulators: bool) -> Plan {
        let set: Vec<_> = set.iter().map(|text| parse_set(text).unwrap()).collect();
        let secrets = Secrets {
            jwt_secret: "jwt".into(),
            master_key: "master".into(),
            account_sid: "ACmade".into(),
            auth_token: "made".into(),
            openai_api_key: "sk-made".into(),
            email_api_key: "re_simulated".into(),
        };
        let lookup =
            |name: &str| environment.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        Plan::new(
            &set,
            &lookup,
            &secrets,
            Ports { http: 1, inspector: 2, twilio: 3, openai: 4, email: 5 },
            simulators,
        )
    }

    #[test]
    fn without_keys_both_providers_are_simulated() {
        let plan = plan(&[], &[], true);
        assert!(plan.simulate_twilio && plan.simulate_openai);
        assert_eq!(plan.get("TWILIO_BASE_URL"), "http://127.0.0.1:3");
        assert_eq!(plan.get("OPENAI_BASE_URL"), "http://127.0.0.1:4/v1");
        assert_eq!(plan.get("PUBLIC_URL"), "http://127.0.0.1:1");
        assert_eq!(plan.get("TWILIO_AUTH_TOKEN"), "made");
    }

    #[test]
    fn a_key_in_the_environment_means_the_real_provider() {
        let plan = plan(&[], &[("OPENAI_API_KEY", "sk-real"), ("OPENAI_REALTIME_MODEL", "")], true);
        assert!(plan.simulate_twilio && !plan.simulate_openai);
        assert_eq!(plan.get("OPENAI_API_KEY"), "sk-real");
        assert!(!plan.vars.contains_key("OPENAI_BASE_URL"), "wrangler.toml's default stands");
        assert!(!plan.vars.contains_key("OPENAI_REALTIME_MODEL"), "empty is as good as absent");
    }

    #[test]
    fn a_call_spends_no_money_and_needs_no_account_unless_it_is_to_be_real() {
        let exported = |name: &str| match name {
            "OPENAI_API_KEY" | "TWILIO_AUTH_TOKEN" | "MASTER_KEY" => Some("exported".to_owned()),
            _ => None,
        };
        for (providers, simulates_openai) in [(Providers::Simulated, true), (Providers::Models, false)] {
            let environment: Vec<_> = NAMES
                .iter()
                .filter(|name| providers.allow(name))
                .filter_map(|name| Some((*name, exported(name)?)))
                .collect();
            let environment: Vec<_> =
                environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let plan = plan(&[], &environment, true);
            assert!(plan.simulate_twilio, "{providers:?}");
            assert_eq!(plan.simulate_openai, simulates_openai, "{providers:?}");
            assert_eq!(plan.get("MASTER_KEY"), "exported", "what is stored can be read");
        }
        assert!(NAMES.iter().all(|name| Providers::Configured.allow(name)));
    }

    #[test]
    fn set_wins_over_the_environment_and_takes_any_name() {
        let plan = plan(&["OPENAI_API_KEY=a=b", "NEW_VALUE="], &[("OPENAI_API_KEY", "sk-real")], true);
        assert_eq!(plan.get("OPENAI_API_KEY"), "a=b");
        assert_eq!(plan.vars["NEW_VALUE"], "");
    }

    #[test]
    fn without_simulators_nothing_of_openai_is_made_up() {
        let plan = plan(&[], &[], false);
        assert!(!plan.simulate_twilio && !plan.simulate_openai);
        assert!(!plan.vars.contains_key("OPENAI_API_KEY"));
        assert_eq!(plan.get("TWILIO_ACCOUNT_SID"), "ACmade");
    }

    #[test]
    fn the_env_file_quotes_what_dotenv_would_interpret() {
        let plan = plan(&["A=x#$HOME \"y\"", "B=it's"], &[], true);
        let file = plan.env_file().unwrap();
        assert!(file.contains("A='x#$HOME \"y\"'\n"));
        assert!(file.contains("B=`it's`\n"));
        let both = super::tests::plan(&["C='`"], &[], true);
        assert!(both.env_file().is_err());
    }

    #[test]
    fn set_refuses_what_is_not_a_name() {
        for bad in ["A", "=1", "a=1", "1A=1", "A-B=1"] {
            assert!(parse_set(bad).is_err(), "{bad}");
        }
    }
}
