//! Real loopback sockets, ephemeral ports; both ends' loops are driven until something holds.
#![allow(clippy::unwrap_used)]

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
