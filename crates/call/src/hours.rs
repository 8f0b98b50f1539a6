//! Hours in which calls come about: whether it is one of them, and how people write them.
//!
//! ```text
//!  Mon-Fri 09:00-18:00 +01:00      Sat,Sun 22:00-06:00 +00:00 (until Sunday and Monday, at six)      all 08:00-24:00 -05:00
//! ```
//!
//! A time zone is an offset from UTC: nothing follows summer time by itself.

use core::fmt::Write as _;

use wire::rules::{ALL_DAYS, DAY};
use wire::{Hours, Wall};

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// Whether a time of day is within hours.
#[must_use]
pub fn is_open(hours: &Hours, at: Wall) -> bool {
    hours.is_open(at)
}

/// Moments of days around `at` at which hours can begin or end, in no order.
fn edges(hours: &Hours, at: Wall) -> impl Iterator<Item = Wall> {
    const DAY: i128 = 86_400;
    let (offset, at) = (i128::from(hours.offset()) * 60, i128::from(at.0));
    let today = (at + offset).div_euclid(DAY);
    let minutes = [hours.from(), hours.until()];
    (-8..=8)
        .flat_map(move |day| {
            minutes.map(|minute| (today + day) * DAY + i128::from(minute) * 60 - offset)
        })
        .filter_map(|edge| u64::try_from(edge).ok().map(Wall))
}

/// Whether hours are other at a moment than just before it.
fn is_edge(hours: &Hours, at: Wall) -> bool {
    at.0.checked_sub(1).is_some_and(|before| is_open(hours, Wall(before)) != is_open(hours, at))
}

/// When hours begin or end next after a time of day. The end of time, if they do not.
#[must_use]
pub fn changes(hours: &Hours, at: Wall) -> Wall {
    let later = edges(hours, at).filter(|edge| *edge > at && is_edge(hours, *edge));
    later.min().unwrap_or(Wall(u64::MAX))
}

/// When they began or ended last, at a time of day or before it. The beginning of time, if they did not.
#[must_use]
pub fn changed(hours: &Hours, at: Wall) -> Wall {
    let earlier = edges(hours, at).filter(|edge| *edge <= at && is_edge(hours, *edge));
    earlier.max().unwrap_or(Wall(0))
}

/// Hours as people write them.
#[must_use]
pub fn words(hours: &Hours) -> String {
    let mut text = String::new();
    let mut day = 0;
    while day < 7 {
        let run = (day..7).take_while(|d| hours.days() >> d & 1 == 1).count();
        if run > 0 {
            let comma = if text.is_empty() { "" } else { "," };
            text.push_str(comma);
            text.push_str(DAYS[day]);
            if run > 1 {
                text.push_str(if run == 2 { "," } else { "-" });
                text.push_str(DAYS[day + run - 1]);
            }
        }
        day += run.max(1);
    }
    if hours.days() == ALL_DAYS {
        text = "all".into();
    }
    let (from, until, offset) = (hours.from(), hours.until(), hours.offset());
    let (sign, east) = (if offset < 0 { '-' } else { '+' }, offset.unsigned_abs());
    // Writing into a string does not fail.
    let _ = write!(
        text,
        " {:02}:{:02}-{:02}:{:02} {sign}{:02}:{:02}",
        from / 60,
        from % 60,
        until / 60,
        until % 60,
        east / 60,
        east % 60
    );
    text
}

/// Hours from what a person wrote: days, times and, if it is not UTC, how far from it.
///
/// # Errors
/// What is wrong, for whoever wrote it.
pub fn read(text: &str) -> Result<Hours, String> {
    let mut words = text.split_whitespace();
    let (days, times, zone) = (words.next(), words.next(), words.next());
    let (Some(days), Some(times), None) = (days, times, words.next()) else {
        return Err("hours are written like this: Mon-Fri 09:00-18:00 +01:00".into());
    };
    let mut list = 0;
    for part in days.split(',').filter(|_| days != "all") {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (day(first)?, day(last)?);
        let mut d = first;
        loop {
            list |= 1 << d;
            if d == last {
                break;
            }
            d = (d + 1) % 7;
        }
    }
    let (from, until) =
        times.split_once('-').ok_or_else(|| format!("`{times}` is not like 09:00-18:00"))?;
    let offset = match zone.map(|zone| (zone, zone.split_at_checked(1))) {
        None => 0,
        Some((_, Some(("+", east)))) => minutes(east)?.cast_signed(),
        Some((_, Some(("-", west)))) => -minutes(west)?.cast_signed(),
        Some((zone, _)) => {
            return Err(format!("`{zone}` is not a distance from UTC like +01:00 or -05:30"));
        }
    };
    let list = if days == "all" { ALL_DAYS } else { list };
    Hours::new(list, minutes(from)?, minutes(until)?, offset)
        .ok_or_else(|| "there are no such hours: they begin and end at different times, and not all of every day".into())
}

fn day(text: &str) -> Result<usize, String> {
    let found = DAYS.iter().position(|day| day.eq_ignore_ascii_case(text));
    found.ok_or_else(|| format!("`{text}` is not a day: there are {}, and all", DAYS.join(", ")))
}

/// Minutes of `hh:mm`, at most 24:00.
fn minutes(text: &str) -> Result<u16, String> {
    let number = |text: &str| text.parse().ok().filter(|_| text.len() == 2);
    let parts = text.split_once(':').and_then(|(h, m)| Some((number(h)?, number(m)?)));
    let minutes = parts.filter(|(h, m): &(u16, u16)| *h <= 24 && *m < 60).map(|(h, m)| h * 60 + m);
    let minutes = minutes.filter(|minutes| *minutes <= DAY);
    minutes.ok_or_else(|| format!("`{text}` is not a time like 09:00"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds since 1970: days after Monday the 13th of November 2023, hour, minute, UTC.
    fn utc(day: u64, hour: u64, minute: u64) -> Wall {
        Wall(1_699_833_600 + day * 86_400 + hour * 3_600 + minute * 60)
    }

    fn open(hours: &Hours, list: &[(u64, u64, u64)]) -> Vec<bool> {
        list.iter().map(|(d, h, m)| is_open(hours, utc(*d, *h, *m))).collect()
    }

    #[test]
    fn hours_begin_and_end_with_their_minutes_on_their_days() {
        let office = Hours::new(0x1f, 9 * 60, 18 * 60, 0).unwrap();
        let friday = [(4, 8, 59), (4, 9, 0), (4, 17, 59), (4, 18, 0)];
        assert_eq!(open(&office, &friday), [false, true, true, false]);
        assert_eq!(open(&office, &[(5, 12, 0), (6, 12, 0), (7, 12, 0)]), [false, false, true]);
        assert!(is_open(&office, Wall(utc(4, 17, 59).0 + 59)), "the last second");
        let all_saturday = Hours::new(0x20, 0, 1_440, 0).unwrap();
        let around = [(4, 23, 59), (5, 0, 0), (5, 23, 59), (6, 0, 0)];
        assert_eq!(open(&all_saturday, &around), [false, true, true, false]);
    }

    #[test]
    fn hours_across_midnight_belong_to_the_day_on_which_they_begin() {
        let friday_night = Hours::new(0x10, 22 * 60, 6 * 60, 0).unwrap();
        let times =
            [(4, 21, 59), (4, 22, 0), (5, 0, 0), (5, 5, 59), (5, 6, 0), (5, 22, 0), (4, 3, 0)];
        assert_eq!(open(&friday_night, &times), [false, true, true, true, false, false, false]);
        // The night from Sunday to Monday.
        let sunday_night = Hours::new(0x40, 23 * 60, 60, 0).unwrap();
        assert_eq!(open(&sunday_night, &[(6, 23, 0), (7, 0, 59), (7, 1, 0)]), [true, true, false]);
    }

    #[test]
    fn hours_are_those_of_their_time_zone() {
        // Monday from nine to ten in Auckland is Sunday evening in London, and Monday evening in Honolulu is Tuesday there.
        let auckland = Hours::new(1, 540, 600, 13 * 60).unwrap();
        assert_eq!(
            open(&auckland, &[(6, 19, 59), (6, 20, 0), (6, 20, 59), (6, 21, 0)]),
            [false, true, true, false]
        );
        let honolulu = Hours::new(1, 20 * 60, 21 * 60, -600).unwrap();
        assert_eq!(open(&honolulu, &[(0, 20, 30), (1, 6, 0), (1, 7, 0)]), [false, true, false]);
        let kathmandu = Hours::new(2, 0, 60, 345).unwrap();
        assert_eq!(
            open(&kathmandu, &[(0, 18, 14), (0, 18, 15), (0, 19, 15)]),
            [false, true, false]
        );
        // Midnight and a time zone at once; and a clock that stands at its beginning or its end.
        let night = Hours::new(1, 23 * 60, 60, -300).unwrap();
        assert_eq!(
            open(&night, &[(1, 3, 59), (1, 4, 0), (1, 5, 59), (1, 6, 0)]),
            [false, true, true, false]
        );
        let thursday = Hours::new(0x08, 0, 1_440, 0).unwrap();
        assert!(is_open(&thursday, Wall(0)) && !is_open(&honolulu, Wall(0)));
        assert!(!is_open(&auckland, Wall(u64::MAX)), "no clock overflows");
    }

    #[test]
    fn the_next_and_the_last_change_are_those_that_a_clock_would_find() {
        for text in [
            "Mon-Fri 09:00-18:00 +01:00",
            "Sun 22:00-06:00 -05:30",
            "all 08:00-24:00 +14:00",
            "all 06:00-05:59 -12:00",
            "Mon-Sat 00:00-24:00 +00:00",
        ] {
            let hours = read(text).unwrap();
            for start in [utc(0, 0, 0), utc(3, 8, 0), utc(6, 23, 59), Wall(utc(2, 12, 30).0 + 17)] {
                let minute = |n: u64| Wall(start.0 / 60 * 60 + n * 60);
                let state = is_open(&hours, start);
                let next =
                    (1..20_000).map(minute).find(|at| is_open(&hours, *at) != state).unwrap();
                assert_eq!(changes(&hours, start), next, "{text} after {start:?}");
                let back = |n: u64| Wall(start.0 / 60 * 60 - n * 60);
                let last =
                    (0..20_000).map(back).find(|at| is_open(&hours, Wall(at.0 - 1)) != state);
                assert_eq!(changed(&hours, start), last.unwrap(), "{text} before {start:?}");
            }
        }
        let always = read("Mon 00:00-24:00").unwrap();
        assert_eq!(changes(&always, Wall(u64::MAX)), Wall(u64::MAX));
        assert_eq!(changed(&always, Wall(0)), Wall(0));
    }

    #[test]
    fn hours_are_read_as_they_are_written() {
        for text in [
            "Mon-Fri 09:00-18:00 +01:00",
            "Sat,Sun 22:00-06:00 +00:00",
            "all 08:00-24:00 -05:00",
            "Mon,Wed-Fri,Sun 00:00-24:00 -12:00",
            "Thu 23:59-00:00 +14:00",
            "Mon-Sat 00:05-00:06 +05:45",
        ] {
            assert_eq!(words(&read(text).unwrap()), text);
        }
        assert_eq!(read("fri-mon 9:00-10:00"), Err("`9:00` is not a time like 09:00".into()));
        assert_eq!(words(&read("fri-mon 09:00-10:00").unwrap()), "Mon,Fri-Sun 09:00-10:00 +00:00");
        for (text, named) in [
            ("", "Mon-Fri 09:00-18:00 +01:00"),
            ("Mon-Fri", "Mon-Fri 09:00-18:00 +01:00"),
            ("Mon 09:00-18:00 +01:00 please", "are written like this"),
            ("Man 09:00-18:00", "`Man` is not a day"),
            ("Mon 09:00", "`09:00` is not like"),
            ("Mon 09:00-25:00", "`25:00`"),
            ("Mon 09:00-24:01", "`24:01`"),
            ("Mon 09:60-10:00", "`09:60`"),
            ("Mon 09:00-10:00 1", "`1` is not a distance"),
            ("Mon 09:00-10:00 +15:00", "no such hours"),
            ("Mon 09:00-09:00", "no such hours"),
            ("all 00:00-24:00", "no such hours"),
            ("Mon 09:00-10:00 é", "`é` is not a distance"),
        ] {
            assert!(matches!(read(text), Err(why) if why.contains(named)), "{text}");
        }
    }
}
