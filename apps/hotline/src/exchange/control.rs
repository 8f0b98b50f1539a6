//! How operator commands reach a running exchange: one JSON line each way over a Unix socket in its
//! folder, which only the folder's owner can open.
//!
//! ```text
//!  hotline exchange enroll ── {"Enroll":{..}} ──► control.sock ──► control thread ──► exchange loop
//!                          ◄─ {"Enrolled":{..}} ─────────────────────────────────────────┘
//! ```

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Name of the socket in an exchange's folder.
pub const SOCKET: &str = "control.sock";
/// Longest request or answer. Bytes.
const LINE_MAX: u64 = 4 << 20;
/// How long a command waits for its answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// What an operator asks.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub enum Request {
    /// Let a new handset of `principal` in, once, within `hours`.
    Enroll {
        /// Name of the person.
        principal: String,
        /// How long the token is valid.
        hours: u64,
    },
    /// Shut out a principal, or one of its handsets.
    Revoke {
        /// Name of the person.
        principal: String,
        /// Which handset; all of them without it.
        device: Option<u8>,
    },
    /// Put a records officer's order into force.
    Order {
        /// The file's content, hex.
        order: String,
        /// Also if the officer of the order in force did not name this one's.
        anew: bool,
    },
    /// How trunks stand, and how their line tests went.
    Trunks {
        /// First digits of the keys that are wanted, with all results; without it the newest result of each trunk.
        key: Option<String>,
    },
    /// Make the office's rule about a principal's lines, in place of the one before; without staff and hours it is lifted.
    Rule {
        /// Name of the person.
        principal: String,
        /// Calls with other offices through staff only.
        staff: bool,
        /// When they are placed and ring, as people write hours.
        hours: Option<String>,
        /// Who can lift it.
        lifts: String,
    },
    /// All rules about own lines.
    Rules,
    /// How things stand.
    Status,
}

/// What the exchange answers.
#[derive(Clone, Deserialize, Serialize)]
pub enum Answer {
    /// The link that lets the handset in. Secret until it is used.
    Enrolled {
        /// `hotline:enroll/..`
        link: String,
        /// The same as a page to open, if the web handset is served.
        web: Option<String>,
    },
    /// How many handsets were shut out.
    Revoked {
        /// Count.
        handsets: usize,
    },
    /// The order is in force.
    Ordered {
        /// Fingerprint of the officer.
        officer: String,
        /// Which calls go on the record.
        calls: String,
    },
    /// The rule holds, or is lifted.
    Ruled,
    /// Rules about own lines.
    Rules {
        /// In the order of names.
        rules: Vec<RuleStatus>,
    },
    /// Trunks.
    Trunks {
        /// How often each is tested. Seconds; nothing: tests are off.
        every_s: Option<u64>,
        /// In the order of their keys.
        trunks: Vec<TrunkStatus>,
    },
    /// How things stand.
    Status(Box<Status>),
    /// It was not done.
    Refused {
        /// Why, and what to do.
        why: String,
    },
}

/// How an exchange stands.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Status {
    /// Office name.
    pub office: String,
    /// Exchange key, hex.
    pub key: String,
    /// Line door in use.
    pub line_listen: String,
    /// Trunk door in use.
    pub trunk_listen: String,
    /// Where people open the web handset, if it is served.
    pub web: Option<String>,
    /// Which build of the web handset it is.
    pub web_build: String,
    /// Seconds since the start.
    pub uptime_s: u64,
    /// False while the disk refuses to write.
    pub storage_ok: bool,
    /// Everybody enrolled.
    pub lines: Vec<LineStatus>,
    /// Trunks that are up.
    pub trunks_up: u64,
    /// Trunks that should be up.
    pub trunks_known: u64,
    /// Trunks whose line tests fail.
    pub trunks_failing: u64,
    /// Legs in use.
    pub legs: u64,
    /// Mail on its way.
    pub mail_waiting: u64,
    /// Entries of the record.
    pub record_entries: u64,
    /// Fingerprint of the records officer, if there is one.
    pub record_officer: Option<String>,
}

/// One enrolled handset.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct LineStatus {
    /// Whose.
    pub principal: String,
    /// Which of the principal's.
    pub device: u8,
    /// Whether its line is up.
    pub up: bool,
}

/// The office's rule about the lines of one person.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct RuleStatus {
    /// Whose.
    pub principal: String,
    /// Calls with other offices through staff only.
    pub staff: bool,
    /// When they are placed and ring.
    pub hours: Option<String>,
    /// Who can lift it.
    pub lifts: String,
}

/// One other exchange.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct TrunkStatus {
    /// Its key, hex.
    pub key: String,
    /// `host:port` of its trunk door.
    pub host: String,
    /// Whether the trunk is up.
    pub up: bool,
    /// Since when its line tests fail, if they do. Seconds since 1970.
    pub failing_since: Option<u64>,
    /// Line tests, newest first.
    pub tests: Vec<LineTest>,
}

/// One line test.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct LineTest {
    /// When it was over. Seconds since 1970.
    pub at: u64,
    /// `passed`, `lossy`, `gave-way`, `not-supported`, `down`, `full`, `refused` or `silent`.
    pub outcome: String,
    /// What was measured, if it was.
    pub figures: Option<LineFigures>,
}

/// What a line test measured.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct LineFigures {
    /// Frames sent.
    pub sent: u16,
    /// Frames that came there, as the other exchange says.
    pub there: Option<u16>,
    /// Frames that came back.
    pub back: u16,
    /// Gaps in what came back.
    pub gaps: u16,
    /// Frames in the longest gap.
    pub longest_gap: u16,
    /// Round trip. Milliseconds.
    pub round_trip_p50_ms: f64,
    /// The same of 95 % of the frames.
    pub round_trip_p95_ms: f64,
    /// Mean change of the round trip from frame to frame. Milliseconds.
    pub jitter_ms: f64,
    /// Until the leg was there. Milliseconds.
    pub opening_ms: f64,
}

/// A request that waits for its answer.
pub struct Pending {
    /// What is asked.
    pub request: Request,
    /// Where the answer goes. Whoever asked may be gone; that is no error.
    pub answer: Sender<Answer>,
}

/// Listens in `folder`; requests come out of the receiver, and `wake` is called for each. The sender is for
/// requests from within the process.
///
/// # Errors
/// The socket cannot be made.
pub fn listen(
    folder: &Path,
    wake: impl Fn() + Send + 'static,
) -> std::io::Result<(Receiver<Pending>, Sender<Pending>, Cleanup)> {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join(SOCKET);
    // The store's lock is held already: a socket that is there is a dead process's.
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    let (tx, rx) = mpsc::channel();
    let ask = tx.clone();
    std::thread::Builder::new().name("control".into()).spawn(move || {
        for stream in listener.incoming().flatten() {
            if let Err(e) = serve(stream, &tx, &wake) {
                tracing::debug!(error = %e, "control request broke off");
            }
        }
    })?;
    Ok((rx, ask, Cleanup(path)))
}

/// Removes the socket at the end.
#[derive(Debug)]
pub struct Cleanup(PathBuf);

impl Drop for Cleanup {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn serve(stream: UnixStream, tx: &Sender<Pending>, wake: &impl Fn()) -> std::io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut line = String::new();
    BufReader::new((&stream).take(LINE_MAX)).read_line(&mut line)?;
    let answer = match serde_json::from_str(&line) {
        Err(e) => Answer::Refused { why: format!("not a request of this version: {e}") },
        Ok(request) => {
            let (answer, got) = mpsc::channel();
            if tx.send(Pending { request, answer }).is_err() {
                return Ok(());
            }
            wake();
            got.recv_timeout(PATIENCE).unwrap_or_else(|_| Answer::Refused {
                why: "the exchange did not finish in time; if its disk is full, make room".into(),
            })
        }
    };
    let mut bytes = serde_json::to_vec(&answer)?;
    bytes.push(b'\n');
    (&stream).write_all(&bytes)
}

/// Asks the exchange that runs in `folder`. `None`: none is running there.
///
/// # Errors
/// It is there and does not answer.
pub fn ask(folder: &Path, request: &Request) -> std::io::Result<Option<Answer>> {
    let stream = match UnixStream::connect(folder.join(SOCKET)) {
        Ok(stream) => stream,
        Err(e)
            if matches!(
                e.kind(),
                std::io::ErrorKind::NotFound | std::io::ErrorKind::ConnectionRefused
            ) =>
        {
            return Ok(None);
        }
        Err(e) => return Err(e),
    };
    stream.set_read_timeout(Some(PATIENCE * 2))?;
    let mut bytes = serde_json::to_vec(request)?;
    bytes.push(b'\n');
    (&stream).write_all(&bytes)?;
    let mut line = String::new();
    BufReader::new((&stream).take(LINE_MAX)).read_line(&mut line)?;
    Ok(Some(serde_json::from_str(&line)?))
}
