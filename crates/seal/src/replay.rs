//! What came before does not come again (RFC 9605 §9.3): a window over the frame numbers of one key.
//!
//! ```text
//!         highest - 127 ............. highest
//!   too old │ 1 0 1 1 ... bit per number   1 │ newer: the window moves
//! ```
//!
//! Asked before opening, told after: a forged header moves nothing.

/// Frames that may come late, each once.
pub const WINDOW: u32 = 128;

/// The numbers that were seen.
#[derive(Clone, Debug, Default)]
pub struct Replay {
    highest: Option<u32>,
    /// Bit `n`: `highest - n` was seen.
    seen: u128,
}

impl Replay {
    /// Nothing seen.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether `number` was not seen yet, and is not too old to tell.
    #[must_use]
    pub fn is_new(&self, number: u32) -> bool {
        match self.highest.and_then(|highest| highest.checked_sub(number)) {
            None => true,
            Some(age) => age < WINDOW && self.seen & (1 << age) == 0,
        }
    }

    /// `number` was seen.
    pub fn record(&mut self, number: u32) {
        match self.highest {
            Some(highest) if number <= highest => {
                if let Some(bit) = 1u128.checked_shl(highest - number) {
                    self.seen |= bit;
                }
            }
            _ => {
                let ahead = number - self.highest.unwrap_or(number);
                self.seen = self.seen.checked_shl(ahead).unwrap_or(0) | 1;
                self.highest = Some(number);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_each_and_not_too_late() {
        let mut r = Replay::new();
        for number in [5, 3, 4, 200, 73, 199] {
            assert!(r.is_new(number), "{number}");
            r.record(number);
            assert!(!r.is_new(number), "{number}");
        }
        assert!(!r.is_new(72), "older than the window");
        assert!(r.is_new(74));
        r.record(u32::MAX);
        assert!(!r.is_new(u32::MAX) && !r.is_new(200) && r.is_new(u32::MAX - 127));
    }

    #[test]
    fn agrees_with_a_set() {
        use rand_core::{RngCore as _, SeedableRng as _};
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(7);
        let (mut r, mut set, mut top) = (Replay::new(), std::collections::BTreeSet::new(), 0u32);
        for i in 0..20_000u32 {
            let number = (i / 3 + rng.next_u32() % 300).saturating_sub(150);
            let expect = !set.contains(&number) && (set.is_empty() || number + WINDOW > top);
            assert_eq!(r.is_new(number), expect, "{number} after {top}");
            if expect {
                r.record(number);
                set.insert(number);
                top = top.max(number);
            }
        }
    }
}
