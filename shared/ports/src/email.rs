use crate::BoxFuture;

/// The longest subject, in characters.
pub const MAX_SUBJECT_CHARS: usize = 200;
/// The longest body, text and HTML each, in bytes.
pub const MAX_MAIL_BYTES: usize = 65_536;

/// One mail to one person.
#[derive(Clone, PartialEq, Eq)]
pub struct EmailMessage {
    /// The address, without a name.
    pub to: String,
    /// One line of at most [`MAX_SUBJECT_CHARS`].
    pub subject: String,
    /// The body as plain text, at most [`MAX_MAIL_BYTES`].
    pub text: String,
    /// The body as HTML, at most [`MAX_MAIL_BYTES`]; says the same.
    pub html: String,
    /// The same mail, sent again with the same key, is delivered once (within a day, where the provider keeps such keys).
    pub idempotency_key: String,
}

impl std::fmt::Debug for EmailMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // An address, and often a link that opens something.
        f.write_str("EmailMessage(***)")
    }
}

/// A mail was not taken. `Display` shows neither the address nor what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EmailError {
    /// The service cannot be reached, is overloaded, or takes no more now. Trying again later may help.
    #[error("the e-mail service is unavailable")]
    Unavailable,
    /// The service refuses this mail: the address is none, the sender is not ours, or a limit was exceeded. Trying again is
    /// of no use.
    #[error("the e-mail service refuses the mail (status {0})")]
    Refused(u16),
    /// The service does not know us: the key is wrong.
    #[error("the e-mail service refuses the key")]
    NotAllowed,
}

/// Mails to people.
pub trait Email: Send + Sync {
    /// Hands one mail to the service; never retries by itself. `Ok`: the service has taken it, not that it was delivered.
    fn send<'a>(&'a self, message: &'a EmailMessage) -> BoxFuture<'a, Result<(), EmailError>>;
}
