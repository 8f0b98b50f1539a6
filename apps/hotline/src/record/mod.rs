//! `hotline record`: the records officer's tool. It runs wherever the officer keeps the key, and needs of the
//! exchange no more than a copy of its log.
//!
//! ```text
//!  officer.rs  the officer's folder: keys, order, what was verified last     shares.rs  k of n open it
//!  source.rs   where a log is read from: an exchange's folder, or a copy (C2SP tlog-tiles)
//!  reading.rs  a log, checked and opened ──► verify.rs   findings      list.rs   list, show
//!                                            export.rs   JSON, CSV     memo.rs   a memorandum to print
//! ```
#![allow(clippy::print_stdout, reason = "what a command answers goes to standard output")]

mod copy;
mod export;
mod list;
mod memo;
pub mod officer;
pub mod reading;
mod shares;
pub mod source;
pub(crate) mod text;
mod verify;

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

pub use officer::{Keys, Officer};
pub use reading::Reading;
pub use source::Source;

use crate::cli::Failure;

/// Where the log is.
#[derive(clap::Args, Clone, Debug)]
pub struct Log {
    /// The exchange's folder, or a copy that `hotline record copy` made
    #[arg(long = "from", env = "HOTLINE_RECORD", default_value = "hotline-exchange")]
    from: PathBuf,
}

/// The officer's folder, and what opens it. Passphrases are asked for, or read from files: never flags.
#[derive(clap::Args, Clone, Debug)]
pub struct Unlock {
    /// The records officer's folder
    #[arg(long, env = "HOTLINE_OFFICER", default_value = "hotline-officer")]
    officer: PathBuf,
    /// Read a passphrase from the first line of this file; for several officers once for each, in their order
    #[arg(long)]
    passphrase_file: Vec<PathBuf>,
    /// A share of the key, if several officers open it together; once for each
    #[arg(long)]
    share: Vec<PathBuf>,
}

/// What can be done with the record.
#[allow(missing_docs, reason = "options of several commands are documented in their own types")]
#[derive(clap::Subcommand, Clone, Debug)]
pub enum RecordCommand {
    /// Make a records officer's keys, and the order that the exchange's operator puts into force
    InitOfficer {
        #[command(flatten)]
        unlock: Unlock,
        /// Which calls go on the record
        #[arg(long, value_enum, default_value_t = Which::Answered)]
        calls: Which,
        /// Split the key into so many shares, one for each officer
        #[arg(long, requires = "needed", value_parser = clap::value_parser!(u8).range(2..=16))]
        officers: Option<u8>,
        /// So many shares open it
        #[arg(long, requires = "officers", value_parser = clap::value_parser!(u8).range(2..=16))]
        needed: Option<u8>,
    },
    /// Order other calls, or rotate keys: writes a new order for the operator
    Order {
        #[command(flatten)]
        unlock: Unlock,
        /// Which calls go on the record from now on
        #[arg(long, value_enum)]
        calls: Option<Which>,
        /// Seal to a new key from now on; entries so far open with the old one
        #[arg(long)]
        rotate: bool,
        /// Sign by a new officer key from now on, named by the old one (with a new sealing key)
        #[arg(long)]
        successor: bool,
    },
    /// List the calls on the record
    List {
        #[command(flatten)]
        log: Log,
        #[command(flatten)]
        unlock: Unlock,
    },
    /// Show one call with its notes, and the proof that it is in the log
    Show {
        #[command(flatten)]
        log: Log,
        #[command(flatten)]
        unlock: Unlock,
        /// The number of any entry of the call, as `list` shows it
        entry: u64,
    },
    /// Check the whole log: against its signed checkpoint, against checkpoints that were kept, and (with the
    /// officer's key) against what handsets made and saw
    Verify {
        #[command(flatten)]
        log: Log,
        #[command(flatten)]
        unlock: Unlock,
        /// Do not open entries: no key is needed
        #[arg(long)]
        sealed: bool,
        /// A checkpoint that was kept earlier; beside the one in the officer's folder
        #[arg(long)]
        kept: Vec<PathBuf>,
        /// Keep the verified checkpoint in this file
        #[arg(long)]
        keep: Option<PathBuf>,
        /// The exchange's key, hex, as `hotline exchange init` printed it; needed the first time at most
        #[arg(long)]
        exchange: Option<String>,
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
    /// Write the calls into a file
    Export {
        #[command(flatten)]
        log: Log,
        #[command(flatten)]
        unlock: Unlock,
        /// Form of the file; `memo` is a page to print
        #[arg(long, value_enum)]
        format: Format,
        /// The file; nothing that exists is overwritten
        #[arg(long)]
        to: PathBuf,
        /// Only the call that this entry belongs to
        #[arg(long)]
        entry: Option<u64>,
    },
    /// Copy the log, sealed as it is, to where the officer works (C2SP tlog-tiles); a copy that is there is continued
    Copy {
        #[command(flatten)]
        log: Log,
        /// Folder of the copy
        #[arg(long)]
        to: PathBuf,
    },
}

/// Which calls.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// None any more
    None,
    /// Those that were answered
    Answered,
    /// Missed and failed ones too
    All,
}

/// Forms of an export.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Everything
    Json,
    /// One line for each call
    Csv,
    /// A memorandum for each call: HTML, to be read or printed
    Memo,
}

/// Runs a command.
///
/// # Errors
/// What kept it from its work, in words; also what `verify` found.
pub fn run(command: RecordCommand) -> Result<(), Failure> {
    match command {
        RecordCommand::InitOfficer { unlock, calls, officers, needed } => {
            officer::init(&unlock, calls, needed.zip(officers))
        }
        RecordCommand::Order { unlock, calls, rotate, successor } => {
            officer::order(&unlock, calls, rotate, successor)
        }
        RecordCommand::List { log, unlock } => list::list(&read(&log, &unlock)?),
        RecordCommand::Show { log, unlock, entry } => list::show(&read(&log, &unlock)?, entry),
        RecordCommand::Verify { log, unlock, sealed, kept, keep, exchange, json } => {
            verify::run(&log.from, &unlock, &verify::Against { sealed, kept, keep, exchange, json })
        }
        RecordCommand::Export { log, unlock, format, to, entry } => {
            export::run(&read(&log, &unlock)?, format, &to, entry)
        }
        RecordCommand::Copy { log, to } => copy::run(&log.from, &to),
    }
}

/// A log, opened with the officer's keys.
fn read(log: &Log, unlock: &Unlock) -> Result<Reading, Failure> {
    let officer = Officer::open(unlock)?;
    Reading::new(&Source::open(&log.from)?, Some(&officer.keys), &officer.kept()?)
}

/// Reads a passphrase from a file, or asks for it; twice if it is new.
fn passphrase(
    file: Option<&PathBuf>,
    whose: &str,
    new: bool,
) -> Result<Zeroizing<String>, Failure> {
    if let Some(path) = file {
        let text = std::fs::read_to_string(path)
            .map(Zeroizing::new)
            .map_err(|e| format!("cannot read a passphrase from {}: {e}", path.display()))?;
        let line = text.lines().next().unwrap_or_default();
        if line.is_empty() {
            return Err(format!("the first line of {} is empty", path.display()).into());
        }
        return Ok(Zeroizing::new(line.into()));
    }
    let ask = |prompt: String| -> Result<Zeroizing<String>, Failure> {
        Ok(Zeroizing::new(rpassword::prompt_password(prompt).map_err(|e| {
            format!("no terminal to ask for the passphrase on ({e}): use --passphrase-file")
        })?))
    };
    let first = ask(format!("{}assphrase of {whose}: ", if new { "New p" } else { "P" }))?;
    if first.is_empty() {
        return Err("an empty passphrase protects nothing".into());
    }
    if new && first.as_str() != ask("Again: ".into())?.as_str() {
        return Err("the two were different; nothing was made".into());
    }
    Ok(first)
}

/// Writes a file that is not there yet, for its owner only; it is on disk when this returns.
fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let refused = |e: std::io::Error| format!("cannot write {}: {e}", path.display());
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(path).map_err(refused)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(refused)?;
    Ok(())
}

/// Puts a file in the place of one that may be there, whole or not at all.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let new = PathBuf::from(new);
    // Left over by a run that was killed.
    let _ = std::fs::remove_file(&new);
    write_new(&new, bytes)?;
    std::fs::rename(&new, path).map_err(|e| format!("cannot write {}: {e}", path.display()))?;
    Ok(())
}
