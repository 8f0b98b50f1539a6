//! Rules, and somebody who must not learn of them: a contact that the owner does not trust, with its exchange.

use std::cell::RefCell;
use std::rc::Rc;

use call::{CallState, End};
use lab::middle::{To, What};
use phone::{Command, ContactRules, Event};
use wire::Time;

use crate::kit::Grip;
use crate::support::*;

/// What passes on the trunk, without what is sealed: when, which way, which message or voice, how long.
type Seen = Vec<(Time, bool, u8, usize)>;

/// Anna, whom Boris trusts or not, calls him. What she and her exchange see, from before the rule is made until a minute after the
/// call; and what his history says.
fn seen(
    trusted: bool,
    owner: impl FnOnce(&mut lab::world::World),
) -> (Seen, Vec<(Time, Event)>, lab::world::World) {
    let mut world = lab::world::World::new(2, 950);
    let grip = Grip::on_trunks(&mut world);
    world.hire("Anna", 0);
    world.hire("Boris", 1);
    lines_up(&mut world);
    meet(&mut world, A, B, trusted);
    world.run(secs(5));
    let tape = Rc::new(RefCell::new(Seen::new()));
    let seen = tape.clone();
    let (mut last, from) = (Time(0), world.now);
    grip.does(move |now, to, what| {
        // A hand does its deeds in order of time.
        assert!(now >= core::mem::replace(&mut last, now));
        let (tag, len) = match &what {
            What::Message(bytes) => (bytes[0], bytes.len()),
            What::Voice(..) => (0, 128),
        };
        seen.borrow_mut().push((now, to == To::Far, tag, len));
        vec![(to, what)]
    });
    owner(&mut world);
    world.run(secs(10));
    let before = tape.borrow().len();
    assert_eq!(before, 0, "a rule is made in silence");
    world.command(A, Command::Call { contact: 1 }).unwrap();
    world.run(secs(30));
    assert_eq!(state(&mut world, A), Some(CallState::Calling), "neither reached nor refused");
    ended(&mut world, A, End::NoAnswer);
    world.run(secs(60));
    let events = world.parties[A].events.iter().filter(|(at, _)| *at >= from).copied().collect();
    let tape = tape.borrow().clone();
    (tape, events, world)
}

#[test]
fn to_a_contact_that_is_not_trusted_a_rule_looks_like_an_owner_who_is_away() {
    let (away, his, _) = seen(false, |world| world.kill_party(B));
    assert!(away.len() > 2, "the call passes");
    let only = ContactRules { interpreter: true, ..ContactRules::default() };
    let hours = call::hours::read("Sun 09:00-10:00 +00:00").unwrap();
    let closed = ContactRules { hours: Some(hours), ..ContactRules::default() };
    for rules in [only, closed] {
        let (ruled, hers, mut world) = seen(false, |world| {
            world.command(B, Command::SetRules { contact: 1, rules }).unwrap();
        });
        assert_eq!(ruled, away, "on the trunk: the same messages, as long, at the same times");
        assert_eq!(hers, his, "on her screen: the same events at the same times");
        let now = world.now;
        let view = world.parties[B].view(now);
        assert!(matches!(view.history[0].end, End::ByRule(_)) && view.missed == 0, "his has it");
        let rings = |e: &Event| matches!(e, Event::Incoming { .. } | Event::Missed { .. });
        assert!(world.parties[B].saw(Time(0), rings).is_none(), "and nothing rang");
        let told = contact(&mut world, A, 1);
        assert!(told.their_rules == wire::Rules::default() && told.barred.is_none());
    }
}

/// The office's rule about Boris's line, and not one of his: his exchange answers for him, and tells nobody, not even whom he trusts.
#[test]
fn to_everybody_outside_a_rule_of_the_office_looks_like_an_owner_who_is_away() {
    for trusted in [false, true] {
        let (away, his, _) = seen(trusted, |world| world.kill_party(B));
        let hours = call::hours::read("Sun 09:00-10:00 +00:00").ok();
        for (staff, hours) in [(true, None), (false, hours)] {
            let (ruled, hers, mut world) = seen(trusted, |world| {
                let lifts = wire::Text::new("Ada, room 12").unwrap();
                world.rule(1, "Boris", Some(exchange::OfficeRule { staff, hours, lifts }));
            });
            assert_eq!(ruled, away, "on the trunk: the same messages, as long, at the same times");
            assert_eq!(hers, his, "on her screen: the same events at the same times");
            let now = world.now;
            let view = world.parties[B].view(now);
            assert_eq!((view.history.len(), view.missed), (1, 1), "a missed call");
            let why = view.history[0].barred.clone().unwrap();
            let rule = if staff { wire::Rule::ThroughStaff } else { wire::Rule::Hours };
            assert_eq!(why.barred, call::Barred { rule, of: call::Side::Office });
            assert_eq!(why.lifted_by, ["Ada, room 12"]);
            let rang = |e: &Event| matches!(e, Event::Incoming { .. });
            assert!(world.parties[B].saw(Time(0), rang).is_none());
        }
    }
}
