//! Keys of an office: the exchange's own identity, a line's, and the records officer's.
//!
//! ```text
//!   exchange ── Challenge{nonce} ──► handset: LineKey ── "hotline line v1" | exchange key | nonce ──► verify_line
//! ```
//!
//! The exchange's key stands in the challenge's answer, so an answer given to one exchange is of no use at
//! another.

use rand_core::CryptoRngCore;
use wire::{ExchangePub, LinePub, Nonce, OfficerPub, Signature};
use zeroize::Zeroizing;

pub use crate::sig::BadSignature;
use crate::sig::{self, Secret};

const LINE: &str = "hotline line v1";

/// The long-term identity of an exchange.
#[derive(Clone)]
pub struct ExchangeKey(Secret);

impl ExchangeKey {
    /// A new one.
    #[must_use]
    pub fn generate(rng: &mut dyn CryptoRngCore) -> Self {
        ExchangeKey(Secret::generate(rng))
    }

    /// From [`ExchangeKey::to_bytes`].
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        ExchangeKey(Secret::from_bytes(bytes))
    }

    /// The secret key (an Ed25519 seed): for the exchange's key file, and for its TLS certificate.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        self.0.to_bytes()
    }

    /// What cards name and other exchanges pin.
    #[must_use]
    pub fn public(&self) -> ExchangePub {
        ExchangePub(self.0.public())
    }

    /// Signs a note as it is (C2SP signed-note): it begins with its origin, which is its label.
    #[must_use]
    pub fn sign_note(&self, text: &[u8]) -> Signature {
        Signature(self.0.sign_raw(text))
    }

    /// Signs `label | message`. `label` names the one purpose, such as `hotline checkpoint v1`.
    #[must_use]
    pub fn sign(&self, label: &'static str, message: &[u8]) -> Signature {
        Signature(self.0.sign(label, &[message]))
    }
}

/// Checks what [`ExchangeKey::sign`] made.
///
/// # Errors
/// [`BadSignature`].
pub fn verify_exchange(
    exchange: &ExchangePub,
    label: &'static str,
    message: &[u8],
    signature: &Signature,
) -> Result<(), BadSignature> {
    sig::verify(&exchange.0, label, &[message], &signature.0)
}

/// Checks what [`ExchangeKey::sign_note`] made.
///
/// # Errors
/// [`BadSignature`].
pub fn verify_note(
    exchange: &ExchangePub,
    text: &[u8],
    signature: &Signature,
) -> Result<(), BadSignature> {
    sig::verify_raw(&exchange.0, text, &signature.0)
}

/// The key by which a records officer signs orders. Handsets pin it.
#[derive(Clone)]
pub struct OfficerKey(Secret);

impl OfficerKey {
    /// A new one.
    #[must_use]
    pub fn generate(rng: &mut dyn CryptoRngCore) -> Self {
        OfficerKey(Secret::generate(rng))
    }

    /// From [`OfficerKey::to_bytes`].
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        OfficerKey(Secret::from_bytes(bytes))
    }

    /// The secret key, for the officer's sealed file only.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        self.0.to_bytes()
    }

    /// What handsets pin.
    #[must_use]
    pub fn public(&self) -> OfficerPub {
        OfficerPub(self.0.public())
    }

    /// Signs `label | parts`; `label` names the one purpose.
    #[must_use]
    pub fn sign(&self, label: &'static str, parts: &[&[u8]]) -> Signature {
        Signature(self.0.sign(label, parts))
    }
}

/// Checks what [`OfficerKey::sign`] made.
///
/// # Errors
/// [`BadSignature`].
pub fn verify_officer(
    officer: &OfficerPub,
    label: &'static str,
    parts: &[&[u8]],
    signature: &Signature,
) -> Result<(), BadSignature> {
    sig::verify(&officer.0, label, parts, &signature.0)
}

/// The key of a handset's line.
#[derive(Clone)]
pub struct LineKey(Secret);

impl LineKey {
    /// A new one.
    #[must_use]
    pub fn generate(rng: &mut dyn CryptoRngCore) -> Self {
        LineKey(Secret::generate(rng))
    }

    /// From [`LineKey::to_bytes`].
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        LineKey(Secret::from_bytes(bytes))
    }

    /// The secret key, for the sealed store only.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        self.0.to_bytes()
    }

    /// By what the exchange knows the line.
    #[must_use]
    pub fn public(&self) -> LinePub {
        LinePub(self.0.public())
    }

    /// Answers the challenge of `exchange`, which is the pinned key and not what the link claims.
    #[must_use]
    pub fn answer(&self, exchange: &ExchangePub, nonce: &Nonce) -> Signature {
        Signature(self.0.sign(LINE, &[&exchange.0, &nonce.0]))
    }
}

/// Checks what [`LineKey::answer`] made.
///
/// # Errors
/// [`BadSignature`].
pub fn verify_line(
    line: &LinePub,
    exchange: &ExchangePub,
    nonce: &Nonce,
    signature: &Signature,
) -> Result<(), BadSignature> {
    sig::verify(&line.0, LINE, &[&exchange.0, &nonce.0], &signature.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_core::SeedableRng as _;

    #[test]
    fn an_answer_is_for_one_line_one_exchange_one_challenge() {
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(2);
        let (exchange, other) = (ExchangeKey::generate(&mut rng), ExchangeKey::generate(&mut rng));
        let line = LineKey::generate(&mut rng);
        let (here, nonce) = (exchange.public(), Nonce([5; 32]));
        let answer = line.answer(&here, &nonce);
        assert_eq!(verify_line(&line.public(), &here, &nonce, &answer), Ok(()));
        assert!(verify_line(&line.public(), &other.public(), &nonce, &answer).is_err());
        assert!(verify_line(&line.public(), &here, &Nonce([6; 32]), &answer).is_err());
        assert!(verify_line(&LinePub(here.0), &here, &nonce, &answer).is_err());
    }

    #[test]
    fn labels_keep_purposes_apart() {
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(3);
        let key = ExchangeKey::generate(&mut rng);
        let signature = key.sign("hotline checkpoint v1", b"root");
        assert_eq!(
            verify_exchange(&key.public(), "hotline checkpoint v1", b"root", &signature),
            Ok(())
        );
        assert!(verify_exchange(&key.public(), "hotline other v1", b"root", &signature).is_err());
        assert!(
            verify_exchange(&key.public(), "hotline checkpoint v1", b"rooT", &signature).is_err()
        );
    }
}
