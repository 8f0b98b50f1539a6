//! Bytes on the wire, and the types that they become: cells and frames, the control messages of lines
//! and trunks, envelopes, and what two handsets say to each other inside their groups.
//!
//! ```text
//!  link        QUIC datagram ── Cell ── Frame::{Ack, Voice, Control, Padding}       cell.rs
//!  control     LineUp / LineDown (handset and its exchange)                         line.rs
//!              Trunk             (exchange and exchange)                            trunk.rs
//!                    LineTest          (the same, on the leg of a line test)          linetest.rs
//!  mail, ring  Envelope{address, counter, signature, body}                          envelope.rs
//!  end to end  Sealed ── ContactMessage (contact group), CallMessage (call group)   talk.rs
//! ```
//!
//! The layout of every one of them is normative in `docs/wire.md`; `docs/vectors/wire.json` has examples.
//! Numbers are big-endian. A decoder takes a whole message, reads each field once, checks it against its
//! limit before it allocates, and refuses what is left over. Nothing here trusts, verifies or decides:
//! a decoded message is well-formed and no more.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod cell;
pub mod codec;
pub mod enrol;
pub mod envelope;
#[cfg(feature = "fuzz")]
pub mod fuzz;
pub mod ids;
pub mod limits;
pub mod line;
pub mod linetest;
pub mod manage;
pub mod precedence;
pub mod rows;
pub mod rules;
pub mod talk;
pub mod time;
pub mod trunk;

pub use codec::{Blob, DecodeError, Field, Reader, Text, Writer};
pub use enrol::EnrolLink;
pub use envelope::Envelope;
pub use ids::{
    Address, CallId, ExchangePub, ExchangeRef, IdentityPub, Leg, LinePub, MailId, Nonce,
    OfficerPub, PairwisePub, Signature, Token,
};
pub use precedence::Precedence;
pub use rules::{Hours, Rule, Rules};
pub use time::{Time, Wall};
