//! What an arranged call says to each of those who are in it.

use std::collections::HashSet;

use protocol::{
    BringingView, CallState, CallView, Direction, End, Expected, MemberView, Precedence, Role,
    RoomStage, RoomView, Trust,
};

use super::{
    STAGES, can_be_brought, forged, is_arranged, reached, stage, state, voice, who_can_hear,
    with_whom,
};
use crate::text::Lang;

fn member(leaf: u32, name: &str, role: Role) -> MemberView {
    MemberView {
        leaf,
        name: name.into(),
        office: "Ministry".into(),
        role,
        behalf: None,
        own: leaf == 0,
        gone: false,
        heard: leaf > 0,
        muted: false,
        on_record: false,
        voice: Trust::Vouched,
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
        urgency: Precedence::Routine,
    }
}

fn call(state: CallState, room: RoomView) -> CallView {
    CallView {
        id: 1,
        contact: 1,
        direction: Direction::Incoming,
        state,
        came_ms: 0.0,
        parked: None,
        moving: None,
        arriving: false,
        moved: false,
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
        behalf: None,
        relay: None,
        barred: None,
        night: None,
        precedence: Precedence::Routine,
        rings_over: false,
        preempted_by_me: false,
        preempted_by_other: false,
        goes_back: false,
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
    let said = |stage, role, third: bool| {
        let mut room = room(stage, role);
        room.members.extend(third.then(|| member(2, "Paula", Role::Principal)));
        let (said, means) = state(&call(CallState::Ended(End::ByMe), room), t);
        (said.words, means)
    };
    let left = |means: &str| (t.st_left, means.to_owned());
    assert_eq!(said(RoomStage::Handing, Role::Attendant, true), left(t.x_left));
    // Nobody was connected: that it goes on would not be true.
    assert_eq!(said(RoomStage::Arranging, Role::Attendant, true), left(t.x_left_early));
    // With nobody else in it the call is over.
    assert_eq!(said(RoomStage::Arranging, Role::Attendant, false).0, t.e_by_me);
    assert_eq!(said(RoomStage::Handing, Role::Principal, true).0, t.e_by_me);
}

#[test]
fn a_forged_voice_is_named_and_never_shown_as_heard() {
    let t = Lang::English.text();
    let room = room(RoomStage::Connected, Role::Principal);
    let with = |leaf, name, voice| MemberView { voice, ..member(leaf, name, Role::Principal) };
    let said = |m: &MemberView| self::voice(m, &room, false, t).words;
    let other = with(1, "Boris", Trust::Forged);
    assert!(forged(&other, t).is_some_and(|words| words.contains("Boris")));
    assert_eq!(said(&other), t.v_dropped);
    let nameless = with(2, "", Trust::Forged);
    assert!(forged(&nameless, t).is_some_and(|words| words.contains(t.m_unknown)));
    let own = with(0, "Me", Trust::Forged);
    assert_eq!(forged(&own, t).as_deref(), Some(t.v_forged_own));
    assert_eq!(said(&own), t.v_dropped);
    let late = with(1, "Boris", Trust::Late);
    assert_eq!((forged(&late, t), said(&late)), (None, t.v_late));
    assert_eq!(forged(&with(1, "Boris", Trust::Vouched), t), None);
}

#[test]
fn nobody_is_offered_who_is_in_the_call_or_rung_for_it() {
    let mut call = call(CallState::Connected, room(RoomStage::Arranging, Role::Attendant));
    let rung = |contact, over| BringingView {
        contact,
        role: Role::Principal,
        rings: true,
        night: false,
        over,
    };
    if let Some(room) = &mut call.room {
        room.bringing = vec![rung(2, None), rung(3, Some(End::NoAnswer))];
    }
    assert!(!can_be_brought(&call, call.contact));
    assert!(!can_be_brought(&call, 2));
    assert!(can_be_brought(&call, 3) && can_be_brought(&call, 4));
    call.room = None;
    assert!(can_be_brought(&call, 2));
}

#[test]
fn a_duty_officer_stands_in_for_a_principal() {
    let mut room = room(RoomStage::Connected, Role::Principal);
    room.members = vec![
        member(0, "Me", Role::Principal),
        member(1, "Ines", Role::Interpreter),
        member(2, "Dora", Role::DutyOfficer),
    ];
    assert_eq!(with_whom(&room), Some(("Dora".into(), "Ministry".into())));
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

#[test]
fn who_is_held_reads_of_the_other_side_when_nobody_said_who_is_expected() {
    for lang in Lang::ALL {
        let t = lang.text();
        let mut held = room(RoomStage::Held, Role::Principal);
        held.expected = Expected { name: String::new(), office: String::new() };
        let (_, means) = state(&call(CallState::HeldByOther, held), t);
        assert!(means.contains(t.x_other_side), "{means}");
    }
}

#[test]
fn what_a_more_urgent_call_does_is_said_in_words_and_signs() {
    let plain =
        |state| CallView { room: None, ..call(state, room(RoomStage::Connected, Role::Principal)) };
    for lang in Lang::ALL {
        let t = lang.text();
        let said = |c: &CallView| state(c, t).1;
        let signs: HashSet<_> =
            Precedence::ALL.iter().map(|of| crate::words::precedence(*of, t)).collect();
        assert_eq!(signs.len(), Precedence::ALL.len(), "{lang:?}: each its own, and routine none");
        let mut held = plain(CallState::HeldByOther);
        let before = said(&held);
        held.preempted_by_other = true;
        assert_ne!(said(&held), before);
        let mut aside = plain(CallState::HeldByMe);
        aside.preempted_by_me = true;
        let set_aside = said(&aside);
        aside.goes_back = true;
        assert_ne!(said(&aside), set_aside);
        let mut vain = plain(CallState::Ended(End::NoAnswer));
        assert_eq!(said(&vain), "");
        vain.precedence = Precedence::Flash;
        assert!(!said(&vain).is_empty());
    }
}

#[test]
fn the_most_urgent_call_stands_first_and_of_equals_the_one_that_came_first() {
    let of = |id, precedence, came_ms| {
        let of = call(CallState::RingingHere, room(RoomStage::Connected, Role::Principal));
        CallView { id, precedence, came_ms, ..of }
    };
    let calls = [
        of(1, Precedence::Routine, 1.0),
        of(2, Precedence::Flash, 3.0),
        of(3, Precedence::Flash, 2.0),
        of(4, Precedence::Priority, 0.0),
    ];
    let order: Vec<_> = crate::app::waiting(&calls).iter().map(|c| c.id).collect();
    assert_eq!(order, [3, 2, 4, 1]);
}
