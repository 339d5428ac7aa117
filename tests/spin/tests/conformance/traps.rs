//! The traps of the runtime, each shown where the host can show it, and that the product does not fall into it. README.md has
//! the list.

use std::time::Duration;

use anyhow::{Context as _, Error, Result, ensure};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::{Instant, sleep, timeout};
use voicecore_conformance::doubles::PostgresDb;
use voicecore_ports::DbError;

use crate::Case;
use crate::host::{App, Host, Kind};
use crate::tenant::claim;

/// As many as once lost two thirds of their counts on the key-value store.
const COUNTERS: u32 = 41;
/// How often one asks again that was told to wait its turn.
const ASK_AGAIN: u32 = 20;
/// How often a neighbour is sought for a panic.
const ROUNDS: u32 = 10;
/// Requests at once that one instance takes at most, and in its life.
const AT_ONCE: u32 = 16;
const IN_ALL: u32 = 128;
/// What the loop takes that lets nobody run (`BUSY` of the probe).
const BUSY: Duration = Duration::from_secs(2);
/// The longest that something may take which goes on by itself.
const LIMIT: Duration = Duration::from_secs(20);
/// More than any body that is taken.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// Every case by its name.
pub(crate) fn all() -> Vec<(&'static str, Case)> {
    cases!(
        the_component_imports_what_it_uses_and_no_more,
        answers_come_as_they_are_made,
        a_body_without_an_end_is_refused,
        a_client_that_leaves_cancels_nothing,
        what_is_spawned_goes_on_after_the_answer,
        what_needs_an_actor_says_so,
        instances_are_shared_and_a_panic_takes_its_neighbours,
        a_panic_takes_no_other_request_with_it,
        statics_live_as_long_as_their_instance,
        a_loop_that_lets_nobody_run_outlives_its_time,
        sigterm_drops_what_is_in_flight,
        the_key_value_store_loses_counts,
        counters_in_sql_lose_nothing,
        postgres_hands_a_connection_on_as_it_was_left,
        postgres_says_what_failed_after_the_rows,
        postgres_gives_types_that_nobody_can_read,
        postgres_takes_no_whole_number_for_a_numeric,
        postgres_frees_what_a_late_transaction_has_locked,
        postgres_lets_two_runners_take_no_job_twice,
    )
}

/// What a component imports its host must have: three packages of Spin's, besides WASI.
async fn the_component_imports_what_it_uses_and_no_more(_: Kind) -> Result<()> {
    let mut list = Command::new(Kind::Ours.program());
    let listed = list.args(["interfaces", "-f"]).arg(App::Product.manifest()).output().await?;
    let listed = String::from_utf8(listed.stdout)?;
    ensure!(listed.lines().any(|line| line == "export wasi:http/handler@0.3.0"), "{listed}");
    let imports = listed.lines().filter_map(|line| line.strip_prefix("import "));
    let mut of_spin: Vec<_> = imports.filter(|name| !name.starts_with("wasi:")).collect();
    of_spin.sort_unstable();
    let wanted =
        ["spin:key-value/key-value@3.0.0", "spin:sqlite/sqlite@3.1.0", "spin:variables/variables@3.0.0"];
    ensure!(of_spin == wanted, "{of_spin:?}");
    Ok(())
}

async fn answers_come_as_they_are_made(kind: Kind) -> Result<()> {
    let host = Host::start(kind, App::Probe).await?;
    let mut answer = host.client().post(host.url("/parts")).send().await?;
    let first = answer.chunk().await?.context("there is nothing in it")?;
    ensure!(first == "part 0\n", "the first part came with the second: {first:?}");
    let second = answer.chunk().await?.context("there is no second part")?;
    ensure!(second == "part 1\n", "{second:?}");
    ensure!(answer.chunk().await?.is_none(), "there is more");
    Ok(())
}

/// Nobody says how long it is: it is read as it comes, and no further than the limit.
async fn a_body_without_an_end_is_refused(kind: Kind) -> Result<()> {
    let host = Host::start(kind, App::Product).await?;
    let address = host.url("").trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(&address).await?;
    let head = format!(
        "POST /webhooks/twilio/voice HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Transfer-Encoding: chunked\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    let (mut reader, mut writer) = stream.split();
    let chunk = format!("4000\r\n{}\r\n", "x".repeat(0x4000));
    let write = async {
        let mut sent = 0;
        while sent < MOST_BYTES && writer.write_all(chunk.as_bytes()).await.is_ok() {
            sent += chunk.len();
        }
        // Refused: what comes is in the answer. Or swallowed to the end, which is the failure.
        if sent < MOST_BYTES {
            std::future::pending::<()>().await;
        }
    };
    let mut head = [0; 12];
    let read = timeout(LIMIT, reader.read_exact(&mut head));
    tokio::select! {
        () = write => anyhow::bail!("{MOST_BYTES} bytes were taken without a word"),
        read = read => drop(read.context("no answer")??),
    }
    ensure!(&head == b"HTTP/1.1 413", "{}", String::from_utf8_lossy(&head));
    ensure!(host.client().get(host.url("/ready")).send().await?.status().is_success(), "{}", host.log());
    Ok(())
}

/// Who is asked again has to know what it did the first time: so webhooks are told twice, and jobs are leased.
async fn a_client_that_leaves_cancels_nothing(kind: Kind) -> Result<()> {
    let host = Host::start(kind, App::Probe).await?;
    host.probe("/count").await?;
    let hasty = host.client().post(host.url("/count-late")).timeout(Duration::from_millis(100));
    ensure!(hasty.send().await.is_err(), "it was answered at once");
    let deadline = Instant::now() + LIMIT;
    while counted(&host)? < 2 {
        ensure!(Instant::now() < deadline, "what the client left was not done\n{}", host.log());
        sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// So whoever spawns must not rely on being asked again. The product spawns nothing.
async fn what_is_spawned_goes_on_after_the_answer(kind: Kind) -> Result<()> {
    let host = Host::start(kind, App::Probe).await?;
    host.probe("/count").await?;
    host.probe("/later").await?;
    ensure!(counted(&host)? == 1, "the answer has waited for what was spawned");
    let deadline = Instant::now() + LIMIT;
    while counted(&host)? < 2 {
        ensure!(Instant::now() < deadline, "what was spawned has ended with the answer\n{}", host.log());
        sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

async fn what_needs_an_actor_says_so(kind: Kind) -> Result<()> {
    let host = Host::start(kind, App::Product).await?;
    // A WebSocket's request is an ordinary one here: nothing is upgraded, and it is told why.
    let upgrade = host.client().get(host.url("/api/v1/live?ticket=x")).header("upgrade", "websocket");
    let upgrade = upgrade.header("connection", "upgrade").send().await?;
    ensure!(upgrade.status().as_u16() == 426, "{}", upgrade.status());

    let key = claim(&host, "+12025550151", "+12025550198").await?;
    let ticket = host.client().post(host.url("/api/v1/live/tickets")).bearer_auth(key).send().await?;
    let (status, problem) = (ticket.status().as_u16(), ticket.json::<Value>().await?);
    ensure!((status, problem["code"].as_str()) == (501, Some("unsupported")), "{status} {problem}");
    Ok(())
}

/// The statuses of requests that are sent at once; 0: the connection broke.
async fn statuses(host: &Host, paths: &[&'static str]) -> Result<Vec<(&'static str, u16, String)>> {
    let all: Vec<_> =
        paths.iter().map(|path| (*path, tokio::spawn(host.client().post(host.url(path)).send()))).collect();
    let mut statuses = Vec::new();
    for (path, asked) in all {
        match asked.await? {
            Ok(answer) => {
                let status = answer.status().as_u16();
                statuses.push((path, status, answer.text().await.unwrap_or_default()));
            }
            Err(_) => statuses.push((path, 0, String::new())),
        }
    }
    Ok(statuses)
}

/// The trap itself, in a component that does not ask to be alone.
async fn instances_are_shared_and_a_panic_takes_its_neighbours(kind: Kind) -> Result<()> {
    let host = Host::start(kind, App::Probe).await?;
    let crowd = statuses(&host, &["/shared/slow"; 40]).await?;
    let at_once = crowd.iter().filter_map(|(_, _, inside)| inside.parse::<u32>().ok()).max();
    ensure!(at_once.is_some_and(|most| (2..=AT_ONCE).contains(&most)), "at most {at_once:?} at once");
    // The second comes when the first one's instance waits, and is given to it. On a machine that is busy it may come too early.
    for _ in 0..ROUNDS {
        let neighbour = tokio::spawn(host.client().post(host.url("/shared/slow")).send());
        sleep(Duration::from_millis(100)).await;
        drop(host.client().post(host.url("/shared/panic")).send().await);
        if !neighbour.await?.is_ok_and(|answer| answer.status().is_success()) {
            return Ok(());
        }
    }
    anyhow::bail!("this host spares the neighbours of a panic\n{}", host.log())
}

/// The same in one that does.
async fn a_panic_takes_no_other_request_with_it(kind: Kind) -> Result<()> {
    let host = Host::start(kind, App::Probe).await?;
    // Slow ones before, between and after.
    let answered = statuses(&host, &["/slow", "/panic", "/slow", "/slow", "/panic", "/slow"]).await?;
    for (path, status, _) in answered {
        ensure!((status == 200) == (path == "/slow"), "{path}: {status}\n{}", host.log());
    }
    host.probe("/slow").await.map(drop)
}

/// They are kept from one request to the next, but for no more than so many, and not for ever: nothing of a call may lie there.
async fn statics_live_as_long_as_their_instance(kind: Kind) -> Result<()> {
    let host = Host::start(kind, App::Probe).await?;
    let mut begun = Vec::new();
    for _ in 0..=IN_ALL + AT_ONCE {
        begun.push(host.probe("/begun").await?.parse::<u32>()?);
    }
    let most = begun.iter().max().copied().unwrap_or_default();
    ensure!((2..=IN_ALL).contains(&most), "an instance has served {most}");
    ensure!(begun.windows(2).any(|two| two[1] < two[0]), "one instance served them all");
    Ok(())
}

/// Who waits is stopped in time; who computes is not. So nothing in the product loops without a limit of its own.
async fn a_loop_that_lets_nobody_run_outlives_its_time(kind: Kind) -> Result<()> {
    let host = Host::start_with(kind, App::Probe, &["--request-timeout", "200ms"]).await?;
    let waits = host.client().post(host.url("/slow")).send().await?;
    ensure!(!waits.status().is_success(), "it waited longer than it may and was not stopped");
    let began = Instant::now();
    let busy = tokio::spawn(host.client().post(host.url("/busy")).send());
    // Others have instances of their own.
    host.probe("/begun").await?;
    drop(busy.await?);
    ensure!(began.elapsed() >= BUSY, "it was stopped after {:?}", began.elapsed());
    host.probe("/begun").await.map(drop)
}

/// A call survives it because each turn is in the database before its answer is (`calls.rs` kills the host in mid-call).
async fn sigterm_drops_what_is_in_flight(kind: Kind) -> Result<()> {
    let mut host = Host::start(kind, App::Probe).await?;
    host.probe("/count").await?;
    let in_flight = tokio::spawn(host.client().post(host.url("/count-late")).send());
    sleep(Duration::from_millis(100)).await;
    host.terminate().await?;
    let answer = in_flight.await?;
    ensure!(!answer.is_ok_and(|answer| answer.status().is_success()), "it was answered all the same");
    host.restart().await?;
    ensure!(counted(&host)? == 1, "what was dropped has counted, or what had counted was dropped");
    host.probe("/count").await.map(drop)
}

/// Why nothing is counted or locked there.
async fn the_key_value_store_loses_counts(kind: Kind) -> Result<()> {
    let host = Host::start(kind, App::Probe).await?;
    let answered = statuses(&host, &["/count-in-kv"; COUNTERS as usize]).await?;
    ensure!(answered.iter().all(|(_, status, _)| *status == 200), "{answered:?}\n{}", host.log());
    let stored: u32 = host.probe("/counted-in-kv").await?.parse()?;
    ensure!(
        stored < COUNTERS,
        "this host's store has counted {stored} of {COUNTERS}: then it has something atomic"
    );
    Ok(())
}

/// One that has waited too long for its turn is told so, and has not counted.
async fn count(client: reqwest::Client, url: String) -> Result<()> {
    for _ in 0..ASK_AGAIN {
        if client.post(&url).send().await?.status().is_success() {
            return Ok(());
        }
    }
    anyhow::bail!("one has never got its turn")
}

async fn counters_in_sql_lose_nothing(kind: Kind) -> Result<()> {
    let host = Host::start(kind, App::Probe).await?;
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..COUNTERS {
        all.spawn(count(host.client().clone(), host.url("/count")));
    }
    while let Some(one) = all.join_next().await {
        one??;
    }
    let stored = counted(&host)?;
    ensure!(stored == COUNTERS, "{stored} of {COUNTERS} were counted");
    Ok(())
}

/// The probe on a server of its own.
async fn on_postgres(kind: Kind) -> Result<(PostgresDb, Host)> {
    let db = PostgresDb::migrated();
    let host = Host::start_on_postgres(kind, App::Probe, &db.owner_address()).await?;
    Ok((db, host))
}

/// Whoever does not begin with `rollback` goes on in somebody else's transaction; the port does.
async fn postgres_hands_a_connection_on_as_it_was_left(kind: Kind) -> Result<()> {
    let (_db, host) = on_postgres(kind).await?;
    host.probe("/pg/raw/leave").await?;
    for (path, found) in [("/pg/raw/find", "rows 1"), ("/pg/port/find", "rows 0"), ("/pg/raw/find", "rows 0")]
    {
        let said = host.probe(path).await?;
        ensure!(said == found, "{path}: {said}");
    }
    Ok(())
}

/// Rows that end early look like all there are; the port asks to the end.
async fn postgres_says_what_failed_after_the_rows(kind: Kind) -> Result<()> {
    let (_db, host) = on_postgres(kind).await?;
    let raw = host.probe("/pg/raw/breaks").await?;
    ensure!(raw.starts_with("rows") && !raw.contains("error"), "this host says so at once: {raw}");
    let port = host.probe("/pg/port/breaks").await?;
    ensure!(port == "error", "{port}");
    Ok(())
}

/// The port refuses them rather than give something else; as text they come. And a call takes one statement.
async fn postgres_gives_types_that_nobody_can_read(kind: Kind) -> Result<()> {
    let (_db, host) = on_postgres(kind).await?;
    for (path, outcome) in [
        ("/pg/port/time", "error"),
        ("/pg/port/text", "rows 2026-11-27 23:00:00"),
        ("/pg/port/epoch", "rows 1795820400"),
        ("/pg/port/json", "error"),
        ("/pg/port/cast", "rows [1]"),
        ("/pg/raw/two", "refused"),
    ] {
        let said = host.probe(path).await?;
        ensure!(said == outcome, "{path}: {said}");
    }
    Ok(())
}

/// An argument is what the statement wants or refused; the port says of each of its own what it is.
async fn postgres_takes_no_whole_number_for_a_numeric(kind: Kind) -> Result<()> {
    let (_db, host) = on_postgres(kind).await?;
    for (path, outcome) in [("/pg/raw/number", "refused"), ("/pg/port/number", "rows 1")] {
        let said = host.probe(path).await?;
        ensure!(said == outcome, "{path}: {said}");
    }
    Ok(())
}

/// Nobody is given its connection again, so nobody rolls it back: the server does.
async fn postgres_frees_what_a_late_transaction_has_locked(kind: Kind) -> Result<()> {
    let (db, host) = on_postgres(kind).await?;
    db.script("create table left_locked (n int); insert into left_locked values (0)").map_err(Error::msg)?;
    let said = host.probe("/pg/port/late").await?;
    ensure!(said == DbError::Unavailable.to_string(), "{said}");
    let locked = db.script("set lock_timeout = '10ms'; update left_locked set n = 5");
    ensure!(locked.is_err(), "the transaction is not open any more");
    let freed =
        db.script(&format!("set lock_timeout = '{}s'; update left_locked set n = 5", LIMIT.as_secs()));
    ensure!(freed.is_ok(), "{freed:?}");
    // What it had done is undone, and there are connections that work.
    let said = host.probe("/pg/port/locked").await?;
    ensure!(said == "rows 5", "{said}");
    Ok(())
}

/// It waits for whoever was first, and then goes by what it had read before, unless it is told to look again.
async fn postgres_lets_two_runners_take_no_job_twice(kind: Kind) -> Result<()> {
    let (_db, host) = on_postgres(kind).await?;
    let said = host.probe("/pg/port/raced").await?;
    ensure!(said == "the second has taken 0", "{said}");
    Ok(())
}

/// What the probe's counter has come to.
fn counted(host: &Host) -> Result<u32> {
    Ok(host.database()?.query_row("select n from probe_count", [], |row| row.get(0))?)
}
