//! Judged by somebody else: the types of npm's `openai`.

use std::{path::Path, process::Command};

use serde_json::{Value, json};

use super::super::*;
use super::rig::{PCMU, Rig};
use crate::openai::faults::{Fault, Trigger};

/// Everything that a session can send, once.
fn everything() -> Vec<Value> {
    let mut events = Vec::new();
    let idle = r#""turn_detection":{"type":"server_vad","idle_timeout_ms":5000},"transcription""#;

    let mut rig = Rig::new();
    rig.send(&PCMU.replace(r#""transcription""#, idle).replace("gpt-4o-mini-transcribe", "whisper-1"));
    rig.send(&json!({ "type": "response.create", "response": { "instructions": "Say: \"Good morning.\"" } }));
    rig.silence(9_000);
    rig.say("Tell me a story.");
    rig.silence(1_500);
    rig.say("Stop.");
    let item = rig.session.report().lock().unwrap().responses.last().unwrap().items[0].item_id.clone();
    for what in ["truncate", "retrieve", "delete"] {
        let mut event = json!({ "type": format!("conversation.item.{what}"), "item_id": item });
        if what == "truncate" {
            event["content_index"] = json!(0);
            event["audio_end_ms"] = json!(300);
        }
        rig.send(&event);
    }
    events.append(&mut rig.came);

    let mut rig = Rig::configured();
    rig.say("Goodbye.");
    rig.silence(600);
    rig.wait(6_000);
    let call = rig.last("response.function_call_arguments.done")["call_id"].clone();
    let output = json!({ "type": "function_call_output", "call_id": call, "output": "{}" });
    let user =
        json!({ "type": "message", "role": "user", "content": [{ "type": "input_text", "text": "Hi" }] });
    let assistant = json!({ "type": "message", "role": "assistant", "content": [{ "type": "output_text", "text": "Hi" }] });
    for item in [output, user, assistant] {
        rig.send(&json!({ "type": "conversation.item.create", "item": item }));
    }
    rig.send(&json!({ "type": "response.create", "response": { "conversation": "none", "metadata": { "a": "b" } } }));
    rig.send(&json!({ "type": "response.cancel" }));
    rig.silence(200);
    rig.send(&json!({ "type": "input_audio_buffer.commit" }));
    rig.send(&json!({ "type": "input_audio_buffer.clear" }));
    rig.send(&json!({ "type": "session.update", "session": { "type": "realtime", "voice": "x" } }));
    rig.wait(10_000);
    let fail = Fault::once(Trigger::Now, FaultKind::FailResponses { count: 1, code: "server_error".into() });
    rig.session.inject_at(rig.now, fail.what);
    rig.send(&json!({ "type": "response.create" }));
    rig.wait(1_000);
    rig.send(&json!({ "type": "response.create", "response": { "max_output_tokens": 10 } }));
    rig.wait(4_000_000);
    events.append(&mut rig.came);
    events.into_iter().map(|(_, event)| event).collect()
}

#[test]
fn the_published_types_know_every_event_and_every_field() {
    let events = everything();
    let kinds: std::collections::BTreeSet<&str> =
        events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds.len(), 28, "{kinds:#?}");
    let statuses: std::collections::BTreeSet<&str> = events
        .iter()
        .filter(|e| e["type"] == "response.done")
        .map(|e| e["response"]["status"].as_str().unwrap())
        .collect();
    assert_eq!(statuses.into_iter().collect::<Vec<_>>(), ["cancelled", "completed", "failed", "incomplete"]);

    let file = std::env::temp_dir().join(format!("voicecore-server-{}.ndjson", std::process::id()));
    let lines: Vec<String> = events.iter().map(Value::to_string).collect();
    std::fs::write(&file, lines.join("\n")).unwrap();
    let oracle = Path::new(env!("CARGO_MANIFEST_DIR")).join("../oracles/openai.mjs");
    let verdict = Command::new("node").arg(&oracle).arg("--server").arg(&file).output();
    std::fs::remove_file(&file).unwrap();
    let verdict = verdict.expect("node is there: `cargo xtask setup`");
    let words = String::from_utf8_lossy(&verdict.stdout) + String::from_utf8_lossy(&verdict.stderr);
    assert!(verdict.status.success(), "{words}");
}
