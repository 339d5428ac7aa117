//! What the caller hears of a turn-based call where the model does not speak.

use voicecore_domain::Language;

/// Something that is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phrase {
    /// The model takes its time: first, second and every further filler.
    OneMoment,
    /// The same, again.
    StillLooking,
    /// Nothing was heard.
    StillThere,
    /// Something was heard, but no words.
    SayAgain,
    /// Nothing was heard for too long.
    NobodyHeard,
    /// The call has reached its longest allowed length.
    TooLong,
    /// A human being's telephone rings next.
    PuttingThrough,
    /// The call is over.
    Goodbye,
    /// The line broke; the conversation goes on.
    GoOn,
}

impl Phrase {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::OneMoment,
        Self::StillLooking,
        Self::StillThere,
        Self::SayAgain,
        Self::NobodyHeard,
        Self::TooLong,
        Self::PuttingThrough,
        Self::Goodbye,
        Self::GoOn,
    ];

    /// What is said at the n-th filler of one turn, from 0.
    #[must_use]
    pub const fn filler(nth: u32) -> Self {
        if nth == 0 { Self::OneMoment } else { Self::StillLooking }
    }

    /// Its words.
    #[must_use]
    pub const fn text(self, language: Language) -> &'static str {
        match language {
            Language::English => self.english(),
            Language::Spanish => self.spanish(),
            Language::German => self.german(),
            Language::French => self.french(),
            Language::Portuguese => self.portuguese(),
        }
    }

    const fn english(self) -> &'static str {
        match self {
            Self::OneMoment => "One moment, please.",
            Self::StillLooking => "I am still looking into it. Please stay on the line.",
            Self::StillThere => "Are you still there?",
            Self::SayAgain => "I am sorry, I did not understand that. Could you say it again?",
            Self::NobodyHeard => "I cannot hear you, so I will hang up now. Please call again. Goodbye.",
            Self::TooLong => {
                "This call has reached the longest time it may take. Thank you for calling. Goodbye."
            }
            Self::PuttingThrough => "I am putting you through now. Please stay on the line.",
            Self::Goodbye => "Thank you for calling. Goodbye.",
            Self::GoOn => "I am sorry, the line was interrupted. I am listening: please go on.",
        }
    }

    const fn spanish(self) -> &'static str {
        match self {
            Self::OneMoment => "Un momento, por favor.",
            Self::StillLooking => "Todavía lo estoy mirando. No cuelgue, por favor.",
            Self::StillThere => "¿Sigue ahí?",
            Self::SayAgain => "Perdone, no le he entendido. ¿Puede repetirlo?",
            Self::NobodyHeard => "No le oigo, así que voy a colgar. Vuelva a llamar, por favor. Adiós.",
            Self::TooLong => "Esta llamada ha alcanzado su duración máxima. Gracias por llamar. Adiós.",
            Self::PuttingThrough => "Le paso ahora mismo. No cuelgue, por favor.",
            Self::Goodbye => "Gracias por llamar. Adiós.",
            Self::GoOn => "Perdone, se ha cortado la línea. Le escucho: continúe, por favor.",
        }
    }

    const fn german(self) -> &'static str {
        match self {
            Self::OneMoment => "Einen Moment, bitte.",
            Self::StillLooking => "Ich sehe noch nach. Bitte bleiben Sie am Apparat.",
            Self::StillThere => "Sind Sie noch da?",
            Self::SayAgain => {
                "Entschuldigung, das habe ich nicht verstanden. Können Sie es bitte noch einmal sagen?"
            }
            Self::NobodyHeard => {
                "Ich kann Sie nicht hören und lege deshalb auf. Bitte rufen Sie noch einmal an. Auf Wiederhören."
            }
            Self::TooLong => {
                "Dieses Gespräch hat seine längste Dauer erreicht. Vielen Dank für Ihren Anruf. Auf Wiederhören."
            }
            Self::PuttingThrough => "Ich verbinde Sie jetzt. Bitte bleiben Sie am Apparat.",
            Self::Goodbye => "Vielen Dank für Ihren Anruf. Auf Wiederhören.",
            Self::GoOn => {
                "Entschuldigung, die Verbindung war unterbrochen. Ich höre Ihnen zu: bitte sprechen Sie weiter."
            }
        }
    }

    const fn french(self) -> &'static str {
        match self {
            Self::OneMoment => "Un instant, s'il vous plaît.",
            Self::StillLooking => "Je regarde encore. Veuillez rester en ligne.",
            Self::StillThere => "Êtes-vous toujours là ?",
            Self::SayAgain => "Je suis désolé, je n'ai pas compris. Pouvez-vous répéter ?",
            Self::NobodyHeard => {
                "Je ne vous entends pas et je vais raccrocher. Veuillez rappeler. Au revoir."
            }
            Self::TooLong => "Cet appel a atteint sa durée maximale. Merci de votre appel. Au revoir.",
            Self::PuttingThrough => "Je vous mets en relation. Veuillez rester en ligne.",
            Self::Goodbye => "Merci de votre appel. Au revoir.",
            Self::GoOn => {
                "Je suis désolé, la ligne a été coupée. Je vous écoute : continuez, s'il vous plaît."
            }
        }
    }

    const fn portuguese(self) -> &'static str {
        match self {
            Self::OneMoment => "Um momento, por favor.",
            Self::StillLooking => "Ainda estou verificando. Por favor, continue na linha.",
            Self::StillThere => "Ainda está aí?",
            Self::SayAgain => "Desculpe, não entendi. Pode repetir?",
            Self::NobodyHeard => "Não consigo ouvir, por isso vou desligar. Ligue novamente. Até logo.",
            Self::TooLong => "Esta chamada atingiu a duração máxima. Obrigado por ligar. Até logo.",
            Self::PuttingThrough => "Vou transferir a sua chamada agora. Por favor, fique na linha.",
            Self::Goodbye => "Obrigado por ligar. Até logo.",
            Self::GoOn => "Desculpe, a linha foi interrompida. Estou ouvindo: pode continuar.",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_phrase_has_its_own_words_in_every_language() {
        let mut seen = BTreeSet::new();
        for language in Language::ALL {
            for phrase in Phrase::ALL {
                let text = phrase.text(language);
                assert!(text.ends_with(['.', '?']) && !text.contains("  "), "{text}");
                assert!(seen.insert(text), "twice: {text}");
            }
        }
    }
}
