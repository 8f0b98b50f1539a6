//! Short-time objective intelligibility.
//!
//! ```text
//! 10 kHz -> frames of 25.6 ms above -40 dB -> 15 third-octave bands from 150 Hz
//!        -> per band and 384 ms: scale, clip at -15 dB, correlate -> mean
//! ```
//!
//! C. H. Taal, R. C. Hendriks, R. Heusdens, J. Jensen, "An Algorithm for Intelligibility Prediction of
//! Time-Frequency Weighted Noisy Speech", IEEE Transactions on Audio, Speech, and Language
//! Processing 19(7), 2011. Details (edges of bands, frame counts) are those of the reference code.

use super::ScoreError;
use super::fft::transform;
use super::resample::resample;

const RATE: usize = 10_000;
const FRAME: usize = 256;
const HOP: usize = FRAME / 2;
const FFT: usize = 512;
const BANDS: usize = 15;
const LOWEST: f64 = 150.0;
/// Frames in a segment: 384 ms.
const SEGMENT: usize = 30;
/// Frames this far below the loudest are silent, dB.
const RANGE: f64 = 40.0;
/// Lowest signal-to-distortion ratio that counts, dB.
const CLIP: f64 = -15.0;

/// Intelligibility of `heard` against `said`, 0 to 1; both at 48 kHz, of one length and aligned.
///
/// Errors: less than about 0.4 s of speech that is not silent.
pub fn stoi(said: &[f32], heard: &[f32]) -> Result<f64, ScoreError> {
    let length = said.len().min(heard.len());
    let said = resample(&said[..length], voice::SAMPLE_RATE, RATE);
    let heard = resample(&heard[..length], voice::SAMPLE_RATE, RATE);
    let (said, heard) = drop_silence(&said, &heard);
    let (said, heard) = (bands(&said), bands(&heard));
    if said.len() < SEGMENT {
        return Err(ScoreError::Short("the speech", 400));
    }
    let mut sum = 0.0;
    let segments = said.len() - SEGMENT + 1;
    for start in 0..segments {
        for band in 0..BANDS {
            sum += correlation(
                said[start..start + SEGMENT].iter().map(|frame| frame[band]),
                heard[start..start + SEGMENT].iter().map(|frame| frame[band]),
            );
        }
    }
    Ok(sum / (BANDS * segments) as f64)
}

/// A symmetric Hann window without its zeros.
fn window(i: usize) -> f64 {
    0.5 - 0.5 * (std::f64::consts::TAU * (i + 1) as f64 / (FRAME + 1) as f64).cos()
}

/// Both signals without the frames in which `said` is silent, put together again by overlap-add.
fn drop_silence(said: &[f64], heard: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let windows: Vec<f64> = (0..FRAME).map(window).collect();
    let starts = (0..said.len().saturating_sub(FRAME)).step_by(HOP);
    let loudness: Vec<(usize, f64)> = starts
        .map(|start| {
            let frame = said[start..start + FRAME].iter().zip(&windows);
            let norm = frame.map(|(x, w)| (x * w).powi(2)).sum::<f64>().sqrt();
            (start, 20.0 * (norm + f64::EPSILON).log10())
        })
        .collect();
    let loudest = loudness.iter().map(|(_, l)| *l).fold(f64::MIN, f64::max);
    let kept: Vec<usize> =
        loudness.iter().filter(|(_, l)| loudest - RANGE - l < 0.0).map(|(s, _)| *s).collect();
    let join = |signal: &[f64]| {
        let mut joined = vec![0.0; kept.len().saturating_sub(1) * HOP + FRAME];
        for (place, start) in kept.iter().enumerate() {
            let place = &mut joined[place * HOP..place * HOP + FRAME];
            for ((out, x), w) in place.iter_mut().zip(&signal[*start..]).zip(&windows) {
                *out += x * w;
            }
        }
        joined
    };
    (join(said), join(heard))
}

/// The amplitude of each band in each frame.
fn bands(signal: &[f64]) -> Vec<[f64; BANDS]> {
    let edges = edges();
    (0..signal.len().saturating_sub(FRAME))
        .step_by(HOP)
        .map(|start| {
            let mut spectrum = [[0.0; 2]; FFT];
            for (i, bin) in spectrum[..FRAME].iter_mut().enumerate() {
                bin[0] = signal[start + i] * window(i);
            }
            transform(&mut spectrum, false);
            edges.map(|(low, high)| {
                spectrum[low..high].iter().map(|[re, im]| re * re + im * im).sum::<f64>().sqrt()
            })
        })
        .collect()
}

/// First bin of each band, and the one after its last.
fn edges() -> [(usize, usize); BANDS] {
    let bin = |hertz: f64| (hertz * FFT as f64 / RATE as f64).round() as usize;
    std::array::from_fn(|k| {
        let centre = 2.0 * k as f64;
        (bin(LOWEST * ((centre - 1.0) / 6.0).exp2()), bin(LOWEST * ((centre + 1.0) / 6.0).exp2()))
    })
}

/// Equation 5: correlation of a band's envelope with the scaled and clipped one that was heard.
fn correlation(
    said: impl Iterator<Item = f64> + Clone,
    heard: impl Iterator<Item = f64> + Clone,
) -> f64 {
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>().sqrt();
    let scale = norm(&mut said.clone()) / (norm(&mut heard.clone()) + f64::EPSILON);
    let clip = 1.0 + 10.0_f64.powf(-CLIP / 20.0);
    let clipped = heard.zip(said.clone()).map(move |(y, x)| (y * scale).min(x * clip));
    let count = SEGMENT as f64;
    let (mean_x, mean_y) =
        (said.clone().sum::<f64>() / count, clipped.clone().sum::<f64>() / count);
    let norm_x = norm(&mut said.clone().map(|x| x - mean_x)) + f64::EPSILON;
    let norm_y = norm(&mut clipped.clone().map(|y| y - mean_y)) + f64::EPSILON;
    said.zip(clipped).map(|(x, y)| (x - mean_x) * (y - mean_y)).sum::<f64>() / (norm_x * norm_y)
}
