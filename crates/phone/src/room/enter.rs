//! Epochs: a call between two becomes a room, a commit is given out, kept, entered; a newcomer comes in.

use std::collections::{BTreeMap, BTreeSet};

use call::End;
use call::conference::Conference;
use call::handover::Entered;
use call::vouch::Heard;
use link::Channel;
use seal::group::{Admit, Group, GroupKind, Incoming};
use seal::identity::DevicePub;
use seal::sframe::{Opener, Sealer};
use wire::line::LineUp;
use wire::talk::{CallMessage, Role};
use wire::{Leg, Reader};

use super::{AHEAD_MAX, Ear, Person, Room};
use crate::command::InputError;
use crate::machine::Phone;
use crate::ring::{Call, Stage};
use crate::stock::Keyed;

impl Phone {
    /// A call between two becomes one that more can come into.
    pub(crate) fn open_room(&mut self, id: u32) -> Result<(), InputError> {
        let now = self.now;
        let mine = self.own_person(Role::Principal);
        let own = self.device.verified().device();
        let closed = InputError::WrongState("only a call under way can take in more people");
        let Some(call) = self.calls.get_mut(&id) else { return Err(closed) };
        if call.room.is_some() {
            return Ok(());
        }
        let Stage::Active(active) = &mut call.stage else { return Err(closed) };
        let Some(keyed) = call.keyed.pop() else { return Err(closed) };
        let (muted, closed) = (active.is_muted_by_other(), active.is_closed());
        // Nobody holds another one in a room; who holds it itself, resumes by itself.
        active.held(false);
        active.muted(false);
        let contact = self.contacts.get(&call.contact);
        let theirs = contact.map(|c| Person {
            role: Role::Principal,
            name: c.row.name.clone(),
            office: c.row.office.clone(),
        });
        let Keyed { device, mut group, sealer, opener } = keyed;
        let own_leaf = group.own_leaf();
        let own_ear = group.epoch_keys().ok().and_then(|keys| Opener::new(&keys, own_leaf).ok());
        let own_ear = own_ear.ok_or(InputError::WrongState("the voice keys cannot be used"))?;
        group.vouch();
        let other = group.members().iter().find(|m| m.device.device() == device).map(|m| m.leaf);
        let other = other.ok_or(InputError::WrongState("the call has lost its other member"))?;
        // Who placed the call made its group, at leaf 0.
        let machine =
            Conference::of_two(now, group.own_leaf(), other, 0, group.epoch(), Some(sealer));
        let mut room = Room::new(machine, group, own_ear);
        room.spoke = !closed;
        room.people.insert(own.0, mine);
        if let Some(theirs) = theirs {
            room.people.insert(device.0, theirs);
        }
        if call.record.there {
            room.on_record.insert(device.0);
        }
        if let Some(mut ear) = Ear::new(opener, Heard::of_two()) {
            ear.muted = muted;
            room.ears.insert(other, ear);
        }
        if let Some(call) = self.calls.get_mut(&id) {
            call.room = Some(Box::new(room));
        }
        self.no_move(id);
        self.tell_state(id);
        self.voice_follows();
        self.room_changed(id);
        Ok(())
    }

    pub(super) fn own_person(&self, role: Role) -> Person {
        Person { role, name: self.own.name.clone(), office: self.own.office.clone() }
    }

    /// This handset was let into a call that its person answered.
    pub(crate) fn enter_room(&mut self, id: u32) {
        let now = self.now;
        let own = self.device.verified().device();
        let answered = |c: &&mut Call| matches!(c.stage, Stage::Answering(_));
        let Some(call) = self.calls.get_mut(&id).filter(answered) else { return };
        let Some((from, roster, welcome)) = call.asked.as_mut().and_then(|a| a.entry.take()) else {
            return;
        };
        let joined = Group::join(
            &self.device,
            &mut self.stock,
            &welcome,
            GroupKind::Call,
            &[],
            Admit::Vouched,
        );
        let Some(call) = self.calls.get_mut(&id) else { return };
        let by = joined.as_ref().ok().and_then(|group| leaf_of(group, from));
        let (Ok(mut group), Some(by)) = (joined, by) else {
            // Made for another handset of this person, with keys that are gone, or not by whom it came from.
            self.dropped += 1;
            return self.ask_to_enter(id, true);
        };
        let people = people(&roster, &group, own);
        if people.len() + 1 < group.members().len() {
            // Who is left out could be an attendant, and this handset would open its microphone before it.
            self.dropped += 1;
            return self.end_call(id, End::NoKeys);
        }
        let over = Stage::Over { end: End::NoKeys, until: now };
        if let Stage::Answering(answering) = core::mem::replace(&mut call.stage, over) {
            call.stage = Stage::Active(answering.keyed(now));
        }
        let asked = call.asked.as_ref();
        let role = asked.map_or(Role::NoteTaker, |a| a.role);
        let expected = asked.map(|a| (a.expected.clone(), a.office.clone())).unwrap_or_default();
        let for_whom = asked.filter(|a| a.stands).map(|_| call.contact);
        let for_whom = for_whom.and_then(|contact| self.contacts.get(&contact));
        let for_whom = for_whom.map(|c| c.row.name.as_str().to_owned());
        let mine = self.own_person(role);
        let mut people = people;
        people.insert(own.0, mine);
        let roles = group.members().iter().map(|m| {
            let device = m.device.device();
            (m.leaf, people.get(&device.0).map_or(Role::NoteTaker, |person| person.role))
        });
        let roles = roles.collect();
        let Some((epoch, ears, mine)) = epoch_of(&mut group, by, &roles) else {
            return self.end_call(id, End::NoKeys);
        };
        let machine = Conference::brought_in(now, group.own_leaf(), epoch);
        let mut room = Room::new(machine, group, mine);
        (room.people, room.ears, room.expected) = (people, ears, expected);
        room.stands_for.extend(for_whom.map(|name| (own.0, name)));
        if let Some(call) = self.calls.get_mut(&id) {
            call.room = Some(Box::new(room));
        }
        self.begin_talk(id);
        self.in_room(id, |phone, room| {
            phone.opens_by_rule(id, room);
            phone.review_needs(id, room);
        });
        self.room_changed(id);
    }

    /// Something came in the call's group.
    pub(crate) fn room_message(&mut self, id: u32, leg: Leg, bytes: &[u8]) {
        self.in_room(id, |phone, room| {
            phone.room_bytes(id, room, Some(leg), bytes);
            while let Some(next) = phone.next_ahead(room) {
                phone.room_bytes(id, room, None, &next);
            }
        });
    }

    /// A message that waited, and need not wait any more.
    fn next_ahead(&mut self, room: &mut Room) -> Option<Vec<u8>> {
        let own = room.group.epoch();
        let due = |bytes: &Vec<u8>| match room.group.peek(bytes) {
            Ok(peek) if peek.epoch == own => true,
            Ok(peek) => peek.epoch == own + 1 && !peek.is_commit && room.kept.is_some(),
            Err(_) => true,
        };
        let at = room.ahead.iter().position(due)?;
        room.ahead.remove(at)
    }

    fn room_bytes(&mut self, id: u32, room: &mut Room, leg: Option<Leg>, bytes: &[u8]) {
        let own = room.group.epoch();
        let Ok(peek) = room.group.peek(bytes) else {
            self.dropped += 1;
            return;
        };
        if peek.is_commit && peek.epoch == own {
            // The latest one counts: whoever gives out another has discarded the one before.
            room.kept = Some(bytes.to_vec());
            return;
        }
        if peek.epoch > own {
            let adding = room.adding.is_some_and(|(with, _)| leg == Some(with));
            let newcomer = adding && peek.epoch == own + 1;
            let entered = match (newcomer, peek.epoch == own + 1 && !peek.is_commit) {
                (true, _) => {
                    room.machine.joined();
                    self.do_acts(id, room);
                    true
                }
                (false, true) if room.kept.is_some() => self.enter_kept(id, room),
                _ => {
                    if room.ahead.len() >= AHEAD_MAX {
                        room.ahead.pop_front();
                    }
                    return room.ahead.push_back(bytes.to_vec());
                }
            };
            if !entered || room.over.is_some() || room.group.epoch() != peek.epoch {
                return;
            }
        }
        match room.group.process(bytes) {
            Ok(Incoming::Application { from, message }) => {
                // What a member said that is gone by now is of no use.
                let known = room.group.members().contains(&from);
                match CallMessage::decode(&message) {
                    Ok(message) if known => self.room_word(id, room, from, peek.epoch, message),
                    _ => self.dropped += 1,
                }
            }
            _ => self.dropped += 1,
        }
    }

    /// Somebody speaks in the epoch of the commit that was kept: its maker has entered it.
    fn enter_kept(&mut self, id: u32, room: &mut Room) -> bool {
        #[cfg(feature = "adversary")]
        if self.stays {
            return false;
        }
        let Some(commit) = room.kept.take() else { return false };
        if room.group.has_pending() && room.group.discard_pending().is_err() {
            return false;
        }
        self.void_entry(id, room);
        match room.group.process(&commit) {
            Ok(Incoming::Commit(change)) => {
                self.entered(id, room, change.by.leaf);
                true
            }
            _ => {
                self.dropped += 1;
                false
            }
        }
    }

    /// The own change takes effect.
    pub(super) fn merge_own(&mut self, id: u32, room: &mut Room) {
        if let Some((with, _)) = room.adding.take() {
            room.bringing.retain(|b| b.leg != with);
            if let Some(leg) = self.calls.get(&id).and_then(|call| call.leg) {
                self.send(Channel::Signal, &LineUp::Join { leg, with });
            }
            room.machine.added();
        }
        if room.group.merge_pending().is_err() {
            self.dropped += 1;
            room.over = Some(End::Lost);
            return;
        }
        room.kept = None;
        let own = room.group.own_leaf();
        self.entered(id, room, own);
        self.want_next(room);
    }

    /// The group has a new epoch: new keys, and those who went are not heard any more.
    fn entered(&mut self, id: u32, room: &mut Room, by: u32) {
        self.room_changed(id);
        if !room.group.is_active() {
            let attended = room.machine.role(room.machine.own()) == Some(Role::Attendant);
            room.over = Some(if attended { End::ByMe } else { End::ByOther });
            return;
        }
        let newcomers = room.introduce(by);
        let roles = room.roles();
        let Some((epoch, mut ears, mine)) = epoch_of(&mut room.group, by, &roles) else {
            room.over = Some(End::Lost);
            return;
        };
        if newcomers {
            self.say_how_it_is(id, room);
        }
        let own = self.device.verified().device().0;
        if let Some(mine) = room.people.get(&own).filter(|p| newcomers && p.role == Role::Attendant)
        {
            // Said before, where newcomers could not hear it.
            let said = super::bring::member(own, mine);
            self.say_in_room(id, room, &said);
        }
        for (leaf, ear) in &mut ears {
            if let Some(before) = room.ears.remove(leaf) {
                ear.goes_on(before);
            }
        }
        (room.ears, room.mine) = (ears, mine);
        let now = self.now;
        room.machine.entered(now, epoch);
        self.opens_by_rule(id, room);
        self.review_needs(id, room);
    }
}

impl Room {
    /// Whoever has come in by the change of leaf `by` is who that member said; `true` if anybody has.
    fn introduce(&mut self, by: u32) -> bool {
        let members: Vec<_> = self.group.members().to_vec();
        let by = members.iter().find(|m| m.leaf == by);
        let promised = by.and_then(|by| self.promised.remove(&by.device.device().0));
        let new: Vec<_> = members.iter().filter(|m| self.machine.role(m.leaf).is_none()).collect();
        let by = by.map(|by| by.device.device().0);
        let stands = by.and_then(|by| Some((self.stands_said.remove(&by)?, by)));
        for device in new.iter().map(|m| m.device.device().0) {
            let for_whom = stands.filter(|(whom, _)| *whom == device);
            let for_whom = for_whom.and_then(|(_, by)| self.people.get(&by));
            match for_whom.map(|person| person.name.as_str().to_owned()) {
                Some(name) => self.stands_for.insert(device, name),
                None => self.stands_for.remove(&device),
            };
            let said = promised.clone().filter(|(whom, _)| *whom == device);
            match said {
                Some((_, person)) => self.people.insert(device, person),
                None => self.people.remove(&device),
            };
        }
        !new.is_empty()
    }
}

/// Keys of the group's epoch: what the own voice would be sealed with, an ear for each who may speak, and what opens
/// frames in the own name.
fn epoch_of(
    group: &mut Group,
    by: u32,
    roles: &BTreeMap<u32, Role>,
) -> Option<(Entered<Sealer>, BTreeMap<u32, Ear>, Opener)> {
    let own = group.own_leaf();
    let mut keys = group.epoch_keys().ok()?;
    let speaks = |leaf: &u32| roles.get(leaf).is_some_and(|role| role.speaks());
    let others = roles.keys().filter(|leaf| **leaf != own && speaks(leaf));
    let ears = others.filter_map(|leaf| {
        Some((*leaf, Ear::new(Opener::new(&keys, *leaf).ok()?, Heard::default())?))
    });
    let ears = ears.collect();
    let mine = Opener::new(&keys, own).ok()?;
    let voice = if speaks(&own) { Sealer::new(&mut keys).ok() } else { None };
    Some((Entered { epoch: group.epoch(), by, members: roles.clone(), voice }, ears, mine))
}

fn leaf_of(group: &Group, device: DevicePub) -> Option<u32> {
    group.members().iter().find(|m| m.device.device() == device).map(|m| m.leaf)
}

/// The members of a group but `own`, as a roster has them.
fn people(roster: &[u8], group: &Group, own: DevicePub) -> BTreeMap<[u8; 32], Person> {
    let members = group.members().iter().map(|m| m.device.device()).filter(|d| *d != own);
    let members: BTreeSet<_> = members.map(|d| d.0).collect();
    listed(roster).filter(|(device, _)| members.contains(device)).collect()
}

/// The people of a roster, as far as it can be read.
fn listed(roster: &[u8]) -> impl Iterator<Item = ([u8; 32], Person)> + '_ {
    let mut r = Reader::new(roster);
    core::iter::from_fn(move || {
        let entry = r.var(roster.len(), "roster").ok()?;
        match CallMessage::decode(entry).ok()? {
            CallMessage::Member { device, role, name, office } => {
                Some((device, Person { role, name, office }))
            }
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::bring::member;
    use super::*;
    use wire::{Text, Writer};

    #[test]
    fn a_roster_that_is_cut_or_changed_gives_whom_it_can_and_nobody_else() {
        let person = |name: &str| Person {
            role: Role::Principal,
            name: Text::new(name).unwrap_or_default(),
            office: Text::new("Office").unwrap_or_default(),
        };
        let mut w = Writer::new();
        for n in 0..3 {
            w.var(&member([n; 32], &person("Paula")).encode());
        }
        let roster = w.finish();
        assert_eq!(listed(&roster).count(), 3);
        let each = roster.len() / 3;
        for cut in 0..roster.len() {
            let known: Vec<_> = listed(&roster[..cut]).map(|(device, _)| device).collect();
            assert_eq!(known.len(), cut / each, "cut at {cut}");
        }
        for at in 0..roster.len() {
            let mut changed = roster.clone();
            changed[at] ^= 0x80;
            assert!(listed(&changed).count() <= 3, "changed at {at}");
        }
        assert_eq!(listed(&CallMessage::Here {}.encode()).count(), 0);
    }
}
