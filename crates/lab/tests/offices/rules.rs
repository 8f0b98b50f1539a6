//! Rules for calls with a contact: at the own end, at the other end, against a handset that does not know them yet, and
//! towards somebody who must not learn of them. It is Tuesday, 22:13:20 UTC.

use call::{Barred, CallState, End, Side};
use lab::world::World;
use phone::{Command, ContactRules, Event, InputError};
use wire::{Hours, Rule, Rules};

use crate::support::*;

/// Monday to Friday in the morning: not now.
fn closed() -> ContactRules {
    let hours = call::hours::read("Mon-Fri 09:00-12:00 +00:00").unwrap();
    ContactRules { hours: Some(hours), ..ContactRules::default() }
}

fn sets(world: &mut World, party: usize, rules: ContactRules) {
    world.command(party, Command::SetRules { contact: 1, rules }).unwrap();
}

/// The rule that keeps a party from calling its first contact.
fn refuses(world: &mut World, party: usize) -> Option<Barred> {
    match world.command(party, Command::Call { contact: 1 }) {
        Err(InputError::ByRule(barred)) => Some(barred),
        Ok(()) => None,
        Err(other) => panic!("{other}"),
    }
}

fn barred(rule: Rule, of: Side) -> Barred {
    Barred { rule, of }
}

#[test]
fn a_handset_refuses_what_its_own_owner_ruled_out_and_says_who_can_lift_it() {
    let mut world = two(900);
    let clara = world.hire("Clara", 0);
    lines_up(&mut world);
    meet(&mut world, A, B, true);
    meet(&mut world, A, clara, true);
    let only = |with: fn(&mut ContactRules)| {
        let mut rules = ContactRules::default();
        with(&mut rules);
        rules
    };
    for (rules, rule) in [
        (closed(), Rule::Hours),
        (only(|r| r.interpreter = true), Rule::Interpreter),
        (only(|r| r.note_taker = true), Rule::NoteTaker),
        (only(|r| r.staff = Some(2)), Rule::ThroughStaff),
    ] {
        sets(&mut world, A, rules);
        assert_eq!(contact(&mut world, A, 1).rules, rules);
        assert_eq!(refuses(&mut world, A), Some(barred(rule, Side::Own)));
        assert!(state(&mut world, A).is_none(), "there is no call");
    }
    let said = InputError::ByRule(barred(Rule::ThroughStaff, Side::Own)).to_string();
    assert!(said.contains("through staff") && said.contains("change the rule"), "{said}");
    world.run(secs(3));
    // The other side knows who arranges its calls, and refuses by itself.
    let staff = contact(&mut world, B, 1).their_rules.staff;
    assert_eq!(staff.as_ref().map(|name| name.as_str()), Some("Clara"));
    assert_eq!(refuses(&mut world, B), Some(barred(Rule::ThroughStaff, Side::Theirs)));
    // Nobody arranges calls with herself, nor somebody who is no contact.
    for staff in [1, 9] {
        let rules = ContactRules { staff: Some(staff), ..ContactRules::default() };
        let set = Command::SetRules { contact: 1, rules };
        assert!(matches!(world.command(A, set), Err(InputError::WrongState(_))));
    }
    sets(&mut world, A, ContactRules::default());
    ring(&mut world, A, B);
}

#[test]
fn a_contact_that_was_told_refuses_by_itself_and_nothing_is_sent() {
    let mut world = met(901);
    sets(&mut world, B, closed());
    world.run(secs(3));
    let their = contact(&mut world, A, 1).their_rules;
    assert_eq!(their, Rules { hours: closed().hours, ..Rules::default() });
    let before = world.parties[B].events.len();
    assert_eq!(refuses(&mut world, A), Some(barred(Rule::Hours, Side::Theirs)));
    world.run(secs(60));
    assert_eq!(world.parties[B].events.len(), before, "nothing reaches the other side");
    assert_eq!((latest(&mut world, A), latest(&mut world, B)), (None, None));
    // Rules hold both ways.
    assert_eq!(refuses(&mut world, B), Some(barred(Rule::Hours, Side::Own)));
    sets(&mut world, B, ContactRules::default());
    world.run(secs(3));
    ring(&mut world, A, B);
}

/// A's line is down while the rule is made: it calls, and hears of the rule by being refused.
#[test]
fn a_call_that_breaks_a_rule_all_the_same_does_not_ring_and_a_trusted_caller_is_told() {
    let mut world = met(902);
    world.reach(A, false);
    world.run(secs(1));
    sets(&mut world, B, ContactRules { note_taker: true, ..ContactRules::default() });
    world.run(secs(5));
    world.command(A, Command::Call { contact: 1 }).unwrap();
    let placed = world.now;
    world.reach(A, true);
    let theirs = barred(Rule::NoteTaker, Side::Theirs);
    ended(&mut world, A, End::ByRule(theirs));
    assert!(world.now.since(placed) < secs(10), "told at once");
    let now = world.now;
    let view = world.parties[A].view(now);
    let shown = view.history[0].barred.clone().unwrap();
    assert_eq!((shown.barred, shown.lifted_by), (theirs, vec!["Boris".to_owned()]));
    let shown = view.calls[0].barred.clone().unwrap();
    assert_eq!((shown.barred, shown.lifted_by), (theirs, vec!["Boris".to_owned()]));

    let rings = |e: &Event| matches!(e, Event::Incoming { .. } | Event::Missed { .. });
    world.run(secs(60));
    assert!(world.parties[B].saw(placed, rings).is_none(), "it does not ring, and is not missed");
    let told = Event::RefusedByRule { contact: 1, rule: Rule::NoteTaker };
    let events = world.parties[B].events.iter().filter(|(_, e)| *e == told);
    assert_eq!(events.count(), 1);
    let view = world.parties[B].view(now);
    assert_eq!((view.history.len(), view.missed), (1, 0));
    let own = barred(Rule::NoteTaker, Side::Own);
    assert_eq!(latest(&mut world, B), Some((End::ByRule(own), false)));
    // The keys of the next call are there again.
    sets(&mut world, B, ContactRules::default());
    world.run(secs(5));
    assert!(contact(&mut world, A, 1).ready);
    connect(&mut world, A, B);
}

#[test]
fn hours_end_while_the_office_watches_the_clock() {
    let mut world = met(903);
    // Until a quarter past ten in the evening, in Kathmandu: a quarter to six is four in the morning of Wednesday there.
    let hours = |text: &str| {
        let hours: Option<Hours> = Some(call::hours::read(text).unwrap());
        ContactRules { hours, ..ContactRules::default() }
    };
    sets(&mut world, B, hours("Tue 22:00-04:00 +05:45"));
    world.run(secs(3));
    assert_eq!(refuses(&mut world, A), None, "it is Wednesday, 03:58 there");
    world.until(B, secs(5), |e| matches!(e, Event::Incoming { .. }));
    hang_up(&mut world, A);
    world.run(secs(100));
    assert_eq!(refuses(&mut world, A), Some(barred(Rule::Hours, Side::Theirs)), "it is 04:00");
    sets(&mut world, B, hours("Tue 22:00-04:00 +05:30"));
    world.run(secs(3));
    assert_eq!(refuses(&mut world, A), None, "in Delhi it is a quarter of an hour less");
}

#[test]
fn who_begins_to_be_trusted_is_told_then_and_who_is_trusted_no_longer_is_told_no_more() {
    let mut world = two(904);
    meet(&mut world, A, B, false);
    sets(&mut world, B, closed());
    world.run(secs(10));
    assert_eq!(contact(&mut world, A, 1).their_rules, Rules::default(), "not verified: not told");
    world.command(B, Command::Verify { contact: 1, matches: true }).unwrap();
    world.run(secs(3));
    assert_eq!(contact(&mut world, A, 1).their_rules.hours, closed().hours);
    world.command(B, Command::SetTrusted { contact: 1, trusted: Some(false) }).unwrap();
    sets(&mut world, B, ContactRules { interpreter: true, ..closed() });
    world.run(secs(10));
    assert!(!contact(&mut world, A, 1).their_rules.interpreter);
    world.command(B, Command::SetTrusted { contact: 1, trusted: None }).unwrap();
    world.run(secs(3));
    assert!(contact(&mut world, A, 1).their_rules.interpreter);
}

#[test]
fn rules_of_both_sides_outlive_the_handset() {
    let mut world = met(905);
    let rules = ContactRules { interpreter: true, ..closed() };
    sets(&mut world, B, rules);
    world.run(secs(3));
    for party in [A, B] {
        world.kill_party(party);
        world.start_party(party);
    }
    lines_up(&mut world);
    assert_eq!(contact(&mut world, B, 1).rules, rules);
    assert_eq!(refuses(&mut world, A), Some(barred(Rule::Hours, Side::Theirs)));
    world.run(secs(10));
    assert_eq!(refuses(&mut world, B), Some(barred(Rule::Hours, Side::Own)));
    // A store from before there were rules has none, and is read.
    for party in [A, B] {
        world.kill_party(party);
        let rows = &mut world.parties[party].rows;
        let before = rows.len();
        rows.retain(|(space, _), _| *space != 20);
        assert_eq!(rows.len(), before - 1, "one row for one contact");
        world.start_party(party);
    }
    lines_up(&mut world);
    assert_eq!(contact(&mut world, B, 1).rules, ContactRules::default());
    world.run(secs(10));
    ring(&mut world, A, B);
}

/// Killed when the rule is on disk, or just before it would be: it is there, and is told; or neither.
#[test]
fn a_rule_is_kept_whole_or_not_at_all() {
    for (written, wanted) in [(true, true), (false, false)] {
        let mut world = met(906);
        let batch = world.parties[B].batches + 1;
        world.parties[B].death = Some(lab::party::Death { batch, written });
        sets(&mut world, B, closed());
        world.run_until(secs(10), |w| w.parties[B].phone.is_none());
        assert!(world.parties[B].phone.is_none(), "it died");
        world.start_party(B);
        lines_up(&mut world);
        world.run(secs(5));
        let has = contact(&mut world, B, 1).rules == closed();
        let told = contact(&mut world, A, 1).their_rules.hours.is_some();
        assert_eq!((has, told), (wanted, wanted));
    }
}

#[test]
fn a_refused_call_is_refused_again_on_its_next_leg_and_rings_when_the_rule_is_lifted() {
    let mut world = two(907);
    meet(&mut world, A, B, false);
    sets(&mut world, B, closed());
    world.command(A, Command::Call { contact: 1 }).unwrap();
    world.run(secs(3));
    // The caller's line is lost and made anew, with the same call.
    let again = |world: &mut World| {
        world.reach(A, false);
        world.run(secs(1));
        world.reach(A, true);
    };
    again(&mut world);
    world.run(secs(6));
    let now = world.now;
    assert_eq!(world.parties[B].view(now).history.len(), 1, "one call, one entry");
    assert_eq!(state(&mut world, A), Some(CallState::Calling));
    sets(&mut world, B, ContactRules::default());
    again(&mut world);
    world.until(B, secs(20), |e| matches!(e, Event::Incoming { .. }));
}
