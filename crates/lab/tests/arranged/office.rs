//! The offices' rules about their principals' lines: none of them calls another office itself, and staff arranges what there is to say.
//! It is Tuesday, 22:13:20 UTC.

use call::{Barred, CallState, End, Side};
use exchange::OfficeRule;
use lab::world::World;
use phone::{BarredView, Command, Event, RoomStage};
use wire::talk::Role;
use wire::{Hours, Rule};

use crate::staff::*;
use crate::support::{answer, ended, hears, latest, lines_up, meet, secs, state};

const LIFTS: &str = "the protocol office, room 12";

fn rule(world: &mut World, office: usize, who: &str, staff: bool, hours: Option<Hours>) {
    let lifts = wire::Text::new(LIFTS).unwrap();
    world.rule(office, who, Some(OfficeRule { staff, hours, lifts }));
    world.run(secs(1));
}

fn closed() -> Option<Hours> {
    call::hours::read("Mon-Fri 09:00-18:00 +00:00").ok()
}

fn shown(rule: Rule) -> Option<BarredView> {
    let barred = Barred { rule, of: Side::Office };
    Some(BarredView { barred, lifted_by: vec![LIFTS.to_owned()] })
}

/// Why a party's latest call came to nothing, as its history has it.
fn why(world: &mut World, party: usize) -> Option<BarredView> {
    let now = world.now;
    world.parties[party].view(now).history.first().and_then(|h| h.barred.clone())
}

/// Paula and Pavel know each other, and each office says: through staff.
fn both_through_staff(seed: u64) -> World {
    let mut world = staffed(seed);
    meet(&mut world, P1, P2, true);
    rule(&mut world, 0, "Paula", true, None);
    rule(&mut world, 1, "Pavel", true, None);
    world
}

#[test]
fn attendants_arrange_a_call_of_principals_who_may_not_call_each_other() {
    let mut world = both_through_staff(170);
    world.code_finely();
    let contact = number(&mut world, P1, "Pavel");
    world.command(P1, Command::Call { contact }).unwrap();
    let by_office = End::ByRule(Barred { rule: Rule::ThroughStaff, of: Side::Office });
    ended(&mut world, P1, by_office);
    assert_eq!(why(&mut world, P1), shown(Rule::ThroughStaff));
    assert_eq!(latest(&mut world, P1), Some((by_office, false)), "no missed call of her own");
    assert_eq!(state(&mut world, P2), None, "nothing of it came there");
    world.run(secs(12));

    attendants_speak(&mut world);
    bring(&mut world, A1, P1, "Paula", Role::Principal, secs(2));
    bring(&mut world, A2, P2, "Pavel", Role::Principal, secs(2));
    world.run(secs(3));
    connect(&mut world, A1);
    connected(&mut world, &[P1, P2], secs(2));
    world.run(secs(1));
    for party in [P1, P2] {
        assert!(hears(&mut world, party, secs(2)) > -40.0, "principal {party} hears the other");
    }
    // The rule changes under way: they speak on.
    rule(&mut world, 0, "Paula", true, closed());
    assert_eq!(stage(&mut world, P1), Some(RoomStage::Connected));
    assert!(hears(&mut world, P2, secs(1)) > -40.0);
}

#[test]
fn a_call_that_was_not_placed_costs_nothing_and_the_next_one_finds_its_keys() {
    let mut world = staffed(171);
    unheard(&mut world);
    meet(&mut world, P1, P2, true);
    rule(&mut world, 0, "Paula", false, closed());
    let contact = number(&mut world, P1, "Pavel");
    for _ in 0..3 {
        world.command(P1, Command::Call { contact }).unwrap();
        ended(&mut world, P1, End::ByRule(Barred { rule: Rule::Hours, of: Side::Office }));
        world.run(secs(11));
    }
    let now = world.now;
    let view = world.parties[P1].view(now);
    assert_eq!(view.history.len(), 3, "each stands in the history");
    assert!(view.contacts.iter().find(|c| c.id == contact).unwrap().ready, "keys are there");
    // Who can lift it is known after a restart, too.
    world.kill_party(P1);
    world.start_party(P1);
    lines_up(&mut world);
    assert_eq!(why(&mut world, P1), shown(Rule::Hours));
    world.run(secs(10));
    world.rule(0, "Paula", None);
    world.run(secs(1));
    world.command(P1, Command::Call { contact }).unwrap();
    world.until(P2, secs(5), |e| matches!(e, Event::Incoming { .. }));
    answer(&mut world, P2);
    let so = world.run_until(secs(5), |w| state(w, P1) == Some(CallState::Connected));
    assert!(so, "and the call goes well");
}

#[test]
fn who_was_called_against_a_rule_has_a_missed_call_that_says_so_and_can_be_called_when_it_is_lifted()
 {
    let mut world = both_through_staff(172);
    unheard(&mut world);
    world.rule(0, "Paula", None);
    world.run(secs(1));
    let contact = number(&mut world, P1, "Pavel");
    world.command(P1, Command::Call { contact }).unwrap();
    world.until(P2, secs(5), |e| matches!(e, Event::Missed { .. }));
    assert_eq!(why(&mut world, P2), shown(Rule::ThroughStaff));
    let now = world.now;
    assert_eq!(world.parties[P2].view(now).missed, 1);
    assert_eq!(state(&mut world, P1), Some(CallState::Calling), "she hears nothing of it");
    ended(&mut world, P1, End::NoAnswer);
    world.run(secs(60));
    let now = world.now;
    assert_eq!(world.parties[P2].view(now).history.len(), 1, "once");
    world.rule(1, "Pavel", None);
    world.run(secs(1));
    world.command(P1, Command::Call { contact }).unwrap();
    world.until(P2, secs(5), |e| matches!(e, Event::Incoming { .. }));
    answer(&mut world, P2);
    let so = world.run_until(secs(10), |w| state(w, P1) == Some(CallState::Connected));
    assert!(so, "with keys that are made for it");
}

/// An attendant whose own line may not call abroad brings nobody in from there, and reads why.
#[test]
fn nobody_is_brought_in_from_another_office_against_a_rule() {
    let mut world = staffed(173);
    unheard(&mut world);
    meet(&mut world, A1, P2, true);
    attendants_speak(&mut world);
    rule(&mut world, 0, "Ada", false, closed());
    ring_in(&mut world, A1, "Pavel", Role::Principal, "Paula");
    let so = world.run_until(secs(5), |w| {
        room(w, A1).is_some_and(|room| room.bringing.iter().any(|b| b.over.is_some()))
    });
    assert!(so);
    let over = room(&mut world, A1).unwrap().bringing.remove(0);
    assert_eq!(over.barred, shown(Rule::Hours));
    assert_eq!(state(&mut world, P2), None);
    assert_eq!(state(&mut world, A2), Some(CallState::Connected), "the call itself goes on");
    // Within the office, she can.
    bring(&mut world, A1, P1, "Paula", Role::Principal, secs(1));
}

/// The line is lost in a call: what is made anew is a new call to the exchange, and a rule that came meanwhile holds for it.
#[test]
fn a_call_whose_way_is_lost_comes_back_only_if_it_may_be_placed() {
    for ruled in [false, true] {
        let mut world = staffed(174);
        unheard(&mut world);
        meet(&mut world, P1, P2, true);
        let contact = number(&mut world, P1, "Pavel");
        world.command(P1, Command::Call { contact }).unwrap();
        world.until(P2, secs(5), |e| matches!(e, Event::Incoming { .. }));
        answer(&mut world, P2);
        let so = world.run_until(secs(5), |w| state(w, P1) == Some(CallState::Connected));
        assert!(so);
        if ruled {
            rule(&mut world, 0, "Paula", true, None);
            assert_eq!(state(&mut world, P1), Some(CallState::Connected), "not cut");
        }
        world.reach(P1, false);
        world.run(secs(2));
        world.reach(P1, true);
        world.run(secs(10));
        let wanted = match ruled {
            false => CallState::Connected,
            true => {
                CallState::Ended(End::ByRule(Barred { rule: Rule::ThroughStaff, of: Side::Office }))
            }
        };
        let so = world.run_until(secs(10), |w| state(w, P1) == Some(wanted));
        assert!(so, "{wanted:?}: {:?}", state(&mut world, P1));
    }
}
