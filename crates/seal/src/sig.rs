//! Ed25519 (RFC 8032) with a label in front of every signed message, so that a signature made for one
//! purpose never passes for another.
//!
//! ```text
//!   signed bytes = label (ASCII) | parts, one after the other, all of them of fixed length but the last
//! ```

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use rand_core::CryptoRngCore;
use zeroize::Zeroizing;

/// A signature did not verify: whoever sent it does not hold the key, or the message was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "signature does not verify: the sender does not hold the key, or the message was changed on its way"
)]
pub struct BadSignature;

/// An Ed25519 secret key. Never printed; overwritten when dropped.
pub(crate) struct Secret(SigningKey);

impl Secret {
    pub(crate) fn generate(rng: &mut dyn CryptoRngCore) -> Self {
        let mut seed = Zeroizing::new([0u8; 32]);
        rng.fill_bytes(seed.as_mut());
        Secret(SigningKey::from_bytes(&seed))
    }

    pub(crate) fn from_bytes(seed: &[u8; 32]) -> Self {
        Secret(SigningKey::from_bytes(seed))
    }

    pub(crate) fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    pub(crate) fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    /// Signs `label | parts`.
    pub(crate) fn sign(&self, label: &str, parts: &[&[u8]]) -> [u8; 64] {
        self.sign_raw(&labelled(label, parts))
    }

    /// Signs bytes that carry their own label.
    pub(crate) fn sign_raw(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

impl Clone for Secret {
    fn clone(&self) -> Self {
        Secret(self.0.clone())
    }
}

/// Checks a signature over `label | parts`.
pub(crate) fn verify(
    public: &[u8; 32],
    label: &str,
    parts: &[&[u8]],
    signature: &[u8; 64],
) -> Result<(), BadSignature> {
    verify_raw(public, &labelled(label, parts), signature)
}

/// Checks a signature over bytes that carry their own label. Strict: no small-order key, no second form of
/// a signature.
pub(crate) fn verify_raw(
    public: &[u8; 32],
    message: &[u8],
    signature: &[u8; 64],
) -> Result<(), BadSignature> {
    let key = VerifyingKey::from_bytes(public).map_err(|_| BadSignature)?;
    key.verify_strict(message, &Signature::from_bytes(signature)).map_err(|_| BadSignature)
}

fn labelled(label: &str, parts: &[&[u8]]) -> Vec<u8> {
    let mut message = label.as_bytes().to_vec();
    for part in parts {
        message.extend_from_slice(part);
    }
    message
}
