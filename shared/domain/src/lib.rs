//! Pure rules of the business: what a call's status may become, what a call costs, what a key looks like, what a
//! dashboard that was away has missed. No I/O, no clock, no randomness; see `README.md` for the invariants.
#![forbid(unsafe_code)]

mod call_status;
pub mod credentials;
pub mod hub;
pub mod limits;
pub mod pricing;

pub use call_status::{CallDirection, CallStatus, Transition, UnknownWord};
pub use credentials::{ApiKey, CredentialError, SetupToken};
pub use pricing::TokenUsage;
