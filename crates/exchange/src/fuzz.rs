//! Body of the fuzz target: any sequence of operations, with messages that decode and messages that do not.

use link::{Channel, Link, Shape};
use wire::limits::VERSION;
use wire::line::LineUp;
use wire::trunk::Trunk;
use wire::{
    Address, Blob, Envelope, ExchangePub, ExchangeRef, Leg, LinePub, MailId, PairwisePub,
    Signature, Text, Time, Token, Wall,
};

use crate::{Command, Config, Conn, Exchange, Input, Output, SourceId, TrunkPolicy};

/// Links of the fuzzer's: the other ends of lines and trunks.
const LINKS: usize = 6;
/// Operations of one run.
const OPERATIONS: usize = 400;

struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn next(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }
}

fn envelope(b: &mut Bytes<'_>) -> Envelope {
    Envelope {
        address: Address([b.next() % 4; 16]),
        device: b.next() % 10,
        counter: u64::from(b.next()),
        signature: Signature([b.next(); 64]),
        body: Blob::default(),
    }
}

fn exchange_ref(b: &mut Bytes<'_>) -> ExchangeRef {
    ExchangeRef { key: ExchangePub([b.next() % 4; 32]), host: Text::default() }
}

fn line_message(b: &mut Bytes<'_>) -> Vec<u8> {
    let (request, leg) = (u32::from(b.next() % 4), Leg(u16::from(b.next() % 9)));
    let address = Address([b.next() % 4; 16]);
    match b.next() % 13 {
        0 => LineUp::Attach {
            version: VERSION,
            line: LinePub([1; 32]),
            signature: Signature([0; 64]),
        },
        1 => LineUp::Enrol {
            version: VERSION,
            token: Token([b.next() % 3; 16]),
            line: LinePub([b.next() % 3; 32]),
            signature: Signature([0; 64]),
        },
        2 => LineUp::Post {
            mail: MailId([b.next() % 4; 16]),
            exchange: exchange_ref(b),
            envelope: envelope(b),
        },
        3 => LineUp::Delivered { seq: u64::from(b.next()) },
        4 => LineUp::Open { leg, exchange: exchange_ref(b), envelope: envelope(b) },
        5 => LineUp::Take { leg },
        6 => LineUp::Close { leg },
        7 => LineUp::LegData { leg, body: Blob::default() },
        8 => LineUp::RegisterOpen {
            request,
            address,
            expiry: Wall(u64::from(b.next())),
            offer: Blob::default(),
        },
        9 => LineUp::RegisterBound { request, address, bound: PairwisePub([b.next() % 3; 32]) },
        10 => LineUp::Revoke { request, address },
        11 => LineUp::Redeem {
            request,
            exchange: exchange_ref(b),
            address,
            bound: PairwisePub([b.next() % 3; 32]),
        },
        _ => return vec![b.next(), b.next(), b.next()],
    }
    .encode()
}

fn trunk_message(b: &mut Bytes<'_>) -> Vec<u8> {
    let (request, leg) = (u32::from(b.next() % 4), Leg(u16::from(b.next() % 9)));
    match b.next() % 9 {
        0 => Trunk::Hello { version: VERSION, host: Text::default() },
        1 => Trunk::Open { leg, envelope: envelope(b) },
        2 => Trunk::Close { leg },
        3 => Trunk::Data { leg, body: Blob::default() },
        4 => Trunk::Mail { mail: MailId([b.next() % 4; 16]), envelope: envelope(b) },
        5 => Trunk::MailAck { mail: MailId([b.next() % 4; 16]) },
        6 => Trunk::Redeem {
            request,
            address: Address([b.next() % 4; 16]),
            bound: PairwisePub([b.next() % 3; 32]),
        },
        7 => Trunk::Redeemed {
            request,
            valid: true,
            len: u16::from(b.next()),
            offer: Blob::default(),
        },
        _ => return vec![b.next(), b.next(), b.next()],
    }
    .encode()
}

/// Drives one exchange by `data`. Nothing may panic, and what is stored must be readable again.
///
/// # Panics
/// If the machine breaks its promises.
pub fn operations(data: &[u8]) {
    let b = &mut Bytes(data);
    let config = Config {
        office: Text::default(),
        host: Text::default(),
        trunks: TrunkPolicy::Open,
        trunk_cells: 1,
    };
    let (mut now, mut wall) = (Time(1_000_000), Wall(100));
    let key = ExchangePub([0; 32]);
    let Ok(mut exchange) = Exchange::new(config.clone(), key, [7; 32], Vec::new(), now, wall)
    else {
        return;
    };
    let mut links: [Option<(Conn, bool, Link)>; LINKS] = Default::default();
    let mut rows = std::collections::BTreeMap::new();
    let mut writing = None;
    let mut next_conn = 0;
    for _ in 0..OPERATIONS {
        if b.0.is_empty() {
            break;
        }
        let at = usize::from(b.next()) % LINKS;
        let operation = b.next() % 12;
        let mut cells = Vec::new();
        let input = match operation {
            0 | 1 => {
                next_conn += 1;
                let conn = Conn(next_conn);
                let trunk = operation == 1;
                let shape = if trunk { Shape::trunk(1) } else { Shape::OFFICE_HANDSET };
                links[at] = Some((conn, trunk, Link::new(shape, now)));
                if trunk {
                    let peer = ExchangePub([b.next() % 4; 32]);
                    Input::TrunkUp { conn, peer, dialled: b.next() % 2 == 0 }
                } else {
                    Input::LineUp { conn, source: SourceId(u64::from(b.next() % 4)) }
                }
            }
            2..=5 => {
                now = Time(now.0 + 20_000);
                if let Some((_, trunk, link)) = &mut links[at] {
                    let message = if *trunk { trunk_message(b) } else { line_message(b) };
                    let _ = link.queue(Channel::Signal, &message);
                    link.queue_voice(Leg(u16::from(b.next() % 9)), &[0; 128]);
                    link.tick(now);
                    while let Some(cell) = link.poll_cell() {
                        cells.push(cell.to_vec());
                    }
                }
                Input::Tick
            }
            6 => match &links[at] {
                Some((conn, ..)) => Input::Down { conn: *conn },
                None => Input::Tick,
            },
            7 => Input::DialFailed { peer: ExchangePub([b.next() % 4; 32]) },
            8 => match writing.take() {
                Some((batch, changes)) => {
                    for change in changes {
                        match change {
                            wire::rows::Change::Put(row) => {
                                rows.insert((row.space, row.key), row.value);
                            }
                            wire::rows::Change::Delete { space, key } => {
                                rows.remove(&(space, key));
                            }
                        }
                    }
                    Input::Stored { batch }
                }
                None => Input::Stored { batch: u64::from(b.next()) },
            },
            9 => match writing.take() {
                Some((batch, _)) => Input::StoreFailed { batch },
                None => Input::Tick,
            },
            10 => Input::Command {
                id: 0,
                command: match b.next() % 6 {
                    0 => Command::RevokeLine { line: LinePub([b.next() % 3; 32]) },
                    1 => Command::RevokePrincipal { principal: Text::default() },
                    2 => Command::ListLines,
                    3 => Command::Status,
                    4 if b.next() == 0 => Command::Shutdown,
                    _ => Command::Enrol {
                        principal: Text::default(),
                        token: Token([b.next() % 3; 16]),
                        expires: Wall(200),
                    },
                },
            },
            _ => {
                now = Time(now.0 + u64::from(b.next()) * 100_000);
                wall = Wall(u64::from(b.next()));
                Input::Tick
            }
        };
        let _ = exchange.handle(now, wall, input);
        if let Some((conn, ..)) = &links[at] {
            for cell in &cells {
                let _ = exchange.handle(now, wall, Input::Cell { conn: *conn, bytes: cell });
            }
        }
        while let Some(output) = exchange.poll() {
            match output {
                Output::Transmit { conn, cell } => {
                    let to = links.iter_mut().flatten().find(|(c, ..)| *c == conn);
                    if let Some((.., link)) = to {
                        assert!(link.handle_cell(now, cell).is_ok(), "a bad cell was sent");
                        while link.poll_event().is_some() {}
                    }
                }
                Output::Store { batch, changes } => {
                    assert!(writing.is_none(), "two batches at once");
                    writing = Some((batch, changes));
                }
                Output::Close { conn, .. } => {
                    for link in &mut links {
                        if link.as_ref().is_some_and(|(c, ..)| *c == conn) {
                            *link = None;
                        }
                    }
                }
                _ => {}
            }
        }
    }
    let rows = rows
        .into_iter()
        .map(|((space, key), value)| wire::rows::Row { space, key, value })
        .collect();
    assert!(Exchange::new(config, key, [7; 32], rows, now, wall).is_ok(), "rows are not readable");
}
