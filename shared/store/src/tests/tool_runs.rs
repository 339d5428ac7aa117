//! Tools take effect once.

use proptest::prelude::*;
use voicecore_conformance::block_on;
use voicecore_conformance::interleave::{both, step_aside_by};
use voicecore_types::{CallId, MessageId, PageRequest};

use super::{NOW, Tenant, World};
use crate::messages::{self, MessageFilter, NewMessage};
use crate::tool_runs::{self, Begun, ToolOutcome, ToolRun};

fn outcome(name: &str) -> ToolOutcome {
    ToolOutcome { output: format!("{{\"by\":\"{name}\"}}"), effect: "none".to_owned() }
}

/// A runner as the API has one: begin, work, finish with the message, and give the answer that counts.
async fn runner(
    tenant: &Tenant,
    call: CallId,
    name: &str,
    random: [u8; 10],
    mut schedule: u32,
) -> ToolOutcome {
    let run = ToolRun { call_id: call, tool_call_id: "call_1", name: "take_message" };
    step_aside_by(&mut schedule).await;
    if let Begun::Done(done) = tool_runs::begin(&tenant.scope, &run, NOW).await.unwrap() {
        return done;
    }
    step_aside_by(&mut schedule).await;
    let message = NewMessage {
        id: MessageId::new(NOW, &random),
        call_id: call,
        caller_name: None,
        callback_number: None,
        body: name,
        created_at: NOW,
    };
    let effects = messages::insert(&tenant.scope, &message).into();
    if tool_runs::finish(&tenant.scope, &run, &outcome(name), effects, NOW).await.unwrap() {
        return outcome(name);
    }
    match tool_runs::begin(&tenant.scope, &run, NOW).await.unwrap() {
        Begun::Done(done) => done,
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Two runners of one tool call, in any interleaving: one message, and both give the answer of the one that won.
    #[test]
    fn a_tool_takes_effect_once(first in any::<u32>(), second in any::<u32>()) {
        let world = World::new();
        let tenant = world.tenant("+15005550001");
        let call = world.admitted(&tenant, "CA1", NOW).id;
        let (one, two) = block_on(both(
            runner(&tenant, call, "one", world.rng.bytes(), first),
            runner(&tenant, call, "two", world.rng.bytes(), second),
        ));
        prop_assert_eq!(&one, &two);
        let stored = block_on(messages::list(&tenant.scope, &MessageFilter::default(), None, PageRequest::default())).unwrap();
        prop_assert_eq!(stored.total, 1);
        prop_assert_eq!(outcome(&stored.items[0].body), one);
    }
}

#[test]
fn a_runner_that_died_is_replaced() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let call = world.admitted(&tenant, "CA1", NOW).id;
    let run = ToolRun { call_id: call, tool_call_id: "call_1", name: "end_call" };
    assert_eq!(block_on(tool_runs::begin(&tenant.scope, &run, NOW)).unwrap(), Begun::Fresh);
    assert_eq!(block_on(tool_runs::begin(&tenant.scope, &run, NOW)).unwrap(), Begun::Running);
    assert!(block_on(tool_runs::finish(&tenant.scope, &run, &outcome("x"), vec![], NOW)).unwrap());
    assert!(!block_on(tool_runs::finish(&tenant.scope, &run, &outcome("y"), vec![], NOW)).unwrap());
    assert_eq!(block_on(tool_runs::begin(&tenant.scope, &run, NOW)).unwrap(), Begun::Done(outcome("x")));
}

#[test]
fn an_effect_that_fails_leaves_the_run_open() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let call = world.admitted(&tenant, "CA1", NOW).id;
    let run = ToolRun { call_id: call, tool_call_id: "call_1", name: "take_message" };
    block_on(tool_runs::begin(&tenant.scope, &run, NOW)).unwrap();
    let orphan = NewMessage {
        id: MessageId::new(NOW, &[1; 10]),
        call_id: CallId::new(NOW, &[2; 10]),
        caller_name: None,
        callback_number: None,
        body: "to nobody",
        created_at: NOW,
    };
    let effects = messages::insert(&tenant.scope, &orphan).into();
    assert!(block_on(tool_runs::finish(&tenant.scope, &run, &outcome("x"), effects, NOW)).is_err());
    assert_eq!(block_on(tool_runs::begin(&tenant.scope, &run, NOW)).unwrap(), Begun::Running);
}
