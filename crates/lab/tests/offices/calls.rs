//! A card, a call, and everything that people do in one.

use call::{CallState, End};
use lab::world::World;
use phone::{Command, Event, InputError};

use crate::support::*;

#[test]
fn a_card_makes_a_contact_and_a_tap_makes_a_call() {
    let mut world = two(1);
    meet(&mut world, A, B, true);
    let (a, b) = (contact(&mut world, A, 1), contact(&mut world, B, 1));
    assert_eq!((a.name.as_str(), b.name.as_str()), ("Boris", "Anna"));
    assert_eq!((a.office.as_str(), b.office.as_str()), ("Office 1", "Office 0"));
    let ((a_own, a_other), (b_own, b_other)) = (a.words.unwrap(), b.words.unwrap());
    assert!(a_own == b_other && a_other == b_own && a_own != b_own, "safety words");

    world.parties[A].tone = Some(220.0);
    world.parties[B].tone = Some(150.0);
    let tapped = world.now;
    ring(&mut world, A, B);
    let rang = world.parties[B].saw(tapped, |e| matches!(e, Event::Incoming { .. })).unwrap();
    world.run_until(secs(2), |w| state(w, A) == Some(CallState::Ringing));
    assert_eq!(state(&mut world, A), Some(CallState::Ringing));
    assert_eq!(state(&mut world, B), Some(CallState::RingingHere));
    let answered = world.now;
    answer(&mut world, B);
    let a_hears = world.until(A, secs(5), |e| matches!(e, Event::Voice { .. }));
    both_are(&mut world, CallState::Connected);
    // The network takes 16 ms of each.
    assert!(rang.since(tapped).as_millis() < 116, "{:?}", rang.since(tapped));
    assert!(a_hears.since(answered).as_millis() < 116, "{:?}", a_hears.since(answered));
    world.run(secs(1));
    for party in [A, B] {
        assert!(hears(&mut world, party, secs(2)) > -40.0, "party {party} hears the other");
    }
    hang_up(&mut world, A);
    ended(&mut world, A, End::ByMe);
    ended(&mut world, B, End::ByOther);
    for party in [A, B] {
        assert!(hears(&mut world, party, secs(1)) < -100.0, "silence afterwards");
    }
    let now = world.now;
    let history = world.parties[B].view(now).history;
    assert_eq!((history.len(), history[0].unseen), (1, false));
    assert!(history[0].talked > secs(5) && history[0].talked < secs(10));
}

/// The network takes 16 ms each way; the rest is the phases of three links' clocks, the cells that a
/// message needs, and the disk of the caller and of the callee's exchange.
#[test]
fn ringing_and_answering_take_two_cells_and_no_round_trip() {
    let (mut rings, mut voices) = (Vec::new(), Vec::new());
    for seed in 0..8 {
        let mut world = met(200 + seed);
        let tapped = world.now;
        ring(&mut world, A, B);
        let rang = world.parties[B].saw(tapped, |e| matches!(e, Event::Incoming { .. })).unwrap();
        rings.push(rang.since(tapped).as_millis());
        world.run(secs(1));
        let answered = world.now;
        answer(&mut world, B);
        let heard = world.until(A, secs(5), |e| matches!(e, Event::Voice { .. }));
        voices.push(heard.since(answered).as_millis());
    }
    let mean = |list: &[u128]| list.iter().sum::<u128>() / list.len() as u128;
    assert!(mean(&rings) <= 75 && rings.iter().all(|ms| *ms <= 100), "tap to ring: {rings:?}");
    assert!(
        mean(&voices) <= 75 && voices.iter().all(|ms| *ms <= 100),
        "answer to voice: {voices:?}"
    );
}

#[test]
fn after_a_call_the_next_one_is_ready_in_both_directions() {
    let mut world = met(2);
    for (from, to) in [(A, B), (B, A), (A, B)] {
        connect(&mut world, from, to);
        hang_up(&mut world, to);
        ended(&mut world, from, End::ByOther);
        world.run(secs(5));
        assert!(contact(&mut world, from, 1).ready, "new keys in stock");
    }
}

/// Keys of the next call are on their way when it is placed, at whatever point: the caller has all that the callee may answer with.
#[test]
fn a_call_right_after_another_one_is_connected_whenever_it_is_placed() {
    for pause in (0..2_000).step_by(100) {
        let mut world = met(300 + pause);
        for (from, to) in [(A, B), (A, B), (B, A)] {
            connect(&mut world, from, to);
            part(&mut world, to, from);
            world.run(core::time::Duration::from_millis(pause));
        }
    }
}

#[test]
fn busy_and_declined_are_told_to_the_trusted_only() {
    let mut world = two(3);
    let c = world.hire("Clara", 0);
    lines_up(&mut world);
    meet(&mut world, A, B, true);
    meet(&mut world, c, B, false);
    // Clara's card for Boris travelled, so neither is verified: Boris must not tell her anything.
    assert!(contact(&mut world, B, 1).trusted && !contact(&mut world, B, 2).trusted);

    ring(&mut world, A, B);
    let id = call(&mut world, B);
    world.command(B, Command::Decline { call: id }).unwrap();
    ended(&mut world, A, End::Declined);
    ended(&mut world, B, End::DeclinedByMe);
    assert_eq!(latest(&mut world, B), Some((End::DeclinedByMe, false)));

    world.command(c, Command::Call { contact: 1 }).unwrap();
    world.until(B, secs(5), |e| matches!(e, Event::Incoming { .. }));
    let id = call(&mut world, B);
    world.command(B, Command::Decline { call: id }).unwrap();
    world.run(secs(40));
    assert_eq!(state(&mut world, c), Some(CallState::Calling), "neither ringing nor declined");
    ended(&mut world, c, End::NoAnswer);

    connect(&mut world, A, B);
    world.command(c, Command::Call { contact: 1 }).unwrap();
    world.until(B, secs(5), |e| *e == Event::Missed { contact: 2 });
    assert_eq!(state(&mut world, B), Some(CallState::Connected), "the call is not disturbed");
    world.run(secs(20));
    assert_eq!(state(&mut world, c), Some(CallState::Calling));
    world.command(B, Command::SetTrusted { contact: 2, trusted: Some(true) }).unwrap();
    hang_up(&mut world, c);
    ended(&mut world, c, End::Cancelled);
    world.command(c, Command::Call { contact: 1 }).unwrap();
    ended(&mut world, c, End::Busy);
    assert_eq!(latest(&mut world, B), Some((End::Missed, true)));
}

#[test]
fn a_cancelled_call_and_one_that_nobody_answers_are_missed() {
    let mut world = met(4);
    ring(&mut world, A, B);
    world.run(secs(3));
    hang_up(&mut world, A);
    ended(&mut world, A, End::Cancelled);
    ended(&mut world, B, End::Missed);
    world.run(secs(5));
    ring(&mut world, A, B);
    let placed = world.now;
    let id = call(&mut world, B);
    world.command(B, Command::Ignore { call: id }).unwrap();
    ended(&mut world, A, End::NoAnswer);
    assert!(world.now.since(placed) >= secs(44) && world.now.since(placed) < secs(46));
    ended(&mut world, B, End::Missed);
    world.run(secs(5));
    let now = world.now;
    let view = world.parties[B].view(now);
    assert_eq!((view.history.len(), view.missed), (2, 2), "each call once");
    world.command(B, Command::ClearMissed).unwrap();
    assert_eq!(world.parties[B].view(now).missed, 0);
}

#[test]
fn hold_mute_and_text() {
    let mut world = met(5);
    world.parties[A].tone = Some(220.0);
    world.parties[B].tone = Some(150.0);
    connect(&mut world, A, B);
    world.run(secs(1));
    let (a, b) = (call(&mut world, A), call(&mut world, B));

    world.command(A, Command::Hold { call: a, on: true }).unwrap();
    world.run(secs(1));
    assert_eq!(state(&mut world, A), Some(CallState::HeldByMe));
    assert_eq!(state(&mut world, B), Some(CallState::HeldByOther));
    for party in [A, B] {
        assert!(hears(&mut world, party, secs(1)) < -100.0, "nobody is heard on hold");
    }
    world.command(B, Command::Hold { call: b, on: true }).unwrap();
    world.command(A, Command::Hold { call: a, on: false }).unwrap();
    world.run(secs(1));
    assert_eq!(state(&mut world, A), Some(CallState::HeldByOther), "the other holds still");
    world.command(B, Command::Hold { call: b, on: false }).unwrap();
    both_are(&mut world, CallState::Connected);
    world.run(secs(1));
    assert!(hears(&mut world, A, secs(1)) > -40.0);

    world.command(B, Command::Mute { on: true }).unwrap();
    world.until(A, secs(2), |e| matches!(e, Event::Muted { on: true, .. }));
    world.run(secs(1));
    let muted = hears(&mut world, A, secs(1));
    assert!(muted < -60.0, "a muted microphone sends silence, not {muted} dB");
    assert!(hears(&mut world, B, secs(1)) > -40.0, "and hears");
    world.command(B, Command::Mute { on: false }).unwrap();
    world.run(secs(1));
    assert!(hears(&mut world, A, secs(1)) > -40.0);

    let text = "Four words: the tea is cold.".to_owned();
    world.command(A, Command::Say { call: a, text: text.clone() }).unwrap();
    world.until(A, secs(2), |e| matches!(e, Event::TextArrived { .. }));
    let now = world.now;
    assert_eq!(world.parties[B].view(now).calls[0].texts, [(false, text.clone(), true)]);
    world.command(B, Command::Note { contact: 1, text }).unwrap();
    world.until(A, secs(5), |e| matches!(e, Event::Note { .. }));
    let long = "x".repeat(3_000);
    assert!(matches!(
        world.command(A, Command::Say { call: a, text: long }),
        Err(InputError::TooLong { .. })
    ));
}

#[test]
fn one_call_on_hold_while_another_is_made() {
    let mut world = two(6);
    let c = world.hire("Clara", 1);
    lines_up(&mut world);
    meet(&mut world, A, B, true);
    meet(&mut world, A, c, true);
    connect(&mut world, A, B);
    let first = call(&mut world, A);
    assert!(matches!(
        world.command(A, Command::Call { contact: 2 }),
        Err(InputError::WrongState(_))
    ));
    world.command(A, Command::Hold { call: first, on: true }).unwrap();
    world.command(A, Command::Call { contact: 2 }).unwrap();
    world.until(c, secs(5), |e| matches!(e, Event::Incoming { .. }));
    answer(&mut world, c);
    let so = world.run_until(secs(5), |w| state(w, A) == Some(CallState::Connected));
    assert!(so);
    world.command(A, Command::Hold { call: first, on: false }).unwrap();
    world.run(secs(1));
    let now = world.now;
    let states: Vec<_> = world.parties[A].view(now).calls.iter().map(|c| c.state).collect();
    assert_eq!(states, [CallState::Connected, CallState::HeldByMe], "one conversation at a time");
    assert_eq!(state(&mut world, c), Some(CallState::HeldByOther));
}

#[test]
fn two_who_call_each_other_at_once_are_connected() {
    let mut automatic = [0; 2];
    for seed in 0..6 {
        let mut world = met(100 + seed);
        world.command(A, Command::Call { contact: 1 }).unwrap();
        world.command(B, Command::Call { contact: 1 }).unwrap();
        both_are(&mut world, CallState::Connected);
        let now = world.now;
        for (party, count) in automatic.iter_mut().enumerate() {
            let calls = world.parties[party].view(now).calls;
            let live: Vec<_> = calls.iter().filter(|c| c.state == CallState::Connected).collect();
            assert_eq!(live.len(), 1);
            *count += usize::from(live[0].direction == call::Direction::Received);
        }
        world.run(secs(2));
        let now = world.now;
        for party in [A, B] {
            assert_eq!(world.parties[party].view(now).missed, 0, "no missed call is left");
        }
        hang_up(&mut world, A);
        ended(&mut world, B, End::ByOther);
    }
    assert_eq!(automatic[0] + automatic[1], 6, "exactly one of the two calls survives");
}

#[test]
fn a_callee_who_was_away_sees_a_missed_call_afterwards() {
    let mut world = met(7);
    world.reach(B, false);
    world.command(A, Command::Call { contact: 1 }).unwrap();
    world.run(secs(10));
    assert_eq!(state(&mut world, A), Some(CallState::Calling));
    hang_up(&mut world, A);
    world.run(secs(5));
    world.reach(B, true);
    world.until(B, secs(60), |e| matches!(e, Event::Missed { .. }));
    world.run(secs(10));
    assert_eq!(latest(&mut world, B), Some((End::Missed, true)));
    let now = world.now;
    assert_eq!(
        world.parties[B].view(now).history.len(),
        1,
        "the invitation and its notice are one"
    );
    assert!(contact(&mut world, A, 1).ready, "the next call is ready");
    connect(&mut world, A, B);
}

#[test]
fn a_caller_without_an_exchange_to_reach_is_told_so() {
    let mut world = met(8);
    world.cut_trunks(1, true);
    world.run(secs(1));
    world.command(A, Command::Call { contact: 1 }).unwrap();
    ended(&mut world, A, End::Unreachable);
    world.cut_trunks(1, false);
    world.until(B, secs(60), |e| matches!(e, Event::Missed { .. }));
}

#[test]
fn a_call_right_after_a_restart_rings_and_its_keys_follow() {
    let mut world = met(9);
    for party in [A, B] {
        world.kill_party(party);
        world.start_party(party);
    }
    lines_up(&mut world);
    // No stock yet: whoever calls at once still rings.
    world.command(A, Command::Call { contact: 1 }).unwrap();
    world.until(B, secs(5), |e| matches!(e, Event::Incoming { .. }));
    answer(&mut world, B);
    both_are(&mut world, CallState::Connected);
}

#[test]
fn an_untrusted_caller_without_stock_gets_its_keys_at_the_answer() {
    let mut world = two(10);
    meet(&mut world, A, B, false);
    world.kill_party(B);
    world.start_party(B);
    lines_up(&mut world);
    world.command(A, Command::Call { contact: 1 }).unwrap();
    world.until(B, secs(5), |e| matches!(e, Event::Incoming { .. }));
    world.run(secs(3));
    assert_eq!(state(&mut world, A), Some(CallState::Calling), "nothing came back");
    answer(&mut world, B);
    both_are(&mut world, CallState::Connected);
}

#[test]
fn the_keys_of_a_contact_are_renewed_and_its_words_stay() {
    let mut world = met(11);
    let before = contact(&mut world, A, 1).words.unwrap();
    let epochs = |w: &World| [A, B].map(|p| w.parties[p].phone.as_ref().unwrap().epoch(1).unwrap());
    assert_eq!(epochs(&world), [1, 1]);
    for i in 0..110 {
        world.command(B, Command::Note { contact: 1, text: format!("note {i}") }).unwrap();
        world.run(core::time::Duration::from_millis(300));
    }
    world.run(secs(30));
    assert_eq!(epochs(&world), [2, 2], "renewed once, at both ends");
    let now = world.now;
    let notes = world.parties[A].view(now).notes;
    assert_eq!(notes.len(), 110);
    assert!(notes.iter().enumerate().all(|(i, n)| n.text == format!("note {i}")), "in order");
    assert_eq!(world.parties[A].view(now).dropped, 0);
    assert!(contact(&mut world, A, 1).words.unwrap() == before);
    connect(&mut world, A, B);
    part(&mut world, A, B);
    connect(&mut world, B, A);
}
