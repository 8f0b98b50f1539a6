//! When links tick, and the few other things that wait for a time.
//!
//! ```text
//!  Wheel   64 slots of 1 ms; a link stands in the slot of its next tick. A line ticks every 20 ms in one
//!          of 20 phases drawn from the seed; so the exchange wakes at most once a millisecond, whatever
//!          the number of lines, and nobody's phase follows anybody else's.
//!  Timers  everything else: a sorted set.
//! ```

use std::collections::BTreeSet;

use wire::{ExchangePub, Time};

use crate::ports::PortId;

const SLOTS: u64 = 64;
const SLOT_US: u64 = 1_000;

/// Links by the time of their next tick.
#[derive(Debug)]
pub(crate) struct Wheel {
    slots: Vec<Vec<PortId>>,
    /// Bit i: slot i is not empty.
    filled: u64,
    /// The last millisecond that was taken out.
    cursor: u64,
    due: Vec<PortId>,
}

impl Wheel {
    pub(crate) fn new(now: Time) -> Self {
        Wheel {
            slots: (0..SLOTS).map(|_| Vec::new()).collect(),
            filled: 0,
            cursor: now.0 / SLOT_US,
            due: Vec::new(),
        }
    }

    /// The next tick of `port` is `at`. What is further away than the wheel reaches is looked at earlier;
    /// the caller then puts it back.
    pub(crate) fn insert(&mut self, port: PortId, at: Time) {
        let slot = at.0.div_ceil(SLOT_US).clamp(self.cursor + 1, self.cursor + SLOTS) % SLOTS;
        self.filled |= 1 << slot;
        self.slots[slot as usize].push(port);
    }

    /// A link whose tick may be due at `now`.
    pub(crate) fn pop(&mut self, now: Time) -> Option<PortId> {
        loop {
            if let Some(port) = self.due.pop() {
                return Some(port);
            }
            let end = now.0 / SLOT_US;
            if self.cursor >= end {
                return None;
            }
            match self.first() {
                Some(next) if next <= end => {
                    self.cursor = next;
                    let slot = next % SLOTS;
                    self.filled &= !(1 << slot);
                    core::mem::swap(&mut self.due, &mut self.slots[slot as usize]);
                }
                _ => {
                    self.cursor = end;
                    return None;
                }
            }
        }
    }

    /// When to look again.
    pub(crate) fn next(&self) -> Time {
        match self.first() {
            _ if !self.due.is_empty() => Time(self.cursor * SLOT_US),
            Some(slot) => Time(slot * SLOT_US),
            None => Time::NEVER,
        }
    }

    /// The first millisecond with a filled slot.
    fn first(&self) -> Option<u64> {
        let start = self.cursor + 1;
        let turned = self.filled.rotate_right((start % SLOTS) as u32);
        (turned != 0).then(|| start + u64::from(turned.trailing_zeros()))
    }
}

/// What waits for a time, one line of reason each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// A line has not said who it is, or the other end of a trunk has not said hello.
    Silent(PortId),
    /// A refused line had the time to hear so.
    Linger(PortId),
    /// Nobody took a call.
    RingOut(u64),
    /// The other exchange did not answer a redemption.
    Redeem(u32),
    /// An answer is given.
    Answer(u64),
    /// Another exchange is dialled again.
    Dial(ExchangePub),
    /// The trunk to another exchange is tested.
    Test(ExchangePub),
    /// A test goes on: a frame, or the end of its patience.
    TestStep(u64),
    /// A failed write is tried again.
    StoreAgain,
    /// The exchange stops.
    Stop,
}

/// Timers in order.
#[derive(Debug, Default)]
pub(crate) struct Timers(BTreeSet<(Time, Timer)>);

impl Timers {
    pub(crate) fn set(&mut self, at: Time, timer: Timer) {
        self.0.insert((at, timer));
    }

    pub(crate) fn clear(&mut self, at: Time, timer: Timer) {
        self.0.remove(&(at, timer));
    }

    pub(crate) fn pop(&mut self, now: Time) -> Option<Timer> {
        let first = *self.0.first()?;
        if first.0 > now {
            return None;
        }
        self.0.remove(&first);
        Some(first.1)
    }

    pub(crate) fn next(&self) -> Time {
        self.0.first().map_or(Time::NEVER, |(at, _)| *at)
    }
}
