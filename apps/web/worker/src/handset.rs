//! One open handset: the machine of crate `phone`, and what it is connected to.
//!
//! ```text
//!  page ── commands ──►┌───────────────┐── cell at each tick ──► line
//!       ◄── view ──────│ Phone machine │◄─ cells ─────────────── line
//!  worklet ── frame ──►│               │── rows ──► store (sealed), or nowhere
//!          ◄─ blocks ──└───────────────┘
//! ```
//!
//! **It does the same at each tick whatever the calls are doing**: without a player the blocks are made all the same and
//! thrown away, and meters go to the page in and out of calls.

use std::collections::HashMap;
use std::time::Duration;

use phone::{Command, Input, Output, Phone};
use protocol::{ErrorCode, Event, FromWorker, Problem};
use seal::words::Choices;
use wire::rows::Change;
use wire::{Time, Wall};

use crate::convert;
use crate::line::{Line, News, Trouble};
use crate::sound::{BLOCK, Fifo, FromWorklet, Port};
use crate::store::{Key, Passkey, SealedBatch};

/// How often what moves is shown.
const METERS: Duration = Duration::from_millis(100);
/// Every so many meters the whole view is looked at.
const VIEWS: u32 = 10;

/// What the host has to do for a handset; the rest it does itself.
pub(crate) enum Wanted {
    /// Dial the line; the news is for this generation.
    Dial { door: String, exchange: [u8; 32], generation: u32 },
    /// Write a batch; with the lock, if it stands there.
    Write { batch: u64, sealed: SealedBatch, lock: Option<Lock> },
    /// Tell the page.
    Tell(FromWorker),
}

/// The vault's header, and the passkey that opens it.
pub(crate) type Lock = (Vec<u8>, Option<Passkey>);

/// What happened to a handset.
pub(crate) enum Happened {
    /// The page wants something.
    Do { ask: u32, command: Command },
    /// To the line.
    Line { generation: u32, news: News },
    /// A batch is on disk, or is not.
    Stored { batch: u64, done: bool },
    /// From the worklet.
    Sound(FromWorklet),
    /// The timer fired.
    Time,
}

/// An open handset.
pub(crate) struct Handset {
    phone: Phone,
    /// How it is kept; `None`: nowhere.
    key: Option<Key>,
    /// Not written yet.
    lock: Option<Lock>,
    line: Option<Line>,
    generation: u32,
    connected: bool,
    port: Option<Port>,
    fifo: Fifo,
    /// How often the player had nothing to play.
    played_gaps: u64,
    /// When the machine wants to be woken, as it said last.
    timeout: Time,
    meters_at: Time,
    meters: u32,
    /// The last view that was shown, without what moves.
    shown: Option<protocol::View>,
    /// A batch is not on disk yet.
    unstored: bool,
    /// Commands that were done, and are told so when they are on disk.
    answers: Vec<(u32, Result<(), Problem>)>,
    choices: HashMap<u32, Choices>,
    /// The card of the link that made this handset: presented when the line is up for the first time.
    card: Option<String>,
}

impl Handset {
    /// A handset around a machine.
    pub(crate) fn new(
        phone: Phone,
        key: Option<Key>,
        lock: Option<Lock>,
        card: Option<String>,
    ) -> Self {
        Handset {
            phone,
            key,
            lock,
            line: None,
            generation: 0,
            connected: false,
            port: None,
            fifo: Fifo::new(),
            played_gaps: 0,
            timeout: Time(0),
            meters_at: Time(0),
            meters: 0,
            shown: None,
            unstored: false,
            answers: Vec::new(),
            choices: HashMap::new(),
            card,
        }
    }

    /// When it wants to be woken.
    pub(crate) fn due(&self) -> Time {
        self.timeout.min(self.meters_at)
    }

    /// The line that [`Wanted::Dial`] asked for.
    pub(crate) fn dialled(&mut self, line: Line) {
        self.line = Some(line);
    }

    /// The worklet's port; `None`: there is no sound now.
    pub(crate) fn listen(&mut self, port: Option<Port>) {
        self.port = port;
        self.fifo = Fifo::new();
    }

    /// What opens the store; `None`: it is kept nowhere.
    pub(crate) fn key(&mut self) -> Option<&mut Key> {
        self.key.as_mut()
    }

    /// Takes what happened, and says what is to be done.
    pub(crate) fn handle(&mut self, now: Time, wall: Wall, happened: Happened) -> Vec<Wanted> {
        let mut wanted = Vec::new();
        match happened {
            Happened::Do { ask, command } => {
                if matches!(command, phone::Command::Answer { .. }) {
                    // The microphone may have been open before, under the finger.
                    self.fifo.forget();
                }
                let done = self.phone.handle(now, wall, Input::Command(command));
                self.answers.push((ask, done.map_err(|e| convert::problem(&e))));
            }
            Happened::Line { generation, news } if generation == self.generation => {
                self.line_news(now, wall, news, &mut wanted);
            }
            Happened::Line { .. } => {}
            Happened::Stored { batch, done } => {
                self.unstored = false;
                let input =
                    if done { Input::Stored { batch } } else { Input::StoreFailed { batch } };
                self.feed(now, wall, input);
                if done {
                    self.lock = None;
                }
            }
            Happened::Sound(FromWorklet::Captured(samples)) => {
                self.fifo.push(samples);
                return wanted;
            }
            Happened::Sound(FromWorklet::Wants(blocks)) => {
                self.play(now, blocks);
                return wanted;
            }
            Happened::Sound(FromWorklet::Gap) => {
                self.played_gaps += 1;
                return wanted;
            }
            Happened::Time => {}
        }
        if now >= self.timeout {
            self.tick(now, wall);
        }
        self.drain(now, wall, &mut wanted);
        self.show(now, &mut wanted);
        wanted
    }

    fn feed(&mut self, now: Time, wall: Wall, input: Input<'_>) {
        // Inputs that are refused leave the machine as it was; the line is remade by itself.
        if let Err(error) = self.phone.handle(now, wall, input) {
            web_sys::console::info_1(&format!("hotline: {error}").into());
        }
    }

    fn line_news(&mut self, now: Time, wall: Wall, news: News, wanted: &mut Vec<Wanted>) {
        match news {
            News::Up => {
                self.connected = true;
                self.feed(now, wall, Input::LinkUp);
            }
            News::Cell(cell) => self.feed(now, wall, Input::Cell(&cell)),
            News::Down(trouble) => {
                (self.line, self.connected) = (None, false);
                self.feed(now, wall, Input::LinkDown);
                let (code, text) = match trouble {
                    None => return,
                    Some(Trouble::NoWebTransport) => {
                        (ErrorCode::NoWebTransport, "this browser has no WebTransport")
                    }
                    Some(Trouble::WrongExchange) => (
                        ErrorCode::WrongExchange,
                        "whoever answers here is not the exchange that this handset belongs to",
                    ),
                };
                wanted.push(Wanted::Tell(FromWorker::Broken(Problem { code, text: text.into() })));
            }
        }
    }

    /// The microphone's frame, the tick that sends it, and silence to nobody where nobody plays.
    fn tick(&mut self, now: Time, wall: Wall) {
        if self.phone.next_tick().is_some_and(|tick| tick <= now) {
            let frame = self.fifo.frame();
            self.phone.capture(now, &frame.unwrap_or([0.0; voice::FRAME]));
        }
        self.feed(now, wall, Input::Tick);
    }

    fn play(&mut self, now: Time, blocks: u32) {
        let mut block = [0.0; BLOCK];
        for _ in 0..blocks {
            self.phone.render(now, &mut block);
            if let Some(port) = &self.port {
                port.play(&block);
            }
        }
    }

    fn drain(&mut self, now: Time, wall: Wall, wanted: &mut Vec<Wanted>) {
        let mut events = Vec::new();
        while let Some(output) = self.phone.poll() {
            match output {
                Output::Transmit(cell) => {
                    if let Some(line) = self.line.as_ref().filter(|_| self.connected) {
                        line.send(&cell);
                    }
                    if self.port.is_none() {
                        self.play(now, (voice::FRAME / BLOCK) as u32);
                    }
                }
                Output::Connect { door, exchange } => {
                    (self.line, self.connected) = (None, false);
                    self.generation += 1;
                    wanted.push(Wanted::Dial {
                        door: door.as_str().to_owned(),
                        exchange: exchange.0,
                        generation: self.generation,
                    });
                }
                Output::Disconnect => {
                    (self.line, self.connected) = (None, false);
                    self.generation += 1;
                }
                Output::Store { batch, changes } => self.store(now, wall, batch, &changes, wanted),
                Output::Event(event) => events.push(event),
                Output::Timeout(at) => self.timeout = at,
            }
        }
        if events.contains(&phone::Event::LineUp)
            && let Some(text) = self.card.take()
        {
            let command = Command::RedeemCard { text, in_person: false };
            if let Err(error) = self.phone.handle(now, wall, Input::Command(command)) {
                let problem = convert::problem(&error);
                wanted.push(Wanted::Tell(FromWorker::Failed { ask: 0, problem }));
            }
            self.drain(now, wall, wanted);
        }
        let answered = !self.unstored && !self.answers.is_empty();
        if !events.is_empty() || answered {
            // Whoever hears of an event, or that a command is done, finds what it is about in the view.
            self.view(now, wanted);
        }
        for event in events {
            let event: Event = convert::event(event);
            wanted.push(Wanted::Tell(FromWorker::Event(event)));
        }
        if answered {
            for (ask, done) in core::mem::take(&mut self.answers) {
                let told = match done {
                    // Nobody asked: it is the link's enrolment.
                    Ok(()) if ask == 0 => continue,
                    Ok(()) => FromWorker::Done { ask },
                    Err(problem) => FromWorker::Failed { ask, problem },
                };
                wanted.push(Wanted::Tell(told));
            }
        }
    }

    fn store(
        &mut self,
        now: Time,
        wall: Wall,
        batch: u64,
        changes: &[Change],
        wanted: &mut Vec<Wanted>,
    ) {
        let Some(key) = &mut self.key else {
            // Kept in memory alone, which does not fail.
            return self.feed(now, wall, Input::Stored { batch });
        };
        self.unstored = true;
        let sealed = SealedBatch::new(changes, key);
        wanted.push(Wanted::Write { batch, sealed, lock: self.lock.clone() });
    }

    /// Meters ten times a second; the view when something in it changed.
    fn show(&mut self, now: Time, wanted: &mut Vec<Wanted>) {
        if now < self.meters_at {
            return;
        }
        self.meters_at = now + METERS;
        if self.meters == 0 {
            self.view(now, wanted);
        }
        self.meters = (self.meters + 1) % VIEWS;
        let (mic, stats, calls) = {
            let view = self.phone.view(now);
            let calls = view.calls.iter().map(convert::meter).collect();
            (view.mic.rms, convert::stats(&view), calls)
        };
        let stats = protocol::Stats {
            mic_gaps: self.fifo.gaps,
            mic_waits_ms: self.fifo.waiting() as f32 / 48.0,
            player_gaps: self.played_gaps,
            ..stats
        };
        wanted.push(Wanted::Tell(FromWorker::Meters { mic, stats, calls }));
    }

    fn view(&mut self, now: Time, wanted: &mut Vec<Wanted>) {
        let view = convert::view(&self.phone.view(now), self.key.is_some());
        let mut still = view.clone();
        (still.mic, still.stats) = (0.0, protocol::Stats::default());
        for call in &mut still.calls {
            (call.timer_ms, call.level, call.quality) = (0, 0.0, None);
        }
        if self.shown.as_ref() != Some(&still) {
            self.shown = Some(still);
            wanted.push(Wanted::Tell(FromWorker::View(Box::new(view))));
        }
    }

    /// The own words of a contact, and four choices for theirs.
    pub(crate) fn choices(&mut self, now: Time, contact: u32) -> Option<FromWorker> {
        let view = self.phone.view(now);
        let (mine, theirs) = view.contacts.into_iter().find(|c| c.id == contact)?.words?;
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).ok()?;
        let mut rng = <rand_chacha::ChaCha20Rng as rand_core::SeedableRng>::from_seed(seed);
        let choices = Choices::new(&theirs, &mut rng);
        let options = choices.options().iter().map(ToString::to_string).collect();
        self.choices.insert(contact, choices);
        Some(FromWorker::Choices { contact, mine: mine.to_string(), options })
    }

    /// The command for what the person picked; `None`: no choice was shown.
    pub(crate) fn picked(&mut self, contact: u32, picked: Option<usize>) -> Option<Command> {
        let choices = self.choices.remove(&contact)?;
        let matches = picked.is_some_and(|picked| choices.is_right(picked));
        Some(Command::Verify { contact, matches })
    }

    /// A card's link and code.
    pub(crate) fn card_code(&mut self, now: Time, card: u32) -> Option<FromWorker> {
        let cards = self.phone.view(now).cards;
        let link = cards.into_iter().find(|c| c.id == card)?.link?;
        let modules = seal::card::qr::modules(&link).ok()?;
        let row = |row: Vec<bool>| row.iter().map(|dark| if *dark { '#' } else { ' ' }).collect();
        Some(FromWorker::CardCode { card, link, code: modules.into_iter().map(row).collect() })
    }
}
