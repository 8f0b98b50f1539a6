//! A switchboard position: several calls on one handset, and one of them spoken in.
//!
//! Ada has the position in office 0. Boris is of office 1; Clara and Dora are of office 0, so that no trunk's room matters.

use core::time::Duration;

use call::{CallState, End};
use lab::world::World;
use phone::{CallView, Command, Event, InputError};

use crate::support::*;

const ADA: usize = 0;
const BORIS: usize = 1;
const CLARA: usize = 2;
const DORA: usize = 3;

/// After it parked calls are recalled here.
const MINUTE: Duration = secs(60);

/// Ada's contacts 1, 2 and 3 are Boris, Clara and Dora, all met in person; she is everybody's contact 1.
fn staffed(seed: u64) -> World {
    let mut world = two(seed);
    world.hire("Clara", 0);
    world.hire("Dora", 0);
    lines_up(&mut world);
    for other in [BORIS, CLARA, DORA] {
        meet(&mut world, ADA, other, true);
    }
    world
}

/// The same, and Ada's handset is a position.
fn position(seed: u64) -> World {
    let mut world = staffed(seed);
    world.command(ADA, Command::SetPosition { recall: Some(MINUTE) }).unwrap();
    // Without loudspeakers time passes faster.
    for party in &mut world.parties {
        party.plays = false;
    }
    world
}

fn calls(world: &mut World) -> Vec<CallView> {
    let now = world.now;
    world.parties[ADA].view(now).calls
}

/// Ada's call with a contact, that is not over.
fn with(world: &mut World, contact: u32) -> CallView {
    let live = |c: &CallView| c.contact == contact && !matches!(c.state, CallState::Ended(_));
    calls(world).into_iter().find(live).unwrap()
}

/// A caller rings Ada.
fn rings(world: &mut World, caller: usize) {
    world.command(caller, Command::Call { contact: 1 }).unwrap();
    world.until(ADA, secs(10), |e| matches!(e, Event::Incoming { .. }));
}

/// Ada answers a contact's call, and speaks with it.
fn takes(world: &mut World, contact: u32) {
    let call = with(world, contact).id;
    world.command(ADA, Command::Answer { call }).unwrap();
    one_speaks(world);
    let so = world.run_until(secs(5), |w| with(w, contact).state == CallState::Connected);
    assert!(so, "{:?}", with(world, contact).state);
    one_speaks(world);
}

fn is(world: &mut World, party: usize, wanted: CallState) {
    let so = world.run_until(secs(10), |w| state(w, party) == Some(wanted));
    assert!(so, "party {party}: wanted {wanted:?}, got {:?}", state(world, party));
}

/// Of all her calls, at most one is neither held nor over nor waits.
fn one_speaks(world: &mut World) {
    let open = |s: CallState| {
        !matches!(s, CallState::HeldByMe | CallState::RingingHere | CallState::Ended(_))
    };
    let states: Vec<_> = calls(world).iter().map(|c| c.state).collect();
    assert!(states.iter().filter(|s| open(**s)).count() <= 1, "{states:?}");
}

/// Whether a party hears something now.
fn hears_somebody(world: &mut World, party: usize) -> bool {
    world.run(secs(1));
    let loud = hears(world, party, secs(1));
    let heard = loud > -40.0;
    assert!(heard || loud < -100.0, "party {party} hears all or nothing: {loud} dB");
    heard
}

#[test]
fn a_handset_that_is_no_position_is_busy_in_a_call_as_ever() {
    let mut world = staffed(1000);
    rings(&mut world, BORIS);
    takes(&mut world, 1);
    world.command(CLARA, Command::Call { contact: 1 }).unwrap();
    ended(&mut world, CLARA, End::Busy);
    // It is turned on, and off again.
    for (recall, waits) in [(Some(MINUTE), true), (None, false)] {
        world.command(ADA, Command::SetPosition { recall }).unwrap();
        world.run(secs(5));
        world.command(DORA, Command::Call { contact: 1 }).unwrap();
        world.run(secs(3));
        assert_eq!(state(&mut world, DORA) == Some(CallState::Ringing), waits);
        if waits {
            hang_up(&mut world, DORA);
        }
        world.run(secs(12));
    }
}

#[test]
fn calls_wait_in_the_queue_and_their_callers_are_told_the_truth() {
    let mut world = position(1001);
    rings(&mut world, BORIS);
    takes(&mut world, 1);
    rings(&mut world, CLARA);
    world.run(secs(4));
    rings(&mut world, DORA);
    // Trusted: it rings there, and does.
    for caller in [CLARA, DORA] {
        is(&mut world, caller, CallState::Ringing);
    }
    assert_eq!(with(&mut world, 1).state, CallState::Connected, "the call is not disturbed");
    world.run(secs(6));
    let now = world.wall().0;
    let waits = [2, 3].map(|contact| now - with(&mut world, contact).came.0);
    assert!(waits[0] >= 10 && waits[0] - waits[1] >= 4, "{waits:?}");
    // Whoever gives up has left the queue, and is a missed call.
    hang_up(&mut world, CLARA);
    world.until(ADA, secs(5), |e| *e == Event::Missed { contact: 2 });
    assert_eq!(latest(&mut world, ADA), Some((End::Missed, true)));
    takes(&mut world, 3);
    is(&mut world, BORIS, CallState::HeldByOther);
}

#[test]
fn who_may_not_know_is_told_nothing_in_the_queue_either() {
    let mut world = position(1002);
    world.command(ADA, Command::SetTrusted { contact: 2, trusted: Some(false) }).unwrap();
    rings(&mut world, BORIS);
    takes(&mut world, 1);
    rings(&mut world, CLARA);
    world.run(secs(10));
    assert_eq!(state(&mut world, CLARA), Some(CallState::Calling), "as if nobody were there");
    takes(&mut world, 2);
    is(&mut world, CLARA, CallState::Connected);
}

#[test]
fn nine_cannot_wait_and_the_ninth_is_told_that_it_is_busy() {
    let mut world = World::new(1, 1003);
    world.hire("Ada", 0);
    for i in 0..10 {
        world.hire(&format!("Caller {i}"), 0);
    }
    lines_up(&mut world);
    for caller in 1..=10 {
        meet(&mut world, 0, caller, true);
    }
    world.command(ADA, Command::SetPosition { recall: Some(MINUTE) }).unwrap();
    rings(&mut world, 1);
    takes(&mut world, 1);
    for caller in 2..=9 {
        rings(&mut world, caller);
        is(&mut world, caller, CallState::Ringing);
    }
    world.command(10, Command::Call { contact: 1 }).unwrap();
    ended(&mut world, 10, End::Busy);
    let waiting = calls(&mut world).iter().filter(|c| c.state == CallState::RingingHere).count();
    assert_eq!(waiting, 8);
}

/// Everybody's pitch is heard where it belongs, and nowhere else, whoever is answered, held, parked and resumed.
#[test]
fn one_call_has_the_microphone_and_the_others_hear_nothing() {
    let mut world = position(1004);
    for (party, tone) in [(ADA, 220.0), (BORIS, 150.0), (CLARA, 180.0), (DORA, 260.0)] {
        (world.parties[party].tone, world.parties[party].plays) = (Some(tone), true);
    }
    rings(&mut world, BORIS);
    takes(&mut world, 1);
    rings(&mut world, CLARA);
    rings(&mut world, DORA);
    let heard = |w: &mut World| [BORIS, CLARA, DORA].map(|party| hears_somebody(w, party));
    assert_eq!(heard(&mut world), [true, false, false]);
    takes(&mut world, 2);
    assert_eq!(heard(&mut world), [false, true, false]);
    takes(&mut world, 3);
    assert_eq!(heard(&mut world), [false, false, true]);
    assert!(hears_somebody(&mut world, ADA));
    // The first is resumed, and then parked: nobody has the microphone.
    let first = with(&mut world, 1).id;
    world.command(ADA, Command::Hold { call: first, on: false }).unwrap();
    one_speaks(&mut world);
    assert_eq!(heard(&mut world), [true, false, false]);
    world.command(ADA, Command::Park { call: first, reason: String::new(), recall: None }).unwrap();
    assert_eq!(heard(&mut world), [false, false, false]);
    assert!(!hears_somebody(&mut world, ADA));
    let last = with(&mut world, 3).id;
    world.command(ADA, Command::Hold { call: last, on: false }).unwrap();
    assert_eq!(heard(&mut world), [false, false, true]);
    // It ends: nobody else gets the microphone by itself.
    hang_up(&mut world, DORA);
    world.run(secs(2));
    assert_eq!([BORIS, CLARA].map(|party| hears_somebody(&mut world, party)), [false, false]);
}

/// The microphone opens neither in the call that was asked for before, nor in one that is resumed meanwhile.
#[test]
fn while_a_call_is_being_placed_no_other_takes_the_floor() {
    let mut world = position(1005);
    rings(&mut world, BORIS);
    takes(&mut world, 1);
    let boris = with(&mut world, 1).id;
    world.command(ADA, Command::Hold { call: boris, on: true }).unwrap();
    rings(&mut world, CLARA);
    world.command(ADA, Command::Call { contact: 3 }).unwrap();
    world.until(DORA, secs(5), |e| matches!(e, Event::Incoming { .. }));
    let clara = with(&mut world, 2).id;
    for command in [Command::Answer { call: clara }, Command::Hold { call: boris, on: false }] {
        assert!(matches!(world.command(ADA, command), Err(InputError::WrongState(_))));
        one_speaks(&mut world);
    }
    answer(&mut world, DORA);
    let so = world.run_until(secs(5), |w| with(w, 3).state == CallState::Connected);
    assert!(so);
    takes(&mut world, 2);
    assert_eq!(with(&mut world, 3).state, CallState::HeldByMe);
}

#[test]
fn a_parked_call_says_why_and_since_when_and_is_recalled_once() {
    let mut world = position(1006);
    rings(&mut world, BORIS);
    takes(&mut world, 1);
    let call = with(&mut world, 1).id;
    let (parked, since) = (world.now, world.wall());
    let park = |recall| Command::Park { call, reason: "The minister is called".into(), recall };
    world.command(ADA, park(None)).unwrap();
    is(&mut world, BORIS, CallState::HeldByOther);
    world.run(secs(20));
    let view = with(&mut world, 1).parked.unwrap();
    assert_eq!((view.reason.as_str(), view.since), ("The minister is called", since));
    assert_eq!((view.recall.0, view.recalled), (since.0 + 60, false));
    let recall = Event::Recall { call };
    let at = world.until(ADA, secs(50), |e| *e == recall);
    assert!(at.since(parked) >= MINUTE && at.since(parked) < secs(61), "{:?}", at.since(parked));
    world.run(secs(70));
    let recalls = |w: &World| w.parties[ADA].events.iter().filter(|(_, e)| *e == recall).count();
    assert_eq!((recalls(&world), state(&mut world, BORIS)), (1, Some(CallState::HeldByOther)));
    assert!(with(&mut world, 1).parked.unwrap().recalled);
    // Parked again, it waits since it was first; resumed before its time, it is not recalled.
    world.command(ADA, park(Some(secs(30)))).unwrap();
    let view = with(&mut world, 1).parked.unwrap();
    assert_eq!((view.since, view.recalled), (since, false));
    world.run(secs(10));
    world.command(ADA, Command::Hold { call, on: false }).unwrap();
    is(&mut world, BORIS, CallState::Connected);
    assert!(with(&mut world, 1).parked.is_none());
    world.run(secs(30));
    assert_eq!(recalls(&world), 1);
    // Who hangs up while parked is gone.
    world.command(ADA, park(Some(secs(30)))).unwrap();
    hang_up(&mut world, BORIS);
    ended(&mut world, ADA, End::ByOther);
    world.run(secs(35));
    assert_eq!(recalls(&world), 1);
    let long = Command::Park { call, reason: "x".repeat(201), recall: None };
    assert!(matches!(world.command(ADA, long), Err(InputError::TooLong { .. })));
}

/// Clara speaks with Dora; Ada rings her again until she is free.
fn camps_on(world: &mut World, time: Duration) {
    world
        .command(DORA, Command::IssueCard { hint: String::new(), in_person: true, ttl: secs(600) })
        .unwrap();
    world.until(DORA, secs(10), |e| matches!(e, Event::CardIssued { .. }));
    let now = world.now;
    let text = world.parties[DORA].view(now).cards.pop().unwrap().link.unwrap();
    world.command(CLARA, Command::RedeemCard { text, in_person: true }).unwrap();
    world.until(CLARA, secs(20), |e| matches!(e, Event::ContactAccepted { .. }));
    world.run(secs(5));
    world.command(CLARA, Command::Call { contact: 2 }).unwrap();
    world.until(DORA, secs(5), |e| matches!(e, Event::Incoming { .. }));
    answer(world, DORA);
    is(world, CLARA, CallState::Connected);
    let early = Command::Camp { contact: 2, time };
    assert!(matches!(world.command(ADA, early), Err(InputError::WrongState(_))), "not busy yet");
    world.command(ADA, Command::Call { contact: 2 }).unwrap();
    ended(world, ADA, End::Busy);
    world.command(ADA, Command::Camp { contact: 2, time }).unwrap();
}

fn camps(world: &mut World) -> usize {
    let now = world.now;
    world.parties[ADA].view(now).camps.len()
}

#[test]
fn a_contact_that_was_busy_is_rung_as_soon_as_it_is_free() {
    let mut world = position(1007);
    camps_on(&mut world, secs(600));
    world.run(secs(90));
    assert_eq!(state(&mut world, CLARA), Some(CallState::Connected), "she is not disturbed");
    let now = world.now;
    assert_eq!(world.parties[CLARA].view(now).missed, 1, "however often: one call");
    assert_eq!(camps(&mut world), 1);
    hang_up(&mut world, DORA);
    world.until(CLARA, secs(30), |e| matches!(e, Event::Incoming { contact: 1, .. }));
    answer(&mut world, CLARA);
    is(&mut world, CLARA, CallState::Connected);
    is(&mut world, ADA, CallState::Connected);
    assert_eq!(camps(&mut world), 0);
    let now = world.now;
    let placed = |h: &&phone::HistoryView| h.contact == 2;
    assert_eq!(world.parties[ADA].view(now).history.iter().filter(placed).count(), 1);
}

#[test]
fn nobody_is_rung_again_while_another_is_spoken_with_and_a_call_that_waits_goes_first() {
    let mut world = position(1008);
    camps_on(&mut world, secs(600));
    rings(&mut world, BORIS);
    takes(&mut world, 1);
    hang_up(&mut world, DORA);
    let from = world.now;
    world.run(secs(60));
    let rang = world.parties[CLARA].saw(from, |e| matches!(e, Event::Incoming { .. }));
    assert!(rang.is_none(), "Ada speaks with Boris");
    one_speaks(&mut world);
    hang_up(&mut world, BORIS);
    world.until(CLARA, secs(10), |e| matches!(e, Event::Incoming { contact: 1, .. }));
    // It rings at Clara's; Ada takes another call, and that attempt gives way.
    rings(&mut world, BORIS);
    takes(&mut world, 1);
    is(&mut world, CLARA, CallState::Ended(End::Missed));
    assert_eq!(camps(&mut world), 1, "and is made again");
    is(&mut world, BORIS, CallState::Connected);
    hang_up(&mut world, BORIS);
    world.until(CLARA, secs(30), |e| matches!(e, Event::Incoming { contact: 1, .. }));
}

#[test]
fn it_is_given_up_by_its_person_or_when_its_time_is_over() {
    let mut world = position(1009);
    camps_on(&mut world, secs(70));
    let over = Event::CampOver { contact: 2 };
    world.until(ADA, secs(75), |e| *e == over);
    assert_eq!(camps(&mut world), 0);
    world.run(secs(15));
    world.command(ADA, Command::Camp { contact: 2, time: secs(600) }).unwrap();
    world.run(secs(5));
    world.command(ADA, Command::EndCamp { contact: 2 }).unwrap();
    hang_up(&mut world, DORA);
    let from = world.now;
    world.run(secs(60));
    let rang = world.parties[CLARA].saw(from, |e| matches!(e, Event::Incoming { .. }));
    assert!(rang.is_none() && camps(&mut world) == 0);
}

#[test]
fn a_position_is_one_after_a_restart_too() {
    let mut world = position(1010);
    let recall = |w: &mut World| {
        let now = w.now;
        w.parties[ADA].view(now).position
    };
    for wanted in [Some(MINUTE), None] {
        world.command(ADA, Command::SetPosition { recall: wanted }).unwrap();
        world.run(secs(1));
        world.kill_party(ADA);
        world.start_party(ADA);
        lines_up(&mut world);
        assert_eq!(recall(&mut world), wanted);
    }
    world.command(ADA, Command::SetPosition { recall: Some(secs(1)) }).unwrap();
    assert_eq!(recall(&mut world), Some(secs(10)), "no shorter");
}
