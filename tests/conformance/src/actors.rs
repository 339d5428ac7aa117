//! The conformance suites of [`Actors`]: where there are some, that each has its own state and says what it cannot do; where there are none,
//! that every command says so. Commands are those of `voicecore_api::actors`.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use voicecore_ports::{ActorError, Actors, Rng};
use voicecore_types::{CallId, Millis, TenantId};

/// A backend under test.
pub type SharedActors = Arc<dyn Actors>;

/// Runs every case against a platform that has actors, and panics at the first promise that is broken; the output names the case. `now` and
/// `rng` make the names of actors that nobody has asked before.
pub async fn suite(actors: SharedActors, now: Millis, rng: Arc<dyn Rng>) {
    println!("actors_are_available");
    actors_are_available(&*actors, true);
    println!("a_hub_is_one_tenants");
    a_hub_is_one_tenants(&*actors, now, &*rng).await;
    println!("a_call_that_never_was_is_not_running");
    a_call_that_never_was_is_not_running(&*actors, now, &*rng).await;
    println!("what_is_no_command_is_unavailable_and_does_no_harm");
    what_is_no_command_is_unavailable_and_does_no_harm(&*actors, now, &*rng).await;
}

/// The same against one that has none.
pub async fn suite_without(actors: SharedActors) {
    println!("where_there_are_none_every_command_says_so");
    actors_are_available(&*actors, false);
    every_command_says_so(&*actors).await;
}

async fn every_command_says_so(actors: &dyn Actors) {
    let call = actors.call(CallId::new(Millis(1), &[1; 10]), json!({"command": "transcript"})).await;
    assert!(matches!(call, Err(ActorError::Unsupported)), "{call:?}");
    let hub = actors.hub(TenantId::new(Millis(1), &[1; 10]), json!({"command": "look_again"})).await;
    assert!(matches!(hub, Err(ActorError::Unsupported)), "{hub:?}");
}

fn actors_are_available(actors: &dyn Actors, there_are: bool) {
    assert_eq!(actors.available(), there_are);
}

fn random(rng: &dyn Rng) -> [u8; 10] {
    let mut bytes = [0; 10];
    rng.fill(&mut bytes);
    bytes
}

/// The number of the last event after one more.
async fn publish(actors: &dyn Actors, tenant: TenantId, call: CallId) -> Json {
    let event = json!({"at": 1, "event": {"type": "caller_speaking"}});
    let command = json!({"command": "publish", "call_id": call.to_string(), "events": [event]});
    let said = actors.hub(tenant, command).await;
    assert!(said.is_ok(), "{said:?}");
    said.unwrap_or_default()["published"]["seq"].clone()
}

/// It counts by itself, and goes on where it was.
async fn a_hub_is_one_tenants(actors: &dyn Actors, now: Millis, rng: &dyn Rng) {
    let call = CallId::new(now, &random(rng));
    let (ours, theirs) = (TenantId::new(now, &random(rng)), TenantId::new(now, &random(rng)));
    let mut counted = Vec::new();
    for tenant in [ours, ours, theirs, ours] {
        counted.push(publish(actors, tenant, call).await);
    }
    assert_eq!(counted, [1, 2, 1, 3]);
}

/// Whatever it is asked, as often as one likes.
async fn a_call_that_never_was_is_not_running(actors: &dyn Actors, now: Millis, rng: &dyn Rng) {
    let call = CallId::new(now, &random(rng));
    for command in ["transcript", "carrier_ended", "abandon", "transcript"] {
        let said = actors.call(call, json!({"command": command})).await;
        assert!(said.as_ref().is_ok_and(|said| said == "not_running"), "{command}: {said:?}");
    }
}

async fn what_is_no_command_is_unavailable_and_does_no_harm(actors: &dyn Actors, now: Millis, rng: &dyn Rng) {
    let (call, tenant) = (CallId::new(now, &random(rng)), TenantId::new(now, &random(rng)));
    for wrong in [json!({"command": "fly"}), json!({}), json!("transcript"), Json::Null] {
        let said = actors.hub(tenant, wrong.clone()).await;
        assert!(matches!(said, Err(ActorError::Unavailable)), "a hub, {wrong}: {said:?}");
        let said = actors.call(call, wrong.clone()).await;
        assert!(matches!(said, Err(ActorError::Unavailable)), "a call, {wrong}: {said:?}");
    }
    assert_eq!(publish(actors, tenant, call).await, 1);
}
