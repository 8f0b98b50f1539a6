//! Lines: who they are, and what they ask for.
//!
//! ```text
//!   LineUp ─► Challenged ─ Attach, proof good ───────────────────────► Attached ─► Down
//!                 │  │──── Enrol, token good ─► Enrolling ─ stored ──────▲
//!                 │  └──── anything that is not good ─► Refused ─ 1 s ─► closed
//!                 └─────── 10 s ─► closed
//! ```
//!
//! The link ticks from the beginning, and a refused one ticks on until its refusal has arrived.

use std::collections::{BTreeMap, BTreeSet};

use link::Shape;
use rand_core::RngCore;
use sha2::{Digest, Sha256};
use wire::limits::{NAME_MAX, VERSION};
use wire::line::{LineDown, LineUp, Refusal};
use wire::{LinePub, Nonce, Text, Token, Wall};

use crate::addresses::State;
use crate::admission::Meter;
use crate::api::{CloseReason, Conn, Event, OfficeRule, SourceId};
use crate::clock::Timer;
use crate::limits::{self, DEVICES};
use crate::machine::Exchange;
use crate::mail::Piece;
use crate::ports::{Attached, LinePort, Phase, PortId, Role};
use crate::store::After;
use crate::{rows, verify};

/// One principal.
#[derive(Debug)]
pub(crate) struct Principal {
    pub(crate) name: Text<NAME_MAX>,
    pub(crate) devices: [Option<LinePub>; DEVICES],
    pub(crate) addresses: u32,
    pub(crate) open: u32,
    /// Mail for its handsets, by number.
    pub(crate) mail: BTreeMap<u64, Piece>,
    pub(crate) next_mail: u64,
    /// Mail of its own that waits for other exchanges.
    pub(crate) outgoing: u32,
    pub(crate) outgoing_bytes: u64,
    pub(crate) new_peers: Meter,
    /// The office's, about these lines.
    pub(crate) rule: Option<OfficeRule>,
}

impl Principal {
    pub(crate) fn new(name: Text<NAME_MAX>) -> Self {
        Principal {
            name,
            devices: [None; DEVICES],
            addresses: 0,
            open: 0,
            mail: BTreeMap::new(),
            next_mail: 1,
            outgoing: 0,
            outgoing_bytes: 0,
            new_peers: Meter::default(),
            rule: None,
        }
    }
}

/// One enrolled handset.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) principal: u32,
    pub(crate) device: u8,
    /// Mail up to this number is safe with it.
    pub(crate) acked: u64,
    /// Its enrolment is on disk.
    pub(crate) stored: bool,
    pub(crate) port: Option<PortId>,
    /// Mail that waits for it: pieces, and bytes of bodies.
    pub(crate) waiting: u32,
    pub(crate) waiting_bytes: u64,
    /// Of mail up to this number it was told which rule kept it from ringing: once, whether it understood or not.
    pub(crate) withheld: u64,
}

impl Line {
    pub(crate) fn new(principal: u32, device: u8, acked: u64, stored: bool) -> Self {
        Line {
            principal,
            device,
            acked,
            stored,
            port: None,
            waiting: 0,
            waiting_bytes: 0,
            withheld: 0,
        }
    }
}

/// A token that was given out.
#[derive(Debug)]
pub(crate) struct TokenEntry {
    pub(crate) principal: u32,
    pub(crate) expires: Wall,
}

fn token_hash(token: &Token) -> [u8; 32] {
    Sha256::digest(token.0).into()
}

impl Exchange {
    pub(crate) fn line_up(&mut self, conn: Conn, source: SourceId) {
        if self.stopping.is_some() {
            return self.reject(conn, CloseReason::Stopping);
        }
        if self.ports.len() >= limits::LINES_UP || !self.admission.enter(self.now, source) {
            self.metrics.refused_limit += 1;
            return self.reject(conn, CloseReason::Limit);
        }
        let mut nonce = [0; 32];
        self.rng.fill_bytes(&mut nonce);
        let nonce = Nonce(nonce);
        let line = LinePort {
            source,
            phase: Phase::Challenged(nonce),
            opens: Meter::default(),
            records: Meter::default(),
            asides: Meter::default(),
            watches: BTreeSet::new(),
            redeems: 0,
            sent: 0,
            flying: Default::default(),
        };
        let id = self.plug(conn, Shape::OFFICE_EXCHANGE, Role::Line(line));
        self.set_port_timer(id, self.now + limits::ATTACH_WITHIN, Timer::Silent(id));
        self.tell(id, &LineDown::Challenge { version: VERSION, nonce, wall: self.wall });
    }

    pub(crate) fn set_port_timer(&mut self, id: PortId, at: wire::Time, timer: Timer) {
        self.clear_port_timer(id);
        if let Some(port) = self.ports.get_mut(id) {
            port.timer = Some(at);
            self.timers.set(at, timer);
        }
    }

    pub(crate) fn clear_port_timer(&mut self, id: PortId) {
        if let Some(at) = self.ports.get_mut(id).and_then(|port| port.timer.take()) {
            self.timers.clear(at, Timer::Silent(id));
            self.timers.clear(at, Timer::Linger(id));
        }
    }

    pub(crate) fn line_message(&mut self, id: PortId, message: LineUp) {
        let Some(line) = self.ports.get_mut(id).and_then(|port| port.line_mut()) else { return };
        let (phase, source) = (line.phase, line.source);
        match (phase, message) {
            (Phase::Challenged(nonce), LineUp::Attach { version, line, signature }) => {
                self.proof(id, source, version, &nonce, &line, &signature, None);
            }
            (Phase::Challenged(nonce), LineUp::Enrol { version, token, line, signature }) => {
                self.proof(id, source, version, &nonce, &line, &signature, Some(&token));
            }
            (Phase::Attached(who), message) => self.request(id, who, message),
            (Phase::Refused | Phase::Enrolling, _) => {}
            (Phase::Challenged(_), _) => self.fault(id, CloseReason::Protocol),
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the fields of one message, and where it came from"
    )]
    fn proof(
        &mut self,
        id: PortId,
        source: SourceId,
        version: u16,
        nonce: &Nonce,
        line: &LinePub,
        signature: &wire::Signature,
        token: Option<&Token>,
    ) {
        let admitted = if version != VERSION {
            Err(Refusal::Version)
        } else if !self.admission.may_try(self.now, source) {
            Err(Refusal::Limit)
        } else if !verify::line(&self.key, nonce, line, signature) {
            Err(Refusal::Unknown)
        } else {
            self.admit(line, token)
        };
        match admitted {
            Ok(Admit::Known(who)) => self.attach(id, who),
            Ok(Admit::New(who)) => {
                if let Some(port) = self.ports.get_mut(id).and_then(|port| port.line_mut()) {
                    port.phase = Phase::Enrolling;
                }
                self.store.then(After::Enrolled { port: id, who });
            }
            Err(reason) => {
                if matches!(reason, Refusal::Unknown | Refusal::Token) {
                    self.admission.was_refused(self.now, source);
                }
                self.refuse(id, reason);
            }
        }
    }

    /// The line's proof is good: is it known, or does its token make it so?
    fn admit(&mut self, line: &LinePub, token: Option<&Token>) -> Result<Admit, Refusal> {
        if let Some(known) = self.lines.get(line) {
            // An enrolment that is not on disk yet: the handset tries again.
            if !known.stored {
                return Err(Refusal::Limit);
            }
            let who = Attached { line: *line, principal: known.principal, device: known.device };
            // A handset that was cut off before `Attached` enrols again.
            return Ok(Admit::Known(who));
        }
        let hash = token_hash(token.ok_or(Refusal::Unknown)?);
        let entry = self.tokens.get(&hash).ok_or(Refusal::Token)?;
        if entry.expires <= self.wall {
            return Err(Refusal::Token);
        }
        if !self.store.works() {
            return Err(Refusal::Limit);
        }
        let principal = entry.principal;
        let owner = self.principals.get_mut(&principal).ok_or(Refusal::Token)?;
        let free = owner.devices.iter().position(Option::is_none).ok_or(Refusal::Limit)?;
        let device = free as u8;
        owner.devices[free] = Some(*line);
        let acked = owner.next_mail - 1;
        self.tokens.remove(&hash);
        self.lines.insert(*line, Line::new(principal, device, acked, false));
        self.store.delete(rows::TOKEN, hash.to_vec());
        self.store.put(rows::LINE, line.0.to_vec(), rows::line(principal, device, acked));
        Ok(Admit::New(Attached { line: *line, principal, device }))
    }

    /// The line is in service; an older link of it is not, any more.
    pub(crate) fn attach(&mut self, id: PortId, who: Attached) {
        let Some(line) = self.lines.get_mut(&who.line) else {
            return self.refuse(id, Refusal::Unknown);
        };
        let Some(port) = self.ports.get_mut(id).and_then(|port| port.line_mut()) else { return };
        port.phase = Phase::Attached(who);
        port.sent = line.acked;
        let source = port.source;
        let older = line.port.replace(id);
        self.admission.leave(source);
        self.clear_port_timer(id);
        if let Some(older) = older {
            self.refuse(older, Refusal::Replaced);
        }
        let principal = self.principals.get(&who.principal);
        let attached = LineDown::Attached {
            office: self.config.office.clone(),
            principal: principal.map(|p| p.name.clone()).unwrap_or_default(),
            device: who.device,
            host: self.config.host.clone(),
        };
        self.tell(id, &attached);
        self.tell_order(id);
        self.event(Event::LineAttached);
        self.deliver(id);
    }

    /// Tells a line that it is not served (any more), and closes it when that has arrived.
    fn refuse(&mut self, id: PortId, reason: Refusal) {
        let Some(port) = self.ports.get_mut(id).and_then(|port| port.line_mut()) else { return };
        let before = core::mem::replace(&mut port.phase, Phase::Refused);
        let source = port.source;
        match before {
            Phase::Attached(_) => self.legs_down(id),
            Phase::Refused => return,
            _ => self.admission.leave(source),
        }
        match reason {
            Refusal::Version => self.metrics.refused_version += 1,
            Refusal::Unknown => self.metrics.refused_unknown += 1,
            Refusal::Token => self.metrics.refused_token += 1,
            Refusal::Limit => self.metrics.refused_limit += 1,
            Refusal::Replaced => {}
        }
        self.event(Event::LineRefused);
        self.tell(id, &LineDown::Refused { reason });
        self.set_port_timer(id, self.now + limits::LINGER, Timer::Linger(id));
    }

    pub(crate) fn line_down(&mut self, id: PortId, line: &LinePort) {
        match line.phase {
            Phase::Attached(who) => {
                if let Some(entry) = self.lines.get_mut(&who.line)
                    && entry.port == Some(id)
                {
                    entry.port = None;
                }
                self.event(Event::LineDown);
            }
            Phase::Refused => {}
            Phase::Challenged(_) | Phase::Enrolling => self.admission.leave(line.source),
        }
    }

    fn request(&mut self, id: PortId, who: Attached, message: LineUp) {
        match message {
            LineUp::Attach { .. } | LineUp::Enrol { .. } => self.fault(id, CloseReason::Protocol),
            LineUp::Post { mail, exchange, envelope } => {
                self.post(id, who, mail, exchange, envelope);
            }
            LineUp::Delivered { seq } => self.delivered(id, who, seq),
            LineUp::Aside { envelope } => self.aside(id, &envelope),
            LineUp::Watch { exchange } => self.watch(id, exchange),
            LineUp::Open { leg, exchange, envelope } => {
                self.open(id, who, leg, &exchange, envelope);
            }
            LineUp::Take { leg } => self.take_leg(id, leg),
            LineUp::Close { leg } => self.close_leg(id, leg),
            LineUp::Join { leg, with } => self.join_legs(id, leg, with),
            LineUp::LegData { leg, body } => self.leg_data(id, leg, &body),
            LineUp::RegisterOpen { request, address, expiry, offer } => {
                let state = State::Open { expiry };
                self.register(id, who, request, address, state, Some(offer.into_bytes()));
            }
            LineUp::RegisterBound { request, address, bound } => {
                self.register(id, who, request, address, State::Bound { key: bound }, None);
            }
            LineUp::Revoke { request, address } => self.revoke(id, who, request, address),
            LineUp::Redeem { request, exchange, address, bound } => {
                self.redeem(id, who, request, &exchange, address, bound);
            }
            LineUp::Record { request, entry } => self.record_entry(id, who, request, &entry),
        }
    }

    /// Lines of `principal` that are in service.
    pub(crate) fn lines_of(&self, principal: u32) -> [Option<PortId>; DEVICES] {
        let mut ports = [None; DEVICES];
        if let Some(owner) = self.principals.get(&principal) {
            for (port, line) in ports.iter_mut().zip(&owner.devices) {
                *port = line.and_then(|line| self.lines.get(&line)).and_then(|line| line.port);
            }
        }
        ports
    }

    /// The operator gave out a token.
    pub(crate) fn add_token(&mut self, name: &Text<NAME_MAX>, token: &Token, expires: Wall) {
        let known = self.principals.iter().find(|(_, p)| p.name == *name).map(|(id, _)| *id);
        let principal = known.unwrap_or_else(|| {
            let id = self.principals.last_key_value().map_or(1, |(id, _)| id + 1);
            self.principals.insert(id, Principal::new(name.clone()));
            self.store.put(rows::PRINCIPAL, rows::u32_key(id), rows::principal(name));
            id
        });
        let hash = token_hash(token);
        self.tokens.insert(hash, TokenEntry { principal, expires });
        self.store.put(rows::TOKEN, hash.to_vec(), rows::token(principal, expires));
        let wall = self.wall;
        let store = &mut self.store;
        self.tokens.retain(|hash, entry| {
            let valid = wall < entry.expires;
            if !valid {
                store.delete(rows::TOKEN, hash.to_vec());
            }
            valid
        });
    }
}

/// How a line is admitted.
enum Admit {
    Known(Attached),
    New(Attached),
}
