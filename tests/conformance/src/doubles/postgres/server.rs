use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs};

/// Says where the programs are that Debian keeps out of the way, e.g. `/usr/lib/postgresql/15/bin`.
const PROGRAMS: &str = "VOICECORE_POSTGRES_BIN";
/// `nobody`, on every Unix: PostgreSQL refuses to run as root.
const NOBODY: u32 = 65_534;
/// The longest that a new server may take until it answers.
const START_LIMIT: Duration = Duration::from_mins(1);
/// Another program may take the port that was free a moment ago.
const STARTS: usize = 3;
/// Speed instead of durability: nothing here outlives the tests. And no vacuum or analysis by itself: whether it came in between decided
/// over the plans and the order of rows.
const SETTINGS: [&str; 7] = [
    "autovacuum=off",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=200",
    "unix_socket_directories=",
    "log_min_messages=fatal",
];
/// Runs the server, and when standard input ends (whichever way the tests ended) stops it and takes its files away.
const KEEPER: &str = r#"trap '' HUP INT TERM
"$1" -D "$2/data" -h 127.0.0.1 -p "$3" $4 >"$2/log" 2>&1 </dev/null &
server=$!
cat >/dev/null
kill -INT $server
wait $server
rm -rf "$2""#;

/// A PostgreSQL server of this process's own on a loopback port. It ends with the process.
pub(super) struct Server {
    port: u16,
    log: PathBuf,
    /// Its standard input holds the server up.
    _keeper: Child,
}

impl Server {
    /// Makes a cluster in a temporary folder and starts it. Fails where PostgreSQL is missing: `cargo xtask setup` brings it.
    pub(super) fn start() -> io::Result<Self> {
        let programs = programs()?;
        for _ in 1..STARTS {
            if let Ok(server) = Self::once(&programs) {
                return Ok(server);
            }
        }
        Self::once(&programs)
    }

    fn once(programs: &Path) -> io::Result<Self> {
        let folder = new_folder()?;
        let mut initdb = Command::new(programs.join("initdb"));
        // C: text is ordered by its bytes, as SQLite orders it.
        initdb.args([
            "--no-sync",
            "--auth=trust",
            "--username=postgres",
            "--encoding=UTF8",
            "--locale=C",
            "-D",
        ]);
        let made = as_nobody(initdb.arg(folder.join("data")))?.stdin(Stdio::null()).output()?;
        if !made.status.success() {
            return Err(io::Error::other(String::from_utf8_lossy(&made.stderr).into_owned()));
        }
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let settings = SETTINGS.map(|setting| format!("-c {setting}")).join(" ");
        let mut keeper = Command::new("sh");
        keeper.args(["-c", KEEPER, "postgres"]).arg(programs.join("postgres")).arg(&folder);
        keeper.args([&port.to_string(), &settings]).process_group(0);
        // Not the tests' outputs: whoever reads those waits until the last one who could write has gone.
        keeper.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut keeper = as_nobody(&mut keeper)?.spawn()?;
        if answers(port, &mut keeper) {
            return Ok(Self { port, log: folder.join("log"), _keeper: keeper });
        }
        let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
        drop(keeper.stdin.take());
        keeper.wait()?;
        Err(io::Error::other(format!("PostgreSQL did not start: {log}")))
    }

    /// The address of a database, for a user without a password.
    pub(super) fn address(&self, user: &str, database: &str) -> String {
        format!("postgres://{user}@127.0.0.1:{}/{database}", self.port)
    }

    /// Why it does not answer, as far as it has said so: a disk without room ends it, for instance.
    pub(super) fn last_words(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_else(|error| error.to_string())
    }
}

/// Where `initdb` and `postgres` are.
fn programs() -> io::Result<PathBuf> {
    let named = env::var_os(PROGRAMS).map(PathBuf::from);
    let on_path =
        env::var_os("PATH").map(|path| env::split_paths(&path).collect::<Vec<_>>()).unwrap_or_default();
    let mut debian: Vec<_> = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().collect();
    debian.sort_by_key(|version| std::cmp::Reverse(version.file_name()));
    let debian = debian.into_iter().map(|version| version.path().join("bin"));
    named
        .into_iter()
        .chain(on_path)
        .chain(debian)
        .find(|folder| ["initdb", "postgres"].iter().all(|program| folder.join(program).is_file()))
        .ok_or_else(|| io::Error::other("PostgreSQL is missing: `cargo xtask setup` brings it"))
}

fn is_root() -> io::Result<bool> {
    Ok(fs::metadata("/proc/self").or_else(|_| fs::metadata(env::temp_dir()))?.uid() == 0)
}

fn as_nobody(command: &mut Command) -> io::Result<&mut Command> {
    if is_root()? {
        command.uid(NOBODY).gid(NOBODY).current_dir("/");
    }
    Ok(command)
}

fn new_folder() -> io::Result<PathBuf> {
    let folder = env::temp_dir().join(format!("voicecore-postgres-{}", std::process::id()));
    let free =
        (0..100).map(|n| folder.with_extension(n.to_string())).find(|folder| fs::create_dir(folder).is_ok());
    let folder = free.ok_or_else(|| io::Error::other("no temporary folder"))?;
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))?;
    if is_root()? {
        chown(&folder, Some(NOBODY), Some(NOBODY))?;
    }
    Ok(folder)
}

#[expect(clippy::disallowed_methods, reason = "a real server takes real time")]
fn answers(port: u16, keeper: &mut Child) -> bool {
    let began = Instant::now();
    while began.elapsed() < START_LIMIT {
        let listens = std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
        if listens && super::ready(port) {
            return true;
        }
        if !matches!(keeper.try_wait(), Ok(None)) {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}
