//! Playing a frame a few milliseconds shorter or longer, so that nobody hears it.
//!
//! ```text
//! shorten   |--A--|--B--|------     cut one pitch period: fade from A into B, which is like A
//!           |-A>B-|------
//! lengthen  |--A--|--B--|------     repeat one: after A, fade from B back into A
//!           |--A--|-B>A-|--B--|------
//! ```
//!
//! The lag is the one at which the signal is most like itself (waveform-similarity overlap-add,
//! Verhelst and Roelands, ICASSP 1993). This trims the delay and follows the other side's clock.

use crate::FRAME;

/// Shortest change: 2.5 ms, a pitch of 400 Hz.
pub(crate) const MIN_LAG: usize = 120;
/// Longest change: 12 ms, a pitch of 83 Hz.
pub(crate) const MAX_LAG: usize = 576;
/// Length of a cross-fade: 5 ms.
const OVERLAP: usize = 240;
/// Least likeness at which a change stays unheard.
const ALIKE: f32 = 0.7;
/// Mean power below which anything may be cut: -50 dBFS.
const SILENT: f32 = 1e-5;

/// Takes at most `limit` samples out of `frame`; what is left goes to `out`. Returns how many were
/// taken out: 0 if no cut would stay unheard, unless `hard`.
pub(crate) fn shorten(
    frame: &[f32; FRAME],
    limit: usize,
    hard: bool,
    out: &mut impl Extend<f32>,
) -> usize {
    let lag = choose(frame, limit, hard);
    if lag == 0 {
        out.extend(frame.iter().copied());
    } else {
        out.extend(fade(&frame[..OVERLAP], &frame[lag..lag + OVERLAP]));
        out.extend(frame[lag + OVERLAP..].iter().copied());
    }
    lag
}

/// Puts at most [`MAX_LAG`] samples more than `frame` has to `out`, about `limit` if that is less.
/// Returns how many were added: 0 if it would be heard, unless `hard`.
pub(crate) fn lengthen(
    frame: &[f32; FRAME],
    limit: usize,
    hard: bool,
    out: &mut impl Extend<f32>,
) -> usize {
    let lag = choose(frame, limit.max(MAX_LAG / 2), hard);
    out.extend(frame[..lag].iter().copied());
    if lag == 0 {
        out.extend(frame.iter().copied());
    } else {
        out.extend(fade(&frame[lag..lag + OVERLAP], &frame[..OVERLAP]));
        out.extend(frame[OVERLAP..].iter().copied());
    }
    lag
}

/// A linear cross-fade between two stretches that are alike.
fn fade(from: &[f32], to: &[f32]) -> impl Iterator<Item = f32> {
    let len = from.len() as f32;
    from.iter().zip(to).enumerate().map(move |(i, (&a, &b))| a + (b - a) * (i as f32 + 0.5) / len)
}

/// The lag at which the frame is most like its own beginning, or 0.
fn choose(frame: &[f32; FRAME], limit: usize, hard: bool) -> usize {
    let longest = limit.min(MAX_LAG);
    if longest < MIN_LAG {
        return 0;
    }
    let power = |s: &[f32]| s.iter().map(|x| x * x).sum::<f32>();
    if power(frame) < SILENT * FRAME as f32 {
        return longest;
    }
    let head = &frame[..OVERLAP];
    let head_power = power(head);
    let mut best = (0, if hard { -1.0 } else { ALIKE });
    for lag in MIN_LAG..=longest {
        let tail = &frame[lag..lag + OVERLAP];
        let product: f32 = head.iter().zip(tail).map(|(a, b)| a * b).sum();
        let likeness = product / (head_power * power(tail)).sqrt().max(1e-9);
        if likeness > best.1 {
            best = (lag, likeness);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hertz: f32) -> [f32; FRAME] {
        core::array::from_fn(|i| (i as f32 * hertz * core::f32::consts::TAU / 48_000.0).sin() * 0.3)
    }

    fn roughest(samples: &[f32]) -> f32 {
        samples.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max)
    }

    #[test]
    fn a_pitch_period_goes_or_comes_without_a_click() {
        let frame = tone(200.0);
        let smooth = roughest(&frame);
        let mut shorter = Vec::new();
        let cut = shorten(&frame, 576, false, &mut shorter);
        assert!(cut == 240 || cut == 480, "cut {cut}");
        assert_eq!(shorter.len(), FRAME - cut);
        assert!(roughest(&shorter) < smooth * 1.1);
        let mut longer = Vec::new();
        let added = lengthen(&frame, 576, false, &mut longer);
        assert_eq!(longer.len(), FRAME + added);
        assert!(added > 0 && roughest(&longer) < smooth * 1.1);
    }

    #[test]
    fn what_is_unlike_itself_is_left_alone_unless_it_must_be() {
        let mut seed = 7_u32;
        let frame: [f32; FRAME] = core::array::from_fn(|_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 8) as f32 / 16_777_216.0 - 0.5
        });
        let mut out = Vec::new();
        assert_eq!(shorten(&frame, 576, false, &mut out), 0);
        assert_eq!(out, frame);
        out.clear();
        assert!(shorten(&frame, 576, true, &mut out) >= MIN_LAG);
    }

    #[test]
    fn silence_is_cut_as_far_as_allowed_and_never_further() {
        let mut out = Vec::new();
        assert_eq!(shorten(&[0.0; FRAME], 300, false, &mut out), 300);
        assert_eq!(shorten(&[0.0; FRAME], MIN_LAG - 1, true, &mut out), 0);
    }
}
