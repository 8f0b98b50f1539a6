//! What a classifier is shown of a window: counts, sizes, gaps, lateness; and the raw sequence of ticks.
//!
//! ```text
//!  Grid of each direction ─ window of 1, 2 or 10 s ─► 18 figures ┐
//!                                                  └► ticks in order: lateness, bytes ┴─► Sample
//! ```
//!
//! Acknowledgements of QUIC's are in it: their number, sizes and the spread of their gaps.

use super::capture::{Cell, Datagram, Grid, Link, Stretch};
use super::stats::{correlation, moments, quantile};

/// A window, as shown.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    /// Its run.
    pub(super) run: usize,
    /// Its stretch, numbered within the run.
    pub(super) unit: usize,
    /// Its class.
    pub(super) positive: bool,
    /// Figures.
    pub(super) features: Vec<f64>,
    /// For each direction, tick by tick: lateness in microseconds, and bytes.
    pub(super) raw: Vec<Vec<f64>>,
}

/// Spread of times: a logarithm, as these are microseconds now and milliseconds then.
pub(super) fn log(us: f64) -> f64 {
    (us.max(0.0) + 1.0).ln()
}

/// Gaps of a row of times, in microseconds.
pub(super) fn gaps(at: impl Iterator<Item = i64> + Clone) -> Vec<f64> {
    at.clone().zip(at.skip(1)).map(|(a, b)| (b - a) as f64 / 1e3).collect()
}

fn echo(values: &[f64]) -> f64 {
    match values.len() {
        0 | 1 => 0.0,
        n => correlation(&values[..n - 1], &values[1..]),
    }
}

fn figures(cells: &[Cell], others: &[Datagram], out: &mut Vec<f64>) {
    let sizes: Vec<f64> = cells.iter().map(|c| f64::from(c.size)).collect();
    let small: Vec<f64> = others.iter().map(|d| f64::from(d.size)).collect();
    let mut late: Vec<f64> = cells.iter().map(|c| c.late).collect();
    let between = gaps(cells.iter().map(|c| c.at));
    let apart = gaps(others.iter().map(|d| d.at));
    let (size, size_spread) = moments(&sizes);
    let (mean, spread) = moments(&late);
    let (gap, gap_spread) = moments(&between);
    let deviations: Vec<f64> = between.iter().map(|g| (g - gap).abs()).collect();
    let echoes = [echo(&late), echo(&between)];
    late.sort_by(f64::total_cmp);
    let longest = between.iter().copied().fold(0.0, f64::max);
    out.extend([
        cells.len() as f64,
        others.len() as f64,
        size,
        size_spread,
        moments(&small).0,
        moments(&small).1,
        log(gap),
        log(gap_spread),
        log(moments(&deviations).0),
        log(longest),
        log(moments(&apart).1),
        mean,
        log(spread),
        quantile(&late, 0.1),
        quantile(&late, 0.5),
        quantile(&late, 0.9),
    ]);
    out.extend(echoes);
}

fn sequence(cells: &[Cell], first: i64, ticks: usize, out: &mut Vec<Vec<f64>>) {
    let (mut late, mut bytes) = (vec![0.0; ticks], vec![0.0; ticks]);
    for cell in cells {
        let at = usize::try_from(cell.tick - first).unwrap_or(usize::MAX);
        if let (Some(late), Some(bytes)) = (late.get_mut(at), bytes.get_mut(at)) {
            *late = cell.late;
            *bytes += f64::from(cell.size);
        }
    }
    out.extend([late, bytes]);
}

/// One window of a link from `from` on.
pub(super) fn sample(
    grids: &[Grid],
    tick: i64,
    from: i64,
    length: i64,
    (run, unit, positive): (usize, usize, bool),
) -> Sample {
    let (mut features, mut raw) = (Vec::new(), Vec::new());
    for grid in grids {
        let cells = grid.cells_in(from, from + length);
        figures(cells, grid.others_in(from, from + length), &mut features);
        let first = (from - grid.phase + tick - 1).div_euclid(tick);
        sequence(cells, first, (length / tick) as usize, &mut raw);
    }
    Sample { run, unit, positive, features, raw }
}

/// The clocks of a link's directions.
pub(super) fn grids(link: &Link) -> Vec<Grid> {
    link.ways.iter().map(|way| Grid::new(way, link.tick)).collect()
}

/// Windows of `length`, side by side, within a stretch.
pub(super) fn windows(stretch: &Stretch, length: i64) -> impl Iterator<Item = i64> + use<> {
    let (from, count) = (stretch.from, (stretch.until - stretch.from) / length);
    (0..count).map(move |n| from + n * length)
}
