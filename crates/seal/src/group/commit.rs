//! Changing a group: what this device commits, and what others send.
//!
//! ```text
//!   add / remove / self_update / commit_proposals ──► commit bytes, pending here
//!        │ alone in the group: merged at once         │ else merge_pending() once the others have it
//!   process(bytes) ──► Application | Change (merged) | Proposal (kept) | Own | Outranked
//! ```

use openmls::prelude::{tls_codec::Deserialize as _, tls_codec::Serialize as _, *};
use openmls::schedule::PreSharedKeyId;
use openmls_traits::storage::StorageProvider as _;

use super::error::library;
use super::provider;
use super::{
    Group, GroupError, GroupKind, MEMBERS_MAX, MESSAGE_MAX, Member, Psk, VerifiedKeyPackage,
    forget_psk, message, message_in, roster, state_error,
};
use crate::identity::{CredentialError, VerifiedDevice};

/// Most proposals that wait for a commit.
const PROPOSALS_MAX: usize = 64;

/// What came of [`Group::add`].
pub struct Added {
    /// For the members that there were.
    pub commit: Vec<u8>,
    /// For the new ones, all of them.
    pub welcome: Vec<u8>,
}

/// What stands on the outside of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peek {
    /// The epoch that it was sealed in.
    pub epoch: u64,
    /// It changes the group.
    pub is_commit: bool,
}

/// What a message was.
#[derive(Debug, PartialEq, Eq)]
pub enum Incoming {
    /// Somebody said something.
    Application {
        /// Who: a member.
        from: Member,
        /// What, without padding.
        message: Vec<u8>,
    },
    /// The group has a new epoch.
    Commit(Change),
    /// Something was proposed; it waits for a commit.
    Proposal {
        /// By whom.
        from: Member,
    },
    /// It claims to be this device's own message, come back. Skip it.
    Own,
    /// A commit that lost against this device's own pending one. Skip it; its author will drop it.
    Outranked,
}

/// A commit that was merged.
#[derive(Debug, PartialEq, Eq)]
pub struct Change {
    /// Who made it.
    pub by: Member,
    /// The new epoch.
    pub epoch: u64,
    /// Who came.
    pub added: Vec<Member>,
    /// Who went.
    pub removed: Vec<Member>,
    /// Whether an own pending commit was dropped for it: do it again if it still makes sense.
    pub own_discarded: bool,
}

impl Group {
    /// Adds devices. With `psks`, the new epoch is bound to them: others need them as well, members before
    /// they process the commit ([`Group::expect_psk`]) and new ones when they join.
    ///
    /// # Errors
    /// [`GroupError::NotAdmitted`], [`GroupError::CommitPending`], [`GroupError::TooLarge`] above 64 members,
    /// [`GroupError::Malformed`] when a device is a member already.
    pub fn add(&mut self, new: &[VerifiedKeyPackage], psks: &[Psk]) -> Result<Added, GroupError> {
        for package in new {
            let principal = package.device().principal();
            if principal != self.device.principal() && !self.admit.allows(&principal) {
                return Err(GroupError::NotAdmitted);
            }
        }
        let len = self.roster.len() + new.len();
        if new.is_empty() || len > MEMBERS_MAX {
            return Err(GroupError::TooLarge { len, max: MEMBERS_MAX });
        }
        let mut proposals = Vec::new();
        for psk in psks {
            let nonce = self.provider.rand().random_vec(SUITE_HASH_LEN);
            let id = psk.mls_id(nonce.map_err(|_| GroupError::NoEntropy)?);
            id.store(&self.provider, psk.secret.as_ref()).map_err(library)?;
            proposals.push(Proposal::PreSharedKey(Box::new(PreSharedKeyProposal::new(id))));
        }
        let adds = new.iter().map(|p| p.package.clone()).collect();
        let made = self.commit(adds, Vec::new(), proposals);
        for psk in psks {
            forget_psk(&self.provider, psk)?;
        }
        let (commit, welcome) = made?;
        let welcome = welcome.ok_or_else(|| library("commit without a welcome"))?;
        Ok(Added { commit, welcome })
    }

    /// Removes a member: it cannot open what is sealed in the next epoch.
    ///
    /// # Errors
    /// [`GroupError::NoMember`], [`GroupError::NotAllowed`] for this device itself,
    /// [`GroupError::CommitPending`].
    pub fn remove(&mut self, leaves: &[u32]) -> Result<Vec<u8>, GroupError> {
        for leaf in leaves {
            if *leaf == self.own_leaf() {
                return Err(GroupError::NotAllowed("removing oneself by a commit"));
            }
            self.member(*leaf)?;
        }
        let removals = leaves.iter().map(|leaf| LeafNodeIndex::new(*leaf)).collect();
        Ok(self.commit(Vec::new(), removals, Vec::new())?.0)
    }

    /// Renews this device's keys: whoever copied the old ones is out from the next epoch on.
    ///
    /// # Errors
    /// [`GroupError::CommitPending`].
    pub fn self_update(&mut self) -> Result<Vec<u8>, GroupError> {
        Ok(self.commit(Vec::new(), Vec::new(), Vec::new())?.0)
    }

    /// Proposes new keys for this device, for somebody else's commit. Nobody can send messages between a
    /// proposal and the commit; [`Group::self_update`] is mostly better.
    ///
    /// # Errors
    /// [`GroupError::CommitPending`], [`GroupError::Removed`].
    pub fn propose_update(&mut self) -> Result<Vec<u8>, GroupError> {
        self.check_operational()?;
        let (proposal, _) = self
            .mls
            .propose_self_update(&self.provider, &self.device, LeafNodeParameters::default())
            .map_err(library)?;
        proposal.tls_serialize_detached().map_err(library)
    }

    /// Commits to the proposals that wait.
    ///
    /// # Errors
    /// [`GroupError::CommitPending`].
    pub fn commit_pending(&mut self) -> Result<Vec<u8>, GroupError> {
        Ok(self.commit(Vec::new(), Vec::new(), Vec::new())?.0)
    }

    /// Whether an own commit waits for [`Group::merge_pending`].
    #[must_use]
    pub fn has_pending(&self) -> bool {
        self.mls.pending_commit().is_some()
    }

    /// The others have the own commit: enter its epoch. Does nothing if none waits.
    ///
    /// # Errors
    /// [`GroupError::Removed`], [`GroupError::Library`].
    pub fn merge_pending(&mut self) -> Result<u64, GroupError> {
        self.mls.merge_pending_commit(&self.provider).map_err(|e| match e {
            MergePendingCommitError::MlsGroupStateError(e) => state_error(e),
            e => library(e),
        })?;
        self.roster = roster(self.mls.members(), &self.device, &self.admit)?;
        Ok(self.epoch())
    }

    /// Whether `message` was said in the epoch of the own commit that waits: somebody has it. Tried on a copy.
    #[must_use]
    pub fn opens_after_pending(&self, message: &[u8]) -> bool {
        if !self.has_pending() {
            return false;
        }
        let Ok(mut copy) = Group::restore(&self.snapshot(), &self.device) else { return false };
        copy.merge_pending().is_ok() && copy.process(message).is_ok()
    }

    /// The others will not get the own commit: forget it.
    ///
    /// # Errors
    /// [`GroupError::Library`].
    pub fn discard_pending(&mut self) -> Result<(), GroupError> {
        self.mls.clear_pending_commit(self.provider.storage()).map_err(library)
    }

    /// Has `psk` ready for a commit by another member that is bound to it.
    ///
    /// # Errors
    /// [`GroupError::Library`].
    pub fn expect_psk(&mut self, psk: &Psk) -> Result<(), GroupError> {
        psk.mls_id(Vec::new()).store(&self.provider, psk.secret.as_ref()).map_err(library)
    }

    fn check_operational(&self) -> Result<(), GroupError> {
        match (self.is_active(), self.has_pending()) {
            (false, _) => Err(GroupError::Removed),
            (_, true) => Err(GroupError::CommitPending),
            _ => Ok(()),
        }
    }

    fn member(&self, leaf: u32) -> Result<Member, GroupError> {
        let found = self.roster.iter().find(|m| m.leaf == leaf);
        found.copied().ok_or(GroupError::NoMember(leaf))
    }

    fn commit(
        &mut self,
        adds: Vec<KeyPackage>,
        removals: Vec<LeafNodeIndex>,
        proposals: Vec<Proposal>,
    ) -> Result<(Vec<u8>, Option<Vec<u8>>), GroupError> {
        self.check_operational()?;
        let alone = self.roster.len() == 1;
        // Who comes in needs no new keys of whoever lets him in: without them the commit and the Welcome are half as long (0029).
        let renew = adds.is_empty() || !removals.is_empty();
        let bundle = self
            .mls
            .commit_builder()
            .consume_proposal_store(true)
            .force_self_update(renew)
            .propose_adds(adds)
            .propose_removals(removals)
            .add_proposals(proposals)
            .load_psks(self.provider.storage())
            .map_err(commit_error)?
            .build(self.provider.rand(), self.provider.crypto(), &self.device, |_| true)
            .map_err(commit_error)?
            .stage_commit(&self.provider)
            .map_err(library)?;
        let (commit, welcome, _) = bundle.into_messages();
        let commit = commit.tls_serialize_detached().map_err(library)?;
        let welcome = welcome.map(|w| w.tls_serialize_detached()).transpose().map_err(library)?;
        if alone {
            self.merge_pending()?;
        }
        Ok((commit, welcome))
    }

    /// A sealed message of this group; nothing of it is opened.
    fn sealed(&self, bytes: &[u8]) -> Result<ProtocolMessage, GroupError> {
        if bytes.len() > MESSAGE_MAX {
            return Err(GroupError::TooLarge { len: bytes.len(), max: MESSAGE_MAX });
        }
        let MlsMessageBodyIn::PrivateMessage(sealed) = message_in(bytes)? else {
            return Err(GroupError::Malformed("an encrypted group message"));
        };
        let sealed = ProtocolMessage::from(sealed);
        match sealed.group_id() == self.mls.group_id() {
            true => Ok(sealed),
            false => Err(GroupError::OtherGroup),
        }
    }

    /// What a message of this group says about itself, before any of it is believed.
    ///
    /// # Errors
    /// [`GroupError::TooLarge`], [`GroupError::Malformed`], [`GroupError::OtherGroup`].
    pub fn peek(&self, bytes: &[u8]) -> Result<Peek, GroupError> {
        let sealed = self.sealed(bytes)?;
        let is_commit = sealed.content_type() == ContentType::Commit;
        Ok(Peek { epoch: sealed.epoch().as_u64(), is_commit })
    }

    /// Opens a message of this group. A commit is merged.
    ///
    /// # Errors
    /// [`GroupError::Malformed`], [`GroupError::OtherGroup`], [`GroupError::OtherEpoch`],
    /// [`GroupError::Closed`], [`GroupError::Padding`]; for commits and proposals also
    /// [`GroupError::NotAllowed`], [`GroupError::NotAdmitted`], [`GroupError::Credential`],
    /// [`GroupError::PskMissing`].
    pub fn process(&mut self, bytes: &[u8]) -> Result<Incoming, GroupError> {
        let sealed = self.sealed(bytes)?;
        let (epoch, own) = (sealed.epoch().as_u64(), self.epoch());
        if epoch > own || epoch.saturating_add(provider::PAST_EPOCHS as u64) < own {
            return Err(GroupError::OtherEpoch { message: epoch, own });
        }
        let opened = self
            .mls
            .process_message(&self.provider, sealed)
            .map_err(|e| process_error(e, epoch, own))?;
        let (sender, credential) = (opened.sender().clone(), opened.credential().clone());
        match opened.into_content() {
            ProcessedMessageContent::OwnPrivateMessage
            | ProcessedMessageContent::OwnPendingCommit => Ok(Incoming::Own),
            ProcessedMessageContent::ApplicationMessage(said) => {
                // What is of a past epoch opens with keys that a member who has gone since still has.
                let from = author(&sender, &credential)?;
                if !self.roster.contains(&from) {
                    return Err(GroupError::NotAllowed("what a member says who has gone"));
                }
                let message = message::empty(&zeroize::Zeroizing::new(said.into_bytes()))?;
                Ok(Incoming::Application { from, message })
            }
            ProcessedMessageContent::ProposalMessage(proposal) => {
                let from = author(&sender, &credential)?;
                self.vet_proposal(proposal.proposal(), from)?;
                if self.mls.pending_proposals().count() >= PROPOSALS_MAX {
                    return Err(GroupError::NotAllowed("yet another proposal"));
                }
                self.mls
                    .store_pending_proposal(self.provider.storage(), *proposal)
                    .map_err(library)?;
                Ok(Incoming::Proposal { from })
            }
            ProcessedMessageContent::StagedCommitMessage(staged) => {
                let by = author(&sender, &credential)?;
                self.merge_theirs(*staged, by)
            }
            ProcessedMessageContent::ExternalJoinProposalMessage(_) => {
                Err(GroupError::NotAllowed("joining without being asked"))
            }
        }
    }

    fn merge_theirs(&mut self, staged: StagedCommit, by: Member) -> Result<Incoming, GroupError> {
        let (mut came, mut went) = (Vec::new(), Vec::new());
        for queued in staged.queued_proposals() {
            let from = match queued.sender() {
                Sender::Member(leaf) => self.member(leaf.u32())?,
                _ => return Err(GroupError::NotAllowed("a proposal from outside")),
            };
            self.vet_proposal(queued.proposal(), from)?;
            match queued.proposal() {
                Proposal::Add(add) => came.push(leaf_device(add.key_package().leaf_node())?),
                Proposal::Remove(remove) => went.push(self.member(remove.removed().u32())?),
                _ => {}
            }
        }
        if let Some(leaf) = staged.update_path_leaf_node() {
            same_device(leaf, by)?;
        }
        if self.roster.len() + came.len() > MEMBERS_MAX + went.len() {
            return Err(GroupError::TooLarge { len: MEMBERS_MAX + 1, max: MEMBERS_MAX });
        }
        let own_discarded = self.has_pending();
        if own_discarded && by.leaf > self.own_leaf() {
            return Ok(Incoming::Outranked);
        }
        let psks: Vec<_> = staged.psk_proposals().map(|p| psk_id(p.psk_proposal())).collect();
        self.mls.merge_staged_commit(&self.provider, staged).map_err(library)?;
        for psk in psks {
            self.provider.storage().delete_psk(psk?.psk()).map_err(library)?;
        }
        self.roster = roster(self.mls.members(), &self.device, &self.admit)?;
        let added = self.roster.iter().filter(|m| came.contains(&m.device)).copied().collect();
        Ok(Incoming::Commit(Change {
            by,
            epoch: self.epoch(),
            added,
            removed: went,
            own_discarded,
        }))
    }

    /// What members may do: add whom the group admits, remove, renew their own keys, bind to a shared key. In a
    /// contact group nobody removes another principal's device: it would go deaf, and its owner not know.
    fn vet_proposal(&self, proposal: &Proposal, from: Member) -> Result<(), GroupError> {
        match proposal {
            Proposal::Add(add) => {
                let principal = leaf_device(add.key_package().leaf_node())?.principal();
                match principal == self.device.principal() || self.admit.allows(&principal) {
                    true => Ok(()),
                    false => Err(GroupError::NotAdmitted),
                }
            }
            Proposal::Update(update) => same_device(update.leaf_node(), from),
            Proposal::Remove(remove) if self.kind == GroupKind::Contact => {
                let removed = self.member(remove.removed().u32())?;
                match removed.device.principal() == from.device.principal() {
                    true => Ok(()),
                    false => Err(GroupError::NotAllowed("removing a device of another principal")),
                }
            }
            Proposal::Remove(_) | Proposal::PreSharedKey(_) => Ok(()),
            _ => Err(GroupError::NotAllowed("a proposal of this type")),
        }
    }
}

/// Length of a PSK nonce: that of the suite's hash (RFC 9420 §8.4).
const SUITE_HASH_LEN: usize = 32;

/// A PSK proposal is its PSK's id and nothing else (RFC 9420 §12.1.4); openmls hides the field.
fn psk_id(proposal: &PreSharedKeyProposal) -> Result<PreSharedKeyId, GroupError> {
    let bytes = proposal.tls_serialize_detached().map_err(library)?;
    PreSharedKeyId::tls_deserialize(&mut bytes.as_slice()).map_err(library)
}

fn author(sender: &Sender, credential: &Credential) -> Result<Member, GroupError> {
    let Sender::Member(leaf) = sender else {
        return Err(GroupError::NotAllowed("a message from outside the group"));
    };
    Ok(Member { leaf: leaf.u32(), device: provider::verify_credential(credential)? })
}

fn leaf_device(leaf: &LeafNode) -> Result<VerifiedDevice, GroupError> {
    Ok(provider::verify_leaf(leaf.credential(), leaf.signature_key().as_slice())?)
}

/// A renewed leaf keeps its device: keys change, identities do not.
fn same_device(leaf: &LeafNode, member: Member) -> Result<(), GroupError> {
    match leaf_device(leaf)? == member.device {
        true => Ok(()),
        false => Err(CredentialError::OtherPrincipal.into()),
    }
}

fn commit_error(error: CreateCommitError) -> GroupError {
    match error {
        CreateCommitError::PskError(_) => GroupError::PskMissing,
        CreateCommitError::ProposalValidationError(_) => {
            GroupError::Malformed("a change that the group can make")
        }
        e => library(e),
    }
}

fn process_error<E: core::fmt::Display>(
    error: ProcessMessageError<E>,
    message: u64,
    own: u64,
) -> GroupError {
    match error {
        ProcessMessageError::GroupStateError(e) => state_error(e),
        ProcessMessageError::ValidationError(
            ValidationError::WrongEpoch | ValidationError::NoPastEpochData,
        ) => GroupError::OtherEpoch { message, own },
        ProcessMessageError::InvalidCommit(StageCommitError::PskError(_)) => GroupError::PskMissing,
        ProcessMessageError::StorageError(e) => library(e),
        _ => GroupError::Closed,
    }
}
