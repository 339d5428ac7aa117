//! What goes into the audit log with a change.

use voicecore_store::audit_log::AuditEntry;
use voicecore_store::directory::Actor;
use voicecore_types::{AuditEntryId, Millis, UserId};

use crate::AppState;

/// One entry that is about to be written.
pub(crate) struct Record {
    id: AuditEntryId,
    at: Millis,
    actor_kind: &'static str,
    actor_id: String,
    action: &'static str,
    subject_id: Option<String>,
}

impl Record {
    /// `actor` does `<noun>.<verb>` to `subject`, now.
    pub(crate) fn of(app: &AppState, actor: Actor, action: &'static str, subject: Option<String>) -> Self {
        Self::new(app, actor.kind(), actor.id(), action, subject)
    }

    /// A super admin does it to a tenant.
    pub(crate) fn of_super_admin(app: &AppState, user: UserId, action: &'static str) -> Self {
        Self::new(app, "super_admin", user.to_string(), action, None)
    }

    /// The same, about this.
    pub(crate) fn about(self, subject: String) -> Self {
        Self { subject_id: Some(subject), ..self }
    }

    fn new(
        app: &AppState,
        actor_kind: &'static str,
        actor_id: String,
        action: &'static str,
        subject_id: Option<String>,
    ) -> Self {
        let at = app.now();
        Self { id: AuditEntryId::new(at, &app.random()), at, actor_kind, actor_id, action, subject_id }
    }

    /// As the store takes it.
    pub(crate) fn entry(&self) -> AuditEntry<'_> {
        AuditEntry {
            id: self.id,
            at: self.at,
            actor_kind: self.actor_kind,
            actor_id: Some(&self.actor_id),
            action: self.action,
            subject_id: self.subject_id.as_deref(),
        }
    }
}
