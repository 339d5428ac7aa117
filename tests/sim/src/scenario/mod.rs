//! Scenarios: what a caller does in a call, and what must come of it.

mod caller;
mod check;
mod compare;
mod listener;
mod spec;

pub use caller::{Caller, CallerEvent, CallerTick};
pub use compare::{Entry, transcript_problems, turn_based_problems, turn_based_tools_problem};
pub use listener::{Ear, Listener};
pub use spec::{Act, Callee, EndedBy, Expect, Outcome, Platform, Scenario, ScenarioError, Step, When};
