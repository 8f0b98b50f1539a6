//! HTTPS with the operator's certificate, read again when its files change.
//!
//! TLS 1.3 only (RFC 8446), X25519MLKEM768 only: as on the line door, so that a browser that can load the page can also
//! have a line. The files are what an ACME client (RFC 8555) keeps up to date.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// A certificate on disk, and what TLS makes of it.
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    now: Mutex<Loaded>,
}

struct Loaded {
    config: Arc<ServerConfig>,
    changed: Option<SystemTime>,
    looked: Instant,
}

impl Tls {
    /// Reads both PEM files.
    ///
    /// # Errors
    /// In words for the operator.
    pub fn open(certificate: PathBuf, key: PathBuf) -> Result<Tls, String> {
        let config = load(&certificate, &key)?;
        let changed = modified(&certificate, &key);
        let now = Mutex::new(Loaded { config, changed, looked: Instant::now() });
        Ok(Tls { certificate, key, now })
    }

    /// What the next connection uses. New files that cannot be used leave the old certificate in use.
    #[must_use]
    pub fn config(&self) -> Arc<ServerConfig> {
        self.look(LOOK_EVERY)
    }

    fn look(&self, every: Duration) -> Arc<ServerConfig> {
        let mut now = match self.now.lock() {
            Ok(now) => now,
            // It is replaced as a whole or not at all.
            Err(poisoned) => poisoned.into_inner(),
        };
        if now.looked.elapsed() >= every {
            now.looked = Instant::now();
            let changed = modified(&self.certificate, &self.key);
            if changed != now.changed {
                match load(&self.certificate, &self.key) {
                    Ok(config) => {
                        tracing::info!("the web certificate was renewed");
                        (now.config, now.changed) = (config, changed);
                    }
                    // An ACME client writes one file after the other: it is looked at again.
                    Err(why) => tracing::warn!(%why, "the old web certificate stays in use"),
                }
            }
        }
        now.config.clone()
    }
}

fn modified(certificate: &PathBuf, key: &PathBuf) -> Option<SystemTime> {
    let of = |path: &PathBuf| std::fs::metadata(path).and_then(|m| m.modified()).ok();
    of(certificate).max(of(key))
}

fn load(certificate: &PathBuf, key: &PathBuf) -> Result<Arc<ServerConfig>, String> {
    let named = |path: &PathBuf, what: String| format!("{}: {what}", path.display());
    let chain: Vec<_> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|e| named(certificate, format!("not a PEM certificate chain ({e})")))?;
    if chain.is_empty() {
        return Err(named(certificate, "no certificate in it".into()));
    }
    let private = PrivateKeyDer::from_pem_file(key)
        .map_err(|e| named(key, format!("not a PEM private key ({e})")))?;
    let provider = rustls::crypto::CryptoProvider {
        kx_groups: vec![aws_lc_rs::kx_group::X25519MLKEM768],
        ..aws_lc_rs::default_provider()
    };
    let mut config = ServerConfig::builder_with_provider(provider.into())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|e| e.to_string())?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|e| named(certificate, format!("cannot be used with its key ({e})")))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Makes both files; the certificate, DER.
    pub(in crate::web) fn write(dir: &std::path::Path, name: &str) -> Vec<u8> {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new([name.to_owned()]).unwrap();
        let made = params.self_signed(&key).unwrap();
        std::fs::write(dir.join("key.pem"), key.serialize_pem()).unwrap();
        std::fs::write(dir.join("cert.pem"), made.pem()).unwrap();
        made.der().to_vec()
    }

    #[test]
    fn a_renewed_certificate_is_used_and_a_broken_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let (cert, key) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
        write(dir.path(), "one.example");
        let tls = Tls::open(cert.clone(), key).unwrap();
        let first = tls.look(Duration::ZERO);
        assert!(Arc::ptr_eq(&first, &tls.look(Duration::ZERO)), "nothing changed");
        // File systems keep times in steps: the change is made visible.
        let later = |seconds| {
            let file = std::fs::File::options().append(true).open(&cert).unwrap();
            file.set_modified(SystemTime::now() + Duration::from_secs(seconds)).unwrap();
        };
        write(dir.path(), "two.example");
        later(10);
        let second = tls.look(Duration::ZERO);
        assert!(!Arc::ptr_eq(&first, &second), "renewed");
        std::fs::write(&cert, "no certificate").unwrap();
        later(20);
        assert!(Arc::ptr_eq(&second, &tls.look(Duration::ZERO)), "the old one stays");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let (cert, key) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
        let error = Tls::open(cert.clone(), key.clone()).err().unwrap();
        assert!(error.contains("cert.pem"), "{error}");
        write(dir.path(), "one.example");
        std::fs::write(&key, "nothing").unwrap();
        let error = Tls::open(cert, key).err().unwrap();
        assert!(error.contains("key.pem"), "{error}");
    }
}
