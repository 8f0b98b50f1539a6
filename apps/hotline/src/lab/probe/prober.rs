//! Who asks: exchanges with keys of their own, each with a trunk to the one that is probed.
//!
//! ```text
//!  question ─► cell at the own tick ════► exchange ─ disk ─► answer ════► cell of its tick      answered after .. ms
//!  Open: never answered ─────► its next cells, against a tick of 10 ms                          they are off by .. ms
//! ```

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use link::{Channel, Link, Shape};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::RngCore;
use seal::pairwise::PairwiseKey;
use wire::limits::VERSION;
use wire::trunk::Trunk;
use wire::{Blob, Envelope, Leg, MailId, Text, Time};

use super::people::address;
use super::target::Target;
use super::tell::Block;
use super::{PATIENCE, STATES};
use crate::cli::Failure;
use crate::host::Clock;
use crate::net::{ConnId, Endpoint, Event, ExchangeIdentity, ExchangeKey, Limits, Peer, Role};

/// A trunk's tick.
const TICK: Duration = Duration::from_millis(10);
/// How many cells after an `Open` are looked at.
const AFTER: usize = 5;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// Ring the address.
    Open,
    /// Mail to the address.
    Mail,
    /// Redeem the address.
    Redeem,
}

impl Question {
    /// As it is printed.
    pub(super) fn name(self) -> &'static str {
        match self {
            Question::Open => "open",
            Question::Mail => "mail",
            Question::Redeem => "redeem",
        }
    }
}

/// Envelopes of all probers are counted together: they use one key.
static COUNTER: AtomicU64 = AtomicU64::new(1);

/// One exchange that asks.
pub(super) struct Prober {
    net: Endpoint,
    conn: ConnId,
    clock: Clock,
    link: Link,
    key: PairwiseKey,
    rng: ChaCha20Rng,
    leg: u16,
    answers: Vec<(Instant, Trunk)>,
    cells: Vec<Instant>,
    /// When the latest tick's cell went out.
    sent: Instant,
}

impl Prober {
    /// Dials the exchange. `key` signs what it asks.
    pub(super) fn dial(
        target: &Target,
        key: PairwiseKey,
        rng: ChaCha20Rng,
    ) -> Result<Prober, Failure> {
        let identity = ExchangeIdentity::from_seed(&crate::host::seed()?)?;
        let any = std::net::SocketAddr::new(std::net::Ipv4Addr::LOCALHOST.into(), 0);
        let role = Role::Trunk { identity: &identity };
        let mut net = Endpoint::bind(any, role, Limits::default(), crate::host::seed()?)?;
        let peer = Peer::Trunk(ExchangeKey(target.key.0));
        let conn = net.connect(Instant::now(), target.trunk, peer)?;
        let (clock, link) = (Clock::start(), Link::new(Shape::trunk(1), Time::NEVER));
        let (answers, cells) = (Vec::new(), Vec::new());
        let (leg, sent) = (1, Instant::now());
        let mut prober = Prober { net, conn, clock, link, key, rng, leg, answers, cells, sent };
        let host = Text::new("127.0.0.1:1")?;
        let came = |p: &Prober| p.answers.iter().any(|(_, m)| matches!(m, Trunk::Hello { .. }));
        prober.until(|p| p.link.next_tick() != Time::NEVER)?;
        prober.link.queue(Channel::Signal, &Trunk::Hello { version: VERSION, host }.encode())?;
        prober.until(came)?;
        Ok(prober)
    }

    /// Asks about each state once, in random order; the times in order of states, in ms.
    pub(super) fn block(&mut self, question: Question) -> Result<Block, Failure> {
        let mut order: Vec<usize> = (0..STATES.len()).collect();
        for i in (1..order.len()).rev() {
            let j = ((u64::from(self.rng.next_u32()) * (i as u64 + 1)) >> 32) as usize;
            order.swap(i, j);
        }
        let mut times = vec![0.0; STATES.len()];
        for state in order {
            times[state] = self.ask(question, state)?.as_secs_f64() * 1_000.0;
            // The next one does not begin where this one ended.
            let pause = Duration::from_micros(u64::from(self.rng.next_u32() % 10_000));
            self.run_for(pause)?;
        }
        Ok(times)
    }

    fn envelope(&self, state: usize) -> Result<Envelope, Failure> {
        let (address, body) = (address(state), vec![7; 300]);
        let counter = COUNTER.fetch_add(1, Ordering::Relaxed);
        let signature = self.key.sign(&address, 0, counter, &body);
        Ok(Envelope { address, device: 0, counter, signature, body: Blob::new(body)? })
    }

    fn ask(&mut self, question: Question, state: usize) -> Result<Duration, Failure> {
        self.answers.clear();
        let number = self.rng.next_u32();
        let mut mail = MailId([0; 16]);
        self.rng.fill_bytes(&mut mail.0);
        let message = match question {
            Question::Open => Trunk::Open { leg: Leg(self.leg), envelope: self.envelope(state)? },
            Question::Mail => Trunk::Mail { mail, envelope: self.envelope(state)? },
            Question::Redeem => {
                Trunk::Redeem { request: number, address: address(state), bound: self.key.public() }
            }
        };
        self.link.queue(Channel::Signal, &message.encode())?;
        // It leaves with the next tick.
        let tick = self.link.next_tick();
        self.until(|p| p.link.next_tick() != tick)?;
        let sent = self.sent;
        if question == Question::Open {
            self.cells.retain(|at| *at >= sent);
            self.until(|p| p.cells.len() > AFTER)?;
            let gaps = self.cells.windows(2).map(|pair| pair[1] - pair[0]);
            let off = gaps.map(|gap| gap.abs_diff(TICK)).sum();
            let leg = Leg(self.leg);
            self.leg = self.leg.wrapping_add(2);
            self.link.queue(Channel::Signal, &Trunk::Close { leg }.encode())?;
            return Ok(off);
        }
        let mut at = None;
        self.until(|p| {
            at = p.answers.iter().find_map(|(at, m)| match m {
                Trunk::MailAck { mail: it } if *it == mail => Some(*at),
                Trunk::Redeemed { request, .. } if *request == number => Some(*at),
                _ => None,
            });
            at.is_some()
        })?;
        Ok(at.map_or(Duration::ZERO, |at| at.saturating_duration_since(sent)))
    }

    fn until(&mut self, mut so: impl FnMut(&Prober) -> bool) -> Result<(), Failure> {
        let start = Instant::now();
        while !so(self) {
            if start.elapsed() > PATIENCE {
                return Err("the exchange did not answer in time".into());
            }
            self.turn()?;
        }
        Ok(())
    }

    fn run_for(&mut self, time: Duration) -> Result<(), Failure> {
        let start = Instant::now();
        while start.elapsed() < time {
            self.turn()?;
        }
        Ok(())
    }

    fn turn(&mut self) -> Result<(), Failure> {
        let now = self.clock.now();
        if self.link.next_tick() <= now {
            self.link.tick(now);
            while let Some(cell) = self.link.poll_cell() {
                self.net.send(Instant::now(), self.conn, cell)?;
            }
            self.sent = Instant::now();
            self.net.flush();
        }
        let next = self.link.next_tick().min(now + Duration::from_millis(10));
        let deadline = self.clock.instant(next);
        let (link, clock, cells) = (&mut self.link, &self.clock, &mut self.cells);
        let mut wrong = None;
        self.net.poll(deadline, |event| match event {
            Event::Connected { .. } => *link = Link::new(Shape::trunk(1), clock.now()),
            Event::Cell { cell, .. } => {
                cells.push(Instant::now());
                if link.next_tick() != Time::NEVER
                    && let Err(e) = link.handle_cell(clock.now(), cell)
                {
                    wrong = Some(e.to_string());
                }
            }
            Event::Closed { reason, .. } => wrong = Some(reason.to_string()),
        })?;
        if let Some(wrong) = wrong {
            return Err(wrong.into());
        }
        let at = self.cells.last().copied().unwrap_or(self.sent);
        while let Some(event) = self.link.poll_event() {
            if let link::Event::Message(bytes) = event {
                self.answers.push((at, Trunk::decode(&bytes)?));
            }
        }
        Ok(())
    }
}
