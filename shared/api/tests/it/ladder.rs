//! The ladder downwards: another stream, a human being, a recorded message, goodbye; and what callers hear on the way.

use serde_json::json;
use voicecore_api::actors::CallReply;
use voicecore_api::{jobs, live, media};
use voicecore_call::{AfterStream, CallSummary, EndReason, Usage};
use voicecore_conformance::block_on;
use voicecore_ports::{ActorError, Blob as _, Clock as _};
use voicecore_types::{CallId, Millis};

use crate::world::{CALLER, NOW, ORIGIN, Reply, World, call_id, human, incoming, status};

const NUMBER: &str = "+15005550006";

#[test]
fn without_a_human_being_a_message_is_taken() {
    let world = World::new();
    let tenant = world.tenant(NUMBER);
    world.sql("update businesses set fallback_number = null");
    let (sid, id) = world.call(&tenant, 1);
    for after in [AfterStream::Transfer, AfterStream::Apologise] {
        world.actors_reply(CallReply::AfterStream { after });
        let target = format!("/webhooks/twilio/stream-ended?call={id}&attempt=1");
        let reply = world.webhook(&target, &status(&sid, "in-progress"));
        assert!(reply.twiml().contains("Please leave a message after the tone"), "{}", reply.body);
        assert!(
            reply.attribute("action").starts_with(&format!("{ORIGIN}/webhooks/twilio/voicemail?call={id}#"))
        );
    }
}

#[test]
fn dead_actor_gets_a_limited_number_of_new_streams() {
    let world = World::new();
    let tenant = world.tenant(NUMBER);
    let (sid, first) = world.ring(&tenant.number, 1);
    let id = call_id(&first);
    let mut action = first.attribute("action");
    for attempt in 2..=4 {
        let reply = world.webhook(&action, &status(&sid, "in-progress"));
        assert_eq!(call_id(&reply), id);
        assert_eq!(
            media::verify_token(&world.app.config, id, &sid, &reply.attribute("value"), NOW),
            Ok(attempt)
        );
        assert!(reply.cause.is_some());
        action = reply.attribute("action");
    }
    // With the database away, too, there is still the recording.
    world.db.off(true);
    let given_up = world.webhook(&action, &status(&sid, "in-progress"));
    assert!(given_up.twiml().contains("<Record "), "{}", given_up.body);
    world.db.off(false);
    let turn_by_turn = world.webhook(&action, &status(&sid, "in-progress"));
    assert!(turn_by_turn.twiml().contains("<Gather "), "{}", turn_by_turn.body);
}

#[test]
fn caller_who_waits_for_a_dead_actor_or_database_is_spoken_to_before_each_stream() {
    const SAID: &str =
        "<Response><Say voice=\"Polly.Vicki\" language=\"de-DE\">Einen Moment, bitte.</Say><Connect ";
    let world = World::new();
    let tenant = world.tenant(NUMBER);
    world.sql("update assistant_versions set language = 'de'");
    let (sid, first) = world.ring(&tenant.number, 1);
    assert!(first.twiml().starts_with("<Response><Connect "), "{}", first.body);
    let mut action = first.attribute("action");
    // Its actor does not answer, and the database would never: nothing is asked of it.
    world.db.hangs(true);
    let reply = world.webhook(&action, &status(&sid, "in-progress"));
    assert!(reply.twiml().starts_with(SAID), "{}", reply.body);
    action = reply.attribute("action");
    world.db.hangs(false);
    // Its actor knows nothing of it, once with the database, once without.
    world.actors_reply(CallReply::NotRunning);
    for off in [false, true] {
        world.db.off(off);
        let reply = world.webhook(&action, &status(&sid, "in-progress"));
        assert!(reply.twiml().starts_with(SAID), "off: {off}, {}", reply.body);
        action = reply.attribute("action");
    }
    // Who comes back to a living actor has a tone from it.
    world.actors_reply(CallReply::AfterStream { after: AfterStream::Reconnect { attempt: 2 } });
    let back = world.webhook(&first.attribute("action"), &status(&sid, "in-progress"));
    assert!(back.twiml().starts_with("<Response><Connect "), "{}", back.body);
}

/// The longest that a caller may hear nothing.
const SILENCE: Millis = Millis(4_000);
/// What is left of it for the carrier: to ask, to open a stream, to begin to speak.
const CARRIER: Millis = Millis(250);

/// What the carrier does with a caller on the line, by a clock of its own making: nothing takes time but what is waited for.
struct Line<'a> {
    world: &'a World,
    /// Since when the caller has heard nothing.
    silent_since: Millis,
}

impl Line<'_> {
    fn silence(&self) -> Millis {
        Millis(self.world.doubles.clock.now().0 - self.silent_since.0)
    }

    /// The caller hears what `reply` says, if it says anything.
    #[track_caller]
    fn hears(&mut self, reply: &Reply) -> bool {
        let speaks = reply.twiml().contains("<Say");
        if speaks {
            assert!(self.silence() <= SILENCE, "{:?} of silence before {}", self.silence(), reply.body);
            self.silent_since = self.world.doubles.clock.now();
        }
        speaks
    }

    /// A stream opens, and its actor loads the call.
    fn opens(&self, id: CallId) -> bool {
        self.world.doubles.clock.advance(CARRIER);
        self.world.doubles.clock.run(live::load_call(&self.world.app, id)).is_ok()
    }
}

/// Counted from the moment at which the carrier asks what to do with the call, although it rings until that is answered.
#[test]
fn caller_hears_something_within_four_seconds_though_the_database_hangs() {
    for (slow, since_when, actor) in [
        // From the first question on; then between that and the stream, with an actor that refuses to say what comes next
        // because it could not load the call (functions/cloudflare), and one that knows nothing.
        (0, "webhook", None),
        (600, "webhook", None),
        (0, "stream", None),
        (600, "stream", None),
        (0, "stream", Some(CallReply::NotRunning)),
        (50, "stream", Some(CallReply::NotRunning)),
        // It answers, but takes its time with every statement.
        (900, "never", None),
        (1_900, "never", None),
    ] {
        let world = World::new();
        let tenant = world.tenant(NUMBER);
        match actor {
            Some(reply) => world.actors_reply(reply),
            None => world.doubles.actors.answer_with(|_, _| Err(ActorError::Unavailable)),
        }
        world.db.slow(Millis(slow));
        world.db.hangs(since_when == "webhook");
        let mut caller = Line { world: &world, silent_since: world.doubles.clock.now() };
        let (sid, mut reply) = world.ring(&tenant.number, 1);
        let live = status(&sid, "in-progress");
        // Down the whole ladder, up to the last word.
        for rung in 0.. {
            assert!(rung < 9, "{since_when} {slow}: it never ends");
            let spoke = caller.hears(&reply);
            if let Some((_, rest)) = reply.twiml().split_once("<Connect ") {
                world.db.hangs(since_when != "never");
                let action = rest.split("action=\"").nth(1).and_then(|rest| rest.split('"').next());
                if caller.opens(call_id(&reply)) {
                    break;
                }
                reply = world.webhook(&action.unwrap().replace("&amp;", "&"), &live);
            } else if reply.twiml().contains("<Redirect>") {
                assert!(spoke, "{}", reply.body);
                reply = world.webhook(&redirect(&reply), &incoming(&sid, NUMBER));
            } else {
                assert!(spoke, "{}", reply.body);
                break;
            }
        }
        assert!(caller.silence() <= SILENCE, "{since_when} {slow}: {:?}", caller.silence());
    }
}

/// The number's fallback address asks for who was called, and finds out nothing in time.
#[test]
fn fallback_waits_for_the_database_no_longer_than_the_carrier_for_us() {
    for slow in [1_300, 1_900] {
        let world = World::new();
        let tenant = world.tenant(NUMBER);
        let (sid, _) = world.call(&tenant, 1);
        world.db.slow(Millis(slow));
        let began = world.doubles.clock.now();
        let reply = world.webhook("/webhooks/twilio/fallback", &incoming(&sid, NUMBER));
        assert!(
            reply.twiml().contains("something went wrong") && !reply.twiml().contains("<Dial"),
            "{}",
            reply.body
        );
        assert!(world.doubles.clock.now() <= began.plus(Millis(3_000)), "{slow}");
    }
}

#[test]
fn database_that_did_not_answer_is_not_waited_for_again_on_the_last_rung() {
    let world = World::new();
    let tenant = world.tenant(NUMBER);
    let (sid, id) = world.call(&tenant, 1);
    world.actors_reply(CallReply::NotRunning);
    world.db.off(true);
    world.db.asked();
    let target = format!("/webhooks/twilio/stream-ended?call={id}&attempt=4");
    let reply = world.webhook(&target, &status(&sid, "in-progress"));
    assert!(reply.twiml().contains("<Record ") && reply.cause.is_some(), "{}", reply.body);
    assert_eq!(world.db.asked(), 1);
}

#[test]
fn finished_call_without_actor_ends_as_its_row_says() {
    for (reason, expected) in [
        (EndReason::Transferred, "<Dial "),
        (EndReason::AssistantEnded, "<Response><Hangup/></Response>"),
        (EndReason::ModelUnavailable, "I am sorry"),
    ] {
        let world = World::new();
        let tenant = world.tenant(NUMBER);
        let (sid, id) = world.call(&tenant, 1);
        world.actors_reply(CallReply::NotRunning);
        world.sql(match reason {
            EndReason::Transferred => "update calls set finished_at = 1, end_reason = 'transferred'",
            EndReason::AssistantEnded => "update calls set finished_at = 1, end_reason = 'assistant_ended'",
            _ => "update calls set finished_at = 1, end_reason = 'model_unavailable'",
        });
        let target = format!("/webhooks/twilio/stream-ended?call={id}&attempt=1");
        let reply = world.webhook(&target, &status(&sid, "in-progress"));
        assert!(reply.twiml().contains(expected), "{}", reply.body);
    }
}

#[test]
fn goodbye_that_no_model_said_is_said_by_the_carrier() {
    const GOODBYE: &str = "<Response><Say voice=\"Polly.Vicki\" language=\"de-DE\">Wir müssen das Gespräch nun beenden. \
                           Vielen Dank für Ihren Anruf. Auf Wiederhören.</Say><Hangup/></Response>";
    let world = World::new();
    world.tenant(NUMBER);
    world.sql("update assistant_versions set language = 'de'");
    let (sid, first) = world.ring(NUMBER, 1);
    let id = call_id(&first);
    let ask = || world.webhook(&first.attribute("action"), &status(&sid, "in-progress"));
    // Its actor says so, with the database away, too.
    world.actors_reply(CallReply::AfterStream { after: AfterStream::Goodbye });
    assert_eq!(ask().twiml(), GOODBYE);
    world.db.off(true);
    assert_eq!(ask().twiml(), GOODBYE);
    world.db.off(false);
    // Its actor is gone: the stored end knows.
    world.actors_reply(CallReply::NotRunning);
    let setup = block_on(live::load_call(&world.app, id)).unwrap();
    for (reason, farewell_owed, expected) in [
        (EndReason::LengthLimit, true, GOODBYE),
        (EndReason::LengthLimit, false, "<Response><Hangup/></Response>"),
        (EndReason::Silence, true, GOODBYE),
        (EndReason::CallerHungUp, true, "<Response><Hangup/></Response>"),
    ] {
        let summary = CallSummary {
            call_id: id,
            started_at: NOW,
            ended_at: NOW.plus(Millis(1_000)),
            reason,
            farewell_owed,
            interactions: vec![],
            usage: Usage::default(),
            model_sessions: 1,
            attempts: 1,
        };
        world.sql("update calls set finished_at = null");
        block_on(live::finish_call(&world.app, &setup, &summary)).unwrap();
        assert_eq!(ask().twiml(), expected, "{reason:?} {farewell_owed}");
    }
    // A document that cannot be read does not bring a call back that is over.
    world.sql("update calls set end_reason = 'length_limit'");
    let document = world.doubles.blob.keys().remove(0);
    block_on(world.doubles.blob.put(&document, b"{".to_vec())).unwrap();
    assert_eq!(ask().twiml(), "<Response><Hangup/></Response>");
}

#[test]
fn human_being_who_does_not_answer_is_followed_by_a_message() {
    let world = World::new();
    let tenant = world.tenant(NUMBER);
    let (sid, id) = world.call(&tenant, 1);
    let target = format!("/webhooks/twilio/dial-ended?call={id}");
    let ended = |how| {
        let mut parameters = status(&sid, "in-progress").to_vec();
        parameters.push(("DialCallStatus", how));
        world.webhook(&target, &parameters)
    };
    for how in ["completed", "answered"] {
        assert_eq!(ended(how).twiml(), "<Response><Hangup/></Response>");
    }
    for how in ["busy", "no-answer", "failed", "something-new"] {
        assert!(ended(how).twiml().contains("<Record "), "{how}");
    }
    ended("").assert_problem(400, "malformed_request");
}

#[test]
fn voicemail_is_stored_once() {
    let world = World::new();
    let tenant = world.tenant(NUMBER);
    world.actors_reply(CallReply::Accepted);
    let (sid, id) = world.call(&tenant, 1);
    let recorded = |recording: &str| {
        let mut parameters = status(&sid, "in-progress").to_vec();
        parameters.extend([("RecordingSid", recording), ("RecordingDuration", "12")]);
        world.webhook(&format!("/webhooks/twilio/voicemail?call={id}"), &parameters)
    };
    let first = format!("RE{:032x}", 1);
    for _ in 0..2 {
        assert!(recorded(&first).twiml().contains("Thank you."));
    }
    let messages = world.get("/api/v1/messages", &tenant.key).json();
    assert_eq!(messages["total"], 1);
    let message = &messages["items"][0];
    assert_eq!((&message["call_id"], &message["callback_number"]), (&json!(id), &json!(CALLER)));
    assert_eq!((&message["kind"], &message["text"]), (&json!("voicemail"), &json!("")));
    assert_eq!((&message["recording_id"], &message["recording_ms"]), (&json!(first), &json!(12_000)));

    // With the database away it waits in the queue.
    world.db.off(true);
    assert!(recorded(&format!("RE{:032x}", 2)).twiml().contains("Thank you."));
    world.db.off(false);
    for job in world.doubles.queue.take() {
        for _ in 0..2 {
            block_on(jobs::handle(&world.app, job.clone())).unwrap();
        }
    }
    assert_eq!(world.get("/api/v1/messages", &tenant.key).json()["total"], 2);
}

#[test]
fn hang_up_after_a_transfer_or_a_voicemail_frees_the_place_though_no_status_callback_comes() {
    let world = World::new();
    let tenant = world.tenant(NUMBER);
    world.sql("update tenants set max_concurrent_calls = 1");
    world.actors_reply(CallReply::Accepted);
    let spoken = ("dial-ended", vec![("DialCallStatus", "completed")]);
    let recorded = ("voicemail", vec![("RecordingSid", "RE00000000000000000000000000000001")]);
    for (n, database_away, (path, more)) in
        [(1, false, &spoken), (2, false, &recorded), (3, true, &spoken), (4, true, &recorded)]
    {
        let (sid, id) = world.call(&tenant, n);
        let mut parameters = status(&sid, "in-progress").to_vec();
        parameters.extend(more);
        world.db.off(database_away);
        let reply = world.webhook(&format!("/webhooks/twilio/{path}?call={id}"), &parameters);
        assert!(reply.twiml().ends_with("<Hangup/></Response>"), "{}", reply.body);
        world.db.off(false);
        for job in world.doubles.queue.take() {
            block_on(jobs::handle(&world.app, job)).unwrap();
        }
        let call = world.get(&format!("/api/v1/calls/{id}"), &tenant.key).json();
        assert_eq!((&call["status"], &call["ended_at"]), (&json!("completed"), &json!(NOW)), "{path} {n}");
    }
    assert!(world.ring(NUMBER, 5).1.twiml().contains("<Connect "));
}

#[test]
fn stream_that_never_began_is_tried_again_by_the_next_verb() {
    let world = World::new();
    let tenant = world.tenant(NUMBER);
    world.actors_reply(CallReply::NotRunning);
    let (sid, mut reply) = world.ring(&tenant.number, 1);
    let id = call_id(&reply);
    for attempt in 2..=4 {
        reply = world.webhook(&redirect(&reply), &status(&sid, "in-progress"));
        assert_eq!(call_id(&reply), id);
        assert!(reply.attribute("action").contains(&format!("&attempt={attempt}")), "{}", reply.body);
    }
    reply = world.webhook(&redirect(&reply), &status(&sid, "in-progress"));
    // Without any stream: turn by turn.
    assert!(reply.twiml().contains("<Gather "), "{}", reply.body);
}

/// Where the document goes on when nothing before it led elsewhere.
fn redirect(reply: &Reply) -> String {
    let (_, rest) = reply.twiml().split_once("<Redirect>").unwrap_or_else(|| panic!("{}", reply.body));
    rest.split("</Redirect>").next().unwrap().replace("&amp;", "&")
}

#[test]
fn human_beings_telephone_shows_a_number() {
    for (from, shown) in [(CALLER, None), ("anonymous", Some(NUMBER)), ("+266696687", Some(NUMBER))] {
        let world = World::new();
        world.tenant(NUMBER);
        let sid = format!("CA{:032x}", 1);
        let mut parameters = incoming(&sid, NUMBER);
        parameters[4].1 = from;
        let id = call_id(&world.webhook("/webhooks/twilio/voice", &parameters));
        world.actors_reply(CallReply::AfterStream { after: AfterStream::Transfer });
        let target = format!("/webhooks/twilio/stream-ended?call={id}&attempt=1");
        let dial = world.webhook(&target, &status(&sid, "in-progress"));
        let caller_id = shown.map(|number| format!(" callerId=\"{number}\""));
        match caller_id {
            Some(attribute) => assert!(dial.twiml().contains(&attribute), "{from}: {}", dial.body),
            None => assert!(!dial.twiml().contains("callerId"), "{from}: {}", dial.body),
        }
        // A number that was given up since cannot be shown; the human being is called all the same.
        world.sql("delete from phone_numbers");
        let dial = world.webhook(&target, &status(&sid, "in-progress"));
        assert!(dial.twiml().contains("<Dial ") && !dial.twiml().contains("callerId"), "{}", dial.body);
    }
}

#[test]
fn fallback_speaks_whatever_happened() {
    let world = World::new();
    let tenant = world.tenant(NUMBER);
    let (sid, id) = world.call(&tenant, 1);
    let fallback = |parameters: &[(&str, &str)]| world.webhook("/webhooks/twilio/fallback", parameters);
    let reply = fallback(&incoming(&sid, NUMBER));
    assert!(reply.twiml().contains("I am connecting you"), "{}", reply.body);
    assert!(reply.twiml().contains(&format!("<Number>{}</Number>", human(NUMBER))), "{}", reply.body);
    world.sql("update businesses set fallback_number = null");
    let reply = fallback(&incoming(&sid, NUMBER));
    assert!(reply.attribute("action").contains(&format!("/voicemail?call={id}")), "{}", reply.body);
    world.db.off(true);
    let reply = fallback(&incoming(&sid, NUMBER));
    assert!(reply.twiml().contains("call again later"), "{}", reply.body);
    assert!(reply.cause.is_some());
}

#[test]
fn fallback_finds_a_human_being_for_a_call_that_was_never_admitted() {
    let world = World::new();
    world.tenant(NUMBER);
    let sid = format!("CA{:032x}", 7);
    let mut parameters = incoming(&sid, NUMBER);
    parameters[4].1 = "anonymous";
    let reply = world.webhook("/webhooks/twilio/fallback", &parameters);
    assert!(reply.twiml().contains(&format!("<Number>{}</Number>", human(NUMBER))), "{}", reply.body);
    assert_eq!(reply.attribute("callerId"), NUMBER);
    // Nothing can be stored of the call, so no message is taken when nobody answers.
    let mut ended = status(&sid, "in-progress").to_vec();
    ended.push(("DialCallStatus", "no-answer"));
    let next = world.webhook(&reply.attribute("action"), &ended);
    assert!(next.twiml().ends_with("Goodbye.</Say><Hangup/></Response>"), "{}", next.body);
    ended[3].1 = "completed";
    let next = world.webhook(&reply.attribute("action"), &ended);
    assert_eq!(next.twiml(), "<Response><Hangup/></Response>");

    for to in ["+15005550777", "client:bob"] {
        let reply = world.webhook("/webhooks/twilio/fallback", &incoming(&sid, to));
        assert!(
            reply.twiml().ends_with("call again later. Goodbye.</Say><Hangup/></Response>"),
            "{}",
            reply.body
        );
    }
    world.sql("update businesses set fallback_number = null");
    let reply = world.webhook("/webhooks/twilio/fallback", &parameters);
    assert!(
        reply.twiml().contains("call again later") && !reply.twiml().contains("<Record"),
        "{}",
        reply.body
    );
    assert!(world.sql("select id from calls").rows.is_empty());
}

#[test]
fn caller_is_spoken_to_in_the_language_of_the_business() {
    const VOICE: &str = "<Say voice=\"Polly.Vicki\" language=\"de-DE\">";
    let world = World::new();
    let tenant = world.tenant(NUMBER);
    world.sql("update assistant_versions set language = 'de'");
    let (sid, first) = world.ring(NUMBER, 1);
    let id = call_id(&first);
    let live = status(&sid, "in-progress");

    // From address to address the language goes on, with the database away, too.
    world.actors_reply(CallReply::AfterStream { after: AfterStream::Reconnect { attempt: 2 } });
    let again = world.webhook(&first.attribute("action"), &live);
    world.actors_reply(CallReply::AfterStream { after: AfterStream::Apologise });
    let sorry = world.webhook(&again.attribute("action"), &live);
    assert!(sorry.twiml().contains(&format!("{VOICE}Es tut mir leid")), "{}", sorry.body);
    world.db.off(true);
    let mut ended = live.to_vec();
    ended.push(("DialCallStatus", "busy"));
    let record = world.webhook(&sorry.attribute("action"), &ended);
    assert_eq!(record.twiml().matches(VOICE).count(), 3, "{}", record.body);
    assert!(!record.body.contains("<Say>"), "{}", record.body);
    let (_, rest) = record.twiml().split_once("<Record action=\"").unwrap();
    let mut recorded = live.to_vec();
    recorded.push(("RecordingSid", "RE00000000000000000000000000000001"));
    let thanks = world.webhook(&rest.split('"').next().unwrap().replace("&amp;", "&"), &recorded);
    assert!(thanks.twiml().contains(&format!("{VOICE}Vielen Dank")), "{}", thanks.body);
    world.db.off(false);

    // Where the address says nothing, the database does.
    let fallback = world.webhook("/webhooks/twilio/fallback", &incoming(&sid, NUMBER));
    assert!(fallback.twiml().contains(VOICE) && fallback.attribute("action").contains(&id.to_string()));
    world.sql("update tenants set max_concurrent_calls = 1");
    let (_, busy) = world.ring(NUMBER, 2);
    assert!(busy.twiml().contains(&format!("{VOICE}Leider sind alle")), "{}", busy.body);
    world.sql("update tenants set max_daily_calls = 1, max_concurrent_calls = 9");
    let (_, spent) = world.ring(NUMBER, 2);
    assert!(spent.twiml().contains(&format!("{VOICE}Leider können wir heute")), "{}", spent.body);
    // A language that we have no words in.
    world.sql("update assistant_versions set language = 'it'");
    assert!(world.ring(&tenant.number, 2).1.twiml().contains("<Say>We are sorry"));
}
