//! What every Hotline process does first: keep its memory to itself, and say on logs only what may stand
//! there.

use std::net::IpAddr;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use nix::sys::resource::{Resource, setrlimit};
use wire::{Time, Wall};

/// Forbids core dumps and other processes' looks into our memory. A system that refuses is told of, and
/// the program goes on: the files it writes are sealed or owner-only all the same.
pub fn harden() {
    let dumps = setrlimit(Resource::RLIMIT_CORE, 0, 0);
    let looks = nix::sys::prctl::set_dumpable(false);
    if dumps.is_err() || looks.is_err() {
        tracing::warn!("this system does not let the process forbid core dumps");
    }
}

/// Logs go to standard error, one line each, from `HOTLINE_LOG` (error, warn, info, debug) or else `level` on.
pub fn log(level: tracing::Level) {
    let level = std::env::var("HOTLINE_LOG")
        .ok()
        .and_then(|level| level.parse::<tracing::Level>().ok())
        .unwrap_or(level);
    // A second call (tests, demo) keeps the first one's settings.
    let _ = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_max_level(level)
        .try_init();
}

/// The process's two clocks.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
}

impl Default for Clock {
    fn default() -> Self {
        Clock::start()
    }
}

impl Clock {
    /// Time 0 is now.
    #[must_use]
    pub fn start() -> Self {
        Clock { start: Instant::now() }
    }

    /// Monotonic time.
    #[must_use]
    pub fn now(&self) -> Time {
        Time(u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    /// The instant of a time of this clock.
    #[must_use]
    pub fn instant(&self, time: Time) -> Instant {
        // A year is never for any timeout here, and no overflow for any Instant.
        let year = 365 * 24 * 3600 * 1_000_000;
        self.start + std::time::Duration::from_micros(time.0.min(year))
    }

    /// Time of day.
    #[must_use]
    pub fn wall(&self) -> Wall {
        Wall(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs()))
    }
}

/// 32 bytes from the operating system, to seed a machine.
///
/// # Errors
/// The system has none to give.
pub fn seed() -> Result<[u8; 32], std::io::Error> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(std::io::Error::other)?;
    Ok(seed)
}

/// Who shares a limit: an IPv4 address, or an IPv6 /64, which is what one subscriber has.
#[must_use]
pub fn source(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(v6) => {
            let mut octets = v6.octets();
            octets[8..].fill(0);
            IpAddr::from(octets)
        }
        v4 => v4,
    }
}

/// Says to the person at the terminal what went wrong.
#[allow(clippy::print_stderr, reason = "errors of commands go to standard error")]
pub fn say_error(what: &str) {
    eprintln!("hotline: {what}");
}

/// Calls `stop` at each SIGINT and SIGTERM, from a thread of its own.
///
/// # Errors
/// The system refuses the signals or the thread.
pub fn on_signals(stop: impl Fn() + Send + 'static) -> std::io::Result<()> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM])?;
    std::thread::Builder::new()
        .name("signals".into())
        .spawn(move || signals.forever().for_each(|_| stop()))
        .map(|_| ())
}
