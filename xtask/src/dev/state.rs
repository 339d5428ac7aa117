//! What `cargo xtask dev` keeps in `target/dev` (`target/dev-spin`) from one run to the next.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::Runtime;
use super::demo::Demo;
use super::plan::Secrets;
use crate::proc::{root, work_dir};

/// The folder, held by one run at a time.
pub(crate) struct State {
    dir: PathBuf,
    _lock: File,
}

impl State {
    /// Takes the runtime's folder; with `fresh`, empties it first.
    pub(crate) fn open(runtime: Runtime, fresh: bool) -> Result<Self> {
        let dir = work_dir(match runtime {
            Runtime::Workers => "dev",
            Runtime::Spin => "dev-spin",
        })?;
        let lock = File::create(dir.join("lock"))?;
        if lock.try_lock().is_err() {
            bail!("it is running already (see {}): stop that one first", running_file().display());
        }
        if fresh {
            for entry in fs::read_dir(&dir)? {
                let path = entry?.path();
                if path.is_dir() {
                    fs::remove_dir_all(&path)?;
                } else if path != dir.join("lock") {
                    fs::remove_file(&path)?;
                }
            }
        }
        Ok(Self { dir, _lock: lock })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Where the runtime keeps what is stored: D1, KV, R2 and Durable Objects; or SQLite and key-value pairs.
    pub(crate) fn storage(&self) -> PathBuf {
        self.path("storage")
    }

    /// The secrets of this folder, made the first time.
    pub(crate) fn secrets(&self) -> Result<Secrets> {
        let path = self.path("secrets.json");
        if let Some(mut kept) = read_json::<Secrets>(&path)? {
            if kept.email_api_key.is_empty() {
                kept.email_api_key = email_key()?;
            }
            return Ok(kept);
        }
        let made = Secrets {
            jwt_secret: STANDARD.encode(random::<32>()?),
            master_key: STANDARD.encode(random::<32>()?),
            account_sid: format!("AC{}", hex(&random::<16>()?)),
            auth_token: hex(&random::<16>()?),
            openai_api_key: format!("sk-simulated-{}", hex(&random::<16>()?)),
            email_api_key: email_key()?,
        };
        write_private(&path, &serde_json::to_string_pretty(&made)?)?;
        Ok(made)
    }

    pub(crate) fn demo(&self) -> Result<Option<Demo>> {
        read_json(&self.path("demo.json"))
    }

    pub(crate) fn keep_demo(&self, demo: &Demo) -> Result<()> {
        write_private(&self.path("demo.json"), &serde_json::to_string_pretty(demo)?)
    }

    /// Whether the database lacks migrations of the tree. One that was edited after it was applied is an error.
    pub(crate) fn needs_migration(&self) -> Result<bool> {
        let applied: BTreeMap<String, String> = read_json(&self.path("migrations.json"))?.unwrap_or_default();
        let tree = migrations()?;
        for (name, hash) in &applied {
            if tree.get(name) != Some(hash) {
                bail!(
                    "migrations/{name} is not what was applied to this database: `--fresh` begins with an empty one"
                );
            }
        }
        Ok(applied.len() < tree.len())
    }

    /// Remembers what was applied.
    pub(crate) fn migrated(&self) -> Result<()> {
        write_private(&self.path("migrations.json"), &serde_json::to_string_pretty(&migrations()?)?)
    }
}

/// The migrations of the tree, each with its hash.
fn migrations() -> Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(root().join("migrations"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|ext| ext == "sql") {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            found.insert(name, format!("{:x}", Sha256::digest(fs::read(&path)?)));
        }
    }
    Ok(found)
}

/// `target/dev.json`: how to reach the running system; there while one runs.
pub(crate) fn running_file() -> PathBuf {
    root().join("target/dev.json")
}

/// Writes a file that only its owner can read, whole or not at all.
pub(crate) fn write_private(path: &Path, text: &str) -> Result<()> {
    let new = path.with_extension("new");
    fs::remove_file(&new).ok();
    let write = || -> std::io::Result<()> {
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?.write_all(text.as_bytes())?;
        fs::rename(&new, path)
    };
    write().with_context(|| format!("writing {}", path.display()))
}

/// `None` when there is no such file.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    match fs::read_to_string(path) {
        Ok(text) => {
            Ok(Some(serde_json::from_str(&text).with_context(|| format!("reading {}", path.display()))?))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
    }
}

/// What the simulated e-mail service accepts: told to it and to the system in each run.
fn email_key() -> Result<String> {
    Ok(format!("re_simulated-{}", hex(&random::<16>()?)))
}

/// Bytes that nobody can guess.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    Ok(bytes)
}

/// As text.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").ok();
        text
    })
}
