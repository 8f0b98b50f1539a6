//! A key that several officers open together: k of n (Shamir's secret sharing, by crate `blahaj`).
//!
//! ```text
//!  secret 32 B ── split ──► share-1.key .. share-N.key = "HLSHARE1" | needed u8 | vault header | sealed share
//!     └─ hex: the passphrase of officer.key
//! ```
//!
//! Each share is sealed by its officer's own passphrase. Fewer than k of them say nothing about the secret; a wrong
//! one makes a wrong secret, which opens nothing.

use std::path::{Path, PathBuf};

use blahaj::{Share, Sharks};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::RngCore;
use seal::vault::{HEADER_LEN, Params, Vault};
use zeroize::Zeroizing;

use super::{passphrase, write_new};
use crate::cli::Failure;
use crate::exchange::folder::hex;

const MAGIC: &[u8; 8] = b"HLSHARE1";
const NAME: &[u8] = b"share";

fn file(folder: &Path, number: usize) -> PathBuf {
    folder.join(format!("share-{number}.key"))
}

/// Splits a new secret, and writes the shares; the secret as a passphrase.
///
/// # Errors
/// A share is there already, or the disk refuses.
pub(super) fn deal(
    folder: &Path,
    needed: u8,
    of: u8,
    passphrases: &[PathBuf],
    rng: &mut ChaCha20Rng,
) -> Result<Zeroizing<String>, Failure> {
    let mut secret = Zeroizing::new([0; 32]);
    rng.fill_bytes(secret.as_mut());
    let shares: Vec<Share> =
        Sharks(needed).dealer_rng(secret.as_ref(), rng).take(usize::from(of)).collect();
    for (n, share) in shares.iter().enumerate() {
        let whose = format!("officer {} (it cannot be recovered)", n + 1);
        let passphrase = passphrase(passphrases.get(n), &whose, true)?;
        let (vault, header) = Vault::create(&passphrase, Params::STRONG, rng)?;
        let share: Zeroizing<Vec<u8>> = Zeroizing::new(share.into());
        let sealed = vault.seal_value(NAME, &share, rng);
        write_new(&file(folder, n + 1), &[&MAGIC[..], &[needed], &header, &sealed].concat())?;
    }
    Ok(Zeroizing::new(hex(secret.as_ref())))
}

/// The secret as a passphrase, from shares.
///
/// # Errors
/// Too few, damaged, or a wrong passphrase.
pub(super) fn combine(
    needed: u8,
    files: &[PathBuf],
    passphrases: &[PathBuf],
) -> Result<Zeroizing<String>, Failure> {
    if files.len() < usize::from(needed) {
        return Err(format!(
            "this key is opened by {needed} officers together, and {} are here: give --share FILE for each",
            files.len()
        )
        .into());
    }
    let mut shares = Vec::new();
    for (n, path) in files.iter().enumerate() {
        let bytes =
            std::fs::read(path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
        let damaged = || format!("{} is damaged, or no share of a key", path.display());
        let rest = bytes.strip_prefix(MAGIC).and_then(|rest| rest.get(1..)).ok_or_else(damaged)?;
        let (header, sealed) = rest.split_at_checked(HEADER_LEN).ok_or_else(damaged)?;
        let passphrase = passphrase(passphrases.get(n), &path.display().to_string(), false)?;
        let vault = Vault::open(header, &passphrase)?;
        let share = vault.open_value(NAME, sealed).map_err(|_| damaged())?;
        let share = Share::try_from(share.as_slice()).map_err(|_| damaged())?;
        if shares.iter().any(|other: &Share| other.x.0 == share.x.0) {
            return Err(format!("{} was given twice", path.display()).into());
        }
        shares.push(share);
    }
    shares.truncate(usize::from(needed));
    let secret = Sharks(needed)
        .recover(&shares)
        .map(Zeroizing::new)
        .map_err(|_| "these shares do not belong together: one is of another key")?;
    Ok(Zeroizing::new(hex(&secret)))
}
