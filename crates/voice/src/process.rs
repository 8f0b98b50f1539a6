//! Cleaning what a microphone hears: echo, noise, level.
//!
//! ```text
//! far voice  --- heard(block) ------------------+--> loudspeaker
//!                                               | echo model (AEC3)
//! microphone --- spoken(block) -> high pass -> - -> noise -> gain -> to the encoder
//! ```
//!
//! For native handsets; a browser brings its own. Blocks of 10 ms; a port of WebRTC's audio
//! processing (`sonora`). The delay between the two calls is found by the echo canceller itself.

use sonora::config::{
    AdaptiveDigital, EchoCanceller, GainController2, HighPassFilter, MaxProcessingRate,
    NoiseSuppression, Pipeline,
};
use sonora::{AudioProcessing, Config, StreamConfig};

use crate::{BLOCK, Error, SAMPLE_RATE};

/// Echo cancellation, noise suppression and gain control for one device.
pub struct Processor {
    inner: AudioProcessing,
}

impl Processor {
    /// Makes a processor that knows nothing of the room yet; it learns within a second of sound.
    pub fn new() -> Self {
        let config = Config {
            pipeline: Pipeline {
                maximum_internal_processing_rate: MaxProcessingRate::Rate48kHz,
                ..Default::default()
            },
            high_pass_filter: Some(HighPassFilter::default()),
            echo_canceller: Some(EchoCanceller::default()),
            noise_suppression: Some(NoiseSuppression::default()),
            gain_controller2: Some(GainController2 {
                adaptive_digital: Some(AdaptiveDigital {
                    // The default, 15 dB, would start each call too loud on a good microphone.
                    initial_gain_db: 6.0,
                    max_gain_db: 30.0,
                    ..Default::default()
                }),
                ..Default::default()
            }),
            ..Default::default()
        };
        let stream = StreamConfig::new(SAMPLE_RATE as u32, 1);
        let inner = AudioProcessing::builder()
            .config(config)
            .capture_config(stream)
            .render_config(stream)
            .build();
        Self { inner }
    }

    /// Takes note of a block that is about to be heard from the loudspeaker. Call it for every
    /// block played, before [`spoken`](Self::spoken) for the block captured meanwhile.
    pub fn heard(&mut self, block: &[f32; BLOCK]) -> Result<(), Error> {
        let mut ignored = [0.0; BLOCK];
        self.inner.process_render_f32(&[block], &mut [&mut ignored]).map_err(|_| Error::Processing)
    }

    /// Cleans a captured block in place. On an error the block is left as it was.
    pub fn spoken(&mut self, block: &mut [f32; BLOCK]) -> Result<(), Error> {
        let captured = *block;
        let mut clean = [0.0; BLOCK];
        self.inner
            .process_capture_f32(&[&captured], &mut [&mut clean])
            .map_err(|_| Error::Processing)?;
        *block = clean;
        Ok(())
    }
}

impl Default for Processor {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Speech-like noise: bursts, four a second.
    fn burst(seed: &mut u32, at: usize) -> f32 {
        *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let loud = (at / 6_000).is_multiple_of(2);
        if loud { ((*seed >> 8) as f32 / 8_388_608.0 - 1.0) * 0.3 } else { 0.0 }
    }

    #[test]
    fn an_echo_goes_away() {
        let mut processor = Processor::new();
        let mut seed = 1;
        let far: Vec<f32> = (0..48_000 * 6).map(|at| burst(&mut seed, at)).collect();
        let (mut before, mut after) = (0.0, 0.0);
        for (number, block) in far.as_chunks::<BLOCK>().0.iter().enumerate() {
            processor.heard(block).unwrap();
            // The room: 60 ms later, at half the amplitude.
            let mut near: [f32; BLOCK] = core::array::from_fn(|i| {
                let at = number * BLOCK + i;
                at.checked_sub(2_880).map_or(0.0, |at| far[at] * 0.5)
            });
            let echo: f32 = near.iter().map(|x| x * x).sum();
            processor.spoken(&mut near).unwrap();
            if number >= 400 {
                before += echo;
                after += near.iter().map(|x| x * x).sum::<f32>();
            }
        }
        let reduction = 10.0 * (before / after.max(1e-9)).log10();
        assert!(reduction > 25.0, "only {reduction} dB");
    }

    #[test]
    fn a_voice_alone_passes() {
        let mut processor = Processor::new();
        let mut power = 0.0;
        for number in 0..200 {
            processor.heard(&[0.0; BLOCK]).unwrap();
            let mut near: [f32; BLOCK] = core::array::from_fn(|i| {
                let t = (number * BLOCK + i) as f32 / 48_000.0;
                let voice: f32 = (1..12).map(|h| (t * 880.0 * h as f32).sin() / h as f32).sum();
                voice * 0.1 * (t * 20.0).sin().max(0.0)
            });
            processor.spoken(&mut near).unwrap();
            if number > 100 {
                power += near.iter().map(|x| x * x).sum::<f32>() / BLOCK as f32 / 99.0;
            }
        }
        assert!(power > 1e-4, "power {power}");
    }
}
