//! The office's rules about its own lines, as the own exchange applies them. The exchange alone decides; this handset says what was
//! decided, and whom to ask.
//!
//! ```text
//!  Open ─► Barred{rule, lifts} ─► the call is over, by that rule, and its keys are kept for the next one
//!  Withheld{seq, rule, lifts}, Deliver{seq, invitation} ─► a missed call, with the rule; nothing is said to anybody
//! ```

use call::{Barred, Direction, End, Side};
use wire::limits::LIFTS_MAX;
use wire::{CallId, Leg, Rule, Text};

use crate::machine::Phone;
use crate::ring::Stage;
use crate::rows::{self, OfficeRow};

/// What the exchange said of the office's rules.
#[derive(Default)]
pub(crate) struct Office {
    /// Who can lift them, as it was said last.
    pub(crate) lifts: Text<LIFTS_MAX>,
    /// Of the mail that comes next: its number, and the rule that made it of a ring.
    next: Option<(u64, Rule)>,
    /// The same of the mail that is being looked at.
    now: Option<Rule>,
}

/// That a rule of the office's ended it.
fn ended(rule: Rule) -> End {
    End::ByRule(Barred { rule, of: Side::Office })
}

impl Phone {
    fn keep_lifts(&mut self, lifts: Text<LIFTS_MAX>) {
        if !lifts.as_str().is_empty() && lifts != self.office.lifts {
            self.desk.put(rows::OFFICE, Vec::new(), OfficeRow::new(lifts.clone()).encode());
            self.office.lifts = lifts;
        }
    }

    /// The exchange does not place the call on `leg`.
    pub(crate) fn barred_there(&mut self, leg: Leg, rule: Rule, lifts: Text<LIFTS_MAX>) {
        self.keep_lifts(lifts);
        if let Some(id) = self.bringing_on(leg) {
            return self.bringing_barred(id, leg, ended(rule));
        }
        let Some(id) = self.call_on(leg) else { return };
        self.spare_keys(id);
        self.end_call(id, ended(rule));
    }

    /// Nobody saw the call: its keys are as good as before, and go with their name to the next one.
    fn spare_keys(&mut self, id: u32) {
        let fresh = CallId(self.random());
        let Some(call) = self.calls.get_mut(&id) else { return };
        let unseen = matches!(call.stage, Stage::Outgoing(_)) && call.arriving.is_none();
        if !unseen || call.direction != Direction::Placed || call.keyed.is_empty() {
            return;
        }
        let (contact, keyed) = (call.contact, core::mem::take(&mut call.keyed));
        let name = core::mem::replace(&mut call.name, fresh);
        self.record_renamed(contact, name, fresh);
        if let Some(record) = self.contacts.get_mut(&contact) {
            record.stock.prepared.get_or_insert((name, keyed));
        }
    }

    /// The exchange says of the mail that comes next which rule made it of a ring.
    pub(crate) fn withheld(&mut self, seq: u64, rule: Rule, lifts: Text<LIFTS_MAX>) {
        self.keep_lifts(lifts);
        self.office.next = Some((seq, rule));
    }

    /// Mail of that number is looked at from here on; `None`: no longer.
    pub(crate) fn looks_at(&mut self, mail: Option<u64>) {
        let next = self.office.next.take();
        self.office.now = next.filter(|(seq, _)| Some(*seq) == mail).map(|(_, rule)| rule);
    }

    /// Why a call was missed that comes as mail.
    pub(crate) fn missed_by(&self) -> End {
        self.office.now.map_or(End::Missed, ended)
    }
}
