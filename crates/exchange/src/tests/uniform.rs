//! Whatever is wrong with an address, the caller's side sees the same: bytes and virtual time.

use wire::line::{LineDown, LineUp};
use wire::trunk::Trunk;
use wire::{Envelope, Leg, MailId, Time, Wall};

use super::trunks::Bare;
use super::world::{World, address, blob, envelope, key, public};

/// What can be the matter with the address that a trunk asks about.
const MATTERS: [&str; 11] = [
    "well",
    "unknown",
    "revoked",
    "bound to another",
    "expired",
    "used",
    "offline",
    "busy",
    "declining",
    "through staff",
    "outside hours",
];

/// Office 0 with `anna`, whose address 1 is in this state. Key 1 is the asker's.
fn prepare(matter: &str) -> (World, Vec<usize>) {
    let mut w = World::new(1);
    let a = w.enrolled(0, "anna", 11);
    let a2 = w.enrolled(0, "anna", 12);
    match matter {
        "unknown" => {}
        "revoked" => {
            w.bind(a, 1, &key(1));
            w.send(a, &LineUp::Revoke { request: 9, address: address(1) });
        }
        "bound to another" => w.bind(a, 1, &key(2)),
        "expired" | "used" => {
            let expiry = Wall(w.wall.0 + if matter == "expired" { 0 } else { 100 });
            let offer = blob(&[1; 2_000]);
            w.send(a, &LineUp::RegisterOpen { request: 9, address: address(1), expiry, offer });
            w.run(1_000);
            if matter == "used" {
                let (exchange, address, bound) = (w.reference(0), address(1), public(&key(3)));
                w.send(a2, &LineUp::Redeem { request: 10, exchange, address, bound });
            }
        }
        _ => w.bind(a, 1, &key(1)),
    }
    if matter == "busy" {
        w.bind(a, 50, &key(5));
    }
    w.run(1_000);
    // The same moment and the same random numbers for all.
    restart(&mut w, &[a, a2]);
    match matter {
        "offline" => {
            w.disconnect(a);
            w.disconnect(a2);
        }
        "busy" => w.use_all_legs([a, a2], 50, &key(5)),
        "through staff" => w.rule("anna", true),
        "outside hours" => w.rule("anna", false),
        _ => {}
    }
    w.now = Time(70_000_000);
    (w, vec![a, a2])
}

fn restart(w: &mut World, phones: &[usize]) {
    w.now = Time(60_000_000);
    w.kill(0);
    w.sequence = 1_000;
    w.start(0);
    for phone in phones {
        w.connect(*phone);
    }
    w.run(1_000);
    assert_eq!(w.exchange(0).metrics().lines_attached, 2);
}

type Seen = (Vec<(Time, Trunk)>, Vec<(Time, usize)>, Vec<Vec<(u8, usize)>>);

fn seen(w: &mut World, t: &mut Bare, messages: Vec<Trunk>, ms: u64) -> Seen {
    t.run(w, 100);
    t.got.clear();
    t.cells.clear();
    w.offices[0].batch_shapes.clear();
    for message in messages {
        t.say(&message);
        t.run(w, 500);
    }
    t.run(w, ms);
    let got = core::mem::take(&mut t.got);
    (got, core::mem::take(&mut t.cells), core::mem::take(&mut w.offices[0].batch_shapes))
}

fn asked(messages: impl Fn() -> Vec<Trunk>, ms: u64) -> Vec<(&'static str, Seen)> {
    MATTERS
        .into_iter()
        .map(|matter| {
            let (mut w, _) = prepare(matter);
            let mut t = Bare::new(&mut w, 150);
            (matter, seen(&mut w, &mut t, messages(), ms))
        })
        .collect()
}

fn all_the_same(all: &[(&'static str, Seen)]) {
    let (_, (got, cells, _)) = &all[0];
    for (matter, (other, other_cells, _)) in &all[1..] {
        assert_eq!(got, other, "{matter}: messages");
        assert_eq!(cells, other_cells, "{matter}: cells");
    }
}

fn ring(counter: u64) -> Envelope {
    envelope(1, &key(1), counter, b"invite")
}

#[test]
fn ringing() {
    let all = asked(
        || {
            let data = Trunk::Data { leg: Leg(1), body: blob(b"data") };
            vec![Trunk::Open { leg: Leg(1), envelope: ring(1) }, data]
        },
        125_000,
    );
    all_the_same(&all);
    let (_, (got, ..)) = &all[0];
    assert_eq!(got.len(), 1, "closed after 120 s, all of them: {got:?}");
    assert_eq!(got[0].1, Trunk::Close { leg: Leg(1) });
    // The disk is given the same: one batch of one shape, before anything else happens.
    for (matter, (.., shapes)) in &all {
        let sizes: Vec<_> = shapes.iter().flatten().collect();
        assert_eq!(sizes, all[0].1.2.iter().flatten().collect::<Vec<_>>(), "{matter}: disk");
    }
}

#[test]
fn mail() {
    let all = asked(|| vec![Trunk::Mail { mail: MailId([1; 16]), envelope: ring(1) }], 3_000);
    all_the_same(&all);
    assert_eq!(all[0].1.0.len(), 1, "acknowledged, all of them");
    let first = |shapes: &Vec<Vec<(u8, usize)>>| shapes[0].clone();
    for (matter, (.., shapes)) in &all {
        assert_eq!(first(shapes), first(&all[0].1.2), "{matter}: disk");
    }
}

#[test]
fn redeeming() {
    let all = asked(
        || vec![Trunk::Redeem { request: 1, address: address(1), bound: public(&key(4)) }],
        3_000,
    );
    all_the_same(&all);
    assert!(matches!(all[0].1.0[0].1, Trunk::Redeemed { valid: false, len: 0, .. }));
    // A valid one takes as long, is as long, and writes as much.
    let mut w = World::new(1);
    let a = w.enrolled(0, "anna", 11);
    let a2 = w.enrolled(0, "anna", 12);
    let offer = blob(&[1; 2_000]);
    let expiry = Wall(u64::MAX);
    w.send(a, &LineUp::RegisterOpen { request: 9, address: address(1), expiry, offer });
    w.run(1_000);
    restart(&mut w, &[a, a2]);
    w.now = Time(70_000_000);
    let mut t = Bare::new(&mut w, 150);
    let redeem = Trunk::Redeem { request: 1, address: address(1), bound: public(&key(4)) };
    let (got, cells, shapes) = seen(&mut w, &mut t, vec![redeem], 3_000);
    let (other, other_cells, other_shapes) = &all[0].1;
    assert!(matches!(got[0].1, Trunk::Redeemed { valid: true, len: 2_000, .. }));
    assert_eq!(got[0].0, other[0].0, "time");
    assert_eq!(got[0].1.encode().len(), other[0].1.encode().len(), "length");
    assert_eq!(&cells, other_cells);
    assert_eq!(&shapes[0], &other_shapes[0]);
}

#[test]
fn declining_and_ringing_out_look_like_nobody() {
    let mut all = Vec::new();
    for declines in [false, true] {
        let (mut w, phones) = prepare("well");
        let mut t = Bare::new(&mut w, 150);
        let mut now = seen(&mut w, &mut t, vec![Trunk::Open { leg: Leg(1), envelope: ring(1) }], 0);
        if declines {
            for phone in &phones {
                // Both decline, each as soon as it rings: drive the handsets' cells by hand.
                let conn = w.phones[*phone].conn;
                let close = LineUp::Close { leg: Leg(2) };
                w.send(*phone, &close);
                let link = w.phones[*phone].link.as_mut().unwrap();
                link.tick(Time(w.now.0 + 1_000_000));
                let cell = link.poll_cell().unwrap().to_vec();
                let (at, wall) = (w.now, w.wall);
                let exchange = w.offices[0].exchange.as_mut().unwrap();
                exchange.handle(at, wall, crate::Input::Cell { conn, bytes: &cell }).unwrap();
            }
        }
        t.run(&mut w, 125_000);
        now.0.append(&mut t.got);
        now.1.append(&mut t.cells);
        all.push(now);
    }
    assert_eq!(all[0].0, all[1].0);
    assert_eq!(all[0].1, all[1].1);
}

#[test]
fn a_handset_learns_no_more_within_its_own_office() {
    let mut all = Vec::new();
    for matter in MATTERS {
        let (mut w, _) = prepare(matter);
        let b = w.enrolled(0, "boris", 77);
        w.open(b, 1, 0, ring(1));
        let office = w.reference(0);
        w.post(b, 1, &office, ring(2));
        w.run(2_000);
        all.push((matter, w.phones[b].inbox.clone(), w.phones[b].cells.len()));
    }
    for (matter, inbox, cells) in &all[1..] {
        assert_eq!((inbox, cells), (&all[0].1, &all[0].2), "{matter}");
    }
    assert_eq!(all[0].1, [LineDown::Posted { mail: MailId([1; 16]) }]);
}
