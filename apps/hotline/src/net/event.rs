//! What an endpoint's owner says to the driver and hears from it.

use quinn_proto::ConnectionError;

use super::identity::ExchangeKey;

/// A connection of an [`super::Endpoint`]. Never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId {
    pub(crate) slot: u32,
    pub(crate) turn: u32,
}

impl ConnId {
    /// A dense index below the connection limit, for tables; it is used again after the connection is gone.
    pub fn index(self) -> usize {
        self.slot as usize
    }

    /// The id as one number, for owners that name connections by numbers. Never used twice.
    pub fn number(self) -> u64 {
        u64::from(self.turn) << 32 | u64::from(self.slot)
    }

    /// The id of [`Self::number`].
    pub fn from_number(number: u64) -> Self {
        Self { slot: number as u32, turn: (number >> 32) as u32 }
    }
}

/// Whom to connect to.
#[derive(Clone, Copy, Debug)]
pub enum Peer {
    /// A handset calls its own exchange, whose key it pinned.
    Line(ExchangeKey),
    /// An exchange calls another exchange, whose key is on a card.
    Trunk(ExchangeKey),
}

/// Who is at the other end, as proved in the handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    /// Some handset on the line door: it proves who it is inside its cells.
    Handset,
    /// The exchange with this key.
    Exchange(ExchangeKey),
}

/// Why a connection is over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CloseReason {
    /// The peer closed it with this application code.
    #[error("the other side closed the connection (code {0})")]
    ByPeer(u64),
    /// Nothing came for six seconds, or the handshake was never finished.
    #[error("nothing heard from the other side for {} s; check the network and the address", super::conn::SILENCE.as_secs())]
    Silent,
    /// The peer does not know this connection: it was restarted.
    #[error("the other side was restarted; connect again")]
    Restarted,
    /// The peer has another key than the pinned one.
    #[error(
        "the exchange at this address has another key than the pinned one: a wrong address, or somebody in between; do not go on, ask its operator"
    )]
    WrongKey,
    /// The peer shares no key exchange with us, or speaks something else.
    #[error("no common secure handshake: {0}; one side is out of date or not Hotline")]
    Handshake(String),
    /// The peer takes no more connections.
    #[error("the exchange takes no more connections now; try again later")]
    Full,
    /// The peer broke the protocol.
    #[error("the other side broke the protocol: {0}")]
    Protocol(String),
}

/// What the driver tells its owner.
#[derive(Debug)]
pub enum Event<'a> {
    /// The connection is up: from now on give it a cell at every tick.
    Connected {
        /// The connection.
        conn: ConnId,
        /// Who is at the other end.
        party: Party,
    },
    /// A cell arrived.
    Cell {
        /// The connection.
        conn: ConnId,
        /// The cell's bytes, as sent by the peer: unverified, any length.
        cell: &'a [u8],
    },
    /// A connection that was dialled or was up is over. Not told after one's own `close`.
    Closed {
        /// The connection.
        conn: ConnId,
        /// Why.
        reason: CloseReason,
    },
}

/// Bounds against floods.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections in all, whatever their state.
    pub connections: usize,
    /// Connections from one IPv4 address or IPv6 /64.
    pub per_address: usize,
    /// Handshakes in progress; further ones are ignored. From a quarter of it on, a caller must first
    /// prove its address (QUIC Retry, RFC 9000 section 8.1.2).
    pub handshakes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 16_384, per_address: 1_024, handshakes: 512 }
    }
}

/// Counts since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Cells given to `send`.
    pub cells_out: u64,
    /// Cells received.
    pub cells_in: u64,
    /// Packets that left at ticks besides cells: acknowledgements and the like.
    pub extras_out: u64,
    /// Cell packets whose size differed from the one before on the same connection.
    pub odd_sizes: u64,
    /// Datagrams of no connection of ours.
    pub strangers: u64,
    /// Connection attempts turned away by [`Limits`].
    pub turned_away: u64,
}

/// Put QUIC's reason in words for people.
pub(crate) fn close_reason(reason: ConnectionError) -> CloseReason {
    use quinn_proto::TransportErrorCode as Code;
    /// TLS alerts about the peer's certificate, key or signature (RFC 8446 section 6.2).
    const CERTIFICATE_ALERTS: [u64; 9] = [42, 43, 44, 45, 46, 47, 48, 49, 51];
    let by_code = |code: Code, text: String| {
        let number = u64::from(code);
        match number {
            _ if code == Code::CONNECTION_REFUSED => CloseReason::Full,
            // CRYPTO_ERROR carries the alert in its low byte (RFC 9001 section 4.8).
            0x100..=0x1ff if CERTIFICATE_ALERTS.contains(&(number & 0xff)) => CloseReason::WrongKey,
            0x100..=0x1ff => CloseReason::Handshake(text),
            _ => CloseReason::Protocol(text),
        }
    };
    match reason {
        ConnectionError::TransportError(e) => by_code(e.code, e.to_string()),
        ConnectionError::ConnectionClosed(e) => by_code(e.error_code, e.to_string()),
        ConnectionError::ApplicationClosed(e) => CloseReason::ByPeer(e.error_code.into_inner()),
        ConnectionError::TimedOut => CloseReason::Silent,
        ConnectionError::Reset => CloseReason::Restarted,
        e @ ConnectionError::VersionMismatch => CloseReason::Handshake(e.to_string()),
        e => CloseReason::Protocol(e.to_string()),
    }
}
