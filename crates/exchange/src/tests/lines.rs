//! Attaching, enrolling, being refused.

use core::time::Duration;

use wire::line::{LineDown, LineUp, Refusal};
use wire::{LinePub, Signature, Text, Token, Wall};

use super::world::{Disk, World, address, blob, text};
use crate::{CloseReason, Command, Conn, Input, InputError, Reply, SourceId};

fn refused(w: &mut World, phone: usize) -> Refusal {
    w.expect(phone, |m| match m {
        LineDown::Refused { reason } => Some(*reason),
        _ => None,
    })
}

#[test]
fn a_token_works_once_and_until_it_expires() {
    let mut w = World::new(1);
    let token = Token([9; 16]);
    let enrol = |expires| Command::Enrol { principal: text("anna"), token, expires };
    w.command(0, 1, enrol(Wall(w.wall.0 + 10)));
    w.run(50);
    assert_eq!(w.offices[0].replies, [(1, Reply::Done)]);
    let first = w.add_phone(0, 1);
    let second = w.add_phone(0, 2);
    for phone in [first, second] {
        w.phones[phone].token = Some(token);
        w.connect(phone);
        w.run(300);
    }
    let device = w.expect(first, |m| match m {
        LineDown::Attached { device, principal, .. } => {
            assert_eq!(principal.as_str(), "anna");
            Some(*device)
        }
        _ => None,
    });
    assert_eq!(device, 0);
    assert_eq!(refused(&mut w, second), Refusal::Token);
    w.run(1_500);
    assert_eq!(w.phones[second].closed, Some(CloseReason::Refused));
    // The same handset may ask again with the used token: it was cut off before it heard.
    w.connect(first);
    w.run(300);
    assert!(w.got(first, |m| matches!(m, LineDown::Attached { .. })));
    // Expired.
    w.command(0, 2, enrol(Wall(w.wall.0 + 10)));
    w.wall = Wall(w.wall.0 + 10);
    w.connect(second);
    w.run(300);
    assert_eq!(refused(&mut w, second), Refusal::Token);
}

#[test]
fn wrong_proof_unknown_line_other_version() {
    let mut w = World::new(1);
    let a = w.enrolled(0, "anna", 1);
    let line = w.line(a);
    let stranger = w.add_phone(0, 2);
    w.connect(stranger);
    w.run(300);
    assert_eq!(refused(&mut w, stranger), Refusal::Unknown);
    w.phones[stranger].silent = true;
    for (version, expected) in [(1, Refusal::Unknown), (2, Refusal::Version)] {
        w.connect(stranger);
        w.run(100);
        w.send(stranger, &LineUp::Attach { version, line, signature: Signature([1; 64]) });
        w.run(300);
        assert_eq!(refused(&mut w, stranger), expected);
    }
    let m = w.exchange(0).metrics();
    assert_eq!((m.refused_unknown, m.refused_version, m.lines_attached), (2, 1, 1));
}

#[test]
fn a_signature_for_another_challenge_is_worth_nothing() {
    let mut w = World::new(1);
    let a = w.enrolled(0, "anna", 1);
    // The proof of one connection, replayed on the next.
    w.phones[a].silent = true;
    w.connect(a);
    w.run(100);
    let nonce = w.expect(a, |m| match m {
        LineDown::Challenge { nonce, .. } => Some(*nonce),
        _ => None,
    });
    let proof = w.proof(a, &nonce);
    w.connect(a);
    w.run(100);
    w.send(a, &proof);
    w.run(300);
    assert_eq!(refused(&mut w, a), Refusal::Unknown);
}

#[test]
fn silence_is_ended() {
    let mut w = World::new(1);
    let a = w.add_phone(0, 1);
    w.phones[a].silent = true;
    w.connect(a);
    w.run(9_900);
    assert_eq!(w.phones[a].closed, None);
    w.run(200);
    assert_eq!(w.phones[a].closed, Some(CloseReason::Silent));
    assert_eq!(w.exchange(0).metrics().lines_strange, 0);
}

#[test]
fn anything_before_attach_is_a_fault() {
    let mut w = World::new(1);
    let a = w.add_phone(0, 1);
    w.phones[a].silent = true;
    w.connect(a);
    w.send(a, &LineUp::Revoke { request: 1, address: address(1) });
    w.run(100);
    assert_eq!(w.phones[a].closed, Some(CloseReason::Protocol));
}

#[test]
fn guessing_is_slowed_down() {
    let mut w = World::new(1);
    let token = Token([9; 16]);
    w.command(0, 1, Command::Enrol { principal: text("a"), token, expires: Wall(u64::MAX) });
    let thief = w.add_phone(0, 1);
    let mut reasons = Vec::new();
    for guess in 0..14 {
        w.phones[thief].token = Some(Token([guess + 20; 16]));
        w.connect(thief);
        w.run(200);
        reasons.push(refused(&mut w, thief));
    }
    assert_eq!(reasons.iter().filter(|r| **r == Refusal::Token).count(), 10);
    assert_eq!(reasons[13], Refusal::Limit);
    // Even with the right token, from there; but others are served.
    w.phones[thief].token = Some(token);
    w.connect(thief);
    w.run(200);
    assert_eq!(refused(&mut w, thief), Refusal::Limit);
    w.enrolled(0, "boris", 3);
    // Later it may try again.
    w.run(60_000);
    w.connect(thief);
    w.run(200);
    assert!(w.got(thief, |m| matches!(m, LineDown::Attached { .. })));
}

#[test]
fn strangers_are_bounded() {
    let mut w = World::new(1);
    for i in 0..crate::limits::STRANGERS as u64 + 50 {
        let conn = Conn(1 << 40 | i);
        w.input(0, Input::LineUp { conn, source: SourceId(i) });
    }
    assert_eq!(w.exchange(0).metrics().lines_strange, crate::limits::STRANGERS as u64);
    assert_eq!(w.offices[0].closed.len(), 50);
    w.run(11_000);
    assert_eq!(w.exchange(0).metrics().lines_strange, 0);
    w.enrolled(0, "anna", 1);
}

#[test]
fn the_newer_link_of_a_line_is_served() {
    let mut w = World::new(1);
    let a = w.enrolled(0, "anna", 1);
    // The same key in a second place.
    let copy = w.add_phone(0, 1);
    w.connect(copy);
    w.run(300);
    assert!(w.got(copy, |m| matches!(m, LineDown::Attached { .. })));
    assert_eq!(refused(&mut w, a), Refusal::Replaced);
    w.run(1_500);
    assert_eq!(w.phones[a].closed, Some(CloseReason::Refused));
    assert_eq!(w.exchange(0).metrics().lines_attached, 1);
}

#[test]
fn eight_handsets_and_no_ninth() {
    let mut w = World::new(1);
    for seed in 1..=8 {
        w.enrolled(0, "anna", seed);
    }
    let token = Token([99; 16]);
    w.command(0, 1, Command::Enrol { principal: text("anna"), token, expires: Wall(u64::MAX) });
    let ninth = w.add_phone(0, 9);
    w.phones[ninth].token = Some(token);
    w.connect(ninth);
    w.run(300);
    assert_eq!(refused(&mut w, ninth), Refusal::Limit);
}

#[test]
fn revoked_lines_and_principals() {
    let mut w = World::new(1);
    let a = w.enrolled(0, "anna", 1);
    let b = w.enrolled(0, "boris", 2);
    w.bind(b, 2, &super::world::key(1));
    let line = w.line(a);
    w.command(0, 7, Command::RevokeLine { line });
    w.run(100);
    assert!(w.offices[0].replies.contains(&(7, Reply::Done)));
    assert_eq!(w.phones[a].closed, Some(CloseReason::Revoked));
    w.connect(a);
    w.run(300);
    assert_eq!(refused(&mut w, a), Refusal::Unknown);
    w.command(0, 8, Command::RevokePrincipal { principal: text("boris") });
    w.command(0, 9, Command::RevokeLine { line: LinePub([7; 32]) });
    w.run(100);
    assert!(w.offices[0].replies.contains(&(8, Reply::Done)));
    assert!(w.offices[0].replies.contains(&(9, Reply::NotFound)));
    assert_eq!(w.phones[b].closed, Some(CloseReason::Revoked));
    let m = w.exchange(0).metrics();
    assert_eq!((m.lines_enrolled, m.addresses), (0, 0));
    // On disk, only the other principal is left.
    assert_eq!(w.offices[0].rows.len(), 1, "{:?}", w.offices[0].rows.keys());
}

#[test]
fn lists_and_status() {
    let mut w = World::new(1);
    let a = w.enrolled(0, "anna", 1);
    let b = w.enrolled(0, "boris", 2);
    w.disconnect(b);
    w.command(0, 50, Command::ListLines);
    w.command(0, 51, Command::Status);
    let reply = |w: &World, id| w.offices[0].replies.iter().find(|r| r.0 == id).unwrap().1.clone();
    let Reply::Lines(lines) = reply(&w, 50) else { panic!() };
    let seen: Vec<_> =
        lines.iter().map(|l| (l.line, l.principal.as_str().to_owned(), l.attached)).collect();
    assert_eq!(seen, [(w.line(a), "anna".into(), true), (w.line(b), "boris".into(), false)]);
    let Reply::Status(status) = reply(&w, 51) else { panic!() };
    assert!(status.store_works);
    assert_eq!((status.lines_attached, status.lines_enrolled), (1, 2));
}

#[test]
fn the_host_is_told_its_mistakes() {
    let mut w = World::new(1);
    let a = w.enrolled(0, "anna", 1);
    let conn = w.phones[a].conn;
    let (now, wall) = (w.now, w.wall);
    let exchange = w.offices[0].exchange.as_mut().unwrap();
    let twice = exchange.handle(now, wall, Input::LineUp { conn, source: SourceId(0) });
    assert_eq!(twice, Err(InputError::ConnInUse));
    let batch = exchange.handle(now, wall, Input::Stored { batch: 99 });
    assert_eq!(batch, Err(InputError::NoSuchBatch));
    let batch = exchange.handle(now, wall, Input::StoreFailed { batch: 1 });
    assert_eq!(batch, Err(InputError::NoSuchBatch));
}

#[test]
fn an_idle_ringing_and_talking_line_gets_the_same_cells() {
    let mut w = World::new(2);
    let (a, b) = w.contacts();
    let count = |w: &mut World, phone: usize| {
        w.phones[phone].cells.clear();
        w.run(2_000);
        let cells = &w.phones[phone].cells;
        let gaps: Vec<_> = cells.windows(2).map(|c| c[1].0.since(c[0].0)).collect();
        assert!(gaps.iter().all(|gap| *gap == Duration::from_millis(20)), "{gaps:?}");
        (cells.len(), cells.iter().map(|c| c.1).collect::<Vec<_>>())
    };
    let idle = count(&mut w, b);
    let office = super::world::envelope(2, &super::world::key(1), 2, b"invite");
    w.open(a, 1, 1, office);
    let ringing = count(&mut w, b);
    let leg = w.incoming(b);
    w.send(b, &LineUp::Take { leg });
    w.phones[a].talks = Some((wire::Leg(1), 3));
    w.send(a, &LineUp::LegData { leg: wire::Leg(1), body: blob(&[0; 8_000]) });
    let talking = count(&mut w, b);
    assert!(w.phones[b].heard.len() > 80);
    assert_eq!(idle, ringing);
    assert_eq!(idle, talking);
}

#[test]
fn a_full_disk_is_told_and_got_over() {
    let mut w = World::new(1);
    let a = w.enrolled(0, "anna", 1);
    w.offices[0].disk = Disk::Fails;
    let register = |request, n| LineUp::RegisterBound {
        request,
        address: address(n),
        bound: super::world::public(&super::world::key(1)),
    };
    w.send(a, &register(1, 1));
    w.run(200);
    let failed = |request| LineDown::Failed { request, reason: wire::line::Failure::Storage };
    w.expect(a, |m| (*m == failed(1)).then_some(()));
    w.send(a, &register(2, 2));
    w.run(200);
    w.expect(a, |m| (*m == failed(2)).then_some(()));
    w.command(
        0,
        70,
        Command::Enrol {
            principal: Text::default(),
            token: Token([1; 16]),
            expires: Wall(u64::MAX),
        },
    );
    assert!(w.offices[0].replies.contains(&(70, Reply::Unavailable)));
    w.offices[0].disk = Disk::Writes;
    w.run(1_500);
    // Asked again, it is done.
    for request in [1, 2] {
        w.send(a, &register(request + 10, u8::try_from(request).unwrap()));
        w.run(200);
        w.expect(a, |m| (*m == LineDown::Done { request: request + 10 }).then_some(()));
    }
    let m = w.exchange(0).metrics();
    assert!(m.store_failed >= 1);
    assert_eq!(m.addresses, 2);
}

#[test]
fn a_graceful_stop_writes_first_and_closes_then() {
    let mut w = World::new(1);
    let a = w.enrolled(0, "anna", 1);
    let bound = super::world::public(&super::world::key(1));
    w.send(a, &LineUp::RegisterBound { request: 5, address: address(1), bound });
    w.run(21);
    w.command(0, 60, Command::Shutdown);
    w.run(1_000);
    assert!(w.got(a, |m| *m == LineDown::Done { request: 5 }), "{:?}", w.phones[a].inbox);
    assert_eq!(w.phones[a].closed, Some(CloseReason::Stopping));
    assert_eq!(w.offices[0].replies.last(), Some(&(60, Reply::Stopped)));
    // What comes now is turned away.
    w.connect(a);
    w.run(100);
    assert_eq!(w.phones[a].closed, Some(CloseReason::Stopping));
    w.start(0);
    w.connect(a);
    w.run(300);
    assert!(w.got(a, |m| matches!(m, LineDown::Attached { .. })));
}
