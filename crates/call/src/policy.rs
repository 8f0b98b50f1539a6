//! Who may ring, by which rules calls come about, who is told what, and which of two crossing calls survives.
//!
//! ```text
//!  blocked? ── yes ─► Drop
//!     └ a rule broken? ── yes ─► Refuse{rule}      both by who rings: a call between two, or asked into a call of others
//!           └ in a call? ── yes ─► Busy
//!                 └ Ring                            tell: only whom the owner trusts
//! ```
//!
//! Rules hold both ways: a handset asks the same before it places a call ([`broken`]), of its owner's rules and of what
//! the other side told of its own. Who stays in an arranged call is connected only with [`Met`].

use wire::talk::Role;
use wire::{CallId, Rule, Rules, Wall};

use crate::hours::is_open;

/// What the owner decided about one contact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// May know that it rings, that the owner is busy or declines, and by which rules calls come about. `None`: as the contact's keys deserve
    /// (pinned in person, or verified).
    pub trusted: Option<bool>,
    /// Never rings; the caller rings out.
    pub blocked: bool,
}

/// What this handset is doing when a call comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Busyness {
    /// Nothing.
    Free,
    /// Another call is under way, rings, or is being placed.
    InCall,
}

/// What becomes of an incoming call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It rings. `tell`: the caller may know.
    Ring {
        /// Say that it rings.
        tell: bool,
    },
    /// Not now. `tell`: the caller may know; otherwise it rings out. A missed call is noted.
    Busy {
        /// Say so.
        tell: bool,
    },
    /// A rule of the owner's keeps it from ringing. `tell`: the caller may know; otherwise it rings out. It is noted.
    Refuse {
        /// Which.
        rule: Rule,
        /// Say so.
        tell: bool,
    },
    /// Blocked: the caller rings out, nothing is shown, nothing is noted.
    Drop,
}

/// Whose rule it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// This handset's owner's.
    Own,
    /// The contact's.
    Theirs,
    /// The own office's, about its own lines and calls with other offices: its operator made it.
    Office,
}

/// The rule that keeps a call from coming about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Barred {
    /// Which.
    pub rule: Rule,
    /// Whose.
    pub of: Side,
}

impl core::fmt::Display for Barred {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let (whose, owner) = match self.of {
            Side::Own => ("your rule for this contact", "change the rule"),
            Side::Theirs => ("this contact's rule", "ask the contact to lift it"),
            Side::Office => ("a rule of your office", "ask whom it names to lift it"),
        };
        let (what, how) = match self.rule {
            Rule::ThroughStaff => ("calls through staff only", "have staff arrange the call, or "),
            Rule::Hours => ("no calls at this hour", "call later, or "),
            Rule::Interpreter => {
                ("calls with an interpreter only", "have staff arrange a call with one, or ")
            }
            Rule::NoteTaker => {
                ("calls with a note-taker only", "have staff arrange a call with one, or ")
            }
        };
        write!(f, "{whose} says {what}: {how}{owner}")
    }
}

/// How a call comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Between the two.
    Direct,
    /// The one asks the other into a call with others.
    Asked,
}

/// The first rule that a call breaks at a time of day.
#[must_use]
pub fn broken(rules: &Rules, kind: Kind, at: Wall) -> Option<Rule> {
    let direct = kind == Kind::Direct;
    // Whoever goes through staff asks nobody in, either.
    let staff = rules.staff.is_some().then_some(Rule::ThroughStaff);
    let closed = rules.hours.as_ref().is_some_and(|hours| !is_open(hours, at));
    staff
        .or(closed.then_some(Rule::Hours))
        .or((direct && rules.interpreter).then_some(Rule::Interpreter))
        .or((direct && rules.note_taker).then_some(Rule::NoteTaker))
}

/// Who has to be in a call before those who stay are connected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Needs {
    /// An interpreter.
    pub interpreter: bool,
    /// A note-taker.
    pub note_taker: bool,
}

/// Proof that whoever has to be in a call is. Only [`Needs::met`] makes one.
#[derive(Debug)]
pub struct Met(());

impl Needs {
    /// What rules need.
    #[must_use]
    pub fn of(rules: &Rules) -> Needs {
        Needs { interpreter: rules.interpreter, note_taker: rules.note_taker }
    }

    /// What both need.
    #[must_use]
    pub fn and(self, other: Needs) -> Needs {
        Needs {
            interpreter: self.interpreter || other.interpreter,
            note_taker: self.note_taker || other.note_taker,
        }
    }

    /// Whether they are met by the roles of those who are there.
    ///
    /// # Errors
    /// The rule that is not.
    pub fn met(self, there: impl IntoIterator<Item = Role>) -> Result<Met, Rule> {
        let (mut interpreter, mut note_taker) = (!self.interpreter, !self.note_taker);
        for role in there {
            interpreter |= role == Role::Interpreter;
            note_taker |= role == Role::NoteTaker;
        }
        match (interpreter, note_taker) {
            (true, true) => Ok(Met(())),
            (false, _) => Err(Rule::Interpreter),
            (true, false) => Err(Rule::NoteTaker),
        }
    }
}

impl Policy {
    /// Whether the contact may know what this handset does. `deserves`: its keys are pinned or verified.
    #[must_use]
    pub fn tells(&self, deserves: bool) -> bool {
        !self.blocked && self.trusted.unwrap_or(deserves)
    }
}

/// Decides. `deserves`: the contact's keys are pinned or verified. `broken`: the rule that the call breaks.
#[must_use]
pub fn admit(policy: Policy, deserves: bool, broken: Option<Rule>, busy: Busyness) -> Verdict {
    let tell = policy.tells(deserves);
    match (policy.blocked, broken, busy) {
        (true, _, _) => Verdict::Drop,
        (false, Some(rule), _) => Verdict::Refuse { rule, tell },
        (false, None, Busyness::Free) => Verdict::Ring { tell },
        (false, None, Busyness::InCall) => Verdict::Busy { tell },
    }
}

/// Of two calls that crossed, which goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Survivor {
    /// The one that this side placed: the other side answers it by itself.
    Mine,
    /// The one that the other side placed: this side answers it by itself.
    Theirs,
}

/// Both called each other at once: the smaller name survives, at both ends alike.
#[must_use]
pub fn glare(mine: &CallId, theirs: &CallId) -> Survivor {
    if mine < theirs { Survivor::Mine } else { Survivor::Theirs }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_trusted_are_told() {
        let free = Busyness::Free;
        let default = Policy::default();
        assert_eq!(admit(default, true, None, free), Verdict::Ring { tell: true });
        assert_eq!(admit(default, false, None, free), Verdict::Ring { tell: false });
        let distrusted = Policy { trusted: Some(false), blocked: false };
        assert_eq!(admit(distrusted, true, None, Busyness::InCall), Verdict::Busy { tell: false });
        let trusted = Policy { trusted: Some(true), blocked: false };
        assert_eq!(admit(trusted, false, None, Busyness::InCall), Verdict::Busy { tell: true });
        let rule = Rule::Hours;
        for busy in [Busyness::Free, Busyness::InCall] {
            let told = |policy, tell| {
                assert_eq!(admit(policy, true, Some(rule), busy), Verdict::Refuse { rule, tell });
            };
            told(trusted, true);
            told(distrusted, false);
        }
        let blocked = Policy { trusted: Some(true), blocked: true };
        assert_eq!(admit(blocked, true, Some(rule), free), Verdict::Drop);
        assert!(!blocked.tells(true), "nobody who is blocked is told anything");
    }

    #[test]
    fn a_call_breaks_the_rules_of_its_kind() {
        let all = Rules {
            staff: Some(wire::Text::default()),
            hours: wire::Hours::new(1, 540, 600, 0),
            interpreter: true,
            note_taker: true,
        };
        // Monday the 13th of November 2023, eight and nine in the morning, UTC.
        let (closed, open) = (Wall(1_699_862_400), Wall(1_699_866_000));
        let mut rules = all.clone();
        assert_eq!(broken(&rules, Kind::Asked, open), Some(Rule::ThroughStaff));
        for (lift, direct, asked) in [
            ((|_| {}) as fn(&mut Rules), Some(Rule::ThroughStaff), Some(Rule::ThroughStaff)),
            (|r| r.staff = None, Some(Rule::Hours), Some(Rule::Hours)),
            (|r| r.hours = None, Some(Rule::Interpreter), None),
            (|r| r.interpreter = false, Some(Rule::NoteTaker), None),
            (|r| r.note_taker = false, None, None),
        ] {
            lift(&mut rules);
            assert_eq!(broken(&rules, Kind::Direct, closed), direct);
            assert_eq!(broken(&rules, Kind::Asked, closed), asked);
        }
        assert_eq!(rules, Rules::default());
        let hours = Rules { hours: all.hours, ..Rules::default() };
        assert_eq!(broken(&hours, Kind::Direct, open), None);
    }

    #[test]
    fn whoever_is_needed_has_to_be_there() {
        use Role::{Attendant, Interpreter, NoteTaker, Principal, RecordsOfficer};
        let (i, n) = (
            Needs { interpreter: true, ..Needs::default() },
            Needs { note_taker: true, ..Needs::default() },
        );
        assert!(Needs::default().met([Principal, Principal]).is_ok());
        let both = i.and(n);
        let missing = |there: &[Role]| both.met(there.iter().copied()).err();
        assert_eq!(missing(&[Principal, Attendant, RecordsOfficer]), Some(Rule::Interpreter));
        assert_eq!(missing(&[Principal, Interpreter]), Some(Rule::NoteTaker));
        assert_eq!(missing(&[NoteTaker, Principal]), Some(Rule::Interpreter));
        assert_eq!(missing(&[NoteTaker, Interpreter]), None);
        assert!(i.met([Interpreter]).is_ok() && n.met([Interpreter]).is_err());
    }

    #[test]
    fn both_ends_agree_about_glare() {
        let (a, b) = (CallId([1; 16]), CallId([2; 16]));
        assert_eq!(glare(&a, &b), Survivor::Mine);
        assert_eq!(glare(&b, &a), Survivor::Theirs);
    }
}
