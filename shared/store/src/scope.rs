use std::fmt;
use std::sync::Arc;

use crate::StoreError;
use voicecore_ports::{Db, DbError, Reach, Rows, Stmt};
use voicecore_types::TenantId;

/// The right to work with one tenant's rows: a database and the tenant.
///
/// It comes from [`directory`](crate::directory), which has found out who is calling, or from [`Scope::for_job`]. There
/// is no other way to one, and no function of the store that reads a tenant's rows without one.
#[derive(Clone)]
pub struct Scope {
    db: Arc<dyn Db>,
    tenant: TenantId,
}

impl Scope {
    /// For a job or an actor's command whose message names its tenant explicitly. Never from a request's parameters.
    pub fn for_job(db: Arc<dyn Db>, tenant: TenantId) -> Self {
        Self::new(db, tenant)
    }

    pub(crate) fn new(db: Arc<dyn Db>, tenant: TenantId) -> Self {
        Self { db, tenant }
    }

    /// Whose rows.
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    pub(crate) fn db(&self) -> Arc<dyn Db> {
        Arc::clone(&self.db)
    }

    /// The tenant as a statement's argument.
    pub(crate) fn tenant_arg(&self) -> voicecore_ports::Value {
        self.tenant.to_string().into()
    }

    pub(crate) async fn query(&self, stmt: Stmt) -> Result<Rows, DbError> {
        self.db.query(self.reaching(stmt)).await
    }

    pub(crate) async fn batch(&self, stmts: Vec<Stmt>) -> Result<Vec<Rows>, DbError> {
        self.db.batch(stmts.into_iter().map(|stmt| self.reaching(stmt)).collect()).await
    }

    /// The statement with the tenant's rows in its reach, and nobody else's.
    pub(crate) fn reaching(&self, stmt: Stmt) -> Stmt {
        stmt.reaching(Reach::Tenant(self.tenant))
    }

    /// A batch that is to happen once. `false`: it has happened before, or somebody else was faster (a count of rows was not
    /// as expected), and nothing was stored.
    pub(crate) async fn batch_once(&self, stmts: Vec<Stmt>) -> Result<bool, StoreError> {
        match self.batch(stmts).await {
            Ok(_) => Ok(true),
            Err(DbError::Unexpected { .. }) => Ok(false),
            Err(other) => Err(other.into()),
        }
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scope({})", self.tenant)
    }
}
