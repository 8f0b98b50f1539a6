//! The sending half of a control stream: what waits, what is on its way, what has to be said again.
//!
//! ```text
//!        base             next            end
//!   acked │ acked, flying,  │ never sent    │        bytes[head..] = base .. end
//!         │ or lost         │               │        lost: disjoint ranges, sorted
//! ```
//!
//! Flying pieces are kept by the link, which knows the cells that they are in.

use wire::cell::{CONTROL_HEADER_LEN, CellWriter, Channel, OFFSET_END};
use wire::limits::MESSAGE_MAX;

use crate::error::Full;

/// How far ahead of the last byte in order control bytes may be. Both ends must agree. Bytes.
pub(crate) const WINDOW: u64 = 64 * 1024;
/// Memory that an empty stream may keep. Bytes.
const KEEP: usize = 2 * 1024;
/// Content below which a cell's last room is not worth a piece of a longer range. Bytes.
const WORTH: usize = 16;

/// A range of control bytes in a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) cell: u32,
    pub(crate) channel: Channel,
    pub(crate) offset: u64,
    pub(crate) len: u16,
}

impl Piece {
    pub(crate) fn end(&self) -> u64 {
        self.offset + u64::from(self.len)
    }
}

/// One channel's stream.
#[derive(Debug)]
pub(crate) struct Outbox {
    channel: Channel,
    limit: usize,
    bytes: Vec<u8>,
    head: usize,
    base: u64,
    next: u64,
    lost: Vec<(u64, u64)>,
    resent: u64,
}

impl Outbox {
    pub(crate) fn new(channel: Channel, limit: usize) -> Self {
        Outbox {
            channel,
            limit,
            bytes: Vec::new(),
            head: 0,
            base: 0,
            next: 0,
            lost: Vec::new(),
            resent: 0,
        }
    }

    /// Appends one message behind its length.
    pub(crate) fn queue(&mut self, message: &[u8]) -> Result<(), Full> {
        let len = message.len();
        let prefix = match u16::try_from(len) {
            Ok(prefix) if (1..=MESSAGE_MAX).contains(&len) => prefix,
            _ => return Err(Full::Length { len }),
        };
        let waiting = self.backlog();
        let end = self.base + (waiting + 2 + len) as u64;
        if waiting + 2 + len > self.limit || end > OFFSET_END {
            return Err(Full::Backlog { waiting, limit: self.limit });
        }
        self.bytes.extend_from_slice(&prefix.to_be_bytes());
        self.bytes.extend_from_slice(message);
        Ok(())
    }

    /// Bytes that are not acknowledged.
    pub(crate) fn backlog(&self) -> usize {
        self.bytes.len() - self.head
    }

    /// Bytes that were never sent.
    pub(crate) fn unsent(&self) -> usize {
        let end = self.base + self.backlog() as u64;
        usize::try_from(end - self.next).unwrap_or(usize::MAX)
    }

    /// Offset of the first byte that was never sent.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// Bytes that were sent again.
    pub(crate) fn resent(&self) -> u64 {
        self.resent
    }

    #[cfg(test)]
    pub(crate) fn memory(&self) -> usize {
        self.bytes.capacity() + self.lost.capacity() * 16
    }

    /// Puts one piece into the cell: what was lost first, then what is new and inside the window.
    /// `None`: nothing to say, or no room worth it.
    pub(crate) fn write(&mut self, cell: u32, writer: &mut CellWriter<'_>) -> Option<Piece> {
        let (start, stop) = match self.lost.first() {
            Some(range) => *range,
            None => {
                let end = self.base + self.backlog() as u64;
                (self.next, end.min(self.base + WINDOW))
            }
        };
        let at = self.head + usize::try_from(start - self.base).ok()?;
        let to = self.head + usize::try_from(stop - self.base).ok()?;
        let room = writer.room().saturating_sub(CONTROL_HEADER_LEN);
        let piece = self.bytes.get(at..to)?;
        if piece.is_empty() || room < piece.len().min(WORTH) {
            return None;
        }
        let len = u16::try_from(writer.control(self.channel, start, piece)).ok()?;
        if len == 0 {
            return None;
        }
        let end = start + u64::from(len);
        match self.lost.first_mut() {
            Some(range) => {
                self.resent += u64::from(len);
                range.0 = end;
                if range.0 == range.1 {
                    self.lost.remove(0);
                }
            }
            None => self.next = end,
        }
        Some(Piece { cell, channel: self.channel, offset: start, len })
    }

    /// Takes back a piece that did not arrive.
    pub(crate) fn lose(&mut self, piece: Piece) {
        let (mut start, mut end) = (piece.offset, piece.end());
        let from = self.lost.partition_point(|r| r.1 < start);
        let to = self.lost.partition_point(|r| r.0 <= end);
        for range in self.lost.get(from..to).unwrap_or(&[]) {
            start = start.min(range.0);
            end = end.max(range.1);
        }
        self.lost.splice(from..to, [(start, end)]);
    }

    /// Forgets what is acknowledged. `flying`: lowest offset of a piece on its way.
    pub(crate) fn release(&mut self, flying: Option<u64>) {
        let lost = self.lost.first().map(|r| r.0);
        let base = flying.into_iter().chain(lost).fold(self.next, u64::min);
        self.head += usize::try_from(base - self.base).unwrap_or(0);
        self.base = base;
        if self.head == self.bytes.len() {
            self.bytes.clear();
            self.bytes.shrink_to(KEEP);
            self.head = 0;
        } else if self.head > self.bytes.len() / 2 {
            self.bytes.drain(..self.head);
            self.head = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(offset: u64, len: u16) -> Piece {
        Piece { cell: 0, channel: Channel::Signal, offset, len }
    }

    #[test]
    fn lost_ranges_stay_sorted_and_merge() {
        let mut outbox = Outbox::new(Channel::Signal, 1_000);
        for (offset, len) in [(50, 10), (10, 10), (30, 10), (20, 5), (100, 1)] {
            outbox.lose(piece(offset, len));
        }
        assert_eq!(outbox.lost, [(10, 25), (30, 40), (50, 60), (100, 101)]);
        outbox.lose(piece(25, 25));
        assert_eq!(outbox.lost, [(10, 60), (100, 101)]);
        outbox.lose(piece(0, 5));
        assert_eq!(outbox.lost, [(0, 5), (10, 60), (100, 101)]);
    }

    #[test]
    fn full_changes_nothing() {
        let mut outbox = Outbox::new(Channel::Signal, 100);
        outbox.queue(&[1; 60]).unwrap();
        assert_eq!(outbox.queue(&[1; 37]), Err(Full::Backlog { waiting: 62, limit: 100 }));
        assert_eq!(outbox.queue(&[]), Err(Full::Length { len: 0 }));
        let long = [0; MESSAGE_MAX + 1];
        assert_eq!(outbox.queue(&long), Err(Full::Length { len: long.len() }));
        assert_eq!(outbox.backlog(), 62);
        outbox.queue(&[1; 36]).unwrap();
        assert_eq!(outbox.backlog(), 100);
    }
}
