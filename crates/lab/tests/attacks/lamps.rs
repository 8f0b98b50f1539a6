//! Lamps, and those who must not learn of them: another office, whoever in the own office is not shown them, and what the own
//! exchange, which carries them, can make of them.

use std::cell::RefCell;
use std::rc::Rc;

use call::lamp::Shown;
use lab::middle::{To, What};
use lab::world::World;
use phone::{Command, Event};
use wire::line::{LineDown, LineUp};
use wire::{Address, Time};

use crate::kit::{Grip, down, up};
use crate::support::*;

const ADA: usize = 2;
const CARLA: usize = 3;

/// Anna, Ada and Carla in one office, Boris in another. Everybody is Anna's contact, Carla by a card that travelled.
fn office(seed: u64, hold: impl FnOnce(&mut World) -> Grip) -> (World, Grip) {
    let mut world = World::new(2, seed);
    let grip = hold(&mut world);
    for (name, office) in [("Anna", 0), ("Boris", 1), ("Ada", 0), ("Carla", 0)] {
        world.hire(name, office);
    }
    lines_up(&mut world);
    for (party, in_person) in [(B, true), (ADA, true), (CARLA, false)] {
        meet(&mut world, A, party, in_person);
    }
    world.parties.iter_mut().for_each(|p| p.plays = false);
    world.run(secs(10));
    (world, grip)
}

/// Anna's number of Ada, and Ada's of Anna.
const OF_ADA: u32 = 2;

fn lamp(world: &mut World, party: usize) -> Option<Shown> {
    contact(world, party, 1).lamp
}

/// Minutes in which Anna is away now and then, and calls Ada once; with her lamp shown to Ada, or not.
fn a_day(world: &mut World, shown: bool) {
    world.command(A, Command::SetLamp { contact: OF_ADA, shown }).unwrap();
    for i in 0..6 {
        world.command(A, Command::SetAway { on: i % 2 == 0 }).unwrap();
        world.run(secs(5));
        if i == 3 {
            world.command(A, Command::Call { contact: OF_ADA }).unwrap();
            world.run(secs(5));
            hang_up(world, A);
        }
    }
    world.run(secs(130));
}

/// What passes, without what is sealed: when, which way, which message or voice, how long.
type Seen = Vec<(Time, bool, u8, usize)>;

fn tape(grip: &Grip) -> Rc<RefCell<Seen>> {
    let tape = Rc::new(RefCell::new(Seen::new()));
    let seen = tape.clone();
    grip.does(move |now, to, what| {
        let (tag, len) = match &what {
            What::Message(bytes) => (bytes[0], bytes.len()),
            What::Voice(..) => (0, 128),
        };
        seen.borrow_mut().push((now, to == To::Far, tag, len));
        vec![(to, what)]
    });
    tape
}

#[test]
fn another_office_sees_nothing_of_lamps() {
    let seen = |shown| {
        let (mut world, grip) = office(1_100, Grip::on_trunks);
        let tape = tape(&grip);
        a_day(&mut world, shown);
        assert_eq!(lamp(&mut world, ADA).is_some(), shown, "there is a lamp, or none");
        assert_eq!(lamp(&mut world, B), None);
        let events = world.parties[B].events.len();
        (tape.take(), events)
    };
    let (with, without) = (seen(true), seen(false));
    assert_eq!(with, without, "on the trunk: the same messages, as long, at the same times");
    let messages = with.0.iter().filter(|(_, _, tag, _)| *tag != 0).count();
    assert_eq!(messages, 0, "none at all");
}

#[test]
fn whoever_is_not_shown_it_in_the_own_office_is_sent_nothing() {
    let seen = |shown| {
        let (mut world, grip) = office(1_101, |w| Grip::on_line(w, CARLA));
        let tape = tape(&grip);
        a_day(&mut world, shown);
        assert_eq!(lamp(&mut world, CARLA), None);
        let heard = |(_, far, tag, _): &&(Time, bool, u8, usize)| !far && *tag != 0;
        (tape.borrow().iter().filter(heard).count(), world.parties[CARLA].events.len())
    };
    assert_eq!(seen(true), seen(false));
    assert_eq!(seen(true).0, 0);
}

#[test]
fn the_wire_is_the_same_while_a_lamp_changes() {
    let (mut world, _) = office(1_102, |w| Grip::on_line(w, CARLA));
    world.command(A, Command::SetLamp { contact: OF_ADA, shown: true }).unwrap();
    for i in 0..10 {
        let start = world.now;
        world.command(A, Command::SetAway { on: i % 2 == 0 }).unwrap();
        world.run(secs(2));
        for party in [A, ADA, CARLA] {
            let cells = world.parties[party].cells.iter().filter(|(at, _)| *at > start);
            let lengths: Vec<usize> = cells.map(|(_, len)| *len).collect();
            assert!(lengths.len() == 100 && lengths.iter().all(|len| *len == 224), "{party}");
        }
    }
}

/// What the own exchange sees of Anna's line: how long each thing is that she says aside.
fn asides(grip: &Grip) -> Vec<usize> {
    let len = |message: &LineUp| match message {
        LineUp::Aside { envelope } => Some(envelope.body.as_bytes().len()),
        _ => None,
    };
    grip.ups().iter().filter_map(len).collect()
}

#[test]
fn a_fast_change_is_said_a_few_times_and_all_lamps_are_as_long() {
    let (mut world, grip) = office(1_103, |w| Grip::on_line(w, A));
    world.command(A, Command::SetLamp { contact: OF_ADA, shown: true }).unwrap();
    world.run(secs(5));
    grip.forget();
    for i in 0..50 {
        world.command(A, Command::SetAway { on: i % 2 == 0 }).unwrap();
        world.run(core::time::Duration::from_millis(200));
    }
    world.run(secs(5));
    let said = asides(&grip).len();
    assert!((1..=6).contains(&said), "fifty changes in ten seconds are said {said} times");
    assert_eq!(lamp(&mut world, ADA), Some(Shown::Free), "and the last one is so");
    a_day(&mut world, true);
    let lengths = asides(&grip);
    assert!(lengths.len() > 10 && lengths.iter().all(|len| *len == lengths[0]), "{lengths:?}");
    // Nothing of it waits at the exchange.
    let mail = |m: &LineUp| matches!(m, LineUp::Post { .. });
    let posts = grip.ups().iter().filter(|m| mail(m)).count();
    grip.forget();
    world.kill_party(ADA);
    for i in 0..10 {
        world.command(A, Command::SetAway { on: i % 2 == 0 }).unwrap();
        world.run(secs(3));
    }
    assert_eq!(grip.ups().iter().filter(|m| mail(m)).count(), 0, "posted before: {posts}");
    let metrics = world.offices[0].exchange.as_ref().unwrap().metrics();
    assert_eq!(metrics.mail_waiting, 0);
}

/// The own exchange has Ada's line in its hands.
fn held() -> (World, Grip, Address, Vec<Vec<u8>>) {
    let (mut world, grip) = office(1_104, |w| Grip::on_line(w, ADA));
    world.command(A, Command::SetLamp { contact: OF_ADA, shown: true }).unwrap();
    world.run(secs(5));
    grip.forget();
    let taken = Rc::new(RefCell::new(Vec::new()));
    let keeps = taken.clone();
    // He keeps what Anna says while she is away.
    grip.swallows(move |to, what| match down(what) {
        Some(LineDown::Aside { address, body }) if to == To::Near => {
            keeps.borrow_mut().push((address, body.as_bytes().to_vec()));
            true
        }
        _ => false,
    });
    world.command(A, Command::SetAway { on: true }).unwrap();
    world.run(secs(5));
    grip.lets_go();
    let taken = taken.take();
    assert_eq!(taken.len(), 1);
    (world, grip, taken[0].0, taken.into_iter().map(|(_, body)| body).collect())
}

fn says(world: &mut World, message: &LineDown) {
    world.meddle(ADA, To::Near, What::Message(message.encode()));
    world.run(secs(1));
}

#[test]
fn what_the_exchange_holds_back_is_not_believed_later() {
    let (mut world, _, address, bodies) = held();
    let body = wire::Blob::new(bodies[0].clone()).unwrap();
    let aside = LineDown::Aside { address, body };
    world.command(A, Command::SetAway { on: false }).unwrap();
    world.run(secs(5));
    assert_eq!(lamp(&mut world, ADA), Some(Shown::Free));
    says(&mut world, &aside);
    assert_eq!(lamp(&mut world, ADA), Some(Shown::Free), "older than what is known");
    // Once it has come it does not come again.
    let dropped = |w: &mut World| {
        let now = w.now;
        w.parties[ADA].view(now).dropped
    };
    let before = dropped(&mut world);
    says(&mut world, &aside);
    assert_eq!(dropped(&mut world), before + 1);

    let (mut world, _, address, bodies) = held();
    let body = wire::Blob::new(bodies[0].clone()).unwrap();
    world.kill_party(A);
    world.run(secs(301));
    assert_eq!(lamp(&mut world, ADA), Some(Shown::NotKnown));
    says(&mut world, &LineDown::Aside { address, body });
    assert_eq!(lamp(&mut world, ADA), Some(Shown::NotKnown), "it is too old");
}

#[test]
fn a_lamp_counts_only_if_it_was_said_aside_and_nothing_else_may_be() {
    let (mut world, grip, address, bodies) = held();
    assert_eq!(lamp(&mut world, ADA), Some(Shown::Free), "she does not know that Anna is away");
    let (body, at) = (wire::Blob::new(bodies[0].clone()).unwrap(), world.wall());
    says(&mut world, &LineDown::Deliver { seq: 9_999, address, at, body });
    assert_eq!(lamp(&mut world, ADA), Some(Shown::Free), "as mail it is none");
    // What came as mail is not taken when it is said aside: a text.
    let kept = Rc::new(RefCell::new(None));
    let keeps = kept.clone();
    grip.swallows(move |to, what| match down(what) {
        Some(LineDown::Deliver { body, .. }) if to == To::Near => {
            *keeps.borrow_mut() = Some(body);
            true
        }
        _ => false,
    });
    world.command(A, Command::Note { contact: OF_ADA, text: "at nine".into() }).unwrap();
    world.run(secs(3));
    grip.lets_go();
    let body = kept.take().unwrap();
    says(&mut world, &LineDown::Aside { address, body });
    assert!(world.parties[ADA].saw(Time(0), |e| matches!(e, Event::Note { .. })).is_none());
    // And noise is noise.
    for len in [0, 1, 40, 300] {
        let body = wire::Blob::new(vec![2; len]).unwrap();
        says(&mut world, &LineDown::Aside { address, body });
    }
    world.command(A, Command::SetAway { on: false }).unwrap();
    world.run(secs(5));
    world.command(A, Command::SetAway { on: true }).unwrap();
    world.run(secs(5));
    assert_eq!(lamp(&mut world, ADA), Some(Shown::Away), "and the line goes on");
}

#[test]
fn nobody_is_asked_who_did_not_show_a_lamp() {
    let (mut world, grip) = office(1_105, |w| Grip::on_line(w, ADA));
    world.run(secs(5));
    grip.forget();
    world.reach(ADA, false);
    world.run(secs(20));
    world.reach(ADA, true);
    lines_up(&mut world);
    world.run(secs(20));
    let said = grip.passed(To::Far);
    let asks = said.iter().filter_map(up).filter(|m| matches!(m, LineUp::Aside { .. })).count();
    assert_eq!(asks, 0);
}

/// What is said aside does not reach a handset that is off, and that must not cost it what comes as mail afterwards: it
/// bridges a thousand keys.
#[test]
fn changes_without_end_while_somebody_is_off_do_not_lock_out_what_is_written_then() {
    let mut world = World::new(1, 1_106);
    let grip = Grip::on_line(&mut world, A);
    world.hire("Anna", 0);
    let ada = world.hire("Ada", 0);
    lines_up(&mut world);
    meet(&mut world, A, ada, true);
    world.parties.iter_mut().for_each(|p| p.plays = false);
    world.command(A, Command::SetLamp { contact: 1, shown: true }).unwrap();
    world.run(secs(3));
    world.kill_party(ada);
    grip.forget();
    for i in 0..520 {
        world.command(A, Command::SetAway { on: i % 2 == 0 }).unwrap();
        world.run(secs(2));
    }
    assert!((450..=500).contains(&asides(&grip).len()), "{}", asides(&grip).len());
    world.command(A, Command::Note { contact: 1, text: "good morning".into() }).unwrap();
    world.run(secs(1));
    world.start_party(ada);
    world.until(ada, secs(20), |e| matches!(e, Event::Note { .. }));
}
