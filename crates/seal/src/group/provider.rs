//! What openmls needs: cryptography from libcrux, a store in memory, the one suite, the settings.

use openmls::prelude::*;
use openmls_libcrux_crypto::CryptoProvider;
use openmls_traits::signatures::{Signer, SignerError};
use wire::{Reader, Writer};
use zeroize::Zeroizing;

use super::store::Store;
use super::{GroupError, SnapshotError};
use crate::identity::{CredentialError, Device, UnverifiedCredential, VerifiedDevice};

/// The only suite: X-Wing (ML-KEM-768 with X25519), ChaCha20-Poly1305, SHA-256, Ed25519.
pub(super) const SUITE: Ciphersuite = Ciphersuite::MLS_256_XWING_CHACHA20POLY1305_SHA256_Ed25519;
/// Epochs whose messages still open after a commit: what was under way at that moment.
pub(super) const PAST_EPOCHS: usize = 4;
/// How many messages of a sender may come out of order, and how many may be lost in a row.
const OUT_OF_ORDER: u32 = 32;
const LOST: u32 = 1_000;
/// Cryptography and store of one group, or of one key package.
pub(super) struct Provider {
    crypto: CryptoProvider,
    storage: Store,
}

impl Provider {
    pub(super) fn new() -> Result<Self, GroupError> {
        let crypto = CryptoProvider::new().map_err(|_| GroupError::NoEntropy)?;
        Ok(Provider { crypto, storage: Store::default() })
    }

    /// The store as bytes. Secret.
    pub(super) fn image(&self, w: &mut Writer) {
        self.storage.image(w);
    }

    /// From [`Provider::image`].
    pub(super) fn from_image(r: &mut Reader<'_>) -> Result<Self, SnapshotError> {
        let crypto = CryptoProvider::new().map_err(|_| SnapshotError::NoEntropy)?;
        Ok(Provider { crypto, storage: Store::from_image(r)? })
    }
}

impl OpenMlsProvider for Provider {
    type CryptoProvider = CryptoProvider;
    type RandProvider = CryptoProvider;
    type StorageProvider = Store;

    fn storage(&self) -> &Store {
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

pub(super) fn verify_credential(
    credential: &Credential,
) -> Result<VerifiedDevice, CredentialError> {
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
