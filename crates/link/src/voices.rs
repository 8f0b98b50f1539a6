//! Voice frames that wait for the next tick.
//!
//! First in, first out over all legs. A leg that is ahead of the clock loses its oldest frame, not its
//! place in the queue, so that no leg can crowd out another.

use std::collections::VecDeque;

use wire::Leg;
use wire::limits::VOICE_LEN;

/// The queue. Legs stand apart from payloads so that looking for one touches little memory.
#[derive(Debug)]
pub(crate) struct Voices {
    legs: VecDeque<Leg>,
    payloads: VecDeque<[u8; VOICE_LEN]>,
    /// Frames of one voice that may wait.
    depth: usize,
    /// Frames of all legs that may wait.
    limit: usize,
    dropped: u64,
}

impl Voices {
    pub(crate) fn new(depth: usize, limit: usize) -> Self {
        Voices { legs: VecDeque::new(), payloads: VecDeque::new(), depth, limit, dropped: 0 }
    }

    /// Appends a frame of a leg on which so many voices come.
    pub(crate) fn push(&mut self, leg: Leg, payload: &[u8; VOICE_LEN], voices: usize) {
        let waiting = self.legs.iter().filter(|l| **l == leg).count();
        if waiting >= self.depth.saturating_mul(voices.max(1)) {
            self.replace_oldest(leg, payload);
            return;
        }
        if self.legs.len() >= self.limit {
            self.pop();
            self.dropped += 1;
        }
        self.legs.push_back(leg);
        self.payloads.push_back(*payload);
    }

    /// Drops the oldest frame of `leg`; the others move up by one place of the leg's own.
    fn replace_oldest(&mut self, leg: Leg, payload: &[u8; VOICE_LEN]) {
        let mut newer = *payload;
        for (_, slot) in
            self.legs.iter().zip(self.payloads.iter_mut()).rev().filter(|(l, _)| **l == leg)
        {
            core::mem::swap(slot, &mut newer);
        }
        self.dropped += 1;
    }

    /// Takes the next frame.
    pub(crate) fn pop(&mut self) -> Option<(Leg, [u8; VOICE_LEN])> {
        self.legs.pop_front().zip(self.payloads.pop_front())
    }

    /// Frames that were thrown away unsent.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(voices: &mut Voices) -> Vec<(u16, u8)> {
        core::iter::from_fn(|| voices.pop()).map(|(leg, p)| (leg.0, p[0])).collect()
    }

    #[test]
    fn the_oldest_of_the_same_leg_goes() {
        let mut voices = Voices::new(2, 100);
        for (leg, i) in [(1, 1), (2, 1), (1, 2), (1, 3), (2, 2), (1, 4)] {
            voices.push(Leg(leg), &[i; VOICE_LEN], 1);
        }
        assert_eq!(voices.dropped(), 2);
        assert_eq!(drain(&mut voices), [(1, 3), (2, 1), (1, 4), (2, 2)]);
    }

    #[test]
    fn the_whole_is_bounded() {
        let mut voices = Voices::new(2, 4);
        for leg in 1..=6 {
            voices.push(Leg(leg), &[0; VOICE_LEN], 1);
        }
        assert_eq!(voices.dropped(), 2);
        assert_eq!(drain(&mut voices), [(3, 0), (4, 0), (5, 0), (6, 0)]);
    }

    #[test]
    fn a_leg_of_several_voices_has_room_for_each_of_them() {
        let mut voices = Voices::new(2, 100);
        for i in 1..=7 {
            voices.push(Leg(1), &[i; VOICE_LEN], 3);
        }
        assert_eq!(voices.dropped(), 1);
        assert_eq!(drain(&mut voices), [(1, 2), (1, 3), (1, 4), (1, 5), (1, 6), (1, 7)]);
    }
}
