//! `hotline record list` and `show`, for a terminal.

use record::contents::mark;
use record::entry::{Call, Person};
use record::tree::verify_inclusion;

use super::reading::{OnRecord, Reading};
use super::text::{behalf, end, harmless, length, one_line, role, stage, utc};
use crate::cli::Failure;

/// `hotline record list`.
pub(super) fn list(reading: &Reading) -> Result<(), Failure> {
    println!(
        "{:>6}  {:<20} {:<28} {:<9} {:>8} {:>5}  how it ended",
        "entry", "UTC", "who", "", "talked", "notes"
    );
    for on in &reading.calls {
        println!("{}", line(on));
    }
    warn(reading);
    Ok(())
}

fn line(on: &OnRecord) -> String {
    let notes = on.notes.len();
    match (on.facts.first(), on.notes.first()) {
        (Some(facts), _) => {
            let call = &facts.call;
            let way = if call.placed { "called" } else { "called by" };
            let who = one_line(facts.entry.principal.as_str());
            let talked = if call.talked > 0 { length(call.talked) } else { String::new() };
            format!(
                "{:>6}  {:<20} {:<28} {:<9} {:>8} {:>5}  {}: {}",
                on.first(),
                utc(call.at),
                who,
                way,
                talked,
                notes,
                person(&call.contact),
                end(call.end)
            )
        }
        (None, Some(noted)) => format!(
            "{:>6}  {:<20} {:<28} {:<9} {:>8} {:>5}  {}: the call is not over, or its handset has not said",
            on.first(),
            utc(noted.note.at),
            one_line(noted.entry.principal.as_str()),
            "",
            "",
            notes,
            person(&noted.note.contact)
        ),
        (None, None) => String::new(),
    }
}

/// Somebody on one line.
pub(super) fn person(person: &Person) -> String {
    one_line(&format!("{}, {}", person.name.as_str(), person.office.as_str()))
}

/// Says that the log is not whole: what is shown may not be all.
fn warn(reading: &Reading) {
    let findings = reading.findings();
    if !findings.is_empty() {
        println!(
            "\nThe record is not as it was made ({} findings): hotline record verify",
            findings.len()
        );
    }
}

/// `hotline record show`.
pub(super) fn show(reading: &Reading, entry: u64) -> Result<(), Failure> {
    let on = reading.call(entry)?;
    for facts in &on.facts {
        let (call, entry) = (&facts.call, &facts.entry);
        let who = one_line(&format!("{}, {}", entry.principal.as_str(), entry.office.as_str()));
        println!("Entry {}, by {who}, handset {}", facts.index, entry.device);
        println!("  signed by  {}", mark(&facts.author.principal()));
        show_call(call);
        proof(reading, facts.index)?;
    }
    for noted in &on.notes {
        let who = one_line(noted.entry.principal.as_str());
        println!("Entry {}, a note by {who}, {} UTC", noted.index, utc(noted.note.at));
        for line in harmless(noted.note.text.as_str()).lines() {
            println!("  | {line}");
        }
        proof(reading, noted.index)?;
    }
    warn(reading);
    Ok(())
}

fn show_call(call: &Call) {
    println!(
        "  {}  {}",
        if call.placed { "called   " } else { "called by" },
        person(&call.contact)
    );
    println!("  placed     {} UTC", utc(call.at));
    println!("  talked     {}", length(call.talked));
    println!("  end        {}", end(call.end));
    println!("  rule       {}", one_line(call.policy.as_str()));
    if let Some(of) = &call.behalf.0 {
        println!("  name       {}", one_line(&behalf(of)));
    }
    if let Some(by) = &call.arranged_by {
        println!("  arranged   by {}", person(by));
    }
    for member in call.members.as_slice() {
        let times = match member.from.0 {
            0 => "was not in it".to_owned(),
            _ => format!("{} to {} UTC", utc(member.from), utc(member.to)),
        };
        println!("  member     {} ({}), {times}", person(&member.who), role(member.role));
    }
    for step in call.steps.as_slice() {
        println!("  stage      {} UTC  {}", utc(step.at), stage(step.stage));
    }
    if call.left_out > 0 {
        println!("  stage      {} more were left out", call.left_out);
    }
}

/// Proves that an entry is in the signed log.
fn proof(reading: &Reading, index: u64) -> Result<(), Failure> {
    let head = reading.head.as_ref().ok_or("the record has no good checkpoint")?;
    let (proof, leaf) = (reading.tree.inclusion(index, head.size), reading.tree.leaf(index));
    let proved = match (&proof, leaf) {
        (Some(proof), Some(leaf)) => verify_inclusion(index, head.size, &leaf, proof, &head.root),
        _ => false,
    };
    match proof {
        Some(proof) if proved => {
            println!(
                "  in the log {} hashes lead to the checkpoint of {} entries\n",
                proof.len(),
                head.size
            );
        }
        _ => println!("  NOT IN THE LOG that the exchange signed\n"),
    }
    Ok(())
}
