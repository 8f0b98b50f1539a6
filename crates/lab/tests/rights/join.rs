//! An attendant comes into a call of the principal's.

use call::{CallState, End};
use lab::world::World;
use phone::{BehalfView, Command, Event, InputError, RelayView};
use seal::delegation::Rights;
use wire::talk::{NotJoined, Role};

use crate::people::*;
use crate::support::{hang_up, hears, secs, state};

/// Boris and Paula speak; Ada has these rights.
fn speaking(seed: u64, rights: Rights) -> World {
    let mut world = with(seed, rights);
    speak(&mut world);
    world
}

fn speak(world: &mut World) {
    rings(world);
    answers(world, P);
    let so = world.run_until(secs(5), |w| [X, P].iter().all(|p| is(w, *p, CallState::Connected)));
    assert!(so, "they speak");
    world.run(secs(1));
}

fn joins(world: &mut World, party: usize, listens: bool) {
    let contact = number(world, party, "Paula");
    world.command(party, Command::Join { contact, listens }).unwrap();
}

/// Whatever it is told, it comes in nowhere, and the others notice nothing.
fn is_refused(world: &mut World, party: usize) -> Option<NotJoined> {
    let from = world.now;
    joins(world, party, false);
    let so = world.run_until(secs(25), |w| over(w, party));
    assert!(so, "{:?}", state(world, party));
    let why = match relay(world, party) {
        Some(RelayView::NotJoined { why }) => Some(why),
        _ => None,
    };
    world.run(secs(11));
    assert!(members(world, X).iter().all(|(name, _)| name != "Ada" && name != "Clara"));
    assert!(world.parties[P].saw(from, |e| matches!(e, Event::Joins { .. })).is_none());
    why
}

#[test]
fn the_attendant_comes_in_and_is_on_every_screen() {
    let mut world = speaking(50, Rights::JOIN);
    joins(&mut world, A, false);
    assert_eq!(relay(&mut world, A), Some(RelayView::Joins));
    world.until(P, secs(3), |e| matches!(e, Event::Joins { .. }));
    let all = ["Ada", "Boris", "Paula"];
    let so = world.run_until(secs(8), |w| [X, P, A].iter().all(|p| speaks_with(w, *p, &all)));
    assert!(so, "{:?} {:?}", members(&mut world, X), members(&mut world, A));
    let ada = ("Ada".to_owned(), Some("Paula".to_owned()));
    for party in [X, P, A] {
        assert_eq!(members(&mut world, party)[0], ada, "on the screen of {party}");
    }
    let shown = latest(&mut world, A).unwrap();
    assert_eq!(shown.behalf, Some(BehalfView::Mine { name: "Paula".into() }));
    for party in [X, P, A] {
        world.parties[party].plays = true;
    }
    for party in [X, P, A] {
        assert!(hears(&mut world, party, secs(1)) > -40.0, "{party}");
    }
    // Ada alone is heard by both.
    world.parties[X].tone = None;
    world.parties[P].tone = None;
    world.run(secs(3));
    for party in [X, P] {
        assert!(hears(&mut world, party, secs(1)) > -40.0, "{party} hears Ada");
    }
    hang_up(&mut world, A);
    let two = ["Boris", "Paula"];
    let so = world.run_until(secs(8), |w| [X, P].iter().all(|p| speaks_with(w, *p, &two)));
    assert!(so, "she goes, and they speak on");
}

#[test]
fn who_only_listens_is_seen_and_never_heard() {
    let mut world = speaking(51, Rights::JOIN);
    for party in [X, P, A] {
        world.parties[party].plays = true;
    }
    joins(&mut world, A, true);
    let all = ["Ada", "Boris", "Paula"];
    let so = world.run_until(secs(8), |w| [X, P, A].iter().all(|p| speaks_with(w, *p, &all)));
    assert!(so);
    for party in [X, P, A] {
        let room = latest(&mut world, party).unwrap().room.unwrap();
        let ada = room.members.iter().find(|m| m.name == "Ada").unwrap();
        assert_eq!(ada.role, Role::NoteTaker);
    }
    assert!(hears(&mut world, A, secs(1)) > -40.0, "she hears them");
    world.parties[X].tone = None;
    world.parties[P].tone = None;
    world.run(secs(3));
    assert!(hears(&mut world, X, secs(1)) < -60.0);
}

#[test]
fn without_the_right_the_own_handset_does_not_ask_and_hers_does_not_answer() {
    let mut world = speaking(52, Rights::RECEIVE.and(Rights::PLACE));
    let contact = number(&mut world, A, "Paula");
    let asked = world.command(A, Command::Join { contact, listens: false });
    assert!(matches!(asked, Err(InputError::WrongState(_))));
    // A handset that asks all the same; one of somebody who has no delegation at all, though another has.
    for party in [A, C] {
        world.parties[party].phone.as_mut().unwrap().claim_all();
        assert_eq!(is_refused(&mut world, party), Some(NotJoined::NoRight), "{party}");
    }
    lets(&mut world, A, Rights::JOIN, secs(86_400));
    assert_eq!(is_refused(&mut world, C), Some(NotJoined::NoRight), "what Ada may is not Clara's");
    // Who is not trusted is told nothing at all.
    let clara = number(&mut world, P, "Clara");
    world.command(P, Command::SetTrusted { contact: clara, trusted: Some(false) }).unwrap();
    assert_eq!(is_refused(&mut world, C), None);
}

#[test]
fn what_was_taken_back_or_has_run_out_lets_nobody_in() {
    let mut world = people(53);
    lets(&mut world, A, Rights::JOIN, secs(120));
    world.parties[A].phone.as_mut().unwrap().claim_all();
    speak(&mut world);
    world.run(secs(120));
    assert_eq!(is_refused(&mut world, A), Some(NotJoined::NoRight), "it has run out");
    lets(&mut world, A, Rights::JOIN, secs(86_400));
    // Her word is on its way when it is taken back.
    let contact = number(&mut world, A, "Paula");
    world.command(A, Command::Join { contact, listens: false }).unwrap();
    takes_back(&mut world);
    let so = world.run_until(secs(5), |w| over(w, A));
    assert!(so && relay(&mut world, A) == Some(RelayView::NotJoined { why: NotJoined::NoRight }));
    world.run(secs(15));
    // She is being let in when it is.
    lets(&mut world, A, Rights::JOIN, secs(86_400));
    joins(&mut world, A, false);
    world.until(P, secs(3), |e| matches!(e, Event::Joins { .. }));
    takes_back(&mut world);
    let so = world.run_until(secs(25), |w| over(w, A));
    assert!(so, "{:?}", state(&mut world, A));
    world.run(secs(5));
    for party in [X, P] {
        assert!(members(&mut world, party).iter().all(|(name, _)| name != "Ada"));
        assert!(is(&mut world, party, CallState::Connected), "and they speak on");
    }
}

#[test]
fn there_has_to_be_a_call_that_can_take_somebody_in() {
    let mut world = with(54, Rights::JOIN);
    assert_eq!(is_refused(&mut world, A), Some(NotJoined::NoCall));
    assert_eq!(history(&mut world, A), None, "it was no call");
    rings(&mut world);
    assert_eq!(is_refused(&mut world, A), Some(NotJoined::NoCall), "one that rings is none");
    answers(&mut world, P);
    world.run(secs(2));
    // Paula is bringing Clara in.
    let (call, contact) = (crate::support::call(&mut world, P), number(&mut world, P, "Clara"));
    let (role, precedence) = (Role::NoteTaker, wire::Precedence::Routine);
    world
        .command(P, Command::Bring { call, contact, role, expected: String::new(), precedence })
        .unwrap();
    joins(&mut world, A, false);
    let so = world.run_until(secs(5), |w| over(w, A));
    assert!(so && relay(&mut world, A) == Some(RelayView::NotJoined { why: NotJoined::NotNow }));
    // A rule keeps Ada from her.
    world.run(secs(60));
    let ada = number(&mut world, P, "Ada");
    let rules = phone::ContactRules {
        hours: wire::Hours::new(1, 0, 1, 0),
        ..phone::ContactRules::default()
    };
    assert!(rules.hours.is_some());
    world.command(P, Command::SetRules { contact: ada, rules }).unwrap();
    // Whichever handset refuses it.
    world.parties[A].phone.as_mut().unwrap().claim_all();
    assert_eq!(is_refused(&mut world, A), Some(NotJoined::ByRule));
}

#[test]
fn the_attendant_vanishes_as_she_comes_in_and_they_speak_on() {
    for (n, step) in [0, 50, 200, 500, 1_000, 2_500].into_iter().enumerate() {
        let mut world = speaking(60 + n as u64, Rights::JOIN);
        joins(&mut world, A, false);
        world.run(millis(step));
        world.kill_party(A);
        world.run(secs(40));
        for party in [X, P] {
            assert!(
                is(&mut world, party, CallState::Connected),
                "{step} ms: {:?}",
                state(&mut world, party)
            );
            assert!(members(&mut world, party).iter().all(|(name, _)| name != "Ada"), "{step} ms");
        }
    }
}

#[test]
fn he_or_she_hangs_up_as_the_attendant_comes_in() {
    for (n, step) in [0, 100, 400, 1_000].into_iter().enumerate() {
        for party in [X, P] {
            let mut world = speaking(70 + n as u64, Rights::JOIN);
            joins(&mut world, A, false);
            world.run(millis(step));
            hang_up(&mut world, party);
            let other = if party == X { P } else { X };
            // Who is left with Ada speaks with her, or it is over: nobody is stuck.
            let so = world.run_until(secs(60), |w| {
                let (a, o) = (state(w, A), state(w, other));
                let ended = |s| matches!(s, None | Some(CallState::Ended(_)));
                (ended(a) && ended(o)) || (a == o && a == Some(CallState::Connected))
            });
            assert!(
                so,
                "{step} ms, {party}: {:?} {:?}",
                state(&mut world, A),
                state(&mut world, other)
            );
        }
    }
}

#[test]
fn with_losses_she_comes_in_all_the_same() {
    for seed in 90..92 {
        let mut world = speaking(seed, Rights::JOIN);
        crate::vanish::rough(&mut world);
        joins(&mut world, A, false);
        let all = ["Ada", "Boris", "Paula"];
        let so = world.run_until(secs(12), |w| [X, P, A].iter().all(|p| speaks_with(w, *p, &all)));
        assert!(so, "{seed}: {:?}", members(&mut world, X));
    }
}

#[test]
fn who_is_in_another_call_or_asks_twice_does_not_join() {
    let mut world = speaking(80, Rights::JOIN);
    joins(&mut world, A, false);
    let contact = number(&mut world, A, "Paula");
    let again = world.command(A, Command::Join { contact, listens: false });
    assert!(matches!(again, Err(InputError::WrongState(_))));
    let all = ["Ada", "Boris", "Paula"];
    assert!(world.run_until(secs(8), |w| speaks_with(w, A, &all)));
    let again = world.command(A, Command::Join { contact, listens: false });
    assert!(matches!(again, Err(InputError::WrongState(_))), "{again:?}");
    hang_up(&mut world, P);
    world.run(secs(2));
    assert_eq!(history(&mut world, P), Some((End::ByMe, false)));
}
