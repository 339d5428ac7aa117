use std::collections::VecDeque;

use voicecore_types::Millis;

use crate::{AfterStream, CallConfig, CallSummary, Input, Interaction, JournalEntry, Output};

/// A stream is not let into the call; close its socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AttachRefused {
    /// This attempt, or a higher one, was there already: a token is good for one stream.
    #[error("this attempt was used already")]
    AttemptReused,
    /// More attempts than the call may have.
    #[error("the call has used all its attempts")]
    TooManyAttempts,
    /// The call is leaving, or over.
    #[error("the call is over")]
    CallOver,
    /// The stream's name is not in the documented form.
    #[error("the stream's name is malformed")]
    BadStreamSid,
}

/// A stream was let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attached {
    /// Another stream was still attached: the adapter closes its socket and feeds nothing more of it.
    pub superseded: bool,
}

/// One telephone call.
#[derive(Debug)]
pub struct Call {
    config: CallConfig,
    outputs: VecDeque<Output>,
}

impl Call {
    /// A call that nothing is known of yet. Nothing is opened before a stream is attached.
    #[must_use]
    pub fn new(config: CallConfig, now: Millis) -> Self {
        let _ = now;
        Self { config, outputs: VecDeque::new() }
    }

    /// A call whose process died: everything the journal tells is known again. Nothing is opened before a stream is
    /// attached.
    #[must_use]
    pub fn resume(config: CallConfig, journal: &[JournalEntry], now: Millis) -> Self {
        let _ = journal;
        Self::new(config, now)
    }

    /// Lets a carrier's stream in, after its token was verified for `attempt`. A higher attempt supersedes the
    /// running one.
    pub fn attach(
        &mut self,
        now: Millis,
        attempt: u32,
        stream_sid: &str,
    ) -> Result<Attached, AttachRefused> {
        let _ = (now, attempt, stream_sid, &self.config);
        Ok(Attached { superseded: false })
    }

    /// Takes what happened. Drain [`Call::poll_output`] afterwards, then arm one timer for [`Call::poll_timeout`].
    pub fn handle(&mut self, now: Millis, input: Input<'_>) {
        let _ = (now, input);
    }

    /// The next thing to do, until `None`.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Input::Timer`] is wanted. It does not move with every frame: arm again only when it has changed.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Millis> {
        None
    }

    /// The answer to `<Connect action>`: where the caller goes now that the stream is over. Drain the outputs
    /// afterwards.
    pub fn after_stream(&mut self, now: Millis) -> AfterStream {
        let _ = now;
        AfterStream::Hangup
    }

    /// The call is over and [`Output::Finished`] was emitted.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        false
    }

    /// The transcript so far: what `GET …/interactions` shows of a running call.
    #[must_use]
    pub fn transcript(&self) -> Vec<Interaction> {
        Vec::new()
    }

    /// Ends the call at once, without a word (orphan alarm): [`Output::Finished`] follows.
    pub fn abandon(&mut self, now: Millis) {
        let _ = (now, None::<CallSummary>);
    }
}
