//! What one client, and all of them together, can hold.
//!
//! ```text
//!  Place   one of all connections, one of its address's; given back when dropped
//!  Timed   a socket with an instant at which every read and write ends, however little or much comes until then
//! ```
//!
//! A time limit for each read or write alone would let a client send one byte at a time and stay for ever, in the TLS
//! handshake too.

use std::cell::Cell;
use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, TcpStream};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Connections at once. Each is a thread.
pub(super) const CONNECTIONS: usize = 512;
/// Of one source: a browser opens six, and people of one office can have one address.
pub(super) const PER_SOURCE: usize = 32;

/// How many connections each source holds.
pub(super) type Counts = Arc<Mutex<HashMap<IpAddr, usize>>>;

/// One connection's place; given back when dropped.
pub(super) struct Place {
    counts: Counts,
    source: IpAddr,
}

impl Place {
    /// `None`: all are taken.
    pub(super) fn take(counts: &Counts, ip: IpAddr) -> Option<Place> {
        let source = crate::host::source(ip);
        let mut held = counts.lock().ok()?;
        let all: usize = held.values().sum();
        let own = held.get(&source).copied().unwrap_or_default();
        if all >= CONNECTIONS || own >= PER_SOURCE {
            return None;
        }
        held.insert(source, own + 1);
        Some(Place { counts: counts.clone(), source })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Ok(mut held) = self.counts.lock()
            && let Some(own) = held.get_mut(&self.source)
        {
            *own -= 1;
            if *own == 0 {
                held.remove(&self.source);
            }
        }
    }
}

/// The end of what is going on; the socket under a TLS session looks at it too.
#[derive(Clone)]
pub(super) struct Until(Rc<Cell<Instant>>);

impl Until {
    /// From now on.
    pub(super) fn after(time: Duration) -> Until {
        Until(Rc::new(Cell::new(Instant::now() + time)))
    }

    /// Begins something else.
    pub(super) fn again(&self, time: Duration) {
        self.0.set(Instant::now() + time);
    }

    fn left(&self) -> std::io::Result<Duration> {
        let left = self.0.get().saturating_duration_since(Instant::now());
        if left.is_zero() { Err(ErrorKind::TimedOut.into()) } else { Ok(left) }
    }
}

/// A socket that gives up at an instant.
pub(super) struct Timed {
    pub(super) stream: TcpStream,
    pub(super) until: Until,
}

impl Read for Timed {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        self.stream.set_read_timeout(Some(self.until.left()?))?;
        self.stream.read(into)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.stream.set_write_timeout(Some(self.until.left()?))?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.stream.flush()
    }
}
