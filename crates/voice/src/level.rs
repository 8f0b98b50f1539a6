//! Level meters: how loud a voice is, for the eye.
//!
//! Decibels below full scale (dBFS): 0 is a full-scale square wave, a full-scale sine has an RMS of
//! -3.0. Peak: rises at once, falls 20 dB a second (as a peak programme meter, IEC 60268-10 type I,
//! does in 1.5 s over 20 to 30 dB). RMS: rises and falls with a time constant of 300 ms (as a VU
//! meter, IEC 60268-17).

use crate::SAMPLE_RATE;

/// The lowest level shown, dBFS.
const FLOOR: f32 = -90.0;
/// Fall of the peak, dB a second.
const FALL: f32 = 20.0;
/// Time constant of the mean power, seconds.
const CONSTANT: f32 = 0.3;

/// What a meter shows, in dBFS, each between -90 and 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// Highest sample of late.
    pub peak: f32,
    /// Root of the mean power.
    pub rms: f32,
}

/// A meter for one voice.
#[derive(Debug, Clone)]
pub struct Meter {
    peak: f32,
    power: f32,
}

impl Meter {
    /// A meter at rest.
    pub fn new() -> Self {
        Self { peak: FLOOR, power: 0.0 }
    }

    /// Takes the next samples, one at least, and returns what to show.
    pub fn block(&mut self, pcm: &[f32]) -> Level {
        let seconds = pcm.len() as f32 / SAMPLE_RATE as f32;
        // `max` ignores what is no number.
        let highest = pcm.iter().fold(0.0_f32, |top, x| top.max(x.abs()));
        let power = pcm.iter().map(|x| x * x).sum::<f32>() / pcm.len() as f32;
        self.peak = (self.peak - FALL * seconds).max(decibels(highest * highest));
        if power.is_finite() {
            self.power += (power - self.power) * (1.0 - (-seconds / CONSTANT).exp());
        }
        self.level()
    }

    /// What it shows now.
    pub fn level(&self) -> Level {
        Level { peak: self.peak, rms: decibels(self.power) }
    }
}

impl Default for Meter {
    fn default() -> Self {
        Self::new()
    }
}

/// Power to dBFS, kept on the scale.
fn decibels(power: f32) -> f32 {
    (10.0 * power.max(1e-12).log10()).clamp(FLOOR, 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BLOCK;

    #[test]
    fn a_full_scale_sine_is_minus_three_and_falls_as_meters_do() {
        let mut meter = Meter::new();
        let sine: [f32; BLOCK] =
            core::array::from_fn(|i| (i as f32 * core::f32::consts::TAU / 48.0).sin());
        for _ in 0..300 {
            meter.block(&sine);
        }
        let level = meter.level();
        assert!(level.peak.abs() < 0.1 && (level.rms + 3.01).abs() < 0.1, "{level:?}");
        // The length of a block makes no difference.
        for _ in 0..50 {
            meter.block(&[0.0; BLOCK]);
            meter.block(&[0.0; BLOCK / 4]);
            meter.block(&[0.0; BLOCK - BLOCK / 4]);
        }
        let level = meter.level();
        assert!((level.peak + 20.0).abs() < 0.5, "{level:?}");
        assert!((level.rms + 3.01 + 14.5).abs() < 0.5, "{level:?}");
    }

    #[test]
    fn silence_and_nonsense_stay_on_the_scale() {
        let mut meter = Meter::new();
        assert_eq!(meter.block(&[0.0; BLOCK]), Level { peak: -90.0, rms: -90.0 });
        meter.block(&[f32::NAN; BLOCK]);
        meter.block(&[f32::INFINITY; BLOCK]);
        let level = meter.block(&[1.0; BLOCK]);
        assert!(level.peak == 0.0 && level.rms > -20.0 && level.rms < 0.0, "{level:?}");
    }
}
