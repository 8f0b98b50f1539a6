//! A handset's screen in a terminal.
//!
//! ```text
//!  keys ─► keys.rs (what is selected, what is typed) ─► commands ─► host
//!  view ─► draw.rs (contacts, call, incoming, verify, history)   ─► terminal, ten times a second
//! ```

mod draw;
mod keys;
mod room;
#[cfg(test)]
mod tests;
#[cfg(test)]
pub(super) use tests::{call as empty_call, view as empty_view};

use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use ratatui::crossterm::event::{self, Event as Typed, KeyEventKind};

use super::console::Action;
use super::host::{Handle, Happened};
use super::urgent::Bell;
use crate::cli::Failure;
use keys::State;
use wire::Time;

/// How often the screen is drawn while nothing is typed: levels and timers move.
const REDRAW: Duration = Duration::from_millis(100);

/// Shows the handset until its person quits.
///
/// # Errors
/// There is no terminal.
pub(super) fn run(
    handle: &Handle,
    happened: &Receiver<Happened>,
    notice: Option<String>,
) -> Result<(), Failure> {
    let mut state = State::new(ChaCha20Rng::from_seed(crate::host::seed()?));
    state.say(notice.unwrap_or_default());
    let mut terminal =
        ratatui::try_init().map_err(|e| format!("no terminal to draw on ({e}): use --headless"))?;
    let result = show(&mut terminal, &mut state, handle, happened);
    ratatui::restore();
    result
}

fn show(
    terminal: &mut ratatui::DefaultTerminal,
    state: &mut State,
    handle: &Handle,
    happened: &Receiver<Happened>,
) -> Result<(), Failure> {
    let (mut bells, start) = (Bell::default(), Instant::now());
    loop {
        loop {
            match happened.try_recv() {
                Ok(happened) => {
                    state.happened(&happened.event, &handle.view());
                }
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return Ok(()),
            }
        }
        let view = handle.view();
        let now = Time(u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX));
        if bells.rings(now, &view) {
            bell()?;
        }
        terminal.draw(|frame| draw::screen(frame, &view, state))?;
        if !event::poll(REDRAW)? {
            continue;
        }
        let Typed::Key(key) = event::read()? else { continue };
        if key.kind != KeyEventKind::Press {
            continue;
        }
        match state.key(key, &view) {
            Some(Action::Quit) => return Ok(()),
            Some(Action::Command(command)) => {
                if let Err(why) = handle.command(command) {
                    state.say(why);
                }
            }
            Some(Action::Show(show)) => state.show(show),
            None => {}
        }
    }
}

/// The terminal's own ring.
fn bell() -> std::io::Result<()> {
    use std::io::Write;
    let mut out = std::io::stdout();
    out.write_all(b"\x07")?;
    out.flush()
}
