//! After the scripted call: Anna's and Boris's handsets stay on, and let browsers in as further handsets of theirs.
//!
//! ```text
//!  link ─► page: keys, line, device card ─► Anna's handset: words compared by the demo ─► her second handset
//!                                                                     contacts follow: Boris is there, and calls
//! ```
//!
//! A call is answered by the native handset, which speaks its recording, soon if no browser was let in ([`ALONE`]) and late if
//! one was ([`MISSED`]): so that whoever opens one window only has somebody to call, and whoever opens both answers there.
#![allow(clippy::print_stdout, reason = "the demo talks to the person at the terminal")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use call::CallState;
use call::contact::{Keys, Progress};
use phone::{Command, Event};
use voice::{BLOCK, FRAME};
use wire::Time;

use super::office::{Office, PASSPHRASE};
use crate::cli::Failure;
use crate::host::Clock;
use crate::phone::host::{Handle, Happened, Running, open, spawn};
use crate::phone::sound::{Sink, Source};

/// How long it rings at a native handset that is its person's only one: long enough to see that it rings.
const ALONE: Duration = Duration::from_secs(3);
/// How long a browser has for answering.
const MISSED: Duration = Duration::from_secs(12);
/// How long a link works.
const CARD_FOR: Duration = Duration::from_secs(12 * 3_600);
/// How often the handsets are looked at.
const LOOK: Duration = Duration::from_millis(100);
const BLOCK_TIME: Duration = Duration::from_millis(10);

/// A recording, spoken again and again while a call is connected; nothing of it is kept.
struct Speaks {
    samples: Arc<Vec<f32>>,
    next: Option<usize>,
}

impl Source for Speaks {
    fn frame(&mut self, _: Time, frame: &mut [f32; FRAME]) {
        frame.fill(0.0);
        let Some(next) = &mut self.next else { return };
        for sample in frame {
            *sample = self.samples.get(*next).copied().unwrap_or_default();
            *next = if *next + 1 < self.samples.len() { *next + 1 } else { 0 };
        }
    }

    fn start(&mut self, _: Time) {
        self.next = Some(0);
    }
}

/// Plays to nobody, on the clock.
struct Nobody {
    due: Time,
}

impl Sink for Nobody {
    fn due(&self) -> Time {
        self.due
    }

    fn block(&mut self, _: Time, _: &[f32; BLOCK]) {
        self.due += BLOCK_TIME;
    }
}

/// A handset that is looked after by a thread.
pub(super) struct Standing {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<(), Failure>>,
}

impl Standing {
    /// Opens the handset that the script left in `office`'s folder, and prints a link for a browser.
    pub(super) fn start(
        office: &Office,
        person: &'static str,
        speech: Vec<f32>,
        clock: Clock,
    ) -> Result<Standing, Failure> {
        let folder = office.folder.join(person.to_lowercase());
        let samples = Arc::new(speech);
        let running = spawn(move || {
            let source = Box::new(Speaks { samples, next: None });
            let sink = Box::new(Nobody { due: clock.now() });
            Ok(open(&folder, PASSPHRASE, clock)?.host(source, sink))
        })?;
        let stop = Arc::new(AtomicBool::new(false));
        let watched = stop.clone();
        let enroll = office.enroller(person);
        let name = office.name;
        let thread = std::thread::Builder::new().name(person.into()).spawn(move || {
            let Running { handle, happened, thread } = running;
            let mut host = Host { person, office: name, handle, rings: None, linked: Vec::new() };
            while !watched.load(Ordering::Relaxed) {
                let done = match happened.recv_timeout(LOOK) {
                    Ok(Happened { event, .. }) => host.event(event, &enroll),
                    Err(RecvTimeoutError::Timeout) => Ok(()),
                    Err(RecvTimeoutError::Disconnected) => break,
                };
                // The handset and those that were let in go on: an office has eight handsets for a person, say.
                if let Err(why) = done.and_then(|()| host.look()) {
                    println!("\n{person}: {why}");
                }
            }
            host.handle.stop();
            match thread.join() {
                Ok(left) => left.map(|_| ()).map_err(Into::into),
                Err(_) => Err(format!("{person}'s handset panicked").into()),
            }
        })?;
        Ok(Standing { stop, thread })
    }

    /// Ends the handset.
    pub(super) fn stop(self) -> Result<(), Failure> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| "a handset of the demo panicked")?
    }
}

struct Host {
    person: &'static str,
    office: &'static str,
    handle: Handle,
    /// The call that rings, and since when.
    rings: Option<(u32, Instant)>,
    /// Browsers that were let in.
    linked: Vec<u32>,
}

impl Host {
    fn command(&self, command: Command) -> Result<(), Failure> {
        self.handle.command(command).map_err(|e| format!("{}: {e}", self.person).into())
    }

    fn event(
        &mut self,
        event: Event,
        enroll: &dyn Fn() -> Result<String, Failure>,
    ) -> Result<(), Failure> {
        match event {
            // The first time its line is up, and whenever a link was used.
            Event::LineUp if self.handle.view().cards.iter().all(|c| c.link.is_none()) => {
                self.command(Command::AdmitDevice { ttl: CARD_FOR })?;
            }
            Event::CardUsed { .. } => self.command(Command::AdmitDevice { ttl: CARD_FOR })?,
            Event::CardIssued { card } => {
                let view = self.handle.view();
                let shown = view.cards.iter().find(|c| c.id == card).and_then(|c| c.link.clone());
                if let Some(text) = shown {
                    let card = text.strip_prefix(seal::card::LINK).unwrap_or(&text);
                    let link = enroll()?;
                    println!(
                        "\n{} ({}), a handset in a browser:\n  {link}&card={card}&keep=no",
                        self.person, self.office
                    );
                }
            }
            Event::Incoming { call, .. } => self.rings = Some((call, Instant::now())),
            Event::Call { call, state } if state != CallState::RingingHere => {
                self.rings = self.rings.filter(|(rings, _)| *rings != call);
            }
            _ => {}
        }
        Ok(())
    }

    fn look(&mut self) -> Result<(), Failure> {
        let view = self.handle.view();
        let waits = view.contacts.iter().find(|c| {
            let open = c.own_device && c.progress == Progress::Accepted && c.words.is_some();
            open && c.keys == Keys::Unverified && !self.linked.contains(&c.id)
        });
        if let Some(contact) = waits.map(|c| c.id) {
            self.linked.push(contact);
            self.command(Command::Verify { contact, matches: true })?;
            println!("\n{}'s browser is in; its words were compared by the demo.", self.person);
        }
        if let Some((call, since)) = self.rings
            && since.elapsed() > if self.linked.is_empty() { ALONE } else { MISSED }
        {
            self.rings = None;
            // The caller may have given up in this moment.
            if self.handle.command(Command::Answer { call }).is_ok() {
                println!("\n{} answers, with a recording.", self.person);
            }
        }
        Ok(())
    }
}
