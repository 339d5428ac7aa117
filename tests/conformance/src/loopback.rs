//! Ports of this machine for servers under test.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// So many from this one on.
const FIRST: u16 = 20_480;
const COUNT: u16 = 8_192;
/// Processes begin so far from each other.
const APART: u16 = 64;

/// A port that nobody uses, for a server that is told its port before it binds it. It lies below those that the system gives to
/// whoever asks for any (from 32768 on Linux, from 49152 elsewhere), so nobody gets it until the server has bound it, nor while
/// the server is started again. `None` when none is free.
pub fn free_port() -> Option<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let begin = std::process::id() % u32::from(COUNT / APART) * u32::from(APART);
    let candidates = (0..COUNT).map(|_| {
        let number = u32::from(NEXT.fetch_add(1, Ordering::Relaxed));
        FIRST + ((begin + number) % u32::from(COUNT)) as u16
    });
    candidates.into_iter().find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_port_is_given_twice_nor_one_that_is_in_use() {
        let first = free_port().unwrap();
        let next = first + 1;
        // Somebody may have it already; then it is not given anyway.
        let _taken = TcpListener::bind((Ipv4Addr::LOCALHOST, next));
        let second = free_port().unwrap();
        assert!(second != first && second != next);
        for port in [first, second] {
            assert!((FIRST..FIRST + COUNT).contains(&port));
        }
    }
}
