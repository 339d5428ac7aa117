//! What a session does with what it hears and is told.

mod faults;
mod oracle;
mod rig;

use serde_json::{Value, json};

use self::rig::{PCMU, Rig};
use super::*;
use crate::speech::{FRAME_MS, encode};

#[test]
fn a_whole_turn_has_the_documented_order() {
    let mut rig = Rig::configured();
    assert_eq!(rig.types(), ["session.created", "session.updated"]);
    rig.silence(500);
    rig.say("When do you open?");
    rig.silence(600);
    let turn = rig.types();
    assert_eq!(
        turn,
        [
            "input_audio_buffer.speech_started",
            "input_audio_buffer.speech_stopped",
            "input_audio_buffer.committed",
            "conversation.item.added",
            "conversation.item.done",
            "response.created",
            "rate_limits.updated",
        ]
    );
    rig.wait(6_000);
    let done = rig.last("response.done")["response"].clone();
    assert_eq!(done["status"], "completed");
    assert_eq!(done["output"][0]["content"][0]["type"], "output_audio");
    let text = done["output"][0]["content"][0]["transcript"].as_str().unwrap().to_owned();
    assert!(text.starts_with("We are open from nine"));
    let transcript = rig.last("conversation.item.input_audio_transcription.completed");
    assert_eq!(transcript["transcript"], "When do you open?");
    let types = rig.types();
    let speech: Vec<&str> = types
        .iter()
        .map(String::as_str)
        .filter(|t| !t.contains("transcription") && !t.ends_with("delta"))
        .collect();
    assert_eq!(
        speech,
        [
            "response.output_item.added",
            "conversation.item.added",
            "response.content_part.added",
            "response.output_audio.done",
            "response.output_audio_transcript.done",
            "response.content_part.done",
            "conversation.item.done",
            "response.output_item.done",
            "response.done",
        ]
    );
    assert_eq!(rig.rules(), Vec::<String>::new());
    let report = rig.session.report().lock().unwrap().clone();
    assert_eq!((report.turns.len(), report.responses[0].text.as_str()), (1, text.as_str()));
}

#[test]
fn audio_comes_faster_than_real_time_and_usage_fits_it() {
    let mut rig = Rig::configured();
    rig.send(&json!({ "type": "response.create", "response": { "instructions": "Say: \"One two three four five six seven.\"" } }));
    rig.wait(10_000);
    let sent: usize = rig
        .find("response.output_audio.delta")
        .iter()
        .map(|event| event["delta"].as_str().unwrap().len() / 4 * 3 / 8)
        .sum();
    let times: Vec<u64> = rig
        .came
        .iter()
        .filter(|(_, e)| e["type"] == "response.output_audio.delta")
        .map(|(at, _)| *at)
        .collect();
    let took = times.last().unwrap() - times[0];
    assert!(sent > 1_500 && took < sent as u64 / 3, "{sent} ms in {took} ms");
    assert!((300..=425).contains(&times[0]), "{times:?}");
    let usage = &rig.last("response.done")["response"]["usage"];
    let audio = usage["output_token_details"]["audio_tokens"].as_u64().unwrap();
    assert!(audio.abs_diff(sent as u64 / 50) <= 1);
    assert_eq!(
        usage["total_tokens"].as_u64().unwrap(),
        usage["input_tokens"].as_u64().unwrap() + usage["output_tokens"].as_u64().unwrap()
    );
}

#[test]
fn an_interruption_cancels_after_late_deltas_and_the_client_cuts() {
    let mut rig = Rig::configured();
    rig.send(&json!({ "type": "response.create", "response": { "instructions": "Say: \"This is a sentence which is long enough that somebody may break in before all of it was sent, and so on and on and on and on.\"" } }));
    rig.silence(800);
    rig.came.clear();
    rig.say("Wait.");
    let types = rig.types();
    let at =
        |kind: &str| types.iter().position(|t| t == kind).unwrap_or_else(|| panic!("{kind} in {types:?}"));
    assert!(at("input_audio_buffer.speech_started") < at("response.output_audio.done"));
    assert!(at("response.output_item.done") < at("response.done"));
    let report = rig.session.report().lock().unwrap().clone();
    let response = &report.responses[0];
    assert_eq!((response.status.as_str(), response.reason.as_deref()), ("cancelled", Some("turn_detected")));
    let (item, sent) = (&response.items[0].item_id, response.items[0].sent_ms);
    assert!(sent > 1_000 && sent < 5_000, "{sent}");

    let truncate = |id: &str, ms: u32| json!({ "type": "conversation.item.truncate", "event_id": "evt_t", "item_id": id, "content_index": 0, "audio_end_ms": ms });
    rig.send(&truncate(item, sent + 1));
    rig.send(&truncate("item_nobody", 10));
    assert_eq!(rig.codes(), ["invalid_value", "item_truncate_invalid_item_id"]);
    assert_eq!(rig.last("error")["error"]["event_id"], "evt_t");
    assert!(rig.find("error")[0]["error"]["message"].as_str().unwrap().contains("already shorter than"));
    rig.send(&truncate(item, 500));
    assert_eq!(rig.last("conversation.item.truncated")["audio_end_ms"], 500);
    rig.send(&json!({ "type": "conversation.item.retrieve", "item_id": item }));
    assert_eq!(rig.last("conversation.item.retrieved")["item"]["content"][0]["transcript"], "");
    let cut = rig.session.report().lock().unwrap().truncations.clone();
    assert_eq!((cut.len(), cut[0].audio_end_ms, cut[0].sent_ms), (1, 500, sent));
    assert!(cut[0].text.starts_with("This"));
    assert_eq!(rig.rules().len(), 2);
}

#[test]
fn late_deltas_come_between_speech_started_and_the_end() {
    let mut rig = Rig::configured();
    rig.send(&json!({ "type": "response.create", "response": { "instructions": "Say: \"This is a sentence which is long enough that somebody may break in before all of it was sent, and so on.\"" } }));
    rig.silence(800);
    let loud: Vec<_> = vec![std::array::from_fn(|n| encode((9_000.0 * (n as f64 * 0.4).sin()) as i16)); 10];
    rig.came.clear();
    rig.hear(&loud);
    let kinds: Vec<&str> = rig.came.iter().map(|(_, e)| e["type"].as_str().unwrap()).collect();
    let started = kinds.iter().position(|k| *k == "input_audio_buffer.speech_started").unwrap();
    let done = kinds.iter().position(|k| *k == "response.done").unwrap();
    let late = kinds[started..done].iter().filter(|k| **k == "response.output_audio.delta").count();
    assert_eq!(late, Timing::default().late_deltas);
    assert!(!kinds[done..].contains(&"response.output_audio.delta"));
}

#[test]
fn a_tool_is_called_after_the_speech_and_its_answer_is_expected_under_its_id() {
    let mut rig = Rig::configured();
    rig.silence(200);
    rig.say("That is all, goodbye.");
    rig.silence(600);
    rig.wait(6_000);
    let done = rig.find("response.output_item.done");
    let kinds: Vec<&str> = done.iter().map(|event| event["item"]["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["message", "function_call"]);
    let call = done[1]["item"].clone();
    assert_eq!((call["name"].as_str(), call["status"].as_str()), (Some("end_call"), Some("completed")));
    let arguments = rig.last("response.function_call_arguments.done");
    assert_eq!(arguments["arguments"], call["arguments"]);
    let answer = |id: &Value| json!({ "type": "conversation.item.create", "item": { "type": "function_call_output", "call_id": id, "output": "{}" } });
    let (good, unknown) = (answer(&call["call_id"]), answer(&json!("call_nobody")));
    rig.send(&unknown);
    assert_eq!(rig.codes(), ["invalid_tool_call_id"]);
    rig.send(&good);
    assert_eq!(rig.last("conversation.item.done")["item"]["type"], "function_call_output");
    rig.send(&json!({ "type": "response.create" }));
    rig.wait(6_000);
    assert_eq!(rig.find("response.done").len(), 2);
    rig.send(&good);
    assert_eq!(rig.rules(), ["invalid_tool_call_id", "second_function_call_output"]);
}

#[test]
fn what_is_out_of_order_is_refused_or_blamed() {
    let mut rig = Rig::new();
    rig.send(&json!({ "type": "input_audio_buffer.append", "audio": "////" }));
    assert_eq!(rig.rules(), ["audio_before_session_update"]);
    rig.send(PCMU);
    rig.send(&json!({ "type": "response.cancel" }));
    assert_eq!(rig.codes(), ["response_cancel_not_active"]);
    assert_eq!(rig.rules().len(), 1, "harmless");
    rig.send(&json!({ "type": "response.create" }));
    rig.send(&json!({ "type": "response.create" }));
    assert_eq!(rig.rules().len(), 1, "they may have crossed");
    rig.wait(500);
    rig.send(&json!({ "type": "response.create" }));
    assert_eq!(rig.codes()[1..], ["conversation_already_has_active_response"; 2]);
    assert_eq!(rig.rules().len(), 2);
    rig.send(&json!({ "type": "conversation.item.delete", "item_id": "item_nobody" }));
    rig.send(&json!({ "type": "input_audio_buffer.append", "audio": "no base64!" }));
    rig.send("{");
    rig.session.binary(rig.now, 3);
    rig.collect();
    assert_eq!(
        rig.codes()[3..],
        ["item_delete_invalid_item_id", "invalid_value", "invalid_json", "invalid_frame"]
    );
    rig.send(&json!({ "type": "input_audio_buffer.append", "audio": "/".repeat(15 * 1024 * 1024 + 4) }));
    assert_eq!(rig.codes().last(), Some(&"string_above_max_length"));
    rig.send(&json!({ "type": "response.cancel" }));
    rig.wait(100);
    assert_eq!(rig.last("response.done")["response"]["status_details"]["reason"], "client_cancelled");
}

#[test]
fn a_turn_with_missing_frames_is_understood_without_their_words() {
    let mut rig = Rig::configured();
    let utterance = rig.caller("Tell me the price of the blue bicycle please.");
    let lost = utterance.words.iter().find(|word| word.text == "blue").unwrap();
    let middle = (lost.start_ms.midpoint(lost.end_ms) / FRAME_MS) as usize;
    let mut frames = utterance.frames.clone();
    frames.remove(middle);
    rig.hear(&frames);
    rig.silence(600);
    rig.wait(2_000);
    let transcript = rig.last("conversation.item.input_audio_transcription.completed");
    assert_eq!(transcript["transcript"], "Tell me the price of the bicycle please.");
    rig.shared.registry.sent(utterance.id, utterance.frames.len() as u32);
    assert_eq!(rig.shared.registry.delivery(utterance.id).unwrap().lost, 1);
}

#[test]
fn silence_after_speech_triggers_the_timeout_once() {
    let mut rig = Rig::new();
    let update = PCMU.replace(
        r#""transcription""#,
        r#""turn_detection":{"type":"server_vad","idle_timeout_ms":5000},"transcription""#,
    );
    rig.send(&update);
    rig.send(&
        json!({ "type": "response.create", "response": { "instructions": "Say: \"Good morning to you.\"" } }),
    );
    rig.silence(6_000);
    assert_eq!(
        rig.find("input_audio_buffer.timeout_triggered").len(),
        0,
        "counts from the end of the playback"
    );
    rig.silence(2_000);
    let timeout = rig.last("input_audio_buffer.timeout_triggered");
    let span = timeout["audio_end_ms"].as_u64().unwrap() - timeout["audio_start_ms"].as_u64().unwrap();
    assert_eq!(span, 5_000);
    assert_eq!(rig.session.report().lock().unwrap().responses[1].text, "Are you still there?");
}

#[test]
fn without_automatic_replies_the_client_asks_and_nothing_is_interrupted() {
    let mut rig = Rig::new();
    let update = PCMU.replace(
        r#""transcription""#,
        r#""turn_detection":{"type":"server_vad","create_response":false,"interrupt_response":false},"transcription""#,
    );
    rig.send(&update);
    rig.send(&json!({ "type": "response.create" }));
    rig.silence(400);
    rig.say("Is there parking?");
    rig.silence(600);
    rig.wait(5_000);
    assert_eq!(rig.find("response.done").len(), 1);
    assert_eq!(rig.last("response.done")["response"]["status"], "completed");
    rig.send(&json!({ "type": "response.create" }));
    rig.wait(9_000);
    assert!(rig.session.report().lock().unwrap().responses[1].text.contains("parking"));
    assert_eq!(rig.rules(), Vec::<String>::new());
}
