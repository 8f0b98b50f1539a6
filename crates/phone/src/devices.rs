//! Several handsets of one principal: they ring together, and the first to answer wins.
//!
//! ```text
//!  first handset (has the identity key)                         further handset, new
//!  AdmitDevice ─► device card ═══════ shown, scanned ═════════► RedeemCard ─► sibling group
//!  words compared: Verify ─► Admit{credential} ───────────────► is a device of the principal
//!  for each contact: Share{addresses, pairwise key, words} ───► kept ─► Join{key package}
//!  group made here:  commit add ─► contact;  Joined{welcome} ─► joins ─► key package to the contact
//!  group made there: AddDevice{key package} ─► its maker commits; Welcome to the principal's address
//! ```
//!
//! One device alone commits in a contact group, the one that made it (leaf 0), so that commits never cross.
//! Whoever commits tells its siblings (`Commit`). See docs/decisions/0013.

use core::time::Duration;

use call::contact::{Keys, Progress};
use seal::group::{Admit, Group, GroupKind, KeyPackages, UnverifiedKeyPackage, VerifiedKeyPackage};
use seal::identity::{Device, DevicePub, VerifiedDevice};
use wire::talk::{ContactMessage, Sealed, SiblingMessage};
use wire::{Address, Blob};

use crate::command::InputError;
use crate::contacts::{CONTACTS_MAX, Contact};
use crate::event::Event;
use crate::machine::{Effect, Phone};
use crate::mail::{Way, blob};
use crate::rows::ContactRow;

/// Most devices of one principal.
pub(crate) const DEVICES: usize = 8;
/// Handsets that wait to be let in, of all contacts together: memory. Who is not among them asks again.
const JOINS: usize = 64;
/// How long until a contact that was not taken over is offered again.
const SHARE_AGAIN: Duration = Duration::from_secs(60);

/// A handset that asked for a place in a contact's group while another commit was under way there.
pub(crate) struct Join {
    contact: u32,
    /// An own one. `None`: the contact's.
    sibling: Option<u32>,
    package: VerifiedKeyPackage,
}

impl Contact {
    /// The devices of the other side, as far as this one knows.
    pub(crate) fn devices(&self) -> Vec<DevicePub> {
        let members = self.group.as_ref().map(Group::members).unwrap_or_default();
        let theirs = members.iter().filter(|m| m.device.principal() == self.row.identity);
        theirs.map(|m| m.device.device()).collect()
    }

    fn has(&self, device: DevicePub) -> bool {
        let members = self.group.as_ref().map(Group::members).unwrap_or_default();
        members.iter().any(|m| m.device.device() == device)
    }

    fn is_shared(&self) -> bool {
        self.progress() == Progress::Accepted && !self.row.sibling && self.row.words.is_some()
    }
}

impl Phone {
    /// Seals a message for a sibling and mails it.
    pub(crate) fn mail_sibling(
        &mut self,
        sibling: u32,
        message: &SiblingMessage,
    ) -> Result<(), InputError> {
        let body = self.seal_bytes_for(sibling, &message.encode())?;
        self.post(sibling, body, false)
    }

    /// The siblings that are devices of the principal, and their devices. Empty but on the first handset.
    fn siblings(&self) -> Vec<(u32, DevicePub)> {
        let admitted = |c: &Contact| c.row.sibling && c.is_open() && c.row.used;
        let list = self.contacts.iter().filter(|(_, c)| self.identity.is_some() && admitted(c));
        list.filter_map(|(id, c)| Some((*id, *c.devices().first()?))).collect()
    }

    /// The words on both screens are the same: the new handset is a device of the principal.
    pub(crate) fn admit_device(&mut self, sibling: u32) -> Result<(), InputError> {
        let Some(identity) = &self.identity else { return Ok(()) };
        let record = self.contacts.get(&sibling).ok_or(InputError::NoSuch("contact"))?;
        let device =
            *record.devices().first().ok_or(InputError::WrongState("no device is there"))?;
        let credential = blob(identity.admit(&device).to_vec())?;
        let name = self.own.name.clone();
        self.mail_sibling(sibling, &SiblingMessage::Admit { credential, name })?;
        if let Some(record) = self.contacts.get_mut(&sibling) {
            record.row.used = true;
        }
        self.touched_contacts.insert(sibling);
        Ok(())
    }

    /// Offers contacts to siblings that do not have them yet.
    pub(crate) fn share_tick(&mut self) {
        let now = self.now;
        for (sibling, device) in self.siblings() {
            let due: Vec<u32> = self
                .contacts
                .iter()
                .filter(|(id, c)| {
                    let again = self.shared.get(&(**id, sibling)).is_none_or(|at| *at <= now);
                    c.is_shared() && !c.has(device) && again
                })
                .map(|(id, _)| *id)
                .collect();
            for contact in due {
                self.share(contact, sibling);
            }
        }
    }

    fn share(&mut self, contact: u32, sibling: u32) {
        self.shared.insert((contact, sibling), self.now + SHARE_AGAIN);
        let Some(row) = self.contacts.get(&contact).map(|c| c.row.clone()) else { return };
        let Some(words) = row.words else { return };
        let message = SiblingMessage::Share {
            number: contact,
            name: row.name,
            office: row.office,
            identity: row.identity,
            exchange: row.exchange,
            theirs: row.theirs,
            mine: row.mine,
            pairwise: row.pairwise,
            words,
            keys: row.keys,
            trusted: row.trusted,
            blocked: row.blocked,
        };
        // Without room for mail it is offered again in a minute.
        let _ = self.mail_sibling(sibling, &message);
        let more =
            [self.rules_message(contact), self.lamp_message(contact), self.grant_message(contact)];
        for message in more.into_iter().flatten() {
            let _ = self.mail_sibling(sibling, &message);
        }
    }

    /// The siblings that have a contact get its rules.
    pub(crate) fn share_rules(&mut self, contact: u32) {
        if let Some(message) = self.rules_message(contact) {
            // Without room for mail the sibling has the rules that were: a call that breaks these does not ring here.
            self.mail_siblings_with(contact, &message);
        }
    }

    /// Mails the siblings that have a contact what they have to know about it.
    pub(crate) fn mail_siblings_with(&mut self, contact: u32, message: &SiblingMessage) {
        for (sibling, device) in self.siblings() {
            if self.contacts.get(&contact).is_some_and(|c| c.is_shared() && c.has(device)) {
                let _ = self.mail_sibling(sibling, message);
            }
        }
    }

    /// On the first handset the further ones that it admitted; on a further one the first.
    pub(crate) fn all_siblings(&self) -> Vec<u32> {
        let first = self.identity.is_some();
        let one = |c: &Contact| c.row.sibling && c.is_open() && (c.row.used || !first);
        self.contacts.iter().filter(|(_, c)| one(c)).map(|(id, _)| *id).collect()
    }

    /// What was decided about a contact here is so on the siblings, too.
    pub(crate) fn share_change(&mut self, contact: u32) {
        for (sibling, device) in self.siblings() {
            if self.contacts.get(&contact).is_some_and(|c| c.is_shared() && c.has(device)) {
                self.share(contact, sibling);
            }
        }
    }

    /// A contact is withdrawn, here and on the siblings.
    pub(crate) fn unshare(&mut self, contact: u32) {
        let number = self.contacts.get(&contact).map(|c| c.row.shared).filter(|n| *n != 0);
        let message = SiblingMessage::Unshare { number: number.unwrap_or(contact) };
        let siblings = self.contacts.iter().filter(|(_, c)| c.row.sibling && c.is_open());
        for sibling in siblings.map(|(id, _)| *id).collect::<Vec<_>>() {
            // Without room for mail the sibling keeps a contact that does not answer any more.
            let _ = self.mail_sibling(sibling, &message);
        }
    }

    /// What another handset of this principal said.
    pub(crate) fn sibling_said(
        &mut self,
        sibling: u32,
        from: VerifiedDevice,
        message: &[u8],
        way: Way,
    ) {
        self.accepted(sibling);
        let Ok(message) = SiblingMessage::decode(message) else {
            self.dropped += 1;
            return;
        };
        // Only the first handset gives, and only a further one takes.
        let first = self.identity.is_some();
        let known = self.all_siblings().contains(&sibling);
        let done = match message {
            SiblingMessage::Admit { credential, name } => {
                self.admitted(sibling, credential.as_bytes(), name)
            }
            SiblingMessage::Join { number, key_package } if first => {
                self.let_in(sibling, from, number, key_package.as_bytes())
            }
            SiblingMessage::Unshare { number } if first && known => self.revoke_contact(number),
            SiblingMessage::Share { .. } if !first => self.take_over(sibling, message),
            SiblingMessage::Joined { number, welcome } if !first => {
                let contact = self.shared_contact(number);
                contact.map_or(Ok(()), |contact| self.join_shared(contact, welcome.as_bytes()))
            }
            SiblingMessage::Commit { number, message } if !first => {
                if let Some(contact) = self.shared_contact(number) {
                    self.contact_message(contact, message.as_bytes(), way);
                }
                Ok(())
            }
            SiblingMessage::Rules { number, staff, own, theirs } if !first => {
                if let Some(contact) = self.shared_contact(number) {
                    self.rules_shared(contact, staff, own, theirs);
                }
                Ok(())
            }
            SiblingMessage::Grant { number, own, theirs } if !first => {
                self.grant_shared(number, own, theirs);
                Ok(())
            }
            SiblingMessage::SetLamp { number, shown } if !first => {
                self.lamp_shared(number, shown);
                Ok(())
            }
            SiblingMessage::Away { on } if known => {
                self.away_shared(sibling, on);
                Ok(())
            }
            message @ (SiblingMessage::MoveOffer { .. }
            | SiblingMessage::MoveOver { .. }
            | SiblingMessage::MovePull { .. }
            | SiblingMessage::MoveHere { .. }
            | SiblingMessage::MoveEnded { .. })
                if known =>
            {
                match self.sibling_moves(sibling, message) {
                    true => Ok(()),
                    false => Err(InputError::NoSuch("contact")),
                }
            }
            message @ (SiblingMessage::ShiftOffer { .. }
            | SiblingMessage::ShiftTake { .. }
            | SiblingMessage::ShiftLeave { .. }
            | SiblingMessage::ShiftAppointment { .. }
            | SiblingMessage::ShiftHas { .. }
            | SiblingMessage::ShiftDone { .. })
                if known =>
            {
                self.sibling_shifts(sibling, message)
            }
            SiblingMessage::Unshare { number } if !first => {
                let contact = self.shared_contact(number);
                contact.map_or(Ok(()), |contact| self.revoke_contact(contact))
            }
            _ => Err(InputError::WrongState("a sibling said what is not its to say")),
        };
        if done.is_err() {
            self.dropped += 1;
        }
    }

    /// This handset is a device of the principal now, by the word of its first handset.
    fn admitted(
        &mut self,
        sibling: u32,
        credential: &[u8],
        name: wire::Text<{ wire::limits::NAME_MAX }>,
    ) -> Result<(), InputError> {
        // This side made the sibling group: it presented the card, and became the further device.
        let presented = |c: &&Contact| c.group.as_ref().is_some_and(|g| g.own_leaf() == 0);
        let principal = self.contacts.get(&sibling).filter(presented).map(|c| c.row.identity);
        let damaged = |_| InputError::WrongState("the credential is not for this handset");
        let mut bytes = zeroize::Zeroizing::new(self.device.to_bytes()[..32].to_vec());
        bytes.extend_from_slice(credential);
        let device = Device::from_bytes(&bytes).map_err(damaged)?;
        if Some(device.principal()) != principal || self.identity.is_none() {
            return Err(InputError::WrongState("the credential is not for this handset"));
        }
        self.own.device = blob(device.to_bytes().to_vec())?;
        self.own.identity = None;
        self.own.name = name;
        self.identity = None;
        self.device = device;
        // The words were compared, on the other screen.
        if let Some(record) = self.contacts.get_mut(&sibling) {
            record.row.keys = Keys::Verified.code();
        }
        self.touched_contacts.insert(sibling);
        self.save_own();
        self.after(Effect::Tell(Event::Admitted));
        Ok(())
    }

    /// This handset's number of a contact that the first handset shared.
    pub(crate) fn shared_contact(&self, number: u32) -> Option<u32> {
        let found = self.contacts.iter().find(|(_, c)| c.row.shared == number && number != 0);
        found.map(|(id, _)| *id)
    }

    /// A contact of the principal: new, or changed.
    fn take_over(&mut self, sibling: u32, message: SiblingMessage) -> Result<(), InputError> {
        let SiblingMessage::Share {
            number,
            name,
            office,
            identity,
            exchange,
            theirs,
            mine,
            pairwise,
            words,
            keys,
            trusted,
            blocked,
        } = message
        else {
            return Ok(());
        };
        if let Some(id) = self.shared_contact(number)
            && let Some(record) = self.contacts.get_mut(&id)
        {
            let row = &mut record.row;
            (row.name, row.trusted, row.blocked) = (name, trusted, blocked);
            row.keys = Keys::from_code(keys).unwrap_or(Keys::Unverified).code();
            self.touched_contacts.insert(id);
            return if record.group.is_some() { Ok(()) } else { self.ask_in(sibling, id, number) };
        }
        if self.contacts.len() >= CONTACTS_MAX {
            return Err(InputError::TooMany("contacts"));
        }
        let row = ContactRow {
            name,
            office,
            progress: Progress::Accepted.code(),
            keys: Keys::from_code(keys).unwrap_or(Keys::Unverified).code(),
            trusted,
            blocked,
            identity,
            mine,
            bound: None,
            unbound: false,
            exchange,
            theirs,
            pairwise,
            counter: 0,
            words: Some(words),
            said: 0,
            healed: self.wall(),
            used: false,
            sibling: false,
            shared: number,
            packages: Blob::default(),
            card: None,
        };
        let id = self.new_contact(Contact::new(row, None));
        self.ask_in(sibling, id, number)
    }

    /// Asks for a place in a contact's group. Private halves of earlier attempts are kept: one of them may
    /// have been let in already.
    fn ask_in(&mut self, sibling: u32, contact: u32, number: u32) -> Result<(), InputError> {
        let now = self.wall();
        let record = self.contacts.get_mut(&contact).ok_or(InputError::NoSuch("contact"))?;
        let kept = KeyPackages::restore(record.row.packages.as_bytes(), &self.device);
        let mut packages = kept.unwrap_or_default();
        if packages.len() >= DEVICES {
            packages = KeyPackages::new();
        }
        let key_package = blob(packages.create(&self.device, now)?)?;
        record.row.packages = blob(packages.snapshot(&self.device).to_vec())?;
        self.touched_contacts.insert(contact);
        self.mail_sibling(sibling, &SiblingMessage::Join { number, key_package })
    }

    /// A sibling wants into a contact's group: done here by its maker, or asked of it.
    fn let_in(
        &mut self,
        sibling: u32,
        from: VerifiedDevice,
        contact: u32,
        package: &[u8],
    ) -> Result<(), InputError> {
        let (own, now) = (self.device.principal(), self.wall());
        let verified = UnverifiedKeyPackage::parse(package)?.verify(&own, now)?;
        let device = verified.device().device();
        let record = self.contacts.get_mut(&contact).ok_or(InputError::NoSuch("contact"))?;
        let free = record.is_shared() && !record.has(device);
        if device != from.device() || !free {
            return Err(InputError::WrongState("a key package of another device than its sender"));
        }
        let group =
            record.group.as_mut().ok_or(InputError::WrongState("the contact has no keys"))?;
        if group.own_leaf() != 0 {
            let key_package = blob(package.to_vec())?;
            return self.mail_to(contact, &ContactMessage::AddDevice { key_package });
        }
        self.join(Join { contact, sibling: Some(sibling), package: verified })
    }

    /// A contact has a further device, and this handset's device made the group.
    pub(crate) fn add_device(&mut self, contact: u32, package: &[u8]) -> Result<(), InputError> {
        let now = self.wall();
        let record = self.contacts.get_mut(&contact).ok_or(InputError::NoSuch("contact"))?;
        if !record.is_told() {
            // The commit would tell it that this handset is here. It asks again.
            return Ok(());
        }
        let verified = UnverifiedKeyPackage::parse(package)?.verify(&record.row.identity, now)?;
        if record.has(verified.device().device()) || record.devices().len() >= DEVICES {
            return Err(InputError::TooMany("devices of one contact"));
        }
        let group =
            record.group.as_mut().ok_or(InputError::WrongState("the contact has no keys"))?;
        if group.own_leaf() != 0 {
            // Another device's to do.
            return Ok(());
        }
        self.join(Join { contact, sibling: None, package: verified })
    }

    /// Lets a handset in, or has it wait for the commit that is under way.
    fn join(&mut self, join: Join) -> Result<(), InputError> {
        let contact = join.contact;
        let device = join.package.device().device();
        let record = self.contacts.get_mut(&contact).filter(|c| c.is_open());
        let record = record.ok_or(InputError::NoSuch("contact"))?;
        // Asked again after a wait: meanwhile the owner may have withdrawn trust, or others have come in.
        let strange = join.sibling.is_none();
        if record.has(device) || strange && (!record.is_told() || record.devices().len() >= DEVICES)
        {
            return Ok(());
        }
        let group =
            record.group.as_mut().ok_or(InputError::WrongState("the contact has no keys"))?;
        if group.has_pending() {
            // What it asked with last counts: of that it has the private half for sure.
            self.joins.retain(|j| (j.contact, j.package.device().device()) != (contact, device));
            let waiting = self.joins.iter().filter(|j| j.contact == contact).count();
            if self.joins.len() < JOINS && waiting < DEVICES {
                self.joins.push(join);
            }
            return Ok(());
        }
        let added = group.add(&[join.package], &[])?;
        self.touched_groups.insert(contact);
        // Who waits to be let in comes first: the others have the contact, and hold back what is said in the new epoch.
        let welcome = blob(added.welcome)?;
        match join.sibling {
            Some(sibling) => {
                self.mail_sibling(sibling, &SiblingMessage::Joined { number: contact, welcome })?;
            }
            None => {
                let body = Sealed::Welcome { welcome, first: Blob::default() }.encode();
                self.post(contact, body, false)?;
            }
        }
        self.post_commit(contact, added.commit)
    }

    /// Lets in who waits, where the commit that was under way is through.
    pub(crate) fn joins_tick(&mut self) {
        let pending = |contact| {
            let record = self.contacts.get(&contact).and_then(|c| c.group.as_ref());
            record.is_some_and(Group::has_pending)
        };
        if self.joins.iter().all(|j| pending(j.contact)) {
            return;
        }
        for join in core::mem::take(&mut self.joins) {
            if self.join(join).is_err() {
                self.dropped += 1;
            }
        }
    }

    /// Mails an own commit to the contact, and to the siblings that are in the group.
    pub(crate) fn post_commit(&mut self, contact: u32, commit: Vec<u8>) -> Result<(), InputError> {
        let message = blob(commit)?;
        let body = Sealed::Contact { message: message.clone() }.encode();
        self.post(contact, body, false)?;
        for (sibling, device) in self.siblings() {
            if self.contacts.get(&contact).is_some_and(|c| c.has(device)) {
                let message = message.clone();
                self.mail_sibling(sibling, &SiblingMessage::Commit { number: contact, message })?;
            }
        }
        Ok(())
    }

    /// A Welcome at the address of a shared contact whose group this device is not in yet.
    pub(crate) fn welcomed_here(&mut self, address: Address, welcome: &[u8]) -> bool {
        let waits = |c: &Contact| c.row.mine == address && c.row.shared != 0 && c.group.is_none();
        let contact = self.contacts.iter().find(|(_, c)| waits(c)).map(|(id, _)| *id);
        contact.is_some_and(|contact| self.join_shared(contact, welcome).is_ok())
    }

    fn join_shared(&mut self, contact: u32, welcome: &[u8]) -> Result<(), InputError> {
        let damaged = |_| InputError::WrongState("the stored key packages are damaged");
        let record = self.contacts.get_mut(&contact).ok_or(InputError::NoSuch("contact"))?;
        if record.group.is_some() {
            return Ok(());
        }
        let mut packages =
            KeyPackages::restore(record.row.packages.as_bytes(), &self.device).map_err(damaged)?;
        let admit = Admit::one(record.row.identity);
        let kind = GroupKind::Contact;
        let group = Group::join(&self.device, &mut packages, welcome, kind, &[], admit)?;
        record.group = Some(group);
        record.row.packages = Blob::default();
        self.touched_contacts.insert(contact);
        self.touched_groups.insert(contact);
        self.after(Effect::Tell(Event::ContactAccepted { contact }));
        self.restock(contact, true);
        Ok(())
    }

    /// A further handset has nothing of its own that could be lost: only then can it become another's.
    pub(crate) fn check_new(&self) -> Result<(), InputError> {
        let live = |c: &Contact| c.is_open() || c.is_redeeming();
        match self.contacts.values().any(live) || !self.cards.is_empty() || self.identity.is_none()
        {
            true => Err(InputError::WrongState(
                "this handset has contacts or cards of its own: use a new one as a further device",
            )),
            false => Ok(()),
        }
    }
}
