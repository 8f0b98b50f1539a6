use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use wire::Wall;

use super::*;
use crate::identity::IdentityKey;
use crate::sframe::{Opener, Sealer, VoiceError};

const NOW: Wall = Wall(1_800_000_000);

/// Somebody with one device and some key packages.
struct Party {
    identity: IdentityKey,
    device: Device,
    packages: KeyPackages,
}

fn party(seed: u64) -> Party {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let identity = IdentityKey::generate(&mut rng);
    let device = Device::first(&identity, &mut rng);
    Party { identity, device, packages: KeyPackages::new() }
}

impl Party {
    fn package(&mut self) -> VerifiedKeyPackage {
        let bytes = self.packages.create(&self.device, NOW).unwrap();
        let parsed = UnverifiedKeyPackage::parse(&bytes).unwrap();
        parsed.verify(&self.identity.principal(), NOW).unwrap()
    }
}

/// A call group of all `others`, made by `first`, vouched.
fn call(first: &mut Party, others: &mut [&mut Party], psks: &[Psk]) -> (Group, Vec<Group>) {
    let mut group = Group::create(&first.device, GroupKind::Call, Admit::Vouched).unwrap();
    let packages: Vec<_> = others.iter_mut().map(|p| p.package()).collect();
    let added = group.add(&packages, psks).unwrap();
    let joined = others.iter_mut().map(|p| {
        let (device, packages) = (&p.device, &mut p.packages);
        Group::join(device, packages, &added.welcome, GroupKind::Call, psks, Admit::Vouched)
    });
    let joined = joined.map(Result::unwrap).collect();
    (group, joined)
}

#[test]
fn two_members_talk_and_hear() {
    let (mut a, mut b) = (party(1), party(2));
    let (mut ga, mut gb) = call(&mut a, &mut [&mut b], &[]);
    let gb = &mut gb[0];
    assert_eq!(ga.authenticator(), gb.authenticator());
    assert_eq!(ga.members(), gb.members());

    let sealed = ga.encrypt(b"hello", Bucket::Tiny).unwrap();
    assert!(sealed.len() <= 300, "{}", sealed.len());
    let Incoming::Application { from, message } = gb.process(&sealed).unwrap() else { panic!() };
    assert_eq!((from.leaf, message.as_slice()), (ga.own_leaf(), &b"hello"[..]));
    assert_eq!(from.device, a.device.verified());

    let (mut ka, mut kb) = (ga.epoch_keys().unwrap(), gb.epoch_keys().unwrap());
    let mut mouth = Sealer::new(&mut ka).unwrap();
    let mut ear = Opener::new(&kb, ga.own_leaf()).unwrap();
    let frame = mouth.seal(0, &[7; 100], 3).unwrap();
    let heard = ear.open(&frame).unwrap();
    assert_eq!((heard.number, heard.flags, heard.packet), (0, 3, [7; 100]));
    assert_eq!(ear.open(&frame), Err(VoiceError::Replayed));
    assert!(Sealer::new(&mut kb).is_ok());
    assert_eq!(Sealer::new(&mut ka).err(), Some(VoiceError::SealerTaken));
    assert_eq!(Sealer::new(&mut ga.epoch_keys().unwrap()).err(), Some(VoiceError::SealerTaken));
}
