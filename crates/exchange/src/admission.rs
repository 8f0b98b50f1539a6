//! Who may try, and how often: rates, and the memory of sources that were refused.

use core::time::Duration;
use std::collections::HashMap;

use wire::Time;

use crate::api::SourceId;
use crate::limits;

/// One every `every`, `burst` at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Sustained interval.
    pub every: Duration,
    /// How many may come at once after a pause.
    pub burst: u32,
}

/// How much of a [`Rate`] is used up: the time at which all of it is free again (GCRA).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Meter(Time);

impl Meter {
    /// Takes one, if there is one.
    pub(crate) fn take(&mut self, now: Time, rate: Rate) -> bool {
        let free = self.allows(now, rate);
        if free {
            self.0 = self.0.max(now) + rate.every;
        }
        free
    }

    /// Whether there is one.
    pub(crate) fn allows(self, now: Time, rate: Rate) -> bool {
        self.0.since(now) <= rate.every * rate.burst.saturating_sub(1)
    }
}

/// Refused attempts and lines that have not said who they are, per source and altogether.
#[derive(Debug, Default)]
pub(crate) struct Admission {
    refused: Meter,
    sources: HashMap<SourceId, Source>,
    strangers: usize,
}

#[derive(Clone, Copy, Debug, Default)]
struct Source {
    refused: Meter,
    strangers: usize,
}

impl Admission {
    /// A line came up: may it stay until it says who it is?
    pub(crate) fn enter(&mut self, now: Time, source: SourceId) -> bool {
        if self.strangers >= limits::STRANGERS {
            return false;
        }
        if !self.sources.contains_key(&source) && self.sources.len() >= limits::SOURCES {
            self.forget(now);
            if self.sources.len() >= limits::SOURCES {
                return false;
            }
        }
        let entry = self.sources.entry(source).or_default();
        if entry.strangers >= limits::STRANGERS_PER_SOURCE {
            return false;
        }
        entry.strangers += 1;
        self.strangers += 1;
        true
    }

    /// The line said who it is, or is gone.
    pub(crate) fn leave(&mut self, source: SourceId) {
        self.strangers = self.strangers.saturating_sub(1);
        if let Some(entry) = self.sources.get_mut(&source) {
            entry.strangers = entry.strangers.saturating_sub(1);
        }
    }

    /// Whether an attempt from `source` is looked at.
    pub(crate) fn may_try(&self, now: Time, source: SourceId) -> bool {
        self.refused.allows(now, limits::REFUSED)
            && self
                .sources
                .get(&source)
                .is_none_or(|s| s.refused.allows(now, limits::REFUSED_PER_SOURCE))
    }

    /// An attempt from `source` was refused.
    pub(crate) fn was_refused(&mut self, now: Time, source: SourceId) {
        self.refused.take(now, limits::REFUSED);
        if let Some(entry) = self.sources.get_mut(&source) {
            entry.refused.take(now, limits::REFUSED_PER_SOURCE);
        }
    }

    /// Drops what no longer limits anybody.
    fn forget(&mut self, now: Time) {
        self.sources.retain(|_, s| s.strangers > 0 || s.refused.0 > now);
    }
}
