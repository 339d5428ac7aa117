//! Requests, responses, events and error codes of the HTTP API: shared by the server, the dashboard and the SDKs.
//!
//! Names are `snake_case` on the wire. Ids are UUIDs in hyphenated form, moments are milliseconds since the UNIX
//! epoch, spans say their unit in their name. Adding a field is compatible, so clients ignore fields they don't know.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::string_slice))]

mod agents;
mod analytics;
mod api_keys;
mod assistants;
mod audit;
mod auth;
mod businesses;
mod calls;
mod connection;
mod departments;
mod health;
mod live;
mod messages;
mod notes;
mod notifications;
mod opening_hours;
mod page;
mod phone_numbers;
mod preferences;
mod problem;
mod providers;
mod qa;
mod roles;
mod saved_views;
mod setup;
mod setup_progress;
mod tenants;
mod users;

pub use agents::{Agent, AgentUsage, Availability, SaveAgent, SetAvailability};
pub use analytics::{
    AnswerLatency, BusinessVolume, CallCounts, CallDirection, CallVolume, DirectionVolume, HourVolume,
    Overview, StatusCount, VolumePoint,
};
pub use api_keys::{ApiKey, CreateApiKey, NewApiKey, RotateApiKey};
pub use assistants::{
    Assistant, AssistantPublication, AssistantSettings, AssistantVersion, Eagerness, NoiseReduction,
    StartTestCall, TestCall, TestCallState, TestMessage, TurnDetection, TurnDetectionKind,
};
pub use audit::{AuditActor, AuditBreak, AuditEntry, AuditFlaw, AuditVerification};
pub use auth::{
    AcceptInvitation, Accepted, ForgotPassword, Login, Me, Membership, ResetPassword, Session, Sessions,
    SignedIn, SwitchTenant,
};
pub use businesses::{Business, BusinessKind, BusinessUsage, SaveBusiness};
pub use calls::{
    Call, CallStatus, EndCall, Interaction, InteractionKind, Interactions, Intervene, Intervened,
    InterventionAction, InterventionEffect, Speaker, Usage,
};
pub use connection::{ConnectionState, ConnectionTest, TestConnection};
pub use departments::{Department, Departments, SaveDepartment};
pub use health::{Health, Readiness};
pub use live::{LiveEnvelope, LiveTicket};
pub use messages::{ChangeMessage, Message, MessageKind};
pub use notes::{Note, SaveNote};
pub use notifications::{Notification, NotificationKind, UnreadCount};
pub use opening_hours::OpeningHours;
pub use page::Page;
pub use phone_numbers::{
    CreatePhoneNumber, PhoneNumber, PhoneNumberCheck, PhoneNumberCheckCode, PhoneNumberDiagnosis,
    UpdatePhoneNumber, WebhookAddresses,
};
pub use preferences::{Preferences, SavePreferences, Theme};
pub use problem::{ErrorCode, FieldError, Problem};
pub use providers::{CredentialSource, Provider, ProviderCredential, ProviderStatus, Providers};
pub use qa::{CallQa, QaOutcome, QaRule, QaRuleKind, QaRuleSpeaker, QaRules, SaveQaRule, SaveQaRules};
pub use roles::{CreatedRole, Role, Roles, SaveRole};
pub use saved_views::{SaveView, SavedView, ViewNoun};
pub use setup::{SetupClaim, SetupResult, VoiceMode};
pub use setup_progress::{SaveSetupStep, SetupProgress, SetupStep, SetupStepProgress, StepState};
pub use tenants::{
    CreateTenant, CreatedTenant, DeleteTenant, Remains, Tenant, TenantDeletion, UpdateOwnTenant, UpdateTenant,
};
pub use users::{Account, Invitation, InviteUser, UpdateUser, User};
