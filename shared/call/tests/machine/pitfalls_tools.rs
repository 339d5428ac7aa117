//! Pitfalls 19 to 22: tools.

use serde_json::Value;
use voicecore_call::{EndReason, InteractionKind, JournalEntry, ToolEffect};

use crate::world::{World, config, tag_of};

/// A caller has asked, and answer `r1` calls these tools.
fn asked_for(tools: &[(&str, &str, &str)]) -> World {
    let mut world = World::greeted();
    world.caller_begins("c1");
    world.caller_ends("c1");
    world.caller_said("c1", "Please do it.");
    world.response_by_itself("r1");
    for (id, name, arguments) in tools {
        world.wants_tool("r1", id, name, arguments);
    }
    world
}

fn outputs(world: &World) -> Vec<(String, Value)> {
    let items = world.sent("conversation.item.create");
    let outputs = items.iter().filter(|event| event["item"]["type"] == "function_call_output");
    outputs
        .map(|event| {
            let output = event["item"]["output"].as_str().expect("output is a string");
            let id = event["item"]["call_id"].as_str().unwrap().to_owned();
            (id, serde_json::from_str(output).unwrap_or(Value::Null))
        })
        .collect()
}

#[test]
fn pitfall_19_a_tool_is_run_once_whatever_happens() {
    let mut world = asked_for(&[("t1", "book", r#"{"day":"monday"}"#)]);
    world.wants_tool("r1", "t1", "book", r#"{"day":"monday"}"#);
    world.response_done("r1", "completed");
    world.caller_begins("c2");
    world.caller_ends("c2");
    world.wants_tool("r1", "t1", "book", r#"{"day":"monday"}"#);
    assert_eq!(world.tools.len(), 1, "the interrupted tool runs on, and once");
    world.tool_done("t1", r#"{"booked":1}"#, ToolEffect::None);
    world.tool_done("t1", r#"{"booked":2}"#, ToolEffect::None);
    assert_eq!(outputs(&world).len(), 1);
    // Asked again under the same id after it is done: the same answer, no second run.
    world.response_by_itself("r2");
    world.wants_tool("r2", "t1", "book", r#"{"day":"monday"}"#);
    assert_eq!(world.tools.len(), 1);
    assert_eq!(outputs(&world)[1], ("t1".to_owned(), serde_json::json!({"booked": 2})));
}

#[test]
fn pitfall_19_the_run_is_journaled_before_it_begins_and_its_result_before_it_is_spoken() {
    let mut world = asked_for(&[("t1", "book", "{}")]);
    assert!(matches!(&world.journal[..], [.., JournalEntry::Tool(_), JournalEntry::Interaction(_)]));
    let before = world.journal.len();
    world.tool_done("t1", r#"{"booked":1}"#, ToolEffect::None);
    assert!(
        matches!(&world.journal[before], JournalEntry::Interaction(done) if done.text.contains("booked"))
    );
}

#[test]
fn pitfall_19_after_a_restart_a_finished_tool_is_not_run_and_an_unfinished_one_keeps_its_id() {
    let mut world = asked_for(&[("t1", "book", "{}"), ("t2", "book", r#"{"n":2}"#)]);
    world.tool_done("t1", r#"{"booked":1}"#, ToolEffect::None);
    let mut world = world.resume(config());
    world.attach(2);
    let again: Vec<_> = world.tools.iter().map(|call| (&*call.tool_call_id, &*call.arguments)).collect();
    assert_eq!(again, [("t2", r#"{"n":2}"#)], "the same id: the database makes it one run");
    world.run_for(100);
    world.tool_done("t2", r#"{"booked":2}"#, ToolEffect::None);
    let told: Vec<_> = world.sent("conversation.item.create").iter().map(|e| e["item"].to_string()).collect();
    assert!(told.iter().any(|item| item.contains(r#"\"booked\":1"#)), "{told:?}");
    assert!(told.last().unwrap().contains(r#"\"booked\":2"#), "told in words: the new session never asked");
    assert_eq!(world.tools.len(), 1);
}

/// A world whose process died after the run was journaled and before its entry of the transcript was.
fn killed_after_tool() -> World {
    let mut world = asked_for(&[("t1", "book", r#"{"day":"monday"}"#)]);
    let tool = world.journal.iter().position(|entry| matches!(entry, JournalEntry::Tool(_))).unwrap();
    world.journal.truncate(tool + 1);
    world.resume(config())
}

#[test]
fn pitfall_19_a_run_whose_entry_died_with_the_process_is_known_to_the_next_session() {
    // The result is there before the new session, and after it.
    for early in [true, false] {
        let mut world = killed_after_tool();
        world.attach(2);
        assert_eq!(world.tools.len(), 1);
        if !early {
            world.run_for(100);
            let told = world.sent("conversation.item.create").last().unwrap()["item"].to_string();
            assert!(told.contains("book") && told.contains("not call it again"), "{told}");
        }
        world.tool_done("t1", r#"{"booked":1}"#, ToolEffect::None);
        world.run_for(100);
        let told = world.sent("conversation.item.create").last().unwrap()["item"].to_string();
        assert!(told.contains(r#"\"booked\":1"#), "early: {early}, {told}");
        assert_eq!(world.transcript().last().unwrap(), r#"system: {"booked":1}"#);
        // The next process knows that it is done.
        let mut world = world.resume(config());
        world.attach(3);
        assert_eq!(world.tools, []);
    }
}

#[test]
fn pitfall_19_a_run_whose_entry_died_with_the_call_is_in_the_transcript() {
    let mut world = killed_after_tool();
    world.abandon();
    let kind = |name: &str| InteractionKind::Tool { name: name.to_owned(), tool_call_id: "t1".to_owned() };
    assert_eq!(world.summary().interactions.last().unwrap().kind, kind("book"));
}

#[test]
fn pitfall_20_every_tool_call_is_answered_also_when_it_cannot_be_run() {
    let mut world = asked_for(&[
        ("t1", "no_such_tool", "{}"),
        ("t2", "book", "{not json"),
        ("t3", "book", "[1]"),
        ("t4", "book", ""),
        ("t5", "book", "{}"),
    ]);
    world.response_done("r1", "completed");
    assert_eq!(world.tools.iter().map(|call| &*call.tool_call_id).collect::<Vec<_>>(), ["t4", "t5"]);
    assert_eq!(world.tools[0].arguments, "{}");
    world.tool_done("t4", r#"{"ok":true}"#, ToolEffect::None);
    assert_eq!(world.sent("response.create").len(), 1, "one is still running");
    // The last one never answers.
    world.run_for(20_100);
    let answered = outputs(&world);
    let errors: Vec<_> =
        answered.iter().map(|(id, output)| (&**id, output["error"].as_str().unwrap_or("-"))).collect();
    assert_eq!(
        errors,
        [
            ("t1", "unknown_tool"),
            ("t2", "invalid_arguments"),
            ("t3", "invalid_arguments"),
            ("t4", "-"),
            ("t5", "timeout")
        ]
    );
    assert_eq!(world.sent("response.create").len(), 2);
}

#[test]
fn pitfall_20_cut_arguments_are_not_acted_on() {
    let mut world = World::greeted();
    world.response_by_itself("r1");
    world.model_says(
        &serde_json::json!({"type": "response.function_call_arguments.done", "response_id": "r1",
        "call_id": "t1", "name": "book", "arguments": "{\"day\":\"mon"}),
    );
    world.model_says(&serde_json::json!({"type": "response.output_item.done", "response_id": "r1", "item":
        {"type": "function_call", "status": "incomplete", "call_id": "t1", "name": "book", "arguments": "{\"day\""}}));
    assert!(world.tools.is_empty());
}

#[test]
fn pitfall_20_a_loop_of_tools_has_an_end() {
    let mut world = World::greeted();
    for n in 0..250 {
        let (response, id) = (format!("r{n}"), format!("t{n}"));
        world.response_by_itself(&response);
        world.wants_tool(&response, &id, "book", "{}");
        world.tool_done(&id, "{}", ToolEffect::None);
        world.response_done(&response, "completed");
    }
    assert_eq!(world.tools.len(), 200);
    assert_eq!(outputs(&world).len(), 250);
}

#[test]
fn pitfall_21_one_answer_after_all_tools_of_an_answer() {
    let mut world = asked_for(&[("t1", "book", "{}"), ("t2", "book", "{}")]);
    world.tool_done("t1", "{}", ToolEffect::None);
    world.tool_done("t2", "{}", ToolEffect::None);
    assert_eq!(world.sent("response.create").len(), 1, "the answer itself is not over");
    world.response_done("r1", "completed");
    assert_eq!(world.sent("response.create").len(), 2);
    assert!(
        world.sent("response.create")[1]["response"]["instructions"].is_null(),
        "in the session's own words"
    );
    assert_eq!(outputs(&world).len(), 2);
    world.says("r2", "i2", 500, "Both are booked.");
    world.run_for(1_000);
    assert_eq!(world.sent("response.create").len(), 2, "and not again");
}

#[test]
fn pitfall_21_a_goodbye_that_came_with_the_tool_is_not_said_twice() {
    let mut world = World::greeted();
    world.caller_begins("c1");
    world.caller_ends("c1");
    world.response_by_itself("r1");
    world.words("r1", "i1", "Goodbye!");
    world.audio("r1", "i1", 900, tag_of("i1"));
    world.item_done("r1", "i1", "Goodbye!");
    world.wants_tool("r1", "t1", "end_call", "{}");
    world.response_done("r1", "completed");
    world.tool_done("t1", r#"{"ok":true}"#, ToolEffect::EndCall);
    assert_eq!(world.sent("response.create").len(), 1);
    world.run_for(850);
    assert_eq!(world.carrier_closed, 0);
    world.run_for(100);
    assert_eq!(world.carrier_closed, 1);
    world.run_for(4_000);
    assert_eq!(world.summary().reason, EndReason::AssistantEnded);
}

#[test]
fn pitfall_21_a_silent_end_of_call_gets_its_goodbye() {
    let mut world = asked_for(&[("t1", "end_call", "{}")]);
    world.response_done("r1", "completed");
    world.tool_done("t1", r#"{"ok":true}"#, ToolEffect::EndCall);
    assert!(world.instructions_of_last_request().contains("goodbye"));
    world.says("r2", "i2", 600, "Goodbye.");
    world.run_for(700);
    assert_eq!(world.carrier_closed, 1);
}

#[test]
fn pitfall_22_while_a_tool_runs_the_caller_hears_something() {
    let mut world = asked_for(&[("t1", "book", "{}")]);
    world.response_done("r1", "completed");
    let since = world.now();
    world.run_for(10_000);
    let tones = world.tones();
    assert!(tones[0] - since <= 4_000, "{tones:?}");
    assert!(tones.windows(2).all(|pair| pair[1] - pair[0] <= 4_000), "{tones:?}");
    world.tool_done("t1", "{}", ToolEffect::None);
    world.says("r2", "i2", 500, "Done.");
    let count = world.tones().len();
    world.run_for(4_000);
    assert_eq!(world.tones().len(), count, "no tones once it speaks");
}
