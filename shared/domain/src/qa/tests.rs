use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::Language;
use crate::greeting::{disclosed, greeting};

fn rule(kind: RuleKind, speaker: RuleSpeaker, phrases: &[&str]) -> Rule {
    Rule {
        id: "one".to_owned(),
        name: "One".to_owned(),
        kind,
        speaker,
        phrases: phrases.iter().map(|phrase| (*phrase).to_owned()).collect(),
        weight: 1,
        hint: None,
        enabled: true,
    }
}

fn required(phrase: &str) -> Rule {
    rule(RuleKind::RequiredPhrase, RuleSpeaker::Any, &[phrase])
}

fn forbidden(phrase: &str) -> Rule {
    rule(RuleKind::ForbiddenPhrase, RuleSpeaker::Any, &[phrase])
}

/// By both in turn, the assistant first.
fn said<'a>(texts: &[&'a str]) -> Vec<Utterance<'a>> {
    let speakers = [Speaker::Assistant, Speaker::Caller].into_iter().cycle();
    (1..).zip(speakers).zip(texts).map(|((seq, speaker), text)| Utterance { seq, speaker, text }).collect()
}

fn place(rule: Rule, texts: &[&str]) -> Option<u32> {
    evaluate(&[rule], &said(texts)).outcomes[0].seq
}

#[test]
fn words_are_found_whatever_their_case_and_accents() {
    for (phrase, text) in [
        ("recorded call", "This is a RECORDED call."),
        ("künstliche intelligenz", "Kunstliche Intelligenz"),
        ("Grüße", "GRÜSSE"),
        ("cafe", "cafe\u{301}"),
        ("don't", "I don’t know"),
        ("robot*", "Robotern"),
        ("number 42", "number: 42"),
        ("予約", "ご予約ですね"),
    ] {
        assert_eq!(place(forbidden(phrase), &[text]), Some(1), "{phrase}");
    }
    for (phrase, text) in [("card", "cardboard"), ("call recorded", "recorded call"), ("robot", "robots")] {
        assert_eq!(place(forbidden(phrase), &[text]), None, "{phrase}");
    }
}

#[test]
fn abbreviations_that_are_required_count_as_they_stand() {
    assert_eq!(place(required("AI"), &["J'ai compris."]), None);
    assert_eq!(place(required("AI"), &["I am an AI."]), Some(1));
    assert_eq!(place(required("A person"), &["That is a person."]), Some(1));
    assert_eq!(place(forbidden("your PIN"), &["Tell me your pin."]), Some(1));
}

#[test]
fn a_phrase_goes_on_until_somebody_else_speaks() {
    let of = |speaker, seq, text| Utterance { seq, speaker, text };
    let rules = [required("your card number")];
    let (assistant, caller) = (Speaker::Assistant, Speaker::Caller);
    let one = [of(assistant, 1, "What is your"), of(assistant, 3, "card number?")];
    assert_eq!(evaluate(&rules, &one).outcomes[0].seq, Some(3));
    let two = [one[0], of(caller, 2, "Yes?"), one[1]];
    assert_eq!(evaluate(&rules, &two).outcomes[0].seq, None);
}

#[test]
fn rules_are_about_those_whom_they_name() {
    let texts = ["Good morning.", "Tell me a secret."];
    for (speaker, seq) in
        [(RuleSpeaker::Assistant, None), (RuleSpeaker::Caller, Some(2)), (RuleSpeaker::Any, Some(2))]
    {
        assert_eq!(place(rule(RuleKind::ForbiddenPhrase, speaker, &["secret"]), &texts), seq);
    }
}

#[test]
fn the_first_phrase_that_is_said_decides() {
    let both = rule(RuleKind::ForbiddenPhrase, RuleSpeaker::Any, &["second", "first"]);
    let evaluation = evaluate(&[both], &said(&["The first", "The second"]));
    let outcome = &evaluation.outcomes[0];
    assert_eq!((outcome.seq, outcome.phrase.as_deref(), outcome.passed), (Some(1), Some("first"), false));
}

#[test]
fn the_score_is_the_share_by_weight() {
    let rules = [Rule { weight: 2, ..required("hello") }, forbidden("hello"), forbidden("bye")];
    assert_eq!(evaluate(&rules, &said(&["Hello"])).score_permille, Some(750));
    let off = rules.clone().map(|rule| Rule { enabled: false, ..rule });
    assert_eq!(evaluate(&off, &said(&["Hello"])), Evaluation::default());
}

#[test]
fn formats_are_fixed() {
    let rule = Rule { hint: Some("Try".to_owned()), ..required("hello") };
    let stored = json!({"id": "one", "name": "One", "kind": "required_phrase", "speaker": "any", "phrases": ["hello"],
        "weight": 1, "hint": "Try", "enabled": true});
    assert_eq!(serde_json::to_value(&rule).unwrap(), stored);
    assert_eq!(serde_json::from_value::<Rule>(stored).unwrap(), rule);
    let outcome = evaluate(&[rule], &said(&["hello"])).outcomes.remove(0);
    let stored = json!({"rule_id": "one", "name": "One", "kind": "required_phrase", "weight": 1, "hint": "Try", "passed": true,
        "seq": 1, "phrase": "hello"});
    assert_eq!(serde_json::to_value(&outcome).unwrap(), stored);
    assert_eq!(serde_json::from_value::<Outcome>(stored).unwrap(), outcome);
}

/// What the assistant says by itself keeps the rules that a tenant begins with, in each language, whatever language they are named in.
#[test]
fn a02_defaults_are_kept_by_the_greeting() {
    for language in Language::ALL {
        for spoken in Language::ALL {
            let text = greeting(None, "Bella's", Some(spoken.code()), true);
            let evaluation = evaluate(&defaults(language), &said(&[&text]));
            assert_eq!(evaluation.score_permille, Some(1_000), "{text}");
        }
        let cut = evaluate(&defaults(language), &said(&["Bonjour, vous êtes", "J'ai une question."]));
        assert_eq!(cut.score_permille, Some(400));
    }
}

#[test]
fn defaults_are_within_the_limits() {
    for rule in Language::ALL.into_iter().flat_map(defaults) {
        assert!(rule.phrases.len() <= MAX_PHRASES && (1..=MAX_WEIGHT).contains(&rule.weight));
        assert!(rule.phrases.iter().all(|phrase| has_words(phrase) && phrase.len() <= MAX_PHRASE_CHARS));
        assert!(rule.id.len() <= MAX_ID_CHARS && rule.name.chars().count() <= MAX_NAME_CHARS);
        assert!(rule.hint.unwrap().chars().count() <= MAX_HINT_CHARS);
    }
}

#[test]
fn asking_for_secrets_is_found_in_each_language() {
    for text in [
        "Could you tell me your credit card number?",
        "¿Me dice su número de tarjeta?",
        "Wie lautet Ihre PIN?",
        "Quel est votre mot de passe ?",
        "Qual é a sua senha?",
    ] {
        let outcomes = evaluate(&defaults(Language::English), &said(&[text])).outcomes;
        assert_eq!((outcomes[1].passed, outcomes[1].seq), (false, Some(1)), "{text}");
    }
}

fn any_rule() -> impl Strategy<Value = Rule> {
    let kind = prop_oneof![Just(RuleKind::RequiredPhrase), Just(RuleKind::ForbiddenPhrase)];
    let speaker =
        prop_oneof![Just(RuleSpeaker::Assistant), Just(RuleSpeaker::Caller), Just(RuleSpeaker::Any)];
    let phrases = prop::collection::vec("[abAB]{1,2}[*]?( [abAB]{1,2}){0,2}|.{0,10}", 1..4);
    (kind, speaker, phrases, 1..=MAX_WEIGHT, any::<bool>()).prop_map(
        |(kind, speaker, phrases, weight, enabled)| Rule {
            phrases,
            weight,
            enabled,
            ..rule(kind, speaker, &[])
        },
    )
}

fn any_said() -> impl Strategy<Value = Vec<(bool, String)>> {
    prop::collection::vec((any::<bool>(), "([abAB]{1,2} ){0,6}|.{0,30}"), 0..8)
}

fn utterances(said: &[(bool, String)]) -> Vec<Utterance<'_>> {
    let speaker = |assistant: bool| if assistant { Speaker::Assistant } else { Speaker::Caller };
    (1..)
        .zip(said)
        .map(|(seq, (assistant, text))| Utterance { seq, speaker: speaker(*assistant), text })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever is said and demanded: the score is a share, it is what the outcomes add up to, and what decided was said.
    #[test]
    fn the_score_is_a_share_of_what_is_enabled(rules in prop::collection::vec(any_rule(), 0..6), said in any_said()) {
        let Evaluation { score_permille, outcomes } = evaluate(&rules, &utterances(&said));
        prop_assert_eq!(outcomes.len(), rules.iter().filter(|rule| rule.enabled).count());
        prop_assert_eq!(score_permille.is_none(), outcomes.is_empty());
        prop_assert!(score_permille.unwrap_or(0) <= 1_000);
        let all_kept = outcomes.iter().all(|one| one.passed);
        prop_assert!(score_permille.is_none_or(|score| all_kept == (score == 1_000)));
        for one in &outcomes {
            prop_assert_eq!(one.passed, one.seq.is_some() == (one.kind == RuleKind::RequiredPhrase));
            prop_assert_eq!(one.seq.is_some(), one.phrase.is_some());
            prop_assert!(one.seq.is_none_or(|seq| (1..=said.len()).contains(&(seq as usize))));
        }
    }

    /// What is said besides breaks no promise that was kept by saying something, and mends nothing that was said wrongly.
    #[test]
    fn more_that_is_said_keeps_what_is_required_and_breaks_what_is_forbidden(
        rules in prop::collection::vec(any_rule(), 1..6), said in any_said(), assistant in any::<bool>(), which in any::<prop::sample::Index>(),
    ) {
        let before = evaluate(&rules, &utterances(&said));
        let phrases: Vec<_> = rules.iter().flat_map(|rule| rule.phrases.clone()).collect();
        let mut more = said.clone();
        more.push((assistant, which.get(&phrases).clone()));
        let after = evaluate(&rules, &utterances(&more));
        for (before, after) in before.outcomes.iter().zip(&after.outcomes) {
            if before.seq.is_some() {
                prop_assert_eq!(before, after);
            }
        }
        let only = |kind| rules.iter().filter(|rule| rule.kind == kind).cloned().collect::<Vec<_>>();
        let scores = |kind| {
            let of = |said: &[(bool, String)]| evaluate(&only(kind), &utterances(said)).score_permille;
            (of(&said), of(&more))
        };
        let (before, after) = scores(RuleKind::ForbiddenPhrase);
        prop_assert!(after <= before, "a forbidden phrase has raised the score");
        let (before, after) = scores(RuleKind::RequiredPhrase);
        prop_assert!(after >= before, "a required phrase has lowered the score");
    }

    /// A phrase is found where it was said, by whomever the rule is about.
    #[test]
    fn what_is_said_is_found(phrase in "[a-zäéñ]{1,6}( [a-z0-9]{1,6}){0,3}", said in any_said()) {
        let mut more = said.clone();
        more.push((true, format!("Well, {}!", phrase.to_uppercase())));
        let mut rule = forbidden(&phrase);
        rule.speaker = RuleSpeaker::Assistant;
        let outcome = evaluate(&[rule], &utterances(&more)).outcomes.remove(0);
        prop_assert!(outcome.seq.is_some() && !outcome.passed);
    }

    /// Whatever a business has its assistant say first, it keeps the rule of disclosure when all of it was heard.
    #[test]
    fn whoever_discloses_keeps_the_rule(own in "[a-zA-ZäöüéàçßñõóôÄÉ' .!-]{0,80}|.{0,20}(AI|IA|KI|robot|Bot|künstliche Intelligenz)[ .].{0,20}", code in "en|es|de|fr|pt|it") {
        let text = disclosed(&own, Some(&code));
        prop_assume!(!text.contains(|c| ('\u{300}'..='\u{36f}').contains(&c)));
        let outcomes = evaluate(&defaults(Language::English), &utterances(&[(true, text.clone())])).outcomes;
        prop_assert!(outcomes[0].passed, "{}", text);
    }
}
