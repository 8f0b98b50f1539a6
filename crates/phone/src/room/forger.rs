//! A member who speaks in another's name, with the keys that every member has and numbers as that one's, or says who
//! somebody is whom it does not let in.

use seal::sframe::Sealer;
use wire::Text;
use wire::limits::{PACKET_LEN, VOICE_LEN};
use wire::talk::CallMessage;

use super::Person;
use crate::machine::Phone;

pub(crate) struct Forger {
    call: u32,
    sealer: Sealer,
    next: u32,
}

impl Forger {
    pub(crate) fn seal(&mut self, call: u32, packet: &[u8; PACKET_LEN]) -> Option<[u8; VOICE_LEN]> {
        if call != self.call {
            return None;
        }
        self.next += 1;
        self.sealer.seal(self.next - 1, packet, 0).ok()
    }
}

impl Phone {
    /// From now on what this member says in a call is sealed as the member's at `leaf`, from frame `next` on, and told of
    /// as its own.
    ///
    /// # Panics
    /// If it is in no such call.
    pub fn speak_as(&mut self, call: u32, leaf: u32, next: u32) {
        let room = self.calls.get_mut(&call).and_then(|call| call.room.as_mut());
        let keys = room.and_then(|room| room.group.epoch_keys().ok());
        let sealer = keys.and_then(|keys| Sealer::in_the_name_of(&keys, leaf).ok());
        match sealer {
            Some(sealer) => self.forger = Some(Forger { call, sealer, next }),
            None => panic!("no call {call} of more than two with a member {leaf}"),
        }
    }

    /// Says of whoever another member lets in that it is somebody else, and here on this one's behalf.
    ///
    /// # Panics
    /// If it is in no such call, or nobody is let in.
    pub fn say_newcomer_is(&mut self, call: u32, name: &str) {
        let said = self.in_room(call, |phone, room| {
            let (device, person) = room.promised.values().next()?.clone();
            let name = Text::new(name).ok()?;
            let person = Person { name, ..person };
            phone.say_in_room(call, room, &super::bring::member(device, &person));
            phone.say_in_room(call, room, &CallMessage::Stands { device });
            Some(())
        });
        assert!(said.flatten().is_some(), "nobody is let in to call {call}");
    }

    /// It speaks as itself again.
    pub fn speak_as_itself(&mut self) {
        self.forger = None;
    }

    /// The number of the frame that goes out next, as whoever hears it knows.
    #[must_use]
    pub fn next_frame(&self) -> u32 {
        self.voice.number() + 1
    }
}
