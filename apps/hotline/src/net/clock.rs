//! The clock thread: packets that are ready, and the instant at which each is to leave.
//!
//! ```text
//!  owner's thread:  encode, seal, compose ─► Parcel{due, packets} ─┐      done some milliseconds early
//!  clock thread:                     sleep until due ◄─────────────┘ ─► socket
//! ```
//!
//! **What the owner does, and how long it takes, does not show in when a packet leaves**: the work is done before, and this
//! thread does nothing but wait and send. It has real-time priority where the system allows it (CAP_SYS_NICE or
//! RLIMIT_RTPRIO); elsewhere it competes with others for its wake-up, as everything does. A parcel that comes late leaves
//! at once, and one that is late by a whole tick never: what was missed is not sent in a burst (docs/wire.md 1.2).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use thread_priority::{
    RealtimeThreadSchedulePolicy, ThreadPriority, ThreadPriorityValue, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};

use super::conn::Packet;
use super::endpoint::{SharedTap, show};
use super::error::NetError;
use super::socket::{Sending, Socket};

/// Above everything ordinary, far below what the system itself runs so.
const PRIORITY: u8 = 10;
/// Of those who send by themselves, at their tick: before whoever makes packets ahead of time, and behind the clocks.
const SENDERS: u8 = 8;
/// Of those who have to have packets ready in time.
const OWNERS: u8 = 5;

/// What leaves at one instant.
pub(crate) struct Parcel {
    pub(crate) due: Instant,
    /// From then on it does not leave any more: the next one is due.
    pub(crate) until: Instant,
    pub(crate) packets: Vec<Packet>,
}

/// The owner's side of the thread. Dropped, it lets everything leave that waits.
pub(crate) struct Clock {
    parcels: Option<Sender<Parcel>>,
    empty: Receiver<Vec<Packet>>,
    lost: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Clock {
    /// Starts a thread that sends on `sockets`, one for each door, and shows `tap` what it sends.
    pub(crate) fn start(sockets: Vec<Socket>, tap: SharedTap) -> Result<Clock, NetError> {
        let (parcels, queue) = mpsc::channel();
        let (used, empty) = mpsc::channel();
        let lost = Arc::new(AtomicU64::new(0));
        let counted = lost.clone();
        let thread = std::thread::Builder::new()
            .name("clock".into())
            .spawn(move || run(&sockets, &tap, &queue, &used, &counted))
            .map_err(NetError::os("start the clock thread"))?;
        Ok(Clock { parcels: Some(parcels), empty, lost, thread: Some(thread) })
    }

    /// Hands a parcel over.
    pub(crate) fn give(&self, parcel: Parcel) {
        if let Some(parcels) = &self.parcels {
            // The thread ends after this handle only.
            let _ = parcels.send(parcel);
        }
    }

    /// Packets whose buffers can be used again.
    pub(crate) fn empty(&self) -> Option<Vec<Packet>> {
        self.empty.try_recv().ok()
    }

    /// Packets that the system did not take.
    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        self.parcels = None;
        if let Some(thread) = self.thread.take() {
            // It has nothing to tell.
            let _ = thread.join();
        }
    }
}

/// Asks for real-time priority for the calling thread, which makes the packets: they have to be ready when they are to
/// leave, whatever else the machine does. A system that refuses is asked again by nobody: then it is late at times.
pub fn keep_pace() {
    real_time(OWNERS);
}

/// Asks for the same, a little more, for a thread that has no clock thread and sends at its tick itself: the laboratory's senders
/// that leak.
pub fn keep_time() {
    real_time(SENDERS);
}

/// Asks for real-time priority for this thread. Whether the system gave it.
fn real_time(priority: u8) -> bool {
    let policy = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
    ThreadPriorityValue::try_from(priority).is_ok_and(|priority| {
        let priority = ThreadPriority::Crossplatform(priority);
        set_thread_priority_and_policy(thread_native_id(), priority, policy).is_ok()
    })
}

/// Whether clock threads have real-time priority on this system, for this user.
#[must_use]
pub fn has_real_time() -> bool {
    std::thread::spawn(|| real_time(PRIORITY)).join().unwrap_or(false)
}

fn run(
    sockets: &[Socket],
    tap: &SharedTap,
    queue: &Receiver<Parcel>,
    used: &Sender<Vec<Packet>>,
    lost: &AtomicU64,
) {
    if !real_time(PRIORITY) {
        // Ordinary threads may be woken late by 50 us, to save power.
        let _ = nix::sys::prctl::set_timerslack(1);
    }
    let mut sending: Vec<Sending> = sockets.iter().map(Sending::new).collect();
    while let Ok(Parcel { due, until, packets }) = queue.recv() {
        loop {
            let left = due.saturating_duration_since(Instant::now());
            if left == Duration::ZERO {
                break;
            }
            std::thread::sleep(left);
        }
        if Instant::now() >= until {
            lost.fetch_add(packets.len() as u64, Ordering::Relaxed);
            // The owner may be gone.
            let _ = used.send(packets);
            continue;
        }
        show(tap, &packets);
        for (door, socket) in sending.iter_mut().enumerate() {
            let mine = packets.iter().filter(|packet| packet.door == door);
            let missed = socket.send(mine.map(|packet| (packet.to, &packet.bytes[..])));
            lost.fetch_add(missed as u64, Ordering::Relaxed);
        }
        // The owner may be gone.
        let _ = used.send(packets);
    }
}
