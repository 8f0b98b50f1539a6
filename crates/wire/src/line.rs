//! What a handset and its own exchange say to each other on the control stream of a line.
//!
//! ```text
//!  handset                                   exchange
//!     │ ◄──────────── Challenge ───────────────│   as soon as the link is up
//!     │ ── Attach (known line) ──────────────► │   or Enrol (first time, single-use token)
//!     │ ◄──────────── Attached ────────────────│   or Refused
//!     │ ── Open ► .. ◄ Incoming ── Take ► ── LegData ◄► ── Close ◄►     legs: calls
//!     │ ── Post ► ◄ Posted          ◄ Deliver ── Delivered ►            mail: kept until acknowledged
//!     │ ── Aside ►                  ◄ Aside                             for whoever is here now: kept nowhere
//!     │ ── Register / Revoke / Redeem ►  ◄ Done / Offer / Failed        addresses
//!     │ ◄ Order     ── Record ►  ◄ Recorded / Failed                    the office's record
//! ```

use crate::codec::{Blob, Text, codes, messages};
use crate::envelope::Envelope;
use crate::ids::{
    Address, ExchangePub, ExchangeRef, Leg, LinePub, MailId, Nonce, PairwisePub, Signature, Token,
};
use crate::limits::{
    BODY_MAX, ENTRY_LEN, HOST_MAX, LIFTS_MAX, NAME_MAX, OFFER_MAX, ORDER_MAX, PROOF_MAX,
};
use crate::rules::Rule;
use crate::time::Wall;

messages! {
    /// From the handset.
    LineUp, "line message" {
        /// I am this line: proves the line key over the challenge.
        1 => Attach { version: u16, line: LinePub, signature: Signature },
        /// I am new, and the operator gave me this token. The line key is known from now on.
        2 => Enrol { version: u16, token: Token, line: LinePub, signature: Signature },
        /// Keep this and bring it to `exchange`. Acknowledged by `Posted` once it is on disk.
        3 => Post { mail: MailId, exchange: ExchangeRef, envelope: Envelope },
        /// Mail up to and including this one is safe with me.
        4 => Delivered { seq: u64 },
        /// Ring `envelope.address`, and let voice and data of the call use `leg` (chosen by me, odd).
        5 => Open { leg: Leg, exchange: ExchangeRef, envelope: Envelope },
        /// This handset answers the call that came in on `leg`.
        6 => Take { leg: Leg },
        /// This handset is done with `leg`.
        7 => Close { leg: Leg },
        /// To the other end of `leg`: sealed.
        8 => LegData { leg: Leg, body: Blob<BODY_MAX> },
        /// Make `address` mine, for whoever redeems its card first until `expiry`; give that one `offer`.
        9 => RegisterOpen { request: u32, address: Address, expiry: Wall, offer: Blob<OFFER_MAX> },
        /// Make `address` mine, for the holder of `bound` only.
        10 => RegisterBound { request: u32, address: Address, bound: PairwisePub },
        /// Forget `address`. Whoever uses it afterwards learns nothing.
        11 => Revoke { request: u32, address: Address },
        /// Redeem the card with `address` at `exchange`, binding it to `bound`.
        12 => Redeem { request: u32, exchange: ExchangeRef, address: Address, bound: PairwisePub },
        /// To the handsets at an address of this exchange that are up now; kept nowhere, and never answered. Its
        /// counter is 0.
        13 => Aside { envelope: Envelope },
        /// Tell me how tests of the trunk to `exchange` go, from now on.
        14 => Watch { exchange: ExchangePub },
        /// Both legs are mine and were answered: from now on whatever comes in on any end of either goes
        /// to all others, and `with` is gone on this line.
        20 => Join { leg: Leg, with: Leg },
        /// Put this entry into the record: sealed, and of one length always.
        30 => Record { request: u32, entry: Blob<ENTRY_LEN> },
    }
}

messages! {
    /// From the exchange.
    LineDown, "line message" {
        /// First on every line. `wall` is the exchange's time of day, so that a handset can tell its user
        /// that the device's clock is wrong.
        1 => Challenge { version: u16, nonce: Nonce, wall: Wall },
        /// The line is known. `host` is where the trunk door is, as it has to stand on cards.
        2 => Attached { office: Text<NAME_MAX>, principal: Text<NAME_MAX>, device: u8, host: Text<HOST_MAX> },
        /// The line is not admitted; the link goes down.
        3 => Refused { reason: Refusal },
        /// The mail is on disk here.
        4 => Posted { mail: MailId },
        /// The mail is not taken; it can be posted again later.
        5 => NotPosted { mail: MailId, reason: Failure },
        /// Mail for this handset; kept until acknowledged by `Delivered`. `at`: when it reached the exchange.
        6 => Deliver { seq: u64, address: Address, at: Wall, body: Blob<BODY_MAX> },
        /// Somebody rings `address`. The leg (even) is there already.
        7 => Incoming { leg: Leg, address: Address, at: Wall, body: Blob<BODY_MAX> },
        /// The leg is gone.
        8 => Closed { leg: Leg, reason: Closure },
        /// From the other end of `leg`: sealed.
        9 => LegData { leg: Leg, body: Blob<BODY_MAX> },
        /// A request is done, and on disk.
        10 => Done { request: u32 },
        /// A request failed.
        11 => Failed { request: u32, reason: Failure },
        /// The card was redeemed; this is what its issuer left for the redeemer.
        12 => Offer { request: u32, offer: Blob<OFFER_MAX> },
        /// An `Aside` of another line of this exchange to `address`.
        13 => Aside { address: Address, body: Blob<BODY_MAX> },
        /// How the newest test of the trunk to `exchange` went, after a `Watch`: `at` that time; since `failing` more than one
        /// failed in a row (0: that is not so); of `sent` frames so many were lost; round trip of half of them, at most.
        14 => Tested {
            exchange: ExchangePub, at: Wall, verdict: TestVerdict, failing: Wall, sent: u16, lost: u16, round_trip_us: u32,
        },
        /// The call on `leg` is not placed: this rule of the office's about its own lines keeps it from that, and whom `lifts` names can
        /// lift it. `Closed` follows.
        15 => Barred { leg: Leg, rule: Rule, lifts: Text<LIFTS_MAX> },
        /// The `Deliver` of that number, which follows, is a ring of another office that such a rule kept from this line. `lifts` is empty if
        /// the rule has been lifted.
        16 => Withheld { seq: u64, rule: Rule, lifts: Text<LIFTS_MAX> },
        /// The records officer's order, as the officer signed it: which calls, and to which key.
        30 => Order { order: Blob<ORDER_MAX> },
        /// The entry is in the record, and on disk. It is the last of `size` entries; `signature` is the
        /// exchange's over the checkpoint of that size and `root`, and `proof` leads from the entry to `root`.
        31 => Recorded { request: u32, size: u64, root: [u8; 32], signature: Signature, proof: Blob<PROOF_MAX> },
    }
}

codes! {
    /// What a test says about a trunk.
    TestVerdict {
        /// A call would go well.
        1 => Works,
        /// It would go badly, or not at all.
        2 => Fails,
        /// It says neither: a call needed the voice path.
        3 => Unsure,
    }
}

codes! {
    /// Why a line is not admitted.
    Refusal {
        /// Other protocol version: update one of the two.
        1 => Version,
        /// Unknown or revoked line, or bad proof: ask the operator to enrol this handset.
        2 => Unknown,
        /// The token is not valid (any more): ask the operator for a new one.
        3 => Token,
        /// The same line attached again elsewhere; that one is served now.
        4 => Replaced,
        /// Too many attempts; try again later.
        5 => Limit,
    }
}

codes! {
    /// Why something that was asked for was not done.
    Failure {
        /// The card is no longer valid: used, withdrawn, expired or never issued; nobody is told which.
        1 => NotValid,
        /// The other exchange cannot be reached at the moment; it may help to try again.
        2 => Unreachable,
        /// Own exchange: a limit is reached (mail waiting, addresses, requests); try again later.
        3 => Limit,
        /// Own exchange cannot write to its disk; the operator has to act.
        4 => Storage,
        /// The address is in use.
        5 => Taken,
    }
}

codes! {
    /// Why a leg is gone.
    Closure {
        /// The other end closed it.
        1 => Closed,
        /// Another handset of the same principal answered.
        2 => Elsewhere,
        /// The other exchange cannot be reached.
        3 => Unreachable,
        /// All voice paths to the other exchange are in use.
        4 => Full,
        /// Own exchange: too many legs or calls at once.
        5 => Limit,
    }
}
