//! Appointments: reminders that are not lost, and are not shown to whoever has seen them.

use call::CallState;
use lab::world::World;
use phone::{Appointment, AppointmentView, Command, Event, InputError};
use wire::Wall;

use crate::support::*;

/// Two who have met, without loudspeakers: time passes faster.
fn silent(seed: u64) -> World {
    let mut world = met(seed);
    for party in &mut world.parties {
        party.plays = false;
    }
    world
}

fn at(world: &World, minutes: u64) -> Appointment {
    Appointment {
        at: Wall(world.wall().0 + minutes * 60),
        agenda: "Fisheries".into(),
        people: vec![1],
        language: "français".into(),
        here: 60,
        there: -300,
        note: "He was ill; ask.".into(),
        remind: 1,
    }
}

fn list(world: &mut World) -> Vec<AppointmentView> {
    let now = world.now;
    world.parties[A].view(now).agenda
}

fn schedule(world: &mut World, id: Option<u32>, appointment: Appointment) {
    world.command(A, Command::Schedule { id, appointment }).unwrap();
    world.run(secs(1));
}

fn again(world: &mut World) {
    world.kill_party(A);
    world.start_party(A);
    lines_up(world);
}

/// How often A was reminded of an appointment.
fn reminders(world: &World, appointment: u32) -> usize {
    let is = Event::Reminder { appointment };
    world.parties[A].events.iter().filter(|(_, e)| *e == is).count()
}

#[test]
fn an_appointment_reminds_before_its_time_and_outlives_the_handset() {
    let mut world = silent(1100);
    let appointment = at(&world, 4);
    schedule(&mut world, None, appointment.clone());
    again(&mut world);
    assert_eq!(list(&mut world), [AppointmentView { id: 1, appointment, due: false }]);
    let from = world.now;
    let told = world.until(A, secs(200), |e| *e == Event::Reminder { appointment: 1 });
    assert!(told.since(from) > secs(150), "a minute before: {:?}", told.since(from));
    assert!(list(&mut world)[0].due);
    world.run(secs(10));
    assert_eq!(reminders(&world, 1), 1, "once");
    // Nobody has said that it was seen: the next run of the program tells again.
    again(&mut world);
    world.run(secs(5));
    assert_eq!(reminders(&world, 1), 2);
    world.command(A, Command::Reminded { id: 1 }).unwrap();
    world.run(secs(1));
    again(&mut world);
    world.run(secs(20));
    assert!(reminders(&world, 1) == 2 && !list(&mut world)[0].due, "never again");
}

#[test]
fn a_reminder_whose_time_came_while_the_handset_was_off_is_shown_at_its_start() {
    let mut world = silent(1101);
    let appointment = at(&world, 2);
    schedule(&mut world, None, appointment);
    world.kill_party(A);
    world.run(secs(150));
    world.start_party(A);
    world.run(secs(5));
    assert!(reminders(&world, 1) == 1 && list(&mut world)[0].due);
    // Put off, it reminds anew.
    let later = at(&world, 3);
    schedule(&mut world, Some(1), later.clone());
    assert_eq!(list(&mut world), [AppointmentView { id: 1, appointment: later, due: false }]);
    world.run(secs(125));
    assert_eq!(reminders(&world, 1), 2);
}

#[test]
fn an_appointment_rings_the_first_of_its_people() {
    let mut world = silent(1102);
    let appointment = at(&world, 5);
    schedule(&mut world, None, appointment);
    world.command(A, Command::Start { id: 1 }).unwrap();
    world.until(B, secs(5), |e| matches!(e, Event::Incoming { .. }));
    assert!(!list(&mut world)[0].due, "whoever calls needs no reminder");
    answer(&mut world, B);
    both_are(&mut world, CallState::Connected);
    world.command(A, Command::Unschedule { id: 1 }).unwrap();
    world.run(secs(1));
    again(&mut world);
    assert!(list(&mut world).is_empty());
}

#[test]
fn what_is_no_appointment_is_refused_and_changes_nothing() {
    let mut world = silent(1103);
    let good = at(&world, 5);
    schedule(&mut world, None, good.clone());
    for (id, wrong) in [
        (None, Appointment { people: Vec::new(), ..good.clone() }),
        (None, Appointment { people: vec![1; 8], ..good.clone() }),
        (None, Appointment { people: vec![1, 9], ..good.clone() }),
        (Some(1), Appointment { note: "x".repeat(2_001), ..good.clone() }),
        (Some(1), Appointment { language: "x".repeat(65), ..good.clone() }),
        (Some(1), Appointment { there: 841, ..good.clone() }),
        (Some(1), Appointment { remind: 10_081, ..good.clone() }),
        (Some(2), good.clone()),
    ] {
        assert!(world.command(A, Command::Schedule { id, appointment: wrong }).is_err());
    }
    assert!(matches!(world.command(A, Command::Start { id: 9 }), Err(InputError::NoSuch(_))));
    assert_eq!(list(&mut world)[0].appointment, good);
    // Those of the week before last make room; those of yesterday stay.
    let year = 366 * 1_440;
    let old = Appointment { at: Wall(world.wall().0 - 8 * 86_400), ..good.clone() };
    let yesterday = Appointment { at: Wall(world.wall().0 - 86_400), ..good };
    schedule(&mut world, None, old);
    schedule(&mut world, None, yesterday);
    let next = at(&world, year);
    schedule(&mut world, None, next);
    assert_eq!(list(&mut world).iter().map(|a| a.id).collect::<Vec<_>>(), [3, 1, 4]);
}
