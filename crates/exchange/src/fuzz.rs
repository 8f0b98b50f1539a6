//! Body of the fuzz target: any sequence of operations, with messages that decode and messages that do not.
//! The fuzzer's handsets and contacts have real keys, so that it gets past the signatures.

use std::collections::BTreeMap;

use link::{Channel, Link, Shape};
use record::order::{Calls, Order, SEAL_KEY_LEN, SealKey};
use seal::office::{ExchangeKey, LineKey, OfficerKey};
use seal::pairwise::PairwiseKey;
use wire::limits::{ENTRY_LEN, VERSION};
use wire::line::{LineDown, LineUp};
use wire::linetest::LineTest;
use wire::rows::{Change, Row};
use wire::trunk::Trunk;
use wire::{
    Address, Blob, Envelope, ExchangePub, ExchangeRef, Leg, MailId, Nonce, Text, Time, Token, Wall,
};

use crate::addresses::{AddressEntry, State};
use crate::rows;
use crate::{Command, Config, Conn, Exchange, Input, Output, SourceId, TrunkPolicy};

/// Links of the fuzzer's: the other ends of lines and trunks.
const LINKS: usize = 6;
/// Operations of one run.
const OPERATIONS: usize = 400;
/// The exchange's key.
const KEY: ExchangePub = ExchangePub([0; 32]);

struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn next(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }
}

fn pairwise(b: &mut Bytes<'_>) -> PairwiseKey {
    PairwiseKey::from_bytes(&[b.next() % 2 + 1; 32])
}

fn envelope(b: &mut Bytes<'_>) -> Envelope {
    let (address, device) = (Address([b.next() % 4; 16]), b.next() % 9);
    let counter = u64::from(b.next());
    let signature = pairwise(b).sign(&address, device, counter, &[]);
    Envelope { address, device, counter, signature, body: Blob::default() }
}

fn exchange_ref(b: &mut Bytes<'_>) -> ExchangeRef {
    ExchangeRef { key: ExchangePub([b.next() % 4; 32]), host: Text::default() }
}

fn line_key(b: &mut Bytes<'_>) -> LineKey {
    LineKey::from_bytes(&[b.next() % 3; 32])
}

fn line_message(b: &mut Bytes<'_>, nonce: &Nonce) -> Vec<u8> {
    let line = line_key(b);
    let signature = line.answer(&KEY, nonce);
    let (request, leg) = (u32::from(b.next() % 4), Leg(u16::from(b.next() % 9)));
    let address = Address([b.next() % 4; 16]);
    match b.next() % 15 {
        0 => LineUp::Attach { version: VERSION, line: line.public(), signature },
        1 => {
            let token = Token([b.next() % 3; 16]);
            LineUp::Enrol { version: VERSION, token, line: line.public(), signature }
        }
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
        9 => LineUp::RegisterBound { request, address, bound: pairwise(b).public() },
        10 => LineUp::Revoke { request, address },
        11 => LineUp::Redeem {
            request,
            exchange: exchange_ref(b),
            address,
            bound: pairwise(b).public(),
        },
        12 => {
            let len = if b.next().is_multiple_of(4) { 3 } else { ENTRY_LEN };
            LineUp::Record { request, entry: Blob::new(vec![b.next(); len]).unwrap_or_default() }
        }
        13 => LineUp::Join { leg, with: Leg(u16::from(b.next() % 9)) },
        _ => return vec![b.next(), b.next(), b.next()],
    }
    .encode()
}

fn trunk_message(b: &mut Bytes<'_>) -> Vec<u8> {
    let (request, leg) = (u32::from(b.next() % 4), Leg(u16::from(b.next() % 9)));
    match b.next() % 11 {
        0 => Trunk::Hello { version: VERSION, host: Text::default() },
        1 => Trunk::Open { leg, envelope: envelope(b) },
        2 => Trunk::Close { leg },
        3 => Trunk::Data { leg, body: Blob::default() },
        4 => Trunk::Mail { mail: MailId([b.next() % 4; 16]), envelope: envelope(b) },
        5 => Trunk::MailAck { mail: MailId([b.next() % 4; 16]) },
        6 => Trunk::Redeem {
            request,
            address: Address([b.next() % 4; 16]),
            bound: pairwise(b).public(),
        },
        7 => Trunk::Redeemed {
            request,
            valid: true,
            len: u16::from(b.next()),
            offer: Blob::default(),
        },
        8 => Trunk::Open { leg, envelope: Envelope { address: Address::LINE_TEST, ..envelope(b) } },
        9 => {
            let message = match b.next() % 4 {
                0 => LineTest::Ready {},
                1 => LineTest::Finish {},
                2 => LineTest::Report { received: u16::from(b.next()) },
                _ => return Trunk::Data { leg, body: Blob::default() }.encode(),
            };
            Trunk::Data { leg, body: Blob::new(message.encode()).unwrap_or_default() }
        }
        _ => return vec![b.next(), b.next(), b.next()],
    }
    .encode()
}

/// An exchange in which a fuzzer gets somewhere: three handsets of two principals, an address that is bound
/// and a card that can be redeemed.
fn rows() -> BTreeMap<(u8, Vec<u8>), Vec<u8>> {
    let line = |n: u8| LineKey::from_bytes(&[n; 32]).public().0.to_vec();
    let bound = State::Bound { key: PairwiseKey::from_bytes(&[1; 32]).public() };
    let open = State::Open { expiry: Wall(150) };
    let name = |n: &str| rows::principal(&Text::new(n).unwrap_or_default());
    BTreeMap::from([
        ((rows::PRINCIPAL, rows::u32_key(1)), name("a")),
        ((rows::PRINCIPAL, rows::u32_key(2)), name("")),
        ((rows::LINE, line(0)), rows::line(1, 0, 0)),
        ((rows::LINE, line(1)), rows::line(1, 1, 0)),
        ((rows::LINE, line(2)), rows::line(2, 0, 0)),
        ((rows::ADDRESS, vec![1; 16]), rows::address(&AddressEntry::new(1, bound))),
        ((rows::ADDRESS, vec![2; 16]), rows::address(&AddressEntry::new(2, open))),
        ((rows::OFFER, vec![2; 16]), vec![7; 100]),
        ((rows::ORDER, vec![]), order(1).as_bytes().to_vec()),
    ])
}

/// One of an officer's orders, or one of another officer's.
fn order(n: u8) -> Order {
    let (officer, key) =
        (OfficerKey::from_bytes(&[n / 2 + 1; 32]), SealKey::new([n; SEAL_KEY_LEN]));
    let first = Order::first(&officer, Calls::All, key.clone(), Wall(1));
    if n == 0 { first } else { first.next(&officer, Calls::Answered, key, Wall(2)) }
}

fn to_rows(rows: &BTreeMap<(u8, Vec<u8>), Vec<u8>>) -> Vec<Row> {
    let row = |((space, key), value): (&(u8, Vec<u8>), &Vec<u8>)| Row {
        space: *space,
        key: key.clone(),
        value: value.clone(),
    };
    rows.iter().map(row).collect()
}

/// Drives one exchange by `data`. Nothing may panic, and what is stored must be readable again. What it
/// counted tells how far the fuzzer came.
///
/// # Panics
/// If the machine breaks its promises.
pub fn operations(data: &[u8]) -> crate::Metrics {
    let b = &mut Bytes(data);
    let config = Config {
        office: Text::default(),
        host: Text::default(),
        trunks: TrunkPolicy::Open,
        trunk_cells: 1,
        line_test: Some(core::time::Duration::from_secs(20)),
    };
    let mut rows = rows();
    let (mut now, mut wall) = (Time(1_000_000), Wall(100));
    let Ok(mut exchange) = Exchange::new(config.clone(), KEY, [7; 32], to_rows(&rows), now, wall)
    else {
        return crate::Metrics::default();
    };
    exchange.keep_record(ExchangeKey::from_bytes(&[1; 32]));
    let mut links: [Option<(Conn, bool, Link)>; LINKS] = Default::default();
    let mut nonces = [Nonce([0; 32]); LINKS];
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
                    let message =
                        if *trunk { trunk_message(b) } else { line_message(b, &nonces[at]) };
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
                            Change::Put(row) => {
                                rows.insert((row.space, row.key), row.value);
                            }
                            Change::Delete { space, key } => {
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
                command: match b.next() % 8 {
                    6 => Command::ListTrunks,
                    0 => Command::RevokeLine { line: line_key(b).public() },
                    1 => Command::RevokePrincipal { principal: Text::default() },
                    2 => Command::ListLines,
                    3 => Command::Status,
                    4 if b.next() == 0 => Command::Shutdown,
                    5 => Command::SetOrder { order: Box::new(order(b.next() % 3)), anew: false },
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
                    for ((n, link), nonce) in (0..).zip(&mut links).zip(&mut nonces) {
                        let Some((_, _, link)) = link.as_mut().filter(|l| l.0 == conn) else {
                            continue;
                        };
                        assert!(link.handle_cell(now, cell).is_ok(), "a bad cell was sent");
                        while let Some(event) = link.poll_event() {
                            if let link::Event::Message(bytes) = event
                                && let Ok(LineDown::Challenge { nonce: heard, .. }) =
                                    LineDown::decode(&bytes)
                            {
                                *nonce = heard;
                                let key = LineKey::from_bytes(&[n % 4; 32]);
                                let (line, signature) = (key.public(), key.answer(&KEY, &heard));
                                let attach = LineUp::Attach { version: VERSION, line, signature };
                                let _ = link.queue(Channel::Signal, &attach.encode());
                            }
                        }
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
    assert!(
        Exchange::new(config, KEY, [7; 32], to_rows(&rows), now, wall).is_ok(),
        "rows are not readable"
    );
    exchange.metrics()
}
