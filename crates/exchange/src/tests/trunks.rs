//! Trunks: dialling, two at once, policy, redemption over them.

use wire::limits::OFFER_LEN;
use wire::line::{Failure, LineDown, LineUp};
use wire::trunk::Trunk;
use wire::{Blob, ExchangePub, Time, Wall};

use super::world::{World, address, blob, envelope, key, public};
use crate::{CloseReason, Conn, Event, Input, TrunkPolicy, limits};

/// Phone `a` shows a card with address 3.
fn issue(w: &mut World, phone: usize, expiry: Wall) {
    let offer = blob(&[42; 3_000]);
    w.send(phone, &LineUp::RegisterOpen { request: 3, address: address(3), expiry, offer });
    w.run(600);
    w.expect(phone, |m| (*m == LineDown::Done { request: 3 }).then_some(()));
}

fn redeem(w: &mut World, phone: usize, request: u32, office: usize, n: u8, by: u8) {
    let exchange = w.reference(office);
    let (address, bound) = (address(n), public(&key(by)));
    w.send(phone, &LineUp::Redeem { request, exchange, address, bound });
}

fn answer(w: &mut World, phone: usize) -> Result<Vec<u8>, Failure> {
    w.expect(phone, |m| match m {
        LineDown::Offer { offer, .. } => Some(Ok(offer.as_bytes().to_vec())),
        LineDown::Failed { reason, .. } => Some(Err(*reason)),
        _ => None,
    })
}

#[test]
fn a_card_is_redeemed_once() {
    let mut w = World::new(2);
    let a = w.enrolled(0, "anna", 11);
    let b = w.enrolled(1, "boris", 12);
    let expiry = Wall(w.wall.0 + 100);
    issue(&mut w, a, expiry);
    redeem(&mut w, b, 1, 0, 3, 1);
    w.run(2_000);
    assert_eq!(answer(&mut w, b), Ok(vec![42; 3_000]));
    // The same key may ask again: it was cut off. Another may not.
    redeem(&mut w, b, 2, 0, 3, 1);
    w.run(2_000);
    assert_eq!(answer(&mut w, b), Ok(vec![42; 3_000]));
    redeem(&mut w, b, 3, 0, 3, 2);
    w.run(2_000);
    assert_eq!(answer(&mut w, b), Err(Failure::NotValid));
    // After the first mail nobody needs the offer any more.
    let office = w.reference(0);
    w.post(b, 1, &office, envelope(3, &key(1), 1, b"welcome"));
    w.run(1_000);
    assert_eq!(w.phones[a].mail.len(), 1);
    redeem(&mut w, b, 4, 0, 3, 1);
    w.run(2_000);
    assert_eq!(answer(&mut w, b), Err(Failure::NotValid));
    assert!(w.offices[0].rows.keys().all(|(space, _)| *space != 5), "the offer is gone");
}

#[test]
fn within_one_office() {
    let mut w = World::new(1);
    let a = w.enrolled(0, "anna", 11);
    let b = w.enrolled(0, "boris", 12);
    let expiry = Wall(w.wall.0 + 100);
    issue(&mut w, a, expiry);
    redeem(&mut w, b, 1, 0, 3, 1);
    w.run(1_000);
    assert_eq!(answer(&mut w, b), Ok(vec![42; 3_000]));
    redeem(&mut w, b, 2, 0, 9, 1);
    w.run(1_000);
    assert_eq!(answer(&mut w, b), Err(Failure::NotValid));
}

#[test]
fn many_lines_redeem_at_once_and_the_trunk_stays() {
    let mut w = World::new(2);
    let (_, _) = w.contacts();
    let lines: Vec<usize> =
        (0..12u8).map(|i| w.enrolled(1, &format!("reader {i}"), 60 + i)).collect();
    for line in &lines {
        for request in 0..10 {
            redeem(&mut w, *line, request, 0, 77, 1);
        }
    }
    w.run(14_000);
    let (mut not_valid, mut limit) = (0, 0);
    for line in lines {
        for _ in 0..10 {
            match answer(&mut w, line) {
                Err(Failure::NotValid) => not_valid += 1,
                Err(Failure::Limit) => limit += 1,
                other => panic!("{other:?}"),
            }
        }
    }
    // Eight of each line, and a few more for those that were answered meanwhile.
    assert!(not_valid >= 96 && limit > 10 && not_valid + limit == 120, "{not_valid} {limit}");
    assert!(w.offices[1].closed.is_empty());
}

#[test]
fn the_clock_of_the_exchange_decides_on_expiry() {
    let mut w = World::new(2);
    let a = w.enrolled(0, "anna", 11);
    let b = w.enrolled(1, "boris", 12);
    let expiry = Wall(w.wall.0 + 100);
    issue(&mut w, a, expiry);
    w.wall = expiry;
    redeem(&mut w, b, 1, 0, 3, 1);
    w.run(2_000);
    assert_eq!(answer(&mut w, b), Err(Failure::NotValid));
}

#[test]
fn an_exchange_that_cannot_be_reached() {
    let mut w = World::new(2);
    let b = w.enrolled(1, "boris", 12);
    w.offices[0].cut_off = true;
    redeem(&mut w, b, 1, 0, 3, 1);
    w.run(16_000);
    assert_eq!(answer(&mut w, b), Err(Failure::Unreachable));
    assert!(w.offices[1].dials >= 4, "0.5, 1, 2, 4 s");
    let dials = w.offices[1].dials;
    w.run(60_000);
    assert!((2..=5).contains(&(w.offices[1].dials - dials)), "every 30 s by now");
    w.run(1_200_000);
    assert_eq!(w.exchange(1).metrics().peers, 0, "never reached, and nothing waits for it");
    assert_eq!(w.offices[1].rows.keys().filter(|(s, _)| *s == 8).count(), 0);
}

#[test]
fn trunks_come_back_by_themselves_and_calls_dial_nothing() {
    let mut w = World::new(2);
    let (a, _) = w.contacts();
    let dials = |w: &World| w.offices[0].dials + w.offices[1].dials;
    let before = dials(&w);
    for counter in 0..5 {
        w.open(a, 1, 1, envelope(2, &key(1), 10 + counter, b"invite"));
        w.run(600);
        w.send(a, &LineUp::Close { leg: wire::Leg(1) });
        w.run(600);
    }
    assert_eq!(dials(&w), before);
    w.cut(0, 1);
    w.run(2_000);
    assert_eq!(w.exchange(0).metrics().trunks_up, 1);
    assert_eq!(w.exchange(1).metrics().trunks_up, 1);
    // Both were restarted: they know each other.
    for office in [0, 1] {
        w.kill(office);
    }
    for office in [0, 1] {
        w.start(office);
    }
    w.run(3_000);
    assert_eq!(w.exchange(0).metrics().trunks_up, 1);
    assert_eq!(w.exchange(1).metrics().trunks_up, 1);
}

#[test]
fn of_two_connections_the_one_that_the_smaller_key_dialled_stays() {
    let mut w = World::new(2);
    let (_, _) = w.contacts();
    let (small, large) = (w.offices[0].key, w.offices[1].key);
    assert!(small < large);
    let up = |w: &mut World, office: usize, conn: u64, peer: ExchangePub, dialled: bool| {
        w.input(office, Input::TrunkUp { conn: Conn(1 << 40 | conn), peer, dialled });
        w.offices[office].closed.last().copied()
    };
    for office in [0, 1] {
        w.cut(0, 1);
        w.offices[office].closed.clear();
    }
    // At the smaller one: its own connection stays, whichever comes first.
    assert_eq!(up(&mut w, 0, 1, large, true), None);
    assert_eq!(up(&mut w, 0, 2, large, false), Some(CloseReason::Replaced));
    assert_eq!(w.offices[0].events.iter().filter(|e| **e == Event::TrunkDown).count(), 1);
    // At the larger one: the other's.
    assert_eq!(up(&mut w, 1, 1, small, true), None);
    assert_eq!(up(&mut w, 1, 2, small, false), Some(CloseReason::Replaced));
    w.offices[1].closed.clear();
    assert_eq!(up(&mut w, 1, 3, small, true), Some(CloseReason::Replaced));
    // One that has gone silent gives way to any.
    w.offices[1].closed.clear();
    w.run(limits::TRUNK_SILENT.as_millis() as u64);
    w.input(1, Input::TrunkUp { conn: Conn(1 << 40 | 4), peer: small, dialled: true });
    assert_eq!(w.offices[1].closed, [CloseReason::Replaced]);
}

#[test]
fn only_listed_exchanges_and_never_oneself() {
    let mut w = World::new(2);
    w.offices[0].config.trunks = TrunkPolicy::Listed(vec![ExchangePub([9; 32])]);
    w.kill(0);
    w.start(0);
    let (own, other) = (w.offices[0].key, w.offices[1].key);
    for (conn, peer) in [(1, other), (2, own)] {
        w.input(0, Input::TrunkUp { conn: Conn(conn << 40), peer, dialled: false });
    }
    assert_eq!(w.offices[0].closed, [CloseReason::NotListed; 2]);
    let a = w.enrolled(0, "anna", 11);
    redeem(&mut w, a, 1, 1, 3, 1);
    w.run(200);
    assert_eq!(answer(&mut w, a), Err(Failure::Unreachable));
    assert_eq!(w.offices[0].dials, 0);
    w.input(0, Input::TrunkUp { conn: Conn(3 << 40), peer: ExchangePub([9; 32]), dialled: false });
    assert_eq!(w.offices[0].closed.len(), 2);
}

#[test]
fn strange_trunks_are_bounded_and_forgotten() {
    let mut w = World::new(1);
    for i in 0..100u8 {
        let peer = ExchangePub([i; 32]);
        w.input(0, Input::TrunkUp { conn: Conn(1 << 40 | u64::from(i)), peer, dialled: false });
    }
    assert_eq!(w.exchange(0).metrics().peers, limits::STRANGE_TRUNKS as u64);
    w.run(11_000);
    assert_eq!(w.exchange(0).metrics().peers, 0, "they never said hello");
    assert!(w.offices[0].rows.is_empty());
}

/// A bare trunk to office 0, as an exchange with a larger key dialled it: the test is the other end.
pub(super) struct Bare {
    pub(super) link: link::Link,
    pub(super) conn: Conn,
    pub(super) got: Vec<(Time, Trunk)>,
    pub(super) heard: Vec<(Time, wire::Leg, [u8; wire::limits::VOICE_LEN])>,
    pub(super) cells: Vec<(Time, usize)>,
}

impl Bare {
    pub(super) fn new(w: &mut World, n: u8) -> Bare {
        let conn = Conn(1 << 50 | u64::from(n));
        let (now, wall) = (w.now, w.wall);
        let exchange = w.offices[0].exchange.as_mut().unwrap();
        let peer = ExchangePub([n; 32]);
        exchange.handle(now, wall, Input::TrunkUp { conn, peer, dialled: false }).unwrap();
        let link = link::Link::new(link::Shape::trunk(1), Time(w.now.0 + 500));
        let mut bare = Bare { link, conn, got: Vec::new(), heard: Vec::new(), cells: Vec::new() };
        bare.say(&Trunk::Hello { version: wire::limits::VERSION, host: Default::default() });
        bare
    }

    pub(super) fn say(&mut self, message: &Trunk) {
        self.link.queue(link::Channel::Signal, &message.encode()).unwrap();
    }

    /// Drives office 0 and this end for `ms` milliseconds. The disk answers at once.
    pub(super) fn run(&mut self, w: &mut World, ms: u64) {
        for _ in 0..ms {
            w.now = Time(w.now.0 + 1_000);
            let (now, wall) = (w.now, w.wall);
            let office = &mut w.offices[0];
            let exchange = office.exchange.as_mut().unwrap();
            self.link.tick(now);
            while let Some(cell) = self.link.poll_cell() {
                exchange.handle(now, wall, Input::Cell { conn: self.conn, bytes: cell }).unwrap();
            }
            exchange.handle(now, wall, Input::Tick).unwrap();
            loop {
                let mut stored = None;
                while let Some(output) = exchange.poll() {
                    match output {
                        crate::Output::Transmit { conn, cell } if conn == self.conn => {
                            self.cells.push((now, cell.len()));
                            self.link.handle_cell(now, cell).unwrap();
                        }
                        crate::Output::Store { batch, changes } => {
                            stored = Some(batch);
                            office.batch_shapes.push(
                                changes
                                    .iter()
                                    .map(|c| match c {
                                        wire::rows::Change::Put(row) => (0, row.value.len()),
                                        wire::rows::Change::Delete { .. } => (1, 0),
                                    })
                                    .collect(),
                            );
                        }
                        crate::Output::Close { reason, .. } => office.closed.push(reason),
                        crate::Output::Event(event) => office.events.push(event),
                        _ => {}
                    }
                }
                let Some(batch) = stored else { break };
                exchange.handle(now, wall, Input::Stored { batch }).unwrap();
            }
            while let Some(event) = self.link.poll_event() {
                match event {
                    link::Event::Message(bytes) => {
                        self.got.push((now, Trunk::decode(&bytes).unwrap()));
                    }
                    link::Event::Voice { leg, payload } => self.heard.push((now, leg, payload)),
                }
            }
        }
    }
}

#[test]
fn every_answer_to_a_redemption_has_one_length() {
    let mut w = World::new(1);
    let a = w.enrolled(0, "anna", 11);
    let expiry = Wall(w.wall.0 + 100);
    issue(&mut w, a, expiry);
    let mut t = Bare::new(&mut w, 150);
    for (request, n) in [(1, 3), (2, 4)] {
        t.say(&Trunk::Redeem { request, address: address(n), bound: public(&key(1)) });
    }
    t.run(&mut w, 500);
    let answers: Vec<_> =
        t.got.iter().filter(|(_, m)| matches!(m, Trunk::Redeemed { .. })).collect();
    assert_eq!(answers.len(), 2);
    let (
        Trunk::Redeemed { valid: true, len: 3_000, .. },
        Trunk::Redeemed { valid: false, len: 0, offer, .. },
    ) = (&answers[0].1, &answers[1].1)
    else {
        panic!("{answers:?}")
    };
    assert_eq!(*offer, Blob::new(vec![0; OFFER_LEN]).unwrap());
    assert_eq!(answers[0].1.encode().len(), answers[1].1.encode().len());
}

#[test]
fn faults_on_trunks_close_them_with_the_reason() {
    let hello = Trunk::Hello { version: 1, host: Default::default() };
    let open = |leg| Trunk::Open { leg: wire::Leg(leg), envelope: envelope(1, &key(1), 1, b"") };
    let old = Trunk::Hello { version: 9, host: Default::default() };
    for (messages, reason) in [
        (vec![hello.clone()], CloseReason::Protocol),
        (vec![open(2)], CloseReason::Protocol),
        (vec![open(0)], CloseReason::Protocol),
        (vec![open(1), open(1)], CloseReason::Protocol),
    ] {
        let mut w = World::new(1);
        let mut t = Bare::new(&mut w, 150);
        for message in &messages {
            t.say(message);
        }
        t.run(&mut w, 100);
        assert_eq!(w.offices[0].closed, [reason], "{messages:?}");
    }
    let mut w = World::new(1);
    let mut t = Bare::new(&mut w, 150);
    t.link = link::Link::new(link::Shape::trunk(1), w.now);
    t.say(&old);
    t.run(&mut w, 100);
    assert_eq!(w.offices[0].closed, [CloseReason::Version]);
    // Another shape.
    let mut w = World::new(1);
    let t = Bare::new(&mut w, 150);
    w.input(0, Input::Cell { conn: t.conn, bytes: &[0; 1_000] });
    assert_eq!(w.offices[0].closed, [CloseReason::Shape]);
}
