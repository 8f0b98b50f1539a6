//! What is heard where a packet is missing.
//!
//! ```text
//! frame 5  6  7  8  9          later packet held?   heard
//!       #  .  .  .  #          9                    6 7 8 rebuilt from the DRED of 9
//!       #  .  .  .  .          none                 neural concealment for 120 ms,
//!                                                   then a fade to the room's own hush
//! ```
//!
//! The decoder's state goes on through all of it, so the return is smooth. Units as in the crate.

use crate::{BLOCK, Error, FRAME};

/// Concealment at full loudness: 120 ms. Beyond it, invented speech is worse than none.
const FULL: usize = 5_760;
/// Then it fades over 60 ms.
const FADE: usize = 2_880;
/// After that, the sound comes back over 5 ms.
const RETURN: usize = 240;
/// Loudest hush: -60 dBFS.
const MAX_HUSH: f32 = 0.001;

/// A voice decoder that can stand losses. The buffer's tests bring one of their own.
pub trait Codec {
    /// Decodes a packet into a frame; false if it is no valid packet of one frame.
    fn decode(&mut self, packet: &[u8], pcm: &mut [f32; FRAME]) -> bool;
    /// Rebuilds the frame that lies `back` (>= 1) frames before packet `number`, from that packet;
    /// false if its redundancy does not reach, in which case the frame is concealed.
    fn rebuild(&mut self, number: i64, packet: &[u8], back: usize, pcm: &mut [f32; FRAME]) -> bool;
    /// Invents a block that goes on from what was heard.
    fn conceal(&mut self, pcm: &mut [f32; BLOCK]);
}

/// The real decoder: Opus with DRED and neural concealment.
pub struct Concealer {
    opus: opus_ffi::Decoder,
    dred: opus_ffi::Dred,
    /// The packet whose redundancy is loaded, and its reach in samples.
    loaded: Option<(i64, usize)>,
    /// Samples concealed since the last real ones.
    concealed: usize,
    /// The quietest that a frame has been of late, as an amplitude.
    hush: f32,
    seed: u32,
}

impl Concealer {
    /// Makes a decoder. Fails only without memory.
    pub fn new() -> Result<Self, Error> {
        Ok(Self {
            opus: opus_ffi::Decoder::new(5)?,
            dred: opus_ffi::Dred::new()?,
            loaded: None,
            concealed: 0,
            hush: 0.0,
            seed: 0x2545_f491,
        })
    }

    /// Real sound is back: fades it in if the hush had taken over, and listens to the room.
    fn back(&mut self, pcm: &mut [f32; FRAME]) {
        let gain = loudness(self.concealed);
        self.concealed = 0;
        if gain < 1.0 {
            for (i, sample) in pcm[..RETURN].iter_mut().enumerate() {
                *sample *= gain + (1.0 - gain) * i as f32 / RETURN as f32;
            }
        }
        let amplitude = (pcm.iter().map(|x| x * x).sum::<f32>() / FRAME as f32).sqrt();
        // The quietest frame counts at once; it is forgotten over some ten seconds.
        self.hush = amplitude.min(self.hush * 1.01 + 1e-6).min(MAX_HUSH);
    }

    fn noise(&mut self) -> f32 {
        self.seed = self.seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((self.seed >> 8) as f32 / 8_388_608.0 - 1.0) * self.hush * 1.7
    }

    /// Fades what was invented, and lets the hush through in its place.
    fn soften(&mut self, pcm: &mut [f32]) {
        for sample in pcm {
            let gain = loudness(self.concealed);
            *sample = *sample * gain + self.noise() * (1.0 - gain);
            self.concealed = self.concealed.saturating_add(1);
        }
    }
}

/// Gain of the concealment after so many samples of it.
fn loudness(concealed: usize) -> f32 {
    1.0 - (concealed.saturating_sub(FULL).min(FADE) as f32) / FADE as f32
}

impl Codec for Concealer {
    fn decode(&mut self, packet: &[u8], pcm: &mut [f32; FRAME]) -> bool {
        if self.opus.decode(packet, pcm).is_err() {
            return false;
        }
        self.back(pcm);
        true
    }

    fn rebuild(&mut self, number: i64, packet: &[u8], back: usize, pcm: &mut [f32; FRAME]) -> bool {
        let reach = match self.loaded {
            Some((loaded, reach)) if loaded == number => reach,
            _ => {
                let reach = self.dred.read(packet, crate::SAMPLE_RATE).unwrap_or(0);
                self.loaded = Some((number, reach));
                reach
            }
        };
        let offset = back.saturating_mul(FRAME);
        if offset <= reach && self.opus.rebuild(&self.dred, offset, pcm).is_ok() {
            self.back(pcm);
            return true;
        }
        let (first, second) = pcm.split_at_mut(BLOCK);
        for half in [first, second] {
            if let Ok(half) = half.try_into() {
                self.conceal(half);
            }
        }
        false
    }

    fn conceal(&mut self, pcm: &mut [f32; BLOCK]) {
        if self.concealed >= FULL + FADE || self.opus.conceal(pcm).is_err() {
            pcm.fill(0.0);
        }
        self.soften(pcm);
    }
}

#[cfg(test)]
mod tests;
