//! Calls of more than two, in words: roles, stages, and who hears whom.

use protocol::{CallState, CallView, End, MemberView, Role, RoomStage, RoomView, Trust};

use super::{Said, Tone, aside, call, said};
use crate::parts::icon::Icon;
use crate::text::{Text, fill};

/// The stages of an arranged call, in order.
pub const STAGES: [RoomStage; 5] = [
    RoomStage::Arranging,
    RoomStage::Held,
    RoomStage::Handing,
    RoomStage::Confirming,
    RoomStage::Connected,
];

/// A role.
#[must_use]
pub fn role(role: Role, t: &'static Text) -> &'static str {
    match role {
        Role::Principal => t.role_principal,
        Role::Attendant => t.role_attendant,
        Role::Interpreter => t.role_interpreter,
        Role::NoteTaker => t.role_note_taker,
        Role::RecordsOfficer => t.role_records,
        Role::DutyOfficer => t.role_duty,
    }
}

/// The name of a stage.
#[must_use]
pub fn stage(stage: RoomStage, t: &'static Text) -> Said {
    match stage {
        RoomStage::Arranging => said(Icon::People, Tone::Calm, t.g_arranging),
        RoomStage::Held => said(Icon::Pause, Tone::Care, t.g_held),
        RoomStage::Handing => said(Icon::Handshake, Tone::Care, t.g_handing),
        RoomStage::Confirming => said(Icon::Clock, Tone::Calm, t.g_confirming),
        RoomStage::Connected => said(Icon::Phone, Tone::Good, t.st_connected),
    }
}

/// Somebody arranges the call, or did: it has stages.
#[must_use]
pub fn is_arranged(room: &RoomView, asked: bool) -> bool {
    let attends = |m: &MemberView| m.role == Role::Attendant;
    asked || room.stage != RoomStage::Connected || room.members.iter().any(attends)
}

/// How far the whole call is: for those who arrange it, others are held as soon as they are in it.
#[must_use]
pub fn reached(room: &RoomView) -> RoomStage {
    match room.stage {
        RoomStage::Arranging if room.members.len() > 2 => RoomStage::Held,
        stage => stage,
    }
}

/// Whether a contact can be brought into a call: the one it began with is in it, and nobody is rung twice.
#[must_use]
pub fn can_be_brought(call: &CallView, contact: u32) -> bool {
    let rung = |r: &RoomView| r.bringing.iter().any(|b| b.contact == contact && b.over.is_none());
    call.contact != contact && !call.room.as_ref().is_some_and(rung)
}

/// This handset's person is held, or being handed over: not heard.
#[must_use]
pub fn waits(room: &RoomView) -> bool {
    matches!(room.stage, RoomStage::Held | RoomStage::Handing | RoomStage::Confirming)
}

/// Who is expected, with the office, as far as an attendant said it.
#[must_use]
pub fn expected(e: &protocol::Expected, t: &'static Text) -> String {
    match (e.name.as_str(), e.office.as_str()) {
        ("", "") => t.x_other_side.to_owned(),
        ("", office) => office.to_owned(),
        (name, "") => name.to_owned(),
        (name, office) => format!("{name}, {office}"),
    }
}

/// A call's state and what it means for this handset's person.
#[must_use]
pub fn state(c: &CallView, t: &'static Text) -> (Said, String) {
    let plain = || {
        let (said, more) = call(c.state, t);
        (said, aside(c, t).unwrap_or(more).to_owned())
    };
    let Some(room) = &c.room else { return plain() };
    match c.state {
        CallState::Ended(End::ByMe) if room.role == Role::Attendant && room.members.len() > 2 => {
            let connected = room.stage == RoomStage::Handing;
            let means = if connected { t.x_left } else { t.x_left_early };
            (said(Icon::PhoneDown, Tone::Calm, t.st_left), means.to_owned())
        }
        CallState::Connected if reached(room) != room.stage => {
            (said(Icon::Pause, Tone::Care, t.g_holding), meaning(room, t))
        }
        CallState::Connected | CallState::HeldByOther | CallState::Connecting => {
            (stage(room.stage, t), meaning(room, t))
        }
        _ => plain(),
    }
}

fn meaning(room: &RoomView, t: &'static Text) -> String {
    let attends = room.role == Role::Attendant;
    match room.stage {
        RoomStage::Arranging if attends => t.x_arrange.to_owned(),
        RoomStage::Arranging => t.x_arranging.to_owned(),
        RoomStage::Held => fill(t.x_held, &expected(&room.expected, t)),
        RoomStage::Handing if attends => t.x_leaving.to_owned(),
        RoomStage::Handing => t.x_handing.to_owned(),
        RoomStage::Confirming => t.x_confirming.to_owned(),
        RoomStage::Connected => String::new(),
    }
}

/// With whom the call is, and of which office, if it is not with the contact that it began with.
#[must_use]
pub fn with_whom(room: &RoomView) -> Option<(String, String)> {
    let attends = room.role == Role::Attendant;
    match room.stage {
        RoomStage::Arranging => None,
        _ if attends => None,
        RoomStage::Held | RoomStage::Handing | RoomStage::Confirming => {
            let e = &room.expected;
            match e.name.is_empty() {
                true if e.office.is_empty() => None,
                true => Some((e.office.clone(), String::new())),
                false => Some((e.name.clone(), e.office.clone())),
            }
        }
        RoomStage::Connected => {
            let others = || room.members.iter().filter(|m| !m.own && !m.gone);
            let mut them: Vec<_> = others().filter(|m| m.role.leads()).collect();
            if them.is_empty() {
                them = others().collect();
            }
            let names: Vec<_> = them.iter().map(|m| m.name.as_str()).collect();
            let office = if let [one] = them[..] { one.office.clone() } else { String::new() };
            (!names.is_empty()).then(|| (names.join(", "), office))
        }
    }
}

/// A member's name.
fn name<'a>(m: &'a MemberView, t: &'static Text) -> &'a str {
    match m.name.as_str() {
        _ if m.own => t.you,
        "" => t.m_unknown,
        name => name,
    }
}

/// Exactly who can hear.
#[must_use]
pub fn who_can_hear(room: &RoomView, t: &'static Text) -> String {
    let names: Vec<_> = room.members.iter().map(|m| name(m, t)).collect();
    fill(t.room_hear, &names.join(", "))
}

/// In whose name somebody else speaks, if anybody does.
#[must_use]
pub fn forged(m: &MemberView, t: &'static Text) -> Option<String> {
    match (m.voice, m.own) {
        (Trust::Forged, true) => Some(t.v_forged_own.to_owned()),
        (Trust::Forged, false) => Some(fill(t.v_forged, name(m, t))),
        (Trust::Vouched | Trust::Late, _) => None,
    }
}

/// Whether a member is heard, and whether it hears; of the own one, who hears it.
#[must_use]
pub fn voice(m: &MemberView, room: &RoomView, muted: bool, t: &'static Text) -> Said {
    if !m.role.speaks() {
        return said(Icon::Ear, Tone::Calm, t.m_listens);
    }
    let held = m.own && waits(room);
    match m.voice {
        Trust::Forged if !held => return said(Icon::Alert, Tone::Bad, t.v_dropped),
        Trust::Late => return said(Icon::Clock, Tone::Care, t.v_late),
        Trust::Vouched | Trust::Forged => {}
    }
    if m.own {
        return match room.stage {
            _ if held => said(Icon::MicOff, Tone::Care, t.m_closed),
            _ if muted => said(Icon::MicOff, Tone::Care, t.muted),
            RoomStage::Connected => said(Icon::Mic, Tone::Good, t.m_all_hear),
            RoomStage::Arranging if room.announcing => said(Icon::Mic, Tone::Good, t.m_all_hear),
            _ => said(Icon::Mic, Tone::Calm, t.m_some_hear),
        };
    }
    match (m.heard, m.muted) {
        (true, true) => said(Icon::MicOff, Tone::Care, t.muted),
        (true, false) => said(Icon::Speaker, Tone::Good, t.m_heard),
        (false, _) => said(Icon::MicOff, Tone::Calm, t.m_not_heard),
    }
}

#[cfg(test)]
mod tests;
