//! Voice, sealed end to end: SFrame (RFC 9605) with keys from the MLS exporter (RFC 9605 §5.2).
//!
//! ```text
//!   Group ── epoch_keys() ──► EpochKeys ──► Sealer (own leaf, one per epoch)    Opener (one per other leaf)
//!
//!   sealed voice frame, always 128 B
//!   ┌──────────────┬──────────────────────────────────────────────────┬────────────┐
//!   │ header 1..=7 │ flags u8 | Opus packet 100 | zeros 4..=10         │ GCM tag 16 │
//!   └──────────────┴──────────────────────────────────────────────────┴────────────┘
//!     key id = leaf (8 bit) | epoch (8 bit), counter = frame number (32 bit)
//! ```
//!
//! Suite AES_256_GCM_SHA512_128 (RFC 9605 §4.5). The header grows with key id and counter, so the zeros
//! inside shrink: all frames have one length. The keys of a sender differ by its key id, those of epochs by
//! the exporter. [`crate::replay`] refuses what came before.
//!
//! **No `Sealer` without `EpochKeys`, no `EpochKeys` without a group whose members were all verified.**

use std::collections::BTreeSet;

use ::sframe::CipherSuite;
use ::sframe::frame::{EncryptedFrameView, MediaFrameView, SingleUseCounter};
use ::sframe::key::{DecryptionKey, EncryptionKey};
use ::sframe::mls::{MlsKeyId, MlsKeyIdBitRange};
use sha2::{Digest as _, Sha256};
use wire::limits::{PACKET_LEN, TAG_LEN as FRAME_TAG_LEN, VOICE_LEN};
use zeroize::{Zeroize as _, Zeroizing};

use crate::replay::Replay;

/// Bits of the epoch, and of the leaf, in a key id.
const EPOCH_BITS: u8 = 8;
const LEAF_BITS: u8 = 8;
const SUITE: CipherSuite = CipherSuite::AesGcm256Sha512;
const TAG_LEN: usize = 16;

/// Why voice cannot be sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VoiceError {
    /// Another sealer of this epoch exists, or existed before a restart.
    #[error("the right to seal voice in this epoch was given away: make a commit first")]
    SealerTaken,
    /// A frame number that is not higher than the last.
    #[error("frame number {0} was used before: one nonce, one frame")]
    FrameNumberUsed(u32),
    /// A sender who is not a member.
    #[error("no member has leaf {0}")]
    NoMember(u32),
    /// Not a voice frame.
    #[error("not a voice frame: its sender is at fault, or it was damaged on its way")]
    Malformed,
    /// Of another sender or epoch.
    #[error("voice frame is of another sender or epoch")]
    OtherKey,
    /// Came before, or too late.
    #[error("voice frame came before, or is too late")]
    Replayed,
    /// Does not open.
    #[error("voice frame does not open: damaged or forged")]
    Closed,
}

/// The voice keys of one epoch. Overwritten when dropped.
pub struct EpochKeys {
    base: Zeroizing<[u8; 32]>,
    epoch: u64,
    own: u32,
    leaves: BTreeSet<u32>,
    right: bool,
}

impl EpochKeys {
    pub(crate) fn new(
        base: Zeroizing<[u8; 32]>,
        epoch: u64,
        own: u32,
        leaves: BTreeSet<u32>,
        right: bool,
    ) -> Self {
        EpochKeys { base, epoch, own, leaves, right }
    }

    /// Which epoch.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Whether a [`Sealer`] can be made of it.
    #[must_use]
    pub fn can_seal(&self) -> bool {
        self.right
    }

    fn key_id(&self, leaf: u32) -> Result<MlsKeyId, VoiceError> {
        if !self.leaves.contains(&leaf) {
            return Err(VoiceError::NoMember(leaf));
        }
        key_id(self.epoch, leaf)
    }
}

fn key_id(epoch: u64, leaf: u32) -> Result<MlsKeyId, VoiceError> {
    let bits =
        MlsKeyIdBitRange::try_new(EPOCH_BITS, LEAF_BITS).map_err(|_| VoiceError::Malformed)?;
    MlsKeyId::try_new(0u64, epoch, leaf, bits).map_err(|_| VoiceError::NoMember(leaf))
}

/// Seals the own voice.
pub struct Sealer {
    key: EncryptionKey,
    epoch: u64,
    next: u64,
    scratch: Vec<u8>,
}

impl Sealer {
    /// Takes the right to seal out of `keys`.
    ///
    /// # Errors
    /// [`VoiceError::SealerTaken`].
    pub fn new(keys: &mut EpochKeys) -> Result<Self, VoiceError> {
        let id = keys.key_id(keys.own)?;
        if !core::mem::take(&mut keys.right) {
            return Err(VoiceError::SealerTaken);
        }
        Sealer::with(id, keys.epoch, keys.base.as_ref())
    }

    fn with(id: MlsKeyId, epoch: u64, base: &[u8]) -> Result<Self, VoiceError> {
        let key = EncryptionKey::derive_from(SUITE, id, base).map_err(|_| VoiceError::Malformed)?;
        Ok(Sealer { key, epoch, next: 0, scratch: Vec::with_capacity(VOICE_LEN) })
    }

    /// What a hostile member makes of the keys that it has: a voice in another's name.
    ///
    /// # Errors
    /// [`VoiceError::NoMember`].
    #[cfg(feature = "adversary")]
    pub fn in_the_name_of(keys: &EpochKeys, leaf: u32) -> Result<Self, VoiceError> {
        Sealer::with(keys.key_id(leaf)?, keys.epoch, keys.base.as_ref())
    }

    /// Its epoch.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Seals one Opus packet. `number` rises from frame to frame; gaps are fine.
    ///
    /// # Errors
    /// [`VoiceError::FrameNumberUsed`]. The number is used up in any case.
    pub fn seal(
        &mut self,
        number: u32,
        packet: &[u8; PACKET_LEN],
        flags: u8,
    ) -> Result<[u8; VOICE_LEN], VoiceError> {
        let counter = u64::from(number);
        if counter < self.next {
            return Err(VoiceError::FrameNumberUsed(number));
        }
        self.next = counter + 1;
        let header = ::sframe::header::SframeHeader::new(self.key.key_id(), counter).len();
        let mut plain = [0u8; VOICE_LEN];
        plain[0] = flags;
        plain[1..=PACKET_LEN].copy_from_slice(packet);
        let inside = VOICE_LEN - TAG_LEN - header;
        let mut once = SingleUseCounter::new(counter);
        let frame = MediaFrameView::try_new(&mut once, &plain[..inside]);
        let frame = frame.map_err(|_| VoiceError::Malformed)?;
        self.scratch.clear();
        let sealed = frame.encrypt_into(&self.key, &mut self.scratch);
        plain.zeroize();
        let sealed = sealed.map_err(|_| VoiceError::Malformed)?;
        sealed.sframe_cipher_text().try_into().map_err(|_| VoiceError::Malformed)
    }
}

/// A voice frame that opened.
#[derive(PartialEq, Eq)]
pub struct Opened {
    /// Number of the frame.
    pub number: u32,
    /// Flags of the sender.
    pub flags: u8,
    /// The Opus packet.
    pub packet: [u8; PACKET_LEN],
}

impl core::fmt::Debug for Opened {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Opened").field("number", &self.number).finish_non_exhaustive()
    }
}

/// The tag of a sealed frame, by which its sender tells of it: the first six bytes of its hash.
#[must_use]
pub fn tag(sealed: &[u8; VOICE_LEN]) -> [u8; FRAME_TAG_LEN] {
    let hash = Sha256::new().chain_update(b"hotline voice tag v1").chain_update(sealed).finalize();
    let mut tag = [0; FRAME_TAG_LEN];
    tag.copy_from_slice(&hash[..FRAME_TAG_LEN]);
    tag
}

/// Opens the voice of one member in one epoch.
pub struct Opener {
    key: DecryptionKey,
    replay: Replay,
    scratch: Vec<u8>,
}

impl Opener {
    /// For the voice of the member at `leaf`.
    ///
    /// # Errors
    /// [`VoiceError::NoMember`].
    pub fn new(keys: &EpochKeys, leaf: u32) -> Result<Self, VoiceError> {
        Opener::with(keys.key_id(leaf)?, keys.base.as_ref())
    }

    fn with(id: MlsKeyId, base: &[u8]) -> Result<Self, VoiceError> {
        let key = DecryptionKey::derive_from(SUITE, id, base).map_err(|_| VoiceError::Malformed)?;
        Ok(Opener { key, replay: Replay::new(), scratch: Vec::with_capacity(VOICE_LEN) })
    }

    /// The number of a frame that says that it is of this member and epoch, before any of it is believed.
    #[must_use]
    pub fn number(&self, sealed: &[u8; VOICE_LEN]) -> Option<u32> {
        let frame = EncryptedFrameView::try_new(sealed).ok()?;
        let mine = frame.header().key_id() == self.key.key_id();
        u32::try_from(frame.header().counter()).ok().filter(|_| mine)
    }

    /// Opens a frame, once.
    ///
    /// # Errors
    /// [`VoiceError::Malformed`], [`VoiceError::OtherKey`], [`VoiceError::Replayed`],
    /// [`VoiceError::Closed`]. None of them changes anything here.
    pub fn open(&mut self, sealed: &[u8]) -> Result<Opened, VoiceError> {
        if sealed.len() != VOICE_LEN {
            return Err(VoiceError::Malformed);
        }
        let frame = EncryptedFrameView::try_new(sealed).map_err(|_| VoiceError::Malformed)?;
        if frame.header().key_id() != self.key.key_id() {
            return Err(VoiceError::OtherKey);
        }
        let number = u32::try_from(frame.header().counter()).map_err(|_| VoiceError::Malformed)?;
        if frame.header().len() + TAG_LEN + PACKET_LEN + 1 > VOICE_LEN {
            return Err(VoiceError::Malformed);
        }
        if !self.replay.is_new(number) {
            return Err(VoiceError::Replayed);
        }
        self.scratch.clear();
        let opened = frame.decrypt_into(&self.key, &mut self.scratch);
        let opened = opened.map_err(|_| VoiceError::Closed)?;
        let result = unpack(number, opened.payload());
        self.scratch.zeroize();
        // The frame is genuine, whatever is in it: it must not come again.
        self.replay.record(number);
        result
    }
}

fn unpack(number: u32, plain: &[u8]) -> Result<Opened, VoiceError> {
    let (flags, rest) = plain.split_first().ok_or(VoiceError::Malformed)?;
    let (packet, zeros) = rest.split_first_chunk::<PACKET_LEN>().ok_or(VoiceError::Malformed)?;
    if zeros.iter().any(|b| *b != 0) {
        return Err(VoiceError::Malformed);
    }
    Ok(Opened { number, flags: *flags, packet: *packet })
}

/// The same work for nobody: an idle handset seals and opens frames with a key that it made up and tells
/// no one, so that its time and power do not tell idle from talking.
pub struct Chaff {
    sealer: Sealer,
    opener: Opener,
}

impl Chaff {
    /// `key`: random, from outside. Leaf and epoch are such that the header has a common length.
    ///
    /// # Errors
    /// None that can happen; [`VoiceError::Malformed`] in name.
    pub fn new(key: &Zeroizing<[u8; 32]>) -> Result<Self, VoiceError> {
        let id = key_id(1, 1)?;
        Ok(Chaff {
            sealer: Sealer::with(id, 1, key.as_ref())?,
            opener: Opener::with(id, key.as_ref())?,
        })
    }

    /// As [`Sealer::seal`].
    ///
    /// # Errors
    /// As there.
    pub fn seal(
        &mut self,
        number: u32,
        packet: &[u8; PACKET_LEN],
    ) -> Result<[u8; VOICE_LEN], VoiceError> {
        self.sealer.seal(number, packet, 0)
    }

    /// As [`Opener::open`], for what [`Chaff::seal`] made.
    ///
    /// # Errors
    /// As there.
    pub fn open(&mut self, sealed: &[u8]) -> Result<Opened, VoiceError> {
        self.opener.open(sealed)
    }
}

#[cfg(test)]
mod tests;
