//! Appointments: calls that are to be made, kept by the handset for its own person. Nobody else learns of them.
//!
//! ```text
//!  Schedule ─► row ─► remind minutes before: Reminder, due on the screen ─► Reminded ─► row: never again
//!                              └ killed before that: at the next start again
//!  Start ─► rings the first of its people
//! ```
//!
//! Times of day are [`Wall`], as the exchange has them; a time zone is an offset from UTC in minutes, as in [`call::hours`].

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use wire::limits::{NAME_MAX, TEXT_MAX};
use wire::{Text, Time, Wall};

use crate::command::InputError;
use crate::event::Event;
use crate::machine::Phone;
use crate::rows::{self, AppointmentRow};

/// Most appointments.
pub(crate) const APPOINTMENTS_MAX: usize = 200;
/// Most people of one call: as many as it takes, but for this handset's person.
const PEOPLE_MAX: usize = call::conference::MEMBERS_MAX - 1;
/// Farthest west and east of UTC that a clock is. Minutes.
const ZONES: core::ops::RangeInclusive<i16> = -720..=840;
/// Earliest reminder. Minutes: a week.
const REMIND_MAX: u16 = 7 * 1_440;
/// How long an appointment is kept when its time is over. Seconds.
const KEPT: u64 = 7 * 86_400;
/// How long the clock is believed when nothing else happens.
const LOOK: Duration = Duration::from_secs(60);

/// What is on its way to the next handset is as it is.
const HANDED_OVER: InputError =
    InputError::WrongState("the appointment is being handed over: change it on the other handset");

/// A call that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appointment {
    /// When.
    pub at: Wall,
    /// What it is about; at most 2,000 bytes.
    pub agenda: String,
    /// With whom: this handset's numbers of contacts. The first one is rung.
    pub people: Vec<u32>,
    /// In which language.
    pub language: String,
    /// How far east of UTC the clocks here are. Minutes.
    pub here: i16,
    /// How far east of UTC the clocks of the other office are. Minutes.
    pub there: i16,
    /// What one has to know; at most 2,000 bytes.
    pub note: String,
    /// How long before it its person is reminded. Minutes.
    pub remind: u16,
}

impl Appointment {
    fn reminds(&self) -> Wall {
        Wall(self.at.0.saturating_sub(u64::from(self.remind) * 60))
    }
}

/// An appointment, on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppointmentView {
    /// Its number.
    pub id: u32,
    /// What it is.
    pub appointment: Appointment,
    /// The time of its reminder has come, and its person has not seen it.
    pub due: bool,
}

/// All of them.
#[derive(Default)]
pub(crate) struct Agenda {
    list: BTreeMap<u32, Entry>,
    /// Whose reminder was told in this run of the program.
    told: BTreeSet<u32>,
}

struct Entry {
    appointment: Appointment,
    /// Its person has seen the reminder.
    seen: bool,
}

impl Agenda {
    pub(crate) fn restore(&mut self, id: u32, row: &AppointmentRow) {
        let people = row.people.as_bytes().as_chunks().0;
        let appointment = Appointment {
            at: row.at,
            agenda: row.agenda.as_str().to_owned(),
            people: people.iter().map(|id| u32::from_be_bytes(*id)).collect(),
            language: row.language.as_str().to_owned(),
            here: row.here.cast_signed(),
            there: row.there.cast_signed(),
            note: row.note.as_str().to_owned(),
            remind: row.remind,
        };
        self.list.insert(id, Entry { appointment, seen: row.seen });
    }

    pub(crate) fn numbers(&self) -> Vec<u32> {
        self.list.keys().copied().collect()
    }

    pub(crate) fn get(&self, id: u32) -> Option<&Appointment> {
        self.list.get(&id).map(|entry| &entry.appointment)
    }

    fn due(&self, id: u32, now: Wall) -> bool {
        self.list.get(&id).is_some_and(|e| !e.seen && e.appointment.reminds() <= now)
    }
}

impl Phone {
    /// A person makes an appointment, or changes one.
    pub(crate) fn schedule(
        &mut self,
        id: Option<u32>,
        appointment: Appointment,
    ) -> Result<(), InputError> {
        let zones = ZONES.contains(&appointment.here) && ZONES.contains(&appointment.there);
        if !zones || appointment.remind > REMIND_MAX {
            return Err(InputError::WrongState(
                "no clock is so far from UTC, or no reminder so early",
            ));
        }
        if !(1..=PEOPLE_MAX).contains(&appointment.people.len()) {
            return Err(InputError::WrongState("an appointment is with one to seven people"));
        }
        for contact in &appointment.people {
            if self.contact_mut(*contact)?.row.sibling {
                return Err(InputError::NoSuch("contact"));
            }
        }
        // What does not fit into its row is refused before anything is changed.
        let row = row_of(&appointment, false)?;
        let list = &self.agenda.list;
        if id.is_some_and(|id| !list.contains_key(&id)) {
            return Err(InputError::NoSuch("appointment"));
        }
        if id.is_some_and(|id| self.is_handed_over(id)) {
            return Err(HANDED_OVER);
        }
        let next = list.last_key_value().map_or(1, |(last, _)| last + 1);
        self.forget_past();
        if id.is_none() && self.agenda.list.len() >= APPOINTMENTS_MAX {
            return Err(InputError::TooMany("appointments"));
        }
        let id = id.unwrap_or(next);
        let list = &mut self.agenda.list;
        list.insert(id, Entry { appointment, seen: false });
        self.agenda.told.remove(&id);
        self.desk.put(rows::AGENDA, rows::key32(id), row.encode());
        Ok(())
    }

    /// Appointments of last week and before make room.
    fn forget_past(&mut self) {
        let now = self.wall().0;
        let past = |e: &Entry| e.appointment.at.0.saturating_add(KEPT) < now;
        let past = self.agenda.list.iter().filter(|(_, e)| past(e)).map(|(id, _)| *id);
        for id in past.collect::<Vec<_>>() {
            self.forget_appointment(id);
        }
    }

    pub(crate) fn forget_appointment(&mut self, id: u32) {
        self.agenda.list.remove(&id);
        self.agenda.told.remove(&id);
        self.desk.delete(rows::AGENDA, rows::key32(id));
    }

    /// It will not be.
    pub(crate) fn unschedule(&mut self, id: u32) -> Result<(), InputError> {
        if !self.agenda.list.contains_key(&id) {
            return Err(InputError::NoSuch("appointment"));
        }
        if self.is_handed_over(id) {
            return Err(HANDED_OVER);
        }
        self.forget_appointment(id);
        Ok(())
    }

    /// Its person has seen the reminder.
    pub(crate) fn reminded(&mut self, id: u32) -> Result<(), InputError> {
        let entry = self.agenda.list.get_mut(&id).ok_or(InputError::NoSuch("appointment"))?;
        if !core::mem::replace(&mut entry.seen, true) {
            let row = row_of(&entry.appointment, true)?;
            self.desk.put(rows::AGENDA, rows::key32(id), row.encode());
        }
        Ok(())
    }

    /// Rings the first of its people.
    pub(crate) fn start_appointment(&mut self, id: u32) -> Result<(), InputError> {
        let entry = self.agenda.list.get(&id).ok_or(InputError::NoSuch("appointment"))?;
        let first = entry.appointment.people.first().copied();
        self.place(first.ok_or(InputError::NoSuch("contact"))?)?;
        self.reminded(id)
    }

    /// Reminds of what is due, once in each run of the program until its person has seen it.
    pub(crate) fn agenda_tick(&mut self) {
        let now = self.wall();
        let agenda = &self.agenda;
        let due =
            agenda.list.keys().filter(|id| agenda.due(**id, now) && !agenda.told.contains(id));
        for appointment in due.copied().collect::<Vec<_>>() {
            self.agenda.told.insert(appointment);
            self.tell(Event::Reminder { appointment });
        }
    }

    /// When to look at the clock again. It can be set meanwhile, so that is soon.
    pub(crate) fn agenda_deadline(&self) -> Time {
        let (now, agenda) = (self.wall(), &self.agenda);
        let open = agenda.list.iter().filter(|(id, e)| !e.seen && !agenda.told.contains(id));
        let next = open.map(|(_, e)| e.appointment.reminds().0.saturating_sub(now.0)).min();
        next.map_or(Time::NEVER, |secs| self.now + Duration::from_secs(secs).min(LOOK))
    }

    pub(crate) fn appointment_views(&self) -> Vec<AppointmentView> {
        let now = self.wall();
        let view = |(id, e): (&u32, &Entry)| AppointmentView {
            id: *id,
            appointment: e.appointment.clone(),
            due: self.agenda.due(*id, now),
        };
        let mut all: Vec<_> = self.agenda.list.iter().map(view).collect();
        all.sort_by_key(|a| a.appointment.at);
        all
    }
}

/// An appointment as its row.
pub(crate) fn row_of(a: &Appointment, seen: bool) -> Result<AppointmentRow, InputError> {
    let text =
        |text: &str, what| Text::new(text).map_err(|_| InputError::TooLong { what, max: TEXT_MAX });
    let language = Text::new(a.language.as_str());
    let people: Vec<u8> = a.people.iter().flat_map(|id| id.to_be_bytes()).collect();
    Ok(AppointmentRow {
        version: rows::AGENDA_VERSION,
        at: a.at,
        agenda: text(&a.agenda, "agenda")?,
        people: wire::Blob::new(people).map_err(|_| InputError::TooMany("people"))?,
        language: language.map_err(|_| InputError::TooLong { what: "language", max: NAME_MAX })?,
        here: a.here.cast_unsigned(),
        there: a.there.cast_unsigned(),
        note: text(&a.note, "note")?,
        remind: a.remind,
        seen,
    })
}
