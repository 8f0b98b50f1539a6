//! A call between two goes on at another handset of the same person, and comes back.
//!
//! ```text
//!  handset that has it              the person's other handset             the other side
//!  Move ─ MoveOffer (mail) ───────► offered; its person takes it
//!    └─── Move{to} (call group) ─────────────────────────────────────────► lets that one in, and no other
//!                                   Open{Continue} ══════════════════════► Take, KeyPackage
//!                                   makes a call group: Prepare ═════════► joins
//!  microphone closed for good ◄─────────────────────────────── MoveReady ─┤
//!    └─── Moved ─────────────────────────────────────────────────────────► decides: the keys of the old one are
//!  over here ◄────────────────────────────────────────── MoveDone, Close ─┤  forgotten, or MoveStay
//!                                   microphone opens ◄══════════ Answer ══┘
//! ```
//!
//! The other side decides, once, and whoever has the call closed its microphone before: **two handsets of one person never have an open
//! microphone in one call**. The keys are new, so the handset that left can open nothing. Until the decision nothing changes: the call
//! goes on where it was.
//!
//! If the way to whoever has the call is lost, its word is not waited for: a handset that the other side knows from this call, or was
//! told of, goes on with it. The old one may not have noticed yet; what it says then goes nowhere, under keys that are forgotten.
//!
//! Calls of more than two stay where they are (docs/decisions/0060).

mod other;

pub(crate) use other::Change;

use core::time::Duration;
use std::collections::BTreeMap;

use call::{Direction, End, Outgoing};
use seal::identity::DevicePub;
use wire::talk::{CallMessage, SiblingMessage};
use wire::{CallId, Precedence, Text, Time, Wall};

use crate::command::InputError;
use crate::event::Event;
use crate::machine::Phone;
use crate::position::{Parked, ParkedView};
use crate::ring::{CALLS_MAX, Call, Stage};

/// How long a call is offered to another handset.
const OFFER_FOR: Duration = Duration::from_secs(60);
/// How long a handset tries to go on with a call.
const ARRIVE_WITHIN: Duration = Duration::from_secs(15);
/// Most offers that wait for their person.
const OFFERS_MAX: usize = 16;
/// Most calls of this handset that are remembered to be elsewhere.
const ELSEWHERE_MAX: usize = 16;

/// What a handset knows of calls that come and go between it and its siblings.
#[derive(Default)]
pub(crate) struct Transfers {
    next: u32,
    offers: BTreeMap<u32, Offer>,
    elsewhere: BTreeMap<u32, Elsewhere>,
}

/// A call that another handset of this person offers.
struct Offer {
    sibling: u32,
    until: Time,
    came: Coming,
}

/// A call that was here, and is with another handset.
struct Elsewhere {
    sibling: u32,
    name: CallId,
    contact: u32,
    began: Wall,
    direction: Direction,
    precedence: Precedence,
}

/// What a handset needs to go on with a call.
#[derive(Clone)]
pub(crate) struct Coming {
    name: CallId,
    contact: u32,
    began: Wall,
    direction: Direction,
    precedence: Precedence,
    held: bool,
    parked: Option<ParkedView>,
}

/// This handset has the call, and means to give it to another one.
pub(crate) struct Moving {
    pub(crate) sibling: u32,
    pub(crate) to: DevicePub,
    until: Time,
    /// With the whole position.
    pub(crate) shift: bool,
}

/// This handset is about to have the call.
pub(crate) struct Arriving {
    /// From which.
    sibling: u32,
    held: bool,
    parked: Option<ParkedView>,
}

impl Arriving {
    /// It does not ask for the floor: whoever is on hold stays so.
    pub(crate) fn is_held(&self) -> bool {
        self.held
    }
}

/// A call that another handset offers, on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferView {
    /// Its number.
    pub id: u32,
    /// By which handset.
    pub from: u32,
    /// With whom.
    pub contact: u32,
    /// It is on hold, and stays so.
    pub held: bool,
    /// Why it is put aside there.
    pub reason: Option<String>,
}

/// A call that was here and is with another handset, on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ElsewhereView {
    /// Its number.
    pub id: u32,
    /// Which handset.
    pub on: u32,
    /// With whom.
    pub contact: u32,
}

/// Where a call is going, on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MovingView {
    /// To which handset.
    pub to: u32,
    /// It has the keys: this microphone is closed.
    pub closed: bool,
}

impl Phone {
    // ---- the handset that has the call ---------------------------------------------------------

    /// A person wants to go on with a call at another own handset.
    pub(crate) fn move_call(
        &mut self,
        id: u32,
        sibling: u32,
        shift: Option<[u8; 16]>,
    ) -> Result<(), InputError> {
        let to = self.other_handset(sibling)?;
        let (at, until) = (self.wall(), self.now + OFFER_FOR);
        let call = self.call_mut(id)?;
        let held = call.may_move()?;
        let (contact, name, began) = (call.contact, call.name, call.at);
        let precedence = call.precedence;
        let placed = call.direction == Direction::Placed;
        let parked = call.parked.as_ref().map(|p| p.view.clone());
        let number = self.first_number(contact)?;
        let (reason, since, recall) =
            parked.map_or((String::new(), Wall(0), Wall(0)), |p| (p.reason, p.since, p.recall));
        // It fits: it was checked when the call was put aside.
        let reason = Text::new(reason).unwrap_or_default();
        let offer = SiblingMessage::MoveOffer {
            call: name,
            number,
            at,
            began,
            placed,
            held,
            reason,
            since,
            recall,
            precedence,
            shift: shift.unwrap_or_default(),
        };
        self.mail_sibling(sibling, &offer)?;
        self.say_in_call(id, &CallMessage::Move { to: to.0 });
        self.call_mut(id)?.moving = Some(Moving { sibling, to, until, shift: shift.is_some() });
        Ok(())
    }

    pub(crate) fn other_handset(&self, sibling: u32) -> Result<DevicePub, InputError> {
        let known = self.all_siblings().contains(&sibling);
        let record = self.contacts.get(&sibling).filter(|_| known);
        let record = record.ok_or(InputError::NoSuch("other handset of yours"))?;
        record.devices().first().copied().ok_or(InputError::WrongState("no device is there"))
    }

    /// How the first handset numbers a contact.
    pub(crate) fn first_number(&self, contact: u32) -> Result<u32, InputError> {
        let record = self.contacts.get(&contact).ok_or(InputError::NoSuch("contact"))?;
        match (self.identity.is_some(), record.row.shared) {
            (true, _) => Ok(contact),
            (false, 0) => {
                Err(InputError::WrongState("the first handset does not have this contact"))
            }
            (false, number) => Ok(number),
        }
    }

    /// This handset's number of a contact that the first one numbers so.
    pub(crate) fn own_number(&self, number: u32) -> Option<u32> {
        match self.identity.is_some() {
            true => Some(number).filter(|id| self.contacts.get(id).is_some_and(|c| !c.row.sibling)),
            false => self.shared_contact(number),
        }
    }

    /// A person, time or the other handset wants it to stay here.
    pub(crate) fn stay_here(&mut self, id: u32) -> Result<(), InputError> {
        let call = self.call_mut(id)?;
        let closed = matches!(&call.stage, Stage::Active(active) if active.leaves());
        if call.moving.is_none() || closed {
            return Err(InputError::WrongState("the call is not offered, or has been taken"));
        }
        self.say_in_call(id, &CallMessage::Move { to: [0; 32] });
        self.forget_move(id);
        Ok(())
    }

    /// The call stays.
    fn forget_move(&mut self, id: u32) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let name = call.name;
        if let Some(moving) = call.moving.take() {
            // Without room for mail the offer is refused by the other side.
            let _ = self.mail_sibling(moving.sibling, &SiblingMessage::MoveOver { call: name });
            self.tell(Event::MoveFailed { call: id });
        }
    }

    /// The other handset has keys with the other side: this one closes its microphone, then says so.
    fn move_ready(&mut self, id: u32) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        match &mut call.stage {
            Stage::Active(active) if call.moving.is_some() => {
                active.leave();
                self.say_in_call(id, &CallMessage::Moved {});
                self.tell(Event::Moving { call: id });
            }
            _ => self.say_in_call(id, &CallMessage::Move { to: [0; 32] }),
        }
    }

    fn move_stays(&mut self, id: u32) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        if let Stage::Active(active) = &mut call.stage
            && active.leaves()
        {
            active.stay();
            self.forget_move(id);
        }
    }

    /// The call has more than two now: it stays.
    pub(crate) fn no_move(&mut self, id: u32) {
        self.drop_arrival(id);
        let Some(call) = self.calls.get_mut(&id) else { return };
        if let Stage::Active(active) = &mut call.stage {
            active.stay();
        }
        self.forget_move(id);
    }

    /// The way is there again. What was said of the move may have been lost with the old one.
    pub(crate) fn move_again(&mut self, id: u32) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(to) = call.moving.as_ref().map(|moving| moving.to) else { return };
        let closed = matches!(&call.stage, Stage::Active(active) if active.leaves());
        self.say_in_call(id, &CallMessage::Move { to: to.0 });
        if closed {
            self.say_in_call(id, &CallMessage::Moved {});
        }
    }

    /// It is with the other handset: over here, and known to be there.
    pub(crate) fn move_done(&mut self, id: u32) {
        #[cfg(feature = "adversary")]
        if self.stays {
            return;
        }
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(moving) = call.moving.take() else { return };
        let entry = Elsewhere {
            sibling: moving.sibling,
            name: call.name,
            contact: call.contact,
            began: call.at,
            direction: call.direction,
            precedence: call.precedence,
        };
        // Whoever has it now tells the one before.
        call.lent = None;
        if self.transfers.elsewhere.len() >= ELSEWHERE_MAX {
            self.transfers.elsewhere.pop_first();
        }
        let number = self.transfers.number();
        self.transfers.elsewhere.insert(number, entry);
        self.end_call(id, End::Moved);
    }

    /// The call on which that is going on, with this sibling.
    fn moving_to(&self, sibling: u32, name: CallId) -> Option<u32> {
        let so = |c: &Call| {
            c.name == name && c.moving.as_ref().is_some_and(|moving| moving.sibling == sibling)
        };
        self.calls.iter().find(|(_, c)| so(c)).map(|(id, _)| *id)
    }

    /// Offers run out.
    pub(crate) fn moves_tick(&mut self) {
        let now = self.now;
        let late = |c: &Call| {
            let waits = matches!(&c.stage, Stage::Active(active) if !active.leaves());
            waits && c.moving.as_ref().is_some_and(|moving| moving.until <= now)
        };
        let due = self.calls.iter().filter(|(_, c)| late(c)).map(|(id, _)| *id);
        for id in due.collect::<Vec<_>>() {
            let _ = self.stay_here(id);
        }
        self.transfers.offers.retain(|_, offer| offer.until > now);
    }

    pub(crate) fn moves_deadline(&self) -> Time {
        let closed = |c: &Call| matches!(&c.stage, Stage::Active(active) if active.leaves());
        let calls = self.calls.values().filter(|c| !closed(c));
        let moving = calls.filter_map(|c| c.moving.as_ref()).map(|m| m.until);
        let offers = self.transfers.offers.values().map(|o| o.until);
        moving.chain(offers).fold(Time::NEVER, Time::min)
    }

    // ---- the handset that takes it -------------------------------------------------------------

    /// What a sibling says of a call; `false`: it has nothing to say of that.
    pub(crate) fn sibling_moves(&mut self, sibling: u32, message: SiblingMessage) -> bool {
        match message {
            SiblingMessage::MoveOffer {
                call: name,
                number,
                at,
                began,
                placed,
                held,
                reason,
                since,
                recall,
                precedence,
                shift,
            } => {
                let Some(contact) = self.own_number(number) else { return false };
                let direction = if placed { Direction::Placed } else { Direction::Received };
                let reason = reason.as_str().to_owned();
                let view = ParkedView { reason, since, recall, recalled: false };
                let parked = Some(view).filter(|_| held && recall != Wall(0));
                let came = Coming { name, contact, began, direction, precedence, held, parked };
                self.offered_call(sibling, at, came, &shift)
            }
            SiblingMessage::MoveOver { call: name } => {
                if let Some(id) = self.moving_to(sibling, name) {
                    // It may have been taken meanwhile: then this is not true any more.
                    return self.stay_here(id).is_ok();
                }
                let known = |o: &Offer| o.sibling == sibling && o.came.name == name;
                self.transfers.offers.retain(|_, o| !known(o));
                if let Some(id) = self.arriving(sibling, name) {
                    self.end_call(id, End::Elsewhere);
                }
                true
            }
            SiblingMessage::MovePull { call: name } => self.pulled(sibling, name),
            SiblingMessage::MoveHere { call: name } => {
                if let Some(id) = self.moving_to(sibling, name) {
                    self.move_done(id);
                }
                true
            }
            SiblingMessage::MoveEnded { call: name } => {
                let ended = |e: &Elsewhere| e.sibling == sibling && e.name == name;
                self.transfers.elsewhere.retain(|_, e| !ended(e));
                true
            }
            _ => false,
        }
    }

    fn offered_call(&mut self, sibling: u32, at: Wall, came: Coming, shift: &[u8; 16]) -> bool {
        let old = at.0.saturating_add(OFFER_FOR.as_secs()) <= self.wall().0;
        if old || self.live(came.contact, came.name).is_some() {
            return true;
        }
        if self.takes_shift(sibling, shift) {
            let name = came.name;
            if self.arrive(sibling, came).is_err() {
                let _ = self.mail_sibling(sibling, &SiblingMessage::MoveOver { call: name });
            }
            return true;
        }
        if self.transfers.offers.len() >= OFFERS_MAX {
            return false;
        }
        let (offer, until) = (self.transfers.number(), self.now + OFFER_FOR);
        self.transfers.offers.insert(offer, Offer { sibling, until, came });
        self.tell(Event::Offered { offer });
        true
    }

    /// A person goes on here with a call that another handset offers.
    pub(crate) fn take_offer(&mut self, offer: u32) -> Result<(), InputError> {
        let found = self.transfers.offers.get(&offer).ok_or(InputError::NoSuch("offer"))?;
        let (sibling, came) = (found.sibling, found.came.clone());
        self.arrive(sibling, came)?;
        self.transfers.offers.remove(&offer);
        Ok(())
    }

    /// A person does not want it here.
    pub(crate) fn leave_offer(&mut self, offer: u32) -> Result<(), InputError> {
        let found = self.transfers.offers.remove(&offer).ok_or(InputError::NoSuch("offer"))?;
        self.mail_sibling(found.sibling, &SiblingMessage::MoveOver { call: found.came.name })
    }

    /// A person wants a call back that was here. The other handset gives it at once; if that is gone, the other side does.
    pub(crate) fn take_back_call(&mut self, number: u32) -> Result<(), InputError> {
        let e =
            self.transfers.elsewhere.get(&number).ok_or(InputError::NoSuch("call elsewhere"))?;
        let (sibling, name) = (e.sibling, e.name);
        let (contact, began, direction, precedence) =
            (e.contact, e.began, e.direction, e.precedence);
        if self.live(contact, name).is_some() {
            return Err(InputError::WrongState("it is being taken back"));
        }
        let (held, parked) = (false, None);
        let came = Coming { name, contact, began, direction, precedence, held, parked };
        self.arrive(sibling, came)?;
        self.mail_sibling(sibling, &SiblingMessage::MovePull { call: name })
    }

    /// Another handset of this person wants a call that is here.
    fn pulled(&mut self, sibling: u32, name: CallId) -> bool {
        let Ok(to) = self.other_handset(sibling) else { return false };
        let until = self.now + OFFER_FOR;
        let here = self.calls.iter_mut().find(|(_, c)| c.name == name && !c.is_over());
        let Some((id, call)) = here else {
            return self.mail_sibling(sibling, &SiblingMessage::MoveEnded { call: name }).is_ok();
        };
        let id = *id;
        if call.may_move().is_err() {
            // What cannot be given stays here; whoever asked hears nothing, and goes on asking the other side.
            return true;
        }
        call.moving = Some(Moving { sibling, to, until, shift: false });
        self.say_in_call(id, &CallMessage::Move { to: to.0 });
        true
    }

    /// Goes on with a call here: rings nobody, but asks the other side for it.
    fn arrive(&mut self, sibling: u32, came: Coming) -> Result<(), InputError> {
        self.own_exchange()?;
        self.may_record()?;
        if self.calls.len() >= CALLS_MAX {
            return Err(InputError::TooMany("calls"));
        }
        if !came.held {
            self.nobody_between(0)?;
        }
        let now = self.now;
        let Coming { name, contact, began, direction, precedence, held, parked } = came;
        let record = self.contact_mut(contact)?;
        if record.group.is_none() || record.row.sibling {
            return Err(InputError::WrongState("this handset has no keys with that contact"));
        }
        // What an earlier attempt left.
        self.calls.retain(|_, c| !(c.is_over() && c.name == name && c.contact == contact));
        let mut call = Call::new(name, contact, direction, began);
        call.stage = Stage::Outgoing(Outgoing::place(now, ARRIVE_WITHIN));
        call.precedence = precedence;
        call.arriving = Some(Arriving { sibling, held, parked });
        let id = self.new_call(call);
        self.open_leg(id, false);
        self.tell_state(id);
        Ok(())
    }

    #[cfg(feature = "adversary")]
    pub(crate) fn claim_call(&mut self, contact: u32, name: CallId) -> Result<(), InputError> {
        let (began, direction) = (self.wall(), Direction::Placed);
        let (precedence, held, parked) = (Precedence::Routine, false, None);
        let came = Coming { name, contact, began, direction, precedence, held, parked };
        self.arrive(0, came)
    }

    fn arriving(&self, sibling: u32, name: CallId) -> Option<u32> {
        let so = |c: &Call| {
            c.name == name
                && !c.is_over()
                && c.arriving.as_ref().is_some_and(|a| a.sibling == sibling)
        };
        self.calls.iter().find(|(_, c)| so(c)).map(|(id, _)| *id)
    }

    /// It did not come: whoever has it may know.
    pub(crate) fn not_arrived(&mut self, id: u32, name: CallId, arriving: &Arriving, end: End) {
        if end == End::Declined {
            // The other side does not know the call any more.
            self.transfers.elsewhere.retain(|_, e| e.name != name);
        }
        let over = SiblingMessage::MoveOver { call: name };
        // Without room for mail the offer runs out.
        let _ = self.mail_sibling(arriving.sibling, &over);
        self.tell(Event::MoveFailed { call: id });
    }

    /// The other side has given the call to this handset.
    pub(crate) fn arrived(&mut self, id: u32) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(arriving) = call.arriving.take() else { return };
        let (name, sibling) = (call.name, arriving.sibling);
        call.lent = Some(sibling);
        if let Stage::Active(active) = &mut call.stage {
            active.hold(arriving.held);
        }
        if let Some(view) = arriving.parked {
            let left = view.recall.0.saturating_sub(self.wall().0);
            let recall = self.now + Duration::from_secs(left);
            if let Some(call) = self.calls.get_mut(&id) {
                call.parked = Some(Parked { view, recall });
            }
        }
        self.transfers.elsewhere.retain(|_, e| e.name != name);
        // The other side told it as well; this is for when that was lost.
        let _ = self.mail_sibling(sibling, &SiblingMessage::MoveHere { call: name });
        self.record_continues(id);
        self.begin_talk(id);
        self.say_hold_and_mute(id);
        self.tell(Event::Moved { call: id });
    }

    /// A call that another handset lent is over here: nothing is to be taken back.
    pub(crate) fn lent_ends(&mut self, sibling: Option<u32>, name: CallId, end: End) {
        if let (Some(sibling), true) = (sibling, end != End::Moved) {
            // Without room for mail it finds out when it asks.
            let _ = self.mail_sibling(sibling, &SiblingMessage::MoveEnded { call: name });
        }
    }

    // ---- the screen ----------------------------------------------------------------------------

    pub(crate) fn offer_views(&self) -> Vec<OfferView> {
        let view = |(id, o): (&u32, &Offer)| OfferView {
            id: *id,
            from: o.sibling,
            contact: o.came.contact,
            held: o.came.held,
            reason: o.came.parked.as_ref().map(|p| p.reason.clone()),
        };
        self.transfers.offers.iter().map(view).collect()
    }

    pub(crate) fn elsewhere_views(&self) -> Vec<ElsewhereView> {
        let view = |(id, e): (&u32, &Elsewhere)| ElsewhereView {
            id: *id,
            on: e.sibling,
            contact: e.contact,
        };
        self.transfers.elsewhere.iter().map(view).collect()
    }
}

impl Transfers {
    fn number(&mut self) -> u32 {
        self.next += 1;
        self.next
    }
}

impl Call {
    /// Whether it can go to another handset; then whether it is on hold.
    fn may_move(&self) -> Result<bool, InputError> {
        let Stage::Active(active) = &self.stage else {
            return Err(InputError::WrongState("only a call under way can go to another handset"));
        };
        if active.is_lost() || self.leg.is_none() {
            return Err(InputError::WrongState(
                "the way of the call is lost: wait until it is back",
            ));
        }
        if self.room.is_some() {
            return Err(InputError::WrongState(
                "a call of more than two stays on its handset: bring the other person in instead",
            ));
        }
        if active.is_closed() {
            return Err(InputError::WrongState("an attendant is about to come into the call"));
        }
        if self.moving.is_some() {
            return Err(InputError::WrongState("the call is offered to a handset already"));
        }
        Ok(active.is_held_by_me())
    }

    pub(crate) fn moving_view(&self) -> Option<MovingView> {
        let moving = self.moving.as_ref()?;
        let closed = matches!(&self.stage, Stage::Active(active) if active.leaves());
        Some(MovingView { to: moving.sibling, closed })
    }
}
