//! The machine's words in the page's words, and back.

use std::time::Duration;

use call::contact::{CardState, Keys, Progress};
use call::lamp::Shown;
use phone::{InputError, LineState};
use protocol::{Command, ErrorCode, Problem};
use seal::card::CardError;
use wire::Wall;

/// One enum's variants to another's of the same names.
macro_rules! same {
    ($value:expr, $from:ident => $to:ident { $($name:ident),+ $(,)? }) => {
        match $value { $($from::$name => protocol::$to::$name),+ }
    };
}

mod console;
mod night;
mod room;
mod rules;
mod staff;
mod transfer;

/// How urgent a call is.
pub(crate) fn precedence(precedence: wire::Precedence) -> protocol::Precedence {
    use wire::Precedence;
    same!(precedence, Precedence => Precedence { Routine, Priority, Immediate, Flash })
}

/// The same in the machine's word.
fn machines_precedence(precedence: protocol::Precedence) -> wire::Precedence {
    use protocol::Precedence as P;
    match precedence {
        P::Routine => wire::Precedence::Routine,
        P::Priority => wire::Precedence::Priority,
        P::Immediate => wire::Precedence::Immediate,
        P::Flash => wire::Precedence::Flash,
    }
}

pub(crate) fn end(end: call::End) -> protocol::End {
    use call::End as E;
    use protocol::End as P;
    match end {
        E::ByMe => P::ByMe,
        E::ByOther => P::ByOther,
        E::Cancelled => P::Cancelled,
        E::Busy => P::Busy,
        E::Declined => P::Declined,
        E::NoAnswer => P::NoAnswer,
        E::Unreachable => P::Unreachable,
        E::NoPath => P::NoPath,
        E::Missed => P::Missed,
        E::DeclinedByMe => P::DeclinedByMe,
        E::Elsewhere => P::Elsewhere,
        E::Glare => P::Glare,
        E::Lost => P::Lost,
        E::NoKeys => P::NoKeys,
        E::ByRule(barred) => P::ByRule(rules::rule(barred.rule)),
        E::Moved => P::Moved,
    }
}

pub(crate) fn state(state: call::CallState) -> protocol::CallState {
    use call::CallState as S;
    use protocol::CallState as P;
    match state {
        S::Calling => P::Calling,
        S::Reached => P::Reached,
        S::Ringing => P::Ringing,
        S::RingingHere => P::RingingHere,
        S::Connecting => P::Connecting,
        S::Connected => P::Connected,
        S::HeldByMe => P::HeldByMe,
        S::HeldByOther => P::HeldByOther,
        S::Reconnecting => P::Reconnecting,
        S::Ended(why) => P::Ended(end(why)),
    }
}

fn direction(direction: call::Direction) -> protocol::Direction {
    match direction {
        call::Direction::Placed => protocol::Direction::Outgoing,
        call::Direction::Received => protocol::Direction::Incoming,
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn wall_ms(wall: Wall) -> f64 {
    wall.0 as f64 * 1_000.0
}

fn quality(quality: voice::Quality) -> protocol::Quality {
    use voice::Grade;
    protocol::Quality {
        grade: same!(quality.grade, Grade => Grade { Excellent, Good, Fair, Poor }),
        loss_percent: quality.loss_percent,
        rebuilt_percent: quality.rebuilt_percent,
        delay_ms: quality.delay_ms,
        jitter_ms: quality.jitter_ms,
    }
}

/// The figures of a view.
pub(crate) fn stats(view: &phone::View) -> protocol::Stats {
    let link = view.link.as_ref();
    let count = |of: fn(&link::Stats) -> u64| link.map_or(0, of);
    protocol::Stats {
        cells_sent: count(|l| l.cells_sent),
        cells_received: count(|l| l.cells_received),
        cells_lost: count(|l| l.cells_lost),
        ticks_skipped: count(|l| l.ticks_skipped),
        round_trip_ms: link.and_then(|l| l.round_trip).map_or(0.0, |t| t.as_secs_f64() * 1_000.0),
        frames_played: view.voice.played,
        frames_rebuilt: view.voice.rebuilt,
        frames_concealed: view.voice.concealed,
        voice_refused: view.voice_refused,
        ..protocol::Stats::default()
    }
}

/// What moves in a call.
pub(crate) fn meter(call: &phone::CallView) -> protocol::CallMeter {
    protocol::CallMeter {
        id: call.id,
        timer_ms: millis(call.timer),
        level: call.level.rms,
        quality: call.quality.map(quality),
        levels: call.room.as_ref().map(room::levels).unwrap_or_default(),
    }
}

/// The whole view.
pub(crate) fn view(view: &phone::View, kept: bool) -> protocol::View {
    protocol::View {
        name: view.name.clone(),
        office: view.office.clone(),
        line: same!(view.line, LineState => LineState { NotEnrolled, Down, Connecting, Up }),
        clock_off: view.clock_off,
        store_fails: view.store_fails,
        kept,
        position: view.position.map(|time| u32::try_from(time.as_secs()).unwrap_or(u32::MAX)),
        camps: view.camps.iter().map(console::camp).collect(),
        handsets: view.handsets.clone(),
        offers: view.offers.iter().map(transfer::offer).collect(),
        elsewhere: view.elsewhere.iter().map(transfer::elsewhere).collect(),
        shift_given: view.shift_given.as_ref().map(transfer::shift),
        shift_taken: view.shift_taken.as_ref().map(transfer::shift),
        agenda: view.agenda.iter().map(console::appointment).collect(),
        muted: view.muted,
        away: view.away,
        night: night::view(&view.night),
        mic: view.mic.rms,
        contacts: view.contacts.iter().map(contact).collect(),
        delegations: view.delegations.iter().map(delegation).collect(),
        managed: view.managed.iter().map(staff::managed).collect(),
        requests: view.requests.iter().map(staff::request).collect(),
        lists: view.lists.iter().map(staff::list).collect(),
        office_lines: view.office_lines.iter().map(console::office_line).collect(),
        calls: view.calls.iter().map(one_call).collect(),
        cards: view.cards.iter().map(card).collect(),
        history: view.history.iter().map(past).collect(),
        missed: view.missed,
        notes: view.notes.iter().map(note).collect(),
        mail_waiting: view.mail_waiting,
        first_handset: view.first_handset,
        record: record(&view.record),
        stats: stats(view),
    }
}

fn record(r: &phone::RecordView) -> protocol::RecordView {
    use phone::Doubt;
    protocol::RecordView {
        officer: r.officer.clone(),
        asked: r.asked.clone(),
        mark: r.mark.clone(),
        waiting: r.waiting,
        doubt: r.doubt.map(
            |doubt| same!(doubt, Doubt => Doubt { OtherOfficer, OldOrder, BadProof, RolledBack }),
        ),
    }
}

fn contact(c: &phone::ContactView) -> protocol::ContactView {
    protocol::ContactView {
        id: c.id,
        name: c.name.clone(),
        office: c.office.clone(),
        progress: same!(c.progress, Progress => Progress {
            Redeeming, Redeemed, Accepted, Refused, Revoked, Gone,
        }),
        keys: same!(c.keys, Keys => Keys { Unverified, Pinned, Verified, Alarmed }),
        used: c.used,
        trusted: c.trusted,
        blocked: c.blocked,
        own_office: c.own_office,
        may: staff::rights(c.may),
        may_claim: precedence(c.may_claim),
        granted: precedence(c.rules.precedence),
        rules: rules::own(&c.rules),
        their_rules: rules::theirs(&c.their_rules),
        barred: c.barred.as_ref().map(rules::barred),
        lamp_shown: c.lamp_shown,
        lamp: c.lamp.map(|l| same!(l, Shown => Lamp { NotKnown, Free, Away, Ringing, OnCall })),
        own_device: c.own_device,
        ready: c.ready,
        suite: c.suite.clone(),
        has_words: c.words.is_some(),
    }
}

fn delegation(d: &phone::DelegationView) -> protocol::DelegationView {
    use phone::DelegationState;
    protocol::DelegationView {
        number: d.number,
        contact: d.contact,
        rights: staff::rights(d.rights),
        until_ms: wall_ms(d.until),
        state: same!(d.state, DelegationState => DelegationState { InForce, Expired, Revoked }),
        shown_until_ms: wall_ms(d.shown_until),
    }
}

fn behalf(behalf: &phone::BehalfView) -> protocol::Behalf {
    use phone::BehalfView as B;
    match behalf {
        B::Mine { name } => protocol::Behalf::Mine { name: name.clone() },
        B::Verified { name, .. } => protocol::Behalf::Verified { name: name.clone() },
        B::Claimed { name, .. } => protocol::Behalf::Claimed { name: name.clone() },
    }
}

fn one_call(c: &phone::CallView) -> protocol::CallView {
    let meter = meter(c);
    protocol::CallView {
        id: c.id,
        contact: c.contact,
        direction: direction(c.direction),
        state: state(c.state),
        came_ms: wall_ms(c.came),
        parked: c.parked.as_ref().map(console::parked),
        moving: c.moving.map(transfer::moving),
        arriving: c.arriving,
        moved: c.moved,
        rings: c.sound == Some(call::Sound::Rings),
        timer_ms: meter.timer_ms,
        level: meter.level,
        quality: meter.quality,
        muted_by_other: c.muted_by_other,
        on_record: c.on_record,
        on_record_there: c.on_record_there,
        minutes: c.minutes.iter().map(|(_, text)| text.clone()).collect(),
        room: c.room.as_ref().map(room::view),
        asked: c.asked.as_ref().map(room::asked),
        behalf: c.behalf.as_ref().map(behalf),
        relay: c.relay.as_ref().map(staff::relay),
        barred: c.barred.as_ref().map(rules::barred),
        night: c.night.as_ref().map(night::there),
        precedence: precedence(c.precedence),
        rings_over: c.rings_over,
        preempted_by_me: c.preempted.by_me,
        preempted_by_other: c.preempted.by_other,
        goes_back: c.goes_back,
        texts: c
            .texts
            .iter()
            .map(|(mine, text, arrived)| protocol::TextView {
                mine: *mine,
                text: text.clone(),
                arrived: *arrived,
            })
            .collect(),
    }
}

fn card(c: &phone::CardView) -> protocol::CardView {
    let state = match c.state {
        CardState::Issuing => protocol::CardState::Issuing,
        CardState::Issued => protocol::CardState::Issued,
        CardState::Used { contact } => protocol::CardState::Used { contact },
        CardState::Expired => protocol::CardState::Expired,
        CardState::Revoked => protocol::CardState::Revoked,
    };
    protocol::CardView { id: c.id, hint: c.hint.clone(), state, expiry_ms: wall_ms(c.expiry) }
}

fn past(h: &phone::HistoryView) -> protocol::HistoryView {
    protocol::HistoryView {
        contact: h.contact,
        direction: direction(h.direction),
        at_ms: wall_ms(h.at),
        talked_ms: millis(h.talked),
        end: end(h.end),
        unseen: h.unseen,
        precedence: precedence(h.precedence),
    }
}

fn note(n: &phone::NoteView) -> protocol::NoteView {
    protocol::NoteView {
        contact: n.contact,
        sent: n.sent,
        at_ms: wall_ms(n.at),
        text: n.text.clone(),
        card: n.card.clone(),
    }
}

/// An event; names and texts are in the view.
pub(crate) fn event(event: phone::Event) -> protocol::Event {
    use phone::Event as E;
    use protocol::Event as P;
    match event {
        E::LineUp => P::LineUp,
        E::LineDown => P::LineDown,
        E::Refused(_) => P::Refused,
        E::ClockWrong { seconds } => P::ClockWrong { seconds },
        E::CardIssued { card } => P::CardIssued { card },
        E::CardUsed { card, contact } => P::CardUsed { card, contact },
        E::ContactAccepted { contact } => P::ContactAccepted { contact },
        E::ContactRefused { contact } => P::ContactRefused { contact },
        E::Admitted => P::Admitted,
        E::ContactGone { contact } => P::ContactGone { contact },
        E::ContactReady { contact } => P::ContactReady { contact },
        E::Incoming { call, contact } => P::Incoming { call, contact },
        E::Call { call, state: new } => P::Call { call, state: state(new) },
        E::Voice { call } => P::Voice { call },
        E::Muted { call, on } => P::Muted { call, on },
        E::Text { call } => P::Text { call },
        E::TextArrived { call } => P::TextArrived { call },
        E::Behalf { call } => P::Behalf { call },
        E::Delegated { contact } => P::Delegated { contact },
        E::Managed { contact } => P::Managed { contact },
        E::ManageAnswered { principal, .. } => P::ManageAnswered { principal },
        E::Relay { call } => P::Relay { call },
        E::Joins { contact, .. } => P::Joins { contact },
        E::OfficeLine { contact, fails } => P::OfficeLine { contact, fails },
        E::Recall { call } => P::Recall { call },
        E::Preempted { call } => P::Preempted { call },
        E::NightService { on } => P::NightService { on },
        E::Night { call } => P::Night { call },
        E::Offered { offer } => P::Offered { offer },
        E::Moving { call } => P::Moving { call },
        E::Moved { call } => P::Moved { call },
        E::MoveFailed { call } => P::MoveFailed { call },
        E::Shift => P::Shift,
        E::CampOver { contact } => P::CampOver { contact },
        E::Reminder { appointment } => P::Reminder { appointment },
        E::Missed { contact } => P::Missed { contact },
        E::RefusedByRule { contact, .. } => P::RefusedByRule { contact },
        E::Lamp { contact } => P::Lamp { contact },
        E::Note { contact } => P::Note { contact },
        E::CardHanded { contact } => P::CardHanded { contact },
        E::RecordOrder => P::RecordOrder,
        E::RecordAsked => P::RecordAsked,
        E::RecordDoubt(_) => P::RecordDoubt,
        E::Recorded => P::Recorded,
        E::Forged { call, leaf } => P::Forged { call, leaf },
        E::Room { call } => P::Room { call },
        E::OnRecord { call } => P::OnRecord { call },
        E::StoreFails => P::StoreFails,
        E::StoreWorks => P::StoreWorks,
    }
}

/// A command.
///
/// # Errors
/// What the page asked for cannot be.
pub(crate) fn command(command: Command) -> Result<phone::Command, Problem> {
    use phone::Command as P;
    let secs = |secs: u32| Duration::from_secs(u64::from(secs));
    let hours = |hours: u32| Duration::from_secs(u64::from(hours) * 3_600);
    Ok(match command {
        Command::IssueCard { hint, in_person, hours: h } => {
            P::IssueCard { hint, in_person, ttl: hours(h) }
        }
        Command::AdmitDevice { hours: h } => P::AdmitDevice { ttl: hours(h) },
        Command::RedeemCard { text, in_person } => P::RedeemCard { text, in_person },
        Command::RevokeCard { card } => P::RevokeCard { card },
        Command::RevokeContact { contact } => P::RevokeContact { contact },
        Command::RenameContact { contact, name } => P::RenameContact { contact, name },
        Command::SetTrusted { contact, trusted } => P::SetTrusted { contact, trusted },
        Command::SetBlocked { contact, blocked } => P::SetBlocked { contact, blocked },
        Command::SetLamp { contact, shown } => P::SetLamp { contact, shown },
        Command::SetAway { on } => P::SetAway { on },
        Command::Delegate { contact, rights, days } => {
            let ttl = Duration::from_secs(u64::from(days) * 86_400);
            P::Delegate { contact, rights: staff::machines_rights(&rights), ttl }
        }
        Command::RevokeDelegation { number } => P::RevokeDelegation { number },
        Command::Call { contact } => P::Call { contact },
        Command::CallFor { contact, principal } => P::CallFor { contact, principal },
        Command::Join { contact, listens } => P::Join { contact, listens },
        Command::Manage { principal, ask } => {
            P::Manage { principal, ask: staff::machines_ask(ask) }
        }
        Command::CallUrgent { contact, precedence } => {
            let precedence = machines_precedence(precedence);
            P::CallUrgent { contact, principal: None, precedence }
        }
        Command::SetPrecedence { contact, highest } => {
            P::SetPrecedence { contact, highest: machines_precedence(highest) }
        }
        Command::SetRules { contact, rules, highest } => {
            P::SetRules { contact, rules: rules::machines(rules, highest)? }
        }
        Command::Answer { call } => P::Answer { call },
        Command::Decline { call } => P::Decline { call },
        Command::Ignore { call } => P::Ignore { call },
        Command::Cancel { call } => P::Cancel { call },
        Command::HangUp { call } => P::HangUp { call },
        Command::Hold { call, on } => P::Hold { call, on },
        Command::SetPosition { recall } => P::SetPosition { recall: recall.map(secs) },
        Command::SetNight { rules } => P::SetNight { rules: night::machines_rules(rules)? },
        Command::Night { on } => P::Night { on },
        Command::Park { call, reason, recall } => {
            P::Park { call, reason, recall: recall.map(secs) }
        }
        Command::Move { call, to } => P::Move { call, to },
        Command::StayHere { call } => P::StayHere { call },
        Command::Continue { offer } => P::Continue { offer },
        Command::LeaveThere { offer } => P::LeaveThere { offer },
        Command::TakeBack { number } => P::TakeBack { number },
        Command::HandOver { to, note } => P::HandOver { to, note },
        Command::EndHandOver => P::EndHandOver,
        Command::TakeShift => P::TakeShift,
        Command::LeaveShift => P::LeaveShift,
        Command::Camp { contact, minutes } => {
            P::Camp { contact, time: Duration::from_secs(u64::from(minutes) * 60) }
        }
        Command::EndCamp { contact } => P::EndCamp { contact },
        Command::Schedule { id, appointment } => {
            P::Schedule { id, appointment: console::machines_appointment(appointment) }
        }
        Command::Unschedule { id } => P::Unschedule { id },
        Command::Reminded { id } => P::Reminded { id },
        Command::Start { id } => P::Start { id },
        Command::Mute { on } => P::Mute { on },
        Command::Say { call, text } => P::Say { call, text },
        Command::Note { contact, text } => P::Note { contact, text },
        Command::HandCard { contact, text } => P::HandCard { contact, text },
        Command::Minute { call, text } => P::Minute { call, text },
        Command::AcceptOfficer { fingerprint } => P::AcceptOfficer { fingerprint },
        Command::Bring { call, contact, role, expected, precedence } => {
            let (role, precedence) = (room::machines_role(role), machines_precedence(precedence));
            P::Bring { call, contact, role, expected, precedence }
        }
        Command::Announce { call, on } => P::Announce { call, on },
        Command::Connect { call } => P::Connect { call },
        Command::ClearMissed => P::ClearMissed,
    })
}

/// Why the machine refused, for the page to say.
pub(crate) fn problem(error: &InputError) -> Problem {
    let code = match error {
        InputError::EnrolLink(_) => ErrorCode::BadEnrolLink,
        InputError::Card(CardError::Expired { .. }) => ErrorCode::CardExpired,
        InputError::Card(_) => ErrorCode::BadCard,
        InputError::OwnCard => ErrorCode::OwnCard,
        InputError::KnownContact => ErrorCode::KnownContact,
        InputError::NotEnrolled | InputError::NotAttached => ErrorCode::NotAttached,
        InputError::WrongState(_) | InputError::RecordFull => ErrorCode::NotNow,
        InputError::TooLong { .. } => ErrorCode::TooLong,
        InputError::TooMany(_) => ErrorCode::TooMany,
        InputError::CallFull => ErrorCode::CallFull,
        InputError::NoSuch(_) => ErrorCode::Gone,
        InputError::Alarmed => ErrorCode::Alarmed,
        InputError::ByRule(barred) => ErrorCode::ByRule(rules::rule(barred.rule)),
        InputError::Missing(rule) => ErrorCode::ByRule(rules::rule(*rule)),
        InputError::NotGranted { .. }
        | InputError::AlreadyEnrolled
        | InputError::OtherOfficer
        | InputError::Link(_)
        | InputError::Line(_)
        | InputError::Group(_)
        | InputError::Voice(_)
        | InputError::NoSuchBatch => ErrorCode::Other,
    };
    Problem { code, text: error.to_string() }
}
