//! No secret and no phone number where it does not belong: not in an answer, a header, a cause for the log, a job or `Debug`.

use axum::http::Method;
use serde_json::json;
use voicecore_api::actors::CallReply;
use voicecore_api::live;
use voicecore_call::{AfterStream, ToolCall};
use voicecore_conformance::block_on;

use crate::world::{CALLER, Reply, SETTINGS, Tenant, World, human, incoming};

/// Not the one that the set-up page gives as an example.
const NUMBER: &str = "+15005550055";

/// Everything that somebody outside of the process may see of an answer.
fn seen(reply: &Reply) -> String {
    format!("{}\n{:?}\n{:?}", reply.body, reply.headers, reply.cause)
}

/// Digits of a number, however the plus sign is written.
fn digits(number: &str) -> &str {
    number.trim_start_matches('+')
}

/// What is asked of a system in the course of a call, with the answers.
fn conversation(world: &World, tenant: &Tenant, n: u32) -> Vec<(String, Reply)> {
    let sid = format!("CA{n:032x}");
    let mut parameters = incoming(&sid, NUMBER);
    parameters.push(("DialCallStatus", "busy"));
    parameters.push(("RecordingSid", "RE00000000000000000000000000000001"));
    parameters.push(("StreamSid", "MZ00000000000000000000000000000001"));
    parameters.push(("StreamEvent", "stream-started"));
    let call = "call=00000000-0000-7000-8000-000000000000";
    let webhooks =
        ["voice", "status", "stream-status", "stream-ended", "dial-ended", "voicemail", "fallback"];
    let mut replies: Vec<(String, Reply)> = webhooks
        .iter()
        .map(|path| {
            let target = format!("/webhooks/twilio/{path}?{call}");
            (target.clone(), world.webhook(&target, &parameters))
        })
        .collect();
    for path in webhooks {
        let target = format!("/webhooks/twilio/{path}?{call}");
        let reply = world.form(&target, &parameters, Some("wrong"));
        replies.push((format!("unsigned {target}"), reply));
    }
    for (method, target) in [
        (Method::GET, "/health"),
        (Method::GET, "/ready"),
        (Method::GET, "/setup?token=vcs_secret-of-a-link"),
        (Method::GET, "/api/v1/calls?from=5005550111"),
        (Method::GET, "/api/v1/calls/x/interactions"),
        (Method::POST, "/api/v1/live/tickets"),
        (Method::GET, "/nowhere/5005550111"),
    ] {
        let reply = world.request(method, target, Some(&tenant.key), None);
        replies.push((target.to_owned(), reply));
    }
    replies
}

#[test]
fn no_secret_or_number_shows_where_it_should_not() {
    let world = World::new();
    let tenant = world.tenant(NUMBER);
    for (n, reply) in
        [CallReply::NotRunning, CallReply::AfterStream { after: AfterStream::Hangup }, CallReply::Accepted]
            .into_iter()
            .enumerate()
    {
        world.actors_reply(reply);
        for off in [false, true] {
            world.db.off(off);
            for (target, reply) in conversation(&world, &tenant, u32::try_from(n).unwrap() + 1) {
                let seen = seen(&reply);
                for (name, secret) in SETTINGS
                    .iter()
                    .filter(|(name, _)| !matches!(*name, "PUBLIC_URL" | "TWILIO_ACCOUNT_SID" | "EMAIL_FROM"))
                {
                    assert!(!seen.contains(secret), "{name} in the answer to {target}");
                }
                assert!(!seen.contains(&tenant.key), "the API key in the answer to {target}");
                assert!(!seen.contains(digits(CALLER)), "the caller's number in the answer to {target}");
                // Twilio must be told whom to dial, and only Twilio.
                let dials = target.starts_with("/webhooks/") && reply.body.contains("<Dial ");
                let shown = seen.contains(digits(&human(NUMBER)));
                assert!(!shown || dials, "the fallback number in the answer to {target}");
                let rest = seen.replace(digits(&human(NUMBER)), "");
                assert!(!rest.contains(digits(NUMBER)), "the number in the answer to {target}");
            }
        }
    }
    for job in world.doubles.queue.take() {
        assert!(!job.to_string().contains("5005550"), "{job}");
    }
    for (_, command) in world.doubles.actors.commands() {
        assert!(!command.to_string().contains("5005550"), "{command}");
    }
}

#[test]
fn numbers_show_to_their_owner_only_where_they_are_the_point() {
    let world = World::new();
    let tenant = world.tenant(NUMBER);
    let (_, id) = world.call(&tenant, 1);
    let setup = block_on(live::load_call(&world.app, id)).unwrap();
    let call = ToolCall {
        tool_call_id: "call_1".to_owned(),
        name: "take_message".to_owned(),
        arguments: json!({"message": "hello"}).to_string(),
    };
    let told = block_on(live::run_tool(&world.app, &setup, &call));
    // The model is told that the number is known, not which it is: it has no use for it.
    assert!(!told.output.contains(digits(CALLER)), "{}", told.output);
    for (target, shows) in [
        ("/api/v1/calls".to_owned(), true),
        (format!("/api/v1/calls/{id}"), true),
        ("/api/v1/messages".to_owned(), true),
        (format!("/api/v1/calls/{id}/interactions"), false),
    ] {
        world.actors_reply(CallReply::Transcript { interactions: vec![], complete: false });
        let reply = world.get(&target, &tenant.key);
        assert_eq!(reply.body.contains(digits(CALLER)), shows, "{target}");
        assert!(!reply.body.contains(digits(&human(NUMBER))), "{target}");
    }
}

#[test]
fn debug_hides_what_is_secret() {
    let world = World::new();
    let shown = format!("{:?}", world.app.config);
    for (name, secret) in SETTINGS
        .iter()
        .filter(|(name, _)| !matches!(*name, "PUBLIC_URL" | "TWILIO_ACCOUNT_SID" | "EMAIL_FROM"))
    {
        assert!(!shown.contains(secret), "{name}");
    }
}
