//! The office's rules about its own lines, made by the operator: when a person's lines place calls to other offices and are rung from
//! there, and whose lines do neither, because staff arranges that person's calls.
//!
//! ```text
//!  own handset ─ Open{another exchange} ─► broken? ─ yes ─► Barred{rule, lifts}, Closed: no trunk is looked for
//!  trunk ─ Open ─► admitted? ─► broken? ─ yes ─► mailbox, as if nobody were here ─► Withheld, Deliver: a missed call
//! ```
//!
//! They are about the office's own people and nobody else: no contact stands in them, and another office is told nothing of them, in no
//! way. Calls within the office, mail and line tests are not asked about, so a switchboard of the office brings anybody into its calls.

use wire::limits::{LIFTS_MAX, NAME_MAX};
use wire::{Rule, Text, Wall};

use crate::api::{OfficeRule, Reply, RuleInfo};
use crate::lines::Principal;
use crate::machine::Exchange;
use crate::rows;
use crate::store::After;

impl OfficeRule {
    /// The rule that a call with another office breaks at a time of day.
    pub(crate) fn broken(&self, at: Wall) -> Option<Rule> {
        let closed = self.hours.is_some_and(|hours| !hours.is_open(at));
        self.staff.then_some(Rule::ThroughStaff).or(closed.then_some(Rule::Hours))
    }

    /// Whether it says anything.
    fn rules(&self) -> bool {
        self.staff || self.hours.is_some()
    }
}

impl Exchange {
    /// The rule that keeps a principal's lines from a call with another office now.
    pub(crate) fn barred(&self, principal: u32) -> Option<Rule> {
        self.principals.get(&principal)?.rule.as_ref()?.broken(self.wall)
    }

    /// Who can lift the rule of a principal; empty if there is none any more.
    pub(crate) fn lifts(&self, principal: u32) -> Text<LIFTS_MAX> {
        let rule = self.principals.get(&principal).and_then(|owner| owner.rule.as_ref());
        rule.map(|rule| rule.lifts.clone()).unwrap_or_default()
    }

    /// The operator makes a rule, in place of the one before, or lifts it. It holds for calls from now on.
    pub(crate) fn set_rule(&mut self, name: &Text<NAME_MAX>, rule: Option<OfficeRule>) -> bool {
        let Some((id, owner)) = self.principals.iter_mut().find(|(_, p)| p.name == *name) else {
            return false;
        };
        owner.rule = rule.filter(OfficeRule::rules);
        let key = rows::u32_key(*id);
        match &owner.rule {
            Some(rule) => self.store.put(rows::RULE, key, rows::rule(rule)),
            None => self.store.delete(rows::RULE, key),
        }
        true
    }

    /// All rules, in the order of names; once they are on disk.
    pub(crate) fn list_rules(&mut self, id: u64) {
        let info = |owner: &Principal| {
            let rule = owner.rule.clone()?;
            Some(RuleInfo { principal: owner.name.clone(), rule })
        };
        let mut rules: Vec<RuleInfo> = self.principals.values().filter_map(info).collect();
        rules.sort_by(|a, b| a.principal.as_str().cmp(b.principal.as_str()));
        self.store.then(After::Reply { id, reply: Reply::Rules(rules) });
    }
}
