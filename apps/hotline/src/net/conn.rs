//! One connection: its clocks and what it sends at a tick.
//!
//! **The clock of an established connection's transmit side runs [`LAG`] behind its receive side.**
//! quinn-proto adds a pending ACK frame to any packet that is composed later than the packet that it
//! acknowledges arrived, which would make cell packets vary in size; and it sends an ACK when its delay
//! timer fires, which would make them come at the receiver's bidding. Composed "before" the arrival, a cell
//! packet carries the cell alone, and acknowledgements leave by count only, at a tick, in a packet of their
//! own. Round trips look [`LAG`] longer than they are; nothing here depends on them. QUIC's timers run twice
//! as far behind, so that loss probes never come; silence is noticed by the driver itself.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use quinn_proto::ConnectionHandle;

use super::error::NetError;
use super::event::{ConnId, Counters};
use super::identity::ExchangeKey;
use super::session::{self, Session};
use super::transport;

/// Bytes that a packet adds to its cell: flags 1, connection id 8, packet number and quarter stream
/// id 3, DATAGRAM frame type and length 3, authentication tag 16.
pub const OVERHEAD: usize = 31;
/// A connection that brings no cell for this long is over.
pub(crate) const SILENCE: Duration = Duration::from_secs(6);
/// See the module header. Longer than [`SILENCE`], so that it holds for as long as the connection does.
const LAG: Duration = Duration::from_secs(7);
/// QUIC's timers run later still: a loss probe is due some round trip after a packet that was composed
/// [`LAG`] ago, and no connection shall ever send one.
pub(crate) const TIMER_LAG: Duration = Duration::from_secs(14);
/// Every so many acknowledgement packets one asks to be acknowledged itself, so that both ends can
/// forget old gaps and acknowledgements stay short.
const TRIM_EVERY: u32 = 8;
/// Packets that may leave at one tick besides the cell's.
const EXTRA_PER_TICK: usize = 16;
/// Longest cell that a packet holds.
const MAX_CELL: usize = 1_150;

/// A packet ready for the socket.
pub(crate) struct Packet {
    pub(crate) door: usize,
    pub(crate) conn: Option<ConnId>,
    pub(crate) to: SocketAddr,
    pub(crate) bytes: Vec<u8>,
}

/// Packets waiting for the next flush; the buffers are used again.
#[derive(Default)]
pub(crate) struct Outbox {
    packets: Vec<Packet>,
    used: usize,
}

impl Outbox {
    /// Let `compose` write a packet; keep it if it says where to.
    pub(crate) fn push(
        &mut self,
        door: usize,
        conn: Option<ConnId>,
        compose: impl FnOnce(&mut Vec<u8>) -> Option<SocketAddr>,
    ) -> Option<usize> {
        if self.used == self.packets.len() {
            let to = SocketAddr::from(([0, 0, 0, 0], 0));
            self.packets.push(Packet { door, conn, to, bytes: Vec::with_capacity(1_280) });
        }
        let packet = &mut self.packets[self.used];
        packet.bytes.clear();
        packet.to = compose(&mut packet.bytes)?;
        packet.door = door;
        packet.conn = conn;
        self.used += 1;
        Some(packet.bytes.len())
    }

    pub(crate) fn packets(&self) -> &[Packet] {
        &self.packets[..self.used]
    }

    /// All packets, to be sent by somebody else.
    pub(crate) fn take(&mut self) -> Vec<Packet> {
        let rest = self.packets.split_off(self.used);
        self.used = 0;
        std::mem::replace(&mut self.packets, rest)
    }

    /// Buffers to be used again.
    pub(crate) fn give_back(&mut self, packets: Vec<Packet>) {
        self.packets.extend(packets);
    }
}

/// One connection, whatever its state.
pub(crate) struct Conn {
    pub(crate) id: ConnId,
    pub(crate) door: usize,
    pub(crate) handle: ConnectionHandle,
    pub(crate) quic: quinn_proto::Connection,
    /// None on trunks.
    pub(crate) session: Option<Session>,
    pub(crate) dialled: Option<ExchangeKey>,
    pub(crate) source: IpAddr,
    /// When the handshake must be done; later, when a closed connection is forgotten.
    pub(crate) give_up: Instant,
    /// When the last cell came.
    pub(crate) heard: Instant,
    pub(crate) up: bool,
    /// The owner ticks it: nothing leaves but at ticks.
    pub(crate) ticking: bool,
    pub(crate) closing: bool,
    /// Its time after closing is over.
    pub(crate) forget: bool,
    /// Something else than a cell arrived, or a timer fired, since the last tick.
    pub(crate) stirred: bool,
    /// What is being handled brought a cell.
    pub(crate) brought_cell: bool,
    /// Packets, and of them cells, that came since packets without a cell left.
    pub(crate) packets: u32,
    pub(crate) cells: u32,
    /// The last of those was surely an acknowledgement.
    pub(crate) synced: bool,
    /// The peer was seen to want one acknowledgement for [`transport::ACK_EVERY`] cells.
    pub(crate) regular: bool,
    /// Packets without a cell that left.
    pub(crate) acks: u32,
    /// The next acknowledgement asks to be acknowledged.
    pub(crate) trim: bool,
    /// Length of the last cell and of its packet.
    pub(crate) cell_packet: (usize, usize),
    pub(crate) timer: Option<Instant>,
}

impl Conn {
    /// The time on the transmit side's clock.
    pub(crate) fn clock(&self, now: Instant) -> Instant {
        if self.ticking { now.checked_sub(LAG).unwrap_or(now) } else { now }
    }

    pub(crate) fn deadline(&mut self) -> Instant {
        let own = if self.up && !self.closing { self.heard + SILENCE } else { self.give_up };
        let lag = if self.ticking { TIMER_LAG } else { Duration::ZERO };
        self.quic.poll_timeout().map_or(own, |at| own.min(at + lag))
    }

    pub(crate) fn transmit(&mut self, now: Instant, out: &mut Outbox) -> Option<usize> {
        let at = self.clock(now);
        let quic = &mut self.quic;
        out.push(self.door, Some(self.id), |bytes| {
            quic.poll_transmit(at, 1, bytes).map(|t| t.destination)
        })
    }

    /// Let QUIC say what it has to say, above all acknowledgements, in packets without a cell.
    ///
    /// Asking costs as much as a packet, so a peer that is known to count to [`transport::ACK_EVERY`] is
    /// asked only when so many packets came, or something else than cells.
    fn speak(&mut self, now: Instant, out: &mut Outbox, counters: &mut Counters) {
        let known = self.regular && self.synced;
        if known && !self.stirred && self.packets < transport::ACK_EVERY {
            return;
        }
        let due = known && self.cells >= transport::ACK_EVERY;
        if due && self.trim {
            self.trim = false;
            self.quic.ping();
        }
        let mut extras = 0;
        while extras < EXTRA_PER_TICK && self.transmit(now, out).is_some() {
            extras += 1;
        }
        if extras > 0 {
            counters.extras_out += extras as u64;
            self.acks = self.acks.wrapping_add(1);
            self.trim |= self.acks.is_multiple_of(TRIM_EVERY);
            // After nothing but cells, it was an acknowledgement and nothing else.
            let plain = !self.stirred && extras == 1;
            if plain && self.synced && self.packets == self.cells {
                self.regular = self.cells == transport::ACK_EVERY;
            }
            self.synced = plain || due;
            (self.packets, self.cells) = (0, 0);
        }
        self.stirred = extras == EXTRA_PER_TICK;
    }

    /// Compose this tick's packets: what QUIC has to say first, then the cell alone.
    pub(crate) fn tick(
        &mut self,
        now: Instant,
        cell: &[u8],
        scratch: &mut BytesMut,
        out: &mut Outbox,
        counters: &mut Counters,
    ) -> Result<(), NetError> {
        if cell.len() > MAX_CELL {
            return Err(NetError::CellTooLong(cell.len(), MAX_CELL));
        }
        self.ticking = true;
        self.speak(now, out, counters);
        // RFC 9000 appendix A.2: a packet number takes two bytes from 128 unacknowledged ones on.
        let ahead = self.quic.congestion_state().metrics().ssthresh.unwrap_or(0);
        if scratch.capacity() < cell.len() + 2 {
            scratch.reserve(64 * 1024);
        }
        session::wrap(cell, ahead >= 128, scratch);
        let datagram = scratch.split().freeze();
        self.quic
            .datagrams()
            .send(datagram, true)
            .map_err(|_| NetError::CellTooLong(cell.len(), MAX_CELL))?;
        let size = self.transmit(now, out).unwrap_or(0);
        if self.cell_packet.0 == cell.len() && self.cell_packet.1 != size {
            counters.odd_sizes += 1;
            self.synced = false;
        }
        self.cell_packet = (cell.len(), size);
        Ok(())
    }
}
