//! The words every other crate speaks: identifiers, time, phone numbers, secrets, pages of a list.
//!
//! Nothing here does I/O, reads a clock or makes randomness: both are handed in (see `voicecore-ports`).
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::string_slice))]

mod e164;
mod id;
mod page;
mod rate;
mod secret;
mod set;
mod time;

pub use e164::{E164, E164Error};
pub use id::{
    AgentId, ApiKeyId, AssistantId, AuditEntryId, BusinessId, CallId, DepartmentId, IdError, InvitationId,
    MessageId, NoteId, NotificationId, PhoneNumberId, RoleId, SavedViewId, SessionId, TenantId, UserId,
};
pub use page::{Page, PageRequest};
pub use rate::{Quota, RateVerdict, network};
pub use secret::Secret;
pub use set::set_of;
pub use time::Millis;
