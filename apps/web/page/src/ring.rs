//! The ring tone and the tone that a caller hears, made by the browser's own oscillators: no sound file.
//!
//! ```text
//!  incoming   two soft notes, twice, every 3 s        ringing there   one low note, every 4 s
//!             more urgent: more pairs, higher, and sooner again
//!  beside     one soft note, every 8 s                over            440 and 620 Hz together, as often as that call is urgent
//!  preempted  the same, once
//! ```

use std::cell::RefCell;
use std::rc::Rc;

use protocol::Precedence;
use wasm_bindgen::prelude::*;
use web_sys::{AudioContext, OscillatorType};

use crate::browser;

/// Which tone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Somebody calls.
    Incoming(Precedence),
    /// Somebody calls while one speaks.
    Beside,
    /// Somebody calls more urgently while one speaks.
    Over(Precedence),
    /// The other side was called more urgently.
    Preempted,
    /// It rings there.
    Waiting,
}

/// Pairs of notes in a round, and milliseconds from one to the next.
#[must_use]
pub fn cadence(of: Precedence) -> (u32, i32) {
    match of {
        Precedence::Routine => (2, 3_000),
        Precedence::Priority => (3, 2_800),
        Precedence::Immediate => (4, 2_500),
        Precedence::Flash => (5, 2_200),
    }
}

/// A tone that sounds until it is dropped.
pub struct Ring {
    context: AudioContext,
    interval: i32,
    // The browser calls it as long as the interval runs.
    _again: Closure<dyn FnMut()>,
}

impl Ring {
    /// Starts a tone. `None`: this browser makes no sound.
    #[must_use]
    pub fn start(tone: Tone) -> Option<Ring> {
        let context = AudioContext::new().ok()?;
        let playing = context.clone();
        let play = Rc::new(RefCell::new(move || {
            // A tone that fails is silent; the screen shows the call all the same.
            let _ = once(&playing, tone);
            if matches!(tone, Tone::Incoming(_)) {
                vibrate();
            }
        }));
        (play.borrow_mut())();
        let again = Closure::<dyn FnMut()>::new(move || (play.borrow_mut())());
        let every = match tone {
            Tone::Incoming(of) | Tone::Over(of) => cadence(of).1,
            Tone::Waiting => 4000,
            // It sounds once.
            Tone::Preempted => i32::MAX,
            Tone::Beside => 8000,
        };
        let interval = browser::window()
            .set_interval_with_callback_and_timeout_and_arguments_0(
                again.as_ref().unchecked_ref(),
                every,
            )
            .ok()?;
        Some(Ring { context, interval, _again: again })
    }
}

impl Ring {
    /// Sounds a tone once.
    pub fn once(tone: Tone) {
        if let Some(ring) = Ring::start(tone) {
            browser::after(2_000, move || drop(ring));
        }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        browser::window().clear_interval_with_handle(self.interval);
        // A context that is closed already is silent.
        let _ = self.context.close();
    }
}

fn once(context: &AudioContext, tone: Tone) -> Result<(), JsValue> {
    let now = context.current_time();
    match tone {
        Tone::Incoming(of) => {
            // Two pairs 0.6 s apart; more of them closer, and a third higher.
            let (pairs, _) = cadence(of);
            let (apart, high) = if pairs > 2 { (0.36, 1.26) } else { (0.6, 1.0) };
            for pair in 0..pairs {
                let at = now + f64::from(pair) * apart;
                note(context, at, 659.25 * high, 0.5, 0.22)?;
                note(context, at + 0.18, 523.25 * high, 0.5, 0.22)?;
            }
        }
        Tone::Over(_) | Tone::Preempted => {
            for (at, hz) in [(0.0, 440.0), (0.0, 620.0), (0.6, 440.0), (0.6, 620.0)] {
                note(context, now + at, hz, 0.4, 0.06)?;
            }
        }
        Tone::Beside => note(context, now, 587.33, 0.25, 0.05)?,
        Tone::Waiting => note(context, now, 425.0, 1.0, 0.05)?,
    }
    Ok(())
}

fn note(context: &AudioContext, at: f64, hz: f32, seconds: f64, loud: f32) -> Result<(), JsValue> {
    let (oscillator, gain) = (context.create_oscillator()?, context.create_gain()?);
    oscillator.set_type(OscillatorType::Sine);
    oscillator.frequency().set_value(hz);
    let level = gain.gain();
    level.set_value_at_time(0.0, at)?;
    level.linear_ramp_to_value_at_time(loud, at + 0.02)?;
    level.linear_ramp_to_value_at_time(0.0, at + seconds)?;
    oscillator.connect_with_audio_node(&gain)?;
    gain.connect_with_audio_node(&context.destination())?;
    oscillator.start_with_when(at)?;
    oscillator.stop_with_when(at + seconds + 0.02)
}

fn vibrate() {
    let navigator = browser::window().navigator();
    if browser::has(&navigator, "vibrate") {
        let pattern: js_sys::Array = [400, 150, 400].into_iter().map(JsValue::from).collect();
        let _ = js_sys::Reflect::get(&navigator, &"vibrate".into())
            .and_then(JsCast::dyn_into::<js_sys::Function>)
            .and_then(|f| f.call1(&navigator, &pattern));
    }
}
