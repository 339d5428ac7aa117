//! The API: calls, messages, live tickets, authentication, health.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{Method, Request, header};
use http_body::Frame;
use serde_json::{Value, json};
use voicecore_api::actors::{CallReply, HubReply};
use voicecore_api::live;
use voicecore_api::{MAX_DROPPED_BYTES, REQUEST_ID};
use voicecore_conformance::doubles::ActorName;
use voicecore_ports::{HttpError, HttpResponse};
use voicecore_types::Millis;

use crate::world::{ACCOUNT, CALLER, World, incoming};

const NUMBER: &str = "+15005550006";

fn ids(page: &Value) -> Vec<String> {
    page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn calls_are_listed_filtered_and_paged() {
    let world = World::new();
    let tenant = world.tenant(NUMBER);
    world.actors_reply(CallReply::Accepted);
    let mut calls = Vec::new();
    for n in 1..=5 {
        calls.push(world.call(&tenant, n));
        world.doubles.clock.advance(Millis(1_000));
    }
    let other = format!("CA{:032x}", 6);
    let mut parameters = incoming(&other, NUMBER);
    parameters[4].1 = "+15005550222";
    world.webhook("/webhooks/twilio/voice", &parameters);
    let done = [("CallSid", calls[0].0.as_str()), ("AccountSid", ACCOUNT), ("CallStatus", "completed")];
    world.webhook("/webhooks/twilio/status", &done);

    let list = |query: &str| world.get(&format!("/api/v1/calls?{query}"), &tenant.key).json();
    let newest = list("");
    assert_eq!(
        (&newest["total"], &newest["total_capped"], &newest["page_size"]),
        (&json!(6), &json!(false), &json!(50))
    );
    let by_age: Vec<String> = calls.iter().map(|(_, id)| id.to_string()).collect();
    assert_eq!(ids(&list("sort=oldest"))[..5], by_age);
    let second = list("page=2&page_size=2&sort=oldest");
    assert_eq!((ids(&second), &second["page"]), (by_age[2..4].to_vec(), &json!(2)));
    assert_eq!(ids(&list("status=completed")), by_age[..1]);
    assert_eq!(list("status=ringing")["total"], 5);
    assert_eq!(list(&format!("from={}", CALLER.replace('+', "%2B")))["total"], 5);
    assert_eq!(list("from=%2B15005550222")["total"], 1);
    assert_eq!(list(&format!("business_id={}", tenant.business_id))["total"], 6);
    assert_eq!(list("business_id=00000000-0000-7000-8000-000000000000")["total"], 0);
    let start = newest["items"][5]["started_at"].as_u64().unwrap();
    assert_eq!(list(&format!("since={}&until={}", start + 1_000, start + 3_000))["total"], 2);
}

#[test]
fn queries_that_are_not_understood_are_refused() {
    let named = |problem: &Value| -> Vec<String> {
        let errors = problem["errors"].as_array().unwrap().iter();
        errors.map(|error| error["field"].as_str().unwrap().to_owned()).collect()
    };
    let world = World::new();
    let tenant = world.tenant(NUMBER);
    for (query, status) in [
        ("page=0", 422),
        ("page=10001", 422),
        ("page_size=0", 422),
        ("page_size=101", 422),
        ("from=5005550006", 422),
        ("page=x", 400),
        ("page=-1", 400),
        ("since=x", 400),
        ("page=1&page=2", 400),
        ("status=dancing", 400),
        ("business_id=1", 400),
        ("sort=random", 400),
        ("statsu=completed", 400),
    ] {
        let reply = world.get(&format!("/api/v1/calls?{query}"), &tenant.key);
        reply.assert_problem(status, if status == 422 { "invalid_request" } else { "malformed_request" });
        if status == 400 {
            assert_eq!(named(&reply.json()), [query.split('=').next().unwrap()], "{query}");
        }
    }
    // Every one is named, once, and what is right is not.
    let all =
        "/api/v1/calls?page=x&status=dancing&sort=newest&nonsense=1&nonsense=2&page_size=10&page_size=11";
    let reply = world.get(all, &tenant.key);
    assert_eq!(named(&reply.json()), ["page", "status", "nonsense", "page_size"]);
    world.get("/api/v1/messages?page_size=1000", &tenant.key).assert_problem(422, "invalid_request");
}

#[test]
fn call_is_shown_with_its_caller() {
    let world = World::new();
    let tenant = world.tenant(NUMBER);
    let (sid, id) = world.call(&tenant, 1);
    let call = world.get(&format!("/api/v1/calls/{id}"), &tenant.key).json();
    assert_eq!(call["carrier_call_id"], sid);
    assert_eq!(call["from"], CALLER);
    assert_eq!(call["business_id"], tenant.business_id);
    assert_eq!((&call["status"], &call["usage"]), (&json!("ringing"), &Value::Null));
    for id in ["x", "00000000-0000-7000-8000-000000000000", "%FF", &id.to_string().replace('-', "")] {
        world.get(&format!("/api/v1/calls/{id}"), &tenant.key).assert_problem(404, "not_found");
    }
}

#[test]
fn running_call_is_ended_by_its_actor() {
    let world = World::new();
    let tenant = world.tenant(NUMBER);
    let (_, id) = world.call(&tenant, 1);
    world.actors_reply(CallReply::Accepted);
    let reply = world.post(&format!("/api/v1/calls/{id}/end"), &tenant.key);
    assert_eq!((reply.status.as_u16(), reply.json()), (202, json!({"call_id": id, "status": "ringing"})));
    let told = &world.commands()[0]["intervention"];
    assert_eq!((&told["action"], &told["at_once"]), (&json!("end"), &json!(false)));
    assert!(world.doubles.http.requests().is_empty());
    let audit = world.sql("select id from audit_log where action = 'call.end' and actor_kind = 'api_key'");
    assert_eq!(audit.rows.len(), 1);
}

#[test]
fn call_without_a_stream_is_ended_at_the_carrier() {
    let world = World::new();
    let tenant = world.tenant(NUMBER);
    let (sid, id) = world.call(&tenant, 1);
    let target = format!("/api/v1/calls/{id}/end");
    world.actors_reply(CallReply::NotRunning);
    for gone in [
        HttpResponse { status: 200, body: vec![] },
        HttpResponse { status: 404, body: b"{\"code\":20404}".to_vec() },
    ] {
        world.doubles.http.answer(Ok(gone));
        assert_eq!(world.post(&target, &tenant.key).status, 202);
        let requests = world.doubles.http.requests();
        assert_eq!(
            requests[0].url,
            format!("https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Calls/{sid}.json")
        );
        assert_eq!(
            (requests[0].method, requests[0].body.as_slice()),
            ("POST", b"Status=completed".as_slice())
        );
    }
    for answer in [Ok(HttpResponse { status: 500, body: vec![] }), Err(HttpError::TimedOut)] {
        world.doubles.http.answer(answer);
        let failed = world.post(&target, &tenant.key);
        failed.assert_problem(503, "unavailable");
        assert_eq!(failed.json()["failing"], json!(["carrier"]));
        assert!(failed.cause.is_some());
    }
}

#[test]
fn call_that_is_over_stays_over() {
    let world = World::new();
    let tenant = world.tenant(NUMBER);
    world.actors_reply(CallReply::Accepted);
    let (sid, id) = world.call(&tenant, 1);
    let done = [("CallSid", sid.as_str()), ("AccountSid", ACCOUNT), ("CallStatus", "completed")];
    world.webhook("/webhooks/twilio/status", &done);
    world.commands();
    let reply = world.post(&format!("/api/v1/calls/{id}/end"), &tenant.key);
    assert_eq!(reply.json(), json!({"call_id": id, "status": "completed"}));
    assert!(world.commands().is_empty());
}

#[test]
fn live_ticket_is_noted_by_the_hub_by_its_hash() {
    let world = World::new();
    let tenant = world.tenant(NUMBER);
    world.actors_reply(CallReply::NotRunning);
    let reply = world.post("/api/v1/live/tickets", &tenant.key);
    assert_eq!(reply.status, 201);
    let ticket = reply.json();
    let url = ticket["url"].as_str().unwrap();
    let target = url.strip_prefix("wss://voice.example.com").unwrap();
    let access = live::open_ticket(target).unwrap();
    assert_eq!(access.tenant_id.to_string(), tenant.id);
    let commands = world.doubles.actors.commands();
    assert_eq!(commands[0].0, ActorName::Hub(access.tenant_id));
    // The hub knows who asked, and looks at them again while they listen.
    let key = match world.sql("select id from api_keys").rows[0].get("id") {
        Some(voicecore_ports::Value::Text(id)) => id.clone(),
        other => panic!("{other:?}"),
    };
    let watcher = json!({"kind": "api_key", "id": key});
    let noted = json!({"command": "ticket", "ticket_hash": access.ticket_hash, "watcher": watcher});
    assert_eq!(commands[0].1, noted);
    // The hub never sees the ticket itself.
    assert!(!commands[0].1.to_string().contains(ticket["ticket"].as_str().unwrap()));

    world.doubles.actors.answer_with(|_, _| Ok(serde_json::to_value(HubReply::TooManyTickets).unwrap()));
    world.post("/api/v1/live/tickets", &tenant.key).assert_problem(409, "conflict");
    world.doubles.actors.answer_with(|_, _| Ok(json!("something new")));
    world.post("/api/v1/live/tickets", &tenant.key).assert_problem(503, "unavailable");
}

#[test]
fn sockets_are_not_for_plain_http() {
    let world = World::new();
    for target in ["/api/v1/live", "/media/x"] {
        let reply = world.request(Method::GET, target, None, None);
        reply.assert_problem(426, "upgrade_required");
        assert_eq!(reply.headers[header::UPGRADE], "websocket");
    }
}

#[test]
fn only_valid_keys_are_let_in() {
    let world = World::new();
    let tenant = world.tenant(NUMBER);
    let with = |values: &[&str]| {
        let mut request = Request::get("/api/v1/calls");
        for value in values {
            request = request.header(header::AUTHORIZATION, *value);
        }
        world.send(request.body(Body::empty()).unwrap())
    };
    let key = &tenant.key;
    let (front, last) = key.split_at(key.len() - 1);
    let flipped = format!("{front}{}", if last == "0" { "1" } else { "0" });
    for values in [
        vec![],
        vec![String::new()],
        vec!["Bearer".to_owned()],
        vec![key.clone()],
        vec![format!("Basic {key}")],
        vec![format!("Bearer {flipped}")],
        vec![format!("Bearer {key} x")],
        vec![format!("Bearer {}", key.to_uppercase())],
        vec![format!("Bearer vc_{}_{}", "0".repeat(16), "0".repeat(64))],
        vec![format!("Bearer {key}"), format!("Bearer {key}")],
    ] {
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        let reply = with(&values);
        reply.assert_problem(401, "unauthenticated");
        assert_eq!(reply.headers[header::WWW_AUTHENTICATE], "Bearer scope=\"calls:read\"");
        assert!(!reply.body.contains(key.as_str()));
    }
    assert_eq!(with(&[&format!("Bearer {key}")]).status, 200);
    assert_eq!(with(&[&format!("bearer  {key}")]).status, 200);
    world.sql("update api_keys set expires_at = 1795000000001");
    assert_eq!(with(&[&format!("Bearer {key}")]).status, 200);
    world.doubles.clock.advance(Millis(1));
    with(&[&format!("Bearer {key}")]).assert_problem(401, "unauthenticated");
    world.sql("update api_keys set expires_at = null");
    assert_eq!(with(&[&format!("Bearer {key}")]).status, 200);
    world.sql("update api_keys set revoked_at = 1");
    with(&[&format!("Bearer {key}")]).assert_problem(401, "unauthenticated");
    world.db.off(true);
    let away = with(&[&format!("Bearer {key}")]);
    away.assert_problem(503, "unavailable");
    assert!(!away.body.contains("could not answer") && away.cause.is_some());
}

#[test]
fn health_is_always_well_and_readiness_tells_what_is_missing() {
    let world = World::with(&[("MASTER_KEY", "x"), ("PUBLIC_URL", "")]);
    world.db.off(true);
    let get = |world: &World, target| world.request(Method::GET, target, None, None);
    assert_eq!(get(&world, "/health").json()["status"], "ok");
    let reply = get(&world, "/ready");
    reply.assert_problem(503, "config_missing");
    assert_eq!(reply.json()["missing"], json!(["PUBLIC_URL", "MASTER_KEY"]));

    let world = World::new();
    assert_eq!(get(&world, "/ready").json(), json!({"status": "ready"}));
    world.db.off(true);
    let reply = get(&world, "/ready");
    reply.assert_problem(503, "unavailable");
    assert_eq!(reply.json()["failing"], json!(["database"]));
}

#[test]
fn readiness_knows_a_master_key_that_is_not_the_databases() {
    let world = World::new();
    world.tenant(NUMBER);
    let world = world.restarted(&[("MASTER_KEY", "HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")]);
    let reply = world.request(Method::GET, "/ready", None, None);
    reply.assert_problem(503, "config_missing");
    assert_eq!(reply.json()["missing"], json!(["MASTER_KEY"]));
}

#[test]
fn every_answer_carries_an_id_and_careful_headers() {
    let world = World::new();
    for (method, target) in [
        (Method::GET, "/health"),
        (Method::GET, "/setup"),
        (Method::GET, "/nowhere"),
        (Method::DELETE, "/health"),
        (Method::POST, "/webhooks/twilio/voice"),
    ] {
        let reply = world.request(method, target, None, None);
        assert_eq!(reply.headers[REQUEST_ID].len(), 24, "{target}");
        assert_eq!(reply.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff", "{target}");
        assert_eq!(reply.headers[header::CACHE_CONTROL], "no-store", "{target}");
        assert_eq!(reply.headers[header::REFERRER_POLICY], "no-referrer", "{target}");
        let policy = reply.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{target}"
        );
        assert_eq!(reply.headers.get_all(header::CONTENT_SECURITY_POLICY).iter().count(), 1, "{target}");
    }
    let ids: std::collections::BTreeSet<_> = (0..10)
        .map(|_| world.request(Method::GET, "/health", None, None).headers[REQUEST_ID].clone())
        .collect();
    assert_eq!(ids.len(), 10);
}

#[test]
fn bad_requests_are_problems() {
    let world = World::new();
    let claim = "/api/v1/setup/claim";
    let send = |target: &str, content_type: &str, body: Vec<u8>| {
        world.send(
            Request::post(target).header(header::CONTENT_TYPE, content_type).body(Body::from(body)).unwrap(),
        )
    };
    send(claim, "text/plain", b"{}".to_vec()).assert_problem(415, "unsupported_media_type");
    send(claim, "application/jsonp", b"{}".to_vec()).assert_problem(415, "unsupported_media_type");
    for broken in [&b""[..], b"{", b"nonsense", b"{\"token\":\"\xff\"}"] {
        send(claim, "application/json", broken.to_vec()).assert_problem(400, "malformed_request");
    }
    let deep = "[".repeat(50_000);
    for wrong in ["[]", "5", "{}", "{\"token\":5}", "{\"token\":\"a\",\"token\":\"b\"}", &deep] {
        send(claim, "application/json; charset=utf-8", wrong.into()).assert_problem(422, "invalid_request");
    }
    let missing = send(claim, "application/json", b"{}".to_vec()).json();
    let named = ["token", "tenant_name", "business_name", "phone_number"];
    let errors = named.map(|field| json!({"field": field, "message": "is a missing field"}));
    assert_eq!(missing["errors"], json!(errors));
    // What was sent is not sent back: it may be a number or a secret.
    let echo = send(claim, "application/json", br#"{"token":15005550006,"vcs_secret":1}"#.to_vec());
    assert!(!echo.body.contains("15005550006") && !echo.body.contains("vcs_secret"), "{}", echo.body);
    let large = format!("{{\"token\":\"{}\"}}", "x".repeat(70_000));
    send(claim, "application/json", large.into_bytes()).assert_problem(413, "payload_too_large");

    world.request(Method::GET, "/nowhere", None, None).assert_problem(404, "not_found");
    world.request(Method::GET, "/api/v1/calls/", None, None).assert_problem(404, "not_found");
    let method = world.request(Method::DELETE, "/api/v1/calls", None, None);
    method.assert_problem(405, "method_not_allowed");
    assert_eq!(method.headers[header::ALLOW], "GET,HEAD");
    world
        .request(Method::GET, "/webhooks/twilio/voice", None, None)
        .assert_problem(405, "method_not_allowed");
}

/// A body in pieces, which knows what was read of it.
struct Pieces {
    left: u64,
    read: Arc<AtomicU64>,
    /// After the last one nothing comes, not even the end.
    endless: bool,
}

const PIECE: u64 = 16_384;

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left == 0 {
            return if self.endless { Poll::Pending } else { Poll::Ready(None) };
        }
        self.left -= 1;
        self.read.fetch_add(PIECE, Ordering::SeqCst);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b' '; PIECE as usize])))))
    }
}

#[test]
fn the_rest_of_a_body_that_nobody_wanted_is_read_before_the_answer_is_sent() {
    let world = World::new();
    let claim = "/api/v1/setup/claim";
    let most = MAX_DROPPED_BYTES / PIECE;
    // Too large; of the wrong type; for nobody's address; not to be read at all; without an end.
    for (target, media_type, declared, pieces, endless, status, read) in [
        (claim, "application/json", None, 128, false, 413, 128),
        (claim, "text/plain", None, 128, false, 415, 128),
        ("/nowhere", "application/json", Some(128), 128, false, 404, 128),
        (claim, "application/json", None, most * 4, false, 413, most + 6),
        (claim, "application/json", Some(most + 1), most + 1, false, 413, 5),
        (claim, "application/json", None, 30, true, 413, 30),
    ] {
        let seen = Arc::new(AtomicU64::new(0));
        let body = Pieces { left: pieces, read: Arc::clone(&seen), endless };
        let mut request = Request::post(target).header(header::CONTENT_TYPE, media_type);
        if let Some(declared) = declared {
            request = request.header(header::CONTENT_LENGTH, declared * PIECE);
        }
        let reply = world.send(request.body(Body::new(body)).unwrap());
        assert_eq!(reply.status.as_u16(), status, "{}", reply.body);
        let seen = seen.load(Ordering::SeqCst) / PIECE;
        assert!(seen == read || (read > most && seen > most && seen <= read), "{target}: {seen}, not {read}");
    }
}

#[test]
fn bad_webhooks_are_problems() {
    let world = World::new();
    world.tenant(NUMBER);
    let voice = "/webhooks/twilio/voice";
    for (parameters, status) in [
        (vec![("AccountSid", ACCOUNT)], 400),
        (vec![("CallSid", "CA1"), ("AccountSid", ACCOUNT)], 400),
        (vec![("CallSid", "../../etc/passwd"), ("AccountSid", ACCOUNT)], 400),
    ] {
        world.webhook(voice, &parameters).assert_problem(status, "malformed_request");
    }
    let many: Vec<_> = (0..300).map(|_| ("x", "y")).collect();
    world.webhook(voice, &many).assert_problem(400, "malformed_request");
    let large = "x".repeat(70_000);
    world.webhook(voice, &[("x", &large)]).assert_problem(413, "payload_too_large");
    // Bytes that are no text, signed by nobody.
    let raw = Request::post(voice)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("x-twilio-signature", &b"\xff\xfe"[..])
        .body(Body::from(&b"CallSid=%FF%FE&\xff=1"[..]));
    world.send(raw.unwrap()).assert_problem(403, "signature_invalid");
}
