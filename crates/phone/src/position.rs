//! A switchboard position: calls that wait, calls that are parked, contacts that are rung again until they are free.
//!
//! ```text
//!  comes in ─► speaks with nobody ─► rings         position on, and a call under way ─► rings beside it: the queue
//!  Answer ──► the call under way is held ─► this one has the floor
//!  Park ────► held, with a reason ─► so long ─► Recall, once ─► Hold{off}, or parked again
//!  Camp ────► rung again under its old name while it says busy, every 20 s, when nobody else speaks, until its time is over
//! ```
//!
//! Whoever did not turn the position on is busy in a call, as ever, but for a more urgent one (`urgent.rs`). One call has the floor ([`call::Floor`]): whatever takes it
//! puts the others on hold before. Parked calls and camps end with the program; whether it is a position does not.

use core::time::Duration;
use std::collections::BTreeMap;

use call::precedence::{self, Here, Place, Places};
use call::{Busyness, CallState, Direction, End, Outgoing};
use wire::limits::REASON_MAX;
use wire::{CallId, Precedence, Time, Wall};

use crate::command::InputError;
use crate::event::Event;
use crate::machine::Phone;
use crate::ring::{CALLS_MAX, Call, Stage};
use crate::rows::{self, PositionRow};
use crate::transfer::Arriving;

/// Most calls that wait.
const WAITING_MAX: usize = 8;
/// How long a call is parked before its attendant is reminded of it, unless said otherwise.
pub(crate) const RECALL: Duration = Duration::from_secs(180);
/// Shortest and longest of it.
const RECALL_MIN: Duration = Duration::from_secs(10);
const RECALL_MAX: Duration = Duration::from_secs(3_600);
/// How often a contact that is busy is rung again.
const CAMP_EVERY: Duration = Duration::from_secs(20);
/// How soon it is tried again when this handset was busy itself.
const CAMP_SOON: Duration = Duration::from_secs(2);
/// Longest time for which that goes on.
const CAMP_MAX: Duration = Duration::from_secs(3_600);
/// Most contacts at once.
const CAMPS_MAX: usize = 8;

/// The position, on this handset.
#[derive(Default)]
pub(crate) struct Position {
    /// After how long a parked call is recalled; `None`: this handset is no position.
    pub(crate) recall: Option<Duration>,
    /// By contact.
    camps: BTreeMap<u32, Camp>,
}

/// A call that is put aside.
pub(crate) struct Parked {
    pub(crate) view: ParkedView,
    pub(crate) recall: Time,
}

impl Parked {
    pub(crate) fn deadline(&self) -> Time {
        if self.view.recalled { Time::NEVER } else { self.recall }
    }
}

/// A contact that is rung again.
struct Camp {
    /// The call that found it busy: it is rung again under this name, so that its history has one call.
    name: CallId,
    /// As urgent as that one was, while the contact lets it.
    precedence: Precedence,
    next: Time,
    until: Time,
    until_wall: Wall,
    /// It is being rung.
    call: Option<u32>,
}

/// A call that is put aside, on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParkedView {
    /// Why.
    pub reason: String,
    /// Since when.
    pub since: Wall,
    /// When its attendant is reminded of it.
    pub recall: Wall,
    /// That was done.
    pub recalled: bool,
}

/// A contact that is rung again until it is free, on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CampView {
    /// Whom.
    pub contact: u32,
    /// Until when, if it stays busy.
    pub until: Wall,
    /// It is being rung.
    pub rings: bool,
}

impl Phone {
    // ---- the floor -----------------------------------------------------------------------------

    /// This call has the floor from now on: all others are held before.
    pub(crate) fn take_floor(&mut self, id: u32) {
        self.hold_others(id);
        self.floor.give(id);
    }

    /// One conversation at a time.
    pub(crate) fn hold_others(&mut self, id: u32) {
        for other in self.spoken_in(id) {
            self.set_hold(other, true);
        }
    }

    /// The call that is heard from here, if it is connected.
    pub(crate) fn talking(&self) -> Option<u32> {
        let connected = |id: &u32| self.state_of(*id) == Some(CallState::Connected);
        self.floor.holder().filter(connected)
    }

    fn state_of(&self, id: u32) -> Option<CallState> {
        self.calls.get(&id).map(Call::state)
    }

    /// An attempt to reach somebody who was busy gives way to what a person does.
    pub(crate) fn camps_give_way(&mut self) {
        let tries: Vec<u32> =
            self.position.camps.values_mut().filter_map(|c| c.call.take()).collect();
        for call in tries {
            if self.calls.get(&call).is_some_and(|c| matches!(c.stage, Stage::Outgoing(_))) {
                self.end_call(call, End::Cancelled);
            }
        }
    }

    /// Nobody but call `id` is being called or answered.
    pub(crate) fn nobody_between(&mut self, id: u32) -> Result<(), InputError> {
        self.camps_give_way();
        // A call that comes from another handset and stays on hold asks for no floor.
        let between = |c: &Call| match c.stage {
            Stage::Outgoing(_) => c.arriving.as_ref().is_none_or(|a| !a.is_held()),
            Stage::Answering(_) => !c.is_passed(),
            _ => false,
        };
        match self.calls.iter().any(|(other, c)| *other != id && between(c)) {
            true => Err(InputError::WrongState(
                "a call is being placed or answered: wait until it is, or end it",
            )),
            false => Ok(()),
        }
    }

    // ---- the queue -----------------------------------------------------------------------------

    /// Whether one more call may ring, and which one that waits gives way to it then.
    pub(crate) fn busyness(&self, comes: Precedence) -> (Busyness, Option<u32>) {
        let here = self.calls.iter().filter(|(_, c)| !c.is_over()).map(|(id, c)| Here {
            id: *id,
            precedence: c.urgency(),
            waits: matches!(c.stage, Stage::Incoming(_)),
        });
        let places = match self.position.recall {
            Some(_) => Places::Position { waiting: WAITING_MAX, all: CALLS_MAX },
            None => Places::Handset,
        };
        match precedence::place(&here.collect::<Vec<_>>(), places, comes) {
            Place::Free => (Busyness::Free, None),
            Place::InsteadOf(call) => (Busyness::Free, Some(call)),
            Place::None => (Busyness::InCall, None),
        }
    }

    /// Whether a call leaves room for another one to be placed: it is over, held, or waits in the queue.
    pub(crate) fn leaves_room(&self, call: &Call) -> bool {
        match &call.stage {
            Stage::Over { .. } => true,
            // Nobody here speaks in it.
            Stage::Active(_) | Stage::Answering(_) if call.is_passed() => true,
            Stage::Active(active) => active.is_held_by_me(),
            Stage::Incoming(_) => self.position.recall.is_some(),
            Stage::Outgoing(_) => call.arriving.as_ref().is_some_and(Arriving::is_held),
            Stage::Answering(_) => false,
        }
    }

    /// This handset is a position, or no longer.
    pub(crate) fn set_position(&mut self, recall: Option<Duration>) {
        self.position.recall = recall.map(|time| time.clamp(RECALL_MIN, RECALL_MAX));
        let row = PositionRow::new(self.position.recall);
        self.desk.put(rows::POSITION, Vec::new(), row.encode());
        self.watch_lines();
    }

    // ---- parking -------------------------------------------------------------------------------

    /// Puts a call aside. `recall`: after how long its attendant is reminded.
    pub(crate) fn park(
        &mut self,
        id: u32,
        reason: String,
        recall: Option<Duration>,
    ) -> Result<(), InputError> {
        if reason.len() > REASON_MAX {
            return Err(InputError::TooLong { what: "reason", max: REASON_MAX });
        }
        let time = recall.or(self.position.recall).unwrap_or(RECALL);
        let time = time.clamp(RECALL_MIN, RECALL_MAX);
        let (now, at) = (self.now, self.wall());
        self.hold(id, true)?;
        let call = self.call_mut(id)?;
        // Parked again: it waits since it was first.
        let since = call.parked.as_ref().map_or(at, |p| p.view.since);
        let recall = Wall(at.0.saturating_add(time.as_secs()));
        let view = ParkedView { reason, since, recall, recalled: false };
        call.parked = Some(Parked { view, recall: now + time });
        Ok(())
    }

    /// A parked call has waited long enough.
    pub(crate) fn recall_tick(&mut self, id: u32) {
        let now = self.now;
        let parked = self.calls.get_mut(&id).and_then(|c| c.parked.as_mut());
        if let Some(parked) = parked.filter(|p| p.deadline() <= now) {
            parked.view.recalled = true;
            self.tell(Event::Recall { call: id });
        }
    }

    // ---- camping on busy -----------------------------------------------------------------------

    /// Rings a contact that said busy again, until it is free.
    pub(crate) fn camp(&mut self, contact: u32, time: Duration) -> Result<(), InputError> {
        let now = self.now;
        self.contact_mut(contact)?;
        let with = |h: &&call::Entry| h.contact == contact && h.direction == Direction::Placed;
        let (name, precedence) = match self.history.values().rev().find(with) {
            Some(entry) if entry.end == End::Busy => (entry.call, entry.precedence),
            _ => return Err(InputError::WrongState("the contact has not said that it is busy")),
        };
        if !self.position.camps.contains_key(&contact) && self.position.camps.len() >= CAMPS_MAX {
            return Err(InputError::TooMany("contacts that are rung again"));
        }
        let time = time.min(CAMP_MAX);
        let until_wall = Wall(self.wall().0.saturating_add(time.as_secs()));
        let (next, until) = (now + CAMP_EVERY, now + time);
        let camp = Camp { name, precedence, next, until, until_wall, call: None };
        self.position.camps.insert(contact, camp);
        Ok(())
    }

    /// No longer. An attempt that is under way ends.
    pub(crate) fn end_camp(&mut self, contact: u32) -> Result<(), InputError> {
        let camp = self.position.camps.remove(&contact);
        let camp = camp.ok_or(InputError::NoSuch("contact that is rung again"))?;
        if let Some(call) = camp.call {
            self.end_call(call, End::Cancelled);
        }
        Ok(())
    }

    /// Rings who is due, if nobody speaks and nobody is being rung.
    pub(crate) fn camps_tick(&mut self) {
        let now = self.now;
        let over = |c: &Camp| c.call.is_none() && c.until <= now;
        let ended: Vec<u32> =
            self.position.camps.iter().filter(|(_, c)| over(c)).map(|(id, _)| *id).collect();
        for contact in ended {
            self.position.camps.remove(&contact);
            self.tell(Event::CampOver { contact });
        }
        let due = |c: &Camp| c.call.is_none() && c.next <= now;
        let due: Vec<u32> =
            self.position.camps.iter().filter(|(_, c)| due(c)).map(|(id, _)| *id).collect();
        for contact in due {
            let free = self.attached() && self.calls.values().all(|c| self.leaves_room(c));
            let placed = if free { self.try_camp(contact) } else { None };
            if let Some(camp) = self.position.camps.get_mut(&contact) {
                (camp.call, camp.next) = (placed, now + CAMP_SOON);
            }
        }
    }

    fn try_camp(&mut self, contact: u32) -> Option<u32> {
        let camp = self.position.camps.get(&contact)?;
        let (name, precedence) = (camp.name, camp.precedence);
        self.may_place(contact).ok()?;
        let mut call = Call::new(name, contact, Direction::Placed, self.wall());
        call.stage = Stage::Outgoing(Outgoing::place(self.now, self.patience));
        call.precedence = precedence.min(self.contacts.get(&contact)?.grant.theirs);
        Some(self.begin_call(call))
    }

    /// A call is over: if it was an attempt, it is known now whether there will be another.
    pub(crate) fn camp_ends(&mut self, id: u32, end: End) {
        let now = self.now;
        let mut all = self.position.camps.iter_mut();
        let Some((contact, camp)) = all.find(|(_, c)| c.call == Some(id)) else { return };
        let contact = *contact;
        match end {
            End::Busy => {
                (camp.call, camp.next) = (None, now + CAMP_EVERY);
            }
            _ => {
                self.position.camps.remove(&contact);
            }
        }
    }

    /// A call to the contact was answered, by whichever side: nobody has to ring it again.
    pub(crate) fn camp_met(&mut self, contact: u32) {
        self.position.camps.remove(&contact);
    }

    pub(crate) fn position_deadline(&self) -> Time {
        let camp = |c: &Camp| match c.call {
            Some(_) => Time::NEVER,
            None => c.next.min(c.until),
        };
        self.position.camps.values().map(camp).fold(Time::NEVER, Time::min)
    }

    pub(crate) fn camp_views(&self) -> Vec<CampView> {
        let view = |(contact, c): (&u32, &Camp)| CampView {
            contact: *contact,
            until: c.until_wall,
            rings: c.call.is_some(),
        };
        self.position.camps.iter().map(view).collect()
    }
}
