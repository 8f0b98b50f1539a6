//! A call that comes in: whether it rings, and what its person says.
//!
//! ```text
//!  Incoming{leg, Invite} ─► known already? another leg of it │ crossed? the one that goes on │ rules, queue ─► rings, or turned away
//!  answer ─► Take ─► with keys: at once, else when they have come      decline ─► a word, if trusted      ignore ─► silence
//! ```

use call::{Direction, End, Incoming, Kind, Survivor, Verdict};
use link::Channel;
use seal::identity::VerifiedDevice;
use wire::line::LineUp;
use wire::talk::{CallMessage, ContactMessage};
use wire::{CallId, Leg, Precedence, Wall};

use super::{Call, STALE, Stage};
use crate::command::InputError;
use crate::event::Event;
use crate::machine::Phone;
use crate::mail::Way;
use crate::stock::Keyed;

impl Phone {
    /// A contact rings, or rang. `claimed`: how urgent it says that this is.
    #[expect(
        clippy::too_many_arguments,
        reason = "the fields of one message, and where it came from"
    )]
    pub(crate) fn invited(
        &mut self,
        contact: u32,
        from: VerifiedDevice,
        name: CallId,
        at: Wall,
        again: bool,
        claimed: Precedence,
        way: Way,
    ) {
        let mut precedence = self.granted(contact, claimed);
        let leg = match way {
            Way::Leg(leg) => leg,
            Way::Mail(_) if again => return,
            Way::Mail(_) => return self.missed(contact, name, at, precedence),
            Way::Aside => return,
        };
        if let Some(id) = self.live(contact, name) {
            return self.new_leg(id, from, leg);
        }
        let before = self.history.values().find(|h| h.call == name && h.contact == contact);
        // A rule that kept it from ringing can have been lifted.
        let ended = before.is_some_and(|h| !matches!(h.end, End::Missed | End::ByRule(_)));
        if again || ended {
            // A call that is over here, or that this handset forgot when it was started anew.
            return self.not_here(contact, leg, name);
        }
        if at.0.saturating_add(STALE) < self.wall().0 {
            self.turn_away(contact, leg, None);
            return self.missed(contact, name, at, precedence);
        }
        let crossing = self.crossing(contact);
        if let Some((id, mine)) = crossing {
            // Whichever goes on, it is as urgent as the more urgent of the two.
            if let Some(call) = self.calls.get_mut(&id) {
                precedence = precedence.max(call.precedence);
                call.precedence = precedence;
            }
            if call::glare(&mine, &name) == Survivor::Mine {
                return;
            }
            self.end_call(id, End::Glare);
        }
        let tell = self.may_ring(contact, Kind::Direct, leg, name, at, precedence);
        let Some(tell) = tell else { return };
        let Some(record) = self.contacts.get_mut(&contact) else { return };
        record.row.used = true;
        let keyed: Vec<Keyed> = record.stock.take_joined(name).into_iter().collect();
        let keys = !keyed.is_empty();
        self.touched_contacts.insert(contact);
        let mut call = Call::new(name, contact, Direction::Received, at);
        call.leg = Some(leg);
        call.stage = Stage::Incoming(self.comes_in(precedence));
        (call.device, call.tell, call.keyed) = (Some(from.device()), tell, keyed);
        call.precedence = precedence;
        let id = self.new_call(call);
        self.record_begins(id);
        if !keys && tell {
            self.package_over_leg(id);
        }
        if crossing.is_some() {
            // Its person called this very contact: that is an answer.
            let _ = self.answer(id);
            return;
        }
        self.relay_begins(id);
        self.tell(Event::Incoming { call: id, contact });
        self.say_rings(id);
    }

    /// A call that comes in: silently, if the owner does not want to be disturbed, or at night.
    pub(crate) fn comes_in(&self, precedence: Precedence) -> Incoming {
        let mut incoming = Incoming::new(self.now);
        if self.away || self.sleeps(precedence) {
            incoming.ignore();
        }
        incoming
    }

    /// The caller of a call that is known opened another leg.
    fn new_leg(&mut self, id: u32, from: VerifiedDevice, leg: Leg) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let (name, contact, tell) = (call.name, call.contact, call.tell);
        let with = |c: &Call| c.keyed.first().is_none_or(|k| k.device == from.device());
        match &call.stage {
            // Another handset of the contact has it now.
            Stage::Active(_) if call.room.is_none() && !with(call) => {
                let word = tell.then_some(ContactMessage::Declined { call: name });
                return self.turn_away(contact, leg, word);
            }
            // This handset asks for the call, and does not have it.
            Stage::Outgoing(_) if call.arriving.is_some() => {
                return self.turn_away(contact, leg, None);
            }
            _ => {}
        }
        call.leg = Some(leg);
        match &call.stage {
            Stage::Outgoing(_) => {}
            Stage::Incoming(_) => self.say_rings(id),
            Stage::Answering(_) => {
                self.send(Channel::Signal, &LineUp::Take { leg });
                self.package_over_leg(id);
            }
            Stage::Active(_) => self.take_back(id, leg),
            Stage::Over { .. } => {}
        }
    }

    /// Whether a contact's call may ring, and then whether the contact is told so. `None`: it was turned away.
    pub(crate) fn may_ring(
        &mut self,
        contact: u32,
        kind: Kind,
        leg: Leg,
        name: CallId,
        at: Wall,
        precedence: Precedence,
    ) -> Option<bool> {
        let ((busy, gives_way), now) = (self.busyness(precedence), self.wall());
        match self.contacts.get(&contact)?.verdict(kind, now, busy) {
            Verdict::Ring { tell } => {
                if let Some(other) = gives_way {
                    self.give_way(other);
                }
                return Some(tell);
            }
            Verdict::Busy { tell } => {
                self.turn_away(contact, leg, tell.then_some(ContactMessage::Busy { call: name }));
                self.missed(contact, name, at, precedence);
            }
            Verdict::Refuse { rule, tell } => self.refuse(contact, leg, name, at, rule, tell),
            Verdict::Drop => self.turn_away(contact, leg, None),
        }
        None
    }

    /// This handset is done with a leg that it did not take. The caller learns of it only by `word`; its
    /// leg stays until it gives up.
    pub(crate) fn turn_away(&mut self, contact: u32, leg: Leg, word: Option<ContactMessage>) {
        if let Some(word) = word {
            self.say_over_leg(contact, leg, &word);
        }
        self.send_after(Channel::Signal, LineUp::Close { leg });
    }

    /// Answers. A call under way is held before.
    pub(crate) fn answer(&mut self, id: u32) -> Result<(), InputError> {
        self.may_record()?;
        let now = self.now;
        let call = self.call_mut(id)?;
        if call.is_back() {
            return self.take_up(id);
        }
        let (Stage::Incoming(_), Some(leg), true) = (&call.stage, call.leg, call.rings()) else {
            return Err(InputError::WrongState("the call does not ring here (any more)"));
        };
        self.make_way(id)?;
        self.relay_ends(id, true);
        let call = self.call_mut(id)?;
        if let Stage::Incoming(incoming) =
            core::mem::replace(&mut call.stage, Stage::Over { end: End::Missed, until: now })
        {
            call.stage = Stage::Answering(incoming.answer(now));
        }
        let told = call.tell;
        let keyed = call.keyed.pop();
        let asked = call.asked.is_some();
        self.send(Channel::Signal, &LineUp::Take { leg });
        if asked {
            self.answer_asked(id, told);
            return Ok(());
        }
        self.keys_or_package(id, keyed, told);
        Ok(())
    }

    /// A call was answered here: its keys, or what the caller needs to make them. `told`: it has that already.
    pub(crate) fn keys_or_package(&mut self, id: u32, keyed: Option<Keyed>, told: bool) {
        if let Some(keyed) = keyed {
            return self.keys_for(id, keyed);
        }
        if !told {
            self.package_over_leg(id);
        }
        self.tell_state(id);
    }

    /// The keys of a call that rings here or was answered here.
    pub(crate) fn keys_for(&mut self, id: u32, keyed: Keyed) {
        let now = self.now;
        let Some(call) = self.calls.get_mut(&id) else { return };
        let stage =
            core::mem::replace(&mut call.stage, Stage::Over { end: End::Missed, until: now });
        call.stage = match stage {
            Stage::Answering(answering) => Stage::Active(answering.keyed(now)),
            Stage::Incoming(incoming) => {
                call.keyed = vec![keyed];
                call.stage = Stage::Incoming(incoming);
                return;
            }
            other => {
                call.stage = other;
                return;
            }
        };
        call.keyed = vec![keyed];
        if self.relay_answered(id) {
            return;
        }
        self.say_in_call(id, &CallMessage::Answer {});
        self.begin_talk(id);
    }

    pub(crate) fn decline(&mut self, id: u32) -> Result<(), InputError> {
        let call = self.call_mut(id)?;
        if call.is_back() {
            self.say_goodbye(id);
            self.end_call(id, End::DeclinedByMe);
            return Ok(());
        }
        if !matches!(call.stage, Stage::Incoming(_)) {
            return Err(InputError::WrongState("the call does not ring here (any more)"));
        }
        let (name, contact, tell) = (call.name, call.contact, call.tell);
        if let Some(leg) = call.leg.take() {
            self.turn_away(contact, leg, tell.then_some(ContactMessage::Declined { call: name }));
        }
        self.end_call(id, End::DeclinedByMe);
        Ok(())
    }

    pub(crate) fn ignore(&mut self, id: u32) -> Result<(), InputError> {
        if self.hush_back(id) {
            return Ok(());
        }
        match &mut self.call_mut(id)?.stage {
            Stage::Incoming(call) => call.ignore(),
            _ => return Err(InputError::WrongState("the call does not ring here (any more)")),
        }
        Ok(())
    }
}
