//! Whether states can be told apart by their times: two-sample Kolmogorov-Smirnov distances, and permutations.
//!
//! ```text
//!  a block: one time of each state, asked in random order within a second
//!  distance of (one state | the rest) ── against the same with labels shuffled within each block ──► p ── Holm ──► p
//! ```
//!
//! Under the hypothesis that the state plays no part, every order of labels within a block is as likely as the one that
//! was seen, however busy the machine was. Times are taken against the middle of their block, so that what makes a block
//! slower does not hide what makes a state slower.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::RngCore;

/// Times of one block, one for each state. Any unit.
pub(super) type Block = Vec<f64>;

/// One comparison.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Verdict {
    /// Largest distance of the two distributions, 0 to 1.
    pub(super) distance: f64,
    /// How often chance gives as much.
    pub(super) p: f64,
}

/// Compares the states in `group` with all others. At most `rounds` permutations; fewer when it is clear that chance
/// does as well (after Besag and Clifford).
pub(super) fn compare(
    blocks: &[Block],
    group: &[bool],
    rounds: u32,
    rng: &mut ChaCha20Rng,
) -> Verdict {
    /// So many permutations that are as extreme settle it.
    const ENOUGH: u32 = 30;
    // All times in order, each with its block and its place there: a permutation only changes who is in the group.
    let mut order: Vec<(f64, usize, usize)> = Vec::new();
    for (b, block) in blocks.iter().enumerate() {
        // Against the block's middle: what slows all of it is no difference between its states.
        let mut sorted = block.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.get(sorted.len() / 2).copied().unwrap_or(0.0);
        order.extend(block.iter().enumerate().map(|(s, time)| (*time - middle, b, s)));
    }
    order.sort_by(|x, y| x.0.total_cmp(&y.0));
    let mut members: Vec<Vec<bool>> = vec![group.to_vec(); blocks.len()];
    let seen = distance(&order, &members);
    let mut extreme = 0;
    for done in 1..=rounds {
        for labels in &mut members {
            shuffle(labels, rng);
        }
        if distance(&order, &members) >= seen - 1e-12 {
            extreme += 1;
            if extreme == ENOUGH {
                return Verdict { distance: seen, p: f64::from(ENOUGH) / f64::from(done) };
            }
        }
    }
    Verdict { distance: seen, p: f64::from(extreme + 1) / f64::from(rounds + 1) }
}

fn distance(order: &[(f64, usize, usize)], members: &[Vec<bool>]) -> f64 {
    let inside: usize = members.iter().flatten().filter(|m| **m).count();
    let outside = order.len() - inside;
    let (inside, outside) = (inside.max(1) as f64, outside.max(1) as f64);
    let (mut a, mut b, mut most) = (0.0f64, 0.0f64, 0.0f64);
    for (i, (time, block, state)) in order.iter().enumerate() {
        if members[*block][*state] {
            a += 1.0;
        } else {
            b += 1.0;
        }
        // Equal times are one step.
        if order.get(i + 1).is_none_or(|next| next.0 > *time) {
            most = most.max((a / inside - b / outside).abs());
        }
    }
    most
}

/// Fisher and Yates.
fn shuffle(labels: &mut [bool], rng: &mut ChaCha20Rng) {
    for i in (1..labels.len()).rev() {
        let j = ((u64::from(rng.next_u32()) * (i as u64 + 1)) >> 32) as usize;
        labels.swap(i, j);
    }
}

/// Holm's correction: the chance that any of all comparisons is wrong stays below the level.
pub(super) fn holm(ps: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..ps.len()).collect();
    order.sort_by(|a, b| ps[*a].total_cmp(&ps[*b]));
    let mut out = vec![0.0; ps.len()];
    let mut highest = 0.0f64;
    for (rank, i) in order.into_iter().enumerate() {
        highest = highest.max((ps[i] * (ps.len() - rank) as f64).min(1.0));
        out[i] = highest;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::rand_core::SeedableRng;

    fn noise(rng: &mut ChaCha20Rng) -> f64 {
        f64::from(rng.next_u32()) / f64::from(u32::MAX)
    }

    /// Blocks of seven states, with a drift that is larger than anything else; state 2 is later by `shift`.
    fn blocks(n: usize, shift: f64, rng: &mut ChaCha20Rng) -> Vec<Block> {
        let block = |i: usize, rng: &mut ChaCha20Rng| {
            let drift = (i as f64).sin() * 50.0;
            (0..7).map(|s| drift + noise(rng) + if s == 2 { shift } else { 0.0 }).collect()
        };
        (0..n).map(|i| block(i, rng)).collect()
    }

    fn of(state: usize) -> Vec<bool> {
        (0..7).map(|s| s == state).collect()
    }

    #[test]
    fn what_differs_is_found_and_what_does_not_is_not() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let late = blocks(30, 1.0, &mut rng);
        assert!(compare(&late, &of(2), 20_000, &mut rng).p < 1e-4);
        let none = blocks(30, 0.0, &mut rng);
        assert!((0..7).all(|s| compare(&none, &of(s), 20_000, &mut rng).p > 1e-3));
    }

    /// Without a difference, p is below a level no more often than the level says, whatever the drift.
    #[test]
    fn chance_is_as_often_as_it_says() {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let low = (0..400)
            .filter(|_| {
                let none = blocks(12, 0.0, &mut rng);
                compare(&none, &of(3), 400, &mut rng).p <= 0.05
            })
            .count();
        assert!((6..=36).contains(&low), "{low} of 400 at 5 %");
    }

    #[test]
    fn distances_and_holm_are_as_in_books() {
        let mut rng = ChaCha20Rng::seed_from_u64(3);
        let apart = vec![vec![1.0, 2.0], vec![1.5, 3.0]];
        assert_eq!(compare(&apart, &[true, false], 1, &mut rng).distance, 1.0);
        let equal = vec![vec![1.0, 1.0]; 4];
        assert_eq!(compare(&equal, &[true, false], 9, &mut rng).distance, 0.0);
        let adjusted = holm(&[0.01, 0.04, 0.03]);
        assert!(adjusted.iter().zip([0.03, 0.06, 0.06]).all(|(a, b)| (a - b).abs() < 1e-12));
    }
}
