//! What is said aside: to the handsets of this office that are here now, and kept nowhere.
//!
//! ```text
//!  handset ─ Aside{envelope} ─► by the key that the address is bound to? ─ Aside{address, body} ─► lines of its owner that are up
//!                                  └ no, or nobody is here, or too much waits: nothing
//! ```
//!
//! Nothing is written down and nothing is answered, so whoever says it learns nothing of the address. There is none on trunks:
//! what people of an office are doing is for that office.

use link::Channel;
use wire::Envelope;
use wire::line::LineDown;

use crate::addresses::State;
use crate::limits;
use crate::machine::Exchange;
use crate::ports::PortId;
use crate::verify;

impl Exchange {
    pub(crate) fn aside(&mut self, id: PortId, envelope: &Envelope) {
        let now = self.now;
        let line = self.ports.get_mut(id).and_then(|port| port.line_mut());
        if !line.is_some_and(|line| line.asides.take(now, limits::ASIDES_PER_LINE)) {
            return;
        }
        let owner = self.addresses.get(&envelope.address);
        let (key, owner) = match owner.map(|entry| (&entry.state, entry.principal)) {
            Some((State::Bound { key }, owner)) => (*key, Some(owner)),
            _ => (verify::NOBODY, None),
        };
        let genuine = verify::envelope(&key, envelope);
        // Mail and rings count from 1: neither can be said aside by somebody who saw it, nor this be posted.
        let (true, true, Some(owner)) = (genuine, envelope.counter == 0, owner) else {
            self.metrics.envelopes_dropped += 1;
            return;
        };
        for id in self.lines_of(owner).into_iter().flatten() {
            let free = |port: &crate::ports::Port| {
                port.link.backlog(Channel::Bulk) <= limits::ASIDE_BACKLOG
            };
            if self.ports.get(id).is_some_and(free) {
                let (address, body) = (envelope.address, envelope.body.clone());
                self.tell(id, &LineDown::Aside { address, body });
            }
        }
    }
}
