//! Traffic as NDJSON, one event a line: `client.ndjson` and `server.ndjson`, for `tests/oracles/openai.mjs`.

use std::{
    fs::File,
    io::Write as _,
    path::Path,
    sync::{Mutex, PoisonError},
};

use anyhow::Context;

/// Both files, or none.
#[derive(Debug, Default)]
pub(super) struct Recording(Option<Mutex<Files>>);

#[derive(Debug)]
struct Files {
    client: File,
    server: File,
}

/// Who has sent an event.
#[derive(Debug, Clone, Copy)]
pub(super) enum Side {
    Client,
    Server,
}

impl Recording {
    /// Starts both files anew in `directory`.
    pub(super) fn new(directory: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(directory).with_context(|| format!("creating {}", directory.display()))?;
        let create = |name: &str| {
            let path = directory.join(name);
            File::create(&path).with_context(|| format!("creating {}", path.display()))
        };
        let (client, server) = (create("client.ndjson")?, create("server.ndjson")?);
        Ok(Self(Some(Mutex::new(Files { client, server }))))
    }

    /// Writes a line. What the client sent may hold line breaks between its tokens; they mean nothing in JSON.
    pub(super) fn line(&self, side: Side, text: &str) {
        let Some(files) = &self.0 else { return };
        let mut files = files.lock().unwrap_or_else(PoisonError::into_inner);
        let line = text.replace(['\n', '\r'], " ") + "\n";
        let file = match side {
            Side::Client => &mut files.client,
            Side::Server => &mut files.server,
        };
        // A full disk must not end a call; the oracle then finds less to judge and says how much it judged.
        drop(file.write_all(line.as_bytes()));
    }
}
