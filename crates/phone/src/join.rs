//! An attendant comes into its principal's call, by the right that the principal gave.
//!
//! ```text
//!  attendant: Join over a new leg ──► principal's handset: the right, in force? in a call, and free to let somebody in? a rule?
//!     ◄─ NotJoined{why} ── no ────────┤
//!     ◄─ Bring ── yes: Take ──────────┘  from there on as whoever is brought in and answered: KeyPackage, Taken ► Stands, Member, commit; Enter
//! ```
//!
//! Nobody is asked, and everybody sees it: it is a member like any other, and the principal's handset says so at once. What counts is the
//! principal's own delegation, not what the attendant could show. See docs/decisions/0062.

use core::time::Duration;

use call::contact::{Keys, Progress};
use call::{Direction, End, Incoming, Kind, Outgoing};
use seal::delegation::Rights;
use seal::identity::VerifiedDevice;
use wire::talk::{ContactMessage, NotJoined, Role};
use wire::{CallId, Leg, Wall};

use crate::behalf::Behalf;
use crate::command::InputError;
use crate::event::Event;
use crate::machine::Phone;
use crate::mail::Way;
use crate::ring::{CALLS_MAX, Call, STALE, Stage};
use crate::room::{Asked, Bringing};

/// How long an attendant waits to be let in.
const WITHIN: Duration = Duration::from_secs(20);

/// A call that this person asked to be let into.
pub(crate) enum Join {
    /// Not answered yet. `listens`: as a note-taker.
    Asks { listens: bool },
    /// It was refused.
    Not(NotJoined),
}

/// As what whoever joins comes in.
fn role(listens: bool) -> Role {
    if listens { Role::NoteTaker } else { Role::DutyOfficer }
}

impl Phone {
    // ---- the attendant -------------------------------------------------------------------------

    /// Asks to be let into the call that a contact is in.
    pub(crate) fn join_call(&mut self, contact: u32, listens: bool) -> Result<(), InputError> {
        self.own_exchange()?;
        self.may_record()?;
        self.nobody_between(0)?;
        #[cfg(feature = "adversary")]
        let lies = self.claims;
        #[cfg(not(feature = "adversary"))]
        let lies = false;
        if !lies && !self.may_for(contact).hold(Rights::JOIN) {
            return Err(InputError::WrongState(
                "you have no delegation to join this contact's calls, or it was taken back or has run out: ask for a new one",
            ));
        }
        if !self.calls.values().all(|c| self.leaves_room(c)) || self.calls.len() >= CALLS_MAX {
            return Err(InputError::WrongState(
                "another call is under way: end it, or put it on hold",
            ));
        }
        let record = self.contact_mut(contact)?;
        if record.keys() == Keys::Alarmed {
            return Err(InputError::Alarmed);
        }
        if record.progress() != Progress::Accepted || record.group.is_none() || record.row.sibling {
            return Err(InputError::WrongState("the contact is not accepted (any more)"));
        }
        if let Some(barred) = self.barred(contact, Kind::Asked).filter(|_| !lies) {
            return Err(InputError::ByRule(barred));
        }
        let name = CallId(self.random());
        let mut call = Call::new(name, contact, Direction::Placed, self.wall());
        call.stage = Stage::Outgoing(Outgoing::place(self.now, WITHIN));
        call.join = Some(Join::Asks { listens });
        call.behalf = Some(Behalf::Mine(contact));
        let id = self.new_call(call);
        self.open_leg(id, false);
        self.tell_state(id);
        Ok(())
    }

    /// The call in which that is asked on a leg.
    pub(crate) fn joining_on(&self, leg: Leg) -> Option<u32> {
        let asks = |c: &Call| {
            let waits = matches!(c.stage, Stage::Outgoing(_));
            waits && c.leg == Some(leg) && matches!(c.join, Some(Join::Asks { .. }))
        };
        self.calls.iter().find(|(_, c)| asks(c)).map(|(id, _)| *id)
    }

    /// It is let in: from here on as if it had been rung for that call, and had answered.
    pub(crate) fn joined(&mut self, id: u32, from: VerifiedDevice, name: CallId, asked: Asked) {
        let now = self.now;
        let Some(contact) = self.calls.get(&id).map(|c| c.contact) else { return };
        if self.live(contact, name).is_some() || asked.role == Role::Attendant {
            return self.end_call(id, End::NoKeys);
        }
        let Some(call) = self.calls.get_mut(&id) else { return };
        (call.name, call.join) = (name, None);
        (call.device, call.stage) =
            (Some(from.device()), Stage::Answering(Incoming::new(now).answer(now)));
        call.asked = Some(Asked { stands: true, ..asked });
        self.record_begins(id);
        self.answer_asked(id, false);
    }

    /// It is not.
    pub(crate) fn not_joined(&mut self, contact: u32, name: CallId, why: NotJoined) {
        let asks = |c: &Call| {
            let asked = matches!(c.join, Some(Join::Asks { .. })) && c.contact == contact;
            asked && c.name == name && matches!(c.stage, Stage::Outgoing(_))
        };
        let found = self.calls.iter_mut().find(|(_, c)| asks(c));
        let Some((id, call)) = found else { return };
        let id = *id;
        call.join = Some(Join::Not(why));
        self.end_call(id, End::Declined);
    }

    // ---- the principal -------------------------------------------------------------------------

    /// A contact asks to be let into this person's call.
    pub(crate) fn join_asked(
        &mut self,
        contact: u32,
        name: CallId,
        at: Wall,
        listens: bool,
        way: Way,
    ) {
        let Way::Leg(leg) = way else {
            self.dropped += 1;
            return;
        };
        if self.identity.is_none() || at.0.saturating_add(STALE) < self.wall().0 {
            // Another handset of this person has the delegations.
            return self.turn_away(contact, leg, None);
        }
        match self.lets_in(contact, listens) {
            Ok(id) => self.let_join(id, contact, leg, listens),
            Err(why) => {
                let told =
                    self.contacts.get(&contact).is_some_and(crate::contacts::Contact::is_told);
                let word = told.then_some(ContactMessage::NotJoined { call: name, why });
                self.turn_away(contact, leg, word);
            }
        }
    }

    /// The call that a contact may come into. Whoever has no right learns nothing else.
    fn lets_in(&self, contact: u32, listens: bool) -> Result<u32, NotJoined> {
        if !self.lets(contact, Rights::JOIN) {
            return Err(NotJoined::NoRight);
        }
        if self.barred(contact, Kind::Asked).is_some() {
            return Err(NotJoined::ByRule);
        }
        let id = self.floor.holder().ok_or(NotJoined::NoCall)?;
        let call = self.calls.get(&id).ok_or(NotJoined::NoCall)?;
        let identity = self.contacts.get(&contact).map(|c| c.row.identity);
        let identity = identity.ok_or(NotJoined::NoRight)?;
        match &call.stage {
            Stage::Active(active) if !active.is_lost() && call.leg.is_some() => {}
            _ => return Err(NotJoined::NoCall),
        }
        let free = call.moving.is_none() && !call.is_passed() && call.comes.is_none();
        let room = call.room.as_ref().is_none_or(|room| room.may_join(identity, role(listens)));
        if free && room && call.contact != contact { Ok(id) } else { Err(NotJoined::NotNow) }
    }

    /// Lets it in, on the leg on which it asked.
    fn let_join(&mut self, id: u32, contact: u32, leg: Leg, listens: bool) {
        if self.open_room(id).is_err() {
            // Its group is not what it was: it is about to end.
            return self.turn_away(contact, leg, None);
        }
        let Some(call) = self.calls.get(&id) else { return };
        let (name, at, role) = (call.name, self.wall(), role(listens));
        let with =
            self.contacts.get(&call.contact).map(|c| (c.row.office.clone(), c.row.name.clone()));
        let (office, expected) = with.unwrap_or_default();
        self.take(leg);
        self.in_room(id, |phone, room| {
            phone.stands_in(id, room, Bringing::joining(contact, leg, role, phone.now));
        });
        self.say_over_leg(
            contact,
            leg,
            &ContactMessage::Bring { call: name, at, role, office, expected },
        );
        self.tell(Event::Joins { call: id, contact });
    }
}
