//! What openmls needs: cryptography from libcrux, a store in memory, the one suite, the settings.
//!
//! ```text
//!   store image = count u32 | ( key length u32 | key | value length u32 | value )*      keys ascending
//! ```

use openmls::prelude::*;
use openmls_libcrux_crypto::CryptoProvider;
use openmls_memory_storage::MemoryStorage;
use openmls_traits::signatures::{Signer, SignerError};
use wire::{Reader, Writer};
use zeroize::{Zeroize as _, Zeroizing};

use super::{GroupError, SnapshotError};
use crate::identity::{CredentialError, Device, UnverifiedCredential, VerifiedDevice};

/// The only suite: X-Wing (ML-KEM-768 with X25519), ChaCha20-Poly1305, SHA-256, Ed25519.
pub(super) const SUITE: Ciphersuite = Ciphersuite::MLS_256_XWING_CHACHA20POLY1305_SHA256_Ed25519;
/// Epochs whose messages still open after a commit: what was under way at that moment.
const PAST_EPOCHS: usize = 4;
/// How many messages of a sender may come out of order, and how many may be lost in a row.
const OUT_OF_ORDER: u32 = 32;
const LOST: u32 = 1_000;
/// Most entries of a store image, and most bytes of one of them.
const ENTRIES_MAX: u32 = 4_096;
const ENTRY_MAX: usize = 4 << 20;

/// Cryptography and store of one group, or of one key package.
pub(super) struct Provider {
    crypto: CryptoProvider,
    storage: MemoryStorage,
}

impl Provider {
    pub(super) fn new() -> Result<Self, GroupError> {
        let crypto = CryptoProvider::new().map_err(|_| GroupError::NoEntropy)?;
        Ok(Provider { crypto, storage: MemoryStorage::default() })
    }

    /// The store as bytes. Secret.
    pub(super) fn image(&self, w: &mut Writer) {
        // A poisoned lock means a panic inside the store while writing; the values are still whole entries.
        let values = self.storage.values.read().unwrap_or_else(|e| e.into_inner());
        let mut sorted: Vec<_> = values.iter().collect();
        sorted.sort();
        w.bytes(&u32::try_from(sorted.len()).unwrap_or(u32::MAX).to_be_bytes());
        for part in sorted.into_iter().flat_map(|(key, value)| [key, value]) {
            w.bytes(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes()).bytes(part);
        }
    }

    /// From [`Provider::image`].
    pub(super) fn from_image(r: &mut Reader<'_>) -> Result<Self, SnapshotError> {
        let provider = Provider::new().map_err(|_| SnapshotError::NoEntropy)?;
        let count = r.u32("entries")?;
        if count > ENTRIES_MAX {
            return Err(SnapshotError::Damaged);
        }
        {
            let mut values = provider.storage.values.write().unwrap_or_else(|e| e.into_inner());
            for _ in 0..count {
                let key = entry(r, "entry key")?;
                let value = entry(r, "entry value")?;
                values.insert(key.to_vec(), value.to_vec());
            }
        }
        Ok(provider)
    }
}

fn entry<'a>(r: &mut Reader<'a>, field: &'static str) -> Result<&'a [u8], SnapshotError> {
    match r.u32(field)? as usize {
        len if len <= ENTRY_MAX => Ok(r.bytes(len, field)?),
        _ => Err(SnapshotError::Damaged),
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let mut values = self.storage.values.write().unwrap_or_else(|e| e.into_inner());
        for (_, mut value) in values.drain() {
            value.zeroize();
        }
    }
}

impl OpenMlsProvider for Provider {
    type CryptoProvider = CryptoProvider;
    type RandProvider = CryptoProvider;
    type StorageProvider = MemoryStorage;

    fn storage(&self) -> &MemoryStorage {
        &self.storage
    }
    fn crypto(&self) -> &CryptoProvider {
        &self.crypto
    }
    fn rand(&self) -> &CryptoProvider {
        &self.crypto
    }
}

/// The device signs for its leaf. Its key is never in a store image.
impl Signer for Device {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        Ok(self.sign_raw(payload).to_vec())
    }
    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

/// The lifetime that MLS sees: always. openmls compares it with the system clock, and a handset's clock may
/// be wrong; what we check, with the time that we are given, is [`super::package::VALIDITY`].
pub(super) fn always() -> Lifetime {
    Lifetime::init(0, u64::MAX)
}

pub(super) fn capabilities() -> Capabilities {
    Capabilities::new(
        Some(&[ProtocolVersion::Mls10]),
        Some(&[SUITE]),
        Some(&[ExtensionType::Unknown(super::package::VALIDITY)]),
        None,
        Some(&[CredentialType::Basic]),
    )
}

pub(super) fn join_config() -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder()
        .wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
        .max_past_epochs(PAST_EPOCHS)
        .sender_ratchet_configuration(SenderRatchetConfiguration::new(OUT_OF_ORDER, LOST))
        .use_ratchet_tree_extension(true)
        .build()
}

pub(super) fn create_config() -> MlsGroupCreateConfig {
    MlsGroupCreateConfig::builder()
        .ciphersuite(SUITE)
        .lifetime(always())
        .capabilities(capabilities())
        .wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
        .max_past_epochs(PAST_EPOCHS)
        .sender_ratchet_configuration(SenderRatchetConfiguration::new(OUT_OF_ORDER, LOST))
        .use_ratchet_tree_extension(true)
        .build()
}

pub(super) fn own_credential(device: &Device) -> CredentialWithKey {
    CredentialWithKey {
        credential: BasicCredential::new(device.credential().to_vec()).into(),
        signature_key: device.verified().device().0.to_vec().into(),
    }
}

/// The device behind a leaf: its credential verifies, and names the key that the leaf signs with.
pub(super) fn verify_leaf(
    credential: &Credential,
    signature_key: &[u8],
) -> Result<VerifiedDevice, CredentialError> {
    let device = verify_credential(credential)?;
    if device.device().0 != signature_key {
        return Err(CredentialError::NotItsKey);
    }
    Ok(device)
}

pub(super) fn verify_credential(credential: &Credential) -> Result<VerifiedDevice, CredentialError> {
    if credential.credential_type() != CredentialType::Basic {
        return Err(CredentialError::Length(0));
    }
    let basic = BasicCredential::try_from(credential.clone())
        .map_err(|_| CredentialError::Length(credential.serialized_content().len()))?;
    UnverifiedCredential::parse(basic.identity())?.verify()
}

/// Secret bytes out of openmls, overwritten when dropped.
pub(super) fn secret32(bytes: Vec<u8>) -> Result<Zeroizing<[u8; 32]>, GroupError> {
    let bytes = Zeroizing::new(bytes);
    let mut out = Zeroizing::new([0u8; 32]);
    if bytes.len() != out.len() {
        return Err(GroupError::Library("secret of another length than asked for".into()));
    }
    out.copy_from_slice(&bytes);
    Ok(out)
}
