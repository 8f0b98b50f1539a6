//! One incoming voice: packets in as they come, blocks out on the player's clock.
//!
//! ```text
//! insert(now, number, packet) -> jitter -> conceal -> stretch -> FIFO -> pull(now, block)
//! ```
//!
//! **Audio-thread contract:** `pull` takes no lock and makes no system call; after the first second
//! it allocates nothing, since the FIFO and all windows keep their room. Its cost is bounded by
//! three frames decoded, some 2 ms at worst.

use std::collections::VecDeque;

use wire::Time;

use crate::jitter::{Arrived, Buffer, Outcome, Step};
use crate::stretch::{lengthen, shorten};
use crate::{BLOCK, Codec, Concealer, Error, FRAME, Quality};

/// Left-over sound that is not worth a cut: 4 ms.
const WORTH: i64 = 192;
/// From here on (40 ms too many) every frame is trimmed, and harder.
const HURRY: i64 = 1_920;
/// Frames between two gentle trims: 100 ms.
const REST: u32 = 5;

/// Counts since the beginning, in packets or frames.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Packets that came in time.
    pub received: u64,
    /// Packets that came after their turn.
    pub late: u64,
    /// Packets that had come before.
    pub duplicate: u64,
    /// Packets of a wrong length, too far ahead, or not decodable.
    pub refused: u64,
    /// Frames played from their own packet.
    pub played: u64,
    /// Frames rebuilt from the redundancy of a later packet.
    pub rebuilt: u64,
    /// Frames invented.
    pub concealed: u64,
    /// Stretches of 10 ms invented to wait for a packet.
    pub held: u64,
    /// Samples added by stretching.
    pub stretched: u64,
    /// Samples cut out.
    pub cut: u64,
}

/// Plays one voice. `C` is the decoder: [`Concealer`] outside of tests.
pub struct Speaker<C = Concealer> {
    buffer: Buffer,
    codec: C,
    fifo: VecDeque<f32>,
    rest: u32,
    stats: Stats,
}

impl Speaker {
    /// Makes a silent speaker. Fails only without memory.
    pub fn new() -> Result<Self, Error> {
        Ok(Self::with_codec(Concealer::new()?))
    }
}

impl<C: Codec> Speaker<C> {
    /// Makes a silent speaker with another decoder.
    pub fn with_codec(codec: C) -> Self {
        Self {
            buffer: Buffer::new(),
            codec,
            fifo: VecDeque::with_capacity(4 * FRAME),
            rest: 0,
            stats: Stats::default(),
        }
    }

    /// Takes a packet that has been authenticated. `seq` counts the sender's frames, 20 ms each,
    /// and may wrap. Anything may come in any order; what cannot be used is counted and dropped.
    pub fn insert(&mut self, now: Time, seq: u32, packet: &[u8]) {
        let count = match self.buffer.insert(micros(now), seq, packet) {
            Arrived::Kept => &mut self.stats.received,
            Arrived::Late => &mut self.stats.late,
            Arrived::Duplicate => &mut self.stats.duplicate,
            Arrived::Refused => &mut self.stats.refused,
        };
        *count += 1;
    }

    /// Gives the next block, whose length is the player's own choice and always the same: the shorter, the less a frame waits
    /// for its turn. To be called on the player's own clock, with the time at which the block is asked for; that clock and
    /// the sender's may differ.
    pub fn pull(&mut self, now: Time, block: &mut [f32]) {
        let samples = block.len();
        self.buffer.pulled(micros(now));
        while self.fifo.len() < samples {
            self.fill(micros(now), samples_us(samples));
        }
        for (sample, heard) in block.iter_mut().zip(self.fifo.drain(..samples)) {
            *sample = heard;
        }
    }

    fn fill(&mut self, now: i64, block_us: i64) {
        let left = samples_us(self.fifo.len());
        let mut pcm = [0.0; FRAME];
        match self.buffer.step(now, left, block_us) {
            Step::Idle => self.fifo.extend([0.0; BLOCK]),
            Step::Play { packet, excess } => {
                if self.codec.decode(&packet, &mut pcm) {
                    self.stats.played += 1;
                    self.buffer.note(Outcome::Played);
                } else {
                    self.stats.refused += 1;
                    self.invent(&mut pcm);
                }
                self.play(&pcm, excess);
            }
            Step::Rebuild { number, packet, back } => {
                if self.codec.rebuild(number, &packet, back, &mut pcm) {
                    self.stats.rebuilt += 1;
                    self.buffer.note(Outcome::Rebuilt);
                } else {
                    self.stats.concealed += 1;
                    self.buffer.note(Outcome::Concealed);
                }
                self.fifo.extend(pcm);
            }
            Step::Hold => {
                let mut block = [0.0; BLOCK];
                self.codec.conceal(&mut block);
                self.stats.held += 1;
                self.fifo.extend(block);
            }
            Step::Conceal => {
                self.invent(&mut pcm);
                self.fifo.extend(pcm);
            }
        }
    }

    /// Invents a whole frame.
    fn invent(&mut self, pcm: &mut [f32; FRAME]) {
        for half in pcm.chunks_exact_mut(BLOCK) {
            let mut block = [0.0; BLOCK];
            self.codec.conceal(&mut block);
            half.copy_from_slice(&block);
        }
        self.stats.concealed += 1;
        self.buffer.note(Outcome::Concealed);
    }

    /// Plays a frame, shorter or longer if the delay wants it.
    fn play(&mut self, pcm: &[f32; FRAME], excess: i64) {
        self.rest = self.rest.saturating_sub(1);
        let hurry = !(-HURRY / 2..=HURRY).contains(&excess);
        let mut moved = 0;
        if (0..WORTH).contains(&excess) || (self.rest > 0 && !hurry) {
            self.fifo.extend(pcm);
        } else if excess > 0 {
            let cut = shorten(pcm, excess as usize, hurry, &mut self.fifo);
            self.stats.cut += cut as u64;
            moved = -(cut as i64);
        } else {
            let added = lengthen(pcm, excess.unsigned_abs() as usize, hurry, &mut self.fifo);
            self.stats.stretched += added as u64;
            moved = added as i64;
        }
        if moved != 0 {
            self.rest = REST;
            self.buffer.moved(moved * 1_000 / 48);
        }
    }

    /// Counts since the beginning.
    pub fn stats(&self) -> Stats {
        self.stats
    }

    /// How it sounds, over the last five seconds.
    pub fn quality(&mut self) -> Quality {
        let (delay, jitter) = self.buffer.delay();
        Quality::of(self.buffer.outcomes(), delay, jitter)
    }
}

fn samples_us(samples: usize) -> i64 {
    samples as i64 * 1_000 / 48
}

fn micros(now: Time) -> i64 {
    // The sign bit is out of reach: 292,000 years.
    i64::try_from(now.0).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
