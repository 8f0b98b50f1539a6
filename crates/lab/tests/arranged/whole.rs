//! The whole arranged call, as it should go.

use phone::RoomStage;
use wire::talk::Role;

use crate::staff::*;
use crate::support::{hears, secs, state};

#[test]
fn attendants_arrange_a_call_connect_the_principals_and_are_gone() {
    let mut world = staffed(1);
    world.code_finely();
    attendants_speak(&mut world);
    world.run(secs(1));
    for party in [A1, A2] {
        assert!(hears(&mut world, party, secs(1)) > -40.0, "attendants hear each other");
    }
    bring(&mut world, A1, P1, "Paula", Role::Principal, secs(4));
    assert_eq!(stage(&mut world, P1), Some(RoomStage::Held));
    assert!(hears(&mut world, P1, secs(1)) < -100.0, "who is held hears nothing");
    bring(&mut world, A2, P2, "Pavel", Role::Principal, secs(4));
    world.run(secs(3));
    let all = [
        ("Ada".to_owned(), Role::Attendant),
        ("Boris".to_owned(), Role::Attendant),
        ("Paula".to_owned(), Role::Principal),
        ("Pavel".to_owned(), Role::Principal),
    ];
    for party in [A1, P1, A2, P2] {
        assert_eq!(members(&mut world, party), all, "on the screen of {party}");
    }
    assert_eq!(stage(&mut world, P2), Some(RoomStage::Held));
    connect(&mut world, A1);
    connected(&mut world, &[P1, P2], secs(2));
    world.run(secs(1));
    for party in [P1, P2] {
        assert!(hears(&mut world, party, secs(2)) > -40.0, "principal {party} hears the other");
        assert_eq!(members(&mut world, party), all[2..], "and nobody else is there");
    }
    for party in [A1, A2] {
        assert!(room(&mut world, party).is_none(), "the attendant's call is over");
        assert!(hears(&mut world, party, secs(1)) < -100.0);
        assert!(matches!(state(&mut world, party), None | Some(call::CallState::Ended(_))));
    }
}

/// Nobody's clock is aligned with anybody's, and lines and trunk take 16 ms from office to office.
#[test]
fn connecting_takes_less_than_300_ms_and_adding_less_than_500() {
    let (mut added, mut connects) = (Vec::new(), Vec::new());
    for seed in 10..16 {
        let mut world = staffed(seed);
        unheard(&mut world);
        attendants_speak(&mut world);
        added.push(bring(&mut world, A1, P1, "Paula", Role::Principal, secs(5)).as_millis());
        // The attendant talks meanwhile: its line has 3 kB/s left to prepare a newcomer.
        added.push(bring(&mut world, A2, P2, "Pavel", Role::Principal, secs(6)).as_millis());
        world.run(secs(4));
        let said = world.now;
        connect(&mut world, if seed % 2 == 0 { A1 } else { A2 });
        for party in [P1, P2] {
            let voice = |e: &phone::Event| matches!(e, phone::Event::Voice { .. });
            let so = world.run_until(secs(2), |w| w.parties[party].saw(said, voice).is_some());
            assert!(so, "{party} hears");
            let heard = world.parties[party].saw(said, voice).unwrap();
            connects.push(heard.since(said).as_millis());
        }
    }
    assert!(
        added.iter().all(|ms| *ms < 500),
        "from the answer until all have the newcomer: {added:?}"
    );
    assert!(connects.iter().all(|ms| *ms < 300), "from the word to the first voice: {connects:?}");
}

#[test]
fn interpreter_and_note_taker_stay_and_a_note_taker_is_never_heard() {
    let mut world = full_staff(2);
    attendants_speak(&mut world);
    bring(&mut world, A1, P1, "Paula", Role::Principal, secs(4));
    bring(&mut world, A1, I, "Ines", Role::Interpreter, secs(4));
    bring(&mut world, A1, N, "Nora", Role::NoteTaker, secs(4));
    bring(&mut world, A2, P2, "Pavel", Role::Principal, secs(4));
    world.run(secs(4));
    for party in [P1, I, N, P2] {
        assert_eq!(stage(&mut world, party), Some(RoomStage::Held));
    }
    connect(&mut world, A2);
    connected(&mut world, &[P1, P2, I, N], secs(2));
    world.run(secs(1));
    let stay = [
        ("Ines".to_owned(), Role::Interpreter),
        ("Nora".to_owned(), Role::NoteTaker),
        ("Paula".to_owned(), Role::Principal),
        ("Pavel".to_owned(), Role::Principal),
    ];
    for party in [P1, P2, I, N] {
        assert_eq!(members(&mut world, party), stay, "on the screen of {party}");
        assert!(hears(&mut world, party, secs(1)) > -40.0, "{party} hears");
    }
    // Silence but for the note-taker: nothing comes.
    for party in [P1, P2, I] {
        world.parties[party].tone = None;
    }
    world.run(secs(3));
    for party in [P1, P2, I] {
        let heard = hears(&mut world, party, secs(1));
        assert!(heard < -60.0, "{party} hears {heard} dB of who only listens");
    }
    // The interpreter alone is heard by all.
    world.parties[I].tone = Some(260.0);
    world.run(secs(1));
    for party in [P1, P2, N] {
        assert!(hears(&mut world, party, secs(1)) > -40.0, "{party} hears the interpreter");
    }
}

#[test]
fn who_is_held_hears_the_announcement_and_nothing_else() {
    let mut world = staffed(3);
    attendants_speak(&mut world);
    bring(&mut world, A1, P1, "Paula", Role::Principal, secs(4));
    let now = world.now;
    let asked = world.parties[P1].view(now).calls.pop().unwrap().asked.unwrap();
    assert_eq!(
        (asked.0, asked.1.as_str(), asked.2.as_str()),
        (Role::Principal, "Office 1", "the other one")
    );
    assert!(hears(&mut world, P1, secs(1)) < -100.0);
    let id = crate::support::call(&mut world, A1);
    world.command(A1, phone::Command::Announce { call: id, on: true }).unwrap();
    world.run(secs(1));
    assert!(hears(&mut world, P1, secs(1)) > -40.0, "its attendant speaks to it");
    world.command(A1, phone::Command::Announce { call: id, on: false }).unwrap();
    world.run(secs(1));
    assert!(hears(&mut world, P1, secs(1)) < -100.0);
    // And it is not heard.
    for party in [A1, A2] {
        world.parties[party].tone = None;
    }
    world.run(secs(2));
    for party in [A1, A2] {
        assert!(hears(&mut world, party, secs(1)) < -60.0);
    }
}

/// A handset that may tell rings when its keys are there: whoever answers at the first ring has no handshake to wait for.
#[test]
fn who_answers_at_the_first_ring_is_in_within_500_ms() {
    let (mut added, mut rang) = (Vec::new(), Vec::new());
    for seed in 80..84 {
        let mut world = staffed(seed);
        unheard(&mut world);
        attendants_speak(&mut world);
        for (by, party, who) in [(A1, P1, "Paula"), (A2, P2, "Pavel")] {
            let asked = world.now;
            let took = bring(&mut world, by, party, who, Role::Principal, secs(0));
            added.push(took.as_millis());
            rang.push((world.now.since(asked) - took).as_millis());
        }
    }
    assert!(
        added.iter().all(|ms| *ms < 500),
        "from the answer until all have the newcomer: {added:?}"
    );
    assert!(rang.iter().all(|ms| *ms < 4_000), "from the wish to the first ring: {rang:?}");
}

/// Keys that do not come keep no handset from ringing.
#[test]
fn a_handset_rings_without_keys_after_a_while() {
    let mut world = staffed(85);
    unheard(&mut world);
    attendants_speak(&mut world);
    // The one principal's change is made and waits for an answer: the other's cannot be made yet.
    ring_in(&mut world, A1, "Paula", Role::Principal, "Pavel");
    world.until(P1, secs(10), |e| matches!(e, phone::Event::Incoming { .. }));
    ring_in(&mut world, A2, "Pavel", Role::Principal, "Paula");
    let now = world.now;
    assert!(world.parties[P2].view(now).calls.is_empty(), "nothing is shown before it rings");
    world.until(P2, secs(4), |e| matches!(e, phone::Event::Incoming { .. }));
}
