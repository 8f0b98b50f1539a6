//! The own exchange, seized or bribed: it sees and writes every message on the line of its own handset, and has the
//! address and the offer of each card that its handset issues.

use std::cell::RefCell;
use std::rc::Rc;

use call::contact::{CardState, Keys, Progress};
use call::{CallState, End};
use ed25519_dalek::SigningKey;
use lab::middle::{To, What};
use lab::world::World;
use openmls::prelude::Ciphersuite;
use phone::{Command, Event};
use seal::card::UnverifiedCard;
use wire::line::{LineDown, LineUp};
use wire::talk::{Offer, Sealed};
use wire::{Address, Blob, Leg, PairwisePub, Wall};

use crate::kit::*;
use crate::support::*;

/// Two offices; the line of `held` is in its exchange's hand.
fn two_with(seed: u64, held: usize) -> (World, Grip) {
    let mut world = World::new(2, seed);
    let grip = Grip::on_line(&mut world, held);
    world.hire("Anna", 0);
    world.hire("Boris", 1);
    lines_up(&mut world);
    (world, grip)
}

/// The same, and they have met in person.
fn met_with(seed: u64, held: usize) -> (World, Grip) {
    let (mut world, grip) = two_with(seed, held);
    meet(&mut world, A, B, true);
    (world, grip)
}

fn offer(request: u32, key_package: Vec<u8>, bound: PairwisePub) -> What {
    let key_package = Blob::new(key_package).unwrap();
    let offer = Blob::new(Offer::KeyPackage { key_package, bound }.encode()).unwrap();
    What::Message(LineDown::Offer { request, offer }.encode())
}

/// Boris redeems Anna's card, and his exchange hands him another key package in the place of hers.
fn redeems_and_is_handed(seed: u64, package: impl FnOnce(&World, &str) -> Vec<u8>) {
    let (mut world, grip) = two_with(seed, B);
    let text = card(&mut world, A, true);
    let package = package(&world, &text);
    grip.swaps(To::Near, move |what| match down(what)? {
        LineDown::Offer { request, .. } => {
            Some(offer(request, package.clone(), PairwisePub([9; 32])))
        }
        _ => None,
    });
    world.command(B, Command::RedeemCard { text, in_person: true }).unwrap();
    world.until(B, secs(20), |e| matches!(e, Event::ContactRefused { contact: 1 }));
    assert_eq!(contact(&mut world, B, 1).progress, Progress::Refused);
    assert!(contact(&mut world, B, 1).words.is_none(), "no group was made");
    let refused = world.command(B, Command::Call { contact: 1 });
    assert!(refused.is_err(), "nobody can be called");
    world.run(secs(20));
    let now = world.now;
    assert!(world.parties[A].view(now).contacts.is_empty());
}

fn validity(world: &World) -> (u64, u64) {
    (world.wall().0 - 1_000, world.wall().0 + 1_000_000)
}

#[test]
fn a_key_package_of_the_exchange_s_own_is_refused() {
    redeems_and_is_handed(101, |world, _| {
        let identity = seal::identity::IdentityKey::from_bytes(&[66; 32]);
        let device = SigningKey::from_bytes(&[67; 32]);
        let public = device.verifying_key().to_bytes();
        // Genuine in every way: but it is not the key that stands on the card.
        let bytes = identity.admit(&seal::identity::DevicePub(public));
        let credential = Credential {
            version: 1,
            identity: identity.principal(),
            device: public,
            signature: bytes[65..].try_into().unwrap(),
        };
        let suite = Ciphersuite::MLS_256_XWING_CHACHA20POLY1305_SHA256_Ed25519;
        ForgedPackage { suite, device, credential, valid: validity(world) }.encode()
    });
}

#[test]
fn a_credential_that_the_issuer_never_signed_is_refused() {
    redeems_and_is_handed(102, |world, text| {
        let card = UnverifiedCard::from_link(text).unwrap().verify(world.wall()).unwrap();
        let device = SigningKey::from_bytes(&[67; 32]);
        let credential = Credential {
            version: 1,
            identity: card.issuer(),
            device: device.verifying_key().to_bytes(),
            signature: [7; 64],
        };
        let suite = Ciphersuite::MLS_256_XWING_CHACHA20POLY1305_SHA256_Ed25519;
        ForgedPackage { suite, device, credential, valid: validity(world) }.encode()
    });
}

/// The exchange of the issuer has the address and the offer of each card: it needs to wait for nobody.
#[test]
fn an_exchange_cannot_redeem_its_own_handset_s_card_in_somebody_s_place() {
    for device in [false, true] {
        let (mut world, grip) = two_with(103, A);
        let issue = if device {
            Command::AdmitDevice { ttl: secs(600) }
        } else {
            Command::IssueCard { hint: "for Boris".into(), in_person: true, ttl: secs(600) }
        };
        world.command(A, issue).unwrap();
        world.until(A, secs(10), |e| matches!(e, Event::CardIssued { .. }));
        let (address, left) = grip
            .ups()
            .into_iter()
            .find_map(|m| match m {
                LineUp::RegisterOpen { address, offer, .. } => Some((address, offer)),
                _ => None,
            })
            .unwrap();
        let Offer::KeyPackage { key_package, .. } = Offer::decode(left.as_bytes()).unwrap();
        let now = world.now;
        let text = world.parties[A].view(now).cards.pop().unwrap().link.unwrap();
        let card = UnverifiedCard::from_link(&text).unwrap().verify(world.wall()).unwrap();
        // It calls itself Boris, and gives everything that a redeemer would, but for what it never saw.
        let mut false_boris = Rogue::hire(&mut world, "Boris", 1);
        for psk in [None, Some(seal::group::Psk::new(address.0, [0; 32]))] {
            let mut how = false_boris.honestly(&world, &card);
            how.psk = psk;
            if device {
                let mut fields = card.fields().clone();
                fields.address = false_boris.mine;
                let back = seal::card::VerifiedCard::issue(&false_boris.identity, fields).unwrap();
                how.return_card = back.to_bytes().to_vec();
            }
            let package = key_package.as_bytes();
            let body = false_boris.welcoming(&world, card.issuer(), package, how);
            let (at, body) = (world.wall(), Blob::new(body).unwrap());
            let mail = LineDown::Deliver { seq: 1, address, at, body };
            world.meddle(A, To::Near, What::Message(mail.encode()));
            world.run(secs(5));
        }
        let now = world.now;
        let view = world.parties[A].view(now);
        assert!(view.contacts.is_empty(), "nobody is taken for Boris");
        assert_eq!((view.cards[0].state, view.dropped), (CardState::Issued, 2));
        assert!(world.parties[A].saw(now, |e| matches!(e, Event::CardUsed { .. })).is_none());
        if !device {
            // The card is still his whom it was handed to.
            world.command(B, Command::RedeemCard { text, in_person: true }).unwrap();
            world.until(B, secs(20), |e| matches!(e, Event::ContactAccepted { .. }));
            let (a, b) = (contact(&mut world, A, 1), contact(&mut world, B, 1));
            assert_eq!((a.name.as_str(), a.keys, b.keys), ("Boris", Keys::Pinned, Keys::Pinned));
            let ((a_own, a_other), (b_own, b_other)) = (a.words.unwrap(), b.words.unwrap());
            assert!(a_own == b_other && a_other == b_own);
        }
    }
}

/// The redeemer's exchange sees the address when its handset presents the card.
#[test]
fn an_exchange_cannot_redeem_a_card_before_its_own_handset() {
    let (mut world, grip) = two_with(104, B);
    let text = card(&mut world, A, true);
    let card = UnverifiedCard::from_link(&text).unwrap().verify(world.wall()).unwrap();
    let presented = Rc::new(RefCell::new(None));
    let seen = presented.clone();
    grip.swallows(move |_, what| match up(what) {
        Some(LineUp::Redeem { request, exchange, address, .. }) => {
            *seen.borrow_mut() = Some((request, exchange, address));
            true
        }
        _ => false,
    });
    world.command(B, Command::RedeemCard { text: text.clone(), in_person: true }).unwrap();
    assert!(world.run_until(secs(5), |_| presented.borrow().is_some()));
    let (request, exchange, address) = presented.borrow_mut().take().unwrap();
    let mut false_boris = Rogue::hire(&mut world, "Boris", 1);
    let (key_package, _) = false_boris.take(&mut world, &exchange, address);
    let mut how = false_boris.honestly(&world, &card);
    how.psk = None;
    let body = false_boris.welcoming(&world, card.issuer(), &key_package, how);
    false_boris.mail(&mut world, body);
    let failed = LineDown::Failed { request, reason: wire::line::Failure::NotValid };
    world.meddle(B, To::Near, What::Message(failed.encode()));
    world.run(secs(20));
    // Anna has no contact, and Boris, who stands beside her, sees that something is wrong.
    let now = world.now;
    let view = world.parties[A].view(now);
    assert!(view.contacts.is_empty() && view.dropped == 1);
    assert_eq!(view.cards[0].state, CardState::Issued);
    assert_eq!(contact(&mut world, B, 1).progress, Progress::Refused);
}

#[test]
fn a_welcome_played_again_makes_no_second_contact() {
    let (mut world, grip) = met_with(105, A);
    let second = card(&mut world, A, true);
    let second = UnverifiedCard::from_link(&second).unwrap().verify(world.wall()).unwrap();
    let welcome = grip.downs().into_iter().find_map(|m| match m {
        LineDown::Deliver { address, body, .. } => {
            matches!(Sealed::decode(body.as_bytes()), Ok(Sealed::Welcome { .. }))
                .then_some((address, body))
        }
        _ => None,
    });
    let (address, body) = welcome.unwrap();
    let from = world.now;
    for address in [address, second.fields().address, Address([1; 16])] {
        let mail = LineDown::Deliver { seq: 99, address, at: Wall(0), body: body.clone() };
        world.meddle(A, To::Near, What::Message(mail.encode()));
    }
    world.run(secs(5));
    let now = world.now;
    let view = world.parties[A].view(now);
    let states: Vec<_> = view.cards.iter().map(|c| c.state).collect();
    assert_eq!(states, [CardState::Used { contact: 1 }, CardState::Issued]);
    assert_eq!(view.contacts.len(), 1);
    assert!(world.parties[A].saw(from, |e| matches!(e, Event::CardUsed { .. })).is_none());
    connect(&mut world, A, B);
}

fn lines_up_of(world: &mut World, party: usize) {
    let up = world.run_until(secs(60), |w| {
        let now = w.now;
        w.parties[party].view(now).line == phone::LineState::Up
    });
    assert!(up);
}

fn invitation(grip: &Grip) -> (Address, Blob<{ wire::limits::BODY_MAX }>) {
    let found = grip.downs().into_iter().find_map(|m| match m {
        LineDown::Incoming { address, body, .. } => Some((address, body)),
        _ => None,
    });
    found.unwrap()
}

#[test]
fn an_invitation_played_again_rings_once() {
    let (mut world, grip) = met_with(106, B);
    ring(&mut world, A, B);
    hang_up(&mut world, A);
    ended(&mut world, B, End::Missed);
    let (address, body) = invitation(&grip);
    let from = world.now;
    let again = |world: &mut World, leg: u16| {
        let (at, body) = (world.wall(), body.clone());
        let incoming = LineDown::Incoming { leg: Leg(leg), address, at, body };
        world.meddle(B, To::Near, What::Message(incoming.encode()));
        world.run(secs(2));
    };
    again(&mut world, 100);
    // Also a handset that was started anew does not take it for a new one.
    world.kill_party(B);
    world.start_party(B);
    lines_up(&mut world);
    again(&mut world, 102);
    assert!(world.parties[B].saw(from, |e| matches!(e, Event::Incoming { .. })).is_none());
    let now = world.now;
    assert_eq!(world.parties[B].view(now).missed, 1, "one call, one missed call");
}

#[test]
fn an_invitation_that_was_kept_back_is_a_missed_call() {
    let (mut world, grip) = met_with(107, B);
    grip.swallows(|to, what| {
        let kept = |m| matches!(m, LineDown::Incoming { .. } | LineDown::Deliver { .. });
        to == To::Near && down(what).is_some_and(kept)
    });
    world.command(A, Command::Call { contact: 1 }).unwrap();
    world.run(secs(5));
    assert_eq!(state(&mut world, A), Some(CallState::Calling), "Anna is not told that it rings");
    ended(&mut world, A, End::NoAnswer);
    // Meanwhile nobody's line is up: time passes faster.
    world.cut_trunks(0, true);
    [A, B].into_iter().for_each(|party| world.reach(party, false));
    world.run(secs(400));
    world.reach(B, true);
    lines_up_of(&mut world, B);
    let (address, body) = invitation(&grip);
    let from = world.now;
    let (leg, at) = (Leg(100), world.wall());
    let incoming = LineDown::Incoming { leg, address, at, body };
    world.meddle(B, To::Near, What::Message(incoming.encode()));
    world.run(secs(2));
    let events = &world.parties[B];
    assert!(events.saw(from, |e| matches!(e, Event::Incoming { .. })).is_none(), "it rings");
    assert!(events.saw(from, |e| *e == Event::Missed { contact: 1 }).is_some());
    let now = world.now;
    assert_eq!(world.parties[B].view(now).missed, 1);
}

#[test]
fn an_exchange_cannot_answer_a_call() {
    let (mut world, grip) = met_with(108, A);
    world.parties[A].tone = Some(220.0);
    // A call that was answered, and all that came in it.
    connect(&mut world, A, B);
    world.run(secs(2));
    part(&mut world, A, B);
    world.run(secs(5));
    let old: Vec<What> = grip.passed(To::Near);
    grip.forget();
    // The next one goes nowhere; the exchange answers it with everything it has.
    grip.swallows(|_, what| matches!(up(what), Some(LineUp::Open { .. })));
    world.command(A, Command::Call { contact: 1 }).unwrap();
    world.run(secs(1));
    let leg = grip.ups().into_iter().find_map(|m| match m {
        LineUp::Open { leg, envelope, .. } => Some((leg, envelope.body)),
        _ => None,
    });
    let (leg, invite) = leg.unwrap();
    let say = |world: &mut World, body| {
        let data = LineDown::LegData { leg, body };
        world.meddle(A, To::Near, What::Message(data.encode()));
    };
    say(&mut world, invite);
    for what in old {
        match (&what, down(&what)) {
            (What::Voice(_, frame), _) => world.meddle(A, To::Near, What::Voice(leg, *frame)),
            (_, Some(LineDown::LegData { body, .. } | LineDown::Deliver { body, .. })) => {
                say(&mut world, body);
            }
            _ => {}
        }
        world.run(core::time::Duration::from_millis(20));
    }
    assert_eq!(state(&mut world, A), Some(CallState::Calling));
    assert!(grip.voice(To::Far).is_empty(), "the microphone is closed");
    let now = world.now;
    assert!(world.parties[A].view(now).voice_refused > 50);
    assert!(hears(&mut world, A, secs(1)) < -100.0);
    ended(&mut world, A, End::NoAnswer);
}

/// Sealed messages carry their epoch and their kind outside, for every exchange to read and to write.
#[test]
fn an_exchange_that_writes_a_later_epoch_takes_no_handset_along() {
    let (mut world, grip) = met_with(109, B);
    // Boris made the group: his handset renews its keys after a hundred messages. His exchange keeps that commit
    // to itself, and says that it is on its way.
    let (kept, theirs) = (Rc::new(RefCell::new(0)), Rc::new(RefCell::new(None)));
    let (count, seen) = (kept.clone(), theirs.clone());
    let private = |body: &Blob<{ wire::limits::BODY_MAX }>| match Sealed::decode(body.as_bytes()) {
        Ok(Sealed::Contact { message }) => PrivateMessage::decode(message.as_bytes()),
        _ => None,
    };
    grip.does(move |_, to, what| {
        if let Some(LineUp::Post { mail, envelope, .. }) = up(&what)
            && to == To::Far
            && private(&envelope.body).is_some_and(|p| p.content == 3)
        {
            *count.borrow_mut() += 1;
            return vec![(To::Near, What::Message(LineDown::Posted { mail }.encode()))];
        }
        if let (To::Near, Some(LineDown::Deliver { address, body, .. })) = (to, down(&what))
            && let Some(p) = private(&body)
        {
            *seen.borrow_mut() = Some((address, p));
        }
        vec![(to, what)]
    });
    for i in 0..101 {
        world.command(B, Command::Note { contact: 1, text: format!("note {i}") }).unwrap();
        world.run(core::time::Duration::from_millis(200));
    }
    world.run(secs(10));
    world.command(A, Command::Note { contact: 1, text: "the last in this epoch".into() }).unwrap();
    world.until(B, secs(5), |e| matches!(e, Event::Note { .. }));
    assert_eq!(*kept.borrow(), 1, "the commit was kept back");
    // Then it forges what would come if Anna had that commit.
    let (address, mut forged) = theirs.borrow_mut().take().unwrap();
    forged.epoch += 1;
    let body = Sealed::Contact { message: Blob::new(forged.encode()).unwrap() }.encode();
    let (at, body) = (world.wall(), Blob::new(body).unwrap());
    let mail = LineDown::Deliver { seq: 9_999, address, at, body };
    world.meddle(B, To::Near, What::Message(mail.encode()));
    world.run(secs(2));
    grip.lets_go();
    // Boris' handset is where Anna's is: he calls her, and she calls him.
    connect(&mut world, B, A);
    part(&mut world, B, A);
    world.run(secs(5));
    connect(&mut world, A, B);
}
