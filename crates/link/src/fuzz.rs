//! Bodies of the fuzz targets: no sequence of operations and no received cell may panic, and what two
//! honest ends say arrives whatever happens to their cells.

use wire::cell::Channel;
use wire::limits::VOICE_LEN;
use wire::{Leg, Time};

use crate::{Event, Link, Shape};

/// The two ends, what is under way to each, and what each was told to say.
struct Pair {
    ends: [Link; 2],
    under_way: [Vec<Vec<u8>>; 2],
    said: [[Vec<Vec<u8>>; 2]; 2],
    heard: [[usize; 2]; 2],
    /// An end has had a forged cell: what it says and hears is no longer checked.
    forged: bool,
}

/// Plays `data` as a sequence of operations on two links, then lets both run undisturbed.
///
/// Each operation is a byte: bit 0 the end, bits 1.. what happens. Some take more bytes.
pub fn operations(data: &[u8]) {
    let shape = match data.first().map_or(0, |b| b % 3) {
        0 => Shape::OFFICE_HANDSET,
        1 => Shape::MOBILE_HANDSET,
        _ => Shape::trunk(3),
    };
    let mut pair = Pair {
        ends: [Link::new(shape, Time(0)), Link::new(shape.other_end(), Time(5_000))],
        under_way: Default::default(),
        said: Default::default(),
        heard: Default::default(),
        forged: false,
    };
    let mut rest = data.iter().copied().skip(1);
    while let Some(op) = rest.next() {
        let mut byte = || rest.next().unwrap_or(0);
        let end = usize::from(op & 1);
        match op >> 1 & 7 {
            0 | 1 => pair.tick(end, 1),
            2 => pair.tick(end, byte()),
            3 => {
                let (channel, len) = (byte() & 1, usize::from(byte()) << (byte() & 7));
                pair.say(end, channel, len);
            }
            4 => {
                let leg = Leg(byte().into());
                pair.ends[end].queue_voice(leg, &[op; VOICE_LEN]);
            }
            5 => pair.arrive(end, byte().into(), byte()),
            6 => {
                let at = usize::from(byte());
                if at < pair.under_way[end].len() {
                    pair.under_way[end].swap_remove(at);
                }
            }
            _ => {
                let (at, mask) = (usize::from(byte()), byte());
                pair.forge(end, at, mask);
            }
        }
        pair.hear(end);
    }
    pair.settle();
}

impl Pair {
    /// Ticks one end, `late` ticks after it was due, and checks what comes out.
    fn tick(&mut self, end: usize, late: u8) {
        let link = &mut self.ends[end];
        let now = link.next_tick() + link.shape().tick * u32::from(late / 16);
        link.tick(now);
        let (mut count, shape) = (0, *link.shape());
        while let Some(cell) = link.poll_cell() {
            assert_eq!(cell.len(), shape.send.cell_len, "a cell of another length");
            count += 1;
            self.under_way[1 - end].push(cell.to_vec());
        }
        assert_eq!(count, shape.send.cells_per_tick, "another number of cells");
    }

    fn say(&mut self, end: usize, channel: u8, len: usize) {
        let said = &mut self.said[end][usize::from(channel)];
        let mut message = vec![0; len];
        // Channel and place are told by the first byte and those after it, so that no two are alike.
        let mark = (said.len() << 1 | usize::from(channel)).to_le_bytes();
        message.iter_mut().zip(mark).for_each(|(to, from)| *to = from);
        let name = if channel == 0 { Channel::Signal } else { Channel::Bulk };
        if self.ends[end].queue(name, &message).is_ok() {
            said.push(message);
        }
    }

    /// Brings a cell, and brings it again if `again` is odd.
    fn arrive(&mut self, end: usize, at: usize, again: u8) {
        if at >= self.under_way[end].len() {
            return;
        }
        let cell = if again & 1 == 1 {
            self.under_way[end][at].clone()
        } else {
            self.under_way[end].swap_remove(at)
        };
        self.handle(end, &cell);
    }

    fn forge(&mut self, end: usize, at: usize, mask: u8) {
        let Some(cell) = self.under_way[end].first() else { return };
        let mut cell = cell.clone();
        let len = cell.len();
        cell[at * 2 % len] ^= mask;
        cell.truncate(if mask == 0 { at } else { len });
        self.forged = true;
        self.handle(end, &cell);
    }

    fn handle(&mut self, end: usize, cell: &[u8]) {
        let now = self.ends[end].next_tick();
        let result = self.ends[end].handle_cell(now, cell);
        assert!(self.forged || result.is_ok(), "an honest cell is refused: {result:?}");
    }

    fn hear(&mut self, end: usize) {
        while let Some(event) = self.ends[end].poll_event() {
            let Event::Message(message) = event else { continue };
            if self.forged {
                continue;
            }
            let fits = |channel: &usize| {
                let heard = self.heard[end][*channel];
                self.said[1 - end][*channel].get(heard) == Some(&message)
            };
            let channel = [0, 1].into_iter().find(fits);
            assert!(channel.is_some(), "a message that was not said, or out of order");
            self.heard[end][channel.unwrap_or(0)] += 1;
        }
    }

    /// Everything that was said arrives, now that nothing is lost.
    fn settle(&mut self) {
        for _ in 0..400 {
            for end in [0, 1] {
                self.tick(end, 0);
                while !self.under_way[1 - end].is_empty() {
                    self.arrive(1 - end, 0, 0);
                }
                self.hear(1 - end);
            }
            if self.forged {
                return;
            }
        }
        for end in [0, 1] {
            let left =
                self.ends[end].backlog(Channel::Signal) + self.ends[end].backlog(Channel::Bulk);
            let said: usize = self.said[end].iter().map(Vec::len).sum();
            let heard: usize = self.heard[1 - end].iter().sum();
            assert!(left > 0 || said == heard, "said {said}, heard {heard}");
        }
    }
}
