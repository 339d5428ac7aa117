//! What callers hear first. It always says that an AI speaks, whatever the business has written.

use crate::Language;

/// The most characters of a business's own greeting.
pub const MAX_GREETING_CHARS: usize = 500;
/// The most characters of a business's name in a greeting.
const MAX_NAME_CHARS: usize = 200;

/// How many words before a disclosure may turn it into its opposite ("this is not an AI").
const NEGATION_REACH: usize = 3;
const NEGATIONS: [&str; 16] = [
    "no", "not", "never", "without", "nunca", "ni", "sin", "kein*", "nicht", "ohne", "ne", "pas", "sans",
    "não", "nem", "sem",
];

/// What an assistant says first: the business's own greeting, or else the default. `code` is the ISO 639-1 language of the
/// callers, if the business has chosen one.
#[must_use]
pub fn greeting(own: Option<&str>, business: &str, code: Option<&str>, transfer_available: bool) -> String {
    match own {
        Some(own) => disclosed(&shorten(own, MAX_GREETING_CHARS), code),
        None => standard(&shorten(business, MAX_NAME_CHARS), Language::for_code(code), transfer_available),
    }
}

/// `greeting` as it is if it says that an AI speaks; with a sentence before it that does, otherwise.
///
/// What it says is found by words, and judged strictly: whoever is told twice has lost a second, whoever is not told was
/// deceived. Words count in the language of the callers; where that has none of our own, in any.
#[must_use]
pub fn disclosed(greeting: &str, code: Option<&str>) -> String {
    let languages =
        code.and_then(Language::of_code).map_or(Language::ALL.to_vec(), |language| vec![language]);
    if languages.into_iter().any(|language| discloses(greeting, language)) {
        return greeting.to_owned();
    }
    format!("{} {greeting}", disclosure(Language::for_code(code)))
}

/// The sentence that says it.
#[must_use]
pub const fn disclosure(language: Language) -> &'static str {
    match language {
        Language::English => "You are speaking with an AI assistant.",
        Language::Spanish => "Está hablando con un asistente de inteligencia artificial.",
        Language::German => "Sie sprechen mit einem KI-Assistenten.",
        Language::French => "Vous parlez avec un assistant d'intelligence artificielle.",
        Language::Portuguese => "Você está falando com um assistente de inteligência artificial.",
    }
}

fn standard(business: &str, language: Language, transfer_available: bool) -> String {
    let (hello, press_0, question) = match language {
        Language::English => (
            format!("Hello, you have reached {business}. I am an AI assistant."),
            "Press 0 at any time to speak with a person.",
            "How can I help you?",
        ),
        Language::Spanish => (
            format!("Hola, ha llamado a {business}. Soy un asistente de inteligencia artificial."),
            "Pulse 0 en cualquier momento para hablar con una persona.",
            "¿En qué puedo ayudarle?",
        ),
        Language::German => (
            format!("Guten Tag, hier ist {business}. Ich bin ein KI-Assistent."),
            "Drücken Sie jederzeit die 0, um mit einem Menschen zu sprechen.",
            "Wie kann ich Ihnen helfen?",
        ),
        Language::French => (
            format!(
                "Bonjour, vous êtes bien chez {business}. Je suis un assistant d'intelligence artificielle."
            ),
            "Appuyez sur 0 à tout moment pour parler à une personne.",
            "Comment puis-je vous aider ?",
        ),
        Language::Portuguese => (
            format!("Olá, você ligou para {business}. Sou um assistente de inteligência artificial."),
            "Pressione 0 a qualquer momento para falar com uma pessoa.",
            "Como posso ajudar?",
        ),
    };
    if transfer_available { format!("{hello} {press_0} {question}") } else { format!("{hello} {question}") }
}

/// What says in a language that no human being speaks. Words with blanks between them, one after the other in the greeting:
/// with a capital letter as it stands, or else in any case; `*` for any ending.
pub(crate) const fn phrases(language: Language) -> &'static [&'static str] {
    match language {
        Language::English => &[
            "AI",
            "A I",
            "artificial intelligence",
            "robot*",
            "bot",
            "chatbot*",
            "voicebot*",
            "virtual assistant*",
            "digital assistant*",
            "automated assistant*",
        ],
        Language::Spanish => &[
            "IA",
            "inteligencia artificial",
            "robot*",
            "bot",
            "chatbot*",
            "asistente virtual",
            "asistente digital",
            "asistente automátic*",
        ],
        Language::German => &[
            "KI",
            "künstliche* intelligenz",
            "roboter*",
            "chatbot*",
            "sprachbot*",
            "voicebot*",
            "sprachcomputer*",
            "sprachassistent*",
            "virtuelle* assistent*",
            "digitale* assistent*",
            "automatische* assistent*",
        ],
        Language::French => &[
            "IA",
            "intelligence artificielle",
            "robot*",
            "chatbot*",
            "voicebot*",
            "callbot*",
            "assistant* virtuel*",
            "assistant* numérique*",
            "assistant* automatique*",
        ],
        Language::Portuguese => &[
            "IA",
            "inteligência artificial",
            "robô*",
            "robot*",
            "bot",
            "chatbot*",
            "assistente virtual",
            "assistente digital",
            "assistente automátic*",
        ],
    }
}

fn discloses(greeting: &str, language: Language) -> bool {
    let words: Vec<&str> =
        greeting.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    phrases(language).iter().any(|phrase| {
        let phrase: Vec<&str> = phrase.split(' ').collect();
        let mut places = words.windows(phrase.len()).enumerate();
        places.any(|(place, found)| {
            let said = found.iter().zip(&phrase).all(|(word, pattern)| fits(word, pattern));
            let before = words.iter().take(place).rev().take(NEGATION_REACH);
            said && !before.into_iter().any(|word| NEGATIONS.iter().any(|pattern| fits(word, pattern)))
        })
    })
}

fn fits(word: &str, pattern: &str) -> bool {
    if pattern.contains(char::is_uppercase) {
        return word == pattern;
    }
    let word = word.to_lowercase();
    match pattern.strip_suffix('*') {
        Some(stem) => word.starts_with(stem),
        None => word == pattern,
    }
}

fn shorten(text: &str, max_chars: usize) -> String {
    text.chars().take(max_chars).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_we_say_ourselves_discloses() {
        for language in Language::ALL {
            assert!(discloses(disclosure(language), language), "{language:?}");
            for transfer in [false, true] {
                let text = greeting(None, "Bella's", Some(language.code()), transfer);
                assert!(discloses(&text, language) && text.contains("Bella's"), "{text}");
                assert_eq!(text.contains('0'), transfer, "{text}");
            }
        }
    }

    #[test]
    fn greetings_that_disclose_stay_as_they_are() {
        for (code, text) in [
            ("en", "Hi, I'm Ada, the AI receptionist of Bella's."),
            ("en", "This is Bella's A.I. – how can I help?"),
            ("en", "Hello! Bella's virtual assistant here."),
            ("es", "Hola, soy el asistente virtual de Bella."),
            ("es", "Hola, soy Ada, una inteligencia artificial."),
            ("de", "Guten Tag, hier spricht die KI-Assistentin von Bella."),
            ("de", "Hallo, ich bin die virtuelle Assistentin von Bella."),
            ("fr", "Bonjour, je suis l'assistante virtuelle de Bella."),
            ("fr", "Bonjour, je suis une IA."),
            ("pt", "Olá, sou o robô da Bella."),
            ("it", "Ciao, sono un robot."),
        ] {
            assert_eq!(disclosed(text, Some(code)), text);
        }
    }

    #[test]
    fn all_other_greetings_get_a_sentence_before_them() {
        for (code, text, expected) in [
            (Some("en"), "Hello, this is Ada from Bella's.", Language::English),
            (Some("en"), "I'm not an AI, I am a real person!", Language::English),
            (Some("en"), "Said to be fair, botany is what we do.", Language::English),
            (Some("fr"), "Bonjour, J'AI la joie de vous accueillir.", Language::French),
            (Some("de"), "Hier spricht keine künstliche Intelligenz.", Language::German),
            // The words of another language are not those of the callers.
            (Some("de"), "Hola, soy un asistente virtual.", Language::German),
            (Some("es"), "Hola, aquí Bella.", Language::Spanish),
            (Some("pt"), "Olá, aqui é a Bella.", Language::Portuguese),
            (Some("it"), "Ciao, sono Bella.", Language::English),
            (None, "Hello.", Language::English),
            (None, "", Language::English),
        ] {
            assert_eq!(disclosed(text, code), format!("{} {text}", disclosure(expected)));
        }
    }

    #[test]
    fn a_disclosure_that_is_cut_off_does_not_count() {
        let own = format!("{} I am an AI.", "Welcome! ".repeat(100));
        let text = greeting(Some(&own), "x", Some("en"), false);
        assert!(text.starts_with("You are speaking with an AI assistant. Welcome!"), "{text}");
    }

    proptest! {
        /// Whatever the business writes, callers are told, and then hear what was written.
        #[test]
        fn callers_are_always_told(own in ".{0,80}|[a-zA-Z' .]{0,80}", code in "en|es|de|fr|pt|it|[a-z]{2}") {
            let text = disclosed(&own, Some(&code));
            prop_assert!(text.ends_with(&own));
            prop_assert!(Language::ALL.into_iter().any(|language| discloses(&text, language)));
            prop_assert_eq!(disclosed(&text, Some(&code)), text);
        }
    }
}
