//! The body of a webhook, decoded and bounded.

use std::fmt;
use std::str::FromStr;

/// The largest form body that is read, in bytes. Twilio's own are below 4 KiB.
pub const MAX_FORM_BYTES: usize = 65_536;
/// The most parameters of a form. Twilio sends about thirty.
pub const MAX_FORM_PARAMETERS: usize = 256;

/// The request is not one of Twilio's webhooks: answer 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// The body is larger than [`MAX_FORM_BYTES`].
    #[error("the form is larger than {MAX_FORM_BYTES} bytes")]
    TooLarge,
    /// There are more than [`MAX_FORM_PARAMETERS`] parameters.
    #[error("the form has more than {MAX_FORM_PARAMETERS} parameters")]
    TooManyParameters,
    /// A parameter is missing, said twice with different values, or not of its form.
    #[error("the parameter {0} is missing or malformed")]
    Parameter(&'static str),
}

/// A decoded form: pairs in the order in which they came, names possibly repeated.
///
/// `Debug` shows the number of pairs only: the values are phone numbers and speech.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Decodes an `application/x-www-form-urlencoded` body. Bytes that are not UTF-8 become U+FFFD.
    pub fn parse(body: &[u8]) -> Result<Self, WebhookError> {
        if body.len() > MAX_FORM_BYTES {
            return Err(WebhookError::TooLarge);
        }
        let pairs: Vec<_> = form_urlencoded::parse(body).into_owned().take(MAX_FORM_PARAMETERS + 1).collect();
        if pairs.len() > MAX_FORM_PARAMETERS {
            return Err(WebhookError::TooManyParameters);
        }
        Ok(Self(pairs))
    }

    /// All pairs, as they came.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The value of `name`, unless it is empty or said twice differently: which one counts is not ours to guess.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut values = self.pairs().filter(|(known, _)| *known == name).map(|(_, value)| value);
        let first = values.next()?;
        (!first.is_empty() && values.all(|other| other == first)).then_some(first)
    }

    /// The value of `name`, if it has the form of a `T`.
    pub fn parsed<T: FromStr>(&self, name: &str) -> Option<T> {
        self.get(name)?.parse().ok()
    }

    pub(super) fn required<T: FromStr>(&self, name: &'static str) -> Result<T, WebhookError> {
        self.parsed(name).ok_or(WebhookError::Parameter(name))
    }

    pub(super) fn text(&self, name: &str, max_chars: usize) -> Option<String> {
        self.get(name).map(|text| text.chars().take(max_chars).collect())
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Form {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Form({} pairs)", self.0.len())
    }
}
