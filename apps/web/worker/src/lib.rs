//! The web handset's worker: the machine of crate `phone` in a browser, away from the page.
//!
//! ```text
//!  page ◄── JSON ──► host ──► handset: phone, crate voice's libopus ──► store: IndexedDB, sealed
//!                               │   ▲                     │
//!                     line: WebTransport datagrams    sound: a port to the audio worklet
//! ```
//!
//! **Keys live and die here.** The page gets views and gives commands; samples go between worklet and worker directly.
//! The loop decides nothing, as in the native handset (`apps/hotline/src/phone/host.rs`).
//!
//! Files: `host` the loop, `handset` one open handset, `open` making and unlocking, `line` and `leaf` the way to the
//! exchange, `store` at rest, `sound` samples, `clock` time, `convert` words, `browser` bindings.

mod browser;
mod clock;
mod convert;
mod handset;
mod host;
mod leaf;
mod line;
mod open;
mod sound;
mod store;

use wasm_bindgen::JsCast as _;
use wasm_bindgen::prelude::*;

/// Called by `worker.js` once the module is there.
///
/// # Errors
/// The browser lacks what every browser with WebTransport has.
#[wasm_bindgen]
pub fn run() -> Result<(), JsValue> {
    let host = host::start()?;
    let heard =
        Closure::<dyn FnMut(web_sys::MessageEvent)>::new(move |e: web_sys::MessageEvent| {
            host::message(&host, e.data());
        });
    browser::scope().set_onmessage(Some(heard.as_ref().unchecked_ref()));
    // As long as the worker.
    heard.forget();
    Ok(())
}
