//! What an attendant may do for a principal, and does. Made from `seal::delegation::Rights`, `phone::RelayView` and what `phone` says of managed contacts;
//! see there for what each field means.
#![allow(
    missing_docs,
    reason = "fields and states are those of phone::RelayView, ManagedView, RequestView and ListView, and documented there"
)]

use serde::{Deserialize, Serialize};

use crate::view::Progress;

/// What an attendant may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Right {
    Place,
    Receive,
    Screen,
    Join,
    Manage,
}

impl Right {
    /// All of them, in the order of their bits.
    pub const ALL: [Right; 5] =
        [Right::Place, Right::Receive, Right::Screen, Right::Join, Right::Manage];
}

/// Who answers a call for whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Relay {
    Asked { contacts: Vec<u32>, screens: bool },
    Passing { contact: u32 },
    Back { contact: u32 },
    Passed { contact: u32 },
    Comes,
    Joins,
    NotJoined { why: NotJoined },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum NotJoined {
    NoRight,
    NoCall,
    NotNow,
    ByRule,
}

/// What an attendant did with the person's contacts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ManagedView {
    pub contact: u32,
    /// Milliseconds since 1970.
    pub at_ms: f64,
    pub what: ManagedWhat,
    pub subject: String,
    pub state: ManagedState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ManagedWhat {
    Card,
    Redeemed,
    Renamed,
    Revoked,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ManagedState {
    Open,
    Done,
    Refused,
}

/// What an attendant asks of a principal's first handset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Manage {
    List,
    Card { name: String },
    Redeem { text: String },
    Rename { contact: u32, name: String },
    Revoke { contact: u32 },
}

/// What the person asked of a principal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequestView {
    pub principal: u32,
    /// Milliseconds since 1970.
    pub at_ms: f64,
    pub ask: Manage,
    pub state: RequestState,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RequestState {
    Open,
    NoAnswer,
    Done,
    /// Its text, to be handed on.
    Card(String),
    Refused(Refusal),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Refusal {
    NoRight,
    NoSuch,
    NotYours,
    Limit,
    NotValid,
    Known,
    NotUnderstood,
    InCall,
}

/// A principal's contacts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListView {
    pub principal: u32,
    pub contacts: Vec<ListedView>,
    /// There are no others.
    pub whole: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedView {
    /// The principal's number of it.
    pub number: u32,
    pub name: String,
    pub office: String,
    pub standing: Progress,
}
