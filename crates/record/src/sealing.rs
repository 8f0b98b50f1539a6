//! Entries, sealed to the records officer before they leave the handset, and opened by the officer.
//!
//! ```text
//!  sealed, 4,096 B = version u8 = 1 | key id 32 | HPKE (RFC 9180): encapsulated key 1,120 | ciphertext 2,927 + 16
//!                    └─ associated data ──────┘       X-Wing, HKDF-SHA-256, ChaCha20-Poly1305
//!
//!  plaintext, 2,927 B = length u16 | entry | credential of the device 129 | its signature 64 | zeros
//!                       over: label | key id | exchange key | entry
//! ```
//!
//! One length, whatever is in it: own exchange sees that there is an entry, and no more. The signature is inside,
//! so that an entry shows nobody but the officer whose it is; and it is over the key and the exchange, so that no
//! officer can pass an entry on as one of another office.

use core::fmt;

use hpke_rs::{Hpke, HpkePrivateKey, HpkePublicKey, Mode};
use hpke_rs_crypto::types::{AeadAlgorithm, KdfAlgorithm, KemAlgorithm};
use hpke_rs_libcrux::HpkeLibcrux;
use rand_core::CryptoRngCore;
use seal::identity::{CREDENTIAL_LEN, Device, UnverifiedCredential, VerifiedDevice};
use wire::limits::ENTRY_LEN;
use wire::{ExchangePub, Field, Reader, Signature, Writer};
use zeroize::Zeroizing;

use crate::entry::Entry;
use crate::order::{KeyId, SEAL_KEY_LEN, SealKey};

const VERSION: u8 = 1;
const INFO: &[u8] = b"hotline record v1";
/// Associated data: version and key id.
const HEAD_LEN: usize = 1 + 32;
/// An encapsulated key: ML-KEM-768 ciphertext and X25519 key. Bytes.
const ENC_LEN: usize = 1_120;
const TAG_LEN: usize = 16;
const ROOM: usize = ENTRY_LEN - HEAD_LEN - ENC_LEN - TAG_LEN;
/// Longest entry that fits. Bytes.
pub const CONTENT_MAX: usize = ROOM - 2 - CREDENTIAL_LEN - 64;

/// Why an entry was not sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Longer than an entry can be.
    #[error("an entry of {0} bytes is longer than {CONTENT_MAX}: shorten the note")]
    Long(usize),
    /// The officer's key, or the system's randomness.
    #[error("the records officer's key cannot be used, or the system has no randomness")]
    Key,
}

/// Why an entry does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Not an entry of this version.
    #[error("it is no entry of this version")]
    Version,
    /// To a key that is not there.
    #[error("it is sealed to another key than those at hand")]
    OtherKey,
    /// Changed, or never sealed to that key.
    #[error("it was changed, or made up without the handset")]
    Damaged,
    /// The device's signature.
    #[error("no handset signed it: it was made up")]
    Forged,
}

/// An entry as its officer reads it: who signed it is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The device that signed it.
    pub author: VerifiedDevice,
    /// What it says.
    pub entry: Entry,
}

/// A secret sealing key. Never printed; overwritten when dropped.
pub struct OpenKey {
    seed: Zeroizing<[u8; 32]>,
    secret: HpkePrivateKey,
    public: SealKey,
}

impl fmt::Debug for OpenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpenKey(..)")
    }
}

fn hpke() -> Hpke<HpkeLibcrux> {
    let (kdf, aead) = (KdfAlgorithm::HkdfSha256, AeadAlgorithm::ChaCha20Poly1305);
    Hpke::new(Mode::Base, KemAlgorithm::XWingDraft06, kdf, aead)
}

impl OpenKey {
    /// A new one.
    ///
    /// # Errors
    /// [`SealError::Key`].
    pub fn generate(rng: &mut dyn CryptoRngCore) -> Result<OpenKey, SealError> {
        let mut seed = Zeroizing::new([0; 32]);
        rng.fill_bytes(seed.as_mut());
        OpenKey::from_seed(&seed)
    }

    /// From [`OpenKey::seed`].
    ///
    /// # Errors
    /// [`SealError::Key`].
    pub fn from_seed(seed: &[u8; 32]) -> Result<OpenKey, SealError> {
        let pair = hpke().derive_key_pair(seed).map_err(|_| SealError::Key)?;
        let (secret, public) = pair.into_keys();
        let public: [u8; SEAL_KEY_LEN] =
            public.as_slice().try_into().map_err(|_| SealError::Key)?;
        Ok(OpenKey { seed: Zeroizing::new(*seed), secret, public: SealKey::new(public) })
    }

    /// For the officer's sealed file only.
    #[must_use]
    pub fn seed(&self) -> &Zeroizing<[u8; 32]> {
        &self.seed
    }

    /// What entries are sealed to.
    #[must_use]
    pub fn public(&self) -> &SealKey {
        &self.public
    }
}

fn head(key: &KeyId) -> [u8; HEAD_LEN] {
    let mut head = [VERSION; HEAD_LEN];
    head[1..].copy_from_slice(key);
    head
}

/// Signs `entry` as `device`, for the record of `exchange`, and seals it to `key`. Draws the system's
/// randomness.
///
/// # Errors
/// Any [`SealError`].
pub fn seal(
    entry: &Entry,
    device: &Device,
    exchange: &ExchangePub,
    key: &SealKey,
) -> Result<Vec<u8>, SealError> {
    let content = Zeroizing::new(entry.encode());
    if content.len() > CONTENT_MAX {
        return Err(SealError::Long(content.len()));
    }
    let id = key.id();
    let mut w = Writer::new();
    w.var(&content).bytes(device.credential());
    device.sign_entry(&[&id, &exchange.0, &content]).write(&mut w);
    let mut plain = Zeroizing::new(w.finish());
    plain.resize(ROOM, 0);
    let head = head(&id);
    let public = HpkePublicKey::new(key.as_bytes().to_vec());
    let (enc, sealed) =
        hpke().seal(&public, INFO, &head, &plain, None, None, None).map_err(|_| SealError::Key)?;
    let bytes = [&head[..], &enc, &sealed].concat();
    if bytes.len() == ENTRY_LEN { Ok(bytes) } else { Err(SealError::Key) }
}

/// To which key an entry says that it is sealed.
#[must_use]
pub fn sealed_to(bytes: &[u8]) -> Option<KeyId> {
    match bytes.split_first_chunk::<HEAD_LEN>() {
        Some((head, _)) if bytes.len() == ENTRY_LEN && head[0] == VERSION => {
            head[1..].try_into().ok()
        }
        _ => None,
    }
}

/// Opens an entry of the record of `exchange` with one of `keys`.
///
/// # Errors
/// Any [`OpenError`].
pub fn open(bytes: &[u8], exchange: &ExchangePub, keys: &[OpenKey]) -> Result<Opened, OpenError> {
    let id = sealed_to(bytes).ok_or(OpenError::Version)?;
    let key = keys.iter().find(|key| key.public.id() == id).ok_or(OpenError::OtherKey)?;
    let (head, rest) = bytes.split_at(HEAD_LEN);
    let (enc, sealed) = rest.split_at(ENC_LEN);
    let plain = hpke()
        .open(enc, &key.secret, INFO, head, sealed, None, None, None)
        .map(Zeroizing::new)
        .map_err(|_| OpenError::Damaged)?;
    unpack(&plain, &id, exchange)
}

/// The plaintext of an entry. Whoever made it up could seal it as well as a handset.
pub(crate) fn unpack(
    plain: &[u8],
    id: &KeyId,
    exchange: &ExchangePub,
) -> Result<Opened, OpenError> {
    let mut r = Reader::new(plain);
    let damaged = |_| OpenError::Forged;
    let content = r.var(CONTENT_MAX, "content").map_err(damaged)?;
    let credential = r.bytes(CREDENTIAL_LEN, "credential").map_err(damaged)?;
    let signature = Signature::read(&mut r, "signature").map_err(damaged)?;
    let left = r.left();
    let zeros = r.bytes(left, "padding").map_err(damaged)?;
    let author = UnverifiedCredential::parse(credential)
        .and_then(|credential| credential.verify())
        .map_err(|_| OpenError::Forged)?;
    author.verify_entry(&[id, &exchange.0, content], &signature).map_err(|_| OpenError::Forged)?;
    if zeros.iter().any(|byte| *byte != 0) {
        return Err(OpenError::Forged);
    }
    let entry = Entry::decode(content).map_err(damaged)?;
    Ok(Opened { author, entry })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Body;
    use crate::entry::tests::{call, entry, longest};
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng as _;
    use seal::identity::IdentityKey;

    const EXCHANGE: ExchangePub = ExchangePub([7; 32]);

    fn device(seed: u64) -> Device {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        Device::first(&IdentityKey::generate(&mut rng), &mut rng)
    }

    fn key(seed: u8) -> OpenKey {
        OpenKey::from_seed(&[seed; 32]).unwrap()
    }

    #[test]
    fn the_officer_reads_what_the_handset_wrote_and_nobody_else_does() {
        let (device, keys) = (device(1), [key(1), key(2)]);
        let entry = entry(1, Body::Call(call()));
        let sealed = seal(&entry, &device, &EXCHANGE, keys[1].public()).unwrap();
        let opened = open(&sealed, &EXCHANGE, &keys).unwrap();
        assert_eq!(opened, Opened { author: device.verified(), entry });
        assert_eq!(open(&sealed, &EXCHANGE, &keys[..1]), Err(OpenError::OtherKey));
        assert_eq!(sealed_to(&sealed), Some(keys[1].public().id()));
        let elsewhere = ExchangePub([8; 32]);
        assert_eq!(open(&sealed, &elsewhere, &keys), Err(OpenError::Forged), "of another office");
        let again = OpenKey::from_seed(keys[1].seed()).unwrap();
        assert!(again.public() == keys[1].public());
    }

    #[test]
    fn all_entries_have_one_length_and_show_nothing() {
        let (device, key) = (device(1), key(1));
        for entry in longest().into_iter().chain([entry(1, Body::Call(call()))]) {
            assert!(entry.encode().len() <= CONTENT_MAX, "{}", entry.encode().len());
            let sealed = seal(&entry, &device, &EXCHANGE, key.public()).unwrap();
            assert_eq!(sealed.len(), ENTRY_LEN);
            assert_eq!(
                open(&sealed, &EXCHANGE, &[OpenKey::from_seed(key.seed()).unwrap()]).unwrap().entry,
                entry
            );
            // Neither its words nor who signed it.
            let device = device.verified().device().0;
            for clear in [&b"Boris"[..], b"Ministry", &device] {
                assert!(!sealed.windows(clear.len()).any(|part| part == clear));
            }
        }
    }

    #[test]
    fn every_changed_byte_and_every_cut_is_refused() {
        let keys = [key(1)];
        let sealed =
            seal(&entry(1, Body::Call(call())), &device(1), &EXCHANGE, keys[0].public()).unwrap();
        for at in (0..ENTRY_LEN).step_by(37).chain([0, 1, 32, 33, 1_152, 1_153, ENTRY_LEN - 1]) {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(open(&changed, &EXCHANGE, &keys).is_err(), "byte {at}");
            assert!(open(&sealed[..at], &EXCHANGE, &keys).is_err(), "cut at {at}");
        }
        assert!(open(&[&sealed[..], &[0]].concat(), &EXCHANGE, &keys).is_err());
    }

    #[test]
    fn what_an_exchange_makes_up_is_forged() {
        // It knows the officer's public key, and can seal what it likes.
        let key = key(1);
        let id = key.public().id();
        let content = entry(1, Body::Call(call())).encode();
        let (anna, thief) = (device(1), device(2));
        let make = |credential: &[u8], signature: Signature, zeros: u8| {
            let mut w = Writer::new();
            w.var(&content).bytes(credential);
            signature.write(&mut w);
            w.bytes(&[zeros; 100]);
            unpack(&w.finish(), &id, &EXCHANGE)
        };
        let parts: [&[u8]; 3] = [&id, &EXCHANGE.0, &content];
        assert!(make(anna.credential(), anna.sign_entry(&parts), 0).is_ok());
        let signed = thief.sign_entry(&parts);
        assert_eq!(make(anna.credential(), signed, 0), Err(OpenError::Forged));
        assert_eq!(make(anna.credential(), Signature([0; 64]), 0), Err(OpenError::Forged));
        assert_eq!(make(anna.credential(), anna.sign_entry(&parts), 1), Err(OpenError::Forged));
        // A person of its own making signs well, and is a stranger: `Contents` says so.
        assert_eq!(make(thief.credential(), signed, 0).unwrap().author, thief.verified());
    }
}
