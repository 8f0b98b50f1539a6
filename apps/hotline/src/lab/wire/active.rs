//! Does a link move when somebody meddles with another one?
//!
//! ```text
//!  slots of A's way up:   pass  drop  delay  pass  delay ...   by the toss of a coin
//!  seen meanwhile on:     the partner's line, the trunk, a bystander's line
//! ```
//!
//! What was done in a slot is the label, what another link looked like then is the sample, and a line is a run.

use super::detect::{Effort, Finding, find as ask};
use super::features::{Sample, grids, sample};
use super::learn::Method;
use super::meddler::Meddling;
use super::partners::Partners;

/// The part of a slot that passes before it is looked at: what was on its way, and a delay.
const GUARD: i64 = 5;

/// Looked at with these.
pub(super) const METHODS: [Method; 3] = [Method::Logistic, Method::Forest, Method::Sequence];

fn samples(partners: &Partners, kind: Meddling, on: &str) -> Vec<Sample> {
    let (begin, slot) = partners.slots;
    let mut all = Vec::new();
    for (run, slots) in partners.meddled.iter().enumerate() {
        let beside = (run + 1) % partners.b.len();
        let link = match on {
            PARTNER => Some(&partners.b[run]),
            BYSTANDER => Some(&partners.b[beside]),
            _ => partners.trunk.as_ref(),
        };
        let Some(link) = link else { return all };
        let grids = grids(link);
        for (unit, what) in slots.iter().enumerate() {
            if *what == Meddling::Pass || *what == kind {
                let from = begin + slot * unit as i64 + slot / GUARD;
                let length = slot - slot / GUARD;
                all.push(sample(&grids, link.tick, from, length, (run, unit, *what == kind)));
            }
        }
    }
    all
}

const PARTNER: &str = "partner's line";
const BYSTANDER: &str = "bystander's line";
const TRUNK: &str = "trunk, all talking";

/// What the product's other links show.
pub(super) fn find(partners: &Partners, effort: Effort) -> Vec<Finding> {
    let links = [PARTNER, BYSTANDER, TRUNK];
    links.iter().flat_map(|on| on_link(partners, on, on, effort)).collect()
}

/// What the partner's line shows of a relay that forwards on arrival.
pub(super) fn find_on_relay(
    partners: &Partners,
    name: &'static str,
    effort: Effort,
) -> Vec<Finding> {
    on_link(partners, PARTNER, name, effort)
}

fn on_link(partners: &Partners, on: &str, name: &'static str, effort: Effort) -> Vec<Finding> {
    let mut found = Vec::new();
    for (kind, task) in
        [(Meddling::Drop, "dropped elsewhere | not"), (Meddling::Delay, "delayed elsewhere | not")]
    {
        let samples = samples(partners, kind, on);
        let seconds = (partners.slots.1 - partners.slots.1 / GUARD) as f64 / 1e9;
        let asked = METHODS.iter().filter_map(|m| ask(name, task, seconds, &samples, *m, effort));
        found.extend(asked);
    }
    found
}
