//! Senders and a relay that leak on purpose: whoever does not find these finds nothing.
//!
//! ```text
//!  Sender  on-demand   cells while somebody speaks, and a sign of life every two seconds    (voice activation)
//!          sizes       each packet as long as what is in it                                 (variable rate)
//!          work        encoding and sealing before an unpaced send, and none for chaff      (a "constant" rate)
//!          steady      one cell a tick, whatever happens: what the relay's lines are made of
//!  Door    clock       a cell to each line on the door's own clock
//!          on-arrival  what comes on a line goes to its partner at once                     (any usual relay)
//! ```
//!
//! They are made here, of the same sockets and QUIC as the product, with the same right to be in time, and the product cannot become one of them: its handset
//! and exchange have no such mode to be switched to.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use seal::sframe::Chaff;
use voice::FRAME;

use super::capture::{self, Link, Run, State, Stretch, Way, since};
use super::states::LINE_TICK;
use super::stats::shuffle;
use crate::cli::Failure;
use crate::demo::measure::WireLog;
use crate::net::{
    ConnId, Endpoint, Event, ExchangeIdentity, ExchangeKey, Limits, NetError, Peer, Role, keep_time,
};

/// Cells of a line. Bytes.
const UP: usize = 224;
const DOWN: usize = 480;
/// What a cell has beside its voice: number, acknowledgement, and the least of control.
const REST: usize = 4 + 13 + 48;
const TICK: Duration = Duration::from_nanos(LINE_TICK as u64);
/// A line that says nothing would be taken for dead.
const ALIVE: Duration = Duration::from_secs(2);
/// How long lines may take to come up.
const PATIENCE: Duration = Duration::from_secs(20);
const LOOPBACK: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// How a sender leaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Leak {
    /// Voice on demand.
    OnDemand,
    /// Variable sizes.
    Sizes,
    /// Work skipped for chaff.
    Work,
    /// Not at all.
    Steady,
}

impl Leak {
    /// Those that leak.
    pub(super) const ALL: [Leak; 3] = [Leak::OnDemand, Leak::Sizes, Leak::Work];

    /// As it is called in reports.
    pub(super) fn name(self) -> &'static str {
        match self {
            Leak::OnDemand => "leaky: voice on demand",
            Leak::Sizes => "leaky: variable sizes",
            Leak::Work => "leaky: work skipped for chaff",
            Leak::Steady => "steady",
        }
    }
}

/// What a door does with what comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relaying {
    /// Nothing: each line gets cells on the door's clock.
    Clock,
    /// It goes to the partner at once: line n's partner is n with its lowest bit flipped.
    OnArrival,
}

/// A door of the lab's own.
pub(super) struct Door {
    /// Where.
    pub(super) at: SocketAddr,
    /// Its key.
    pub(super) key: ExchangeKey,
    /// What left it.
    log: WireLog,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<Vec<(ConnId, usize)>, NetError>>,
}

impl Door {
    /// Opens a door on loopback.
    pub(super) fn open(relaying: Relaying) -> Result<Door, Failure> {
        let log = WireLog::default();
        let stop = Arc::new(AtomicBool::new(false));
        let (tap, until, seed) = (log.tap(), stop.clone(), crate::host::seed()?);
        let (opened, ready) = mpsc::channel();
        // The endpoint stays in the thread that made it.
        let thread = std::thread::Builder::new().name("lab-door".into()).spawn(move || {
            keep_time();
            let identity = ExchangeIdentity::from_seed(&seed)?;
            let leaf = identity.issue_leaf(SystemTime::now())?;
            let role = Role::Line { identity: &identity, leaf: &leaf };
            let mut net = Endpoint::bind(LOOPBACK, role, Limits::default(), seed)?;
            net.set_tap(Some(tap));
            // The opener waits for it.
            let _ = opened.send((net.local_addr(net.door())?, identity.key()));
            relay(net, relaying, &until)
        })?;
        match ready.recv() {
            Ok((at, key)) => Ok(Door { at, key, log, stop, thread }),
            Err(_) => match thread.join() {
                Ok(Err(e)) => Err(e.into()),
                _ => Err("the lab's door ended at its start".into()),
            },
        }
    }

    /// Ends it; what it sent to each of `lines` lines.
    pub(super) fn close(self, start: Instant, lines: usize) -> Result<Vec<Way>, Failure> {
        self.stop.store(true, Ordering::Relaxed);
        let conns = self.thread.join().map_err(|_| "the lab's door panicked")??;
        let seen = self.log.all();
        let way = |line| {
            let mine = |conn| conns.iter().any(|(c, n)| *n == line && Some(*c) == conn);
            capture::way(start, seen.iter().filter(|t| mine(t.conn)))
        };
        Ok((0..lines).map(way).collect())
    }
}

fn relay(
    mut net: Endpoint,
    relaying: Relaying,
    stop: &AtomicBool,
) -> Result<Vec<(ConnId, usize)>, NetError> {
    let mut conns: Vec<(ConnId, usize)> = Vec::new();
    let mut up: Vec<ConnId> = Vec::new();
    let mut next = Instant::now() + TICK;
    while !stop.load(Ordering::Relaxed) {
        let mut came: Vec<(ConnId, usize)> = Vec::new();
        net.poll(next, |event| match event {
            Event::Connected { conn, .. } => up.push(conn),
            Event::Cell { conn, cell } => {
                let number = cell.first_chunk().map_or(0, |head| u32::from_be_bytes(*head));
                came.push((conn, number as usize));
            }
            Event::Closed { conn, .. } => up.retain(|c| *c != conn),
        })?;
        let now = Instant::now();
        for (conn, line) in came {
            if !conns.iter().any(|(c, _)| *c == conn) {
                conns.push((conn, line));
            }
            let partner = conns.iter().find(|(_, n)| *n == line ^ 1).map(|(c, _)| *c);
            if let (Relaying::OnArrival, Some(partner)) = (relaying, partner) {
                // A partner that is gone gets nothing.
                let _ = net.send(now, partner, &[0; DOWN]);
            }
        }
        if now >= next {
            next += TICK;
            if relaying == Relaying::Clock {
                for conn in &up {
                    let _ = net.send(now, *conn, &[0; DOWN]);
                }
            }
        }
        net.flush();
    }
    Ok(conns)
}

/// What a sender is made of.
#[derive(Clone)]
pub(super) struct Sending {
    /// How it leaks.
    pub(super) leak: Leak,
    /// Its number at the door.
    pub(super) number: u32,
    /// Where its datagrams go.
    pub(super) to: SocketAddr,
    /// Whose key it expects there.
    pub(super) key: ExchangeKey,
    /// What its person says.
    pub(super) speech: Arc<Vec<f32>>,
    /// How many bytes each frame of it takes where nothing is padded.
    pub(super) lengths: Arc<Vec<usize>>,
    /// When its person speaks. Beyond the last stretch it goes on until `stop`.
    pub(super) stretches: Vec<Stretch>,
    /// The lab's beginning.
    pub(super) start: Instant,
}

/// A sender that runs; what it sent.
pub(super) struct Sender {
    log: WireLog,
    stretches: Vec<Stretch>,
    start: Instant,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<(), Failure>>,
}

impl Sender {
    /// Starts it; its line is up.
    pub(super) fn start(sending: Sending) -> Result<Sender, Failure> {
        let log = WireLog::default();
        let stop = Arc::new(AtomicBool::new(false));
        let (tap, until, seed) = (log.tap(), stop.clone(), crate::host::seed()?);
        let (stretches, start) = (sending.stretches.clone(), sending.start);
        let (up, ready) = mpsc::channel();
        let thread = std::thread::Builder::new().name("lab-sender".into()).spawn(move || {
            keep_time();
            let mut net = Endpoint::bind(LOOPBACK, Role::Handset, Limits::default(), seed)?;
            net.set_tap(Some(tap));
            send(net, &sending, &until, || up.send(()).is_ok())
        })?;
        let sender = Sender { log, stretches, start, stop, thread };
        match ready.recv_timeout(PATIENCE) {
            Ok(()) => Ok(sender),
            Err(_) => match sender.stop() {
                Err(e) => Err(e),
                Ok(_) => Err("a line of the lab's own did not come up".into()),
            },
        }
    }

    /// Ends it; the run that it was.
    pub(super) fn stop(self) -> Result<Run, Failure> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| "a sender of the lab's own panicked")??;
        let way = capture::way(self.start, &self.log.all());
        Ok(Run {
            stretches: self.stretches,
            links: vec![Link { ways: vec![way], tick: LINE_TICK }],
        })
    }
}

/// How many bytes each frame of `speech` takes where nothing is padded.
pub(super) fn lengths(speech: &[f32]) -> Result<Vec<usize>, Failure> {
    let settings = opus_ffi::Settings {
        bitrate: 24_000,
        variable: true,
        loss: 0,
        fec: false,
        dred: 0,
        complexity: 10,
    };
    let mut encoder = opus_ffi::Encoder::new(settings)?;
    let (frames, _) = speech.as_chunks::<FRAME>();
    frames.iter().map(|frame| Ok(encoder.encode(frame, &mut [0; 400])?)).collect()
}

/// A person's voice, made ready to be sent.
struct Voice<'a> {
    speech: &'a [f32],
    next: usize,
    number: u32,
    lengths: &'a [usize],
    encoder: voice::Encoder,
    chaff: Chaff,
}

impl<'a> Voice<'a> {
    fn new(speech: &'a [f32], lengths: &'a [usize]) -> Result<Voice<'a>, Failure> {
        let mut key = zeroize::Zeroizing::new([0; 32]);
        ChaCha20Rng::from_seed(crate::host::seed()?).fill_bytes(key.as_mut());
        Ok(Voice {
            speech,
            next: 0,
            number: 0,
            lengths,
            encoder: voice::Encoder::new()?,
            chaff: Chaff::new(&key)?,
        })
    }

    fn frame(&mut self) -> [f32; FRAME] {
        let mut frame = [0.0; FRAME];
        for sample in &mut frame {
            *sample = self.speech.get(self.next).copied().unwrap_or_default();
            self.next = (self.next + 1) % self.speech.len().max(1);
        }
        self.number += 1;
        frame
    }

    /// Encoded and sealed as in the product.
    fn sealed(&mut self) -> Result<(), Failure> {
        let frame = self.frame();
        let packet = self.encoder.encode(&frame)?;
        self.chaff.seal(self.number, &packet)?;
        Ok(())
    }

    /// Bytes that the next frame takes where nothing is padded.
    fn bytes(&mut self) -> usize {
        let at = self.next / FRAME % self.lengths.len().max(1);
        self.next += FRAME;
        self.lengths.get(at).copied().unwrap_or_default()
    }
}

fn send(
    mut net: Endpoint,
    sending: &Sending,
    stop: &AtomicBool,
    mut up: impl FnMut() -> bool,
) -> Result<(), Failure> {
    let conn = net.connect(Instant::now(), sending.to, Peer::Line(sending.key))?;
    let mut voice = Voice::new(&sending.speech, &sending.lengths)?;
    let (mut connected, mut failed) = (false, None);
    let mut next = Instant::now() + TICK;
    let mut said = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        let was = connected;
        net.poll(next, |event| match event {
            Event::Connected { .. } => connected = true,
            Event::Closed { reason, .. } => failed = Some(reason.to_string()),
            Event::Cell { .. } => {}
        })?;
        if let Some(why) = failed.take() {
            return Err(format!("a line of the lab's own went down: {why}").into());
        }
        if connected && !was {
            up();
            // A phase of its own.
            let part = u32::from_be_bytes(*crate::host::seed()?.first_chunk().unwrap_or(&[0; 4]));
            next = Instant::now() + TICK.mul_f64(f64::from(part) / f64::from(u32::MAX));
        }
        let now = Instant::now();
        if now < next {
            continue;
        }
        next += TICK;
        if !connected {
            continue;
        }
        let at = since(sending.start, now);
        let talks = sending
            .stretches
            .iter()
            .any(|s| s.state == State::Talking && (s.from..s.until).contains(&at));
        let length = match sending.leak {
            Leak::OnDemand if !talks && now < said + ALIVE => continue,
            Leak::OnDemand | Leak::Steady => UP,
            Leak::Sizes if talks => REST + 28 + voice.bytes(),
            Leak::Sizes => REST,
            Leak::Work => {
                if talks {
                    voice.sealed()?;
                }
                UP
            }
        };
        said = now;
        let mut cell = vec![0; length];
        cell[..4].copy_from_slice(&sending.number.to_be_bytes());
        net.send(Instant::now(), conn, &cell)?;
        net.flush();
    }
    net.close(Instant::now(), conn, 0);
    Ok(())
}

/// Stretches of idle and talking in random order, from `from` on, as many of each.
pub(super) fn stretches(
    rng: &mut ChaCha20Rng,
    from: Instant,
    start: Instant,
    length: Duration,
    each: usize,
) -> Vec<Stretch> {
    let mut order = [vec![State::Idle; each], vec![State::Talking; each]].concat();
    shuffle(rng, &mut order);
    let mut at = from;
    order
        .into_iter()
        .map(|state| {
            let stretch =
                Stretch { state, from: since(start, at), until: since(start, at + length) };
            at += length;
            stretch
        })
        .collect()
}
