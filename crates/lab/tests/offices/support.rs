//! What the conversations share: two offices, a handset in each, and a contact between them.

use core::time::Duration;

use call::{CallState, End};
use lab::world::World;
use phone::{Command, Event};

pub(crate) const A: usize = 0;
pub(crate) const B: usize = 1;

pub(crate) const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// Two offices, one person in each, lines up.
pub(crate) fn two(seed: u64) -> World {
    let mut world = World::new(2, seed);
    world.hire("Anna", 0);
    world.hire("Boris", 1);
    let up = world.run_until(secs(10), |w| {
        (0..2).all(|p| w.parties[p].saw(wire::Time(0), |e| *e == Event::LineUp).is_some())
    });
    assert!(up, "lines");
    world
}

/// `a` issues a card; its link.
pub(crate) fn card(world: &mut World, a: usize, in_person: bool) -> String {
    let ttl = secs(7 * 86_400);
    world
        .command(a, Command::IssueCard { hint: "for a counterpart".into(), in_person, ttl })
        .unwrap();
    world.until(a, secs(10), |e| matches!(e, Event::CardIssued { .. }));
    let now = world.now;
    world.parties[a].view(now).cards.pop().unwrap().link.unwrap()
}

/// `b` redeems a card of `a`'s; both have each other, and the keys of their next calls.
pub(crate) fn meet(world: &mut World, a: usize, b: usize, in_person: bool) {
    let text = card(world, a, in_person);
    world.command(b, Command::RedeemCard { text, in_person }).unwrap();
    world.until(b, secs(20), |e| matches!(e, Event::ContactAccepted { .. }));
    let ready = world.run_until(secs(30), |w| {
        let now = w.now;
        [a, b].iter().all(|p| w.parties[*p].view(now).contacts.iter().all(|c| c.ready))
    });
    assert!(ready, "keys of the next calls");
    world.run(secs(3));
}

/// Everybody's line is up.
pub(crate) fn lines_up(world: &mut World) {
    let up = world.run_until(secs(60), |w| {
        let now = w.now;
        w.parties.iter_mut().all(|p| p.phone.is_none() || p.view(now).line == phone::LineState::Up)
    });
    assert!(up, "lines");
}

/// A party's contact.
pub(crate) fn contact(world: &mut World, party: usize, number: u32) -> phone::ContactView {
    let now = world.now;
    let contacts = world.parties[party].view(now).contacts;
    contacts.into_iter().find(|c| c.id == number).unwrap()
}

/// Why a party's latest call that is over ended, and whether it is an unseen missed one.
pub(crate) fn latest(world: &mut World, party: usize) -> Option<(End, bool)> {
    let now = world.now;
    world.parties[party].view(now).history.first().map(|h| (h.end, h.unseen))
}

/// A party's latest call is hung up.
pub(crate) fn hang_up(world: &mut World, party: usize) {
    let id = call(world, party);
    world.command(party, Command::HangUp { call: id }).unwrap();
}

/// A party hangs up, and the other one knows.
pub(crate) fn part(world: &mut World, party: usize, other: usize) {
    hang_up(world, party);
    ended(world, other, End::ByOther);
}

/// A party answers its latest call.
pub(crate) fn answer(world: &mut World, party: usize) {
    let id = call(world, party);
    world.command(party, Command::Answer { call: id }).unwrap();
}

/// Two people who have met in person.
pub(crate) fn met(seed: u64) -> World {
    let mut world = two(seed);
    meet(&mut world, A, B, true);
    world
}

/// The state of a party's latest call.
pub(crate) fn state(world: &mut World, party: usize) -> Option<CallState> {
    let now = world.now;
    let phone = world.parties[party].phone.as_mut()?;
    phone.view(now).calls.last().map(|c| c.state)
}

/// The number of a party's latest call.
pub(crate) fn call(world: &mut World, party: usize) -> u32 {
    let now = world.now;
    world.parties[party].view(now).calls.last().unwrap().id
}

/// `a` calls `b`, whose handset rings.
pub(crate) fn ring(world: &mut World, a: usize, b: usize) {
    world.command(a, Command::Call { contact: 1 }).unwrap();
    world.until(b, secs(10), |e| matches!(e, Event::Incoming { .. }));
}

/// `a` calls `b`, who answers; both hear each other.
pub(crate) fn connect(world: &mut World, a: usize, b: usize) {
    ring(world, a, b);
    let id = call(world, b);
    world.command(b, Command::Answer { call: id }).unwrap();
    both_are(world, CallState::Connected);
}

/// Waits until both are in a state.
pub(crate) fn both_are(world: &mut World, wanted: CallState) {
    let so = world.run_until(secs(70), |w| [A, B].iter().all(|p| state(w, *p) == Some(wanted)));
    assert!(so, "wanted {wanted:?}, got {:?} and {:?}", state(world, A), state(world, B));
}

/// Waits until a party's latest call is over.
pub(crate) fn ended(world: &mut World, party: usize, end: End) {
    let so = world.run_until(secs(130), |w| state(w, party) == Some(CallState::Ended(end)));
    assert!(so, "wanted {end:?}, got {:?}", state(world, party));
}

/// Mean power of what a party heard lately, in dB; it starts to listen now.
pub(crate) fn hears(world: &mut World, party: usize, time: Duration) -> f32 {
    world.parties[party].heard = Some(Vec::new());
    world.run(time);
    let heard = world.parties[party].heard.take().unwrap();
    let power: f32 = heard.iter().map(|x| x * x).sum::<f32>() / heard.len().max(1) as f32;
    10.0 * power.max(1e-12).log10()
}
