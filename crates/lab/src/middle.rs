//! Somebody who holds a link in his hands: the exchange of a line, or the other exchange of a trunk, gone bad.
//!
//! ```text
//!  end 0 ══ cells ══► Link 0 ── message, voice ──► meddler ──► 0 or more ── Link 1 ══ cells ══► end 1
//!        ◄══════════        ◄──────────────────────────────────────────            ◄══════════
//! ```
//!
//! He sees every message and every frame of voice that passes, says what goes on in their place, and says
//! things of his own. That is all that an exchange can do to those behind it: QUIC ends there, MLS and SFrame do not.

use std::collections::VecDeque;

use link::{Channel, Event, Link, Shape};
use wire::limits::VOICE_LEN;
use wire::{Leg, Time};

/// One thing on a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A control message, encoded: `LineUp`, `LineDown` or `Trunk`.
    Message(Vec<u8>),
    /// A sealed frame of voice.
    Voice(Leg, [u8; VOICE_LEN]),
}

/// Where to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// The end that a line's handset, or a trunk's dialler, is at.
    Near,
    /// The end at the exchange, or at the exchange that was dialled.
    Far,
}

/// What he makes of what passes.
pub type Meddler = Box<dyn FnMut(Time, To, What) -> Vec<(To, What)>>;

/// Lets everything pass.
#[must_use]
pub fn honest() -> Meddler {
    Box::new(|_, to, what| vec![(to, what)])
}

/// A link that passes through his hands.
pub struct Middle {
    links: [Link; 2],
    waiting: [VecDeque<Vec<u8>>; 2],
}

impl Middle {
    /// `near` and `far` are the shapes of his ends, towards the near and the far end.
    #[must_use]
    pub fn new(near: Shape, far: Shape, now: Time) -> Middle {
        Middle {
            links: [Link::new(near, now), Link::new(far, now)],
            waiting: [VecDeque::new(), VecDeque::new()],
        }
    }

    /// When he sends cells again.
    #[must_use]
    pub fn next_tick(&self) -> Time {
        self.links[0].next_tick().min(self.links[1].next_tick())
    }

    /// A cell came from one of the ends.
    ///
    /// # Panics
    /// If an end breaks the rules of the link.
    pub fn cell(&mut self, now: Time, from: To, cell: &[u8], meddler: &mut Meddler) {
        let (side, onward) = match from {
            To::Near => (0, To::Far),
            To::Far => (1, To::Near),
        };
        if let Err(error) = self.links[side].handle_cell(now, cell) {
            panic!("an end broke the rules of its link: {error}");
        }
        while let Some(event) = self.links[side].poll_event() {
            let what = match event {
                Event::Message(bytes) => What::Message(bytes),
                Event::Voice { leg, payload } => What::Voice(leg, payload),
            };
            for (to, what) in meddler(now, onward, what) {
                self.say(to, what);
            }
        }
    }

    /// He says something.
    pub fn say(&mut self, to: To, what: What) {
        let side = usize::from(to == To::Far);
        match what {
            What::Message(bytes) => self.waiting[side].push_back(bytes),
            What::Voice(leg, payload) => self.links[side].queue_voice(leg, &payload),
        }
    }

    /// The cells that are due, and to whom.
    pub fn tick(&mut self, now: Time) -> Vec<(To, Vec<u8>)> {
        let mut cells = Vec::new();
        for (side, to) in [(0, To::Near), (1, To::Far)] {
            let (link, waiting) = (&mut self.links[side], &mut self.waiting[side]);
            while waiting.front().is_some_and(|m| link.queue(Channel::Signal, m).is_ok()) {
                waiting.pop_front();
            }
            if link.next_tick() <= now {
                link.tick(now);
                while let Some(cell) = link.poll_cell() {
                    cells.push((to, cell.to_vec()));
                }
            }
        }
        cells
    }
}
