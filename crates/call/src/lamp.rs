//! Lamps: what a person is doing, as those to whom it is shown see it.
//!
//! ```text
//!  a handset's calls ─► Lamp ─► Teller: at a change, not twice within 2 s, and every 120 s ══► Board, of each handset for 300 s
//!                                                              any on a call, else ringing, else away, else free, else not known
//! ```
//!
//! Times are [`wire::Time`].

use core::time::Duration;

use wire::Time;
use wire::talk::Lamp;

/// How often a lamp is told when nothing changes.
pub const REFRESH: Duration = Duration::from_secs(120);
/// How long a lamp is believed: two that get lost do not matter.
pub const LIVES: Duration = Duration::from_secs(300);
/// Shortest time from one to the next.
pub const GAP: Duration = Duration::from_secs(2);
/// Handsets of one person.
const HANDSETS: usize = 8;

/// What is shown of a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shown {
    /// None of its handsets said anything for a while: off, without a network, or no longer willing to say.
    NotKnown,
    /// Nothing keeps that person from answering.
    Free,
    /// Does not want to be disturbed.
    Away,
    /// A call comes in there.
    Ringing,
    /// In a call, or placing one.
    OnCall,
}

impl From<Lamp> for Shown {
    fn from(lamp: Lamp) -> Shown {
        match lamp {
            Lamp::Free => Shown::Free,
            Lamp::Away => Shown::Away,
            Lamp::Ringing => Shown::Ringing,
            Lamp::OnCall => Shown::OnCall,
        }
    }
}

/// When a lamp is told to one contact.
#[derive(Debug, Default)]
pub struct Teller {
    said: Option<(Lamp, Time)>,
    asked: bool,
}

impl Teller {
    /// The contact asks, or may have missed what was said.
    pub fn asked(&mut self) {
        self.asked = true;
    }

    /// When it has to be told what is so now.
    #[must_use]
    pub fn due(&self, lamp: Lamp) -> Time {
        match self.said {
            None => Time(0),
            Some((said, at)) if said == lamp && !self.asked => at + REFRESH,
            Some((_, at)) => at + GAP,
        }
    }

    /// It was told.
    pub fn told(&mut self, lamp: Lamp, now: Time) {
        *self = Teller { said: Some((lamp, now)), asked: false };
    }
}

/// What one handset of a contact said last.
#[derive(Debug)]
struct Told {
    handset: [u8; 32],
    lamp: Lamp,
    /// By its clock. Seconds.
    at: u64,
    until: Time,
}

/// What the handsets of one contact say.
#[derive(Debug, Default)]
pub struct Board(Vec<Told>);

impl Board {
    /// A handset says `lamp`, as of `at` by the office's clock, which shows `wall` now. Seconds. Whether it counts.
    pub fn hear(&mut self, handset: [u8; 32], lamp: Lamp, at: u64, wall: u64, now: Time) -> bool {
        let age = Duration::from_secs(wall.saturating_sub(at));
        let Some(left) = LIVES.checked_sub(age).filter(|left| !left.is_zero()) else {
            return false;
        };
        let told = Told { handset, lamp, at, until: now + left };
        let room = self.0.len() < HANDSETS;
        match self.0.iter_mut().find(|t| t.handset == handset) {
            Some(last) if last.at <= at => *last = told,
            None if room => self.0.push(told),
            _ => return false,
        }
        true
    }

    /// Forgets what is too old; whether that was anything.
    pub fn expire(&mut self, now: Time) -> bool {
        let before = self.0.len();
        self.0.retain(|told| now < told.until);
        self.0.len() < before
    }

    /// When to [`Board::expire`].
    #[must_use]
    pub fn deadline(&self) -> Time {
        self.0.iter().fold(Time::NEVER, |at, told| at.min(told.until))
    }

    /// What is to be shown.
    #[must_use]
    pub fn shown(&self) -> Shown {
        self.0.iter().map(|told| told.lamp.into()).max().unwrap_or(Shown::NotKnown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: [u8; 32] = [1; 32];
    const B: [u8; 32] = [2; 32];

    fn at(secs: u64) -> Time {
        Time(0) + Duration::from_secs(secs)
    }

    #[test]
    fn a_fast_change_is_told_once_and_no_change_now_and_then() {
        let mut teller = Teller::default();
        assert_eq!(teller.due(Lamp::Free), Time(0), "at once");
        teller.told(Lamp::Free, at(10));
        assert_eq!(teller.due(Lamp::Free), at(130));
        assert_eq!(teller.due(Lamp::OnCall), at(12), "a change waits for two seconds");
        teller.asked();
        assert_eq!(teller.due(Lamp::Free), at(12), "and so does an answer");
        teller.told(Lamp::OnCall, at(12));
        assert_eq!(teller.due(Lamp::OnCall), at(132));
    }

    #[test]
    fn of_two_handsets_the_busier_is_shown_and_the_silent_one_forgotten() {
        let mut board = Board::default();
        assert_eq!(board.shown(), Shown::NotKnown);
        for (of_a, of_b, shown) in [
            (Lamp::Free, Lamp::Free, Shown::Free),
            (Lamp::Free, Lamp::OnCall, Shown::OnCall),
            (Lamp::Ringing, Lamp::Ringing, Shown::Ringing),
            (Lamp::Ringing, Lamp::OnCall, Shown::OnCall),
            (Lamp::Away, Lamp::Free, Shown::Away),
            (Lamp::Away, Lamp::Ringing, Shown::Ringing),
            (Lamp::OnCall, Lamp::Away, Shown::OnCall),
        ] {
            assert!(board.hear(A, of_a, 1_000, 1_000, at(0)));
            assert!(board.hear(B, of_b, 1_000, 1_000, at(60)));
            assert_eq!(board.shown(), shown, "{of_a:?} {of_b:?}");
        }
        assert_eq!(board.deadline(), at(300));
        assert!(!board.expire(Time(at(300).0 - 1)) && board.expire(at(300)));
        assert_eq!(board.shown(), Shown::Away, "only the second");
        assert!(board.expire(at(360)));
        assert_eq!((board.shown(), board.deadline()), (Shown::NotKnown, Time::NEVER));
    }

    #[test]
    fn what_was_held_back_is_not_believed_for_longer_or_after_what_is_newer() {
        let mut board = Board::default();
        assert!(!board.hear(A, Lamp::Free, 700, 1_000, at(0)), "300 s old");
        assert!(board.hear(A, Lamp::Free, 701, 1_000, at(0)));
        assert_eq!(board.deadline(), at(1));
        assert!(board.hear(A, Lamp::OnCall, 900, 1_000, at(0)));
        assert!(!board.hear(A, Lamp::Free, 899, 1_000, at(0)), "it was overtaken");
        assert_eq!((board.shown(), board.deadline()), (Shown::OnCall, at(200)));
        // A clock that is ahead gains nothing.
        assert!(board.hear(A, Lamp::Free, 5_000, 1_000, at(0)));
        assert_eq!(board.deadline(), at(300));
        for handset in 3..20 {
            board.hear([handset; 32], Lamp::Free, 1_000, 1_000, at(0));
        }
        assert_eq!(board.0.len(), HANDSETS);
    }
}
