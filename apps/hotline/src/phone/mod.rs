//! `hotline phone`: a handset as a process.
//!
//! ```text
//!  cli.rs     what was typed: which folder, which sound, screen or none
//!  host.rs    the loop: socket, store and sound around the machine of crate `phone`
//!  sound.rs   WAV files and silence          device.rs   microphone and loudspeaker
//!  console.rs commands as text               headless.rs events as JSON lines
//!  manage.rs  a principal's contacts, managed by an attendant
//!  night.rs   night service, as typed and read
//!  position.rs a switchboard position, its appointments
//!  transfer.rs a call that goes to another handset of the same person
//!  shift.rs   a position that goes to another handset of the same person
//!  rules.rs   rules for calls, as typed and read
//!  urgent.rs  how urgent a call is: words, ring and tone
//!  screen/    a person's screen in the terminal
//! ```

pub mod cli;
pub mod console;
pub mod device;
mod headless;
pub mod host;
mod manage;
mod night;
mod position;
mod rights;
mod rules;
mod screen;
mod shift;
pub mod sound;
mod transfer;
mod urgent;
