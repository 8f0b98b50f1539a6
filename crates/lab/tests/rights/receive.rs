//! A call rings at the attendant's, too, who may answer it.

use call::{CallState, Direction, End, Sound};
use phone::{BehalfView, Command, ContactRules, RelayView};
use seal::delegation::Rights;
use wire::talk::Role;

use crate::people::*;
use crate::support::{answer, hang_up, hears, lines_up, secs, state};

#[test]
fn the_attendant_answers_for_her_and_nobody_hears_through_her_handset() {
    let mut world = with(1, Rights::RECEIVE);
    let from = world.now;
    for party in [X, P, A] {
        world.parties[party].plays = true;
    }
    // Paula's handset would be heard; Ada says nothing yet.
    world.parties[A].tone = None;
    rings_there(&mut world);
    assert!(is(&mut world, P, CallState::RingingHere), "and at hers");
    assert_eq!(sound(&mut world, P), Some(Sound::Rings));
    let ada = number(&mut world, P, "Ada");
    let asked = RelayView::Asked { contacts: vec![ada], screens: false };
    assert_eq!(relay(&mut world, P), Some(asked));
    let shown = latest(&mut world, A).unwrap();
    assert_eq!(shown.behalf, Some(BehalfView::Mine { name: "Paula".into() }));
    assert_eq!(shown.asked, Some((Role::DutyOfficer, "Office 1".into(), "Boris".into())));
    world.run(secs(2));
    for party in [X, P] {
        world.parties[party].heard = Some(Vec::new());
    }
    answers(&mut world, A);
    let said = world.now;
    let waits = unheard_until(&mut world, secs(5), |w| relay(w, X) == Some(RelayView::Comes));
    assert!(waits, "he reads that her attendant comes");
    assert_eq!(state(&mut world, X), Some(CallState::Connecting), "and is not heard");
    let so = unheard_until(&mut world, secs(8), ada_has_it);
    assert!(so, "X {:?}, A {:?}", members(&mut world, X), members(&mut world, A));
    let took = world.now.since(said);
    assert!(took < secs(5), "{took:?}");
    for party in [X, P] {
        let heard = world.parties[party].heard.take().unwrap();
        let loudest = heard.iter().fold(0f32, |most, x| most.max(x.abs()));
        assert!(loudest < 0.01, "{party} heard something before: {loudest}");
    }
    let both = [("Ada".to_owned(), Some("Paula".to_owned())), ("Boris".to_owned(), None)];
    for party in [X, A] {
        assert_eq!(members(&mut world, party), both, "on the screen of {party}");
    }
    assert_eq!(relay(&mut world, X), None);
    assert_eq!(relay(&mut world, P), Some(RelayView::Passed { contact: ada }));
    assert!(is(&mut world, P, CallState::Ended(End::ByMe)));
    assert_eq!(rang(&world, A, from), 1, "she answered once, and is not asked again");
    world.parties[A].tone = Some(220.0);
    world.run(secs(1));
    for party in [X, A] {
        assert!(hears(&mut world, party, secs(1)) > -40.0, "{party} hears the other");
    }
    assert!(hears(&mut world, P, secs(1)) < -100.0);
    assert_eq!(history(&mut world, P), Some((End::ByMe, false)), "it was no missed call");
    hang_up(&mut world, X);
    let so = world.run_until(secs(20), |w| over(w, A));
    assert!(so, "it ends like any call");
}

#[test]
fn a_handset_that_does_not_leave_is_removed_and_can_open_nothing() {
    let mut world = with(2, Rights::RECEIVE);
    world.parties[P].plays = true;
    world.parties[P].phone.as_mut().unwrap().refuse_to_leave();
    rings_there(&mut world);
    answers(&mut world, A);
    let so = unheard_until(&mut world, secs(8), ada_has_it);
    assert!(so, "they speak without it");
    assert!(hears(&mut world, P, secs(2)) < -100.0);
}

#[test]
fn she_answers_first_and_the_attendants_handset_stops() {
    let mut world = with(3, Rights::RECEIVE);
    rings_there(&mut world);
    answer(&mut world, P);
    let so = world.run_until(secs(5), |w| {
        [X, P].iter().all(|p| is(w, *p, CallState::Connected)) && over(w, A)
    });
    assert!(so);
    assert!(is(&mut world, A, CallState::Ended(End::Elsewhere)));
    assert_eq!(history(&mut world, A), Some((End::Elsewhere, false)), "no missed call of hers");
    assert_eq!(relay(&mut world, P), None);
}

#[test]
fn of_two_who_answer_at_once_one_has_it() {
    // Hers is there first; Ada's handset hears of it when it has answered.
    let mut world = with(4, Rights::RECEIVE);
    rings_there(&mut world);
    answers(&mut world, A);
    answers(&mut world, P);
    let so = world.run_until(secs(8), |w| is(w, P, CallState::Connected) && over(w, A));
    assert!(so, "P {:?}, A {:?}", state(&mut world, P), state(&mut world, A));
    assert!(is(&mut world, X, CallState::Connected));
    assert!(latest(&mut world, X).unwrap().room.is_none(), "nobody else was let in");
    // Ada's word has just arrived.
    let mut world = with(5, Rights::RECEIVE);
    rings_there(&mut world);
    answers(&mut world, A);
    let passing = |r: Option<RelayView>| matches!(r, Some(RelayView::Passing { .. }));
    assert!(world.run_until(secs(2), |w| passing(relay(w, P))));
    let call = crate::support::call(&mut world, P);
    assert!(world.command(P, Command::Answer { call }).is_err(), "it does not ring here any more");
    assert!(world.command(P, Command::Hold { call, on: false }).is_err());
    assert!(unheard_until(&mut world, secs(8), ada_has_it));
}

#[test]
fn without_the_right_nobody_is_asked() {
    let mut world = people(6);
    lets(&mut world, A, Rights::PLACE.and(Rights::JOIN), secs(86_400));
    lets(&mut world, C, Rights::RECEIVE, secs(60));
    world.run(secs(61));
    let from = world.now;
    rings(&mut world);
    world.run(secs(5));
    for party in [A, C] {
        assert_eq!(rang(&world, party, from), 0, "{party}");
    }
    assert_eq!(relay(&mut world, P), None);
    assert_eq!(sound(&mut world, P), Some(Sound::Rings));
}

#[test]
fn what_is_taken_back_counts_at_once() {
    let mut world = with(7, Rights::RECEIVE);
    // While it rings there.
    rings_there(&mut world);
    takes_back(&mut world);
    let so = world.run_until(secs(1), |w| over(w, A));
    assert!(so, "her handset stops");
    assert!(is(&mut world, A, CallState::Ended(End::Cancelled)));
    assert!(is(&mut world, P, CallState::RingingHere), "and Paula's rings on");
    hang_up(&mut world, X);
    world.run(secs(15));
    // Before.
    let from = world.now;
    rings(&mut world);
    world.run(secs(3));
    assert_eq!(rang(&world, A, from), 0);
    hang_up(&mut world, X);
    world.run(secs(15));
    // As she answers: her word is on its way.
    lets(&mut world, A, Rights::RECEIVE, secs(86_400));
    rings_there(&mut world);
    answers(&mut world, A);
    takes_back(&mut world);
    let so = world.run_until(secs(5), |w| over(w, A));
    assert!(so, "she is not let in");
    assert!(is(&mut world, P, CallState::RingingHere));
    assert!(is(&mut world, X, CallState::Ringing), "and he notices nothing");
    hang_up(&mut world, X);
    world.run(secs(15));
    // As she is let in.
    lets(&mut world, A, Rights::RECEIVE, secs(86_400));
    rings_there(&mut world);
    answers(&mut world, A);
    let waits = world.run_until(secs(5), |w| relay(w, X) == Some(RelayView::Comes));
    assert!(waits);
    takes_back(&mut world);
    let so = world.run_until(secs(5), |w| over(w, A) && is(w, P, CallState::RingingHere));
    assert!(so, "it rings at hers: {:?}", state(&mut world, P));
    answers(&mut world, P);
    let so = world.run_until(secs(5), |w| [X, P].iter().all(|p| is(w, *p, CallState::Connected)));
    assert!(so, "and he is hers: {:?}", state(&mut world, X));
    assert!(!ada_has_it(&mut world));
}

#[test]
fn what_runs_out_while_it_rings_is_of_no_use_when_she_answers() {
    let mut world = people(14);
    lets(&mut world, A, Rights::RECEIVE, secs(60));
    world.run(secs(55));
    rings_there(&mut world);
    world.run(secs(8));
    assert!(is(&mut world, A, CallState::RingingHere));
    answers(&mut world, A);
    let so = world.run_until(secs(5), |w| over(w, A));
    assert!(so, "she is not let in");
    assert!(is(&mut world, P, CallState::RingingHere));
    assert!(is(&mut world, X, CallState::Ringing), "and he notices nothing");
}

#[test]
fn rules_come_first_and_who_is_away_is_answered_for() {
    let mut world = with(8, Rights::RECEIVE);
    let boris = number(&mut world, P, "Boris");
    let from = world.now;
    let rules = ContactRules { interpreter: true, ..ContactRules::default() };
    world.command(P, Command::SetRules { contact: boris, rules }).unwrap();
    let contact = number(&mut world, X, "Paula");
    // Whichever handset refuses it.
    let _ = world.command(X, Command::Call { contact });
    world.run(secs(5));
    assert_eq!(rang(&world, A, from), 0, "a rule");
    hang_up_if(&mut world, X);
    let rules = ContactRules::default();
    world.command(P, Command::SetRules { contact: boris, rules }).unwrap();
    world.command(P, Command::SetBlocked { contact: boris, blocked: true }).unwrap();
    world.run(secs(15));
    let _ = world.command(X, Command::Call { contact });
    world.run(secs(5));
    assert_eq!(rang(&world, A, from), 0, "blocked");
    hang_up_if(&mut world, X);
    world.command(P, Command::SetBlocked { contact: boris, blocked: false }).unwrap();
    world.command(P, Command::SetAway { on: true }).unwrap();
    world.run(secs(15));
    rings_there(&mut world);
    assert_eq!(sound(&mut world, P), Some(Sound::Silent), "she does not want to be disturbed");
    assert_eq!(sound(&mut world, A), Some(Sound::Rings));
    answers(&mut world, A);
    assert!(unheard_until(&mut world, secs(8), ada_has_it));
    // An attendant whom a rule keeps from her is not asked, either.
    hang_up(&mut world, X);
    world.run(secs(15));
    let ada = number(&mut world, P, "Ada");
    let rules =
        ContactRules { staff: Some(number(&mut world, P, "Clara")), ..ContactRules::default() };
    world.command(P, Command::SetRules { contact: ada, rules }).unwrap();
    let from = world.now;
    rings(&mut world);
    world.run(secs(3));
    assert_eq!(rang(&world, A, from), 0, "through staff only");
}

fn hang_up_if(world: &mut lab::world::World, party: usize) {
    if !over(world, party) {
        hang_up(world, party);
    }
}

#[test]
fn the_attendant_brings_her_in_and_leaves() {
    let mut world = with(9, Rights::RECEIVE);
    rings_there(&mut world);
    answers(&mut world, A);
    assert!(unheard_until(&mut world, secs(8), ada_has_it));
    world.run(secs(12));
    let (call, contact) = (crate::support::call(&mut world, A), number(&mut world, A, "Paula"));
    let precedence = wire::Precedence::Routine;
    let (role, expected) = (Role::Principal, "Boris".to_owned());
    world.command(A, Command::Bring { call, contact, role, expected, precedence }).unwrap();
    let so = world.run_until(secs(8), |w| is(w, P, CallState::RingingHere));
    assert!(so, "it rings at Paula's: {:?}", state(&mut world, P));
    let asked = latest(&mut world, P).unwrap().asked;
    assert_eq!(
        asked,
        Some((Role::Principal, "Office 1".into(), "Boris".into())),
        "who, and of which office"
    );
    assert_eq!(relay(&mut world, P), None, "and at nobody else's");
    answers(&mut world, P);
    let three = |w: &mut lab::world::World| members(w, A).len() == 3 && members(w, X).len() == 3;
    assert!(world.run_until(secs(8), three), "{:?}", members(&mut world, A));
    world.run(secs(2));
    let call = crate::support::call(&mut world, A);
    world.command(A, Command::Connect { call }).unwrap();
    let so = world.run_until(secs(5), |w| {
        [X, P].iter().all(|p| speaks_with(w, *p, &["Boris", "Paula"])) && over(w, A)
    });
    assert!(so, "they speak without Ada");
    for party in [X, P] {
        world.parties[party].plays = true;
    }
    for party in [X, P] {
        assert!(hears(&mut world, party, secs(2)) > -40.0, "{party}");
    }
}

#[test]
fn an_attendant_of_another_office_and_two_who_are_asked() {
    let mut world = people_of(10, 1);
    lets(&mut world, A, Rights::RECEIVE, secs(86_400));
    lets(&mut world, C, Rights::RECEIVE, secs(86_400));
    rings_there(&mut world);
    assert!(world.run_until(secs(2), |w| is(w, C, CallState::RingingHere)), "both are asked");
    answers(&mut world, A);
    assert!(unheard_until(&mut world, secs(8), ada_has_it), "{:?}", members(&mut world, X));
    assert!(is(&mut world, C, CallState::Ended(End::Elsewhere)), "the other one's stops");
}

#[test]
fn a_call_that_waits_beside_hers_is_answered_and_hers_goes_on() {
    let mut world = with(15, Rights::RECEIVE);
    world.command(P, Command::SetPosition { recall: Some(secs(60)) }).unwrap();
    let contact = number(&mut world, P, "Clara");
    world.command(P, Command::Call { contact }).unwrap();
    assert!(world.run_until(secs(5), |w| is(w, C, CallState::RingingHere)));
    answers(&mut world, C);
    assert!(world.run_until(secs(5), |w| is(w, P, CallState::Connected)));
    let hers = crate::support::call(&mut world, P);
    let contact = number(&mut world, X, "Paula");
    world.command(X, Command::Call { contact }).unwrap();
    assert!(world.run_until(secs(5), |w| is(w, A, CallState::RingingHere)));
    answers(&mut world, A);
    let speaks = |w: &mut lab::world::World| {
        let now = w.now;
        let calls = w.parties[P].view(now).calls;
        let open = w.parties[P].phone.as_mut().unwrap().microphone();
        open == Some(hers) && calls.iter().any(|c| c.id == hers && c.state == CallState::Connected)
    };
    let so = world.run_until(secs(8), |w| {
        assert!(speaks(w), "Paula speaks with Clara all the time");
        ada_has_it(w)
    });
    assert!(so);
    assert!(speaks(&mut world) && is(&mut world, C, CallState::Connected));
}

#[test]
fn it_rings_out_at_all_of_them_and_is_missed_once() {
    let mut world = with(11, Rights::RECEIVE);
    rings_there(&mut world);
    hang_up(&mut world, X);
    let so = world.run_until(secs(5), |w| over(w, A) && over(w, P));
    assert!(so);
    assert_eq!(history(&mut world, P), Some((End::Missed, true)));
    assert_eq!(history(&mut world, A), Some((End::Cancelled, false)), "it was not a call of hers");
    // She declines: that is for all.
    world.run(secs(15));
    rings_there(&mut world);
    let call = crate::support::call(&mut world, P);
    world.command(P, Command::Decline { call }).unwrap();
    let so = world.run_until(secs(5), |w| over(w, A) && over(w, X));
    assert!(so);
    assert_eq!(history(&mut world, X), Some((End::Declined, false)));
}

#[test]
fn her_further_handset_asks_nobody() {
    let mut world = with(12, Rights::RECEIVE);
    let second = world.hire("Paula", 0);
    lines_up(&mut world);
    world.command(P, Command::AdmitDevice { ttl: secs(600) }).unwrap();
    world.run(secs(2));
    let now = world.now;
    let text = world.parties[P].view(now).cards.pop().unwrap().link.unwrap();
    world.command(second, Command::RedeemCard { text, in_person: true }).unwrap();
    world.run(secs(8));
    let now = world.now;
    let sibling = world.parties[P].view(now).contacts.into_iter().find(|c| c.own_device).unwrap();
    world.command(P, Command::Verify { contact: sibling.id, matches: true }).unwrap();
    let shared = world.run_until(secs(60), |w| {
        let now = w.now;
        w.parties[second].view(now).contacts.iter().filter(|c| c.ready).count() >= 3
    });
    assert!(shared, "contacts are on the second handset");
    world.run(secs(10));
    let from = world.now;
    rings_there(&mut world);
    assert!(is(&mut world, second, CallState::RingingHere));
    assert_eq!(relay(&mut world, second), None);
    assert_eq!(rang(&world, A, from), 1, "asked once");
    // It is answered there: nobody is asked any more.
    answers(&mut world, second);
    let so = world.run_until(secs(5), |w| is(w, second, CallState::Connected) && over(w, A));
    assert!(so);
    assert!(is(&mut world, A, CallState::Ended(End::Elsewhere)));
    hang_up(&mut world, X);
    world.run(secs(15));
    // While the first one is off, nobody is.
    world.kill_party(P);
    let from = world.now;
    let contact = number(&mut world, X, "Paula");
    world.command(X, Command::Call { contact }).unwrap();
    let so = world.run_until(secs(10), |w| is(w, second, CallState::RingingHere));
    assert!(so);
    world.run(secs(3));
    assert_eq!(rang(&world, A, from), 0);
}

#[test]
fn a_call_of_the_attendant_herself_is_not_offered_to_her() {
    let mut world = with(13, Rights::RECEIVE);
    let contact = number(&mut world, A, "Paula");
    world.command(A, Command::Call { contact }).unwrap();
    assert!(world.run_until(secs(5), |w| is(w, P, CallState::RingingHere)));
    world.run(secs(3));
    assert_eq!(relay(&mut world, P), None);
    let direction = latest(&mut world, A).unwrap().direction;
    assert_eq!(direction, Direction::Placed, "nothing rings at hers");
}
