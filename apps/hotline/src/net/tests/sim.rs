//! Two drivers on a simulated wire and a simulated clock: 22 minutes of a line in seconds.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};

use quinn_proto::ServerConfig;

use super::super::driver::{Door, Driver};
use super::super::identity::ExchangeIdentity;
use super::super::{CloseReason, tls};
use super::super::{ConnId, Event, Limits, OVERHEAD, Peer};

const CLIENT: usize = 0;
const SERVER: usize = 1;
const TICK: Duration = Duration::from_millis(20);
const DELAY: Duration = Duration::from_millis(30);

fn addr(end: usize) -> SocketAddr {
    ([127, 0, 0, 1], 1_000 + end as u16).into()
}

struct Wire {
    now: Instant,
    ends: [Driver; 2],
    conns: [Option<ConnId>; 2],
    /// Datagrams under way: arrival, receiver, bytes.
    air: Vec<(Instant, usize, Vec<u8>)>,
    closed: Vec<(usize, CloseReason)>,
    /// Sizes that each end sent, and how often.
    sizes: [BTreeMap<usize, u64>; 2],
    sent: u64,
    /// Lose every nth datagram; 0: none.
    lose: u64,
    /// Play every datagram again, twice and late, and once with a bit changed.
    meddle: bool,
}

impl Wire {
    fn new(lose: u64) -> Self {
        let exchange = ExchangeIdentity::from_seed(&[1; 32]).unwrap();
        let leaf = exchange.issue_leaf(SystemTime::now()).unwrap();
        let mut client = Driver::new(Limits::default(), [2; 32]);
        client.open(Door::Handset, &[3; 32], None);
        let mut server = Driver::new(Limits::default(), [4; 32]);
        let config = ServerConfig::with_crypto(tls::line_server(&leaf).unwrap());
        server.open(Door::Line, &[5; 32], Some(config));
        let now = Instant::now() + Duration::from_secs(10);
        let conn = client.connect(now, 0, addr(SERVER), Peer::Line(exchange.key())).unwrap();
        let mut wire = Self {
            now,
            ends: [client, server],
            conns: [None, None],
            air: Vec::new(),
            closed: Vec::new(),
            sizes: Default::default(),
            sent: 0,
            lose: 0,
            meddle: false,
        };
        for _ in 0..50 {
            wire.step(TICK);
        }
        assert!(wire.conns.iter().all(Option::is_some), "not connected");
        assert_eq!(wire.conns[CLIENT], Some(conn));
        wire.lose = lose;
        wire.sizes = Default::default();
        wire
    }

    fn collect(&mut self) {
        for end in [CLIENT, SERVER] {
            let packets = self.ends[end].out.take();
            for packet in &packets {
                *self.sizes[end].entry(packet.bytes.len()).or_default() += 1;
                self.sent += 1;
                if self.meddle {
                    let mut changed = packet.bytes.clone();
                    let at = self.sent as usize * 7 % changed.len();
                    changed[at] ^= 1 << (self.sent % 8);
                    self.air.push((self.now, 1 - end, changed));
                    for later in [3 * DELAY, 9 * DELAY] {
                        self.air.push((self.now + later, 1 - end, packet.bytes.clone()));
                    }
                }
                if self.lose == 0 || !self.sent.is_multiple_of(self.lose) {
                    self.air.push((self.now + DELAY, 1 - end, packet.bytes.clone()));
                }
            }
            self.ends[end].out.give_back(packets);
        }
    }

    /// Let time pass: deliver what is due, run timers.
    fn step(&mut self, by: Duration) {
        self.collect();
        self.now += by;
        let now = self.now;
        let due: Vec<_> = self.air.extract_if(.., |(at, ..)| *at <= now).collect();
        let (conns, closed) = (&mut self.conns, &mut self.closed);
        for (_, end, bytes) in due {
            let mut note = |event: Event<'_>| match event {
                Event::Connected { conn, .. } => conns[end] = Some(conn),
                Event::Closed { reason, .. } => closed.push((end, reason)),
                Event::Cell { .. } => {}
            };
            self.ends[end].receive(now, 0, addr(1 - end), &bytes, &mut note);
        }
        for end in [CLIENT, SERVER] {
            let mut note = |event: Event<'_>| match event {
                Event::Connected { conn, .. } => conns[end] = Some(conn),
                Event::Closed { reason, .. } => closed.push((end, reason)),
                Event::Cell { .. } => {}
            };
            self.ends[end].expire(now, &mut note);
        }
        self.collect();
    }

    fn tick(&mut self, ends: &[usize]) {
        for end in ends {
            let conn = self.conns[*end].unwrap();
            let cell = if *end == CLIENT { &[0; 224][..] } else { &[0; 480] };
            self.ends[*end].send(self.now, conn, cell).unwrap();
        }
        self.step(TICK);
    }
}

/// Every cell makes one packet of one size; the rest is small and comes five times a second.
fn check_sizes(wire: &Wire, ticks: u64, most_extras: u64, longest_extra: usize) {
    for (end, cell) in [(CLIENT, 224), (SERVER, 480)] {
        let mut sizes = wire.sizes[end].clone();
        assert_eq!(sizes.remove(&(cell + OVERHEAD)), Some(ticks), "{:?}", wire.sizes[end]);
        let extras: u64 = sizes.values().sum();
        assert!(extras <= most_extras, "{extras} extras: {sizes:?}");
        assert!(sizes.keys().all(|size| *size <= longest_extra), "{sizes:?}");
        assert_eq!(wire.ends[end].counters.odd_sizes, 0);
    }
}

#[test]
fn cell_packets_keep_their_size_past_65536_packets() {
    let mut wire = Wire::new(0);
    let ticks = 67_000;
    for _ in 0..ticks {
        wire.tick(&[CLIENT, SERVER]);
    }
    assert_eq!(wire.closed, []);
    assert!(wire.ends.iter().all(|end| end.counters.cells_in >= ticks - 2));
    check_sizes(&wire, ticks, ticks / 9, 40);
}

#[test]
fn cell_packets_keep_their_size_under_loss() {
    let mut wire = Wire::new(7);
    let ticks = 5_000;
    for _ in 0..ticks {
        wire.tick(&[CLIENT, SERVER]);
    }
    assert_eq!(wire.closed, []);
    check_sizes(&wire, ticks, ticks / 8, 200);
}

#[test]
fn cell_packets_keep_their_size_while_acknowledgements_stay_away() {
    // From some 128 unacknowledged packets on a packet number takes another byte.
    let mut wire = Wire::new(0);
    for _ in 0..100 {
        wire.tick(&[CLIENT, SERVER]);
    }
    for _ in 0..240 {
        wire.tick(&[CLIENT]);
    }
    assert_eq!(wire.closed, []);
    assert_eq!(wire.sizes[CLIENT].get(&(224 + OVERHEAD)), Some(&340), "{:?}", wire.sizes);
    assert_eq!(wire.ends[CLIENT].counters.odd_sizes, 0);
    let server: u64 = wire.sizes[SERVER].values().sum();
    assert!(server <= 100 + 12, "it sent without ticks: {:?}", wire.sizes[SERVER]);
}

/// The network plays everything again, late and in another order, and brings each packet with a bit changed before the
/// true one: each cell arrives once, as it was sent, and nothing else happens.
#[test]
fn datagrams_played_again_or_changed_bring_nothing() {
    let mut wire = Wire::new(0);
    wire.meddle = true;
    let ticks = 3_000;
    for _ in 0..ticks {
        wire.tick(&[CLIENT, SERVER]);
    }
    wire.meddle = false;
    for _ in 0..50 {
        wire.tick(&[CLIENT, SERVER]);
    }
    assert_eq!(wire.closed, []);
    for end in [CLIENT, SERVER] {
        let came = wire.ends[end].counters.cells_in;
        assert!((ticks + 46..=ticks + 50).contains(&came), "{came} cells");
    }
    assert!(wire.sizes.iter().all(|sizes| sizes.keys().all(|size| *size <= 480 + OVERHEAD)));
}

/// An exchange that offers the classical group alone: the handset refuses, there is nothing to fall back to.
#[test]
fn a_server_with_x25519_alone_is_refused() {
    use rustls::crypto::aws_lc_rs;
    let exchange = ExchangeIdentity::from_seed(&[1; 32]).unwrap();
    let leaf = exchange.issue_leaf(SystemTime::now()).unwrap();
    let mut classical = (*tls::provider()).clone();
    classical.kx_groups = vec![aws_lc_rs::kx_group::X25519];
    let crypto = tls::line_server_with(std::sync::Arc::new(classical), &leaf).unwrap();
    let mut client = Driver::new(Limits::default(), [2; 32]);
    client.open(Door::Handset, &[3; 32], None);
    let mut server = Driver::new(Limits::default(), [4; 32]);
    server.open(Door::Line, &[5; 32], Some(ServerConfig::with_crypto(crypto)));
    let mut now = Instant::now();
    client.connect(now, 0, addr(SERVER), Peer::Line(exchange.key())).unwrap();
    let (mut ends, mut connected, mut reasons) = ([client, server], 0, Vec::new());
    for _ in 0..100 {
        for end in [CLIENT, SERVER] {
            let sent: Vec<_> =
                ends[end].out.take().into_iter().map(|packet| packet.bytes).collect();
            let mut note = |event: Event<'_>| match event {
                Event::Connected { .. } => connected += 1,
                Event::Closed { reason, .. } if end == SERVER => reasons.push(reason),
                _ => {}
            };
            for bytes in sent {
                ends[1 - end].receive(now, 0, addr(end), &bytes, &mut note);
            }
        }
        now += TICK;
    }
    assert_eq!(connected, 0);
    assert!(matches!(&reasons[..], [CloseReason::Handshake(_)]), "{reasons:?}");
}

#[test]
fn a_peer_that_is_gone_is_noticed_and_forgotten() {
    let mut wire = Wire::new(1);
    let ticks = Duration::from_secs(9).as_nanos() / TICK.as_nanos();
    for _ in 0..ticks {
        let conn = wire.conns[CLIENT].unwrap();
        let _ = wire.ends[CLIENT].send(wire.now, conn, &[0; 224]);
        wire.step(TICK);
    }
    assert_eq!(wire.closed.len(), 2, "{:?}", wire.closed);
    assert!(wire.closed.iter().all(|(_, reason)| *reason == CloseReason::Silent));
    assert!(wire.ends.iter().all(|end| end.connections() == 0));
}

#[test]
fn nobody_answers_a_dial() {
    let mut client = Driver::new(Limits::default(), [2; 32]);
    client.open(Door::Handset, &[3; 32], None);
    let key = ExchangeIdentity::from_seed(&[1; 32]).unwrap().key();
    let mut now = Instant::now();
    client.connect(now, 0, addr(SERVER), Peer::Line(key)).unwrap();
    let mut reasons = Vec::new();
    for _ in 0..2_000 {
        now += TICK;
        client.expire(now, &mut |event| {
            if let Event::Closed { reason, .. } = event {
                reasons.push(reason);
            }
        });
        drop(client.out.take());
    }
    assert_eq!(reasons, [CloseReason::Silent]);
    assert_eq!(client.connections(), 0);
}
