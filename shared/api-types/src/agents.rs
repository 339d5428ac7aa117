use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use voicecore_types::{AgentId, BusinessId, DepartmentId, Millis, UserId};

/// Whether an agent takes calls now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Availability {
    /// They do.
    Available,
    /// They are there, but do something else.
    Busy,
    /// They are not there.
    Offline,
}

/// A human being who takes calls.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "id": "019739f6-2878-7db8-b563-745f2a523ea7", "user_id": "01972fa9-7078-7093-a21f-575106cd3b10", "name": "Ana Ruiz",
    "email": "ana@example.com", "extension": "12", "phone_number": "+442079460124", "skills": ["billing"], "languages": ["en", "es"],
    "max_concurrent_calls": 2, "departments": ["01972036-5c78-79d7-8734-8d77b17eb2dd"], "availability": "available",
    "availability_until": null, "availability_changed_at": 1_794_989_200_000_u64, "version": 3, "created_at": 1_749_024_123_000_u64,
    "updated_at": 1_791_544_000_000_u64
})))]
pub struct Agent {
    /// Their id.
    #[schema(value_type = String, format = "uuid")]
    pub id: AgentId,
    /// Who they are when they sign in; null if they never do.
    #[schema(value_type = Option<String>, format = "uuid")]
    pub user_id: Option<UserId>,
    /// Their name.
    pub name: String,
    /// Their e-mail address.
    pub email: Option<String>,
    /// Digits.
    pub extension: Option<String>,
    /// Where they are rung, in E.164 form.
    pub phone_number: Option<String>,
    /// What they are good at, in the order of the alphabet.
    pub skills: Vec<String>,
    /// What they speak, ISO 639-1.
    pub languages: Vec<String>,
    /// How many calls they take at once.
    pub max_concurrent_calls: u32,
    /// Whose calls they take.
    #[schema(value_type = Vec<String>)]
    pub departments: Vec<DepartmentId>,
    /// Whether they take calls now.
    pub availability: Availability,
    /// Until when, if that was said.
    #[schema(value_type = Option<u64>)]
    pub availability_until: Option<Millis>,
    /// When that was said.
    #[schema(value_type = u64)]
    pub availability_changed_at: Millis,
    /// Grows by one with every change but those of the availability; that of `ETag`.
    pub version: u64,
    /// When they were added.
    #[schema(value_type = u64)]
    pub created_at: Millis,
    /// When they were changed last, but for the availability.
    #[schema(value_type = u64)]
    pub updated_at: Millis,
}

/// An agent to be added, or as they are to be.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"name": "Ana Ruiz", "email": "ana@example.com", "extension": "12", "phone_number": "+442079460124", "skills": ["billing"], "languages": ["en", "es"], "departments": ["01972036-5c78-79d7-8734-8d77b17eb2dd"], "max_concurrent_calls": 2})))]
pub struct SaveAgent {
    /// 1 to 200 characters.
    pub name: String,
    /// A user of the tenant, who is no other agent.
    #[schema(value_type = Option<String>, format = "uuid")]
    pub user_id: Option<UserId>,
    /// Their e-mail address.
    pub email: Option<String>,
    /// 1 to 10 digits.
    pub extension: Option<String>,
    /// In E.164 form; not a number that rings here.
    pub phone_number: Option<String>,
    /// At most 20 different words of letters, digits, `-` and `_`, each at most 30 characters long.
    #[serde(default)]
    pub skills: Vec<String>,
    /// At most 20 different languages, each two small letters (ISO 639-1).
    #[serde(default)]
    pub languages: Vec<String>,
    /// At most 20 departments of the tenant.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub departments: Vec<DepartmentId>,
    /// From 1 to 20; 1 when absent.
    pub max_concurrent_calls: Option<u32>,
}

/// Whether an agent takes calls from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"availability": "busy"})))]
pub struct SetAvailability {
    /// Whether they do.
    pub availability: Availability,
    /// A moment to come: whoever is available then goes offline, whoever is busy or offline is available. Absent: until they say
    /// otherwise.
    #[schema(value_type = Option<u64>)]
    pub until: Option<Millis>,
}

/// Calls that reach an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "businesses": ["0192f0c1-7a3e-7d18-ae69-f945589bf3b0"], "since": 1_792_408_000_000_u64, "transferred_calls": 17,
    "transferred_calls_capped": false, "last_transferred_at": 1_794_899_162_588_u64
})))]
pub struct AgentUsage {
    /// Businesses that transfer their calls to the agent's number now.
    #[schema(value_type = Vec<String>)]
    pub businesses: Vec<BusinessId>,
    /// From when on calls are counted: 30 days ago.
    #[schema(value_type = u64)]
    pub since: Millis,
    /// Calls of these businesses that were transferred since then, whoever was rung at the time: counted exactly up to 10,000 for each.
    pub transferred_calls: u64,
    /// There are more than that.
    pub transferred_calls_capped: bool,
    /// When the last of them came in.
    #[schema(value_type = Option<u64>)]
    pub last_transferred_at: Option<Millis>,
}

impl fmt::Debug for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Agent({})", self.id)
    }
}

impl fmt::Debug for SaveAgent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SaveAgent")
    }
}
