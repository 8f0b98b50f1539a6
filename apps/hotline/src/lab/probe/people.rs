//! Those whose addresses are asked about: handsets reduced to what an exchange sees of them, each in its state.
//!
//! ```text
//!  anna    unknown (never registered), revoked, expired, used          her handset is on
//!  quentin offline: has an address, and his handset is off
//!  rosa    busy: all legs of her line are in use
//!  sergei  declining: his handset closes whatever rings, at once
//!  tamara  ruled: by the office's rule no call of another office rings at her handset, which is on
//! ```

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use exchange::limits;
use link::{Channel, Link, Shape};
use rand_chacha::ChaCha20Rng;
use seal::office::LineKey;
use seal::pairwise::PairwiseKey;
use wire::limits::VERSION;
use wire::line::{LineDown, LineUp};
use wire::{Address, Blob, EnrolLink, Envelope, ExchangeRef, Leg, PairwisePub, Time, Wall};

use super::STATES;
use super::target::Target;
use crate::cli::Failure;
use crate::host::Clock;
use crate::net::{ConnId, Endpoint, Event, ExchangeKey, Limits, Peer, Role};

/// Who they are, in order of their lines.
pub(super) const PEOPLE: [&str; 6] = ["Anna", "Bertrand", "Quentin", "Rosa", "Sergei", RULED];
/// About whose lines the office has a rule.
pub(super) const RULED: &str = "Tamara";
const ANNA: usize = 0;
/// Anna's card was redeemed by him.
const BERTRAND: usize = 1;
const QUENTIN: usize = 2;
const ROSA: usize = 3;
const SERGEI: usize = 4;
const TAMARA: usize = 5;
/// Legs of one line.
const LEGS: u16 = limits::LEGS_PER_LINE as u16;

/// The address of a state; an unknown one is nobody's.
pub(super) fn address(state: usize) -> Address {
    Address([100 + state as u8; 16])
}

struct Line {
    conn: ConnId,
    link: Link,
    key: LineKey,
    enrol: EnrolLink,
    inbox: VecDeque<LineDown>,
}

/// All lines, on one socket.
pub(super) struct People {
    net: Endpoint,
    clock: Clock,
    lines: Vec<Line>,
    own: ExchangeRef,
}

impl People {
    /// Connects them, lets them enrol, and brings each address into its state. `contact`: to whom the addresses
    /// of those are bound who have a contact.
    pub(super) fn settle(
        target: &Target,
        contact: PairwisePub,
        rng: &mut ChaCha20Rng,
    ) -> Result<People, Failure> {
        let any = std::net::SocketAddr::new(std::net::Ipv4Addr::LOCALHOST.into(), 0);
        let mut net = Endpoint::bind(any, Role::Handset, Limits::default(), crate::host::seed()?)?;
        let clock = Clock::start();
        let mut lines = Vec::new();
        for enrol in &target.links {
            let peer = Peer::Line(ExchangeKey(target.key.0));
            let conn = net.connect(Instant::now(), target.line, peer)?;
            lines.push(Line {
                conn,
                link: Link::new(Shape::OFFICE_HANDSET, Time::NEVER),
                key: LineKey::generate(rng),
                enrol: enrol.clone(),
                inbox: VecDeque::new(),
            });
        }
        let host = wire::Text::new(target.trunk.to_string())?;
        let own = ExchangeRef { key: target.key, host };
        let mut people = People { net, clock, lines, own };
        for line in 0..people.lines.len() {
            people.hear(line, |m| matches!(m, LineDown::Attached { .. }))?;
        }
        people.set_up(contact)?;
        Ok(people)
    }

    fn set_up(&mut self, contact: PairwisePub) -> Result<(), Failure> {
        let now = self.clock.wall();
        let [revoked, expired, used, offline, busy, declining, ruled] =
            ["revoked", "expired", "used", "offline", "busy", "declining", "ruled"]
                .map(|name| STATES.iter().position(|s| *s == name).unwrap_or(0));
        for (line, state) in [
            (ANNA, revoked),
            (QUENTIN, offline),
            (ROSA, busy),
            (SERGEI, declining),
            (TAMARA, ruled),
        ] {
            let (request, address) = (1, address(state));
            self.ask(line, &LineUp::RegisterBound { request, address, bound: contact })?;
        }
        self.ask(ANNA, &LineUp::Revoke { request: 2, address: address(revoked) })?;
        for (state, expiry) in [(expired, Wall(now.0 - 1)), (used, Wall(now.0 + 3_600))] {
            let (address, offer) = (address(state), Blob::new(vec![5; 2_700])?);
            self.ask(ANNA, &LineUp::RegisterOpen { request: 3, address, expiry, offer })?;
        }
        let bound = PairwiseKey::from_bytes(&[77; 32]).public();
        let (exchange, address) = (self.own.clone(), address(used));
        self.say(BERTRAND, &LineUp::Redeem { request: 4, exchange, address, bound })?;
        self.hear(BERTRAND, |m| matches!(m, LineDown::Offer { .. }))?;
        // No faster than a line may.
        let exchange::Rate { every, burst } = limits::OPENS_PER_LINE;
        for n in 0..LEGS {
            if u32::from(n) >= burst {
                self.turn_for(every)?;
            }
            self.occupy(Leg(2 * n + 1))?;
        }
        self.net.close(Instant::now(), self.lines[QUENTIN].conn, 0);
        self.lines[QUENTIN].link = Link::new(Shape::OFFICE_HANDSET, Time::NEVER);
        self.turn_for(Duration::from_millis(500))
    }

    /// Rosa calls where nobody is, until her line has no leg left.
    fn occupy(&mut self, leg: Leg) -> Result<(), Failure> {
        let (address, body) = (Address([9; 16]), vec![7; 300]);
        let signature = PairwiseKey::from_bytes(&[78; 32]).sign(&address, 0, 1, &body);
        let body = Blob::new(body)?;
        let envelope = Envelope { address, device: 0, counter: 1, signature, body };
        let exchange = self.own.clone();
        self.say(ROSA, &LineUp::Open { leg, exchange, envelope })
    }

    fn say(&mut self, line: usize, message: &LineUp) -> Result<(), Failure> {
        Ok(self.lines[line].link.queue(Channel::Signal, &message.encode())?)
    }

    /// Asks for something, and waits until it is done.
    fn ask(&mut self, line: usize, message: &LineUp) -> Result<(), Failure> {
        self.say(line, message)?;
        self.hear(line, |m| matches!(m, LineDown::Done { .. }))
    }

    fn hear(&mut self, line: usize, wanted: impl Fn(&LineDown) -> bool) -> Result<(), Failure> {
        let start = Instant::now();
        while start.elapsed() < super::PATIENCE {
            if let Some(at) = self.lines[line].inbox.iter().position(&wanted) {
                self.lines[line].inbox.remove(at);
                return Ok(());
            }
            self.turn()?;
        }
        Err("the exchange did not do what its handsets asked for in time".into())
    }

    fn turn_for(&mut self, time: Duration) -> Result<(), Failure> {
        let start = Instant::now();
        while start.elapsed() < time {
            self.turn()?;
        }
        Ok(())
    }

    /// Sends what is due, and takes what came.
    pub(super) fn turn(&mut self) -> Result<(), Failure> {
        let now = self.clock.now();
        for line in &mut self.lines {
            if line.link.next_tick() <= now {
                line.link.tick(now);
                while let Some(cell) = line.link.poll_cell() {
                    // A line that is gone shows by its silence.
                    let _ = self.net.send(Instant::now(), line.conn, cell);
                }
            }
        }
        self.net.flush();
        let next = self.lines.iter().map(|l| l.link.next_tick()).min().unwrap_or(now);
        let deadline = self.clock.instant(next.min(now + Duration::from_millis(10)));
        let (lines, clock) = (&mut self.lines, &self.clock);
        let mut wrong = None;
        self.net.poll(deadline, |event| match event {
            Event::Connected { conn, .. } => {
                if let Some(line) = lines.iter_mut().find(|l| l.conn == conn) {
                    line.link = Link::new(Shape::OFFICE_HANDSET, clock.now());
                }
            }
            Event::Cell { conn, cell } => {
                if let Some(line) = lines.iter_mut().find(|l| l.conn == conn)
                    && line.link.next_tick() != Time::NEVER
                    && let Err(e) = line.link.handle_cell(clock.now(), cell)
                {
                    wrong = Some(e.to_string());
                }
            }
            Event::Closed { reason, .. } => wrong = Some(reason.to_string()),
        })?;
        if let Some(wrong) = wrong {
            return Err(wrong.into());
        }
        for line in 0..self.lines.len() {
            while let Some(event) = self.lines[line].link.poll_event() {
                if let link::Event::Message(bytes) = event {
                    self.answer(line, LineDown::decode(&bytes)?)?;
                }
            }
        }
        Ok(())
    }

    fn answer(&mut self, n: usize, message: LineDown) -> Result<(), Failure> {
        let line = &self.lines[n];
        let answer = match &message {
            LineDown::Challenge { nonce, .. } => LineUp::Enrol {
                version: VERSION,
                token: line.enrol.token,
                line: line.key.public(),
                signature: line.key.answer(&line.enrol.exchange, nonce),
            },
            LineDown::Deliver { seq, .. } => LineUp::Delivered { seq: *seq },
            LineDown::Incoming { leg, .. } => LineUp::Close { leg: *leg },
            // After two minutes nobody has answered Rosa: she calls again.
            LineDown::Closed { leg, .. } if n == ROSA => {
                let again = Leg(leg.0.wrapping_add(2 * LEGS));
                self.say(n, &LineUp::Close { leg: *leg })?;
                return self.occupy(again);
            }
            LineDown::Closed { .. } | LineDown::Withheld { .. } => return Ok(()),
            _ => {
                self.lines[n].inbox.push_back(message);
                return Ok(());
            }
        };
        self.say(n, &answer)
    }
}
