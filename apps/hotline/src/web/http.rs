//! A server of small answers: HTTP/1.1 (RFC 9112), GET and HEAD, keep-alive, in bounded threads.
//!
//! ```text
//!  accept ─► at most 256 connections, 16 from one address ─► a thread each:
//!              head (8 KiB, complete within 10 s) ─► handler ─► answer (written within 30 s) ─► next head
//! ```
//!
//! A client that is slow holds one thread of its own, for a bounded time.

use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::tls::Tls;

/// Connections at once.
const CONNECTIONS: usize = 256;
/// Of one address: a browser opens six.
const PER_ADDRESS: usize = 32;
/// Longest request head.
const HEAD_MAX: usize = 8 * 1024;
/// Most header lines.
const HEADERS_MAX: usize = 64;
/// From a connection's start, or the last answer, to a whole head.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// How long a write may stand still.
const WRITE_WITHIN: Duration = Duration::from_secs(30);
/// Answers on one connection.
const REQUESTS_MAX: usize = 1_000;

/// What was asked.
pub struct Request {
    /// Path, without what follows a `?`.
    pub path: String,
    /// The client takes gzip.
    pub gzip: bool,
    /// Content that the client has, by its tag.
    pub none_match: Option<String>,
}

/// What is answered.
pub struct Response {
    /// 200, 304, 404, 503.
    pub status: u16,
    /// Header lines besides length and connection.
    pub headers: Vec<(&'static str, String)>,
    /// The content.
    pub body: Body,
}

/// Content.
pub enum Body {
    /// Built into the program.
    Static(&'static [u8]),
    /// Made for this answer.
    Owned(Vec<u8>),
}

impl Body {
    fn bytes(&self) -> &[u8] {
        match self {
            Body::Static(bytes) => bytes,
            Body::Owned(bytes) => bytes,
        }
    }
}

/// Answers requests; called by several threads at once.
pub type Handler = Arc<dyn Fn(&Request) -> Response + Send + Sync>;

type Counts = Arc<Mutex<HashMap<IpAddr, usize>>>;

/// One connection's place; given back when dropped.
struct Place {
    counts: Counts,
    ip: IpAddr,
}

impl Place {
    fn take(counts: &Counts, ip: IpAddr) -> Option<Place> {
        let mut held = counts.lock().ok()?;
        let all: usize = held.values().sum();
        let own = held.entry(ip).or_default();
        if all >= CONNECTIONS || *own >= PER_ADDRESS {
            return None;
        }
        *own += 1;
        Some(Place { counts: counts.clone(), ip })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Ok(mut held) = self.counts.lock()
            && let Some(own) = held.get_mut(&self.ip)
        {
            *own -= 1;
            if *own == 0 {
                held.remove(&self.ip);
            }
        }
    }
}

/// Serves until the process ends; the address in use.
///
/// # Errors
/// The port is taken, or not ours to take; no thread can be started.
pub fn serve(
    name: &str,
    listen: SocketAddr,
    tls: Option<Arc<Tls>>,
    handler: Handler,
) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind(listen)?;
    let address = listener.local_addr()?;
    let counts = Counts::default();
    let accept = move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else {
                // Out of file descriptors, say: not in a busy loop.
                std::thread::sleep(Duration::from_millis(50));
                continue;
            };
            let Some(place) = stream.peer_addr().ok().and_then(|a| Place::take(&counts, a.ip()))
            else {
                continue;
            };
            let (tls, handler) = (tls.clone(), handler.clone());
            let run = move || {
                let _place = place;
                // A client that went away is nobody's concern.
                let _ = connection(stream, tls.as_deref(), &handler);
            };
            // Without a thread the connection is dropped.
            let _ = std::thread::Builder::new().name("http client".into()).spawn(run);
        }
    };
    std::thread::Builder::new().name(name.into()).spawn(accept)?;
    Ok(address)
}

fn connection(stream: TcpStream, tls: Option<&Tls>, handler: &Handler) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(WRITE_WITHIN))?;
    match tls {
        None => requests(&stream, &stream, handler),
        Some(tls) => {
            let session = rustls::ServerConnection::new(tls.config());
            let session = session.map_err(std::io::Error::other)?;
            let watch = stream.try_clone()?;
            requests(rustls::StreamOwned::new(session, stream), &watch, handler)
        }
    }
}

/// `watch` is the socket under `stream`, to set how long a read waits.
fn requests(
    mut stream: impl Read + Write,
    watch: &TcpStream,
    handler: &Handler,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    for _ in 0..REQUESTS_MAX {
        let until = Instant::now() + HEAD_WITHIN;
        let asked = loop {
            match parse(&head) {
                Parsed::Whole(length, asked) => {
                    head.drain(..length);
                    break asked;
                }
                Parsed::Bad(status) => return refuse(&mut stream, status),
                Parsed::Partial if head.len() >= HEAD_MAX => return refuse(&mut stream, 431),
                Parsed::Partial => {}
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            watch.set_read_timeout(Some(left))?;
            let mut chunk = [0; 2048];
            match stream.read(&mut chunk) {
                Ok(0) => return Ok(()),
                Ok(n) => head.extend_from_slice(&chunk[..n]),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        };
        let response = handler(&asked.request);
        write(&mut stream, &response, asked.head_only)?;
        if asked.close {
            return Ok(());
        }
    }
    Ok(())
}

struct Asked {
    request: Request,
    head_only: bool,
    close: bool,
}

enum Parsed {
    Whole(usize, Asked),
    Partial,
    Bad(u16),
}

fn parse(head: &[u8]) -> Parsed {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut headers);
    let length = match request.parse(head) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Parsed::Partial,
        Err(httparse::Error::TooManyHeaders) => return Parsed::Bad(431),
        Err(_) => return Parsed::Bad(400),
    };
    let find = |name: &str| {
        let found = request.headers.iter().find(|h| h.name.eq_ignore_ascii_case(name));
        found.and_then(|h| std::str::from_utf8(h.value).ok()).unwrap_or_default()
    };
    let head_only = match request.method {
        Some("GET") => false,
        Some("HEAD") => true,
        _ => return Parsed::Bad(405),
    };
    // A body would be taken for the next request.
    if !find("content-length").is_empty() || !find("transfer-encoding").is_empty() {
        return Parsed::Bad(400);
    }
    let path = request.path.unwrap_or_default().split('?').next().unwrap_or_default();
    let close =
        find("connection").to_ascii_lowercase().contains("close") || request.version == Some(0);
    let none_match = Some(find("if-none-match")).filter(|tag| !tag.is_empty());
    let asked = Asked {
        request: Request {
            path: path.to_owned(),
            gzip: find("accept-encoding").split(',').any(|e| e.trim().starts_with("gzip")),
            none_match: none_match.map(str::to_owned),
        },
        head_only,
        close,
    };
    Parsed::Whole(length, asked)
}

fn refuse(stream: &mut impl Write, status: u16) -> std::io::Result<()> {
    let headers = vec![("Connection", "close".to_owned())];
    write(stream, &Response { status, headers, body: Body::Static(b"") }, false)
}

fn write(stream: &mut impl Write, response: &Response, head_only: bool) -> std::io::Result<()> {
    let reason = match response.status {
        200 => "OK",
        304 => "Not Modified",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        431 => "Request Header Fields Too Large",
        _ => "Service Unavailable",
    };
    let mut head = format!("HTTP/1.1 {} {reason}\r\n", response.status);
    for (name, value) in &response.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n", response.body.bytes().len()));
    stream.write_all(head.as_bytes())?;
    if !head_only {
        stream.write_all(response.body.bytes())?;
    }
    stream.flush()
}

#[cfg(test)]
mod tests;
