//! How much later a recording was heard than said, to the sample.
//!
//! ```text
//! said    |----####--##---|
//! heard        |----####--##---|        delay: where their cross-correlation is highest
//! ```
//!
//! Correlation by FFT over all lags, of the first differences: that takes the weight from the lowest
//! tones, whose peak is too blunt to point at a sample.

use super::ScoreError;
use super::fft::transform;

/// Least speech for an alignment: 20 ms.
const LEAST: usize = 960;
/// [`follow`] looks at so much at a time, in samples: 160 ms.
const WINDOW: usize = 7_680;
/// ... and this far to either side: 30 ms from where the window before it was found.
const REACH: usize = 1_440;
/// Least likeness at which a piece says anything about its delay.
const LIKE: f64 = 0.5;

/// Where one recording lies in another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Alignment {
    /// Samples by which `heard` is later; negative if it is earlier.
    pub delay: i64,
    /// Likeness at that delay: the normalised correlation of the overlap, -1 to 1.
    pub likeness: f64,
    /// First sample of the overlap in `said`.
    pub said: usize,
    /// First sample of the overlap in `heard`.
    pub heard: usize,
    /// Samples in the overlap.
    pub length: usize,
}

/// Finds the delay between two recordings of one speech.
///
/// Errors: either is shorter than 20 ms, or silent.
pub fn align(said: &[f32], heard: &[f32]) -> Result<Alignment, ScoreError> {
    if said.len() < LEAST || heard.len() < LEAST {
        return Err(ScoreError::Short("a recording", 20));
    }
    let size = (said.len() + heard.len()).next_power_of_two();
    let spectrum = |signal: &[f32]| {
        let mut buffer = vec![[0.0; 2]; size];
        for (bin, pair) in buffer.iter_mut().zip(signal.windows(2)) {
            bin[0] = f64::from(pair[1]) - f64::from(pair[0]);
        }
        transform(&mut buffer, false);
        buffer
    };
    let mut product = spectrum(heard);
    for (h, s) in product.iter_mut().zip(spectrum(said)) {
        *h = [h[0] * s[0] + h[1] * s[1], h[1] * s[0] - h[0] * s[1]];
    }
    transform(&mut product, true);
    let best = product
        .iter()
        .enumerate()
        .max_by(|a, b| a.1[0].total_cmp(&b.1[0]))
        .ok_or(ScoreError::Nothing)?
        .0;
    let delay = if best < heard.len() { best as i64 } else { best as i64 - size as i64 };
    let (from_said, from_heard) = ((-delay).max(0) as usize, delay.max(0) as usize);
    let length = said.len().saturating_sub(from_said).min(heard.len().saturating_sub(from_heard));
    let said_part = &said[from_said..from_said + length];
    let heard_part = &heard[from_heard..from_heard + length];
    let likeness = likeness(said_part, heard_part).ok_or(ScoreError::Nothing)?;
    Ok(Alignment { delay, likeness, said: from_said, heard: from_heard, length })
}

/// What was heard, put in time with `said` piece by piece: a jitter buffer changes its delay while
/// one speaks, which an ear does not mind and [`stoi`](super::stoi()) does. `heard` starts `delay`
/// samples late at first. Pieces without likeness keep the delay of the piece before.
pub fn follow(said: &[f32], heard: &[f32], delay: usize) -> Vec<f32> {
    let mut out = vec![0.0; said.len()];
    let mut delay = delay;
    for start in (0..said.len()).step_by(WINDOW / 2) {
        let end = (start + WINDOW / 2).min(said.len());
        // The middle of a wider window is what is taken.
        let wide = start.saturating_sub(WINDOW / 4)..(end + WINDOW / 4).min(said.len());
        let pattern = &said[wide.clone()];
        // First every fourth lag by every fourth sample, then those around the best by all.
        let coarse = delay.saturating_sub(REACH)..=delay + REACH;
        let near = best(pattern, heard, wide.start, coarse.step_by(4), 4, delay);
        delay = best(pattern, heard, wide.start, near.saturating_sub(3)..=near + 3, 1, delay);
        for (i, sample) in out[start..end].iter_mut().enumerate() {
            *sample = heard.get(start + i + delay).copied().unwrap_or(0.0);
        }
    }
    out
}

/// The delay, of those `tried`, at which `pattern` from `start` on is most like what was heard, going by
/// every `step`th sample; `otherwise` if it is like it at none.
fn best(
    pattern: &[f32],
    heard: &[f32],
    start: usize,
    tried: impl Iterator<Item = usize>,
    step: usize,
    otherwise: usize,
) -> usize {
    let thin = |signal: &[f32]| signal.iter().step_by(step).copied().collect::<Vec<_>>();
    let pattern_thin = thin(pattern);
    let mut best = (otherwise, LIKE);
    for delay in tried {
        let Some(part) = heard.get(start + delay..start + delay + pattern.len()) else { continue };
        if let Some(found) = likeness(&pattern_thin, &thin(part)).filter(|found| *found > best.1) {
            best = (delay, found);
        }
    }
    best.0
}

/// Normalised correlation; none for silence.
fn likeness(a: &[f32], b: &[f32]) -> Option<f64> {
    let (mut product, mut left, mut right) = (0.0_f32, 0.0_f32, 0.0_f32);
    for (x, y) in a.iter().zip(b) {
        product += x * y;
        left += x * x;
        right += y * y;
    }
    let power = f64::from(left) * f64::from(right);
    (power > 1e-12).then(|| f64::from(product) / power.sqrt())
}
