use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use voicecore_types::{AuditEntryId, Millis};

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditActor {
    /// `setup`, `api_key`, `operator`, …
    pub kind: String,
    /// Which one, where there is more than one.
    pub id: Option<String>,
}

/// An entry of the audit log: ids and names of fields, never values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "id": "01a1ee1f-6f80-7fe4-92dc-669d0357b691", "at": 1_794_996_400_000_u64,
    "actor": {"kind": "user", "id": "0192f0c1-7a3e-7a5b-a14a-ca396e2611e4"}, "action": "agent.update",
    "subject_id": "019739f6-2878-7db8-b563-745f2a523ea7", "fields": ["skills"], "seq": 1204,
    "hash": "kj_lOWbGzZND4Rr3ds1LBb4xXqSyALAuTV37D5Kbc78"
})))]
pub struct AuditEntry {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    pub id: AuditEntryId,
    /// When it happened.
    #[schema(value_type = u64)]
    pub at: Millis,
    /// Who did it.
    pub actor: AuditActor,
    /// What: `<noun>.<verb>`.
    pub action: String,
    /// To what.
    pub subject_id: Option<String>,
    /// Names of the fields that were changed; empty where the action says it all.
    pub fields: Vec<String>,
    /// Its place in the tenant's chain, from 1. `null` until it is sealed, which takes a minute.
    pub seq: Option<u64>,
    /// The keyed hash over the entry and the hash before it.
    pub hash: Option<String>,
}

/// What is wrong with the chain at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuditFlaw {
    /// The entry is gone.
    Missing,
    /// The entry, its place or its hash is not what was sealed.
    Changed,
    /// An entry claims a place that the chain does not have.
    Inserted,
}

/// Where the chain is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditBreak {
    /// The first place that does not fit.
    pub seq: u64,
    /// What is wrong there.
    pub flaw: AuditFlaw,
}

/// One step of a verification of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "checked": 204, "broken": null, "next": null, "head_seq": 1204, "head_hash": "kj_lOWbGzZND4Rr3ds1LBb4xXqSyALAuTV37D5Kbc78",
    "unsealed": 1
})))]
pub struct AuditVerification {
    /// Entries that fit, in this step.
    pub checked: u32,
    /// The first place that does not fit; `null`: everything in this step does.
    pub broken: Option<AuditBreak>,
    /// The value of `after` for the next step; `null`: the chain has been walked to its end, or is broken.
    pub next: Option<u64>,
    /// The last place of the chain; 0 when nothing has been sealed yet.
    pub head_seq: u64,
    /// The hash there. Keep it elsewhere: it tells whether the whole log was put back to an older state.
    pub head_hash: Option<String>,
    /// Entries that wait to be sealed.
    pub unsealed: u64,
}
