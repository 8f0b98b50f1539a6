//! A switchboard position and its appointments, as people type and read them.
//!
//! ```text
//!  position on    park the minister is called    camp 3    camp-end 3    start 2
//!  agenda:  2  Mon 13 Nov 15:00 +01:00  (09:00 -05:00)  Boris: Fisheries
//! ```

use std::time::Duration;

use phone::{AppointmentView, Command, OfficeLineView, View};
use serde_json::{Value, json};
use wire::Wall;

/// After how long a parked call is recalled.
pub(super) const RECALL: Duration = Duration::from_secs(180);
/// For how long a contact that is busy is rung again.
pub(super) const CAMP: Duration = Duration::from_secs(900);

/// A time of day, where the clocks are so many minutes east of UTC.
pub(super) fn local(at: Wall, east: i16) -> String {
    let local = at.0.saturating_add_signed(i64::from(east) * 60);
    let (days, minutes) = (local / 86_400, local % 86_400 / 60);
    let week = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    let (year, month, day) = date(days);
    let (sign, far) = (if east < 0 { '-' } else { '+' }, east.unsigned_abs());
    format!(
        "{} {year}-{month:02}-{day:02} {:02}:{:02} {sign}{:02}:{:02}",
        week[(days % 7) as usize],
        minutes / 60,
        minutes % 60,
        far / 60,
        far % 60
    )
}

/// Year, month and day of a day since 1970. The calendar repeats every 400 years, and a year begins in March here.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march + 2) / 5 + 1;
    let month = if march < 10 { march + 3 } else { march - 9 };
    (year + era * 400 + u64::from(month <= 2), month, day)
}

fn people(a: &AppointmentView, view: &View) -> Vec<String> {
    let name = |id: &u32| view.contacts.iter().find(|c| c.id == *id).map(|c| c.name.clone());
    a.appointment.people.iter().map(|id| name(id).unwrap_or_else(|| "?".into())).collect()
}

/// An appointment in a line, with the times of both offices.
pub(super) fn line(a: &AppointmentView, view: &View) -> String {
    let of = &a.appointment;
    let due = if a.due { "  (soon)" } else { "" };
    let (here, there) = (local(of.at, of.here), local(of.at, of.there));
    format!("{}  {here} ({there} there)  {}: {}{due}", a.id, people(a, view).join(", "), of.agenda)
}

/// The agenda for a program.
pub(super) fn agenda(view: &View) -> Value {
    let one = |a: &AppointmentView| {
        let of = &a.appointment;
        json!({
            "appointment": a.id, "at": of.at.0, "here": local(of.at, of.here), "there": local(of.at, of.there),
            "people": people(a, view), "agenda": of.agenda, "language": of.language, "note": of.note,
            "remind_min": of.remind, "due": a.due,
        })
    };
    json!({"agenda": view.agenda.iter().map(one).collect::<Vec<_>>()})
}

/// The line to another office, as tests find it.
pub(super) fn office_line(l: &OfficeLineView) -> String {
    let state = match (l.failing, l.works) {
        (Some(since), _) => format!("FAILS since {}", local(since, 0)),
        (None, Some(true)) => "works".into(),
        (None, Some(false)) => "failed once".into(),
        (None, None) => "in use".into(),
    };
    let figures = match (l.lost, l.round_trip) {
        (Some(lost), Some(trip)) => {
            format!(", {}.{} % lost, {} ms there and back", lost / 10, lost % 10, trip.as_millis())
        }
        _ => String::new(),
    };
    format!("{}: {state}{figures}; tested {}", l.office, local(l.at, 0))
}

/// The same for programs.
pub(super) fn office_lines(view: &View) -> Value {
    let one = |l: &OfficeLineView| {
        json!({
            "office": l.office, "at": l.at.0, "works": l.works, "failing_since": l.failing.map(|at| at.0),
            "lost_permille": l.lost, "round_trip_ms": l.round_trip.map(|t| t.as_millis()), "words": office_line(l),
        })
    };
    json!({"lines": view.office_lines.iter().map(one).collect::<Vec<_>>()})
}

/// What happened to one.
pub(super) fn told(contact: u32, fails: bool, view: &View) -> String {
    let office = view.contacts.iter().find(|c| c.id == contact).map_or("?", |c| c.office.as_str());
    match fails {
        true => format!(
            "The line to {office} fails: calls there may not go through. Tell the operator. `:lines`"
        ),
        false => format!("The line to {office} works again."),
    }
}

/// What is put aside, of a call.
pub(super) fn parked(call: &phone::CallView) -> Value {
    let parked = call.parked.as_ref();
    json!(parked.map(|p| json!({
        "reason": p.reason, "since": p.since.0, "recall": p.recall.0, "recalled": p.recalled,
    })))
}

/// A handset becomes a position, or is one no longer.
pub(super) fn position(on: bool) -> Command {
    Command::SetPosition { recall: on.then_some(RECALL) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_both_clocks() {
        let at = |text: &str, east, secs| assert_eq!(local(Wall(secs), east), text);
        at("Thu 1970-01-01 00:00 +00:00", 0, 0);
        at("Mon 2023-11-13 15:00 +01:00", 60, 1_699_884_000);
        at("Mon 2023-11-13 09:00 -05:00", -300, 1_699_884_000);
        at("Thu 2024-02-29 05:45 +05:45", 345, 1_709_164_800);
        at("Fri 2024-03-01 00:00 +00:00", 0, 1_709_251_200);
        at("Wed 2025-01-01 00:30 +14:00", 840, 1_735_641_000);
    }
}
