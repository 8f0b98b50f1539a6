//! Lamps: what the owner is doing, for contacts of the own office to whom the owner shows it; and theirs.
//!
//! ```text
//!  calls, away ─► own lamp ─► shown to this contact? in this office? trusted? ── Teller ── Aside(Lamp) ══ own exchange ══► Board ─► view
//!                                                                     LampAsk ◄══ when the other handset comes up ══╛
//!  SetLamp, SetAway ─► row ─► siblings
//! ```
//!
//! Nothing of it waits anywhere: what is said aside reaches handsets that are up, or nobody. When and for how long:
//! [`call::lamp`]. See docs/decisions/0046.

use core::time::Duration;

use call::contact::{Keys, Progress};
use call::lamp::{Board, Shown, Teller};
use link::Channel;
use seal::group::Group;
use seal::identity::VerifiedDevice;
use wire::line::LineUp;
use wire::talk::{ContactMessage, Lamp, Sealed, SiblingMessage};
use wire::{Address, Envelope, Precedence, Time, Wall};

use crate::command::InputError;
use crate::contacts::Contact;
use crate::event::Event;
use crate::machine::{Effect, Phone};
use crate::mail::{Way, blob};
use crate::ring::{Call, Stage};
use crate::rows::{self, AwayRow, LampRow};

/// Most that is said aside in one epoch of a contact group. A handset that is off does not hear it, and bridges 1,000
/// messages of an epoch when it is back.
const ASIDES: u32 = 500;
/// How long until a contact is asked again, if this handset comes up again and again.
const ASK_AGAIN: Duration = Duration::from_secs(10);

/// Lamps between this handset and a contact.
pub(crate) struct ContactLamp {
    pub(crate) row: LampRow,
    teller: Teller,
    board: Board,
    asked: Option<Time>,
}

impl ContactLamp {
    pub(crate) fn new(row: LampRow) -> Self {
        ContactLamp { row, teller: Teller::default(), board: Board::default(), asked: None }
    }
}

impl Phone {
    /// Whether a contact is reached at the own exchange: that is what makes it one of the own office.
    pub(crate) fn in_own_office(&self, contact: &Contact) -> bool {
        self.own.exchange == Some(contact.row.exchange.key) && !contact.row.sibling
    }

    /// Whether a contact may be told anything aside.
    fn may_hear(&self, contact: &Contact) -> bool {
        let good = contact.progress() == Progress::Accepted && contact.keys() != Keys::Alarmed;
        good && contact.is_told() && self.in_own_office(contact)
    }

    /// Whether a contact is to see the own lamp.
    fn sees_lamp(&self, contact: &Contact) -> bool {
        contact.lamp.row.shown && contact.group.is_some() && self.may_hear(contact)
    }

    /// What the owner is doing, as far as this handset knows.
    fn own_lamp(&self) -> Lamp {
        let comes_in = |c: &Call| matches!(c.stage, Stage::Incoming(_));
        let live = || self.calls.values().filter(|c| !c.is_over() && c.rings());
        match live().any(|c| !comes_in(c)) {
            true => Lamp::OnCall,
            false if live().next().is_some() => Lamp::Ringing,
            // It rings aloud for nobody, or for few.
            false if self.away || self.sleeps(Precedence::Routine) => Lamp::Away,
            false => Lamp::Free,
        }
    }

    /// What is shown of a contact's lamp; `None` if it never told one.
    pub(crate) fn lamp_of(&self, contact: &Contact) -> Option<Shown> {
        let told = contact.lamp.row.told && contact.is_open() && self.in_own_office(contact);
        told.then(|| contact.lamp.board.shown())
    }

    /// The owner shows a contact the lamp, or no longer.
    pub(crate) fn set_lamp(&mut self, contact: u32, shown: bool) -> Result<(), InputError> {
        if self.identity.is_none() {
            return Err(InputError::WrongState(
                "who sees your lamp is decided on your first handset, and holds for this one, too",
            ));
        }
        let record = self.contacts.get(&contact).ok_or(InputError::NoSuch("contact"))?;
        if shown && !self.in_own_office(record) {
            return Err(InputError::WrongState(
                "lamps are for contacts of your own office: this one is reached at another exchange",
            ));
        }
        if shown && (record.progress() != Progress::Accepted || !self.may_hear(record)) {
            return Err(InputError::WrongState(
                "lamps are for contacts whom you trust: verify this one first",
            ));
        }
        self.lamp_set(contact, shown);
        let Some(message) = self.lamp_message(contact) else { return Ok(()) };
        self.mail_siblings_with(contact, &message);
        Ok(())
    }

    fn lamp_set(&mut self, contact: u32, shown: bool) {
        let Some(record) = self.contacts.get_mut(&contact) else { return };
        record.lamp.row.shown = shown;
        self.keep_lamp(contact);
    }

    fn keep_lamp(&mut self, contact: u32) {
        if let Some(record) = self.contacts.get(&contact) {
            self.desk.put(rows::LAMP, rows::key32(contact), record.lamp.row.encode());
        }
    }

    /// A contact is over: so is all about its lamp.
    pub(crate) fn forget_lamp(&mut self, contact: u32) {
        if let Some(record) = self.contacts.get_mut(&contact) {
            record.lamp = ContactLamp::new(LampRow::none());
        }
        self.desk.delete(rows::LAMP, rows::key32(contact));
    }

    /// The owner does not want to be disturbed, or no longer: calls come in silently, and those who see the lamp know.
    pub(crate) fn set_away(&mut self, on: bool) {
        self.away_set(on, None);
    }

    /// The same, by the word of a sibling.
    fn away_set(&mut self, on: bool, by: Option<u32>) {
        if core::mem::replace(&mut self.away, on) == on {
            return;
        }
        self.desk.put(rows::AWAY, Vec::new(), AwayRow::new(on).encode());
        for sibling in self.all_siblings().into_iter().filter(|s| Some(*s) != by) {
            // Without room for mail the two differ until it is said again.
            let _ = self.mail_sibling(sibling, &SiblingMessage::Away { on });
        }
    }

    // ---- saying --------------------------------------------------------------------------------

    /// Says something to those handsets of a contact of the own office that are up.
    fn aside(&mut self, contact: u32, message: &ContactMessage) -> Result<(), InputError> {
        let record = self.contacts.get_mut(&contact).ok_or(InputError::NoSuch("contact"))?;
        let epoch = record.group.as_ref().map_or(0, Group::epoch);
        let row = &mut record.lamp.row;
        if row.epoch != epoch {
            (row.epoch, row.asides) = (epoch, 0);
        }
        if row.asides >= ASIDES {
            return Err(InputError::TooMany("words aside before the keys are renewed"));
        }
        row.asides += 1;
        self.keep_lamp(contact);
        let body = self.seal_for(contact, message)?;
        let device = self.own.number;
        let record = self.contact_mut(contact)?;
        let address = record.row.theirs;
        let signature = record.pairwise.sign(&address, device, 0, &body);
        let envelope = Envelope { address, device, counter: 0, signature, body: blob(body)? };
        self.send_after(Channel::Bulk, LineUp::Aside { envelope });
        Ok(())
    }

    /// Tells the own lamp where that is due, and forgets what is too old of others.
    pub(crate) fn lamps_tick(&mut self) {
        let now = self.now;
        if self.attached() {
            let lamp = self.own_lamp();
            let due = |c: &Contact| self.sees_lamp(c) && c.lamp.teller.due(lamp) <= now;
            let due: Vec<u32> =
                self.contacts.iter().filter(|(_, c)| due(c)).map(|(id, _)| *id).collect();
            for contact in due {
                if let Some(record) = self.contacts.get_mut(&contact) {
                    record.lamp.teller.told(lamp, now);
                }
                // Where it cannot be said, it is not known there after a while.
                let _ = self.aside(contact, &ContactMessage::Lamp { lamp, at: self.wall() });
            }
        }
        let mut dark = Vec::new();
        for (contact, record) in &mut self.contacts {
            let before = record.lamp.board.shown();
            if record.lamp.board.expire(now) && record.lamp.board.shown() != before {
                dark.push(*contact);
            }
        }
        for contact in dark {
            self.tell(Event::Lamp { contact });
        }
    }

    /// When [`Phone::lamps_tick`] has something to do.
    pub(crate) fn lamps_deadline(&self) -> Time {
        let (up, lamp) = (self.attached(), self.own_lamp());
        let at = |c: &Contact| match up && self.sees_lamp(c) {
            true => c.lamp.board.deadline().min(c.lamp.teller.due(lamp)),
            false => c.lamp.board.deadline(),
        };
        self.contacts.values().fold(Time::NEVER, |least, c| least.min(at(c)))
    }

    /// The line is up: what was said meanwhile was missed, here and there.
    pub(crate) fn lamps_up(&mut self) {
        let now = self.now;
        let mut ask = Vec::new();
        for (id, contact) in &self.contacts {
            let lately = contact.lamp.asked.is_some_and(|at| now < at + ASK_AGAIN);
            if contact.lamp.row.told && !lately && self.may_hear(contact) {
                ask.push(*id);
            }
        }
        for contact in self.contacts.values_mut() {
            contact.lamp.teller.asked();
        }
        for contact in ask {
            if let Some(record) = self.contacts.get_mut(&contact) {
                record.lamp.asked = Some(now);
            }
            // It is told within two minutes in any case.
            let _ = self.aside(contact, &ContactMessage::LampAsk {});
        }
    }

    // ---- hearing -------------------------------------------------------------------------------

    /// Something was said aside.
    pub(crate) fn heard_aside(&mut self, address: Address, body: &[u8]) {
        match (self.contact_at(address), Sealed::decode(body)) {
            (Some(contact), Ok(Sealed::Contact { message })) => {
                self.contact_message(contact, message.as_bytes(), Way::Aside);
            }
            _ => self.dropped += 1,
        }
    }

    /// What a contact says aside; `false`: that is not for saying aside, or not for this contact to say.
    pub(crate) fn lamp_word(
        &mut self,
        contact: u32,
        from: VerifiedDevice,
        message: &ContactMessage,
    ) -> bool {
        if !self.contacts.get(&contact).is_some_and(|c| self.in_own_office(c)) {
            return false;
        }
        match *message {
            ContactMessage::Lamp { lamp, at } => self.lamp_came(contact, from, lamp, at),
            ContactMessage::LampAsk {} => {
                if let Some(record) = self.contacts.get_mut(&contact) {
                    record.lamp.teller.asked();
                }
            }
            _ => return false,
        }
        true
    }

    fn lamp_came(&mut self, contact: u32, from: VerifiedDevice, lamp: Lamp, at: Wall) {
        let (now, wall) = (self.now, self.wall());
        let Some(record) = self.contacts.get_mut(&contact) else { return };
        // Whoever made the group renews its keys, by how much was said: by either side.
        record.row.said = record.row.said.saturating_add(1);
        self.touched_contacts.insert(contact);
        let (board, row) = (&mut record.lamp.board, &mut record.lamp.row);
        let before = (row.told, board.shown());
        if !board.hear(from.device().0, lamp, at.0, wall.0, now) {
            return;
        }
        row.told = true;
        if before == (true, board.shown()) {
            return;
        }
        if !before.0 {
            self.keep_lamp(contact);
        }
        self.after(Effect::Tell(Event::Lamp { contact }));
    }

    // ---- siblings ------------------------------------------------------------------------------

    /// For a handset of the owner's that has a contact for the first time, or when that changes.
    pub(crate) fn lamp_message(&self, contact: u32) -> Option<SiblingMessage> {
        let shown = self.contacts.get(&contact)?.lamp.row.shown;
        Some(SiblingMessage::SetLamp { number: contact, shown })
    }

    /// A sibling says that the owner is away, or no longer.
    pub(crate) fn away_shared(&mut self, sibling: u32, on: bool) {
        self.away_set(on, Some(sibling));
    }

    /// The first handset says whether a contact sees the owner's lamp.
    pub(crate) fn lamp_shared(&mut self, number: u32, shown: bool) {
        if let Some(contact) = self.shared_contact(number) {
            self.lamp_set(contact, shown);
        }
    }
}
