use voicecore_types::Millis;

/// What can come due in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timer {
    /// All audio that was sent should have been played, also when the last mark was not echoed.
    Playout,
    /// Nothing audible for too long while something is owed: a tone.
    Comfort,
    /// The model is given up.
    Patience,
    /// Nobody says anything.
    Idle,
    /// The caller was speaking and the carrier sends nothing any more.
    CallerStall,
    /// The caller was speaking and has been silent for longer than a turn lasts.
    CallerQuiet,
    /// No more keys follow: tell the model.
    Keys,
    /// A tool has not answered.
    Tools,
    /// Open the next session with the model.
    Backoff,
    /// Ask the model again what it could not take just now.
    AskAgain,
    /// The session with the model is old.
    Rotate,
    /// The call has reached its longest allowed length.
    CallLength,
    /// The assistant was silenced for as long as it may be.
    Pause,
    /// The goodbye takes too long.
    Leave,
    /// No stream has come back.
    Detached,
    /// The call is over; the last transcriptions have had their time.
    Drain,
}

impl Timer {
    const ALL: [Self; 16] = [
        Self::Playout,
        Self::Comfort,
        Self::Patience,
        Self::Idle,
        Self::CallerStall,
        Self::CallerQuiet,
        Self::Keys,
        Self::Tools,
        Self::Backoff,
        Self::AskAgain,
        Self::Rotate,
        Self::CallLength,
        Self::Pause,
        Self::Leave,
        Self::Detached,
        Self::Drain,
    ];
}

/// One deadline for each [`Timer`]; the adapter only ever arms the next.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    at: [Option<Millis>; Timer::ALL.len()],
}

impl Timers {
    /// Sets or moves a deadline.
    pub(crate) fn set(&mut self, timer: Timer, at: Millis) {
        *self.slot(timer) = Some(at);
    }

    /// Sets the deadline, or removes it.
    pub(crate) fn put(&mut self, timer: Timer, at: Option<Millis>) {
        *self.slot(timer) = at;
    }

    pub(crate) fn clear(&mut self, timer: Timer) {
        *self.slot(timer) = None;
    }

    /// Removes every deadline.
    pub(crate) fn clear_all(&mut self) {
        *self = Self::default();
    }

    /// The earliest deadline.
    pub(crate) fn next(&self) -> Option<Millis> {
        self.at.iter().flatten().min().copied()
    }

    /// Takes one that has come due, the earliest first.
    pub(crate) fn pop(&mut self, now: Millis) -> Option<Timer> {
        let due = Timer::ALL
            .into_iter()
            .filter_map(|timer| Some((*self.at.get(timer as usize)?.as_ref()?, timer)))
            .filter(|(at, _)| *at <= now)
            .min_by_key(|(at, _)| *at)?
            .1;
        self.clear(due);
        Some(due)
    }

    #[expect(clippy::indexing_slicing, reason = "the array has one slot for each variant")]
    fn slot(&mut self, timer: Timer) -> &mut Option<Millis> {
        &mut self.at[timer as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::{Timer, Timers};
    use voicecore_types::Millis;

    #[test]
    fn the_earliest_comes_first_and_once() {
        let mut timers = Timers::default();
        timers.set(Timer::Idle, Millis(30));
        timers.set(Timer::Drain, Millis(10));
        timers.set(Timer::Comfort, Millis(20));
        assert_eq!(timers.next(), Some(Millis(10)));
        assert_eq!(timers.pop(Millis(9)), None);
        assert_eq!(timers.pop(Millis(25)), Some(Timer::Drain));
        assert_eq!(timers.pop(Millis(25)), Some(Timer::Comfort));
        assert_eq!(timers.pop(Millis(25)), None);
        timers.clear(Timer::Idle);
        assert_eq!(timers.next(), None);
    }

    #[test]
    fn each_timer_has_its_slot() {
        for (slot, timer) in Timer::ALL.into_iter().enumerate() {
            assert_eq!(timer as usize, slot);
        }
    }
}
