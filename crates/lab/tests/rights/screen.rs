//! An attendant is asked before it rings at the principal's.

use call::{CallState, End, Sound};
use phone::{Command, Event, RelayView};
use seal::delegation::Rights;

use crate::people::*;
use crate::support::{hang_up, secs, state};

#[test]
fn it_rings_at_the_attendants_first_and_is_only_shown_at_hers() {
    let mut world = with(30, Rights::SCREEN.and(Rights::RECEIVE));
    rings_there(&mut world);
    let ada = number(&mut world, P, "Ada");
    let asked = RelayView::Asked { contacts: vec![ada], screens: true };
    assert_eq!(relay(&mut world, P), Some(asked), "of both rights this one counts");
    let silent = |w: &mut lab::world::World| sound(w, P) == Some(Sound::Silent);
    assert!(silent(&mut world) && is(&mut world, P, CallState::RingingHere));
    let told = world.run_until(secs(2), |w| is(w, X, CallState::Ringing));
    assert!(told, "it rings, and he is told so");
    let rang = world.run_until(secs(15), |w| !silent(w));
    assert!(!rang, "it stays silent while she may answer");
    answers(&mut world, A);
    assert!(unheard_until(&mut world, secs(8), ada_has_it));
}

#[test]
fn she_can_take_it_at_any_time() {
    let mut world = with(31, Rights::SCREEN);
    rings_there(&mut world);
    answers(&mut world, P);
    let so = world.run_until(secs(5), |w| {
        [X, P].iter().all(|p| is(w, *p, CallState::Connected)) && over(w, A)
    });
    assert!(so);
}

/// Until Paula's handset makes itself heard; how long that took.
fn rings_aloud(world: &mut lab::world::World, most: u64) -> u64 {
    let from = world.now;
    let so = world.run_until(secs(most), |w| sound(w, P) == Some(Sound::Rings));
    assert!(so, "it rings at hers");
    assert!(matches!(state(world, X), Some(CallState::Ringing)), "and he is not lost");
    world.now.since(from).as_secs()
}

#[test]
fn it_rings_at_hers_when_the_attendant_does_not_answer() {
    let mut world = with(32, Rights::SCREEN);
    rings_there(&mut world);
    let took = rings_aloud(&mut world, 30);
    assert!((18..=20).contains(&took), "{took} s");
    assert!(is(&mut world, A, CallState::RingingHere), "either can answer now");
    answers(&mut world, A);
    assert!(unheard_until(&mut world, secs(8), ada_has_it));
    hang_up(&mut world, X);
    world.run(secs(15));
    // She declines.
    rings_there(&mut world);
    let call = crate::support::call(&mut world, A);
    world.command(A, Command::Decline { call }).unwrap();
    assert!(rings_aloud(&mut world, 3) < 2);
    assert_eq!(relay(&mut world, P), None);
    hang_up(&mut world, X);
    world.run(secs(15));
    // Her handset is off.
    world.kill_party(A);
    world.run(secs(10));
    rings(&mut world);
    let took = rings_aloud(&mut world, 8);
    assert!((3..=5).contains(&took), "{took} s");
    answers(&mut world, P);
    let so = world.run_until(secs(5), |w| [X, P].iter().all(|p| is(w, *p, CallState::Connected)));
    assert!(so);
}

#[test]
fn what_is_taken_back_while_she_is_asked_rings_at_hers() {
    let mut world = with(33, Rights::SCREEN);
    rings_there(&mut world);
    takes_back(&mut world);
    assert_eq!(sound(&mut world, P), Some(Sound::Rings), "at once");
    let so = world.run_until(secs(2), |w| is(w, A, CallState::Ended(End::Cancelled)));
    assert!(so, "and no longer at Ada's");
}

#[test]
fn whom_she_silenced_stays_silent_and_others_who_may_answer_are_asked_then() {
    let mut world = with(34, Rights::SCREEN);
    lets(&mut world, C, Rights::RECEIVE, secs(86_400));
    rings_there(&mut world);
    world.run(secs(2));
    assert!(over(&mut world, C), "Clara may answer what rings at Paula's, and it does not yet");
    let call = crate::support::call(&mut world, P);
    world.command(P, Command::Ignore { call }).unwrap();
    world.until(C, secs(25), |e| matches!(e, Event::Incoming { .. }));
    assert_eq!(sound(&mut world, P), Some(Sound::Silent), "as she wanted");
    answers(&mut world, C);
    let so = unheard_until(&mut world, secs(8), |w| speaks_with(w, X, &["Boris", "Clara"]));
    assert!(so);
    assert!(over(&mut world, A));
}

#[test]
fn a_call_that_is_not_answered_by_anybody_is_missed() {
    let mut world = with(35, Rights::SCREEN);
    rings_there(&mut world);
    let so = world.run_until(secs(60), |w| is(w, X, CallState::Ended(End::NoAnswer)));
    assert!(so);
    world.run(secs(2));
    assert!(over(&mut world, P) && over(&mut world, A));
    assert_eq!(history(&mut world, P), Some((End::Missed, true)));
}
