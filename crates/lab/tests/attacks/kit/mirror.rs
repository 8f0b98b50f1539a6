//! Mirror types: what genuine code makes only when it is true, with every field open.

use ed25519_dalek::{Signer as _, SigningKey};
use openmls::prelude::tls_codec::Serialize as _;
use openmls::prelude::*;
use openmls_libcrux_crypto::Provider;
use openmls_traits::signatures::{Signer, SignerError};
use seal::card::Fields;
use wire::{Field as _, IdentityPub, Writer};

/// A device credential (docs/wire.md 3.4).
#[derive(Clone, Copy)]
pub(crate) struct Credential {
    pub(crate) version: u8,
    pub(crate) identity: IdentityPub,
    pub(crate) device: [u8; 32],
    pub(crate) signature: [u8; 64],
}

impl Credential {
    fn encode(&self) -> Vec<u8> {
        [&[self.version][..], &self.identity.0, &self.device, &self.signature].concat()
    }
}

/// A key package, validly signed by its device key whatever it says.
pub(crate) struct ForgedPackage {
    pub(crate) suite: Ciphersuite,
    pub(crate) device: SigningKey,
    pub(crate) credential: Credential,
    /// Seconds since 1970.
    pub(crate) valid: (u64, u64),
}

struct Key<'a>(&'a SigningKey);

impl Signer for Key<'_> {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        Ok(self.0.sign(payload).to_bytes().to_vec())
    }
    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

impl ForgedPackage {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let provider = Provider::new().unwrap();
        let credential = CredentialWithKey {
            credential: BasicCredential::new(self.credential.encode()).into(),
            signature_key: self.device.verifying_key().to_bytes().to_vec().into(),
        };
        let (from, until) = self.valid;
        let valid = [from.to_be_bytes(), until.to_be_bytes()].concat();
        let valid = Extension::Unknown(seal::group::VALIDITY, UnknownExtension(valid));
        let capabilities = Capabilities::new(
            Some(&[ProtocolVersion::Mls10]),
            Some(&[self.suite]),
            Some(&[ExtensionType::Unknown(seal::group::VALIDITY)]),
            None,
            Some(&[CredentialType::Basic]),
        );
        let bundle = KeyPackage::builder()
            .key_package_lifetime(Lifetime::init(0, u64::MAX))
            .leaf_node_capabilities(capabilities)
            .key_package_extensions(Extensions::single(valid).unwrap())
            .build(self.suite, &provider, &Key(&self.device), credential)
            .unwrap();
        MlsMessageOut::from(bundle.into_key_package()).tls_serialize_detached().unwrap()
    }
}

/// The outside of a sealed group message (RFC 9420 §6.3), which every exchange can read and write.
#[derive(Clone)]
pub(crate) struct PrivateMessage {
    pub(crate) group: Vec<u8>,
    pub(crate) epoch: u64,
    /// 1 said, 2 proposed, 3 a commit.
    pub(crate) content: u8,
    pub(crate) rest: Vec<u8>,
}

impl PrivateMessage {
    pub(crate) fn decode(bytes: &[u8]) -> Option<PrivateMessage> {
        let rest = bytes.strip_prefix(&[0, 1, 0, 2])?;
        let (len, rest) = rest.split_first()?;
        let (group, rest) = rest.split_at_checked(usize::from(*len))?;
        let (epoch, rest) = rest.split_first_chunk::<8>()?;
        let (content, rest) = rest.split_first()?;
        Some(PrivateMessage {
            group: group.to_vec(),
            epoch: u64::from_be_bytes(*epoch),
            content: *content,
            rest: rest.to_vec(),
        })
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let head = [&[0, 1, 0, 2, self.group.len() as u8][..], &self.group].concat();
        [&head[..], &self.epoch.to_be_bytes(), &[self.content], &self.rest].concat()
    }
}

/// A card with any issuer on it, signed by any key.
pub(crate) fn forged_card(issuer: IdentityPub, fields: &Fields, by: &SigningKey) -> Vec<u8> {
    let mut w = Writer::new();
    w.bytes(&[1, u8::from(fields.kind == seal::card::Kind::Device)]);
    fields.office.write(&mut w);
    fields.exchange.key.write(&mut w);
    fields.exchange.host.write(&mut w);
    issuer.write(&mut w);
    fields.address.write(&mut w);
    fields.name.write(&mut w);
    fields.expiry.write(&mut w);
    let mut bytes = w.finish();
    let signature = by.sign(&[b"hotline card v1", &bytes[..]].concat()).to_bytes();
    bytes.extend_from_slice(&signature);
    bytes
}
