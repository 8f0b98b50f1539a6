//! Cards: issuing one, and being told that it was redeemed.
//!
//! ```text
//!  IssueCard ─► address, pairwise key, key package ─► row ─► RegisterOpen ─► Done ─► Issued: can be shown
//!  Deliver(Welcome) at the address ─► join ─► Introduce{return card} by the group's maker ─► contact, Accepted
//! ```
//!
//! The private half of a card's key package is kept with the card: it may be redeemed days later.

use core::time::Duration;

use call::contact::{Card as State, Keys, Progress};
use seal::card::{Fields, Kind, UnverifiedCard, VerifiedCard};
use seal::group::{Admit, Group, GroupKind, Incoming, KeyPackages};
use seal::pairwise::PairwiseKey;
use wire::talk::{ContactMessage, Offer};
use wire::{Address, Blob, ExchangeRef, Wall};

use crate::command::InputError;
use crate::contacts::Contact;
use crate::event::Event;
use crate::machine::{Effect, Phone, Task, name};
use crate::mail::blob;
use crate::rows::{self, CardRow, ContactRow};

/// Most cards that are kept; the oldest used or withdrawn one gives way.
const CARDS_MAX: usize = 500;
/// Longest time that a card can be redeemed.
const TTL_MAX: Duration = Duration::from_secs(80 * 86_400);

/// A card that this handset issued.
pub(crate) struct Card {
    pub(crate) row: CardRow,
}

impl Card {
    pub(crate) fn state(&self) -> State {
        match self.row.state {
            0 => State::Issuing,
            1 => State::Issued,
            2 => State::Used { contact: self.row.contact },
            _ => State::Revoked,
        }
    }

    pub(crate) fn is_issuing(&self) -> bool {
        self.state() == State::Issuing
    }

    fn set(&mut self, state: State) {
        (self.row.state, self.row.contact) = match state {
            State::Issuing => (0, 0),
            State::Issued => (1, 0),
            State::Used { contact } => (2, contact),
            State::Revoked => (3, 0),
        };
        if matches!(state, State::Used { .. } | State::Revoked) {
            // Nobody can use what is left of it.
            self.row.offer = Blob::default();
            self.row.packages = Blob::default();
            self.row.pairwise = [0; 32];
        }
    }
}

impl Phone {
    fn save_card(&mut self, card: u32) {
        if let Some(record) = self.cards.get(&card) {
            self.desk.put(rows::CARD, rows::key32(card), record.row.encode());
        }
    }

    /// The own exchange, as it stands on cards.
    pub(crate) fn own_exchange(&self) -> Result<ExchangeRef, InputError> {
        match (self.own.exchange, &self.own.host) {
            (Some(key), Some(host)) => Ok(ExchangeRef { key, host: host.clone() }),
            (None, _) => Err(InputError::NotEnrolled),
            (_, None) => Err(InputError::NotAttached),
        }
    }

    /// Signs a card for `address`.
    pub(crate) fn make_card(
        &self,
        kind: Kind,
        address: Address,
        expiry: Wall,
    ) -> Result<VerifiedCard, InputError> {
        let identity = self
            .identity
            .as_ref()
            .ok_or(InputError::WrongState("cards are issued by the principal's first handset"))?;
        let fields = Fields {
            kind,
            office: self.own.office.clone(),
            exchange: self.own_exchange()?,
            address,
            name: self.own.name.clone(),
            expiry,
        };
        Ok(VerifiedCard::issue(identity, fields)?)
    }

    pub(crate) fn issue_card(
        &mut self,
        hint: String,
        in_person: bool,
        kind: Kind,
        ttl: Duration,
    ) -> Result<(), InputError> {
        if self.cards.len() >= CARDS_MAX {
            let done = |c: &Card| matches!(c.state(), State::Used { .. } | State::Revoked);
            let old = self.cards.iter().find(|(_, c)| done(c)).map(|(id, _)| *id);
            let old = old.ok_or(InputError::TooMany("cards"))?;
            self.cards.remove(&old);
            self.desk.delete(rows::CARD, rows::key32(old));
        }
        let now = self.wall();
        let address = Address(self.random());
        let expiry = Wall(now.0.saturating_add(ttl.min(TTL_MAX).as_secs()));
        let card = self.make_card(kind, address, expiry)?;
        let pairwise = PairwiseKey::generate(&mut self.rng);
        let mut packages = KeyPackages::new();
        let key_package = blob(packages.create(&self.device, now)?)?;
        let offer = Offer::KeyPackage { key_package, bound: pairwise.public() };
        let row = CardRow {
            hint: name(hint)?,
            state: 0,
            contact: 0,
            in_person,
            device: kind == Kind::Device,
            address,
            expiry,
            issued: now,
            text: blob(card.to_bytes().to_vec())?,
            pairwise: *pairwise.to_bytes(),
            offer: blob(offer.encode())?,
            packages: blob(packages.snapshot(&self.device).to_vec())?,
        };
        let id = self.cards.last_key_value().map_or(1, |(last, _)| last + 1);
        self.cards.insert(id, Card { row });
        self.save_card(id);
        self.after(Effect::Begin(Task::Register(id)));
        Ok(())
    }

    /// The own exchange has the card on disk: it can be shown, once that is written down.
    pub(crate) fn registered(&mut self, card: u32) {
        let Some(record) = self.cards.get_mut(&card) else { return };
        let mut state = record.state();
        state.registered();
        record.set(state);
        self.save_card(card);
        self.after(Effect::Tell(Event::CardIssued { card }));
    }

    /// The address is taken: so unlikely that it can only be somebody's fault. The card is of no use.
    pub(crate) fn not_registered(&mut self, card: u32) {
        if let Some(record) = self.cards.get_mut(&card) {
            record.set(State::Revoked);
            self.save_card(card);
        }
    }

    pub(crate) fn revoke_card(&mut self, card: u32) -> Result<(), InputError> {
        let record = self.cards.get_mut(&card).ok_or(InputError::NoSuch("card"))?;
        match record.state() {
            State::Used { .. } => {
                return Err(InputError::WrongState("the card was used: revoke the contact"));
            }
            State::Revoked => return Ok(()),
            State::Issuing | State::Issued => record.set(State::Revoked),
        }
        let address = record.row.address;
        self.save_card(card);
        self.withdraw(address);
        Ok(())
    }

    /// Has the own exchange forget an address.
    pub(crate) fn withdraw(&mut self, address: Address) {
        self.desk.put(rows::WITHDRAW, address.0.to_vec(), Vec::new());
        self.after(Effect::Begin(Task::Withdraw(address)));
    }

    /// Mail with a Welcome: somebody redeemed a card and made the contact group.
    pub(crate) fn welcomed(&mut self, address: Address, welcome: &[u8], first: &[u8]) {
        let card = self.cards.iter().find(|(_, c)| c.row.address == address);
        let Some((id, State::Issued | State::Issuing)) = card.map(|(id, c)| (*id, c.state()))
        else {
            self.dropped += 1;
            return;
        };
        if self.redeemed_by(id, welcome, first).is_err() {
            self.dropped += 1;
        }
    }

    /// Joins, checks who it is, and makes the contact. Nothing has changed if it fails.
    fn redeemed_by(&mut self, id: u32, welcome: &[u8], first: &[u8]) -> Result<(), InputError> {
        let damaged = || InputError::WrongState("the stored card is damaged");
        let row = self.cards.get(&id).ok_or(InputError::NoSuch("card"))?.row.clone();
        let mut packages =
            KeyPackages::restore(row.packages.as_bytes(), &self.device).map_err(|_| damaged())?;
        // The group is bound to the whole card, of which exchanges saw the address alone: whoever made it holds the
        // card. He is let in, and must then show a card of the same identity.
        let own = UnverifiedCard::from_bytes(row.text.as_bytes())?.verify(row.issued)?;
        let mut group = Group::join(
            &self.device,
            &mut packages,
            welcome,
            GroupKind::Contact,
            &[own.psk()],
            Admit::Vouched,
        )?;
        let words = group.authenticator();
        let Incoming::Application { from, message } = group.process(first)? else {
            return Err(InputError::WrongState("the redeemer did not introduce itself"));
        };
        let ContactMessage::Introduce { card } = ContactMessage::decode(&message)? else {
            return Err(InputError::WrongState("the redeemer did not introduce itself"));
        };
        let card = UnverifiedCard::from_bytes(card.as_bytes())?.verify(self.wall())?;
        let (issuer, fields) = (card.issuer(), card.fields());
        let only_two = group.members().len() == 2
            && group
                .members()
                .iter()
                .all(|m| m.device == from.device || m.device == self.device.verified());
        let device = fields.kind == Kind::Device;
        if from.device.principal() != issuer || !only_two || device != row.device {
            return Err(InputError::WrongState("the return card is not the redeemer's"));
        }
        if issuer == self.device.principal() {
            return Err(InputError::OwnCard);
        }
        group.narrow(issuer);
        let contact = ContactRow {
            name: fields.name.clone(),
            office: fields.office.clone(),
            progress: Progress::Accepted.code(),
            keys: if row.in_person { Keys::Pinned } else { Keys::Unverified }.code(),
            trusted: 0,
            blocked: false,
            identity: issuer,
            mine: row.address,
            bound: None,
            unbound: false,
            exchange: fields.exchange.clone(),
            theirs: fields.address,
            pairwise: row.pairwise,
            counter: 0,
            words: Some(words),
            said: 0,
            healed: self.wall(),
            used: false,
            sibling: device,
            shared: 0,
            packages: Blob::default(),
            card: None,
        };
        let number = self.new_contact(Contact::new(contact, Some(group)));
        if let Some(record) = self.cards.get_mut(&id) {
            record.set(State::Used { contact: number });
        }
        self.save_card(id);
        self.after(Effect::Tell(Event::CardUsed { card: id, contact: number }));
        if device {
            // Nothing is said to it before its owner has compared the words.
            return Ok(());
        }
        let name = self.own.name.clone();
        self.mail_to(number, &ContactMessage::Accepted { name })?;
        self.restock(number, false);
        Ok(())
    }
}
