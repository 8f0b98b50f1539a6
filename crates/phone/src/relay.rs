//! A call rings at an attendant's, too, or first: what the handset of whoever is called does, by its own delegations.
//!
//! ```text
//!  caller ── Invite ─► rings here (receive), or is only shown (screen) ── Relay ══ leg ══► attendant: rings, "for" this person
//!                      answered here ──────────────────────────── RelayOver ═════════════► stops
//!                      nobody there, declined, 20 s: rings here, too
//!         ◄─ Relay, Answer ── answered for this person, unheard ◄═════════════════ Taken ── answers
//!         ◄─ Stands, Member, commit ── room ── Enter ══════════════════════════════════► is let in, and held
//!         ◄─ Connect: the caller removes this handset, and speaks with the attendant in an epoch that it is not in
//!         ◄─ it fails before: rings here, and the caller waits ── answered here: Relay{off}
//! ```
//!
//! **Nobody here is heard or hears in a call that is answered for this person** ([`call::Active::close`]) until that person answers it. Who is asked is looked
//! up here and now, so what is taken back counts at once. See docs/decisions/0062.

mod passed;

use core::time::Duration;

use call::contact::Progress;
use call::{End, Kind};
use link::Channel;
use seal::delegation::Rights;
use seal::group::{Bucket, VerifiedKeyPackage};
use seal::identity::{DevicePub, VerifiedDevice};
use wire::line::LineUp;
use wire::talk::ContactMessage;
use wire::{CallId, Leg, Time};

use crate::behalf::DelegationState;
use crate::devices::DEVICES;
use crate::event::Event;
use crate::join::Join;
use crate::machine::{Effect, Phone};
use crate::ring::{Call, Stage};
use crate::rows::DelegationRow;
use crate::urgent::invitation;

/// Most attendants who are asked at once, about all calls: a line has few legs, and its person calls, too.
const ASKS_MAX: usize = 4;
/// An attendant's handset that has not shown itself by then is not there.
const REACHED_WITHIN: Duration = Duration::from_secs(4);
/// How long an attendant is asked before it rings here, too.
const SCREEN_FOR: Duration = Duration::from_secs(20);

/// What attendants have to do with a call, at whoever is called.
pub(crate) enum Relay {
    /// They are asked. `screened`: until then it does not ring here.
    Asking { asks: Vec<Ask>, began: Time, screened: Option<Time> },
    /// One answered, and is being let in.
    Passing { answered: Answered, until: Time, inside: bool },
    /// That failed: the caller waits, and it rings here.
    Back { contact: u32, why: End, until: Time, silent: bool },
    /// It is that attendant's now.
    Passed { contact: u32 },
}

/// An attendant who is asked.
pub(crate) struct Ask {
    contact: u32,
    leg: Leg,
    packages: Vec<VerifiedKeyPackage>,
}

/// An attendant who answered.
pub(crate) struct Answered {
    pub(crate) contact: u32,
    pub(crate) leg: Leg,
    pub(crate) device: DevicePub,
    /// Until they are used.
    pub(crate) packages: Vec<VerifiedKeyPackage>,
}

/// What attendants have to do with a call, on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RelayView {
    /// These contacts are asked to answer it for the owner. `screens`: until they are, it does not ring here.
    Asked {
        /// Whom.
        contacts: Vec<u32>,
        /// Whether it is silent here meanwhile.
        screens: bool,
    },
    /// That contact answered for the owner, and is being let in.
    Passing {
        /// Who.
        contact: u32,
    },
    /// It could not be let in: the caller waits, and the call rings here.
    Back {
        /// Who.
        contact: u32,
        /// Why.
        why: End,
    },
    /// That contact has the call, on the owner's behalf.
    Passed {
        /// Who.
        contact: u32,
    },
    /// An attendant of the person who was called answered, and comes in: nobody hears this person until then.
    Comes,
    /// This person asks to be let into a call of the contact's.
    Joins,
    /// It was not let in.
    NotJoined {
        /// Why.
        why: wire::talk::NotJoined,
    },
}

impl Relay {
    pub(crate) fn deadline(&self) -> Time {
        match self {
            Relay::Asking { screened, .. } => screened.unwrap_or(Time::NEVER),
            Relay::Passing { until, .. } | Relay::Back { until, .. } => *until,
            Relay::Passed { .. } => Time::NEVER,
        }
    }
}

impl Call {
    /// It was answered for this person, and nobody here speaks in it.
    pub(crate) fn is_passed(&self) -> bool {
        matches!(self.relay, Some(Relay::Passing { .. } | Relay::Back { .. }))
    }

    /// It was answered for this person, and rings here after all.
    pub(crate) fn is_back(&self) -> bool {
        matches!(self.stage, Stage::Active(_)) && matches!(self.relay, Some(Relay::Back { .. }))
    }

    /// If it rings here after all: whether it makes itself heard.
    pub(crate) fn back_sound(&self) -> Option<call::Sound> {
        match &self.relay {
            Some(Relay::Back { silent, .. }) if self.is_back() => {
                Some(if *silent { call::Sound::Silent } else { call::Sound::Rings })
            }
            _ => None,
        }
    }

    fn asks(&self) -> &[Ask] {
        match &self.relay {
            Some(Relay::Asking { asks, .. }) => asks,
            _ => &[],
        }
    }

    fn asks_mut(&mut self) -> Option<&mut Vec<Ask>> {
        match &mut self.relay {
            Some(Relay::Asking { asks, .. }) => Some(asks),
            _ => None,
        }
    }

    pub(crate) fn relay_view(&self) -> Option<RelayView> {
        if self.comes.is_some() && matches!(self.stage, Stage::Active(_)) {
            return Some(RelayView::Comes);
        }
        match (&self.join, &self.relay) {
            (Some(Join::Asks { .. }), _) => Some(RelayView::Joins),
            (Some(Join::Not(why)), _) => Some(RelayView::NotJoined { why: *why }),
            (None, None) => None,
            (None, Some(relay)) => Some(match relay {
                Relay::Asking { asks, screened, .. } => RelayView::Asked {
                    contacts: asks.iter().map(|ask| ask.contact).collect(),
                    screens: screened.is_some(),
                },
                Relay::Passing { answered, .. } => RelayView::Passing { contact: answered.contact },
                Relay::Back { contact, why, .. } => {
                    RelayView::Back { contact: *contact, why: *why }
                }
                Relay::Passed { contact } => RelayView::Passed { contact: *contact },
            }),
        }
    }
}

impl Phone {
    // ---- who may -------------------------------------------------------------------------------

    /// Whether the owner lets a contact do that, now.
    pub(crate) fn lets(&self, contact: u32, right: Rights) -> bool {
        let now = self.wall();
        let given = |r: &DelegationRow| {
            let in_force = r.state(now) == DelegationState::InForce;
            r.contact == contact && in_force && Rights(r.rights).hold(right)
        };
        let known = self.contacts.get(&contact).is_some_and(|c| {
            let usable = c.progress() == Progress::Accepted && c.group.is_some() && !c.row.sibling;
            usable && c.keys().deserve_trust() && !c.row.blocked
        });
        known && self.delegations.values().any(given)
    }

    /// Whom to ask about a call of `caller`'s.
    fn holders(&self, right: Rights, caller: u32) -> Vec<u32> {
        let of = self.contacts.keys().filter(|contact| {
            let barred = self.barred(**contact, Kind::Asked).is_some();
            **contact != caller && !barred && self.lets(**contact, right)
        });
        let asked: usize = self.calls.values().map(|call| call.asks().len()).sum();
        of.copied().take(ASKS_MAX.saturating_sub(asked)).collect()
    }

    // ---- asking --------------------------------------------------------------------------------

    /// A call comes in: attendants are asked, and it may have to be silent here until then.
    pub(crate) fn relay_begins(&mut self, id: u32) {
        let Some(caller) = self.calls.get(&id).map(|c| c.contact) else { return };
        let first = self.holders(Rights::SCREEN, caller);
        let screens = !first.is_empty();
        let who = if screens { first } else { self.holders(Rights::RECEIVE, caller) };
        let asks = who.into_iter().filter_map(|contact| self.ask(id, contact, screens));
        let asks: Vec<Ask> = asks.collect();
        let now = self.now;
        let Some(call) = self.calls.get_mut(&id).filter(|_| !asks.is_empty()) else { return };
        if let Stage::Incoming(incoming) = &mut call.stage {
            incoming.screen(screens);
        }
        let screened = screens.then_some(now + REACHED_WITHIN);
        call.relay = Some(Relay::Asking { asks, began: now, screened });
    }

    /// Rings an attendant's handset for a call.
    fn ask(&mut self, id: u32, contact: u32, screens: bool) -> Option<Ask> {
        let call = self.calls.get(&id)?;
        let (name, caller, urgency) = (call.name, call.contact, call.urgency());
        let (caller, office) =
            self.contacts.get(&caller).map(|c| (c.row.name.clone(), c.row.office.clone()))?;
        let precedence = urgency.min(self.contacts.get(&contact)?.grant.theirs);
        let at = self.wall();
        let up = self.up()?;
        let leg = Leg(up.next_leg);
        up.next_leg = up.next_leg.wrapping_add(2);
        let relay = ContactMessage::Relay { call: name, at, caller, office, screens };
        let relay = invitation(relay, precedence).ok()?.encode();
        // As long as any invitation into a call.
        let body = self.seal_bytes_in(contact, &relay, Bucket::Small).ok()?;
        let envelope = self.envelope(contact, body).ok()?;
        let exchange = self.contacts.get(&contact)?.row.exchange.clone();
        self.after(Effect::Open(id, leg, LineUp::Open { leg, exchange, envelope }));
        Some(Ask { contact, leg, packages: Vec::new() })
    }

    /// The call and the attendant that a leg is for, until that one is let in.
    pub(crate) fn relay_on(&self, leg: Leg) -> Option<(u32, u32)> {
        self.calls.iter().find_map(|(id, call)| {
            let asked = call.asks().iter().find(|ask| ask.leg == leg).map(|ask| ask.contact);
            let answered = match &call.relay {
                Some(Relay::Passing { answered, .. }) if call.room.is_none() => {
                    Some(answered.contact).filter(|_| answered.leg == leg)
                }
                _ => None,
            };
            asked.or(answered).map(|contact| (*id, contact))
        })
    }

    fn relay_of(&self, contact: u32, name: CallId) -> Option<(u32, Leg)> {
        let mut named = self.calls.iter().filter(|(_, call)| call.name == name);
        named.find_map(|(id, call)| {
            let ask = call.asks().iter().find(|ask| ask.contact == contact)?;
            Some((*id, ask.leg))
        })
    }

    /// An attendant's handset has shown itself: it has as long as a person takes to answer.
    pub(crate) fn relay_reached(&mut self, contact: u32, name: CallId) -> bool {
        let Some((id, leg)) = self.relay_of(contact, name) else { return false };
        self.reached_on(id, leg);
        true
    }

    pub(crate) fn reached_on(&mut self, id: u32, leg: Leg) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(Relay::Asking { asks, began, screened }) = &mut call.relay else { return };
        if let Some(until) = screened.as_mut().filter(|_| asks.iter().any(|ask| ask.leg == leg)) {
            *until = *began + SCREEN_FOR;
        }
    }

    /// A device that is asked gives its key package.
    pub(crate) fn relay_package(
        &mut self,
        id: u32,
        leg: Leg,
        contact: u32,
        from: VerifiedDevice,
        package: &[u8],
    ) {
        let Some(verified) = self.package_of(contact, from, package) else { return };
        self.reached_on(id, leg);
        let Some(call) = self.calls.get_mut(&id) else { return };
        let packages = match &mut call.relay {
            Some(Relay::Asking { asks, .. }) => {
                asks.iter_mut().find(|ask| ask.leg == leg).map(|ask| &mut ask.packages)
            }
            Some(Relay::Passing { answered, .. }) => Some(&mut answered.packages),
            _ => None,
        };
        let Some(packages) = packages else { return };
        packages.retain(|p| p.device() != from);
        if packages.len() < DEVICES {
            packages.push(verified);
        }
    }

    /// An attendant does not answer: the leg is gone, or it says so.
    pub(crate) fn relay_refused(&mut self, contact: u32, name: CallId) -> bool {
        let Some((id, leg)) = self.relay_of(contact, name) else { return false };
        self.relay_closed(id, leg);
        true
    }

    /// The same, by the leg.
    pub(crate) fn relay_closed(&mut self, id: u32, leg: Leg) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        if let Some(Relay::Passing { answered, .. }) = &call.relay {
            let contact = answered.contact;
            return self.relay_fails(id, contact, End::Lost);
        }
        self.send(Channel::Signal, &LineUp::Close { leg });
        self.drop_ask(id, leg);
    }

    fn drop_ask(&mut self, id: u32, leg: Leg) {
        if let Some(asks) = self.calls.get_mut(&id).and_then(Call::asks_mut) {
            asks.retain(|ask| ask.leg != leg);
            self.asks_left(id);
        }
    }

    /// Somebody is not asked any more. If nobody is, it rings here in any case.
    fn asks_left(&mut self, id: u32) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        match &call.relay {
            Some(Relay::Asking { asks, screened: Some(_), .. }) if asks.is_empty() => {
                self.screened_enough(id);
            }
            Some(Relay::Asking { asks, .. }) => {
                if asks.is_empty() {
                    call.relay = None;
                }
                self.tell(Event::Relay { call: id });
            }
            _ => {}
        }
    }

    /// It rings here from now on, and at those who may answer beside its person.
    fn screened_enough(&mut self, id: u32) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(Relay::Asking { asks, screened, .. }) = &mut call.relay else { return };
        *screened = None;
        let (asked, caller): (Vec<u32>, u32) =
            (asks.iter().map(|ask| ask.contact).collect(), call.contact);
        if let Stage::Incoming(incoming) = &mut call.stage {
            incoming.screen(false);
        }
        let others = self.holders(Rights::RECEIVE, caller).into_iter();
        let screener = |phone: &Phone, c: &u32| phone.lets(*c, Rights::SCREEN);
        let others: Vec<u32> =
            others.filter(|c| !asked.contains(c) && !screener(self, c)).collect();
        let new: Vec<Ask> = others.into_iter().filter_map(|c| self.ask(id, c, false)).collect();
        if let Some(asks) = self.calls.get_mut(&id).and_then(Call::asks_mut) {
            asks.extend(new);
        }
        self.asks_left(id);
        self.tell(Event::Incoming { call: id, contact: caller });
    }

    /// What was let is not any more: whoever is asked by it, or is on the way in, is not.
    pub(crate) fn relay_withdrawn(&mut self, contact: u32) {
        for id in self.calls.keys().copied().collect::<Vec<_>>() {
            let Some(call) = self.calls.get(&id) else { continue };
            if let Some(leg) = call.asks().iter().find(|a| a.contact == contact).map(|a| a.leg) {
                self.ask_over(id, contact, leg, false);
                self.drop_ask(id, leg);
            }
            let passing = matches!(&self.calls.get(&id).map(|c| &c.relay),
                Some(Some(Relay::Passing { answered, inside: false, .. })) if answered.contact == contact);
            if passing {
                self.relay_fails(id, contact, End::Cancelled);
            }
            self.in_room(id, |phone, room| phone.stand_in_over(id, room, contact, End::Cancelled));
        }
    }

    /// Tells an attendant that the call is not to be answered any more.
    fn ask_over(&mut self, id: u32, contact: u32, leg: Leg, taken: bool) {
        let Some(call) = self.calls.get(&id).map(|c| c.name) else { return };
        self.turn_away(contact, leg, Some(ContactMessage::RelayOver { call, taken }));
    }

    /// Nobody is asked about a call any more: it was answered here, or is over. `taken`: somebody has it.
    pub(crate) fn relay_ends(&mut self, id: u32, taken: bool) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let legs: Vec<(u32, Leg)> = match call.relay.take() {
            Some(Relay::Asking { asks, .. }) => asks.iter().map(|a| (a.contact, a.leg)).collect(),
            Some(Relay::Passing { answered, .. }) if call.room.is_none() => {
                vec![(answered.contact, answered.leg)]
            }
            _ => Vec::new(),
        };
        for (contact, leg) in legs {
            self.ask_over(id, contact, leg, taken);
        }
    }
}
