//! The pitfalls of `pitfalls.md` that concern the carrier's webhooks and the API, by number.

use axum::http::Method;
use serde_json::json;
use voicecore_api::actors::CallReply;
use voicecore_api::media::{self, MediaRefusal};
use voicecore_call::AfterStream;
use voicecore_conformance::block_on;
use voicecore_wire::twilio::signature::sign;
use voicecore_wire::twilio::webhook::Form;

use crate::world::{AUTH_TOKEN, NOW, ORIGIN, Reply, World, call_id, human, incoming, status};

const NUMBER: &str = "+15005550006";
const OTHER_NUMBER: &str = "+15005550007";

#[test]
fn pitfall_30_a_webhook_that_comes_twice_is_one_call_and_one_attempt() {
    let world = World::new();
    let tenant = world.tenant(NUMBER);
    let (sid, first) = world.ring(NUMBER, 1);
    let (_, second) = world.ring(NUMBER, 1);
    let id = call_id(&first);
    assert_eq!(call_id(&second), id);
    // Both streams would be attempt 1 of one actor: the machine lets one of them in.
    for reply in [&first, &second] {
        let token = reply.attribute("value");
        assert_eq!(media::verify_token(&world.app.config, id, &sid, &token, NOW), Ok(1));
    }
    assert_eq!(world.get("/api/v1/calls", &tenant.key).json()["total"], 1);
}

/// Every document that brings the caller to the assistant does so with `<Connect>`, in both directions; `<Start>` would only
/// listen, and `track` would do so, too.
#[test]
fn pitfall_32_callers_are_connected_in_both_directions() {
    let both_ways = |reply: &Reply| {
        // Who has waited is told so first.
        let twiml = reply.twiml().replace("<Say>One moment, please.</Say>", "");
        assert!(twiml.starts_with("<Response><Connect action="), "{twiml}");
        assert_eq!(twiml.matches("<Stream ").count(), 1, "{twiml}");
        let (_, connect) = twiml.split_once("<Connect ").unwrap();
        let (connect, _) = connect.split_once("</Connect>").unwrap();
        assert!(connect.contains("<Stream url=\"wss://"), "{twiml}");
        assert!(!twiml.contains("<Start") && !twiml.contains("track="), "{twiml}");
    };
    let world = World::new();
    world.tenant(NUMBER);
    let (sid, first) = world.ring(NUMBER, 1);
    both_ways(&first);
    // As its actor says, and where the actor cannot be asked.
    let action = first.attribute("action");
    both_ways(&world.webhook(&action, &status(&sid, "in-progress")));
    world.actors_reply(CallReply::AfterStream { after: AfterStream::Reconnect { attempt: 2 } });
    both_ways(&world.webhook(&action, &status(&sid, "in-progress")));
    world.actors_reply(CallReply::NotRunning);
    both_ways(&world.webhook(&action, &status(&sid, "in-progress")));
}

/// The address of the socket in our own TwiML opens with the signature that Twilio makes of it, and with no other spelling.
#[test]
fn pitfall_34_the_address_in_the_document_is_the_one_that_is_signed() {
    let world = World::new();
    world.tenant(NUMBER);
    let (_, reply) = world.ring(NUMBER, 1);
    let url = reply.attribute("url");
    let target = url.strip_prefix("wss://voice.example.com").unwrap();
    let open = |signed: &str| {
        let signature = sign(AUTH_TOKEN, signed, &Form::default());
        block_on(media::authorize_upgrade(&world.app, target, Some(&signature)))
    };
    assert_eq!(open(&url), Ok(call_id(&reply)));
    assert_eq!(open(&format!("{ORIGIN}{target}")), Err(MediaRefusal::Signature));
    assert_eq!(open(&format!("http://voice.example.com{target}")), Err(MediaRefusal::Signature));
}

#[test]
fn pitfall_36_a_number_of_another_tenants_cannot_be_taken() {
    let world = World::new();
    let owner = world.tenant(NUMBER);
    let thief = world.tenant(OTHER_NUMBER);
    let claim = json!({
        "token": world.setup_token().expose(),
        "tenant_name": "Thieves",
        "business_name": "Thieves",
        "phone_number": NUMBER,
        "fallback_number": human(OTHER_NUMBER),
    });
    world.request(Method::POST, "/api/v1/setup/claim", None, Some(&claim)).assert_problem(409, "conflict");
    // Whoever rings it is still the owner's caller, and the owner's human being still the one who is dialled.
    let (sid, reply) = world.ring(NUMBER, 1);
    let id = call_id(&reply);
    assert_eq!(world.get(&format!("/api/v1/calls/{id}"), &owner.key).status, 200);
    world.get(&format!("/api/v1/calls/{id}"), &thief.key).assert_problem(404, "not_found");
    world.get(&format!("/api/v1/calls/{id}/interactions"), &thief.key).assert_problem(404, "not_found");
    world.post(&format!("/api/v1/calls/{id}/end"), &thief.key).assert_problem(404, "not_found");
    let filtered = format!("/api/v1/calls?business_id={}", owner.business_id);
    assert_eq!(world.get(&filtered, &thief.key).json()["total"], 0);
    world.actors_reply(CallReply::AfterStream { after: AfterStream::Transfer });
    let dial = world.webhook(&reply.attribute("action"), &status(&sid, "in-progress"));
    assert!(dial.twiml().contains(&format!("<Number>{}</Number>", human(NUMBER))), "{}", dial.body);
}

/// Permission is asked for by the handler's argument type, not by the beginning of the path: no spelling gets past it.
#[test]
fn pitfall_36_no_spelling_of_a_path_gets_past_the_key() {
    let world = World::new();
    let tenant = world.tenant(NUMBER);
    let (_, id) = world.call(&tenant, 1);
    let sound = [format!("/api/v1/calls/{id}"), "/api/v1/calls".to_owned(), "/api/v1/messages".to_owned()];
    for path in &sound {
        assert_eq!(world.get(path, &tenant.key).status, 200, "{path}");
        let rest = path.strip_prefix("/api/v1/").unwrap();
        for spelling in [
            path.clone(),
            format!("/{path}"),
            format!("{path}/"),
            format!("{path}?key={}", tenant.key),
            format!("/health/..{path}"),
            format!("/api/v1/setup/../{rest}"),
            format!("/api/v1/setup/claim/..%2f..%2f{rest}"),
            format!("/webhooks/twilio/voice/../../..{path}"),
            format!("/api/v1//{rest}"),
            format!("/api/v1/%2e/{rest}"),
            format!("/API/V1/{rest}"),
            format!("/api/v1;x=1/{rest}"),
            path.replace("api", "%61pi"),
        ] {
            let reply = world.request(Method::GET, &spelling, None, None);
            assert!(
                [401, 404].contains(&reply.status.as_u16()),
                "{spelling}: {} {}",
                reply.status,
                reply.body
            );
            assert!(!reply.body.contains("carrier_call_id") && !reply.body.contains("items"), "{spelling}");
        }
    }
    // A key in another place than the header is no key, and a webhook's signature none either.
    let sid = format!("CA{:032x}", 1);
    world
        .webhook("/api/v1/setup/claim", &incoming(&sid, NUMBER))
        .assert_problem(415, "unsupported_media_type");
    let signed = world.webhook(&format!("/api/v1/calls/{id}/end"), &status(&sid, "in-progress"));
    signed.assert_problem(401, "unauthenticated");
}
