//! What members say.

use call::vouch::Digest;
use seal::group::Member;
use wire::talk::{CallMessage, Role};

use super::bring::word;
use super::{Person, Room};
use crate::event::Event;
use crate::machine::Phone;

impl Phone {
    pub(super) fn room_word(
        &mut self,
        id: u32,
        room: &mut Room,
        from: Member,
        epoch: u64,
        message: CallMessage,
    ) {
        let now = self.now;
        if matches!(message, CallMessage::Connect {}) && self.leaves_by_rule(id, room, from.leaf) {
            return;
        }
        if let Some(word) = word(&message) {
            let (gone, unheard) = (room.machine.is_gone(from.leaf), room.machine.is_unheard());
            room.machine.heard(now, from.leaf, epoch, word);
            if unheard && !room.machine.is_unheard() {
                // From now on it is heard by all.
                self.say_how_it_is(id, room);
            }
            if room.machine.is_gone(from.leaf) != gone
                || matches!(message, CallMessage::Announce { .. })
            {
                self.room_changed(id);
            }
            return;
        }
        match message {
            CallMessage::Member { device, role, name, office } => {
                self.introduced(id, room, from, device, Person { role, name, office });
            }
            CallMessage::Stands { device } => {
                room.stands_said.insert(from.device.device().0, device);
            }
            CallMessage::Relay { on } => self.relay_said(id, from.device.device(), on),
            CallMessage::Spoke { first, ticks, sent, tags } => {
                match Digest::read(first, ticks, sent, tags.as_bytes()) {
                    Some(digest) => self.spoken_there(id, room, from.leaf, &digest),
                    None => self.dropped += 1,
                }
            }
            CallMessage::OnRecord {} => {
                let new = room.on_record.insert(from.device.device().0);
                if let Some(call) = self.calls.get_mut(&id) {
                    call.record.there = true;
                }
                if new {
                    self.tell(Event::OnRecord { call: id });
                }
            }
            CallMessage::Urgency { precedence } => {
                let attends = room.machine.role(from.leaf) == Some(Role::Attendant);
                if attends && precedence > room.urgency {
                    room.urgency = precedence;
                    self.room_changed(id);
                }
            }
            CallMessage::Mute { on } => {
                if let Some(ear) = room.ears.get_mut(&from.leaf) {
                    ear.muted = on;
                }
                self.tell(Event::Muted { call: id, on });
            }
            CallMessage::Say { id: text_id, text } => {
                let who = room.people.get(&from.device.device().0);
                let who = who.map_or("?", |person| person.name.as_str());
                let text = format!("{who}: {}", text.as_str());
                let call = self.calls.get_mut(&id);
                if call.is_some_and(|call| call.text_came(from.leaf, text_id, text)) {
                    self.tell(Event::Text { call: id });
                }
                let author = from.leaf;
                self.say_in_room(id, room, &CallMessage::Said { id: text_id, author });
            }
            CallMessage::Said { id: text_id, author } if author == room.machine.own() => {
                let call = self.calls.get_mut(&id);
                if call.is_some_and(|call| call.text_arrived(text_id)) {
                    self.tell(Event::TextArrived { call: id });
                }
            }
            _ => {}
        }
    }

    /// Says what some could not hear before: this side keeps a record, which voice it sent, it is muted, it announces.
    pub(super) fn say_how_it_is(&mut self, id: u32, room: &mut Room) {
        if room.machine.role(room.machine.own()) == Some(Role::Attendant) {
            self.say_in_room(id, room, &CallMessage::Urgency { precedence: room.urges });
        }
        if self.on_record(id) {
            self.say_in_room(id, room, &CallMessage::OnRecord {});
        }
        self.tell_spoken(id, room);
        if self.muted {
            self.say_in_room(id, room, &CallMessage::Mute { on: true });
        }
        if room.announcing {
            room.machine.announce(true);
        }
    }

    /// A member says who somebody is: a newcomer, or that it is an attendant itself. Nobody is made anything else
    /// once it is in.
    fn introduced(
        &mut self,
        id: u32,
        room: &mut Room,
        from: Member,
        device: [u8; 32],
        who: Person,
    ) {
        let inside = room.group.members().iter().any(|m| m.device.device().0 == device);
        if !inside {
            // Of each member the latest: it makes one change at a time.
            room.promised.insert(from.device.device().0, (device, who));
            return;
        }
        if from.device.device().0 == device && who.role == Role::Attendant {
            room.people.entry(device).or_insert(who).role = Role::Attendant;
            room.machine.attends(from.leaf);
            self.room_changed(id);
        }
    }
}
