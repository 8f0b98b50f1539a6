//! Line tests between two offices: what they measure is what the network did, and calls do not notice.

use core::time::Duration;
use std::sync::{Arc, Mutex};

use call::CallState;
use exchange::{Figures, Outcome};
use lab::middle::{To, What};
use lab::net::{Burst, Conditions};
use lab::world::World;
use phone::{Command, Event};
use wire::linetest::LineTest;
use wire::trunk::Trunk;

use crate::support::*;

/// Two who have met; office 0 tests its trunk each twenty seconds, and has not yet.
fn tested(seed: u64) -> World {
    let mut world = met(seed);
    world.test_lines(0, secs(20));
    lines_up(&mut world);
    world
}

/// Waits for the next result of office 0.
fn next(world: &mut World) -> Outcome {
    let tests = |w: &World| w.offices[0].exchange.as_ref().map_or(0, |e| e.metrics().line_tests);
    let before = tests(world);
    assert!(world.run_until(secs(120), |w| tests(w) > before), "no test was made");
    world.list_trunks(0)[0].results.last().unwrap().outcome
}

fn figures(outcome: Outcome) -> Figures {
    match outcome {
        Outcome::Measured(figures) => figures,
        other => panic!("not measured: {other:?}"),
    }
}

#[test]
fn loss_is_measured_as_the_network_made_it() {
    for (seed, burst) in [(90, 1.0), (91, 4.0)] {
        let mut world = tested(seed);
        let perfect = Conditions::perfect(Duration::from_millis(10));
        let f = figures(next(&mut world));
        assert_eq!((f.there, f.back), (Some(250), 250));
        assert!((20_000..=30_000).contains(&f.round_trip_p50_us), "{f:?}");
        // 10 % of all cells from now on, and what became of them is counted.
        let loss = Some(Burst { loss: 0.1, length: burst });
        world.degrade_trunks(Conditions { burst: loss, ..perfect });
        let from = world.trunk_counts(0).unwrap();
        let (mut sent, mut lost_there, mut lost_back) = (0.0, 0.0, 0.0);
        for _ in 0..6 {
            let f = figures(next(&mut world));
            let there = f.there.unwrap();
            sent += f64::from(f.sent);
            lost_there += f64::from(f.sent - there);
            lost_back += f64::from(there - f.back) / f64::from(there) * f64::from(f.sent);
            assert!(f.gaps > 5, "{f:?}");
        }
        let to = world.trunk_counts(0).unwrap();
        let counted = |way: usize| {
            let (s, l) = (to[way].0 - from[way].0, to[way].1 - from[way].1);
            l as f64 / s as f64
        };
        let (out, back) = if world.dialled_by(0, 0) { (0, 1) } else { (1, 0) };
        // 1,500 frames: one standard deviation of a tenth is .8 % if each is lost for itself, about twice
        // that in bursts of four cells, of which each other one has a frame.
        for (measured, counted) in
            [(lost_there / sent, counted(out)), (lost_back / sent, counted(back))]
        {
            assert!((counted - 0.1).abs() < 0.02, "the network: {counted}");
            assert!((measured - counted).abs() < 0.035, "measured {measured}, counted {counted}");
        }
    }
}

#[test]
fn each_frame_that_the_network_takes_is_missing_in_the_figures() {
    // Somebody on the trunk takes each seventh frame of voice there, and each tenth back.
    let mut world = met(92);
    let counts = Arc::new(Mutex::new([0u32; 2]));
    let (seen, mut testing) = (counts.clone(), None);
    world.trunk_meddler = Some(Box::new(move |_, to, what| {
        if let What::Message(bytes) = &what
            && let Ok(Trunk::Open { envelope, .. }) = Trunk::decode(bytes)
            && envelope.address == wire::Address::LINE_TEST
        {
            testing = Some(to);
        }
        if let (What::Voice(..), Some(out)) = (&what, testing) {
            let way = usize::from(to != out);
            let n = &mut seen.lock().unwrap()[way];
            *n += 1;
            if (*n).is_multiple_of([7, 10][way]) {
                return Vec::new();
            }
        }
        vec![(to, what)]
    }));
    world.test_lines(0, secs(20));
    lines_up(&mut world);
    let f = figures(next(&mut world));
    let [out, back] = *counts.lock().unwrap();
    assert_eq!((u32::from(f.sent), out), (250, 250), "all passed by");
    assert_eq!(f.there.map(u32::from), Some(back), "what passed on came there");
    assert_eq!(back, 250 - 250 / 7);
    assert_eq!(u32::from(f.back), back - back / 10);
    assert_eq!(f.lost(), 35, "14 % lost there: more than a line may lose");
    assert!(f.too_lossy());
}

#[test]
fn a_call_and_a_test_go_side_by_side() {
    let mut world = tested(93);
    world.test_lines(1, secs(20));
    lines_up(&mut world);
    world.parties[A].tone = Some(220.0);
    world.parties[B].tone = Some(150.0);
    connect(&mut world, A, B);
    for _ in 0..2 {
        assert!(figures(next(&mut world)).back == 250);
        both_are(&mut world, CallState::Connected);
        for party in [A, B] {
            assert!(hears(&mut world, party, secs(2)) > -40.0);
        }
    }
}

#[test]
fn an_exchange_in_between_that_says_nonsense_harms_no_trunk() {
    // It answers each test with all that it may not say.
    let mut world = met(94);
    world.trunk_meddler = Some(Box::new(|_, to, what| {
        let mut out = vec![(to, what.clone())];
        if let What::Message(bytes) = &what
            && let Ok(Trunk::Open { leg, .. }) = Trunk::decode(bytes)
        {
            let back = if to == To::Far { To::Near } else { To::Far };
            for body in [vec![], vec![1], vec![3, 255, 255], vec![99], LineTest::Finish {}.encode()]
            {
                let body = wire::Blob::new(body).unwrap();
                out.push((back, What::Message(Trunk::Data { leg, body }.encode())));
            }
        }
        out
    }));
    world.test_lines(0, secs(20));
    lines_up(&mut world);
    for _ in 0..3 {
        next(&mut world);
    }
    let up = world.list_trunks(0)[0].up;
    assert!(up, "the trunk stays");
    assert_eq!(world.offices[0].exchange.as_ref().unwrap().metrics().protocol_errors, 0);
    connect(&mut world, A, B);
    hang_up(&mut world, A);
}

/// The lines to other offices on a party's screen.
fn on_screen(world: &mut World, party: usize) -> Vec<phone::OfficeLineView> {
    let now = world.now;
    world.parties[party].view(now).office_lines
}

#[test]
fn a_position_sees_how_its_lines_are_and_is_told_when_one_fails() {
    let mut world = tested(95);
    let carla = world.hire("Carla", 0);
    lines_up(&mut world);
    for party in [A, carla] {
        world.command(party, Command::SetPosition { recall: Some(secs(180)) }).unwrap();
    }
    next(&mut world);
    world.run(secs(1));
    let office = contact(&mut world, A, 1).office;
    let lines = on_screen(&mut world, A);
    assert_eq!((lines.len(), &lines[0].office), (1, &office));
    assert_eq!((lines[0].works, lines[0].failing, lines[0].lost), (Some(true), None, Some(0)));
    let trip = lines[0].round_trip.unwrap();
    assert!((20..=30).contains(&trip.as_millis()), "{trip:?}");

    let from = world.now;
    world.cut_trunks(1, true);
    let told = |w: &World, fails| {
        let wanted = Event::OfficeLine { contact: 1, fails };
        w.parties[A].saw(from, |e| *e == wanted).is_some()
    };
    assert!(world.run_until(secs(300), |w| told(w, true)), "an alarm");
    let line = &on_screen(&mut world, A)[0];
    assert!(line.works == Some(false) && line.failing.is_some() && line.lost.is_none(), "{line:?}");
    // On a new line it is told the same, and that is no news.
    world.reach(A, false);
    world.run(secs(20));
    world.reach(A, true);
    lines_up(&mut world);
    world.run(secs(2));
    let alarm = |e: &&(wire::Time, Event)| matches!(e.1, Event::OfficeLine { .. });
    assert_eq!(world.parties[A].events.iter().filter(alarm).count(), 1);
    // Started anew, it asks again, and sees what is so.
    world.kill_party(A);
    world.start_party(A);
    lines_up(&mut world);
    world.run(secs(2));
    assert!(on_screen(&mut world, A)[0].failing.is_some());
    world.cut_trunks(1, false);
    assert!(world.run_until(secs(300), |w| told(w, false)), "the end of it");

    assert!(on_screen(&mut world, carla).is_empty(), "she knows nobody there");
    assert!(on_screen(&mut world, B).is_empty(), "no position");
    world.command(A, Command::SetPosition { recall: None }).unwrap();
    assert!(on_screen(&mut world, A).is_empty(), "no longer one");
}
