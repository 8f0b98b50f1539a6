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

#[cfg(test)]
mod tests {
    use super::{day, span, timer};

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
