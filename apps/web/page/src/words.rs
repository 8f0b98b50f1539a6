//! States in words, each with its icon: nothing is said by colour alone.

pub mod room;
pub mod staff;

use protocol::{
    Behalf, CallState, CallView, CardState, ContactView, End, ErrorCode, Grade, Keys, LineState,
    Precedence, Problem, Progress, Rule,
};

use crate::parts::icon::Icon;
use crate::text::{Text, fill};

/// How a state is meant; gives it its colour, which only repeats the icon and the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As it should be.
    Good,
    /// Nothing to do.
    Calm,
    /// Something to do.
    Care,
    /// Danger.
    Bad,
}

impl Tone {
    /// Its class in the style sheet.
    #[must_use]
    pub fn class(self) -> &'static str {
        match self {
            Tone::Good => "good",
            Tone::Calm => "calm",
            Tone::Care => "care",
            Tone::Bad => "bad",
        }
    }
}

/// A state as it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    /// Before the words.
    pub icon: Icon,
    /// How it is meant.
    pub tone: Tone,
    /// What it is.
    pub words: &'static str,
}

fn said(icon: Icon, tone: Tone, words: &'static str) -> Said {
    Said { icon, tone, words }
}

/// How one stands with a contact.
#[must_use]
pub fn contact(c: &ContactView, t: &'static Text) -> Said {
    match (c.progress, c.keys) {
        (_, Keys::Alarmed) => said(Icon::Alert, Tone::Bad, t.s_alarmed),
        (Progress::Accepted, Keys::Verified) if c.own_device => {
            said(Icon::Device, Tone::Good, t.s_own)
        }
        (Progress::Accepted, _) if c.own_device => said(Icon::Device, Tone::Care, t.s_own_wants),
        (Progress::Accepted, _) if c.blocked => said(Icon::Block, Tone::Care, t.s_blocked),
        (Progress::Accepted, Keys::Unverified) => said(Icon::Shield, Tone::Care, t.s_unverified),
        (Progress::Accepted, Keys::Pinned) => said(Icon::Handshake, Tone::Good, t.s_pinned),
        (Progress::Accepted, Keys::Verified) => said(Icon::ShieldCheck, Tone::Good, t.s_verified),
        (progress, _) => standing(progress, t),
    }
}

/// How far a contact of somebody else's is.
#[must_use]
pub fn standing(progress: Progress, t: &'static Text) -> Said {
    match progress {
        Progress::Redeeming => said(Icon::Clock, Tone::Calm, t.s_redeeming),
        Progress::Redeemed => said(Icon::Clock, Tone::Calm, t.s_redeemed),
        Progress::Accepted => said(Icon::Check, Tone::Good, t.mg_accepted),
        Progress::Refused => said(Icon::Alert, Tone::Bad, t.s_refused),
        Progress::Revoked => said(Icon::Block, Tone::Calm, t.s_revoked),
        Progress::Gone => said(Icon::Cross, Tone::Calm, t.s_gone),
    }
}

/// In whose name a call is: of who placed it here, as proved, or as what the caller says.
#[must_use]
pub fn behalf(behalf: &Behalf, t: &'static Text) -> (Icon, Tone, String) {
    match behalf {
        Behalf::Mine { name } => (Icon::People, Tone::Calm, fill(t.behalf_mine, name)),
        Behalf::Verified { name } => (Icon::ShieldCheck, Tone::Good, fill(t.behalf_of, name)),
        Behalf::Claimed { name } => (Icon::Alert, Tone::Care, fill(t.behalf_says, name)),
    }
}

/// What somebody of the own office does, as that person shows it.
#[must_use]
pub fn lamp(lamp: protocol::Lamp, t: &'static Text) -> Said {
    use protocol::Lamp;
    match lamp {
        Lamp::NotKnown => said(Icon::LampOff, Tone::Calm, t.lamp_unknown),
        Lamp::Free => said(Icon::LampOn, Tone::Good, t.lamp_free),
        Lamp::Away => said(Icon::Clock, Tone::Calm, t.lamp_away),
        Lamp::Ringing => said(Icon::Bell, Tone::Care, t.lamp_rings),
        Lamp::OnCall => said(Icon::LampHalf, Tone::Care, t.lamp_talks),
    }
}

/// The name of a precedence.
#[must_use]
pub fn level(of: Precedence, t: &'static Text) -> &'static str {
    match of {
        Precedence::Routine => t.p_routine,
        Precedence::Priority => t.p_priority,
        Precedence::Immediate => t.p_immediate,
        Precedence::Flash => t.p_flash,
    }
}

/// How urgent a call is: a sign, and the word that says the same. `None`: routine.
#[must_use]
pub fn precedence(of: Precedence, t: &'static Text) -> Option<(&'static str, &'static str)> {
    let sign = match of {
        Precedence::Routine => return None,
        Precedence::Priority => "!",
        Precedence::Immediate => "!!",
        Precedence::Flash => "!!!",
    };
    Some((sign, level(of, t)))
}

/// What became of a call because of a more urgent one, and that nobody answered one that was.
#[must_use]
pub fn aside(c: &CallView, t: &'static Text) -> Option<&'static str> {
    match c.state {
        CallState::HeldByOther if c.preempted_by_other => Some(t.p_by_other),
        CallState::HeldByMe if c.goes_back => Some(t.p_goes_back),
        CallState::HeldByMe if c.preempted_by_me => Some(t.p_by_me),
        CallState::RingingHere if c.rings_over => Some(t.p_over),
        CallState::Ended(End::NoAnswer) if c.precedence > Precedence::Routine => Some(t.p_vain),
        _ => None,
    }
}

/// Whether a call can be tried.
#[must_use]
pub fn callable(c: &ContactView) -> bool {
    c.progress == Progress::Accepted && c.keys != Keys::Alarmed && !c.own_device
}

/// The line's lamp.
#[must_use]
pub fn line(line: LineState, t: &'static Text) -> Said {
    match line {
        LineState::Up => said(Icon::LampOn, Tone::Good, t.line_up),
        LineState::Connecting => said(Icon::LampHalf, Tone::Care, t.line_connecting),
        LineState::Down => said(Icon::LampOff, Tone::Bad, t.line_down),
        LineState::NotEnrolled => said(Icon::LampOff, Tone::Bad, t.not_enrolled),
    }
}

/// A call's state, and what it means.
#[must_use]
pub fn call(state: CallState, t: &'static Text) -> (Said, &'static str) {
    match state {
        CallState::Calling => (said(Icon::Phone, Tone::Calm, t.st_calling), t.x_calling),
        CallState::Reached => (said(Icon::Phone, Tone::Calm, t.st_reached), t.x_reached),
        CallState::Ringing => (said(Icon::Bell, Tone::Calm, t.st_ringing), t.x_ringing),
        CallState::RingingHere => (said(Icon::Bell, Tone::Care, t.st_incoming), ""),
        CallState::Connecting => (said(Icon::Clock, Tone::Calm, t.st_connecting), t.x_connecting),
        CallState::Connected => (said(Icon::Phone, Tone::Good, t.st_connected), ""),
        CallState::HeldByMe => (said(Icon::Pause, Tone::Care, t.st_held_me), t.x_held_me),
        CallState::HeldByOther => (said(Icon::Pause, Tone::Care, t.st_held_other), t.x_held_other),
        CallState::Reconnecting => {
            (said(Icon::Refresh, Tone::Bad, t.st_reconnecting), t.x_reconnecting)
        }
        CallState::Ended(end) => (said(Icon::PhoneDown, Tone::Calm, ended(end, t)), ""),
    }
}

/// The name of a call's state in the style sheet: each has its own look.
#[must_use]
pub fn look(state: CallState) -> &'static str {
    match state {
        CallState::Calling => "calling",
        CallState::Reached => "reached",
        CallState::Ringing => "ringing",
        CallState::RingingHere => "incoming",
        CallState::Connecting => "connecting",
        CallState::Connected => "connected",
        CallState::HeldByMe => "held-me",
        CallState::HeldByOther => "held-other",
        CallState::Reconnecting => "reconnecting",
        CallState::Ended(_) => "ended",
    }
}

/// Why a call is over.
#[must_use]
pub fn ended(end: End, t: &'static Text) -> &'static str {
    match end {
        End::ByMe => t.e_by_me,
        End::ByOther => t.e_by_other,
        End::Cancelled => t.e_cancelled,
        End::Busy => t.e_busy,
        End::Declined => t.e_declined,
        End::NoAnswer => t.e_no_answer,
        End::Unreachable => t.e_unreachable,
        End::NoPath => t.e_no_path,
        End::Missed => t.e_missed,
        End::DeclinedByMe => t.e_declined_by_me,
        End::Elsewhere => t.e_elsewhere,
        End::Glare => t.e_glare,
        End::Lost => t.e_lost,
        End::NoKeys => t.e_no_keys,
        End::ByRule(of) => rule(of, t),
        End::Moved => t.e_moved,
    }
}

/// What a rule says that keeps a call from coming about.
#[must_use]
pub fn rule(rule: Rule, t: &'static Text) -> &'static str {
    match rule {
        Rule::ThroughStaff => t.ru_staff,
        Rule::Hours => t.ru_hours,
        Rule::Interpreter => t.ru_interpreter,
        Rule::NoteTaker => t.ru_note_taker,
    }
}

/// Who can hear.
#[must_use]
pub fn protection(c: Option<&ContactView>, t: &'static Text) -> (Icon, Tone, String) {
    let name = c.map_or("?", |c| c.name.as_str());
    match c.map(|c| c.keys) {
        Some(Keys::Verified | Keys::Pinned) => {
            (Icon::ShieldCheck, Tone::Good, fill(t.only_you, name))
        }
        Some(Keys::Alarmed) => (Icon::Alert, Tone::Bad, t.alarm_call.to_owned()),
        Some(Keys::Unverified) | None => (Icon::Shield, Tone::Care, fill(t.unknown_who, name)),
    }
}

/// How it sounds.
#[must_use]
pub fn grade(grade: Option<Grade>, t: &'static Text) -> &'static str {
    match grade {
        None => t.q_none,
        Some(Grade::Excellent) => t.q_excellent,
        Some(Grade::Good) => t.q_good,
        Some(Grade::Fair) => t.q_fair,
        Some(Grade::Poor) => t.q_poor,
    }
}

/// A card's state; `by` is the name of who used it.
#[must_use]
pub fn card(state: CardState, by: Option<&str>, t: &'static Text) -> (Icon, Tone, String) {
    match state {
        CardState::Issuing => (Icon::Clock, Tone::Calm, t.c_issuing.to_owned()),
        CardState::Issued => (Icon::Card, Tone::Good, t.c_issued.to_owned()),
        CardState::Used { .. } => (Icon::Check, Tone::Calm, fill(t.c_used, by.unwrap_or("?"))),
        CardState::Expired => (Icon::Clock, Tone::Calm, t.c_expired.to_owned()),
        CardState::Revoked => (Icon::Block, Tone::Calm, t.c_revoked.to_owned()),
    }
}

/// A problem in the person's language.
#[must_use]
pub fn problem(p: &Problem, t: &'static Text) -> String {
    let words = match p.code {
        ErrorCode::WrongSecret => t.wrong,
        ErrorCode::StoreForeign => t.r_store_foreign,
        ErrorCode::StorageRefused => t.r_storage,
        ErrorCode::NoWebTransport => t.no_transport,
        ErrorCode::WrongExchange => t.r_exchange,
        ErrorCode::BadEnrolLink => t.bad_link,
        ErrorCode::BadCard => t.r_bad_card,
        ErrorCode::CardExpired => t.r_expired,
        ErrorCode::OwnCard => t.r_own,
        ErrorCode::KnownContact => t.r_known,
        ErrorCode::NotAttached => t.r_not_attached,
        ErrorCode::NotNow => t.r_not_now,
        ErrorCode::TooLong => t.r_too_long,
        ErrorCode::TooMany => t.r_too_many,
        ErrorCode::NoSuchHours => t.r_hours,
        ErrorCode::CallFull => t.r_call_full,
        ErrorCode::Gone => t.r_gone,
        ErrorCode::Alarmed => t.r_alarmed,
        ErrorCode::ByRule(of) => rule(of, t),
        ErrorCode::Other => return fill(t.r_other, &p.text),
    };
    words.to_owned()
}

#[cfg(test)]
mod tests;
