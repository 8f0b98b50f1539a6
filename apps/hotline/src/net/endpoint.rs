//! The endpoint that a program uses: doors on UDP sockets, one thread, no task, no callback kept.

use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::time::TimeSpec;
use quinn_proto::ServerConfig;

use super::clock::{Clock, Parcel};
use super::conn::Packet;
use super::driver::{Door, Driver};
use super::error::NetError;
use super::event::{ConnId, Counters, Event, Limits, Peer};
use super::identity::{ExchangeIdentity, Leaf};
use super::socket::Batch;
use super::tls;

/// Batches that one call of [`Endpoint::poll`] reads from a socket at most, so that ticks come in time.
const ROUNDS: usize = 16;

/// What a socket is for.
pub enum Role<'a> {
    /// Dials lines to the own exchange.
    Handset,
    /// Accepts lines: WebTransport over HTTP/3 at `/line`.
    Line {
        /// The exchange.
        identity: &'a ExchangeIdentity,
        /// Its certificate of these days.
        leaf: &'a Leaf,
    },
    /// Accepts and dials trunks: QUIC with ALPN `hotline-trunk/1`.
    Trunk {
        /// The exchange.
        identity: &'a ExchangeIdentity,
    },
}

/// One of an endpoint's sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DoorId(usize);

impl DoorId {
    /// The door that [`Endpoint::bind`] opened; those of [`Endpoint::open`] follow.
    pub const FIRST: DoorId = DoorId(0);
}

/// Which way a datagram went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the socket.
    In,
    /// To the socket.
    Out,
}

/// A datagram as somebody on the wire sees it.
#[derive(Clone, Copy, Debug)]
pub struct Tapped {
    /// When, just in front of the socket.
    pub at: Instant,
    /// Which way.
    pub direction: Direction,
    /// UDP payload bytes.
    pub size: usize,
    /// Which connection; `None` for strangers and refusals.
    pub conn: Option<ConnId>,
    /// Through which door.
    pub door: DoorId,
    /// The other end's address.
    pub remote: SocketAddr,
}

/// Sees every datagram just in front of the sockets.
pub type Tap = Box<dyn FnMut(Tapped) + Send>;

/// A tap that the clock thread sees too.
pub(crate) type SharedTap = Arc<Mutex<Option<Tap>>>;

/// Shows packets that leave now.
pub(crate) fn show(tap: &SharedTap, packets: &[Packet]) {
    // A tap that panicked has seen enough.
    let Ok(mut tap) = tap.lock() else { return };
    let Some(tap) = tap.as_mut() else { return };
    let at = Instant::now();
    for packet in packets {
        let (direction, size) = (Direction::Out, packet.bytes.len());
        let (conn, door, remote) = (packet.conn, DoorId(packet.door), packet.to);
        tap(Tapped { at, direction, size, conn, door, remote });
    }
}

/// Ends another thread's wait in [`Endpoint::poll`].
#[derive(Clone)]
pub struct Waker(Arc<EventFd>);

impl Waker {
    /// Make the waiting `poll`, or else the next one, return at once.
    pub fn wake(&self) {
        // Only a full counter can refuse, and then the waker is already set.
        let _ = self.0.write(1);
    }
}

/// UDP sockets and the many connections on them. One thread owns it; another one, of its own, sends what leaves later.
pub struct Endpoint {
    driver: Driver,
    sockets: Vec<Batch>,
    seed: [u8; 32],
    event: Arc<EventFd>,
    tap: SharedTap,
    clock: Option<Clock>,
    /// Of what is composed: up to this packet it leaves from then until then.
    later: Vec<(usize, Instant, Instant)>,
    lost: u64,
    gather: Duration,
    last_read: Option<Instant>,
}

impl Endpoint {
    /// Open a first door on `addr` (port 0: the system chooses). `seed` must be secret and fresh: it
    /// makes connection ids.
    pub fn bind(
        addr: SocketAddr,
        role: Role<'_>,
        limits: Limits,
        seed: [u8; 32],
    ) -> Result<Self, NetError> {
        let flags = EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC;
        let event = EventFd::from_value_and_flags(0, flags)
            .map_err(|e| NetError::os("make a waker")(e.into()))?;
        let mut endpoint = Self {
            driver: Driver::new(limits, seed),
            sockets: Vec::new(),
            seed,
            event: Arc::new(event),
            tap: SharedTap::default(),
            clock: None,
            later: Vec::new(),
            lost: 0,
            gather: Duration::ZERO,
            last_read: None,
        };
        endpoint.open(addr, role)?;
        Ok(endpoint)
    }

    /// Open another door.
    pub fn open(&mut self, addr: SocketAddr, role: Role<'_>) -> Result<DoorId, NetError> {
        let (door, reset, server) = match role {
            Role::Handset => (Door::Handset, self.seed, None),
            Role::Line { identity, leaf } => {
                let server = ServerConfig::with_crypto(tls::line_server(leaf)?);
                (Door::Line, *identity.derive("hotline line reset"), Some(server))
            }
            Role::Trunk { identity } => {
                let server = ServerConfig::with_crypto(tls::trunk_server(identity)?);
                let reset = *identity.derive("hotline trunk reset");
                (Door::Trunk(identity.clone()), reset, Some(server))
            }
        };
        // It begins again with this socket among its own.
        self.clock = None;
        self.sockets.push(Batch::bind(addr)?);
        Ok(DoorId(self.driver.open(door, &reset, server)))
    }

    /// The first door, the one that [`Self::bind`] opened.
    pub fn door(&self) -> DoorId {
        DoorId::FIRST
    }

    /// Where a door listens.
    pub fn local_addr(&self, door: DoorId) -> Result<SocketAddr, NetError> {
        self.sockets.get(door.0).ok_or(NetError::NoDoor("that number"))?.local_addr()
    }

    /// Show new handsets another leaf; connections that are up stay.
    pub fn rotate(&mut self, door: DoorId, leaf: &Leaf) -> Result<(), NetError> {
        self.driver.rotate(door.0, leaf)
    }

    /// A handle by which another thread ends a wait in [`Self::poll`].
    pub fn waker(&self) -> Waker {
        Waker(self.event.clone())
    }

    /// Show every datagram to `tap` from now on, or to nobody.
    pub fn set_tap(&mut self, tap: Option<Tap>) {
        if let Ok(mut shared) = self.tap.lock() {
            *shared = tap;
        }
    }

    /// Read the sockets at most once in `gather` (at first zero). As nothing is ever sent on receipt, an
    /// exchange need not wake for every datagram: set a millisecond there, and leave handsets at zero.
    pub fn set_gather(&mut self, gather: Duration) {
        self.gather = gather;
    }

    /// Counts since the start.
    pub fn counters(&self) -> Counters {
        self.driver.counters
    }

    /// Packets that the system did not take.
    pub fn lost(&self) -> u64 {
        self.lost + self.clock.as_ref().map_or(0, Clock::lost)
    }

    /// Connections of any state.
    pub fn connections(&self) -> usize {
        self.driver.connections()
    }

    /// The TLS key exchange group that a connection negotiated, by its IANA name.
    pub fn tls_group(&mut self, conn: ConnId) -> Option<String> {
        self.driver.tls_group(conn)
    }

    /// Where the other end of a connection is.
    pub fn remote_addr(&mut self, conn: ConnId) -> Option<SocketAddr> {
        self.driver.remote(conn)
    }

    /// Start a connection; [`Event::Connected`] or [`Event::Closed`] tells how it went.
    pub fn connect(
        &mut self,
        now: Instant,
        to: SocketAddr,
        peer: Peer,
    ) -> Result<ConnId, NetError> {
        let door = self.driver.door_for(&peer)?;
        let to = match (to, self.sockets[door].local_addr()?) {
            // A socket for both families takes IPv4 addresses in their mapped form (RFC 4291).
            (SocketAddr::V4(v4), SocketAddr::V6(_)) => (v4.ip().to_ipv6_mapped(), v4.port()).into(),
            (SocketAddr::V6(v6), SocketAddr::V4(_)) => {
                let why = format!("{} is IPv6, and the socket is IPv4 only", IpAddr::V6(*v6.ip()));
                return Err(NetError::BadAddress { to, why });
            }
            _ => to,
        };
        let id = self.driver.connect(now, door, to, peer)?;
        self.flush();
        Ok(id)
    }

    /// Dial a line with other TLS settings than ours.
    #[cfg(test)]
    pub(crate) fn connect_with(
        &mut self,
        to: SocketAddr,
        key: super::ExchangeKey,
        crypto: Arc<quinn_proto::crypto::rustls::QuicClientConfig>,
    ) -> Result<ConnId, NetError> {
        let session = Some(super::session::Session::new(false));
        let config = quinn_proto::ClientConfig::new(crypto);
        self.driver.connect_with(Instant::now(), 0, to, key, config, session)
    }

    /// A tick of `conn`: compose the packet of this cell, to leave with the next [`Self::flush`].
    pub fn send(&mut self, now: Instant, conn: ConnId, cell: &[u8]) -> Result<(), NetError> {
        self.driver.send(now, conn, cell)
    }

    /// What was composed since the last flush, or the last call of this, leaves at `due`, by the clock thread: when it
    /// leaves does not depend on how long this thread took for it, nor on what it does meanwhile. What has not left within
    /// `tick` after that is lost.
    pub fn leave_at(&mut self, due: Instant, tick: Duration) -> Result<(), NetError> {
        if self.clock.is_none() {
            let sockets = self.sockets.iter().map(Batch::shared).collect();
            self.clock = Some(Clock::start(sockets, self.tap.clone())?);
        }
        let (end, until) = (self.driver.out.packets().len(), due + tick);
        if end == self.later.last().map_or(0, |(end, ..)| *end) {
            return Ok(());
        }
        match self.later.last_mut().filter(|last| (last.1, last.2) == (due, until)) {
            Some(last) => last.0 = end,
            None => self.later.push((end, due, until)),
        }
        Ok(())
    }

    /// Close a connection and tell the peer `code`. No event follows.
    pub fn close(&mut self, now: Instant, conn: ConnId, code: u32) {
        self.driver.close(now, conn, code);
        self.flush();
    }

    /// Give everything composed to the sockets, or to the clock thread what leaves later.
    pub fn flush(&mut self) {
        if self.driver.out.packets().is_empty() {
            return;
        }
        let mut packets = self.driver.out.take();
        let mut gone = 0;
        for (end, due, until) in self.later.drain(..) {
            let rest = packets.split_off(end - gone);
            let parcel = Parcel { due, until, packets: std::mem::replace(&mut packets, rest) };
            gone = end;
            if let Some(clock) = &self.clock {
                clock.give(parcel);
            }
        }
        if !packets.is_empty() {
            show(&self.tap, &packets);
            for (door, socket) in self.sockets.iter_mut().enumerate() {
                let mine = packets.iter().filter(|packet| packet.door == door);
                self.lost += socket.send(mine.map(|packet| (packet.to, &packet.bytes[..]))) as u64;
            }
            self.driver.out.give_back(packets);
        }
        while let Some(empty) = self.clock.as_ref().and_then(Clock::empty) {
            self.driver.out.give_back(empty);
        }
    }

    /// Wait until something arrives, a waker wakes or `deadline`, and tell what happened. Never waits
    /// past the deadline; returns as soon as what had arrived is told.
    pub fn poll(
        &mut self,
        deadline: Instant,
        mut f: impl FnMut(Event<'_>),
    ) -> Result<(), NetError> {
        self.flush();
        let until = self.driver.next_timer().map_or(deadline, |timer| timer.min(deadline));
        if let Some(read_at) = self.last_read.map(|last| last + self.gather) {
            self.wait(read_at.min(until), false)?;
        }
        if self.wait(until, true)? {
            self.last_read = Some(Instant::now());
            for door in 0..self.sockets.len() {
                self.read(door, &mut f)?;
            }
        }
        self.driver.expire(Instant::now(), &mut f);
        self.flush();
        Ok(())
    }

    /// Wait until `until`, a waker, or (if `sockets`) something to read. True if there may be something.
    fn wait(&mut self, until: Instant, sockets: bool) -> Result<bool, NetError> {
        let at_most = until.saturating_duration_since(Instant::now());
        if at_most.is_zero() && !sockets {
            return Ok(false);
        }
        let mut fds = vec![PollFd::new(self.event.as_fd(), PollFlags::POLLIN)];
        if sockets {
            fds.extend(self.sockets.iter().map(|s| PollFd::new(s.as_fd(), PollFlags::POLLIN)));
        }
        match ppoll(&mut fds, Some(TimeSpec::from_duration(at_most)), None) {
            Ok(0) | Err(Errno::EINTR) => return Ok(false),
            Ok(_) => {}
            Err(e) => return Err(NetError::os("wait for the network")(e.into())),
        }
        if sockets && fds.first().and_then(PollFd::any).unwrap_or(false) {
            let _ = self.event.read();
        }
        Ok(true)
    }

    fn read(&mut self, door: usize, f: &mut impl FnMut(Event<'_>)) -> Result<(), NetError> {
        for _ in 0..ROUNDS {
            let now = Instant::now();
            let (driver, tap) = (&mut self.driver, &self.tap);
            let got = self.sockets[door].receive(|from, datagram| {
                let conn = driver.receive(now, door, from, datagram, f);
                if let Ok(mut tap) = tap.lock()
                    && let Some(tap) = tap.as_mut()
                {
                    let (direction, size, door) = (Direction::In, datagram.len(), DoorId(door));
                    tap(Tapped { at: now, direction, size, conn, door, remote: from });
                }
            })?;
            if got < 64 {
                break;
            }
        }
        Ok(())
    }
}
