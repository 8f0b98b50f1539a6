//! The end of a call, and what is kept of it.
//!
//! ```text
//!  end_call ─► leg closed, keys forgotten ─► history row ─► new stock for the next call
//!  invitation or notice that came as mail ─► missed, once for each call
//! ```

use core::time::Duration;

use call::{CallState, Direction, End, Entry};
use link::Channel;
use wire::line::LineUp;
use wire::talk::{ContactMessage, SiblingMessage};
use wire::{CallId, Precedence, Wall};

use crate::contacts::Contact;
use crate::event::Event;
use crate::machine::{Effect, Phone};
use crate::ring::{Call, Stage};
use crate::rows::{self, HistoryRow};

/// Most calls that are over and still kept.
const HISTORY_MAX: usize = 1_000;
/// How long a call that is over is shown.
const SHOWN: Duration = Duration::from_secs(10);

impl Phone {
    pub(crate) fn end_calls_with(&mut self, contact: u32) {
        let calls = self.calls.iter().filter(|(_, c)| c.contact == contact && !c.is_over());
        for id in calls.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.say_goodbye(id);
            self.end_call(id, End::ByMe);
        }
    }

    /// Ends a call on this side: leg, keys, history, new stock.
    pub(crate) fn end_call(&mut self, id: u32, end: End) {
        let (now, until) = (self.now, self.now + SHOWN);
        if self.calls.get(&id).is_none_or(Call::is_over) {
            return;
        }
        let end = self.relay_over(id, end);
        let Some(call) = self.calls.get_mut(&id) else { return };
        let stage = core::mem::replace(&mut call.stage, Stage::Over { end, until });
        call.keyed.clear();
        call.comes = None;
        let brought = call.asked.take().is_some();
        let vainly_joins = call.join.is_some();
        call.parked = None;
        let (moving, arriving, lent) = (call.moving.take(), call.arriving.take(), call.lent.take());
        let room = call.room.take();
        let (name, contact, direction, at, tell) =
            (call.name, call.contact, call.direction, call.at, call.tell);
        call.precedence = call.precedence.max(room.as_ref().map_or(call.precedence, |r| r.urges()));
        let precedence = call.precedence;
        if let Some(leg) = call.leg.take() {
            self.send(Channel::Signal, &LineUp::Close { leg });
        }
        self.drop_arrival(id);
        if let Some(arriving) = &arriving {
            // It never was here: nothing is kept of it.
            self.not_arrived(id, name, arriving, end);
            self.after(Effect::Tell(Event::ended(id, end)));
            return;
        }
        if vainly_joins {
            // It never was this person's call.
            self.after(Effect::Tell(Event::ended(id, end)));
            return;
        }
        if let Some(moving) = moving {
            let _ = self.mail_sibling(moving.sibling, &SiblingMessage::MoveOver { call: name });
        }
        self.lent_ends(lent, name, end);
        if let Some(room) = &room {
            self.close_room(room);
        }
        let (talked, unreached) = match &stage {
            Stage::Active(_) if room.as_ref().is_some_and(|room| !room.has_spoken()) => {
                (Some(Duration::ZERO), false)
            }
            Stage::Active(active) => (Some(now.since(active.since())), false),
            Stage::Outgoing(call) => (None, call.state() == CallState::Calling),
            _ => (None, false),
        };
        self.floor.leave(id);
        self.camp_ends(id, end);
        self.record_behalf(id);
        self.record_ends(contact, name, end, talked);
        match end {
            End::Missed => self.missed(contact, name, at, precedence),
            // The other of two calls that crossed goes on in its place.
            End::Glare => {}
            _ => {
                let mut time = talked.unwrap_or_default();
                // It was here before, and came back.
                let same =
                    |h: &&Entry| h.call == name && h.contact == contact && h.end == End::Moved;
                time += self.history.values().find(same).map_or(Duration::ZERO, |h| h.talked);
                let entry = Entry::new(name, contact, direction, at, time, end);
                self.keep_history(entry.urgent(precedence));
            }
        }
        let vain = matches!(end, End::NoAnswer | End::Unreachable | End::Cancelled | End::NoPath);
        if unreached && vain {
            // Known twice, shown once: the invitation itself may have become mail.
            let _ = self.mail_to(contact, &ContactMessage::Missed { call: name, at });
        }
        self.after(Effect::Tell(Event::ended(id, end)));
        self.voice_follows();
        // The keys of the next call: after a call that was answered, or to those who may know.
        let told = talked.is_some() || (tell && end != End::Missed);
        let open = self.contacts.get(&contact).is_some_and(Contact::is_open);
        if direction == Direction::Received && told && open && !brought {
            self.restock(contact, false);
        }
    }

    /// Notes a missed call, once.
    pub(crate) fn missed(&mut self, contact: u32, name: CallId, at: Wall, precedence: Precedence) {
        let rang = |c: &crate::ring::Call| c.name == name && c.contact == contact;
        // One that rang here has its entry already.
        let unrecorded = !self.calls.values().any(rang);
        let known = self.history.values().any(|h| h.call == name && h.contact == contact);
        let live = self.live(contact, name).is_some();
        let Some(record) = self.contacts.get(&contact).filter(|c| !c.row.blocked) else { return };
        let told = record.is_open() && record.is_told();
        if known || live {
            return;
        }
        let end = self.missed_by();
        if unrecorded {
            self.record_unrung(contact, name, at, end, precedence);
        }
        let none = Duration::ZERO;
        let entry = Entry::new(name, contact, Direction::Received, at, none, end);
        self.keep_history(entry.urgent(precedence));
        self.after(Effect::Tell(Event::Missed { contact }));
        match (told, end) {
            // The caller's stock went with the call.
            (true, End::Missed) => self.restock(contact, false),
            // When the line is next up, as if it had been down: nobody there learns that somebody is here.
            (true, _) => self.restock_later(contact),
            (false, _) => {}
        }
    }

    /// Keeps one entry for each call: a call that rang twice is shown as it ended.
    pub(crate) fn keep_history(&mut self, entry: Entry) {
        let same = |h: &Entry| h.call == entry.call && h.contact == entry.contact;
        let old = self.history.iter().find(|(_, h)| same(h)).map(|(order, _)| *order);
        while self.history.len() >= HISTORY_MAX {
            let Some((old, _)) = self.history.pop_first() else { break };
            self.desk.delete(rows::HISTORY, rows::key64(old));
        }
        let order =
            old.unwrap_or_else(|| self.history.last_key_value().map_or(1, |(last, _)| last + 1));
        self.desk.put(rows::HISTORY, rows::key64(order), HistoryRow::from(&entry).encode());
        self.history.insert(order, entry);
    }

    pub(crate) fn clear_missed(&mut self) {
        for (order, entry) in self.history.iter_mut().filter(|(_, entry)| entry.unseen) {
            entry.unseen = false;
            self.desk.put(rows::HISTORY, rows::key64(*order), HistoryRow::from(&*entry).encode());
        }
    }
}
