//! What has to be on disk before somebody is told.
//!
//! ```text
//!   change, change, after ─► waiting ─► Output::Store (one at a time) ─► Stored ─► afters, in order
//!                               ▲            │ StoreFailed: comes again, in front of what is new
//!                               └────────────┘
//! ```
//!
//! Changes gather while the disk works: one fsync serves all that came meanwhile.

use wire::rows::{Change, Row};
use wire::{ExchangePub, LinePub, Time};

use crate::answers::Answer;
use crate::api::Reply;
use crate::limits;
use crate::ports::{Attached, PortId};

/// What follows when the changes before it are on disk.
#[derive(Debug)]
pub(crate) enum After {
    /// A new line may be told that it is attached.
    Enrolled { port: PortId, who: Attached },
    /// A request is done.
    Done { port: PortId, request: u32 },
    /// Mail may go to another exchange.
    Outbox { peer: ExchangePub, seq: u64 },
    /// Mail may go to the handsets.
    Mailbox { principal: u32, seq: u64 },
    /// What came for an address at `came` may be answered, in time.
    Answer { came: Time, answer: Answer },
    /// The newest entry of a line is in the record.
    Recorded { port: PortId, line: LinePub, request: u32 },
    /// The record has a new order.
    Ordered { id: u64 },
    /// A command.
    Reply { id: u64, reply: Reply },
}

/// A batch, and what follows.
#[derive(Debug, Default)]
struct Batch {
    changes: Vec<Change>,
    bytes: usize,
    afters: Vec<After>,
}

/// Batches in order.
#[derive(Debug, Default)]
pub(crate) struct Store {
    waiting: Batch,
    writing: Option<Batch>,
    number: u64,
    failing: bool,
    paused: bool,
}

impl Store {
    pub(crate) fn put(&mut self, space: u8, key: Vec<u8>, value: Vec<u8>) {
        self.waiting.bytes += key.len() + value.len();
        self.waiting.changes.push(Change::Put(Row { space, key, value }));
    }

    pub(crate) fn delete(&mut self, space: u8, key: Vec<u8>) {
        self.waiting.bytes += key.len();
        self.waiting.changes.push(Change::Delete { space, key });
    }

    /// `after` follows all changes so far.
    pub(crate) fn then(&mut self, after: After) {
        self.waiting.afters.push(after);
    }

    /// Whether new requests may count on the disk.
    pub(crate) fn works(&self) -> bool {
        !self.failing && self.has_room()
    }

    /// Whether more may wait for the disk.
    pub(crate) fn has_room(&self) -> bool {
        self.waiting.bytes < limits::UNSTORED
    }

    /// Whether the last write failed.
    pub(crate) fn failing(&self) -> bool {
        self.failing
    }

    /// Whether everything is on disk.
    pub(crate) fn idle(&self) -> bool {
        self.writing.is_none() && self.waiting.changes.is_empty() && self.waiting.afters.is_empty()
    }

    /// The next batch, if the disk is free.
    pub(crate) fn emit(&mut self) -> Option<(u64, Vec<Change>)> {
        let nothing = self.waiting.changes.is_empty() && self.waiting.afters.is_empty();
        if self.writing.is_some() || self.paused || nothing {
            return None;
        }
        let batch = core::mem::take(&mut self.waiting);
        let changes = batch.changes.clone();
        self.writing = Some(batch);
        self.number += 1;
        Some((self.number, changes))
    }

    /// The batch is on disk: what follows. `None`: no such batch.
    pub(crate) fn stored(&mut self, number: u64) -> Option<Vec<After>> {
        if number != self.number {
            return None;
        }
        let batch = self.writing.take()?;
        self.failing = false;
        Some(batch.afters)
    }

    /// The batch is not on disk: it waits again, in front. What follows it is given out to be told to
    /// those who can ask again; `keep` says which stay. `None`: no such batch.
    pub(crate) fn failed(
        &mut self,
        number: u64,
        keep: impl Fn(&After) -> bool,
    ) -> Option<Vec<After>> {
        if number != self.number {
            return None;
        }
        let mut batch = self.writing.take()?;
        batch.changes.append(&mut self.waiting.changes);
        batch.bytes += self.waiting.bytes;
        batch.afters.append(&mut self.waiting.afters);
        let (kept, told): (Vec<_>, Vec<_>) = batch.afters.drain(..).partition(keep);
        batch.afters = kept;
        self.waiting = batch;
        self.failing = true;
        self.paused = true;
        Some(told)
    }

    /// Time to try again.
    pub(crate) fn resume(&mut self) {
        self.paused = false;
    }
}
