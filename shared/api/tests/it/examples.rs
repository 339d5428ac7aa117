//! The examples of answers in the OpenAPI document: each JSON answer has one, and it is what could be answered.

use std::collections::BTreeSet;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use voicecore_api_types::{
    Accepted, Account, Agent, AgentUsage, ApiKey, Assistant, AssistantPublication, AssistantVersion,
    AuditEntry, AuditVerification, Business, BusinessUsage, Call, CallQa, CallVolume, ConnectionTest,
    CreatedTenant, Department, Departments, EndCall, Health, Interactions, Intervened, Invitation,
    LiveTicket, Me, Message, NewApiKey, Note, Notification, OpeningHours, Overview, Page, PhoneNumber,
    PhoneNumberDiagnosis, Preferences, Problem, ProviderStatus, Providers, QaRules, Readiness, Role, Roles,
    SavedView, Sessions, SetupProgress, SetupResult, SignedIn, Tenant, TenantDeletion, TestCall, UnreadCount,
    User,
};
use voicecore_types::UserId;

use crate::documented::is_described;
use crate::openapi::{document, operations, resolved};

const JSON: &str = "application/json";
const PROBLEM: &str = "application/problem+json";
/// How telephone numbers in London begin that nobody is ever given.
const NOBODYS: &str = "+442079460";

/// Name of the operation, status, media type, what is said of it.
fn answers(document: &Value) -> Vec<(String, String, String, Value)> {
    let mut answers = Vec::new();
    for (method, path, operation) in operations(document) {
        for (status, response) in operation["responses"].as_object().unwrap() {
            let content = resolved(document, response)["content"].as_object();
            for (kind, content) in content.into_iter().flatten() {
                answers.push((format!("{method} {path}"), status.clone(), kind.clone(), content.clone()));
            }
        }
    }
    answers
}

fn schema_name(content: &Value) -> &str {
    content["schema"]["$ref"].as_str().unwrap().strip_prefix("#/components/schemas/").unwrap()
}

#[test]
fn every_json_answer_has_an_example_that_fits() {
    let document = document();
    let mut seen = 0;
    for (name, status, _, content) in answers(&document).into_iter().filter(|(_, _, kind, _)| kind == JSON) {
        let schema = &content["schema"];
        let examples = resolved(&document, schema)["examples"].as_array();
        let examples = examples.filter(|all| !all.is_empty());
        for example in examples.unwrap_or_else(|| panic!("{name}: {status} has no example")) {
            is_described(schema, example)
                .unwrap_or_else(|wrong| panic!("{name}: {status}: {wrong}: {example}"));
            values_are_likely(&format!("{name}: {status}"), "", example);
            seen += 1;
        }
    }
    assert!(seen > 100, "{seen}");
}

/// An example of an error has the status of its response and a code of its own.
#[test]
fn every_error_has_an_example_that_fits() {
    let document = document();
    let mut codes = BTreeSet::new();
    for (name, status, _, content) in answers(&document).into_iter().filter(|(_, _, kind, _)| kind == PROBLEM)
    {
        let name = format!("{name}: {status}");
        let examples = content["examples"].as_object().unwrap_or_else(|| panic!("{name} has no example"));
        for example in examples.values() {
            let problem = &example["value"];
            is_described(&content["schema"], problem).unwrap_or_else(|wrong| panic!("{name}: {wrong}"));
            assert_eq!(problem["status"].to_string(), status, "{name}: {problem}");
            codes.insert(problem["code"].as_str().unwrap().to_owned());
        }
    }
    // Nothing of the document is answered with the others: one is of webhooks, one of methods that are not there.
    let all = document["components"]["schemas"]["ErrorCode"]["oneOf"].as_array();
    let all = all.map_or_else(
        || document["components"]["schemas"]["ErrorCode"]["enum"].as_array().unwrap().clone(),
        |choices| choices.iter().flat_map(|choice| choice["enum"].as_array().unwrap().clone()).collect(),
    );
    let left: Vec<_> = all.iter().filter_map(Value::as_str).filter(|code| !codes.contains(*code)).collect();
    assert_eq!(left, ["signature_invalid", "method_not_allowed"]);
}

/// Ids are UUIDs of version 7, moments of this century in ms, numbers those of nobody.
fn values_are_likely(name: &str, field: &str, value: &Value) {
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(field, value)| values_are_likely(name, field, value));
        }
        Value::Array(items) => items.iter().for_each(|item| values_are_likely(name, field, item)),
        Value::Number(number) if field.ends_with("_at") || ["since", "until", "at"].contains(&field) => {
            let moment = number.as_u64().unwrap();
            assert!((1_700_000_000_000..1_900_000_000_000).contains(&moment), "{name}: {field} is {moment}");
        }
        Value::String(text) if text.starts_with('+') => {
            assert!(text.starts_with(NOBODYS), "{name}: {field}: {text}");
        }
        // A built-in role has a word for one, a Twilio account an id of Twilio's.
        Value::String(text) if field == "id" || (field.ends_with("_id") && text.len() == 36) => {
            let word = text.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_');
            assert!(
                word || (text.parse::<UserId>().is_ok() && text.as_bytes()[14] == b'7'),
                "{name}: {text}"
            );
        }
        _ => {}
    }
}

/// Panics unless the example, taken for what it is said to be, is sent again word for word: it has all that is sent, `null` included.
fn is_sent<T: Serialize + DeserializeOwned>(document: &Value, name: &str) -> String {
    for example in document["components"]["schemas"][name]["examples"].as_array().unwrap() {
        let read: T =
            serde_json::from_value(example.clone()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(json!(read), *example, "{name}");
    }
    name.to_owned()
}

macro_rules! are_sent {
    ($document:expr; $($kind:ident)+; of pages: $($row:ident)+) => {
        BTreeSet::from([
            $(is_sent::<$kind>($document, stringify!($kind)),)+
            $(is_sent::<Page<$row>>($document, concat!("Page_", stringify!($row))),)+
        ])
    };
}

#[test]
fn every_example_is_all_that_is_sent() {
    let document = document();
    let sent = are_sent!(
        &document;
        Accepted Account Agent AgentUsage ApiKey Assistant AssistantVersion AuditVerification Business BusinessUsage Call
        CallQa CallVolume ConnectionTest CreatedTenant Department Departments EndCall Health Interactions Intervened Invitation
        LiveTicket Me Message NewApiKey Note Notification OpeningHours Overview PhoneNumber PhoneNumberDiagnosis Preferences
        Problem ProviderStatus Providers QaRules Readiness Role Roles SavedView Sessions SetupProgress SetupResult SignedIn Tenant
        TenantDeletion TestCall UnreadCount User;
        of pages: Agent ApiKey Assistant AssistantPublication AuditEntry Business Call Invitation Message Note Notification
        PhoneNumber SavedView Tenant User
    );
    let kinds =
        answers(&document).into_iter().filter(|(_, _, kind, _)| [JSON, PROBLEM].contains(&kind.as_str()));
    let described: BTreeSet<_> = kinds.map(|(_, _, _, content)| schema_name(&content).to_owned()).collect();
    assert_eq!(sent, described);
}
