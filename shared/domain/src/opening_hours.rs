//! When a business is open: a week of it, by the clock of where it is.

mod time_zone;

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};
use std::str::FromStr;

use voicecore_types::{Millis, set_of};

use crate::UnknownWord;
pub use time_zone::{DAYS, LocalTime, MONTHS, TimeZone};

/// The most spans of a week: four each day.
pub const MAX_SPANS: usize = 28;
const DAY_MINUTES: u16 = 1_440;

/// From when to when a business is open on one day of the week; as text `monday 09:00-17:30`. It ends at `24:00` at the latest: a night
/// is two of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct OpenSpan {
    /// From Monday, 0.
    day: u8,
    /// Minutes since midnight.
    opens: u16,
    /// The first minute in which it is closed.
    closes: u16,
}

impl FromStr for OpenSpan {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let read = || {
            let (day, span) = text.split_once(' ')?;
            let day = DAYS.iter().position(|name| name.to_ascii_lowercase() == day)?;
            let (opens, closes) = span.split_once('-')?;
            let (opens, closes) = (minutes(opens)?, minutes(closes)?);
            (opens < closes).then_some(Self { day: u8::try_from(day).ok()?, opens, closes })
        };
        read().ok_or(UnknownWord)
    }
}

impl fmt::Display for OpenSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = day_name(self.day).to_ascii_lowercase();
        write!(f, "{day} {}-{}", Clock(self.opens), Clock(self.closes))
    }
}

/// Two digits, a colon, two digits.
fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |text: &str| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u16>().ok().filter(|_| digits)
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    Some(hours * 60 + minutes).filter(|at| minutes < 60 && *at <= DAY_MINUTES)
}

struct Clock(u16);

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

fn day_name(day: u8) -> &'static str {
    DAYS.get(usize::from(day)).copied().unwrap_or_default()
}

/// The hours of a business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpeningHours {
    zone: TimeZone,
    /// In the order of the week; no two have a minute in common. None: it is always closed.
    spans: BTreeSet<OpenSpan>,
}

impl OpeningHours {
    /// `None`: two of the spans have a minute in common, or there are more than [`MAX_SPANS`].
    #[must_use]
    pub fn new(zone: TimeZone, spans: BTreeSet<OpenSpan>) -> Option<Self> {
        let apart =
            spans.iter().zip(spans.iter().skip(1)).all(|(a, b)| a.day != b.day || a.closes <= b.opens);
        (apart && spans.len() <= MAX_SPANS).then_some(Self { zone, spans })
    }

    /// What a business has of which nothing but the place is known: nine to five, from Monday to Friday.
    #[must_use]
    pub fn usual(zone: TimeZone) -> Self {
        let spans = (0..5).map(|day| OpenSpan { day, opens: 9 * 60, closes: 17 * 60 });
        Self { zone, spans: set_of(spans) }
    }

    /// Where it is.
    pub const fn zone(&self) -> TimeZone {
        self.zone
    }

    /// The spans, in the order of the week.
    pub fn spans(&self) -> impl Iterator<Item = OpenSpan> + '_ {
        self.spans.iter().copied()
    }

    /// As it is stored beside the name of the zone: spans with `;` between them.
    pub fn to_stored(&self) -> String {
        self.spans.iter().map(ToString::to_string).collect::<Vec<_>>().join(";")
    }

    /// What is stored. `None`: it cannot be read (any more), and then the business has no hours that anybody could tell.
    #[must_use]
    pub fn from_stored(zone: &str, spans: &str) -> Option<Self> {
        let zone = TimeZone::of_name(zone)?;
        let spans: Result<Vec<_>, _> =
            spans.split(';').filter(|span| !span.is_empty()).map(str::parse).collect();
        Self::new(zone, set_of(spans.ok()?))
    }

    /// What is to be said of it at a moment, in English, for a model: the week, what time it is there, whether the business is open, and
    /// when that changes.
    pub fn described(&self, now: Millis) -> String {
        let local = self.zone.local(now);
        let mut text = format!("# Opening hours (local time, {})\n", self.zone.name());
        for day in 0..7 {
            let spans = self.spans.iter().filter(|span| span.day == day);
            let spans: Vec<String> =
                spans.map(|span| format!("{} to {}", Clock(span.opens), Clock(span.closes))).collect();
            let spans = if spans.is_empty() { "closed".to_owned() } else { spans.join(", ") };
            // Writing into a string does not fail.
            let _ = writeln!(text, "- {}: {spans}", day_name(day));
        }
        let month = MONTHS.get(usize::from(local.month).saturating_sub(1)).copied().unwrap_or_default();
        let _ = writeln!(
            text,
            "This call began on {}, {} {month} {} at {} there: the business was {}.",
            day_name(local.weekday),
            local.day,
            local.year,
            Clock(local.minute),
            self.state(local)
        );
        text
    }

    fn state(&self, local: LocalTime) -> String {
        let open = self
            .spans
            .iter()
            .find(|span| span.day == local.weekday && (span.opens..span.closes).contains(&local.minute));
        if let Some(open) = open {
            return match self.last_of_run(*open) {
                Some(last) if last.day == open.day => format!("open, until {}", Clock(last.closes)),
                Some(last) => format!("open, until {} at {}", day_name(last.day), Clock(last.closes)),
                None => "open, as it always is".to_owned(),
            };
        }
        match self.next(local) {
            Some(next) => format!("closed, until {} at {}", day_name(next.day), Clock(next.opens)),
            None => "closed".to_owned(),
        }
    }

    /// The last of those that follow a span without a pause, also past midnight; itself, when none does. `None`: they come round to
    /// it, and it never closes.
    fn last_of_run(&self, open: OpenSpan) -> Option<OpenSpan> {
        let mut last = open;
        for _ in 0..MAX_SPANS {
            let (day, opens) =
                if last.closes == DAY_MINUTES { ((last.day + 1) % 7, 0) } else { (last.day, last.closes) };
            match self.spans.iter().find(|span| (span.day, span.opens) == (day, opens)) {
                Some(next) if *next == open => return None,
                Some(next) => last = *next,
                None => break,
            }
        }
        Some(last)
    }

    /// The next span that begins: today, or in the week after now.
    fn next(&self, local: LocalTime) -> Option<OpenSpan> {
        let ahead = |span: &OpenSpan| {
            let days = (7 + span.day - local.weekday) % 7;
            if days == 0 && span.opens <= local.minute { 7 } else { days }
        };
        self.spans.iter().copied().min_by_key(|span| (ahead(span), span.opens))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hours(zone: &str, spans: &[&str]) -> OpeningHours {
        OpeningHours::from_stored(zone, &spans.join(";")).unwrap()
    }

    /// Friday, 27 November 2026, 10:00 in Berlin.
    const FRIDAY: Millis = Millis::from_secs(1_795_770_000);

    #[test]
    fn what_a_model_is_told() {
        let hours =
            hours("Europe/Berlin", &["monday 09:00-12:00", "monday 13:00-18:30", "friday 08:00-16:00"]);
        let text = hours.described(FRIDAY);
        assert_eq!(
            text,
            "# Opening hours (local time, Europe/Berlin)\n- Monday: 09:00 to 12:00, 13:00 to 18:30\n- Tuesday: closed\n\
             - Wednesday: closed\n- Thursday: closed\n- Friday: 08:00 to 16:00\n- Saturday: closed\n- Sunday: closed\n\
             This call began on Friday, 27 November 2026 at 10:00 there: the business was open, until 16:00.\n"
        );
        let evening = hours.described(FRIDAY.plus(Millis::from_secs(9 * 3_600)));
        assert!(evening.contains("closed, until Monday at 09:00."), "{evening}");
        let noon = hours.described(FRIDAY.plus(Millis::from_secs((2 * 24 + 26) * 3_600 + 1_800)));
        assert!(
            noon.contains("Monday, 30 November 2026 at 12:30")
                && noon.contains("closed, until Monday at 13:00"),
            "{noon}"
        );
        let never = OpeningHours::new(TimeZone::of_name("UTC").unwrap(), BTreeSet::new()).unwrap();
        assert!(never.described(FRIDAY).ends_with("the business was closed.\n"));
        let day =
            OpeningHours::from_stored("Europe/Berlin", "friday 00:00-12:00;friday 12:00-24:00").unwrap();
        assert!(day.described(FRIDAY).contains("open, until 24:00."));
    }

    #[test]
    fn a_night_is_told_until_its_morning() {
        let night = hours("UTC", &["friday 08:00-24:00", "saturday 00:00-02:00", "saturday 10:00-12:00"]);
        assert!(night.described(FRIDAY).ends_with("the business was open, until Saturday at 02:00.\n"));
        let sunday = hours("UTC", &["sunday 18:00-24:00", "monday 00:00-02:00"]);
        let late = sunday.described(FRIDAY.plus(Millis::from_secs((2 * 24 + 10) * 3_600)));
        assert!(late.ends_with("open, until Monday at 02:00.\n"), "{late}");
        let week: Vec<String> =
            DAYS.iter().map(|day| format!("{} 00:00-24:00", day.to_lowercase())).collect();
        let week: Vec<&str> = week.iter().map(String::as_str).collect();
        assert!(hours("UTC", &week).described(FRIDAY).ends_with("the business was open, as it always is.\n"));
        // All week but Thursday: from Friday on it is open until Wednesday is over.
        let most: Vec<&str> = week.into_iter().filter(|span| !span.starts_with("thursday")).collect();
        assert!(hours("UTC", &most).described(FRIDAY).ends_with("open, until Wednesday at 24:00.\n"));
    }

    #[test]
    fn the_usual_week() {
        let usual = OpeningHours::usual(TimeZone::of_name("America/New_York").unwrap());
        assert_eq!(usual.spans().count(), 5);
        assert_eq!(OpeningHours::from_stored("America/New_York", &usual.to_stored()), Some(usual.clone()));
        // Four in the morning there.
        assert!(
            usual
                .described(FRIDAY)
                .contains("at 04:00 there: the business was closed, until Friday at 09:00.")
        );
    }

    #[test]
    fn what_is_no_span_is_refused() {
        for text in [
            "",
            "monday",
            "monday 9:00-17:00",
            "Monday 09:00-17:00",
            "monday 17:00-09:00",
            "monday 09:00-09:00",
            "monday 09:60-17:00",
            "monday 09:00-24:01",
            "monday 09:00-25:00",
            "monday 09:00-17:00 ",
            "monday  09:00-17:00",
            "noday 09:00-17:00",
            "monday +9:00-17:00",
            "monday 09:00–17:00",
        ] {
            assert!(text.parse::<OpenSpan>().is_err(), "{text}");
        }
        for (zone, spans) in [
            ("Europe/Berlin", "monday 09:00-12:00;monday 11:59-13:00"),
            ("Nowhere", "monday 09:00-12:00"),
            ("Europe/Berlin", "monday"),
        ] {
            assert_eq!(OpeningHours::from_stored(zone, spans), None);
        }
    }

    fn span() -> impl Strategy<Value = OpenSpan> {
        (0_u8..7, 0_u16..1_440, 1_u16..400).prop_map(|(day, opens, length)| OpenSpan {
            day,
            opens,
            closes: (opens + length).min(DAY_MINUTES),
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        /// Any week is read back as it was stored, and what is said of it at any minute is so.
        #[test]
        fn a_week_is_read_back_and_told(spans in prop::collection::btree_set(span(), 0..20), minute in 0_u64..20_160) {
            let zone = TimeZone::of_name("UTC").unwrap();
            for span in &spans {
                prop_assert_eq!(&span.to_string().parse::<OpenSpan>().unwrap(), span);
            }
            let overlap = spans.iter().any(|a| spans.iter().any(|b| a != b && a.day == b.day && a.opens < b.closes && b.opens < a.closes));
            let hours = OpeningHours::new(zone, spans.clone());
            prop_assert_eq!(hours.is_none(), overlap);
            let Some(hours) = hours else { return Ok(()) };
            prop_assert_eq!(OpeningHours::from_stored("UTC", &hours.to_stored()), Some(hours.clone()));
            let now = Millis::from_secs(1_795_737_600 + minute * 60);
            let local = zone.local(now);
            let open = spans.iter().any(|s| s.day == local.weekday && s.opens <= local.minute && local.minute < s.closes);
            let said = hours.described(now);
            prop_assert_eq!(said.contains("was open, until"), open);
            prop_assert_eq!(said.contains("was closed, until"), !open && !spans.is_empty());
            if open {
                // Minute by minute of the week, on to the first one in which it is closed.
                let of_week = |day: u8, minute: u16| usize::from(day) * 1_440 + usize::from(minute);
                let mut minutes = vec![false; 7 * 1_440];
                for span in &spans {
                    minutes[of_week(span.day, span.opens)..of_week(span.day, span.closes)].fill(true);
                }
                let here = of_week(local.weekday, local.minute);
                let last = (here..here + minutes.len()).find(|at| !minutes[(at + 1) % minutes.len()]).unwrap() % minutes.len();
                let (day, end) = (last / 1_440, last % 1_440 + 1);
                let end = format!("{:02}:{:02}", end / 60, end % 60);
                let told = if day == usize::from(local.weekday) { end } else { format!("{} at {end}", DAYS[day]) };
                let expected = format!("was open, until {told}.\n");
                prop_assert!(said.ends_with(&expected), "{} {}", said, expected);
            }
        }
    }
}
