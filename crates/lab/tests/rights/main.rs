//! What an attendant may do for a principal: answer her calls, be asked first, come into her calls. Paula gives these rights to Ada; Boris, of another office,
//! calls Paula.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod join;
mod people;
mod receive;
mod record;
mod screen;
#[path = "../offices/support.rs"]
#[allow(dead_code, reason = "shared with the calls between two")]
mod support;
mod vanish;
