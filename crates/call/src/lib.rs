//! States of contacts and calls, as people see them: pure, without bytes, keys or I/O.
//!
//! ```text
//!  caller    Outgoing ── answered ──────────────► Active ── hang up, lost for 60 s ──► End
//!               └─ busy, declined, no answer, unreachable, cancel ─────────────────────► End
//!  callee    Incoming ── answer ──► Answering ── keys are there ──► Active ─────────────► End
//!               └─ decline, elsewhere, caller gave up ─────────────────────────────────► End
//!  contact   Redeeming ── offer ──► Redeemed ── accepted ──► Accepted ── revoke ──► Revoked
//! ```
//!
//! A call of more than two, and how it changes hands: [`conference`], [`handover`]. Which call gives way to a more urgent one: [`precedence`]. What others see of a person: [`lamp`]. When nobody is there: [`night`].
//!
//! A state is a struct named for what it awaits; a transition that ends it consumes it. What is shown
//! ([`CallState`]) is computed from the struct, so it is true at any time. A [`Microphone`] exists only
//! while a call has the [`Floor`] of its handset, is connected, and neither held nor muted.
//!
//! Times are [`wire::Time`]; each struct tells its next deadline.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod active;
pub mod conference;
pub mod contact;
mod floor;
pub mod handover;
mod history;
pub mod hours;
mod incoming;
pub mod lamp;
pub mod night;
mod outgoing;
mod policy;
pub mod precedence;
pub mod vouch;

pub use active::{Active, RECONNECT_EVERY, RECONNECT_FOR, Reconnect, Role};
pub use floor::{Floor, Microphone};
pub use history::{Direction, Entry};
pub use incoming::{Answering, Incoming, KEYS_WITHIN, RING_MAX, Sound};
pub use outgoing::{Outgoing, PATIENCE, REOPEN_EVERY};
pub use policy::{
    Barred, Busyness, Kind, Met, Needs, Policy, Side, Survivor, Verdict, admit, broken, glare,
};
use wire::Rule;

/// What a person is told about a call, true at any time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallState {
    /// Placed; nothing has come back yet.
    Calling,
    /// The other handset has shown itself; it does not say that it rings.
    Reached,
    /// Outgoing: it rings there.
    Ringing,
    /// Incoming: it rings here (or would, if it were not silenced).
    RingingHere,
    /// Answered; the keys are on their way.
    Connecting,
    /// Both can speak.
    Connected,
    /// On hold by this side (and perhaps by the other too).
    HeldByMe,
    /// On hold by the other side.
    HeldByOther,
    /// The way is lost and is being made anew.
    Reconnecting,
    /// Over.
    Ended(End),
}

/// Why a call is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum End {
    /// This side hung up.
    ByMe,
    /// The other side hung up.
    ByOther,
    /// This side gave up before an answer.
    Cancelled,
    /// The other side is in a call.
    Busy,
    /// The other side does not take the call.
    Declined,
    /// Nobody answered in time.
    NoAnswer,
    /// The other exchange cannot be reached.
    Unreachable,
    /// All voice paths are in use.
    NoPath,
    /// Incoming: the caller gave up, or it rang too long.
    Missed,
    /// Incoming: this side declined.
    DeclinedByMe,
    /// Incoming: another handset of the same principal answered.
    Elsewhere,
    /// Both called at once, and the other call survived.
    Glare,
    /// The way was lost and did not come back in time.
    Lost,
    /// The keys of the call did not come in time after the answer.
    NoKeys,
    /// A rule keeps it from coming about.
    ByRule(Barred),
    /// It goes on at another handset of this person.
    Moved,
}

impl End {
    /// As one byte, for the store.
    #[must_use]
    pub fn code(self) -> u8 {
        End::ALL.iter().position(|e| *e == self).map_or(0, |i| i as u8)
    }

    /// From [`End::code`].
    #[must_use]
    pub fn from_code(code: u8) -> Option<End> {
        End::ALL.get(usize::from(code)).copied()
    }

    const ALL: [End; 25] = [
        End::ByMe,
        End::ByOther,
        End::Cancelled,
        End::Busy,
        End::Declined,
        End::NoAnswer,
        End::Unreachable,
        End::NoPath,
        End::Missed,
        End::DeclinedByMe,
        End::Elsewhere,
        End::Glare,
        End::Lost,
        End::NoKeys,
        End::by(Side::Own, Rule::ThroughStaff),
        End::by(Side::Own, Rule::Hours),
        End::by(Side::Own, Rule::Interpreter),
        End::by(Side::Own, Rule::NoteTaker),
        End::by(Side::Theirs, Rule::ThroughStaff),
        End::by(Side::Theirs, Rule::Hours),
        End::by(Side::Theirs, Rule::Interpreter),
        End::by(Side::Theirs, Rule::NoteTaker),
        End::Moved,
        End::by(Side::Office, Rule::ThroughStaff),
        End::by(Side::Office, Rule::Hours),
    ];

    const fn by(of: Side, rule: Rule) -> End {
        End::ByRule(Barred { rule, of })
    }
}
