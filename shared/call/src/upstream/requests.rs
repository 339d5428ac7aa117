//! `response.create`, one at a time (pitfall 18).
//!
//! The server makes at most one answer at a time, and begins some by itself when the caller has finished. A request
//! that crosses one of those is refused and waits for its end; requests that such an answer makes superfluous are
//! withdrawn.

use std::collections::VecDeque;

use super::Ask;

/// Most requests that wait. There are seven kinds, and each waits at most once.
pub(super) const MAX_ASKS: usize = 7;

#[derive(Debug)]
struct Active {
    id: String,
    ask: Option<Ask>,
    discarded: bool,
}

#[derive(Debug)]
struct InFlight {
    name: String,
    ask: Ask,
}

/// Whose turn it is to speak, as far as requests are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Floor {
    #[default]
    Free,
    /// The caller speaks.
    Caller,
    /// The caller's turn is over and the server is about to answer by itself.
    Server,
}

/// The requests of one session.
#[derive(Debug, Default)]
pub(super) struct Requests {
    waiting: VecDeque<Ask>,
    in_flight: Option<InFlight>,
    active: Option<Active>,
    sent: u32,
    floor: Floor,
    /// Held back until [`Requests::nudge`]: a limit was hit, or an answer is active that we do not know.
    held: bool,
    /// Nothing is to be said but last words.
    on_hold: bool,
    /// The last words of the call were asked for: nothing else will be.
    last: bool,
}

impl Requests {
    pub(super) fn ask(&mut self, ask: Ask) {
        if self.last {
            return;
        }
        if ask.is_last() {
            self.waiting.clear();
            self.last = true;
        }
        if !self.waiting.contains(&ask) && self.waiting.len() < MAX_ASKS {
            self.waiting.push_back(ask);
        }
    }

    pub(super) fn withdraw(&mut self) {
        self.waiting.clear();
    }

    pub(super) fn hold(&mut self, on: bool) {
        self.on_hold = on;
    }

    /// The next request to send, under the name it gets.
    pub(super) fn next(&mut self) -> Option<(String, Ask)> {
        if self.in_flight.is_some() || self.active.is_some() || self.held {
            return None;
        }
        let ask = *self.waiting.front()?;
        if (self.on_hold || self.floor != Floor::Free) && !ask.is_last() {
            return None;
        }
        self.waiting.pop_front();
        self.sent += 1;
        let name = format!("ask-{}", self.sent);
        self.in_flight = Some(InFlight { name: name.clone(), ask });
        Some((name, ask))
    }

    pub(super) fn caller_began(&mut self) {
        self.floor = Floor::Caller;
        // The caller takes the floor: there is no need any more to ask, or to explain the break.
        self.waiting.retain(|ask| !matches!(ask, Ask::StillThere | Ask::Resume | Ask::Continue));
    }

    pub(super) fn caller_ended(&mut self, server_answers: bool) {
        self.floor = if server_answers { Floor::Server } else { Floor::Free };
    }

    /// An answer began. `request` is the name it was asked for under, if the server tells.
    ///
    /// Gives the ask, and whether the answer is unwanted: it was asked for before the caller began to speak, or nothing is to be said.
    pub(super) fn began(&mut self, id: &str, request: Option<&str>) -> (Option<Ask>, bool) {
        let ours = self.in_flight.as_ref().is_some_and(|sent| match request {
            Some(name) => name == sent.name,
            None => self.floor != Floor::Server,
        });
        let ask = if ours { self.in_flight.take().map(|sent| sent.ask) } else { None };
        if ask.is_none() {
            if self.floor == Floor::Server {
                self.floor = Floor::Free;
            }
            self.waiting.retain(|ask| matches!(ask, Ask::Greeting) || ask.is_last());
        }
        let unwanted = match ask {
            Some(ask) => (self.on_hold || self.floor == Floor::Caller) && !ask.is_last(),
            None => self.on_hold,
        };
        if let (true, Some(Ask::Greeting)) = (unwanted, ask) {
            self.waiting.push_front(Ask::Greeting);
        }
        self.active = Some(Active { id: id.to_owned(), ask, discarded: unwanted });
        (ask, unwanted)
    }

    /// An answer is over; gives what was asked.
    pub(super) fn ended(&mut self, id: &str) -> Option<Ask> {
        let known = self.active.as_ref().is_some_and(|active| id.is_empty() || active.id == id);
        if known || self.active.is_none() {
            self.held = false;
        }
        if known { self.active.take().and_then(|active| active.ask) } else { None }
    }

    /// A request was refused; gives what was asked.
    pub(super) fn refused(&mut self, event_id: &str) -> Option<Ask> {
        let ours = self.in_flight.as_ref().is_some_and(|sent| sent.name == event_id);
        if ours { self.in_flight.take().map(|sent| sent.ask) } else { None }
    }

    /// Puts a request back to the front. Without a known active answer it waits for a nudge.
    pub(super) fn again(&mut self, ask: Ask, hold: bool) {
        self.held = hold;
        if !self.waiting.contains(&ask) {
            self.waiting.push_front(ask);
            self.waiting.truncate(MAX_ASKS);
        }
    }

    pub(super) fn has_active(&self) -> bool {
        self.active.is_some()
    }

    /// The active answer is to be heard no more; gives its id, once.
    pub(super) fn discard_active(&mut self) -> Option<&str> {
        let active = self.active.as_mut().filter(|active| !active.discarded)?;
        active.discarded = true;
        Some(&active.id)
    }

    pub(super) fn is_busy(&self) -> bool {
        self.active.is_some() || self.in_flight.is_some() || !self.waiting.is_empty()
    }

    /// Active, asked for, or begun by the server in a moment.
    pub(super) fn is_answering(&self) -> bool {
        self.active.is_some() || self.in_flight.is_some() || self.floor == Floor::Server
    }

    pub(super) fn nudge(&mut self) {
        self.held = false;
        self.floor = Floor::Free;
    }
}

#[cfg(test)]
mod tests {
    use super::Requests;
    use crate::upstream::Ask;

    #[test]
    fn pitfall_18_one_request_at_a_time() {
        let mut requests = Requests::default();
        requests.ask(Ask::Greeting);
        requests.ask(Ask::Answer);
        requests.ask(Ask::Answer);
        let (name, ask) = requests.next().unwrap();
        assert_eq!((name.as_str(), ask), ("ask-1", Ask::Greeting));
        assert_eq!(requests.next(), None, "in flight");
        assert_eq!(requests.began("r1", Some("ask-1")), (Some(Ask::Greeting), false));
        assert_eq!(requests.next(), None, "active");
        assert_eq!(requests.ended("r1"), Some(Ask::Greeting));
        assert_eq!(requests.next().unwrap().1, Ask::Answer);
        assert_eq!(requests.began("r2", Some("ask-2")), (Some(Ask::Answer), false));
        requests.ended("r2");
        assert_eq!(requests.next(), None, "each waits once");
    }

    #[test]
    fn pitfall_18_a_refused_request_comes_after_the_answer_it_crossed() {
        let mut requests = Requests::default();
        requests.ask(Ask::Greeting);
        let (name, _) = requests.next().unwrap();
        assert_eq!(requests.began("auto", None), (Some(Ask::Greeting), false), "no echo: taken for ours");
        requests.ended("auto");

        requests.ask(Ask::Answer);
        let (name2, _) = requests.next().unwrap();
        assert_ne!(name, name2);
        assert_eq!(requests.began("auto2", Some("somebody's")), (None, false));
        let ask = requests.refused(&name2).unwrap();
        requests.again(ask, false);
        assert_eq!(requests.next(), None);
        requests.ended("auto2");
        assert_eq!(requests.next().unwrap().1, Ask::Answer);
    }

    #[test]
    fn an_answer_by_itself_satisfies_what_waits() {
        let mut requests = Requests::default();
        requests.caller_began();
        requests.ask(Ask::Answer);
        requests.ask(Ask::Greeting);
        assert_eq!(requests.next(), None, "not into the caller's words");
        requests.caller_ended(true);
        assert_eq!(requests.next(), None, "the server answers by itself");
        assert_eq!(requests.began("auto", None), (None, false));
        requests.ended("auto");
        assert_eq!(requests.next().unwrap().1, Ask::Greeting);
        assert_eq!(requests.next(), None);
    }
}
