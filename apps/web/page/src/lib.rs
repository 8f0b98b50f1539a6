//! The web handset's page: everything that people see and press. Keys, calls and the line live in the worker.
//!
//! ```text
//!  boot.js ─► lib ─► app: signals ─► screens/ (one file a screen), parts/ (what they are made of)
//!               │      ▲
//!               │    heard ◄─ link ◄─── worker.js       text/ every word, in four languages
//!               └─► shell, attention, ring, wake, sound, camera, passkey: the browser
//! ```
//!
//! **The page decides nothing about a call**: it draws the worker's view and passes on what people press.

pub mod app;
pub mod attention;
pub mod browser;
pub mod calls;
pub mod camera;
pub mod fragment;
pub mod heard;
pub mod link;
pub mod parts;
pub mod passkey;
pub mod prefs;
pub mod ring;
pub mod screens;
pub mod shell;
pub mod sound;
pub mod text;
pub mod time;
pub mod wake;
pub mod words;

use wasm_bindgen::prelude::*;

/// Called by `boot.js` once the module is there; whatever the worker says is heard from its return on.
#[wasm_bindgen]
pub fn run(worker: web_sys::Worker) {
    shell::start(worker);
}
