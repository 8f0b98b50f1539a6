//! A call that was placed and awaits its answer.
//!
//! ```text
//!  Calling ── reached ──► Reached ── ringing ──► Ringing
//!     │ ▲ leg lost: opened again every 2 s        │
//!     └─┴───────── answered ──► Active            └── busy | declined | 45 s ──► End
//! ```

use core::time::Duration;

use wire::Time;
use wire::line::Closure;

use crate::active::{Active, Role};
use crate::{CallState, End};

/// How long a caller waits for an answer, unless set otherwise. A person lets it ring about ten times.
pub const PATIENCE: Duration = Duration::from_secs(45);
/// How often a lost leg is opened again while the call awaits its answer.
pub const REOPEN_EVERY: Duration = Duration::from_secs(2);

/// Awaits an answer.
#[derive(Debug)]
pub struct Outgoing {
    deadline: Time,
    reach: CallState,
    reopen: Option<Time>,
}

impl Outgoing {
    /// Placed at `now`; given up after `patience`.
    #[must_use]
    pub fn place(now: Time, patience: Duration) -> Self {
        Outgoing { deadline: now + patience, reach: CallState::Calling, reopen: None }
    }

    /// What the caller is told.
    #[must_use]
    pub fn state(&self) -> CallState {
        self.reach
    }

    /// The other handset has shown itself.
    pub fn reached(&mut self) {
        if self.reach == CallState::Calling {
            self.reach = CallState::Reached;
        }
    }

    /// It rings there.
    pub fn ringing(&mut self) {
        self.reach = CallState::Ringing;
    }

    /// Somebody answered.
    #[must_use]
    pub fn answered(self, now: Time) -> Active {
        Active::new(now, Role::Caller)
    }

    /// The leg is gone. Either that ends the call, or the leg is to be opened again in a while.
    ///
    /// # Errors
    /// Why the call is over.
    pub fn closed(&mut self, now: Time, reason: Closure) -> Result<(), End> {
        match reason {
            Closure::Unreachable => Err(End::Unreachable),
            Closure::Full | Closure::Limit => Err(End::NoPath),
            Closure::Closed | Closure::Elsewhere => {
                self.reach = CallState::Calling;
                self.reopen = Some(now + REOPEN_EVERY);
                Ok(())
            }
        }
    }

    /// A leg was opened.
    pub fn opened(&mut self) {
        self.reopen = None;
    }

    /// Whether the leg shall be opened again now; asked at [`Outgoing::deadline`].
    pub fn reopens(&mut self, now: Time) -> bool {
        self.reopen.take_if(|at| *at <= now).is_some()
    }

    /// Whether it has rung long enough: then the call is over with [`End::NoAnswer`].
    #[must_use]
    pub fn expired(&self, now: Time) -> bool {
        now >= self.deadline
    }

    /// When to ask [`Outgoing::reopens`] and [`Outgoing::expired`].
    #[must_use]
    pub fn deadline(&self) -> Time {
        self.reopen.map_or(self.deadline, |at| at.min(self.deadline))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_only_rise_until_the_leg_is_lost() {
        let mut call = Outgoing::place(Time(0), PATIENCE);
        assert_eq!(call.state(), CallState::Calling);
        call.ringing();
        call.reached();
        assert_eq!(call.state(), CallState::Ringing);
        assert_eq!(call.closed(Time(5), Closure::Closed), Ok(()));
        assert_eq!(call.state(), CallState::Calling);
        assert!(!call.reopens(Time(6)));
        assert!(call.reopens(Time(5) + REOPEN_EVERY));
        assert!(!call.reopens(Time(5) + REOPEN_EVERY), "once for each loss");
        assert_eq!(call.closed(Time(5), Closure::Closed), Ok(()));
        call.opened();
        assert_eq!(call.deadline(), Time(0) + PATIENCE);
    }

    #[test]
    fn a_leg_that_cannot_be_had_ends_the_call_and_says_why() {
        let mut call = Outgoing::place(Time(0), PATIENCE);
        assert_eq!(call.closed(Time(1), Closure::Unreachable), Err(End::Unreachable));
        assert_eq!(call.closed(Time(1), Closure::Full), Err(End::NoPath));
    }

    #[test]
    fn rings_out_after_its_patience() {
        let call = Outgoing::place(Time(0), PATIENCE);
        assert!(!call.expired(call.deadline() - Duration::from_micros(1)));
        assert!(call.expired(call.deadline()));
    }
}
