//! What the page and the worker of the web handset say to each other: JSON texts, one a message.
//!
//! ```text
//!  page (window)                              worker
//!    draws, asks, owns the microphone           machine, keys, store, line
//!        ── ToWorker ──────────────────────►
//!        ◄────────────────────── FromWorker ──
//!        ── {sound: MessagePort} ──────────►    samples go from worklet to worker directly
//! ```
//!
//! **No key, token or card secret is in any of this, but a card's link while it may be shown**, and the secret that
//! opens the store on its way from the person to the worker. Times are milliseconds since 1970 or durations in
//! milliseconds, levels in dBFS (root mean square; silence: -90 or less).

mod console;
mod from_worker;
mod night;
mod room;
mod rules;
mod staff;
mod to_worker;
mod transfer;
mod view;

pub use console::{Appointment, AppointmentView, CampView, OfficeLineView, ParkedView};
pub use from_worker::{ErrorCode, Event, FromWorker, Problem, StoreState};
pub use night::{NightRules, NightThere, NightView};
pub use room::{
    Asked, BringingView, Expected, MemberLevel, MemberView, Role, RoomStage, RoomView, Trust,
};
pub use rules::{Barred, Hours, Rule, Rules};
pub use staff::{
    ListView, ListedView, Manage, ManagedState, ManagedView, ManagedWhat, NotJoined, Refusal,
    Relay, RequestState, RequestView, Right,
};
pub use to_worker::{Command, LockChoice, ToWorker};
pub use transfer::{ElsewhereView, MovingView, OfferView, ShiftStage, ShiftView};
pub use view::{
    Behalf, CallMeter, CallState, CallView, CardState, CardView, ContactView, DelegationState,
    DelegationView, Direction, Doubt, End, Grade, HistoryView, Keys, Lamp, LineState, NoteView,
    Precedence, Progress, Quality, RecordView, Stats, TextView, View,
};

/// A message as JSON.
///
/// # Errors
/// Never for the types of this crate; serde_json's words otherwise.
pub fn to_json(message: &impl serde::Serialize) -> Result<String, serde_json::Error> {
    serde_json::to_string(message)
}

/// A message from JSON.
///
/// # Errors
/// serde_json's words: the other side is of another version.
pub fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, serde_json::Error> {
    serde_json::from_str(text)
}
