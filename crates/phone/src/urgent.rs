//! Calls that are more urgent than others: who may place them, what they ring over, and who goes back to what.
//!
//! ```text
//!  SetRules{precedence} ─► GrantRow ─► trusted? ── Grant ══ mail ══► the contact's handset claims no more
//!  CallUrgent ─► claimed ≤ told? ─► Urgent{precedence, Invite} ══ leg ══► no more than granted ─► rings over a less urgent call
//!  Answer ─► what is being placed ends; what is less urgent is held: Hold, Preempted ══► "a more urgent call came", and its tone
//!  HangUp of the urgent one ─► Hold{off}: one key, and the call that was set aside goes on
//! ```
//!
//! Which call gives way is decided in [`call::precedence`]. No call's microphone opens by itself: the urgent one is answered by its
//! person, and the one that was set aside is resumed by its person.

use call::contact::Progress;
use call::{CallState, Sound};
use seal::identity::VerifiedDevice;
use wire::Precedence;
use wire::talk::{CallMessage, ContactMessage, SiblingMessage};

use crate::command::InputError;
use crate::contacts::Contact;
use crate::event::Event;
use crate::machine::Phone;
use crate::mail::{Way, blob};
use crate::ring::{Call, Stage};
use crate::room::Asked;
use crate::rows::{self, GrantRow};
use crate::rules::ContactRules;

/// A call was set aside for a more urgent one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Preempted {
    /// By this side, whose person goes back to it by resuming it.
    pub by_me: bool,
    /// By the other side, as it says.
    pub by_other: bool,
}

impl Call {
    /// How urgent it is here: an attendant's call is as urgent as what the attendant brings into it.
    pub(crate) fn urgency(&self) -> Precedence {
        self.precedence.max(self.room.as_ref().map_or(Precedence::Routine, |room| room.urges()))
    }

    fn is_waiting(&self) -> bool {
        matches!(self.stage, Stage::Incoming(_))
    }
}

/// An invitation, as it is said with a precedence. A routine one is said as handsets say it that know of no other.
pub(crate) fn invitation(
    plain: ContactMessage,
    precedence: Precedence,
) -> Result<ContactMessage, InputError> {
    match precedence {
        Precedence::Routine => Ok(plain),
        _ => Ok(ContactMessage::Urgent { precedence, invitation: blob(plain.encode())? }),
    }
}

/// The rules by which a call comes about, and how urgent it is, for the record.
pub(crate) fn applied(rules: String, precedence: Precedence) -> String {
    match precedence {
        Precedence::Routine => rules,
        _ => format!("{rules}; precedence {}", precedence.word()),
    }
}

impl Phone {
    // ---- who may -------------------------------------------------------------------------------

    /// As what a claim of a contact counts. Whoever is not trusted is told nothing, so nothing was granted, either.
    pub(crate) fn granted(&self, contact: u32, claimed: Precedence) -> Precedence {
        let highest = |c: &Contact| if c.is_told() { c.grant.own } else { Precedence::Routine };
        self.contacts.get(&contact).map(highest).unwrap_or_default().min(claimed)
    }

    /// Whether a call to a contact may be as urgent as that.
    pub(crate) fn may_claim(
        &mut self,
        contact: u32,
        precedence: Precedence,
    ) -> Result<(), InputError> {
        let highest = self.contact_mut(contact)?.grant.theirs;
        #[cfg(feature = "adversary")]
        let highest = if self.claims { Precedence::Flash } else { highest };
        if precedence > highest { Err(InputError::NotGranted { highest }) } else { Ok(()) }
    }

    /// That one of the owner's rules alone.
    pub(crate) fn set_precedence(
        &mut self,
        contact: u32,
        highest: Precedence,
    ) -> Result<(), InputError> {
        let record = self.contacts.get(&contact).ok_or(InputError::NoSuch("contact"))?;
        let rules = ContactRules { precedence: highest, ..self.owners_rules(record) };
        self.set_rules(contact, rules)
    }

    /// The owner decides how urgent calls of a contact may be.
    pub(crate) fn grant(&mut self, contact: u32, highest: Precedence) {
        let Some(record) = self.contacts.get_mut(&contact) else { return };
        if core::mem::replace(&mut record.grant.own, highest) != highest {
            self.keep_grant(contact);
            self.share_grant(contact);
        }
    }

    fn keep_grant(&mut self, contact: u32) {
        if let Some(record) = self.contacts.get(&contact) {
            self.desk.put(rows::GRANT, rows::key32(contact), record.grant.encode());
        }
    }

    /// A contact is over: so is what was granted.
    pub(crate) fn forget_grant(&mut self, contact: u32) {
        if let Some(record) = self.contacts.get_mut(&contact) {
            record.grant = GrantRow::none();
        }
        self.desk.delete(rows::GRANT, rows::key32(contact));
    }

    /// Tells each contact that may know it what has changed.
    pub(crate) fn tell_grants(&mut self) {
        let due = |c: &Contact| {
            c.progress() == Progress::Accepted && c.is_told() && c.grant.own != c.grant.said
        };
        let due = self.contacts.iter().filter(|(_, c)| due(c)).map(|(id, c)| (*id, c.grant.own));
        for (contact, highest) in due.collect::<Vec<_>>() {
            // Without room for mail it is told when the line is next up.
            if self.mail_to(contact, &ContactMessage::Grant { highest }).is_ok() {
                if let Some(record) = self.contacts.get_mut(&contact) {
                    record.grant.said = highest;
                }
                self.keep_grant(contact);
            }
        }
    }

    /// A contact told how urgent calls to it may be.
    pub(crate) fn grant_came(&mut self, contact: u32, highest: Precedence) {
        let Some(record) = self.contacts.get_mut(&contact).filter(|c| !c.row.sibling) else {
            return;
        };
        if core::mem::replace(&mut record.grant.theirs, highest) == highest {
            return;
        }
        self.keep_grant(contact);
        self.share_grant(contact);
        // What rings there now is no more urgent than that, whatever was said when it was placed.
        let rings = |c: &&mut Call| c.contact == contact && matches!(c.stage, Stage::Outgoing(_));
        for call in self.calls.values_mut().filter(rings) {
            call.precedence = call.precedence.min(highest);
        }
    }

    /// For a handset of the owner's that has a contact for the first time, if there is anything to say.
    pub(crate) fn grant_message(&self, contact: u32) -> Option<SiblingMessage> {
        let grant = &self.contacts.get(&contact)?.grant;
        let (own, theirs) = (grant.own, grant.theirs);
        let said = own.is_urgent() || theirs.is_urgent();
        said.then_some(SiblingMessage::Grant { number: contact, own, theirs })
    }

    fn share_grant(&mut self, contact: u32) {
        let Some(grant) = self.contacts.get(&contact).map(|c| &c.grant) else { return };
        let (own, theirs) = (grant.own, grant.theirs);
        let message = SiblingMessage::Grant { number: contact, own, theirs };
        self.mail_siblings_with(contact, &message);
    }

    /// The first handset shared it.
    pub(crate) fn grant_shared(&mut self, number: u32, own: Precedence, theirs: Precedence) {
        let Some(contact) = self.shared_contact(number) else { return };
        if let Some(record) = self.contacts.get_mut(&contact) {
            (record.grant.own, record.grant.theirs) = (own, theirs);
        }
        self.keep_grant(contact);
    }

    // ---- ringing -------------------------------------------------------------------------------

    /// A person calls a contact, more urgently than usual, perhaps in the name of another one.
    pub(crate) fn place_urgent(
        &mut self,
        contact: u32,
        principal: Option<u32>,
        precedence: Precedence,
    ) -> Result<(), InputError> {
        match principal {
            Some(principal) => self.place_for(contact, principal, precedence),
            None => self.place_as(contact, None, precedence),
        }
    }

    /// A contact's invitation, with what it says of how urgent that is.
    pub(crate) fn urgently(
        &mut self,
        contact: u32,
        from: VerifiedDevice,
        precedence: Precedence,
        invitation: &[u8],
        way: Way,
    ) {
        match ContactMessage::decode(invitation) {
            Ok(ContactMessage::Invite { call, at, again }) => {
                self.invited(contact, from, call, at, again, precedence, way);
            }
            Ok(ContactMessage::Bring { call, at, role, office, expected }) => {
                let asked = Asked::new(role, &office, &expected);
                self.asked_in(contact, from, call, at, asked, precedence, way);
            }
            Ok(ContactMessage::Relay { call, at, caller, office, screens: _ }) => {
                let asked = Asked::to_stand_in(&caller, &office);
                self.asked_in(contact, from, call, at, asked, precedence, way);
            }
            _ => self.dropped += 1,
        }
    }

    /// A call that waits gives way to a more urgent one: it finds this handset busy after all.
    pub(crate) fn give_way(&mut self, id: u32) {
        let Some(call) = self.calls.get_mut(&id).filter(|c| c.is_waiting()) else { return };
        let (name, contact, tell) = (call.name, call.contact, call.tell);
        if let Some(leg) = call.leg.take() {
            self.turn_away(contact, leg, tell.then_some(ContactMessage::Busy { call: name }));
        }
        self.end_call(id, call::End::Missed);
    }

    /// Whether a call that rings aloud is more urgent than what its person does.
    #[must_use]
    pub fn rings_over(&self, id: u32) -> bool {
        let heard = |c: &&Call| matches!(&c.stage, Stage::Incoming(incoming) if incoming.sound() == Sound::Rings);
        let Some(urgency) = self.calls.get(&id).filter(heard).map(Call::urgency) else {
            return false;
        };
        let mut busy = self.calls.values().filter(|c| {
            let held = matches!(&c.stage, Stage::Active(active) if active.is_held_by_me());
            !c.is_over() && !c.is_waiting() && !held && !c.is_passed()
        });
        let first = busy.next().map(Call::urgency);
        first.is_some_and(|first| busy.map(Call::urgency).fold(first, Ord::max) < urgency)
    }

    // ---- answering -----------------------------------------------------------------------------

    /// Before a call is answered: others are held, and less urgent ones that are being placed end.
    pub(crate) fn make_way(&mut self, id: u32) -> Result<(), InputError> {
        let urgency = self.call_mut(id)?.urgency();
        self.camps_give_way();
        let between = |c: &Call| {
            matches!(c.stage, Stage::Outgoing(_) | Stage::Answering(_)) && !c.is_passed()
        };
        let others = self.calls.iter().filter(|(other, c)| **other != id && between(c));
        let others: Vec<u32> = others.map(|(other, _)| *other).collect();
        let less = |phone: &Phone, other: &u32| {
            phone.calls.get(other).is_some_and(|c| c.urgency() < urgency)
        };
        if !others.iter().all(|other| less(self, other)) {
            return self.nobody_between(id);
        }
        for other in others {
            // One that was answered here gets its keys, and is held then.
            if self.calls.get(&other).is_some_and(|c| matches!(c.stage, Stage::Outgoing(_))) {
                self.end_call(other, call::End::Cancelled);
            }
        }
        for other in self.spoken_in(id) {
            match less(self, &other) {
                true => self.preempt(other),
                false => self.set_hold(other, true),
            }
        }
        Ok(())
    }

    /// Holds a call for a more urgent one; the other side is told so, if it may know.
    pub(crate) fn preempt(&mut self, id: u32) {
        if let Some(call) = self.calls.get_mut(&id) {
            call.preempted.by_me = true;
        }
        self.set_hold(id, true);
    }

    /// The second word of a hold: why, or the same again, so that whoever forwards them counts as many. In a call of more than two
    /// there are strangers, and why is not said.
    pub(crate) fn say_why_held(&mut self, id: u32, on: bool) {
        let Some(call) = self.calls.get(&id) else { return };
        let told = self.contacts.get(&call.contact).is_some_and(Contact::is_told);
        let why = on && told && call.preempted.by_me && call.room.is_none();
        let word = if why { CallMessage::Preempted {} } else { CallMessage::Hold { on } };
        self.say_in_call(id, &word);
    }

    /// The other side says that it holds the call for a more urgent one. It counts only while it holds.
    pub(crate) fn preempted_there(&mut self, id: u32) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let held = matches!(&call.stage, Stage::Active(active) if active.is_held_by_other());
        if held && !core::mem::replace(&mut call.preempted.by_other, true) {
            self.tell(Event::Preempted { call: id });
        }
    }

    /// Whether a call whose keys have just come has to wait: its person answered a more urgent one meanwhile.
    pub(crate) fn gives_floor_up(&self, id: u32) -> bool {
        let Some(urgency) = self.calls.get(&id).map(Call::urgency) else { return false };
        self.calls.iter().any(|(other, c)| {
            let taken = match &c.stage {
                Stage::Answering(_) | Stage::Active(_) if c.is_passed() => false,
                Stage::Answering(_) => true,
                Stage::Active(active) => !active.is_held_by_me(),
                _ => false,
            };
            *other != id && taken && c.urgency() > urgency
        })
    }

    /// The calls, but for one, that their person may be speaking in.
    pub(crate) fn spoken_in(&self, id: u32) -> Vec<u32> {
        let others = self.calls.iter().filter(|(other, c)| {
            let speaks = matches!(&c.stage, Stage::Active(a) if !a.is_held_by_me());
            **other != id && speaks && !c.is_passed()
        });
        others.map(|(other, _)| *other).collect()
    }

    /// The call that was set aside last and can go on now: no other is spoken in, placed or answered.
    #[must_use]
    pub fn set_aside(&self) -> Option<u32> {
        let waits = |c: &Call| c.preempted.by_me && c.state() == CallState::HeldByMe;
        let between = |c: &Call| matches!(c.stage, Stage::Outgoing(_) | Stage::Answering(_));
        let nobody = self.spoken_in(0).is_empty() && !self.calls.values().any(between);
        let mut last = self.calls.iter().rev().filter(|(_, c)| nobody && waits(c));
        last.next().map(|(id, _)| *id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use seal::group::Bucket;
    use wire::limits::NAME_MAX;
    use wire::talk::Role;
    use wire::{CallId, Text, Wall};

    #[test]
    fn a_precedence_changes_no_length_and_a_routine_call_is_invited_as_ever() {
        let (call, at) = (CallId([7; 16]), Wall(1));
        for again in [false, true] {
            let plain = ContactMessage::Invite { call, at, again };
            assert_eq!(invitation(plain.clone(), Precedence::Routine).unwrap(), plain);
            for precedence in Precedence::ALL {
                let said = invitation(plain.clone(), precedence).unwrap().encode();
                assert_eq!(Bucket::holding(said.len()), Some(Bucket::Tiny));
            }
        }
        let long: Text<NAME_MAX> = Text::new("x".repeat(NAME_MAX)).unwrap();
        let role = Role::Principal;
        let bring = ContactMessage::Bring { call, at, role, office: long.clone(), expected: long };
        let said = invitation(bring, Precedence::Flash).unwrap().encode();
        assert!(said.len() <= Bucket::Small.room(), "{}", said.len());
    }
}
