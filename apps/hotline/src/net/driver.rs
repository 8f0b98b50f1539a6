//! Many QUIC connections without a socket: datagrams and ticks in, datagrams and events out.
//!
//! ```text
//!   receive(datagram) --> quinn-proto --> Event::{Connected, Cell, Closed}      (never transmits, once up)
//!   send(cell) ---------> [acknowledgement packet] cell packet ---> Outbox      (the only transmitter)
//!   expire(now) --------> lost, idle and unfinished connections
//! ```
//!
//! A connection that is up transmits at ticks only; `conn` says how.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use bytes::{Bytes, BytesMut};
use quinn_proto::crypto::rustls::HandshakeData;
use quinn_proto::{
    ClientConfig, ConnectionHandle, ConnectionId, ConnectionIdGenerator, DatagramEvent,
    EndpointConfig, EndpointEvent, ServerConfig, TransportConfig, VarInt,
};
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};
use rustls::pki_types::CertificateDer;

use super::conn::{Conn, Outbox, SILENCE, TIMER_LAG};
use super::error::NetError;
use super::event::{CloseReason, ConnId, Counters, Event, Limits, Party, Peer, close_reason};
use super::identity::{ExchangeIdentity, ExchangeKey, LEAF_NAME, Leaf};
use super::session::{self, Ended, Progress, Session};
use super::timers::Timers;
use super::{tls, transport};

/// A closed connection answers late packets for this long, then it is forgotten.
const LINGER: Duration = Duration::from_secs(1);
/// A connection that is not up after this long is given up.
const HANDSHAKE: Duration = Duration::from_secs(6);
/// Length of our connection ids.
const CID_LEN: usize = 8;

/// What a door does.
pub(crate) enum Door {
    /// Dials lines.
    Handset,
    /// Accepts lines.
    Line,
    /// Accepts and dials trunks.
    Trunk(ExchangeIdentity),
}

struct DoorState {
    quic: quinn_proto::Endpoint,
    door: Door,
    /// Connection slot of each quinn-proto handle.
    slots: Vec<Option<u32>>,
}

struct Slot {
    turn: u32,
    conn: Option<Box<Conn>>,
}

/// Random connection ids from the endpoint's own seed.
struct Cids(ChaCha20Rng);

impl ConnectionIdGenerator for Cids {
    fn generate_cid(&mut self) -> ConnectionId {
        let mut bytes = [0; CID_LEN];
        self.0.fill_bytes(&mut bytes);
        ConnectionId::new(&bytes)
    }

    fn cid_len(&self) -> usize {
        CID_LEN
    }

    fn cid_lifetime(&self) -> Option<Duration> {
        None
    }
}

/// The machine.
pub(crate) struct Driver {
    limits: Limits,
    rng: ChaCha20Rng,
    transport: Arc<TransportConfig>,
    doors: Vec<DoorState>,
    slots: Vec<Slot>,
    free: Vec<u32>,
    sources: HashMap<IpAddr, usize>,
    handshakes: usize,
    timers: Timers,
    pub(crate) out: Outbox,
    inbound: BytesMut,
    outbound: BytesMut,
    pub(crate) counters: Counters,
}

impl Driver {
    pub(crate) fn new(limits: Limits, seed: [u8; 32]) -> Self {
        Self {
            limits,
            rng: ChaCha20Rng::from_seed(seed),
            transport: transport::config(),
            doors: Vec::new(),
            slots: Vec::new(),
            free: Vec::new(),
            sources: HashMap::new(),
            handshakes: 0,
            timers: Timers::default(),
            out: Outbox::default(),
            inbound: BytesMut::new(),
            outbound: BytesMut::new(),
            counters: Counters::default(),
        }
    }

    /// Open a door; `server` when it accepts connections.
    pub(crate) fn open(
        &mut self,
        door: Door,
        reset: &[u8; 32],
        server: Option<ServerConfig>,
    ) -> usize {
        let mut seed = [0; 32];
        self.rng.fill_bytes(&mut seed);
        let mut config = EndpointConfig::new(Arc::new(hmac::Key::new(hmac::HMAC_SHA256, reset)));
        config
            .cid_generator(move || Box::new(Cids(ChaCha20Rng::from_seed(seed))))
            .grease_quic_bit(false)
            .min_reset_interval(Duration::from_millis(1));
        self.rng.fill_bytes(&mut seed);
        config.rng_seed(Some(seed));
        let server = server.map(|config| self.server(config));
        let quic = quinn_proto::Endpoint::new(Arc::new(config), server, false, None);
        self.doors.push(DoorState { quic, door, slots: Vec::new() });
        self.doors.len() - 1
    }

    fn server(&self, mut config: ServerConfig) -> Arc<ServerConfig> {
        config.transport_config(self.transport.clone());
        config.validation_token.sent(0);
        Arc::new(config)
    }

    /// Show new connections on the line door `door` another leaf.
    pub(crate) fn rotate(&mut self, door: usize, leaf: &Leaf) -> Result<(), NetError> {
        let config = self.server(ServerConfig::with_crypto(tls::line_server(leaf)?));
        self.doors[door].quic.set_server_config(Some(config));
        Ok(())
    }

    /// Connections of any state.
    pub(crate) fn connections(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    pub(crate) fn door_for(&self, peer: &Peer) -> Result<usize, NetError> {
        let (what, fits): (_, fn(&Door) -> bool) = match peer {
            Peer::Line(_) => ("handsets", |door| matches!(door, Door::Handset)),
            Peer::Trunk(_) => ("trunks", |door| matches!(door, Door::Trunk(_))),
        };
        self.doors.iter().position(|state| fits(&state.door)).ok_or(NetError::NoDoor(what))
    }

    pub(crate) fn connect(
        &mut self,
        now: Instant,
        door: usize,
        to: SocketAddr,
        peer: Peer,
    ) -> Result<ConnId, NetError> {
        let (key, crypto) = match (&self.doors[door].door, peer) {
            (_, Peer::Line(key)) => (key, tls::line_client(&key)?),
            (Door::Trunk(identity), Peer::Trunk(key)) => (key, tls::trunk_client(identity, key)?),
            (_, Peer::Trunk(_)) => return Err(NetError::NoDoor("trunks")),
        };
        let session = matches!(peer, Peer::Line(_)).then(|| Session::new(false));
        self.connect_with(now, door, to, key, ClientConfig::new(crypto), session)
    }

    /// Like [`Self::connect`], with TLS settings of one's own.
    pub(crate) fn connect_with(
        &mut self,
        now: Instant,
        door: usize,
        to: SocketAddr,
        key: ExchangeKey,
        mut config: ClientConfig,
        session: Option<Session>,
    ) -> Result<ConnId, NetError> {
        if self.connections() >= self.limits.connections {
            return Err(NetError::Full(self.limits.connections));
        }
        config.transport_config(self.transport.clone());
        let (handle, quic) = self.doors[door]
            .quic
            .connect(now, config, to, LEAF_NAME)
            .map_err(|e| NetError::BadAddress { to, why: e.to_string() })?;
        let id = self.insert(now, door, handle, quic, session, Some(key));
        self.with(now, id, &mut |_| {}, |_, conn, _| conn.brought_cell = false);
        Ok(id)
    }

    fn insert(
        &mut self,
        now: Instant,
        door: usize,
        handle: ConnectionHandle,
        quic: quinn_proto::Connection,
        session: Option<Session>,
        dialled: Option<ExchangeKey>,
    ) -> ConnId {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot { turn: 0, conn: None });
            (self.slots.len() - 1) as u32
        });
        let id = ConnId { slot, turn: self.slots[slot as usize].turn };
        let source = source(quic.remote_address());
        if dialled.is_none() {
            *self.sources.entry(source).or_default() += 1;
        }
        self.handshakes += 1;
        let slots = &mut self.doors[door].slots;
        if slots.len() <= handle.0 {
            slots.resize(handle.0 + 1, None);
        }
        slots[handle.0] = Some(slot);
        self.slots[slot as usize].conn = Some(Box::new(Conn {
            id,
            door,
            handle,
            quic,
            session,
            dialled,
            source,
            give_up: now + HANDSHAKE,
            heard: now,
            up: false,
            ticking: false,
            closing: false,
            forget: false,
            stirred: false,
            brought_cell: false,
            packets: 0,
            cells: 0,
            synced: false,
            regular: false,
            acks: 0,
            trim: false,
            cell_packet: (0, 0),
            timer: None,
        }));
        id
    }

    fn get(&mut self, id: ConnId) -> Option<&mut Conn> {
        let slot = self.slots.get_mut(id.slot as usize).filter(|slot| slot.turn == id.turn)?;
        slot.conn.as_deref_mut()
    }

    /// Do something with a connection, then everything that follows from it.
    fn with<F: FnMut(Event<'_>)>(
        &mut self,
        now: Instant,
        id: ConnId,
        f: &mut F,
        act: impl FnOnce(&mut Self, &mut Conn, &mut F),
    ) {
        let Some(slot) = self.slots.get_mut(id.slot as usize).filter(|slot| slot.turn == id.turn)
        else {
            return;
        };
        let Some(mut conn) = slot.conn.take() else { return };
        act(self, &mut conn, f);
        if self.settle(now, &mut conn, f) {
            let at = conn.deadline();
            self.timers.set(conn.id, at, &mut conn.timer);
            self.slots[id.slot as usize].conn = Some(conn);
        } else {
            self.remove(&conn);
        }
    }

    fn remove(&mut self, conn: &Conn) {
        self.doors[conn.door].slots[conn.handle.0] = None;
        if !conn.up {
            self.handshakes -= 1;
        }
        if conn.dialled.is_none()
            && let Some(count) = self.sources.get_mut(&conn.source)
        {
            *count -= 1;
            if *count == 0 {
                self.sources.remove(&conn.source);
            }
        }
        let slot = &mut self.slots[conn.id.slot as usize];
        slot.turn = slot.turn.wrapping_add(1);
        self.free.push(conn.id.slot);
    }

    /// Drain a connection's events. False when it is gone.
    fn settle(&mut self, now: Instant, conn: &mut Conn, f: &mut impl FnMut(Event<'_>)) -> bool {
        let was_up = conn.up;
        loop {
            while let Some(event) = conn.quic.poll() {
                self.quic_event(now, conn, event, f);
            }
            while let Some(datagram) = conn.quic.datagrams().recv() {
                if let Some(cell) = session::unwrap(&datagram).filter(|_| conn.up && !conn.closing)
                {
                    self.counters.cells_in += 1;
                    conn.cells += 1;
                    conn.brought_cell = true;
                    conn.heard = now;
                    f(Event::Cell { conn: conn.id, cell });
                }
            }
            let mut again = false;
            while let Some(event) = conn.quic.poll_endpoint_events() {
                let drained = event.is_drained();
                if let Some(event) = self.doors[conn.door].quic.handle_event(conn.handle, event) {
                    conn.quic.handle_event(event);
                    again = true;
                }
                if drained {
                    return false;
                }
            }
            if !again {
                break;
            }
        }
        conn.stirred |= !conn.brought_cell;
        // Handshakes and closes go at once; an established connection waits for its tick.
        if !was_up || !conn.up || conn.quic.is_closed() {
            while conn.transmit(now, &mut self.out).is_some() {}
        }
        if conn.forget {
            self.doors[conn.door].quic.handle_event(conn.handle, EndpointEvent::drained());
        }
        !conn.forget
    }

    fn quic_event(
        &mut self,
        now: Instant,
        conn: &mut Conn,
        event: quinn_proto::Event,
        f: &mut impl FnMut(Event<'_>),
    ) {
        use quinn_proto::Event as Quic;
        let progress = match (event, &mut conn.session) {
            (Quic::Connected, Some(session)) => {
                session.start(&mut conn.quic).map(|()| Progress::Same)
            }
            (Quic::Connected, None) => Ok(Progress::Up),
            (Quic::Stream(event), Some(session)) => session.event(&mut conn.quic, event),
            (Quic::ConnectionLost { reason }, _) => {
                self.closed(now, conn, close_reason(reason), f);
                return;
            }
            _ => return,
        };
        match progress {
            Ok(Progress::Same) => {}
            Ok(Progress::Up) => self.up(now, conn, f),
            Err(Ended::ByPeer) => self.end(now, conn, CloseReason::ByPeer(0), f),
            Err(Ended::Refused(why)) => {
                self.end(now, conn, CloseReason::Protocol(why.to_owned()), f)
            }
        }
    }

    fn up(&mut self, now: Instant, conn: &mut Conn, f: &mut impl FnMut(Event<'_>)) {
        let party = match (&self.doors[conn.door].door, conn.dialled) {
            (_, Some(key)) => Party::Exchange(key),
            (Door::Trunk(_), None) => match shown_key(&conn.quic) {
                Some(key) => Party::Exchange(key),
                None => {
                    let reason = CloseReason::Protocol("it showed no exchange key".into());
                    return self.end(now, conn, reason, f);
                }
            },
            (_, None) => Party::Handset,
        };
        // What is left of the handshake goes now; later things wait for a tick.
        while conn.transmit(now, &mut self.out).is_some() {}
        conn.up = true;
        conn.heard = now;
        self.handshakes -= 1;
        f(Event::Connected { conn: conn.id, party });
    }

    fn end(
        &mut self,
        now: Instant,
        conn: &mut Conn,
        reason: CloseReason,
        f: &mut impl FnMut(Event<'_>),
    ) {
        let at = conn.clock(now);
        conn.quic.close(at, VarInt::from_u32(0), Bytes::new());
        self.closed(now, conn, reason, f);
    }

    fn closed(
        &mut self,
        now: Instant,
        conn: &mut Conn,
        reason: CloseReason,
        f: &mut impl FnMut(Event<'_>),
    ) {
        if !conn.closing && (conn.up || conn.dialled.is_some()) {
            f(Event::Closed { conn: conn.id, reason });
        }
        conn.closing = true;
        conn.give_up = now + LINGER;
    }

    /// One datagram came in. Returns the connection that it belongs to.
    pub(crate) fn receive(
        &mut self,
        now: Instant,
        door: usize,
        from: SocketAddr,
        datagram: &[u8],
        f: &mut impl FnMut(Event<'_>),
    ) -> Option<ConnId> {
        // One allocation for some hundred datagrams: quinn-proto's slices keep the chunk alive.
        if self.inbound.capacity() < datagram.len() {
            self.inbound.reserve(64 * 1024);
        }
        self.inbound.extend_from_slice(datagram);
        let bytes = self.inbound.split();
        let mut event = None;
        let quic = &mut self.doors[door].quic;
        self.out.push(door, None, |out| match quic.handle(now, from, None, None, bytes, out) {
            Some(DatagramEvent::Response(transmit)) => Some(transmit.destination),
            other => {
                event = other;
                None
            }
        });
        match event {
            Some(DatagramEvent::ConnectionEvent(handle, event)) => {
                let slot = self.doors[door].slots.get(handle.0).copied().flatten()?;
                let id = ConnId { slot, turn: self.slots[slot as usize].turn };
                self.with(now, id, f, |_, conn, _| {
                    conn.quic.handle_event(event);
                    conn.packets += 1;
                    conn.brought_cell = false;
                });
                Some(id)
            }
            Some(DatagramEvent::NewConnection(incoming)) => self.incoming(now, door, incoming, f),
            _ => {
                self.counters.strangers += 1;
                None
            }
        }
    }

    fn incoming(
        &mut self,
        now: Instant,
        door: usize,
        incoming: quinn_proto::Incoming,
        f: &mut impl FnMut(Event<'_>),
    ) -> Option<ConnId> {
        let limits = self.limits;
        let held = self.sources.get(&source(incoming.remote_address())).copied().unwrap_or(0);
        let full = self.connections() >= limits.connections || held >= limits.per_address;
        let unproven = !incoming.remote_address_validated() && incoming.may_retry();
        let quic = &mut self.doors[door].quic;
        if self.handshakes >= limits.handshakes {
            self.counters.turned_away += 1;
            quic.ignore(incoming);
            return None;
        }
        if unproven && self.handshakes >= limits.handshakes / 4 {
            self.out.push(door, None, |out| quic.retry(incoming, out).ok().map(|t| t.destination));
            return None;
        }
        if full {
            self.counters.turned_away += 1;
            self.out.push(door, None, |out| Some(quic.refuse(incoming, out).destination));
            return None;
        }
        let mut accepted = None;
        self.out.push(door, None, |out| match quic.accept(incoming, now, out, None) {
            Ok(pair) => {
                accepted = Some(pair);
                None
            }
            Err(error) => error.response.map(|t| t.destination),
        });
        let (handle, connection) = accepted?;
        let session = matches!(self.doors[door].door, Door::Line).then(|| Session::new(true));
        let id = self.insert(now, door, handle, connection, session, None);
        self.with(now, id, f, |_, conn, _| conn.brought_cell = false);
        Some(id)
    }

    /// A tick of this connection: one packet with this cell, after one with what QUIC has to say.
    pub(crate) fn send(&mut self, now: Instant, id: ConnId, cell: &[u8]) -> Result<(), NetError> {
        let slot = self.slots.get_mut(id.slot as usize).filter(|slot| slot.turn == id.turn);
        let conn = slot.and_then(|slot| slot.conn.as_deref_mut()).ok_or(NetError::Gone)?;
        if conn.closing || conn.quic.is_closed() {
            return Err(NetError::Gone);
        }
        if !conn.up {
            return Err(NetError::NotUp);
        }
        conn.tick(now, cell, &mut self.outbound, &mut self.out, &mut self.counters)?;
        self.counters.cells_out += 1;
        let at = conn.deadline();
        self.timers.set(id, at, &mut conn.timer);
        Ok(())
    }

    /// Close a connection, telling the peer `code`. No event follows.
    pub(crate) fn close(&mut self, now: Instant, id: ConnId, code: u32) {
        self.with(now, id, &mut |_| {}, |_, conn, _| {
            conn.closing = true;
            conn.give_up = now + LINGER;
            let at = conn.clock(now);
            conn.quic.close(at, VarInt::from_u32(code), Bytes::new());
        });
    }

    pub(crate) fn next_timer(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// Let time pass for all whose deadline has come.
    pub(crate) fn expire(&mut self, now: Instant, f: &mut impl FnMut(Event<'_>)) {
        while let Some((at, id)) = self.timers.due(now) {
            match self.get(id) {
                Some(conn) if conn.timer == Some(at) => conn.timer = None,
                _ => continue,
            }
            self.with(now, id, f, |driver, conn, f| {
                let over = if conn.up { now >= conn.heard + SILENCE } else { now >= conn.give_up };
                if conn.closing {
                    conn.forget = now >= conn.give_up;
                } else if over {
                    return driver.end(now, conn, CloseReason::Silent, f);
                }
                let lag = if conn.ticking { TIMER_LAG } else { Duration::ZERO };
                conn.quic.handle_timeout(now.checked_sub(lag).unwrap_or(now));
                conn.brought_cell = false;
                if conn.up && !conn.ticking {
                    while conn.transmit(now, &mut driver.out).is_some() {}
                }
            });
        }
    }

    /// The TLS key exchange group that this connection negotiated, by its IANA name.
    pub(crate) fn tls_group(&mut self, id: ConnId) -> Option<String> {
        let data = self.get(id)?.quic.crypto_session().handshake_data()?;
        let data = data.downcast::<HandshakeData>().ok()?;
        Some(format!("{:?}", data.negotiated_key_exchange_group))
    }

    pub(crate) fn remote(&mut self, id: ConnId) -> Option<SocketAddr> {
        self.get(id).map(|conn| conn.quic.remote_address())
    }
}

/// The address that limits count: an IPv4 address, or an IPv6 /64.
fn source(addr: SocketAddr) -> IpAddr {
    match addr.ip().to_canonical() {
        IpAddr::V6(ip) => {
            let s = ip.segments();
            Ipv6Addr::new(s[0], s[1], s[2], s[3], 0, 0, 0, 0).into()
        }
        v4 => v4,
    }
}

/// The raw public key that the dialling exchange proved to hold.
fn shown_key(quic: &quinn_proto::Connection) -> Option<ExchangeKey> {
    let identity = quic.crypto_session().peer_identity()?;
    let keys = identity.downcast::<Vec<CertificateDer<'static>>>().ok()?;
    keys.first().and_then(|der| ExchangeKey::from_spki(der))
}
