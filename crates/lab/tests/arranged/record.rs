//! An arranged call on the record: as each office has it.

use phone::{BehalfView, Command, Event, Unproved};
use record::Calls;
use record::entry::{Body, Call, Role as As, Stage};
use record::order::Order;
use record::sealing::{OpenKey, open};
use seal::delegation::Rights;
use seal::office::OfficerKey;
use wire::Wall;
use wire::talk::Role;

use crate::staff::*;
use crate::support::{answer, lines_up, meet, secs};

fn key() -> OpenKey {
    OpenKey::from_seed(&[7; 32]).unwrap()
}

/// As [`staffed`]; office 0 keeps a record.
fn kept(seed: u64) -> lab::world::World {
    let mut world = lab::world::World::new(2, seed);
    let officer = OfficerKey::from_bytes(&[7; 32]);
    let order = Order::first(&officer, Calls::Answered, key().public().clone(), Wall(1));
    world.order(0, order, false);
    world.run(secs(1));
    for (name, office) in [("Ada", 0), ("Paula", 0), ("Boris", 1), ("Pavel", 1), ("Ines", 0)] {
        world.hire(name, office);
    }
    lines_up(&mut world);
    meet(&mut world, A1, A2, true);
    meet(&mut world, P1, A1, true);
    meet(&mut world, P2, A2, true);
    meet(&mut world, I, A1, true);
    unheard(&mut world);
    world
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

fn stages(call: &Call) -> Vec<Stage> {
    let own = call.steps.as_slice().iter().filter(|s| s.member.is_none());
    own.map(|s| s.stage).collect()
}

#[test]
fn an_arranged_call_is_on_the_record_with_its_members_their_times_and_who_arranged_it() {
    let mut world = kept(90);
    attendants_speak(&mut world);
    bring(&mut world, A1, P1, "Paula", Role::Principal, secs(1));
    bring(&mut world, A1, I, "Ines", Role::Interpreter, secs(1));
    bring(&mut world, A2, P2, "Pavel", Role::Principal, secs(1));
    world.run(secs(4));
    for party in [A1, P1, A2, P2, I] {
        let room = room(&mut world, party).unwrap();
        let on_record =
            |name: &str| room.members.iter().find(|m| m.name == name).unwrap().on_record;
        for (who, kept) in [("Ada", true), ("Paula", true), ("Ines", true), ("Boris", false)] {
            let own = room.members.iter().any(|m| m.own && m.name == who);
            assert!(own || on_record(who) == kept, "{who} on the screen of {party}");
        }
    }
    connect(&mut world, A1);
    connected(&mut world, &[P1, P2, I], secs(3));
    let so = world.run_until(secs(60), |w| calls(w).iter().any(|(who, _)| who == "Ada"));
    assert!(so, "the attendant's part is over, and on the record");
    world.run(secs(10));
    let id = crate::support::call(&mut world, P2);
    world.command(P2, Command::HangUp { call: id }).unwrap();
    world.run(secs(2));
    let id = crate::support::call(&mut world, P1);
    world.command(P1, Command::HangUp { call: id }).unwrap();
    let so = world.run_until(secs(90), |w| calls(w).len() == 3);
    let calls = calls(&world);
    assert!(so, "{:?}", calls.iter().map(|c| &c.0).collect::<Vec<_>>());

    for (who, call) in &calls {
        let by = call.arranged_by.as_ref().unwrap();
        assert_eq!((by.name.as_str(), by.office.as_str()), ("Ada", "Office 0"), "{who}");
        assert_eq!(call.policy.as_str(), "through staff");
        let mut members: Vec<_> = call
            .members
            .as_slice()
            .iter()
            .map(|m| (m.who.name.as_str(), m.role, m.own, m.from.0 > 0 && m.to >= m.from))
            .collect();
        members.sort();
        let all = [
            ("Ada", As::Attendant, true, true),
            ("Boris", As::Attendant, false, true),
            ("Ines", As::Interpreter, true, true),
            ("Paula", As::Principal, true, true),
            ("Pavel", As::Principal, false, true),
        ];
        assert_eq!(members, all, "as {who} has it");
    }
    let of = |name: &str| &calls.iter().find(|(who, _)| who == name).unwrap().1;
    let course = [Stage::Connected, Stage::Arranged, Stage::Connecting, Stage::Ended];
    assert!(stages(of("Ada")).ends_with(&course), "{:?}", stages(of("Ada")));
    let paula = of("Paula");
    let course = [
        Stage::RingingHere,
        Stage::Connecting,
        Stage::Waiting,
        Stage::Connecting,
        Stage::HandedOver,
    ];
    assert_eq!(stages(paula)[..5], course);
    let left = paula.steps.as_slice().iter().filter(|s| s.stage == Stage::Left);
    assert!(left.count() >= 2, "that the attendants left is told");
    assert!((9..=14).contains(&paula.talked), "not the time that she was held: {}", paula.talked);
}

/// In whose name a party's latest call is.
fn behalf(world: &mut lab::world::World, party: usize) -> Option<BehalfView> {
    let now = world.now;
    world.parties[party].view(now).calls.last().and_then(|c| c.behalf.clone())
}

/// Ada arranges a call in Paula's name. Ines knows Paula, Nora does not.
#[test]
fn on_whose_behalf_a_call_is_stands_on_the_record_and_is_read_by_who_is_brought_in() {
    let mut world = kept(93);
    let n = world.hire("Nora", 0);
    lines_up(&mut world);
    meet(&mut world, n, A1, true);
    meet(&mut world, I, P1, true);
    let contact = number(&mut world, P1, "Ada");
    let delegate = Command::Delegate { contact, rights: Rights::PLACE, ttl: secs(86_400) };
    world.command(P1, delegate).unwrap();
    world.until(A1, secs(5), |e| matches!(e, Event::Delegated { .. }));
    let (contact, principal) = (number(&mut world, A1, "Boris"), number(&mut world, A1, "Paula"));
    world.command(A1, Command::CallFor { contact, principal }).unwrap();
    world.until(A2, secs(10), |e| matches!(e, Event::Incoming { .. }));
    answer(&mut world, A2);
    world.run(secs(3));
    bring(&mut world, A1, I, "Ines", Role::Interpreter, secs(1));
    bring(&mut world, A1, n, "Nora", Role::NoteTaker, secs(1));
    bring(&mut world, A1, P1, "Paula", Role::Principal, secs(1));
    let paula = number(&mut world, I, "Paula");
    let verified = BehalfView::Verified { contact: paula, name: "Paula".into() };
    assert_eq!(behalf(&mut world, I), Some(verified));
    let claimed = BehalfView::Claimed { name: "Paula".into(), why: Unproved::Stranger };
    assert_eq!(behalf(&mut world, n), Some(claimed));
    assert_eq!(behalf(&mut world, P1), None, "nobody tells her that it is for her");
    world.run(secs(2));
    let parties = [A1, I, n, P1];
    for party in parties {
        let id = crate::support::call(&mut world, party);
        world.command(party, Command::HangUp { call: id }).unwrap();
        world.run(secs(1));
    }
    let so = world.run_until(secs(90), |w| calls(w).len() == parties.len());
    assert!(so, "{:?}", calls(&world).iter().map(|c| &c.0).collect::<Vec<_>>());
    let noted = |who: &str| {
        let calls = calls(&world);
        let (_, call) = calls.iter().find(|(by, _)| by == who).unwrap();
        call.behalf.0.clone().map(|b| (b.name.as_str().to_owned(), b.verified))
    };
    assert_eq!(noted("Ada"), Some(("Paula".to_owned(), true)));
    assert_eq!(noted("Ines"), Some(("Paula".to_owned(), true)));
    assert_eq!(noted("Nora"), Some(("Paula".to_owned(), false)));
    assert_eq!(noted("Paula"), None);
}

/// Ada's handset is killed in a call in Paula's name: the entry that is made of what it had noted says so.
#[test]
fn a_call_that_broke_off_is_on_the_record_with_its_behalf() {
    let mut world = kept(94);
    let contact = number(&mut world, P1, "Ada");
    let delegate = Command::Delegate { contact, rights: Rights::PLACE, ttl: secs(86_400) };
    world.command(P1, delegate).unwrap();
    world.until(A1, secs(5), |e| matches!(e, Event::Delegated { .. }));
    let (contact, principal) = (number(&mut world, A1, "Boris"), number(&mut world, A1, "Paula"));
    world.command(A1, Command::CallFor { contact, principal }).unwrap();
    world.until(A2, secs(10), |e| matches!(e, Event::Incoming { .. }));
    answer(&mut world, A2);
    world.run(secs(3));
    world.kill_party(A1);
    world.run(secs(1));
    world.start_party(A1);
    let so = world.run_until(secs(60), |w| calls(w).len() == 1);
    assert!(so);
    let (_, call) = calls(&world).remove(0);
    let behalf = call.behalf.0.unwrap();
    assert_eq!((behalf.name.as_str(), behalf.verified, call.end), ("Paula", true, None));
}
