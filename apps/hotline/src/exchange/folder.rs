//! An exchange's folder: its key, its store, its settings.
//!
//! ```text
//!  hotline.toml   settings                     exchange.key   Ed25519 seed, hex, owner only
//!  exchange.db    rows of the machine          control.sock   while it runs
//! ```

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::settings::{self, Settings, parse_key};
use crate::net::{ExchangeIdentity, NetError};
use crate::store::{File, Kind, StoreError};

const KEY: &str = "exchange.key";
const STORE: &str = "exchange.db";

/// Why a folder cannot be used. The operator's to mend.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The disk refuses.
    #[error("cannot use {}: {source}", path.display())]
    Disk {
        /// What was touched.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// There is an exchange already.
    #[error("there is an exchange in {} already; it stays untouched: choose another folder", .0.display())]
    Exists(PathBuf),
    /// The key file is no key.
    #[error("{} does not hold an exchange key: restore it from a backup (a new key is a new exchange: every card and enrolment would have to be made anew)", .0.display())]
    Key(PathBuf),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key cannot be used.
    #[error(transparent)]
    Net(#[from] NetError),
    /// The settings cannot be written.
    #[error("cannot write the settings: {0}")]
    Settings(#[from] toml::ser::Error),
}

/// Makes a new exchange in `folder`: key, store and settings.
///
/// # Errors
/// There is one already, or the disk refuses.
pub fn create(
    folder: &Path,
    settings: &Settings,
    seed: [u8; 32],
) -> Result<ExchangeIdentity, FolderError> {
    let seed = Zeroizing::new(seed);
    let disk = |path: &Path| {
        let path = path.to_path_buf();
        move |source| FolderError::Disk { path, source }
    };
    std::fs::create_dir_all(folder).map_err(disk(folder))?;
    let key = folder.join(KEY);
    let mut options = std::fs::OpenOptions::new();
    let mut file = match options.write(true).create_new(true).mode(0o600).open(&key) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {
            return Err(FolderError::Exists(folder.into()));
        }
        Err(source) => return Err(FolderError::Disk { path: key, source }),
    };
    let digits: Zeroizing<String> = Zeroizing::new(hex(&seed[..]));
    file.write_all(digits.as_bytes()).and_then(|()| file.sync_all()).map_err(disk(&key))?;
    drop(File::create(&folder.join(STORE), Kind::Exchange)?);
    let path = folder.join(settings::FILE);
    if !path.exists() {
        std::fs::write(&path, toml::to_string(settings)?).map_err(disk(&path))?;
    }
    Ok(ExchangeIdentity::from_seed(&seed)?)
}

/// Reads the key of the exchange in `folder`.
///
/// # Errors
/// No file, or no key in it.
pub fn identity(folder: &Path) -> Result<ExchangeIdentity, FolderError> {
    let seed = seed(folder)?;
    Ok(ExchangeIdentity::from_seed(&seed)?)
}

/// The same key, by which the exchange signs the record's checkpoints.
///
/// # Errors
/// No file, or no key in it.
pub fn signing_key(folder: &Path) -> Result<seal::office::ExchangeKey, FolderError> {
    let seed = seed(folder)?;
    Ok(seal::office::ExchangeKey::from_bytes(&seed))
}

fn seed(folder: &Path) -> Result<Zeroizing<[u8; 32]>, FolderError> {
    let path = folder.join(KEY);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => Zeroizing::new(text),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            let store = folder.join(STORE);
            return Err(StoreError::Missing { kind: "exchange", path: store }.into());
        }
        Err(source) => return Err(FolderError::Disk { path, source }),
    };
    parse_key(text.trim()).map(Zeroizing::new).map_err(|_| FolderError::Key(path))
}

/// Reads the store of the exchange in `folder`, whether it runs or not.
///
/// # Errors
/// See [`StoreError`].
pub fn reader(folder: &Path) -> Result<crate::store::Reader, StoreError> {
    crate::store::Reader::open(&folder.join(STORE), Kind::Exchange)
}

/// Opens the store of the exchange in `folder`. Only one process can at a time.
///
/// # Errors
/// See [`StoreError`].
pub fn store(folder: &Path) -> Result<File, FolderError> {
    Ok(File::open(&folder.join(STORE), Kind::Exchange)?)
}

/// Bytes as hex digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_second_init_touches_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("office");
        let settings = Settings { office: Some("One".into()), ..Settings::default() };
        let made = create(&folder, &settings, [1; 32]).unwrap();
        let other = Settings { office: Some("Two".into()), ..Settings::default() };
        assert!(matches!(create(&folder, &other, [2; 32]), Err(FolderError::Exists(_))));
        assert_eq!(identity(&folder).unwrap().key(), made.key());
        assert_eq!(Settings::read(&folder).unwrap().office.as_deref(), Some("One"));
    }

    #[test]
    fn a_damaged_key_is_named_and_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        assert!(identity(dir.path()).unwrap_err().to_string().contains("init"));
        std::fs::write(dir.path().join(KEY), "not a key").unwrap();
        assert!(matches!(identity(dir.path()), Err(FolderError::Key(_))));
        assert_eq!(std::fs::read_to_string(dir.path().join(KEY)).unwrap(), "not a key");
    }
}
