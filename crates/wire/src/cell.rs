//! A cell: one datagram payload on a link, always as long as its shape says.
//!
//! ```text
//!  Cell    = number u32 | Frame .. | 00 ..                  padded with zeros to the shape's length
//!  Ack     = 01 | largest u32 | bitmap u64                  bit i: cell largest-1-i was received too
//!  Voice   = 02 | leg u16 | sealed voice, VOICE_LEN bytes
//!  Control = 03 | channel u8 | offset u48 | length u16 | bytes
//!  Padding = 00 to the end
//! ```
//!
//! Encoding writes into a buffer of the shape's length; decoding borrows from the datagram. Neither
//! allocates.

use crate::codec::{DecodeError, Reader};
use crate::ids::Leg;
use crate::limits::VOICE_LEN;

/// Bytes of the cell number.
pub const NUMBER_LEN: usize = 4;
/// Bytes of an acknowledgement frame.
pub const ACK_LEN: usize = 1 + 4 + 8;
/// Bytes of a voice frame.
pub const VOICE_FRAME_LEN: usize = 1 + 2 + VOICE_LEN;
/// Bytes of a control frame before its content.
pub const CONTROL_HEADER_LEN: usize = 1 + 1 + 6 + 2;
/// First offset that a control frame can no longer tell.
pub const OFFSET_END: u64 = 1 << 48;

/// The two control streams of a link: what somebody waits for, and what can wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Channel {
    /// Ringing, answering, hanging up, attaching.
    Signal,
    /// Mail and its acknowledgements, key packages, cards.
    Bulk,
}

/// What cells had arrived when this was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ack {
    /// The highest cell number received.
    pub largest: u32,
    /// Bit i: cell `largest - 1 - i` was received too.
    pub bitmap: u64,
}

/// One frame of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// Cells received by the sender of this one.
    Ack(Ack),
    /// 20 ms of sealed voice.
    Voice {
        /// Which path.
        leg: Leg,
        /// Sealed.
        payload: &'a [u8; VOICE_LEN],
    },
    /// A piece of a control stream.
    Control {
        /// Which stream.
        channel: Channel,
        /// Where in the stream the piece starts. Bytes, below [`OFFSET_END`].
        offset: u64,
        /// The piece.
        bytes: &'a [u8],
    },
}

/// Writes the frames of one cell into a buffer of the shape's length.
#[derive(Debug)]
pub struct CellWriter<'a> {
    buffer: &'a mut [u8],
    used: usize,
}

impl<'a> CellWriter<'a> {
    /// Starts cell `number` in `buffer`, which is zeroed. The buffer has the shape's length.
    ///
    /// # Panics
    /// If the buffer cannot hold a cell number: shapes are constants of the program.
    pub fn new(buffer: &'a mut [u8], number: u32) -> Self {
        buffer.fill(0);
        buffer[..NUMBER_LEN].copy_from_slice(&number.to_be_bytes());
        CellWriter { buffer, used: NUMBER_LEN }
    }

    /// Bytes that are still free.
    #[must_use]
    pub fn room(&self) -> usize {
        self.buffer.len() - self.used
    }

    fn put(&mut self, bytes: &[u8]) {
        self.buffer[self.used..self.used + bytes.len()].copy_from_slice(bytes);
        self.used += bytes.len();
    }

    /// Appends an acknowledgement; `false` if there is no room.
    pub fn ack(&mut self, ack: Ack) -> bool {
        if self.room() < ACK_LEN {
            return false;
        }
        self.put(&[1]);
        self.put(&ack.largest.to_be_bytes());
        self.put(&ack.bitmap.to_be_bytes());
        true
    }

    /// Appends a voice frame; `false` if there is no room.
    pub fn voice(&mut self, leg: Leg, payload: &[u8; VOICE_LEN]) -> bool {
        if self.room() < VOICE_FRAME_LEN {
            return false;
        }
        self.put(&[2]);
        self.put(&leg.0.to_be_bytes());
        self.put(payload);
        true
    }

    /// Appends as much of `bytes` as there is room for, and says how much that was (0: none).
    ///
    /// # Panics
    /// If `offset` is not below [`OFFSET_END`]; the link goes down before that.
    pub fn control(&mut self, channel: Channel, offset: u64, bytes: &[u8]) -> usize {
        assert!(offset < OFFSET_END, "control offset beyond 48 bits");
        let room = self.room().saturating_sub(CONTROL_HEADER_LEN);
        let len = bytes.len().min(room).min(usize::from(u16::MAX));
        if len == 0 {
            return 0;
        }
        self.put(&[
            3,
            match channel {
                Channel::Signal => 0,
                Channel::Bulk => 1,
            },
        ]);
        self.put(&offset.to_be_bytes()[2..]);
        #[expect(clippy::cast_possible_truncation, reason = "len is at most u16::MAX")]
        self.put(&(len as u16).to_be_bytes());
        self.put(&bytes[..len]);
        len
    }
}

/// Reads a received cell: its number, then its frames one by one.
#[derive(Debug)]
pub struct CellReader<'a> {
    /// The cell's number.
    pub number: u32,
    rest: Reader<'a>,
}

impl<'a> CellReader<'a> {
    /// Begins to read `cell`. Its length is checked by the link, which knows the shape.
    ///
    /// # Errors
    /// The cell is shorter than a cell number.
    pub fn new(cell: &'a [u8]) -> Result<Self, DecodeError> {
        let mut rest = Reader::new(cell);
        Ok(CellReader { number: rest.u32("Cell.number")?, rest })
    }

    /// The next frame; `None` where the padding begins.
    ///
    /// # Errors
    /// The rest of the cell is not made of frames.
    pub fn frame(&mut self) -> Result<Option<Frame<'a>>, DecodeError> {
        if self.rest.left() == 0 {
            return Ok(None);
        }
        Ok(Some(match self.rest.u8("Frame.type")? {
            0 => return Ok(None),
            1 => Frame::Ack(Ack {
                largest: self.rest.u32("Ack.largest")?,
                bitmap: self.rest.u64("Ack.bitmap")?,
            }),
            2 => {
                let leg = Leg(self.rest.u16("Voice.leg")?);
                let bytes = self.rest.bytes(VOICE_LEN, "Voice.payload")?;
                let payload =
                    bytes.try_into().map_err(|_| DecodeError::Short { field: "Voice.payload" })?;
                Frame::Voice { leg, payload }
            }
            3 => {
                let channel = match self.rest.u8("Control.channel")? {
                    0 => Channel::Signal,
                    1 => Channel::Bulk,
                    value => {
                        let field = "Control.channel";
                        return Err(DecodeError::Undefined { field, value: value.into() });
                    }
                };
                let high: [u8; 6] = self.rest.array("Control.offset")?;
                let offset = high.iter().fold(0, |n, b| n << 8 | u64::from(*b));
                let bytes = self.rest.var(usize::from(u16::MAX), "Control.bytes")?;
                Frame::Control { channel, offset, bytes }
            }
            value => {
                return Err(DecodeError::Undefined { field: "Frame.type", value: value.into() });
            }
        }))
    }
}
