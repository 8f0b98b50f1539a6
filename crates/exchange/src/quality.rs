//! What a line test measures, and what is kept of it.
//!
//! ```text
//!  send(now) ─► number, mark ══ trunk ══ there and back ══► echo(now)      Sample ─► Figures
//!  Outcome, at ─► History: the newest results of one trunk ─► since when it fails
//! ```
//!
//! Lost frames and round trips are those of frames whose echo brought back the mark that was drawn for them: the
//! other end cannot answer ahead. What it says of its own count is kept within what was sent and what came back.

use core::time::Duration;
use std::collections::VecDeque;

use wire::limits::VOICE_LEN;
use wire::{Time, Wall};

use crate::limits;

/// What one frame of a test is known by.
pub(crate) type Mark = [u8; 16];

/// Figures of one test. Frames of 20 ms; microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Frames sent.
    pub sent: u16,
    /// Frames that came there, as the other exchange says; `None` if it did not.
    pub there: Option<u16>,
    /// Frames that came back.
    pub back: u16,
    /// How often one or more frames in a row did not come back.
    pub gaps: u16,
    /// Frames in the longest of these gaps.
    pub longest_gap: u16,
    /// Round trip of half of the frames, at most: from the tick here, by the other exchange's tick, until it was here.
    pub round_trip_p50_us: u32,
    /// Round trip of 95 % of the frames, at most.
    pub round_trip_p95_us: u32,
    /// By how much the round trips of successive frames differ, on average.
    pub jitter_us: u32,
    /// From asking for the leg until the other exchange had it.
    pub opening_us: u32,
}

impl Figures {
    /// Frames lost on the worse of both ways; on both together if the other exchange did not say.
    #[must_use]
    pub fn lost(&self) -> u16 {
        match self.there {
            Some(there) => (self.sent - there.min(self.sent)).max(there.saturating_sub(self.back)),
            None => self.sent.saturating_sub(self.back),
        }
    }

    /// Whether more is lost than a line may lose.
    #[must_use]
    pub fn too_lossy(&self) -> bool {
        u32::from(self.lost()) * 100 > u32::from(self.sent) * limits::TEST_LOSS_PERCENT
    }
}

/// How a test went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The line was measured.
    Measured(Figures),
    /// A call needed the voice path, and the test ended.
    GaveWay,
    /// The other exchange has never answered a test: it is of an older version, or does not want to.
    NotSupported,
    /// The trunk was not up, or went down.
    Down,
    /// No voice path was free, so no test was made.
    Full,
    /// The other exchange had no voice path free.
    Refused,
    /// The other exchange, which has answered before, did not.
    Silent,
}

impl Outcome {
    /// Whether the line works (`Some(true)`), or a call would have gone badly or not at all. `None`: it says neither.
    #[must_use]
    pub fn works(&self) -> Option<bool> {
        match self {
            Outcome::Measured(figures) => Some(!figures.too_lossy()),
            Outcome::GaveWay => None,
            // It is up, and took the leg.
            Outcome::NotSupported => Some(true),
            Outcome::Down | Outcome::Full | Outcome::Refused | Outcome::Silent => Some(false),
        }
    }
}

/// One result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TestResult {
    /// When the test was over.
    pub at: Wall,
    /// How it went.
    pub outcome: Outcome,
}

/// What is kept of the tests of one trunk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct History {
    /// The other exchange has answered one.
    pub(crate) answered: bool,
    /// Failures since the last success.
    pub(crate) failures: u32,
    /// When the first of them was.
    pub(crate) since: Wall,
    /// The newest, oldest first; at most [`limits::TESTS_KEPT`].
    pub(crate) results: VecDeque<TestResult>,
}

/// What a result changes for the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    Fails,
    Works,
}

impl History {
    pub(crate) fn add(&mut self, result: TestResult) -> Option<Turn> {
        let alarmed = self.failing().is_some();
        match result.outcome.works() {
            Some(true) => self.failures = 0,
            Some(false) => {
                if self.failures == 0 {
                    self.since = result.at;
                }
                self.failures = self.failures.saturating_add(1);
            }
            None => {}
        }
        self.answered |= matches!(result.outcome, Outcome::Measured(_));
        self.results.push_back(result);
        while self.results.len() > limits::TESTS_KEPT {
            self.results.pop_front();
        }
        match (alarmed, self.failing()) {
            (false, Some(_)) => Some(Turn::Fails),
            (true, None) => Some(Turn::Works),
            _ => None,
        }
    }

    /// Since when the line fails: two tests in a row, or more, did.
    pub(crate) fn failing(&self) -> Option<Wall> {
        (self.failures >= limits::TEST_ALARM).then_some(self.since)
    }
}

/// The frames of one test.
#[derive(Debug, Default)]
pub(crate) struct Sample {
    frames: Vec<(Time, Mark, Option<Duration>)>,
}

impl Sample {
    /// Whether all frames were sent.
    pub(crate) fn is_whole(&self) -> bool {
        self.frames.len() >= usize::from(limits::TEST_FRAMES)
    }

    /// The next frame, sent at `now`.
    pub(crate) fn send(&mut self, now: Time, mark: Mark) -> [u8; VOICE_LEN] {
        let number = u16::try_from(self.frames.len()).unwrap_or(u16::MAX);
        self.frames.push((now, mark, None));
        let mut payload = [0; VOICE_LEN];
        payload[..2].copy_from_slice(&number.to_be_bytes());
        payload[2..18].copy_from_slice(&mark);
        payload
    }

    /// A frame came back, or something that pretends to be one.
    pub(crate) fn echo(&mut self, now: Time, payload: &[u8; VOICE_LEN]) {
        let number = usize::from(u16::from_be_bytes([payload[0], payload[1]]));
        if let Some((sent, mark, back @ None)) = self.frames.get_mut(number)
            && payload[2..18] == *mark
        {
            *back = Some(now.since(*sent));
        }
    }

    /// What it comes to. `opening`: how long the leg took; `there`: what the other end says that came.
    pub(crate) fn figures(&self, opening: Duration, there: Option<u16>) -> Figures {
        let trips: Vec<u32> = self.frames.iter().filter_map(|f| f.2).map(micros).collect();
        let mut sorted = trips.clone();
        sorted.sort_unstable();
        let rank = |percent: usize| {
            let at = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
            sorted.get(at).copied().unwrap_or(0)
        };
        let steps = trips.windows(2).map(|w| u64::from(w[0].abs_diff(w[1]))).sum::<u64>();
        let jitter = steps / (trips.len().saturating_sub(1).max(1)) as u64;
        let gaps = self.frames.chunk_by(|a, b| a.2.is_none() == b.2.is_none());
        let gaps: Vec<usize> = gaps.filter(|g| g[0].2.is_none()).map(<[_]>::len).collect();
        let (sent, back) = (count(self.frames.len()), count(trips.len()));
        Figures {
            sent,
            there: there.map(|there| there.clamp(back, sent)),
            back,
            gaps: count(gaps.len()),
            longest_gap: count(gaps.iter().copied().max().unwrap_or(0)),
            round_trip_p50_us: rank(50),
            round_trip_p95_us: rank(95),
            jitter_us: u32::try_from(jitter).unwrap_or(u32::MAX),
            opening_us: micros(opening),
        }
    }
}

/// What the tested end counts of a test.
#[derive(Debug)]
pub(crate) struct Echo {
    since: Time,
    received: u16,
    sent: u32,
    reported: bool,
}

impl Echo {
    pub(crate) fn new(now: Time) -> Self {
        Echo { since: now, received: 0, sent: 0, reported: false }
    }

    /// A frame came. Whether it may go back: as many do as a call sends, and a few for those that come together.
    pub(crate) fn take(&mut self, now: Time) -> bool {
        self.received = self.received.saturating_add(1);
        let share = now.since(self.since).as_micros() / limits::TEST_FRAME.as_micros();
        let admitted = u128::from(self.sent) < share + limits::TEST_AHEAD;
        self.sent += u32::from(admitted);
        admitted
    }

    /// How many came; told once.
    pub(crate) fn finish(&mut self) -> Option<u16> {
        (!core::mem::replace(&mut self.reported, true)).then_some(self.received)
    }
}

fn micros(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX)
}

fn count(n: usize) -> u16 {
    u16::try_from(n).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000;

    fn mark(n: u16) -> Mark {
        [n as u8 + 1; 16]
    }

    /// Sends ten frames, one each 20 ms, and lets them come back after so many milliseconds, or not.
    fn sample(trips: [Option<u64>; 10]) -> Sample {
        let mut sample = Sample::default();
        let mut echoes = Vec::new();
        for (n, trip) in (0..).zip(trips) {
            let at = Time(u64::from(n) * 20 * MS);
            let frame = sample.send(at, mark(n));
            echoes.extend(trip.map(|ms| (Time(at.0 + ms * MS), frame)));
        }
        for (at, frame) in echoes {
            sample.echo(at, &frame);
        }
        sample
    }

    #[test]
    fn figures_are_those_of_the_frames() {
        let trips = [11, 12, 0, 0, 15, 0, 11, 11, 11, 31].map(|ms| (ms > 0).then_some(ms));
        let figures = sample(trips).figures(Duration::from_millis(25), Some(9));
        let expected = Figures {
            sent: 10,
            there: Some(9),
            back: 7,
            gaps: 2,
            longest_gap: 2,
            round_trip_p50_us: 11_000,
            round_trip_p95_us: 31_000,
            // 1, 3, 4, 0, 0, 20 ms.
            jitter_us: 28_000 / 6,
            opening_us: 25_000,
        };
        assert_eq!(figures, expected);
        assert_eq!(figures.lost(), 2);
        assert_eq!(Figures { there: None, ..figures }.lost(), 3);
    }

    #[test]
    fn what_the_other_end_says_stays_within_what_is_known() {
        let half = [5, 0, 5, 0, 5, 0, 5, 0, 5, 0].map(|ms| (ms > 0).then_some(ms));
        for (says, there) in [(0, 5), (5, 5), (7, 7), (10, 10), (u16::MAX, 10)] {
            let figures = sample(half).figures(Duration::ZERO, Some(says));
            assert_eq!(figures.there, Some(there));
            assert_eq!(figures.lost(), (10 - there).max(there - 5), "{says}");
            assert!(figures.too_lossy());
        }
    }

    #[test]
    fn an_echo_counts_once_and_only_with_its_mark() {
        let mut sample = Sample::default();
        let frame = sample.send(Time(0), mark(0));
        // Ahead of its time, of a frame that never was, of another mark.
        let mut forged = frame;
        forged[1] = 1;
        sample.echo(Time(MS), &forged);
        sample.echo(Time(MS), &[0xff; VOICE_LEN]);
        sample.echo(Time(MS), &[0; VOICE_LEN]);
        assert_eq!(sample.figures(Duration::ZERO, None).back, 0);
        sample.echo(Time(2 * MS), &frame);
        sample.echo(Time(3 * MS), &frame);
        let figures = sample.figures(Duration::ZERO, None);
        assert_eq!((figures.back, figures.round_trip_p95_us), (1, 2_000));
    }

    #[test]
    fn a_line_fails_from_the_second_failure_on_and_a_success_ends_it() {
        let mut history = History::default();
        let good = Outcome::Measured(Figures { sent: 250, back: 250, ..Figures::default() });
        let bad = Outcome::Measured(Figures { sent: 250, back: 200, ..Figures::default() });
        let mut at = 0;
        let mut add = |outcome| {
            at += 1;
            let turn = history.add(TestResult { at: Wall(at), outcome });
            (turn, history.failing())
        };
        assert_eq!(add(good), (None, None));
        assert_eq!(add(Outcome::Down), (None, None));
        assert_eq!(add(Outcome::GaveWay), (None, None), "neither works nor fails");
        assert_eq!(add(bad), (Some(Turn::Fails), Some(Wall(2))));
        assert_eq!(add(Outcome::Silent), (None, Some(Wall(2))));
        assert_eq!(add(Outcome::GaveWay), (None, Some(Wall(2))));
        assert_eq!(add(good), (Some(Turn::Works), None));
        assert_eq!(add(Outcome::Full), (None, None));
        assert_eq!(add(Outcome::Refused), (Some(Turn::Fails), Some(Wall(8))));
        for _ in 0..2 * limits::TESTS_KEPT {
            add(Outcome::Down);
        }
        assert_eq!(add(Outcome::Down), (None, Some(Wall(8))), "also when that is no longer kept");
        assert_eq!(history.results.len(), limits::TESTS_KEPT);
    }
}
