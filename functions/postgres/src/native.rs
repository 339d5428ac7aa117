use std::sync::LazyLock;

use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{Client, Config, NoTls};
use voicecore_ports::{BoxFuture, DbError};

use crate::Connect;
use crate::answer::db_error;

/// Idle connections of one database.
const KEEP: usize = 4;

/// The address is not one of PostgreSQL's, or the runtime could not be made.
#[derive(Debug)]
pub struct NativeError(String);

impl std::fmt::Display for NativeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NativeError {}

static RUNTIME: LazyLock<std::io::Result<Runtime>> = LazyLock::new(|| {
    Builder::new_multi_thread().worker_threads(1).thread_name("postgres").enable_all().build()
});

/// The runtime that drives connections, so that whoever asks the database needs none of its own.
pub fn runtime() -> Result<&'static Runtime, NativeError> {
    RUNTIME.as_ref().map_err(|error| NativeError(error.to_string()))
}

/// Connections by TCP without TLS: to a server on this machine.
pub struct Native {
    config: Config,
    runtime: &'static Runtime,
}

impl Native {
    /// To the server and database that the address names, e.g. `postgres://user@127.0.0.1:5432/voicecore`.
    pub fn new(address: &str) -> Result<Self, NativeError> {
        let config =
            address.parse().map_err(|error| NativeError(format!("address of PostgreSQL: {error}")))?;
        Ok(Self { config, runtime: runtime()? })
    }
}

impl Connect for Native {
    fn connect(&self) -> BoxFuture<'_, Result<Client, DbError>> {
        let config = self.config.clone();
        let connected = self.runtime.spawn(async move {
            let (client, connection) = config.connect(NoTls).await.map_err(|error| db_error(&error))?;
            tokio::spawn(connection);
            Ok(client)
        });
        Box::pin(async move { connected.await.unwrap_or(Err(DbError::Unavailable)) })
    }

    fn keep(&self) -> usize {
        KEEP
    }
}
