//! Safety words: two people compare what they see, and so learn that nobody sits between them.
//!
//! ```text
//!   authenticator of the contact group's epoch (RFC 9420 §8.7)
//!        └── HKDF-SHA-256, info = "hotline words v1" | a principal ──► 4 words of 2,048 = 44 bits
//! ```
//!
//! Each side has words of its own, known to both. Show yours, and pick theirs among several: who only waves
//! it through is right one time in four, and who finds none that matches has found an eavesdropper.
//!
//! The word list is the English list of BIP-39 (MIT licence, in the copy of the crate `bip39`, CC0-1.0).

use core::fmt;

use hkdf::Hkdf;
use rand_core::CryptoRngCore;
use sha2::Sha256;

use crate::identity::PrincipalId;

const LABEL: &[u8] = b"hotline words v1";
const ENGLISH: &str = include_str!("words/english.txt");
/// How many words.
pub const COUNT: usize = 4;
/// Among how many one picks.
pub const CHOICES: usize = 4;
/// Bits of one word.
const BITS: u32 = 11;

/// Four words.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Words([u16; COUNT]);

impl Words {
    /// The words of `principal` in the epoch of `authenticator` ([`crate::group::Group::authenticator`]).
    #[must_use]
    pub fn of(authenticator: &[u8; 32], principal: &PrincipalId) -> Self {
        let mut bits = [0u8; 8];
        let info = [LABEL, &principal.0].concat();
        // 8 bytes are far below what HKDF can give, so this cannot fail; zeros would match no words.
        let _ = Hkdf::<Sha256>::new(None, authenticator).expand(&info, &mut bits);
        Words::from_bits(u64::from_be_bytes(bits))
    }

    fn from_bits(bits: u64) -> Self {
        let mut words = [0u16; COUNT];
        for (i, word) in (0u32..).zip(&mut words) {
            // The uppermost 44 bits, 11 at a time.
            *word = ((bits >> (64 - BITS * (i + 1))) & ((1 << BITS) - 1)) as u16;
        }
        Words(words)
    }

    /// The words one by one.
    pub fn iter(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.0.iter().filter_map(|i| ENGLISH.lines().nth(usize::from(*i)))
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().enumerate().try_for_each(|(i, word)| match i {
            0 => f.write_str(word),
            _ => write!(f, " {word}"),
        })
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Words(..)")
    }
}

/// Several phrases, one of them right.
pub struct Choices {
    options: [Words; CHOICES],
    right: usize,
}

impl Choices {
    /// The words of the other side among others, in an order drawn from `rng`.
    #[must_use]
    pub fn new(truth: &Words, rng: &mut dyn CryptoRngCore) -> Self {
        let truth = *truth;
        let right = (rng.next_u32() as usize) % CHOICES;
        let mut options = [truth; CHOICES];
        for i in (0..CHOICES).filter(|i| *i != right) {
            // No word in the place where another option has it: what matches, matches as a whole.
            while options.iter().enumerate().any(|(j, o)| {
                j != i
                    && (j == right || j < i)
                    && o.0.iter().zip(options[i].0).any(|(a, b)| *a == b)
            }) {
                options[i] = Words::from_bits(rng.next_u64());
            }
        }
        Choices { options, right }
    }

    /// What to show.
    #[must_use]
    pub fn options(&self) -> &[Words; CHOICES] {
        &self.options
    }

    /// Whether the picked one is what the other side sees as its own.
    #[must_use]
    pub fn is_right(&self, picked: usize) -> bool {
        picked == self.right
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_core::SeedableRng as _;
    use wire::IdentityPub;

    const A: PrincipalId = IdentityPub([1; 32]);
    const B: PrincipalId = IdentityPub([2; 32]);

    #[test]
    fn the_list_is_whole() {
        let list: Vec<_> = ENGLISH.lines().collect();
        assert_eq!((list.len(), list[0], list[2047]), (2048, "abandon", "zoo"));
        assert!(list.windows(2).all(|w| w[0] < w[1]));
    }

    #[test]
    fn all_bits_are_used() {
        assert_eq!(Words::from_bits(0).to_string(), "abandon abandon abandon abandon");
        assert_eq!(Words::from_bits(u64::MAX << 20).to_string(), "zoo zoo zoo zoo");
        assert_eq!(Words::from_bits((1 << 53) | (2047 << 20)).0, [1, 0, 0, 2047]);
    }

    #[test]
    fn both_sides_have_words_of_their_own() {
        let epoch = [9; 32];
        assert_ne!(Words::of(&epoch, &A), Words::of(&epoch, &B));
        assert_eq!(Words::of(&epoch, &A), Words::of(&epoch, &A));
        assert_ne!(Words::of(&epoch, &A), Words::of(&[8; 32], &A));
    }

    #[test]
    fn one_choice_is_right_and_its_place_is_random() {
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(4);
        let mut places = [0; CHOICES];
        for round in 0..400u32 {
            let mut epoch = [0; 32];
            epoch[..4].copy_from_slice(&round.to_be_bytes());
            let choices = Choices::new(&Words::of(&epoch, &B), &mut rng);
            let truth = Words::of(&epoch, &B);
            for (i, option) in choices.options().iter().enumerate() {
                assert_eq!(choices.is_right(i), *option == truth);
                places[i] += u32::from(choices.is_right(i));
            }
            assert!(!choices.is_right(CHOICES));
        }
        assert!(places.iter().all(|n| (60..140).contains(n)), "{places:?}");
    }
}
