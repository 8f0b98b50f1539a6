//! Calls that attendants arrange: two offices in virtual time, each with an attendant, a principal, and whoever
//! is brought along.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod faults;
mod office;
mod people;
mod precedence;
mod record;
mod rules;
mod staff;
#[path = "../offices/support.rs"]
#[allow(dead_code, reason = "shared with the calls between two")]
mod support;
mod whole;
