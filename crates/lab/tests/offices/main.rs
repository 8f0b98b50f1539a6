//! Whole offices in virtual time: phones as they are, exchanges as they are, and everything that people,
//! networks, disks and strangers do to them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod agenda;
mod behalf;
mod calls;
mod cards;
mod devices;
mod faults;
mod kill;
mod lamps;
mod linetest;
mod manage;
mod night;
mod position;
mod precedence;
mod record;
mod rules;
mod shift;
mod support;
mod transfer;
mod wire;
