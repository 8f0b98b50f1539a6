//! Microphone and loudspeaker of this machine.
//!
//! ```text
//!  microphone ─ callback ─► ring ─► Source::frame ─ echo, noise, gain (10 ms blocks) ─► 20 ms frame
//!                                        ▲ what is heard now
//!  loudspeaker ◄─ callback ◄─ ring ◄─ Sink::block ◄─ 10 ms block, when the ring runs low
//! ```
//!
//! The callbacks run on the system's audio threads: **no allocation, lock, log or I/O in them**; they move
//! samples between the device's buffer and a lock-free ring that is made beforehand, and nothing else.
//! Samples are mono, 48 kHz; devices with two channels get the same on both.

use std::time::Duration;

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{Device, FromSample, SampleFormat, SizedSample, Stream, StreamConfig};
use rtrb::{Consumer, Producer, RingBuffer};
use voice::{BLOCK, FRAME, Processor, SAMPLE_RATE};
use wire::Time;

use super::sound::{Sink, SoundError, Source};

/// What waits for the loudspeaker at most: devices take some 5 to 20 ms at once.
const AHEAD: usize = 2 * BLOCK;
/// What waits from the microphone at most before the oldest is dropped.
const BEHIND: usize = 3 * FRAME;
/// Room of a ring.
const RING: usize = 8 * FRAME;

/// The microphone, cleaned.
pub struct Microphone {
    captured: Consumer<f32>,
    heard: Consumer<f32>,
    processor: Processor,
    _stream: Stream,
}

/// The loudspeaker.
pub struct Loudspeaker {
    to_play: Producer<f32>,
    heard: Producer<f32>,
    due: Time,
    _stream: Stream,
}

/// Opens this machine's default microphone and loudspeaker.
///
/// # Errors
/// There is none, or it cannot do 48 kHz.
pub fn open(now: Time) -> Result<(Microphone, Loudspeaker), SoundError> {
    let host = cpal::default_host();
    let input = host
        .default_input_device()
        .ok_or_else(|| SoundError::Device("this machine has no microphone".into()))?;
    let output = host
        .default_output_device()
        .ok_or_else(|| SoundError::Device("this machine has no loudspeaker".into()))?;
    let (heard, hears) = RingBuffer::new(RING);
    let (fill, captured) = RingBuffer::new(RING);
    let (to_play, drain) = RingBuffer::new(RING);
    let (config, format) = choose(&input, true)?;
    let capture = match format {
        SampleFormat::F32 => record::<f32>(&input, config, fill),
        _ => record::<i16>(&input, config, fill),
    }?;
    let (config, format) = choose(&output, false)?;
    let play = match format {
        SampleFormat::F32 => sound::<f32>(&output, config, drain),
        _ => sound::<i16>(&output, config, drain),
    }?;
    for stream in [&capture, &play] {
        stream.play().map_err(device)?;
    }
    let processor = Processor::new();
    Ok((
        Microphone { captured, heard: hears, processor, _stream: capture },
        Loudspeaker { to_play, heard, due: now, _stream: play },
    ))
}

fn device(e: impl std::fmt::Display) -> SoundError {
    SoundError::Device(e.to_string())
}

/// One or two channels at 48 kHz, as floats if the device can.
fn choose(of: &Device, input: bool) -> Result<(StreamConfig, SampleFormat), SoundError> {
    let rate = SAMPLE_RATE as u32;
    let ranges: Vec<_> = if input {
        of.supported_input_configs().map_err(device)?.collect()
    } else {
        of.supported_output_configs().map_err(device)?.collect()
    };
    for format in [SampleFormat::F32, SampleFormat::I16] {
        for channels in [1, 2] {
            let fits = ranges.iter().find(|r| {
                r.sample_format() == format
                    && r.channels() == channels
                    && (r.min_sample_rate()..=r.max_sample_rate()).contains(&rate)
            });
            if let Some(range) = fits {
                return Ok(((*range).with_sample_rate(rate).into(), format));
            }
        }
    }
    let which = if input { "microphone" } else { "loudspeaker" };
    Err(SoundError::Device(format!("the {which} cannot do {rate} Hz with one or two channels")))
}

fn record<T>(
    from: &Device,
    config: StreamConfig,
    mut ring: Producer<f32>,
) -> Result<Stream, SoundError>
where
    T: SizedSample,
    f32: FromSample<T>,
{
    let channels = usize::from(config.channels);
    from.build_input_stream(
        config,
        move |data: &[T], _: &cpal::InputCallbackInfo| {
            for sample in data.chunks_exact(channels) {
                // A full ring drops what is new; the reader drops what is old, and catches up.
                let _ = ring.push(f32::from_sample_(sample[0]));
            }
        },
        |error| tracing::warn!(%error, "the microphone failed"),
        None,
    )
    .map_err(device)
}

fn sound<T>(
    to: &Device,
    config: StreamConfig,
    mut ring: Consumer<f32>,
) -> Result<Stream, SoundError>
where
    T: SizedSample + FromSample<f32>,
{
    let channels = usize::from(config.channels);
    to.build_output_stream(
        config,
        move |data: &mut [T], _: &cpal::OutputCallbackInfo| {
            for sample in data.chunks_exact_mut(channels) {
                sample.fill(T::from_sample_(ring.pop().unwrap_or(0.0)));
            }
        },
        |error| tracing::warn!(%error, "the loudspeaker failed"),
        None,
    )
    .map_err(device)
}

impl Source for Microphone {
    fn frame(&mut self, _: Time, frame: &mut [f32; FRAME]) {
        while self.captured.slots() > BEHIND {
            let _ = self.captured.pop();
        }
        frame.fill(0.0);
        if self.captured.slots() < FRAME {
            return;
        }
        let (blocks, _) = frame.as_chunks_mut::<BLOCK>();
        for block in blocks {
            for sample in block.iter_mut() {
                *sample = self.captured.pop().unwrap_or(0.0);
            }
            while self.heard.slots() >= BLOCK {
                let mut far = [0.0; BLOCK];
                far.fill_with(|| self.heard.pop().unwrap_or(0.0));
                // Without it the echo stays: no reason to lose the voice.
                let _ = self.processor.heard(&far);
            }
            let _ = self.processor.spoken(block);
        }
    }
}

impl Sink for Loudspeaker {
    fn due(&self) -> Time {
        self.due
    }

    fn block(&mut self, now: Time, block: &[f32; BLOCK]) {
        for sample in block {
            // A device that does not take anything loses it.
            let _ = self.to_play.push(*sample);
            let _ = self.heard.push(*sample);
        }
        let waiting = RING - self.to_play.slots();
        let spare = waiting.saturating_sub(AHEAD - BLOCK) as u64;
        self.due = now + Duration::from_micros(spare * 1_000_000 / SAMPLE_RATE as u64);
    }
}
