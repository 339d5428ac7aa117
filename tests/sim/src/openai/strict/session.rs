//! Shapes of a session's configuration (GA).

use super::{
    Field,
    Shape::{self, Any, AnyOf, Bool, By, Integer, List, Map, Null, Number, Object, OneOf, Text},
    opt, req,
};

/// Tools of one session. The service's own limit is not documented.
const MAX_TOOLS: usize = 128;

const FORMAT: Shape = By(
    "type",
    &[
        ("audio/pcm", Object(&[req("type", Text), opt("rate", Integer(24_000, 24_000))])),
        ("audio/pcmu", Object(&[req("type", Text)])),
        ("audio/pcma", Object(&[req("type", Text)])),
    ],
);

const TRANSCRIPTION_MODELS: Shape = OneOf(&[
    "whisper-1",
    "gpt-transcribe",
    "gpt-live-transcribe",
    "gpt-4o-mini-transcribe",
    "gpt-4o-mini-transcribe-2025-12-15",
    "gpt-4o-transcribe",
    "gpt-4o-transcribe-diarize",
    "gpt-realtime-whisper",
]);

const EFFORT: Shape = OneOf(&["minimal", "low", "medium", "high", "xhigh"]);

const TRANSCRIPTION: Shape = Object(&[
    opt("delay", EFFORT),
    opt("keywords", List(1_000, &Text)),
    opt("language", Text),
    opt("languages", List(100, &Text)),
    opt("model", TRANSCRIPTION_MODELS),
    opt("prompt", Text),
]);

const TURN_DETECTION: Shape = By(
    "type",
    &[
        (
            "server_vad",
            Object(&[
                req("type", Text),
                opt("create_response", Bool),
                opt("idle_timeout_ms", AnyOf(&[Null, Integer(5_000, 30_000)])),
                opt("interrupt_response", Bool),
                opt("prefix_padding_ms", Integer(0, 10_000)),
                opt("silence_duration_ms", Integer(0, 10_000)),
                opt("threshold", Number(0.0, 1.0)),
            ]),
        ),
        (
            "semantic_vad",
            Object(&[
                req("type", Text),
                opt("create_response", Bool),
                opt("eagerness", OneOf(&["low", "medium", "high", "auto"])),
                opt("interrupt_response", Bool),
            ]),
        ),
    ],
);

const NOISE_REDUCTION: Shape =
    Object(&[opt("strength", Number(0.0, 1.0)), opt("type", OneOf(&["near_field", "far_field"]))]);

const VOICES: &[&str] =
    &["alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar"];

pub(super) const VOICE: Shape = AnyOf(&[OneOf(VOICES), Object(&[req("id", Text)])]);

pub(super) const OUTPUT_FORMAT: Shape = FORMAT;

const AUDIO: Shape = Object(&[
    opt(
        "input",
        Object(&[
            opt("format", FORMAT),
            opt("noise_reduction", AnyOf(&[Null, NOISE_REDUCTION])),
            opt("transcription", AnyOf(&[Null, TRANSCRIPTION])),
            opt("turn_detection", AnyOf(&[Null, TURN_DETECTION])),
        ]),
    ),
    opt("output", Object(&[opt("format", FORMAT), opt("speed", Number(0.25, 1.5)), opt("voice", VOICE)])),
]);

/// `function` and `mcp` tools, as `session.tools` and `response.tools` take them.
pub(super) const RESPONSE_TOOLS: Shape = List(
    MAX_TOOLS,
    &By(
        "type",
        &[
            (
                "function",
                Object(&[
                    req("type", Text),
                    req("name", Text),
                    opt("description", Text),
                    opt("parameters", Map),
                ]),
            ),
            (
                "mcp",
                Object(&[
                    req("type", Text),
                    req("server_label", Text),
                    opt("allowed_callers", Any),
                    opt("allowed_tools", Any),
                    opt("authorization", Text),
                    opt("connector_id", Text),
                    opt("defer_loading", Bool),
                    opt("headers", AnyOf(&[Null, Map])),
                    opt("require_approval", Any),
                    opt("server_description", Text),
                    opt("server_url", Text),
                    opt("tunnel_id", Text),
                ]),
            ),
        ],
    ),
);

pub(super) const TOOL_CHOICE: Shape = AnyOf(&[
    OneOf(&["none", "auto", "required"]),
    By(
        "type",
        &[
            ("function", Object(&[req("type", Text), req("name", Text)])),
            (
                "mcp",
                Object(&[req("type", Text), req("server_label", Text), opt("name", AnyOf(&[Null, Text]))]),
            ),
        ],
    ),
]);

pub(super) const MAX_OUTPUT_TOKENS: Shape = AnyOf(&[OneOf(&["inf"]), Integer(1, 4_096)]);

pub(super) const MODALITIES: Shape = List(1, &OneOf(&["audio", "text"]));

pub(super) const REASONING: Shape = Object(&[opt("effort", EFFORT)]);

pub(super) const PROMPT: Shape = AnyOf(&[
    Null,
    Object(&[req("id", Text), opt("version", AnyOf(&[Null, Text])), opt("variables", AnyOf(&[Null, Map]))]),
]);

const TRUNCATION: Shape = AnyOf(&[
    OneOf(&["auto", "disabled"]),
    By(
        "type",
        &[(
            "retention_ratio",
            Object(&[
                req("type", Text),
                req("retention_ratio", Number(0.0, 1.0)),
                opt("token_limits", Object(&[opt("post_instructions", Integer(0, i64::MAX))])),
            ]),
        )],
    ),
]);

const TRACING: Shape = AnyOf(&[
    Null,
    OneOf(&["auto"]),
    Object(&[opt("group_id", Text), opt("metadata", Map), opt("workflow_name", Text)]),
]);

const FIELDS: &[Field] = &[
    req("type", Text),
    opt("audio", AUDIO),
    opt("include", AnyOf(&[Null, List(1, &OneOf(&["item.input_audio_transcription.logprobs"]))])),
    opt("instructions", Text),
    opt("max_output_tokens", MAX_OUTPUT_TOKENS),
    opt("model", Text),
    opt("output_modalities", MODALITIES),
    opt("parallel_tool_calls", Bool),
    opt("prompt", PROMPT),
    opt("reasoning", REASONING),
    opt("tool_choice", TOOL_CHOICE),
    opt("tools", RESPONSE_TOOLS),
    opt("tracing", TRACING),
    opt("truncation", TRUNCATION),
];

/// `session` of `session.update`. Transcription sessions are not simulated.
pub(super) const SESSION: Shape = By("type", &[("realtime", Object(FIELDS))]);
