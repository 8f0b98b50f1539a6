//! Mail: kept until the other end has it on its disk.
//!
//! ```text
//!  handset ─ Post ─► outbox ─ Mail ─► other exchange: mailbox ─ Deliver ─► handset
//!          ◄ Posted    │    ◄ MailAck                  │      ◄ Delivered
//!          (on disk)   └ deleted at MailAck            └ deleted when all handsets that it is for have it
//! ```
//!
//! One piece stands once in the mailbox of its principal, with the handsets that it is for. A handset
//! acknowledges by number, so that one number per handset tells what it has.

use core::ops::Bound::{Excluded, Included, Unbounded};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use wire::line::{Failure, LineDown};
use wire::trunk::Trunk;
use wire::{Address, Blob, Envelope, ExchangePub, ExchangeRef, MailId, Rule, Wall};

use crate::addresses::For;
use crate::answers::Answer;
use crate::api::CloseReason;
use crate::limits;
use crate::machine::Exchange;
use crate::ports::{Attached, PortId};
use crate::rows;
use crate::store::After;

/// Mail for the handsets of one principal.
#[derive(Debug)]
pub(crate) struct Piece {
    /// Bit i: it is for the handset with device number i.
    pub(crate) devices: u8,
    pub(crate) address: Address,
    pub(crate) at: Wall,
    pub(crate) body: Arc<[u8]>,
    /// A ring of another office: the rule that kept it from ringing.
    pub(crate) barred: Option<Rule>,
    pub(crate) stored: bool,
}

/// Mail for another exchange.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) principal: u32,
    /// The handset's name for it.
    pub(crate) mail: MailId,
    /// Its name on the trunk, which tells nothing about the handset.
    pub(crate) name: MailId,
    pub(crate) exchange: ExchangeRef,
    pub(crate) envelope: Envelope,
    pub(crate) stored: bool,
}

/// Mail for other exchanges.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    mail: BTreeMap<u64, Outgoing>,
    by_peer: HashMap<ExchangePub, BTreeSet<u64>>,
    by_name: HashMap<(u32, MailId), u64>,
    last: u64,
}

impl Outbox {
    pub(crate) fn len(&self) -> usize {
        self.mail.len()
    }

    pub(crate) fn peers(&self) -> impl Iterator<Item = &ExchangePub> {
        self.by_peer.keys()
    }

    pub(crate) fn has_mail_for(&self, peer: &ExchangePub) -> bool {
        self.by_peer.contains_key(peer)
    }

    fn insert(&mut self, seq: u64, mail: Outgoing) {
        self.last = self.last.max(seq);
        self.by_peer.entry(mail.exchange.key).or_default().insert(seq);
        self.by_name.insert((mail.principal, mail.mail), seq);
        self.mail.insert(seq, mail);
    }

    fn remove(&mut self, seq: u64) -> Option<Outgoing> {
        let mail = self.mail.remove(&seq)?;
        self.by_name.remove(&(mail.principal, mail.mail));
        if let Some(queue) = self.by_peer.get_mut(&mail.exchange.key) {
            queue.remove(&seq);
            if queue.is_empty() {
                self.by_peer.remove(&mail.exchange.key);
            }
        }
        Some(mail)
    }

    /// The first piece for `peer` after number `after`.
    fn next(&self, peer: &ExchangePub, after: u64) -> Option<(u64, &Outgoing)> {
        let seq = *self.by_peer.get(peer)?.range((Excluded(after), Unbounded)).next()?;
        self.mail.get(&seq).map(|mail| (seq, mail))
    }
}

impl Exchange {
    // ---- from an own handset -------------------------------------------------------------------

    pub(crate) fn post(
        &mut self,
        port: PortId,
        who: Attached,
        mail: MailId,
        exchange: ExchangeRef,
        envelope: Envelope,
    ) {
        let posted = if !self.store.works() {
            Err(Failure::Storage)
        } else if exchange.key == self.key {
            if let Some(to) = self.admit_envelope(&envelope, For::Mail) {
                self.after_admitted(to.principal, to.piece);
            }
            Ok(())
        } else {
            self.post_out(who.principal, mail, exchange, envelope)
        };
        match posted {
            Ok(()) => self.answer_when_stored(Answer::Posted { port, mail }),
            Err(reason) => self.tell(port, &LineDown::NotPosted { mail, reason }),
        }
    }

    fn post_out(
        &mut self,
        principal: u32,
        mail: MailId,
        exchange: ExchangeRef,
        envelope: Envelope,
    ) -> Result<(), Failure> {
        // Posted again by a handset that did not hear `Posted`.
        if self.outbox.by_name.contains_key(&(principal, mail)) {
            return Ok(());
        }
        let len = envelope.body.as_bytes().len() as u64;
        let owner = self.principals.get(&principal).ok_or(Failure::Limit)?;
        if owner.outgoing >= limits::MAIL_PIECES || owner.outgoing_bytes + len > limits::MAIL_BYTES
        {
            return Err(Failure::Limit);
        }
        self.name_peer(principal, &exchange)?;
        let seq = self.outbox.last + 1;
        let peer = exchange.key;
        let name = self.random_id();
        let mail = Outgoing { principal, mail, name, exchange, envelope, stored: false };
        self.store.put(rows::OUTBOX, seq.to_be_bytes().to_vec(), rows::outgoing(&mail));
        self.restore_outgoing(seq, mail);
        self.store.then(After::Outbox { peer, seq });
        Ok(())
    }

    /// Puts a piece into the outbox: a new one, or one from disk.
    pub(crate) fn restore_outgoing(&mut self, seq: u64, mail: Outgoing) {
        if let Some(owner) = self.principals.get_mut(&mail.principal) {
            owner.outgoing += 1;
            owner.outgoing_bytes += mail.envelope.body.as_bytes().len() as u64;
        }
        self.outbox.insert(seq, mail);
    }

    fn drop_outgoing(&mut self, seq: u64) {
        let Some(mail) = self.outbox.remove(seq) else { return };
        if let Some(owner) = self.principals.get_mut(&mail.principal) {
            owner.outgoing = owner.outgoing.saturating_sub(1);
            let len = mail.envelope.body.as_bytes().len() as u64;
            owner.outgoing_bytes = owner.outgoing_bytes.saturating_sub(len);
        }
        self.store.delete(rows::OUTBOX, seq.to_be_bytes().to_vec());
    }

    pub(crate) fn drop_outgoing_of(&mut self, principal: u32) {
        let all: Vec<u64> = self
            .outbox
            .mail
            .iter()
            .filter(|(_, mail)| mail.principal == principal)
            .map(|(seq, _)| *seq)
            .collect();
        for seq in all {
            self.drop_outgoing(seq);
        }
    }

    pub(crate) fn outgoing_stored(&mut self, peer: &ExchangePub, seq: u64) {
        if let Some(mail) = self.outbox.mail.get_mut(&seq) {
            mail.stored = true;
        }
        self.send_mail(peer);
    }

    /// Sends what the window of the trunk to `peer` has room for.
    pub(crate) fn send_mail(&mut self, peer: &ExchangePub) {
        let Some(id) = self.ready_trunk(peer) else { return };
        loop {
            let Some(trunk) = self.ports.get(id).and_then(|port| port.trunk()) else { return };
            if trunk.flying.len() >= limits::TRUNK_MAIL_WINDOW {
                return;
            }
            let idle = trunk.flying.is_empty();
            let Some((seq, mail)) = self.outbox.next(peer, trunk.sent) else { return };
            if !mail.stored {
                return;
            }
            let name = mail.name;
            let message = Trunk::Mail { mail: name, envelope: mail.envelope.clone() };
            if !self.try_say(id, &message) {
                // The next acknowledgement makes room; if none is to come, nothing ever will.
                if idle {
                    self.close(id, CloseReason::Slow);
                }
                return;
            }
            if let Some(trunk) = self.ports.get_mut(id).and_then(|port| port.trunk_mut()) {
                trunk.sent = seq;
                trunk.flying.insert(name, seq);
            }
        }
    }

    pub(crate) fn mail_acked(&mut self, id: PortId, name: MailId) {
        let Some(trunk) = self.ports.get_mut(id).and_then(|port| port.trunk_mut()) else { return };
        let peer = trunk.peer;
        let Some(seq) = trunk.flying.remove(&name) else { return };
        self.drop_outgoing(seq);
        self.send_mail(&peer);
    }

    // ---- from another exchange -----------------------------------------------------------------

    pub(crate) fn mail_in(&mut self, id: PortId, mail: MailId, envelope: &Envelope) {
        let Some(trunk) = self.ports.get_mut(id).and_then(|port| port.trunk_mut()) else { return };
        if trunk.mail_in >= limits::TRUNK_MAIL_ACCEPTED {
            self.metrics.envelopes_dropped += 1;
            return;
        }
        trunk.mail_in += 1;
        let peer = trunk.peer;
        let admitted = self.admit_envelope(envelope, For::Mail);
        self.relate(&peer, admitted.is_some());
        if let Some(to) = admitted {
            self.after_admitted(to.principal, to.piece);
        }
        self.answer_when_stored(Answer::MailAck { port: id, mail });
    }

    pub(crate) fn mail_stored(&mut self, id: PortId, mail: MailId) {
        if let Some(trunk) = self.ports.get_mut(id).and_then(|port| port.trunk_mut()) {
            trunk.mail_in = trunk.mail_in.saturating_sub(1);
            self.say(id, &Trunk::MailAck { mail });
        }
    }

    // ---- to own handsets -----------------------------------------------------------------------

    pub(crate) fn after_admitted(&mut self, principal: u32, piece: Option<u64>) {
        if let Some(seq) = piece {
            self.store.then(After::Mailbox { principal, seq });
        }
    }

    /// The handsets of `principal` whose mailbox has room for `len` bytes, as bits.
    pub(crate) fn devices_with_room(&mut self, principal: u32, len: usize) -> u8 {
        let Some(owner) = self.principals.get(&principal) else { return 0 };
        let mut devices = 0;
        for line in owner.devices.iter().flatten().filter_map(|line| self.lines.get(line)) {
            if line.waiting < limits::MAIL_PIECES
                && line.waiting_bytes + len as u64 <= limits::MAIL_BYTES
            {
                devices |= 1 << line.device;
            } else {
                self.metrics.mail_full += 1;
            }
        }
        devices
    }

    pub(crate) fn put_into_mailbox(&mut self, principal: u32, piece: Piece) -> Option<u64> {
        let seq = self.principals.get(&principal)?.next_mail;
        self.store.put(rows::MAILBOX, rows::mail_key(principal, seq), rows::piece(&piece));
        self.restore_piece(principal, seq, piece);
        Some(seq)
    }

    /// Puts a piece into the mailbox: a new one, or one from disk.
    pub(crate) fn restore_piece(&mut self, principal: u32, seq: u64, piece: Piece) {
        let Some(owner) = self.principals.get_mut(&principal) else { return };
        owner.next_mail = owner.next_mail.max(seq + 1);
        for line in owner.devices.iter().flatten() {
            if let Some(line) = self.lines.get_mut(line)
                && piece.devices >> line.device & 1 == 1
                && line.acked < seq
            {
                line.waiting += 1;
                line.waiting_bytes += piece.body.len() as u64;
            }
        }
        owner.mail.insert(seq, piece);
    }

    pub(crate) fn piece_stored(&mut self, principal: u32, seq: u64) {
        let piece = self.principals.get_mut(&principal).and_then(|p| p.mail.get_mut(&seq));
        if let Some(piece) = piece {
            piece.stored = true;
        }
        for port in self.lines_of(principal).into_iter().flatten() {
            self.deliver(port);
        }
    }

    /// Sends what the line's window has room for, in order.
    pub(crate) fn deliver(&mut self, id: PortId) {
        loop {
            let Some(who) = self.ports.get(id).and_then(|port| port.attached()) else { return };
            let Some(line) = self.ports.get_mut(id).and_then(|port| port.line_mut()) else {
                return;
            };
            let Some(owner) = self.principals.get(&who.principal) else { return };
            let mut waiting = owner.mail.range((Excluded(line.sent), Unbounded));
            let Some((seq, piece)) = waiting.find(|(_, p)| p.devices >> who.device & 1 == 1) else {
                return;
            };
            let flying: usize = line.flying.iter().map(|(_, len)| len).sum();
            let len = piece.body.len();
            if !piece.stored || (flying > 0 && flying + len > limits::DELIVERY_WINDOW) {
                return;
            }
            let (seq, address, at) = (*seq, piece.address, piece.at);
            line.sent = seq;
            line.flying.push_back((seq, len.max(1)));
            let barred = piece.barred;
            let Ok(body) = Blob::new(piece.body.to_vec()) else { continue };
            if let Some(rule) = barred {
                self.tell_withheld(id, who, seq, rule);
            }
            self.tell(id, &LineDown::Deliver { seq, address, at, body });
        }
    }

    /// Says, before mail, which rule of the office's made it of a ring. Once: a handset that does not know the message loses its line by it.
    fn tell_withheld(&mut self, id: PortId, who: Attached, seq: u64, rule: Rule) {
        let lifts = self.lifts(who.principal);
        let Some(line) = self.lines.get_mut(&who.line).filter(|line| line.withheld < seq) else {
            return;
        };
        line.withheld = seq;
        self.tell(id, &LineDown::Withheld { seq, rule, lifts });
    }

    /// The handset has everything up to `seq` that was sent to it.
    pub(crate) fn delivered(&mut self, id: PortId, who: Attached, seq: u64) {
        let Some(port) = self.ports.get_mut(id).and_then(|port| port.line_mut()) else { return };
        let seq = seq.min(port.sent);
        port.flying.retain(|(number, _)| *number > seq);
        let Some(line) = self.lines.get_mut(&who.line) else { return };
        if seq <= line.acked {
            return;
        }
        let Some(owner) = self.principals.get(&who.principal) else { return };
        for (_, piece) in owner.mail.range((Excluded(line.acked), Included(seq))) {
            if piece.devices >> who.device & 1 == 1 {
                line.waiting = line.waiting.saturating_sub(1);
                line.waiting_bytes = line.waiting_bytes.saturating_sub(piece.body.len() as u64);
            }
        }
        line.acked = seq;
        self.store.put(rows::LINE, who.line.0.to_vec(), rows::line(who.principal, who.device, seq));
        self.drop_delivered(who.principal);
        self.deliver(id);
    }

    /// Deletes the mail of `principal` that no handset waits for any more.
    pub(crate) fn drop_delivered(&mut self, principal: u32) {
        let Some(owner) = self.principals.get_mut(&principal) else { return };
        let acked = owner
            .devices
            .map(|line| line.and_then(|line| self.lines.get(&line)).map_or(u64::MAX, |l| l.acked));
        let store = &mut self.store;
        owner.mail.retain(|seq, piece| {
            let waits =
                (0..limits::DEVICES).any(|d| piece.devices >> d & 1 == 1 && acked[d] < *seq);
            if !waits {
                store.delete(rows::MAILBOX, rows::mail_key(principal, *seq));
            }
            waits
        });
    }
}
