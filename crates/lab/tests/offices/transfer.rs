//! A call goes on at another handset of the same person, and comes back. Anna has two handsets; Boris is the other side.
//!
//! At every step of time the microphones of her handsets are looked at: at most one is open.

use core::time::Duration;
use std::cell::RefCell;
use std::rc::Rc;

use call::contact::Keys;
use call::{CallState, Direction, End};
use lab::middle::{To, What, honest};
use lab::net::{Burst, Conditions};
use lab::party::Death;
use lab::world::World;
use phone::{CallView, Command, Event, InputError};
use wire::line::LineUp;

use crate::record::{all_proved, calls as calls_of, kept, read_with_one_key};
use crate::support::*;

/// Anna's other handset.
pub(crate) const A2: usize = 2;

/// Anna's handsets are linked, and Boris is her contact on both. Nobody's loudspeaker is on: time passes faster.
fn linked(seed: u64) -> World {
    let mut world = two(seed);
    meet(&mut world, A, B, true);
    link_second(&mut world);
    world
}

/// Anna of `A` gets a further handset, [`A2`], which has her contacts then.
pub(crate) fn link_second(world: &mut World) {
    assert_eq!(further(world, A, "Anna", 0), A2);
}

/// A person gets a further handset, which has the contacts of the first one then.
fn further(world: &mut World, first: usize, name: &str, office: usize) -> usize {
    let second = world.hire(name, office);
    lines_up(world);
    world.command(first, Command::AdmitDevice { ttl: secs(600) }).unwrap();
    world.until(first, secs(10), |e| matches!(e, Event::CardIssued { .. }));
    let now = world.now;
    let text = world.parties[first].view(now).cards.pop().unwrap().link.unwrap();
    world.command(second, Command::RedeemCard { text, in_person: true }).unwrap();
    world.until(first, secs(10), |e| matches!(e, Event::CardUsed { .. }));
    world.run(secs(5));
    let now = world.now;
    let view = world.parties[first].view(now);
    assert!(view.handsets.is_empty(), "whose words were not compared is none");
    let sibling = view.contacts.iter().find(|c| c.own_device).unwrap();
    assert_eq!(sibling.keys, Keys::Unverified);
    world.command(first, Command::Verify { contact: sibling.id, matches: true }).unwrap();
    let contacts = view.contacts.len() - 1;
    let shared = world.run_until(secs(60), |w| {
        let now = w.now;
        let there = w.parties[second].view(now).contacts;
        there.iter().filter(|c| !c.own_device && c.ready).count() == contacts
    });
    assert!(shared, "contacts are on the second handset, with stock");
    world.run(secs(5));
    for party in &mut world.parties {
        party.plays = false;
    }
    second
}

fn with(world: &mut World, party: usize, name: &str) -> u32 {
    crate::devices::named(world, party, name)
}

/// A party's handset to which a call can go.
pub(crate) fn handset(world: &mut World, party: usize) -> u32 {
    let now = world.now;
    world.parties[party].view(now).handsets[0]
}

/// At most one of Anna's microphones is open.
fn one_microphone(world: &mut World) {
    let open = |w: &mut World, p: usize| {
        w.parties[p].phone.as_mut().is_some_and(|phone| phone.microphone().is_some())
    };
    assert!(!(open(world, A) && open(world, A2)), "both microphones are open");
}

/// Lets time pass until something is so, with an eye on the microphones.
fn watch(world: &mut World, most: Duration, mut so: impl FnMut(&mut World) -> bool) -> bool {
    world.run_until(most, |w| {
        one_microphone(w);
        so(w)
    })
}

fn is(world: &mut World, party: usize, wanted: CallState) {
    let so = watch(world, secs(20), |w| state(w, party) == Some(wanted));
    assert!(so, "party {party}: wanted {wanted:?}, got {:?}", state(world, party));
}

/// Anna and Boris speak on her first handset; who called.
fn speaks(world: &mut World, caller: usize) {
    let (called, name) = if caller == A { (B, "Boris") } else { (A, "Anna") };
    let contact = with(world, caller, name);
    world.command(caller, Command::Call { contact }).unwrap();
    is(world, called, CallState::RingingHere);
    answer(world, called);
    is(world, A, CallState::Connected);
    is(world, B, CallState::Connected);
    world.run(secs(1));
}

/// A handset offers its call to the other one.
fn offers(world: &mut World, from: usize, to: usize) -> u32 {
    let (call, handset) = (call(world, from), handset(world, from));
    world.command(from, Command::Move { call, to: handset }).unwrap();
    let came = watch(world, secs(5), |w| !offered(w, to).is_empty());
    assert!(came, "it is offered there");
    offered(world, to)[0].id
}

fn offered(world: &mut World, party: usize) -> Vec<phone::OfferView> {
    let now = world.now;
    world.parties[party].view(now).offers
}

fn elsewhere(world: &mut World, party: usize) -> Vec<phone::ElsewhereView> {
    let now = world.now;
    world.parties[party].view(now).elsewhere
}

fn view(world: &mut World, party: usize) -> CallView {
    let now = world.now;
    world.parties[party].view(now).calls.pop().unwrap()
}

/// It goes to the other handset, whose person takes it.
fn moves(world: &mut World, from: usize, to: usize) {
    let offer = offers(world, from, to);
    world.command(to, Command::Continue { offer }).unwrap();
    is_at(world, to, from);
}

/// The call is at one handset, and was over at the other.
fn is_at(world: &mut World, here: usize, there: usize) {
    is(world, here, CallState::Connected);
    is(world, there, CallState::Ended(End::Moved));
    is(world, B, CallState::Connected);
}

/// A handset takes back what is on the other one.
fn takes_back(world: &mut World, party: usize) -> Result<(), InputError> {
    let number = elsewhere(world, party)[0].id;
    world.command(party, Command::TakeBack { number })
}

/// Whether a party is heard by another one now, and by nobody else's keys.
fn heard(world: &mut World, speaker: usize, listener: usize) -> bool {
    world.parties[speaker].tone = Some(220.0);
    world.parties[listener].plays = true;
    world.run(secs(1));
    let loud = hears(world, listener, Duration::from_millis(500));
    world.parties[speaker].tone = None;
    world.parties[listener].plays = false;
    assert!(!(-100.0..=-40.0).contains(&loud), "all or nothing: {loud} dB");
    loud > -40.0
}

fn history(world: &mut World, party: usize) -> Vec<(Direction, End, bool)> {
    let now = world.now;
    let entries = world.parties[party].view(now).history;
    entries.iter().map(|h| (h.direction, h.end, h.unseen)).collect()
}

/// Nothing is left of the call on anybody's line: a new one finds everybody free.
fn nothing_is_left(world: &mut World) {
    world.run(secs(11));
    let now = world.now;
    for party in [A, A2, B] {
        let view = world.parties[party].view(now);
        assert!(view.calls.is_empty() && view.offers.is_empty(), "party {party}");
        assert!(view.elsewhere.is_empty(), "party {party}");
    }
}

#[test]
fn a_call_goes_to_the_other_handset_and_comes_back_and_goes_again() {
    for (seed, caller) in [(1100, B), (1101, A)] {
        let mut world = linked(seed);
        speaks(&mut world, caller);
        let began = view(&mut world, B).id;
        let offer = offers(&mut world, A, A2);
        assert!(heard(&mut world, A, B) && !heard(&mut world, A2, B), "until it is taken");
        world.command(A2, Command::Continue { offer }).unwrap();
        is_at(&mut world, A2, A);
        let there = view(&mut world, B);
        assert_eq!((there.id, there.moved), (began, true), "one call, and its screen says so");
        assert!(heard(&mut world, A2, B) && heard(&mut world, B, A2));
        assert!(!heard(&mut world, A, B) && !heard(&mut world, B, A));
        let direction = if caller == A { Direction::Placed } else { Direction::Received };
        assert_eq!(history(&mut world, A), [(direction, End::Moved, false)], "not missed");

        takes_back(&mut world, A).unwrap();
        is_at(&mut world, A, A2);
        assert!(heard(&mut world, A, B) && heard(&mut world, B, A) && !heard(&mut world, A2, B));
        moves(&mut world, A, A2);
        assert!(heard(&mut world, B, A2));
        hang_up(&mut world, B);
        is(&mut world, A2, CallState::Ended(End::ByOther));
        world.run(secs(2));
        assert_eq!(history(&mut world, A), [(direction, End::Moved, false)]);
        assert_eq!(history(&mut world, A2), [(direction, End::ByOther, false)]);
        assert_eq!(history(&mut world, B).len(), 1);
        nothing_is_left(&mut world);
        speaks(&mut world, caller);
    }
}

/// From the closing of one microphone to the opening of the other.
#[test]
fn between_the_two_microphones_passes_less_than_half_a_second() {
    let mut world = linked(1102);
    speaks(&mut world, B);
    let offer = offers(&mut world, A, A2);
    world.command(A2, Command::Continue { offer }).unwrap();
    let open =
        |w: &mut World, p: usize| w.parties[p].phone.as_mut().unwrap().microphone().is_some();
    assert!(watch(&mut world, secs(10), |w| !open(w, A)), "closed");
    let closed = world.now;
    assert!(!view(&mut world, B).moved, "closed before anything is decided");
    assert!(watch(&mut world, secs(10), |w| open(w, A2)), "opened");
    let silent = world.now.since(closed);
    assert!(silent < Duration::from_millis(500), "{silent:?}");
}

#[test]
fn a_handset_that_does_not_answer_declines_or_is_out_of_reach_changes_nothing() {
    let mut world = linked(1103);
    speaks(&mut world, B);
    // Out of reach; what is offered then is over when it is back.
    world.reach(A2, false);
    world.run(secs(1));
    let (id, to) = (call(&mut world, A), handset(&mut world, A));
    world.command(A, Command::Move { call: id, to }).unwrap();
    let again = world.command(A, Command::Move { call: id, to });
    assert!(matches!(again, Err(InputError::WrongState(_))), "one offer at a time");
    world.until(A, secs(65), |e| matches!(e, Event::MoveFailed { .. }));
    world.reach(A2, true);
    lines_up(&mut world);
    world.run(secs(5));
    assert!(offered(&mut world, A2).is_empty() && view(&mut world, A).moving.is_none());
    let offer = offers(&mut world, A, A2);
    world.command(A2, Command::LeaveThere { offer }).unwrap();
    world.until(A, secs(5), |e| matches!(e, Event::MoveFailed { .. }));
    offers(&mut world, A, A2);
    world.command(A, Command::StayHere { call: id }).unwrap();
    assert!(watch(&mut world, secs(5), |w| offered(w, A2).is_empty()), "withdrawn");
    assert_eq!(state(&mut world, A), Some(CallState::Connected));
    assert!(heard(&mut world, A, B) && heard(&mut world, B, A));
    moves(&mut world, A, A2);
}

/// The one that takes it is killed at each row that it writes, and after each step of the exchange of words. The call is at one of
/// both then, or Boris waits for it and Anna takes it back.
#[test]
fn the_handset_that_takes_it_is_killed_at_each_step() {
    let mut world = linked(1104);
    for step in 1..6 {
        speaks(&mut world, B);
        let offer = offers(&mut world, A, A2);
        let batch = world.parties[A2].batches + step;
        world.parties[A2].death = Some(Death { batch, written: true });
        let _ = world.command(A2, Command::Continue { offer });
        watch(&mut world, secs(3), |w| w.parties[A2].phone.is_none());
        world.parties[A2].death = None;
        if world.parties[A2].phone.is_some() {
            world.kill_party(A2);
        }
        watch(&mut world, secs(5), |_| false);
        let known = watch(&mut world, secs(20), |w| {
            state(w, A) == Some(CallState::Connected) || !elsewhere(w, A).is_empty()
        });
        assert!(known, "step {step}: {:?}", state(&mut world, A));
        if !elsewhere(&mut world, A).is_empty() {
            takes_back(&mut world, A).unwrap();
        }
        is(&mut world, A, CallState::Connected);
        is(&mut world, B, CallState::Connected);
        assert!(heard(&mut world, A, B) && heard(&mut world, B, A), "step {step}");
        world.start_party(A2);
        lines_up(&mut world);
        hang_up(&mut world, B);
        world.run(secs(15));
    }
}

/// The one that has it is killed. If the other one had been told to take it, and does, it goes on there.
#[test]
fn the_handset_that_has_it_is_killed() {
    let mut world = linked(1105);
    for after in [0, 80, 200, 500] {
        speaks(&mut world, B);
        let offer = offers(&mut world, A, A2);
        world.command(A2, Command::Continue { offer }).unwrap();
        watch(&mut world, Duration::from_millis(after), |_| false);
        world.kill_party(A);
        is(&mut world, A2, CallState::Connected);
        is(&mut world, B, CallState::Connected);
        assert!(heard(&mut world, A2, B) && heard(&mut world, B, A2), "after {after} ms");
        world.start_party(A);
        lines_up(&mut world);
        hang_up(&mut world, A2);
        world.run(secs(15));
    }
}

#[test]
fn it_goes_to_and_fro_over_lines_that_lose() {
    let mut world = linked(1106);
    speaks(&mut world, A);
    let burst = Some(Burst { loss: 0.1, length: 3.0 });
    let losing = Conditions { burst, ..Conditions::perfect(Duration::from_millis(20)) };
    world.lines = losing;
    world.degrade_trunks(losing);
    for party in [A, A2, B] {
        world.reach(party, false);
        world.reach(party, true);
    }
    is(&mut world, A, CallState::Connected);
    for _ in 0..2 {
        moves(&mut world, A, A2);
        takes_back(&mut world, A).unwrap();
        is_at(&mut world, A, A2);
    }
    assert!(heard(&mut world, A, B) && heard(&mut world, B, A));
}

/// Both want it at once, or one changes its mind while the other takes it: one has it, the other knows, and Boris hears one.
#[test]
fn both_handsets_want_it_at_once() {
    let mut world = linked(1107);
    for after in [0, 60, 150, 400] {
        speaks(&mut world, B);
        let offer = offers(&mut world, A, A2);
        world.command(A2, Command::Continue { offer }).unwrap();
        watch(&mut world, Duration::from_millis(after), |_| false);
        let id = call(&mut world, A);
        // It may be too late for that.
        let _ = world.command(A, Command::StayHere { call: id });
        let settled = |w: &mut World| {
            let live = |s: Option<CallState>| s == Some(CallState::Connected);
            live(state(w, A)) != live(state(w, A2)) && live(state(w, B))
        };
        watch(&mut world, secs(8), |_| false);
        assert!(settled(&mut world), "after {after} ms");
        let at = if state(&mut world, A) == Some(CallState::Connected) { A } else { A2 };
        assert!(heard(&mut world, at, B) && !heard(&mut world, A + A2 - at, B));
        if at == A2 {
            // One gives it back while the other takes it back.
            let (id, to) = (call(&mut world, A2), handset(&mut world, A2));
            world.command(A2, Command::Move { call: id, to }).unwrap();
            watch(&mut world, Duration::from_millis(after), |_| false);
            takes_back(&mut world, A).unwrap();
            is_at(&mut world, A, A2);
        }
        hang_up(&mut world, B);
        world.run(secs(15));
        nothing_is_left(&mut world);
    }
}

/// Anna and Boris change their handsets in the same moment: both go, or one, or none; whoever has it hears the other.
#[test]
fn both_sides_go_at_once() {
    let mut world = linked(1115);
    let b2 = further(&mut world, B, "Boris", 1);
    speaks(&mut world, B);
    for after in [0, 30] {
        let now = |w: &mut World, p: usize| state(w, p) == Some(CallState::Connected);
        let at = |w: &mut World, a: usize, b: usize| if now(w, a) { (a, b) } else { (b, a) };
        let ((a, to_a), (b, to_b)) = (at(&mut world, A, A2), at(&mut world, B, b2));
        let offers = [(a, to_a), (b, to_b)].map(|(from, to)| offers(&mut world, from, to));
        world.command(to_a, Command::Continue { offer: offers[0] }).unwrap();
        watch(&mut world, Duration::from_millis(after), |_| false);
        world.command(to_b, Command::Continue { offer: offers[1] }).unwrap();
        watch(&mut world, secs(8), |_| false);
        assert!(now(&mut world, A) != now(&mut world, A2), "after {after} ms");
        assert!(now(&mut world, B) != now(&mut world, b2), "after {after} ms");
        let ((a, _), (b, _)) = (at(&mut world, A, A2), at(&mut world, B, b2));
        assert!(heard(&mut world, a, b) && heard(&mut world, b, a), "after {after} ms");
    }
}

#[test]
fn the_other_side_hangs_up_midway() {
    let mut world = linked(1108);
    for after in [0, 100, 200, 400] {
        speaks(&mut world, B);
        let offer = offers(&mut world, A, A2);
        world.command(A2, Command::Continue { offer }).unwrap();
        watch(&mut world, Duration::from_millis(after), |_| false);
        hang_up(&mut world, B);
        let over = |s: Option<CallState>| matches!(s, None | Some(CallState::Ended(_)));
        let all = watch(&mut world, secs(20), |w| [A, A2, B].iter().all(|p| over(state(w, *p))));
        assert!(all, "after {after} ms: {:?} {:?}", state(&mut world, A), state(&mut world, A2));
        nothing_is_left(&mut world);
    }
}

/// Anna's exchange goes on forwarding to the handset that left, which keeps its keys and its leg: it opens nothing of what is said
/// after, and nothing that it says is heard.
#[test]
fn the_handset_that_left_can_open_nothing_and_is_heard_by_nobody() {
    let mut world = linked(1109);
    let (down, up) = (Rc::new(RefCell::new(Vec::new())), Rc::new(RefCell::new(Vec::new())));
    let (heard_by, said_by) = (down.clone(), up.clone());
    let voice = |kept: Rc<RefCell<Vec<[u8; 128]>>>, wanted: To| {
        let mut pass = honest();
        Box::new(move |now, to, what: What| {
            if let (true, What::Voice(leg, frame)) = (to == wanted, &what)
                && *leg != wire::Leg::CHAFF
            {
                kept.borrow_mut().push(*frame);
            }
            pass(now, to, what)
        })
    };
    // Who holds the lines of her exchange, and what passes there.
    world.line_meddlers.insert(A2, voice(heard_by, To::Near));
    world.line_meddlers.insert(A, voice(said_by, To::Far));
    world.line_meddlers.insert(B, honest());
    for party in [A, A2, B] {
        world.reach(party, false);
        world.reach(party, true);
    }
    lines_up(&mut world);
    world.run(secs(5));
    speaks(&mut world, A);
    world.parties[A].phone.as_mut().unwrap().refuse_to_leave();
    let offer = offers(&mut world, A, A2);
    world.command(A2, Command::Continue { offer }).unwrap();
    is(&mut world, A2, CallState::Connected);
    is(&mut world, B, CallState::Connected);
    assert!(matches!(state(&mut world, A), Some(CallState::Connected | CallState::Reconnecting)));
    down.borrow_mut().clear();
    up.borrow_mut().clear();
    world.parties[B].tone = Some(220.0);
    world.run(secs(2));
    // Her leg was the first that this line opened since it came up.
    let frames = down.borrow().clone();
    assert!(frames.len() > 50, "{}", frames.len());
    let refused = |w: &mut World, p: usize| {
        let now = w.now;
        w.parties[p].view(now).voice_refused
    };
    let before = refused(&mut world, A);
    world.parties[A].plays = true;
    world.parties[A].heard = Some(Vec::new());
    for frame in &frames {
        world.meddle(A, To::Near, What::Voice(wire::Leg(1), *frame));
        world.run(Duration::from_millis(20));
    }
    let opened = frames.len() as u64 - (refused(&mut world, A) - before);
    assert_eq!(opened, 0, "of what Boris says, nothing opens at the handset that left");
    assert!(world.parties[A].heard.take().unwrap().iter().all(|s| *s == 0.0));
    // What it said last, and says still, is put into the call at Boris's line.
    let said = up.borrow().clone();
    let leg = wire::Leg(4);
    let before = refused(&mut world, B);
    for frame in &said {
        world.meddle(B, To::Near, What::Voice(leg, *frame));
        world.run(Duration::from_millis(20));
    }
    assert_eq!(refused(&mut world, B) - before, said.len() as u64);
}

/// Whoever is no handset of the person's can claim what it likes, and a handset that was not told to take it does not get it either.
#[test]
fn a_stranger_and_a_handset_that_was_not_asked_do_not_get_it() {
    let mut world = two(1110);
    meet(&mut world, A, B, true);
    link_second(&mut world);
    let clara = world.hire("Clara", 0);
    lines_up(&mut world);
    meet(&mut world, B, clara, true);
    world.parties[clara].plays = false;
    speaks(&mut world, A);
    let id = call(&mut world, A);
    let name = world.parties[A].phone.as_ref().unwrap().call_name(id).unwrap();
    for (claimer, contact) in [(clara, 1), (A2, with(&mut world, A2, "Boris"))] {
        world.parties[claimer].phone.as_mut().unwrap().claim(contact, name).unwrap();
        world.run(Duration::from_millis(10));
        assert!(watch(&mut world, secs(20), |w| {
            assert_eq!(state(w, B), Some(CallState::Connected));
            matches!(state(w, claimer), Some(CallState::Ended(_)))
        }));
        assert!(!view(&mut world, B).moved);
        assert!(heard(&mut world, A, B) && heard(&mut world, B, A));
    }
    // Nor does it while the way to the one that has it is lost.
    world.reach(A, false);
    is(&mut world, B, CallState::Reconnecting);
    let contact = with(&mut world, A2, "Boris");
    world.run(secs(11));
    world.parties[A2].phone.as_mut().unwrap().claim(contact, name).unwrap();
    world.run(secs(16));
    assert!(matches!(state(&mut world, A2), Some(CallState::Ended(_))));
    world.reach(A, true);
    is(&mut world, A, CallState::Connected);
    is(&mut world, B, CallState::Connected);
}

#[test]
fn a_held_call_stays_held_and_a_parked_one_keeps_its_reason() {
    let mut world = linked(1111);
    speaks(&mut world, B);
    let id = call(&mut world, A);
    let reason = String::from("the minister is called");
    world
        .command(A, Command::Park { call: id, reason: reason.clone(), recall: Some(secs(90)) })
        .unwrap();
    is(&mut world, B, CallState::HeldByOther);
    let since = view(&mut world, A).parked.unwrap().since;
    let offer = offers(&mut world, A, A2);
    let shown = offered(&mut world, A2).remove(0);
    assert_eq!((shown.held, shown.reason), (true, Some(reason.clone())));
    world.command(A2, Command::Continue { offer }).unwrap();
    is(&mut world, A2, CallState::HeldByMe);
    assert!(watch(&mut world, secs(3), |w| {
        assert_eq!(state(w, B), Some(CallState::HeldByOther), "not for a moment");
        state(w, A) == Some(CallState::Ended(End::Moved))
    }));
    let parked = view(&mut world, A2).parked.unwrap();
    assert_eq!((parked.reason, parked.since), (reason, since));
    world.until(A2, secs(90), |e| matches!(e, Event::Recall { .. }));
    let id = call(&mut world, A2);
    world.command(A2, Command::Hold { call: id, on: false }).unwrap();
    is(&mut world, A2, CallState::Connected);
    is(&mut world, B, CallState::Connected);
    // On hold by Boris: that goes along, too.
    let id = call(&mut world, B);
    world.command(B, Command::Hold { call: id, on: true }).unwrap();
    is(&mut world, A2, CallState::HeldByOther);
    takes_back(&mut world, A).unwrap();
    is(&mut world, A, CallState::HeldByOther);
    is(&mut world, A2, CallState::Ended(End::Moved));
    assert!(!heard(&mut world, A, B));
}

#[test]
fn texts_arrive_once_on_whichever_handset_it_is_and_a_lost_way_comes_back() {
    let mut world = linked(1112);
    speaks(&mut world, B);
    let texts = |w: &mut World, p: usize| -> Vec<String> {
        view(w, p).texts.into_iter().filter(|t| !t.0).map(|t| t.1).collect()
    };
    for (at, there) in [(A, A2), (A2, A), (A, A2)] {
        for from in [at, B] {
            let id = call(&mut world, from);
            world
                .command(from, Command::Say { call: id, text: format!("{from} at {at}") })
                .unwrap();
        }
        world.run(secs(2));
        assert!(texts(&mut world, at).contains(&format!("{B} at {at}")));
        assert!(texts(&mut world, B).contains(&format!("{at} at {at}")));
        assert!(view(&mut world, B).texts.iter().all(|t| t.2), "all have arrived");
        // The way is lost, and made anew by whoever has to.
        world.reach(at, false);
        is(&mut world, B, CallState::Reconnecting);
        world.reach(at, true);
        is(&mut world, at, CallState::Connected);
        is(&mut world, B, CallState::Connected);
        assert!(heard(&mut world, at, B) && heard(&mut world, B, at));
        world.reach(B, false);
        is(&mut world, at, CallState::Reconnecting);
        world.reach(B, true);
        is(&mut world, at, CallState::Connected);
        is(&mut world, B, CallState::Connected);
        moves(&mut world, at, there);
        world.run(secs(11));
    }
    assert_eq!(texts(&mut world, B).len(), 3);
}

#[test]
fn each_handset_has_its_entry_on_the_record_and_they_are_of_one_call() {
    let mut world = kept(1113, record::Calls::Answered);
    link_second(&mut world);
    speaks(&mut world, B);
    moves(&mut world, A, A2);
    world.run(secs(3));
    hang_up(&mut world, B);
    is(&mut world, A2, CallState::Ended(End::ByOther));
    for party in [A, A2] {
        all_proved(&mut world, party);
    }
    let entries = read_with_one_key(&world);
    let calls = calls_of(&entries);
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[0].call, calls[1].call, "of one call");
    let ends: Vec<_> = calls.iter().map(|c| c.end).collect();
    assert_eq!(ends, [End::Moved, End::ByOther].map(|e| Some(e.code())));
    let stages: Vec<_> = calls[1].steps.as_slice().iter().map(|s| s.stage).collect();
    use record::entry::Stage::{Connected, Ended, Moved};
    assert_eq!(stages, [Moved, Connected, Ended]);
}

/// A line message of the kind that opens a leg is the same, whatever is opened: what the exchange sees of a move is a call.
#[test]
fn to_the_exchange_it_is_a_leg_like_any_other() {
    let mut world = linked(1114);
    let lengths = Rc::new(RefCell::new(Vec::new()));
    let seen = lengths.clone();
    world.line_meddlers.insert(
        A2,
        Box::new(move |_, to, what| {
            if let (To::Far, What::Message(bytes)) = (to, &what)
                && let Ok(LineUp::Open { .. }) = LineUp::decode(bytes)
            {
                seen.borrow_mut().push(bytes.len());
            }
            vec![(to, what)]
        }),
    );
    world.reach(A2, false);
    world.reach(A2, true);
    lines_up(&mut world);
    world.run(secs(5));
    speaks(&mut world, B);
    moves(&mut world, A, A2);
    hang_up(&mut world, A2);
    world.run(secs(15));
    let contact = with(&mut world, A2, "Boris");
    world.command(A2, Command::Call { contact }).unwrap();
    is(&mut world, B, CallState::RingingHere);
    let lengths = lengths.borrow();
    assert_eq!((lengths.len(), lengths[0]), (2, lengths[1]));
}

#[test]
fn an_urgent_call_stays_urgent_on_the_other_handset_and_back() {
    let mut world = linked(380);
    let boris = with(&mut world, A, "Boris");
    let rules = phone::ContactRules { precedence: wire::Precedence::Flash, ..Default::default() };
    world.command(A, Command::SetRules { contact: boris, rules }).unwrap();
    world.run(secs(3));
    let anna = with(&mut world, B, "Anna");
    let precedence = wire::Precedence::Flash;
    world.command(B, Command::CallUrgent { contact: anna, principal: None, precedence }).unwrap();
    is(&mut world, A, CallState::RingingHere);
    answer(&mut world, A);
    is(&mut world, A, CallState::Connected);
    moves(&mut world, A, A2);
    assert_eq!(view(&mut world, A2).precedence, precedence);
    takes_back(&mut world, A).unwrap();
    is_at(&mut world, A, A2);
    assert_eq!(view(&mut world, A).precedence, precedence);
}
