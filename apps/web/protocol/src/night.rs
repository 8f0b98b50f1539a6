//! Night service. Made from `phone::NightView`; see there for what each field means.
#![allow(
    missing_docs,
    reason = "fields are those of phone::NightView, NightThere and wire::Hours, and documented there"
)]

use serde::{Deserialize, Serialize};

use crate::view::Precedence;

/// Hours of certain days of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    /// Bit 0 is Monday.
    pub days: u8,
    /// Minutes of the day.
    pub from: u16,
    pub until: u16,
    /// Minutes east of UTC.
    pub east: i16,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NightView {
    /// It is on. Milliseconds since 1970.
    pub since_ms: Option<f64>,
    pub until_ms: Option<f64>,
    pub rules: NightRules,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NightRules {
    pub staffed: Option<Hours>,
    pub aloud: Option<Precedence>,
    pub instead: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NightThere {
    /// Milliseconds since 1970.
    pub until_ms: Option<f64>,
    /// Empty if nobody was named.
    pub instead: String,
}
