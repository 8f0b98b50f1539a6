//! The frame around stored state: says what it is, whose it is, and notices damage.
//!
//! ```text
//!   "HLS" | kind u8 | version u8 = 1 | device key 32 | body | SHA-256 of everything before
//! ```
//!
//! Secret: it belongs into the vault, which authenticates it. The hash is for damage, not for forgery.

use sha2::{Digest as _, Sha256};
use wire::Writer;
use zeroize::Zeroizing;

use super::SnapshotError;
use crate::identity::DevicePub;

const MAGIC: &[u8; 3] = b"HLS";
const VERSION: u8 = 1;
const HEAD: usize = 3 + 1 + 1 + 32;
const HASH: usize = 32;

/// What a snapshot is of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Group = 1,
    KeyPackages = 2,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Group => "a group",
            Kind::KeyPackages => "key packages",
        }
    }
}

pub(super) fn wrap(kind: Kind, device: DevicePub, body: Writer) -> Zeroizing<Vec<u8>> {
    let body = Zeroizing::new(body.finish());
    let mut out = Zeroizing::new(Vec::with_capacity(HEAD + body.len() + HASH));
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&[kind as u8, VERSION]);
    out.extend_from_slice(&device.0);
    out.extend_from_slice(&body);
    let hash = Sha256::digest(&out[..]);
    out.extend_from_slice(&hash);
    out
}

pub(super) fn unwrap(kind: Kind, device: DevicePub, bytes: &[u8]) -> Result<&[u8], SnapshotError> {
    let foreign = SnapshotError::Foreign(kind.name());
    if bytes.get(..3) != Some(MAGIC) || bytes.get(3) != Some(&(kind as u8)) {
        return Err(foreign);
    }
    match bytes.get(4) {
        Some(&VERSION) => {}
        Some(other) => return Err(SnapshotError::Version(*other)),
        None => return Err(SnapshotError::Damaged),
    }
    let end = bytes.len().checked_sub(HASH).filter(|end| *end >= HEAD);
    let (content, hash) = bytes.split_at(end.ok_or(SnapshotError::Damaged)?);
    if Sha256::digest(content).as_slice() != hash {
        return Err(SnapshotError::Damaged);
    }
    if content[5..HEAD] != device.0 {
        return Err(SnapshotError::OtherDevice);
    }
    Ok(&content[HEAD..])
}

/// `bytes` with the hash put right.
#[cfg(feature = "fuzz")]
pub(super) fn rehashed(bytes: &[u8]) -> Vec<u8> {
    let content = &bytes[..bytes.len().saturating_sub(HASH)];
    [content, &Sha256::digest(content)].concat()
}
