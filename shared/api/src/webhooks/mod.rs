//! What other systems tell us, one folder for each sender.

pub(crate) mod twilio;
