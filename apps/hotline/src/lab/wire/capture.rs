//! What the observer has: datagrams (when, how large) of each direction of each link, and nothing else.
//!
//! ```text
//!  tap in front of a sender's socket ─► Way: one direction ─► Grid: its cells on their clock, the rest beside them
//!  the script ─► Stretch: this run was in this state from here to there
//! ```
//!
//! Datagrams are taken where they leave: there an observer sees the sender's clock best, with no receiver's delay in it.
//! Times are nanoseconds from the lab's start; lateness is microseconds.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::stats::quantile;
use crate::net::{Direction, Tapped};

/// Datagrams up to this size are acknowledgements of QUIC's, not cells. Bytes.
pub(super) const SMALL: u16 = 60;
/// A cell may come before the middle phase of all by this part of the tick; what is later is late.
const EARLY: i64 = 5;
/// No capture is longer. A day, in nanoseconds.
pub(super) const LONGEST: i64 = 86_400_000_000_000;
/// So many cells in a row can each have met the next one.
const LATE_IN_A_ROW: usize = 8;

/// What the people of a run are doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Nothing.
    Idle,
    /// One rings at the other.
    Ringing,
    /// Both speak.
    Talking,
    /// Connected, and nobody says anything.
    Silence,
    /// Connected, and held by one.
    Hold,
    /// Connected, and both type.
    Text,
    /// One has two calls, of which one is held, and speaks in the other.
    TwoCalls,
    /// A third one was brought into the call, and all speak.
    Conference,
    /// The two seconds after a command: ringing, answering, holding, hanging up.
    Change,
}

/// A run was in a state.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Stretch {
    /// Which.
    pub(super) state: State,
    /// From here.
    pub(super) from: i64,
    /// To there.
    pub(super) until: i64,
}

/// One datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(i64, u16)", into = "(i64, u16)")]
pub(super) struct Datagram {
    /// When it left.
    pub(super) at: i64,
    /// UDP payload. Bytes.
    pub(super) size: u16,
}

impl From<(i64, u16)> for Datagram {
    fn from((at, size): (i64, u16)) -> Datagram {
        Datagram { at, size }
    }
}

impl From<Datagram> for (i64, u16) {
    fn from(d: Datagram) -> (i64, u16) {
        (d.at, d.size)
    }
}

/// One direction of a link, in order.
pub(super) type Way = Vec<Datagram>;

/// Nanoseconds from `start` to `at`.
pub(super) fn since(start: Instant, at: Instant) -> i64 {
    i64::try_from(at.saturating_duration_since(start).as_nanos()).unwrap_or(i64::MAX)
}

/// What left, as a way.
pub(super) fn way<'a>(start: Instant, seen: impl IntoIterator<Item = &'a Tapped>) -> Way {
    let out = seen.into_iter().filter(|t| t.direction == Direction::Out);
    let size = |t: &Tapped| u16::try_from(t.size).unwrap_or(u16::MAX);
    let mut way: Way = out.map(|t| Datagram { at: since(start, t.at), size: size(t) }).collect();
    // Two threads send: what they did at the same time may stand the wrong way round.
    way.sort_by_key(|d| d.at);
    way
}

/// A link as a run's observer has it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Link {
    /// Both directions, or the one that there is.
    pub(super) ways: Vec<Way>,
    /// Its tick. Nanoseconds.
    pub(super) tick: i64,
}

impl Link {
    /// Whether it has so many directions, a clock that can be looked for, and times that only go forward, within a day.
    pub(super) fn is_sound(&self, ways: usize) -> bool {
        let sound = |way: &Way| {
            way.is_sorted_by_key(|d| d.at) && way.iter().all(|d| (0..=LONGEST).contains(&d.at))
        };
        (1_000_000..=1_000_000_000).contains(&self.tick)
            && self.ways.len() == ways
            && self.ways.iter().all(sound)
    }
}

/// A run: its states, and the links that carried them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Run {
    /// In the order of time.
    pub(super) stretches: Vec<Stretch>,
    /// Links of one kind.
    pub(super) links: Vec<Link>,
}

impl Run {
    /// Whether it has links that are sound, and states that begin before they end, within a day.
    pub(super) fn is_sound(&self, ways: usize) -> bool {
        let spans = |s: &Stretch| 0 <= s.from && s.from <= s.until && s.until <= LONGEST;
        !self.links.is_empty()
            && self.links.iter().all(|link| link.is_sound(ways))
            && self.stretches.iter().all(spans)
    }
}

/// One cell on its sender's clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    /// When it left.
    pub(super) at: i64,
    /// Size of its packet. Bytes.
    pub(super) size: u16,
    /// Number of the tick, from the first one of the capture.
    pub(super) tick: i64,
    /// After (or before) the tick. Microseconds.
    pub(super) late: f64,
}

/// One direction, with the sender's clock found in it.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    /// Cells, in order.
    pub(super) cells: Vec<Cell>,
    /// All other datagrams, in order.
    pub(super) others: Vec<Datagram>,
    /// Where in the tick this sender's clock stands. Nanoseconds, from 0 to the tick.
    pub(super) phase: i64,
}

impl Grid {
    /// Finds the clock: ticks of the known length, whose phase is that of the cells that are least late. The middle one would stand
    /// elsewhere for who is late when speaking, and lines could not be compared.
    pub(super) fn new(way: &Way, tick: i64) -> Grid {
        let cells = || way.iter().filter(|d| d.size > SMALL);
        let turn = std::f64::consts::TAU / tick as f64;
        let (mut sin, mut cos) = (0.0, 0.0);
        for cell in cells() {
            let angle = cell.at.rem_euclid(tick) as f64 * turn;
            sin += angle.sin();
            cos += angle.cos();
        }
        let rough = (f64::atan2(sin, cos) / turn) as i64;
        let off = |at: i64| (at - rough + tick / 2).rem_euclid(tick) - tick / 2;
        let mut offs: Vec<f64> = cells().map(|c| off(c.at) as f64).collect();
        offs.sort_by(f64::total_cmp);
        let phase = (rough + quantile(&offs, 0.1) as i64).rem_euclid(tick);
        let mut cells: Vec<Cell> = cells()
            .map(|d| {
                let number = (d.at - phase + tick / EARLY).div_euclid(tick);
                let late = (d.at - phase - number * tick) as f64 / 1e3;
                Cell { at: d.at, size: d.size, tick: number, late }
            })
            .collect();
        // One that is late by nearly a tick meets the next one; then an empty tick stands before it, or before those that
        // are late in a row before it.
        for i in 1..cells.len() {
            let mut first = i;
            while first > 0
                && i - first <= LATE_IN_A_ROW
                && cells[first - 1].tick == cells[i].tick - (i - first) as i64
            {
                first -= 1;
            }
            let free = first == 0 || cells[first - 1].tick < cells[first].tick - 1;
            if first < i && free && i - first <= LATE_IN_A_ROW {
                for cell in &mut cells[first..i] {
                    cell.tick -= 1;
                    cell.late += tick as f64 / 1e3;
                }
            }
        }
        Grid { cells, others: way.iter().filter(|d| d.size <= SMALL).copied().collect(), phase }
    }

    /// Cells that left in a span of time.
    pub(super) fn cells_in(&self, from: i64, until: i64) -> &[Cell] {
        let start = self.cells.partition_point(|c| c.at < from);
        let end = self.cells.partition_point(|c| c.at < until);
        &self.cells[start..end.max(start)]
    }

    /// Other datagrams in a span of time.
    pub(super) fn others_in(&self, from: i64, until: i64) -> &[Datagram] {
        let start = self.others.partition_point(|d| d.at < from);
        let end = self.others.partition_point(|d| d.at < until);
        &self.others[start..end.max(start)]
    }
}
