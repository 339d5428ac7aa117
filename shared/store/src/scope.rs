use std::fmt;
use std::sync::Arc;

use crate::StoreError;
use crate::audit_log;
use crate::idempotency::{self, Once};
use crate::paging::Condition;
use voicecore_ports::{Db, DbError, Reach, Rows, Stmt, Value};
use voicecore_types::{TenantId, UserId};

/// The right to work with one tenant's rows: a database and the tenant.
///
/// It comes from [`directory`](crate::directory), which has found out who is calling, or from [`Scope::for_job`]. There
/// is no other way to one, and no function of the store that reads a tenant's rows without one.
#[derive(Clone)]
pub struct Scope {
    db: Arc<dyn Db>,
    tenant: TenantId,
    /// Whose departments bound what is seen; `None`: nothing does.
    viewer: Option<UserId>,
    /// The request that all this is for is to be carried out once.
    once: Option<Arc<Once>>,
}

/// The departments that a viewer belongs to, and all below them, for `concat!`: a subquery of the tenant and the user, each
/// as a parameter's text. The tenant is named twice.
macro_rules! visible_departments {
    ($tenant:literal, $user:literal, $tenant_again:literal) => {
        concat!(
            "(with recursive visible (id) as (select md.department_id from membership_departments md where md.tenant_id = ",
            $tenant,
            " and md.user_id = ",
            $user,
            " union select d.id from departments d join visible v on d.parent_id = v.id where d.tenant_id = ",
            $tenant_again,
            ") select id from visible)"
        )
    };
}
pub(crate) use visible_departments;

/// A condition on a `department_id` that has to be visible; its arguments are [`Scope::viewer_args`].
pub(crate) const VISIBLE: &str = concat!("and department_id in ", visible_departments!("?", "?", "?"));

impl Scope {
    /// For a job or an actor's command whose message names its tenant explicitly. Never from a request's parameters.
    pub fn for_job(db: Arc<dyn Db>, tenant: TenantId) -> Self {
        Self::new(db, tenant)
    }

    pub(crate) fn new(db: Arc<dyn Db>, tenant: TenantId) -> Self {
        Self { db, tenant, viewer: None, once: None }
    }

    /// The same tenant as seen by somebody who sees only their own departments and what is below them.
    pub(crate) fn seen_by(self, viewer: UserId) -> Self {
        Self { viewer: Some(viewer), ..self }
    }

    /// The same for a request that is to be carried out once: the first change on the tenant's record takes the client's key
    /// along in its batch.
    #[must_use]
    pub fn once(self, once: Arc<Once>) -> Self {
        Self { once: Some(once), ..self }
    }

    /// The request that it is for, if it is to be carried out once.
    pub fn request(&self) -> Option<&Once> {
        self.once.as_deref()
    }

    /// The arguments of [`VISIBLE`], if what is seen is bounded.
    pub(crate) fn viewer_args(&self) -> Option<[Value; 3]> {
        let viewer = self.viewer?;
        Some([self.tenant_arg(), viewer.to_string().into(), self.tenant_arg()])
    }

    /// The same as a condition of a list.
    pub(crate) fn sight(&self) -> Option<Condition> {
        Some((VISIBLE, self.viewer_args()?.into()))
    }

    /// Adds [`VISIBLE`] to a statement that takes its arguments in the order of the text, if what is seen is bounded.
    pub(crate) fn in_sight(&self, stmt: &mut Stmt) {
        if let Some(args) = self.viewer_args() {
            stmt.sql.push(VISIBLE);
            stmt.args.extend(args);
        }
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
        // What the directory has let reach further does: whether somebody works for anybody else, say.
        let reach = |stmt: Stmt| if stmt.reach == Reach::EveryTenant { stmt } else { self.reaching(stmt) };
        let mut stmts: Vec<Stmt> = stmts.into_iter().map(reach).collect();
        // What is on the record is what the request changes.
        let once = self.once.as_ref().filter(|once| !once.is_done() && stmts.iter().any(audit_log::is_entry));
        let Some(once) = once else { return self.db.batch(stmts).await };
        stmts.insert(0, self.reaching(idempotency::claim(self, once)));
        match self.db.batch(stmts).await {
            Ok(mut rows) => {
                once.done();
                rows.remove(0);
                Ok(rows)
            }
            Err(DbError::Unexpected { index: 0 }) => {
                once.lost();
                Err(DbError::Unexpected { index: usize::MAX })
            }
            Err(DbError::Unexpected { index }) => Err(DbError::Unexpected { index: index - 1 }),
            Err(other) => Err(other),
        }
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
