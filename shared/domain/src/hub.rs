//! The rules of a tenant's event log, of the tickets that open its sockets, and of the one alarm. The `HubActor` keeps the
//! events and these values in its storage; nothing here knows how.

mod schedule;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use voicecore_types::{ApiKeyId, Millis, SessionId};

pub use schedule::{CLOSED_WITHIN, Due, FAILED_LOOKS, LOOK_INTERVAL, Schedule};

/// Events kept for dashboards that were away; who missed more is told to load everything afresh.
pub const EVENT_CAP: u64 = 10_000;
/// The longest that an event is kept: it holds what was said, as plain text.
pub const EVENT_AGE: Millis = Millis::from_secs(24 * 3_600);
/// Events are aged this often. What was in the log at one ageing goes with the next, so nothing needs a time of its own, and
/// an event lives for [`EVENT_AGE`] at most.
pub const AGEING_INTERVAL: Millis = Millis(EVENT_AGE.0 / 2);
/// A ticket opens a socket within this time, once.
pub const TICKET_LIFETIME: Millis = Millis::from_secs(30);
/// Tickets open at one time: more are refused, so that nobody fills the actor's storage by asking for them.
pub const TICKET_CAP: usize = 1_000;

/// Which events the log holds: the sequence numbers from `first` up to, not including, `next`.
///
/// Sequence numbers start at 1, have no gaps and are never used twice, so a subscriber that has seen `n` wants `n + 1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogBounds {
    first: u64,
    next: u64,
}

/// What a subscriber has to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CatchUp {
    /// The events `from` to `to`, both included, in order; none when `from > to`. Then what comes.
    Events {
        /// The first one.
        from: u64,
        /// The last one.
        to: u64,
    },
    /// What it missed is gone, or it speaks of another log: load everything afresh, then what comes after `last`.
    Resync {
        /// The newest number given out.
        last: u64,
    },
}

impl Default for LogBounds {
    fn default() -> Self {
        Self { first: 1, next: 1 }
    }
}

impl LogBounds {
    /// Of a log in which the events `first` to `last`, both included, are stored, and possibly older ones than it may hold.
    /// Of a log whose events have all aged, `first` is one more than `last`.
    pub fn of(first: u64, last: u64) -> Self {
        let mut bounds = Self { first, next: last.saturating_add(1) };
        bounds.forget();
        bounds
    }

    /// Makes room for `count` events and gives the number of the first of them. What is older than [`LogBounds::first`] now
    /// may be deleted.
    #[must_use = "the events have to be stored under these numbers"]
    pub fn append(&mut self, count: u64) -> u64 {
        let seq = self.next;
        self.next = self.next.saturating_add(count);
        self.forget();
        seq
    }

    /// The oldest number that the log holds; one more than [`LogBounds::last`] when it holds none.
    pub const fn first(&self) -> u64 {
        self.first
    }

    /// What a subscriber gets that has seen everything up to and including `after`; without one, only what comes.
    pub fn catch_up(&self, after: Option<u64>) -> CatchUp {
        let last = self.last();
        match after {
            None => CatchUp::Events { from: self.next, to: last },
            Some(after) if after > last || after.saturating_add(1) < self.first => CatchUp::Resync { last },
            Some(after) => CatchUp::Events { from: after + 1, to: last },
        }
    }

    /// The newest number given out; 0 before the first event.
    pub const fn last(&self) -> u64 {
        self.next.saturating_sub(1)
    }

    fn forget(&mut self) {
        self.first = self.first.max(self.next.saturating_sub(EVENT_CAP));
    }
}

/// Why there is no ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many tickets are open")]
pub struct TooManyTickets;

/// Who asked for a ticket: what must be good as long as the socket is open that it opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Watcher {
    /// Somebody who is signed in.
    Session(SessionId),
    /// A program.
    ApiKey(ApiKeyId),
}

/// The socket is closed with this code when whoever opened it may not listen any more (of those that applications may use,
/// RFC 6455 §7.4.2).
pub const ACCESS_ENDED: u16 = 4_401;
/// The same, when it could not be found out whether they may: "try again later".
pub const ACCESS_UNKNOWN: u16 = 1_013;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Ticket {
    expires: Millis,
    watcher: Watcher,
}

/// The open tickets, by whatever text names them (store a hash, not the ticket).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tickets(BTreeMap<String, Ticket>);

impl Tickets {
    /// Notes a ticket that may be used once until [`TICKET_LIFETIME`] from now. Expired ones are dropped.
    pub fn issue(
        &mut self,
        now: Millis,
        ticket_hash: String,
        watcher: Watcher,
    ) -> Result<(), TooManyTickets> {
        self.0.retain(|_, ticket| ticket.expires > now);
        if self.0.len() >= TICKET_CAP {
            return Err(TooManyTickets);
        }
        self.0.insert(ticket_hash, Ticket { expires: now.plus(TICKET_LIFETIME), watcher });
        Ok(())
    }

    /// Takes a ticket, once, within its time: who asked for it. Store the value before the socket is accepted.
    #[must_use]
    pub fn redeem(&mut self, now: Millis, ticket_hash: &str) -> Option<Watcher> {
        self.0.remove(ticket_hash).filter(|ticket| ticket.expires > now).map(|ticket| ticket.watcher)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_log_whose_events_have_aged_goes_on_behind_its_newest_number() {
        let mut bounds = LogBounds::of(6, 5);
        assert_eq!((bounds.first(), bounds.last()), (6, 5));
        assert_eq!(bounds.catch_up(Some(5)), CatchUp::Events { from: 6, to: 5 });
        assert_eq!(bounds.catch_up(Some(4)), CatchUp::Resync { last: 5 });
        assert_eq!(bounds.append(2), 6);
        assert_eq!(bounds.catch_up(Some(5)), CatchUp::Events { from: 6, to: 7 });
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        /// A17, B2: a subscriber that comes and goes sees each event once, in order, or is told to start afresh.
        #[test]
        fn a17_every_event_once_in_order_across_reconnects(
            steps in prop::collection::vec((0_u64..4_000, 1_u64..300, any::<bool>()), 1..8),
        ) {
            let mut bounds = LogBounds::default();
            let mut stored = BTreeSet::new();
            let mut seen = 0_u64;
            for (new_events, message, connects) in steps {
                for begin in (0..new_events).step_by(message as usize) {
                    let count = message.min(new_events - begin);
                    let seq = bounds.append(count);
                    prop_assert!((seq..seq + count).all(|seq| stored.insert(seq)));
                    stored = stored.split_off(&bounds.first());
                    // What an actor finds in its storage when it wakes, whether or not it has deleted the oldest.
                    prop_assert_eq!(LogBounds::of(1, bounds.last()), bounds);
                    prop_assert_eq!(LogBounds::of(bounds.first(), bounds.last()), bounds);
                }
                prop_assert!(stored.len() as u64 <= EVENT_CAP);
                if connects {
                    match bounds.catch_up(Some(seen)) {
                        CatchUp::Events { from, to } => {
                            prop_assert_eq!(from, seen + 1);
                            prop_assert!((from..=to).all(|seq| stored.contains(&seq)));
                            prop_assert!(bounds.last() - seen <= EVENT_CAP);
                        }
                        CatchUp::Resync { .. } => prop_assert!(bounds.last() - seen > EVENT_CAP),
                    }
                    seen = bounds.last();
                }
            }
        }

        /// A ticket opens once, in time, and only if it was issued.
        #[test]
        fn tickets_open_once_and_in_time(
            steps in prop::collection::vec((0_u64..20_000, any::<bool>(), 0_u8..6), 0..60),
        ) {
            let mut tickets = Tickets::default();
            let mut model = BTreeMap::new();
            let mut now = Millis::ZERO;
            for (wait, issue, name) in steps {
                now = now.plus(Millis(wait));
                if issue {
                    let watcher = Watcher::Session(SessionId::new(now, &[name; 10]));
                    tickets.issue(now, name.to_string(), watcher).unwrap();
                    model.insert(name, (now.plus(TICKET_LIFETIME), watcher));
                } else {
                    let good = model.remove(&name).filter(|(expires, _)| now < *expires);
                    prop_assert_eq!(tickets.redeem(now, &name.to_string()), good.map(|(_, watcher)| watcher));
                }
            }
        }
    }

    #[test]
    fn without_a_number_only_news_is_sent() {
        let mut bounds = LogBounds::default();
        assert_eq!(bounds.catch_up(None), CatchUp::Events { from: 1, to: 0 });
        assert_eq!(bounds.append(2), 1);
        assert_eq!(bounds.catch_up(None), CatchUp::Events { from: 3, to: 2 });
        assert_eq!(bounds.catch_up(Some(0)), CatchUp::Events { from: 1, to: 2 });
    }

    #[test]
    fn a_number_from_the_future_is_another_log() {
        assert_eq!(LogBounds::default().catch_up(Some(7)), CatchUp::Resync { last: 0 });
    }

    #[test]
    fn open_tickets_are_limited_and_expired_ones_make_room() {
        let mut tickets = Tickets::default();
        let watcher = Watcher::ApiKey(ApiKeyId::new(Millis(1), &[7; 10]));
        for n in 0..TICKET_CAP {
            tickets.issue(Millis(0), n.to_string(), watcher).unwrap();
        }
        assert_eq!(tickets.issue(Millis(0), "one more".to_owned(), watcher), Err(TooManyTickets));
        assert_eq!(tickets.issue(TICKET_LIFETIME, "later".to_owned(), watcher), Ok(()));
    }
}
