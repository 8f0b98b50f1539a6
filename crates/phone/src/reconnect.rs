//! The way of a call is lost and made anew.
//!
//! ```text
//!  Closed{leg}, LinkDown ─► Reconnecting ─┬─ caller: Open{leg, Invite{again}} every 2 s, for 60 s
//!                                         └─ callee: Incoming ─► Take, LegData(Call(Back)), voice
//!  caller: Back, or the first voice on the new leg ─► as before
//! ```

use call::Role;
use wire::Leg;
use wire::line::Closure;
use wire::talk::CallMessage;

use crate::machine::Phone;
use crate::ring::Stage;

impl Phone {
    /// The line is down: all legs are gone with it.
    pub(crate) fn legs_lost(&mut self) {
        self.early.clear();
        let legs: Vec<Leg> = self.calls.values().filter_map(|c| c.leg).collect();
        for leg in legs {
            self.leg_closed(leg, Closure::Closed);
        }
    }

    /// The line is up: calls that wait for a leg get one.
    pub(crate) fn legs_anew(&mut self) {
        let waiting = self.calls.iter().filter_map(|(id, call)| match &call.stage {
            Stage::Outgoing(_) if call.leg.is_none() => Some((*id, false)),
            Stage::Active(active) if active.is_lost() && active.role() == Role::Caller => {
                Some((*id, true))
            }
            _ => None,
        });
        for (id, again) in waiting.collect::<Vec<_>>() {
            self.open_leg(id, again);
        }
    }

    /// Callee: the caller made the way anew.
    pub(crate) fn take_back(&mut self, id: u32, leg: Leg) {
        self.take(leg);
        self.say_in_call(id, &CallMessage::Back {});
        self.is_back(id);
    }

    /// The other side is on the new leg.
    pub(crate) fn is_back(&mut self, id: u32) {
        let Some(call) = self.calls.get_mut(&id).filter(|c| c.leg.is_some()) else { return };
        if let Stage::Active(active) = &mut call.stage
            && active.is_lost()
        {
            active.back();
            // What was said while the way was lost is said again.
            self.say_on_record(id);
            self.say_hold_and_mute(id);
            self.move_again(id);
            self.tell_state(id);
            self.voice_follows();
        }
    }
}
