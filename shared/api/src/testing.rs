//! What unit tests of this crate share. Whole-system tests are in `tests/`, on real doubles of the ports.

use std::sync::atomic::{AtomicU8, Ordering};

use voicecore_ports::Rng;

use crate::Config;

/// A generator that gives other bytes each time, and the same in each run.
#[derive(Default)]
pub(crate) struct Counter(AtomicU8);

impl Rng for Counter {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill_with(|| self.0.fetch_add(1, Ordering::Relaxed));
    }
}

/// A complete configuration.
pub(crate) fn config() -> Config {
    config_with("", "")
}

/// The same, with one value set otherwise.
pub(crate) fn config_with(name: &str, value: &str) -> Config {
    Config::from_lookup(&|wanted| {
        let usual = match wanted {
            "PUBLIC_URL" => "https://voice.example.com",
            "TWILIO_ACCOUNT_SID" => "AC00000000000000000000000000000001",
            "TWILIO_AUTH_TOKEN" => "token-of-twilio",
            "OPENAI_API_KEY" => "sk-of-openai",
            "JWT_SECRET" => "0123456789abcdef0123456789abcdef",
            "MASTER_KEY" => "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            _ => "",
        };
        Some(if wanted == name { value } else { usual }.to_owned())
    })
}
