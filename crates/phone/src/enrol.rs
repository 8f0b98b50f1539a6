//! The line to the own exchange: enrolling once, attaching each time, keeping it up.
//!
//! ```text
//!  Off ── Enrol ──► Waiting ── Connect ──► Connecting ── LinkUp ──► Up: Challenge ──► Attach ──► attached
//!                      ▲  0.5 s, 1 s, .. 30 s                          │                 │
//!                      └─────────────── LinkDown, Refused ◄────────────┴─────────────────┘
//! ```
//!
//! A handset that was killed after its enrolment reached the exchange, and before it heard of it, enrols
//! again: its line is known there, and attached.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use link::{Channel, Event as LinkEvent, Link, Shape};
use rand_core::RngCore as _;
use wire::enrol::EnrolLink;
use wire::limits::VERSION;
use wire::line::{LineDown, LineUp, Refusal};
use wire::{Nonce, Text, Time, Wall};

use crate::command::InputError;
use crate::event::{Event, Output};
use crate::machine::{Effect, Phone, Task};
use crate::watch::Tested;

/// First and longest wait before connecting again.
const AGAIN: Duration = Duration::from_millis(500);
const AGAIN_MAX: Duration = Duration::from_secs(30);
/// How long a connection may take to come up, and a line to be attached.
const UP_WITHIN: Duration = Duration::from_secs(15);
/// Wait after a refusal: only the operator can help.
const REFUSED: Duration = Duration::from_secs(60);
/// A line on which nothing comes for so long is dead: the exchange sends a cell every 20 ms.
const SILENT: Duration = Duration::from_secs(5);
/// A clock that differs by more is wrong. Seconds.
const CLOCK_OFF: u64 = 300;
/// Most messages that wait for room on the link.
const BACKLOG_MAX: usize = 4_096;

/// The line.
pub(crate) enum Line {
    /// Not enrolled.
    Off,
    /// Down; connected again at `at`.
    Waiting {
        at: Time,
        wait: Duration,
    },
    /// The host connects.
    Connecting {
        until: Time,
        wait: Duration,
    },
    Up(Box<Up>),
}

/// A line that is up.
pub(crate) struct Up {
    pub(crate) link: Link,
    pub(crate) attached: bool,
    heard: Time,
    since: Time,
    wait: Duration,
    pub(crate) next_leg: u16,
    pub(crate) next_request: u32,
    pub(crate) requests: BTreeMap<u32, Task>,
    pub(crate) posting: BTreeSet<u64>,
    backlog: VecDeque<(Channel, Vec<u8>)>,
}

impl Line {
    pub(crate) fn deadline(&self) -> Time {
        match self {
            Line::Off => Time::NEVER,
            Line::Waiting { at, .. } => *at,
            Line::Connecting { until, .. } => *until,
            Line::Up(up) => up.link.next_tick().min(up.heard + SILENT),
        }
    }

    /// Whether a word waits for its first cell.
    pub(crate) fn has_unsent(&self) -> bool {
        matches!(self, Line::Up(up) if up.link.unsent(Channel::Signal) > 0)
    }

    /// Control that has not reached the exchange. Bytes.
    pub(crate) fn waiting(&self) -> usize {
        match self {
            Line::Up(up) => up.link.backlog(Channel::Signal) + up.link.backlog(Channel::Bulk),
            _ => 0,
        }
    }
}

impl Phone {
    pub(crate) fn enrol(&mut self, link: EnrolLink) -> Result<(), InputError> {
        if self.own.host.is_some() {
            return Err(InputError::AlreadyEnrolled);
        }
        self.own.door = Some(link.host);
        self.own.exchange = Some(link.exchange);
        self.own.token = Some(link.token);
        self.save_own();
        // The operator's link vouches for the officer.
        self.record.row.officer = link.officer;
        self.save_record();
        self.take_down();
        self.line = Line::Off;
        self.after(Effect::Start);
        Ok(())
    }

    /// Connects at the next tick, if there is an exchange to connect to.
    pub(crate) fn start(&mut self) {
        if self.own.door.is_some() && matches!(self.line, Line::Off) {
            self.line = Line::Waiting { at: self.now, wait: AGAIN };
        }
    }

    /// Whether the exchange serves this line.
    pub(crate) fn attached(&self) -> bool {
        matches!(&self.line, Line::Up(up) if up.attached)
    }

    pub(crate) fn up(&mut self) -> Option<&mut Up> {
        match &mut self.line {
            Line::Up(up) if up.attached => Some(up),
            _ => None,
        }
    }

    pub(crate) fn link_up(&mut self) {
        let wait = match self.line {
            Line::Connecting { wait, .. } => wait,
            _ => return,
        };
        self.sessions += 1;
        // The phase of the clock comes from nowhere else.
        let phase = Duration::from_micros(u64::from(self.rng.next_u32() % 20_000));
        self.line = Line::Up(Box::new(Up {
            link: Link::new(Shape::OFFICE_HANDSET, self.now + phase),
            attached: false,
            heard: self.now,
            since: self.now,
            wait,
            next_leg: 1,
            next_request: 1,
            requests: BTreeMap::new(),
            posting: BTreeSet::new(),
            backlog: VecDeque::new(),
        }));
    }

    pub(crate) fn link_down(&mut self) {
        let (attached, wait) = match &self.line {
            Line::Up(up) => (up.attached, up.wait),
            Line::Connecting { wait, .. } => (false, *wait),
            Line::Off | Line::Waiting { .. } => return,
        };
        self.down_for(wait);
        if attached {
            self.tell(Event::LineDown);
            self.legs_lost();
        }
    }

    /// Waits for `wait`, give or take a quarter, so that a restarted exchange is not met by all at once.
    fn down_for(&mut self, wait: Duration) {
        let part = f64::from(self.rng.next_u32() % 1_000) / 2_000.0 + 0.75;
        self.sessions += 1;
        self.line =
            Line::Waiting { at: self.now + wait.mul_f64(part), wait: (wait * 2).min(AGAIN_MAX) };
    }

    /// Takes the line down from this side.
    pub(crate) fn take_down(&mut self) {
        if matches!(self.line, Line::Up(_) | Line::Connecting { .. }) {
            self.out.push_back(Output::Disconnect);
            self.link_down();
        }
    }

    pub(crate) fn line_tick(&mut self) {
        let now = self.now;
        match &mut self.line {
            Line::Off => {}
            Line::Waiting { at, wait } if *at <= now => {
                let wait = *wait;
                if let (Some(door), Some(exchange)) = (&self.own.door, self.own.exchange) {
                    let door = door.clone();
                    self.line = Line::Connecting { until: now + UP_WITHIN, wait };
                    self.out.push_back(Output::Connect { door, exchange });
                }
            }
            Line::Connecting { until, .. } if *until <= now => self.take_down(),
            Line::Waiting { .. } | Line::Connecting { .. } => {}
            Line::Up(up) => {
                let late = !up.attached && up.since + UP_WITHIN <= now;
                if late || up.heard + SILENT <= now {
                    return self.take_down();
                }
                if up.link.next_tick() <= now {
                    self.voice_tick();
                    self.link_tick();
                }
            }
        }
    }

    fn link_tick(&mut self) {
        let now = self.now;
        let Line::Up(up) = &mut self.line else { return };
        while let Some((channel, bytes)) = up.backlog.front() {
            if up.link.queue(*channel, bytes).is_err() {
                break;
            }
            up.backlog.pop_front();
        }
        up.link.tick(now);
        while let Some(cell) = up.link.poll_cell() {
            self.out.push_back(Output::Transmit(cell.to_vec()));
        }
        if up.link.next_tick() == Time::NEVER {
            self.take_down();
        }
    }

    /// Queues a message for the exchange.
    pub(crate) fn send(&mut self, channel: Channel, message: &LineUp) {
        let Line::Up(up) = &mut self.line else { return };
        let bytes = message.encode();
        let waits = up.backlog.iter().any(|(c, _)| *c == channel);
        if (waits || up.link.queue(channel, &bytes).is_err()) && up.backlog.len() < BACKLOG_MAX {
            up.backlog.push_back((channel, bytes));
        }
    }

    /// Queues a message for the exchange once what this step changes is on disk, in this session only.
    pub(crate) fn send_after(&mut self, channel: Channel, message: LineUp) {
        self.after(Effect::Send(self.sessions, channel, message));
    }

    pub(crate) fn cell(&mut self, cell: &[u8]) -> Result<(), InputError> {
        let now = self.now;
        let Line::Up(up) = &mut self.line else { return Ok(()) };
        up.heard = now;
        if let Err(error) = up.link.handle_cell(now, cell) {
            self.take_down();
            return Err(error.into());
        }
        loop {
            let Line::Up(up) = &mut self.line else { return Ok(()) };
            match up.link.poll_event() {
                None => return Ok(()),
                Some(LinkEvent::Voice { leg, payload }) => self.voice_frame(leg, &payload),
                Some(LinkEvent::Message(bytes)) => match LineDown::decode(&bytes) {
                    Ok(message) => self.line_message(message),
                    Err(error) => {
                        self.take_down();
                        return Err(error.into());
                    }
                },
            }
        }
    }

    fn line_message(&mut self, message: LineDown) {
        match message {
            LineDown::Challenge { version, nonce, wall } => self.challenge(version, nonce, wall),
            LineDown::Attached { office, principal, device, host } => {
                self.is_attached(office, principal, device, host);
            }
            LineDown::Refused { reason } => self.refused(reason),
            _ if !self.attached() => {}
            LineDown::Posted { mail } => self.posted(mail),
            LineDown::NotPosted { mail, reason } => self.not_posted(mail, reason),
            LineDown::Deliver { seq, address, at, body } => {
                self.looks_at(Some(seq));
                self.deliver(address, at, body.as_bytes());
                self.looks_at(None);
                // It acknowledges all mail before it, too.
                let delivered = LineUp::Delivered { seq };
                self.desk.after_all(Effect::Send(self.sessions, Channel::Bulk, delivered));
            }
            LineDown::Incoming { leg, address, at, body } => {
                self.incoming(leg, address, at, body.as_bytes());
            }
            LineDown::Aside { address, body } => self.heard_aside(address, body.as_bytes()),
            LineDown::Tested { exchange, at, verdict, failing, sent, lost, round_trip_us } => {
                let tested = Tested { at, verdict, failing, sent, lost, round_trip_us };
                self.tested(exchange, tested);
            }
            LineDown::Barred { leg, rule, lifts } => self.barred_there(leg, rule, lifts),
            LineDown::Withheld { seq, rule, lifts } => self.withheld(seq, rule, lifts),
            LineDown::Closed { leg, reason } => self.leg_closed(leg, reason),
            LineDown::LegData { leg, body } => self.leg_data(leg, body.as_bytes()),
            LineDown::Order { order } => self.ordered(order.as_bytes()),
            LineDown::Recorded { request, size, root, signature, proof } => {
                self.recorded(request, size, root, signature, &proof);
            }
            LineDown::Done { request } => self.answered(request, Ok(None)),
            LineDown::Failed { request, reason } => self.answered(request, Err(reason)),
            LineDown::Offer { request, offer } => {
                self.answered(request, Ok(Some(offer.as_bytes())))
            }
        }
    }

    fn challenge(&mut self, version: u16, nonce: Nonce, wall: Wall) {
        let (Some(exchange), false) = (self.own.exchange, self.attached()) else { return };
        if version != VERSION {
            return self.refused(Refusal::Version);
        }
        let before = self.clock_off;
        let here = self.device_wall().0;
        self.clock_off = i64::try_from(wall.0).unwrap_or(i64::MAX).saturating_sub_unsigned(here);
        if self.clock_off.unsigned_abs() > CLOCK_OFF && before.abs_diff(self.clock_off) > CLOCK_OFF
        {
            self.tell(Event::ClockWrong { seconds: self.clock_off });
        }
        let (line, signature) = (self.line_key.public(), self.line_key.answer(&exchange, &nonce));
        let message = match self.own.token {
            Some(token) => LineUp::Enrol { version: VERSION, token, line, signature },
            None => LineUp::Attach { version: VERSION, line, signature },
        };
        self.send_after(Channel::Signal, message);
    }

    fn is_attached(
        &mut self,
        office: Text<{ wire::limits::NAME_MAX }>,
        principal: Text<{ wire::limits::NAME_MAX }>,
        number: u8,
        host: Text<{ wire::limits::HOST_MAX }>,
    ) {
        let Line::Up(up) = &mut self.line else { return };
        if core::mem::replace(&mut up.attached, true) {
            return;
        }
        up.wait = AGAIN;
        let own = &mut self.own;
        if own.token.is_some()
            || (&own.office, &own.principal, own.number, own.host.as_ref())
                != (&office, &principal, number, Some(&host))
        {
            (own.office, own.principal, own.number) = (office, principal, number);
            own.host = Some(host);
            own.token = None;
            self.save_own();
        }
        self.tell(Event::LineUp);
        for task in self.tasks.clone() {
            self.begin(task);
        }
        self.legs_anew();
        self.restock_all();
        self.tell_rules();
        self.lamps_up();
        self.watch_anew();
    }

    fn refused(&mut self, reason: Refusal) {
        self.tell(Event::Refused(reason));
        self.take_down();
        self.line = Line::Waiting { at: self.now + REFUSED, wait: AGAIN };
    }
}
