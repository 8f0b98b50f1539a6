//! Night service: when a handset does not ring aloud, by the hours in which it is staffed, and by hand.
//!
//! ```text
//!  staffed   Mon-Fri 09:00-18:00                 ──── on ──┐ 09:00                18:00 ┌── on ────
//!  by hand   off at 08:40, on at 17:10                     └─ (from 08:40)  (from 17:10)┘
//! ```
//!
//! What was said by hand holds until the hours change the next time; without hours, until it is said otherwise.

use wire::{Hours, Wall};

use crate::hours::{changed, changes, is_open};

/// What a person said by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hand {
    /// Night service or none.
    pub on: bool,
    /// When it was said.
    pub since: Wall,
    /// When it holds no longer.
    pub until: Option<Wall>,
}

/// When a handset is in night service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// When it is staffed: outside of these hours it is in night service.
    pub staffed: Option<Hours>,
    /// What was said by hand last.
    pub hand: Option<Hand>,
}

/// It is in night service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct On {
    /// Since when.
    pub since: Wall,
    /// Until when, if that is known.
    pub until: Option<Wall>,
}

impl Service {
    fn hand(&self, at: Wall) -> Option<&Hand> {
        self.hand.as_ref().filter(|hand| hand.until.is_none_or(|until| at < until))
    }

    fn by_hours(&self, at: Wall) -> bool {
        self.staffed.is_some_and(|hours| !is_open(&hours, at))
    }

    fn is_on(&self, at: Wall) -> bool {
        self.hand(at).map_or_else(|| self.by_hours(at), |hand| hand.on)
    }

    /// Since when and until when it is on at a time of day; `None`: it is off.
    #[must_use]
    pub fn on(&self, at: Wall) -> Option<On> {
        if !self.is_on(at) {
            return None;
        }
        let (hours, hand) = (self.staffed.as_ref(), self.hand(at));
        let since = match (hand, hours) {
            (Some(hand), _) => hand.since,
            (None, Some(hours)) => changed(hours, at),
            (None, None) => at,
        };
        let mut until = match (hand, hours) {
            (Some(hand), _) => hand.until,
            (None, hours) => hours.map(|hours| changes(hours, at)),
        };
        // Said by hand in the afternoon, it goes on through the night.
        if let (Some(end), Some(hours)) = (until, hours)
            && self.is_on(end)
        {
            until = Some(changes(hours, end));
        }
        Some(On { since, until })
    }

    /// A person turns it on or off.
    pub fn turn(&mut self, on: bool, at: Wall) {
        let until = self.staffed.as_ref().map(|hours| changes(hours, at));
        let said = self.hand(at).is_some_and(|hand| hand.on == on);
        self.hand = match (said, self.by_hours(at) == on) {
            // As the hours say: nothing has to be remembered.
            (_, true) => None,
            (true, false) => self.hand,
            (false, false) => Some(Hand { on, since: at, until }),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds since 1970: days after Monday the 13th of November 2023, hour, minute, UTC.
    fn utc(day: u64, hour: u64, minute: u64) -> Wall {
        Wall(1_699_833_600 + day * 86_400 + hour * 3_600 + minute * 60)
    }

    fn office() -> Service {
        let staffed = Some(crate::hours::read("Mon-Fri 09:00-18:00 +00:00").unwrap());
        Service { staffed, hand: None }
    }

    fn on(since: Wall, until: Wall) -> Option<On> {
        Some(On { since, until: Some(until) })
    }

    #[test]
    fn by_hours_it_is_on_when_nobody_is_there() {
        let service = office();
        assert_eq!(service.on(utc(1, 9, 0)), None);
        assert_eq!(service.on(utc(1, 17, 59)), None);
        assert_eq!(service.on(utc(1, 18, 0)), on(utc(1, 18, 0), utc(2, 9, 0)));
        assert_eq!(service.on(utc(2, 8, 59)), on(utc(1, 18, 0), utc(2, 9, 0)));
        // The weekend.
        assert_eq!(service.on(utc(5, 12, 0)), on(utc(4, 18, 0), utc(7, 9, 0)));
        assert_eq!(Service::default().on(utc(5, 12, 0)), None, "without hours never by itself");
    }

    #[test]
    fn by_hand_it_holds_until_the_hours_change() {
        let mut service = office();
        // Somebody comes early, and turns it off: it is on again in the evening.
        service.turn(false, utc(1, 8, 40));
        assert_eq!(service.on(utc(1, 8, 41)), None);
        assert_eq!(service.on(utc(1, 18, 0)), on(utc(1, 18, 0), utc(2, 9, 0)));
        // Somebody leaves early: it stays on through the night.
        service.turn(true, utc(1, 17, 10));
        assert_eq!(service.on(utc(1, 17, 30)), on(utc(1, 17, 10), utc(2, 9, 0)));
        assert_eq!(service.on(utc(2, 9, 0)), None);
        // Off and on again, by whom it was said and not.
        service.turn(false, utc(1, 17, 20));
        assert_eq!((service.hand, service.on(utc(1, 17, 30))), (None, None));
        service.turn(true, utc(1, 17, 40));
        service.turn(true, utc(1, 17, 50));
        assert_eq!(service.on(utc(1, 17, 55)).unwrap().since, utc(1, 17, 40), "said once");
    }

    #[test]
    fn without_hours_it_is_on_until_it_is_turned_off() {
        let mut service = Service::default();
        service.turn(true, utc(0, 20, 0));
        assert_eq!(service.on(utc(30, 0, 0)), Some(On { since: utc(0, 20, 0), until: None }));
        service.turn(false, utc(30, 1, 0));
        assert_eq!(service, Service::default());
        service.turn(true, Wall(u64::MAX));
        assert!(service.on(Wall(u64::MAX)).is_some(), "no clock overflows");
        let mut late = office();
        late.turn(true, Wall(u64::MAX));
        late.turn(true, Wall(0));
        assert!(late.on(Wall(0)).is_some());
    }
}
