//! Rules for calls, in the page's words, and back.

use protocol::{ErrorCode, Problem};
use wire::Rule;

use super::machines_precedence;

pub(super) fn rule(rule: Rule) -> protocol::Rule {
    same!(rule, Rule => Rule { ThroughStaff, Hours, Interpreter, NoteTaker })
}

pub(super) fn barred(barred: &phone::BarredView) -> protocol::Barred {
    protocol::Barred { rule: rule(barred.barred.rule), lifted_by: barred.lifted_by.clone() }
}

pub(super) fn hours(hours: &wire::Hours) -> protocol::Hours {
    protocol::Hours {
        days: hours.days(),
        from: hours.from(),
        until: hours.until(),
        east: hours.offset(),
    }
}

/// # Errors
/// There are no such hours.
pub(super) fn machines_hours(hours: protocol::Hours) -> Result<wire::Hours, Problem> {
    wire::Hours::new(hours.days, hours.from, hours.until, hours.east).ok_or_else(|| Problem {
        code: ErrorCode::NoSuchHours,
        text: "there are no such hours: they begin and end at different times".into(),
    })
}

pub(super) fn own(rules: &phone::ContactRules) -> protocol::Rules<u32> {
    protocol::Rules {
        staff: rules.staff,
        hours: rules.hours.as_ref().map(hours),
        interpreter: rules.interpreter,
        note_taker: rules.note_taker,
    }
}

pub(super) fn theirs(rules: &wire::Rules) -> protocol::Rules<String> {
    protocol::Rules {
        staff: rules.staff.as_ref().map(|name| name.as_str().to_owned()),
        hours: rules.hours.as_ref().map(hours),
        interpreter: rules.interpreter,
        note_taker: rules.note_taker,
    }
}

/// What was decided, in the machine's words.
///
/// # Errors
/// There are no such hours.
pub(super) fn machines(
    rules: protocol::Rules<u32>,
    highest: protocol::Precedence,
) -> Result<phone::ContactRules, Problem> {
    Ok(phone::ContactRules {
        staff: rules.staff,
        hours: rules.hours.map(machines_hours).transpose()?,
        interpreter: rules.interpreter,
        note_taker: rules.note_taker,
        precedence: machines_precedence(highest),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn rules_go_there_and_back_and_hours_that_cannot_be_do_not() {
        let hours = Some(protocol::Hours { days: 31, from: 540, until: 1_080, east: -90 });
        let made = protocol::Rules { staff: Some(3), hours, interpreter: true, note_taker: false };
        let there = machines(made, protocol::Precedence::Flash).unwrap();
        assert_eq!(there.precedence, wire::Precedence::Flash);
        assert_eq!(own(&there), made);
        let never = protocol::Hours { days: 0, from: 540, until: 1_080, east: 0 };
        let wrong =
            machines(protocol::Rules { hours: Some(never), ..made }, protocol::Precedence::Routine);
        assert!(wrong.is_err_and(|problem| problem.code == ErrorCode::NoSuchHours));
    }
}
