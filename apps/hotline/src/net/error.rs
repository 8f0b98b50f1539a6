//! What can go wrong with sockets, keys and connections, said to people.

use std::io;
use std::net::SocketAddr;

use thiserror::Error;

/// Errors of the network driver.
#[derive(Debug, Error)]
pub enum NetError {
    /// Another program has the port.
    #[error(
        "UDP port {} on {} is in use by another program; stop that program (`ss -ulpn` names it) or choose another port",
        .0.port(), .0.ip()
    )]
    PortTaken(SocketAddr),
    /// The operating system refuses the port to this user.
    #[error(
        "this user may not open UDP port {} on {}; choose a port above 1023 or grant CAP_NET_BIND_SERVICE",
        .0.port(), .0.ip()
    )]
    PortDenied(SocketAddr),
    /// The address is not one of this machine's.
    #[error(
        "{0} is not an address of this machine; set one that it has, or 0.0.0.0 or [::] for all"
    )]
    NotOurs(SocketAddr),
    /// The operating system failed at something else.
    #[error("the operating system refused to {doing}: {source}")]
    Os {
        /// What was attempted.
        doing: &'static str,
        /// The system's answer.
        source: io::Error,
    },
    /// A key or certificate could not be made or used.
    #[error("cannot make the exchange's certificate: {0}; the exchange key may be damaged")]
    Certificate(String),
    /// TLS refused our own settings.
    #[error("cannot set up TLS: {0}; this is a fault of this program")]
    Tls(String),
    /// The address to call cannot be called.
    #[error("cannot call {to}: {why}")]
    BadAddress {
        /// The address.
        to: SocketAddr,
        /// Why not.
        why: String,
    },
    /// No door of this endpoint can make such a connection.
    #[error("this endpoint has no door for {0}; open one first")]
    NoDoor(&'static str),
    /// The connection does not exist any more.
    #[error("the connection is gone; connect again")]
    Gone,
    /// Cells may be sent only after `Event::Connected`.
    #[error("the connection is not up yet; wait until it is connected")]
    NotUp,
    /// The cell cannot fit one packet.
    #[error("a cell of {0} bytes is too long; at most {1} fit a packet")]
    CellTooLong(usize, usize),
    /// Too many connections.
    #[error(
        "all {0} connections that this endpoint may hold are taken; raise the limit or close some"
    )]
    Full(usize),
}

impl NetError {
    pub(crate) fn os(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Os { doing, source }
    }

    pub(crate) fn bind(addr: SocketAddr) -> impl FnOnce(io::Error) -> Self {
        move |source| match source.kind() {
            io::ErrorKind::AddrInUse => Self::PortTaken(addr),
            io::ErrorKind::PermissionDenied => Self::PortDenied(addr),
            io::ErrorKind::AddrNotAvailable => Self::NotOurs(addr),
            _ => Self::Os { doing: "open a UDP socket", source },
        }
    }
}
