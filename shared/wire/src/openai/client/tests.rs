use super::{ClientEvent, Item, ResponseParams, Role, TOOL_CHOICE_NONE, append_audio};
use crate::fixtures;
use crate::openai::{
    AudioConfig, AudioFormat, AudioInput, AudioOutput, FunctionTool, NoiseReduction, Reasoning, Session,
    TokenLimits, Transcription, Truncation, TurnDetection,
};
use crate::payload::Payload;

fn check(file: &str, event: &ClientEvent<'_>) {
    fixtures::check(&format!("openai/client/{file}.json"), &event.to_json(Some("evt-1")));
}

fn empty() -> Session<'static> {
    Session {
        instructions: None,
        output_modalities: None,
        audio: None,
        tools: None,
        tool_choice: None,
        max_output_tokens: None,
        reasoning: None,
        parallel_tool_calls: None,
        truncation: None,
    }
}

#[test]
fn the_whole_session() {
    let parameters = serde_json::json!({"type": "object", "properties": {"day": {"type": "string"}}});
    let session = Session {
        instructions: Some("You answer for \"Bob's\" Barbers."),
        output_modalities: Some(["audio"]),
        audio: Some(AudioConfig {
            input: AudioInput {
                format: Some(AudioFormat::Pcmu),
                noise_reduction: Some(NoiseReduction::FarField),
                transcription: Some(Transcription { model: "gpt-4o-mini-transcribe", language: Some("en") }),
                turn_detection: TurnDetection::ServerVad {
                    threshold: 0.5,
                    prefix_padding_ms: 300,
                    silence_duration_ms: 500,
                    create_response: true,
                    interrupt_response: true,
                },
            },
            output: Some(AudioOutput { format: AudioFormat::Pcmu, voice: "marin" }),
        }),
        tools: Some(vec![FunctionTool { name: "book", description: "Books.", parameters: &parameters }]),
        tool_choice: Some("auto"),
        max_output_tokens: Some(1_024),
        reasoning: Some(Reasoning { effort: "low" }),
        parallel_tool_calls: Some(true),
        truncation: Some(Truncation::RetentionRatio {
            retention_ratio: 0.8,
            token_limits: TokenLimits { post_instructions: 12_000 },
        }),
    };
    check("session.update", &ClientEvent::SessionUpdate { session });
}

#[test]
fn a_session_that_only_listens_differently() {
    let input = AudioInput {
        format: None,
        noise_reduction: None,
        transcription: None,
        turn_detection: TurnDetection::SemanticVad {
            eagerness: "auto",
            create_response: false,
            interrupt_response: false,
        },
    };
    let session = Session { audio: Some(AudioConfig { input, output: None }), ..empty() };
    check("session.update.listening", &ClientEvent::SessionUpdate { session });
}

#[test]
fn every_other_event() {
    let text = |role, text| ClientEvent::ItemCreate { previous_item_id: None, item: Item::text(role, text) };
    check("input_audio_buffer.commit", &ClientEvent::InputCommit);
    check("input_audio_buffer.clear", &ClientEvent::InputClear);
    check("conversation.item.create.user", &text(Role::User, "When are you open?"));
    check("conversation.item.create.assistant", &text(Role::Assistant, "From nine to five."));
    check("conversation.item.create.system", &text(Role::System, "The caller pressed the key 1."));
    check(
        "conversation.item.create.tool",
        &ClientEvent::ItemCreate {
            previous_item_id: Some("root"),
            item: Item::FunctionCallOutput { call_id: "call_1", output: r#"{"ok":true}"# },
        },
    );
    check("conversation.item.retrieve", &ClientEvent::ItemRetrieve { item_id: "item_1" });
    check("conversation.item.delete", &ClientEvent::ItemDelete { item_id: "item_1" });
    check(
        "conversation.item.truncate",
        &ClientEvent::ItemTruncate { item_id: "item_1", content_index: 0, audio_end_ms: 1_500 },
    );
    check("response.create", &ClientEvent::ResponseCreate { response: None });
    let params = ResponseParams {
        instructions: Some("Say hello."),
        tool_choice: Some(TOOL_CHOICE_NONE),
        metadata: None,
    };
    check("response.create.asked", &ClientEvent::ResponseCreate { response: Some(params.named("ask-1")) });
    check("response.cancel", &ClientEvent::ResponseCancel { response_id: Some("resp_1") });
    check("response.cancel.active", &ClientEvent::ResponseCancel { response_id: None });
}

#[test]
fn the_callers_audio_goes_on_as_it_came() {
    let payload = Payload::new("f39/f3//f38=").unwrap();
    let frame = append_audio(&payload);
    assert_eq!(frame, r#"{"type":"input_audio_buffer.append","audio":"f39/f3//f38="}"#);
    assert_eq!(frame.capacity(), frame.len(), "one allocation of the right size");
    fixtures::check("openai/client/input_audio_buffer.append.json", &frame);
}
