//! A log, read once: checked as a whole, and opened on all cores if the officer's keys are there.

use std::collections::BTreeMap;

use record::check::{self, Check};
use record::contents::{self, Author, Contents};
use record::entry::{Body, Call, Entry, Note};
use record::sealing::{OpenError, OpenKey, Opened, open};
use record::{Head, Tree};
use seal::identity::VerifiedDevice;
use wire::{CallId, ExchangePub};

use super::officer::Keys;
use super::source::{Row, Source, is_entry};
use crate::cli::Failure;

/// Entries that are opened together.
const BATCH: usize = 2_048;

/// Facts of a call, as one handset has them.
pub struct Facts {
    /// Index of the entry.
    pub index: u64,
    /// Who signed it.
    pub author: VerifiedDevice,
    /// The whole entry.
    pub entry: Entry,
    /// What it says.
    pub call: Call,
}

/// A note.
pub struct Noted {
    /// Index of the entry.
    pub index: u64,
    /// Who signed it.
    pub author: VerifiedDevice,
    /// The whole entry.
    pub entry: Entry,
    /// What it says.
    pub note: Note,
}

/// A call, from all entries of it.
#[derive(Default)]
pub struct OnRecord {
    /// Of each handset that was in it; first the one whose entry came first.
    pub facts: Vec<Facts>,
    /// In the order of the log.
    pub notes: Vec<Noted>,
}

impl OnRecord {
    /// Index of its first entry.
    #[must_use]
    pub fn first(&self) -> u64 {
        let all = self.facts.iter().map(|f| f.index).chain(self.notes.iter().map(|n| n.index));
        all.min().unwrap_or_default()
    }

    /// Whether an entry is of this call.
    #[must_use]
    pub fn has(&self, index: u64) -> bool {
        self.facts.iter().any(|f| f.index == index) || self.notes.iter().any(|n| n.index == index)
    }
}

/// A log that was read.
pub struct Reading {
    /// Whose.
    pub exchange: ExchangePub,
    /// What the exchange signed last, if it is good.
    pub head: Option<Head>,
    /// All hashes.
    pub tree: Tree,
    /// Whether it is whole.
    pub whole: Vec<check::Finding>,
    /// Whether it is what handsets made and saw; nothing, if it was not opened.
    pub contents: Vec<contents::Finding>,
    /// Handsets that wrote.
    pub authors: Vec<Author>,
    /// Calls, in the order of their first entries.
    pub calls: Vec<OnRecord>,
}

impl Reading {
    /// Reads a log. `kept`: checkpoints that were kept earlier; the first one's exchange is the one that is
    /// expected.
    ///
    /// # Errors
    /// It cannot be read, or there is nothing.
    pub fn new(source: &Source, keys: Option<&Keys>, kept: &[Head]) -> Result<Reading, Failure> {
        let head = source.head()?;
        let expected = kept.first().map(|kept| kept.exchange);
        let exchange = match (expected, &head) {
            (Some(exchange), _) => exchange,
            (None, Some(Ok(head))) => head.exchange,
            (None, Some(Err(error))) => {
                return Err(format!("the record's checkpoint: {error}").into());
            }
            (None, None) => {
                return Err("there is no record yet: no handset has sent an entry".into());
            }
        };
        let (mut check, mut contents) = (Check::default(), Contents::default());
        let mut calls: BTreeMap<CallId, OnRecord> = BTreeMap::new();
        let mut batch = Vec::with_capacity(BATCH);
        let mut opened = |batch: &mut Vec<Row>| {
            if let Some(keys) = keys {
                for (index, result) in open_all(batch, &exchange, &keys.open) {
                    contents.entry(index, &result);
                    if let Ok(opened) = result {
                        sort(&mut calls, index, opened);
                    }
                }
            }
            batch.clear();
        };
        source.each(&mut |row| {
            check.entry(row.index, row.beside.as_ref(), &row.entry);
            batch.push(row);
            if batch.len() == BATCH {
                opened(&mut batch);
            }
            Ok(())
        })?;
        opened(&mut batch);
        let kept: Vec<Head> =
            kept.iter().filter(|kept| kept.exchange == exchange).copied().collect();
        let good = head.as_ref().and_then(|head| head.as_ref().ok()).copied();
        let (tree, whole) = check.finish(&exchange, head, &kept);
        let (authors, contents) = contents.finish(&tree);
        let mut calls: Vec<OnRecord> = calls.into_values().collect();
        calls.sort_by_key(OnRecord::first);
        Ok(Reading { exchange, head: good, tree, whole, contents, authors, calls })
    }

    /// Everything that is wrong, in words.
    #[must_use]
    pub fn findings(&self) -> Vec<String> {
        let whole = self.whole.iter().map(ToString::to_string);
        whole.chain(self.contents.iter().map(ToString::to_string)).collect()
    }

    /// The call that an entry is of.
    ///
    /// # Errors
    /// None.
    pub fn call(&self, entry: u64) -> Result<&OnRecord, Failure> {
        self.calls.iter().find(|call| call.has(entry)).ok_or_else(|| {
            format!("entry {entry} is of no call that opens; `hotline record list` shows which there are").into()
        })
    }
}

fn sort(calls: &mut BTreeMap<CallId, OnRecord>, index: u64, Opened { author, entry }: Opened) {
    let on = calls.entry(entry.body.call()).or_default();
    match entry.body.clone() {
        Body::Call(call) => on.facts.push(Facts { index, author, entry, call }),
        Body::Note(note) => on.notes.push(Noted { index, author, entry, note }),
    }
}

/// Opens entries on all cores, in order.
fn open_all(
    batch: &[Row],
    exchange: &ExchangePub,
    keys: &[OpenKey],
) -> Vec<(u64, Result<Opened, OpenError>)> {
    let one = |row: &Row| match is_entry(&row.entry) {
        true => (row.index, open(&row.entry, exchange, keys)),
        false => (row.index, Err(OpenError::Version)),
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let part = batch.len().div_ceil(cores).max(1);
    std::thread::scope(|scope| {
        let parts: Vec<_> = batch
            .chunks(part)
            .map(|rows| scope.spawn(move || rows.iter().map(one).collect::<Vec<_>>()))
            .collect();
        // A thread that panicked has said so; its entries are then missing, and that is found.
        parts.into_iter().flat_map(|part| part.join().unwrap_or_default()).collect()
    })
}
