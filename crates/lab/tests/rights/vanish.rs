//! Somebody goes, at each step of a call that an attendant answers; and losses.

use core::time::Duration;

use call::{CallState, End, Sound};
use lab::net::Conditions;
use lab::world::World;
use phone::RelayView;
use seal::delegation::Rights;

use crate::people::*;
use crate::support::{hang_up, hears, secs, state};

/// So long after the attendant's answer. In the first she is known to have answered, in the last she is in.
const STEPS: [u64; 8] = [0, 30, 150, 400, 800, 1_200, 2_000, 4_000];

/// It rings, she answers, and so much time passes; whether the call is hers by then.
fn answered(seed: u64, step: u64) -> (World, bool) {
    let mut world = with(seed, Rights::RECEIVE);
    rings_there(&mut world);
    answers(&mut world, A);
    unheard_until(&mut world, millis(step), |_| false);
    let hers = matches!(relay(&mut world, P), Some(RelayView::Passed { .. }));
    (world, hers)
}

#[test]
fn the_attendant_vanishes_and_he_is_not_lost() {
    let mut saved = 0;
    for (n, step) in STEPS.into_iter().enumerate() {
        let (mut world, hers) = answered(100 + n as u64, step);
        world.kill_party(A);
        let rings = world.run_until(secs(25), |w| sound(w, P) == Some(Sound::Rings));
        if hers {
            assert!(!rings, "{step} ms: the call was not hers any more");
            continue;
        }
        if !rings {
            // She vanished between the word that Paula's handset leaves and its leaving.
            assert!(
                matches!(relay(&mut world, P), Some(RelayView::Passed { .. })),
                "{step} ms: {:?}",
                relay(&mut world, P)
            );
            continue;
        }
        saved += 1;
        let waits = !over(&mut world, X);
        assert!(waits, "{step} ms: he waits");
        answers(&mut world, P);
        let so =
            world.run_until(secs(5), |w| [X, P].iter().all(|p| is(w, *p, CallState::Connected)));
        assert!(so, "{step} ms: X {:?}, P {:?}", state(&mut world, X), state(&mut world, P));
        for party in [X, P] {
            world.parties[party].plays = true;
        }
        for party in [X, P] {
            assert!(hears(&mut world, party, secs(2)) > -40.0, "{step} ms: {party}");
        }
    }
    assert!(saved >= 3, "{saved}");
}

#[test]
fn nobody_answers_it_after_the_attendant_vanished_and_it_is_missed() {
    let (mut world, hers) = answered(120, 400);
    assert!(!hers);
    world.kill_party(A);
    let rings = world.run_until(secs(25), |w| sound(w, P) == Some(Sound::Rings));
    assert!(rings);
    let call = crate::support::call(&mut world, P);
    world.command(P, phone::Command::Ignore { call }).unwrap();
    assert_eq!(sound(&mut world, P), Some(Sound::Silent));
    let so = world.run_until(secs(130), |w| over(w, P) && over(w, X));
    assert!(so, "nobody waits for ever");
    assert_eq!(history(&mut world, P), Some((End::Missed, true)));
}

#[test]
fn he_hangs_up_and_all_is_over() {
    for (n, step) in STEPS.into_iter().enumerate() {
        let (mut world, hers) = answered(130 + n as u64, step);
        hang_up(&mut world, X);
        let so = world.run_until(secs(30), |w| over(w, P) && over(w, A));
        assert!(so, "{step} ms: P {:?}, A {:?}", state(&mut world, P), state(&mut world, A));
        let missed = history(&mut world, P) == Some((End::Missed, true));
        let passed = matches!(relay(&mut world, P), Some(RelayView::Passed { .. }));
        assert!(hers || missed || passed, "{step} ms: {:?}", history(&mut world, P));
    }
}

#[test]
fn her_handset_vanishes_and_nobody_is_left_waiting() {
    for (n, step) in STEPS.into_iter().enumerate() {
        let (mut world, hers) = answered(150 + n as u64, step);
        world.kill_party(P);
        let so = world.run_until(secs(70), |w| ada_has_it(w) || (over(w, X) && over(w, A)));
        assert!(so, "{step} ms: X {:?}, A {:?}", state(&mut world, X), state(&mut world, A));
        assert!(!hers || ada_has_it(&mut world), "{step} ms: what is hers stays hers");
    }
}

/// A twentieth of all cells is lost on every line, and the others come at other times.
pub(crate) fn rough(world: &mut World) {
    let rough = Conditions {
        jitter: Duration::from_millis(8),
        loss: 0.05,
        ..Conditions::perfect(Duration::from_millis(5))
    };
    for party in &mut world.parties {
        let wire = party.wire.as_mut().unwrap();
        wire.up.set(rough);
        wire.down.set(rough);
    }
}

#[test]
fn with_losses_she_answers_all_the_same() {
    for seed in 170..173 {
        let mut world = with(seed, Rights::RECEIVE);
        rough(&mut world);
        rings_there(&mut world);
        answers(&mut world, A);
        assert!(
            unheard_until(&mut world, secs(12), ada_has_it),
            "{seed}: {:?}",
            members(&mut world, X)
        );
    }
}
