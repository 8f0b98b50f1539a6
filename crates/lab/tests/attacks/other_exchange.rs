//! The other office's exchange, and exchanges of third parties: everything that comes over a trunk.

use std::cell::RefCell;
use std::rc::Rc;

use call::CallState;
use call::contact::{CardState, Progress};
use ed25519_dalek::SigningKey;
use lab::middle::{To, What};
use lab::world::World;
use openmls::prelude::Ciphersuite;
use phone::{Command, Event};
use seal::card::{Fields, Kind, VerifiedCard};
use seal::identity::{DevicePub, IdentityKey};
use wire::line::LineDown;
use wire::talk::{Offer, Sealed};
use wire::trunk::Trunk;
use wire::{Address, Blob, ExchangeRef, Leg, PairwisePub, Text, Wall};

use crate::kit::*;
use crate::support::*;

/// Two offices, whose trunk is in the hand of Anna's exchange.
fn two_with(seed: u64) -> (World, Grip) {
    let mut world = World::new(2, seed);
    let grip = Grip::on_trunks(&mut world);
    world.hire("Anna", 0);
    world.hire("Boris", 1);
    lines_up(&mut world);
    (world, grip)
}

fn redeemed(request: u32, offer: &[u8]) -> What {
    let (len, mut offer) = (offer.len() as u16, offer.to_vec());
    offer.resize(wire::limits::OFFER_LEN, 0);
    let offer = Blob::new(offer).unwrap();
    What::Message(Trunk::Redeemed { request, valid: true, len, offer }.encode())
}

/// Answers every redemption with this offer.
fn answers_with(grip: &Grip, offer: Vec<u8>) {
    grip.does(move |_, to, what| match trunk(&what) {
        Some(Trunk::Redeemed { request, .. }) => vec![(to, redeemed(request, &offer))],
        _ => vec![(to, what)],
    });
}

fn is_refused(world: &mut World, text: String) {
    world.command(B, Command::RedeemCard { text, in_person: true }).unwrap();
    world.until(B, secs(20), |e| matches!(e, Event::ContactRefused { .. }));
    let now = world.now;
    let view = world.parties[B].view(now);
    assert!(view.contacts.iter().all(|c| c.progress == Progress::Refused && c.words.is_none()));
}

/// A device of `identity` for which a key package of `suite` is made.
fn package(world: &World, identity: &IdentityKey, suite: Ciphersuite) -> Vec<u8> {
    let device = SigningKey::from_bytes(&[67; 32]);
    let public = device.verifying_key().to_bytes();
    let credential = Credential {
        version: 1,
        identity: identity.principal(),
        device: public,
        signature: identity.admit(&DevicePub(public))[65..].try_into().unwrap(),
    };
    let valid = (world.wall().0 - 1_000, world.wall().0 + 1_000_000);
    let key_package = ForgedPackage { suite, device, credential, valid }.encode();
    let key_package = Blob::new(key_package).unwrap();
    Offer::KeyPackage { key_package, bound: PairwisePub([9; 32]) }.encode()
}

/// A card of somebody at office 0 whom the exchange made up, or who conspires with it.
fn made_up_card(world: &World, identity: &IdentityKey) -> String {
    let fields = Fields {
        kind: Kind::Contact,
        office: Text::new("Office 0").unwrap(),
        exchange: ExchangeRef {
            key: world.offices[0].key,
            host: Text::new("office0.example:4433").unwrap(),
        },
        address: Address([9; 16]),
        name: Text::new("Mallory").unwrap(),
        expiry: Wall(world.wall().0 + 1_000),
    };
    VerifiedCard::issue(identity, fields).unwrap().to_link()
}

const SUITE: Ciphersuite = Ciphersuite::MLS_256_XWING_CHACHA20POLY1305_SHA256_Ed25519;

#[test]
fn a_key_package_exchanged_on_the_trunk_is_refused() {
    let (mut world, grip) = two_with(301);
    let text = card(&mut world, A, true);
    let offer = package(&world, &IdentityKey::from_bytes(&[66; 32]), SUITE);
    answers_with(&grip, offer);
    is_refused(&mut world, text);
}

#[test]
fn the_key_package_of_a_colleague_is_refused() {
    let (mut world, grip) = two_with(302);
    let clara = world.hire("Clara", 0);
    lines_up(&mut world);
    let hers = card(&mut world, clara, true);
    let offer = Rc::new(RefCell::new(Vec::new()));
    let seen = offer.clone();
    grip.does(move |_, to, what| {
        if let Some(Trunk::Redeemed { len, offer, .. }) = trunk(&what) {
            *seen.borrow_mut() = offer.as_bytes()[..usize::from(len)].to_vec();
        }
        vec![(to, what)]
    });
    world.command(B, Command::RedeemCard { text: hers, in_person: true }).unwrap();
    world.until(B, secs(20), |e| matches!(e, Event::ContactAccepted { .. }));
    let text = card(&mut world, A, true);
    let offer = offer.borrow().clone();
    answers_with(&grip, offer);
    world.command(B, Command::RedeemCard { text, in_person: true }).unwrap();
    world.until(B, secs(20), |e| matches!(e, Event::ContactRefused { contact: 2 }));
    assert_eq!(contact(&mut world, B, 2).progress, Progress::Refused);
}

/// Somebody whose card is genuine, and who gives a key package of another suite: there is no weaker mode.
#[test]
fn a_key_package_of_a_weaker_suite_is_refused() {
    let (mut world, grip) = two_with(303);
    let mallory = IdentityKey::from_bytes(&[66; 32]);
    let text = made_up_card(&world, &mallory);
    let weaker = Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519;
    let offer = package(&world, &mallory, weaker);
    answers_with(&grip, offer);
    is_refused(&mut world, text.clone());
    // The same in the one suite would do: it is the suite that was refused.
    let offer = package(&world, &mallory, SUITE);
    answers_with(&grip, offer);
    world.command(B, Command::RedeemCard { text, in_person: true }).unwrap();
    world.run(secs(5));
    assert_eq!(contact(&mut world, B, 2).progress, Progress::Redeemed);
}

/// Anna's exchange hands what one redeemer got to a second one, too, and brings her what both make of it.
#[test]
fn one_offer_for_two_makes_one_contact() {
    let mut world = World::new(2, 304);
    let (grip, line) = (Grip::on_trunks(&mut world), Grip::on_line(&mut world, A));
    world.hire("Anna", 0);
    world.hire("Boris", 1);
    let dora = world.hire("Dora", 1);
    lines_up(&mut world);
    let text = card(&mut world, A, false);
    let first = RefCell::new(None);
    grip.does(move |_, to, what| match trunk(&what) {
        Some(Trunk::Redeemed { request, len, offer, .. }) => {
            let offer = offer.as_bytes()[..usize::from(len)].to_vec();
            vec![(to, redeemed(request, first.borrow_mut().get_or_insert(offer)))]
        }
        _ => vec![(to, what)],
    });
    world.command(B, Command::RedeemCard { text: text.clone(), in_person: false }).unwrap();
    world.until(B, secs(20), |e| matches!(e, Event::ContactAccepted { .. }));
    grip.forget();
    world.command(dora, Command::RedeemCard { text, in_person: false }).unwrap();
    world.run(secs(20));
    let welcome = grip.passed(To::Near).iter().chain(&grip.passed(To::Far)).find_map(|what| {
        let Trunk::Mail { envelope, .. } = trunk(what)? else { return None };
        let sealed = Sealed::decode(envelope.body.as_bytes());
        matches!(sealed, Ok(Sealed::Welcome { .. })).then_some((envelope.address, envelope.body))
    });
    let (address, body) = welcome.unwrap();
    let mail = LineDown::Deliver { seq: 99, address, at: world.wall(), body };
    world.meddle(A, To::Near, What::Message(mail.encode()));
    world.run(secs(40));
    assert!(!line.downs().is_empty());
    assert_eq!(contact(&mut world, dora, 1).progress, Progress::Redeemed, "never accepted");
    let now = world.now;
    let view = world.parties[A].view(now);
    assert_eq!((view.contacts.len(), view.contacts[0].name.as_str()), (1, "Boris"));
    assert_eq!(view.cards[0].state, CardState::Used { contact: 1 });
}

/// A third exchange has a trunk of its own: it tries the legs, voice and words of a call between two others.
#[test]
fn a_third_exchange_cannot_touch_a_call() {
    let mut world = World::new(3, 305);
    let grip = Grip::on_trunks(&mut world);
    world.hire("Anna", 0);
    world.hire("Boris", 1);
    let mallory = world.hire("Mallory", 2);
    lines_up(&mut world);
    meet(&mut world, A, B, true);
    // Its own trunk to office 1, for a contact of its own.
    let text = card(&mut world, B, false);
    world.command(mallory, Command::RedeemCard { text, in_person: false }).unwrap();
    world.until(mallory, secs(20), |e| matches!(e, Event::ContactAccepted { .. }));
    world.run(secs(5));
    connect(&mut world, A, B);
    world.parties[A].tone = Some(220.0);
    world.run(secs(2));
    let (voice, mail) = (grip.voice(To::Far), grip.passed(To::Far));
    assert!(voice.len() > 50);
    world.parties[A].tone = None;
    world.run(secs(1));
    let now = world.now;
    let before = world.parties[B].view(now);
    let refused = |w: &mut World| {
        let now = w.now;
        [A, B].map(|party| w.parties[party].view(now).voice_refused)
    };
    let (refused_before, events) = (refused(&mut world), world.parties[B].events.len());
    world.parties[B].heard = Some(Vec::new());
    for n in 1..12u16 {
        for (_, frame) in &voice[..10] {
            world.meddle_trunk(1, To::Far, What::Voice(Leg(n), *frame));
            world.meddle_trunk(1, To::Near, What::Voice(Leg(n), *frame));
        }
        let body = Blob::new(vec![7; 100]).unwrap();
        for message in [Trunk::Data { leg: Leg(n), body }, Trunk::Close { leg: Leg(n) }] {
            for to in [To::Near, To::Far] {
                world.meddle_trunk(1, to, What::Message(message.encode()));
            }
        }
        world.run(core::time::Duration::from_millis(200));
    }
    // Mail that passed between the two, and envelopes that it signed itself.
    for what in mail {
        if let Some(Trunk::Mail { mail, mut envelope }) = trunk(&what) {
            world.meddle_trunk(
                1,
                To::Far,
                What::Message(Trunk::Mail { mail, envelope: envelope.clone() }.encode()),
            );
            let key = seal::pairwise::PairwiseKey::from_bytes(&[66; 32]);
            envelope.counter += 1_000;
            let body = envelope.body.as_bytes().to_vec();
            envelope.signature =
                key.sign(&envelope.address, envelope.device, envelope.counter, &body);
            world.meddle_trunk(1, To::Far, What::Message(Trunk::Mail { mail, envelope }.encode()));
        }
    }
    world.run(secs(5));
    let heard = world.parties[B].heard.take().unwrap();
    assert!(heard.iter().all(|x| x.abs() < 0.01), "Boris hears the third");
    let now = world.now;
    let after = world.parties[B].view(now);
    assert_eq!(refused(&mut world), refused_before, "its voice did not even reach them");
    assert_eq!(after.dropped, before.dropped, "nor did its mail");
    assert_eq!(world.parties[B].events.len(), events, "and nothing happened on his screen");
    for party in [A, B] {
        assert_eq!(state(&mut world, party), Some(CallState::Connected));
    }
    world.parties[A].tone = Some(220.0);
    world.run(secs(1));
    assert!(hears(&mut world, B, secs(1)) > -40.0, "and Anna is heard as before");
}
