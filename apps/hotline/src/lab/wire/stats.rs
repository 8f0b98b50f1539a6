//! What a figure is worth: AUC, its interval, its null, and the decision over many detectors.
//!
//! ```text
//!  scores, labels, runs ─► auc ─► bootstrap over runs ─► [low, high]
//!                             └─► labels shuffled among the units of each run ─► p
//!  all p ─► holm ─► which nulls fall at 1 %
//! ```
//!
//! A *run* is one pair of handsets with its own clocks and its own order of states; a *unit* is one stretch of one
//! state in it. The lab draws the order of units in each run at random, so shuffling labels among the units of a run
//! is the very experiment done again: the p-value is exact whatever the windows have in common (Fisher's randomisation
//! test). Windows of one run are never taken for independent: intervals come from resampling runs.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::RngCore;

/// One scored window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scored {
    /// Its run.
    pub(super) run: usize,
    /// Its stretch of one state, numbered within the run.
    pub(super) unit: usize,
    /// Its class.
    pub(super) positive: bool,
    /// What the detector says: higher is more positive.
    pub(super) score: f64,
}

/// A number below `n`, which is not 0.
pub(super) fn below(rng: &mut ChaCha20Rng, n: usize) -> usize {
    // 2^32 is so much more than any n here that the bias is nothing.
    ((u64::from(rng.next_u32()) * n as u64) >> 32) as usize
}

/// Shuffles in place (Fisher and Yates).
pub(super) fn shuffle<T>(rng: &mut ChaCha20Rng, items: &mut [T]) {
    for i in (1..items.len()).rev() {
        items.swap(i, below(rng, i + 1));
    }
}

/// Ranks from 1, equal values sharing their mean rank.
pub(super) fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    while start < order.len() {
        let same = |i: &usize| values[order[*i]] == values[order[start]];
        let end = (start..order.len()).take_while(same).last().unwrap_or(start) + 1;
        for i in &order[start..end] {
            ranks[*i] = (start + 1 + end) as f64 / 2.0;
        }
        start = end;
    }
    ranks
}

/// Area under the ROC curve of a rank sum over `n1` positives of `n1 + n0` windows.
fn area(rank_sum: f64, n1: f64, n0: f64) -> f64 {
    if n1 == 0.0 || n0 == 0.0 { 0.5 } else { (rank_sum - n1 * (n1 + 1.0) / 2.0) / (n1 * n0) }
}

/// Area under the ROC curve: how often a positive window scores above a negative one.
pub(super) fn auc(scored: &[Scored]) -> f64 {
    let ranks = ranks(&scored.iter().map(|s| s.score).collect::<Vec<_>>());
    let sum = scored.iter().zip(&ranks).filter(|(s, _)| s.positive).map(|(_, r)| r).sum();
    let n1 = scored.iter().filter(|s| s.positive).count() as f64;
    area(sum, n1, scored.len() as f64 - n1)
}

/// One unit of a run: where it stands, how many windows it has, and the sum of their ranks.
struct Unit {
    run: usize,
    unit: usize,
    positive: bool,
    windows: f64,
    ranks: f64,
}

/// The part of `rounds` random relabellings (and the true one) whose AUC is at least that of the true labels.
/// Labels move between units of the same run only.
pub(super) fn permutation(scored: &[Scored], rounds: usize, rng: &mut ChaCha20Rng) -> f64 {
    let ranks = ranks(&scored.iter().map(|s| s.score).collect::<Vec<_>>());
    let mut units: Vec<Unit> = Vec::new();
    for (s, rank) in scored.iter().zip(&ranks) {
        match units.iter_mut().find(|u| (u.run, u.unit, u.positive) == (s.run, s.unit, s.positive))
        {
            Some(unit) => {
                unit.windows += 1.0;
                unit.ranks += rank;
            }
            None => units.push(Unit {
                run: s.run,
                unit: s.unit,
                positive: s.positive,
                windows: 1.0,
                ranks: *rank,
            }),
        }
    }
    units.sort_by_key(|u| u.run);
    let mut labels: Vec<bool> = units.iter().map(|u| u.positive).collect();
    let value = |labels: &[bool]| {
        let (mut sum, mut n1, mut n0) = (0.0, 0.0, 0.0);
        for (unit, positive) in units.iter().zip(labels) {
            if *positive {
                sum += unit.ranks;
                n1 += unit.windows;
            } else {
                n0 += unit.windows;
            }
        }
        area(sum, n1, n0)
    };
    let seen = value(&labels);
    let runs: Vec<std::ops::Range<usize>> =
        by_run(&units.iter().map(|u| u.run).collect::<Vec<_>>());
    let at_least = (0..rounds)
        .filter(|_| {
            for run in &runs {
                shuffle(rng, &mut labels[run.clone()]);
            }
            value(&labels) >= seen - 1e-12
        })
        .count();
    (at_least + 1) as f64 / (rounds + 1) as f64
}

/// Ranges of equal numbers in a sorted row.
pub(super) fn by_run(runs: &[usize]) -> Vec<std::ops::Range<usize>> {
    let mut ranges: Vec<std::ops::Range<usize>> = Vec::new();
    for (i, run) in runs.iter().enumerate() {
        match ranges.last_mut().filter(|r| runs[r.start] == *run) {
            Some(range) => range.end = i + 1,
            None => ranges.push(i..i + 1),
        }
    }
    ranges
}

/// For every two runs: how many pairs of a positive window of the first and a negative one of the second there are, and
/// in how many the positive scores higher. A resampled AUC is a weighted sum of these.
struct Table {
    runs: usize,
    pairs: Vec<f64>,
    wins: Vec<f64>,
}

impl Table {
    fn new(scored: &[Scored]) -> Table {
        let mut names: Vec<usize> = scored.iter().map(|s| s.run).collect();
        names.sort_unstable();
        names.dedup();
        let runs = names.len();
        let (mut pairs, mut wins) = (vec![0.0; runs * runs], vec![0.0; runs * runs]);
        let place = |run: usize| names.binary_search(&run).unwrap_or(0);
        let negatives: Vec<(usize, f64)> =
            scored.iter().filter(|s| !s.positive).map(|s| (place(s.run), s.score)).collect();
        for s in scored.iter().filter(|s| s.positive) {
            let row = place(s.run) * runs;
            for (run, score) in &negatives {
                pairs[row + run] += 1.0;
                wins[row + run] += match s.score.total_cmp(score) {
                    std::cmp::Ordering::Greater => 1.0,
                    std::cmp::Ordering::Equal => 0.5,
                    std::cmp::Ordering::Less => 0.0,
                };
            }
        }
        Table { runs, pairs, wins }
    }

    fn auc(&self, weights: &[f64]) -> Option<f64> {
        let (mut pairs, mut wins) = (0.0, 0.0);
        for i in 0..self.runs {
            for j in 0..self.runs {
                let weight = weights[i] * weights[j];
                pairs += weight * self.pairs[i * self.runs + j];
                wins += weight * self.wins[i * self.runs + j];
            }
        }
        (pairs > 0.0).then(|| wins / pairs)
    }
}

/// The middle 95 % of the mean AUC of `folds` when their runs are drawn again, with replacement.
pub(super) fn interval(folds: &[&[Scored]], draws: usize, rng: &mut ChaCha20Rng) -> (f64, f64) {
    let tables: Vec<Table> = folds.iter().map(|fold| Table::new(fold)).collect();
    let mut means: Vec<f64> = (0..draws)
        .filter_map(|_| {
            let aucs: Vec<f64> = tables
                .iter()
                .filter_map(|table| {
                    let mut weights = vec![0.0; table.runs];
                    for _ in 0..table.runs {
                        weights[below(rng, table.runs)] += 1.0;
                    }
                    table.auc(&weights)
                })
                .collect();
            (!aucs.is_empty()).then(|| aucs.iter().sum::<f64>() / aucs.len() as f64)
        })
        .collect();
    means.sort_by(f64::total_cmp);
    let at = |part: f64| {
        let i = (part * means.len() as f64) as usize;
        means.get(i.min(means.len().saturating_sub(1))).copied().unwrap_or(0.5)
    };
    (at(0.025), at(0.975))
}

/// Holm's step-down: which hypotheses fall when the chance of felling any true one is at most `level`.
pub(super) fn holm(p: &[f64], level: f64) -> Vec<bool> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    let mut falls = vec![false; p.len()];
    for (done, i) in order.into_iter().enumerate() {
        if p[i] > level / (p.len() - done) as f64 {
            break;
        }
        falls[i] = true;
    }
    falls
}

/// Mean and standard deviation.
pub(super) fn moments(values: &[f64]) -> (f64, f64) {
    let n = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt())
}

/// Pearson's correlation; 0 where one side does not vary.
pub(super) fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let ((ma, sa), (mb, sb)) = (moments(a), moments(b));
    if sa == 0.0 || sb == 0.0 {
        return 0.0;
    }
    let n = a.len().min(b.len()).max(1) as f64;
    a.iter().zip(b).map(|(x, y)| (x - ma) * (y - mb)).sum::<f64>() / n / sa / sb
}

/// The value below which `part` of the sorted values lie.
pub(super) fn quantile(sorted: &[f64], part: f64) -> f64 {
    let at = (part * sorted.len() as f64) as usize;
    sorted.get(at.min(sorted.len().saturating_sub(1))).copied().unwrap_or(0.0)
}
