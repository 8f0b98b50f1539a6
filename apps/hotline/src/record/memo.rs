//! A memorandum of each call, as a page to read or print: HTML without scripts, pictures or links.

use record::entry::Person;

use super::reading::{Facts, OnRecord, Reading};
use super::text::{behalf, end, harmless, length, role, stage, utc};
use crate::exchange::folder::hex;

const STYLE: &str = "\
@page{size:A4;margin:25mm 22mm}
body{font:11pt/1.45 Georgia,'Times New Roman',serif;color:#111;max-width:42em;margin:2em auto;padding:0 1em}
article{break-after:page}article:last-of-type{break-after:auto}
h1{font-size:17pt;font-weight:normal;margin:0 0 .2em}h2{font-size:11pt;margin:1.6em 0 .4em;letter-spacing:.04em}
p.office{font-variant:small-caps;letter-spacing:.05em;border-bottom:.5pt solid #111;padding-bottom:.4em}
table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.15em .8em .15em 0}
th{font-weight:normal;color:#555;white-space:nowrap;width:1%}
td.t{white-space:nowrap;font-variant-numeric:tabular-nums;width:1%}
p.note{white-space:pre-wrap;overflow-wrap:anywhere}
footer{margin-top:2.5em;border-top:.5pt solid #999;font-size:8.5pt;color:#555;overflow-wrap:anywhere}
p.warn{border:1pt solid #900;color:#900;padding:.5em .8em}
@media print{body{margin:0;padding:0;max-width:none}}";

/// The whole page.
pub(super) fn page(reading: &Reading, calls: &[&OnRecord]) -> String {
    let articles: String = calls.iter().map(|on| article(reading, on)).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Memoranda of calls</title>\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <style>{STYLE}</style></head><body>\n{articles}</body></html>\n"
    )
}

fn escaped(text: &str) -> String {
    harmless(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

fn person(person: &Person) -> String {
    let (name, office) = (escaped(person.name.as_str()), escaped(person.office.as_str()));
    format!("{name}, {office}")
}

fn article(reading: &Reading, on: &OnRecord) -> String {
    let mut body = String::new();
    let findings = reading.findings().len();
    if findings > 0 {
        body.push_str(&format!(
            "<p class=\"warn\">The record that this was taken from is not as it was made: {findings} findings \
             of <code>hotline record verify</code>.</p>\n"
        ));
    }
    for facts in &on.facts {
        body.push_str(&facts_of(facts));
    }
    if !on.notes.is_empty() {
        body.push_str("<h2>Notes</h2>\n");
    }
    for noted in &on.notes {
        body.push_str(&format!(
            "<p class=\"note\"><small>{} UTC, {}:</small>\n{}</p>\n",
            utc(noted.note.at),
            escaped(noted.entry.principal.as_str()),
            escaped(noted.note.text.as_str())
        ));
    }
    let mut entries: Vec<u64> =
        on.facts.iter().map(|f| f.index).chain(on.notes.iter().map(|n| n.index)).collect();
    entries.sort_unstable();
    let entries: Vec<String> = entries.iter().map(ToString::to_string).collect();
    let (size, root) = reading.head.map_or((0, String::new()), |head| (head.size, hex(&head.root)));
    format!(
        "<article>\n{body}<footer>Composed from entries {} of the office's record, each signed by its handset. \
         Checkpoint: {size} entries, root {root}, exchange {}. What was said is not recorded.</footer>\n</article>\n",
        entries.join(", "),
        hex(&reading.exchange.0)
    )
}

fn facts_of(facts: &Facts) -> String {
    let (call, entry) = (&facts.call, &facts.entry);
    let own = format!("{}, {}", escaped(entry.principal.as_str()), escaped(entry.office.as_str()));
    let (from, to) = match call.placed {
        true => (own, person(&call.contact)),
        false => (person(&call.contact), own),
    };
    let mut rows = vec![
        ("From", from),
        ("To", to),
        ("Date", format!("{} UTC", utc(call.at))),
        ("Length", length(call.talked)),
        ("End", end(call.end).to_owned()),
    ];
    if let Some(by) = &call.arranged_by {
        rows.push(("Arranged by", person(by)));
    }
    if let Some(of) = &call.behalf.0 {
        rows.push(("In the name", escaped(&behalf(of))));
    }
    rows.push(("Rule", escaped(call.policy.as_str())));
    let rows: String = rows
        .iter()
        .map(|(name, value)| format!("<tr><th>{name}</th><td>{value}</td></tr>\n"))
        .collect();
    let members: String = call
        .members
        .as_slice()
        .iter()
        .map(|m| {
            let times = match m.from.0 {
                0 => "was not in the call".to_owned(),
                _ => format!("{} to {}", utc(m.from), utc(m.to)),
            };
            format!(
                "<tr><td>{}</td><td>{}</td><td class=\"t\">{times}</td></tr>\n",
                person(&m.who),
                role(m.role)
            )
        })
        .collect();
    let steps: String = call
        .steps
        .as_slice()
        .iter()
        .map(|s| {
            format!("<tr><td class=\"t\">{}</td><td>{}</td></tr>\n", utc(s.at), stage(s.stage))
        })
        .collect();
    format!(
        "<p class=\"office\">{}</p>\n<h1>Memorandum of a call</h1>\n<table>\n{rows}</table>\n\
         <h2>Present</h2>\n<table>\n{members}</table>\n<h2>Course</h2>\n<table>\n{steps}</table>\n",
        escaped(entry.office.as_str())
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_write_html() {
        assert_eq!(escaped("<b>\"A&B\"\u{202e}"), "&lt;b&gt;&quot;A&amp;B&quot;\u{fffd}");
    }
}
