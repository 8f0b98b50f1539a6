//! Real loopback sockets, ephemeral ports; both ends' loops are driven until something holds.
#![allow(clippy::unwrap_used)]

mod sim;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use super::*;

const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);
/// Nothing here takes nearly as long, unless it fails.
const PATIENCE: Duration = Duration::from_secs(20);

fn identity(n: u8) -> ExchangeIdentity {
    ExchangeIdentity::from_seed(&[n; 32]).unwrap()
}

/// What happened at one end.
#[derive(Default)]
struct Seen {
    connected: Vec<(ConnId, Party)>,
    cells: Vec<(ConnId, Vec<u8>)>,
    closed: Vec<(ConnId, CloseReason)>,
}

impl Seen {
    fn note(&mut self, event: Event<'_>) {
        match event {
            Event::Connected { conn, party } => self.connected.push((conn, party)),
            Event::Cell { conn, cell } => self.cells.push((conn, cell.to_vec())),
            Event::Closed { conn, reason } => self.closed.push((conn, reason)),
        }
    }
}

/// An endpoint and what happened to it.
struct End {
    net: Endpoint,
    seen: Seen,
    tapped: Arc<Mutex<Vec<Tapped>>>,
}

impl End {
    fn new(role: Role<'_>) -> Self {
        Self::with(role, Limits::default())
    }

    fn with(role: Role<'_>, limits: Limits) -> Self {
        let mut net = Endpoint::bind(ANY, role, limits, [7; 32]).unwrap();
        let tapped = Arc::new(Mutex::new(Vec::new()));
        let list = tapped.clone();
        net.set_tap(Some(Box::new(move |t| list.lock().unwrap().push(t))));
        Self { net, seen: Seen::default(), tapped }
    }

    fn line(identity: &ExchangeIdentity) -> Self {
        let leaf = identity.issue_leaf(SystemTime::now()).unwrap();
        Self::new(Role::Line { identity, leaf: &leaf })
    }

    fn addr(&self) -> SocketAddr {
        self.net.local_addr(self.net.door()).unwrap()
    }

    fn turn(&mut self) {
        let seen = &mut self.seen;
        self.net.poll(Instant::now() + Duration::from_millis(1), |event| seen.note(event)).unwrap();
    }

    fn sizes(&self, direction: Direction) -> Vec<usize> {
        let tapped = self.tapped.lock().unwrap();
        tapped.iter().filter(|t| t.direction == direction).map(|t| t.size).collect()
    }
}

fn until(a: &mut End, b: &mut End, what: &str, mut done: impl FnMut(&mut End, &mut End) -> bool) {
    let start = Instant::now();
    while !done(a, b) {
        assert!(start.elapsed() < PATIENCE, "{what} did not happen");
        a.turn();
        b.turn();
    }
}

/// A handset's line that is up on both sides.
fn line() -> (End, ConnId, End, ConnId) {
    let exchange = identity(1);
    let mut server = End::line(&exchange);
    let mut client = End::new(Role::Handset);
    let to = server.addr();
    let a = client.net.connect(Instant::now(), to, Peer::Line(exchange.key())).unwrap();
    until(&mut client, &mut server, "connecting", |c, s| {
        !c.seen.connected.is_empty() && !s.seen.connected.is_empty()
    });
    assert_eq!(client.seen.connected, [(a, Party::Exchange(exchange.key()))]);
    assert_eq!(server.seen.connected[0].1, Party::Handset);
    let b = server.seen.connected[0].0;
    (client, a, server, b)
}

#[test]
fn a_line_carries_cells_both_ways_and_its_group_is_post_quantum() {
    let (mut client, a, mut server, b) = line();
    for n in 0..50u8 {
        let now = Instant::now();
        client.net.send(now, a, &[n; 224]).unwrap();
        server.net.send(now, b, &[n; 480]).unwrap();
        client.turn();
        server.turn();
    }
    until(&mut client, &mut server, "50 cells each way", |c, s| {
        c.seen.cells.len() == 50 && s.seen.cells.len() == 50
    });
    assert_eq!(server.seen.cells[49], (b, vec![49; 224]));
    assert_eq!(client.seen.cells[49], (a, vec![49; 480]));
    assert_eq!(client.net.tls_group(a).as_deref(), Some("X25519MLKEM768"));
    assert_eq!(server.net.tls_group(b).as_deref(), Some("X25519MLKEM768"));
}

#[test]
fn a_packet_leaves_at_its_time_whatever_its_owner_does() {
    let (mut client, a, mut server, _) = line();
    let before = client.sizes(Direction::Out).len();
    let due = Instant::now() + Duration::from_millis(40);
    let later = due + Duration::from_millis(20);
    client.net.send(Instant::now(), a, &[1; 224]).unwrap();
    client.net.leave_at(due, PATIENCE).unwrap();
    client.net.send(Instant::now(), a, &[2; 224]).unwrap();
    client.net.leave_at(later, PATIENCE).unwrap();
    // One that nobody put off leaves with the flush.
    client.net.send(Instant::now(), a, &[3; 224]).unwrap();
    client.net.flush();
    // From here on the owner does nothing any more.
    let start = Instant::now();
    let cells = |end: &End| {
        let tapped = end.tapped.lock().unwrap();
        let cells = tapped.iter().skip(before).filter(|t| t.direction == Direction::Out);
        cells.filter(|t| t.size == 224 + OVERHEAD).map(|t| t.at).collect::<Vec<_>>()
    };
    while cells(&client).len() < 3 {
        assert!(start.elapsed() < PATIENCE, "they did not leave");
        std::thread::yield_now();
    }
    let left = cells(&client);
    assert!(left[1] >= due && left[2] >= later, "one left early");
    until(&mut client, &mut server, "three cells", |_, s| s.seen.cells.len() == 3);
    let order: Vec<u8> = server.seen.cells.iter().map(|(_, cell)| cell[0]).collect();
    assert_eq!(order, [3, 1, 2]);
}

#[test]
fn what_is_late_by_a_tick_does_not_leave_in_a_burst() {
    let (mut client, a, mut server, _) = line();
    let tick = Duration::from_millis(20);
    let missed = Instant::now() - 3 * tick;
    for n in 0..2 {
        client.net.send(Instant::now(), a, &[n; 224]).unwrap();
        client.net.leave_at(missed + tick * u32::from(n), tick).unwrap();
    }
    client.net.send(Instant::now(), a, &[9; 224]).unwrap();
    client.net.leave_at(Instant::now(), PATIENCE).unwrap();
    client.net.flush();
    until(&mut client, &mut server, "a cell", |_, s| !s.seen.cells.is_empty());
    assert_eq!(server.seen.cells[0].1[0], 9);
    assert!(client.net.lost() >= 2);
}

#[test]
fn what_waits_leaves_though_its_owner_is_gone() {
    let (mut client, a, mut server, _) = line();
    client.net.send(Instant::now(), a, &[1; 224]).unwrap();
    client.net.leave_at(Instant::now() + Duration::from_millis(20), PATIENCE).unwrap();
    client.net.flush();
    drop(client);
    let start = Instant::now();
    while server.seen.cells.is_empty() {
        assert!(start.elapsed() < PATIENCE, "it did not leave");
        server.turn();
    }
}

#[test]
fn another_key_than_the_pinned_one_is_refused_and_said() {
    let mut server = End::line(&identity(1));
    let mut client = End::new(Role::Handset);
    let to = server.addr();
    let other = identity(2).key();
    let conn = client.net.connect(Instant::now(), to, Peer::Line(other)).unwrap();
    until(&mut client, &mut server, "a refusal", |c, _| !c.seen.closed.is_empty());
    assert_eq!(client.seen.closed, [(conn, CloseReason::WrongKey)]);
    assert!(client.seen.connected.is_empty() && server.seen.connected.is_empty());
    assert!(CloseReason::WrongKey.to_string().contains("another key than the pinned one"));
}

#[test]
fn a_handset_connects_while_its_clock_is_a_day_off() {
    // The leaf is made by a clock a day ahead of, then a day behind, the handset's.
    for off in [-86_400i64, 86_400] {
        let exchange = identity(1);
        let now = SystemTime::now();
        let shift = Duration::from_secs(off.unsigned_abs());
        let leaf = exchange.issue_leaf(if off < 0 { now - shift } else { now + shift }).unwrap();
        let mut server = End::new(Role::Line { identity: &exchange, leaf: &leaf });
        let mut client = End::new(Role::Handset);
        let to = server.addr();
        client.net.connect(Instant::now(), to, Peer::Line(exchange.key())).unwrap();
        until(&mut client, &mut server, "connecting", |c, _| !c.seen.connected.is_empty());
    }
}

#[test]
fn an_expired_leaf_is_refused_and_a_rotated_one_accepted() {
    let exchange = identity(1);
    let old = exchange.issue_leaf(SystemTime::now() - Duration::from_secs(30 * 86_400)).unwrap();
    let mut server = End::new(Role::Line { identity: &exchange, leaf: &old });
    let mut client = End::new(Role::Handset);
    let to = server.addr();
    client.net.connect(Instant::now(), to, Peer::Line(exchange.key())).unwrap();
    until(&mut client, &mut server, "a refusal", |c, _| !c.seen.closed.is_empty());
    let new = exchange.issue_leaf(SystemTime::now()).unwrap();
    assert_ne!(old.sha256(), new.sha256());
    server.net.rotate(server.net.door(), &new).unwrap();
    client.net.connect(Instant::now(), to, Peer::Line(exchange.key())).unwrap();
    until(&mut client, &mut server, "connecting", |c, _| !c.seen.connected.is_empty());
}

#[test]
fn trunks_prove_both_keys() {
    let (one, two) = (identity(1), identity(2));
    let mut a = End::new(Role::Trunk { identity: &one });
    let mut b = End::new(Role::Trunk { identity: &two });
    let to = b.addr();
    let conn = a.net.connect(Instant::now(), to, Peer::Trunk(two.key())).unwrap();
    until(&mut a, &mut b, "connecting", |a, b| {
        !a.seen.connected.is_empty() && !b.seen.connected.is_empty()
    });
    assert_eq!(a.seen.connected, [(conn, Party::Exchange(two.key()))]);
    assert_eq!(b.seen.connected[0].1, Party::Exchange(one.key()));
    let back = b.seen.connected[0].0;
    let now = Instant::now();
    a.net.send(now, conn, &[1; 1_120]).unwrap();
    b.net.send(now, back, &[2; 1_120]).unwrap();
    until(&mut a, &mut b, "cells", |a, b| !a.seen.cells.is_empty() && !b.seen.cells.is_empty());
    assert_eq!(a.net.tls_group(conn).as_deref(), Some("X25519MLKEM768"));

    // A third exchange at that address is not taken for the second.
    let wrong = a.net.connect(Instant::now(), to, Peer::Trunk(identity(3).key())).unwrap();
    until(&mut a, &mut b, "a refusal", |a, _| !a.seen.closed.is_empty());
    assert_eq!(a.seen.closed, [(wrong, CloseReason::WrongKey)]);
    assert_eq!(b.seen.connected.len(), 1);
}

#[test]
fn doors_do_not_take_each_others_callers() {
    let exchange = identity(1);
    let mut trunk = End::new(Role::Trunk { identity: &exchange });
    let mut handset = End::new(Role::Handset);
    let to = trunk.addr();
    handset.net.connect(Instant::now(), to, Peer::Line(exchange.key())).unwrap();
    until(&mut handset, &mut trunk, "a refusal", |h, _| !h.seen.closed.is_empty());
    assert!(
        matches!(handset.seen.closed[0].1, CloseReason::Handshake(_)),
        "{:?}",
        handset.seen.closed
    );
    let error = handset.net.connect(Instant::now(), to, Peer::Trunk(exchange.key())).unwrap_err();
    assert!(matches!(error, NetError::NoDoor(_)));
}

#[test]
fn garbage_is_ignored() {
    let (mut client, a, mut server, b) = line();
    let noise = std::net::UdpSocket::bind(ANY).unwrap();
    let mut state = 1u64;
    for n in 0..400usize {
        let bytes: Vec<u8> = (0..n * 3)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 56) as u8
            })
            .collect();
        noise.send_to(&bytes, server.addr()).unwrap();
        noise.send_to(&bytes, client.addr()).unwrap();
    }
    until(&mut client, &mut server, "noise", |c, s| {
        c.net.counters().strangers > 300 && s.net.counters().strangers > 300
    });
    client.net.send(Instant::now(), a, &[1; 224]).unwrap();
    until(&mut client, &mut server, "a cell", |_, s| !s.seen.cells.is_empty());
    assert_eq!(server.seen.cells[0].0, b);
    assert_eq!((client.net.connections(), server.net.connections()), (1, 1));
}

#[test]
fn nothing_leaves_on_receipt() {
    let (mut client, a, mut server, b) = line();
    // Let the handshake's last packets arrive; from the first tick on the server is silent without ticks.
    let now = Instant::now();
    client.net.send(now, a, &[0; 224]).unwrap();
    server.net.send(now, b, &[0; 480]).unwrap();
    until(&mut client, &mut server, "first cells", |c, s| {
        !c.seen.cells.is_empty() && !s.seen.cells.is_empty()
    });
    let before = server.sizes(Direction::Out).len();
    for n in 1..=200 {
        client.net.send(Instant::now(), a, &[0; 224]).unwrap();
        until(&mut client, &mut server, "a cell", |_, s| s.seen.cells.len() > n);
    }
    assert_eq!(server.sizes(Direction::Out).len(), before, "the server answered what it received");
    server.net.send(Instant::now(), b, &[0; 480]).unwrap();
    server.net.flush();
    let sizes = server.sizes(Direction::Out)[before..].to_vec();
    assert_eq!(sizes.len(), 2, "an acknowledgement, then the cell: {sizes:?}");
    assert!(sizes[0] < 64 && sizes[1] == 480 + OVERHEAD, "{sizes:?}");
}

#[test]
fn closing_is_told_with_its_code_and_frees_the_connection() {
    let (mut client, a, mut server, b) = line();
    client.net.close(Instant::now(), a, 42);
    until(&mut client, &mut server, "the close", |_, s| !s.seen.closed.is_empty());
    assert_eq!(server.seen.closed, [(b, CloseReason::ByPeer(42))]);
    assert!(client.seen.closed.is_empty());
    assert!(matches!(server.net.send(Instant::now(), b, &[0; 480]), Err(NetError::Gone)));
    assert!(matches!(client.net.send(Instant::now(), a, &[0; 224]), Err(NetError::Gone)));
    until(&mut client, &mut server, "the end", |c, s| {
        c.net.connections() == 0 && s.net.connections() == 0
    });
}

#[test]
fn a_handset_learns_at_once_that_its_exchange_was_restarted() {
    let (mut client, a, server, _) = line();
    let addr = server.addr();
    drop(server);
    let exchange = identity(1);
    let leaf = exchange.issue_leaf(SystemTime::now()).unwrap();
    let role = Role::Line { identity: &exchange, leaf: &leaf };
    let net = Endpoint::bind(addr, role, Limits::default(), [8; 32]).unwrap();
    let mut again = End { net, seen: Seen::default(), tapped: Arc::default() };
    let start = Instant::now();
    until(&mut client, &mut again, "the news", |c, _| {
        let _ = c.net.send(Instant::now(), a, &[0; 224]);
        !c.seen.closed.is_empty()
    });
    assert_eq!(client.seen.closed, [(a, CloseReason::Restarted)]);
    assert!(start.elapsed() < Duration::from_secs(3), "only the idle timeout told it");
}

#[test]
fn a_taken_port_is_named() {
    let first = End::new(Role::Handset);
    let addr = first.addr();
    let error = Endpoint::bind(addr, Role::Handset, Limits::default(), [0; 32]).err().unwrap();
    assert!(matches!(error, NetError::PortTaken(at) if at == addr), "{error}");
    let text = error.to_string();
    assert!(
        text.contains(&addr.port().to_string()) && text.contains("choose another port"),
        "{text}"
    );
}

#[test]
fn limits_hold() {
    let exchange = identity(1);
    let leaf = exchange.issue_leaf(SystemTime::now()).unwrap();
    let limits = Limits { connections: 10, per_address: 2, handshakes: 8 };
    let mut server = End::with(Role::Line { identity: &exchange, leaf: &leaf }, limits);
    let mut client = End::new(Role::Handset);
    let to = server.addr();
    for _ in 0..3 {
        client.net.connect(Instant::now(), to, Peer::Line(exchange.key())).unwrap();
    }
    until(&mut client, &mut server, "two lines and a refusal", |c, _| {
        c.seen.connected.len() == 2 && !c.seen.closed.is_empty()
    });
    assert_eq!(client.seen.closed[0].1, CloseReason::Full);
    assert_eq!(server.net.connections(), 2);
    // One caller, but its first flight is two datagrams: ML-KEM keys are long.
    assert!((1..=2).contains(&server.net.counters().turned_away));
}

#[test]
fn callers_prove_their_address_when_many_knock() {
    let exchange = identity(1);
    let leaf = exchange.issue_leaf(SystemTime::now()).unwrap();
    // A quarter of three is none: every caller is sent away once with a token.
    let limits = Limits { handshakes: 3, ..Limits::default() };
    let mut server = End::with(Role::Line { identity: &exchange, leaf: &leaf }, limits);
    let mut client = End::new(Role::Handset);
    let to = server.addr();
    client.net.connect(Instant::now(), to, Peer::Line(exchange.key())).unwrap();
    until(&mut client, &mut server, "connecting", |c, _| !c.seen.connected.is_empty());
    let first = server.sizes(Direction::Out)[0];
    assert!(first < 300, "the first answer was no Retry but {first} bytes");
}

#[test]
fn a_wake_ends_the_wait() {
    let mut end = End::new(Role::Handset);
    end.net.waker().wake();
    let start = Instant::now();
    end.net.poll(start + PATIENCE, |_| {}).unwrap();
    assert!(start.elapsed() < PATIENCE / 2);
}

/// TLS without the post-quantum group: refused by the handshake, there is nothing to fall back to.
#[test]
fn a_client_with_x25519_alone_is_refused() {
    use rustls::crypto::aws_lc_rs;
    let exchange = identity(1);
    let mut server = End::line(&exchange);
    let mut client = End::new(Role::Handset);
    let mut classical = (*tls::provider()).clone();
    classical.kx_groups = vec![aws_lc_rs::kx_group::X25519];
    let crypto = tls::line_client_with(Arc::new(classical), &exchange.key()).unwrap();
    let to = server.addr();
    let conn = client.net.connect_with(to, exchange.key(), crypto).unwrap();
    until(&mut client, &mut server, "a refusal", |c, _| !c.seen.closed.is_empty());
    assert!(
        matches!(&client.seen.closed[..], [(c, CloseReason::Handshake(_))] if *c == conn),
        "{:?}",
        client.seen.closed
    );
    assert!(server.seen.connected.is_empty());
}
