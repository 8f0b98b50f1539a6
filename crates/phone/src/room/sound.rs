//! Whose voice is heard, and how several become one.

use seal::sframe::{Opened, Opener, Sealer};
use voice::{BLOCK, Level, Meter, Speaker};
use wire::Time;
use wire::limits::VOICE_LEN;

use super::Room;

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
}

impl Ear {
    /// `None` without memory.
    pub(super) fn new(opener: Opener) -> Option<Self> {
        let meter = Meter::new();
        let level = meter.level();
        Some(Ear { opener, speaker: Speaker::new().ok()?, meter, level, last: None, muted: false })
    }

    /// A new epoch: the keys are new, the sound goes on.
    pub(super) fn goes_on(&mut self, before: Ear) {
        let opener = core::mem::replace(self, before).opener;
        self.opener = opener;
    }
}

impl Room {
    /// Opens a voice frame with the keys of whoever it claims to be from.
    pub(crate) fn open(&mut self, payload: &[u8; VOICE_LEN]) -> Option<(u32, Opened)> {
        self.ears.iter_mut().find_map(|(leaf, ear)| Some((*leaf, ear.opener.open(payload).ok()?)))
    }

    /// Plays a frame of a member, if that one is to be heard now; `true` if it is.
    pub(crate) fn play(&mut self, now: Time, leaf: u32, frame: &Opened) -> bool {
        if !self.machine.hears(leaf) {
            return false;
        }
        let Some(ear) = self.ears.get_mut(&leaf) else { return false };
        ear.last = Some(now);
        ear.speaker.insert(now, frame.number, &frame.packet);
        true
    }

    /// The next 10 ms of everybody who is heard.
    pub(crate) fn render(&mut self, now: Time, block: &mut [f32; BLOCK]) {
        let mut voices = Vec::with_capacity(call::conference::MEMBERS_MAX);
        for (leaf, ear) in &mut self.ears {
            let recent = ear.last.is_some_and(|last| now.since(last) < QUIET);
            if !recent || !self.machine.hears(*leaf) {
                ear.level = Meter::new().level();
                continue;
            }
            let mut voice = [0.0; BLOCK];
            ear.speaker.pull(now, &mut voice);
            ear.level = ear.meter.block(&voice);
            voices.push(voice);
        }
        voice::mix(&voices.iter().collect::<Vec<_>>(), block);
    }

    /// What the own voice is sealed with, while it may be heard.
    pub(crate) fn sealer(&mut self) -> Option<&mut Sealer> {
        self.machine.voice()
    }
}
