//! Times as people read them. Pure; dates in a person's language come from the browser (`browser::date`).

const DAY_MS: f64 = 86_400_000.0;

/// `4:07`, or `1:04:07` after an hour.
#[must_use]
pub fn timer(ms: u64) -> String {
    let seconds = ms / 1000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

/// How long, roughly and without words: `45 s`, `3 min`, `2 h`.
#[must_use]
pub fn span(seconds: u64) -> String {
    match seconds {
        0..=89 => format!("{seconds} s"),
        90..=5399 => format!("{} min", (seconds + 30) / 60),
        _ => format!("{} h", (seconds + 1800) / 3600),
    }
}

/// The day that a time is on: days since 1970 where the clock is `offset_min` minutes behind UTC (as
/// `Date.getTimezoneOffset` says).
#[must_use]
pub fn day(at_ms: f64, offset_min: f64) -> i64 {
    #[allow(clippy::cast_possible_truncation, reason = "floored days fit for millions of years")]
    let day = ((at_ms - offset_min * 60_000.0) / DAY_MS).floor() as i64;
    day
}

/// How far a clock is from UTC: `UTC+1`, `UTC+5:45`, `UTC`.
#[must_use]
pub fn offset_words(east: i16) -> String {
    let (sign, far) = (if east < 0 { '\u{2212}' } else { '+' }, east.unsigned_abs());
    match (far / 60, far % 60) {
        (0, 0) => "UTC".to_owned(),
        (hours, 0) => format!("UTC{sign}{hours}"),
        (hours, minutes) => format!("UTC{sign}{hours}:{minutes:02}"),
    }
}

/// A time as a field for day and time wants it, where the clocks are so many minutes east of UTC.
#[must_use]
pub fn local(at_ms: f64, east: i16) -> String {
    #[allow(clippy::cast_possible_truncation, reason = "minutes since 1970 fit")]
    let minutes = (at_ms / 60_000.0).floor() as i64 + i64::from(east);
    let (days, minute) = (minutes.div_euclid(1_440), minutes.rem_euclid(1_440));
    // Years begin in March, and repeat every 400.
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march + 2) / 5 + 1;
    let month = if march < 10 { march + 3 } else { march - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}", minute / 60, minute % 60)
}

/// What such a field says, as if the clock were that of UTC. Milliseconds since 1970.
#[must_use]
pub fn from_local(text: &str) -> Option<f64> {
    let (date, time) = text.split_once('T')?;
    let mut date = date.splitn(3, '-').map(|n| n.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let mut time = time.split(':').map(|n| n.parse::<i64>().ok());
    let (hour, minute) = (time.next()??, time.next()??);
    let ok = (1970..10_000).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    if !ok || !(0..24).contains(&hour) || !(0..60).contains(&minute) {
        return None;
    }
    let year = year - i64::from(month <= 2);
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let march = (month + 9) % 12;
    let of_year = (153 * march + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    Some(((days * 1_440 + hour * 60 + minute) * 60_000) as f64)
}

/// A minute of the day as a field for times has it; the day's end is its beginning.
#[must_use]
pub fn of_day(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60 % 24, minute % 60)
}

/// The minute of the day that such a field says.
#[must_use]
pub fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.get(..5)?.split_once(':')?;
    let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

#[cfg(test)]
mod tests {
    use super::{day, from_local, local, minutes, of_day, offset_words, span, timer};

    #[test]
    fn a_field_for_a_time_is_written_and_read() {
        for (minute, text) in [(0, "00:00"), (545, "09:05"), (1_439, "23:59")] {
            assert_eq!((of_day(minute).as_str(), minutes(text)), (text, Some(minute)));
        }
        assert_eq!((of_day(1_440).as_str(), minutes("09:05:30")), ("00:00", Some(545)));
        for text in ["", "9:05", "24:00", "12:60", "é2:00", "ab:cd"] {
            assert_eq!(minutes(text), None, "{text}");
        }
    }

    #[test]
    fn offsets() {
        let words = [0, 60, -300, 345, -210].map(offset_words);
        assert_eq!(words, ["UTC", "UTC+1", "UTC\u{2212}5", "UTC+5:45", "UTC\u{2212}3:30"]);
    }

    #[test]
    fn a_field_for_day_and_time_is_written_and_read() {
        assert_eq!(local(1_699_884_000_000.0, 60), "2023-11-13T15:00");
        assert_eq!(local(1_699_884_000_000.0, -900), "2023-11-12T23:00");
        assert_eq!(from_local("2023-11-13T14:00"), Some(1_699_884_000_000.0));
        for text in ["1970-01-01T00:00", "2024-02-29T23:59", "2100-03-01T00:00", "2399-12-31T12:30"]
        {
            assert_eq!(from_local(text).map(|at| local(at, 0)).as_deref(), Some(text));
        }
        assert_eq!(from_local("2024-02-29T23:59:30"), from_local("2024-02-29T23:59"));
        for text in [
            "",
            "2024-02-29",
            "2024-13-01T00:00",
            "x-02-29T00:00",
            "2024-02-29T24:00",
            "2024-00-01T00:00",
        ] {
            assert_eq!(from_local(text), None, "{text}");
        }
    }

    #[test]
    fn timers() {
        assert_eq!(timer(0), "0:00");
        assert_eq!(timer(247_900), "4:07");
        assert_eq!(timer(3_847_000), "1:04:07");
    }

    #[test]
    fn spans() {
        assert_eq!(span(45), "45 s");
        assert_eq!(span(90), "2 min");
        assert_eq!(span(7200), "2 h");
    }

    #[test]
    fn days_change_at_midnight_where_the_person_is() {
        // 1970-01-02 00:30 UTC is still the first in New York, and the second in Paris.
        let at = 88_200_000.0;
        assert_eq!(day(at, 300.0), 0);
        assert_eq!(day(at, -60.0), 1);
    }
}
