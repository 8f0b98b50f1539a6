//! `hotline bench speech`: how speech survives loss, by three ways of coding it.
//!
//! ```text
//!  speech -+-> voice::Encoder (VBR, DRED)  -> the same -> voice::Speaker (jitter buffer) -+
//!          +-> Opus CBR, in-band FEC       -> losses,  -> libopus, next packet's FEC ------+-> PESQ, STOI
//!          +-> Opus CBR                    -> seeded   -> libopus, its concealment -------+
//! ```
//!
//! All three put 100 bytes on the wire every 20 ms. The losses start well before the first second that is
//! scored, as in a call that has been going on. Each six seconds are scored alone, then averaged. What
//! comes out of the jitter buffer is followed through its changes of delay for STOI, and so are the others.
//!
//! Loss: random (each packet by itself), or in bursts of four packets on average (a Gilbert model: E. N.
//! Gilbert, "Capacity of a Burst-Noise Channel", Bell System Technical Journal 39, 1960).

mod plot;
mod report;

use std::path::PathBuf;

use opus_ffi::{Decoder, Settings};
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};
use voice::{BLOCK, Encoder, FRAME, PACKET_LEN, Speaker};
use wire::Time;

use crate::score::{ScoreError, align, follow, pesq, stoi};
pub use report::{Row, Score, SpeechReport};

/// What `hotline bench speech` is told.
#[derive(Debug, Clone, clap::Args)]
pub struct SpeechOptions {
    /// Print one JSON object instead of the table
    #[arg(long)]
    pub json: bool,
    /// Write a picture of the scores here (SVG)
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PathBuf>,
    /// Seconds of speech to score for each loss; rounded up to whole recordings of six
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(6..=600))]
    pub seconds: u32,
}

/// Why it failed.
#[derive(Debug, thiserror::Error)]
pub enum SpeechError {
    /// The codec.
    #[error("the voice codec failed: {0}")]
    Voice(#[from] voice::Error),
    /// libopus, used directly.
    #[error("the voice codec failed: {0}")]
    Opus(#[from] opus_ffi::Error),
    /// A score.
    #[error("speech could not be scored: {0}")]
    Score(#[from] ScoreError),
    /// The speech that comes with the program.
    #[error("the speech built into this program cannot be read ({0}): build it anew")]
    Sample(#[from] hound::Error),
    /// The picture.
    #[error("cannot write {}: {source}; choose another file with --plot", path.display())]
    Plot {
        /// Where it was to go.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

/// The recordings shipped with the program; see `assets/speech/ORIGIN.md`.
const SPEECH: [&[u8]; 2] = [
    include_bytes!("../../assets/speech/caller.wav"),
    include_bytes!("../../assets/speech/callee.wav"),
];

/// Losses, per cent.
const LOSSES: [u32; 5] = [0, 5, 10, 20, 30];
/// Mean length of a burst, packets.
const BURST: f64 = 4.0;
/// Speech before the first second that is scored: two recordings.
const WARM_UP: usize = 2;
/// Search for the delay of a recording up to here, samples: 600 ms.
const SEARCH: usize = 28_800;

/// Runs the whole comparison, prints it, and draws it if asked.
#[allow(clippy::print_stdout, reason = "the table is what the command is for")]
pub fn run(options: SpeechOptions) -> Result<SpeechReport, SpeechError> {
    let recordings = SPEECH.iter().map(|wav| read(wav)).collect::<Result<Vec<_>, _>>()?;
    let clips = (options.seconds as usize).div_ceil(6);
    let said: Vec<&[f32]> = (0..WARM_UP + clips)
        .filter_map(|i| recordings.get(i % recordings.len()))
        .map(Vec::as_slice)
        .collect();
    let coded = Coded::new(&said)?;
    let mut rows = Vec::new();
    for bursts in [false, true] {
        for percent in LOSSES {
            let lost = losses(percent, bursts, coded.ours.len());
            rows.push(row(&said, &coded, percent, bursts, &lost)?);
        }
    }
    let report = SpeechReport::new(rows, clips as u32 * 6);
    if options.json {
        println!("{}", report.json());
    } else {
        print!("{}", report.table());
    }
    if let Some(path) = &options.plot {
        std::fs::write(path, plot::svg(&report))
            .map_err(|source| SpeechError::Plot { path: path.clone(), source })?;
    }
    Ok(report)
}

/// A 48 kHz mono 16-bit WAV file in memory, cut to whole frames.
fn read(wav: &[u8]) -> Result<Vec<f32>, hound::Error> {
    let samples: Result<Vec<i16>, _> = hound::WavReader::new(wav)?.samples().collect();
    let mut samples: Vec<f32> = samples?.into_iter().map(|s| f32::from(s) / 32_768.0).collect();
    samples.truncate(samples.len() / FRAME * FRAME);
    Ok(samples)
}

/// The speech as each of the three codes it.
struct Coded {
    ours: Vec<[u8; PACKET_LEN]>,
    fec: Vec<Vec<u8>>,
    plain: Vec<Vec<u8>>,
}

impl Coded {
    fn new(said: &[&[f32]]) -> Result<Self, SpeechError> {
        let constant = Settings {
            bitrate: (PACKET_LEN * 8 * 50) as i32,
            variable: false,
            loss: 0,
            fec: false,
            dred: 0,
            complexity: 10,
        };
        let mut ours = Encoder::new()?;
        let mut fec = opus_ffi::Encoder::new(Settings { fec: true, loss: 20, ..constant })?;
        let mut plain = opus_ffi::Encoder::new(constant)?;
        let mut coded = Self { ours: Vec::new(), fec: Vec::new(), plain: Vec::new() };
        for frame in said.iter().flat_map(|clip| clip.as_chunks::<FRAME>().0) {
            coded.ours.push(ours.encode(frame)?);
            coded.fec.push(packet(&mut fec, frame)?);
            coded.plain.push(packet(&mut plain, frame)?);
        }
        Ok(coded)
    }
}

fn packet(encoder: &mut opus_ffi::Encoder, frame: &[f32]) -> Result<Vec<u8>, opus_ffi::Error> {
    let mut packet = vec![0; PACKET_LEN];
    let length = encoder.encode(frame, &mut packet)?;
    packet.truncate(length);
    Ok(packet)
}

/// Which of `count` packets are lost: the same for every way of coding, on every machine.
fn losses(percent: u32, bursts: bool, count: usize) -> Vec<bool> {
    let mut rng = ChaCha20Rng::seed_from_u64(u64::from(percent) * 2 + u64::from(bursts));
    let rate = f64::from(percent) / 100.0;
    let (enter, stay) =
        if bursts { (rate / (1.0 - rate) / BURST, 1.0 - 1.0 / BURST) } else { (rate, rate) };
    let mut lost = false;
    let draw = |lost: bool, rng: &mut ChaCha20Rng| {
        f64::from(rng.next_u32()) / 4_294_967_296.0 < if lost { stay } else { enter }
    };
    (0..count)
        .map(|_| {
            lost = draw(lost, &mut rng);
            lost
        })
        .collect()
}

fn row(
    said: &[&[f32]],
    coded: &Coded,
    percent: u32,
    bursts: bool,
    lost: &[bool],
) -> Result<Row, SpeechError> {
    let (ours, rebuilt_percent, delay_ms) = hear_ours(&coded.ours, lost)?;
    let fec = hear_fec(&coded.fec, lost)?;
    let plain = hear_plain(&coded.plain, lost)?;
    let count = lost.iter().filter(|lost| **lost).count();
    Ok(Row {
        loss_percent: percent,
        bursts,
        lost_percent: 100.0 * count as f32 / lost.len() as f32,
        rebuilt_percent,
        delay_ms,
        dred: score(said, &ours)?,
        fec: score(said, &fec)?,
        plc: score(said, &plain)?,
    })
}

/// Through the jitter buffer, on a network that is even but for its losses. Also returns how many of the
/// lost frames were rebuilt (per cent), and the buffer's delay (ms) averaged over the scored time.
fn hear_ours(
    packets: &[[u8; PACKET_LEN]],
    lost: &[bool],
) -> Result<(Vec<f32>, f32, f32), SpeechError> {
    let mut speaker = Speaker::new()?;
    let mut heard = Vec::with_capacity((packets.len() + 1) * FRAME);
    let (mut delay, mut count) = (0.0, 0);
    for (number, (packet, lost)) in packets.iter().zip(lost).enumerate() {
        // A frame is sent when its last sample is spoken; pulls come 3 ms after their tick.
        let now = (number as u64 + 1) * 20_000;
        if !lost {
            speaker.insert(Time(now), number as u32, packet);
        }
        for late in [3_000, 13_000] {
            let mut block = [0.0; BLOCK];
            speaker.pull(Time(now + late), &mut block);
            heard.extend(block);
        }
        if number >= packets.len() / 3 {
            delay += speaker.quality().delay_ms;
            count += 1;
        }
    }
    let stats = speaker.stats();
    let missing = (stats.rebuilt + stats.concealed).max(1);
    let rebuilt = 100.0 * stats.rebuilt as f32 / missing as f32;
    Ok((heard, rebuilt, delay / count.max(1) as f32))
}

/// A lost frame is taken from the next packet, if that one came; the wait for it is given for free.
fn hear_fec(packets: &[Vec<u8>], lost: &[bool]) -> Result<Vec<f32>, SpeechError> {
    let mut decoder = Decoder::new(0)?;
    let mut heard = Vec::with_capacity(packets.len() * FRAME);
    for (number, packet) in packets.iter().enumerate() {
        let mut pcm = [0.0; FRAME];
        let next = packets.get(number + 1).zip(lost.get(number + 1));
        match (lost.get(number), next) {
            (Some(false), _) => decoder.decode(packet, &mut pcm)?,
            (_, Some((next, false))) => decoder.decode_fec(next, &mut pcm)?,
            _ => decoder.conceal(&mut pcm)?,
        }
        heard.extend(pcm);
    }
    Ok(heard)
}

fn hear_plain(packets: &[Vec<u8>], lost: &[bool]) -> Result<Vec<f32>, SpeechError> {
    let mut decoder = Decoder::new(0)?;
    let mut heard = Vec::with_capacity(packets.len() * FRAME);
    for (packet, lost) in packets.iter().zip(lost) {
        let mut pcm = [0.0; FRAME];
        if *lost {
            decoder.conceal(&mut pcm)?;
        } else {
            decoder.decode(packet, &mut pcm)?;
        }
        heard.extend(pcm);
    }
    Ok(heard)
}

/// The mean over all recordings after the warm-up.
fn score(said: &[&[f32]], heard: &[f32]) -> Result<Score, SpeechError> {
    let mut mean = Score { pesq: 0.0, stoi: 0.0 };
    let scored = (said.len() - WARM_UP) as f32;
    let mut start: usize = said[..WARM_UP].iter().map(|clip| clip.len()).sum();
    for clip in &said[WARM_UP..] {
        let window = &heard[start..(start + clip.len() + SEARCH).min(heard.len())];
        let delay = align(clip, window)?.delay.max(0) as usize;
        let end = (delay + clip.len()).min(window.len());
        mean.pesq += pesq(clip, &window[delay..end])? / scored;
        mean.stoi += stoi(clip, &follow(clip, window, delay))? as f32 / scored;
        start += clip.len();
    }
    Ok(mean)
}

#[cfg(test)]
mod tests;
