//! Nothing of another tenant is read, changed, counted or inferable.

use axum::http::Method;
use proptest::prelude::*;
use serde_json::{Value, json};
use voicecore_api::actors::CallReply;
use voicecore_api::live;
use voicecore_call::ToolCall;
use voicecore_conformance::block_on;
use voicecore_types::{CallId, Millis};

use crate::search::finish;
use crate::world::{NOW, Tenant, World};

const NUMBERS: [&str; 3] = ["+15005550001", "+15005550002", "+15005550003"];

/// Ways to ask, see `a01_tenant_isolation_over_http`.
const ROUTES: usize = 18;

/// What one tenant's callers do.
#[derive(Debug, Clone)]
struct Traffic {
    calls: u32,
    messages: u32,
}

/// What somebody asks for with somebody's key.
#[derive(Debug, Clone)]
struct Ask {
    who: usize,
    whose: usize,
    call: u32,
    route: usize,
    page_size: u32,
}

fn traffic() -> impl Strategy<Value = Vec<Traffic>> {
    prop::collection::vec(
        (0..4_u32, 0..3_u32).prop_map(|(calls, messages)| Traffic { calls, messages }),
        NUMBERS.len(),
    )
}

fn ask() -> impl Strategy<Value = Ask> {
    (0..NUMBERS.len(), 0..NUMBERS.len(), 0..4_u32, 0..ROUTES, 1..=100_u32)
        .prop_map(|(who, whose, call, route, page_size)| Ask { who, whose, call, route, page_size })
}

struct Owned {
    tenant: Tenant,
    calls: Vec<CallId>,
    messages: u32,
}

fn set_up(world: &World, traffic: &[Traffic]) -> Vec<Owned> {
    let mut sid = 0;
    NUMBERS
        .iter()
        .zip(traffic)
        .map(|(number, traffic)| {
            let tenant = world.tenant(number);
            let calls: Vec<CallId> = (0..traffic.calls)
                .map(|_| {
                    sid += 1;
                    world.call(&tenant, sid).1
                })
                .collect();
            let messages = if calls.is_empty() { 0 } else { traffic.messages };
            for n in 0..messages {
                let setup = block_on(live::load_call(&world.app, calls[0])).unwrap();
                let arguments = json!({"message": format!("for {}", tenant.id)}).to_string();
                let call = ToolCall {
                    tool_call_id: format!("call_{n}"),
                    name: "take_message".to_owned(),
                    arguments,
                };
                block_on(live::run_tool(&world.app, &setup, &call));
            }
            // The first call is over, and words were said in it.
            if let Some(first) = calls.first() {
                finish(world, *first, 1, &["Good morning.", "Where is my parcel?", "On its way."]);
            }
            Owned { tenant, calls, messages }
        })
        .collect()
}

/// Every row but what asking leaves behind on purpose.
fn rows(world: &World) -> Value {
    let rows = world.sql("select id, tenant_id, status, ended_at, finished_at from calls order by id").rows;
    let notes = world.sql("select id, tenant_id, call_id, body from call_notes order by id").rows;
    let businesses = world.sql("select * from businesses order by id").rows;
    let rows = rows.iter().chain(&notes).chain(&businesses);
    json!(rows.map(|row| format!("{row:?}")).collect::<Vec<_>>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a01_tenant_isolation_over_http(traffic in traffic(), asks in prop::collection::vec(ask(), 1..12)) {
        let world = World::new();
        let owned = set_up(&world, &traffic);
        world.doubles.actors.answer_with(|_, command| {
            let transcript = CallReply::Transcript { interactions: vec![], complete: false };
            let asked = command["command"] == "transcript";
            Ok(serde_json::to_value(if asked { transcript } else { CallReply::Accepted }).unwrap())
        });
        let nobodys = "00000000-0000-7000-8000-000000000000".to_owned();
        for ask in asks {
            let (mine, theirs) = (&owned[ask.who], &owned[ask.whose]);
            let key = mine.tenant.key.as_str();
            let id = theirs.calls.get(ask.call as usize).map_or_else(|| nobodys.clone(), ToString::to_string);
            let is_mine = ask.who == ask.whose && id != nobodys;
            match ask.route {
                0 => {
                    let list = world.get(&format!("/api/v1/calls?page_size={}", ask.page_size), key).json();
                    prop_assert_eq!(&list["total"], &json!(mine.calls.len()));
                    for call in list["items"].as_array().unwrap() {
                        prop_assert!(mine.calls.iter().any(|id| call["id"] == id.to_string()));
                    }
                }
                1 => {
                    // Another tenant's business filters to nothing, as does one that is not there.
                    let target = format!("/api/v1/calls?business_id={}", theirs.tenant.business_id);
                    let expected = if ask.who == ask.whose { mine.calls.len() } else { 0 };
                    prop_assert_eq!(&world.get(&target, key).json()["total"], &json!(expected));
                }
                2 => {
                    let list = world.get(&format!("/api/v1/messages?page_size={}", ask.page_size), key).json();
                    prop_assert_eq!(&list["total"], &json!(mine.messages));
                    for message in list["items"].as_array().unwrap() {
                        prop_assert_eq!(&message["text"], &json!(format!("for {}", mine.tenant.id)));
                    }
                }
                3 => {
                    let sort = ["newest", "oldest", "longest", "shortest"][ask.call as usize];
                    let list = world.get(&format!("/api/v1/calls?q=parcel&sort={sort}"), key).json();
                    prop_assert_eq!(&list["total"], &json!(mine.calls.len().min(1)));
                    for call in list["items"].as_array().unwrap() {
                        prop_assert_eq!(&call["id"], &mine.calls[0].to_string());
                    }
                    let words = format!("/api/v1/calls?q=parcel&business_id={}", theirs.tenant.business_id);
                    let expected = if ask.who == ask.whose { mine.calls.len().min(1) } else { 0 };
                    prop_assert_eq!(&world.get(&words, key).json()["total"], &json!(expected));
                }
                4 => {
                    // Where another's page ended, one's own goes on.
                    let page = world.get("/api/v1/calls?page_size=1", &theirs.tenant.key).json();
                    let cursor = page["next_cursor"].as_str().map_or_else(String::new, |c| format!("?cursor={c}"));
                    let list = world.get(&format!("/api/v1/calls{cursor}"), key).json();
                    prop_assert_eq!(&list["total"], &json!(mine.calls.len()));
                    for call in list["items"].as_array().unwrap() {
                        prop_assert!(mine.calls.iter().any(|id| call["id"] == id.to_string()));
                    }
                }
                route @ (5 | 6) => {
                    let all = mine.calls.len();
                    let business = &theirs.tenant.business_id;
                    for (query, expected) in [
                        (String::new(), all),
                        (format!("&business_id={business}"), if ask.who == ask.whose { all } else { 0 }),
                    ] {
                        let until = format!("until={}{query}", NOW.plus(Millis::from_secs(60)).0);
                        if route == 5 {
                            let found = world.get(&format!("/api/v1/analytics/overview?{until}"), key).json();
                            prop_assert_eq!(&found["total"]["calls"], &json!(expected));
                            prop_assert_eq!(&found["answer_latency"]["turns"], &json!(expected.min(1)));
                        } else {
                            let found = world.get(&format!("/api/v1/analytics/call-volume?{until}"), key).json();
                            let points = found["points"].as_array().unwrap();
                            let sum: u64 = points.iter().map(|point| point["calls"].as_u64().unwrap()).sum();
                            prop_assert_eq!(sum, expected as u64, "{}", found);
                            let known: Vec<_> = found["businesses"].as_array().unwrap().iter()
                                .map(|item| item["business_id"].as_str().unwrap()).collect();
                            prop_assert!(known.iter().all(|id| *id == mine.tenant.business_id), "{:?}", known);
                        }
                    }
                }
                7 => {
                    let list = world.get("/api/v1/config/business", key).json();
                    prop_assert_eq!(&list["total"], &json!(1));
                    prop_assert_eq!(&list["items"][0]["id"], &mine.tenant.business_id);
                }
                route => {
                    let hours = json!({"time_zone": "Europe/Berlin", "opening_hours": ["monday 09:00-17:30"]});
                    let (call, business) = (format!("/api/v1/calls/{id}"), &theirs.tenant.business_id);
                    let (method, target, body) = match route {
                        8 => (Method::GET, call, None),
                        9 => (Method::GET, format!("{call}/interactions"), None),
                        10 => (Method::GET, format!("{call}/interactions?q=parcel"), None),
                        11 => (Method::GET, format!("{call}/notes"), None),
                        12 => (Method::POST, format!("{call}/notes"), Some(json!({"body": "Ring back"}))),
                        13 => (Method::GET, format!("{call}/transcript"), None),
                        14 => (Method::GET, format!("/api/v1/config/business/{business}"), None),
                        15 => (Method::PUT, format!("/api/v1/businesses/{business}/opening-hours"), Some(hours)),
                        16 => (Method::POST, format!("{call}/intervene"), Some(json!({"action": "pause"}))),
                        _ => (Method::POST, format!("{call}/end"), None),
                    };
                    let of_business = [14, 15].contains(&route);
                    let is_mine = if of_business { ask.who == ask.whose } else { is_mine };
                    let named = if of_business { business } else { &id };
                    let before = rows(&world);
                    world.commands();
                    let reply = world.request(method.clone(), &target, Some(key), body.as_ref());
                    if is_mine {
                        // Into a call that is over nobody steps.
                        let over = route == 16 && reply.status == 409;
                        prop_assert!(over || reply.status.is_success(), "{} {}", reply.status, reply.body);
                    } else {
                        // What is another's looks like what is not there, and nobody was bothered.
                        reply.assert_problem(404, "not_found");
                        let target = target.replace(named.as_str(), &nobodys);
                        let absent = world.request(method, &target, Some(key), body.as_ref());
                        prop_assert_eq!(&reply.body, &absent.body);
                        prop_assert!(world.commands().is_empty());
                        prop_assert_eq!(rows(&world), before);
                    }
                }
            }
        }
        // Whatever was asked for, audit rows are only of those who asked for their own.
        let audits = world.sql(
            "select a.id from audit_log a where a.action = 'call.end'
             and not exists (select 1 from calls c where c.id = a.subject_id and c.tenant_id = a.tenant_id)",
        );
        prop_assert!(audits.rows.is_empty());
    }
}
