//! Load for an exchange, and the plain UDP forwarder that it is measured against.
//!
//! ```text
//!   core 1: load process                        core 0: the server, measured from outside
//!     N lines, a cell each per tick  <-------->   hotline exchange     cpu_us_per_cell
//!     N flows, a datagram each       <-------->   [`forward`]          udp_cpu_us_per_datagram
//! ```
//!
//! Both are given the same number of flows, the same sizes on the wire and the same clock: every flow sends
//! once a tick, the flows' phases spread evenly over the tick. "A cell" of a CPU figure is one
//! forwarded cell: one in and one out. The forwarder does the least that any relay must do, and does it in
//! batches: it reads a datagram, looks its partner up, and writes a datagram of the downward size.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;

use super::lines::Load;
use crate::net::socket::Batch;
use crate::net::{ConnId, Endpoint, Event, ExchangeKey, Limits, NetError, OVERHEAD, Peer, Role};

/// How long an exchange, and the forwarder, let datagrams gather before they read them.
pub const GATHER: Duration = Duration::from_millis(1);

/// How long all lines may take to be set up.
const SETTING_UP: Duration = Duration::from_secs(120);

/// A shape of load.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Lines that are up all the time.
    pub lines: usize,
    /// How long to measure, after all lines are up and one warm-up second.
    pub measure: Duration,
    /// A line's tick.
    pub tick: Duration,
    /// Bytes of a cell upwards.
    pub up: usize,
    /// Bytes of a cell downwards.
    pub down: usize,
}

impl Plan {
    /// The shape `office`: 20 ms, 224 B up, 480 B down.
    pub fn office(lines: usize, measure: Duration) -> Self {
        Self { lines, measure, tick: Duration::from_millis(20), up: 224, down: 480 }
    }
}

/// What the load saw while it measured.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures {
    /// Cells or datagrams sent.
    pub sent: u64,
    /// Cells or datagrams received.
    pub received: u64,
    /// 99th percentile of how late a cell came, against the same flow's earliest phase, in ms.
    pub late_p99_ms: f64,
    /// 99th percentile of how late the load itself was at its ticks, in ms: the rest is not the server's.
    pub own_late_p99_ms: f64,
}

impl Figures {
    /// Cells that did not come, of those that a server on the same clock must have sent.
    pub fn lost(&self) -> u64 {
        self.sent.saturating_sub(self.received)
    }
}

/// Keep this process on one core.
pub fn pin(core: usize) -> Result<(), NetError> {
    let mut cores = CpuSet::new();
    cores
        .set(core)
        .and_then(|()| sched_setaffinity(Pid::from_raw(0), &cores))
        .map_err(|e| NetError::os("keep the process on one core")(e.into()))
}

/// CPU time, user and system, that process `pid` has used so far (proc_pid_stat(5), fields 14, 15).
pub fn cpu_time(pid: u32) -> Result<Duration, NetError> {
    /// Linux shows times in hundredths of a second, whatever its own tick is.
    const HERTZ: u64 = 100;
    let path = PathBuf::from(format!("/proc/{pid}/stat"));
    let read = NetError::os("read the CPU time of a process");
    let text = std::fs::read_to_string(path).map_err(read)?;
    let fields = text.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Ok(Duration::from_millis(ticks * 1_000 / HERTZ))
}

/// Forward datagrams between pairs of flows until `stop`. A datagram begins with its flow's number
/// (u32, big endian); the partner of flow n is n with its lowest bit flipped.
pub fn forward(socket: &mut Batch, plan: &Plan, stop: &AtomicBool) -> Result<(), NetError> {
    let size = plan.down + OVERHEAD;
    let mut flows: HashMap<u32, SocketAddr> = HashMap::new();
    let mut out: Vec<(SocketAddr, Vec<u8>)> = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        // As the exchange does, so that the figures compare the work and not the number of wake-ups.
        std::thread::sleep(GATHER);
        wait(socket, Duration::from_millis(100))?;
        loop {
            let mut used = 0;
            let got = socket.receive(|from, datagram| {
                let Some(flow) = flow(datagram) else { return };
                flows.insert(flow, from);
                let Some(to) = flows.get(&(flow ^ 1)) else { return };
                if used == out.len() {
                    out.push((*to, vec![0; size]));
                }
                let (address, bytes) = &mut out[used];
                *address = *to;
                bytes[..4].copy_from_slice(&(flow ^ 1).to_be_bytes());
                let n = datagram.len().min(size);
                bytes[4..n].copy_from_slice(&datagram[4..n]);
                used += 1;
            })?;
            socket.send(out[..used].iter().map(|(to, bytes)| (*to, &bytes[..])));
            if got < 64 {
                break;
            }
        }
    }
    Ok(())
}

fn flow(datagram: &[u8]) -> Option<u32> {
    datagram.first_chunk().map(|head| u32::from_be_bytes(*head))
}

fn wait(socket: &Batch, at_most: Duration) -> Result<(), NetError> {
    use nix::poll::{PollFd, PollFlags, ppoll};
    use std::os::fd::AsFd;
    let mut fds = [PollFd::new(socket.as_fd(), PollFlags::POLLIN)];
    match ppoll(&mut fds, Some(at_most.into()), None) {
        Ok(_) | Err(nix::errno::Errno::EINTR) => Ok(()),
        Err(e) => Err(NetError::os("wait for the network")(e.into())),
    }
}

/// When each flow is due, and how late flows and cells are.
struct Clock {
    start: Instant,
    tick: Duration,
    flows: usize,
    /// Number of the next send, over all flows.
    next: u64,
    /// Earliest phase seen of each flow's arrivals, in us.
    phase: Vec<u32>,
    late: Vec<u32>,
    own: Vec<u32>,
    measuring: bool,
}

impl Clock {
    fn new(plan: &Plan) -> Self {
        Self {
            start: Instant::now(),
            tick: plan.tick,
            flows: plan.lines.max(1),
            next: 0,
            phase: vec![u32::MAX; plan.lines],
            late: Vec::new(),
            own: Vec::new(),
            measuring: false,
        }
    }

    fn due_at(&self) -> Instant {
        self.start
            + Duration::from_nanos(self.tick.as_nanos() as u64 * self.next / self.flows as u64)
    }

    /// The next flow that is due, if one is.
    fn due(&mut self, now: Instant) -> Option<usize> {
        let at = self.due_at();
        if now < at {
            return None;
        }
        if self.measuring {
            self.own.push((now - at).as_micros() as u32);
        }
        let flow = (self.next % self.flows as u64) as usize;
        self.next += 1;
        Some(flow)
    }

    /// A cell of `flow` came: how late is it in the tick, against the flow's earliest?
    fn came(&mut self, now: Instant, flow: usize) {
        let tick = self.tick.as_micros() as u32;
        let phase =
            (now.saturating_duration_since(self.start).as_micros() % u128::from(tick)) as u32;
        let Some(first) = self.phase.get_mut(flow) else { return };
        if !self.measuring {
            // The warm-up's last arrival is the reference; half a tick before and after it is told apart.
            *first = phase;
            return;
        }
        let behind = (phase + tick - *first) % tick;
        self.late.push(if behind > tick / 2 { 0 } else { behind });
    }

    fn figures(&mut self, sent: u64, received: u64) -> Figures {
        Figures {
            sent,
            received,
            late_p99_ms: p99(&mut self.late),
            own_late_p99_ms: p99(&mut self.own),
        }
    }
}

fn p99(values: &mut [u32]) -> f64 {
    values.sort_unstable();
    values.get(values.len() * 99 / 100).map_or(0.0, |us| f64::from(*us) / 1_000.0)
}

/// Run `plan.lines` lines to the exchange at `server`, as `load` says. The measured time begins a second after
/// all is set up; that may take two minutes.
pub fn drive_lines(
    server: SocketAddr,
    key: ExchangeKey,
    plan: &Plan,
    seed: [u8; 32],
    load: &mut impl Load,
) -> Result<Figures, NetError> {
    /// Lines that connect at the same time.
    const AT_ONCE: usize = 64;
    let any = SocketAddr::new(std::net::Ipv4Addr::UNSPECIFIED.into(), 0);
    let limits = Limits { connections: plan.lines, per_address: plan.lines, ..Limits::default() };
    let mut net = Endpoint::bind(any, Role::Handset, limits, seed)?;
    net.set_gather(GATHER);
    let mut lines: Vec<ConnId> = Vec::with_capacity(plan.lines);
    let mut flow_of = vec![usize::MAX; plan.lines];
    let mut cell = vec![0; plan.up];
    let mut clock = Clock::new(plan);
    let (mut up, mut sent, mut received) = (0, 0, 0);
    let mut failed = None;
    let mut begin = None;
    let mut is_up = vec![false; plan.lines];
    loop {
        let now = Instant::now();
        while lines.len() < plan.lines && lines.len() < up + AT_ONCE {
            let conn = net.connect(now, server, Peer::Line(key))?;
            flow_of[conn.index()] = lines.len();
            lines.push(conn);
        }
        if up == plan.lines && begin.is_none() {
            if load.ready() {
                begin = Some(now + Duration::from_secs(1));
            } else if now > clock.start + SETTING_UP {
                let why = "the lines were not served, or their calls not connected, in time".into();
                return Err(NetError::BadAddress { to: server, why });
            }
        }
        match begin {
            Some(at) if !clock.measuring && now >= at => {
                clock.measuring = true;
                load.measuring(true);
            }
            Some(at) if now >= at + plan.measure => {
                load.measuring(false);
                return Ok(clock.figures(sent, received));
            }
            _ => {}
        }
        while let Some(flow) = clock.due(now) {
            if is_up[flow] {
                load.fill(flow, &mut cell);
                net.send(now, lines[flow], &cell)?;
                sent += u64::from(clock.measuring);
            }
        }
        // A few lines' worth of waiting makes one wake-up a millisecond, not one a line.
        let wake = clock.due_at().max(now + GATHER);
        net.poll(wake, |event| match event {
            Event::Connected { conn, .. } => {
                is_up[flow_of[conn.index()]] = true;
                up += 1;
            }
            Event::Cell { conn, cell } => {
                let flow = flow_of[conn.index()];
                received += u64::from(clock.measuring);
                clock.came(Instant::now(), flow);
                load.came(flow, cell);
            }
            Event::Closed { reason, .. } => failed = Some(reason),
        })?;
        if let Some(reason) = failed.take() {
            return Err(NetError::BadAddress { to: server, why: reason.to_string() });
        }
    }
}

/// Run the same load as plain datagrams through [`forward`] at `server`.
pub fn drive_udp(
    server: SocketAddr,
    plan: &Plan,
    mut measuring: impl FnMut(bool),
) -> Result<Figures, NetError> {
    let any = SocketAddr::new(std::net::Ipv4Addr::UNSPECIFIED.into(), 0);
    let mut socket = Batch::bind(any)?;
    let mut clock = Clock::new(plan);
    let size = plan.up + OVERHEAD;
    let mut packets: Vec<Vec<u8>> = Vec::new();
    let (mut sent, mut received) = (0, 0);
    let begin = clock.start + Duration::from_secs(1);
    loop {
        let now = Instant::now();
        if now >= begin && !clock.measuring {
            clock.measuring = true;
            measuring(true);
        }
        if now >= begin + plan.measure {
            measuring(false);
            return Ok(clock.figures(sent, received));
        }
        let mut used = 0;
        while let Some(flow) = clock.due(now) {
            if used == packets.len() {
                packets.push(vec![0; size]);
            }
            packets[used][..4].copy_from_slice(&(flow as u32).to_be_bytes());
            used += 1;
        }
        socket.send(packets[..used].iter().map(|bytes| (server, &bytes[..])));
        sent += if clock.measuring { used as u64 } else { 0 };
        let wake = clock.due_at().max(now + GATHER);
        std::thread::sleep(wake.saturating_duration_since(Instant::now()));
        wait(&socket, wake.saturating_duration_since(Instant::now()))?;
        while socket.receive(|_, datagram| {
            if let Some(flow) = flow(datagram) {
                received += u64::from(clock.measuring);
                clock.came(Instant::now(), flow as usize);
            }
        })? == 64
        {}
    }
}
