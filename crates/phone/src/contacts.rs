//! Contacts: redeeming a card, being accepted, names, words, healing, the end.
//!
//! ```text
//!  RedeemCard ─► row (pairwise key) ─► Redeem ─► Offer ─► contact group ─► RegisterBound ─► Post(Welcome) ─► Accepted
//! ```
//!
//! A phone that is killed in between asks again with the same pairwise key, and gets the same offer until
//! its first mail has arrived.

use core::time::Duration;

use call::contact::{Keys, Progress};
use call::{Busyness, Kind as CallKind, Policy, Verdict};
use seal::card::{Kind, UnverifiedCard};
use seal::group::{Admit, Bucket, Change, Group, GroupKind, Psk, UnverifiedKeyPackage};
use seal::pairwise::PairwiseKey;
use wire::limits::TEXT_MAX;
use wire::talk::{ContactMessage, Offer, Sealed};
use wire::{Address, Blob, Text, Wall};

use crate::command::InputError;
use crate::event::Event;
use crate::lamps::ContactLamp;
use crate::machine::{Effect, NOTES_MAX, Phone, Task, name};
use crate::mail::{Way, blob};
use crate::rows::{self, ContactRow, GrantRow, LampRow, NoteRow, RulesRow};
use crate::stock::Stock;

/// Most contacts.
pub(crate) const CONTACTS_MAX: usize = 1_000;
/// The contact group's keys are renewed after so many messages, or so long.
const HEAL_SAID: u32 = 100;
const HEAL_AFTER: u64 = 86_400;
/// A return address does not run out; the card that names it has to say something.
const RETURN_TTL: Duration = Duration::from_secs(3_650 * 86_400);

/// Somebody.
pub(crate) struct Contact {
    pub(crate) row: ContactRow,
    pub(crate) group: Option<Group>,
    pub(crate) pairwise: PairwiseKey,
    pub(crate) stock: Stock,
    pub(crate) rules: RulesRow,
    pub(crate) grant: GrantRow,
    pub(crate) lamp: ContactLamp,
    /// Has a key package of this run of the program.
    pub(crate) stocked: bool,
}

impl Contact {
    pub(crate) fn new(row: ContactRow, group: Option<Group>) -> Self {
        let pairwise = PairwiseKey::from_bytes(&row.pairwise);
        let (stock, rules) = (Stock::default(), RulesRow::none());
        let (grant, lamp) = (GrantRow::none(), ContactLamp::new(LampRow::none()));
        Contact { row, group, pairwise, stock, rules, grant, lamp, stocked: false }
    }

    pub(crate) fn progress(&self) -> Progress {
        Progress::from_code(self.row.progress).unwrap_or(Progress::Revoked)
    }

    pub(crate) fn keys(&self) -> Keys {
        Keys::from_code(self.row.keys).unwrap_or(Keys::Alarmed)
    }

    pub(crate) fn is_redeeming(&self) -> bool {
        self.progress() == Progress::Redeeming
    }

    /// Whether messages can go to and fro.
    pub(crate) fn is_open(&self) -> bool {
        self.progress().is_open()
    }

    fn policy(&self) -> Policy {
        let trusted = match self.row.trusted {
            0 => None,
            n => Some(n == 2),
        };
        Policy { trusted, blocked: self.row.blocked }
    }

    /// Whether it may know what this handset does.
    pub(crate) fn is_told(&self) -> bool {
        self.policy().tells(self.keys().deserve_trust())
    }

    /// What becomes of its call.
    pub(crate) fn verdict(&self, kind: CallKind, at: Wall, busy: Busyness) -> Verdict {
        let broken = call::broken(&self.rules.own, kind, at);
        match self.keys() {
            Keys::Alarmed => Verdict::Drop,
            keys => call::admit(self.policy(), keys.deserve_trust(), broken, busy),
        }
    }
}

impl Phone {
    pub(crate) fn contact_mut(&mut self, contact: u32) -> Result<&mut Contact, InputError> {
        self.contacts.get_mut(&contact).ok_or(InputError::NoSuch("contact"))
    }

    /// To whom an address was given.
    pub(crate) fn contact_at(&self, address: Address) -> Option<u32> {
        let found = self.contacts.iter().find(|(_, c)| c.row.mine == address && c.is_open());
        found.map(|(id, _)| *id)
    }

    pub(crate) fn new_contact(&mut self, contact: Contact) -> u32 {
        let id = self.contacts.last_key_value().map_or(1, |(last, _)| last + 1);
        self.contacts.insert(id, contact);
        self.touched_contacts.insert(id);
        self.touched_groups.insert(id);
        id
    }

    pub(crate) fn redeem_card(&mut self, text: &str, in_person: bool) -> Result<(), InputError> {
        self.own_exchange()?;
        let card = UnverifiedCard::from_link(text)?.verify(self.wall())?;
        let fields = card.fields();
        if card.issuer() == self.device.principal() {
            return Err(InputError::OwnCard);
        }
        let sibling = fields.kind == Kind::Device;
        if sibling {
            if fields.exchange.key != self.own_exchange()?.key {
                return Err(InputError::WrongState(
                    "this card is for a further handset of its issuer, at the issuer's own exchange",
                ));
            }
            self.check_new()?;
        }
        let live = |p: Progress| p.is_open() || p == Progress::Redeeming;
        let known = |c: &Contact| {
            c.row.identity == card.issuer() && live(c.progress()) && c.keys() != Keys::Alarmed
        };
        if self.contacts.values().any(known) {
            return Err(InputError::KnownContact);
        }
        if self.contacts.len() >= CONTACTS_MAX {
            return Err(InputError::TooMany("contacts"));
        }
        let pairwise = PairwiseKey::generate(&mut self.rng);
        let row = ContactRow {
            name: fields.name.clone(),
            office: fields.office.clone(),
            progress: Progress::Redeeming.code(),
            keys: if in_person { Keys::Pinned } else { Keys::Unverified }.code(),
            trusted: 0,
            blocked: false,
            identity: card.issuer(),
            mine: Address(self.random()),
            bound: None,
            unbound: false,
            exchange: fields.exchange.clone(),
            theirs: fields.address,
            pairwise: *pairwise.to_bytes(),
            counter: 0,
            words: None,
            said: 0,
            healed: self.wall(),
            used: false,
            sibling,
            shared: 0,
            packages: Blob::default(),
            card: Some(*card.psk().secret),
        };
        let contact = self.new_contact(Contact::new(row, None));
        self.after(Effect::Begin(Task::Redeem(contact)));
        Ok(())
    }

    /// The card was taken: this is what its issuer left.
    pub(crate) fn offered(&mut self, contact: u32, offer: &[u8]) {
        let Some(progress) = self.contacts.get(&contact).and_then(|c| c.progress().offered())
        else {
            return;
        };
        if self.make_group(contact, offer, progress).is_err() {
            // What the other exchange gave is not the issuer's.
            self.refuse_contact(contact);
        }
    }

    fn make_group(&mut self, id: u32, offer: &[u8], progress: Progress) -> Result<(), InputError> {
        let Offer::KeyPackage { key_package, bound } = Offer::decode(offer)?;
        let now = self.wall();
        let contact = self.contacts.get(&id).ok_or(InputError::NoSuch("contact"))?;
        let (identity, mine) = (contact.row.identity, contact.row.mine);
        let package =
            UnverifiedKeyPackage::parse(key_package.as_bytes())?.verify(&identity, now)?;
        let mut group = Group::create(&self.device, GroupKind::Contact, Admit::one(identity))?;
        let kind = if contact.row.sibling { Kind::Device } else { Kind::Contact };
        // A further handset changes its principal while it is in this group.
        group.admit(self.device.principal());
        // Only who holds the card can make this group: exchanges saw nothing of it but the address.
        let secret = contact.row.card.ok_or(InputError::WrongState("the card is not there"))?;
        let added = group.add(&[package], &[Psk::new(contact.row.theirs.0, secret)])?;
        let expiry = Wall(now.0.saturating_add(RETURN_TTL.as_secs()));
        let card = self.make_card(kind, mine, expiry)?;
        let introduce = ContactMessage::Introduce { card: blob(card.to_bytes().to_vec())? };
        let first = blob(group.encrypt(&introduce.encode(), Bucket::Small)?)?;
        let body = Sealed::Welcome { welcome: blob(added.welcome)?, first }.encode();
        let words = group.authenticator();
        let contact = self.contact_mut(id)?;
        contact.group = Some(group);
        contact.row.words = Some(words);
        contact.row.card = None;
        contact.row.progress = progress.code();
        contact.row.bound = Some(bound);
        contact.row.unbound = true;
        self.touched_contacts.insert(id);
        self.touched_groups.insert(id);
        self.post(id, body, true)?;
        self.after(Effect::Begin(Task::Bind(id)));
        Ok(())
    }

    /// The card is not valid (any more).
    pub(crate) fn refuse_contact(&mut self, contact: u32) {
        let Some(record) = self.contacts.get_mut(&contact) else { return };
        let Some(progress) = record.progress().refused() else { return };
        record.row.progress = progress.code();
        record.row.card = None;
        self.touched_contacts.insert(contact);
        self.after(Effect::Tell(Event::ContactRefused { contact }));
    }

    /// The return address is bound, and on the exchange's disk. An address that is taken is taken by this
    /// very handset, which did not hear of it before: nobody else knows it.
    pub(crate) fn bound(&mut self, contact: u32, _: bool) {
        let Some(record) = self.contacts.get_mut(&contact) else { return };
        record.row.unbound = false;
        self.touched_contacts.insert(contact);
        self.release_mail(contact);
    }

    /// The issuer has this handset as a contact.
    pub(crate) fn accepted(&mut self, contact: u32) {
        let Some(record) = self.contacts.get_mut(&contact) else { return };
        let Some(progress) = record.progress().accepted() else { return };
        record.row.progress = progress.code();
        self.touched_contacts.insert(contact);
        self.after(Effect::Tell(Event::ContactAccepted { contact }));
        self.restock(contact, false);
        self.tell_rules();
        self.watch_lines();
    }

    pub(crate) fn rename_contact(&mut self, contact: u32, text: String) -> Result<(), InputError> {
        let text = name(text)?;
        self.contact_mut(contact)?.row.name = text;
        self.touched_contacts.insert(contact);
        self.share_change(contact);
        self.tell_rules();
        Ok(())
    }

    pub(crate) fn verify(&mut self, contact: u32, matches: bool) -> Result<(), InputError> {
        let record = self.contact_mut(contact)?;
        if record.row.words.is_none() {
            return Err(InputError::WrongState("there are no words to compare yet"));
        }
        record.row.keys = record.keys().compared(matches).code();
        let admit = record.row.sibling && record.keys() == Keys::Verified;
        self.touched_contacts.insert(contact);
        if !matches {
            self.end_calls_with(contact);
        }
        self.share_change(contact);
        self.tell_rules();
        if admit { self.admit_device(contact) } else { Ok(()) }
    }

    pub(crate) fn revoke_contact(&mut self, contact: u32) -> Result<(), InputError> {
        let record = self.contact_mut(contact)?;
        let open = match record.progress() {
            Progress::Revoked => return Ok(()),
            Progress::Gone | Progress::Refused | Progress::Redeeming => false,
            Progress::Redeemed | Progress::Accepted => true,
        };
        let (address, sibling) = (record.row.mine, record.row.sibling);
        self.end_calls_with(contact);
        if !sibling {
            self.unshare(contact);
        }
        // No farewell: to its contact, a revoked address looks like an owner who is away.
        self.close_contact(contact, Progress::Revoked);
        if open {
            self.withdraw(address);
        }
        Ok(())
    }

    /// The contact ended it.
    pub(crate) fn gone(&mut self, contact: u32) {
        let Some(address) = self.contacts.get(&contact).map(|c| c.row.mine) else { return };
        self.end_calls_with(contact);
        self.close_contact(contact, Progress::Gone);
        self.withdraw(address);
        self.after(Effect::Tell(Event::ContactGone { contact }));
    }

    /// Forgets the keys, and the mail that waits.
    fn close_contact(&mut self, contact: u32, progress: Progress) {
        if let Some(record) = self.contacts.get_mut(&contact) {
            record.row.progress = progress.code();
            record.group = None;
            record.stock = Stock::default();
        }
        self.touched_contacts.insert(contact);
        self.desk.delete(rows::GROUP, rows::key32(contact));
        self.forget_rules(contact);
        self.forget_lamp(contact);
        self.forget_delegations(contact);
        self.forget_managing(contact);
        let mail: Vec<u64> =
            self.mail.iter().filter(|(_, m)| m.contact == contact).map(|(o, _)| *o).collect();
        for order in mail {
            self.mail.remove(&order);
            self.tasks.remove(&Task::Post(order));
            self.desk.delete(rows::MAIL, rows::key64(order));
        }
        let held: Vec<u64> =
            self.held.iter().filter(|(_, h)| h.contact == contact).map(|(o, _)| *o).collect();
        for order in held {
            self.held.remove(&order);
            self.desk.delete(rows::HELD, rows::key64(order));
        }
    }

    /// A message of an epoch that is still to come. If it opens there, it proves that the other side has an own
    /// commit that is pending here. The number of an epoch alone proves nothing: any exchange can write it.
    pub(crate) fn ahead(&mut self, contact: u32, message: &[u8], way: Way) {
        let Some(group) = self.contacts.get_mut(&contact).and_then(|c| c.group.as_mut()) else {
            return;
        };
        if group.opens_after_pending(message) && group.merge_pending().is_ok() {
            self.touched_groups.insert(contact);
            self.contact_message(contact, message, way);
            self.release_held(contact);
            return;
        }
        match way {
            Way::Mail(at) => self.hold_back(contact, message, at),
            Way::Leg(leg) => self.hold_early(leg, contact, message),
            // What came aside is of this moment: its sender says it again.
            Way::Aside => self.dropped += 1,
        }
    }

    /// The contact group has a new epoch. Its maker learns that by the next message: say one.
    pub(crate) fn epoch_changed(&mut self, contact: u32, _: &Change) {
        self.touched_groups.insert(contact);
        self.release_held(contact);
        // Whoever may not know that this handset is here learns it by the next message that a person sends.
        if self.contacts.get(&contact).is_some_and(Contact::is_told) {
            // Failing to answer only delays the maker's step.
            let _ = self.mail_to(contact, &ContactMessage::Healed {});
        }
    }

    /// Renews the keys of contact groups, in quiet times. Only the maker of a group commits, so that two
    /// commits never cross. The commit stays pending until the other side speaks in the new epoch.
    pub(crate) fn heal_tick(&mut self) {
        if !self.attached() || !self.calls.is_empty() || !self.mail.is_empty() {
            return;
        }
        let now = self.wall();
        let due = |c: &Contact| {
            let old = c.row.said > 0 && now.0 >= c.row.healed.0.saturating_add(HEAL_AFTER);
            c.progress() == Progress::Accepted
                && !c.row.sibling
                && (c.row.said >= HEAL_SAID || old)
                && c.group.as_ref().is_some_and(|g| g.own_leaf() == 0 && !g.has_pending())
        };
        let Some(contact) = self.contacts.iter().find(|(_, c)| due(c)).map(|(id, _)| *id) else {
            return;
        };
        let Some(record) = self.contacts.get_mut(&contact) else { return };
        record.row.said = 0;
        record.row.healed = now;
        let Some(Ok(commit)) = record.group.as_mut().map(Group::self_update) else { return };
        self.touched_contacts.insert(contact);
        self.touched_groups.insert(contact);
        // Full of mail: it was not, above.
        let _ = self.post_commit(contact, commit);
    }

    pub(crate) fn note(&mut self, contact: u32, text: String) -> Result<(), InputError> {
        let long = |_| InputError::TooLong { what: "text", max: TEXT_MAX };
        let text: Text<TEXT_MAX> = Text::new(text).map_err(long)?;
        let (id, at) = (self.random(), self.wall());
        self.mail_to(contact, &ContactMessage::Note { id, at, text: text.clone() })?;
        self.keep_note(NoteRow { contact, id, sent: true, at, text, card: None });
        Ok(())
    }

    pub(crate) fn note_came(&mut self, contact: u32, id: [u8; 16], at: Wall, text: Text<TEXT_MAX>) {
        if self.notes.values().any(|n| n.contact == contact && n.id == id && !n.sent) {
            return;
        }
        self.keep_note(NoteRow { contact, id, sent: false, at, text, card: None });
        self.after(Effect::Tell(Event::Note { contact }));
    }

    pub(crate) fn hand_card(&mut self, contact: u32, text: &str) -> Result<(), InputError> {
        let card = UnverifiedCard::from_link(text)?.verify(self.wall())?;
        let card: Blob<{ wire::limits::CARD_MAX }> = blob(card.to_bytes().to_vec())?;
        self.mail_to(contact, &ContactMessage::HandCard { card: card.clone() })?;
        let (id, at) = (self.random(), self.wall());
        let card = Some(card);
        self.keep_note(NoteRow { contact, id, sent: true, at, text: Text::default(), card });
        Ok(())
    }

    pub(crate) fn card_handed(&mut self, contact: u32, card: Blob<{ wire::limits::CARD_MAX }>) {
        let (id, at) = (self.random(), self.wall());
        let card = Some(card);
        self.keep_note(NoteRow { contact, id, sent: false, at, text: Text::default(), card });
        self.after(Effect::Tell(Event::CardHanded { contact }));
    }

    fn keep_note(&mut self, row: NoteRow) {
        while self.notes.len() >= NOTES_MAX {
            let Some((old, _)) = self.notes.pop_first() else { break };
            self.desk.delete(rows::NOTE, rows::key64(old));
        }
        let order = self.notes.last_key_value().map_or(1, |(last, _)| last + 1);
        self.desk.put(rows::NOTE, rows::key64(order), row.encode());
        self.notes.insert(order, row);
    }
}
