//! What can be wrong with a received cell, and with what is to be queued.

use thiserror::Error;
use wire::DecodeError;
use wire::cell::Channel;

/// Why a link has to be taken down. All but [`LinkError::Exhausted`] are the other end's fault: the
/// transport below is authenticated, so it was no stranger. A new link can be made at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum LinkError {
    /// The datagram is no cell of this shape.
    #[error(
        "cell of {got} bytes on a link whose cells have {expected}: the other end has another shape"
    )]
    Length {
        /// As received.
        got: usize,
        /// As the shape says.
        expected: usize,
    },
    /// The cell is not made of frames.
    #[error("cell is malformed: {0}")]
    Malformed(#[from] DecodeError),
    /// An acknowledgement for what was never sent.
    #[error("the other end acknowledges cell {number}, which was never sent")]
    NeverSent {
        /// The cell's number.
        number: u32,
    },
    /// Control bytes further ahead than the window allows.
    #[error("control bytes on {channel:?} end {ahead} bytes ahead, the window is {window}")]
    Window {
        /// Which stream.
        channel: Channel,
        /// Distance of their end from the last byte in order.
        ahead: u64,
        /// Its limit.
        window: u64,
    },
    /// A control frame with nothing in it.
    #[error("empty control frame on {channel:?}")]
    Empty {
        /// Which stream.
        channel: Channel,
    },
    /// A control message of an impossible length.
    #[error("control message of {len} bytes on {channel:?}: between 1 and {max} are possible", max = wire::limits::MESSAGE_MAX)]
    Message {
        /// Which stream.
        channel: Channel,
        /// Its length as sent.
        len: usize,
    },
    /// The link has nearly used up its cell numbers or control offsets. Nobody's fault; a new link starts
    /// again at zero.
    #[error("the link is nearly out of cell numbers or control offsets and has to be made anew")]
    Exhausted,
}

/// Why a control message was not queued. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Full {
    /// Too much waits already; room comes as the other end acknowledges.
    #[error("{waiting} bytes wait on this channel, {limit} may: try again later")]
    Backlog {
        /// Bytes that wait.
        waiting: usize,
        /// Bytes that may.
        limit: usize,
    },
    /// The message can never be sent: it is empty, or too long.
    #[error("control message of {len} bytes: between 1 and {max} are possible", max = wire::limits::MESSAGE_MAX)]
    Length {
        /// The message's length.
        len: usize,
    },
}
