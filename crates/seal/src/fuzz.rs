//! Bodies of the fuzz targets: each takes any bytes, and must neither panic nor let a forgery through.
//!
//! What needs keys gets a group of two, made once a thread. Half of the inputs are taken as they are, the others
//! as changes to a genuine message, which reach deeper.

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use wire::Wall;
use zeroize::Zeroizing;

use crate::card::UnverifiedCard;
use crate::delegation::{self, Rights, UnverifiedDelegation};
use crate::group::{Admit, Bucket, Group, GroupKind, KeyPackages, UnverifiedKeyPackage};
use crate::identity::{Device, IdentityKey};
use crate::sframe::{EpochKeys, Opener, Sealer};
use crate::vault::{Params, Vault};

const NOW: Wall = Wall(1_800_000_000);

/// A party, what was sent to it, and its stored state.
struct Scene {
    device: Device,
    package: Vec<u8>,
    packages: Zeroizing<Vec<u8>>,
    welcome: Vec<u8>,
    group: Zeroizing<Vec<u8>>,
    said: Vec<u8>,
    commit: Vec<u8>,
}

fn scene() -> Option<Scene> {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let (one, two) = (IdentityKey::generate(&mut rng), IdentityKey::generate(&mut rng));
    let (first, device) = (Device::first(&one, &mut rng), Device::first(&two, &mut rng));
    let mut packages = KeyPackages::new();
    let package = packages.create(&device, NOW).ok()?;
    let kept = packages.snapshot(&device);
    let verified = UnverifiedKeyPackage::parse(&package).ok()?;
    let verified = verified.verify(&two.principal(), NOW).ok()?;
    let mut theirs = Group::create(&first, GroupKind::Call, Admit::Vouched).ok()?;
    let welcome = theirs.add(&[verified], &[]).ok()?.welcome;
    let ours =
        Group::join(&device, &mut packages, &welcome, GroupKind::Call, &[], Admit::Vouched).ok()?;
    let said = theirs.encrypt(b"said", Bucket::Tiny).ok()?;
    let commit = theirs.self_update().ok()?;
    Some(Scene { device, package, packages: kept, welcome, group: ours.snapshot(), said, commit })
}

thread_local! {
    static SCENE: Option<Scene> = scene();
}

fn with_scene(body: impl FnOnce(&Scene)) {
    SCENE.with(|scene| {
        if let Some(scene) = scene {
            body(scene);
        }
    });
}

/// `data` as it is, or as a change to `genuine`: 2 bytes of position, then bytes that are XORed in. With it,
/// whether it differs from the genuine one.
fn mutated(data: &[u8], genuine: &[u8]) -> (Vec<u8>, bool) {
    match data {
        [1, a, b, change @ ..] if !genuine.is_empty() => {
            let at = usize::from(u16::from_be_bytes([*a, *b])) % genuine.len();
            let mut bytes = genuine.to_vec();
            bytes[at..].iter_mut().zip(change).for_each(|(byte, x)| *byte ^= x);
            let differs = bytes != genuine;
            (bytes, differs)
        }
        [0, rest @ ..] => (rest.to_vec(), rest != genuine),
        _ => (data.to_vec(), data != genuine),
    }
}

/// A card, as bytes and as a link.
pub fn card(data: &[u8]) {
    let _ = UnverifiedCard::from_bytes(data).map(|c| c.verify(NOW));
    if let Ok(text) = core::str::from_utf8(data) {
        let _ = UnverifiedCard::from_link(text).map(|c| c.verify(NOW));
    }
}

/// A delegation: what its principal did not sign is never one.
pub fn delegation(data: &[u8]) {
    let identity = IdentityKey::from_bytes(&[1; 32]);
    let attendant = IdentityKey::from_bytes(&[2; 32]).principal();
    let genuine = delegation::sign(&identity, &attendant, Rights::PLACE, 1, Wall(NOW.0 + 1));
    let (bytes, forged) = mutated(data, &genuine);
    let verified = UnverifiedDelegation::parse(&bytes).and_then(|d| d.verify(&attendant, NOW));
    let ours = verified.is_ok_and(|d| d.principal() == identity.principal());
    assert!(!ours || !forged, "a forged delegation was accepted");
}

/// A key package.
pub fn key_package(data: &[u8]) {
    with_scene(|s| {
        let (bytes, forged) = mutated(data, &s.package);
        let verified =
            UnverifiedKeyPackage::parse(&bytes).and_then(|p| p.verify(&s.device.principal(), NOW));
        assert!(verified.is_err() || !forged, "a forged key package was accepted");
    });
}

/// A message to a group: said, or a commit.
pub fn group_message(data: &[u8]) {
    with_scene(|s| {
        let (which, data) = data.split_first().unwrap_or((&0, &[]));
        let (bytes, forged) = mutated(data, if which & 1 == 0 { &s.said } else { &s.commit });
        let Ok(mut group) = Group::restore(&s.group, &s.device) else { return };
        let took = group.process(&bytes);
        let harmless = matches!(took, Err(_) | Ok(crate::group::Incoming::Own));
        assert!(
            harmless || !forged || bytes == s.said || bytes == s.commit,
            "a forgery was accepted"
        );
    });
}

/// A Welcome.
pub fn welcome(data: &[u8]) {
    with_scene(|s| {
        let (bytes, forged) = mutated(data, &s.welcome);
        let Ok(mut packages) = KeyPackages::restore(&s.packages, &s.device) else { return };
        let joined =
            Group::join(&s.device, &mut packages, &bytes, GroupKind::Call, &[], Admit::Vouched);
        assert!(joined.is_err() || !forged, "a forged welcome was accepted");
    });
}

/// A voice frame.
pub fn sframe(data: &[u8]) {
    let leaves = || [0, 1].into();
    let mut theirs = EpochKeys::new(Zeroizing::new([1; 32]), 1, 1, leaves(), true);
    let ours = EpochKeys::new(Zeroizing::new([1; 32]), 1, 0, leaves(), true);
    let (Ok(mut sealer), Ok(mut opener)) = (Sealer::new(&mut theirs), Opener::new(&ours, 1)) else {
        return;
    };
    let Ok(genuine) = sealer.seal(70_000, &[3; 100], 0) else { return };
    let (bytes, forged) = mutated(data, &genuine);
    assert!(opener.open(&bytes).is_err() || !forged, "a forged voice frame was accepted");
}

/// A vault's header, and a value. Headers that ask for real work are not tried.
pub fn vault(data: &[u8]) {
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let Ok((vault, header)) = Vault::create("p", Params::TEST, &mut rng) else { return };
    let (bytes, forged) = mutated(data, &header);
    let cheap = bytes.get(8..16).is_none_or(|work| work == &header[8..16]);
    if cheap {
        assert!(Vault::open(&bytes, "p").is_err() || !forged, "a forged header was accepted");
    }
    let sealed = vault.seal_value(b"n", b"value", &mut rng);
    let (bytes, forged) = mutated(data, &sealed);
    assert!(vault.open_value(b"n", &bytes).is_err() || !forged, "a forged value was accepted");
}

/// Stored state: of a group, and of key packages. Also with a right hash, behind which damage goes deeper.
pub fn snapshot(data: &[u8]) {
    with_scene(|s| {
        let (bytes, _) = mutated(data, &s.group);
        let _ = Group::restore(&bytes, &s.device);
        let _ = Group::restore(&crate::group::rehashed(&bytes), &s.device);
        let (bytes, _) = mutated(data, &s.packages);
        let _ = KeyPackages::restore(&bytes, &s.device);
        let _ = KeyPackages::restore(&crate::group::rehashed(&bytes), &s.device);
    });
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::{RngCore as _, SeedableRng as _};

    /// The bodies hold for inputs without a fuzzer's guidance, and for the genuine messages.
    #[test]
    fn bodies_hold() {
        let mut rng = ChaCha20Rng::seed_from_u64(5);
        for round in 0..300u32 {
            let mut data = vec![0; (rng.next_u32() % 40) as usize];
            rng.fill_bytes(&mut data);
            if let Some(first) = data.first_mut() {
                *first = (round % 3) as u8;
            }
            let behind_choice = [&[round as u8][..], &data].concat();
            for body in [
                super::card,
                super::key_package,
                super::welcome,
                super::sframe,
                super::vault,
                super::snapshot,
            ] {
                body(&data);
            }
            super::group_message(&behind_choice);
        }
    }
}
