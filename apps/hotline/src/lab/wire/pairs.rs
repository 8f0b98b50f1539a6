//! Who talks to whom? Everybody's line up is compared with everybody's line down.
//!
//! | detector | two lines belong together if |
//! |---|---|
//! | counts | their numbers of datagrams go up and down together (in 100 ms) |
//! | gaps | a late datagram on one is followed by a late one on the other |
//! | phase | the clock of one stands just behind that of the other |
//!
//! A relay that forwards on arrival is found by the last two: lateness and phase of what comes in go out with it.
//! The null: who belongs to whom is drawn anew.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use super::capture::{Grid, Link};
use super::detect::{Effort, Finding};
use super::partners::Partners;
use super::stats::{Scored, auc, correlation, interval, ranks, shuffle};

/// Counting time. Nanoseconds.
const BIN: i64 = 100_000_000;
const DRAWS: usize = 2_000;

/// The detectors, in the order of [`compare`].
pub(super) const DETECTORS: [&str; 3] = ["counts", "gaps", "phase"];

struct Seen {
    grid: Grid,
    counts: Vec<f64>,
}

fn seen(link: &Link, way: usize, (from, until): (i64, i64)) -> Seen {
    let all = &link.ways[way];
    let mut counts = vec![0.0; ((until - from) / BIN) as usize];
    for datagram in all.iter().filter(|d| d.at >= from) {
        if let Some(count) = counts.get_mut(((datagram.at - from) / BIN) as usize) {
            *count += 1.0;
        }
    }
    let within: Vec<_> = all.iter().filter(|d| (from..until).contains(&d.at)).copied().collect();
    Seen { grid: Grid::new(&within, link.tick), counts }
}

/// How much `down` looks like what `up` became behind a relay.
fn compare(up: &Seen, down: &Seen, tick: i64) -> [f64; 3] {
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for cell in &up.grid.cells {
        let next = down.grid.cells.partition_point(|d| d.at < cell.at);
        if let Some(answer) = down.grid.cells.get(next) {
            a.push(cell.late);
            b.push(answer.late);
        }
    }
    let behind = (down.grid.phase - up.grid.phase).rem_euclid(tick);
    // By rank: one hiccup of the machine that both met must not count for more than a minute of small delays.
    [correlation(&up.counts, &down.counts), correlation(&ranks(&a), &ranks(&b)), -(behind as f64)]
}

/// The three detectors on all lines.
pub(super) fn find(link: &'static str, partners: &Partners, effort: Effort) -> Vec<Finding> {
    let n = partners.a.len();
    let side = |lines: &[Link], way| -> Vec<Seen> {
        lines.iter().map(|l| seen(l, way, partners.talk)).collect()
    };
    let tick = partners.a.first().map_or(1, |l| l.tick);
    let (a_up, a_down) = (side(&partners.a, 0), side(&partners.a, 1));
    let (b_up, b_down) = (side(&partners.b, 0), side(&partners.b, 1));
    // For each of one side and each of the other. They would talk both ways, so it has to fit both ways.
    let scores: Vec<[f64; 3]> = (0..n * n)
        .map(|at| {
            let (i, j) = (at / n, at % n);
            let there = compare(&a_up[i], &b_down[j], tick);
            let back = compare(&b_up[j], &a_down[i], tick);
            [there[0] + back[0], there[1] + back[1], there[2].min(back[2])]
        })
        .collect();
    let mut rng = ChaCha20Rng::seed_from_u64(effort.seed);
    DETECTORS
        .iter()
        .enumerate()
        .map(|(which, detector)| {
            let scored = |partner: &[usize]| -> Vec<Scored> {
                scores
                    .iter()
                    .enumerate()
                    .map(|(at, score)| {
                        let (run, unit) = (at / n, at % n);
                        Scored { run, unit, positive: partner[run] == unit, score: score[which] }
                    })
                    .collect()
            };
            let mut partner: Vec<usize> = (0..n).collect();
            let truth = scored(&partner);
            let seen = auc(&truth);
            let at_least = (0..effort.rounds)
                .filter(|_| {
                    shuffle(&mut rng, &mut partner);
                    auc(&scored(&partner)) >= seen - 1e-12
                })
                .count();
            let (low, high) = interval(&[&truth], DRAWS, &mut rng);
            Finding {
                link,
                task: "who talks to whom",
                detector,
                window_s: (partners.talk.1 - partners.talk.0) as f64 / 1e9,
                auc: Some(seen),
                auc_low: Some(low),
                auc_high: Some(high),
                p: (at_least + 1) as f64 / (effort.rounds + 1) as f64,
                windows: scores.len(),
                runs: n,
                told_apart: false,
            }
        })
        .collect()
}
