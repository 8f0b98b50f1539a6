//! Cards: a signed, single-use introduction, small enough for a QR code.
//!
//! ```text
//!   version u8 = 1 | kind u8 | office (u16 length) | exchange key 32 | exchange host:port (u16 length)
//!   | issuer's identity key 32 | address 16 | name (u16 length) | expiry u64, seconds since 1970
//!   | signature 64 by the identity key over "hotline card v1" | everything before          at most 416 B
//!
//!   bytes or link ──► UnverifiedCard ── verify(now) ──► VerifiedCard
//! ```
//!
//! As a link: `hotline:card/` and the bytes in base64url without padding. Numbers are big-endian. The address
//! is secret: who has the card can redeem it, once. That it was redeemed or revoked only its exchange knows.
//!
//! Both exchanges see the address when the card is redeemed. They never see the signature: so the contact group
//! is bound to the whole card ([`VerifiedCard::psk`]), and whoever saw the address alone cannot make it.

pub mod qr;

use core::fmt;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use hkdf::Hkdf;
use sha2::Sha256;
use wire::{Address, DecodeError, ExchangeRef, Field as _, Reader, Text, Wall, Writer};
use wire::{ExchangePub, IdentityPub, limits};

use crate::group::Psk;
use crate::identity::{IdentityKey, PrincipalId};
use crate::sig;

/// Longest card, bytes.
pub const LEN_MAX: usize = 420;
/// What a link begins with.
pub const LINK: &str = "hotline:card/";
const VERSION: u8 = 1;
const LABEL: &str = "hotline card v1";
/// What the secret of a card is derived under.
const PSK_LABEL: &[u8] = b"hotline card v1 group";
const SIGNATURE_LEN: usize = 64;
/// Longest link that is looked at, with room for blanks around it.
const LINK_MAX: usize = 1_024;

/// What a card is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A counterpart becomes a contact.
    Contact,
    /// A further device of the same principal.
    Device,
}

/// What stands on a card, before it is signed.
#[derive(Clone, PartialEq, Eq)]
pub struct Fields {
    /// What it is for.
    pub kind: Kind,
    /// Name of the issuer's office.
    pub office: Text<{ limits::NAME_MAX }>,
    /// Where the address lives.
    pub exchange: ExchangeRef,
    /// Secret, fresh for this card.
    pub address: Address,
    /// The issuer's name, as the counterpart shall see it.
    pub name: Text<{ limits::NAME_MAX }>,
    /// Last second at which it can be redeemed.
    pub expiry: Wall,
}

/// Why a card is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CardError {
    /// Something else, or the beginning is missing.
    #[error(
        "this is not a card: a link begins with `{LINK}`; copy it whole, or scan the code again"
    )]
    NotACard,
    /// Cut short, or changed.
    #[error("card is damaged ({0}): copy the link whole, or scan the code again")]
    Malformed(#[from] DecodeError),
    /// Longer than any card.
    #[error("card has {0} bytes, the limit is {LEN_MAX}: this is not a genuine card")]
    TooLong(usize),
    /// Of a later version, or kind.
    #[error("card is of an unknown {what} ({value}): update this program, or ask for another card")]
    Unknown {
        /// Version or kind.
        what: &'static str,
        /// Its value.
        value: u8,
    },
    /// A name with control characters, which could fake what the screen shows.
    #[error("the {0} on the card has characters that do not belong in a name: refused")]
    BadName(&'static str),
    /// The signature does not verify.
    #[error("card is forged or damaged: its signature does not verify. Ask its issuer for another")]
    Forged,
    /// Too old, by this device's clock.
    #[error(
        "card expired on {on}, and this device's clock says {now}: if the clock is right, ask for another card; else set the clock"
    )]
    Expired {
        /// When it expired.
        on: String,
        /// What the clock says.
        now: String,
    },
}

/// A card from outside.
#[derive(Clone)]
pub struct UnverifiedCard {
    fields: Fields,
    issuer: [u8; 32],
    signature: [u8; SIGNATURE_LEN],
    bytes: Vec<u8>,
}

impl UnverifiedCard {
    /// Reads a card, and trusts none of it.
    ///
    /// # Errors
    /// Any but [`CardError::Forged`] and [`CardError::Expired`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CardError> {
        if bytes.len() > LEN_MAX {
            return Err(CardError::TooLong(bytes.len()));
        }
        let mut r = Reader::new(bytes);
        match r.u8("version")? {
            VERSION => {}
            value => return Err(CardError::Unknown { what: "version", value }),
        }
        let kind = match r.u8("kind")? {
            0 => Kind::Contact,
            1 => Kind::Device,
            value => return Err(CardError::Unknown { what: "kind", value }),
        };
        let office = Text::read(&mut r, "office")?;
        let exchange = ExchangeRef {
            key: ExchangePub(r.array("exchange key")?),
            host: Text::read(&mut r, "exchange address")?,
        };
        let issuer = r.array("issuer")?;
        let address = Address(r.array("address")?);
        let name = Text::read(&mut r, "name")?;
        let expiry = Wall(r.u64("expiry")?);
        let signature = r.array("signature")?;
        r.end()?;
        let fields = Fields { kind, office, exchange, address, name, expiry };
        check_names(&fields)?;
        Ok(UnverifiedCard { fields, issuer, signature, bytes: bytes.to_vec() })
    }

    /// Reads a link; blanks around and line breaks within it do no harm.
    ///
    /// # Errors
    /// As [`UnverifiedCard::from_bytes`]; [`CardError::NotACard`].
    pub fn from_link(link: &str) -> Result<Self, CardError> {
        if link.len() > LINK_MAX {
            return Err(CardError::NotACard);
        }
        let link: String = link.split_whitespace().collect();
        let code = link.strip_prefix(LINK).ok_or(CardError::NotACard)?;
        let bytes = Base64UrlUnpadded::decode_vec(code).map_err(|_| CardError::NotACard)?;
        UnverifiedCard::from_bytes(&bytes)
    }

    /// The link that it would be.
    #[must_use]
    pub fn to_link(&self) -> String {
        format!("{LINK}{}", Base64UrlUnpadded::encode_string(&self.bytes))
    }

    /// Checks signature and expiry.
    ///
    /// # Errors
    /// [`CardError::Forged`], [`CardError::Expired`].
    pub fn verify(self, now: Wall) -> Result<VerifiedCard, CardError> {
        let signed = self.bytes.get(..self.bytes.len() - SIGNATURE_LEN).unwrap_or_default();
        sig::verify(&self.issuer, LABEL, &[signed], &self.signature)
            .map_err(|_| CardError::Forged)?;
        if now > self.fields.expiry {
            return Err(CardError::Expired { on: date(self.fields.expiry), now: date(now) });
        }
        Ok(VerifiedCard {
            fields: self.fields,
            issuer: IdentityPub(self.issuer),
            bytes: self.bytes,
        })
    }
}

/// A card whose signature verified and which had not expired: only the verifier and the issuer make one.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifiedCard {
    fields: Fields,
    issuer: PrincipalId,
    bytes: Vec<u8>,
}

impl VerifiedCard {
    /// Signs a card.
    ///
    /// # Errors
    /// [`CardError::BadName`].
    pub fn issue(identity: &IdentityKey, fields: Fields) -> Result<Self, CardError> {
        check_names(&fields)?;
        let issuer = identity.principal();
        let kind = match fields.kind {
            Kind::Contact => 0,
            Kind::Device => 1,
        };
        let mut w = Writer::new();
        w.bytes(&[VERSION, kind]);
        fields.office.write(&mut w);
        fields.exchange.key.write(&mut w);
        fields.exchange.host.write(&mut w);
        issuer.write(&mut w);
        fields.address.write(&mut w);
        fields.name.write(&mut w);
        fields.expiry.write(&mut w);
        let mut bytes = w.finish();
        let signature = identity.sign(LABEL, &[&bytes]);
        bytes.extend_from_slice(&signature);
        Ok(VerifiedCard { fields, issuer, bytes })
    }

    /// What stands on it.
    #[must_use]
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// Who issued it.
    #[must_use]
    pub fn issuer(&self) -> PrincipalId {
        self.issuer
    }

    /// What binds the contact group to this card: HKDF-SHA-256 of all its bytes, the signature included.
    #[must_use]
    pub fn psk(&self) -> Psk {
        let mut secret = [0u8; 32];
        // 32 bytes are far below what HKDF can give, so this cannot fail.
        let _ = Hkdf::<Sha256>::new(None, &self.bytes).expand(PSK_LABEL, &mut secret);
        Psk::new(self.fields.address.0, secret)
    }

    /// The card as bytes. Secret until it is redeemed.
    #[must_use]
    pub fn to_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The card as a link. Secret until it is redeemed.
    #[must_use]
    pub fn to_link(&self) -> String {
        format!("{LINK}{}", Base64UrlUnpadded::encode_string(&self.bytes))
    }
}

macro_rules! hide {
    ($($t:ty)*) => {$(
        impl fmt::Debug for $t {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($t), "(..)"))
            }
        }
    )*};
}
hide!(Fields UnverifiedCard VerifiedCard);

/// Whether a text can be shown as a name, on screens and in terminals: no control characters, no change of writing direction.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let bad = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    !text.chars().any(bad)
}

/// No name on a card fakes what the screen shows.
fn check_names(fields: &Fields) -> Result<(), CardError> {
    for (what, text) in [
        ("office", fields.office.as_str()),
        ("name", fields.name.as_str()),
        ("address of the exchange", fields.exchange.host.as_str()),
    ] {
        if !is_name(text) {
            return Err(CardError::BadName(what));
        }
    }
    Ok(())
}

/// `2026-11-21 21:30 UTC`. Days to dates after H. Hinnant's `civil_from_days`, for years up to 9999.
fn date(at: Wall) -> String {
    let seconds = at.0.min(253_402_300_799);
    let (day, second) = (seconds / 86_400, seconds % 86_400);
    let z = day + 719_468;
    let (era, doe) = (z / 146_097, z % 146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + u64::from(month <= 2);
    let dom = doy - (153 * mp + 2) / 5 + 1;
    format!("{year:04}-{month:02}-{dom:02} {:02}:{:02} UTC", second / 3_600, second / 60 % 60)
}

#[cfg(test)]
mod tests;
