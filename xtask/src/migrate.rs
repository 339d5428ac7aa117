//! `cargo xtask migrate`: a database's schema forward and back, on every engine. What is to be done is decided by
//! `voicecore-migrations`; the engines' own command lines do it.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use serde_json::Value;
use voicecore_migrations::{Applied, Direction, Engine, Migration, READ_RECORD, RECORD, Schema, Step, plan};

use crate::proc::{self, command, describe, output, root};
use crate::setup;
use crate::wrangler::Place;

/// wrangler's own record, as wrangler makes it: `wrangler d1 migrations apply` (and with it `dev` and `deploy`) goes by it.
const WRANGLERS_RECORD: &str = "create table if not exists d1_migrations(id integer primary key autoincrement, \
     name text unique, applied_at timestamp default current_timestamp not null);";

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// A file, such as `.spin/sqlite_db.db`
    Sqlite,
    /// A server, by its address
    Postgres,
    /// Cloudflare's, through wrangler
    D1,
}

#[derive(Clone, Copy, ValueEnum)]
enum Look {
    /// Shows what has been applied and what has not
    Status,
}

#[derive(clap::Args)]
pub(crate) struct Options {
    look: Option<Look>,
    #[arg(long)]
    engine: Kind,
    /// sqlite: the file. postgres: the address (`postgres://owner@host/name`), else `DATABASE_URL`; its user owns the tables. d1: the
    /// folder of a local one, else that of `cargo xtask dev`
    #[arg(long)]
    database: Option<String>,
    /// d1: the deployed one
    #[arg(long, conflicts_with = "database")]
    remote: bool,
    /// d1: environment of wrangler.toml
    #[arg(long, requires = "remote")]
    env: Option<String>,
    /// Goes forward or back to this migration; 0 is the empty database
    #[arg(long)]
    to: Option<u32>,
}

/// `cargo xtask migrate`.
pub(crate) fn run(options: &Options) -> Result<()> {
    let database = Database::open(options)?;
    let engine = if options.engine == Kind::Postgres { Engine::Postgres } else { Engine::Sqlite };
    migrate(&database, &schema(engine)?, options.to, options.look.is_some())
}

/// The source tree's migrations for an engine.
fn schema(engine: Engine) -> Result<Schema> {
    let own = engine.folder();
    let mut files = Vec::new();
    for folder in ["", "down/", &format!("{own}/"), &format!("{own}/down/")] {
        let path = root().join("migrations").join(folder);
        for entry in fs::read_dir(path).into_iter().flatten() {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "sql") {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                files.push((format!("{folder}{name}"), fs::read_to_string(&path)?));
            }
        }
    }
    Ok(Schema::new(engine, &files)?)
}

fn migrate(database: &Database, schema: &Schema, to: Option<u32>, only_look: bool) -> Result<()> {
    let applied = database.applied(&schema.migrations)?;
    let steps = plan(&schema.migrations, &applied, to)?;
    if only_look {
        show(&schema.migrations, &applied);
        return Ok(());
    }
    for step in &steps {
        let name = &step.migration.name;
        database
            .transaction(&database.script(step))
            .with_context(|| format!("{name}: nothing of it was stored"))?;
        println!("{} {name}", if step.direction == Direction::Up { "applied" } else { "undone " });
    }
    if let Some(afterwards) = &schema.afterwards {
        database.transaction(afterwards).context("what follows every migration")?;
    }
    println!("{} migrations, {} of them now", schema.migrations.len(), steps.len());
    Ok(())
}

fn show(migrations: &[Migration], applied: &[Applied]) {
    for migration in migrations {
        let done = applied.iter().any(|one| one.name == migration.name);
        let back = if migration.down.is_some() { "" } else { "   (no way back)" };
        println!("{:<8} {}{back}", if done { "applied" } else { "pending" }, migration.name);
    }
}

/// A database that answers.
enum Database {
    Sqlite(PathBuf),
    Postgres { address: String, password: Option<String> },
    D1(Place),
}

impl Database {
    fn open(options: &Options) -> Result<Self> {
        Ok(match options.engine {
            Kind::Sqlite => {
                setup::program("sqlite3", "sqlite3")?;
                let file = options.database.as_ref().context("--database names the file")?;
                Self::Sqlite(std::path::absolute(file)?)
            }
            Kind::Postgres => {
                setup::program("psql", "postgresql-client")?;
                let address = options.database.clone().or_else(|| std::env::var("DATABASE_URL").ok());
                let (address, password) =
                    without_password(&address.context("--database or DATABASE_URL is its address")?)?;
                Self::Postgres { address, password }
            }
            Kind::D1 => {
                setup::node()?;
                Self::D1(match &options.database {
                    _ if options.remote => Place::Remote { environment: options.env.clone() },
                    Some(folder) => Place::Local(std::path::absolute(folder)?),
                    None => Place::Local(root().join("target/dev/storage")),
                })
            }
        })
    }

    /// What the database has been given. Makes its record when there is none.
    fn applied(&self, migrations: &[Migration]) -> Result<Vec<Applied>> {
        if let Self::D1(place) = self {
            return adopt(place, migrations);
        }
        self.feed(RECORD)?;
        let said = self.feed(READ_RECORD)?;
        let rows = said.lines().filter_map(|line| line.split_once('|'));
        Ok(rows
            // The Spin component applies its own tables by itself (functions/spin/migrations).
            .filter(|(name, _)| !name.starts_with("spin_"))
            .map(|(name, checksum)| Applied { name: name.to_owned(), checksum: checksum.to_owned() })
            .collect())
    }

    fn script(&self, step: &Step<'_>) -> String {
        let script = step.script(proc::unix_time() * 1000);
        // wrangler records the portable ones, by the names of their files.
        if !matches!(self, Self::D1(_)) || step.migration.name.contains('/') {
            return script;
        }
        let file = format!("{}.sql", step.migration.name);
        script
            + &match step.direction {
                Direction::Up => format!("insert into d1_migrations (name) values ('{file}');\n"),
                Direction::Down => format!("delete from d1_migrations where name = '{file}';\n"),
            }
    }

    /// Runs a script, all or nothing.
    fn transaction(&self, script: &str) -> Result<()> {
        if let Self::D1(place) = self {
            // A file is one transaction, and may not say so itself.
            let file = proc::work_dir("xtask")?.join("migration.sql");
            fs::write(&file, script)?;
            output(&mut place.execute_file(&file)?)?;
            return Ok(());
        }
        let begin = if matches!(self, Self::Sqlite(_)) { "begin immediate" } else { "begin" };
        self.feed(&format!("{begin};\n{script}\ncommit;\n"))?;
        Ok(())
    }

    /// The engine's command line with a script as its input; rows come as lines, cells with `|` between them.
    fn feed(&self, script: &str) -> Result<String> {
        let mut client = match self {
            Self::Sqlite(file) => {
                let mut client = command("sqlite3");
                client.args(["-batch", "-bail", "-separator", "|"]).arg(file);
                client
            }
            Self::Postgres { address, password } => {
                let mut client = command("psql");
                client.args(["-X", "-q", "-At", "-F", "|", "-v", "ON_ERROR_STOP=1", "-d", address]);
                client.env("PGOPTIONS", "-c client_min_messages=warning");
                if let Some(password) = password {
                    client.env("PGPASSWORD", password);
                }
                client
            }
            Self::D1(_) => bail!("wrangler takes files"),
        };
        feed(&mut client, script)
    }
}

fn feed(client: &mut Command, script: &str) -> Result<String> {
    let context = format!("starting `{}`", describe(client));
    client.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = client.spawn().context(context)?;
    let mut input = running.stdin.take().context("no standard input")?;
    // The scripts are far smaller than what a pipe holds beside their output, which is nothing until they end.
    let fed = input.write_all(script.as_bytes());
    drop(input);
    let done = running.wait_with_output()?;
    if !done.status.success() {
        bail!("{}", String::from_utf8_lossy(&done.stderr).trim());
    }
    fed?;
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}

/// The address without its password: arguments of programs are seen by everybody on the machine, their environment is not.
fn without_password(address: &str) -> Result<(String, Option<String>)> {
    let (scheme, rest) = address.split_once("://").context("the address begins with postgres://")?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let Some((user, host)) = authority.rsplit_once('@') else { return Ok((address.to_owned(), None)) };
    let Some((user, password)) = user.split_once(':') else { return Ok((address.to_owned(), None)) };
    Ok((format!("{scheme}://{user}@{host}{path}"), Some(decoded(password)?)))
}

/// Text of an address, in which `%2F` stands for `/`.
fn decoded(text: &str) -> Result<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let code = part.get(..2).and_then(|code| u8::from_str_radix(code, 16).ok());
        bytes.push(code.context("the password in the address is not encoded as addresses are")?);
        bytes.extend_from_slice(part.get(2..).unwrap_or_default().as_bytes());
    }
    String::from_utf8(bytes).context("the password in the address is no text")
}

/// What D1 has been given: by this command, which keeps checksums, or by wrangler, which does not. What only wrangler has recorded
/// is recorded as the tree has it now, so that a later change of its file is seen from then on.
fn adopt(place: &Place, migrations: &[Migration]) -> Result<Vec<Applied>> {
    let statements =
        [RECORD, WRANGLERS_RECORD, READ_RECORD, "select name, '' as checksum from d1_migrations"];
    let statements = statements.map(|sql| sql.trim_end_matches(';').to_owned());
    let said = output(&mut place.query(&statements)?)?;
    let ours = rows(&said, 2)?;
    let wranglers = rows(&said, 3)?;
    let mut applied = ours.clone();
    let mut script = String::new();
    for Applied { name, .. } in wranglers {
        let name = name.trim_end_matches(".sql");
        if ours.iter().any(|one| one.name == name) {
            continue;
        }
        let known = migrations.iter().find(|migration| migration.name == name);
        let checksum = known.map(Migration::checksum).unwrap_or_default();
        if known.is_some() {
            let now = proc::unix_time() * 1000;
            // Writing to a string does not fail.
            let _ = writeln!(
                script,
                "insert into schema_migrations (name, checksum, applied_at) values ('{name}', '{checksum}', {now});"
            );
        }
        applied.push(Applied { name: name.to_owned(), checksum });
    }
    if !script.is_empty() {
        Database::transaction(&Database::D1(place.clone()), &script)?;
    }
    Ok(applied)
}

/// The rows of statement `index` in what `wrangler d1 execute --json` prints.
fn rows(said: &str, index: usize) -> Result<Vec<Applied>> {
    let said: Value = serde_json::from_str(said.get(said.find('[').unwrap_or(0)..).unwrap_or_default())
        .context("reading what wrangler printed")?;
    let rows = said[index]["results"].as_array().context("wrangler printed no rows")?;
    let text = |row: &Value, column: &str| row[column].as_str().unwrap_or_default().to_owned();
    Ok(rows.iter().map(|row| Applied { name: text(row, "name"), checksum: text(row, "checksum") }).collect())
}

/// A database with every migration applied, for tests of what is done with one.
#[cfg(test)]
pub(crate) fn migrated() -> rusqlite::Connection {
    let database = rusqlite::Connection::open_in_memory().unwrap();
    let mut migrations: Vec<_> = std::fs::read_dir(crate::proc::root().join("migrations"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
        .collect();
    migrations.sort();
    for migration in migrations {
        database.execute_batch(&std::fs::read_to_string(migration).unwrap()).unwrap();
    }
    database
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_do_not_become_arguments() {
        let parts = |address: &str| without_password(address).unwrap();
        assert_eq!(
            parts("postgres://me:p%40s:s%2F@db.example.com:5432/voice?sslmode=require"),
            ("postgres://me@db.example.com:5432/voice?sslmode=require".to_owned(), Some("p@s:s/".to_owned()))
        );
        assert_eq!(parts("postgres://me@[::1]/voice"), ("postgres://me@[::1]/voice".to_owned(), None));
        assert_eq!(parts("postgres://localhost"), ("postgres://localhost".to_owned(), None));
        assert!(without_password("postgres://me:%zz@h/d").is_err() && without_password("voice").is_err());
    }

    /// Forward, again, back and forward, with the engine's own command line; then a file that was changed.
    fn there_and_back(database: &Database, engine: Engine) {
        let mut schema = schema(engine).unwrap();
        // As far as there is a way back.
        let back = schema.migrations.iter().take_while(|migration| migration.down.is_some()).count();
        assert!(back >= 6);
        schema.migrations.truncate(back);
        let names = |applied: &[Applied]| applied.iter().map(|one| one.name.clone()).collect::<Vec<_>>();
        let applied = || names(&database.applied(&schema.migrations).unwrap());
        migrate(database, &schema, Some(2), false).unwrap();
        assert_eq!(applied(), ["0001_tenants", "0002_businesses"]);
        for to in [None, None, Some(1), None] {
            migrate(database, &schema, to, false).unwrap();
        }
        assert_eq!(applied().len(), back);
        schema.migrations[0].up.push_str("-- changed\n");
        let refused = migrate(database, &schema, None, false).unwrap_err().to_string();
        assert!(refused.contains("0001_tenants was changed"), "{refused}");
    }

    #[test]
    fn sqlite_goes_there_and_back() {
        let folder = proc::work_dir("xtask").unwrap().join("migrate-sqlite");
        fs::remove_dir_all(&folder).ok();
        fs::create_dir_all(&folder).unwrap();
        setup::program("sqlite3", "sqlite3").unwrap();
        let database = Database::Sqlite(folder.join("test.db"));
        there_and_back(&database, Engine::Sqlite);
        assert!(database.transaction("create table half (a text); insert into nowhere values (1);").is_err());
        assert!(database.feed("select * from half;").is_err(), "nothing of a script that failed is stored");
    }

    #[test]
    fn postgres_goes_there_and_back() {
        let server = voicecore_conformance::doubles::PostgresDb::empty();
        setup::program("psql", "postgresql-client").unwrap();
        let database = Database::Postgres { address: server.owner_address(), password: None };
        there_and_back(&database, Engine::Postgres);
        assert!(database.transaction("create table half (a text); insert into nowhere values (1);").is_err());
        assert!(database.feed("select * from half;").is_err(), "nothing of a script that failed is stored");
    }

    /// What wrangler has applied is taken over, what this command applies wrangler knows.
    #[test]
    fn d1_goes_there_and_back_beside_wrangler() {
        setup::node().unwrap();
        let folder = proc::work_dir("xtask").unwrap().join("migrate-d1");
        fs::remove_dir_all(&folder).ok();
        let place = Place::Local(folder);
        output(&mut place.migrate().unwrap()).unwrap();
        let schema = schema(Engine::Sqlite).unwrap();
        let database = Database::D1(place.clone());
        let applied = database.applied(&schema.migrations).unwrap();
        assert_eq!(applied.len(), schema.migrations.iter().filter(|one| !one.name.contains('/')).count());
        assert_eq!(applied[0].checksum, schema.migrations[0].checksum());
        let last = schema.migrations.last().unwrap();
        if last.down.is_some() {
            migrate(&database, &schema, Some(last.number - 1), false).unwrap();
            migrate(&database, &schema, None, false).unwrap();
        }
        let said = output(&mut place.migrate().unwrap()).unwrap();
        assert!(said.contains("No migrations to apply"), "{said}");
        assert_eq!(database.applied(&schema.migrations).unwrap().len(), applied.len());
    }
}
