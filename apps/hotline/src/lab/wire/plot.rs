//! Idle and talking side by side, on the product and on a leaky build, for a person to look at.
//!
//! ```text
//!  a row for each sender:   [ idle: datagrams in time, height = bytes ]  [ talking: the same ]
//!                           [       when in its tick each cell left   ]  [                   ]
//! ```

use std::fmt::Write as _;

use super::capture::{Cell, Datagram, Grid, Run, State};
use super::detect::SECOND;

const WIDTH: f64 = 520.0;
const BARS: f64 = 70.0;
const DOTS: f64 = 80.0;
const LEFT: f64 = 150.0;
const GAP: f64 = 40.0;
const TOP: f64 = 76.0;
const ROW: f64 = BARS + DOTS + 46.0;
/// What is shown of each state. Nanoseconds.
const SHOWN: i64 = 4 * SECOND;
/// Lateness from the foot to the top of the dots. Microseconds.
const SPAN: f64 = 2_000.0;
/// Bytes from the foot to the top of the bars.
const BYTES: f64 = 300.0;

/// One row: whose line, and the run that it is taken from.
pub(super) struct Row<'a> {
    /// Its title.
    pub(super) name: &'a str,
    /// Where from: the first link's first direction.
    pub(super) run: &'a Run,
}

const STATES: [(State, &str); 2] = [(State::Idle, "idle"), (State::Talking, "talking")];

/// The whole picture.
pub(super) fn svg(rows: &[Row<'_>]) -> String {
    let (width, height) = (LEFT + 2.0 * WIDTH + GAP + 20.0, TOP + ROW * rows.len() as f64 + 20.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"white\"/>\n"
    );
    // Writing to a string cannot fail.
    let _ = draw(&mut svg, rows, width);
    svg.push_str("</svg>\n");
    svg
}

fn draw(svg: &mut String, rows: &[Row<'_>], width: f64) -> std::fmt::Result {
    writeln!(
        svg,
        "<text x=\"{}\" y=\"24\" font-size=\"15\" text-anchor=\"middle\">A handset's line as seen from outside: \
         {} seconds idle, {} seconds talking</text>",
        width / 2.0,
        SHOWN / SECOND,
        SHOWN / SECOND
    )?;
    for (column, (_, name)) in STATES.iter().enumerate() {
        let x = left(column) + WIDTH / 2.0;
        writeln!(
            svg,
            "<text x=\"{x}\" y=\"{}\" font-size=\"14\" text-anchor=\"middle\">{name}</text>",
            TOP - 18.0
        )?;
    }
    for (number, row) in rows.iter().enumerate() {
        let top = TOP + ROW * number as f64;
        writeln!(
            svg,
            "<text x=\"{LEFT}\" y=\"{:.0}\" font-weight=\"bold\">{}</text>",
            top - 6.0,
            row.name
        )?;
        writeln!(
            svg,
            "<text x=\"{}\" y=\"{:.0}\" text-anchor=\"end\" fill=\"#555\">bytes, 0 to {BYTES}</text>",
            LEFT - 8.0,
            top + BARS
        )?;
        writeln!(
            svg,
            "<text x=\"{}\" y=\"{:.0}\" text-anchor=\"end\" fill=\"#555\">off its tick, \u{b1}{} ms</text>",
            LEFT - 8.0,
            top + BARS + 10.0 + DOTS / 2.0,
            SPAN / 2_000.0
        )?;
        let Some(link) = row.run.links.first() else { continue };
        let grid = Grid::new(&link.ways[0], link.tick);
        for (column, (state, _)) in STATES.iter().enumerate() {
            let stretch = row.run.stretches.iter().find(|s| s.state == *state);
            let Some(from) = stretch.map(|s| s.from) else { continue };
            let until = from + SHOWN;
            let (cells, others) = (grid.cells_in(from, until), grid.others_in(from, until));
            panel(svg, (left(column), top), from, cells, others)?;
        }
    }
    Ok(())
}

fn left(column: usize) -> f64 {
    LEFT + (WIDTH + GAP) * column as f64
}

fn panel(
    svg: &mut String,
    (left, top): (f64, f64),
    from: i64,
    cells: &[Cell],
    others: &[Datagram],
) -> std::fmt::Result {
    let x = |at: i64| left + (at - from) as f64 / SHOWN as f64 * WIDTH;
    let foot = top + BARS;
    let height = |size: u16| (f64::from(size) / BYTES).min(1.0) * BARS;
    for (y, tall) in [(top, BARS), (foot + 10.0, DOTS)] {
        writeln!(
            svg,
            "<rect x=\"{left}\" y=\"{y}\" width=\"{WIDTH}\" height=\"{tall}\" fill=\"#f7f7f7\" stroke=\"#dddddd\"/>"
        )?;
    }
    for (colour, bars) in [
        ("#0072b2", cells.iter().map(|c| (c.at, c.size)).collect::<Vec<_>>()),
        ("#e69f00", others.iter().map(|d| (d.at, d.size)).collect()),
    ] {
        write!(svg, "<path stroke=\"{colour}\" stroke-width=\"1.2\" d=\"")?;
        for (at, size) in bars {
            write!(svg, "M{:.1} {foot:.1}v-{:.1}", x(at), height(size))?;
        }
        writeln!(svg, "\"/>")?;
    }
    let middle = foot + 10.0 + DOTS / 2.0;
    writeln!(
        svg,
        "<line x1=\"{left}\" y1=\"{middle:.1}\" x2=\"{}\" y2=\"{middle:.1}\" stroke=\"#bbbbbb\"/>",
        left + WIDTH
    )?;
    for cell in cells {
        let off = (cell.late / SPAN).clamp(-0.5, 0.5) * DOTS;
        writeln!(
            svg,
            "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"1.3\" fill=\"#0072b2\"/>",
            x(cell.at),
            middle - off
        )?;
    }
    Ok(())
}
