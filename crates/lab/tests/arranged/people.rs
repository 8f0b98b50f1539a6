//! Who comes in, on which handset, and as whom.

use call::CallState;
use lab::world::World;
use phone::{Command, Event, RoomStage};
use wire::talk::Role;

use crate::staff::*;
use crate::support::{answer, call, hears, lines_up, meet, secs, state};

/// Paula's other handset, and a second principal of the office.
const P1B: usize = 4;

/// Paula has two handsets.
fn two_handsets(seed: u64) -> World {
    let mut world = staffed(seed);
    world.hire("Paula", 0);
    lines_up(&mut world);
    world.command(P1, Command::AdmitDevice { ttl: secs(600) }).unwrap();
    world.until(P1, secs(10), |e| matches!(e, Event::CardIssued { .. }));
    let now = world.now;
    let text = world.parties[P1].view(now).cards.pop().unwrap().link.unwrap();
    world.command(P1B, Command::RedeemCard { text, in_person: true }).unwrap();
    let paired = world.run_until(secs(40), |w| {
        let now = w.now;
        w.parties[P1].view(now).contacts.iter().any(|c| c.own_device && c.words.is_some())
    });
    assert!(paired);
    let now = world.now;
    let sibling = world.parties[P1].view(now).contacts.into_iter().find(|c| c.own_device).unwrap();
    world.command(P1, Command::Verify { contact: sibling.id, matches: true }).unwrap();
    world.until(P1B, secs(10), |e| *e == Event::Admitted);
    let shared = world.run_until(secs(60), |w| {
        let now = w.now;
        w.parties[P1B].view(now).contacts.iter().any(|c| c.name == "Ada" && c.ready)
    });
    assert!(shared, "Ada is on Paula's other handset, with stock");
    world.run(secs(10));
    world
}

#[test]
fn a_principal_comes_in_on_whichever_handset_she_answers() {
    for (seed, answers, other) in [(80, P1, P1B), (81, P1B, P1)] {
        let mut world = two_handsets(seed);
        unheard(&mut world);
        attendants_speak(&mut world);
        ring_in(&mut world, A1, "Paula", Role::Principal, "Pavel");
        let ring = world.run_until(secs(10), |w| {
            [P1, P1B].iter().all(|p| state(w, *p) == Some(CallState::RingingHere))
        });
        assert!(ring, "both handsets ring");
        world.run(secs(4));
        answer(&mut world, answers);
        let so = world.run_until(secs(10), |w| {
            is_in(w, A1, "Paula") && is_in(w, A2, "Paula") && room(w, answers).is_some()
        });
        assert!(so, "in on {answers}");
        assert!(room(&mut world, other).is_none());
        bring(&mut world, A2, P2, "Pavel", Role::Principal, secs(4));
        world.run(secs(3));
        connect(&mut world, A1);
        connected(&mut world, &[answers, P2], secs(2));
    }
}

#[test]
fn of_two_whom_one_attendant_rings_the_first_to_answer_is_the_first_in() {
    let mut world = staffed(82);
    world.hire("Ines", 0);
    lines_up(&mut world);
    meet(&mut world, I, A1, true);
    unheard(&mut world);
    attendants_speak(&mut world);
    ring_in(&mut world, A1, "Paula", Role::Principal, "Pavel");
    ring_in(&mut world, A1, "Ines", Role::Interpreter, "Pavel");
    for party in [P1, I] {
        let so = world.run_until(secs(10), |w| state(w, party) == Some(CallState::RingingHere));
        assert!(so, "{party} rings");
    }
    // By now the change is made for one of them; the other answers.
    world.run(secs(6));
    answer(&mut world, I);
    let so = world.run_until(secs(6), |w| is_in(w, A2, "Ines") && room(w, I).is_some());
    assert!(so, "who answered is in, though the other one rings on");
    assert_eq!(state(&mut world, P1), Some(CallState::RingingHere));
    answer(&mut world, P1);
    let so = world.run_until(secs(10), |w| is_in(w, A2, "Paula") && room(w, P1).is_some());
    assert!(so, "and the other one comes in as well");
}

#[test]
fn who_was_held_when_others_came_in_hears_and_is_heard_again() {
    let mut world = staffed(83);
    attendants_speak(&mut world);
    world.run(secs(1));
    let id = call(&mut world, A1);
    world.command(A1, Command::Hold { call: id, on: true }).unwrap();
    world.command(A2, Command::Mute { on: true }).unwrap();
    world.run(secs(1));
    assert_eq!(state(&mut world, A2), Some(CallState::HeldByOther));
    bring(&mut world, A1, P1, "Paula", Role::Principal, secs(4));
    assert_eq!(state(&mut world, A2), Some(CallState::Connected));
    assert_eq!(
        state(&mut world, A1),
        Some(CallState::HeldByMe),
        "who holds is not heard by surprise"
    );
    let muted = |world: &mut World, party| {
        let room = room(world, party).unwrap();
        room.members.iter().find(|m| m.name == "Boris").unwrap().muted
    };
    world.run(secs(1));
    assert!(muted(&mut world, A1), "who was told before knows it still");
    assert!(muted(&mut world, P1), "and newcomers are told");
    world.command(A1, Command::Hold { call: id, on: false }).unwrap();
    world.command(A2, Command::Mute { on: false }).unwrap();
    world.run(secs(1));
    for party in [A1, A2] {
        assert!(hears(&mut world, party, secs(1)) > -40.0, "attendant {party}");
    }
    assert!(!muted(&mut world, P1));
}

#[test]
fn a_newcomer_who_came_in_muted_is_muted_on_all_screens() {
    let mut world = full_staff(86);
    unheard(&mut world);
    attendants_speak(&mut world);
    world.command(I, Command::Mute { on: true }).unwrap();
    bring(&mut world, A1, I, "Ines", Role::Interpreter, secs(4));
    bring(&mut world, A1, P1, "Paula", Role::Principal, secs(4));
    world.run(secs(2));
    for party in [A1, A2, P1] {
        let room = room(&mut world, party).unwrap();
        assert!(room.members.iter().find(|m| m.name == "Ines").unwrap().muted, "on {party}");
    }
}

#[test]
fn a_member_cannot_say_who_another_ones_newcomer_is_nor_for_whom_it_is_here() {
    let mut world = full_staff(84);
    unheard(&mut world);
    attendants_speak(&mut world);
    bring(&mut world, A1, I, "Ines", Role::Interpreter, secs(4));
    world.run(secs(3));
    ring_in(&mut world, A1, "Paula", Role::Principal, "Pavel");
    world.until(P1, secs(10), |e| matches!(e, Event::Incoming { .. }));
    world.run(secs(3));
    let id = call(&mut world, I);
    world.parties[I].phone.as_mut().unwrap().say_newcomer_is(id, "Mallory");
    world.run(secs(1));
    answer(&mut world, P1);
    let so = world.run_until(secs(10), |w| [A1, A2, I].iter().all(|p| is_in(w, *p, "Paula")));
    assert!(so, "she is who Ada says she is");
    for party in [A1, A2, I, P1] {
        assert!(!is_in(&mut world, party, "Mallory"), "{party}");
        let members = room(&mut world, party).unwrap().members;
        assert!(members.iter().all(|m| m.behalf.is_none()), "on behalf of nobody, on {party}");
    }
    assert_eq!(stage(&mut world, P1), Some(RoomStage::Held));
}

#[test]
fn texts_of_a_room_are_told_apart_and_so_is_their_arrival() {
    let mut world = full_staff(85);
    unheard(&mut world);
    attendants_speak(&mut world);
    bring(&mut world, A1, P1, "Paula", Role::Principal, secs(4));
    bring(&mut world, A2, P2, "Pavel", Role::Principal, secs(4));
    bring(&mut world, A1, I, "Ines", Role::Interpreter, secs(4));
    world.run(secs(3));
    connect(&mut world, A1);
    connected(&mut world, &[P1, P2, I], secs(2));
    let line = lab::net::Conditions::perfect(millis(5));
    let cut = lab::net::Conditions { loss: 1.0, ..line };
    world.parties[P1].wire.as_mut().unwrap().up.set(cut);
    for (party, text) in [(P1, "from Paula"), (P2, "from Pavel")] {
        let id = call(&mut world, party);
        world.command(party, Command::Say { call: id, text: text.to_owned() }).unwrap();
    }
    world.run(secs(1));
    // (own, arrived) of each text.
    let texts = |world: &mut World, party: usize| -> Vec<(bool, bool)> {
        let now = world.now;
        let texts = world.parties[party].view(now).calls.pop().unwrap().texts;
        texts.iter().map(|(mine, _, arrived)| (*mine, *arrived)).collect()
    };
    let seen = texts(&mut world, P1);
    assert_eq!(seen, [(true, false), (false, true)], "thanks for another one's first text");
    assert!(texts(&mut world, P2).contains(&(true, true)));
    world.parties[P1].wire.as_mut().unwrap().up.set(line);
    let so = world.run_until(secs(5), |w| {
        [P1, P2, I].iter().all(|p| {
            let texts = texts(w, *p);
            texts.len() == 2 && texts.iter().all(|(_, arrived)| *arrived)
        })
    });
    assert!(so, "each has the others' texts, and knows that the own one arrived");
}
