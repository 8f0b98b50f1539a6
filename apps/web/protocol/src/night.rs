//! Night service. Made from `phone::NightView`; see there for what each field means.
#![allow(
    missing_docs,
    reason = "fields are those of phone::NightView and NightThere, and documented there"
)]

use serde::{Deserialize, Serialize};

use crate::rules::Hours;
use crate::view::Precedence;

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
