//! The sealed store's lock: a passphrase opens a data key, the data key seals values and blinds their names.
//!
//! ```text
//!   passphrase, salt ── Argon2id (RFC 9106) ──► key ── opens ──► data key 32
//!                                                                  ├── HKDF "hotline vault value v1" ──► values
//!   header, 109 B = "HLVAULT" | version u8 = 1                     └── HKDF "hotline vault name v1" ──► names
//!                 | memory KiB u32 | passes u32 | lanes u8 | salt 16 | nonce 24 | sealed data key 32 + 16
//!
//!   value = nonce 24 | XChaCha20-Poly1305 (associated data: the name) of the content + 16
//!
//!   a row = key: HMAC of (space, key)   value: content (u16 length, key, value) under the name (space, blinded key)
//! ```
//!
//! Changing the passphrase seals the same data key again; values stay. A value moved to another name, or
//! changed, does not open.

use core::fmt;

use argon2::{Algorithm, Argon2, Version};
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use hkdf::hmac::{Hmac, Mac as _};
use rand_core::CryptoRngCore;
use sha2::Sha256;
use wire::rows::Row;
use wire::{Reader, Writer};
use zeroize::Zeroizing;

const MAGIC: &[u8; 7] = b"HLVAULT";
const VERSION: u8 = 1;
const NONCE_LEN: usize = 24;
const TAG_LEN: usize = 16;
/// Length of a header, bytes.
pub const HEADER_LEN: usize = 7 + 1 + 4 + 4 + 1 + 16 + NONCE_LEN + 32 + TAG_LEN;
/// What a value grows by when sealed, bytes.
pub const OVERHEAD: usize = NONCE_LEN + TAG_LEN;

/// How much work one try of a passphrase costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Params {
    /// Memory, KiB. At most 1 GiB.
    pub memory_kib: u32,
    /// Passes over it. At most 64.
    pub passes: u32,
    /// Lanes. At most 16.
    pub lanes: u8,
}

impl Params {
    /// 64 MiB, 3 passes, 1 lane: some 0.1 s on a desktop, RFC 9106 §4's second choice with fewer lanes.
    pub const STRONG: Params = Params { memory_kib: 64 * 1024, passes: 3, lanes: 1 };
    /// Next to nothing: for tests, never for a store that somebody keeps.
    pub const TEST: Params = Params { memory_kib: 32, passes: 1, lanes: 1 };

    /// Bounds the work that a damaged header can ask for.
    fn argon2(self) -> Option<Argon2<'static>> {
        if self.memory_kib > 1 << 20 || self.passes > 64 || self.lanes > 16 {
            return None;
        }
        let lanes = u32::from(self.lanes);
        let params = argon2::Params::new(self.memory_kib, self.passes, lanes, Some(32)).ok()?;
        Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }
}

impl Default for Params {
    fn default() -> Self {
        Params::STRONG
    }
}

/// Why a vault or a value does not open. Nothing is changed in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// Not a vault.
    #[error("this is not a Hotline store: choose the right file; nothing was changed")]
    Foreign,
    /// Of a later version.
    #[error(
        "store has version {0}, which this program does not know: use the program that wrote it, or a later one"
    )]
    UnknownVersion(u8),
    /// Either of the two; which one cannot be told.
    #[error(
        "passphrase is wrong, or the store is damaged: try again, or restore a copy; nothing was changed"
    )]
    WrongPassphraseOrDamaged,
    /// Parameters outside the bounds.
    #[error("passphrase parameters are out of bounds: the store is damaged")]
    Params,
    /// A value was changed, cut, or moved to another name.
    #[error("a value of the store is damaged: restore a copy; nothing was changed")]
    ValueDamaged,
}

/// An open vault.
pub struct Vault {
    data_key: Zeroizing<[u8; 32]>,
    values: XChaCha20Poly1305,
    names: Hmac<Sha256>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(..)")
    }
}

impl Vault {
    /// A new vault, and its header, to be kept beside the values. Takes as long as `params` says.
    ///
    /// # Errors
    /// [`VaultError::Params`].
    pub fn create(
        passphrase: &str,
        params: Params,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<(Self, Vec<u8>), VaultError> {
        let mut data_key = Zeroizing::new([0u8; 32]);
        rng.fill_bytes(data_key.as_mut());
        let vault = Vault::with(data_key)?;
        let header = vault.header(passphrase, params, rng)?;
        Ok((vault, header))
    }

    /// Opens a vault by its header.
    ///
    /// # Errors
    /// All but [`VaultError::ValueDamaged`].
    pub fn open(header: &[u8], passphrase: &str) -> Result<Self, VaultError> {
        let mut r = Reader::new(header);
        if r.bytes(MAGIC.len(), "magic") != Ok(MAGIC) {
            return Err(VaultError::Foreign);
        }
        match r.u8("version") {
            Ok(VERSION) => {}
            Ok(other) => return Err(VaultError::UnknownVersion(other)),
            Err(_) => return Err(VaultError::WrongPassphraseOrDamaged),
        }
        if header.len() != HEADER_LEN {
            return Err(VaultError::WrongPassphraseOrDamaged);
        }
        let damaged = |_| VaultError::WrongPassphraseOrDamaged;
        let params = Params {
            memory_kib: r.u32("memory").map_err(damaged)?,
            passes: r.u32("passes").map_err(damaged)?,
            lanes: r.u8("lanes").map_err(damaged)?,
        };
        let salt = r.array::<16>("salt").map_err(damaged)?;
        let (clear, _) = header.split_at(HEADER_LEN - NONCE_LEN - 32 - TAG_LEN);
        let nonce = r.array::<NONCE_LEN>("nonce").map_err(damaged)?;
        let sealed = r.bytes(32 + TAG_LEN, "sealed key").map_err(damaged)?;
        let opened = lock(passphrase, params, &salt)?
            .decrypt(&XNonce::from(nonce), Payload { msg: sealed, aad: clear })
            .map_err(|_| VaultError::WrongPassphraseOrDamaged)?;
        let opened = Zeroizing::new(opened);
        let mut data_key = Zeroizing::new([0u8; 32]);
        data_key.copy_from_slice(&opened);
        Vault::with(data_key)
    }

    /// A new header for the same vault: from when it is written, `passphrase` opens it and the old one does
    /// not.
    ///
    /// # Errors
    /// [`VaultError::Params`].
    pub fn change_passphrase(
        &self,
        passphrase: &str,
        params: Params,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Vec<u8>, VaultError> {
        self.header(passphrase, params, rng)
    }

    /// Seals `value` under `name`.
    #[must_use]
    pub fn seal_value(&self, name: &[u8], value: &[u8], rng: &mut dyn CryptoRngCore) -> Vec<u8> {
        let mut nonce = [0u8; NONCE_LEN];
        rng.fill_bytes(&mut nonce);
        let payload = Payload { msg: value, aad: name };
        let sealed = self.values.encrypt(&XNonce::from(nonce), payload);
        // The cipher refuses 256 GiB and more, which no memory holds.
        let sealed = sealed.expect("a value is shorter than 256 GiB");
        [&nonce[..], &sealed].concat()
    }

    /// Opens what [`Vault::seal_value`] sealed under the same name.
    ///
    /// # Errors
    /// [`VaultError::ValueDamaged`].
    pub fn open_value(&self, name: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let (nonce, sealed) =
            sealed.split_first_chunk::<NONCE_LEN>().ok_or(VaultError::ValueDamaged)?;
        let payload = Payload { msg: sealed, aad: name };
        let opened = self.values.decrypt(&XNonce::from(*nonce), payload);
        opened.map(Zeroizing::new).map_err(|_| VaultError::ValueDamaged)
    }

    /// `name` as a database key that tells nothing without the passphrase.
    #[must_use]
    pub fn blind(&self, name: &[u8]) -> [u8; 32] {
        let mut mac = self.names.clone();
        mac.update(name);
        mac.finalize().into_bytes().into()
    }

    /// The key under which a row is kept.
    #[must_use]
    pub fn row_key(&self, space: u8, key: &[u8]) -> [u8; 32] {
        self.blind(&name(space, key))
    }

    /// A row as it is kept: its blinded key and its sealed content.
    #[must_use]
    pub fn seal_row(&self, row: &Row, rng: &mut dyn CryptoRngCore) -> ([u8; 32], Vec<u8>) {
        let mut content = Writer::new();
        content.var(&row.key).bytes(&row.value);
        let content = Zeroizing::new(content.finish());
        let blinded = self.row_key(row.space, &row.key);
        (blinded, self.seal_value(&name(row.space, &blinded), &content, rng))
    }

    /// Opens what [`Vault::seal_row`] made. A value that was moved to another row or space does not open.
    ///
    /// # Errors
    /// [`VaultError::ValueDamaged`].
    pub fn open_row(&self, space: u8, blinded: &[u8], sealed: &[u8]) -> Result<Row, VaultError> {
        let content = self.open_value(&name(space, blinded), sealed)?;
        let damaged = |_| VaultError::ValueDamaged;
        let mut r = Reader::new(&content);
        let key = r.var(usize::from(u16::MAX), "key").map_err(damaged)?.to_vec();
        let left = r.left();
        let value = r.bytes(left, "value").map_err(damaged)?.to_vec();
        Ok(Row { space, key, value })
    }

    fn with(data_key: Zeroizing<[u8; 32]>) -> Result<Self, VaultError> {
        let kdf = Hkdf::<Sha256>::new(None, data_key.as_ref());
        let derive = |label: &[u8]| {
            let mut key = Zeroizing::new([0u8; 32]);
            kdf.expand(label, key.as_mut()).map(|()| key).map_err(|_| VaultError::Params)
        };
        let values = XChaCha20Poly1305::new(derive(b"hotline vault value v1")?.as_ref().into());
        let names = derive(b"hotline vault name v1")?;
        let names = <Hmac<Sha256> as hkdf::hmac::Mac>::new_from_slice(names.as_ref());
        Ok(Vault { data_key, values, names: names.map_err(|_| VaultError::Params)? })
    }

    fn header(
        &self,
        passphrase: &str,
        params: Params,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Vec<u8>, VaultError> {
        let (mut salt, mut nonce) = ([0u8; 16], [0u8; NONCE_LEN]);
        rng.fill_bytes(&mut salt);
        rng.fill_bytes(&mut nonce);
        let mut w = Writer::new();
        w.bytes(MAGIC).bytes(&[VERSION]);
        w.bytes(&params.memory_kib.to_be_bytes()).bytes(&params.passes.to_be_bytes());
        w.bytes(&[params.lanes]).bytes(&salt);
        let mut header = w.finish();
        let sealed = lock(passphrase, params, &salt)?
            .encrypt(&XNonce::from(nonce), Payload { msg: self.data_key.as_ref(), aad: &header })
            .map_err(|_| VaultError::Params)?;
        header.extend_from_slice(&nonce);
        header.extend_from_slice(&sealed);
        Ok(header)
    }
}

/// What a row's key is blinded from, and what its content is bound to.
fn name(space: u8, key: &[u8]) -> Vec<u8> {
    [&[space], key].concat()
}

/// The cipher that holds the data key.
fn lock(
    passphrase: &str,
    params: Params,
    salt: &[u8; 16],
) -> Result<XChaCha20Poly1305, VaultError> {
    let argon2 = params.argon2().ok_or(VaultError::Params)?;
    let mut key = Zeroizing::new([0u8; 32]);
    argon2
        .hash_password_into(passphrase.as_bytes(), salt, key.as_mut())
        .map_err(|_| VaultError::Params)?;
    Ok(XChaCha20Poly1305::new(key.as_ref().into()))
}

#[cfg(test)]
mod tests;
