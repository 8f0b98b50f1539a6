//! The line door's certificate: fetched from the page's server, believed for its signature alone.
//!
//! ```text
//!  GET /line ─► DER ─► Ed25519 signature of the exchange key that the handset pinned ─► SHA-256
//!                                                     └─► WebTransport serverCertificateHashes
//! ```
//!
//! RFC 5280 (certificate), RFC 8410 (Ed25519 in it). The browser checks the dates (at most 14 days) and that the door
//! has the certificate's key. So whoever answers for the page cannot send the line elsewhere.

use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest as _, Sha256};
use x509_cert::Certificate;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{Decode as _, Encode as _};

/// id-Ed25519 (RFC 8410 §3).
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
/// Longest certificate that is looked at. Bytes.
const LONGEST: usize = 4_096;

/// The SHA-256 of `der`, if it is a certificate that the exchange with this key signed.
pub(crate) fn verified(der: &[u8], exchange: &[u8; 32]) -> Option<[u8; 32]> {
    if der.len() > LONGEST {
        return None;
    }
    let certificate = Certificate::from_der(der).ok()?;
    if certificate.signature_algorithm().oid != ED25519 {
        return None;
    }
    let signed = certificate.tbs_certificate().to_der().ok()?;
    let signature = Signature::from_slice(certificate.signature().as_bytes()?).ok()?;
    let key = VerifyingKey::from_bytes(exchange).ok()?;
    key.verify_strict(&signed, &signature).ok()?;
    Some(Sha256::digest(der).into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ed25519_dalek::{Signer as _, SigningKey};

    /// An exchange's key.
    struct Exchange(SigningKey, [u8; 32]);

    impl rcgen::PublicKeyData for Exchange {
        fn der_bytes(&self) -> &[u8] {
            &self.1
        }
        fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
            &rcgen::PKCS_ED25519
        }
    }

    impl rcgen::SigningKey for Exchange {
        fn sign(&self, msg: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
            Ok(self.0.sign(msg).to_vec())
        }
    }

    /// The point of a door's key, P-256. Nothing is signed with it here.
    struct Door([u8; 65]);

    impl rcgen::PublicKeyData for Door {
        fn der_bytes(&self) -> &[u8] {
            &self.0
        }
        fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
            &rcgen::PKCS_ECDSA_P256_SHA256
        }
    }

    /// A leaf as an exchange issues it, and the exchange's key.
    fn leaf(seed: u8) -> (Vec<u8>, [u8; 32]) {
        let secret = SigningKey::from_bytes(&[seed; 32]);
        let key = secret.verifying_key().to_bytes();
        let issuer = rcgen::Issuer::new(rcgen::CertificateParams::default(), Exchange(secret, key));
        let mut params = rcgen::CertificateParams::new(["exchange.hotline".to_owned()]).unwrap();
        params.serial_number = Some(rcgen::SerialNumber::from(u64::from(seed)));
        let door = Door([4; 65]);
        (params.signed_by(&door, &issuer).unwrap().der().to_vec(), key)
    }

    #[test]
    fn only_the_pinned_exchange_is_believed() {
        let (der, key) = leaf(7);
        assert_eq!(verified(&der, &key), Some(Sha256::digest(&der).into()));
        assert_eq!(verified(&der, &leaf(8).1), None);
    }

    #[test]
    fn a_changed_or_cut_certificate_is_not_believed() {
        let (der, key) = leaf(7);
        for at in 0..der.len() {
            let mut bad = der.clone();
            bad[at] ^= 1;
            assert_eq!(verified(&bad, &key), None, "byte {at}");
            assert_eq!(verified(&der[..at], &key), None, "cut at {at}");
        }
        assert_eq!(verified(&[&der[..], &[0]].concat(), &key), None, "something behind it");
    }
}
