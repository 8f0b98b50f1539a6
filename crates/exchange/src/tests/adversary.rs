//! Handsets and exchanges that do what they should not.

use proptest::prelude::*;
use wire::line::{Closure, LineDown, LineUp};
use wire::trunk::Trunk;
use wire::{Leg, MailId};

use super::calls::call;
use super::trunks::Bare;
use super::world::{World, address, blob, envelope, key};
use crate::{CloseReason, limits};

#[test]
fn legs_of_others_and_of_nobody() {
    let mut w = World::new(2);
    let (a, b) = w.contacts();
    let c = w.enrolled(1, "carla", 13);
    w.open(a, 1, 1, envelope(2, &key(1), 2, b"invite"));
    w.run(200);
    let leg = w.incoming(b);
    // Carla takes, talks on, and closes a leg that rings at boris; and some that never were.
    for leg in [leg, Leg(1), Leg(2), Leg(3), Leg(0), Leg(u16::MAX)] {
        for message in
            [LineUp::Take { leg }, LineUp::LegData { leg, body: blob(b"x") }, LineUp::Close { leg }]
        {
            w.send(c, &message);
        }
        w.phones[c].talks = Some((leg, 66));
        w.run(100);
    }
    assert!(w.phones[a].inbox.is_empty() && w.phones[a].heard.is_empty());
    assert!(w.phones[b].inbox.is_empty() && w.phones[b].heard.is_empty());
    assert_eq!(w.phones[c].closed, None);
    // The caller cannot take its own call.
    w.send(a, &LineUp::Take { leg: Leg(1) });
    w.run(100);
    assert_eq!(w.exchange(1).metrics().calls_taken, 0);
    // The right one can, and taking twice changes nothing.
    for _ in 0..2 {
        w.send(b, &LineUp::Take { leg });
        w.run(100);
    }
    assert_eq!(w.exchange(1).metrics().calls_taken, 1);
    // Data on a leg that was closed reaches nobody.
    w.send(b, &LineUp::Close { leg });
    w.send(b, &LineUp::LegData { leg, body: blob(b"late") });
    w.run(200);
    w.phones[a].inbox.retain(|m| !matches!(m, LineDown::Closed { .. }));
    assert!(w.phones[a].inbox.is_empty());
}

#[test]
fn opening_badly_is_a_fault() {
    for legs in [vec![2], vec![0], vec![1, 1]] {
        let mut w = World::new(1);
        let a = w.enrolled(0, "anna", 11);
        for leg in &legs {
            w.open(a, *leg, 0, envelope(1, &key(1), 1, b""));
        }
        w.run(200);
        assert_eq!(w.phones[a].closed, Some(CloseReason::Protocol), "{legs:?}");
    }
}

#[test]
fn malformed_messages_and_cells_close_the_line() {
    let garbage: [&[u8]; 4] = [&[], &[99], &[1, 0], &[0; 20_000]];
    for bytes in garbage {
        let mut w = World::new(1);
        let a = w.enrolled(0, "anna", 11);
        let link = w.phones[a].link.as_mut().unwrap();
        if link.queue(link::Channel::Signal, bytes).is_err() {
            continue;
        }
        w.run(4_000);
        assert_eq!(w.phones[a].closed, Some(CloseReason::Protocol), "{} bytes", bytes.len());
    }
    for (bytes, reason) in [
        (vec![], CloseReason::Shape),
        (vec![0; 223], CloseReason::Shape),
        (vec![0; 480], CloseReason::Shape),
        (vec![0xff; 224], CloseReason::Protocol),
    ] {
        let mut w = World::new(1);
        let a = w.enrolled(0, "anna", 11);
        let conn = w.phones[a].conn;
        w.input(0, crate::Input::Cell { conn, bytes: &bytes });
        assert_eq!(w.phones[a].closed, Some(reason));
    }
    // Messages that only a trunk may send, and the other way round.
    let mut w = World::new(1);
    let mut t = Bare::new(&mut w, 150);
    t.link.queue(link::Channel::Signal, &[77; 5]).unwrap();
    t.run(&mut w, 100);
    assert_eq!(w.offices[0].closed, [CloseReason::Protocol]);
}

#[test]
fn too_many_legs_and_calls_of_one_line() {
    let mut w = World::new(2);
    let (a, _) = w.contacts();
    let most = limits::LEGS_PER_LINE as u16;
    for leg in 0..most + 4 {
        w.open(a, leg * 2 + 1, 1, envelope(2, &key(1), 10 + u64::from(leg), b""));
        w.run(600);
    }
    let limit = |m: &LineDown| matches!(m, LineDown::Closed { reason: Closure::Limit, .. });
    assert_eq!(w.phones[a].inbox.iter().filter(|m| limit(m)).count(), 4);
    for leg in 0..most {
        w.send(a, &LineUp::Close { leg: Leg(leg * 2 + 1) });
    }
    w.run(200);
    w.phones[a].inbox.clear();
    for counter in 0..60u64 {
        w.open(a, 1, 1, envelope(2, &key(1), 100 + counter, b""));
        w.send(a, &LineUp::Close { leg: Leg(1) });
        w.run(40);
    }
    assert!(w.phones[a].inbox.iter().filter(|m| limit(m)).count() > 30);
    w.run(500);
    assert_eq!(w.exchange(0).metrics().legs + w.exchange(1).metrics().legs, 0);
}

#[test]
fn a_contact_cannot_keep_a_handset_ringing() {
    let mut w = World::new(1);
    let a = w.enrolled(0, "anna", 11);
    w.bind(a, 1, &key(1));
    let mut t = Bare::new(&mut w, 150);
    for i in 0..40u16 {
        let leg = Leg(i * 2 + 1);
        t.say(&Trunk::Open { leg, envelope: envelope(1, &key(1), u64::from(i) + 1, b"") });
        t.run(&mut w, 50);
        t.say(&Trunk::Close { leg });
        t.run(&mut w, 50);
    }
    // 4 s: 5 at once, then one a second. Each rings on one line: its legs are all free again.
    w.run(2_000);
    let rang = w.phones[a].inbox.iter().filter(|m| matches!(m, LineDown::Incoming { .. })).count();
    assert!((5..=10).contains(&rang), "rang {rang} times");
    assert_eq!(w.exchange(0).metrics().legs, 0);
}

#[test]
fn a_copied_invitation_rings_once() {
    let mut w = World::new(1);
    let a = w.enrolled(0, "anna", 11);
    w.bind(a, 1, &key(1));
    let mut t = Bare::new(&mut w, 150);
    let copied = envelope(1, &key(1), 7, b"invite");
    for leg in [1, 3, 5] {
        t.say(&Trunk::Open { leg: Leg(leg), envelope: copied.clone() });
        t.run(&mut w, 1_500);
    }
    w.run(1_000);
    let rang = w.phones[a].inbox.iter().filter(|m| matches!(m, LineDown::Incoming { .. })).count();
    assert_eq!(rang, 1);
    assert_eq!(w.exchange(0).metrics().envelopes_dropped, 2);
}

#[test]
fn a_flood_of_data_ends_the_call_and_not_the_line() {
    let mut w = World::new(1);
    let a = w.enrolled(0, "anna", 11);
    w.bind(a, 1, &key(1));
    let mut t = Bare::new(&mut w, 150);
    t.say(&Trunk::Open { leg: Leg(1), envelope: envelope(1, &key(1), 1, b"invite") });
    t.run(&mut w, 100);
    for _ in 0..20 {
        t.say(&Trunk::Data { leg: Leg(1), body: blob(&[0; 16_000]) });
        // The handset acknowledges nothing meanwhile: its link is not driven.
        t.run(&mut w, 300);
    }
    assert_eq!(w.exchange(0).metrics().lines_attached, 1);
    assert!(w.offices[0].closed.is_empty(), "{:?}", w.offices[0].closed);
    assert_eq!(
        w.exchange(0).metrics().legs,
        1,
        "the trunk leg stays, and the caller hears nothing"
    );
    assert!(t.got.iter().all(|(_, m)| !matches!(m, Trunk::Close { .. })));
}

#[test]
fn a_trunk_that_sends_more_mail_than_it_may() {
    let mut w = World::new(1);
    let a = w.enrolled(0, "anna", 11);
    w.bind(a, 1, &key(1));
    let mut t = Bare::new(&mut w, 150);
    t.run(&mut w, 100);
    // Without an answer from the disk, all of it would wait in memory.
    let (now, wall) = (w.now, w.wall);
    let exchange = w.offices[0].exchange.as_mut().unwrap();
    let mut time = now;
    for i in 0..400u64 {
        let mail = MailId([u8::try_from(i % 256).unwrap(); 16]);
        let message = Trunk::Mail { mail, envelope: envelope(1, &key(1), i + 1, &[0; 900]) };
        if t.link.queue(link::Channel::Bulk, &message.encode()).is_err() {
            break;
        }
        for _ in 0..3 {
            time = wire::Time(time.0 + 10_000);
            t.link.tick(time);
            while let Some(cell) = t.link.poll_cell() {
                let input = crate::Input::Cell { conn: t.conn, bytes: cell };
                exchange.handle(time, wall, input).unwrap();
            }
            exchange.handle(time, wall, crate::Input::Tick).unwrap();
            while let Some(output) = exchange.poll() {
                if let crate::Output::Transmit { conn, cell } = output
                    && conn == t.conn
                {
                    t.link.handle_cell(time, cell).unwrap();
                }
            }
            while t.link.poll_event().is_some() {}
        }
    }
    let m = exchange.metrics();
    assert_eq!(m.mail_waiting, limits::TRUNK_MAIL_ACCEPTED as u64);
    assert!(m.envelopes_dropped > 200, "{m:?}");
}

#[test]
fn a_line_replaced_in_a_call_ends_it() {
    let mut w = World::new(2);
    let (a, b) = w.contacts();
    call(&mut w, a, b, 2);
    let copy = w.add_phone(1, 12);
    w.connect(copy);
    w.run(400);
    let closed = LineDown::Closed { leg: Leg(1), reason: Closure::Closed };
    w.expect(a, |m| (*m == closed).then_some(()));
    assert_eq!(w.exchange(1).metrics().legs, 0);
    // The caller comes back with a new leg, and the newer link rings.
    w.open(a, 1, 1, envelope(2, &key(1), 3, b"again"));
    w.run(200);
    w.incoming(copy);
}

#[test]
fn addresses_are_bounded_and_belong_to_their_owner() {
    let mut w = World::new(1);
    let a = w.enrolled(0, "anna", 11);
    let b = w.enrolled(0, "boris", 12);
    let register = |request: u32, phone: usize, w: &mut World| {
        let mut bytes = [phone as u8 + 1; 16];
        bytes[..4].copy_from_slice(&request.to_be_bytes());
        let expiry = wire::Wall(2_000_000);
        let offer = blob(b"offer");
        let address = wire::Address(bytes);
        w.send(phone, &LineUp::RegisterOpen { request, address, expiry, offer });
        w.run(30);
    };
    for request in 0..limits::ADDRESSES_OPEN + 5 {
        register(request, a, &mut w);
    }
    w.run(1_000);
    let failed =
        |m: &LineDown| matches!(m, LineDown::Failed { reason: wire::line::Failure::Limit, .. });
    assert_eq!(w.phones[a].inbox.iter().filter(|m| failed(m)).count(), 5);
    register(0, b, &mut w);
    w.run(500);
    w.expect(b, |m| (*m == LineDown::Done { request: 0 }).then_some(()));
    // Expired cards make room.
    w.wall = wire::Wall(2_000_000);
    register(9_000, a, &mut w);
    w.run(500);
    w.expect(a, |m| (*m == LineDown::Done { request: 9_000 }).then_some(()));
    // Another principal can neither take nor revoke an address.
    w.bind(a, 1, &key(1));
    let taken = LineUp::RegisterBound {
        request: 70,
        address: address(1),
        bound: super::world::public(&key(2)),
    };
    w.send(b, &taken);
    w.send(b, &LineUp::Revoke { request: 71, address: address(1) });
    w.run(500);
    let reason = wire::line::Failure::Taken;
    w.expect(b, |m| (*m == LineDown::Failed { request: 70, reason }).then_some(()));
    w.expect(b, |m| (*m == LineDown::Done { request: 71 }).then_some(()));
    w.open(b, 1, 0, envelope(1, &key(1), 1, b"still there"));
    w.run(200);
    w.incoming(a);
}

#[test]
fn nothing_secret_is_printed() {
    let mut w = World::new(2);
    let (a, b) = w.contacts();
    call(&mut w, a, b, 2);
    let text = format!("{:?} {:?}", w.exchange(0), w.exchange(0).metrics());
    for secret in ["anna", "boris", "office1.example", "[1, 1, 1", "[2, 2, 2"] {
        assert!(!text.contains(secret), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// The body of the fuzz target, on random input: no panic, one batch at a time, readable rows.
    #[test]
    fn any_sequence_of_operations(data in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        crate::fuzz::operations(&data);
    }
}
#[test]
fn the_fuzzer_gets_past_the_door() {
    use rand_core::{RngCore, SeedableRng};
    let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(1);
    let (mut attached, mut redeemed, mut outbox) = (0, 0, 0);
    for _ in 0..300 {
        let mut data = vec![0; 3_000];
        rng.fill_bytes(&mut data);
        let m = crate::fuzz::operations(&data);
        attached += m.lines_attached;
        redeemed += m.redeemed;
        outbox += m.mail_outbox;
    }
    assert!(attached > 0 && redeemed > 0 && outbox > 0, "{attached} {redeemed} {outbox}");
}
