//! Trunks: one to every exchange with which this one has to do, up whether there are calls or not.
//!
//! ```text
//!   named by an own line, or related by an address ─► Peer ─ Dial ─► TrunkUp ─ Hello ◄► ready ─► Down
//!                                                       ▲── 0.5 s .. 30 s, with jitter ──────────┘
//! ```
//!
//! The key is what is trusted; a host is only a place to dial. If both dial at once, the connection that the
//! exchange with the smaller key dialled stays.

use core::time::Duration;

use link::Shape;
use rand_core::RngCore;
use wire::limits::{HOST_MAX, VERSION};
use wire::line::Failure;
use wire::trunk::Trunk;
use wire::{ExchangePub, ExchangeRef, Text, Time};

use crate::admission::Meter;
use crate::api::{CloseReason, Config, Conn, Event};
use crate::clock::Timer;
use crate::limits;
use crate::machine::Exchange;
use crate::ports::{PortId, Role, TrunkPort};
use crate::quality::History;
use crate::rows;

/// Another exchange.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) host: Text<HOST_MAX>,
    pub(crate) port: Option<PortId>,
    /// It is on disk, and dialled whenever it is not up.
    pub(crate) kept: bool,
    /// It was up at least once: it is the exchange with that key.
    pub(crate) was_up: bool,
    dialling: Dialling,
    failures: u32,
    /// How its line tests went.
    pub(crate) tests: History,
    /// When the next one is, if one is planned.
    pub(crate) test_at: Option<Time>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialling {
    Not,
    At(Time),
    Now,
}

impl Peer {
    fn new(host: Text<HOST_MAX>, kept: bool, was_up: bool) -> Self {
        Peer {
            host,
            port: None,
            kept,
            was_up,
            dialling: Dialling::Not,
            failures: 0,
            tests: History::default(),
            test_at: None,
        }
    }

    /// As it stands on disk.
    pub(crate) fn known(host: Text<HOST_MAX>, was_up: bool) -> Self {
        Peer::new(host, true, was_up)
    }
}

/// Voice paths of one trunk: voice frames in 20 ms.
pub(crate) fn capacity(config: &Config) -> usize {
    let shape = Shape::trunk(config.trunk_cells);
    let ticks = Duration::from_millis(20).as_micros() / shape.tick.as_micros().max(1);
    shape.send.voices_per_tick() * usize::try_from(ticks).unwrap_or(1)
}

impl Exchange {
    /// An own line names another exchange: it is kept, and dialled.
    pub(crate) fn name_peer(
        &mut self,
        principal: u32,
        exchange: &ExchangeRef,
    ) -> Result<(), Failure> {
        let key = exchange.key;
        if !self.listed(&key) {
            return Err(Failure::Unreachable);
        }
        match self.peers.get_mut(&key) {
            Some(peer) if peer.kept => {
                // Where it is, it says itself. While it cannot be reached there, a card may know better.
                let lost = peer.port.is_none() && (!peer.was_up || peer.failures >= 3);
                if lost && peer.host != exchange.host {
                    peer.host = exchange.host.clone();
                    self.store_peer(&key);
                }
                return Ok(());
            }
            Some(_) => {}
            None => {
                let owner = self.principals.get_mut(&principal).ok_or(Failure::Limit)?;
                if !owner.new_peers.take(self.now, limits::NEW_PEERS)
                    || self.peers.len() >= limits::PEERS
                {
                    return Err(Failure::Limit);
                }
                self.peers.insert(key, Peer::new(exchange.host.clone(), false, false));
            }
        }
        self.keep_peer(&key);
        self.dial(&key);
        Ok(())
    }

    /// Another exchange came with something for an address. If it was valid, there is a relation, and the
    /// exchange is kept; if not, as much is written.
    pub(crate) fn relate(&mut self, key: &ExchangePub, valid: bool) {
        if valid {
            self.keep_peer(key);
        } else if let Some(peer) = self.peers.get(key)
            && !peer.kept
        {
            let len = rows::peer(&peer.host, peer.was_up).len();
            self.store.put(rows::MARK, vec![4; 32], vec![0; len]);
        }
    }

    fn keep_peer(&mut self, key: &ExchangePub) {
        if let Some(peer) = self.peers.get_mut(key)
            && !peer.kept
        {
            peer.kept = true;
            self.store_peer(key);
        }
    }

    fn store_peer(&mut self, key: &ExchangePub) {
        if let Some(peer) = self.peers.get(key)
            && peer.kept
        {
            self.store.put(rows::PEER, key.0.to_vec(), rows::peer(&peer.host, peer.was_up));
        }
    }

    /// The trunk to `peer`, if it is in service.
    pub(crate) fn ready_trunk(&self, peer: &ExchangePub) -> Option<PortId> {
        let id = self.peers.get(peer)?.port?;
        self.ports.get(id)?.trunk()?.ready.then_some(id)
    }

    // ---- dialling ------------------------------------------------------------------------------

    /// At the start: everybody, not all at once.
    pub(crate) fn dial_all(&mut self) {
        let keys: Vec<_> = self.peers.keys().copied().collect();
        for key in keys {
            self.dial_after(&key, limits::DIAL_AGAIN);
        }
    }

    /// Dials after `wait`, give or take a quarter.
    fn dial_after(&mut self, key: &ExchangePub, wait: Duration) {
        let wait =
            wait * 3 / 4 + wait.mul_f64(f64::from(self.rng.next_u32()) / 2.0 / 2f64.powi(32));
        let at = self.now + wait;
        if let Some(peer) = self.peers.get_mut(key)
            && peer.dialling == Dialling::Not
        {
            peer.dialling = Dialling::At(at);
            self.timers.set(at, Timer::Dial(*key));
        }
    }

    pub(crate) fn dial(&mut self, key: &ExchangePub) {
        let listed = self.listed(key);
        let Some(peer) = self.peers.get_mut(key) else { return };
        if let Dialling::At(at) = peer.dialling {
            self.timers.clear(at, Timer::Dial(*key));
            peer.dialling = Dialling::Not;
        }
        if !listed
            || peer.port.is_some()
            || peer.dialling == Dialling::Now
            || self.stopping.is_some()
        {
            return;
        }
        peer.dialling = Dialling::Now;
        let peer = ExchangeRef { key: *key, host: peer.host.clone() };
        self.ask_dial(peer);
    }

    pub(crate) fn dial_failed(&mut self, key: &ExchangePub) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        if peer.dialling != Dialling::Now {
            return;
        }
        peer.dialling = Dialling::Not;
        self.dial_later(key);
    }

    fn dial_later(&mut self, key: &ExchangePub) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        if peer.port.is_some() {
            return;
        }
        let in_vain = !peer.was_up && peer.failures >= limits::DIALS_IN_VAIN;
        if in_vain && !self.outbox.has_mail_for(key) && !self.redeems.wait_for(key) {
            self.peers.remove(key);
            self.store.delete(rows::PEER, key.0.to_vec());
            return;
        }
        let wait = limits::DIAL_AGAIN * (1 << peer.failures.min(6));
        peer.failures = peer.failures.saturating_add(1);
        self.dial_after(key, wait.min(limits::DIAL_AGAIN_MAX));
    }

    // ---- up and down ---------------------------------------------------------------------------

    pub(crate) fn trunk_up(&mut self, conn: Conn, key: ExchangePub, dialled: bool) {
        if dialled
            && let Some(peer) = self.peers.get_mut(&key)
            && peer.dialling == Dialling::Now
        {
            peer.dialling = Dialling::Not;
        }
        if self.stopping.is_some() {
            return self.reject(conn, CloseReason::Stopping);
        }
        if key == self.key || !self.listed(&key) {
            return self.reject(conn, CloseReason::NotListed);
        }
        if let Some(older) = self.peers.get(&key).and_then(|peer| peer.port) {
            if self.older_stays(older, dialled, &key) {
                return self.reject(conn, CloseReason::Replaced);
            }
            self.close(older, CloseReason::Replaced);
        }
        if !self.peers.contains_key(&key) {
            let strange = self.peers.values().filter(|peer| !peer.kept).count();
            if strange >= limits::STRANGE_TRUNKS || self.peers.len() >= limits::PEERS {
                return self.reject(conn, CloseReason::Limit);
            }
            self.peers.insert(key, Peer::new(Text::default(), false, true));
        }
        let trunk = TrunkPort {
            peer: key,
            dialled,
            ready: false,
            opens: Meter::default(),
            redeems: Meter::default(),
            tests: Meter::default(),
            mail_in: 0,
            redeems_in: 0,
            flying: Default::default(),
            sent: 0,
        };
        let id = self.plug(conn, Shape::trunk(self.config.trunk_cells), Role::Trunk(trunk));
        if let Some(peer) = self.peers.get_mut(&key) {
            peer.port = Some(id);
            if let Dialling::At(at) = peer.dialling {
                self.timers.clear(at, Timer::Dial(key));
                peer.dialling = Dialling::Not;
            }
        }
        self.set_port_timer(id, self.now + limits::HELLO_WITHIN, Timer::Silent(id));
        self.say(id, &Trunk::Hello { version: VERSION, host: self.config.host.clone() });
    }

    /// Two connections to the same exchange: whether the older one stays.
    fn older_stays(&self, older: PortId, dialled: bool, key: &ExchangePub) -> bool {
        let Some(port) = self.ports.get(older) else { return false };
        let Some(trunk) = port.trunk() else { return false };
        let silent = self.now.since(port.heard) >= limits::TRUNK_SILENT;
        let by_smaller = |dialled: bool| dialled == (self.key < *key);
        !silent && by_smaller(trunk.dialled) && !by_smaller(dialled)
    }

    pub(crate) fn trunk_message(&mut self, id: PortId, message: Trunk) {
        match message {
            Trunk::Hello { version, host } => self.hello(id, version, host),
            Trunk::Open { leg, envelope } => self.open_in(id, leg, &envelope),
            Trunk::Close { leg } => self.close_leg(id, leg),
            Trunk::Data { leg, body } => self.leg_data(id, leg, &body),
            Trunk::Mail { mail, envelope } => self.mail_in(id, mail, &envelope),
            Trunk::MailAck { mail } => self.mail_acked(id, mail),
            Trunk::Redeem { request, address, bound } => {
                self.redeem_in(id, request, &address, bound);
            }
            Trunk::Redeemed { request, valid, len, offer } => {
                let mut offer = offer.into_bytes();
                if usize::from(len) > offer.len() {
                    return self.fault(id, CloseReason::Protocol);
                }
                offer.truncate(usize::from(len));
                let Some(trunk) = self.ports.get(id).and_then(|port| port.trunk()) else { return };
                let peer = trunk.peer;
                self.redeem_answered(&peer, request, valid.then_some(offer));
            }
        }
    }

    fn hello(&mut self, id: PortId, version: u16, host: Text<HOST_MAX>) {
        let Some(trunk) = self.ports.get_mut(id).and_then(|port| port.trunk_mut()) else { return };
        if trunk.ready {
            return self.fault(id, CloseReason::Protocol);
        }
        if version != VERSION {
            return self.close(id, CloseReason::Version);
        }
        trunk.ready = true;
        let key = trunk.peer;
        self.clear_port_timer(id);
        if let Some(peer) = self.peers.get_mut(&key) {
            peer.failures = 0;
            if !peer.was_up || peer.host != host {
                peer.was_up = true;
                peer.host = host;
                self.store_peer(&key);
            }
        }
        self.event(Event::TrunkUp);
        self.plan_first_test(&key);
        self.ask_again(&key);
        self.send_mail(&key);
    }

    pub(crate) fn trunk_down(&mut self, id: PortId, trunk: &TrunkPort) {
        if trunk.ready {
            self.event(Event::TrunkDown);
        }
        let Some(peer) = self.peers.get_mut(&trunk.peer) else { return };
        if peer.port != Some(id) {
            return;
        }
        peer.port = None;
        if peer.kept {
            self.dial_later(&trunk.peer);
        } else {
            self.unplan_test(&trunk.peer);
            self.peers.remove(&trunk.peer);
        }
    }

    // ---- when it is tested ---------------------------------------------------------------------

    /// At the start: tests of all that were up once. A trunk that does not come back is one that fails.
    pub(crate) fn plan_tests(&mut self) {
        let keys: Vec<_> = self.peers.iter().filter(|(_, p)| p.was_up).map(|(k, _)| *k).collect();
        for key in keys {
            self.plan_first_test(&key);
        }
    }

    /// The trunk to `key` is in service, or it was when the exchange stopped: tests begin, or one more is due because it failed.
    pub(crate) fn plan_first_test(&mut self, key: &ExchangePub) {
        let Some(every) = self.config.line_test else { return };
        let Some(peer) = self.peers.get(key) else { return };
        if peer.test_at.is_none() || peer.tests.failures > 0 {
            let spread = every.min(limits::TEST_FIRST);
            let wait = limits::TEST_SOONEST + spread.mul_f64(self.fraction());
            self.plan_test(key, wait);
        }
    }

    /// The next one. It wanders, so that the two ends do not meet again and again.
    pub(crate) fn plan_next_test(&mut self, key: &ExchangePub) {
        let Some(every) = self.config.line_test else { return };
        let Some(peer) = self.peers.get(key) else { return };
        let every = match peer.tests.failures {
            0 => every,
            1 => every.min(limits::TEST_CONFIRM),
            _ => every.min(limits::TEST_FAILING),
        };
        let wait = every * 3 / 4 + (every / 2).mul_f64(self.fraction());
        self.plan_test(key, wait);
    }

    fn plan_test(&mut self, key: &ExchangePub, wait: Duration) {
        self.unplan_test(key);
        let at = self.now + wait;
        if let Some(peer) = self.peers.get_mut(key) {
            peer.test_at = Some(at);
            self.timers.set(at, Timer::Test(*key));
        }
    }

    /// An exchange is forgotten, or tested at another time.
    pub(crate) fn unplan_test(&mut self, key: &ExchangePub) {
        if let Some(at) = self.peers.get_mut(key).and_then(|peer| peer.test_at.take()) {
            self.timers.clear(at, Timer::Test(*key));
        }
    }

    /// Uniform in 0 to below 1.
    fn fraction(&mut self) -> f64 {
        f64::from(self.rng.next_u32()) / 2f64.powi(32)
    }
}
