//! How calls end that are held turn by turn.

use serde_json::json;
use voicecore_ports::{HttpError, HttpResponse};
use voicecore_types::Millis;

use crate::turns::{calls, contains, greeted, heard, redirect, said, say, says, stored, turn_based};
use crate::world::{World, status};

#[test]
fn model_that_is_down_leads_to_a_human_being_or_a_recording() {
    for (with_human, expected) in [(true, "<Dial "), (false, "<Record ")] {
        let world = World::new();
        let tenant = turn_based(&world);
        if !with_human {
            world.sql("update businesses set fallback_number = null");
        }
        let (sid, greeting) = greeted(&world);
        let answers = [
            Ok(HttpResponse { status: 429, body: b"{}".to_vec() }),
            Ok(HttpResponse { status: 200, body: b"<html>".to_vec() }),
            Ok(HttpResponse { status: 500, body: b"oops".to_vec() }),
        ];
        for answer in answers {
            world.doubles.http.answer(answer);
        }
        let mut reply = say(&world, &sid, &greeting, "A table, please.");
        for _ in 0..2 {
            reply = heard(&world, &sid, &redirect(&reply), &[]);
        }
        contains(&reply, "I am sorry, something went wrong on our side.");
        contains(&reply, expected);
        let (call, transcript) = stored(&world, &tenant);
        assert_eq!(
            (&call["status"], &call["end_reason"]),
            (&json!("in_progress"), &json!("model_unavailable"))
        );
        assert_eq!(said(&transcript).len(), 2);
    }
}

#[test]
fn model_that_refuses_for_good_is_not_asked_again() {
    let world = World::new();
    turn_based(&world);
    let (sid, greeting) = greeted(&world);
    world.doubles.http.answer(Ok(HttpResponse { status: 401, body: b"{}".to_vec() }));
    contains(&say(&world, &sid, &greeting, "A table, please."), "<Dial ");
    assert_eq!(world.doubles.http.requests().len(), 1);
}

#[test]
fn tool_may_end_the_call_without_a_word() {
    for (tool, words, end) in [
        ("end_call", "Thank you for calling. Goodbye.", "<Hangup/>"),
        ("transfer", "I am putting you through now.", "<Dial "),
    ] {
        let world = World::new();
        turn_based(&world);
        let (sid, greeting) = greeted(&world);
        calls(&world, None, tool, &json!({}));
        // The model is asked for last words, and has none.
        let mut reply = say(&world, &sid, &greeting, "That is all.");
        for _ in 0..2 {
            reply = heard(&world, &sid, &redirect(&reply), &[]);
        }
        contains(&reply, words);
        contains(&heard(&world, &sid, &redirect(&reply), &[]), end);
    }
}

#[test]
fn call_that_is_too_long_is_ended() {
    let world = World::new();
    let tenant = turn_based(&world);
    world.sql("update businesses set call_length_ms = 60000");
    let (sid, greeting) = greeted(&world);
    world.doubles.clock.advance(Millis::from_secs(61));
    let last = say(&world, &sid, &greeting, "And another thing.");
    contains(&last, "reached the longest time");
    contains(&heard(&world, &sid, &redirect(&last), &[]), "<Hangup/>");
    let (call, transcript) = stored(&world, &tenant);
    assert_eq!(call["end_reason"], "length_limit");
    assert_eq!(said(&transcript)[1].1, "And another thing.");
}

#[test]
fn caller_who_hangs_up_ends_the_call() {
    let world = World::new();
    let tenant = turn_based(&world);
    let (sid, greeting) = greeted(&world);
    let mut parameters = status(&sid, "completed").to_vec();
    parameters.push(("SpeechResult", "Never mind"));
    let reply = world.webhook(&greeting.attribute("action"), &parameters);
    assert_eq!(reply.twiml(), "<Response><Hangup/></Response>");
    let (call, transcript) = stored(&world, &tenant);
    assert_eq!((&call["status"], &call["end_reason"]), (&json!("completed"), &json!("caller_hung_up")));
    assert_eq!((&transcript["complete"], said(&transcript).len()), (&json!(true), 1));
    // What comes after that changes nothing.
    contains(&say(&world, &sid, &greeting, "Hello?"), "<Hangup/>");
    assert_eq!(stored(&world, &tenant), (call, transcript));
}

#[test]
fn operator_ends_a_call() {
    let world = World::new();
    let tenant = turn_based(&world);
    let (sid, greeting) = greeted(&world);
    let id = stored(&world, &tenant).0["id"].as_str().unwrap().to_owned();
    world.doubles.http.answer(Ok(HttpResponse { status: 200, body: b"{}".to_vec() }));
    assert_eq!(world.post(&format!("/api/v1/calls/{id}/end"), &tenant.key).status, 202);
    assert!(world.doubles.http.requests()[0].url.contains(&sid));
    assert_eq!(stored(&world, &tenant).0["end_reason"], "operator_ended");
    contains(&say(&world, &sid, &greeting, "Hello?"), "<Hangup/>");
}

#[test]
fn call_of_which_nothing_is_heard_any_more_is_closed() {
    let world = World::new();
    let tenant = turn_based(&world);
    let (sid, greeting) = greeted(&world);
    says(&world, "Tuesday.");
    say(&world, &sid, &greeting, "A table, please.");
    world.doubles.http.requests();
    assert_eq!(world.calls_closed(), (0, 0));
    world.doubles.clock.advance(Millis::from_secs(601));
    world.doubles.http.answer(Ok(HttpResponse { status: 404, body: b"{\"code\":20404}".to_vec() }));
    assert_eq!(world.calls_closed(), (1, 0));
    assert_eq!(world.calls_closed(), (0, 0));
    let (call, transcript) = stored(&world, &tenant);
    assert_eq!((&call["status"], &call["end_reason"]), (&json!("completed"), &json!("abandoned")));
    assert_eq!(said(&transcript).len(), 3);
}

/// While a filler is played: the words before the tool would have been heard with the answer that is late.
#[test]
fn words_that_waited_for_the_answer_are_unsaid_when_the_caller_hangs_up() {
    let world = World::new();
    let tenant = turn_based(&world);
    let (sid, greeting) = greeted(&world);
    calls(&world, Some("I have written that down."), "take_message", &json!({"message": "Call me."}));
    world.doubles.http.answer(Err(HttpError::TimedOut));
    contains(&say(&world, &sid, &greeting, "Call me."), "<Say>One moment, please.</Say>");
    world.webhook("/webhooks/twilio/status", &status(&sid, "completed"));
    let (call, transcript) = stored(&world, &tenant);
    assert_eq!(call["end_reason"], "caller_hung_up");
    let kinds: Vec<_> = transcript["items"].as_array().unwrap().iter().map(|item| &item["kind"]).collect();
    assert_eq!(kinds, ["speech", "speech", "tool"], "{transcript}");
    assert_eq!(said(&transcript)[1], ("caller".to_owned(), "Call me.".to_owned()));
}
