//! What `hotline bench` runs.

pub mod exchange;
