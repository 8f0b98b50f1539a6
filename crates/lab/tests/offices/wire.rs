//! What stands on the wire: the same cells at the same rate, whatever happens.

use std::collections::BTreeMap;

use call::CallState;

use crate::support::*;

/// Cells a second that a party sends, by length.
fn rate(world: &mut lab::world::World, party: usize) -> BTreeMap<usize, usize> {
    let start = world.now;
    world.run(secs(2));
    let mut sizes = BTreeMap::new();
    for (_, len) in world.parties[party].cells.iter().filter(|(at, _)| *at > start) {
        *sizes.entry(*len).or_default() += 1;
    }
    sizes
}

#[test]
fn idle_ringing_talking_and_held_look_the_same() {
    let mut world = met(50);
    world.parties[A].tone = Some(220.0);
    let expected = BTreeMap::from([(224, 100)]);
    for party in [A, B] {
        assert_eq!(rate(&mut world, party), expected, "idle");
    }
    ring(&mut world, A, B);
    for party in [A, B] {
        assert_eq!(rate(&mut world, party), expected, "ringing");
    }
    answer(&mut world, B);
    both_are(&mut world, CallState::Connected);
    for party in [A, B] {
        assert_eq!(rate(&mut world, party), expected, "talking");
    }
    let id = call(&mut world, A);
    world.command(A, phone::Command::Hold { call: id, on: true }).unwrap();
    for party in [A, B] {
        assert_eq!(rate(&mut world, party), expected, "held");
    }
    hang_up(&mut world, B);
    for party in [A, B] {
        assert_eq!(rate(&mut world, party), expected, "hung up");
    }
}
