//! Mail: order, windows, quotas, copies.

use wire::MailId;
use wire::line::{Failure, LineDown, LineUp};

use super::world::{World, address, envelope, key};
use crate::limits;

fn bodies(w: &World, phone: usize) -> Vec<Vec<u8>> {
    w.phones[phone].mail.iter().map(|(.., body)| body.clone()).collect()
}

#[test]
fn in_order_once_to_every_handset_and_gone_then() {
    let mut w = World::new(2);
    let (a, b) = w.contacts();
    let b2 = w.enrolled(1, "boris", 13);
    let office = w.reference(1);
    for i in 0..100u8 {
        w.post(a, i + 10, &office, envelope(2, &key(1), 10 + u64::from(i), &[i; 700]));
    }
    w.run(10_000);
    let expected: Vec<Vec<u8>> = (0..100u8).map(|i| vec![i; 700]).collect();
    assert_eq!(bodies(&w, b)[1..], expected, "the first is hello");
    assert_eq!(bodies(&w, b2), expected, "nothing from before it was enrolled");
    assert_eq!(w.phones[a].posted.len(), 101);
    for office in [0, 1] {
        let m = w.exchange(office).metrics();
        assert_eq!((m.mail_waiting, m.mail_outbox), (0, 0));
        let left = w.offices[office].rows.keys().filter(|(s, _)| [6, 7].contains(s)).count();
        assert_eq!(left, 0);
    }
}

#[test]
fn a_handset_that_is_away_gets_it_later_and_the_other_at_once() {
    let mut w = World::new(2);
    let (a, b) = w.contacts();
    let b2 = w.enrolled(1, "boris", 13);
    w.disconnect(b2);
    let office = w.reference(1);
    w.post(a, 2, &office, envelope(2, &key(1), 2, b"one"));
    w.run(500);
    assert_eq!(bodies(&w, b).last().unwrap(), b"one");
    assert_eq!(w.exchange(1).metrics().mail_waiting, 1);
    w.kill(1);
    w.start(1);
    w.connect(b);
    w.connect(b2);
    w.run(1_000);
    assert_eq!(bodies(&w, b2), [b"one"]);
    assert_eq!(w.phones[b].mail.len(), 2, "hello and one");
    assert_eq!(w.exchange(1).metrics().mail_waiting, 0);
}

#[test]
fn mail_waits_for_the_trunk() {
    let mut w = World::new(2);
    let (a, b) = w.contacts();
    w.offices[1].cut_off = true;
    w.cut(0, 1);
    let office = w.reference(1);
    for i in 2..60u8 {
        w.post(a, i, &office, envelope(2, &key(1), u64::from(i), &[i; 500]));
    }
    w.run(5_000);
    assert_eq!(w.phones[a].posted.len(), 59, "it is safe here");
    assert_eq!(w.exchange(0).metrics().mail_outbox, 58);
    assert_eq!(w.phones[b].mail.len(), 1);
    w.offices[1].cut_off = false;
    w.run(40_000);
    let expected: Vec<Vec<u8>> = (2..60u8).map(|i| vec![i; 500]).collect();
    assert_eq!(bodies(&w, b)[1..], expected);
    assert_eq!(w.exchange(0).metrics().mail_outbox, 0);
}

#[test]
fn copies_and_forgeries_are_acknowledged_and_dropped() {
    let mut w = World::new(2);
    let (a, b) = w.contacts();
    let office = w.reference(1);
    let good = envelope(2, &key(1), 5, b"good");
    w.post(a, 2, &office, good.clone());
    w.run(500);
    let mut forged = envelope(2, &key(9), 6, b"forged");
    w.post(a, 3, &office, forged.clone());
    forged.address = address(77);
    w.post(a, 4, &office, forged);
    w.post(a, 5, &office, good);
    let mut device = envelope(2, &key(1), 7, b"device");
    device.device = 200;
    w.post(a, 6, &office, device);
    w.run(1_000);
    assert_eq!(w.phones[a].posted.len(), 6);
    assert_eq!(w.phones[b].mail.len(), 2, "hello and good");
    assert_eq!(w.exchange(0).metrics().mail_outbox, 0, "all were acknowledged");
    assert_eq!(w.exchange(1).metrics().envelopes_dropped, 4);
}

#[test]
fn mail_that_a_ring_overtook_is_not_a_copy() {
    let mut w = World::new(2);
    let (a, b) = w.contacts();
    let office = w.reference(1);
    w.open(a, 1, 1, envelope(2, &key(1), 20, b"invite"));
    w.run(200);
    w.incoming(b);
    w.post(a, 2, &office, envelope(2, &key(1), 19, b"before"));
    // Posted again later than a newer one.
    w.post(a, 4, &office, envelope(2, &key(1), 22, b"newer"));
    w.post(a, 3, &office, envelope(2, &key(1), 21, b"older"));
    w.run(1_000);
    assert_eq!(bodies(&w, b)[1..], [b"before".to_vec(), b"newer".to_vec(), b"older".to_vec()]);
}

#[test]
fn the_window_holds_until_delivered() {
    let mut w = World::new(2);
    let (a, b) = w.contacts();
    w.phones[b].acks_mail = false;
    let office = w.reference(1);
    for i in 2..12u8 {
        w.post(a, i, &office, envelope(2, &key(1), u64::from(i), &[i; 8_000]));
        w.run(1_500);
    }
    w.run(10_000);
    assert_eq!(w.phones[b].mail.len(), 1 + limits::DELIVERY_WINDOW / 8_000);
    assert_eq!(w.exchange(1).metrics().mail_waiting, 10);
    // A number that was never sent acknowledges no more than what was.
    w.phones[b].acks_mail = true;
    w.send(b, &LineUp::Delivered { seq: u64::MAX });
    w.run(20_000);
    assert_eq!(w.phones[b].mail.len(), 11);
    assert_eq!(w.exchange(1).metrics().mail_waiting, 0);
}

#[test]
fn a_full_mailbox_keeps_the_oldest_and_tells_nobody() {
    let mut w = World::new(1);
    let a = w.enrolled(0, "anna", 11);
    let b = w.enrolled(0, "boris", 12);
    w.bind(b, 2, &key(1));
    w.disconnect(b);
    let office = w.reference(0);
    let all = limits::MAIL_PIECES + 20;
    for i in 1..=all {
        let mail = MailId(core::array::from_fn(|n| i.to_be_bytes()[n % 4]));
        let body = i.to_be_bytes();
        let envelope = envelope(2, &key(1), u64::from(i), &body);
        w.send(a, &LineUp::Post { mail, exchange: office.clone(), envelope });
        w.run(20);
    }
    w.run(5_000);
    assert_eq!(w.phones[a].posted.len(), all as usize);
    let m = w.exchange(0).metrics();
    assert_eq!((m.mail_waiting, m.mail_full), (u64::from(limits::MAIL_PIECES), 20));
    w.connect(b);
    w.run(10_000);
    let expected: Vec<_> = (1..=limits::MAIL_PIECES).map(|i| i.to_be_bytes().to_vec()).collect();
    assert_eq!(bodies(&w, b), expected);
}

#[test]
fn the_outbox_is_bounded() {
    let mut w = World::new(2);
    let (a, _) = w.contacts();
    w.offices[1].cut_off = true;
    w.cut(0, 1);
    let office = w.reference(1);
    let pieces = limits::MAIL_BYTES / 16_000 + 1;
    for i in 0..pieces {
        let mail = MailId([
            u8::try_from(i % 251).unwrap(),
            u8::try_from(i / 251).unwrap(),
            1,
            1,
            1,
            1,
            1,
            1,
            1,
            1,
            1,
            1,
            1,
            1,
            1,
            1,
        ]);
        let envelope = envelope(2, &key(1), 100 + i, &[0; 16_000]);
        w.send(a, &LineUp::Post { mail, exchange: office.clone(), envelope });
        w.run(2_500);
    }
    w.run(3_000);
    let limit = |m: &LineDown| matches!(m, LineDown::NotPosted { reason: Failure::Limit, .. });
    assert!(w.got(a, limit), "{} posted", w.phones[a].posted.len());
    let m = w.exchange(0).metrics();
    assert_eq!(m.mail_outbox, limits::MAIL_BYTES / 16_000);
}

#[test]
fn posting_again_posts_once() {
    let mut w = World::new(2);
    let (a, b) = w.contacts();
    let office = w.reference(1);
    let piece = envelope(2, &key(1), 5, b"once");
    w.post(a, 2, &office, piece.clone());
    w.post(a, 2, &office, piece.clone());
    w.run(500);
    w.post(a, 2, &office, piece);
    w.run(500);
    assert_eq!(w.phones[a].posted.len(), 4, "hello, and three answers");
    assert_eq!(w.phones[b].mail.len(), 2);
}
