//! The same question twice, also while the first one is being answered: no order of requests doubles a turn or a tool.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock};

use axum::Router;
use axum::body::to_bytes;
use proptest::prelude::*;
use serde_json::json;
use tower::ServiceExt as _;
use voicecore_api::actors::CallReply;
use voicecore_ports::{Blob as _, BoxFuture, Http, HttpError, HttpRequest, HttpResponse};

use crate::turns::{NUMBER, completion, greeted, says, turn_based};
use crate::world::{World, status};

const SID: &str = "CA00000000000000000000000000000001";

/// What the model does when it is asked.
#[derive(Debug, Clone, Copy)]
enum Model {
    Says,
    TakesMessage,
    IsLate,
}

/// A chat model in whose time to think other requests come in.
#[derive(Default)]
struct Meanwhile {
    router: OnceLock<Router>,
    script: Mutex<VecDeque<(Model, Option<String>)>>,
    asked: Mutex<u32>,
    messages: Mutex<u32>,
    said: Mutex<usize>,
    documents: Mutex<Vec<String>>,
}

impl Http for Meanwhile {
    fn send(&self, _: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
        Box::pin(async move {
            *self.asked.lock().unwrap() += 1;
            let (model, other) = self.script.lock().unwrap().pop_front().unwrap_or((Model::Says, None));
            if let (Some(target), Some(router)) = (other, self.router.get()) {
                let request = World::signed(&target, &parameters("Meanwhile."));
                let response = router.clone().oneshot(request).await.unwrap();
                let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
                self.documents.lock().unwrap().push(String::from_utf8(body.into()).unwrap());
            }
            match model {
                Model::Says => {
                    *self.said.lock().unwrap() += 1;
                    Ok(completion(Some("Good."), None))
                }
                Model::TakesMessage => {
                    let mut messages = self.messages.lock().unwrap();
                    *messages += 1;
                    let message = format!("Message {messages}.");
                    Ok(completion(None, Some(("take_message", &json!({"message": message})))))
                }
                Model::IsLate => Err(HttpError::TimedOut),
            }
        })
    }
}

fn parameters(words: &str) -> Vec<(&str, &str)> {
    let mut parameters = status(SID, "in-progress").to_vec();
    parameters.extend([("SpeechResult", words), ("Confidence", "0.9")]);
    parameters
}

/// Where a document leads.
fn target(document: &str) -> Option<String> {
    let after = document.split_once("action=\"").or_else(|| document.split_once("<Redirect>"))?.1;
    Some(after.split(['"', '<', '#']).next()?.replace("&amp;", "&"))
}

fn model() -> impl Strategy<Value = Model> {
    prop_oneof![3 => Just(Model::Says), 2 => Just(Model::TakesMessage), 2 => Just(Model::IsLate)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Property: whatever is asked again, how late, and in whose time, each turn of the caller is there once, and each tool
    /// that the model called has run once.
    #[test]
    fn any_order_of_repeated_questions_doubles_no_turn_and_no_tool(
        script in prop::collection::vec((model(), prop::option::of(0_usize..12)), 0..24),
        questions in prop::collection::vec(
            (prop_oneof![3 => Just(None), 2 => (0_usize..12).prop_map(Some)], any::<bool>()), 1..12
        ),
    ) {
        let http = Arc::new(Meanwhile::default());
        let world = World::with_http(http.clone());
        world.actors_reply(CallReply::NotRunning);
        let tenant = world.tenant(NUMBER);
        world.sql("update businesses set voice_mode = 'turn_based'");
        let _ = http.router.set(world.router.clone());
        let (_, greeting) = world.ring(NUMBER, 1);
        // All addresses that were ever given out, the newest last: anything may be asked again.
        let mut targets = vec![target(&greeting.body).unwrap()];
        let mut turns = 0;
        let mut script = script.into_iter();
        for (question, raced) in questions {
            let newest = targets.len() - 1;
            let asked = targets[question.map_or(newest, |back| newest.saturating_sub(back))].clone();
            for (model, other) in script.by_ref().take(2) {
                let other = other.map(|back| targets[newest.saturating_sub(back)].clone());
                http.script.lock().unwrap().push_back((model, other));
            }
            let before = callers_turns(&world, &tenant.key);
            let follows = asked.ends_with(&format!("step={}", step(&world)));
            if raced {
                // The very same question, answered between the reading and the claiming of this one.
                let request = World::signed(&asked, &parameters("Please."));
                let router = world.router.clone();
                world.db.before_change(Box::pin(async move {
                    router.oneshot(request).await.unwrap();
                }));
            }
            let reply = world.webhook(&asked, &parameters("Please."));
            let document = reply.twiml().to_owned();
            let after = callers_turns(&world, &tenant.key);
            prop_assert!(after <= before + usize::from(follows), "{} turns by {asked}", after - before);
            turns = after;
            let others = std::mem::take(&mut *http.documents.lock().unwrap());
            targets.extend(others.iter().chain([&document]).filter_map(|document| target(document)));
            if document.contains("<Dial ") || document.contains("<Hangup/>") {
                break;
            }
        }
        let ran = world.sql("select tool_call_id from tool_runs where finished_at is not null").rows.len();
        let messages = world.get("/api/v1/messages", &tenant.key).json()["total"].as_u64().unwrap();
        prop_assert_eq!(ran as u64, messages);
        let called = u64::from(*http.messages.lock().unwrap());
        prop_assert!(messages <= called, "{messages} messages of {called} calls");
        // Only what the caller said when they were listened to is a turn: nothing that came meanwhile.
        let entries = transcript(&world, &tenant.key);
        prop_assert!(!entries.iter().any(|entry| entry["text"] == "Meanwhile."));
        prop_assert_eq!(entries.iter().filter(|entry| entry["speaker"] == "caller").count(), turns);
        let numbers: Vec<_> = entries.iter().map(|entry| entry["seq"].as_u64().unwrap()).collect();
        prop_assert_eq!(numbers, (1..=entries.len() as u64).collect::<Vec<_>>());
        // Every answer of the model is there once: none was asked for twice, none lost to another.
        let kept = entries.iter().filter(|entry| entry["text"] == "Good.").count();
        prop_assert_eq!(kept, *http.said.lock().unwrap());
        prop_assert!(turns as u32 <= *http.asked.lock().unwrap());
    }
}

/// A chat model in whose time to think the caller hangs up.
#[derive(Default)]
struct HungUpOn(OnceLock<Router>);

impl Http for HungUpOn {
    fn send(&self, _: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
        Box::pin(async move {
            let ended = World::signed("/webhooks/twilio/status", &status(SID, "completed"));
            assert!(self.0.get().unwrap().clone().oneshot(ended).await.unwrap().status().is_success());
            Ok(completion(Some("Good."), None))
        })
    }
}

/// Nobody hears it, and it is in no transcript; the provider takes its money all the same.
#[test]
fn answer_that_comes_when_the_call_is_over_is_paid_for() {
    let http = Arc::new(HungUpOn::default());
    let world = World::with_http(http.clone());
    world.actors_reply(CallReply::NotRunning);
    let tenant = world.tenant(NUMBER);
    world.sql("update businesses set voice_mode = 'turn_based'");
    let _ = http.0.set(world.router.clone());
    let (_, greeting) = world.ring(NUMBER, 1);
    let action = greeting.attribute("action");
    for _ in 0..2 {
        // Asked again, it is not asked of the model again.
        world.webhook(&action, &parameters("A table, please."));
        let call = world.get("/api/v1/calls", &tenant.key).json()["items"][0].clone();
        assert_eq!((&call["status"], &call["end_reason"]), (&json!("completed"), &json!("caller_hung_up")));
        let usage = (&call["usage"]["text_in"], &call["usage"]["text_cached"], &call["usage"]["text_out"]);
        assert_eq!(usage, (&json!(60), &json!(40), &json!(10)));
        assert_eq!(call["cost_micros"], 44);
        assert_eq!(world.sql("select day from usage_daily where cost_micros = 44").rows.len(), 1);
        assert!(!transcript(&world, &tenant.key).iter().any(|entry| entry["text"] == "Good."));
    }
}

/// Whoever loses the end of a call may write what was said after whoever won it: what they wrote is there again.
#[test]
fn transcript_of_whoever_finished_a_call_stays() {
    let world = World::new();
    let tenant = turn_based(&world);
    let (sid, greeting) = greeted(&world);
    says(&world, "Tuesday.");
    let blob = world.doubles.blob.clone();
    let router = world.router.clone();
    let words = World::signed(&greeting.attribute("action"), &parameters("A table, please."));
    let ended = World::signed("/webhooks/twilio/status", &status(&sid, "completed"));
    world.db.before_change(Box::pin(async move {
        // What the loser wrote, which knows of the greeting alone.
        let key = blob.keys().remove(0);
        let short = blob.get(&key).await.unwrap().unwrap();
        for request in [words, ended] {
            assert!(router.clone().oneshot(request).await.unwrap().status().is_success());
        }
        assert!(blob.get(&key).await.unwrap().unwrap().len() > short.len());
        // It was slow to arrive.
        blob.put(&key, short).await.unwrap();
    }));
    world.webhook("/webhooks/twilio/status", &status(&sid, "completed"));
    let entries = transcript(&world, &tenant.key);
    let texts: Vec<_> = entries.iter().skip(1).map(|entry| entry["text"].as_str().unwrap()).collect();
    assert_eq!(texts, ["A table, please.", "Tuesday."]);
    let found = world.get("/api/v1/calls?q=table+tuesday", &tenant.key).json();
    assert_eq!(found["total"], 1);
}

/// The step that the next question follows.
fn step(world: &World) -> u64 {
    let rows = world.sql("select cast(step as text) as step from dialogues").rows;
    match rows[0].get("step") {
        Some(voicecore_ports::Value::Text(step)) => step.split('.').next().unwrap().parse().unwrap(),
        other => panic!("{other:?}"),
    }
}

fn transcript(world: &World, key: &str) -> Vec<serde_json::Value> {
    let calls = world.get("/api/v1/calls", key).json();
    let id = calls["items"][0]["id"].as_str().unwrap().to_owned();
    let shown = world.get(&format!("/api/v1/calls/{id}/interactions"), key).json();
    shown["items"].as_array().unwrap().clone()
}

fn callers_turns(world: &World, key: &str) -> usize {
    transcript(world, key).iter().filter(|entry| entry["speaker"] == "caller").count()
}
