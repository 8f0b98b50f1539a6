//! What stands on disk, row by row. Addresses, keys and sealed bodies; no content, no names of contacts.
//!
//! ```text
//!  space          key                          value
//!  1 principal    id u32                       name
//!  2 token        SHA-256 of the token 32      principal u32 | expires u64
//!  3 line         line key 32                  principal u32 | device u8 | mail acknowledged u64
//!  4 address      address 16                   principal u32 | open: 1, expiry u64 | bound: 2, key 32
//!                                              | 8 windows of mail, 8 of rings: last u64, seen u64
//!  5 offer        address 16                   offer
//!  6 mailbox      principal u32 | number u64   devices u8 | address 16 | at u64 | body | rule that kept it from
//!                                              ringing u8 (0: none; rows of earlier versions end before it)
//!  7 outbox       number u64                   principal u32 | mail 16 | name on the trunk 16
//!                                              | exchange | envelope
//!  8 peer         exchange key 32              host | was up u8
//!  9 mark         kind u8                      zeros, as long as the row of a valid request
//! 30 entry        index u64                    its hash 32 | entry, sealed to the records officer, 4,096
//! 31 head         -                            exchange key 32 | size u64 | signature 64 | roots of full
//!                                              subtrees, 32 each
//! 32 receipt      line key 32                  hash of its newest entry 32 | size u64 | root 32 | signature 64
//!                                              | proof
//! 33 order        -                            the records officer's order
//! 34 tests        exchange key 32              answered u8 | failures u32 | since u64 | results, oldest first: at u64,
//!                                              outcome u8, for a measured one its figures
//! 35 rule         principal u32                staff bool | option(hours) | who can lift it
//! ```
//!
//! Rows of space 30 are many, and never read here: a host does not bring them back ([`ENTRY`]).
//!
//! Rows of space 9 say nothing: what is refused without a word writes one, to take the steps of what is
//! not refused.

use record::{Frontier, Head, Order};
use thiserror::Error;
use wire::limits::{ENTRY_LEN, HOST_MAX, NAME_MAX, OFFER_MAX, PROOF_MAX};
use wire::rows::Row;
use wire::{
    Address, DecodeError, Envelope, ExchangePub, ExchangeRef, Field, LinePub, MailId, PairwisePub,
    Reader, Rule, Signature, Text, Wall, Writer,
};

use crate::addresses::{AddressEntry, State, Window};
use crate::api::OfficeRule;
use crate::limits::DEVICES;
use crate::mail::{Outgoing, Piece};
use crate::quality::{Figures, History, Outcome, TestResult};
use crate::record::Receipt;

pub(crate) const PRINCIPAL: u8 = 1;
pub(crate) const TOKEN: u8 = 2;
pub(crate) const LINE: u8 = 3;
pub(crate) const ADDRESS: u8 = 4;
pub(crate) const OFFER: u8 = 5;
pub(crate) const MAILBOX: u8 = 6;
pub(crate) const OUTBOX: u8 = 7;
pub(crate) const PEER: u8 = 8;
pub(crate) const MARK: u8 = 9;
/// The space of the record's entries: their key is the index, big-endian; their value the hash of the entry, 32
/// bytes, and the entry. The machine needs none of them back.
pub const ENTRY: u8 = 30;
/// The space of the record's head, one row: exchange key 32, size `u64`, signature 64 bytes, then the hashes that
/// the root is made of.
pub const HEAD: u8 = 31;
pub(crate) const RECEIPT: u8 = 32;
/// The space of the records officer's order, one row.
pub const ORDER: u8 = 33;
pub(crate) const TESTS: u8 = 34;
pub(crate) const RULE: u8 = 35;

/// Length of every row of an address. Bytes.
pub(crate) const ADDRESS_LEN: usize = 4 + 1 + 32 + 2 * DEVICES * 16;

/// The store does not hold what this program wrote. The exchange does not start with a part of it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RestoreError {
    /// A row cannot be read.
    #[error(
        "the store is damaged: a row of '{space}' is not as this program writes it ({why}); \
         restore the store from a backup, or start again with an empty one and enrol all handsets anew"
    )]
    Row {
        /// Which table.
        space: &'static str,
        /// What is wrong.
        why: DecodeError,
    },
    /// A row belongs to another one that is not there.
    #[error(
        "the store is damaged: a row of '{space}' belongs to a {to} that is missing; \
         restore the store from a backup, or start again with an empty one and enrol all handsets anew"
    )]
    Orphan {
        /// Which table.
        space: &'static str,
        /// Which other table.
        to: &'static str,
    },
    /// A table that this version does not know.
    #[error(
        "the store has a table {space} that this version does not know: it was written by a newer \
         version; start that one, or restore the store from a backup"
    )]
    Space {
        /// Its number.
        space: u8,
    },
}

/// One row, read.
pub(crate) enum Stored {
    Principal(u32, Text<NAME_MAX>),
    Token([u8; 32], u32, Wall),
    Line { line: LinePub, principal: u32, device: u8, acked: u64 },
    Address(Address, AddressEntry),
    Offer(Address, Vec<u8>),
    Mailbox(u32, u64, Piece),
    Outbox(u64, Outgoing),
    Peer(ExchangePub, Text<HOST_MAX>, bool),
    Mark,
    Entry,
    Head(Frontier),
    Receipt(LinePub, Receipt),
    Order(Order),
    Tests(ExchangePub, History),
    Rule(u32, OfficeRule),
}

pub(crate) fn u32_key(id: u32) -> Vec<u8> {
    id.to_be_bytes().to_vec()
}

pub(crate) fn mail_key(principal: u32, seq: u64) -> Vec<u8> {
    let mut w = Writer::new();
    principal.write(&mut w);
    seq.write(&mut w);
    w.finish()
}

pub(crate) fn principal(name: &Text<NAME_MAX>) -> Vec<u8> {
    let mut w = Writer::new();
    name.write(&mut w);
    w.finish()
}

pub(crate) fn token(principal: u32, expires: Wall) -> Vec<u8> {
    let mut w = Writer::new();
    principal.write(&mut w);
    expires.write(&mut w);
    w.finish()
}

pub(crate) fn line(principal: u32, device: u8, acked: u64) -> Vec<u8> {
    let mut w = Writer::new();
    principal.write(&mut w);
    device.write(&mut w);
    acked.write(&mut w);
    w.finish()
}

/// Always [`ADDRESS_LEN`] bytes.
pub(crate) fn address(entry: &AddressEntry) -> Vec<u8> {
    let mut w = Writer::new();
    entry.principal.write(&mut w);
    match &entry.state {
        State::Open { expiry } => {
            w.bytes(&[1]);
            expiry.write(&mut w);
            w.bytes(&[0; 24]);
        }
        State::Bound { key } => {
            w.bytes(&[2]);
            key.write(&mut w);
        }
    }
    for window in entry.mail.iter().chain(&entry.rings) {
        window.last.write(&mut w);
        window.seen.write(&mut w);
    }
    w.finish()
}

pub(crate) fn piece(piece: &Piece) -> Vec<u8> {
    let mut w = Writer::new();
    piece.devices.write(&mut w);
    piece.address.write(&mut w);
    piece.at.write(&mut w);
    w.var(&piece.body);
    match piece.barred {
        Some(rule) => rule.write(&mut w),
        None => {
            w.bytes(&[0]);
        }
    }
    w.finish()
}

/// Length of the row of a piece with a body of `body` bytes.
pub(crate) fn piece_len(body: usize) -> usize {
    1 + 16 + 8 + 2 + body + 1
}

pub(crate) fn outgoing(mail: &Outgoing) -> Vec<u8> {
    let mut w = Writer::new();
    mail.principal.write(&mut w);
    mail.mail.write(&mut w);
    mail.name.write(&mut w);
    mail.exchange.write(&mut w);
    mail.envelope.write(&mut w);
    w.finish()
}

pub(crate) fn peer(host: &Text<HOST_MAX>, was_up: bool) -> Vec<u8> {
    let mut w = Writer::new();
    host.write(&mut w);
    was_up.write(&mut w);
    w.finish()
}

pub(crate) fn head(frontier: &Frontier, head: &Head) -> Vec<u8> {
    let mut w = Writer::new();
    head.exchange.write(&mut w);
    head.size.write(&mut w);
    head.signature.write(&mut w);
    w.bytes(&frontier.peaks().concat());
    w.finish()
}

pub(crate) fn receipt(receipt: &Receipt) -> Vec<u8> {
    let mut w = Writer::new();
    receipt.leaf.write(&mut w);
    receipt.size.write(&mut w);
    receipt.root.write(&mut w);
    receipt.signature.write(&mut w);
    w.bytes(&receipt.proof);
    w.finish()
}

pub(crate) fn tests(history: &History) -> Vec<u8> {
    let mut w = Writer::new();
    history.answered.write(&mut w);
    history.failures.write(&mut w);
    history.since.write(&mut w);
    for TestResult { at, outcome } in &history.results {
        at.write(&mut w);
        let code: u8 = match outcome {
            Outcome::Measured(_) => 1,
            Outcome::GaveWay => 2,
            Outcome::NotSupported => 3,
            Outcome::Down => 4,
            Outcome::Full => 5,
            Outcome::Refused => 6,
            Outcome::Silent => 7,
        };
        code.write(&mut w);
        if let Outcome::Measured(f) = outcome {
            f.there.write(&mut w);
            for n in [f.sent, f.back, f.gaps, f.longest_gap] {
                n.write(&mut w);
            }
            for us in [f.round_trip_p50_us, f.round_trip_p95_us, f.jitter_us, f.opening_us] {
                us.write(&mut w);
            }
        }
    }
    w.finish()
}

pub(crate) fn rule(rule: &OfficeRule) -> Vec<u8> {
    let mut w = Writer::new();
    rule.staff.write(&mut w);
    rule.hours.write(&mut w);
    rule.lifts.write(&mut w);
    w.finish()
}

/// Reads one row.
pub(crate) fn read(row: &Row) -> Result<Stored, RestoreError> {
    let (space, read): (_, Read) = match row.space {
        PRINCIPAL => ("principal", read_principal),
        TOKEN => ("token", read_token),
        LINE => ("line", read_line),
        ADDRESS => ("address", read_address),
        OFFER => ("offer", read_offer),
        MAILBOX => ("mailbox", read_mailbox),
        OUTBOX => ("outbox", read_outbox),
        PEER => ("peer", read_peer),
        MARK => return Ok(Stored::Mark),
        ENTRY => ("entry", read_entry),
        HEAD => ("head", read_head),
        RECEIPT => ("receipt", read_receipt),
        ORDER => ("order", read_order),
        TESTS => ("line test", read_tests),
        RULE => ("rule", read_rule),
        space => return Err(RestoreError::Space { space }),
    };
    let both = || {
        let (mut key, mut value) = (Reader::new(&row.key), Reader::new(&row.value));
        let stored = read(&mut key, &mut value)?;
        key.end()?;
        value.end()?;
        Ok(stored)
    };
    both().map_err(|why| RestoreError::Row { space, why })
}

type Read = fn(&mut Reader<'_>, &mut Reader<'_>) -> Result<Stored, DecodeError>;

fn read_principal(k: &mut Reader<'_>, v: &mut Reader<'_>) -> Result<Stored, DecodeError> {
    Ok(Stored::Principal(owner(k.u32("principal")?)?, Text::read(v, "name")?))
}

fn read_token(k: &mut Reader<'_>, v: &mut Reader<'_>) -> Result<Stored, DecodeError> {
    Ok(Stored::Token(k.array("token")?, v.u32("principal")?, Wall::read(v, "expires")?))
}

fn read_line(k: &mut Reader<'_>, v: &mut Reader<'_>) -> Result<Stored, DecodeError> {
    Ok(Stored::Line {
        line: LinePub::read(k, "line")?,
        principal: v.u32("principal")?,
        device: below(v.u8("device")?, DEVICES, "device")?,
        acked: number(v.u64("acknowledged")?)?,
    })
}

fn read_address(k: &mut Reader<'_>, v: &mut Reader<'_>) -> Result<Stored, DecodeError> {
    let principal = v.u32("principal")?;
    let state = match v.u8("state")? {
        1 => {
            let expiry = Wall::read(v, "expiry")?;
            v.bytes(24, "padding")?;
            State::Open { expiry }
        }
        2 => State::Bound { key: PairwisePub::read(v, "key")? },
        value => return Err(DecodeError::Undefined { field: "state", value: value.into() }),
    };
    let mut entry = AddressEntry::new(principal, state);
    for window in entry.mail.iter_mut().chain(&mut entry.rings) {
        *window = Window { last: v.u64("window")?, seen: v.u64("window")? };
    }
    Ok(Stored::Address(Address::read(k, "address")?, entry))
}

fn read_offer(k: &mut Reader<'_>, v: &mut Reader<'_>) -> Result<Stored, DecodeError> {
    let left = v.left();
    if left > OFFER_MAX {
        return Err(DecodeError::TooLong { field: "offer", len: left, max: OFFER_MAX });
    }
    Ok(Stored::Offer(Address::read(k, "address")?, v.bytes(left, "offer")?.to_vec()))
}

fn read_mailbox(k: &mut Reader<'_>, v: &mut Reader<'_>) -> Result<Stored, DecodeError> {
    let piece = Piece {
        devices: v.u8("devices")?,
        address: Address::read(v, "address")?,
        at: Wall::read(v, "at")?,
        body: v.var(wire::limits::BODY_MAX, "body")?.into(),
        barred: match v.left() {
            0 => None,
            _ => read_barred(v)?,
        },
        stored: true,
    };
    Ok(Stored::Mailbox(k.u32("principal")?, number(k.u64("number")?)?, piece))
}

fn read_barred(v: &mut Reader<'_>) -> Result<Option<Rule>, DecodeError> {
    match v.bytes(1, "rule")? {
        [0] => Ok(None),
        code => Rule::read(&mut Reader::new(code), "rule").map(Some),
    }
}

fn read_rule(k: &mut Reader<'_>, v: &mut Reader<'_>) -> Result<Stored, DecodeError> {
    let rule = OfficeRule {
        staff: bool::read(v, "staff")?,
        hours: Option::read(v, "hours")?,
        lifts: Text::read(v, "who can lift it")?,
    };
    Ok(Stored::Rule(k.u32("principal")?, rule))
}

fn read_outbox(k: &mut Reader<'_>, v: &mut Reader<'_>) -> Result<Stored, DecodeError> {
    let mail = Outgoing {
        principal: v.u32("principal")?,
        mail: MailId::read(v, "mail")?,
        name: MailId::read(v, "name")?,
        exchange: ExchangeRef::read(v, "exchange")?,
        envelope: Envelope::read(v, "envelope")?,
        stored: true,
    };
    Ok(Stored::Outbox(number(k.u64("number")?)?, mail))
}

fn read_peer(k: &mut Reader<'_>, v: &mut Reader<'_>) -> Result<Stored, DecodeError> {
    Ok(Stored::Peer(
        ExchangePub::read(k, "exchange")?,
        Text::read(v, "host")?,
        bool::read(v, "was up")?,
    ))
}

fn read_entry(k: &mut Reader<'_>, v: &mut Reader<'_>) -> Result<Stored, DecodeError> {
    k.u64("index")?;
    v.bytes(32 + ENTRY_LEN, "entry")?;
    Ok(Stored::Entry)
}

fn read_head(_: &mut Reader<'_>, v: &mut Reader<'_>) -> Result<Stored, DecodeError> {
    ExchangePub::read(v, "exchange")?;
    let size = number(v.u64("size")?)?;
    Signature::read(v, "signature")?;
    let mut peaks = Vec::new();
    while v.left() > 0 {
        peaks.push(v.array("subtree")?);
    }
    let undefined = DecodeError::Undefined { field: "size", value: size };
    Ok(Stored::Head(Frontier::restore(size, peaks).ok_or(undefined)?))
}

fn read_receipt(k: &mut Reader<'_>, v: &mut Reader<'_>) -> Result<Stored, DecodeError> {
    let line = LinePub::read(k, "line")?;
    let (leaf, size, root) = (v.array("leaf")?, number(v.u64("size")?)?, v.array("root")?);
    let signature = Signature::read(v, "signature")?;
    let left = v.left();
    if left > PROOF_MAX || !left.is_multiple_of(32) {
        return Err(DecodeError::TooLong { field: "proof", len: left, max: PROOF_MAX });
    }
    let proof = v.bytes(left, "proof")?.to_vec();
    Ok(Stored::Receipt(line, Receipt { leaf, size, root, signature, proof }))
}

fn read_order(_: &mut Reader<'_>, v: &mut Reader<'_>) -> Result<Stored, DecodeError> {
    let left = v.left();
    let damaged = DecodeError::Undefined { field: "order", value: left as u64 };
    Order::parse(v.bytes(left, "order")?).map(Stored::Order).map_err(|_| damaged)
}

fn read_tests(k: &mut Reader<'_>, v: &mut Reader<'_>) -> Result<Stored, DecodeError> {
    let (answered, failures, since) =
        (bool::read(v, "answered")?, v.u32("failures")?, Wall::read(v, "since")?);
    let mut history = History { answered, failures, since, ..History::default() };
    while v.left() > 0 {
        let at = Wall::read(v, "at")?;
        let outcome = match v.u8("outcome")? {
            1 => Outcome::Measured(Figures {
                there: Option::read(v, "there")?,
                sent: v.u16("sent")?,
                back: v.u16("back")?,
                gaps: v.u16("gaps")?,
                longest_gap: v.u16("longest gap")?,
                round_trip_p50_us: v.u32("round trip")?,
                round_trip_p95_us: v.u32("round trip")?,
                jitter_us: v.u32("jitter")?,
                opening_us: v.u32("opening")?,
            }),
            2 => Outcome::GaveWay,
            3 => Outcome::NotSupported,
            4 => Outcome::Down,
            5 => Outcome::Full,
            6 => Outcome::Refused,
            7 => Outcome::Silent,
            value => return Err(DecodeError::Undefined { field: "outcome", value: value.into() }),
        };
        history.results.push_back(TestResult { at, outcome });
    }
    Ok(Stored::Tests(ExchangePub::read(k, "exchange")?, history))
}

/// A number that is counted up from, and so must not be at the end.
fn number(value: u64) -> Result<u64, DecodeError> {
    if value < u64::MAX / 2 {
        Ok(value)
    } else {
        Err(DecodeError::Undefined { field: "number", value })
    }
}

/// The number of a principal, likewise.
fn owner(value: u32) -> Result<u32, DecodeError> {
    if value < u32::MAX / 2 {
        Ok(value)
    } else {
        Err(DecodeError::Undefined { field: "principal", value: value.into() })
    }
}

fn below(value: u8, max: usize, field: &'static str) -> Result<u8, DecodeError> {
    if usize::from(value) < max {
        Ok(value)
    } else {
        Err(DecodeError::Undefined { field, value: value.into() })
    }
}
