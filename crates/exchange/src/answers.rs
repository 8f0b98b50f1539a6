//! Answers to whoever may be probing: at a fixed time, and not when the disk happens to be done.
//!
//! ```text
//!   request ─ came ─► changes on disk ─► held until came + n x ANSWER_EVERY ─► Posted, MailAck, Offer, Redeemed
//! ```
//!
//! As much is written for an address that is not valid as for one that is, but not in the same places: a disk, and what is
//! kept in memory before it, may take a millisecond or two more for one of them. Whoever asks must not see that. n is 1 unless
//! the disk is slow; then it is slow for everybody.

use core::time::Duration;
use std::collections::BTreeMap;

use wire::line::LineDown;
use wire::{MailId, Time};

use crate::clock::Timer;
use crate::limits;
use crate::machine::Exchange;
use crate::ports::PortId;
use crate::store::After;

/// What is said, once it is true.
#[derive(Debug)]
pub(crate) enum Answer {
    /// Mail of an own handset is in the outbox, or was delivered here.
    Posted { port: PortId, mail: MailId },
    /// Mail of another exchange is safe.
    MailAck { port: PortId, mail: MailId },
    /// A redemption of a card of this exchange by an own line, and what it yields.
    Offer { port: PortId, request: u32, offer: Option<Vec<u8>> },
    /// The same for another exchange.
    Redeemed { port: PortId, request: u32, offer: Option<Vec<u8>> },
}

/// Answers that wait for their time.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    held: BTreeMap<u64, Answer>,
    last: u64,
}

/// When something that came at `came` is answered if all is done at `now`.
fn due(came: Time, now: Time) -> Time {
    let every = limits::ANSWER_EVERY.as_micros();
    let waits = now.since(came).as_micros().div_ceil(every).max(1);
    came + Duration::from_micros(u64::try_from(waits * every).unwrap_or(u64::MAX))
}

impl Exchange {
    /// `answer` is given when all changes so far are on disk, and its time has come.
    pub(crate) fn answer_when_stored(&mut self, answer: Answer) {
        self.store.then(After::Answer { came: self.now, answer });
    }

    /// What `answer` says is on disk.
    pub(crate) fn hold(&mut self, came: Time, answer: Answer) {
        self.answers.last += 1;
        self.answers.held.insert(self.answers.last, answer);
        self.timers.set(due(came, self.now), Timer::Answer(self.answers.last));
    }

    /// Its time has come.
    pub(crate) fn answer(&mut self, number: u64) {
        match self.answers.held.remove(&number) {
            Some(Answer::Posted { port, mail }) => self.tell(port, &LineDown::Posted { mail }),
            Some(Answer::MailAck { port, mail }) => self.mail_stored(port, mail),
            Some(Answer::Offer { port, request, offer }) => {
                self.redeemed_here(port, request, offer)
            }
            Some(Answer::Redeemed { port, request, offer }) => {
                self.answer_redeem(port, request, offer)
            }
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_waits_for_a_whole_number_of_turns_and_for_one_at_least() {
        let every = limits::ANSWER_EVERY;
        let came = Time(1_234_567);
        let after = |wait: Duration| due(came, came + wait).since(came);
        assert_eq!(after(Duration::ZERO), every);
        assert_eq!(after(every - Duration::from_micros(1)), every);
        assert_eq!(after(every), every);
        assert_eq!(after(every + Duration::from_micros(1)), 2 * every);
        assert_eq!(after(10 * every - Duration::from_micros(1)), 10 * every);
    }
}
