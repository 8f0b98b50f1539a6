//! Rules for calls with a contact. Made from `phone::ContactRules`, `phone::BarredView` and `wire::Rules`; see there for what each field means.
#![allow(
    missing_docs,
    reason = "fields are those of phone::ContactRules, phone::BarredView, wire::Rules and wire::Hours, and documented there"
)]

use serde::{Deserialize, Serialize};

/// Hours of certain days of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    /// Bit 0 is Monday.
    pub days: u8,
    /// Minutes of the day.
    pub from: u16,
    pub until: u16,
    /// Minutes east of UTC.
    pub east: i16,
}

/// `S` says who arranges calls: the number of a contact in the owner's rules, a name (or none: empty) in those of the contact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules<S> {
    pub staff: Option<S>,
    pub hours: Option<Hours>,
    pub interpreter: bool,
    pub note_taker: bool,
}

/// What a rule asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Rule {
    ThroughStaff,
    Hours,
    Interpreter,
    NoteTaker,
}

/// A rule that keeps a call from coming about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Barred {
    pub rule: Rule,
    /// Who arranges such calls, or can lift the rule: names.
    pub lifted_by: Vec<String>,
}
