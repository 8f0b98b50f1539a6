//! Speech to packets of one length.
//!
//! ```text
//! 960 samples -> dither -> libopus, constrained VBR, DRED -> <= 100 B -> pad -> 100 B
//! ```
//!
//! **Every packet is [`PACKET_LEN`] bytes and costs the same path through the codec**, speech or
//! silence: no DTX, and a dither far below hearing keeps libopus from its short cut for digital
//! silence. Redundancy (DRED, some 400 ms) takes what the speech leaves of the packet.
//! RFC 6716; padding is that of RFC 6716 section 3.2.5.

use opus_ffi::Settings;

use crate::{Error, FRAME, PACKET_LEN};

/// Chosen by `hotline bench speech`: see docs/decisions/0012.
const SETTINGS: Settings =
    Settings { bitrate: 28_000, variable: true, loss: 30, fec: false, dred: 104, complexity: 10 };

/// Half the step of a 16-bit sample: -96 dBFS.
const DITHER: f32 = 0.5 / 32_768.0;

/// Codes one person's voice.
pub struct Encoder {
    opus: opus_ffi::Encoder,
    dither: u32,
    #[cfg(feature = "coarse")]
    still: Option<[u8; PACKET_LEN]>,
}

impl Encoder {
    /// Makes an encoder. Fails only without memory.
    pub fn new() -> Result<Self, Error> {
        Ok(Self {
            opus: opus_ffi::Encoder::new(SETTINGS)?,
            dither: 0x9e37_79b9,
            #[cfg(feature = "coarse")]
            still: None,
        })
    }

    /// For laboratories that play hours in seconds: of least effort, without redundancy, and digital silence is coded once. The
    /// packets have the same length. **What an attacker could learn from its work is no secret here.**
    #[cfg(feature = "coarse")]
    pub fn coarse() -> Result<Self, Error> {
        let settings = Settings { dred: 0, complexity: 0, ..SETTINGS };
        let mut coarse = Self { opus: opus_ffi::Encoder::new(settings)?, ..Self::new()? };
        let mut still = [0; PACKET_LEN];
        // The first frames still ring of the coder's beginning.
        for _ in 0..10 {
            let len = coarse.opus.encode(&[0.0; FRAME], &mut still)?;
            opus_ffi::pad(&mut still, len)?;
        }
        coarse.still = Some(still);
        Ok(coarse)
    }

    /// The codec's own delay in samples (6.5 ms), to be added to the 20 ms of a frame.
    pub fn lookahead(&mut self) -> Result<usize, Error> {
        Ok(self.opus.lookahead()?)
    }

    /// Codes one frame. Samples outside [-1, 1] are clipped, those that are no number are zero.
    pub fn encode(&mut self, pcm: &[f32; FRAME]) -> Result<[u8; PACKET_LEN], Error> {
        #[cfg(feature = "coarse")]
        if let Some(still) = self.still.filter(|_| pcm.iter().all(|sample| *sample == 0.0)) {
            return Ok(still);
        }
        let mut clean = [0.0; FRAME];
        for (clean, &sample) in clean.iter_mut().zip(pcm) {
            let sample = if sample.is_nan() { 0.0 } else { sample.clamp(-1.0, 1.0) };
            *clean = sample + self.noise();
        }
        let mut packet = [0; PACKET_LEN];
        let len = self.opus.encode(&clean, &mut packet)?;
        opus_ffi::pad(&mut packet, len)?;
        Ok(packet)
    }

    /// A linear congruential generator: hiss needs no secrecy.
    fn noise(&mut self) -> f32 {
        self.dither = self.dither.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((self.dither >> 8) as f32 / 8_388_608.0 - 1.0) * DITHER
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_packet_has_one_length_and_is_never_a_silent_one() {
        let mut encoder = Encoder::new().unwrap();
        let mut seed = 1_u32;
        for frame in 0..150 {
            let mut pcm = [0.0; FRAME];
            for (i, sample) in pcm.iter_mut().enumerate() {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *sample = match frame / 30 {
                    0 => 0.0,
                    1 => (i as f32 * 0.05).sin() * 0.5,
                    2 => (seed >> 8) as f32 / 8_388_608.0 - 1.0,
                    3 => f32::NAN,
                    _ => f32::INFINITY,
                };
            }
            let packet = encoder.encode(&pcm).unwrap();
            assert_eq!(opus_ffi::samples(&packet), Ok(FRAME));
        }
    }

    #[test]
    fn the_speech_before_a_packet_can_be_rebuilt_from_it() {
        let mut encoder = Encoder::new().unwrap();
        let mut dred = opus_ffi::Dred::new().unwrap();
        let mut reach = 0;
        for frame in 0..100 {
            let mut pcm = [0.0; FRAME];
            for (i, sample) in pcm.iter_mut().enumerate() {
                let t = (frame * FRAME + i) as f32 / 48_000.0;
                // A buzz of 120 Hz with a syllable rate of 4 Hz.
                let voice: f32 = (1..20).map(|h| (t * 754.0 * h as f32).sin() / h as f32).sum();
                *sample = voice * 0.2 * (t * 25.0).sin().abs();
            }
            let packet = encoder.encode(&pcm).unwrap();
            reach = dred.read(&packet, 48_000).unwrap();
        }
        assert!(reach >= 15 * FRAME, "only {reach} samples");
    }
}
