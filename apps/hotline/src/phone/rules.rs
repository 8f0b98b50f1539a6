//! Rules for calls with a contact, as people type and read them.
//!
//! ```text
//!  policy 3 through 5    policy 3 hours Mon-Fri 09:00-18:00 +01:00    policy 3 interpreter yes    policy 3 none
//! ```

use call::hours;
use call::{Barred, Side};
use phone::{BarredView, Command, ContactRules, ContactView, View};
use serde_json::{Value, json};
use wire::{Precedence, Rule};

use super::urgent;

/// A rule in a word.
pub(super) fn rule_word(rule: Rule) -> &'static str {
    match rule {
        Rule::ThroughStaff => "through-staff",
        Rule::Hours => "hours",
        Rule::Interpreter => "interpreter",
        Rule::NoteTaker => "note-taker",
    }
}

/// Why a rule kept a call from coming about, and who can do something about it.
pub(super) fn barred(why: &BarredView) -> String {
    let Barred { rule, of } = why.barred;
    let whose = match of {
        Side::Own => "your rule",
        Side::Theirs => "their rule",
        Side::Office => "your office's rule for calls with other offices",
    };
    let what = match rule {
        Rule::ThroughStaff => "through staff only",
        Rule::Hours => "not at this hour",
        Rule::Interpreter => "with an interpreter only",
        Rule::NoteTaker => "with a note-taker only",
    };
    let who = match why.lifted_by.is_empty() {
        true => "the operator of your exchange".to_owned(),
        false => why.lifted_by.join(" or "),
    };
    format!("{what}, by {whose}; ask {who}")
}

/// The same for a program.
pub(super) fn barred_json(why: &BarredView) -> Value {
    let of = match why.barred.of {
        Side::Own => "own",
        Side::Theirs => "theirs",
        Side::Office => "office",
    };
    json!({"rule": rule_word(why.barred.rule), "of": of, "lifted_by": why.lifted_by})
}

fn parts(
    staff: Option<&str>,
    of: (Option<&wire::Hours>, bool, bool),
    precedence: Precedence,
) -> Vec<String> {
    let (open, interpreter, note_taker) = of;
    let urgent = precedence.is_urgent().then(|| format!("up to {}", precedence.word()));
    let staff = staff.map(|name| match name {
        "" => "through staff".into(),
        name => format!("through {name}"),
    });
    let hours = open.map(hours::words);
    let interpreter = interpreter.then(|| "with an interpreter".to_owned());
    let note_taker = note_taker.then(|| "with a note-taker".to_owned());
    [staff, hours, interpreter, note_taker, urgent].into_iter().flatten().collect()
}

/// The owner's rules for a contact; `None` without any.
pub(super) fn own(c: &ContactView, view: &View) -> Option<String> {
    let r = &c.rules;
    let of = |staff: u32| view.contacts.iter().find(|c| c.id == staff).map_or("", |c| &c.name);
    let list =
        parts(r.staff.map(of), (r.hours.as_ref(), r.interpreter, r.note_taker), r.precedence);
    (!list.is_empty()).then(|| list.join(", "))
}

/// The contact's own rules, as it told them; `None` without any.
pub(super) fn theirs(c: &ContactView) -> Option<String> {
    let r = &c.their_rules;
    let staff = r.staff.as_ref().map(|name| name.as_str());
    let list = parts(staff, (r.hours.as_ref(), r.interpreter, r.note_taker), c.may_claim);
    (!list.is_empty()).then(|| list.join(", "))
}

/// A contact's rules for a program.
pub(super) fn json(c: &ContactView) -> Value {
    let words = |hours: Option<&wire::Hours>| hours.map(hours::words);
    let (own, theirs) = (&c.rules, &c.their_rules);
    json!({
        "own": {"through": own.staff, "hours": words(own.hours.as_ref()),
                "interpreter": own.interpreter, "note_taker": own.note_taker,
                "precedence": own.precedence.word()},
        "theirs": {"through": theirs.staff.as_ref().map(|name| name.as_str()),
                   "hours": words(theirs.hours.as_ref()),
                   "interpreter": theirs.interpreter, "note_taker": theirs.note_taker,
                   "precedence": c.may_claim.word()},
    })
}

/// Reads what follows `policy N`: one rule, in place of that one before.
///
/// # Errors
/// What is wrong, for whoever typed it.
pub(super) fn read(contact: u32, text: &str, view: &View) -> Result<Command, String> {
    let known = view.contacts.iter().find(|c| c.id == contact).map(|c| c.rules);
    let mut rules = known.ok_or_else(|| format!("there is no contact {contact}"))?;
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let rest = rest.trim();
    let yes = || match rest {
        "yes" => Ok(true),
        "no" => Ok(false),
        other => Err(format!("say yes or no, not `{other}`")),
    };
    match (word, rest) {
        ("none", "") => rules = ContactRules::default(),
        ("direct", "") => rules.staff = None,
        ("through", staff) => {
            let number =
                staff.parse().map_err(|_| format!("`{staff}` is not a number from the list"))?;
            rules.staff = Some(number);
        }
        ("hours", "always") => rules.hours = None,
        ("hours", text) => rules.hours = Some(hours::read(text)?),
        ("interpreter", _) => rules.interpreter = yes()?,
        ("note-taker", _) => rules.note_taker = yes()?,
        ("precedence", level) => {
            let wrong = || format!("`{level}` is none of {}", urgent::words());
            rules.precedence = urgent::read(level).ok_or_else(wrong)?;
        }
        _ => {
            return Err(
                "say direct, through M, hours, interpreter, note-taker, precedence or none".into(),
            );
        }
    }
    Ok(Command::SetRules { contact, rules })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phone::screen::empty_view;

    #[test]
    fn one_rule_is_changed_and_the_others_stay() {
        let mut view = empty_view();
        let set = |view: &mut View, text: &str| match read(7, text, view) {
            Ok(Command::SetRules { contact: 7, rules }) => {
                view.contacts[0].rules = rules;
                own(&view.contacts[0], view)
            }
            Ok(_) => panic!("another command"),
            Err(why) => panic!("{why}"),
        };
        assert_eq!(own(&view.contacts[0], &view), None);
        for (text, all) in [
            ("interpreter yes", "with an interpreter"),
            ("hours Mon-Fri 09:00-18:00 +01:00", "Mon-Fri 09:00-18:00 +01:00, with an interpreter"),
            ("through 7", "through Boris, Mon-Fri 09:00-18:00 +01:00, with an interpreter"),
            ("interpreter no", "through Boris, Mon-Fri 09:00-18:00 +01:00"),
            ("direct", "Mon-Fri 09:00-18:00 +01:00"),
            ("note-taker yes", "Mon-Fri 09:00-18:00 +01:00, with a note-taker"),
            ("hours always", "with a note-taker"),
            ("precedence flash", "with a note-taker, up to flash"),
        ] {
            assert_eq!(set(&mut view, text).as_deref(), Some(all), "{text}");
        }
        assert_eq!(set(&mut view, "none"), None);
        for (text, named) in [
            ("", "say direct"),
            ("staff", "say direct"),
            ("through Ada", "`Ada` is not a number"),
            ("hours soon", "Mon-Fri 09:00-18:00"),
            ("interpreter", "yes or no"),
            ("precedence red", "none of routine, priority, immediate, flash"),
            ("none at all", "say direct"),
        ] {
            assert!(matches!(read(7, text, &view), Err(why) if why.contains(named)), "{text}");
        }
        assert!(matches!(read(8, "none", &view), Err(why) if why.contains("no contact 8")));
    }

    #[test]
    fn whoever_can_lift_a_rule_is_named() {
        let names = vec!["Ada".to_owned(), "Boris".to_owned()];
        let why = BarredView {
            barred: Barred { rule: Rule::ThroughStaff, of: Side::Theirs },
            lifted_by: names,
        };
        assert_eq!(barred(&why), "through staff only, by their rule; ask Ada or Boris");
        assert_eq!(barred_json(&why)["lifted_by"][0], "Ada");
        let of = Barred { rule: Rule::Hours, of: Side::Office };
        let mut why = BarredView { barred: of, lifted_by: vec!["Ada, room 12".to_owned()] };
        let by = "not at this hour, by your office's rule for calls with other offices; ask";
        assert_eq!(barred(&why), format!("{by} Ada, room 12"));
        assert_eq!(barred_json(&why)["of"], "office");
        why.lifted_by.clear();
        assert_eq!(barred(&why), format!("{by} the operator of your exchange"));
    }
}
