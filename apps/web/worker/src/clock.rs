//! The worker's clocks, and the timer that wakes the machine.
//!
//! ```text
//!  due(time) ─► MessageChannel ─► setTimeout(rest) ─► turn
//! ```
//!
//! A timer that a timer handler arms waits at least 4 ms (HTML §8.6, nesting level above 5), and 20 ms ticks would come in
//! steps of that. One that a message handler arms does not. Times are absolute: what one wake-up is late, the next is not.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::Function;
use wasm_bindgen::JsCast as _;
use wasm_bindgen::prelude::*;
use web_sys::{MessageChannel, MessagePort};
use wire::{Time, Wall};

use crate::browser::scope;

/// Longest time without a look at the clock.
const LONGEST_MS: i32 = 60_000;

/// Reads the browser's clocks.
pub(crate) struct Clock {
    performance: web_sys::Performance,
}

impl Clock {
    /// The worker's clock. `None`: the browser has none, which no browser with WebTransport does.
    pub(crate) fn new() -> Option<Clock> {
        Some(Clock { performance: scope().performance()? })
    }

    /// Monotonic time since the worker began.
    pub(crate) fn now(&self) -> Time {
        Time((self.performance.now() * 1_000.0) as u64)
    }

    /// What the device's clock says.
    pub(crate) fn wall(&self) -> Wall {
        Wall((js_sys::Date::now() / 1_000.0) as u64)
    }
}

/// Wakes the machine at a time.
pub(crate) struct Timer {
    port: MessagePort,
    armed: Rc<Cell<Option<i32>>>,
    wait_ms: Rc<Cell<i32>>,
}

/// Where a [`Timer`] is heard.
pub(crate) struct Fires {
    port: MessagePort,
    armed: Rc<Cell<Option<i32>>>,
    wait_ms: Rc<Cell<i32>>,
}

impl Timer {
    /// A timer that is not set, and where it is heard.
    ///
    /// # Errors
    /// The browser refuses a channel.
    pub(crate) fn new() -> Result<(Timer, Fires), JsValue> {
        let channel = MessageChannel::new()?;
        let (armed, wait_ms) = (Rc::new(Cell::new(None)), Rc::new(Cell::new(0)));
        let fires = Fires { port: channel.port2(), armed: armed.clone(), wait_ms: wait_ms.clone() };
        Ok((Timer { port: channel.port1(), armed, wait_ms }, fires))
    }

    /// Fires at `at`, and not before; replaces what was set.
    pub(crate) fn set(&self, now: Time, at: Time) {
        if let Some(id) = self.armed.take() {
            scope().clear_timeout_with_handle(id);
        }
        let ms = at.since(now).as_micros().div_ceil(1_000);
        self.wait_ms.set(i32::try_from(ms).unwrap_or(LONGEST_MS).min(LONGEST_MS));
        // An own port takes an own message.
        let _ = self.port.post_message(&JsValue::NULL);
    }
}

impl Fires {
    /// Calls `turn` whenever the timer fires, for as long as the worker lives.
    pub(crate) fn listen(self, turn: impl FnMut() + 'static) {
        let Fires { port, armed, wait_ms } = self;
        let (fired, mut turn) = (armed.clone(), turn);
        let fire = Closure::<dyn FnMut()>::new(move || {
            fired.set(None);
            turn();
        });
        let fire = fire.into_js_value().unchecked_into::<Function>();
        let arm = Closure::<dyn FnMut()>::new(move || {
            let set =
                scope().set_timeout_with_callback_and_timeout_and_arguments_0(&fire, wait_ms.get());
            // Set twice before the first message came: the later one counts.
            if let Some(id) = armed.replace(set.ok()) {
                scope().clear_timeout_with_handle(id);
            }
        });
        port.set_onmessage(Some(&arm.into_js_value().unchecked_into()));
    }
}
