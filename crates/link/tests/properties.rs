//! Two links over a seeded network: whatever the network does, every control byte arrives once and in
//! order, and whatever is queued, every tick is the shape's.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use core::time::Duration;

use link::{Channel, End, Event, Full, Link, Shape};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use wire::limits::{MESSAGE_MAX, VOICE_LEN};
use wire::{Leg, Time};

// The lab depends on every machine; the network alone depends on none.
#[allow(dead_code, unreachable_pub)]
#[path = "../../lab/src/net.rs"]
mod net;
use net::{Burst, Conditions, Net};

const MS: Duration = Duration::from_millis(1);

/// One end with its path to the other, what it said and what it heard, by channel.
struct Party {
    link: Link,
    path: Net<Vec<u8>>,
    said: [Vec<Vec<u8>>; 2],
    heard: [Vec<Vec<u8>>; 2],
    voice: u64,
}

struct World {
    rng: ChaCha8Rng,
    parties: [Party; 2],
}

impl World {
    fn new(seed: u64, shape: Shape, conditions: Conditions) -> World {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut party = |shape: Shape, seed| Party {
            link: Link::new(shape, Time(u64::from(rng.next_u32() % 20_000))),
            path: Net::new(seed, conditions),
            said: Default::default(),
            heard: Default::default(),
            voice: 0,
        };
        let parties = [party(shape, seed * 2), party(shape.other_end(), seed * 2 + 1)];
        World { rng, parties }
    }

    /// Queues a message of random length, if there is room.
    fn say(&mut self, end: usize, longest: usize) {
        let channel = self.rng.next_u32() as usize % 2;
        let len = 5 + self.rng.next_u32() as usize % longest;
        let mut message = vec![0; len.min(MESSAGE_MAX)];
        self.rng.fill_bytes(&mut message);
        message[0] = channel as u8;
        let name = [Channel::Signal, Channel::Bulk][channel];
        let party = &mut self.parties[end];
        let before = party.link.backlog(name);
        match party.link.queue(name, &message) {
            Ok(()) => {
                assert_eq!(party.link.backlog(name), before + message.len() + 2);
                party.said[channel].push(message);
            }
            Err(Full::Backlog { waiting, .. }) => {
                assert_eq!((waiting, party.link.backlog(name)), (before, before));
            }
            Err(other) => panic!("{other}"),
        }
    }

    /// Brings the world forward by one event: a tick or an arrival, whichever comes first.
    fn step(&mut self) -> Time {
        let next = |p: &Party| p.link.next_tick().min(p.path.next_arrival().unwrap_or(Time::NEVER));
        let now = self.parties.iter().map(next).min().unwrap();
        for end in [0, 1] {
            let Party { link, path, .. } = &mut self.parties[end];
            if link.next_tick() <= now {
                link.tick(now);
                let End { cells_per_tick, cell_len } = link.shape().send;
                let mut count = 0;
                while let Some(cell) = link.poll_cell() {
                    assert_eq!(cell.len(), cell_len);
                    path.send(now, cell.to_vec());
                    count += 1;
                }
                assert_eq!(count, cells_per_tick, "a tick with another number of cells");
            }
            while let Some(cell) = self.parties[end].path.pop(now) {
                let other = &mut self.parties[1 - end];
                other.link.handle_cell(now, &cell).unwrap();
                while let Some(event) = other.link.poll_event() {
                    match event {
                        Event::Voice { leg, payload } => {
                            assert_eq!(payload, [leg.0 as u8; VOICE_LEN]);
                            other.voice += 1;
                        }
                        Event::Message(m) => other.heard[usize::from(m[0])].push(m),
                    }
                }
            }
        }
        now
    }

    fn run_until(&mut self, end: Time) {
        while self.step() < end {}
    }

    fn waiting(&self) -> usize {
        let backlog = |p: &Party| p.link.backlog(Channel::Signal) + p.link.backlog(Channel::Bulk);
        self.parties.iter().map(backlog).sum()
    }

    /// Runs until everything is acknowledged, and checks that it arrived.
    fn finish(&mut self, limit: Time) {
        while self.waiting() > 0 {
            assert!(self.step() < limit, "{} bytes still wait", self.waiting());
        }
        for end in [0, 1] {
            for channel in [0, 1] {
                let (said, heard) =
                    (&self.parties[end].said[channel], &self.parties[1 - end].heard[channel]);
                assert!(said == heard, "said {} messages, heard {}", said.len(), heard.len());
            }
        }
    }
}

fn shapes() -> [Shape; 4] {
    [Shape::OFFICE_HANDSET, Shape::MOBILE_HANDSET, Shape::trunk(2), Shape::trunk(32)]
}

fn networks() -> Vec<(&'static str, Conditions)> {
    let base = Conditions { jitter: 5 * MS, ..Conditions::perfect(30 * MS) };
    let burst = |loss, length| Some(Burst { loss, length });
    vec![
        ("perfect", Conditions::perfect(MS)),
        ("10 % lost", Conditions { loss: 0.1, ..base }),
        ("50 % lost", Conditions { loss: 0.5, ..base }),
        ("30 % lost in bursts of 8", Conditions { burst: burst(0.3, 8.0), ..base }),
        ("50 % lost in bursts of 100", Conditions { burst: burst(0.5, 100.0), ..base }),
        ("reordered", Conditions { reorder: 0.3, jitter: 60 * MS, ..base }),
        ("duplicated", Conditions { duplicate: 0.5, jitter: 60 * MS, ..base }),
        ("far", Conditions { loss: 0.02, ..Conditions::perfect(400 * MS) }),
        (
            "everything at once",
            Conditions {
                loss: 0.2,
                burst: burst(0.3, 20.0),
                reorder: 0.2,
                duplicate: 0.2,
                jitter: 80 * MS,
                ..base
            },
        ),
    ]
}

#[test]
fn every_control_byte_arrives_once_and_in_order() {
    for (i, (name, conditions)) in networks().into_iter().enumerate() {
        for (j, shape) in shapes().into_iter().enumerate() {
            for seed in 0..3 {
                println!("{name}, shape {j}, seed {seed}");
                let mut world =
                    World::new(seed * 100 + i as u64 * 10 + j as u64, shape, conditions);
                for _ in 0..30 {
                    let end = world.rng.next_u32() as usize % 2;
                    let longest =
                        if world.rng.next_u32().is_multiple_of(8) { MESSAGE_MAX } else { 300 };
                    world.say(end, longest);
                    for _ in 0..20 {
                        world.step();
                    }
                }
                world.finish(Time(900_000_000));
            }
        }
    }
}

#[test]
fn control_passes_beside_full_voice() {
    for shape in shapes() {
        let rough = Conditions { loss: 0.2, ..Conditions::perfect(20 * MS) };
        let mut world = World::new(7, shape, rough);
        for _ in 0..10 {
            world.say(0, 300);
            world.say(1, 300);
        }
        let mut spoken = Time(0);
        while world.waiting() > 0 {
            let now = world.step();
            assert!(now < Time(300_000_000), "control starves beside voice");
            while spoken <= now {
                spoken += 20 * MS;
                for party in &mut world.parties {
                    for leg in 1..=9 {
                        party.link.queue_voice(Leg(leg), &[leg as u8; VOICE_LEN]);
                    }
                }
            }
        }
        world.finish(Time(300_000_000));
        assert!(world.parties.iter().all(|p| p.voice > 0));
    }
}

/// The wire of two runs, one idle and one with everything that can be queued: sizes and times.
#[test]
fn the_wire_is_a_function_of_clock_and_shape() {
    for shape in shapes() {
        let wire = |busy: bool| {
            let mut link = Link::new(shape, Time(123));
            let mut out = vec![];
            for tick in 0..500u64 {
                if busy {
                    while link.queue(Channel::Bulk, &[1; 5_000]).is_ok() {}
                    while link.queue(Channel::Signal, &[1; 500]).is_ok() {}
                    for leg in 0..9 {
                        link.queue_voice(Leg(leg), &[3; VOICE_LEN]);
                    }
                }
                // The host is late by up to three ticks, and sometimes early.
                let late = shape.tick.mul_f64((tick % 7) as f64 / 2.0);
                link.tick(link.next_tick() - MS);
                assert_eq!(link.poll_cell(), None, "a cell before its tick");
                let now = link.next_tick() + late;
                link.tick(now);
                while let Some(cell) = link.poll_cell() {
                    out.push((now, cell.len()));
                }
            }
            (out, link.stats().ticks_skipped)
        };
        let (idle, skipped) = wire(false);
        assert_eq!(idle.len(), 500 * usize::from(shape.send.cells_per_tick));
        assert!(skipped > 0);
        assert_eq!((idle, skipped), wire(true));
    }
}

#[test]
fn a_late_host_keeps_the_schedule_and_sends_no_burst() {
    let mut link = Link::new(Shape::OFFICE_HANDSET, Time(500));
    for (now, next, cells) in [
        (499, 500, 0),
        (500, 20_500, 1),
        (20_500, 40_500, 1),
        (60_499, 60_500, 1),
        (123_456, 140_500, 1),
        (140_499, 140_500, 0),
    ] {
        link.tick(Time(now));
        assert_eq!(link.next_tick(), Time(next));
        assert_eq!(core::iter::from_fn(|| link.poll_cell().map(<[u8]>::len)).count(), cells);
    }
    assert_eq!(link.stats().ticks_skipped, 3);
    assert_eq!(link.stats().cells_sent, 4);
}

#[test]
fn figures_tell_what_the_network_did() {
    let conditions = Conditions { loss: 0.25, ..Conditions::perfect(30 * MS) };
    let mut world = World::new(11, Shape::OFFICE_HANDSET, conditions);
    world.run_until(Time(100_000_000));
    let (sent, lost) = world.parties[0].path.counts();
    let stats = world.parties[1].link.stats();
    assert!(stats.cells_received.abs_diff(sent - lost) <= 3);
    assert!(stats.cells_lost.abs_diff(lost) <= 10, "{} and {lost}", stats.cells_lost);
    let trip = stats.round_trip.unwrap();
    assert!(trip > 60 * MS && trip < 100 * MS, "{trip:?}");
    assert_eq!(world.parties[1].link.stats().bytes_resent, 0);
}

#[test]
fn a_cut_path_comes_back() {
    let open = Conditions::perfect(20 * MS);
    let mut world = World::new(5, Shape::OFFICE_HANDSET, open);
    for _ in 0..20 {
        world.say(0, 500);
        world.say(1, 500);
    }
    world.run_until(Time(200_000));
    world.parties.iter_mut().for_each(|p| p.path.set(Conditions { cut: true, ..open }));
    world.run_until(Time(30_000_000));
    assert!(world.waiting() > 0, "nothing was cut off");
    world.parties.iter_mut().for_each(|p| p.path.set(open));
    world.finish(Time(60_000_000));
}
