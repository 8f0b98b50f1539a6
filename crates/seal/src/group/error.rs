//! What goes wrong with groups, whose fault it is, and whether a retry helps.

use wire::DecodeError;

use crate::identity::CredentialError;

/// A group operation failed. Unless said otherwise the group is as it was before.
#[derive(Debug, thiserror::Error)]
pub enum GroupError {
    /// The operating system gave no randomness.
    #[error(
        "the operating system gives no random numbers: nothing can be protected on this device now"
    )]
    NoEntropy,
    /// Not an MLS message, or not of the kind that belongs here.
    #[error("not {0}: its sender is at fault, or it was damaged on its way")]
    Malformed(&'static str),
    /// Larger than anything honest.
    #[error("message has {len} bytes, the limit is {max}: its sender is at fault")]
    TooLarge {
        /// Its size.
        len: usize,
        /// The limit.
        max: usize,
    },
    /// Another cipher suite than the only one. There is no weaker mode.
    #[error(
        "message uses another cipher suite than X-Wing/ChaCha20-Poly1305: refused, there is no weaker mode"
    )]
    ForeignSuite,
    /// A member's, or a would-be member's, credential is refused.
    #[error("member refused: {0}")]
    Credential(#[from] CredentialError),
    /// A genuine device of somebody who is not admitted here.
    #[error("a device of a principal who is not admitted to this group: refused")]
    NotAdmitted,
    /// Outside its lifetime, by the clock of this device.
    #[error(
        "key package is valid from {from} to {until} (seconds since 1970) and it is {now}: check this device's clock, or ask for a fresh one"
    )]
    Expired {
        /// First second.
        from: u64,
        /// Last second.
        until: u64,
        /// Time of this device.
        now: u64,
    },
    /// The Welcome is for no key package that is held here.
    #[error("welcome is for a key package that this device does not hold, or has used already")]
    NoKeyPackage,
    /// The Welcome needs a pre-shared key that was not given, or leaves one out that was expected.
    #[error("group is not bound to the expected pre-shared keys: refused")]
    PskMissing,
    /// The Welcome does not open: a pre-shared key has another value, or the Welcome was damaged.
    #[error("welcome does not open: it was damaged on its way, or its pre-shared key is not ours")]
    WelcomeClosed,
    /// A Welcome of another kind of group than expected.
    #[error("group is of another kind than expected: refused")]
    OtherKind,
    /// A message that does not open or verify.
    #[error("message does not open: it was damaged or forged, came twice, or is too old")]
    Closed,
    /// A message of another epoch: older than is kept, or newer than this device.
    #[error("message is of epoch {message}, this device is at epoch {own}: {}", if message > own { "a commit is missing, wait for it" } else { "too old to open" })]
    OtherEpoch {
        /// Of the message.
        message: u64,
        /// Of this device.
        own: u64,
    },
    /// A message of another group.
    #[error("message belongs to another group")]
    OtherGroup,
    /// A commit or proposal that does something that members may not do here.
    #[error("{0} is not allowed in this group: refused")]
    NotAllowed(&'static str),
    /// An own commit waits.
    #[error("an own commit is under way: merge or discard it first")]
    CommitPending,
    /// Proposals wait for a commit.
    #[error("proposals are waiting: commit to them first")]
    ProposalPending,
    /// This device was removed.
    #[error("this device is no longer in the group")]
    Removed,
    /// No such member.
    #[error("no member has leaf {0}")]
    NoMember(u32),
    /// The text does not fit the bucket.
    #[error("message of {len} bytes does not fit its bucket of {max}")]
    Bucket {
        /// Length of the message.
        len: usize,
        /// Room in the bucket.
        max: usize,
    },
    /// The padding is not as it must be.
    #[error("message opens, but its padding is wrong: its sender is at fault")]
    Padding,
    /// openmls failed in a way that no input should cause. The text names no secret.
    #[error("MLS library failed: {0}")]
    Library(String),
}

/// A snapshot cannot be restored.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// Not ours.
    #[error("not a snapshot of {0}: this is another file, or its beginning is damaged")]
    Foreign(&'static str),
    /// Of a later version.
    #[error(
        "snapshot has version {0}, which this program does not know: use the program that wrote it, or a later one"
    )]
    Version(u8),
    /// Changed since it was written.
    #[error("snapshot is damaged: restore it from a copy, or leave the group and join again")]
    Damaged,
    /// Of another device.
    #[error("snapshot belongs to another device")]
    OtherDevice,
    /// The operating system gave no randomness.
    #[error(
        "the operating system gives no random numbers: nothing can be protected on this device now"
    )]
    NoEntropy,
}

impl From<DecodeError> for SnapshotError {
    fn from(_: DecodeError) -> Self {
        SnapshotError::Damaged
    }
}

/// Wraps an openmls error that no input should cause. Its texts name kinds of failures only, never keys.
pub(super) fn library(error: impl core::fmt::Display) -> GroupError {
    GroupError::Library(error.to_string())
}
