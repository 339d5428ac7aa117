//! What our mails say, in the languages that we have words in.

use voicecore_domain::Language;

/// Subject, what stands before the link, and what stands behind it. `{t}` is the tenant's name, `{n}` a number of days or minutes.
type Texts = [&'static str; 3];

const fn invitation(language: Language) -> Texts {
    match language {
        Language::English => [
            "{t} invites you to VoiceCore",
            "{t} invites you to work with VoiceCore. Open this link to accept:",
            "It works once, within {n} days. If you do not know {t}, do nothing.",
        ],
        Language::Spanish => [
            "{t} le invita a VoiceCore",
            "{t} le invita a trabajar con VoiceCore. Abra este enlace para aceptar:",
            "Funciona una sola vez, durante {n} días. Si no conoce a {t}, no haga nada.",
        ],
        Language::German => [
            "{t} lädt Sie zu VoiceCore ein",
            "{t} lädt Sie ein, mit VoiceCore zu arbeiten. Öffnen Sie diesen Link, um anzunehmen:",
            "Er funktioniert einmal, innerhalb von {n} Tagen. Wenn Sie {t} nicht kennen, tun Sie nichts.",
        ],
        Language::French => [
            "{t} vous invite sur VoiceCore",
            "{t} vous invite à travailler avec VoiceCore. Ouvrez ce lien pour accepter :",
            "Il fonctionne une seule fois, pendant {n} jours. Si vous ne connaissez pas {t}, ne faites rien.",
        ],
        Language::Portuguese => [
            "{t} convida você para o VoiceCore",
            "{t} convida você a trabalhar com o VoiceCore. Abra este link para aceitar:",
            "Ele funciona uma única vez, durante {n} dias. Se você não conhece {t}, não faça nada.",
        ],
    }
}

const fn new_password(language: Language) -> Texts {
    match language {
        Language::English => [
            "Choose a new password for VoiceCore",
            "Somebody, probably you, asked for a new password. Open this link to choose one:",
            "It works once, within {n} minutes. If it was not you, do nothing: your password stays as it is.",
        ],
        Language::Spanish => [
            "Elija una nueva contraseña para VoiceCore",
            "Alguien, probablemente usted, ha pedido una nueva contraseña. Abra este enlace para elegirla:",
            "Funciona una sola vez, durante {n} minutos. Si no fue usted, no haga nada: su contraseña sigue siendo la misma.",
        ],
        Language::German => [
            "Wählen Sie ein neues Passwort für VoiceCore",
            "Jemand, wahrscheinlich Sie, hat ein neues Passwort angefordert. Öffnen Sie diesen Link, um eines zu wählen:",
            "Er funktioniert einmal, innerhalb von {n} Minuten. Wenn Sie es nicht waren, tun Sie nichts: Ihr Passwort bleibt, wie es ist.",
        ],
        Language::French => [
            "Choisissez un nouveau mot de passe pour VoiceCore",
            "Quelqu’un, probablement vous, a demandé un nouveau mot de passe. Ouvrez ce lien pour en choisir un :",
            "Il fonctionne une seule fois, pendant {n} minutes. Si ce n’était pas vous, ne faites rien : votre mot de passe reste inchangé.",
        ],
        Language::Portuguese => [
            "Escolha uma nova senha para o VoiceCore",
            "Alguém, provavelmente você, pediu uma nova senha. Abra este link para escolher uma:",
            "Ele funciona uma única vez, durante {n} minutos. Se não foi você, não faça nada: sua senha continua a mesma.",
        ],
    }
}

/// Of an invitation by `tenant`, good for so many days.
pub(super) fn of_invitation(language: Language, tenant: &str, days: u64) -> [String; 3] {
    // The number first: a name may hold anything.
    invitation(language).map(|text| text.replace("{n}", &days.to_string()).replace("{t}", tenant))
}

/// Of a new password, which may be chosen within so many minutes.
pub(super) fn of_new_password(language: Language, minutes: u64) -> [String; 3] {
    new_password(language).map(|text| text.replace("{n}", &minutes.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_says_who_and_for_how_long_and_says_it_by_itself() {
        let mut seen = std::collections::BTreeSet::new();
        for language in Language::ALL {
            let [subject, before, after] = of_invitation(language, "A {n} & B", 7);
            assert!([&subject, &before, &after].into_iter().all(|text| text.contains("A {n} & B")));
            assert!(after.contains(" 7 ") && subject.chars().count() < voicecore_ports::MAX_SUBJECT_CHARS);
            let password = of_new_password(language, 30);
            assert!(password[2].contains(" 30 ") && !password.concat().contains('{'));
            for text in [subject, before, after].into_iter().chain(password) {
                assert!(seen.insert(text));
            }
        }
    }
}
