//! What forwarding costs in the machine: 1,000 lines in 500 local calls, one voice cell each in 20 ms.
//!
//! One iteration is 20 ms of the exchange: it receives 1,000 cells, makes 1,000 cells, and moves 1,000 voice
//! frames. Divide by 1,000 for a forwarded cell. Sockets and TLS are not in it.
#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::HashMap;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use exchange::{Command, Config, Conn, Exchange, Input, Output, SourceId, TrunkPolicy};
use link::{Channel, Event, Link, Shape};
use seal::office::LineKey;
use seal::pairwise::PairwiseKey;
use wire::limits::VERSION;
use wire::line::{LineDown, LineUp};
use wire::{Address, Blob, Envelope, ExchangePub, ExchangeRef, Leg, Text, Time, Token, Wall};

const LINES: u16 = 1_000;
const WALL: Wall = Wall(1_000);

struct Office {
    exchange: Exchange,
    now: Time,
    handsets: HashMap<Conn, (LineKey, Token, Link)>,
    heard: Vec<(Conn, LineDown)>,
}

impl Office {
    fn handle(&mut self, input: Input<'_>) {
        self.exchange.handle(self.now, WALL, input).unwrap();
        loop {
            let mut stored = None;
            while let Some(output) = self.exchange.poll() {
                match output {
                    Output::Transmit { conn, cell } => {
                        let (.., link) = self.handsets.get_mut(&conn).unwrap();
                        link.handle_cell(self.now, cell).unwrap();
                        while let Some(event) = link.poll_event() {
                            if let Event::Message(bytes) = event {
                                self.heard.push((conn, LineDown::decode(&bytes).unwrap()));
                            }
                        }
                    }
                    Output::Store { batch, .. } => stored = Some(batch),
                    _ => {}
                }
            }
            let Some(batch) = stored else { break };
            self.exchange.handle(self.now, WALL, Input::Stored { batch }).unwrap();
        }
    }

    /// 20 ms with handsets; answers what they hear.
    fn run(&mut self, key: &ExchangePub) {
        for _ in 0..20 {
            self.now = Time(self.now.0 + 1_000);
            self.handle(Input::Tick);
        }
        for (conn, message) in std::mem::take(&mut self.heard) {
            let (line, token, link) = self.handsets.get_mut(&conn).unwrap();
            let answer = match message {
                LineDown::Challenge { nonce, .. } => LineUp::Enrol {
                    version: VERSION,
                    token: *token,
                    line: line.public(),
                    signature: line.answer(key, &nonce),
                },
                LineDown::Incoming { leg, .. } => LineUp::Take { leg },
                _ => continue,
            };
            link.queue(Channel::Signal, &answer.encode()).unwrap();
        }
        let conns: Vec<_> = self.handsets.keys().copied().collect();
        for conn in conns {
            let (.., link) = self.handsets.get_mut(&conn).unwrap();
            link.tick(self.now);
            let cell = link.poll_cell().unwrap().to_vec();
            self.handle(Input::Cell { conn, bytes: &cell });
        }
    }
}

fn office() -> Office {
    let key = ExchangePub([1; 32]);
    let config = Config {
        office: Text::default(),
        host: Text::default(),
        trunks: TrunkPolicy::Open,
        trunk_cells: 1,
        line_test: None,
    };
    let now = Time(1_000_000);
    let exchange = Exchange::new(config, key, [3; 32], Vec::new(), now, WALL).unwrap();
    let mut office = Office { exchange, now, handsets: HashMap::new(), heard: Vec::new() };
    let id = |n: u16| core::array::from_fn(|i| n.to_be_bytes()[i % 2]);
    for n in 0..LINES {
        let token = Token(id(n));
        let principal = Text::new(format!("{n}")).unwrap();
        let command = Command::Enrol { principal, token, expires: Wall(u64::MAX) };
        office.handle(Input::Command { id: 0, command });
        let mut seed = [9; 32];
        seed[..2].copy_from_slice(&n.to_be_bytes());
        let line = LineKey::from_bytes(&seed);
        let link = Link::new(Shape::OFFICE_HANDSET, now);
        let conn = Conn(n.into());
        office.handsets.insert(conn, (line, token, link));
        office.handle(Input::LineUp { conn, source: SourceId(n.into()) });
    }
    let steps = 30;
    for step in 0..steps {
        office.run(&key);
        for n in (0..LINES).step_by(2) {
            let pair = PairwiseKey::from_bytes(&[7; 32]);
            let address = Address(id(n));
            let (conn, message) = match step {
                10 => {
                    let bound = pair.public();
                    (n, LineUp::RegisterBound { request: 1, address, bound })
                }
                20 => {
                    let signature = pair.sign(&address, 0, 1, b"");
                    let body = Blob::default();
                    let envelope = Envelope { address, device: 0, counter: 1, signature, body };
                    let exchange = ExchangeRef { key, host: Text::default() };
                    (n + 1, LineUp::Open { leg: Leg(1), exchange, envelope })
                }
                _ => continue,
            };
            let (.., link) = office.handsets.get_mut(&Conn(conn.into())).unwrap();
            link.queue(Channel::Signal, &message.encode()).unwrap();
        }
    }
    assert_eq!(office.exchange.metrics().calls_taken, u64::from(LINES / 2));
    office
}

/// One 20 ms round per iteration, on cells that the handsets made before.
fn forward(c: &mut Criterion) {
    let mut office = office();
    let mut rounds: Vec<Vec<(Conn, Vec<u8>)>> = Vec::new();
    let mut group = c.benchmark_group("exchange");
    group.throughput(Throughput::Elements(LINES.into()));
    group.sample_size(20);
    group.bench_function("forward 1,000 voice cells", |b| {
        b.iter_custom(|rounds_wanted| {
            rounds.clear();
            let mut at = office.now;
            for _ in 0..rounds_wanted {
                at = Time(at.0 + 20_000);
                let mut round = Vec::with_capacity(LINES.into());
                for n in 0..LINES {
                    let conn = Conn(n.into());
                    let (.., link) = office.handsets.get_mut(&conn).unwrap();
                    // Callers use their leg 1, callees the exchange's leg 2.
                    link.queue_voice(Leg(if n % 2 == 1 { 1 } else { 2 }), &[5; 128]);
                    link.tick(at);
                    round.push((conn, link.poll_cell().unwrap().to_vec()));
                }
                rounds.push(round);
            }
            let before = office.exchange.metrics().voice_forwarded;
            let mut sent = 0u64;
            let start = std::time::Instant::now();
            for round in &rounds {
                for part in round.chunks(usize::from(LINES) / 20) {
                    office.now = Time(office.now.0 + 1_000);
                    for (conn, cell) in part {
                        let input = Input::Cell { conn: *conn, bytes: cell };
                        office.exchange.handle(office.now, WALL, input).unwrap();
                    }
                    office.exchange.handle(office.now, WALL, Input::Tick).unwrap();
                    while let Some(output) = office.exchange.poll() {
                        sent += u64::from(matches!(output, Output::Transmit { .. }));
                    }
                }
            }
            let took = start.elapsed();
            let forwarded = office.exchange.metrics().voice_forwarded - before;
            assert_eq!(forwarded, rounds_wanted * u64::from(LINES));
            assert!(sent >= rounds_wanted.saturating_sub(1) * u64::from(LINES));
            took
        });
    });
}

criterion_group!(benches, forward);
criterion_main!(benches);
