//! Probing: an outsider, another office and a former contact ask about addresses in every state, in every way. What they
//! see is the same: bytes, sizes, virtual time.
//!
//! ```text
//!  9 states: unknown, revoked, expired, used, offline, busy, declining, through staff, outside the hours of the office's rule
//!            (and a tenth: it rings on)
//!  3 probers, each an exchange with a trunk of its own × Open, Mail, Redeem, and all of them in a row
//!  2 handsets, of this office and of another one × Open, Post, Redeem
//! ```
//!
//! The disk takes longer where there is something to write: whoever answers when it is done tells.
//!
//! `hotline lab probe` measures the same on real sockets, with real disks and processors.

use wire::line::{LineDown, LineUp};
use wire::trunk::Trunk;
use wire::{Leg, MailId, Time, Wall};

use super::world::{Disk, World, address, blob, envelope, key, public};

const STATES: [&str; 10] = [
    "rings on",
    "unknown",
    "revoked",
    "expired",
    "used",
    "offline",
    "busy",
    "declining",
    "through staff",
    "outside hours",
];

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Prober {
    /// An exchange with which nobody here has anything to do.
    Outsider,
    /// One whose people have contacts here: its trunk is kept. The address is none of theirs.
    OtherOffice,
    /// One where somebody had this very address until it was revoked; or may have it still.
    FormerContact,
}

impl Prober {
    /// The key with which it signs.
    fn key(self) -> u8 {
        match self {
            Prober::Outsider => 9,
            Prober::OtherOffice => 6,
            Prober::FormerContact => 7,
        }
    }
}

/// Office 0 with anna, who has two handsets and an address 1 in this state.
fn prepare(state: &str, prober: Prober) -> (World, [usize; 2]) {
    let mut w = World::new(2);
    let a = w.enrolled(0, "anna", 11);
    let a2 = w.enrolled(0, "anna", 12);
    // To whom the address belongs, if it belongs to somebody.
    let contact = if prober == Prober::FormerContact { key(prober.key()) } else { key(2) };
    if prober != Prober::Outsider {
        // There is a relation: something for another address of anna's came from there.
        w.bind(a, 60, &key(prober.key()));
        let p = w.probe_from(150);
        w.run(200);
        let envelope = envelope(60, &key(prober.key()), 1, b"hello");
        w.probe(p, &Trunk::Mail { mail: MailId([60; 16]), envelope });
        w.run(500);
        assert_eq!(w.phones[a].mail.len(), 1, "there is a relation");
    }
    match state {
        "unknown" => {}
        "revoked" => {
            w.bind(a, 1, &contact);
            w.send(a, &LineUp::Revoke { request: 9, address: address(1) });
        }
        "expired" | "used" => {
            let expiry = Wall(w.wall.0 + if state == "expired" { 0 } else { 100 });
            let offer = blob(&[1; 2_000]);
            w.send(a, &LineUp::RegisterOpen { request: 9, address: address(1), expiry, offer });
            w.run(1_000);
            if state == "used" {
                let (exchange, address, bound) = (w.reference(0), address(1), public(&key(3)));
                w.send(a2, &LineUp::Redeem { request: 10, exchange, address, bound });
            }
        }
        _ => w.bind(a, 1, &contact),
    }
    if state == "busy" {
        w.bind(a, 50, &key(5));
    }
    w.run(1_000);
    restart(&mut w, [a, a2]);
    match state {
        "offline" => {
            w.disconnect(a);
            w.disconnect(a2);
        }
        "busy" => w.use_all_legs([a, a2], 50, &key(5)),
        "through staff" => w.rule("anna", true),
        "outside hours" => w.rule("anna", false),
        "declining" => {
            w.phones[a].declines = true;
            w.phones[a2].declines = true;
        }
        _ => {}
    }
    w.offices[0].disk = Disk::Tells;
    let rest = Time(70_000_000) - w.now.since(Time(0));
    w.run(rest.0 / 1_000);
    (w, [a, a2])
}

/// The same moment and the same random numbers for all.
fn restart(w: &mut World, phones: [usize; 2]) {
    w.now = Time(60_000_000);
    w.kill(0);
    w.probers.clear();
    w.sequence = 1_000;
    w.start(0);
    for phone in phones {
        w.connect(phone);
    }
    w.run(1_000);
    assert_eq!(w.exchange(0).metrics().lines_attached, 2);
}

/// What a prober sees: messages and cells with their times. And what the disk of the exchange is given at first.
#[derive(Debug, PartialEq)]
struct Seen {
    got: Vec<(Time, Trunk)>,
    cells: Vec<(Time, usize)>,
    disk: Option<Vec<(u8, usize)>>,
}

/// Asks one after the other, 300 ms apart; with more than one question it waits until a leg that nobody takes is given up.
fn ask(state: &str, prober: Prober, questions: &[Trunk]) -> Seen {
    let (mut w, _) = prepare(state, prober);
    let p = w.probe_from(150);
    w.run(500);
    w.probers[p].got.clear();
    w.probers[p].cells.clear();
    w.offices[0].batch_shapes.clear();
    for question in questions {
        w.probe(p, question);
        w.run(300);
    }
    // What is written at once; that a handset then takes its mail is written later, and answered to nobody.
    let disk = w.offices[0].batch_shapes.first().cloned();
    w.run(if questions.len() > 1 { 125_000 } else { 3_000 });
    let p = &mut w.probers[p];
    Seen { got: core::mem::take(&mut p.got), cells: core::mem::take(&mut p.cells), disk }
}

fn questions(prober: Prober) -> Vec<(&'static str, Vec<Trunk>)> {
    let k = key(prober.key());
    let open = |leg: u16, counter| Trunk::Open {
        leg: Leg(leg),
        envelope: envelope(1, &k, counter, b"invite"),
    };
    let mail = |n: u8, counter| Trunk::Mail {
        mail: MailId([n; 16]),
        envelope: envelope(1, &k, counter, &[7; 900]),
    };
    let redeem = |request| Trunk::Redeem { request, address: address(1), bound: public(&key(8)) };
    let data = Trunk::Data { leg: Leg(1), body: blob(b"are you there?") };
    let mut forged = envelope(1, &k, 40, b"invite");
    forged.signature.0[9] ^= 1;
    vec![
        ("open", vec![open(1, 2)]),
        ("mail", vec![mail(1, 2)]),
        ("redeem", vec![redeem(1)]),
        (
            "all",
            vec![
                open(1, 3),
                data,
                mail(2, 3),
                redeem(2),
                open(3, 3),
                mail(3, 3),
                Trunk::Open { leg: Leg(5), envelope: forged },
                Trunk::Close { leg: Leg(1) },
                open(7, 4),
            ],
        ),
    ]
}

#[test]
fn three_probers_see_the_same_whatever_is_the_matter_with_an_address() {
    for prober in [Prober::Outsider, Prober::OtherOffice, Prober::FormerContact] {
        for (what, questions) in questions(prober) {
            let first = ask(STATES[0], prober, &questions);
            let answers =
                |m: &(Time, Trunk)| matches!(m.1, Trunk::MailAck { .. } | Trunk::Redeemed { .. });
            let awaited = questions
                .iter()
                .filter(|q| matches!(q, Trunk::Mail { .. } | Trunk::Redeem { .. }))
                .count();
            assert_eq!(first.got.iter().filter(|m| answers(m)).count(), awaited, "{what}");
            for state in &STATES[1..] {
                let other = ask(state, prober, &questions);
                assert_eq!(first.got, other.got, "{prober:?}, {what}, {state}: messages");
                assert!(first.cells == other.cells, "{prober:?}, {what}, {state}: cells");
                assert_eq!(first.disk, other.disk, "{prober:?}, {what}, {state}: disk");
            }
        }
    }
}

/// A handset of this office and one of another office, as people use them: with the key of a contact, if there is one.
#[test]
fn handsets_see_the_same_whatever_is_the_matter_with_an_address() {
    for office in [0, 1] {
        let see = |state: &str| {
            let (mut w, _) = prepare(state, Prober::FormerContact);
            let k = key(Prober::FormerContact.key());
            let b = w.enrolled(office, "boris", 77);
            let home = w.reference(0);
            // The trunk is up before the questions are asked.
            w.post(b, 1, &home, envelope(99, &k, 1, b"nobody"));
            w.run(2_000);
            let from = w.now;
            w.phones[b].inbox.clear();
            w.open(b, 1, 0, envelope(1, &k, 2, b"invite"));
            w.run(500);
            w.post(b, 2, &home, envelope(1, &k, 3, b"hello"));
            w.run(500);
            let (address, bound) = (address(1), public(&k));
            w.send(b, &LineUp::Redeem { request: 5, exchange: home, address, bound });
            w.run(125_000);
            let cells: Vec<_> = w.phones[b].cells.iter().filter(|c| c.0 >= from).copied().collect();
            (w.phones[b].inbox.clone(), cells)
        };
        let (inbox, cells) = see(STATES[0]);
        let reason = wire::line::Failure::NotValid;
        assert!(inbox.contains(&LineDown::Failed { request: 5, reason }), "{inbox:?}");
        for state in &STATES[1..] {
            let (other, other_cells) = see(state);
            assert_eq!(inbox, other, "office {office}, {state}");
            assert!(cells == other_cells, "office {office}, {state}: cells");
        }
    }
}
