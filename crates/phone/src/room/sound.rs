//! Whose voice is heard, and how several become one.

use call::vouch::{Digest, Heard, Tag, Trust};
use seal::sframe::{Opened, Opener, Sealer, tag};
use voice::{Level, Meter, Speaker};
use wire::Time;
use wire::limits::VOICE_LEN;

use super::Room;
use crate::event::Event;
use crate::machine::Phone;
use crate::ring::{Call, Stage};

/// A member that has not been heard for so long costs no decoding any more.
const QUIET: core::time::Duration = core::time::Duration::from_secs(2);

/// The ear for one member's voice.
pub(crate) struct Ear {
    opener: Opener,
    speaker: Speaker,
    meter: Meter,
    pub(super) level: Level,
    /// When its voice last came.
    last: Option<Time>,
    pub(super) muted: bool,
    /// What was heard in its name, against what it told of.
    pub(super) vouch: Heard,
}

impl Ear {
    /// `None` without memory.
    pub(super) fn new(opener: Opener, vouch: Heard) -> Option<Self> {
        let (meter, speaker) = (Meter::new(), Speaker::new().ok()?);
        let level = meter.level();
        Some(Ear { opener, speaker, meter, level, last: None, muted: false, vouch })
    }

    /// A new epoch: the keys are new, the sound goes on.
    pub(super) fn goes_on(&mut self, before: Ear) {
        let opener = core::mem::replace(self, before).opener;
        self.opener = opener;
        self.vouch.not_alone();
    }
}

/// A voice frame in somebody's name that opened.
pub(crate) struct Frame {
    pub(crate) leaf: u32,
    opened: Opened,
    /// It may be played.
    fine: bool,
}

impl Room {
    /// Opens a voice frame with the keys of whoever it claims to be from.
    pub(crate) fn open(&mut self, payload: &[u8; VOICE_LEN]) -> Option<Frame> {
        for (leaf, ear) in &mut self.ears {
            let Some(number) = ear.opener.number(payload) else { continue };
            if !ear.vouch.admits(number) {
                return None;
            }
            let opened = ear.opener.open(payload).ok()?;
            let fine = ear.vouch.frame(number, tag(payload));
            return Some(Frame { leaf: *leaf, opened, fine });
        }
        // In this member's own name: its own, sent back, or somebody else's.
        let number = self.mine.number(payload)?;
        let opened = self.mine.open(payload).ok()?;
        let leaf = self.machine.own();
        self.spoken.mine(number, &tag(payload));
        Some(Frame { leaf, opened, fine: false })
    }

    /// Plays a frame of a member, if that one is to be heard now; `true` if it is.
    pub(crate) fn play(&mut self, now: Time, frame: &Frame) -> bool {
        if !frame.fine || !self.machine.hears(frame.leaf) {
            return false;
        }
        let Some(ear) = self.ears.get_mut(&frame.leaf) else { return false };
        ear.last = Some(now);
        ear.speaker.insert(now, frame.opened.number, &frame.opened.packet);
        true
    }

    /// Whose frame it says it is.
    fn claimed(&self, payload: &[u8; VOICE_LEN]) -> Option<u32> {
        let of = self.ears.iter().find(|(_, ear)| ear.opener.number(payload).is_some());
        let own = || self.mine.number(payload).map(|_| self.machine.own());
        of.map(|(leaf, _)| *leaf).or_else(own)
    }

    /// Whether this member may send voice at all.
    fn speaks(&self) -> bool {
        self.machine.role(self.machine.own()).is_some_and(|role| role.speaks())
    }

    /// What is to be thought of voices in a member's name.
    pub(crate) fn trust(&self, leaf: u32) -> Trust {
        match self.ears.get(&leaf) {
            Some(ear) => ear.vouch.trust(),
            None if leaf == self.machine.own() => self.spoken.trust(),
            None => Trust::Vouched,
        }
    }

    /// Nothing of what waits to be played in a member's name is.
    fn hush(&mut self, leaf: u32) {
        if let Some(ear) = self.ears.get_mut(&leaf)
            && let Ok(speaker) = Speaker::new()
        {
            ear.speaker = speaker;
        }
    }

    /// The next 10 ms of everybody who is heard.
    pub(crate) fn render(&mut self, now: Time, block: &mut [f32]) {
        let mut voices = Vec::with_capacity(call::conference::MEMBERS_MAX);
        for (leaf, ear) in &mut self.ears {
            let recent = ear.last.is_some_and(|last| now.since(last) < QUIET);
            if !recent || !self.machine.hears(*leaf) {
                ear.level = Meter::new().level();
                continue;
            }
            let mut voice = vec![0.0; block.len()];
            ear.speaker.pull(now, &mut voice);
            ear.level = ear.meter.block(&voice);
            voices.push(voice);
        }
        voice::mix(&voices.iter().map(Vec::as_slice).collect::<Vec<_>>(), block);
    }

    /// What the own voice is sealed with, while it may be heard.
    pub(crate) fn sealer(&mut self) -> Option<&mut Sealer> {
        self.machine.voice()
    }
}

impl Phone {
    /// A tick has gone by, with a frame in call `sent.0` or without one: every room is told, twice a second.
    pub(crate) fn tell_voice(&mut self, number: u32, sent: Option<(u32, Tag)>) {
        let active = |c: &Call| matches!(c.stage, Stage::Active(_)) && c.leg.is_some();
        let rooms = self.calls.iter_mut().filter(|(_, call)| active(call));
        let due = rooms.filter_map(|(id, call)| {
            let room = call.room.as_mut().filter(|room| room.speaks())?;
            let tag = sent.filter(|(call, _)| call == id).map(|(_, tag)| tag);
            Some((*id, room.spoken.tick(number, tag)?))
        });
        for (id, digest) in due.collect::<Vec<_>>() {
            self.in_room(id, |phone, room| phone.say_in_room(id, room, &digest.message()));
        }
    }

    /// Tells at once what was said so far: before something long goes out, and to those who are new.
    pub(super) fn tell_spoken(&mut self, id: u32, room: &mut Room) {
        if room.speaks()
            && let Some(digest) = room.spoken.flush()
        {
            self.say_in_room(id, room, &digest.message());
        }
    }

    /// A member tells what it sent.
    pub(super) fn spoken_there(&mut self, id: u32, room: &mut Room, leaf: u32, digest: &Digest) {
        let before = room.trust(leaf);
        if let Some(ear) = room.ears.get_mut(&leaf) {
            ear.vouch.told(digest);
        }
        self.trust_changes(id, room, leaf, before);
    }

    /// Names whose voice was forged.
    pub(super) fn trust_changes(&mut self, id: u32, room: &mut Room, leaf: u32, before: Trust) {
        let after = room.trust(leaf);
        if after == before {
            return;
        }
        if after != Trust::Vouched {
            room.hush(leaf);
        }
        if after == Trust::Forged {
            self.tell(Event::Forged { call: id, leaf });
        }
        self.room_changed(id);
    }

    /// A voice frame of a call of more than two: who speaks stands in its key.
    pub(crate) fn room_voice(&mut self, id: u32, payload: &[u8; VOICE_LEN]) {
        let (now, here) = (self.now, self.voice.heard() == Some(id));
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(room) = call.room.as_mut().filter(|_| matches!(call.stage, Stage::Active(_)))
        else {
            return;
        };
        let whose = room.claimed(payload);
        let before = whose.map(|leaf| room.trust(leaf));
        let played = match room.open(payload) {
            Some(frame) => here && room.play(now, &frame),
            None => {
                self.voice.refused += 1;
                false
            }
        };
        let first = played && !core::mem::replace(&mut call.heard, true);
        let changed = whose.zip(before).filter(|(leaf, before)| room.trust(*leaf) != *before);
        if first {
            self.tell(Event::Voice { call: id });
        }
        if let Some((leaf, before)) = changed {
            self.in_room(id, |phone, room| phone.trust_changes(id, room, leaf, before));
        }
    }
}
