//! One exchange on real sockets: the loop around the machine of crate `exchange`.
//!
//! ```text
//!              ┌──────────────── one thread ────────────────┐
//!  sockets ◄──►│ net::Endpoint ◄── cells ──► Exchange machine │──► Store thread (SQLite)
//!     ▲        │      ticks: the machine's Timeout           │◄── control.sock: operator
//!     │        └──────┬─────────────────────────────────────┘──► metrics, once a second
//!     └── clock thread ◄ packets, and when they leave: AHEAD after their ticks
//! ```
//!
//! The loop decides nothing. It wakes for the machine's timeout, for datagrams, and when the store, the
//! operator, a name look-up or a signal has something.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use exchange::{Command, Config, Conn, Event, Exchange, Input, Output, SourceId, TrunkPolicy};
use wire::{ExchangePub, ExchangeRef, Text, Time};

use super::control::{self, Answer, Pending, Request};
use super::folder::{self, FolderError};
use super::metrics::{self, Shared};
use super::operator::Operator;
use super::settings::{Resolved, Web};
use crate::host::Clock;
use crate::net::{
    ConnId, DoorId, Endpoint, ExchangeIdentity, ExchangeKey, Leaf, Limits, NetError, Party, Peer,
    Role, Tap, Waker, keep_pace,
};
use crate::store::{Outcome, Plain, Store, StoreError};
use crate::web::{door, http, tls::Tls};

/// Longest sleep: how late a metrics page may be.
const IDLE: Duration = Duration::from_secs(1);
/// Datagrams are read together that arrive within this time: nothing is forwarded on arrival anyway.
const GATHER: Duration = Duration::from_millis(1);
/// Connections of one address: an office's handsets can all be behind one router. Strangers among them are
/// limited by the machine.
const PER_ADDRESS: usize = 8_192;
/// Cells are made at their tick and leave this long after it, by the clock thread, so that what else the exchange has to
/// do does not show in when.
const AHEAD: Duration = Duration::from_millis(2);
/// Cells of a trunk tick.
const TRUNK_CELLS: u16 = 1;

/// Opens the exchange in `folder` and runs it, in a thread of its own (the sockets' buffers stay in the
/// thread that made them).
///
/// # Errors
/// See [`Host::open`].
pub fn spawn(
    folder: &Path,
    settings: &Resolved,
) -> Result<(Handle, JoinHandle<Result<(), HostError>>), HostError> {
    spawn_tapped(folder, settings, None)
}

/// Like [`spawn`]; `tap` sees every datagram of the exchange.
///
/// # Errors
/// See [`Host::open`].
pub fn spawn_tapped(
    folder: &Path,
    settings: &Resolved,
    tap: Option<Tap>,
) -> Result<(Handle, JoinHandle<Result<(), HostError>>), HostError> {
    let (folder, settings) = (folder.to_path_buf(), settings.clone());
    let (opened, handle) = mpsc::channel();
    let thread = std::thread::Builder::new().name("exchange".into()).spawn(move || {
        let mut host = Host::open(&folder, &settings)?;
        if let Some(tap) = tap {
            host.set_tap(tap);
        }
        // The caller waits for it.
        let _ = opened.send(host.handle());
        host.run()
    })?;
    match handle.recv() {
        Ok(handle) => Ok((handle, thread)),
        Err(_) => match thread.join() {
            Ok(Err(e)) => Err(e),
            _ => Err(std::io::Error::other("its thread ended at the start").into()),
        },
    }
}

/// Why an exchange does not run.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// Its folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// Its sockets.
    #[error(transparent)]
    Net(#[from] NetError),
    /// Its store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is in its store.
    #[error(transparent)]
    Rows(#[from] exchange::RestoreError),
    /// The operating system.
    #[error("cannot start the exchange: {0}")]
    System(#[from] std::io::Error),
    /// The metrics port.
    #[error("{0}")]
    Metrics(String),
    /// The web handset's port or certificate.
    #[error("cannot serve the web handset: {0}")]
    Web(String),
}

/// An exchange that is ready to run.
pub struct Host {
    net: Endpoint,
    line_door: DoorId,
    identity: ExchangeIdentity,
    leaf: Leaf,
    /// The certificate as the web door hands it out.
    leaf_der: door::Leaf,
    machine: Exchange,
    store: Store,
    clock: Clock,
    pending: Receiver<Pending>,
    dialled: Receiver<(ExchangePub, Option<SocketAddr>)>,
    dialler: Sender<(ExchangePub, Option<SocketAddr>)>,
    dials: HashMap<ConnId, ExchangePub>,
    operator: Operator,
    published: Shared,
    publish_at: Time,
    /// When the machine wants to be woken, as it said last.
    timeout: Time,
    hasher: RandomState,
    handle: Handle,
    _control: control::Cleanup,
}

/// What another thread can do with a running exchange.
#[derive(Clone)]
pub struct Handle {
    waker: Waker,
    stop: Arc<AtomicBool>,
    ask: Sender<Pending>,
    /// Line door in use.
    pub line: SocketAddr,
    /// Trunk door in use.
    pub trunk: SocketAddr,
    /// Metrics in use.
    pub metrics: SocketAddr,
    /// Where people open the web handset, if it is served.
    pub web: Option<String>,
    /// Pinned by handsets and other exchanges.
    pub key: ExchangePub,
}

impl Handle {
    /// Lets the exchange finish what it acknowledged, and end.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
        self.waker.wake();
    }

    /// An operator's command. `None`: the exchange has ended.
    #[must_use]
    pub fn ask(&self, request: Request) -> Option<Answer> {
        let (answer, got) = mpsc::channel();
        self.ask.send(Pending { request, answer }).ok()?;
        self.waker.wake();
        got.recv().ok()
    }
}

impl Host {
    /// Opens everything that the exchange in `folder` needs. Nothing is sent yet.
    ///
    /// # Errors
    /// The folder, a port or the store cannot be used; each says what to do.
    pub fn open(folder: &Path, settings: &Resolved) -> Result<Host, HostError> {
        let clock = Clock::start();
        let identity = folder::identity(folder)?;
        let file = folder::store(folder)?;
        let leaf = identity.issue_leaf(SystemTime::now())?;
        let role = Role::Line { identity: &identity, leaf: &leaf };
        let limits = Limits { per_address: PER_ADDRESS, ..Limits::default() };
        let mut net = Endpoint::bind(settings.line_listen, role, limits, crate::host::seed()?)?;
        net.set_gather(GATHER);
        let line_door = net.door();
        let trunk_door = net.open(settings.trunk_listen, Role::Trunk { identity: &identity })?;
        let (line, trunk) = (net.local_addr(line_door)?, net.local_addr(trunk_door)?);

        let waker = net.waker();
        let wake = waker.clone();
        let (store, rows) = file.start(Plain, Box::new(move || wake.wake()))?;
        let wake = waker.clone();
        let (pending, ask, cleanup) = control::listen(folder, move || wake.wake())?;
        let published = Shared::default();
        let metrics = metrics::serve(settings.metrics_listen, published.clone())
            .map_err(HostError::Metrics)?;

        let key = ExchangePub(identity.key().0);
        let trunk_host = settings.trunk_host.clone().unwrap_or_else(|| reachable(trunk));
        let line_host = settings.line_host.clone().unwrap_or_else(|| reachable(line));
        let leaf_der = door::Leaf::new(leaf.der().to_vec().into());
        let web = match &settings.web {
            Some(web) => Some(open_web(web, &line_host, leaf_der.clone())?),
            None => None,
        };
        let text = |what: &str| std::io::Error::other(format!("{what} is too long"));
        let config = Config {
            office: Text::new(settings.office.clone()).map_err(|_| text("the office's name"))?,
            host: Text::new(trunk_host).map_err(|_| text("trunk_host"))?,
            trunks: match &settings.peers {
                None => TrunkPolicy::Open,
                Some(keys) => TrunkPolicy::Listed(keys.iter().map(|k| ExchangePub(*k)).collect()),
            },
            trunk_cells: TRUNK_CELLS,
            line_test: settings.line_test,
        };
        let mut machine =
            Exchange::new(config, key, crate::host::seed()?, rows, clock.now(), clock.wall())?;
        machine.keep_record(folder::signing_key(folder)?);
        let (dialler, dialled) = mpsc::channel();
        let handle = Handle { waker, stop: Arc::default(), ask, line, trunk, metrics, web, key };
        Ok(Host {
            operator: Operator::new(
                &handle,
                settings.office.clone(),
                line_host,
                settings.line_test,
                crate::host::seed()?,
            ),
            net,
            line_door,
            identity,
            leaf,
            leaf_der,
            machine,
            store,
            clock,
            pending,
            dialled,
            dialler,
            dials: HashMap::new(),
            published,
            publish_at: Time(0),
            timeout: Time(0),
            hasher: RandomState::new(),
            handle,
            _control: cleanup,
        })
    }

    /// For other threads.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Shows every datagram of this exchange to `tap`.
    pub fn set_tap(&mut self, tap: Tap) {
        self.net.set_tap(Some(tap));
    }

    /// Runs until [`Handle::stop`], then ends in order.
    ///
    /// # Errors
    /// The operating system takes the sockets away.
    pub fn run(mut self) -> Result<(), HostError> {
        keep_pace();
        let mut stopping = false;
        loop {
            if self.handle.stop.load(Ordering::Relaxed) && !stopping {
                stopping = true;
                let id = self.operator.shutdown();
                self.feed(Input::Command { id, command: Command::Shutdown });
            }
            self.commands();
            self.outcomes();
            self.dials()?;
            self.drain()?;
            if self.operator.stopped() {
                self.net.flush();
                return Ok(());
            }
            self.housekeeping()?;
            self.wait()?;
        }
    }

    fn feed(&mut self, input: Input<'_>) {
        if let Err(e) = self.machine.handle(self.clock.now(), self.clock.wall(), input) {
            tracing::error!(error = %e, "the exchange machine refused its host's input");
        }
    }

    fn commands(&mut self) {
        while let Ok(pending) = self.pending.try_recv() {
            let officer = self.machine.officer();
            let (id, command) = self.operator.begin(pending, officer, self.clock.wall());
            if let Some(command) = command {
                self.feed(Input::Command { id, command });
            }
        }
    }

    fn outcomes(&mut self) {
        while let Some(outcome) = self.store.outcome() {
            match outcome {
                Outcome::Stored(batch) => self.feed(Input::Stored { batch }),
                Outcome::Refused(batch, why) => {
                    tracing::error!(%why, "the store cannot write: nothing new is acknowledged until it can; make room");
                    self.feed(Input::StoreFailed { batch });
                }
            }
        }
    }

    /// Connects trunks whose names were looked up.
    fn dials(&mut self) -> Result<(), HostError> {
        while let Ok((peer, address)) = self.dialled.try_recv() {
            let key = Peer::Trunk(ExchangeKey(peer.0));
            let now = self.clock.instant(self.clock.now());
            match address.map(|to| self.net.connect(now, to, key)) {
                Some(Ok(conn)) => {
                    self.dials.insert(conn, peer);
                }
                Some(Err(e)) => {
                    tracing::warn!(error = %e, "a trunk cannot be dialled");
                    self.feed(Input::DialFailed { peer });
                }
                None => self.feed(Input::DialFailed { peer }),
            }
        }
        Ok(())
    }

    /// Does what the machine wants done.
    fn drain(&mut self) -> Result<(), HostError> {
        let now = self.clock.instant(self.clock.now());
        let mut answers = Vec::new();
        while let Some(output) = self.machine.poll() {
            match output {
                Output::Transmit { conn, cell } => {
                    // A connection that is gone is reported by the endpoint.
                    let _ = self.net.send(now, ConnId::from_number(conn.0), cell);
                    let (due, tick) = self.machine.last_tick();
                    self.net.leave_at(self.clock.instant(due + AHEAD), tick)?;
                }
                Output::Close { conn, reason } => {
                    self.net.close(now, ConnId::from_number(conn.0), reason as u32);
                }
                Output::Dial { peer } => {
                    look_up(peer, self.dialler.clone(), self.handle.waker.clone())
                }
                Output::Store { batch, changes } => self.store.commit(batch, changes),
                Output::Event(event) => log(event),
                Output::Reply { id, reply } => answers.push((id, reply)),
                Output::Timeout(at) => self.timeout = at,
            }
        }
        let answered = !answers.is_empty();
        for (id, reply) in answers {
            if let Some((id, command)) =
                self.operator.reply(id, reply, &self.machine.metrics(), self.clock.now())
            {
                self.feed(Input::Command { id, command });
            }
        }
        if answered {
            self.drain()?;
        }
        Ok(())
    }

    /// A new certificate in time; figures each second.
    fn housekeeping(&mut self) -> Result<(), HostError> {
        let now = self.clock.now();
        if now < self.publish_at {
            return Ok(());
        }
        self.publish_at = now + IDLE;
        if SystemTime::now() >= self.leaf.rotate_at() {
            self.leaf = self.identity.issue_leaf(SystemTime::now())?;
            self.net.rotate(self.line_door, &self.leaf)?;
            if let Ok(mut der) = self.leaf_der.lock() {
                *der = self.leaf.der().to_vec();
            }
        }
        if let Ok(mut published) = self.published.lock() {
            *published = super::figures::publish(&self.machine, self.net.counters());
        }
        Ok(())
    }

    /// Sleeps until the machine's timeout or the first event, and feeds what came.
    fn wait(&mut self) -> Result<(), HostError> {
        let now = self.clock.now();
        let deadline = self.clock.instant(self.timeout.min(now + IDLE));
        let mut links = Vec::new();
        let (machine, clock, dials) = (&mut self.machine, &self.clock, &mut self.dials);
        self.net.poll(deadline, |event| match event {
            crate::net::Event::Cell { conn, cell } => {
                let conn = Conn(conn.number());
                // Cells of a link that the machine has closed may still arrive.
                let _ =
                    machine.handle(clock.now(), clock.wall(), Input::Cell { conn, bytes: cell });
            }
            crate::net::Event::Connected { conn, party } => links.push((conn, party)),
            crate::net::Event::Closed { conn, reason } => {
                tracing::debug!(%reason, "a connection ended");
                let input = match dials.remove(&conn) {
                    Some(peer) => Input::DialFailed { peer },
                    None => Input::Down { conn: Conn(conn.number()) },
                };
                let _ = machine.handle(clock.now(), clock.wall(), input);
            }
        })?;
        for (conn, party) in links {
            let number = Conn(conn.number());
            match party {
                Party::Handset => {
                    let ip = self.net.remote_addr(conn).map(|a| a.ip());
                    let source = SourceId(self.hasher.hash_one(ip.map(crate::host::source)));
                    self.feed(Input::LineUp { conn: number, source });
                }
                Party::Exchange(key) => {
                    let dialled = self.dials.remove(&conn).is_some();
                    self.feed(Input::TrunkUp { conn: number, peer: ExchangePub(key.0), dialled });
                }
            }
        }
        if self.clock.now() >= self.timeout {
            self.feed(Input::Tick);
        }
        Ok(())
    }
}

/// Serves the web handset; where people open it.
fn open_web(web: &Web, line_host: &str, leaf: door::Leaf) -> Result<String, HostError> {
    let tls = match &web.certificate {
        Some((certificate, key)) => {
            let tls = Tls::open(certificate.clone(), key.clone()).map_err(HostError::Web)?;
            Some(Arc::new(tls))
        }
        None => None,
    };
    let scheme = if tls.is_some() { "https" } else { "http" };
    // A proxy of the operator's may stand before it.
    let https = tls.is_some() || web.origin.as_ref().is_some_and(|o| o.starts_with("https:"));
    let service = door::service(leaf, line_host, https);
    let address = http::serve("web", web.listen, tls, service).map_err(|e| {
        HostError::Web(format!("{}: {e}; choose another `web_listen`, or `off`", web.listen))
    })?;
    let here = format!("{scheme}://localhost:{}", address.port());
    Ok(web.origin.clone().unwrap_or(here))
}

/// The address that others on this machine can use for a door.
fn reachable(door: SocketAddr) -> String {
    if door.ip().is_unspecified() { format!("localhost:{}", door.port()) } else { door.to_string() }
}

/// Looks a peer's name up beside the loop: name servers can take seconds.
fn look_up(peer: ExchangeRef, done: Sender<(ExchangePub, Option<SocketAddr>)>, waker: Waker) {
    let key = peer.key;
    let failed = done.clone();
    let look = move || {
        let address = peer.host.as_str().to_socket_addrs().ok().and_then(|mut all| all.next());
        if address.is_none() {
            tracing::warn!("the host name of another exchange cannot be found");
        }
        // The loop may have ended.
        let _ = done.send((key, address));
        waker.wake();
    };
    if std::thread::Builder::new().name("look-up".into()).spawn(look).is_err() {
        let _ = failed.send((key, None));
    }
}

fn log(event: Event) {
    match event {
        Event::StoreFailed => tracing::error!("the disk cannot be written"),
        Event::StoreWorks => tracing::info!("the disk can be written again"),
        Event::TrunkFails => {
            tracing::warn!(
                "two line tests of a trunk in a row failed: see `hotline exchange trunks`"
            )
        }
        Event::TrunkWorks => tracing::info!("the line test of a trunk that had failed went well"),
        Event::LineAttached | Event::LineEnrolled | Event::TrunkUp => tracing::info!(?event),
        _ => tracing::debug!(?event),
    }
}
