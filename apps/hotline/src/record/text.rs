//! Words for people: times, stages, ends; and texts from people made harmless.

use call::{Barred, End, Side};
use record::entry::{Behalf, Role, Stage};
use wire::Wall;

/// A time of day, in UTC: offices are in several time zones.
pub(crate) fn utc(at: Wall) -> String {
    let seconds = i64::try_from(at.0).unwrap_or(i64::MAX);
    match time::OffsetDateTime::from_unix_timestamp(seconds) {
        Ok(t) => format!(
            "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
            t.year(),
            u8::from(t.month()),
            t.day(),
            t.hour(),
            t.minute(),
            t.second()
        ),
        Err(_) => "no time".into(),
    }
}

/// A length of time.
pub(super) fn length(seconds: u32) -> String {
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

/// Text of people's, as it may stand on a terminal: nothing that controls one, or turns the direction of writing.
/// Lines stay lines.
pub(super) fn harmless(text: &str) -> String {
    let wrong = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{061c}')
    };
    text.chars().map(|c| if wrong(c) { '\u{fffd}' } else { c }).collect()
}

/// The same on one line.
pub(super) fn one_line(text: &str) -> String {
    harmless(text).replace('\n', " ")
}

pub(super) fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Calling => "calling",
        Stage::Reached => "reached",
        Stage::Ringing => "ringing there",
        Stage::RingingHere => "ringing here",
        Stage::Connecting => "answered",
        Stage::Connected => "connected",
        Stage::HeldByMe => "held by this side",
        Stage::HeldByOther => "held by the other side",
        Stage::Reconnecting => "way lost, reconnecting",
        Stage::Ended => "ended",
        Stage::Arranged => "arranged by the attendants",
        Stage::Waiting => "principal held until the other is there",
        Stage::HandedOver => "attendants left, principals connected",
        Stage::Joined => "joined",
        Stage::Left => "left",
        Stage::Moved => "went on at another handset of the same person",
    }
}

pub(super) fn role(role: Role) -> &'static str {
    match role {
        Role::Principal => "principal",
        Role::Attendant => "attendant",
        Role::Interpreter => "interpreter",
        Role::NoteTaker => "note-taker",
        Role::RecordsOfficer => "records officer",
        Role::DutyOfficer => "duty officer",
    }
}

/// In whose name a call was placed.
pub(super) fn behalf(behalf: &Behalf) -> String {
    let Behalf { name, verified } = behalf;
    match verified {
        true => format!("on behalf of {}, verified", name.as_str()),
        false => format!("on behalf of {}, as the caller said; not verified", name.as_str()),
    }
}

/// Why a call ended.
pub(super) fn end(code: Option<u8>) -> &'static str {
    let Some(code) = code else { return "handset stopped during the call" };
    match End::from_code(code) {
        Some(End::ByMe) => "ended by this side",
        Some(End::ByOther) => "ended by the other side",
        Some(End::Cancelled) => "given up before an answer",
        Some(End::Busy) => "busy",
        Some(End::Declined) => "declined there",
        Some(End::NoAnswer) => "no answer",
        Some(End::Unreachable) => "not reachable",
        Some(End::NoPath) => "all voice paths in use",
        Some(End::Missed) => "missed",
        Some(End::DeclinedByMe) => "declined here",
        Some(End::Elsewhere) => "answered on another handset",
        Some(End::Glare) => "crossed another call",
        Some(End::Lost) => "connection lost",
        Some(End::NoKeys) => "no keys",
        Some(End::ByRule(Barred { of: Side::Own, .. })) => "refused by a rule of this side",
        Some(End::ByRule(Barred { of: Side::Theirs, .. })) => "refused by a rule of the other side",
        Some(End::ByRule(Barred { of: Side::Office, .. })) => "refused by a rule of this office",
        Some(End::Moved) => "went on at another handset of this side",
        None => "ended in a way that this version does not know",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_utc_and_lengths_short() {
        assert_eq!(utc(Wall(0)), "1970-01-01 00:00:00");
        assert_eq!(utc(Wall(1_800_000_000)), "2027-01-15 08:00:00");
        assert_eq!(utc(Wall(u64::MAX)), "no time");
        assert_eq!((length(59), length(3_725)), ("0:59".into(), "1:02:05".into()));
    }

    #[test]
    fn on_whose_behalf_it_was_is_said_as_what_it_is() {
        let of = |verified| behalf(&Behalf { name: wire::Text::new("Paula").unwrap(), verified });
        assert_eq!(of(true), "on behalf of Paula, verified");
        assert_eq!(of(false), "on behalf of Paula, as the caller said; not verified");
    }

    #[test]
    fn nothing_in_a_text_controls_a_terminal() {
        let text = harmless("a\x1b[2Jb\u{202e}c\nd\r\x07");
        assert_eq!(text, "a\u{fffd}[2Jb\u{fffd}c\nd\u{fffd}\u{fffd}");
        assert_eq!(one_line("a\nb"), "a b");
    }
}
