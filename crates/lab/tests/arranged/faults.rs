//! What goes wrong: losses, members that vanish, attendants who do not leave.

use core::time::Duration;

use call::CallState;
use lab::net::Conditions;
use lab::world::World;
use phone::{Command, Event, RoomStage};
use wire::talk::Role;

use crate::staff::*;
use crate::support::{answer, call, hears, secs, state};

/// Everybody but who vanished is connected without an attendant, or its call is over.
fn settled(world: &mut World, gone: usize) -> bool {
    [A1, P1, A2, P2].iter().filter(|p| **p != gone).all(|p| {
        let over = matches!(state(world, *p), None | Some(CallState::Ended(_)));
        let alone = members(world, *p).iter().all(|(_, role)| *role != Role::Attendant);
        over || (stage(world, *p) == Some(RoomStage::Connected) && alone)
    })
}

#[test]
fn the_whole_call_with_losses() {
    let mut world = staffed(20);
    let rough = |delay| Conditions {
        jitter: Duration::from_millis(8),
        loss: 0.05,
        ..Conditions::perfect(Duration::from_millis(delay))
    };
    for party in &mut world.parties {
        let wire = party.wire.as_mut().unwrap();
        wire.up.set(rough(5));
        wire.down.set(rough(5));
    }
    attendants_speak(&mut world);
    bring(&mut world, A1, P1, "Paula", Role::Principal, secs(6));
    bring(&mut world, A2, P2, "Pavel", Role::Principal, secs(6));
    world.run(secs(5));
    connect(&mut world, A2);
    connected(&mut world, &[P1, P2], secs(3));
    world.run(secs(1));
    for party in [P1, P2] {
        assert!(hears(&mut world, party, secs(2)) > -40.0, "principal {party}");
    }
    for party in [A1, A2] {
        assert!(room(&mut world, party).is_none());
    }
}

#[test]
fn both_attendants_connect_at_once() {
    for seed in 30..33 {
        let mut world = both_held(seed);
        unheard(&mut world);
        connect(&mut world, A1);
        connect(&mut world, A2);
        connected(&mut world, &[P1, P2], secs(3));
        world.run(secs(1));
        for party in [A1, A2] {
            assert!(room(&mut world, party).is_none(), "attendant {party} is out");
        }
    }
}

#[test]
fn both_principals_are_brought_in_at_once() {
    let mut world = staffed(35);
    attendants_speak(&mut world);
    ring_in(&mut world, A1, "Paula", Role::Principal, "Pavel");
    ring_in(&mut world, A2, "Pavel", Role::Principal, "Paula");
    world.until(P2, secs(10), |e| matches!(e, Event::Incoming { .. }));
    world.run(secs(4));
    // The one answers for whom the keys are not made yet.
    answer(&mut world, P2);
    let so = world.run_until(secs(10), |w| is_in(w, A1, "Pavel") && is_in(w, P2, "Pavel"));
    assert!(so, "who answers is not kept waiting for one who has not");
    world.run(secs(4));
    answer(&mut world, P1);
    let so = world.run_until(secs(10), |w| [A1, A2, P1, P2].iter().all(|p| is_in(w, *p, "Paula")));
    assert!(so, "the other one follows");
    world.run(secs(4));
    connect(&mut world, A1);
    connected(&mut world, &[P1, P2], secs(2));
}

#[test]
fn an_attendant_vanishes_before_anybody_is_rung() {
    [A1, A2].into_iter().for_each(|victim| vanishes(0, victim));
}

#[test]
fn a_member_vanishes_while_a_principal_is_rung() {
    [A1, P1, A2, P2].into_iter().for_each(|victim| vanishes(1, victim));
}

#[test]
fn a_member_vanishes_while_the_principals_are_held() {
    [A1, P1, A2, P2].into_iter().for_each(|victim| vanishes(2, victim));
}

#[test]
fn a_member_vanishes_as_the_principals_are_connected() {
    [A1, P1, A2, P2].into_iter().for_each(|victim| vanishes(3, victim));
}

#[test]
fn a_member_vanishes_between_the_word_and_the_connection() {
    [A1, P1, A2, P2].into_iter().for_each(|victim| vanishes(4, victim));
}

/// A member's program dies at a step; the others do what people would.
fn vanishes(step: u64, victim: usize) {
    let mut world = staffed(40 + step);
    unheard(&mut world);
    attendants_speak(&mut world);
    if step >= 1 {
        ring_in(&mut world, A1, "Paula", Role::Principal, "Pavel");
        world.until(P1, secs(10), |e| matches!(e, Event::Incoming { .. }));
        world.run(secs(3));
    }
    if step >= 2 {
        answer(&mut world, P1);
        world.run(secs(1));
        bring(&mut world, A2, P2, "Pavel", Role::Principal, secs(4));
        world.run(secs(3));
    }
    if step >= 3 {
        connect(&mut world, A1);
    }
    if step >= 4 {
        world.run(millis(90));
    }
    world.kill_party(victim);
    world.run(secs(2));
    // People go on as they would.
    let now = world.now;
    for party in [P1, P2] {
        let rings = world.parties[party].phone.is_some()
            && world.parties[party]
                .view(now)
                .calls
                .last()
                .is_some_and(|c| c.state == CallState::RingingHere);
        if rings {
            answer(&mut world, party);
        }
    }
    world.run(secs(12));
    for party in [A1, A2] {
        let can = room(&mut world, party).is_some_and(|room| room.can_connect);
        if can {
            connect(&mut world, party);
            break;
        }
    }
    world.run(secs(15));
    // Whoever is left sees that it is gone, and nobody is connected beside an attendant.
    let name = ["Ada", "Paula", "Boris", "Pavel"][victim];
    for party in [A1, P1, A2, P2].into_iter().filter(|party| *party != victim) {
        assert!(!is_in(&mut world, party, name), "step {step}: {name} is on the screen of {party}");
        let connected = stage(&mut world, party) == Some(RoomStage::Connected);
        let attended = members(&mut world, party).iter().any(|(_, role)| *role == Role::Attendant);
        assert!(!(connected && attended), "step {step}: {party} is connected beside an attendant");
    }
    // Whoever cannot be connected any more hangs up.
    let now = world.now;
    for party in [A1, A2, P1, P2] {
        let held = stage(&mut world, party).is_some_and(|s| s != RoomStage::Connected);
        let unsettled = held || stage(&mut world, party).is_none();
        if unsettled
            && let Some(phone) = &mut world.parties[party].phone
            && let Some(call) = phone.view(now).calls.last()
            && !matches!(call.state, CallState::Ended(_))
        {
            let call = call.id;
            world.command(party, Command::HangUp { call }).unwrap();
        }
    }
    let so = world.run_until(secs(40), |w| settled(w, victim));
    let states: Vec<_> =
        [A1, P1, A2, P2].iter().map(|p| (state(&mut world, *p), stage(&mut world, *p))).collect();
    assert!(so, "step {step}, without {victim}: {states:?}");
    if step >= 2 && (victim == A1 || victim == A2) {
        assert_eq!(stage(&mut world, P1), Some(RoomStage::Connected), "without {victim}");
        assert_eq!(stage(&mut world, P2), Some(RoomStage::Connected), "without {victim}");
    }
}

#[test]
fn an_attendant_hangs_up_and_the_other_one_goes_on() {
    let mut world = both_held(60);
    unheard(&mut world);
    let id = call(&mut world, A1);
    world.command(A1, Command::HangUp { call: id }).unwrap();
    let so = world.run_until(secs(5), |w| [A2, P1, P2].iter().all(|p| !is_in(w, *p, "Ada")));
    assert!(so, "who hung up is removed");
    assert_eq!(stage(&mut world, P1), Some(RoomStage::Held), "one attendant is left");
    world.run(secs(3));
    connect(&mut world, A2);
    connected(&mut world, &[P1, P2], secs(2));
}

#[test]
fn an_attendant_that_refuses_to_leave_is_removed_and_opens_nothing_though_all_is_forwarded_to_it() {
    let mut world = both_held(70);
    world.parties[A2].phone.as_mut().unwrap().refuse_to_leave();
    connect(&mut world, A1);
    connected(&mut world, &[P1, P2], secs(2));
    world.run(secs(1));
    let refused = |w: &mut World| {
        let now = w.now;
        w.parties[A2].view(now).voice_refused
    };
    let before = refused(&mut world);
    assert!(hears(&mut world, A2, secs(2)) < -100.0, "it hears nothing");
    let came = refused(&mut world) - before;
    assert!(came > 150, "the exchange still forwards both voices to it: {came}");
    for party in [P1, P2] {
        assert!(hears(&mut world, party, secs(1)) > -40.0, "principal {party}");
        assert!(!is_in(&mut world, party, "Boris"), "and it is on no screen");
    }
    assert!(is_in(&mut world, A2, "Boris"), "though it thinks that it is in");
}
