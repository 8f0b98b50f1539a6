//! The one microphone of a handset, and which of its calls has it.
//!
//! ```text
//!  calls      A held   B speaks   C waits        give(C): B has to be held before, and is
//!                         │
//!  Floor ─────────────────┘        microphone(id, call): only of the call that has the floor, only while it may speak,
//!                                  and one at a time, since it borrows the floor
//! ```
//!
//! A line carries one voice up each tick. **No two calls of a handset have an open microphone**: a [`Microphone`] is made
//! here and nowhere else, and while there is one the floor cannot make another, nor change hands.

use core::marker::PhantomData;

use crate::active::Active;

/// Which of a handset's calls may be heard from here. A handset has one, by which calls go by their numbers.
#[derive(Debug, Default)]
pub struct Floor {
    call: Option<u32>,
}

/// Proof that the microphone may be heard in a call: the call has the floor, is connected, and neither held nor muted. Only
/// [`Floor::microphone`] makes one, and it cannot outlive a change of the call or of the floor.
#[derive(Debug)]
pub struct Microphone<'a>(PhantomData<(&'a mut Floor, &'a Active)>);

impl Floor {
    /// The call that has it.
    #[must_use]
    pub fn holder(&self) -> Option<u32> {
        self.call
    }

    /// It is this call's from now on; whichever had it has it no more.
    pub fn give(&mut self, call: u32) {
        self.call = Some(call);
    }

    /// A call is held or over: nobody has it, if that call did.
    pub fn leave(&mut self, call: u32) {
        self.call.take_if(|holder| *holder == call);
    }

    /// The right to let the microphone be heard in a call, while there is one.
    #[must_use]
    pub fn microphone<'a>(&'a mut self, call: u32, active: &'a Active) -> Option<Microphone<'a>> {
        let open = self.call == Some(call) && active.may_speak();
        open.then_some(Microphone(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::active::Role;
    use wire::Time;

    #[test]
    fn the_microphone_is_open_in_the_call_that_has_the_floor_and_in_no_other() {
        let calls = [1, 2, 3].map(|_| Active::new(Time(0), Role::Callee));
        let mut floor = Floor::default();
        let open = |floor: &mut Floor| -> Vec<usize> {
            let heard = |id: &usize| floor.microphone(*id as u32, &calls[*id]).is_some();
            (0..3).filter(heard).collect()
        };
        assert!(open(&mut floor).is_empty(), "at first nobody has it");
        floor.give(1);
        assert_eq!((open(&mut floor), floor.holder()), (vec![1], Some(1)));
        floor.give(2);
        assert_eq!(open(&mut floor), [2]);
        floor.leave(1);
        assert_eq!(open(&mut floor), [2], "who has it not cannot give it up");
        floor.leave(2);
        assert!(open(&mut floor).is_empty());
    }

    #[test]
    fn the_microphone_is_open_only_when_connected_unheld_unmuted() {
        type Step = fn(&mut Active);
        let changes: [Step; 6] = [
            |c| assert!(c.hold(true)),
            |c| c.held(true),
            |c| assert!(c.mute(true)),
            |c| c.lost(Time(1)),
            Active::leave,
            Active::close,
        ];
        for change in changes {
            let (mut floor, mut call) = (Floor::default(), Active::new(Time(0), Role::Caller));
            floor.give(1);
            assert!(floor.microphone(1, &call).is_some());
            change(&mut call);
            assert!(floor.microphone(1, &call).is_none(), "{:?}", call.state());
        }
    }
}
