//! A request's head (RFC 9112): what is asked, or why it is refused.

/// Longest request head. Bytes.
pub(super) const HEAD_MAX: usize = 8 * 1024;
/// Most header lines.
pub(super) const HEADERS_MAX: usize = 64;

/// What was asked.
pub struct Request {
    /// Path, without what follows a `?`.
    pub path: String,
    /// The client takes brotli.
    pub brotli: bool,
    /// Tags of the content that the client has, as it sent them.
    pub none_match: String,
}

impl Request {
    /// Whether the client has the content with this tag. A proxy that compresses makes tags weak ones.
    #[must_use]
    pub fn has(&self, tag: &str) -> bool {
        self.none_match.split(',').any(|had| had.trim().trim_start_matches("W/") == tag)
    }
}

/// A request, and how it is answered.
pub(super) struct Asked {
    pub(super) request: Request,
    /// Without the content.
    pub(super) head_only: bool,
    /// The connection ends then.
    pub(super) close: bool,
}

/// What stands at the beginning of some bytes.
pub(super) enum Parsed {
    /// A request of this length.
    Whole(usize, Asked),
    /// The beginning of one.
    Partial,
    /// None that is answered: the status for it.
    Bad(u16),
}

/// Reads a head.
pub(super) fn parse(head: &[u8]) -> Parsed {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut headers);
    let length = match request.parse(head) {
        Ok(httparse::Status::Complete(length)) if length > HEAD_MAX => return Parsed::Bad(431),
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) if head.len() >= HEAD_MAX => return Parsed::Bad(431),
        Ok(httparse::Status::Partial) => return Parsed::Partial,
        Err(httparse::Error::TooManyHeaders) => return Parsed::Bad(431),
        Err(_) => return Parsed::Bad(400),
    };
    let find = |name: &str| {
        let found = request.headers.iter().find(|h| h.name.eq_ignore_ascii_case(name));
        found.and_then(|h| std::str::from_utf8(h.value).ok()).unwrap_or_default()
    };
    let sent = |name: &str| request.headers.iter().any(|h| h.name.eq_ignore_ascii_case(name));
    let head_only = match request.method {
        Some("GET") => false,
        Some("HEAD") => true,
        _ => return Parsed::Bad(405),
    };
    // A body would be taken for the next request.
    if sent("content-length") || sent("transfer-encoding") {
        return Parsed::Bad(400);
    }
    let path = request.path.unwrap_or_default().split('?').next().unwrap_or_default();
    let asked = Asked {
        request: Request {
            path: path.to_owned(),
            brotli: find("accept-encoding").split(',').any(takes_brotli),
            none_match: find("if-none-match").to_owned(),
        },
        head_only,
        close: find("connection").to_ascii_lowercase().contains("close")
            || request.version == Some(0),
    };
    Parsed::Whole(length, asked)
}

/// `br`, or `br;q=0.5`, and not `br;q=0` (RFC 9110 section 12.5.3).
fn takes_brotli(coding: &str) -> bool {
    let mut parts = coding.split(';').map(str::trim);
    let weight = |part: &str| part.strip_prefix("q=").and_then(|q| q.parse::<f32>().ok());
    parts.next() == Some("br") && parts.filter_map(weight).all(|q| q > 0.0)
}
