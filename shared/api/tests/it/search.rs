//! Finding calls: what was said in them, pages by cursor, wrong parameters; transcripts as files; figures.

use axum::http::header;
use serde_json::json;
use voicecore_api::live;
use voicecore_call::{CallSummary, EndReason, Interaction, InteractionKind, Speaker, Usage};
use voicecore_conformance::block_on;
use voicecore_types::{CallId, Millis};

use crate::world::{NOW, Tenant, World};

/// The entry of a transcript whose place is `seq`: something that was said for half a second.
pub(crate) fn entry(seq: u32, speaker: Speaker, text: &str) -> Interaction {
    Interaction {
        seq,
        speaker,
        kind: InteractionKind::Speech,
        text: text.to_owned(),
        start_ms: u64::from(seq) * 1_000,
        end_ms: u64::from(seq) * 1_000 + 500,
        cut_at_ms: None,
        estimated: false,
        latency_ms: None,
    }
}

/// A call in which this was said, by both in turn, and that is over.
fn finished(world: &World, tenant: &Tenant, n: u32, said: &[&str]) -> CallId {
    let (_, id) = world.call(tenant, n);
    finish(world, id, n, said);
    id
}

/// A call is over after ten times `n` seconds, and this was said in it.
pub(crate) fn finish(world: &World, id: CallId, n: u32, said: &[&str]) {
    let setup = block_on(live::load_call(&world.app, id)).unwrap();
    let summary = summary(id, n, said);
    block_on(live::finish_call(&world.app, &setup, &summary)).unwrap();
    // It may be told again.
    block_on(live::finish_call(&world.app, &setup, &summary)).unwrap();
}

/// What is known of such a call. Its callers wait for `n` tenths of a second.
pub(crate) fn summary(id: CallId, n: u32, said: &[&str]) -> CallSummary {
    let speakers = [Speaker::Assistant, Speaker::Caller].into_iter().cycle();
    let interactions = said.iter().zip(speakers).zip(1..).map(|((text, speaker), seq)| {
        let answers = seq > 1 && speaker == Speaker::Assistant;
        let latency_ms = answers.then_some(u64::from(n) * 100);
        Interaction { latency_ms, ..entry(seq, speaker, text) }
    });
    CallSummary {
        call_id: id,
        started_at: NOW,
        ended_at: NOW.plus(Millis::from_secs(u64::from(n) * 10)),
        reason: EndReason::CallerHungUp,
        farewell_owed: false,
        attempts: 1,
        model_sessions: 1,
        usage: Usage::default(),
        interactions: interactions.collect(),
    }
}

#[test]
fn calls_are_found_by_what_was_said_in_them() {
    let world = World::new();
    let (tenant, other) = (world.tenant("+15005550001"), world.tenant("+15005550002"));
    let one = finished(&world, &tenant, 1, &["Good morning.", "Where is my PARCEL, please?"]);
    let two = finished(&world, &tenant, 2, &["Good evening.", "I have a question about Müller's invoice."]);
    finished(&world, &other, 3, &["Good morning.", "parcel parcel"]);
    let found = |query: &str| -> Vec<String> {
        let list = world.get(&format!("/api/v1/calls?{query}"), &tenant.key).json();
        let items = list["items"].as_array().unwrap();
        assert_eq!(list["total"], items.len());
        items.iter().map(|call| call["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(found("q=parcel"), [one.to_string()]);
    assert_eq!(found("q=good&sort=oldest").len(), 2);
    assert_eq!(found("q=good+m%C3%BCller"), [two.to_string()]);
    assert_eq!(found("q=parcel+invoice"), [""; 0]);
    assert_eq!(found("q=parc"), [""; 0]);
    assert_eq!(found("q=good&sort=longest")[0], two.to_string());
    assert_eq!(found("to=%2B15005550001").len(), 2);
    assert_eq!(found("to=%2B15005550002"), [""; 0]);
    assert_eq!(found("direction=inbound&q=good&status=completed").len(), 2);

    assert_eq!(found("direction=outbound"), [""; 0]);
    assert_eq!((found("escalated=true"), found("escalated=false").len()), (vec![], 2));
    world.sql_with("update calls set end_reason = 'transferred' where id = ?1", vec![one.to_string().into()]);
    assert_eq!(
        (found("escalated=true&q=good"), found("escalated=false")),
        (vec![one.to_string()], vec![two.to_string()])
    );

    let wrong = world.get("/api/v1/calls?q=%20-&from=1&to=2&page=0&cursor=x", &tenant.key).wrong_fields();
    assert_eq!(wrong, ["page", "cursor", "from", "to", "q"]);
    for bad in [
        "cursor=99999999999999999.x",
        "q=a+b+c+d+e+f+g+h+i",
        "cursor=1.00000000-0000-7000-8000-000000000000&page=1",
    ] {
        assert_eq!(world.get(&format!("/api/v1/calls?{bad}"), &tenant.key).status, 422, "{bad}");
    }
}

#[test]
fn pages_by_cursor_give_every_call_once() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    for n in 1..=7 {
        finished(&world, &tenant, n, &["Hello"]);
    }
    for query in ["sort=newest", "sort=oldest", "sort=longest", "sort=shortest", "q=hello"] {
        let mut seen = Vec::new();
        let mut cursor = String::new();
        loop {
            let list = world.get(&format!("/api/v1/calls?{query}&page_size=3{cursor}"), &tenant.key).json();
            assert_eq!(list["total"], 7, "{query}");
            seen.extend(list["items"].as_array().unwrap().iter().map(|call| call["id"].clone()));
            let Some(next) = list["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        let all = world.get(&format!("/api/v1/calls?{query}"), &tenant.key).json();
        let all: Vec<_> = all["items"].as_array().unwrap().iter().map(|call| call["id"].clone()).collect();
        assert_eq!(seen, all, "{query}");
    }
}

#[test]
fn transcripts_are_files_and_can_be_searched() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let call = finished(&world, &tenant, 1, &["Good morning.", "Where is it?", "Where is what?"]);
    let target = format!("/api/v1/calls/{call}");
    let text = world.get(&format!("{target}/transcript"), &tenant.key);
    assert_eq!(text.content_type(), "text/plain; charset=utf-8");
    assert_eq!(
        text.headers[header::CONTENT_DISPOSITION],
        format!("attachment; filename=\"call-{call}.txt\"")
    );
    assert_eq!(
        text.body,
        "[00:01] Assistant: Good morning.\n[00:02] Caller: Where is it?\n[00:03] Assistant: Where is what?\n"
    );
    let all = world.get(&format!("{target}/interactions"), &tenant.key).json();
    assert_eq!(world.get(&format!("{target}/transcript?format=json"), &tenant.key).json(), all);
    let seqs = |query: &str| {
        let found = world.get(&format!("{target}/interactions?{query}"), &tenant.key).json();
        found["items"].as_array().unwrap().iter().map(|item| item["seq"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(seqs("speaker=assistant"), [1, 3]);
    assert_eq!(seqs("q=WHERE+is"), [2, 3]);
    assert_eq!(seqs("after=1&limit=1"), [2]);
    assert_eq!(
        world.get(&format!("{target}/interactions?limit=0&q=where"), &tenant.key).wrong_fields(),
        ["limit"]
    );
    assert_eq!(world.get(&format!("{target}/transcript?format=docx"), &tenant.key).status, 400);
    let pdf = world.get(&format!("{target}/transcript?format=pdf"), &tenant.key);
    assert_eq!(pdf.content_type(), "application/pdf");
    assert_eq!(pdf.headers[header::CONTENT_DISPOSITION], format!("attachment; filename=\"call-{call}.pdf\""));
    assert!(pdf.body.starts_with("%PDF-1.7") && pdf.body.trim_end().ends_with("%%EOF"));
    assert!(pdf.body.contains("(Transcript of a call)") && pdf.body.contains("/Count 1\n"), "{}", pdf.body);
}

#[test]
fn figures_speak_of_the_period_that_was_asked_for() {
    let world = World::new();
    let (tenant, other) = (world.tenant("+15005550001"), world.tenant("+15005550002"));
    for n in 1..=3 {
        finished(&world, &tenant, n, &["Hello", "Is it open?", "Yes."]);
    }
    finished(&world, &other, 9, &["Hello", "Is it open?", "Yes."]);
    world.doubles.clock.advance(Millis::from_secs(60));
    let overview = world.get("/api/v1/analytics/overview", &tenant.key).json();
    assert_eq!((&overview["total"]["calls"], &overview["total"]["duration_ms"]), (&json!(3), &json!(60_000)));
    assert_eq!(
        (&overview["average_duration_ms"], &overview["escalation_rate"]),
        (&json!(20_000), &json!(0.0))
    );
    assert_eq!(overview["by_status"], json!([{"status": "completed", "calls": 3}]));
    assert_eq!((&overview["previous"]["calls"], &overview["active_calls"]), (&json!(0), &json!(0)));
    assert_eq!(overview["answer_latency"], json!({"turns": 3, "p50_ms": 200, "p95_ms": 300}));
    assert_eq!(overview["previous_answer_latency"], json!({"turns": 0, "p50_ms": null, "p95_ms": null}));
    let volume =
        world.get("/api/v1/analytics/call-volume?interval=hour&utc_offset_minutes=330", &tenant.key).json();
    let (point, ahead) = (&volume["points"][0], 330 * 60_000);
    let at = point["at"].as_u64().unwrap();
    assert!(at <= NOW.0 && NOW.0 < at + 3_600_000 && (at + ahead) % 3_600_000 == 0, "{volume}");
    assert_eq!((&point["calls"], volume["points"].as_array().unwrap().len()), (&json!(3), 1));
    // NOW is Wednesday, 2026-11-18, 11:06 UTC.
    assert_eq!(volume["hours"], json!([{"weekday": 2, "hour": 16, "calls": 3}]));
    assert_eq!(volume["businesses"][0]["business_id"], tenant.business_id.as_str());
    assert_eq!(
        (&volume["by_direction"][0]["direction"], &volume["by_direction"][0]["calls"]),
        (&json!("inbound"), &json!(3))
    );
    assert_eq!((&volume["previous"]["calls"], &volume["growth"]), (&json!(0), &json!(null)));
    // The period before has all three of them, and this one has none.
    let (since, until) = (NOW.0 + 60_000, NOW.0 + 120_000);
    let after =
        world.get(&format!("/api/v1/analytics/call-volume?since={since}&until={until}"), &tenant.key).json();
    assert_eq!((&after["previous"]["calls"], &after["growth"]), (&json!(3), &json!(-1.0)));
    let nothing = world.get("/api/v1/analytics/overview?since=1&until=2", &tenant.key).json();
    assert_eq!((&nothing["average_duration_ms"], &nothing["escalation_rate"]), (&json!(null), &json!(null)));
    for (query, field) in [
        ("overview?since=5&until=5", "since"),
        ("overview?since=1&until=99999999999", "since"),
        ("call-volume?interval=hour&since=1&until=2700000000", "since"),
        ("call-volume?utc_offset_minutes=900", "utc_offset_minutes"),
    ] {
        assert_eq!(
            world.get(&format!("/api/v1/analytics/{query}"), &tenant.key).wrong_fields(),
            [field],
            "{query}"
        );
    }
}
