//! Cloudflare's command line, and where databases are.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::proc::{self, npm_bin, root};
use crate::scripts::actors_configuration;

/// `database_name` in wrangler.toml.
const DATABASE: &str = "voicecore";

/// Which database, which deployment.
#[derive(Clone)]
pub(crate) enum Place {
    /// What `cargo xtask dev` keeps under this folder.
    Local(PathBuf),
    /// What `cargo xtask dev --runtime spin` keeps under this folder, with the program that opens it.
    Spin { host: PathBuf, state: PathBuf },
    /// What is deployed; with an environment of wrangler.toml, if any.
    Remote { environment: Option<String> },
}

/// wrangler, silent about itself and, for local commands, to the outside world.
pub(crate) fn wrangler() -> Command {
    let mut command = proc::command(npm_bin("wrangler"));
    quiet(&mut command);
    command
}

/// Makes a program that uses wrangler silent likewise.
pub(crate) fn quiet(command: &mut Command) -> &mut Command {
    command
        .env("CI", "1")
        .env("WRANGLER_SEND_METRICS", "false")
        .env("WRANGLER_HIDE_BANNER", "true")
        .env("CLOUDFLARE_CF_FETCH_ENABLED", "false")
        .env("WRANGLER_LOG_PATH", root().join("target/wrangler/logs"))
        // wrangler.toml's own build command is for people who call wrangler directly.
        .env("VOICECORE_BUILT", "1")
}

/// wrangler for each script in the order in which they are deployed: the actors, then the one in front, which is bound to them.
pub(crate) fn scripts() -> Result<[Command; 2]> {
    let mut actors = wrangler();
    actors.arg("--config").arg(actors_configuration(&proc::work_dir("wrangler")?.join("actors"))?);
    Ok([actors, wrangler()])
}

impl Place {
    /// Brings the database's schema up to date.
    pub(crate) fn migrate(&self) -> Result<Command> {
        self.database(&["migrations", "apply"])
    }

    /// Runs one statement.
    pub(crate) fn execute(&self, sql: &str) -> Result<Command> {
        if let Self::Spin { host, state } = self {
            let mut command = proc::command(host);
            command.args(["sql", "--state-dir"]).arg(state).arg(sql);
            return Ok(command);
        }
        let mut command = self.database(&["execute"])?;
        command.args(["--yes", "--command", sql]);
        Ok(command)
    }

    /// Runs a file of statements, all or nothing.
    pub(crate) fn execute_file(&self, file: &Path) -> Result<Command> {
        let mut command = self.database(&["execute"])?;
        command.args(["--yes", "--file"]).arg(file);
        Ok(command)
    }

    /// Runs statements and prints what they give, as JSON.
    pub(crate) fn query(&self, statements: &[String]) -> Result<Command> {
        if let Self::Spin { .. } = self {
            bail!("Spin's database tells nothing of what a statement did: begin anew with --fresh");
        }
        let mut command = self.execute(&statements.join(";\n"))?;
        command.arg("--json");
        Ok(command)
    }

    fn database(&self, verb: &[&str]) -> Result<Command> {
        let mut command = wrangler();
        command.arg("d1").args(verb).arg(DATABASE);
        match self {
            Self::Local(state) => {
                std::fs::create_dir_all(state)?;
                command.args(["--local", "--persist-to"]).arg(state);
            }
            Self::Spin { .. } => bail!("the component migrates its database by itself"),
            Self::Remote { environment } => {
                command.arg("--remote");
                if let Some(environment) = environment {
                    command.args(["--env", environment]);
                }
            }
        }
        Ok(command)
    }
}
