//! From the words of the inner crates to those of the API. `voicecore-api-types` stands alone, so that clients don't link the
//! server; here every field is named, so that nothing inner becomes public by accident.

use voicecore_api_types as wire;
use voicecore_call::{Interaction, InteractionKind, OperatorAction, Speaker};
use voicecore_domain::{BusinessKind, CallDirection, CallStatus, MessageKind, TokenUsage, VoiceMode};

pub(crate) fn interaction(from: Interaction) -> wire::Interaction {
    wire::Interaction {
        seq: from.seq,
        speaker: match from.speaker {
            Speaker::Caller => wire::Speaker::Caller,
            Speaker::Assistant => wire::Speaker::Assistant,
            Speaker::System => wire::Speaker::System,
            Speaker::Operator => wire::Speaker::Operator,
        },
        kind: match from.kind {
            InteractionKind::Speech => wire::InteractionKind::Speech,
            InteractionKind::Dtmf => wire::InteractionKind::Dtmf,
            InteractionKind::Tool { name, tool_call_id } => {
                wire::InteractionKind::Tool { name, tool_call_id }
            }
            InteractionKind::Notice => wire::InteractionKind::Notice,
            InteractionKind::Intervention { action, actor_kind, actor_id, .. } => {
                wire::InteractionKind::Intervention { action: shown_action(action), actor_kind, actor_id }
            }
        },
        text: from.text,
        start_ms: from.start_ms,
        end_ms: from.end_ms,
        cut_at_ms: from.cut_at_ms,
        estimated: from.estimated,
        latency_ms: from.latency_ms,
    }
}

pub(crate) const fn shown_action(from: OperatorAction) -> wire::InterventionAction {
    match from {
        OperatorAction::Message => wire::InterventionAction::Message,
        OperatorAction::Pause => wire::InterventionAction::Pause,
        OperatorAction::Resume => wire::InterventionAction::Resume,
        OperatorAction::Override => wire::InterventionAction::Override,
        OperatorAction::End => wire::InterventionAction::End,
    }
}

pub(crate) const fn usage(from: TokenUsage) -> wire::Usage {
    wire::Usage {
        text_in: from.text_in,
        text_cached: from.text_cached,
        text_out: from.text_out,
        audio_in: from.audio_in,
        audio_cached: from.audio_cached,
        audio_out: from.audio_out,
    }
}

pub(crate) const fn voice_mode(from: wire::VoiceMode) -> VoiceMode {
    match from {
        wire::VoiceMode::Streaming => VoiceMode::Streaming,
        wire::VoiceMode::TurnBased => VoiceMode::TurnBased,
    }
}

pub(crate) const fn shown_voice_mode(from: VoiceMode) -> wire::VoiceMode {
    match from {
        VoiceMode::Streaming => wire::VoiceMode::Streaming,
        VoiceMode::TurnBased => wire::VoiceMode::TurnBased,
    }
}

pub(crate) const fn business_kind(from: BusinessKind) -> wire::BusinessKind {
    match from {
        BusinessKind::CustomerSupport => wire::BusinessKind::CustomerSupport,
        BusinessKind::Sales => wire::BusinessKind::Sales,
        BusinessKind::Appointments => wire::BusinessKind::Appointments,
        BusinessKind::Custom => wire::BusinessKind::Custom,
    }
}

pub(crate) const fn message_kind(from: MessageKind) -> wire::MessageKind {
    match from {
        MessageKind::Message => wire::MessageKind::Message,
        MessageKind::Voicemail => wire::MessageKind::Voicemail,
    }
}

pub(crate) const fn shown_status(from: CallStatus) -> wire::CallStatus {
    match from {
        CallStatus::Queued => wire::CallStatus::Queued,
        CallStatus::Ringing => wire::CallStatus::Ringing,
        CallStatus::InProgress => wire::CallStatus::InProgress,
        CallStatus::Completed => wire::CallStatus::Completed,
        CallStatus::Busy => wire::CallStatus::Busy,
        CallStatus::Failed => wire::CallStatus::Failed,
        CallStatus::NoAnswer => wire::CallStatus::NoAnswer,
        CallStatus::Canceled => wire::CallStatus::Canceled,
    }
}

pub(crate) const fn shown_direction(from: CallDirection) -> wire::CallDirection {
    match from {
        CallDirection::Inbound => wire::CallDirection::Inbound,
        CallDirection::Outbound => wire::CallDirection::Outbound,
    }
}

pub(crate) const fn stored_direction(from: wire::CallDirection) -> CallDirection {
    match from {
        wire::CallDirection::Inbound => CallDirection::Inbound,
        wire::CallDirection::Outbound => CallDirection::Outbound,
    }
}

pub(crate) const fn stored_status(from: wire::CallStatus) -> CallStatus {
    match from {
        wire::CallStatus::Queued => CallStatus::Queued,
        wire::CallStatus::Ringing => CallStatus::Ringing,
        wire::CallStatus::InProgress => CallStatus::InProgress,
        wire::CallStatus::Completed => CallStatus::Completed,
        wire::CallStatus::Busy => CallStatus::Busy,
        wire::CallStatus::Failed => CallStatus::Failed,
        wire::CallStatus::NoAnswer => CallStatus::NoAnswer,
        wire::CallStatus::Canceled => CallStatus::Canceled,
    }
}
