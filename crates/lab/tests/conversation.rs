//! A card, a call, and everything that people do in one: whole offices in virtual time.

mod support;

use call::{CallState, End};
use phone::{Command, Event};
use support::*;

#[test]
fn a_card_makes_a_contact_and_a_tap_makes_a_call() {
    let mut world = two(1);
    meet(&mut world, A, B, true);
    let now = world.now;
    let (a, b) = (world.parties[A].view(now), world.parties[B].view(now));
    let (ca, cb) = (&a.contacts[0], &b.contacts[0]);
    assert_eq!((ca.name.as_str(), cb.name.as_str()), ("Boris", "Anna"));
    let ((a_own, a_other), (b_own, b_other)) = (ca.words.unwrap(), cb.words.unwrap());
    assert!(a_own == b_other && a_other == b_own && a_own != b_own, "safety words");

    world.parties[A].tone = Some(220.0);
    world.parties[B].tone = Some(150.0);
    let tapped = world.now;
    ring(&mut world, A, B);
    let rang = world.parties[B].saw(tapped, |e| matches!(e, Event::Incoming { .. })).unwrap();
    world.run_until(secs(2), |w| state(w, A) == Some(CallState::Ringing));
    assert_eq!(state(&mut world, A), Some(CallState::Ringing));
    let id = call(&mut world, B);
    let answered = world.now;
    world.command(B, Command::Answer { call: id }).unwrap();
    let a_hears = world.until(A, secs(5), |e| matches!(e, Event::Voice { .. }));
    both_are(&mut world, CallState::Connected);
    eprintln!(
        "tap to ring {:?}, answer to voice {:?}",
        rang.since(tapped),
        a_hears.since(answered)
    );
    assert!(rang.since(tapped).as_millis() < 130, "{:?}", rang.since(tapped));
    assert!(a_hears.since(answered).as_millis() < 130, "{:?}", a_hears.since(answered));
    world.run(secs(1));
    for party in [A, B] {
        assert!(hears(&mut world, party, secs(2)) > -40.0, "party {party} hears the other");
    }
    let id = call(&mut world, A);
    world.command(A, Command::HangUp { call: id }).unwrap();
    ended(&mut world, A, End::ByMe);
    ended(&mut world, B, End::ByOther);
    for party in [A, B] {
        assert!(hears(&mut world, party, secs(1)) < -100.0, "silence afterwards");
    }
}
