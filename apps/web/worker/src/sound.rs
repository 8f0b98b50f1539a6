//! Samples between the audio worklet and the machine, over one port.
//!
//! ```text
//!  worklet ── Float32Array, 128 samples ──► Fifo ── 960 before each tick ──► Phone::capture
//!  worklet ── number: so many blocks, -1 after a gap ─► Phone::render ── Float32Array, 480 ──► worklet
//! ```
//!
//! Playing follows the player's clock: the worklet asks for a block whenever it has played one. What is captured
//! follows the microphone's clock: [`Fifo`] keeps its delay small when that clock runs ahead of the ticks.

use std::collections::VecDeque;

use js_sys::Float32Array;
use voice::{BLOCK, FRAME};
use wasm_bindgen::prelude::*;
use web_sys::MessagePort;

/// Most samples that wait after a frame was taken; more are delay that nobody needs.
const SLACK: usize = 256;
/// Frames over which the smallest rest counts: a second.
const WINDOW: u32 = 50;
/// Most that is ever kept: a stalled worker catches up at once instead of lagging for ever.
const LONGEST: usize = 3 * FRAME;

/// Captured samples, until their tick.
pub(crate) struct Fifo {
    samples: VecDeque<f32>,
    /// The smallest rest of this window.
    rest: usize,
    frames: u32,
    /// Nothing was captured yet, or it ran dry: the next frame waits for a full one.
    dry: bool,
    /// How often it ran dry.
    pub(crate) gaps: u64,
}

impl Fifo {
    /// Empty.
    pub(crate) fn new() -> Fifo {
        Fifo {
            samples: VecDeque::with_capacity(LONGEST),
            rest: usize::MAX,
            frames: 0,
            dry: true,
            gaps: 0,
        }
    }

    /// Samples that wait now.
    pub(crate) fn waiting(&self) -> usize {
        self.samples.len()
    }

    /// Samples from the microphone.
    pub(crate) fn push(&mut self, samples: impl IntoIterator<Item = f32>) {
        self.samples.extend(samples);
        if self.samples.len() > LONGEST {
            let surplus = self.samples.len() - FRAME - SLACK;
            self.samples.drain(..surplus);
        }
    }

    /// The next frame; `None` while there is none.
    pub(crate) fn frame(&mut self) -> Option<[f32; FRAME]> {
        if self.samples.len() < FRAME {
            // The microphone's clock is slow, or it stopped: one frame of silence, and a new start.
            self.gaps += u64::from(!core::mem::replace(&mut self.dry, true));
            return None;
        }
        if core::mem::replace(&mut self.dry, false) {
            let surplus = self.samples.len().saturating_sub(FRAME + SLACK);
            self.samples.drain(..surplus);
            (self.rest, self.frames) = (usize::MAX, 0);
        }
        let mut frame = [0.0; FRAME];
        for (to, from) in frame.iter_mut().zip(self.samples.drain(..FRAME)) {
            *to = from;
        }
        self.rest = self.rest.min(self.samples.len());
        self.frames += 1;
        if self.frames == WINDOW {
            let surplus = self.rest.saturating_sub(SLACK);
            self.samples.drain(..surplus);
            (self.rest, self.frames) = (usize::MAX, 0);
        }
        Some(frame)
    }
}

/// What the worklet said.
pub(crate) enum FromWorklet {
    /// Captured samples.
    Captured(Vec<f32>),
    /// It wants so many blocks, after a gap if it had none in time.
    Wants {
        /// How many.
        blocks: u32,
        /// Silence was played.
        gap: bool,
    },
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
                    let gap = blocks < 0.0;
                    said(FromWorklet::Wants { blocks: blocks.abs().min(16.0) as u32, gap });
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
            assert_eq!(frame[959] - frame[0], 959.0);
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
            assert!(delay < (SLACK + 970) as f32, "{delay}");
        }
    }

    #[test]
    fn a_slow_microphone_costs_single_frames() {
        let mut fifo = Fifo::new();
        let (mut pushed, mut missing) = (0, 0);
        for _ in 0..5_000 {
            fifo.push((pushed..pushed + 950).map(|n| n as f32));
            pushed += 950;
            missing += u32::from(fifo.frame().is_none());
        }
        assert!((50..60).contains(&missing), "1 % of the frames: {missing}");
    }
}
