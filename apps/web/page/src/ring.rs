//! The ring tone and the tone that a caller hears, made by the browser's own oscillators: no sound file.
//!
//! ```text
//!  incoming   two soft notes, twice, every 3 s        ringing there   one low note, every 4 s
//!  beside     one soft note, every 8 s
//! ```

use std::cell::RefCell;
use std::rc::Rc;

use wasm_bindgen::prelude::*;
use web_sys::{AudioContext, OscillatorType};

use crate::browser;

/// Which tone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Somebody calls.
    Incoming,
    /// Somebody calls while one speaks.
    Beside,
    /// It rings there.
    Waiting,
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
            if tone == Tone::Incoming {
                vibrate();
            }
        }));
        (play.borrow_mut())();
        let again = Closure::<dyn FnMut()>::new(move || (play.borrow_mut())());
        let every = match tone {
            Tone::Incoming => 3000,
            Tone::Waiting => 4000,
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
        Tone::Incoming => {
            for (at, hz) in [(0.0, 659.25), (0.18, 523.25), (0.6, 659.25), (0.78, 523.25)] {
                note(context, now + at, hz, 0.5, 0.22)?;
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
