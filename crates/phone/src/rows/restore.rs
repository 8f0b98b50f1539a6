//! Rows become a handset again: what each space's record was made from.
//!
//! A row that this program does not know, or of a later version, refuses all of them.

use core::time::Duration;

use call::night::{Hand, Service};
use record::Order;
use seal::group::Group;
use wire::rows::Row;
use wire::{Address, Blob, DecodeError};

use super::{
    AGENDA, AGENDA_VERSION, AWAY, AppointmentRow, AwayRow, CARD, CONTACT, CardRow, ContactRow,
    DELEGATION, DELEGATION_VERSION, DRAFT, DelegationRow, ENTRY, GRANT, GRANT_VERSION, GROUP,
    GrantRow, HELD, HISTORY, HeldRow, HistoryRow, LAMP, LAMP_VERSION, LampRow, MAIL,
    MANAGE_VERSION, MANAGED, MANAGER, MailRow, ManagedRow, ManagerRow, NIGHT, NIGHT_VERSION, NOTE,
    NightRow, NoteRow, OFFICE, OFFICE_VERSION, OWN, OfficeRow, POSITION, POSITION_VERSION,
    PositionRow, RECORD, REQUEST, RULES, RULES_VERSION, RecordRow, RequestRow, RulesRow, SHIFT,
    SHIFT_VERSION, ShiftRow, WARRANT, WITHDRAW, WarrantRow,
};
use crate::cards::Card;
use crate::contacts::Contact;
use crate::lamps::ContactLamp;
use crate::machine::{Phone, Task};

impl Phone {
    /// Takes one row back. Contacts come before their groups, everything else in any order.
    pub(crate) fn restore_row(&mut self, row: &Row) -> Result<(), String> {
        let text = |e: DecodeError| e.to_string();
        match row.space {
            OWN => {}
            CARD => {
                let card = Card { row: CardRow::decode(&row.value).map_err(text)? };
                self.cards.insert(number32(&row.key)?, card);
            }
            CONTACT => {
                let contact = Contact::new(ContactRow::decode(&row.value).map_err(text)?, None);
                self.contacts.insert(number32(&row.key)?, contact);
            }
            GROUP => {
                let group = Group::restore(&row.value, &self.device).map_err(|e| e.to_string())?;
                self.contact_of(row, "a group")?.group = Some(group);
            }
            RULES => {
                of_version(row, RULES_VERSION)?;
                let rules = RulesRow::decode(&row.value).map_err(text)?;
                self.contact_of(row, "rules")?.rules = rules;
            }
            GRANT => {
                of_version(row, GRANT_VERSION)?;
                let grant = GrantRow::decode(&row.value).map_err(text)?;
                self.contact_of(row, "a grant")?.grant = grant;
            }
            LAMP => {
                of_version(row, LAMP_VERSION)?;
                let lamp = LampRow::decode(&row.value).map_err(text)?;
                self.contact_of(row, "a lamp")?.lamp = ContactLamp::new(lamp);
            }
            AWAY => {
                of_version(row, LAMP_VERSION)?;
                self.away = AwayRow::decode(&row.value).map_err(text)?.away;
            }
            DELEGATION => {
                of_version(row, DELEGATION_VERSION)?;
                let delegation = DelegationRow::decode(&row.value).map_err(text)?;
                self.delegations.insert(number64(&row.key)?, delegation);
            }
            WARRANT => {
                of_version(row, DELEGATION_VERSION)?;
                let warrant = WarrantRow::decode(&row.value).map_err(text)?;
                self.warrants.insert(number32(&row.key)?, warrant);
            }
            MAIL => {
                let mail = MailRow::decode(&row.value).map_err(text)?;
                self.mail.insert(number64(&row.key)?, mail);
            }
            HISTORY => {
                let history = HistoryRow::decode(&row.value).map_err(text)?;
                self.history.insert(number64(&row.key)?, history.entry()?);
            }
            NOTE => {
                let note = NoteRow::decode(&row.value).map_err(text)?;
                self.notes.insert(number64(&row.key)?, note);
            }
            HELD => {
                let held = HeldRow::decode(&row.value).map_err(text)?;
                self.held.insert(number64(&row.key)?, held);
            }
            WITHDRAW => {
                let address = row.key.as_slice().try_into().map_err(|_| "no address")?;
                self.tasks.insert(Task::Withdraw(Address(address)));
            }
            RECORD => {
                let record = RecordRow::decode(&row.value).map_err(text)?;
                let order = record.order.as_ref().map(|order| Order::parse(order.as_bytes()));
                self.record.order = order.transpose().map_err(|e| e.to_string())?;
                self.record.row = record;
            }
            ENTRY => {
                let entry = Blob::new(row.value.clone()).map_err(text)?;
                self.record.entries.insert(number64(&row.key)?, entry);
            }
            DRAFT => {
                let (key, facts) = crate::record::decoded(&row.key, &row.value)?;
                self.record.drafts.insert(key, facts);
            }
            POSITION => {
                of_version(row, POSITION_VERSION)?;
                let row = PositionRow::decode(&row.value).map_err(text)?;
                let recall = Duration::from_secs(u64::from(row.recall));
                self.position.recall = row.on.then_some(recall);
            }
            NIGHT => {
                of_version(row, NIGHT_VERSION)?;
                let row = NightRow::decode(&row.value).map_err(text)?;
                let hand = row.hand.map(|on| Hand { on, since: row.since, until: row.until });
                self.night.service = Service { staffed: row.staffed, hand };
                (self.night.aloud, self.night.instead) = (row.aloud, row.instead);
            }
            OFFICE => {
                of_version(row, OFFICE_VERSION)?;
                self.office.lifts = OfficeRow::decode(&row.value).map_err(text)?.lifts;
            }
            MANAGED => {
                of_version(row, MANAGE_VERSION)?;
                let managed = ManagedRow::decode(&row.value).map_err(text)?;
                self.managing.done.insert(number64(&row.key)?, managed);
            }
            MANAGER => {
                of_version(row, MANAGE_VERSION)?;
                let last = ManagerRow::decode(&row.value).map_err(text)?.last;
                let (contact, device) = row.key.split_at_checked(4).ok_or("no contact")?;
                let device = device.try_into().map_err(|_| "no device")?;
                self.managing.last.insert((number32(contact)?, device), last);
            }
            REQUEST => {
                of_version(row, MANAGE_VERSION)?;
                let request = RequestRow::decode(&row.value).map_err(text)?;
                self.managing.requests.insert(number64(&row.key)?, request);
            }
            SHIFT => {
                of_version(row, SHIFT_VERSION)?;
                let shift = ShiftRow::decode(&row.value).map_err(text)?;
                self.restore_shift(&row.key, shift);
            }
            AGENDA => {
                of_version(row, AGENDA_VERSION)?;
                let row_of = AppointmentRow::decode(&row.value).map_err(text)?;
                self.agenda.restore(number32(&row.key)?, &row_of);
            }
            _ => return Err("a space that this program does not know".into()),
        }
        Ok(())
    }

    /// The contact that a row belongs to, which came before it.
    fn contact_of(&mut self, row: &Row, what: &str) -> Result<&mut Contact, String> {
        let contact = self.contacts.get_mut(&number32(&row.key)?);
        contact.ok_or_else(|| format!("{what} without a contact"))
    }

    /// What was asked for and not confirmed is asked for again.
    pub(crate) fn restore_tasks(&mut self) {
        let cards = self.cards.iter().filter(|(_, c)| c.is_issuing());
        self.tasks.extend(cards.map(|(id, _)| Task::Register(*id)));
        let redeeming = self.contacts.iter().filter(|(_, c)| c.is_redeeming());
        self.tasks.extend(redeeming.map(|(id, _)| Task::Redeem(*id)));
        let unbound = self.contacts.iter().filter(|(_, c)| c.row.unbound);
        self.tasks.extend(unbound.map(|(id, _)| Task::Bind(*id)));
        self.tasks.extend(self.record.entries.keys().map(|number| Task::Record(*number)));
        let mail = self.mail.iter().filter(|(_, m)| !m.waits);
        self.tasks.extend(mail.map(|(order, _)| Task::Post(*order)));
    }
}

/// A later version may have other fields.
fn of_version(row: &Row, version: u8) -> Result<(), String> {
    match row.value.first() {
        Some(first) if *first == version => Ok(()),
        _ => Err("a row of a later version: update this handset".into()),
    }
}

fn number32(key: &[u8]) -> Result<u32, String> {
    Ok(u32::from_be_bytes(key.try_into().map_err(|_| "a key of another length")?))
}

fn number64(key: &[u8]) -> Result<u64, String> {
    Ok(u64::from_be_bytes(key.try_into().map_err(|_| "a key of another length")?))
}
