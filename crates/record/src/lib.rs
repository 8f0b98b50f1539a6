//! The office's record of its calls: entries that only the records officer can read, in a log that cannot be
//! changed unnoticed.
//!
//! ```text
//!  handset                                  exchange                         records officer
//!  Entry ── signed by the device ─┐
//!           sealed to the officer │ 4,096 B, always
//!                                 └──► leaf ── Frontier ── signed head ──►  Tree, Check: is the log whole?
//!           proof, signed head ◄───────┘ (RFC 6962)                         Keys: what do its entries say?
//!              └─ kept, and named in the next entry ─────────────────────►  Contents: is it what handsets saw?
//!
//!  Order ── signed by the officer: its keys, and which calls ──► exchange ──► handset, which pinned the officer
//! ```
//!
//! | module | what |
//! |---|---|
//! | [`tree`] | hashes, inclusion and consistency (RFC 6962 §2.1, RFC 9162 §2.1) |
//! | [`head`] | a signed tree head as a note (C2SP tlog-checkpoint and signed-note) |
//! | [`order`] | what the officer orders, and who may follow it |
//! | [`check`] | whether a log is whole, and where not |
//! | `entry`, `sealing`, `contents` | feature `entries`: what is in an entry, and whether handsets and log agree |
//!
//! An exchange links this crate without `entries`: it has no code that could read one. Sealing draws its
//! randomness from the system, by the HPKE library, as MLS does (see crate `seal`); everything else is a
//! function of its arguments.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod check;
#[cfg(feature = "entries")]
pub mod contents;
#[cfg(feature = "entries")]
pub mod entry;
#[cfg(feature = "fuzz")]
pub mod fuzz;
pub mod head;
pub mod order;
#[cfg(feature = "entries")]
pub mod sealing;
pub mod tree;

pub use head::Head;
pub use order::{Calls, Order};
pub use tree::{Frontier, Hash, Tree};
