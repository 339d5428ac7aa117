//! What a `<Gather>` has heard, judged.

/// Below this the recogniser has guessed: noise, or words that nobody could make out. 0 counts as "not told", because
/// some of Twilio's recognisers know no confidence and send that.
pub const MIN_CONFIDENCE: f32 = 0.25;
/// The most characters kept of one turn of the caller.
const MAX_SPEECH_CHARS: usize = 1_000;

/// What came of listening.
#[derive(Clone, Copy, PartialEq, Default)]
pub struct Heard<'a> {
    /// What was understood.
    pub speech: Option<&'a str>,
    /// How sure the recogniser is, from 0 to 1.
    pub confidence: Option<f32>,
    /// Keys that were pressed.
    pub digits: Option<&'a str>,
}

/// The same, judged.
#[derive(PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Keys.
    Keys(String),
    /// Words.
    Words(String),
    /// Something, but no words.
    Unclear,
    /// Nothing.
    Silence,
}

impl Heard<'_> {
    pub(crate) fn judge(&self) -> Verdict {
        if let Some(keys) = self.digits.filter(|keys| !keys.is_empty()) {
            return Verdict::Keys(keys.to_owned());
        }
        let Some(speech) = self.speech.map(str::trim).filter(|speech| !speech.is_empty()) else {
            return Verdict::Silence;
        };
        let guessed = self.confidence.is_some_and(|sure| sure > 0.0 && sure < MIN_CONFIDENCE);
        if guessed || !speech.chars().any(char::is_alphanumeric) {
            return Verdict::Unclear;
        }
        Verdict::Words(speech.chars().take(MAX_SPEECH_CHARS).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_words_keys_and_silence_are_told_apart() {
        let judge = |speech, confidence, digits| Heard { speech, confidence, digits }.judge();
        for (speech, confidence, verdict) in [
            (None, None, Verdict::Silence),
            (Some("  "), Some(0.9), Verdict::Silence),
            (Some("…"), Some(0.9), Verdict::Unclear),
            (Some("a table"), Some(0.1), Verdict::Unclear),
            (Some("a table"), Some(0.0), Verdict::Words("a table".into())),
            (Some(" a table "), None, Verdict::Words("a table".into())),
            (Some("a table"), Some(0.25), Verdict::Words("a table".into())),
        ] {
            assert!(judge(speech, confidence, None) == verdict, "{speech:?} {confidence:?}");
        }
        assert!(judge(Some("zero"), Some(0.9), Some("0")) == Verdict::Keys("0".into()));
        assert!(judge(Some("zero"), Some(0.9), Some("")) == Verdict::Words("zero".into()));
        let long = "é".repeat(5_000);
        let Verdict::Words(kept) = judge(Some(&long), None, None) else { panic!() };
        assert_eq!(kept.chars().count(), MAX_SPEECH_CHARS);
    }
}
