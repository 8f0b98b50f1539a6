//! One end of a link.

use core::time::Duration;
use std::collections::VecDeque;

use wire::cell::{Ack, CellReader, CellWriter, Channel, Frame, OFFSET_END};
use wire::limits::VOICE_LEN;
use wire::{Leg, Time};

use crate::error::{Full, LinkError};
use crate::inbox::Inbox;
use crate::outbox::{Outbox, Piece};
use crate::seen::{Fate, SPAN, Seen, fate};
use crate::shape::Shape;
use crate::voices::Voices;

/// Most control pieces on their way.
const FLYING_MAX: usize = 256;
/// Most signal bytes that may wait.
const SIGNAL_BACKLOG: usize = 64 * 1024;
/// Most bulk bytes that may wait.
const BULK_BACKLOG: usize = 1024 * 1024;
/// Cell numbers that are left when a link counts as exhausted: five minutes on the widest trunk.
const NUMBERS_LEFT: u32 = 1 << 20;
/// Control offsets that are left when a link counts as exhausted. Bytes.
const OFFSETS_LEFT: u64 = 1 << 32;
/// What chaff says.
const CHAFF: [u8; VOICE_LEN] = [0; VOICE_LEN];

/// What came out of received cells.
#[derive(Clone, PartialEq, Eq)]
pub enum Event {
    /// 20 ms of sealed voice.
    Voice {
        /// Its path; never [`Leg::CHAFF`].
        leg: Leg,
        /// Sealed.
        payload: [u8; VOICE_LEN],
    },
    /// One whole control message, in order within its channel.
    Message(Vec<u8>),
}

// Control messages hold addresses: only sizes are shown.
impl core::fmt::Debug for Event {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Event::Voice { leg, .. } => write!(f, "Voice({leg:?})"),
            Event::Message(bytes) => write!(f, "Message({} bytes)", bytes.len()),
        }
    }
}

/// Figures of a link since it came up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Cells made for the other end.
    pub cells_sent: u64,
    /// Different cells received.
    pub cells_received: u64,
    /// Cells of the other end that did not arrive (by their numbers), or arrived too late to be told.
    pub cells_lost: u64,
    /// Cells that were copies, or too late, and were thrown away.
    pub cells_stale: u64,
    /// Voice frames sent, chaff not counted.
    pub voice_sent: u64,
    /// Voice frames received, chaff not counted.
    pub voice_received: u64,
    /// Voice frames dropped unsent, because newer ones came before the next tick.
    pub voice_dropped: u64,
    /// Ticks that the host was too late for.
    pub ticks_skipped: u64,
    /// Control bytes that were sent again.
    pub bytes_resent: u64,
    /// From a cell's tick to its acknowledgement, smoothed; the other end's wait for its own tick (half a
    /// tick on average) is in it. `None` until the first acknowledgement.
    pub round_trip: Option<Duration>,
}

/// One end of a line or trunk. See the crate's documentation for how to drive it.
///
/// - in: [`queue`](Link::queue), [`queue_voice`](Link::queue_voice), [`handle_cell`](Link::handle_cell),
///   [`tick`](Link::tick)
/// - out: [`poll_cell`](Link::poll_cell) after a tick, [`poll_event`](Link::poll_event) after a cell
/// - time: [`next_tick`](Link::next_tick)
#[derive(Debug)]
pub struct Link {
    shape: Shape,
    next_tick: Time,
    /// When the latest tick was due.
    last_tick: Time,
    ticks: u64,
    next_number: u32,
    cells: Vec<u8>,
    cells_made: usize,
    cells_polled: usize,
    voices: Voices,
    signal_out: Outbox,
    bulk_out: Outbox,
    flying: VecDeque<Piece>,
    seen: Seen,
    told: Option<Ack>,
    signal_in: Inbox,
    bulk_in: Inbox,
    events: VecDeque<Event>,
    stats: Stats,
}

impl Link {
    /// A link that has just come up; its first tick is at `first_tick`, all others whole ticks after it.
    /// The phase should come from a random number, never from another link.
    #[must_use]
    pub fn new(shape: Shape, first_tick: Time) -> Link {
        let limit = (4 * shape.send.voices_per_tick()).max(16);
        Link {
            shape,
            next_tick: first_tick,
            last_tick: first_tick,
            ticks: 0,
            next_number: 0,
            cells: vec![0; shape.send.cell_len * usize::from(shape.send.cells_per_tick)],
            cells_made: 0,
            cells_polled: 0,
            voices: Voices::new(shape.voice_depth(), limit),
            signal_out: Outbox::new(Channel::Signal, SIGNAL_BACKLOG),
            bulk_out: Outbox::new(Channel::Bulk, BULK_BACKLOG),
            flying: VecDeque::new(),
            seen: Seen::default(),
            told: None,
            signal_in: Inbox::new(Channel::Signal),
            bulk_in: Inbox::new(Channel::Bulk),
            events: VecDeque::new(),
            stats: Stats::default(),
        }
    }

    /// The link's constants.
    #[must_use]
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Queues one whole control message (1 to [`wire::limits::MESSAGE_MAX`] bytes). It arrives once, and
    /// in order within its channel, as long as the link is up.
    ///
    /// # Errors
    /// Too much waits, or the message has an impossible length. Nothing has changed then.
    pub fn queue(&mut self, channel: Channel, message: &[u8]) -> Result<(), Full> {
        self.outbox(channel).queue(message)
    }

    /// Bytes on `channel` that the other end has not acknowledged, two for each message included.
    #[must_use]
    pub fn backlog(&self, channel: Channel) -> usize {
        match channel {
            Channel::Signal => self.signal_out.backlog(),
            Channel::Bulk => self.bulk_out.backlog(),
        }
    }

    /// Bytes on `channel` that have not been in a cell yet.
    #[must_use]
    pub fn unsent(&self, channel: Channel) -> usize {
        match channel {
            Channel::Signal => self.signal_out.unsent(),
            Channel::Bulk => self.bulk_out.unsent(),
        }
    }

    /// Queues 20 ms of sealed voice for the next tick with room. Frames of one leg go out in order; when
    /// more wait than one tick's and one, the oldest is dropped. Frames to [`Leg::CHAFF`] go nowhere.
    pub fn queue_voice(&mut self, leg: Leg, payload: &[u8; VOICE_LEN]) {
        self.queue_voices(leg, payload, 1);
    }

    /// The same for a leg on which the voices of several people come: as many times as many frames wait.
    pub fn queue_voices(&mut self, leg: Leg, payload: &[u8; VOICE_LEN], voices: usize) {
        if leg != Leg::CHAFF {
            self.voices.push(leg, payload, voices);
        }
    }

    /// When [`Link::tick`] is to be called next; [`Time::NEVER`] if no cell numbers are left.
    #[must_use]
    pub fn next_tick(&self) -> Time {
        self.next_tick
    }

    /// When the latest tick was due, however late it was taken. Hosts that make cells ahead of the instant at which they
    /// leave count that instant from here.
    #[must_use]
    pub fn last_tick(&self) -> Time {
        self.last_tick
    }

    /// Makes the cells of the tick that is due, for [`Link::poll_cell`]; does nothing if none is. Ticks
    /// that are past already are skipped. Cells of the tick before that were not polled are lost.
    pub fn tick(&mut self, now: Time) {
        if now < self.next_tick {
            return;
        }
        (self.cells_made, self.cells_polled) = (0, 0);
        let step = u64::try_from(self.shape.tick.as_micros()).unwrap_or(u64::MAX).max(1);
        let late = now.since(self.next_tick).as_micros() / u128::from(step);
        let late = u64::try_from(late).unwrap_or(u64::MAX);
        self.stats.ticks_skipped += late;
        self.last_tick = Time(self.next_tick.0.saturating_add(late.saturating_mul(step)));
        self.next_tick = Time(self.last_tick.0.saturating_add(step));
        if self.next_number > u32::MAX - u32::from(self.shape.send.cells_per_tick) {
            self.next_tick = Time::NEVER;
            return;
        }
        self.ticks += 1;
        for _ in 0..self.shape.send.cells_per_tick {
            self.make_cell();
        }
    }

    /// The next cell of the latest tick, to be sent as one datagram.
    pub fn poll_cell(&mut self) -> Option<&[u8]> {
        if self.cells_polled == self.cells_made {
            return None;
        }
        let start = self.cells_polled * self.shape.send.cell_len;
        self.cells_polled += 1;
        self.cells.get(start..start + self.shape.send.cell_len)
    }

    /// Acknowledgement, voice, signal, bulk, chaff, padding: in this order.
    fn make_cell(&mut self) {
        let len = self.shape.send.cell_len;
        let start = self.cells_made * len;
        let Some(buffer) = self.cells.get_mut(start..start + len) else { return };
        let number = self.next_number;
        let mut cell = CellWriter::new(buffer, number);
        if let Some(ack) = self.seen.ack() {
            cell.ack(ack);
        }
        let slots = self.shape.voices_per_cell();
        let mut filled = 0;
        while filled < slots {
            let Some((leg, payload)) = self.voices.pop() else { break };
            cell.voice(leg, &payload);
            filled += 1;
        }
        self.stats.voice_sent += filled as u64;
        for outbox in [&mut self.signal_out, &mut self.bulk_out] {
            while self.flying.len() < FLYING_MAX {
                let Some(piece) = outbox.write(number, &mut cell) else { break };
                self.flying.push_back(piece);
            }
        }
        // Chaff takes the way of voice, so that both ends do the same work for it.
        while filled < slots && cell.voice(Leg::CHAFF, &CHAFF) {
            filled += 1;
        }
        self.next_number += 1;
        self.cells_made += 1;
        self.stats.cells_sent += 1;
    }

    /// Takes a received datagram. Copies and cells that are too old do no harm.
    ///
    /// # Errors
    /// The other end broke the protocol, or the link is exhausted: take the link down.
    pub fn handle_cell(&mut self, now: Time, cell: &[u8]) -> Result<(), LinkError> {
        let expected = self.shape.recv.cell_len;
        if cell.len() != expected {
            return Err(LinkError::Length { got: cell.len(), expected });
        }
        let mut cell = CellReader::new(cell)?;
        if !self.seen.is_new(cell.number) {
            self.stats.cells_stale += 1;
            return Ok(());
        }
        let mut kept = true;
        while let Some(frame) = cell.frame()? {
            match frame {
                Frame::Ack(ack) => self.handle_ack(now, ack)?,
                Frame::Voice { leg, payload } => {
                    self.events.push_back(Event::Voice { leg, payload: *payload });
                }
                Frame::Control { channel, offset, bytes } => {
                    let inbox = match channel {
                        Channel::Signal => &mut self.signal_in,
                        Channel::Bulk => &mut self.bulk_in,
                    };
                    let events = &mut self.events;
                    kept &= inbox.take(offset, bytes, |message| {
                        events.push_back(Event::Message(message.to_vec()));
                    })?;
                }
            }
        }
        // A cell whose control could not be kept counts as lost: it comes again.
        if kept {
            self.seen.insert(cell.number);
        }
        self.exhausted(cell.number)
    }

    /// The next event of the cells received so far. Drain it after each cell.
    pub fn poll_event(&mut self) -> Option<Event> {
        loop {
            let event = self.events.pop_front()?;
            match event {
                Event::Voice { leg: Leg::CHAFF, .. } => {}
                Event::Voice { .. } => {
                    self.stats.voice_received += 1;
                    return Some(event);
                }
                Event::Message(_) => return Some(event),
            }
        }
    }

    /// Figures since the link came up.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats {
            cells_received: self.seen.count(),
            cells_lost: self.seen.missing(),
            voice_dropped: self.voices.dropped(),
            bytes_resent: self.signal_out.resent() + self.bulk_out.resent(),
            ..self.stats
        }
    }

    /// Memory that the link holds. Bytes, roughly.
    #[cfg(test)]
    fn memory(&self) -> usize {
        let outboxes = self.signal_out.memory() + self.bulk_out.memory();
        let inboxes = self.signal_in.memory() + self.bulk_in.memory();
        let flying = self.flying.capacity() * size_of::<Piece>();
        let events = self.events.capacity() * size_of::<Event>();
        size_of::<Self>() + self.cells.capacity() + outboxes + inboxes + flying + events
    }

    fn outbox(&mut self, channel: Channel) -> &mut Outbox {
        match channel {
            Channel::Signal => &mut self.signal_out,
            Channel::Bulk => &mut self.bulk_out,
        }
    }

    fn handle_ack(&mut self, now: Time, ack: Ack) -> Result<(), LinkError> {
        let number = ack.largest;
        // Bits for numbers below zero tell of cells that never were.
        let beyond = number < SPAN && ack.bitmap >> number != 0;
        if number >= self.next_number || beyond {
            return Err(LinkError::NeverSent { number });
        }
        if self.told == Some(ack) {
            return Ok(());
        }
        if self.told.is_none_or(|told| told.largest < number) {
            self.measure(now, number);
            self.told = Some(ack);
        }
        if self.flying.front().is_none_or(|piece| piece.cell > number) {
            return Ok(());
        }
        let before = self.flying.len();
        let (signal, bulk) = (&mut self.signal_out, &mut self.bulk_out);
        let (mut signal_low, mut bulk_low) = (None::<u64>, None::<u64>);
        self.flying.retain(|piece| {
            let (outbox, low) = match piece.channel {
                Channel::Signal => (&mut *signal, &mut signal_low),
                Channel::Bulk => (&mut *bulk, &mut bulk_low),
            };
            match fate(ack, piece.cell) {
                Fate::Arrived => return false,
                Fate::Lost => {
                    outbox.lose(*piece);
                    return false;
                }
                Fate::Open => {}
            }
            *low = Some(low.map_or(piece.offset, |l| l.min(piece.offset)));
            true
        });
        if self.flying.len() != before {
            signal.release(signal_low);
            bulk.release(bulk_low);
        }
        Ok(())
    }

    /// Updates the round trip by the acknowledgement of cell `number`, which is the first.
    fn measure(&mut self, now: Time, number: u32) {
        let tick = u64::from(number) / u64::from(self.shape.send.cells_per_tick.max(1)) + 1;
        let back = u32::try_from(self.ticks.saturating_sub(tick)).unwrap_or(u32::MAX);
        let sent = self.last_tick - self.shape.tick.saturating_mul(back);
        let sample = now.since(sent);
        self.stats.round_trip = Some(match self.stats.round_trip {
            None => sample,
            Some(mean) => (mean * 7 + sample) / 8,
        });
    }

    fn exhausted(&self, received: u32) -> Result<(), LinkError> {
        let numbers = self.next_number.max(received) > u32::MAX - NUMBERS_LEFT;
        let offset = self.signal_out.next().max(self.bulk_out.next());
        if numbers || offset > OFFSET_END - OFFSETS_LEFT {
            return Err(LinkError::Exhausted);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
