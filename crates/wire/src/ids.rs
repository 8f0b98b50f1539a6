//! Names of things on the wire. None of them prints more than a reader of logs may know: secret ones
//! print nothing at all, public keys their first four bytes.

use crate::codec::{DecodeError, Field, Reader, Text, Writer};
use crate::limits::HOST_MAX;

macro_rules! id {
    ($(#[$meta:meta])* $name:ident, $len:literal, $show:expr) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $len]);

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                let show: fn(&[u8; $len], &mut core::fmt::Formatter<'_>) -> core::fmt::Result = $show;
                write!(f, concat!(stringify!($name), "("))?;
                show(&self.0, f)?;
                write!(f, ")")
            }
        }

        impl Field for $name {
            fn write(&self, w: &mut Writer) {
                w.bytes(&self.0);
            }
            fn read(r: &mut Reader<'_>, name: &'static str) -> Result<Self, DecodeError> {
                Ok($name(r.array(name)?))
            }
        }
    };
}

macro_rules! hidden {
    () => {
        |_, f| write!(f, "..")
    };
}
macro_rules! short {
    () => {
        |b, f| write!(f, "{:02x}{:02x}{:02x}{:02x}..", b[0], b[1], b[2], b[3])
    };
}

id!(
    /// Where one contact reaches one principal: 16 secret random bytes, different for every contact.
    Address, 16, hidden!()
);
id!(
    /// Names one call, at both ends; known to its members only.
    CallId, 16, hidden!()
);
id!(
    /// Names one piece of mail from its posting to its acknowledgement.
    MailId, 16, hidden!()
);
id!(
    /// Admits one new handset, once: made by `enroll`.
    Token, 16, hidden!()
);
id!(
    /// Fresh in each challenge.
    Nonce, 32, hidden!()
);
id!(
    /// An Ed25519 signature (RFC 8032).
    Signature, 64, hidden!()
);
id!(
    /// The long-term Ed25519 key of an exchange; pinned by its lines and by the other ends of its trunks.
    ExchangePub, 32, short!()
);
id!(
    /// The Ed25519 key of one handset towards its own exchange.
    LinePub, 32, short!()
);
id!(
    /// The long-term Ed25519 key of a principal; known to contacts, never to an exchange.
    IdentityPub, 32, hidden!()
);
id!(
    /// The Ed25519 key by which a records officer signs orders; pinned by handsets.
    OfficerPub, 32, short!()
);
id!(
    /// The Ed25519 key to which an address is bound once its card is redeemed.
    PairwisePub, 32, hidden!()
);

impl Address {
    /// Nobody's: whoever opens a leg to it wants the exchange itself to send the voice back.
    pub const LINE_TEST: Address = Address([0; 16]);
}

/// A voice path on one link. Each end counts its own: the dialling side opens odd ones, the other even
/// ones. `Leg::CHAFF` carries nothing to nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Leg(pub u16);

impl Leg {
    /// The leg of voice frames that are made to be thrown away.
    pub const CHAFF: Leg = Leg(0);
}

impl Field for Leg {
    fn write(&self, w: &mut Writer) {
        self.0.write(w);
    }
    fn read(r: &mut Reader<'_>, name: &'static str) -> Result<Self, DecodeError> {
        Ok(Leg(r.u16(name)?))
    }
}

/// An exchange as cards name it: its key, and where its trunk door is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExchangeRef {
    /// Pinned key.
    pub key: ExchangePub,
    /// `host:port` of the trunk door.
    pub host: Text<HOST_MAX>,
}

impl Field for ExchangeRef {
    fn write(&self, w: &mut Writer) {
        self.key.write(w);
        self.host.write(w);
    }
    fn read(r: &mut Reader<'_>, name: &'static str) -> Result<Self, DecodeError> {
        Ok(ExchangeRef { key: ExchangePub::read(r, name)?, host: Text::read(r, name)? })
    }
}
