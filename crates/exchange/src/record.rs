//! The office's record: entries that handsets sealed, appended to a Merkle log, and told of when they are on disk.
//!
//! ```text
//!  handset ─ Record ─► leaf ─► frontier, signed head ─► rows: entry, head, receipt ─ one batch, fsync ─► Recorded
//!          ◄ Recorded{head, proof} ◄──────────────────────────────────────────────────────────────────────┘
//!  operator ─ SetOrder ─► row ─► Order to every line; and to each line that is attached later
//! ```
//!
//! The exchange cannot read an entry, and keeps no more of it than its place: no time, and no name. A handset
//! sends one entry after the other, so its newest receipt is enough to know one that comes again.

use std::collections::HashMap;

use record::{Frontier, Hash, Head, Order, tree};
use seal::office::ExchangeKey;
use wire::limits::ENTRY_LEN;
use wire::line::{Failure, LineDown};
use wire::{Blob, LinePub, OfficerPub, Signature};

use crate::api::{CloseReason, Reply};
use crate::limits;
use crate::machine::Exchange;
use crate::ports::{Attached, PortId};
use crate::rows;
use crate::store::After;

/// The record, as far as the machine holds it: entries are on disk only.
#[derive(Default)]
pub(crate) struct Record {
    signer: Option<ExchangeKey>,
    pub(crate) order: Option<Order>,
    pub(crate) frontier: Frontier,
    pub(crate) receipts: HashMap<LinePub, Receipt>,
}

/// What a line is told of its newest entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Receipt {
    pub(crate) leaf: Hash,
    pub(crate) size: u64,
    pub(crate) root: Hash,
    pub(crate) signature: Signature,
    pub(crate) proof: Vec<u8>,
}

impl Exchange {
    /// Lets the exchange keep a record, whose checkpoints it signs with `key`: its own.
    pub fn keep_record(&mut self, key: ExchangeKey) {
        self.record.signer = Some(key);
    }

    /// The records officer whose order is in force.
    #[must_use]
    pub fn officer(&self) -> Option<OfficerPub> {
        self.record.order.as_ref().map(Order::officer)
    }

    /// An entry of a handset's.
    pub(crate) fn record_entry(
        &mut self,
        id: PortId,
        who: Attached,
        request: u32,
        entry: &Blob<ENTRY_LEN>,
    ) {
        if entry.as_bytes().len() != ENTRY_LEN {
            return self.fault(id, CloseReason::Protocol);
        }
        let leaf = tree::leaf(entry.as_bytes());
        let again = self.record.receipts.get(&who.line).is_some_and(|r| r.leaf == leaf);
        if !again && let Err(reason) = self.append(id, who.line, leaf, entry.as_bytes()) {
            self.metrics.record_refused += 1;
            return self.tell(id, &LineDown::Failed { request, reason });
        }
        self.store.then(After::Recorded { port: id, line: who.line, request });
    }

    fn append(
        &mut self,
        id: PortId,
        line: LinePub,
        leaf: Hash,
        entry: &[u8],
    ) -> Result<(), Failure> {
        let (Some(signer), Some(_)) = (&self.record.signer, &self.record.order) else {
            return Err(Failure::NotValid);
        };
        if !self.store.works() {
            return Err(Failure::Storage);
        }
        let meter = self.ports.get_mut(id).and_then(|port| port.line_mut());
        if !meter.is_some_and(|line| line.records.take(self.now, limits::RECORDS_PER_LINE)) {
            return Err(Failure::Limit);
        }
        let index = self.record.frontier.size();
        let proof = self.record.frontier.append(leaf).concat();
        let head = Head::sign(signer, index + 1, self.record.frontier.root());
        let (size, root, signature) = (head.size, head.root, head.signature);
        let receipt = Receipt { leaf, size, root, signature, proof };
        let head = rows::head(&self.record.frontier, &head);
        self.store.put(rows::ENTRY, index.to_be_bytes().to_vec(), [&leaf[..], entry].concat());
        self.store.put(rows::HEAD, Vec::new(), head);
        self.store.put(rows::RECEIPT, line.0.to_vec(), rows::receipt(&receipt));
        self.record.receipts.insert(line, receipt);
        Ok(())
    }

    /// A line's newest entry is on disk.
    pub(crate) fn recorded(&mut self, port: PortId, line: &LinePub, request: u32) {
        let Some(Receipt { size, root, signature, proof, .. }) =
            self.record.receipts.get(line).cloned()
        else {
            return;
        };
        let Ok(proof) = Blob::new(proof) else { return };
        self.tell(port, &LineDown::Recorded { request, size, root, signature, proof });
    }

    /// Tells a line what the officer orders.
    pub(crate) fn tell_order(&mut self, id: PortId) {
        let order = self.record.order.as_ref().map(|order| Blob::new(order.as_bytes().to_vec()));
        if let Some(Ok(order)) = order {
            self.tell(id, &LineDown::Order { order });
        }
    }

    /// The operator brings an order. `anew`: although it is not by the officer of the one in force.
    pub(crate) fn set_order(&mut self, id: u64, order: Order, anew: bool) {
        if let Some(now) = self.record.order.as_ref().filter(|_| !anew) {
            if !order.follows(&now.officer()) {
                return self.reply(id, Reply::OtherOfficer);
            }
            if order.serial() < now.serial() || (order.serial() == now.serial() && order != *now) {
                return self.reply(id, Reply::Outdated);
            }
        }
        self.store.put(rows::ORDER, Vec::new(), order.as_bytes().to_vec());
        self.record.order = Some(order);
        self.store.then(After::Ordered { id });
    }

    /// The order is on disk: everybody is told.
    pub(crate) fn ordered(&mut self, id: u64) {
        for port in self.ports.ids() {
            if self.ports.get(port).and_then(|port| port.attached()).is_some() {
                self.tell_order(port);
            }
        }
        self.reply(id, Reply::Done);
    }

    pub(crate) fn forget_receipt(&mut self, line: &LinePub) {
        if self.record.receipts.remove(line).is_some() {
            self.store.delete(rows::RECEIPT, line.0.to_vec());
        }
    }
}
