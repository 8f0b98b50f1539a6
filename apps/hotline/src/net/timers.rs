//! Deadlines of thousands of connections: a binary heap that is corrected when it is read.
//!
//! A connection's QUIC deadline moves with every packet, nearly always to a later time. So the heap
//! holds at most one live entry a connection, not later than the deadline; when that entry comes up the
//! connection is asked again. A connection costs about one heap operation a second instead of a hundred.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

use super::event::ConnId;

/// The heap; the entry that counts for a connection is the one that the connection remembers.
#[derive(Default)]
pub(crate) struct Timers {
    heap: BinaryHeap<Reverse<(Instant, ConnId)>>,
}

impl Timers {
    /// Note that `id` has a deadline at `at`, if the entry that it `remembers` comes later.
    pub(crate) fn set(&mut self, id: ConnId, at: Instant, remembers: &mut Option<Instant>) {
        if remembers.is_none_or(|entry| at < entry) {
            *remembers = Some(at);
            self.heap.push(Reverse((at, id)));
        }
    }

    /// The earliest time at which [`Self::due`] can give something.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    /// Take one entry that is due.
    pub(crate) fn due(&mut self, now: Instant) -> Option<(Instant, ConnId)> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| entry)
    }
}
