//! PostgreSQL behind [`Db`], over `tokio-postgres` and whatever connection a platform gives it: a socket of the operating
//! system in tests and tools (feature `native`), Hyperdrive's on Workers.
//!
//! What is not the client's is in `voicecore_ports::postgres`: dialect, row counts, reach, errors.
#![forbid(unsafe_code)]

mod answer;
mod in_order;
#[cfg(feature = "native")]
mod native;
mod values;

use std::sync::{Mutex, PoisonError};

#[cfg(feature = "native")]
pub use native::{Native, NativeError, runtime};
pub use tokio_postgres;
use tokio_postgres::Client;
use voicecore_ports::postgres::Plan;
use voicecore_ports::{BoxFuture, Db, DbError, Rows, Stmt};

/// How a platform reaches the server.
pub trait Connect: Send + Sync {
    /// A new connection, for one transaction at a time. Whoever makes it sees to it that its other half is driven.
    fn connect(&self) -> BoxFuture<'_, Result<Client, DbError>>;

    /// Idle connections that are kept for the next statement. 0 where a connection belongs to one request only.
    fn keep(&self) -> usize;
}

/// A PostgreSQL database. Statements that come at once use connections of their own.
///
/// A connection goes back to the idle ones only after everything on it has ended well. Dropped in the middle of something
/// (a deadline, a client that left) it is closed, which rolls back.
pub struct Postgres<C> {
    connect: C,
    idle: Mutex<Vec<Client>>,
}

impl<C: Connect> Postgres<C> {
    /// Over these connections. None is made before the first statement.
    pub fn new(connect: C) -> Self {
        Self { connect, idle: Mutex::default() }
    }

    async fn run(&self, stmts: Vec<Stmt>) -> Result<Vec<Rows>, DbError> {
        let plan = Plan::new(stmts)?;
        if plan.steps.is_empty() {
            return Ok(Vec::new());
        }
        let client = self.take().await?;
        let answer = answer::answer(&client, &plan).await;
        match answer {
            // What was refused has been rolled back as well. A connection that failed is not kept.
            Ok(_) | Err(DbError::Constraint | DbError::Unexpected { .. } | DbError::Invalid(_)) => {
                self.give_back(client);
            }
            Err(DbError::Unavailable) => {}
        }
        answer
    }

    async fn take(&self) -> Result<Client, DbError> {
        loop {
            let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            match idle {
                Some(client) if client.is_closed() => {}
                Some(client) => return Ok(client),
                None => return self.connect.connect().await,
            }
        }
    }

    fn give_back(&self, client: Client) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < self.connect.keep() {
            idle.push(client);
        }
    }
}

impl<C: Connect> Db for Postgres<C> {
    fn query(&self, stmt: Stmt) -> BoxFuture<'_, Result<Rows, DbError>> {
        Box::pin(async move { Ok(self.run(vec![stmt]).await?.pop().unwrap_or_default()) })
    }

    fn batch(&self, stmts: Vec<Stmt>) -> BoxFuture<'_, Result<Vec<Rows>, DbError>> {
        Box::pin(self.run(stmts))
    }
}
