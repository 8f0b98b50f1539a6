//! What is to be written, and what waits for it: *persist, then act*.
//!
//! ```text
//!  step: put, delete, after(effect) ──► flush ──► Output::Store{batch}       one batch at a time
//!                                          │            │ Stored: its effects run
//!                    nothing was changed: effects run   └ StoreFailed: again in a second, with what came since
//! ```

use core::time::Duration;
use std::collections::BTreeMap;

use wire::Time;
use wire::rows::{Change, Row};

/// How long after a failed write the next attempt is made.
pub(crate) const AGAIN: Duration = Duration::from_secs(1);

/// Rows by name; `None`: removed.
type Rows = BTreeMap<(u8, Vec<u8>), Option<Vec<u8>>>;

/// `E`: what is done once the rows are on disk.
pub(crate) struct Desk<E> {
    next: u64,
    /// Changed and not yet given to the host.
    rows: Rows,
    effects: Vec<E>,
    /// Effects of this step (and whether they keep the order of steps), and whether it changed a row.
    step: Vec<(E, bool)>,
    changed: bool,
    failing: bool,
    /// With the host.
    flying: Option<(u64, Rows, Vec<E>)>,
    retry: Option<Time>,
}

impl<E> Desk<E> {
    pub(crate) fn new() -> Self {
        Desk {
            next: 1,
            rows: Rows::new(),
            effects: Vec::new(),
            step: Vec::new(),
            changed: false,
            failing: false,
            flying: None,
            retry: None,
        }
    }

    pub(crate) fn put(&mut self, space: u8, key: Vec<u8>, value: Vec<u8>) {
        self.changed = true;
        self.rows.insert((space, key), Some(value));
    }

    pub(crate) fn delete(&mut self, space: u8, key: Vec<u8>) {
        self.changed = true;
        self.rows.insert((space, key), None);
    }

    /// Does `effect` once what this step changes is on disk; at the end of the step if nothing changes.
    pub(crate) fn after(&mut self, effect: E) {
        self.step.push((effect, false));
    }

    /// The same, and not before the rows of all earlier steps: it speaks for them too.
    pub(crate) fn after_all(&mut self, effect: E) {
        self.step.push((effect, true));
    }

    /// Ends a step: the effects that can run now, and the batch that is to be stored.
    pub(crate) fn flush(&mut self, now: Time) -> (Vec<E>, Option<(u64, Vec<Change>)>) {
        let changed = core::mem::take(&mut self.changed);
        let before = self.flying.is_some() || !self.rows.is_empty();
        let mut run = Vec::new();
        for (effect, ordered) in core::mem::take(&mut self.step) {
            match changed || (ordered && before) {
                true => self.effects.push(effect),
                false => run.push(effect),
            }
        }
        if self.flying.is_some() || self.retry.is_some_and(|at| now < at) {
            return (run, None);
        }
        if self.rows.is_empty() {
            run.append(&mut self.effects);
            return (run, None);
        }
        self.retry = None;
        let batch = self.next;
        self.next += 1;
        let (rows, effects) = (core::mem::take(&mut self.rows), core::mem::take(&mut self.effects));
        let changes = rows.iter().map(|((space, key), value)| match value {
            Some(value) => {
                Change::Put(Row { space: *space, key: key.clone(), value: value.clone() })
            }
            None => Change::Delete { space: *space, key: key.clone() },
        });
        let changes = changes.collect();
        self.flying = Some((batch, rows, effects));
        (run, Some((batch, changes)))
    }

    /// The batch is on disk: its effects. `None` if it was not with the host.
    pub(crate) fn stored(&mut self, batch: u64) -> Option<Vec<E>> {
        let (.., effects) = self.flying.take_if(|(number, ..)| *number == batch)?;
        self.failing = false;
        Some(effects)
    }

    /// The batch was not written: it comes again, under what was changed since.
    pub(crate) fn failed(&mut self, batch: u64, now: Time) -> bool {
        let Some((_, rows, mut effects)) = self.flying.take_if(|(number, ..)| *number == batch)
        else {
            return false;
        };
        for (name, value) in rows {
            self.rows.entry(name).or_insert(value);
        }
        effects.append(&mut self.effects);
        self.effects = effects;
        self.retry = Some(now + AGAIN);
        self.failing = true;
        true
    }

    /// Whether the last write failed.
    pub(crate) fn fails(&self) -> bool {
        self.failing
    }

    /// When to flush again by itself.
    pub(crate) fn deadline(&self) -> Time {
        match self.flying {
            Some(_) => Time::NEVER,
            None => self.retry.unwrap_or(Time::NEVER),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effects_wait_for_their_rows_and_for_nothing_else() {
        let mut desk = Desk::new();
        desk.after("free");
        assert_eq!(desk.flush(Time(0)).0, ["free"]);
        desk.put(1, vec![1], vec![1]);
        desk.after("kept");
        let (run, batch) = desk.flush(Time(0));
        assert!(run.is_empty());
        let (batch, changes) = batch.unwrap();
        assert_eq!(changes.len(), 1);
        desk.put(1, vec![2], vec![2]);
        desk.after("later");
        assert!(matches!(desk.flush(Time(0)), (run, None) if run.is_empty()), "one at a time");
        assert_eq!(desk.stored(batch + 1), None);
        assert_eq!(desk.stored(batch).unwrap(), ["kept"]);
        let (_, batch) = desk.flush(Time(0));
        assert_eq!(desk.stored(batch.unwrap().0).unwrap(), ["later"]);
    }

    #[test]
    fn an_acknowledgement_never_overtakes_earlier_rows() {
        let mut desk = Desk::new();
        desk.put(1, vec![1], vec![1]);
        desk.after_all("first");
        let (batch, _) = desk.flush(Time(0)).1.unwrap();
        desk.after_all("second");
        desk.after("free");
        assert_eq!(desk.flush(Time(0)).0, ["free"]);
        assert_eq!(desk.stored(batch).unwrap(), ["first"]);
        assert!(matches!(desk.flush(Time(0)), (run, None) if run == ["second"]));
    }

    #[test]
    fn a_failed_batch_comes_again_under_newer_changes() {
        let mut desk = Desk::new();
        desk.put(1, vec![1], vec![1]);
        desk.put(1, vec![2], vec![1]);
        desk.after("first");
        let (batch, _) = desk.flush(Time(0)).1.unwrap();
        desk.put(1, vec![1], vec![9]);
        desk.after("second");
        desk.flush(Time(0));
        assert!(desk.failed(batch, Time(0)) && desk.fails());
        assert!(desk.flush(Time(5)).1.is_none());
        let (batch, changes) = desk.flush(desk.deadline()).1.unwrap();
        let values: Vec<_> = changes
            .iter()
            .map(|c| match c {
                Change::Put(row) => row.value[0],
                Change::Delete { .. } => 0,
            })
            .collect();
        assert_eq!(values, [9, 1]);
        assert_eq!(desk.stored(batch).unwrap(), ["first", "second"]);
        assert!(!desk.fails());
    }
}
