//! Rules in a call of more than two: those who stay are connected only when whoever has to be there is.
//!
//! ```text
//!  principal: a contact with rules is a member ── Needs ══ mail ══► who asked it in ── Needs ══ mail ══► the other attendant
//!  attendant: Connect ─► all needs met by who is there? ─► no: refused, with the rule
//!  principal: Connect is heard, or an epoch without attendants entered ─► own rules met? ─► no: HangUp, unheard
//! ```
//!
//! That attendants are told is a help for them. What holds is the last line: it needs nobody's good will.

use call::{Barred, End, Needs, Side};
use seal::group::Member;
use wire::talk::{CallMessage, ContactMessage, Role};
use wire::{CallId, Rule};

use super::Room;
use crate::contacts::Contact;
use crate::machine::Phone;

/// Whose call it is.
fn is_principal(role: Role) -> bool {
    matches!(role, Role::Principal | Role::DutyOfficer)
}

impl Phone {
    /// The contacts among those whose call it is, if it is this person's, too.
    fn counterparts<'a>(&'a self, room: &'a Room) -> impl Iterator<Item = &'a Contact> {
        let own = room.machine.own();
        let mine = room.machine.role(own).is_some_and(is_principal);
        let members = room.group.members().iter();
        let theirs = move |m: &&Member| {
            mine && m.leaf != own
                && is_principal(room.role_of(m.device.device()))
                && !room.machine.is_gone(m.leaf)
        };
        members.filter(theirs).filter_map(|m| {
            let principal = m.device.principal();
            self.contacts.values().find(|c| c.row.identity == principal && c.is_open())
        })
    }

    fn own_needs(&self, room: &Room) -> Needs {
        let needs = self.counterparts(room).map(|c| Needs::of(&c.rules.own));
        needs.fold(Needs::default(), Needs::and)
    }

    /// The rule of the owner's that keeps this person from being connected with those who are in the call.
    pub(super) fn own_unmet(&self, id: u32, room: &Room) -> Option<Rule> {
        let by = self.calls.get(&id).map(|call| call.contact);
        let other = |c: &Contact| c.rules.own.staff.is_some() && self.staff_number(c) != by;
        if self.counterparts(room).any(other) {
            return Some(Rule::ThroughStaff);
        }
        self.own_needs(room).met(room.machine.there()).err()
    }

    /// What has to be in the call may have changed: whoever asked this person in is told.
    pub(super) fn review_needs(&mut self, id: u32, room: &mut Room) {
        let Some((by, name)) = self.calls.get(&id).map(|call| (call.contact, call.name)) else {
            return;
        };
        let inside = |contact: &u32| {
            let identity = self.contacts.get(contact).map(|c| c.row.identity);
            room.group.members().iter().any(|m| Some(m.device.principal()) == identity)
        };
        let told = room.needs_told.iter().filter(|(contact, _)| inside(contact));
        let mut tell = self.own_needs(room);
        let mut all = tell;
        for (contact, needs) in told {
            all = all.and(*needs);
            if *contact != by {
                tell = tell.and(*needs);
            }
        }
        if all != room.needs {
            room.needs = all;
            self.room_changed(id);
        }
        if tell != room.needs_said && self.contacts.get(&by).is_some_and(Contact::is_told) {
            let Needs { interpreter, note_taker } = tell;
            let message = ContactMessage::Needs { call: name, interpreter, note_taker };
            if self.mail_to(by, &message).is_ok() {
                room.needs_said = tell;
            }
        }
    }

    /// The same in all calls: rules have changed.
    pub(crate) fn review_rooms(&mut self) {
        for id in self.calls.keys().copied().collect::<Vec<_>>() {
            self.in_room(id, |phone, room| phone.review_needs(id, room));
        }
    }

    /// A contact says what has to be in a call.
    pub(crate) fn needs_came(&mut self, contact: u32, name: CallId, needs: Needs) {
        let named = |c: &crate::ring::Call| c.name == name && !c.is_over() && c.room.is_some();
        let Some(id) = self.calls.iter().find(|(_, c)| named(c)).map(|(id, _)| *id) else { return };
        self.in_room(id, |phone, room| {
            room.needs_told.insert(contact, needs);
            phone.review_needs(id, room);
        });
    }

    /// Those who stay are about to be connected, by the word of the member at `leaf`. `true` if this person leaves instead.
    pub(super) fn leaves_by_rule(&mut self, id: u32, room: &mut Room, leaf: u32) -> bool {
        let Some(rule) = self.own_unmet(id, room).filter(|_| room.machine.connects_by(leaf)) else {
            return false;
        };
        self.leave_by_rule(id, room, rule);
        true
    }

    /// In an epoch without attendants, before this person was connected in one: the owner's rules are met, or it leaves.
    pub(super) fn opens_by_rule(&mut self, id: u32, room: &mut Room) {
        let attended = room.roles().values().any(|role| *role == Role::Attendant);
        if let Some(rule) = self.own_unmet(id, room).filter(|_| !attended && !room.spoke) {
            self.leave_by_rule(id, room, rule);
        }
    }

    /// Leaves a call that would break a rule, unheard.
    fn leave_by_rule(&mut self, id: u32, room: &mut Room, rule: Rule) {
        self.say_in_room(id, room, &CallMessage::HangUp {});
        room.over = Some(End::ByRule(Barred { rule, of: Side::Own }));
    }
}

impl Room {
    /// Who or what is missing before those who stay can be connected.
    pub(super) fn missing(&self) -> Option<Rule> {
        self.needs.met(self.machine.there()).err()
    }

    /// The rules by which an arranged call comes about, for the record.
    pub(super) fn applied(&self) -> String {
        let mut text = crate::rules::word(Rule::ThroughStaff).to_owned();
        let Needs { interpreter, note_taker } = self.needs;
        for (needed, rule) in [(interpreter, Rule::Interpreter), (note_taker, Rule::NoteTaker)] {
            if needed {
                text.push_str("; ");
                text.push_str(crate::rules::word(rule));
            }
        }
        text
    }
}
