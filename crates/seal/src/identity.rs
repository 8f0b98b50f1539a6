//! Who somebody is: a principal's identity key, and the devices that it admits.
//!
//! ```text
//!   IdentityKey (Ed25519, long-term) ── signs "hotline device v1" | device key ──► credential of a device
//!
//!   credential, 129 B = version u8 = 1 | identity key 32 | device key 32 | signature by the identity key 64
//!
//!   bytes ──► UnverifiedCredential ── verify() ──► VerifiedDevice
//! ```
//!
//! The credential is the content of the MLS basic credential (RFC 9420 §5.3) of each leaf, and the device
//! key is the leaf's signature key. A second device has a credential of the same identity key: the first
//! device signs it ([`IdentityKey::admit`]), so the identity key may stay on one device only.

use core::fmt;

use rand_core::CryptoRngCore;
use wire::IdentityPub;
use zeroize::Zeroizing;

use crate::sig::{self, Secret};

/// Version of the credential.
const VERSION: u8 = 1;
/// What the identity key signs a device key under.
const LABEL: &str = "hotline device v1";
/// What a device signs an entry of the record under.
const ENTRY: &str = "hotline record entry v1";
/// Length of a credential, bytes.
pub const CREDENTIAL_LEN: usize = 1 + 32 + 32 + 64;
/// Length of a stored device, bytes: its secret key, then its credential.
pub const DEVICE_LEN: usize = 32 + CREDENTIAL_LEN;

/// A principal, by its identity key. `Debug` shows nothing of it.
pub type PrincipalId = IdentityPub;

/// A device, by its signature key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DevicePub(pub [u8; 32]);

impl fmt::Debug for DevicePub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DevicePub(..)")
    }
}

/// Why a credential is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// Not a credential.
    #[error("device credential has {0} bytes instead of {CREDENTIAL_LEN}: its sender is at fault")]
    Length(usize),
    /// Of a later (or no) version.
    #[error(
        "device credential has the unknown version {0}: update this handset, or its sender is at fault"
    )]
    Version(u8),
    /// The identity key did not sign this device key.
    #[error("device was not admitted by the principal that it names: it is forged, or was damaged")]
    Signature,
    /// The device is genuine, but belongs to somebody else.
    #[error("device belongs to another principal than expected: the key was exchanged on its way")]
    OtherPrincipal,
    /// A stored device whose parts do not belong together.
    #[error("stored device key and its credential do not belong together: the store is damaged")]
    NotItsKey,
}

/// A principal's long-term key.
pub struct IdentityKey(Secret);

impl IdentityKey {
    /// A new one.
    #[must_use]
    pub fn generate(rng: &mut dyn CryptoRngCore) -> Self {
        IdentityKey(Secret::generate(rng))
    }

    /// From [`IdentityKey::to_bytes`].
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        IdentityKey(Secret::from_bytes(bytes))
    }

    /// The secret key, for the sealed store only.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        self.0.to_bytes()
    }

    /// The principal.
    #[must_use]
    pub fn principal(&self) -> PrincipalId {
        IdentityPub(self.0.public())
    }

    /// Makes `device` a device of this principal: its credential.
    #[must_use]
    pub fn admit(&self, device: &DevicePub) -> [u8; CREDENTIAL_LEN] {
        let mut out = [0u8; CREDENTIAL_LEN];
        out[0] = VERSION;
        out[1..33].copy_from_slice(&self.0.public());
        out[33..65].copy_from_slice(&device.0);
        out[65..].copy_from_slice(&self.0.sign(LABEL, &[&device.0]));
        out
    }

    pub(crate) fn sign(&self, label: &str, parts: &[&[u8]]) -> [u8; 64] {
        self.0.sign(label, parts)
    }
}

/// The signature key of one device, before or after it was admitted.
pub struct DeviceKey(Secret);

impl DeviceKey {
    /// A new one.
    #[must_use]
    pub fn generate(rng: &mut dyn CryptoRngCore) -> Self {
        DeviceKey(Secret::generate(rng))
    }

    /// What the principal signs.
    #[must_use]
    pub fn public(&self) -> DevicePub {
        DevicePub(self.0.public())
    }
}

/// A credential from outside.
#[derive(Clone)]
pub struct UnverifiedCredential {
    principal: [u8; 32],
    device: [u8; 32],
    signature: [u8; 64],
}

impl UnverifiedCredential {
    /// Reads the fields, and trusts none of them.
    ///
    /// # Errors
    /// [`CredentialError::Length`], [`CredentialError::Version`].
    pub fn parse(bytes: &[u8]) -> Result<Self, CredentialError> {
        let bytes: &[u8; CREDENTIAL_LEN] =
            bytes.try_into().map_err(|_| CredentialError::Length(bytes.len()))?;
        if bytes[0] != VERSION {
            return Err(CredentialError::Version(bytes[0]));
        }
        let (mut principal, mut device, mut signature) = ([0; 32], [0; 32], [0; 64]);
        principal.copy_from_slice(&bytes[1..33]);
        device.copy_from_slice(&bytes[33..65]);
        signature.copy_from_slice(&bytes[65..]);
        Ok(UnverifiedCredential { principal, device, signature })
    }

    /// Checks that the principal admitted the device.
    ///
    /// # Errors
    /// [`CredentialError::Signature`].
    pub fn verify(&self) -> Result<VerifiedDevice, CredentialError> {
        sig::verify(&self.principal, LABEL, &[&self.device], &self.signature)
            .map_err(|_| CredentialError::Signature)?;
        Ok(VerifiedDevice {
            principal: IdentityPub(self.principal),
            device: DevicePub(self.device),
        })
    }

    /// Checks that `expected` admitted the device.
    ///
    /// # Errors
    /// [`CredentialError::Signature`], [`CredentialError::OtherPrincipal`].
    pub fn verify_of(&self, expected: &PrincipalId) -> Result<VerifiedDevice, CredentialError> {
        let device = self.verify()?;
        if device.principal != *expected {
            return Err(CredentialError::OtherPrincipal);
        }
        Ok(device)
    }
}

/// A device whose principal admitted it: only the verifier makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VerifiedDevice {
    principal: PrincipalId,
    device: DevicePub,
}

impl VerifiedDevice {
    /// Whose device.
    #[must_use]
    pub fn principal(&self) -> PrincipalId {
        self.principal
    }

    /// Which one.
    #[must_use]
    pub fn device(&self) -> DevicePub {
        self.device
    }
}

impl VerifiedDevice {
    /// Checks what [`Device::sign_entry`] of this device made.
    ///
    /// # Errors
    /// [`sig::BadSignature`](crate::office::BadSignature).
    pub fn verify_entry(
        &self,
        parts: &[&[u8]],
        signature: &wire::Signature,
    ) -> Result<(), crate::office::BadSignature> {
        sig::verify(&self.device.0, ENTRY, parts, &signature.0)
    }
}

/// This device: its key and its credential.
#[derive(Clone)]
pub struct Device {
    secret: Secret,
    credential: [u8; CREDENTIAL_LEN],
    verified: VerifiedDevice,
}

impl Device {
    /// A principal's device on the machine that holds the identity key.
    #[must_use]
    pub fn first(identity: &IdentityKey, rng: &mut dyn CryptoRngCore) -> Self {
        let key = DeviceKey::generate(rng);
        let verified = VerifiedDevice { principal: identity.principal(), device: key.public() };
        Device { credential: identity.admit(&key.public()), secret: key.0, verified }
    }

    /// A device that was admitted elsewhere: `credential` is what [`IdentityKey::admit`] gave for its key.
    ///
    /// # Errors
    /// Any [`CredentialError`].
    pub fn admitted(key: DeviceKey, credential: &[u8]) -> Result<Self, CredentialError> {
        let verified = UnverifiedCredential::parse(credential)?.verify()?;
        let (true, Ok(credential)) = (verified.device == key.public(), credential.try_into())
        else {
            return Err(CredentialError::NotItsKey);
        };
        Ok(Device { secret: key.0, credential, verified })
    }

    /// Secret key and credential, for the sealed store only.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; DEVICE_LEN]> {
        let mut out = Zeroizing::new([0u8; DEVICE_LEN]);
        out[..32].copy_from_slice(self.secret.to_bytes().as_ref());
        out[32..].copy_from_slice(&self.credential);
        out
    }

    /// From [`Device::to_bytes`].
    ///
    /// # Errors
    /// Any [`CredentialError`]; [`CredentialError::Length`] if the length is not [`DEVICE_LEN`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CredentialError> {
        let (secret, credential) =
            bytes.split_first_chunk::<32>().ok_or(CredentialError::Length(bytes.len()))?;
        Device::admitted(DeviceKey(Secret::from_bytes(secret)), credential)
    }

    /// What others see of it.
    #[must_use]
    pub fn verified(&self) -> VerifiedDevice {
        self.verified
    }

    /// Whose device.
    #[must_use]
    pub fn principal(&self) -> PrincipalId {
        self.verified.principal
    }

    /// Its credential.
    #[must_use]
    pub fn credential(&self) -> &[u8; CREDENTIAL_LEN] {
        &self.credential
    }

    /// Signs an entry of the record. All parts but the last have a fixed length.
    #[must_use]
    pub fn sign_entry(&self, parts: &[&[u8]]) -> wire::Signature {
        wire::Signature(self.secret.sign(ENTRY, parts))
    }

    pub(crate) fn sign_raw(&self, message: &[u8]) -> [u8; 64] {
        self.secret.sign_raw(message)
    }
}
