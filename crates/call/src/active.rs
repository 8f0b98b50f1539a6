//! A call under way: hold, mute, loss and return of its way.
//!
//! ```text
//!            hold, resume (either side)
//!               ┌───────┐
//!  Connected ───┤       ├── leg or link lost ──► Reconnecting ── new leg ──► as before
//!               └───────┘                            └── 60 s ──► End::Lost
//! ```
//!
//! Reconnecting: the caller opens a new leg every 2 s; the callee waits for it.

use core::time::Duration;

use wire::Time;

use crate::CallState;

/// How often the caller opens a new leg while the way is lost.
pub const RECONNECT_EVERY: Duration = Duration::from_secs(2);
/// How long a lost way may take to come back.
pub const RECONNECT_FOR: Duration = Duration::from_secs(60);

/// Who placed the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// This side: it also makes the way anew after a loss.
    Caller,
    /// The other side.
    Callee,
}

/// What is to be done about a lost way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reconnect {
    /// Nothing now.
    Wait,
    /// Open a new leg.
    Open,
    /// Give up: the call is over with [`crate::End::Lost`].
    GiveUp,
}

#[derive(Debug)]
enum Way {
    Up,
    Lost { give_up: Time, next: Time },
}

/// Under way.
#[derive(Debug)]
pub struct Active {
    role: Role,
    since: Time,
    held_by_me: bool,
    held_by_other: bool,
    muted_by_me: bool,
    muted_by_other: bool,
    /// The call goes to another handset of this person: the microphone stays closed until that is decided.
    leaves: bool,
    /// It was answered for somebody who is still to come in: nobody speaks or listens here.
    closed: bool,
    way: Way,
}

impl Active {
    pub(crate) fn new(now: Time, role: Role) -> Self {
        Active {
            role,
            since: now,
            held_by_me: false,
            held_by_other: false,
            muted_by_me: false,
            muted_by_other: false,
            leaves: false,
            closed: false,
            way: Way::Up,
        }
    }

    /// Who placed it.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// When it was connected.
    #[must_use]
    pub fn since(&self) -> Time {
        self.since
    }

    /// Whoever was held until now is in the call from now on.
    pub fn begins(&mut self, now: Time) {
        self.since = now;
    }

    /// What both are told.
    #[must_use]
    pub fn state(&self) -> CallState {
        match self.way {
            Way::Lost { .. } => CallState::Reconnecting,
            Way::Up if self.held_by_me => CallState::HeldByMe,
            Way::Up if self.held_by_other => CallState::HeldByOther,
            Way::Up => CallState::Connected,
        }
    }

    /// Holds or resumes, by this side; `false` if that is so already.
    pub fn hold(&mut self, on: bool) -> bool {
        core::mem::replace(&mut self.held_by_me, on) != on
    }

    /// The other side holds or resumes.
    pub fn held(&mut self, on: bool) {
        self.held_by_other = on;
    }

    /// Mutes or unmutes, by this side; `false` if that is so already.
    pub fn mute(&mut self, on: bool) -> bool {
        core::mem::replace(&mut self.muted_by_me, on) != on
    }

    /// The other side mutes or unmutes.
    pub fn muted(&mut self, on: bool) {
        self.muted_by_other = on;
    }

    /// Whether this side holds.
    #[must_use]
    pub fn is_held_by_me(&self) -> bool {
        self.held_by_me
    }

    /// Whether the other side holds.
    #[must_use]
    pub fn is_held_by_other(&self) -> bool {
        self.held_by_other
    }

    /// Whether this side is muted.
    #[must_use]
    pub fn is_muted_by_me(&self) -> bool {
        self.muted_by_me
    }

    /// Whether the other side is muted.
    #[must_use]
    pub fn is_muted_by_other(&self) -> bool {
        self.muted_by_other
    }

    /// The call goes to another handset of this person.
    pub fn leave(&mut self) {
        self.leaves = true;
    }

    /// It does not, by the word of the other side.
    pub fn stay(&mut self) {
        self.leaves = false;
    }

    /// Whether it is about to go.
    #[must_use]
    pub fn leaves(&self) -> bool {
        self.leaves
    }

    /// It was answered for somebody who is still to come in: until [`Active::open`], nobody here is heard or hears.
    pub fn close(&mut self) {
        self.closed = true;
    }

    /// Whoever it was answered for is there, or this person after all, since `now`.
    pub fn open(&mut self, now: Time) {
        if core::mem::replace(&mut self.closed, false) {
            self.since = now;
        }
    }

    /// Whether it is kept for somebody who is still to come in.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// The other side is on another handset now. Whoever came makes the way anew from now on.
    pub fn moved(&mut self) {
        self.role = Role::Callee;
        self.way = Way::Up;
    }

    /// Whether this side may be heard, if the call has the [floor](crate::Floor).
    pub(crate) fn may_speak(&self) -> bool {
        let open = !self.muted_by_me && !self.leaves && !self.closed;
        self.state() == CallState::Connected && open
    }

    /// Whether the other side's voice is to be heard.
    #[must_use]
    pub fn listens(&self) -> bool {
        self.state() == CallState::Connected && !self.closed
    }

    /// The leg or the link is gone.
    pub fn lost(&mut self, now: Time) {
        if matches!(self.way, Way::Up) {
            self.way = Way::Lost { give_up: now + RECONNECT_FOR, next: now };
        }
    }

    /// The other side is on the new leg.
    pub fn back(&mut self) {
        self.way = Way::Up;
    }

    /// Whether the way is lost.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        matches!(self.way, Way::Lost { .. })
    }

    /// What is to be done now; asked at [`Active::deadline`].
    pub fn reconnect(&mut self, now: Time) -> Reconnect {
        let Way::Lost { give_up, next } = &mut self.way else { return Reconnect::Wait };
        if now >= *give_up {
            return Reconnect::GiveUp;
        }
        if self.role == Role::Callee || now < *next {
            return Reconnect::Wait;
        }
        *next = now + RECONNECT_EVERY;
        Reconnect::Open
    }

    /// When to ask [`Active::reconnect`].
    #[must_use]
    pub fn deadline(&self) -> Time {
        match (&self.way, self.role) {
            (Way::Up, _) => Time::NEVER,
            (Way::Lost { give_up, next }, Role::Caller) => (*next).min(*give_up),
            (Way::Lost { give_up, .. }, Role::Callee) => *give_up,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hold_and_loss_show() {
        type Step = fn(&mut Active);
        let changes: [(Step, CallState); 4] = [
            (|c| assert!(c.hold(true)), CallState::HeldByMe),
            (|c| c.held(true), CallState::HeldByOther),
            (|c| assert!(c.mute(true)), CallState::Connected),
            (|c| c.lost(Time(1)), CallState::Reconnecting),
        ];
        for (change, state) in changes {
            let mut call = Active::new(Time(0), Role::Caller);
            change(&mut call);
            assert_eq!(call.state(), state);
        }
    }

    #[test]
    fn hold_by_both_needs_both_to_resume() {
        let mut call = Active::new(Time(0), Role::Callee);
        assert!(call.hold(true) && !call.hold(true));
        call.held(true);
        assert!(call.hold(false));
        assert_eq!(call.state(), CallState::HeldByOther);
        call.held(false);
        assert_eq!(call.state(), CallState::Connected);
    }

    #[test]
    fn the_caller_opens_anew_every_two_seconds_for_a_minute() {
        let mut call = Active::new(Time(0), Role::Caller);
        let (mut opened, start) = (0, Time(9_000_000));
        call.lost(start);
        loop {
            let now = call.deadline();
            match call.reconnect(now) {
                Reconnect::Open => opened += 1,
                Reconnect::GiveUp => break assert_eq!(now, start + RECONNECT_FOR),
                Reconnect::Wait => panic!("woken for nothing"),
            }
        }
        assert_eq!(opened, 30);
    }

    #[test]
    fn a_call_that_is_kept_for_somebody_is_spoken_and_heard_in_by_nobody_until_it_is_opened() {
        let mut call = Active::new(Time(0), Role::Callee);
        assert!(call.may_speak() && call.listens());
        call.close();
        assert!(!call.may_speak() && !call.listens() && call.is_closed());
        assert!(call.hold(true) && call.hold(false), "resuming it opens nothing");
        call.lost(Time(1));
        call.back();
        assert!(!call.may_speak() && !call.listens());
        call.open(Time(9));
        assert!(call.may_speak() && call.listens());
        assert_eq!(call.since(), Time(9));
        call.open(Time(20));
        assert_eq!(call.since(), Time(9), "it was open");
    }

    #[test]
    fn whoever_takes_a_call_over_makes_its_way_anew() {
        let mut call = Active::new(Time(0), Role::Caller);
        call.held(true);
        call.lost(Time(5));
        call.moved();
        assert_eq!(call.state(), CallState::HeldByOther, "who is held stays so");
        call.lost(Time(9));
        assert_eq!(call.reconnect(Time(20)), Reconnect::Wait);
    }

    #[test]
    fn the_callee_waits_and_hold_survives_the_loss() {
        let mut call = Active::new(Time(0), Role::Callee);
        call.hold(true);
        call.lost(Time(5));
        call.lost(Time(50));
        assert_eq!(call.deadline(), Time(5) + RECONNECT_FOR);
        assert_eq!(call.reconnect(Time(6)), Reconnect::Wait);
        call.back();
        assert_eq!(call.state(), CallState::HeldByMe);
        assert_eq!(call.deadline(), Time::NEVER);
    }
}
