//! Requests, responses, events and error codes of the HTTP API: shared by the server, the dashboard and the SDKs.
//!
//! Names are `snake_case` on the wire. Ids are UUIDs in hyphenated form, moments are milliseconds since the UNIX
//! epoch, spans say their unit in their name. Adding a field is compatible, so clients ignore fields they don't know.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::string_slice))]

mod audit;
mod calls;
mod health;
mod live;
mod messages;
mod page;
mod problem;
mod providers;
mod setup;

pub use audit::{AuditActor, AuditBreak, AuditEntry, AuditFlaw, AuditVerification};
pub use calls::{Call, CallStatus, EndCall, Interaction, InteractionKind, Interactions, Speaker, Usage};
pub use health::{Health, Readiness};
pub use live::{LiveEnvelope, LiveTicket};
pub use messages::{Message, MessageKind};
pub use page::Page;
pub use problem::{ErrorCode, FieldError, Problem};
pub use providers::{CredentialSource, Provider, ProviderCredential, ProviderStatus, Providers};
pub use setup::{SetupClaim, SetupResult, VoiceMode};
