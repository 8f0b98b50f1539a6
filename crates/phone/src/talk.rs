//! A call under way: what is said in its group, hold, mute, text, hanging up, and its timers.
//!
//! ```text
//!  LegData(Call) ─► the call group of the answering device ─► Answer, Hold, Mute, Say, Said, HangUp, Back
//! ```

use call::{End, Reconnect};
use link::Channel;
use seal::group::Incoming as Opened;
use wire::limits::TEXT_MAX;
use wire::line::LineUp;
use wire::talk::{CallMessage, Sealed};
use wire::{Leg, Text};

use crate::command::InputError;
use crate::event::Event;
use crate::machine::Phone;
use crate::mail::Way;
use crate::ring::{Call, Said, Stage, seal_in_call};

/// Most texts of one call that are kept.
pub(crate) const TEXTS_MAX: usize = 500;

impl Phone {
    /// Something came over a leg.
    pub(crate) fn leg_data(&mut self, leg: Leg, body: &[u8]) {
        let brings = self.bringing_on(leg);
        let asks = self.relay_on(leg);
        let on = brings.or(asks.map(|(id, _)| id));
        let on = on.or_else(|| self.call_on(leg)).or_else(|| self.arrival_on(leg));
        let Some(id) = on else { return };
        let contact = match brings {
            Some(_) => self.brought_contact(id, leg),
            None if asks.is_some() => asks.map(|(_, contact)| contact),
            None => self.calls.get(&id).map(|c| c.contact),
        };
        let Some(contact) = contact else { return };
        match Sealed::decode(body) {
            Ok(Sealed::Contact { message }) => {
                self.contact_message(contact, message.as_bytes(), Way::Leg(leg));
            }
            Ok(Sealed::Call { message }) => self.call_message(id, leg, message.as_bytes()),
            _ => self.dropped += 1,
        }
    }

    /// What was said in a call group, and could not go over a leg because there was none.
    pub(crate) fn call_mail(&mut self, contact: u32, message: &[u8]) {
        let two = |c: &Call| c.contact == contact && !c.is_over() && c.room.is_none();
        let calls = self.calls.iter().filter(|(_, c)| two(c));
        for id in calls.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.call_message(id, Leg::CHAFF, message);
        }
    }

    fn call_message(&mut self, id: u32, leg: Leg, message: &[u8]) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        if call.room.is_some() {
            return self.room_message(id, leg, message);
        }
        if call.keyed.first().is_some_and(|k| k.group.peek(message).is_ok_and(|p| p.is_commit)) {
            // A commit needs a room; it is opened by the introduction that comes before.
            self.dropped += 1;
            return;
        }
        let opened = call.keyed.iter_mut().enumerate().find_map(|(i, keyed)| {
            match keyed.group.process(message) {
                Ok(Opened::Application { from, message })
                    if from.device.device() == keyed.device =>
                {
                    Some((i, from.leaf, keyed.group.own_leaf(), message))
                }
                _ => None,
            }
        });
        let Some((which, from, own, message)) = opened else {
            self.dropped += 1;
            return;
        };
        let Ok(message) = CallMessage::decode(&message) else {
            self.dropped += 1;
            return;
        };
        let by = call.keyed.get(which).map(|keyed| keyed.device);
        match (&message, by) {
            (CallMessage::Answer {}, _) => return self.answered_by(id, which),
            (CallMessage::Relay { on }, Some(by)) => return self.relay_said(id, by, *on),
            _ => {}
        }
        let Stage::Active(active) = &mut call.stage else { return };
        match message {
            CallMessage::Answer {} | CallMessage::Relay { .. } => {}
            CallMessage::Hold { on } => {
                if !on || !active.is_held_by_other() {
                    call.preempted.by_other = false;
                }
                active.held(on);
                self.tell_state(id);
                self.voice_follows();
            }
            CallMessage::Preempted {} => self.preempted_there(id),
            CallMessage::Mute { on } => {
                active.muted(on);
                self.tell(Event::Muted { call: id, on });
            }
            CallMessage::Say { id: text_id, text } => {
                let came = call.text_came(from, text_id, text.as_str().to_owned());
                if came {
                    self.tell(Event::Text { call: id });
                }
                self.say_in_call(id, &CallMessage::Said { id: text_id, author: from });
            }
            CallMessage::Said { id: text_id, author } => {
                if author == own && call.text_arrived(text_id) {
                    self.tell(Event::TextArrived { call: id });
                }
            }
            CallMessage::HangUp {} => self.end_call(id, End::ByOther),
            CallMessage::Back {} => self.is_back(id),
            CallMessage::Move { .. }
            | CallMessage::MoveReady {}
            | CallMessage::Moved {}
            | CallMessage::MoveStay {}
            | CallMessage::MoveDone {} => self.move_word(id, &message),
            CallMessage::OnRecord {} => {
                if !core::mem::replace(&mut call.record.there, true) {
                    self.tell(Event::OnRecord { call: id });
                }
            }
            CallMessage::Want { .. }
            | CallMessage::Baton { .. }
            | CallMessage::Member { .. }
            | CallMessage::Connect {}
            | CallMessage::Confirmed {}
            | CallMessage::Announce { .. }
            | CallMessage::Here {}
            | CallMessage::Urgency { .. }
            | CallMessage::Stands { .. }
            | CallMessage::Spoke { .. } => self.room_begins(id, message),
        }
    }

    /// A device of the callee answered: the keys with the others are forgotten, the microphone opens.
    pub(crate) fn answered_by(&mut self, id: u32, which: usize) {
        let now = self.now;
        let Some(call) = self.calls.get_mut(&id) else { return };
        if !matches!(call.stage, Stage::Outgoing(_)) || which >= call.keyed.len() {
            return;
        }
        let keyed = call.keyed.swap_remove(which);
        call.keyed = vec![keyed];
        let over = Stage::Over { end: End::ByOther, until: now };
        if let Stage::Outgoing(outgoing) = core::mem::replace(&mut call.stage, over) {
            let mut active = outgoing.answered(now);
            call.comes.take_if(|by| call.keyed.first().is_none_or(|k| k.device != *by));
            if call.comes.is_some() {
                active.close();
            }
            call.stage = Stage::Active(active);
        }
        if call.arriving.is_some() {
            return self.arrived(id);
        }
        self.begin_talk(id);
    }

    /// Both can speak now.
    pub(crate) fn begin_talk(&mut self, id: u32) {
        let muted = self.muted;
        let held = |c: &Call| matches!(&c.stage, Stage::Active(active) if active.is_held_by_me());
        // It came on hold from another handset of this person.
        let held = self.calls.get(&id).is_some_and(held);
        let waits = !held && self.gives_floor_up(id);
        if !held && !waits {
            self.take_floor(id);
        }
        if let Some(call) = self.calls.get_mut(&id)
            && let Stage::Active(active) = &mut call.stage
        {
            active.mute(muted);
            let contact = call.contact;
            self.camp_met(contact);
        }
        self.say_on_record(id);
        if muted {
            self.say_in_call(id, &CallMessage::Mute { on: true });
        }
        self.tell_state(id);
        if waits {
            self.preempt(id);
        }
        self.voice_follows();
    }

    pub(crate) fn hold(&mut self, id: u32, on: bool) -> Result<(), InputError> {
        if !matches!(self.call_mut(id)?.stage, Stage::Active(_)) {
            return Err(InputError::WrongState("only a call under way can be held"));
        }
        if self.call_mut(id)?.is_passed() {
            return Err(InputError::WrongState("an attendant answered this call, and comes in"));
        }
        if !on {
            self.nobody_between(id)?;
            self.take_floor(id);
        }
        self.set_hold(id, on);
        Ok(())
    }

    pub(crate) fn set_hold(&mut self, id: u32, on: bool) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        if on {
            self.floor.leave(id);
            if call.room.as_ref().is_some_and(|room| room.is_announcing()) {
                // Whoever holds speaks to nobody.
                let _ = self.announce(id, false);
            }
        } else {
            call.parked = None;
            call.preempted.by_me = false;
        }
        if let Some(Stage::Active(active)) = self.calls.get_mut(&id).map(|c| &mut c.stage)
            && active.hold(on)
        {
            self.say_in_call(id, &CallMessage::Hold { on });
            self.say_why_held(id, on);
            self.tell_state(id);
            self.voice_follows();
        }
    }

    pub(crate) fn mute(&mut self, on: bool) {
        self.muted = on;
        for id in self.calls.keys().copied().collect::<Vec<_>>() {
            if let Some(Stage::Active(active)) = self.calls.get_mut(&id).map(|c| &mut c.stage)
                && active.mute(on)
            {
                self.say_in_call(id, &CallMessage::Mute { on });
            }
        }
    }

    pub(crate) fn say(&mut self, id: u32, text: String) -> Result<(), InputError> {
        let sealed: Text<TEXT_MAX> = Text::new(text.as_str())
            .map_err(|_| InputError::TooLong { what: "text", max: TEXT_MAX })?;
        let call = self.call_mut(id)?;
        if !matches!(call.stage, Stage::Active(_)) || call.leg.is_none() {
            return Err(InputError::WrongState("there is no connection to say it over"));
        }
        if call.texts.len() >= TEXTS_MAX {
            return Err(InputError::TooMany("texts in this call"));
        }
        let text_id =
            call.texts.iter().filter(|t| t.from.is_none()).map(|t| t.id + 1).max().unwrap_or(1);
        call.texts.push(Said { id: text_id, from: None, text, arrived: false });
        self.say_in_call(id, &CallMessage::Say { id: text_id, text: sealed });
        Ok(())
    }

    /// What the other side may not have heard.
    pub(crate) fn say_hold_and_mute(&mut self, id: u32) {
        if let Some(Stage::Active(active)) = self.calls.get(&id).map(|c| &c.stage) {
            let (held, muted) = (active.is_held_by_me(), active.is_muted_by_me());
            self.say_in_call(id, &CallMessage::Hold { on: held });
            self.say_why_held(id, held);
            self.say_in_call(id, &CallMessage::Mute { on: muted });
        }
    }

    /// Tells the other side that this side hangs up; by mail if the way is lost.
    pub(crate) fn say_goodbye(&mut self, id: u32) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let contact = call.contact;
        if call.room.is_some() {
            return self.leave_room(id);
        }
        match call.leg {
            Some(_) => self.say_in_call(id, &CallMessage::HangUp {}),
            None => {
                if let Some(body) = seal_in_call(call, &CallMessage::HangUp {}) {
                    // Full of mail: the other side finds out in a minute.
                    let _ = self.post(contact, body, false);
                }
            }
        }
    }

    /// What time does to calls.
    pub(crate) fn calls_tick(&mut self) {
        let now = self.now;
        let attached = self.attached();
        for id in self.calls.keys().copied().collect::<Vec<_>>() {
            if self
                .calls
                .get(&id)
                .and_then(|c| c.room.as_ref())
                .is_some_and(|r| r.deadline() <= now)
            {
                self.room_tick(id);
            }
            self.recall_tick(id);
            self.relay_tick(id);
            let Some(call) = self.calls.get_mut(&id).filter(|c| c.deadline() <= now) else {
                continue;
            };
            let rings = call.rings();
            let end = match &mut call.stage {
                Stage::Outgoing(outgoing) if outgoing.expired(now) => Some(End::NoAnswer),
                Stage::Outgoing(outgoing) => {
                    if outgoing.reopens(now) && attached {
                        self.open_leg(id, false);
                    }
                    None
                }
                Stage::Incoming(_) if !rings => {
                    self.rings_now(id);
                    None
                }
                Stage::Incoming(incoming) => incoming.expired(now).then_some(End::Missed),
                Stage::Answering(answering) => answering.expired(now).then_some(End::NoKeys),
                Stage::Active(active) => match active.reconnect(now) {
                    Reconnect::GiveUp => Some(End::Lost),
                    Reconnect::Open => {
                        self.open_leg(id, true);
                        None
                    }
                    Reconnect::Wait => None,
                },
                Stage::Over { .. } => {
                    self.calls.remove(&id);
                    None
                }
            };
            if let Some(end) = end {
                self.end_call(id, end);
            }
        }
    }

    /// Answers on a new leg.
    pub(crate) fn take(&mut self, leg: Leg) {
        self.send(Channel::Signal, &LineUp::Take { leg });
    }
}
