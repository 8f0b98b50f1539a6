//! Recordings from one sampling rate to another, for scoring.
//!
//! A windowed sinc (Kaiser, 60 dB), as Octave's `resample` designs it: STOI is defined on top of that
//! very filter, so no library's other filter would give the published figures.

/// Rejection of what does not fit the lower rate, dB.
const REJECTION: f64 = 60.0;

/// `signal` at `from` hertz, at `to` hertz.
pub(super) fn resample(signal: &[f32], from: usize, to: usize) -> Vec<f64> {
    let common = gcd(from, to);
    let (up, down) = (to / common, from / common);
    let filter = design(up, down);
    let half = filter.len() / 2;
    let length = (signal.len() * up).div_ceil(down);
    (0..length)
        .map(|out| {
            // Output `out` is input position out * down / up; `at` is that on the filter's fine grid.
            let at = out * down + half;
            let newest = (at / up).min(signal.len().saturating_sub(1));
            let oldest = (at + 1).saturating_sub(filter.len()).div_ceil(up);
            (oldest..=newest)
                .filter_map(|i| Some(f64::from(*signal.get(i)?) * filter.get(at - i * up)?))
                .sum()
        })
        .collect()
}

fn design(up: usize, down: usize) -> Vec<f64> {
    let cutoff = 0.5 / up.max(down) as f64;
    let half = ((REJECTION - 8.0) / (28.714 * cutoff / 10.0)).ceil() as i64;
    let beta = 0.1102 * (REJECTION - 8.7);
    let mut filter: Vec<f64> = (-half..=half)
        .map(|t| {
            let x = t as f64 / half as f64;
            sinc(2.0 * cutoff * t as f64) * bessel(beta * (1.0 - x * x).max(0.0).sqrt())
        })
        .collect();
    let sum: f64 = filter.iter().sum();
    for tap in &mut filter {
        *tap *= up as f64 / sum;
    }
    filter
}

fn sinc(x: f64) -> f64 {
    let x = x * std::f64::consts::PI;
    if x == 0.0 { 1.0 } else { x.sin() / x }
}

/// The modified Bessel function of the first kind and order 0, by its series.
fn bessel(x: f64) -> f64 {
    let mut term = 1.0;
    let mut sum = 1.0;
    for k in 1..64 {
        let step = x / (2.0 * f64::from(k));
        term *= step * step;
        sum += term;
    }
    sum
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}
