//! The rules by which calls with one contact may come about, as handsets tell them to each other and keep them.
//!
//! ```text
//!  Rules = staff option(text) | hours option(Hours) | interpreter bool | note-taker bool
//!  Hours = days u8, bit 0 Monday | from u16, until u16, minutes of the day | offset u16, minutes east of UTC, plus 720
//! ```
//!
//! Days are those on which the hours begin; if `until` is not after `from`, they last into the next day.

use crate::codec::{DecodeError, Field, Reader, Text, Writer, codes};
use crate::limits::NAME_MAX;
use crate::time::Wall;

/// Minutes of a day.
pub const DAY: u16 = 1_440;
/// A week.
pub const ALL_DAYS: u8 = 0x7f;
/// Farthest west of UTC that a clock is. Minutes.
const WEST: i16 = 720;
/// Farthest east. Minutes.
const EAST: i16 = 840;

codes! {
    /// A rule that a call can break.
    Rule {
        /// Calls come about through staff only.
        1 => ThroughStaff,
        /// Calls come about in certain hours only.
        2 => Hours,
        /// An interpreter has to be in the call.
        3 => Interpreter,
        /// A note-taker has to be in the call.
        4 => NoteTaker,
    }
}

/// Hours of certain days of the week, in a time zone. They can be, or they could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    days: u8,
    from: u16,
    until: u16,
    offset: u16,
}

impl Hours {
    /// `days`: bit 0 is Monday; at least one. `from`, `until`: minutes of the day, which differ; 1,440 is the day's end.
    /// `offset`: how far east of UTC the clock is. Minutes.
    #[must_use]
    pub fn new(days: u8, from: u16, until: u16, offset: i16) -> Option<Hours> {
        let week = (1..=ALL_DAYS).contains(&days);
        let day = from < DAY && until <= DAY && from != until;
        // All the time is no rule.
        let ends = (days, from, until) != (ALL_DAYS, 0, DAY);
        let zone = (-WEST..=EAST).contains(&offset);
        let offset = offset.saturating_add(WEST).unsigned_abs();
        (week && day && ends && zone).then_some(Hours { days, from, until, offset })
    }

    /// The days on which they begin; bit 0 is Monday.
    #[must_use]
    pub fn days(&self) -> u8 {
        self.days
    }

    /// The minute of the day with which they begin.
    #[must_use]
    pub fn from(&self) -> u16 {
        self.from
    }

    /// The minute of the day before which they end; not above `from`: of the next day.
    #[must_use]
    pub fn until(&self) -> u16 {
        self.until
    }

    /// How far east of UTC the clock is. Minutes.
    #[must_use]
    pub fn offset(&self) -> i16 {
        self.offset.cast_signed() - WEST
    }

    /// Whether a time of day is within them.
    #[must_use]
    pub fn is_open(&self, at: Wall) -> bool {
        const SECONDS: u64 = 86_400;
        // A week first, so that no offset leads below zero; 1970 began on a Thursday.
        let east = i64::from(self.offset()) * 60;
        let local = at.0.saturating_add(7 * SECONDS).saturating_add_signed(east);
        let (day, minute) = ((local / SECONDS + 3) % 7, local % SECONDS / 60);
        let begins = |day: u64| self.days >> day & 1 == 1;
        let (from, until) = (u64::from(self.from), u64::from(self.until));
        match from < until {
            true => begins(day) && (from..until).contains(&minute),
            false => begins(day) && minute >= from || begins((day + 6) % 7) && minute < until,
        }
    }
}

impl Field for Hours {
    fn write(&self, w: &mut Writer) {
        self.days.write(w);
        self.from.write(w);
        self.until.write(w);
        self.offset.write(w);
    }
    fn read(r: &mut Reader<'_>, field: &'static str) -> Result<Self, DecodeError> {
        let (days, from, until, offset) =
            (r.u8(field)?, r.u16(field)?, r.u16(field)?, r.u16(field)?);
        let east = i16::try_from(offset).ok().and_then(|offset| offset.checked_sub(WEST));
        let hours = east.and_then(|east| Hours::new(days, from, until, east));
        hours.ok_or(DecodeError::Undefined { field, value: days.into() })
    }
}

/// The rules of one side for calls with the other. The default has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Only a call that staff arranges brings the two together. Who arranges it is named, or nobody (empty).
    pub staff: Option<Text<NAME_MAX>>,
    /// When calls come about.
    pub hours: Option<Hours>,
    /// Only with an interpreter in the call.
    pub interpreter: bool,
    /// Only with a note-taker in the call.
    pub note_taker: bool,
}

impl Field for Rules {
    fn write(&self, w: &mut Writer) {
        self.staff.write(w);
        self.hours.write(w);
        self.interpreter.write(w);
        self.note_taker.write(w);
    }
    fn read(r: &mut Reader<'_>, field: &'static str) -> Result<Self, DecodeError> {
        Ok(Rules {
            staff: Field::read(r, field)?,
            hours: Field::read(r, field)?,
            interpreter: Field::read(r, field)?,
            note_taker: Field::read(r, field)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_read_as_they_were_written_and_none_that_cannot_be() {
        for (days, from, until, offset) in [
            (1, 0, 1, 0),
            (0x1f, 540, 1_080, 60),
            (0x7f, 1_439, 0, -720),
            (0x60, 1_320, 360, 840),
            (0x1f, 0, 1_440, 345),
        ] {
            let hours = Hours::new(days, from, until, offset).unwrap();
            assert_eq!(
                (hours.days(), hours.from(), hours.until(), hours.offset()),
                (days, from, until, offset)
            );
            let mut w = Writer::new();
            hours.write(&mut w);
            let bytes = w.finish();
            let mut r = Reader::new(&bytes);
            assert_eq!(Hours::read(&mut r, "hours"), Ok(hours));
            for cut in 0..bytes.len() {
                let mut r = Reader::new(&bytes[..cut]);
                assert_eq!(
                    Hours::read(&mut r, "hours"),
                    Err(DecodeError::Short { field: "hours" })
                );
            }
        }
        for (days, from, until, offset) in [
            (0, 540, 1_080, 0),
            (0x80, 540, 1_080, 0),
            (1, 540, 540, 0),
            (1, 1_440, 60, 0),
            (1, 540, 1_441, 0),
            (1, 540, 1_080, -721),
            (1, 540, 1_080, 841),
            (0x7f, 0, 1_440, 0),
        ] {
            assert_eq!(
                Hours::new(days, from, until, offset),
                None,
                "{days} {from} {until} {offset}"
            );
        }
        let mut r = Reader::new(&[1, 2, 28, 4, 56, 0xff, 0xff]);
        assert!(Hours::read(&mut r, "hours").is_err(), "an offset that no clock has");
    }
}
