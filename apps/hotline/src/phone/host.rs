//! One handset on a real socket: the loop around the machine of crate `phone`.
//!
//! ```text
//!  Source ── frame before each tick ──►┌───────────────┐── cell at each tick ──► net::Endpoint ─ AHEAD later ─► line
//!  Sink  ◄── block every 10 ms ────────│ Phone machine │◄─ cells ─────────────── net::Endpoint ◄────────────── line
//!  person ── commands ────────────────►│               │── rows ──► Store thread (sealed)
//!         ◄─ events, view ─────────────└───────────────┘
//! ```
//!
//! The loop decides nothing, and does the same at each tick whatever the calls are doing. Even so, speech takes longer to
//! encode than silence, and keys take longer than nothing: so a cell leaves a fixed time after its tick, by the clock
//! thread of `net`, when all that is long done.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use call::CallState;
use phone::{Command, Event, Input, Output, Phone, Setup, View};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use seal::vault::{Params, Vault};
use voice::{BLOCK, FRAME};
use wire::Time;

use super::sound::{Sink, SoundError, Source, Timeline};
use super::urgent::Tone;
use crate::host::Clock;
use crate::net::{
    ConnId, Endpoint, ExchangeKey, Limits, NetError, Peer, Role, Tap, Waker, keep_pace,
};
use crate::store::{File, Kind, Outcome, Sealed, Store, StoreError};

/// The store in a handset's folder.
const STORE: &str = "handset.db";
/// How often the view is published when nothing happens: levels move, timers run.
const REFRESH: Duration = Duration::from_millis(100);

/// A cell is made at its tick and leaves this long after it. Encoding takes half a millisecond, the keys of a call
/// three; a slower device needs the rest.
const AHEAD: Duration = Duration::from_millis(5);

/// How long a person waits for a command to be on disk before being told that the disk refuses.
const STORED_WITHIN: Duration = Duration::from_secs(5);

/// Why a handset does not run.
#[derive(Debug, thiserror::Error)]
pub enum PhoneError {
    /// Its store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its passphrase.
    #[error(transparent)]
    Vault(#[from] seal::vault::VaultError),
    /// What is in its store.
    #[error(transparent)]
    Rows(#[from] phone::RestoreError),
    /// Its socket.
    #[error(transparent)]
    Net(#[from] NetError),
    /// Its sound.
    #[error(transparent)]
    Sound(#[from] SoundError),
    /// The machine could not be made.
    #[error(transparent)]
    Machine(#[from] phone::InputError),
    /// The operating system.
    #[error("cannot start the handset: {0}")]
    System(#[from] std::io::Error),
    /// Its folder.
    #[error("cannot use {}: {source}", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Something that happened, and when on the host's clock.
#[derive(Clone, Copy, Debug)]
pub struct Happened {
    /// When.
    pub at: Time,
    /// What.
    pub event: Event,
}

/// What came of a command, in words.
type Done = Result<(), String>;

struct Ask {
    command: Command,
    answer: Sender<Done>,
}

enum Message {
    Ask(Ask),
    Stop,
}

/// What another thread can do with a running handset.
#[derive(Clone)]
pub struct Handle {
    messages: Sender<Message>,
    waker: Waker,
    view: Arc<Mutex<Arc<View>>>,
}

impl Handle {
    /// Does what a person wants; when this returns, it is on disk.
    ///
    /// # Errors
    /// In words for that person.
    pub fn command(&self, command: Command) -> Result<(), String> {
        let (answer, got) = mpsc::channel();
        let gone = || "this handset has ended".to_string();
        self.messages.send(Message::Ask(Ask { command, answer })).map_err(|_| gone())?;
        self.waker.wake();
        got.recv_timeout(STORED_WITHIN).unwrap_or_else(|e| match e {
            RecvTimeoutError::Disconnected => Err(gone()),
            RecvTimeoutError::Timeout => {
                Err("the disk cannot be written now; it is done as soon as there is room".into())
            }
        })
    }

    /// How things stand, at most 100 ms old.
    #[must_use]
    pub fn view(&self) -> Arc<View> {
        match self.view.lock() {
            Ok(view) => view.clone(),
            // The loop panicked while it published; what it published before is whole.
            Err(poisoned) => poisoned.into_inner().clone(),
        }
    }

    /// Ends the handset.
    pub fn stop(&self) {
        // It may have ended already.
        let _ = self.messages.send(Message::Stop);
        self.waker.wake();
    }
}

/// Whether the folder holds a handset.
#[must_use]
pub fn exists(folder: &Path) -> bool {
    folder.join(STORE).exists()
}

/// A handset's machine and its store.
pub struct Opened {
    machine: Phone,
    store: Store,
    waker: Waker,
    net: Endpoint,
    clock: Clock,
}

/// Makes a new handset in `folder`, sealed by `passphrase`.
///
/// # Errors
/// There is one, or the disk refuses.
pub fn create(
    folder: &Path,
    passphrase: &str,
    params: Params,
    name: &str,
    clock: Clock,
) -> Result<Opened, PhoneError> {
    std::fs::create_dir_all(folder)
        .map_err(|source| PhoneError::Folder { path: folder.into(), source })?;
    let mut rng = ChaCha20Rng::from_seed(crate::host::seed()?);
    let net = socket()?;
    let waker = net.waker();
    let file = File::create(&folder.join(STORE), Kind::Handset)?;
    let (vault, header) = Vault::create(passphrase, params, &mut rng)?;
    file.set_meta("vault", &header)?;
    let wake = waker.clone();
    let (store, _) = file.start(Sealed::new(vault, rng), Box::new(move || wake.wake()))?;
    let machine = Phone::create(setup(name.into())?, clock.now(), clock.wall())?;
    Ok(Opened { machine, store, waker, net, clock })
}

/// Opens the handset in `folder`.
///
/// # Errors
/// None there, in use, damaged, foreign, or another passphrase; nothing is changed.
pub fn open(folder: &Path, passphrase: &str, clock: Clock) -> Result<Opened, PhoneError> {
    let path = folder.join(STORE);
    let file = File::open(&path, Kind::Handset)?;
    let header = file
        .meta("vault")?
        .ok_or(StoreError::Damaged { path, what: "the passphrase's part is missing".into() })?;
    let vault = Vault::open(&header, passphrase)?;
    let net = socket()?;
    let waker = net.waker();
    let wake = waker.clone();
    let rng = ChaCha20Rng::from_seed(crate::host::seed()?);
    let (store, rows) = file.start(Sealed::new(vault, rng), Box::new(move || wake.wake()))?;
    let setup = setup(String::new())?;
    let machine = Phone::restore(rows, setup, clock.now(), clock.wall())?;
    Ok(Opened { machine, store, waker, net, clock })
}

fn setup(name: String) -> Result<Setup, PhoneError> {
    Ok(Setup { name, seed: crate::host::seed()?, patience: call::PATIENCE })
}

fn socket() -> Result<Endpoint, PhoneError> {
    let any = SocketAddr::from(([0u16; 8], 0));
    let seed = crate::host::seed()?;
    let endpoint = Endpoint::bind(any, Role::Handset, Limits::default(), seed).or_else(|_| {
        // A machine without IPv6.
        let any = SocketAddr::from(([0u8; 4], 0));
        Endpoint::bind(any, Role::Handset, Limits::default(), seed)
    })?;
    Ok(endpoint)
}

/// Opens a handset and runs it, in a thread of its own: its socket's buffers and its sound devices stay in
/// the thread that made them.
///
/// # Errors
/// What `open` says.
pub fn spawn(
    open: impl FnOnce() -> Result<(Host, Receiver<Happened>), PhoneError> + Send + 'static,
) -> Result<Running, PhoneError> {
    let (opened, ready) = mpsc::channel();
    let thread = std::thread::Builder::new().name("handset".into()).spawn(move || {
        let (host, happened) = open()?;
        // The caller waits for it.
        let _ = opened.send((host.handle(), happened));
        host.run()
    })?;
    match ready.recv() {
        Ok((handle, happened)) => Ok(Running { handle, happened, thread }),
        Err(_) => match thread.join() {
            Ok(Err(e)) => Err(e),
            _ => Err(std::io::Error::other("its thread ended at the start").into()),
        },
    }
}

/// A handset that runs in a thread.
pub struct Running {
    /// Its person's hand.
    pub handle: Handle,
    /// What happens.
    pub happened: Receiver<Happened>,
    /// Ends after [`Handle::stop`].
    pub thread: JoinHandle<Result<Left, PhoneError>>,
}

/// A handset that is ready to run.
pub struct Host {
    opened: Opened,
    conn: Option<ConnId>,
    connected: bool,
    source: Box<dyn Source>,
    sink: Box<dyn Sink>,
    tone: Tone,
    inbox: Receiver<Message>,
    looked_up: Receiver<(ExchangeKey, Option<SocketAddr>)>,
    look_up: Sender<(ExchangeKey, Option<SocketAddr>)>,
    events: Sender<Happened>,
    handle: Handle,
    refresh_at: Time,
    /// When the machine wants to be woken, as it said last.
    timeout: Time,
    /// A batch is not on disk yet.
    unstored: bool,
    /// Commands that were done, and are told so when they are on disk.
    answers: Vec<(Sender<Done>, Done)>,
    tls_group: Option<String>,
}

/// What a handset leaves when it ends.
#[derive(Debug, Default)]
pub struct Left {
    /// What was said, if the source keeps it.
    pub said: Option<Timeline>,
    /// What was heard, if the sink keeps it.
    pub heard: Option<Timeline>,
    /// The key exchange that the line's TLS handshake negotiated.
    pub tls_group: Option<String>,
}

impl Opened {
    /// Gives the handset its sound; events come out of the receiver.
    #[must_use]
    pub fn host(
        mut self,
        source: Box<dyn Source>,
        sink: Box<dyn Sink>,
    ) -> (Host, Receiver<Happened>) {
        let (messages, inbox) = mpsc::channel();
        let (look_up, looked_up) = mpsc::channel();
        let (events, happened) = mpsc::channel();
        let now = self.clock.now();
        let view = Arc::new(Mutex::new(Arc::new(self.machine.view(now))));
        let handle = Handle { messages, waker: self.waker.clone(), view };
        let host = Host {
            opened: self,
            conn: None,
            connected: false,
            source,
            sink,
            tone: Tone::default(),
            inbox,
            looked_up,
            look_up,
            events,
            handle,
            refresh_at: Time(0),
            timeout: Time(0),
            unstored: false,
            answers: Vec::new(),
            tls_group: None,
        };
        (host, happened)
    }
}

impl Host {
    /// For other threads.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Shows every datagram of this handset to `tap`.
    pub fn set_tap(&mut self, tap: Tap) {
        self.opened.net.set_tap(Some(tap));
    }

    /// Runs until [`Handle::stop`].
    ///
    /// # Errors
    /// The operating system takes the socket away, or the recording cannot be written.
    pub fn run(mut self) -> Result<Left, PhoneError> {
        keep_pace();
        while self.messages() {
            self.outcomes();
            self.dial();
            self.drain()?;
            self.play();
            self.refresh();
            self.wait()?;
        }
        if let Some(conn) = self.conn {
            self.opened.net.close(self.opened.clock.instant(self.now()), conn, 0);
        }
        self.sink.finish()?;
        Ok(Left {
            said: self.source.said().cloned(),
            heard: self.sink.heard().cloned(),
            tls_group: self.tls_group,
        })
    }

    fn now(&self) -> Time {
        self.opened.clock.now()
    }

    fn feed(&mut self, input: Input<'_>) -> Result<(), phone::InputError> {
        self.opened.machine.handle(self.opened.clock.now(), self.opened.clock.wall(), input)
    }

    /// `false`: stop.
    fn messages(&mut self) -> bool {
        while let Ok(message) = self.inbox.try_recv() {
            match message {
                Message::Stop => return false,
                Message::Ask(ask) => {
                    let done = self.feed(Input::Command(ask.command)).map_err(|e| e.to_string());
                    self.refresh_at = Time(0);
                    self.answers.push((ask.answer, done));
                }
            }
        }
        true
    }

    fn outcomes(&mut self) {
        while let Some(outcome) = self.opened.store.outcome() {
            let fed = match outcome {
                Outcome::Stored(batch) => {
                    self.unstored = false;
                    self.feed(Input::Stored { batch })
                }
                Outcome::Refused(batch, why) => {
                    tracing::error!(%why, "the handset's store cannot write; make room");
                    self.feed(Input::StoreFailed { batch })
                }
            };
            if let Err(e) = fed {
                tracing::error!(error = %e, "the store answered a batch twice");
            }
        }
    }

    /// Connects the line once its name was looked up.
    fn dial(&mut self) {
        while let Ok((key, address)) = self.looked_up.try_recv() {
            let now = self.opened.clock.instant(self.now());
            let dialled = address.map(|to| self.opened.net.connect(now, to, Peer::Line(key)));
            match dialled {
                Some(Ok(conn)) => self.conn = Some(conn),
                failed => {
                    if let Some(Err(e)) = failed {
                        tracing::warn!(error = %e, "the line cannot be dialled");
                    }
                    self.line_down();
                }
            }
        }
    }

    fn line_down(&mut self) {
        self.conn = None;
        self.connected = false;
        if let Err(e) = self.feed(Input::LinkDown) {
            tracing::debug!(error = %e, "link down");
        }
    }

    /// Does what the machine wants done.
    fn drain(&mut self) -> Result<(), PhoneError> {
        let now = self.now();
        let instant = self.opened.clock.instant(now);
        let mut happened = Vec::new();
        while let Some(output) = self.opened.machine.poll() {
            match output {
                Output::Transmit(cell) => {
                    if let Some(conn) = self.conn.filter(|_| self.connected) {
                        // A connection that is gone is reported by the endpoint.
                        let _ = self.opened.net.send(instant, conn, &cell);
                        // The tick made the cell: the line is up.
                        if let Some((due, tick)) = self.opened.machine.last_tick() {
                            let due = self.opened.clock.instant(due + AHEAD);
                            self.opened.net.leave_at(due, tick)?;
                        }
                    }
                }
                Output::Connect { door, exchange } => {
                    self.disconnect();
                    let done = self.look_up.clone();
                    let (waker, key) = (self.opened.waker.clone(), ExchangeKey(exchange.0));
                    let look = move || {
                        let found = door.as_str().to_socket_addrs().ok().and_then(prefer);
                        if found.is_none() {
                            tracing::warn!("the exchange's host name cannot be found");
                        }
                        // The loop may have ended.
                        let _ = done.send((key, found));
                        waker.wake();
                    };
                    if std::thread::Builder::new().name("look-up".into()).spawn(look).is_err() {
                        let _ = self.look_up.send((key, None));
                    }
                }
                Output::Disconnect => self.disconnect(),
                Output::Store { batch, changes } => {
                    self.unstored = true;
                    self.opened.store.commit(batch, changes);
                }
                Output::Event(event) => {
                    if let Event::Call { state: CallState::Connected, .. } = event {
                        self.source.start(now);
                    }
                    let over = match event {
                        Event::Incoming { call, .. } => self.opened.machine.rings_over(call),
                        Event::Preempted { .. } => true,
                        _ => false,
                    };
                    if over {
                        self.tone.start();
                    }
                    happened.push(Happened { at: now, event });
                }
                Output::Timeout(at) => self.timeout = at,
            }
        }
        self.opened.net.flush();
        if !happened.is_empty() {
            // Whoever hears of an event finds what it is about in the view.
            self.refresh_at = Time(0);
            self.refresh();
        }
        if !self.unstored {
            for (answer, done) in self.answers.drain(..) {
                // Whoever asked may be gone.
                let _ = answer.send(done);
            }
        }
        for happened in happened {
            // Nobody may be listening.
            let _ = self.events.send(happened);
        }
        Ok(())
    }

    fn disconnect(&mut self) {
        let now = self.opened.clock.instant(self.now());
        if let Some(conn) = self.conn.take() {
            self.opened.net.close(now, conn, 0);
        }
        self.connected = false;
    }

    /// The microphone's frame, then the tick that sends it.
    fn tick(&mut self) {
        let now = self.now();
        if self.opened.machine.next_tick().is_some_and(|tick| tick <= now) {
            let mut frame = [0.0; FRAME];
            self.source.frame(now, &mut frame);
            self.opened.machine.capture(now, &frame);
        }
        if let Err(e) = self.feed(Input::Tick) {
            tracing::warn!(error = %e, "tick");
        }
    }

    fn play(&mut self) {
        let mut block = [0.0; BLOCK];
        while self.sink.due() <= self.now() {
            let now = self.now();
            self.opened.machine.render(now, &mut block);
            self.tone.mix(&mut block);
            self.sink.block(now, &block);
        }
    }

    fn refresh(&mut self) {
        let now = self.now();
        if now >= self.refresh_at {
            self.refresh_at = now + REFRESH;
            if let Ok(mut view) = self.handle.view.lock() {
                *view = Arc::new(self.opened.machine.view(now));
            }
        }
    }

    fn wait(&mut self) -> Result<(), PhoneError> {
        let until = self.timeout.min(self.sink.due()).min(self.now() + REFRESH);
        let Opened { machine, net, clock, .. } = &mut self.opened;
        let mut news = Vec::new();
        let conn = self.conn;
        net.poll(clock.instant(until), |event| match event {
            crate::net::Event::Cell { conn: from, cell } if Some(from) == conn => {
                if let Err(e) = machine.handle(clock.now(), clock.wall(), Input::Cell(cell)) {
                    tracing::warn!(error = %e, "a cell was refused");
                }
            }
            crate::net::Event::Cell { .. } => {}
            crate::net::Event::Connected { conn, .. } => news.push((conn, None)),
            crate::net::Event::Closed { conn, reason } => news.push((conn, Some(reason))),
        })?;
        for (conn, closed) in news {
            if Some(conn) != self.conn {
                continue;
            }
            if let Some(reason) = closed {
                tracing::info!(%reason, "the line is down");
                self.line_down();
            } else {
                self.connected = true;
                self.tls_group = self.opened.net.tls_group(conn);
                if let Err(e) = self.feed(Input::LinkUp) {
                    tracing::warn!(error = %e, "the line cannot be used");
                }
            }
        }
        if self.now() >= self.timeout {
            self.tick();
        }
        Ok(())
    }
}

/// An IPv4 address where there is one: it works from every socket that this program opens.
fn prefer(found: impl Iterator<Item = SocketAddr>) -> Option<SocketAddr> {
    let found: Vec<SocketAddr> = found.collect();
    found.iter().find(|a| a.is_ipv4()).or(found.first()).copied()
}
