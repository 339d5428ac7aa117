use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use voicecore_types::{Millis, SavedViewId, UserId};

/// Of what a list is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ViewNoun {
    /// Calls.
    Calls,
}

/// A way to look at a list that somebody has kept.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "id": "01a153d7-9600-7c74-a02f-2e1a8a964968", "user_id": "01972fa9-7078-7093-a21f-575106cd3b10", "name": "Missed this week",
    "noun": "calls", "shared": true, "filters": {"status": "no_answer"}, "columns": ["started_at", "status"], "sort": "longest",
    "version": 1, "created_at": 1_792_408_000_000_u64, "updated_at": 1_792_408_000_000_u64
})))]
pub struct SavedView {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    pub id: SavedViewId,
    /// Whose it is: they alone change it.
    #[schema(value_type = String, format = "uuid")]
    pub user_id: UserId,
    /// Its name.
    pub name: String,
    /// Of what the list is.
    pub noun: ViewNoun,
    /// Everybody in the tenant sees it.
    pub shared: bool,
    /// Parameters of the list that choose rows, as its query takes them.
    #[schema(value_type = Object)]
    pub filters: serde_json::Map<String, serde_json::Value>,
    /// What is shown of each row, in this order.
    pub columns: Vec<String>,
    /// The list's parameter of this name; null: its own order.
    pub sort: Option<String>,
    /// Grows by one with every change; that of `ETag`.
    pub version: u64,
    /// When it was made.
    #[schema(value_type = u64)]
    pub created_at: Millis,
    /// When it was changed last.
    #[schema(value_type = u64)]
    pub updated_at: Millis,
}

/// A view to be kept, or as it is to be.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"name": "Missed this week", "noun": "calls", "shared": true, "filters": {"status": "no_answer"}, "columns": ["started_at", "status"], "sort": "longest"})))]
pub struct SaveView {
    /// 1 to 100 characters.
    pub name: String,
    /// Of what the list is. It stays what it is.
    pub noun: ViewNoun,
    /// Everybody in the tenant is to see it.
    #[serde(default)]
    pub shared: bool,
    /// Those of the list: for calls `status`, `direction`, `business_id`, `from`, `to`, `since`, `until` and `q`.
    #[schema(value_type = Option<Object>)]
    pub filters: Option<serde_json::Map<String, serde_json::Value>>,
    /// At most 30 names of fields of a row.
    #[serde(default)]
    pub columns: Vec<String>,
    /// One of the orders of the list.
    pub sort: Option<String>,
}
