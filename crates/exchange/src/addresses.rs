//! Addresses: whose they are, who may use them, and the one way in for whatever comes to one.
//!
//! ```text
//!   RegisterOpen ─► Open{expiry} + offer ── Redeem ──► Bound{key} + offer ── first envelope ──► Bound{key}
//!   RegisterBound ────────────────────────────────────────────────────────────────────────────► Bound{key}
//!   Revoke: gone
//! ```
//!
//! [`Exchange::admit_envelope`] takes the same steps and writes rows of the same shape whether the address
//! is unknown, revoked, bound to another, replayed, or all is well.

use wire::line::{Failure, LineDown};
use wire::{Address, Envelope, PairwisePub, Wall};

use crate::admission::Meter;
use crate::limits::{self, DEVICES};
use crate::machine::Exchange;
use crate::mail::Piece;
use crate::ports::{Attached, PortId};
use crate::store::After;
use crate::{rows, verify};

/// Counters seen from one device: the highest, and a bit for each of the 64 below it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) last: u64,
    pub(crate) seen: u64,
}

impl Window {
    /// Takes `counter` if it is new. Counters begin at 1.
    pub(crate) fn take(&mut self, counter: u64) -> bool {
        if counter > self.last {
            let shift = counter - self.last;
            self.seen = match shift {
                _ if self.last == 0 => 0,
                1..64 => self.seen << shift | 1 << (shift - 1),
                64 => 1 << 63,
                _ => 0,
            };
            self.last = counter;
            return true;
        }
        let back = self.last - counter;
        if !(1..=64).contains(&back) || counter == 0 || self.seen >> (back - 1) & 1 == 1 {
            return false;
        }
        self.seen |= 1 << (back - 1);
        true
    }
}

/// Who may use an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Whoever redeems it first, before `expiry`.
    Open { expiry: Wall },
    /// The holder of this key.
    Bound { key: PairwisePub },
}

/// One address.
#[derive(Clone, Debug)]
pub(crate) struct AddressEntry {
    pub(crate) principal: u32,
    pub(crate) state: State,
    /// For the redeemer, until its first envelope.
    pub(crate) offer: Option<Vec<u8>>,
    /// Mail waits for trunks and is posted again, rings do not: each is counted for itself, so that a ring
    /// that overtakes mail does not make it look like a copy.
    pub(crate) mail: [Window; DEVICES],
    pub(crate) rings: [Window; DEVICES],
    pub(crate) meter: Meter,
}

impl AddressEntry {
    pub(crate) fn new(principal: u32, state: State) -> Self {
        AddressEntry {
            principal,
            state,
            offer: None,
            mail: Default::default(),
            rings: Default::default(),
            meter: Meter::default(),
        }
    }

    /// Whether its card is still to be redeemed.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.state, State::Open { .. })
    }
}

/// What an envelope is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum For {
    Mail,
    Ring {
        /// By another office: rules about the owner's lines are asked.
        outside: bool,
    },
}

/// Where an envelope goes: signed by the key that its address is bound to, and no copy.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) principal: u32,
    /// A ring only: the address was not rung too often, and no rule keeps it from ringing.
    pub(crate) rings: bool,
    /// The number under which it was put into the mailbox.
    pub(crate) piece: Option<u64>,
}

impl Exchange {
    /// Checks `envelope`, and writes down that its counter is used. Mail goes into the mailbox in the same
    /// batch, and so does a ring when no line of the principal is up, or may ring for it. One batch of one shape, always.
    pub(crate) fn admit_envelope(&mut self, envelope: &Envelope, what: For) -> Option<Admitted> {
        let bound = match self.addresses.get(&envelope.address).map(|entry| &entry.state) {
            Some(State::Bound { key }) => Some(*key),
            _ => None,
        };
        let genuine = verify::envelope(&bound.unwrap_or(verify::NOBODY), envelope);
        let admitted = if genuine && bound.is_some() { self.count(envelope, what) } else { None };
        let body = envelope.body.as_bytes();
        if admitted.is_none() {
            self.metrics.envelopes_dropped += 1;
            self.store.put(rows::MARK, vec![1], vec![0; rows::ADDRESS_LEN]);
        }
        self.store.delete(rows::OFFER, envelope.address.0.to_vec());
        let barred = match (&admitted, what) {
            (Some(to), For::Ring { outside: true }) => self.barred(to.principal),
            _ => None,
        };
        let devices = admitted.as_ref().map_or(0, |to| match what {
            For::Ring { .. } if !to.rings => 0,
            For::Ring { .. } if barred.is_none() && self.reachable(to.principal) => 0,
            _ => self.devices_with_room(to.principal, body.len()),
        });
        let Some(mut admitted) = admitted else {
            self.store.put(rows::MARK, vec![2], vec![0; rows::piece_len(body.len())]);
            return None;
        };
        if barred.is_some() {
            self.metrics.calls_withheld += u64::from(admitted.rings);
            admitted.rings = false;
        }
        if devices == 0 {
            self.store.put(rows::MARK, vec![2], vec![0; rows::piece_len(body.len())]);
        } else {
            let piece = Piece {
                devices,
                address: envelope.address,
                at: self.wall,
                body: body.into(),
                barred,
                stored: false,
            };
            admitted.piece = self.put_into_mailbox(admitted.principal, piece);
        }
        Some(admitted)
    }

    /// Uses up the counter of a genuine envelope; `None` if it was used.
    fn count(&mut self, envelope: &Envelope, what: For) -> Option<Admitted> {
        let entry = self.addresses.get_mut(&envelope.address)?;
        let device = usize::from(envelope.device);
        let window = match what {
            For::Mail => entry.mail.get_mut(device)?,
            For::Ring { .. } => entry.rings.get_mut(device)?,
        };
        if !window.take(envelope.counter) {
            return None;
        }
        entry.offer = None;
        let rings = matches!(what, For::Ring { .. })
            && entry.meter.take(self.now, limits::RINGS_PER_ADDRESS);
        self.store.put(rows::ADDRESS, envelope.address.0.to_vec(), rows::address(entry));
        Some(Admitted { principal: entry.principal, rings, piece: None })
    }

    pub(crate) fn register(
        &mut self,
        port: PortId,
        who: Attached,
        request: u32,
        address: Address,
        state: State,
        offer: Option<Vec<u8>>,
    ) {
        match self.try_register(who.principal, address, state, offer) {
            Ok(()) => self.store.then(After::Done { port, request }),
            Err(reason) => self.tell(port, &LineDown::Failed { request, reason }),
        }
    }

    fn try_register(
        &mut self,
        principal: u32,
        address: Address,
        state: State,
        offer: Option<Vec<u8>>,
    ) -> Result<(), Failure> {
        if !self.store.works() {
            return Err(Failure::Storage);
        }
        if address == Address::LINE_TEST {
            return Err(Failure::Taken);
        }
        if let Some(known) = self.addresses.get(&address) {
            // A handset that was cut off before `Done` asks again.
            let again = known.principal == principal
                && (known.state == state
                    || (matches!(state, State::Open { .. })
                        && matches!(known.state, State::Bound { .. })));
            return if again { Ok(()) } else { Err(Failure::Taken) };
        }
        let is_open = matches!(state, State::Open { .. });
        self.make_room(principal, is_open);
        let owner = self.principals.get_mut(&principal).ok_or(Failure::Limit)?;
        if owner.addresses >= limits::ADDRESSES || (is_open && owner.open >= limits::ADDRESSES_OPEN)
        {
            return Err(Failure::Limit);
        }
        owner.addresses += 1;
        owner.open += u32::from(is_open);
        let mut entry = AddressEntry::new(principal, state);
        self.store.put(rows::ADDRESS, address.0.to_vec(), rows::address(&entry));
        if let Some(offer) = offer {
            self.store.put(rows::OFFER, address.0.to_vec(), offer.clone());
            entry.offer = Some(offer);
        }
        self.addresses.insert(address, entry);
        Ok(())
    }

    /// At a limit, addresses whose cards expired make room.
    fn make_room(&mut self, principal: u32, is_open: bool) {
        let full = self.principals.get(&principal).is_some_and(|owner| {
            owner.addresses >= limits::ADDRESSES
                || (is_open && owner.open >= limits::ADDRESSES_OPEN)
        });
        if !full {
            return;
        }
        let wall = self.wall;
        let expired: Vec<Address> = self
            .addresses
            .iter()
            .filter(|(_, entry)| {
                entry.principal == principal
                    && matches!(entry.state, State::Open { expiry } if expiry <= wall)
            })
            .map(|(address, _)| *address)
            .collect();
        for address in expired {
            self.forget_address(&address);
        }
    }

    /// `Revoke`: an address that is unknown or another's is answered as an own one.
    pub(crate) fn revoke(&mut self, port: PortId, who: Attached, request: u32, address: Address) {
        if !self.store.works() {
            self.tell(port, &LineDown::Failed { request, reason: Failure::Storage });
            return;
        }
        if self.addresses.get(&address).is_some_and(|entry| entry.principal == who.principal) {
            self.forget_address(&address);
        }
        self.store.then(After::Done { port, request });
    }

    pub(crate) fn forget_address(&mut self, address: &Address) {
        let Some(entry) = self.addresses.remove(address) else { return };
        if let Some(owner) = self.principals.get_mut(&entry.principal) {
            owner.addresses = owner.addresses.saturating_sub(1);
            owner.open -= u32::from(matches!(entry.state, State::Open { .. })).min(owner.open);
        }
        self.store.delete(rows::ADDRESS, address.0.to_vec());
        self.store.delete(rows::OFFER, address.0.to_vec());
    }
}

#[cfg(test)]
mod tests {
    use super::Window;

    #[test]
    fn a_counter_counts_once_and_may_come_late() {
        let mut w = Window::default();
        assert!(!w.take(0), "counters begin at 1");
        for (counter, new) in [
            (5, true),
            (5, false),
            (4, true),
            (4, false),
            (6, true),
            (5, false),
            (1, true),
            (70, true),
            (6, false),
            (7, true),
            (5, false),
            (134, true),
            (70, false),
            (71, true),
            (69, false),
            (u64::MAX, true),
            (u64::MAX, false),
            (134, false),
        ] {
            assert_eq!(w.take(counter), new, "counter {counter} in {w:?}");
        }
    }
}
