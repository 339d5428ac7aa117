//! The rules that a tenant begins with.

use super::{Rule, RuleKind, RuleSpeaker};
use crate::{Language, greeting};

/// How a caller is asked for what nobody should tell on the telephone. A tenant's assistants may speak several languages, so each
/// rule has the phrases of all.
const SECRETS: &[&str] = &[
    "your card number",
    "your credit card number",
    "your debit card number",
    "card security code",
    "your pin",
    "your password",
    "su número de tarjeta",
    "el número de su tarjeta",
    "el número de tarjeta",
    "su pin",
    "su clave",
    "su contraseña",
    "ihre kartennummer",
    "ihre kreditkartennummer",
    "ihre pin",
    "ihr passwort",
    "ihr kennwort",
    "votre numéro de carte",
    "le numéro de votre carte",
    "votre code pin",
    "votre code secret",
    "votre code confidentiel",
    "votre mot de passe",
    "seu número de cartão",
    "o número do seu cartão",
    "o número do cartão",
    "seu pin",
    "sua senha",
];

/// The rules that a tenant begins with, named in the language of its first assistant.
#[must_use]
pub fn defaults(language: Language) -> Vec<Rule> {
    let [disclosure, secrets] = words(language);
    let mut disclosing: Vec<&str> = Vec::new();
    for phrase in Language::ALL.into_iter().flat_map(greeting::phrases) {
        if !disclosing.contains(phrase) {
            disclosing.push(phrase);
        }
    }
    vec![
        rule("disclosure", RuleKind::RequiredPhrase, 3, &disclosing, disclosure),
        rule("secrets", RuleKind::ForbiddenPhrase, 2, SECRETS, secrets),
    ]
}

fn rule(id: &str, kind: RuleKind, weight: u32, phrases: &[&str], [name, hint]: [&str; 2]) -> Rule {
    Rule {
        id: id.to_owned(),
        name: name.to_owned(),
        kind,
        speaker: RuleSpeaker::Assistant,
        phrases: phrases.iter().map(|phrase| (*phrase).to_owned()).collect(),
        weight,
        hint: Some(hint.to_owned()),
        enabled: true,
    }
}

/// Name and hint of each.
const fn words(language: Language) -> [[&'static str; 2]; 2] {
    match language {
        Language::English => [
            [
                "Says that an AI is speaking",
                "The caller did not hear it to the end. Put it at the very beginning of the greeting, and keep the greeting short.",
            ],
            [
                "Does not ask for card numbers, PINs or passwords",
                "Add to the assistant's instructions how such things are done instead, for example by a link.",
            ],
        ],
        Language::Spanish => [
            [
                "Dice que habla una IA",
                "La persona no llegó a oírlo. Dígalo al principio del saludo y acorte el saludo.",
            ],
            [
                "No pide números de tarjeta, PIN ni contraseñas",
                "Añada a las instrucciones del asistente cómo se hace en su lugar, por ejemplo con un enlace.",
            ],
        ],
        Language::German => [
            [
                "Sagt, dass eine KI spricht",
                "Am anderen Ende war es nicht zu hören. Es gehört an den Anfang der Begrüßung, und die Begrüßung sollte kurz sein.",
            ],
            [
                "Fragt nicht nach Kartennummern, PINs oder Passwörtern",
                "Ergänzen Sie in den Anweisungen des Assistenten, wie es stattdessen geht, etwa über einen Link.",
            ],
        ],
        Language::French => [
            [
                "Dit qu'une IA parle",
                "La personne ne l'a pas entendu. Dites-le au tout début de l'accueil, et raccourcissez l'accueil.",
            ],
            [
                "Ne demande ni numéro de carte, ni code, ni mot de passe",
                "Ajoutez aux instructions de l'assistant comment procéder autrement, par exemple par un lien.",
            ],
        ],
        Language::Portuguese => [
            [
                "Diz que quem fala é uma IA",
                "A pessoa não chegou a ouvir. Diga isso logo no início da saudação, e encurte a saudação.",
            ],
            [
                "Não pede número de cartão, PIN nem senha",
                "Acrescente às instruções do assistente como isso é feito, por exemplo com um link.",
            ],
        ],
    }
}
