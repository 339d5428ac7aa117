//! Strict simulators of Twilio, OpenAI and an e-mail service, and the scenarios that are played with them.
//!
//! Both simulators share one process: what a caller says is synthesised once, its 20 ms frames are known to the
//! [`registry`], and the model's side "transcribes" by recognising exactly the frames that reached it. A frame that was
//! lost, doubled or put out of order on its way through the product is therefore seen, and so is every word that it cost.
//!
//! See `README.md` for what is simulated and what is refused, `UNVERIFIED.md` for what no source confirms.

pub mod cli;
pub mod email;
mod mailbox;
pub mod openai;
pub mod registry;
pub mod scenario;
pub mod sim;
pub mod speech;
pub mod twilio;
pub mod violations;
pub mod whereabouts;
