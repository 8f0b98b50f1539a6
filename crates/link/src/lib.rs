//! The constant-rate link: lines and trunks are both made of it.
//!
//! ```text
//!  queue_voice ─► Voices ─┐                                     ┌─► Event::Voice
//!  queue(Signal) ► Outbox ┼─ tick ─► cells ══ datagrams ══► handle_cell
//!  queue(Bulk) ──► Outbox ┘   │                                 └─ Inbox ─► Event::Message
//!                             └── padding and chaff: each tick yields the shape's cells, always
//! ```
//!
//! **The wire is a function of the clock and the shape, and of nothing else.** [`Link::tick`] makes
//! exactly `shape.send.cells_per_tick` cells of exactly `shape.send.cell_len` bytes, whatever is queued;
//! nothing else makes a cell. Times are [`wire::Time`], lengths are bytes.
//!
//! Drive it like this: at [`Link::next_tick`] call [`Link::tick`] and send every [`Link::poll_cell`]; on
//! each datagram call [`Link::handle_cell`] and drain [`Link::poll_event`]. The format is normative in
//! `docs/wire.md`, part 1.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod error;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
mod inbox;
mod link;
mod outbox;
mod seen;
mod shape;
mod voices;

pub use error::{Full, LinkError};
pub use link::{Event, Link, Stats};
pub use shape::{End, Shape};
pub use wire::cell::Channel;
