//! `hotline record verify`: what is wrong with a log, in words, and what is kept for the next time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use record::Head;
use record::contents::{Author, mark};
use serde::{Deserialize, Serialize};
use serde_json::json;
use wire::ExchangePub;

use super::officer::{self, Officer};
use super::reading::Reading;
use super::source::Source;
use super::text::one_line;
use super::{Unlock, replace};
use crate::cli::Failure;
use crate::exchange::folder::hex;
use crate::exchange::settings::parse_key;

const PEOPLE: &str = "people.json";

/// Against what a log is verified.
pub(super) struct Against {
    pub(super) sealed: bool,
    pub(super) kept: Vec<PathBuf>,
    pub(super) keep: Option<PathBuf>,
    pub(super) exchange: Option<String>,
    pub(super) json: bool,
}

/// Who was known at the last verification.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
struct Known {
    name: String,
    /// Highest number of an entry, for each handset by its first entry.
    handsets: BTreeMap<u64, u64>,
}

type People = BTreeMap<String, Known>;

/// Runs the command. What is found is printed, and makes it fail.
///
/// # Errors
/// Findings; or what kept it from verifying.
pub(super) fn run(from: &Path, unlock: &Unlock, against: &Against) -> Result<(), Failure> {
    let source = Source::open(from)?;
    let officer = if against.sealed { None } else { Some(Officer::open(unlock)?) };
    let folder = &unlock.officer;
    let mut kept = officer::kept(folder)?;
    for path in &against.kept {
        let note = std::fs::read_to_string(path)
            .map_err(|e| format!("cannot read {}: {e}", path.display()))?;
        kept.push(officer::head(&note).map_err(|e| format!("{}: {e}", path.display()))?);
    }
    if let Some(text) = &against.exchange {
        let key = ExchangePub(parse_key(text)?);
        if let Some(other) = kept.iter().find(|kept| kept.exchange != key) {
            return Err(format!(
                "a checkpoint that was kept is of the exchange {}, not of {text}",
                hex(&other.exchange.0)
            )
            .into());
        }
    }
    let reading = Reading::new(&source, officer.as_ref().map(|o| &o.keys), &kept)?;
    let mut findings = reading.findings();
    if let Some(text) = &against.exchange
        && reading.exchange.0 != parse_key(text)?
    {
        findings.push(format!("the record is of the exchange {}", hex(&reading.exchange.0)));
    }
    let known = people(folder)?;
    let (now, notices) = compare(&known, &reading.authors, &mut findings);
    if findings.is_empty()
        && let Some(head) = &reading.head
    {
        keep(folder, against, head, officer.is_some().then_some(&now))?;
    }
    report(&reading, &kept, &findings, &notices, against);
    match findings.len() {
        0 => Ok(()),
        1 => Err("the record is not as it was made: see above".into()),
        n => Err(format!("the record is not as it was made: {n} findings, see above").into()),
    }
}

fn people(folder: &Path) -> Result<People, Failure> {
    match std::fs::read(folder.join(PEOPLE)) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes)
            .map_err(|e| format!("{} is damaged: {e}", folder.join(PEOPLE).display()))?),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(People::new()),
        Err(e) => Err(format!("cannot read {}: {e}", folder.join(PEOPLE).display()).into()),
    }
}

/// Who writes now, and what is new about it. Somebody whose entries became fewer is a finding.
fn compare(
    known: &People,
    authors: &[Author],
    findings: &mut Vec<String>,
) -> (People, Vec<String>) {
    let (mut now, mut notices) = (known.clone(), Vec::new());
    for author in authors {
        let mark = mark(&author.principal);
        let name = one_line(&author.name);
        let person = now.entry(mark.clone()).or_insert_with(|| {
            notices.push(format!(
                "{name} is new: compare with `record` on that handset: {mark} (first entry: {})",
                author.first
            ));
            Known { name: name.clone(), ..Known::default() }
        });
        let last = person.handsets.entry(author.first).or_insert(0);
        if *last > author.last_number {
            findings.push(format!(
                "{name}'s handset {} had {last} entries at the last verification, and has {} now",
                author.device, author.last_number
            ));
        }
        *last = author.last_number;
        if person.name != name {
            notices.push(format!("{} is called {name} now", person.name));
            person.name = name;
        }
    }
    (now, notices)
}

fn keep(
    folder: &Path,
    against: &Against,
    head: &Head,
    people: Option<&People>,
) -> Result<(), Failure> {
    if let Some(path) = &against.keep {
        replace(path, head.note().as_bytes())?;
    }
    if let Some(people) = people {
        officer::keep(folder, head)?;
        replace(&folder.join(PEOPLE), &serde_json::to_vec_pretty(people)?)?;
    }
    Ok(())
}

fn report(
    reading: &Reading,
    kept: &[Head],
    findings: &[String],
    notices: &[String],
    against: &Against,
) {
    let entries = reading.tree.size();
    let last = kept.iter().map(|kept| kept.size).max();
    if against.json {
        let value = json!({
            "whole": findings.is_empty(), "entries": entries, "exchange": hex(&reading.exchange.0),
            "root": reading.head.map(|head| hex(&head.root)), "kept": last, "opened": !against.sealed,
            "calls": reading.calls.len(), "findings": findings, "notices": notices,
        });
        return println!("{value}");
    }
    println!("Record of the exchange {}", hex(&reading.exchange.0));
    match last {
        Some(kept) => println!("{entries} entries, against a checkpoint of {kept} that was kept."),
        None => {
            println!("{entries} entries. No checkpoint was kept before: from now on there is one.")
        }
    }
    for finding in findings {
        println!("  FOUND  {}", one_line(finding));
    }
    for notice in notices {
        println!("  note   {notice}");
    }
    if findings.is_empty() {
        let opened = match against.sealed {
            true => "Entries were not opened: what they say was not compared.".to_owned(),
            false => format!(
                "All open, each signed by its handset, none left out before the last of each: {} calls.",
                reading.calls.len()
            ),
        };
        println!("Whole: nothing was changed, dropped or reordered. {opened}");
    }
}
