//! When packets arrive, and how long the buffer must therefore wait.
//!
//! ```text
//! relative delay d = arrival - number * 20 ms          (its zero point means nothing)
//!
//!   packets  |####################
//!            |##########################   #    <- the late few
//!            +--------------------------|-----> d
//!                                       target: all but 1 % of the last 8 s are there,
//!                                       and all but 10 % of the last second
//! ```
//!
//! A lost packet counts as arriving with the next one received, which can rebuild it: so under loss
//! the target grows just enough for the redundancy to be in time. All delays in microseconds.
//!
//! What happens once says nothing about how long to wait: a sender that stood still for a moment (a long gap), or a receiver that
//! did (many packets late at once, and nothing was played meanwhile either).

use crate::FRAME_US;

/// Frames in the long window: 8 s.
const LONG: usize = 400;
/// Frames in the short window: 1 s.
const SHORT: usize = 50;
/// Longest wait for redundancy. Beyond it, waiting hurts a conversation more than a gap.
const MAX_REPAIR: i64 = 12;
/// Gaps from here on are outages: they say nothing about how long to wait.
const OUTAGE: i64 = 50;
/// Longer gaps than this count when there was another one within the long window. A single one is a sender that stood still.
const BURST: i64 = 5;
/// Longest wait above the fastest packet.
const MAX_WAIT_US: i64 = 400_000;
/// How fast the target falls, per packet: 200 ms a second, or 5 ms where packets are lost, since each
/// change of delay is itself a small distortion, and the next burst is sure to come.
const FALL_US: i64 = 4_000;
const FALL_LOSSY_US: i64 = 100;
/// Kept between the slowest counted packet and its turn.
const MARGIN_US: i64 = 1_000;

#[derive(Clone, Copy)]
struct Sample {
    delay: i64,
    lost: bool,
}

/// The measured relative delays of one stream.
pub(crate) struct Arrivals {
    ring: Vec<Sample>,
    at: usize,
    highest: Option<i64>,
    /// Where the latest long gap ended.
    stalled: Option<i64>,
    target: i64,
    scratch: Vec<i64>,
}

impl Arrivals {
    pub(crate) fn new() -> Self {
        Self {
            ring: Vec::with_capacity(LONG),
            at: 0,
            highest: None,
            stalled: None,
            target: 0,
            scratch: Vec::with_capacity(LONG),
        }
    }

    /// Forgets everything: a new stream begins.
    pub(crate) fn clear(&mut self) {
        self.ring.clear();
        self.at = 0;
        self.highest = None;
        self.stalled = None;
    }

    /// Takes note that frame `number` arrived at `now`.
    pub(crate) fn record(&mut self, number: i64, now: i64) {
        let highest = self.highest.unwrap_or(number - 1);
        let gap = number - highest - 1;
        if gap < OUTAGE && !self.is_single(gap, number) {
            for missing in 1..=gap.min(MAX_REPAIR) {
                let delay = now - (number - missing) * FRAME_US;
                self.push(Sample { delay, lost: true });
            }
            for _ in MAX_REPAIR..gap {
                let delay = now - (number - MAX_REPAIR) * FRAME_US;
                self.push(Sample { delay, lost: true });
            }
        }
        self.push(Sample { delay: now - number * FRAME_US, lost: false });
        self.highest = Some(highest.max(number));
        self.aim();
    }

    /// Takes note that frame `number` is here, and of nothing else: when it came says nothing.
    pub(crate) fn skip(&mut self, number: i64) {
        self.highest = Some(self.highest.map_or(number, |highest| highest.max(number)));
    }

    /// A long gap, and the only one of late.
    fn is_single(&mut self, gap: i64, number: i64) -> bool {
        if gap <= BURST {
            return false;
        }
        let before = self.stalled.replace(number);
        before.is_none_or(|before| number - before > LONG as i64)
    }

    fn push(&mut self, sample: Sample) {
        if self.ring.len() < LONG {
            self.ring.push(sample);
            self.at = self.ring.len() % LONG;
        } else if let Some(slot) = self.ring.get_mut(self.at) {
            *slot = sample;
            self.at = (self.at + 1) % LONG;
        }
    }

    /// The newest `count` samples, in no order.
    fn newest(&self, count: usize) -> impl Iterator<Item = &Sample> {
        let len = self.ring.len();
        let end = if len < LONG { len } else { self.at + LONG };
        (1..=count.min(len)).filter_map(move |back| self.ring.get((end - back) % LONG.min(len)))
    }

    fn aim(&mut self) {
        let long = self.quantile(LONG, 99, true);
        let short = self.quantile(SHORT, 90, true);
        let fastest = self.quantile(LONG, 0, false);
        if let (Some(long), Some(short), Some(fastest)) = (long, short, fastest) {
            let wanted = long.max(short).min(fastest + MAX_WAIT_US) + MARGIN_US;
            let lossy = self.ring.iter().any(|sample| sample.lost);
            let fall = if lossy { FALL_LOSSY_US } else { FALL_US };
            // At the start nothing is known, so there is nothing to fall from.
            let held = if self.ring.len() < SHORT { wanted } else { self.target - fall };
            self.target = wanted.max(held);
        }
    }

    /// The delay that `percent` of the newest `count` samples do not exceed.
    fn quantile(&mut self, count: usize, percent: usize, with_lost: bool) -> Option<i64> {
        let mut scratch = core::mem::take(&mut self.scratch);
        scratch.clear();
        scratch.extend(self.newest(count).filter(|s| with_lost || !s.lost).map(|s| s.delay));
        let last = scratch.len().checked_sub(1);
        let value = last.map(|last| *scratch.select_nth_unstable(last * percent / 100).1);
        self.scratch = scratch;
        value
    }

    /// The relative delay at which a frame should be decoded.
    pub(crate) fn target(&self) -> i64 {
        self.target
    }

    /// The relative delay that half of the received packets do not exceed.
    pub(crate) fn median(&mut self) -> i64 {
        self.quantile(LONG, 50, false).unwrap_or(0)
    }

    /// How far the received packets' delays spread: from the 5th to the 95th of a hundred.
    pub(crate) fn jitter(&mut self) -> i64 {
        match (self.quantile(LONG, 95, false), self.quantile(LONG, 5, false)) {
            (Some(slow), Some(fast)) => slow - fast,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_is_just_above_the_slowest_of_a_steady_stream() {
        let mut arrivals = Arrivals::new();
        for number in 0..1_000 {
            arrivals.record(number, 5_000_000 + number * FRAME_US);
        }
        assert_eq!(arrivals.target(), 5_000_000 + MARGIN_US);
        assert_eq!(arrivals.jitter(), 0);
    }

    #[test]
    fn it_rises_within_a_few_packets_and_falls_slowly() {
        let mut arrivals = Arrivals::new();
        for number in 0..500 {
            arrivals.record(number, number * FRAME_US);
        }
        for number in 500..507 {
            arrivals.record(number, number * FRAME_US + 80_000);
        }
        assert!(arrivals.target() >= 80_000);
        for number in 507..700 {
            arrivals.record(number, number * FRAME_US);
        }
        let mut falls = 700;
        while arrivals.target() > 50_000 && falls < 2_000 {
            arrivals.record(falls, falls * FRAME_US);
            falls += 1;
        }
        assert!(falls < 1_000, "still waiting after {falls} frames");
    }

    #[test]
    fn frequent_loss_makes_it_wait_for_the_redundancy_but_an_outage_does_not() {
        let mut arrivals = Arrivals::new();
        for number in (0..600).filter(|n| n % 10 > 2) {
            arrivals.record(number, number * FRAME_US);
        }
        assert!(arrivals.target() >= 3 * FRAME_US);
        let mut arrivals = Arrivals::new();
        arrivals.record(0, 0);
        arrivals.record(1_000, 1_000 * FRAME_US);
        assert_eq!(arrivals.target(), MARGIN_US);
    }

    #[test]
    fn a_sender_that_stood_still_once_makes_nobody_wait_and_one_that_does_so_again_does() {
        let mut arrivals = Arrivals::new();
        for number in (0..300).filter(|n| !(100..115).contains(n)) {
            arrivals.record(number, number * FRAME_US);
        }
        assert_eq!(arrivals.target(), MARGIN_US);
        for number in (300..400).filter(|n| !(310..325).contains(n)) {
            arrivals.record(number, number * FRAME_US);
        }
        assert!(arrivals.target() >= 5 * FRAME_US, "{}", arrivals.target());
    }
}
