//! A1, A17, B2: the live rooms of two tenants. Whatever is done in either, whoever listens in one hears what happens there, and nothing
//! of the other; nor does anything that they hear depend on whether the other is there at all.
//!
//! `HubActor` with its sockets and its SQL runs in workerd alone, where the system's own tests ask it. Here its rules run
//! (`voicecore_domain::hub`: numbers, catching up, tickets), between the code that leads to a room: the route that gives tickets, the router's
//! look at them, the rows that say who may listen, and what says whose call it is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use axum::http::Method;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};
use voicecore_api::actors::{CallReply, HubCommand, HubEvent, HubReply};
use voicecore_api::live::{self, LIVE_PATH, LiveAccess};
use voicecore_api_types::LiveEnvelope;
use voicecore_call::{Interaction, InteractionKind, LiveEvent, Speaker};
use voicecore_conformance::block_on;
use voicecore_conformance::doubles::ActorName;
use voicecore_domain::hub::{CatchUp, LogBounds, TICKET_LIFETIME, Tickets, Watcher};
use voicecore_types::{CallId, TenantId};

use crate::messages::left_in;
use crate::world::{NOW, Tenant, World};

const NUMBERS: [&str; 2] = ["+15005550001", "+15005550002"];
/// What is said in the calls of each.
const WORDS: [&str; 2] = ["ALPHA", "BRAVO"];
const RESYNC: &str = "resync";

/// How somebody comes to the socket.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// With a ticket of their own.
    Ticket,
    /// With one that has opened a socket already.
    Used,
    /// With their own, on which the other tenant's id stands.
    Renamed,
    /// With their own, at the other tenant's room, past the router.
    OtherRoom,
}

#[derive(Debug, Clone)]
enum What {
    Calls,
    /// So many things happen in a call, in one message.
    Happens(Index, usize),
    /// A caller leaves word, which is a notification, too.
    Left(Index),
    /// Somebody steps into a call, of theirs or the other's.
    Intervenes {
        of_other: bool,
        call: Index,
    },
    /// Somebody opens a socket: a person or a program, who say that they know everything up to there.
    Opens {
        person: bool,
        after: Option<u64>,
        way: Way,
    },
}

fn what() -> impl Strategy<Value = What> {
    let way = prop::sample::select(vec![Way::Ticket, Way::Ticket, Way::Used, Way::Renamed, Way::OtherRoom]);
    prop_oneof![
        2 => Just(What::Calls),
        4 => (any::<Index>(), 1_usize..4).prop_map(|(call, count)| What::Happens(call, count)),
        1 => any::<Index>().prop_map(What::Left),
        2 => (any::<bool>(), any::<Index>()).prop_map(|(of_other, call)| What::Intervenes { of_other, call }),
        4 => (any::<bool>(), prop::option::of(0_u64..12), way)
            .prop_map(|(person, after, way)| What::Opens { person, after, way }),
    ]
}

/// What `HubActor` keeps and does, without its storage.
#[derive(Default)]
struct Room {
    bounds: LogBounds,
    log: BTreeMap<u64, String>,
    tickets: Tickets,
    sockets: Vec<Vec<String>>,
}

type Rooms = Arc<Mutex<BTreeMap<TenantId, Room>>>;

impl Room {
    fn command(&mut self, command: HubCommand) -> HubReply {
        match command {
            HubCommand::Publish { call_id, events } => {
                let first = self.bounds.append(events.len() as u64);
                for (seq, HubEvent { at, event }) in (first..).zip(events) {
                    let event = serde_json::to_value(&event).unwrap();
                    let message = serde_json::to_string(&LiveEnvelope { seq, at, call_id, event }).unwrap();
                    self.log.insert(seq, message.clone());
                    self.sockets.iter_mut().for_each(|socket| socket.push(message.clone()));
                }
                HubReply::Published { seq: self.bounds.last() }
            }
            HubCommand::Ticket { ticket_hash, watcher } => {
                match self.tickets.issue(NOW, ticket_hash, watcher) {
                    Ok(()) => HubReply::TicketIssued { expires_at: NOW.plus(TICKET_LIFETIME) },
                    Err(_) => HubReply::TooManyTickets,
                }
            }
            HubCommand::LookAgain => HubReply::Accepted,
            HubCommand::Erase => HubReply::Erased,
        }
    }

    fn open(&mut self, after: Option<u64>) {
        self.sockets.push(match self.bounds.catch_up(after) {
            CatchUp::Resync { .. } => vec![RESYNC.to_owned()],
            CatchUp::Events { from, to } if from > to => vec![],
            CatchUp::Events { from, .. } => {
                self.log.range(from..).map(|(_, message)| message.clone()).collect()
            }
        });
    }
}

/// One of the two, as the test knows it.
struct Side {
    tenant: Tenant,
    id: TenantId,
    person: String,
    calls: Vec<CallId>,
    /// What has happened in its calls, in order: the first has the number 1.
    happened: Vec<(CallId, String)>,
    /// The messages that were left.
    left: BTreeSet<String>,
    /// A ticket that has been used.
    used: Option<String>,
    watchers: Vec<Watcher>,
    /// Of each socket: what had happened when it was opened, and from where on it was asked for.
    opened: Vec<(usize, Option<u64>)>,
    /// What its people and programs were answered.
    answers: Vec<u16>,
}

struct Play {
    world: World,
    rooms: Rooms,
    sides: [Side; 2],
    rung: u32,
}

impl Play {
    fn new() -> Self {
        let world = World::new();
        let rooms = Rooms::default();
        let asked = Arc::clone(&rooms);
        world.doubles.actors.answer_with(move |name, command| match name {
            ActorName::Call(_) => Ok(serde_json::to_value(CallReply::Accepted).unwrap()),
            ActorName::Hub(tenant) => {
                let command = serde_json::from_value(command.clone()).unwrap();
                let reply = asked.lock().unwrap().entry(tenant).or_default().command(command);
                Ok(serde_json::to_value(reply).unwrap())
            }
        });
        let sides = [0, 1].map(|n| {
            let tenant = world.tenant(NUMBERS[n]);
            let email = format!("viewer{n}@example.com");
            world.user(&tenant.id, &email, "viewer");
            Side {
                id: tenant.id.parse().unwrap(),
                person: world.login(&email),
                tenant,
                calls: vec![],
                happened: vec![],
                left: BTreeSet::new(),
                used: None,
                watchers: vec![],
                opened: vec![],
                answers: vec![],
            }
        });
        Self { world, rooms, sides, rung: 0 }
    }

    fn step(&mut self, n: usize, what: &What) -> Result<(), TestCaseError> {
        match what {
            What::Calls => {
                self.rung += 1;
                let call = self.world.call(&self.sides[n].tenant, self.rung).1;
                self.sides[n].calls.push(call);
            }
            What::Happens(call, count) => {
                if let Some(call) = self.pick(n, *call) {
                    let texts = (0..*count).map(|k| format!("{} {k}", WORDS[n])).collect();
                    self.publish(call, texts);
                }
            }
            What::Left(call) => {
                if let Some(call) = self.pick(n, *call) {
                    let message = left_in(&self.world, call, &format!("{} was here", WORDS[n]));
                    self.sides[n].left.insert(message);
                }
            }
            What::Intervenes { of_other, call } => self.intervene(n, *of_other, *call)?,
            What::Opens { person, after, way } => self.comes(n, *person, *after, *way)?,
        }
        Ok(())
    }

    fn pick(&self, n: usize, call: Index) -> Option<CallId> {
        let calls = &self.sides[n].calls;
        (!calls.is_empty()).then(|| *call.get(calls))
    }

    /// A call's actor tells the hub of whoever the call belongs to.
    fn publish(&mut self, call_id: CallId, texts: Vec<String>) {
        let tenant = block_on(live::load_call(&self.world.app, call_id)).unwrap().tenant_id;
        let said = |text: &String| {
            let interaction = Interaction {
                seq: 1,
                speaker: Speaker::Caller,
                kind: InteractionKind::Speech,
                text: text.clone(),
                start_ms: 0,
                end_ms: 1,
                cut_at_ms: None,
                estimated: false,
                latency_ms: None,
            };
            HubEvent { at: NOW, event: LiveEvent::Interaction(interaction) }
        };
        let command = HubCommand::Publish { call_id, events: texts.iter().map(said).collect() };
        self.rooms.lock().unwrap().entry(tenant).or_default().command(command);
        let side = self.sides.iter_mut().find(|side| side.calls.contains(&call_id)).unwrap();
        side.happened.extend(texts.into_iter().map(|text| (call_id, text)));
    }

    /// The other's call is as one that nobody has; what comes through is said in the call's own room.
    fn intervene(&mut self, n: usize, of_other: bool, call: Index) -> Result<(), TestCaseError> {
        let nobodys = CallId::new(NOW, &[9; 10]);
        let call = match self.pick(if of_other { 1 - n } else { n }, call) {
            Some(call) => call,
            None if of_other => nobodys,
            None => return Ok(()),
        };
        self.world.doubles.actors.commands();
        let body = json!({"action": "message", "text": format!("{} says", WORDS[n])});
        let target = format!("/api/v1/calls/{call}/intervene");
        let reply = self.world.request(Method::POST, &target, Some(&self.sides[n].tenant.key), Some(&body));
        self.sides[n].answers.push(reply.status.as_u16());
        let told = self.world.doubles.actors.commands();
        prop_assert_eq!(
            told.iter().map(|(name, _)| *name == ActorName::Call(call)).collect::<Vec<_>>(),
            if of_other { vec![] } else { vec![true] }
        );
        if !told.is_empty() {
            self.publish(call, vec![format!("{} says", WORDS[n])]);
        }
        Ok(())
    }

    fn comes(&mut self, n: usize, person: bool, after: Option<u64>, way: Way) -> Result<(), TestCaseError> {
        let side = &self.sides[n];
        let who = if person { &side.person } else { &side.tenant.key };
        let reply = self.world.post("/api/v1/live/tickets", who);
        self.sides[n].answers.push(reply.status.as_u16());
        let fresh = reply.json()["ticket"].as_str().unwrap().to_owned();
        let (ours, theirs) = (&self.sides[n].tenant.id, &self.sides[1 - n].tenant.id);
        let ticket = match way {
            Way::Ticket | Way::OtherRoom => fresh,
            Way::Used => match self.sides[n].used.clone() {
                Some(used) => used,
                None => return Ok(()),
            },
            Way::Renamed => fresh.replace(ours, theirs),
        };
        let after_said = after.map(|after| format!("&after={after}")).unwrap_or_default();
        let address = format!("{LIVE_PATH}?ticket={ticket}{after_said}");
        let access = live::authorize_live(&self.world.app.config, &address);
        if matches!(way, Way::Renamed) {
            prop_assert!(access.is_err(), "a room is woken by a ticket that was not given");
            // Whoever came past the router finds a room that does not know it.
            let access = live::open_ticket(&address).unwrap();
            prop_assert_eq!(self.enters(&access), None);
            return Ok(());
        }
        let access = access.unwrap();
        prop_assert_eq!(access.tenant_id, self.sides[n].id);
        if matches!(way, Way::OtherRoom) {
            let there = LiveAccess { tenant_id: self.sides[1 - n].id, ..access };
            prop_assert_eq!(self.enters(&there), None);
            return Ok(());
        }
        let entered = self.enters(&access);
        prop_assert_eq!(entered.is_some(), matches!(way, Way::Ticket));
        if let Some(watcher) = entered {
            let side = &mut self.sides[n];
            side.watchers.push(watcher);
            side.opened.push((side.happened.len(), after));
            side.used = Some(ticket);
        }
        Ok(())
    }

    /// As `HubActor::subscribe`: whose ticket it was, if it opens.
    fn enters(&self, access: &LiveAccess) -> Option<Watcher> {
        let mut rooms = self.rooms.lock().unwrap();
        let room = rooms.entry(access.tenant_id).or_default();
        let watcher = room.tickets.redeem(NOW, &access.ticket_hash)?;
        let may = block_on(live::may_listen(&self.world.app, access.tenant_id, &[watcher])).unwrap();
        may.contains(&watcher).then(|| room.open(access.after))?;
        Some(watcher)
    }

    /// What each socket of this side heard: number, place of the call among its own, text.
    fn heard(&self, n: usize) -> Result<Vec<Vec<String>>, TestCaseError> {
        let side = &self.sides[n];
        let rooms = self.rooms.lock().unwrap();
        let sockets = rooms.get(&side.id).map_or(&[][..], |room| &room.sockets);
        let mut heard = Vec::new();
        for socket in sockets {
            let mut said = Vec::new();
            for message in socket {
                prop_assert!(
                    !message.contains(WORDS[1 - n]) && !message.contains(&self.sides[1 - n].tenant.id)
                );
                if message == RESYNC {
                    said.push(RESYNC.to_owned());
                    continue;
                }
                let event: Value = serde_json::from_str(message).unwrap();
                let call = event["call_id"].as_str().unwrap();
                let place = side.calls.iter().position(|own| own.to_string() == call);
                prop_assert!(place.is_some(), "a call of somebody else's: {message}");
                said.push(format!("{} {:?} {}", event["seq"], place, event["event"]["text"]));
            }
            heard.push(said);
        }
        Ok(heard)
    }

    /// What each should have heard, by what has happened in this side's own calls alone.
    fn should_hear(&self, n: usize) -> Vec<Vec<String>> {
        let side = &self.sides[n];
        let place = |call: &CallId| side.calls.iter().position(|own| own == call);
        let all =
            (1..).zip(&side.happened).map(|(seq, (call, text))| format!("{seq} {:?} {text:?}", place(call)));
        let all: Vec<_> = all.collect();
        let of = |&(before, after): &(usize, Option<u64>)| match after
            .map(|after| usize::try_from(after).unwrap())
        {
            Some(after) if after > before => [&[RESYNC.to_owned()], &all[before..]].concat(),
            Some(after) => all[after..].to_vec(),
            None => all[before..].to_vec(),
        };
        side.opened.iter().map(of).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a01_a17_b02_rooms_of_two_tenants_know_nothing_of_each_other(
        steps in prop::collection::vec((0_usize..2, what()), 4..40),
        one in 0_usize..2,
    ) {
        let mut both = Play::new();
        for (n, what) in &steps {
            both.step(*n, what)?;
        }
        for n in 0..2 {
            prop_assert_eq!(both.heard(n)?, both.should_hear(n));
            // They may go on listening there, and nobody else may.
            let everybody = [both.sides[0].watchers.clone(), both.sides[1].watchers.clone()].concat();
            let may = block_on(live::may_listen(&both.world.app, both.sides[n].id, &everybody)).unwrap();
            prop_assert_eq!(may, both.sides[n].watchers.iter().copied().collect());
            let list = both.world.get("/api/v1/notifications?page_size=100", &both.sides[n].person).json();
            let of = list["items"].as_array().unwrap().iter();
            let of: BTreeSet<_> = of.map(|item| item["subject_id"].as_str().unwrap().to_owned()).collect();
            prop_assert_eq!(&of, &both.sides[n].left);
        }
        // The same without the other: nothing that is heard or answered is another.
        let mut alone = Play::new();
        for (_, what) in steps.iter().filter(|(of, _)| *of == one) {
            alone.step(one, what)?;
        }
        prop_assert_eq!(alone.heard(one)?, both.heard(one)?);
        prop_assert_eq!(&alone.sides[one].answers, &both.sides[one].answers);
    }
}
