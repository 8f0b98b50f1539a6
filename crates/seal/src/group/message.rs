//! One length for many messages: what is said in a group is padded before it is sealed.
//!
//! ```text
//!   bucket = length u16 | message | zeros        32, 64, 192, 512, 3,072, 5,120, 6,656, 8,192, 10,240 or 16,000 bytes
//!   sealed = bucket + MLS framing and signature  (the smallest stays below 300 bytes)
//! ```
//!
//! The exchange sees which bucket, and nothing finer. MLS's own padding is off: the bucket is inside.

use zeroize::Zeroizing;

use super::GroupError;

/// To what length a message is padded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bucket {
    /// 32 bytes: the shortest words of a call, which fit one cell of an office line so. Nothing else: texts must not show
    /// their length.
    Word,
    /// 64 bytes: signalling, up to 62 bytes. An invitation then fits two cells of an office line.
    Tiny,
    /// 192 bytes: what is said of half a second of voice, and nothing else: texts must not show their length.
    Voice,
    /// 512 bytes: a card, a short text.
    Small,
    /// 3,072 bytes: a key package, a long text.
    Medium,
    /// 5,120 bytes: a Welcome to a group of two.
    Two,
    /// 6,656 bytes: a Welcome to a group of three.
    Three,
    /// 8,192 bytes: a Welcome to a group of four.
    Four,
    /// 10,240 bytes: a Welcome to a group of five.
    Five,
    /// 16,000 bytes: a Welcome to a larger group. Still one envelope.
    Huge,
}

impl Bucket {
    /// All, in rising order.
    pub const ALL: [Bucket; 10] = [
        Bucket::Word,
        Bucket::Tiny,
        Bucket::Voice,
        Bucket::Small,
        Bucket::Medium,
        Bucket::Two,
        Bucket::Three,
        Bucket::Four,
        Bucket::Five,
        Bucket::Huge,
    ];

    /// Length inside the seal, bytes.
    #[must_use]
    pub fn size(self) -> usize {
        match self {
            Bucket::Word => 32,
            Bucket::Tiny => 64,
            Bucket::Voice => 192,
            Bucket::Small => 512,
            Bucket::Medium => 3_072,
            Bucket::Two => 5_120,
            Bucket::Three => 6_656,
            Bucket::Four => 8_192,
            Bucket::Five => 10_240,
            Bucket::Huge => 16_000,
        }
    }

    /// Longest message, bytes.
    #[must_use]
    pub fn room(self) -> usize {
        self.size() - 2
    }

    /// The smallest bucket that holds `len` bytes.
    #[must_use]
    pub fn holding(len: usize) -> Option<Bucket> {
        let any = |b: &Bucket| !matches!(b, Bucket::Word | Bucket::Voice);
        Bucket::ALL.into_iter().filter(any).find(|b| len <= b.room())
    }

    pub(super) fn fill(self, message: &[u8]) -> Result<Zeroizing<Vec<u8>>, GroupError> {
        let (len, max) = (message.len(), self.room());
        let prefix = u16::try_from(len).ok().filter(|_| len <= max);
        let prefix = prefix.ok_or(GroupError::Bucket { len, max })?;
        let mut out = Zeroizing::new(Vec::with_capacity(self.size()));
        out.extend_from_slice(&prefix.to_be_bytes());
        out.extend_from_slice(message);
        out.resize(self.size(), 0);
        Ok(out)
    }
}

/// The message in a bucket.
pub(super) fn empty(bucket: &[u8]) -> Result<Vec<u8>, GroupError> {
    let (prefix, rest) = bucket.split_first_chunk::<2>().ok_or(GroupError::Padding)?;
    let len = usize::from(u16::from_be_bytes(*prefix));
    let (message, padding) = rest.split_at_checked(len).ok_or(GroupError::Padding)?;
    if !Bucket::ALL.iter().any(|b| b.size() == bucket.len()) || padding.iter().any(|b| *b != 0) {
        return Err(GroupError::Padding);
    }
    Ok(message.to_vec())
}
