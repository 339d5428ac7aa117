use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use voicecore_types::{CallId, Millis};

/// What a rule demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum QaRuleKind {
    /// One of its phrases is said.
    RequiredPhrase,
    /// None of its phrases is said.
    ForbiddenPhrase,
}

/// Whose words a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum QaRuleSpeaker {
    /// The AI.
    Assistant,
    /// The person on the phone.
    Caller,
    /// Both.
    Any,
}

/// A rule that calls are held against when they are over.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct QaRule {
    /// Names it among the others: 1 to 40 letters, digits, `-` and `_`.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What it demands.
    pub kind: QaRuleKind,
    /// Whose words it is about.
    pub speaker: QaRuleSpeaker,
    /// 1 to 100 phrases: words that are said one after the other, whatever their case and accents; `*` at the end of a word stands for any
    /// ending. Of a required phrase a word of capitals alone (`AI`) is an abbreviation, and counts as it stands.
    pub phrases: Vec<String>,
    /// How much it counts beside the others, from 1 to 10.
    pub weight: u32,
    /// What to do where it is broken.
    pub hint: Option<String>,
    /// Calls are held against it.
    pub enabled: bool,
}

/// The rules of a tenant.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "rules": [{
        "id": "recording", "name": "Says that the call is recorded", "kind": "required_phrase", "speaker": "assistant",
        "phrases": ["recorded call", "call is recorded"], "weight": 2, "hint": "Put it into the greeting.", "enabled": true
    }],
    "version": 3, "updated_at": 1_793_272_000_000_u64
})))]
pub struct QaRules {
    /// In the order in which they are shown.
    pub rules: Vec<QaRule>,
    /// Grows by one with every change; that of `ETag`. 0: nobody has changed what the product brings.
    pub version: u64,
    /// When they were changed last.
    #[schema(value_type = Option<u64>)]
    pub updated_at: Option<Millis>,
}

/// Rules in the place of those that are there: at most 30.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"rules": [{
    "id": "recording", "name": "Says that the call is recorded", "kind": "required_phrase", "speaker": "assistant",
    "phrases": ["recorded call", "call is recorded"], "weight": 2, "hint": "Put it into the greeting.", "enabled": true
}]})))]
pub struct SaveQaRules {
    /// All of them.
    pub rules: Vec<SaveQaRule>,
}

/// A rule as it is to be.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct SaveQaRule {
    /// Names it among the others: 1 to 40 letters, digits, `-` and `_`.
    pub id: String,
    /// At most 100 characters.
    pub name: String,
    /// What it demands.
    pub kind: QaRuleKind,
    /// Whose words it is about; absent: those of the assistant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speaker: Option<QaRuleSpeaker>,
    /// 1 to 100 of at most 100 characters, as in a rule.
    pub phrases: Vec<String>,
    /// From 1 to 10; absent: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<u32>,
    /// At most 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Absent: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// What a call came to by the rules. What is null, and the list, is empty as long as it has not been held against any.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "call_id": "0192f0c1-7a3e-7bd3-94a5-0d36c3a0f3c8", "score": 0.4, "rules_version": 3, "evaluated_at": 1_793_272_000_000_u64,
    "rules": [
        {"rule_id": "recording", "name": "Says that the call is recorded", "kind": "required_phrase", "weight": 3,
            "hint": "Put it into the greeting.", "passed": false, "seq": null, "phrase": null},
        {"rule_id": "thanks", "name": "Thanks for the call", "kind": "required_phrase", "weight": 2, "hint": null, "passed": true,
            "seq": 7, "phrase": "thank you"}
    ]
})))]
pub struct CallQa {
    /// The call.
    #[schema(value_type = String, format = "uuid")]
    pub call_id: CallId,
    /// The share of the rules that it keeps, by weight: from 0 to 1, with three decimals. Null also where no rule was enabled.
    pub score: Option<f64>,
    /// The version of the rules that it was held against.
    pub rules_version: Option<u64>,
    /// When.
    #[schema(value_type = Option<u64>)]
    pub evaluated_at: Option<Millis>,
    /// By each rule that was enabled then.
    pub rules: Vec<QaOutcome>,
}

/// What a call came to by one rule, with what the rule was like then.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct QaOutcome {
    /// The rule.
    pub rule_id: String,
    /// What it was called.
    pub name: String,
    /// What it demanded.
    pub kind: QaRuleKind,
    /// How much it counted.
    pub weight: u32,
    /// What to do where it is broken.
    pub hint: Option<String>,
    /// The call keeps it.
    pub passed: bool,
    /// The entry of the transcript that decided: the first with a phrase of the rule. Null: nobody said one.
    pub seq: Option<u32>,
    /// The phrase that was found there.
    pub phrase: Option<String>,
}
