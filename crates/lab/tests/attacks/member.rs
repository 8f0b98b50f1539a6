//! A member: somebody who was let in and goes beyond what he was let in for, who has left, or who never was what he says.

use call::contact::{CardState, Progress};
use call::{CallState, End};
use lab::world::World;
use phone::{Command, Event, LineState};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use seal::card::{Fields, Kind};
use seal::group::{
    Admit, Bucket, Group, GroupError, GroupKind, Incoming, KeyPackages, Psk, UnverifiedKeyPackage,
    VerifiedKeyPackage,
};
use seal::identity::{Device, IdentityKey};
use seal::sframe::{Opener, Sealer, VoiceError};
use wire::line::LineDown;
use wire::talk::{ContactMessage, Sealed, SiblingMessage};
use wire::{Blob, CallId, Text, Wall};

use crate::kit::*;
use crate::support::*;

/// Anna, and a stranger at the other office.
fn with_rogue(seed: u64) -> (World, Rogue) {
    let mut world = World::new(2, seed);
    world.hire("Anna", 0);
    let rogue = Rogue::hire(&mut world, "Mallory", 1);
    (world, rogue)
}

/// The same, and Anna has the stranger as a contact, by a card that was handed over in person or travelled.
fn befriended(seed: u64, in_person: bool) -> (World, Rogue) {
    let (mut world, mut rogue) = with_rogue(seed);
    let text = card(&mut world, A, in_person);
    rogue.redeem(&mut world, &text, |_| {});
    world.until(A, secs(20), |e| matches!(e, Event::CardUsed { .. }));
    world.run(secs(5));
    (world, rogue)
}

/// Anna dropped what came; her card can still be redeemed, and she has nobody.
fn nothing_came_of_it(world: &mut World) {
    world.run(secs(5));
    let now = world.now;
    let view = world.parties[A].view(now);
    assert!(view.contacts.is_empty(), "a contact was made");
    assert_eq!((view.cards[0].state, view.dropped), (CardState::Issued, 1));
}

/// A device of somebody, and a key package for it.
struct Somebody {
    identity: IdentityKey,
    device: Device,
    packages: KeyPackages,
}

impl Somebody {
    fn new(seed: u64) -> Somebody {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let identity = IdentityKey::generate(&mut rng);
        let device = Device::first(&identity, &mut rng);
        Somebody { identity, device, packages: KeyPackages::new() }
    }

    fn bytes(&mut self, now: Wall) -> Vec<u8> {
        self.packages.create(&self.device, now).unwrap()
    }

    fn package(&mut self, now: Wall) -> VerifiedKeyPackage {
        let bytes = self.bytes(now);
        let package = UnverifiedKeyPackage::parse(&bytes).unwrap();
        package.verify(&self.identity.principal(), now).unwrap()
    }
}

// ---- who makes a contact group ---------------------------------------------------------------------

#[test]
fn a_redeemer_who_shows_another_s_card_is_refused() {
    let (mut world, mut rogue) = with_rogue(401);
    let clara = Somebody::new(77);
    let text = card(&mut world, A, false);
    // Clara's card is genuine: she handed it to him for herself.
    let hers = return_card(&world, &clara.identity, "Clara", 1, rogue.mine);
    rogue.redeem(&mut world, &text, |how| how.return_card = hers.to_bytes().to_vec());
    nothing_came_of_it(&mut world);
}

#[test]
fn a_return_card_with_a_forged_signature_is_refused() {
    let (mut world, mut rogue) = with_rogue(402);
    let text = card(&mut world, A, false);
    let fields = Fields {
        kind: Kind::Contact,
        office: Text::new("Chancellery").unwrap(),
        exchange: wire::ExchangeRef {
            key: world.offices[1].key,
            host: Text::new("office1.example:4433").unwrap(),
        },
        address: rogue.mine,
        name: Text::new("Chancellor").unwrap(),
        expiry: Wall(world.wall().0 + 1_000),
    };
    let key = ed25519_dalek::SigningKey::from_bytes(&[66; 32]);
    let issuer = rogue.identity.principal();
    let forged = forged_card(issuer, &fields, &key);
    rogue.redeem(&mut world, &text, |how| how.return_card = forged);
    nothing_came_of_it(&mut world);
}

#[test]
fn a_hidden_third_in_the_contact_group_is_refused() {
    let (mut world, mut rogue) = with_rogue(403);
    let text = card(&mut world, A, false);
    let (mut ear, now) = (Somebody::new(78), world.wall());
    rogue.redeem(&mut world, &text, |how| how.others.push(ear.package(now)));
    nothing_came_of_it(&mut world);
}

// ---- what a contact may say --------------------------------------------------------------------------

#[test]
fn a_contact_cannot_speak_as_another_handset_of_the_principal() {
    let (mut world, mut rogue) = befriended(404, true);
    let credential = Blob::new(vec![1; 129]).unwrap();
    for message in [
        SiblingMessage::Admit { credential, name: Text::new("Anna").unwrap() },
        SiblingMessage::Unshare { number: 1 },
        SiblingMessage::Joined { number: 1, welcome: Blob::default() },
    ] {
        let body = rogue.seal(&message.encode());
        rogue.mail(&mut world, body);
    }
    world.run(secs(5));
    let now = world.now;
    let view = world.parties[A].view(now);
    assert!(view.first_handset && view.name == "Anna");
    assert_eq!((view.contacts.len(), view.contacts[0].progress), (1, Progress::Accepted));
}

#[test]
fn a_contact_cannot_remove_somebody_s_handset_from_the_group() {
    let (mut world, mut rogue) = befriended(405, true);
    let epoch = |w: &World| w.parties[A].phone.as_ref().unwrap().epoch(1).unwrap();
    let before = epoch(&world);
    let group = rogue.group.as_mut().unwrap();
    let hers = group.members().iter().find(|m| m.leaf != group.own_leaf()).unwrap().leaf;
    let commit = group.remove(&[hers]).unwrap();
    let body = Sealed::Contact { message: Blob::new(commit).unwrap() }.encode();
    rogue.mail(&mut world, body);
    world.run(secs(5));
    assert_eq!(epoch(&world), before, "she is where she was");
    // She is not shut out unawares: her call goes out as before.
    rogue.came();
    world.command(A, Command::Call { contact: 1 }).unwrap();
    world.run(secs(2));
    assert_eq!(state(&mut world, A), Some(CallState::Calling));
    let rang = rogue.came().iter().any(|m| matches!(m, LineDown::Incoming { .. }));
    assert!(rang, "it rings there");
}

/// Mallory prepares a call, rings, and Anna answers. `make` gives the group's Welcome and the secret that is told.
fn answers_a_call_made_by(
    seed: u64,
    make: impl FnOnce(&mut Rogue, VerifiedKeyPackage, CallId, Wall) -> (Vec<u8>, [u8; 32]),
) -> (World, Rogue) {
    let (mut world, mut rogue) = befriended(seed, true);
    let anna = rogue.group.as_ref().unwrap().members()[1].device;
    let key_package = rogue
        .said()
        .into_iter()
        .find_map(|m| match m {
            ContactMessage::KeyPackage { key_package, .. } => Some(key_package.into_bytes()),
            _ => None,
        })
        .unwrap();
    let package = UnverifiedKeyPackage::parse(&key_package).unwrap();
    let package = package.verify(&anna.principal(), world.wall()).unwrap();
    let (call_id, now) = (CallId([5; 16]), world.wall());
    let (welcome, psk) = make(&mut rogue, package, call_id, now);
    let welcome = Blob::new(welcome).unwrap();
    rogue.tell(&mut world, &ContactMessage::Prepare { call: call_id, psk, welcome });
    world.run(secs(2));
    let invite = ContactMessage::Invite { call: call_id, at: world.wall(), again: false };
    let body = rogue.seal(&invite.encode());
    rogue.open(&mut world, 1, body);
    world.until(A, secs(5), |e| matches!(e, Event::Incoming { .. }));
    answer(&mut world, A);
    world.run(secs(3));
    (world, rogue)
}

/// Without keys the call does not come about, and the microphone stays closed.
fn does_not_come_about(world: &mut World, rogue: &Rogue) {
    assert_eq!(state(world, A), Some(CallState::Connecting));
    ended(world, A, End::NoKeys);
    assert!(rogue.grip.voice(lab::middle::To::Near).is_empty(), "not one frame of her voice");
    let now = world.now;
    assert_eq!(world.parties[A].view(now).dropped, 1);
}

#[test]
fn a_call_with_a_hidden_listener_does_not_come_about() {
    let (mut world, rogue) = answers_a_call_made_by(406, |rogue, anna, call, now| {
        let mut group = Group::create(&rogue.device, GroupKind::Call, Admit::Vouched).unwrap();
        // A second device of the very same contact, of which nothing is shown.
        let mut rng = ChaCha20Rng::seed_from_u64(9);
        let ear = Device::first(&rogue.identity, &mut rng);
        let mut packages = KeyPackages::new();
        let bytes = packages.create(&ear, now).unwrap();
        let ear = UnverifiedKeyPackage::parse(&bytes).unwrap();
        let ear = ear.verify(&rogue.identity.principal(), now).unwrap();
        (group.add(&[anna, ear], &[Psk::new(call.0, [3; 32])]).unwrap().welcome, [3; 32])
    });
    does_not_come_about(&mut world, &rogue);
}

#[test]
fn a_call_that_is_not_bound_to_the_contact_does_not_come_about() {
    let (mut world, rogue) = answers_a_call_made_by(407, |rogue, anna, _, _| {
        let mut group = Group::create(&rogue.device, GroupKind::Call, Admit::Vouched).unwrap();
        (group.add(&[anna], &[]).unwrap().welcome, [3; 32])
    });
    does_not_come_about(&mut world, &rogue);
}

#[test]
fn a_call_as_it_should_be_comes_about() {
    let (mut world, _) = answers_a_call_made_by(408, |rogue, anna, call, _| {
        let mut group = Group::create(&rogue.device, GroupKind::Call, Admit::Vouched).unwrap();
        (group.add(&[anna], &[Psk::new(call.0, [3; 32])]).unwrap().welcome, [3; 32])
    });
    assert_eq!(state(&mut world, A), Some(CallState::Connected));
}

/// Whoever is not trusted learns nothing of when the handset is there: not even by what it answers by itself.
#[test]
fn an_unverified_contact_does_not_learn_whether_the_handset_is_there() {
    let mut seen = Vec::new();
    for here in [true, false] {
        let (mut world, mut rogue) = befriended(409, false);
        // Another day: the handset was started anew.
        world.kill_party(A);
        world.start_party(A);
        lines_up(&mut world);
        world.run(secs(5));
        world.reach(A, here);
        rogue.came();
        let anna = rogue.group.as_ref().unwrap().members()[1].device.device();
        let mut rng = ChaCha20Rng::seed_from_u64(10);
        for round in 0..3 {
            let now = world.wall();
            for want in [true, false] {
                let bytes = rogue.packages.create(&rogue.device, now).unwrap();
                let key_package = Blob::new(bytes).unwrap();
                rogue.tell(
                    &mut world,
                    &ContactMessage::KeyPackage { to: anna.0, key_package, want },
                );
            }
            let second = Device::first(&rogue.identity, &mut rng);
            let bytes = KeyPackages::new().create(&second, now).unwrap();
            let key_package = Blob::new(bytes).unwrap();
            rogue.tell(&mut world, &ContactMessage::AddDevice { key_package });
            let call = CallId([round; 16]);
            rogue.tell(&mut world, &ContactMessage::Missed { call, at: now });
            rogue.tell(
                &mut world,
                &ContactMessage::Note {
                    id: [round; 16],
                    at: now,
                    text: Text::new("are you there?").unwrap(),
                },
            );
            let invite = ContactMessage::Invite { call, at: now, again: round == 2 };
            let body = rogue.seal(&invite.encode());
            rogue.open(&mut world, u16::from(round) * 2 + 1, body);
            world.run(secs(20));
        }
        let state = world.parties[A].view(world.now).line;
        assert_eq!(state == LineState::Up, here);
        seen.push(rogue.came());
    }
    assert_eq!(seen[0], seen[1], "what he sees when she is there, and when she is not");
}

/// The commit that lets a further device in would say that the handset is there: it waits until the contact is trusted.
#[test]
fn a_further_device_of_an_unverified_contact_waits() {
    let mut world = two(410);
    let second = world.hire("Boris", 1);
    lines_up(&mut world);
    let text = card(&mut world, B, false);
    world.command(A, Command::RedeemCard { text, in_person: false }).unwrap();
    world.until(A, secs(20), |e| matches!(e, Event::ContactAccepted { .. }));
    world.run(secs(5));
    world.command(B, Command::AdmitDevice { ttl: secs(600) }).unwrap();
    world.until(B, secs(10), |e| matches!(e, Event::CardIssued { .. }));
    let now = world.now;
    let text = world.parties[B].view(now).cards.pop().unwrap().link.unwrap();
    world.command(second, Command::RedeemCard { text, in_person: true }).unwrap();
    world.until(B, secs(10), |e| matches!(e, Event::CardUsed { .. }));
    world.run(secs(10));
    let now = world.now;
    let sibling = world.parties[B].view(now).contacts.iter().find(|c| c.own_device).unwrap().id;
    world.command(B, Command::Verify { contact: sibling, matches: true }).unwrap();
    world.until(second, secs(10), |e| *e == Event::Admitted);
    for party in [A, B, second] {
        world.parties[party].plays = false;
    }
    let epoch = |w: &World| w.parties[A].phone.as_ref().unwrap().epoch(1).unwrap();
    let before = epoch(&world);
    let is_in = |w: &mut World| {
        let now = w.now;
        let contacts = w.parties[second].view(now).contacts;
        contacts.iter().any(|c| c.name == "Anna" && !c.suite.is_empty())
    };
    world.run(secs(130));
    assert_eq!(epoch(&world), before, "Anna's handset says nothing by itself");
    assert!(!is_in(&mut world));
    world.command(A, Command::Verify { contact: 1, matches: true }).unwrap();
    assert!(world.run_until(secs(180), is_in), "verified, it is let in");
}

// ---- groups of three: who has left, who is shown whom -------------------------------------------------

/// A call of three, all in the same epoch.
fn three() -> ([Somebody; 3], [Group; 3]) {
    let now = Wall(1_700_000_000);
    let mut people = [Somebody::new(1), Somebody::new(2), Somebody::new(3)];
    let mut a = Group::create(&people[0].device, GroupKind::Call, Admit::Vouched).unwrap();
    let packages = [people[1].package(now), people[2].package(now)];
    let welcome = a.add(&packages, &[]).unwrap().welcome;
    let mut join = |n: usize| {
        let Somebody { device, packages, .. } = &mut people[n];
        Group::join(device, packages, &welcome, GroupKind::Call, &[], Admit::Vouched).unwrap()
    };
    let groups = [a, join(1), join(2)];
    (people, groups)
}

#[test]
fn who_has_left_says_nothing_more() {
    let (people, [mut a, mut b, mut c]) = three();
    let left = c.own_leaf();
    // Said before it went, and late: what it says then is no member's word any more.
    let farewell = c.encrypt(b"hang up, all of you", Bucket::Small).unwrap();
    let commit = a.remove(&[left]).unwrap();
    b.process(&commit).unwrap();
    a.merge_pending().unwrap();
    for group in [&mut a, &mut b] {
        assert!(matches!(group.process(&farewell), Err(GroupError::NotAllowed(_))));
        assert_eq!(group.members().len(), 2);
        assert!(group.members().iter().all(|m| m.device != people[2].device.verified()));
    }
    // Those who stayed are still heard, in the old epoch too.
    let late = b.encrypt(b"still here", Bucket::Tiny).unwrap();
    assert!(matches!(a.process(&late), Ok(Incoming::Application { .. })));
}

/// The removal reaches nobody but its maker: nobody hears anybody, and nobody who has left hears who has not.
#[test]
fn a_removal_that_is_dropped_opens_no_ear() {
    let (_, [mut a, mut b, mut c]) = three();
    let (left, first) = (c.own_leaf(), a.own_leaf());
    let ears = [b.epoch_keys().unwrap(), c.epoch_keys().unwrap()];
    let _dropped = a.remove(&[left]).unwrap();
    a.merge_pending().unwrap();
    let mut voice = Sealer::new(&mut a.epoch_keys().unwrap()).unwrap();
    let frame = voice.seal(1, &[1; 100], 0).unwrap();
    for keys in &ears {
        let mut ear = Opener::new(keys, first).unwrap();
        assert_eq!(ear.open(&frame), Err(VoiceError::OtherKey));
    }
    let said = a.encrypt(b"between us", Bucket::Tiny).unwrap();
    for group in [&mut b, &mut c] {
        let told = group.process(&said).unwrap_err();
        assert!(matches!(told, GroupError::OtherEpoch { .. }), "a commit is missing: {told}");
        assert_eq!(group.members().len(), 3, "what the screen shows is who has the keys");
    }
}

/// A member tells each side another change: they are shown other members, and from then on hear each other no more.
#[test]
fn members_who_are_shown_different_lists_do_not_hear_each_other() {
    let (people, [mut a, mut b, mut c]) = three();
    let now = Wall(1_700_000_000);
    let mut ear = Somebody::new(4);
    // Two commits of one epoch: only a member with a changed program makes both.
    let mut forked = Group::restore(&a.snapshot(), &people[0].device).unwrap();
    let plain = a.self_update().unwrap();
    let with_ear = forked.add(&[ear.package(now)], &[]).unwrap().commit;
    b.process(&plain).unwrap();
    c.process(&with_ear).unwrap();
    assert_eq!((b.epoch(), b.members().len()), (c.epoch(), 3));
    assert_eq!(c.members().len(), 4, "who hears the ear sees it");
    assert_ne!(b.authenticator(), c.authenticator());
    let mut voice = Sealer::new(&mut b.epoch_keys().unwrap()).unwrap();
    let frame = voice.seal(1, &[1; 100], 0).unwrap();
    let (keys, leaf) = (c.epoch_keys().unwrap(), b.own_leaf());
    assert_eq!(Opener::new(&keys, leaf).unwrap().open(&frame), Err(VoiceError::Closed));
    let said = b.encrypt(b"who is here?", Bucket::Tiny).unwrap();
    assert!(matches!(c.process(&said), Err(GroupError::Closed)));
}
