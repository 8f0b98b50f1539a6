//! Trunks and their line tests, in words.
//!
//! ```text
//!  line test each hour
//!  up    b.example:4434   key 6a1f09c2   works
//!          2026-11-26 09:14   passed: all of 250 frames came back   round trip 14.2 ms, 95 % within 14.9   ...
//! ```

use std::fmt::Write;

use exchange::{Figures, Outcome, TestResult, TrunkInfo};
use wire::Wall;

use super::control::{LineFigures, LineTest, TrunkStatus};
use super::folder::hex;

/// What an operator is told of `trunks`: those whose key begins with `key`, with all tests; or all, with the newest one.
pub(super) fn answer(trunks: Vec<TrunkInfo>, key: Option<&str>) -> Vec<TrunkStatus> {
    let wanted = key.unwrap_or_default().to_ascii_lowercase();
    let most = if key.is_some() { usize::MAX } else { 1 };
    let status = |trunk: TrunkInfo| TrunkStatus {
        key: hex(&trunk.peer.key.0),
        host: trunk.peer.host.as_str().to_owned(),
        up: trunk.up,
        failing_since: trunk.failing_since.map(|at| at.0),
        tests: trunk.results.iter().rev().take(most).map(test).collect(),
    };
    trunks.into_iter().map(status).filter(|trunk| trunk.key.starts_with(&wanted)).collect()
}

fn test(result: &TestResult) -> LineTest {
    let outcome = match result.outcome {
        Outcome::Measured(figures) if figures.too_lossy() => "lossy",
        Outcome::Measured(_) => "passed",
        Outcome::GaveWay => "gave-way",
        Outcome::NotSupported => "not-supported",
        Outcome::Down => "down",
        Outcome::Full => "full",
        Outcome::Refused => "refused",
        Outcome::Silent => "silent",
    };
    let figures = match result.outcome {
        Outcome::Measured(measured) => Some(figures(measured)),
        _ => None,
    };
    LineTest { at: result.at.0, outcome: outcome.into(), figures }
}

fn figures(f: Figures) -> LineFigures {
    let ms = |us: u32| f64::from(us) / 1_000.0;
    LineFigures {
        sent: f.sent,
        there: f.there,
        back: f.back,
        gaps: f.gaps,
        longest_gap: f.longest_gap,
        round_trip_p50_ms: ms(f.round_trip_p50_us),
        round_trip_p95_ms: ms(f.round_trip_p95_us),
        jitter_ms: ms(f.jitter_us),
        opening_ms: ms(f.opening_us),
    }
}

/// The same for a terminal, at the time `now`.
pub(super) fn page(every_s: Option<u64>, trunks: &[TrunkStatus], now: Wall) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = match every_s {
        Some(every) => writeln!(out, "line test each {}", length(every)),
        None => writeln!(out, "line test off: set `line_test`"),
    };
    if trunks.is_empty() {
        let _ = writeln!(out, "no trunks: nobody has a contact at another office yet");
    }
    for trunk in trunks {
        let lamp = if trunk.up { "up  " } else { "down" };
        let key = trunk.key.get(..8).unwrap_or(&trunk.key);
        // What another exchange says of itself is put on no terminal as it is.
        let host: String = trunk.host.chars().filter(char::is_ascii_graphic).collect();
        let standing = match (trunk.failing_since, trunk.tests.first().map(|t| t.outcome.as_str()))
        {
            (Some(since), _) => format!("FAILS since {} ({} ago)", utc(since), ago(now, since)),
            (None, Some("passed")) => "works".into(),
            (None, Some("not-supported")) => {
                "not tested: the other side does not support it".into()
            }
            (None, Some("gave-way")) => "was needed for a call".into(),
            (None, Some(_)) => "the last test failed; the next one comes soon".into(),
            (None, None) => "not tested yet".into(),
        };
        let _ = writeln!(out, "{lamp}  {host}   key {key}   {standing}");
        for test in &trunk.tests {
            let _ = writeln!(out, "      {}   {}", utc(test.at), words(test));
        }
    }
    out
}

fn words(test: &LineTest) -> String {
    let text = match test.outcome.as_str() {
        "gave-way" => "given up: a call needed the voice path",
        "not-supported" => "not supported by the other side, which has never answered a test",
        "down" => "FAILED: the trunk was down",
        "full" => "FAILED: not made, all voice paths were in use",
        "refused" => "FAILED: the other side had no voice path free",
        "silent" => "FAILED: the other side did not answer",
        _ => "",
    };
    let Some(f) = test.figures else { return text.into() };
    let verdict = if test.outcome == "lossy" { "FAILED, too much lost" } else { "passed" };
    let there = match f.there {
        Some(there) => format!("{there} came there, {} back", f.back),
        None => format!("{} came back", f.back),
    };
    let gap = match f.gaps {
        0 => String::new(),
        _ => format!(", longest gap {} ms", u32::from(f.longest_gap) * 20),
    };
    format!(
        "{verdict}: of {} frames {there}{gap}; round trip {:.1} ms, 95 % within {:.1} ms, jitter {:.1} ms; leg in {:.0} ms",
        f.sent, f.round_trip_p50_ms, f.round_trip_p95_ms, f.jitter_ms, f.opening_ms
    )
}

fn utc(at: u64) -> String {
    crate::record::text::utc(Wall(at))
}

fn ago(now: Wall, at: u64) -> String {
    length(now.0.saturating_sub(at))
}

/// The two largest units.
fn length(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3_600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::{ExchangePub, ExchangeRef, Text};

    fn info(n: u8, outcomes: &[Outcome]) -> TrunkInfo {
        let host = Text::new("b.example:4434\u{1b}[2J").unwrap();
        let results = (1_800_000_000..).zip(outcomes);
        TrunkInfo {
            peer: ExchangeRef { key: ExchangePub([n; 32]), host },
            up: true,
            failing_since: None,
            results: results.map(|(at, o)| TestResult { at: Wall(at), outcome: *o }).collect(),
        }
    }

    const FIGURES: Figures = Figures {
        sent: 250,
        there: Some(250),
        back: 238,
        gaps: 1,
        longest_gap: 12,
        round_trip_p50_us: 14_240,
        round_trip_p95_us: 24_400,
        jitter_us: 310,
        opening_us: 31_000,
    };

    #[test]
    fn all_trunks_show_their_newest_test_and_a_chosen_one_all_of_them() {
        let tests = [Outcome::Down, Outcome::Measured(FIGURES)];
        let trunks = || vec![info(0xa1, &tests), info(0xa2, &tests)];
        let all = answer(trunks(), None);
        assert_eq!(all.iter().map(|t| t.tests.len()).collect::<Vec<_>>(), [1, 1]);
        assert_eq!(all[0].tests[0].outcome, "passed");
        let one = answer(trunks(), Some("A2a2"));
        assert_eq!(one.len(), 1);
        assert_eq!(
            one[0].tests.iter().map(|t| t.outcome.as_str()).collect::<Vec<_>>(),
            ["passed", "down"]
        );
        assert!(answer(trunks(), Some("ff")).is_empty());
    }

    #[test]
    fn a_page_says_what_was_measured_and_what_fails() {
        let mut trunks = answer(vec![info(0xa1, &[Outcome::Measured(FIGURES)])], None);
        let text = page(Some(3_600), &trunks, Wall(1_800_000_600));
        assert!(
            text.contains(
                "line test each 1 h 0 min\nup    b.example:4434[2J   key a1a1a1a1   works\n"
            ),
            "{text}"
        );
        let passed = "passed: of 250 frames 250 came there, 238 back, longest gap 240 ms; \
                      round trip 14.2 ms, 95 % within 24.4 ms, jitter 0.3 ms; leg in 31 ms";
        assert!(text.contains(passed), "{text}");
        let lossy = Figures { back: 200, ..FIGURES };
        trunks = answer(vec![info(0xa1, &[Outcome::Measured(lossy)])], None);
        trunks[0].failing_since = Some(1_800_000_000);
        trunks[0].up = false;
        let text = page(None, &trunks, Wall(1_800_000_600));
        assert!(text.contains("line test off"), "{text}");
        assert!(
            text.contains("down  b.example:4434[2J   key a1a1a1a1   FAILS since 2027-01-15"),
            "{text}"
        );
        assert!(text.contains("(10 min ago)") && text.contains("FAILED, too much lost"), "{text}");
    }

    #[test]
    fn every_outcome_has_words() {
        let none = [
            Outcome::GaveWay,
            Outcome::NotSupported,
            Outcome::Down,
            Outcome::Full,
            Outcome::Refused,
            Outcome::Silent,
        ];
        for outcome in none {
            let text = words(&test(&TestResult { at: Wall(0), outcome }));
            assert!(!text.is_empty(), "{outcome:?}");
            assert_eq!(text.starts_with("FAILED"), outcome.works() == Some(false), "{outcome:?}");
        }
    }
}
