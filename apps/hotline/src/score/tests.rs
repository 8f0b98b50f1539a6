use super::*;

/// A voice that wanders in pitch, so that no delay is like another.
fn speech(length: usize) -> Vec<f32> {
    let mut phase = 0.0_f32;
    (0..length)
        .map(|i| {
            let t = i as f32 / 48_000.0;
            phase += std::f32::consts::TAU * (130.0 + 40.0 * (t * 3.1).sin()) / 48_000.0;
            let buzz: f32 = (1..15).map(|h| (phase * h as f32).sin() / h as f32).sum();
            buzz * 0.15 * (t * 17.0).sin().max(0.0)
        })
        .collect()
}

fn noise(length: usize) -> Vec<f32> {
    let mut seed = 1_u32;
    (0..length)
        .map(|_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 8) as f32 / 8_388_608.0 - 1.0
        })
        .collect()
}

#[test]
fn the_delay_is_found_to_the_sample_both_ways() {
    let said = speech(96_000);
    for delay in [0, 1, 37, 4_801, 30_000] {
        let mut heard = vec![0.0; delay];
        heard.extend(said.iter().zip(noise(96_000)).map(|(s, n)| s * 0.4 + n * 0.02));
        let found = align(&said, &heard).unwrap();
        assert_eq!(found.delay, delay as i64);
        assert_eq!((found.said, found.heard, found.length), (0, delay, 96_000));
        assert!(found.likeness > 0.9);
        assert_eq!(align(&heard, &said).unwrap().delay, -(delay as i64));
    }
    assert_eq!(align(&said, &[0.0; 9_600]), Err(ScoreError::Nothing));
    assert!(matches!(align(&said, &[0.5; 10]), Err(ScoreError::Short(..))));
}

#[test]
fn a_delay_that_changes_is_followed() {
    let said = speech(144_000);
    let mut heard = vec![0.0; 2_000];
    heard.extend(&said[..72_000]);
    heard.extend(&said[71_500..]);
    let followed = follow(&said, &heard, 2_000);
    let (with, without) = (stoi(&said, &followed).unwrap(), stoi(&said, &heard[2_000..]).unwrap());
    assert!(with > 0.9 && with > without + 0.02, "{with} {without}");
}

#[test]
fn scores_are_best_for_the_same_and_fall_with_noise() {
    let said = speech(144_000);
    let with = |amount: f32| -> Vec<f32> {
        said.iter().zip(noise(144_000)).map(|(s, n)| s + n * amount).collect()
    };
    assert!(stoi(&said, &said).unwrap() > 0.999);
    assert!(pesq(&said, &said).unwrap() > 4.5);
    let (little, much) = (with(0.01), with(0.1));
    let (low, high) = (stoi(&said, &much).unwrap(), stoi(&said, &little).unwrap());
    assert!(high > low + 0.03, "{high} {low}");
    let (low, high) = (pesq(&said, &much).unwrap(), pesq(&said, &little).unwrap());
    assert!(high > low + 0.1, "{high} {low}");
    assert!(stoi(&said[..9_600], &said[..9_600]).is_err());
    assert!(pesq(&said[..9_600], &said[..9_600]).is_err());
    assert!(pesq(&[0.0; 96_000], &[0.0; 96_000]).is_err());
}

/// The figures of the Python packages `pystoi` 0.4.1 and `pesq` 0.0.4 (the ITU's own code) for the same
/// samples, computed once.
#[test]
fn scores_are_those_of_the_reference_programs() {
    let read = |wav: &[u8]| -> Vec<f32> {
        let samples = hound::WavReader::new(wav).unwrap().into_samples::<i16>();
        samples.map(|s| f32::from(s.unwrap()) / 32_768.0).collect()
    };
    let caller = read(include_bytes!("../../assets/speech/caller.wav"));
    let callee = read(include_bytes!("../../assets/speech/callee.wav"));
    assert!((stoi(&caller, &callee).unwrap() - 0.187_046_8).abs() < 1e-5);
    let noise = noise(caller.len());
    let known = [(0.002, 0.999_838, 2.973), (0.01, 0.995_810, 1.600), (0.05, 0.957_056, 1.058)];
    for (amount, stoi_known, pesq_known) in known {
        let heard: Vec<f32> = caller.iter().zip(&noise).map(|(s, n)| s + n * amount).collect();
        assert!((stoi(&caller, &heard).unwrap() - stoi_known).abs() < 1e-5);
        assert!((pesq(&caller, &heard).unwrap() - pesq_known).abs() < 0.01);
    }
}
