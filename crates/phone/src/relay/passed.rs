//! An attendant answered: it is let in, and this handset leaves; or the person takes the call up after all. And what the caller and the attendant are told.
//!
//! ```text
//!  Asking ── Taken ──► Passing ── it is in: Connect ──► out of the group: Passed
//!                         └── it fails ──► Back: rings here ── Answer: Relay{off} ──► a call like any other
//! ```

use core::time::Duration;

use call::{End, RING_MAX};
use seal::delegation::Rights;
use seal::identity::{DevicePub, VerifiedDevice};
use wire::CallId;
use wire::talk::CallMessage;

use super::{Answered, Relay};
use crate::command::InputError;
use crate::event::Event;
use crate::machine::Phone;
use crate::ring::{Call, Stage};
use crate::room::Bringing;

/// How long it may take until whoever answered is in.
const PASSED_WITHIN: Duration = Duration::from_secs(30);

impl Phone {
    // ---- passing it on -------------------------------------------------------------------------

    /// An attendant answers.
    pub(crate) fn relay_taken(&mut self, contact: u32, from: VerifiedDevice, name: CallId) -> bool {
        let Some((id, leg)) = self.relay_of(contact, name) else { return false };
        let may = self.lets(contact, Rights::RECEIVE) || self.lets(contact, Rights::SCREEN);
        let now = self.now;
        let rings = |c: &Call| matches!(c.stage, Stage::Incoming(_)) && c.leg.is_some();
        if !may || self.may_record().is_err() || !self.calls.get(&id).is_some_and(rings) {
            self.ask_over(id, contact, leg, false);
            self.drop_ask(id, leg);
            return true;
        }
        let mine = self.calls.get_mut(&id).and_then(Call::asks_mut).and_then(|asks| {
            let at = asks.iter().position(|ask| ask.leg == leg)?;
            Some(asks.swap_remove(at))
        });
        let Some(ask) = mine else { return true };
        self.relay_ends(id, true);
        let device = from.device();
        let answered = Answered { contact, leg, device, packages: ask.packages };
        let Some(call) = self.calls.get_mut(&id) else { return true };
        call.relay = Some(Relay::Passing { answered, until: now + PASSED_WITHIN, inside: false });
        let over = Stage::Over { end: End::Missed, until: now };
        if let Stage::Incoming(incoming) = core::mem::replace(&mut call.stage, over) {
            call.stage = Stage::Answering(incoming.answer(now));
        }
        let (told, keyed) = (call.tell, call.keyed.pop());
        if let Some(leg) = call.leg {
            self.take(leg);
        }
        self.keys_or_package(id, keyed, told);
        true
    }

    /// The keys of a call are there; `true`: it was answered by an attendant, and is not this person's.
    pub(crate) fn relay_answered(&mut self, id: u32) -> bool {
        let Some(call) = self.calls.get_mut(&id).filter(|c| c.is_passed()) else { return false };
        if let Stage::Active(active) = &mut call.stage {
            active.close();
        }
        self.say_in_call(id, &CallMessage::Relay { on: true });
        self.say_in_call(id, &CallMessage::Answer {});
        self.say_on_record(id);
        self.tell_state(id);
        self.pass_on(id);
        true
    }

    /// Lets the attendant who answered in.
    fn pass_on(&mut self, id: u32) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(Relay::Passing { answered, .. }) = &mut call.relay else { return };
        let packages = core::mem::take(&mut answered.packages);
        let (contact, leg, device) = (answered.contact, answered.leg, answered.device);
        let answered = Answered { contact, leg, device, packages };
        if self.open_room(id).is_err() {
            return self.relay_fails(id, contact, End::NoKeys);
        }
        self.in_room(id, |phone, room| {
            phone.stands_in(id, room, Bringing::answered(answered, phone.now));
        });
        self.tell(Event::Relay { call: id });
    }

    /// What an attendant's coming in means, as the room is now: at both ends.
    pub(crate) fn relay_follows(&mut self, id: u32) {
        let Some(call) = self.calls.get(&id) else { return };
        let Some(room) = &call.room else { return };
        if let Some(device) = call.comes {
            if room.is_connected_without(device) {
                self.stands_there(id);
            }
            return;
        }
        let Some(Relay::Passing { answered, inside, .. }) = &call.relay else { return };
        let (contact, leg, inside) = (answered.contact, answered.leg, *inside);
        let (in_it, failed) = (room.has(answered.device), room.not_in(leg));
        if call.device.is_none_or(|caller| !room.has(caller)) {
            // The caller gave up.
            self.say_goodbye(id);
            self.end_call(id, End::Missed);
            return;
        }
        match (inside, in_it, failed) {
            (false, true, _) => {
                if let Some(Relay::Passing { inside, .. }) =
                    self.calls.get_mut(&id).and_then(|c| c.relay.as_mut())
                {
                    *inside = true;
                }
                if self.connect(id).is_err() {
                    self.relay_fails(id, contact, End::Cancelled);
                }
            }
            (false, false, Some(why)) => self.relay_fails(id, contact, why),
            (true, false, _) => self.relay_fails(id, contact, End::Lost),
            _ => {}
        }
    }

    /// Whoever answered did not come in. The caller waits: it rings here.
    pub(super) fn relay_fails(&mut self, id: u32, contact: u32, why: End) {
        let now = self.now;
        let Some((caller, precedence)) = self.calls.get(&id).map(|c| (c.contact, c.precedence))
        else {
            return;
        };
        let silent = self.away || self.sleeps(precedence);
        let Some(call) = self.calls.get_mut(&id) else { return };
        let back = Relay::Back { contact, why, until: now + RING_MAX, silent };
        let before = call.relay.replace(back);
        if let Some(Relay::Passing { answered, .. }) = before
            && call.room.is_none()
        {
            self.ask_over(id, contact, answered.leg, false);
        }
        self.in_room(id, |phone, room| phone.stand_in_over(id, room, contact, why));
        self.tell(Event::Relay { call: id });
        self.tell_state(id);
        self.tell(Event::Incoming { call: id, contact: caller });
    }

    // ---- the person after all ------------------------------------------------------------------

    /// The person answers a call that was answered by an attendant who did not come in.
    pub(crate) fn take_up(&mut self, id: u32) -> Result<(), InputError> {
        self.make_way(id)?;
        let now = self.now;
        let call = self.call_mut(id)?;
        call.relay = None;
        if let Stage::Active(active) = &mut call.stage {
            active.open(now);
        }
        self.say_in_call(id, &CallMessage::Relay { on: false });
        self.in_room(id, |_, _| {});
        self.begin_talk(id);
        Ok(())
    }

    /// The person does not want it to be heard.
    pub(crate) fn hush_back(&mut self, id: u32) -> bool {
        match self.calls.get_mut(&id).filter(|c| c.is_back()).and_then(|c| c.relay.as_mut()) {
            Some(Relay::Back { silent, .. }) => {
                *silent = true;
                true
            }
            _ => false,
        }
    }

    // ---- time, and the end ---------------------------------------------------------------------

    pub(crate) fn relay_tick(&mut self, id: u32) {
        let now = self.now;
        let relay = self.calls.get(&id).and_then(|c| c.relay.as_ref());
        match relay.filter(|relay| relay.deadline() <= now) {
            Some(Relay::Asking { .. }) => self.screened_enough(id),
            // The caller does not let this handset go: it goes.
            Some(Relay::Passing { inside: true, .. }) => drop(self.hang_up(id)),
            Some(Relay::Passing { answered, .. }) => {
                let contact = answered.contact;
                self.relay_fails(id, contact, End::NoAnswer);
            }
            Some(Relay::Back { .. }) => {
                self.say_goodbye(id);
                self.end_call(id, End::Missed);
            }
            Some(Relay::Passed { .. }) | None => {}
        }
    }

    /// A call is over. As what, for this person: one that an attendant answered in vain was missed.
    pub(crate) fn relay_over(&mut self, id: u32, end: End) -> End {
        let Some(call) = self.calls.get(&id) else { return end };
        let passed = match &call.relay {
            Some(Relay::Passing { answered, inside, .. }) => Some((answered.contact, *inside)),
            Some(Relay::Back { contact, .. }) => Some((*contact, false)),
            _ => None,
        };
        self.relay_ends(id, end == End::Elsewhere);
        match (passed, end) {
            (Some((contact, true)), End::ByMe) => {
                if let Some(call) = self.calls.get_mut(&id) {
                    call.relay = Some(Relay::Passed { contact });
                }
                end
            }
            (Some(_), End::ByOther | End::Lost | End::NoKeys) => End::Missed,
            _ => end,
        }
    }

    // ---- the caller ----------------------------------------------------------------------------

    /// The device that is about to answer says that an attendant of its person comes in; or that its person has the call after all.
    pub(crate) fn relay_said(&mut self, id: u32, by: DevicePub, on: bool) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        match on {
            true if matches!(call.stage, Stage::Outgoing(_)) => call.comes = Some(by),
            false if call.comes == Some(by) && matches!(call.stage, Stage::Active(_)) => {
                self.stands_there(id);
            }
            _ => {}
        }
    }

    /// Whoever was awaited is there, and nobody who was only to let it in: this person can speak.
    fn stands_there(&mut self, id: u32) {
        let now = self.now;
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.comes = None;
        if let Stage::Active(active) = &mut call.stage {
            active.open(now);
        }
        self.in_room(id, |_, _| {});
        self.tell_state(id);
        self.voice_follows();
    }

    // ---- the attendant -------------------------------------------------------------------------

    /// A call for a contact is not to be answered here any more.
    pub(crate) fn relay_gone(&mut self, contact: u32, name: CallId, taken: bool) {
        let Some(id) = self.live(contact, name) else { return };
        let stands = |c: &Call| {
            let waits = matches!(c.stage, Stage::Incoming(_) | Stage::Answering(_));
            waits && c.asked.as_ref().is_some_and(|asked| asked.stands)
        };
        if self.calls.get(&id).is_some_and(stands) {
            self.end_call(id, if taken { End::Elsewhere } else { End::Cancelled });
        }
    }
}
