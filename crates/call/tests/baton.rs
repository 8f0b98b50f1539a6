//! The baton: nobody who has it can keep the others from being connected.

use call::conference::{Act, Conference, GONE_AFTER, HERE_EVERY, Word};
use call::handover::Entered;
use wire::Time;
use wire::talk::Role;

/// A principal who was let in by attendant 0, beside attendant 1 and another principal.
fn held() -> Conference<u64> {
    let members =
        [(0, Role::Attendant), (1, Role::Attendant), (2, Role::Principal), (3, Role::Principal)];
    let epoch = Entered { epoch: 5, by: 0, members: members.into(), voice: Some(5) };
    Conference::brought_in(Time(0), 2, epoch)
}

fn acts(call: &mut Conference<u64>) -> Vec<Act> {
    core::iter::from_fn(|| call.poll()).collect()
}

/// All others say that they are here, up to this moment.
fn here(call: &mut Conference<u64>, now: Time) {
    for leaf in [0, 1, 3] {
        call.heard(now, leaf, 5, Word::Here);
    }
}

#[test]
fn an_attendant_that_keeps_the_baton_after_a_connect_is_taken_for_gone() {
    let mut call = held();
    acts(&mut call);
    let said = Time(0) + HERE_EVERY;
    call.heard(said, 1, 5, Word::Connect);
    let until = said + GONE_AFTER;
    let mut now = said;
    while now + HERE_EVERY < until {
        now += HERE_EVERY;
        here(&mut call, now);
        call.tick(now);
        let removes = acts(&mut call).iter().any(|act| matches!(act, Act::Remove(_)));
        assert!(!removes && !call.is_gone(0), "it may still pass it on");
    }
    assert!(call.deadline() <= until);
    here(&mut call, until);
    call.tick(until);
    assert!(call.is_gone(0));
    let acts = acts(&mut call);
    assert!(acts.contains(&Act::Remove(vec![0])) && acts.contains(&Act::Merge), "{acts:?}");
}
