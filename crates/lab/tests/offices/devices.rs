//! Two handsets of one principal: linked by a card, they ring together, and the first to answer wins.

use call::contact::{Keys, Progress};
use call::{CallState, Direction, End};
use lab::world::World;
use phone::{Command, ContactRules, Event, InputError};

use crate::support::*;

/// The second handset of A's principal.
const A2: usize = 2;
const C: usize = 3;

/// Anna has two handsets and two contacts: Boris redeemed her card, she redeems Clara's after the linking.
fn linked(seed: u64) -> World {
    let mut world = two(seed);
    world.hire("Anna", 0);
    world.hire("Clara", 1);
    lines_up(&mut world);
    meet(&mut world, A, B, true);
    link(&mut world);
    let text = card(&mut world, C, true);
    world.command(A, Command::RedeemCard { text, in_person: true }).unwrap();
    let shared = world.run_until(secs(60), |w| {
        let now = w.now;
        let contacts = w.parties[A2].view(now).contacts;
        contacts.iter().filter(|c| !c.own_device && c.ready).count() == 2
    });
    assert!(shared, "both contacts are on the second handset, with stock");
    world.run(secs(5));
    world
}

pub(crate) fn link(world: &mut World) {
    world.command(A, Command::AdmitDevice { ttl: secs(600) }).unwrap();
    world.until(A, secs(10), |e| matches!(e, Event::CardIssued { .. }));
    let now = world.now;
    let text = world.parties[A].view(now).cards.pop().unwrap().link.unwrap();
    // At another office it is of no use.
    let elsewhere = Command::RedeemCard { text: text.clone(), in_person: true };
    assert!(matches!(world.command(C, elsewhere), Err(InputError::WrongState(_))));
    world.command(A2, Command::RedeemCard { text, in_person: true }).unwrap();
    world.until(A, secs(10), |e| matches!(e, Event::CardUsed { .. }));
    world.run(secs(20));
    let now = world.now;
    assert_eq!(
        world.parties[A2].view(now).contacts.len(),
        1,
        "nothing is shared before the words match"
    );
    let sibling = world.parties[A].view(now).contacts.into_iter().find(|c| c.own_device).unwrap();
    let there = world.parties[A2].view(now).contacts.pop().unwrap();
    assert_eq!(sibling.keys, Keys::Unverified);
    let (own, other) = (sibling.words.unwrap(), there.words.unwrap());
    assert!(own.0 == other.1 && own.1 == other.0, "the words on both screens");
    world.command(A, Command::Verify { contact: sibling.id, matches: true }).unwrap();
    world.until(A2, secs(10), |e| *e == Event::Admitted);
}

/// The number of the contact with that name.
pub(crate) fn named(world: &mut World, party: usize, name: &str) -> u32 {
    let now = world.now;
    let contacts = world.parties[party].view(now).contacts;
    contacts.iter().find(|c| c.name == name).unwrap().id
}

/// Somebody calls Anna; both handsets ring.
fn rings_both(world: &mut World, from: usize) {
    let contact = named(world, from, "Anna");
    world.command(from, Command::Call { contact }).unwrap();
    let both = world.run_until(secs(10), |w| {
        [A, A2].iter().all(|p| state(w, *p) == Some(CallState::RingingHere))
    });
    assert!(both, "{:?} {:?}", state(world, A), state(world, A2));
}

fn is(world: &mut World, party: usize, wanted: CallState) {
    let so = world.run_until(secs(10), |w| state(w, party) == Some(wanted));
    assert!(so, "wanted {wanted:?}, got {:?}", state(world, party));
}

#[test]
fn the_first_to_answer_wins_and_the_other_misses_nothing() {
    let mut world = linked(70);
    for (from, first, second) in [(B, A2, A), (C, A, A2), (C, A2, A), (B, A, A2)] {
        rings_both(&mut world, from);
        answer(&mut world, first);
        is(&mut world, from, CallState::Connected);
        is(&mut world, first, CallState::Connected);
        is(&mut world, second, CallState::Ended(End::Elsewhere));
        world.parties[first].tone = Some(220.0);
        world.run(secs(1));
        assert!(hears(&mut world, from, secs(1)) > -40.0);
        world.parties[first].tone = None;
        hang_up(&mut world, from);
        is(&mut world, first, CallState::Ended(End::ByOther));
        world.run(secs(5));
        let now = world.now;
        for party in [A, A2] {
            assert_eq!(world.parties[party].view(now).missed, 0);
        }
    }
}

#[test]
fn both_sides_get_a_second_handset_at_the_same_moment() {
    const B2: usize = 3;
    let mut world = two(76);
    world.hire("Anna", 0);
    world.hire("Boris", 1);
    lines_up(&mut world);
    meet(&mut world, A, B, true);
    for (first, second) in [(A, A2), (B, B2)] {
        world.command(first, Command::AdmitDevice { ttl: secs(600) }).unwrap();
        world.until(first, secs(10), |e| matches!(e, Event::CardIssued { .. }));
        let now = world.now;
        let text = world.parties[first].view(now).cards.pop().unwrap().link.unwrap();
        world.command(second, Command::RedeemCard { text, in_person: true }).unwrap();
    }
    let words = |w: &mut World, party: usize| {
        let now = w.now;
        let sibling = w.parties[party].view(now).contacts.into_iter().find(|c| c.own_device)?;
        sibling.words.is_some().then_some(sibling.id)
    };
    assert!(world.run_until(secs(20), |w| [A, B].iter().all(|p| words(w, *p).is_some())));
    for first in [A, B] {
        let contact = words(&mut world, first).unwrap();
        world.command(first, Command::Verify { contact, matches: true }).unwrap();
    }
    // What a screen offers works at once: nobody is shown a contact to call who cannot be called yet.
    let callable = |w: &mut World, party: usize| {
        let now = w.now;
        let contacts = w.parties[party].view(now).contacts;
        contacts.iter().any(|c| !c.own_device && c.progress == Progress::Accepted)
    };
    let there = world.run_until(secs(10), |w| [A2, B2].iter().all(|p| callable(w, *p)));
    assert!(there, "both have the contact within ten seconds");
    let now = world.now;
    for party in [A2, B2] {
        let own = world.parties[party].view(now).contacts.into_iter().find(|c| c.own_device);
        assert_eq!(own.unwrap().keys, Keys::Verified, "nothing is left to compare there");
    }
    let contact = named(&mut world, A2, "Boris");
    world.command(A2, Command::Call { contact }).unwrap();
    for party in [B, B2] {
        is(&mut world, party, CallState::RingingHere);
    }
    answer(&mut world, B2);
    is(&mut world, A2, CallState::Connected);
}

#[test]
fn a_call_that_nobody_answers_is_missed_on_both() {
    let mut world = linked(71);
    rings_both(&mut world, B);
    world.run(secs(2));
    hang_up(&mut world, B);
    world.run(secs(5));
    let now = world.now;
    for party in [A, A2] {
        assert_eq!(world.parties[party].view(now).missed, 1);
    }
    rings_both(&mut world, B);
}

#[test]
fn the_second_handset_calls_and_writes_as_its_principal() {
    let mut world = linked(72);
    for (to, name) in [(B, "Boris"), (C, "Clara")] {
        let contact = named(&mut world, A2, name);
        world.command(A2, Command::Call { contact }).unwrap();
        is(&mut world, to, CallState::RingingHere);
        answer(&mut world, to);
        is(&mut world, A2, CallState::Connected);
        let now = world.now;
        let call = world.parties[to].view(now).calls.pop().unwrap();
        assert_eq!(call.direction, Direction::Received);
        assert_eq!(contact_name(&mut world, to, call.contact), "Anna");
        hang_up(&mut world, A2);
        is(&mut world, to, CallState::Ended(End::ByOther));
        world.command(A2, Command::Note { contact, text: "from the second".into() }).unwrap();
        world.until(to, secs(5), |e| matches!(e, Event::Note { .. }));
        // What the other side writes reaches both.
        let back = named(&mut world, to, "Anna");
        world.command(to, Command::Note { contact: back, text: "to both".into() }).unwrap();
        let both = world.run_until(secs(5), |w| {
            let now = w.now;
            [A, A2].iter().all(|p| {
                w.parties[*p].view(now).notes.iter().filter(|n| n.text == "to both").count()
                    == if to == B { 1 } else { 2 }
            })
        });
        assert!(both);
    }
}

fn contact_name(world: &mut World, party: usize, number: u32) -> String {
    contact(world, party, number).name
}

#[test]
fn what_is_decided_on_the_first_handset_is_so_on_the_second() {
    let mut world = linked(73);
    let here = named(&mut world, A, "Boris");
    let there = named(&mut world, A2, "Boris");
    let name = "Boris the ambassador".to_owned();
    world.command(A, Command::RenameContact { contact: here, name: name.clone() }).unwrap();
    world.command(A, Command::SetBlocked { contact: here, blocked: true }).unwrap();
    world.run(secs(5));
    let seen = contact(&mut world, A2, there);
    assert_eq!((seen.name, seen.blocked), (name, true));
    world.command(A, Command::RevokeContact { contact: here }).unwrap();
    world.run(secs(5));
    assert_eq!(contact(&mut world, A2, there).progress, Progress::Revoked);
    rings_both(&mut world, C);
}

#[test]
fn keys_are_renewed_in_groups_with_three_devices() {
    let mut world = linked(74);
    let epochs = |w: &World| [B, C].map(|p| w.parties[p].phone.as_ref().unwrap().epoch(1).unwrap());
    let before = epochs(&world);
    for (party, name) in [(B, "Anna"), (A, "Clara")] {
        let contact = named(&mut world, party, name);
        for i in 0..105 {
            world.command(party, Command::Note { contact, text: format!("note {i}") }).unwrap();
            world.run(core::time::Duration::from_millis(200));
        }
    }
    world.run(secs(30));
    let after = epochs(&world);
    assert!(before[0] < after[0] && before[1] < after[1], "{before:?} {after:?}");
    rings_both(&mut world, B);
    hang_up(&mut world, B);
    world.run(secs(5));
    rings_both(&mut world, C);
    answer(&mut world, A2);
    is(&mut world, C, CallState::Connected);
}

#[test]
fn both_handsets_restart() {
    let mut world = linked(75);
    for party in [A, A2] {
        world.kill_party(party);
        world.start_party(party);
        lines_up(&mut world);
        world.run(secs(10));
        rings_both(&mut world, C);
        answer(&mut world, party);
        is(&mut world, C, CallState::Connected);
        hang_up(&mut world, C);
        world.run(secs(12));
    }
    let contact = named(&mut world, A2, "Boris");
    world.command(A2, Command::Call { contact }).unwrap();
    is(&mut world, B, CallState::RingingHere);
}

#[test]
fn a_handset_with_contacts_of_its_own_is_not_taken_over() {
    let mut world = two(76);
    let c = world.hire("Clara", 0);
    lines_up(&mut world);
    meet(&mut world, c, B, true);
    world.command(A, Command::AdmitDevice { ttl: secs(600) }).unwrap();
    world.until(A, secs(10), |e| matches!(e, Event::CardIssued { .. }));
    let now = world.now;
    let text = world.parties[A].view(now).cards.pop().unwrap().link.unwrap();
    assert!(matches!(
        world.command(c, Command::RedeemCard { text, in_person: true }),
        Err(InputError::WrongState(_))
    ));
}

#[test]
fn rules_are_made_on_the_first_handset_and_hold_on_both() {
    let mut world = linked(77);
    let (here, there) = (named(&mut world, A, "Boris"), named(&mut world, A2, "Boris"));
    let (staff, same) = (named(&mut world, A, "Clara"), named(&mut world, A2, "Clara"));
    let rules = ContactRules { staff: Some(staff), note_taker: true, ..ContactRules::default() };
    world.command(A, Command::SetRules { contact: here, rules }).unwrap();
    world.run(secs(5));
    let seen = contact(&mut world, A2, there);
    assert_eq!(seen.rules, ContactRules { staff: Some(same), ..rules });
    assert_eq!(seen.barred.map(|b| b.lifted_by), Some(vec!["Clara".into(), "Anna".into()]));
    let call = Command::Call { contact: there };
    assert!(matches!(world.command(A2, call), Err(InputError::ByRule(_))));
    let lift = Command::SetRules { contact: there, rules: ContactRules::default() };
    assert!(matches!(world.command(A2, lift), Err(InputError::WrongState(_))));
    // The contact was told once, and is refused by both, if it did not know.
    let anna = named(&mut world, B, "Anna");
    assert!(contact(&mut world, B, anna).their_rules.note_taker);
    // What the contact tells is known on both, too.
    let only = ContactRules { interpreter: true, ..ContactRules::default() };
    world.command(B, Command::SetRules { contact: anna, rules: only }).unwrap();
    world.run(secs(5));
    for (party, number) in [(A, here), (A2, there)] {
        assert!(contact(&mut world, party, number).their_rules.interpreter);
    }
}

/// Neither handset rings for a caller who does not know the rule, and the caller is told once or twice, and ends once.
#[test]
fn neither_handset_rings_for_a_call_that_breaks_a_rule() {
    let mut world = linked(78);
    let here = named(&mut world, A, "Boris");
    world.reach(B, false);
    world.run(secs(1));
    let rules = ContactRules { interpreter: true, ..ContactRules::default() };
    world.command(A, Command::SetRules { contact: here, rules }).unwrap();
    world.run(secs(5));
    let (contact, placed) = (named(&mut world, B, "Anna"), world.now);
    world.command(B, Command::Call { contact }).unwrap();
    world.reach(B, true);
    let ruled = |s: Option<CallState>| matches!(s, Some(CallState::Ended(End::ByRule(_))));
    assert!(world.run_until(secs(20), |w| ruled(state(w, B))), "{:?}", state(&mut world, B));
    world.run(secs(20));
    for party in [A, A2] {
        let rings = |e: &Event| matches!(e, Event::Incoming { .. } | Event::Missed { .. });
        assert!(world.parties[party].saw(placed, rings).is_none());
        assert!(latest(&mut world, party).is_some_and(|(end, _)| matches!(end, End::ByRule(_))));
    }
}
