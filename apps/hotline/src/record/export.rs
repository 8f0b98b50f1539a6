//! `hotline record export`: the calls in a file, readable by whoever gets it.

use std::path::Path;

use record::Hash;
use record::contents::mark;
use serde_json::{Value, json};

use super::reading::{Facts, Noted, OnRecord, Reading};
use super::text::{behalf, end, role, stage, utc};
use super::{Format, memo, write_new};
use crate::cli::Failure;
use crate::exchange::folder::hex;

/// Runs the command.
///
/// # Errors
/// No such call, or the file exists.
pub(super) fn run(
    reading: &Reading,
    format: Format,
    to: &Path,
    entry: Option<u64>,
) -> Result<(), Failure> {
    let calls: Vec<&OnRecord> = match entry {
        Some(entry) => vec![reading.call(entry)?],
        None => reading.calls.iter().collect(),
    };
    let text = match format {
        Format::Json => serde_json::to_string_pretty(&all(reading, &calls))? + "\n",
        Format::Csv => table(&calls),
        Format::Memo => memo::page(reading, &calls),
    };
    write_new(to, text.as_bytes())?;
    println!("Wrote {} calls to {}, readable by whoever opens it.", calls.len(), to.display());
    let findings = reading.findings();
    if !findings.is_empty() {
        return Err(format!(
            "the record is not as it was made ({} findings; the file says so): hotline record verify",
            findings.len()
        )
        .into());
    }
    Ok(())
}

fn all(reading: &Reading, calls: &[&OnRecord]) -> Value {
    json!({
        "exchange": hex(&reading.exchange.0),
        "checkpoint": reading.head.map(|head| head.note()),
        "findings": reading.findings(),
        "calls": calls.iter().map(|on| json!({
            "facts": on.facts.iter().map(|f| facts(reading, f)).collect::<Vec<_>>(),
            "notes": on.notes.iter().map(|n| note(reading, n)).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
    })
}

/// Where an entry stands in the log: enough to prove it to somebody who has its sealed bytes and the checkpoint.
fn place(reading: &Reading, index: u64) -> Value {
    let size = reading.head.map_or(0, |head| head.size);
    let proof: Option<Vec<Hash>> = reading.tree.inclusion(index, size);
    json!({
        "entry": index, "leaf": reading.tree.leaf(index).map(|leaf| hex(&leaf)),
        "proof": proof.map(|proof| proof.iter().map(|hash| hex(hash)).collect::<Vec<_>>()),
    })
}

fn facts(reading: &Reading, f: &Facts) -> Value {
    let call = &f.call;
    let person =
        |p: &record::entry::Person| json!({"name": p.name.as_str(), "office": p.office.as_str()});
    json!({
        "place": place(reading, f.index),
        "office": f.entry.office.as_str(), "principal": f.entry.principal.as_str(),
        "handset": f.entry.device, "number": f.entry.number, "signed_by": mark(&f.author.principal()),
        "call": hex(&call.call.0), "placed": call.placed, "at": call.at.0, "at_utc": utc(call.at),
        "contact": person(&call.contact), "contact_identity": hex(&call.identity.0),
        "arranged_by": call.arranged_by.as_ref().map(person), "policy": call.policy.as_str(),
        "behalf": call.behalf.0.as_ref().map(|b| json!({"name": b.name.as_str(), "verified": b.verified})),
        "members": call.members.as_slice().iter().map(|m| json!({
            "who": person(&m.who), "role": role(m.role), "own": m.own, "from": m.from.0, "to": m.to.0,
        })).collect::<Vec<_>>(),
        "stages": call.steps.as_slice().iter().map(|s| json!({
            "stage": stage(s.stage), "at": s.at.0, "member": s.member,
        })).collect::<Vec<_>>(),
        "stages_left_out": call.left_out, "talked_s": call.talked, "end": end(call.end),
    })
}

fn note(reading: &Reading, n: &Noted) -> Value {
    json!({
        "place": place(reading, n.index), "by": n.entry.principal.as_str(), "handset": n.entry.device,
        "signed_by": mark(&n.author.principal()), "at": n.note.at.0, "at_utc": utc(n.note.at),
        "text": n.note.text.as_str(),
    })
}

/// One line for each handset's facts of a call.
fn table(calls: &[&OnRecord]) -> String {
    let mut out = String::from(
        "entry,at_utc,office,principal,handset,direction,contact,contact_office,arranged_by,policy,talked_s,end,notes,behalf\r\n",
    );
    for on in calls {
        for f in &on.facts {
            let call = &f.call;
            let arranged = call.arranged_by.as_ref().map_or("", |by| by.name.as_str());
            let fields = [
                f.index.to_string(),
                utc(call.at),
                f.entry.office.as_str().to_owned(),
                f.entry.principal.as_str().to_owned(),
                f.entry.device.to_string(),
                if call.placed { "placed" } else { "received" }.to_owned(),
                call.contact.name.as_str().to_owned(),
                call.contact.office.as_str().to_owned(),
                arranged.to_owned(),
                call.policy.as_str().to_owned(),
                call.talked.to_string(),
                end(call.end).to_owned(),
                on.notes.len().to_string(),
                call.behalf.0.as_ref().map(behalf).unwrap_or_default(),
            ];
            let line: Vec<String> = fields.iter().map(|text| field(text)).collect();
            out.push_str(&line.join(","));
            out.push_str("\r\n");
        }
    }
    out
}

/// A field (RFC 4180). A spreadsheet must not take a name for a formula.
fn field(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_and_are_no_formulas() {
        assert_eq!(field("Boris"), "Boris");
        assert_eq!(field("a,\"b\"\nc"), "\"a,\"\"b\"\"\nc\"");
        assert_eq!(field("=HYPERLINK(1)"), "'=HYPERLINK(1)");
    }
}
