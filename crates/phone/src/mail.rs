//! Mail, and the other things that the exchange has to do: written down, asked for, confirmed, removed.
//!
//! ```text
//!  say(contact, message) ── sealed body ── envelope (signed, counted) ──► row ── Stored ──► Post ── Posted ──► row gone
//!  Deliver ──► card's address: a redeemer introduces itself │ contact's address: its group ──► rows ── Stored ──► Delivered
//! ```

use core::time::Duration;

use link::Channel;
use seal::group::{Bucket, GroupError, Incoming};
use seal::identity::VerifiedDevice;
use wire::line::{Failure, LineUp};
use wire::talk::{ContactMessage, Sealed};
use wire::{Address, Blob, DecodeError, Envelope, MailId, Precedence, Wall};

use crate::command::InputError;
use crate::enrol::Up;
use crate::machine::{Effect, Phone, Task};
use crate::room::Asked;
use crate::rows::{self, HeldRow, MailRow};

/// Most posts on their way at once.
const POSTING: usize = 8;
/// Most mail that waits.
const MAIL_MAX: usize = 1_000;
/// How long after a failure the exchange is asked again.
const LATER: Duration = Duration::from_secs(5);
/// Most messages of one contact that wait for a commit.
const HELD_MAX: usize = 32;
/// Most messages that came over legs and wait for a commit.
const EARLY_MAX: usize = 8;

/// How a message came.
#[derive(Clone, Copy)]
pub(crate) enum Way {
    /// As mail; when it reached the exchange.
    Mail(Wall),
    /// With a leg that was just opened, or over one.
    Leg(wire::Leg),
    /// Said aside, at this moment.
    Aside,
}

impl Phone {
    /// Seals a message for a contact. What comes out must wait for the step's rows.
    pub(crate) fn seal_for(
        &mut self,
        contact: u32,
        message: &ContactMessage,
    ) -> Result<Vec<u8>, InputError> {
        self.seal_bytes_for(contact, &message.encode())
    }

    /// The same, for a message of any set.
    pub(crate) fn seal_bytes_for(
        &mut self,
        contact: u32,
        bytes: &[u8],
    ) -> Result<Vec<u8>, InputError> {
        let bucket = Bucket::holding(bytes.len())
            .ok_or(GroupError::Bucket { len: bytes.len(), max: Bucket::Huge.room() })?;
        self.seal_bytes_in(contact, bytes, bucket)
    }

    /// The same, padded to a length that is known.
    pub(crate) fn seal_bytes_in(
        &mut self,
        contact: u32,
        bytes: &[u8],
        bucket: Bucket,
    ) -> Result<Vec<u8>, InputError> {
        let record = self.contacts.get_mut(&contact).ok_or(InputError::NoSuch("contact"))?;
        let group =
            record.group.as_mut().ok_or(InputError::WrongState("the contact has no keys"))?;
        let message = group.encrypt(bytes, bucket)?;
        record.row.said = record.row.said.saturating_add(1);
        self.touched_groups.insert(contact);
        self.touched_contacts.insert(contact);
        Ok(Sealed::Contact { message: blob(message)? }.encode())
    }

    /// Addresses a sealed body to a contact.
    pub(crate) fn envelope(&mut self, contact: u32, body: Vec<u8>) -> Result<Envelope, InputError> {
        let device = self.own.number;
        let record = self.contacts.get_mut(&contact).ok_or(InputError::NoSuch("contact"))?;
        record.row.counter += 1;
        self.touched_contacts.insert(contact);
        let (address, counter) = (record.row.theirs, record.row.counter);
        let signature = record.pairwise.sign(&address, device, counter, &body);
        Ok(Envelope { address, device, counter, signature, body: blob(body)? })
    }

    /// Mails a sealed body to a contact. `waits`: not before the return address is bound.
    pub(crate) fn post(
        &mut self,
        contact: u32,
        body: Vec<u8>,
        waits: bool,
    ) -> Result<(), InputError> {
        if self.mail.len() >= MAIL_MAX {
            return Err(InputError::TooMany("messages that wait for the line"));
        }
        let envelope = self.envelope(contact, body)?;
        let record = self.contacts.get(&contact).ok_or(InputError::NoSuch("contact"))?;
        let exchange = record.row.exchange.clone();
        let mail = MailId(self.random());
        let order = self.mail.last_key_value().map_or(1, |(last, _)| last + 1);
        let row = MailRow { mail, contact, exchange, envelope, waits };
        self.desk.put(rows::MAIL, rows::key64(order), row.encode());
        self.mail.insert(order, row);
        if !waits {
            self.after(Effect::Begin(Task::Post(order)));
        }
        Ok(())
    }

    /// Mails a message to a contact.
    pub(crate) fn mail_to(
        &mut self,
        contact: u32,
        message: &ContactMessage,
    ) -> Result<(), InputError> {
        let body = self.seal_for(contact, message)?;
        self.post(contact, body, false)
    }

    /// Lets the mail go that waited for the contact's return address.
    pub(crate) fn release_mail(&mut self, contact: u32) {
        let waiting = self.mail.iter_mut().filter(|(_, row)| row.contact == contact && row.waits);
        for (order, row) in waiting {
            row.waits = false;
            self.desk.put(rows::MAIL, rows::key64(*order), row.encode());
            self.desk.after(Effect::Begin(Task::Post(*order)));
        }
    }

    /// Asks the exchange for what a task needs, if the line is there.
    pub(crate) fn begin(&mut self, task: Task) {
        if !self.attached() || self.later.get(&task).is_some_and(|at| *at > self.now) {
            return;
        }
        self.later.remove(&task);
        if let Task::Post(order) = task {
            return self.begin_post(order);
        }
        if let Task::Record(number) = task
            && !self.entry_s_turn(number)
        {
            return;
        }
        let Some(message) = self.request(task) else {
            self.tasks.remove(&task);
            return;
        };
        let Some(up) = self.up() else { return };
        if up.requests.values().any(|t| *t == task) {
            return;
        }
        let request = up.next_request;
        up.next_request = request.wrapping_add(1);
        up.requests.insert(request, task);
        self.send(Channel::Bulk, &message(request));
    }

    fn begin_post(&mut self, order: u64) {
        let Some(row) = self.mail.get(&order) else {
            self.tasks.remove(&Task::Post(order));
            return;
        };
        let MailRow { mail, contact, exchange, envelope, .. } = row.clone();
        // Mail of one contact keeps its order: counters that fall far behind are refused there.
        let first = |(t, _): (&Task, &wire::Time)| match t {
            Task::Post(o) => *o < order && self.mail.get(o).is_some_and(|m| m.contact == contact),
            _ => false,
        };
        if self.later.iter().any(first) {
            return;
        }
        if let Some(Up { posting, .. }) = self.up()
            && posting.len() < POSTING
            && posting.insert(order)
        {
            self.send(Channel::Bulk, &LineUp::Post { mail, exchange, envelope });
        }
    }

    /// The message of a task, but for the number of the request.
    fn request(&mut self, task: Task) -> Option<Box<dyn FnOnce(u32) -> LineUp>> {
        Some(match task {
            Task::Withdraw(address) => Box::new(move |request| LineUp::Revoke { request, address }),
            Task::Register(card) => {
                let row = &self.cards.get(&card).filter(|c| c.is_issuing())?.row;
                let (address, expiry, offer) = (row.address, row.expiry, row.offer.clone());
                Box::new(move |request| LineUp::RegisterOpen { request, address, expiry, offer })
            }
            Task::Redeem(contact) => {
                let contact = self.contacts.get(&contact).filter(|c| c.is_redeeming())?;
                let (exchange, address) = (contact.row.exchange.clone(), contact.row.theirs);
                let bound = contact.pairwise.public();
                Box::new(move |request| LineUp::Redeem { request, exchange, address, bound })
            }
            Task::Bind(contact) => {
                let contact = self.contacts.get(&contact).filter(|c| c.row.unbound)?;
                let (address, bound) = (contact.row.mine, contact.row.bound?);
                Box::new(move |request| LineUp::RegisterBound { request, address, bound })
            }
            Task::Record(number) => self.entry_message(number)?,
            Task::Post(_) => return None,
        })
    }

    /// The exchange answered a request.
    pub(crate) fn answered(&mut self, request: u32, answer: Result<Option<&[u8]>, Failure>) {
        let Some(task) = self.up().and_then(|up| up.requests.remove(&request)) else { return };
        let done = match (task, answer) {
            (_, Err(Failure::Unreachable | Failure::Limit | Failure::Storage)) => false,
            // Only a proof takes an entry away.
            (Task::Record(_), _) => false,
            (Task::Withdraw(address), _) => {
                self.desk.delete(rows::WITHDRAW, address.0.to_vec());
                true
            }
            (Task::Register(card), Ok(_)) => {
                self.registered(card);
                true
            }
            (Task::Register(card), Err(_)) => {
                self.not_registered(card);
                true
            }
            (Task::Redeem(contact), Ok(Some(offer))) => {
                self.offered(contact, offer);
                true
            }
            (Task::Redeem(contact), Ok(None)) => {
                self.refuse_contact(contact);
                true
            }
            (Task::Redeem(contact), Err(_)) => {
                self.refuse_contact(contact);
                true
            }
            (Task::Bind(contact), answer) => {
                self.bound(contact, answer.is_ok());
                true
            }
            (Task::Post(_), _) => true,
        };
        if done {
            self.tasks.remove(&task);
        } else {
            self.later.insert(task, self.now + LATER);
        }
    }

    pub(crate) fn posted(&mut self, mail: MailId) {
        let Some(order) = self.order_of(mail) else { return };
        self.mail.remove(&order);
        self.desk.delete(rows::MAIL, rows::key64(order));
        self.tasks.remove(&Task::Post(order));
        self.next_post();
    }

    pub(crate) fn not_posted(&mut self, mail: MailId, _: Failure) {
        let Some(order) = self.order_of(mail) else { return };
        self.later.insert(Task::Post(order), self.now + LATER);
        self.next_post();
    }

    fn order_of(&mut self, mail: MailId) -> Option<u64> {
        let order = *self.mail.iter().find(|(_, row)| row.mail == mail)?.0;
        if let Some(up) = self.up() {
            up.posting.remove(&order);
        }
        Some(order)
    }

    fn next_post(&mut self) {
        let posts: Vec<_> = self.tasks.range(Task::Post(0)..).copied().collect();
        for task in posts {
            if self.up().is_none_or(|up| up.posting.len() >= POSTING) {
                break;
            }
            self.begin(task);
        }
    }

    /// Asks again for what failed a while ago.
    pub(crate) fn tasks_tick(&mut self) {
        if !self.attached() {
            return;
        }
        let due: Vec<Task> =
            self.later.iter().filter(|(_, at)| **at <= self.now).map(|(t, _)| *t).collect();
        for task in due {
            self.later.remove(&task);
            if self.tasks.contains(&task) {
                self.begin(task);
            }
        }
        self.next_post();
    }

    /// Mail came. It is acknowledged after this step's rows, whatever it was: what cannot be used now will
    /// not be usable later.
    pub(crate) fn deliver(&mut self, address: Address, at: Wall, body: &[u8]) {
        let Ok(sealed) = Sealed::decode(body) else {
            self.dropped += 1;
            return;
        };
        match sealed {
            Sealed::Welcome { welcome, first } => {
                if !self.welcomed_here(address, welcome.as_bytes()) {
                    self.welcomed(address, welcome.as_bytes(), first.as_bytes());
                }
            }
            Sealed::Contact { message } => {
                if let Some(contact) = self.contact_at(address) {
                    self.contact_message(contact, message.as_bytes(), Way::Mail(at));
                }
            }
            Sealed::Call { message } => {
                if let Some(contact) = self.contact_at(address) {
                    self.call_mail(contact, message.as_bytes());
                }
            }
        }
    }

    /// Somebody opens a leg to one of this handset's addresses. Only a contact's invitation is looked at.
    pub(crate) fn incoming(&mut self, leg: wire::Leg, address: Address, _: Wall, body: &[u8]) {
        match (self.contact_at(address), Sealed::decode(body)) {
            (Some(contact), Ok(Sealed::Contact { message })) => {
                self.contact_message(contact, message.as_bytes(), Way::Leg(leg));
            }
            _ => self.dropped += 1,
        }
    }

    /// Opens a message of a contact group and acts on it.
    pub(crate) fn contact_message(&mut self, contact: u32, message: &[u8], way: Way) {
        let Some(record) = self.contacts.get_mut(&contact).filter(|c| c.is_open()) else { return };
        let Some(group) = record.group.as_mut() else { return };
        let opened = group.process(message);
        self.touched_groups.insert(contact);
        match opened {
            Ok(Incoming::Application { from, message }) => {
                let theirs = from.device.principal() == record.row.identity;
                if theirs && record.row.sibling && !matches!(way, Way::Aside) {
                    return self.sibling_said(contact, from.device, &message, way);
                }
                match ContactMessage::decode(&message) {
                    Ok(message) if theirs => self.heard(contact, from.device, message, way),
                    _ => self.dropped += 1,
                }
            }
            Ok(Incoming::Commit(change)) => self.epoch_changed(contact, &change),
            Ok(Incoming::Own | Incoming::Outranked | Incoming::Proposal { .. }) => {}
            Err(GroupError::OtherEpoch { message: theirs, own }) if theirs > own => {
                self.ahead(contact, message, way);
            }
            Err(_) => self.dropped += 1,
        }
    }

    /// Keeps a message of an epoch that is still to come.
    pub(crate) fn hold_back(&mut self, contact: u32, message: &[u8], at: Wall) {
        if self.held.values().filter(|h| h.contact == contact).count() >= HELD_MAX {
            self.dropped += 1;
            return;
        }
        let Ok(message) = Blob::new(message.to_vec()) else { return };
        let order = self.held.last_key_value().map_or(1, |(last, _)| last + 1);
        let row = HeldRow { contact, at, message };
        self.desk.put(rows::HELD, rows::key64(order), row.encode());
        self.held.insert(order, row);
    }

    /// Tries what was held back for a contact.
    pub(crate) fn release_held(&mut self, contact: u32) {
        let orders: Vec<u64> =
            self.held.iter().filter(|(_, h)| h.contact == contact).map(|(o, _)| *o).collect();
        for order in orders {
            let Some(row) = self.held.remove(&order) else { continue };
            self.desk.delete(rows::HELD, rows::key64(order));
            self.contact_message(contact, row.message.as_bytes(), Way::Mail(row.at));
        }
        let early = core::mem::take(&mut self.early).into_iter();
        let (due, rest): (Vec<_>, Vec<_>) = early.partition(|(_, of, _)| *of == contact);
        self.early = rest;
        for (leg, _, message) in due {
            self.contact_message(contact, &message, Way::Leg(leg));
        }
    }

    /// The same for what came over a leg, as long as that is open: whoever was just let in may call before the commit
    /// that let it in is here.
    pub(crate) fn hold_early(&mut self, leg: wire::Leg, contact: u32, message: &[u8]) {
        if self.early.len() < EARLY_MAX {
            self.early.push((leg, contact, message.to_vec()));
        } else {
            self.dropped += 1;
        }
    }

    /// What a contact said.
    fn heard(&mut self, contact: u32, from: VerifiedDevice, message: ContactMessage, way: Way) {
        // Whatever it says, it has joined.
        self.accepted(contact);
        let aside = matches!(message, ContactMessage::Lamp { .. } | ContactMessage::LampAsk {});
        if aside || matches!(way, Way::Aside) {
            let fit = aside && matches!(way, Way::Aside);
            if !fit || !self.lamp_word(contact, from, &message) {
                self.dropped += 1;
            }
            return;
        }
        match message {
            ContactMessage::Lamp { .. } | ContactMessage::LampAsk {} => {}
            ContactMessage::Introduce { .. } => self.dropped += 1,
            ContactMessage::Accepted { .. } => {}
            ContactMessage::KeyPackage { to, key_package, want } => {
                // Others are for siblings of this handset.
                if to == self.device.verified().device().0 {
                    self.package_came(contact, from, key_package.as_bytes(), want, way);
                }
            }
            ContactMessage::Prepare { call, psk, welcome } => {
                self.prepared_for_me(contact, from, call, psk, welcome.as_bytes(), way);
            }
            ContactMessage::Prepared { call } => self.prepared_there(contact, call),
            ContactMessage::Invite { call, at, again } => {
                self.invited(contact, from, call, at, again, Precedence::Routine, way);
            }
            ContactMessage::Urgent { precedence, invitation } => {
                self.urgently(contact, from, precedence, invitation.as_bytes(), way);
            }
            ContactMessage::Night { until, instead } => {
                self.night_there(contact, until, &instead, way);
            }
            ContactMessage::Grant { highest } => self.grant_came(contact, highest),
            ContactMessage::Ringing { call } => self.rings_there(contact, call),
            ContactMessage::Busy { call } => self.refused_there(contact, call, call::End::Busy),
            ContactMessage::Declined { call } => {
                self.refused_there(contact, call, call::End::Declined);
            }
            ContactMessage::Missed { call, at } => {
                self.missed(contact, call, at, Precedence::Routine);
            }
            ContactMessage::Note { id, at, text } => self.note_came(contact, id, at, text),
            ContactMessage::HandCard { card } => self.card_handed(contact, card),
            ContactMessage::Goodbye {} => self.gone(contact),
            ContactMessage::AddDevice { key_package } => {
                if self.add_device(contact, key_package.as_bytes()).is_err() {
                    self.dropped += 1;
                }
            }
            ContactMessage::Rules { rules } => self.rules_came(contact, rules),
            ContactMessage::Refused { call, rule } => {
                let barred = call::Barred { rule, of: call::Side::Theirs };
                self.refused_there(contact, call, call::End::ByRule(barred));
            }
            ContactMessage::Needs { call, interpreter, note_taker } => {
                self.needs_came(contact, call, call::Needs { interpreter, note_taker });
            }
            ContactMessage::Delegate { delegation, until } => {
                self.delegated(contact, delegation, until);
            }
            ContactMessage::Undelegate { number } => self.undelegated(contact, number),
            ContactMessage::Manage { number, ask } => {
                self.manage_asked(contact, from, number, ask.as_bytes(), way);
            }
            ContactMessage::Managed { to, number, answer } => {
                self.managed_came(contact, to, number, answer.as_bytes(), way);
            }
            ContactMessage::Continue { call, at } => self.continued(contact, from, call, at, way),
            ContactMessage::Behalf { call, name, delegation } => {
                self.behalf_came(contact, call, &name, delegation.as_bytes(), way);
            }
            ContactMessage::Bring { call, at, role, office, expected } => {
                let asked = Asked::new(role, &office, &expected);
                self.asked_in(contact, from, call, at, asked, Precedence::Routine, way);
            }
            ContactMessage::Relay { call, at, caller, office, screens: _ } => {
                let asked = Asked::to_stand_in(&caller, &office);
                self.asked_in(contact, from, call, at, asked, Precedence::Routine, way);
            }
            ContactMessage::RelayOver { call, taken } => self.relay_gone(contact, call, taken),
            ContactMessage::Join { call, at, listens } => {
                self.join_asked(contact, call, at, listens, way);
            }
            ContactMessage::NotJoined { call, why } => self.not_joined(contact, call, why),
            ContactMessage::Enter { call, roster, welcome } => {
                self.let_in_by(contact, from, call, &roster, welcome.as_bytes());
            }
            ContactMessage::Taken { call } => self.newcomer_took(contact, from, call),
            // That it opened at all was the news.
            ContactMessage::Healed {} => {}
        }
    }
}

/// Bytes that were made here fit; if a limit was forgotten, it is an error and not a panic.
pub(crate) fn blob<const MAX: usize>(bytes: Vec<u8>) -> Result<Blob<MAX>, InputError> {
    let len = bytes.len();
    Blob::new(bytes).map_err(|_: DecodeError| GroupError::TooLarge { len, max: MAX }.into())
}
