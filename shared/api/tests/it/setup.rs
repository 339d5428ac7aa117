//! From a one-use link to a tenant that can take a call.

use axum::body::Body;
use axum::http::{Method, Request, header};
use serde_json::{Value, json};

use crate::world::{ORIGIN, Reply, World, call_id};
use voicecore_domain::Permissions;
use voicecore_types::Millis;

const NUMBER: &str = "+15005550006";

fn claim(world: &World, changed: &[(&str, Value)]) -> Reply {
    let mut claim = json!({
        "token": world.setup_token().expose(),
        "tenant_name": "Bella & Sons",
        "business_name": "Bella's Salon",
        "phone_number": NUMBER,
    });
    for (name, value) in changed {
        claim[*name] = value.clone();
    }
    world.request(Method::POST, "/api/v1/setup/claim", None, Some(&claim))
}

fn form(world: &World, pairs: &[(&str, &str)]) -> Reply {
    world.form("/setup", pairs, None)
}

#[test]
fn claim_makes_a_tenant_that_can_take_a_call() {
    let world = World::new();
    let reply = claim(&world, &[("fallback_number", json!("+15005550009")), ("language", json!("de"))]);
    assert_eq!(reply.status, 201, "{}", reply.body);
    let result = reply.json();
    assert_eq!(result["voice_webhook_url"], format!("{ORIGIN}/webhooks/twilio/voice"));
    assert_eq!(result["status_callback_url"], format!("{ORIGIN}/webhooks/twilio/status"));
    assert_eq!(result["fallback_url"], format!("{ORIGIN}/webhooks/twilio/fallback"));
    let key = result["api_key"].as_str().unwrap();
    assert_eq!(world.get("/api/v1/calls", key).json()["total"], 0);
    let stored = Permissions::of_tenant().to_string();
    assert!(world.doubles.db.dump().contains(&stored), "the first key allows everything");
    call_id(&world.ring(NUMBER, 1).1);
    // Only a hash of the key is kept, and no number in clear.
    let secret = key.rsplit('_').next().unwrap();
    let stored = world.doubles.db.dump();
    assert!(!stored.iter().any(|value| value.contains(secret) || value.contains("5005550")));
    assert!(stored.iter().any(|value| value == "tenant.provision"));
}

#[test]
fn link_works_once_and_not_for_ever() {
    let world = World::new();
    let token = world.setup_token();
    let with = |number| claim(&world, &[("token", json!(token.expose())), ("phone_number", json!(number))]);
    // A mistake does not use it up.
    with("5005550006").assert_problem(422, "invalid_request");
    assert_eq!(with(NUMBER).status, 201);
    with("+15005550007").assert_problem(403, "setup_token_invalid");
    for token in ["", "vcs_1", &format!("vcs_{}", "0".repeat(64))] {
        claim(&world, &[("token", json!(token))]).assert_problem(403, "setup_token_invalid");
    }
    let late = world.setup_token();
    world.doubles.clock.advance(Millis::from_secs(8 * 86_400));
    claim(&world, &[("token", json!(late.expose())), ("phone_number", json!("+15005550007"))])
        .assert_problem(403, "setup_token_invalid");
}

#[test]
fn failed_claim_leaves_nothing_and_the_link_working() {
    let world = World::new();
    world.tenant(NUMBER);
    let stored = || {
        world.sql(
            "select id from tenants union all select id from users union all select id from businesses union all
             select id from phone_numbers union all select id from api_keys union all select id from audit_log union all
             select tenant_id from tenant_keys union all select tenant_id from memberships",
        )
    };
    let before = stored();
    let token = world.setup_token();
    let refused = claim(&world, &[("token", json!(token.expose()))]);
    refused.assert_problem(409, "conflict");
    assert_eq!(stored(), before);
    let other = [("token", json!(token.expose())), ("phone_number", json!("+15005550007"))];
    assert_eq!(claim(&world, &other).status, 201);
}

#[test]
fn every_value_that_is_not_acceptable_is_named() {
    let world = World::new();
    let reply = claim(
        &world,
        &[
            ("tenant_name", json!("  ")),
            ("business_name", json!("x".repeat(201))),
            ("phone_number", json!("5005550006")),
            ("fallback_number", json!("nobody")),
            ("language", json!("english")),
            ("voice", json!("a voice")),
            ("greeting", json!("x".repeat(501))),
            ("instructions", json!("x".repeat(8_001))),
        ],
    );
    reply.assert_problem(422, "invalid_request");
    let errors = reply.json()["errors"].clone();
    let mut fields: Vec<_> =
        errors.as_array().unwrap().iter().map(|e| e["field"].as_str().unwrap()).collect();
    fields.dedup();
    fields.sort_unstable();
    let expected = [
        "business_name",
        "fallback_number",
        "greeting",
        "instructions",
        "language",
        "phone_number",
        "tenant_name",
        "voice",
    ];
    assert_eq!(fields, expected);
    claim(&world, &[("fallback_number", json!(NUMBER))]).assert_problem(422, "invalid_request");
    claim(&world, &[("surprise", json!(1))]).assert_problem(422, "invalid_request");
}

#[test]
fn form_asks_for_everything_and_escapes_what_it_shows() {
    let world = World::new();
    let request = Request::get("/setup?token=%22%3E%3Cscript%3E").body(Body::empty()).unwrap();
    let page = world.send(request);
    assert_eq!((page.status.as_u16(), page.content_type()), (200, "text/html; charset=utf-8"));
    assert!(page.body.contains("value=\"&quot;&gt;&lt;script&gt;\""), "{}", page.body);
    assert!(!page.body.contains("<script"));
    let policy = page.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'") && policy.contains("form-action 'self'"), "{policy}");
    assert!(!policy.contains("script-src"), "{policy}");
    for name in
        ["tenant_name", "business_name", "phone_number", "fallback_number", "language", "voice", "greeting"]
    {
        assert!(page.body.contains(&format!("name=\"{name}\"")), "{name}");
    }
}

#[test]
fn form_sets_up_and_shows_the_key() {
    let world = World::new();
    let token = world.setup_token();
    let pairs = |number| {
        [
            ("token", token.expose()),
            ("tenant_name", "Bella & Sons"),
            ("business_name", "Bella's <b>Salon</b>"),
            ("phone_number", number),
            ("fallback_number", ""),
            ("language", ""),
        ]
    };
    let wrong = form(&world, &pairs("5005550006"));
    assert_eq!((wrong.status.as_u16(), wrong.content_type()), (422, "text/html; charset=utf-8"));
    assert!(wrong.body.contains("must be a number in E.164 form"), "{}", wrong.body);
    assert!(wrong.body.contains("Bella&#39;s &lt;b&gt;Salon&lt;/b&gt;") && !wrong.body.contains("<b>"));

    let done = form(&world, &pairs(NUMBER));
    assert_eq!(done.status, 200, "{}", done.body);
    let (_, rest) = done.body.split_once("<code>vc_").unwrap();
    let key = format!("vc_{}", rest.split('<').next().unwrap());
    assert_eq!(world.get("/api/v1/calls", &key).status, 200);
    assert!(done.body.contains(&format!("{ORIGIN}/webhooks/twilio/voice")));

    let again = form(&world, &pairs("+15005550007"));
    assert_eq!(again.status, 403);
    assert!(again.body.contains("not valid (any more)"), "{}", again.body);
}

#[test]
fn form_takes_forms_only() {
    let world = World::new();
    let json = Request::post("/setup")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from("{}"))
        .unwrap();
    world.send(json).assert_problem(415, "unsupported_media_type");
    let large = form(&world, &[("token", &"x".repeat(70_000))]);
    large.assert_problem(413, "payload_too_large");
}

#[test]
fn without_a_master_key_nothing_is_set_up() {
    let world = World::with(&[("MASTER_KEY", "")]);
    let reply = claim(&world, &[]);
    reply.assert_problem(503, "config_missing");
    assert_eq!(reply.json()["missing"], json!(["MASTER_KEY"]));
    assert!(world.sql("select id from tenants").rows.is_empty());
}
