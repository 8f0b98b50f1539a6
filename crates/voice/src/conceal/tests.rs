use super::*;
use crate::{Encoder, PACKET_LEN};

/// A voice of 120 Hz with four syllables a second.
fn voice(frame: usize) -> [f32; FRAME] {
    core::array::from_fn(|i| {
        let t = (frame * FRAME + i) as f32 / 48_000.0;
        let buzz: f32 = (1..20).map(|h| (t * 754.0 * h as f32).sin() / h as f32).sum();
        buzz * 0.15 * (t * 25.0).sin().abs()
    })
}

fn packets(count: usize) -> Vec<[u8; PACKET_LEN]> {
    let mut encoder = Encoder::new().unwrap();
    (0..count).map(|n| encoder.encode(&voice(n)).unwrap()).collect()
}

fn loud(pcm: &[f32]) -> f32 {
    (pcm.iter().map(|x| x * x).sum::<f32>() / pcm.len() as f32).sqrt()
}

/// Loudness of each frame of a hearing in which `lost` frames are missing, rebuilt or not.
fn hear(lost: core::ops::Range<usize>, with_dred: bool) -> (Vec<f32>, f32) {
    let packets = packets(lost.end + 20);
    let mut concealer = Concealer::new().unwrap();
    let mut heard = Vec::new();
    for (number, packet) in packets.iter().enumerate() {
        let mut pcm = [0.0; FRAME];
        if !lost.contains(&number) {
            assert!(concealer.decode(packet, &mut pcm));
        } else if with_dred {
            let back = lost.end - number;
            assert!(concealer.rebuild(lost.end as i64, &packets[lost.end], back, &mut pcm));
        } else {
            for half in pcm.chunks_exact_mut(BLOCK) {
                concealer.conceal(half.try_into().unwrap());
            }
        }
        heard.extend(pcm);
    }
    let click = heard.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
    (heard.chunks(FRAME).map(loud).collect(), click)
}

#[test]
fn rebuilt_speech_follows_the_syllables_that_were_lost() {
    let lost = 62..70;
    let (whole, click) = hear(0..0, false);
    let (whole_long, _) = hear(90..90, false);
    assert!(whole.len() < whole_long.len());
    let (rebuilt, rebuilt_click) = hear(lost.clone(), true);
    let (invented, _) = hear(lost.clone(), false);
    let error = |heard: &[f32]| -> f32 {
        lost.clone().map(|n| (heard[n] - whole_long[n]).powi(2)).sum::<f32>().sqrt()
    };
    let (rebuilt, invented) = (error(&rebuilt), error(&invented));
    assert!(rebuilt < invented * 0.7, "rebuilt {rebuilt}, invented {invented}");
    assert!(rebuilt_click < click.max(0.1) * 2.0, "{rebuilt_click} {click}");
}

#[test]
fn invented_speech_fades_away_and_real_speech_returns_without_a_click() {
    let (heard, click) = hear(50..90, false);
    assert!(heard[50] > 0.01, "it goes on at first: {}", heard[50]);
    assert!(heard[60..90].iter().all(|&x| x <= MAX_HUSH), "{:?}", &heard[60..90]);
    assert!(heard[95..].iter().any(|&x| x > 0.05));
    assert!(click < 0.3, "{click}");
}

#[test]
fn redundancy_that_does_not_reach_is_owned_up_to() {
    let packets = packets(80);
    let mut concealer = Concealer::new().unwrap();
    let mut pcm = [0.0; FRAME];
    assert!(concealer.decode(&packets[0], &mut pcm));
    assert!(!concealer.rebuild(79, &packets[79], 60, &mut pcm));
    assert!(!concealer.rebuild(80, &[0; PACKET_LEN], 1, &mut pcm));
    assert!(!concealer.decode(&[0xff; PACKET_LEN], &mut pcm));
}
