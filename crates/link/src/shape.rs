//! Shapes: the constants of a link. Whoever watches a link learns its shape, and nothing else.

use core::time::Duration;

use wire::cell::{ACK_LEN, NUMBER_LEN, VOICE_FRAME_LEN};

/// Room that voice leaves to control in every cell, header included. Bytes.
pub(crate) const MIN_CONTROL: usize = 48;
/// Speech in one voice frame.
const VOICE_FRAME: Duration = Duration::from_millis(20);
/// Most cells that one tick may have: an acknowledgement tells of 65 cells, and so always of two ticks.
const CELLS_MAX: u16 = 32;
/// What a cell costs on the wire beside itself: IPv4 20, UDP 8; QUIC: flags 1, connection id 8, packet
/// number 2, tag 16 (RFC 9000, 9001); DATAGRAM type and length 3 (RFC 9221); WebTransport session 1.
/// Trunks have no session, IPv6 has 20 more. Bytes.
const OVERHEAD: usize = 20 + 8 + 1 + 8 + 2 + 16 + 3 + 1;

/// One direction of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// Cells in each tick.
    pub cells_per_tick: u16,
    /// Length of each of them. Bytes.
    pub cell_len: usize,
}

impl End {
    const fn new(cells_per_tick: u16, cell_len: usize) -> Self {
        End { cells_per_tick, cell_len }
    }

    /// Voice frames that fit in one cell beside an acknowledgement and a little control.
    #[must_use]
    pub const fn voices_per_cell(&self) -> usize {
        self.cell_len.saturating_sub(NUMBER_LEN + ACK_LEN + MIN_CONTROL) / VOICE_FRAME_LEN
    }

    /// Voice frames that fit in one tick.
    #[must_use]
    pub const fn voices_per_tick(&self) -> usize {
        self.voices_per_cell() * self.cells_per_tick as usize
    }
}

/// A link as one of its ends sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// The clock of both directions; each end's has a phase of its own.
    pub tick: Duration,
    /// What this end sends.
    pub send: End,
    /// What this end receives.
    pub recv: End,
}

impl Shape {
    /// The handset's end of an office line: one voice up, three down.
    pub const OFFICE_HANDSET: Shape =
        Shape { tick: Duration::from_millis(20), send: End::new(1, 224), recv: End::new(1, 480) };
    /// The exchange's end of an office line.
    pub const OFFICE_EXCHANGE: Shape = Shape::OFFICE_HANDSET.other_end();
    /// The handset's end of a mobile line: a third of the packets; each brings the three frames of 60 ms
    /// of speech, each way.
    pub const MOBILE_HANDSET: Shape =
        Shape { tick: Duration::from_millis(60), send: End::new(1, 480), recv: End::new(1, 480) };
    /// The exchange's end of a mobile line.
    pub const MOBILE_EXCHANGE: Shape = Shape::MOBILE_HANDSET.other_end();

    /// Either end of a trunk: `cells_per_tick` cells each 10 ms each way, each with eight voice frames, so
    /// that it carries sixteen calls for each cell. Between 1 and 32; what is outside is brought inside.
    #[must_use]
    pub const fn trunk(cells_per_tick: u16) -> Shape {
        let n = match cells_per_tick {
            0 => 1,
            n if n > CELLS_MAX => CELLS_MAX,
            n => n,
        };
        let end = End::new(n, 1_120);
        Shape { tick: Duration::from_millis(10), send: end, recv: end }
    }

    /// The same link from its other end.
    #[must_use]
    pub const fn other_end(self) -> Shape {
        Shape { tick: self.tick, send: self.recv, recv: self.send }
    }

    /// Voice frames that fit in one sent cell beside an acknowledgement and a little control.
    #[must_use]
    pub const fn voices_per_cell(&self) -> usize {
        self.send.voices_per_cell()
    }

    /// What the link takes of the network, sent and received, at all times: kilobits a second, with IPv4,
    /// UDP, QUIC and WebTransport, without acknowledgements and keep-alives of QUIC's own.
    #[must_use]
    pub fn kbit_per_second(&self) -> (f64, f64) {
        let rate = |end: &End| {
            #[expect(clippy::cast_precision_loss, reason = "a few thousand bytes")]
            let bits = (end.cell_len + OVERHEAD) as f64 * f64::from(end.cells_per_tick) * 8.0;
            bits / self.tick.as_secs_f64() / 1_000.0
        };
        (rate(&self.send), rate(&self.recv))
    }

    /// Voice frames of one leg that may wait: those of one tick, and one more for jitter.
    pub(crate) fn voice_depth(&self) -> usize {
        self.tick.as_millis().div_ceil(VOICE_FRAME.as_millis()).max(1) as usize + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn voices() {
        assert_eq!(Shape::OFFICE_HANDSET.voices_per_cell(), 1);
        assert_eq!(Shape::OFFICE_EXCHANGE.voices_per_cell(), 3);
        assert_eq!(Shape::MOBILE_HANDSET.voices_per_cell(), 3);
        assert_eq!(Shape::MOBILE_EXCHANGE.voices_per_cell(), 3);
        assert_eq!(Shape::trunk(4).voices_per_cell(), 8);
        assert_eq!(Shape::trunk(4).send.voices_per_tick(), 32);
        assert_eq!(Shape::OFFICE_HANDSET.voice_depth(), 2);
        assert_eq!(Shape::MOBILE_HANDSET.voice_depth(), 4);
        assert_eq!(Shape::trunk(1).voice_depth(), 2);
    }

    #[test]
    fn trunks_are_bounded() {
        assert_eq!(Shape::trunk(0), Shape::trunk(1));
        assert_eq!(Shape::trunk(u16::MAX), Shape::trunk(32));
        assert!(Shape::trunk(1).send.cell_len + OVERHEAD - 28 <= 1_200, "one QUIC packet");
    }

    #[test]
    fn rates() {
        let (up, down) = Shape::OFFICE_HANDSET.kbit_per_second();
        assert!((up - 113.2).abs() < 0.01, "{up}");
        assert!((down - 215.6).abs() < 0.01, "{down}");
    }
}
