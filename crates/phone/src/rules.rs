//! Rules for calls with a contact: the owner's, told to whom the owner trusts, and the contact's, as it told them.
//!
//! ```text
//!  SetRules ─► row ─► trusted? ── Rules ══ mail ══► the contact's handset keeps them: its calls are refused there, unsent
//!                └─► siblings
//!  Invite, Bring ─► broken? ─► no ring, history ─► trusted? ── Refused{rule} ══ leg ══► the call is over there, by that rule
//!                                                     └ no: nothing is said, as if nobody were here
//! ```
//!
//! What is decided is decided in [`call::broken`]. What the office's own exchange decides: `office.rs`. Rules of a call of more than two: `room/needs.rs`.

use call::contact::Progress;
use call::{Barred, Direction, End, Entry, Kind, Side};
use wire::limits::NAME_MAX;
use wire::talk::{ContactMessage, SiblingMessage};
use wire::{CallId, Hours, Leg, Precedence, Rule, Rules, Text, Wall};

use crate::command::InputError;
use crate::contacts::Contact;
use crate::event::Event;
use crate::machine::{Effect, Phone};
use crate::rows::{self, RulesRow};

/// The owner's rules for calls with a contact. They hold for calls of both. The default has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ContactRules {
    /// Only calls that this contact of the owner's arranges. Its name is told to the contact whose calls it arranges.
    pub staff: Option<u32>,
    /// When calls come about.
    pub hours: Option<Hours>,
    /// Only with an interpreter in the call.
    pub interpreter: bool,
    /// Only with a note-taker in the call.
    pub note_taker: bool,
    /// How urgent its calls may be at most, while the owner trusts it.
    pub precedence: Precedence,
}

/// A rule that kept a call from coming about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BarredView {
    /// Which rule, and whose.
    pub barred: Barred,
    /// Who can lift it, or arrange the call: names. For a rule of the office's, what its operator wrote; nobody, if that was never said.
    pub lifted_by: Vec<String>,
}

impl Phone {
    /// The owner's rules for a contact, as the owner set them.
    pub(crate) fn owners_rules(&self, contact: &Contact) -> ContactRules {
        let own = &contact.rules.own;
        ContactRules {
            staff: self.staff_number(contact),
            hours: own.hours,
            interpreter: own.interpreter,
            note_taker: own.note_taker,
            precedence: contact.grant.own,
        }
    }

    /// The owner makes rules.
    pub(crate) fn set_rules(
        &mut self,
        contact: u32,
        rules: ContactRules,
    ) -> Result<(), InputError> {
        if self.identity.is_none() {
            return Err(InputError::WrongState(
                "rules are made on your first handset, and hold on this one, too",
            ));
        }
        let record = self.contact_mut(contact)?;
        if !record.is_open() || record.row.sibling {
            return Err(InputError::WrongState("rules are for contacts that are accepted"));
        }
        let arranges = |c: &Contact| c.progress() == Progress::Accepted && !c.row.sibling;
        if let Some(staff) = rules.staff
            && (staff == contact || !self.contacts.get(&staff).is_some_and(arranges))
        {
            return Err(InputError::WrongState(
                "calls are arranged by another contact of yours, one that is accepted",
            ));
        }
        let record = self.contact_mut(contact)?;
        record.rules.staff = rules.staff.unwrap_or(0);
        record.rules.own = Rules {
            staff: rules.staff.map(|_| Text::default()),
            hours: rules.hours,
            interpreter: rules.interpreter,
            note_taker: rules.note_taker,
        };
        self.keep_rules(contact);
        self.share_rules(contact);
        self.grant(contact, rules.precedence);
        self.tell_rules();
        self.review_rooms();
        Ok(())
    }

    fn keep_rules(&mut self, contact: u32) {
        if let Some(record) = self.contacts.get(&contact) {
            self.desk.put(rows::RULES, rows::key32(contact), record.rules.encode());
        }
    }

    /// A contact is over: so are its rules.
    pub(crate) fn forget_rules(&mut self, contact: u32) {
        if let Some(record) = self.contacts.get_mut(&contact) {
            record.rules = RulesRow::none();
        }
        self.desk.delete(rows::RULES, rows::key32(contact));
        self.forget_grant(contact);
    }

    /// Tells each contact that may know them what has changed in the owner's rules.
    pub(crate) fn tell_rules(&mut self) {
        if self.identity.is_none() {
            return;
        }
        let accepted = |c: &Contact| c.progress() == Progress::Accepted && c.is_told();
        let due = self.contacts.iter().filter(|(_, c)| accepted(c)).filter_map(|(id, c)| {
            let rules = self.rules_for(c);
            (rules != c.rules.said).then_some((*id, rules))
        });
        for (contact, rules) in due.collect::<Vec<_>>() {
            let message = ContactMessage::Rules { rules: rules.clone() };
            // Without room for mail it is told when the line is next up.
            if self.mail_to(contact, &message).is_ok() {
                if let Some(record) = self.contacts.get_mut(&contact) {
                    record.rules.said = rules;
                }
                self.keep_rules(contact);
            }
        }
        self.tell_grants();
    }

    /// The owner's rules for a contact, as the contact is told them.
    fn rules_for(&self, contact: &Contact) -> Rules {
        let staff = self.staff_of(contact).map(|staff| staff.row.name.clone());
        let named = |_: &Text<NAME_MAX>| staff.unwrap_or_default();
        Rules { staff: contact.rules.own.staff.as_ref().map(named), ..contact.rules.own.clone() }
    }

    /// The contact who arranges calls with this one.
    fn staff_of(&self, contact: &Contact) -> Option<&Contact> {
        let staff = self.staff_number(contact)?;
        self.contacts.get(&staff).filter(|c| c.is_open())
    }

    /// This handset's number of whoever arranges calls with a contact, if they go through staff.
    pub(crate) fn staff_number(&self, contact: &Contact) -> Option<u32> {
        contact.rules.own.staff.as_ref()?;
        match self.identity {
            Some(_) => Some(contact.rules.staff),
            // The number of the first handset.
            None => self.shared_contact(contact.rules.staff),
        }
    }

    /// A contact told its rules.
    pub(crate) fn rules_came(&mut self, contact: u32, rules: Rules) {
        let Some(record) = self.contacts.get_mut(&contact).filter(|c| !c.row.sibling) else {
            return;
        };
        if record.rules.theirs != rules {
            record.rules.theirs = rules;
            self.keep_rules(contact);
            self.share_rules(contact);
        }
    }

    // ---- siblings ------------------------------------------------------------------------------

    /// Whether there is anything to share with a handset that has a contact for the first time.
    pub(crate) fn rules_message(&self, contact: u32) -> Option<SiblingMessage> {
        let rules = &self.contacts.get(&contact)?.rules;
        let (own, theirs) = (rules.own.clone(), rules.theirs.clone());
        Some(SiblingMessage::Rules { number: contact, staff: rules.staff, own, theirs })
    }

    /// The first handset shared rules.
    pub(crate) fn rules_shared(&mut self, contact: u32, staff: u32, own: Rules, theirs: Rules) {
        if let Some(record) = self.contacts.get_mut(&contact) {
            record.rules = RulesRow { staff, own, theirs, ..RulesRow::none() };
        }
        self.keep_rules(contact);
        self.review_rooms();
    }

    // ---- calls ---------------------------------------------------------------------------------

    /// The rule that keeps a call to a contact from being placed.
    pub(crate) fn barred(&self, contact: u32, kind: Kind) -> Option<Barred> {
        let (rules, at) = (&self.contacts.get(&contact)?.rules, self.wall());
        let of =
            |of: Side, rules: &Rules| call::broken(rules, kind, at).map(|rule| Barred { rule, of });
        of(Side::Own, &rules.own).or_else(|| of(Side::Theirs, &rules.theirs))
    }

    /// A call breaks a rule of the owner's: it does not ring. The contact learns of it only if it may.
    pub(crate) fn refuse(
        &mut self,
        contact: u32,
        leg: Leg,
        name: CallId,
        at: Wall,
        rule: Rule,
        tell: bool,
    ) {
        let word = tell.then_some(ContactMessage::Refused { call: name, rule });
        self.turn_away(contact, leg, word);
        if self.history.values().any(|h| h.call == name && h.contact == contact) {
            // Its caller opened another leg.
            return;
        }
        let end = End::ByRule(Barred { rule, of: Side::Own });
        self.record_unrung(contact, name, at, end, Precedence::Routine);
        let none = core::time::Duration::ZERO;
        self.keep_history(Entry::new(name, contact, Direction::Received, at, none, end));
        self.after(Effect::Tell(Event::RefusedByRule { contact, rule }));
        if tell && self.contacts.get(&contact).is_some_and(Contact::is_open) {
            // The caller's stock went with the call.
            self.restock(contact, false);
        }
    }

    /// The rules by which a call between two comes about, for the record.
    pub(crate) fn applied(&self, contact: u32, end: Option<End>) -> String {
        let hours = self.contacts.get(&contact).and_then(|c| c.rules.own.hours);
        match (end, hours) {
            (Some(End::ByRule(Barred { rule, of: Side::Office })), _) => {
                format!("refused by the office: {}", word(rule))
            }
            (Some(End::ByRule(barred)), _) => format!("refused: {}", word(barred.rule)),
            (_, Some(hours)) => format!("direct; hours {}", call::hours::words(&hours)),
            (_, None) => "direct".into(),
        }
    }

    /// A rule for the screen, with the names of those who can do something about it.
    pub(crate) fn barred_view(&self, contact: u32, end: End) -> Option<BarredView> {
        let End::ByRule(barred) = end else { return None };
        let record = self.contacts.get(&contact)?;
        if barred.of == Side::Office {
            let lifts = self.office.lifts.as_str();
            let lifted_by = Some(lifts).filter(|who| !who.is_empty()).map(str::to_owned);
            return Some(BarredView { barred, lifted_by: lifted_by.into_iter().collect() });
        }
        let staff = match (barred.rule, barred.of) {
            (Rule::ThroughStaff, Side::Own) => self.staff_of(record).map(|c| c.row.name.clone()),
            (Rule::ThroughStaff, Side::Theirs) => record.rules.theirs.staff.clone(),
            _ => None,
        };
        let owner = match barred.of {
            Side::Own | Side::Office => self.own.name.clone(),
            Side::Theirs => record.row.name.clone(),
        };
        let staff = staff.filter(|name| !name.as_str().is_empty());
        let names = staff.into_iter().chain([owner]).map(|name| name.as_str().to_owned());
        Some(BarredView { barred, lifted_by: names.collect() })
    }
}

/// A rule in words, for the record.
pub(crate) fn word(rule: Rule) -> &'static str {
    match rule {
        Rule::ThroughStaff => "through staff",
        Rule::Hours => "hours",
        Rule::Interpreter => "interpreter required",
        Rule::NoteTaker => "note-taker required",
    }
}
