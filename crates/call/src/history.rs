//! What is kept of a call when it is over.

use core::time::Duration;

use wire::{CallId, Precedence, Wall};

use crate::{End, Side};

/// Who called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// This side.
    Placed,
    /// The other side.
    Received,
}

/// One call that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name, by which a second notice of the same call is recognised.
    pub call: CallId,
    /// With whom: this handset's number of the contact.
    pub contact: u32,
    /// Who called.
    pub direction: Direction,
    /// When it was placed.
    pub at: Wall,
    /// How long both could speak.
    pub talked: Duration,
    /// Why it ended.
    pub end: End,
    /// A missed call that its owner has not seen yet.
    pub unseen: bool,
    /// How urgent it was here.
    pub precedence: Precedence,
}

impl Entry {
    /// An entry of a routine call; a missed call is unseen at first, and so is one that the own office kept from ringing.
    #[must_use]
    pub fn new(
        call: CallId,
        contact: u32,
        direction: Direction,
        at: Wall,
        talked: Duration,
        end: End,
    ) -> Self {
        let missed = match end {
            End::ByRule(barred) => barred.of == Side::Office,
            end => end == End::Missed,
        };
        let unseen = direction == Direction::Received && missed;
        let precedence = Precedence::Routine;
        Entry { call, contact, direction, at, talked, end, unseen, precedence }
    }

    /// The same, of a call with a precedence.
    #[must_use]
    pub fn urgent(self, precedence: Precedence) -> Self {
        Entry { precedence, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Barred;

    #[test]
    fn only_received_calls_are_missed() {
        let entry = |direction, end| {
            Entry::new(CallId([0; 16]), 1, direction, Wall(0), Duration::ZERO, end).unseen
        };
        assert!(entry(Direction::Received, End::Missed));
        assert!(!entry(Direction::Received, End::Elsewhere));
        assert!(!entry(Direction::Placed, End::NoAnswer));
        let ruled = |of| End::ByRule(Barred { rule: wire::Rule::Hours, of });
        assert!(entry(Direction::Received, ruled(Side::Office)), "nobody here knew that it came");
        assert!(!entry(Direction::Received, ruled(Side::Own)));
        assert!(!entry(Direction::Placed, ruled(Side::Office)));
    }

    #[test]
    fn ends_survive_the_store() {
        for code in 0..25 {
            assert_eq!(End::from_code(code).map(End::code), Some(code));
        }
        assert_eq!(End::from_code(25), None);
    }
}
