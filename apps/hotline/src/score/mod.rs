//! Speech heard against speech said: quality (PESQ), intelligibility (STOI), delay.
//!
//! ```text
//!  said  ---+--> align --> the same stretch of both --> 16 kHz --> PESQ  (1.0 bad .. 4.64 best)
//!  heard ---/      |                                --> 10 kHz --> STOI  (0 .. 1)
//!                  +-----> delay in samples
//! ```
//!
//! Signals are mono, 48,000 samples a second, `f32` in [-1, 1]. PESQ is wide-band: ITU-T P.862.2.

mod align;
mod fft;
mod resample;
mod stoi;

pub use align::{Alignment, align, follow};
pub use stoi::stoi;

/// Samples a second of what PESQ wide-band takes.
const PESQ_RATE: usize = 16_000;

/// Why there is no score.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScoreError {
    /// Too little sound to say anything.
    #[error("{0} is too short to be scored; record at least {1} ms of speech")]
    Short(&'static str, u32),
    /// One of the two is silent, or the two have nothing in common.
    #[error("no speech to compare: one recording is silent, or they are not of the same speech")]
    Nothing,
}

/// The wide-band PESQ of `heard` against `said` (MOS-LQO, 1.04 to 4.64).
///
/// PESQ finds delays up to some hundred ms by itself. Errors: under half a second of speech.
pub fn pesq(said: &[f32], heard: &[f32]) -> Result<f32, ScoreError> {
    let (said, heard) = (narrow(said), narrow(heard));
    if [&said, &heard].iter().any(|signal| signal.iter().all(|x| *x == 0)) {
        return Err(ScoreError::Nothing);
    }
    pesq::pesq_wb(&said, &heard).map_err(|error| match error {
        pesq::PesqError::NoUtterancesFound => ScoreError::Nothing,
        _ => ScoreError::Short("a recording", 500),
    })
}

/// To 16 kHz and 16 bits.
fn narrow(signal: &[f32]) -> Vec<i16> {
    resample::resample(signal, voice::SAMPLE_RATE, PESQ_RATE)
        .into_iter()
        .map(|x| (x * 32_768.0).round().clamp(-32_768.0, 32_767.0) as i16)
        .collect()
}

#[cfg(test)]
mod tests;
