//! When a hub's one alarm has to ring, and what for: events age, and whoever listens is looked at again.

use serde::{Deserialize, Serialize};
use voicecore_types::Millis;

use super::AGEING_INTERVAL;

/// While somebody listens, it is looked this often whether they still may.
pub const LOOK_INTERVAL: Millis = Millis::from_secs(25);
/// After so many looks in a row that came to nothing, because nobody could be asked, every socket is closed: nobody listens for
/// longer than [`CLOSED_WITHIN`] to what they may not hear.
pub const FAILED_LOOKS: u32 = 2;
/// A socket whose credentials are no longer good is closed within this time, whatever else fails.
pub const CLOSED_WITHIN: Millis = Millis::from_secs(60);

/// What the alarm of a hub is set for. It lies in the hub's storage, because a hub forgets everything else between two events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Schedule {
    /// The alarm is set to this moment.
    armed: Option<Millis>,
    /// Events age then. `None`: there are none.
    ageing: Option<Millis>,
    /// Listeners are looked at then. `None`: there are none.
    look: Option<Millis>,
    /// Looks in a row that came to nothing.
    failed_looks: u32,
}

/// What is to be done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// Events are to age.
    pub ageing: bool,
    /// Listeners are to be looked at.
    pub look: bool,
}

impl Schedule {
    /// There are events.
    pub fn holds_events(&mut self, now: Millis) {
        self.ageing.get_or_insert(now.plus(AGEING_INTERVAL));
    }

    /// Somebody listens.
    pub fn is_watched(&mut self, now: Millis) {
        self.look.get_or_insert(now.plus(LOOK_INTERVAL));
    }

    /// Somebody listens, who has just been looked at, and nobody else does: looks that came to nothing were about others.
    ///
    /// Where others listen as well, those looks go on counting. A subscriber that could be looked at must not keep a socket open
    /// whose own looks fail.
    pub fn is_watched_anew(&mut self, now: Millis) {
        self.failed_looks = 0;
        self.is_watched(now);
    }

    /// Whoever listens is to be looked at without delay.
    pub fn look_at_once(&mut self, now: Millis) {
        self.look = Some(now);
    }

    /// The alarm has rung, and what is due is taken. It never rings before its time: a clock that says so is behind.
    #[must_use]
    pub fn rang(&mut self, now: Millis) -> Due {
        let now = self.armed.take().map_or(now, |armed| armed.max(now));
        let due = |at: &mut Option<Millis>| at.take_if(|at| *at <= now).is_some();
        Due { ageing: due(&mut self.ageing), look: due(&mut self.look) }
    }

    /// A look is over; `asked`: it is known who may listen. `true`: too many looks in a row came to nothing, and every socket is to
    /// be closed. Those who come after that begin anew.
    #[must_use]
    pub fn looked(&mut self, asked: bool) -> bool {
        self.failed_looks = if asked { 0 } else { self.failed_looks.saturating_add(1) };
        let too_many = self.failed_looks >= FAILED_LOOKS;
        if too_many {
            self.failed_looks = 0;
        }
        too_many
    }

    /// The alarm is known not to be set.
    pub fn not_armed(&mut self) {
        self.armed = None;
    }

    /// The alarm is set.
    pub const fn is_armed(&self) -> bool {
        self.armed.is_some()
    }

    /// The moment to which the alarm has to be set from now on; `None`: it is set well.
    #[must_use]
    pub fn arm(&mut self) -> Option<Millis> {
        let next = [self.ageing, self.look].into_iter().flatten().min()?;
        if self.armed.is_some_and(|armed| armed <= next) {
            // It rings early enough, finds nothing to do, and is set again.
            return None;
        }
        self.armed = Some(next);
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The longest that a look may take until the database counts as away, and an alarm to ring.
    const SLACK: Millis = Millis::from_secs(5);

    #[test]
    fn failing_looks_end_in_time() {
        let longest = u64::from(FAILED_LOOKS) * (LOOK_INTERVAL.0 + SLACK.0);
        assert!(longest <= CLOSED_WITHIN.0, "{longest}");
    }

    #[test]
    fn a_clock_that_is_behind_keeps_nothing_from_being_done() {
        let mut schedule = Schedule::default();
        schedule.holds_events(Millis(1_000));
        assert_eq!(schedule.arm(), Some(Millis(1_000).plus(AGEING_INTERVAL)));
        assert_eq!(schedule.rang(Millis(5)), Due { ageing: true, look: false });
    }

    #[derive(Debug, Clone, Copy)]
    enum Step {
        Event,
        Subscriber,
        AtOnce,
        Lost,
        Wait(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            2 => Just(Step::Event),
            2 => Just(Step::Subscriber),
            1 => Just(Step::AtOnce),
            1 => Just(Step::Lost),
            6 => (1_u64..40_000).prop_map(Step::Wait),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        /// Whatever happens, and although the alarm is lost at times: listeners are looked at every [`LOOK_INTERVAL`], events age
        /// every [`AGEING_INTERVAL`], and what is to be done without delay is.
        #[test]
        fn nothing_is_forgotten(steps in prop::collection::vec(step(), 1..200)) {
            let mut schedule = Schedule::default();
            let mut now = Millis(1_000);
            let (mut alarm, mut looked, mut aged) = (None::<Millis>, None::<Millis>, None::<Millis>);
            for step in steps {
                match step {
                    Step::Event => {
                        schedule.holds_events(now);
                        aged.get_or_insert(now);
                    }
                    Step::Subscriber => {
                        schedule.is_watched(now);
                        looked.get_or_insert(now);
                    }
                    Step::AtOnce => {
                        schedule.look_at_once(now);
                        looked.get_or_insert(now);
                        schedule.arm().inspect(|at| alarm = Some(*at));
                        prop_assert!(alarm.is_some_and(|at| at <= now));
                    }
                    Step::Lost => {
                        alarm = None;
                        schedule.not_armed();
                    }
                    Step::Wait(span) => {
                        let end = now.plus(Millis(span));
                        while let Some(at) = alarm.filter(|at| *at <= end) {
                            now = now.max(at);
                            alarm = None;
                            let due = schedule.rang(now);
                            if due.look {
                                prop_assert!(!schedule.looked(true));
                                schedule.is_watched(now);
                                looked = Some(now);
                            }
                            if due.ageing {
                                schedule.holds_events(now);
                                aged = Some(now);
                            }
                            alarm = schedule.arm().or(alarm);
                        }
                        now = end;
                    }
                }
                alarm = schedule.arm().or(alarm);
                prop_assert!(looked.is_none_or(|at| now <= at.plus(LOOK_INTERVAL)));
                prop_assert!(aged.is_none_or(|at| now <= at.plus(AGEING_INTERVAL)));
                prop_assert_eq!(alarm.is_some(), looked.is_some() || aged.is_some());
                if let (Some(alarm), Some(looked)) = (alarm, looked) {
                    prop_assert!(alarm <= looked.plus(LOOK_INTERVAL).max(now));
                }
            }
        }

        /// Sockets are closed when looks fail, and not while one in two succeeds. Whoever comes after that is not closed by the
        /// next look that fails, nor is the first one who comes after others have left.
        #[test]
        fn only_looks_that_fail_in_a_row_close(
            steps in prop::collection::vec(prop::sample::select(vec!["asked", "failed", "joins", "comes alone"]), 0..60),
        ) {
            let mut schedule = Schedule::default();
            let mut row = 0;
            for step in steps {
                match step {
                    "joins" => schedule.is_watched(Millis(1)),
                    "comes alone" => {
                        schedule.is_watched_anew(Millis(1));
                        row = 0;
                    }
                    look => {
                        row = if look == "asked" { 0 } else { row + 1 };
                        prop_assert_eq!(schedule.looked(look == "asked"), row == FAILED_LOOKS);
                        row %= FAILED_LOOKS;
                    }
                }
            }
        }
    }
}
