//! The attendant's side: what this handset's owner asks of a principal's first handset, and what that answered.
//!
//! ```text
//!  Manage ─► delegation with that right? not too many open? ─► row ── Manage{number} ══ mail ══►
//!            list, card, done or refused ◄── row ◄── that number open, of that principal, fitting? ◄── Managed{number} ══
//! ```
//!
//! Numbers rise for all principals together, and rows keep them: none is used twice by this handset.

use seal::card::{Kind, UnverifiedCard};
use seal::delegation::Rights;
use wire::limits::{MANAGE_MAX, NAME_MAX};
use wire::manage::{Listed, ManageAnswer, ManageAsk, ManageRefusal, Standing, listed};
use wire::talk::ContactMessage;
use wire::{Blob, Text, Wall};

use super::DAY;
use crate::command::InputError;
use crate::contacts::CONTACTS_MAX;
use crate::event::Event;
use crate::machine::{Effect, Phone};
use crate::mail::{Way, blob};
use crate::rows::{self, RequestRow};

/// Requests that wait for an answer, those that have waited for a day not counted.
const OPEN_MAX: usize = 8;
/// Most requests that are remembered.
const KEPT_MAX: usize = 100;

/// What is asked of a principal's first handset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Manage {
    /// Its contacts.
    List,
    /// A card for somebody.
    Card {
        /// How that one is called.
        name: String,
    },
    /// Use a card.
    Redeem {
        /// Its text.
        text: String,
    },
    /// Call a contact otherwise.
    Rename {
        /// The principal's number of it.
        contact: u32,
        /// New name.
        name: String,
    },
    /// Withdraw a contact.
    Revoke {
        /// The principal's number of it.
        contact: u32,
    },
}

/// A request to a principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestView {
    /// Its number.
    pub number: u64,
    /// To whom: the owner's number of that contact.
    pub principal: u32,
    /// When.
    pub at: Wall,
    /// What.
    pub ask: Manage,
    /// What came of it.
    pub state: RequestState,
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestState {
    /// No answer yet.
    Open,
    /// No answer within a day: the principal's first handset is off, or dropped it.
    NoAnswer,
    /// Done.
    Done,
    /// The card, to be handed on: its text.
    Card(String),
    /// Not done.
    Refused(ManageRefusal),
}

/// A principal's contacts, as they were listed last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListView {
    /// Whose: the owner's number of that contact.
    pub principal: u32,
    /// All of them that have come.
    pub contacts: Vec<ListedView>,
    /// There are no others.
    pub whole: bool,
}

/// A contact of a principal's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedView {
    /// The principal's number of it.
    pub number: u32,
    /// Its name there.
    pub name: String,
    /// Its office.
    pub office: String,
    /// How far it is.
    pub standing: Standing,
}

impl Phone {
    /// Until when this handset's owner may manage a contact's contacts, by what it has to show.
    pub(crate) fn may_manage(&self, contact: u32) -> Option<Wall> {
        let held = self.warranted(contact)?;
        held.rights().hold(Rights::MANAGE).then(|| held.expiry())
    }

    /// The owner asks something of a principal.
    pub(crate) fn ask_to_manage(&mut self, principal: u32, ask: Manage) -> Result<(), InputError> {
        if self.may_manage(principal).is_none() {
            return Err(InputError::WrongState(
                "you have no delegation to manage this contact's contacts, or it was taken back or has run out: ask for a new one",
            ));
        }
        let since = self.wall().0.saturating_sub(DAY);
        let waits = |row: &&RequestRow| !row.done && row.at.0 > since;
        if self.managing.requests.values().filter(waits).count() >= OPEN_MAX {
            return Err(InputError::TooMany("requests that wait for an answer"));
        }
        let name = |name: String| {
            let name: Text<NAME_MAX> =
                Text::new(name).map_err(|_| InputError::TooLong { what: "name", max: NAME_MAX })?;
            Ok::<_, InputError>(name)
        };
        let ask = match ask {
            Manage::List => ManageAsk::List { after: 0 },
            Manage::Card { name: text } => ManageAsk::Card { name: name(text)? },
            Manage::Redeem { text } => {
                let card = UnverifiedCard::from_link(&text)?.verify(self.wall())?;
                ManageAsk::Redeem { card: blob(card.to_bytes().to_vec())? }
            }
            Manage::Rename { contact, name: text } => {
                ManageAsk::Rename { contact, name: name(text)? }
            }
            Manage::Revoke { contact } => ManageAsk::Revoke { contact },
        };
        self.send_request(principal, &ask)
    }

    fn send_request(&mut self, principal: u32, ask: &ManageAsk) -> Result<(), InputError> {
        let ask: Blob<MANAGE_MAX> = blob(ask.encode())?;
        let requests = &mut self.managing.requests;
        let number = requests.last_key_value().map_or(1, |(last, _)| last + 1);
        self.mail_managing(principal, &ContactMessage::Manage { number, ask: ask.clone() })?;
        while self.managing.requests.len() >= KEPT_MAX {
            let Some((oldest, _)) = self.managing.requests.pop_first() else { break };
            self.desk.delete(rows::REQUEST, rows::key64(oldest));
        }
        let row = RequestRow {
            version: rows::MANAGE_VERSION,
            contact: principal,
            at: self.wall(),
            ask,
            done: false,
            refused: None,
            card: None,
        };
        self.desk.put(rows::REQUEST, rows::key64(number), row.encode());
        self.managing.requests.insert(number, row);
        Ok(())
    }

    /// A principal's first handset answered. What does not fit an open request of this device changes nothing.
    pub(crate) fn managed_came(
        &mut self,
        contact: u32,
        to: [u8; 32],
        number: u64,
        answer: &[u8],
        way: Way,
    ) {
        if to != self.device.verified().device().0 {
            // For another handset of this person.
            return;
        }
        let row = self.managing.requests.get(&number);
        let row = row.filter(|row| row.contact == contact && !row.done).cloned();
        let taken = match (row, ManageAnswer::decode(answer), way) {
            (Some(row), Ok(answer), Way::Mail(_)) => self.take_answer(contact, row, answer),
            _ => None,
        };
        let Some(row) = taken else {
            self.dropped += 1;
            return;
        };
        self.desk.put(rows::REQUEST, rows::key64(number), row.encode());
        self.managing.requests.insert(number, row);
        self.after(Effect::Tell(Event::ManageAnswered { principal: contact, number }));
    }

    /// A request with its answer, if that can be its answer.
    fn take_answer(
        &mut self,
        contact: u32,
        mut row: RequestRow,
        answer: ManageAnswer,
    ) -> Option<RequestRow> {
        let ask = ManageAsk::decode(row.ask.as_bytes()).ok()?;
        row.done = true;
        match (ask, answer) {
            (_, ManageAnswer::Refused { why }) => row.refused = Some(why),
            (ManageAsk::List { after }, ManageAnswer::Contacts { list, more }) => {
                self.take_list(contact, after, listed(&list).ok()?, more)?;
            }
            (ManageAsk::Card { .. }, ManageAnswer::Card { card }) => {
                let verified =
                    UnverifiedCard::from_bytes(card.as_bytes()).ok()?.verify(self.wall()).ok()?;
                let principal = self.contacts.get(&contact)?.row.identity;
                let theirs = verified.issuer() == principal;
                (theirs && verified.fields().kind == Kind::Contact).then_some(())?;
                row.card = Some(card);
            }
            (
                ManageAsk::Redeem { .. } | ManageAsk::Rename { .. } | ManageAsk::Revoke { .. },
                ManageAnswer::Done {},
            ) => {}
            _ => return None,
        }
        Some(row)
    }

    /// A piece of a list, from the contact `after` on; the next one is asked for. `None`: it goes nowhere.
    fn take_list(
        &mut self,
        contact: u32,
        after: u32,
        piece: Vec<Listed>,
        more: bool,
    ) -> Option<()> {
        let rises = piece.iter().try_fold(after, |last, c| (c.number > last).then_some(c.number));
        let last = rises?;
        let (mut list, _) = self.managing.lists.remove(&contact).unwrap_or_default();
        if after == 0 {
            list.clear();
        }
        list.extend(piece);
        let goes_on = more && last > after && list.len() < CONTACTS_MAX;
        self.managing.lists.insert(contact, (list, !more));
        if goes_on && self.may_manage(contact).is_some() {
            // Without room for mail the list ends here, and says so.
            let _ = self.send_request(contact, &ManageAsk::List { after: last });
        }
        Some(())
    }

    pub(crate) fn request_views(&self) -> Vec<RequestView> {
        let old = self.wall().0.saturating_sub(DAY);
        let link = |card: &[u8]| Some(UnverifiedCard::from_bytes(card).ok()?.to_link());
        let text = |name: &Text<NAME_MAX>| name.as_str().to_owned();
        let view = |(number, row): (&u64, &RequestRow)| {
            let ask = match ManageAsk::decode(row.ask.as_bytes()).ok()? {
                ManageAsk::List { .. } => Manage::List,
                ManageAsk::Card { name } => Manage::Card { name: text(&name) },
                ManageAsk::Redeem { card } => Manage::Redeem { text: link(card.as_bytes())? },
                ManageAsk::Rename { contact, name } => {
                    Manage::Rename { contact, name: text(&name) }
                }
                ManageAsk::Revoke { contact } => Manage::Revoke { contact },
            };
            let state = match (row.done, row.refused, &row.card) {
                (false, ..) if row.at.0 <= old => RequestState::NoAnswer,
                (false, ..) => RequestState::Open,
                (true, Some(why), _) => RequestState::Refused(why),
                (true, None, Some(card)) => RequestState::Card(link(card.as_bytes())?),
                (true, None, None) => RequestState::Done,
            };
            Some(RequestView { number: *number, principal: row.contact, at: row.at, ask, state })
        };
        self.managing.requests.iter().rev().filter_map(view).collect()
    }

    pub(crate) fn list_views(&self) -> Vec<ListView> {
        let listed = |c: &Listed| ListedView {
            number: c.number,
            name: c.name.as_str().to_owned(),
            office: c.office.as_str().to_owned(),
            standing: c.standing,
        };
        let view = |(principal, (list, whole)): (&u32, &(Vec<Listed>, bool))| ListView {
            principal: *principal,
            contacts: list.iter().map(listed).collect(),
            whole: *whole,
        };
        self.managing.lists.iter().map(view).collect()
    }

    /// Says anything as a request, with any number, to whomever.
    ///
    /// # Errors
    /// As for any message.
    #[cfg(feature = "adversary")]
    pub fn ask_anything(
        &mut self,
        principal: u32,
        number: u64,
        ask: Vec<u8>,
    ) -> Result<(), InputError> {
        let message = ContactMessage::Manage { number, ask: blob(ask)? };
        let said = self.mail_managing(principal, &message);
        self.flush();
        said
    }

    /// Says anything as an answer, to whichever device.
    ///
    /// # Errors
    /// As for any message.
    #[cfg(feature = "adversary")]
    pub fn answer_anything(
        &mut self,
        contact: u32,
        to: [u8; 32],
        number: u64,
        answer: Vec<u8>,
    ) -> Result<(), InputError> {
        let message = ContactMessage::Managed { to, number, answer: blob(answer)? };
        let said = self.mail_managing(contact, &message);
        self.flush();
        said
    }

    /// The key of this device.
    #[cfg(feature = "adversary")]
    #[must_use]
    pub fn device_key(&self) -> [u8; 32] {
        self.device.verified().device().0
    }
}
