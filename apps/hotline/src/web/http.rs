//! A server of small answers: HTTP/1.1 (RFC 9112), GET and HEAD, keep-alive, in bounded threads.
//!
//! ```text
//!  accept ─► a place (bounds.rs) ─► a thread each:
//!              head (head.rs: 8 KiB, whole within 10 s) ─► handler ─► answer (30 s, more for long ones) ─► next head
//! ```
//!
//! A client that is slow holds one thread of its own, for a bounded time.

mod bounds;
mod head;

use std::io::{Error, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use bounds::{Counts, Place, Timed, Until};
use head::{Parsed, parse};

use super::tls::Tls;

pub use head::Request;

/// From a connection's start, or the last answer, to a whole head.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// An answer is written within this time ...
const WRITE_WITHIN: Duration = Duration::from_secs(30);
/// ... and as much more as its bytes take at this rate. Bytes per second: a bad mobile connection.
const SLOWEST: u32 = 8 * 1024;
/// How long a client may take to see that the connection ends.
const LINGER: Duration = Duration::from_secs(2);
/// Answers on one connection.
const REQUESTS_MAX: usize = 1_000;
/// A thread's stack: 512 of them are no great part of a machine.
const STACK: usize = 256 * 1024;

/// What is answered.
pub struct Response {
    /// 200, 304, 404, 503.
    pub status: u16,
    /// Header lines of this answer only.
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

/// What is served.
#[derive(Clone)]
pub struct Service {
    /// Header lines of every answer, refusals too.
    pub headers: Arc<[(&'static str, String)]>,
    /// Answers what is a request.
    pub handler: Handler,
}

/// Serves until the process ends; the address in use.
///
/// # Errors
/// The port is taken, or not ours to take; no thread can be started.
pub fn serve(
    name: &str,
    listen: SocketAddr,
    tls: Option<Arc<Tls>>,
    service: Service,
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
            let (tls, service) = (tls.clone(), service.clone());
            let run = move || {
                let _place = place;
                // A client that went away is nobody's concern.
                let _ = connection(stream, tls.as_deref(), &service);
            };
            let thread = std::thread::Builder::new().name("http client".into()).stack_size(STACK);
            // Without a thread the connection is dropped.
            let _ = thread.spawn(run);
        }
    };
    std::thread::Builder::new().name(name.into()).spawn(accept)?;
    Ok(address)
}

fn connection(stream: TcpStream, tls: Option<&Tls>, service: &Service) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let until = Until::after(HEAD_WITHIN);
    let mut socket = Timed { stream, until: until.clone() };
    match tls {
        None => {
            let ended = requests(&mut socket, &until, service);
            linger(&mut socket);
            ended
        }
        Some(tls) => {
            let session = rustls::ServerConnection::new(tls.config()).map_err(Error::other)?;
            let mut stream = rustls::StreamOwned::new(session, socket);
            let ended = requests(&mut stream, &until, service);
            stream.conn.send_close_notify();
            let _ = stream.flush();
            linger(&mut stream.sock);
            ended
        }
    }
}

/// Reads away what was still sent: a socket closed with unread bytes is reset, and the client would lose the answer.
fn linger(socket: &mut Timed) {
    if socket.stream.shutdown(Shutdown::Write).is_err() {
        return;
    }
    socket.until.again(LINGER);
    let mut chunk = [0; 2048];
    while matches!(socket.read(&mut chunk), Ok(n) if n > 0) {}
}

fn requests(
    stream: &mut (impl Read + Write),
    until: &Until,
    service: &Service,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    for _ in 0..REQUESTS_MAX {
        let asked = loop {
            match parse(&head) {
                Parsed::Whole(length, asked) => {
                    head.drain(..length);
                    break asked;
                }
                Parsed::Bad(status) => {
                    until.again(WRITE_WITHIN);
                    return refuse(stream, status, service);
                }
                Parsed::Partial => {}
            }
            let mut chunk = [0; 2048];
            match stream.read(&mut chunk) {
                Ok(0) => return Ok(()),
                Ok(n) => head.extend_from_slice(&chunk[..n]),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        };
        let response = (service.handler)(&asked.request);
        let length = u32::try_from(response.body.bytes().len()).unwrap_or(u32::MAX);
        until.again(WRITE_WITHIN + Duration::from_secs(u64::from(length / SLOWEST)));
        write(stream, &response, asked.head_only, service)?;
        if asked.close {
            return Ok(());
        }
        until.again(HEAD_WITHIN);
    }
    Ok(())
}

fn refuse(stream: &mut impl Write, status: u16, service: &Service) -> std::io::Result<()> {
    let headers = vec![("Connection", "close".to_owned()), ("Allow", "GET, HEAD".to_owned())];
    write(stream, &Response { status, headers, body: Body::Static(b"") }, false, service)
}

fn write(
    stream: &mut impl Write,
    response: &Response,
    head_only: bool,
    service: &Service,
) -> std::io::Result<()> {
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
    for (name, value) in response.headers.iter().chain(service.headers.iter()) {
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
