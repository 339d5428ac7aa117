//! A client of blocking sockets, a thread for each connection: its options are those that the kernel knows.

use std::fmt;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::linux::net::TcpStreamExt as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde::Serialize;

use crate::clock::micros;
use crate::load::http::{Door, split};
use crate::subjects::Running;

/// An answer that takes longer is an error, and ends its connection's measurement.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes read at once; every answer here is shorter.
const BUFFER: usize = 16 * 1024;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Request {
    /// `GET /health`: a constant. What the way to the product costs.
    Health,
    /// The voice webhook of a new call.
    Voice,
}

/// How connections are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Client {
    /// Kept, with the options that a socket has by itself.
    KeepAlive,
    /// Kept, with `TCP_NODELAY`.
    NoDelay,
    /// Kept, with `TCP_NODELAY`, and `TCP_QUICKACK` before every answer.
    QuickAck,
    /// A new one for each request.
    New,
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Health => "`GET /health`",
            Self::Voice => "voice webhook",
        })
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::KeepAlive => "keep-alive",
            Self::NoDelay => "keep-alive, NODELAY",
            Self::QuickAck => "keep-alive, NODELAY, QUICKACK",
            Self::New => "a connection each",
        })
    }
}

/// One measurement.
pub(crate) struct Load<'a> {
    pub(crate) running: &'a Running,
    pub(crate) request: Request,
    pub(crate) client: Client,
    pub(crate) connections: u16,
    pub(crate) seconds: u64,
}

/// Latencies in milliseconds, and what went wrong.
pub(crate) fn run(load: &Load<'_>) -> (Vec<f64>, Vec<String>) {
    let end = micros() + load.seconds * 1_000_000;
    let (mut latencies, mut errors) = (vec![], vec![]);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..load.connections).map(|_| scope.spawn(|| connection(load, end))).collect();
        for thread in threads {
            match thread.join() {
                Ok((samples, error)) => {
                    latencies.extend(samples);
                    errors.extend(error);
                }
                Err(_) => errors.push("a thread of the load has died".to_owned()),
            }
        }
    });
    (latencies, errors)
}

/// Asks one time after the other until the end.
fn connection(load: &Load<'_>, end: u64) -> (Vec<f64>, Option<String>) {
    let mut latencies = vec![];
    let mut kept = None;
    while micros() < end {
        let request = text(load);
        let began = micros();
        let socket = kept.take().map_or_else(|| connect(load), Ok);
        match socket.and_then(|socket| exchange(load, socket, &request)) {
            Ok(socket) => {
                latencies.push((micros() - began) as f64 / 1_000.0);
                kept = (load.client != Client::New).then_some(socket);
            }
            Err(error) => return (latencies, Some(format!("{error:#}"))),
        }
    }
    (latencies, None)
}

fn connect(load: &Load<'_>) -> anyhow::Result<TcpStream> {
    let socket = TcpStream::connect(&load.running.app).context("connecting")?;
    socket.set_read_timeout(Some(PATIENCE))?;
    if matches!(load.client, Client::NoDelay | Client::QuickAck) {
        socket.set_nodelay(true)?;
    }
    Ok(socket)
}

/// What goes over the wire: a call that nobody has heard of.
fn text(load: &Load<'_>) -> String {
    static CALLS: AtomicU64 = AtomicU64::new(1);
    let running = load.running;
    if load.request == Request::Health {
        return format!("GET /health HTTP/1.1\r\nHost: {}\r\n\r\n", running.app);
    }
    let door = Door {
        app: &running.app,
        public_url: &running.public_url,
        webhook: &running.webhook,
        account_sid: &running.account_sid,
        auth_token: &running.auth_token,
        to: &running.to,
    };
    door.voice(&format!("CA{:032x}", CALLS.fetch_add(1, Ordering::Relaxed)))
}

/// Asks and reads the answer; gives the socket back.
fn exchange(load: &Load<'_>, mut socket: TcpStream, request: &str) -> anyhow::Result<TcpStream> {
    socket.write_all(request.as_bytes())?;
    let mut bytes = Vec::with_capacity(BUFFER);
    let mut part = [0; BUFFER];
    loop {
        if load.client == Client::QuickAck {
            // Linux forgets it after a while.
            socket.set_quickack(true)?;
        }
        let read = socket.read(&mut part).context("reading the answer")?;
        bytes.extend_from_slice(part.get(..read).unwrap_or_default());
        if let Some((status, body)) = split(&bytes) {
            let good = load.request == Request::Health || body.contains("<Gather");
            if status != 200 || !good {
                bail!("{status}: {body}");
            }
            return Ok(socket);
        }
        if read == 0 {
            bail!("the answer broke off");
        }
    }
}
