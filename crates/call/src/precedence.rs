//! Which call gives way to a more urgent one, and which finds a handset busy.
//!
//! ```text
//!  comes in ─► claimed, but no more than the owner grants this contact ─► its precedence here
//!  handset          nothing here ─► rings      more urgent than all that is here ─► rings over it, in the one place beside it
//!  position         rings beside what is here, in one of its places
//!  no place left    the least urgent that waits gives way, if it is less urgent; of equals the one that came last
//!  else             busy
//! ```
//!
//! Giving way is for calls that wait. A call that somebody speaks in never ends for another: it is held when its person answers that.

use wire::Precedence;

/// A call that a handset has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Here {
    /// By which the handset knows it. A greater one came later.
    pub id: u32,
    /// How urgent it is.
    pub precedence: Precedence,
    /// It came in and waits to be answered.
    pub waits: bool,
}

/// How many calls a handset lets wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Places {
    /// One call, and one that is more urgent beside it.
    Handset,
    /// A switchboard position: so many that wait, so many in all.
    Position {
        /// Calls that wait.
        waiting: usize,
        /// Calls in all.
        all: usize,
    },
}

/// Where a call that comes in rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a place of its own.
    Free,
    /// In the place of that call.
    InsteadOf(u32),
    /// Nowhere: it finds the handset busy.
    None,
}

/// Decides where a call rings that comes in with a precedence.
#[must_use]
pub fn place(here: &[Here], places: Places, comes: Precedence) -> Place {
    let waiting = here.iter().filter(|c| c.waits).count();
    let room = match places {
        _ if here.is_empty() => true,
        Places::Position { waiting: most, all } => waiting < most && here.len() < all,
        Places::Handset if here.iter().any(|c| c.precedence >= comes) => return Place::None,
        Places::Handset if waiting == here.len() => waiting < 2,
        Places::Handset => waiting < 1,
    };
    if room {
        return Place::Free;
    }
    let least = here.iter().filter(|c| c.waits && c.precedence < comes);
    match least.min_by_key(|c| (c.precedence, core::cmp::Reverse(c.id))) {
        Some(call) => Place::InsteadOf(call.id),
        None => Place::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Precedence::{Flash, Immediate, Priority, Routine};

    fn talks(id: u32, precedence: Precedence) -> Here {
        Here { id, precedence, waits: false }
    }

    fn waits(id: u32, precedence: Precedence) -> Here {
        Here { id, precedence, waits: true }
    }

    #[test]
    fn a_handset_rings_over_its_call_only_for_what_is_more_urgent() {
        let at = |here: &[Here], comes| place(here, Places::Handset, comes);
        for comes in Precedence::ALL {
            assert_eq!(at(&[], comes), Place::Free);
            for speaks in Precedence::ALL {
                let expected = if comes > speaks { Place::Free } else { Place::None };
                assert_eq!(at(&[talks(1, speaks)], comes), expected, "{comes:?} over {speaks:?}");
                assert_eq!(at(&[waits(1, speaks)], comes), expected, "{comes:?} beside {speaks:?}");
            }
        }
        // One place: whoever is there gives way to what is more urgent, and to nothing else.
        let both = [talks(1, Routine), waits(2, Priority)];
        assert_eq!(at(&both, Priority), Place::None);
        assert_eq!(at(&both, Immediate), Place::InsteadOf(2));
        assert_eq!(at(&[waits(1, Routine), waits(2, Priority)], Flash), Place::InsteadOf(1));
        // What was set aside counts as long as it is there.
        assert_eq!(at(&[talks(1, Routine), talks(2, Immediate)], Immediate), Place::None);
        assert_eq!(at(&[talks(1, Routine), talks(2, Immediate)], Flash), Place::Free);
    }

    #[test]
    fn in_a_full_queue_the_least_urgent_that_came_last_gives_way() {
        let at = |here: &[Here], comes| place(here, Places::Position { waiting: 3, all: 5 }, comes);
        let mut here = vec![talks(1, Flash), waits(2, Priority), waits(3, Routine)];
        assert_eq!(
            at(&here, Routine),
            Place::Free,
            "a position lets calls wait, whatever is spoken"
        );
        here.push(waits(4, Routine));
        assert_eq!(at(&here, Routine), Place::None);
        assert_eq!(at(&here, Priority), Place::InsteadOf(4));
        here[2].precedence = Flash;
        here[3].precedence = Flash;
        assert_eq!(at(&here, Priority), Place::None, "an equal one stays");
        assert_eq!(at(&here, Immediate), Place::InsteadOf(2));
        here[1].precedence = Flash;
        assert_eq!(at(&here, Flash), Place::None);
        // All its calls are taken: a call that is held gives no way.
        let full = [1, 2, 3, 4].map(|id| talks(id, Routine));
        let full = [&full[..], &[waits(5, Routine)]].concat();
        assert_eq!(at(&full, Priority), Place::InsteadOf(5));
        let held = [1, 2, 3, 4, 5].map(|id| talks(id, Routine));
        assert_eq!(at(&held, Flash), Place::None);
    }
}
