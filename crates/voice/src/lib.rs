//! Voice: from samples to packets of one length, and back through loss, jitter and drift.
//!
//! ```text
//! microphone -> Processor -> Encoder -> [u8; PACKET_LEN] ......... network ...
//!   10 ms       echo, noise   20 ms                                          |
//!                                                                            v
//! loudspeaker <- Speaker::pull <- stretch <- conceal <- jitter <- Speaker::insert
//!   any block     a FIFO           clock      DRED,      order, target
//!                                  drift      PLC        delay
//! ```
//!
//! **No input or output, no clock, no thread:** time is an argument, so hours run in a test.
//!
//! Units everywhere: mono, 48,000 samples a second, `f32` in [-1, 1] (0 dBFS is a full-scale
//! square wave); a *frame* is 20 ms or 960 samples, a *block* 10 ms or 480 samples, unless its taker chooses another length. Delays are
//! microseconds as integers inside and milliseconds as `f32` in figures for people.
//!
//! Standards: RFC 6716 and RFC 8251 (Opus), draft-ietf-mlcodec-opus-dred (redundancy).

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::print_stdout))]

mod arrival;
mod conceal;
mod jitter;
mod level;
mod mix;
mod opus;
mod process;
mod quality;
mod speaker;
mod stretch;

pub use conceal::{Codec, Concealer};
pub use level::{Level, Meter};
pub use mix::mix;
pub use opus::Encoder;
pub use process::Processor;
pub use quality::{Grade, Quality};
pub use speaker::{Speaker, Stats};

/// Samples a second.
pub const SAMPLE_RATE: usize = 48_000;

/// Samples in a frame, the unit of coding: 20 ms.
pub const FRAME: usize = 960;

/// Samples in a block, the unit of capturing, of concealing and of most players: 10 ms.
pub const BLOCK: usize = 480;

/// Length of every voice packet, in bytes, whatever was said: 40 kbit/s.
pub const PACKET_LEN: usize = 100;

/// Microseconds in a frame.
const FRAME_US: i64 = 20_000;

/// Microseconds in a block.
const BLOCK_US: i64 = 10_000;

/// What this crate may fail with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The codec could not be made or failed.
    #[error("voice codec: {0}")]
    Codec(#[from] opus_ffi::Error),
    /// The echo canceller failed.
    #[error("echo and noise processing failed; go on with the unprocessed sound")]
    Processing,
}
