//! Key packages (RFC 9420 §10): by one of them a device can be added to a group while it is away.
//!
//! ```text
//!   Device ── KeyPackages::create(now) ──► bytes ──► UnverifiedKeyPackage ── verify(principal, now) ──►
//!     │ private halves, one use each                                      VerifiedKeyPackage ──► Group::add
//!     └────────────────────────────────────► Group::join takes the one that the Welcome is for
//! ```
//!
//! Validity stands in an extension of the key package, type [`VALIDITY`]: `not before u64 | not after u64`,
//! seconds since 1970. The lifetime field of MLS is left wide open, because openmls compares it with the
//! system clock; ours is compared with the time that the caller gives. It begins a week before the maker's
//! clock, so a clock that is a day off in either hand does no harm.

use std::collections::BTreeMap;

use openmls::prelude::{tls_codec::Deserialize as _, tls_codec::Serialize as _, *};
use wire::{Reader, Wall, Writer};
use zeroize::Zeroizing;

use super::provider::{self, Provider, SUITE};
use super::snapshot::{self, Kind};
use super::{GroupError, SnapshotError, error::library};
use crate::identity::{Device, DevicePub, PrincipalId, VerifiedDevice};

/// Type of the key package extension that holds the validity, `not before u64 | not after u64` in seconds since
/// 1970 (private use, RFC 9420 §17.3). It is compared with the time that the caller gives; the lifetime field of
/// MLS, which openmls compares with the system clock, is wide open.
pub const VALIDITY: u16 = 0xF0A1;
/// Validity begins this long before the maker's time, and ends that long after it. Seconds.
const BEFORE: u64 = 7 * DAY;
const AFTER: u64 = 84 * DAY;
const DAY: u64 = 86_400;
/// Longest key package, bytes.
const LEN_MAX: usize = wire::limits::KEY_PACKAGE_MAX;
/// Most private halves that are kept.
const KEPT_MAX: usize = 4_096;

/// Names a key package: its hash (RFC 9420 §5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageRef(pub [u8; 32]);

/// A key package from outside.
pub struct UnverifiedKeyPackage(KeyPackageIn);

impl UnverifiedKeyPackage {
    /// Reads the fields, and trusts none of them.
    ///
    /// # Errors
    /// [`GroupError::TooLarge`], [`GroupError::Malformed`].
    pub fn parse(bytes: &[u8]) -> Result<Self, GroupError> {
        if bytes.len() > LEN_MAX {
            return Err(GroupError::TooLarge { len: bytes.len(), max: LEN_MAX });
        }
        match super::message_in(bytes)? {
            MlsMessageBodyIn::KeyPackage(package) => Ok(UnverifiedKeyPackage(package)),
            _ => Err(GroupError::Malformed("a key package")),
        }
    }

    /// Checks signatures, suite, credential and validity, and that it is a device of `expected`.
    ///
    /// # Errors
    /// [`GroupError::ForeignSuite`], [`GroupError::Credential`], [`GroupError::Expired`],
    /// [`GroupError::Malformed`].
    pub fn verify(
        self,
        expected: &PrincipalId,
        now: Wall,
    ) -> Result<VerifiedKeyPackage, GroupError> {
        let provider = Provider::new()?;
        let claimed = self.0.unverified_credential();
        let package = self
            .0
            .validate(provider.crypto(), ProtocolVersion::Mls10)
            .map_err(|_| GroupError::Malformed("a valid key package"))?;
        if package.ciphersuite() != SUITE {
            return Err(GroupError::ForeignSuite);
        }
        let device = provider::verify_leaf(&claimed.credential, claimed.signature_key.as_slice())?;
        if device.principal() != *expected {
            return Err(crate::identity::CredentialError::OtherPrincipal.into());
        }
        check_validity(&package, now)?;
        Ok(VerifiedKeyPackage { package, device })
    }
}

/// A key package whose device, suite and validity were checked.
pub struct VerifiedKeyPackage {
    pub(super) package: KeyPackage,
    device: VerifiedDevice,
}

impl VerifiedKeyPackage {
    /// Whose device it adds.
    #[must_use]
    pub fn device(&self) -> VerifiedDevice {
        self.device
    }

    /// When it ends, seconds since 1970: ask for a fresh one some days earlier.
    #[must_use]
    pub fn until(&self) -> Wall {
        Wall(validity(&self.package).map_or(0, |(_, until)| until))
    }
}

fn validity(package: &KeyPackage) -> Option<(u64, u64)> {
    let mut r = Reader::new(&package.extensions().unknown(VALIDITY)?.0);
    let range = (r.u64("not before").ok()?, r.u64("not after").ok()?);
    r.end().ok()?;
    Some(range)
}

fn check_validity(package: &KeyPackage, now: Wall) -> Result<(), GroupError> {
    let malformed = GroupError::Malformed("a key package with our validity");
    let Some((from, until)) = validity(package) else { return Err(malformed) };
    if *package.life_time() != provider::always() || until.saturating_sub(from) > BEFORE + AFTER {
        return Err(malformed);
    }
    if now.0 < from || now.0 > until {
        return Err(GroupError::Expired { from, until, now: now.0 });
    }
    Ok(())
}

/// The private halves of this device's key packages. Each is good for one group.
#[derive(Default)]
pub struct KeyPackages {
    kept: BTreeMap<PackageRef, Kept>,
}

struct Kept {
    until: u64,
    image: Zeroizing<Vec<u8>>,
}

impl KeyPackages {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes one, keeps its private half, and gives the public one: about 2.7 kB.
    ///
    /// # Errors
    /// [`GroupError::NoEntropy`], [`GroupError::TooLarge`] when 4,096 are kept already,
    /// [`GroupError::Library`].
    pub fn create(&mut self, device: &Device, now: Wall) -> Result<Vec<u8>, GroupError> {
        if self.kept.len() >= KEPT_MAX {
            return Err(GroupError::TooLarge { len: self.kept.len() + 1, max: KEPT_MAX });
        }
        let provider = Provider::new()?;
        let until = now.0.saturating_add(AFTER);
        let mut validity = Writer::new();
        validity.bytes(&now.0.saturating_sub(BEFORE).to_be_bytes()).bytes(&until.to_be_bytes());
        let extension = Extension::Unknown(VALIDITY, UnknownExtension(validity.finish()));
        let bundle = KeyPackage::builder()
            .key_package_lifetime(provider::always())
            .leaf_node_capabilities(provider::capabilities())
            .key_package_extensions(Extensions::single(extension).map_err(library)?)
            .build(SUITE, &provider, device, provider::own_credential(device))
            .map_err(library)?;
        let reference = reference(bundle.key_package(), &provider)?;
        let mut image = Writer::new();
        provider.image(&mut image);
        self.kept.insert(reference, Kept { until, image: Zeroizing::new(image.finish()) });
        MlsMessageOut::from(bundle.into_key_package()).tls_serialize_detached().map_err(library)
    }

    /// How many are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Whether none is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Drops what ended more than a week ago.
    pub fn prune(&mut self, now: Wall) {
        self.kept.retain(|_, kept| kept.until.saturating_add(BEFORE) >= now.0);
    }

    /// A copy of the store of the first one that `refs` names; [`KeyPackages::used`] drops it.
    pub(super) fn open(&self, refs: &[PackageRef]) -> Result<(PackageRef, Provider), GroupError> {
        let (reference, kept) = refs
            .iter()
            .find_map(|r| Some((*r, self.kept.get(r)?)))
            .ok_or(GroupError::NoKeyPackage)?;
        let provider = Provider::from_image(&mut Reader::new(&kept.image)).map_err(library)?;
        Ok((reference, provider))
    }

    pub(super) fn used(&mut self, reference: &PackageRef) {
        self.kept.remove(reference);
    }

    /// Everything, for the sealed store only.
    #[must_use]
    pub fn snapshot(&self, device: &Device) -> Zeroizing<Vec<u8>> {
        let mut w = Writer::new();
        w.bytes(&u32::try_from(self.kept.len()).unwrap_or(u32::MAX).to_be_bytes());
        for (reference, kept) in &self.kept {
            w.bytes(&reference.0).bytes(&kept.until.to_be_bytes());
            w.bytes(&u32::try_from(kept.image.len()).unwrap_or(u32::MAX).to_be_bytes());
            w.bytes(&kept.image);
        }
        snapshot::wrap(Kind::KeyPackages, device.verified().device(), w)
    }

    /// From [`KeyPackages::snapshot`].
    ///
    /// # Errors
    /// Any [`SnapshotError`].
    pub fn restore(bytes: &[u8], device: &Device) -> Result<Self, SnapshotError> {
        let own: DevicePub = device.verified().device();
        let body = snapshot::unwrap(Kind::KeyPackages, own, bytes)?;
        let mut r = Reader::new(body);
        let count = r.u32("key packages")? as usize;
        if count > KEPT_MAX {
            return Err(SnapshotError::Damaged);
        }
        let mut kept = BTreeMap::new();
        for _ in 0..count {
            let reference = PackageRef(r.array("reference")?);
            let until = r.u64("until")?;
            let len = r.u32("image")? as usize;
            let image = Zeroizing::new(r.bytes(len, "image")?.to_vec());
            Provider::from_image(&mut Reader::new(&image))?;
            kept.insert(reference, Kept { until, image });
        }
        r.end()?;
        Ok(KeyPackages { kept })
    }
}

fn reference(package: &KeyPackage, provider: &Provider) -> Result<PackageRef, GroupError> {
    let hash = package.hash_ref(provider.crypto()).map_err(library)?;
    let hash = hash.as_slice().try_into();
    Ok(PackageRef(hash.map_err(|_| library("key package reference of another length"))?))
}

/// The key packages that a Welcome is for.
pub(super) fn references(welcome: &Welcome) -> Vec<PackageRef> {
    let refs = welcome.secrets().iter().map(|secret| secret.new_member());
    refs.filter_map(|r| Some(PackageRef(r.as_slice().try_into().ok()?))).collect()
}

pub(super) fn parse_message(bytes: &[u8]) -> Result<MlsMessageIn, GroupError> {
    let mut rest = bytes;
    let message = MlsMessageIn::tls_deserialize(&mut rest)
        .map_err(|_| GroupError::Malformed("an MLS message"))?;
    if rest.is_empty() { Ok(message) } else { Err(GroupError::Malformed("one MLS message alone")) }
}
