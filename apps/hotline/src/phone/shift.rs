//! A position that goes to another handset of the same person, as people type and read it.
//!
//! ```text
//!  handover NOTE, handover to N NOTE  |  shift, shift stop  |  there: shift, shift take, shift leave
//! ```

use phone::{Command, ShiftStage, ShiftView, View};
use serde_json::{Value, json};

use super::transfer::handset;

/// What was typed after `handover`.
pub(super) fn hand_over(typed: &str, view: &View) -> Result<Command, String> {
    let (to, note) = match typed.strip_prefix("to ") {
        Some(rest) => rest.trim().split_once(' ').unwrap_or((rest.trim(), "")),
        None => ("", typed),
    };
    Ok(Command::HandOver { to: handset(to, view)?, note: note.trim().into() })
}

/// What was typed after `shift`; `None`: it is to be shown.
pub(super) fn read(typed: &str) -> Result<Option<Command>, String> {
    Ok(Some(match typed {
        "" => return Ok(None),
        "take" => Command::TakeShift,
        "leave" => Command::LeaveShift,
        "stop" => Command::EndHandOver,
        other => {
            return Err(format!(
                "say `shift`, `shift take`, `shift leave` or `shift stop`, not `{other}`"
            ));
        }
    }))
}

fn one(s: &ShiftView, given: bool, view: &View) -> String {
    let name = view.contacts.iter().find(|c| c.id == s.with).map_or("somebody", |c| &c.name);
    let (all, gone) = s.appointments;
    let stage = match (s.stage, given) {
        (ShiftStage::Offered, true) => format!("Offered to {name}; `shift stop` takes that back"),
        (ShiftStage::Offered, false) => {
            format!("{name} hands its position over: `shift take` or `shift leave`")
        }
        (ShiftStage::UnderWay, true) => format!("Going to {name}"),
        (ShiftStage::UnderWay, false) => format!("Coming from {name}"),
        (ShiftStage::Over, true) => format!("{name} has the position; `shift stop` forgets this"),
        (ShiftStage::Over, false) => {
            format!("The position of {name} is here; `shift leave` forgets this")
        }
        (ShiftStage::NotTaken, true) => {
            format!("Not taken by {name}, or not to the end: what had not gone is here")
        }
        (ShiftStage::NotTaken, false) => {
            format!("Not taken to the end: what had not come is with {name}")
        }
    };
    let note = if s.note.is_empty() { String::new() } else { format!(" Note: {}", s.note) };
    let stays =
        format!("{} appointments stay, {} calls are parked here", s.left.len(), s.parked.len());
    let stays = if given { format!("; {stays}") } else { String::new() };
    format!("{stage}. Appointments: {gone} of {all} over; parked calls: {}{stays}.{note}", s.calls)
}

/// Hand-overs, a line each.
pub(super) fn lines(view: &View) -> Vec<String> {
    let given = view.shift_given.iter().map(|s| one(s, true, view));
    given.chain(view.shift_taken.iter().map(|s| one(s, false, view))).collect()
}

fn shift(s: &ShiftView) -> Value {
    json!({
        "handset": s.with, "stage": format!("{:?}", s.stage).to_lowercase(), "note": s.note,
        "appointments": s.appointments.0, "over": s.appointments.1, "left": s.left,
        "calls": s.calls, "parked": s.parked,
    })
}

/// Hand-overs for a program.
pub(super) fn json(view: &View) -> Value {
    json!({"shift": {"given": view.shift_given.as_ref().map(shift), "taken": view.shift_taken.as_ref().map(shift)}})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hand_over_is_typed_and_told_with_what_stays() {
        let mut view = crate::phone::screen::empty_view();
        assert!(hand_over("all quiet", &view).is_err_and(|why| why.contains("no other handset")));
        view.handsets = vec![4];
        let made = hand_over("all quiet", &view);
        assert!(matches!(made, Ok(Command::HandOver { to: 4, note }) if note == "all quiet"));
        view.handsets = vec![4, 5];
        assert!(hand_over("all quiet", &view).is_err_and(|why| why.contains("4, 5")));
        let made = hand_over("to 5 all quiet", &view);
        assert!(matches!(made, Ok(Command::HandOver { to: 5, note }) if note == "all quiet"));
        assert!(matches!(read("take"), Ok(Some(Command::TakeShift))));
        assert!(matches!(read(""), Ok(None)));
        assert!(read("now").is_err());
        let stage = ShiftStage::Over;
        let note = "Paris".into();
        view.shift_given = Some(ShiftView {
            with: 4,
            stage,
            note,
            appointments: (3, 2),
            left: vec![9],
            calls: 1,
            parked: vec![6],
        });
        let line = lines(&view).remove(0);
        for shown in
            ["has the position", "2 of 3 over", "1 appointments stay, 1 calls are parked", "Paris"]
        {
            assert!(line.contains(shown), "{line}");
        }
    }
}
