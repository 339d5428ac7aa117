//! The status of a call changed.

use axum::extract::State;
use axum::http::StatusCode;
use voicecore_wire::twilio::webhook::StatusCallback;

use super::{Signed, call_status};
use crate::carrier::{self, ReportedStatus};
use crate::jobs::{self, Job};
use crate::{ApiError, AppState};

/// Takes note of a status. They come late, twice and out of order. Nobody hears the answer and Twilio does not ask again, so
/// what cannot be stored now goes into the queue.
pub(super) async fn status(State(app): State<AppState>, signed: Signed) -> Result<StatusCode, ApiError> {
    let callback = StatusCallback::read(&signed.form)?;
    let Some(status) = call_status(callback.call.status) else { return Ok(StatusCode::NO_CONTENT) };
    let reported =
        ReportedStatus { carrier_call_id: callback.call.sid.as_str().to_owned(), status, at: app.now() };
    take(&app, reported).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes note now, or else later.
pub(super) async fn take(app: &AppState, reported: ReportedStatus) -> Result<(), ApiError> {
    match carrier::take_status(app, &reported).await {
        Ok(()) => Ok(()),
        Err(_) => jobs::enqueue(app, &Job::TakeStatus(reported)).await,
    }
}
