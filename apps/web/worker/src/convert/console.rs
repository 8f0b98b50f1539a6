//! A switchboard position, in the page's words.

use wire::Wall;

use super::wall_ms;

pub(super) fn parked(p: &phone::ParkedView) -> protocol::ParkedView {
    protocol::ParkedView {
        reason: p.reason.clone(),
        since_ms: wall_ms(p.since),
        recall_ms: wall_ms(p.recall),
        recalled: p.recalled,
    }
}

pub(super) fn camp(c: &phone::CampView) -> protocol::CampView {
    protocol::CampView { contact: c.contact, until_ms: wall_ms(c.until), rings: c.rings }
}

pub(super) fn office_line(l: &phone::OfficeLineView) -> protocol::OfficeLineView {
    protocol::OfficeLineView {
        office: l.office.clone(),
        at_ms: wall_ms(l.at),
        works: l.works,
        failing_ms: l.failing.map(wall_ms),
        lost_percent: l.lost.map(|permille| f32::from(permille) / 10.0),
        round_trip_ms: l.round_trip.map(|time| time.as_secs_f64() * 1_000.0),
    }
}

pub(super) fn appointment(a: &phone::AppointmentView) -> protocol::AppointmentView {
    let phone::Appointment { at, agenda, people, language, here, there, note, remind } =
        a.appointment.clone();
    let at_ms = wall_ms(at);
    let appointment =
        protocol::Appointment { at_ms, agenda, people, language, here, there, note, remind };
    protocol::AppointmentView { id: a.id, appointment, due: a.due }
}

pub(super) fn machines_appointment(a: protocol::Appointment) -> phone::Appointment {
    let protocol::Appointment { at_ms, agenda, people, language, here, there, note, remind } = a;
    // A time before 1970, or none at all, is the beginning.
    let at = Wall((at_ms / 1_000.0) as u64);
    phone::Appointment { at, agenda, people, language, here, there, note, remind }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_appointment_goes_there_and_back() {
        let made = protocol::Appointment {
            at_ms: 1_700_000_040_000.0,
            agenda: "Fisheries".into(),
            people: vec![3, 1],
            language: "français".into(),
            here: -300,
            there: 345,
            note: "He was ill.".into(),
            remind: 15,
        };
        let appointment = machines_appointment(made.clone());
        assert_eq!(appointment.at, Wall(1_700_000_040));
        let view = phone::AppointmentView { id: 7, appointment, due: true };
        let shown = protocol::AppointmentView { id: 7, appointment: made, due: true };
        assert_eq!(super::appointment(&view), shown);
        let never = protocol::Appointment { at_ms: f64::NAN, ..shown.appointment };
        assert_eq!(machines_appointment(never).at, Wall(0));
    }
}
