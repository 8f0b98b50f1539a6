//! A call that an attendant answers, on the record of their office.

use record::Calls;
use record::entry::{Body, Call, Role as As};
use record::order::Order;
use record::sealing::{OpenKey, open};
use seal::delegation::Rights;
use seal::office::OfficerKey;
use wire::Wall;

use crate::people::*;
use crate::support::{hang_up, secs};

fn key() -> OpenKey {
    OpenKey::from_seed(&[7; 32]).unwrap()
}

/// The calls in the record of office 0, by whose handset says so.
fn calls(world: &lab::world::World) -> Vec<(String, Call)> {
    let rows = world.offices[0].rows.iter().filter(|((s, _), _)| *s == exchange::RECORD_ENTRIES);
    let opened = rows.map(|(_, v)| open(&v[32..], &world.offices[0].key, &[key()]).unwrap().entry);
    let call = opened.filter_map(|entry| match entry.body {
        Body::Call(call) => Some((entry.principal.as_str().to_owned(), call)),
        Body::Note(_) => None,
    });
    call.collect()
}

#[test]
fn both_entries_say_who_let_whom_into_the_call_and_that_she_did_not_speak() {
    let mut world = people(90);
    let officer = OfficerKey::from_bytes(&[7; 32]);
    let order = Order::first(&officer, Calls::Answered, key().public().clone(), Wall(1));
    world.order(0, order, false);
    world.run(secs(2));
    for party in [P, A] {
        let now = world.now;
        let asked = world.parties[party].view(now).record.asked;
        if let Some(fingerprint) = asked {
            world.command(party, phone::Command::AcceptOfficer { fingerprint }).unwrap();
        }
    }
    world.run(secs(2));
    lets(&mut world, A, Rights::RECEIVE, secs(86_400));
    rings_there(&mut world);
    answers(&mut world, A);
    assert!(unheard_until(&mut world, secs(8), ada_has_it));
    world.run(secs(10));
    hang_up(&mut world, X);
    let so = world.run_until(secs(90), |w| calls(w).len() == 2);
    let calls = calls(&world);
    assert!(so, "{:?}", calls.iter().map(|c| &c.0).collect::<Vec<_>>());
    for (who, call) in &calls {
        let by = call.arranged_by.as_ref().map(|by| by.name.as_str());
        assert_eq!(by, Some("Paula"), "{who}: whose handset let her in");
        assert_eq!(call.policy.as_str(), "direct", "{who}: by no rule of staff");
        let mut members: Vec<_> =
            call.members.as_slice().iter().map(|m| (m.who.name.as_str(), m.role)).collect();
        members.sort();
        let all = [("Ada", As::DutyOfficer), ("Boris", As::Principal), ("Paula", As::Attendant)];
        assert_eq!(members, all, "as {who} has it");
    }
    let talked = |name: &str| calls.iter().find(|(who, _)| who == name).unwrap().1.talked;
    assert_eq!(talked("Paula"), 0);
    assert!((9..=13).contains(&talked("Ada")), "{}", talked("Ada"));
}
