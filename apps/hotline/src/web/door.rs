//! What the web door answers: the web handset's files, and the line door's certificate.
//!
//! ```text
//!  GET /          the page            GET /NAME   a file of the handset      anything else: 404
//!  GET /line      DER of the certificate that the line door shows now; handsets check its signature
//! ```
//!
//! **No third party, no script but our own**: the Content-Security-Policy lets the page load from here, and connect to here
//! and to the line door.

use std::sync::{Arc, Mutex};

use sha2::{Digest as _, Sha256};

use super::assets::{self, Asset, BUILD};
use super::http::{Body, Request, Response, Service};

/// The certificate in use, as the exchange's loop keeps it.
pub type Leaf = Arc<Mutex<Vec<u8>>>;

/// What a web door serves. `line_host` is the line door as handsets see it; `https`: people open the page so.
#[must_use]
pub fn service(leaf: Leaf, line_host: &str, https: bool) -> Service {
    let tags: Vec<String> = assets::ASSETS.iter().map(|asset| tag(asset.bytes)).collect();
    Service {
        headers: headers(line_host, https).into(),
        handler: Arc::new(move |request| answer(request, &leaf, &tags)),
    }
}

fn answer(request: &Request, leaf: &Leaf, tags: &[String]) -> Response {
    if request.path == "/line" {
        let der = leaf.lock().map(|der| der.clone()).unwrap_or_default();
        let headers = vec![
            ("Content-Type", "application/pkix-cert".into()),
            ("Cache-Control", "no-store".into()),
        ];
        return Response { status: 200, headers, body: Body::Owned(der) };
    }
    match assets::find(&request.path) {
        Some(asset) => {
            let at = assets::ASSETS.iter().position(|a| a.path == asset.path);
            file(request, asset, at.and_then(|at| tags.get(at)).map_or("", String::as_str))
        }
        None if request.path == "/" => {
            let headers = vec![("Content-Type", "text/html; charset=utf-8".into())];
            let body = Body::Static(assets::MISSING.as_bytes());
            Response { status: 503, headers, body }
        }
        None => {
            let headers = vec![("Content-Type", "text/plain; charset=utf-8".into())];
            Response { status: 404, headers, body: Body::Static(b"there is nothing here\n") }
        }
    }
}

fn file(request: &Request, asset: &'static Asset, tag: &str) -> Response {
    let mut headers = vec![
        ("ETag", tag.to_owned()),
        // Asked again each time: an old page with a new worker would not understand each other.
        ("Cache-Control", "no-cache".into()),
        ("Vary", "Accept-Encoding".into()),
    ];
    if request.has(tag) {
        return Response { status: 304, headers, body: Body::Static(b"") };
    }
    headers.push(("Content-Type", asset.kind.into()));
    let body = match asset.brotli.filter(|_| request.brotli) {
        Some(brotli) => {
            headers.push(("Content-Encoding", "br".into()));
            brotli
        }
        None => asset.bytes,
    };
    Response { status: 200, headers, body: Body::Static(body) }
}

fn tag(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    format!("\"{}\"", crate::exchange::folder::hex(&digest[..16]))
}

/// What the page uses, for itself only.
const OWN: [&str; 9] = [
    "microphone",
    "camera",
    "screen-wake-lock",
    "speaker-selection",
    "publickey-credentials-create",
    "publickey-credentials-get",
    "clipboard-write",
    "autoplay",
    "fullscreen",
];

/// What nobody uses here. A browser passes over those that it does not know.
const OFF: [&str; 19] = [
    "accelerometer",
    "browsing-topics",
    "clipboard-read",
    "display-capture",
    "encrypted-media",
    "gamepad",
    "geolocation",
    "gyroscope",
    "hid",
    "idle-detection",
    "local-fonts",
    "magnetometer",
    "midi",
    "payment",
    "picture-in-picture",
    "serial",
    "usb",
    "window-management",
    "xr-spatial-tracking",
];

/// On every answer.
fn headers(line_host: &str, https: bool) -> Vec<(&'static str, String)> {
    let line = source(line_host);
    let policy = format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data: blob:; \
         media-src 'self' blob:; font-src 'self'; manifest-src 'self'; worker-src 'self'; \
         connect-src 'self' {line}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let own = OWN.iter().map(|name| format!("{name}=(self)"));
    let off = OFF.iter().map(|name| format!("{name}=()"));
    let mut headers = vec![
        ("Content-Security-Policy", policy),
        ("Permissions-Policy", own.chain(off).collect::<Vec<_>>().join(", ")),
        ("X-Content-Type-Options", "nosniff".into()),
        ("Referrer-Policy", "no-referrer".into()),
        ("Cross-Origin-Opener-Policy", "same-origin".into()),
        ("Cross-Origin-Resource-Policy", "same-origin".into()),
        ("X-Hotline-Build", BUILD.into()),
    ];
    if https {
        headers.push(("Strict-Transport-Security", "max-age=31536000".into()));
    }
    headers
}

/// The line door in a Content-Security-Policy. That knows no IPv6 literals (CSP 3, section 2.3.1): such a line door is named by
/// its port alone.
fn source(line_host: &str) -> String {
    match line_host.rsplit_once(':') {
        Some((host, port)) if host.starts_with('[') => format!("https://*:{port}"),
        _ => format!("https://{line_host}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_may_connect_to_its_line_door_however_that_is_written() {
        assert_eq!(source("calls.example:4433"), "https://calls.example:4433");
        assert_eq!(source("127.0.0.1:4433"), "https://127.0.0.1:4433");
        assert_eq!(source("[2001:db8::1]:4433"), "https://*:4433");
    }
}
