//! What callers are told where no model speaks: when a number is unknown, a limit reached, something failed, or a call that is
//! held turn by turn needs words that the model did not make.

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
    /// This caller has rung as often as allowed within an hour.
    CallerSpent,
    /// The call cannot be taken at all.
    OutOfOrder,
    /// Something takes a moment, or is tried again in one.
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
    /// It still takes a moment.
    StillLooking,
    /// Nothing was heard of the caller.
    StillThere,
    /// Something was heard, but no words.
    SayAgain,
    /// Nothing was heard for too long.
    NobodyHeard,
    /// The call has reached its longest allowed length.
    TooLong,
    /// A human being's telephone rings next.
    PuttingThrough,
    /// The line broke; the conversation goes on.
    GoOn,
    /// The assistant ended the call, and found no words for it.
    Farewell,
}

impl Announcement {
    /// All of them.
    pub const ALL: [Self; 21] = [
        Self::UnknownNumber,
        Self::LinesBusy,
        Self::DaySpent,
        Self::CallerSpent,
        Self::OutOfOrder,
        Self::OneMoment,
        Self::Connecting,
        Self::Sorry,
        Self::NobodyAvailable,
        Self::LeaveMessage,
        Self::NothingHeard,
        Self::Thanks,
        Self::Goodbye,
        Self::StillLooking,
        Self::StillThere,
        Self::SayAgain,
        Self::NobodyHeard,
        Self::TooLong,
        Self::PuttingThrough,
        Self::GoOn,
        Self::Farewell,
    ];

    /// What covers the n-th wait of one turn, from 0.
    #[must_use]
    pub const fn filler(nth: u32) -> Self {
        if nth == 0 { Self::OneMoment } else { Self::StillLooking }
    }

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
            Self::CallerSpent => {
                "We are sorry, you have called us many times within the last hour. Please call again later. Goodbye."
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
            Self::StillLooking => "I am still looking into it. Please stay on the line.",
            Self::StillThere => "Are you still there?",
            Self::SayAgain => "I am sorry, I did not understand that. Could you say it again?",
            Self::NobodyHeard => "I cannot hear you, so I will hang up now. Please call again. Goodbye.",
            Self::TooLong => {
                "This call has reached the longest time it may take. Thank you for calling. Goodbye."
            }
            Self::PuttingThrough => "I am putting you through now. Please stay on the line.",
            Self::GoOn => "I am sorry, the line was interrupted. I am listening: please go on.",
            Self::Farewell => "Thank you for calling. Goodbye.",
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
            Self::CallerSpent => {
                "Lo sentimos, nos ha llamado muchas veces en la última hora. Por favor, vuelva a llamar más tarde. Adiós."
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
            Self::StillLooking => "Todavía lo estoy mirando. No cuelgue, por favor.",
            Self::StillThere => "¿Sigue ahí?",
            Self::SayAgain => "Perdone, no le he entendido. ¿Puede repetirlo?",
            Self::NobodyHeard => "No le oigo, así que voy a colgar. Vuelva a llamar, por favor. Adiós.",
            Self::TooLong => "Esta llamada ha alcanzado su duración máxima. Gracias por llamar. Adiós.",
            Self::PuttingThrough => "Le paso ahora mismo. No cuelgue, por favor.",
            Self::GoOn => "Perdone, se ha cortado la línea. Le escucho: continúe, por favor.",
            Self::Farewell => "Gracias por llamar. Adiós.",
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
            Self::CallerSpent => {
                "Leider haben Sie uns in der letzten Stunde sehr oft angerufen. Bitte rufen Sie später noch einmal an. Auf Wiederhören."
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
            Self::GoOn => {
                "Entschuldigung, die Verbindung war unterbrochen. Ich höre Ihnen zu: bitte sprechen Sie weiter."
            }
            Self::Farewell => "Vielen Dank für Ihren Anruf. Auf Wiederhören.",
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
            Self::CallerSpent => {
                "Nous sommes désolés, vous nous avez appelés de nombreuses fois au cours de la dernière heure. Veuillez rappeler plus tard. Au revoir."
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
            Self::StillLooking => "Je regarde encore. Veuillez rester en ligne.",
            Self::StillThere => "Êtes-vous toujours là ?",
            Self::SayAgain => "Je suis désolé, je n'ai pas compris. Pouvez-vous répéter ?",
            Self::NobodyHeard => {
                "Je ne vous entends pas et je vais raccrocher. Veuillez rappeler. Au revoir."
            }
            Self::TooLong => "Cet appel a atteint sa durée maximale. Merci de votre appel. Au revoir.",
            Self::PuttingThrough => "Je vous mets en relation. Veuillez rester en ligne.",
            Self::GoOn => {
                "Je suis désolé, la ligne a été coupée. Je vous écoute : continuez, s'il vous plaît."
            }
            Self::Farewell => "Merci de votre appel. Au revoir.",
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
            Self::CallerSpent => {
                "Lamentamos, mas ligou-nos muitas vezes na última hora. Por favor, volte a ligar mais tarde. Até logo."
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
            Self::StillLooking => "Ainda estou verificando. Por favor, continue na linha.",
            Self::StillThere => "Ainda está aí?",
            Self::SayAgain => "Desculpe, não entendi. Pode repetir?",
            Self::NobodyHeard => "Não consigo ouvir, por isso vou desligar. Ligue novamente. Até logo.",
            Self::TooLong => "Esta chamada atingiu a duração máxima. Obrigado por ligar. Até logo.",
            Self::PuttingThrough => "Vou transferir a sua chamada agora. Por favor, fique na linha.",
            Self::GoOn => "Desculpe, a linha foi interrompida. Estou ouvindo: pode continuar.",
            Self::Farewell => "Obrigado por ligar. Até logo.",
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
                assert!(text.ends_with(['.', '?']) && !text.contains("  "), "{text}");
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
