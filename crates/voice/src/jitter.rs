//! The order of frames, and the one decision at each frame: play, rebuild, wait or conceal.
//!
//! ```text
//!            next              highest
//!  played ... | 7 | . | 9 | 10 | . . . WINDOW          slots, by frame number
//!                   \__/ rebuilt from 9
//!
//!  offset = time of playing - number * 20 ms           held just above Arrivals::target
//! ```
//!
//! **Frames are asked for by the player's clock alone; packets only fill slots.** Numbers are the
//! 32-bit frame counters of the sender, unwrapped around the newest. Microseconds and samples.

use crate::arrival::Arrivals;
use crate::{BLOCK_US, FRAME_US, PACKET_LEN};

/// Frames that can be held: 1.28 s.
const WINDOW: i64 = 64;
/// Missing frames after which the stream counts as stopped: 1 s. The next packet starts it anew.
const STOPPED: u32 = 50;
/// Too much delay by this much is not trimmed but skipped.
const SKIP_US: i64 = 200_000;
/// A block less delay is taken only when it is safe by this much.
const SAFETY_US: i64 = 2_000;
/// Frames over which the earliest pull counts, since a player is never quite even: 320 ms.
const PULLS: usize = 16;
/// A player that asked for nothing for so long stood still, and with it all of this machine; what arrives until a moment
/// afterwards had been waiting.
const STILL_US: i64 = 80_000;
const AFTER_US: i64 = 20_000;
/// Frames over which the figures of [`Outcomes`] are taken: 5 s.
const RECENT: usize = 250;

/// What became of an arriving packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrived {
    Kept,
    Late,
    Duplicate,
    /// Of a wrong length, or too far ahead.
    Refused,
}

/// What to play now. `excess` is how many samples of delay are too many (or too few, negative).
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing has arrived yet: silence.
    Idle,
    /// The frame is there.
    Play { packet: [u8; PACKET_LEN], excess: i64 },
    /// It is not, but a later one is, `back` frames on.
    Rebuild { number: i64, packet: [u8; PACKET_LEN], back: usize },
    /// It may still come, and waiting is due: invent a block and ask again.
    Hold,
    /// It is given up: invent a frame.
    Conceal,
}

/// How the frames played of late came about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Outcomes {
    pub(crate) played: u32,
    pub(crate) rebuilt: u32,
    pub(crate) concealed: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Played,
    Rebuilt,
    Concealed,
}

#[derive(Clone)]
struct Slot {
    number: i64,
    packet: [u8; PACKET_LEN],
}

pub(crate) struct Buffer {
    slots: Vec<Option<Slot>>,
    running: bool,
    next: i64,
    newest: i64,
    missed: u32,
    arrivals: Arrivals,
    /// The offsets of recent pulls, as they would be after all trimming since.
    offsets: [i64; PULLS],
    pulls: usize,
    pulled: Option<i64>,
    still_until: i64,
    recent: Vec<Outcome>,
    recent_at: usize,
}

impl Buffer {
    pub(crate) fn new() -> Self {
        Self {
            slots: vec![None; WINDOW as usize],
            running: false,
            next: 0,
            newest: 0,
            missed: 0,
            arrivals: Arrivals::new(),
            offsets: [0; PULLS],
            pulls: 0,
            pulled: None,
            still_until: i64::MIN,
            recent: Vec::with_capacity(RECENT),
            recent_at: 0,
        }
    }

    /// Takes the packet with the sender's frame number `seq`.
    pub(crate) fn insert(&mut self, now: i64, seq: u32, packet: &[u8]) -> Arrived {
        let Ok(packet) = <[u8; PACKET_LEN]>::try_from(packet) else {
            return Arrived::Refused;
        };
        // The nearest number with these 32 bits; a jump of half the range is a step back.
        let number = self.newest + i64::from(seq.wrapping_sub(self.newest as u32) as i32);
        if !self.running {
            self.start(number);
        }
        if number - self.next >= WINDOW || self.next - number > WINDOW {
            return if number < self.next { Arrived::Late } else { Arrived::Refused };
        }
        let still = self.stands_still(now);
        let slot = &mut self.slots[number.rem_euclid(WINDOW) as usize];
        if slot.as_ref().is_some_and(|slot| slot.number == number) {
            return Arrived::Duplicate;
        }
        if still {
            self.arrivals.skip(number);
        } else {
            self.arrivals.record(number, now);
        }
        self.newest = self.newest.max(number);
        if number < self.next {
            return Arrived::Late;
        }
        *slot = Some(Slot { number, packet });
        Arrived::Kept
    }

    /// The player asks for a block.
    pub(crate) fn pulled(&mut self, now: i64) {
        if self.pulled.is_some_and(|pulled| now - pulled > STILL_US) {
            self.still_until = now + AFTER_US;
        }
        self.pulled = Some(now);
    }

    /// Nothing was played when this packet came, so that it came late makes no difference, and says nothing about the next one.
    fn stands_still(&self, now: i64) -> bool {
        now < self.still_until || self.pulled.is_some_and(|pulled| now - pulled > STILL_US)
    }

    fn start(&mut self, number: i64) {
        self.running = true;
        self.next = number;
        self.newest = number;
        self.missed = 0;
        self.pulls = 0;
        self.arrivals.clear();
        self.slots.fill(None);
    }

    /// Decides what to play at `now`, when `left_us` of sound are still to be heard before it, for a player that asks for
    /// blocks of `block_us`.
    pub(crate) fn step(&mut self, now: i64, left_us: i64, block_us: i64) -> Step {
        if !self.running {
            return Step::Idle;
        }
        let mut excess = self.excess(now, left_us, block_us);
        if excess > SKIP_US {
            let skipped = (excess / FRAME_US).min(self.newest - self.next).max(0);
            self.next += skipped;
            self.moved(-skipped * FRAME_US);
            excess -= skipped * FRAME_US;
        }
        if let Some(slot) = self.take(self.next) {
            self.next += 1;
            self.missed = 0;
            return Step::Play { packet: slot.packet, excess: excess * 48 / 1_000 };
        }
        if let Some((number, packet)) = self.later() {
            let back = (number - self.next) as usize;
            self.next += 1;
            self.missed = 0;
            return Step::Rebuild { number, packet, back };
        }
        if excess < 0 {
            self.moved(BLOCK_US);
            return Step::Hold;
        }
        self.next += 1;
        self.missed += 1;
        if self.missed >= STOPPED {
            self.running = false;
        }
        Step::Conceal
    }

    fn take(&mut self, number: i64) -> Option<Slot> {
        self.slots[number.rem_euclid(WINDOW) as usize].take_if(|slot| slot.number == number)
    }

    /// The first packet held after the next frame.
    fn later(&self) -> Option<(i64, [u8; PACKET_LEN])> {
        (self.next + 1..=self.newest).find_map(|number| {
            let slot = self.slots[number.rem_euclid(WINDOW) as usize].as_ref()?;
            (slot.number == number).then_some((number, slot.packet))
        })
    }

    /// How much more (or less, negative) delay there is than needed, in microseconds.
    ///
    /// Frames are decoded only at pulls, a block apart: so the earliest pull at or after the
    /// target is what can be reached, with nothing left unheard before it.
    fn excess(&mut self, now: i64, left_us: i64, block_us: i64) -> i64 {
        self.offsets[self.pulls % PULLS] = now - self.next * FRAME_US + left_us;
        self.pulls += 1;
        let known = self.pulls.min(PULLS);
        let earliest = self.offsets[..known].iter().copied().min().unwrap_or(0);
        let ahead = earliest - left_us - self.arrivals.target();
        let blocks = ahead.div_euclid(block_us);
        let safe = (ahead - SAFETY_US).div_euclid(block_us);
        left_us + block_us * if blocks < 0 { blocks } else { safe.max(0) }
    }

    /// Sound was added (or cut out, negative): everything from here on is heard that much later.
    pub(crate) fn moved(&mut self, added_us: i64) {
        for offset in &mut self.offsets {
            *offset += added_us;
        }
    }

    /// Notes what the frame just stepped over became.
    pub(crate) fn note(&mut self, outcome: Outcome) {
        if self.recent.len() < RECENT {
            self.recent.push(outcome);
        } else {
            self.recent[self.recent_at] = outcome;
            self.recent_at = (self.recent_at + 1) % RECENT;
        }
    }

    /// The frames of the last five seconds.
    pub(crate) fn outcomes(&self) -> Outcomes {
        let mut outcomes = Outcomes::default();
        for outcome in &self.recent {
            match outcome {
                Outcome::Played => outcomes.played += 1,
                Outcome::Rebuilt => outcomes.rebuilt += 1,
                Outcome::Concealed => outcomes.concealed += 1,
            }
        }
        outcomes
    }

    /// How long packets wait here between arriving and being heard, and their jitter.
    pub(crate) fn delay(&mut self) -> (i64, i64) {
        if self.pulls == 0 {
            return (0, 0);
        }
        let offset = self.offsets[(self.pulls - 1) % PULLS];
        (offset - self.arrivals.median(), self.arrivals.jitter())
    }
}
