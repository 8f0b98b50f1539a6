//! MLS groups (RFC 9420) behind a door of our own. This folder alone names openmls.
//!
//! ```text
//!   create ──► Group ── add(key packages, psks) ──► Added{commit, welcome} ── welcome ──► join ──► Group
//!                │ ▲                                    │ commit
//!                │ └──────────── process ◄──────────────┘       merge_pending() once the others have it
//!                ├── encrypt(message, bucket) / process ──► Incoming::Application
//!                ├── epoch_keys() ──► EpochKeys ──► Sealer, Opener            (crate::sframe)
//!                ├── authenticator() ──► safety words                         (crate::words)
//!                └── snapshot() / restore()                                   (secret: vault only)
//! ```
//!
//! **There is a `Group` only while the credential of every member has been verified and admitted**; a
//! commit or Welcome that would break this is refused, and the group stays as it was.
//!
//! One suite, 0x004D: X-Wing, ChaCha20-Poly1305, SHA-256, Ed25519. Handshakes are encrypted too
//! (PrivateMessage). Each commit renews the committer's keys.
//!
//! Who commits when two want to: an own commit stays pending until the others have it. If another one
//! arrives meanwhile, the member with the lower leaf wins: its commit is merged and ours discarded, or
//! theirs is [`Incoming::Outranked`]. Both sides decide alike without a server.
//!
//! Clock: openmls stamps past secrets with the system clock and compares lifetimes with it; neither decides
//! anything here (see [`VALIDITY`]). Randomness of MLS is libcrux's, seeded by the operating system.

mod commit;
mod error;
mod message;
mod package;
mod provider;
mod snapshot;
mod store;

use std::collections::BTreeSet;

use openmls::prelude::{tls_codec::Serialize as _, *};
use openmls::schedule::{PreSharedKeyId, Psk as MlsPsk};
use openmls_traits::storage::StorageProvider as _;
use wire::{Reader, Writer};
use zeroize::Zeroizing;

pub use commit::{Added, Change, Incoming, Peek};
pub use error::{GroupError, SnapshotError};
pub use message::Bucket;
pub use package::{KeyPackages, PackageRef, UnverifiedKeyPackage, VALIDITY, VerifiedKeyPackage};

use crate::identity::{Device, PrincipalId, VerifiedDevice};
use crate::sframe::EpochKeys;
use error::library;
use provider::{Provider, SUITE};

/// Number of the only cipher suite.
pub const CIPHERSUITE: u16 = 0x004D;
/// Its name.
pub const CIPHERSUITE_NAME: &str = "MLS_256_XWING_CHACHA20POLY1305_SHA256_Ed25519";
/// Longest Welcome or group message that is looked at, bytes.
pub const MESSAGE_MAX: usize = 64 << 10;
/// Most members of a group.
pub const MEMBERS_MAX: usize = 64;
/// Label under which RFC 9605 §5.2 exports voice keys. Reserved for [`Group::epoch_keys`].
const VOICE_LABEL: &str = "SFrame 1.0 Base Key";
/// Group ids begin with this, then the kind, then 16 random bytes.
const ID_MAGIC: &[u8; 2] = b"HL";

/// What a group is for. It stands in the group id, so one kind never passes for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupKind {
    /// Between two contacts, lasting.
    Contact,
    /// One call.
    Call,
}

impl GroupKind {
    fn code(self) -> u8 {
        match self {
            GroupKind::Contact => 1,
            GroupKind::Call => 2,
        }
    }
}

/// Whose devices may be members. The own principal always may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admit {
    /// Devices of these principals.
    Only(BTreeSet<PrincipalId>),
    /// Any genuine device that a member adds: a call, in which a member vouches for whom it brings along
    /// and every member is shown on every screen.
    Vouched,
}

impl Admit {
    /// Devices of `principal`.
    #[must_use]
    pub fn one(principal: PrincipalId) -> Self {
        Admit::Only(BTreeSet::from([principal]))
    }

    fn allows(&self, principal: &PrincipalId) -> bool {
        match self {
            Admit::Only(list) => list.contains(principal),
            Admit::Vouched => true,
        }
    }
}

/// A secret that both sides have from elsewhere: it binds a call group to the contact group in which it was
/// handed over (RFC 9420 §8.4).
#[derive(Clone)]
pub struct Psk {
    /// Names it; not secret.
    pub id: [u8; 16],
    /// The secret.
    pub secret: Zeroizing<[u8; 32]>,
}

impl Psk {
    /// From its parts.
    #[must_use]
    pub fn new(id: [u8; 16], secret: [u8; 32]) -> Self {
        Psk { id, secret: Zeroizing::new(secret) }
    }

    fn mls_id(&self, nonce: Vec<u8>) -> PreSharedKeyId {
        PreSharedKeyId::external(self.id.to_vec(), nonce)
    }
}

/// A member: its leaf, and the device behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Index of the leaf; stays while it is a member.
    pub leaf: u32,
    /// Its verified device.
    pub device: VerifiedDevice,
}

/// A group that this device is in.
pub struct Group {
    mls: MlsGroup,
    provider: Provider,
    device: Device,
    kind: GroupKind,
    admit: Admit,
    roster: Vec<Member>,
    /// The epoch in which the right to seal voice was given away, or lost at a restart.
    sealing: Option<u64>,
}

impl Group {
    /// A new group with this device as its only member.
    ///
    /// # Errors
    /// [`GroupError::NoEntropy`], [`GroupError::Library`].
    pub fn create(device: &Device, kind: GroupKind, admit: Admit) -> Result<Self, GroupError> {
        let provider = Provider::new()?;
        let random = provider.rand().random_array::<16>().map_err(|_| GroupError::NoEntropy)?;
        let id = [&ID_MAGIC[..], &[kind.code()], &random].concat();
        let mls = MlsGroup::new_with_group_id(
            &provider,
            device,
            &provider::create_config(),
            GroupId::from_slice(&id),
            provider::own_credential(device),
        )
        .map_err(library)?;
        Group::admitted(mls, provider, device, admit, kind)
    }

    /// Joins the group that `welcome` is for, with the key package that it names. The key package is used up
    /// only if that succeeds.
    ///
    /// # Errors
    /// Any of [`GroupError`] but those about commits; notably [`GroupError::PskMissing`] if the group is not
    /// bound to exactly `psks`, [`GroupError::WelcomeClosed`] if one of them has another value,
    /// [`GroupError::NotAdmitted`] if a member is not in `admit`.
    pub fn join(
        device: &Device,
        packages: &mut KeyPackages,
        welcome: &[u8],
        kind: GroupKind,
        psks: &[Psk],
        admit: Admit,
    ) -> Result<Self, GroupError> {
        if welcome.len() > MESSAGE_MAX {
            return Err(GroupError::TooLarge { len: welcome.len(), max: MESSAGE_MAX });
        }
        let MlsMessageBodyIn::Welcome(welcome) = message_in(welcome)? else {
            return Err(GroupError::Malformed("a welcome"));
        };
        if welcome.ciphersuite() != SUITE {
            return Err(GroupError::ForeignSuite);
        }
        let (reference, provider) = packages.open(&package::references(&welcome))?;
        for psk in psks {
            psk.mls_id(Vec::new()).store(&provider, psk.secret.as_ref()).map_err(library)?;
        }
        let processed =
            ProcessedWelcome::new_from_welcome(&provider, &provider::join_config(), welcome)
                .map_err(welcome_error)?;
        let bound = processed.psks().iter().map(|id| match id.psk() {
            MlsPsk::External(external) => Some(external.psk_id()),
            MlsPsk::Resumption(_) => None,
        });
        if !bound.eq(psks.iter().map(|psk| Some(&psk.id[..]))) {
            return Err(GroupError::PskMissing);
        }
        let staged = JoinBuilder::new(&provider, processed)
            .skip_lifetime_validation()
            .build()
            .map_err(welcome_error)?;
        check_context(staged.group_context(), kind)?;
        roster(staged.members(), device, &admit)?;
        let mls = staged.into_group(&provider).map_err(welcome_error)?;
        for psk in psks {
            forget_psk(&provider, psk)?;
        }
        let group = Group::admitted(mls, provider, device, admit, kind)?;
        packages.used(&reference);
        Ok(group)
    }

    fn admitted(
        mls: MlsGroup,
        provider: Provider,
        device: &Device,
        admit: Admit,
        kind: GroupKind,
    ) -> Result<Self, GroupError> {
        let roster = roster(mls.members(), device, &admit)?;
        Ok(Group { mls, provider, device: device.clone(), kind, admit, roster, sealing: None })
    }

    /// What it is for.
    #[must_use]
    pub fn kind(&self) -> GroupKind {
        self.kind
    }

    /// Names the group; the same at all members.
    #[must_use]
    pub fn id(&self) -> &[u8] {
        self.mls.group_id().as_slice()
    }

    /// The cipher suite that the group itself names: an IANA name, or a number for one that has none here.
    #[must_use]
    pub fn suite(&self) -> String {
        match u16::from(self.mls.ciphersuite()) {
            CIPHERSUITE => CIPHERSUITE_NAME.into(),
            other => format!("{other:#06x}"),
        }
    }

    /// Counts the commits since the beginning.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.mls.epoch().as_u64()
    }

    /// This device's leaf.
    #[must_use]
    pub fn own_leaf(&self) -> u32 {
        self.mls.own_leaf_index().u32()
    }

    /// Whether this device is still a member.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.mls.is_active()
    }

    /// Everybody who has the keys of this epoch, in order of leaves.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.roster
    }

    /// Lets devices of one more principal in, from now on.
    pub fn admit(&mut self, principal: PrincipalId) {
        if let Admit::Only(list) = &mut self.admit {
            list.insert(principal);
        }
    }

    /// Lets in whom a member brings along, from now on: a call of more than two.
    pub fn vouch(&mut self) {
        self.admit = Admit::Vouched;
    }

    /// Lets nobody in but devices of `principal`, from now on: after a group was joined to learn who made it.
    pub fn narrow(&mut self, principal: PrincipalId) {
        self.admit = Admit::one(principal);
    }

    /// Seals `message`, padded to `bucket`.
    ///
    /// # Errors
    /// [`GroupError::Bucket`], [`GroupError::ProposalPending`], [`GroupError::Removed`].
    pub fn encrypt(&mut self, message: &[u8], bucket: Bucket) -> Result<Vec<u8>, GroupError> {
        let padded = bucket.fill(message)?;
        let sealed = self.mls.create_message(&self.provider, &self.device, &padded);
        let sealed = sealed.map_err(|e| match e {
            CreateMessageError::GroupStateError(e) => state_error(e),
            e => library(e),
        })?;
        sealed.tls_serialize_detached().map_err(library)
    }

    /// A secret of this epoch that all members can derive (RFC 9420 §8.5), `len` bytes.
    ///
    /// # Errors
    /// [`GroupError::Removed`]; [`GroupError::NotAllowed`] for the label of voice keys, which only
    /// [`Group::epoch_keys`] exports.
    pub fn export(
        &self,
        label: &str,
        context: &[u8],
        len: usize,
    ) -> Result<Zeroizing<Vec<u8>>, GroupError> {
        if label == VOICE_LABEL {
            return Err(GroupError::NotAllowed("exporting voice keys by hand"));
        }
        self.export_any(label, context, len).map(Zeroizing::new)
    }

    fn export_any(&self, label: &str, context: &[u8], len: usize) -> Result<Vec<u8>, GroupError> {
        self.mls.export_secret(self.provider.crypto(), label, context, len).map_err(|e| match e {
            ExportSecretError::GroupStateError(e) => state_error(e),
            e => library(e),
        })
    }

    /// The voice keys of this epoch. The first call in an epoch also gives the right to seal voice, which
    /// one [`crate::sframe::Sealer`] takes: two would use the same nonces. A restored group has given it away; it
    /// needs a commit before it can speak.
    ///
    /// # Errors
    /// [`GroupError::Removed`].
    pub fn epoch_keys(&mut self) -> Result<EpochKeys, GroupError> {
        let base = provider::secret32(self.export_any(VOICE_LABEL, b"", 32)?)?;
        let epoch = self.epoch();
        let right = self.sealing != Some(epoch);
        self.sealing = Some(epoch);
        let leaves = self.roster.iter().map(|m| m.leaf).collect();
        Ok(EpochKeys::new(base, epoch, self.own_leaf(), leaves, right))
    }

    /// Differs between members unless they are in the same group at the same epoch with the same keys: what
    /// safety words are drawn from.
    #[must_use]
    pub fn authenticator(&self) -> [u8; 32] {
        let mut out = [0u8; 32];
        let bytes = self.mls.epoch_authenticator().as_slice();
        out.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        out
    }

    /// The whole state, for the sealed store only. Write it before what was made with it leaves the device.
    #[must_use]
    pub fn snapshot(&self) -> Zeroizing<Vec<u8>> {
        let mut w = Writer::new();
        w.bytes(&[self.kind.code()]).var(self.id());
        match &self.admit {
            Admit::Vouched => w.bytes(&[0]),
            Admit::Only(list) => {
                w.bytes(&[1]).bytes(&u16::try_from(list.len()).unwrap_or(u16::MAX).to_be_bytes());
                list.iter().take(usize::from(u16::MAX)).for_each(|p| {
                    w.bytes(&p.0);
                });
                &mut w
            }
        };
        self.provider.image(&mut w);
        snapshot::wrap(snapshot::Kind::Group, self.device.verified().device(), w)
    }

    /// From [`Group::snapshot`], for the same device. Members are verified again.
    ///
    /// # Errors
    /// Any [`SnapshotError`].
    pub fn restore(bytes: &[u8], device: &Device) -> Result<Self, SnapshotError> {
        let own = device.verified().device();
        let mut r = Reader::new(snapshot::unwrap(snapshot::Kind::Group, own, bytes)?);
        let kind = match r.u8("kind")? {
            1 => GroupKind::Contact,
            2 => GroupKind::Call,
            _ => return Err(SnapshotError::Damaged),
        };
        let id = GroupId::from_slice(r.var(64, "group id")?);
        let admit = match r.u8("admit")? {
            0 => Admit::Vouched,
            1 => {
                let count = r.u16("admitted")?;
                let list = (0..count).map(|_| Ok(wire::IdentityPub(r.array("admitted")?)));
                Admit::Only(list.collect::<Result<_, SnapshotError>>()?)
            }
            _ => return Err(SnapshotError::Damaged),
        };
        let provider = Provider::from_image(&mut r)?;
        r.end()?;
        let mls = MlsGroup::load(provider.storage(), &id);
        let mls = mls.ok().flatten().ok_or(SnapshotError::Damaged)?;
        check_context(mls.public_group().group_context(), kind)
            .map_err(|_| SnapshotError::Damaged)?;
        let group = Group::admitted(mls, provider, device, admit, kind);
        let mut group = group.map_err(|_| SnapshotError::Damaged)?;
        group.sealing = Some(group.epoch());
        Ok(group)
    }
}

/// A snapshot with the hash put right, so that fuzzing reaches what is behind it.
#[cfg(feature = "fuzz")]
pub(crate) fn rehashed(bytes: &[u8]) -> Vec<u8> {
    snapshot::rehashed(bytes)
}

/// An MLS message of any kind, and nothing behind it.
fn message_in(bytes: &[u8]) -> Result<MlsMessageBodyIn, GroupError> {
    package::parse_message(bytes).map(MlsMessageIn::extract)
}

/// Every member's credential verifies and is admitted.
fn roster(
    members: impl Iterator<Item = openmls::group::Member>,
    own: &Device,
    admit: &Admit,
) -> Result<Vec<Member>, GroupError> {
    let mut roster = Vec::new();
    for member in members {
        let device = provider::verify_leaf(&member.credential, &member.signature_key)?;
        if device.principal() != own.principal() && !admit.allows(&device.principal()) {
            return Err(GroupError::NotAdmitted);
        }
        roster.push(Member { leaf: member.index.u32(), device });
    }
    if roster.len() > MEMBERS_MAX {
        return Err(GroupError::TooLarge { len: roster.len(), max: MEMBERS_MAX });
    }
    Ok(roster)
}

/// A group of ours: suite, kind, and no extensions.
fn check_context(context: &GroupContext, kind: GroupKind) -> Result<(), GroupError> {
    if context.ciphersuite() != SUITE {
        return Err(GroupError::ForeignSuite);
    }
    if context.extensions().iter().next().is_some() {
        return Err(GroupError::NotAllowed("a group extension"));
    }
    let id = context.group_id().as_slice();
    if id.len() != 19 || id[..2] != *ID_MAGIC || id[2] != kind.code() {
        return Err(GroupError::OtherKind);
    }
    Ok(())
}

fn forget_psk(provider: &Provider, psk: &Psk) -> Result<(), GroupError> {
    provider.storage().delete_psk(psk.mls_id(Vec::new()).psk()).map_err(library)
}

fn state_error(error: MlsGroupStateError) -> GroupError {
    match error {
        MlsGroupStateError::UseAfterEviction => GroupError::Removed,
        MlsGroupStateError::PendingCommit => GroupError::CommitPending,
        MlsGroupStateError::PendingProposal => GroupError::ProposalPending,
        other => library(other),
    }
}

fn welcome_error<E: core::fmt::Display>(error: WelcomeError<E>) -> GroupError {
    match error {
        WelcomeError::UnsupportedCiphersuite(_) | WelcomeError::CiphersuiteMismatch => {
            GroupError::ForeignSuite
        }
        WelcomeError::Psk(_) => GroupError::PskMissing,
        WelcomeError::NoMatchingKeyPackage | WelcomeError::JoinerSecretNotFound => {
            GroupError::NoKeyPackage
        }
        WelcomeError::GroupSecrets(_)
        | WelcomeError::GroupInfo(_)
        | WelcomeError::ConfirmationTagMismatch
        | WelcomeError::UnableToDecrypt
        | WelcomeError::InvalidGroupInfoSignature => GroupError::WelcomeClosed,
        WelcomeError::LibraryError(e) => library(e),
        WelcomeError::StorageError(e) => library(e),
        _ => GroupError::Malformed("a welcome to a well-formed group"),
    }
}

#[cfg(test)]
mod tests;
