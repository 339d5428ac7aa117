//! How long a caller may wait for several parts of the system together.
//!
//! Each port has a deadline of its own; one after the other they would add up to more than a caller may be left without a
//! sound: four seconds. So what is done for a caller who hears nothing has one budget as a whole:
//!
//! | from | to | budget |
//! | --- | --- | --- |
//! | an incoming call (it rings) | TwiML: connected, or asked to wait | [`ANSWER`] |
//! | its stream opens (silence) | the call is loaded, or the stream closed | [`LOAD`] |
//! | its stream has ended (silence) | TwiML that says something | [`NEXT`] |
//!
//! Whose signature a request or a socket has is looked up first where it is not the installation's account's ([`CHECK`]); what is
//! answered then is answered within the budget of the table all the same, which begins with the request.
//!
//! `ANSWER + LOAD` and `LOAD + NEXT` leave time for the carrier and the network. After a load that the database kept, the actor
//! refuses to say what comes next, so that nobody asks the database a second time: `NEXT` is not used up then.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use voicecore_ports::{Clock, DbError};
use voicecore_store::StoreError;
use voicecore_types::Millis;

use crate::{ApiError, AppState};

/// To answer an incoming call.
pub(crate) const ANSWER: Millis = Millis(2_000);
/// To find the token of a tenant's own account at the carrier, which checks a signature. A database that hangs keeps a caller twice at
/// most: when the socket opens, and when it is asked what follows.
pub(crate) const CHECK: Millis = Millis(1_000);
/// To load a call for its actor.
pub(crate) const LOAD: Millis = Millis(1_200);
/// To say what follows a stream, or a failure. Twilio itself waits three seconds.
pub(crate) const NEXT: Millis = Millis(2_500);

/// What `work` gives, or `None` when it takes longer than `span`: then it is given up.
pub(crate) async fn within<T>(clock: &dyn Clock, span: Millis, work: impl Future<Output = T>) -> Option<T> {
    let (mut work, mut timer) = (pin!(work), clock.sleep(span));
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => timer.as_mut().poll(context).map(|()| None),
    })
    .await
}

/// The end of a budget.
pub(crate) struct Deadline<'a> {
    app: &'a AppState,
    at: Millis,
}

impl<'a> Deadline<'a> {
    /// `span` from now on.
    pub(crate) fn after(app: &'a AppState, span: Millis) -> Self {
        Self { app, at: app.now().plus(span) }
    }

    /// `span` after a request came in.
    pub(crate) fn since(app: &'a AppState, received_at: Millis, span: Millis) -> Self {
        Self { app, at: received_at.plus(span) }
    }

    /// What `work` gives. If it has given nothing by the deadline, the database counts as away: it is what work waits for.
    pub(crate) async fn keep<T>(
        &self,
        work: impl Future<Output = Result<T, ApiError>>,
    ) -> Result<T, ApiError> {
        let left = Millis(self.at.0.saturating_sub(self.app.now().0));
        let done = within(&*self.app.ports.clock, left, work).await;
        done.unwrap_or_else(|| Err(StoreError::Db(DbError::Unavailable).into()))
    }
}
