//! Keys of calls that have not been placed yet, so that ringing needs one message and answering no handshake.
//!
//! ```text
//!  callee's device ── KeyPackage ──► caller: makes the call group, bound by a PSK ── Prepare ──► callee: joins ── Prepared ──►
//!                                    Prepared call, until it is placed                           Joined, until it rings
//! ```
//!
//! None of it is written to disk. A handset that starts sends new key packages and asks for new ones; what
//! was prepared with the old ones is dropped. For each device of the callee there are groups of its own,
//! under one name of the call: one, or a few when key packages crossed; the callee answers in whichever it has.

use seal::group::{Admit, Group, GroupError, GroupKind, Psk, UnverifiedKeyPackage};
use seal::identity::{DevicePub, VerifiedDevice};
use seal::sframe::{Opener, Sealer};
use wire::talk::ContactMessage;
use wire::{Blob, CallId};

use crate::command::InputError;
use crate::devices::DEVICES;
use crate::event::Event;
use crate::machine::{Effect, Phone};
use crate::mail::{Way, blob};
use crate::ring::Stage;

/// The call group with one device of the other side, and its voice keys.
pub(crate) struct Keyed {
    pub(crate) device: DevicePub,
    pub(crate) group: Group,
    pub(crate) sealer: Sealer,
    pub(crate) opener: Opener,
}

impl Keyed {
    /// `group` has exactly this device and `device` as members.
    fn new(mut group: Group, device: DevicePub) -> Result<Self, InputError> {
        let wrong = InputError::WrongState("the call group has other members than it must");
        let other = group.members().iter().find(|m| m.device.device() == device).map(|m| m.leaf);
        let (Some(leaf), 2) = (other, group.members().len()) else { return Err(wrong) };
        let mut keys = group.epoch_keys()?;
        let closed = |_| InputError::WrongState("the voice keys cannot be used");
        let opener = Opener::new(&keys, leaf).map_err(closed)?;
        let sealer = Sealer::new(&mut keys).map_err(closed)?;
        Ok(Keyed { device, group, sealer, opener })
    }
}

/// Most groups of one call with one device that are kept.
const GROUPS: usize = 4;

/// Keeps a caller's newest group. Older ones with the same device stay for a while: the device may have joined one of them, and
/// answer before it hears of the newer one.
pub(crate) fn keep(list: &mut Vec<Keyed>, keyed: Keyed) {
    let device = keyed.device;
    let other = list.iter().filter(|k| k.device != device).map(|k| k.device.0);
    if other.collect::<std::collections::BTreeSet<_>>().len() >= DEVICES {
        return;
    }
    let mut same = list.iter().enumerate().filter(|(_, k)| k.device == device).map(|(i, _)| i);
    if let (Some(oldest), GROUPS) = (same.next(), 1 + same.count() + 1) {
        list.remove(oldest);
    }
    list.push(keyed);
}

/// What is ready for the next calls with one contact.
#[derive(Default)]
pub(crate) struct Stock {
    /// The next call to this contact, and the groups with its devices that gave key packages.
    pub(crate) prepared: Option<(CallId, Vec<Keyed>)>,
    /// The next call from each of its devices.
    joined: Vec<(CallId, Keyed)>,
}

impl Stock {
    /// Whether a call would find its keys ready.
    pub(crate) fn is_ready(&self) -> bool {
        self.prepared.as_ref().is_some_and(|(_, keyed)| !keyed.is_empty())
    }

    /// The keys of a call that comes in.
    pub(crate) fn take_joined(&mut self, call: CallId) -> Option<Keyed> {
        let at = self.joined.iter().position(|(name, _)| *name == call)?;
        Some(self.joined.swap_remove(at).1)
    }
}

impl Phone {
    /// A key package of this device, for the next call of a contact.
    pub(crate) fn key_package(
        &mut self,
        to: DevicePub,
        want: bool,
    ) -> Result<ContactMessage, InputError> {
        let now = self.wall();
        self.stock.prune(now);
        let key_package = blob(self.stock.create(&self.device, now)?)?;
        Ok(ContactMessage::KeyPackage { to: to.0, key_package, want })
    }

    /// Sends each device of a contact a key package; with `want`, asks for one in return.
    pub(crate) fn restock(&mut self, contact: u32, want: bool) {
        let Some(record) = self.contacts.get_mut(&contact).filter(|c| !c.row.sibling) else {
            return;
        };
        record.stocked = true;
        for device in record.devices() {
            self.restock_device(contact, device, want);
        }
    }

    /// The same, when the line is next up.
    pub(crate) fn restock_later(&mut self, contact: u32) {
        if let Some(record) = self.contacts.get_mut(&contact) {
            record.stocked = false;
        }
    }

    fn restock_device(&mut self, contact: u32, device: DevicePub, want: bool) {
        if let Ok(message) = self.key_package(device, want) {
            // Without room for mail the next call costs a handshake; nothing is lost.
            let _ = self.mail_to(contact, &message);
        }
    }

    /// After a start: new key packages for those who may know that this handset is here.
    pub(crate) fn restock_all(&mut self) {
        let due: Vec<u32> = self
            .contacts
            .iter()
            .filter(|(_, c)| c.is_open() && !c.stocked && c.is_told() && !c.row.unbound)
            .map(|(id, _)| *id)
            .collect();
        for contact in due {
            let want = self.contacts.get(&contact).is_some_and(|c| !c.stock.is_ready());
            self.restock(contact, want);
        }
    }

    /// Over the leg of a call that rings here, and whose keys are not there.
    pub(crate) fn package_over_leg(&mut self, call: u32) {
        let calling = self.calls.get(&call).and_then(|c| Some((c.contact, c.leg?, c.device?)));
        let Some((contact, leg, device)) = calling else { return };
        if let Ok(message) = self.key_package(device, false) {
            self.say_over_leg(contact, leg, &message);
        }
    }

    /// A contact's device gives a key package: for the call that is being placed, or the next one.
    pub(crate) fn package_came(
        &mut self,
        contact: u32,
        from: VerifiedDevice,
        package: &[u8],
        want: bool,
        way: Way,
    ) {
        if let Way::Leg(leg) = way
            && let Some(id) = self.bringing_on(leg)
        {
            return self.newcomer_package(id, leg, contact, from, package);
        }
        if let Way::Leg(leg) = way
            && let Some((id, asked)) = self.relay_on(leg)
        {
            if asked == contact {
                self.relay_package(id, leg, contact, from, package);
            }
            return;
        }
        let placing = match way {
            Way::Leg(leg) => self
                .calls
                .iter_mut()
                .find(|(_, c)| c.leg == Some(leg) && matches!(c.stage, Stage::Outgoing(_))),
            Way::Mail(_) | Way::Aside => None,
        };
        let placing = placing.map(|(id, c)| (*id, c.name, c.reached()));
        if matches!((&placing, way), (None, Way::Leg(_))) {
            return;
        }
        if placing.is_none() && !self.may_answer(contact, from.device()) {
            return;
        }
        let fresh = placing.map_or_else(|| CallId(self.random()), |(_, name, _)| name);
        let Ok((keyed, prepare)) = self.make_call_group(contact, from, package, fresh, way) else {
            self.dropped += 1;
            return;
        };
        match (placing, way) {
            (Some((call, ..)), Way::Leg(leg)) => {
                if let Some(call) = self.calls.get_mut(&call) {
                    call.keys_came(keyed);
                }
                self.say_over_leg(contact, leg, &prepare);
                self.tell_state(call);
            }
            _ => {
                let Some(record) = self.contacts.get_mut(&contact) else { return };
                let (_, list) = record.stock.prepared.get_or_insert_with(|| (fresh, Vec::new()));
                keep(list, keyed);
                let told = record.is_told();
                let _ = self.mail_to(contact, &prepare);
                if want && told {
                    self.restock_device(contact, from.device(), false);
                }
            }
        }
    }

    /// Whether a key package that came as mail is answered at once. Who may not know that this handset is here
    /// gets one answer, when the contact is made, and then none until its owner calls: else it would ask all day.
    fn may_answer(&self, contact: u32, device: DevicePub) -> bool {
        let has = |k: &Keyed| k.device == device;
        self.contacts.get(&contact).is_some_and(|c| {
            let prepared = c.stock.prepared.as_ref().is_some_and(|(_, list)| list.iter().any(has));
            c.is_told() || (c.stocked && !prepared)
        })
    }

    /// The group of one call with one device, and the message that lets it in.
    fn make_call_group(
        &mut self,
        contact: u32,
        from: VerifiedDevice,
        package: &[u8],
        fresh: CallId,
        way: Way,
    ) -> Result<(Keyed, ContactMessage), InputError> {
        let now = self.wall();
        let psk: [u8; 32] = self.random();
        let record = self.contacts.get(&contact).ok_or(InputError::NoSuch("contact"))?;
        let call = match (way, &record.stock.prepared) {
            (Way::Mail(_), Some((call, _))) => *call,
            _ => fresh,
        };
        let identity = record.row.identity;
        let package = UnverifiedKeyPackage::parse(package)?.verify(&identity, now)?;
        if package.device() != from {
            return Err(InputError::WrongState("a key package of another device than its sender"));
        }
        let mut group = Group::create(&self.device, GroupKind::Call, Admit::one(identity))?;
        let added = group.add(&[package], &[Psk::new(call.0, psk)])?;
        let keyed = Keyed::new(group, from.device())?;
        let welcome = Blob::new(added.welcome)?;
        Ok((keyed, ContactMessage::Prepare { call, psk, welcome }))
    }

    /// A contact's device made the group of its next call to this device (or to another one of the
    /// principal's, and then the Welcome is for no key package of this one).
    pub(crate) fn prepared_for_me(
        &mut self,
        contact: u32,
        from: VerifiedDevice,
        call: CallId,
        psk: [u8; 32],
        welcome: &[u8],
        way: Way,
    ) {
        let Some(record) = self.contacts.get_mut(&contact) else { return };
        let (psks, admit) = ([Psk::new(call.0, psk)], Admit::one(record.row.identity));
        let joined =
            Group::join(&self.device, &mut self.stock, welcome, GroupKind::Call, &psks, admit);
        let keyed = match joined {
            Ok(group) => Keyed::new(group, from.device()),
            // For a sibling, or made with the stock of an earlier run.
            Err(GroupError::NoKeyPackage) => return,
            Err(error) => Err(error.into()),
        };
        let Ok(keyed) = keyed else {
            self.dropped += 1;
            return;
        };
        let told = record.is_told();
        let keyed = match way {
            Way::Leg(leg) => self.arrival_keyed(leg, keyed),
            Way::Mail(_) | Way::Aside => Some(keyed),
        };
        let Some(keyed) = keyed else { return };
        if let Some(id) = self.live(contact, call) {
            self.keys_for(id, keyed);
            return;
        }
        let Some(record) = self.contacts.get_mut(&contact) else { return };
        record.stock.joined.retain(|(_, k)| k.device != keyed.device);
        if record.stock.joined.len() < DEVICES {
            record.stock.joined.push((call, keyed));
        }
        if told {
            match way {
                // Failing to say so changes nothing but what the other side shows.
                Way::Mail(_) | Way::Aside => {
                    drop(self.mail_to(contact, &ContactMessage::Prepared { call }))
                }
                Way::Leg(leg) => {
                    self.say_over_leg(contact, leg, &ContactMessage::Prepared { call })
                }
            }
        }
    }

    /// The keys of the next call are there, at the other side.
    pub(crate) fn prepared_there(&mut self, contact: u32, call: CallId) {
        let stock = self.contacts.get(&contact).and_then(|c| c.stock.prepared.as_ref());
        if stock.is_some_and(|(name, _)| *name == call) {
            self.after(Effect::Tell(Event::ContactReady { contact }));
        }
    }
}
