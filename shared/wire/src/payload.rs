//! Audio as the base64 text it travels in. VoiceCore never decodes it on the way through (`architecture.md`).

use std::borrow::Cow;
use std::fmt;

/// Bytes of 8 kHz µ-law in one millisecond.
pub const BYTES_PER_MS: u64 = 8;

/// A silent µ-law sample (positive zero).
pub const SILENCE: u8 = 0xff;

/// Base64 text (RFC 4648 §4, padded) that was checked: nothing but the alphabet, in groups of four, so that it can
/// stand in a JSON string as it is and its length in time is known without decoding.
///
/// `Debug` shows only the length: audio does not belong in a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Payload<'a>(Cow<'a, str>);

impl<'a> Payload<'a> {
    /// `None` unless `text` is well-formed base64.
    pub fn new(text: impl Into<Cow<'a, str>>) -> Option<Self> {
        let text = text.into();
        is_base64(text.as_bytes()).then_some(Self(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How many bytes (for µ-law: samples) it stands for.
    pub fn byte_len(&self) -> u64 {
        let padding = self.0.bytes().rev().take(2).take_while(|byte| *byte == b'=').count();
        (self.0.len() / 4 * 3 - padding) as u64
    }
}

impl Payload<'static> {
    /// Encodes `bytes`, for audio that is made here (tones, silence).
    #[must_use]
    pub fn encode(bytes: &[u8]) -> Self {
        use base64::Engine as _;
        Self(Cow::Owned(base64::engine::general_purpose::STANDARD.encode(bytes)))
    }

    /// `milliseconds` of µ-law silence.
    #[must_use]
    pub fn silence(milliseconds: u64) -> Self {
        Self::encode(&vec![SILENCE; (milliseconds * BYTES_PER_MS) as usize])
    }
}

impl fmt::Debug for Payload<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes)", self.byte_len())
    }
}

/// For each byte: it belongs to the base64 alphabet. A table, because the check runs over every byte of every call.
#[expect(clippy::indexing_slicing, reason = "checked when it is compiled")]
const ALPHABET: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = (byte as u8).is_ascii_alphanumeric() || byte == b'+' as usize || byte == b'/' as usize;
        byte += 1;
    }
    table
};

fn is_base64(text: &[u8]) -> bool {
    if !text.len().is_multiple_of(4) {
        return false;
    }
    let body = text.strip_suffix(b"==").or_else(|| text.strip_suffix(b"=")).unwrap_or(text);
    // No early exit: without a branch in the loop it costs half.
    body.iter().fold(true, |good, byte| good & ALPHABET.get(usize::from(*byte)).is_some_and(|known| *known))
}

#[cfg(test)]
mod tests {
    use super::Payload;

    #[test]
    fn lengths_without_decoding() {
        for bytes in 0..50_usize {
            let encoded = Payload::encode(&vec![7; bytes]);
            assert_eq!(encoded.byte_len(), bytes as u64);
            assert_eq!(Payload::new(encoded.as_str().to_owned()), Some(encoded));
        }
        assert_eq!(Payload::silence(20).byte_len(), 160);
    }

    #[test]
    fn only_base64_gets_through() {
        for bad in [
            "a", "abc", "ab\"=", "a===", "====", "=abc", "ab=c", "ab\\\\", "äbc", "ab c", "abc\n", "abc\u{0}",
        ] {
            assert_eq!(Payload::new(bad), None, "{bad:?}");
        }
        assert!(Payload::new("").is_some_and(|empty| empty.byte_len() == 0));
    }
}
