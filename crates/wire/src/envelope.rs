//! What travels to an address: mail, and the invitation that rings. Sealed inside, signed outside.
//!
//! ```text
//!  Envelope = address 16 | device u8 | counter u64 | signature 64 | body (u16 length, sealed)
//! ```
//!
//! The signature is by the key that the address is bound to, over everything but itself. Counters of one
//! device only rise, so that a copied envelope is recognised.

use crate::codec::{Blob, DecodeError, Field, Reader, Writer};
use crate::ids::{Address, Signature};
use crate::limits::BODY_MAX;

/// Addressed, signed, opaque.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Where to.
    pub address: Address,
    /// Which device of the sending principal; each has a counter of its own.
    pub device: u8,
    /// Higher than that of every earlier envelope of this device to this address.
    pub counter: u64,
    /// By the pairwise key that the address is bound to, over [`Envelope::signed`].
    pub signature: Signature,
    /// A [`crate::talk::Sealed`], which no exchange parses.
    pub body: Blob<BODY_MAX>,
}

impl Envelope {
    /// The bytes that the signature is over: label, address, device, counter, body.
    #[must_use]
    pub fn signed(address: &Address, device: u8, counter: u64, body: &[u8]) -> Vec<u8> {
        let mut w = Writer::new();
        w.bytes(b"hotline envelope v1");
        address.write(&mut w);
        device.write(&mut w);
        counter.write(&mut w);
        w.bytes(body);
        w.finish()
    }
}

impl Field for Envelope {
    fn write(&self, w: &mut Writer) {
        self.address.write(w);
        self.device.write(w);
        self.counter.write(w);
        self.signature.write(w);
        self.body.write(w);
    }
    fn read(r: &mut Reader<'_>, _: &'static str) -> Result<Self, DecodeError> {
        Ok(Envelope {
            address: Address::read(r, "Envelope.address")?,
            device: r.u8("Envelope.device")?,
            counter: r.u64("Envelope.counter")?,
            signature: Signature::read(r, "Envelope.signature")?,
            body: Blob::read(r, "Envelope.body")?,
        })
    }
}
