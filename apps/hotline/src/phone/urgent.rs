//! How urgent a call is, as people type, read and hear it.
//!
//! ```text
//!  call 3 flash      bring immediate principal 3      policy 3 precedence priority
//!  !!! FLASH    !! IMMEDIATE    ! PRIORITY            the sign and the word: colour says nothing of its own
//!  ring         rounds of 1, 2, 3 or 4 bells, the more urgent the closer        tone   440 and 620 Hz, twice, in the ear
//! ```

use std::time::Duration;

use call::{CallState, Sound};
use phone::{CallView, View};
use voice::{BLOCK, SAMPLE_RATE};
use wire::{Precedence, Time};

/// Between two bells of a round.
const BELLS_APART: Duration = Duration::from_millis(250);

/// A precedence above routine, as it stands out on a screen.
pub(super) fn mark(precedence: Precedence) -> Option<&'static str> {
    match precedence {
        Precedence::Routine => None,
        Precedence::Priority => Some("! PRIORITY"),
        Precedence::Immediate => Some("!! IMMEDIATE"),
        Precedence::Flash => Some("!!! FLASH"),
    }
}

/// The precedence of a word.
pub(super) fn read(text: &str) -> Option<Precedence> {
    Precedence::ALL.into_iter().find(|precedence| precedence.word() == text)
}

/// The words, for whoever typed none of them.
pub(super) fn words() -> String {
    Precedence::ALL.map(Precedence::word).join(", ")
}

/// Of calls that wait: the most urgent first, and of equals the one that came first.
pub(super) fn next(view: &View) -> Option<&CallView> {
    let waits = view.calls.iter().filter(|c| c.state == CallState::RingingHere);
    waits.min_by_key(|c| (std::cmp::Reverse(c.precedence), c.came, c.id))
}

/// When the bell rings: as the most urgent of the calls that make themselves heard wants it.
#[derive(Debug, Default)]
pub(super) struct Bell {
    /// What it rings for, since when, and how many bells that was.
    rings: Option<(Precedence, bool, Time, u32)>,
}

impl Bell {
    /// How many bells a round has, and how long it takes. `beside`: somebody speaks meanwhile.
    fn round(precedence: Precedence, beside: bool) -> (u32, Duration) {
        let (bells, millis) = match precedence {
            Precedence::Routine if beside => (1, 8_000),
            Precedence::Routine => (1, 4_000),
            Precedence::Priority => (2, 3_000),
            Precedence::Immediate => (3, 2_500),
            Precedence::Flash => (4, 2_000),
        };
        (bells, Duration::from_millis(millis))
    }

    /// Whether it rings now; asked often.
    pub(super) fn rings(&mut self, now: Time, view: &View) -> bool {
        let heard = |c: &&CallView| c.sound == Some(Sound::Rings);
        let first = view.calls.iter().filter(heard).map(|c| c.precedence).max();
        let Some(precedence) = first else {
            self.rings = None;
            return false;
        };
        let beside = view.calls.iter().any(|c| c.state == CallState::Connected);
        let since = match self.rings {
            Some((p, b, since, bells)) if (p, b) == (precedence, beside) => (since, bells),
            _ => (now, 0),
        };
        let (bells, time) = Bell::round(precedence, beside);
        let (round, of_round) = (since.1 / bells, since.1 % bells);
        let due = since.0 + time * round + BELLS_APART * of_round;
        let rings = now >= due;
        self.rings = Some((precedence, beside, since.0, since.1 + u32::from(rings)));
        rings
    }
}

/// The tone of a more urgent call, in the ear of whoever is spoken to, or was.
#[derive(Debug, Default)]
pub(super) struct Tone {
    /// Samples that are still to come.
    left: usize,
}

impl Tone {
    /// Twice 400 ms, with 200 ms between them.
    const LENGTH: usize = SAMPLE_RATE;
    const BEEP: usize = SAMPLE_RATE * 2 / 5;
    const EACH: usize = SAMPLE_RATE * 3 / 5;

    /// It sounds from now on.
    pub(super) fn start(&mut self) {
        self.left = Tone::LENGTH;
    }

    /// Puts it over what is heard.
    pub(super) fn mix(&mut self, block: &mut [f32; BLOCK]) {
        for sample in block.iter_mut() {
            let Some(left) = self.left.checked_sub(1) else { return };
            let at = Tone::LENGTH - self.left;
            self.left = left;
            if at % Tone::EACH < Tone::BEEP {
                let angle = |hz: f32| core::f32::consts::TAU * hz * at as f32 / SAMPLE_RATE as f32;
                let tone = angle(440.0).sin() + angle(620.0).sin();
                *sample = (*sample + 0.1 * tone).clamp(-1.0, 1.0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::phone::screen::empty_call;

    fn rings(view: &View, secs: u64) -> Vec<u64> {
        let mut bell = Bell::default();
        let every = (0..secs * 10).map(|tenth| tenth * 100);
        every.filter(|at| bell.rings(Time(at * 1_000), view)).collect()
    }

    fn view(calls: &[(CallState, Precedence)]) -> View {
        let mut view = crate::phone::screen::empty_view();
        for (id, (state, precedence)) in (1..).zip(calls) {
            let call = CallView { id, precedence: *precedence, ..empty_call(*state) };
            view.calls.push(call);
        }
        view
    }

    #[test]
    fn each_precedence_has_a_ring_of_its_own_and_silent_calls_have_none() {
        use CallState::{Connected, RingingHere};
        let of = |precedence| rings(&view(&[(RingingHere, precedence)]), 8);
        let each = Precedence::ALL.map(of);
        assert_eq!(each[0], [0, 4_000]);
        assert_eq!(each[1], [0, 300, 3_000, 3_300, 6_000, 6_300]);
        let counts = each.each_ref().map(Vec::len);
        assert!(counts.windows(2).all(|two| two[0] < two[1]), "{counts:?}");
        let talks =
            |precedence| view(&[(Connected, Precedence::Routine), (RingingHere, precedence)]);
        assert_eq!(rings(&talks(Precedence::Routine), 9), [0, 8_000]);
        assert_eq!(rings(&talks(Precedence::Flash), 8), each[3], "over a call as ever");
        // The most urgent is heard, and nothing of what was silenced.
        let mut two = view(&[(RingingHere, Precedence::Routine), (RingingHere, Precedence::Flash)]);
        assert_eq!(rings(&two, 8), each[3]);
        assert_eq!(next(&two).unwrap().id, 2);
        two.calls[1].sound = Some(Sound::Silent);
        assert_eq!(rings(&two, 8), each[0]);
        two.calls[0].sound = Some(Sound::Silent);
        assert!(rings(&two, 8).is_empty());
    }

    #[test]
    fn the_tone_sounds_twice_and_ends() {
        let mut tone = Tone::default();
        let heard = |tone: &mut Tone| {
            let mut block = [0.0; BLOCK];
            tone.mix(&mut block);
            assert!(block.iter().all(|s| s.abs() <= 0.2 + 1e-6));
            block.iter().any(|s| s.abs() > 0.05)
        };
        assert!(!heard(&mut tone));
        tone.start();
        let blocks: Vec<bool> = (0..120).map(|_| heard(&mut tone)).collect();
        let runs = blocks.chunk_by(|a, b| a == b).map(|run| (run[0], run.len()));
        assert_eq!(runs.collect::<Vec<_>>(), [(true, 40), (false, 20), (true, 40), (false, 20)]);
    }
}
