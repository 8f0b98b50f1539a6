//! Samples between the audio worklet and the machine, over one port.
//!
//! ```text
//!  worklet ── Float32Array, 128 samples ──► Fifo ── 960 before each tick ──► Phone::capture
//!  worklet ── number: so many blocks, or -1: a gap ─► Phone::render ── Float32Array, 240 ──► worklet
//! ```
//!
//! Playing follows the player's clock: the worklet asks for blocks as it plays. What is captured follows the microphone's
//! clock, and comes in bursts: [`Fifo`] keeps what the bursts need and little more.

use std::collections::VecDeque;

use js_sys::Float32Array;
use voice::FRAME;
use wasm_bindgen::prelude::*;
use web_sys::MessagePort;

/// Samples in a block that is played: 5 ms. Shorter ones gain nothing, as less than 4 ms too much is not cut.
pub(crate) const BLOCK: usize = 240;
/// Least that waits after a frame was taken, when nothing went wrong lately: 2.7 ms.
const MARGIN: usize = 128;
/// A microphone that ran dry gets so much more, up to the widest; each calm second takes a part of it back.
const GAP: usize = 96;
const CALM: usize = 8;
const WIDEST: usize = FRAME / 2;
/// More than the margin by this much is delay that nobody needs.
const WORTH: usize = 96;
/// Frames over which the smallest rest counts: a second.
const WINDOW: u32 = 50;
/// Most that is ever kept: a stalled worker catches up at once instead of lagging for ever.
const LONGEST: usize = 4 * FRAME;
/// Over which a cut is faded: 2.7 ms.
const FADE: usize = 128;

/// Captured samples, until their tick.
pub(crate) struct Fifo {
    samples: VecDeque<f32>,
    /// What shall wait at least after a frame was taken.
    margin: usize,
    /// The smallest rest of this window.
    rest: usize,
    frames: u32,
    /// Nothing was captured yet, or it ran dry: it begins with the margin.
    dry: bool,
    /// How often it ran dry.
    pub(crate) gaps: u64,
}

impl Fifo {
    /// Empty.
    pub(crate) fn new() -> Fifo {
        Fifo {
            samples: VecDeque::with_capacity(LONGEST),
            margin: MARGIN,
            rest: usize::MAX,
            frames: 0,
            dry: true,
            gaps: 0,
        }
    }

    /// Forgets what was captured so far.
    pub(crate) fn forget(&mut self) {
        self.samples.clear();
        self.dry = true;
    }

    /// Samples that wait now.
    pub(crate) fn waiting(&self) -> usize {
        self.samples.len()
    }

    /// Samples from the microphone.
    pub(crate) fn push(&mut self, samples: impl IntoIterator<Item = f32>) {
        self.samples.extend(samples);
        if self.samples.len() > LONGEST {
            self.cut(self.samples.len() - FRAME - self.margin);
        }
    }

    /// The next frame; `None` while there is none.
    pub(crate) fn frame(&mut self) -> Option<[f32; FRAME]> {
        if self.samples.len() < FRAME {
            // The microphone's clock is slow, its bursts are late, or it stopped: one frame of silence, and a new start.
            if !core::mem::replace(&mut self.dry, true) {
                self.gaps += 1;
                self.margin = (self.margin + GAP).min(WIDEST);
            }
            return None;
        }
        if core::mem::replace(&mut self.dry, false) {
            self.cut(self.samples.len().saturating_sub(FRAME + self.margin));
            (self.rest, self.frames) = (usize::MAX, 0);
        }
        let mut frame = [0.0; FRAME];
        for (to, from) in frame.iter_mut().zip(self.samples.drain(..FRAME)) {
            *to = from;
        }
        self.rest = self.rest.min(self.samples.len());
        self.frames += 1;
        if self.frames == WINDOW {
            let surplus = self.rest.saturating_sub(self.margin);
            if surplus >= WORTH {
                self.cut(surplus);
            }
            self.margin -= (self.margin - MARGIN).div_ceil(CALM);
            (self.rest, self.frames) = (usize::MAX, 0);
        }
        Some(frame)
    }

    /// Takes out the oldest `surplus` samples; what comes after them is faded in where it can be.
    fn cut(&mut self, surplus: usize) {
        for i in 0..FADE.min(self.samples.len().saturating_sub(surplus)) {
            let gain = i as f32 / FADE as f32;
            self.samples[i + surplus] =
                self.samples[i] * (1.0 - gain) + self.samples[i + surplus] * gain;
        }
        self.samples.drain(..surplus);
    }
}

/// What the worklet said.
pub(crate) enum FromWorklet {
    /// Captured samples.
    Captured(Vec<f32>),
    /// It wants so many blocks.
    Wants(u32),
    /// A block came too late: silence was played.
    Gap,
}

/// The port to the worklet.
pub(crate) struct Port {
    port: MessagePort,
    _heard: Closure<dyn FnMut(web_sys::MessageEvent)>,
}

impl Port {
    /// Listens on `port`.
    pub(crate) fn new(port: MessagePort, mut said: impl FnMut(FromWorklet) + 'static) -> Port {
        let heard =
            Closure::<dyn FnMut(web_sys::MessageEvent)>::new(move |e: web_sys::MessageEvent| {
                let data = e.data();
                if let Some(blocks) = data.as_f64() {
                    said(match blocks < 0.0 {
                        true => FromWorklet::Gap,
                        false => FromWorklet::Wants(blocks.min(16.0) as u32),
                    });
                } else if let Ok(samples) = data.dyn_into::<Float32Array>() {
                    said(FromWorklet::Captured(samples.to_vec()));
                }
            });
        port.set_onmessage(Some(wasm_bindgen::JsCast::unchecked_ref(heard.as_ref())));
        Port { port, _heard: heard }
    }

    /// A block to be played.
    pub(crate) fn play(&self, block: &[f32; BLOCK]) {
        // A closed port plays nothing.
        let _ = self.port.post_message(&Float32Array::from(&block[..]));
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.port.set_onmessage(None);
        self.port.close();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn quantum(from: usize) -> impl Iterator<Item = f32> {
        (from..from + 128).map(|n| n as f32)
    }

    #[test]
    fn frames_come_in_order_and_without_a_gap() {
        let mut fifo = Fifo::new();
        let (mut pushed, mut next) = (0, None);
        for _ in 0..200 {
            while pushed < 960 + 200 || pushed % 960 != 0 && pushed % 7 != 0 {
                fifo.push(quantum(pushed));
                pushed += 128;
            }
            fifo.push((pushed..pushed + 960).map(|n| n as f32));
            pushed += 960;
            let frame = fifo.frame().unwrap();
            assert!(frame.windows(2).all(|w| w[1] > w[0]), "in order");
            if let Some(next) = next {
                assert!(frame[0] >= next, "nothing is heard twice");
            }
            next = Some(frame[959] + 1.0);
        }
    }

    #[test]
    fn a_fast_microphone_does_not_add_delay() {
        let mut fifo = Fifo::new();
        let mut pushed = 0;
        for _ in 0..5_000 {
            // 1 % fast.
            fifo.push((pushed..pushed + 970).map(|n| n as f32));
            pushed += 970;
            let frame = fifo.frame().unwrap();
            let delay = pushed as f32 - frame[959];
            assert!(delay < (MARGIN + WORTH + 50 * 10 + 970) as f32, "{delay}");
        }
    }

    #[test]
    fn a_slow_microphone_costs_single_frames() {
        let mut fifo = Fifo::new();
        let (mut pushed, mut missing) = (0, 0);
        for _ in 0..5_000 {
            // 1 % slow.
            fifo.push((pushed..pushed + 950).map(|n| n as f32));
            pushed += 950;
            missing += u32::from(fifo.frame().is_none());
        }
        // Real ones are a hundredth of that off.
        assert!((50..125).contains(&missing), "at most 2.5 % of the frames: {missing}");
    }

    /// Bursts of 1,024 samples, now and then 10 ms late; ticks of 960.
    #[test]
    fn bursts_that_are_late_now_and_then_cost_few_frames_and_little_delay() {
        let mut fifo = Fifo::new();
        let (mut due, mut missing, mut waited) = (0, 0, 0);
        for tick in 1..=3_000_usize {
            let late = if tick % 40 == 0 { 480 } else { 0 };
            while due + 1_024 + late <= tick * 960 {
                fifo.push((0..1_024).map(|_| 0.0));
                due += 1_024;
            }
            missing += usize::from(fifo.frame().is_none());
            waited += fifo.waiting();
        }
        assert!(missing < 15, "{missing} of 3,000 frames are missing");
        assert!(waited / 3_000 < 960, "{} samples wait", waited / 3_000);
    }

    #[test]
    fn what_is_forgotten_is_not_heard() {
        let mut fifo = Fifo::new();
        fifo.push((0..1_500).map(|_| 1.0));
        fifo.forget();
        assert!(fifo.frame().is_none());
        fifo.push((0..1_500).map(|_| 0.5));
        assert!(fifo.frame().unwrap().iter().all(|sample| *sample == 0.5));
    }

    #[test]
    fn a_cut_makes_no_jump() {
        let mut fifo = Fifo::new();
        let tone = |n: usize| (n as f32 * 0.02).sin();
        fifo.push((0..3_000).map(tone));
        let frame = fifo.frame().unwrap();
        let steepest = frame.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
        assert!(steepest < 0.05, "{steepest}");
    }
}
