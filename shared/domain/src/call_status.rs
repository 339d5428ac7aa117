use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Text that names no known status or direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a word of this vocabulary")]
pub struct UnknownWord;

/// Who rang whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallDirection {
    /// A caller rang one of the tenant's numbers.
    Inbound,
    /// Somebody was rung for the tenant. There are none yet.
    Outbound,
}

impl CallDirection {
    /// As stored and as the API shows it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
        }
    }
}

impl FromStr for CallDirection {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        [Self::Inbound, Self::Outbound].into_iter().find(|way| way.as_str() == text).ok_or(UnknownWord)
    }
}

/// Where a call is in its life. The order of the stages is queued → ringing → in progress → one of five ends.
///
/// Carriers report a status by webhook: at least once, late, and in any order. So a status only ever moves to a later
/// stage, and the first end is the last word ([`CallStatus::after`]). Whatever the callbacks do, each status is entered
/// at most once, in the order of the stages, and where a call ends does not depend on repetitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallStatus {
    /// The carrier has accepted it.
    Queued,
    /// The telephone rings.
    Ringing,
    /// Both sides are connected.
    InProgress,
    /// It was answered and is over.
    Completed,
    /// The called side was busy.
    Busy,
    /// It could not be connected.
    Failed,
    /// Nobody answered.
    NoAnswer,
    /// It was hung up before it was answered.
    Canceled,
}

/// What a reported status does to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transition {
    /// The call enters this status.
    To(CallStatus),
    /// Nothing: a repetition, a late report, or a second end.
    Stay,
}

impl CallStatus {
    /// All of them, by stage.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Ringing,
        Self::InProgress,
        Self::Completed,
        Self::Busy,
        Self::Failed,
        Self::NoAnswer,
        Self::Canceled,
    ];

    /// As stored and as the API shows it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Ringing => "ringing",
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Busy => "busy",
            Self::Failed => "failed",
            Self::NoAnswer => "no_answer",
            Self::Canceled => "canceled",
        }
    }

    /// The call is over.
    pub const fn is_end(self) -> bool {
        self.stage() == Stage::End as u8
    }

    /// What `reported` does to a call in this status.
    #[must_use]
    pub const fn after(self, reported: Self) -> Transition {
        if reported.stage() > self.stage() { Transition::To(reported) } else { Transition::Stay }
    }

    const fn stage(self) -> u8 {
        let stage = match self {
            Self::Queued => Stage::Queued,
            Self::Ringing => Stage::Ringing,
            Self::InProgress => Stage::InProgress,
            Self::Completed | Self::Busy | Self::Failed | Self::NoAnswer | Self::Canceled => Stage::End,
        };
        stage as u8
    }
}

enum Stage {
    Queued,
    Ringing,
    InProgress,
    End,
}

impl FromStr for CallStatus {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|status| status.as_str() == text).ok_or(UnknownWord)
    }
}

impl fmt::Display for CallStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_status() -> impl Strategy<Value = CallStatus> {
        proptest::sample::select(CallStatus::ALL.to_vec())
    }

    /// Every status entered, in order, from `first` on.
    fn entered(first: CallStatus, reports: &[CallStatus]) -> Vec<CallStatus> {
        let mut log = vec![first];
        for &report in reports {
            let now = log[log.len() - 1];
            if let Transition::To(next) = now.after(report) {
                log.push(next);
            }
        }
        log
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        /// A11, C3: whatever is reported, each status is entered once at most and the stages only rise.
        #[test]
        fn a11_call_activity_moves_forward_only(reports in prop::collection::vec(any_status(), 0..40)) {
            let log = entered(CallStatus::Ringing, &reports);
            prop_assert!(log.windows(2).all(|pair| pair[0].stage() < pair[1].stage()));
            let first_end = reports.iter().copied().find(|status| status.is_end());
            match first_end {
                Some(end) => prop_assert_eq!(log.last().copied(), Some(end)),
                None => prop_assert!(!log[log.len() - 1].is_end()),
            }
        }

        /// A11: each report delivered again, any number of times and anywhere later, changes nothing.
        #[test]
        fn a11_repeated_and_late_reports_change_nothing(
            reports in prop::collection::vec(any_status(), 1..12),
            repeats in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..12),
        ) {
            let mut noisy = reports.clone();
            for (what, place) in repeats {
                let original = what.index(reports.len());
                let first = noisy.iter().position(|s| *s == reports[original]).unwrap_or(0);
                let at = first + 1 + place.index(noisy.len() - first);
                noisy.insert(at, reports[original]);
            }
            prop_assert_eq!(entered(CallStatus::Ringing, &noisy), entered(CallStatus::Ringing, &reports));
        }
    }

    #[test]
    fn words_are_read_back() {
        for status in CallStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
        assert!("Ringing".parse::<CallStatus>().is_err());
    }
}
