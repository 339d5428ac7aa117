//! Has those invitations mailed whose job never came into the queue, or out of it.

use voicecore_store::directory;
use voicecore_types::Millis;

use super::{Job, Swept, enqueue};
use crate::email::HttpEmail;
use crate::mails::MailInvitation;
use crate::{ApiError, AppState};

/// An invitation whose mail has not been begun by then is put into the queue (again). One that is only late is mailed twice; the link of the later
/// mail is the good one.
const GRACE: Millis = Millis::from_secs(10 * 60);
/// Invitations in one run.
const MAX_INVITATIONS: u32 = 50;

/// Puts them into the queue. Where no mail can be sent they wait until one can, or until they expire.
pub(super) async fn run(app: &AppState, swept: &mut Swept) -> Result<(), ApiError> {
    if HttpEmail::new(app).is_err() {
        return Ok(());
    }
    let now = app.now();
    let unsent = directory::unsent_invitations(&app.ports.db, now.since(GRACE), now, MAX_INVITATIONS).await?;
    for (tenant_id, invitation_id) in unsent {
        enqueue(app, &Job::MailInvitation(MailInvitation { tenant_id, invitation_id })).await?;
        swept.invitations_queued += 1;
    }
    Ok(())
}
