//! Local time, for as much of it as a telephone call needs: now, and a few days on.
//!
//! `zones.txt` has the rules that hold from now on of every zone that `zone.tab` of the tz database names (2025b, public domain): each
//! line the minutes ahead of UTC; where clocks are changed the minutes while they are, and when that begins and ends (month, week of the
//! month with 5 for the last, day of the week from Sunday, minutes from midnight of the clock that is left), as in the footer of a
//! compiled zone (RFC 9636 §3.3); then the names. A rule that a parliament changes is a line to be changed. Not there: what applied in
//! earlier years, and Morocco's pause during Ramadan.

use std::str::FromStr;

use voicecore_types::Millis;

use crate::UnknownWord;

const ZONES: &str = include_str!("zones.txt");
const MINUTE_MS: i64 = 60_000;
const DAY_MINUTES: i64 = 1_440;
/// The names of the days, from Monday.
pub const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
/// The names of the months.
pub const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A place's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeZone {
    name: &'static str,
    /// Minutes ahead of UTC.
    offset: i64,
    summer: Option<Summer>,
}

/// When clocks are changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Summer {
    offset: i64,
    begins: Change,
    ends: Change,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Change {
    month: i64,
    week: i64,
    /// From Sunday.
    weekday: i64,
    minutes: i64,
}

/// What a clock on the wall shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalTime {
    /// The year.
    pub year: i64,
    /// From 1.
    pub month: u8,
    /// From 1.
    pub day: u8,
    /// From Monday, 0.
    pub weekday: u8,
    /// Since midnight.
    pub minute: u16,
}

impl TimeZone {
    /// By its name in the tz database, such as `Europe/Berlin`.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        ZONES.lines().find_map(|line| {
            let name = line.split(' ').find(|word| *word == name && word.starts_with(char::is_alphabetic))?;
            let mut words = line.split(' ');
            let offset = words.next()?.parse().ok()?;
            let summer = words.next().and_then(|word| word.parse().ok());
            let summer = match summer {
                Some(offset) => {
                    Some(Summer { offset, begins: change(words.next()?)?, ends: change(words.next()?)? })
                }
                None => None,
            };
            Some(Self { name, offset, summer })
        })
    }

    /// As the tz database has it.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What the clock shows at a moment.
    #[must_use]
    pub fn local(&self, moment: Millis) -> LocalTime {
        let minutes = i64::try_from(moment.0).unwrap_or(i64::MAX) / MINUTE_MS;
        let local = minutes.saturating_add(self.offset_at(minutes));
        let days = local.div_euclid(DAY_MINUTES);
        let (year, month, day) = civil(days);
        LocalTime {
            year,
            month: small(month),
            day: small(day),
            // 1 January 1970 was a Thursday.
            weekday: small((days + 3).rem_euclid(7)),
            minute: u16::try_from(local.rem_euclid(DAY_MINUTES)).unwrap_or_default(),
        }
    }

    fn offset_at(&self, minutes: i64) -> i64 {
        let Some(summer) = self.summer else { return self.offset };
        let (year, ..) = civil(minutes.saturating_add(self.offset).div_euclid(DAY_MINUTES));
        let begins = summer.begins.in_year(year) - self.offset;
        let ends = summer.ends.in_year(year) - summer.offset;
        let is_summer = if begins < ends {
            (begins..ends).contains(&minutes)
        } else {
            !(ends..begins).contains(&minutes)
        };
        if is_summer { summer.offset } else { self.offset }
    }
}

impl FromStr for TimeZone {
    type Err = UnknownWord;

    fn from_str(name: &str) -> Result<Self, UnknownWord> {
        Self::of_name(name).ok_or(UnknownWord)
    }
}

fn change(word: &str) -> Option<Change> {
    let mut numbers = word.split('.').map(|number| number.parse::<i64>().ok());
    let mut next = || numbers.next().flatten();
    Some(Change { month: next()?, week: next()?, weekday: next()?, minutes: next()? })
}

impl Change {
    /// By the clock that is left, in minutes since 1970.
    fn in_year(self, year: i64) -> i64 {
        let first = days(year, self.month, 1);
        // 1 January 1970 was a Thursday: day 4 from Sunday.
        let to_first = (self.weekday - (first + 4)).rem_euclid(7);
        let next_month = if self.month == 12 { days(year + 1, 1, 1) } else { days(year, self.month + 1, 1) };
        let mut day = first + to_first + 7 * (self.week - 1);
        while day >= next_month {
            day -= 7;
        }
        day * DAY_MINUTES + self.minutes
    }
}

/// Days since 1970 of a date of the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years that begin in March: the leap day is their last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before = 365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    before + (153 * month + 2) / 5 + day - 1 - 719_468
}

/// Year, month and day of a number of days since 1970.
fn civil(day: i64) -> (i64, i64, i64) {
    // Not later than the year that the mean length of years gives, and not earlier than the one before.
    let mut year = 1970 + day.div_euclid(366);
    while days(year + 1, 1, 1) <= day {
        year += 1;
    }
    let mut month = 1;
    while month < 12 && days(year, month + 1, 1) <= day {
        month += 1;
    }
    (year, month, day - days(year, month, 1) + 1)
}

fn small(number: i64) -> u8 {
    u8::try_from(number).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Python's `zoneinfo` says with the tz database 2025b, at every change of clocks of 2027 and between.
    const MOMENTS: &[(&str, u64, &str, u8)] = &[
        ("Europe/Berlin", 1_806_195_599, "2027-03-28 01:59", 6),
        ("Europe/Berlin", 1_806_195_600, "2027-03-28 03:00", 6),
        ("Europe/Berlin", 1_824_944_399, "2027-10-31 02:59", 6),
        ("Europe/Berlin", 1_824_944_400, "2027-10-31 02:00", 6),
        ("Europe/Berlin", 1_806_682_059, "2027-04-02 18:07", 4),
        ("America/New_York", 1_805_007_599, "2027-03-14 01:59", 6),
        ("America/New_York", 1_805_007_600, "2027-03-14 03:00", 6),
        ("America/New_York", 1_825_567_199, "2027-11-07 01:59", 6),
        ("America/New_York", 1_825_567_200, "2027-11-07 01:00", 6),
        ("America/New_York", 1_808_938_611, "2027-04-28 14:56", 2),
        ("Australia/Sydney", 1_806_767_999, "2027-04-04 02:59", 6),
        ("Australia/Sydney", 1_806_768_000, "2027-04-04 02:00", 6),
        ("Australia/Sydney", 1_822_492_799, "2027-10-03 01:59", 6),
        ("Australia/Sydney", 1_822_492_800, "2027-10-03 03:00", 6),
        ("Australia/Sydney", 1_802_223_277, "2027-02-10 12:34", 2),
        ("America/Santiago", 1_806_807_599, "2027-04-03 23:59", 5),
        ("America/Santiago", 1_806_807_600, "2027-04-03 23:00", 5),
        ("America/Santiago", 1_820_116_799, "2027-09-04 23:59", 5),
        ("America/Santiago", 1_820_116_800, "2027-09-05 01:00", 6),
        ("America/Santiago", 1_822_961_623, "2027-10-07 23:13", 3),
        ("Asia/Gaza", 1_806_105_599, "2027-03-27 01:59", 5),
        ("Asia/Gaza", 1_806_105_600, "2027-03-27 03:00", 5),
        ("Asia/Gaza", 1_824_850_799, "2027-10-30 01:59", 5),
        ("Asia/Gaza", 1_824_850_800, "2027-10-30 01:00", 5),
        ("Asia/Gaza", 1_812_051_109, "2027-06-03 22:31", 3),
        ("America/Nuuk", 1_806_195_599, "2027-03-27 22:59", 5),
        ("America/Nuuk", 1_806_195_600, "2027-03-28 00:00", 6),
        ("America/Nuuk", 1_824_944_399, "2027-10-30 23:59", 5),
        ("America/Nuuk", 1_824_944_400, "2027-10-30 23:00", 5),
        ("America/Nuuk", 1_814_830_092, "2027-07-05 22:28", 0),
        ("Europe/Dublin", 1_806_195_599, "2027-03-28 00:59", 6),
        ("Europe/Dublin", 1_806_195_600, "2027-03-28 02:00", 6),
        ("Europe/Dublin", 1_824_944_399, "2027-10-31 01:59", 6),
        ("Europe/Dublin", 1_824_944_400, "2027-10-31 01:00", 6),
        ("Europe/Dublin", 1_803_961_606, "2027-03-02 04:26", 1),
        ("Australia/Lord_Howe", 1_806_764_399, "2027-04-04 01:59", 6),
        ("Australia/Lord_Howe", 1_806_764_400, "2027-04-04 01:30", 6),
        ("Australia/Lord_Howe", 1_822_490_999, "2027-10-03 01:59", 6),
        ("Australia/Lord_Howe", 1_822_491_000, "2027-10-03 02:30", 6),
        ("Australia/Lord_Howe", 1_801_784_862, "2027-02-05 10:47", 4),
        ("Antarctica/Troll", 1_806_195_599, "2027-03-28 00:59", 6),
        ("Antarctica/Troll", 1_806_195_600, "2027-03-28 03:00", 6),
        ("Antarctica/Troll", 1_824_944_399, "2027-10-31 02:59", 6),
        ("Antarctica/Troll", 1_824_944_400, "2027-10-31 01:00", 6),
        ("Antarctica/Troll", 1_800_993_476, "2027-01-26 19:57", 1),
        ("Africa/Cairo", 1_809_035_999, "2027-04-29 23:59", 3),
        ("Africa/Cairo", 1_809_036_000, "2027-04-30 01:00", 4),
        ("Africa/Cairo", 1_824_757_199, "2027-10-28 23:59", 3),
        ("Africa/Cairo", 1_824_757_200, "2027-10-28 23:00", 3),
        ("Africa/Cairo", 1_799_426_554, "2027-01-08 18:42", 4),
        ("Asia/Kolkata", 1_812_236_758, "2027-06-06 04:35", 6),
        ("Pacific/Chatham", 1_806_760_799, "2027-04-04 03:44", 6),
        ("Pacific/Chatham", 1_806_760_800, "2027-04-04 02:45", 6),
        ("Pacific/Chatham", 1_821_880_799, "2027-09-26 02:44", 6),
        ("Pacific/Chatham", 1_821_880_800, "2027-09-26 03:45", 6),
        ("Pacific/Chatham", 1_817_196_466, "2027-08-02 21:32", 0),
        ("Europe/London", 1_806_195_599, "2027-03-28 00:59", 6),
        ("Europe/London", 1_806_195_600, "2027-03-28 02:00", 6),
        ("Europe/London", 1_824_944_399, "2027-10-31 01:59", 6),
        ("Europe/London", 1_824_944_400, "2027-10-31 01:00", 6),
        ("Europe/London", 1_829_563_060, "2027-12-23 11:57", 3),
        ("America/Havana", 1_805_000_399, "2027-03-13 23:59", 5),
        ("America/Havana", 1_805_000_400, "2027-03-14 01:00", 6),
        ("America/Havana", 1_825_563_599, "2027-11-07 00:59", 6),
        ("America/Havana", 1_825_563_600, "2027-11-07 00:00", 6),
        ("America/Havana", 1_808_471_438, "2027-04-23 05:10", 4),
        ("Pacific/Easter", 1_806_807_599, "2027-04-03 21:59", 5),
        ("Pacific/Easter", 1_806_807_600, "2027-04-03 21:00", 5),
        ("Pacific/Easter", 1_820_116_799, "2027-09-04 21:59", 5),
        ("Pacific/Easter", 1_820_116_800, "2027-09-04 23:00", 5),
        ("Pacific/Easter", 1_825_620_323, "2027-11-07 15:45", 6),
        ("Asia/Jerusalem", 1_806_019_199, "2027-03-26 01:59", 4),
        ("Asia/Jerusalem", 1_806_019_200, "2027-03-26 03:00", 4),
        ("Asia/Jerusalem", 1_824_937_199, "2027-10-31 01:59", 6),
        ("Asia/Jerusalem", 1_824_937_200, "2027-10-31 01:00", 6),
        ("Asia/Jerusalem", 1_824_436_196, "2027-10-25 06:49", 0),
    ];

    #[test]
    fn clocks_show_what_the_tz_database_says() {
        for (name, second, shown, weekday) in MOMENTS {
            let local = TimeZone::of_name(name).unwrap().local(Millis::from_secs(*second));
            let LocalTime { year, month, day, minute, .. } = local;
            let said = format!("{year}-{month:02}-{day:02} {:02}:{:02}", minute / 60, minute % 60);
            assert_eq!((said.as_str(), local.weekday), (*shown, *weekday), "{name} at {second}");
        }
    }

    #[test]
    fn every_line_is_a_zone_and_every_name_is_there_once() {
        let mut names = std::collections::BTreeSet::new();
        for name in ZONES.split_ascii_whitespace().filter(|word| word.starts_with(char::is_alphabetic)) {
            assert!(names.insert(name), "{name} twice");
            let zone = TimeZone::of_name(name).unwrap_or_else(|| panic!("{name}"));
            assert_eq!(zone.name(), name);
            // Ten years, hour by hour: dates follow each other.
            for hour in (0..10 * 8_766).step_by(1_111) {
                let local = zone.local(Millis::from_secs(1_795_000_000 + hour * 3_600));
                assert!((2026..2038).contains(&local.year) && local.minute < 1_440 && local.weekday < 7);
                assert!((1..=12).contains(&local.month) && (1..=31).contains(&local.day));
            }
        }
        assert!(names.len() > 400);
    }

    #[test]
    fn what_is_no_zone_is_none() {
        for name in
            ["", "60", "120", "3.5.0.120", "Europe/Atlantis", "europe/berlin", "Europe/Berlin ", "CET"]
        {
            assert_eq!(TimeZone::of_name(name), None, "{name}");
        }
    }

    #[test]
    fn the_end_of_time_has_a_date() {
        for name in ["UTC", "Europe/Berlin", "Australia/Sydney"] {
            assert!(TimeZone::of_name(name).unwrap().local(Millis(1 << 53)).year > 200_000);
        }
    }
}
