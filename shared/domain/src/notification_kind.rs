use std::str::FromStr;

use voicecore_types::Millis;

use crate::{Permission, UnknownWord};

/// What somebody is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotificationKind {
    /// A call went on to a human being.
    CallEscalated,
    /// A call broke off: no model, no stream, or its end never came.
    CallFailed,
    /// The assistant wrote a message down.
    MessageReceived,
    /// A caller spoke a message onto a recording.
    VoicemailReceived,
    /// Somebody who was invited works for the tenant now.
    InvitationAccepted,
    /// An API key opens nothing soon.
    ApiKeyExpiring,
}

impl NotificationKind {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::CallEscalated,
        Self::CallFailed,
        Self::MessageReceived,
        Self::VoicemailReceived,
        Self::InvitationAccepted,
        Self::ApiKeyExpiring,
    ];
    /// They are kept for this long.
    pub const KEPT: Millis = Millis::from_secs(90 * 86_400);
    /// So long before its end a key is spoken of.
    pub const KEY_NOTICE: Millis = Millis::from_secs(7 * 86_400);

    /// As stored and as the API shows it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CallEscalated => "call_escalated",
            Self::CallFailed => "call_failed",
            Self::MessageReceived => "message_received",
            Self::VoicemailReceived => "voicemail_received",
            Self::InvitationAccepted => "invitation_accepted",
            Self::ApiKeyExpiring => "api_key_expiring",
        }
    }

    /// Nobody is told of what they may not see.
    pub const fn needs(self) -> Permission {
        match self {
            Self::CallEscalated | Self::CallFailed => Permission::CallsRead,
            Self::MessageReceived | Self::VoicemailReceived => Permission::MessagesRead,
            Self::InvitationAccepted => Permission::UsersRead,
            Self::ApiKeyExpiring => Permission::ApiKeysRead,
        }
    }
}

impl FromStr for NotificationKind {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(UnknownWord)
    }
}
