//! Attacks, each by a named adversary: what he tries, and what the people see. `docs/attacks.md` has the table, with
//! the defence of each and how the test was seen to fail without it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod chaos;
mod impostor;
mod kit;
mod lamps;
mod member;
mod other_exchange;
mod own_exchange;
mod rules;
#[path = "../arranged/staff.rs"]
#[allow(dead_code, reason = "shared with the arranged calls")]
mod staff;
#[path = "../offices/support.rs"]
#[allow(dead_code, reason = "shared with the offices")]
mod support;
mod thief;
mod voice;
