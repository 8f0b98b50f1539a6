//! The network driver: QUIC connections that speak on the clock only.
//!
//! ```text
//!            ticks (the caller's clock)                 sockets
//!                 |                                        ^
//!   cell -> Endpoint::send -> Driver -> one QUIC packet -> batch -> Endpoint::flush (sendmmsg)
//!                                                             \-- Endpoint::leave_at -> clock thread (sendmmsg)
//!   cell <- Event::Cell    <- Driver <- one datagram    <-------- Endpoint::poll  (ppoll, recvmmsg)
//! ```
//!
//! **Once a connection is up, nothing but [`Endpoint::send`] at a tick makes it transmit.** No
//! acknowledgement, probe or retransmission leaves on receipt or on a QUIC timer: whatever QUIC has
//! to say besides the cell waits for the tick and goes in packets of its own, just before the cell's
//! packet, so the cell's packet always has the same size. The exceptions are the handshake (before
//! a connection is up) and CONNECTION_CLOSE.
//!
//! What somebody sees who watches a line of the shape `office` (UDP payload bytes, each way 50/s):
//!
//! | packet | bytes | count per second |
//! |---|---|---|
//! | cell up, 224 B | 224 + [`OVERHEAD`] = 255 | 50 |
//! | cell down, 480 B | 480 + [`OVERHEAD`] = 511 | 50 |
//! | acknowledgement, each way | 30 to 36, under loss to some 45: packet numbers and gaps | 5 |
//!
//! Parts: `conn` one connection's clocks, `driver` many connections without I/O, `session` WebTransport bytes
//! (draft-ietf-webtrans-http3, RFC 9297, RFC 9220), `transport` QUIC settings (RFC 9000, RFC 9221,
//! draft-ietf-quic-ack-frequency), `identity` the exchange key and its certificates, `tls`
//! (RFC 8446, RFC 7250, X25519MLKEM768), `timers`, `socket` batched UDP, `clock` the thread that sends at the instant,
//! `endpoint` the whole.

mod clock;
mod conn;
mod driver;
mod endpoint;
mod error;
mod event;
mod identity;
mod session;
pub mod socket;
mod timers;
mod tls;
mod transport;

#[cfg(test)]
mod tests;

pub use clock::{has_real_time, keep_pace, keep_time};
pub use conn::OVERHEAD;
pub use endpoint::{Direction, DoorId, Endpoint, Role, Tap, Tapped, Waker};
pub use error::NetError;
pub use event::{CloseReason, ConnId, Counters, Event, Limits, Party, Peer};
pub use identity::{ExchangeIdentity, ExchangeKey, LEAF_NAME, Leaf};
