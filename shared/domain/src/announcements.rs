//! What callers are told where no model speaks: when a number is unknown, a limit reached, or something failed.

use crate::Language;

/// Something that is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Announcement {
    /// The number that was dialled is nobody's.
    UnknownNumber,
    /// As many calls as allowed are on the line.
    LinesBusy,
    /// As many calls as allowed have come in today, or the money for today is spent.
    DaySpent,
    /// The call cannot be taken at all.
    OutOfOrder,
    /// It is tried again in a second.
    OneMoment,
    /// Something broke; a human being's telephone rings next.
    Connecting,
    /// Something broke; a message is taken next.
    Sorry,
    /// No human being answered, or there is none; a message is taken next.
    NobodyAvailable,
    /// What to do at the tone.
    LeaveMessage,
    /// Nothing was said after the tone.
    NothingHeard,
    /// A message was recorded.
    Thanks,
    /// The call is over, and the assistant could not say so itself.
    Goodbye,
}

impl Announcement {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::UnknownNumber,
        Self::LinesBusy,
        Self::DaySpent,
        Self::OutOfOrder,
        Self::OneMoment,
        Self::Connecting,
        Self::Sorry,
        Self::NobodyAvailable,
        Self::LeaveMessage,
        Self::NothingHeard,
        Self::Thanks,
        Self::Goodbye,
    ];

    /// Its words.
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
            Self::UnknownNumber => {
                "We are sorry, this number is not in service. Please check the number and call again. Goodbye."
            }
            Self::LinesBusy => {
                "We are sorry, all of our lines are busy. Please call again in a few minutes. Goodbye."
            }
            Self::DaySpent => {
                "We are sorry, we cannot take any more calls today. Please call again tomorrow. Goodbye."
            }
            Self::OutOfOrder => {
                "We are sorry, we cannot take your call at the moment. Please call again later. Goodbye."
            }
            Self::OneMoment => "One moment, please.",
            Self::Connecting => {
                "I am sorry, something went wrong on our side. Please stay on the line: I am connecting you."
            }
            Self::Sorry => "I am sorry, something went wrong on our side.",
            Self::NobodyAvailable => "I am sorry, nobody can take your call now.",
            Self::LeaveMessage => "Please leave a message after the tone, and we will call you back.",
            Self::NothingHeard => "We did not hear anything. Goodbye.",
            Self::Thanks => "Thank you. Your message has been recorded. Goodbye.",
            Self::Goodbye => "We have to end this call now. Thank you for calling. Goodbye.",
        }
    }

    const fn spanish(self) -> &'static str {
        match self {
            Self::UnknownNumber => {
                "Lo sentimos, este número no está en servicio. Compruebe el número y vuelva a llamar. Adiós."
            }
            Self::LinesBusy => {
                "Lo sentimos, todas nuestras líneas están ocupadas. Vuelva a llamar en unos minutos. Adiós."
            }
            Self::DaySpent => {
                "Lo sentimos, hoy no podemos atender más llamadas. Vuelva a llamar mañana. Adiós."
            }
            Self::OutOfOrder => {
                "Lo sentimos, en este momento no podemos atender su llamada. Vuelva a llamar más tarde. Adiós."
            }
            Self::OneMoment => "Un momento, por favor.",
            Self::Connecting => {
                "Lo siento, algo ha fallado por nuestra parte. No cuelgue, por favor: le paso con una persona."
            }
            Self::Sorry => "Lo siento, algo ha fallado por nuestra parte.",
            Self::NobodyAvailable => "Lo siento, ahora nadie puede atender su llamada.",
            Self::LeaveMessage => "Deje un mensaje después de la señal y le devolveremos la llamada.",
            Self::NothingHeard => "No hemos oído nada. Adiós.",
            Self::Thanks => "Gracias. Su mensaje ha quedado grabado. Adiós.",
            Self::Goodbye => "Tenemos que terminar esta llamada. Gracias por llamar. Adiós.",
        }
    }

    const fn german(self) -> &'static str {
        match self {
            Self::UnknownNumber => {
                "Diese Nummer ist leider nicht vergeben. Bitte prüfen Sie die Nummer und rufen Sie noch einmal an. \
                 Auf Wiederhören."
            }
            Self::LinesBusy => {
                "Leider sind alle unsere Leitungen belegt. Bitte rufen Sie in ein paar Minuten noch einmal an. \
                 Auf Wiederhören."
            }
            Self::DaySpent => {
                "Leider können wir heute keine weiteren Anrufe annehmen. Bitte rufen Sie morgen noch einmal an. \
                 Auf Wiederhören."
            }
            Self::OutOfOrder => {
                "Leider können wir Ihren Anruf im Moment nicht annehmen. Bitte rufen Sie später noch einmal an. \
                 Auf Wiederhören."
            }
            Self::OneMoment => "Einen Moment, bitte.",
            Self::Connecting => {
                "Es tut mir leid, bei uns ist etwas schiefgegangen. Bitte bleiben Sie am Apparat, ich verbinde Sie."
            }
            Self::Sorry => "Es tut mir leid, bei uns ist etwas schiefgegangen.",
            Self::NobodyAvailable => "Es tut mir leid, gerade kann niemand Ihren Anruf annehmen.",
            Self::LeaveMessage => "Bitte hinterlassen Sie nach dem Ton eine Nachricht, wir rufen Sie zurück.",
            Self::NothingHeard => "Wir haben nichts gehört. Auf Wiederhören.",
            Self::Thanks => "Vielen Dank. Ihre Nachricht wurde aufgenommen. Auf Wiederhören.",
            Self::Goodbye => {
                "Wir müssen das Gespräch nun beenden. Vielen Dank für Ihren Anruf. Auf Wiederhören."
            }
        }
    }

    const fn french(self) -> &'static str {
        match self {
            Self::UnknownNumber => {
                "Nous sommes désolés, ce numéro n'est pas attribué. Veuillez vérifier le numéro et rappeler. \
                 Au revoir."
            }
            Self::LinesBusy => {
                "Nous sommes désolés, toutes nos lignes sont occupées. Veuillez rappeler dans quelques minutes. \
                 Au revoir."
            }
            Self::DaySpent => {
                "Nous sommes désolés, nous ne pouvons plus prendre d'appels aujourd'hui. Veuillez rappeler demain. \
                 Au revoir."
            }
            Self::OutOfOrder => {
                "Nous sommes désolés, nous ne pouvons pas prendre votre appel pour le moment. Veuillez rappeler plus \
                 tard. Au revoir."
            }
            Self::OneMoment => "Un instant, s'il vous plaît.",
            Self::Connecting => {
                "Je suis désolé, un problème est survenu de notre côté. Veuillez rester en ligne, je vous mets en \
                 relation."
            }
            Self::Sorry => "Je suis désolé, un problème est survenu de notre côté.",
            Self::NobodyAvailable => "Je suis désolé, personne ne peut prendre votre appel pour le moment.",
            Self::LeaveMessage => "Veuillez laisser un message après le signal, nous vous rappellerons.",
            Self::NothingHeard => "Nous n'avons rien entendu. Au revoir.",
            Self::Thanks => "Merci. Votre message a été enregistré. Au revoir.",
            Self::Goodbye => "Nous devons mettre fin à cet appel. Merci de votre appel. Au revoir.",
        }
    }

    const fn portuguese(self) -> &'static str {
        match self {
            Self::UnknownNumber => {
                "Lamentamos, este número não está em serviço. Verifique o número e ligue novamente. Até logo."
            }
            Self::LinesBusy => {
                "Lamentamos, todas as nossas linhas estão ocupadas. Ligue novamente em alguns minutos. Até logo."
            }
            Self::DaySpent => {
                "Lamentamos, hoje não podemos atender mais chamadas. Ligue novamente amanhã. Até logo."
            }
            Self::OutOfOrder => {
                "Lamentamos, no momento não podemos atender a sua chamada. Ligue novamente mais tarde. Até logo."
            }
            Self::OneMoment => "Um momento, por favor.",
            Self::Connecting => {
                "Sinto muito, algo deu errado do nosso lado. Por favor, fique na linha: vou transferir a sua chamada."
            }
            Self::Sorry => "Sinto muito, algo deu errado do nosso lado.",
            Self::NobodyAvailable => "Sinto muito, ninguém pode atender a sua chamada agora.",
            Self::LeaveMessage => "Deixe uma mensagem após o sinal e nós ligaremos de volta.",
            Self::NothingHeard => "Não ouvimos nada. Até logo.",
            Self::Thanks => "Obrigado. A sua mensagem foi gravada. Até logo.",
            Self::Goodbye => "Temos de terminar esta chamada. Obrigado por ligar. Até logo.",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// None was forgotten, and none stands for two.
    #[test]
    fn every_announcement_has_its_own_words_in_every_language() {
        let mut seen = BTreeSet::new();
        for language in Language::ALL {
            for announcement in Announcement::ALL {
                let text = announcement.text(language);
                assert!(text.ends_with('.') && !text.contains("  "), "{text}");
                assert!(seen.insert(text), "twice: {text}");
            }
        }
    }

    #[test]
    fn languages_are_found_by_their_code() {
        for language in Language::ALL {
            assert_eq!(Language::of_code(language.code()), Some(language));
        }
        assert_eq!(Language::of_code("it"), None);
        for other in [None, Some("it"), Some("DE"), Some("")] {
            assert_eq!(Language::for_code(other), Language::English);
        }
    }
}
