//! A switchboard position goes to another handset of the same person, between shifts.
//!
//! ```text
//!  handset that has it                          the next one
//!  HandOver ─ ShiftOffer: a note, and how much ─► its person looks at it
//!  under way ◄───────────────────── ShiftTake ── TakeShift: it is a position from now on
//!    ├─ ShiftAppointment, each ─────────────────► row ─┐
//!    │  forgotten ◄──────────────────── ShiftHas ──────┘ in the same batch as the row
//!    ├─ parked calls, one after the other ──────► as in `transfer.rs`, and taken without asking
//!  over: no position any more ─ ShiftDone ──────► over
//! ```
//!
//! **What the first one forgets is on the disk of the second**: an acknowledgement is a piece of mail that is written together with what it
//! acknowledges. A crash between leaves a thing at one of both, or at both until the acknowledgement has come. What the next one cannot
//! take stays, and is named. Calls that wait to be answered are not handed over: they ring on both handsets.

use core::time::Duration;
use std::collections::BTreeSet;

use wire::limits::TEXT_MAX;
use wire::talk::SiblingMessage;
use wire::{Text, Wall};

use crate::agenda::{APPOINTMENTS_MAX, Appointment};
use crate::command::InputError;
use crate::event::Event;
use crate::machine::Phone;
use crate::mail::blob;
use crate::ring::Stage;
use crate::rows::{self, ShiftRow};

/// After so long an offer is not shown any more. Seconds.
const OFFER_FOR: u64 = 600;

/// Which way a position goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// From here.
    Given,
    /// To here.
    Taken,
}

impl Side {
    fn key(self) -> Vec<u8> {
        vec![u8::from(self == Side::Taken)]
    }
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShiftStage {
    /// Its person has not decided.
    Offered,
    /// Things go over.
    UnderWay,
    /// All that could go is there.
    Over,
    /// It was not taken, or not to the end: what had not gone stayed.
    NotTaken,
}

impl ShiftStage {
    const ALL: [ShiftStage; 4] =
        [ShiftStage::Offered, ShiftStage::UnderWay, ShiftStage::Over, ShiftStage::NotTaken];

    pub(crate) fn code(self) -> u8 {
        Self::ALL.iter().position(|s| *s == self).map_or(0, |at| at as u8)
    }

    fn from_code(code: u8) -> ShiftStage {
        Self::ALL.get(usize::from(code)).copied().unwrap_or(ShiftStage::NotTaken)
    }
}

/// Hand-overs of the position, from here and to here.
#[derive(Default)]
pub(crate) struct Shifts {
    given: Option<ShiftRow>,
    taken: Option<ShiftRow>,
    /// Parked calls that were offered to the next one.
    tried: BTreeSet<u32>,
}

/// A hand-over, on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShiftView {
    /// To or from which handset.
    pub with: u32,
    /// How far it is.
    pub stage: ShiftStage,
    /// What the one who had the position wrote for the next.
    pub note: String,
    /// Appointments in it, and how many of them have gone over.
    pub appointments: (usize, usize),
    /// Appointments that the next one could not take: they stay.
    pub left: Vec<u32>,
    /// Parked calls in it.
    pub calls: usize,
    /// Calls that are parked here still. While it is under way they may yet go.
    pub parked: Vec<u32>,
}

impl Phone {
    fn shift(&self, side: Side) -> Option<&ShiftRow> {
        match side {
            Side::Given => self.shifts.given.as_ref(),
            Side::Taken => self.shifts.taken.as_ref(),
        }
    }

    /// A hand-over with that name and sibling, that far.
    fn shift_at(
        &self,
        side: Side,
        stage: ShiftStage,
        sibling: u32,
        id: &[u8; 16],
    ) -> Option<ShiftRow> {
        let so =
            |row: &&ShiftRow| row.sibling == sibling && row.id == *id && row.stage == stage.code();
        self.shift(side).filter(so).cloned()
    }

    fn stage_of(&self, side: Side) -> Option<ShiftStage> {
        self.shift(side).map(|row| ShiftStage::from_code(row.stage))
    }

    fn keep_shift(&mut self, side: Side, row: Option<ShiftRow>) {
        match &row {
            Some(row) => self.desk.put(rows::SHIFT, side.key(), row.encode()),
            None => self.desk.delete(rows::SHIFT, side.key()),
        }
        match side {
            Side::Given => self.shifts.given = row,
            Side::Taken => self.shifts.taken = row,
        }
        self.tell(Event::Shift);
    }

    pub(crate) fn restore_shift(&mut self, key: &[u8], row: ShiftRow) {
        match key {
            [0] => self.shifts.given = Some(row),
            _ => self.shifts.taken = Some(row),
        }
    }

    // ---- the handset that has the position -----------------------------------------------------

    /// A person hands the position over.
    pub(crate) fn hand_over(&mut self, sibling: u32, note: String) -> Result<(), InputError> {
        let note: Text<TEXT_MAX> =
            Text::new(note).map_err(|_| InputError::TooLong { what: "note", max: TEXT_MAX })?;
        self.other_handset(sibling)?;
        if matches!(self.stage_of(Side::Given), Some(ShiftStage::Offered | ShiftStage::UnderWay)) {
            return Err(InputError::WrongState("the position is being handed over already"));
        }
        let (id, at) = (self.random(), self.wall());
        let recall = self.position.recall.map_or(0, |time| time.as_secs());
        let recall = u32::try_from(recall).unwrap_or(0);
        let appointments = u16::try_from(self.agenda.numbers().len()).unwrap_or(u16::MAX);
        let calls = self.calls.values().filter(|c| c.parked.is_some()).count() as u8;
        let offer = SiblingMessage::ShiftOffer {
            shift: id,
            at,
            note: note.clone(),
            appointments,
            calls,
            recall,
        };
        self.mail_sibling(sibling, &offer)?;
        let row = ShiftRow::new(id, sibling, at, note, appointments, calls, recall);
        self.shifts.tried.clear();
        self.keep_shift(Side::Given, Some(row));
        Ok(())
    }

    /// A person takes it back before it is over, or has read how it went.
    pub(crate) fn end_hand_over(&mut self) -> Result<(), InputError> {
        let row = self.shift(Side::Given).cloned().ok_or(InputError::NoSuch("hand-over"))?;
        match ShiftStage::from_code(row.stage) {
            ShiftStage::Offered | ShiftStage::UnderWay => {
                self.mail_sibling(row.sibling, &SiblingMessage::ShiftLeave { shift: row.id })?;
                self.hand_over_stops(row);
            }
            ShiftStage::Over | ShiftStage::NotTaken => self.keep_shift(Side::Given, None),
        }
        Ok(())
    }

    /// What has not gone stays.
    fn hand_over_stops(&mut self, mut row: ShiftRow) {
        row.stage = ShiftStage::NotTaken.code();
        row.left = row.merged();
        row.waiting = wire::Blob::default();
        self.keep_shift(Side::Given, Some(row));
        let going = self.calls.iter().filter(|(_, c)| c.moving.as_ref().is_some_and(|m| m.shift));
        for id in going.map(|(id, _)| *id).collect::<Vec<_>>() {
            // One that has been taken goes.
            let _ = self.stay_here(id);
        }
    }

    /// Whether an appointment is on its way to the next one, and must stay as it is.
    pub(crate) fn is_handed_over(&self, appointment: u32) -> bool {
        self.shift(Side::Given).is_some_and(|row| row.waits().contains(&appointment))
    }

    fn shift_begins(&mut self, mut row: ShiftRow) {
        let mut waiting = Vec::new();
        for number in self.agenda.numbers() {
            let message = self.appointment_message(row.id, number);
            let sent = message.and_then(|m| self.mail_sibling(row.sibling, &m));
            // What cannot be sent stays, and is named.
            match sent {
                Ok(()) => waiting.push(number),
                Err(_) => row.left = row.left_with(number),
            }
        }
        row.stage = ShiftStage::UnderWay.code();
        row.appointments = self.agenda.numbers().len() as u16;
        row.waiting = rows::numbers(&waiting);
        self.keep_shift(Side::Given, Some(row));
        self.shift_goes_on();
    }

    fn appointment_message(
        &self,
        shift: [u8; 16],
        number: u32,
    ) -> Result<SiblingMessage, InputError> {
        let a = self.agenda.get(number).ok_or(InputError::NoSuch("appointment"))?;
        let row = crate::agenda::row_of(a, false)?;
        let people = a.people.iter().map(|id| self.first_number(*id));
        let people: Vec<u8> =
            people.collect::<Result<Vec<_>, _>>()?.iter().flat_map(|n| n.to_be_bytes()).collect();
        Ok(SiblingMessage::ShiftAppointment {
            shift,
            number,
            at: row.at,
            agenda: row.agenda,
            people: blob(people)?,
            language: row.language,
            here: row.here,
            there: row.there,
            note: row.note,
            remind: row.remind,
        })
    }

    /// Parked calls go one after the other; when all is done, this handset is no position any more.
    pub(crate) fn shift_goes_on(&mut self) {
        let Some(row) = self.shift(Side::Given).filter(|r| r.stage == ShiftStage::UnderWay.code())
        else {
            return;
        };
        let (id, sibling, waits) = (row.id, row.sibling, !row.waits().is_empty());
        loop {
            if self.calls.values().any(|c| c.moving.as_ref().is_some_and(|m| m.shift)) {
                return;
            }
            let tried = &self.shifts.tried;
            let parked = self.calls.iter().find(|(id, c)| {
                c.parked.is_some() && matches!(c.stage, Stage::Active(_)) && !tried.contains(id)
            });
            let Some(call) = parked.map(|(id, _)| *id) else { break };
            self.shifts.tried.insert(call);
            // One that cannot go stays, and is shown.
            let _ = self.move_call(call, sibling, Some(id));
        }
        if waits || self.mail_sibling(sibling, &SiblingMessage::ShiftDone { shift: id }).is_err() {
            return;
        }
        if let Some(mut row) = self.shift(Side::Given).cloned() {
            row.stage = ShiftStage::Over.code();
            self.set_position(None);
            self.keep_shift(Side::Given, Some(row));
        }
    }

    // ---- the next one --------------------------------------------------------------------------

    /// A person takes the position that another handset hands over.
    pub(crate) fn take_shift(&mut self) -> Result<(), InputError> {
        let offered = |row: &&ShiftRow| row.stage == ShiftStage::Offered.code();
        let row = self.shift(Side::Taken).filter(offered).cloned();
        let mut row = row.ok_or(InputError::NoSuch("position that is handed over"))?;
        if row.at.0.saturating_add(OFFER_FOR) <= self.wall().0 {
            return Err(InputError::WrongState("the offer is too old: ask for another one"));
        }
        self.mail_sibling(row.sibling, &SiblingMessage::ShiftTake { shift: row.id })?;
        if row.recall != 0 {
            self.set_position(Some(Duration::from_secs(row.recall.into())));
        }
        row.stage = ShiftStage::UnderWay.code();
        self.keep_shift(Side::Taken, Some(row));
        Ok(())
    }

    /// A person does not take it, or no further, or has read the note.
    pub(crate) fn leave_shift(&mut self) -> Result<(), InputError> {
        let row = self.shift(Side::Taken).cloned();
        let mut row = row.ok_or(InputError::NoSuch("position that is handed over"))?;
        let leave = SiblingMessage::ShiftLeave { shift: row.id };
        match ShiftStage::from_code(row.stage) {
            ShiftStage::Offered => {
                self.mail_sibling(row.sibling, &leave)?;
                self.keep_shift(Side::Taken, None);
            }
            ShiftStage::UnderWay => {
                self.mail_sibling(row.sibling, &leave)?;
                row.stage = ShiftStage::NotTaken.code();
                self.keep_shift(Side::Taken, Some(row));
            }
            ShiftStage::Over | ShiftStage::NotTaken => self.keep_shift(Side::Taken, None),
        }
        Ok(())
    }

    /// Whether a parked call belongs to a position that this handset's person took.
    pub(crate) fn takes_shift(&self, sibling: u32, id: &[u8; 16]) -> bool {
        self.shift_at(Side::Taken, ShiftStage::UnderWay, sibling, id).is_some()
    }

    // ---- what the other one says ---------------------------------------------------------------

    /// What a sibling says of a hand-over.
    pub(crate) fn sibling_shifts(
        &mut self,
        sibling: u32,
        message: SiblingMessage,
    ) -> Result<(), InputError> {
        use ShiftStage::{Offered, Over, UnderWay};
        match message {
            SiblingMessage::ShiftOffer { shift, at, note, appointments, calls, recall } => {
                let old = at.0.saturating_add(OFFER_FOR) <= self.wall().0;
                if old || self.stage_of(Side::Taken) == Some(UnderWay) {
                    return self.mail_sibling(sibling, &SiblingMessage::ShiftLeave { shift });
                }
                let row = ShiftRow::new(shift, sibling, at, note, appointments, calls, recall);
                self.keep_shift(Side::Taken, Some(row));
            }
            SiblingMessage::ShiftTake { shift } => {
                if let Some(row) = self.shift_at(Side::Given, Offered, sibling, &shift) {
                    self.shift_begins(row);
                }
            }
            SiblingMessage::ShiftLeave { shift } => {
                for stage in [Offered, UnderWay] {
                    if let Some(row) = self.shift_at(Side::Given, stage, sibling, &shift) {
                        self.hand_over_stops(row);
                    }
                    if let Some(mut row) = self.shift_at(Side::Taken, stage, sibling, &shift) {
                        row.stage = ShiftStage::NotTaken.code();
                        self.keep_shift(Side::Taken, Some(row).filter(|_| stage == UnderWay));
                    }
                }
            }
            message @ SiblingMessage::ShiftAppointment { .. } => {
                return self.appointment_came(sibling, message);
            }
            SiblingMessage::ShiftHas { shift, number, kept } => {
                let Some(mut row) = self.shift_at(Side::Given, UnderWay, sibling, &shift) else {
                    return Ok(());
                };
                let mut waits = row.waits();
                let Some(at) = waits.iter().position(|n| *n == number) else { return Ok(()) };
                waits.swap_remove(at);
                row.waiting = rows::numbers(&waits);
                match kept {
                    true => {
                        row.gone = row.gone.saturating_add(1);
                        self.forget_appointment(number);
                    }
                    false => row.left = row.left_with(number),
                }
                self.keep_shift(Side::Given, Some(row));
                self.shift_goes_on();
            }
            SiblingMessage::ShiftDone { shift } => {
                if let Some(mut row) = self.shift_at(Side::Taken, UnderWay, sibling, &shift) {
                    row.stage = Over.code();
                    self.keep_shift(Side::Taken, Some(row));
                }
            }
            _ => return Err(InputError::WrongState("that is not of a hand-over")),
        }
        Ok(())
    }

    fn appointment_came(
        &mut self,
        sibling: u32,
        message: SiblingMessage,
    ) -> Result<(), InputError> {
        let SiblingMessage::ShiftAppointment {
            shift,
            number,
            at,
            agenda,
            people,
            language,
            here,
            there,
            note,
            remind,
        } = message
        else {
            return Ok(());
        };
        let taken = self.shift_at(Side::Taken, ShiftStage::UnderWay, sibling, &shift);
        let people = people.as_bytes().as_chunks().0.iter().map(|n| u32::from_be_bytes(*n));
        let people: Option<Vec<u32>> = people.map(|number| self.own_number(number)).collect();
        let appointment = |people| Appointment {
            at,
            agenda: agenda.as_str().to_owned(),
            people,
            language: language.as_str().to_owned(),
            here: here.cast_signed(),
            there: there.cast_signed(),
            note: note.as_str().to_owned(),
            remind,
        };
        let kept = match (taken, people) {
            (Some(mut row), Some(people)) => {
                let kept = self.schedule(None, appointment(people)).is_ok();
                row.gone = row.gone.saturating_add(u16::from(kept));
                self.keep_shift(Side::Taken, Some(row));
                kept
            }
            _ => false,
        };
        self.mail_sibling(sibling, &SiblingMessage::ShiftHas { shift, number, kept })
    }

    // ---- the screen ----------------------------------------------------------------------------

    pub(crate) fn shift_view(&self, side: Side) -> Option<ShiftView> {
        let row = self.shift(side)?;
        let parked = self.calls.iter().filter(|(_, c)| c.parked.is_some() && !c.is_over());
        Some(ShiftView {
            with: row.sibling,
            stage: ShiftStage::from_code(row.stage),
            note: row.note.as_str().to_owned(),
            appointments: (row.appointments.into(), row.gone.into()),
            left: row.stays(),
            calls: row.calls.into(),
            parked: match side {
                Side::Given => parked.map(|(id, _)| *id).collect(),
                Side::Taken => Vec::new(),
            },
        })
    }
}

/// The most numbers of appointments in a row.
pub(crate) const NUMBERS_MAX: usize = 4 * APPOINTMENTS_MAX;

impl ShiftRow {
    fn new(
        id: [u8; 16],
        sibling: u32,
        at: Wall,
        note: Text<TEXT_MAX>,
        appointments: u16,
        calls: u8,
        recall: u32,
    ) -> ShiftRow {
        ShiftRow {
            version: rows::SHIFT_VERSION,
            id,
            sibling,
            at,
            note,
            stage: ShiftStage::Offered.code(),
            appointments,
            calls,
            recall,
            gone: 0,
            waiting: wire::Blob::default(),
            left: wire::Blob::default(),
        }
    }

    fn waits(&self) -> Vec<u32> {
        rows::listed(&self.waiting)
    }

    fn stays(&self) -> Vec<u32> {
        rows::listed(&self.left)
    }

    fn left_with(&self, number: u32) -> wire::Blob<NUMBERS_MAX> {
        let mut left = self.stays();
        left.push(number);
        rows::numbers(&left)
    }

    /// What stays if what waits does not go.
    fn merged(&self) -> wire::Blob<NUMBERS_MAX> {
        let mut left = self.stays();
        left.extend(self.waits());
        rows::numbers(&left)
    }
}
