//! Makes found what was written before there were tables for it, and forgets people who left before leaving meant that.

use voicecore_store::Scope;
use voicecore_store::directory::people;
use voicecore_store::old_rows::{self, Step};
use voicecore_types::Millis;

use crate::live::transcript;
use crate::{ApiError, AppState};

/// Tenants in one run.
const MAX_TENANTS: u32 = 5;
/// Steps for one tenant in one run.
const MAX_STEPS: u32 = 5;
/// Transcripts read in one step.
const MAX_TRANSCRIPTS: usize = 10;
/// People forgotten in one run.
const MAX_PEOPLE: u32 = 50;
/// Everybody is looked through in one hour of the day, the first (UTC).
const DAY: Millis = Millis::from_secs(86_400);
const HOUR: Millis = Millis::from_secs(3_600);

/// Does a part of what is left to do. A tenant that cannot go on now keeps no other from it.
pub(super) async fn run(app: &AppState) -> Result<(), ApiError> {
    let mut failed = Ok(());
    for scope in old_rows::unfinished(&app.ports.db, MAX_TENANTS).await? {
        failed = failed.and(go_on(app, &scope).await);
    }
    failed.and(forget_people(app).await)
}

async fn go_on(app: &AppState, scope: &Scope) -> Result<(), ApiError> {
    for _ in 0..MAX_STEPS {
        match old_rows::step(scope, MAX_TRANSCRIPTS).await? {
            Step::Stored => {}
            Step::Calls { calls, then } => {
                for call in calls {
                    match transcript::index_stored(app, scope, call).await {
                        // One that nobody can read any more stays as it is.
                        Ok(()) | Err(ApiError::Internal(_)) => {}
                        Err(error) => return Err(error),
                    }
                }
                old_rows::note(scope, &then).await?;
            }
            Step::Done => break,
        }
    }
    Ok(())
}

async fn forget_people(app: &AppState) -> Result<(), ApiError> {
    if app.now().0 % DAY.0 >= HOUR.0 {
        return Ok(());
    }
    people::forget_those_alone(&*app.ports.db, app.now(), MAX_PEOPLE).await?;
    Ok(())
}
