//! Small things that many screens are made of.

pub mod avatar;
pub mod banners;
pub mod confirm;
pub mod devices;
pub mod fields;
pub mod heading;
pub mod hours;
pub mod icon;
pub mod lock_form;
pub mod meter;
pub mod qr;
pub mod state;
pub mod urgency;
