//! Our configuration in Realtime's words.

use voicecore_wire::openai::{
    AudioConfig, AudioFormat, AudioInput, AudioOutput, FunctionTool, NoiseReduction as WireNoise, Reasoning,
    Session, TokenLimits, Transcription, Truncation, TurnDetection as WireDetection,
};

use crate::{NoiseReduction, SessionConfig, TurnDetection};

/// Context after instructions that is kept; a phone call of an hour has about as much text.
const POST_INSTRUCTION_TOKENS: u32 = 12_000;
/// Cut back to this share when it is full, so that the cache of the rest lasts for many turns.
const RETENTION_RATIO: f32 = 0.8;

/// The whole session.
pub(super) fn full(config: &SessionConfig, by_itself: bool) -> Session<'_> {
    let reasons = config.model.starts_with("gpt-realtime-2");
    Session {
        instructions: Some(&config.instructions),
        output_modalities: Some(["audio"]),
        audio: Some(AudioConfig {
            input: input(config, by_itself),
            output: Some(AudioOutput { format: AudioFormat::Pcmu, voice: &config.voice }),
        }),
        tools: Some(
            config
                .tools
                .iter()
                .map(|tool| FunctionTool {
                    name: &tool.name,
                    description: &tool.description,
                    parameters: &tool.parameters,
                })
                .collect(),
        ),
        tool_choice: Some("auto"),
        max_output_tokens: Some(config.max_output_tokens.clamp(1, 4_096)),
        reasoning: reasons.then_some(Reasoning { effort: "low" }),
        parallel_tool_calls: reasons.then_some(true),
        truncation: Some(Truncation::RetentionRatio {
            retention_ratio: RETENTION_RATIO,
            token_limits: TokenLimits { post_instructions: POST_INSTRUCTION_TOKENS },
        }),
    }
}

/// Only how it listens: it goes on hearing and transcribing, and answers and falls silent by itself, or does not. All of it is
/// said again, so that nothing rests on how the service merges what is left out of a nested object.
pub(super) fn listening(config: &SessionConfig, by_itself: bool) -> Session<'_> {
    Session { audio: Some(AudioConfig { input: input(config, by_itself), output: None }), ..nothing() }
}

/// Only its instructions.
pub(super) fn instructed(config: &SessionConfig) -> Session<'_> {
    Session { instructions: Some(&config.instructions), ..nothing() }
}

const fn nothing<'a>() -> Session<'a> {
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

fn input(config: &SessionConfig, by_itself: bool) -> AudioInput<'_> {
    AudioInput {
        format: Some(AudioFormat::Pcmu),
        noise_reduction: config.noise_reduction.map(|kind| match kind {
            NoiseReduction::NearField => WireNoise::NearField,
            NoiseReduction::FarField => WireNoise::FarField,
        }),
        transcription: Some(Transcription {
            model: &config.transcription_model,
            language: config.language.as_deref(),
        }),
        turn_detection: detection(config, by_itself),
    }
}

fn detection(config: &SessionConfig, by_itself: bool) -> WireDetection<'_> {
    match &config.turn_detection {
        TurnDetection::ServerVad { threshold, prefix_padding_ms, silence_duration_ms } => {
            WireDetection::ServerVad {
                threshold: *threshold,
                prefix_padding_ms: *prefix_padding_ms,
                silence_duration_ms: *silence_duration_ms,
                create_response: by_itself,
                interrupt_response: by_itself,
            }
        }
        TurnDetection::SemanticVad { eagerness } => WireDetection::SemanticVad {
            eagerness,
            create_response: by_itself,
            interrupt_response: by_itself,
        },
    }
}
