//! A call of more than two, as it goes on the record: who was in it as what and how long, who arranged it, and how far it came.

use record::entry::{Call as Facts, Member, Person as Who, Stage, Step};
use wire::talk::Role;
use wire::{Text, Wall};

use super::{Room, RoomStage};
use crate::machine::Phone;
use crate::record::policy;
use crate::ring::Call;

impl Phone {
    /// Notes who is in a call, and what it does.
    pub(super) fn record_room(&mut self, id: u32) {
        let at = self.wall();
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(facts) = self.record.drafts.get_mut(&(call.contact, call.name)) else { return };
        if take_down(call, facts, at) {
            self.keep_draft(id);
        }
        self.record_state(id);
    }
}

/// Brings the facts up to date; `true` if they were not.
fn take_down(call: &mut Call, facts: &mut Facts, at: Wall) -> bool {
    let urgency = call.urgency();
    // An attendant answers a call that came about directly: nobody arranged it by a rule of staff.
    let stands = call.is_passed() || call.asked.as_ref().is_some_and(|asked| asked.stands);
    let Some(room) = &call.room else { return false };
    let places = &mut call.record.places;
    let begins = places.is_empty();
    let from = if begins { facts.began().unwrap_or(at) } else { at };
    let mut changed = false;
    let now = room.present();
    let left: Vec<_> = places.keys().filter(|d| now.iter().all(|p| p.0 != **d)).copied().collect();
    for device in left {
        let place = places.remove(&device);
        if let Some(member) = place.and_then(|place| facts.members.get_mut(usize::from(place))) {
            member.to = at;
        }
        facts.step(Step { stage: Stage::Left, at, member: place });
        changed = true;
    }
    for (device, role, who) in now {
        if let Some(member) =
            places.get(&device).and_then(|place| facts.members.get_mut(usize::from(*place)))
        {
            changed |= member.role != role;
            member.role = role;
            continue;
        }
        if places.contains_key(&device) {
            continue;
        }
        let own = who.office == room.own_office();
        let place = facts.members.as_slice().len();
        let place = u8::try_from(place).unwrap_or(u8::MAX);
        let room = facts.members.push(Member { who, role, own, from, to: Wall(0) });
        places.insert(device, place);
        if !room {
            facts.left_out = facts.left_out.saturating_add(1);
        } else if !begins {
            facts.step(Step { stage: Stage::Joined, at, member: Some(place) });
        }
        changed = true;
    }
    if facts.arranged_by.is_none() {
        facts.arranged_by = room.arranged_by();
        changed |= facts.arranged_by.is_some();
    }
    if facts.arranged_by.is_some() && !stands {
        let rules = policy(crate::urgent::applied(room.applied(), urgency));
        changed |= facts.policy != rules;
        facts.policy = rules;
    }
    changed
}

impl Room {
    /// Everybody who has the keys.
    fn present(&self) -> Vec<([u8; 32], Role, Who)> {
        let members = self.group.members().iter();
        let person = |m: &seal::group::Member| {
            let device = m.device.device();
            let known = self.people.get(&device.0);
            let who = known.map(|p| Who { name: p.name.clone(), office: p.office.clone() });
            let nobody = Who { name: Text::default(), office: Text::default() };
            (device.0, self.role_of(device), who.unwrap_or(nobody))
        };
        members.map(person).collect()
    }

    fn own_office(&self) -> Text<{ wire::limits::NAME_MAX }> {
        let own = self.machine.own();
        let own = self.group.members().iter().find(|m| m.leaf == own);
        let own = own.and_then(|m| self.people.get(&m.device.device().0));
        own.map(|p| p.office.clone()).unwrap_or_default()
    }

    /// An attendant of the own office, or else of the other.
    fn arranged_by(&self) -> Option<Who> {
        let office = self.own_office();
        let attendants = self.present().into_iter().filter(|(_, r, _)| *r == Role::Attendant);
        let mut attendants: Vec<Who> = attendants.map(|(_, _, who)| who).collect();
        attendants.sort_by_key(|who| who.office != office);
        attendants.into_iter().next()
    }

    /// What the call does, for the record.
    pub(crate) fn recorded_stage(&self, arranged: bool) -> Stage {
        match self.stage() {
            RoomStage::Arranging => Stage::Arranged,
            RoomStage::Held => Stage::Waiting,
            RoomStage::Handing | RoomStage::Confirming => Stage::Connecting,
            RoomStage::Connected if arranged => Stage::HandedOver,
            RoomStage::Connected => Stage::Connected,
        }
    }
}
