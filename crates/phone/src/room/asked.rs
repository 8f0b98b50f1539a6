//! Being brought in: the handset that is rung for a call of others.
//!
//! ```text
//!  Bring ─► key package over the leg ─► Enter: the roster and a Welcome ─► rings ─► answered: into the room
//!                                       └─ none in time: it rings without, answers with Taken, and is let in then
//! ```
//!
//! The other side is [`super::bring`].

use call::{Direction, Incoming, Kind};
use seal::identity::{DevicePub, VerifiedDevice};
use wire::limits::{NAME_MAX, ROSTER_MAX};
use wire::talk::{ContactMessage, Role};
use wire::{Blob, CallId, Precedence, Text, Time, Wall};

use crate::behalf::Behalf;
use crate::event::Event;
use crate::machine::Phone;
use crate::mail::Way;
use crate::ring::{Call, STALE, Stage};

/// How long a handset waits for the keys before it rings without them. With them an answer costs no handshake.
const KEYS_FIRST: core::time::Duration = core::time::Duration::from_millis(3_500);

/// An invitation into a call of others.
pub(crate) struct Asked {
    pub(crate) role: Role,
    pub(crate) office: String,
    pub(crate) expected: String,
    /// It does not ring yet, but will at this time, keys or not.
    pub(crate) rings_at: Option<Time>,
    /// Who lets this handset in, the roster, and the Welcome.
    pub(crate) entry: Option<(DevicePub, Vec<u8>, Vec<u8>)>,
    /// On behalf of whoever asks: to answer for it, or beside it.
    pub(crate) stands: bool,
}

impl Asked {
    /// As a contact says.
    pub(crate) fn new(role: Role, office: &Text<NAME_MAX>, expected: &Text<NAME_MAX>) -> Self {
        let (office, expected) = (office.as_str().to_owned(), expected.as_str().to_owned());
        Asked { role, office, expected, rings_at: None, entry: None, stands: false }
    }

    /// To answer a call of somebody else's for a contact.
    pub(crate) fn to_stand_in(caller: &Text<NAME_MAX>, office: &Text<NAME_MAX>) -> Self {
        Asked { stands: true, ..Asked::new(Role::DutyOfficer, office, caller) }
    }
}

impl Phone {
    /// A contact asks this handset's person into a call.
    #[expect(
        clippy::too_many_arguments,
        reason = "the fields of one message, and where it came from"
    )]
    pub(crate) fn asked_in(
        &mut self,
        contact: u32,
        from: VerifiedDevice,
        name: CallId,
        at: Wall,
        asked: Asked,
        claimed: Precedence,
        way: Way,
    ) {
        let (precedence, stands) = (self.granted(contact, claimed), asked.stands);
        let leg = match way {
            Way::Leg(leg) => leg,
            // A call of somebody else's, which that one's handset tells of.
            _ if stands => return,
            _ => return self.missed(contact, name, at, precedence),
        };
        if let Some(id) = self.joining_on(leg).filter(|_| !stands) {
            return self.joined(id, from, name, asked);
        }
        if self.live(contact, name).is_some() || asked.role == Role::Attendant {
            return self.turn_away(contact, leg, None);
        }
        if at.0.saturating_add(STALE) < self.wall().0 {
            self.turn_away(contact, leg, None);
            if !stands {
                self.missed(contact, name, at, precedence);
            }
            return;
        }
        let tell = self.may_ring(contact, Kind::Asked, leg, name, at, precedence);
        let Some(tell) = tell else { return };
        let Some(record) = self.contacts.get_mut(&contact) else { return };
        record.row.used = true;
        self.touched_contacts.insert(contact);
        let mut call = Call::new(name, contact, Direction::Received, at);
        call.leg = Some(leg);
        call.stage = Stage::Incoming(self.comes_in(precedence));
        call.device = Some(from.device());
        (call.tell, call.precedence) = (tell, precedence);
        let rings_at = Some(self.now + KEYS_FIRST);
        call.behalf = stands.then_some(Behalf::Mine(contact));
        call.asked = Some(Asked { rings_at, ..asked });
        let id = self.new_call(call);
        self.record_begins(id);
        if tell {
            self.package_over_leg(id);
        }
        // Who may not know that this handset is here gets no keys before its person answers. And nothing is made for whoever may answer for another
        // before it does.
        if !tell || stands {
            self.rings_now(id);
        }
    }

    /// A call of others rings here, if it does not yet.
    pub(crate) fn rings_now(&mut self, id: u32) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let waited = call.asked.as_mut().and_then(|asked| asked.rings_at.take());
        if waited.is_none() || !matches!(call.stage, Stage::Incoming(_)) {
            return;
        }
        let contact = call.contact;
        self.tell(Event::Incoming { call: id, contact });
        self.say_rings(id);
    }

    /// The way in: used when the person answers.
    pub(crate) fn let_in_by(
        &mut self,
        contact: u32,
        from: VerifiedDevice,
        name: CallId,
        roster: &Blob<ROSTER_MAX>,
        welcome: &[u8],
    ) {
        let Some(id) = self.live(contact, name) else { return };
        let now = self.now;
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(asked) = call.asked.as_mut() else { return };
        let entry = (from.device(), roster.as_bytes().to_vec(), welcome.to_vec());
        asked.entry = Some(entry).filter(|_| !welcome.is_empty());
        let ready = asked.entry.is_some();
        if ready && matches!(call.stage, Stage::Incoming(_)) {
            return self.rings_now(id);
        }
        match &call.room {
            None => self.enter_room(id),
            // In an epoch that nobody else has entered: out of it, and in again.
            Some(room) if room.machine.is_unheard() => {
                call.room = None;
                asked.entry = None;
                call.stage = Stage::Answering(Incoming::new(now).answer(now));
                self.voice_follows();
                self.package_over_leg(id);
                self.answer_asked(id, true);
            }
            Some(_) => {}
        }
    }

    /// The person answered: in at once, or as soon as it is let in.
    pub(crate) fn answer_asked(&mut self, id: u32, told: bool) {
        let Some(call) = self.calls.get(&id) else { return };
        if call.asked.as_ref().is_none_or(|asked| asked.entry.is_none()) {
            self.ask_to_enter(id, !told);
        }
        self.tell_state(id);
        self.enter_room(id);
    }

    /// The person answered, and is not let in yet. `anew`: what this handset gave before does not let it in.
    pub(super) fn ask_to_enter(&mut self, id: u32, anew: bool) {
        if anew {
            self.package_over_leg(id);
        }
        let Some(call) = self.calls.get(&id) else { return };
        if let Some(leg) = call.leg {
            self.say_over_leg(call.contact, leg, &ContactMessage::Taken { call: call.name });
        }
    }
}
