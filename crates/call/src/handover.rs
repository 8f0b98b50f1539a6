//! Who may be heard while attendants arrange a call and leave it: by type.
//!
//! ```text
//!  attendant         Arranging ── Connect ──► Handing ── removed: the call is over for it
//!  brought in        Held ────────────────────────────┐ an epoch without attendants
//!  there before      Arranging ── Connect ──► Handing ┤
//!                                                     ▼
//!                                                Confirming ── every member confirmed ──► Connected
//!                                                     ▲                                       │
//!                                                     └──────────── another epoch ────────────┘
//! ```
//!
//! A state holds the voice that it may use, and no other: [`Held`] and [`Handing`] have none, [`Confirming`]
//! has it [`Locked`], and only [`AllConfirmed`] opens the lock. An epoch's voice is dropped when the epoch is
//! left. **So no microphone is open while a departing attendant has the epoch: there is nothing to seal with.**

use std::collections::{BTreeMap, BTreeSet};

use wire::talk::Role;

/// Proof that every member of an epoch without attendants said, in that epoch, that it is there. Only
/// [`Confirming`] makes one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AllConfirmed(());

/// A voice that waits for its proof.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Locked<S>(S);

impl<S> Locked<S> {
    fn open(self, _: &AllConfirmed) -> S {
        self.0
    }
}

/// A new epoch, as a member finds it.
#[derive(Debug)]
pub struct Entered<S> {
    /// Counts epochs.
    pub epoch: u64,
    /// Whose change it is: its leaf.
    pub by: u32,
    /// Everybody who has its keys, this member included.
    pub members: BTreeMap<u32, Role>,
    /// What this member's voice would be sealed with; none for who only listens.
    pub voice: Option<S>,
}

impl<S> Entered<S> {
    fn has_attendants(&self) -> bool {
        self.members.values().any(|role| *role == Role::Attendant)
    }
}

/// Speaks with the others who arrange the call, in an epoch that attendants have.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Arranging<S> {
    voice: Option<S>,
}

/// Brought in, and waits: cannot be heard.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Held(());

/// Waits for the epoch without attendants: is not heard any more.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Handing(());

/// In an epoch without attendants, and waits until all others are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Confirming<S> {
    waits_for: BTreeSet<u32>,
    voice: Option<Locked<S>>,
    /// It was held before: it is again if attendants come.
    held: bool,
    /// A member of this epoch turned out to be an attendant.
    attended: bool,
}

/// All members are in one epoch, which no attendant has.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Connected<S> {
    voice: Option<S>,
    _proof: AllConfirmed,
}

impl Held {
    fn entered<S>(self, own: u32, epoch: Entered<S>) -> Party<S> {
        match epoch.has_attendants() {
            true => Party::Held(self),
            false => Confirming::new(own, epoch, true).check(),
        }
    }
}

impl Handing {
    fn entered<S>(self, own: u32, epoch: Entered<S>, handing: bool) -> Party<S> {
        match (epoch.has_attendants(), handing) {
            (true, true) => Party::Handing(self),
            (true, false) => Party::Arranging(Arranging { voice: epoch.voice }),
            (false, _) => Confirming::new(own, epoch, false).check(),
        }
    }
}

impl<S> Arranging<S> {
    fn entered(self, own: u32, epoch: Entered<S>) -> Party<S> {
        match epoch.has_attendants() {
            true => Party::Arranging(Arranging { voice: epoch.voice }),
            false => Confirming::new(own, epoch, false).check(),
        }
    }
}

impl<S> Confirming<S> {
    fn new(own: u32, epoch: Entered<S>, held: bool) -> Self {
        let waits_for = epoch.members.into_keys().filter(|leaf| *leaf != own).collect();
        Confirming { waits_for, voice: epoch.voice.map(Locked), held, attended: false }
    }

    fn confirmed(mut self, leaf: u32) -> Party<S> {
        self.waits_for.remove(&leaf);
        self.check()
    }

    fn check(self) -> Party<S> {
        if !self.waits_for.is_empty() {
            return Party::Confirming(self);
        }
        let proof = AllConfirmed(());
        match (self.attended, self.held) {
            (true, true) => Party::Held(Held(())),
            (attended, _) => {
                let voice = self.voice.map(|voice| voice.open(&proof));
                match attended {
                    true => Party::Arranging(Arranging { voice }),
                    false => Party::Connected(Connected { voice, _proof: proof }),
                }
            }
        }
    }

    fn connect(self) -> Party<S> {
        match self.held {
            true => Party::Held(Held(())),
            false => Party::Handing(Handing(())),
        }
    }

    fn entered(self, own: u32, epoch: Entered<S>) -> Party<S> {
        match (epoch.has_attendants(), self.held) {
            (true, true) => Party::Held(Held(())),
            (true, false) => Party::Arranging(Arranging { voice: epoch.voice }),
            (false, held) => Confirming::new(own, epoch, held).check(),
        }
    }
}

impl<S> Connected<S> {
    fn entered(self, own: u32, epoch: Entered<S>) -> Party<S> {
        match epoch.has_attendants() {
            true => Party::Arranging(Arranging { voice: epoch.voice }),
            false => Confirming::new(own, epoch, false).check(),
        }
    }
}

/// One member's state.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Party<S> {
    /// See [`Arranging`].
    Arranging(Arranging<S>),
    /// See [`Held`].
    Held(Held),
    /// See [`Handing`].
    Handing(Handing),
    /// See [`Confirming`].
    Confirming(Confirming<S>),
    /// See [`Connected`].
    Connected(Connected<S>),
}

impl<S> Party<S> {
    /// One of the two of a call between two, in which both have spoken: both are in its epoch.
    #[must_use]
    pub fn of_two(voice: Option<S>) -> Self {
        Party::Connected(Connected { voice, _proof: AllConfirmed(()) })
    }

    /// Brought in, into a call that has attendants or not.
    #[must_use]
    pub fn brought_in(own: u32, epoch: Entered<S>) -> Self {
        Held(()).entered(own, epoch)
    }

    /// An attendant is among the members, or turned out to be one.
    pub(crate) fn arranges(self) -> Self {
        match self {
            Party::Connected(state) => Party::Arranging(Arranging { voice: state.voice }),
            Party::Confirming(state) => Party::Confirming(Confirming { attended: true, ..state }),
            other => other,
        }
    }

    /// The attendants leave: until they have, nobody is heard.
    pub(crate) fn connect(self) -> Self {
        match self {
            Party::Held(state) => Party::Held(state),
            Party::Confirming(state) => state.connect(),
            Party::Arranging(_) | Party::Handing(_) | Party::Connected(_) => {
                Party::Handing(Handing(()))
            }
        }
    }

    /// `handing`: the attendants are still to leave.
    pub(crate) fn entered(self, own: u32, epoch: Entered<S>, handing: bool) -> Self {
        match self {
            Party::Arranging(state) => state.entered(own, epoch),
            Party::Held(state) => state.entered(own, epoch),
            Party::Handing(state) => state.entered(own, epoch, handing),
            Party::Confirming(state) => state.entered(own, epoch),
            Party::Connected(state) => state.entered(own, epoch),
        }
    }

    pub(crate) fn confirmed(self, leaf: u32) -> Self {
        match self {
            Party::Confirming(state) => state.confirmed(leaf),
            other => other,
        }
    }

    /// What this member's voice is sealed with, while it may be heard.
    pub fn voice(&mut self) -> Option<&mut S> {
        match self {
            Party::Arranging(state) => state.voice.as_mut(),
            Party::Connected(state) => state.voice.as_mut(),
            Party::Held(_) | Party::Handing(_) | Party::Confirming(_) => None,
        }
    }

    /// Who has not confirmed yet, if that is awaited.
    pub(crate) fn waits_for(&self) -> Option<&BTreeSet<u32>> {
        match self {
            Party::Confirming(state) => Some(&state.waits_for),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch(number: u64, members: &[(u32, Role)]) -> Entered<u64> {
        Entered {
            epoch: number,
            by: 2,
            members: members.iter().copied().collect(),
            voice: Some(number),
        }
    }

    const ALL: [(u32, Role); 4] =
        [(0, Role::Attendant), (1, Role::Attendant), (2, Role::Principal), (3, Role::Principal)];

    #[test]
    fn a_principal_is_heard_only_when_all_confirmed_an_epoch_without_attendants() {
        let mut party = Party::brought_in(2, epoch(5, &ALL));
        assert!(party.voice().is_none(), "held");
        party = party.connect();
        assert!(party.voice().is_none(), "still held");
        party = party.entered(2, epoch(6, &ALL[1..]), true);
        assert!(party.voice().is_none(), "one attendant is left");
        party = party.entered(2, epoch(7, &ALL[2..]), true);
        assert!(party.voice().is_none(), "the other principal has not confirmed");
        party = party.confirmed(1);
        assert!(party.voice().is_none(), "who is gone cannot confirm for who stays");
        party = party.confirmed(3);
        assert_eq!(party.voice(), Some(&mut 7));
        party = party.entered(2, epoch(8, &ALL[2..]), false);
        assert!(party.voice().is_none(), "each epoch is confirmed anew, and the old voice is gone");
    }

    #[test]
    fn an_attendant_is_not_heard_after_its_own_connect() {
        let mut party = Party::of_two(Some(1u64)).arranges();
        assert_eq!(party.voice(), Some(&mut 1));
        party = party.entered(0, epoch(2, &ALL), false);
        assert_eq!(party.voice(), Some(&mut 2), "with the voice of the new epoch");
        party = party.connect();
        assert!(party.voice().is_none());
        party = party.entered(0, epoch(3, &ALL), true);
        assert!(party.voice().is_none());
    }

    #[test]
    fn whoever_turns_out_to_be_an_attendant_while_others_confirm_is_not_left_with_a_call_that_is_connected()
     {
        // Both spoke before: with an attendant they arrange, and go on when all are there.
        let two = &ALL[2..];
        let mut party = Party::of_two(Some(1u64)).entered(2, epoch(2, two), false).arranges();
        assert!(party.voice().is_none(), "not all are there");
        party = party.confirmed(3);
        assert!(matches!(party, Party::Arranging(_)) && party.voice() == Some(&mut 2));
        party = party.connect();
        assert!(matches!(party, Party::Handing(_)), "and leave like any other");
        // Who was held is held again.
        let party = Party::brought_in(2, epoch(5, two)).arranges().confirmed(3);
        assert!(matches!(party, Party::Held(_)));
        // Attendants come into an epoch that was not confirmed yet.
        let party = Party::of_two(Some(1u64)).entered(2, epoch(2, two), false);
        assert!(matches!(party.entered(2, epoch(3, &ALL), false), Party::Arranging(_)));
        let party = Party::brought_in(2, epoch(2, two));
        assert!(matches!(party.entered(2, epoch(3, &ALL), false), Party::Held(_)));
        // A connect is never passed over.
        let mut party = Party::of_two(Some(1u64)).connect();
        assert!(matches!(party, Party::Handing(_)) && party.voice().is_none());
    }

    #[test]
    fn who_only_listens_has_no_voice_ever() {
        let silent = Entered { voice: None, ..epoch(3, &ALL[2..]) };
        let mut party: Party<u64> = Party::brought_in(2, silent).confirmed(3);
        assert!(matches!(party, Party::Connected(_)) && party.voice().is_none());
    }
}
