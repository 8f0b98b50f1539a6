//! Where openmls keeps a group's state: a map in memory, one for each group or key package.
//!
//! ```text
//!   slot  = tag u8 | key (CBOR)        value = CBOR, overwritten when replaced or dropped
//!   image = count u32 | ( slot length u32 | slot | value length u32 | value )*      slots ascending
//! ```
//!
//! openmls's own memory store panics on values that do not decode; here they are errors. Not shared between
//! threads (`RefCell`), because a group has one owner.

use std::cell::RefCell;
use std::collections::BTreeMap;

use openmls_traits::storage::{CURRENT_VERSION, StorageProvider, traits};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wire::{Reader, Writer};
use zeroize::Zeroizing;

use super::SnapshotError;

const V: u16 = CURRENT_VERSION;
/// Most entries of an image, and most bytes of one of them.
const ENTRIES_MAX: u32 = 4_096;
const ENTRY_MAX: usize = 4 << 20;

/// A value does not encode or decode: the stored state is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("stored group state does not {0}")]
pub(super) struct StoreError(&'static str);

type Result<T> = core::result::Result<T, StoreError>;
type Slot = Vec<u8>;

/// The map.
#[derive(Default)]
pub(super) struct Store(RefCell<BTreeMap<Slot, Zeroizing<Vec<u8>>>>);

impl Store {
    pub(super) fn image(&self, w: &mut Writer) {
        let map = self.0.borrow();
        w.bytes(&u32::try_from(map.len()).unwrap_or(u32::MAX).to_be_bytes());
        for part in map.iter().flat_map(|(slot, value)| [slot.as_slice(), value]) {
            w.bytes(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes()).bytes(part);
        }
    }

    pub(super) fn from_image(r: &mut Reader<'_>) -> core::result::Result<Self, SnapshotError> {
        let count = r.u32("entries")?;
        if count > ENTRIES_MAX {
            return Err(SnapshotError::Damaged);
        }
        let mut map = BTreeMap::new();
        for _ in 0..count {
            let slot = entry(r, "slot")?.to_vec();
            map.insert(slot, Zeroizing::new(entry(r, "value")?.to_vec()));
        }
        Ok(Store(RefCell::new(map)))
    }

    fn put(&self, slot: Slot, value: &impl Serialize) -> Result<()> {
        self.0.borrow_mut().insert(slot, encode(value)?);
        Ok(())
    }

    fn get<T: DeserializeOwned>(&self, slot: &Slot) -> Result<Option<T>> {
        self.0.borrow().get(slot).map(|value| decode(value)).transpose()
    }

    fn drop(&self, slot: &Slot) {
        self.0.borrow_mut().remove(slot);
    }

    /// A list in one slot: its items, each encoded.
    fn items(&self, slot: &Slot) -> Result<Vec<Vec<u8>>> {
        Ok(self.get(slot)?.unwrap_or_default())
    }

    fn append(&self, slot: Slot, value: &impl Serialize) -> Result<()> {
        let mut items = self.items(&slot)?;
        items.push(encode(value)?.to_vec());
        self.put(slot, &items)
    }

    fn list<T: DeserializeOwned>(&self, slot: &Slot) -> Result<Vec<T>> {
        self.items(slot)?.iter().map(|item| decode(item)).collect()
    }
}

fn entry<'a>(
    r: &mut Reader<'a>,
    field: &'static str,
) -> core::result::Result<&'a [u8], SnapshotError> {
    match r.u32(field)? as usize {
        len if len <= ENTRY_MAX => Ok(r.bytes(len, field)?),
        _ => Err(SnapshotError::Damaged),
    }
}

fn encode(value: &impl Serialize) -> Result<Zeroizing<Vec<u8>>> {
    let mut out = Zeroizing::new(Vec::new());
    ciborium::into_writer(value, &mut *out).map_err(|_| StoreError("encode"))?;
    Ok(out)
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    ciborium::from_reader(bytes).map_err(|_| StoreError("decode"))
}

fn slot(tag: u8, key: &impl Serialize) -> Result<Slot> {
    let mut out = vec![tag];
    ciborium::into_writer(key, &mut out).map_err(|_| StoreError("encode"))?;
    Ok(out)
}

const LEAF_NODES: u8 = 1;
const PROPOSAL_REFS: u8 = 2;
const PROPOSAL: u8 = 3;
const EPOCH_KEY_PAIRS: u8 = 4;

/// One value for one key: how it is written, read and dropped. The type parameters stand in the trait's order.
macro_rules! tables {
    ($($tag:literal: $write:ident [$($w:ident)*], $read:ident [$($r:ident)*], $drop:ident,
        $key:ident => $value:ident;)*) => {$(
        fn $write<$($w: traits::$w<V>),*>(&self, key: &$key, value: &$value) -> Result<()> {
            self.put(slot($tag, key)?, value)
        }
        fn $read<$($r: traits::$r<V>),*>(&self, key: &$key) -> Result<Option<$value>> {
            self.get(&slot($tag, key)?)
        }
        fn $drop<$key: traits::$key<V>>(&self, key: &$key) -> Result<()> {
            self.drop(&slot($tag, key)?);
            Ok(())
        }
    )*};
}

impl StorageProvider<V> for Store {
    type Error = StoreError;

    tables! {
        10: write_mls_join_config [GroupId MlsGroupJoinConfig], mls_group_join_config [GroupId MlsGroupJoinConfig],
            delete_group_config, GroupId => MlsGroupJoinConfig;
        11: write_tree [GroupId TreeSync], tree [GroupId TreeSync], delete_tree, GroupId => TreeSync;
        12: write_interim_transcript_hash [GroupId InterimTranscriptHash],
            interim_transcript_hash [GroupId InterimTranscriptHash],
            delete_interim_transcript_hash, GroupId => InterimTranscriptHash;
        13: write_context [GroupId GroupContext], group_context [GroupId GroupContext],
            delete_context, GroupId => GroupContext;
        14: write_confirmation_tag [GroupId ConfirmationTag], confirmation_tag [GroupId ConfirmationTag],
            delete_confirmation_tag, GroupId => ConfirmationTag;
        15: write_group_state [GroupState GroupId], group_state [GroupState GroupId],
            delete_group_state, GroupId => GroupState;
        16: write_message_secrets [GroupId MessageSecrets], message_secrets [GroupId MessageSecrets],
            delete_message_secrets, GroupId => MessageSecrets;
        17: write_resumption_psk_store [GroupId ResumptionPskStore],
            resumption_psk_store [GroupId ResumptionPskStore],
            delete_all_resumption_psk_secrets, GroupId => ResumptionPskStore;
        18: write_own_leaf_index [GroupId LeafNodeIndex], own_leaf_index [GroupId LeafNodeIndex],
            delete_own_leaf_index, GroupId => LeafNodeIndex;
        19: write_group_epoch_secrets [GroupId GroupEpochSecrets], group_epoch_secrets [GroupId GroupEpochSecrets],
            delete_group_epoch_secrets, GroupId => GroupEpochSecrets;
        20: write_signature_key_pair [SignaturePublicKey SignatureKeyPair],
            signature_key_pair [SignaturePublicKey SignatureKeyPair],
            delete_signature_key_pair, SignaturePublicKey => SignatureKeyPair;
        21: write_encryption_key_pair [EncryptionKey HpkeKeyPair], encryption_key_pair [HpkeKeyPair EncryptionKey],
            delete_encryption_key_pair, EncryptionKey => HpkeKeyPair;
        22: write_key_package [HashReference KeyPackage], key_package [HashReference KeyPackage],
            delete_key_package, HashReference => KeyPackage;
        23: write_psk [PskId PskBundle], psk [PskBundle PskId], delete_psk, PskId => PskBundle;
    }

    fn append_own_leaf_node<GroupId: traits::GroupId<V>, LeafNode: traits::LeafNode<V>>(
        &self,
        group: &GroupId,
        leaf: &LeafNode,
    ) -> Result<()> {
        self.append(slot(LEAF_NODES, group)?, leaf)
    }

    fn own_leaf_nodes<GroupId: traits::GroupId<V>, LeafNode: traits::LeafNode<V>>(
        &self,
        group: &GroupId,
    ) -> Result<Vec<LeafNode>> {
        self.list(&slot(LEAF_NODES, group)?)
    }

    fn delete_own_leaf_nodes<GroupId: traits::GroupId<V>>(&self, group: &GroupId) -> Result<()> {
        self.drop(&slot(LEAF_NODES, group)?);
        Ok(())
    }

    fn queue_proposal<
        GroupId: traits::GroupId<V>,
        ProposalRef: traits::ProposalRef<V>,
        QueuedProposal: traits::QueuedProposal<V>,
    >(
        &self,
        group: &GroupId,
        reference: &ProposalRef,
        proposal: &QueuedProposal,
    ) -> Result<()> {
        self.put(slot(PROPOSAL, &(group, reference))?, proposal)?;
        self.append(slot(PROPOSAL_REFS, group)?, reference)
    }

    fn queued_proposal_refs<GroupId: traits::GroupId<V>, ProposalRef: traits::ProposalRef<V>>(
        &self,
        group: &GroupId,
    ) -> Result<Vec<ProposalRef>> {
        self.list(&slot(PROPOSAL_REFS, group)?)
    }

    fn queued_proposals<
        GroupId: traits::GroupId<V>,
        ProposalRef: traits::ProposalRef<V>,
        QueuedProposal: traits::QueuedProposal<V>,
    >(
        &self,
        group: &GroupId,
    ) -> Result<Vec<(ProposalRef, QueuedProposal)>> {
        let refs: Vec<ProposalRef> = self.queued_proposal_refs(group)?;
        let each = refs.into_iter().map(|reference| {
            let found = self.get(&slot(PROPOSAL, &(group, &reference))?)?;
            Ok((reference, found.ok_or(StoreError("hold a queued proposal"))?))
        });
        each.collect()
    }

    fn remove_proposal<GroupId: traits::GroupId<V>, ProposalRef: traits::ProposalRef<V>>(
        &self,
        group: &GroupId,
        reference: &ProposalRef,
    ) -> Result<()> {
        let list = slot(PROPOSAL_REFS, group)?;
        let mut items = self.items(&list)?;
        let gone = encode(reference)?;
        items.retain(|item| *item != *gone);
        self.put(list, &items)?;
        self.drop(&slot(PROPOSAL, &(group, reference))?);
        Ok(())
    }

    fn clear_proposal_queue<GroupId: traits::GroupId<V>, ProposalRef: traits::ProposalRef<V>>(
        &self,
        group: &GroupId,
    ) -> Result<()> {
        let refs: Vec<ProposalRef> = self.queued_proposal_refs(group)?;
        for reference in refs {
            self.drop(&slot(PROPOSAL, &(group, &reference))?);
        }
        self.drop(&slot(PROPOSAL_REFS, group)?);
        Ok(())
    }

    fn write_encryption_epoch_key_pairs<
        GroupId: traits::GroupId<V>,
        EpochKey: traits::EpochKey<V>,
        HpkeKeyPair: traits::HpkeKeyPair<V>,
    >(
        &self,
        group: &GroupId,
        epoch: &EpochKey,
        leaf: u32,
        pairs: &[HpkeKeyPair],
    ) -> Result<()> {
        self.put(slot(EPOCH_KEY_PAIRS, &(group, epoch, leaf))?, &pairs)
    }

    fn encryption_epoch_key_pairs<
        GroupId: traits::GroupId<V>,
        EpochKey: traits::EpochKey<V>,
        HpkeKeyPair: traits::HpkeKeyPair<V>,
    >(
        &self,
        group: &GroupId,
        epoch: &EpochKey,
        leaf: u32,
    ) -> Result<Vec<HpkeKeyPair>> {
        Ok(self.get(&slot(EPOCH_KEY_PAIRS, &(group, epoch, leaf))?)?.unwrap_or_default())
    }

    fn delete_encryption_epoch_key_pairs<
        GroupId: traits::GroupId<V>,
        EpochKey: traits::EpochKey<V>,
    >(
        &self,
        group: &GroupId,
        epoch: &EpochKey,
        leaf: u32,
    ) -> Result<()> {
        self.drop(&slot(EPOCH_KEY_PAIRS, &(group, epoch, leaf))?);
        Ok(())
    }
}
