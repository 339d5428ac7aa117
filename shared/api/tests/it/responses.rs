//! Every response of the OpenAPI document occurs here: for each operation each status that it names, by a request that differs
//! from a good one (`requests`) in what that status is about. What another status would be is found by `documented`, which looks at
//! every answer to any test of this program; so the document has all that is answered, and nothing else.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::http::{Method, header};
use axum::response::IntoResponse as _;
use serde_json::{Value, json};
use voicecore_api::actors::HubReply;
use voicecore_api::{MAX_BODY_BYTES, live};
use voicecore_conformance::doubles::MemoryRateLimits;
use voicecore_domain::rate_limits::OF_ALL_STRANGERS;

use crate::keyed::NEW_NUMBER;
use crate::phone_numbers::owned;
use crate::requests::{Ask, Operation, Site, Who, operations};
use crate::world::{Fault, PASSWORD, Reply, World};

/// What only a platform with sockets can answer.
const ELSEWHERE: [(&str, &str); 2] = [
    ("GET /api/v1/live", "101"), // tests/e2e, `live::run`: the upgrade is the adapter's, the socket the hub's
    ("GET /api/v1/live", "503"), // tests/e2e, `access::unknown`: the hub cannot ask who may listen
];
const NOBODY: &str = "00000000-0000-7000-8000-000000000000";
const TICKETS: &str = "/api/v1/live/tickets";
/// More tries to sign in than anybody has.
const MANY_TRIES: usize = 50;

/// Which responses have been seen: operation and status.
#[derive(Default)]
struct Seen(BTreeSet<(String, String)>);

impl Seen {
    fn note(&mut self, operation: &str, reply: &Reply) {
        self.0.insert((operation.to_owned(), reply.status.as_str().to_owned()));
    }

    /// What is one operation's own.
    #[track_caller]
    fn expect(&mut self, operation: &str, status: u16, reply: &Reply) {
        assert_eq!(reply.status, status, "{operation}: {}", reply.body);
        self.note(operation, reply);
    }
}

#[test]
fn every_response_of_the_document_occurs() {
    let site = Site::new();
    let mut operations = operations();
    let mut seen = Seen::default();
    let few = site.world.restarted(&[("RATE_LIMIT_PER_MIN", "1")]);
    for operation in &operations {
        for status in &operation.statuses {
            if let Some(reply) = refused(&site, &few, operation, status) {
                seen.note(&operation.name, &reply);
            }
        }
    }
    // What is read was made before, and is deleted afterwards.
    operations
        .sort_by_key(|operation| [Method::GET, Method::DELETE].iter().position(|m| *m == operation.method));
    for operation in &operations {
        for reply in done(&site, operation) {
            seen.note(&operation.name, &reply);
        }
    }
    signing_in(&site, &mut seen);
    pages(&site, &mut seen);
    installation(&site, &mut seen);
    sockets(&site, &mut seen);

    let documented = operations.iter().flat_map(|operation| {
        operation.statuses.iter().map(|status| (operation.name.clone(), status.clone()))
    });
    let documented: BTreeSet<_> = documented.collect();
    let elsewhere = ELSEWHERE.map(|(operation, status)| (operation.to_owned(), status.to_owned()));
    let missing: BTreeSet<_> = documented.difference(&seen.0).cloned().collect();
    assert_eq!(missing, elsewhere.into(), "documented, but never answered; or answered here after all");
}

/// A request that is to be answered with this status, which is one of many operations; `None` for others.
fn refused(site: &Site, few: &World, operation: &Operation, status: &str) -> Option<Reply> {
    let world = &site.world;
    let mut ask = site.asks.get(&operation.name).unwrap_or_else(|| panic!("{}", operation.name)).clone();
    match (status, operation.who) {
        ("401", Who::Anybody) => return None,
        ("429", Who::Anybody) => return Some(too_often(few, &ask)),
        ("500", _) => return failing(world, &ask, Fault::Broken, 500),
        ("503", _) => return failing(world, &ask, Fault::Away, 503),
        ("401", _) => drop(ask.headers.remove(header::AUTHORIZATION)),
        ("403", Who::Permitted) => ask = ask.by(&site.powerless),
        ("403", Who::Operator) => ask = ask.by(&site.tenant.key),
        ("403", Who::Member) => ask = ask.by(&site.suspended),
        ("409", Who::Member) => ask = ask.by(&site.root),
        ("409", Who::Permitted) => {
            // Somebody else takes the same key at the same moment. Whoever asks for a number has it.
            owned(world, NEW_NUMBER, "");
            ask.set("idempotency-key", "contended");
            world.db.rival(true);
        }
        ("400", _) if operation.is_change() => ask.set("idempotency-key", ""),
        ("400", _) => ask.target = format!("{}?nonsense=1", path_of(&ask)),
        ("404", _) => ask.target = nobodys(operation, &ask.target)?,
        ("412", _) => ask.set("if-match", "\"999999\""),
        ("413", _) => {
            ask.set("idempotency-key", "large");
            ask.body = "x".repeat(MAX_BODY_BYTES + 1);
        }
        ("415", _) => ask.set("content-type", "text/xml"),
        ("422", _) if operation.takes.as_deref() == Some("application/json") => {
            "[]".clone_into(&mut ask.body);
        }
        ("422", _) if !operation.query.is_empty() => return wrong_parameter(world, operation, &ask),
        ("428", _) => {
            // It is there.
            ask.send(world);
            ask.headers.remove(header::IF_MATCH);
        }
        ("429", _) => {
            ask.send(few);
            return Some(ask.send(few));
        }
        _ => return None,
    }
    let reply = ask.send(world);
    world.db.rival(false);
    Some(reply)
}

/// Asked without what it needs until a stranger is told to wait; nothing of it has been done.
fn too_often(few: &World, ask: &Ask) -> Reply {
    let mut idle = Ask { body: String::new(), ..ask.clone() };
    idle.headers.remove(header::COOKIE);
    let few = few.counted_by(Arc::new(MemoryRateLimits::new(few.doubles.clock.clone())), 1);
    let mut replies = (0..=OF_ALL_STRANGERS).map(|_| idle.send(&few));
    let refused = replies.find(|reply| reply.status == 429).unwrap_or_else(|| panic!("{}", ask.target));
    refused.assert_problem(429, "rate_limited");
    refused
}

/// The database fails as soon as it is known who asks, or at once where it is asked for nothing else.
fn failing(world: &World, ask: &Ask, fault: Fault, status: u16) -> Option<Reply> {
    let mut replies = [1, 0].into_iter().map(|after| {
        world.db.fails(Some((after, fault)));
        let reply = ask.send(world);
        world.db.fails(None);
        reply
    });
    replies.find(|reply| reply.status == status)
}

fn path_of(ask: &Ask) -> &str {
    ask.target.split('?').next().unwrap()
}

/// The same address with ids of nothing.
fn nobodys(operation: &Operation, target: &str) -> Option<String> {
    if !operation.path.contains('{') {
        return None;
    }
    let parts = operation.path.split('/').zip(target.split('/')).map(|(template, given)| match template {
        "{number}" => "999",
        "{provider}" => "nobody",
        template if template.starts_with('{') => NOBODY,
        _ => given,
    });
    Some(parts.collect::<Vec<_>>().join("/"))
}

/// Of the parameters the first that does not take a zero, as a number or as a character.
fn wrong_parameter(world: &World, operation: &Operation, ask: &Ask) -> Option<Reply> {
    let path = path_of(ask);
    let queries = operation.query.iter().flat_map(|name| [format!("{name}=0"), format!("{name}=%00")]);
    let mut replies =
        queries.map(|query| Ask { target: format!("{path}?{query}"), ..ask.clone() }.send(world));
    replies.find(|reply| reply.status == 422)
}

/// The good request; and the same once more, where its key then is that of another.
fn done(site: &Site, operation: &Operation) -> Vec<Reply> {
    let mut ask = site.asks[&operation.name].clone();
    if operation.is_change() {
        ask.set("idempotency-key", "good");
    }
    owned(&site.world, NEW_NUMBER, "");
    let good = ask.send(&site.world);
    let is_good = good.status.is_success() || operation.name == "GET /api/v1/live";
    assert!(is_good, "{}: {} {}", operation.name, good.status, good.body);
    if operation.who != Who::Permitted || !operation.is_change() {
        return vec![good];
    }
    ask.headers.remove(header::IF_MATCH);
    vec![good, ask.send(&site.world)]
}

fn zeros(prefix: &str) -> String {
    format!("{prefix}_{}", "0".repeat(64))
}

/// What tokens, passwords and cookies are answered.
fn signing_in(site: &Site, seen: &mut Seen) {
    let world = &site.world;
    let post = |target: &str, body: &Value| world.request(Method::POST, target, None, Some(body));
    let mut tries = (0..MANY_TRIES).map(|_| world.try_login("nobody@example.com", "wrong", &[]));
    seen.expect("POST /api/v1/auth/login", 401, &tries.next().unwrap());
    let throttled = tries.find(|reply| reply.status != 401).unwrap();
    seen.expect("POST /api/v1/auth/login", 429, &throttled);
    let refresh = world.request(Method::POST, "/api/v1/auth/refresh", None, None);
    seen.expect("POST /api/v1/auth/refresh", 401, &refresh);
    for (target, prefix) in
        [("/api/v1/auth/accept-invitation", "vci"), ("/api/v1/auth/reset-password", "vcp")]
    {
        let refused = post(target, &json!({"token": zeros(prefix), "password": PASSWORD}));
        seen.expect(&format!("POST {target}"), 403, &refused);
    }
    for (token, status) in [(zeros("vcs"), 403), (world.setup_token().expose().to_owned(), 409)] {
        let claim = json!({"token": token, "tenant_name": "T", "business_name": "B", "phone_number": site.tenant.number});
        seen.expect("POST /api/v1/setup/claim", status, &post("/api/v1/setup/claim", &claim));
    }
    let elsewhere = Ask {
        body: json!({"tenant_id": NOBODY}).to_string(),
        ..site.asks["POST /api/v1/auth/tenant"].clone()
    };
    seen.expect("POST /api/v1/auth/tenant", 404, &elsewhere.send(world));
}

/// The same in forms.
fn pages(site: &Site, seen: &mut Seen) {
    let world = &site.world;
    let fresh = world.setup_token();
    let names = [("tenant_name", "T"), ("business_name", "B"), ("phone_number", site.tenant.number.as_str())];
    for (token, status) in [(zeros("vcs").as_str(), 403), (fresh.expose(), 409)] {
        let fields: Vec<_> = names.into_iter().chain([("token", token)]).collect();
        seen.expect("POST /setup", status, &world.form("/setup", &fields, None));
    }
    seen.expect("POST /setup", 422, &world.form("/setup", &[("token", fresh.expose())], None));
    for (page, prefix) in [("/invitation", "vci"), ("/reset-password", "vcp")] {
        for (password, status) in [(PASSWORD, 403), ("short", 422)] {
            let fields = [("token", &*zeros(prefix)), ("password", password)];
            seen.expect(&format!("POST {page}"), status, &world.form(page, &fields, None));
        }
    }
}

/// What those are answered who run the installation.
fn installation(site: &Site, seen: &mut Seen) {
    let world = &site.world;
    let ask = |method: Method, target: &str, body: Option<&Value>| {
        world.request(method, target, Some(&site.root), body)
    };
    let nobody = ask(Method::GET, "/api/v1/accounts?email=nobody@example.com", None);
    seen.expect("GET /api/v1/accounts", 404, &nobody);
    let taken = json!({"name": "N", "owner_email": "n@example.com", "phone_number": site.tenant.number});
    seen.expect("POST /api/v1/tenants", 409, &ask(Method::POST, "/api/v1/tenants", Some(&taken)));
    for action in ["resume", "impersonate"] {
        let reply = ask(Method::POST, &format!("/api/v1/tenants/{}/{action}", site.deleted.id), None);
        seen.expect(&format!("POST /api/v1/tenants/{{id}}/{action}"), 409, &reply);
    }
    let oneself = ask(Method::POST, &format!("/api/v1/accounts/{}/deactivate", site.root_id), None);
    seen.expect("POST /api/v1/accounts/{id}/deactivate", 409, &oneself);
}

/// What is answered of the live stream; at last by a platform without sockets.
fn sockets(site: &Site, seen: &mut Seen) {
    let world = &site.world;
    world.doubles.actors.answer_with(|_, _| Ok(serde_json::to_value(HubReply::TooManyTickets).unwrap()));
    seen.expect("POST /api/v1/live/tickets", 409, &world.post(TICKETS, &site.tenant.key));
    world.doubles.actors.remove();
    seen.expect("POST /api/v1/live/tickets", 501, &world.post(TICKETS, &site.tenant.key));
    // An upgrade without a ticket: adapters send this as it is.
    let refusal = live::open_ticket(live::LIVE_PATH).unwrap_err().into_response();
    assert_eq!(refusal.headers()[header::CONTENT_TYPE], "application/problem+json");
    seen.0.insert(("GET /api/v1/live".to_owned(), refusal.status().as_str().to_owned()));
}
