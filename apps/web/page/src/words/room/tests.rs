//! What an arranged call says to each of those who are in it.

use std::collections::HashSet;

use protocol::{
    CallState, CallView, Direction, End, Expected, MemberView, Role, RoomStage, RoomView,
};

use super::{STAGES, is_arranged, reached, stage, state, voice, who_can_hear, with_whom};
use crate::text::Lang;

fn member(leaf: u32, name: &str, role: Role) -> MemberView {
    MemberView {
        leaf,
        name: name.into(),
        office: "Ministry".into(),
        role,
        own: leaf == 0,
        gone: false,
        heard: leaf > 0,
        muted: false,
        on_record: false,
    }
}

fn room(stage: RoomStage, role: Role) -> RoomView {
    RoomView {
        stage,
        role,
        expected: Expected { name: "President Marchand".into(), office: "Présidence".into() },
        members: vec![member(0, "Me", role), member(1, "Boris", Role::Attendant)],
        bringing: Vec::new(),
        can_connect: false,
        announcing: false,
        epoch: 3,
    }
}

fn call(state: CallState, room: RoomView) -> CallView {
    CallView {
        id: 1,
        contact: 1,
        direction: Direction::Incoming,
        state,
        rings: false,
        timer_ms: 0,
        level: -90.0,
        quality: None,
        muted_by_other: false,
        texts: Vec::new(),
        on_record: false,
        on_record_there: false,
        minutes: Vec::new(),
        room: Some(room),
        asked: None,
    }
}

#[test]
fn stages_differ_in_words_and_icon() {
    for lang in Lang::ALL {
        let words: HashSet<_> = STAGES.iter().map(|s| stage(*s, lang.text()).words).collect();
        assert_eq!(words.len(), STAGES.len(), "{lang:?}");
    }
    let t = Lang::English.text();
    let icons: Vec<_> = STAGES.iter().map(|s| format!("{:?}", stage(*s, t).icon)).collect();
    assert_eq!(icons.iter().collect::<HashSet<_>>().len(), STAGES.len());
}

#[test]
fn who_is_held_reads_who_is_expected_and_that_the_microphone_is_closed() {
    let t = Lang::English.text();
    let held = room(RoomStage::Held, Role::Principal);
    assert_eq!(voice(&held.members[0], &held, false, t).words, t.m_closed);
    assert_eq!(with_whom(&held), Some(("President Marchand".into(), "Présidence".into())));
    let (said, more) = state(&call(CallState::HeldByOther, held), t);
    assert_eq!(said.words, t.g_held);
    assert!(more.contains("President Marchand, Présidence") && more.contains("microphone"));
}

#[test]
fn nobody_is_left_out_of_who_can_hear() {
    let t = Lang::English.text();
    let mut room = room(RoomStage::Connected, Role::Principal);
    room.members.push(member(2, "", Role::NoteTaker));
    room.members.push(MemberView { gone: true, ..member(3, "Ines", Role::Interpreter) });
    let said = who_can_hear(&room, t);
    for name in [t.you, "Boris", t.m_unknown, "Ines"] {
        assert!(said.contains(name), "{name} is missing in: {said}");
    }
}

#[test]
fn an_attendant_who_left_reads_so_and_nobody_else_does() {
    let t = Lang::English.text();
    let ended = CallState::Ended(End::ByMe);
    let said = |role| state(&call(ended, room(RoomStage::Handing, role)), t).0.words;
    assert_eq!(said(Role::Attendant), t.st_left);
    assert_eq!(said(Role::Principal), t.e_by_me);
}

#[test]
fn a_lost_connection_is_said_before_the_stage() {
    let t = Lang::English.text();
    let lost = call(CallState::Reconnecting, room(RoomStage::Held, Role::Principal));
    assert_eq!(state(&lost, t).0.words, t.st_reconnecting);
}

#[test]
fn others_are_held_from_the_moment_that_they_are_in() {
    let mut room = room(RoomStage::Arranging, Role::Attendant);
    assert_eq!(reached(&room), RoomStage::Arranging);
    room.members.push(member(2, "Paula", Role::Principal));
    assert_eq!(reached(&room), RoomStage::Held);
    let t = Lang::English.text();
    assert_eq!(state(&call(CallState::Connected, room), t).0.words, t.g_holding);
}

#[test]
fn a_call_without_attendants_has_no_stages() {
    let mut room = room(RoomStage::Connected, Role::Principal);
    room.members[1].role = Role::Principal;
    assert!(!is_arranged(&room, false));
    assert!(is_arranged(&room, true));
    assert_eq!(with_whom(&room), Some(("Boris".into(), "Ministry".into())));
}

#[test]
fn who_only_listens_is_never_shown_as_heard() {
    let t = Lang::English.text();
    let room = room(RoomStage::Connected, Role::Principal);
    let listens = MemberView { heard: true, ..member(2, "Nora", Role::NoteTaker) };
    assert_eq!(voice(&listens, &room, false, t).words, t.m_listens);
}
