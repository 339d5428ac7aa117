//! Quality of calls: rules about what has to be said and what must not, and what a call that is over comes to by them.
//!
//! Only what was heard counts: an utterance that was interrupted is given as far as it came.

mod defaults;
mod phrases;

use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use defaults::defaults;
use phrases::{Phrase, Run, runs};

use crate::UnknownWord;

/// The most rules of a tenant.
pub const MAX_RULES: usize = 30;
/// The most phrases of a rule.
pub const MAX_PHRASES: usize = 100;
/// The most characters of a phrase.
pub const MAX_PHRASE_CHARS: usize = 100;
/// The most characters of a rule's id.
pub const MAX_ID_CHARS: usize = 40;
/// The most characters of a rule's name.
pub const MAX_NAME_CHARS: usize = 100;
/// The most characters of the hint of what to do.
pub const MAX_HINT_CHARS: usize = 500;
/// The largest weight of a rule; the smallest is 1.
pub const MAX_WEIGHT: u32 = 10;

/// What a rule demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleKind {
    /// One of its phrases is said.
    RequiredPhrase,
    /// None of its phrases is said.
    ForbiddenPhrase,
}

impl FromStr for RuleKind {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        match text {
            "required_phrase" => Ok(Self::RequiredPhrase),
            "forbidden_phrase" => Ok(Self::ForbiddenPhrase),
            _ => Err(UnknownWord),
        }
    }
}

/// Whose words a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleSpeaker {
    /// The AI.
    Assistant,
    /// The person on the phone.
    Caller,
    /// Both.
    Any,
}

impl RuleSpeaker {
    fn is_about(self, speaker: Speaker) -> bool {
        match self {
            Self::Assistant => speaker == Speaker::Assistant,
            Self::Caller => speaker == Speaker::Caller,
            Self::Any => true,
        }
    }
}

impl FromStr for RuleSpeaker {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        match text {
            "assistant" => Ok(Self::Assistant),
            "caller" => Ok(Self::Caller),
            "any" => Ok(Self::Any),
            _ => Err(UnknownWord),
        }
    }
}

/// A rule, as it is stored (JSON; the format is fixed by a test).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Names it among the tenant's rules: letters, digits, `-` and `_`.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What it demands.
    pub kind: RuleKind,
    /// Whose words it is about.
    pub speaker: RuleSpeaker,
    /// Words with blanks between them, one after the other in what somebody says, whatever their case and accents; `*` at the end of
    /// a word for any ending. Of a required phrase a word of capitals alone (`AI`) is an abbreviation, and counts as it stands.
    pub phrases: Vec<String>,
    /// How much it counts beside the others, from 1 to [`MAX_WEIGHT`].
    pub weight: u32,
    /// What to do where it is broken.
    pub hint: Option<String>,
    /// Calls are held against it.
    pub enabled: bool,
}

/// Who says something in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    /// The AI.
    Assistant,
    /// The person on the phone.
    Caller,
}

/// What somebody said.
#[derive(Debug, Clone, Copy)]
pub struct Utterance<'a> {
    /// Its place in the transcript.
    pub seq: u32,
    /// Who.
    pub speaker: Speaker,
    /// As far as it was heard.
    pub text: &'a str,
}

/// What a call comes to by one rule, as it is stored (JSON): with what the rule was like then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The rule.
    pub rule_id: String,
    /// What it was called.
    pub name: String,
    /// What it demanded.
    pub kind: RuleKind,
    /// How much it counted.
    pub weight: u32,
    /// What to do where it is broken.
    pub hint: Option<String>,
    /// The call keeps it.
    pub passed: bool,
    /// The place of the utterance that decided: the first with a phrase of the rule. None: no such thing was said.
    pub seq: Option<u32>,
    /// The phrase that was found there.
    pub phrase: Option<String>,
}

/// What a call comes to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Evaluation {
    /// Which share of the rules it keeps, by weight, in thousandths, rounded down. None: there are no rules.
    pub score_permille: Option<u32>,
    /// By each rule that is enabled, in their order.
    pub outcomes: Vec<Outcome>,
}

/// Holds what was said, in the order of the call, against the rules that are enabled. A phrase may begin in one utterance and end in
/// another if nobody else spoke between the two.
#[must_use]
pub fn evaluate(rules: &[Rule], said: &[Utterance<'_>]) -> Evaluation {
    let runs = runs(said);
    let enabled = rules.iter().filter(|rule| rule.enabled);
    let outcomes: Vec<Outcome> = enabled.map(|rule| outcome(rule, &runs)).collect();
    let weight = |kept: &dyn Fn(&Outcome) -> bool| -> u64 {
        outcomes.iter().filter(|one| kept(one)).map(|one| u64::from(one.weight)).sum()
    };
    let (kept, all) = (weight(&|one| one.passed), weight(&|_| true));
    let score = (kept * 1_000).checked_div(all).and_then(|score| u32::try_from(score).ok());
    Evaluation { score_permille: score, outcomes }
}

fn outcome(rule: &Rule, runs: &[Run]) -> Outcome {
    let required = rule.kind == RuleKind::RequiredPhrase;
    let found = rule.phrases.iter().filter_map(|text| {
        let phrase = Phrase::new(text, required);
        let mut own = runs.iter().filter(|run| rule.speaker.is_about(run.speaker));
        own.find_map(|run| phrase.place_in(run)).map(|seq| (seq, text))
    });
    // Of several phrases the one that was said first.
    let found = found.min_by_key(|(seq, _)| *seq);
    Outcome {
        rule_id: rule.id.clone(),
        name: rule.name.clone(),
        kind: rule.kind,
        weight: rule.weight,
        hint: rule.hint.clone(),
        passed: found.is_some() == required,
        seq: found.map(|(seq, _)| seq),
        phrase: found.map(|(_, text)| text.clone()),
    }
}

/// Whether a phrase has a word: one without is never said.
#[must_use]
pub fn has_words(phrase: &str) -> bool {
    !Phrase::new(phrase, false).is_empty()
}

#[cfg(test)]
mod tests;
