//! Who is there, and what they do.

use core::time::Duration;

use call::{CallState, End, Sound};
use lab::world::World;
use phone::{CallView, Command, Event, MemberView, RelayView, RoomStage};
use seal::delegation::Rights;
use wire::Time;

use crate::support::{call, lines_up, meet, secs, state};

/// Boris, of office 1, who calls.
pub(crate) const X: usize = 0;
/// Paula, the principal, of office 0.
pub(crate) const P: usize = 1;
/// Ada, her attendant.
pub(crate) const A: usize = 2;
/// Clara, another one of office 0.
pub(crate) const C: usize = 3;

pub(crate) fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// The people, of whom Paula knows everybody. Nobody's loudspeaker is on: time passes faster.
pub(crate) fn people(seed: u64) -> World {
    people_of(seed, 0)
}

/// The same, with Ada at that office.
pub(crate) fn people_of(seed: u64, ada: usize) -> World {
    let mut world = World::new(2, seed);
    for (name, office) in [("Boris", 1), ("Paula", 0), ("Ada", ada), ("Clara", 0)] {
        world.hire(name, office);
    }
    lines_up(&mut world);
    for other in [X, A, C] {
        meet(&mut world, P, other, true);
    }
    for (party, tone) in [(X, 150.0), (P, 300.0), (A, 220.0), (C, 260.0)] {
        world.parties[party].tone = Some(tone);
        world.parties[party].plays = false;
    }
    world
}

pub(crate) fn number(world: &mut World, party: usize, name: &str) -> u32 {
    let now = world.now;
    let contacts = world.parties[party].view(now).contacts;
    contacts.iter().find(|c| c.name == name).unwrap().id
}

/// Paula lets somebody do that; until the other handset has it.
pub(crate) fn lets(world: &mut World, party: usize, rights: Rights, time: Duration) {
    let contact = number(world, P, ["", "", "Ada", "Clara"][party]);
    world.command(P, Command::Delegate { contact, rights, ttl: time }).unwrap();
    let paula = number(world, party, "Paula");
    let so = world.run_until(secs(5), |w| {
        let now = w.now;
        let contacts = w.parties[party].view(now).contacts;
        contacts.iter().any(|c| c.id == paula && c.may == rights)
    });
    assert!(so, "{party} has what it may show");
}

/// All with Ada having these rights for a day.
pub(crate) fn with(seed: u64, rights: Rights) -> World {
    let mut world = people(seed);
    lets(&mut world, A, rights, secs(86_400));
    world
}

/// Paula takes back what she gave last.
pub(crate) fn takes_back(world: &mut World) {
    let now = world.now;
    let number = world.parties[P].view(now).delegations.last().unwrap().number;
    world.command(P, Command::RevokeDelegation { number }).unwrap();
}

/// Boris calls Paula: until her handset knows.
pub(crate) fn rings(world: &mut World) {
    let contact = number(world, X, "Paula");
    world.command(X, Command::Call { contact }).unwrap();
    world.until(P, secs(10), |e| matches!(e, Event::Incoming { .. }));
}

/// The same, until it rings at Ada's, too.
pub(crate) fn rings_there(world: &mut World) {
    rings(world);
    let so = world.run_until(secs(5), |w| is(w, A, CallState::RingingHere));
    assert!(so, "it rings at the attendant's: {:?}", state(world, A));
}

/// A party's latest call that is not over, or its latest.
pub(crate) fn latest(world: &mut World, party: usize) -> Option<CallView> {
    let now = world.now;
    let mut calls = world.parties[party].phone.as_mut()?.view(now).calls;
    let live = calls.iter().rposition(|c| !matches!(c.state, CallState::Ended(_)));
    let at = live.or(calls.len().checked_sub(1))?;
    Some(calls.swap_remove(at))
}

pub(crate) fn is(world: &mut World, party: usize, wanted: CallState) -> bool {
    state(world, party) == Some(wanted)
}

pub(crate) fn over(world: &mut World, party: usize) -> bool {
    matches!(state(world, party), None | Some(CallState::Ended(_)))
}

pub(crate) fn relay(world: &mut World, party: usize) -> Option<RelayView> {
    latest(world, party)?.relay
}

pub(crate) fn sound(world: &mut World, party: usize) -> Option<Sound> {
    latest(world, party)?.sound
}

/// Who is on a party's screen: name, on whose behalf.
pub(crate) fn members(world: &mut World, party: usize) -> Vec<(String, Option<String>)> {
    let members: Vec<MemberView> =
        latest(world, party).and_then(|c| c.room).map(|r| r.members).unwrap_or_default();
    let mut list: Vec<_> = members.into_iter().map(|m| (m.name, m.behalf)).collect();
    list.sort();
    list
}

/// Whether a party speaks in a call of more than two with exactly these people.
pub(crate) fn speaks_with(world: &mut World, party: usize, names: &[&str]) -> bool {
    let Some(call) = latest(world, party) else { return false };
    let Some(room) = call.room else { return false };
    let mut there: Vec<_> = room.members.iter().map(|m| m.name.as_str()).collect();
    there.sort_unstable();
    there == names && room.stage == RoomStage::Connected && call.state == CallState::Connected
}

/// Boris and Ada speak, and nobody else is there.
pub(crate) fn ada_has_it(world: &mut World) -> bool {
    [X, A].iter().all(|p| speaks_with(world, *p, &["Ada", "Boris"]))
}

pub(crate) fn answers(world: &mut World, party: usize) {
    let call = call(world, party);
    world.command(party, Command::Answer { call }).unwrap();
}

/// How often a party's handset said that a call comes in, since then.
pub(crate) fn rang(world: &World, party: usize, since: Time) -> usize {
    let events = &world.parties[party].events;
    let rang = |(at, e): &&(Time, Event)| *at >= since && matches!(e, Event::Incoming { .. });
    events.iter().filter(rang).count()
}

/// Why the latest entry of a party's history ended, and whether it is an unseen missed call.
pub(crate) fn history(world: &mut World, party: usize) -> Option<(End, bool)> {
    crate::support::latest(world, party)
}

/// Lets time pass until something is so; Paula's microphone is never open meanwhile, and she hears nothing.
pub(crate) fn unheard_until(
    world: &mut World,
    most: Duration,
    mut so: impl FnMut(&mut World) -> bool,
) -> bool {
    world.run_until(most, |w| {
        if let Some(phone) = w.parties[P].phone.as_mut() {
            assert_eq!(phone.microphone(), None, "Paula's microphone is open");
        }
        if let Some(call) = latest(w, P) {
            assert_ne!(call.state, CallState::Connected, "Paula speaks");
        }
        so(w)
    })
}
