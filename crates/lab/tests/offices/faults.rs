//! Loss, cuts, restarts, full disks, wrong clocks.

use core::time::Duration;

use call::{CallState, End};
use lab::net::{Burst, Conditions};
use phone::{Command, Event, LineState};

use crate::support::*;

fn lossy(delay: u64, loss: f64) -> Conditions {
    Conditions {
        jitter: Duration::from_millis(5),
        loss: loss / 2.0,
        burst: Some(Burst { loss: loss / 2.0, length: 3.0 }),
        reorder: 0.02,
        duplicate: 0.02,
        ..Conditions::perfect(Duration::from_millis(delay))
    }
}

#[test]
fn everything_works_at_ten_twenty_and_thirty_per_cent_loss() {
    for (seed, loss) in [(30, 0.1), (31, 0.2), (32, 0.3)] {
        let mut world = lab::world::World::new(2, seed);
        world.code_finely();
        world.lines = lossy(10, loss);
        world.trunk = lossy(20, loss);
        world.hire("Anna", 0);
        world.hire("Boris", 1);
        lines_up(&mut world);
        meet(&mut world, A, B, true);
        world.parties[A].tone = Some(220.0);
        world.parties[B].tone = Some(150.0);
        connect(&mut world, A, B);
        world.run(secs(2));
        for party in [A, B] {
            assert!(hears(&mut world, party, secs(3)) > -40.0, "party {party} at {loss}");
        }
        let id = call(&mut world, A);
        world.command(A, Command::Say { call: id, text: "still here".into() }).unwrap();
        world.until(A, secs(10), |e| matches!(e, Event::TextArrived { .. }));
        hang_up(&mut world, B);
        ended(&mut world, A, End::ByOther);
    }
}

#[test]
fn a_line_that_is_cut_in_a_call_comes_back_by_itself() {
    for (seed, victim) in [(33, A), (34, B)] {
        let mut world = met(seed);
        world.parties[A].tone = Some(220.0);
        world.parties[B].tone = Some(150.0);
        connect(&mut world, A, B);
        let id = call(&mut world, 1 - victim);
        world.command(1 - victim, Command::Hold { call: id, on: true }).unwrap();
        world.run(secs(1));
        world.reach(victim, false);
        both_are(&mut world, CallState::Reconnecting);
        // What is changed meanwhile is known afterwards.
        world.command(1 - victim, Command::Hold { call: id, on: false }).unwrap();
        world.run(secs(8));
        world.reach(victim, true);
        both_are(&mut world, CallState::Connected);
        world.run(secs(1));
        for party in [A, B] {
            assert!(
                hears(&mut world, party, secs(1)) > -40.0,
                "party {party} after {victim} was cut"
            );
        }
        hang_up(&mut world, victim);
        ended(&mut world, 1 - victim, End::ByOther);
    }
}

#[test]
fn a_call_whose_way_does_not_come_back_ends() {
    let mut world = met(35);
    connect(&mut world, A, B);
    world.reach(B, false);
    ended(&mut world, A, End::Lost);
    ended(&mut world, B, End::Lost);
    world.reach(B, true);
    lines_up(&mut world);
    world.run(secs(5));
    let now = world.now;
    assert_eq!(world.parties[B].view(now).missed, 0, "late attempts are no missed calls");
    connect(&mut world, A, B);
}

#[test]
fn hanging_up_while_the_way_is_lost_reaches_the_other_side() {
    let mut world = met(36);
    connect(&mut world, A, B);
    world.cut_trunks(1, true);
    both_are(&mut world, CallState::Reconnecting);
    hang_up(&mut world, B);
    world.cut_trunks(1, false);
    ended(&mut world, A, End::ByOther);
}

#[test]
fn a_trunk_that_is_cut_in_a_call_comes_back_by_itself() {
    let mut world = met(37);
    connect(&mut world, A, B);
    world.cut_trunks(0, true);
    both_are(&mut world, CallState::Reconnecting);
    world.run(secs(10));
    world.cut_trunks(0, false);
    both_are(&mut world, CallState::Connected);
}

#[test]
fn a_call_survives_the_restart_of_either_exchange() {
    for (seed, office) in [(38, 0), (39, 1)] {
        let mut world = met(seed);
        world.parties[A].tone = Some(220.0);
        connect(&mut world, A, B);
        world.run(secs(1));
        world.kill_office(office);
        both_are(&mut world, CallState::Reconnecting);
        world.run(secs(3));
        world.start_office(office);
        both_are(&mut world, CallState::Connected);
        world.run(secs(1));
        assert!(hears(&mut world, B, secs(1)) > -40.0);
    }
}

#[test]
fn a_phone_that_restarts_in_a_call_ends_it_at_both_ends() {
    for (seed, victim) in [(40, A), (41, B)] {
        let mut world = met(seed);
        connect(&mut world, A, B);
        world.kill_party(victim);
        world.run(secs(1));
        world.start_party(victim);
        ended(&mut world, 1 - victim, End::Lost);
        world.run(secs(5));
        connect(&mut world, A, B);
    }
}

#[test]
fn a_line_cut_while_it_rings() {
    let mut world = met(42);
    ring(&mut world, A, B);
    world.reach(A, false);
    world.run(secs(3));
    assert_eq!(state(&mut world, A), Some(CallState::Calling), "true at any time");
    ended(&mut world, B, End::Missed);
    world.reach(A, true);
    let so = world.run_until(secs(20), |w| state(w, B) == Some(CallState::RingingHere));
    assert!(so, "it rings again");
    answer(&mut world, B);
    both_are(&mut world, CallState::Connected);
    let now = world.now;
    hang_up(&mut world, A);
    ended(&mut world, B, End::ByOther);
    assert_eq!(world.parties[B].view(now).history.len(), 1, "one call, one entry");
}

#[test]
fn a_full_disk_delays_and_says_so() {
    let mut world = met(43);
    world.parties[A].disk_full = true;
    world.command(A, Command::Call { contact: 1 }).unwrap();
    world.until(A, secs(2), |e| *e == Event::StoreFails);
    world.run(secs(3));
    let now = world.now;
    assert!(world.parties[A].view(now).store_fails);
    assert_eq!(state(&mut world, B), None, "nothing is said that is not written down");
    world.parties[A].disk_full = false;
    world.until(A, secs(3), |e| *e == Event::StoreWorks);
    let so = world.run_until(secs(2), |w| state(w, B) == Some(CallState::RingingHere));
    assert!(so);
}

#[test]
fn a_clock_that_is_a_day_off_is_noticed_and_does_no_harm() {
    for (seed, off) in [(44, 86_400), (45, -86_400)] {
        let mut world = lab::world::World::new(2, seed);
        world.hire("Anna", 0);
        world.hire("Boris", 1);
        world.parties[B].clock_off = off;
        world.until(B, secs(5), |e| matches!(e, Event::ClockWrong { .. }));
        let warned = |e: &Event| *e == Event::ClockWrong { seconds: -off };
        assert!(world.parties[B].saw(wire::Time(0), warned).is_some());
        lines_up(&mut world);
        let ttl = secs(3_600);
        let hint = "an hour".to_owned();
        world.command(A, Command::IssueCard { hint, in_person: true, ttl }).unwrap();
        world.until(A, secs(10), |e| matches!(e, Event::CardIssued { .. }));
        let now = world.now;
        let text = world.parties[A].view(now).cards[0].link.clone().unwrap();
        world.command(B, Command::RedeemCard { text, in_person: true }).unwrap();
        world.until(B, secs(10), |e| matches!(e, Event::ContactAccepted { .. }));
        world.run(secs(5));
        connect(&mut world, B, A);
        hang_up(&mut world, B);
        world.run(secs(1));
        let (now, wall) = (world.now, world.wall());
        let at = world.parties[B].view(now).history[0].at;
        assert!(at.0.abs_diff(wall.0) < 60, "corrected time is written down");
    }
}

#[test]
fn a_refused_handset_says_why() {
    let mut world = lab::world::World::new(1, 46);
    world.hire("Anna", 0);
    lines_up(&mut world);
    let used = world.token("Anna", 0);
    // Another handset uses the same token, first.
    world.hire("Anna", 0);
    let wrong = wire::enrol::EnrolLink { token: wire::Token([200; 16]), ..used };
    let (now, wall) = (world.now, world.wall());
    world.parties.push(lab::party::Party::new("Eve", 0, 9, now, wall));
    world.command(2, Command::Enrol(wrong)).unwrap();
    world.until(2, secs(5), |e| *e == Event::Refused(wire::line::Refusal::Token));
    let now = world.now;
    assert_ne!(world.parties[2].view(now).line, LineState::Up);
}
