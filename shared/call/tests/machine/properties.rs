//! What holds for any conversation, any line and any input.

use proptest::prelude::*;
use serde_json::{Value, json};
use voicecore_call::{Call, Input, OperatorCommand, Output, ToolEffect, ToolResult};
use voicecore_types::Millis;
use voicecore_wire::payload::Payload;

use crate::carrier::Delay;
use crate::world::{EPOCH, World, config, intervention};

/// What |claimed − heard| may be.
const TOLERANCE_MS: u64 = 30;

/// One answer of the model's, and what the caller does about it.
#[derive(Debug, Clone)]
struct Answer {
    /// Length of each piece of audio, in milliseconds.
    pieces: Vec<u64>,
    /// The model makes audio this much faster than it is heard, in percent of the audio's own time.
    pause_percent: u64,
    /// The caller interrupts after this many pieces and this many milliseconds more.
    interrupted: Option<(usize, u64)>,
    /// Pieces that come after the interruption all the same.
    late: usize,
    /// The answer has two items.
    split: bool,
}

fn answer() -> impl Strategy<Value = Answer> {
    let interrupted = prop::option::weighted(0.8, (0..20_usize, 0..3_000_u64));
    (prop::collection::vec(20..400_u64, 1..20), 0..130_u64, interrupted, 0..4_usize, any::<bool>()).prop_map(
        |(pieces, pause_percent, interrupted, late, split)| Answer {
            pieces,
            pause_percent,
            interrupted,
            late,
            split,
        },
    )
}

fn delay() -> impl Strategy<Value = Delay> {
    // A carrier that takes long to begin is known from its marks, as long as it does not begin anew in mid-answer: then
    // its first mark after that comes too late. 15 ms are within the tolerance whenever they come.
    (0..120_u64, 0..120_u64, prop::collection::vec(0..8_u64, 0..40), 0..15_u64)
        .prop_map(|(out, back, jitter, playout)| Delay { out, back, jitter, playout })
}

/// Items are told apart by the byte their audio consists of.
fn item_of(tag: u8) -> String {
    format!("i{tag}")
}

fn tag_of(item: &str) -> u8 {
    item[1..].parse().expect("one of ours")
}

pub(crate) struct Conversation {
    pub(crate) world: World,
    next_tag: u8,
    next_caller: u32,
    sent_ms: [u64; 256],
}

impl Conversation {
    pub(crate) fn new(delay: Delay) -> Self {
        let mut world = World::with_delay(config(), delay);
        world.connect();
        world.run_for(300);
        // The greeting is heard whole: from it the line is known.
        world.response_created("greeting");
        for _ in 0..10 {
            world.audio("greeting", &item_of(1), 200, 1);
        }
        world.item_done("greeting", &item_of(1), "Hello.");
        world.response_done("greeting", "completed");
        world.run_for(2_500);
        Self { world, next_tag: 2, next_caller: 0, sent_ms: [0; 256] }
    }

    pub(crate) fn caller_speaks(&mut self) {
        self.next_caller += 1;
        let caller = format!("c{}", self.next_caller);
        self.world.caller_begins(&caller);
        self.world.run_for(300);
        self.world.caller_ends(&caller);
        self.world.caller_said(&caller, "Yes.");
    }

    fn piece(&mut self, response: &str, tag: u8, ms: u64) {
        self.sent_ms[usize::from(tag)] += ms;
        self.world.words(response, &item_of(tag), "word ");
        self.world.audio(response, &item_of(tag), ms, tag);
    }

    fn answer(&mut self, answer: &Answer) {
        self.caller_speaks();
        let first = self.next_tag;
        let second = if answer.split { first + 1 } else { first };
        self.next_tag = second + 1;
        let response = format!("r{first}");
        self.world.response_by_itself(&response);
        let stop = answer.interrupted.map_or(usize::MAX, |(pieces, _)| pieces);
        let half = answer.pieces.len() / 2;
        let mut pieces = answer.pieces.iter().enumerate();
        for (n, ms) in pieces.by_ref().take(stop.min(answer.pieces.len())) {
            self.piece(&response, if n < half { first } else { second }, *ms);
            self.world.run_for(ms * answer.pause_percent / 100);
        }
        let Some((_, wait)) = answer.interrupted else {
            self.world.item_done(&response, &item_of(first), "");
            self.world.item_done(&response, &item_of(second), "");
            self.world.response_done(&response, "completed");
            self.world.run_for(9_000);
            return;
        };
        self.world.run_for(wait);
        self.caller_speaks();
        for (_, ms) in pieces.take(answer.late) {
            self.world.audio(&response, &item_of(second), *ms, second);
        }
        self.world.response_done(&response, "cancelled");
        self.world.run_for(400);
    }

    /// What was claimed of each cut item, when, and what the carrier says.
    fn check_truncations(&self) -> Result<(), TestCaseError> {
        let world = &self.world;
        let mut clears: Vec<_> = world
            .to_carrier
            .iter()
            .filter(|(_, frame)| frame["event"] == "clear")
            .map(|(at, _)| *at)
            .collect();
        prop_assert_eq!(clears.len(), world.carrier.clears.len());
        clears.dedup();
        for (at, event) in &world.to_model {
            let claimed = match event["type"].as_str() {
                Some("conversation.item.truncate") => event["audio_end_ms"].as_u64().expect("a whole number"),
                Some("conversation.item.delete") => 0,
                _ => continue,
            };
            let tag = tag_of(event["item_id"].as_str().expect("an item"));
            let snapshot = clears.iter().position(|clear| clear == at).map(|n| &world.carrier.clears[n].1);
            let heard = snapshot.unwrap_or(&world.carrier.heard).get(&tag).copied().unwrap_or(0) / 8;
            let sent = self.sent_ms[usize::from(tag)];
            prop_assert!(claimed <= sent, "claimed {} of {}", claimed, sent);
            prop_assert!(claimed.abs_diff(heard) <= TOLERANCE_MS, "claimed {}, heard {}", claimed, heard);
        }
        Ok(())
    }

    /// Of what was cut, nothing is sent after the `clear`.
    fn check_silence_after_clear(&self) -> Result<(), TestCaseError> {
        let mut gone: Vec<u8> = Vec::new();
        let mut seen: Vec<u8> = Vec::new();
        for (_, frame) in &self.world.to_carrier {
            match frame["event"].as_str() {
                Some("media") => {
                    let tag = first_byte(frame);
                    if tag == voicecore_wire::payload::SILENCE {
                        // A comfort tone: of no item.
                        continue;
                    }
                    prop_assert!(!gone.contains(&tag), "item {} is heard after its clear", tag);
                    seen.push(tag);
                }
                Some("clear") => gone.append(&mut seen),
                _ => {}
            }
        }
        Ok(())
    }
}

fn first_byte(frame: &Value) -> u8 {
    use base64::Engine as _;
    let payload = frame["media"]["payload"].as_str().expect("payload");
    base64::engine::general_purpose::STANDARD.decode(payload).expect("base64")[0]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 160, ..ProptestConfig::default() })]

    /// |claimed − heard| ≤ 30 ms and claimed ≤ sent for every truncation; no audio of a cleared generation after its
    /// `clear`; one end.
    #[test]
    fn a21_truncation_is_exact_and_nothing_follows_a_clear(
        delay in delay(),
        answers in prop::collection::vec(answer(), 1..5),
        ending in 0..4_u8,
    ) {
        let mut talk = Conversation::new(delay);
        for answer in &answers {
            talk.answer(answer);
        }
        talk.check_truncations()?;
        talk.check_silence_after_clear()?;
        match ending {
            0 => talk.world.hang_up(),
            1 => talk.world.line_breaks(),
            2 => talk.world.operator_ends(),
            _ => talk.world.handle(Input::CarrierEnded),
        }
        talk.world.run_for(120_000);
        prop_assert_eq!(talk.world.finished.len(), 1);
        prop_assert!(talk.world.carrier_closed <= 1);
        prop_assert!(!talk.world.model_open);
        let numbers: Vec<u32> = talk.world.summary().interactions.iter().map(|entry| entry.seq).collect();
        let count = numbers.len() as u32;
        prop_assert_eq!(numbers, (1..=count).collect::<Vec<_>>());
    }
}

/// Something that could come, or could not, from anywhere.
#[derive(Debug, Clone)]
enum Soup {
    Carrier(String),
    Model(String),
    CarrierClosed,
    CarrierEnded,
    CarrierBinary,
    ModelOpened,
    ModelRefused(u16),
    ModelClosed,
    Tool(u8, u8),
    Operator(u8, OperatorCommand),
    Attach(u32),
    AfterStream(u32),
    Timer,
    Wait(u64),
    ClockBack(u64),
}

fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9]{0,6}",
        "\\PC{0,20}",
        Just("i1".to_owned()),
        Just("r1".to_owned()),
        Just("MZ1".to_owned()),
        Just("////////".to_owned()),
        Just("completed".to_owned()),
        Just("function_call".to_owned()),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        words().prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::hash_map(field(), inner, 0..4).prop_map(Value::from_iter),
        ]
    })
}

fn field() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "id",
        "item_id",
        "response_id",
        "call_id",
        "name",
        "arguments",
        "status",
        "status_details",
        "usage",
        "delta",
        "transcript",
        "error",
        "code",
        "type",
        "metadata",
        "request",
        "payload",
        "timestamp",
        "digit",
        "output",
        "input_token_details",
        "audio_tokens",
        "reset_seconds",
        "remaining",
    ])
    .prop_map(str::to_owned)
}

fn carrier_frame() -> impl Strategy<Value = String> {
    let kind = prop::sample::select(vec!["connected", "start", "media", "mark", "dtmf", "stop", "other"]);
    (kind, value(), words(), any::<u64>(), words()).prop_map(|(kind, odd, text, number, digit)| {
        // `stop` ends the call, and with it the test of everything else: mostly it is for another stream.
        let sid = if kind == "stop" { "MZ9" } else { "MZ1" };
        json!({"event": kind, "streamSid": sid, "media": {"payload": text, "timestamp": number}, "start": odd,
            "mark": {"name": text}, "dtmf": {"digit": digit}})
        .to_string()
    })
}

fn model_event() -> impl Strategy<Value = String> {
    let kinds = vec![
        "session.created",
        "session.updated",
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.truncated",
        "conversation.item.deleted",
        "conversation.item.input_audio_transcription.delta",
        "conversation.item.input_audio_transcription.completed",
        "conversation.item.input_audio_transcription.failed",
        "response.created",
        "response.done",
        "response.output_item.added",
        "response.output_item.done",
        "response.output_audio.delta",
        "response.output_audio.done",
        "response.output_audio_transcript.delta",
        "response.output_audio_transcript.done",
        "rate_limits.updated",
        "error",
        "unheard.of",
    ];
    let fields = prop::collection::hash_map(field(), value(), 0..6);
    (prop::sample::select(kinds), words(), words(), value(), value(), fields).prop_map(
        |(kind, item, text, response, nested, fields)| {
            let mut event = Value::from_iter(fields);
            event["type"] = kind.into();
            event["item_id"] = item.into();
            event["response_id"] = "r1".into();
            event["delta"] = text.into();
            event["response"] = if response.is_object() { response } else { json!({"id": "r1"}) };
            event["item"] = nested.clone();
            event["error"] = nested;
            event.to_string()
        },
    )
}

fn soup() -> impl Strategy<Value = Soup> {
    prop_oneof![
        4 => carrier_frame().prop_map(Soup::Carrier),
        8 => model_event().prop_map(Soup::Model),
        1 => "\\PC{0,60}".prop_map(Soup::Carrier),
        1 => "\\PC{0,60}".prop_map(Soup::Model),
        1 => value().prop_map(|value| Soup::Carrier(value.to_string())),
        1 => value().prop_map(|value| Soup::Model(value.to_string())),
        1 => Just(Soup::CarrierClosed),
        1 => Just(Soup::CarrierBinary),
        3 => Just(Soup::ModelOpened),
        1 => any::<u16>().prop_map(Soup::ModelRefused),
        1 => Just(Soup::ModelClosed),
        1 => (0..4_u8, 0..3_u8).prop_map(|(id, effect)| Soup::Tool(id, effect)),
        1 => (0..6_u32).prop_map(Soup::Attach),
        2 => (any::<u8>(), stepping_in()).prop_map(|(id, command)| Soup::Operator(id, command)),
        2 => Just(Soup::Timer),
        4 => (0..5_000_u64).prop_map(Soup::Wait),
    ]
}

/// What an operator does to a call that goes on.
pub(crate) fn stepping_in() -> impl Strategy<Value = OperatorCommand> {
    prop_oneof![
        words().prop_map(|text| OperatorCommand::Message { text }),
        Just(OperatorCommand::Pause),
        Just(OperatorCommand::Resume),
        words().prop_map(|instructions| OperatorCommand::Override { instructions }),
    ]
}

fn rare_soup() -> impl Strategy<Value = Soup> {
    prop_oneof![
        40 => soup(),
        1 => (any::<u8>(), any::<bool>()).prop_map(|(id, at_once)| Soup::Operator(id, OperatorCommand::End { at_once })),
        1 => (0u32..6).prop_map(Soup::AfterStream),
        1 => Just(Soup::CarrierEnded),
        1 => (0..10_000_u64).prop_map(Soup::ClockBack),
    ]
}

/// Feeds anything and holds the machine to its contract.
struct Taster {
    call: Call,
    now: u64,
    finished: usize,
    closed: usize,
}

impl Taster {
    fn feed(&mut self, soup: &Soup) {
        let now = Millis(self.now);
        let tool = |id: u8, effect: u8| ToolResult {
            tool_call_id: format!("i{id}"),
            output: "{}".to_owned(),
            effect: match effect {
                0 => ToolEffect::None,
                1 => ToolEffect::EndCall,
                _ => ToolEffect::Transfer,
            },
        };
        match soup {
            Soup::Carrier(text) => self.call.handle(now, Input::CarrierText(text)),
            Soup::Model(text) => self.call.handle(now, Input::ModelText(text)),
            Soup::CarrierClosed => self.call.handle(now, Input::CarrierClosed),
            Soup::CarrierEnded => self.call.handle(now, Input::CarrierEnded),
            Soup::CarrierBinary => self.call.handle(now, Input::CarrierBinary(9)),
            Soup::ModelOpened => self.call.handle(now, Input::ModelOpened),
            Soup::ModelRefused(status) => {
                self.call.handle(now, Input::ModelRefused { status: *status, body: "{}" });
            }
            Soup::ModelClosed => self.call.handle(now, Input::ModelClosed { code: 1006, reason: "" }),
            Soup::Tool(id, effect) => self.call.handle(now, Input::ToolDone(tool(*id, *effect))),
            Soup::Operator(id, command) => {
                self.call.handle(now, Input::Operator(intervention(&id.to_string(), command.clone())));
            }
            Soup::Attach(attempt) => {
                // The adapter checked the token; the machine still checks the attempt.
                let _ = self.call.attach(now, *attempt, "MZ1");
            }
            Soup::AfterStream(attempt) => {
                self.call.after_stream(now, *attempt);
            }
            Soup::Timer => self.call.handle(now, Input::Timer),
            Soup::Wait(ms) => {
                self.now += ms;
                self.call.handle(Millis(self.now), Input::Timer);
            }
            Soup::ClockBack(ms) => self.now = self.now.saturating_sub(*ms),
        }
        self.drain(if let Soup::Carrier(text) = soup { text } else { "" });
    }

    fn drain(&mut self, carrier_frame: &str) {
        let mut count = 0;
        while let Some(output) = self.call.poll_output() {
            count += 1;
            assert!(count < 7_000, "outputs are bounded");
            assert_eq!(self.finished, 0, "nothing comes after the end");
            match output {
                Output::ToCarrier(frame) | Output::ToModel(frame) => {
                    serde_json::from_str::<Value>(&frame).expect("only JSON leaves the machine");
                }
                Output::CallerAudio(part) => {
                    assert!(carrier_frame.is_ascii(), "places are the same in bytes and in UTF-16 units");
                    let audio = carrier_frame.get(part).expect("a part of the frame");
                    assert!(Payload::new(audio).is_some(), "only base64 goes on as it came");
                }
                Output::CloseCarrier => self.closed += 1,
                Output::Finished(_) => self.finished += 1,
                _ => {}
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// Whatever comes from wherever, in whatever order: no panic, bounded output, valid JSON, one end, and a timer
    /// that never asks for the past.
    #[test]
    fn any_soup_from_either_side_never_panics(soup in prop::collection::vec(rare_soup(), 1..50)) {
        let mut taster = Taster { call: Call::new(config(), Millis(EPOCH)), now: EPOCH, finished: 0, closed: 0 };
        taster.feed(&Soup::Attach(1));
        taster.feed(&Soup::ModelOpened);
        taster.feed(&Soup::Model(json!({"type": "session.created"}).to_string()));
        taster.feed(&Soup::Model(json!({"type": "session.updated"}).to_string()));
        let mut latest = EPOCH;
        for soup in &soup {
            taster.feed(soup);
            latest = latest.max(taster.now);
            if let Some(at) = taster.call.poll_timeout() {
                prop_assert!(at.0 > latest, "the timer is in the future");
            }
        }
        taster.now = latest;
        taster.call.abandon(Millis(latest));
        taster.drain("");
        prop_assert_eq!(taster.finished, 1);
        prop_assert!(taster.closed <= 1, "a stream is closed once, at the end");
        prop_assert!(taster.call.is_finished());
    }
}
