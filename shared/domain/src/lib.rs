//! Pure rules of the business: what a call's status may become, what a call costs, what a key looks like and allows, what
//! callers are told, what a dashboard that was away has missed. No I/O, no clock, no randomness; see `README.md` for the
//! invariants.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::string_slice))]

mod announcements;
mod availability;
mod business_kind;
mod call_status;
pub mod credentials;
pub mod deletion;
pub mod greeting;
pub mod hub;
mod language;
pub mod limits;
mod message_kind;
mod notification_kind;
pub mod opening_hours;
mod permissions;
pub mod pricing;
mod provider;
pub mod qa;
pub mod rate_limits;
mod roles;
mod setup_step;
pub mod throttle;
pub mod variables;
mod voice_mode;
pub mod words;

pub use announcements::Announcement;
pub use availability::Availability;
pub use business_kind::BusinessKind;
pub use call_status::{CallDirection, CallStatus, Transition, UnknownWord};
pub use credentials::{
    ApiKey, CredentialError, InvitationToken, PasswordResetToken, RefreshToken, SetupToken,
};
pub use deletion::DeletionStage;
pub use language::Language;
pub use message_kind::MessageKind;
pub use notification_kind::NotificationKind;
pub use permissions::{Permission, Permissions};
pub use pricing::TokenUsage;
pub use provider::Provider;
pub use roles::BuiltinRole;
pub use setup_step::{SetupStep, StepState};
pub use voice_mode::VoiceMode;
