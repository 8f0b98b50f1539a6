//! Whole streams in virtual time, over a seeded network, with a decoder that shows what it is given:
//! each sample says where in the sender's time it belongs, so the delay can be read off the sound.

use super::*;
use crate::PACKET_LEN;

/// Samples after which the sawtooth starts anew.
const SAW: i64 = 1 << 20;

/// Sound that carries its own position; what is invented is zero.
struct Ruler;

impl Ruler {
    fn frame(number: i64, pcm: &mut [f32; FRAME]) {
        for (i, sample) in pcm.iter_mut().enumerate() {
            *sample = ((number * FRAME as i64 + i as i64) % SAW + 1) as f32 / SAW as f32;
        }
    }
}

impl Codec for Ruler {
    fn decode(&mut self, packet: &[u8], pcm: &mut [f32; FRAME]) -> bool {
        Self::frame(i64::from_be_bytes(packet[..8].try_into().unwrap()), pcm);
        true
    }

    fn rebuild(&mut self, _: i64, packet: &[u8], back: usize, pcm: &mut [f32; FRAME]) -> bool {
        let number = i64::from_be_bytes(packet[..8].try_into().unwrap());
        Self::frame(number - back as i64, pcm);
        back <= 20
    }

    fn conceal(&mut self, pcm: &mut [f32; BLOCK]) {
        pcm.fill(0.0);
    }
}

fn packet(number: i64) -> [u8; PACKET_LEN] {
    let mut packet = [0; PACKET_LEN];
    packet[..8].copy_from_slice(&number.to_be_bytes());
    packet
}

struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: i64) -> i64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as i64).rem_euclid(limit)
    }
}

/// A run: packets (arrival in microseconds, frame number), and the player's clock.
struct Run {
    packets: Vec<(i64, i64)>,
    first_seq: u32,
    start: i64,
    /// Parts in a million that the player's clock is fast.
    ppm: i64,
    /// Blocks asked for at once, as a device with a long period does.
    together: i64,
    /// Samples in a block.
    block: usize,
}

struct Heard {
    /// Time of the pull, and delay of its first sample behind the sender's clock, where it was real.
    delays: Vec<(i64, Option<i64>)>,
    stats: Stats,
    quality: Quality,
}

impl Run {
    fn new(packets: impl IntoIterator<Item = (i64, i64)>) -> Self {
        let mut packets: Vec<_> = packets.into_iter().collect();
        packets.sort();
        Self { packets, first_seq: 0, start: 0, ppm: 0, together: 1, block: BLOCK }
    }

    fn play(&self) -> Heard {
        let mut speaker = Speaker::with_codec(Ruler);
        let end = self.packets.last().unwrap().0;
        let mut arriving = self.packets.iter().peekable();
        let mut delays = Vec::new();
        for pull in 0.. {
            let even = pull / self.together * self.together;
            let block_us = samples_us(self.block);
            let now = self.start + even * block_us * 1_000_000 / (1_000_000 + self.ppm);
            if now > end {
                break;
            }
            while let Some((at, number)) = arriving.next_if(|(at, _)| *at <= now) {
                let seq = self.first_seq.wrapping_add(*number as u32);
                speaker.insert(Time(*at as u64), seq, &packet(*number));
            }
            let mut block = vec![0.0; self.block];
            speaker.pull(Time(now as u64), &mut block);
            let real = block[0] > 0.0;
            let position = (block[0] * SAW as f32) as i64 - 1;
            // The sawtooth's teeth are 21 s apart, and no delay is longer than that.
            let behind = (now * 48 / 1_000 - position).rem_euclid(SAW);
            delays.push((now, real.then_some(behind * 1_000 / 48)));
        }
        Heard { delays, stats: speaker.stats(), quality: speaker.quality() }
    }
}

impl Heard {
    /// Mean and highest delay of what was real, from `after` on, in ms beyond `network`.
    fn delay(&self, after: i64, network: i64) -> (f64, f64) {
        let real: Vec<f64> = self
            .delays
            .iter()
            .filter(|(now, _)| *now >= after)
            .filter_map(|(_, delay)| delay.map(|d| (d - network) as f64 / 1_000.0))
            .collect();
        assert!(!real.is_empty());
        (real.iter().sum::<f64>() / real.len() as f64, real.iter().copied().fold(0.0, f64::max))
    }
}

/// Frames `0..count` over a network of 40 ms that adds `extra(number)`.
fn steady(count: i64, mut extra: impl FnMut(i64) -> i64) -> Vec<(i64, i64)> {
    (0..count).map(|n| (40_000 + n * 20_000 + extra(n), n)).collect()
}

#[test]
fn a_clean_network_costs_less_than_ten_milliseconds_more_and_less_with_short_blocks() {
    for (block, most) in [(BLOCK, 10.0), (BLOCK / 2, 6.0)] {
        let mut means = 0.0;
        for phase in 0..20 {
            let mut run = Run::new(steady(1_000, |_| 0));
            (run.start, run.block) = (phase * 500, block);
            let heard = run.play();
            let (mean, worst) = heard.delay(3_000_000, 40_000);
            println!("blocks of {block}, phase {phase}: mean {mean:.1} worst {worst:.1}");
            assert!(worst < most + 5.1, "{worst}");
            assert!(heard.stats.concealed + heard.stats.rebuilt == 0, "{:?}", heard.stats);
            assert_eq!(heard.quality.grade, crate::Grade::Excellent);
            means += mean / 20.0;
        }
        println!("blocks of {block}, mean over phases {means:.1} ms");
        assert!(means < most, "{means}");
    }
}

#[test]
fn jitter_is_waited_out_and_not_more() {
    let mut dice = Dice(2);
    let heard = Run::new(steady(3_000, |_| dice.below(30_000))).play();
    let (mean, worst) = heard.delay(5_000_000, 40_000);
    println!("mean {mean:.1} worst {worst:.1} {:?}", heard.stats);
    assert!(mean < 45.0 && worst < 65.0);
    assert!(heard.stats.played > 2_850, "{:?}", heard.stats);
    assert!((20.0..30.0).contains(&heard.quality.jitter_ms), "{:?}", heard.quality);
}

#[test]
fn drifting_clocks_run_for_minutes_without_growth_or_gap() {
    for (ppm, block) in [-500, -200, 200, 500].into_iter().flat_map(|ppm| [(ppm, 480), (ppm, 240)])
    {
        let mut run = Run::new(steady(30_000, |_| 0));
        (run.ppm, run.block) = (ppm, block);
        let heard = run.play();
        let (mean, worst) = heard.delay(3_000_000, 40_000);
        println!("{ppm} ppm: mean {mean:.1} worst {worst:.1} {:?}", heard.stats);
        assert!(mean < 14.0 && worst < 25.0, "{ppm} ppm: {mean} {worst}");
        let gaps = heard.stats.concealed + heard.stats.rebuilt + heard.stats.held;
        assert!(gaps < 10, "{ppm} ppm: {:?}", heard.stats);
    }
}

#[test]
fn delay_that_a_bad_moment_left_is_given_back() {
    let slow = |n: i64| if n < 200 { (200 - n).min(100) * 2_000 } else { 0 };
    let heard = Run::new(steady(2_000, slow)).play();
    let (mean, worst) = heard.delay(16_000_000, 40_000);
    println!("mean {mean:.1} worst {worst:.1} {:?}", heard.stats);
    assert!(worst < 20.0);
}

#[test]
fn a_burst_that_arrives_at_once_is_skipped_not_kept() {
    let stuck = |n: i64| if (100..150).contains(&n) { (150 - n) * 20_000 } else { 0 };
    let heard = Run::new(steady(1_000, stuck)).play();
    let (mean, worst) = heard.delay(15_000_000, 40_000);
    println!("mean {mean:.1} worst {worst:.1} {:?}", heard.stats);
    assert!(worst < 20.0);
}

#[test]
fn bursts_of_loss_are_mostly_rebuilt_once_known() {
    let mut dice = Dice(5);
    let mut lost = false;
    let mut packets = steady(3_000, |_| 0);
    packets.retain(|_| {
        // Gilbert: 12 % lost in bursts of three on average.
        lost = if lost { dice.below(3) != 0 } else { dice.below(22) == 0 };
        !lost
    });
    let heard = Run::new(packets).play();
    println!("{:?} {:?}", heard.stats, heard.quality);
    assert!(heard.stats.rebuilt > heard.stats.concealed * 5, "{:?}", heard.stats);
    assert!(heard.delay(3_000_000, 40_000).0 < 150.0);
}

#[test]
fn order_and_repetition_do_not_matter() {
    let mut packets = steady(1_000, |n| if n % 2 == 0 { 25_000 } else { 0 });
    packets.extend(packets.clone().iter().map(|(at, n)| (at + 3_000, *n)));
    let mut run = Run::new(packets);
    run.first_seq = u32::MAX - 500;
    let heard = run.play();
    println!("{:?}", heard.stats);
    assert!(heard.stats.played > 980 && heard.stats.concealed < 5, "{:?}", heard.stats);
    assert!(heard.stats.duplicate + heard.stats.late > 900);
}

#[test]
fn a_stopped_stream_starts_anew_wherever_its_counter_stands() {
    let mut packets = steady(500, |_| 0);
    // Held for ten seconds; the counter stood still, then it went on.
    packets.extend((500..1_000).map(|n| (10_040_000 + n * 20_000, n)));
    // Held again; the counter ran far ahead.
    packets.extend((1_000..1_500).map(|n| (14_040_000 + n * 20_000, n + 1_000_000)));
    let heard = Run::new(packets).play();
    println!("{:?}", heard.stats);
    assert!(heard.stats.played > 1_480, "{:?}", heard.stats);
    assert!(heard.stats.concealed <= 105, "{:?}", heard.stats);
}

#[test]
fn a_device_that_asks_for_two_blocks_at_once_is_served() {
    let mut run = Run::new(steady(1_500, |_| 0));
    run.together = 2;
    run.start = 3_000;
    let heard = run.play();
    println!("{:?} {:?}", heard.stats, heard.delay(5_000_000, 40_000));
    assert!(heard.stats.concealed + heard.stats.rebuilt < 5, "{:?}", heard.stats);
}

#[test]
fn numbers_far_away_are_refused_and_do_not_stop_the_stream() {
    let mut speaker = Speaker::with_codec(Ruler);
    let mut block = [0.0; BLOCK];
    for n in 0..200_u32 {
        let now = Time(u64::from(n) * 20_000);
        speaker.insert(now, n, &packet(i64::from(n)));
        speaker.insert(now, n.wrapping_add(1 << 31), &packet(9));
        speaker.insert(now, n + 100, &packet(9));
        speaker.insert(now, n, &[0; PACKET_LEN - 1]);
        speaker.insert(now, n, &[]);
        speaker.pull(now, &mut block);
        speaker.pull(now + core::time::Duration::from_millis(10), &mut block);
    }
    let stats = speaker.stats();
    assert!(stats.played >= 198 && stats.refused + stats.late == 800, "{stats:?}");
}

#[test]
fn garbage_is_concealed_and_never_a_panic() {
    let mut speaker = Speaker::new().unwrap();
    let mut encoder = crate::Encoder::new().unwrap();
    let mut dice = Dice(11);
    let mut block = [0.0; BLOCK];
    for n in 0..2_000_u32 {
        let mut packet = encoder.encode(&[0.01; FRAME]).unwrap();
        match dice.below(4) {
            0 => packet.iter_mut().for_each(|b| *b = dice.below(256) as u8),
            1 => packet[dice.below(PACKET_LEN as i64) as usize] ^= 1 << dice.below(8),
            // A true header, so that the redundancy's decoder gets the noise.
            2 => packet[3..].iter_mut().for_each(|b| *b = dice.below(256) as u8),
            _ => {}
        }
        let now = Time(u64::from(n) * 20_000);
        if dice.below(5) > 0 {
            speaker.insert(now, n, &packet);
        }
        for _ in 0..2 {
            speaker.pull(now, &mut block);
            assert!(block.iter().all(|x| x.is_finite()));
        }
    }
    let stats = speaker.stats();
    assert!(stats.refused > 50 && stats.played > 500, "{stats:?}");
}

/// The machine stands still for 250 ms, player and all: what waited meanwhile is there at once, and nothing is late by the network's doing. The
/// player may ask before or after the machine has read what waited.
#[test]
fn a_machine_that_stood_still_adds_no_delay_afterwards() {
    for read_after in [0, 5_000] {
        let mut speaker = Speaker::with_codec(Ruler);
        let still = 3_000_000..3_250_000;
        let (mut before, mut after) = (Vec::new(), Vec::new());
        let mut waiting = Vec::new();
        for now in (0..7_000_000).step_by(10_000) {
            if now % 20_000 == 0 {
                waiting.push(now / 20_000);
            }
            if still.contains(&now) {
                continue;
            }
            let late = if now == still.end { read_after } else { 0 };
            let mut read = |speaker: &mut Speaker<Ruler>| {
                for number in waiting.drain(..) {
                    speaker.insert(Time((now + late) as u64), number as u32, &packet(number));
                }
            };
            if late == 0 {
                read(&mut speaker);
            }
            let mut block = [0.0; BLOCK];
            speaker.pull(Time(now as u64), &mut block);
            read(&mut speaker);
            let behind = now * 48 / 1_000 - (block[0] * SAW as f32) as i64 + 1;
            match now {
                2_000_000..3_000_000 => before.push(behind),
                3_500_000..7_000_000 => after.push(behind),
                _ => {}
            }
        }
        let mean = |all: &[i64]| all.iter().sum::<i64>() / all.len() as i64 / 48;
        let (before, after) = (mean(&before), mean(&after));
        assert!(after <= before + 10, "{after} ms, before {before}; read {read_after} us after");
    }
}
