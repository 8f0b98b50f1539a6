//! WebTransport over HTTP/3, as much of it as a line needs: settings, one CONNECT, datagrams.
//!
//! ```text
//!   handset                                   exchange
//!     uni:  CONTROL, SETTINGS  -------------->
//!           <--------------  uni: CONTROL, SETTINGS
//!     bi 0: HEADERS CONNECT https://../line -->
//!           <--------------  bi 0: HEADERS 200
//!     DATAGRAM: quarter stream id 0, cell <-->
//! ```
//!
//! RFC 9114 (HTTP/3), RFC 9220 (extended CONNECT), RFC 9297 (HTTP datagrams),
//! draft-ietf-webtrans-http3. Every buffer is bounded; what we do not use is read and dropped.

use quinn_proto::{Connection, Dir, ReadError, StreamEvent, StreamId};
use url::Url;
use web_transport_proto::{
    ConnectError, ConnectRequest, ConnectResponse, Settings, SettingsError, StreamUni, VarInt,
};

use super::identity::LEAF_NAME;

/// The path of the line door.
const PATH: &str = "/line";
/// Bytes of SETTINGS or of a CONNECT header block that we read at most.
const MAX_HEAD: usize = 4 * 1024;
/// Streams of the peer that we track at most (the transport allows nine).
const MAX_STREAMS: usize = 16;

/// Where a session stands after an event.
pub(crate) enum Progress {
    /// Nothing changed.
    Same,
    /// The session has just come up.
    Up,
}

/// What ends a session: the peer's fault or its wish.
#[derive(Debug)]
pub(crate) enum Ended {
    /// The peer broke HTTP/3 or asked for something else than a line.
    Refused(&'static str),
    /// The peer ended the session.
    ByPeer,
}

/// What a stream of the peer is for.
enum Kind {
    /// A unidirectional stream whose type is not known yet, with what was read.
    Unknown(Vec<u8>),
    /// The CONNECT stream, with the header read so far.
    Connect(Vec<u8>),
    /// The CONNECT stream of an open session: its end is the session's end.
    Open,
    /// Read and dropped.
    Dropped,
}

/// One end of a WebTransport session.
pub(crate) struct Session {
    server: bool,
    settings: bool,
    connected: bool,
    streams: Vec<(StreamId, Kind)>,
}

impl Session {
    pub(crate) fn new(server: bool) -> Self {
        Self { server, settings: false, connected: false, streams: Vec::new() }
    }

    /// TLS is done: send settings, and from a handset the CONNECT.
    pub(crate) fn start(&mut self, quic: &mut Connection) -> Result<(), Ended> {
        let blocked = Ended::Refused("it gives no room for HTTP/3 streams");
        let Some(control) = quic.streams().open(Dir::Uni) else { return Err(blocked) };
        let mut settings = Settings::default();
        settings.enable_webtransport(1);
        let mut bytes = Vec::new();
        settings.encode(&mut bytes);
        write(quic, control, &bytes)?;
        if !self.server {
            let Some(connect) = quic.streams().open(Dir::Bi) else { return Err(blocked) };
            let url = Url::parse(&format!("https://{LEAF_NAME}{PATH}"))
                .map_err(|_| Ended::Refused("the line's address is malformed"))?;
            let mut bytes = Vec::new();
            ConnectRequest::new(url)
                .encode(&mut bytes)
                .map_err(|_| Ended::Refused("the CONNECT request is malformed"))?;
            write(quic, connect, &bytes)?;
            self.streams.push((connect, Kind::Connect(Vec::new())));
        }
        Ok(())
    }

    /// Something happened on the peer's streams.
    pub(crate) fn event(
        &mut self,
        quic: &mut Connection,
        event: StreamEvent,
    ) -> Result<Progress, Ended> {
        let was_up = self.up();
        match event {
            StreamEvent::Opened { dir } => {
                while let Some(id) = quic.streams().accept(dir) {
                    if self.streams.len() >= MAX_STREAMS {
                        return Err(Ended::Refused("it opened too many streams"));
                    }
                    let kind = match dir {
                        Dir::Uni => Kind::Unknown(Vec::new()),
                        Dir::Bi => Kind::Connect(Vec::new()),
                    };
                    self.streams.push((id, kind));
                    self.read(quic, id)?;
                }
            }
            StreamEvent::Readable { id } => self.read(quic, id)?,
            _ => {}
        }
        Ok(if self.up() && !was_up { Progress::Up } else { Progress::Same })
    }

    /// A session is up once CONNECT was answered; a handset also wants to have seen the settings.
    fn up(&self) -> bool {
        self.connected && (self.server || self.settings)
    }

    fn read(&mut self, quic: &mut Connection, id: StreamId) -> Result<(), Ended> {
        let Some(at) = self.streams.iter().position(|(stream, _)| *stream == id) else {
            return Ok(());
        };
        let mut stream = quic.recv_stream(id);
        let Ok(mut chunks) = stream.read(true) else { return Ok(()) };
        let mut over = false;
        let mut too_long = false;
        loop {
            match chunks.next(usize::MAX) {
                Ok(Some(chunk)) => match &mut self.streams[at].1 {
                    Kind::Unknown(head) | Kind::Connect(head) => {
                        too_long |= head.len() + chunk.bytes.len() > MAX_HEAD;
                        if !too_long {
                            head.extend_from_slice(&chunk.bytes);
                        }
                    }
                    Kind::Open | Kind::Dropped => {}
                },
                Ok(None) | Err(ReadError::Reset(_)) => {
                    over = true;
                    break;
                }
                Err(ReadError::Blocked) => break,
            }
        }
        // Whatever credit this frees is told at the next tick.
        let _ = chunks.finalize();
        if too_long {
            return Err(Ended::Refused("its HTTP/3 headers are too long"));
        }
        let kind = std::mem::replace(&mut self.streams[at].1, Kind::Dropped);
        self.streams[at].1 = self.parse(quic, id, kind, over)?;
        Ok(())
    }

    /// Look at what stands on a stream so far; `over` when no more will come.
    fn parse(
        &mut self,
        quic: &mut Connection,
        id: StreamId,
        kind: Kind,
        over: bool,
    ) -> Result<Kind, Ended> {
        match kind {
            Kind::Unknown(head) => self.parse_uni(head),
            Kind::Connect(_) | Kind::Open if over => Err(Ended::ByPeer),
            Kind::Connect(head) => {
                let answered = if self.server {
                    match ConnectRequest::decode(&mut head.as_slice()) {
                        Ok(request) if request.url.path() != PATH => {
                            return Err(Ended::Refused("it asked for another path than /line"));
                        }
                        Ok(_) => Ok(()),
                        Err(e) => Err(e),
                    }
                } else {
                    ConnectResponse::decode(&mut head.as_slice()).map(|_| ())
                };
                match answered {
                    Ok(()) if self.server => {
                        let mut bytes = Vec::new();
                        ConnectResponse::OK
                            .encode(&mut bytes)
                            .map_err(|_| Ended::Refused("the answer to CONNECT is malformed"))?;
                        write(quic, id, &bytes)?;
                        self.connected = true;
                        Ok(Kind::Open)
                    }
                    Ok(()) => {
                        self.connected = true;
                        Ok(Kind::Open)
                    }
                    Err(ConnectError::UnexpectedEnd) => Ok(Kind::Connect(head)),
                    Err(_) if self.server => Err(Ended::Refused("it sent no WebTransport CONNECT")),
                    Err(_) => Err(Ended::Refused("it did not accept the line")),
                }
            }
            other => Ok(other),
        }
    }

    fn parse_uni(&mut self, head: Vec<u8>) -> Result<Kind, Ended> {
        match StreamUni::decode(&mut head.as_slice()) {
            Ok(StreamUni::CONTROL) => match Settings::decode(&mut head.as_slice()) {
                Ok(settings) => {
                    if !self.server && settings.supports_webtransport() == 0 {
                        return Err(Ended::Refused("it does not speak WebTransport"));
                    }
                    self.settings = true;
                    Ok(Kind::Dropped)
                }
                Err(SettingsError::UnexpectedEnd) => Ok(Kind::Unknown(head)),
                Err(_) => Err(Ended::Refused("its HTTP/3 settings are malformed")),
            },
            // QPACK streams and whatever else HTTP/3 allows: nothing in them concerns a line.
            Ok(_) => Ok(Kind::Dropped),
            Err(_) => Ok(Kind::Unknown(head)),
        }
    }
}

fn write(quic: &mut Connection, id: StreamId, bytes: &[u8]) -> Result<(), Ended> {
    match quic.send_stream(id).write(bytes) {
        Ok(n) if n == bytes.len() => Ok(()),
        _ => Err(Ended::Refused("it gives no room for HTTP/3 headers")),
    }
}

/// Put a cell behind its quarter stream id, 0 (RFC 9297 section 2.1).
///
/// The id takes two bytes, or one when QUIC's packet number takes a byte more (`long_number`): the
/// packet keeps its size. RFC 9000 section 16 lets any integer be written longer than needed.
pub(crate) fn wrap(cell: &[u8], long_number: bool, out: &mut bytes::BytesMut) {
    out.extend_from_slice(if long_number { &[0x00] } else { &[0x40, 0x00] });
    out.extend_from_slice(cell);
}

/// The cell in a datagram, if it belongs to session 0.
pub(crate) fn unwrap(datagram: &[u8]) -> Option<&[u8]> {
    let mut rest = datagram;
    match VarInt::decode(&mut rest) {
        Ok(id) if id.into_inner() == 0 => Some(rest),
        _ => None,
    }
}
