//! The lab: what tests need to run whole offices in virtual time from one seed. Never part of a product.

pub mod middle;
pub mod net;
pub mod office;
pub mod party;
pub mod world;
