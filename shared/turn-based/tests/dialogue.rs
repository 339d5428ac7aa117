//! What holds for every dialogue, whatever comes in which order.
#![expect(clippy::unwrap_used, reason = "helpers of tests; the lint knows only `#[test]` functions")]

use proptest::prelude::*;
use serde_json::json;
use voicecore_call::{
    CallConfig, EndReason, InteractionKind, Intervention, Limits, OperatorCommand, SessionConfig, Speaker,
    ToolEffect, ToolResult, TurnDetection,
};
use voicecore_turn_based::{Dialogue, Heard, MAX_REPLY_CHARS, Owed, PATIENCE};
use voicecore_types::Millis;
use voicecore_wire::openai::chat::{ChatAnswer, ChatCall, ChatUsage};

const NOW: Millis = Millis(1_795_000_000_000);

fn config(transfer_available: bool) -> CallConfig {
    CallConfig {
        call_id: "01939a2b-0000-7000-8000-000000000001".parse().unwrap(),
        carrier_call_id: "CA1".to_owned(),
        session: SessionConfig {
            model: "gpt-4.1-mini".to_owned(),
            voice: "marin".to_owned(),
            instructions: "Be brief.".to_owned(),
            greeting: "Hello.".to_owned(),
            language: Some("en".to_owned()),
            transcription_model: String::new(),
            turn_detection: TurnDetection::SemanticVad { eagerness: "auto".to_owned() },
            noise_reduction: None,
            tools: vec![],
            max_output_tokens: 100,
        },
        limits: Limits::default(),
        transfer_available,
    }
}

fn answer(text: Option<&str>, tools: usize) -> ChatAnswer {
    let call = ChatCall { name: "take_message".to_owned(), arguments: "{}".to_owned() };
    ChatAnswer {
        text: text.map(str::to_owned),
        calls: vec![call; tools],
        usage: ChatUsage { text_in: 1, text_cached: 2, text_out: 3 },
    }
}

#[derive(Debug, Clone)]
enum Event {
    Heard { speech: Option<String>, confidence: Option<f32>, digits: Option<String> },
    Answered { text: Option<String>, tools: usize },
    Failed { fatal: bool },
    Ran { right: bool, effect: ToolEffect },
    LastWordsSaid,
    End,
}

fn event() -> impl Strategy<Value = Event> {
    let effect = prop_oneof![
        6 => Just(ToolEffect::None), 1 => Just(ToolEffect::EndCall), 1 => Just(ToolEffect::Transfer)
    ];
    let heard = (
        prop::option::of("[a-z ]{0,12}|…"),
        prop::option::of(0.0_f32..1.0),
        prop::option::weighted(0.2, "[0-9*#]{0,2}"),
    );
    prop_oneof![
        6 => heard.prop_map(|(speech, confidence, digits)| Event::Heard { speech, confidence, digits }),
        6 => (prop::option::of("[a-z ]{1,12}"), 0_usize..3)
            .prop_map(|(text, tools)| Event::Answered { text, tools }),
        2 => any::<bool>().prop_map(|fatal| Event::Failed { fatal }),
        4 => (any::<bool>(), effect).prop_map(|(right, effect)| Event::Ran { right, effect }),
        1 => Just(Event::LastWordsSaid),
        1 => Just(Event::End),
    ]
}

fn apply(dialogue: &mut Dialogue, config: &CallConfig, now: Millis, event: &Event) {
    match event {
        Event::Heard { speech, confidence, digits } => {
            let heard =
                Heard { speech: speech.as_deref(), confidence: *confidence, digits: digits.as_deref() };
            dialogue.heard(config, now, &heard);
        }
        Event::Answered { text, tools } => dialogue.answered(config, now, answer(text.as_deref(), *tools)),
        Event::Failed { fatal } => dialogue.failed(config, now, *fatal),
        Event::Ran { right, effect } => {
            let id = match dialogue.owed() {
                Owed::Tools([first, ..]) if *right => first.tool_call_id.clone(),
                _ => "another".to_owned(),
            };
            let result = ToolResult { tool_call_id: id, output: "{}".to_owned(), effect: *effect };
            dialogue.ran(now, &result);
        }
        Event::LastWordsSaid => dialogue.last_words_said(),
        Event::End => dialogue.end(EndReason::CallerHungUp),
    }
}

fn tools(dialogue: &Dialogue) -> Vec<String> {
    let id = |kind| match kind {
        InteractionKind::Tool { tool_call_id, .. } => Some(tool_call_id),
        _ => None,
    };
    dialogue.interactions().into_iter().filter_map(|entry| id(entry.kind)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// What does not belong to the moment changes nothing; the end is the end; no tool call has two results; and what is
    /// stored comes back as it was.
    #[test]
    fn any_order_of_events_keeps_the_dialogue_whole(
        transfer in any::<bool>(),
        events in prop::collection::vec((event(), 0_u64..20_000), 0..60),
    ) {
        let config = config(transfer);
        let mut dialogue = Dialogue::begin(&config, NOW);
        let mut now = NOW;
        for (event, later) in &events {
            now = now.plus(Millis(*later));
            let before = dialogue.clone();
            apply(&mut dialogue, &config, now, event);
            let expected = matches!(
                (before.owed(), event),
                (Owed::Caller { .. }, Event::Heard { .. } | Event::End)
                    | (Owed::Model { .. }, Event::Answered { .. } | Event::Failed { .. } | Event::End)
                    | (Owed::Tools(_), Event::Ran { right: true, .. } | Event::Failed { .. } | Event::End)
                    | (Owed::LastWords { .. }, Event::LastWordsSaid | Event::End)
            );
            let usage_only = matches!(event, Event::Answered { .. });
            prop_assert!(expected || usage_only || dialogue == before, "{event:?} in {:?}", before.owed());
            if usage_only && !expected {
                prop_assert_eq!(dialogue.owed(), before.owed());
            }
            let stored = serde_json::to_string(&dialogue).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Dialogue>(&stored).unwrap(), &dialogue);
            let mut ids = tools(&dialogue);
            let all = ids.len();
            ids.sort();
            ids.dedup();
            prop_assert_eq!(ids.len(), all);
            if let Owed::Caller { say } | Owed::LastWords { say } = dialogue.owed() {
                prop_assert!(!say.is_empty(), "the caller hears nothing");
            }
            let entries = dialogue.interactions();
            prop_assert!(entries.windows(2).all(|two| two[0].seq + 1 == two[1].seq && two[0].end_ms <= two[1].start_ms));
            let over = matches!(dialogue.owed(), Owed::Over(_));
            prop_assert_eq!(dialogue.summary(config.call_id, now).is_some(), over);
            // Whatever the model is asked, each tool's answer stands right behind its call.
            prop_assert!(serde_json::to_value(dialogue.request(&config, "m")).is_ok());
        }
    }
}

#[test]
fn patience_stays_below_what_twilio_gives() {
    let longest = PATIENCE.iter().max().unwrap();
    assert!(*longest <= Millis::from_secs(12));
    assert!(PATIENCE.windows(2).all(|two| two[0] < two[1]));
}

#[test]
fn model_that_only_calls_tools_is_given_up() {
    let config = config(true);
    let mut dialogue = Dialogue::begin(&config, NOW);
    dialogue.heard(&config, NOW, &Heard { speech: Some("Hi"), ..Heard::default() });
    let mut runs = 0;
    for _ in 0..100 {
        match dialogue.owed() {
            Owed::Model { .. } => dialogue.answered(&config, NOW, answer(None, 1)),
            Owed::Tools(calls) => {
                let result = ToolResult {
                    tool_call_id: calls[0].tool_call_id.clone(),
                    output: "{}".to_owned(),
                    effect: ToolEffect::None,
                };
                runs += 1;
                dialogue.ran(NOW, &result);
            }
            other => {
                assert_eq!(other, Owed::Over(EndReason::ModelUnavailable));
                assert_eq!(runs, 4);
                return;
            }
        }
    }
    unreachable!("it never ended");
}

/// The transcript has it.
#[test]
fn what_was_said_before_tools_is_heard_though_the_model_is_lost_then() {
    let config = config(true);
    for fatal in [true, false] {
        let mut dialogue = Dialogue::begin(&config, NOW);
        dialogue.heard(&config, NOW, &Heard { speech: Some("Hi"), ..Heard::default() });
        dialogue.answered(&config, NOW, answer(Some("Let me see."), 1));
        let Owed::Tools([call]) = dialogue.owed() else { panic!("no tool") };
        let tool_call_id = call.tool_call_id.clone();
        dialogue.ran(NOW, &ToolResult { tool_call_id, output: "{}".to_owned(), effect: ToolEffect::None });
        while let Owed::Model { .. } = dialogue.owed() {
            dialogue.failed(&config, NOW, fatal);
        }
        assert!(dialogue.interactions().iter().any(|entry| entry.text == "Let me see."));
        assert_eq!(dialogue.owed(), Owed::LastWords { say: "Let me see." });
        dialogue.last_words_said();
        assert_eq!(dialogue.owed(), Owed::Over(EndReason::ModelUnavailable));
    }
}

/// Whoever ends it, and whether the tool has run by then or not.
#[test]
fn what_was_said_before_tools_is_unsaid_when_the_call_ends_meanwhile() {
    let config = config(true);
    let by_operator = Intervention {
        id: "i1".to_owned(),
        actor_kind: "user".to_owned(),
        actor_id: "u1".to_owned(),
        command: OperatorCommand::End { at_once: true },
    };
    for (ran, operator) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut dialogue = Dialogue::begin(&config, NOW);
        dialogue.heard(&config, NOW, &Heard { speech: Some("Hi"), ..Heard::default() });
        dialogue.answered(&config, NOW, answer(Some("Yes?"), 0));
        dialogue.heard(&config, NOW, &Heard { speech: Some("Call me."), ..Heard::default() });
        dialogue.answered(&config, NOW, answer(Some("I have written that down."), 1));
        if ran {
            apply(&mut dialogue, &config, NOW, &Event::Ran { right: true, effect: ToolEffect::None });
        }
        if operator {
            assert!(dialogue.intervene(NOW, &by_operator));
        } else {
            dialogue.end(EndReason::CallerHungUp);
        }
        let left = dialogue.interactions();
        let spoken = left.iter().filter(|entry| entry.kind == InteractionKind::Speech);
        let said: Vec<_> = spoken.map(|entry| entry.text.as_str()).collect();
        assert_eq!(said, ["Hello.", "Hi", "Yes?", "Call me."], "{ran} {operator}");
        assert_eq!(left.len(), 4 + usize::from(ran) + usize::from(operator));
        assert!((1..).zip(&left).all(|(seq, entry)| entry.seq == seq), "{left:?}");
    }
}

#[test]
fn long_replies_are_cut() {
    let config = config(true);
    let mut dialogue = Dialogue::begin(&config, NOW);
    dialogue.heard(&config, NOW, &Heard { speech: Some("Hi"), ..Heard::default() });
    dialogue.answered(&config, NOW.plus(Millis(700)), answer(Some(&"é".repeat(9_000)), 0));
    let Owed::Caller { say } = dialogue.owed() else { panic!() };
    assert_eq!(say.chars().count(), MAX_REPLY_CHARS);
    let last = dialogue.interactions().pop().unwrap();
    assert_eq!((last.speaker, last.latency_ms), (Speaker::Assistant, Some(700)));
}

/// Another version of the code reads it in the middle of a call: a change here is a decision.
#[test]
fn stored_format_is_fixed() {
    let config = config(true);
    let mut dialogue = Dialogue::begin(&config, NOW);
    dialogue.heard(&config, NOW.plus(Millis(900)), &Heard { speech: Some("Hi"), ..Heard::default() });
    dialogue.answered(&config, NOW.plus(Millis(1_500)), answer(Some("Well."), 1));
    let entry = |seq, speaker, text, at, latency: Option<u64>| {
        json!({"entry": {
            "seq": seq, "speaker": speaker, "kind": "speech", "text": text, "start_ms": at, "end_ms": at,
            "cut_at_ms": null, "estimated": false, "latency_ms": latency,
        }})
    };
    let wire = json!({
        "started_at": NOW.0,
        "log": [
            entry(1, "assistant", "Hello.", 0, None),
            entry(2, "caller", "Hi", 900, None),
            entry(3, "assistant", "Well.", 1_500, Some(600)),
        ],
        "phase": {"thinking": {
            "tries": 0, "rounds": 1, "said": "Well.", "leaving": null,
            "pending": [{"tool_call_id": "turn_1", "name": "take_message", "arguments": "{}"}],
        }},
        "usage": {
            "text_in": 1, "text_cached": 2, "text_out": 3, "audio_in": 0, "audio_cached": 0, "audio_out": 0,
        },
        "silent": 0, "unclear": 0, "runs": 1, "heard_at": null,
    });
    assert_eq!(serde_json::to_value(&dialogue).unwrap(), wire);
    assert_eq!(serde_json::from_value::<Dialogue>(wire).unwrap(), dialogue);
}
