//! Inter-packet timing: are gaps drawn from one distribution whatever the state?
//!
//! | test | of | compares |
//! |---|---|---|
//! | Welch | distance of gaps from the tick, its logarithm: hiccups of milliseconds must not drown microseconds | means |
//! | Kolmogorov and Smirnov | gaps | distributions |
//! | mutual information | gaps, in 48 bins of equal weight | how many bits a gap tells of the state |
//!
//! The textbook p-values of all three take gaps for independent, which they are not: one late tick makes a long gap and a
//! short one, and a busy machine makes many. So each statistic is compared with itself under shuffled labels (see
//! [`super::stats`]), where whole stretches keep together.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use super::capture::{Grid, Run};
use super::detect::{Effort, Finding, Task};
use super::features::{gaps, log};
use super::stats::{by_run, quantile, shuffle};

/// Bins of gaps.
const BINS: usize = 48;
/// The tests, in the order of [`statistics`].
const TESTS: [&str; 3] = ["welch", "kolmogorov-smirnov", "mutual-information"];

/// Gaps of one stretch.
#[derive(Clone)]
struct Unit {
    run: usize,
    positive: bool,
    gaps: Vec<f64>,
    bins: [f64; BINS],
    sum: f64,
    squares: f64,
}

/// Sums over the units of one class.
#[derive(Clone)]
struct Side {
    bins: [f64; BINS],
    n: f64,
    sum: f64,
    squares: f64,
}

impl Side {
    fn of<'a>(units: impl Iterator<Item = &'a Unit>) -> Side {
        let mut side = Side { bins: [0.0; BINS], n: 0.0, sum: 0.0, squares: 0.0 };
        for unit in units {
            side.bins.iter_mut().zip(&unit.bins).for_each(|(all, one)| *all += one);
            side.n += unit.gaps.len() as f64;
            side.sum += unit.sum;
            side.squares += unit.squares;
        }
        side
    }

    fn mean_and_error(&self) -> (f64, f64) {
        let n = self.n.max(2.0);
        let mean = self.sum / n;
        (mean, (self.squares / n - mean * mean).max(0.0) / (n - 1.0))
    }
}

fn statistics(units: &[Unit], labels: &[bool]) -> [f64; 3] {
    let pick = |class| units.iter().zip(labels).filter(move |(_, l)| **l == class).map(|(u, _)| u);
    let (one, two) = (Side::of(pick(true)), Side::of(pick(false)));
    let ((m1, e1), (m2, e2)) = (one.mean_and_error(), two.mean_and_error());
    let welch = (m1 - m2).abs() / (e1 + e2).sqrt().max(1e-12);
    let (n1, n2) = (one.n.max(1.0), two.n.max(1.0));
    let (mut f1, mut f2, mut distance, mut bits) = (0.0, 0.0, 0.0_f64, 0.0);
    for (a, b) in one.bins.iter().zip(&two.bins) {
        f1 += a / n1;
        f2 += b / n2;
        distance = distance.max((f1 - f2).abs());
        let both = a + b;
        for (count, n) in [(a, n1), (b, n2)] {
            if *count > 0.0 {
                bits += count / (n1 + n2) * (count * (n1 + n2) / (both * n)).log2();
            }
        }
    }
    [welch, distance, bits]
}

fn units(runs: &[Run], task: &Task, way: usize) -> Vec<Unit> {
    let mut units = Vec::new();
    for (number, run) in runs.iter().enumerate() {
        let grids: Vec<(Grid, i64)> =
            run.links.iter().map(|l| (Grid::new(&l.ways[way], l.tick), l.tick)).collect();
        for stretch in &run.stretches {
            let Some(positive) = (task.class)(stretch.state) else { continue };
            let (mut all, mut sum, mut squares) = (Vec::new(), 0.0, 0.0);
            for (grid, tick) in &grids {
                let cells = grid.cells_in(stretch.from, stretch.until);
                for gap in gaps(cells.iter().map(|c| c.at)) {
                    let off = log((gap - *tick as f64 / 1e3).abs());
                    sum += off;
                    squares += off * off;
                    all.push(gap);
                }
            }
            units.push(Unit { run: number, positive, gaps: all, bins: [0.0; BINS], sum, squares });
        }
    }
    let mut all: Vec<f64> = units.iter().flat_map(|u| u.gaps.iter().copied()).collect();
    all.sort_by(f64::total_cmp);
    let edges: Vec<f64> = (1..BINS).map(|i| quantile(&all, i as f64 / BINS as f64)).collect();
    for unit in &mut units {
        for gap in &unit.gaps {
            unit.bins[edges.partition_point(|edge| edge < gap)] += 1.0;
        }
    }
    units
}

/// The three tests on one direction of one kind of link.
pub(super) fn test(
    link: &'static str,
    runs: &[Run],
    way: usize,
    task: &Task,
    effort: Effort,
) -> Vec<Finding> {
    let units = units(runs, task, way);
    let mut labels: Vec<bool> = units.iter().map(|u| u.positive).collect();
    if labels.iter().all(|l| *l) || !labels.iter().any(|l| *l) {
        return Vec::new();
    }
    let ranges = by_run(&units.iter().map(|u| u.run).collect::<Vec<_>>());
    let seen = statistics(&units, &labels);
    let mut rng = ChaCha20Rng::seed_from_u64(effort.seed);
    let mut at_least = [1_usize; 3];
    for _ in 0..effort.rounds {
        for range in &ranges {
            shuffle(&mut rng, &mut labels[range.clone()]);
        }
        let again = statistics(&units, &labels);
        for ((count, value), seen) in at_least.iter_mut().zip(again).zip(seen) {
            *count += usize::from(value >= seen - 1e-12);
        }
    }
    TESTS
        .iter()
        .zip(at_least)
        .map(|(detector, count)| Finding {
            link,
            task: task.name,
            detector,
            window_s: 0.0,
            auc: None,
            auc_low: None,
            auc_high: None,
            p: count as f64 / (effort.rounds + 1) as f64,
            windows: units.len(),
            runs: runs.len(),
            told_apart: false,
        })
        .collect()
}
