//! The life of a card and of a contact.
//!
//! ```text
//!  card      Issuing ── exchange has it ──► Issued ── redeemed ──► Used
//!                                             └── withdrawn ► Revoked, time over ► Expired
//!  redeemer  Redeeming ── offer ──► Redeemed ── the issuer accepts ──► Accepted ──► Revoked | Gone
//!               └── not valid any more ──► Refused
//!  issuer    ──────────────────────────────────────────────────────► Accepted
//!  keys      Unverified ── words match ──► Verified;  words differ ──► Alarmed (calls refused)
//!            Pinned: by a card handed over in person
//! ```

use wire::Wall;

/// State of a card that this handset issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Card {
    /// On its way to the own exchange; not to be shown yet.
    Issuing,
    /// Can be redeemed, once.
    Issued,
    /// Redeemed: bound to the contact.
    Used {
        /// This handset's number of the contact.
        contact: u32,
    },
    /// Withdrawn.
    Revoked,
}

/// What a person is told about a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardState {
    /// On its way to the own exchange.
    Issuing,
    /// Can be redeemed, once.
    Issued,
    /// Redeemed.
    Used {
        /// This handset's number of the contact.
        contact: u32,
    },
    /// Its time is over.
    Expired,
    /// Withdrawn.
    Revoked,
}

impl Card {
    /// What a person is told at `now`.
    #[must_use]
    pub fn state(self, now: Wall, expiry: Wall) -> CardState {
        match self {
            Card::Used { contact } => CardState::Used { contact },
            Card::Revoked => CardState::Revoked,
            _ if now >= expiry => CardState::Expired,
            Card::Issuing => CardState::Issuing,
            Card::Issued => CardState::Issued,
        }
    }

    /// The exchange has it. A card that was withdrawn meanwhile stays so.
    pub fn registered(&mut self) {
        if *self == Card::Issuing {
            *self = Card::Issued;
        }
    }
}

/// How far the making of a contact has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The card was presented, or will be as soon as the line is up.
    Redeeming,
    /// The card was taken; the issuer has not accepted yet.
    Redeemed,
    /// Both have each other.
    Accepted,
    /// The card was not valid any more.
    Refused,
    /// Withdrawn by this side.
    Revoked,
    /// Withdrawn by the other side.
    Gone,
}

impl Progress {
    /// The offer came. `None` if no offer is awaited.
    #[must_use]
    pub fn offered(self) -> Option<Progress> {
        (self == Progress::Redeeming).then_some(Progress::Redeemed)
    }

    /// The issuer accepted. `None` if that is not awaited.
    #[must_use]
    pub fn accepted(self) -> Option<Progress> {
        (self == Progress::Redeemed).then_some(Progress::Accepted)
    }

    /// The card was refused. `None` if no offer is awaited.
    #[must_use]
    pub fn refused(self) -> Option<Progress> {
        (self == Progress::Redeeming).then_some(Progress::Refused)
    }

    /// Whether messages can go to and fro.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Progress::Redeemed | Progress::Accepted)
    }

    /// As one byte, for the store.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Progress::Redeeming => 0,
            Progress::Redeemed => 1,
            Progress::Accepted => 2,
            Progress::Refused => 3,
            Progress::Revoked => 4,
            Progress::Gone => 5,
        }
    }

    /// From [`Progress::code`].
    #[must_use]
    pub fn from_code(code: u8) -> Option<Progress> {
        use Progress::{Accepted, Gone, Redeemed, Redeeming, Refused, Revoked};
        [Redeeming, Redeemed, Accepted, Refused, Revoked, Gone].get(usize::from(code)).copied()
    }
}

/// What is known about a contact's keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// The card travelled: somebody else may have redeemed or exchanged it.
    Unverified,
    /// The card was handed over in person.
    Pinned,
    /// Both compared the words.
    Verified,
    /// The words differed: no calls.
    Alarmed,
}

impl Keys {
    /// The words were compared. An alarm stays until the contact is made anew.
    #[must_use]
    pub fn compared(self, matches: bool) -> Keys {
        match (self, matches) {
            (Keys::Alarmed, _) | (_, false) => Keys::Alarmed,
            (_, true) => Keys::Verified,
        }
    }

    /// Whether the keys are known to be the right ones.
    #[must_use]
    pub fn deserve_trust(self) -> bool {
        matches!(self, Keys::Pinned | Keys::Verified)
    }

    /// As one byte, for the store.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Keys::Unverified => 0,
            Keys::Pinned => 1,
            Keys::Verified => 2,
            Keys::Alarmed => 3,
        }
    }

    /// From [`Keys::code`].
    #[must_use]
    pub fn from_code(code: u8) -> Option<Keys> {
        use Keys::{Alarmed, Pinned, Unverified, Verified};
        [Unverified, Pinned, Verified, Alarmed].get(usize::from(code)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_shows_its_state() {
        let (before, after, expiry) = (Wall(9), Wall(10), Wall(10));
        let mut card = Card::Issuing;
        assert_eq!(card.state(before, expiry), CardState::Issuing);
        card.registered();
        assert_eq!(card.state(before, expiry), CardState::Issued);
        assert_eq!(card.state(after, expiry), CardState::Expired);
        assert_eq!(Card::Used { contact: 3 }.state(after, expiry), CardState::Used { contact: 3 });
        let mut revoked = Card::Revoked;
        revoked.registered();
        assert_eq!(revoked.state(after, expiry), CardState::Revoked);
    }

    #[test]
    fn a_contact_is_made_in_order() {
        assert_eq!(Progress::Redeeming.accepted(), None);
        assert_eq!(Progress::Redeeming.offered(), Some(Progress::Redeemed));
        assert_eq!(Progress::Redeemed.offered(), None, "a second offer is not used");
        assert_eq!(Progress::Redeemed.accepted(), Some(Progress::Accepted));
        assert_eq!(Progress::Accepted.refused(), None);
        for code in 0..6 {
            assert_eq!(Progress::from_code(code).map(Progress::code), Some(code));
        }
    }

    #[test]
    fn an_alarm_is_not_talked_away() {
        assert_eq!(Keys::Pinned.compared(false), Keys::Alarmed);
        assert_eq!(Keys::Alarmed.compared(true), Keys::Alarmed);
        assert_eq!(Keys::Unverified.compared(true), Keys::Verified);
        assert!(!Keys::Unverified.deserve_trust() && Keys::Pinned.deserve_trust());
        for code in 0..4 {
            assert_eq!(Keys::from_code(code).map(Keys::code), Some(code));
        }
    }
}
