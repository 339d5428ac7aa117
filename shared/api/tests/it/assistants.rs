//! Assistants: drafts, versions, and which of them calls use.

use axum::http::{Method, header};
use serde_json::{Value, json};
use voicecore_api::live;
use voicecore_call::{NoiseReduction, SessionConfig, TurnDetection};
use voicecore_conformance::block_on;

use crate::businesses::change;
use crate::turns::says;
use crate::world::{Reply, Tenant, World, status};

const TARGET: &str = "/api/v1/assistants";

/// The assistant that came with the tenant.
fn own(world: &World, tenant: &Tenant) -> Value {
    let list = world.get(TARGET, &tenant.key).json();
    assert_eq!(list["total"], 1, "{list}");
    list["items"][0].clone()
}

fn target(assistant: &Value) -> String {
    format!("{TARGET}/{}", assistant["id"].as_str().unwrap())
}

fn put(world: &World, tenant: &Tenant, one: &str, body: &Value) -> Reply {
    let reply = change(world, Method::PUT, one, &tenant.key, Some("*"), Some(body));
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply
}

fn publish(world: &World, tenant: &Tenant, one: &str) -> Value {
    let reply = change(world, Method::POST, &format!("{one}/publish"), &tenant.key, Some("*"), None);
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()
}

/// What the call machine gets of the nth call.
fn session(world: &World, tenant: &Tenant, n: u32) -> SessionConfig {
    let (sid, call) = world.call(tenant, n);
    let setup = block_on(live::load_call(&world.app, call)).unwrap();
    world.webhook("/webhooks/twilio/status", &status(&sid, "completed"));
    setup.call.session
}

#[test]
fn assistants_are_made_changed_published_restored_and_deleted() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let key = tenant.key.as_str();
    let body = json!({
        "name": "Iris", "greeting": "This is {{assistant_name}}, the AI of {{business_name}}.",
        "instructions": "Be kind.\nSay {{ business_name }}.", "language": "de", "voice": "cedar", "model": "gpt-realtime-mini",
        "tools": ["end_call", "take_message"], "noise_reduction": "off",
        "turn_detection": {"type": "server_vad", "threshold": 0.3, "silence_duration_ms": 700},
    });
    let made = change(&world, Method::POST, TARGET, key, None, Some(&body));
    assert_eq!(made.status, 201, "{}", made.body);
    let shown = made.json();
    assert_eq!((&shown["draft"], &shown["published_version"]), (&body, &Value::Null));
    let one = target(&shown);
    assert_eq!(world.get(&one, key).json(), shown);
    assert_eq!(world.get(&one, key).headers[header::ETAG], "\"1\"");
    assert_eq!(world.get(&format!("{one}/versions"), key).json()["total"], 0);
    world.get(&format!("{one}/versions/1"), key).assert_problem(404, "not_found");

    // Which version a change is meant for has to be said, and be right.
    let publication = format!("{one}/publish");
    let ask = |method: Method, target: &str, tag: Option<&str>| {
        let body = (method == Method::PUT).then(|| json!({"name": "Iris II"}));
        change(&world, method, target, key, tag, body.as_ref())
    };
    ask(Method::POST, &publication, None).assert_problem(428, "precondition_required");
    ask(Method::POST, &publication, Some("\"2\"")).assert_problem(412, "precondition_failed");
    let published = ask(Method::POST, &publication, Some("\"1\""));
    assert_eq!(
        (published.status.as_u16(), &published.headers[header::ETAG]),
        (200, &"\"2\"".parse().unwrap())
    );
    assert_eq!(published.json(), world.get(&one, key).json());
    assert_eq!(published.json()["published_version"], 1);
    ask(Method::PUT, &one, None).assert_problem(428, "precondition_required");
    ask(Method::PUT, &one, Some("\"1\"")).assert_problem(412, "precondition_failed");
    let changed = ask(Method::PUT, &one, Some("\"2\"")).json();
    assert_eq!((&changed["draft"]["name"], &changed["draft"]["tools"]), (&json!("Iris II"), &Value::Null));

    // What was published stays what it was, and can be made the draft again.
    let version = world.get(&format!("{one}/versions/1"), key).json();
    assert_eq!((&version["settings"], &version["published_by"]["kind"]), (&body, &json!("api_key")));
    let restoration = format!("{one}/versions/1/restore");
    ask(Method::POST, &restoration, None).assert_problem(428, "precondition_required");
    ask(Method::POST, &restoration, Some("\"2\"")).assert_problem(412, "precondition_failed");
    ask(Method::POST, &format!("{one}/versions/2/restore"), Some("*")).assert_problem(404, "not_found");
    let restored = ask(Method::POST, &restoration, Some("\"3\""));
    assert_eq!((&restored.json()["draft"], &restored.json()["published_version"]), (&body, &json!(1)));
    assert_eq!(restored.json(), world.get(&one, key).json());
    assert_eq!(publish(&world, &tenant, &one)["published_version"], 2);
    let versions = world.get(&format!("{one}/versions?page_size=1"), key).json();
    assert_eq!((&versions["total"], &versions["items"][0]["number"]), (&json!(2), &json!(2)));

    // Whoever is named by a business stays.
    let business = json!({"name": "Desk", "assistant_id": shown["id"]});
    let business = change(&world, Method::POST, "/api/v1/config/business", key, None, Some(&business));
    assert_eq!(business.status, 201, "{}", business.body);
    ask(Method::DELETE, &one, Some("\"1\"")).assert_problem(412, "precondition_failed");
    ask(Method::DELETE, &one, None).assert_problem(409, "conflict");
    let business = format!("/api/v1/config/business/{}", business.json()["id"].as_str().unwrap());
    assert_eq!(ask(Method::DELETE, &business, None).status, 204);
    assert_eq!(ask(Method::DELETE, &one, None).status, 204);
    ask(Method::DELETE, &one, None).assert_problem(404, "not_found");
    assert_eq!(world.count("select count(*) as n from assistant_versions"), 1, "that of the other assistant");
    let actions =
        world.sql("select action, fields from audit_log where action like 'assistant.%' order by id").rows;
    let actions: Vec<_> = actions.iter().map(|row| format!("{:?}", row.get("action"))).collect();
    assert_eq!(actions.len(), 6, "{actions:?}");
    let fields = world.sql("select fields from audit_log where action = 'assistant.update'").rows;
    let expected = "name greeting instructions language voice model tools turn_detection noise_reduction";
    assert_eq!(fields[0].get("fields"), Some(&expected.into()));
}

/// A draft changes no call; what is published is what the next streamed call gets, whole, and no running one.
#[test]
fn b3_the_next_call_uses_what_was_published() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let assistant = own(&world, &tenant);
    assert_eq!(assistant["published_version"], 1);
    let business = world.get(&format!("/api/v1/config/business/{}", tenant.business_id), &tenant.key).json();
    assert_eq!(business["assistant_id"], assistant["id"]);
    let one = target(&assistant);
    let before = session(&world, &tenant, 1);
    let body = json!({
        "name": "Iris", "greeting": "{{assistant_name}} here, the AI of {{business_name}}.",
        "instructions": "You sell {{unclosed cakes at {{business_name}}.", "language": "de", "voice": "cedar",
        "model": "gpt-realtime-mini", "tools": ["take_message"], "noise_reduction": "near_field",
        "turn_detection": {"type": "semantic_vad", "eagerness": "low"},
    });
    change(&world, Method::PUT, &one, &tenant.key, Some("*"), Some(&body))
        .assert_problem(422, "invalid_request");
    let mut body = body;
    body["instructions"] = json!("You sell cakes at {{business_name}}.");
    put(&world, &tenant, &one, &body);
    assert_eq!(session(&world, &tenant, 2), before, "a draft");

    let (_, running) = world.call(&tenant, 3);
    let held = block_on(live::load_call(&world.app, running)).unwrap();
    publish(&world, &tenant, &one);
    assert_eq!(held.call.session, before, "it goes on as it began");
    let after = session(&world, &tenant, 4);
    assert_eq!(after.greeting, "Sie sprechen mit einem KI-Assistenten. Iris here, the AI of Bella's Salon.");
    assert!(after.instructions.contains("You sell cakes at Bella's Salon."), "{}", after.instructions);
    assert_eq!((after.model.as_str(), after.voice.as_str()), ("gpt-realtime-mini", "cedar"));
    assert_eq!(after.language.as_deref(), Some("de"));
    assert_eq!(after.noise_reduction, Some(NoiseReduction::NearField));
    assert_eq!(after.turn_detection, TurnDetection::SemanticVad { eagerness: "low".to_owned() });
    let tools: Vec<_> = after.tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(tools, ["take_message"]);

    body["turn_detection"] = json!({"type": "server_vad", "threshold": 0.25, "prefix_padding_ms": 0});
    body["noise_reduction"] = json!("off");
    put(&world, &tenant, &one, &body);
    publish(&world, &tenant, &one);
    let last = session(&world, &tenant, 5);
    let expected =
        TurnDetection::ServerVad { threshold: 0.25, prefix_padding_ms: 0, silence_duration_ms: 500 };
    assert_eq!((last.turn_detection, last.noise_reduction), (expected, None));
    // Everything as the installation has it.
    let alone = json!({"name": "Bella's Salon", "fallback_number": "+15005550199"});
    let target = format!("/api/v1/config/business/{}", tenant.business_id);
    assert_eq!(change(&world, Method::PUT, &target, &tenant.key, Some("*"), Some(&alone)).status, 200);
    assert_eq!(session(&world, &tenant, 6), before);
}

/// The same of a call that is held turn by turn.
#[test]
fn the_next_turn_based_call_uses_what_was_published() {
    let world = World::new();
    let tenant = world.tenant("+15005550006");
    world.sql("update businesses set voice_mode = 'turn_based'");
    let one = target(&own(&world, &tenant));
    let body = json!({
        "name": "Iris", "greeting": "An AI speaks for {{business_name}}.", "instructions": "Sell {{business_name}} cakes.",
        "tools": ["end_call"],
    });
    put(&world, &tenant, &one, &body);
    let (_, before) = world.ring(&tenant.number, 1);
    assert!(before.twiml().contains("you have reached Bella"), "{}", before.body);
    publish(&world, &tenant, &one);
    let (sid, after) = world.ring(&tenant.number, 2);
    assert!(after.twiml().contains("An AI speaks for Bella&apos;s Salon."), "{}", after.body);
    says(&world, "Good morning.");
    crate::turns::say(&world, &sid, &after, "Hello.");
    let requests = world.doubles.http.requests();
    let asked: Value = serde_json::from_slice(&requests.last().unwrap().body).unwrap();
    let system = asked["messages"][0]["content"].as_str().unwrap();
    assert!(system.contains("Sell Bella's Salon cakes.") && system.contains("press 0"), "{system}");
    assert_eq!(asked["tools"].as_array().unwrap().len(), 1);
    assert_eq!(asked["tools"][0]["function"]["name"], "end_call");
}

/// As a page does that shows a draft, changes a field and saves it: what is null in what was read is null in what is written.
#[test]
fn what_is_read_can_be_written_back() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let read = own(&world, &tenant);
    assert_eq!(
        ["tools", "turn_detection", "noise_reduction"].map(|field| &read["draft"][field]),
        [&Value::Null; 3]
    );
    let written = put(&world, &tenant, &target(&read), &read["draft"]).json();
    assert_eq!(written["draft"], read["draft"]);
}

#[test]
fn wrong_assistants_are_refused_field_by_field() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let post = |body: Value| change(&world, Method::POST, TARGET, &tenant.key, None, Some(&body));
    let all = json!({
        "name": "", "greeting": "x".repeat(501), "instructions": "x".repeat(8_001), "language": "DE", "voice": "a b", "model": "a b",
        "tools": ["fly"], "turn_detection": {"type": "loud"}, "noise_reduction": "some", "version": 1,
    });
    let named = post(all.clone()).wrong_fields();
    for field in all.as_object().unwrap().keys() {
        assert!(named.contains(field), "{field}: {named:?}");
    }
    assert_eq!(named.len(), all.as_object().unwrap().len(), "{named:?}");
    // Unknown variables are named, if they are names and nothing else.
    let reply = post(
        json!({"name": "x", "greeting": "{{caller}} {{business_name}} {{of}}", "instructions": "{{+15005550006}}"}),
    );
    assert_eq!(reply.wrong_fields(), ["greeting", "instructions"]);
    assert!(reply.body.contains("{{caller}}, {{of}}") && !reply.body.contains("5550006"), "{}", reply.body);
    for wrong in [
        json!({"type": "server_vad", "threshold": 1.5}),
        json!({"type": "server_vad", "silence_duration_ms": 99}),
        json!({"type": "server_vad", "prefix_padding_ms": 2_001}),
        json!({"type": "server_vad", "eagerness": "low"}),
        json!({"type": "semantic_vad", "threshold": 0.5}),
        json!({"type": "semantic_vad", "eagerness": "wild"}),
        json!({"type": "semantic_vad", "more": 1}),
        json!({}),
    ] {
        let reply = post(json!({"name": "x", "turn_detection": wrong}));
        assert_eq!(reply.wrong_fields(), ["turn_detection"], "{wrong}");
    }
    assert_eq!(post(json!({"name": "x", "tools": ["end_call", "end_call"]})).wrong_fields(), ["tools"]);
    // A business names nobody who was never published.
    let made = post(json!({"name": "Iris", "tools": []}));
    assert_eq!((made.status.as_u16(), &made.json()["draft"]["tools"]), (201, &json!([])));
    let business = json!({"name": "Desk", "assistant_id": made.json()["id"]});
    let refused = change(&world, Method::POST, "/api/v1/config/business", &tenant.key, None, Some(&business));
    assert_eq!(refused.wrong_fields(), ["assistant_id"]);
    for n in 0..98 {
        assert_eq!(post(json!({"name": format!("Nr {n}")})).status, 201);
    }
    post(json!({"name": "one too many"})).assert_problem(409, "conflict");
    world.sql("update assistants set published_version = 1000");
    let full = format!("{}/publish", target(&made.json()));
    change(&world, Method::POST, &full, &tenant.key, Some("*"), None).assert_problem(409, "conflict");
}

#[test]
fn a01_assistants_of_others_are_not_there() {
    let world = World::new();
    let (owner, thief) = (world.tenant("+15005550001"), world.tenant("+15005550002"));
    let assistant = own(&world, &owner);
    let one = target(&assistant);
    own(&world, &thief);
    let before = world.doubles.db.dump();
    let body = json!({"name": "Mine"});
    for (method, target) in [
        (Method::GET, one.clone()),
        (Method::PUT, one.clone()),
        (Method::DELETE, one.clone()),
        (Method::POST, format!("{one}/publish")),
        (Method::GET, format!("{one}/versions")),
        (Method::GET, format!("{one}/versions/1")),
        (Method::POST, format!("{one}/versions/1/restore")),
    ] {
        let body = (method == Method::PUT).then_some(&body);
        change(&world, method, &target, &thief.key, Some("*"), body).assert_problem(404, "not_found");
    }
    // Nor does one of them answer for a business of theirs.
    let body = json!({"name": "Mine", "assistant_id": assistant["id"]});
    let target = format!("/api/v1/config/business/{}", thief.business_id);
    let refused = change(&world, Method::PUT, &target, &thief.key, Some("*"), Some(&body));
    assert_eq!(refused.wrong_fields(), ["assistant_id"]);
    assert_eq!(world.doubles.db.dump(), before);
}
