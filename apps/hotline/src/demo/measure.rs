//! What the demo measures: the line as seen at the socket, and speech heard against speech said.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::cli::Failure;
use crate::net::{Direction, Tap, Tapped};
use crate::phone::sound::Timeline;
use crate::score;

/// Bytes of IPv4 and UDP headers in front of each datagram.
const HEADERS: usize = 20 + 8;
/// Datagrams of some minutes.
const ROOM: usize = 1 << 15;

/// Every datagram at one socket.
#[derive(Clone, Default)]
pub(crate) struct WireLog(Arc<Mutex<Vec<Tapped>>>);

/// A line's rates over some time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rates {
    /// Handset to exchange, with IP and UDP headers. kbit/s.
    pub(super) up: f64,
    /// Exchange to handset, likewise.
    pub(super) down: f64,
}

impl WireLog {
    /// Hands every datagram to this log.
    pub(crate) fn tap(&self) -> Tap {
        let log = self.0.clone();
        if let Ok(mut log) = log.lock() {
            // Some minutes: growing in front of the socket would delay what is being looked at.
            log.reserve(ROOM);
        }
        Box::new(move |seen| {
            if let Ok(mut log) = log.lock() {
                log.push(seen);
            }
        })
    }

    /// What passed in `span` from `from` on: time after `from`, direction, size.
    pub(super) fn between(&self, from: Instant, span: Duration) -> Vec<Tapped> {
        self.all().into_iter().filter(|seen| seen.at >= from && seen.at < from + span).collect()
    }

    /// Everything so far.
    pub(crate) fn all(&self) -> Vec<Tapped> {
        self.0.lock().map(|log| log.clone()).unwrap_or_default()
    }

    /// Rates in `span` from `from` on.
    pub(super) fn rates(&self, from: Instant, span: Duration) -> Rates {
        let seen = self.between(from, span);
        let kbit = |direction| {
            let bytes: usize =
                seen.iter().filter(|s| s.direction == direction).map(|s| s.size + HEADERS).sum();
            bytes as f64 * 8.0 / 1000.0 / span.as_secs_f64()
        };
        Rates { up: kbit(Direction::Out), down: kbit(Direction::In) }
    }
}

/// One direction of a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hearing {
    /// From the speaker's mouth to the listener's ear.
    pub(super) mouth_to_ear_ms: f64,
    /// PESQ wide-band, MOS-LQO.
    pub(super) pesq: f64,
    /// STOI.
    pub(super) stoi: f64,
}

/// Compares what was heard with what was said. Both know when: the delay is in the signal itself.
pub(super) fn hearing(said: &Timeline, heard: &Timeline) -> Result<Hearing, Failure> {
    let (Some(said_at), Some(heard_at)) = (said.start(), heard.start()) else {
        return Err("nothing was said, or nothing was heard".into());
    };
    let found = score::align(said.samples(), heard.samples())?;
    let shift = found.delay as f64 * 1000.0 / voice::SAMPLE_RATE as f64;
    let mouth_to_ear_ms = (heard_at - said_at) as f64 / 1000.0 + shift;
    let said = &said.samples()[found.said..found.said + found.length];
    let heard = &heard.samples()[found.heard..found.heard + found.length];
    let followed = score::follow(said, heard, 0);
    let pesq = f64::from(score::pesq(said, heard)?);
    Ok(Hearing { mouth_to_ear_ms, pesq, stoi: score::stoi(said, &followed)? })
}

/// What somebody at the line sees of one direction in one window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Look {
    /// Size of the cells' packets: the size that most datagrams have.
    pub(super) cell: usize,
    /// How many of them.
    pub(super) cells: usize,
    /// Sizes of all others, largest last: acknowledgements.
    pub(super) others: Vec<usize>,
}

/// Longest datagram that is an acknowledgement and no cell. Bytes.
const ACK_MAX: usize = 60;

/// Looks at one direction of a window.
pub(super) fn look(seen: &[Tapped], direction: Direction) -> Look {
    let mut sizes = std::collections::BTreeMap::<usize, usize>::new();
    for tapped in seen.iter().filter(|s| s.direction == direction) {
        *sizes.entry(tapped.size).or_default() += 1;
    }
    let (cell, cells) = sizes
        .iter()
        .max_by_key(|(_, count)| **count)
        .map_or((0, 0), |(size, count)| (*size, *count));
    Look { cell, cells, others: sizes.into_keys().filter(|size| *size != cell).collect() }
}

/// Whether windows of one length look the same: one size of cells, the same count up to `slack` (where a
/// window's edge falls), and nothing beside them but acknowledgements.
pub(super) fn same(looks: &[Look], slack: usize) -> bool {
    let Some(first) = looks.first() else { return false };
    looks.iter().all(|look| {
        look.cell == first.cell
            && look.cells > 0
            && look.cells.abs_diff(first.cells) <= slack
            && look.others.last().is_none_or(|size| *size <= ACK_MAX)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn seen(sizes: &[usize]) -> Vec<Tapped> {
        let seen = Tapped {
            at: Instant::now(),
            direction: Direction::Out,
            size: 0,
            conn: None,
            door: crate::net::DoorId::FIRST,
            remote: ([127, 0, 0, 1], 1).into(),
        };
        sizes.iter().map(|size| Tapped { size: *size, ..seen }).collect()
    }

    #[test]
    fn a_missing_cell_another_size_and_a_burst_are_seen() {
        let usual = look(&seen(&[255; 100]), Direction::Out);
        let with_acks = look(&seen(&[&[255; 100][..], &[33; 10]].concat()), Direction::Out);
        assert!(same(&[usual.clone(), with_acks], 2));
        for leaky in [&[255; 90][..], &[256; 100], &[[255; 100], [255; 100]].concat(), &[]] {
            assert!(!same(&[usual.clone(), look(&seen(leaky), Direction::Out)], 2));
        }
        let extra = [&[255; 100][..], &[200]].concat();
        assert!(!same(&[usual, look(&seen(&extra), Direction::Out)], 2));
    }

    #[test]
    fn delay_is_found_in_the_signal_and_the_clocks() {
        let speech: Vec<f32> = (0..144_000u32)
            .map(|n| {
                let noise =
                    (n.wrapping_mul(2_654_435_761).rotate_left(13) % 2000) as f32 / 1000.0 - 1.0;
                noise * (n as f32 / 9_000.0).sin().abs() * 0.3
            })
            .collect();
        let mut said = Timeline::default();
        said.push(wire::Time(1_000_000), &speech);
        // Heard from 1.02 s on, 40 ms into the recording: 60 ms from mouth to ear.
        let mut heard = Timeline::default();
        heard.push(wire::Time(1_020_000), &[&[0.0; 1920][..], &speech[..]].concat());
        let found = hearing(&said, &heard).unwrap();
        assert!((found.mouth_to_ear_ms - 60.0).abs() < 0.1, "{found:?}");
        assert!(found.pesq > 4.0 && found.stoi > 0.99, "{found:?}");
    }
}
