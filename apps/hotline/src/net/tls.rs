//! TLS 1.3 as Hotline uses it: one key exchange group, no resumption, no early data.
//!
//! ```text
//!   line:   handset  --(no client key)-->  leaf "exchange.hotline" signed by the pinned exchange key
//!   trunk:  exchange <--raw public keys--> exchange        (RFC 7250, Ed25519, both ways)
//! ```
//!
//! The only key exchange group in the code is X25519MLKEM768 (draft-ietf-tls-ecdhe-mlkem): a peer
//! without it is refused by the handshake itself. Handsets send no server name, so nothing in the
//! clear tells one exchange from another.

use std::sync::Arc;

use quinn_proto::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::sign::CertifiedKey;
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore,
    SignatureScheme,
};

use super::NetError;
use super::identity::{ExchangeIdentity, ExchangeKey, Leaf};

/// ALPN of the line door (RFC 9114).
const ALPN_LINE: &[u8] = b"h3";
/// ALPN of the trunk door.
const ALPN_TRUNK: &[u8] = b"hotline-trunk/1";

/// The cryptography of every connection: X25519MLKEM768 and TLS 1.3 suites.
///
/// AES-256-GCM stands first, to keep 128 bits against a quantum search; QUIC itself needs AES-128-GCM for
/// Initial packets (RFC 9001 section 5.2), and browsers may ask for any of the three.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider {
        kx_groups: vec![aws_lc_rs::kx_group::X25519MLKEM768],
        cipher_suites: vec![
            aws_lc_rs::cipher_suite::TLS13_AES_256_GCM_SHA384,
            aws_lc_rs::cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
            aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256,
        ],
        ..aws_lc_rs::default_provider()
    })
}

fn failed(e: impl std::fmt::Display) -> NetError {
    NetError::Tls(e.to_string())
}

/// The line door's side.
pub(crate) fn line_server(leaf: &Leaf) -> Result<Arc<QuicServerConfig>, NetError> {
    line_server_with(provider(), leaf)
}

pub(crate) fn line_server_with(
    provider: Arc<CryptoProvider>,
    leaf: &Leaf,
) -> Result<Arc<QuicServerConfig>, NetError> {
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(failed)?
        .with_no_client_auth()
        .with_single_cert(vec![leaf.certificate.clone()], leaf.private_der().clone_key())
        .map_err(failed)?;
    config.alpn_protocols = vec![ALPN_LINE.to_vec()];
    server(config)
}

/// A handset that believes `exchange` and nobody else.
pub(crate) fn line_client(exchange: &ExchangeKey) -> Result<Arc<QuicClientConfig>, NetError> {
    line_client_with(provider(), exchange)
}

pub(crate) fn line_client_with(
    provider: Arc<CryptoProvider>,
    exchange: &ExchangeKey,
) -> Result<Arc<QuicClientConfig>, NetError> {
    let roots = RootCertStore { roots: vec![exchange.anchor()] };
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(failed)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![ALPN_LINE.to_vec()];
    client(config)
}

/// The trunk door's accepting side: any exchange key is let in and reported.
pub(crate) fn trunk_server(identity: &ExchangeIdentity) -> Result<Arc<QuicServerConfig>, NetError> {
    let resolver = rustls::server::AlwaysResolvesServerRawPublicKeys::new(raw_key(identity)?);
    let mut config = rustls::ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(failed)?
        .with_client_cert_verifier(Arc::new(RawKeys { expected: None }))
        .with_cert_resolver(Arc::new(resolver));
    config.alpn_protocols = vec![ALPN_TRUNK.to_vec()];
    server(config)
}

/// The trunk door's dialling side: only `expected` may answer.
pub(crate) fn trunk_client(
    identity: &ExchangeIdentity,
    expected: ExchangeKey,
) -> Result<Arc<QuicClientConfig>, NetError> {
    let resolver = rustls::client::AlwaysResolvesClientRawPublicKeys::new(raw_key(identity)?);
    let mut config = rustls::ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(failed)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(RawKeys { expected: Some(expected) }))
        .with_client_cert_resolver(Arc::new(resolver));
    config.alpn_protocols = vec![ALPN_TRUNK.to_vec()];
    client(config)
}

fn server(mut config: rustls::ServerConfig) -> Result<Arc<QuicServerConfig>, NetError> {
    // Tickets would let somebody on the wire join two connections of one handset, and skip nothing we need.
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
    config.max_early_data_size = 0;
    Ok(Arc::new(QuicServerConfig::try_from(config).map_err(failed)?))
}

fn client(mut config: rustls::ClientConfig) -> Result<Arc<QuicClientConfig>, NetError> {
    config.enable_sni = false;
    config.enable_early_data = false;
    config.resumption = rustls::client::Resumption::disabled();
    Ok(Arc::new(QuicClientConfig::try_from(config).map_err(failed)?))
}

fn raw_key(identity: &ExchangeIdentity) -> Result<Arc<CertifiedKey>, NetError> {
    let key = provider()
        .key_provider
        .load_private_key(identity.private_der().clone_key())
        .map_err(failed)?;
    let spki = CertificateDer::from(identity.key().spki());
    Ok(Arc::new(CertifiedKey::new(vec![spki], key)))
}

/// Accepts Ed25519 raw public keys: one, or any.
#[derive(Debug)]
struct RawKeys {
    expected: Option<ExchangeKey>,
}

impl RawKeys {
    fn check(&self, shown: &CertificateDer<'_>, more: &[CertificateDer<'_>]) -> Result<(), Error> {
        let bad = |e| Err(Error::InvalidCertificate(e));
        match (ExchangeKey::from_spki(shown), self.expected) {
            _ if !more.is_empty() => bad(CertificateError::BadEncoding),
            (None, _) => bad(CertificateError::BadEncoding),
            (Some(key), Some(expected)) if key != expected => bad(CertificateError::UnknownIssuer),
            (Some(_), _) => Ok(()),
        }
    }

    fn signature(
        message: &[u8],
        key: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = aws_lc_rs::default_provider().signature_verification_algorithms;
        let spki = SubjectPublicKeyInfoDer::from(key.as_ref());
        rustls::crypto::verify_tls13_signature_with_raw_key(message, &spki, dss, &algorithms)
    }
}

/// TLS 1.2 is not in this program: whoever reaches these has found a fault.
fn no_tls12() -> Error {
    Error::General("TLS 1.2 is never spoken".into())
}

impl ServerCertVerifier for RawKeys {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        more: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check(shown, more).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(no_tls12())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Self::signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

impl ClientCertVerifier for RawKeys {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        shown: &CertificateDer<'_>,
        more: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.check(shown, more).map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(no_tls12())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Self::signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}
