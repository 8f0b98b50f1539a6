//! Exchanges that drop, double, hold back and reorder what they carry, and keep doing so for a whole day of calls.

use std::collections::BTreeSet;

use call::CallState;
use call::contact::Keys;
use lab::middle::{To, What};
use lab::world::World;
use phone::{Command, LineState};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use wire::Time;
use wire::line::{LineDown, LineUp};
use wire::trunk::Trunk;

use crate::kit::*;
use crate::support::*;

/// Without these there is no link, and nothing to disturb.
fn makes_the_link(what: &What) -> bool {
    matches!(
        down(what),
        Some(LineDown::Challenge { .. } | LineDown::Attached { .. } | LineDown::Refused { .. })
    ) || matches!(up(what), Some(LineUp::Attach { .. } | LineUp::Enrol { .. }))
}

/// Out of ten messages or frames one is lost, two come twice, two late and out of order.
fn disturb(grip: &Grip, seed: u64, spare: fn(&What) -> bool) {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let mut held: Vec<(Time, To, What)> = Vec::new();
    grip.does(move |now, to, what| {
        let mut out: Vec<(To, What)> =
            held.extract_if(.., |(at, ..)| *at <= now).map(|(_, to, what)| (to, what)).collect();
        if spare(&what) {
            out.push((to, what));
            return out;
        }
        let later = now + core::time::Duration::from_millis(u64::from(rng.next_u32() % 3_000));
        match rng.next_u32() % 10 {
            0 => {}
            1 => out.extend([(to, what.clone()), (to, what)]),
            2 => {
                held.push((later, to, what.clone()));
                out.push((to, what));
            }
            3 | 4 => held.push((later, to, what)),
            _ => out.push((to, what)),
        }
        out
    });
}

/// A day: texts, calls, answers and farewells at random. What was written, by each.
fn day(world: &mut World, seed: u64) -> [BTreeSet<String>; 2] {
    let mut rng = ChaCha20Rng::seed_from_u64(seed ^ 77);
    // Nobody listens: time passes faster.
    for party in [A, B] {
        world.parties[party].plays = false;
    }
    let mut written = [BTreeSet::new(), BTreeSet::new()];
    for hour in 0..40 {
        let party = (rng.next_u32() % 2) as usize;
        let last = |w: &mut World| state(w, party).map(|s| (call(w, party), s));
        // What cannot be done now is refused, and that is as it should be.
        let _ = match rng.next_u32() % 5 {
            0 | 1 => {
                let text = format!("{party} at {hour}");
                written[party].insert(text.clone());
                world.command(party, Command::Note { contact: 1, text })
            }
            2 => world.command(party, Command::Call { contact: 1 }),
            3 => match last(world) {
                Some((call, CallState::RingingHere)) => {
                    world.command(party, Command::Answer { call })
                }
                _ => Ok(()),
            },
            _ => match last(world) {
                Some((call, _)) => world.command(party, Command::HangUp { call }),
                None => Ok(()),
            },
        };
        world.run(core::time::Duration::from_millis(u64::from(rng.next_u32() % 4_000)));
        for party in [A, B] {
            let now = world.now;
            let view = world.parties[party].view(now);
            let live = view.calls.iter().filter(|c| !matches!(c.state, CallState::Ended(_)));
            assert!(live.count() <= 1, "hour {hour}: one call at a time");
            assert_eq!(view.contacts.len(), 1, "hour {hour}");
            assert_eq!(view.contacts[0].keys, Keys::Pinned, "hour {hour}");
        }
    }
    written
}

/// All calls are over, lines and trunks are made anew, and exchanges do what they should again.
fn morning_after(world: &mut World, written: &[BTreeSet<String>; 2]) {
    for party in [A, B] {
        world.reach(party, false);
    }
    world.cut_trunks(0, true);
    world.run(secs(70));
    world.cut_trunks(0, false);
    for party in [A, B] {
        world.reach(party, true);
    }
    lines_up(world);
    world.run(secs(20));
    for party in [A, B] {
        let now = world.now;
        let view = world.parties[party].view(now);
        assert_eq!(view.line, LineState::Up);
        let came: Vec<_> = view.notes.iter().filter(|n| !n.sent).map(|n| n.text.clone()).collect();
        let once: BTreeSet<_> = came.iter().cloned().collect();
        assert_eq!(once.len(), came.len(), "no text twice: {came:?}");
        assert!(once.is_subset(&written[1 - party]), "no text that nobody wrote");
        assert!(once.len() * 2 >= written[1 - party].len(), "most of them come: {once:?}");
        let names: BTreeSet<_> = view.history.iter().map(|h| h.at.0).collect();
        assert!(names.len() * 2 >= view.history.len(), "each call once");
        let live = view.calls.iter().any(|c| !matches!(c.state, CallState::Ended(_)));
        assert!(!live, "no call is left over");
    }
    for (from, to) in [(A, B), (B, A)] {
        connect(world, from, to);
        world.parties[from].tone = Some(220.0);
        world.run(secs(1));
        world.parties[to].plays = true;
        assert!(hears(world, to, secs(1)) > -40.0);
        part(world, from, to);
        world.run(secs(5));
    }
}

#[test]
fn exchanges_that_drop_double_and_reorder_do_no_lasting_harm() {
    for seed in 0..3 {
        let mut world = World::new(2, 600 + seed);
        let grips = [A, B].map(|party| Grip::on_line(&mut world, party));
        world.hire("Anna", 0);
        world.hire("Boris", 1);
        lines_up(&mut world);
        meet(&mut world, A, B, true);
        for (n, grip) in (0..).zip(&grips) {
            disturb(grip, seed * 2 + n, makes_the_link);
        }
        let written = day(&mut world, seed);
        grips.iter().for_each(Grip::lets_go);
        morning_after(&mut world, &written);
    }
}

#[test]
fn a_trunk_that_drops_doubles_and_reorders_does_no_lasting_harm() {
    for seed in 0..2 {
        let mut world = World::new(2, 650 + seed);
        let grip = Grip::on_trunks(&mut world);
        world.hire("Anna", 0);
        world.hire("Boris", 1);
        lines_up(&mut world);
        meet(&mut world, A, B, true);
        // A leg opened twice is a fault that ends the trunk: that is no disturbance but a cut.
        disturb(&grip, seed, |what| {
            matches!(trunk(what), Some(Trunk::Hello { .. } | Trunk::Open { .. }))
        });
        let written = day(&mut world, seed);
        grip.lets_go();
        morning_after(&mut world, &written);
    }
}
