//! Several voices into one ear: the sum, clipped softly.

/// Above this the sum is bent: -2.5 dBFS.
const KNEE: f32 = 0.75;

/// Adds the blocks, which are as long as `out`. One voice alone passes unchanged up to -2.5 dBFS; above that, peaks are rounded
/// so that they approach 1 and never pass it.
pub fn mix(voices: &[&[f32]], out: &mut [f32]) {
    for (i, sample) in out.iter_mut().enumerate() {
        *sample = soft(voices.iter().filter_map(|voice| voice.get(i)).sum());
    }
}

fn soft(x: f32) -> f32 {
    let over = x.abs() - KNEE;
    if over <= 0.0 {
        return x;
    }
    if over.is_nan() {
        return 0.0;
    }
    let room = 1.0 - KNEE;
    (KNEE + room * (over / room).tanh()).copysign(x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BLOCK;

    #[test]
    fn quiet_voices_add_up_and_loud_ones_do_not_clip() {
        let (a, b, loud) = ([0.2; BLOCK], [-0.5; BLOCK], [0.9; BLOCK]);
        let mut out = [0.0; BLOCK];
        mix(&[&a, &b], &mut out);
        assert!(out.iter().all(|x| (x + 0.3).abs() < 1e-6));
        mix(&[&loud, &loud, &loud], &mut out);
        assert!(out.iter().all(|&x| x > 0.95 && x <= 1.0));
        mix(&[&[f32::NAN; BLOCK], &a], &mut out);
        assert_eq!(out, [0.0; BLOCK]);
        mix(&[], &mut out);
        assert_eq!(out, [0.0; BLOCK]);
    }
}
