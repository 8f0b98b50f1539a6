//! Lamps: what a person is doing, for those of the same office to whom the owner shows it. What others must not learn of
//! it: `attacks/lamps.rs`.

use core::time::Duration;

use call::CallState;
use call::contact::Progress;
use call::lamp::Shown;
use lab::net::{Burst, Conditions};
use lab::world::World;
use phone::{Command, Event, InputError};
use wire::Time;

use crate::devices::{link, named};
use crate::support::*;

/// Anna's second handset, in the tests with one.
const A2: usize = 2;

/// Anna and her attendant Ada in one office, Boris in another; Anna shows Ada her lamp.
fn office(seed: u64) -> (World, usize) {
    let mut world = two(seed);
    let ada = world.hire("Ada", 0);
    lines_up(&mut world);
    meet(&mut world, A, B, true);
    meet(&mut world, A, ada, true);
    quiet(&mut world);
    shows(&mut world, "Ada");
    (world, ada)
}

/// Nobody listens: time passes faster.
fn quiet(world: &mut World) {
    world.parties.iter_mut().for_each(|p| p.plays = false);
}

fn shows(world: &mut World, name: &str) {
    let contact = named(world, A, name);
    world.command(A, Command::SetLamp { contact, shown: true }).unwrap();
}

/// Anna's lamp, as somebody sees it.
fn lamp(world: &mut World, party: usize) -> Option<Shown> {
    let number = named(world, party, "Anna");
    contact(world, party, number).lamp
}

/// Looked at ten times a second: to look after each event would take longer than all that happens.
fn becomes(world: &mut World, party: usize, wanted: Shown, within: u64) {
    for _ in 0..within * 10 {
        if lamp(world, party) == Some(wanted) {
            return;
        }
        world.run(Duration::from_millis(100));
    }
    assert_eq!(lamp(world, party), Some(wanted), "within {within} s");
}

fn away(world: &mut World, party: usize, on: bool) {
    world.command(party, Command::SetAway { on }).unwrap();
}

#[test]
fn a_lamp_follows_its_person() {
    let (mut world, ada) = office(1_000);
    becomes(&mut world, ada, Shown::Free, 1);
    ring(&mut world, B, A);
    becomes(&mut world, ada, Shown::Ringing, 3);
    answer(&mut world, A);
    becomes(&mut world, ada, Shown::OnCall, 3);
    let id = call(&mut world, A);
    world.command(A, Command::Hold { call: id, on: true }).unwrap();
    world.run(secs(5));
    assert_eq!(lamp(&mut world, ada), Some(Shown::OnCall), "who holds is on a call");
    hang_up(&mut world, B);
    becomes(&mut world, ada, Shown::Free, 3);
    // Placing one is being on it.
    let boris = named(&mut world, A, "Boris");
    world.command(A, Command::Call { contact: boris }).unwrap();
    becomes(&mut world, ada, Shown::OnCall, 3);
    hang_up(&mut world, A);
    away(&mut world, A, true);
    becomes(&mut world, ada, Shown::Away, 3);
    assert!(world.parties[ada].saw(Time(0), |e| matches!(e, Event::Lamp { .. })).is_some());
    // Ada sees it, and Anna does not see Ada's: nothing is in return for anything.
    let number = named(&mut world, A, "Ada");
    assert_eq!(contact(&mut world, A, number).lamp, None);
    // It is not shown any more: after five minutes nobody knows.
    world.command(A, Command::SetLamp { contact: number, shown: false }).unwrap();
    away(&mut world, A, false);
    world.run(secs(60));
    assert_eq!(lamp(&mut world, ada), Some(Shown::Away), "as when she is off");
    becomes(&mut world, ada, Shown::NotKnown, 250);
}

#[test]
fn who_is_away_is_called_in_silence() {
    let (mut world, ada) = office(1_001);
    away(&mut world, A, true);
    ring(&mut world, B, A);
    let now = world.now;
    let calls = world.parties[A].view(now).calls;
    assert_eq!(calls[0].sound, Some(call::Sound::Silent));
    becomes(&mut world, ada, Shown::Ringing, 3);
    assert_eq!(state(&mut world, B), Some(CallState::Ringing), "the caller is told what is so");
    answer(&mut world, A);
    both_are(&mut world, CallState::Connected);
    hang_up(&mut world, A);
    away(&mut world, A, false);
    world.run(secs(5));
    ring(&mut world, B, A);
    let now = world.now;
    assert_eq!(world.parties[A].view(now).calls.last().unwrap().sound, Some(call::Sound::Rings));
}

#[test]
fn nobody_sees_a_lamp_unless_the_owner_shows_it_and_only_who_is_trusted_in_the_own_office() {
    let mut world = two(1_002);
    let ada = world.hire("Ada", 0);
    lines_up(&mut world);
    meet(&mut world, A, B, true);
    meet(&mut world, A, ada, false);
    quiet(&mut world);
    world.run(secs(130));
    for party in [B, ada] {
        assert_eq!(lamp(&mut world, party), None, "not by itself");
    }
    let mut refused = |name: &str, why: &str| {
        let contact = named(&mut world, A, name);
        match world.command(A, Command::SetLamp { contact, shown: true }) {
            Err(InputError::WrongState(said)) => assert!(said.contains(why), "{said}"),
            other => panic!("{name}: {other:?}"),
        }
    };
    // Pinned, but elsewhere; here, but not verified. What a contact calls its office does not count.
    refused("Boris", "another exchange");
    refused("Ada", "trust");
    let contact_of = |world: &mut World, name: &str| {
        let number = named(world, A, name);
        contact(world, A, number)
    };
    assert!(!contact_of(&mut world, "Boris").own_office);
    assert!(contact_of(&mut world, "Ada").own_office);
    let number = named(&mut world, A, "Ada");
    world.command(A, Command::SetTrusted { contact: number, trusted: Some(true) }).unwrap();
    shows(&mut world, "Ada");
    becomes(&mut world, ada, Shown::Free, 3);
    // Trust ends, and so does the lamp; it begins anew with trust.
    for (end, begin) in [
        (
            Command::SetTrusted { contact: number, trusted: Some(false) },
            Command::SetTrusted { contact: number, trusted: Some(true) },
        ),
        (
            Command::SetBlocked { contact: number, blocked: true },
            Command::SetBlocked { contact: number, blocked: false },
        ),
    ] {
        world.command(A, end).unwrap();
        becomes(&mut world, ada, Shown::NotKnown, 301);
        world.command(A, begin).unwrap();
        becomes(&mut world, ada, Shown::Free, 3);
    }
    world.command(A, Command::RevokeContact { contact: number }).unwrap();
    becomes(&mut world, ada, Shown::NotKnown, 301);
    assert_eq!(contact_of(&mut world, "Ada").progress, Progress::Revoked);
    assert!(!contact_of(&mut world, "Ada").lamp_shown);
}

#[test]
fn a_handset_that_is_off_is_not_known_after_five_minutes_and_known_at_once_when_it_is_back() {
    let (mut world, ada) = office(1_003);
    becomes(&mut world, ada, Shown::Free, 1);
    world.run(secs(50));
    world.kill_party(A);
    let killed = world.now;
    world.run(secs(240));
    assert_eq!(lamp(&mut world, ada), Some(Shown::Free), "a while it is believed");
    becomes(&mut world, ada, Shown::NotKnown, 61);
    assert!(world.now.since(killed) <= secs(301));
    world.start_party(A);
    lines_up(&mut world);
    becomes(&mut world, ada, Shown::Free, 3);
    // She refreshes it as long as nothing changes.
    world.run(secs(310));
    assert_eq!(lamp(&mut world, ada), Some(Shown::Free));
    // Whoever looks comes back: what was told is asked for.
    world.kill_party(ada);
    away(&mut world, A, true);
    world.run(secs(60));
    world.start_party(ada);
    assert_eq!(
        lamp(&mut world, ada),
        Some(Shown::NotKnown),
        "of an earlier run nothing is believed"
    );
    lines_up(&mut world);
    becomes(&mut world, ada, Shown::Away, 3);
}

#[test]
fn lamps_and_away_outlive_the_handset_and_a_store_from_before_there_were_any_is_read() {
    let (mut world, ada) = office(1_004);
    away(&mut world, A, true);
    becomes(&mut world, ada, Shown::Away, 3);
    let number = named(&mut world, A, "Ada");
    for party in [A, ada] {
        world.kill_party(party);
        world.start_party(party);
    }
    lines_up(&mut world);
    assert!(contact(&mut world, A, number).lamp_shown);
    becomes(&mut world, ada, Shown::Away, 3);
    world.kill_party(A);
    let rows = &mut world.parties[A].rows;
    let before = rows.len();
    rows.retain(|(space, _), _| ![21, 22].contains(space));
    assert_eq!(rows.len(), before - 2);
    world.start_party(A);
    lines_up(&mut world);
    let now = world.now;
    assert!(!world.parties[A].view(now).away && !contact(&mut world, A, number).lamp_shown);
    becomes(&mut world, ada, Shown::NotKnown, 301);
}

#[test]
fn a_lamp_is_kept_whole_or_not_at_all() {
    for (written, wanted) in [(true, true), (false, false)] {
        let (mut world, ada) = office(1_005);
        let number = named(&mut world, A, "Ada");
        world.command(A, Command::SetLamp { contact: number, shown: false }).unwrap();
        world.run(secs(1));
        let batch = world.parties[A].batches + 1;
        world.parties[A].death = Some(lab::party::Death { batch, written });
        shows(&mut world, "Ada");
        world.run_until(secs(10), |w| w.parties[A].phone.is_none());
        assert!(world.parties[A].phone.is_none(), "it died");
        world.run(secs(301));
        world.start_party(A);
        lines_up(&mut world);
        world.run(secs(5));
        assert_eq!(contact(&mut world, A, number).lamp_shown, wanted);
        let told = lamp(&mut world, ada) == Some(Shown::Free);
        assert_eq!(told, wanted, "{:?}", lamp(&mut world, ada));
    }
}

#[test]
fn a_lamp_follows_its_person_at_twenty_per_cent_loss_and_through_lost_lines() {
    let mut world = World::new(2, 1_006);
    world.lines = Conditions {
        jitter: Duration::from_millis(5),
        loss: 0.1,
        burst: Some(Burst { loss: 0.1, length: 3.0 }),
        ..Conditions::perfect(Duration::from_millis(10))
    };
    world.hire("Anna", 0);
    let ada = world.hire("Ada", 0);
    lines_up(&mut world);
    meet(&mut world, A, ada, true);
    quiet(&mut world);
    shows(&mut world, "Ada");
    for i in 0..4 {
        away(&mut world, A, i % 2 == 0);
        becomes(&mut world, ada, if i % 2 == 0 { Shown::Away } else { Shown::Free }, 5);
        // What is said while the other one's line is down is gone; it asks when it is back.
        world.reach(ada, false);
        away(&mut world, A, i % 2 == 1);
        world.run(secs(5));
        world.reach(ada, true);
        becomes(&mut world, ada, if i % 2 == 1 { Shown::Away } else { Shown::Free }, 45);
        world.run(secs(11));
    }
}

/// Ada sees Anna, who has two handsets; both have Boris as a contact.
fn two_handsets(seed: u64) -> (World, usize) {
    let mut world = two(seed);
    world.hire("Anna", 0);
    world.hire("Clara", 1);
    let ada = world.hire("Ada", 0);
    lines_up(&mut world);
    meet(&mut world, A, B, true);
    meet(&mut world, A, ada, true);
    link(&mut world);
    quiet(&mut world);
    let shared = world.run_until(secs(60), |w| {
        let now = w.now;
        let contacts = w.parties[A2].view(now).contacts;
        contacts.iter().filter(|c| !c.own_device && c.ready).count() == 2
    });
    assert!(shared, "both contacts are on the second handset, with stock");
    shows(&mut world, "Ada");
    world.run(secs(5));
    (world, ada)
}

#[test]
fn two_handsets_are_one_person() {
    let (mut world, ada) = two_handsets(1_007);
    becomes(&mut world, ada, Shown::Free, 3);
    let anna = named(&mut world, B, "Anna");
    world.command(B, Command::Call { contact: anna }).unwrap();
    becomes(&mut world, ada, Shown::Ringing, 5);
    answer(&mut world, A2);
    becomes(&mut world, ada, Shown::OnCall, 5);
    world.run(secs(130));
    assert_eq!(lamp(&mut world, ada), Some(Shown::OnCall), "the other one is free, and says so");
    hang_up(&mut world, B);
    becomes(&mut world, ada, Shown::Free, 5);
    // One is off: the other one speaks for both.
    world.kill_party(A);
    let boris = named(&mut world, A2, "Boris");
    world.command(A2, Command::Call { contact: boris }).unwrap();
    becomes(&mut world, ada, Shown::OnCall, 5);
    hang_up(&mut world, A2);
    world.run(secs(310));
    assert_eq!(lamp(&mut world, ada), Some(Shown::Free));
    world.kill_party(A2);
    becomes(&mut world, ada, Shown::NotKnown, 301);
}

#[test]
fn who_sees_it_is_decided_on_the_first_handset_and_away_on_any() {
    let (mut world, ada) = two_handsets(1_008);
    let (here, there) = (named(&mut world, A, "Ada"), named(&mut world, A2, "Ada"));
    assert!(contact(&mut world, A2, there).lamp_shown);
    let set = Command::SetLamp { contact: there, shown: false };
    assert!(matches!(world.command(A2, set), Err(InputError::WrongState(_))));
    for (party, other) in [(A, A2), (A2, A)] {
        away(&mut world, party, true);
        let now_away = |w: &mut World| {
            let now = w.now;
            w.parties[other].view(now).away
        };
        assert!(world.run_until(secs(3), now_away), "the other handset knows");
        becomes(&mut world, ada, Shown::Away, 3);
        // It is the person who is away, not the handset.
        world.kill_party(party);
        world.run(secs(310));
        assert_eq!(lamp(&mut world, ada), Some(Shown::Away));
        world.start_party(party);
        lines_up(&mut world);
        away(&mut world, other, false);
        becomes(&mut world, ada, Shown::Free, 5);
    }
    world.command(A, Command::SetLamp { contact: here, shown: false }).unwrap();
    world.run(secs(3));
    assert!(!contact(&mut world, A2, there).lamp_shown);
    becomes(&mut world, ada, Shown::NotKnown, 301);
}
