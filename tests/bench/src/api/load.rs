//! Requests to the REST API over kept connections, a thread for each.

use std::fmt;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde::Serialize;
use serde_json::json;

use super::subjects::{CALLS, call_id};
use crate::clock::micros;
use crate::load::http::split;
use crate::subjects::{EMAIL, PASSWORD, Running};

/// An answer that takes longer is an error, and ends its connection's measurement.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes read at once.
const BUFFER: usize = 64 * 1024;
/// Pages that are asked for, of 50 calls each.
const PAGES: u32 = 20;
/// Words that the calls are made of.
const WORDS: u32 = 500;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Route {
    /// One of the first pages of the calls.
    List,
    /// One call.
    Get,
    /// A note to one of the calls.
    CreateNote,
    /// The calls in which a word was said: 400 of them.
    Search,
    /// With a password.
    Login,
}

impl Route {
    pub(crate) const ALL: [Self; 5] = [Self::List, Self::Get, Self::CreateNote, Self::Search, Self::Login];

    /// Connections that ask at the same time, where `wanted` do of other routes. Tries to sign in as one person at the same time are
    /// taken for guesses by the product, and told to wait.
    fn connections(self, wanted: u16) -> u16 {
        if self == Self::Login { 1 } else { wanted }
    }

    fn request(self, running: &Running, number: u32) -> String {
        let (method, path, body) = match self {
            Self::List => ("GET", format!("/api/v1/calls?page={}", number % PAGES + 1), None),
            Self::Get => ("GET", format!("/api/v1/calls/{}", call_id(number % CALLS + 1)), None),
            Self::CreateNote => {
                let note =
                    json!({"body": "Rings again on Friday.", "category": "callback", "tags": ["friday"]});
                ("POST", format!("/api/v1/calls/{}/notes", call_id(number % CALLS + 1)), Some(note))
            }
            Self::Search => ("GET", format!("/api/v1/calls?q=w{}", number % WORDS), None),
            Self::Login => {
                let login = json!({"email": EMAIL, "password": PASSWORD});
                ("POST", "/api/v1/auth/login".to_owned(), Some(login))
            }
        };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n",
            running.app, running.api_key
        );
        match body.map(|body| body.to_string()) {
            None => format!("{head}\r\n"),
            Some(body) => format!(
                "{head}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            ),
        }
    }

    /// What a right answer has in it, and its status.
    const fn answer(self) -> (u16, &'static str) {
        match self {
            Self::List => (200, "\"total\":10000"),
            Self::Get => (200, "+15005550199"),
            Self::CreateNote => (201, "Rings again on Friday."),
            Self::Search => (200, "\"total\":400"),
            Self::Login => (200, "\"access_token\""),
        }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::List => "list",
            Self::Get => "get",
            Self::CreateNote => "create note",
            Self::Search => "search",
            Self::Login => "login",
        })
    }
}

/// Latencies in milliseconds, and what went wrong.
pub(crate) fn run(
    running: &Running,
    route: Route,
    connections: u16,
    seconds: u64,
) -> (Vec<f64>, Vec<String>) {
    let end = micros() + seconds * 1_000_000;
    let (mut latencies, mut errors) = (vec![], vec![]);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..route.connections(connections))
            .map(|_| scope.spawn(|| connection(running, route, end)))
            .collect();
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
fn connection(running: &Running, route: Route, end: u64) -> (Vec<f64>, Option<String>) {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let mut latencies = vec![];
    let asked = || -> anyhow::Result<()> {
        let mut socket = TcpStream::connect(&running.app).context("connecting")?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_nodelay(true)?;
        while micros() < end {
            let request = route.request(running, NUMBER.fetch_add(1, Ordering::Relaxed));
            let began = micros();
            exchange(&mut socket, route, &request)?;
            latencies.push((micros() - began) as f64 / 1_000.0);
        }
        Ok(())
    };
    let mut asked = asked;
    let error = asked().err().map(|error| format!("{route}: {error:#}"));
    (latencies, error)
}

fn exchange(socket: &mut TcpStream, route: Route, request: &str) -> anyhow::Result<()> {
    socket.write_all(request.as_bytes())?;
    let mut bytes = Vec::with_capacity(BUFFER);
    let mut part = vec![0; BUFFER];
    loop {
        let read = socket.read(&mut part).context("reading the answer")?;
        bytes.extend_from_slice(part.get(..read).unwrap_or_default());
        if let Some((status, body)) = split(&bytes) {
            let (wanted, holds) = route.answer();
            if status != wanted || !body.contains(holds) {
                bail!("{status}: {}", body.chars().take(300).collect::<String>());
            }
            return Ok(());
        }
        if read == 0 {
            bail!("the answer broke off");
        }
    }
}
