/// A language in which VoiceCore has words of its own: what it says when no model speaks, and what a greeting must say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// English: what is spoken where the language is not known, or none of these.
    #[default]
    English,
    /// Spanish.
    Spanish,
    /// German.
    German,
    /// French.
    French,
    /// Portuguese.
    Portuguese,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::English, Self::Spanish, Self::German, Self::French, Self::Portuguese];

    /// Its ISO 639-1 code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Spanish => "es",
            Self::German => "de",
            Self::French => "fr",
            Self::Portuguese => "pt",
        }
    }

    /// The language of an ISO 639-1 code, if it is one of these.
    #[must_use]
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.code() == code)
    }

    /// The language to speak where `code` is wanted, if any is.
    #[must_use]
    pub fn for_code(code: Option<&str>) -> Self {
        code.and_then(Self::of_code).unwrap_or_default()
    }
}
