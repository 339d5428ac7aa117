use std::time::Duration;

use voicecore_ports::{BoxFuture, Db, DbError, Rows, Stmt};
use voicecore_postgres::tokio_postgres::config::SslMode;
use voicecore_postgres::tokio_postgres::{Client, Config, NoTls};
use voicecore_postgres::{Connect, Postgres};
use worker::Env;
use worker::send::SendFuture;
use worker::wasm_bindgen_futures::spawn_local;

use super::{binding, within};

/// As for D1: the caller on the line must hear something within four seconds.
const DEADLINE: Duration = Duration::from_secs(2);

/// PostgreSQL through Hyperdrive, which keeps the connections to the server; its caching is to be off (`wrangler.toml`), or it
/// would give one tenant's stale rows.
pub(crate) struct HyperdriveDb(Postgres<Hyperdrive>);

struct Hyperdrive {
    env: Env,
}

/// The database behind Hyperdrive, if it is bound.
pub(crate) fn bound(env: &Env) -> Option<HyperdriveDb> {
    env.hyperdrive(binding::HYPERDRIVE).ok()?;
    Some(HyperdriveDb(Postgres::new(Hyperdrive { env: env.clone() })))
}

impl Connect for Hyperdrive {
    fn connect(&self) -> BoxFuture<'_, Result<Client, DbError>> {
        Box::pin(SendFuture::new(async move {
            let hyperdrive = self.env.hyperdrive(binding::HYPERDRIVE).map_err(|_| DbError::Unavailable)?;
            let socket = hyperdrive.connect().map_err(|_| DbError::Unavailable)?;
            let mut config = Config::new();
            // The way to Hyperdrive does not leave Cloudflare's machine; Hyperdrive's own to the server is encrypted.
            config.user(hyperdrive.user()).password(hyperdrive.password()).dbname(hyperdrive.database());
            config.ssl_mode(SslMode::Disable);
            let connected = config.connect_raw(socket, NoTls).await;
            let (client, connection) = connected.map_err(|_| DbError::Unavailable)?;
            // Ends when the client is dropped. What fails on it fails for the client, too.
            spawn_local(async move {
                let _ = connection.await;
            });
            Ok(client)
        }))
    }

    /// The runtime lets a socket be used by the request alone that has opened it.
    fn keep(&self) -> usize {
        0
    }
}

impl HyperdriveDb {
    async fn run(&self, stmts: Vec<Stmt>) -> Result<Vec<Rows>, DbError> {
        within(DEADLINE, self.0.batch(stmts)).await.unwrap_or(Err(DbError::Unavailable))
    }
}

impl Db for HyperdriveDb {
    fn query(&self, stmt: Stmt) -> BoxFuture<'_, Result<Rows, DbError>> {
        Box::pin(SendFuture::new(async move { Ok(self.run(vec![stmt]).await?.pop().unwrap_or_default()) }))
    }

    fn batch(&self, stmts: Vec<Stmt>) -> BoxFuture<'_, Result<Vec<Rows>, DbError>> {
        Box::pin(SendFuture::new(self.run(stmts)))
    }
}
