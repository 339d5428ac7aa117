use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use voicecore_types::{DepartmentId, Millis};

/// A part of a tenant.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "id": "01972036-5c78-79d7-8734-8d77b17eb2dd", "parent_id": "0192f0c1-7a3e-7ea2-a846-b3456c465c57", "name": "Front desk",
    "created_at": 1_748_592_123_000_u64, "updated_at": 1_748_592_123_000_u64, "version": 1
})))]
pub struct Department {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    pub id: DepartmentId,
    /// What it is a part of; null at the top.
    #[schema(value_type = Option<String>, format = "uuid")]
    pub parent_id: Option<DepartmentId>,
    /// Its name.
    pub name: String,
    /// When it was made.
    #[schema(value_type = u64)]
    pub created_at: Millis,
    /// When it was changed last.
    #[schema(value_type = u64)]
    pub updated_at: Millis,
    /// Grows by one with every change; that of `ETag`.
    pub version: u64,
}

/// The departments that the asker sees.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "items": [
        {
            "id": "01972036-5c78-79d7-8734-8d77b17eb2dd", "parent_id": "0192f0c1-7a3e-7ea2-a846-b3456c465c57", "name": "Front desk",
            "created_at": 1_748_592_123_000_u64, "updated_at": 1_748_592_123_000_u64, "version": 1
        },
        {
            "id": "0192f0c1-7a3e-7ea2-a846-b3456c465c57", "parent_id": null, "name": "Salon", "created_at": 1_730_616_064_574_u64,
            "updated_at": 1_730_616_064_574_u64, "version": 1
        },
    ]
})))]
pub struct Departments {
    /// By name.
    pub items: Vec<Department>,
}

/// A department to be made, or as it is to be.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"name": "Front desk", "parent_id": "0192f0c1-7a3e-7ea2-a846-b3456c465c57"})))]
pub struct SaveDepartment {
    /// Its name, 1 to 100 characters, unique within the tenant.
    pub name: String,
    /// What it is a part of; absent or null: it stands at the top.
    #[schema(value_type = Option<String>, format = "uuid")]
    pub parent_id: Option<DepartmentId>,
}
