//! Twilio's requests.

use axum::http::Method;
use serde_json::json;
use voicecore_api::actors::CallReply;
use voicecore_api::{jobs, media};
use voicecore_call::AfterStream;
use voicecore_conformance::block_on;
use voicecore_ports::Value;
use voicecore_types::Millis;
use voicecore_wire::twilio::signature::sign;
use voicecore_wire::twilio::webhook::Form;

use crate::world::{ACCOUNT, AUTH_TOKEN, CALLER, NOW, ORIGIN, World, call_id, human, incoming, status};

const NUMBER: &str = "+15005550006";

/// The status of the only call.
fn stored_status(world: &World) -> String {
    let rows = world.sql("select status from calls").rows;
    match rows.first().and_then(|row| row.get("status")) {
        Some(Value::Text(status)) if rows.len() == 1 => status.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn incoming_call_is_connected() {
    let world = World::new();
    world.tenant(NUMBER);
    let (sid, reply) = world.ring(NUMBER, 1);
    let id = call_id(&reply);
    let action = reply.attribute("action");
    assert!(
        action.starts_with(&format!("{ORIGIN}/webhooks/twilio/stream-ended?call={id}&attempt=1#rc=")),
        "{action}"
    );
    let callback = reply.attribute("statusCallback");
    assert_eq!(callback, format!("{ORIGIN}/webhooks/twilio/stream-status?call={id}&attempt=1"));
    assert_eq!(reply.attribute("name"), media::TOKEN_PARAMETER);
    let token = reply.attribute("value");
    assert_eq!(media::verify_token(&world.app.config, id, &sid, &token, NOW), Ok(1));
    assert_eq!(stored_status(&world), "ringing");
    // Should Twilio not ask the action, it goes on with the next verb: the same question.
    let redirect = format!("</Connect><Redirect>{}</Redirect></Response>", action.replace('&', "&amp;"));
    assert!(reply.twiml().ends_with(&redirect), "{}", reply.body);
}

#[test]
fn repeated_webhook_is_the_same_call() {
    let world = World::new();
    world.tenant(NUMBER);
    let (_, first) = world.ring(NUMBER, 1);
    let (_, again) = world.ring(NUMBER, 1);
    assert_eq!(call_id(&first), call_id(&again));
    assert_eq!(world.sql("select calls from usage_daily where calls = 1").rows.len(), 1);
    // Twilio retries a call that has ended since.
    world.actors_reply(CallReply::NotRunning);
    world.webhook("/webhooks/twilio/status", &status(&format!("CA{:032x}", 1), "completed"));
    let (_, late) = world.ring(NUMBER, 1);
    assert_eq!(late.twiml(), "<Response><Hangup/></Response>");
}

#[test]
fn only_twilio_is_listened_to() {
    let world = World::with(&[("TWILIO_AUTH_TOKEN_SECONDARY", "the-next-token")]);
    world.tenant(NUMBER);
    let sid = format!("CA{:032x}", 1);
    let parameters = incoming(&sid, NUMBER);
    let form: Form = parameters.iter().copied().collect();
    let url = format!("{ORIGIN}/webhooks/twilio/voice");
    let good = sign(AUTH_TOKEN, &url, &form);
    let mut tampered = parameters.clone();
    tampered[5].1 = "+15005550007";
    let cases = [
        (None, &parameters),
        (Some(String::new()), &parameters),
        (Some("not base64".to_owned()), &parameters),
        (Some(sign("another token", &url, &form)), &parameters),
        (Some(sign(AUTH_TOKEN, "https://voice.example.org/webhooks/twilio/voice", &form)), &parameters),
        (Some(sign(AUTH_TOKEN, &format!("{url}?retry=1"), &form)), &parameters),
        (Some(good.clone()), &tampered),
    ];
    for (signature, parameters) in cases {
        let reply = world.form("/webhooks/twilio/voice", parameters, signature.as_deref());
        reply.assert_problem(403, "signature_invalid");
        assert_eq!(reply.json()["detail"], "The request is refused.");
    }
    assert!(world.sql("select id from calls").rows.is_empty());
    // Every other webhook is as careful.
    for path in ["status", "stream-status", "stream-ended", "turn", "dial-ended", "voicemail", "fallback"] {
        let reply = world.form(&format!("/webhooks/twilio/{path}?call=x"), &parameters, Some(&good));
        reply.assert_problem(403, "signature_invalid");
    }
    for token in [AUTH_TOKEN, "the-next-token"] {
        let signature = sign(token, &url, &form);
        world.form("/webhooks/twilio/voice", &parameters, Some(&signature)).twiml();
    }
}

#[test]
fn unknown_number_is_apologised_for() {
    let world = World::new();
    // Before anything is set up, after that for a number of nobody's, and for what is no number.
    for to in ["+15005550001", "+15005550002", "client:bob", ""] {
        let (_, reply) = world.ring(to, 1);
        let twiml = reply.twiml();
        assert!(twiml.starts_with("<Response><Say>We are sorry, this number is not in service."), "{twiml}");
        assert!(twiml.ends_with("</Say><Hangup/></Response>"), "{twiml}");
        if to == "+15005550001" {
            world.tenant(NUMBER);
        }
    }
    assert!(world.sql("select id from calls").rows.is_empty());
}

#[test]
fn caps_are_spoken() {
    let world = World::new();
    let tenant = world.tenant(NUMBER);
    world.actors_reply(CallReply::NotRunning);
    let (first, _) = world.call(&tenant, 1);
    for n in 2..=10 {
        world.call(&tenant, n);
    }
    let (_, busy) = world.ring(NUMBER, 11);
    assert!(busy.twiml().contains("all of our lines are busy"), "{}", busy.body);
    // A repetition of a call that is on the line is not a new one.
    world.call(&tenant, 10);
    world.webhook("/webhooks/twilio/status", &status(&first, "completed"));
    world.call(&tenant, 11);

    world.webhook("/webhooks/twilio/status", &status(&format!("CA{:032x}", 11), "completed"));
    world.sql("update tenants set max_daily_calls = 11");
    let (_, spent) = world.ring(NUMBER, 12);
    assert!(spent.twiml().contains("cannot take any more calls today"), "{}", spent.body);
    world.sql("update tenants set max_daily_calls = 1000, max_daily_cost_micros = 5");
    world.sql("update usage_daily set cost_micros = 5");
    let (_, spent) = world.ring(NUMBER, 12);
    assert!(spent.twiml().contains("cannot take any more calls today"), "{}", spent.body);
}

#[test]
fn whoever_rings_without_end_is_told_to_call_later() {
    let world = World::new();
    let tenant = world.tenant(NUMBER);
    world.actors_reply(CallReply::NotRunning);
    world.super_admin("root@example.com");
    let root = world.login("root@example.com");
    let limit = json!({"max_hourly_calls_per_caller": 2});
    let target = format!("/api/v1/tenants/{}", tenant.id);
    assert_eq!(world.request(Method::PATCH, &target, Some(&root), Some(&limit)).status, 200);
    for n in 1..=2 {
        world.call(&tenant, n);
    }
    let (_, refused) = world.ring(NUMBER, 3);
    assert!(refused.twiml().contains("many times within the last hour"), "{}", refused.body);
    assert!(refused.twiml().contains("<Hangup"), "{}", refused.body);
    // An hour later it counts no more.
    world.doubles.clock.advance(Millis::from_secs(3_600));
    world.call(&tenant, 3);
}

#[test]
fn caller_is_asked_to_wait_while_the_database_is_away() {
    let world = World::new();
    world.tenant(NUMBER);
    world.db.off(true);
    let sid = format!("CA{:032x}", 1);
    let mut target = "/webhooks/twilio/voice".to_owned();
    for retry in 1..=2 {
        let reply = world.webhook(&target, &incoming(&sid, NUMBER));
        let (_, redirect) = reply.twiml().split_once("<Redirect>").unwrap();
        target = redirect.split('#').next().unwrap().replace("&amp;", "&");
        assert_eq!(target, format!("{ORIGIN}/webhooks/twilio/voice?retry={retry}"));
        assert!(reply.cause.as_deref().unwrap().starts_with("database is unavailable"), "{:?}", reply.cause);
        assert!(!reply.body.contains("database"));
    }
    let given_up = world.webhook(&target, &incoming(&sid, NUMBER));
    assert!(given_up.twiml().contains("call again later. Goodbye.</Say><Hangup/>"), "{}", given_up.body);
    // It comes back in time.
    world.db.off(false);
    call_id(&world.webhook(&target, &incoming(&sid, NUMBER)));
}

#[test]
fn missing_configuration_is_named() {
    for name in [
        "PUBLIC_URL",
        "TWILIO_ACCOUNT_SID",
        "TWILIO_AUTH_TOKEN",
        "OPENAI_API_KEY",
        "JWT_SECRET",
        "MASTER_KEY",
    ] {
        let world = World::with(&[(name, "")]);
        let (_, reply) = world.ring(NUMBER, 1);
        reply.assert_problem(503, "config_missing");
        assert_eq!(reply.json()["missing"], json!([name]));
    }
}

#[test]
fn what_twilio_tells_beyond_need_is_not_kept() {
    let world = World::new();
    let tenant = world.tenant(NUMBER);
    world.call(&tenant, 1);
    let withheld = format!("CA{:032x}", 2);
    let mut parameters = incoming(&withheld, NUMBER);
    parameters[4].1 = "+266696687";
    call_id(&world.webhook("/webhooks/twilio/voice", &parameters));
    let stored = world.doubles.db.dump();
    for text in ["SPRINGFIELD", "99999", "DOE JOHN"] {
        assert!(!stored.iter().any(|value| value.contains(text)), "{text}");
    }
    // Numbers are there, but sealed.
    for number in [CALLER, NUMBER, &human(NUMBER), "+266696687"] {
        assert!(!stored.iter().any(|value| value.contains(number.trim_start_matches('+'))), "{number}");
    }
    assert_eq!(world.sql("select id from calls where caller_number is null").rows.len(), 1);
}

#[test]
fn statuses_only_move_forward() {
    let world = World::new();
    let tenant = world.tenant(NUMBER);
    world.actors_reply(CallReply::Accepted);
    let (sid, _) = world.call(&tenant, 1);
    for (reported, expected) in [
        ("in-progress", "in_progress"),
        ("ringing", "in_progress"),
        ("something-new", "in_progress"),
        ("completed", "completed"),
        ("in-progress", "completed"),
        ("failed", "completed"),
        ("completed", "completed"),
    ] {
        let reply = world.webhook("/webhooks/twilio/status", &status(&sid, reported));
        assert_eq!((reply.status.as_u16(), reply.body.as_str()), (204, ""));
        assert_eq!(stored_status(&world), expected, "after {reported}");
    }
    assert!(world.commands().iter().all(|command| *command == json!({"command": "carrier_ended"})));
    // A call that was never admitted is nobody's.
    assert_eq!(
        world.webhook("/webhooks/twilio/status", &status(&format!("CA{:032x}", 7), "completed")).status,
        204
    );
}

#[test]
fn call_that_no_actor_holds_is_finished_by_its_status() {
    let world = World::new();
    let tenant = world.tenant(NUMBER);
    world.actors_reply(CallReply::NotRunning);
    let (sid, id) = world.call(&tenant, 1);
    world.webhook("/webhooks/twilio/status", &status(&sid, "no-answer"));
    let call = world.get(&format!("/api/v1/calls/{id}"), &tenant.key).json();
    assert_eq!((&call["status"], &call["end_reason"]), (&json!("no_answer"), &json!("caller_hung_up")));
    let transcript = world.get(&format!("/api/v1/calls/{id}/interactions"), &tenant.key).json();
    assert_eq!(transcript, json!({"call_id": id, "complete": true, "items": []}));
}

#[test]
fn status_that_cannot_be_stored_comes_again_by_the_queue() {
    let world = World::new();
    let tenant = world.tenant(NUMBER);
    let (sid, _) = world.call(&tenant, 1);
    world.db.off(true);
    assert_eq!(world.webhook("/webhooks/twilio/status", &status(&sid, "completed")).status, 204);
    world.db.off(false);
    // The actor is away as well: the job fails and stays.
    let jobs = world.doubles.queue.take();
    assert_eq!(jobs.len(), 1);
    assert!(block_on(jobs::handle(&world.app, jobs[0].clone())).is_err());
    world.actors_reply(CallReply::NotRunning);
    for _ in 0..2 {
        block_on(jobs::handle(&world.app, jobs[0].clone())).unwrap();
    }
    assert_eq!(stored_status(&world), "completed");
    assert!(block_on(jobs::handle(&world.app, json!({"job": "dance"}))).is_err());
}

#[test]
fn started_stream_means_answered() {
    let world = World::new();
    let tenant = world.tenant(NUMBER);
    let (sid, id) = world.call(&tenant, 1);
    for (event, expected) in
        [("stream-error", "ringing"), ("stream-started", "in_progress"), ("stream-stopped", "in_progress")]
    {
        let target = format!("/webhooks/twilio/stream-status?call={id}&attempt=1");
        let parameters = [
            ("CallSid", sid.as_str()),
            ("AccountSid", ACCOUNT),
            ("StreamSid", "MZ00000000000000000000000000000001"),
            ("StreamEvent", event),
        ];
        assert_eq!(world.webhook(&target, &parameters).status, 204);
        assert_eq!(stored_status(&world), expected);
    }
}

#[test]
fn what_comes_after_a_stream_is_the_actors_to_say() {
    let world = World::new();
    let tenant = world.tenant(NUMBER);
    let (sid, id) = world.call(&tenant, 1);
    let target = format!("/webhooks/twilio/stream-ended?call={id}&attempt=1");
    let after = |after| {
        world.actors_reply(CallReply::AfterStream { after });
        world.webhook(&target, &status(&sid, "in-progress"))
    };
    assert_eq!(after(AfterStream::Hangup).twiml(), "<Response><Hangup/></Response>");

    let transfer = after(AfterStream::Transfer);
    assert!(transfer.twiml().contains(&format!("<Number>{}</Number>", human(NUMBER))), "{}", transfer.body);
    assert!(
        transfer.attribute("action").starts_with(&format!("{ORIGIN}/webhooks/twilio/dial-ended?call={id}#"))
    );

    let again = after(AfterStream::Reconnect { attempt: 2 });
    assert_eq!(call_id(&again), id);
    assert!(again.attribute("action").contains("&attempt=2#"));
    assert_eq!(media::verify_token(&world.app.config, id, &sid, &again.attribute("value"), NOW), Ok(2));

    let sorry = after(AfterStream::Apologise);
    assert!(sorry.twiml().starts_with("<Response><Say>I am sorry"), "{}", sorry.body);
    assert!(sorry.twiml().contains("<Dial "), "{}", sorry.body);

    let asked = world.commands();
    assert_eq!(asked, vec![json!({"command": "after_stream", "attempt": 1}); 4]);
}

#[test]
fn caller_who_hung_up_is_not_asked_what_comes_next() {
    let world = World::new();
    let tenant = world.tenant(NUMBER);
    world.actors_reply(CallReply::Accepted);
    let (sid, id) = world.call(&tenant, 1);
    let target = format!("/webhooks/twilio/stream-ended?call={id}&attempt=1");
    let reply = world.webhook(&target, &status(&sid, "completed"));
    assert_eq!(reply.twiml(), "<Response><Hangup/></Response>");
    assert_eq!(world.commands(), [json!({"command": "carrier_ended"})]);
    assert_eq!(stored_status(&world), "completed");
}

#[test]
fn calls_whose_end_never_came_are_closed() {
    let world = World::new();
    let tenant = world.tenant(NUMBER);
    let (_, id) = world.call(&tenant, 1);
    assert_eq!(world.calls_closed(), (0, 0));
    world.doubles.clock.advance(Millis::from_secs(3 * 3_600));
    // Neither the actor nor the carrier can be reached: it stays for the next minute.
    assert_eq!(world.calls_closed(), (0, 1));
    world.actors_reply(CallReply::NotRunning);
    world
        .doubles
        .http
        .answer(Ok(voicecore_ports::HttpResponse { status: 404, body: b"{\"code\":20404}".to_vec() }));
    assert_eq!(world.calls_closed(), (1, 0));
    assert_eq!(world.calls_closed(), (0, 0));
    let call = world.get(&format!("/api/v1/calls/{id}"), &tenant.key).json();
    assert_eq!(call["end_reason"], "abandoned");
    assert!(call["ended_at"].is_u64(), "{call}");
}
