//! What happens later: jobs from the queue (delivered at least once, so each is idempotent) and the job of every minute.

use serde::{Deserialize, Serialize};
use voicecore_call::EndReason;
use voicecore_domain::CallStatus;
use voicecore_store::directory::accounts;
use voicecore_store::{calls, directory, idempotency, notifications, rate_limits, test_calls};

use crate::actors::CallCommand;
use crate::carrier::{self, ReportedStatus};
use crate::mails::{self, MailInvitation, MailPasswordReset};
use crate::voicemail::{self, Voicemail};
use crate::{ApiError, AppState};

mod delete_tenants;
mod mail_invitations;
mod old_rows;
mod rotate_keys;
mod seal_audit;

pub use delete_tenants::{DeletionReport, Remains};

/// What is put into the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "job", rename_all = "snake_case")]
pub(crate) enum Job {
    /// The carrier reported a status when the database or the call's actor did not answer.
    TakeStatus(ReportedStatus),
    /// A caller left a voicemail when the database did not answer.
    StoreVoicemail(Voicemail),
    /// Somebody is invited.
    MailInvitation(MailInvitation),
    /// Somebody asked for a new password.
    MailPasswordReset(MailPasswordReset),
}

/// A job was not done.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// Not a job of ours (or of a newer version): deliver it again later, and let the queue give it up in the end.
    #[error("the queue's message is not a job")]
    Unknown,
    /// It failed: deliver it again.
    #[error(transparent)]
    Failed(#[from] ApiError),
}

/// Does one job. After an error it must be delivered again.
pub async fn handle(app: &AppState, message: serde_json::Value) -> Result<(), JobError> {
    match serde_json::from_value(message).map_err(|_| JobError::Unknown)? {
        Job::TakeStatus(reported) => carrier::take_status(app, &reported).await?,
        Job::StoreVoicemail(voicemail) => voicemail::store(app, &voicemail).await?,
        Job::MailInvitation(job) => mails::invite(app, &job).await?,
        Job::MailPasswordReset(job) => mails::reset_password(app, &job).await?,
    }
    Ok(())
}

/// Puts a job into the queue.
pub(crate) async fn enqueue(app: &AppState, job: &Job) -> Result<(), ApiError> {
    let message =
        serde_json::to_value(job).map_err(|_| ApiError::Internal("a job cannot be encoded".to_owned()))?;
    let sent = app.ports.queue.send(&message).await;
    sent.map_err(|error| ApiError::Unavailable { part: "queue", cause: error.to_string() })
}

/// What the job of every minute did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Swept {
    /// Calls that were closed, or whose actors were told to.
    pub closed: u32,
    /// Calls that could not be closed now. The next minute tries again.
    pub failed: u32,
    /// Entries of audit logs that were sealed.
    pub sealed: u32,
    /// Tenants whose entries could not be sealed now. The next minute tries again.
    pub unsealed: u32,
    /// Keys that are wrapped by the new `MASTER_KEY` now.
    pub rewrapped: u32,
    /// Keys that neither `MASTER_KEY` nor `MASTER_KEY_PREVIOUS` opens.
    pub not_rewrapped: u32,
    /// Invitations whose mail was asked for again.
    pub invitations_queued: u32,
    /// Tenants of whom nothing is left.
    pub tenants_deleted: u32,
    /// Tenants whose deletion could not go on now. A later minute tries again.
    pub tenants_not_deleted: u32,
}

/// Closes calls whose end never came (see `voicecore_domain::limits`), seals audit logs, rotates keys, has forgotten invitations mailed, deletes tenants,
/// makes old rows found and forgets sign-ins, notifications and test calls that are long over, a limited number in each run. What fails keeps nothing else from being done.
pub async fn scheduled(app: &AppState) -> Result<Swept, JobError> {
    let mut swept = Swept::default();
    let closed = close_overdue(app, &mut swept).await;
    let sealed = seal_audit::run(app, &mut swept).await;
    let rotated = rotate_keys::run(app, &mut swept).await;
    let mailed = mail_invitations::run(app, &mut swept).await;
    let deleted = delete_tenants::run(app, &mut swept).await;
    let caught_up = old_rows::run(app).await;
    let forgotten = [
        rate_limits::forget(&*app.ports.db, app.now()).await,
        idempotency::forget(&*app.ports.db, app.now()).await,
        notifications::of_keys(&*app.ports.db, app.now()).await,
        notifications::forget(&*app.ports.db, app.now()).await,
        test_calls::forget(&*app.ports.db, app.now()).await,
        accounts::forget(&*app.ports.db, app.now()).await,
    ];
    closed.and(sealed).and(rotated).and(mailed).and(deleted).and(caught_up)?;
    forgotten.into_iter().collect::<Result<Vec<_>, _>>().map_err(ApiError::from)?;
    Ok(swept)
}

async fn close_overdue(app: &AppState, swept: &mut Swept) -> Result<(), ApiError> {
    for call in directory::overdue_calls(&app.ports.db, app.now()).await.map_err(ApiError::from)? {
        match close(app, &call).await {
            Ok(()) => swept.closed += 1,
            Err(_) => swept.failed += 1,
        }
    }
    Ok(())
}

async fn close(app: &AppState, call: &directory::CallLocation) -> Result<(), ApiError> {
    if !call.finished {
        carrier::end(app, call, CallCommand::Abandon, EndReason::Abandoned).await?;
    }
    // Should the line still be open, nobody is on our end of it any more. A call that is gone is a success.
    if !call.status.is_end() {
        carrier::hang_up(app, &call.scope, &call.carrier_call_id).await?;
        calls::advance(&call.scope, call.call_id, CallStatus::Completed, app.now()).await?;
    }
    Ok(())
}
