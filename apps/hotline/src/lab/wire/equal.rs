//! Exact equality: in every state, each tick has the shape's cells, each of the shape's size, and nothing else.
//!
//! The sequence of (tick, size) of each stretch is compared with that of an untouched clock. Ticks that the machine slept
//! through are counted for each state, and are no difference: classifiers see them too, as counts and gaps. What differs by nature of
//! machines is when within its tick a cell leaves; that is for the other detectors.

use std::collections::{BTreeMap, BTreeSet};

use super::capture::{Run, State};
use super::features::grids;

/// What was found.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Equality {
    /// Every stretch of every link has the same sequence of ticks and sizes, ticks that the machine slept through aside.
    pub equal: bool,
    /// Stretches compared, each direction of each link for itself.
    pub stretches: usize,
    /// Ticks compared.
    pub ticks: usize,
    /// Sizes of cells' packets, for each direction of each kind of link: one each.
    pub sizes: BTreeMap<&'static str, BTreeSet<u16>>,
    /// Ticks without a cell: the sender was not scheduled for a whole tick. For each state.
    pub skipped: BTreeMap<State, usize>,
    /// What else differed, if something did.
    pub differences: Vec<String>,
}

/// Names of the directions of a kind of link.
type Directions = [&'static str; 2];

/// Compares all stretches of `runs` into `found`.
fn compare(found: &mut Equality, names: Directions, runs: &[Run]) {
    for run in runs {
        for link in &run.links {
            for (grid, name) in grids(link).iter().zip(names) {
                for stretch in &run.stretches {
                    let cells = grid.cells_in(stretch.from, stretch.until);
                    found.stretches += 1;
                    found.ticks += cells.len();
                    found.sizes.entry(name).or_default().extend(cells.iter().map(|c| c.size));
                    let twice = cells.windows(2).filter(|w| w[0].tick >= w[1].tick).count();
                    if twice > 0 {
                        let what =
                            format!("{name}, {:?}: {twice} ticks with two cells", stretch.state);
                        found.differences.push(what);
                    }
                    // A cell at either edge can belong to the tick beside it.
                    let whole = (stretch.until - stretch.from) / link.tick - 1;
                    let skipped = usize::try_from(whole).unwrap_or(0).saturating_sub(cells.len());
                    *found.skipped.entry(stretch.state).or_default() += skipped;
                }
            }
        }
    }
}

/// Whether all states look the same at the link layer.
pub(super) fn check(lines: &[Run], trunks: &[Run]) -> Equality {
    let mut found = Equality::default();
    compare(&mut found, ["line up", "line down"], lines);
    compare(&mut found, ["trunk out", "trunk back"], trunks);
    for (name, sizes) in &found.sizes {
        if sizes.len() != 1 {
            found.differences.push(format!("{name}: cells of sizes {sizes:?}"));
        }
    }
    found.equal = found.differences.is_empty() && found.ticks > 0;
    found
}
