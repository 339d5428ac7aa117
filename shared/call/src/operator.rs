use serde::{Deserialize, Serialize};

use crate::InteractionKind;

/// Somebody of the tenant who steps in: who, and what they want.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intervention {
    /// Names it within the call: the same one again changes nothing.
    pub id: String,
    /// What kind of principal it is, e.g. `user` or `api_key`.
    pub actor_kind: String,
    /// Which one.
    pub actor_id: String,
    /// What they want.
    #[serde(flatten)]
    pub command: OperatorCommand,
}

/// What an operator can do to a running call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum OperatorCommand {
    /// Tell the assistant something that the caller does not hear; it answers as soon as it can.
    Message {
        /// The text.
        text: String,
    },
    /// The assistant falls silent, in mid-word if need be, and stays so until [`OperatorCommand::Resume`], or until it has
    /// been silent for as long as a pause may last. The caller goes on being listened to.
    Pause,
    /// The assistant may speak again, and does.
    Resume,
    /// From its next answer on, and for the rest of the call, the assistant has these instructions in the place of its own.
    Override {
        /// All of them.
        instructions: String,
    },
    /// End the call.
    End {
        /// Without a goodbye.
        at_once: bool,
    },
}

/// What was done, in the transcript.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperatorAction {
    /// The entry's text was told to the assistant.
    Message,
    /// The assistant was silenced.
    Pause,
    /// The assistant was allowed to speak again.
    Resume,
    /// The assistant's instructions became the entry's text.
    Override,
    /// The call was ended.
    End,
}

impl OperatorAction {
    /// How the assistant is told a message.
    pub(crate) fn told(text: &str) -> String {
        format!(
            "A colleague who listens to this call tells you the following. The caller cannot hear it. Act on it:\n{text}"
        )
    }
}

impl Intervention {
    /// The entry of the transcript that it becomes, but for what the transcript itself knows.
    #[must_use]
    pub fn entry(&self) -> InteractionKind {
        InteractionKind::Intervention {
            id: self.id.clone(),
            action: self.command.action(),
            actor_kind: Some(self.actor_kind.clone()),
            actor_id: Some(self.actor_id.clone()),
        }
    }
}

impl OperatorCommand {
    /// Its word in the transcript.
    #[must_use]
    pub const fn action(&self) -> OperatorAction {
        match self {
            Self::Message { .. } => OperatorAction::Message,
            Self::Pause => OperatorAction::Pause,
            Self::Resume => OperatorAction::Resume,
            Self::Override { .. } => OperatorAction::Override,
            Self::End { .. } => OperatorAction::End,
        }
    }

    /// Its text in the transcript.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Message { text } => text,
            Self::Override { instructions } => instructions,
            Self::Pause | Self::Resume | Self::End { .. } => "",
        }
    }
}
