//! How long verifying a record takes: a log as an exchange keeps it, in a folder that is removed afterwards.
#![allow(clippy::print_stdout, reason = "figures go to standard output")]

use std::path::Path;
use std::time::Instant;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use record::entry::{Body, Entry, Note, Person};
use record::sealing::{OpenKey, seal};
use record::{Frontier, Head, tree};
use seal::identity::{Device, IdentityKey};
use seal::office::{ExchangeKey, OfficerKey};
use serde_json::json;
use wire::limits::ENTRY_LEN;
use wire::rows::{Change, Row};
use wire::{CallId, Text, Wall};

use crate::cli::Failure;
use crate::exchange::folder;
use crate::exchange::settings::Settings;
use crate::record::{Keys, Reading, Source};
use crate::store::{Outcome, Plain};

/// Entries that are written together.
const BATCH: usize = 1_000;

/// What is measured.
#[derive(clap::Args, Clone, Debug)]
pub struct RecordOptions {
    /// Entries of the log
    #[arg(long, default_value_t = 100_000)]
    entries: u64,
    /// Entries of the log that is also opened with the officer's key
    #[arg(long, default_value_t = 5_000)]
    opened: u64,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// Makes logs, and measures how long they take to verify.
///
/// # Errors
/// The disk refuses.
pub fn run(options: &RecordOptions) -> Result<(), Failure> {
    let root = tempfile::tempdir()?;
    let mut rng = ChaCha20Rng::from_seed(crate::host::seed()?);
    let sealed = root.path().join("sealed");
    // What is inside makes no difference to hashes.
    write(&sealed, options.entries, crate::host::seed()?, |_| {
        let mut entry = vec![0; ENTRY_LEN];
        rng.fill_bytes(&mut entry);
        Ok(entry)
    })?;
    let (verify_s, findings) = verify(&sealed, None)?;
    let mut rng = ChaCha20Rng::from_seed(crate::host::seed()?);
    let keys =
        Keys { sign: OfficerKey::generate(&mut rng), open: vec![OpenKey::generate(&mut rng)?] };
    let device = Device::first(&IdentityKey::generate(&mut rng), &mut rng);
    let opened = root.path().join("opened");
    let seed = crate::host::seed()?;
    let exchange = ExchangeKey::from_bytes(&seed).public();
    write(&opened, options.opened, seed, |index| {
        Ok(seal(&entry(index + 1)?, &device, &exchange, keys.open[0].public())?)
    })?;
    let (open_s, wrong) = verify(&opened, Some(&keys))?;
    let each_us = open_s * 1e6 / options.opened.max(1) as f64;
    if findings + wrong > 0 {
        return Err(format!("the logs are not whole: {} findings", findings + wrong).into());
    }
    if options.json {
        let value = json!({
            "entries": options.entries, "verify_s": verify_s, "opened": options.opened, "open_s": open_s,
            "open_us_each": each_us, "cores": std::thread::available_parallelism().map_or(1, usize::from),
        });
        println!("{value}");
    } else {
        println!("verify {} entries of {ENTRY_LEN} bytes   {verify_s:.2} s", options.entries);
        println!(
            "open and verify {} entries             {open_s:.2} s, {each_us:.0} us each",
            options.opened
        );
    }
    Ok(())
}

/// How long a log takes to verify, in seconds; and how many findings there are.
fn verify(folder: &Path, keys: Option<&Keys>) -> Result<(f64, usize), Failure> {
    let begin = Instant::now();
    let reading = Reading::new(&Source::open(folder)?, keys, &[])?;
    Ok((begin.elapsed().as_secs_f64(), reading.findings().len()))
}

fn entry(number: u64) -> Result<Entry, Failure> {
    let mut call = CallId([0; 16]);
    call.0[..8].copy_from_slice(&number.to_be_bytes());
    let contact = Person { name: Text::new("Boris")?, office: Text::new("Embassy")? };
    let note = Note { call, contact, at: Wall(number), text: Text::new("agreed".repeat(100))? };
    let (office, principal) = (Text::new("Ministry")?, Text::new("Anna")?);
    Ok(Entry { office, principal, device: 0, number, lost: 0, seen: None, body: Body::Note(note) })
}

/// A log as an exchange keeps it, in the folder of the exchange with this seed.
fn write(
    folder: &Path,
    entries: u64,
    seed: [u8; 32],
    mut make: impl FnMut(u64) -> Result<Vec<u8>, Failure>,
) -> Result<(), Failure> {
    let settings = Settings { office: Some("bench".into()), ..Settings::default() };
    folder::create(folder, &settings, seed)?;
    let signer = folder::signing_key(folder)?;
    let (store, _) = folder::store(folder)?.start(Plain, Box::new(|| ()))?;
    let mut frontier = Frontier::default();
    let mut changes = Vec::new();
    for index in 0..entries {
        let entry = make(index)?;
        let leaf = tree::leaf(&entry);
        frontier.append(leaf);
        let (key, value) = (index.to_be_bytes().to_vec(), [&leaf[..], &entry].concat());
        changes.push(Change::Put(Row { space: exchange::RECORD_ENTRIES, key, value }));
        if changes.len() == BATCH || index + 1 == entries {
            let head = Head::sign(&signer, frontier.size(), frontier.root());
            let value = [
                &head.exchange.0[..],
                &head.size.to_be_bytes(),
                &head.signature.0,
                &frontier.peaks().concat(),
            ]
            .concat();
            changes.push(Change::Put(Row { space: exchange::RECORD_HEAD, key: Vec::new(), value }));
            store.commit(index, std::mem::take(&mut changes));
            if let Some(Outcome::Refused(_, why)) = store.wait() {
                return Err(why.into());
            }
        }
    }
    Ok(())
}
