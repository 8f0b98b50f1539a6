//! The key that an address is bound to, and the signature that it puts on envelopes.
//!
//! ```text
//!   handset: PairwiseKey ── sign(address, device, counter, body) ──► Envelope ──► exchange: verify
//! ```
//!
//! A handset has another one for each contact, so two contacts who compare notes see two strangers. The
//! exchange that keeps an address knows the public half: nobody else can use the address. What is signed is
//! [`Envelope::signed`].

use rand_core::CryptoRngCore;
use wire::{Address, Envelope, PairwisePub, Signature};
use zeroize::Zeroizing;

pub use crate::sig::BadSignature;
use crate::sig::{self, Secret};

/// Signs what goes to one contact.
#[derive(Clone)]
pub struct PairwiseKey(Secret);

impl PairwiseKey {
    /// A new one.
    #[must_use]
    pub fn generate(rng: &mut dyn CryptoRngCore) -> Self {
        PairwiseKey(Secret::generate(rng))
    }

    /// From [`PairwiseKey::to_bytes`].
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        PairwiseKey(Secret::from_bytes(bytes))
    }

    /// The secret key, for the sealed store only.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        self.0.to_bytes()
    }

    /// What the address is bound to.
    #[must_use]
    pub fn public(&self) -> PairwisePub {
        PairwisePub(self.0.public())
    }

    /// Signs an envelope. `counter` must be higher than in every earlier envelope of `device`.
    #[must_use]
    pub fn sign(&self, address: &Address, device: u8, counter: u64, body: &[u8]) -> Signature {
        Signature(self.0.sign_raw(&Envelope::signed(address, device, counter, body)))
    }
}

/// Checks that the holder of `bound` made `envelope`.
///
/// # Errors
/// [`BadSignature`].
pub fn verify(bound: &PairwisePub, envelope: &Envelope) -> Result<(), BadSignature> {
    let Envelope { address, device, counter, signature, body } = envelope;
    let signed = Envelope::signed(address, *device, *counter, body.as_bytes());
    sig::verify_raw(&bound.0, &signed, &signature.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_core::SeedableRng as _;
    use wire::Blob;

    #[test]
    fn only_the_bound_key_over_exactly_this() {
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(1);
        let (key, other) = (PairwiseKey::generate(&mut rng), PairwiseKey::generate(&mut rng));
        let (address, body) = (Address([3; 16]), b"sealed".to_vec());
        let signature = key.sign(&address, 2, 9, &body);
        let good =
            Envelope { address, device: 2, counter: 9, signature, body: Blob::new(body).unwrap() };
        assert_eq!(verify(&key.public(), &good), Ok(()));
        assert_eq!(verify(&other.public(), &good), Err(BadSignature));
        for change in [
            |e: &mut Envelope| e.address.0[0] ^= 1,
            |e: &mut Envelope| e.device = 3,
            |e: &mut Envelope| e.counter = 10,
            |e: &mut Envelope| e.signature.0[63] ^= 1,
            |e: &mut Envelope| e.body = Blob::default(),
        ] {
            let mut bad = good.clone();
            change(&mut bad);
            assert_eq!(verify(&key.public(), &bad), Err(BadSignature));
        }
        // A key of small order signs everything; it must be refused.
        assert_eq!(verify(&PairwisePub([0; 32]), &good), Err(BadSignature));
        let again = PairwiseKey::from_bytes(&key.to_bytes());
        assert_eq!(again.sign(&address, 2, 9, good.body.as_bytes()), signature);
    }
}
