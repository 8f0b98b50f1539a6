//! The machine: its parts, what goes in, what comes out, and in which order.
//!
//! ```text
//!   handle(now, input):  timers that are due ─► the input ─► is the store drained, if we stop?
//!   poll():              cells that are due ─► closes, dials, events, replies ─► a batch ─► the timeout
//! ```
//!
//! Cells come first: nothing else that goes on moves them.

use core::time::Duration;
use std::collections::{BTreeMap, HashMap, VecDeque};

use link::{Channel, Link, LinkError};
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};
use wire::line::{LineDown, LineUp};
use wire::rows::Row;
use wire::trunk::Trunk;
use wire::{Address, ExchangePub, ExchangeRef, LinePub, MailId, Time, Wall};

use crate::addresses::AddressEntry;
use crate::admission::Admission;
use crate::answers::Answers;
use crate::api::{CloseReason, Config, Conn, Event, Input, InputError, Output, Reply, TrunkPolicy};
use crate::clock::{Timer, Timers, Wheel};
use crate::legs::Calls;
use crate::lines::{Line, Principal, TokenEntry};
use crate::mail::Outbox;
use crate::metrics::Metrics;
use crate::ports::{Phase, Port, PortId, Ports, Role};
use crate::record::Record;
use crate::redeem::Redeems;
use crate::rows::{self, RestoreError, Stored};
use crate::store::{After, Store};
use crate::trunks::Peer;
use crate::{limits, trunks};

/// One exchange, or one shard of it. See the crate's documentation for how to drive it.
///
/// - in: [`handle`](Exchange::handle)
/// - out: [`poll`](Exchange::poll), until `None`
/// - figures: [`metrics`](Exchange::metrics)
pub struct Exchange {
    pub(crate) config: Config,
    pub(crate) key: ExchangePub,
    pub(crate) rng: ChaCha20Rng,
    pub(crate) now: Time,
    pub(crate) wall: Wall,
    pub(crate) ports: Ports,
    pub(crate) wheel: Wheel,
    pub(crate) timers: Timers,
    pub(crate) store: Store,
    pub(crate) admission: Admission,
    pub(crate) principals: BTreeMap<u32, Principal>,
    pub(crate) lines: HashMap<LinePub, Line>,
    pub(crate) tokens: HashMap<[u8; 32], TokenEntry>,
    pub(crate) addresses: HashMap<Address, AddressEntry>,
    pub(crate) outbox: Outbox,
    pub(crate) redeems: Redeems,
    pub(crate) answers: Answers,
    pub(crate) calls: Calls,
    pub(crate) peers: BTreeMap<ExchangePub, Peer>,
    pub(crate) record: Record,
    pub(crate) metrics: Metrics,
    pub(crate) stopping: Option<Stopping>,
    out: VecDeque<Out>,
    ticking: Option<PortId>,
    /// When the tick of the latest cell was due, and its length.
    last_tick: (Time, Duration),
    cell: Vec<u8>,
    timeout_told: bool,
}

/// A shutdown under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stopping {
    /// The store still works for the command.
    Storing(u64),
    /// Answers are on their way.
    Lingering(u64),
    /// All is closed.
    Stopped,
}

/// An [`Output`] that waits.
enum Out {
    Close(Conn, CloseReason),
    Dial(ExchangeRef),
    Event(Event),
    Reply(u64, Reply),
}

// The parts hold addresses and names.
impl core::fmt::Debug for Exchange {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Exchange({} links, {} lines)", self.ports.len(), self.lines.len())
    }
}

impl Exchange {
    /// An exchange with the public key `key`, as `rows` say that it was. `rng_seed` decides phases of
    /// clocks, nonces and back-off; it has to be fresh and secret.
    ///
    /// # Errors
    /// The rows are not what an exchange stored.
    pub fn new(
        config: Config,
        key: ExchangePub,
        rng_seed: [u8; 32],
        rows: Vec<Row>,
        now: Time,
        wall: Wall,
    ) -> Result<Exchange, RestoreError> {
        let mut exchange = Exchange {
            config,
            key,
            rng: ChaCha20Rng::from_seed(rng_seed),
            now,
            wall,
            ports: Ports::default(),
            wheel: Wheel::new(now),
            timers: Timers::default(),
            store: Store::default(),
            admission: Admission::default(),
            principals: BTreeMap::new(),
            lines: HashMap::new(),
            tokens: HashMap::new(),
            addresses: HashMap::new(),
            outbox: Outbox::default(),
            redeems: Redeems::default(),
            answers: Answers::default(),
            calls: Calls::default(),
            peers: BTreeMap::new(),
            record: Record::default(),
            metrics: Metrics::default(),
            stopping: None,
            out: VecDeque::new(),
            ticking: None,
            last_tick: (now, Duration::ZERO),
            cell: Vec::new(),
            timeout_told: false,
        };
        exchange.restore(rows)?;
        Ok(exchange)
    }

    fn restore(&mut self, mut rows: Vec<Row>) -> Result<(), RestoreError> {
        // In the order of the spaces, owners come before what they own.
        rows.sort_by(|a, b| (a.space, &a.key).cmp(&(b.space, &b.key)));
        for row in rows {
            match rows::read(&row)? {
                Stored::Principal(id, name) => {
                    self.principals.insert(id, Principal::new(name));
                }
                Stored::Token(hash, principal, expires) => {
                    self.owner(principal, "token")?;
                    self.tokens.insert(hash, TokenEntry { principal, expires });
                }
                Stored::Rule(principal, rule) => {
                    self.owner(principal, "rule")?.rule = Some(rule);
                }
                Stored::Line { line, principal, device, acked } => {
                    let owner = self.owner(principal, "line")?;
                    owner.devices[usize::from(device)] = Some(line);
                    owner.next_mail = owner.next_mail.max(acked + 1);
                    self.lines.insert(line, Line::new(principal, device, acked, true));
                }
                Stored::Address(address, entry) => {
                    let owner = self.owner(entry.principal, "address")?;
                    owner.addresses += 1;
                    owner.open += u32::from(entry.is_open());
                    self.addresses.insert(address, entry);
                }
                Stored::Offer(address, offer) => {
                    let entry = self.addresses.get_mut(&address);
                    entry.ok_or(RestoreError::Orphan { space: "offer", to: "address" })?.offer =
                        Some(offer);
                }
                Stored::Mailbox(principal, seq, piece) => {
                    self.owner(principal, "mailbox")?;
                    self.restore_piece(principal, seq, piece);
                }
                Stored::Outbox(seq, mail) => {
                    self.owner(mail.principal, "outbox")?;
                    self.restore_outgoing(seq, mail);
                }
                Stored::Peer(key, host, was_up) => {
                    self.peers.insert(key, Peer::known(host, was_up));
                }
                Stored::Tests(key, tests) => {
                    let peer = self.peers.get_mut(&key);
                    peer.ok_or(RestoreError::Orphan { space: "line test", to: "peer" })?.tests =
                        tests;
                }
                Stored::Mark | Stored::Entry => {}
                Stored::Head(frontier) => self.record.frontier = frontier,
                Stored::Receipt(line, receipt) => {
                    if !self.lines.contains_key(&line) {
                        return Err(RestoreError::Orphan { space: "receipt", to: "line" });
                    }
                    self.record.receipts.insert(line, receipt);
                }
                Stored::Order(order) => self.record.order = Some(order),
            }
        }
        // Mail is on disk only together with the exchange it is for.
        if self.outbox.peers().any(|peer| !self.peers.contains_key(peer)) {
            return Err(RestoreError::Orphan { space: "outbox", to: "peer" });
        }
        self.dial_all();
        self.plan_tests();
        Ok(())
    }

    fn owner(&mut self, id: u32, space: &'static str) -> Result<&mut Principal, RestoreError> {
        self.principals.get_mut(&id).ok_or(RestoreError::Orphan { space, to: "principal" })
    }

    /// Takes one input. Afterwards drain [`Exchange::poll`].
    ///
    /// `now` never goes back; `wall` may be anything, and only cards, tokens and dates of mail go by it.
    ///
    /// # Errors
    /// The host made a mistake. Faults of other ends are no errors: they close the link.
    pub fn handle(&mut self, now: Time, wall: Wall, input: Input<'_>) -> Result<(), InputError> {
        self.now = self.now.max(now);
        self.wall = wall;
        self.timeout_told = false;
        while let Some(timer) = self.timers.pop(self.now) {
            self.fire(timer);
        }
        let result = self.take(input);
        self.stop_if_stored();
        result
    }

    fn take(&mut self, input: Input<'_>) -> Result<(), InputError> {
        match input {
            Input::Tick => {}
            Input::Cell { conn, bytes } => self.cell(conn, bytes),
            Input::LineUp { conn, source } => {
                self.fresh(conn)?;
                self.line_up(conn, source);
            }
            Input::TrunkUp { conn, peer, dialled } => {
                self.fresh(conn)?;
                self.trunk_up(conn, peer, dialled);
            }
            Input::Down { conn } => {
                if let Some(id) = self.ports.find(conn) {
                    self.down(id);
                }
            }
            Input::DialFailed { peer } => self.dial_failed(&peer),
            Input::Stored { batch } => self.stored(batch)?,
            Input::StoreFailed { batch } => self.store_failed(batch)?,
            Input::Command { id, command } => self.command(id, command),
        }
        Ok(())
    }

    fn fresh(&self, conn: Conn) -> Result<(), InputError> {
        self.ports.find(conn).map_or(Ok(()), |_| Err(InputError::ConnInUse))
    }

    /// The next thing for the host to do. `None`: wait.
    pub fn poll(&mut self) -> Option<Output<'_>> {
        if let Some(conn) = self.next_cell() {
            return Some(Output::Transmit { conn, cell: &self.cell });
        }
        if let Some(out) = self.out.pop_front() {
            return Some(match out {
                Out::Close(conn, reason) => Output::Close { conn, reason },
                Out::Dial(peer) => Output::Dial { peer },
                Out::Event(event) => Output::Event(event),
                Out::Reply(id, reply) => Output::Reply { id, reply },
            });
        }
        if let Some((batch, changes)) = self.store.emit() {
            self.metrics.store_batches += 1;
            return Some(Output::Store { batch, changes });
        }
        if self.timeout_told {
            return None;
        }
        self.timeout_told = true;
        Some(Output::Timeout(self.wheel.next().min(self.timers.next())))
    }

    /// When the tick of the latest [`Output::Transmit`] was due, and how long it is: its cell leaves a fixed time after that.
    #[must_use]
    pub fn last_tick(&self) -> (Time, Duration) {
        self.last_tick
    }

    /// Puts the next cell that is due into `self.cell`, and says on which connection it goes.
    fn next_cell(&mut self) -> Option<Conn> {
        loop {
            if let Some(port) = self.ticking.and_then(|id| self.ports.get_mut(id))
                && let Some(cell) = port.link.poll_cell()
            {
                self.cell.clear();
                self.cell.extend_from_slice(cell);
                self.metrics.cells_out += 1;
                return Some(port.conn);
            }
            self.ticking = None;
            let id = self.wheel.pop(self.now)?;
            let Some(port) = self.ports.get_mut(id) else { continue };
            let due = port.link.next_tick();
            if due <= self.now {
                let late = self.now.since(due);
                self.metrics.tick(late);
                self.metrics.cells_late += u64::from(late >= port.link.shape().tick);
                port.link.tick(self.now);
                self.last_tick = (port.link.last_tick(), port.link.shape().tick);
                self.ticking = Some(id);
            }
            let next = port.link.next_tick();
            self.wheel.insert(id, next);
        }
    }

    /// A cell arrived.
    fn cell(&mut self, conn: Conn, bytes: &[u8]) {
        if self.stopping.is_some() {
            return;
        }
        let Some(id) = self.ports.find(conn) else { return };
        let Some(port) = self.ports.get_mut(id) else { return };
        self.metrics.cells_in += 1;
        port.heard = self.now;
        match port.link.handle_cell(self.now, bytes) {
            Ok(()) => {}
            Err(LinkError::Length { .. }) => return self.fault(id, CloseReason::Shape),
            Err(LinkError::Exhausted) => return self.close(id, CloseReason::Replaced),
            Err(_) => return self.fault(id, CloseReason::Protocol),
        }
        while let Some(event) = self.ports.get_mut(id).and_then(|port| port.link.poll_event()) {
            match event {
                link::Event::Voice { leg, payload } => self.forward(id, leg, &payload),
                link::Event::Message(bytes) => self.message(id, &bytes),
            }
        }
    }

    fn message(&mut self, id: PortId, bytes: &[u8]) {
        let handled = match self.ports.get(id).map(|port| &port.role) {
            Some(Role::Line(_)) => LineUp::decode(bytes).map(|m| self.line_message(id, m)),
            Some(Role::Trunk(_)) => Trunk::decode(bytes).map(|m| self.trunk_message(id, m)),
            None => return,
        };
        if handled.is_err() {
            self.fault(id, CloseReason::Protocol);
        }
    }

    fn fire(&mut self, timer: Timer) {
        match timer {
            Timer::Silent(id) => self.close(id, CloseReason::Silent),
            Timer::Linger(id) => self.close(id, CloseReason::Refused),
            Timer::RingOut(call) => self.ring_out(call),
            Timer::Redeem(id) => self.redeem_timeout(id),
            Timer::Answer(number) => self.answer(number),
            Timer::Dial(peer) => self.dial(&peer),
            Timer::Test(peer) => self.start_test(&peer),
            Timer::TestStep(call) => self.step_test(call),
            Timer::StoreAgain => self.store.resume(),
            Timer::Stop => self.stop(),
        }
    }

    fn stored(&mut self, batch: u64) -> Result<(), InputError> {
        let failing = self.store.failing();
        let afters = self.store.stored(batch).ok_or(InputError::NoSuchBatch)?;
        if failing {
            self.event(Event::StoreWorks);
        }
        for after in afters {
            self.after(after);
        }
        Ok(())
    }

    fn store_failed(&mut self, batch: u64) -> Result<(), InputError> {
        let keep = |after: &After| !after.can_be_asked_again();
        let told = self.store.failed(batch, keep).ok_or(InputError::NoSuchBatch)?;
        self.metrics.store_failed += 1;
        self.event(Event::StoreFailed);
        self.timers.set(self.now + limits::STORE_AGAIN, Timer::StoreAgain);
        for after in told {
            self.not_stored(after);
        }
        Ok(())
    }

    // ---- what the parts use --------------------------------------------------------------------

    /// A new link in a port, ticking from a random millisecond on.
    pub(crate) fn plug(&mut self, conn: Conn, shape: link::Shape, role: Role) -> PortId {
        let period = u64::try_from(shape.tick.as_millis()).unwrap_or(1).max(1);
        let phase = u64::from(self.rng.next_u32()) % period;
        let first = Time((self.now.0 / 1_000 + 1 + phase) * 1_000);
        let link = Link::new(shape, first);
        let legs = Default::default();
        let id = self.ports.insert(Port { conn, link, legs, role, heard: self.now, timer: None });
        self.wheel.insert(id, first);
        id
    }

    /// Says something to a handset. A line that takes nothing any more is closed.
    pub(crate) fn tell(&mut self, id: PortId, message: &LineDown) {
        let channel = match message {
            LineDown::Posted { .. }
            | LineDown::NotPosted { .. }
            | LineDown::Withheld { .. }
            | LineDown::Deliver { .. }
            | LineDown::Aside { .. }
            | LineDown::Done { .. }
            | LineDown::Failed { .. }
            | LineDown::Offer { .. }
            | LineDown::Order { .. }
            | LineDown::Recorded { .. } => Channel::Bulk,
            _ => Channel::Signal,
        };
        if !self.queue(id, channel, &message.encode()) {
            self.close(id, CloseReason::Slow);
        }
    }

    /// Says something to another exchange. A trunk that takes nothing any more is closed.
    pub(crate) fn say(&mut self, id: PortId, message: &Trunk) {
        if !self.try_say(id, message) {
            self.close(id, CloseReason::Slow);
        }
    }

    /// The same; `false` if there is no room.
    pub(crate) fn try_say(&mut self, id: PortId, message: &Trunk) -> bool {
        let channel = match message {
            Trunk::Mail { .. }
            | Trunk::MailAck { .. }
            | Trunk::Redeem { .. }
            | Trunk::Redeemed { .. } => Channel::Bulk,
            _ => Channel::Signal,
        };
        self.queue(id, channel, &message.encode())
    }

    fn queue(&mut self, id: PortId, channel: Channel, bytes: &[u8]) -> bool {
        self.ports.get_mut(id).is_none_or(|port| port.link.queue(channel, bytes).is_ok())
    }

    pub(crate) fn event(&mut self, event: Event) {
        self.out.push_back(Out::Event(event));
    }

    pub(crate) fn reply(&mut self, id: u64, reply: Reply) {
        self.out.push_back(Out::Reply(id, reply));
    }

    pub(crate) fn ask_dial(&mut self, peer: ExchangeRef) {
        self.out.push_back(Out::Dial(peer));
    }

    /// Refuses a connection that has no port.
    pub(crate) fn reject(&mut self, conn: Conn, reason: CloseReason) {
        self.out.push_back(Out::Close(conn, reason));
        self.event(Event::Closed(reason));
    }

    /// Closes a link whose other end broke the protocol.
    pub(crate) fn fault(&mut self, id: PortId, reason: CloseReason) {
        self.metrics.protocol_errors += 1;
        self.close(id, reason);
    }

    /// Closes a link.
    pub(crate) fn close(&mut self, id: PortId, reason: CloseReason) {
        let Some(port) = self.ports.get(id) else { return };
        self.reject(port.conn, reason);
        self.down(id);
    }

    /// A link is gone.
    fn down(&mut self, id: PortId) {
        self.legs_down(id);
        let Some(port) = self.ports.remove(id) else { return };
        if let Some(at) = port.timer {
            self.timers.clear(at, Timer::Silent(id));
            self.timers.clear(at, Timer::Linger(id));
        }
        match port.role {
            Role::Line(line) => self.line_down(id, &line),
            Role::Trunk(trunk) => self.trunk_down(id, &trunk),
        }
    }

    /// Whether trunks with `peer` are made.
    pub(crate) fn listed(&self, peer: &ExchangePub) -> bool {
        match &self.config.trunks {
            TrunkPolicy::Open => true,
            TrunkPolicy::Listed(list) => list.contains(peer),
        }
    }

    pub(crate) fn random_id(&mut self) -> MailId {
        let mut id = [0; 16];
        self.rng.fill_bytes(&mut id);
        MailId(id)
    }

    /// Whether the disk takes writes.
    #[must_use]
    pub fn store_works(&self) -> bool {
        self.store.works()
    }

    /// All figures, gauges as of now.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        let mut m = self.metrics.clone();
        let count = |n: usize| n as u64;
        for port in self.ports.iter() {
            m.legs += count(port.legs.len());
            match &port.role {
                Role::Line(line) => match line.phase {
                    Phase::Attached(_) => m.lines_attached += 1,
                    _ => m.lines_strange += 1,
                },
                Role::Trunk(trunk) => m.trunks_up += u64::from(trunk.ready),
            }
        }
        m.lines_enrolled = count(self.lines.len());
        m.peers = count(self.peers.len());
        m.addresses = count(self.addresses.len());
        m.mail_waiting = self.principals.values().map(|p| count(p.mail.len())).sum();
        m.mail_outbox = count(self.outbox.len());
        m.trunks_failing =
            self.peers.values().map(|p| u64::from(p.tests.failing().is_some())).sum();
        m.record_entries = self.record.frontier.size();
        m
    }

    /// Voice paths of one trunk.
    #[must_use]
    pub fn trunk_capacity(&self) -> usize {
        trunks::capacity(&self.config)
    }
}
