//! Where a log is read from.
//!
//! ```text
//!  an exchange's folder: exchange.db, running or not          a copy: checkpoint, tile/entries/, tile/0/
//!        rows: index, hash, entry; head                             C2SP tlog-tiles
//! ```

use std::path::{Path, PathBuf};

use exchange::{RECORD_ENTRIES, RECORD_HEAD};
use record::head::HeadError;
use record::{Hash, Head};
use wire::limits::ENTRY_LEN;
use wire::{ExchangePub, Field, Signature};

use super::copy::{self, TILE};
use crate::cli::Failure;
use crate::exchange::folder;
use crate::store::{Reader, StoreError};

/// A log, before it is checked.
pub enum Source {
    /// An exchange's own.
    Store(Box<Reader>),
    /// A copy.
    Tiles(PathBuf),
}

/// Why a log cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Whoever takes the entries.
    #[error("{0}")]
    Taker(String),
}

/// One row of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// As it says.
    pub index: u64,
    /// The hash beside it, if one is there.
    pub beside: Option<Hash>,
    /// Sealed.
    pub entry: Vec<u8>,
}

/// Takes rows.
pub type Taker<'a> = &'a mut dyn FnMut(Row) -> Result<(), Failure>;

impl Source {
    /// Opens the folder of an exchange, or a copy.
    ///
    /// # Errors
    /// Neither is there.
    pub fn open(path: &Path) -> Result<Source, Failure> {
        if path.join(copy::CHECKPOINT).exists() {
            return Ok(Source::Tiles(path.into()));
        }
        Ok(Source::Store(Box::new(folder::reader(path)?)))
    }

    /// What the exchange signed last; `None` if nothing.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn head(&self) -> Result<Option<Result<Head, HeadError>>, Failure> {
        match self {
            Source::Store(store) => Ok(store.row(RECORD_HEAD, &[])?.map(|row| head(&row))),
            Source::Tiles(path) => {
                let path = path.join(copy::CHECKPOINT);
                let note = std::fs::read_to_string(&path)
                    .map_err(|e| format!("cannot read {}: {e}", path.display()))?;
                let named = Head::names(&note).ok_or(HeadError::Damaged);
                Ok(Some(named.and_then(|exchange| Head::parse(&note, &exchange))))
            }
        }
    }

    /// All rows in order.
    ///
    /// # Errors
    /// The disk refuses, or `take` does.
    pub fn each(&self, take: Taker<'_>) -> Result<(), Failure> {
        match self {
            Source::Store(store) => Ok(store.each(RECORD_ENTRIES, |key, value| {
                take(row(key, value)).map_err(|e| ReadError::Taker(e.to_string()))
            })?),
            Source::Tiles(path) => tiles(path, take),
        }
    }
}

/// A row of the store. One that is not as an exchange writes it is an entry all the same: its hash will not fit.
fn row(key: &[u8], value: &[u8]) -> Row {
    let index = key.try_into().map_or(u64::MAX, u64::from_be_bytes);
    match value.split_first_chunk::<32>() {
        Some((beside, entry)) => Row { index, beside: Some(*beside), entry: entry.to_vec() },
        None => Row { index, beside: None, entry: value.to_vec() },
    }
}

/// The head's row, as `exchange::rows` writes it.
fn head(row: &[u8]) -> Result<Head, HeadError> {
    let mut r = wire::Reader::new(row);
    let damaged = |_| HeadError::Damaged;
    let exchange = ExchangePub::read(&mut r, "exchange").map_err(damaged)?;
    let size = r.u64("size").map_err(damaged)?;
    let signature = Signature::read(&mut r, "signature").map_err(damaged)?;
    let left = r.left();
    let (peaks, rest) = r.bytes(left, "subtrees").map_err(damaged)?.as_chunks::<32>();
    let frontier = record::Frontier::restore(size, peaks.to_vec()).filter(|_| rest.is_empty());
    let root = frontier.ok_or(HeadError::Damaged)?.root();
    Head::verify(exchange, size, root, signature)
}

fn tiles(path: &Path, take: Taker<'_>) -> Result<(), Failure> {
    let mut index = 0;
    for number in 0.. {
        let Some(bundle) = copy::tile(path, "entries", number)? else { break };
        let hashes = copy::tile(path, "0", number)?.unwrap_or_default();
        let mut hashes = hashes.as_chunks::<32>().0.iter();
        let mut rest = &bundle[..];
        let before = index;
        while let Some((len, tail)) = rest.split_first_chunk::<2>() {
            let len = usize::from(u16::from_be_bytes(*len));
            let (entry, tail) = tail.split_at_checked(len).ok_or(
                "the copy is damaged: a bundle of entries ends inside one; copy the log again",
            )?;
            take(Row { index, beside: hashes.next().copied(), entry: entry.to_vec() })?;
            (rest, index) = (tail, index + 1);
        }
        if index - before < TILE {
            break;
        }
    }
    Ok(())
}

/// What every entry is long.
pub(super) fn is_entry(entry: &[u8]) -> bool {
    entry.len() == ENTRY_LEN
}
