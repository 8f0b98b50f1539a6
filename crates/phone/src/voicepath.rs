//! Voice, both ways, at the same cost whether anybody talks or not.
//!
//! ```text
//!  capture ─► frame, or silence ─► Encoder ─► Sealer of the call, or Chaff ─► queue_voice(leg, or Leg::CHAFF)
//!  voice frame ─► leg of a call that was answered ─► Opener ─► Speaker ─► render
//!  no voice:      Chaff opens what it sealed ───────────────► Speaker ─► silence
//! ```
//!
//! **Nothing is decoded that did not open with the keys of a member of a call that was answered, on that
//! call's leg.** The microphone is heard only while there is a [`Microphone`], which the call has that has the floor. Calls
//! that are held send chaff, so that their silence takes nobody's room at the other end.

use core::time::Duration;

use call::Microphone;
use rand_core::{CryptoRng, RngCore};
use seal::sframe::Chaff;
use voice::{BLOCK, Encoder, FRAME, Level, Meter, Quality, Speaker};
use wire::limits::VOICE_LEN;
use wire::{Leg, Time};
use zeroize::Zeroizing;

use crate::enrol::Line;
use crate::event::Event;
use crate::machine::Phone;
use crate::ring::{Call, Stage};

/// What is sent while the microphone is not heard.
const SILENCE: [f32; FRAME] = [0.0; FRAME];

/// Control that waits while two of three frames of a call of more than two make room for it: 8 kB/s instead of 3. Bytes.
const CROWDED: usize = 1_500;

/// Encoder, speaker, and the chaff that replaces voice.
pub(crate) struct VoicePath {
    encoder: Encoder,
    chaff: Chaff,
    /// Counts ticks: the number of the frame.
    number: u32,
    captured: Option<[f32; FRAME]>,
    mic: Meter,
    speaker: Speaker,
    /// The call that is heard.
    heard: Option<u32>,
    level: Meter,
    /// Frames from strangers, of unknown epochs, damaged, or repeated.
    pub(crate) refused: u64,
}

impl VoicePath {
    pub(crate) fn new(rng: &mut (impl RngCore + CryptoRng)) -> Result<Self, voice::Error> {
        let mut key = Zeroizing::new([0; 32]);
        rng.fill_bytes(key.as_mut());
        // A random key cannot be refused; if it were, there would be no voice at all.
        let chaff = Chaff::new(&key).map_err(|_| voice::Error::Processing)?;
        Ok(VoicePath {
            encoder: Encoder::new()?,
            chaff,
            number: 0,
            captured: None,
            mic: Meter::new(),
            speaker: Speaker::new()?,
            heard: None,
            level: Meter::new(),
            refused: 0,
        })
    }

    pub(crate) fn mic_level(&self) -> Level {
        self.mic.level()
    }

    #[cfg(feature = "coarse")]
    pub(crate) fn code_coarsely(&mut self, coarse: bool) -> Result<(), voice::Error> {
        self.encoder = if coarse { Encoder::coarse()? } else { Encoder::new()? };
        Ok(())
    }

    #[cfg(feature = "adversary")]
    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    pub(crate) fn heard(&self) -> Option<u32> {
        self.heard
    }

    pub(crate) fn quality(&mut self) -> Quality {
        self.speaker.quality()
    }

    pub(crate) fn stats(&self) -> voice::Stats {
        self.speaker.stats()
    }
}

/// The only door from the microphone to the encoder.
fn heard<'a>(_: &Microphone<'_>, captured: &'a [f32; FRAME]) -> &'a [f32; FRAME] {
    captured
}

impl Phone {
    /// When the line next wants a frame of the microphone; `None` while it is down.
    pub fn next_tick(&self) -> Option<Time> {
        match &self.line {
            Line::Up(up) => Some(up.link.next_tick()),
            _ => None,
        }
    }

    /// When the tick of the latest cell was due, and how long it is: the cell leaves a fixed time after that. `None` while
    /// the line is down.
    pub fn last_tick(&self) -> Option<(Time, Duration)> {
        match &self.line {
            Line::Up(up) => Some((up.link.last_tick(), up.link.shape().tick)),
            _ => None,
        }
    }

    /// Takes 20 ms from the microphone: one frame before each tick. It is used at the next tick, or never.
    pub fn capture(&mut self, _: Time, frame: &[f32; FRAME]) {
        let (halves, _) = frame.as_chunks::<BLOCK>();
        for half in halves {
            self.voice.mic.block(half);
        }
        self.voice.captured = Some(*frame);
    }

    /// Gives the next block to be played, on the player's clock: one to [`FRAME`] samples, and always as many.
    pub fn render(&mut self, now: Time, block: &mut [f32]) {
        let room = self.voice.heard.and_then(|id| self.calls.get_mut(&id)?.room.as_mut());
        match room {
            Some(room) => room.render(now, block),
            None => self.voice.speaker.pull(now, block),
        }
        match self.voice.heard {
            Some(id) => {
                let level = self.voice.level.block(block);
                if let Some(call) = self.calls.get_mut(&id) {
                    call.level = level;
                }
            }
            // What was decoded was chaff.
            None => block.fill(0.0),
        }
    }

    /// The call that is heard changed, perhaps.
    pub(crate) fn voice_follows(&mut self) {
        let live = |c: &Call| matches!(&c.stage, Stage::Active(active) if active.listens());
        let heard = self.floor.holder().filter(|id| self.calls.get(id).is_some_and(live));
        if heard != self.voice.heard {
            self.voice.heard = heard;
            self.voice.level = Meter::new();
            // Without memory the old one goes on: it finds its way into the new numbers.
            if let Ok(speaker) = Speaker::new() {
                self.voice.speaker = speaker;
            }
        }
    }

    /// The voice that is heard comes from another handset: nothing of the last one's is played on.
    pub(crate) fn hear_anew(&mut self) {
        self.voice.heard = None;
        self.voice_follows();
    }

    /// The call between two in which the microphone is open now, if there is one.
    #[must_use]
    pub fn microphone(&mut self) -> Option<u32> {
        let id = self.talking()?;
        let call = self.calls.get(&id).filter(|call| call.room.is_none())?;
        let Stage::Active(active) = &call.stage else { return None };
        self.floor.microphone(id, active).map(|_| id)
    }

    /// One frame out, before each tick of the line; and one in, if nobody talks.
    pub(crate) fn voice_tick(&mut self) {
        let talking = self.talking();
        let path = &mut self.voice;
        path.number = path.number.wrapping_add(1);
        let (number, captured) = (path.number, path.captured.take());
        let call = talking.and_then(|id| self.calls.get_mut(&id));
        let floor = &mut self.floor;
        let microphone = call.as_ref().zip(talking).and_then(|(c, id)| match &c.stage {
            Stage::Active(active) => floor.microphone(id, active),
            _ => None,
        });
        let pcm = match (&microphone, &captured) {
            (Some(microphone), Some(captured)) => heard(microphone, captured),
            _ => &SILENCE,
        };
        let Ok(packet) = path.encoder.encode(pcm) else { return };
        let open = microphone.is_some();
        // A change of the group has to get through: frames make room for it, and DRED brings them back.
        let thin = !number.is_multiple_of(3) && self.line.waiting() > CROWDED;
        let unsent = self.line.has_unsent();
        let line = call.and_then(|call| {
            let leg = call.leg?;
            match &mut call.room {
                // Many listen on one leg: only who is heard takes up their room.
                Some(room) => {
                    let waits = thin || room.gives_way(unsent);
                    room.sealer().filter(|_| open && !waits).map(|sealer| (leg, sealer))
                }
                None => call.keyed.first_mut().map(|keyed| (leg, &mut keyed.sealer)),
            }
        });
        let idle = path.heard.is_none();
        let mut frame = (Leg::CHAFF, None);
        if line.is_none() || idle {
            // Chaff is opened and decoded here, in place of the voice that does not come.
            let sealed = path.chaff.seal(number, &packet).ok();
            let opened = sealed.as_ref().filter(|_| idle).and_then(|s| path.chaff.open(s).ok());
            if let Some(opened) = opened {
                path.speaker.insert(self.now, opened.number, &opened.packet);
            }
            frame = (Leg::CHAFF, sealed);
        }
        if let Some((leg, sealer)) = line {
            frame = (leg, sealer.seal(number, &packet, 0).ok());
            #[cfg(feature = "adversary")]
            if let (Some(forger), Some(id)) = (&mut self.forger, talking)
                && let Some(forged) = forger.seal(id, &packet)
            {
                frame = (leg, Some(forged));
            }
        }
        let (leg, Some(sealed)) = frame else { return };
        // For chaff, too: the work is the same.
        let tag = seal::sframe::tag(&sealed);
        if let crate::enrol::Line::Up(up) = &mut self.line {
            up.link.queue_voice(leg, &sealed);
        }
        self.tell_voice(number, talking.filter(|_| leg != Leg::CHAFF).map(|id| (id, tag)));
    }

    /// A voice frame came. The first one that opens also answers: only a device that answered has sent it.
    pub(crate) fn voice_frame(&mut self, leg: Leg, payload: &[u8; VOICE_LEN]) {
        let Some(id) = self.call_on(leg) else {
            self.voice.refused += 1;
            return;
        };
        let Some(call) = self.calls.get_mut(&id) else { return };
        if matches!(call.stage, Stage::Incoming(_) | Stage::Answering(_) | Stage::Over { .. }) {
            self.voice.refused += 1;
            return;
        }
        if call.room.is_some() {
            return self.room_voice(id, payload);
        }
        let mut opened = call.keyed.iter_mut().enumerate();
        let opened = opened.find_map(|(i, keyed)| Some((i, keyed.opener.open(payload).ok()?)));
        let Some((which, frame)) = opened else {
            self.voice.refused += 1;
            return;
        };
        if matches!(call.stage, Stage::Outgoing(_)) {
            self.answered_by(id, which);
        }
        self.is_back(id);
        if self.voice.heard != Some(id) {
            return;
        }
        self.voice.speaker.insert(self.now, frame.number, &frame.packet);
        if let Some(call) = self.calls.get_mut(&id)
            && !core::mem::replace(&mut call.heard, true)
        {
            self.tell(Event::Voice { call: id });
        }
    }
}
