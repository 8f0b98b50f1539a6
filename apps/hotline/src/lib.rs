//! The `hotline` program: sockets, files, sound and screens around the machines of `crates/`.
//!
//! ```text
//!  cli ── exchange  one exchange on real sockets      net    QUIC on the clock
//!      ├─ phone     one handset, with a screen or not store  rows on disk
//!      ├─ demo      two offices and a call            score  speech heard against speech said
//!      ├─ bench     figures of this machine           host   clocks, logs, hardening
//!      └─ probe     whether answers tell by their time
//!                                                   web    the web handset's files, over HTTP
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod bench;
pub mod cli;
pub mod demo;
pub mod exchange;
pub mod host;
pub mod net;
pub mod phone;
pub mod probe;
pub mod score;
pub mod store;
pub mod web;
