//! Line tests: on schedule, truthful, giving way to calls, bounded whatever the other end does.

use core::time::Duration;
use std::collections::BTreeSet;

use wire::limits::VOICE_LEN;
use wire::line::{Closure, Failure, LineDown, LineUp, TestVerdict};
use wire::linetest::LineTest;
use wire::rows::Row;
use wire::trunk::Trunk;
use wire::{Address, Blob, Envelope, ExchangePub, Leg, Signature, Wall};

use super::trunks::Bare;
use super::world::{World, address, envelope, key, public};
use crate::quality::{History, Outcome, TestResult};
use crate::{Command, Event, Figures, Reply, TrunkInfo, limits, rows};

const HOUR: Duration = Duration::from_secs(3_600);

/// Two offices; those named test their trunks so often.
fn testing(every: Duration, offices: &[usize]) -> World {
    let mut w = World::new(2);
    for office in offices {
        w.offices[*office].config.line_test = Some(every);
        w.start(*office);
    }
    w
}

fn trunks(w: &mut World, office: usize) -> Vec<TrunkInfo> {
    w.command(office, 999, Command::ListTrunks);
    w.run(50);
    let reply = w.offices[office].replies.iter().rev().find_map(|(id, reply)| match reply {
        Reply::Trunks(trunks) if *id == 999 => Some(trunks.clone()),
        _ => None,
    });
    reply.unwrap()
}

fn results(w: &mut World, office: usize) -> Vec<Outcome> {
    let trunks = trunks(w, office);
    trunks.into_iter().flat_map(|t| t.results).map(|r| r.outcome).collect()
}

fn measured(outcome: &Outcome) -> Figures {
    match outcome {
        Outcome::Measured(figures) => *figures,
        other => panic!("not measured: {other:?}"),
    }
}

/// Office `office` tests its trunk to `other` now.
fn test_now(w: &mut World, office: usize, other: usize) {
    let key = w.offices[other].key;
    w.offices[office].exchange.as_mut().unwrap().start_test(&key);
    w.input(office, crate::Input::Tick);
}

fn failing(w: &mut World, office: usize) -> Option<Wall> {
    trunks(w, office)[0].failing_since
}

fn events(w: &World, office: usize) -> Vec<Event> {
    let alarms = |e: &&Event| matches!(e, Event::TrunkFails | Event::TrunkWorks);
    w.offices[office].events.iter().filter(alarms).copied().collect()
}

#[test]
fn a_trunk_is_tested_soon_and_then_on_schedule() {
    let mut w = testing(Duration::from_secs(300), &[0, 1]);
    w.contacts();
    w.run(80_000);
    for office in [0, 1] {
        assert_eq!(w.exchange(office).metrics().line_tests, 1, "10 to 70 s after the trunk is up");
    }
    // Forty minutes, looked at each second: tests of five minutes, give or take a quarter, and what they take.
    let (mut seen, mut before) = ([Vec::new(), Vec::new()], [1, 1]);
    for second in 0..2_400 {
        w.run(1_000);
        for office in [0, 1] {
            let now = w.exchange(office).metrics().line_tests;
            if now > before[office] {
                seen[office].push(second);
                before[office] = now;
            }
        }
    }
    for (office, seen) in seen.iter().enumerate() {
        let gaps: Vec<i32> = seen.windows(2).map(|w| w[1] - w[0]).collect();
        assert!(gaps.len() >= 5 && gaps.iter().all(|g| (230..=383).contains(g)), "{gaps:?}");
        assert!(gaps.iter().collect::<BTreeSet<_>>().len() > 3, "it wanders: {gaps:?}");
        assert!(results(&mut w, office).iter().all(|o| o.works() == Some(true)));
    }
    assert_ne!(seen[0], seen[1], "each has its own times");
    assert_eq!(w.exchange(0).metrics().line_tests_answered, seen[1].len() as u64 + 1);
    assert!(events(&w, 0).is_empty() && events(&w, 1).is_empty());
}

#[test]
fn an_exchange_that_makes_no_tests_answers_them() {
    let mut w = testing(HOUR, &[0]);
    w.contacts();
    w.run(80_000);
    assert_eq!(results(&mut w, 0).len(), 1);
    assert_eq!(results(&mut w, 1), []);
    assert_eq!(w.exchange(1).metrics().line_tests_answered, 1);
    assert_eq!(w.exchange(1).metrics().calls, 0, "it is no call");
}

#[test]
fn a_good_line_is_measured_to_the_tick() {
    let mut w = testing(HOUR, &[0]);
    w.contacts();
    test_now(&mut w, 0, 1);
    w.run(10_000);
    let figures = measured(&results(&mut w, 0)[0]);
    let counts = (figures.sent, figures.there, figures.back, figures.gaps, figures.longest_gap);
    assert_eq!(counts, (250, Some(250), 250, 0, 0));
    // 5 ms each way, and up to a tick of the other exchange's; always the same phase.
    assert!((10_000..=20_000).contains(&figures.round_trip_p50_us), "{figures:?}");
    assert_eq!(figures.round_trip_p95_us, figures.round_trip_p50_us);
    assert_eq!(figures.jitter_us, 0);
    // There and back, and up to a tick of each.
    assert!((10_000..=30_000).contains(&figures.opening_us), "{figures:?}");
    for office in [0, 1] {
        assert_eq!(w.exchange(office).metrics().legs, 0, "the voice path is free again");
        assert_eq!(w.exchange(office).metrics().voice_forwarded, 0);
    }
}

/// The other exchange, as the test wants it: it may keep voice, and say what it likes.
struct Far {
    bare: Bare,
    leg: Option<Leg>,
    frames: u16,
    /// Closed by office 0.
    closed: bool,
}

fn say(bare: &mut Bare, leg: Leg, body: &[u8]) {
    bare.say(&Trunk::Data { leg, body: Blob::new(body.to_vec()).unwrap() });
}

impl Far {
    fn new(w: &mut World, n: u8) -> Far {
        let mut bare = Bare::new(w, n);
        bare.run(w, 100);
        Far { bare, leg: None, frames: 0, closed: false }
    }

    /// Drives both for `ms` milliseconds. `keep`: which frame is not sent back; `report`: what is said of `n` frames.
    fn run(
        &mut self,
        w: &mut World,
        ms: u64,
        keep: fn(u16) -> bool,
        report: fn(u16) -> Option<u16>,
    ) {
        for _ in 0..ms {
            self.bare.run(w, 1);
            for (_, message) in core::mem::take(&mut self.bare.got) {
                match message {
                    Trunk::Open { leg, envelope } => {
                        assert_eq!(envelope.address, Address::LINE_TEST);
                        (self.leg, self.frames, self.closed) = (Some(leg), 0, false);
                        say(&mut self.bare, leg, &LineTest::Ready {}.encode());
                    }
                    Trunk::Close { leg } => self.closed |= Some(leg) == self.leg,
                    Trunk::Data { leg, body } => {
                        assert_eq!(LineTest::decode(body.as_bytes()), Ok(LineTest::Finish {}));
                        if let Some(received) = report(self.frames) {
                            say(&mut self.bare, leg, &LineTest::Report { received }.encode());
                        }
                    }
                    _ => {}
                }
            }
            for (_, leg, payload) in core::mem::take(&mut self.bare.heard) {
                assert_eq!(Some(leg), self.leg);
                if !keep(self.frames) {
                    self.bare.link.queue_voice(leg, &payload);
                }
                self.frames += 1;
            }
        }
    }
}

/// Office 0 and another exchange of the test's, which it tests now.
fn against(n: u8) -> (World, Far) {
    let mut w = testing(HOUR, &[0]);
    let mut far = Far::new(&mut w, n);
    start(&mut w, &mut far, n);
    (w, far)
}

fn start(w: &mut World, far: &mut Far, n: u8) {
    w.offices[0].exchange.as_mut().unwrap().start_test(&ExchangePub([n; 32]));
    far.bare.run(w, 0);
}

/// What office 0 has of its only trunk; its disk answers at once.
fn kept(w: &World) -> History {
    w.exchange(0).peers.values().next().unwrap().tests.clone()
}

fn last(w: &World) -> Outcome {
    kept(w).results.back().unwrap().outcome
}

#[test]
fn what_is_lost_there_and_what_is_lost_back_are_told_apart() {
    // Each tenth is kept back, in gaps of one: 25 of 250.
    let (mut w, mut far) = against(150);
    far.run(&mut w, 10_000, |n| n % 10 == 5, Some);
    let f = measured(&last(&w));
    assert_eq!((f.sent, f.there, f.back, f.gaps, f.longest_gap), (250, Some(250), 225, 25, 1));
    assert_eq!((f.lost(), f.too_lossy()), (25, true));
    // A gap of 12 is less than 5 %.
    let (mut w, mut far) = against(150);
    far.run(&mut w, 10_000, |n| (100..112).contains(&n), Some);
    let f = measured(&last(&w));
    assert_eq!((f.back, f.gaps, f.longest_gap, f.lost()), (238, 1, 12, 12));
    assert!(!f.too_lossy());
    // The same lost on the way there, as the other end says.
    let (mut w, mut far) = against(150);
    far.run(&mut w, 10_000, |n| n < 30, |n| Some(n - 30));
    let f = measured(&last(&w));
    assert_eq!((f.there, f.back, f.lost(), f.too_lossy()), (Some(220), 220, 30, true));
    // It says nothing: what counts is what came back.
    let (mut w, mut far) = against(150);
    far.run(&mut w, 15_000, |_| false, |_| None);
    let f = measured(&last(&w));
    assert_eq!((f.there, f.back, f.lost()), (None, 250, 0));
    assert!(far.closed);
}

#[test]
fn two_failures_in_a_row_are_an_alarm_and_a_success_clears_it() {
    let mut w = testing(HOUR / 6, &[0]);
    w.contacts();
    w.run(80_000);
    assert_eq!(results(&mut w, 0).len(), 1);
    w.offices[1].cut_off = true;
    w.cut(0, 1);
    // Within its ten minutes the trunk is found down; two minutes later again, and each ten from then on.
    w.wall = Wall(w.wall.0 + 1_200);
    w.run(1_800_000);
    let down = Outcome::Down;
    assert!(results(&mut w, 0)[1..].iter().all(|o| *o == down), "{:?}", results(&mut w, 0));
    assert!(results(&mut w, 0).len() >= 3);
    assert_eq!(failing(&mut w, 0), Some(w.wall));
    assert_eq!(events(&w, 0), [Event::TrunkFails], "told once");
    assert_eq!(w.exchange(0).metrics().trunks_failing, 1);
    // It comes back, and is tested soon after.
    w.offices[1].cut_off = false;
    w.run(120_000);
    assert_eq!(failing(&mut w, 0), None);
    assert_eq!(events(&w, 0), [Event::TrunkFails, Event::TrunkWorks]);
    assert!(matches!(results(&mut w, 0).last(), Some(Outcome::Measured(_))));
}

#[test]
fn one_failure_is_looked_at_again_within_minutes() {
    let mut w = testing(HOUR, &[0]);
    w.contacts();
    w.run(80_000);
    w.offices[1].cut_off = true;
    w.cut(0, 1);
    test_now(&mut w, 0, 1);
    assert_eq!(failing(&mut w, 0), None);
    w.run(160_000);
    assert!(failing(&mut w, 0).is_some());
}

/// So many calls of office 0 to nobody at office 1, each of which holds a voice path.
fn occupy(w: &mut World, calls: u16) {
    for n in 0..calls.div_ceil(4) {
        let phone = w.enrolled(0, &format!("caller {n}"), 100 + n as u8);
        for leg in 0..(calls - 4 * n).min(4) {
            w.open(phone, 2 * leg + 1, 1, envelope(77, &key(1), 1, b""));
        }
        w.run(600);
    }
    assert_eq!(w.exchange(1).metrics().legs, u64::from(calls));
}

#[test]
fn with_all_voice_paths_in_use_there_is_no_test() {
    let mut w = testing(HOUR, &[0]);
    w.contacts();
    occupy(&mut w, 16);
    let calls = w.exchange(1).metrics().calls;
    for _ in 0..2 {
        test_now(&mut w, 0, 1);
        w.run(1_000);
    }
    assert_eq!(results(&mut w, 0), [Outcome::Full, Outcome::Full]);
    assert_eq!(w.exchange(1).metrics().line_tests_answered, 0, "it was not even asked");
    assert_eq!(w.exchange(1).metrics().calls, calls);
    assert!(failing(&mut w, 0).is_some(), "a call would not go through either");
}

#[test]
fn a_test_gives_its_voice_path_to_a_call() {
    // A call of this office's, then one of the other's.
    for caller in [0, 1] {
        let mut w = testing(HOUR, &[0]);
        let (a, b) = w.contacts();
        occupy(&mut w, 15);
        test_now(&mut w, 0, 1);
        w.run(2_000);
        assert_eq!(w.exchange(0).metrics().legs, 31, "15 calls of two legs, and the test");
        let (from, to, bound) = if caller == 0 { (a, 2, 1) } else { (b, 1, 2) };
        w.open(from, 1, 1 - caller, envelope(to, &key(bound), 50, b"invite"));
        w.run(300);
        let called = if caller == 0 { b } else { a };
        w.incoming(called);
        assert_eq!(results(&mut w, 0), [Outcome::GaveWay], "{caller}");
        assert_eq!(failing(&mut w, 0), None);
        assert!(!w.got(from, |m| matches!(m, LineDown::Closed { .. })));
        w.run(10_000);
        assert_eq!(results(&mut w, 0), [Outcome::GaveWay], "nothing more comes of it");
        assert!(w.offices.iter().all(|o| o.closed.is_empty()));
        // The seventeenth call is refused as ever.
        let last = w.enrolled(0, "late", 99);
        w.open(last, 1, 1, envelope(77, &key(1), 2, b""));
        w.run(300);
        assert!(w.got(last, |m| matches!(m, LineDown::Closed { reason: Closure::Full, .. })));
    }
}

#[test]
fn a_joined_call_takes_the_path_of_a_test() {
    let mut w = testing(HOUR, &[0]);
    let (a, _) = w.contacts();
    let c = w.enrolled(0, "carla", 13);
    w.bind(c, 5, &key(5));
    w.open(a, 1, 1, envelope(2, &key(1), 60, b"invite"));
    w.open(a, 3, 0, envelope(5, &key(5), 1, b"bring"));
    w.run(300);
    let leg = w.incoming(c);
    w.send(c, &LineUp::Take { leg });
    occupy_more(&mut w, 14);
    test_now(&mut w, 0, 1);
    w.run(1_000);
    w.send(a, &LineUp::Join { leg: Leg(1), with: Leg(3) });
    w.run(300);
    assert_eq!(w.exchange(0).metrics().calls_joined, 1);
    assert_eq!(results(&mut w, 0), [Outcome::GaveWay]);
}

/// Like [`occupy`], beside one call that is there.
fn occupy_more(w: &mut World, calls: u16) {
    for n in 0..calls.div_ceil(4) {
        let phone = w.enrolled(0, &format!("caller {n}"), 100 + n as u8);
        for leg in 0..(calls - 4 * n).min(4) {
            w.open(phone, 2 * leg + 1, 1, envelope(77, &key(1), 1, b""));
        }
        w.run(600);
    }
}

#[test]
fn both_ends_test_at_the_same_time() {
    let mut w = testing(HOUR, &[0, 1]);
    w.contacts();
    test_now(&mut w, 0, 1);
    test_now(&mut w, 1, 0);
    w.run(3_000);
    for office in [0, 1] {
        assert_eq!(w.exchange(office).metrics().legs, 2);
    }
    w.run(7_000);
    for office in [0, 1] {
        let figures = measured(&results(&mut w, office)[0]);
        assert_eq!((figures.there, figures.back), (Some(250), 250));
        assert_eq!(w.exchange(office).metrics().legs, 0);
    }
}

#[test]
fn a_test_leaves_the_voice_of_calls_alone() {
    let mut w = testing(HOUR, &[0, 1]);
    let (a, b) = w.contacts();
    super::calls::call(&mut w, a, b, 2);
    w.run(1_000);
    let heard = |w: &mut World, phone: usize| {
        w.phones[phone].heard.clear();
        w.run(4_000);
        w.phones[phone].heard.len()
    };
    w.phones[a].talks = Some((Leg(1), 65));
    w.run(100);
    let before = heard(&mut w, b);
    test_now(&mut w, 0, 1);
    test_now(&mut w, 1, 0);
    w.run(200);
    assert_eq!((before, heard(&mut w, b)), (200, 200));
}

#[test]
fn history_and_alarm_outlive_the_process() {
    let mut w = testing(HOUR, &[0]);
    w.contacts();
    test_now(&mut w, 0, 1);
    w.run(10_000);
    w.offices[1].cut_off = true;
    w.cut(0, 1);
    for _ in 0..2 {
        test_now(&mut w, 0, 1);
    }
    let before = trunks(&mut w, 0);
    assert_eq!(before[0].results.len(), 3);
    assert!(before[0].failing_since.is_some());
    // What was shown is on disk: the reply waited for it.
    w.kill(0);
    w.start(0);
    assert_eq!(trunks(&mut w, 0), before);
    // And it goes on from there: the next success is the end of that alarm.
    w.offices[1].cut_off = false;
    w.run(120_000);
    assert_eq!(failing(&mut w, 0), None);
    assert_eq!(events(&w, 0).last(), Some(&Event::TrunkWorks));
    assert_eq!(results(&mut w, 0).len(), 4);
}

#[test]
fn a_trunk_that_does_not_come_back_after_a_restart_is_an_alarm() {
    let mut w = testing(HOUR, &[0]);
    w.contacts();
    w.offices[1].cut_off = true;
    w.cut(0, 1);
    w.kill(0);
    w.start(0);
    w.run(240_000);
    assert!(failing(&mut w, 0).is_some());
}

#[test]
fn no_more_than_the_newest_results_are_kept() {
    let mut w = testing(HOUR, &[0]);
    w.contacts();
    w.offices[1].cut_off = true;
    w.cut(0, 1);
    for _ in 0..2 * limits::TESTS_KEPT {
        test_now(&mut w, 0, 1);
    }
    assert_eq!(results(&mut w, 0).len(), limits::TESTS_KEPT);
    let row = w.offices[0].rows.iter().find(|((space, _), _)| *space == rows::TESTS).unwrap();
    assert!(row.1.len() <= 13 + limits::TESTS_KEPT * 36, "{} bytes", row.1.len());
}

#[test]
fn an_exchange_that_does_not_know_tests_is_no_alarm() {
    let mut w = testing(HOUR, &[0]);
    let mut bare = Bare::new(&mut w, 150);
    bare.run(&mut w, 100);
    for _ in 0..3 {
        w.offices[0].exchange.as_mut().unwrap().start_test(&ExchangePub([150; 32]));
        bare.run(&mut w, 6_000);
    }
    assert!(kept(&w).results.iter().all(|r| r.outcome == Outcome::NotSupported));
    assert_eq!(kept(&w).failing(), None);
    assert!(w.offices[0].closed.is_empty(), "the trunk stays");
    let opened = bare.got.iter().filter(|(_, m)| matches!(m, Trunk::Open { .. })).count();
    let closed = bare.got.iter().filter(|(_, m)| matches!(m, Trunk::Close { .. })).count();
    assert_eq!((opened, closed), (3, 3));
    // All that it was sent is what every version knows, and no voice.
    assert!(bare.heard.is_empty());
}

#[test]
fn an_exchange_that_answered_before_and_does_not_is_an_alarm() {
    let (mut w, mut far) = against(150);
    far.run(&mut w, 10_000, |_| false, Some);
    for _ in 0..2 {
        start(&mut w, &mut far, 150);
        far.bare.run(&mut w, 6_000);
    }
    assert_eq!(last(&w), Outcome::Silent);
    assert!(kept(&w).failing().is_some());
}

#[test]
fn an_exchange_that_closes_the_leg_had_no_path_or_gave_way() {
    let (mut w, mut far) = against(150);
    far.bare.run(&mut w, 100);
    let Some((_, Trunk::Open { leg, .. })) = far.bare.got.pop() else { panic!("no test") };
    far.bare.say(&Trunk::Close { leg });
    far.bare.run(&mut w, 100);
    assert_eq!(last(&w), Outcome::Refused);
    start(&mut w, &mut far, 150);
    far.run(&mut w, 3_000, |_| false, Some);
    let leg = far.leg.unwrap();
    far.bare.say(&Trunk::Close { leg });
    far.run(&mut w, 100, |_| false, Some);
    assert_eq!(last(&w), Outcome::GaveWay);
    assert_eq!(w.exchange(0).metrics().legs, 0);
}

fn open(bare: &mut Bare, leg: u16) {
    let envelope = Envelope {
        address: Address::LINE_TEST,
        device: 0,
        counter: 0,
        signature: Signature([0; 64]),
        body: Blob::default(),
    };
    bare.say(&Trunk::Open { leg: Leg(leg), envelope });
}

fn ready(bare: &Bare) -> usize {
    let ready = LineTest::Ready {}.encode();
    let is = |m: &Trunk| matches!(m, Trunk::Data { body, .. } if body.as_bytes() == ready);
    bare.got.iter().filter(|(_, m)| is(m)).count()
}

#[test]
fn another_exchange_has_one_test_at_a_time_and_not_many() {
    let mut w = World::new(1);
    let mut bare = Bare::new(&mut w, 150);
    for n in 0..20u16 {
        open(&mut bare, 2 * n + 1);
    }
    bare.run(&mut w, 500);
    assert_eq!(ready(&bare), 1);
    assert_eq!(w.exchange(0).metrics().legs, 1);
    let closed = bare.got.iter().filter(|(_, m)| matches!(m, Trunk::Close { .. })).count();
    assert_eq!(closed, 19);
    // One after the other, for a minute: four, and one each 10 s.
    for n in 0..120u16 {
        bare.say(&Trunk::Close { leg: Leg(2 * n + 1) });
        open(&mut bare, 2 * n + 3);
        bare.run(&mut w, 500);
        assert!(w.exchange(0).metrics().legs <= 1);
    }
    assert!((8..=11).contains(&ready(&bare)), "{}", ready(&bare));
    assert!(w.offices[0].closed.is_empty());
}

#[test]
fn another_exchange_gets_no_more_back_than_a_call_sends_and_for_half_a_minute() {
    let mut w = World::new(1);
    let mut bare = Bare::new(&mut w, 150);
    open(&mut bare, 1);
    bare.run(&mut w, 50);
    let from = w.now;
    // Eight frames in each cell, 800 a second.
    for n in 0..4_000u16 {
        for k in 0..8 {
            let mut payload = [0; VOICE_LEN];
            payload[..2].copy_from_slice(&n.to_be_bytes());
            payload[2] = k;
            bare.link.queue_voices(Leg(1), &payload, 8);
        }
        bare.run(&mut w, 10);
        let most = w.now.since(from).as_millis() / 20 + limits::TEST_AHEAD + 3;
        assert!(bare.heard.len() as u128 <= most, "{} of {most}", bare.heard.len());
    }
    let last = bare.heard.last().unwrap().0;
    assert!(last.since(from) <= limits::TEST_MOST + Duration::from_millis(50));
    assert!(bare.heard.len() > 500, "it was not a test of nothing: {}", bare.heard.len());
    assert_eq!(w.exchange(0).metrics().legs, 0, "40 s later the path is free");
    // It asks again and again how many came, and is told once.
    open(&mut bare, 3);
    bare.run(&mut w, 50);
    for _ in 0..100 {
        say(&mut bare, Leg(3), &LineTest::Finish {}.encode());
    }
    bare.run(&mut w, 2_000);
    let report = |m: &Trunk| matches!(m, Trunk::Data { body, .. } if body.as_bytes()[0] == 3);
    assert_eq!(bare.got.iter().filter(|(_, m)| report(m)).count(), 1);
}

#[test]
fn nonsense_on_a_test_ends_the_test_and_not_the_trunk() {
    for body in [&[][..], &[9], &[3], &[1, 0], &[0; 16_000]] {
        // As the one that tests.
        let mut w = World::new(1);
        let mut bare = Bare::new(&mut w, 150);
        open(&mut bare, 1);
        bare.run(&mut w, 50);
        say(&mut bare, Leg(1), body);
        bare.run(&mut w, 1_000);
        assert_eq!(w.exchange(0).metrics().legs, 0);
        assert!(matches!(bare.got.last(), Some((_, Trunk::Close { leg: Leg(1) }))));
        assert!(w.offices[0].closed.is_empty());
        // As the one that is tested.
        let (mut w, mut far) = against(150);
        far.run(&mut w, 1_000, |_| false, Some);
        let leg = far.leg.unwrap();
        say(&mut far.bare, leg, body);
        far.run(&mut w, 1_000, |_| false, Some);
        assert!(far.closed);
        assert_eq!(w.exchange(0).metrics().legs, 0);
        assert!(w.offices[0].closed.is_empty());
    }
}

#[test]
fn what_comes_at_the_wrong_time_changes_nothing() {
    let (mut w, mut far) = against(150);
    far.run(&mut w, 500, |_| false, Some);
    let leg = far.leg.unwrap();
    let early = [
        LineTest::Ready {}.encode(),
        LineTest::Report { received: 0 }.encode(),
        LineTest::Finish {}.encode(),
    ];
    for body in early {
        say(&mut far.bare, leg, &body);
    }
    // Echoes of frames that were not sent yet, or never are. (None of the other end's own waits at the moment.)
    far.bare.run(&mut w, 10);
    for n in 0..=u8::MAX {
        let mut payload = [7; VOICE_LEN];
        payload[..2].copy_from_slice(&[0, n]);
        far.bare.link.queue_voices(leg, &payload, 16);
    }
    far.run(&mut w, 10_000, |_| false, Some);
    let f = measured(&last(&w));
    assert_eq!((f.sent, f.there, f.back), (250, Some(250), 250));
}

#[test]
fn the_cells_of_a_trunk_are_the_same_with_a_test_and_without() {
    let mut w = testing(HOUR, &[0, 1]);
    w.contacts();
    w.run(1_000);
    let cells = |w: &mut World| {
        let from = w.trunk_cells.len();
        w.run(9_000);
        let mut ticks = [Vec::new(), Vec::new()];
        for (at, office, len) in &w.trunk_cells[from..] {
            assert_eq!(*len, 1_120);
            ticks[*office].push(*at);
        }
        ticks.map(|at| {
            assert!(at.windows(2).all(|w| w[1].0 - w[0].0 == 10_000), "one cell each tick");
            (at.len(), at[0].0 % 10_000)
        })
    };
    let without = cells(&mut w);
    test_now(&mut w, 0, 1);
    test_now(&mut w, 1, 0);
    let with = cells(&mut w);
    assert_eq!(without, with);
    assert!(measured(&results(&mut w, 0)[0]).back == 250, "a test was made meanwhile");
    assert_eq!(with[0].0, 900);
}

#[test]
fn the_address_of_line_tests_is_nobodys() {
    let mut w = World::new(2);
    let (a, b) = w.contacts();
    let bound = public(&key(1));
    w.send(a, &LineUp::RegisterBound { request: 70, address: Address::LINE_TEST, bound });
    w.run(200);
    assert!(w.got(a, |m| *m == LineDown::Failed { request: 70, reason: Failure::Taken }));
    // A handset that opens a leg to it hears nothing, at its own exchange and at the other.
    for (leg, office) in [(1, 0), (3, 1)] {
        w.open(a, leg, office, envelope(0, &key(1), 1, b""));
        w.phones[a].talks = Some((Leg(leg), 65));
        w.run(1_000);
    }
    assert_eq!(address(0), Address::LINE_TEST);
    assert!(w.phones[a].heard.is_empty() && w.phones[b].inbox.is_empty());
    assert!(!w.got(a, |m| matches!(m, LineDown::LegData { .. } | LineDown::Closed { .. })));
    assert_eq!(w.exchange(1).metrics().line_tests_answered, 0);
    assert_eq!(w.exchange(1).metrics().legs, 0, "nothing of it crosses the trunk");
}

#[test]
fn a_row_of_results_reads_back_and_a_damaged_one_is_refused() {
    let figures = Figures {
        sent: 250,
        there: Some(249),
        back: 248,
        gaps: 2,
        longest_gap: 1,
        round_trip_p50_us: 14_000,
        round_trip_p95_us: 24_000,
        jitter_us: 300,
        opening_us: 31_000,
    };
    let mut history = History::default();
    for (at, outcome) in (1..).zip([
        Outcome::Measured(figures),
        Outcome::Measured(Figures { there: None, ..figures }),
        Outcome::GaveWay,
        Outcome::NotSupported,
        Outcome::Down,
        Outcome::Full,
        Outcome::Refused,
        Outcome::Silent,
    ]) {
        history.add(TestResult { at: Wall(at), outcome });
    }
    let row = |value: Vec<u8>| Row { space: rows::TESTS, key: vec![7; 32], value };
    let whole = rows::tests(&history);
    let read = |value: Vec<u8>| match rows::read(&row(value)) {
        Ok(rows::Stored::Tests(key, history)) => Some((key, history)),
        _ => None,
    };
    assert_eq!(read(whole.clone()), Some((ExchangePub([7; 32]), history)));
    // Cut anywhere it is refused, or shorter by whole results.
    let lengths: BTreeSet<_> = (0..whole.len())
        .filter_map(|n| read(whole[..n].to_vec()))
        .map(|(_, h)| h.results.len())
        .collect();
    assert_eq!(lengths, (0..8).collect());
    let whole_cuts = (0..whole.len()).filter(|n| read(whole[..*n].to_vec()).is_some()).count();
    assert_eq!(whole_cuts, 8);
    let mut wrong = whole;
    wrong[13 + 8] = 8;
    assert!(read(wrong).is_none(), "an outcome that is none");
}

#[test]
fn who_watches_a_trunk_is_told_and_nobody_else() {
    let mut w = testing(HOUR, &[0]);
    let (a, b) = w.contacts();
    let other = w.enrolled(0, "carla", 21);
    let (key, nobody) = (w.offices[1].key, ExchangePub([9; 32]));
    w.run(80_000);
    assert_eq!(w.exchange(0).metrics().line_tests, 1);
    for phone in [a, b, other] {
        w.phones[phone].inbox.clear();
    }
    // Asked twice, and of an exchange that is not there.
    for exchange in [key, nobody, key] {
        w.send(a, &LineUp::Watch { exchange });
    }
    w.send(other, &LineUp::Watch { exchange: nobody });
    w.run(200);
    let told = |w: &World, phone: usize| w.phones[phone].inbox.len();
    assert_eq!([a, b, other].map(|phone| told(&w, phone)), [1, 0, 0], "what is known, once");
    test_now(&mut w, 0, 1);
    w.run(20_000);
    assert_eq!([a, b, other].map(|phone| told(&w, phone)), [2, 0, 0]);
    let LineDown::Tested { exchange, verdict, failing, sent, lost, .. } = w.phones[a].inbox[1]
    else {
        panic!("{:?}", w.phones[a].inbox[1]);
    };
    assert_eq!((exchange, verdict, failing), (key, TestVerdict::Works, Wall(0)));
    assert_eq!((sent, lost), (limits::TEST_FRAMES, 0));
    // A line that asks for more than there can be is told of the first ones.
    for n in 0..=limits::WATCHES_PER_LINE {
        let exchange = ExchangePub([n as u8 + 150; 32]);
        w.send(other, &LineUp::Watch { exchange });
    }
    w.send(other, &LineUp::Watch { exchange: key });
    w.run(2_000);
    assert_eq!(w.phones[other].inbox, []);
}
