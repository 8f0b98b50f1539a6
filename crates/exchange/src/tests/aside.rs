//! What is said aside: to whoever is here, by whom the address is for, and nothing else happens.

use wire::Envelope;
use wire::line::{LineDown, LineUp};

use super::world::{World, address, blob, envelope, key};
use crate::limits;

/// Anna and Boris of one office, with an address for each other, and Boris's second handset.
fn office() -> (World, [usize; 3]) {
    let mut w = World::new(2);
    let a = w.enrolled(0, "anna", 11);
    let b = w.enrolled(0, "boris", 12);
    let b2 = w.enrolled(0, "boris", 13);
    w.bind(a, 1, &key(2));
    w.bind(b, 2, &key(1));
    for phone in [a, b, b2] {
        w.phones[phone].inbox.clear();
    }
    (w, [a, b, b2])
}

fn says(w: &mut World, phone: usize, envelope: Envelope) {
    w.send(phone, &LineUp::Aside { envelope });
    w.run(200);
}

#[test]
fn it_reaches_the_handsets_that_are_up_and_is_kept_nowhere() {
    let (mut w, [a, b, b2]) = office();
    let heard = |body: &[u8]| LineDown::Aside { address: address(2), body: blob(body) };
    let batches = w.offices[0].batches;
    let rows = w.offices[0].rows.clone();
    says(&mut w, a, envelope(2, &key(1), 0, b"one"));
    for phone in [b, b2] {
        assert_eq!(Vec::from(w.phones[phone].inbox.clone()), [heard(b"one")]);
        w.phones[phone].inbox.clear();
    }
    w.disconnect(b2);
    says(&mut w, a, envelope(2, &key(1), 0, b"two"));
    w.connect(b2);
    w.run(2_000);
    w.phones[b2].inbox.retain(|m| matches!(m, LineDown::Aside { .. } | LineDown::Deliver { .. }));
    assert_eq!(Vec::from(w.phones[b].inbox.clone()), [heard(b"two")]);
    assert!(w.phones[b2].inbox.is_empty(), "it was away");
    assert!(w.phones[a].inbox.is_empty(), "nothing is answered");
    assert_eq!(w.offices[0].batches, batches, "nothing is written");
    assert!(w.offices[0].rows == rows && w.exchange(0).metrics().mail_waiting == 0);
}

#[test]
fn whoever_it_is_not_from_says_nothing_and_learns_nothing() {
    let (mut w, [a, b, b2]) = office();
    let c = w.enrolled(1, "carla", 14);
    w.bind(c, 3, &key(1));
    w.phones[c].inbox.clear();
    let batches = [w.offices[0].batches, w.offices[1].batches];
    let mut altered = envelope(2, &key(1), 0, b"said");
    altered.body = blob(b"else");
    for bad in [
        envelope(2, &key(9), 0, b"by another key"),
        altered,
        // Counted, as mail and rings are.
        envelope(2, &key(1), 7, b"counted"),
        envelope(77, &key(1), 0, b"to nobody"),
        envelope(3, &key(1), 0, b"to another office"),
        envelope(0, &key(1), 0, b"to the line test"),
    ] {
        says(&mut w, a, bad);
    }
    for phone in [a, b, b2, c] {
        assert!(w.phones[phone].inbox.is_empty() && w.phones[phone].closed.is_none(), "{phone}");
    }
    assert_eq!([w.offices[0].batches, w.offices[1].batches], batches);
    assert_eq!(w.exchange(0).metrics().envelopes_dropped, 6);
    // What is said aside is no mail.
    let own = w.reference(0);
    w.post(a, 9, &own, envelope(2, &key(1), 0, b"said aside"));
    w.run(500);
    assert!(w.phones[b].mail.is_empty() && !w.got(b, |m| matches!(m, LineDown::Deliver { .. })));
}

#[test]
fn too_much_of_it_is_dropped() {
    let (mut w, [a, b, _]) = office();
    let most = limits::ASIDES_PER_LINE.burst as usize;
    let mut sent = 0;
    while sent < most + 200 {
        for _ in 0..20 {
            let aside = LineUp::Aside { envelope: envelope(2, &key(1), 0, b"") };
            w.send(a, &aside);
            sent += 1;
        }
        w.run(300);
    }
    w.run(5_000);
    let heard = w.phones[b].inbox.iter().filter(|m| matches!(m, LineDown::Aside { .. })).count();
    let time = (sent as u64 / 20 * 300 + 5_000) / 100;
    assert!(heard >= most.min(sent) / 2 && heard < sent, "{heard} of {sent}");
    assert!(heard as u64 <= most as u64 + time);
    assert!(w.phones[a].closed.is_none() && w.phones[b].closed.is_none());
}
