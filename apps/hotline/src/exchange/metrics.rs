//! Metrics (Prometheus text format) and health, on a loopback port.
//!
//! ```text
//!  GET /metrics   counters and gauges; no name, address or key among them
//!  GET /health    200 "ok", or 503 and what is wrong
//! ```

use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use crate::web::http::{self, Body, Response, Service};

/// What the exchange loop last published.
#[derive(Clone, Debug, Default)]
pub struct Published {
    /// Name, help, whether it only rises, value.
    pub figures: Vec<(&'static str, &'static str, bool, f64)>,
    /// What is wrong, if something is.
    pub trouble: Option<String>,
}

/// Shared between the loop, which writes it each second, and the server.
pub type Shared = Arc<Mutex<Published>>;

/// Serves until the process ends.
///
/// # Errors
/// The port is taken, or not ours to take.
pub fn serve(listen: SocketAddr, shared: Shared) -> Result<SocketAddr, String> {
    let answer = move |request: &http::Request| {
        let published = shared.lock().map(|p| p.clone()).unwrap_or_default();
        let (status, body) = match request.path.as_str() {
            "/metrics" => (200, text(&published)),
            "/health" => match published.trouble {
                None => (200, "ok\n".into()),
                Some(what) => (503, format!("{what}\n")),
            },
            _ => (404, "there is /metrics and /health\n".into()),
        };
        let headers = vec![("Content-Type", "text/plain; version=0.0.4".into())];
        Response { status, headers, body: Body::Owned(body.into_bytes()) }
    };
    let service = Service {
        headers: vec![("X-Content-Type-Options", "nosniff".to_owned())].into(),
        handler: Arc::new(answer),
    };
    http::serve("metrics", listen, None, service).map_err(|e| {
        format!("cannot serve metrics on {listen}: {e}; choose another `metrics_listen`")
    })
}

fn text(published: &Published) -> String {
    let mut out = String::new();
    for (name, help, rises, value) in &published.figures {
        let kind = if *rises { "counter" } else { "gauge" };
        let _ = write!(out, "# HELP hotline_{name} {help}\n# TYPE hotline_{name} {kind}\n");
        let _ = writeln!(out, "hotline_{name} {value}");
    }
    out
}
