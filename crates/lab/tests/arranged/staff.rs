//! What the arranged calls share: who works where, and what they do.

use core::time::Duration;

use call::CallState;
use lab::world::World;
use phone::{Command, Event, RoomStage, RoomView};
use wire::Time;
use wire::talk::Role;

use crate::support::{answer, call, lines_up, meet, secs};

/// Attendant and principal of office 0.
pub(crate) const A1: usize = 0;
pub(crate) const P1: usize = 1;
/// Attendant and principal of office 1.
pub(crate) const A2: usize = 2;
pub(crate) const P2: usize = 3;
/// Interpreter and note-taker of office 0.
pub(crate) const I: usize = 4;
pub(crate) const N: usize = 5;

pub(crate) fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// Two offices, an attendant and a principal in each. Principals know their own attendant, and the attendants
/// each other.
pub(crate) fn staffed(seed: u64) -> World {
    let mut world = World::new(2, seed);
    for (name, office) in [("Ada", 0), ("Paula", 0), ("Boris", 1), ("Pavel", 1)] {
        world.hire(name, office);
    }
    lines_up(&mut world);
    meet(&mut world, A1, A2, true);
    meet(&mut world, P1, A1, true);
    meet(&mut world, P2, A2, true);
    for (party, tone) in [(A1, 220.0), (P1, 300.0), (A2, 150.0), (P2, 180.0)] {
        world.parties[party].tone = Some(tone);
    }
    world
}

/// The same with an interpreter and a note-taker at office 0.
pub(crate) fn full_staff(seed: u64) -> World {
    let mut world = staffed(seed);
    for (name, tone) in [("Ines", 260.0), ("Nora", 400.0)] {
        let party = world.hire(name, 0);
        world.parties[party].tone = Some(tone);
    }
    lines_up(&mut world);
    meet(&mut world, I, A1, true);
    meet(&mut world, N, A1, true);
    world
}

/// Nobody listens: time passes faster.
pub(crate) fn unheard(world: &mut World) {
    for party in &mut world.parties {
        party.plays = false;
    }
}

/// A party's number of a contact.
pub(crate) fn number(world: &mut World, party: usize, name: &str) -> u32 {
    let now = world.now;
    let contacts = world.parties[party].view(now).contacts;
    contacts.iter().find(|c| c.name == name).unwrap().id
}

/// The attendants speak.
pub(crate) fn attendants_speak(world: &mut World) {
    let contact = number(world, A1, "Boris");
    world.command(A1, Command::Call { contact }).unwrap();
    world.until(A2, secs(10), |e| matches!(e, Event::Incoming { .. }));
    answer(world, A2);
    let so = world.run_until(secs(10), |w| {
        [A1, A2].iter().all(|p| crate::support::state(w, *p) == Some(CallState::Connected))
    });
    assert!(so, "the attendants are connected");
}

/// `by` rings somebody to bring it in.
pub(crate) fn ring_in(world: &mut World, by: usize, who: &str, role: Role, expected: &str) {
    let (id, contact) = (call(world, by), number(world, by, who));
    let expected = expected.to_owned();
    world
        .command(
            by,
            Command::Bring {
                call: id,
                contact,
                role,
                expected,
                precedence: wire::Precedence::Routine,
            },
        )
        .unwrap();
}

/// `by` brings `party` in, who lets it ring for `rings`; how long it took from the answer until all have it.
pub(crate) fn bring(
    world: &mut World,
    by: usize,
    party: usize,
    who: &str,
    role: Role,
    rings: Duration,
) -> Duration {
    ring_in(world, by, who, role, "the other one");
    world.until(party, secs(10), |e| matches!(e, Event::Incoming { .. }));
    world.run(rings);
    let answered = world.now;
    answer(world, party);
    let so = world.run_until(secs(20), |w| is_in(w, by, who) && room(w, party).is_some());
    assert!(so, "{who} is in");
    let others: Vec<usize> =
        (0..world.parties.len()).filter(|p| room(world, *p).is_some()).collect();
    let so = world.run_until(secs(20), |w| others.iter().all(|p| is_in(w, *p, who)));
    assert!(so, "all see {who}");
    world.now.since(answered)
}

/// A party's room, if its latest call is one.
pub(crate) fn room(world: &mut World, party: usize) -> Option<RoomView> {
    let now = world.now;
    world.parties[party].phone.as_mut()?.view(now).calls.pop()?.room
}

pub(crate) fn stage(world: &mut World, party: usize) -> Option<RoomStage> {
    room(world, party).map(|room| room.stage)
}

/// Whether a party has somebody on its screen.
pub(crate) fn is_in(world: &mut World, party: usize, who: &str) -> bool {
    room(world, party).is_some_and(|room| room.members.iter().any(|m| m.name == who))
}

/// Who is on a party's screen.
pub(crate) fn members(world: &mut World, party: usize) -> Vec<(String, Role)> {
    let members = room(world, party).map(|room| room.members).unwrap_or_default();
    let mut list: Vec<_> = members.into_iter().map(|m| (m.name, m.role)).collect();
    list.sort_by(|a, b| a.0.cmp(&b.0));
    list
}

/// Attendants speak, both principals are in and held.
pub(crate) fn both_held(seed: u64) -> World {
    let mut world = staffed(seed);
    attendants_speak(&mut world);
    bring(&mut world, A1, P1, "Paula", Role::Principal, secs(4));
    bring(&mut world, A2, P2, "Pavel", Role::Principal, secs(4));
    world.run(secs(3));
    world
}

/// A party says that the attendants leave.
pub(crate) fn connect(world: &mut World, party: usize) {
    let id = call(world, party);
    world.command(party, Command::Connect { call: id }).unwrap();
}

/// Until these are connected; when that was.
pub(crate) fn connected(world: &mut World, parties: &[usize], most: Duration) -> Time {
    let so = world
        .run_until(most, |w| parties.iter().all(|p| stage(w, *p) == Some(RoomStage::Connected)));
    let stages: Vec<_> = parties.iter().map(|p| stage(world, *p)).collect();
    assert!(so, "connected: {stages:?}");
    world.now
}
