//! Making a handset and opening one: what it takes to lock it, and what can be wrong.

use std::rc::Rc;

use phone::{Phone, Setup};
use protocol::{ErrorCode, LockChoice, Problem};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use seal::vault::{Params, Vault, VaultError};
use wire::EnrolLink;
use zeroize::Zeroizing;

use crate::convert;
use crate::handset::{Handset, Lock};
use crate::host::{Host, Shared};
use crate::store::{Key, Passkey, Store};

/// A passkey's secret has 256 bits: no work makes it harder to guess.
const PASSKEY: Params = Params { memory_kib: 1_024, passes: 1, lanes: 1 };

/// The store refused.
pub(crate) fn storage(text: String) -> Problem {
    Problem { code: ErrorCode::StorageRefused, text }
}

fn vault(error: VaultError) -> Problem {
    let code = match error {
        VaultError::WrongPassphraseOrDamaged => ErrorCode::WrongSecret,
        _ => ErrorCode::StoreForeign,
    };
    Problem { code, text: error.to_string() }
}

fn other(text: String) -> Problem {
    Problem { code: ErrorCode::Other, text }
}

/// Randomness from the browser, once for each use.
fn seed() -> Result<[u8; 32], Problem> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)
        .map_err(|e| other(format!("the browser gives no randomness: {e}")))?;
    Ok(seed)
}

/// What a choice of lock means: secret, work for each guess, passkey.
fn parts(lock: LockChoice) -> Option<(Zeroizing<String>, Params, Option<Passkey>)> {
    match lock {
        LockChoice::Nothing => None,
        LockChoice::Passphrase { secret } => Some((secret.into(), Params::STRONG, None)),
        LockChoice::Passkey { secret, credential, salt } => {
            Some((secret.into(), PASSKEY, Some(Passkey { credential, salt })))
        }
    }
}

/// A new handset; its keys are made here and now.
///
/// # Errors
/// The link is damaged, or there is no store for what is to be kept.
pub(crate) fn create(
    host: &Host,
    name: String,
    enrol: &str,
    card: Option<String>,
    lock: LockChoice,
) -> Result<(Handset, EnrolLink), Problem> {
    let link = EnrolLink::parse(enrol)
        .map_err(|e| Problem { code: ErrorCode::BadEnrolLink, text: e.to_string() })?;
    let (key, lock) = match parts(lock) {
        None => (None, None),
        Some((secret, params, passkey)) => {
            if host.store.is_none() {
                return Err(storage("this browser does not store for this page".into()));
            }
            let mut rng = ChaCha20Rng::from_seed(seed()?);
            let (vault, header) = Vault::create(&secret, params, &mut rng).map_err(self::vault)?;
            (Some(Key { vault, rng }), Some((header, passkey)))
        }
    };
    let setup = Setup { name, seed: seed()?, patience: call::PATIENCE };
    let phone = Phone::create(setup, host.clock.now(), host.clock.wall());
    let phone = phone.map_err(|e| convert::problem(&e))?;
    Ok((Handset::new(phone, key, lock, card), link))
}

/// The handset in the store.
///
/// # Errors
/// Another secret, or a store that is damaged; nothing is changed.
pub(crate) async fn unlock(
    host: &Shared,
    store: Option<Rc<Store>>,
    secret: &str,
) -> Result<Handset, Problem> {
    let store = store.ok_or_else(|| storage("this browser does not store for this page".into()))?;
    let header = store.header().await.map_err(storage)?;
    let header = header.ok_or_else(|| storage("there is no handset in this browser".into()))?;
    let vault = Vault::open(&header, secret).map_err(self::vault)?;
    let key = Key { vault, rng: ChaCha20Rng::from_seed(seed()?) };
    let rows = store.rows(&key).await.map_err(storage)?;
    let setup = Setup { name: String::new(), seed: seed()?, patience: call::PATIENCE };
    let (now, wall) = {
        let host = host.borrow();
        (host.clock.now(), host.clock.wall())
    };
    let phone = Phone::restore(rows, setup, now, wall).map_err(|e| other(e.to_string()))?;
    Ok(Handset::new(phone, Some(key), None, None))
}

/// A new lock for the same store.
///
/// # Errors
/// No lock at all was chosen.
pub(crate) fn relock(key: &mut Key, lock: LockChoice) -> Result<Lock, Problem> {
    let (secret, params, passkey) =
        parts(lock).ok_or_else(|| other("a handset that is kept has to be locked".into()))?;
    let header = key.vault.change_passphrase(&secret, params, &mut key.rng).map_err(self::vault)?;
    Ok((header, passkey))
}
