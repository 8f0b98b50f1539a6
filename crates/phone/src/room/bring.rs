//! Bringing somebody in: the side that asks, and what both say. The one that is asked is in [`super::asked`].
//!
//! ```text
//!  attendant: Bring over a new leg ─► KeyPackage ─► baton ─► Member, commit to all; Enter to the newcomer ─► rings
//!             ◄─ first word in the new epoch ── answered, joined ◄─────────────────────────────────────────────┘
//!             Join{leg, with}: the exchange puts the newcomer's leg to the others
//! ```
//!
//! The change is made before it rings, so that answering costs no handshake; it rings without after a while. A newcomer
//! that answers before says `Taken`, and whoever waits for a slower one gives the baton up to it.

use call::conference::Word;
use call::contact::{Keys, Progress};
use call::{Barred, End, Kind, Side};
use link::Channel;
use seal::group::{Bucket, UnverifiedKeyPackage, VerifiedKeyPackage};
use seal::identity::{DevicePub, VerifiedDevice};
use wire::limits::{NAME_MAX, ROSTER_MAX};
use wire::line::{Closure, LineUp};
use wire::talk::{CallMessage, ContactMessage, Role};
use wire::{Blob, CallId, Leg, Precedence, Rule, Text, Time, Writer};

use super::{Person, Room};
use crate::command::InputError;
use crate::machine::{Effect, Phone};
use crate::night::NightThere;
use crate::relay::Answered;
use crate::ring::{Call, Stage};
use crate::urgent::invitation;

/// How long who answered may take to come in.
const IN_WITHIN: core::time::Duration = call::KEYS_WITHIN;

/// Somebody whose handset rings for this call.
pub(crate) struct Bringing {
    pub(super) contact: u32,
    pub(crate) leg: Leg,
    pub(super) role: Role,
    pub(super) deadline: Time,
    pub(super) rings: bool,
    /// It is in night service.
    pub(crate) night: Option<NightThere>,
    /// Key packages of its devices.
    packages: Vec<VerifiedKeyPackage>,
    /// The device that answered.
    taken: Option<DevicePub>,
    /// Why it did not come in.
    pub(super) over: Option<End>,
    /// It comes as an attendant of this person, on its behalf, and has answered or asked already.
    stands: bool,
}

impl Bringing {
    fn new(contact: u32, leg: Leg, role: Role, deadline: Time) -> Self {
        Bringing {
            contact,
            leg,
            role,
            deadline,
            rings: false,
            night: None,
            packages: Vec::new(),
            taken: None,
            over: None,
            stands: false,
        }
    }

    /// An attendant who answered this person's call.
    pub(crate) fn answered(answered: Answered, now: Time) -> Self {
        let Answered { contact, leg, device, packages } = answered;
        let new = Bringing::new(contact, leg, Role::DutyOfficer, now + IN_WITHIN);
        Bringing { packages, taken: Some(device), stands: true, ..new }
    }

    /// An attendant who asked to come in.
    pub(crate) fn joining(contact: u32, leg: Leg, role: Role, now: Time) -> Self {
        Bringing { stands: true, ..Bringing::new(contact, leg, role, now + IN_WITHIN) }
    }

    /// The package to let in: of the device that answered, or of the first one while none has.
    fn package(&self) -> Option<&VerifiedKeyPackage> {
        let fits =
            |p: &&VerifiedKeyPackage| self.taken.is_none_or(|taken| p.device().device() == taken);
        self.packages.iter().find(fits).filter(|_| self.over.is_none())
    }
}

impl Phone {
    /// A person brings a contact into a call.
    pub(crate) fn bring(
        &mut self,
        id: u32,
        contact: u32,
        role: Role,
        expected: &str,
        precedence: Precedence,
    ) -> Result<(), InputError> {
        self.may_claim(contact, precedence)?;
        let long = |_| InputError::TooLong { what: "name", max: NAME_MAX };
        let expected: Text<NAME_MAX> = Text::new(expected).map_err(long)?;
        if role == Role::Attendant {
            return Err(InputError::WrongState("an attendant is who brings others in"));
        }
        let record = self.contact_mut(contact)?;
        if record.keys() == Keys::Alarmed {
            return Err(InputError::Alarmed);
        }
        let usable = record.progress() == Progress::Accepted && !record.row.sibling;
        if !usable || record.group.is_none() {
            return Err(InputError::WrongState("the contact is not accepted (any more)"));
        }
        let identity = record.row.identity;
        if let Some(barred) = self.barred(contact, Kind::Asked) {
            return Err(InputError::ByRule(barred));
        }
        let call = self.call_mut(id)?;
        if !matches!(&call.stage, Stage::Active(active) if !active.is_lost()) || call.leg.is_none()
        {
            return Err(InputError::WrongState("only a call under way can take in more people"));
        }
        if call.moving.is_some() {
            return Err(InputError::WrongState("the call is offered to another handset of yours"));
        }
        if call.is_passed() || call.comes.is_some() {
            return Err(InputError::WrongState("an attendant is about to come into the call"));
        }
        let with = call.contact;
        let caller = call.asked.as_ref().filter(|asked| asked.stands && with == contact);
        let caller = caller.and_then(|caller| Text::new(caller.office.as_str()).ok());
        let office = self.contacts.get(&with).map(|c| c.row.office.clone()).unwrap_or_default();
        // Whoever answered on a contact's behalf brings that one in: the other side is whoever called.
        let office = caller.unwrap_or(office);
        self.open_room(id)?;
        let done = self.in_room(id, |phone, room| {
            phone.ring_for(id, room, contact, identity, role, office, expected, precedence)
        });
        done.unwrap_or(Err(InputError::NoSuch("call")))
    }

    #[expect(clippy::too_many_arguments, reason = "who is rung, and what it is told")]
    fn ring_for(
        &mut self,
        id: u32,
        room: &mut Room,
        contact: u32,
        identity: wire::IdentityPub,
        role: Role,
        office: Text<NAME_MAX>,
        expected: Text<NAME_MAX>,
        precedence: Precedence,
    ) -> Result<(), InputError> {
        let inside = |m: &seal::group::Member| m.device.principal() == identity;
        let rings = room.bringing.iter().any(|b| b.contact == contact && b.over.is_none());
        if rings || room.group.members().iter().any(inside) {
            return Err(InputError::WrongState("that person is in this call, or being brought in"));
        }
        let waiting = room.bringing.iter().filter(|b| b.over.is_none()).count();
        if !room.machine.has_room(role) || waiting >= 2 {
            return Err(InputError::CallFull);
        }
        if role == Role::Principal {
            self.attend(id, room);
        }
        let (name, at) = (self.calls.get(&id).map(|c| c.name), self.wall());
        let (Some(name), Some(up)) = (name, self.up()) else { return Err(InputError::NotAttached) };
        let leg = Leg(up.next_leg);
        up.next_leg = up.next_leg.wrapping_add(2);
        let bring = ContactMessage::Bring { call: name, at, role, office, expected };
        let bring = invitation(bring, precedence)?.encode();
        // As long with a precedence as without one, whatever the names are.
        let body = self.seal_bytes_in(contact, &bring, Bucket::Small)?;
        let envelope = self.envelope(contact, body)?;
        let record = self.contact_mut(contact)?;
        record.row.used = true;
        let exchange = record.row.exchange.clone();
        room.bringing.retain(|b| b.contact != contact);
        room.bringing.push(Bringing::new(contact, leg, role, self.now + self.patience));
        self.after(Effect::Open(id, leg, LineUp::Open { leg, exchange, envelope }));
        self.say_behalf_to(id, contact, leg);
        if role == Role::Principal {
            room.urges = room.urges.max(precedence);
            self.say_in_room(id, room, &CallMessage::Urgency { precedence: room.urges });
        }
        self.room_changed(id);
        Ok(())
    }

    /// An attendant of this person's is to be let in, who has answered or asked.
    pub(crate) fn stands_in(&mut self, id: u32, room: &mut Room, bringing: Bringing) {
        room.bringing.retain(|b| b.contact != bringing.contact);
        room.bringing.push(bringing);
        self.want_next(room);
        self.room_changed(id);
    }

    /// It is not, after all.
    pub(crate) fn stand_in_over(&mut self, id: u32, room: &mut Room, contact: u32, end: End) {
        let its = |b: &&Bringing| b.stands && b.contact == contact && b.over.is_none();
        if let Some(leg) = room.bringing.iter().find(its).map(|b| b.leg) {
            self.not_brought(id, room, leg, end);
        }
    }

    /// Whoever brings a principal in is an attendant from then on, and says so.
    fn attend(&mut self, id: u32, room: &mut Room) {
        let own = room.machine.own();
        if room.machine.role(own) == Some(Role::Attendant) {
            return;
        }
        let device = self.device.verified().device().0;
        let mine = self.own_person(Role::Attendant);
        let said = member(device, &mine);
        room.people.insert(device, mine);
        self.say_in_room(id, room, &said);
        room.machine.attends(own);
    }

    /// Nobody is waited for any longer than that.
    pub(super) fn rings_run_out(&mut self, id: u32, room: &mut Room) {
        let now = self.now;
        let due = |b: &&Bringing| b.over.is_none() && b.deadline <= now;
        for leg in room.bringing.iter().filter(due).map(|b| b.leg).collect::<Vec<_>>() {
            self.not_brought(id, room, leg, End::NoAnswer);
        }
    }

    /// Somebody does not come in.
    fn not_brought(&mut self, id: u32, room: &mut Room, leg: Leg, end: End) {
        let Some(b) = room.bringing.iter_mut().find(|b| b.leg == leg && b.over.is_none()) else {
            return;
        };
        b.over = Some(end);
        b.packages.clear();
        self.send(Channel::Signal, &LineUp::Close { leg });
        if room.adding.is_some_and(|(with, _)| with == leg) {
            room.machine.want_no_more();
        }
        self.want_next(room);
        self.room_changed(id);
    }

    /// Asks for the baton if there is somebody to let in; with haste if that person answered.
    pub(super) fn want_next(&mut self, room: &mut Room) {
        let ready = |b: &&Bringing| b.package().is_some();
        if room.bringing.iter().any(|b| ready(&b)) {
            room.machine.want(room.bringing.iter().any(|b| ready(&b) && b.taken.is_some()));
        } else {
            room.machine.want_no_more();
        }
    }

    /// The call that rings a contact in on this leg.
    pub(crate) fn bringing_on(&self, leg: Leg) -> Option<u32> {
        let on = |call: &Call| {
            call.room
                .as_ref()
                .is_some_and(|r| r.bringing.iter().any(|b| b.leg == leg && b.over.is_none()))
        };
        self.calls.iter().find(|(_, call)| on(call)).map(|(id, _)| *id)
    }

    fn bringing_of(&self, contact: u32, name: CallId) -> Option<(u32, Leg)> {
        let mut named = self.calls.iter().filter(|(_, call)| call.name == name);
        named.find_map(|(id, call)| {
            let mut list = call.room.as_ref()?.bringing.iter();
            list.find(|b| b.contact == contact && b.over.is_none()).map(|b| (*id, b.leg))
        })
    }

    /// The contact that is rung in on this leg.
    pub(crate) fn brought_contact(&self, id: u32, leg: Leg) -> Option<u32> {
        let room = self.calls.get(&id)?.room.as_ref()?;
        room.bringing.iter().find(|b| b.leg == leg).map(|b| b.contact)
    }

    /// It rings there.
    pub(crate) fn brings_rings(&mut self, contact: u32, name: CallId) -> bool {
        let Some((id, leg)) = self.bringing_of(contact, name) else { return false };
        self.in_room(id, |phone, room| {
            if let Some(b) = room.bringing.iter_mut().find(|b| b.leg == leg) {
                b.rings = true;
            }
            phone.room_changed(id);
        });
        true
    }

    /// Busy or declined there.
    pub(crate) fn brings_refused(&mut self, contact: u32, name: CallId, end: End) -> bool {
        let Some((id, leg)) = self.bringing_of(contact, name) else { return false };
        self.in_room(id, |phone, room| phone.not_brought(id, room, leg, end));
        true
    }

    /// The leg is gone.
    pub(crate) fn bringing_closed(&mut self, id: u32, leg: Leg, reason: Closure) {
        let end = match reason {
            Closure::Unreachable => End::Unreachable,
            Closure::Full | Closure::Limit => End::NoPath,
            Closure::Closed | Closure::Elsewhere => End::NoAnswer,
        };
        self.in_room(id, |phone, room| phone.not_brought(id, room, leg, end));
    }

    /// The own exchange does not place it.
    pub(crate) fn bringing_barred(&mut self, id: u32, leg: Leg, end: End) {
        self.in_room(id, |phone, room| phone.not_brought(id, room, leg, end));
    }

    /// The key package of a contact's device, if it is that one's own.
    pub(crate) fn package_of(
        &mut self,
        contact: u32,
        from: VerifiedDevice,
        package: &[u8],
    ) -> Option<VerifiedKeyPackage> {
        let identity = self.contacts.get(&contact)?.row.identity;
        let now = self.wall();
        let verified = UnverifiedKeyPackage::parse(package).and_then(|p| p.verify(&identity, now));
        let own = verified.ok().filter(|p| p.device() == from);
        self.dropped += u64::from(own.is_none());
        own
    }

    /// A device that is rung gives its key package.
    pub(crate) fn newcomer_package(
        &mut self,
        id: u32,
        leg: Leg,
        contact: u32,
        from: VerifiedDevice,
        package: &[u8],
    ) {
        let Some(verified) = self.package_of(contact, from, package) else { return };
        self.in_room(id, |phone, room| {
            let found = room.bringing.iter_mut().find(|b| b.leg == leg && b.contact == contact);
            let Some(b) = found.filter(|b| b.over.is_none()) else { return };
            b.packages.retain(|p| p.device() != from);
            if b.packages.len() < crate::devices::DEVICES {
                b.packages.push(verified);
            }
            if room.adding == Some((leg, from.device())) {
                // Made with a key package that is used up.
                room.machine.add_anew();
            }
            phone.want_next(room);
        });
    }

    /// A device that is rung was answered, and waits to be let in.
    pub(crate) fn newcomer_took(&mut self, contact: u32, from: VerifiedDevice, name: CallId) {
        if self.relay_taken(contact, from, name) {
            return;
        }
        let Some((id, leg)) = self.bringing_of(contact, name) else { return };
        let until = self.now + IN_WITHIN;
        self.in_room(id, |phone, room| {
            let taken = |leg| room.bringing.iter().any(|b| b.leg == leg && b.taken.is_some());
            let waits = room.adding.is_some_and(|(with, _)| taken(with));
            let Some(b) = room.bringing.iter_mut().find(|b| b.leg == leg) else { return };
            if b.taken.replace(from.device()) != Some(from.device()) {
                b.deadline = until;
            }
            let ready = b.package().is_some();
            match room.adding {
                // The change was made for another device of the same person.
                Some((with, device)) if with == leg && device != from.device() => {
                    room.machine.add_anew();
                }
                // It was made for somebody who has not answered.
                Some((with, _)) if with != leg && ready && !waits => room.machine.add_anew(),
                _ => {}
            }
            phone.want_next(room);
        });
    }

    /// The baton is here: whoever is ready is let in, first of all who answered.
    pub(super) fn add_newcomer(&mut self, id: u32, room: &mut Room) {
        let comes = |b: &Bringing| b.stands && b.package().is_some();
        if self.calls.get(&id).is_some_and(Call::is_passed) && room.bringing.iter().any(comes) {
            // This handset only lets it in, and leaves.
            self.attend(id, room);
        }
        let taken = room.bringing.iter().find(|b| b.taken.is_some() && b.package().is_some());
        let next = taken.or_else(|| room.bringing.iter().find(|b| b.package().is_some()));
        let Some((b, package)) = next.and_then(|b| Some((b, b.package()?))) else {
            return room.machine.want_no_more();
        };
        let (contact, leg, role, device) = (b.contact, b.leg, b.role, package.device().device());
        let stands = b.stands;
        if !room.machine.has_room(role) {
            // Others brought somebody meanwhile.
            return self.not_brought(id, room, leg, End::NoPath);
        }
        let Ok(added) = room.group.add(core::slice::from_ref(package), &[]) else {
            self.dropped += 1;
            return self.not_brought(id, room, leg, End::NoKeys);
        };
        room.adding = Some((leg, device));
        let row =
            self.contacts.get(&contact).map(|c| (c.row.name.clone(), self.own.office.clone()));
        let (name, office) = row.unwrap_or_default();
        let person = Person { role, name, office };
        let said = member(device.0, &person);
        let roster = roster(room, device.0, &person);
        let own = self.device.verified().device().0;
        room.promised.insert(own, (device.0, person));
        if stands {
            room.stands_said.insert(own, device.0);
            self.say_in_room(id, room, &CallMessage::Stands { device: device.0 });
        }
        // Said in the epoch that was, about the one to come.
        self.say_in_room(id, room, &said);
        self.give_out(id, room, added.commit);
        let call = self.calls.get(&id).map(|c| c.name);
        if let (Some(call), Ok(welcome)) = (call, Blob::new(added.welcome)) {
            let enter = ContactMessage::Enter { call, roster, welcome };
            self.say_over_leg_by(Channel::Bulk, contact, leg, &enter);
        }
    }

    /// The change that was made for a newcomer is void.
    pub(super) fn void_entry(&mut self, id: u32, room: &mut Room) {
        let Some((leg, _)) = room.adding.take() else { return };
        let contact = room.bringing.iter().find(|b| b.leg == leg && b.over.is_none());
        let call = self.calls.get(&id).map(|c| c.name);
        if let (Some(contact), Some(call)) = (contact.map(|b| b.contact), call) {
            let (roster, welcome) = (Blob::default(), Blob::default());
            let enter = ContactMessage::Enter { call, roster, welcome };
            // Long, and nobody waits for it yet: words go first.
            self.say_over_leg_by(Channel::Bulk, contact, leg, &enter);
        }
    }

    // ---- people ------------------------------------------------------------------------------------

    /// The attendants leave; those who stay are connected.
    pub(crate) fn connect(&mut self, id: u32) -> Result<(), InputError> {
        let nobody = InputError::WrongState(
            "two who stay, and an attendant who leaves, must be in the call",
        );
        let now = self.now;
        let done = self.in_room(id, |phone, room| {
            if !room.machine.can_connect() {
                return Err(nobody);
            }
            if let Some(rule @ Rule::ThroughStaff) = phone.own_unmet(id, room) {
                return Err(InputError::ByRule(Barred { rule, of: Side::Own }));
            }
            let met = room.needs.met(room.machine.there()).map_err(InputError::Missing)?;
            room.machine.connect(now, &met);
            Ok(())
        });
        done.unwrap_or(Err(InputError::NoSuch("call of more than two")))
    }

    /// Speaks to those who are held, or no longer.
    pub(crate) fn announce(&mut self, id: u32, on: bool) -> Result<(), InputError> {
        let none =
            InputError::WrongState("only an attendant announces, in a call that it arranges");
        let done = self.in_room(id, |_, room| {
            let attends = room.machine.role(room.machine.own()) == Some(Role::Attendant);
            if attends {
                room.announcing = on;
                room.machine.announce(on);
            }
            attends
        });
        if done == Some(true) { Ok(()) } else { Err(none) }
    }

    /// Leaves a call of more than two.
    pub(crate) fn leave_room(&mut self, id: u32) {
        self.in_room(id, |phone, room| {
            room.machine.hang_up();
            phone.do_acts(id, room);
        });
    }
}

/// A person as it is said.
pub(super) fn member(device: [u8; 32], person: &Person) -> CallMessage {
    let Person { role, name, office } = person.clone();
    CallMessage::Member { device, role, name, office }
}

/// Everybody who is in the call, and who is let in. A member whom nobody introduced is in it, too.
fn roster(room: &Room, newcomer: [u8; 32], person: &Person) -> Blob<ROSTER_MAX> {
    let mut w = Writer::new();
    w.var(&member(newcomer, person).encode());
    for device in room.group.members().iter().map(|m| m.device.device().0) {
        let unknown =
            || Person { role: Role::NoteTaker, name: Text::default(), office: Text::default() };
        let person = room.people.get(&device).cloned().unwrap_or_else(unknown);
        w.var(&member(device, &person).encode());
    }
    // Eight people with the longest names are 1,352 bytes.
    Blob::new(w.finish()).unwrap_or_default()
}

/// What was said about the call itself, if it was that.
pub(super) fn word(message: &CallMessage) -> Option<Word> {
    Some(match message {
        CallMessage::Want { now } => Word::Want { now: *now },
        CallMessage::Baton { to } => Word::Baton { to: *to },
        CallMessage::Connect {} => Word::Connect,
        CallMessage::Confirmed {} => Word::Confirmed,
        CallMessage::Announce { on } => Word::Announce { on: *on },
        CallMessage::Here {} => Word::Here,
        CallMessage::HangUp {} => Word::HangUp,
        _ => return None,
    })
}
