//! `hotline exchange`: an office's exchange as a process.

pub mod command;
pub mod control;
mod figures;
pub mod folder;
pub mod host;
pub mod metrics;
pub(crate) mod operator;
mod rules;
pub mod settings;
mod trunks;
