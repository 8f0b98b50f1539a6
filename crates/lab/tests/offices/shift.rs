//! A switchboard position goes from one handset of a person to another, between shifts.
//!
//! Ada has two handsets at office 0; Boris is of office 1, Clara of office 0.

use core::time::Duration;

use call::{CallState, End};
use lab::party::Death;
use lab::world::World;
use phone::{Appointment, Command, Event, InputError, ShiftStage, ShiftView};
use wire::Wall;

use crate::devices::named;
use crate::support::*;
use crate::transfer::{A2, handset, link_second};

const CLARA: usize = 3;

/// Both handsets know Boris and Clara, and the first one is a position.
fn position(seed: u64) -> World {
    let mut world = two(seed);
    meet(&mut world, A, B, true);
    link_second(&mut world);
    assert_eq!(world.hire("Clara", 0), CLARA);
    lines_up(&mut world);
    let text = card(&mut world, A, true);
    world.command(CLARA, Command::RedeemCard { text, in_person: true }).unwrap();
    let shared = world.run_until(secs(60), |w| {
        let now = w.now;
        let there = w.parties[A2].view(now).contacts;
        there.iter().filter(|c| !c.own_device && c.ready).count() == 2
    });
    assert!(shared);
    for party in &mut world.parties {
        party.plays = false;
    }
    world.command(A, Command::SetPosition { recall: Some(secs(60)) }).unwrap();
    world
}

fn appointment(world: &mut World, party: usize, agenda: &str, people: &[&str]) {
    let people = people.iter().map(|name| named(world, party, name)).collect();
    let appointment = Appointment {
        at: Wall(world.wall().0 + 86_400),
        agenda: agenda.into(),
        people,
        language: "français".into(),
        here: 60,
        there: -300,
        note: format!("note on {agenda}"),
        remind: 10,
    };
    world.command(party, Command::Schedule { id: None, appointment }).unwrap();
}

/// What an agenda is about, in order.
fn agenda(world: &mut World, party: usize) -> Vec<String> {
    let now = world.now;
    let all = world.parties[party].view(now).agenda;
    let mut all: Vec<String> = all.into_iter().map(|a| a.appointment.agenda).collect();
    all.sort();
    all
}

fn given(world: &mut World, party: usize) -> Option<ShiftView> {
    let now = world.now;
    world.parties[party].view(now).shift_given
}

fn taken(world: &mut World, party: usize) -> Option<ShiftView> {
    let now = world.now;
    world.parties[party].view(now).shift_taken
}

fn is_position(world: &mut World, party: usize) -> bool {
    let now = world.now;
    world.parties[party].view(now).position.is_some()
}

/// It is offered, and the other one's person sees it.
fn hands_over(world: &mut World, from: usize, to: usize) {
    let sibling = handset(world, from);
    let note = String::from("Paris calls back at nine.");
    world.command(from, Command::HandOver { to: sibling, note }).unwrap();
    let came =
        world.run_until(secs(10), |w| taken(w, to).is_some_and(|s| s.stage == ShiftStage::Offered));
    assert!(came, "its person sees it");
}

/// It is over at both.
fn is_over(world: &mut World, from: usize, to: usize) {
    let over = world.run_until(secs(60), |w| {
        given(w, from).is_some_and(|s| s.stage == ShiftStage::Over)
            && taken(w, to).is_some_and(|s| s.stage == ShiftStage::Over)
    });
    assert!(over, "{:?} {:?}", given(world, from), taken(world, to));
}

#[test]
fn a_position_goes_over_with_its_parked_call_its_appointments_and_a_note() {
    let mut world = position(1200);
    appointment(&mut world, A, "Fisheries", &["Boris"]);
    appointment(&mut world, A, "Budget", &["Clara", "Boris"]);
    let ada = named(&mut world, B, "Anna");
    world.command(B, Command::Call { contact: ada }).unwrap();
    world.until(A, secs(10), |e| matches!(e, Event::Incoming { .. }));
    answer(&mut world, A);
    world.until(B, secs(10), |e| matches!(e, Event::Call { state: CallState::Connected, .. }));
    let parked = call(&mut world, A);
    let reason = String::from("the minister is called");
    world.command(A, Command::Park { call: parked, reason: reason.clone(), recall: None }).unwrap();
    // She speaks with somebody else meanwhile: that call is finished where it is.
    let clara = named(&mut world, A, "Clara");
    world.command(A, Command::Call { contact: clara }).unwrap();
    world.until(CLARA, secs(10), |e| matches!(e, Event::Incoming { .. }));
    answer(&mut world, CLARA);
    world.until(A, secs(10), |e| matches!(e, Event::Call { state: CallState::Connected, .. }));

    hands_over(&mut world, A, A2);
    let offered = taken(&mut world, A2).unwrap();
    assert_eq!((offered.appointments, offered.calls), ((2, 0), 1));
    assert_eq!(offered.note, "Paris calls back at nine.");
    world.run(secs(3));
    assert_eq!(agenda(&mut world, A).len(), 2, "nothing goes before it is taken");
    assert!(agenda(&mut world, A2).is_empty() && !is_position(&mut world, A2));

    world.command(A2, Command::TakeShift).unwrap();
    assert!(is_position(&mut world, A2) && is_position(&mut world, A), "there is always one");
    is_over(&mut world, A, A2);
    assert!(is_position(&mut world, A2) && !is_position(&mut world, A));
    assert_eq!((agenda(&mut world, A).len(), agenda(&mut world, A2).len()), (0, 2));
    let done = given(&mut world, A).unwrap();
    assert_eq!((done.appointments, done.left, done.parked), ((2, 2), vec![], vec![]));
    // The appointments are with the same people, by this handset's numbers.
    let now = world.now;
    let there = world.parties[A2].view(now).agenda;
    let budget = there.iter().find(|a| a.appointment.agenda == "Budget").unwrap();
    let people = ["Clara", "Boris"].map(|name| named(&mut world, A2, name));
    assert_eq!(budget.appointment.people, people);
    assert_eq!((budget.appointment.there, &*budget.appointment.note), (-300, "note on Budget"));
    // The parked call is there, and still on hold.
    let now = world.now;
    let call = world.parties[A2].view(now).calls.pop().unwrap();
    assert_eq!(call.state, CallState::HeldByMe);
    assert_eq!(call.parked.unwrap().reason, reason);
    assert_eq!(state(&mut world, B), Some(CallState::HeldByOther));
    let now = world.now;
    let here = world.parties[A].view(now).calls;
    let states: Vec<_> = here.iter().map(|c| c.state).collect();
    assert_eq!(states, [CallState::Ended(End::Moved), CallState::Connected]);
    assert_eq!(state(&mut world, CLARA), Some(CallState::Connected));
    // It was read, and is gone from both screens.
    world.command(A, Command::EndHandOver).unwrap();
    world.command(A2, Command::LeaveShift).unwrap();
    assert!(given(&mut world, A).is_none() && taken(&mut world, A2).is_none());
    assert_eq!(agenda(&mut world, A2).len(), 2);
}

#[test]
fn a_position_that_is_not_taken_or_is_taken_back_stays_whole() {
    let mut world = position(1201);
    appointment(&mut world, A, "Fisheries", &["Boris"]);
    hands_over(&mut world, A, A2);
    let sibling = handset(&mut world, A);
    let twice = world.command(A, Command::HandOver { to: sibling, note: String::new() });
    assert!(matches!(twice, Err(InputError::WrongState(_))));
    world.command(A2, Command::LeaveShift).unwrap();
    let told = |w: &mut World| given(w, A).is_some_and(|s| s.stage == ShiftStage::NotTaken);
    assert!(world.run_until(secs(5), told));
    hands_over(&mut world, A, A2);
    world.command(A, Command::EndHandOver).unwrap();
    assert!(world.run_until(secs(5), |w| taken(w, A2).is_none()));
    assert!(matches!(world.command(A2, Command::TakeShift), Err(InputError::NoSuch(_))));
    // Nobody looks at it for so long that it is not true any more.
    world.reach(A2, false);
    world.command(A, Command::HandOver { to: sibling, note: "old".into() }).unwrap();
    world.run(secs(2));
    for party in [A, B, CLARA] {
        world.kill_party(party);
    }
    world.run(secs(601));
    world.start_party(A);
    world.reach(A2, true);
    assert!(world.run_until(secs(60), told));
    assert!(taken(&mut world, A2).is_none());
    assert_eq!(agenda(&mut world, A), ["Fisheries"]);
    assert!(is_position(&mut world, A) && !is_position(&mut world, A2));
}

/// The next handset does not know somebody: that appointment stays, and is named; one that is on its way is not changed.
#[test]
fn what_the_next_handset_cannot_take_stays_and_is_named() {
    let mut world = position(1202);
    appointment(&mut world, A, "Budget", &["Clara"]);
    let dora = world.hire("Dora", 1);
    lines_up(&mut world);
    let text = card(&mut world, dora, true);
    world.reach(dora, false);
    world.command(A, Command::RedeemCard { text, in_person: true }).unwrap();
    world.run(secs(3));
    appointment(&mut world, A, "Secret", &["Dora"]);
    hands_over(&mut world, A, A2);
    world.command(A2, Command::TakeShift).unwrap();
    let going =
        world.run_until(secs(5), |w| given(w, A).is_some_and(|s| s.stage == ShiftStage::UnderWay));
    assert!(going);
    let now = world.now;
    for id in world.parties[A].view(now).agenda.into_iter().map(|a| a.id).collect::<Vec<_>>() {
        let gone = world.command(A, Command::Unschedule { id });
        assert!(matches!(gone, Err(InputError::WrongState(_))), "it is on its way");
    }
    is_over(&mut world, A, A2);
    assert_eq!(agenda(&mut world, A), ["Secret"]);
    assert_eq!(agenda(&mut world, A2), ["Budget"]);
    let now = world.now;
    let stays = world.parties[A].view(now).agenda.pop().unwrap().id;
    let done = given(&mut world, A).unwrap();
    assert_eq!((done.appointments, done.left), ((2, 1), vec![stays]));
}

/// Either handset is killed at each row that it writes in a hand-over, before and after it is written, and started again. Each
/// appointment is at one of both, or both; at the end at one.
#[test]
fn whoever_is_killed_in_the_middle_nothing_is_lost() {
    let mut world = position(1203);
    let all = ["Budget", "Fisheries", "Protocol"];
    for what in all {
        appointment(&mut world, A, what, &["Boris", "Clara"]);
    }
    let (mut from, mut to) = (A, A2);
    for step in 1..=6 {
        for (giver_dies, written) in [(true, step % 2 == 0), (false, step % 2 == 1)] {
            hands_over(&mut world, from, to);
            let victim = if giver_dies { from } else { to };
            world.command(to, Command::TakeShift).unwrap();
            let batch = world.parties[victim].batches + step;
            world.parties[victim].death = Some(Death { batch, written });
            world.run_until(secs(3), |w| w.parties[victim].phone.is_none());
            world.parties[victim].death = None;
            if world.parties[victim].phone.is_none() {
                world.start_party(victim);
            }
            let either: std::collections::BTreeSet<String> =
                [A, A2].into_iter().flat_map(|p| agenda(&mut world, p)).collect();
            assert!(either.iter().eq(all), "step {step}: {either:?}");
            lines_up(&mut world);
            // Killed before its row was on disk, the taking was forgotten: its person taps again.
            world.run(secs(2));
            if taken(&mut world, to).is_some_and(|s| s.stage == ShiftStage::Offered) {
                world.command(to, Command::TakeShift).unwrap();
            }
            is_over(&mut world, from, to);
            assert_eq!(agenda(&mut world, to), all, "step {step}, giver {giver_dies}");
            assert!(agenda(&mut world, from).is_empty());
            assert!(is_position(&mut world, to) && !is_position(&mut world, from));
            core::mem::swap(&mut from, &mut to);
            world.run(Duration::from_secs(1));
        }
    }
}
