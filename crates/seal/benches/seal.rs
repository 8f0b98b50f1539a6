//! What sealing costs: a voice frame, and each step of a group's life.
#![allow(missing_docs, clippy::unwrap_used)]

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use seal::group::{Admit, Bucket, Group, GroupKind, KeyPackages, UnverifiedKeyPackage};
use seal::identity::{Device, IdentityKey};
use seal::sframe::{Chaff, Opener, Sealer};
use wire::Wall;

const NOW: Wall = Wall(1_800_000_000);

fn device(seed: u64) -> Device {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    Device::first(&IdentityKey::generate(&mut rng), &mut rng)
}

fn benches(c: &mut Criterion) {
    let (a, b) = (device(1), device(2));
    c.bench_function("mls/key package", |bench| {
        bench.iter_batched(
            KeyPackages::new,
            |mut packages| packages.create(&b, NOW).unwrap(),
            BatchSize::SmallInput,
        );
    });
    let mut packages = KeyPackages::new();
    let bytes = packages.create(&b, NOW).unwrap();
    let kept = packages.snapshot(&b);
    let verify =
        || UnverifiedKeyPackage::parse(&bytes).unwrap().verify(&b.principal(), NOW).unwrap();
    c.bench_function("mls/verify key package", |bench| bench.iter(verify));
    let package = [verify()];
    let create = || Group::create(&a, GroupKind::Call, Admit::Vouched).unwrap();
    c.bench_function("mls/create", |bench| bench.iter(create));
    c.bench_function("mls/add", |bench| {
        bench.iter_batched(create, |mut g| g.add(&package, &[]).unwrap(), BatchSize::SmallInput);
    });
    let mut ga = create();
    let welcome = ga.add(&package, &[]).unwrap().welcome;
    let join = |mut packages: KeyPackages| {
        Group::join(&b, &mut packages, &welcome, GroupKind::Call, &[], Admit::Vouched).unwrap()
    };
    let fresh = || KeyPackages::restore(&kept, &b).unwrap();
    c.bench_function("mls/join", |bench| bench.iter_batched(fresh, join, BatchSize::SmallInput));
    let mut gb = join(fresh());
    // First, while the far end has heard everything: it does not catch up with more than 1,000 lost ones.
    c.bench_function("mls/encrypt and process 96 B", |bench| {
        bench.iter(|| gb.process(&ga.encrypt(b"hello", Bucket::Tiny).unwrap()).unwrap());
    });
    c.bench_function("mls/encrypt 96 B", |bench| {
        bench.iter(|| ga.encrypt(b"hello", Bucket::Tiny).unwrap());
    });
    c.bench_function("mls/self update", |bench| {
        bench.iter(|| {
            ga.self_update().unwrap();
            ga.discard_pending().unwrap();
        });
    });
    c.bench_function("mls/snapshot", |bench| bench.iter(|| ga.snapshot().len()));
    let image = ga.snapshot();
    c.bench_function("mls/restore", |bench| bench.iter(|| Group::restore(&image, &a).unwrap()));

    let mut sealer = Sealer::new(&mut ga.epoch_keys().unwrap()).unwrap();
    let mut number = 0;
    c.bench_function("sframe/seal", |bench| {
        bench.iter(|| {
            number += 1;
            sealer.seal(number, &[7; 100], 0).unwrap()
        });
    });
    let keys = gb.epoch_keys().unwrap();
    c.bench_function("sframe/open", |bench| {
        bench.iter_batched(
            || {
                number += 1;
                (
                    Opener::new(&keys, ga.own_leaf()).unwrap(),
                    sealer.seal(number, &[7; 100], 0).unwrap(),
                )
            },
            |(mut opener, frame)| opener.open(&frame).unwrap(),
            BatchSize::SmallInput,
        );
    });
    let mut chaff = Chaff::new(&zeroize::Zeroizing::new([1; 32])).unwrap();
    let mut number = 0;
    c.bench_function("sframe/chaff seal and open", |bench| {
        bench.iter(|| {
            number += 1;
            let frame = chaff.seal(number, &[7; 100]).unwrap();
            chaff.open(&frame).unwrap()
        });
    });
}

criterion_group!(group, benches);
criterion_main!(group);
