//! Identifiers that Twilio gives to its things.

use std::fmt;
use std::str::FromStr;

/// The text is not a Twilio identifier of the expected kind: a two-letter prefix and 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a Twilio identifier of the expected kind")]
pub struct SidError;

macro_rules! sids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal),* $(,)?) => {$(
        $(#[$doc])*
        ///
        /// Only letters and digits can be in it (pattern of the fields in Twilio's OpenAPI description), so it is safe in a
        /// path, a query and a log.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The identifier as Twilio writes it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = SidError;

            fn from_str(text: &str) -> Result<Self, SidError> {
                let digits = text.strip_prefix($prefix).ok_or(SidError)?;
                let well_formed = digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit());
                if well_formed { Ok(Self(text.to_owned())) } else { Err(SidError) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

sids! {
    /// An account or sub-account.
    AccountSid = "AC",
    /// One leg of a call.
    CallSid = "CA",
    /// A media stream.
    StreamSid = "MZ",
    /// A recording.
    RecordingSid = "RE",
}

#[cfg(test)]
mod tests {
    use super::CallSid;

    #[test]
    fn accepts_only_its_own_kind() {
        assert!("CA0123456789abcdef0123456789ABCDEF".parse::<CallSid>().is_ok());
        for bad in [
            "",
            "CA",
            "AC0123456789abcdef0123456789abcdef",
            "CA0123456789abcdef0123456789abcde",
            "CA0123456789abcdef0123456789abcdef0",
            "CA0123456789abcdef0123456789abcd/.",
            "CA0123456789abcdef0123456789abcdé",
        ] {
            assert!(bad.parse::<CallSid>().is_err(), "{bad}");
        }
    }
}
