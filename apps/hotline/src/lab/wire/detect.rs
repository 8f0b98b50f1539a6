//! Detectors: a method, a window, a link, and the question that it is asked.
//!
//! ```text
//!  runs ─ shuffled, halved ─┬► train on one half, ask about the other ─┐
//!                           └► and the other way round ────────────────┴► AUC, interval, p ─► Finding
//! ```
//!
//! No window of a run is ever in training when another of that run is asked about. Each half has an exact p-value of its
//! own, whose model never saw the half's labels; together they count as twice the smaller one.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use super::capture::{Run, State};
use super::features::{Sample, grids, sample, windows};
use super::learn::{Method, scores};
use super::stats::{Scored, auc, interval, permutation, shuffle};

/// Nanoseconds of a second.
pub(super) const SECOND: i64 = 1_000_000_000;
/// Resamplings of runs for an interval.
const DRAWS: usize = 2_000;

/// What one detector found.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Finding {
    /// Kind of link.
    pub link: &'static str,
    /// What it was to tell apart.
    pub task: &'static str,
    /// How.
    pub detector: &'static str,
    /// Length of its windows; 0 where it took whole stretches.
    pub window_s: f64,
    /// Area under the ROC curve on runs that it was not trained on. `None`: a test that has a p-value only.
    pub auc: Option<f64>,
    /// Lower end of the 95 % interval (bootstrap over runs).
    pub auc_low: Option<f64>,
    /// Upper end.
    pub auc_high: Option<f64>,
    /// Permutation p-value, one-sided: how often shuffled labels do as well.
    pub p: f64,
    /// Windows asked about.
    pub windows: usize,
    /// Runs that they came from.
    pub runs: usize,
    /// Its null falls at 1 %, corrected over all detectors of the product (Holm). For controls: over theirs.
    pub told_apart: bool,
}

/// What is to be told apart.
#[derive(Clone, Copy)]
pub(super) struct Task {
    /// As it is called.
    pub(super) name: &'static str,
    /// `None`: not part of it.
    pub(super) class: fn(State) -> Option<bool>,
    /// Lengths of windows. Seconds.
    pub(super) lengths: &'static [i64],
}

/// Windows of 2 and 10 s.
const BOTH: &[i64] = &[2, 10];

/// The tasks on the product's links.
pub(super) const TASKS: [Task; 5] = [
    Task { name: "idle | talking", class: |s| idle_or(s, State::Talking), lengths: BOTH },
    Task { name: "idle | all others", class: |s| one(s, State::Idle), lengths: BOTH },
    Task { name: "ringing | all others", class: |s| one(s, State::Ringing), lengths: BOTH },
    Task { name: "talking | all others", class: |s| one(s, State::Talking), lengths: BOTH },
    Task { name: "commands | quiet", class: |s| Some(s == State::Change), lengths: &[2] },
];

fn idle_or(state: State, other: State) -> Option<bool> {
    (state == State::Idle || state == other).then_some(state == other)
}

fn one(state: State, wanted: State) -> Option<bool> {
    (state != State::Change).then_some(state == wanted)
}

/// How hard the lab looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effort {
    /// Random relabellings for each p-value.
    pub(super) rounds: usize,
    /// Makes all choices of the analysis.
    pub(super) seed: u64,
}

/// All windows of a task.
pub(super) fn samples(runs: &[Run], task: &Task, seconds: i64) -> Vec<Sample> {
    let (mut all, length) = (Vec::new(), seconds * SECOND);
    for (run, seen) in runs.iter().enumerate() {
        for link in &seen.links {
            let grids = grids(link);
            for (unit, stretch) in seen.stretches.iter().enumerate() {
                let Some(positive) = (task.class)(stretch.state) else { continue };
                // A command has one window; so have the quiet stretches beside it, for the comparison's sake.
                let against_commands = (task.class)(State::Change).is_some();
                let most = if against_commands { 1 } else { usize::MAX };
                for from in windows(stretch, length).take(most) {
                    all.push(sample(&grids, link.tick, from, length, (run, unit, positive)));
                }
            }
        }
    }
    all
}

/// Asks one method about samples it was not trained on. `None`: a half lacks a class.
pub(super) fn ask(
    samples: &[Sample],
    method: Method,
    effort: Effort,
) -> Option<(f64, (f64, f64), f64)> {
    let mut rng = ChaCha20Rng::seed_from_u64(effort.seed);
    let mut runs: Vec<usize> = samples.iter().map(|s| s.run).collect();
    runs.sort_unstable();
    runs.dedup();
    shuffle(&mut rng, &mut runs);
    let first = &runs[..runs.len() / 2];
    let halves: [Vec<&Sample>; 2] = [true, false]
        .map(|half| samples.iter().filter(|s| first.contains(&s.run) == half).collect());
    let mut folds: Vec<Vec<Scored>> = Vec::new();
    let mut p = 1.0_f64;
    for (train, test) in [(&halves[0], &halves[1]), (&halves[1], &halves[0])] {
        let both =
            |half: &[&Sample]| half.iter().any(|s| s.positive) && half.iter().any(|s| !s.positive);
        if !both(train) || !both(test) {
            return None;
        }
        let scored: Vec<Scored> = scores(method, train, test, effort.seed)
            .ok()?
            .into_iter()
            .zip(test.iter())
            .map(|(score, s)| Scored { run: s.run, unit: s.unit, positive: s.positive, score })
            .collect();
        p = p.min(2.0 * permutation(&scored, effort.rounds, &mut rng));
        folds.push(scored);
    }
    let mean = folds.iter().map(|fold| auc(fold)).sum::<f64>() / folds.len() as f64;
    let rows: Vec<&[Scored]> = folds.iter().map(Vec::as_slice).collect();
    Some((mean, interval(&rows, DRAWS, &mut rng), p))
}

/// One detector's finding on samples.
pub(super) fn find(
    link: &'static str,
    task: &'static str,
    seconds: f64,
    samples: &[Sample],
    method: Method,
    effort: Effort,
) -> Option<Finding> {
    let (auc, (low, high), p) = ask(samples, method, effort)?;
    let mut runs: Vec<usize> = samples.iter().map(|s| s.run).collect();
    runs.sort_unstable();
    runs.dedup();
    Some(Finding {
        link,
        task,
        detector: method.name(),
        window_s: seconds,
        auc: Some(auc),
        auc_low: Some(low),
        auc_high: Some(high),
        p,
        windows: samples.len(),
        runs: runs.len(),
        told_apart: false,
    })
}

/// Every method on every task of one kind of link, on as many threads as there are cores.
pub(super) fn classify(
    link: &'static str,
    runs: &[Run],
    tasks: &[Task],
    effort: Effort,
) -> Vec<Finding> {
    let sets: Vec<(&Task, i64, Vec<Sample>)> = tasks
        .iter()
        .flat_map(|task| task.lengths.iter().map(move |s| (task, *s)))
        .map(|(task, seconds)| (task, seconds, samples(runs, task, seconds)))
        .collect();
    let jobs: Vec<(usize, Method)> =
        (0..sets.len()).flat_map(|set| Method::ALL.map(|method| (set, method))).collect();
    in_parallel(&jobs, |(set, method)| {
        let (task, seconds, samples) = &sets[*set];
        find(link, task.name, *seconds as f64, samples, *method, effort)
    })
    .into_iter()
    .flatten()
    .collect()
}

/// Does jobs on all cores; results in the jobs' order.
pub(super) fn in_parallel<J: Sync, R: Send>(jobs: &[J], work: impl Fn(&J) -> R + Sync) -> Vec<R> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let next = std::sync::atomic::AtomicUsize::new(0);
    let mut done: Vec<(usize, R)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores)
            .map(|_| {
                scope.spawn(|| {
                    let mut mine = Vec::new();
                    loop {
                        let at = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                        let Some(job) = jobs.get(at) else { return mine };
                        mine.push((at, work(job)));
                    }
                })
            })
            .collect();
        // A job that panicked is told of where it panicked; its results are missing here.
        threads.into_iter().filter_map(|thread| thread.join().ok()).flatten().collect()
    });
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}
