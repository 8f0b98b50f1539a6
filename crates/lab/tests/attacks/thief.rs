//! Who steals a card, or stands between two people with two handsets of his own.

use call::contact::{Keys, Progress};
use call::{CallState, End};
use phone::{Command, Event, InputError};

use crate::kit::*;
use crate::support::*;

/// A card that was seen while it was handed over, and redeemed first: he to whom it was handed sees it at once, while
/// both are still together, and no call ever takes the thief for him unseen.
#[test]
fn a_card_stolen_while_it_is_handed_over_shows_at_once() {
    let mut world = two(501);
    let mut thief = Rogue::hire(&mut world, "Boris", 1);
    let text = card(&mut world, A, true);
    thief.redeem(&mut world, &text, |_| {});
    world.until(A, secs(20), |e| matches!(e, Event::CardUsed { card: 1, contact: 1 }));
    world.command(B, Command::RedeemCard { text, in_person: true }).unwrap();
    world.until(B, secs(5), |e| matches!(e, Event::ContactRefused { .. }));
    assert_eq!(contact(&mut world, B, 1).progress, Progress::Refused);
    // Anna shuts the thief out, and nobody else.
    world.command(A, Command::RevokeContact { contact: 1 }).unwrap();
    world.run(secs(2));
    thief.came();
    let invite = wire::talk::ContactMessage::Invite {
        call: wire::CallId([1; 16]),
        at: world.wall(),
        again: false,
    };
    let body = thief.seal(&invite.encode());
    let events = world.parties[A].events.len();
    thief.open(&mut world, 1, body);
    world.run(secs(20));
    assert_eq!(world.parties[A].events.len(), events, "nothing rings");
    assert!(thief.came().is_empty(), "and he is told nothing");
    let again = card(&mut world, A, true);
    world.command(B, Command::RedeemCard { text: again, in_person: true }).unwrap();
    world.until(B, secs(20), |e| matches!(e, Event::ContactAccepted { .. }));
}

/// He catches the card on its way, redeems it as Boris, and gives Boris a card of his own, as Anna: he passes on what
/// both say. Whoever compares words finds him.
#[test]
fn the_words_differ_when_somebody_sits_between() {
    let mut world = two(502);
    let false_boris = world.hire("Boris", 1);
    let false_anna = world.hire("Anna", 0);
    lines_up(&mut world);
    let caught = card(&mut world, A, false);
    world.command(false_boris, Command::RedeemCard { text: caught, in_person: false }).unwrap();
    world.until(false_boris, secs(20), |e| matches!(e, Event::ContactAccepted { .. }));
    let exchanged = card(&mut world, false_anna, false);
    world.command(B, Command::RedeemCard { text: exchanged, in_person: false }).unwrap();
    world.until(B, secs(20), |e| matches!(e, Event::ContactAccepted { .. }));
    world.run(secs(5));
    let (a, b) = (contact(&mut world, A, 1), contact(&mut world, B, 1));
    assert_eq!((a.name.as_str(), b.name.as_str()), ("Boris", "Anna"), "all looks well");
    assert_eq!((a.keys, b.keys), (Keys::Unverified, Keys::Unverified), "but for this");
    assert!(!a.trusted && !b.trusted);
    let ((a_own, a_other), (b_own, b_other)) = (a.words.unwrap(), b.words.unwrap());
    assert!(a_own != b_other, "what Anna reads out is not what Boris picks from");
    assert!(b_own != a_other);
    world.command(A, Command::Call { contact: 1 }).unwrap();
    world.until(false_boris, secs(10), |e| matches!(e, Event::Incoming { .. }));
    answer(&mut world, false_boris);
    world.run(secs(2));
    assert_eq!(state(&mut world, A), Some(CallState::Connected));
    world.command(A, Command::Verify { contact: 1, matches: false }).unwrap();
    ended(&mut world, A, End::ByMe);
    assert!(matches!(world.command(A, Command::Call { contact: 1 }), Err(InputError::Alarmed)));
    assert_eq!(contact(&mut world, A, 1).keys, Keys::Alarmed);
}
