//! A call of more than two, and the invitation into one. Made from `phone::RoomView`.
#![allow(
    missing_docs,
    reason = "fields and states are those of phone::RoomView and wire::talk::Role, and documented there"
)]

use serde::{Deserialize, Serialize};

use crate::view::{End, Precedence};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Role {
    Principal,
    Attendant,
    Interpreter,
    NoteTaker,
    RecordsOfficer,
    DutyOfficer,
}

impl Role {
    /// What somebody can be brought in as.
    pub const BROUGHT: [Role; 5] = [
        Role::Principal,
        Role::Interpreter,
        Role::NoteTaker,
        Role::RecordsOfficer,
        Role::DutyOfficer,
    ];

    /// Whether it is one of those for whom the call is arranged: a duty officer stands in for a principal.
    #[must_use]
    pub fn leads(self) -> bool {
        matches!(self, Role::Principal | Role::DutyOfficer)
    }

    /// Whether it may send voice at all.
    #[must_use]
    pub fn speaks(self) -> bool {
        !matches!(self, Role::NoteTaker | Role::RecordsOfficer)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RoomStage {
    Arranging,
    Held,
    Handing,
    Confirming,
    Connected,
}

/// Who is expected: a name, which may be empty, and an office.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    pub name: String,
    pub office: String,
}

/// What this handset's person is asked to be in a call of others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    pub role: Role,
    pub expected: Expected,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RoomView {
    pub stage: RoomStage,
    pub role: Role,
    pub expected: Expected,
    /// Everybody who has the keys, this handset included.
    pub members: Vec<MemberView>,
    pub bringing: Vec<BringingView>,
    pub can_connect: bool,
    pub announcing: bool,
    /// With which precedence it is arranged, as attendants say.
    pub urgency: Precedence,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemberView {
    pub leaf: u32,
    /// Empty if nobody said who it is.
    pub name: String,
    pub office: String,
    pub role: Role,
    /// On whose behalf it is here: the name of that person.
    pub behalf: Option<String>,
    pub own: bool,
    pub gone: bool,
    pub heard: bool,
    pub muted: bool,
    pub on_record: bool,
    /// Of the own one: whether somebody else speaks in its name.
    pub voice: Trust,
}

/// What is to be thought of voices in a member's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Trust {
    Vouched,
    Late,
    Forged,
}

/// How loud a member is here. Beside the members, because it moves all the time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemberLevel {
    pub leaf: u32,
    /// dBFS.
    pub level: f32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BringingView {
    pub contact: u32,
    pub role: Role,
    pub rings: bool,
    /// It is in night service there.
    pub night: bool,
    pub over: Option<End>,
}
