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
    assert_eq!(ga.suite(), CIPHERSUITE_NAME);

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

#[test]
fn sizes_are_those_of_the_buckets() {
    let (mut a, mut b) = (party(1), party(2));
    let (mut ga, mut gb) = call(&mut a, &mut [&mut b], &[]);
    for bucket in Bucket::ALL {
        let mut sizes = std::collections::BTreeSet::new();
        for len in [0, 1, bucket.room() / 2, bucket.room()] {
            let sealed = ga.encrypt(&vec![7; len], bucket).unwrap();
            sizes.insert(sealed.len());
            let Incoming::Application { message, .. } = gb[0].process(&sealed).unwrap() else {
                panic!()
            };
            assert_eq!(message, vec![7; len]);
        }
        assert_eq!(sizes.len(), 1, "{bucket:?}: {sizes:?}");
        assert!(sizes.iter().all(|s| *s <= wire::limits::BODY_MAX - 3));
        let len = bucket.room() + 1;
        let too_long = ga.encrypt(&vec![7; len], bucket).unwrap_err();
        assert!(matches!(too_long, GroupError::Bucket { len: l, .. } if l == len));
        assert_ne!(Bucket::holding(len), Some(bucket));
        // These are for what has always that length; a text must not be put there because it fits.
        let chosen = !matches!(bucket, Bucket::Word | Bucket::Voice);
        assert_eq!(Bucket::holding(bucket.room()) == Some(bucket), chosen);
    }
}

#[test]
fn padding_is_checked() {
    let good = Bucket::Tiny.fill(b"ab").unwrap();
    assert_eq!(message::empty(&good).unwrap(), b"ab");
    let mut dirty = good.clone();
    let last = good.len() - 1;
    dirty[last] = 1;
    let mut long = good.clone();
    long[..2].copy_from_slice(&(last as u16).to_be_bytes());
    for bad in [&dirty[..], &long, &good[..last], &[], &[0]] {
        assert!(matches!(message::empty(bad), Err(GroupError::Padding)));
    }
}

/// The bytes of a group message as somebody sends them who does not pad.
#[test]
fn a_member_who_does_not_pad_is_refused() {
    let (mut a, mut b) = (party(1), party(2));
    let (mut ga, mut gb) = call(&mut a, &mut [&mut b], &[]);
    let raw = ga.mls.create_message(&ga.provider, &ga.device, b"\0\x03abc").unwrap();
    let raw = raw.tls_serialize_detached().unwrap();
    assert!(matches!(gb[0].process(&raw), Err(GroupError::Padding)));
}

#[test]
fn who_is_removed_cannot_open_what_follows() {
    let (mut a, mut b, mut c) = (party(1), party(2), party(3));
    let (mut ga, joined) = call(&mut a, &mut [&mut b, &mut c], &[]);
    let [mut gb, mut gc] = <[Group; 2]>::try_from(joined).ok().unwrap();
    assert_eq!(ga.members().len(), 3);
    assert_eq!(ga.authenticator(), gc.authenticator());

    let left = gc.own_leaf();
    let commit = ga.remove(&[left]).unwrap();
    let old = ga.epoch();
    let Incoming::Commit(change) = gb.process(&commit).unwrap() else { panic!() };
    assert_eq!((change.by.leaf, change.epoch), (ga.own_leaf(), old + 1));
    assert_eq!(change.removed, [Member { leaf: left, device: c.device.verified() }]);
    assert!(matches!(gc.process(&commit), Ok(Incoming::Commit(_))));
    ga.merge_pending().unwrap();
    assert_eq!((ga.authenticator(), ga.members().len()), (gb.authenticator(), 2));

    assert!(!gc.is_active());
    assert!(matches!(gc.epoch_keys(), Err(GroupError::Removed)));
    assert!(matches!(gc.encrypt(b"still here", Bucket::Tiny), Err(GroupError::Removed)));
    let sealed = ga.encrypt(b"alone at last", Bucket::Tiny).unwrap();
    assert!(gc.process(&sealed).is_err());
    assert!(gb.process(&sealed).is_ok());
    let mut keys = ga.epoch_keys().unwrap();
    assert!(matches!(Opener::new(&keys, left), Err(VoiceError::NoMember(_))));
    assert!(Sealer::new(&mut keys).is_ok());
}

/// Even a leaver who kept everything of the old epoch hears nothing of the new one.
#[test]
fn old_voice_keys_do_not_open_the_next_epoch() {
    let (mut a, mut b, mut c) = (party(1), party(2), party(3));
    let (mut ga, joined) = call(&mut a, &mut [&mut b, &mut c], &[]);
    let [mut gb, mut gc] = <[Group; 2]>::try_from(joined).ok().unwrap();
    let kept = gc.epoch_keys().unwrap();
    let mut kept_ear = Opener::new(&kept, ga.own_leaf()).unwrap();
    let mut before = Sealer::new(&mut ga.epoch_keys().unwrap()).unwrap();
    assert!(kept_ear.open(&before.seal(1, &[1; 100], 0).unwrap()).is_ok());

    let commit = ga.remove(&[gc.own_leaf()]).unwrap();
    gb.process(&commit).unwrap();
    ga.merge_pending().unwrap();
    let mut after = Sealer::new(&mut ga.epoch_keys().unwrap()).unwrap();
    let frame = after.seal(2, &[1; 100], 0).unwrap();
    assert_eq!(kept_ear.open(&frame), Err(VoiceError::OtherKey));
    let mut ear = Opener::new(&gb.epoch_keys().unwrap(), ga.own_leaf()).unwrap();
    assert!(ear.open(&frame).is_ok());
}

#[test]
fn psk_binds_the_call_to_the_contact() {
    let psk = Psk::new([5; 16], [6; 32]);
    let (a, mut b) = (party(1), party(2));
    let mut group = Group::create(&a.device, GroupKind::Call, Admit::Vouched).unwrap();
    let welcome = group.add(&[b.package()], std::slice::from_ref(&psk)).unwrap().welcome;
    let mut join = |psks: &[Psk]| {
        Group::join(&b.device, &mut b.packages, &welcome, GroupKind::Call, psks, Admit::Vouched)
    };
    assert!(matches!(join(&[]), Err(GroupError::PskMissing)));
    let other_id = Psk::new([4; 16], [6; 32]);
    assert!(matches!(join(std::slice::from_ref(&other_id)), Err(GroupError::PskMissing)));
    let wrong = Psk::new([5; 16], [7; 32]);
    assert!(matches!(join(&[wrong]), Err(GroupError::WelcomeClosed)));
    assert!(matches!(join(&[psk.clone(), other_id]), Err(GroupError::PskMissing)));
    let joined = join(std::slice::from_ref(&psk)).unwrap();
    assert_eq!(joined.authenticator(), group.authenticator());

    // The other way round: bound was expected, and the Welcome is not.
    let mut open = Group::create(&a.device, GroupKind::Call, Admit::Vouched).unwrap();
    let welcome = open.add(&[b.package()], &[]).unwrap().welcome;
    let joined =
        Group::join(&b.device, &mut b.packages, &welcome, GroupKind::Call, &[psk], Admit::Vouched);
    assert!(matches!(joined, Err(GroupError::PskMissing)));
}

#[test]
fn a_member_needs_the_psk_of_a_later_commit() {
    let (mut a, mut b, mut c) = (party(1), party(2), party(3));
    let (mut ga, mut gb) = call(&mut a, &mut [&mut b], &[]);
    let psk = Psk::new([8; 16], [9; 32]);
    let added = ga.add(&[c.package()], std::slice::from_ref(&psk)).unwrap();
    assert!(matches!(gb[0].process(&added.commit), Err(GroupError::PskMissing)));
    gb[0].expect_psk(&psk).unwrap();
    let Incoming::Commit(change) = gb[0].process(&added.commit).unwrap() else { panic!() };
    assert_eq!(change.added.len(), 1);
    assert_eq!(change.added[0].device, c.device.verified());
    ga.merge_pending().unwrap();
    let gc = Group::join(
        &c.device,
        &mut c.packages,
        &added.welcome,
        GroupKind::Call,
        &[psk],
        Admit::Vouched,
    );
    assert_eq!(gc.unwrap().authenticator(), gb[0].authenticator());
    assert_eq!(ga.authenticator(), gb[0].authenticator());
}

#[test]
fn key_packages_of_others_do_not_pass() {
    let (mut a, mallory) = (party(1), party(66));
    let bytes = a.packages.create(&a.device, NOW).unwrap();
    assert!(bytes.len() <= wire::limits::KEY_PACKAGE_MAX);
    let verify = |bytes: &[u8], who: &Party, now| {
        UnverifiedKeyPackage::parse(bytes).and_then(|p| p.verify(&who.identity.principal(), now))
    };
    assert!(verify(&bytes, &a, NOW).is_ok());
    // Swapped on its way for one of another principal.
    assert!(matches!(
        verify(&bytes, &mallory, NOW),
        Err(GroupError::Credential(crate::identity::CredentialError::OtherPrincipal))
    ));
    // Mallory's key under a's credential.
    let mut rng = ChaCha20Rng::seed_from_u64(9);
    let stolen = crate::identity::DeviceKey::generate(&mut rng);
    assert!(Device::admitted(stolen, a.device.credential()).is_err());
    // The clock of either side a day, six days off; and far off.
    const DAY: u64 = 86_400;
    for fine in [NOW.0 - 6 * DAY, NOW.0 - DAY, NOW.0 + DAY, NOW.0 + 84 * DAY] {
        assert!(verify(&bytes, &a, Wall(fine)).is_ok(), "{fine}");
    }
    for off in [0, NOW.0 - 8 * DAY, NOW.0 + 85 * DAY, u64::MAX] {
        let error = verify(&bytes, &a, Wall(off)).err().unwrap();
        assert!(matches!(error, GroupError::Expired { .. }) && error.to_string().contains("clock"));
    }
    for cut in 0..bytes.len() {
        assert!(verify(&bytes[..cut], &a, NOW).is_err(), "{cut}");
    }
    for (i, _) in bytes.iter().enumerate() {
        let mut bad = bytes.clone();
        bad[i] ^= 1 << (i % 8);
        assert!(verify(&bad, &a, NOW).is_err(), "byte {i}");
    }
    assert!(verify(&[&bytes[..], &[0]].concat(), &a, NOW).is_err());
    assert!(matches!(verify(&[0; 5000], &a, NOW), Err(GroupError::TooLarge { .. })));
}

#[test]
fn another_suite_is_refused() {
    let mut a = party(1);
    let provider = Provider::new().unwrap();
    let weaker = Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519;
    let bundle = KeyPackage::builder()
        .leaf_node_capabilities(Capabilities::new(None, Some(&[weaker, SUITE]), None, None, None))
        .build(weaker, &provider, &a.device, provider::own_credential(&a.device))
        .unwrap();
    let bytes = MlsMessageOut::from(bundle.into_key_package()).tls_serialize_detached().unwrap();
    let verified =
        UnverifiedKeyPackage::parse(&bytes).unwrap().verify(&a.identity.principal(), NOW);
    assert!(matches!(verified, Err(GroupError::ForeignSuite)));

    // A Welcome that names another suite: the number stands behind version and wire format.
    let b = party(2);
    let mut group = Group::create(&b.device, GroupKind::Call, Admit::Vouched).unwrap();
    let mut welcome = group.add(&[a.package()], &[]).unwrap().welcome;
    assert_eq!(welcome[4..6], CIPHERSUITE.to_be_bytes());
    welcome[5] = 3;
    let joined =
        Group::join(&a.device, &mut a.packages, &welcome, GroupKind::Call, &[], Admit::Vouched);
    assert!(matches!(joined, Err(GroupError::ForeignSuite)));
}

#[test]
fn damaged_welcomes_and_messages_are_refused_and_change_nothing() {
    let (a, mut b) = (party(1), party(2));
    let mut ga = Group::create(&a.device, GroupKind::Call, Admit::Vouched).unwrap();
    let welcome = ga.add(&[b.package()], &[]).unwrap().welcome;
    let mut join = |bytes: &[u8]| {
        Group::join(&b.device, &mut b.packages, bytes, GroupKind::Call, &[], Admit::Vouched)
    };
    for i in (0..welcome.len()).step_by(7).chain(0..64) {
        let mut bad = welcome.clone();
        bad[i] ^= 1 << (i % 8);
        assert!(join(&bad).is_err(), "byte {i}");
    }
    for cut in (0..welcome.len()).step_by(13) {
        assert!(join(&welcome[..cut]).is_err(), "cut {cut}");
    }
    let mut gb = join(&welcome).unwrap();
    assert!(matches!(join(&welcome), Err(GroupError::NoKeyPackage)), "a key package is used once");

    let said = ga.encrypt(b"said once", Bucket::Tiny).unwrap();
    let commit = ga.self_update().unwrap();
    let before = gb.snapshot();
    for message in [&said, &commit] {
        for i in (0..message.len()).step_by(if message.len() > 1_000 { 11 } else { 1 }) {
            let mut bad = message.clone();
            bad[i] ^= 1 << (i % 8);
            assert!(gb.process(&bad).is_err(), "byte {i}");
        }
        for cut in (0..message.len()).step_by(9) {
            assert!(gb.process(&message[..cut]).is_err(), "cut {cut}");
        }
    }
    assert!(before == gb.snapshot(), "what is refused changes nothing");
    assert!(gb.process(&said).is_ok());
    assert!(matches!(gb.process(&said), Err(GroupError::Closed)), "said once, heard once");
    assert!(matches!(gb.process(&commit), Ok(Incoming::Commit(_))));
    assert!(matches!(gb.process(&commit), Err(GroupError::OtherEpoch { .. })));
    assert!(matches!(gb.process(&vec![0; MESSAGE_MAX + 1]), Err(GroupError::TooLarge { .. })));
    assert!(matches!(gb.process(&welcome), Err(GroupError::Malformed(_))));
    assert_eq!(ga.process(&said).unwrap(), Incoming::Own);
}

#[test]
fn only_admitted_principals() {
    let (a, mut b, mut c) = (party(1), party(2), party(3));
    let (pa, pb) = (a.device.principal(), b.device.principal());
    let mut ga = Group::create(&a.device, GroupKind::Contact, Admit::one(pb)).unwrap();
    assert!(matches!(ga.add(&[c.package()], &[]), Err(GroupError::NotAdmitted)));
    let welcome = ga.add(&[b.package()], &[]).unwrap().welcome;
    let pc = c.device.principal();
    let mut join =
        |kind, admit| Group::join(&b.device, &mut b.packages, &welcome, kind, &[], admit);
    assert!(matches!(join(GroupKind::Contact, Admit::one(pc)), Err(GroupError::NotAdmitted)));
    assert!(matches!(join(GroupKind::Call, Admit::one(pa)), Err(GroupError::OtherKind)));
    let mut gb = join(GroupKind::Contact, Admit::one(pa)).unwrap();
    assert_eq!(gb.kind(), GroupKind::Contact);

    // One side admits a third, the other does not.
    ga.admit(pc);
    let commit = ga.add(&[c.package()], &[]).unwrap().commit;
    let epoch = gb.epoch();
    assert!(matches!(gb.process(&commit), Err(GroupError::NotAdmitted)));
    assert_eq!((gb.epoch(), gb.members().len()), (epoch, 2));
}

#[test]
fn a_second_device_of_the_same_principal() {
    let (a, b) = (party(1), party(2));
    let mut rng = ChaCha20Rng::seed_from_u64(77);
    let key = crate::identity::DeviceKey::generate(&mut rng);
    let credential = a.identity.admit(&key.public());
    let second = Device::admitted(key, &credential).unwrap();
    assert_eq!(second.principal(), a.device.principal());
    let mut packages = KeyPackages::new();
    let bytes = packages.create(&second, NOW).unwrap();
    let package = UnverifiedKeyPackage::parse(&bytes).unwrap();
    let package = package.verify(&a.device.principal(), NOW).unwrap();
    let mut gb =
        Group::create(&b.device, GroupKind::Contact, Admit::one(a.device.principal())).unwrap();
    let welcome = gb.add(&[package], &[]).unwrap().welcome;
    let admit = Admit::one(b.device.principal());
    let g2 = Group::join(&second, &mut packages, &welcome, GroupKind::Contact, &[], admit).unwrap();
    assert_eq!(g2.members()[1].device, second.verified());
}

#[test]
fn two_commits_at_once_end_alike() {
    let (mut a, mut b) = (party(1), party(2));
    let (mut ga, joined) = call(&mut a, &mut [&mut b], &[]);
    let [mut gb] = <[Group; 1]>::try_from(joined).ok().unwrap();
    let (from_a, from_b) = (ga.self_update().unwrap(), gb.self_update().unwrap());
    assert!(matches!(ga.self_update(), Err(GroupError::CommitPending)));
    assert_eq!(ga.process(&from_b).unwrap(), Incoming::Outranked);
    let Incoming::Commit(change) = gb.process(&from_a).unwrap() else { panic!() };
    assert!(change.own_discarded && !gb.has_pending() && ga.has_pending());
    ga.merge_pending().unwrap();
    assert_eq!(ga.authenticator(), gb.authenticator());
    let healed = gb.self_update().unwrap();
    ga.process(&healed).unwrap();
    gb.merge_pending().unwrap();
    assert_eq!((ga.authenticator(), ga.epoch()), (gb.authenticator(), gb.epoch()));
}

#[test]
fn discarded_commits_leave_no_trace() {
    let (mut a, mut b) = (party(1), party(2));
    let (mut ga, mut gb) = call(&mut a, &mut [&mut b], &[]);
    let (epoch, auth) = (ga.epoch(), ga.authenticator());
    ga.self_update().unwrap();
    ga.discard_pending().unwrap();
    assert_eq!((ga.epoch(), ga.authenticator()), (epoch, auth));
    let said = ga.encrypt(b"as before", Bucket::Tiny).unwrap();
    assert!(gb[0].process(&said).is_ok());
}

#[test]
fn proposals_wait_for_a_commit() {
    let (mut a, mut b) = (party(1), party(2));
    let (mut ga, mut gb) = call(&mut a, &mut [&mut b], &[]);
    let proposal = gb[0].propose_update().unwrap();
    assert!(matches!(ga.process(&proposal), Ok(Incoming::Proposal { .. })));
    assert!(matches!(ga.encrypt(b"", Bucket::Tiny), Err(GroupError::ProposalPending)));
    let commit = ga.commit_pending().unwrap();
    gb[0].process(&commit).unwrap();
    ga.merge_pending().unwrap();
    assert_eq!(ga.authenticator(), gb[0].authenticator());
    assert!(ga.encrypt(b"", Bucket::Tiny).is_ok());
}

#[test]
fn late_and_lost_messages() {
    let (mut a, mut b) = (party(1), party(2));
    let (mut ga, mut gb) = call(&mut a, &mut [&mut b], &[]);
    let gb = &mut gb[0];
    let mut sealed: Vec<_> = (0..30).map(|i| ga.encrypt(&[i], Bucket::Tiny).unwrap()).collect();
    sealed.reverse();
    assert!(sealed.iter().all(|s| gb.process(s).is_ok()), "in any order");
    let old = ga.encrypt(b"before the commits", Bucket::Tiny).unwrap();
    for _ in 0..4 {
        let commit = ga.self_update().unwrap();
        gb.process(&commit).unwrap();
        ga.merge_pending().unwrap();
    }
    assert!(gb.process(&old).is_ok(), "four epochs later");
    let older = ga.encrypt(b"before five commits", Bucket::Tiny).unwrap();
    for _ in 0..5 {
        let commit = ga.self_update().unwrap();
        gb.process(&commit).unwrap();
        ga.merge_pending().unwrap();
    }
    assert!(matches!(gb.process(&older), Err(GroupError::OtherEpoch { .. })));
    // A message that outran its commit: wait for the commit.
    let commit = ga.self_update().unwrap();
    ga.merge_pending().unwrap();
    let early = ga.encrypt(b"early", Bucket::Tiny).unwrap();
    let error = gb.process(&early).unwrap_err();
    assert!(error.to_string().contains("commit is missing"), "{error}");
    gb.process(&commit).unwrap();
    assert!(gb.process(&early).is_ok());
}

#[test]
fn a_restored_group_goes_on() {
    let (mut a, mut b) = (party(1), party(2));
    let (mut ga, gb) = call(&mut a, &mut [&mut b], &[]);
    let first = ga.encrypt(b"one", Bucket::Tiny).unwrap();
    let mut keys = ga.epoch_keys().unwrap();
    assert!(keys.can_seal());
    let _sealer = Sealer::new(&mut keys).unwrap();

    let mut ga = Group::restore(&ga.snapshot(), &a.device).unwrap();
    let mut gb = Group::restore(&gb[0].snapshot(), &b.device).unwrap();
    assert!(gb.process(&first).is_ok());
    let second = ga.encrypt(b"two", Bucket::Tiny).unwrap();
    assert!(gb.process(&second).is_ok());
    assert_eq!(ga.authenticator(), gb.authenticator());
    // Frame numbers of before are not known any more: no voice until the keys are new.
    assert!(!ga.epoch_keys().unwrap().can_seal());
    let commit = ga.self_update().unwrap();
    let mut ga = Group::restore(&ga.snapshot(), &a.device).unwrap();
    assert!(ga.has_pending(), "a pending commit survives");
    gb.process(&commit).unwrap();
    ga.merge_pending().unwrap();
    assert!(ga.epoch_keys().unwrap().can_seal());
    assert_eq!(ga.authenticator(), gb.authenticator());
    assert!(matches!(Group::restore(&ga.snapshot(), &b.device), Err(SnapshotError::OtherDevice)));
}

#[test]
fn snapshots_stay_small_and_damage_is_noticed() {
    let (mut a, mut b) = (party(1), party(2));
    let (mut ga, mut gb) = call(&mut a, &mut [&mut b], &[]);
    let mut sizes = Vec::new();
    for _ in 0..20 {
        let commit = ga.self_update().unwrap();
        gb[0].process(&commit).unwrap();
        ga.merge_pending().unwrap();
        let commit = gb[0].self_update().unwrap();
        ga.process(&commit).unwrap();
        gb[0].merge_pending().unwrap();
        sizes.push(ga.snapshot().len());
    }
    assert!(sizes[19] < sizes[5] + 2_000, "no growth: {sizes:?}");
    let good = ga.snapshot();
    for i in (0..good.len()).step_by(97).chain(0..40) {
        let mut bad = good.to_vec();
        bad[i] ^= 1 << (i % 8);
        assert!(Group::restore(&bad, &a.device).is_err(), "byte {i}");
    }
    for cut in (0..good.len()).step_by(101) {
        assert!(Group::restore(&good[..cut], &a.device).is_err(), "cut {cut}");
    }
    let packages = b.packages.snapshot(&b.device);
    assert!(matches!(Group::restore(&packages, &b.device), Err(SnapshotError::Foreign(_))));
}

/// Damage that the hash does not show, as if the program that wrote it had been at fault.
#[test]
fn nonsense_with_a_right_hash_is_an_error() {
    let (mut a, mut b) = (party(1), party(2));
    let (ga, _) = call(&mut a, &mut [&mut b], &[]);
    let good = ga.snapshot();
    let body = snapshot::unwrap(snapshot::Kind::Group, a.device.verified().device(), &good);
    let body = body.unwrap().to_vec();
    let mut refused = 0;
    for i in (0..body.len()).step_by(61) {
        let mut bad = body.clone();
        bad[i] ^= 0x15;
        let mut w = Writer::new();
        w.bytes(&bad);
        let bad = snapshot::wrap(snapshot::Kind::Group, a.device.verified().device(), w);
        refused += u32::from(Group::restore(&bad, &a.device).is_err());
    }
    assert!(refused > 0);
}

#[test]
fn key_packages_survive_a_restart() {
    let (a, mut b) = (party(1), party(2));
    let mut ga = Group::create(&a.device, GroupKind::Call, Admit::Vouched).unwrap();
    let (first, second) = (b.package(), b.package());
    assert_eq!(first.until().0, NOW.0 + 84 * 86_400);
    let welcome = ga.add(&[second], &[]).unwrap().welcome;
    let mut packages = KeyPackages::restore(&b.packages.snapshot(&b.device), &b.device).unwrap();
    assert_eq!(packages.len(), 2);
    let joined =
        Group::join(&b.device, &mut packages, &welcome, GroupKind::Call, &[], Admit::Vouched);
    assert_eq!(joined.unwrap().authenticator(), ga.authenticator());
    assert_eq!(packages.len(), 1);
    packages.prune(Wall(NOW.0 + 92 * 86_400));
    assert!(packages.is_empty());
    let good = b.packages.snapshot(&b.device);
    for i in (0..good.len()).step_by(97) {
        let mut bad = good.to_vec();
        bad[i] ^= 4;
        assert!(KeyPackages::restore(&bad, &b.device).is_err(), "byte {i}");
    }
}

#[test]
fn voice_keys_have_one_door() {
    let (mut a, mut b) = (party(1), party(2));
    let (ga, gb) = call(&mut a, &mut [&mut b], &[]);
    assert!(matches!(ga.export(VOICE_LABEL, b"", 32), Err(GroupError::NotAllowed(_))));
    let export = |g: &Group, label: &str| g.export(label, b"ctx", 32).unwrap();
    assert_eq!(export(&ga, "hotline test"), export(&gb[0], "hotline test"));
    assert_ne!(export(&ga, "hotline test"), export(&ga, "hotline other"));
}

#[test]
fn a_member_cannot_bring_in_group_extensions() {
    let (mut a, mut b) = (party(1), party(2));
    let (mut ga, mut gb) = call(&mut a, &mut [&mut b], &[]);
    let proposal =
        ga.mls.propose_group_context_extensions(
            &ga.provider,
            Extensions::single(Extension::RequiredCapabilities(
                RequiredCapabilitiesExtension::new(&[], &[], &[CredentialType::Basic]),
            ))
            .unwrap(),
            &ga.device,
        );
    let bytes = proposal.unwrap().0.tls_serialize_detached().unwrap();
    assert!(matches!(gb[0].process(&bytes), Err(GroupError::NotAllowed(_))));
}

/// A line needs half a second for 5,000 bytes: a bucket that is too wide keeps somebody waiting.
#[test]
fn a_welcome_fits_the_bucket_of_its_group() {
    let (a, mut others) = (party(1), (2..=8).map(party).collect::<Vec<_>>());
    let psk = [Psk::new([1; 16], [2; 32])];
    let mut group = Group::create(&a.device, GroupKind::Call, Admit::Vouched).unwrap();
    // Beside a Welcome: a name of the call and a secret; in a call of more than two, who is in it, by names of usual length.
    let buckets = [Bucket::Two, Bucket::Three, Bucket::Four, Bucket::Five];
    for (members, other) in (2..).zip(&mut others) {
        let added = group.add(&[other.package()], &psk).unwrap();
        group.merge_pending().unwrap();
        let beside = if members == 2 { 64 } else { 24 + 120 * members };
        let bucket = buckets.get(members - 2).unwrap_or(&Bucket::Huge);
        let len = added.welcome.len();
        assert_eq!(Bucket::holding(len + beside), Some(*bucket), "{members}: {len}");
        assert!(len <= wire::limits::WELCOME_MAX, "{members}: {len}");
        assert!(added.commit.len() <= wire::limits::BODY_MAX - 3, "{}", added.commit.len());
    }
}
