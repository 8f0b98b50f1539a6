//! The receiving half of a control stream: pieces in any order become messages in order, once.
//!
//! ```text
//!   start of a message     read                          read + WINDOW
//!        │  partial         │   gap   [ahead]  gap  [ahead]   │
//! ```
//!
//! Bytes in order are always taken. Those ahead of a gap are kept while there is room for them.

use std::collections::BTreeMap;

use wire::cell::Channel;
use wire::limits::MESSAGE_MAX;

use crate::error::LinkError;
use crate::outbox::WINDOW;

/// Pieces that may wait behind gaps.
const AHEAD_MAX: usize = 1_024;
/// Memory that is kept between messages. Bytes.
const KEEP: usize = 2 * 1024;

/// One channel's stream.
#[derive(Debug)]
pub(crate) struct Inbox {
    channel: Channel,
    /// In order, but not yet a whole message.
    partial: Vec<u8>,
    /// Offset behind `partial`.
    read: u64,
    ahead: BTreeMap<u64, Vec<u8>>,
    ahead_len: usize,
}

impl Inbox {
    pub(crate) fn new(channel: Channel) -> Self {
        Inbox { channel, partial: Vec::new(), read: 0, ahead: BTreeMap::new(), ahead_len: 0 }
    }

    /// Takes a piece and calls `message` for each message that it completes. `false`: there was no room
    /// to keep it, and its cell must not be acknowledged.
    pub(crate) fn take(
        &mut self,
        offset: u64,
        bytes: &[u8],
        message: impl FnMut(&[u8]),
    ) -> Result<bool, LinkError> {
        let channel = self.channel;
        let end = offset + bytes.len() as u64;
        if bytes.is_empty() {
            return Err(LinkError::Empty { channel });
        }
        if end > self.read + WINDOW {
            let ahead = end - self.read;
            return Err(LinkError::Window { channel, ahead, window: WINDOW });
        }
        if offset > self.read {
            return Ok(self.keep(offset, bytes));
        }
        self.append(offset, bytes);
        while let Some(entry) = self.ahead.first_entry() {
            if *entry.key() > self.read {
                break;
            }
            let (offset, bytes) = entry.remove_entry();
            self.ahead_len -= bytes.len();
            self.append(offset, &bytes);
        }
        self.messages(message)?;
        Ok(true)
    }

    #[cfg(test)]
    pub(crate) fn memory(&self) -> usize {
        self.partial.capacity() + self.ahead_len
    }

    /// Keeps a piece that is ahead of a gap, if there is room.
    fn keep(&mut self, offset: u64, bytes: &[u8]) -> bool {
        let old = self.ahead.get(&offset).map_or(0, Vec::len);
        if old >= bytes.len() {
            return true;
        }
        let len = self.ahead_len - old + bytes.len();
        if len as u64 > WINDOW || (old == 0 && self.ahead.len() >= AHEAD_MAX) {
            return false;
        }
        self.ahead_len = len;
        self.ahead.insert(offset, bytes.to_vec());
        true
    }

    /// Appends what is new of a piece that begins at or before `read`.
    fn append(&mut self, offset: u64, bytes: &[u8]) {
        let known = usize::try_from(self.read - offset).unwrap_or(usize::MAX);
        let new = bytes.get(known..).unwrap_or(&[]);
        self.partial.extend_from_slice(new);
        self.read += new.len() as u64;
    }

    /// Takes whole messages off the front.
    fn messages(&mut self, mut message: impl FnMut(&[u8])) -> Result<(), LinkError> {
        let mut rest = self.partial.as_slice();
        while let Some((prefix, after)) = rest.split_first_chunk() {
            let len = usize::from(u16::from_be_bytes(*prefix));
            if len == 0 || len > MESSAGE_MAX {
                return Err(LinkError::Message { channel: self.channel, len });
            }
            let Some((whole, after)) = after.split_at_checked(len) else { break };
            message(whole);
            rest = after;
        }
        let done = self.partial.len() - rest.len();
        self.partial.drain(..done);
        if self.partial.is_empty() {
            self.partial.shrink_to(KEEP);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(
        inbox: &mut Inbox,
        offset: u64,
        bytes: &[u8],
    ) -> (Result<bool, LinkError>, Vec<Vec<u8>>) {
        let mut out = Vec::new();
        let result = inbox.take(offset, bytes, |m| out.push(m.to_vec()));
        (result, out)
    }

    #[test]
    fn overlapping_pieces_in_any_order() {
        let stream = [0, 3, 1, 2, 3, 0, 1, 9, 0, 2, 7, 8];
        let mut inbox = Inbox::new(Channel::Bulk);
        assert_eq!(take(&mut inbox, 8, &stream[8..]), (Ok(true), vec![]));
        assert_eq!(take(&mut inbox, 3, &stream[3..6]), (Ok(true), vec![]));
        assert_eq!(take(&mut inbox, 3, &stream[3..9]), (Ok(true), vec![]));
        assert_eq!(take(&mut inbox, 1, &stream[1..2]), (Ok(true), vec![]));
        let (result, out) = take(&mut inbox, 0, &stream[..3]);
        assert_eq!((result, out), (Ok(true), vec![vec![1, 2, 3], vec![9], vec![7, 8]]));
        assert_eq!(take(&mut inbox, 0, &stream), (Ok(true), vec![]));
        assert_eq!((inbox.ahead_len, inbox.ahead.len(), inbox.partial.len()), (0, 0, 0));
    }

    #[test]
    fn memory_ahead_is_bounded() {
        let mut inbox = Inbox::new(Channel::Bulk);
        let mut kept = 0;
        for i in 0..2_000 {
            kept += usize::from(inbox.take(1 + 2 * i, &[1], |_| ()).unwrap());
        }
        assert_eq!(kept, AHEAD_MAX);
        let mut inbox = Inbox::new(Channel::Bulk);
        let kept = (1..=1_000).filter(|i| inbox.take(*i, &[1; 1_000], |_| ()).unwrap()).count();
        assert_eq!(kept, 65);
        assert!(inbox.ahead_len as u64 <= WINDOW);
    }

    #[test]
    fn what_is_refused() {
        let channel = Channel::Signal;
        let mut inbox = Inbox::new(channel);
        assert_eq!(take(&mut inbox, 5, &[]).0, Err(LinkError::Empty { channel }));
        let window = LinkError::Window { channel, ahead: WINDOW + 1, window: WINDOW };
        assert_eq!(take(&mut inbox, WINDOW, &[1]).0, Err(window));
        assert_eq!(take(&mut inbox, WINDOW - 1, &[1]).0, Ok(true));
        assert_eq!(take(&mut inbox, 0, &[0, 0]).0, Err(LinkError::Message { channel, len: 0 }));
        let mut inbox = Inbox::new(channel);
        let len = MESSAGE_MAX + 1;
        let prefix = u16::try_from(len).unwrap().to_be_bytes();
        assert_eq!(take(&mut inbox, 0, &prefix).0, Err(LinkError::Message { channel, len }));
    }
}
