//! Night service: calls do not ring aloud at this handset, and callers whom the owner trusts are told so, and whom to call instead.
//!
//! ```text
//!  SetNight, Night{on} ─► NightRow                         the owner's other handsets ring as ever
//!  Invite ─► silent, unless it is urgent enough; listed as waiting, then as missed
//!                └─ trusted? ── Night{until, instead} ══ leg ══► "night service until 09:00; instead: …"    (else Ringing is said)
//! ```
//!
//! When it is on is decided in [`call::night`]. It is this handset's own affair, and no sibling is told: the duty officer's linked
//! handset is the one that rings.

use call::night::{On, Service};
use link::Channel;
use wire::limits::INSTEAD_MAX;
use wire::talk::ContactMessage;
use wire::{Hours, Leg, Precedence, Text, Wall};

use crate::command::InputError;
use crate::event::Event;
use crate::machine::Phone;
use crate::mail::Way;
use crate::ring::Stage;
use crate::rows::{self, NightRow};

/// What the owner decided about night service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NightRules {
    /// When this handset is staffed: outside of these hours night service is on by itself.
    pub staffed: Option<Hours>,
    /// Calls at least as urgent ring aloud all the same; `None`, or routine: no calls do.
    pub aloud: Option<Precedence>,
    /// Who answers instead, in words, for callers whom the owner trusts; at most 54 bytes.
    pub instead: String,
}

/// Night service of this handset, on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NightView {
    /// It is on: since when, and until when if that is known.
    pub on: Option<On>,
    /// What the owner decided.
    pub rules: NightRules,
}

/// What the other side of a call that was placed says of its night service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NightThere {
    /// Until when, if that is known.
    pub until: Option<Wall>,
    /// Who answers instead; empty if that was not said.
    pub instead: String,
}

/// Night service of this handset.
#[derive(Default)]
pub(crate) struct Night {
    pub(crate) service: Service,
    pub(crate) aloud: Option<Precedence>,
    pub(crate) instead: Text<INSTEAD_MAX>,
    /// It was on when that was looked at last.
    was_on: bool,
}

impl Phone {
    /// The owner decides about night service.
    pub(crate) fn set_night(&mut self, rules: NightRules) -> Result<(), InputError> {
        let long = |_| InputError::TooLong { what: "who answers instead", max: INSTEAD_MAX };
        self.night.instead = Text::new(rules.instead).map_err(long)?;
        if self.night.service.staffed != rules.staffed {
            // What was said by hand held until the hours that were.
            self.night.service = Service { staffed: rules.staffed, hand: None };
        }
        self.night.aloud = rules.aloud.filter(|aloud| aloud.is_urgent());
        self.keep_night();
        Ok(())
    }

    /// The owner turns it on or off.
    pub(crate) fn turn_night(&mut self, on: bool) {
        let at = self.wall();
        self.night.service.turn(on, at);
        self.keep_night();
    }

    fn keep_night(&mut self) {
        self.desk.put(rows::NIGHT, Vec::new(), NightRow::new(&self.night).encode());
        self.night_tick();
    }

    /// Tells its person when it begins and ends.
    pub(crate) fn night_tick(&mut self) {
        let on = self.night.service.on(self.wall()).is_some();
        if core::mem::replace(&mut self.night.was_on, on) != on {
            self.tell(Event::NightService { on });
        }
    }

    /// Whether a call comes in silently, because it is night.
    pub(crate) fn sleeps(&self, precedence: Precedence) -> bool {
        let aloud = self.night.aloud.is_some_and(|aloud| precedence >= aloud);
        !aloud && self.night.service.on(self.wall()).is_some()
    }

    /// Says to a caller who may know it that the call rings here, or that it is night.
    pub(crate) fn say_rings(&mut self, id: u32) {
        let Some(call) = self.calls.get(&id).filter(|c| c.tell) else { return };
        let (contact, name, precedence) = (call.contact, call.name, call.precedence);
        let Some(leg) = call.leg else { return };
        let message = match self.night.service.on(self.wall()) {
            Some(on) if self.sleeps(precedence) => {
                let minutes = |at: Wall| u32::try_from(at.0.div_ceil(60)).unwrap_or(0);
                let until = on.until.map_or(0, minutes);
                ContactMessage::Night { until, instead: self.night.instead.clone() }
            }
            _ => ContactMessage::Ringing { call: name },
        };
        self.say_over_leg_by(Channel::Signal, contact, leg, &message);
    }

    /// The other side of a call that is placed is in night service.
    pub(crate) fn night_there(
        &mut self,
        contact: u32,
        until: u32,
        instead: &Text<INSTEAD_MAX>,
        way: Way,
    ) {
        let Way::Leg(leg) = way else {
            self.dropped += 1;
            return;
        };
        let until = (until != 0).then(|| Wall(u64::from(until) * 60));
        let there = NightThere { until, instead: instead.as_str().to_owned() };
        if self.night_of_bringing(contact, leg, &there) {
            return;
        }
        if let Some((id, asked)) = self.relay_on(leg) {
            if asked == contact {
                self.reached_on(id, leg);
            }
            return;
        }
        let Some(id) = self.call_on(leg) else { return };
        if let Some(call) = self.calls.get_mut(&id).filter(|c| c.contact == contact)
            && matches!(call.stage, Stage::Outgoing(_))
        {
            call.reached();
            call.night = Some(there);
            self.tell_state(id);
            self.tell(Event::Night { call: id });
        }
    }

    /// The same, of somebody who is being brought in.
    fn night_of_bringing(&mut self, contact: u32, leg: Leg, there: &NightThere) -> bool {
        let Some(id) = self.bringing_on(leg) else { return false };
        if self.brought_contact(id, leg) == Some(contact) {
            self.in_room(id, |phone, room| {
                if let Some(b) = room.bringing.iter_mut().find(|b| b.leg == leg) {
                    b.night = Some(there.clone());
                }
                phone.room_changed(id);
            });
        }
        true
    }

    pub(crate) fn night_view(&self) -> NightView {
        let rules = NightRules {
            staffed: self.night.service.staffed,
            aloud: self.night.aloud,
            instead: self.night.instead.as_str().to_owned(),
        };
        NightView { on: self.night.service.on(self.wall()), rules }
    }
}
