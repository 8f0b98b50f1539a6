#![allow(clippy::unwrap_used)]
use std::time::Duration;

use call::contact::{Keys, Progress};
use call::{CallState, Direction, End};
use phone::{CallView, Command, ContactView, Doubt, LineState, RecordView, View};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent};

use wire::talk::Role;

use super::keys::State;
use super::{Action, draw, room};

fn state() -> State {
    State::new(ChaCha20Rng::from_seed([1; 32]))
}

/// A handset with one contact and no call.
pub(in crate::phone) fn view() -> View {
    let silence = voice::Meter::new().level();
    View {
        first_handset: true,
        name: "Anna".into(),
        office: "Ministry".into(),
        line: LineState::Up,
        clock_off: 0,
        store_fails: false,
        position: None,
        camps: Vec::new(),
        handsets: Vec::new(),
        offers: Vec::new(),
        elsewhere: Vec::new(),
        shift_given: None,
        shift_taken: None,
        agenda: Vec::new(),
        muted: false,
        away: false,
        night: phone::NightView { on: None, rules: phone::NightRules::default() },
        mic: silence,
        contacts: vec![ContactView {
            id: 7,
            name: "Boris".into(),
            office: "Embassy".into(),
            progress: Progress::Accepted,
            keys: Keys::Verified,
            used: false,
            trusted: true,
            blocked: false,
            rules: phone::ContactRules::default(),
            their_rules: wire::Rules::default(),
            may_claim: wire::Precedence::Routine,
            barred: None,
            own_office: false,
            lamp_shown: false,
            lamp: None,
            may: seal::delegation::Rights(0),
            may_call_for: None,
            may_manage: None,
            own_device: false,
            ready: true,
            suite: String::new(),
            words: None,
        }],
        calls: Vec::new(),
        cards: Vec::new(),
        history: Vec::new(),
        missed: 0,
        notes: Vec::new(),
        delegations: Vec::new(),
        managed: Vec::new(),
        requests: Vec::new(),
        lists: Vec::new(),
        office_lines: Vec::new(),
        record: RecordView {
            calls: record::Calls::None,
            officer: None,
            asked: None,
            mark: "0123 4567".into(),
            entries: 0,
            waiting: 0,
            proved: None,
            doubt: None,
        },
        mail_waiting: 0,
        dropped: 0,
        voice_refused: 0,
        link: None,
        voice: voice::Stats::default(),
    }
}

fn with_call(state: CallState) -> View {
    View { calls: vec![call(state)], ..view() }
}

/// A call with that contact.
pub(in crate::phone) fn call(state: CallState) -> CallView {
    CallView {
        id: 3,
        contact: 7,
        direction: Direction::Placed,
        state,
        sound: (state == CallState::RingingHere).then_some(call::Sound::Rings),
        timer: Duration::from_secs(65),
        came: wire::Wall(0),
        parked: None,
        moving: None,
        arriving: false,
        moved: false,
        level: voice::Meter::new().level(),
        quality: None,
        muted_by_other: true,
        texts: vec![(true, "the annex".into(), true)],
        on_record: false,
        on_record_there: false,
        minutes: Vec::new(),
        room: None,
        barred: None,
        asked: None,
        behalf: None,
        relay: None,
        night: None,
        precedence: wire::Precedence::Routine,
        rings_over: false,
        preempted: phone::Preempted::default(),
        goes_back: false,
    }
}

fn drawn(view: &View, state: &State) -> String {
    let mut terminal = Terminal::new(TestBackend::new(110, 30)).unwrap();
    terminal.draw(|frame| draw::screen(frame, view, state)).unwrap();
    let buffer = terminal.backend().buffer();
    let width = buffer.area.width as usize;
    let cells: Vec<&str> = buffer.content.iter().map(|cell| cell.symbol()).collect();
    cells.chunks(width).map(|row| row.concat() + "\n").collect()
}

fn press(state: &mut State, code: KeyCode, view: &View) -> Option<Action> {
    state.key(KeyEvent::from(code), view)
}

#[test]
fn every_state_of_a_call_has_its_words() {
    for (is, words) in [
        (CallState::Calling, "Calling"),
        (CallState::Ringing, "Ringing"),
        (CallState::Connected, "Connected"),
        (CallState::HeldByMe, "On hold"),
        (CallState::HeldByOther, "Held by the other side"),
        (CallState::Reconnecting, "Reconnecting"),
        (CallState::Ended(End::Busy), "Busy"),
        (CallState::Ended(End::Unreachable), "Cannot be reached"),
        (CallState::Ended(End::Moved), "Goes on at another handset of yours"),
        (CallState::Ended(End::ByRule(why().barred)), "Not by the rules"),
    ] {
        let screen = drawn(&with_call(is), &state());
        assert!(screen.contains(words), "{is:?}:\n{screen}");
    }
}

fn why() -> phone::BarredView {
    let barred = call::Barred { rule: wire::Rule::ThroughStaff, of: call::Side::Theirs };
    phone::BarredView { barred, lifted_by: vec!["Ada".into(), "Boris".into()] }
}

#[test]
fn a_contact_shows_rules_and_who_can_lift_the_one_that_keeps_a_call_from_coming_about() {
    let mut view = view();
    let contact = &mut view.contacts[0];
    contact.rules.hours = call::hours::read("Mon-Fri 09:00-18:00 +01:00").ok();
    contact.their_rules.staff = wire::Text::new("Ada").ok();
    contact.barred = Some(why());
    let screen = drawn(&view, &state());
    for shown in [
        "Your rule Mon-Fri 09:00-18:00 +01:00",
        "Theirs    through Ada",
        "No call   through staff only, by their rule; ask Ada or Boris",
    ] {
        assert!(screen.contains(shown), "{shown}:\n{screen}");
    }
}

#[test]
fn a_call_that_the_office_s_rule_stopped_says_so_and_whom_to_ask() {
    let barred = call::Barred { rule: wire::Rule::ThroughStaff, of: call::Side::Office };
    let why = phone::BarredView { barred, lifted_by: vec!["Ada, room 12".into()] };
    let mut view = with_call(CallState::Ended(End::ByRule(barred)));
    view.calls[0].barred = Some(why);
    let screen = drawn(&view, &state());
    let said = "through staff only, by your office's rule for calls with other";
    assert!(screen.contains("Not by the rules") && screen.contains(said), "{screen}");
}

#[test]
fn on_behalf_is_said_as_what_it_is() {
    use phone::{BehalfView, Unproved};
    let screen = |state_of, behalf| {
        let mut view = with_call(state_of);
        view.calls[0].behalf = Some(behalf);
        drawn(&view, &state())
    };
    let name = || "Zoe".to_owned();
    for state_of in [CallState::RingingHere, CallState::Connected] {
        let verified = screen(state_of, BehalfView::Verified { contact: 9, name: name() });
        assert!(verified.contains("on behalf of Zoe, verified"), "{verified}");
        for why in [
            Unproved::Stranger,
            Unproved::NotVerified,
            Unproved::Expired,
            Unproved::OtherAttendant,
            Unproved::NotForCalls,
            Unproved::Forged,
        ] {
            let claimed = screen(state_of, BehalfView::Claimed { name: name(), why });
            assert!(claimed.contains("says that it calls for \u{201c}Zoe\u{201d}: NOT VERIFIED"));
            assert!(!claimed.contains("on behalf of"), "{claimed}");
        }
    }
}

#[test]
fn a_lamp_is_shown_in_words_and_so_is_being_away() {
    let mut view = view();
    view.contacts[0].lamp = Some(call::lamp::Shown::OnCall);
    view.contacts[0].lamp_shown = true;
    view.away = true;
    let screen = drawn(&view, &state());
    for shown in
        ["Embassy · on a call", "Lamp      on a call", "Sees      your lamp", "away: calls come in"]
    {
        assert!(screen.contains(shown), "{shown}:\n{screen}");
    }
}

#[test]
fn a_call_shows_who_how_long_and_who_can_hear() {
    let screen = drawn(&with_call(CallState::Connected), &state());
    for shown in [
        "Boris",
        "Embassy",
        "01:05",
        "Only you and Boris can hear",
        "Boris (muted)",
        "you: the annex ✓",
    ] {
        assert!(screen.contains(shown), "{shown}:\n{screen}");
    }
}

fn member(name: &str, role: Role, own: bool) -> phone::MemberView {
    phone::MemberView {
        leaf: 0,
        name: name.into(),
        office: "Ministry".into(),
        role,
        behalf: None,
        own,
        gone: false,
        heard: false,
        muted: false,
        on_record: false,
        voice: phone::Trust::Vouched,
        level: None,
    }
}

fn in_room(state: CallState, members: Vec<phone::MemberView>) -> (View, phone::RoomView) {
    let role = members.iter().find(|m| m.own).map_or(Role::Principal, |m| m.role);
    let room = phone::RoomView {
        stage: phone::RoomStage::Held,
        role,
        expected: ("the Chancellor".into(), "Embassy".into()),
        members,
        bringing: Vec::new(),
        can_connect: false,
        missing: None,
        announcing: false,
        epoch: 3,
        urgency: wire::Precedence::Routine,
    };
    (with_call(state), room)
}

fn drawn_room(mut view: View, room: phone::RoomView) -> String {
    view.calls[0].room = Some(room);
    drawn(&view, &state())
}

#[test]
fn everybody_in_a_call_of_more_is_on_the_screen_with_their_roles() {
    let members = vec![
        member("Ada", Role::Attendant, false),
        member("Anna", Role::Principal, true),
        member("Nora", Role::NoteTaker, false),
        member("", Role::NoteTaker, false),
    ];
    let (view, mut room) = in_room(CallState::HeldByOther, members);
    room.members[0].gone = true;
    room.members[1].on_record = true;
    room.members[1].voice = phone::Trust::Forged;
    room.members[0].voice = phone::Trust::Forged;
    room.members[2].voice = phone::Trust::Late;
    room.members[3].voice = phone::Trust::Forged;
    let screen = drawn_room(view, room);
    for shown in [
        "4 in the call",
        "Please hold: the Chancellor (Embassy) is expected. Nobody hears",
        "Ada  attendant, Ministry, gone: being removed",
        "Anna  principal, Ministry, you, on its office's record",
        "Nora  note-taker, Ministry, only listens",
        "Unknown  note-taker",
        "A forged voice in your name was dropped",
        "A forged voice in the name of Ada was dropped",
        "A forged voice in the name of somebody unknown was dropped",
        "The voice of Nora is not vouched for at the moment: not played",
    ] {
        assert!(screen.contains(shown), "{shown}:\n{screen}");
    }
}

#[test]
fn whoever_is_in_a_call_of_more_sees_the_own_state_too() {
    let members =
        || vec![member("Anna", Role::Principal, true), member("Pavel", Role::Principal, false)];
    let of = |state, stage| {
        let (view, room) = in_room(state, members());
        (view, phone::RoomView { stage, ..room })
    };
    let (view, room) = of(CallState::HeldByMe, phone::RoomStage::Connected);
    assert!(drawn_room(view, room).contains("On hold: you hear nobody, and nobody hears you"));
    let (view, room) = of(CallState::Reconnecting, phone::RoomStage::Connected);
    assert!(drawn_room(view, room).contains("Reconnecting"));
    let (mut view, room) = of(CallState::Connected, phone::RoomStage::Connected);
    view.muted = true;
    view.calls[0].on_record = true;
    view.calls[0].minutes = vec![(wire::Wall(0), "agreed".into())];
    let screen = drawn_room(view, room);
    for shown in
        ["Anna  principal, Ministry, you, muted", "ON THE RECORD of your", "for the record: agreed"]
    {
        assert!(screen.contains(shown), "{shown}:\n{screen}");
    }
}

#[test]
fn nothing_is_left_open_in_words_when_nobody_said_who_is_expected() {
    for (name, office, words) in [
        ("", "Embassy", "Please hold: Embassy is expected."),
        ("the Chancellor", "", "Please hold: the Chancellor is expected."),
        ("", "", "Please hold: the other side is expected."),
    ] {
        let (view, mut room) =
            in_room(CallState::HeldByOther, vec![member("Anna", Role::Principal, true)]);
        room.expected = (name.into(), office.into());
        let screen = drawn_room(view, room);
        assert!(screen.contains(words), "{words}:\n{screen}");
        let mut view = with_call(CallState::RingingHere);
        view.calls[0].asked = Some((Role::Principal, office.into(), name.into()));
        let words = format!("in a call with {} as principal", room::expected(name, office));
        let screen = drawn(&view, &state());
        assert!(screen.contains(&words), "{words}:\n{screen}");
    }
}

#[test]
fn an_attendant_is_told_when_the_other_sides_principal_is_missing() {
    let warned = |second| {
        let members = vec![
            member("Ada", Role::Attendant, true),
            member("Paula", Role::Principal, false),
            member("Dora", second, false),
        ];
        let (view, room) = in_room(CallState::Connected, members);
        let stage = phone::RoomStage::Arranging;
        let room = phone::RoomView { stage, can_connect: true, ..room };
        drawn_room(view, room).contains("Only one principal is in the call")
    };
    assert!(warned(Role::Interpreter));
    assert!(!warned(Role::Principal) && !warned(Role::DutyOfficer));
}

#[test]
fn who_is_asked_into_a_call_sees_with_whom_and_as_what() {
    let mut view = with_call(CallState::RingingHere);
    view.calls[0].asked = Some((Role::Interpreter, "Embassy".into(), "the Chancellor".into()));
    let screen = drawn(&view, &state());
    let words = "to be in a call with the Chancellor (Embassy) as interpreter";
    assert!(screen.contains(words), "{screen}");
}

#[test]
fn an_incoming_call_fills_the_screen_and_its_keys_answer_it() {
    let view = with_call(CallState::RingingHere);
    let mut state = state();
    let screen = drawn(&view, &state);
    assert!(screen.contains("Incoming call") && screen.contains("[a] Answer"), "{screen}");
    assert!(!screen.contains("Contacts"), "{screen}");
    assert!(matches!(
        press(&mut state, KeyCode::Char('d'), &view),
        Some(Action::Command(Command::Decline { call: 3 }))
    ));
    assert!(matches!(
        press(&mut state, KeyCode::Char('a'), &view),
        Some(Action::Command(Command::Answer { call: 3 }))
    ));
}

#[test]
fn enter_calls_the_selected_contact_and_q_does_not_quit_a_call() {
    let mut state = state();
    assert!(matches!(
        press(&mut state, KeyCode::Enter, &view()),
        Some(Action::Command(Command::Call { contact: 7 }))
    ));
    let talking = with_call(CallState::Connected);
    assert!(press(&mut state, KeyCode::Char('q'), &talking).is_none());
    assert!(matches!(
        press(&mut state, KeyCode::Char('e'), &talking),
        Some(Action::Command(Command::HangUp { call: 3 }))
    ));
    assert!(matches!(press(&mut state, KeyCode::Char('q'), &view()), Some(Action::Quit)));
}

#[test]
fn what_is_typed_becomes_a_command_or_an_error_in_words() {
    let mut state = state();
    let type_in = |state: &mut State, text: &str| {
        text.chars().for_each(|c| assert!(press(state, KeyCode::Char(c), &view()).is_none()));
        press(state, KeyCode::Enter, &view())
    };
    press(&mut state, KeyCode::Char('c'), &view());
    assert!(matches!(
        type_in(&mut state, "Dmitri"),
        Some(Action::Command(Command::IssueCard { hint, .. })) if hint == "Dmitri"
    ));
    press(&mut state, KeyCode::Char(':'), &view());
    assert!(type_in(&mut state, "dance").is_none());
    assert!(drawn(&view(), &state).contains("there is no command `dance`"));
}

#[test]
fn a_call_says_on_whose_record_it_is_and_takes_notes_for_it() {
    let mut view = with_call(CallState::Connected);
    assert!(!drawn(&view, &state()).contains("RECORD"), "only if it is so");
    view.calls[0].on_record = true;
    assert!(drawn(&view, &state()).contains("ON THE RECORD of your office"));
    view.calls[0].on_record_there = true;
    assert!(drawn(&view, &state()).contains("ON THE RECORD of both offices"));
    view.calls[0].minutes = vec![(wire::Wall(0), "agreed".into())];
    assert!(drawn(&view, &state()).contains("for the record: agreed"));
    let mut state = state();
    press(&mut state, KeyCode::Char('M'), &view);
    assert!(drawn(&view, &state).contains("Note for the record"));
    "Tuesday".chars().for_each(|c| assert!(press(&mut state, KeyCode::Char(c), &view).is_none()));
    assert!(matches!(
        press(&mut state, KeyCode::Enter, &view),
        Some(Action::Command(Command::Minute { call: 3, text })) if text == "Tuesday"
    ));
}

#[test]
fn the_record_shows_whom_it_is_sealed_to_and_what_is_wrong() {
    let mut view = view();
    let mut state = state();
    state.show(crate::phone::console::Show::Record);
    assert!(drawn(&view, &state).contains("No calls go on the record"));
    view.record.officer = Some("aaaa bbbb".into());
    view.record.asked = Some("cccc dddd".into());
    view.record.doubt = Some(Doubt::OtherOfficer);
    let screen = drawn(&view, &state);
    for shown in ["aaaa bbbb", "cccc dddd", ":record accept", "another records officer"] {
        assert!(screen.contains(shown), "{shown}:\n{screen}");
    }
}

#[test]
fn calls_that_come_and_go_between_handsets_are_named_with_what_to_type() {
    let mut with = view();
    with.offers = vec![phone::OfferView {
        id: 4,
        from: 7,
        contact: 7,
        held: true,
        reason: Some("lunch".into()),
    }];
    with.elsewhere = vec![phone::ElsewhereView { id: 5, on: 7, contact: 7 }];
    let screen = drawn(&with, &state());
    for shown in [":here 4", ":there 4", "parked: lunch", ":back 5"] {
        assert!(screen.contains(shown), "{shown}:\n{screen}");
    }
    let mut calls = with_call(CallState::Connected);
    for (moving, arriving, moved, shown) in [
        (Some(false), false, false, "`:stay` takes that back"),
        (Some(true), false, false, "nobody hears you here now"),
        (None, true, false, "Comes from another handset"),
        (None, false, true, "Now on another handset"),
    ] {
        let call = &mut calls.calls[0];
        call.moving = moving.map(|closed| phone::MovingView { to: 7, closed });
        (call.arriving, call.moved) = (arriving, moved);
        assert!(drawn(&calls, &state()).contains(shown), "{shown}");
    }
}

#[test]
fn a_small_terminal_does_not_break_it() {
    let mut terminal = Terminal::new(TestBackend::new(12, 5)).unwrap();
    let view = with_call(CallState::Connected);
    terminal.draw(|frame| draw::screen(frame, &view, &state())).unwrap();
}

#[test]
fn a_more_urgent_call_stands_out_in_words_and_leads_back_by_one_key() {
    use wire::Precedence::{Flash, Priority};
    let mut incoming = with_call(CallState::RingingHere);
    (incoming.calls[0].precedence, incoming.calls[0].rings_over) = (Flash, true);
    let screen = drawn(&incoming, &state());
    assert!(screen.contains("!!! FLASH   Incoming call"), "{screen}");
    assert!(screen.contains("more urgent than the call under way"), "{screen}");

    let mut held = with_call(CallState::HeldByOther);
    assert!(!drawn(&held, &state()).contains("more urgent"));
    held.calls[0].preempted.by_other = true;
    let screen = drawn(&held, &state());
    assert!(screen.contains("A more urgent call came to Boris"), "{screen}");

    // Two calls are held, and the one that was set aside is the one that h goes back to.
    let mut aside = with_call(CallState::HeldByMe);
    aside.calls[0].preempted.by_me = true;
    aside.calls.push(CallView { id: 4, ..call(CallState::HeldByMe) });
    aside.calls[0].goes_back = true;
    let screen = drawn(&aside, &state());
    assert!(screen.contains("The more urgent call is over: h goes back to Boris"), "{screen}");
    let back = press(&mut state(), KeyCode::Char('h'), &aside);
    assert!(matches!(back, Some(Action::Command(Command::Hold { call: 3, on: false }))));

    let mut vain = with_call(CallState::Ended(End::NoAnswer));
    vain.calls[0].precedence = Priority;
    let screen = drawn(&vain, &state());
    assert!(screen.contains("Nobody answered, though it rang as priority"), "{screen}");
}

#[test]
fn night_service_is_shown_plainly_here_and_to_callers() {
    let mut view = with_call(CallState::RingingHere);
    view.calls[0].sound = Some(call::Sound::Silent);
    view.night.on = Some(call::night::On { since: crate::phone::night::MOMENT, until: None });
    view.night.rules.instead = "Clara".into();
    let mut wide = Terminal::new(TestBackend::new(140, 30)).unwrap();
    wide.draw(|frame| draw::screen(frame, &view, &state())).unwrap();
    let top: String =
        (0..140).map(|x| wide.backend().buffer()[(x, 0)].symbol().to_owned()).collect();
    assert!(top.contains("NIGHT SERVICE since Mon 2023-11-13 14:00 +00:00"), "{top}");
    assert!(top.contains("until you turn it off; instead: Clara"), "{top}");
    assert!(drawn(&view, &state()).contains("Incoming call (silenced)"));

    let mut placed = with_call(CallState::Reached);
    let instead = "Clara".to_owned();
    placed.calls[0].night = Some(phone::NightThere { until: None, instead });
    let screen = drawn(&placed, &state());
    assert!(screen.contains("Night service there; instead: Clara"), "{screen}");
}
