//! A call that came in and awaits this side's person, then its keys.
//!
//! ```text
//!  Incoming ── answer ──► Answering ── keys are there (mostly at once) ──► Active
//!     ├─ ignore: silent, still answerable          └─ 20 s without keys ──► End::NoKeys
//!     └─ decline | taken elsewhere | caller gave up | 120 s ──► End
//! ```

use core::time::Duration;

use wire::Time;
use wire::line::Closure;

use crate::active::{Active, Role};
use crate::{CallState, End};

/// How long a call rings here when nothing ends it. Exchanges hold an unanswered leg as long.
pub const RING_MAX: Duration = Duration::from_secs(120);
/// How long an answered call waits for its keys.
pub const KEYS_WITHIN: Duration = Duration::from_secs(20);

/// Whether an incoming call makes itself heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sound {
    /// It rings.
    Rings,
    /// It shows, silently: ignored by the person, who may also have said beforehand not to be disturbed.
    Silent,
}

/// Awaits the person.
#[derive(Debug)]
pub struct Incoming {
    deadline: Time,
    sound: Sound,
    /// An attendant is asked first.
    screened: bool,
}

impl Incoming {
    /// Came in at `now`.
    #[must_use]
    pub fn new(now: Time) -> Self {
        Incoming { deadline: now + RING_MAX, sound: Sound::Rings, screened: false }
    }

    /// Whether it makes itself heard.
    #[must_use]
    pub fn sound(&self) -> Sound {
        if self.screened { Sound::Silent } else { self.sound }
    }

    /// An attendant is asked first, or no longer: until then it makes no sound here.
    pub fn screen(&mut self, on: bool) {
        self.screened = on;
    }

    /// Stops the sound; the caller is told nothing.
    pub fn ignore(&mut self) {
        self.sound = Sound::Silent;
    }

    /// This handset answers.
    #[must_use]
    pub fn answer(self, now: Time) -> Answering {
        Answering { deadline: now + KEYS_WITHIN }
    }

    /// The leg is gone: why, for the history.
    #[must_use]
    pub fn closed(self, reason: Closure) -> End {
        match reason {
            Closure::Elsewhere => End::Elsewhere,
            _ => End::Missed,
        }
    }

    /// Whether it rang too long: then it is over with [`End::Missed`].
    #[must_use]
    pub fn expired(&self, now: Time) -> bool {
        now >= self.deadline
    }

    /// When to ask [`Incoming::expired`].
    #[must_use]
    pub fn deadline(&self) -> Time {
        self.deadline
    }

    /// What the person is told.
    #[must_use]
    pub fn state(&self) -> CallState {
        CallState::RingingHere
    }
}

/// Answered, and awaits the keys of the call.
#[derive(Debug)]
pub struct Answering {
    deadline: Time,
}

impl Answering {
    /// The keys are there.
    #[must_use]
    pub fn keyed(self, now: Time) -> Active {
        Active::new(now, Role::Callee)
    }

    /// Whether the keys are too late: then it is over with [`End::NoKeys`].
    #[must_use]
    pub fn expired(&self, now: Time) -> bool {
        now >= self.deadline
    }

    /// When to ask [`Answering::expired`].
    #[must_use]
    pub fn deadline(&self) -> Time {
        self.deadline
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taken_elsewhere_is_no_missed_call() {
        let call = Incoming::new(Time(0));
        assert_eq!(call.closed(Closure::Elsewhere), End::Elsewhere);
        let call = Incoming::new(Time(0));
        assert_eq!(call.closed(Closure::Closed), End::Missed);
    }

    #[test]
    fn ignoring_only_stops_the_sound() {
        let mut call = Incoming::new(Time(0));
        assert_eq!(call.sound(), Sound::Rings);
        call.screen(true);
        assert_eq!(call.sound(), Sound::Silent);
        call.screen(false);
        assert_eq!(call.sound(), Sound::Rings, "as before");
        call.ignore();
        call.screen(true);
        call.screen(false);
        assert_eq!((call.sound(), call.state()), (Sound::Silent, CallState::RingingHere));
    }

    #[test]
    fn waits_for_keys_only_so_long() {
        let call = Incoming::new(Time(0)).answer(Time(7));
        assert!(!call.expired(Time(7)));
        assert!(call.expired(Time(7) + KEYS_WITHIN));
    }
}
