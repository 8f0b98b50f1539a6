//! The other side of a call that goes from one handset of a person to another: it lets in whom the one that has the call names,
//! and decides.
//!
//! ```text
//!  Move{to} ─► admits ─┐
//!  Continue ─► arrival ┴─ keys ─► MoveReady ─► Moved ─► decided: MoveDone to the one, Answer to the other
//!                                 way lost ───────────► decided, for one that was admitted or had the call before
//! ```

use link::Channel;
use seal::identity::{DevicePub, VerifiedDevice};
use wire::line::LineUp;
use wire::talk::{CallMessage, ContactMessage};
use wire::{CallId, Leg, Text, Wall};

use crate::devices::DEVICES;
use crate::event::Event;
use crate::machine::Phone;
use crate::mail::Way;
use crate::ring::{Call, STALE, Stage};
use crate::stock::Keyed;

/// The other side's handsets in a call, at whoever is called by them.
#[derive(Default)]
pub(crate) struct Change {
    /// Which one may go on with it, by the word of the one that has it.
    admits: Option<DevicePub>,
    /// Which one wants to.
    arrival: Option<Arrival>,
    /// Those that had it.
    before: Vec<DevicePub>,
    /// It is on another handset than it began.
    pub(crate) moved: bool,
}

struct Arrival {
    device: DevicePub,
    leg: Leg,
    keyed: Option<Keyed>,
}

impl Phone {
    /// Another handset of the contact wants to go on with a call.
    pub(crate) fn continued(
        &mut self,
        contact: u32,
        from: VerifiedDevice,
        name: CallId,
        at: Wall,
        way: Way,
    ) {
        let Way::Leg(leg) = way else {
            self.dropped += 1;
            return;
        };
        let device = from.device();
        let fresh = at.0.saturating_add(STALE) >= self.wall().0;
        let id = self.live(contact, name).filter(|id| {
            let between = |c: &Call| {
                let other = c.keyed.first().is_some_and(|k| k.device != device);
                matches!(c.stage, Stage::Active(_)) && c.room.is_none() && other
            };
            fresh && self.calls.get(id).is_some_and(between)
        });
        let Some(id) = id else { return self.not_here(contact, leg, name) };
        self.drop_arrival(id);
        if let Some(call) = self.calls.get_mut(&id) {
            call.change.arrival = Some(Arrival { device, leg, keyed: None });
        }
        self.take(leg);
        if let Ok(message) = self.key_package(device, false) {
            self.say_over_leg(contact, leg, &message);
        }
    }

    /// A call that this handset does not have (any more). If its person has others, one of those may.
    pub(crate) fn not_here(&mut self, contact: u32, leg: Leg, name: CallId) {
        let own = self.device.principal();
        let record = self.contacts.get(&contact);
        let alone = record.and_then(|c| c.group.as_ref()).is_some_and(|group| {
            group.members().iter().filter(|m| m.device.principal() == own).count() < 2
        });
        let told = alone && record.is_some_and(crate::contacts::Contact::is_told);
        let word = told.then_some(ContactMessage::Declined { call: name });
        self.turn_away(contact, leg, word);
    }

    /// Takes the keys of a handset that wants to go on with a call; those of any other come back.
    pub(crate) fn arrival_keyed(&mut self, leg: Leg, keyed: Keyed) -> Option<Keyed> {
        let wants = |a: &Arrival| a.leg == leg && a.device == keyed.device;
        let mut calls = self.calls.iter_mut();
        let found = calls.find(|(_, c)| c.change.arrival.as_ref().is_some_and(wants));
        let Some((id, call)) = found else { return Some(keyed) };
        let id = *id;
        if let Some(arrival) = &mut call.change.arrival {
            arrival.keyed = Some(keyed);
        }
        self.arrival_goes_on(id);
        None
    }

    /// What is to be done about a handset that wants to go on with a call, as things are now.
    pub(crate) fn arrival_goes_on(&mut self, id: u32) {
        let Some(call) = self.calls.get(&id) else { return };
        let Some(arrival) = call.change.arrival.as_ref().filter(|a| a.keyed.is_some()) else {
            return;
        };
        let admitted = call.change.admits == Some(arrival.device);
        let lost = matches!(&call.stage, Stage::Active(active) if active.is_lost());
        let known = admitted || call.change.before.contains(&arrival.device);
        if lost && known {
            self.other_moves(id);
        } else if admitted && !lost {
            self.say_in_call(id, &CallMessage::MoveReady {});
        }
    }

    /// What the one that has the call says of it.
    pub(crate) fn move_word(&mut self, id: u32, word: &CallMessage) {
        match word {
            CallMessage::Move { to } => {
                let Some(call) = self.calls.get_mut(&id) else { return };
                call.change.admits = Some(DevicePub(*to)).filter(|_| *to != [0; 32]);
                match call.change.admits {
                    Some(_) => self.arrival_goes_on(id),
                    None => self.drop_arrival(id),
                }
            }
            CallMessage::MoveReady {} => self.move_ready(id),
            CallMessage::MoveStay {} => self.move_stays(id),
            CallMessage::MoveDone {} => self.move_done(id),
            CallMessage::Moved {} => {
                let Some(call) = self.calls.get(&id) else { return };
                let ready = call.change.arrival.as_ref().filter(|a| a.keyed.is_some());
                let leaves = matches!(&call.stage, Stage::Active(active) if active.leaves());
                match ready.map(|a| a.device) {
                    // Both sides go at once: then neither does.
                    Some(device) if call.change.admits == Some(device) && !leaves => {
                        self.other_moves(id);
                    }
                    _ => self.say_in_call(id, &CallMessage::MoveStay {}),
                }
            }
            _ => {}
        }
    }

    /// The decision: the call is with the new handset, and nothing of the old one is heard or believed any more.
    fn other_moves(&mut self, id: u32) {
        self.say_in_call(id, &CallMessage::MoveDone {});
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(Arrival { device, leg, keyed: Some(keyed) }) = call.change.arrival.take() else {
            return;
        };
        let old = call.leg.replace(leg);
        for gone in core::mem::replace(&mut call.keyed, vec![keyed]) {
            call.change.before.retain(|d| *d != gone.device);
            call.change.before.push(gone.device);
        }
        let most = call.change.before.len().saturating_sub(DEVICES);
        call.change.before.drain(..most);
        call.change.admits = None;
        call.change.moved = true;
        call.device = Some(device);
        (call.heard, call.record.there) = (false, false);
        if let Stage::Active(active) = &mut call.stage {
            active.moved();
        }
        // Texts are numbered by each handset anew.
        for text in call.texts.iter_mut().filter(|t| t.from.is_some()) {
            text.from = Some(u32::MAX);
        }
        let lost = call.texts.iter().filter(|t| t.from.is_none() && !t.arrived);
        let lost: Vec<_> = lost.map(|t| (t.id, t.text.clone())).collect();
        if let Some(leg) = old {
            self.send(Channel::Signal, &LineUp::Close { leg });
        }
        self.say_in_call(id, &CallMessage::Answer {});
        self.say_on_record(id);
        self.say_hold_and_mute(id);
        for (id_of_text, text) in lost {
            if let Ok(text) = Text::new(text) {
                self.say_in_call(id, &CallMessage::Say { id: id_of_text, text });
            }
        }
        // An own offer was made to the handset that left.
        self.move_again(id);
        self.record_moved(id);
        self.tell_state(id);
        self.hear_anew();
        self.tell(Event::Moved { call: id });
    }

    /// Whoever wanted to go on with a call does not, or may not.
    pub(crate) fn drop_arrival(&mut self, id: u32) {
        let arrival = self.calls.get_mut(&id).and_then(|call| call.change.arrival.take());
        if let Some(arrival) = arrival {
            self.send(Channel::Signal, &LineUp::Close { leg: arrival.leg });
        }
    }

    /// Whose arriving handset is on that leg.
    pub(crate) fn arrival_on(&self, leg: Leg) -> Option<u32> {
        let on = |c: &Call| c.change.arrival.as_ref().is_some_and(|a| a.leg == leg);
        self.calls.iter().find(|(_, c)| on(c)).map(|(id, _)| *id)
    }
}
