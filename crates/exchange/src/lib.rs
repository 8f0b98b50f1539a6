//! The exchange: one machine without I/O. It forwards; it cannot read.
//!
//! ```text
//!            Input                    ┌──────────── Exchange (one shard) ────────────┐        Output
//!  LineUp, TrunkUp, Cell, Down ─────► │ ports ── lines   admission   addresses       │ ─────► Transmit, Close, Dial
//!  Stored, StoreFailed ─────────────► │   │      redeem  mail        store ── rows   │ ─────► Store
//!  Command, Tick, DialFailed ───────► │   └───── legs    trunks      clock           │ ─────► Event, Reply, Timeout
//!                                     └──────────────────────────────────────────────┘
//! ```
//!
//! **Mutate, then drain until nothing comes out, then wait for the timeout or the next input.** Every call
//! of [`Exchange::handle`] is followed by [`Exchange::poll`] until `None`; the last output is
//! [`Output::Timeout`].
//!
//! It holds no content key and parses no payload: it links no code that could. It tells nobody whether an
//! address exists: everything that comes to one takes the same steps (`addresses.rs`), and the same time (`answers.rs`). What it says is done
//! is on disk (`store.rs`). Cells leave on the links' own clocks and never because something arrived
//! (`clock.rs`). Line tests are calls to the other exchange itself (`legs/linetest.rs`). What it asks of a call is the office's own rules about its lines (`office.rs`). Entries of the record pass through it sealed (`record.rs`). The path of voice through it is one function (`legs.rs`, `forward`).
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod addresses;
mod admission;
mod answers;
pub mod api;
mod aside;
mod clock;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
mod legs;
pub mod limits;
mod lines;
mod machine;
mod mail;
pub mod metrics;
mod office;
mod operator;
mod ports;
pub mod quality;
mod record;
mod redeem;
mod rows;
mod store;
mod trunks;
mod verify;
mod watch;

pub use admission::Rate;
pub use api::{
    CloseReason, Command, Config, Conn, Event, Input, InputError, LineInfo, OfficeRule, Output,
    Reply, RuleInfo, SourceId, Status, TrunkInfo, TrunkPolicy,
};
pub use machine::Exchange;
pub use metrics::Metrics;
pub use quality::{Figures, Outcome, TestResult};
pub use rows::{ENTRY as RECORD_ENTRIES, HEAD as RECORD_HEAD, ORDER as RECORD_ORDER, RestoreError};

#[cfg(test)]
mod tests;
