//! When a business is open: said over the API or at set-up, and known to whoever answers its calls.

use axum::http::Method;
use serde_json::{Value, json};
use voicecore_api::actors::CallReply;
use voicecore_api::live;
use voicecore_conformance::block_on;

use crate::world::{Tenant, World, incoming};

fn target(tenant: &Tenant) -> String {
    format!("/api/v1/businesses/{}/opening-hours", tenant.business_id)
}

fn hours() -> Value {
    json!({"time_zone": "Europe/Berlin", "opening_hours": ["wednesday 08:00-12:00", "monday 09:00-17:30"]})
}

/// What the model of the next call is told.
fn instructions(world: &World, tenant: &Tenant, n: u32) -> String {
    let (_, call) = world.call(tenant, n);
    block_on(live::load_call(&world.app, call)).unwrap().call.session.instructions
}

#[test]
fn hours_are_said_shown_taken_back_and_known_to_the_next_call() {
    let world = World::new();
    world.actors_reply(CallReply::NotRunning);
    let tenant = world.tenant("+15005550001");
    let ask = |method: Method, body: Option<&Value>| {
        world.request(method, &target(&tenant), Some(&tenant.key), body)
    };
    let business = format!("/api/v1/config/business/{}", tenant.business_id);
    let known = || world.get(&business, &tenant.key).json()["has_opening_hours"].clone();
    // Nobody has said: the assistant does not make anything up.
    ask(Method::GET, None).assert_problem(404, "not_found");
    assert_eq!(known(), false);
    assert!(!instructions(&world, &tenant, 1).contains("# Opening hours"));

    let said = ask(Method::PUT, Some(&hours()));
    assert_eq!(said.status, 200, "{}", said.body);
    let shown = json!({"time_zone": "Europe/Berlin", "opening_hours": ["monday 09:00-17:30", "wednesday 08:00-12:00"]});
    assert_eq!((said.json(), ask(Method::GET, None).json()), (shown.clone(), shown));
    assert_eq!(world.count("select count(*) as n from audit_log where action = 'business.opening_hours'"), 1);
    // It is another version of the business: who has read the one before does not write over it unawares.
    assert_eq!(world.get(&business, &tenant.key).json()["version"], 2);
    assert_eq!(known(), true);
    // NOW is Wednesday, 18 November 2026, 12:06 in Berlin.
    let told = instructions(&world, &tenant, 2);
    for part in [
        "- Monday: 09:00 to 17:30",
        "- Tuesday: closed",
        "Wednesday, 18 November 2026 at 12:06 there: the business was closed, until Monday at 09:00.",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }

    assert_eq!(ask(Method::DELETE, None).status, 204);
    ask(Method::GET, None).assert_problem(404, "not_found");
    assert_eq!(known(), false);
    assert!(!instructions(&world, &tenant, 3).contains("# Opening hours"));
}

#[test]
fn calls_that_are_held_turn_by_turn_know_them_too() {
    let world = World::new();
    world.doubles.actors.remove();
    let tenant = world.tenant("+15005550001");
    assert_eq!(world.request(Method::PUT, &target(&tenant), Some(&tenant.key), Some(&hours())).status, 200);
    let (sid, reply) = world.ring(&tenant.number, 1);
    let mut parameters = incoming(&sid, &tenant.number);
    parameters.push(("SpeechResult", "Are you open?"));
    world.webhook(&reply.attribute("action"), &parameters);
    let asked = world.doubles.http.requests();
    let body = String::from_utf8(asked[0].body.clone()).unwrap();
    assert!(body.contains("- Monday: 09:00 to 17:30") && body.contains("12:06 there"), "{body}");
}

#[test]
fn set_up_with_a_zone_a_business_has_the_usual_week() {
    let world = World::new();
    let claim = |zone: &str| {
        json!({"token": world.setup_token().expose(), "tenant_name": "T", "business_name": "B", "phone_number": "+15005550006",
            "time_zone": zone})
    };
    let reply = world.request(Method::POST, "/api/v1/setup/claim", None, Some(&claim("Europe/Atlantis")));
    assert_eq!(reply.wrong_fields(), ["time_zone"]);
    let made = world.request(Method::POST, "/api/v1/setup/claim", None, Some(&claim("America/New_York")));
    assert_eq!(made.status, 201, "{}", made.body);
    let key = made.json()["api_key"].as_str().unwrap().to_owned();
    let business = made.json()["business_id"].as_str().unwrap().to_owned();
    let shown = world.get(&format!("/api/v1/businesses/{business}/opening-hours"), &key).json();
    assert_eq!(shown["time_zone"], "America/New_York");
    assert_eq!(shown["opening_hours"].as_array().unwrap().len(), 5);
    assert_eq!(shown["opening_hours"][4], "friday 09:00-17:00");
}

#[test]
fn what_is_no_week_is_refused_and_nobody_elses_business_is_there() {
    let world = World::new();
    let (ours, theirs) = (world.tenant("+15005550001"), world.tenant("+15005550002"));
    let put = |target: &str, body: &Value| world.request(Method::PUT, target, Some(&ours.key), Some(body));
    // When a key was used last is noted to the minute.
    world.get("/api/v1/calls", &ours.key);
    let before = world.doubles.db.dump();
    for (body, fields) in [
        (json!({}), vec!["time_zone", "opening_hours"]),
        (json!({"time_zone": "CET", "opening_hours": "monday"}), vec!["time_zone", "opening_hours"]),
        (json!({"time_zone": "UTC", "opening_hours": ["monday 17:00-09:00"]}), vec!["opening_hours"]),
        (
            json!({"time_zone": "UTC", "opening_hours": ["monday 09:00-12:00", "monday 11:00-13:00"]}),
            vec!["opening_hours"],
        ),
        (
            json!({"time_zone": "UTC", "opening_hours": ["monday 09:00-12:00", "monday 09:00-12:00"]}),
            vec!["opening_hours"],
        ),
        (json!({"time_zone": "UTC", "opening_hours": [], "more": 1}), vec!["more"]),
    ] {
        assert_eq!(put(&target(&ours), &body).wrong_fields(), fields, "{body}");
    }
    put(&target(&theirs), &hours()).assert_problem(404, "not_found");
    world.get(&target(&theirs), &ours.key).assert_problem(404, "not_found");
    world.request(Method::DELETE, &target(&theirs), Some(&ours.key), None).assert_problem(404, "not_found");
    assert_eq!(world.doubles.db.dump(), before);
}
