//! A call of more than two, as one handset has it: its group, who is who, and whose voice is heard.
//!
//! ```text
//!  LegData(Call) ─► peek ─┬ commit ─► kept until somebody speaks in its epoch
//!                         ├ of that epoch ─► the commit is entered, then it is opened
//!                         └ of this epoch ─► opened ─► word ─► call::Conference ─► acts: say, add, remove, merge
//! ```
//!
//! What is decided, is decided in [`call::conference`]; here are keys, bytes and names. Each member counts
//! for what its device key was introduced as by whoever let it in; a device that was not introduced only listens.

mod asked;
mod bring;
mod enter;
mod facts;
#[cfg(feature = "adversary")]
mod forger;
mod needs;
mod sound;
mod view;
mod words;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use call::conference::{Act, Conference, Word};
use call::vouch::Spoken;
use call::{CallState, End, Needs};
use link::Channel;
use seal::group::{Bucket, Group};
use seal::identity::DevicePub;
use seal::sframe::{Opener, Sealer};
use wire::limits::NAME_MAX;
use wire::line::LineUp;
use wire::talk::{CallMessage, Role, Sealed};
use wire::{Blob, Leg, Precedence, Text, Time};

pub(crate) use asked::Asked;
pub(crate) use bring::Bringing;
#[cfg(feature = "adversary")]
pub(crate) use forger::Forger;
pub(crate) use sound::Ear;
pub use view::{BringingView, MemberView, RoomStage, RoomView};

use crate::event::Event;
use crate::machine::Phone;
use crate::mail::blob;
use crate::ring::{Call, Stage};

/// So many frames of whoever was just connected give way to the word that says so. Until it is there, nobody plays them.
const OPENING: u8 = 3;
/// Most messages that wait for a commit.
const AHEAD_MAX: usize = 32;

/// A call of more than two.
pub(crate) struct Room {
    pub(crate) machine: Conference<Sealer>,
    group: Group,
    /// Who is or was in it, this handset's person too, by device.
    people: BTreeMap<[u8; 32], Person>,
    /// Of each member, the device that it said stands in for its person. It counts when that one comes in by that member's change.
    stands_said: BTreeMap<[u8; 32], [u8; 32]>,
    /// Who stands in for whom: by device, the name of that person.
    stands_for: BTreeMap<[u8; 32], String>,
    /// Whom each member said last that it lets in. It counts if that member's change does.
    promised: BTreeMap<[u8; 32], ([u8; 32], Person)>,
    ears: BTreeMap<u32, Ear>,
    /// What this member sent, and told of.
    spoken: Spoken,
    /// Opens what comes in this member's own name.
    mine: Opener,
    /// The change to the next epoch, before anybody has spoken in it.
    kept: Option<Vec<u8>>,
    /// Messages of epochs to come.
    ahead: VecDeque<Vec<u8>>,
    pub(crate) bringing: Vec<Bringing>,
    /// The newcomer for whom the own change was made: its leg and its device.
    adding: Option<(Leg, DevicePub)>,
    /// Who is expected, and of which office, as the attendant said.
    expected: (String, String),
    announcing: bool,
    /// Devices whose office keeps a record of the call.
    on_record: BTreeSet<[u8; 32]>,
    /// This handset's person could speak in it.
    spoke: bool,
    /// Who has to be in it before those who stay are connected.
    needs: Needs,
    /// What contacts said of that.
    needs_told: BTreeMap<u32, Needs>,
    /// What was said of it to whoever asked this person in.
    needs_said: Needs,
    /// With which precedence this member brings others in.
    urges: Precedence,
    /// With which precedence it is arranged, as attendants say.
    urgency: Precedence,
    /// Frames that still give way.
    opening: u8,
    over: Option<End>,
}

/// Who a device is.
#[derive(Clone)]
struct Person {
    role: Role,
    name: Text<NAME_MAX>,
    office: Text<NAME_MAX>,
}

impl Room {
    fn new(machine: Conference<Sealer>, group: Group, mine: Opener) -> Self {
        Room {
            machine,
            group,
            people: BTreeMap::new(),
            stands_said: BTreeMap::new(),
            stands_for: BTreeMap::new(),
            promised: BTreeMap::new(),
            ears: BTreeMap::new(),
            spoken: Spoken::default(),
            mine,
            kept: None,
            ahead: VecDeque::new(),
            bringing: Vec::new(),
            adding: None,
            expected: (String::new(), String::new()),
            announcing: false,
            on_record: BTreeSet::new(),
            spoke: false,
            needs: Needs::default(),
            needs_told: BTreeMap::new(),
            needs_said: Needs::default(),
            urges: Precedence::Routine,
            urgency: Precedence::Routine,
            opening: 0,
            over: None,
        }
    }

    /// The sealed body of a message to all.
    pub(crate) fn seal(&mut self, message: &CallMessage) -> Option<Vec<u8>> {
        let bytes = message.encode();
        let bucket = match message {
            CallMessage::Spoke { .. } if bytes.len() <= Bucket::Voice.room() => Bucket::Voice,
            _ if bring::word(message).is_some() => Bucket::Word,
            _ => Bucket::holding(bytes.len())?,
        };
        let message = self.group.encrypt(&bytes, bucket).ok()?;
        Some(Sealed::Call { message: Blob::new(message).ok()? }.encode())
    }

    /// What a device counts for.
    fn role_of(&self, device: DevicePub) -> Role {
        self.people.get(&device.0).map_or(Role::NoteTaker, |person| person.role)
    }

    fn roles(&self) -> BTreeMap<u32, Role> {
        let members = self.group.members().iter();
        members.map(|m| (m.leaf, self.role_of(m.device.device()))).collect()
    }

    /// Whether this handset's person speaks to those who are held.
    pub(crate) fn is_announcing(&self) -> bool {
        self.announcing
    }

    /// Whether this handset's person could speak at any time.
    pub(crate) fn has_spoken(&self) -> bool {
        self.spoke
    }

    /// Whether a device has its keys, and has not gone.
    pub(crate) fn has(&self, device: DevicePub) -> bool {
        let its = |m: &&seal::group::Member| m.device.device() == device;
        let member = self.group.members().iter().find(its);
        member.is_some_and(|m| !self.machine.is_gone(m.leaf))
    }

    /// Whether this person can speak in it, in an epoch that a device is not in.
    pub(crate) fn is_connected_without(&self, device: DevicePub) -> bool {
        let connected = self.stage() == RoomStage::Connected;
        connected && self.group.members().iter().all(|m| m.device.device() != device)
    }

    /// Why whoever was let in on a leg did not come in.
    pub(crate) fn not_in(&self, leg: Leg) -> Option<End> {
        self.bringing.iter().find(|b| b.leg == leg).and_then(|b| b.over)
    }

    /// Whether somebody may come in by itself: nobody arranges it or is being brought in, and there is room.
    pub(crate) fn may_join(&self, identity: wire::IdentityPub, role: Role) -> bool {
        let inside = self.group.members().iter().any(|m| m.device.principal() == identity);
        let alone = self.bringing.iter().all(|b| b.over.is_some());
        let quiet = self.stage() == RoomStage::Connected;
        quiet && alone && !inside && self.machine.has_room(role)
    }

    pub(crate) fn state(&self) -> CallState {
        use call::handover::Party;
        match self.machine.party() {
            Some(Party::Held(_)) => CallState::HeldByOther,
            Some(Party::Handing(_) | Party::Confirming(_)) => CallState::Connecting,
            _ => CallState::Connected,
        }
    }

    /// Whether the next frame of voice leaves its room to a word that has not left yet.
    pub(crate) fn gives_way(&mut self, unsent: bool) -> bool {
        let waits = unsent && self.opening > 0;
        self.opening = if waits { self.opening - 1 } else { 0 };
        waits
    }

    pub(crate) fn deadline(&self) -> Time {
        let rings = self.bringing.iter().filter(|b| b.over.is_none()).map(|b| b.deadline).min();
        self.machine.deadline().min(rings.unwrap_or(Time::NEVER))
    }
}

impl Phone {
    /// Does something in the room of a call, and what follows from it.
    pub(crate) fn in_room<R>(
        &mut self,
        id: u32,
        what: impl FnOnce(&mut Phone, &mut Room) -> R,
    ) -> Option<R> {
        let mut room = self.calls.get_mut(&id)?.room.take()?;
        let before = room.state();
        let result = what(self, &mut room);
        self.do_acts(id, &mut room);
        let (after, over, now) = (room.state(), room.over, self.now);
        if before != after && after == CallState::Connected {
            room.opening = OPENING;
        }
        let closed = |c: &Call| matches!(&c.stage, Stage::Active(active) if active.is_closed());
        let can = after == CallState::Connected && !self.calls.get(&id).is_some_and(closed);
        let speaks = can && !core::mem::replace(&mut room.spoke, true);
        if let Some(call) = self.calls.get_mut(&id) {
            call.room = Some(room);
            if let (Stage::Active(active), true, true) =
                (&mut call.stage, speaks, call.asked.is_some())
            {
                // Who was held is in the call from here on.
                active.begins(now);
            }
        }
        self.record_room(id);
        match over {
            Some(end) => self.end_call(id, end),
            None => {
                if before != after {
                    self.tell_state(id);
                    self.voice_follows();
                }
                self.relay_follows(id);
            }
        }
        Some(result)
    }

    /// Does what the call's machine asks for, until it asks for nothing.
    fn do_acts(&mut self, id: u32, room: &mut Room) {
        while let Some(act) = room.machine.poll() {
            if room.over.is_some() {
                // It has said that it leaves.
                continue;
            }
            match act {
                Act::Say(word) => self.say_in_room(id, room, &message(word)),
                Act::Add => self.add_newcomer(id, room),
                Act::Remove(leaves) => match room.group.remove(&leaves) {
                    Ok(commit) => self.give_out(id, room, commit),
                    Err(_) => self.dropped += 1,
                },
                Act::Discard => {
                    self.void_entry(id, room);
                    // There is one, or nothing to forget.
                    let _ = room.group.discard_pending();
                }
                Act::Merge => self.merge_own(id, room),
                Act::End(end) => room.over = Some(end),
            }
        }
    }

    fn say_in_room(&mut self, id: u32, room: &mut Room, message: &CallMessage) {
        if let Some(body) = room.seal(message).and_then(|body| blob(body).ok()) {
            self.send_to_room(id, body);
        }
    }

    /// Gives a commit out. It is sealed by the group itself. It is long: what was said so far is told before.
    fn give_out(&mut self, id: u32, room: &mut Room, commit: Vec<u8>) {
        self.tell_spoken(id, room);
        let body = blob(commit).map(|message| Sealed::Call { message }.encode());
        if let Ok(body) = body.and_then(blob) {
            self.send_to_room(id, body);
        }
    }

    fn send_to_room(&mut self, id: u32, body: Blob<{ wire::limits::BODY_MAX }>) {
        if let Some(leg) = self.calls.get(&id).and_then(|call| call.leg) {
            self.send(Channel::Signal, &LineUp::LegData { leg, body });
        }
    }

    /// What time does to calls of more than two.
    pub(crate) fn room_tick(&mut self, id: u32) {
        let now = self.now;
        self.in_room(id, |phone, room| {
            room.machine.tick(now);
            phone.rings_run_out(id, room);
        });
    }

    /// The other one of a call between two says something about a call of more.
    pub(crate) fn room_begins(&mut self, id: u32, message: CallMessage) {
        if self.open_room(id).is_err() {
            self.dropped += 1;
            return;
        }
        self.in_room(id, |phone, room| {
            let own = room.group.own_leaf();
            let other = room.group.members().iter().find(|m| m.leaf != own).copied();
            if let Some(other) = other {
                let epoch = room.group.epoch();
                phone.room_word(id, room, other, epoch, message);
            }
        });
    }

    /// The call is over here: nobody is rung for it any more.
    pub(crate) fn close_room(&mut self, room: &Room) {
        for b in room.bringing.iter().filter(|b| b.over.is_none()) {
            self.send(Channel::Signal, &LineUp::Close { leg: b.leg });
        }
    }

    pub(crate) fn room_changed(&mut self, id: u32) {
        self.tell(Event::Room { call: id });
    }
}

/// A word of the call's machine, as it is said.
fn message(word: Word) -> CallMessage {
    match word {
        Word::Want { now } => CallMessage::Want { now },
        Word::Baton { to } => CallMessage::Baton { to },
        Word::Connect => CallMessage::Connect {},
        Word::Confirmed => CallMessage::Confirmed {},
        Word::Announce { on } => CallMessage::Announce { on },
        Word::Here => CallMessage::Here {},
        Word::HangUp => CallMessage::HangUp {},
    }
}
