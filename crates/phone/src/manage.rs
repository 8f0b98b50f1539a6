//! An attendant manages the principal's contacts, by a delegation with that right. This is the principal's side, on the first handset; the
//! attendant's is [`asks`].
//!
//! ```text
//!  Manage{number, ask} ─► by mail? number above the last? right in force? ─┬─ no ─► nothing, or Refused
//!                                                                           ├─ rename, revoke ─► done ─► row ── Managed
//!                                                                           └─ card, redeem ─► row, open ─► the exchange's word ─► row ── Managed
//! ```
//!
//! What is done, the row that says who did it, the number that is used up and the answer are one batch. The right is looked at with each request
//! and again before a card is given out. See docs/decisions/0064.

use core::time::Duration;
use std::collections::BTreeMap;

use call::contact::{Card as CardIs, Progress};
use seal::card::{Kind, UnverifiedCard, is_name};
use seal::delegation::Rights;
use seal::group::Bucket;
use seal::identity::VerifiedDevice;
use wire::limits::{CARD_MAX, MANAGED_MAX, NAME_MAX};
use wire::manage::{Listed, ManageAnswer, ManageAsk, ManageRefusal as No, Standing};
use wire::talk::ContactMessage;
use wire::{Blob, Text, Time, Wall};

use crate::behalf::DelegationState;
use crate::command::InputError;
use crate::contacts::Contact;
use crate::event::Event;
use crate::machine::{Effect, Phone};
use crate::mail::{Way, blob};
use crate::rows::{self, ManagedRow, ManagerRow, RequestRow};

pub(crate) mod asks;

/// How long a card can be redeemed that an attendant asked for.
const CARD_TTL: Duration = Duration::from_secs(7 * 86_400);
/// Requests of one attendant that wait for the exchange.
const OPEN_MAX: usize = 8;
/// Cards of one attendant that nobody has redeemed.
const CARDS_MAX: usize = 20;
/// Changes by one attendant within a day.
const DAILY_MAX: usize = 100;
const DAY: u64 = 86_400;
/// Most changes that are remembered; the oldest gives way.
const KEPT_MAX: usize = 500;
/// How long until an answer is tried again for which there was no room.
const AGAIN: Duration = Duration::from_secs(60);
/// As long as any other of them, whatever it is.
const BUCKET: Bucket = Bucket::Medium;

/// What attendants did, and what this handset's owner asked of principals.
#[derive(Default)]
pub(crate) struct Managing {
    pub(crate) done: BTreeMap<u64, ManagedRow>,
    /// The last number of an attendant's device.
    pub(crate) last: BTreeMap<(u32, [u8; 32]), u64>,
    pub(crate) requests: BTreeMap<u64, RequestRow>,
    pub(crate) lists: BTreeMap<u32, (Vec<Listed>, bool)>,
    again: Option<Time>,
}

/// A change of the owner's contacts that an attendant made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManagedView {
    /// Who: the owner's number of that contact.
    pub contact: u32,
    /// Its name when it did it.
    pub by: String,
    /// When.
    pub at: Wall,
    /// What.
    pub what: ManagedWhat,
    /// For, or about, whom.
    pub subject: String,
    /// How it stands.
    pub state: ManagedState,
}

/// What an attendant did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ManagedWhat {
    /// Made a card.
    Card,
    /// Used a card.
    Redeemed,
    /// Renamed a contact.
    Renamed {
        /// Its name before.
        before: String,
    },
    /// Withdrew a contact.
    Revoked,
}

/// How a change stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ManagedState {
    /// It waits for the exchange.
    Open,
    /// Done.
    Done,
    /// It came to nothing.
    Refused,
}

/// Codes of [`ManagedRow::what`].
const CARD: u8 = 1;
const REDEEM: u8 = 2;
const RENAME: u8 = 3;
const REVOKE: u8 = 4;
/// Codes of [`ManagedRow::state`].
const OPEN: u8 = 0;
const DONE: u8 = 1;
const REFUSED: u8 = 2;

/// A change that is being made.
struct Change {
    what: u8,
    subject: Text<NAME_MAX>,
    before: Text<NAME_MAX>,
    /// The card or contact.
    thing: u32,
    state: u8,
}

impl Phone {
    /// Whether a contact may manage the owner's contacts, now.
    fn manages(&self, contact: u32) -> bool {
        let open = |c: &Contact| {
            let known = c.keys().deserve_trust() && !c.row.blocked && !c.row.sibling;
            c.progress() == Progress::Accepted && known
        };
        self.is_delegate(contact, Rights::MANAGE) && self.contacts.get(&contact).is_some_and(open)
    }

    /// Whether a delegation with these rights is in force for a contact.
    fn is_delegate(&self, contact: u32, rights: Rights) -> bool {
        let now = self.wall();
        self.delegations.values().any(|row| {
            row.contact == contact
                && row.state(now) == DelegationState::InForce
                && Rights(row.rights).hold(rights)
        })
    }

    /// An attendant asks.
    pub(crate) fn manage_asked(
        &mut self,
        contact: u32,
        from: VerifiedDevice,
        number: u64,
        ask: &[u8],
        way: Way,
    ) {
        if self.identity.is_none() {
            // The first handset does it.
            return;
        }
        let device = from.device().0;
        let known = self.delegations.values().any(|row| row.contact == contact);
        let last = self.managing.last.get(&(contact, device)).copied().unwrap_or(0);
        // Whoever never had a delegation is told nothing; a number counts once.
        if !matches!(way, Way::Mail(_)) || !known || number <= last {
            self.dropped += 1;
            return;
        }
        self.managing.last.insert((contact, device), number);
        let key = manager_key(contact, &device);
        self.desk.put(rows::MANAGER, key, ManagerRow::new(number).encode());
        if let Some(answer) = self.manage(contact, device, number, ask) {
            // Without room for mail it is not answered; what was done stands in the rows.
            let _ = self.say_managed(contact, device, number, &answer);
        }
    }

    /// Does it; `None`: it is answered when the exchange has had its say.
    fn manage(
        &mut self,
        contact: u32,
        device: [u8; 32],
        number: u64,
        ask: &[u8],
    ) -> Option<ManageAnswer> {
        let refused = |why| Some(ManageAnswer::Refused { why });
        if !self.manages(contact) {
            return refused(No::NoRight);
        }
        let Ok(ask) = ManageAsk::decode(ask) else { return refused(No::NotUnderstood) };
        if let ManageAsk::List { after } = ask {
            return Some(self.list_contacts(after));
        }
        if self.is_at_limit(contact, matches!(ask, ManageAsk::Card { .. })) {
            return refused(No::Limit);
        }
        let change = match ask {
            ManageAsk::List { .. } => return None,
            ManageAsk::Card { name } => self.make_managed_card(name),
            ManageAsk::Redeem { card } => self.redeem_managed(&card),
            ManageAsk::Rename { contact: of, name } => self.rename_managed(contact, of, name),
            ManageAsk::Revoke { contact: of } => self.revoke_managed(contact, of),
        };
        match change {
            Err(why) => refused(why),
            Ok(change) => {
                let done = change.state == DONE;
                self.keep_managed(contact, device, number, change);
                done.then_some(ManageAnswer::Done {})
            }
        }
    }

    fn is_at_limit(&self, contact: u32, card: bool) -> bool {
        let since = self.wall().0.saturating_sub(DAY);
        let by = || self.managing.done.values().filter(|row| row.contact == contact);
        let open = by().filter(|row| row.state == OPEN).count();
        let today = by().filter(|row| row.at.0 > since).count();
        let out = |row: &&ManagedRow| {
            let card = self.cards.get(&row.thing).filter(|_| row.what == CARD);
            card.is_some_and(|card| {
                self.wall() < card.row.expiry
                    && matches!(card.state(), CardIs::Issuing | CardIs::Issued)
            })
        };
        open >= OPEN_MAX || today >= DAILY_MAX || (card && by().filter(out).count() >= CARDS_MAX)
    }

    /// Contacts above a number. Handsets of the owner's are none of them.
    fn list_contacts(&self, after: u32) -> ManageAnswer {
        let above = self.contacts.iter().filter(|(id, c)| **id > after && !c.row.sibling);
        let (list, whole) = wire::manage::list(above.map(|(id, c)| Listed {
            number: *id,
            name: c.row.name.clone(),
            office: c.row.office.clone(),
            standing: match c.progress() {
                Progress::Redeeming => Standing::Redeeming,
                Progress::Redeemed => Standing::Redeemed,
                Progress::Accepted => Standing::Accepted,
                Progress::Refused => Standing::Refused,
                Progress::Revoked => Standing::Revoked,
                Progress::Gone => Standing::Gone,
            },
        }));
        ManageAnswer::Contacts { list, more: !whole }
    }

    fn make_managed_card(&mut self, name: Text<NAME_MAX>) -> Result<Change, No> {
        let name = proper(name)?;
        // Never as handed over in person: the owner's hand was not in it.
        self.issue_card(name.as_str().to_owned(), false, Kind::Contact, CARD_TTL)
            .map_err(|_| No::Limit)?;
        let card = self.cards.last_key_value().map_or(0, |(card, _)| *card);
        Ok(Change { what: CARD, subject: name, before: Text::default(), thing: card, state: OPEN })
    }

    fn redeem_managed(&mut self, card: &Blob<CARD_MAX>) -> Result<Change, No> {
        let card = UnverifiedCard::from_bytes(card.as_bytes()).map_err(|_| No::NotValid)?;
        let link = card.to_link();
        let verified = card.verify(self.wall()).map_err(|_| No::NotValid)?;
        if verified.fields().kind != Kind::Contact {
            // A further handset of the owner's is linked by the owner.
            return Err(No::NotYours);
        }
        let subject = verified.fields().name.clone();
        self.redeem_card(&link, false).map_err(|error| match error {
            InputError::OwnCard | InputError::KnownContact => No::Known,
            InputError::TooMany(_) => No::Limit,
            _ => No::NotValid,
        })?;
        let thing = self.contacts.last_key_value().map_or(0, |(contact, _)| *contact);
        Ok(Change { what: REDEEM, subject, before: Text::default(), thing, state: OPEN })
    }

    /// A contact that an attendant may change: no handset of the owner's, no other attendant, and not the one who asks.
    fn changeable(&self, by: u32, contact: u32) -> Result<&Contact, No> {
        let record = self.contacts.get(&contact).ok_or(No::NoSuch)?;
        let staff = contact == by || self.is_delegate(contact, Rights(0));
        if record.row.sibling || staff { Err(No::NotYours) } else { Ok(record) }
    }

    fn rename_managed(
        &mut self,
        by: u32,
        contact: u32,
        name: Text<NAME_MAX>,
    ) -> Result<Change, No> {
        let subject = proper(name)?;
        let before = self.changeable(by, contact)?.row.name.clone();
        self.rename_contact(contact, subject.as_str().to_owned()).map_err(|_| No::NoSuch)?;
        Ok(Change { what: RENAME, subject, before, thing: contact, state: DONE })
    }

    fn revoke_managed(&mut self, by: u32, contact: u32) -> Result<Change, No> {
        let record = self.changeable(by, contact)?;
        if record.progress() == Progress::Revoked {
            return Err(No::NoSuch);
        }
        let subject = record.row.name.clone();
        if self.calls.values().any(|call| call.contact == contact && !call.is_over()) {
            return Err(No::InCall);
        }
        self.revoke_contact(contact).map_err(|_| No::NoSuch)?;
        let before = Text::default();
        Ok(Change { what: REVOKE, subject, before, thing: contact, state: DONE })
    }

    fn keep_managed(&mut self, contact: u32, device: [u8; 32], number: u64, change: Change) {
        let done = &mut self.managing.done;
        while done.len() >= KEPT_MAX {
            let oldest = done.iter().find(|(_, row)| row.state != OPEN).map(|(order, _)| *order);
            let Some(oldest) = oldest else { break };
            done.remove(&oldest);
            self.desk.delete(rows::MANAGED, rows::key64(oldest));
        }
        let order = done.last_key_value().map_or(1, |(last, _)| last + 1);
        let Change { what, subject, before, thing, state } = change;
        let by = self.contacts.get(&contact).map(|c| c.row.name.clone()).unwrap_or_default();
        let at = self.wall();
        let row = ManagedRow {
            version: rows::MANAGE_VERSION,
            contact,
            by,
            device,
            number,
            at,
            what,
            subject,
            before,
            thing,
            state,
        };
        self.desk.put(rows::MANAGED, rows::key64(order), row.encode());
        self.managing.done.insert(order, row);
        self.after(Effect::Tell(Event::Managed { contact }));
    }

    fn say_managed(
        &mut self,
        contact: u32,
        device: [u8; 32],
        number: u64,
        answer: &ManageAnswer,
    ) -> Result<(), InputError> {
        let answer: Blob<MANAGED_MAX> = blob(answer.encode())?;
        let managed = ContactMessage::Managed { to: device, number, answer };
        self.mail_managing(contact, &managed)
    }

    fn mail_managing(&mut self, contact: u32, message: &ContactMessage) -> Result<(), InputError> {
        let body = self.seal_bytes_in(contact, &message.encode(), BUCKET)?;
        self.post(contact, body, false)
    }

    /// Answers what waited for the exchange, and has its word now.
    pub(crate) fn managed_tick(&mut self) {
        let waits = self.managing.done.values().any(|row| row.state == OPEN);
        if !waits || self.managing.again.is_some_and(|at| self.now < at) {
            return;
        }
        let open = self.managing.done.iter().filter(|(_, row)| row.state == OPEN);
        for (order, row) in open.map(|(o, row)| (*o, row.clone())).collect::<Vec<_>>() {
            let Some(answer) = self.managed_outcome(&row) else { continue };
            let heard = self.contacts.get(&row.contact).is_some_and(Contact::is_open);
            if heard && self.say_managed(row.contact, row.device, row.number, &answer).is_err() {
                self.managing.again = Some(self.now + AGAIN);
                return;
            }
            let refused = matches!(answer, ManageAnswer::Refused { .. });
            let state = if refused { REFUSED } else { DONE };
            let contact = row.contact;
            let row = ManagedRow { state, ..row };
            self.desk.put(rows::MANAGED, rows::key64(order), row.encode());
            self.managing.done.insert(order, row);
            self.after(Effect::Tell(Event::Managed { contact }));
        }
    }

    /// What came of a change that waited; `None`: it waits on. A card for whose attendant the right is gone is withdrawn, unseen.
    fn managed_outcome(&mut self, row: &ManagedRow) -> Option<ManageAnswer> {
        let refused = |why| Some(ManageAnswer::Refused { why });
        if row.what == REDEEM {
            let contact = self.contacts.get(&row.thing).map(Contact::progress);
            return match contact {
                Some(Progress::Redeeming) => None,
                Some(Progress::Redeemed | Progress::Accepted | Progress::Gone) => {
                    Some(ManageAnswer::Done {})
                }
                Some(Progress::Refused) => refused(No::NotValid),
                Some(Progress::Revoked) | None => refused(No::NoSuch),
            };
        }
        let card = self.cards.get(&row.thing).map(|c| (c.state(), c.row.text.clone()));
        match card {
            Some((CardIs::Issuing, _)) => None,
            Some((CardIs::Issued, card)) if self.manages(row.contact) => {
                Some(ManageAnswer::Card { card })
            }
            Some((CardIs::Issued, _)) => {
                let _ = self.revoke_card(row.thing);
                refused(No::NoRight)
            }
            _ => refused(No::NotValid),
        }
    }

    /// A contact is over: its numbers, and what it told, are of no use.
    pub(crate) fn forget_managing(&mut self, contact: u32) {
        self.managing.lists.remove(&contact);
        let all = self.managing.last.keys().filter(|(of, _)| *of == contact);
        for key in all.copied().collect::<Vec<_>>() {
            self.managing.last.remove(&key);
            self.desk.delete(rows::MANAGER, manager_key(key.0, &key.1));
        }
    }

    pub(crate) fn managed_views(&self) -> Vec<ManagedView> {
        let view = |row: &ManagedRow| ManagedView {
            contact: row.contact,
            by: row.by.as_str().to_owned(),
            at: row.at,
            what: match row.what {
                REDEEM => ManagedWhat::Redeemed,
                RENAME => ManagedWhat::Renamed { before: row.before.as_str().to_owned() },
                REVOKE => ManagedWhat::Revoked,
                _ => ManagedWhat::Card,
            },
            subject: row.subject.as_str().to_owned(),
            state: match row.state {
                OPEN => ManagedState::Open,
                DONE => ManagedState::Done,
                _ => ManagedState::Refused,
            },
        };
        self.managing.done.values().rev().map(view).collect()
    }
}

/// A name that can stand on a screen.
fn proper(name: Text<NAME_MAX>) -> Result<Text<NAME_MAX>, No> {
    let good = !name.as_str().trim().is_empty() && is_name(name.as_str());
    if good { Ok(name) } else { Err(No::NotUnderstood) }
}

fn manager_key(contact: u32, device: &[u8; 32]) -> Vec<u8> {
    [&contact.to_be_bytes()[..], device].concat()
}
