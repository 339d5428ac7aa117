//! Calls that are held turn by turn: `<Gather>`, a chat model, `<Say>`.

use serde_json::{Value, json};
use voicecore_api::actors::CallReply;
use voicecore_ports::{HttpError, HttpResponse};
use voicecore_types::Millis;

use crate::world::{ACCOUNT, NOW, ORIGIN, Reply, Tenant, World, human, status};

pub(crate) const NUMBER: &str = "+15005550006";

/// A completion of a chat model.
pub(crate) fn completion(text: Option<&str>, call: Option<(&str, &Value)>) -> HttpResponse {
    let calls: Vec<_> = call
        .map(|(name, arguments)| {
            // Some providers give every call the same id.
            json!({"id": "call_0", "type": "function", "function": {"name": name, "arguments": arguments.to_string()}})
        })
        .into_iter()
        .collect();
    let body = json!({
        "choices": [{"message": {"role": "assistant", "content": text, "tool_calls": calls}}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 10, "prompt_tokens_details": {"cached_tokens": 40}},
    });
    HttpResponse { status: 200, body: body.to_string().into_bytes() }
}

pub(crate) fn says(world: &World, text: &str) {
    world.doubles.http.answer(Ok(completion(Some(text), None)));
}

pub(crate) fn calls(world: &World, text: Option<&str>, name: &str, arguments: &Value) {
    world.doubles.http.answer(Ok(completion(text, Some((name, arguments)))));
}

/// A customer whose calls are held turn by turn.
pub(crate) fn turn_based(world: &World) -> Tenant {
    let tenant = world.tenant(NUMBER);
    world.sql("update businesses set voice_mode = 'turn_based'");
    world.actors_reply(CallReply::NotRunning);
    tenant
}

/// A call that has been greeted. Gives Twilio's id and the document.
pub(crate) fn greeted(world: &World) -> (String, Reply) {
    let (sid, reply) = world.ring(NUMBER, 1);
    assert!(reply.twiml().contains("<Gather "), "{}", reply.body);
    (sid, reply)
}

/// What the caller says to a document.
pub(crate) fn say(world: &World, sid: &str, to: &Reply, words: &str) -> Reply {
    heard(world, sid, &to.attribute("action"), &[("SpeechResult", words), ("Confidence", "0.9")])
}

pub(crate) fn heard(world: &World, sid: &str, action: &str, what: &[(&str, &str)]) -> Reply {
    let mut parameters = status(sid, "in-progress").to_vec();
    parameters.extend_from_slice(what);
    world.webhook(action, &parameters)
}

/// Where a document goes on.
#[track_caller]
pub(crate) fn redirect(reply: &Reply) -> String {
    let (_, rest) = reply.twiml().split_once("<Redirect>").unwrap_or_else(|| panic!("{}", reply.body));
    rest.split("</Redirect>").next().unwrap().replace("&amp;", "&")
}

#[track_caller]
pub(crate) fn contains(reply: &Reply, text: &str) {
    assert!(reply.twiml().contains(text), "{text}: {}", reply.body);
}

/// The call and its transcript, as the API shows them.
pub(crate) fn stored(world: &World, tenant: &Tenant) -> (Value, Value) {
    let calls = world.get("/api/v1/calls", &tenant.key).json();
    let call = calls["items"][0].clone();
    let id = call["id"].as_str().unwrap();
    (call.clone(), world.get(&format!("/api/v1/calls/{id}/interactions"), &tenant.key).json())
}

/// Who said what, of a transcript.
pub(crate) fn said(transcript: &Value) -> Vec<(String, String)> {
    let text = |item: &Value, name: &str| item[name].as_str().unwrap().to_owned();
    let items = transcript["items"].as_array().unwrap();
    items.iter().map(|item| (text(item, "speaker"), text(item, "text"))).collect()
}

pub(crate) fn pairs(said: &[(String, String)]) -> Vec<(&str, &str)> {
    said.iter().map(|(who, what)| (who.as_str(), what.as_str())).collect()
}

const GREETING: &str = "Hello, you have reached Bella's Salon. I am an AI assistant. Press 0 at any time to speak \
    with a person. How can I help you?";

#[test]
fn conversation_is_held_without_a_stream() {
    let world = World::new();
    let tenant = turn_based(&world);
    let (sid, greeting) = greeted(&world);
    contains(&greeting, "I am an AI assistant.");
    contains(&greeting, " input=\"dtmf speech\"");
    contains(&greeting, " actionOnEmptyResult=\"true\"");
    assert!(greeting.attribute("action").starts_with(&format!("{ORIGIN}/webhooks/twilio/turn?call=")));

    says(&world, "Tuesday at ten & eleven.");
    let booking = say(&world, &sid, &greeting, "A table, please.");
    contains(&booking, "<Say>Tuesday at ten &amp; eleven.</Say></Gather>");
    let [request] = &world.doubles.http.requests()[..] else { panic!() };
    assert_eq!(request.url, "https://api.openai.com/v1/chat/completions");
    assert!(request.headers.contains(&("Authorization".into(), "Bearer sk-of-openai-0123456789".into())));
    assert!(request.timeout_ms <= 3_000);
    let asked: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(asked["model"], "gpt-4.1-mini");
    let roles: Vec<_> =
        asked["messages"].as_array().unwrap().iter().map(|m| m["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["system", "assistant", "user"]);
    assert!(asked["messages"][0]["content"].as_str().unwrap().contains("Bella's Salon"));
    let tools: Vec<_> =
        asked["tools"].as_array().unwrap().iter().map(|t| t["function"]["name"].clone()).collect();
    assert_eq!(tools, ["end_call", "take_message", "transfer"]);

    let (call, transcript) = stored(&world, &tenant);
    assert_eq!((&call["status"], &transcript["complete"]), (&json!("in_progress"), &json!(false)));
    let so_far = said(&transcript);
    let expected =
        [("assistant", GREETING), ("caller", "A table, please."), ("assistant", "Tuesday at ten & eleven.")];
    assert_eq!(pairs(&so_far), expected);

    calls(&world, Some("Thank you, goodbye."), "end_call", &json!({}));
    let goodbye = say(&world, &sid, &booking, "That is all.");
    contains(&goodbye, "<Say>Thank you, goodbye.</Say><Redirect>");
    assert_eq!(heard(&world, &sid, &redirect(&goodbye), &[]).twiml(), "<Response><Hangup/></Response>");
    let (call, transcript) = stored(&world, &tenant);
    assert_eq!((&call["status"], &call["end_reason"]), (&json!("completed"), &json!("assistant_ended")));
    assert_eq!((&call["attempts"], &call["model"]), (&json!(0), &json!("gpt-4.1-mini")));
    let usage = (&call["usage"]["text_in"], &call["usage"]["text_cached"], &call["usage"]["text_out"]);
    assert_eq!(usage, (&json!(120), &json!(80), &json!(20)));
    assert_eq!(call["cost_micros"], 88);
    assert_eq!(transcript["complete"], true);
    assert_eq!(transcript["items"].as_array().unwrap().len(), 6);
    let answers =
        transcript["items"].as_array().unwrap().iter().filter(|item| item["latency_ms"].is_u64()).count();
    let target = format!("/api/v1/analytics/overview?until={}", NOW.0 + 60_000);
    let waited = world.get(&target, &tenant.key).json()["answer_latency"]["turns"].clone();
    assert_eq!((waited, answers), (json!(2), 2));
    assert_eq!(world.sql("select cost_micros from usage_daily where cost_micros = 88").rows.len(), 1);
    assert!(world.commands().is_empty(), "no actor is asked");
    // The carrier's report of the end comes last, and the call is what it was.
    world.webhook("/webhooks/twilio/status", &status(&sid, "completed"));
    assert_eq!(stored(&world, &tenant).0, call);
}

#[test]
fn where_there_are_no_actors_calls_are_held_turn_by_turn() {
    let world = World::new();
    let tenant = world.tenant(NUMBER);
    world.doubles.actors.remove();
    let (sid, greeting) = greeted(&world);
    says(&world, "Yes.");
    contains(&say(&world, &sid, &greeting, "Are you open?"), "<Say>Yes.</Say>");
    world.webhook("/webhooks/twilio/status", &status(&sid, "completed"));
    let (call, transcript) = stored(&world, &tenant);
    assert_eq!((&call["status"], &call["end_reason"]), (&json!("completed"), &json!("caller_hung_up")));
    assert!(call["answered_at"].is_u64());
    assert_eq!(said(&transcript).len(), 3);
}

#[test]
fn zero_leads_to_a_human_being() {
    let world = World::new();
    let tenant = turn_based(&world);
    let (sid, greeting) = greeted(&world);
    let announced = heard(&world, &sid, &greeting.attribute("action"), &[("Digits", "0")]);
    contains(&announced, "<Say>I am putting you through now.");
    let dialled = heard(&world, &sid, &redirect(&announced), &[]);
    contains(&dialled, &format!("<Number>{}</Number>", human(NUMBER)));
    let (call, transcript) = stored(&world, &tenant);
    assert_eq!((&call["status"], &call["end_reason"]), (&json!("in_progress"), &json!("transferred")));
    assert_eq!(said(&transcript)[1], ("caller".to_owned(), "0".to_owned()));
    assert!(world.doubles.http.requests().is_empty());
}

#[test]
fn other_keys_are_told_to_the_model() {
    let world = World::new();
    turn_based(&world);
    world.sql("update businesses set fallback_number = null");
    let (sid, greeting) = greeted(&world);
    says(&world, "There is nobody.");
    // Without a human being, 0 is a key like any other.
    contains(&heard(&world, &sid, &greeting.attribute("action"), &[("Digits", "0")]), "There is nobody.");
    let body = String::from_utf8(world.doubles.http.requests()[0].body.clone()).unwrap();
    assert!(body.contains("pressed the key 0"), "{body}");
}

#[test]
fn silence_is_asked_about_and_then_ends_the_call() {
    let world = World::new();
    let tenant = turn_based(&world);
    let (sid, mut reply) = greeted(&world);
    for _ in 0..3 {
        reply = heard(&world, &sid, &reply.attribute("action"), &[("SpeechResult", "")]);
        contains(&reply, "<Say>Are you still there?</Say></Gather>");
    }
    let goodbye = heard(&world, &sid, &reply.attribute("action"), &[]);
    contains(&goodbye, "I cannot hear you");
    assert_eq!(heard(&world, &sid, &redirect(&goodbye), &[]).twiml(), "<Response><Hangup/></Response>");
    assert_eq!(stored(&world, &tenant).0["end_reason"], "silence");
    assert!(world.doubles.http.requests().is_empty(), "silence costs nothing");
}

#[test]
fn who_speaks_again_is_not_counted_silent() {
    let world = World::new();
    turn_based(&world);
    let (sid, mut reply) = greeted(&world);
    for _ in 0..3 {
        for _ in 0..3 {
            reply = heard(&world, &sid, &reply.attribute("action"), &[]);
            contains(&reply, "Are you still there?");
        }
        says(&world, "Good.");
        reply = say(&world, &sid, &reply, "Yes.");
        contains(&reply, "<Say>Good.</Say>");
    }
}

#[test]
fn noise_is_asked_about_and_then_leads_to_a_human_being() {
    for with_human in [true, false] {
        let world = World::new();
        let tenant = turn_based(&world);
        if !with_human {
            world.sql("update businesses set fallback_number = null");
        }
        let (sid, mut reply) = greeted(&world);
        for noise in [("mumble", "0.1"), ("...", "0.9")] {
            let what = [("SpeechResult", noise.0), ("Confidence", noise.1)];
            reply = heard(&world, &sid, &reply.attribute("action"), &what);
            contains(&reply, "Could you say it again?");
        }
        let what = [("SpeechResult", "mumble"), ("Confidence", "0.05")];
        let last = heard(&world, &sid, &reply.attribute("action"), &what);
        let end = heard(&world, &sid, &redirect(&last), &[]);
        contains(&end, if with_human { "<Dial " } else { "<Hangup/>" });
        assert!(!said(&stored(&world, &tenant).1).iter().any(|(who, _)| who == "caller"));
    }
}

/// What claiming the dialogue takes is no more the model's than what comes before it.
#[test]
fn model_is_waited_for_no_longer_than_the_caller_waits() {
    let world = World::new();
    turn_based(&world);
    let (sid, greeting) = greeted(&world);
    world.db.slow(Millis(300));
    says(&world, "Tuesday.");
    let tuesday = say(&world, &sid, &greeting, "A table, please.");
    contains(&tuesday, "<Say>Tuesday.</Say>");
    assert_eq!(world.doubles.http.requests()[0].timeout_ms, 2_200);
    // There is no time left to ask.
    world.db.slow(Millis(2_100));
    let filler = say(&world, &sid, &tuesday, "And on Wednesday?");
    contains(&filler, "<Say>One moment, please.</Say>");
    assert!(world.doubles.http.requests().is_empty());
}

#[test]
fn slow_model_is_covered_by_a_filler() {
    let world = World::new();
    let tenant = turn_based(&world);
    let (sid, greeting) = greeted(&world);
    world.doubles.http.answer(Err(HttpError::TimedOut));
    let filler = say(&world, &sid, &greeting, "A table, please.");
    contains(&filler, "<Say>One moment, please.</Say><Redirect>");
    assert!(filler.cause.as_deref().unwrap().contains("model is unavailable"), "{:?}", filler.cause);
    world.doubles.http.answer(Err(HttpError::TimedOut));
    let second = heard(&world, &sid, &redirect(&filler), &[]);
    contains(&second, "<Say>I am still looking into it.");
    says(&world, "Tuesday.");
    contains(&heard(&world, &sid, &redirect(&second), &[]), "<Say>Tuesday.</Say></Gather>");
    let patience: Vec<_> = world.doubles.http.requests().iter().map(|request| request.timeout_ms).collect();
    assert_eq!(patience, [2_500, 5_000, 8_000]);
    // Fillers are no part of the conversation.
    assert_eq!(said(&stored(&world, &tenant).1).len(), 3);
}

#[test]
fn tools_are_run_and_their_results_told() {
    let world = World::new();
    let tenant = turn_based(&world);
    let (sid, mut reply) = greeted(&world);
    for message in ["Call me.", "Call me again."] {
        calls(&world, Some("Let me write that down."), "take_message", &json!({"message": message}));
        says(&world, "Done.");
        reply = say(&world, &sid, &reply, message);
        contains(&reply, "<Say>Let me write that down. Done.</Say></Gather>");
    }
    let requests = world.doubles.http.requests();
    let asked: Value = serde_json::from_slice(&requests[1].body).unwrap();
    let messages = asked["messages"].as_array().unwrap();
    let [.., call, output] = &messages[..] else { panic!() };
    assert_eq!(call["tool_calls"][0]["function"]["name"], "take_message");
    assert_eq!(output["tool_call_id"], call["tool_calls"][0]["id"]);
    assert_eq!(output["content"], r#"{"callback_number_known":true,"ok":true}"#);
    // Two messages, although the provider gave both calls the same id.
    assert_eq!(world.get("/api/v1/messages", &tenant.key).json()["total"], 2);
    let entry = stored(&world, &tenant).1["items"][3].clone();
    assert_eq!((&entry["kind"], &entry["name"]), (&json!("tool"), &json!("take_message")));
}

#[test]
fn repeated_question_gets_the_same_answer() {
    let world = World::new();
    let tenant = turn_based(&world);
    let (sid, greeting) = greeted(&world);
    assert_eq!(world.ring(NUMBER, 1).1.body, greeting.body);
    says(&world, "Tuesday.");
    let first = say(&world, &sid, &greeting, "A table, please.");
    let again = say(&world, &sid, &greeting, "A table, please.");
    assert_eq!(first.body, again.body);
    assert_eq!(world.doubles.http.requests().len(), 1);
    // The very first webhook, too, shows where the call stands.
    assert_eq!(world.ring(NUMBER, 1).1.body, first.body);
    assert_eq!(said(&stored(&world, &tenant).1).len(), 3);
}

#[test]
fn whoever_comes_while_somebody_is_at_work_waits() {
    let world = World::new();
    turn_based(&world);
    let (sid, greeting) = greeted(&world);
    world.doubles.http.answer(Err(HttpError::TimedOut));
    let filler = say(&world, &sid, &greeting, "A table, please.");
    // Somebody has claimed the turn and died.
    world.sql("update dialogues set busy_until = 1795000005000");
    let mut reply = heard(&world, &sid, &redirect(&filler), &[]);
    contains(&reply, "<Say>One moment, please.</Say><Pause length=\"1\"/><Redirect>");
    world.doubles.clock.advance(Millis::from_secs(2));
    reply = heard(&world, &sid, &redirect(&reply), &[]);
    assert!(reply.twiml().starts_with("<Response><Pause "), "{}", reply.body);
    assert!(world.doubles.http.requests().len() == 1);
    world.doubles.clock.advance(Millis::from_secs(4));
    says(&world, "Tuesday.");
    contains(&heard(&world, &sid, &redirect(&reply), &[]), "<Say>Tuesday.</Say></Gather>");
}

#[test]
fn waiting_comes_to_an_end() {
    let world = World::new();
    turn_based(&world);
    let (sid, greeting) = greeted(&world);
    let mut reply = say(&world, &sid, &greeting, "A table, please.");
    world.sql("update dialogues set busy_until = 1895000000000");
    for _ in 0..15 {
        reply = heard(&world, &sid, &redirect(&reply), &[]);
        contains(&reply, "<Pause ");
    }
    contains(&heard(&world, &sid, &redirect(&reply), &[]), "<Dial ");
}

#[test]
fn restart_between_two_turns_loses_nothing() {
    let world = World::new();
    let tenant = turn_based(&world);
    let (sid, greeting) = greeted(&world);
    says(&world, "Tuesday.");
    let reply = say(&world, &sid, &greeting, "A table, please.");
    let restarted = world.restarted(&[("CHAT_MODEL", "another-model")]);
    says(&restarted, "Noted.");
    contains(&say(&restarted, &sid, &reply, "My name is Jordan."), "<Say>Noted.</Say>");
    let requests = restarted.doubles.http.requests();
    let asked: Value = serde_json::from_slice(&requests.last().unwrap().body).unwrap();
    assert_eq!(asked["messages"].as_array().unwrap().len(), 5);
    // A change of the configuration is seen by the next call (property B3).
    assert_eq!(asked["model"], "gpt-4.1-mini");
    assert_eq!(said(&stored(&restarted, &tenant).1).len(), 5);
}

#[test]
fn database_that_is_away_in_mid_call_is_waited_for() {
    let world = World::new();
    turn_based(&world);
    let (sid, greeting) = greeted(&world);
    world.db.off(true);
    let wait = say(&world, &sid, &greeting, "A table, please.");
    contains(&wait, "One moment, please.");
    world.db.off(false);
    // What was said is lost: the caller is asked for it.
    contains(&heard(&world, &sid, &redirect(&wait), &[]), "Are you still there?");
    world.db.off(true);
    let mut reply = say(&world, &sid, &greeting, "A table, please.");
    for _ in 0..2 {
        reply = heard(&world, &sid, &redirect(&reply), &[]);
    }
    contains(&reply, "<Record ");
}

#[test]
fn language_of_the_business_is_spoken_and_understood() {
    let world = World::new();
    turn_based(&world);
    world.sql("update assistant_versions set language = 'de'");
    let (sid, greeting) = greeted(&world);
    contains(&greeting, " language=\"de-DE\" actionOnEmptyResult");
    contains(&greeting, "<Say voice=\"Polly.Vicki\" language=\"de-DE\">Guten Tag");
    contains(&heard(&world, &sid, &greeting.attribute("action"), &[]), "Sind Sie noch da?");
}

#[test]
fn languages_that_we_have_no_words_in_are_spoken_and_understood() {
    const ITALIAN: &str = "<Say voice=\"Polly.Bianca\" language=\"it-IT\">";
    let world = World::new();
    turn_based(&world);
    world
        .sql("update assistant_versions set language = 'it', greeting = 'Buongiorno, sono l''AI di Müller.'");
    let (sid, greeting) = greeted(&world);
    contains(&greeting, " language=\"it-IT\" actionOnEmptyResult");
    contains(&greeting, &format!("{ITALIAN}Buongiorno, "));
    says(&world, "Certo.");
    let reply = say(&world, &sid, &greeting, "Un tavolo, per favore.");
    contains(&reply, &format!("{ITALIAN}Certo."));
    contains(&reply, " language=\"it-IT\" actionOnEmptyResult");
    // Our own words are English there, and so is what reads them.
    let asked = heard(&world, &sid, &reply.attribute("action"), &[]);
    contains(&asked, "<Say>Are you still there?");
    contains(&asked, " language=\"it-IT\" actionOnEmptyResult");
}

#[test]
fn languages_that_nobody_speaks_are_english() {
    let world = World::new();
    turn_based(&world);
    world.sql("update assistant_versions set language = 'xx'");
    let (_, greeting) = greeted(&world);
    contains(&greeting, " language=\"en-US\" actionOnEmptyResult");
    contains(&greeting, "<Say>Hello");
}

#[test]
fn setup_may_choose_turn_based_calls() {
    let world = World::new();
    let claim = json!({
        "token": world.setup_token().expose(), "tenant_name": "A", "business_name": "B",
        "phone_number": NUMBER, "voice_mode": "turn_based",
    });
    let made = world.request(axum::http::Method::POST, "/api/v1/setup/claim", None, Some(&claim));
    assert_eq!(made.status, 201, "{}", made.body);
    contains(&world.ring(NUMBER, 1).1, "<Gather ");
    let mut odd = claim.clone();
    odd["voice_mode"] = json!("telepathy");
    let refused = world.request(axum::http::Method::POST, "/api/v1/setup/claim", None, Some(&odd));
    assert!(refused.status.is_client_error());
}

#[test]
fn strangers_move_nothing() {
    let world = World::new();
    let tenant = turn_based(&world);
    let (sid, greeting) = greeted(&world);
    let action = greeting.attribute("action");
    let target = action.strip_prefix(ORIGIN).unwrap().split('#').next().unwrap();
    let parameters = [("CallSid", sid.as_str()), ("AccountSid", ACCOUNT), ("SpeechResult", "Hi")];
    world.form(target, &parameters, Some("AAAA")).assert_problem(403, "signature_invalid");
    world.webhook("/webhooks/twilio/turn", &parameters).assert_problem(400, "malformed_request");
    let nobody = "/webhooks/twilio/turn?call=01939a2b-0000-7000-8000-000000000001&step=1";
    contains(&world.webhook(nobody, &parameters), "<Hangup/>");
    for target in ["&step=0", "&step=99", "&step=-1", "&step=x", ""] {
        let id = stored(&world, &tenant).0["id"].as_str().unwrap().to_owned();
        let reply = world.webhook(&format!("/webhooks/twilio/turn?call={id}{target}"), &parameters);
        assert_eq!(reply.body, greeting.body, "{target}");
    }
    let dump = world.doubles.db.dump();
    says(&world, "Tuesday.");
    say(&world, &sid, &greeting, "A secret table.");
    assert!(!dump.iter().chain(&world.doubles.db.dump()).any(|text| text.contains("secret table")));
}
