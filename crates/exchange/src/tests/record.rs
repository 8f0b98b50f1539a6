//! The record: told of when it is on disk, once, with a proof; orders of the officer.

use record::order::{Calls, Order, SEAL_KEY_LEN, SealKey};
use record::{Head, tree};
use seal::office::OfficerKey;
use wire::limits::ENTRY_LEN;
use wire::line::{Failure, LineDown, LineUp};
use wire::{Blob, Wall};

use super::world::{Disk, World, signer};
use crate::{CloseReason, Command, Reply};

fn key(n: u8) -> SealKey {
    SealKey::new([n; SEAL_KEY_LEN])
}

fn officer(n: u8) -> OfficerKey {
    OfficerKey::from_bytes(&[n; 32])
}

fn order() -> Order {
    Order::first(&officer(1), Calls::All, key(1), Wall(1))
}

fn entry(n: u8) -> Blob<ENTRY_LEN> {
    Blob::new(vec![n; ENTRY_LEN]).unwrap()
}

/// What came of an order.
fn set(w: &mut World, order: Order, anew: bool) -> Reply {
    let id = 7_000 + w.sequence;
    w.command(0, id, Command::SetOrder { order: Box::new(order), anew });
    w.run(50);
    w.offices[0].replies.iter().rev().find(|(n, _)| *n == id).unwrap().1.clone()
}

/// An office that keeps a record, and a handset of it.
fn office() -> (World, usize) {
    let mut w = World::new(1);
    let a = w.enrolled(0, "anna", 11);
    assert_eq!(set(&mut w, order(), false), Reply::Done);
    assert!(w.got(a, |m| matches!(m, LineDown::Order { .. })), "who is attached is told");
    w.phones[a].inbox.clear();
    (w, a)
}

fn send(w: &mut World, phone: usize, request: u32, n: u8) {
    w.send(phone, &LineUp::Record { request, entry: entry(n) });
}

/// The receipt of a request; its proof and its signature are good.
fn receipt(w: &mut World, phone: usize, request: u32, n: u8) -> u64 {
    let (size, root, signature, proof) = w.expect(phone, |m| match m {
        LineDown::Recorded { request: r, size, root, signature, proof } if *r == request => {
            Some((*size, *root, *signature, proof.clone()))
        }
        _ => None,
    });
    assert!(Head::verify(signer(0).public(), size, root, signature).is_ok());
    let leaf = tree::leaf(entry(n).as_bytes());
    let proof = proof.as_bytes().as_chunks::<32>().0;
    assert!(tree::verify_inclusion(size - 1, size, &leaf, proof, &root));
    size
}

fn entries(w: &World) -> Vec<Vec<u8>> {
    let rows = w.offices[0].rows.iter().filter(|((space, _), _)| *space == crate::RECORD_ENTRIES);
    rows.map(|(_, value)| value[32..].to_vec()).collect()
}

#[test]
fn entries_are_proved_in_the_order_in_which_they_came() {
    let (mut w, a) = office();
    let b = w.enrolled(0, "carla", 12);
    for n in 1..=9 {
        let phone = if n % 3 == 0 { b } else { a };
        send(&mut w, phone, n.into(), n);
        w.run(1_500);
        assert_eq!(receipt(&mut w, phone, n.into(), n), u64::from(n));
    }
    assert_eq!(entries(&w), (1..=9).map(|n| vec![n; ENTRY_LEN]).collect::<Vec<_>>());
    assert_eq!(w.exchange(0).metrics().record_entries, 9);
}

#[test]
fn nothing_is_taken_without_an_order_nor_of_another_length() {
    let mut w = World::new(1);
    let a = w.enrolled(0, "anna", 11);
    send(&mut w, a, 1, 1);
    w.run(1_500);
    let refused = LineDown::Failed { request: 1, reason: Failure::NotValid };
    assert!(w.got(a, |m| *m == refused));
    set(&mut w, order(), false);
    w.send(a, &LineUp::Record { request: 2, entry: Blob::new(vec![1; ENTRY_LEN - 1]).unwrap() });
    w.run(1_500);
    assert_eq!(w.phones[a].closed, Some(CloseReason::Protocol));
    assert!(entries(&w).is_empty());
}

#[test]
fn a_full_disk_is_told_so() {
    let (mut w, a) = office();
    w.offices[0].disk = Disk::Fails;
    send(&mut w, a, 1, 1);
    w.run(1_500);
    send(&mut w, a, 2, 2);
    w.run(1_500);
    assert!(w.got(a, |m| *m == LineDown::Failed { request: 2, reason: Failure::Storage }));
    assert!(!w.got(a, |m| matches!(m, LineDown::Recorded { .. })));
    w.offices[0].disk = Disk::Writes;
    w.run(3_000);
    assert_eq!(receipt(&mut w, a, 1, 1), 1, "as soon as it is on disk");
}

/// The exchange dies at its batch `at`; the handset sends again what was not proved.
fn day(at: u64, written: bool) -> u64 {
    let (mut w, a) = office();
    let base = w.offices[0].batches;
    w.offices[0].disk = Disk::Dies { at: base + at, written };
    for n in 1..=4u8 {
        for _ in 0..5 {
            send(&mut w, a, n.into(), n);
            w.run(2_000);
            if w.offices[0].exchange.is_none() {
                w.offices[0].disk = Disk::Writes;
                let told = w.got(
                    a,
                    |m| matches!(m, LineDown::Recorded { request, .. } if *request == u32::from(n)),
                );
                w.start(0);
                w.connect(a);
                w.run(500);
                if told {
                    assert!(entries(&w).contains(&vec![n; ENTRY_LEN]), "what was proved is there");
                }
            }
            if w.got(
                a,
                |m| matches!(m, LineDown::Recorded { request, .. } if *request == u32::from(n)),
            ) {
                break;
            }
        }
        assert_eq!(
            receipt(&mut w, a, n.into(), n),
            u64::from(n),
            "dies at {at}, written: {written}"
        );
    }
    let all: Vec<Vec<u8>> = (1..=4).map(|n| vec![n; ENTRY_LEN]).collect();
    assert_eq!(entries(&w), all, "once each: dies at {at}, written: {written}");
    w.offices[0].batches - base
}

#[test]
fn an_exchange_killed_at_every_batch_loses_and_doubles_nothing() {
    let batches = day(u64::MAX / 2, false);
    assert!(batches >= 4, "{batches}");
    for at in 1..=batches {
        for written in [false, true] {
            day(at, written);
        }
    }
}

#[test]
fn an_entry_that_comes_again_gets_the_same_receipt() {
    let (mut w, a) = office();
    send(&mut w, a, 1, 1);
    w.run(1_500);
    assert_eq!(receipt(&mut w, a, 1, 1), 1);
    w.disconnect(a);
    w.kill(0);
    w.start(0);
    w.connect(a);
    w.run(500);
    assert!(w.got(a, |m| matches!(m, LineDown::Order { .. })), "and the order with the line");
    send(&mut w, a, 9, 1);
    w.run(1_500);
    assert_eq!(receipt(&mut w, a, 9, 1), 1);
    assert_eq!(entries(&w).len(), 1);
}

#[test]
fn orders_only_go_forward_unless_the_operator_begins_anew() {
    let (mut w, _) = office();
    let second = order().next(&officer(1), Calls::Answered, key(2), Wall(2));
    assert_eq!(set(&mut w, second.clone(), false), Reply::Done);
    assert_eq!(set(&mut w, order(), false), Reply::Outdated);
    let same_number = order().next(&officer(1), Calls::None, key(3), Wall(2));
    assert_eq!(set(&mut w, same_number, false), Reply::Outdated);
    let stranger = Order::first(&officer(9), Calls::All, key(9), Wall(3));
    assert_eq!(set(&mut w, stranger.clone(), false), Reply::OtherOfficer);
    let successor = second.succeed(&officer(1), &officer(2), key(4), Wall(4)).unwrap();
    assert_eq!(set(&mut w, successor, false), Reply::Done);
    assert_eq!(w.exchange(0).officer(), Some(officer(2).public()));
    assert_eq!(set(&mut w, stranger, true), Reply::Done);
    w.kill(0);
    w.start(0);
    assert_eq!(w.exchange(0).officer(), Some(officer(9).public()), "on disk");
}

#[test]
fn a_revoked_line_leaves_its_entries_and_no_receipt() {
    let (mut w, a) = office();
    send(&mut w, a, 1, 1);
    w.run(1_500);
    let line = w.line(a);
    w.command(0, 5, Command::RevokeLine { line });
    w.run(500);
    assert_eq!(entries(&w).len(), 1);
    assert!(!w.offices[0].rows.keys().any(|(space, _)| *space == crate::rows::RECEIPT));
}
