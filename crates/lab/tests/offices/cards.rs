//! Cards: used twice, stolen, forged, expired, withdrawn, one's own.

use call::contact::{CardState, Keys, Progress};
use call::{CallState, End};
use phone::{Command, Event, InputError};
use seal::card::{CardError, Fields, Kind, VerifiedCard};
use seal::identity::IdentityKey;
use wire::{Address, ExchangeRef, Text, Wall};

use crate::support::*;

fn redeem(world: &mut lab::world::World, party: usize, text: &str) -> Result<(), InputError> {
    world.command(party, Command::RedeemCard { text: text.to_owned(), in_person: false })
}

#[test]
fn a_stolen_card_shows_at_both_ends() {
    let mut world = two(20);
    let thief = world.hire("Mallory", 1);
    lines_up(&mut world);
    let text = card(&mut world, A, false);
    redeem(&mut world, thief, &text).unwrap();
    world.until(thief, secs(10), |e| matches!(e, Event::ContactAccepted { .. }));
    redeem(&mut world, B, &text).unwrap();
    world.until(B, secs(10), |e| matches!(e, Event::ContactRefused { .. }));
    assert_eq!(contact(&mut world, B, 1).progress, Progress::Refused);
    // The issuer sees who it is, unverified, and withdraws it.
    let stranger = contact(&mut world, A, 1);
    assert_eq!((stranger.name.as_str(), stranger.keys), ("Mallory", Keys::Unverified));
    let now = world.now;
    assert_eq!(world.parties[A].view(now).cards[0].state, CardState::Used { contact: 1 });
    world.run(secs(10));
    world.command(A, Command::RevokeContact { contact: 1 }).unwrap();
    assert_eq!(contact(&mut world, A, 1).progress, Progress::Revoked);
    world.run(secs(5));
    let rang = world.parties[A].events.len();
    world.command(thief, Command::Call { contact: 1 }).unwrap();
    ended(&mut world, thief, End::NoAnswer);
    let events = &world.parties[A].events[rang..];
    assert!(
        !events.iter().any(|(_, e)| matches!(e, Event::Incoming { .. } | Event::Missed { .. }))
    );
}

#[test]
fn revoking_one_contact_leaves_the_others_alone() {
    let mut world = two(21);
    let c = world.hire("Clara", 1);
    lines_up(&mut world);
    meet(&mut world, A, B, true);
    meet(&mut world, A, c, true);
    world.command(A, Command::RevokeContact { contact: 2 }).unwrap();
    world.run(secs(5));
    connect(&mut world, A, B);
    part(&mut world, A, B);
    connect(&mut world, B, A);
    assert!(matches!(
        world.command(A, Command::Call { contact: 2 }),
        Err(InputError::WrongState(_))
    ));
}

#[test]
fn cards_that_are_no_good() {
    let mut world = two(22);
    let text = card(&mut world, A, false);
    assert!(matches!(redeem(&mut world, A, &text), Err(InputError::OwnCard)));
    // Forged: one letter in the middle is another.
    let mut forged = text.clone().into_bytes();
    let at = forged.len() - 40;
    forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
    let forged = String::from_utf8(forged).unwrap();
    assert!(matches!(redeem(&mut world, B, &forged), Err(InputError::Card(CardError::Forged))));
    assert!(matches!(
        redeem(&mut world, B, "hotline:enroll/AAAA"),
        Err(InputError::Card(CardError::NotACard))
    ));
    assert!(world.parties[B].view(world.now).contacts.is_empty());
    // Withdrawn.
    world.command(A, Command::RevokeCard { card: 1 }).unwrap();
    world.run(secs(2));
    redeem(&mut world, B, &text).unwrap();
    world.until(B, secs(10), |e| matches!(e, Event::ContactRefused { .. }));
    let now = world.now;
    assert_eq!(world.parties[A].view(now).cards[0].state, CardState::Revoked);
    // Expired.
    let ttl = secs(5);
    let hint = "soon over".to_owned();
    world.command(A, Command::IssueCard { hint, in_person: false, ttl }).unwrap();
    world.until(A, secs(10), |e| matches!(e, Event::CardIssued { .. }));
    let now = world.now;
    let text = world.parties[A].view(now).cards[1].link.clone().unwrap();
    world.run(secs(10));
    assert!(matches!(
        redeem(&mut world, B, &text),
        Err(InputError::Card(CardError::Expired { .. }))
    ));
    let now = world.now;
    assert_eq!(world.parties[A].view(now).cards[1].state, CardState::Expired);
}

/// A card that is signed well, and still of no use.
fn foreign(world: &lab::world::World, office: usize, kind: Kind) -> String {
    let identity = IdentityKey::from_bytes(&[77; 32]);
    let fields = Fields {
        kind,
        office: Text::new("Nowhere").unwrap(),
        exchange: ExchangeRef {
            key: world.offices[office].key,
            host: Text::new(format!("office{office}.example:4433")).unwrap(),
        },
        address: Address([9; 16]),
        name: Text::new("Nobody").unwrap(),
        expiry: Wall(world.wall().0 + 1_000),
    };
    VerifiedCard::issue(&identity, fields).unwrap().to_link()
}

#[test]
fn cards_for_another_office_or_of_another_kind() {
    let mut world = two(23);
    let nowhere = foreign(&world, 0, Kind::Contact);
    redeem(&mut world, B, &nowhere).unwrap();
    world.until(B, secs(10), |e| matches!(e, Event::ContactRefused { .. }));
    let device = foreign(&world, 0, Kind::Device);
    assert!(matches!(redeem(&mut world, B, &device), Err(InputError::WrongState(_))));
}

#[test]
fn a_card_is_redeemed_when_its_exchange_comes_back() {
    let mut world = two(24);
    let text = card(&mut world, A, false);
    world.cut_trunks(0, true);
    redeem(&mut world, B, &text).unwrap();
    world.run(secs(40));
    assert_eq!(contact(&mut world, B, 1).progress, Progress::Redeeming);
    world.cut_trunks(0, false);
    world.until(B, secs(60), |e| matches!(e, Event::ContactAccepted { .. }));
}

#[test]
fn words_that_differ_end_the_contact_and_words_that_match_verify_it() {
    let mut world = two(25);
    meet(&mut world, A, B, false);
    assert_eq!(contact(&mut world, A, 1).keys, Keys::Unverified);
    world.command(A, Command::Verify { contact: 1, matches: true }).unwrap();
    assert_eq!(contact(&mut world, A, 1).keys, Keys::Verified);
    assert!(contact(&mut world, A, 1).trusted);
    connect(&mut world, A, B);
    world.command(B, Command::Verify { contact: 1, matches: false }).unwrap();
    ended(&mut world, B, End::ByMe);
    assert!(matches!(world.command(B, Command::Call { contact: 1 }), Err(InputError::Alarmed)));
    world.run(secs(5));
    world.command(A, Command::Call { contact: 1 }).unwrap();
    world.run(secs(20));
    assert_eq!(state(&mut world, A), Some(CallState::Calling), "an alarmed contact does not ring");
    hang_up(&mut world, A);
    // Made anew by a card handed over in person.
    let again = card(&mut world, A, true);
    assert!(matches!(
        world.command(A, Command::RedeemCard { text: again.clone(), in_person: true }),
        Err(InputError::OwnCard)
    ));
    world.command(B, Command::RedeemCard { text: again, in_person: true }).unwrap();
    world.until(B, secs(10), |e| matches!(e, Event::ContactAccepted { .. }));
    assert_eq!(contact(&mut world, B, 2).keys, Keys::Pinned);
}

#[test]
fn a_card_is_handed_on_within_a_contact() {
    let mut world = two(26);
    let c = world.hire("Clara", 0);
    lines_up(&mut world);
    meet(&mut world, A, B, true);
    let text = card(&mut world, c, false);
    world.command(A, Command::HandCard { contact: 1, text: text.clone() }).unwrap();
    world.until(B, secs(10), |e| matches!(e, Event::CardHanded { .. }));
    let now = world.now;
    assert_eq!(world.parties[B].view(now).notes[0].card.as_deref(), Some(text.as_str()));
    redeem(&mut world, B, &text).unwrap();
    world.until(B, secs(10), |e| matches!(e, Event::ContactAccepted { .. }));
    assert_eq!(contact(&mut world, B, 2).name, "Clara");
}

#[test]
fn two_people_of_one_office_meet_and_call() {
    let mut world = lab::world::World::new(1, 27);
    world.hire("Anna", 0);
    world.hire("Boris", 0);
    lines_up(&mut world);
    meet(&mut world, A, B, true);
    connect(&mut world, A, B);
}
