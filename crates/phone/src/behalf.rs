//! Calls on somebody's behalf: what the owner lets an attendant do, what an attendant may do here, and what is true of a caller
//! who says so.
//!
//! ```text
//!  principal                                  attendant                                    who is called
//!  Delegate ─► row ── Delegate{signed, 8 h} ══► row ── CallFor ── Invite, Behalf{signed} ══► signed? for this caller? not expired?
//!     └ every 2 h anew, while it holds                                                        └ by the key of a contact that is verified
//!  RevokeDelegation ── Undelegate ════════════► row gone                                          yes: on behalf of  │  no: says so
//! ```
//!
//! Whoever is brought into such a call hears it like whoever is called. What is shown is short-lived, so that one that was revoked is not accepted for long. See docs/decisions/0047.

use core::time::Duration;

use call::Direction;
use call::contact::Progress;
use seal::delegation::{DelegationError, Rights, UnverifiedDelegation, VerifiedDelegation, sign};
use wire::limits::{DELEGATION_MAX, NAME_MAX};
use wire::talk::ContactMessage;
use wire::{Blob, CallId, Leg, Precedence, Text, Wall};

use crate::command::InputError;
use crate::contacts::Contact;
use crate::event::Event;
use crate::machine::{Effect, Phone};
use crate::mail::{Way, blob};
use crate::ring::{Call, Stage};
use crate::rows::{self, DelegationRow, WarrantRow};

/// For how long a signature holds: what was revoked is accepted no longer than that. Seconds.
const LIVES: u64 = 8 * 3_600;
/// A new one is signed when less is left. Seconds.
const RENEW: u64 = 6 * 3_600;
/// How long until a new one is tried again.
const AGAIN: Duration = Duration::from_secs(60);
/// Most delegations that are kept, those included that are over.
const DELEGATIONS: usize = 64;

/// A delegation of the owner's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DelegationView {
    /// Its number.
    pub number: u64,
    /// To whom.
    pub contact: u32,
    /// What.
    pub rights: Rights,
    /// Until when the owner gave it.
    pub until: Wall,
    /// How it stands.
    pub state: DelegationState,
    /// Until when what the attendant has to show is accepted: also if it was revoked meanwhile.
    pub shown_until: Wall,
}

/// How a delegation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DelegationState {
    /// It holds, and is signed anew.
    InForce,
    /// Its time is over.
    Expired,
    /// The owner took it back.
    Revoked,
}

/// For whom a call is, besides the two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BehalfView {
    /// Placed, answered or joined here, for a principal.
    Mine {
        /// In whose name.
        name: String,
    },
    /// The caller showed a delegation that a verified contact of the owner's signed for it.
    Verified {
        /// On whose behalf it calls: the owner's number of that contact.
        contact: u32,
        /// The owner's name of that contact.
        name: String,
    },
    /// The caller says so. Nothing proves it.
    Claimed {
        /// Whom it names.
        name: String,
        /// Why it is not believed.
        why: Unproved,
    },
}

/// Why a caller is not believed who says on whose behalf it calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unproved {
    /// The delegation is of somebody who is no contact here: that key can be anybody's.
    Stranger,
    /// It is of a contact whose keys nobody verified.
    NotVerified,
    /// It has expired.
    Expired,
    /// It is another attendant's.
    OtherAttendant,
    /// It is genuine, but not for placing calls.
    NotForCalls,
    /// It is none, or was altered.
    Forged,
}

/// What a caller says of itself.
pub(crate) enum Behalf {
    /// Placed here, for this contact.
    Mine(u32),
    /// Verified when it came: by this contact's key.
    Signed {
        by: u32,
        name: String,
    },
    Claimed {
        name: String,
        why: Unproved,
    },
}

impl Phone {
    // ---- the principal -------------------------------------------------------------------------

    /// The owner lets a contact do things in the owner's name.
    pub(crate) fn delegate(
        &mut self,
        contact: u32,
        rights: Rights,
        ttl: Duration,
    ) -> Result<(), InputError> {
        if self.identity.is_none() {
            return Err(InputError::WrongState(
                "delegations are given on your first handset, which alone can sign them",
            ));
        }
        if !rights.is_meant() {
            return Err(InputError::WrongState("there is nothing in this delegation"));
        }
        let record = self.contacts.get(&contact).ok_or(InputError::NoSuch("contact"))?;
        if record.progress() != Progress::Accepted
            || record.row.sibling
            || !record.keys().deserve_trust()
        {
            return Err(InputError::WrongState(
                "a delegation is for somebody whose keys are known: verify this contact first",
            ));
        }
        // One for each attendant: a new one takes the place of the old.
        for number in self.in_force_of(contact) {
            self.revoke_delegation(number)?;
        }
        if self.delegations.len() >= DELEGATIONS {
            let over = |r: &DelegationRow| r.state(self.wall()) != DelegationState::InForce;
            let oldest = self.delegations.iter().find(|(_, r)| over(r)).map(|(n, _)| *n);
            let oldest = oldest.ok_or(InputError::TooMany("delegations"))?;
            self.delegations.remove(&oldest);
            self.desk.delete(rows::DELEGATION, rows::key64(oldest));
        }
        let number = self.delegations.last_key_value().map_or(1, |(last, _)| last + 1);
        let until = Wall(self.wall().0.saturating_add(ttl.as_secs()));
        let row = DelegationRow::new(contact, rights, until);
        self.delegations.insert(number, row);
        self.sign_delegation(number)
    }

    fn in_force_of(&self, contact: u32) -> Vec<u64> {
        let all = self.delegations.iter().filter(|(_, r)| r.contact == contact && !r.revoked);
        all.map(|(number, _)| *number).collect()
    }

    /// Signs what the attendant can show for the next hours, and mails it.
    fn sign_delegation(&mut self, number: u64) -> Result<(), InputError> {
        let now = self.wall();
        let (Some(identity), Some(row)) = (&self.identity, self.delegations.get(&number)) else {
            return Ok(());
        };
        let (contact, until) = (row.contact, row.until);
        let expiry = Wall(until.0.min(now.0.saturating_add(LIVES)));
        let attendant =
            self.contacts.get(&contact).ok_or(InputError::NoSuch("contact"))?.row.identity;
        let signed = sign(identity, &attendant, Rights(row.rights), number, expiry);
        let delegation = blob(signed.to_vec())?;
        self.mail_to(contact, &ContactMessage::Delegate { delegation, until })?;
        if let Some(row) = self.delegations.get_mut(&number) {
            row.signed = expiry;
        }
        self.keep_delegation(number);
        Ok(())
    }

    fn keep_delegation(&mut self, number: u64) {
        if let Some(row) = self.delegations.get(&number) {
            self.desk.put(rows::DELEGATION, rows::key64(number), row.encode());
        }
    }

    /// The owner takes a delegation back: nothing is signed any more, and the attendant's handset is told.
    pub(crate) fn revoke_delegation(&mut self, number: u64) -> Result<(), InputError> {
        let row = self.delegations.get_mut(&number).ok_or(InputError::NoSuch("delegation"))?;
        if core::mem::replace(&mut row.revoked, true) {
            return Ok(());
        }
        let contact = row.contact;
        self.keep_delegation(number);
        self.relay_withdrawn(contact);
        // Without room for mail, or without the contact, what it has runs out.
        let _ = self.mail_to(contact, &ContactMessage::Undelegate { number });
        Ok(())
    }

    /// Signs anew what is about to run out.
    pub(crate) fn delegations_tick(&mut self) {
        let (now, wall) = (self.now, self.wall());
        if !self.attached() || self.sign_again.is_some_and(|at| now < at) {
            return;
        }
        let due = |r: &DelegationRow| {
            let open = |c: &Contact| {
                let known = c.keys().deserve_trust() && !c.row.blocked;
                c.progress() == Progress::Accepted && known
            };
            r.state(wall) == DelegationState::InForce
                && r.signed < r.until
                && r.signed.0 < wall.0.saturating_add(RENEW)
                && self.contacts.get(&r.contact).is_some_and(open)
        };
        let due = self.delegations.iter().find(|(_, r)| due(r)).map(|(number, _)| *number);
        if let Some(number) = due
            && self.sign_delegation(number).is_err()
        {
            self.sign_again = Some(now + AGAIN);
        }
    }

    /// A contact is over: so is what it was allowed, and what it allowed.
    pub(crate) fn forget_delegations(&mut self, contact: u32) {
        for number in self.in_force_of(contact) {
            if let Some(row) = self.delegations.get_mut(&number) {
                row.revoked = true;
            }
            self.keep_delegation(number);
        }
        self.relay_withdrawn(contact);
        self.drop_warrant(contact);
    }

    pub(crate) fn delegation_views(&self) -> Vec<DelegationView> {
        let now = self.wall();
        let view = |(number, row): (&u64, &DelegationRow)| DelegationView {
            number: *number,
            contact: row.contact,
            rights: Rights(row.rights),
            until: row.until,
            state: row.state(now),
            shown_until: row.signed,
        };
        self.delegations.iter().map(view).collect()
    }

    // ---- the attendant -------------------------------------------------------------------------

    /// A contact lets this handset's owner do things in its name.
    pub(crate) fn delegated(
        &mut self,
        contact: u32,
        delegation: Blob<DELEGATION_MAX>,
        until: Wall,
    ) {
        let row = WarrantRow::new(delegation, until);
        if self.warrant(contact, &row).is_none() {
            self.dropped += 1;
            return;
        }
        self.desk.put(rows::WARRANT, rows::key32(contact), row.encode());
        self.warrants.insert(contact, row);
        self.after(Effect::Tell(Event::Delegated { contact }));
    }

    /// What a contact signed, if it did, for this handset's owner, and it holds.
    fn warrant(&self, contact: u32, row: &WarrantRow) -> Option<VerifiedDelegation> {
        let record = self.contacts.get(&contact)?;
        let unverified = UnverifiedDelegation::parse(row.delegation.as_bytes()).ok()?;
        let verified = unverified.verify(&self.device.principal(), self.wall()).ok()?;
        (verified.principal() == record.row.identity && record.is_open()).then_some(verified)
    }

    /// A contact takes a delegation back.
    pub(crate) fn undelegated(&mut self, contact: u32, number: u64) {
        let held = self.warrants.get(&contact).and_then(|row| self.warrant(contact, row));
        // One that has run out is of no use in any case.
        if held.is_none_or(|held| held.number() == number) {
            self.drop_warrant(contact);
            self.after(Effect::Tell(Event::Delegated { contact }));
        }
    }

    fn drop_warrant(&mut self, contact: u32) {
        if self.warrants.remove(&contact).is_some() {
            self.desk.delete(rows::WARRANT, rows::key32(contact));
        }
    }

    /// What there is to show of a contact.
    pub(crate) fn warranted(&self, contact: u32) -> Option<VerifiedDelegation> {
        self.warrants.get(&contact).and_then(|row| self.warrant(contact, row))
    }

    /// What this handset's owner may do for a contact, by what it has to show.
    pub(crate) fn may_for(&self, contact: u32) -> Rights {
        self.warranted(contact).map_or(Rights(0), |held| held.rights())
    }

    /// Until when this handset's owner may call for a contact, by what it has to show.
    pub(crate) fn may_call_for(&self, contact: u32) -> Option<Wall> {
        let held = self.warranted(contact)?;
        held.rights().hold(Rights::PLACE).then(|| held.expiry())
    }

    /// Rings a contact in the name of another one.
    pub(crate) fn place_for(
        &mut self,
        contact: u32,
        principal: u32,
        precedence: Precedence,
    ) -> Result<(), InputError> {
        #[cfg(feature = "adversary")]
        let lies = self.shows.is_some();
        #[cfg(not(feature = "adversary"))]
        let lies = false;
        if contact == principal || (!lies && self.may_call_for(principal).is_none()) {
            return Err(InputError::WrongState(
                "you have no delegation to call for this contact, or it was taken back or has run out: ask for a new one",
            ));
        }
        self.place_as(contact, Some(principal), precedence)
    }

    /// Whether there is something to show for a call that was placed here in somebody's name.
    pub(crate) fn may_show(&self, call: &Call) -> bool {
        matches!(&call.behalf, Some(Behalf::Mine(principal)) if self.may_call_for(*principal).is_some())
    }

    /// On whose behalf a call is placed, said with each of its legs.
    pub(crate) fn say_behalf(&mut self, id: u32) {
        let Some(call) = self.calls.get(&id) else { return };
        if let Some(leg) = call.leg {
            self.say_behalf_to(id, call.contact, leg);
        }
    }

    /// The same to somebody who is rung for that call; to the principal itself nothing is said.
    pub(crate) fn say_behalf_to(&mut self, id: u32, contact: u32, leg: Leg) {
        let Some(call) = self.calls.get(&id) else { return };
        let Some(Behalf::Mine(principal)) = &call.behalf else { return };
        let (call, principal) = (call.name, *principal);
        if contact == principal {
            return;
        }
        let held = self.warrants.get(&principal).map(|row| row.delegation.clone());
        let name = self.contacts.get(&principal).map(|c| c.row.name.clone());
        #[cfg(feature = "adversary")]
        let (held, name) = match &self.shows {
            Some((name, bytes)) => (Blob::new(bytes.clone()).ok(), Text::new(name.clone()).ok()),
            None => (held, name),
        };
        if let (Some(delegation), Some(name)) = (held, name) {
            self.say_over_leg(contact, leg, &ContactMessage::Behalf { call, name, delegation });
        }
    }

    // ---- who is called -------------------------------------------------------------------------

    /// A caller says on whose behalf it calls.
    pub(crate) fn behalf_came(
        &mut self,
        contact: u32,
        name: CallId,
        claimed: &Text<NAME_MAX>,
        delegation: &[u8],
        way: Way,
    ) {
        let Way::Leg(_) = way else { return };
        let Some(id) = self.live(contact, name) else { return };
        let behalf = self.judge(contact, claimed, delegation);
        let Some(call) = self.calls.get_mut(&id) else { return };
        let rings = matches!(call.stage, Stage::Incoming(_) | Stage::Answering(_));
        let stands = call.asked.as_ref().is_some_and(|asked| asked.stands);
        if !rings || stands || call.direction != Direction::Received {
            // Who it is does not change once people speak, and whoever answers for somebody knows for whom.
            return;
        }
        call.behalf = Some(behalf);
        self.record_behalf(id);
        self.tell(Event::Behalf { call: id });
    }

    /// What is true of it.
    fn judge(&self, caller: u32, claimed: &Text<NAME_MAX>, delegation: &[u8]) -> Behalf {
        let name = claimed.as_str().to_owned();
        let Some(attendant) = self.contacts.get(&caller).map(|c| c.row.identity) else {
            return Behalf::Claimed { name, why: Unproved::Forged };
        };
        let verified = UnverifiedDelegation::parse(delegation)
            .and_then(|unverified| unverified.verify(&attendant, self.wall()));
        let why = match verified {
            Err(DelegationError::Expired) => Unproved::Expired,
            Err(DelegationError::OtherAttendant) => Unproved::OtherAttendant,
            Err(_) => Unproved::Forged,
            Ok(held) if !held.rights().hold(Rights::PLACE) => Unproved::NotForCalls,
            Ok(held) => {
                let by = |(_, c): &(&u32, &Contact)| {
                    c.row.identity == held.principal() && c.is_open() && !c.row.sibling
                };
                match self.contacts.iter().find(by) {
                    Some((by, _)) => return Behalf::Signed { by: *by, name },
                    None => Unproved::Stranger,
                }
            }
        };
        Behalf::Claimed { name, why }
    }

    /// For the screen. Who signed counts by what is known of its keys now, and has the name that the owner gave it.
    pub(crate) fn behalf_view(&self, call: &Call) -> Option<BehalfView> {
        let named = |contact: &u32| {
            let contact = self.contacts.get(contact)?;
            Some((contact.row.name.as_str().to_owned(), contact.keys().deserve_trust()))
        };
        Some(match call.behalf.as_ref()? {
            Behalf::Mine(principal) => BehalfView::Mine { name: named(principal)?.0 },
            Behalf::Signed { by, name } => match named(by) {
                Some((own, true)) => BehalfView::Verified { contact: *by, name: own },
                _ => BehalfView::Claimed { name: name.clone(), why: Unproved::NotVerified },
            },
            Behalf::Claimed { name, why } => BehalfView::Claimed { name: name.clone(), why: *why },
        })
    }
}
