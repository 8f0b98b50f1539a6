//! Calls and a position that go from one handset of a person to another. Made from `phone::View`.
#![allow(
    missing_docs,
    reason = "fields are those of phone::OfferView, ElsewhereView and MovingView, and documented there"
)]

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferView {
    pub id: u32,
    pub from: u32,
    pub contact: u32,
    pub held: bool,
    pub reason: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ElsewhereView {
    pub id: u32,
    pub on: u32,
    pub contact: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovingView {
    pub to: u32,
    pub closed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ShiftStage {
    Offered,
    UnderWay,
    Over,
    NotTaken,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShiftView {
    pub with: u32,
    pub stage: ShiftStage,
    pub note: String,
    pub appointments: (usize, usize),
    pub left: Vec<u32>,
    pub calls: usize,
    pub parked: Vec<u32>,
}
