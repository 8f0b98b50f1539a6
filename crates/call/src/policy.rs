//! Who may ring, who is told what, and which of two crossing calls survives.

use wire::CallId;

/// What the owner decided about one contact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// May know that it rings, that the owner is busy or declines. `None`: as the contact's keys deserve
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
    /// Blocked: the caller rings out, nothing is shown, nothing is noted.
    Drop,
}

/// Decides. `deserves`: the contact's keys are pinned or verified.
#[must_use]
pub fn admit(policy: Policy, deserves: bool, busy: Busyness) -> Verdict {
    let tell = policy.trusted.unwrap_or(deserves);
    match (policy.blocked, busy) {
        (true, _) => Verdict::Drop,
        (false, Busyness::Free) => Verdict::Ring { tell },
        (false, Busyness::InCall) => Verdict::Busy { tell },
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
        assert_eq!(admit(default, true, free), Verdict::Ring { tell: true });
        assert_eq!(admit(default, false, free), Verdict::Ring { tell: false });
        let distrusted = Policy { trusted: Some(false), blocked: false };
        assert_eq!(admit(distrusted, true, Busyness::InCall), Verdict::Busy { tell: false });
        let trusted = Policy { trusted: Some(true), blocked: false };
        assert_eq!(admit(trusted, false, Busyness::InCall), Verdict::Busy { tell: true });
        let blocked = Policy { trusted: Some(true), blocked: true };
        assert_eq!(admit(blocked, true, free), Verdict::Drop);
    }

    #[test]
    fn both_ends_agree_about_glare() {
        let (a, b) = (CallId([1; 16]), CallId([2; 16]));
        assert_eq!(glare(&a, &b), Survivor::Mine);
        assert_eq!(glare(&b, &a), Survivor::Theirs);
    }
}
