//! A seeded network: one direction of a datagram path, in virtual time.
//!
//! ```text
//!  send(now) ─► lost? ─► held: delay + jitter (+ reorder) ─► next_arrival ─► pop(now)
//!                 └─ in bursts: Gilbert's two states         └─ and a copy, sometimes
//! ```
//!
//! The same seed and the same calls give the same path, whatever the payload. It has no transport: it
//! stands for what is below a link. What waits is not bounded; the sender's rate is.

use core::time::Duration;
use std::collections::BTreeMap;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use wire::Time;

/// Losses in bursts, after Gilbert: in the bad state everything is lost, in the good one nothing is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Burst {
    /// Share of datagrams that are lost over a long time. 0 to below 1.
    pub loss: f64,
    /// Mean length of a burst. Datagrams, at least 1.
    pub length: f64,
}

/// How a path is. Shares are between 0 and 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conditions {
    /// Shortest time on the way.
    pub delay: Duration,
    /// Most that comes on top, uniformly; it does not overtake.
    pub jitter: Duration,
    /// Share of datagrams lost independently.
    pub loss: f64,
    /// Losses in bursts, beside the independent ones.
    pub burst: Option<Burst>,
    /// Share of datagrams that are held longer, by up to twice delay and jitter, and are overtaken.
    pub reorder: f64,
    /// Share of datagrams of which a copy comes later.
    pub duplicate: f64,
    /// Nothing passes.
    pub cut: bool,
}

impl Conditions {
    /// Nothing is ever lost, and everything takes `delay`.
    #[must_use]
    pub const fn perfect(delay: Duration) -> Self {
        Conditions {
            delay,
            jitter: Duration::ZERO,
            loss: 0.0,
            burst: None,
            reorder: 0.0,
            duplicate: 0.0,
            cut: false,
        }
    }
}

/// One direction of a path. `T` is what it carries.
#[derive(Debug)]
pub struct Net<T> {
    rng: ChaCha8Rng,
    conditions: Conditions,
    bad: bool,
    /// Arrival of the latest datagram that was not held out of order.
    latest: Time,
    sent: u64,
    lost: u64,
    under_way: BTreeMap<(Time, u64), T>,
}

impl<T: Clone> Net<T> {
    /// A path with nothing on it.
    #[must_use]
    pub fn new(seed: u64, conditions: Conditions) -> Self {
        Net {
            rng: ChaCha8Rng::seed_from_u64(seed),
            conditions,
            bad: false,
            latest: Time(0),
            sent: 0,
            lost: 0,
            under_way: BTreeMap::new(),
        }
    }

    /// Changes the conditions for what is sent from now on.
    pub fn set(&mut self, conditions: Conditions) {
        self.conditions = conditions;
    }

    /// The conditions at the moment.
    #[must_use]
    pub fn conditions(&self) -> Conditions {
        self.conditions
    }

    /// Sends one datagram.
    pub fn send(&mut self, now: Time, datagram: T) {
        self.sent += 1;
        // Every datagram draws the same number of times, so that one change leaves the rest as it was.
        let [step, loss, jitter, reorder, hold, copy] = core::array::from_fn(|_| self.draw());
        let c = self.conditions;
        if let Some(burst) = c.burst {
            let leave = 1.0 / burst.length.max(1.0);
            let enter = leave * burst.loss / (1.0 - burst.loss).max(f64::EPSILON);
            self.bad = if self.bad { step >= leave } else { step < enter };
        }
        if c.cut || loss < c.loss || (c.burst.is_some() && self.bad) {
            self.lost += 1;
            return;
        }
        let mut arrival = now + c.delay + c.jitter.mul_f64(jitter);
        if reorder < c.reorder {
            arrival += ((c.delay + c.jitter) * 2).mul_f64(hold);
        } else {
            arrival = arrival.max(self.latest);
            self.latest = arrival;
        }
        if copy < c.duplicate {
            let later = arrival + (c.delay + c.jitter).mul_f64(hold);
            self.under_way.insert((later, 2 * self.sent + 1), datagram.clone());
        }
        self.under_way.insert((arrival, 2 * self.sent), datagram);
    }

    /// When the next datagram arrives.
    #[must_use]
    pub fn next_arrival(&self) -> Option<Time> {
        self.under_way.first_key_value().map(|((at, _), _)| *at)
    }

    /// The next datagram that has arrived by `now`.
    pub fn pop(&mut self, now: Time) -> Option<T> {
        let entry = self.under_way.first_entry()?;
        (entry.key().0 <= now).then(|| entry.remove())
    }

    /// Forgets what is under way: the path below was torn down.
    pub fn clear(&mut self) {
        self.under_way.clear();
    }

    /// Datagrams sent and lost so far.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        (self.sent, self.lost)
    }

    /// Uniform in 0 to below 1.
    fn draw(&mut self) -> f64 {
        f64::from(self.rng.next_u32()) / (f64::from(u32::MAX) + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Sends 0, 1, 2 .. one a millisecond, and gives what arrives when.
    fn pass(seed: u64, conditions: Conditions, n: u64) -> Vec<(Time, u64)> {
        let mut net = Net::new(seed, conditions);
        for i in 0..n {
            net.send(Time(i * 1_000), i);
        }
        let mut out = vec![];
        while let Some(at) = net.next_arrival() {
            assert_eq!(net.pop(at - Duration::from_micros(1)), None, "before its time");
            out.extend(net.pop(at).map(|i| (at, i)));
        }
        out
    }

    #[test]
    fn perfect_paths_delay_only() {
        let out = pass(1, Conditions::perfect(5 * MS), 1_000);
        assert_eq!(out, (0..1_000).map(|i| (Time(5_000 + i * 1_000), i)).collect::<Vec<_>>());
    }

    #[test]
    fn one_seed_one_path() {
        let rough = Conditions {
            jitter: 7 * MS,
            loss: 0.2,
            burst: Some(Burst { loss: 0.2, length: 5.0 }),
            reorder: 0.1,
            duplicate: 0.1,
            ..Conditions::perfect(5 * MS)
        };
        assert_eq!(pass(3, rough, 1_000), pass(3, rough, 1_000));
        assert_ne!(pass(3, rough, 1_000), pass(4, rough, 1_000));
    }

    #[test]
    fn shares_are_as_asked() {
        let base = Conditions::perfect(5 * MS);
        let arrived = |c| pass(5, c, 20_000);
        let near = |got: usize, share: f64| (got as f64 / 20_000.0 - share).abs() < 0.02;
        assert!(near(arrived(Conditions { loss: 0.3, ..base }).len(), 0.7));
        assert!(near(arrived(Conditions { duplicate: 0.25, ..base }).len(), 1.25));
        assert_eq!(arrived(Conditions { cut: true, ..base }).len(), 0);
        let burst = Some(Burst { loss: 0.3, length: 8.0 });
        let out = arrived(Conditions { burst, ..base });
        assert!(near(out.len(), 0.7));
        let gaps = out.windows(2).filter(|w| w[1].1 > w[0].1 + 1).count();
        let mean = (20_000 - out.len()) as f64 / gaps as f64;
        assert!((mean - 8.0).abs() < 1.0, "mean burst {mean}");
    }

    #[test]
    fn jitter_keeps_the_order_and_reorder_does_not() {
        let base = Conditions { jitter: 9 * MS, ..Conditions::perfect(5 * MS) };
        let order = |c| pass(6, c, 1_000).into_iter().map(|(_, i)| i).collect::<Vec<_>>();
        assert!(order(base).is_sorted());
        let mixed = order(Conditions { reorder: 0.2, ..base });
        assert!(!mixed.is_sorted());
        assert_eq!(mixed.len(), 1_000);
    }
}
