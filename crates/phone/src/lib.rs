//! One handset: link, seal, voice and call as one machine without I/O. Both handsets, native and web, are
//! thin shells around it.
//!
//! ```text
//!            Input                                                      Output
//!  Command ───────────► ┌─────────────────────────────────────────┐ ─────► Connect, Disconnect
//!  LinkUp, LinkDown ──► │ enrol: line    cards ─► contacts ─► mail │ ─────► Transmit(cell)
//!  Cell ──────────────► │ stock: keys of the next calls            │ ─────► Store{batch, changes}
//!  Stored ────────────► │ ring ─► talk ─► reconnect      record    │ ─────► Event
//!  Tick ──────────────► │ voicepath: encode, seal │ open, decode   │ ─────► Timeout(time)
//!                       └─────────────────────────────────────────┘
//!  capture(960 samples) ──────┘ before each tick         └─────► render(480 samples), every 10 ms
//! ```
//!
//! **Mutate, then drain [`Phone::poll`] until it gives `None`, then wait for the last `Timeout` or the next
//! input.** Rows are kept before anything that depends on them is said ([`wire::rows`]); a phone that is
//! dropped at any point and restored from the rows stored so far keeps all that it acknowledged.
//!
//! Each tick costs the same whether idle or talking: a frame is encoded and sealed, and a frame is opened
//! and decoded, be it voice or chaff.
//!
//! Times are [`wire::Time`]; samples are mono at 48 kHz.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod agenda;
mod behalf;
mod cards;
mod command;
mod contacts;
mod desk;
mod devices;
mod enrol;
mod event;
mod history;
mod join;
mod lamps;
mod machine;
mod mail;
mod manage;
mod night;
mod office;
mod position;
mod reconnect;
mod record;
mod relay;
mod ring;
mod room;
mod rows;
mod rules;
mod shift;
mod stock;
mod talk;
mod transfer;
mod urgent;
mod view;
mod voicepath;
mod watch;

pub use agenda::{Appointment, AppointmentView};
pub use behalf::{BehalfView, DelegationState, DelegationView, Unproved};
pub use call::vouch::Trust;
pub use command::{Command, Input, InputError, RestoreError, Setup};
pub use event::{Doubt, Event, Output};
pub use machine::Phone;
pub use manage::asks::{ListView, ListedView, Manage, RequestState, RequestView};
pub use manage::{ManagedState, ManagedView, ManagedWhat};
pub use night::{NightRules, NightThere, NightView};
pub use position::{CampView, ParkedView};
pub use relay::RelayView;
pub use room::{BringingView, MemberView, RoomStage, RoomView};
pub use rules::{BarredView, ContactRules};
pub use shift::{ShiftStage, ShiftView};
pub use transfer::{ElsewhereView, MovingView, OfferView};
pub use urgent::Preempted;
pub use view::{
    CallView, CardView, ContactView, HistoryView, LineState, NoteView, RecordView, View,
};
pub use watch::OfficeLineView;
