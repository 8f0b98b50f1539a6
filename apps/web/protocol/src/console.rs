//! A switchboard position: what is parked, who is rung again, and what is to be done when. Made from `phone::View`.
#![allow(
    missing_docs,
    reason = "fields are those of phone::ParkedView, CampView, OfficeLineView and Appointment, and documented there"
)]

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParkedView {
    pub reason: String,
    /// Milliseconds since 1970.
    pub since_ms: f64,
    pub recall_ms: f64,
    pub recalled: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CampView {
    pub contact: u32,
    /// Milliseconds since 1970.
    pub until_ms: f64,
    pub rings: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OfficeLineView {
    pub office: String,
    /// Milliseconds since 1970.
    pub at_ms: f64,
    pub works: Option<bool>,
    pub failing_ms: Option<f64>,
    pub lost_percent: Option<f32>,
    pub round_trip_ms: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Appointment {
    /// Milliseconds since 1970.
    pub at_ms: f64,
    pub agenda: String,
    pub people: Vec<u32>,
    pub language: String,
    /// Minutes east of UTC.
    pub here: i16,
    pub there: i16,
    pub note: String,
    /// Minutes before.
    pub remind: u16,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AppointmentView {
    pub id: u32,
    pub appointment: Appointment,
    pub due: bool,
}
