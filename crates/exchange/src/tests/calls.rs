//! Calls between two offices and within one.

use core::time::Duration;

use wire::line::{Closure, LineDown, LineUp};
use wire::{Leg, Time};

use super::world::{World, address, blob, envelope, key};

/// A call from phone a (office 0) that phone b (office 1) has taken. The legs at both ends.
pub(super) fn call(world: &mut World, a: usize, b: usize, counter: u64) -> (Leg, Leg) {
    world.open(a, 1, 1, envelope(2, &key(1), counter, b"invite"));
    world.run(200);
    let leg = world.incoming(b);
    world.send(b, &LineUp::Take { leg });
    world.run(100);
    (Leg(1), leg)
}

#[test]
fn voice_goes_both_ways_between_two_exchanges() {
    let mut w = World::new(2);
    let (a, b) = w.contacts();
    let (leg_a, leg_b) = call(&mut w, a, b, 2);
    w.phones[a].talks = Some((leg_a, 7));
    w.phones[b].talks = Some((leg_b, 8));
    w.run(2_000);
    w.phones[a].talks = None;
    w.phones[b].talks = None;
    w.run(100);
    for (phone, leg, voice) in [(a, leg_a, 8), (b, leg_b, 7)] {
        let heard = &w.phones[phone].heard;
        assert!((99..=101).contains(&heard.len()), "{} frames heard", heard.len());
        assert!(heard.iter().all(|(_, l, v)| (*l, *v) == (leg, voice)));
    }
    assert_eq!(w.exchange(0).metrics().voice_dropped, 0);
    // Hang up: the other end hears so, and nothing is left.
    w.send(a, &LineUp::Close { leg: leg_a });
    w.run(100);
    let closed = LineDown::Closed { leg: leg_b, reason: Closure::Closed };
    w.expect(b, |m| (*m == closed).then_some(()));
    // And so does this one: nothing is on its way for the leg any more, and it can be used again.
    let closed = LineDown::Closed { leg: leg_a, reason: Closure::Closed };
    w.expect(a, |m| (*m == closed).then_some(()));
    for office in [0, 1] {
        assert_eq!(w.exchange(office).metrics().legs, 0);
    }
}

#[test]
fn ring_delay_is_short() {
    let mut w = World::new(2);
    let (a, b) = w.contacts();
    let from = w.now;
    w.open(a, 1, 1, envelope(2, &key(1), 2, b"invite"));
    while !w.got(b, |m| matches!(m, LineDown::Incoming { .. })) {
        w.run(1);
        assert!(w.now.since(from) < Duration::from_millis(60), "three ticks and the wires");
    }
}

#[test]
fn no_voice_before_the_answer() {
    let mut w = World::new(2);
    let (a, b) = w.contacts();
    w.open(a, 1, 1, envelope(2, &key(1), 2, b"invite"));
    w.run(200);
    let leg = w.incoming(b);
    w.phones[a].talks = Some((Leg(1), 7));
    w.phones[b].talks = Some((leg, 8));
    w.run(500);
    assert!(w.phones[a].heard.is_empty() && w.phones[b].heard.is_empty());
    w.send(b, &LineUp::Take { leg });
    w.run(200);
    assert!(!w.phones[a].heard.is_empty() && !w.phones[b].heard.is_empty());
}

#[test]
fn the_first_of_two_handsets_wins() {
    let mut w = World::new(2);
    let (a, b) = w.contacts();
    let b2 = w.enrolled(1, "boris", 13);
    w.open(a, 1, 1, envelope(2, &key(1), 2, b"invite"));
    w.run(200);
    let (leg, leg2) = (w.incoming(b), w.incoming(b2));
    // Data while it rings: to all handsets, and from each of them.
    w.send(a, &LineUp::LegData { leg: Leg(1), body: blob(b"key package") });
    w.send(b, &LineUp::LegData { leg, body: blob(b"ringing 1") });
    w.send(b2, &LineUp::LegData { leg: leg2, body: blob(b"ringing 2") });
    w.run(200);
    for (phone, leg) in [(b, leg), (b2, leg2)] {
        let data = LineDown::LegData { leg, body: blob(b"key package") };
        w.expect(phone, |m| (*m == data).then_some(()));
    }
    for body in [b"ringing 1", b"ringing 2"] {
        let data = LineDown::LegData { leg: Leg(1), body: blob(body) };
        w.expect(a, |m| (*m == data).then_some(()));
    }
    // Both take at once.
    w.send(b2, &LineUp::Take { leg: leg2 });
    w.send(b, &LineUp::Take { leg });
    w.run(200);
    let lost = |w: &World, phone, leg| {
        w.got(phone, |m| *m == LineDown::Closed { leg, reason: Closure::Elsewhere })
    };
    let (first, second) = (lost(&w, b, leg), lost(&w, b2, leg2));
    assert!(first != second, "one wins and one loses: {first} {second}");
    let (winner, leg_w) = if first { (b2, leg2) } else { (b, leg) };
    w.phones[a].talks = Some((Leg(1), 9));
    w.run(300);
    assert!(w.phones[winner].heard.iter().any(|(_, l, v)| (*l, *v) == (leg_w, 9)));
    let loser = if first { b } else { b2 };
    assert!(w.phones[loser].heard.is_empty());
    // The loser's late data reaches nobody.
    w.phones[a].inbox.clear();
    let leg_l = if first { leg } else { leg2 };
    w.send(loser, &LineUp::LegData { leg: leg_l, body: blob(b"late") });
    w.run(200);
    assert!(w.phones[a].inbox.is_empty());
}

#[test]
fn declining_stops_the_own_handset_only_and_tells_the_caller_nothing() {
    let mut w = World::new(2);
    let (a, b) = w.contacts();
    let b2 = w.enrolled(1, "boris", 13);
    w.open(a, 1, 1, envelope(2, &key(1), 2, b"invite"));
    w.run(200);
    let (leg, leg2) = (w.incoming(b), w.incoming(b2));
    w.send(b, &LineUp::Close { leg });
    w.run(200);
    assert!(w.phones[a].inbox.is_empty() && w.phones[b2].inbox.is_empty());
    w.send(b2, &LineUp::Take { leg: leg2 });
    w.run(200);
    w.phones[b2].talks = Some((leg2, 5));
    w.run(200);
    assert!(!w.phones[a].heard.is_empty(), "the other handset can still answer");
}

#[test]
fn a_local_call_needs_no_trunk() {
    let mut w = World::new(1);
    let a = w.enrolled(0, "anna", 11);
    let b = w.enrolled(0, "boris", 12);
    w.bind(b, 2, &key(1));
    w.open(a, 3, 0, envelope(2, &key(1), 1, b"invite"));
    w.run(200);
    let leg = w.incoming(b);
    w.send(b, &LineUp::Take { leg });
    w.phones[a].talks = Some((Leg(3), 4));
    w.run(500);
    assert!(w.phones[b].heard.len() > 10);
    w.send(b, &LineUp::Close { leg });
    w.run(100);
    let closed = LineDown::Closed { leg: Leg(3), reason: Closure::Closed };
    w.expect(a, |m| (*m == closed).then_some(()));
    assert_eq!(w.exchange(0).metrics().legs, 0);
}

#[test]
fn a_call_to_nobody_there_is_kept_as_mail() {
    let mut w = World::new(2);
    let (a, b) = w.contacts();
    w.disconnect(b);
    w.open(a, 1, 1, envelope(2, &key(1), 2, b"missed"));
    w.run(500);
    assert!(w.phones[a].inbox.is_empty(), "{:?}", w.phones[a].inbox);
    w.connect(b);
    w.run(500);
    let (_, to, body) = w.phones[b].mail.last().unwrap();
    assert_eq!((*to, body.as_slice()), (address(2), &b"missed"[..]));
    assert!(!w.got(b, |m| matches!(m, LineDown::Incoming { .. })));
}

#[test]
fn nobody_answers() {
    let mut w = World::new(2);
    let (a, b) = w.contacts();
    w.open(a, 1, 1, envelope(2, &key(1), 2, b"invite"));
    w.run(200);
    let leg = w.incoming(b);
    w.run(119_000);
    assert!(w.phones[a].inbox.is_empty() && w.phones[b].inbox.is_empty());
    w.run(1_500);
    for (phone, leg) in [(a, Leg(1)), (b, leg)] {
        let closed = LineDown::Closed { leg, reason: Closure::Closed };
        w.expect(phone, |m| (*m == closed).then_some(()));
    }
    assert_eq!(w.exchange(0).metrics().legs + w.exchange(1).metrics().legs, 0);
}

#[test]
fn a_line_lost_in_a_call_closes_the_other_end() {
    let mut w = World::new(2);
    let (a, b) = w.contacts();
    call(&mut w, a, b, 2);
    w.disconnect(b);
    w.run(200);
    let closed = LineDown::Closed { leg: Leg(1), reason: Closure::Closed };
    w.expect(a, |m| (*m == closed).then_some(()));
    // Back again: the caller opens a new leg, and it is taken.
    w.connect(b);
    w.run(300);
    let leg_b = call(&mut w, a, b, 3).1;
    w.disconnect(a);
    w.run(200);
    let closed = LineDown::Closed { leg: leg_b, reason: Closure::Closed };
    w.expect(b, |m| (*m == closed).then_some(()));
}

#[test]
fn a_ringing_line_lost_tells_the_caller_nothing() {
    let mut w = World::new(2);
    let (a, b) = w.contacts();
    w.open(a, 1, 1, envelope(2, &key(1), 2, b"invite"));
    w.run(200);
    w.incoming(b);
    w.disconnect(b);
    w.run(1_000);
    assert!(w.phones[a].inbox.is_empty());
    assert_eq!(w.exchange(1).metrics().legs, 1, "the trunk leg stays, as for anybody");
    w.send(a, &LineUp::Close { leg: Leg(1) });
    w.run(200);
    assert_eq!(w.exchange(1).metrics().legs, 0);
}

#[test]
fn a_trunk_cut_in_a_call() {
    let mut w = World::new(2);
    let (a, b) = w.contacts();
    let (leg_a, leg_b) = call(&mut w, a, b, 2);
    w.cut(0, 1);
    w.run(100);
    for (phone, leg) in [(a, leg_a), (b, leg_b)] {
        let closed = LineDown::Closed { leg, reason: Closure::Unreachable };
        w.expect(phone, |m| (*m == closed).then_some(()));
    }
    w.open(a, 1, 1, envelope(2, &key(1), 3, b"again"));
    w.run(100);
    let closed = LineDown::Closed { leg: Leg(1), reason: Closure::Unreachable };
    w.expect(a, |m| (*m == closed).then_some(()));
    w.run(1_000);
    call(&mut w, a, b, 4);
}

#[test]
fn a_full_trunk_refuses_clearly() {
    let mut w = World::new(2);
    let (a, b) = w.contacts();
    let capacity = w.exchange(0).trunk_capacity();
    let callers: Vec<usize> = (0..u8::try_from(capacity / 4 + 1).unwrap())
        .map(|i| w.enrolled(0, &format!("caller {i}"), 50 + i))
        .collect();
    let mut counter = 2;
    let mut refused = 0;
    for caller in callers {
        for leg in [1, 3, 5, 7] {
            w.open(caller, leg, 1, envelope(2, &key(1), counter, b"invite"));
            counter += 1;
            w.run(60);
        }
        let full = |m: &LineDown| matches!(m, LineDown::Closed { reason: Closure::Full, .. });
        refused += w.phones[caller].inbox.iter().filter(|m| full(m)).count();
    }
    assert_eq!(refused, 4);
    assert_eq!(w.exchange(0).metrics().calls_full, 4);
    assert!(w.exchange(1).metrics().legs > 16);
    let _ = (a, b, Time(0));
}

/// A line of office 0 in two answered calls: leg 1 to a phone of office 1, leg 3 to one of its own office.
fn two_calls(w: &mut World) -> (usize, usize, usize, Leg, Leg) {
    let (a, b) = w.contacts();
    let c = w.enrolled(0, "clara", 14);
    w.bind(c, 9, &key(1));
    let (_, leg_b) = call(w, a, b, 2);
    w.open(a, 3, 0, envelope(9, &key(1), 1, b"invite"));
    w.run(200);
    let leg_c = w.incoming(c);
    w.send(c, &LineUp::Take { leg: leg_c });
    w.run(100);
    (a, b, c, leg_b, leg_c)
}

#[test]
fn joined_legs_carry_each_voice_to_all_others_and_none_back() {
    let mut w = World::new(2);
    let (a, b, c, leg_b, leg_c) = two_calls(&mut w);
    w.send(a, &LineUp::Join { leg: Leg(1), with: Leg(3) });
    w.run(100);
    let gone = LineDown::Closed { leg: Leg(3), reason: Closure::Closed };
    w.expect(a, |m| (*m == gone).then_some(()));
    let legs = [(a, Leg(1), 7), (b, leg_b, 8), (c, leg_c, 9)];
    for (phone, leg, voice) in legs {
        w.phones[phone].talks = Some((leg, voice));
    }
    w.run(2_000);
    for (phone, _, _) in legs {
        w.phones[phone].talks = None;
    }
    w.run(100);
    for (phone, leg, own) in legs {
        for (_, _, voice) in legs {
            let heard = w.phones[phone].heard.iter();
            let heard = heard.filter(|(_, l, v)| *l == leg && *v == voice).count();
            let wanted = if voice == own { 0..=0 } else { 98..=102 };
            assert!(wanted.contains(&heard), "{phone} hears {heard} frames of {voice}");
        }
    }
    // What is said goes to all others, too.
    w.send(c, &LineUp::LegData { leg: leg_c, body: blob(b"word") });
    w.run(200);
    for (phone, leg) in [(a, Leg(1)), (b, leg_b)] {
        let data = LineDown::LegData { leg, body: blob(b"word") };
        w.expect(phone, |m| (*m == data).then_some(()));
    }
    assert!(!w.got(c, |m| matches!(m, LineDown::LegData { body, .. } if *body == blob(b"word"))));
}

#[test]
fn a_joined_call_takes_voice_from_no_other_line() {
    let mut w = World::new(2);
    let (a, b, c, leg_b, leg_c) = two_calls(&mut w);
    let others = [w.enrolled(0, "dora", 15), w.enrolled(1, "dirk", 16)];
    w.send(a, &LineUp::Join { leg: Leg(1), with: Leg(3) });
    w.run(100);
    for other in others {
        for leg in [Leg(1), Leg(3), leg_b, leg_c] {
            w.phones[other].talks = Some((leg, 66));
            w.run(100);
        }
        w.phones[other].talks = None;
    }
    for phone in [a, b, c] {
        assert!(w.phones[phone].heard.is_empty(), "{phone}");
    }
}

#[test]
fn whoever_joined_them_leaves_and_the_others_stay_joined() {
    let mut w = World::new(2);
    let (a, b, c, leg_b, leg_c) = two_calls(&mut w);
    w.send(a, &LineUp::Join { leg: Leg(1), with: Leg(3) });
    w.run(100);
    w.send(a, &LineUp::Close { leg: Leg(1) });
    w.run(200);
    w.phones[b].talks = Some((leg_b, 8));
    w.phones[c].talks = Some((leg_c, 9));
    w.run(500);
    assert!(w.phones[b].heard.iter().any(|(_, _, v)| *v == 9));
    assert!(w.phones[c].heard.iter().any(|(_, _, v)| *v == 8));
    assert!(w.phones[a].heard.is_empty());
    // The last one alone is told, and nothing is left.
    w.send(b, &LineUp::Close { leg: leg_b });
    w.run(200);
    let closed = LineDown::Closed { leg: leg_c, reason: Closure::Closed };
    w.expect(c, |m| (*m == closed).then_some(()));
    for office in [0, 1] {
        assert_eq!(w.exchange(office).metrics().legs, 0);
    }
}

#[test]
fn only_own_answered_legs_are_joined() {
    let mut w = World::new(2);
    let (a, b, c, leg_b, leg_c) = two_calls(&mut w);
    // Somebody else's leg, one that is not there, the same twice.
    w.send(c, &LineUp::Join { leg: leg_c, with: Leg(1) });
    w.send(a, &LineUp::Join { leg: Leg(1), with: Leg(5) });
    w.send(a, &LineUp::Join { leg: Leg(1), with: Leg(1) });
    // One that nobody answered.
    w.open(a, 5, 0, envelope(9, &key(1), 2, b"invite"));
    w.run(100);
    w.send(a, &LineUp::Join { leg: Leg(1), with: Leg(5) });
    w.run(100);
    w.phones[b].talks = Some((leg_b, 8));
    w.run(500);
    assert!(w.phones[c].heard.is_empty(), "nothing was joined");
    assert_eq!(w.exchange(0).metrics().calls_joined, 0);
    assert!(w.phones[a].heard.iter().all(|(_, leg, _)| *leg == Leg(1)));
}
