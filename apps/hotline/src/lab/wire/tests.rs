//! The detectors themselves, on captures that are made up: nothing must be found in noise, and each leak in what leaks.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use super::capture::{Datagram, Grid, Link, Run, State, Stretch, Way};
use super::detect::{Effort, Finding, SECOND, TASKS, classify, samples};
use super::learn::Method;
use super::meddler::Meddling;
use super::partners::Partners;
use super::report::Report;
use super::states::LINE_TICK;
use super::stats::{Scored, auc, by_run, holm, interval, permutation, shuffle};
use super::{active, equal, pairs, timing};

const EFFORT: Effort = Effort { rounds: 4_000, seed: 11 };
const LENGTH: i64 = 10 * SECOND + SECOND / 10;

fn uniform(rng: &mut ChaCha20Rng) -> f64 {
    f64::from(rng.next_u32()) / f64::from(u32::MAX)
}

/// About normal: the sum of twelve.
fn normal(rng: &mut ChaCha20Rng) -> f64 {
    (0..12).map(|_| uniform(rng)).sum::<f64>() - 6.0
}

/// What a made-up sender does in a state.
#[derive(Clone, Copy)]
struct Habit {
    /// Mean delay after the tick. Microseconds.
    delay: f64,
    /// Its deviation.
    jitter: f64,
    /// Packet sizes: this, and up to so many bytes more.
    size: (u16, u16),
    /// Of a hundred ticks, so many have a cell.
    cells: u32,
}

const STEADY: Habit = Habit { delay: 100.0, jitter: 60.0, size: (255, 0), cells: 100 };

/// Two lines that go through idle and talking in random order, each with a clock, a load and hiccups of its own.
fn run(rng: &mut ChaCha20Rng, habit: impl Fn(State) -> Habit) -> Run {
    let mut order = [vec![State::Idle; 2], vec![State::Talking; 2]].concat();
    shuffle(rng, &mut order);
    let stretches: Vec<Stretch> = order
        .iter()
        .enumerate()
        .map(|(n, state)| {
            let from = n as i64 * (LENGTH + SECOND);
            Stretch { state: *state, from, until: from + LENGTH }
        })
        .collect();
    let links = (0..2)
        .map(|_| {
            let phase = (uniform(rng) * LINE_TICK as f64) as i64;
            let load = 1.0 + uniform(rng);
            let mut way: Way = Vec::new();
            let end = stretches.last().map_or(0, |s| s.until);
            for tick in 0..end / LINE_TICK {
                let due = phase + tick * LINE_TICK;
                let state = stretches.iter().find(|s| due < s.until + SECOND).map(|s| s.state);
                let h = habit(state.unwrap_or(State::Idle));
                // A machine that drifts and stumbles, whatever its people do.
                let drift = 30.0 * (tick as f64 / 700.0).sin();
                let stumble =
                    if rng.next_u32().is_multiple_of(200) { 1_500.0 * uniform(rng) } else { 0.0 };
                let late = (h.delay + drift + stumble + h.jitter * load * normal(rng)) * 1e3;
                if rng.next_u32() % 100 < h.cells {
                    let more = if h.size.1 == 0 { 0 } else { rng.next_u32() as u16 % h.size.1 };
                    way.push(Datagram { at: due + late as i64, size: h.size.0 + more });
                }
                if tick.rem_euclid(10) == 3 {
                    way.push(Datagram { at: due + late as i64 - 5_000, size: 33 });
                }
            }
            way.sort_by_key(|d| d.at);
            Link { ways: vec![way], tick: LINE_TICK }
        })
        .collect();
    Run { stretches, links }
}

fn runs(seed: u64, count: usize, habit: impl Fn(State) -> Habit) -> Vec<Run> {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    (0..count).map(|_| run(&mut rng, &habit)).collect()
}

fn talking(habit: Habit) -> impl Fn(State) -> Habit {
    move |state| if state == State::Talking { habit } else { STEADY }
}

fn shown(found: &[Finding]) -> String {
    found
        .iter()
        .map(|f| format!("{} {} s: {:?}, p {}\n", f.detector, f.window_s, f.auc, f.p))
        .collect()
}

#[test]
fn auc_counts_pairs_and_halves_ties() {
    let of = |rows: &[(bool, f64)]| {
        let scored = rows.iter().map(|(positive, score)| Scored {
            run: 0,
            unit: 0,
            positive: *positive,
            score: *score,
        });
        auc(&scored.collect::<Vec<_>>())
    };
    assert_eq!(of(&[(false, 1.0), (true, 2.0), (true, 3.0)]), 1.0);
    assert_eq!(of(&[(true, 1.0), (false, 2.0)]), 0.0);
    assert_eq!(of(&[(true, 1.0), (false, 1.0)]), 0.5);
    assert_eq!(of(&[(true, 1.0), (false, 1.0), (true, 2.0), (false, 0.0)]), 0.875);
    assert_eq!(of(&[(true, 1.0)]), 0.5, "one class alone tells nothing");
}

#[test]
fn holm_steps_down_and_stops() {
    // 0.01 <= 0.04/4 falls, 0.013 <= 0.04/3 falls, 0.03 > 0.04/2 stands, and with it all after.
    assert_eq!(holm(&[0.03, 0.01, 0.013, 0.031], 0.04), [false, true, true, false]);
    assert_eq!(holm(&[], 0.01), [false; 0]);
    assert_eq!(by_run(&[0, 0, 2, 2, 2, 5]), [0..2, 2..5, 5..6]);
}

/// Scores that run with the run and the unit, but not with the label: what makes naive p-values lie.
fn null(rng: &mut ChaCha20Rng) -> Vec<Scored> {
    let mut scored = Vec::new();
    for run in 0..6 {
        let of_run = normal(rng);
        let mut labels = [true, true, false, false];
        shuffle(rng, &mut labels);
        for (unit, positive) in labels.into_iter().enumerate() {
            let of_unit = normal(rng);
            for _ in 0..10 {
                let score = 2.0 * of_run + 2.0 * of_unit + normal(rng);
                scored.push(Scored { run, unit, positive, score });
            }
        }
    }
    scored
}

#[test]
fn p_values_of_noise_are_uniform_though_its_windows_hang_together() {
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    let mut p: Vec<f64> = (0..400)
        .map(|_| {
            let scored = null(&mut rng);
            permutation(&scored, 300, &mut rng)
        })
        .collect();
    p.sort_by(f64::total_cmp);
    let n = p.len() as f64;
    let distance =
        p.iter().enumerate().map(|(i, p)| (p - (i as f64 + 0.5) / n).abs()).fold(0.0, f64::max);
    // Kolmogorov's bound at 1 %: 1.63 / sqrt(400).
    assert!(distance < 0.0815, "{distance}");
    let at_five = p.iter().filter(|p| **p <= 0.05).count();
    assert!((6..=36).contains(&at_five), "{at_five} of 400 at 5 %");
}

#[test]
fn the_interval_over_runs_holds_what_it_says() {
    let mut rng = ChaCha20Rng::seed_from_u64(6);
    let held = (0..150)
        .filter(|_| {
            let (one, two) = (null(&mut rng), null(&mut rng));
            let (low, high) = interval(&[&one, &two], 300, &mut rng);
            low <= 0.5 && 0.5 <= high
        })
        .count();
    // 95 % in the limit; with six runs a half, somewhat less.
    assert!(held >= 150 * 8 / 10, "{held} of 150");
}

#[test]
fn nothing_is_found_where_nothing_is() {
    let found = classify("line", &runs(21, 10, |_| STEADY), &TASKS[..2], EFFORT);
    assert_eq!(found.len(), 20, "five methods, two windows, two questions");
    let falls = holm(&found.iter().map(|f| f.p).collect::<Vec<_>>(), 0.01);
    assert!(!falls.contains(&true), "{}", shown(&found));
    let mean = found.iter().filter_map(|f| f.auc).sum::<f64>() / found.len() as f64;
    assert!((0.38..0.62).contains(&mean), "{mean}: {}", shown(&found));
    let timing = timing::test("line", &runs(21, 10, |_| STEADY), 0, &TASKS[0], EFFORT);
    assert!(timing.iter().all(|f| f.p > 0.01), "{}", shown(&timing));
}

#[test]
fn the_same_capture_gives_the_same_figures() {
    let runs = runs(22, 4, |_| STEADY);
    let figures = || {
        let found = classify("line", &runs, &TASKS[..1], EFFORT);
        found.iter().map(|f| (f.auc, f.auc_low, f.p)).collect::<Vec<_>>()
    };
    assert_eq!(figures(), figures());
}

#[test]
fn every_method_finds_each_leak() {
    let leaks = [
        // Mumble at constant bit rate: .28 ms silent, .53 ms talking, as its gaps spread.
        ("work before the send", Habit { delay: 400.0, jitter: 150.0, ..STEADY }),
        ("sizes", Habit { size: (200, 90), ..STEADY }),
        ("on demand", Habit { cells: 2, ..STEADY }),
    ];
    for (name, habit) in leaks {
        let runs = runs(31, 8, talking(habit));
        let found = classify("line", &runs, &TASKS[..1], EFFORT);
        assert_eq!(found.len(), 10);
        for f in &found {
            assert!(f.auc.unwrap() >= 0.99 && f.p <= 0.001, "{name}:\n{}", shown(&found));
        }
    }
}

#[test]
fn the_timing_tests_find_what_they_are_for() {
    let spread = Habit { jitter: 120.0, ..STEADY };
    let found = timing::test("line", &runs(41, 8, talking(spread)), 0, &TASKS[0], EFFORT);
    assert_eq!(found.len(), 3);
    assert!(found.iter().all(|f| f.p <= 0.001), "{}", shown(&found));
}

#[test]
fn windows_of_one_run_are_never_on_both_sides() {
    // What only marks the run is no help: each run's labels are balanced.
    let samples = samples(&runs(51, 6, |_| STEADY), &TASKS[0], 2);
    assert_eq!(samples.len(), 6 * 2 * 4 * 5);
    for run in 0..6 {
        let of =
            |positive| samples.iter().filter(|s| s.run == run && s.positive == positive).count();
        assert_eq!(of(true), of(false));
    }
}

#[test]
fn a_clock_is_found_in_late_and_missing_cells() {
    let phase = 19_000_000;
    let at = |tick: i64, late_us: i64| Datagram {
        at: phase + tick * LINE_TICK + late_us * 1_000,
        size: 255,
    };
    // Tick 3 is late by 19.9 ms, tick 5 is missing.
    let mut way = vec![at(0, 0), at(1, 10), at(2, -10), at(3, 19_900), at(4, 20), at(6, 0)];
    way.extend((7..40).map(|tick| at(tick, 0)));
    let grid = Grid::new(&way, LINE_TICK);
    let ticks: Vec<i64> = grid.cells.iter().map(|c| c.tick - grid.cells[0].tick).collect();
    assert_eq!(ticks, [0, 1, 2, 3, 4].into_iter().chain(6..40).collect::<Vec<i64>>());
    assert!((grid.cells[3].late - 19_900.0).abs() < 50.0, "{}", grid.cells[3].late);
}

#[test]
fn the_clock_of_who_speaks_much_and_of_who_is_silent_are_the_same() {
    let mut rng = ChaCha20Rng::seed_from_u64(53);
    for late_ones in [10, 50, 80] {
        let way: Way = (0..500)
            .map(|tick| {
                let late = if rng.next_u32() % 100 < late_ones { 600_000 } else { 0 };
                Datagram { at: 7_000_000 + tick * LINE_TICK + late, size: 255 }
            })
            .collect();
        let grid = Grid::new(&way, LINE_TICK);
        let least = grid.cells.iter().map(|c| c.late).fold(f64::MAX, f64::min);
        assert!(least.abs() < 1.0, "{late_ones} of 100 cells are late: {least}");
    }
}

#[test]
fn one_odd_size_and_a_second_cell_are_unequal() {
    let good = runs(61, 2, |_| Habit { jitter: 20.0, ..STEADY });
    let doubled = |run: &Run| Run {
        links: run.links.iter().map(|l| Link { ways: vec![l.ways[0].clone(); 2], ..*l }).collect(),
        ..run.clone()
    };
    let good: Vec<Run> = good.iter().map(doubled).collect();
    assert!(equal::check(&good, &[]).equal, "{:?}", equal::check(&good, &[]));
    let mut odd = good.clone();
    odd[1].links[0].ways[0][700].size += 1;
    assert!(!equal::check(&odd, &[]).equal);
    let mut twice = good.clone();
    let again = twice[0].links[1].ways[1][305];
    twice[0].links[1].ways[1].insert(306, Datagram { at: again.at + 1_000, size: 255 });
    assert!(!equal::check(&twice, &[]).equal);
    assert!(!equal::check(&[], &[]).equal, "nothing was compared");
}

/// Eight pairs through a relay: on its own clock, or on arrival.
fn partners(seed: u64, on_arrival: bool) -> Partners {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let slots = 24;
    let (talk, slot) = (20 * SECOND, SECOND);
    let mut meddled = Vec::new();
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for _ in 0..8 {
        let kinds = [Meddling::Pass, Meddling::Drop, Meddling::Delay];
        let mut plan: Vec<Meddling> = kinds.iter().flat_map(|k| [*k; 8]).collect();
        shuffle(&mut rng, &mut plan);
        let sent = |rng: &mut ChaCha20Rng| -> Way {
            let phase = (uniform(rng) * LINE_TICK as f64) as i64;
            (0..(talk + slot * slots) / LINE_TICK)
                .map(|t| Datagram {
                    at: phase + t * LINE_TICK + (60_000.0 * normal(rng)) as i64,
                    size: 255,
                })
                .collect()
        };
        let (up_a, up_b) = (sent(&mut rng), sent(&mut rng));
        let mut relayed = |up: &Way, meddled: Option<&[Meddling]>| -> Way {
            if !on_arrival {
                return sent(&mut rng);
            }
            let mut down: Way = Vec::new();
            for (n, cell) in up.iter().enumerate() {
                let slot_of = usize::try_from((cell.at - talk).div_euclid(slot)).ok();
                let what = meddled.zip(slot_of).and_then(|(m, s)| m.get(s)).copied();
                let late = 90_000 + (20_000.0 * normal(&mut rng)) as i64;
                match what {
                    Some(Meddling::Drop) if n.is_multiple_of(2) => {}
                    Some(Meddling::Delay) => {
                        down.push(Datagram { at: cell.at + late + 47_000_000, size: 511 })
                    }
                    _ => down.push(Datagram { at: cell.at + late, size: 511 }),
                }
            }
            down.sort_by_key(|d| d.at);
            down
        };
        let (down_b, down_a) = (relayed(&up_a, Some(&plan)), relayed(&up_b, None));
        a.push(Link { ways: vec![up_a, down_a], tick: LINE_TICK });
        b.push(Link { ways: vec![up_b, down_b], tick: LINE_TICK });
        meddled.push(plan);
    }
    Partners { a, b, trunk: None, talk: (0, talk), slots: (talk, slot), meddled }
}

/// The same through a relay on arrival, of lines that have cells only in some seconds, by the toss of a coin.
fn on_demand(seed: u64) -> Partners {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let mut partners = partners(seed, true);
    let mut thin = |up: &mut Way, down: &mut Way| {
        let speaks: Vec<bool> = (0..60).map(|_| rng.next_u32().is_multiple_of(2)).collect();
        for way in [up, down] {
            way.retain(|d| speaks[usize::try_from(d.at / SECOND).unwrap_or(0) % speaks.len()]);
        }
    };
    for (a, b) in partners.a.iter_mut().zip(&mut partners.b) {
        thin(&mut a.ways[0], &mut b.ways[1]);
        thin(&mut b.ways[0], &mut a.ways[1]);
    }
    partners
}

#[test]
fn who_talks_to_whom_is_found_on_arrival_and_not_on_a_clock() {
    let leaky = pairs::find("relay", &partners(71, true), EFFORT);
    for f in leaky.iter().filter(|f| f.detector != "counts") {
        assert!(f.auc.unwrap() >= 0.99 && f.p < 0.001, "{}", shown(&leaky));
    }
    let spoken = pairs::find("relay", &on_demand(73), EFFORT);
    let counts = spoken.iter().find(|f| f.detector == "counts").unwrap();
    assert!(counts.auc.unwrap() >= 0.99 && counts.p < 0.001, "{}", shown(&spoken));
    let clocked = pairs::find("relay", &partners(72, false), EFFORT);
    assert!(clocked.iter().all(|f| f.p > 0.01), "{}", shown(&clocked));
}

#[test]
fn meddling_is_seen_through_a_relay_on_arrival_and_not_on_a_clock() {
    let leaky = active::find_on_relay(&partners(81, true), "relay", EFFORT);
    assert_eq!(leaky.len(), 2 * active::METHODS.len());
    for f in &leaky {
        assert!(f.auc.unwrap() >= 0.99 && f.p <= 0.001, "{}", shown(&leaky));
    }
    // What is done to one line does not move a third one, not even there.
    let all = active::find(&partners(81, true), EFFORT);
    let bystander = all.iter().filter(|f| f.link.starts_with("bystander"));
    assert_eq!(bystander.clone().filter(|f| f.p > 0.001).count(), 2 * active::METHODS.len());
    let clocked = active::find(&partners(82, false), EFFORT);
    let falls = holm(&clocked.iter().map(|f| f.p).collect::<Vec<_>>(), 0.01);
    assert!(!clocked.is_empty() && !falls.contains(&true), "{}", shown(&clocked));
}

#[test]
fn methods_have_names_of_their_own() {
    let mut names = Method::ALL.map(Method::name).to_vec();
    names.dedup();
    assert_eq!(names.len(), 5);
}

/// A detector's finding that is of no other interest.
fn finding(auc: Option<f64>, p: f64) -> Finding {
    Finding {
        link: "line",
        task: "idle | talking",
        detector: "one",
        window_s: 2.0,
        auc,
        auc_low: auc,
        auc_high: auc,
        p,
        windows: 10,
        runs: 4,
        told_apart: false,
    }
}

fn report(detectors: Vec<Finding>, leaky: Vec<Finding>, equal: bool) -> Report {
    let mut report = Report {
        passed: true,
        max_auc: 0.0,
        max_auc_low: 0.0,
        max_auc_high: 0.0,
        min_p: 0.0,
        told_apart: 0,
        leaky_min_auc: 0.0,
        equality: equal::Equality { equal, ..Default::default() },
        real_time: false,
        pairs: 4,
        partners: 4,
        late_p99_us: 0.0,
        seconds: 0.0,
        detectors,
        leaky,
    };
    report.decide();
    report
}

#[test]
fn a_run_passes_if_nothing_is_told_apart_and_every_leak_is_found() {
    let calm = || vec![finding(Some(0.6), 0.2), finding(None, 0.5)];
    let caught = || vec![finding(Some(0.995), 1e-5), finding(None, 1e-5)];
    let good = report(calm(), caught(), true);
    assert!(good.passed, "{:?}", good.failures());
    assert_eq!((good.max_auc, good.min_p, good.leaky_min_auc), (0.6, 0.2, 0.995));
    for (what, bad) in [
        ("told apart by a classifier", report(vec![finding(Some(0.6), 1e-4)], caught(), true)),
        ("told apart by a test", report(vec![finding(None, 1e-4)], caught(), true)),
        ("a classifier misses its leak", report(calm(), vec![finding(Some(0.98), 1e-5)], true)),
        ("a test misses its leak", report(calm(), vec![finding(None, 0.4)], true)),
        ("ticks or sizes differ", report(calm(), caught(), false)),
        ("nothing leaky was there", report(calm(), Vec::new(), true)),
        ("nothing was looked at", report(Vec::new(), caught(), true)),
    ] {
        assert!(!bad.passed, "{what}");
        assert_eq!(bad.failures().len(), 1, "{what}: {:?}", bad.failures());
    }
    // Many at once are allowed one small p-value by chance.
    let many: Vec<Finding> = (0..100).map(|_| finding(Some(0.6), 2e-4)).collect();
    assert!(report(many, caught(), true).passed);
}
