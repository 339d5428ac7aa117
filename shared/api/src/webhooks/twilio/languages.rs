//! Twilio's names of the languages that a call held turn by turn is listened to and spoken in.
//!
//! More of them than VoiceCore has words of its own in: what the model says is in the caller's language, and must be read and
//! understood in it.

use voicecore_domain::{Announcement, Language};

/// One language, by Twilio's names.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tongue {
    /// ISO 639-1.
    code: &'static str,
    /// Of `<Gather>`. Source: twilio.com/docs/voice/twiml/gather, "Languages and speech models".
    pub(super) recogniser: &'static str,
    /// Of `<Say>`. `None`: what the account speaks, which is English. Source: twilio.com/docs/voice/twiml/say/text-speech.
    pub(super) say: Option<&'static str>,
    /// A voice that speaks it. `None`: the one that the account has for the language.
    pub(super) voice: Option<&'static str>,
}

const fn tongue(
    code: &'static str,
    recogniser: &'static str,
    say: &'static str,
    voice: Option<&'static str>,
) -> Tongue {
    Tongue { code, recogniser, say: Some(say), voice }
}

/// What is spoken where the language is not known, or none of these.
static ENGLISH: Tongue = Tongue { code: "en", recogniser: "en-US", say: None, voice: None };

static OTHERS: [Tongue; 26] = [
    tongue("ar", "ar-SA", "arb", Some("Polly.Zeina")),
    tongue("ca", "ca-ES", "ca-ES", Some("Polly.Arlet-Neural")),
    tongue("cs", "cs-CZ", "cs-CZ", None),
    tongue("da", "da-DK", "da-DK", Some("Polly.Naja")),
    tongue("de", "de-DE", "de-DE", Some("Polly.Vicki")),
    tongue("el", "el-GR", "el-GR", None),
    tongue("es", "es-ES", "es-ES", Some("Polly.Lucia")),
    tongue("fi", "fi-FI", "fi-FI", Some("Polly.Suvi-Neural")),
    tongue("fr", "fr-FR", "fr-FR", Some("Polly.Lea")),
    tongue("hi", "hi-IN", "hi-IN", Some("Polly.Aditi")),
    tongue("hu", "hu-HU", "hu-HU", None),
    tongue("it", "it-IT", "it-IT", Some("Polly.Bianca")),
    tongue("ja", "ja-JP", "ja-JP", Some("Polly.Mizuki")),
    tongue("ko", "ko-KR", "ko-KR", Some("Polly.Seoyeon")),
    tongue("nb", "nb-NO", "nb-NO", Some("Polly.Liv")),
    tongue("nl", "nl-NL", "nl-NL", Some("Polly.Lotte")),
    tongue("no", "nb-NO", "nb-NO", Some("Polly.Liv")),
    tongue("pl", "pl-PL", "pl-PL", Some("Polly.Ewa")),
    tongue("pt", "pt-BR", "pt-BR", Some("Polly.Camila")),
    tongue("ro", "ro-RO", "ro-RO", Some("Polly.Carmen")),
    tongue("ru", "ru-RU", "ru-RU", Some("Polly.Tatyana")),
    tongue("sk", "sk-SK", "sk-SK", None),
    tongue("sv", "sv-SE", "sv-SE", Some("Polly.Astrid")),
    tongue("tr", "tr-TR", "tr-TR", Some("Polly.Filiz")),
    tongue("uk", "uk-UA", "uk-UA", None),
    tongue("zh", "cmn-Hans-CN", "cmn-CN", Some("Polly.Zhiyu")),
];

impl Tongue {
    /// That of an ISO 639-1 code; English, if there is none or Twilio is not known to speak it.
    pub(super) fn for_code(code: Option<&str>) -> &'static Self {
        let found = code.and_then(|code| OTHERS.iter().find(|tongue| tongue.code == code));
        found.unwrap_or(&ENGLISH)
    }

    /// That of our own words.
    pub(super) fn of(language: Language) -> &'static Self {
        Self::for_code(Some(language.code()))
    }

    /// What reads `text`: where we have no words of our own in this language, they are English, and so is their voice.
    pub(super) fn reading(&'static self, text: &str) -> &'static Self {
        let ours = || Announcement::ALL.iter().any(|said| said.text(Language::English) == text);
        if Language::of_code(self.code).is_none() && ours() { &ENGLISH } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_that_we_have_words_in_have_names() {
        for language in Language::ALL {
            assert_eq!(Tongue::of(language).code, language.code());
        }
    }

    #[test]
    fn codes_are_there_once_and_names_are_of_their_language() {
        for (index, tongue) in OTHERS.iter().enumerate() {
            assert!(OTHERS[..index].iter().all(|other| other.code != tongue.code), "{}", tongue.code);
            let named = match tongue.code {
                "no" => "nb-",
                "zh" => "cmn-",
                code => code,
            };
            assert!(tongue.recogniser.starts_with(named), "{}", tongue.code);
            assert!(tongue.say.is_some_and(|name| name.starts_with(named)), "{}", tongue.code);
        }
    }

    #[test]
    fn unknown_languages_are_english() {
        for code in [None, Some("xx"), Some("IT"), Some("")] {
            assert_eq!(Tongue::for_code(code), &ENGLISH);
        }
    }

    #[test]
    fn our_english_words_are_read_by_an_english_voice() {
        let italian = Tongue::for_code(Some("it"));
        assert_eq!(italian.reading(Announcement::StillThere.text(Language::English)), &ENGLISH);
        assert_eq!(italian.reading("Buongiorno."), italian);
        let german = Tongue::for_code(Some("de"));
        assert_eq!(german.reading(Announcement::StillThere.text(Language::German)), german);
    }
}
