//! What two exchanges say to each other on the control stream of a trunk.
//!
//! Both ends' keys are known from the handshake. Whatever is sent to an address that is unknown, revoked
//! or bound to somebody else is answered just as if all were well: `Open` is never answered at all, mail
//! is always acknowledged, and a redemption is answered in one length.

use crate::codec::{Blob, Text, messages};
use crate::envelope::Envelope;
use crate::ids::{Address, Leg, MailId, PairwisePub};
use crate::limits::{BODY_MAX, HOST_MAX, OFFER_LEN};

messages! {
    /// From either exchange.
    Trunk, "trunk message" {
        /// First on every trunk, from both ends. `host`: the sender's own trunk door.
        1 => Hello { version: u16, host: Text<HOST_MAX> },
        /// Ring `envelope.address`; voice and data use `leg` (odd if the dialler opens it, else even).
        2 => Open { leg: Leg, envelope: Envelope },
        /// `leg` is free again.
        3 => Close { leg: Leg },
        /// To the other end of `leg`: sealed.
        4 => Data { leg: Leg, body: Blob<BODY_MAX> },
        /// Mail for an address; sent again until acknowledged.
        5 => Mail { mail: MailId, envelope: Envelope },
        /// The mail needs no more sending.
        6 => MailAck { mail: MailId },
        /// Bind `address` to `bound`, if its card is still to be redeemed.
        7 => Redeem { request: u32, address: Address, bound: PairwisePub },
        /// The answer: `valid`, and `len` bytes of offer padded to [`OFFER_LEN`], always.
        8 => Redeemed { request: u32, valid: bool, len: u16, offer: Blob<OFFER_LEN> },
    }
}
