//! A plain radix-2 Fourier transform.
//!
//! `rustfft` is faster, but all of its kernels would be compiled into this program anew at every build
//! (half a minute), for a few transforms after a call.

/// A complex number: real and imaginary part.
pub(super) type Complex = [f64; 2];

/// Transforms `data` in place (length a power of two, else nothing is done); `back` for the inverse,
/// which is not scaled.
pub(super) fn transform(data: &mut [Complex], back: bool) {
    let length = data.len();
    if !length.is_power_of_two() || length < 2 {
        return;
    }
    let shift = usize::BITS - length.trailing_zeros();
    for i in 0..length {
        let j = i.reverse_bits() >> shift;
        if i < j {
            data.swap(i, j);
        }
    }
    let turn = if back { std::f64::consts::TAU } else { -std::f64::consts::TAU };
    let roots: Vec<Complex> = (0..length / 2)
        .map(|k| (turn * k as f64 / length as f64).sin_cos())
        .map(|(sin, cos)| [cos, sin])
        .collect();
    let mut half = 1;
    while half < length {
        let stride = length / (2 * half);
        for block in data.chunks_exact_mut(2 * half) {
            let (low, high) = block.split_at_mut(half);
            for ((a, b), w) in low.iter_mut().zip(high).zip(roots.iter().step_by(stride)) {
                let turned = [b[0] * w[0] - b[1] * w[1], b[0] * w[1] + b[1] * w[0]];
                *b = [a[0] - turned[0], a[1] - turned[1]];
                *a = [a[0] + turned[0], a[1] + turned[1]];
            }
        }
        half *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_definition_and_its_own_inverse() {
        let signal: Vec<Complex> =
            (0..16).map(|i| [f64::from(i * i % 7), f64::from(i % 3)]).collect();
        let mut data = signal.clone();
        transform(&mut data, false);
        for (k, bin) in data.iter().enumerate() {
            let mut sum = [0.0, 0.0];
            for (n, x) in signal.iter().enumerate() {
                let (sin, cos) = (-std::f64::consts::TAU * (k * n) as f64 / 16.0).sin_cos();
                sum = [sum[0] + x[0] * cos - x[1] * sin, sum[1] + x[0] * sin + x[1] * cos];
            }
            assert!((bin[0] - sum[0]).abs() + (bin[1] - sum[1]).abs() < 1e-9);
        }
        transform(&mut data, true);
        for (x, y) in signal.iter().zip(&data) {
            assert!((x[0] - y[0] / 16.0).abs() + (x[1] - y[1] / 16.0).abs() < 1e-12);
        }
    }
}
