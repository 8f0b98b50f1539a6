//! Placing a call. What comes in: [`incoming`].
//!
//! ```text
//!  tap ─► Invite sealed ─► row ─► Stored ─► Open{leg, Invite} ═══► Incoming{leg, Invite} ─► policy ─► rings
//!         Ringing, Busy, Declined (trusted only) ◄══ LegData(Contact) ══╛                     │ answer
//!         microphone ◄─ Answer or the first voice ◄══ LegData(Call), voice ◄── Take ◄─────────┘
//! ```

use call::{Active, Answering, CallState, Direction, End, Incoming, Kind, Outgoing};
use link::Channel;
use seal::identity::DevicePub;
use voice::Level;
use wire::line::{Closure, LineUp};
use wire::talk::{CallMessage, ContactMessage, Sealed};
use wire::{CallId, Leg, Precedence, Time, Wall};

use crate::behalf::Behalf;
use crate::command::InputError;
use crate::event::Event;
use crate::join::Join;
use crate::machine::{Effect, Phone};
use crate::night::NightThere;
use crate::position::Parked;
use crate::record::CallRecord;
use crate::relay::Relay;
use crate::room::{Asked, Room};
use crate::stock::Keyed;
use crate::talk::TEXTS_MAX;
use crate::transfer::{Arriving, Change, Moving};
use crate::urgent::{Preempted, invitation};

mod incoming;

/// An invitation that is older does not ring: an exchange kept it, and its caller has long given up. As much as
/// two exchanges' clocks may differ.
pub(crate) const STALE: u64 = 300;
/// Most calls at once, over or not.
pub(crate) const CALLS_MAX: usize = 16;

/// How far a call has come.
pub(crate) enum Stage {
    Outgoing(Outgoing),
    Incoming(Incoming),
    Answering(Answering),
    Active(Active),
    Over { end: End, until: Time },
}

/// Text beside voice.
pub(crate) struct Said {
    /// Each member counts its own.
    pub(crate) id: u32,
    /// The leaf of who wrote it; `None`: this handset's person.
    pub(crate) from: Option<u32>,
    pub(crate) text: String,
    pub(crate) arrived: bool,
}

/// One call.
pub(crate) struct Call {
    pub(crate) name: CallId,
    pub(crate) contact: u32,
    pub(crate) direction: Direction,
    pub(crate) at: Wall,
    /// When it began here.
    pub(crate) came: Wall,
    pub(crate) leg: Option<Leg>,
    pub(crate) stage: Stage,
    /// A caller's device.
    pub(crate) device: Option<DevicePub>,
    /// The other side may know what happens here.
    pub(crate) tell: bool,
    /// A caller's: some for each device of the callee, until one answers. A callee's: none or one.
    pub(crate) keyed: Vec<Keyed>,
    pub(crate) heard: bool,
    pub(crate) level: Level,
    pub(crate) texts: Vec<Said>,
    pub(crate) record: CallRecord,
    /// Its other members, once it may have more than two.
    pub(crate) room: Option<Box<Room>>,
    /// This handset's person was asked into a call of others.
    pub(crate) asked: Option<Asked>,
    /// In whose name the caller calls.
    pub(crate) behalf: Option<Behalf>,
    /// It is held, and its attendant is reminded of it.
    pub(crate) parked: Option<Parked>,
    /// It was placed, and the other side is in night service.
    pub(crate) night: Option<NightThere>,
    /// How urgent it is: no more than its callee lets its caller say.
    pub(crate) precedence: Precedence,
    /// Held by this side, or by the other, because a more urgent one came.
    pub(crate) preempted: Preempted,
    /// It is offered to another handset of this person.
    pub(crate) moving: Option<Moving>,
    /// It comes from another handset of this person, and is not here yet.
    pub(crate) arriving: Option<Arriving>,
    /// The handset of this person that had it before.
    pub(crate) lent: Option<u32>,
    /// The other side's handsets, as they come and go.
    pub(crate) change: Change,
    /// Attendants answer it for this person, or are asked to.
    pub(crate) relay: Option<Relay>,
    /// An attendant answered for the other side, and is let in by that device.
    pub(crate) comes: Option<DevicePub>,
    /// This person asks to come into a call of the contact's.
    pub(crate) join: Option<Join>,
}

impl Call {
    /// A text of another member; `false` if it is here already, or there are too many.
    pub(crate) fn text_came(&mut self, from: u32, id: u32, text: String) -> bool {
        let known = self.texts.iter().any(|t| t.from == Some(from) && t.id == id);
        let new = !known && self.texts.len() < TEXTS_MAX;
        if new {
            self.texts.push(Said { id, from: Some(from), text, arrived: true });
        }
        new
    }

    /// An own text has arrived; `false` if that was known, or there is none such.
    pub(crate) fn text_arrived(&mut self, id: u32) -> bool {
        let mut mine = self.texts.iter_mut().filter(|t| t.from.is_none() && t.id == id);
        mine.next().is_some_and(|text| !core::mem::replace(&mut text.arrived, true))
    }

    /// Nothing but its name: the caller says how far it is.
    pub(crate) fn new(name: CallId, contact: u32, direction: Direction, at: Wall) -> Self {
        let stage = Stage::Over { end: End::Missed, until: Time(0) };
        Call {
            name,
            contact,
            direction,
            at,
            came: at,
            leg: None,
            stage,
            device: None,
            tell: true,
            keyed: Vec::new(),
            heard: false,
            level: voice::Meter::new().level(),
            texts: Vec::new(),
            record: CallRecord::default(),
            room: None,
            asked: None,
            behalf: None,
            parked: None,
            night: None,
            precedence: Precedence::Routine,
            preempted: Preempted::default(),
            moving: None,
            arriving: None,
            lent: None,
            change: Change::default(),
            relay: None,
            comes: None,
            join: None,
        }
    }

    pub(crate) fn state(&self) -> CallState {
        match &self.stage {
            Stage::Outgoing(call) => call.state(),
            Stage::Incoming(call) => call.state(),
            Stage::Answering(_) => CallState::Connecting,
            Stage::Active(_) if self.is_back() => CallState::RingingHere,
            Stage::Active(call) => match (call.state(), &self.room) {
                // Nobody here speaks in it yet, or at all.
                (CallState::Connected, _) if call.is_closed() => CallState::Connecting,
                (CallState::Connected, Some(room)) => room.state(),
                (state, _) => state,
            },
            Stage::Over { end, .. } => CallState::Ended(*end),
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over { .. })
    }

    pub(crate) fn deadline(&self) -> Time {
        let own = match &self.stage {
            Stage::Outgoing(call) => call.deadline(),
            Stage::Incoming(call) => call.deadline(),
            Stage::Answering(call) => call.deadline(),
            Stage::Active(call) => call.deadline(),
            Stage::Over { until, .. } => *until,
        };
        let rings = self.asked.as_ref().and_then(|asked| asked.rings_at).unwrap_or(Time::NEVER);
        let recall = self.parked.as_ref().map_or(Time::NEVER, Parked::deadline);
        let relay = self.relay.as_ref().map_or(Time::NEVER, Relay::deadline);
        let own = own.min(rings).min(recall).min(relay);
        self.room.as_ref().map_or(own, |room| own.min(room.deadline()))
    }

    /// An incoming call rings: its person knows of it.
    pub(crate) fn rings(&self) -> bool {
        self.asked.as_ref().is_none_or(|asked| asked.rings_at.is_none())
    }

    /// The other handset has shown itself.
    pub(crate) fn reached(&mut self) {
        if let Stage::Outgoing(call) = &mut self.stage {
            call.reached();
        }
    }

    /// Keys with a device of the callee, made while it rings.
    pub(crate) fn keys_came(&mut self, keyed: Keyed) {
        if matches!(self.stage, Stage::Outgoing(_)) {
            crate::stock::keep(&mut self.keyed, keyed);
        }
    }
}

impl Phone {
    pub(crate) fn call_mut(&mut self, call: u32) -> Result<&mut Call, InputError> {
        self.calls.get_mut(&call).ok_or(InputError::NoSuch("call"))
    }

    pub(crate) fn tell_state(&mut self, call: u32) {
        self.record_state(call);
        if let Some(record) = self.calls.get(&call) {
            let state = record.state();
            self.tell(Event::Call { call, state });
        }
    }

    pub(crate) fn new_call(&mut self, mut call: Call) -> u32 {
        call.came = self.wall();
        let id = self.next_call;
        self.next_call += 1;
        self.calls.insert(id, call);
        id
    }

    /// A person taps on a contact.
    pub(crate) fn place(&mut self, contact: u32) -> Result<(), InputError> {
        self.place_as(contact, None, Precedence::Routine)
    }

    /// The same, in the name of `principal`, or a more urgent one.
    pub(crate) fn place_as(
        &mut self,
        contact: u32,
        principal: Option<u32>,
        precedence: Precedence,
    ) -> Result<(), InputError> {
        self.own_exchange()?;
        self.may_claim(contact, precedence)?;
        self.nobody_between(0)?;
        self.may_place(contact)?;
        let (now, wall, patience) = (self.now, self.wall(), self.patience);
        let name = CallId(self.random());
        let record = self.contact_mut(contact)?;
        let (name, keyed) = record.stock.prepared.take().unwrap_or((name, Vec::new()));
        let mut call = Call::new(name, contact, Direction::Placed, wall);
        call.stage = Stage::Outgoing(Outgoing::place(now, patience));
        call.keyed = keyed;
        call.behalf = principal.map(Behalf::Mine);
        call.precedence = precedence;
        self.begin_call(call);
        Ok(())
    }

    /// Whether a call to a contact may be placed now.
    pub(crate) fn may_place(&mut self, contact: u32) -> Result<(), InputError> {
        self.may_record()?;
        if !self.calls.values().all(|c| self.leaves_room(c)) || self.calls.len() >= CALLS_MAX {
            return Err(InputError::WrongState(
                "another call is under way: end it, or put it on hold",
            ));
        }
        let record = self.contact_mut(contact)?;
        if record.keys() == call::contact::Keys::Alarmed {
            return Err(InputError::Alarmed);
        }
        let reachable = record.progress() == call::contact::Progress::Accepted;
        if !reachable || record.group.is_none() || record.row.sibling {
            return Err(InputError::WrongState("the contact is not accepted (any more)"));
        }
        if let Some(barred) = self.barred(contact, Kind::Direct) {
            return Err(InputError::ByRule(barred));
        }
        Ok(())
    }

    /// Rings.
    pub(crate) fn begin_call(&mut self, call: Call) -> u32 {
        if let Some(record) = self.contacts.get_mut(&call.contact) {
            record.row.used = true;
            self.touched_contacts.insert(call.contact);
        }
        let call = self.new_call(call);
        self.record_begins(call);
        self.open_leg(call, false);
        self.tell_state(call);
        call
    }

    /// Opens a leg with an invitation, if the line is there; otherwise that is done when it is.
    pub(crate) fn open_leg(&mut self, id: u32, again: bool) {
        let Some(up) = self.up() else { return };
        let leg = Leg(up.next_leg);
        // Odd ones, and never chaff's.
        up.next_leg = up.next_leg.wrapping_add(2);
        let at = self.wall();
        let Some(call) = self.calls.get_mut(&id) else { return };
        let (contact, name, continues) = (call.contact, call.name, call.arriving.is_some());
        let joins = match call.join {
            Some(Join::Asks { listens }) => Some(listens),
            _ => None,
        };
        let precedence = call.precedence;
        let old = call.leg.replace(leg);
        if let Stage::Outgoing(outgoing) = &mut call.stage {
            outgoing.opened();
        }
        if let Some(old) = old {
            self.send(Channel::Signal, &LineUp::Close { leg: old });
        }
        let invite = match (continues, joins) {
            (true, _) => Ok(ContactMessage::Continue { call: name, at }),
            (_, Some(listens)) => Ok(ContactMessage::Join { call: name, at, listens }),
            _ => invitation(ContactMessage::Invite { call: name, at, again }, precedence),
        };
        let envelope = invite
            .and_then(|invite| self.seal_for(contact, &invite))
            .and_then(|body| self.envelope(contact, body));
        let exchange = self.contacts.get(&contact).map(|c| c.row.exchange.clone());
        match (envelope, exchange) {
            (Ok(envelope), Some(exchange)) => {
                self.after(Effect::Open(id, leg, LineUp::Open { leg, exchange, envelope }));
                if joins.is_none() {
                    self.say_behalf(id);
                }
            }
            // Without keys there is nobody to call: the contact was ended meanwhile.
            _ => self.end_call(id, End::Unreachable),
        }
    }

    /// Says something in the contact group over a leg, once its ratchet step is on disk.
    pub(crate) fn say_over_leg(&mut self, contact: u32, leg: Leg, message: &ContactMessage) {
        self.say_over_leg_by(Channel::Signal, contact, leg, message);
    }

    /// The same, on a channel of the line.
    pub(crate) fn say_over_leg_by(
        &mut self,
        channel: Channel,
        contact: u32,
        leg: Leg,
        message: &ContactMessage,
    ) {
        if let Ok(body) = self.seal_for(contact, message)
            && let Ok(body) = crate::mail::blob(body)
        {
            self.send_after(channel, LineUp::LegData { leg, body });
        }
    }

    /// Says something in the call group. Its keys are of this run of the program, so no row has to wait.
    pub(crate) fn say_in_call(&mut self, id: u32, message: &CallMessage) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let (Some(leg), Some(body)) = (call.leg, seal_in_call(call, message)) else { return };
        if let Ok(body) = crate::mail::blob(body) {
            self.send(Channel::Signal, &LineUp::LegData { leg, body });
        }
    }

    pub(crate) fn rings_there(&mut self, contact: u32, name: CallId) {
        if self.brings_rings(contact, name) || self.relay_reached(contact, name) {
            return;
        }
        if let Some(id) = self.placing(contact, name)
            && let Some(Stage::Outgoing(call)) = self.calls.get_mut(&id).map(|c| &mut c.stage)
        {
            call.ringing();
            self.tell_state(id);
        }
    }

    /// Busy or declined. In a call under way: the other handset does not know it any more.
    pub(crate) fn refused_there(&mut self, contact: u32, name: CallId, end: End) {
        if self.brings_refused(contact, name, end) || self.relay_refused(contact, name) {
            return;
        }
        if let Some(id) = self.placing(contact, name) {
            return self.end_call(id, end);
        }
        let lost = |c: &Call| {
            c.name == name
                && c.contact == contact
                && matches!(&c.stage, Stage::Active(active) if active.is_lost())
        };
        if let Some((id, call)) = self.calls.iter().find(|(_, c)| lost(c)) {
            match (*id, call.moving.is_some()) {
                // It went on at the other handset while the way was lost.
                (id, true) => self.move_done(id),
                (id, false) => self.end_call(id, End::Lost),
            }
        }
    }

    fn placing(&self, contact: u32, name: CallId) -> Option<u32> {
        let placed = |c: &Call| {
            c.contact == contact && c.name == name && matches!(c.stage, Stage::Outgoing(_))
        };
        self.calls.iter().find(|(_, c)| placed(c)).map(|(id, _)| *id)
    }

    /// A leg is gone.
    pub(crate) fn leg_closed(&mut self, leg: Leg, reason: Closure) {
        self.early.retain(|(early, ..)| *early != leg);
        if let Some(id) = self.bringing_on(leg) {
            return self.bringing_closed(id, leg, reason);
        }
        if let Some((id, _)) = self.relay_on(leg) {
            return self.relay_closed(id, leg);
        }
        if let Some(id) = self.arrival_on(leg) {
            return self.drop_arrival(id);
        }
        let Some(id) = self.call_on(leg) else { return };
        let now = self.now;
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.leg = None;
        let stands = call.asked.as_ref().is_some_and(|asked| asked.stands);
        let end = match &mut call.stage {
            Stage::Outgoing(outgoing) => outgoing.closed(now, reason).err(),
            Stage::Incoming(_) => match reason {
                Closure::Elsewhere => Some(End::Elsewhere),
                // Whoever is called has it in the own history.
                _ if stands => Some(End::Cancelled),
                _ => Some(End::Missed),
            },
            Stage::Answering(_) => match reason {
                // Another handset was faster.
                Closure::Elsewhere => Some(End::Elsewhere),
                _ if stands => Some(End::Lost),
                _ => Some(End::Missed),
            },
            Stage::Active(_) if reason == Closure::Elsewhere => Some(End::Elsewhere),
            // Nobody can ring who was brought in by somebody else.
            Stage::Active(_) if call.room.is_some() => Some(End::Lost),
            Stage::Active(active) => {
                active.lost(now);
                None
            }
            Stage::Over { .. } => return,
        };
        match end {
            Some(end) => self.end_call(id, end),
            None => {
                self.tell_state(id);
                self.arrival_goes_on(id);
            }
        }
        self.voice_follows();
    }

    /// The call of that name with a contact, unless it is over.
    pub(crate) fn live(&self, contact: u32, name: CallId) -> Option<u32> {
        let same = |c: &Call| c.name == name && c.contact == contact && !c.is_over();
        self.calls.iter().find(|(_, c)| same(c)).map(|(id, _)| *id)
    }

    pub(crate) fn call_on(&self, leg: Leg) -> Option<u32> {
        self.calls.iter().find(|(_, c)| c.leg == Some(leg)).map(|(id, _)| *id)
    }

    pub(crate) fn hang_up(&mut self, id: u32) -> Result<(), InputError> {
        let call = self.call_mut(id)?;
        let end = match &call.stage {
            Stage::Outgoing(_) => End::Cancelled,
            Stage::Incoming(_) => return self.decline(id),
            Stage::Answering(_) | Stage::Active(_) => End::ByMe,
            Stage::Over { .. } => {
                self.calls.remove(&id);
                return Ok(());
            }
        };
        if end == End::ByMe {
            self.say_goodbye(id);
        }
        self.end_call(id, end);
        Ok(())
    }

    /// The call that is being placed to a contact, if there is one.
    fn crossing(&self, contact: u32) -> Option<(u32, CallId)> {
        let mine = |c: &Call| {
            let rings = matches!(c.stage, Stage::Outgoing(_)) && c.join.is_none();
            c.contact == contact && rings && c.arriving.is_none()
        };
        self.calls.iter().find(|(_, c)| mine(c)).map(|(id, c)| (*id, c.name))
    }
}

/// The sealed body of a message in the call group.
pub(crate) fn seal_in_call(call: &mut Call, message: &CallMessage) -> Option<Vec<u8>> {
    if let Some(room) = &mut call.room {
        return room.seal(message);
    }
    let bytes = message.encode();
    let bucket = seal::group::Bucket::holding(bytes.len())?;
    let keyed = call.keyed.first_mut()?;
    let message = keyed.group.encrypt(&bytes, bucket).ok()?;
    Some(Sealed::Call { message: wire::Blob::new(message).ok()? }.encode())
}
