//! Where a handset's voice comes from and goes to.
//!
//! ```text
//!  Source: 20 ms frames, asked for at each tick of the line        Sink: 10 ms blocks, on the player's clock
//!    Silence | Recording (WAV, in time) | device                     Nowhere | Recorder (WAV) | device
//! ```
//!
//! Samples are mono, 48,000 a second, f32 in [-1, 1]. A recording is spoken in real time, as if by a person:
//! at a tick at time t the frame holds the samples of the 20 ms before t. So the instant of each sample at
//! the mouth, and at the ear, is known, and the delay between them can be measured.

use std::path::{Path, PathBuf};
use std::time::Duration;

use voice::{BLOCK, FRAME, SAMPLE_RATE};
use wire::Time;

/// 20 ms, a frame.
pub const FRAME_TIME: Duration = Duration::from_millis(20);
/// 10 ms, a block.
pub const BLOCK_TIME: Duration = Duration::from_millis(10);

/// Gives the microphone's frames.
pub trait Source: Send {
    /// The 20 ms before `now`.
    fn frame(&mut self, now: Time, frame: &mut [f32; FRAME]);
    /// A call is connected: recordings start to speak.
    fn start(&mut self, _now: Time) {}
    /// What was said so far, and when, if that is kept.
    fn said(&self) -> Option<&Timeline> {
        None
    }
}

/// Takes the player's blocks.
pub trait Sink: Send {
    /// When the next block is wanted.
    fn due(&self) -> Time;
    /// Plays `block` from `now` on.
    fn block(&mut self, now: Time, block: &[f32; BLOCK]);
    /// The call is over: what was kept is written.
    ///
    /// # Errors
    /// The file cannot be written.
    fn finish(&mut self) -> Result<(), SoundError> {
        Ok(())
    }
    /// What was heard so far, and when, if that is kept.
    fn heard(&self) -> Option<&Timeline> {
        None
    }
}

/// What is wrong with a sound file or device.
#[derive(Debug, thiserror::Error)]
pub enum SoundError {
    /// A file.
    #[error("{}: {what}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What is wrong, and what would be right.
        what: String,
    },
    /// A device.
    #[error("sound device: {0}; choose another one, or use --headless with WAV files")]
    Device(String),
}

/// Samples in a row with the instants at which their chunks passed.
///
/// The row has no gaps; the instant of its start is the median over the chunks, so that one late wake-up
/// of the host does not move it.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    samples: Vec<f32>,
    starts: Vec<i64>,
}

impl Timeline {
    /// Appends a chunk whose first sample passes at `at`.
    pub fn push(&mut self, at: Time, chunk: &[f32]) {
        let before = micros(self.samples.len());
        self.starts.push(at.0.cast_signed() - before);
        self.samples.extend_from_slice(chunk);
    }

    /// The samples.
    #[must_use]
    pub fn samples(&self) -> &[f32] {
        &self.samples
    }

    /// The instant of the first sample, in microseconds of the host's clock; `None` if there is none.
    #[must_use]
    pub fn start(&self) -> Option<i64> {
        let mut starts = self.starts.clone();
        let middle = starts.len() / 2;
        (!starts.is_empty()).then(|| *starts.select_nth_unstable(middle).1)
    }
}

fn micros(samples: usize) -> i64 {
    i64::try_from(samples as u64 * 1_000_000 / SAMPLE_RATE as u64).unwrap_or(i64::MAX)
}

/// Says nothing.
#[derive(Clone, Copy, Debug)]
pub struct Silence;

impl Source for Silence {
    fn frame(&mut self, _: Time, frame: &mut [f32; FRAME]) {
        frame.fill(0.0);
    }
}

/// Speaks a recording, from the moment that a call is connected.
#[derive(Debug)]
pub struct Recording {
    samples: Vec<f32>,
    again: bool,
    next: Option<usize>,
    said: Timeline,
}

impl Recording {
    /// Speaks `samples` once, or `again` and again.
    #[must_use]
    pub fn new(samples: Vec<f32>, again: bool) -> Self {
        Recording { samples, again, next: None, said: Timeline::default() }
    }

    /// Reads a WAV file (mono or stereo, 48 kHz, 16-bit or float).
    ///
    /// # Errors
    /// The file cannot be read, or has another form; the text names what is expected.
    pub fn read(path: &Path, again: bool) -> Result<Self, SoundError> {
        Ok(Recording::new(read_wav(path)?, again))
    }
}

impl Source for Recording {
    fn frame(&mut self, now: Time, frame: &mut [f32; FRAME]) {
        frame.fill(0.0);
        let Some(next) = self.next.as_mut() else { return };
        for sample in frame.iter_mut() {
            if *next >= self.samples.len() && self.again {
                *next = 0;
            }
            *sample = self.samples.get(*next).copied().unwrap_or(0.0);
            *next += 1;
        }
        self.said.push(now - FRAME_TIME, frame);
    }

    fn start(&mut self, _: Time) {
        self.next.get_or_insert(0);
    }

    fn said(&self) -> Option<&Timeline> {
        Some(&self.said)
    }
}

/// A player with its own clock that keeps what it plays; written to a WAV file if one is named.
#[derive(Debug)]
pub struct Recorder {
    due: Time,
    heard: Timeline,
    path: Option<PathBuf>,
}

impl Recorder {
    /// Plays from `first` on, every 10 ms.
    #[must_use]
    pub fn new(first: Time, path: Option<PathBuf>) -> Self {
        Recorder { due: first, heard: Timeline::default(), path }
    }
}

impl Sink for Recorder {
    fn due(&self) -> Time {
        self.due
    }

    fn block(&mut self, now: Time, block: &[f32; BLOCK]) {
        self.heard.push(now, block);
        self.due += BLOCK_TIME;
    }

    fn finish(&mut self) -> Result<(), SoundError> {
        match &self.path {
            Some(path) => write_wav(path, self.heard.samples()),
            None => Ok(()),
        }
    }

    fn heard(&self) -> Option<&Timeline> {
        Some(&self.heard)
    }
}

/// Reads a WAV file as mono at 48 kHz.
///
/// # Errors
/// It cannot be read, or has another form.
pub fn read_wav(path: &Path) -> Result<Vec<f32>, SoundError> {
    let wrong = |what: String| SoundError::File { path: path.into(), what };
    let reader = hound::WavReader::open(path).map_err(|e| wrong(e.to_string()))?;
    samples(reader).map_err(wrong)
}

/// Reads a WAV file that is part of the program.
///
/// # Errors
/// It has another form.
pub fn read_wav_bytes(bytes: &[u8]) -> Result<Vec<f32>, SoundError> {
    let wrong = |what: String| SoundError::File { path: "(built in)".into(), what };
    samples(hound::WavReader::new(bytes).map_err(|e| wrong(e.to_string()))?).map_err(wrong)
}

fn samples<R: std::io::Read>(mut reader: hound::WavReader<R>) -> Result<Vec<f32>, String> {
    let spec = reader.spec();
    if spec.sample_rate as usize != SAMPLE_RATE || !(1..=2).contains(&spec.channels) {
        return Err(format!(
            "is {} channel(s) at {} Hz; make it mono at {SAMPLE_RATE} Hz: sox IN -r {SAMPLE_RATE} -c 1 -b 16 OUT.wav",
            spec.channels, spec.sample_rate
        ));
    }
    let samples: Result<Vec<f32>, hound::Error> = match spec.sample_format {
        hound::SampleFormat::Float => reader.samples::<f32>().collect(),
        hound::SampleFormat::Int => {
            let full = 2f32.powi(i32::from(spec.bits_per_sample) - 1);
            reader.samples::<i32>().map(|s| s.map(|s| s as f32 / full)).collect()
        }
    };
    let samples = samples.map_err(|e| format!("is damaged: {e}"))?;
    Ok(match spec.channels {
        1 => samples,
        _ => samples.chunks_exact(2).map(|pair| (pair[0] + pair[1]) / 2.0).collect(),
    })
}

/// Writes a mono 16-bit WAV file at 48 kHz.
///
/// # Errors
/// The file cannot be written.
pub fn write_wav(path: &Path, samples: &[f32]) -> Result<(), SoundError> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: SAMPLE_RATE as u32,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let write = || -> Result<(), hound::Error> {
        let mut writer = hound::WavWriter::create(path, spec)?;
        for sample in samples {
            writer.write_sample((sample.clamp(-1.0, 1.0) * f32::from(i16::MAX)) as i16)?;
        }
        writer.finalize()
    };
    write().map_err(|e| SoundError::File { path: path.into(), what: e.to_string() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_recording_starts_with_the_call_and_knows_when_it_spoke() {
        let mut source = Recording::new(vec![0.5; 1500], false);
        let mut frame = [1.0; FRAME];
        source.frame(Time(20_000), &mut frame);
        assert!(frame.iter().all(|s| *s == 0.0), "silent before the call");
        source.start(Time(25_000));
        source.frame(Time(40_000), &mut frame);
        assert!(frame.iter().all(|s| *s == 0.5));
        source.frame(Time(60_000), &mut frame);
        assert_eq!((frame[539], frame[540]), (0.5, 0.0));
        assert_eq!(source.said().unwrap().start(), Some(20_000));
    }

    #[test]
    fn one_late_chunk_does_not_move_a_timeline() {
        let mut line = Timeline::default();
        for k in 0..9u64 {
            let late = if k == 0 { 7_000 } else { 100 };
            line.push(Time(1_000_000 + k * 10_000 + late), &[0.0; BLOCK]);
        }
        assert_eq!(line.start(), Some(1_000_100));
    }

    #[test]
    fn wav_files_come_back_and_others_are_refused_with_advice() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.wav");
        write_wav(&path, &[0.25, -0.5]).unwrap();
        let back = read_wav(&path).unwrap();
        assert!((back[0] - 0.25).abs() < 1e-3 && (back[1] + 0.5).abs() < 1e-3);
        std::fs::write(&path, b"RIFF").unwrap();
        assert!(read_wav(&path).is_err());
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: 16_000,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        hound::WavWriter::create(&path, spec).unwrap().finalize().unwrap();
        assert!(read_wav(&path).unwrap_err().to_string().contains("sox"));
    }
}
