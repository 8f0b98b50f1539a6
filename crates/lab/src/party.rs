//! One person: a phone, the rows on its disk, a voice, an ear, and a thumb.

use core::time::Duration;
use std::collections::VecDeque;

use exchange::Conn;
use phone::{Command, Event, Input, Phone, Setup, View};
use wire::{Time, Wall};

use crate::middle::Middle;
use crate::net::Net;
use crate::office::{Rows, read};

/// When the process is to die: as soon as this batch is written; or a while after it was asked for, while the
/// disk hangs and nothing of it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Death {
    /// Counts batches from 1, over all lives.
    pub batch: u64,
    /// Whether the batch reaches the disk.
    pub written: bool,
}

/// The connection of a handset to its exchange.
pub struct Wire {
    /// The exchange's name for it.
    pub conn: Conn,
    /// Cells to the exchange.
    pub up: Net<Vec<u8>>,
    /// Cells from the exchange.
    pub down: Net<Vec<u8>>,
    /// In whose hands it is.
    pub(crate) middle: Option<Middle>,
}

/// A phone and its host.
pub struct Party {
    /// `None`: killed.
    pub phone: Option<Phone>,
    /// Which office.
    pub office: usize,
    /// Its disk.
    pub rows: Rows,
    /// Its line, while it is up.
    pub wire: Option<Wire>,
    /// The network is there.
    pub reachable: bool,
    /// What was said, and when.
    pub events: Vec<(Time, Event)>,
    /// When it wants to be woken.
    pub timeout: Time,
    /// By how much its clock is wrong. Seconds.
    pub clock_off: i64,
    /// It speaks a tone of this pitch. Hertz.
    pub tone: Option<f32>,
    /// Its loudspeaker is on. Without one time passes faster.
    pub plays: bool,
    /// Its speech is coded as people's is: with redundancy, and at ten times the work.
    pub fine: bool,
    /// What it hears is kept here, if somebody listens.
    pub heard: Option<Vec<f32>>,
    /// Batches asked for so far.
    pub batches: u64,
    /// Whether it dies.
    pub death: Option<Death>,
    /// The disk is full.
    pub disk_full: bool,
    /// Cells sent: when and how long.
    pub cells: VecDeque<(Time, usize)>,
    pub(crate) next_block: Time,
    pub(crate) sample: u64,
    seed: u64,
    lives: u8,
    name: String,
}

impl Party {
    /// A new phone of no office yet.
    ///
    /// # Panics
    /// Without memory.
    #[must_use]
    pub fn new(name: &str, office: usize, seed: u64, now: Time, wall: Wall) -> Party {
        let mut party = Party {
            phone: None,
            office,
            rows: Rows::new(),
            wire: None,
            reachable: true,
            events: Vec::new(),
            timeout: now,
            clock_off: 0,
            tone: None,
            plays: true,
            fine: false,
            heard: None,
            batches: 0,
            death: None,
            disk_full: false,
            cells: VecDeque::new(),
            next_block: now,
            sample: 0,
            seed,
            lives: 0,
            name: name.to_owned(),
        };
        party.start(now, wall);
        party
    }

    fn setup(&mut self) -> Setup {
        self.lives += 1;
        let mut seed = [self.lives; 32];
        seed[..8].copy_from_slice(&self.seed.to_be_bytes());
        Setup { name: self.name.clone(), seed, patience: Duration::from_secs(45) }
    }

    /// Starts the phone from what is on its disk; without anything there, it is a new one.
    ///
    /// # Panics
    /// If it cannot be restored, or without memory.
    pub fn start(&mut self, now: Time, wall: Wall) {
        let setup = self.setup();
        let phone = if self.rows.is_empty() {
            Phone::create(setup, now, wall).map_err(|e| e.to_string())
        } else {
            Phone::restore(read(&self.rows), setup, now, wall).map_err(|e| e.to_string())
        };
        let coded = phone.and_then(|mut phone| {
            phone.code_coarsely(!self.fine).map_err(|e| e.to_string())?;
            Ok(phone)
        });
        match coded {
            Ok(phone) => self.phone = Some(phone),
            Err(error) => panic!("phone cannot be started: {error}"),
        }
        self.timeout = now;
    }

    /// What its clock says.
    #[must_use]
    pub fn wall(&self, wall: Wall) -> Wall {
        Wall(wall.0.saturating_add_signed(self.clock_off))
    }

    /// Feeds the phone, if it lives.
    ///
    /// # Errors
    /// What the phone says.
    pub fn handle(
        &mut self,
        now: Time,
        wall: Wall,
        input: Input<'_>,
    ) -> Result<(), phone::InputError> {
        let wall = self.wall(wall);
        match &mut self.phone {
            Some(phone) => phone.handle(now, wall, input),
            None => Ok(()),
        }
    }

    /// A person wants something.
    ///
    /// # Errors
    /// What the phone says.
    pub fn command(
        &mut self,
        now: Time,
        wall: Wall,
        command: Command,
    ) -> Result<(), phone::InputError> {
        self.handle(now, wall, Input::Command(command))
    }

    /// The screen.
    ///
    /// # Panics
    /// If the phone was killed.
    pub fn view(&mut self, now: Time) -> View {
        match &mut self.phone {
            Some(phone) => phone.view(now),
            None => panic!("the phone was killed"),
        }
    }

    /// 20 ms of the party's voice.
    pub(crate) fn speak(&mut self) -> [f32; 960] {
        let tone = self.tone.unwrap_or(0.0);
        let start = self.sample;
        self.sample += 960;
        #[expect(clippy::cast_precision_loss, reason = "a few hours of samples")]
        core::array::from_fn(|i| {
            let t = ((start + i as u64) % 48_000) as f32 / 48_000.0;
            // A voiced sound: a fundamental with overtones, at a rate of syllables.
            let wave: f32 = (1..6)
                .map(|h| (t * tone * h as f32 * core::f32::consts::TAU).sin() / h as f32)
                .sum();
            if tone > 0.0 { 0.2 * wave * (0.6 + 0.4 * (t * 25.0).sin()) } else { 0.0 }
        })
    }

    /// Whether an event was seen since `from`.
    #[must_use]
    pub fn saw(&self, from: Time, wanted: impl Fn(&Event) -> bool) -> Option<Time> {
        self.events.iter().find(|(at, e)| *at >= from && wanted(e)).map(|(at, _)| *at)
    }
}
