//! An exchange that says anything at all: the phone neither panics, nor believes it, nor opens its voice.
#![allow(clippy::unwrap_used, missing_docs)]

use std::time::Duration;

use link::{Channel, Link, Shape};
use phone::{Command, Event, Input, LineState, Output, Phone, Setup};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use wire::enrol::EnrolLink;
use wire::line::{Closure, Failure, LineDown, Refusal};
use wire::talk::Sealed;
use wire::{Address, Blob, ExchangePub, Leg, MailId, Nonce, Rule, Text, Time, Token, Wall};

const WALL: Wall = Wall(1_700_000_000);

struct Bench {
    now: Time,
    phone: Phone,
    exchange: Link,
    events: Vec<Event>,
    connects: usize,
    cells: Vec<usize>,
    heard: [f32; 480],
}

impl Bench {
    fn new() -> Bench {
        let setup =
            || Setup { name: "Anna".into(), seed: [7; 32], patience: Duration::from_secs(45) };
        let now = Time(1_000_000);
        let mut phone = Phone::create(setup(), now, WALL).unwrap();
        let link = EnrolLink {
            exchange: ExchangePub([1; 32]),
            token: Token([2; 16]),
            host: Text::new("exchange.example:1").unwrap(),
            officer: None,
        };
        phone.handle(now, WALL, Input::Command(Command::Enrol(link))).unwrap();
        let exchange = Link::new(Shape::OFFICE_EXCHANGE, now);
        let mut bench = Bench {
            now,
            phone,
            exchange,
            events: vec![],
            connects: 0,
            cells: vec![],
            heard: [0.0; 480],
        };
        bench.run(Duration::from_secs(1));
        assert_eq!(bench.connects, 1);
        bench
    }

    /// Attached, as by an exchange that is in order.
    fn attached() -> Bench {
        let mut bench = Bench::new();
        bench.say(LineDown::Challenge { version: 1, nonce: Nonce([3; 32]), wall: WALL });
        bench.say(LineDown::Attached {
            office: Text::new("Office").unwrap(),
            principal: Text::new("Anna").unwrap(),
            device: 0,
            host: Text::new("exchange.example:2").unwrap(),
        });
        bench.run(Duration::from_secs(1));
        assert!(bench.events.contains(&Event::LineUp));
        bench
    }

    fn say(&mut self, message: LineDown) {
        self.exchange.queue(Channel::Signal, &message.encode()).unwrap();
    }

    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.now += Duration::from_millis(5);
            let _ = self.phone.handle(self.now, WALL, Input::Tick);
            self.drain();
            if self.now.0.is_multiple_of(10_000) {
                self.phone.render(self.now, &mut self.heard);
                assert!(self.heard.iter().all(|sample| *sample == 0.0), "nobody is heard");
            }
            self.exchange.tick(self.now);
            let mut cells = Vec::new();
            while let Some(cell) = self.exchange.poll_cell() {
                cells.push(cell.to_vec());
            }
            for cell in cells {
                let _ = self.phone.handle(self.now, WALL, Input::Cell(&cell));
                self.drain();
            }
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.phone.poll() {
            match output {
                Output::Connect { .. } => {
                    self.connects += 1;
                    self.exchange = Link::new(Shape::OFFICE_EXCHANGE, self.now);
                    self.phone.handle(self.now, WALL, Input::LinkUp).unwrap();
                }
                Output::Disconnect | Output::Timeout(_) => {}
                Output::Transmit(cell) => {
                    self.cells.push(cell.len());
                    self.exchange.handle_cell(self.now, &cell).unwrap();
                    while self.exchange.poll_event().is_some() {}
                }
                Output::Store { batch, .. } => {
                    self.phone.handle(self.now, WALL, Input::Stored { batch }).unwrap();
                }
                Output::Event(event) => self.events.push(event),
            }
        }
    }
}

fn anything(rng: &mut ChaCha20Rng) -> LineDown {
    let n = rng.next_u32();
    let mut bytes = vec![0; (n >> 8) as usize % 600];
    rng.fill_bytes(&mut bytes);
    let sealed = match n % 5 {
        0 => bytes.clone(),
        1 => Sealed::Contact { message: Blob::new(bytes.clone()).unwrap() }.encode(),
        2 => Sealed::Call { message: Blob::new(bytes.clone()).unwrap() }.encode(),
        3 => Sealed::Welcome { welcome: Blob::new(bytes.clone()).unwrap(), first: Blob::default() }
            .encode(),
        _ => Vec::new(),
    };
    let (body, address, request) = (Blob::new(sealed).unwrap(), Address([n as u8; 16]), n % 4);
    let leg = Leg((n >> 3) as u16 % 6);
    let lifts = Text::new("Mallory").unwrap();
    match (n >> 16) % 14 {
        0 => LineDown::Posted { mail: MailId([n as u8; 16]) },
        1 => LineDown::NotPosted { mail: MailId([n as u8; 16]), reason: Failure::Limit },
        2 => LineDown::Deliver { seq: u64::from(n), address, at: WALL, body },
        3 => LineDown::Incoming { leg, address, at: WALL, body },
        4 => LineDown::Closed { leg, reason: Closure::Elsewhere },
        5 => LineDown::Closed { leg, reason: Closure::Unreachable },
        6 => LineDown::LegData { leg, body },
        7 => LineDown::Done { request },
        8 => LineDown::Failed { request, reason: Failure::NotValid },
        9 => LineDown::Offer { request, offer: Blob::new(bytes).unwrap() },
        11 => LineDown::Barred { leg, rule: Rule::Hours, lifts },
        12 => LineDown::Withheld { seq: u64::from(n), rule: Rule::ThroughStaff, lifts },
        10 => LineDown::Challenge { version: 1, nonce: Nonce([9; 32]), wall: Wall(u64::MAX) },
        _ => LineDown::Attached {
            office: Text::new("Elsewhere").unwrap(),
            principal: Text::default(),
            device: 200,
            host: Text::default(),
        },
    }
}

#[test]
fn well_formed_nonsense_changes_nothing() {
    for seed in 0..8 {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let mut bench = Bench::attached();
        for _ in 0..40 {
            for _ in 0..5 {
                bench.say(anything(&mut rng));
            }
            for leg in 0..6 {
                let mut frame = [0; 128];
                rng.fill_bytes(&mut frame);
                bench.exchange.queue_voice(Leg(leg), &frame);
            }
            bench.run(Duration::from_millis(60));
        }
        bench.run(Duration::from_secs(5));
        let view = bench.phone.view(bench.now);
        assert!(view.contacts.is_empty() && view.calls.is_empty() && view.history.is_empty());
        assert_eq!((view.line, view.office.as_str()), (LineState::Up, "Office"), "seed {seed}");
        assert_eq!(view.voice.refused, 0, "nothing reached the decoder");
        assert!(view.voice_refused > 0, "strangers' voice is counted and dropped");
        assert_eq!(bench.connects, 1);
        assert!(bench.cells.iter().all(|len| *len == 224));
    }
}

#[test]
fn a_broken_protocol_takes_the_line_down_and_another_is_made() {
    let mut bench = Bench::attached();
    // Not a line message.
    bench.exchange.queue(Channel::Signal, &[250, 1, 2]).unwrap();
    bench.run(Duration::from_secs(2));
    assert_eq!(bench.connects, 2);
    assert!(bench.events.contains(&Event::LineDown));
    // A cell of another length.
    assert!(bench.phone.handle(bench.now, WALL, Input::Cell(&[0; 100])).is_err());
    bench.run(Duration::from_secs(2));
    assert_eq!(bench.connects, 3);
}

#[test]
fn an_exchange_that_falls_silent_or_refuses_is_tried_again_in_a_while() {
    let mut bench = Bench::attached();
    bench.say(LineDown::Refused { reason: Refusal::Replaced });
    bench.run(Duration::from_secs(30));
    assert!(bench.events.contains(&Event::Refused(Refusal::Replaced)));
    assert_eq!(bench.connects, 1, "two handsets with one store must not fight");
    bench.run(Duration::from_secs(40));
    assert_eq!(bench.connects, 2);
    // Never a challenge: given up after fifteen seconds, and tried at longer and longer intervals.
    bench.run(Duration::from_secs(120));
    assert!((4..10).contains(&bench.connects), "{}", bench.connects);
}

#[test]
fn an_exchange_of_another_version_is_refused() {
    let mut bench = Bench::new();
    bench.say(LineDown::Challenge { version: 2, nonce: Nonce([3; 32]), wall: WALL });
    bench.run(Duration::from_secs(2));
    assert!(bench.events.contains(&Event::Refused(Refusal::Version)));
}

#[test]
fn nothing_that_can_be_printed_names_anybody() {
    let mut bench = Bench::attached();
    let ttl = Duration::from_secs(60);
    let hint = "for Boris".to_owned();
    bench
        .phone
        .handle(bench.now, WALL, Input::Command(Command::IssueCard { hint, in_person: true, ttl }))
        .unwrap();
    let mut printed = format!("{:?}", bench.events);
    while let Some(output) = bench.phone.poll() {
        printed.push_str(&format!("{output:?}"));
    }
    assert!(printed.contains("Store") && printed.contains("LineUp"));
    for secret in ["Anna", "Boris", "example", "Office"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}
