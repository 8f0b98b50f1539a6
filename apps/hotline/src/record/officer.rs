//! The records officer's folder.
//!
//! ```text
//!  officer.key    "HLOFFICE" | needed u8 | of u8 | vault header | sealed: version u8, signing key 32,
//!                 sealing keys: count u16, seeds 32, the newest last
//!  share-N.key    only if several open it together: see shares.rs
//!  record.order   for the operator of the exchange; public
//!  kept.note      the newest checkpoint that was verified          people.json   who wrote until then
//! ```
//!
//! Old sealing keys stay in the file: they open what was sealed to them.

use std::path::{Path, PathBuf};

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use record::order::fingerprint;
use record::sealing::OpenKey;
use record::{Calls, Head, Order};
use seal::office::OfficerKey;
use seal::vault::{HEADER_LEN, Params, Vault};
use wire::{Field, Reader, Wall, Writer};
use zeroize::Zeroizing;

use super::{Unlock, Which, passphrase, replace, shares, write_new};
use crate::cli::Failure;

const KEYS: &str = "officer.key";
const ORDER: &str = "record.order";
const KEPT: &str = "kept.note";
const MAGIC: &[u8; 8] = b"HLOFFICE";
const VERSION: u8 = 1;
/// Under what the keys are sealed in the vault.
const NAME: &[u8] = b"records officer";

/// The officer's secret keys.
pub struct Keys {
    /// Signs orders.
    pub sign: OfficerKey,
    /// Open entries; the newest last.
    pub open: Vec<OpenKey>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(..)")
    }
}

impl Keys {
    fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut w = Writer::new();
        VERSION.write(&mut w);
        w.bytes(self.sign.to_bytes().as_ref());
        // One for each rotation.
        u16::try_from(self.open.len()).unwrap_or(u16::MAX).write(&mut w);
        for key in &self.open {
            w.bytes(key.seed().as_ref());
        }
        Zeroizing::new(w.finish())
    }

    fn decode(bytes: &[u8]) -> Option<Keys> {
        let mut r = Reader::new(bytes);
        if r.u8("version").ok()? != VERSION {
            return None;
        }
        let sign = OfficerKey::from_bytes(&Zeroizing::new(r.array::<32>("signing key").ok()?));
        let count = r.u16("count").ok()?;
        let mut open = Vec::new();
        for _ in 0..count {
            let seed = Zeroizing::new(r.array::<32>("sealing key").ok()?);
            open.push(OpenKey::from_seed(&seed).ok()?);
        }
        r.end().ok()?;
        (!open.is_empty()).then_some(Keys { sign, open })
    }
}

/// The officer's folder, opened.
pub struct Officer {
    folder: PathBuf,
    threshold: (u8, u8),
    header: Vec<u8>,
    vault: Vault,
    /// What the folder holds.
    pub keys: Keys,
}

impl std::fmt::Debug for Officer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Officer(..)")
    }
}

fn rng() -> Result<ChaCha20Rng, Failure> {
    Ok(ChaCha20Rng::from_seed(crate::host::seed()?))
}

/// What the keys are bound to in the vault.
fn name(needed: u8, of: u8) -> Vec<u8> {
    [NAME, &[needed, of]].concat()
}

fn key_file(
    (needed, of): (u8, u8),
    header: &[u8],
    vault: &Vault,
    keys: &Keys,
) -> Result<Vec<u8>, Failure> {
    let sealed = vault.seal_value(&name(needed, of), &keys.encode(), &mut rng()?);
    Ok([&MAGIC[..], &[needed, of], header, &sealed].concat())
}

impl Officer {
    /// Opens the folder, with a passphrase or with shares.
    ///
    /// # Errors
    /// None there, damaged, a wrong passphrase, too few shares.
    pub fn open(unlock: &Unlock) -> Result<Officer, Failure> {
        let path = unlock.officer.join(KEYS);
        let bytes = std::fs::read(&path).map_err(|e| {
            format!("cannot read {}: {e}; make a records officer's keys with `hotline record init-officer`", path.display())
        })?;
        let damaged = || {
            format!("{} is damaged, or no records officer's key: restore a copy", path.display())
        };
        let rest = bytes.strip_prefix(MAGIC).ok_or_else(damaged)?;
        let Some(([needed, of], rest)) = rest.split_first_chunk::<2>() else {
            return Err(damaged().into());
        };
        let (header, sealed) = rest.split_at_checked(HEADER_LEN).ok_or_else(damaged)?;
        let secret = match *needed {
            0 => return Err(damaged().into()),
            1 => passphrase(unlock.passphrase_file.first(), "the records officer", false)?,
            needed => shares::combine(needed, &unlock.share, &unlock.passphrase_file)?,
        };
        let vault = Vault::open(header, &secret)?;
        let opened = vault.open_value(&name(*needed, *of), sealed).map_err(|_| damaged())?;
        let keys = Keys::decode(&opened).ok_or_else(damaged)?;
        let (folder, header) = (unlock.officer.clone(), header.to_vec());
        Ok(Officer { folder, threshold: (*needed, *of), header, vault, keys })
    }

    /// The checkpoint that was verified last.
    ///
    /// # Errors
    /// It does not read back.
    pub fn kept(&self) -> Result<Vec<Head>, Failure> {
        kept(&self.folder)
    }

    fn last_order(&self) -> Result<Order, Failure> {
        let path = self.folder.join(ORDER);
        let bytes =
            std::fs::read(&path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
        let order = Order::parse(&bytes)?;
        if order.officer() != self.keys.sign.public() {
            return Err(format!(
                "{} is of another officer than the keys beside it",
                path.display()
            )
            .into());
        }
        Ok(order)
    }

    /// Writes keys and order. The keys first: an order whose key is lost would seal to nobody.
    fn write(&self, order: &Order) -> Result<(), Failure> {
        let keys = key_file(self.threshold, &self.header, &self.vault, &self.keys)?;
        replace(&self.folder.join(KEYS), &keys)?;
        replace(&self.folder.join(ORDER), order.as_bytes())
    }
}

/// The checkpoint that was verified last, in an officer's folder.
pub(super) fn kept(folder: &Path) -> Result<Vec<Head>, Failure> {
    match std::fs::read_to_string(folder.join(KEPT)) {
        Ok(note) => Ok(vec![head(&note)?]),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(format!("cannot read {}: {e}", folder.join(KEPT).display()).into()),
    }
}

/// Keeps a checkpoint that was verified.
pub(super) fn keep(folder: &Path, head: &Head) -> Result<(), Failure> {
    replace(&folder.join(KEPT), head.note().as_bytes())
}

/// A checkpoint of whatever exchange it names.
pub(super) fn head(note: &str) -> Result<Head, Failure> {
    let exchange = Head::names(note).ok_or(record::head::HeadError::Damaged)?;
    Ok(Head::parse(note, &exchange)?)
}

fn calls(which: Which) -> Calls {
    match which {
        Which::None => Calls::None,
        Which::Answered => Calls::Answered,
        Which::All => Calls::All,
    }
}

/// `hotline record init-officer`.
///
/// # Errors
/// There are keys already, or the disk refuses.
pub(super) fn init(
    unlock: &Unlock,
    which: Which,
    threshold: Option<(u8, u8)>,
) -> Result<(), Failure> {
    let folder = &unlock.officer;
    if folder.join(KEYS).exists() {
        return Err(format!(
            "{} holds a records officer's keys already; they stay untouched",
            folder.display()
        )
        .into());
    }
    if let Some((needed, of)) = threshold.filter(|(needed, of)| needed > of) {
        return Err(format!("{needed} of {of} officers can never be there").into());
    }
    std::fs::create_dir_all(folder).map_err(|e| format!("cannot use {}: {e}", folder.display()))?;
    let mut rng = rng()?;
    let keys =
        Keys { sign: OfficerKey::generate(&mut rng), open: vec![OpenKey::generate(&mut rng)?] };
    let secret = match threshold {
        None => passphrase(
            unlock.passphrase_file.first(),
            "the records officer (it cannot be recovered)",
            true,
        )?,
        Some((needed, of)) => shares::deal(folder, needed, of, &unlock.passphrase_file, &mut rng)?,
    };
    let (vault, header) = Vault::create(&secret, Params::STRONG, &mut rng)?;
    let now = crate::host::Clock::start().wall();
    let order = Order::first(&keys.sign, calls(which), keys.open[0].public().clone(), now);
    let bytes = key_file(threshold.unwrap_or((1, 1)), &header, &vault, &keys)?;
    write_new(&folder.join(KEYS), &bytes)?;
    replace(&folder.join(ORDER), order.as_bytes())?;
    let dir = folder.display();
    println!(
        "Made a records officer's keys in {dir}. The officer's fingerprint, which handsets show:"
    );
    println!("  {}", fingerprint(&keys.sign.public()));
    println!("Keep a copy of {dir}/{KEYS} in a safe: without it nobody ever reads the record.");
    if let Some((needed, of)) = threshold {
        println!(
            "Hand {dir}/share-1.key to share-{of}.key to {of} officers; any {needed} of them open it."
        );
    }
    println!("Next, the exchange's operator: hotline exchange record --dir EXCHANGE {dir}/{ORDER}");
    Ok(())
}

/// `hotline record order`.
///
/// # Errors
/// Nothing to change, keys that do not open, or the disk refuses.
pub(super) fn order(
    unlock: &Unlock,
    which: Option<Which>,
    rotate: bool,
    successor: bool,
) -> Result<(), Failure> {
    if which.is_none() && !rotate && !successor {
        return Err("say what to change: --calls, --rotate or --successor".into());
    }
    let mut officer = Officer::open(unlock)?;
    let (last, mut rng) = (officer.last_order()?, rng()?);
    let now = now_after(&last);
    if rotate || successor {
        officer.keys.open.push(OpenKey::generate(&mut rng)?);
    }
    let newest = officer.keys.open.last().ok_or("the key file holds no key")?.public().clone();
    let mut order = match successor {
        true => {
            let new = OfficerKey::generate(&mut rng);
            let order = last.succeed(&officer.keys.sign, &new, newest.clone(), now).ok_or(
                "the officer key was changed too often: begin anew with `init-officer`, and `--anew` at the exchange",
            )?;
            officer.keys.sign = new;
            order
        }
        false => last.clone(),
    };
    if let Some(which) = which {
        order = order.next(&officer.keys.sign, calls(which), newest, now);
    } else if !successor {
        order = order.next(&officer.keys.sign, last.calls(), newest, now);
    }
    officer.write(&order)?;
    let dir = officer.folder.display();
    println!("Wrote {dir}/{ORDER}, number {}. The officer's fingerprint:", order.serial());
    println!("  {}", fingerprint(&order.officer()));
    if rotate || successor {
        println!("{KEYS} was changed: replace its copy in the safe.");
    }
    println!("Next, the exchange's operator: hotline exchange record --dir EXCHANGE {dir}/{ORDER}");
    Ok(())
}

fn now_after(order: &Order) -> Wall {
    crate::host::Clock::start().wall().max(order.since())
}
