//! PostgreSQL, a real one: a server for each test process, a database for each test.

mod plan;
mod server;

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use server::Server;
use voicecore_migrations::Engine;
use voicecore_ports::{BoxFuture, Db, DbError, Rows, Stmt};
use voicecore_postgres::tokio_postgres::{Client, Error, NoTls, SimpleQueryMessage};
use voicecore_postgres::{Native, Postgres, runtime};

use crate::migrations;

/// Owns the server.
const ADMIN: &str = "postgres";
/// Owns the tables, and may do nothing else.
const OWNER: &str = "voicecore_owner";
/// The role that `migrations/postgres/policies.sql` makes.
const APP: &str = "voicecore_app";
/// As the product connects: owns nothing, and has the rights of that role.
const PRODUCT: &str = "voicecore_test";
/// The migrated database of which tests get copies.
const TEMPLATE: &str = "voicecore_template";

static SERVER: LazyLock<Server> = LazyLock::new(|| {
    let server = Server::start();
    match server {
        Ok(server) => {
            prepare(&server);
            server
        }
        Err(error) => unreachable!("{error}"),
    }
});

/// Migrated databases that a test has done with: emptying one is quicker than making one.
static USED: Mutex<Vec<(String, Arc<Postgres<Native>>)>> = Mutex::new(Vec::new());

/// Empties every table, whoever references whom.
const EMPTY: &str = "set session_replication_role = replica;
do $$
declare name text;
begin
  for name in select tablename from pg_tables where schemaname = 'public' and tablename <> 'schema_migrations' loop
    execute format('delete from %I', name);
  end loop;
end
$$";

/// A database that no other test uses at the same time.
pub struct PostgresDb {
    name: String,
    db: Arc<Postgres<Native>>,
    /// It is no other test's afterwards.
    alone: AtomicBool,
}

impl PostgresDb {
    /// An empty database, whose tables belong to whoever makes them through this value.
    ///
    /// # Panics
    /// When there is no PostgreSQL on this machine.
    pub fn empty() -> Self {
        Self::new("template0", OWNER)
    }

    /// A database with every migration applied, as the product sees it.
    ///
    /// # Panics
    /// When there is no PostgreSQL on this machine, or a migration is wrong.
    pub fn migrated() -> Self {
        let used = USED.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let Some((name, db)) = used else { return Self::new(TEMPLATE, PRODUCT) };
        run(&SERVER, ADMIN, &name, EMPTY);
        Self { name, db, alone: AtomicBool::new(false) }
    }

    /// Lets PostgreSQL look at what the tables hold, as autovacuum does (which is off here). No other test gets this database: plans are made
    /// by what was seen, and by how large the tables once were.
    pub fn analyse(&self) {
        self.alone.store(true, Ordering::Relaxed);
        self.admin("analyze");
    }

    fn new(template: &str, user: &'static str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        run(&SERVER, ADMIN, ADMIN, &format!("create database {name} template {template} owner {OWNER}"));
        match Native::new(&SERVER.address(user, &name)) {
            Ok(native) => {
                Self { name, db: Arc::new(Postgres::new(native)), alone: AtomicBool::new(user != PRODUCT) }
            }
            Err(error) => unreachable!("{error}"),
        }
    }

    /// The address of this database for its owner, whom no policy lets see more than the product.
    pub fn owner_address(&self) -> String {
        SERVER.address(OWNER, &self.name)
    }

    /// The address as the product connects.
    pub fn address(&self) -> String {
        SERVER.address(PRODUCT, &self.name)
    }

    /// Runs any SQL as the owner of the server, whom nothing is refused; gives the rows as text, null as empty.
    ///
    /// # Panics
    /// When PostgreSQL does not accept it.
    pub fn admin(&self, sql: &str) -> Vec<Vec<String>> {
        run(&SERVER, ADMIN, &self.name, sql)
    }

    /// Runs a script as the owner of the tables, as a runner of migrations does. `Err`: what PostgreSQL says.
    pub fn script(&self, sql: &str) -> Result<(), String> {
        let (sql, address) = (sql.to_owned(), SERVER.address(OWNER, &self.name));
        on_runtime(
            async move { connect(&address).await.batch_execute(&sql).await.map_err(|error| said(&error)) },
        )
    }

    /// What PostgreSQL says of a statement's parameters, were it asked without arguments: their types. `Err`: it refuses it.
    pub fn parameters(&self, sql: &str) -> Result<Vec<String>, String> {
        let (sql, address) = (sql.to_owned(), SERVER.address(PRODUCT, &self.name));
        on_runtime(async move {
            let client = connect(&address).await;
            let prepared = client.prepare(&sql).await.map_err(|error| said(&error))?;
            Ok(prepared.params().iter().map(|kind| kind.name().to_owned()).collect())
        })
    }

    /// What a statement walks through whole when it is to avoid that at any price, on a table of which nothing is known yet: a line for
    /// each table (`calls`) and each index without a condition (`calls_active of calls`). As the product runs it, under row-level
    /// security; arguments are not looked at. `Err`: PostgreSQL refuses it.
    pub fn walks(&self, sql: &str) -> Result<Vec<String>, String> {
        let (sql, address) = (sql.to_owned(), SERVER.address(PRODUCT, &self.name));
        on_runtime(
            async move { plan::walks(&connect(&address).await, &sql).await.map_err(|error| said(&error)) },
        )
    }

    /// Every stored value of every table, for tests that look for what must not be there.
    pub fn dump(&self) -> Vec<String> {
        let tables =
            self.admin("select tablename from pg_tables where schemaname = 'public' order by tablename");
        let all =
            tables.iter().flatten().map(|table| format!("select * from {table} as t order by t::text;"));
        self.admin(&all.collect::<String>()).into_iter().flatten().collect()
    }
}

impl Db for PostgresDb {
    fn query(&self, stmt: Stmt) -> BoxFuture<'_, Result<Rows, DbError>> {
        self.db.query(stmt)
    }

    fn batch(&self, stmts: Vec<Stmt>) -> BoxFuture<'_, Result<Vec<Rows>, DbError>> {
        self.db.batch(stmts)
    }
}

impl Drop for PostgresDb {
    fn drop(&mut self) {
        if self.alone.load(Ordering::Relaxed) {
            run(&SERVER, ADMIN, ADMIN, &format!("drop database {} with (force)", self.name));
        } else {
            let used = (std::mem::take(&mut self.name), Arc::clone(&self.db));
            USED.lock().unwrap_or_else(PoisonError::into_inner).push(used);
        }
    }
}

/// Roles, and the database that others are copies of.
fn prepare(server: &Server) {
    run(server, ADMIN, ADMIN, &format!("create role {OWNER} login createrole; create role {PRODUCT} login"));
    run(server, ADMIN, ADMIN, &format!("create database {TEMPLATE} owner {OWNER}"));
    for script in migrations::scripts(Engine::Postgres) {
        run(server, OWNER, TEMPLATE, &script);
    }
    run(server, ADMIN, ADMIN, &format!("grant {APP} to {PRODUCT}"));
}

/// Whether a server that listens takes connections already.
fn ready(port: u16) -> bool {
    let address = format!("postgres://{ADMIN}@127.0.0.1:{port}/{ADMIN}");
    on_runtime(async move { try_connect(&address).await.is_some() })
}

/// Runs statements and gives their rows, null as empty.
fn run(server: &Server, user: &str, database: &str, sql: &str) -> Vec<Vec<String>> {
    let (address, sql) = (server.address(user, database), sql.to_owned());
    let rows = on_runtime(async move {
        let done = try_connect(&address).await?.simple_query(&sql).await;
        assert!(done.is_ok(), "{sql}: {done:?}");
        let rows = done.unwrap_or_default().into_iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => {
                Some((0..row.len()).map(|n| row.get(n).unwrap_or_default().to_owned()).collect())
            }
            _ => None,
        });
        Some(rows.collect())
    });
    rows.unwrap_or_else(|| unreachable!("PostgreSQL does not answer: {}", server.last_words()))
}

fn said(error: &Error) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), |error| error.message().to_owned())
}

async fn try_connect(address: &str) -> Option<Client> {
    let (client, connection) = voicecore_postgres::tokio_postgres::connect(address, NoTls).await.ok()?;
    drop(tokio::spawn(connection));
    Some(client)
}

async fn connect(address: &str) -> Client {
    match try_connect(address).await {
        Some(client) => client,
        None => unreachable!("no connection to {address}"),
    }
}

/// Waits for work on the runtime of the connections, on whichever thread.
fn on_runtime<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    match runtime().map(|runtime| crate::block_on(runtime.spawn(work))) {
        Ok(Ok(done)) => done,
        Ok(Err(error)) => unreachable!("{error}"),
        Err(error) => unreachable!("{error}"),
    }
}
