//! HTTP, as little of it as an exchange needs: the web handset's files, and metrics.
//!
//! ```text
//!  browser ── GET ──► http.rs (sockets, limits, tls.rs) ──► door.rs: files of assets.rs, /line, headers
//!  monitor ── GET ──► http.rs (loopback) ────────────────► exchange/metrics.rs
//! ```
//!
//! GET and HEAD only, nothing is ever read from a body, and everybody gets the same answer. It runs in threads of its own,
//! and the exchange's loop neither waits for it nor sees it.

pub mod assets;
pub mod door;
pub mod http;
pub mod tls;
