//! How tests of the lines to other offices go, for a switchboard position.
//!
//! ```text
//!  position on, attached, a contact more ─ Watch{its exchange} ═► own exchange ═► Tested ─► OfficeLine on the screen, and an alarm
//! ```
//!
//! Asked for only of exchanges of the owner's own contacts: there is nobody else whom the owner could call. What was heard last is
//! shown with its time, also while the line is down; an alarm comes once, and not again with each new line.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use call::contact::Progress;
use link::Channel;
use wire::line::{LineUp, TestVerdict};
use wire::{ExchangePub, Wall};

use crate::contacts::Contact;
use crate::event::Event;
use crate::machine::Phone;

/// What is known of tests.
#[derive(Default)]
pub(crate) struct Watch {
    /// Asked for on this line.
    asked: BTreeSet<ExchangePub>,
    heard: BTreeMap<ExchangePub, Tested>,
}

/// The newest test of the line to one exchange.
#[derive(Clone, Copy)]
pub(crate) struct Tested {
    pub(crate) at: Wall,
    pub(crate) verdict: TestVerdict,
    pub(crate) failing: Wall,
    pub(crate) sent: u16,
    pub(crate) lost: u16,
    pub(crate) round_trip_us: u32,
}

/// The line to another office, on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfficeLineView {
    /// The office, as its people's cards say.
    pub office: String,
    /// When it was tested last.
    pub at: Wall,
    /// Whether a call would have gone well; `None`: the test gave way to one.
    pub works: Option<bool>,
    /// Since when it fails: two tests in a row, or more, did.
    pub failing: Option<Wall>,
    /// Frames of 20 ms that were lost, per thousand; `None` if nothing was measured.
    pub lost: Option<u16>,
    /// Round trip of half of the frames, at most; `None` if nothing was measured.
    pub round_trip: Option<Duration>,
}

impl Phone {
    /// Asks for what is not asked for yet, if this handset is a position.
    pub(crate) fn watch_lines(&mut self) {
        if self.position.recall.is_none() || !self.attached() {
            return;
        }
        let own = self.own.exchange;
        let elsewhere =
            |c: &&Contact| c.progress() == Progress::Accepted && Some(c.row.exchange.key) != own;
        let known = self.contacts.values().filter(elsewhere).map(|c| c.row.exchange.key);
        let missing: BTreeSet<ExchangePub> =
            known.filter(|key| !self.watch.asked.contains(key)).collect();
        for exchange in missing {
            self.watch.asked.insert(exchange);
            self.send(Channel::Bulk, &LineUp::Watch { exchange });
        }
    }

    /// A line that was down, or is new: all is asked for again.
    pub(crate) fn watch_anew(&mut self) {
        self.watch.asked.clear();
        self.watch_lines();
    }

    /// The exchange tells how a test went.
    pub(crate) fn tested(&mut self, exchange: ExchangePub, tested: Tested) {
        if !self.watch.asked.contains(&exchange) {
            self.dropped += 1;
            return;
        }
        let fails = |tested: &Tested| tested.failing != Wall::default();
        let before = self.watch.heard.insert(exchange, tested).is_some_and(|t| fails(&t));
        if before != fails(&tested)
            && let Some((contact, _)) = self.contact_there(exchange)
        {
            self.tell(Event::OfficeLine { contact, fails: !before });
        }
    }

    fn contact_there(&self, exchange: ExchangePub) -> Option<(u32, &Contact)> {
        let there = self.contacts.iter().find(|(_, c)| c.row.exchange.key == exchange);
        there.map(|(id, contact)| (*id, contact))
    }

    pub(crate) fn office_lines(&self) -> Vec<OfficeLineView> {
        if self.position.recall.is_none() {
            return Vec::new();
        }
        let line = |(exchange, t): (&ExchangePub, &Tested)| {
            let measured = t.sent > 0;
            let lost = u32::from(t.lost.min(t.sent)) * 1_000 / u32::from(t.sent.max(1));
            Some(OfficeLineView {
                office: self.contact_there(*exchange)?.1.row.office.as_str().to_owned(),
                at: t.at,
                works: match t.verdict {
                    TestVerdict::Works => Some(true),
                    TestVerdict::Fails => Some(false),
                    TestVerdict::Unsure => None,
                },
                failing: (t.failing != Wall::default()).then_some(t.failing),
                lost: measured.then(|| u16::try_from(lost).unwrap_or(u16::MAX)),
                round_trip: measured.then(|| Duration::from_micros(t.round_trip_us.into())),
            })
        };
        self.watch.heard.iter().filter_map(line).collect()
    }
}
