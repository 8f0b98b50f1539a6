//! The exchange's long-term Ed25519 key and the short-lived certificate that it issues to itself.
//!
//! ```text
//!   exchange key (Ed25519, on every card) --signs--> leaf (ECDSA P-256, 13 days, "exchange.hotline")
//!        |                                                |
//!   native handsets pin it: trust anchor             browsers pin SHA-256 of it
//!   trunks show it bare (RFC 7250)                   (serverCertificateHashes: P-256, <= 14 days)
//! ```
//!
//! The exchange key is a tiny certification authority: a handset makes a trust anchor from the 32
//! bytes that it pinned and lets webpki verify the leaf against it (RFC 5280, RFC 8410). All names are
//! the same for every exchange, so they tell nothing. The leaf is valid from three days ago to ten
//! days ahead, so a handset whose clock is a day off still connects.

use std::fmt;
use std::time::{Duration, SystemTime};

use rcgen::{CertificateParams, DistinguishedName, DnType, DnValue, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, TrustAnchor};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

use super::NetError;

/// The name on every exchange's leaf, whichever exchange it is.
pub const LEAF_NAME: &str = "exchange.hotline";
/// The issuer's name on every leaf.
const ISSUER_NAME: &str = "hotline exchange key";
/// A leaf is valid from this long before it is made ...
const LEAF_BEFORE: Duration = Duration::from_secs(3 * 86_400);
/// ... to this long after. Both together stay below the 14 days that browsers allow.
const LEAF_AFTER: Duration = Duration::from_secs(10 * 86_400);
/// An exchange makes a new leaf when the one in use is this old, so that a handset whose clock is three
/// days ahead still accepts it.
const LEAF_ROTATE: Duration = Duration::from_secs(5 * 86_400);

/// PKCS#8 wrapping of an Ed25519 seed (RFC 8410 section 7).
const PKCS8_PREFIX: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];
/// SubjectPublicKeyInfo of an Ed25519 key (RFC 8410 section 4) up to the 32 key bytes.
const SPKI_PREFIX: [u8; 12] =
    [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// An exchange's public key: 32 bytes of Ed25519, as printed on cards.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ExchangeKey(pub [u8; 32]);

impl fmt::Debug for ExchangeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExchangeKey(..)")
    }
}

impl ExchangeKey {
    /// The key as DER SubjectPublicKeyInfo, 44 bytes.
    pub(crate) fn spki(&self) -> Vec<u8> {
        [&SPKI_PREFIX[..], &self.0].concat()
    }

    /// The key in a DER SubjectPublicKeyInfo, if it is an Ed25519 one.
    pub(crate) fn from_spki(der: &[u8]) -> Option<Self> {
        der.strip_prefix(&SPKI_PREFIX).and_then(|key| key.try_into().ok()).map(Self)
    }

    /// This key as the only authority that a handset believes.
    pub(crate) fn anchor(&self) -> TrustAnchor<'static> {
        // Name ::= SEQUENCE of (SET of (SEQUENCE of (OID commonName, UTF8String))); webpki wants
        // the contents of the outer SEQUENCE, of the name and of the key alike.
        let text = ISSUER_NAME.as_bytes();
        let mut attribute = vec![0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, text.len() as u8];
        attribute.extend_from_slice(text);
        let mut subject = vec![0x31, attribute.len() as u8 + 2, 0x30, attribute.len() as u8];
        subject.extend_from_slice(&attribute);
        TrustAnchor {
            subject: subject.into(),
            subject_public_key_info: self.spki()[2..].to_vec().into(),
            name_constraints: None,
        }
    }
}

/// An exchange's secret key. It cannot be printed, and is wiped when dropped.
#[derive(Clone)]
pub struct ExchangeIdentity {
    pkcs8: Zeroizing<Vec<u8>>,
    key: ExchangeKey,
}

impl fmt::Debug for ExchangeIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExchangeIdentity(..)")
    }
}

impl ExchangeIdentity {
    /// The identity of a 32-byte Ed25519 seed.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, NetError> {
        let mut bytes = Vec::with_capacity(PKCS8_PREFIX.len() + seed.len());
        bytes.extend_from_slice(&PKCS8_PREFIX);
        bytes.extend_from_slice(seed);
        let pkcs8 = Zeroizing::new(bytes);
        let public = rcgen::PublicKeyData::der_bytes(&key_pair(&pkcs8)?).to_vec();
        let key = public
            .try_into()
            .map(ExchangeKey)
            .map_err(|_| NetError::Certificate("not an Ed25519 key".into()))?;
        Ok(Self { pkcs8, key })
    }

    /// The public key.
    pub fn key(&self) -> ExchangeKey {
        self.key
    }

    pub(crate) fn private_der(&self) -> PrivateKeyDer<'_> {
        PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(&self.pkcs8[..]))
    }

    /// Secret bytes for `label`, the same in every run: an exchange that restarts can still tell its
    /// old peers that their connections are gone (stateless reset, RFC 9000 section 10.3).
    pub(crate) fn derive(&self, label: &str) -> Zeroizing<[u8; 32]> {
        let mut hash = Sha256::new();
        hash.update(label.as_bytes());
        hash.update([0]);
        hash.update(&self.pkcs8[..]);
        let mut digest = hash.finalize();
        let out = Zeroizing::new(digest.into());
        digest.as_mut_slice().zeroize();
        out
    }

    /// Make a fresh leaf certificate as of `now`.
    pub fn issue_leaf(&self, now: SystemTime) -> Result<Leaf, NetError> {
        let failed = |e: rcgen::Error| NetError::Certificate(e.to_string());
        let leaf_key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).map_err(failed)?;
        let mut params = CertificateParams::new([LEAF_NAME.to_owned()]).map_err(failed)?;
        params.distinguished_name = name(LEAF_NAME);
        params.not_before = now.checked_sub(LEAF_BEFORE).unwrap_or(now).into();
        params.not_after = (now + LEAF_AFTER).into();
        let mut authority = CertificateParams::default();
        authority.distinguished_name = name(ISSUER_NAME);
        let issuer = Issuer::new(authority, key_pair(&self.pkcs8)?);
        let certificate = params.signed_by(&leaf_key, &issuer).map_err(failed)?;
        Ok(Leaf {
            sha256: Sha256::digest(certificate.der()).into(),
            certificate: certificate.der().clone(),
            private: Zeroizing::new(leaf_key.serialize_der()),
            rotate_at: now + LEAF_ROTATE,
        })
    }
}

/// A short-lived certificate of an exchange and its key.
pub struct Leaf {
    pub(crate) certificate: CertificateDer<'static>,
    private: Zeroizing<Vec<u8>>,
    sha256: [u8; 32],
    rotate_at: SystemTime,
}

impl Leaf {
    /// SHA-256 of the certificate, for a browser's `serverCertificateHashes`.
    pub fn sha256(&self) -> [u8; 32] {
        self.sha256
    }

    /// The certificate, DER.
    pub fn der(&self) -> &[u8] {
        &self.certificate
    }

    /// When the exchange should make the next leaf.
    pub fn rotate_at(&self) -> SystemTime {
        self.rotate_at
    }

    pub(crate) fn private_der(&self) -> PrivateKeyDer<'_> {
        PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(&self.private[..]))
    }
}

fn key_pair(pkcs8: &[u8]) -> Result<KeyPair, NetError> {
    KeyPair::from_pkcs8_der_and_sign_algo(&PrivatePkcs8KeyDer::from(pkcs8), &rcgen::PKCS_ED25519)
        .map_err(|e| NetError::Certificate(e.to_string()))
}

fn name(common: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, DnValue::Utf8String(common.to_owned()));
    name
}
