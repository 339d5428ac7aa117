//! What goes wrong on command.

use serde_json::{Value, json};

use super::super::*;
use super::rig::{PCMU, Rig};
use crate::openai::faults::{Fault, FaultPlan, Trigger};

#[test]
fn faults_happen_when_they_are_told_to() {
    let fault =
        |when, what| Rig::with(Timing::default(), FaultPlan { faults: vec![Fault::once(when, what)] });
    let greet = json!({ "type": "response.create" });

    let mut rig = fault(Trigger::Speech { ms: 700 }, FaultKind::Drop);
    rig.send(PCMU);
    rig.send(&greet);
    rig.wait(300 + 650);
    assert_eq!(rig.end, None);
    rig.wait(200);
    assert_eq!(rig.end, Some(Output::Drop));

    let mut rig = fault(Trigger::Response { nth: 1 }, FaultKind::Hang);
    rig.send(PCMU);
    rig.send(&greet);
    rig.wait(60_000);
    rig.send(&json!({ "type": "response.cancel" }));
    rig.wait(1_000);
    assert_eq!((rig.find("response.created").len(), rig.find("response.done").len()), (1, 0));

    let mut rig = fault(
        Trigger::Response { nth: 1 },
        FaultKind::FailResponses { count: 1, code: "server_error".into() },
    );
    rig.send(PCMU);
    rig.send(&greet);
    rig.wait(1_000);
    let done = rig.last("response.done")["response"].clone();
    assert_eq!(
        (done["status"].as_str(), done["status_details"]["error"]["code"].as_str()),
        (Some("failed"), Some("server_error"))
    );
    rig.send(&greet);
    rig.wait(9_000);
    assert_eq!(rig.last("response.done")["response"]["status"], "completed");

    let mut rig = fault(Trigger::Session { ms: 1_000 }, FaultKind::Stall { ms: 3_000 });
    rig.send(PCMU);
    rig.wait(1_000);
    rig.came.clear();
    rig.send(&greet);
    rig.wait(2_900);
    assert_eq!(rig.came.len(), 0);
    rig.wait(200);
    assert!(!rig.find("response.output_audio.delta").is_empty());

    let mut rig = fault(Trigger::Session { ms: 10 }, FaultKind::SessionExpired);
    rig.wait(20);
    assert_eq!(rig.codes(), ["session_expired"]);
    assert!(matches!(&rig.end, Some(Output::Close { code: 1001, .. })));

    let mut rig = fault(Trigger::Session { ms: 10 }, FaultKind::Malformed);
    rig.wait(20);
    assert!(serde_json::from_str::<Value>(&rig.faults[0]).is_err());
}

#[test]
fn slow_audio_is_slow_and_a_session_ends_at_its_cap() {
    let slow = Fault::once(Trigger::Session { ms: 0 }, FaultKind::SlowAudio { factor: 8.0 });
    let timing = Timing { session_cap_ms: 120_000, ..Timing::default() };
    let mut rig = Rig::with(timing, FaultPlan { faults: vec![slow] });
    rig.wait(1);
    rig.send(PCMU);
    rig.send(&json!({ "type": "response.create" }));
    rig.wait(30_000);
    let times: Vec<u64> = rig
        .came
        .iter()
        .filter(|(_, e)| e["type"] == "response.output_audio.delta")
        .map(|(at, _)| *at)
        .collect();
    let heard = rig.session.report().lock().unwrap().responses[0].items[0].sent_ms;
    assert!(times.last().unwrap() - times[0] > u64::from(heard) * 3 / 2);
    rig.wait(90_000);
    assert_eq!(rig.codes(), ["session_expired"]);
}
