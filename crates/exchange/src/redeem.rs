//! Redeeming cards: of this exchange, for own lines and over trunks; and of others, for own lines.
//!
//! ```text
//!   own line ─ Redeem ─► own address? ── yes ─► bind ─ stored ─► Offer | Failed{NotValid}
//!                              └─ no ─ trunk: Redeem ─► ◄ Redeemed ─► Offer | Failed{NotValid}
//!                                         └─ 15 s ─► Failed{Unreachable}
//!   trunk ─ Redeem ─► bind ─ stored ─► Redeemed, OFFER_LEN bytes of offer or of zeros
//! ```
//!
//! Binding takes the same steps and writes as much for a card that is no longer valid as for one that is.

use std::collections::HashMap;

use wire::limits::OFFER_LEN;
use wire::line::{Failure, LineDown};
use wire::trunk::Trunk;
use wire::{Address, Blob, ExchangePub, ExchangeRef, PairwisePub, Time};

use crate::addresses::State;
use crate::answers::Answer;
use crate::clock::Timer;
use crate::limits;
use crate::machine::Exchange;
use crate::ports::{Attached, PortId};
use crate::rows;

/// Redemptions that wait for other exchanges, of all lines together: memory against lines that come and go.
const WAITING: usize = 4_096;

/// A redemption that another exchange has to answer.
#[derive(Debug)]
struct Waiting {
    port: PortId,
    request: u32,
    peer: ExchangePub,
    address: Address,
    bound: PairwisePub,
    deadline: Time,
    /// It is on its way on the trunk that is up.
    asked: bool,
}

/// All of them, by the number that they have on the trunk.
#[derive(Debug, Default)]
pub(crate) struct Redeems {
    waiting: HashMap<u32, Waiting>,
    last: u32,
}

impl Redeems {
    pub(crate) fn wait_for(&self, peer: &ExchangePub) -> bool {
        self.waiting.values().any(|w| w.peer == *peer)
    }
}

impl Exchange {
    // ---- for an own line -----------------------------------------------------------------------

    pub(crate) fn redeem(
        &mut self,
        port: PortId,
        who: Attached,
        request: u32,
        exchange: &ExchangeRef,
        address: Address,
        bound: PairwisePub,
    ) {
        let begun = self.begin_redeem(port, who, request, exchange, address, bound);
        if let Err(reason) = begun {
            self.tell(port, &LineDown::Failed { request, reason });
        }
    }

    fn begin_redeem(
        &mut self,
        port: PortId,
        who: Attached,
        request: u32,
        exchange: &ExchangeRef,
        address: Address,
        bound: PairwisePub,
    ) -> Result<(), Failure> {
        if !self.store.works() {
            return Err(Failure::Storage);
        }
        let line = self.ports.get_mut(port).and_then(|p| p.line_mut()).ok_or(Failure::Limit)?;
        if line.redeems >= limits::REDEEMS_WAITING || self.redeems.waiting.len() >= WAITING {
            return Err(Failure::Limit);
        }
        if exchange.key == self.key {
            line.redeems += 1;
            let offer = self.bind(&address, bound);
            self.answer_when_stored(Answer::Offer { port, request, offer });
            return Ok(());
        }
        self.name_peer(who.principal, exchange)?;
        if let Some(line) = self.ports.get_mut(port).and_then(|p| p.line_mut()) {
            line.redeems += 1;
        }
        let mut id = self.redeems.last.wrapping_add(1);
        while self.redeems.waiting.contains_key(&id) {
            id = id.wrapping_add(1);
        }
        self.redeems.last = id;
        let deadline = self.now + limits::REDEEM_WITHIN;
        let peer = exchange.key;
        let waiting = Waiting { port, request, peer, address, bound, deadline, asked: false };
        self.redeems.waiting.insert(id, waiting);
        self.timers.set(deadline, Timer::Redeem(id));
        self.send_redeems(&peer);
        Ok(())
    }

    pub(crate) fn redeemed_here(&mut self, port: PortId, request: u32, offer: Option<Vec<u8>>) {
        self.release_redeem(port);
        self.answer_line(port, request, offer);
    }

    pub(crate) fn release_redeem(&mut self, port: PortId) {
        if let Some(line) = self.ports.get_mut(port).and_then(|p| p.line_mut()) {
            line.redeems = line.redeems.saturating_sub(1);
        }
    }

    fn answer_line(&mut self, port: PortId, request: u32, offer: Option<Vec<u8>>) {
        let answer = match offer.map(Blob::new) {
            Some(Ok(offer)) => LineDown::Offer { request, offer },
            _ => LineDown::Failed { request, reason: Failure::NotValid },
        };
        self.tell(port, &answer);
    }

    /// A trunk is in service: what waited for it, and what was under way on an older one, is asked. The same
    /// key may ask again.
    pub(crate) fn ask_again(&mut self, peer: &ExchangePub) {
        for waiting in self.redeems.waiting.values_mut().filter(|w| w.peer == *peer) {
            waiting.asked = false;
        }
        self.send_redeems(peer);
    }

    /// Asks as much as may be under way on one trunk.
    fn send_redeems(&mut self, peer: &ExchangePub) {
        let Some(trunk) = self.ready_trunk(peer) else { return };
        let of_peer = || self.redeems.waiting.iter().filter(|(_, w)| w.peer == *peer);
        let under_way = of_peer().filter(|(_, w)| w.asked).count();
        let mut next: Vec<u32> = of_peer().filter(|(_, w)| !w.asked).map(|(id, _)| *id).collect();
        next.sort_unstable();
        next.truncate(limits::REDEEMS_ON_TRUNK.saturating_sub(under_way));
        for request in next {
            let Some(waiting) = self.redeems.waiting.get_mut(&request) else { continue };
            waiting.asked = true;
            let (address, bound) = (waiting.address, waiting.bound);
            self.say(trunk, &Trunk::Redeem { request, address, bound });
        }
    }

    /// The other exchange answered.
    pub(crate) fn redeem_answered(
        &mut self,
        peer: &ExchangePub,
        request: u32,
        offer: Option<Vec<u8>>,
    ) {
        if self.redeems.waiting.get(&request).is_none_or(|w| w.peer != *peer) {
            return;
        }
        if let Some(waiting) = self.redeems.waiting.remove(&request) {
            self.timers.clear(waiting.deadline, Timer::Redeem(request));
            self.redeemed_here(waiting.port, waiting.request, offer);
            self.send_redeems(peer);
        }
    }

    pub(crate) fn redeem_timeout(&mut self, id: u32) {
        let Some(waiting) = self.redeems.waiting.remove(&id) else { return };
        self.release_redeem(waiting.port);
        let failed = LineDown::Failed { request: waiting.request, reason: Failure::Unreachable };
        self.tell(waiting.port, &failed);
        self.send_redeems(&waiting.peer);
    }

    // ---- for another exchange ------------------------------------------------------------------

    pub(crate) fn redeem_in(
        &mut self,
        id: PortId,
        request: u32,
        address: &Address,
        bound: PairwisePub,
    ) {
        let Some(trunk) = self.ports.get_mut(id).and_then(|port| port.trunk_mut()) else { return };
        if trunk.redeems_in >= limits::REDEEMS_ACCEPTED {
            return;
        }
        trunk.redeems_in += 1;
        let peer = trunk.peer;
        // A trunk that guesses gets the answer for what is not valid, by the same steps.
        let in_time = trunk.redeems.take(self.now, limits::REDEEMS_PER_TRUNK);
        let offer = if in_time { self.bind(address, bound) } else { self.bind_nothing() };
        self.relate(&peer, offer.is_some());
        self.answer_when_stored(Answer::Redeemed { port: id, request, offer });
    }

    pub(crate) fn answer_redeem(&mut self, id: PortId, request: u32, offer: Option<Vec<u8>>) {
        let Some(trunk) = self.ports.get_mut(id).and_then(|port| port.trunk_mut()) else { return };
        trunk.redeems_in = trunk.redeems_in.saturating_sub(1);
        let valid = offer.is_some();
        let mut bytes = offer.unwrap_or_default();
        let len = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
        bytes.resize(OFFER_LEN, 0);
        if let Ok(offer) = Blob::new(bytes) {
            self.say(id, &Trunk::Redeemed { request, valid, len, offer });
        }
    }

    // ---- both ----------------------------------------------------------------------------------

    /// Binds `address` to `bound` if its card is still to be redeemed, and yields its offer; again for the
    /// same key, as long as nothing was sent to the address.
    fn bind(&mut self, address: &Address, bound: PairwisePub) -> Option<Vec<u8>> {
        let wall = self.wall;
        let valid = self.addresses.get_mut(address).and_then(|entry| {
            let offer = entry.offer.clone()?;
            match entry.state {
                State::Open { expiry } if wall < expiry => {
                    entry.state = State::Bound { key: bound };
                    Some((entry.principal, true, offer, rows::address(entry)))
                }
                State::Bound { key } if key == bound => {
                    Some((entry.principal, false, offer, rows::address(entry)))
                }
                _ => None,
            }
        });
        let Some((principal, first, offer, row)) = valid else { return self.bind_nothing() };
        if first && let Some(owner) = self.principals.get_mut(&principal) {
            owner.open = owner.open.saturating_sub(1);
        }
        self.store.put(rows::ADDRESS, address.0.to_vec(), row);
        self.metrics.redeemed += 1;
        Some(offer)
    }

    fn bind_nothing(&mut self) -> Option<Vec<u8>> {
        self.store.put(rows::MARK, vec![3; 16], vec![0; rows::ADDRESS_LEN]);
        self.metrics.redeem_refused += 1;
        None
    }
}
