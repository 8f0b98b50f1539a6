//! Whole offices in virtual time: exchanges, fake handsets built on `link`, a disk that can fail or die.
#![allow(clippy::unwrap_used)]

mod adversary;
mod aside;
mod calls;
mod crash;
mod lines;
mod linetest;
mod mail;
mod office;
mod probing;
mod record;
mod trunks;
mod uniform;
mod world;
