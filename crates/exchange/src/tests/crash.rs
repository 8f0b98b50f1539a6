//! Killed at every batch, before and after the disk had it: what was acknowledged is there afterwards.

use proptest::prelude::*;
use wire::line::{LineDown, LineUp};
use wire::rows::Row;
use wire::{Token, Wall};

use super::world::{Disk, World, address, blob, envelope, key, public, text};
use crate::{Command, Exchange, RestoreError};

/// What the people were told, in order.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    enrolled: bool,
    attached: bool,
    registered: bool,
    offered: bool,
    posted: bool,
    delivered: bool,
}

/// Anna (office 0) is enrolled, issues a card; boris (office 1) redeems it and posts. Office `victim` dies
/// at its batch `at`; everybody asks again until told.
fn day(victim: usize, at: u64, written: bool) -> (World, u64) {
    let mut w = World::new(2);
    let b = w.enrolled(1, "boris", 12);
    let base = w.offices[victim].batches;
    w.offices[victim].disk = Disk::Dies { at: base + at, written };
    let mut told = Told::default();
    let token = Token([7; 16]);
    let a = w.add_phone(0, 11);
    w.phones[a].token = Some(token);
    let offer = [9; 1_000];
    let expiry = Wall(u64::MAX);
    for round in 0..200 {
        assert!(round < 199, "never done: {told:?}");
        if w.offices[victim].exchange.is_none() {
            w.offices[victim].disk = Disk::Writes;
            w.start(victim);
            check(&mut w, &told);
        }
        for phone in [a, b] {
            let up = w.phones[phone].link.is_some();
            if !up && (phone == b || told.enrolled) {
                w.connect(phone);
            }
        }
        w.run(100);
        if !told.enrolled {
            let principal = text("anna");
            w.command(0, 900, Command::Enrol { principal, token, expires: Wall(u64::MAX) });
        } else if !told.attached {
        } else if !told.registered {
            let offer = blob(&offer);
            w.send(a, &LineUp::RegisterOpen { request: 1, address: address(3), expiry, offer });
        } else if !told.offered {
            let (exchange, address, bound) = (w.reference(0), address(3), public(&key(1)));
            w.send(b, &LineUp::Redeem { request: 2, exchange, address, bound });
        } else if !told.posted {
            let office = w.reference(0);
            w.post(b, 5, &office, envelope(3, &key(1), 4, b"welcome"));
        }
        w.run(1_500);
        // Office 0 died before it answered a redemption: the line is told after 15 s.
        told.enrolled |= w.offices[0].replies.contains(&(900, crate::Reply::Done));
        told.attached |= w.got(a, |m| matches!(m, LineDown::Attached { .. }));
        told.registered |= w.got(a, |m| *m == LineDown::Done { request: 1 });
        told.offered |= w.got(b, |m| matches!(m, LineDown::Offer { .. }));
        told.posted |= !w.phones[b].posted.is_empty();
        told.delivered |= !w.phones[a].mail.is_empty();
        if told.delivered && told.posted {
            break;
        }
    }
    w.run(35_000);
    if w.offices[victim].exchange.is_none() {
        w.offices[victim].disk = Disk::Writes;
        w.start(victim);
        check(&mut w, &told);
        w.connect(a);
        w.connect(b);
        w.run(35_000);
    }
    // Once, not twice: a second copy would have a number of its own.
    assert_eq!(w.phones[a].mail.len(), 1, "at {at} written {written}: {:?}", w.phones[a].mail);
    assert_eq!(w.phones[a].mail[0].2, b"welcome");
    for office in [0, 1] {
        let m = w.exchange(office).metrics();
        assert_eq!((m.mail_waiting, m.mail_outbox), (0, 0), "nothing is left over");
    }
    let batches = w.offices[victim].batches - base;
    (w, batches)
}

/// What was promised before the crash holds after it.
fn check(w: &mut World, told: &Told) {
    let Some(exchange) = &w.offices[0].exchange else { return };
    let m = exchange.metrics();
    if told.attached {
        assert_eq!(m.lines_enrolled, 1);
    }
    if told.registered {
        assert_eq!(m.addresses, 1);
    }
}

fn every_batch(victim: usize) {
    let (_, batches) = day(victim, u64::MAX / 2, false);
    assert!(batches > 3, "{batches}");
    for at in 1..=batches {
        for written in [false, true] {
            day(victim, at, written);
        }
    }
}

#[test]
fn the_issuer_s_exchange_killed_at_every_batch() {
    every_batch(0);
}

#[test]
fn the_redeemer_s_exchange_killed_at_every_batch() {
    every_batch(1);
}

fn rows_of_a_day() -> (World, Vec<Row>) {
    let mut w = World::new(2);
    let (a, b) = w.contacts();
    w.disconnect(b);
    let office = w.reference(1);
    w.post(a, 2, &office, envelope(2, &key(1), 9, b"waits"));
    w.post(a, 4, &office, envelope(2, &key(9), 1, b"forged"));
    let offer = blob(b"offer");
    let expiry = Wall(u64::MAX);
    w.send(a, &LineUp::RegisterOpen { request: 9, address: address(9), expiry, offer });
    w.run(1_000);
    w.cut(0, 1);
    w.post(a, 3, &office, envelope(2, &key(1), 10, b"waits too"));
    let (principal, token) = (text("carla"), Token([1; 16]));
    w.command(0, 1, Command::Enrol { principal, token, expires: Wall(u64::MAX) });
    w.offices[1].cut_off = true;
    w.run(100);
    let mut rows = Vec::new();
    for office in &w.offices {
        for ((space, key), value) in &office.rows {
            rows.push(Row { space: *space, key: key.clone(), value: value.clone() });
        }
    }
    (w, rows)
}

fn restore(w: &World, rows: Vec<Row>) -> Result<Exchange, RestoreError> {
    let o = &w.offices[0];
    Exchange::new(o.config.clone(), o.key, [0; 32], rows, w.now, w.wall)
}

#[test]
fn damaged_rows_are_named() {
    let (w, rows) = rows_of_a_day();
    let spaces: std::collections::BTreeSet<u8> = rows.iter().map(|row| row.space).collect();
    assert_eq!(spaces.into_iter().collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    for (i, row) in rows.iter().enumerate().filter(|(_, row)| ![5, 9].contains(&row.space)) {
        let mut damaged = rows.clone();
        damaged[i].value.pop();
        if row.space == 6 {
            // Its last byte is one that earlier versions did not write.
            damaged[i].value.pop();
        }
        let error = restore(&w, damaged).unwrap_err();
        assert!(error.to_string().contains("backup"), "{row:?}: {error}");
        let mut damaged = rows.clone();
        damaged[i].key.push(0);
        assert!(restore(&w, damaged).is_err(), "{row:?}");
    }
    // Numbers at the end of their range would overflow later.
    let last = [0xff; 12];
    for (space, at) in [(1, "key"), (3, "value"), (6, "key"), (7, "key")] {
        let mut damaged = rows.clone();
        let row = damaged.iter_mut().find(|row| row.space == space).unwrap();
        let bytes = if at == "key" { &mut row.key } else { &mut row.value };
        let len = bytes.len().min(8);
        let start = bytes.len() - len;
        bytes[start..].copy_from_slice(&last[..len]);
        assert!(restore(&w, damaged).is_err(), "space {space}");
    }
    let stranger = Row { space: 200, key: vec![], value: vec![] };
    assert_eq!(restore(&w, vec![stranger]).unwrap_err(), RestoreError::Space { space: 200 });
    let orphan: Vec<_> = rows.iter().filter(|row| row.space != 1).cloned().collect();
    assert!(matches!(restore(&w, orphan).unwrap_err(), RestoreError::Orphan { .. }));
}

#[test]
fn rows_hold_no_names_of_contacts_and_no_secrets_of_tokens() {
    let (w, rows) = rows_of_a_day();
    for row in &rows {
        let all = [row.key.as_slice(), &row.value].concat();
        assert!(!all.windows(16).any(|part| part == [1; 16]) || row.space != 2, "the token itself");
    }
    // Of names, an office's disk has those of its own principals.
    let office: Vec<u8> = w.offices[0].rows.values().flatten().copied().collect();
    assert!(!office.windows(5).any(|part| part == b"boris"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn foreign_rows_never_panic(
        rows in proptest::collection::vec(
            (0u8..37, proptest::collection::vec(any::<u8>(), 0..40), proptest::collection::vec(any::<u8>(), 0..400)),
            0..8,
        )
    ) {
        let w = World::new(1);
        let rows = rows.into_iter().map(|(space, key, value)| Row { space, key, value }).collect();
        let _ = restore(&w, rows);
    }
}
