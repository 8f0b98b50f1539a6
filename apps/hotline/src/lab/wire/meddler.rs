//! Somebody on the way between handsets and exchange, who can drop and delay.
//!
//! ```text
//!  handset ──► front socket ─ pass | drop | delay ─► back socket ──► exchange
//!          ◄────────────────── pass ─────────────────────────────◄──
//! ```
//!
//! Each line has its own plan: in each slot of time its way up is left alone or meddled with, by a coin.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, ppoll};

use crate::cli::Failure;

/// How long what is delayed is kept: no whole number of ticks, so that it shows on a relay of any kind.
const DELAY: Duration = Duration::from_millis(47);
/// Longest sleep.
const IDLE: Duration = Duration::from_millis(20);

/// What is done to a line in one slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Meddling {
    /// Nothing.
    Pass,
    /// Every second datagram is dropped.
    Drop,
    /// Every datagram comes later.
    Delay,
}

/// What is done to all lines, and when.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// From here on.
    pub(super) from: Instant,
    /// Length of a slot.
    pub(super) slot: Duration,
    /// For each line, slot by slot; after the last one all passes.
    pub(super) lines: Vec<Vec<Meddling>>,
}

struct Wire {
    front: UdpSocket,
    back: UdpSocket,
    to: SocketAddr,
    handset: Option<SocketAddr>,
    odd: bool,
}

/// Stands on the way of some lines.
pub(super) struct Meddler {
    /// Where each line's handset has to send to.
    pub(super) doors: Vec<SocketAddr>,
    plan: Arc<Mutex<Option<Arc<Plan>>>>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Meddler {
    /// Stands between `lines` handsets and the door at `to`.
    pub(super) fn start(to: SocketAddr, lines: usize) -> Result<Meddler, Failure> {
        let socket = || -> std::io::Result<UdpSocket> {
            let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
            socket.set_nonblocking(true)?;
            Ok(socket)
        };
        let wires = (0..lines)
            .map(|_| Ok(Wire { front: socket()?, back: socket()?, to, handset: None, odd: false }))
            .collect::<std::io::Result<Vec<_>>>()?;
        let doors = wires.iter().map(|w| w.front.local_addr()).collect::<Result<_, _>>()?;
        let plan: Arc<Mutex<Option<Arc<Plan>>>> = Arc::default();
        let stop = Arc::new(AtomicBool::new(false));
        let (shared, until) = (plan.clone(), stop.clone());
        let thread = std::thread::Builder::new()
            .name("meddler".into())
            .spawn(move || carry(wires, &shared, &until))?;
        Ok(Meddler { doors, plan, stop, thread })
    }

    /// Begins to meddle.
    pub(super) fn meddle(&self, plan: Plan) {
        if let Ok(mut now) = self.plan.lock() {
            *now = Some(Arc::new(plan));
        }
    }

    /// Ends.
    pub(super) fn stop(self) -> Result<(), Failure> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| "the lab's meddler panicked".into())
    }
}

fn meddling(plan: Option<&Plan>, line: usize, now: Instant) -> Meddling {
    let Some(plan) = plan.filter(|p| now >= p.from) else { return Meddling::Pass };
    let slot = (now - plan.from).as_nanos() / plan.slot.as_nanos().max(1);
    let slot = usize::try_from(slot).unwrap_or(usize::MAX);
    plan.lines.get(line).and_then(|l| l.get(slot)).copied().unwrap_or(Meddling::Pass)
}

fn carry(mut wires: Vec<Wire>, plan: &Mutex<Option<Arc<Plan>>>, stop: &AtomicBool) {
    let mut held: std::collections::VecDeque<(Instant, usize, Vec<u8>)> = Default::default();
    let mut buffer = [0; 2_048];
    while !stop.load(Ordering::Relaxed) {
        let wait = held
            .front()
            .map_or(IDLE, |(due, ..)| due.saturating_duration_since(Instant::now()).min(IDLE));
        let mut fds: Vec<PollFd<'_>> = wires
            .iter()
            .flat_map(|w| [&w.front, &w.back])
            .map(|s| PollFd::new(s.as_fd(), PollFlags::POLLIN))
            .collect();
        // Interrupted or not: all sockets are looked at below.
        let _ = ppoll(&mut fds, Some(wait.into()), None);
        drop(fds);
        let now = Instant::now();
        let plan = plan.lock().ok().and_then(|p| p.clone());
        for (line, wire) in wires.iter_mut().enumerate() {
            while let Ok((n, from)) = wire.front.recv_from(&mut buffer) {
                wire.handset = Some(from);
                wire.odd = !wire.odd;
                match meddling(plan.as_deref(), line, now) {
                    Meddling::Drop if wire.odd => {}
                    Meddling::Delay => held.push_back((now + DELAY, line, buffer[..n].to_vec())),
                    // A full socket loses it, as networks do.
                    _ => drop(wire.back.send_to(&buffer[..n], wire.to)),
                }
            }
            while let Ok((n, _)) = wire.back.recv_from(&mut buffer) {
                if let Some(handset) = wire.handset {
                    drop(wire.front.send_to(&buffer[..n], handset));
                }
            }
        }
        while held.front().is_some_and(|(due, ..)| *due <= now) {
            if let Some((_, line, bytes)) = held.pop_front() {
                drop(wires[line].back.send_to(&bytes, wires[line].to));
            }
        }
    }
}
