//! The harness.
//!
//! ```text
//!   Phone ══ cells, 1 ms ══ Office{Exchange, rows} ══ cells, 5 ms ══ Office ══ Phone
//! ```

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use link::{Channel, Link, Shape};
use seal::office::{ExchangeKey, LineKey};
use seal::pairwise::PairwiseKey;
use wire::limits::{VERSION, VOICE_LEN};
use wire::line::{LineDown, LineUp};
use wire::rows::{Change, Row};
use wire::trunk::Trunk;
use wire::{
    Address, Blob, Envelope, ExchangePub, ExchangeRef, Hours, Leg, LinePub, MailId, Nonce,
    PairwisePub, Text, Time, Token, Wall,
};

use crate::rows::MARK;
use crate::{
    CloseReason, Command, Config, Conn, Event, Exchange, Input, OfficeRule, Output, Reply,
    SourceId, TrunkPolicy,
};

pub(super) const LINE_DELAY: u64 = 1_000;
pub(super) const TRUNK_DELAY: u64 = 5_000;
pub(super) const DISK_DELAY: u64 = 2_000;
/// From a batch to death: whoever is told too early hears it before that.
const DEATH_DELAY: u64 = 150_000;

/// What the disk of an office does with a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Disk {
    Writes,
    /// It takes longer where there is something to write than where only a mark is.
    Tells,
    Fails,
    /// The process dies some time after this batch was asked for; the flag says whether it was written.
    Dies {
        at: u64,
        written: bool,
    },
}

pub(super) struct Office {
    pub(super) exchange: Option<Exchange>,
    pub(super) key: ExchangePub,
    pub(super) config: Config,
    pub(super) rows: BTreeMap<(u8, Vec<u8>), Vec<u8>>,
    pub(super) disk: Disk,
    pub(super) batches: u64,
    pub(super) batch_shapes: Vec<Vec<(u8, usize)>>,
    pub(super) replies: Vec<(u64, Reply)>,
    pub(super) events: Vec<Event>,
    pub(super) closed: Vec<CloseReason>,
    pub(super) dials: usize,
    /// Nobody can dial it, and it dials nobody.
    pub(super) cut_off: bool,
    timeout: Time,
}

pub(super) struct Phone {
    pub(super) office: usize,
    pub(super) key: LineKey,
    pub(super) link: Option<Link>,
    pub(super) conn: Conn,
    /// Answers challenges by attaching, or by enrolling with this token.
    pub(super) token: Option<Token>,
    pub(super) silent: bool,
    pub(super) acks_mail: bool,
    pub(super) inbox: VecDeque<LineDown>,
    pub(super) heard: Vec<(Time, Leg, u8)>,
    pub(super) cells: Vec<(Time, usize)>,
    pub(super) mail: Vec<(u64, Address, Vec<u8>)>,
    pub(super) posted: Vec<MailId>,
    pub(super) closed: Option<CloseReason>,
    /// This voice goes out on this leg with every tick.
    pub(super) talks: Option<(Leg, u8)>,
    /// Declines whatever rings, at once.
    pub(super) declines: bool,
}

/// The other end of a trunk to office 0, which says what the test likes.
pub(super) struct Prober {
    pub(super) link: Link,
    pub(super) conn: Conn,
    /// What came, and when.
    pub(super) got: Vec<(Time, Trunk)>,
    /// When cells came, and how long they were.
    pub(super) cells: Vec<(Time, usize)>,
}

enum Far {
    Phone(usize),
    Office(usize, Conn),
    Prober(usize),
}

enum Happening {
    ToOffice { office: usize, conn: Conn, cell: Vec<u8> },
    ToPhone { phone: usize, conn: Conn, cell: Vec<u8> },
    ToProber { prober: usize, cell: Vec<u8> },
    Stored { office: usize, batch: u64, changes: Vec<Change> },
    Dies { office: usize, changes: Vec<Change> },
    Dialled { office: usize, peer: ExchangeRef },
}

pub(super) struct World {
    pub(super) now: Time,
    pub(super) wall: Wall,
    pub(super) offices: Vec<Office>,
    pub(super) phones: Vec<Phone>,
    pub(super) probers: Vec<Prober>,
    wires: BTreeMap<(usize, Conn), Far>,
    queue: BTreeMap<(Time, u64), Happening>,
    pub(super) sequence: u64,
    /// Every trunk cell: when, from which office, how long.
    pub(super) trunk_cells: Vec<(Time, usize, usize)>,
}

/// Signs the record of an office.
pub(super) fn signer(office: usize) -> ExchangeKey {
    ExchangeKey::from_bytes(&[200 + office as u8; 32])
}

pub(super) fn key(seed: u8) -> PairwiseKey {
    PairwiseKey::from_bytes(&[seed; 32])
}

pub(super) fn public(key: &PairwiseKey) -> PairwisePub {
    key.public()
}

pub(super) fn address(n: u8) -> Address {
    Address([n; 16])
}

pub(super) fn text<const N: usize>(s: &str) -> Text<N> {
    Text::new(s).unwrap()
}

pub(super) fn blob<const N: usize>(bytes: &[u8]) -> Blob<N> {
    Blob::new(bytes.to_vec()).unwrap()
}

pub(super) fn envelope(to: u8, by: &PairwiseKey, counter: u64, body: &[u8]) -> Envelope {
    Envelope {
        address: address(to),
        device: 0,
        counter,
        signature: by.sign(&address(to), 0, counter, body),
        body: blob(body),
    }
}

impl World {
    /// `n` offices, numbered from 0, with nobody in them.
    pub(super) fn new(n: u8) -> World {
        let mut world = World {
            now: Time(1_000_000),
            wall: Wall(1_000_000),
            offices: Vec::new(),
            phones: Vec::new(),
            probers: Vec::new(),
            wires: BTreeMap::new(),
            queue: BTreeMap::new(),
            sequence: 0,
            trunk_cells: Vec::new(),
        };
        for i in 0..n {
            let config = Config {
                office: text(&format!("office {i}")),
                host: text(&format!("office{i}.example:4433")),
                trunks: TrunkPolicy::Open,
                trunk_cells: 1,
                line_test: None,
            };
            world.offices.push(Office {
                exchange: None,
                key: ExchangePub([100 + i; 32]),
                config,
                rows: BTreeMap::new(),
                disk: Disk::Writes,
                batches: 0,
                batch_shapes: Vec::new(),
                replies: Vec::new(),
                events: Vec::new(),
                closed: Vec::new(),
                dials: 0,
                cut_off: false,
                timeout: Time::NEVER,
            });
            world.start(usize::from(i));
        }
        world
    }

    /// Starts the exchange of `office` from what is on its disk.
    pub(super) fn start(&mut self, office: usize) {
        let o = &mut self.offices[office];
        let rows = o
            .rows
            .iter()
            .map(|((space, key), value)| Row {
                space: *space,
                key: key.clone(),
                value: value.clone(),
            })
            .collect();
        self.sequence += 1;
        let seed = [office as u8 ^ self.sequence as u8; 32];
        let mut exchange =
            Exchange::new(o.config.clone(), o.key, seed, rows, self.now, self.wall).unwrap();
        exchange.keep_record(signer(office));
        o.exchange = Some(exchange);
        self.input(office, Input::Tick);
    }

    /// SIGKILL.
    pub(super) fn kill(&mut self, office: usize) {
        self.offices[office].exchange = None;
        self.offices[office].timeout = Time::NEVER;
        let wires: Vec<_> = self.wires.keys().filter(|(o, _)| *o == office).copied().collect();
        for (_, conn) in wires {
            self.unplug(office, conn);
        }
        self.queue.retain(|_, h| !matches!(h, Happening::Stored { office: o, .. } if *o == office));
    }

    pub(super) fn reference(&self, office: usize) -> ExchangeRef {
        ExchangeRef {
            key: self.offices[office].key,
            host: self.offices[office].config.host.clone(),
        }
    }

    pub(super) fn exchange(&self, office: usize) -> &Exchange {
        self.offices[office].exchange.as_ref().unwrap()
    }

    /// A handset of `office` with line key `seed`; not connected.
    pub(super) fn add_phone(&mut self, office: usize, seed: u8) -> usize {
        self.phones.push(Phone {
            office,
            key: LineKey::from_bytes(&[seed; 32]),
            link: None,
            conn: Conn(0),
            token: None,
            silent: false,
            acks_mail: true,
            inbox: VecDeque::new(),
            heard: Vec::new(),
            cells: Vec::new(),
            mail: Vec::new(),
            posted: Vec::new(),
            closed: None,
            talks: None,
            declines: false,
        });
        self.phones.len() - 1
    }

    /// A handset of `principal`, enrolled and attached.
    pub(super) fn enrolled(&mut self, office: usize, principal: &str, seed: u8) -> usize {
        let token = Token([seed; 16]);
        self.command(
            office,
            u64::from(seed),
            Command::Enrol {
                principal: text(principal),
                token,
                expires: Wall(self.wall.0 + 3_600),
            },
        );
        self.run(50);
        let phone = self.add_phone(office, seed);
        self.phones[phone].token = Some(token);
        self.connect(phone);
        self.run(200);
        assert!(
            self.phones[phone].inbox.iter().any(|m| matches!(m, LineDown::Attached { .. })),
            "enrolled: {:?}",
            self.phones[phone].inbox
        );
        self.phones[phone].token = None;
        self.phones[phone].inbox.clear();
        phone
    }

    pub(super) fn connect(&mut self, phone: usize) {
        self.disconnect(phone);
        self.sequence += 1;
        let conn = Conn(self.sequence);
        let office = self.phones[phone].office;
        let p = &mut self.phones[phone];
        p.conn = conn;
        p.closed = None;
        p.link = Some(Link::new(Shape::OFFICE_HANDSET, Time(self.now.0 + 3_700)));
        self.wires.insert((office, conn), Far::Phone(phone));
        self.input(office, Input::LineUp { conn, source: SourceId(phone as u64) });
    }

    pub(super) fn disconnect(&mut self, phone: usize) {
        if self.phones[phone].link.is_some() {
            let (office, conn) = (self.phones[phone].office, self.phones[phone].conn);
            self.unplug(office, conn);
            self.input(office, Input::Down { conn });
        }
    }

    /// Cuts the trunk between two offices, at both ends.
    pub(super) fn cut(&mut self, a: usize, b: usize) {
        let wires: Vec<_> = self
            .wires
            .iter()
            .filter(|((o, _), far)| *o == a && matches!(far, Far::Office(other, _) if *other == b))
            .map(|(k, _)| *k)
            .collect();
        for (office, conn) in wires {
            self.unplug(office, conn);
            self.input(office, Input::Down { conn });
        }
    }

    /// A wire is gone: the far end notices.
    fn unplug(&mut self, office: usize, conn: Conn) {
        match self.wires.remove(&(office, conn)) {
            Some(Far::Phone(phone)) => self.phones[phone].link = None,
            Some(Far::Office(other, theirs)) => {
                self.wires.remove(&(other, theirs));
                self.input(other, Input::Down { conn: theirs });
            }
            Some(Far::Prober(_)) | None => {}
        }
    }

    pub(super) fn command(&mut self, office: usize, id: u64, command: Command) {
        self.input(office, Input::Command { id, command });
    }

    pub(super) fn input(&mut self, office: usize, input: Input<'_>) {
        let Some(exchange) = self.offices[office].exchange.as_mut() else { return };
        exchange.handle(self.now, self.wall, input).unwrap();
        self.drain(office);
    }

    fn later(&mut self, delay: u64, happening: Happening) {
        self.sequence += 1;
        self.queue.insert((Time(self.now.0 + delay), self.sequence), happening);
    }

    fn drain(&mut self, office: usize) {
        let mut closed = Vec::new();
        let mut later = Vec::new();
        let o = &mut self.offices[office];
        let Some(exchange) = o.exchange.as_mut() else { return };
        while let Some(output) = exchange.poll() {
            match output {
                Output::Transmit { conn, cell } => match self.wires.get(&(office, conn)) {
                    Some(Far::Phone(phone)) => later.push((
                        LINE_DELAY,
                        Happening::ToPhone { phone: *phone, conn, cell: cell.to_vec() },
                    )),
                    Some(Far::Office(other, theirs)) => {
                        self.trunk_cells.push((self.now, office, cell.len()));
                        later.push((
                            TRUNK_DELAY,
                            Happening::ToOffice {
                                office: *other,
                                conn: *theirs,
                                cell: cell.to_vec(),
                            },
                        ));
                    }
                    Some(Far::Prober(prober)) => later.push((
                        TRUNK_DELAY,
                        Happening::ToProber { prober: *prober, cell: cell.to_vec() },
                    )),
                    None => {}
                },
                Output::Close { conn, reason } => {
                    o.closed.push(reason);
                    closed.push((conn, reason));
                }
                Output::Dial { peer } => {
                    o.dials += 1;
                    later.push((TRUNK_DELAY, Happening::Dialled { office, peer }));
                }
                Output::Store { batch, changes } => {
                    o.batches += 1;
                    o.batch_shapes.push(
                        changes
                            .iter()
                            .map(|c| match c {
                                Change::Put(row) => (0, row.value.len()),
                                Change::Delete { .. } => (1, 0),
                            })
                            .collect(),
                    );
                    match o.disk {
                        Disk::Dies { at, written } if o.batches == at => {
                            let changes = if written { changes } else { Vec::new() };
                            later.push((DEATH_DELAY, Happening::Dies { office, changes }));
                        }
                        disk => {
                            let mark =
                                |c: &Change| matches!(c, Change::Put(row) if row.space == MARK);
                            let tells = disk == Disk::Tells && !changes.iter().any(mark);
                            let delay = if tells { 4 * DISK_DELAY } else { DISK_DELAY };
                            later.push((delay, Happening::Stored { office, batch, changes }));
                        }
                    }
                }
                Output::Event(event) => o.events.push(event),
                Output::Reply { id, reply } => o.replies.push((id, reply)),
                Output::Timeout(at) => o.timeout = at,
            }
        }
        for (delay, happening) in later {
            self.later(delay, happening);
        }
        for (conn, reason) in closed {
            if let Some(Far::Phone(phone)) = self.wires.get(&(office, conn)) {
                self.phones[*phone].closed = Some(reason);
            }
            self.unplug(office, conn);
        }
    }

    /// Lets `ms` milliseconds pass.
    pub(super) fn run(&mut self, ms: u64) {
        let end = self.now + Duration::from_millis(ms);
        loop {
            let offices = self.offices.iter().map(|o| o.timeout);
            let phones = self.phones.iter().filter_map(|p| p.link.as_ref()).map(Link::next_tick);
            let probers = self.probers.iter().map(|p| p.link.next_tick());
            let queued = self.queue.keys().next().map(|(at, _)| *at);
            let next = offices.chain(phones).chain(probers).chain(queued).min().unwrap_or(end);
            if next > end {
                break;
            }
            self.now = self.now.max(next);
            while self.queue.first_key_value().is_some_and(|((at, _), _)| *at <= self.now) {
                let (_, happening) = self.queue.pop_first().unwrap();
                self.happen(happening);
            }
            for office in 0..self.offices.len() {
                if self.offices[office].timeout <= self.now {
                    self.offices[office].timeout = Time::NEVER;
                    self.input(office, Input::Tick);
                }
            }
            for phone in 0..self.phones.len() {
                self.tick_phone(phone);
            }
            for prober in 0..self.probers.len() {
                self.tick_prober(prober);
            }
        }
        self.now = end;
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::ToOffice { office, conn, cell } => {
                if self.wires.contains_key(&(office, conn)) {
                    self.input(office, Input::Cell { conn, bytes: &cell });
                }
            }
            Happening::ToPhone { phone, conn, cell } => self.phone_cell(phone, conn, &cell),
            Happening::ToProber { prober, cell } => self.prober_cell(prober, &cell),
            Happening::Stored { office, batch, changes } => {
                if self.offices[office].disk == Disk::Fails {
                    self.input(office, Input::StoreFailed { batch });
                } else {
                    apply(&mut self.offices[office].rows, changes);
                    self.input(office, Input::Stored { batch });
                }
            }
            Happening::Dies { office, changes } => {
                apply(&mut self.offices[office].rows, changes);
                self.kill(office);
            }
            Happening::Dialled { office, peer } => {
                let other = self
                    .offices
                    .iter()
                    .position(|o| o.key == peer.key && o.config.host == peer.host);
                match other {
                    Some(other)
                        if self.offices[other].exchange.is_some()
                            && !self.offices[other].cut_off
                            && !self.offices[office].cut_off =>
                    {
                        self.plug_trunk(office, other);
                    }
                    _ => self.input(office, Input::DialFailed { peer: peer.key }),
                }
            }
        }
    }

    fn plug_trunk(&mut self, office: usize, other: usize) {
        self.sequence += 2;
        let (ours, theirs) = (Conn(self.sequence - 1), Conn(self.sequence));
        self.wires.insert((office, ours), Far::Office(other, theirs));
        self.wires.insert((other, theirs), Far::Office(office, ours));
        let (our_key, their_key) = (self.offices[office].key, self.offices[other].key);
        self.input(office, Input::TrunkUp { conn: ours, peer: their_key, dialled: true });
        if self.wires.contains_key(&(other, theirs)) {
            self.input(other, Input::TrunkUp { conn: theirs, peer: our_key, dialled: false });
        }
    }

    // ---- probers -------------------------------------------------------------------------------

    /// An exchange with key `n` dials office 0; the test is that exchange.
    pub(super) fn probe_from(&mut self, n: u8) -> usize {
        let conn = Conn(1 << 50 | u64::from(n));
        let link = Link::new(Shape::trunk(1), Time(self.now.0 + 500));
        self.probers.push(Prober { link, conn, got: Vec::new(), cells: Vec::new() });
        let prober = self.probers.len() - 1;
        self.wires.insert((0, conn), Far::Prober(prober));
        self.input(0, Input::TrunkUp { conn, peer: ExchangePub([n; 32]), dialled: false });
        self.probe(prober, &Trunk::Hello { version: VERSION, host: text("prober.example:1") });
        prober
    }

    /// A prober asks, or says, something.
    pub(super) fn probe(&mut self, prober: usize, message: &Trunk) {
        self.probers[prober].link.queue(Channel::Signal, &message.encode()).unwrap();
    }

    fn tick_prober(&mut self, prober: usize) {
        let (now, p) = (self.now, &mut self.probers[prober]);
        if p.link.next_tick() > now {
            return;
        }
        p.link.tick(now);
        let (conn, mut cells) = (p.conn, Vec::new());
        while let Some(cell) = p.link.poll_cell() {
            cells.push(cell.to_vec());
        }
        for cell in cells {
            self.later(TRUNK_DELAY, Happening::ToOffice { office: 0, conn, cell });
        }
    }

    fn prober_cell(&mut self, prober: usize, cell: &[u8]) {
        let now = self.now;
        let Some(p) = self.probers.get_mut(prober) else { return };
        p.cells.push((now, cell.len()));
        p.link.handle_cell(now, cell).unwrap();
        while let Some(event) = p.link.poll_event() {
            if let link::Event::Message(bytes) = event {
                p.got.push((now, Trunk::decode(&bytes).unwrap()));
            }
        }
    }

    // ---- handsets ------------------------------------------------------------------------------

    fn tick_phone(&mut self, phone: usize) {
        let now = self.now;
        let p = &mut self.phones[phone];
        let Some(link) = p.link.as_mut() else { return };
        if link.next_tick() > now {
            return;
        }
        if let Some((leg, voice)) = p.talks {
            link.queue_voice(leg, &[voice; VOICE_LEN]);
        }
        link.tick(now);
        let (office, conn) = (p.office, p.conn);
        let mut cells = Vec::new();
        while let Some(cell) = link.poll_cell() {
            cells.push(cell.to_vec());
        }
        for cell in cells {
            self.later(LINE_DELAY, Happening::ToOffice { office, conn, cell });
        }
    }

    fn phone_cell(&mut self, phone: usize, conn: Conn, cell: &[u8]) {
        let now = self.now;
        if self.phones[phone].conn != conn {
            return;
        }
        self.phones[phone].cells.push((now, cell.len()));
        let Some(link) = self.phones[phone].link.as_mut() else { return };
        link.handle_cell(now, cell).unwrap();
        loop {
            let Some(link) = self.phones[phone].link.as_mut() else { return };
            match link.poll_event() {
                None => return,
                Some(link::Event::Voice { leg, payload }) => {
                    self.phones[phone].heard.push((now, leg, payload[0]));
                }
                Some(link::Event::Message(bytes)) => {
                    self.phone_message(phone, LineDown::decode(&bytes).unwrap());
                }
            }
        }
    }

    fn phone_message(&mut self, phone: usize, message: LineDown) {
        match &message {
            LineDown::Challenge { nonce, .. } if !self.phones[phone].silent => {
                let answer = self.proof(phone, nonce);
                self.send(phone, &answer);
            }
            LineDown::Deliver { seq, address, body, .. } => {
                let seq = *seq;
                let p = &mut self.phones[phone];
                // A real handset throws away what it has already.
                if p.mail.iter().all(|(s, ..)| *s != seq) {
                    p.mail.push((seq, *address, body.as_bytes().to_vec()));
                }
                if p.acks_mail {
                    self.send(phone, &LineUp::Delivered { seq });
                }
            }
            LineDown::Posted { mail } => self.phones[phone].posted.push(*mail),
            LineDown::Incoming { leg, .. } if self.phones[phone].declines => {
                self.send(phone, &LineUp::Close { leg: *leg });
            }
            _ => {}
        }
        self.phones[phone].inbox.push_back(message);
    }

    pub(super) fn line(&self, phone: usize) -> LinePub {
        self.phones[phone].key.public()
    }

    pub(super) fn proof(&self, phone: usize, nonce: &Nonce) -> LineUp {
        let p = &self.phones[phone];
        let signature = p.key.answer(&self.offices[p.office].key, nonce);
        let (version, line) = (wire::limits::VERSION, self.line(phone));
        match p.token {
            Some(token) => LineUp::Enrol { version, token, line, signature },
            None => LineUp::Attach { version, line, signature },
        }
    }

    pub(super) fn send(&mut self, phone: usize, message: &LineUp) {
        let channel = match message {
            LineUp::Post { .. } | LineUp::Delivered { .. } => Channel::Bulk,
            _ => Channel::Signal,
        };
        if let Some(link) = self.phones[phone].link.as_mut() {
            link.queue(channel, &message.encode()).unwrap();
        }
    }

    /// Takes the first message that `pick` likes out of the inbox of `phone`.
    pub(super) fn expect<T>(&mut self, phone: usize, pick: impl Fn(&LineDown) -> Option<T>) -> T {
        let inbox = &mut self.phones[phone].inbox;
        let at = inbox.iter().position(|m| pick(m).is_some());
        let at = at.unwrap_or_else(|| panic!("phone {phone} has only {inbox:?}"));
        pick(&inbox.remove(at).unwrap()).unwrap()
    }

    pub(super) fn got(&self, phone: usize, pick: impl Fn(&LineDown) -> bool) -> bool {
        self.phones[phone].inbox.iter().any(pick)
    }

    /// Two contacts: `a` of office 0 and `b` of office 1, each with an address for the other: address 1
    /// belongs to `a`, address 2 to `b`; each is bound to the other's pairwise key 1 or 2.
    pub(super) fn contacts(&mut self) -> (usize, usize) {
        let a = self.enrolled(0, "anna", 11);
        let b = self.enrolled(1, "boris", 12);
        self.bind(a, 1, &key(2));
        self.bind(b, 2, &key(1));
        // The first mail brings the trunk up.
        let office = self.reference(1);
        self.post(a, 1, &office, envelope(2, &key(1), 1, b"hello"));
        self.run(1_500);
        assert_eq!(self.phones[b].mail.len(), 1);
        self.phones[a].inbox.clear();
        self.phones[b].inbox.clear();
        (a, b)
    }

    pub(super) fn bind(&mut self, phone: usize, n: u8, bound: &PairwiseKey) {
        let request = u32::from(n);
        self.send(
            phone,
            &LineUp::RegisterBound { request, address: address(n), bound: public(bound) },
        );
        self.run(200);
        self.expect(phone, |m| (*m == LineDown::Done { request }).then_some(()));
    }

    pub(super) fn post(&mut self, phone: usize, id: u8, office: &ExchangeRef, e: Envelope) {
        let mail = MailId([id; 16]);
        self.send(phone, &LineUp::Post { mail, exchange: office.clone(), envelope: e });
    }

    pub(super) fn open(&mut self, phone: usize, leg: u16, office: usize, e: Envelope) {
        let exchange = self.reference(office);
        self.send(phone, &LineUp::Open { leg: Leg(leg), exchange, envelope: e });
    }

    /// Two handsets call `address` of their own principal until all their legs are in use.
    pub(super) fn use_all_legs(&mut self, phones: [usize; 2], address: u8, key: &PairwiseKey) {
        let all = 2 * crate::limits::LEGS_PER_LINE as u64;
        for (counter, phone) in (1..).zip(phones.into_iter().cycle()) {
            if self.exchange(0).metrics().legs == all {
                break;
            }
            assert!(counter <= all, "legs stay free");
            self.open(phone, 2 * counter as u16 + 1, 0, envelope(address, key, counter, b""));
            self.run(300);
        }
    }

    /// The operator of office 0 makes a rule about a principal's lines: through staff, or in hours that are not now.
    pub(super) fn rule(&mut self, principal: &str, staff: bool) {
        let hours = (!staff).then(|| self.closed());
        let rule = OfficeRule { staff, hours, lifts: text("Ada, room 12") };
        self.set_rule(principal, Some(rule));
    }

    /// Hours that are not now.
    pub(super) fn closed(&self) -> Hours {
        let minute = u16::try_from(self.wall.0 % 86_400 / 60).unwrap();
        let from = (minute + 720) % 1_440;
        Hours::new(0x7f, from, (from + 60) % 1_440, 0).unwrap()
    }

    pub(super) fn set_rule(&mut self, principal: &str, rule: Option<OfficeRule>) {
        self.offices[0].replies.clear();
        self.command(0, 900, Command::SetRule { principal: text(principal), rule });
        self.run(50);
        assert_eq!(self.offices[0].replies, [(900, Reply::Done)]);
    }

    pub(super) fn incoming(&mut self, phone: usize) -> Leg {
        self.expect(phone, |m| match m {
            LineDown::Incoming { leg, .. } => Some(*leg),
            _ => None,
        })
    }
}

fn apply(rows: &mut BTreeMap<(u8, Vec<u8>), Vec<u8>>, changes: Vec<Change>) {
    for change in changes {
        match change {
            Change::Put(row) => {
                rows.insert((row.space, row.key), row.value);
            }
            Change::Delete { space, key } => {
                rows.remove(&(space, key));
            }
        }
    }
}
