//! The adversary kit: a hand on a link, a handset that says what it likes, and mirror types with nothing private, which
//! make valid encodings of invalid meaning.

mod grip;
mod mirror;
mod rogue;

pub(crate) use grip::{Grip, down, trunk, up};
pub(crate) use mirror::{Credential, ForgedPackage, PrivateMessage, forged_card};
pub(crate) use rogue::{Rogue, return_card};
