//! How tests of a trunk go, told to the lines of attendants who watch it.
//!
//! ```text
//!  handset ─ Watch{exchange} ─► noted ─► Tested: the newest result, if there is one; then each, as it comes
//! ```
//!
//! A handset names the exchange itself, from a card that its owner has, so that nobody is told with whom else the office has to
//! do. Of an exchange to which there is no trunk nothing is said. What is noted ends with the line.

use wire::ExchangePub;
use wire::line::{LineDown, TestVerdict};

use crate::limits;
use crate::machine::Exchange;
use crate::ports::PortId;
use crate::quality::Outcome;
use crate::trunks::Peer;

impl Exchange {
    /// A line wants to know.
    pub(crate) fn watch(&mut self, id: PortId, exchange: ExchangePub) {
        let Some(line) = self.ports.get_mut(id).and_then(|port| port.line_mut()) else { return };
        let full = line.watches.len() >= limits::WATCHES_PER_LINE;
        if line.watches.contains(&exchange) || full {
            return;
        }
        line.watches.insert(exchange);
        if let Some(tested) = self.peers.get(&exchange).and_then(|peer| tested(exchange, peer)) {
            self.tell(id, &tested);
        }
    }

    /// A test is over: whoever watches that trunk is told.
    pub(crate) fn tell_watchers(&mut self, exchange: &ExchangePub) {
        let Some(tested) = self.peers.get(exchange).and_then(|peer| tested(*exchange, peer)) else {
            return;
        };
        for id in self.ports.ids() {
            let line = self.ports.get_mut(id).and_then(|port| port.line_mut());
            if line.is_some_and(|line| line.watches.contains(exchange)) {
                self.tell(id, &tested);
            }
        }
    }
}

/// The newest result of a trunk, as handsets are told.
fn tested(exchange: ExchangePub, peer: &Peer) -> Option<LineDown> {
    let result = peer.tests.results.back()?;
    let verdict = match result.outcome.works() {
        Some(true) => TestVerdict::Works,
        Some(false) => TestVerdict::Fails,
        None => TestVerdict::Unsure,
    };
    let (sent, lost, round_trip_us) = match result.outcome {
        Outcome::Measured(figures) => (figures.sent, figures.lost(), figures.round_trip_p50_us),
        _ => (0, 0, 0),
    };
    let failing = peer.tests.failing().unwrap_or_default();
    Some(LineDown::Tested { exchange, at: result.at, verdict, failing, sent, lost, round_trip_us })
}
