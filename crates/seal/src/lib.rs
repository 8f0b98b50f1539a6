//! Everything that proves and protects: identities, cards, MLS groups, voice keys, the sealed store.
//!
//! ```text
//!   IdentityKey ── admits ──► Device ── key package ──► Group (MLS, X-Wing) ── exporter ──► EpochKeys
//!       │ signs                                          │ authenticator                      │
//!       ▼                                                ▼                                    ▼
//!     Card (QR, link)                                  safety words                 Sealer / Opener (SFrame)
//! ```
//!
//! No cryptography of its own: openmls and libcrux (RFC 9420), sframe (RFC 9605), ed25519-dalek (RFC 8032),
//! argon2 (RFC 9106), chacha20poly1305, hkdf and sha2. What this crate adds is *order*: unverified and
//! verified are different types, and only a verifier makes the second.
//!
//! Time and randomness come in as arguments. The one exception is MLS: openmls draws its own randomness and
//! stamps past secrets with the system clock. Nothing is decided by that clock (see module `group`).
//!
//! Without the feature `groups` (on by default) only signatures remain: [`pairwise`] and [`office`]. That is
//! what an exchange links, so it cannot hold a content key.
#![cfg_attr(test, allow(clippy::unwrap_used))]

#[cfg(feature = "groups")]
pub mod card;
#[cfg(feature = "groups")]
pub mod delegation;
#[cfg(feature = "fuzz")]
pub mod fuzz;
#[cfg(feature = "groups")]
pub mod group;
#[cfg(feature = "groups")]
pub mod identity;
pub mod office;
pub mod pairwise;
#[cfg(feature = "groups")]
pub mod replay;
#[cfg(feature = "groups")]
pub mod sframe;
mod sig;
#[cfg(feature = "groups")]
pub mod vault;
#[cfg(all(test, feature = "groups"))]
mod vectors;
#[cfg(feature = "groups")]
pub mod words;

pub use wire::Wall;
