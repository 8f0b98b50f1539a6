//! What one tick and one received cell cost, by what is in the cell. Chaff must cost what voice costs.
#![allow(missing_docs, clippy::unwrap_used)]

use core::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use link::{Channel, Link, Shape};
use wire::limits::VOICE_LEN;
use wire::{Leg, Time};

#[derive(Clone, Copy)]
enum Load {
    Chaff,
    Voice,
    Control,
}

/// What the owner queues before a tick.
fn queue(link: &mut Link, load: Load) {
    match load {
        Load::Chaff => {}
        Load::Voice => {
            for leg in 1..=link.shape().send.voices_per_tick() {
                link.queue_voice(Leg(leg as u16), black_box(&[7; VOICE_LEN]));
            }
        }
        Load::Control => while link.queue(Channel::Signal, black_box(&[1; 300])).is_ok() {},
    }
}

/// A pair that has run for a while with `load`, its time, and cells still to be received.
fn pair(shape: Shape, load: Load, cells: usize) -> (Link, Link, Vec<Vec<u8>>) {
    let mut a = Link::new(shape, Time(0));
    let mut b = Link::new(shape.other_end(), Time(0));
    let mut kept = vec![];
    for i in 0..100 + cells {
        queue(&mut a, load);
        let now = a.next_tick();
        a.tick(now);
        b.tick(now);
        let mut from_b = vec![];
        while let Some(cell) = b.poll_cell() {
            from_b.push(cell.to_vec());
        }
        while let Some(cell) = a.poll_cell() {
            if i < 100 {
                b.handle_cell(now, cell).unwrap();
                while b.poll_event().is_some() {}
            } else {
                kept.push(cell.to_vec());
            }
        }
        from_b.iter().for_each(|cell| a.handle_cell(now, cell).unwrap());
        while a.poll_event().is_some() {}
    }
    (a, b, kept)
}

fn benches(c: &mut Criterion) {
    for (name, shape) in [
        ("office_down", Shape::OFFICE_EXCHANGE),
        ("office_up", Shape::OFFICE_HANDSET),
        ("trunk_8", Shape::trunk(8)),
    ] {
        for (load_name, load) in
            [("chaff", Load::Chaff), ("voice", Load::Voice), ("control", Load::Control)]
        {
            let mut group = c.benchmark_group(name);
            group.bench_function(format!("send_{load_name}"), |bench| {
                bench.iter_batched_ref(
                    || {
                        let (mut a, _, _) = pair(shape, load, 0);
                        queue(&mut a, load);
                        a
                    },
                    |a| {
                        let now = a.next_tick();
                        a.tick(now);
                        while let Some(cell) = a.poll_cell() {
                            black_box(cell);
                        }
                    },
                    BatchSize::SmallInput,
                );
            });
            group.bench_function(format!("receive_{load_name}"), |bench| {
                bench.iter_batched_ref(
                    || {
                        let (_, b, cells) = pair(shape, load, 1);
                        (b, cells)
                    },
                    |(b, cells)| {
                        for cell in cells.iter() {
                            b.handle_cell(Time(0), cell).unwrap();
                            while let Some(event) = b.poll_event() {
                                black_box(event);
                            }
                        }
                    },
                    BatchSize::SmallInput,
                );
            });
            group.finish();
        }
    }
}

criterion_group!(cell, benches);
criterion_main!(cell);
