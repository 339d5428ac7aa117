//! A1: nothing of another tenant is read, changed or counted, whichever function is asked with whichever id.

use proptest::prelude::*;
use voicecore_conformance::block_on;
use voicecore_domain::{CallStatus, TokenUsage};
use voicecore_types::{CallId, MessageId, Millis, PageRequest};

use super::{NOW, Tenant, World};
use crate::calls::{self, Advance, CallFilter, CallSort, FinishedCall};
use crate::messages::{self, MessageFilter, NewMessage, NewVoicemail};
use crate::tool_runs::{self, Begun, ToolOutcome, ToolRun};
use crate::{StoreError, businesses};

/// Every function of the store that takes an id, with the id of somebody else's call.
fn try_everything(thief: &Tenant, call: CallId, salt: u8) -> Result<(), TestCaseError> {
    let scope = &thief.scope;
    prop_assert!(block_on(calls::get(scope, call)).unwrap().is_none());
    prop_assert!(block_on(businesses::call_setup(scope, call)).unwrap().is_none());
    let status = CallStatus::ALL[usize::from(salt) % 8];
    prop_assert_eq!(block_on(calls::advance(scope, call, status, NOW)).unwrap(), Advance::Unknown);
    let finished = FinishedCall {
        call_id: call,
        connected_at: None,
        ended_at: NOW,
        carrier_continues: false,
        end_reason: "abandoned",
        attempts: 1,
        model_sessions: 1,
        interaction_count: 1,
        model: "gpt-realtime",
        usage: TokenUsage { text_in: 1_000, ..TokenUsage::default() },
        finished_at: NOW,
    };
    prop_assert!(!block_on(calls::finish(scope, &finished)).unwrap());

    let run = ToolRun { call_id: call, tool_call_id: "tool", name: "take_message" };
    prop_assert!(matches!(block_on(tool_runs::begin(scope, &run, NOW)), Err(StoreError::NotFound(_))));
    let outcome = ToolOutcome { output: "{}".to_owned(), effect: "none".to_owned() };
    prop_assert!(!block_on(tool_runs::finish(scope, &run, &outcome, vec![], NOW)).unwrap());
    let message = NewMessage {
        id: MessageId::new(NOW, &[salt; 10]),
        call_id: call,
        caller_name: None,
        callback_number: None,
        body: "gotcha",
        created_at: NOW,
    };
    prop_assert!(block_on(scope.batch(messages::insert(scope, &message).into())).is_err());
    let voicemail = NewVoicemail {
        id: message.id,
        call_id: call,
        callback_number: None,
        recording_id: "RE1",
        recording_length: None,
        created_at: NOW,
    };
    prop_assert!(!block_on(messages::insert_voicemail(scope, &voicemail)).unwrap());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a01_tenant_isolation(mine in 0_usize..4, theirs in 1_usize..4, salt in any::<u8>()) {
        let world = World::new();
        let (owner, thief) = (world.tenant("+15005550001"), world.tenant("+15005550002"));
        for n in 0..mine {
            world.admitted(&thief, &format!("CAmine{n}"), NOW);
        }
        let theirs: Vec<_> = (0..theirs)
            .map(|n| world.admitted(&owner, &format!("CAtheirs{n}"), NOW.plus(Millis(n as u64))))
            .collect();
        let run = ToolRun { call_id: theirs[0].id, tool_call_id: "tool", name: "take_message" };
        prop_assert_eq!(block_on(tool_runs::begin(&owner.scope, &run, NOW)).unwrap(), Begun::Fresh);

        let before = world.stored.dump();
        prop_assert!(block_on(businesses::fallback_number(&thief.scope, owner.business)).unwrap().is_none());
        for call in &theirs {
            try_everything(&thief, call.id, salt)?;
        }
        prop_assert_eq!(world.stored.dump(), before);

        let list = block_on(calls::list(&thief.scope, &CallFilter::default(), CallSort::Newest, None, PageRequest::default()));
        prop_assert_eq!(list.unwrap().total, mine as u64);
        let other_business = CallFilter { business_id: Some(owner.business), ..CallFilter::default() };
        let list = block_on(calls::list(&thief.scope, &other_business, CallSort::Newest, None, PageRequest::default()));
        prop_assert_eq!(list.unwrap().total, 0);
        prop_assert_eq!(block_on(messages::list(&thief.scope, &MessageFilter::default(), None, PageRequest::default())).unwrap().total, 0);
    }

    /// The same person ringing two tenants cannot be recognised by their hashes.
    #[test]
    fn a01_callers_cannot_be_matched_between_tenants(digits in "[1-9][0-9]{4,13}") {
        let world = World::new();
        let (one, two) = (world.tenant("+15005550001"), world.tenant("+15005550002"));
        let number = format!("+{digits}").parse().unwrap();
        let hash = |tenant: &Tenant| world.lookup.caller(tenant.scope.tenant(), &number);
        prop_assert_ne!(hash(&one), hash(&two));
        prop_assert_ne!(hash(&one), world.lookup.dialled(&number));
    }
}
