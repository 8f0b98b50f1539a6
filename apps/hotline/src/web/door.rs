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
use super::http::{Body, Handler, Request, Response};

/// The certificate in use, as the exchange's loop keeps it.
pub type Leaf = Arc<Mutex<Vec<u8>>>;

/// Makes the handler of a web door.
#[must_use]
pub fn handler(leaf: Leaf, line_host: &str, https: bool) -> Handler {
    let common = headers(line_host, https);
    let tags: Vec<String> = assets::ASSETS.iter().map(|asset| tag(asset.bytes)).collect();
    Arc::new(move |request| {
        let mut response = answer(request, &leaf, &tags);
        response.headers.extend(common.iter().cloned());
        response
    })
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
    if request.none_match.as_deref() == Some(tag) {
        return Response { status: 304, headers, body: Body::Static(b"") };
    }
    headers.push(("Content-Type", asset.kind.into()));
    let body = match asset.gzip.filter(|_| request.gzip) {
        Some(gzip) => {
            headers.push(("Content-Encoding", "gzip".into()));
            gzip
        }
        None => asset.bytes,
    };
    Response { status: 200, headers, body: Body::Static(body) }
}

fn tag(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    format!("\"{}\"", crate::exchange::folder::hex(&digest[..16]))
}

/// On every answer.
fn headers(line_host: &str, https: bool) -> Vec<(&'static str, String)> {
    let policy = format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data: blob:; \
         media-src 'self' blob:; font-src 'self'; manifest-src 'self'; worker-src 'self'; \
         connect-src 'self' https://{line_host}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let own = "microphone=(self), camera=(self), screen-wake-lock=(self), speaker-selection=(self), \
               publickey-credentials-create=(self), publickey-credentials-get=(self), \
               clipboard-write=(self), geolocation=(), payment=(), usb=(), display-capture=()";
    let mut headers = vec![
        ("Content-Security-Policy", policy),
        ("Permissions-Policy", own.into()),
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
