//! `cargo xtask secret`: wrangler's, for both scripts.

use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::wrangler::scripts;
use crate::{proc, setup};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// As for `wrangler secret`: `put NAME` (the value is typed, or comes from standard input), `bulk FILE`, `delete NAME`, `list`;
    /// `--env NAME` for an environment of wrangler.toml
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    arguments: Vec<String>,
}

/// Gives both scripts the same secret.
pub(crate) fn run(options: &Options) -> Result<()> {
    setup::node()?;
    let value = match options.arguments.first().map(String::as_str) {
        Some("put") => Some(value()?),
        _ => None,
    };
    for mut script in scripts()? {
        script.arg("secret").args(&options.arguments);
        match &value {
            Some(value) => feed(&mut script, value)?,
            None => proc::run(&mut script)?,
        }
    }
    Ok(())
}

/// One value for both: made up twice (`openssl rand … |`), they would not understand each other.
fn value() -> Result<String> {
    let mut value = String::new();
    if io::stdin().is_terminal() {
        eprint!("value (not shown): ");
        echo(false);
        let read = io::stdin().read_line(&mut value);
        echo(true);
        eprintln!();
        read.context("reading the value")?;
    } else {
        io::stdin().read_to_string(&mut value).context("reading the value")?;
    }
    let value = value.trim_end_matches(['\r', '\n']).to_owned();
    if value.is_empty() {
        bail!("no value");
    }
    Ok(value)
}

/// Whether the terminal shows what is typed. One that cannot be told shows it.
fn echo(on: bool) {
    let _ = Command::new("stty").arg(if on { "echo" } else { "-echo" }).stdin(Stdio::inherit()).status();
}

fn feed(command: &mut Command, value: &str) -> Result<()> {
    let mut child = command.stdin(Stdio::piped()).spawn().context("starting wrangler")?;
    let mut stdin = child.stdin.take().context("wrangler has no input")?;
    stdin.write_all(value.as_bytes()).context("telling wrangler the value")?;
    drop(stdin);
    let status = child.wait()?;
    if !status.success() {
        bail!("wrangler failed: {status}");
    }
    Ok(())
}
